//! The invalidation dialog: what will happen, progress, and outcomes.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use crate::{
    app::{Cluster, Loadable, State},
    export::Format,
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        connections::profile::{Profile, ProfileId},
        failure::Failure,
        guard::Guard,
        rotation::ClusterRef,
        text::number::plural,
        time::{calendar, status::StatusGroup},
    },
    ops::{
        Session,
        invalidate::{InvalidationPlan, InvalidationProgress, Outcome},
        keys::{
            export::Exported,
            key_set::{KeySet, Summary},
            last_use::{NotKnown, Used, Uses},
        },
        outcome_report::{self, KeyOutcome, OutcomeReport},
    },
    worker::{Task, Ticket},
};

/// Number of keys from which on the confirmation has to be typed, inclusive.
pub const TYPED_FROM: usize = 10;

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
    /// Skew of the clock by which the keys were found, in milliseconds, where a search or a status chose them.
    found_by: Option<Millis>,
    /// Consent to trust this machine's clock where the cluster's is in doubt.
    clock_in_doubt_too: bool,
    /// Outcome of the keys that are settled by completed runs; `None` before the first.
    pub outcome: Option<Outcome>,
    /// Progress of the requests that are running.
    pub progress: InvalidationProgress,
    /// File with the outcomes, if it was exported.
    pub exported: Loadable<Exported>,
    /// Ids of the keys that are being sent now.
    running: Vec<KeyId>,
    /// Keys that the current plan leaves out for lack of a confirmation, each with its guard.
    spared: HashMap<KeyId, Guard>,
    ticket: Option<Ticket>,
    /// `true` if the user asked to stop.
    pub stopping: bool,
    /// `true` if a run broke off because of an internal error.
    pub is_broken: bool,
}

impl Invalidation {
    fn new(cluster: &Cluster, now: i64, keys: KeySet, search: Option<String>) -> Self {
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
            outcome: None,
            progress: InvalidationProgress::default(),
            exported: Loadable::default(),
            running: Vec::new(),
            spared: HashMap::new(),
            ticket: None,
            stopping: false,
            is_broken: false,
        };
        own.count_going(session, cluster.now(now));
        own
    }

    /// Recomputes which keys would be sent, and their summary.
    fn count_going(&mut self, session: Option<&Session>, now: Millis) {
        let spared = self.summary.own_key.as_ref().filter(|_| !self.own_key_too);
        self.going = self.keys.going(spared, self.managed_too);
        self.going_summary = self.going.summary(session, now);
        self.count_used(now);
    }

    fn count_used(&mut self, now: Millis) {
        if let Some(Ok(uses)) = self.uses.value() {
            self.used = uses.among(&self.going.ids(), now);
        }
    }

    /// Returns the number of ids that would be sent.
    pub fn count(&self) -> usize {
        self.going.len()
    }

    /// Returns the text that has to be typed to confirm; `None` below [`TYPED_FROM`] keys.
    pub fn text_to_type(&self) -> Option<String> {
        let count = self.count();
        (count >= TYPED_FROM).then(|| format!("invalidate {count}"))
    }

    /// Returns `true` while requests are running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns `true` if a run has ended and none is running.
    pub fn is_over(&self) -> bool {
        self.ticket.is_none() && (self.outcome.is_some() || self.is_broken)
    }

    /// Counts keys by outcome: done, certainly failed, not known, untouched.
    pub fn counts(&self) -> [usize; 4] {
        let of = |own: &Outcome| {
            let unknown = own.unknown();
            [own.done.len(), own.failed.len() - unknown, unknown, own.untouched.len()]
        };
        let settled = self.outcome.as_ref().map_or([0; 4], of);
        let progress = &self.progress;
        let progress = if self.is_running() { [progress.done, progress.failed, progress.unknown, 0] } else { [0; 4] };
        std::array::from_fn(|at| settled[at] + progress[at])
    }

    /// Returns the number of keys that are or were to be sent; keys left out for lack of a confirmation do not count.
    pub fn total(&self) -> usize {
        let settled = |own: &Outcome| own.done.len() + own.failed.len() + own.to_go_on().count();
        self.outcome.as_ref().map_or(0, settled) + self.running.len()
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

    /// Takes the keys that failed out of the outcome, to be tried again.
    pub(crate) fn take_failed(&mut self) -> Vec<KeyId> {
        let failed = self.outcome.as_mut().map(|outcome| std::mem::take(&mut outcome.failed));
        failed.unwrap_or_default().into_iter().map(|(id, _)| id).collect()
    }

    /// Takes the keys that were never sent and need no confirmation out of the outcome.
    pub(crate) fn take_untouched(&mut self) -> Vec<KeyId> {
        let Some(outcome) = &mut self.outcome else { return Vec::new() };
        let (guarded, free) =
            std::mem::take(&mut outcome.untouched).into_iter().partition(|id| outcome.guarded.contains_key(id));
        outcome.untouched = guarded;
        free
    }

    fn settle(&mut self, outcome: Outcome) {
        self.ticket = None;
        self.stopping = false;
        self.running.clear();
        self.spared.clear();
        self.progress = InvalidationProgress::default();
        self.outcome.get_or_insert_default().take_in(outcome);
    }

    pub(crate) fn broken(&mut self, ticket: Ticket) {
        if self.ticket.is_some_and(|own| own == ticket) {
            self.is_broken = true;
            let unknown = Failure::Unknown("Keybearer made a mistake. Refresh the list to see what is true".into());
            let failed = self.running.drain(..).map(|id| (id, unknown.clone())).collect();
            let guarded = std::mem::take(&mut self.spared);
            let untouched = guarded.keys().cloned().collect();
            self.settle(Outcome { failed, untouched, guarded, ..Outcome::default() });
        }
    }
}

