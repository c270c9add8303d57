//! The invalidation dialog: what will happen, progress, and outcomes.

use std::collections::{HashMap, HashSet};

use crate::{
    app::{
        Cloning, Cluster, Loadable, State,
        dialogs::{
            DialogContent, DialogKind,
            bulk_run::{self, BulkRun, Outcomes},
        },
        pending::Waiting,
    },
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        connections::profile::{Profile, ProfileId},
        failure::Failure,
        guard::Guard,
        inventory::RowId,
        rotation::ClusterRef,
        text::number::plural,
        time::{calendar, status::StatusGroup},
    },
    ops::{
        Outcome, Problem, Session,
        bulk::BulkProgress,
        invalidate::InvalidationPlan,
        keys::{
            key_set::{KeySet, Summary},
            last_use::{NotKnown, Used, Uses},
        },
        outcome_report::KeyOutcome,
    },
    worker::{Task, Ticket},
};

/// A step within the invalidation dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidateStep {
    /// Open the dialog for these keys.
    Ask(Vec<KeyId>),
    /// Open the dialog for the keys that a clone whose answer was lost may have left, in place of the dialog that knows
    /// them.
    AskCloned,
    /// Open the dialog for all keys that the search and the status filter show.
    AskShown,
    /// Confirm invalidating the session's own key, or withdraw the confirmation.
    OwnKey(bool),
    /// Confirm invalidating keys that a product made for itself, or withdraw the confirmation.
    Managed(bool),
    /// Send the keys in the dialog.
    Send,
    /// Stop after the batch that is being sent.
    Stop,
    /// Try the keys that failed again.
    Retry,
    /// Continue with the keys that were never sent.
    Resume,
    /// Continue with the untouched keys, and trust this machine's clock where the cluster's is in doubt.
    AcceptClock,
}

impl InvalidateStep {
    /// Returns `true` if the step sends changes of keys.
    pub(super) fn changes_keys(&self) -> bool {
        matches!(self, Self::Send | Self::Retry | Self::Resume | Self::AcceptClock)
    }
}

/// The invalidation dialog: the keys to invalidate on one cluster, and the outcomes.
pub struct Invalidation {
    /// Profile of the cluster.
    pub profile: Profile,
    /// The keys as they were when they were shown; only their ids are sent.
    pub keys: KeySet,
    /// Summary of these keys.
    pub summary: Summary,
    /// The keys that would be sent, given the confirmations so far.
    pub going: KeySet,
    /// Summary of the keys that would be sent.
    pub going_summary: Summary,
    /// Last uses of the keys, as far as they were read.
    pub uses: Loadable<Result<Uses, NotKnown>>,
    /// Counts of last uses among the keys that would be sent.
    pub used: Used,
    /// The cluster as it named itself when the keys were shown; nothing is sent to another one.
    cluster: Option<ClusterRef>,
    /// The search and status filter that found the keys, if everything they show is to be invalidated.
    pub search: Option<String>,
    /// `true` if invalidating the session's own key was confirmed.
    pub own_key_too: bool,
    /// `true` if invalidating keys that a product made for itself was confirmed.
    pub managed_too: bool,
    /// Skew of the clock by which the keys were found, where a search or a status chose them.
    found_by: Option<TimeDelta>,
    /// Consent to trust this machine's clock where the cluster's is in doubt.
    clock_in_doubt_too: bool,
    /// Progress of the requests that are running.
    pub progress: BulkProgress,
    /// Runs over these keys, with their outcome.
    pub bulk: BulkRun,
    /// Keys that the current plan leaves out for lack of a confirmation, each with its guard.
    spared: HashMap<KeyId, Guard>,
}

