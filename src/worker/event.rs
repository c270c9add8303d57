//! Events of the worker, each with the ticket of the job it belongs to.

use std::sync::Arc;

use crate::{
    client::CreatedKey,
    model::{
        connections::profile::Profile, inventory::list_view::ListSnapshot, privileges::role::Role,
        update::plan::UpdatePlan,
    },
    ops::{
        Problem, Session,
        connections::{connect::StepReport, vault::ReadProfiles},
        create::{completions::Completions, new_key::NewKeyError},
        invalidate::{InvalidationProgress, Outcome},
        journal::reader::{History, JournalLog, Verification},
        keys::{
            effective_privileges::DescribedRights,
            export::Exported,
            first_counts::FirstCounts,
            last_use::{NotKnown, Uses},
            list::{KeyList, ListProgress},
        },
        secret::{identify::Checked, try_key::Trial},
        update::{
            UpdateOutcome,
            plan::{Before, NotPlanned},
        },
    },
    store::journal::Warning as JournalWarning,
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
    /// Profiles of the vault.
    Profiles(Result<ReadProfiles, Problem>),
    /// All profiles of the vault after one was saved or removed.
    ProfilesChanged(Result<ReadProfiles, Problem>),
    /// Profile of the practice cluster that was started.
    SandboxOpened(Result<Box<Profile>, Problem>),
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
    /// Progress of an invalidation.
    Invalidating(InvalidationProgress),
    /// Outcome of an invalidation.
    Invalidated(Outcome),
    /// A key read again before an update.
    BeforeUpdate(Result<Box<Before>, Problem>),
    /// Plan of an update, key by key, or why there is none.
    UpdatePlanned(Result<Arc<UpdatePlan>, Box<NotPlanned>>),
    /// Number of keys settled so far by an update.
    Updating(usize),
    /// Outcome of an update.
    Updated(UpdateOutcome),
    /// Answer to a rotation task.
    Rotating(Rotated),
    /// A secret was put on the clipboard, or why not.
    Copied(Result<(), Problem>),
    /// The clipboard was cleared; `false` if something else than our secret was on it.
    Cleared(Result<bool, Problem>),
    /// Location that the secret was kept in or written to.
    Kept(Result<String, Problem>),
    /// First counts from the cluster itself; `None` if it has none.
    Figures(Result<Box<Option<FirstCounts>>, Problem>),
    /// Path of the image file, or why there is none.
    PictureSaved(Result<String, Problem>),
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
    /// The operating system asked the program to end.
    AskedToEnd,
    /// The job panicked.
    Panicked,
}
