//! The run of an operation on many keys: progress, stopping, outcome, and the file of outcomes. Invalidating and updating
//! have a `BulkRun`; a rotation has a `Run`, because its keys go one by one.

use std::{path::PathBuf, sync::Arc};

use crate::{
    app::{
        Loadable, State,
        dialogs::{DialogContent, DialogKind},
        pending::Waiting,
    },
    export::Format,
    model::{api_key::KeyId, connections::profile::ProfileId, failure::Failure},
    ops::{
        Outcome,
        bulk::BulkProgress,
        keys::{export::Exported, key_set::KeySet, list::KeyList},
        outcome_report::{self, KeyOutcome, KeyOutcomeRow, OutcomeReport},
    },
    worker::{Task, Ticket},
};

/// Number of keys from which on the confirmation has to be typed, inclusive.
pub const TYPED_FROM: usize = 10;

/// Returns the text that has to be typed to confirm an operation on this number of keys; `None` below [`TYPED_FROM`].
pub fn text_to_type(verb: &str, count: usize) -> Option<String> {
    (count >= TYPED_FROM).then(|| format!("{verb} {count}"))
}

/// A job that changes a cluster and can be stopped.
#[derive(Debug, Default)]
pub struct Run {
    /// `true` if the user asked to stop.
    pub stopping: bool,
    ticket: Option<Ticket>,
}

impl Run {
    /// Returns `true` while the job is running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns `true` if this is the ticket of the running job.
    pub(crate) fn is(&self, ticket: Ticket) -> bool {
        self.ticket == Some(ticket)
    }

    pub(crate) fn begin(&mut self, ticket: Ticket) {
        *self = Self { ticket: Some(ticket), stopping: false };
    }

    /// Ends the job with this ticket. Returns `false` if another one or none is running.
    pub(crate) fn end(&mut self, ticket: Ticket) -> bool {
        let is_own = self.is(ticket);
        if is_own {
            *self = Self::default();
        }
        is_own
    }

    /// Notes that the user asked to stop, and returns the ticket of the job to stop.
    pub(super) fn ask_to_stop(&mut self) -> Option<Ticket> {
        self.stopping |= self.is_running();
        self.ticket
    }
}

/// The runs of one operation on many keys: the first, and those that tried some of the keys again.
#[derive(Default)]
pub struct BulkRun {
    /// Outcome of the keys that are settled by completed runs; `None` before the first.
    pub outcome: Option<Outcome>,
    /// File with the outcomes, if it was exported.
    pub exported: Loadable<Exported>,
    /// `true` if a run broke off because of an internal error.
    pub is_broken: bool,
    /// The running job.
    pub run: Run,
    sent: Vec<KeyId>,
}

impl BulkRun {
    /// Returns `true` while requests are running.
    pub fn is_running(&self) -> bool {
        self.run.is_running()
    }

    /// Returns `true` if the user asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.run.stopping
    }

    /// Returns `true` if a run has ended and none is running.
    pub fn is_over(&self) -> bool {
        !self.is_running() && (self.outcome.is_some() || self.is_broken)
    }

    /// Returns the number of keys that are being sent now.
    pub fn sent(&self) -> usize {
        self.sent.len()
    }

    /// Returns the outcome of each key once no run is running, with the keys that are done as `done`; `None` before.
    pub(super) fn outcomes(&self, done: KeyOutcome, keys: &KeySet) -> Option<Outcomes> {
        let outcome = self.outcome.as_ref().filter(|_| self.is_over())?;
        Some(Outcomes { rows: outcome_report::rows(outcome, done), list: keys.list().clone() })
    }

    /// Begins a run over these keys.
    pub(crate) fn begin(&mut self, ticket: Ticket, keys: Vec<KeyId>) {
        self.run.begin(ticket);
        self.sent = keys;
        self.is_broken = false;
        self.exported = Loadable::default();
    }

    /// Ends the run with this ticket. Returns `false` if another one or none is running.
    pub(crate) fn end(&mut self, ticket: Ticket, outcome: Outcome) -> bool {
        let is_own = self.run.end(ticket);
        if is_own {
            self.add(outcome);
        }
        is_own
    }

    /// Adds an outcome that no run is needed for, as of keys that could not be sent.
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.sent.clear();
        self.outcome.get_or_insert_default().resume(outcome);
    }

    /// Ends the run whose job panicked: the outcome of the keys that were being sent is not known. Returns `false` if
    /// another one or none is running.
    pub(crate) fn fail(&mut self, ticket: Ticket) -> bool {
        let unknown = Failure::Unknown("Internal error. Refresh the list to see the current state".into());
        let failed = self.sent.iter().map(|id| (id.clone(), unknown.clone())).collect();
        let is_own = self.end(ticket, Outcome { failed, ..Outcome::default() });
        self.is_broken |= is_own;
        is_own
    }
}

/// Outcomes of a dialog's keys, to be written to a file.
pub struct Outcomes {
    /// Outcome of each key.
    pub rows: Vec<KeyOutcomeRow>,
    /// List in which names and owners are looked up.
    pub list: Arc<KeyList>,
}

impl State {
    /// Writes the keys with this outcome, or all keys, of the dialog in front to a new file.
    pub(crate) fn export_outcomes(&mut self, only: Option<KeyOutcome>, format: Format, path: PathBuf) {
        let Some(kind) = self.dialogs.front() else { return };
        let Some(dialog) = self.dialogs.of_kind(kind) else { return };
        let Some(Outcomes { mut rows, list }) = dialog.outcomes() else { return };
        rows.retain(|(outcome, ..)| only.is_none_or(|only| *outcome == only));
        let report = OutcomeReport { list, rows, format, path };
        let ticket = self.submit(Task::ExportOutcomes(Box::new(report)), Waiting::Dialog(kind));
        if let Some(exported) = self.dialogs.of_kind_mut(kind).and_then(DialogContent::exported_mut) {
            exported.ask(ticket);
        }
    }

    /// Takes in the progress of an operation on many keys.
    pub(crate) fn bulk_progress(&mut self, kind: DialogKind, ticket: Ticket, progress: BulkProgress) {
        let dialog = self.dialogs.of_kind_mut(kind);
        if let Some(dialog) = dialog.filter(|dialog| dialog.run().is_some_and(|run| run.is(ticket))) {
            dialog.progress(progress);
        }
    }

    /// Takes in the outcome of an operation on many keys, and reads again what it is shown by.
    pub(crate) fn bulk_done(&mut self, kind: DialogKind, ticket: Ticket, outcome: Outcome) {
        let Some(dialog) = self.dialogs.of_kind_mut(kind) else { return };
        let done = outcome.done.clone();
        if !dialog.bulk_mut().is_some_and(|bulk| bulk.end(ticket, outcome)) {
            return;
        }
        dialog.settle();
        let ends_keys = dialog.ends_keys();
        let Some(id) = dialog.profile().map(|profile| profile.id.clone()) else { return };
        if ends_keys {
            self.keys_ended(&id, &done);
        }
        self.after_change(&id);
    }

    /// Reads again what a change of keys is shown by: the keys of the cluster, and the history of the open key.
    pub(crate) fn after_change(&mut self, id: &ProfileId) {
        self.journal.renew_history();
        self.read_keys(id);
    }
}