impl State {
    pub(crate) fn ask_invalidate(&mut self, ids: Vec<KeyId>) {
        if self.invalidation.is_some() {
            return;
        }
        let Some(cluster) = self.common_home(&ids) else {
            return self.notice("These keys belong to several clusters: select those of one at a time");
        };
        let Some(shown) = self.cluster() else { return };
        let missing = |stray: &&ApiKey| ids.contains(&stray.id) && shown.inventory().row_id(&stray.id).is_none();
        let created = self.creation.strays.iter().filter(|_| self.creation.is_of(&cluster.profile));
        let cloning = self
            .cloning
            .iter()
            .filter(|own| own.profile.id == cluster.profile.id && own.profile.endpoint == cluster.profile.endpoint);
        let cloned = cloning.flat_map(|own| &own.strays);
        let mut strays: Vec<ApiKey> = created.chain(cloned).filter(missing).cloned().collect();
        let mut rows: Vec<u32> =
            ids.iter().filter_map(|id| shown.inventory().row_id(id)).map(|row| row as u32).collect();
        rows.sort_unstable();
        rows.dedup();
        let wanted: HashSet<&KeyId> = ids.iter().collect();
        let found = rows.len() + strays.iter().map(|stray| &stray.id).collect::<HashSet<_>>().len();
        if found < wanted.len() {
            let missing = wanted.len() - found;
            let verb = if missing == 1 { "has" } else { "have" };
            let count = plural(missing as u64, "key");
            return self.notice(format!("{count} {verb} not been read on this connection yet: refresh the list first"));
        }
        let list = shown.keys.value().cloned().unwrap_or_default();
        let mut keys = KeySet::new(list, rows).not_yet_invalidated();
        if !strays.is_empty() {
            strays.extend(keys.keys());
            keys = KeySet::of_keys(&strays).not_yet_invalidated();
        }
        if keys.is_empty() {
            return self.notice("These keys are invalidated already");
        }
        // Whoever ticks what a search shows means what it finds.
        let view = &shown.view;
        let is_found = !view.search.trim().is_empty() || view.status.is_some();
        let found_by = cluster.session.value().filter(|_| is_found).map(Session::skew);
        self.open_invalidation(Invalidation { found_by, ..Invalidation::new(cluster, self.now, keys, None) });
    }

