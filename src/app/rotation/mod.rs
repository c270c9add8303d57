//! Rotations of the open clusters: read after signing in, after each step, and whenever the keys are read. Nothing is
//! read while drawing, and nothing polls: the window wakes when the next rotation is due.

pub mod answers;
pub mod dialog;
pub mod stages;

use super::{Cluster, Loadable, State, pending::Waiting};
use crate::{
    model::{
        Timestamp,
        api_key::KeyId,
        connections::profile::ProfileId,
        rotation::{KeyState, Next, Outlook, Rotation},
    },
    ops::{Problem, rotation::overview::ClusterRotations},
    worker::{Rotate, Task, Ticket},
};

/// Rotations of the open clusters.
#[derive(Default)]
pub struct Rotations(Vec<(ProfileId, Loadable<ClusterRotations>)>);

/// A rotation of an open cluster.
#[derive(Clone)]
pub struct RotationRow<'a> {
    /// Id of the cluster's profile.
    pub profile: &'a ProfileId,
    /// The rotation as it was last read.
    pub rotation: &'a Rotation,
    /// Next step, given the state of both keys.
    pub outlook: Outlook,
}

/// Role of a key in a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationRole {
    /// The key that gets a successor.
    Old,
    /// The key that replaces another.
    Successor,
}

impl Rotations {
    /// Returns the rotations of a cluster; `None` if they were never requested.
    pub fn of(&self, id: &ProfileId) -> Option<&Loadable<ClusterRotations>> {
        self.0.iter().find(|(own, _)| own == id).map(|(_, here)| here)
    }