impl Invalidation {
    fn new(cluster: &Cluster, now: Timestamp, keys: KeySet, search: Option<String>) -> Self {
        let session: Option<&Session> = cluster.session.value();
        let mut own = Self {
            profile: cluster.profile.clone(),
            summary: keys.summary(session, cluster.now(now)),
            keys,
            going: KeySet::default(),
            going_summary: Summary::default(),
            uses: Loadable::default(),
            used: Used::default(),
            cluster: session.map(Session::cluster),
            search,
            found_by: None,
            own_key_too: false,
            managed_too: false,
            clock_in_doubt_too: false,
            progress: BulkProgress::default(),
            bulk: BulkRun::default(),
            spared: HashMap::new(),
        };
        own.count_going(session, cluster.now(now));
        own
    }

    /// Recomputes which keys would be sent, and their summary.
    fn count_going(&mut self, session: Option<&Session>, now: Timestamp) {
        let spared = self.summary.own_key.as_ref().filter(|_| !self.own_key_too);
        self.going = self.keys.going(spared, self.managed_too);
        self.going_summary = self.going.summary(session, now);
        self.count_used(now);
    }

    fn count_used(&mut self, now: Timestamp) {
        if let Some(Ok(uses)) = self.uses.value() {
            self.used = uses.among(&self.going.ids(), now);
        }
    }

    /// Returns the number of ids that would be sent.
    pub fn count(&self) -> usize {
        self.going.len()
    }

    /// Returns the text that has to be typed to confirm; `None` for a few keys.
    pub fn text_to_type(&self) -> Option<String> {
        bulk_run::text_to_type("invalidate", self.count())
    }

    /// Counts keys by outcome: done, certainly failed, not known, untouched.
    pub fn counts(&self) -> [usize; 4] {
        let of = |own: &Outcome| {
            let unknown = own.unknown();
            [own.done.len(), own.failed.len() - unknown, unknown, own.untouched.len()]
        };
        let settled = self.bulk.outcome.as_ref().map_or([0; 4], of);
        let progress = &self.progress;
        let progress =
            if self.bulk.is_running() { [progress.done, progress.failed, progress.unknown, 0] } else { [0; 4] };
        std::array::from_fn(|at| settled[at] + progress[at])
    }

    /// Returns the number of keys that are or were to be sent; keys left out for lack of a confirmation do not count.
    pub fn total(&self) -> usize {
        let settled = |own: &Outcome| own.done.len() + own.failed.len() + own.resumable().count();
        self.bulk.outcome.as_ref().map_or(0, settled) + self.bulk.sent()
    }

    /// Builds the plan with the confirmations so far.
    fn plan(&self) -> InvalidationPlan {
        InvalidationPlan {
            cluster: self.cluster.clone(),
            own_key_too: self.own_key_too,
            managed_too: self.managed_too,
            found_by: self.found_by,
            clock_in_doubt_too: self.clock_in_doubt_too,
            ..self.keys.plan()
        }
    }
}

impl DialogContent for Invalidation {
    fn blocks_closing(&self) -> Option<&'static str> {
        self.bulk.is_running().then_some("Keys are being invalidated: stop this first, or wait")
    }

    fn profile(&self) -> Option<&Profile> {
        Some(&self.profile)
    }

    fn fail(&mut self, ticket: Ticket) {
        self.uses.answer(ticket, Ok(Err(NotKnown("internal error in Keybearer".into()))));
        self.bulk.exported.answer(ticket, Err(Problem::broken()));
        if self.bulk.fail(ticket) {
            // Guarded keys were not sent, whatever happened to the others.
            let guarded = std::mem::take(&mut self.spared);
            let untouched = guarded.keys().cloned().collect();
            let outcome = Outcome { untouched, guarded, ..Outcome::default() };
            self.bulk.outcome.get_or_insert_default().extend(outcome);
            self.settle();
        }
    }

    fn bulk(&self) -> Option<&BulkRun> {
        Some(&self.bulk)
    }

    fn bulk_mut(&mut self) -> Option<&mut BulkRun> {
        Some(&mut self.bulk)
    }

    fn progress(&mut self, progress: BulkProgress) {
        self.progress = progress;
    }

    fn settle(&mut self) {
        self.spared.clear();
        self.progress = BulkProgress::default();
    }

    fn ends_keys(&self) -> bool {
        true
    }

    fn outcomes(&self) -> Option<Outcomes> {
        self.bulk.outcomes(KeyOutcome::Invalidated, &self.keys)
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.uses.give_up().into_iter().collect()
    }
}

