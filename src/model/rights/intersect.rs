//! Rights that two sets have in common, and rights without repeats.

use super::{ApplicationRight, Grants, IndexRight, Kind, RemoteRight, Scope, parse::push_new};

/// Limit of pairs of rights or privileges that are compared: more would take too long, and nobody could read the
/// result.
const MAX_PAIRS: usize = 40_000;
/// Limit of doubtful pairs of privileges that are kept; further ones are dropped.
const MAX_PAIRED: usize = 1000;
/// Limit of rights that are checked for repeats; a longer list keeps its repeats.
const MAX_COMPARED: usize = 1500;

/// Parts of the common rights that could not be worked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    /// Pairs of privileges that may have single actions in common: kind, privilege of the key, privilege of the owner.
    pairs: Vec<(Kind, String, String)>,
    too_many: Vec<&'static str>,
}

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.too_many.is_empty()
    }

    pub(super) fn words(&self) -> Vec<String> {
        const SHOWN: usize = 3;
        let mut words: Vec<String> = Vec::new();
        if !self.pairs.is_empty() {
            let pairs: Vec<String> =
                self.pairs.iter().take(SHOWN).map(|(_, own, limit)| format!("{own} with {limit}")).collect();
            let more = match self.pairs.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more pairs"),
            };
            words.push(format!(
                "The exact overlap of these privileges has no name: {}{more} (the key's with its owner's)",
                pairs.join(", ")
            ));
        }
        for what in &self.too_many {
            words.push(format!("There are too many {what} to determine which of them the owner also had"));
        }
        words
    }

    fn too_many(&mut self, ours: usize, theirs: usize, what: &'static str) -> bool {
        let too_many = ours.saturating_mul(theirs) > MAX_PAIRS;
        if too_many {
            push_new(&mut self.too_many, what);
        }
        too_many
    }

    /// Returns `true` if something of this kind could not be worked out, or if there was too much of any kind.
    pub(super) fn touch(&self, kind: Kind) -> bool {
        !self.too_many.is_empty() || self.pairs.iter().any(|(of, ..)| *of == kind)
    }

    fn pair(&mut self, kind: Kind, own: &str, limit: &str) {
        if self.pairs.len() < MAX_PAIRED {
            push_new(&mut self.pairs, (kind, own.to_owned(), limit.to_owned()));
        }
    }
}

/// Returns the rights that are in both. The workflows are those of the key, or those of the limit if the key has none;
/// an owner who is a person has none.
pub(super) fn both(own: Grants, limit: &Grants, doubts: &mut Doubts) -> Grants {
    let unknown = own.unknown.iter().chain(&limit.unknown).cloned().collect();
    Grants {
        cluster: privileges(Kind::Cluster, &own.cluster, &limit.cluster, doubts),
        indices: indices(&own.indices, &limit.indices, "index patterns", doubts),
        applications: applications(&own.applications, &limit.applications, doubts),
        run_as: run_as(&own.run_as, &limit.run_as, doubts),
        remote_indices: indices(&own.remote_indices, &limit.remote_indices, "patterns of remote indices", doubts),
        remote_cluster: remote_cluster(&own.remote_cluster, &limit.remote_cluster, doubts),
        workflows: own.workflows.or_else(|| limit.workflows.clone()),
        unknown,
    }
}

/// Returns the privileges in common, in the order in which the key names its own.
fn privileges(kind: Kind, own: &[String], limit: &[String], doubts: &mut Doubts) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if doubts.too_many(own.len(), limit.len(), "privileges") {
        return names;
    }
    for held in own {
        if limit.iter().any(|limit| kind.contains(limit, held)) {
            push_new(&mut names, held.clone());
            continue;
        }
        for theirs in limit {
            let shared = kind.shared(held, theirs);
            shared.names.into_iter().for_each(|name| push_new(&mut names, name));
            if shared.may_be_more {
                doubts.pair(kind, held, theirs);
            }
        }
    }
    // What a wider one says too is left out, unless the key names it itself.
    let all = names.clone();
    let said = |name: &String| own.contains(name);
    let wider = |name: &String| all.iter().any(|other| other != name && kind.contains(other, name));
    names.retain(|name| said(name) || !wider(name));
    names
}

