//! The journal of this machine as the window shows it: whether it is whole, what was done, and what was done to
//! the key whose page is open.

use std::path::PathBuf;

use super::{Loadable, Screen, State};
use crate::{
    model::{
        api_key::KeyId,
        journal::operation::{self, Operation},
        text::sanitize,
        time::calendar,
    },
    ops::{
        Fix, Problem,
        journal::reader::{Export, History, JournalFormat, JournalLog, Verification},
    },
    store::journal::Warning,
    worker::{Task, Ticket},
};

/// How many deeds the page of a key shows at most.
pub const OF_A_KEY: usize = 20;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalView {
    /// Words that all must be there.
    pub search: String,
    /// Only what was done on the cluster of this address.
    pub address: Option<String>,
}

/// A cluster that the journal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its address.
    pub address: String,
    /// Its name, as it was last written.
    pub name: String,
    /// How many deeds.
    pub operations: usize,
}

/// The dialog of exporting.
#[derive(Debug)]
pub struct JournalExport {
    /// The name that a file would get by itself.
    pub name: String,
    /// How many deeds are in the file that was made, or why there is none.
    pub done: Loadable<u64>,
    /// Where that is.
    pub path: PathBuf,
}

/// What is known of the journal.
#[derive(Debug, Default)]
pub struct Journal {
    /// The last check.
    pub standing: Loadable<Verification>,
    /// All that was done.
    pub record: Loadable<JournalLog>,
    /// What is looked for.
    pub view: JournalView,
    /// The places of the deeds that fit, the newest first.
    pub rows: Vec<u32>,
    /// Whether one of them is about a key for another cluster, whose words are long.
    pub has_long_verbs: bool,
    /// The clusters that it names, the most frequent first.
    pub clusters: Vec<Named>,
    /// The place of the deed whose page is open.
    pub open: Option<usize>,
    /// The dialog of exporting.
    pub export: Option<JournalExport>,
    is_fault_read: bool,
    /// The last warning that came while something was written, and how many there were; shown until it is dismissed.
    warning: Option<(String, u64)>,
    history_of: Option<KeyId>,
    history_is_old: bool,
    history: Loadable<History>,
}

impl Journal {
    /// All deeds, the newest first.
    pub fn operations(&self) -> &[Operation] {
        self.record.value().map_or(&[], |record| &record.operations)
    }

    /// The deed whose page is open.
    pub fn open_operation(&self) -> Option<&Operation> {
        self.operations().get(self.open?)
    }

    /// What must be said of it on every screen, until it was read: in a few words, and at length.
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
        Some(("The journal is not as it was written".into(), words))
    }

    /// Takes the newest of a number of warnings.
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

    /// What was done to a key, if that is what was asked for last.
    pub fn history(&self, key: &KeyId) -> Option<&Loadable<History>> {
        (self.history_of.as_ref() == Some(key)).then_some(&self.history)
    }

    /// Something was done: what is shown of the open key is read again.
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
    /// Checks the journal. To be called once, at the start.
    pub fn check_journal(&mut self) {
        let ticket = self.submit(Task::CheckJournal);
        self.journal.standing.ask(ticket);
    }

    pub(super) fn read_journal(&mut self) {
        let ticket = self.submit(Task::ReadJournal);
        self.journal.record.ask(ticket);
    }

    pub(super) fn journal_checked(&mut self, ticket: Ticket, result: Result<Verification, Problem>) {
        let now = self.now;
        self.journal.standing.answer(ticket, result, now);
    }

    pub(super) fn journal_read(&mut self, ticket: Ticket, result: Result<JournalLog, Problem>) {
        let now = self.now;
        let standing = result.as_ref().ok().map(|record| record.standing.clone());
        // What is open stays open when newer deeds have come before it.
        let open = self.journal.open_operation().map(|operation| operation.entries.first().copied());
        if !self.journal.record.answer(ticket, result.map_err(|problem| problem.fix(Fix::Retry)), now) {
            return;
        }
        if let Some(standing) = standing {
            let known = self.journal.standing.value();
            self.journal.is_fault_read &= known.is_some_and(|known| known.faults == standing.faults);
            self.journal.standing.ask(ticket);
            self.journal.standing.answer(ticket, Ok(standing), now);
        }
        self.journal.open = open.and_then(|first| {
            self.journal.operations().iter().position(|operation| operation.entries.first().copied() == first)
        });
        self.journal.take();
    }

    /// Reads what was done to the key whose page is open, once for each.
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
        let ticket = self.submit(task);
        if !is_same {
            self.journal.history = Loadable::default();
        }
        self.journal.history_of = Some(key);
        self.journal.history_is_old = false;
        self.journal.history.ask(ticket);
    }

    pub(super) fn history(&mut self, ticket: Ticket, result: Result<History, Problem>) {
        let now = self.now;
        self.journal.history.answer(ticket, result, now);
    }

    pub(super) fn ask_journal_export(&mut self, on: bool) {
        let running = self.journal.export.as_ref().and_then(|export| export.done.question());
        if let Some(ticket) = running {
            self.submit(Task::Stop(ticket));
        }
        let day = calendar::rfc3339(self.now);
        let name = format!("journal-{}", day.get(..10).unwrap_or_default());
        self.journal.export = on.then(|| JournalExport { name, done: Loadable::default(), path: PathBuf::new() });
    }

    pub(super) fn export_journal(&mut self, form: JournalFormat, path: PathBuf) {
        let operations = self.journal.operations();
        let operations =
            self.journal.rows.iter().filter_map(|place| operations.get(*place as usize)).cloned().collect();
        let export = Export { operations, form, path: path.clone() };
        let ticket = self.submit(Task::ExportJournal(Box::new(export)));
        if let Some(dialog) = &mut self.journal.export {
            dialog.path = path;
            dialog.done.ask(ticket);
        }
    }

    pub(super) fn journal_exported(&mut self, ticket: Ticket, result: Result<u64, Problem>) {
        let now = self.now;
        if let Some(dialog) = &mut self.journal.export {
            dialog.done.answer(ticket, result, now);
        }
    }

    pub(super) fn journal_broken(&mut self, ticket: Ticket) {
        let now = self.now;
        let broken = || Problem::broken().fix(Fix::Retry);
        self.journal.standing.answer(ticket, Err(broken()), now);
        self.journal.record.answer(ticket, Err(broken()), now);
        self.journal.history.answer(ticket, Err(broken()), now);
        self.journal_exported(ticket, Err(Problem::broken()));
    }
}
