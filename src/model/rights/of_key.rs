//! Rights of one key, worked out from its descriptors and its owner's snapshot.

use serde_json::value::RawValue;

use super::{
    Access, Asked, Assigned, Certainty, Effective, Grants, Layer,
    intersect::{Doubts, both, without_repeats},
    parse,
};
use crate::model::{
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
    pub(super) doubts: Doubts,
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
        let mut doubts = Doubts::default();
        let own = parse::grants(assigned, false);
        let granted = own.clone();
        let rights = match &limits {
            Some(limits) => limits.iter().fold(own, |rights, limit| both(rights, limit, &mut doubts)),
            None => own,
        };
        let grants = without_repeats(rights);
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
        without_repeats(grants)
    }

    fn unrestricted(limits: Option<Vec<Grants>>, compiled: Compiled) -> Self {
        let mut doubts = Doubts::default();
        let known = limits.is_some();
        let mut limits = limits.unwrap_or_default().into_iter();
        let first = limits.next().unwrap_or_default();
        let grants = limits.fold(first, |rights, limit| both(rights, &limit, &mut doubts));
        let grants = without_repeats(grants);
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
            doubts: Doubts::default(),
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

/// Reads the field `limited_by`: a list of which every member limits. `None` if it is empty or can't be read.
pub(super) fn limits(raw: &RawValue) -> Option<Vec<Grants>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).ok()?;
    (!list.is_empty()).then(|| list.iter().map(|descriptors| parse::grants(descriptors, true)).collect())
}