    fn entry(&mut self, id: &ProfileId) -> &mut Loadable<ClusterRotations> {
        let place = self.0.iter().position(|(own, _)| own == id).unwrap_or_else(|| {
            self.0.push((id.clone(), Loadable::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }

    /// Forgets the rotations of a closed cluster, because another cluster may be opened under the same profile.
    pub(super) fn forget(&mut self, id: &ProfileId) {
        self.0.retain(|(own, _)| own != id);
    }

    fn asked(&mut self, ticket: Ticket) -> Option<&mut Loadable<ClusterRotations>> {
        self.0.iter_mut().map(|(_, here)| here).find(|here| here.question() == Some(ticket))
    }
}

/// Returns `true` if a rotation was interrupted and waits for a person.
pub fn is_interrupted(outlook: &Outlook) -> bool {
    matches!(outlook, Outlook::Next(Next::Make | Next::Try))
}

/// Returns `true` if a rotation can't be completed any more: it can only be closed or canceled.
pub fn is_stuck(outlook: &Outlook) -> bool {
    matches!(outlook, Outlook::Dead(_) | Outlook::SuccessorEnded(_))
}

/// Returns the sort key of a rotation, most urgent first: due, interrupted or stuck, waiting.
fn urgency(row: &RotationRow<'_>) -> (u8, Timestamp) {
    let begun = row.rotation.begun_at;
    match &row.outlook {
        outlook if outlook.is_due() => (0, begun),
        Outlook::Next(Next::Wait(due)) => (2, *due),
        Outlook::Next(Next::Nothing) => (3, begun),
        _ => (1, begun),
    }
}

impl State {
    /// Returns the clusters that are shown: several if their keys are merged into one list.
    pub(super) fn shown_clusters(&self) -> impl Iterator<Item = &Cluster> {
        let (all, shown) = (self.shows_all(), self.cluster().map(|cluster| &cluster.profile.id));
        self.clusters.iter().filter(move |cluster| all || Some(&cluster.profile.id) == shown)
    }

    fn shown_rotations(&self) -> impl Iterator<Item = &Loadable<ClusterRotations>> {
        self.shown_clusters().filter_map(|cluster| self.rotations.of(&cluster.profile.id))
    }

    /// Returns the unfinished rotations of the shown clusters, most urgent first.
    pub fn open_rotations(&self) -> Vec<RotationRow<'_>> {
        let of = |cluster: &'_ Cluster| self.rotations.of(&cluster.profile.id).and_then(Loadable::value);
        let mut rows: Vec<RotationRow<'_>> = Vec::new();
        for cluster in self.shown_clusters() {
            let here = of(cluster).into_iter().flat_map(|here| &here.rotations);
            let open = here.filter(|rotation| !rotation.is_finished());
            rows.extend(open.map(|rotation| self.row(&cluster.profile.id, rotation)));
        }
        rows.sort_by_key(urgency);
        rows
    }

    /// Adds the outlook to a rotation.
    pub fn row<'a>(&self, profile: &'a ProfileId, rotation: &'a Rotation) -> RotationRow<'a> {
        RotationRow { profile, rotation, outlook: self.outlook(profile, rotation) }
    }

    /// Computes the outlook of a rotation of an open cluster: from the keys in the list, and for keys that are not in
    /// it from their state when the rotations were read.
    pub fn outlook(&self, profile: &ProfileId, rotation: &Rotation) -> Outlook {
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == *profile);
        let here = self.rotations.of(profile).and_then(Loadable::value);
        let standing = |id: &KeyId| -> KeyState {
            let listed = cluster.and_then(|cluster| {
                // This is asked in every frame: a key that is read from the columns costs no copy of it.
                let (keys, now) = (cluster.inventory(), cluster.now(self.now));
                let row = keys.row_id(id)?;
                match keys.flaw(row) {
                    None => Some(KeyState::by_status(keys.status(row, now))),
                    Some(_) => Some(KeyState::of(&keys.key(row), now)),
                }
            });
            listed.unwrap_or_else(|| here.map_or(KeyState::Unknown, |here| here.states.of(id)))
        };
        let successor = rotation.successor().map_or(KeyState::Unknown, standing);
        rotation.outlook(self.now, standing(&rotation.old.id), successor)
    }

    /// Returns the problem that prevented reading the rotations of a shown cluster.
    pub fn rotations_problem(&self) -> Option<&Problem> {
        self.shown_rotations().find_map(Loadable::problem)
    }

    /// Returns files that should be rotations and can't be read, each with the reason; sorted by path.
    pub fn unreadable_rotations(&self) -> Vec<(String, String)> {
        let files = self.shown_rotations().filter_map(Loadable::value).flat_map(|here| &here.unreadable);
        let mut files: Vec<(String, String)> =
            files.map(|(path, reason)| (path.display().to_string(), reason.clone())).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Returns the rotation that a shown key is in, and the key's role. Unfinished rotations take precedence over
    /// finished ones, and newer over older.
    pub fn rotation_of(&self, id: &KeyId) -> Option<(&Rotation, RotationRole)> {
        let here = self.rotations.of(&self.home(id)?.profile.id)?.value()?;
        let part = |rotation: &Rotation| match rotation.old.id == *id {
            true => Some(RotationRole::Old),
            false => (rotation.successor() == Some(id)).then_some(RotationRole::Successor),
        };
        let about = here.rotations.iter().filter_map(|rotation| part(rotation).map(|part| (rotation, part)));
        about.max_by_key(|(rotation, _)| (!rotation.is_finished(), rotation.begun_at))
    }

    /// Returns the rotations of a cluster that are due.
    pub(super) fn due_on(&self, id: &ProfileId) -> Vec<Rotation> {
        let here = self.rotations.of(id).and_then(Loadable::value);
        let rotations = here.into_iter().flat_map(|here| &here.rotations);
        rotations.filter(|rotation| self.outlook(id, rotation).is_due()).cloned().collect()
    }

    pub(super) fn known_rotation(&self, profile: &ProfileId, id: &str) -> Option<Rotation> {
        let here = self.rotations.of(profile)?.value()?;
        here.rotations.iter().find(|rotation| rotation.id == id).cloned()
    }

    /// Returns the time at which the next rotation of the shown clusters becomes due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.open_rotations();
        let due = |row: &RotationRow<'_>| row.rotation.due().filter(|_| matches!(row.outlook, Outlook::Next(_)));
        waiting.iter().filter_map(due).filter(|due| *due > self.now).min()
    }

    /// Reads the rotations of a cluster.
    pub(super) fn read_rotations(&mut self, id: &ProfileId) {
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == *id);
        let Some(session) = cluster.and_then(|cluster| cluster.session.value()).cloned() else { return };
        let task = Task::Rotate(Box::new(session), Rotate::Read);
        let ticket = self.submit(task, Waiting::Rotations(id.clone()));
        self.rotations.entry(id).ask(ticket);
    }

    /// Reads the rotations of all shown clusters.
    pub(super) fn refresh_rotations(&mut self) {
        let ids: Vec<ProfileId> = self.shown_clusters().map(|cluster| cluster.profile.id.clone()).collect();
        ids.iter().for_each(|id| self.read_rotations(id));
    }

    pub(super) fn rotations_read(&mut self, ticket: Ticket, result: Result<ClusterRotations, Problem>) {
        if let Some(here) = self.rotations.asked(ticket) {
            here.answer(ticket, result);
        }
    }
}
