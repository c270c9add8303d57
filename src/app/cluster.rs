//! An open cluster: its session, its keys and roles, and what is shown of them.

use std::{collections::HashSet, sync::Arc};

use super::{Loadable, Screen, State};
use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        expiry,
        key_list::{Rows, View},
        profile::{Environment, Profile, ProfileId},
        role::Role,
    },
    ops::{
        Problem, Session,
        list::{KeyList, ListProgress},
    },
    worker::{Task, Ticket},
};

/// A cluster that is open.
pub struct Cluster {
    /// How it is reached.
    pub profile: Profile,
    /// The signed-in connection.
    pub session: Loadable<Session>,
    /// Its keys.
    pub keys: Loadable<Arc<KeyList>>,
    /// How far reading has got: so many of so many.
    pub progress: Option<(u64, u64)>,
    /// Its roles, by name.
    pub roles: Loadable<Vec<Role>>,
    /// What is shown of the keys.
    pub view: View,
    /// The rows that fit the view.
    pub rows: Rows,
    /// The keys that are ticked.
    pub ticked: HashSet<KeyId>,
    /// The key whose page is open.
    pub open: Option<KeyId>,
    rows_good_until: Millis,
}

impl Cluster {
    fn new(profile: Profile) -> Self {
        Self {
            profile,
            session: Loadable::default(),
            keys: Loadable::default(),
            progress: None,
            roles: Loadable::default(),
            view: View::default(),
            rows: Rows::default(),
            ticked: HashSet::new(),
            open: None,
            rows_good_until: Millis::MAX,
        }
    }

    /// All keys that were read.
    pub fn all_keys(&self) -> &[ApiKey] {
        self.keys.value().map(|list| list.keys.as_slice()).unwrap_or_default()
    }

    /// The key of a row.
    pub fn row(&self, row: usize) -> Option<&ApiKey> {
        self.all_keys().get(*self.rows.places.get(row)? as usize)
    }

    /// A key by its id.
    pub fn key(&self, id: &KeyId) -> Option<&ApiKey> {
        self.all_keys().iter().find(|key| key.id == *id)
    }

    /// The key whose page is open, if it is still there.
    pub fn open_key(&self) -> Option<&ApiKey> {
        self.key(self.open.as_ref()?)
    }

    /// The cluster's now: expiry is judged by its clock.
    pub fn now(&self, now: Millis) -> Millis {
        let skew = self.session.value().map_or(0, Session::skew);
        now.saturating_add(skew)
    }

    /// Another filter or order.
    pub(super) fn set_view(&mut self, view: View, now: Millis) {
        if self.view != view {
            self.view = view;
            self.make_rows(now);
        }
    }

    pub(super) fn tick(&mut self, id: KeyId, on: bool) {
        if on {
            self.ticked.insert(id);
        } else {
            self.ticked.remove(&id);
        }
    }

    pub(super) fn tick_only(&mut self, ids: Vec<KeyId>) {
        self.ticked = ids.into_iter().collect();
    }

    fn take_keys(&mut self, now: Millis) {
        let known: HashSet<&KeyId> =
            self.keys.value().map(|list| list.keys.iter().map(|key| &key.id).collect()).unwrap_or_default();
        self.ticked.retain(|id| known.contains(id));
        self.make_rows(now);
    }

    fn make_rows(&mut self, now: Millis) {
        let now = self.now(now);
        let rows = self.view.rows(self.all_keys(), now);
        self.rows = rows;
        let changes = self.all_keys().iter().filter(|key| !key.invalidated).filter_map(|key| key.expires);
        let thresholds =
            changes.flat_map(|at| [0, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| at.saturating_sub(t)));
        self.rows_good_until = thresholds.filter(|at| *at > now).min().unwrap_or(Millis::MAX);
    }

    /// Sorts and counts again when a key has crossed a threshold.
    pub(super) fn refresh_rows(&mut self, now: Millis) {
        if self.now(now) >= self.rows_good_until {
            self.make_rows(now);
        }
    }

    /// When the next key crosses a threshold, by this machine's clock.
    pub(super) fn next_change(&self, now: Millis) -> Option<Millis> {
        let skew = self.now(now).saturating_sub(now);
        (self.rows_good_until != Millis::MAX).then(|| self.rows_good_until.saturating_sub(skew))
    }
}

