//! Updates of existing keys, and the changes that an update would make to a key: members added, removed and changed,
//! also as text for people.

pub mod cross_cluster;
pub mod draft;
mod key_change;
pub mod plan;
pub mod race;

use std::collections::BTreeSet;

use serde_json::{Value, value::RawValue};

use super::{
    TimeDelta, Timestamp,
    api_key::ApiKey,
    text::{json, sanitize},
    time::expiry::Span,
};

/// Update of a key as it is sent. A part that is `None` stays as it is; a part that is given replaces the whole part.
///
/// With every update, an empty one included, the cluster takes a new owner's snapshot (`limited_by`; as seen on 9.5.3).
#[derive(Clone, Debug, Default)]
pub struct KeyUpdate {
    /// All role descriptors by name, as raw JSON so that members that this program doesn't know are not lost. `{}`
    /// gives the key all privileges of its owner.
    pub role_descriptors: Option<Box<RawValue>>,
    /// Whole metadata, an object as raw JSON. `{}` removes all members.
    pub metadata: Option<Box<RawValue>>,
    /// New expiration, counted from the time at which the cluster carries out the update (since 8.13). An expiration
    /// can't be removed.
    pub expiration: Option<Span>,
}

impl KeyUpdate {
    /// Returns `true` if the update asks for nothing except a new owner's snapshot.
    pub fn is_empty(&self) -> bool {
        self.role_descriptors.is_none() && self.metadata.is_none() && self.expiration.is_none()
    }

    /// Returns the body of the request; `ids` is a JSON list of key ids for a bulk update, `None` for an update of one
    /// key.
    pub fn body(&self, ids: Option<&str>) -> String {
        let expiration = self.expiration.map(|span| json::quote(&span.to_string()));
        let members = [
            ("ids", ids),
            ("role_descriptors", self.role_descriptors.as_deref().map(RawValue::get)),
            ("metadata", self.metadata.as_deref().map(RawValue::get)),
            ("expiration", expiration.as_deref()),
        ];
        json::write_object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    /// Returns whether a key that was read after an update with a lost response shows that the update was carried out;
    /// `None` if the key does not show it. `sent` and `now` are the cluster's clock before sending and after reading.
    pub fn is_carried_out(&self, after: &ApiKey, sent: Timestamp, now: Timestamp) -> Option<bool> {
        if self.is_empty() {
            return None;
        }
        if let Some(span) = self.expiration {
            let length = span.length().unwrap_or(TimeDelta::MAX);
            // Clocks are measured with an error of about two seconds.
            let earliest = sent + length - CLOCKS;
            let latest = now + length + CLOCKS;
            if !after.expires.is_some_and(|end| (earliest..=latest).contains(&end)) {
                return Some(false);
            }
        }
        let same = |asked: &Option<Box<RawValue>>, found: &Option<Box<RawValue>>, rights| match (asked, found) {
            (None, _) => Some(true),
            (Some(asked), Some(found)) => Some(changes(Some(found.get()), asked.get(), rights).is_empty()),
            (Some(_), None) => None,
        };
        let metadata = same(&self.metadata, &after.metadata, false)?;
        Some(metadata && same(&self.role_descriptors, &after.role_descriptors, true)?)
    }
}

/// Largest error of the measured clock of a cluster.
const CLOCKS: TimeDelta = TimeDelta::from_secs(2);

/// Member that is different, with its raw JSON before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// JSON pointer to the member within the metadata or the role descriptors: `/team/name`.
    pub path: String,
    /// Value before; `None` for a member that is added.
    pub old: Option<String>,
    /// Value after; `None` for a member that is removed.
    pub new: Option<String>,
}

/// Longest text of a value or a path in a line about a change, in characters.
const MAX_SHOWN: usize = 200;

impl Change {
    /// Returns one line of text, safe to show on a screen: `metadata/team: "a" → "b"`. `part` is the part of the key
    /// that the path is within.
    pub fn words(&self, part: &str) -> String {
        let shown = |text: &str| sanitize::shortened(text, MAX_SHOWN);
        let path = shown(&self.path);
        match (self.old.as_deref(), self.new.as_deref()) {
            (Some(old), Some(new)) => format!("{part}{path}: {} → {}", shown(old), shown(new)),
            (Some(old), None) => format!("{part}{path}: removed (was {})", shown(old)),
            (None, new) => format!("{part}{path}: added {}", shown(new.unwrap_or_default())),
        }
    }
}

