//! Dialogs above the screens: the registry of all kinds, and what they have in common.

pub mod bulk_run;
pub mod check_secret;
pub mod export;
pub mod import;
pub mod invalidate;
pub mod secret_card;
pub mod update;

use bulk_run::{BulkRun, Outcomes, Run};
use import::{ImportStep, Importing, ShareStep, Sharing};
use invalidate::InvalidateStep;
use update::UpdateStep;

use super::{
    Cloning, Command, ExportDialog, Invalidation, JournalCheckpoint, JournalExport, Loadable, Overlay, Rotating,
    SecretCheck, State, Updating, rotation::dialog::RotationStep,
};
use crate::{
    model::connections::profile::Profile,
    ops::{Problem, bulk::BulkProgress, keys::export::Exported},
    worker::Ticket,
};

/// Content of a dialog, as far as all dialogs are treated alike.
pub trait DialogContent {
    /// Returns the reason why neither the dialog nor the window can be closed now; `None` if both can.
    fn blocks_closing(&self) -> Option<&'static str> {
        let is_running = self.run().is_some_and(Run::is_running);
        is_running.then_some("Keys are being changed: stop this first, or wait")
    }

    /// Returns the connection that the dialog is about; `None` if it is about no single one.
    fn profile(&self) -> Option<&Profile> {
        None
    }

    /// Returns the connection whose keys a running job of the dialog may be changing.
    fn changes(&self) -> Option<&Profile> {
        self.run().filter(|run| run.is_running()).and_then(|_| self.profile())
    }

    /// Fails what waits for a job that panicked.
    fn fail(&mut self, ticket: Ticket);

    /// Returns the runs over many keys; `None` where the dialog has none.
    fn bulk(&self) -> Option<&BulkRun> {
        None
    }

    /// Returns the runs over many keys, to be changed.
    fn bulk_mut(&mut self) -> Option<&mut BulkRun> {
        None
    }

    /// Returns the job that changes a cluster and can be stopped; `None` where the dialog has no such job.
    fn run(&self) -> Option<&Run> {
        self.bulk().map(|bulk| &bulk.run)
    }

    /// Returns the job that changes a cluster and can be stopped, to be changed.
    fn run_mut(&mut self) -> Option<&mut Run> {
        self.bulk_mut().map(|bulk| &mut bulk.run)
    }

    /// Takes in the progress of the running operation.
    fn progress(&mut self, _progress: BulkProgress) {}

    /// Forgets the state of a run whose outcome was taken in.
    fn settle(&mut self) {}

    /// Returns `true` if keys that are done no longer work.
    fn ends_keys(&self) -> bool {
        false
    }

    /// Returns the outcome of each key, to be written to a file; `None` as long as there are none.
    fn outcomes(&self) -> Option<Outcomes> {
        None
    }

    /// Returns the written file of outcomes or keys.
    fn exported_mut(&mut self) -> Option<&mut Loadable<Exported>> {
        self.bulk_mut().map(|bulk| &mut bulk.exported)
    }

    /// Takes the tickets of requests that are stopped when the dialog closes.
    fn take_requests(&mut self) -> Vec<Ticket>;
}

/// A dialog of one kind.
pub trait OneDialog: DialogContent + Sized {
    /// Kind of the dialog.
    const KIND: DialogKind;

    /// Returns the content of a dialog of this kind.
    fn of(dialog: &Dialog) -> Option<&Self>;

    /// Returns the content of a dialog of this kind, to be changed.
    fn of_mut(dialog: &mut Dialog) -> Option<&mut Self>;

    /// Takes the content of a dialog of this kind; any other dialog is returned as the error.
    ///
    /// # Errors
    /// Returns the dialog if it is of another kind.
    fn take(dialog: Dialog) -> Result<Self, Dialog>;

    /// Wraps the content.
    fn wrap(self) -> Dialog;
}