impl State {
    pub(super) fn connect(&mut self, profile: Profile) {
        let id = profile.id.clone();
        self.current = Some(id.clone());
        self.screen = Screen::Keys;
        let reached =
            |cluster: &&mut Cluster| cluster.profile.endpoint == profile.endpoint && cluster.session.value().is_some();
        if let Some(open) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == id).filter(reached) {
            // Its name and its environment may be others by now: what is production must look like it.
            open.profile = profile;
            return;
        }
        let ticket = self.submit(Task::Connect(Box::new(profile.endpoint.clone())));
        self.close(&id);
        let mut cluster = Cluster::new(profile);
        cluster.session.ask(ticket);
        self.clusters.push(cluster);
    }

    pub(super) fn switch_to(&mut self, id: ProfileId) {
        self.current = Some(id);
        self.read_what_is_shown();
    }

    /// The form of a new key needs the roles of whichever cluster has come below it.
    fn read_what_is_shown(&mut self) {
        if self.screen == Screen::Create {
            self.read_roles_once();
        }
    }

    pub(super) fn disconnect(&mut self, id: &ProfileId) {
        self.close(id);
        if self.current.as_ref() == Some(id) {
            self.current = self.clusters.last().map(|cluster| cluster.profile.id.clone());
            if self.current.is_none() {
                self.show(Screen::Connections);
            }
            self.read_what_is_shown();
        }
    }

    /// Takes a cluster away; what is being read of it is stopped.
    fn close(&mut self, id: &ProfileId) {
        let closed = self.clusters.iter().filter(|cluster| cluster.profile.id == *id);
        let questions: Vec<Ticket> = closed
            .flat_map(|cluster| [cluster.session.question(), cluster.keys.question(), cluster.roles.question()])
            .flatten()
            .collect();
        for ticket in questions {
            self.submit(Task::Stop(ticket));
        }
        self.clusters.retain(|cluster| cluster.profile.id != *id);
    }

    pub(super) fn connected(&mut self, ticket: Ticket, result: Result<Session, Problem>) {
        let now = self.now;
        let taken = self.clusters.iter_mut().find(|cluster| cluster.session.question() == Some(ticket));
        let Some(cluster) = taken else { return };
        let good = result.is_ok();
        cluster.session.answer(ticket, result, now);
        let id = cluster.profile.id.clone();
        if good {
            self.read_keys(&id);
            self.read_what_is_shown();
        }
    }

    pub(super) fn refresh(&mut self) {
        if let Some(id) = self.current.clone() {
            self.read_keys(&id);
        }
    }

    /// Reads the keys of a cluster again. An earlier reading is stopped: the newest question counts.
    pub(super) fn read_keys(&mut self, id: &ProfileId) {
        let Some(place) = self.clusters.iter().position(|cluster| cluster.profile.id == *id) else { return };
        let Some(session) = self.clusters[place].session.value().cloned() else { return };
        if let Some(old) = self.clusters[place].keys.give_up() {
            self.submit(Task::Stop(old));
        }
        let ticket = self.submit(Task::List(Box::new(session)));
        let cluster = &mut self.clusters[place];
        cluster.keys.ask(ticket);
        cluster.progress = None;
    }

    pub(super) fn stop_refresh(&mut self) {
        let Some(cluster) = self.cluster_mut() else { return };
        cluster.progress = None;
        if let Some(ticket) = cluster.keys.give_up() {
            self.submit(Task::Stop(ticket));
        }
    }

    pub(super) fn listing(&mut self, ticket: Ticket, progress: ListProgress) {
        let now = self.now;
        let Some(cluster) = self.clusters.iter_mut().find(|c| c.keys.question() == Some(ticket)) else { return };
        match progress {
            // The first rows are shown only where nothing is known: a longer older list is worth more.
            ListProgress::First(list) => {
                cluster.progress = Some((list.keys.len() as u64, list.total));
                if cluster.keys.value().is_none() && cluster.keys.preview(ticket, list) {
                    cluster.take_keys(now);
                }
            }
            ListProgress::Count { read, total } => cluster.progress = Some((read, total)),
        }
    }

    pub(super) fn listed(&mut self, ticket: Ticket, result: Result<KeyList, Problem>) {
        let now = self.now;
        let Some(cluster) = self.clusters.iter_mut().find(|c| c.keys.question() == Some(ticket)) else { return };
        cluster.progress = None;
        if cluster.keys.answer(ticket, result.map(Arc::new), now) {
            cluster.take_keys(now);
        }
    }

    pub(super) fn read_roles_once(&mut self) {
        if self.cluster().is_some_and(|cluster| cluster.roles.is_untouched()) {
            self.read_roles();
        }
    }

    pub(super) fn read_roles(&mut self) {
        let Some(session) = self.cluster().and_then(|cluster| cluster.session.value()).cloned() else { return };
        let ticket = self.submit(Task::Roles(Box::new(session)));
        if let Some(cluster) = self.cluster_mut() {
            cluster.roles.ask(ticket);
        }
    }

    pub(super) fn roles(&mut self, ticket: Ticket, result: Result<Vec<Role>, Problem>) {
        let now = self.now;
        if let Some(cluster) = self.clusters.iter_mut().find(|c| c.roles.question() == Some(ticket)) {
            cluster.roles.answer(ticket, result, now);
        }
    }

    /// Whether any open cluster believes any certificate, or is not encrypted.
    pub fn insecure(&self) -> bool {
        self.cluster().is_some_and(|cluster| {
            cluster.profile.environment != Environment::Sandbox
                && (cluster.profile.endpoint.trust == crate::model::endpoint::Trust::InsecureDev
                    || !cluster.profile.endpoint.url.is_https())
        })
    }
}