    /// Opens the dialog; meanwhile the worker reads which of the keys are in use.
    fn open_invalidation(&mut self, mut dialog: Invalidation) {
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        if let Some(session) = cluster.and_then(|cluster| cluster.session.value()).cloned() {
            dialog.uses.ask(self.submit(Task::LastUses(Box::new(session), dialog.keys.clone())));
        }
        self.invalidation = Some(dialog);
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
        let Some(dialog) = &mut self.invalidation else { return };
        if dialog.uses.answer(ticket, Ok(uses), now) {
            let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
            dialog.count_used(cluster.map_or(now, |cluster| cluster.now(now)));
        }
    }

    /// Gives or withdraws a confirmation, and recomputes what would be sent.
    pub(crate) fn set_confirmation(&mut self, say: impl FnOnce(&mut Invalidation)) {
        let Some(dialog) = &mut self.invalidation else { return };
        say(dialog);
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        let session = cluster.and_then(|cluster| cluster.session.value());
        dialog.count_going(session, cluster.map_or(self.now, |cluster| cluster.now(self.now)));
    }

    /// Opens the dialog for all keys that the search and the status filter show now; from then on only their ids count.
    pub(crate) fn ask_invalidate_shown(&mut self) {
        if self.invalidation.is_some() {
            return;
        }
        let Some(shown) = self.cluster() else { return };
        if !shown.search_errors.is_empty() {
            return self.notice("The search has an error: the list does not show what it says");
        }
        let Some(list) = shown.keys.value().filter(|list| list.is_complete).cloned() else {
            return self.notice("The keys are still being read: wait until all of them are there");
        };
        let now = shown.now(self.now);
        let status = shown.view.status;
        let may_match = |row: &usize| {
            let keys = &list.keys;
            let is_of_group = |group: StatusGroup| group.has(keys.status(*row, now)) || !keys.has_known_status(*row);
            !keys.is_invalidated(*row) && status.is_none_or(is_of_group)
        };
        if shown.rows.not_known.rows().any(|row| may_match(&row)) {
            return self.notice("Whether every key matches is not known: select the keys you mean");
        }
        if !list.has_every_row() {
            return self.notice("The list of keys is not complete: refresh it, or select the keys you mean");
        }
        let row_ids = shown.rows.rows.clone();
        let cluster = if shown.is_merged() {
            let mut parts = row_ids.iter().filter_map(|row| shown.part(*row as usize)).map(|part| &part.id);
            let first = parts.next();
            let is_one = parts.all(|id| Some(id) == first);
            self.clusters.iter().find(|cluster| is_one && Some(&cluster.profile.id) == first)
        } else {
            Some(shown)
        };
        let Some(cluster) = cluster else {
            return self.notice("These keys belong to several clusters: search in one at a time");
        };
        let keys = KeySet::new(list, row_ids).not_yet_invalidated();
        if keys.is_empty() {
            return self.notice("All that is shown is invalidated already");
        }
        let words = [Some(shown.view.search.trim()), shown.view.status.map(StatusGroup::label)];
        let words: Vec<&str> = words.into_iter().flatten().filter(|words| !words.is_empty()).collect();
        let dialog = Invalidation::new(cluster, self.now, keys, Some(words.join(", ")));
        let found_by = cluster.session.value().map(Session::skew);
        self.open_invalidation(Invalidation { found_by, ..dialog });
    }

    pub(crate) fn invalidate(&mut self) {
        let Some(dialog) = self.invalidation.as_ref().filter(|dialog| !dialog.is_running() && !dialog.is_over()) else {
            return;
        };
        if dialog.count() > 0 {
            self.send_plan(dialog.plan());
        }
    }

