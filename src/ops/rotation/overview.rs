//! Rotations of a cluster, and the plans for keys that are to be rotated.

use std::path::{Path, PathBuf};

use super::{KeyStates, RotationOptions, RotationPlan, cluster_of, plan, plan::unwritable, states, take};
use crate::{
    model::{
        Timestamp,
        api_key::KeyId,
        rotation::{ClusterRef, Outlook, Rotation},
    },
    ops::{
        Problem, Session,
        keys::last_use::{self, NotKnown, Uses},
    },
    store::rotation::{Listing, RotationGuard, Rotations},
};

/// Rotations of one cluster, as saved on this machine.
#[derive(Clone, Debug, Default)]
pub struct ClusterRotations {
    /// The cluster.
    pub cluster: ClusterRef,
    /// Rotations of this cluster, oldest first, including finished ones.
    pub rotations: Vec<Rotation>,
    /// States of the keys of unfinished rotations.
    pub states: KeyStates,
    /// Rotation files that can't be read, each with the reason; they may be of any cluster.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl ClusterRotations {
    /// Returns the outlook of a rotation of this cluster at `now`, by this machine's clock.
    pub fn outlook(&self, rotation: &Rotation, now: Timestamp) -> Outlook {
        let (old, successor) = self.states.both(rotation);
        rotation.outlook(now, old, successor)
    }

    /// Returns the rotations that are due at `now`: those whose old key can be ended, or whose end only has to be
    /// recorded.
    pub fn due(&self, now: Timestamp) -> Vec<Rotation> {
        self.rotations.iter().filter(|rotation| self.outlook(rotation, now).is_due()).cloned().collect()
    }
}

/// Reads the rotations of the session's cluster, and the states of their keys.
///
/// # Errors
/// Returns a problem if the cluster can't be identified, or the folder can't be read. If the keys can't be read, their
/// states are unknown.
pub async fn here(session: &Session, rotations: &Rotations) -> Result<ClusterRotations, Problem> {
    let cluster = cluster_of(session).await?;
    let listing = all(rotations).await?;
    let mut own = listing.rotations;
    own.retain(|rotation| rotation.cluster.is_same(&cluster));
    let states = states(session, &own).await.unwrap_or_default();
    Ok(ClusterRotations { cluster, rotations: own, states, unreadable: listing.unreadable })
}

pub(super) async fn all(rotations: &Rotations) -> Result<Listing, Problem> {
    let folder = rotations.clone();
    let read = tokio::task::spawn_blocking(move || folder.all()).await;
    let listing = read.map_err(|_| Problem::broken())?;
    listing.map_err(|error| {
        let detail = format!("{}: {error}", rotations.folder().display());
        Problem::new("The rotations on this machine can't be read", &detail).hint("Fix the permissions of that folder")
    })
}

/// Rotation plans for several keys.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Plans, one for each key that can be rotated.
    pub plans: Vec<RotationPlan>,
    /// Keys that can't be rotated, each with the reason.
    pub refused: Vec<(KeyId, Problem)>,
    /// Last uses of the keys in `plans`, or the reason why they are not known.
    pub uses: Result<Uses, NotKnown>,
}

/// Plans rotations of keys, one after the other; a key that can't be rotated does not stop the others. A missing
/// consent refuses no key here: each plan lists its objections. `progress` receives the number of keys looked at so
/// far.
///
/// # Errors
/// Returns a problem if the rotations on this machine can't be read.
pub async fn plans(
    session: &Session,
    rotations: &Rotations,
    ids: &[KeyId],
    options: &RotationOptions,
    progress: &mut (dyn FnMut(usize) + Send),
) -> Result<Planned, Problem> {
    let underway = all(rotations).await?.rotations;
    let (mut plans, mut refused) = (Vec::new(), Vec::new());
    for (number, id) in ids.iter().enumerate() {
        match plan(session, &underway, id, options).await {
            Ok(plan) => plans.push(plan),
            Err(problem) => refused.push((id.clone(), problem)),
        }
        progress(number + 1);
    }
    let good: Vec<KeyId> = plans.iter().map(|plan| plan.old.id.clone()).collect();
    Ok(Planned { plans, refused, uses: last_use::of(session, &good).await })
}

pub(super) fn no_room(error: &std::io::Error) -> Problem {
    Problem::new("The secret can't be saved. No successor was created", &error.to_string())
}

/// Finds the rotation that `reference` means, by its own id or by that of one of its keys, and locks it. Unfinished
/// rotations take precedence over finished ones.
///
/// # Errors
/// Returns a problem if the reference matches no rotation or several, and the problems of [`take`].
pub fn find_rotation(rotations: &Rotations, listing: &Listing, reference: &str) -> Result<RotationGuard, Problem> {
    if let Some(rotation) = listing.rotations.iter().find(|rotation| rotation.id == reference) {
        return take(rotations, &rotation.id);
    }
    let is_about = |rotation: &&Rotation| {
        rotation.old.id.as_str() == reference || rotation.successor().is_some_and(|id| id.as_str() == reference)
    };
    let (finished, open): (Vec<&Rotation>, Vec<&Rotation>) =
        listing.rotations.iter().filter(is_about).partition(|rotation| rotation.is_finished());
    match (open.as_slice(), finished.last()) {
        ([one], _) => take(rotations, &one.id),
        ([], Some(last)) => take(rotations, &last.id),
        // Also the message for an id that means none.
        ([], None) => take(rotations, reference),
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|rotation| rotation.id.as_str()).collect();
            let title = format!("{reference} is in several rotations: {}", ids.join(", "));
            Err(Problem::new(&title, "").hint("Choose one of them"))
        }
    }
}

/// Returns the problem that this machine has no folder for rotations.
pub fn no_folder() -> Problem {
    let error = std::io::Error::new(std::io::ErrorKind::NotFound, "this machine has no folder for rotations");
    unwritable(Path::new("rotations"), &error)
}
