//! The dialog of updating: what is typed, what it would change, what is happening, what has happened.

use std::collections::HashMap;

use super::{Loadable, State};
use crate::{
    export::Format,
    model::{
        Millis,
        api_key::{ApiKey, KeyId, KeyKind},
        cross_cluster::CrossClusterUpdate,
        failure::Failure,
        profile::Profile,
        update::{self, Changes, KeyUpdate},
        update_draft::{UpdateDraft, UpdateSlip},
    },
    ops::{
        Problem, Session,
        chosen::Chosen,
        export::Exported,
        fates::{self, Fate, FatesFile},
        update::UpdateOutcome,
        update_many::{self, Before, Wanted},
    },
    worker::{Task, Ticket},
};

/// From so many keys on, the confirmation is typed.
pub const TYPED_FROM: usize = 10;

/// A step within the dialog.
#[derive(Debug)]
pub enum Step {
    /// Show the form for these keys.
    Ask(Vec<KeyId>),
    /// Read what was typed, and show what it would change.
    Review(Box<UpdateDraft>),
    /// Go back to the form.
    Back,
    /// Say the extra word for descriptors that become `{}`.
    AllOwnerRights(bool),
    /// Say the extra word for metadata that becomes `{}`.
    WipeMetadata(bool),
    /// Send what was reviewed.
    Send,
    /// Begin nothing more.
    Stop,
    /// Go on with those that were never sent.
    GoOn,
    /// Close the dialog.
    Close,
}

/// What would be changed, key by key.
#[derive(Debug, Default)]
pub struct Review {
    /// The keys for which something would be different, and what.
    pub changes: Vec<(ApiKey, Changes)>,
    /// Keys for which nothing would be.
    pub unchanged: usize,
    /// How many may then do all that their owner may.
    pub lose_limits: usize,
    /// How many lose all metadata.
    pub lose_metadata: usize,
    updates: Vec<(KeyId, KeyUpdate)>,
    pub(super) cross: Option<CrossUpdate>,
}

/// The update of a cross-cluster key, which goes another way.
#[derive(Clone, Debug)]
pub(super) struct CrossUpdate {
    pub(super) id: KeyId,
    pub(super) update: CrossClusterUpdate,
}

/// Keys that are to be updated, on which cluster.
pub struct Updating {
    /// The cluster.
    pub profile: Profile,
    /// The keys that can be updated.
    pub keys: Chosen,
    /// Keys that can't, with the reason of the first.
    pub left_out: (usize, String),
    /// Of one key: it as it is now.
    pub before: Loadable<Before>,
    /// What is wrong with what was typed.
    pub slips: Vec<UpdateSlip>,
    /// What it would change; `None` while it is typed.
    pub review: Option<Review>,
    /// Whether the extra word was said for keys that lose their limits.
    pub all_owner_rights: bool,
    /// Whether the extra word was said for keys that lose their metadata.
    pub wipe_metadata: bool,
    /// What has become of them.
    pub outcome: Option<UpdateOutcome>,
    /// How many are settled.
    pub settled: usize,
    /// The file of what became of them.
    pub exported: Loadable<Exported>,
    /// Whether it was asked to stop.
    pub stopping: bool,
    /// Whether it broke off in a way that nobody foresaw.
    pub is_broken: bool,
    /// What is sent now.
    running: Vec<KeyId>,
    ticket: Option<Ticket>,
}

impl Updating {
    fn new(profile: Profile, keys: Chosen) -> Self {
        Self {
            profile,
            keys,
            left_out: (0, String::new()),
            before: Loadable::default(),
            slips: Vec::new(),
            review: None,
            all_owner_rights: false,
            wipe_metadata: false,
            outcome: None,
            settled: 0,
            exported: Loadable::default(),
            stopping: false,
            is_broken: false,
            running: Vec::new(),
            ticket: None,
        }
    }

    /// Whether it is about one key, whose texts can be edited as a whole.
    pub fn single(&self) -> Option<ApiKey> {
        (self.keys.len() == 1).then(|| self.keys.key(0)).flatten()
    }

