//! Comparison of a key's snapshot of its owner's rights with the rights that the owner has today. Later changes of
//! roles don't reach a key, so the two drift apart.

use serde_json::value::RawValue;

use super::{
    ApplicationRight, Grants, IndexRight, Kind, RemoteRight, Rights,
    intersect::{all_in, index_contains},
    of_key::limits,
};
use crate::model::{privileges::descriptor, text::sanitize};

/// Owner of a key as known today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerNow {
    /// Owner that could not be looked up, with the reason.
    NotKnown(String),
    /// Owner that is no longer a user of the cluster.
    Gone,
    /// Owner that is still a user.
    Known(Box<OwnerToday>),
}

/// Owner whose current roles could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerToday {
    /// `true` if the user may sign in.
    pub is_enabled: bool,
    /// Current roles.
    pub roles: Vec<String>,
    /// Current roles that the cluster does not show, such as those of a file.
    pub unread: Vec<String>,
    /// Differences from the snapshot, without lost rights if some current role can't be read; `None` unless the key has
    /// exactly one readable snapshot.
    pub changes: Option<Changes>,
}

/// Differences between the owner's rights then and now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rights that the owner had then and has no more; the key keeps them.
    pub gone: Grants,
    /// Rights that the owner has now and had not then; the key lacks them until it is updated.
    pub new: Grants,
    /// `true` if the parts that are not understood differ between then and now.
    pub in_unknown_parts: bool,
}

impl Changes {
    /// Compares two sets of rights.
    pub fn between(then: &Grants, now: &Grants) -> Self {
        let parts = |grants: &Grants| {
            let mut parts: Vec<String> =
                grants.unknown.iter().map(|part| format!("{} {}", part.place, part.json)).collect();
            parts.sort();
            parts
        };
        Self { gone: less(then, now), new: less(now, then), in_unknown_parts: parts(then) != parts(now) }
    }

    /// Returns `true` if nothing differs.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty() && !self.in_unknown_parts
    }
}

impl OwnerToday {
    /// Compares the snapshot of a key with the current roles. `found` holds the roles that could be read, by name.
    pub fn new(
        is_enabled: bool,
        roles: Vec<String>,
        limited_by: Option<&RawValue>,
        found: &[(&str, &RawValue)],
    ) -> Self {
        let unread: Vec<String> =
            roles.iter().filter(|role| !found.iter().any(|(name, _)| name == role)).cloned().collect();
        let then =
            limited_by.and_then(limits).filter(|limits| limits.len() == 1).and_then(|limits| limits.into_iter().next());
        let now = Rights::of_roles(found);
        let changes = then.map(|then| {
            let mut changes = Changes::between(&then, &now);
            if !unread.is_empty() {
                // What a role that can't be read grants may be the very right that seems to be gone.
                changes.gone = Grants::default();
            }
            changes
        });
        Self { is_enabled, roles, unread, changes }
    }
}

impl OwnerNow {
    /// Returns the comparison as sentences.
    pub fn sentences(&self) -> Vec<String> {
        let known = match self {
            Self::NotKnown(why) => return vec![format!("Its owner’s current privileges are not known: {why}")],
            Self::Gone => {
                return vec![
                    "Its owner is no longer a user of this cluster. The key keeps working until it expires or is \
                     invalidated"
                        .into(),
                ];
            }
            Self::Known(known) => known,
        };
        let mut sentences = Vec::new();
        if !known.is_enabled {
            sentences.push("Its owner is disabled. The key keeps working until it expires or is invalidated".into());
        }
        if !known.unread.is_empty() {
            let names = sanitize::shortened(&known.unread.join(", "), 200);
            sentences.push(format!(
                "What its owner has lost since the key was created or last updated is not known: the cluster does \
                 not show the roles {names}"
            ));
        }
        let Some(changes) = &known.changes else {
            sentences.push(
                "Its owner’s privileges at that time are not known, so they can’t be compared with the current ones"
                    .into(),
            );
            return sentences;
        };
        let clauses = |grants: &Grants| {
            let clauses = grants.clauses();
            let clauses: Vec<String> = clauses.iter().map(|clause| descriptor::plain(clause)).collect();
            sanitize::shown(&clauses.join("; ")).into_owned()
        };
        if !changes.gone.is_empty() {
            sentences.push(format!(
                "Lost by its owner since the key was created or last updated, but kept by the key: {}",
                clauses(&changes.gone)
            ));
        }
        if !changes.new.is_empty() {
            let lead = "Gained by its owner since the key was created or last updated, but not by the key until it \
                        is updated again";
            sentences.push(format!("{lead}: {}", clauses(&changes.new)));
        }
        if changes.in_unknown_parts {
            sentences.push("They differ in parts that this version of Keybearer does not know".into());
        }
        if changes.is_empty() && known.unread.is_empty() {
            sentences.push("Its owner still has the same privileges".into());
        }
        sentences
    }
}

/// Returns the rights that are in one set and not in the other.
fn less(one: &Grants, other: &Grants) -> Grants {
    let privileges = |kind: Kind, ours: &[String], theirs: &[String]| -> Vec<String> {
        ours.iter().filter(|held| !all_in(kind, theirs, std::slice::from_ref(held))).cloned().collect()
    };
    Grants {
        cluster: privileges(Kind::Cluster, &one.cluster, &other.cluster),
        indices: indices(&one.indices, &other.indices),
        applications: one
            .applications
            .iter()
            .filter_map(|right| {
                let of_it = |wide: &&ApplicationRight| {
                    wide.application.contains(&right.application) && wide.resources.contains(&right.resources)
                };
                let theirs = held(other.applications.iter().filter(of_it).map(|right| &right.privileges));
                let privileges = privileges(Kind::Application, &right.privileges, &theirs);
                (!privileges.is_empty()).then(|| ApplicationRight { privileges, ..right.clone() })
            })
            .collect(),
        run_as: one
            .run_as
            .iter()
            .filter(|user| !other.run_as.iter().any(|wide| wide.contains(user)))
            .cloned()
            .collect(),
        remote_indices: indices(&one.remote_indices, &other.remote_indices),
        remote_cluster: one
            .remote_cluster
            .iter()
            .filter_map(|right| {
                let of_it = |wide: &&RemoteRight| wide.clusters.contains(&right.clusters);
                let theirs = held(other.remote_cluster.iter().filter(of_it).map(|right| &right.privileges));
                let privileges = privileges(Kind::RemoteCluster, &right.privileges, &theirs);
                (!privileges.is_empty()).then(|| RemoteRight { privileges, ..right.clone() })
            })
            .collect(),
        workflows: None,
        unknown: Vec::new(),
    }
}

fn held<'a>(lists: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
    lists.flatten().cloned().collect()
}

/// Returns the index rights of one list that no right of the other covers, each privilege by itself. Very long lists
/// are only compared as a whole.
fn indices(one: &[IndexRight], other: &[IndexRight]) -> Vec<IndexRight> {
    const MAX_COMPARED: usize = 2000;
    if one.len().max(other.len()) > MAX_COMPARED {
        return if one == other { Vec::new() } else { one.to_vec() };
    }
    one.iter()
        .filter_map(|right| {
            let alone = |privilege: &&String| IndexRight { privileges: vec![(*privilege).clone()], ..right.clone() };
            let is_lost = |privilege: &&String| !other.iter().any(|wide| index_contains(wide, &alone(privilege)));
            let privileges: Vec<String> = right.privileges.iter().filter(is_lost).cloned().collect();
            (!privileges.is_empty()).then(|| IndexRight { privileges, ..right.clone() })
        })
        .collect()
}
