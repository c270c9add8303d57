//! The journal of this machine as the window shows it: its verification, its operations, and the history of the key
//! whose page is open.

use std::path::PathBuf;

use super::{
    Loadable, Screen, State,
    dialogs::{DialogContent, DialogKind},
    pending::Waiting,
};
use crate::{
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{
            operation::{self, Operation},
            ssh_signature::SshKey,
        },
        text::sanitize,
        time::calendar,
    },
    ops::{
        Fix, Problem,
        journal::{
            checkpoint::Made,
            reader::{Export, History, JournalFormat, JournalLog, Verification},
        },
    },
    store::journal::Warning,
    worker::{Task, Ticket},
};

/// Maximum number of operations on the page of a key.
pub const OF_A_KEY: usize = 20;

/// Number of milliseconds of a day.
const DAY: i64 = 86_400_000;

fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY)
}

/// Filter of the journal screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalView {
    /// Search text, all words of which have to occur.
    pub search: String,
    /// Address of the only cluster to show; `None` shows all clusters.
    pub address: Option<String>,
}

/// A cluster that occurs in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Address of the cluster.
    pub address: String,
    /// Name of the cluster in its newest operation.
    pub name: String,
    /// Number of operations on the cluster.
    pub operations: usize,
}

/// The journal export dialog.
#[derive(Debug)]
pub struct JournalExport {
    /// Suggested file name, without extension.
    pub name: String,
    /// Number of operations written to the file.
    pub done: Loadable<u64>,
    /// Path of the file; empty before an export was started.
    pub path: PathBuf,
}

/// The dialog with a new checkpoint.
#[derive(Debug, Default)]
pub struct JournalCheckpoint {
    /// Keys of the ssh-agent that can sign it.
    pub signers: Loadable<Vec<SshKey>>,
    /// The checkpoint.
    pub made: Loadable<Made>,
}

impl DialogContent for JournalCheckpoint {
    fn fail(&mut self, ticket: Ticket) {
        self.signers.answer(ticket, Err(Problem::broken()));
        self.made.answer(ticket, Err(Problem::broken()));
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.signers.give_up().into_iter().chain(self.made.give_up()).collect()
    }
}

/// State of the journal screen.
#[derive(Debug, Default)]
pub struct Journal {
    /// Result of the last verification.
    pub standing: Loadable<Verification>,
    /// All operations that were read.
    pub record: Loadable<JournalLog>,
    /// Filter of the screen.
    pub view: JournalView,
    /// Indexes of the operations that match the filter, newest first.
    pub rows: Vec<u32>,
    /// `true` if a shown operation has a verb of several words, as one on a cross-cluster key has.
    pub has_long_verbs: bool,
    /// Clusters that occur in the journal, most frequent first.
    pub clusters: Vec<Named>,
    /// Index of the operation whose page is open.
    pub open: Option<usize>,
    is_fault_read: bool,
    /// Day (UTC) in which the journal was verified last, in days since 1970; `None` before the first time.
    day: Option<i64>,
    /// The newest warning about writing the journal and the number of warnings; shown until it is dismissed.
    warning: Option<(String, u64)>,
    history_of: Option<KeyId>,
    history_is_old: bool,
    history: Loadable<History>,
}

impl DialogContent for JournalExport {
    fn fail(&mut self, ticket: Ticket) {
        self.done.answer(ticket, Err(Problem::broken()));
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.done.give_up().into_iter().collect()
    }
}

impl Journal {
    /// Fails what waits for a job that panicked.
    pub(super) fn fail(&mut self, ticket: Ticket) {
        let broken = || Problem::broken().fix(Fix::Retry);
        self.standing.answer(ticket, Err(broken()));
        self.record.answer(ticket, Err(broken()));
        self.history.answer(ticket, Err(broken()));
    }

    /// Returns all operations, newest first.
    pub fn operations(&self) -> &[Operation] {
        self.record.value().map_or(&[], |record| &record.operations)
    }

    /// Returns the operation whose page is open.
    pub fn open_operation(&self) -> Option<&Operation> {
        self.operations().get(self.open?)
    }

