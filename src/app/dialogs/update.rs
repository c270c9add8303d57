//! The update dialog: the form, the review of changes, progress, and outcomes.

use std::{collections::HashSet, sync::Arc};

use crate::{
    app::{
        Loadable, State,
        dialogs::{
            DialogContent, DialogKind,
            bulk_run::{self, BulkRun, Outcomes},
        },
        pending::Waiting,
    },
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        connections::profile::Profile,
        form_error::FormError,
        update::{
            draft::{UpdateDraft, UpdateField},
            plan::{Confirmed, Obstacle, UpdatePlan},
        },
    },
    ops::{
        Outcome, Problem, Session,
        bulk::BulkProgress,
        keys::key_set::KeySet,
        outcome_report::KeyOutcome,
        update::{
            BulkUpdate,
            plan::{self, Before, Facts, Keys, NotPlanned},
        },
    },
    worker::{Task, Ticket},
};

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
    Resume,
}

impl UpdateStep {
    /// Returns `true` if the step sends changes of keys.
    pub(super) fn changes_keys(&self) -> bool {
        matches!(self, Self::Send | Self::Resume)
    }
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
    pub errors: Vec<FormError<UpdateField>>,
    /// Reason why the change could not be planned.
    pub problem: Option<Problem>,
    /// Plan that is shown for review; `None` while the form is shown.
    pub review: Option<Arc<UpdatePlan>>,
    /// Confirmations that were given for the plan.
    pub confirmed: Confirmed,
    /// Ticket of the job that makes the plan.
    planning: Option<Ticket>,
    /// Number of keys that are settled.
    pub settled: usize,
    /// Runs over the keys of the plan, with their outcome.
    pub bulk: BulkRun,
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
            settled: 0,
            bulk: BulkRun::default(),
        }
    }

    /// Returns the key if exactly one is to be updated; only then can its JSON be edited as a whole.
    pub fn single(&self) -> Option<ApiKey> {
        (self.keys.len() == 1).then(|| self.keys.key(0)).flatten()
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
            Obstacle::NothingChanges => "Nothing would change",
            Obstacle::AllOwnerRights => "Confirm “Give it all the owner’s rights”",
            Obstacle::WipeMetadata => "Confirm “Remove all metadata”",
        })
    }

    /// Returns the text that has to be typed to confirm; `None` for a few keys.
    pub fn text_to_type(&self) -> Option<String> {
        bulk_run::text_to_type("update", self.total())
    }

    /// Returns the number of keys in the reviewed plan.
    pub fn total(&self) -> usize {
        self.review.as_ref().map_or(0, |plan| plan.planned.len())
    }
}

