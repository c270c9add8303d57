//! A change of keys that are there, and what it would make of one: added, removed, changed, told in words.

pub mod cross_cluster;
pub mod draft;
pub mod plan;
pub mod race;

use std::collections::BTreeSet;

use serde_json::{Value, value::RawValue};

use super::{
    Millis,
    api_key::ApiKey,
    text::{json, sanitize},
    time::expiry::Span,
};

/// A change as it is sent. What is `None` stays as it is; what is given replaces the whole.
///
/// Whatever it holds, the cluster takes the snapshot of the owner's rights anew, an empty one included
/// (as seen on 9.5.3).
#[derive(Clone, Debug, Default)]
pub struct KeyUpdate {
    /// All descriptors, by name, as raw JSON so that nothing is lost that this program doesn't know.
    /// `{}` gives the key all its owner's rights.
    pub role_descriptors: Option<Box<RawValue>>,
    /// The whole metadata, an object as raw JSON. `{}` wipes it.
    pub metadata: Option<Box<RawValue>>,
    /// The new end, counted from the moment at which the cluster carries it out (since 8.13). An end can't be
    /// taken away again.
    pub expiration: Option<Span>,
}

impl KeyUpdate {
    /// Whether it asks for nothing but a new snapshot of the owner's rights.
    pub fn is_empty(&self) -> bool {
        self.role_descriptors.is_none() && self.metadata.is_none() && self.expiration.is_none()
    }

    /// The body of a request; `ids` is a JSON list, for a bulk update.
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

    /// Whether a key read after an update whose answer was lost shows that it was carried out; `None` where
    /// the key can't tell. `sent` and `now` are the cluster's clock before sending and after reading.
    pub fn is_carried_out(&self, after: &ApiKey, sent: Millis, now: Millis) -> Option<bool> {
        if self.is_empty() {
            return None;
        }
        if let Some(span) = self.expiration {
            let length = span.millis().unwrap_or(Millis::MAX);
            // Clocks are measured to some two seconds.
            let earliest = sent.saturating_add(length).saturating_sub(CLOCKS);
            let latest = now.saturating_add(length).saturating_add(CLOCKS);
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

/// How far the measured clock of a cluster may be off, in milliseconds.
const CLOCKS: Millis = 2_000;

/// One member that is different, with the raw JSON of before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where, as a JSON pointer within the metadata or the descriptors: `/team/name`.
    pub path: String,
    /// The value before; `None` for a member that is added.
    pub old: Option<String>,
    /// The value after; `None` for a member that is removed.
    pub new: Option<String>,
}

/// Longest text of a value or a path in a line about a change, in characters.
const MAX_SHOWN: usize = 200;

impl Change {
    /// One line in words, harmless for a screen: `metadata/team: "a" → "b"`. `part` is what the path is within.
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

/// All that an update would make of one key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// Of the metadata.
    pub metadata: Vec<Change>,
    /// Of the descriptors. What the cluster fills in itself (empty lists and the like) counts as no change.
    pub role_descriptors: Vec<Change>,
    /// The end before (`None` is never) and after, as far as it can be told: the cluster counts from its own now.
    pub expiry: Option<(Option<Millis>, Millis)>,
    /// Of a cross-cluster key: the binding to certificates before and after.
    pub certificate_identity: Option<(Option<String>, Option<String>)>,
    /// The descriptors become `{}`: the key may then do all that its owner may.
    pub removes_restriction: bool,
    /// The metadata becomes `{}`.
    pub wipes_metadata: bool,
    /// Whether the owner's rights of today are others than those in the key; `None` where it isn't known.
    pub owner_snapshot_changes: Option<bool>,
    /// In what they are others.
    pub owner_snapshot: Vec<Change>,
}

impl Changes {
    /// Whether nothing is different as far as it is known.
    pub fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.role_descriptors.is_empty()
            && self.expiry.is_none()
            && self.certificate_identity.is_none()
            && self.owner_snapshot_changes != Some(true)
    }

    /// What a person must know before saying yes, a sentence each.
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.removes_restriction {
            words.push("The key loses its limits: it may then do everything that its owner may");
        }
        if self.wipes_metadata {
            words.push("All metadata is wiped");
        }
        words.push(match self.owner_snapshot_changes {
            Some(true) => "The owner's rights have changed since the key took them: it takes those of today",
            Some(false) => "The owner's rights are the same as those in the key",
            None => "Every update takes the owner's rights of today anew: they may be more or fewer than before",
        });
        words
    }
}