    /// Returns what every screen has to show about the journal until it is dismissed, as a title and a detail.
    pub fn fault(&self) -> Option<(String, String)> {
        if let Some((warning, number)) = &self.warning {
            let title = match number {
                0 | 1 => "The journal needs attention".to_owned(),
                more => format!("The journal needs attention ({more} warnings, this is the last)"),
            };
            return Some((title, warning.clone()));
        }
        if self.is_fault_read {
            return None;
        }
        if let Some(problem) = self.standing.problem() {
            return Some((problem.title.clone(), format!("{}. {}", problem.detail, problem.hint)));
        }
        let words = self.standing.value().and_then(Verification::fault_words)?;
        Some(("The journal failed verification".into(), words))
    }

    /// Adds a number of warnings, of which this is the newest.
    pub(super) fn warn(&mut self, warning: &Warning, number: u64) {
        let before = self.warning.as_ref().map_or(0, |(_, number)| *number);
        self.warning = Some((sanitize::shown(&warning.to_string()).into_owned(), before.saturating_add(number)));
    }

    pub(super) fn dismiss_fault(&mut self) {
        // A warning hides the fault below it, which is dismissed by itself.
        if self.warning.take().is_none() {
            self.is_fault_read = true;
        }
    }

    /// Returns the history of a key, if that key's history was the last one requested.
    pub fn history(&self, key: &KeyId) -> Option<&Loadable<History>> {
        (self.history_of.as_ref() == Some(key)).then_some(&self.history)
    }

    /// Marks the history of the open key as outdated after an operation, so that it is read again.
    pub(super) fn renew_history(&mut self) {
        self.history_is_old = true;
    }

    pub(super) fn set_view(&mut self, view: JournalView) {
        if self.view != view {
            self.view = view;
            self.make_rows();
        }
    }

    fn make_rows(&mut self) {
        let words = operation::words(&self.view.search);
        let address = self.view.address.as_deref();
        let fits = |shown_operation: &Operation| {
            address.is_none_or(|address| shown_operation.address == address) && shown_operation.fits(&words)
        };
        let rows = self.operations().iter().enumerate().filter(|(_, shown_operation)| fits(shown_operation));
        let rows: Vec<u32> = rows.map(|(place, _)| place as u32).collect();
        self.has_long_verbs = rows.iter().any(|row| self.operations()[*row as usize].verb().contains(' '));
        self.rows = rows;
    }

    fn take(&mut self) {
        let mut clusters: Vec<Named> = Vec::new();
        for operation in self.operations() {
            match clusters.iter_mut().find(|known| known.address == operation.address) {
                Some(known) => known.operations += 1,
                None => clusters.push(Named {
                    address: operation.address.clone(),
                    name: operation.cluster.clone(),
                    operations: 1,
                }),
            }
        }
        clusters.sort_by(|a, b| b.operations.cmp(&a.operations).then_with(|| a.address.cmp(&b.address)));
        if !clusters.iter().any(|cluster| Some(&cluster.address) == self.view.address.as_ref()) {
            self.view.address = None;
        }
        self.clusters = clusters;
        self.make_rows();
    }
}

impl State {
    /// Verifies the journal, and has a checkpoint signed if one is due. To be called once, at startup.
    pub fn check_journal(&mut self) {
        let ticket = self.submit(Task::CheckJournal(self.now), Waiting::Journal);
        self.journal.standing.ask(ticket);
        self.journal.day = Some(day_of(self.now));
    }

    /// Returns the end of the day (UTC) in which the journal was verified last: then a checkpoint is due. `None` while the
    /// window is locked, because unlocking verifies it, too.
    pub(super) fn day_ends_at(&self) -> Option<Timestamp> {
        let day = self.journal.day.filter(|_| self.lock.is_none())?;
        Some(Timestamp::from_millis(day.saturating_add(1).saturating_mul(DAY)))
    }

    /// Verifies the journal if a day has ended since the last time.
    pub(super) fn check_journal_daily(&mut self) {
        if self.day_ends_at().is_some_and(|end| end <= self.now) {
            self.check_journal();
        }
    }

    pub(super) fn read_journal(&mut self) {
        let ticket = self.submit(Task::ReadJournal, Waiting::Journal);
        self.journal.record.ask(ticket);
    }

    pub(super) fn journal_checked(&mut self, ticket: Ticket, result: Result<Verification, Problem>) {
        // What was read and dismissed is not what is found now.
        let known = self.journal.standing.value();
        let is_known = |new: &Verification| known.is_some_and(|known| known.faults == new.faults);
        self.journal.is_fault_read &= result.as_ref().is_ok_and(is_known);
        self.journal.standing.answer(ticket, result);
    }

