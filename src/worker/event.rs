//! What happened, with the ticket of the question it answers.

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

/// An event and the question it belongs to.
#[derive(Debug)]
pub struct Event {
    /// Of the job.
    pub ticket: Ticket,
    /// What happened.
    pub answer: Answer,
}

/// What became of a job.
#[derive(Debug)]
pub enum Answer {
    /// The vault was read.
    Profiles(Result<ReadProfiles, Problem>),
    /// A profile was kept or forgotten; the vault as it is now.
    ProfilesChanged(Result<ReadProfiles, Problem>),
    /// The practice cluster is up.
    SandboxOpened(Result<Box<Profile>, Problem>),
    /// A step of a test was taken.
    Tested(Box<StepReport>),
    /// The test is over.
    TestEnded,
    /// Signed in, or not.
    Connected(Result<Box<Session>, Problem>),
    /// Keys are being read; what is shown of them.
    Listing(ListProgress, Option<Box<ListSnapshot>>),
    /// All keys were read; what is shown of them.
    Listed(Result<Arc<KeyList>, Problem>, Option<Box<ListSnapshot>>),
    /// Roles were read.
    Roles(Result<Vec<Role>, Problem>),
    /// What a form of privileges is completed from.
    Names(Box<Completions>),
    /// What a key can do, if the cluster knows it.
    Rights(Result<Box<Option<DescribedRights>>, Problem>),
    /// When a key was last used, or why that is not known.
    LastUse(Result<Uses, NotKnown>),
    /// The same of many keys.
    LastUses(Result<Uses, NotKnown>),
    /// A secret was checked.
    SecretChecked(Option<Box<Checked>>),
    /// A key was created, or not.
    Created(Result<Box<CreatedKey>, Box<NewKeyError>>),
    /// Of a form beyond that.
    Form(FormAnswer),
    /// The new key was tried.
    Tried(Result<Box<Trial>, Problem>),
    /// Keys are being invalidated.
    Invalidating(InvalidationProgress),
    /// Invalidating is over.
    Invalidated(Outcome),
    /// A key was read again, to be updated.
    BeforeUpdate(Result<Box<Before>, Problem>),
    /// An update was worked out, key by key, or not.
    UpdatePlanned(Result<Arc<UpdatePlan>, Box<NotPlanned>>),
    /// So many keys are settled.
    Updating(usize),
    /// Updating is over.
    Updated(UpdateOutcome),
    /// What became of a step of rotating.
    Rotating(Rotated),
    /// Something secret is on the clipboard, or not.
    Copied(Result<(), Problem>),
    /// The clipboard was cleared; whether there was still something of ours on it.
    Cleared(Result<bool, Problem>),
    /// The secret was kept or written; where.
    Kept(Result<String, Problem>),
    /// The cluster's own first figures, where it has some.
    Figures(Result<Box<Option<FirstCounts>>, Problem>),
    /// A picture is in its file, or not.
    PictureSaved(Result<String, Problem>),
    /// Lists were put together; where the keys of each end.
    Merged(Arc<KeyList>, Vec<usize>),
    /// So many keys were written to a file.
    Exporting(u64),
    /// The file is there, or not.
    Exported(Result<Exported, Problem>),
    /// The journal was checked.
    JournalChecked(Result<Verification, Problem>),
    /// Trouble with the journal was noticed while something was written to it: the newest, and the number of warnings
    /// since the last that was handed on.
    JournalWarning(JournalWarning, u64),
    /// The journal was read.
    JournalRead(Result<JournalLog, Problem>),
    /// What was done to a key was read.
    History(Result<History, Problem>),
    /// So many deeds are in their file, or not.
    JournalExported(Result<u64, Problem>),
    /// The system asked the program to end.
    AskedToEnd,
    /// The job broke in a way that nobody foresaw.
    Panicked,
}