/// What an update would make of a key. `owner_today` is the owner's rights of today in the form of
/// [`ApiKey::limited_by`], where they are known; `now` is the cluster's.
pub fn diff(before: &ApiKey, update: &KeyUpdate, owner_today: Option<&RawValue>, now: Millis) -> Changes {
    let of = |asked: &Option<Box<RawValue>>, found: &Option<Box<RawValue>>, rights| match asked {
        Some(asked) => changes(found.as_deref().map(RawValue::get), asked.get(), rights),
        None => Vec::new(),
    };
    let becomes_empty = |asked: &Option<Box<RawValue>>, found: &Option<Box<RawValue>>| {
        asked.as_ref().is_some_and(|asked| json::is_empty_object(asked.get()))
            && !found.as_ref().is_some_and(|found| json::is_empty_object(found.get()))
    };
    // One list of the cluster for both: what one of them leaves out because it is empty is no difference.
    let owner_snapshot = before.limited_by.as_deref().zip(owner_today);
    let owner_snapshot = owner_snapshot.map(|(then, today)| changes(Some(then.get()), today.get(), true));
    Changes {
        metadata: of(&update.metadata, &before.metadata, false),
        role_descriptors: of(&update.role_descriptors, &before.role_descriptors, true),
        expiry: update.expiration.map(|span| {
            let length = span.millis().unwrap_or(Millis::MAX);
            (before.expires, now.saturating_add(length))
        }),
        certificate_identity: None,
        removes_restriction: becomes_empty(&update.role_descriptors, &before.role_descriptors),
        wipes_metadata: becomes_empty(&update.metadata, &before.metadata),
        owner_snapshot_changes: owner_snapshot.as_ref().map(|changes| !changes.is_empty()),
        owner_snapshot: owner_snapshot.unwrap_or_default(),
    }
}

/// The differences of two JSON texts, objects member by member. `rights` is for descriptors, in which what is
/// left out and what is empty are the same.
pub fn differences(old: &str, new: &str, rights: bool) -> Vec<Change> {
    changes(Some(old), new, rights)
}

/// The differences of two JSON texts, objects member by member. `rights` is for descriptors, in which what is
/// left out and what is empty are the same.
pub(super) fn changes(old: Option<&str>, new: &str, rights: bool) -> Vec<Change> {
    let mut found = Vec::new();
    compare(String::new(), Some(old.unwrap_or("{}")), Some(new), (rights, 0), &mut found);
    found
}

/// The most levels that are compared member by member; what lies deeper is compared as a whole. Elasticsearch limits
/// metadata to 20 levels, and that of role descriptors to some 1,000 (as seen on 9.5.3).
const MAX_COMPARED_DEPTH: usize = 64;

fn compare(
    path: String,
    old: Option<&str>,
    new: Option<&str>,
    (rights, depth): (bool, usize),
    found: &mut Vec<Change>,
) {
    if old.zip(new).is_some_and(|(old, new)| same(old, new)) {
        return;
    }
    if rights && old.zip(new).is_some_and(|(old, new)| is_written_otherwise(&path, old, new)) {
        return;
    }
    // The name of a descriptor counts also when it grants nothing.
    let says_nothing = |text: Option<&str>| text.is_none_or(|text| is_default(&path, text));
    if rights && depth > 1 && says_nothing(old) && says_nothing(new) {
        return;
    }
    if depth < MAX_COMPARED_DEPTH
        && let Some((mut before, mut after)) = parts(old).zip(parts(new))
    {
        // A descriptor is taken with `index`, and told with `indices` (as seen on 9.5.3).
        for (name, _) in before.iter_mut().chain(&mut after).filter(|(name, _)| rights && depth == 1 && name == "index")
        {
            "indices".clone_into(name);
        }
        let names: BTreeSet<&str> = before.iter().chain(&after).map(|(name, _)| name.as_str()).collect();
        for name in names {
            // Of members of the same name the last one counts, as it does for Elasticsearch.
            let last = |parts: &[(String, Box<RawValue>)]| {
                parts.iter().rev().find(|(other, _)| other == name).map(|(_, raw)| raw.get().to_owned())
            };
            let (old, new) = (last(&before), last(&after));
            let step = name.replace('~', "~0").replace('/', "~1");
            compare(format!("{path}/{step}"), old.as_deref(), new.as_deref(), (rights, depth + 1), found);
        }
        return;
    }
    found.push(Change { path, old: old.map(str::to_owned), new: new.map(str::to_owned) });
}

/// The members of an object, or the elements of a list of objects, named by their number.
fn parts(text: Option<&str>) -> Option<Vec<(String, Box<RawValue>)>> {
    let text = text?;
    if let Some(members) = json::members(text) {
        return Some(members);
    }
    let elements: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
    let all_objects = !elements.is_empty() && elements.iter().all(|element| element.get().starts_with('{'));
    all_objects.then(|| elements.into_iter().enumerate().map(|(place, raw)| (place.to_string(), raw)).collect())
}

/// `true` for what Elasticsearch takes in one form and tells in another: a single name for a list of one, and a query as an
/// object for its text (as seen on 9.5.3).
fn is_written_otherwise(path: &str, old: &str, new: &str) -> bool {
    let told = |text: &str| match json::value(text)? {
        Value::String(name) if path.ends_with("/names") => Some(Value::Array(vec![Value::String(name)])),
        Value::String(query) if path.ends_with("/query") => json::value(&query),
        other => Some(other),
    };
    told(old).is_some_and(|old| Some(old) == told(new))
}

/// What Elasticsearch writes into a descriptor where nothing was said (as seen on 9.5.3).
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

/// Whether two JSON texts mean the same, whatever their blanks and the order of members.
fn same(a: &str, b: &str) -> bool {
    a == b
        || match (json::value(a), json::value(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
}

#[cfg(test)]
mod tests;