    /// Whether requests are under way.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ticket.is_none() && (self.outcome.is_some() || self.is_broken)
    }

    /// What stands in the way of sending.
    pub fn obstacle(&self) -> Option<&'static str> {
        let review = self.review.as_ref()?;
        if review.changes.is_empty() {
            Some("Nothing would be different")
        } else if review.lose_limits > 0 && !self.all_owner_rights {
            Some("Tick that all the owner’s rights are meant")
        } else if review.lose_metadata > 0 && !self.wipe_metadata {
            Some("Tick that wiping the metadata is meant")
        } else {
            None
        }
    }

    /// What has to be typed, when there are many.
    pub fn words_to_type(&self) -> Option<String> {
        let count = self.review.as_ref().map_or(0, |review| review.changes.len());
        (count >= TYPED_FROM).then(|| format!("update {count}"))
    }

    /// How many are sent in all.
    pub fn total(&self) -> usize {
        self.review.as_ref().map_or(0, |review| review.updates.len() + usize::from(review.cross.is_some()))
    }

    pub(super) fn broken(&mut self, ticket: Ticket) {
        if self.ticket.take_if(|own| *own == ticket).is_some() {
            self.is_broken = true;
            self.stopping = false;
            let unknown = Failure::Unknown("Keybearer made a mistake. Refresh the list to see what is true".into());
            let failed = self.running.drain(..).map(|id| (id, unknown.clone()));
            self.outcome.get_or_insert_default().failed.extend(failed);
        }
    }

    fn make_review(&mut self, draft: &UpdateDraft, now: Millis, zone: &jiff::tz::TimeZone) {
        self.slips.clear();
        (self.all_owner_rights, self.wipe_metadata) = (false, false);
        if let Some(key) = self.cross().cloned() {
            return self.review_cross(draft, &key, now, zone);
        }
        let checked = match draft.check(now, zone) {
            Ok(checked) => checked,
            Err(slips) => return self.slips = slips,
        };
        // One key was read again, with the snapshot of its owner's rights; of many the list is what is known.
        let before = self.before.value();
        let keys: Vec<ApiKey> = before.map_or_else(|| self.keys.keys().collect(), |before| vec![before.key.clone()]);
        let owner_today = before.and_then(|before| before.owner_today.as_deref());
        let mut review = Review::default();
        for key in keys {
            let change = match checked.of(&key) {
                Ok(change) => change,
                Err(words) => return self.slips.push((crate::model::update_draft::UpdateField::Set, words)),
            };
            let changes = update::diff(&key, &change, owner_today, now);
            // Of one key an update that only takes its owner's rights of today may be what is wanted.
            let only_rights = before.is_some() && changes.owner_snapshot_changes != Some(false);
            if change.is_empty() && !only_rights {
                review.unchanged += 1;
                continue;
            }
            review.lose_limits += usize::from(changes.removes_restriction);
            review.lose_metadata += usize::from(changes.wipes_metadata);
            review.updates.push((key.id.clone(), change));
            review.changes.push((key, changes));
        }
        self.review = Some(review);
    }
}

