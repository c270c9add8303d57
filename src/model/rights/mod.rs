//! What a key can do: its assigned descriptors and the snapshot of its owner's rights, of which both must
//! grant. Several descriptors add up. What can't be worked out is said in words and never left out: neither
//! is a right denied that may be there, nor one claimed that may not.

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

/// What a key can do, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// In one word.
    pub verdict: Verdict,
    /// Whether the owner's rights at the key's creation or last update were told, and so count here.
    pub limit_is_known: bool,
    /// The rights themselves; they add up.
    pub grants: Grants,
    /// For which other clusters a cross-cluster key opens something.
    pub access: Option<Access>,
    /// What could not be worked out.
    doubts: intersect::Doubts,
    /// The same, compiled for questions.
    compiled: Compiled,
}

/// What questions are asked of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiled {
    assigned: Own,
    limits: Option<Vec<Layer>>,
}

/// What a key was given itself.
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

/// The layers of a field `limited_by`, of which every one limits; `None` if there is none that can be read.
pub fn layers(limited_by: &str) -> Option<Vec<Layer>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(limited_by).ok()?;
    (!list.is_empty()).then(|| list.iter().map(|descriptors| Layer::read(descriptors.get())).collect())
}

/// What a key can do, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has no descriptors: all the rights that its owner had count.
    Unrestricted,
    /// It has some rights.
    Some,
    /// Its descriptors grant nothing.
    GrantsNothing,
    /// Its descriptors grant something, of which its owner had nothing.
    NothingLeft,
    /// No right can be named, and it can't be said that there is none.
    NothingSure,
    /// For other clusters.
    CrossCluster,
    /// The cluster does not tell its descriptors.
    NotTold,
}

/// Rights by their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// What may be done with which indices.
    pub indices: Vec<IndexRight>,
    /// What may be done in applications such as Kibana.
    pub applications: Vec<ApplicationRight>,
    /// Users who may be acted for.
    pub run_as: Vec<Scope>,
    /// What may be done with indices of remote clusters.
    pub remote_indices: Vec<IndexRight>,
    /// Cluster privileges on remote clusters.
    pub remote_cluster: Vec<RemoteRight>,
    /// The workflows outside of which nothing is granted.
    pub workflows: Option<Vec<String>>,
    /// Parts that are carried and not understood.
    pub unknown: Vec<Unknown>,
}

/// Privileges on indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRight {
    /// Which remote clusters; nothing for this one.
    pub clusters: Option<Scope>,
    /// Which indices.
    pub names: Scope,
    /// Index privileges.
    pub privileges: Vec<String>,
    /// Queries (as JSON text) that a document must match, all of them.
    pub queries: Vec<String>,
    /// Choices of fields (as JSON text) that all apply.
    pub fields: Vec<String>,
    /// Whether the system's own indices are meant too.
    pub allow_restricted: bool,
}

/// Privileges in an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRight {
    /// Its name, maybe with wildcards.
    pub application: Scope,
    /// In the application's own words.
    pub privileges: Vec<String>,
    /// What they are about.
    pub resources: Scope,
}

/// Cluster privileges on remote clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRight {
    /// Their names, maybe with wildcards.
    pub clusters: Scope,
    /// Cluster privileges.
    pub privileges: Vec<String>,
}

/// A part of a descriptor that this program doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where: the name of the descriptor and of the field.
    pub place: String,
    /// As the cluster sent it.
    pub json: String,
    /// Whether it is in the snapshot of the owner's rights.
    pub of_the_owner: bool,
}

/// What a cross-cluster key opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Indices that other clusters may search.
    pub search: Vec<IndexRight>,
    /// Indices that other clusters may replicate.
    pub replication: Vec<IndexRight>,
    /// Parts that are not understood.
    pub unknown: Vec<Unknown>,
}

/// An answer that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Surely.
    Yes,
    /// Surely not.
    No,
    /// It can't be told.
    NotKnown,
}

impl Rights {
    /// Works out what a key can do.
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

    /// All that a set of roles grants, as an owner has it: nothing limits it.
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

    /// The rights as questions are asked of them.
    pub fn effective(&self) -> Effective<'_> {
        let assigned = match &self.compiled.assigned {
            Own::NotTold => Assigned::NotTold,
            Own::Unrestricted => Assigned::Unrestricted,
            Own::Layer(layer) => Assigned::Layer(layer),
            Own::CrossCluster => Assigned::CrossCluster,
        };
        Effective::new(assigned, self.compiled.limits.as_deref())
    }

    /// Tells if it may do something on the cluster, as `_has_privileges` means it.
    pub fn may(&self, privilege: &str) -> Certainty {
        self.effective().may(privilege)
    }

    /// Tells if it may do something with all indices that a name or pattern can mean, as `_has_privileges` means it.
    pub fn may_on(&self, name: &str, privilege: &str) -> Certainty {
        self.effective().may_on(&Asked::new(name), privilege)
    }
}

impl Grants {
    /// Whether nothing is granted of what is understood.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_empty()
            && self.indices.is_empty()
            && self.applications.is_empty()
            && self.run_as.is_empty()
            && self.remote_indices.is_empty()
            && self.remote_cluster.is_empty()
    }
}

/// The field `limited_by`: a list of which every member limits.
fn limits(raw: &RawValue) -> Option<Vec<Grants>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).ok()?;
    (!list.is_empty()).then(|| list.iter().map(|descriptors| parse::grants(descriptors, true)).collect())
}