    /// Consents to trust this machine's clock where the cluster's is in doubt and can't be asked, and sends the
    /// untouched keys.
    pub(crate) fn accept_clock(&mut self) {
        self.on_invalidation(|dialog| dialog.clock_in_doubt_too = true);
        self.invalidate_again(Invalidation::take_untouched);
    }

    /// Sends some of the keys again with the confirmations that were given before.
    pub(crate) fn invalidate_again(&mut self, take: fn(&mut Invalidation) -> Vec<KeyId>) {
        let Some(dialog) = self.invalidation.as_mut().filter(|dialog| dialog.is_over()) else { return };
        let plan = dialog.plan();
        let ids = take(dialog);
        if !ids.is_empty() {
            self.send_plan(InvalidationPlan { ids, ..plan });
        }
    }

    fn send_plan(&mut self, plan: InvalidationPlan) {
        let Some(dialog) = &self.invalidation else { return };
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
            return self.on_invalidation(|dialog| dialog.settle(Outcome { failed, ..Outcome::default() }));
        };
        // Nobody sees any more when they were last used.
        if let Some(question) = self.invalidation.as_mut().and_then(|dialog| dialog.uses.give_up()) {
            self.submit(Task::Stop(question));
        }
        let ticket = self.submit(Task::Invalidate(Box::new(session), Box::new(plan)));
        self.on_invalidation(|dialog| {
            dialog.ticket = Some(ticket);
            dialog.progress = InvalidationProgress { waiting: running.len(), ..InvalidationProgress::default() };
            (dialog.running, dialog.spared) = (running, spared);
            dialog.exported = Loadable::default();
            dialog.is_broken = false;
        });
    }

    pub(crate) fn stop_invalidate(&mut self) {
        let Some(ticket) = self.invalidation.as_ref().and_then(|dialog| dialog.ticket) else { return };
        self.submit(Task::Stop(ticket));
        self.on_invalidation(|dialog| dialog.stopping = true);
    }

    pub(crate) fn invalidating(&mut self, ticket: Ticket, progress: InvalidationProgress) {
        if let Some(dialog) = self.invalidation.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) {
            dialog.progress = progress;
        }
    }

    pub(crate) fn invalidated(&mut self, ticket: Ticket, outcome: Outcome) {
        let Some(dialog) = self.invalidation.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        let done = outcome.done.clone();
        dialog.settle(outcome);
        let id = dialog.profile.id.clone();
        self.journal.renew_history();
        self.creation.strays.retain(|stray| !done.contains(&stray.id));
        self.secrets_ended(&done);
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == id) {
            cluster.deselect(&done);
        }
        if let Some(merged) = &mut self.merged {
            merged.deselect(&done);
        }
        self.read_keys(&id);
    }

    pub(crate) fn export_outcomes(&mut self, key_outcome: KeyOutcome, format: Format, path: PathBuf) {
        let Some(dialog) = self.invalidation.as_ref().filter(|dialog| dialog.is_over()) else { return };
        let Some(outcome) = &dialog.outcome else { return };
        let mut rows = outcome_report::of_invalidation(outcome);
        rows.retain(|(own, ..)| *own == key_outcome);
        let file = OutcomeReport { list: dialog.keys.list().clone(), rows, format, path };
        let ticket = self.submit(Task::ExportFates(Box::new(file)));
        self.on_invalidation(|dialog| dialog.exported.ask(ticket));
    }

    /// Closes the dialog. While requests are running it stays open, because they can't be taken back.
    pub(crate) fn close_invalidate(&mut self) {
        let Some(mut dialog) = self.invalidation.take_if(|dialog| !dialog.is_running()) else { return };
        if let Some(question) = dialog.uses.give_up() {
            self.submit(Task::Stop(question));
        }
        self.resume_closing();
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