/// Declares the kinds of dialogs, and the commands within a dialog with the method that acts on them: each new one is
/// a line here.
macro_rules! dialogs {
    ($($(#[$doc:meta])* $kind:ident($content:ty) $(by $step:ty => $act:path)?,)*) => {
        /// A command within a dialog.
        #[derive(Debug)]
        pub enum DialogStep {
            $($(
                /// A step of this dialog.
                $kind($step),
            )?)*
        }

        $($(impl From<$step> for Command {
            fn from(step: $step) -> Self {
                Command::Dialog(DialogStep::$kind(step))
            }
        })?)*

        impl DialogStep {
            /// Returns the kind of the dialog.
            pub fn kind(&self) -> DialogKind {
                match self {
                    $($(Self::$kind(step) => {
                        let _: &$step = step;
                        DialogKind::$kind
                    })?)*
                }
            }

            /// Returns `true` if the step sends changes of keys.
            pub fn changes_keys(&self) -> bool {
                match self {
                    $($(Self::$kind(step) => {
                        let step: &$step = step;
                        step.changes_keys()
                    })?)*
                }
            }
        }

        impl State {
            /// Acts on a command within a dialog.
            pub(super) fn dialog_step(&mut self, step: DialogStep) {
                match step {
                    $($(DialogStep::$kind(step) => {
                        let act: fn(&mut Self, $step) = $act;
                        act(self, step);
                    })?)*
                }
            }
        }

        /// A dialog above the screens.
        pub enum Dialog {
            $($(#[$doc])* $kind(Box<$content>),)*
        }

        /// Kind of a dialog.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DialogKind {
            $($(#[$doc])* $kind,)*
        }

        impl DialogKind {
            /// All kinds of dialogs.
            pub const ALL: [Self; [$(stringify!($kind)),*].len()] = [$(Self::$kind),*];
        }

        impl Dialog {
            /// Returns the kind of the dialog.
            pub fn kind(&self) -> DialogKind {
                match self {
                    $(Self::$kind(_) => DialogKind::$kind,)*
                }
            }

            fn content(&self) -> &dyn DialogContent {
                match self {
                    $(Self::$kind(content) => &**content,)*
                }
            }

            fn content_mut(&mut self) -> &mut dyn DialogContent {
                match self {
                    $(Self::$kind(content) => &mut **content,)*
                }
            }
        }

        $(impl OneDialog for $content {
            const KIND: DialogKind = DialogKind::$kind;

            fn of(dialog: &Dialog) -> Option<&Self> {
                if let Dialog::$kind(content) = dialog { Some(content) } else { None }
            }

            fn of_mut(dialog: &mut Dialog) -> Option<&mut Self> {
                if let Dialog::$kind(content) = dialog { Some(content) } else { None }
            }

            fn take(dialog: Dialog) -> Result<Self, Dialog> {
                if let Dialog::$kind(content) = dialog { Ok(*content) } else { Err(dialog) }
            }

            fn wrap(self) -> Dialog {
                Dialog::$kind(Box::new(self))
            }
        })*
    };
}

dialogs! {
    /// Invalidating keys.
    Invalidate(Invalidation) by InvalidateStep => State::invalidate_step,
    /// Updating keys.
    Update(Updating) by UpdateStep => State::update_step,
    /// Rotating keys.
    Rotate(Rotating) by RotationStep => State::rotate_step,
    /// Copying a key.
    Clone(Cloning),
    /// Checking a secret.
    CheckSecret(SecretCheck),
    /// Exporting keys.
    Export(ExportDialog),
    /// Exporting operations of the journal.
    ExportJournal(JournalExport),
    /// A new checkpoint of the journal.
    Checkpoint(JournalCheckpoint),
    /// Importing connections.
    Import(Importing) by ImportStep => State::import_step,
    /// Exporting connections.
    Share(Sharing) by ShareStep => State::share_step,
}

/// The open dialogs, one of each kind at most. The last one lies in front of the others.
#[derive(Default)]
pub struct OpenDialogs(Vec<Dialog>);

impl OpenDialogs {
    /// Returns the dialog of a kind.
    pub fn get<D: OneDialog>(&self) -> Option<&D> {
        self.0.iter().find_map(D::of)
    }

    /// Returns the dialog of a kind, to be changed.
    pub(crate) fn get_mut<D: OneDialog>(&mut self) -> Option<&mut D> {
        self.0.iter_mut().find_map(D::of_mut)
    }

    /// Returns `true` if a dialog of this kind is open.
    pub fn is_open(&self, kind: DialogKind) -> bool {
        self.0.iter().any(|dialog| dialog.kind() == kind)
    }

    /// Opens a dialog in front of the others; it replaces one of the same kind.
    pub(crate) fn open(&mut self, dialog: impl OneDialog) {
        let dialog = dialog.wrap();
        self.0.retain(|open| open.kind() != dialog.kind());
        self.0.push(dialog);
    }

    /// Takes the dialog of a kind away.
    pub(crate) fn take<D: OneDialog>(&mut self) -> Option<D> {
        let position = self.0.iter().position(|open| open.kind() == D::KIND)?;
        D::take(self.0.remove(position)).ok()
    }

    /// Returns the kind of the dialog in front.
    pub fn front(&self) -> Option<DialogKind> {
        self.0.last().map(Dialog::kind)
    }

    /// Returns the connection that the dialog of a kind is about; `None` if it is not open, or about no single one.
    pub(super) fn profile_of(&self, kind: DialogKind) -> Option<&Profile> {
        self.of_kind(kind).and_then(DialogContent::profile)
    }

    fn of_kind(&self, kind: DialogKind) -> Option<&dyn DialogContent> {
        self.0.iter().find(|open| open.kind() == kind).map(Dialog::content)
    }

    fn of_kind_mut(&mut self, kind: DialogKind) -> Option<&mut dyn DialogContent> {
        self.0.iter_mut().find(|open| open.kind() == kind).map(Dialog::content_mut)
    }

    /// Returns the reason why the window can't be closed now, given by the first dialog that has one.
    pub(super) fn blocks_closing(&self) -> Option<&'static str> {
        self.0.iter().find_map(|dialog| dialog.content().blocks_closing())
    }

    /// Returns the number of keys of each operation that failed or whose outcome is not known.
    pub(super) fn failures(&self) -> impl Iterator<Item = usize> {
        let outcomes = self.0.iter().filter_map(|dialog| dialog.content().bulk()?.outcome.as_ref());
        outcomes.map(|outcome| outcome.failed.len())
    }

    pub(super) fn exported(&mut self, kind: DialogKind, ticket: Ticket, result: Result<Exported, Problem>) {
        if let Some(exported) = self.of_kind_mut(kind).and_then(DialogContent::exported_mut) {
            exported.answer(ticket, result);
        }
    }
}

/// Question in front of everything else, which has to be answered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// The question for the name of a protected connection.
    Name,
    /// The question for the credential of a connection.
    Credential,
    /// A dialog.
    Dialog(DialogKind),
    /// The card with the secret of a new key.
    SecretCard,
    /// The question about a connection that is not saved.
    UnsavedConnection,
    /// The palette or the list of shortcuts.
    Overlay(Overlay),
}

impl State {
    /// Returns the question in front; `None` if a screen can be used. A secret that arrives during an invalidation waits
    /// until that is over, and comes before every other dialog.
    pub fn front(&self) -> Option<Front> {
        if self.name_question.is_some() {
            return Some(Front::Name);
        }
        if self.credential_question().is_some() {
            return Some(Front::Credential);
        }
        let dialog = self.dialogs.front();
        if dialog == Some(DialogKind::Invalidate) {
            return dialog.map(Front::Dialog);
        }
        let card = self.reveal.as_ref().map(|_| Front::SecretCard);
        let question = || self.unsaved_asked().map(|_| Front::UnsavedConnection);
        let overlay = || self.overlays.open.map(Front::Overlay);
        card.or_else(question).or_else(|| dialog.map(Front::Dialog)).or_else(overlay)
    }

    /// Returns `true` if the secret of a key may be on the screen: on its card, or in a dialog that takes one.
    pub fn may_show_secret(&self) -> bool {
        let takes_one = [DialogKind::Clone, DialogKind::CheckSecret, DialogKind::Rotate, DialogKind::Import];
        self.reveal.is_some()
            || self.credential_question().is_some()
            || takes_one.into_iter().any(|kind| self.dialogs.is_open(kind))
    }

    /// Returns `true` if a question is in front of the screens and blocks them.
    pub fn has_dialog(&self) -> bool {
        self.front().is_some()
    }

    /// Closes the dialog of this kind and stops what it reads. It stays open while it is changing a cluster, because
    /// that can't be taken back.
    pub(crate) fn close_dialog(&mut self, kind: DialogKind) {
        let Some(dialog) = self.dialogs.of_kind_mut(kind).filter(|dialog| dialog.blocks_closing().is_none()) else {
            return;
        };
        let requests = dialog.take_requests();
        self.dialogs.0.retain(|open| open.kind() != kind);
        requests.into_iter().for_each(|ticket| self.stop(ticket));
    }

    /// Stops the job of a dialog: no further request is sent.
    pub(crate) fn stop_run(&mut self, kind: DialogKind) {
        let run = self.dialogs.of_kind_mut(kind).and_then(DialogContent::run_mut);
        if let Some(ticket) = run.and_then(Run::ask_to_stop) {
            self.stop(ticket);
        }
    }

    /// Fails what a dialog waits for. What a broken job may have changed is read again.
    pub(super) fn fail_dialog(&mut self, kind: DialogKind, ticket: Ticket) {
        let Some(dialog) = self.dialogs.of_kind_mut(kind) else { return };
        let changed = dialog.changes().map(|profile| profile.id.clone());
        dialog.fail(ticket);
        if let Some(id) = changed.filter(|_| dialog.changes().is_none()) {
            self.after_rotating(&id);
        }
    }
}