    pub(super) fn journal_read(&mut self, ticket: Ticket, result: Result<JournalLog, Problem>) {
        let standing = result.as_ref().ok().map(|record| record.standing.clone());
        // What is open stays open when newer deeds have come before it.
        let open = self.journal.open_operation().map(|operation| operation.entries.first().copied());
        if !self.journal.record.answer(ticket, result.map_err(|problem| problem.fix(Fix::Retry))) {
            return;
        }
        if let Some(standing) = standing {
            let known = self.journal.standing.value();
            self.journal.is_fault_read &= known.is_some_and(|known| known.faults == standing.faults);
            self.journal.standing.ask(ticket);
            self.journal.standing.answer(ticket, Ok(standing));
        }
        self.journal.open = open.and_then(|first| {
            self.journal.operations().iter().position(|operation| operation.entries.first().copied() == first)
        });
        self.journal.take();
    }

    /// Reads the history of the key whose page is open, once for each key.
    pub(super) fn follow_open_key(&mut self) {
        let Some(key) =
            self.cluster().and_then(|cluster| cluster.open.as_ref()).filter(|_| self.screen == Screen::Keys)
        else {
            return;
        };
        let is_same = self.journal.history_of.as_ref() == Some(key);
        if is_same && !self.journal.history_is_old {
            return;
        }
        let key = key.clone();
        let Some(session) = self.home(&key).and_then(|home| home.session.value()) else { return };
        let task = Task::History(session.journal.clone(), key.clone(), OF_A_KEY);
        let ticket = self.submit(task, Waiting::Journal);
        if !is_same {
            self.journal.history = Loadable::default();
        }
        self.journal.history_of = Some(key);
        self.journal.history_is_old = false;
        self.journal.history.ask(ticket);
    }

    pub(super) fn history(&mut self, ticket: Ticket, result: Result<History, Problem>) {
        self.journal.history.answer(ticket, result);
    }

    pub(super) fn ask_journal_export(&mut self) {
        let day = calendar::rfc3339(self.now);
        let name = format!("journal-{}", day.get(..10).unwrap_or_default());
        self.dialogs.open(JournalExport { name, done: Loadable::default(), path: PathBuf::new() });
    }

    pub(super) fn ask_checkpoint(&mut self) {
        let ticket = self.submit(Task::ListSigners, Waiting::Dialog(DialogKind::Checkpoint));
        let mut dialog = JournalCheckpoint::default();
        dialog.signers.ask(ticket);
        self.dialogs.open(dialog);
    }

    pub(super) fn signers(&mut self, ticket: Ticket, result: Result<Vec<SshKey>, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<JournalCheckpoint>() {
            dialog.signers.answer(ticket, result);
        }
    }

    pub(super) fn make_checkpoint(&mut self, key: Option<Box<SshKey>>) {
        if self.dialogs.get::<JournalCheckpoint>().is_none_or(|dialog| dialog.made.is_loading()) {
            return;
        }
        let ticket = self.submit(Task::MakeCheckpoint(key), Waiting::Dialog(DialogKind::Checkpoint));
        if let Some(dialog) = self.dialogs.get_mut::<JournalCheckpoint>() {
            dialog.made.ask(ticket);
        }
    }

    pub(super) fn checkpoint_made(&mut self, ticket: Ticket, result: Result<Made, Problem>) {
        let is_made = result.is_ok();
        if let Some(dialog) = self.dialogs.get_mut::<JournalCheckpoint>() {
            dialog.made.answer(ticket, result);
        }
        if is_made {
            // What is said of the journal now includes it.
            self.read_journal();
        }
    }

    pub(super) fn export_journal(&mut self, form: JournalFormat, path: PathBuf) {
        let operations = self.journal.operations();
        let operations =
            self.journal.rows.iter().filter_map(|place| operations.get(*place as usize)).cloned().collect();
        let export = Export { operations, form, path: path.clone() };
        let task = Task::ExportJournal(Box::new(export));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::ExportJournal));
        if let Some(dialog) = self.dialogs.get_mut::<JournalExport>() {
            dialog.path = path;
            dialog.done.ask(ticket);
        }
    }

    pub(super) fn journal_exported(&mut self, ticket: Ticket, result: Result<u64, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<JournalExport>() {
            dialog.done.answer(ticket, result);
        }
    }
}
