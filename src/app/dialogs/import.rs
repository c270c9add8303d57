//! The dialogs of importing connections, and of exporting them for other people.

use std::path::PathBuf;

use crate::{
    app::{
        Loadable, Screen, State,
        dialogs::{DialogContent, DialogKind},
        pending::Waiting,
    },
    model::{
        connections::{
            draft::ProfileDraft,
            import::Proposal,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
        text::number::plural,
    },
    ops::{
        Problem,
        connections::{
            import::{Chosen, Saved},
            share::SharedProfiles,
        },
    },
    worker::{Task, Ticket},
};

/// The import dialog. What was read is taken over by its form, which may hold proposals of earlier readings.
#[derive(Default)]
pub struct Importing {
    /// Proposals that were read last, until the form has taken them.
    pub read: Loadable<Vec<Proposal>>,
    /// Connections that were saved last, until the form has taken note of it.
    pub saved: Loadable<Saved>,
}

/// A step of importing connections.
#[derive(Debug)]
pub enum ImportStep {
    /// Open the dialog, or show it again with what is left in it.
    Ask,
    /// Read files that belong together.
    Files(Vec<PathBuf>),
    /// Read a text that was pasted.
    Text(Secret),
    /// The form has taken what was read, or noted what was saved.
    Taken,
    /// Save connections.
    Save(Vec<Chosen>),
    /// Put a proposal into the form of a connection; this many are left for later.
    Edit(Box<ProfileDraft>, usize),
    /// The form of a connection has taken the proposal.
    Filled,
}

impl ImportStep {
    /// Returns `false`: no step changes keys.
    pub(super) fn changes_keys(&self) -> bool {
        false
    }
}

impl DialogContent for Importing {
    fn blocks_closing(&self) -> Option<&'static str> {
        self.saved.is_loading().then_some("Connections are being saved: respond to the keyring’s prompt, or wait")
    }

    fn fail(&mut self, ticket: Ticket) {
        self.read.answer(ticket, Err(Problem::broken()));
        self.saved.answer(ticket, Err(Problem::broken()));
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.read.give_up().into_iter().collect()
    }
}

impl State {
    /// Acts on a step of importing connections.
    pub(crate) fn import_step(&mut self, step: ImportStep) {
        match step {
            ImportStep::Ask => {
                self.left_to_import = 0;
                self.show(Screen::Connections);
                self.dialogs.open(Importing::default());
            }
            ImportStep::Files(paths) => self.read_import(Task::ReadImport(paths)),
            ImportStep::Text(text) => self.read_import(Task::ReadImportText(text)),
            ImportStep::Taken => {
                let Some(dialog) = self.dialogs.get_mut::<Importing>() else { return };
                if !dialog.read.is_loading() && dialog.read.value().is_some() {
                    dialog.read = Loadable::default();
                }
                if let Some(saved) = dialog.saved.value().filter(|_| !dialog.saved.is_loading()) {
                    let (count, is_whole) = (saved.names.len() as u64, saved.failed.is_empty());
                    dialog.saved = Loadable::default();
                    if is_whole {
                        self.close_dialog(DialogKind::Import);
                        self.notice(format!("{} saved", plural(count, "connection")));
                    }
                }
            }
            ImportStep::Save(chosen) => {
                let ticket = self.submit(Task::SaveImported(chosen), Waiting::Dialog(DialogKind::Import));
                if let Some(dialog) = self.dialogs.get_mut::<Importing>() {
                    dialog.saved.ask(ticket);
                }
            }
            ImportStep::Edit(draft, left) => {
                self.close_dialog(DialogKind::Import);
                self.left_to_import = left;
                self.edit_profile(None);
                self.to_fill = Some(draft);
                self.show(Screen::Connections);
            }
            ImportStep::Filled => self.to_fill = None,
        }
    }

    fn read_import(&mut self, task: Task) {
        if !self.dialogs.is_open(DialogKind::Import) {
            self.import_step(ImportStep::Ask);
        }
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Import));
        if let Some(dialog) = self.dialogs.get_mut::<Importing>() {
            let before = dialog.read.give_up();
            dialog.read.ask(ticket);
            before.into_iter().for_each(|ticket| self.stop(ticket));
        }
    }

    pub(crate) fn import_read(&mut self, ticket: Ticket, result: Result<Vec<Proposal>, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<Importing>() {
            dialog.read.answer(ticket, result);
        }
    }

    pub(crate) fn import_saved(&mut self, ticket: Ticket, result: Result<Saved, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<Importing>() {
            dialog.saved.answer(ticket, result);
        }
        self.read_profiles(Task::ReadProfiles);
        self.resume_closing();
    }

    /// Returns the number of proposals that the import dialog holds while one of them is edited.
    pub fn left_to_import(&self) -> usize {
        self.left_to_import
    }

    /// Returns a proposal that the form of a connection should take.
    pub fn to_fill(&self) -> Option<&ProfileDraft> {
        self.to_fill.as_deref()
    }
}

/// The dialog of exporting connections without their secrets.
#[derive(Default)]
pub struct Sharing {
    /// The finished export, or why there is none.
    pub done: Loadable<SharedProfiles>,
    /// Path that it is written to.
    pub path: PathBuf,
}

/// A step of exporting connections.
#[derive(Debug)]
pub enum ShareStep {
    /// Open the dialog.
    Ask,
    /// Write these connections to a new file.
    Write(Vec<ProfileId>, PathBuf),
}

impl ShareStep {
    /// Returns `false`: no step changes keys.
    pub(super) fn changes_keys(&self) -> bool {
        false
    }
}

impl DialogContent for Sharing {
    fn fail(&mut self, ticket: Ticket) {
        self.done.answer(ticket, Err(Problem::broken()));
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.done.give_up().into_iter().collect()
    }
}

impl State {
    /// Acts on a step of exporting connections.
    pub(crate) fn share_step(&mut self, step: ShareStep) {
        match step {
            ShareStep::Ask => self.dialogs.open(Sharing::default()),
            ShareStep::Write(ids, path) => {
                let profiles: Vec<Profile> = self.shareable().filter(|own| ids.contains(&own.id)).cloned().collect();
                let task = Task::ShareProfiles(profiles, path.clone());
                let ticket = self.submit(task, Waiting::Dialog(DialogKind::Share));
                if let Some(dialog) = self.dialogs.get_mut::<Sharing>() {
                    dialog.path = path;
                    dialog.done.ask(ticket);
                }
            }
        }
    }

    /// Returns the saved connections that can be exported: all but that to the practice cluster.
    pub fn shareable(&self) -> impl Iterator<Item = &Profile> {
        let known = self.profiles.value().map(|read| read.profiles.as_slice()).unwrap_or_default();
        known.iter().filter(|profile| profile.environment != Environment::Sandbox)
    }

    pub(crate) fn shared(&mut self, ticket: Ticket, result: Result<SharedProfiles, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<Sharing>() {
            dialog.done.answer(ticket, result);
        }
        self.resume_closing();
    }
}