impl State {
    pub(super) fn update_step(&mut self, step: Step) {
        match step {
            Step::Ask(ids) => self.ask_update(&ids),
            Step::Review(draft) => self.review_update(&draft),
            Step::Back => self.on_updating(|dialog| dialog.review = None),
            Step::AllOwnerRights(on) => self.on_updating(|dialog| dialog.all_owner_rights = on),
            Step::WipeMetadata(on) => self.on_updating(|dialog| dialog.wipe_metadata = on),
            Step::Send => self.send_update(),
            Step::Stop => {
                let Some(ticket) = self.updating.as_ref().and_then(|dialog| dialog.ticket) else { return };
                self.submit(Task::Stop(ticket));
                if let Some(dialog) = &mut self.updating {
                    dialog.stopping = true;
                }
            }
            Step::GoOn => self.go_on_updating(),
            Step::Close if self.updating.as_ref().is_some_and(|dialog| !dialog.is_running()) => self.updating = None,
            Step::Close => {}
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
        let places = ids.iter().filter_map(|id| list.keys.place(id)).map(|place| place as u32).collect();
        let all = Chosen::new(list, places).not_yet_invalidated();
        let now = cluster.now(self.now);
        let is_many = ids.len() > 1;
        let hindrance = |key: &ApiKey| {
            let ended =
                key.expires.is_some_and(|at| at <= now).then(|| "It has expired, and nothing revives it".into());
            let alone = is_many && key.kind == KeyKind::CrossCluster;
            let alone = alone.then(|| "A cross-cluster key is updated by itself: open its page".into());
            ended.or_else(|| update_many::hindrance(&session, key)).or(alone)
        };
        let mut left_out = (0, String::new());
        let keys = all.only(|key| match hindrance(key) {
            Some(words) => {
                left_out.0 += 1;
                if left_out.0 == 1 {
                    left_out.1 = words;
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

    fn review_update(&mut self, draft: &UpdateDraft) {
        let Some(id) = self.updating.as_ref().map(|dialog| dialog.profile.id.clone()) else { return };
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == id);
        let (now, zone) = (cluster.map_or(self.now, |cluster| cluster.now(self.now)), self.zone.clone());
        self.on_updating(|dialog| dialog.make_review(draft, now, &zone));
    }

    fn send_update(&mut self) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| !dialog.is_running() && !dialog.is_over()) else {
            return;
        };
        let (None, Some(review)) = (dialog.obstacle(), &dialog.review) else { return };
        match &review.cross {
            Some(cross) => {
                let cross = cross.clone();
                self.submit_update(vec![cross.id.clone()], |session| cross.task(session));
            }
            None => self.send_updates(review.updates.clone()),
        }
    }

    fn go_on_updating(&mut self) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| dialog.is_over()) else { return };
        let (Some(outcome), Some(review)) = (&dialog.outcome, &dialog.review) else { return };
        let rest: std::collections::HashSet<&KeyId> = outcome.untouched.iter().collect();
        let updates = review.updates.iter().filter(|(id, _)| rest.contains(id)).cloned().collect();
        self.send_updates(updates);
    }

    fn send_updates(&mut self, updates: Vec<(KeyId, KeyUpdate)>) {
        let Some(review) = self.updating.as_ref().and_then(|dialog| dialog.review.as_ref()) else { return };
        let seen: HashMap<&KeyId, &ApiKey> = review.changes.iter().map(|(key, _)| (&key.id, key)).collect();
        let wanted = |(id, change): (KeyId, KeyUpdate)| {
            let seen = seen.get(&id).and_then(|key| key.metadata.clone());
            Wanted { id, change, seen }
        };
        let wanted: Vec<Wanted> = updates.into_iter().map(wanted).collect();
        if !wanted.is_empty() {
            let ids = wanted.iter().map(|wanted| wanted.id.clone()).collect();
            self.submit_update(ids, |session| Task::Update(Box::new(session), wanted));
        }
    }

    fn submit_update(&mut self, ids: Vec<KeyId>, task: impl FnOnce(Session) -> Task) {
        let Some(id) = self.updating.as_ref().map(|dialog| dialog.profile.id.clone()) else { return };
        let session: Option<Session> =
            self.clusters.iter().find(|c| c.profile.id == id).and_then(|c| c.session.value()).cloned();
        let Some(session) = session else {
            return self.notice("The connection was closed: nothing was sent");
        };
        let ticket = self.submit(task(session));
        self.on_updating(|dialog| {
            dialog.ticket = Some(ticket);
            dialog.running = ids;
            (dialog.stopping, dialog.is_broken) = (false, false);
            dialog.exported = Loadable::default();
            if let Some(outcome) = &mut dialog.outcome {
                outcome.untouched.clear();
                dialog.settled = outcome.updated.len() + outcome.unchanged.len() + outcome.failed.len();
            }
        });
    }

    pub(super) fn before_update(&mut self, ticket: Ticket, result: Result<Before, Problem>) {
        let now = self.now;
        if let Some(dialog) = &mut self.updating {
            dialog.before.answer(ticket, result, now);
        }
    }

    pub(super) fn updating(&mut self, ticket: Ticket, settled: usize) {
        if let Some(dialog) = self.updating.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) {
            let before =
                dialog.outcome.as_ref().map_or(0, |own| own.updated.len() + own.unchanged.len() + own.failed.len());
            dialog.settled = before + settled;
        }
    }

    pub(super) fn updated(&mut self, ticket: Ticket, outcome: UpdateOutcome) {
        let Some(dialog) = self.updating.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        dialog.ticket = None;
        dialog.stopping = false;
        dialog.running.clear();
        let whole = dialog.outcome.get_or_insert_default();
        whole.updated.extend(outcome.updated);
        whole.unchanged.extend(outcome.unchanged);
        whole.failed.extend(outcome.failed);
        whole.untouched = outcome.untouched;
        whole.broke_off = outcome.broke_off;
        self.journal.renew_history();
        let id = dialog.profile.id.clone();
        self.read_keys(&id);
    }

    pub(super) fn export_updates(&mut self, fate: Fate, format: Format, path: std::path::PathBuf) {
        let Some(dialog) = self.updating.as_ref().filter(|dialog| dialog.is_over()) else { return };
        let Some(outcome) = &dialog.outcome else { return };
        let mut rows = fates::of_update(outcome);
        rows.retain(|(own, ..)| *own == fate);
        let file = FatesFile { list: dialog.keys.list().clone(), rows, format, path };
        let ticket = self.submit(Task::ExportFates(Box::new(file)));
        self.on_updating(|dialog| dialog.exported.ask(ticket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::rotated::tests::profile;

    #[test]
    fn what_was_on_its_way_when_the_work_broke_off_is_told_as_not_known() {
        let mut dialog = Updating { ticket: Some(Ticket(7)), ..Updating::new(profile(), Chosen::default()) };
        dialog.running = vec![KeyId::new("a"), KeyId::new("b")];
        dialog.broken(Ticket(6));
        assert!(dialog.is_running() && dialog.outcome.is_none());
        dialog.broken(Ticket(7));
        assert!(dialog.is_over() && dialog.is_broken);
        let failed = dialog.outcome.unwrap().failed;
        assert_eq!(failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(failed.iter().all(|(_, failure)| failure.is_unknown()));
    }
}