/// Changes that an update would make to one key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// Changes of the metadata.
    pub metadata: Vec<Change>,
    /// Changes of the role descriptors. Defaults that the cluster fills in itself (empty lists and the like) count as
    /// no change.
    pub role_descriptors: Vec<Change>,
    /// Expiration before (`None` is never) and after; `None` if the update sets none.
    /// The second one is an estimate: the cluster counts from its own clock.
    pub expiry: Option<(Option<Timestamp>, Timestamp)>,
    /// Certificate pattern of a cross-cluster key before and after; `None` if it does not change.
    pub certificate_identity: Option<(Option<String>, Option<String>)>,
    /// `true` if the role descriptors become `{}`, which gives the key all privileges of its owner.
    pub removes_restriction: bool,
    /// `true` if the metadata becomes `{}`.
    pub wipes_metadata: bool,
    /// `true` if the owner's privileges today differ from the owner's snapshot in the key; `None` if this is not known.
    pub owner_snapshot_changes: Option<bool>,
    /// Differences between the owner's snapshot in the key and the owner's privileges today.
    pub owner_snapshot: Vec<Change>,
}

impl Changes {
    /// Returns `true` if the update changes nothing as far as is known.
    pub fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.role_descriptors.is_empty()
            && self.expiry.is_none()
            && self.certificate_identity.is_none()
            && self.owner_snapshot_changes != Some(true)
    }

    /// Returns the warnings that a person must read before confirming, one sentence each.
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.removes_restriction {
            words.push("The key loses its limits: it can then do everything its owner can");
        }
        if self.wipes_metadata {
            words.push("All metadata is removed");
        }
        words.push(match self.owner_snapshot_changes {
            Some(true) => {
                "The owner's privileges have changed since the key captured them: it captures the current ones"
            }
            Some(false) => "The owner's privileges are the same as those in the key",
            None => "Each update re-captures the owner's current privileges: they may be more or fewer than before",
        });
        words
    }
}

/// Returns the changes that an update would make to a key. `owner_today` is the owner's privileges today in the form of
/// [`ApiKey::limited_by`], `None` if they are not known; `now` is the cluster's clock.
pub fn diff(before: &ApiKey, update: &KeyUpdate, owner_today: Option<&RawValue>, now: Timestamp) -> Changes {
    let of = |asked: &Option<Box<RawValue>>, found: &Option<Box<RawValue>>, rights| match asked {
        Some(asked) => changes(found.as_deref().map(RawValue::get), asked.get(), rights),
        None => Vec::new(),
    };
    let becomes_empty = |asked: &Option<Box<RawValue>>, found: &Option<Box<RawValue>>| {
        asked.as_ref().is_some_and(|asked| json::is_empty_object(asked.get()))
            && !found.as_ref().is_some_and(|found| json::is_empty_object(found.get()))
    };
    // Both lists are from the cluster: empty members that one of them leaves out are no difference.
    let owner_snapshot = before.limited_by.as_deref().zip(owner_today);
    let owner_snapshot = owner_snapshot.map(|(then, today)| changes(Some(then.get()), today.get(), true));
    Changes {
        metadata: of(&update.metadata, &before.metadata, false),
        role_descriptors: of(&update.role_descriptors, &before.role_descriptors, true),
        expiry: update.expiration.map(|span| {
            let length = span.length().unwrap_or(TimeDelta::MAX);
            (before.expires, now + length)
        }),
        certificate_identity: None,
        removes_restriction: becomes_empty(&update.role_descriptors, &before.role_descriptors),
        wipes_metadata: becomes_empty(&update.metadata, &before.metadata),
        owner_snapshot_changes: owner_snapshot.as_ref().map(|changes| !changes.is_empty()),
        owner_snapshot: owner_snapshot.unwrap_or_default(),
    }
}

/// Returns the differences of two JSON texts, compared member by member. `rights` is `true` for role descriptors, in
/// which missing and empty members are the same.
pub fn differences(old: &str, new: &str, rights: bool) -> Vec<Change> {
    changes(Some(old), new, rights)
}

