//! Commands of the user. Views send them; only `State::handle` acts on them.

use std::{ops::Range, path::PathBuf};

use super::{
    ClosingStep, CredentialAnswer, FormCommand, NameAnswer, Overlay,
    dialogs::{DialogKind, DialogStep, export::Scope},
    journal::JournalView,
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
        journal::ssh_signature::SshKey,
        secret::Secret,
        settings::TableLayout,
    },
    ops::{
        Fix,
        connections::{client_certificate::CertificateFiles, sign_in::Way},
        journal::reader,
        lock::TypedSignIn,
        outcome_report::KeyOutcome,
        secret::identify::Asked,
    },
    store::file_dialog::FileQuestion,
};

/// A screen of the navigation rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Screen {
    /// Overview of the shown cluster.
    Overview,
    /// List of keys.
    Keys,
    /// Form for a new key.
    Create,
    /// Operations that were done from this machine.
    Journal,
    /// Connections to clusters.
    #[default]
    Connections,
    /// Settings of the window.
    Settings,
}

impl Screen {
    /// All screens, in the order of the rail.
    pub const ALL: [Screen; 6] =
        [Self::Overview, Self::Keys, Self::Create, Self::Journal, Self::Connections, Self::Settings];

    /// Returns the screen's label in the rail.
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Keys => "Keys",
            Self::Create => "Create",
            Self::Journal => "Journal",
            Self::Connections => "Connections",
            Self::Settings => "Settings",
        }
    }
}