impl State {
    pub(crate) fn invalidate_step(&mut self, step: InvalidateStep) {
        match step {
            InvalidateStep::Ask(ids) => self.ask_invalidate(&ids),
            InvalidateStep::AskCloned => self.ask_invalidate_cloned(),
            InvalidateStep::AskShown => self.ask_invalidate_shown(),
            InvalidateStep::OwnKey(on) => self.set_confirmation(|dialog| dialog.own_key_too = on),
            InvalidateStep::Managed(on) => self.set_confirmation(|dialog| dialog.managed_too = on),
            InvalidateStep::Send => self.invalidate(),
            InvalidateStep::Stop => self.stop_run(DialogKind::Invalidate),
            InvalidateStep::Retry => self.invalidate_again(Outcome::take_failed),
            InvalidateStep::Resume => self.invalidate_again(Outcome::take_untouched),
            InvalidateStep::AcceptClock => {
                self.on_invalidation(|dialog| dialog.clock_in_doubt_too = true);
                self.invalidate_again(Outcome::take_untouched);
            }
        }
    }

    fn on_invalidation(&mut self, change: impl FnOnce(&mut Invalidation)) {
        self.dialogs.get_mut::<Invalidation>().map(change);
    }

    fn ask_invalidate(&mut self, ids: &[KeyId]) {
        if self.dialogs.is_open(DialogKind::Invalidate) {
            return;
        }
        let Some(cluster) = self.common_home(ids).or_else(|| self.home_of_cloned(ids)) else {
            return self.notice("These keys belong to several clusters: select keys of one cluster at a time");
        };
        let Some(shown) = self.cluster() else { return };
        let missing = |stray: &&ApiKey| ids.contains(&stray.id) && shown.inventory().row_id(&stray.id).is_none();
        let created = self.creation.strays.iter().filter(|_| self.creation.is_of(&cluster.profile));
        let cloning = self
            .dialogs
            .get::<Cloning>()
            .into_iter()
            .filter(|own| own.profile.id == cluster.profile.id && own.profile.endpoint == cluster.profile.endpoint);
        let cloned = cloning.flat_map(|own| &own.strays);
        let mut strays: Vec<ApiKey> = created.chain(cloned).filter(missing).cloned().collect();
        let mut rows: Vec<RowId> = ids.iter().filter_map(|id| shown.inventory().row_id(id)).collect();
        rows.sort_unstable();
        rows.dedup();
        let wanted: HashSet<&KeyId> = ids.iter().collect();
        let found = rows.len() + strays.iter().map(|stray| &stray.id).collect::<HashSet<_>>().len();
        if found < wanted.len() {
            let missing = wanted.len() - found;
            let verb = if missing == 1 { "has" } else { "have" };
            let count = plural(missing as u64, "key");
            return self
                .notice(format!("{count} {verb} not been loaded on this connection yet: refresh the list first"));
        }
        let list = shown.keys.value().cloned().unwrap_or_default();
        let mut keys = KeySet::new(list, rows).not_yet_invalidated();
        if !strays.is_empty() {
            strays.extend(keys.keys());
            keys = KeySet::of_keys(&strays).not_yet_invalidated();
        }
        if keys.is_empty() {
            return self.notice("These keys are already invalidated");
        }
        // Whoever ticks what a search shows means what it finds.
        let view = &shown.view;
        let is_found = !view.search.trim().is_empty() || view.status.is_some();
        let found_by = cluster.session.value().filter(|_| is_found).map(Session::skew);
        self.open_invalidation(Invalidation { found_by, ..Invalidation::new(cluster, self.now, keys, None) });
    }

    /// Returns the cluster of keys that a clone may have left, which may not be in its list yet.
    fn home_of_cloned(&self, ids: &[KeyId]) -> Option<&Cluster> {
        let cloning = self.dialogs.get::<Cloning>()?;
        let is_cloned = ids.iter().all(|id| cloning.strays.iter().any(|stray| stray.id == *id));
        self.clusters.iter().find(|cluster| is_cloned && cluster.profile.id == cloning.profile.id)
    }

