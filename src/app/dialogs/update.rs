//! The update dialog: the form, the review of changes, progress, and outcomes.

use std::{collections::HashSet, sync::Arc};

use crate::{
    app::{Loadable, State},
    export::Format,
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        connections::profile::Profile,
        failure::Failure,
        update::{
            draft::{UpdateDraft, UpdateFieldError},
            plan::{Confirmed, Obstacle, UpdatePlan},
        },
    },
    ops::{
        Problem, Session,
        keys::{export::Exported, key_set::KeySet},
        outcome_report::{self, KeyOutcome, OutcomeReport},
        update::{
            UpdateOutcome,
            plan::{self, Before, Facts, Keys, NotPlanned},
        },
    },
    worker::{Task, Ticket},
};

/// Number of keys from which on the confirmation has to be typed, inclusive.
pub const TYPED_FROM: usize = 10;

/// A step within the update dialog.
#[derive(Debug)]
pub enum UpdateStep {
    /// Open the form for these keys.
    Ask(Vec<KeyId>),
    /// Plan the change that was typed, and show it for review.
    Review(Box<UpdateDraft>),
    /// Go back to the form.
    Back,
    /// Confirm descriptors that become `{}`, or withdraw the confirmation.
    AllOwnerRights(bool),
    /// Confirm metadata that becomes `{}`, or withdraw the confirmation.
    WipeMetadata(bool),
    /// Send the reviewed change.
    Send,
    /// Stop: no further request is sent.
    Stop,
    /// Continue with the keys that were never sent.
    GoOn,
    /// Close the dialog.
    Close,
}

/// The update dialog: the keys to update on one cluster, and the outcomes.
pub struct Updating {
    /// Profile of the cluster.
    pub profile: Profile,
    /// Keys that can be updated.
    pub keys: KeySet,
    /// Number of keys that can't be updated, and the reason for the first one.
    pub left_out: (usize, String),
    /// The current state of the key, read only if a single key is to be updated.
    pub before: Loadable<Before>,
    /// Validation errors of the form.
    pub errors: Vec<UpdateFieldError>,
    /// Reason why the change could not be planned.
    pub problem: Option<Problem>,
    /// Plan that is shown for review; `None` while the form is shown.
    pub review: Option<Arc<UpdatePlan>>,
    /// Confirmations that were given for the plan.
    pub confirmed: Confirmed,
    /// Ticket of the job that makes the plan.
    planning: Option<Ticket>,
    /// Outcome of the keys so far; `None` before the first result.
    pub outcome: Option<UpdateOutcome>,
    /// Number of keys that are settled.
    pub settled: usize,
    /// File with the outcomes, if it was exported.
    pub exported: Loadable<Exported>,
    /// `true` if the user asked to stop.
    pub stopping: bool,
    /// `true` if a run broke off because of an internal error.
    pub is_broken: bool,
    /// Ids of the keys that are being sent now.
    running: Vec<KeyId>,
    ticket: Option<Ticket>,
}

impl Updating {
    fn new(profile: Profile, keys: KeySet) -> Self {
        Self {
            profile,
            keys,
            left_out: (0, String::new()),
            before: Loadable::default(),
            errors: Vec::new(),
            problem: None,
            review: None,
            confirmed: Confirmed::default(),
            planning: None,
            outcome: None,
            settled: 0,
            exported: Loadable::default(),
            stopping: false,
            is_broken: false,
            running: Vec::new(),
            ticket: None,
        }
    }

    /// Returns the key if exactly one is to be updated; only then can its JSON be edited as a whole.
    pub fn single(&self) -> Option<ApiKey> {
        (self.keys.len() == 1).then(|| self.keys.key(0)).flatten()
    }

    /// Returns `true` while requests are running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns `true` if a run has ended and none is running.
    pub fn is_over(&self) -> bool {
        self.ticket.is_none() && (self.outcome.is_some() || self.is_broken)
    }

    /// Returns `true` while the worker makes the plan.
    pub fn is_planning(&self) -> bool {
        self.planning.is_some()
    }

