//! What a person can ask for. Views send these; only `State::handle` acts on them.

use std::{ops::Range, path::PathBuf};

use super::{
    ClosingStep, FormCommand,
    dialogs::{export::Scope, update::UpdateStep},
    journal::JournalView,
    rotation::dialog,
};
use crate::{
    export::Format,
    model::{
        api_key::KeyId,
        connections::{
            endpoint::Endpoint,
            profile::{Profile, ProfileId},
        },
        create::new_key::NewKeyDraft,
        inventory::{list_view::ListView, overview::OverviewOptions},
        secret::Secret,
        settings::TableLayout,
    },
    ops::{Fix, journal::reader, outcome_report::KeyOutcome, secret::identify::Asked},
};

/// A screen of the rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Screen {
    /// Everything at a glance.
    Overview,
    /// All keys.
    Keys,
    /// A new key.
    Create,
    /// What was done from this machine.
    Journal,
    /// The clusters.
    #[default]
    Connections,
}

impl Screen {
    /// All, in the order of the rail.
    pub const ALL: [Screen; 5] = [Self::Overview, Self::Keys, Self::Create, Self::Journal, Self::Connections];

    /// The word in the rail.
    pub fn word(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Keys => "Keys",
            Self::Create => "Create",
            Self::Journal => "Journal",
            Self::Connections => "Connections",
        }
    }
}

/// What a person asked for.
#[derive(Debug)]
pub enum Command {
    /// Go to a screen.
    Show(Screen),
    /// Read the profiles of the keyring again.
    ReadProfiles,
    /// Keep profiles in memory for this run.
    UseMemory,
    /// Another profile is in the form, or none.
    EditProfile(Option<ProfileId>),
    /// Keep a profile.
    SaveProfile(Box<Profile>),
    /// Forget a profile.
    RemoveProfile(ProfileId),
    /// Test a connection step by step.
    Test(Box<Endpoint>),
    /// End the test.
    StopTest,
    /// Sign in to a cluster, or show the one that is open already.
    Connect(Box<Profile>),
    /// Sign out of a cluster.
    Disconnect(ProfileId),
    /// Look at another open cluster.
    SwitchTo(ProfileId),
    /// Look at all open clusters as one.
    ShowAll,
    /// Read the keys again.
    Refresh,
    /// Stop reading.
    StopRefresh,
    /// Filter and sort.
    SetView(ListView),
    /// Select a key, or take it out of the selection.
    Select(KeyId, bool),
    /// Select the keys of these rows; whether besides those that are selected.
    SelectRows(Range<usize>, bool),
    /// Select from where the selection began to this row; whether besides those that are selected.
    SelectTo(usize, bool),
    /// Select nothing.
    SelectNone,
    /// Other columns, or other widths.
    SetTable(TableLayout),
    /// Another look, by its word.
    SetLook(String),
    /// Open the page of a key, or close it.
    OpenKey(Option<KeyId>),
    /// Read again what the key whose page is open can do.
    ReadRights,
    /// Show the dialog of checking a secret; whether it should be that of a key.
    AskCheckSecret(Option<KeyId>),
    /// Check what was pasted.
    CheckSecret(Secret, Asked),
    /// Close the dialog.
    CloseCheckSecret,
    /// Read the roles again.
    ReadRoles,
    /// Read what a form of privileges is completed from, unless it was read.
    ReadNames,
    /// Create a key; with the request id that was shown.
    /// The credential is that of another user, where the key is for one.
    Create(Box<NewKeyDraft>, Option<Secret>, String),
    /// Stop waiting for the answer, and ask the cluster for the outcome of the request.
    StopCreating,
    /// What a form beyond that asks for.
    Form(FormCommand),
    /// Forget what came of the last creation.
    DismissCreation,
    /// Put something secret on the clipboard, for 30 seconds.
    CopySecret(Secret),
    /// Take it off again.
    ClearClipboard,
    /// Sign in with the new key.
    TryKey,
    /// Keep the new key in the keyring.
    KeepSecret,
    /// Write the new key to a file that doesn't exist yet.
    WriteSecret(PathBuf),
    /// Close the card of the new key; asks when it was not kept.
    CloseSecret,
    /// Stay at the card.
    GoBackToSecret,
    /// Close the card: the secret was kept by hand, or is given up.
    DropSecret,
    /// Invalidate the new key, whose secret nobody has.
    InvalidateSecret,
    /// A step of closing the window, or of keeping a connection for the next time.
    Closing(ClosingStep),
    /// Show what would be invalidated.
    AskInvalidate(Vec<KeyId>),
    /// Show what would be invalidated of all that the search and the status show.
    AskInvalidateShown,
    /// Say the extra word for the session's own key.
    IncludeOwnKey(bool),
    /// Say the extra word for keys that a product made for itself.
    IncludeManaged(bool),
    /// Invalidate what was shown.
    Invalidate,
    /// Stop after the chunk that is on its way.
    StopInvalidate,
    /// Try those again that failed.
    RetryFailed,
    /// Go on with those that were never sent.
    GoOnWithUntouched,
    /// Go on with the untouched, and trust this machine's clock where the cluster's is in doubt.
    AcceptClock,
    /// Write what became of keys to a new file.
    ExportFates(KeyOutcome, Format, PathBuf),
    /// Close the dialog.
    CloseInvalidate,
    /// A step of updating keys.
    Update(UpdateStep),
    /// A step of rotating keys.
    Rotate(dialog::RotationStep),
    /// Another time or moment on the overview.
    SetOverview(OverviewOptions),
    /// Other fields of the metadata to count by.
    CountBy(Vec<String>),
    /// Go to the list, and show these keys.
    ShowKeys(ListView),
    /// Write a picture to a new file.
    SavePicture(PathBuf, Vec<u8>),
    /// Show the dialog of exporting.
    AskExport,
    /// Write keys to a new file.
    Export(Scope, Format, PathBuf),
    /// Close the dialog; a file that is being written is given up.
    CloseExport,
    /// Other words to search the journal for, or another cluster.
    SetJournalView(JournalView),
    /// Open what was done, by its place, or close it.
    OpenDeed(Option<usize>),
    /// Show the dialog of exporting what is shown of the journal, or close it.
    AskJournalExport(bool),
    /// Write what is shown of the journal to a new file.
    ExportJournal(reader::JournalFormat, PathBuf),
    /// What was said of a fault in the journal was read.
    DismissJournalFault,
    /// Take a way out that a problem offered.
    Fix(Fix),
    /// A notice was read.
    DismissNotice,
}
