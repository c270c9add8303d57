//! Events of the worker, each with the ticket of the job it belongs to.

use std::sync::Arc;

use crate::{
    client::CreatedKey,
    model::{
        connections::{client_certificate::ClientCertificate, import::Proposal, open_id::SignedIn, profile::Profile},
        inventory::list_view::ListSnapshot,
        journal::ssh_signature::SshKey,
        lock::{LockReason, LockSignals},
        privileges::role::Role,
        update::plan::UpdatePlan,
    },
    ops::{
        Outcome, Problem, Session,
        bulk::BulkProgress,
        connections::{
            connect::StepReport,
            import::Saved,
            share::SharedProfiles,
            sign_in::{Finished, SignInStep},
            vault::ReadProfiles,
        },
        create::{completions::Completions, new_key::NewKeyError},
        journal::{
            checkpoint::Made,
            reader::{History, JournalLog, Verification},
        },
        keys::{
            effective_privileges::DescribedRights,
            export::Exported,
            first_counts::FirstCounts,
            last_use::{NotKnown, Uses},
            list::{KeyList, ListProgress},
            quick_find::FoundKeys,
        },
        lock::NotUnlocked,
        secret::{identify::Checked, try_key::Trial},
        update::plan::{Before, NotPlanned},
    },
    store::{file_dialog::ChosenFile, journal::Warning as JournalWarning, lock_signals::SleepDelay},
    worker::{FormAnswer, Rotated, Ticket},
};

/// An answer and the job it belongs to.
#[derive(Debug)]
pub struct Event {
    /// Ticket of the job.
    pub ticket: Ticket,
    /// Result or progress of the job.
    pub answer: Answer,
}

/// Result or progress of a job.
#[derive(Debug)]
pub enum Answer {
    /// Profiles of the vault after the window was unlocked, or why it was not.
    Unlocked(Result<ReadProfiles, NotUnlocked>),
    /// Request of the desktop to lock the window.
    LockAsked(LockReason),
    /// The computer goes to sleep, and waits for the lock until the delay is dropped.
    SleepBegins(SleepDelay),
    /// Signals of the desktop that arrive here.
    LockSignals(LockSignals),
    /// Profiles of the vault.
    Profiles(Result<ReadProfiles, Problem>),
    /// All profiles of the vault after one was saved or removed.
    ProfilesChanged(Result<ReadProfiles, Problem>),
    /// Profile of the practice cluster that was started.
    SandboxOpened(Result<Box<Profile>, Problem>),
    /// Client certificate that was read from its files.
    CertificateRead(Result<Box<ClientCertificate>, Problem>),
    /// What a person has to do to sign in at a provider.
    SignInStep(SignInStep),
    /// State of a sign-in at a provider; `None` if nobody is signed in.
    SignInRead(Option<SignedIn>),
    /// Result of signing in at a provider.
    SignedIn(Result<Finished, Problem>),
    /// The tokens of a sign-in were forgotten, or why they may still be there.
    SignedOut(Result<(), Problem>),
    /// Connections that were read from files or a text.
    ImportRead(Result<Vec<Proposal>, Problem>),
    /// Imported connections that were saved.
    ImportSaved(Result<Saved, Problem>),
    /// Exported connections.
    ProfilesShared(Result<SharedProfiles, Problem>),
    /// One finished step of a connection test.
    Tested(Box<StepReport>),
    /// End of a connection test.
    TestEnded,
    /// Session after signing in.
    Connected(Result<Box<Session>, Problem>),
    /// Progress of reading keys, with a snapshot of what is shown of them.
    Listing(ListProgress, Option<Box<ListSnapshot>>),
    /// All keys of a cluster, with a snapshot of what is shown of them.
    Listed(Result<Arc<KeyList>, Problem>, Option<Box<ListSnapshot>>),
    /// Roles of a cluster.
    Roles(Result<Vec<Role>, Problem>),
    /// Completions for forms of privileges.
    Names(Box<Completions>),
    /// Effective privileges of a key; `None` if the cluster does not know the key.
    Rights(Result<Box<Option<DescribedRights>>, Problem>),
    /// Last use of a key, or why it is not known.
    LastUse(Result<Uses, NotKnown>),
    /// Last uses of many keys, or why they are not known.
    LastUses(Result<Uses, NotKnown>),
    /// Result of checking a secret.
    SecretChecked(Option<Box<Checked>>),
    /// The created key, or why there is none.
    Created(Result<Box<CreatedKey>, Box<NewKeyError>>),
    /// Answer to a form's task.
    Form(FormAnswer),
    /// Result of signing in with the new key.
    Tried(Result<Box<Trial>, Problem>),
    /// Progress of an operation on many keys.
    BulkProgress(BulkProgress),
    /// Outcome of an operation on many keys.
    BulkDone(Outcome),
    /// A key read again before an update.
    BeforeUpdate(Result<Box<Before>, Problem>),
    /// Plan of an update, key by key, or why there is none.
    UpdatePlanned(Result<Arc<UpdatePlan>, Box<NotPlanned>>),
    /// Answer to a rotation task.
    Rotating(Rotated),
    /// A secret was put on the clipboard, or why not.
    Copied(Result<(), Problem>),
    /// The clipboard was cleared; `false` if something else than our secret was on it.
    Cleared(Result<bool, Problem>),
    /// Location that the secret was kept in or written to.
    Kept(Result<String, Problem>),
    /// First counts from the cluster itself; `None` if it has none.
    FirstCounts(Result<Box<Option<FirstCounts>>, Problem>),
    /// Path of the image file, or why there is none.
    PictureSaved(Result<String, Problem>),
    /// The file that was chosen in the desktop's dialog.
    FileChosen(ChosenFile),
    /// Keys that the palette searched for.
    FoundKeys(FoundKeys),
    /// Merged list, with the row after the last key of each source.
    Merged(Arc<KeyList>, Vec<usize>),
    /// Number of keys written to a file so far.
    Exporting(u64),
    /// The finished export, or why there is none.
    Exported(Result<Exported, Problem>),
    /// Verification of the journal.
    JournalChecked(Result<Verification, Problem>),
    /// A warning that came up while the journal was written: the newest, and the number of warnings since the last that
    /// was handed on.
    JournalWarning(JournalWarning, u64),
    /// Contents of the journal.
    JournalRead(Result<JournalLog, Problem>),
    /// Journal entries about one key.
    History(Result<History, Problem>),
    /// Number of operations written to the exported file.
    JournalExported(Result<u64, Problem>),
    /// Keys of the ssh-agent that can sign.
    Signers(Result<Vec<SshKey>, Problem>),
    /// A checkpoint of the journal.
    CheckpointMade(Result<Made, Problem>),
    /// The operating system asked the program to end.
    AskedToEnd,
    /// The job panicked.
    Panicked,
}

impl Answer {
    /// Returns `true` if more answers to the same job follow.
    pub fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Tested(_)
                | Self::SignInStep(_)
                | Self::Listing(..)
                | Self::BulkProgress(_)
                | Self::Exporting(_)
                | Self::Rotating(Rotated::Progress(_) | Rotated::Counted(_))
        )
    }
}