    /// Returns the key if a single cross-cluster key is to be updated.
    pub fn cross(&self) -> Option<&ApiKey> {
        let key = &self.before.value()?.key;
        (key.kind == KeyKind::CrossCluster).then_some(key)
    }

    /// Returns the reason why the reviewed change can't be sent now; `None` if it can, or if there is no review yet.
    pub fn obstacle(&self) -> Option<&'static str> {
        Some(match self.review.as_ref()?.obstacle(self.confirmed)? {
            Obstacle::NothingChanges => "Nothing would be different",
            Obstacle::AllOwnerRights => "Tick that all the owner’s rights are meant",
            Obstacle::WipeMetadata => "Tick that wiping the metadata is meant",
        })
    }

    /// Returns the text that has to be typed to confirm; `None` below [`TYPED_FROM`] keys.
    pub fn text_to_type(&self) -> Option<String> {
        let count = self.total();
        (count >= TYPED_FROM).then(|| format!("update {count}"))
    }

    /// Returns the number of keys in the reviewed plan.
    pub fn total(&self) -> usize {
        self.review.as_ref().map_or(0, |plan| plan.planned.len())
    }

    pub(crate) fn broken(&mut self, ticket: Ticket) {
        if self.planning.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
        if self.ticket.take_if(|own| *own == ticket).is_some() {
            self.is_broken = true;
            self.stopping = false;
            let unknown = Failure::Unknown("Keybearer made a mistake. Refresh the list to see what is true".into());
            let failed = self.running.drain(..).map(|id| (id, unknown.clone()));
            self.outcome.get_or_insert_default().failed.extend(failed);
        }
    }
}

impl State {
    pub(crate) fn update_step(&mut self, step: UpdateStep) {
        match step {
            UpdateStep::Ask(ids) => self.ask_update(&ids),
            UpdateStep::Review(draft) => self.review_update(&draft),
            UpdateStep::Back => self.on_updating(|dialog| dialog.review = None),
            UpdateStep::AllOwnerRights(on) => self.on_updating(|dialog| dialog.confirmed.all_owner_rights = on),
            UpdateStep::WipeMetadata(on) => self.on_updating(|dialog| dialog.confirmed.wipe_metadata = on),
            UpdateStep::Send => self.send_update(),
            UpdateStep::Stop => {
                let Some(ticket) = self.updating.as_ref().and_then(|dialog| dialog.ticket) else { return };
                self.submit(Task::Stop(ticket));
                if let Some(dialog) = &mut self.updating {
                    dialog.stopping = true;
                }
            }
            UpdateStep::GoOn => self.resume_update(),
            UpdateStep::Close if self.updating.as_ref().is_some_and(|dialog| !dialog.is_running()) => {
                let planning = self.updating.take().and_then(|dialog| dialog.planning);
                if let Some(ticket) = planning {
                    self.submit(Task::Stop(ticket));
                }
            }
            UpdateStep::Close => {}
        }
    }

    fn on_updating(&mut self, change: impl FnOnce(&mut Updating)) {
        if let Some(dialog) = self.updating.as_mut().filter(|dialog| !dialog.is_running()) {
            change(dialog);
        }
    }

    fn ask_update(&mut self, ids: &[KeyId]) {
        if self.updating.is_some() {
            return;
        }
        let Some(cluster) = self.common_home(ids) else {
            return self.notice("These keys belong to several clusters: select those of one at a time");
        };
        let (Some(shown), Some(session)) = (self.cluster(), cluster.session.value().cloned()) else { return };
        let list = shown.keys.value().cloned().unwrap_or_default();
        let rows = ids.iter().filter_map(|id| list.keys.row_id(id)).map(|place| place as u32).collect();
        let all = KeySet::new(list, rows).not_yet_invalidated();
        let now = cluster.now(self.now);
        let mut left_out = (0, String::new());
        // Rows alone are looked at: a copy of each of many keys would keep the window waiting.
        let keys = all.only_rows(|keys, row| match plan::hindrance(&session, Facts::of_row(keys, row), now) {
            Some(problem) => {
                left_out.0 += 1;
                if left_out.0 == 1 {
                    left_out.1 = [problem.detail, problem.hint].join(". ").trim_end_matches(". ").to_owned();
                }
                false
            }
            None => true,
        });
        if keys.is_empty() {
            let words = if left_out.1.is_empty() { "These keys are invalidated".into() } else { left_out.1 };
            return self.notice(words);
        }
        let profile = cluster.profile.clone();
        let single = (keys.len() == 1).then(|| keys.ids()).and_then(|ids| ids.into_iter().next());
        let mut before = Loadable::default();
        if let Some(id) = single {
            before.ask(self.submit(Task::ReadForUpdate(Box::new(session), id)));
        }
        self.updating = Some(Updating { left_out, before, ..Updating::new(profile, keys) });
    }