    /// Opens the dialog for the keys that a clone may have left. Only then the clone's own dialog is closed, which knows
    /// them otherwise.
    fn ask_invalidate_cloned(&mut self) {
        let Some(cloning) = self.dialogs.get::<Cloning>() else { return };
        let ids: Vec<KeyId> = cloning.strays.iter().map(|stray| stray.id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        self.ask_invalidate(&ids);
        if self.dialogs.is_open(DialogKind::Invalidate) {
            self.close_dialog(DialogKind::Clone);
        }
    }

    /// Opens the dialog; meanwhile the worker reads which of the keys are in use.
    fn open_invalidation(&mut self, mut dialog: Invalidation) {
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        if let Some(session) = cluster.and_then(|cluster| cluster.session.value()).cloned() {
            let task = Task::LastUses(Box::new(session), dialog.keys.clone());
            dialog.uses.ask(self.submit(task, Waiting::Dialog(DialogKind::Invalidate)));
        }
        self.dialogs.open(dialog);
    }

    /// Invalidates one key that was confirmed elsewhere; the dialog shows the outcome.
    pub(crate) fn invalidate_at_once(&mut self, home: ProfileId, key: &ApiKey) {
        let Some(cluster) = self.clusters.iter().find(|cluster| cluster.profile.id == home) else { return };
        let keys = KeySet::of_keys(std::slice::from_ref(key));
        let dialog = Invalidation::new(cluster, self.now, keys, None);
        self.open_invalidation(dialog);
        self.invalidate();
    }

    pub(crate) fn last_uses(&mut self, ticket: Ticket, uses: Result<Uses, NotKnown>) {
        let now = self.now;
        let Some(dialog) = self.dialogs.get_mut::<Invalidation>() else { return };
        if dialog.uses.answer(ticket, Ok(uses)) {
            let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
            dialog.count_used(cluster.map_or(now, |cluster| cluster.now(now)));
        }
    }

    /// Gives or withdraws a confirmation, and recomputes what would be sent.
    fn set_confirmation(&mut self, say: impl FnOnce(&mut Invalidation)) {
        let Some(dialog) = self.dialogs.get_mut::<Invalidation>() else { return };
        say(dialog);
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        let session = cluster.and_then(|cluster| cluster.session.value());
        dialog.count_going(session, cluster.map_or(self.now, |cluster| cluster.now(self.now)));
    }

    /// Opens the dialog for all keys that the search and the status filter show now; from then on only their ids count.
    fn ask_invalidate_shown(&mut self) {
        if self.dialogs.is_open(DialogKind::Invalidate) {
            return;
        }
        let Some(shown) = self.cluster() else { return };
        if !shown.search_errors.is_empty() {
            return self.notice("The search has an error: the list doesn’t reflect it");
        }
        let Some(list) = shown.keys.value().filter(|list| list.is_complete).cloned() else {
            return self.notice("Keys are still loading: wait until all of them are loaded");
        };
        let now = shown.now(self.now);
        let status = shown.view.status;
        let may_match = |row: &RowId| {
            let keys = &list.keys;
            let is_of_group = |group: StatusGroup| group.has(keys.status(*row, now)) || !keys.has_known_status(*row);
            !keys.is_invalidated(*row) && status.is_none_or(is_of_group)
        };
        if shown.rows.not_known.rows().any(|row| may_match(&row)) {
            return self.notice("Not known whether every key matches: select the keys yourself");
        }
        if !list.has_every_row() {
            return self.notice("The list of keys is not complete: refresh it, or select the keys yourself");
        }
        let row_ids = shown.rows.rows.clone();
        let cluster = if shown.is_merged() {
            let mut parts = row_ids.iter().filter_map(|row| shown.part(*row)).map(|part| &part.id);
            let first = parts.next();
            let is_one = parts.all(|id| Some(id) == first);
            self.clusters.iter().find(|cluster| is_one && Some(&cluster.profile.id) == first)
        } else {
            Some(shown)
        };
        let Some(cluster) = cluster else {
            return self.notice("These keys belong to several clusters: search one cluster at a time");
        };
        let keys = KeySet::new(list, row_ids).not_yet_invalidated();
        if keys.is_empty() {
            return self.notice("All keys shown are already invalidated");
        }
        let words = [Some(shown.view.search.trim()), shown.view.status.map(StatusGroup::label)];
        let words: Vec<&str> = words.into_iter().flatten().filter(|words| !words.is_empty()).collect();
        let dialog = Invalidation::new(cluster, self.now, keys, Some(words.join(", ")));
        let found_by = cluster.session.value().map(Session::skew);
        self.open_invalidation(Invalidation { found_by, ..dialog });
    }

    pub(super) fn invalidate(&mut self) {
        let Some(dialog) = self.dialogs.get::<Invalidation>() else { return };
        if dialog.count() > 0 && !dialog.bulk.is_running() && !dialog.bulk.is_over() {
            self.send_plan(dialog.plan());
        }
    }

    /// Sends some of the keys again with the confirmations that were given before.
    fn invalidate_again(&mut self, take: fn(&mut Outcome) -> Vec<KeyId>) {
        let dialog = self.dialogs.get_mut::<Invalidation>().filter(|dialog| dialog.bulk.is_over());
        let Some(dialog) = dialog else { return };
        let plan = dialog.plan();
        let ids = dialog.bulk.outcome.as_mut().map(take).unwrap_or_default();
        if !ids.is_empty() {
            self.send_plan(InvalidationPlan { ids, ..plan });
        }
    }

    fn send_plan(&mut self, plan: InvalidationPlan) {
        let Some(dialog) = self.dialogs.get::<Invalidation>() else { return };
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        let session = cluster.and_then(|cluster| cluster.session.value()).cloned();
        let own = session.as_ref().and_then(Session::own_key);
        let guard = |id: &KeyId| plan.guard(id, own).map(|guard| (id.clone(), guard));
        let spared: HashMap<KeyId, Guard> = plan.ids.iter().filter_map(guard).collect();
        let running: Vec<KeyId> = plan.ids.iter().filter(|id| !spared.contains_key(*id)).cloned().collect();
        let Some(session) = session else {
            // What was taken out to be tried again is not lost when the cluster was closed meanwhile.
            let refused = Failure::Refused("not sent: the connection was closed".into());
            let failed = running.into_iter().map(|id| (id, refused.clone())).collect();
            return self.on_invalidation(|dialog| dialog.bulk.add(Outcome { failed, ..Outcome::default() }));
        };
        // Nobody sees any more when they were last used.
        if let Some(question) = self.dialogs.get_mut::<Invalidation>().and_then(|dialog| dialog.uses.give_up()) {
            self.stop(question);
        }
        let task = Task::Bulk(Box::new(session), Box::new(plan));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Invalidate));
        self.on_invalidation(|dialog| {
            dialog.progress = BulkProgress { waiting: running.len(), ..BulkProgress::default() };
            dialog.spared = spared;
            dialog.bulk.begin(ticket, running);
        });
    }

    /// Takes in that these keys of a cluster no longer work.
    pub(super) fn keys_ended(&mut self, id: &ProfileId, ended: &[KeyId]) {
        self.creation.strays.retain(|stray| !ended.contains(&stray.id));
        self.secrets_ended(ended);
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == *id) {
            cluster.deselect(ended);
        }
        if let Some(merged) = &mut self.merged {
            merged.deselect(ended);
        }
    }

    /// Returns the suggested name of an outcome file, without its extension: `word`, the profile's name, and the UTC
    /// day.
    pub fn outcome_file_name(&self, profile: &Profile, word: &str) -> String {
        let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
        let name: String = profile.name.chars().map(plain).take(40).collect();
        let day = calendar::rfc3339(self.now);
        format!("{word}-{name}-{}", day.get(..10).unwrap_or_default())
    }
}