/// A command of the user.
#[derive(Debug)]
pub enum Command {
    /// Go to a screen.
    Show(Screen),
    /// Open the palette or the list of shortcuts, or close them.
    ShowOverlay(Option<Overlay>),
    /// Go back to what was shown before.
    Back,
    /// Go forward again.
    Forward,
    /// Search the keys of all open clusters, for the palette.
    FindKeys(String),
    /// Show the page of a key of an open cluster.
    ShowFound(ProfileId, KeyId),
    /// Show the keys of an open cluster that match a search.
    ListFound(ProfileId, String),
    /// Put the keyboard into the search of the keys.
    FocusSearch,
    /// Read the profiles of the keyring again.
    ReadProfiles,
    /// Keep profiles in memory for this run.
    UseMemory,
    /// Put another profile into the form, or none.
    EditProfile(Option<ProfileId>),
    /// Save a profile.
    SaveProfile(Box<Profile>),
    /// Remove a profile.
    RemoveProfile(ProfileId),
    /// Read a client certificate from its files, for the form of a connection.
    ReadCertificate(Box<CertificateFiles>),
    /// Drop the client certificate that was read: the form has taken it.
    DropCertificate,
    /// Read who is signed in at the provider of a connection.
    ReadSignIn(Box<Endpoint>),
    /// Sign in at the provider of a connection.
    SignIn(Box<Endpoint>, Way),
    /// Stop waiting for a person to sign in.
    StopSignIn,
    /// Forget the tokens of a connection.
    SignOut(Box<Endpoint>),
    /// Test a connection step by step.
    Test(Box<Endpoint>),
    /// Stop the test.
    StopTest,
    /// Sign in to a cluster, or show the one that is open already.
    Connect(Box<Profile>),
    /// Sign out of a cluster.
    Disconnect(ProfileId),
    /// Show another open cluster.
    SwitchTo(ProfileId),
    /// Show all open clusters as one.
    ShowAll,
    /// Read the keys again.
    Refresh,
    /// Stop reading the keys.
    StopRefresh,
    /// Set the filter and the sort order of the list.
    SetView(ListView),
    /// Select a key, or take it out of the selection.
    Select(KeyId, bool),
    /// Select the keys in these lines of the list; `true` adds them to the selection, `false` replaces it.
    SelectLines(Range<usize>, bool),
    /// Select the keys from where the selection began to this line of the list; `true` adds them to the selection, `false` replaces
    /// it.
    SelectTo(usize, bool),
    /// Clear the selection.
    SelectNone,
    /// Change the columns of the table, or their widths.
    SetTable(TableLayout),
    /// Change the look, given by its label.
    SetLook(String),
    /// Open the page of a key, or close it.
    OpenKey(Option<KeyId>),
    /// Read the effective privileges of the key whose page is open again.
    ReadRights,
    /// Open the dialog of checking a secret; given a key, the secret should belong to it.
    AskCheckSecret(Option<KeyId>),
    /// Check the pasted text.
    CheckSecret(Secret, Asked),
    /// Read the roles again.
    ReadRoles,
    /// Read the completions for forms of privileges, unless they were read.
    ReadNames,
    /// Create a key with the request id that was shown. The credential is that of another user, if the key is created
    /// for one.
    Create(Box<NewKeyDraft>, Option<Secret>, String),
    /// Stop waiting for the answer, and ask the cluster for the outcome of the request.
    StopCreating,
    /// A command of a form other than that of a new key.
    Form(FormCommand),
    /// Forget the result of the last creation.
    DismissCreation,
    /// Put a secret on the clipboard for 30 seconds.
    CopySecret(Secret),
    /// Clear the clipboard if the secret is still on it.
    ClearClipboard,
    /// Sign in with the new key.
    TryKey,
    /// Keep the new key in the keyring.
    KeepSecret,
    /// Write the new key to a file that doesn't exist yet.
    WriteSecret(PathBuf),
    /// Close the card of the new key; asks first if the secret was not stored.
    CloseSecret,
    /// Stay at the card.
    GoBackToSecret,
    /// Close the card: the secret was stored by hand, or is given up.
    DropSecret,
    /// Invalidate the new key, whose secret nobody stored.
    InvalidateSecret,
    /// A step of closing the window, or of saving a connection for the next time.
    Closing(ClosingStep),
    /// A step of invalidating, updating or rotating keys.
    Dialog(DialogStep),
    /// Lock the window.
    Lock,
    /// Unlock the window: by the keyring, or by a typed sign-in.
    Unlock(Option<Box<TypedSignIn>>),
    /// Set the minutes without input after which the window is locked; `None` for never.
    SetLockAfter(Option<u32>),
    /// Drop the outcomes that the last lock left: they were read.
    DismissLockOutcomes,
    /// Answer the question for the name of a protected connection.
    AnswerName(NameAnswer),
    /// Answer the question for the credential of a connection.
    AnswerCredential(CredentialAnswer),
    /// Write the keys of the dialog in front, or those of them with this outcome, to a new file.
    ExportOutcomes(Option<KeyOutcome>, Format, PathBuf),
    /// Close the dialog of this kind, unless it is changing a cluster.
    CloseDialog(DialogKind),
    /// Change the period or the moment that the overview shows.
    SetOverview(OverviewOptions),
    /// Change the metadata fields to count by.
    CountBy(Vec<String>),
    /// Show the list of keys with this filter and sort order.
    ShowKeys(ListView),
    /// Write an image to a new file.
    SavePicture(PathBuf, Vec<u8>),
    /// Open the file dialog of the desktop.
    ChooseFile(FileQuestion),
    /// Open the export dialog.
    AskExport,
    /// Write keys to a new file.
    Export(Scope, Format, PathBuf),
    /// Change the search text or the cluster of the journal.
    SetJournalView(JournalView),
    /// Open the page of an operation, by its index in the journal, or close it.
    OpenOperation(Option<usize>),
    /// Open the dialog of exporting the shown operations of the journal.
    AskJournalExport,
    /// Open the dialog of a new checkpoint of the journal, and list who can sign it.
    AskCheckpoint,
    /// Sign a checkpoint of the journal, and show it: with its own key, and with this one of the ssh-agent, if one is
    /// given.
    MakeCheckpoint(Option<Box<SshKey>>),
    /// Write the shown operations of the journal to a new file.
    ExportJournal(reader::JournalFormat, PathBuf),
    /// Dismiss the message about a fault in the journal.
    DismissJournalFault,
    /// Apply a fix that a problem offered.
    Fix(Fix),
    /// Dismiss a notice.
    DismissNotice,
}
