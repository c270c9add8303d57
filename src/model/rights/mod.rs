//! Effective privileges of a key: its assigned descriptors and the snapshot of its owner's rights, both of which must
//! grant. Several descriptors add up. What can't be worked out is stated and never left out: no right is denied that
//! may be there, and none is claimed that may not.

pub mod compare;
mod describe;
mod effective;
mod intersect;
mod layer;
mod name_scope;
mod names;
mod overlap;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

pub use describe::{RightsJson, RightsRow};
pub use effective::{Assigned, Effective, MAX_COMBINATIONS};
pub use layer::Layer;
pub use name_scope::Scope;
pub use names::Asked;
pub use overlap::Kind;

use super::{
    api_key::{ApiKey, KeyKind},
    text::json,
};

/// Rights of a key, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Summary of the rights.
    pub verdict: Verdict,
    /// `true` if the owner's snapshot (the owner's rights at the key's creation or last update) is known, and so counts
    /// here.
    pub limit_is_known: bool,
    /// Rights themselves; they add up.
    pub grants: Grants,
    /// Indices that a cross-cluster key opens to other clusters; `None` for other keys and where it is not known.
    pub access: Option<Access>,
    /// Parts that could not be worked out.
    doubts: intersect::Doubts,
    /// Rights compiled for questions.
    compiled: Compiled,
}

/// Compiled rights, of which questions are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiled {
    assigned: Own,
    limits: Option<Vec<Layer>>,
}

/// Rights assigned to a key by its own descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Own {
    NotTold,
    Unrestricted,
    Layer(Box<Layer>),
    CrossCluster,
}

impl Compiled {
    fn of(key: &ApiKey) -> Self {
        let limits = key.limited_by.as_deref().and_then(|raw| layers(raw.get()));
        let assigned = match &key.role_descriptors {
            _ if key.kind == KeyKind::CrossCluster => Own::CrossCluster,
            None => Own::NotTold,
            Some(raw) if json::is_empty_object(raw.get()) => Own::Unrestricted,
            Some(raw) => Own::Layer(Box::new(Layer::read(raw.get()))),
        };
        Self { assigned, limits }
    }
}

/// Reads the layers of a field `limited_by`, each of which limits; `None` if there is none or it can't be read.
pub fn layers(limited_by: &str) -> Option<Vec<Layer>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(limited_by).ok()?;
    (!list.is_empty()).then(|| list.iter().map(|descriptors| Layer::read(descriptors.get())).collect())
}

/// Summary of what a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Key without descriptors: it has all the rights that its owner had.
    Unrestricted,
    /// Key with some rights.
    Some,
    /// Key whose descriptors grant nothing.
    GrantsNothing,
    /// Key whose descriptors grant something, none of which its owner had.
    NothingLeft,
    /// Key of which no right can be named, though it can't be ruled out that it has some.
    NothingSure,
    /// Cross-cluster key.
    CrossCluster,
    /// Key whose descriptors (or access, for a cross-cluster key) the cluster does not return.
    NotTold,
}

/// Rights by their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// Index privileges, with the indices they apply to.
    pub indices: Vec<IndexRight>,
    /// Privileges in applications such as Kibana.
    pub applications: Vec<ApplicationRight>,
    /// Users who may be acted for.
    pub run_as: Vec<Scope>,
    /// Index privileges on remote clusters.
    pub remote_indices: Vec<IndexRight>,
    /// Cluster privileges on remote clusters.
    pub remote_cluster: Vec<RemoteRight>,
    /// Workflows outside of which nothing is granted; `None` if there is no such restriction.
    pub workflows: Option<Vec<String>>,
    /// Parts that are kept but not understood.
    pub unknown: Vec<Unknown>,
}

/// Privileges on indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRight {
    /// Remote clusters; `None` for the local cluster.
    pub clusters: Option<Scope>,
    /// Names of the indices.
    pub names: Scope,
    /// Index privileges.
    pub privileges: Vec<String>,
    /// Queries (as JSON text) that a document must match, all of them.
    pub queries: Vec<String>,
    /// Choices of fields (as JSON text) that all apply.
    pub fields: Vec<String>,
    /// `true` if restricted indices (the system's own) are included.
    pub allow_restricted: bool,
}

/// Privileges in an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRight {
    /// Name of the application, maybe with wildcards.
    pub application: Scope,
    /// Privileges as the application names them.
    pub privileges: Vec<String>,
    /// Resources to which the privileges apply.
    pub resources: Scope,
}

/// Cluster privileges on remote clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRight {
    /// Names of the clusters, maybe with wildcards.
    pub clusters: Scope,
    /// Cluster privileges.
    pub privileges: Vec<String>,
}

/// Part of a descriptor that this program doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Path of the part: the name of the descriptor and of the field, such as `reader.indices[0]`.
    pub place: String,
    /// JSON as the cluster sent it.
    pub json: String,
    /// `true` if the part is in the snapshot of the owner's rights.
    pub of_the_owner: bool,
}