/// Returns the differences of two JSON texts, compared member by member; `None` counts as an empty object. `rights` is
/// `true` for role descriptors, in which missing and empty members are the same.
pub(super) fn changes(old: Option<&str>, new: &str, rights: bool) -> Vec<Change> {
    let mut found = Vec::new();
    compare(String::new(), Some(old.unwrap_or("{}")), Some(new), rights, 0, &mut found);
    found
}

/// Largest number of levels that are compared member by member; deeper levels are compared as a whole. Elasticsearch
/// limits metadata to 20 levels, and role descriptors to some 1,000 (as seen on 9.5.3).
const MAX_COMPARED_DEPTH: usize = 64;

fn compare(path: String, old: Option<&str>, new: Option<&str>, rights: bool, depth: usize, found: &mut Vec<Change>) {
    if old.zip(new).is_some_and(|(old, new)| same(old, new)) {
        return;
    }
    if rights && old.zip(new).is_some_and(|(old, new)| is_written_otherwise(&path, old, new)) {
        return;
    }
    // The name of a role descriptor counts even if it grants nothing.
    let says_nothing = |text: Option<&str>| text.is_none_or(|text| is_default(&path, text));
    if rights && depth > 1 && says_nothing(old) && says_nothing(new) {
        return;
    }
    if depth < MAX_COMPARED_DEPTH
        && let Some((mut before, mut after)) = parts(old).zip(parts(new))
    {
        // Elasticsearch accepts `index` in a role descriptor, and returns `indices` (as seen on 9.5.3).
        for (name, _) in before.iter_mut().chain(&mut after).filter(|(name, _)| rights && depth == 1 && name == "index")
        {
            "indices".clone_into(name);
        }
        let names: BTreeSet<&str> = before.iter().chain(&after).map(|(name, _)| name.as_str()).collect();
        for name in names {
            // The last one of members with the same name counts, as it does for Elasticsearch.
            let last = |parts: &[(String, Box<RawValue>)]| {
                parts.iter().rev().find(|(other, _)| other == name).map(|(_, raw)| raw.get().to_owned())
            };
            let (old, new) = (last(&before), last(&after));
            let step = name.replace('~', "~0").replace('/', "~1");
            compare(format!("{path}/{step}"), old.as_deref(), new.as_deref(), rights, depth + 1, found);
        }
        return;
    }
    found.push(Change { path, old: old.map(str::to_owned), new: new.map(str::to_owned) });
}

/// Returns the members of an object, or the elements of a list of objects with their index as name; `None` for anything
/// else.
fn parts(text: Option<&str>) -> Option<Vec<(String, Box<RawValue>)>> {
    let text = text?;
    if let Some(members) = json::members(text) {
        return Some(members);
    }
    let elements: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
    let all_objects = !elements.is_empty() && elements.iter().all(|element| element.get().starts_with('{'));
    all_objects.then(|| elements.into_iter().enumerate().map(|(place, raw)| (place.to_string(), raw)).collect())
}

/// Returns `true` if the two values are forms of the same value: Elasticsearch accepts a single name and returns a list
/// of one, and accepts a query as an object and returns it as a string (as seen on 9.5.3).
fn is_written_otherwise(path: &str, old: &str, new: &str) -> bool {
    let told = |text: &str| match json::value(text)? {
        Value::String(name) if path.ends_with("/names") => Some(Value::Array(vec![Value::String(name)])),
        Value::String(query) if path.ends_with("/query") => json::value(&query),
        other => Some(other),
    };
    told(old).is_some_and(|old| Some(old) == told(new))
}

/// Returns `true` if the value is one that Elasticsearch writes into a role descriptor by default (as seen on 9.5.3).
fn is_default(path: &str, text: &str) -> bool {
    match json::value(text) {
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => {
            map.is_empty() || path.ends_with("/transient_metadata") && text_is(text, r#"{"enabled":true}"#)
        }
        Some(Value::Bool(false)) => path.ends_with("/allow_restricted_indices"),
        _ => false,
    }
}

fn text_is(text: &str, other: &str) -> bool {
    text.split_ascii_whitespace().collect::<String>() == other
}

/// Returns `true` if two JSON texts have the same value, regardless of blanks and the order of members.
fn same(a: &str, b: &str) -> bool {
    a == b
        || match (json::value(a), json::value(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
}

#[cfg(test)]
mod tests;