impl DialogContent for Updating {
    fn blocks_closing(&self) -> Option<&'static str> {
        self.bulk.is_running().then_some("Keys are being updated: stop this first, or wait")
    }

    fn profile(&self) -> Option<&Profile> {
        Some(&self.profile)
    }

    fn fail(&mut self, ticket: Ticket) {
        self.before.answer(ticket, Err(Problem::broken()));
        self.bulk.exported.answer(ticket, Err(Problem::broken()));
        if self.planning.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
        self.bulk.fail(ticket);
    }

    fn bulk(&self) -> Option<&BulkRun> {
        Some(&self.bulk)
    }

    fn bulk_mut(&mut self) -> Option<&mut BulkRun> {
        Some(&mut self.bulk)
    }

    fn progress(&mut self, progress: BulkProgress) {
        let before = self.bulk.outcome.as_ref().map_or(0, Outcome::settled);
        self.settled = before + progress.settled;
    }

    fn outcomes(&self) -> Option<Outcomes> {
        self.bulk.outcomes(KeyOutcome::Updated, &self.keys)
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.planning.take().into_iter().chain(self.before.give_up()).collect()
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
            UpdateStep::Stop => self.stop_run(DialogKind::Update),
            UpdateStep::Resume => self.resume_update(),
        }
    }

    fn on_updating(&mut self, change: impl FnOnce(&mut Updating)) {
        if let Some(dialog) = self.dialogs.get_mut::<Updating>().filter(|dialog| !dialog.bulk.is_running()) {
            change(dialog);
        }
    }

    fn ask_update(&mut self, ids: &[KeyId]) {
        if self.dialogs.is_open(DialogKind::Update) {
            return;
        }
        let Some(cluster) = self.common_home(ids) else {
            return self.notice("These keys belong to several clusters: select keys of one cluster at a time");
        };
        let (Some(shown), Some(session)) = (self.cluster(), cluster.session.value().cloned()) else { return };
        let list = shown.keys.value().cloned().unwrap_or_default();
        let rows = ids.iter().filter_map(|id| list.keys.row_id(id)).collect();
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
            let task = Task::ReadForUpdate(Box::new(session), id);
            before.ask(self.submit(task, Waiting::Dialog(DialogKind::Update)));
        }
        self.dialogs.open(Updating { left_out, before, ..Updating::new(profile, keys) });
    }

    /// Lets the worker plan the change: for many keys that takes longer than a frame.
    fn review_update(&mut self, draft: &UpdateDraft) {
        let dialog = self.dialogs.get::<Updating>();
        let Some(dialog) = dialog.filter(|dialog| !dialog.bulk.is_running() && !dialog.is_planning()) else { return };
        let keys = match dialog.before.value() {
            Some(before) => Keys::Read(Box::new(before.clone())),
            None => Keys::Listed(dialog.keys.clone()),
        };
        let Some(session) = self.session_of_update() else { return };
        let task = Task::PlanUpdate(Box::new(session), keys, Box::new(draft.clone()), self.zone.clone());
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Update));
        self.on_updating(|dialog| {
            dialog.planning = Some(ticket);
            dialog.problem = None;
            dialog.errors.clear();
            dialog.confirmed = Confirmed::default();
        });
    }

    pub(crate) fn update_planned(&mut self, ticket: Ticket, result: Result<Arc<UpdatePlan>, Box<NotPlanned>>) {
        let Some(dialog) = self.dialogs.get_mut::<Updating>() else { return };
        if dialog.planning.take_if(|own| *own == ticket).is_none() {
            return;
        }
        match result.map_err(|error| *error) {
            Ok(plan) => dialog.review = Some(plan),
            Err(NotPlanned::Invalid(errors)) => dialog.errors = errors,
            Err(NotPlanned::Problem(problem)) => dialog.problem = Some(problem),
        }
    }

    /// Returns the session of the cluster whose keys are updated. Notifies the user if the connection was closed.
    fn session_of_update(&mut self) -> Option<Session> {
        let id = self.dialogs.get::<Updating>().map(|dialog| dialog.profile.id.clone())?;
        let session = self.clusters.iter().find(|c| c.profile.id == id).and_then(|c| c.session.value()).cloned();
        if session.is_none() {
            self.notice("The connection was closed: nothing was sent");
        }
        session
    }

    fn send_update(&mut self) {
        let dialog = self.dialogs.get::<Updating>();
        let Some(dialog) = dialog.filter(|dialog| !dialog.bulk.is_running() && !dialog.bulk.is_over()) else { return };
        let (None, Some(plan)) = (dialog.obstacle(), dialog.review.clone()) else { return };
        let ids = plan.planned.iter().map(|planned| planned.seen.id.clone()).collect();
        self.submit_update(ids, plan, None);
    }

    fn resume_update(&mut self) {
        let dialog = self.dialogs.get::<Updating>().filter(|dialog| dialog.bulk.is_over());
        let Some((outcome, plan)) = dialog.and_then(|own| Some((own.bulk.outcome.as_ref()?, own.review.clone()?)))
        else {
            return;
        };
        let ids: Vec<KeyId> = outcome.resumable().cloned().collect();
        if !ids.is_empty() {
            let only = ids.iter().cloned().collect();
            self.submit_update(ids, plan, Some(only));
        }
    }

    fn submit_update(&mut self, ids: Vec<KeyId>, plan: Arc<UpdatePlan>, only: Option<HashSet<KeyId>>) {
        let Some(session) = self.session_of_update() else { return };
        let task = Task::Bulk(Box::new(session), Box::new(BulkUpdate { plan, only }));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Update));
        self.on_updating(|dialog| {
            if let Some(outcome) = &mut dialog.bulk.outcome {
                outcome.take_untouched();
            }
            dialog.settled = dialog.bulk.outcome.as_ref().map_or(0, Outcome::settled);
            dialog.bulk.begin(ticket, ids);
        });
    }

    pub(crate) fn before_update(&mut self, ticket: Ticket, result: Result<Before, Problem>) {
        if let Some(dialog) = self.dialogs.get_mut::<Updating>() {
            dialog.before.answer(ticket, result);
        }
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
        model::{Timestamp, inventory::RawKey},
        ops::keys::list::KeyList,
    };

    #[test]
    fn what_was_on_its_way_when_the_work_broke_off_is_told_as_not_known() {
        let mut dialog = Updating::new(profile(), KeySet::default());
        dialog.bulk.begin(Ticket(7), vec![KeyId::new("a"), KeyId::new("b")]);
        dialog.fail(Ticket(6));
        assert!(dialog.bulk.is_running() && dialog.bulk.outcome.is_none());
        dialog.fail(Ticket(7));
        assert!(dialog.bulk.is_over() && dialog.bulk.is_broken);
        let failed = dialog.bulk.outcome.unwrap().failed;
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
        let mut state = State::new(Timestamp::EPOCH, jiff::tz::TimeZone::UTC);
        let mut cluster = Cluster::new(profile(), jiff::tz::TimeZone::UTC);
        cluster.session.ask(Ticket(900));
        cluster.session.answer(Ticket(900), Ok(session()));
        state.clusters.push(cluster);
        let keys = KeySet::new(Arc::clone(&list), list.keys.row_ids().collect());
        state.dialogs.open(Updating::new(profile(), keys));
        let draft = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        state.update_step(UpdateStep::Review(Box::new(draft)));
        let dialog = state.dialogs.get::<Updating>().unwrap();
        assert!(dialog.is_planning() && dialog.review.is_none());
        let jobs = state.take_jobs();
        let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
        let Task::PlanUpdate(_, Keys::Listed(chosen), ..) = &job.task else { panic!("a plan: {:?}", job.task) };
        assert!(Arc::ptr_eq(chosen.list(), &list) && chosen.len() == 10_000);
        // Another answer changes nothing; the right one is shown, and sent as it is.
        state.update_planned(Ticket(901), Ok(Arc::default()));
        assert!(state.dialogs.get::<Updating>().unwrap().is_planning());
        let ticket = job.ticket;
        state.update_planned(ticket, Err(Box::new(NotPlanned::Problem(Problem::new("why", "")))));
        let dialog = state.dialogs.get::<Updating>().unwrap();
        assert!(!dialog.is_planning() && dialog.problem.is_some() && dialog.review.is_none());
    }
}