/// Access that a cross-cluster key opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Indices that other clusters may search.
    pub search: Vec<IndexRight>,
    /// Indices that other clusters may replicate.
    pub replication: Vec<IndexRight>,
    /// Parts that are not understood.
    pub unknown: Vec<Unknown>,
}

/// Answer that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Surely.
    Yes,
    /// Surely not.
    No,
    /// Unknown: neither can be shown.
    NotKnown,
}

impl Rights {
    /// Works out the rights of a key.
    pub fn of(key: &ApiKey) -> Self {
        if key.kind == KeyKind::CrossCluster {
            return Self::of_access(key);
        }
        let Some(assigned) = &key.role_descriptors else { return Self::not_told(key) };
        let limits = key.limited_by.as_deref().and_then(limits);
        let compiled = Compiled::of(key);
        if compiled.assigned == Own::Unrestricted {
            return Self::unrestricted(limits, compiled);
        }
        let mut doubts = intersect::Doubts::default();
        let own = parse::grants(assigned, false);
        let granted = own.clone();
        let rights = match &limits {
            Some(limits) => limits.iter().fold(own, |rights, limit| intersect::both(rights, limit, &mut doubts)),
            None => own,
        };
        let grants = intersect::without_repeats(rights);
        let verdict = match (grants.is_empty(), doubts.is_empty(), granted.is_empty()) {
            (false, ..) => Verdict::Some,
            (true, false, _) => Verdict::NothingSure,
            (true, true, true) => Verdict::GrantsNothing,
            (true, true, false) => Verdict::NothingLeft,
        };
        // What is not understood may be a right.
        let verdict = match verdict {
            Verdict::GrantsNothing | Verdict::NothingLeft if !grants.unknown.is_empty() => Verdict::NothingSure,
            verdict => verdict,
        };
        Self { verdict, limit_is_known: limits.is_some(), grants, access: None, doubts, compiled }
    }

    /// Returns all that a set of roles grants, as an owner holds it: nothing limits it.
    pub fn of_roles(roles: &[(&str, &RawValue)]) -> Grants {
        let mut grants = Grants::default();
        for (name, descriptor) in roles {
            parse::add(&mut grants, name, descriptor, true);
        }
        intersect::without_repeats(grants)
    }

    fn unrestricted(limits: Option<Vec<Grants>>, compiled: Compiled) -> Self {
        let mut doubts = intersect::Doubts::default();
        let known = limits.is_some();
        let mut limits = limits.unwrap_or_default().into_iter();
        let first = limits.next().unwrap_or_default();
        let grants = limits.fold(first, |rights, limit| intersect::both(rights, &limit, &mut doubts));
        let grants = intersect::without_repeats(grants);
        Self { verdict: Verdict::Unrestricted, limit_is_known: known, grants, access: None, doubts, compiled }
    }

    fn not_told(key: &ApiKey) -> Self {
        let mut rights = Self::unrestricted(key.limited_by.as_deref().and_then(limits), Compiled::of(key));
        rights.verdict = Verdict::NotTold;
        rights.grants = Grants::default();
        rights
    }

    fn of_access(key: &ApiKey) -> Self {
        let access = key.access.as_deref();
        Self {
            verdict: if access.is_some() { Verdict::CrossCluster } else { Verdict::NotTold },
            limit_is_known: false,
            grants: Grants::default(),
            access: access.map(parse::access),
            doubts: intersect::Doubts::default(),
            compiled: Compiled::of(key),
        }
    }

    /// Returns the effective privileges, for questions.
    pub fn effective(&self) -> Effective<'_> {
        let assigned = match &self.compiled.assigned {
            Own::NotTold => Assigned::NotTold,
            Own::Unrestricted => Assigned::Unrestricted,
            Own::Layer(layer) => Assigned::Layer(layer),
            Own::CrossCluster => Assigned::CrossCluster,
        };
        Effective::new(assigned, self.compiled.limits.as_deref())
    }

    /// Returns whether the key holds a cluster privilege, as `_has_privileges` answers.
    pub fn may(&self, privilege: &str) -> Certainty {
        self.effective().may(privilege)
    }

    /// Returns whether the key holds an index privilege on all indices that a name or pattern can match, as
    /// `_has_privileges` answers.
    pub fn may_on(&self, name: &str, privilege: &str) -> Certainty {
        self.effective().may_on(&Asked::new(name), privilege)
    }
}

impl Grants {
    /// Returns `true` if nothing is granted by the parts that are understood.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_empty()
            && self.indices.is_empty()
            && self.applications.is_empty()
            && self.run_as.is_empty()
            && self.remote_indices.is_empty()
            && self.remote_cluster.is_empty()
    }
}

/// Reads the field `limited_by`: a list of which every member limits. `None` if it is empty or can't be read.
fn limits(raw: &RawValue) -> Option<Vec<Grants>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).ok()?;
    (!list.is_empty()).then(|| list.iter().map(|descriptors| parse::grants(descriptors, true)).collect())
}
