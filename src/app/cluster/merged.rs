//! The keys of all open clusters in one list. Each key knows its cluster, and every operation on it goes there. A
//! cluster that fails leaves the others unaffected.

use std::sync::Arc;

use crate::{
    app::{Cluster, State, pending::Waiting},
    model::{
        api_key::KeyId,
        connections::profile::{Environment, Profile, ProfileId},
        inventory::RowId,
    },
    ops::keys::list::KeyList,
    worker::{Task, Ticket},
};

/// A cluster of a merged list, with the end of its range of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedSource {
    /// Id of the cluster's profile.
    pub id: ProfileId,
    /// Name of the profile.
    pub name: String,
    /// Environment of the cluster.
    pub environment: Environment,
    /// Row id after its last key, exclusive.
    pub end: usize,
}

/// Profile id that stands for all clusters. No profile has this id.
pub(crate) fn all() -> ProfileId {
    ProfileId("*all*".into())
}

impl Cluster {
    /// Returns `true` if this stands for all open clusters.
    pub fn is_merged(&self) -> bool {
        self.profile.id == all()
    }

    /// Returns the cluster that the key in this row of a merged list comes from.
    pub fn part(&self, row: RowId) -> Option<&MergedSource> {
        self.parts.get(self.parts.partition_point(|part| part.end <= row.index()))
    }
}

impl State {
    /// Returns `true` if all open clusters are shown as one.
    pub fn shows_all(&self) -> bool {
        self.current.as_ref() == Some(&all())
    }

    /// Returns the cluster that a shown key belongs to.
    pub fn home(&self, id: &KeyId) -> Option<&Cluster> {
        let shown = self.cluster()?;
        if !shown.is_merged() {
            return Some(shown);
        }
        let part = shown.inventory().row_id(id).and_then(|row| shown.part(row))?;
        self.clusters.iter().find(|cluster| cluster.profile.id == part.id)
    }

    /// Returns the one cluster that all these keys belong to; `None` if they belong to several.
    pub(crate) fn common_home(&self, ids: &[KeyId]) -> Option<&Cluster> {
        let first = self.home(ids.first()?)?;
        let shown = self.cluster()?;
        if !shown.is_merged() {
            return Some(first);
        }
        let same = |id: &KeyId| {
            let row = shown.inventory().row_id(id);
            row.and_then(|row| shown.part(row)).is_some_and(|part| part.id == first.profile.id)
        };
        ids.iter().all(same).then_some(first)
    }

    pub(crate) fn show_all(&mut self) {
        let Some(first) = self.clusters.first() else { return };
        let rank = |environment: Environment| match environment {
            Environment::Production => 3,
            Environment::Staging => 2,
            Environment::Development => 1,
            Environment::Sandbox => 0,
        };
        let environment = self.clusters.iter().map(|cluster| cluster.profile.environment).max_by_key(|e| rank(*e));
        let profile = Profile {
            id: all(),
            name: "All clusters".into(),
            environment: environment.unwrap_or(first.profile.environment),
            endpoint: first.profile.endpoint.clone(),
        };
        match &mut self.merged {
            Some(merged) => merged.profile = profile,
            None => self.merged = Some(Cluster::new(profile, self.zone.clone())),
        }
        self.current = Some(all());
        self.merge();
    }

    /// Removes all merged rows if some belong to a cluster that is closed: its profile may lead to another cluster
    /// next, which may have keys with the same ids. The other rows come back with the next merge.
    pub(crate) fn forget_merged(&mut self, id: &ProfileId) {
        let Some(merged) = self.merged.as_mut().filter(|merged| merged.parts.iter().any(|part| part.id == *id)) else {
            return;
        };
        let question = merged.keys.question();
        let mut empty = Cluster::new(merged.profile.clone(), self.zone.clone());
        empty.view = merged.view.clone();
        *merged = empty;
        if let Some(question) = question {
            self.stop(question);
        }
    }

    /// Returns the cluster whose keys are shown instead of this one's because it has the same uuid: the one with more
    /// keys read, or among equals the one opened first.
    fn shown_instead_of(&self, cluster: &Cluster) -> Option<&Cluster> {
        let uuid = |one: &Cluster| one.session.value().and_then(|session| session.cluster_uuid.clone());
        let count = |one: &Cluster| one.keys.value().map_or(0, |list| list.keys.len());
        let own = uuid(cluster)?;
        // The last maximum counts, so that the first one is looked for from the end.
        let best =
            self.clusters.iter().rev().filter(|one| uuid(one).as_ref() == Some(&own)).max_by_key(|one| count(one))?;
        (best.profile.id != cluster.profile.id).then_some(best)
    }

    /// Returns pairs of connection names that lead to the same cluster; the first of each pair is the one whose keys
    /// are shown in the merged list.
    pub fn same_clusters(&self) -> Vec<(String, String)> {
        let pair = |cluster: &Cluster| {
            Some((self.shown_instead_of(cluster)?.profile.name.clone(), cluster.profile.name.clone()))
        };
        self.clusters.iter().filter_map(pair).collect()
    }

    /// Merges the lists again in the background, because that takes a while for large clusters.
    pub(crate) fn merge(&mut self) {
        if !self.shows_all() {
            return;
        }
        let lists: Vec<(MergedSource, Arc<KeyList>)> = self
            .clusters
            .iter()
            .filter(|cluster| self.shown_instead_of(cluster).is_none())
            .filter_map(|cluster| {
                let Profile { id, name, environment, .. } = cluster.profile.clone();
                Some((MergedSource { id, name, environment, end: 0 }, cluster.keys.value().cloned()?))
            })
            .collect();
        let (parts, lists): (Vec<MergedSource>, Vec<Arc<KeyList>>) = lists.into_iter().unzip();
        let ticket = self.submit(Task::Merge(lists), Waiting::Merge);
        if let Some(merged) = &mut self.merged {
            merged.next_parts = parts;
            merged.keys.ask(ticket);
        }
    }

    pub(crate) fn merged(&mut self, ticket: Ticket, list: Arc<KeyList>, ends: &[usize]) {
        let now = self.now;
        let Some(merged) = self.merged.as_mut().filter(|merged| merged.keys.question() == Some(ticket)) else { return };
        let mut parts = std::mem::take(&mut merged.next_parts);
        parts.iter_mut().zip(ends).for_each(|(part, end)| part.end = *end);
        merged.parts = parts;
        if merged.keys.answer(ticket, Ok(list)) {
            merged.take_keys(now, None);
        }
        self.overview_if_shown();
    }
}