    /// Lets the worker plan the change: for many keys that takes longer than a frame.
    fn review_update(&mut self, draft: &UpdateDraft) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| !dialog.is_running() && !dialog.is_planning()) else {
            return;
        };
        let keys = match dialog.before.value() {
            Some(before) => Keys::Read(Box::new(before.clone())),
            None => Keys::Listed(dialog.keys.clone()),
        };
        let Some(session) = self.session_of_update() else { return };
        let task = Task::PlanUpdate(Box::new(session), keys, Box::new(draft.clone()), self.zone.clone());
        let ticket = self.submit(task);
        self.on_updating(|dialog| {
            dialog.planning = Some(ticket);
            dialog.problem = None;
            dialog.errors.clear();
            dialog.confirmed = Confirmed::default();
        });
    }

    pub(crate) fn update_planned(&mut self, ticket: Ticket, result: Result<Arc<UpdatePlan>, Box<NotPlanned>>) {
        let Some(dialog) = self.updating.as_mut() else { return };
        if dialog.planning.take_if(|own| *own == ticket).is_none() {
            return;
        }
        match result.map_err(|error| *error) {
            Ok(plan) => dialog.review = Some(plan),
            Err(NotPlanned::Slips(errors)) => dialog.errors = errors,
            Err(NotPlanned::Problem(problem)) => dialog.problem = Some(problem),
        }
    }

    /// Returns the session of the cluster whose keys are updated. Notifies the user if the connection was closed.
    fn session_of_update(&mut self) -> Option<Session> {
        let id = self.updating.as_ref().map(|dialog| dialog.profile.id.clone())?;
        let session = self.clusters.iter().find(|c| c.profile.id == id).and_then(|c| c.session.value()).cloned();
        if session.is_none() {
            self.notice("The connection was closed: nothing was sent");
        }
        session
    }

    fn send_update(&mut self) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| !dialog.is_running() && !dialog.is_over()) else {
            return;
        };
        let (None, Some(plan)) = (dialog.obstacle(), dialog.review.clone()) else { return };
        let ids = plan.planned.iter().map(|planned| planned.seen.id.clone()).collect();
        self.submit_update(ids, plan, None);
    }

    fn resume_update(&mut self) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| dialog.is_over()) else { return };
        let (Some(outcome), Some(plan)) = (&dialog.outcome, dialog.review.clone()) else { return };
        let ids = outcome.untouched.clone();
        if !ids.is_empty() {
            let only = ids.iter().cloned().collect();
            self.submit_update(ids, plan, Some(only));
        }
    }

    fn submit_update(&mut self, ids: Vec<KeyId>, plan: Arc<UpdatePlan>, only: Option<HashSet<KeyId>>) {
        let Some(session) = self.session_of_update() else { return };
        let ticket = self.submit(Task::Update(Box::new(session), plan, only));
        self.on_updating(|dialog| {
            dialog.ticket = Some(ticket);
            dialog.running = ids;
            (dialog.stopping, dialog.is_broken) = (false, false);
            dialog.exported = Loadable::default();
            if let Some(outcome) = &mut dialog.outcome {
                outcome.untouched.clear();
                dialog.settled = outcome.settled();
            }
        });
    }

    pub(crate) fn before_update(&mut self, ticket: Ticket, result: Result<Before, Problem>) {
        let now = self.now;
        if let Some(dialog) = &mut self.updating {
            dialog.before.answer(ticket, result, now);
        }
    }

    pub(crate) fn updating(&mut self, ticket: Ticket, settled: usize) {
        if let Some(dialog) = self.updating.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) {
            let before = dialog.outcome.as_ref().map_or(0, UpdateOutcome::settled);
            dialog.settled = before + settled;
        }
    }

    pub(crate) fn updated(&mut self, ticket: Ticket, outcome: UpdateOutcome) {
        let Some(dialog) = self.updating.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        dialog.ticket = None;
        dialog.stopping = false;
        dialog.running.clear();
        let whole = dialog.outcome.get_or_insert_default();
        (whole.broke_off, whole.stopped) = (false, false);
        whole.untouched.clear();
        whole.take_in(outcome);
        self.journal.renew_history();
        let id = dialog.profile.id.clone();
        self.read_keys(&id);
    }

    pub(crate) fn export_updates(&mut self, key_outcome: KeyOutcome, format: Format, path: std::path::PathBuf) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| dialog.is_over()) else { return };
        let Some(outcome) = &dialog.outcome else { return };
        let mut rows = outcome_report::of_update(outcome);
        rows.retain(|(own, ..)| *own == key_outcome);
        let file = OutcomeReport { list: dialog.keys.list().clone(), rows, format, path };
        let ticket = self.submit(Task::ExportFates(Box::new(file)));
        self.on_updating(|dialog| dialog.exported.ask(ticket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{
            Cluster,
            rotation::answers::tests::{profile, session},
        },
        model::inventory::RawKey,
        ops::keys::list::KeyList,
    };

    #[test]
    fn what_was_on_its_way_when_the_work_broke_off_is_told_as_not_known() {
        let mut dialog = Updating { ticket: Some(Ticket(7)), ..Updating::new(profile(), KeySet::default()) };
        dialog.running = vec![KeyId::new("a"), KeyId::new("b")];
        dialog.broken(Ticket(6));
        assert!(dialog.is_running() && dialog.outcome.is_none());
        dialog.broken(Ticket(7));
        assert!(dialog.is_over() && dialog.is_broken);
        let failed = dialog.outcome.unwrap().failed;
        assert_eq!(failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(failed.iter().all(|(_, failure)| failure.is_unknown()));
    }

    #[test]
    fn what_many_keys_would_become_is_worked_out_by_the_worker_and_no_key_is_copied_for_it() {
        let mut list = KeyList::default();
        for number in 0..10_000 {
            let (id, metadata) = (format!("k{number}"), format!(r#"{{"n":{number}}}"#));
            list.keys.put(&RawKey { id: &id, username: "u", metadata: Some(&metadata), ..RawKey::default() });
        }
        list.keys.finish();
        let list = Arc::new(list);
        let mut state = State::new(0, jiff::tz::TimeZone::UTC);
        let mut cluster = Cluster::new(profile(), jiff::tz::TimeZone::UTC);
        cluster.session.ask(Ticket(900));
        cluster.session.answer(Ticket(900), Ok(session()), 0);
        state.clusters.push(cluster);
        let keys = KeySet::new(Arc::clone(&list), (0..10_000).collect());
        state.updating = Some(Updating::new(profile(), keys));
        let draft = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        state.update_step(UpdateStep::Review(Box::new(draft)));
        let dialog = state.updating.as_ref().unwrap();
        assert!(dialog.is_planning() && dialog.review.is_none());
        let jobs = state.take_jobs();
        let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
        let Task::PlanUpdate(_, Keys::Listed(chosen), ..) = &job.task else { panic!("a plan: {:?}", job.task) };
        assert!(Arc::ptr_eq(chosen.list(), &list) && chosen.len() == 10_000);
        // Another answer changes nothing; the right one is shown, and sent as it is.
        state.update_planned(Ticket(901), Ok(Arc::default()));
        assert!(state.updating.as_ref().unwrap().is_planning());
        let ticket = job.ticket;
        state.update_planned(ticket, Err(Box::new(NotPlanned::Problem(Problem::new("why", "")))));
        let dialog = state.updating.as_ref().unwrap();
        assert!(!dialog.is_planning() && dialog.problem.is_some() && dialog.review.is_none());
    }
}