fn indices(own: &[IndexRight], limit: &[IndexRight], what: &'static str, doubts: &mut Doubts) -> Vec<IndexRight> {
    let mut rights = Vec::new();
    if doubts.too_many(own.len(), limit.len(), what) {
        return rights;
    }
    for ours in own {
        for theirs in limit {
            let clusters = match (&ours.clusters, &theirs.clusters) {
                (Some(ours), Some(theirs)) => match ours.meet(theirs) {
                    Some(both) => Some(both),
                    None => continue,
                },
                _ => None,
            };
            let Some(names) = ours.names.meet(&theirs.names) else { continue };
            let privileges = privileges(Kind::Index, &ours.privileges, &theirs.privileges, doubts);
            if privileges.is_empty() {
                continue;
            }
            rights.push(IndexRight {
                clusters,
                names,
                privileges,
                queries: joined(&ours.queries, &theirs.queries),
                fields: joined(&ours.fields, &theirs.fields),
                allow_restricted: ours.allow_restricted && theirs.allow_restricted,
            });
        }
    }
    rights
}

fn joined(ours: &[String], theirs: &[String]) -> Vec<String> {
    let mut all = ours.to_vec();
    theirs.iter().for_each(|text| push_new(&mut all, text.clone()));
    all
}

fn applications(own: &[ApplicationRight], limit: &[ApplicationRight], doubts: &mut Doubts) -> Vec<ApplicationRight> {
    let mut rights = Vec::new();
    if doubts.too_many(own.len(), limit.len(), "privileges of applications") {
        return rights;
    }
    for ours in own {
        for theirs in limit {
            let Some(application) = ours.application.meet(&theirs.application) else { continue };
            let Some(resources) = ours.resources.meet(&theirs.resources) else { continue };
            let privileges = privileges(Kind::Application, &ours.privileges, &theirs.privileges, doubts);
            if !privileges.is_empty() {
                rights.push(ApplicationRight { application, privileges, resources });
            }
        }
    }
    rights
}

fn run_as(own: &[Scope], limit: &[Scope], doubts: &mut Doubts) -> Vec<Scope> {
    let mut users = Vec::new();
    if doubts.too_many(own.len(), limit.len(), "users to act for") {
        return users;
    }
    for ours in own {
        limit.iter().filter_map(|theirs| ours.meet(theirs)).for_each(|both| push_new(&mut users, both));
    }
    users
}

fn remote_cluster(own: &[RemoteRight], limit: &[RemoteRight], doubts: &mut Doubts) -> Vec<RemoteRight> {
    let mut rights = Vec::new();
    if doubts.too_many(own.len(), limit.len(), "remote clusters") {
        return rights;
    }
    for ours in own {
        for theirs in limit {
            let Some(clusters) = ours.clusters.meet(&theirs.clusters) else { continue };
            let privileges = privileges(Kind::RemoteCluster, &ours.privileges, &theirs.privileges, doubts);
            if !privileges.is_empty() {
                rights.push(RemoteRight { clusters, privileges });
            }
        }
    }
    rights
}

/// Returns the rights without those that another right includes.
pub(super) fn without_repeats(mut grants: Grants) -> Grants {
    leave_out(&mut grants.indices, index_contains);
    leave_out(&mut grants.remote_indices, index_contains);
    leave_out(&mut grants.applications, |wide, narrow| {
        wide.application.contains(&narrow.application)
            && wide.resources.contains(&narrow.resources)
            && all_in(Kind::Application, &wide.privileges, &narrow.privileges)
    });
    leave_out(&mut grants.run_as, |wide, narrow| wide.contains(narrow));
    leave_out(&mut grants.remote_cluster, |wide, narrow| {
        wide.clusters.contains(&narrow.clusters) && all_in(Kind::RemoteCluster, &wide.privileges, &narrow.privileges)
    });
    grants
}

/// Returns `true` if one right includes all that another one grants.
pub(super) fn index_contains(wide: &IndexRight, narrow: &IndexRight) -> bool {
    let on_clusters = match (&wide.clusters, &narrow.clusters) {
        (Some(wide), Some(narrow)) => wide.contains(narrow),
        (None, None) => true,
        _ => false,
    };
    on_clusters
        && (wide.allow_restricted || !narrow.allow_restricted)
        && wide.queries.iter().all(|query| narrow.queries.contains(query))
        && wide.fields.iter().all(|fields| narrow.fields.contains(fields))
        && wide.names.contains(&narrow.names)
        && all_in(Kind::Index, &wide.privileges, &narrow.privileges)
}

pub(super) fn all_in(kind: Kind, wide: &[String], narrow: &[String]) -> bool {
    narrow.iter().all(|name| wide.iter().any(|held| kind.contains(held, name)))
}

fn leave_out<T: Clone>(rights: &mut Vec<T>, contains: impl Fn(&T, &T) -> bool) {
    if rights.len() > MAX_COMPARED {
        return;
    }
    let mut kept: Vec<T> = Vec::new();
    for right in rights.drain(..) {
        if kept.iter().any(|wide| contains(wide, &right)) {
            continue;
        }
        kept.retain(|narrow| !contains(&right, narrow));
        kept.push(right);
    }
    *rights = kept;
}
