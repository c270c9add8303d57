//! The dialog of invalidating: what will happen, what is happening, what has happened.

use super::State;
use crate::{
    model::{
        api_key::{ApiKey, KeyId},
        profile::Profile,
    },
    ops::invalidate::Outcome,
    worker::{Task, Ticket},
};

/// From so many keys on, the confirmation is typed.
pub const TYPED_FROM: usize = 10;

/// What is to be invalidated, on which cluster.
pub struct Invalidation {
    /// The cluster.
    pub profile: Profile,
    /// The keys as they were when they were shown; only their ids are sent.
    pub keys: Vec<ApiKey>,
    /// Whether the session's own key is among them.
    pub own_key: Option<KeyId>,
    /// Whether the extra word was said for it.
    pub own_key_too: bool,
    /// What has become of them so far.
    pub outcome: Option<Outcome>,
    ticket: Option<Ticket>,
    /// Whether it was asked to stop.
    pub stopping: bool,
    /// Whether it broke off in a way that nobody foresaw.
    pub is_broken: bool,
}

impl Invalidation {
    /// The ids that will be sent.
    pub fn ids(&self) -> Vec<KeyId> {
        let guarded = self.own_key.as_ref().filter(|_| !self.own_key_too);
        self.keys.iter().map(|key| key.id.clone()).filter(|id| Some(id) != guarded).collect()
    }

    /// What has to be typed, when there are many.
    pub fn words_to_type(&self) -> Option<String> {
        let count = self.ids().len();
        (count >= TYPED_FROM).then(|| format!("invalidate {count}"))
    }

    /// Whether requests are under way.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ticket.is_none() && (self.outcome.is_some() || self.is_broken)
    }

    pub(super) fn broken(&mut self, ticket: Ticket) {
        self.is_broken |= self.ticket.take_if(|own| *own == ticket).is_some();
    }
}

impl State {
    pub(super) fn ask_invalidate(&mut self, ids: Vec<KeyId>) {
        let Some(cluster) = self.common_home(&ids) else {
            return self.notice("These keys belong to several clusters: select those of one at a time");
        };
        let own = cluster.session.value().and_then(|session| session.own_key()).cloned();
        let known = ids.iter().filter_map(|id| cluster.key(id));
        let mut keys: Vec<ApiKey> = known.filter(|key| !key.invalidated).collect();
        if self.creation.is_of(&cluster.profile) {
            keys.extend(self.creation.strays.iter().filter(|stray| ids.contains(&stray.id)).cloned());
        }
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys.dedup_by(|a, b| a.id == b.id);
        if keys.is_empty() {
            return self.notice("These keys are invalidated already");
        }
        let own_key = own.filter(|own| keys.iter().any(|key| key.id == *own));
        self.invalidation = Some(Invalidation {
            profile: cluster.profile.clone(),
            keys,
            own_key,
            own_key_too: false,
            outcome: None,
            ticket: None,
            stopping: false,
            is_broken: false,
        });
    }

    pub(super) fn invalidate(&mut self) {
        let Some(dialog) = self.invalidation.as_ref().filter(|dialog| !dialog.is_running() && !dialog.is_over()) else {
            return;
        };
        let (ids, own_key_too, id) = (dialog.ids(), dialog.own_key_too, dialog.profile.id.clone());
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == id);
        let Some(session) = cluster.and_then(|cluster| cluster.session.value()).cloned() else { return };
        if ids.is_empty() {
            return;
        }
        let ticket = self.submit(Task::Invalidate(Box::new(session), ids, own_key_too));
        self.on_invalidation(|dialog| dialog.ticket = Some(ticket));
    }

    pub(super) fn stop_invalidate(&mut self) {
        let Some(ticket) = self.invalidation.as_ref().and_then(|dialog| dialog.ticket) else { return };
        self.submit(Task::Stop(ticket));
        self.on_invalidation(|dialog| dialog.stopping = true);
    }

    pub(super) fn invalidating(&mut self, ticket: Ticket, outcome: Outcome, over: bool) {
        let Some(dialog) = self.invalidation.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        dialog.outcome = Some(outcome);
        if !over {
            return;
        }
        dialog.ticket = None;
        let done: Vec<KeyId> = dialog.outcome.iter().flat_map(|outcome| outcome.done.clone()).collect();
        let id = dialog.profile.id.clone();
        self.journal.renew_history();
        self.creation.strays.retain(|stray| !done.contains(&stray.id));
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == id) {
            cluster.deselect(&done);
        }
        if let Some(merged) = &mut self.merged {
            merged.deselect(&done);
        }
        self.read_keys(&id);
    }

    /// Closes the dialog; while requests are under way it stays, since they can't be taken back.
    pub(super) fn close_invalidate(&mut self) {
        if self.invalidation.as_ref().is_some_and(|dialog| !dialog.is_running()) {
            self.invalidation = None;
        }
    }
}
