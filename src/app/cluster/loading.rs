//! Reading the keys of a cluster, and showing them while they arrive.

use std::sync::Arc;

use crate::{
    app::{State, pending::Waiting},
    model::{connections::profile::ProfileId, inventory::list_view::ListSnapshot},
    ops::{
        Problem,
        create::completions::Completions,
        keys::list::{KeyList, ListProgress},
    },
    worker::{Task, Ticket, ViewRequest},
};

impl State {
    pub(crate) fn refresh(&mut self) {
        if self.shows_all() {
            let ids: Vec<ProfileId> = self.clusters.iter().map(|cluster| cluster.profile.id.clone()).collect();
            return ids.iter().for_each(|id| self.read_keys(id));
        }
        if let Some(id) = self.current.clone() {
            self.read_keys(&id);
        }
    }

    /// Reads the keys of a cluster again. An earlier read is stopped: only the newest request counts.
    pub(crate) fn read_keys(&mut self, id: &ProfileId) {
        let Some(row) = self.clusters.iter().position(|cluster| cluster.profile.id == *id) else { return };
        let Some(session) = self.clusters[row].session.value().cloned() else { return };
        if let Some(old) = self.clusters[row].keys.give_up() {
            self.stop(old);
        }
        let known = self.clusters[row].keys.value().cloned();
        if known.is_none() {
            let counts = self.submit(Task::FirstCounts(Box::new(session.clone())), Waiting::Cluster(id.clone()));
            self.clusters[row].first_counts.ask(counts);
        }
        let looking = ViewRequest { view: self.clusters[row].view.clone(), zone: self.zone.clone() };
        let ticket = self.submit(Task::List(Box::new(session), known, Box::new(looking)), Waiting::Cluster(id.clone()));
        let cluster = &mut self.clusters[row];
        cluster.keys.ask(ticket);
        cluster.progress = None;
    }

    pub(crate) fn stop_refresh(&mut self) {
        let Some(cluster) = self.cluster_mut() else { return };
        cluster.progress = None;
        if let Some(ticket) = cluster.keys.give_up() {
            self.stop(ticket);
        }
    }

    pub(crate) fn listing(&mut self, ticket: Ticket, progress: ListProgress, snapshot: Option<Box<ListSnapshot>>) {
        let now = self.now;
        let Some(cluster) = self.clusters.iter_mut().find(|c| c.keys.question() == Some(ticket)) else { return };
        let old = cluster.keys.value().cloned();
        match progress {
            // A part is shown only where nothing is known, or less of it: an older list that is whole is
            // worth more.
            ListProgress::Part(list) => {
                cluster.progress = Some((list.keys.len() as u64, list.total));
                let shown = cluster.keys.value();
                if shown.is_none_or(|shown| !shown.is_complete) && cluster.keys.preview(ticket, list) {
                    cluster.take_keys(now, snapshot);
                }
            }
            ListProgress::Renewed(list) => {
                if cluster.keys.preview(ticket, list) {
                    cluster.take_keys(now, snapshot);
                }
                self.overview_if_shown();
            }
            ListProgress::Count { read, total } => cluster.progress = Some((read, total)),
        }
        self.let_go(old);
    }

    pub(crate) fn listed(
        &mut self,
        ticket: Ticket,
        result: Result<Arc<KeyList>, Problem>,
        snapshot: Option<Box<ListSnapshot>>,
    ) {
        let now = self.now;
        let Some(cluster) = self.clusters.iter_mut().find(|c| c.keys.question() == Some(ticket)) else { return };
        cluster.progress = None;
        let old = cluster.keys.value().cloned();
        if cluster.keys.answer(ticket, result) {
            cluster.take_keys(now, snapshot);
        }
        self.let_go(old);
        self.merge();
        self.overview_if_shown();
    }

    pub(crate) fn read_names_once(&mut self) {
        let Some(cluster) = self.cluster().filter(|cluster| cluster.names.is_untouched()) else { return };
        let Some(session) = cluster.session.value().cloned() else { return };
        let waiting = Waiting::Cluster(cluster.profile.id.clone());
        let ticket = self.submit(Task::Names(Box::new(session)), waiting);
        if let Some(cluster) = self.cluster_mut() {
            cluster.names.ask(ticket);
        }
    }

    pub(crate) fn names(&mut self, ticket: Ticket, names: Completions) {
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.names.question() == Some(ticket)) {
            cluster.names.answer(ticket, Ok(names));
        }
    }

    /// Passes a list that is no longer shown to the worker, because dropping the last reference takes longer than a
    /// frame.
    fn let_go(&mut self, list: Option<Arc<KeyList>>) {
        let shown = |list: &Arc<KeyList>| {
            self.clusters.iter().any(|cluster| cluster.keys.value().is_some_and(|own| Arc::ptr_eq(own, list)))
        };
        if let Some(list) = list.filter(|list| !shown(list)) {
            self.send(Task::LetGo(list));
        }
    }
}
