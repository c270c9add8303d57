//! Request for the successor of a key: the same descriptors and metadata, and the lineage.

use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::model::{
    TimeDelta,
    api_key::{ApiKey, KeyId},
    create::{CreateKey, REQUEST_ID},
    text::{hex, json},
    time::expiry::Expiry,
    update::{self, Change},
};

/// Member of a successor's metadata that names its predecessor.
pub const ROTATED_FROM: &str = "rotated_from";
/// Member of a key's metadata that names its successor.
pub const ROTATED_TO: &str = "rotated_to";
/// Member of a successor's metadata that holds the grace period during which its predecessor still works: a number of
/// seconds in Elasticsearch's time unit, such as `604800s`. It is kept on the cluster, so that whoever can write the
/// rotation's state on a machine can't invalidate the old key before its time.
pub const ROTATION_GRACE: &str = "rotation_grace";

impl CreateKey {
    /// Builds the request for the successor of a key; `None` where the cluster doesn't return the key's descriptors.
    ///
    /// The descriptors are sent as they came: 8.19 and 9.5 accept what they return for a key, including fields that
    /// they filled in (as seen on both).
    pub fn successor(old: &ApiKey, name: &str, expiry: Expiry, request_id: &str) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            expiry,
            role_descriptors: old.role_descriptors.clone()?,
            metadata: Some(metadata(old, request_id)),
            request_id: request_id.to_owned(),
            application_id: old.application_id().map(str::to_owned),
        })
    }

    /// Returns the request with a grace period in its metadata: the time during which the predecessor
    /// still works. A period below a second is left out.
    pub fn naming_grace(mut self, grace: TimeDelta) -> Self {
        let mut kept = self.metadata.as_deref().and_then(json::members).unwrap_or_default();
        kept.retain(|(name, _)| name != ROTATION_GRACE);
        let seconds = json::quote(&format!("{}s", grace / TimeDelta::SECOND));
        let own = (grace >= TimeDelta::SECOND).then_some((ROTATION_GRACE, seconds.as_str()));
        let members = kept.iter().map(|(name, raw)| (name.as_str(), raw.get())).chain(own);
        self.metadata = Some(json::write_object(members));
        self
    }
}

/// Returns the grace period in a successor's metadata; zero where there is none.
pub fn grace_of(successor: &ApiKey) -> TimeDelta {
    let said = successor.metadata_map();
    let seconds = said.get(ROTATION_GRACE).and_then(Value::as_str).and_then(|text| text.strip_suffix('s'));
    seconds
        .and_then(|digits| digits.parse::<u32>().ok())
        .map_or(TimeDelta::ZERO, |seconds| TimeDelta::from_secs(seconds.into()))
}

/// Returns the names of the old key's metadata members that a new key can't have: those reserved for Elasticsearch
/// (`_…`).
pub fn left_behind(old: &ApiKey) -> Vec<String> {
    members(old).into_iter().map(|(name, _)| name).filter(|name| name.starts_with('_')).collect()
}

fn metadata(old: &ApiKey, request_id: &str) -> String {
    let of_a_rotation = [ROTATED_FROM, ROTATED_TO, ROTATION_GRACE, REQUEST_ID];
    let mut kept = members(old);
    kept.retain(|(name, _)| !name.starts_with('_') && !of_a_rotation.contains(&name.as_str()));
    let (from, request) = (json::quote(old.id.as_str()), json::quote(request_id));
    let own = [(ROTATED_FROM, from.as_str()), (REQUEST_ID, request.as_str())];
    json::write_object(kept.iter().map(|(name, raw)| (name.as_str(), raw.get())).chain(own))
}

/// Returns the old key's metadata with its successor in it; `None` where the metadata isn't known.
pub fn naming_successor(old: &ApiKey, successor: &KeyId) -> Option<Box<RawValue>> {
    let mut kept = old.metadata.as_ref().and_then(|raw| json::members(raw.get()))?;
    kept.retain(|(name, _)| name != ROTATED_TO);
    let to = json::quote(successor.as_str());
    let members = kept.iter().map(|(name, raw)| (name.as_str(), raw.get())).chain([(ROTATED_TO, to.as_str())]);
    RawValue::from_string(json::write_object(members)).ok()
}

/// Returns the old key's metadata without that successor; `None` where the metadata doesn't name it.
pub fn not_naming(old: &ApiKey, successor: &KeyId) -> Option<Box<RawValue>> {
    let named = old.metadata_map().get(ROTATED_TO).and_then(Value::as_str) == Some(successor.as_str());
    let mut kept = old.metadata.as_ref().filter(|_| named).and_then(|raw| json::members(raw.get()))?;
    kept.retain(|(name, _)| name != ROTATED_TO);
    RawValue::from_string(json::write_object(kept.iter().map(|(name, raw)| (name.as_str(), raw.get())))).ok()
}

fn members(old: &ApiKey) -> Vec<(String, Box<RawValue>)> {
    old.metadata.as_ref().and_then(|raw| json::members(raw.get())).unwrap_or_default()
}

/// Returns `true` if a key was created for a rotation of `old` by one of these requests.
pub fn was_made_for(key: &ApiKey, old: &KeyId, requests: &[String]) -> bool {
    let said = key.metadata_map();
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    key.id != *old
        && text(ROTATED_FROM) == Some(old.as_str())
        && text(REQUEST_ID).is_some_and(|id| requests.iter().any(|request| request == id))
}

/// Returns a fingerprint of a key's descriptors (SHA-256 in hexadecimal), which depends neither on blanks nor on the
/// order of members. Empty where the cluster does not return the descriptors.
pub fn fingerprint(key: &ApiKey) -> String {
    let told = key.role_descriptors.as_ref().and_then(|raw| json::value(raw.get()));
    let Some(told) = told else { return String::new() };
    let text = sorted(told).to_string();
    hex::encode(&Sha256::digest(text.as_bytes()))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> =
                map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(Map::from_iter(members))
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Returns `true` if a key's descriptors restrict it to a workflow, so that it may not even ask who it is.
pub fn is_restricted(descriptors: Option<&RawValue>) -> bool {
    let members = descriptors.and_then(|raw| json::members(raw.get())).unwrap_or_default();
    members.iter().any(|(_, role)| {
        let fields = json::members(role.get()).unwrap_or_default();
        fields.iter().any(|(name, value)| name == "restriction" && !json::is_empty_object(value.get()))
    })
}

/// Returns the differences between two snapshots of owners' rights: `then` as a key holds it ([`ApiKey::limited_by`]),
/// `now` as another key holds it or as an object of roles. Fields that say nothing about rights are left out.
pub fn snapshot_changes(then: &RawValue, now: &RawValue) -> Vec<Change> {
    let no_right = ["metadata", "transient_metadata", "description"];
    let mut changes = update::changes(Some(&roles_of(then)), &roles_of(now), true);
    changes.retain(|change| !change.path.split('/').nth(2).is_some_and(|field| no_right.contains(&field)));
    changes
}

/// Returns the roles of a snapshot as an object: the cluster sends it as a list of one object, by role.
fn roles_of(snapshot: &RawValue) -> String {
    let list: Option<Vec<Box<RawValue>>> = serde_json::from_str(snapshot.get()).ok();
    match list.as_deref() {
        Some([one]) => one.get().to_owned(),
        Some([]) => "{}".to_owned(),
        _ => snapshot.get().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Timestamp, time::expiry::Span};

    fn raw(text: &str) -> Option<Box<RawValue>> {
        RawValue::from_string(text.into()).ok()
    }

    fn key(metadata: &str, descriptors: &str) -> ApiKey {
        ApiKey {
            id: KeyId::new("old-1"),
            metadata: raw(metadata),
            role_descriptors: raw(descriptors),
            ..ApiKey::default()
        }
        .with_facts()
    }

    #[test]
    fn a_successor_carries_everything_to_the_digit_and_names_the_key_before_it() {
        let old = key(
            r#"{"n":1.0e+2,"application_id":"app","request_id":"then","rotated_from":"older","rotated_to":"x","_cloned_from":1}"#,
            r#"{"r":{"indices":[{"names":["a"],"privileges":["read"],"odd":1.50}],"restriction":{"workflows":["w"]}}}"#,
        );
        let request = CreateKey::successor(&old, "app", Expiry::In(Span::days(90)), "now-1").unwrap();
        assert_eq!(request.role_descriptors().get(), old.role_descriptors.as_ref().unwrap().get());
        let metadata = r#""metadata":{"n":1.0e+2,"application_id":"app","rotated_from":"old-1","request_id":"now-1"}}"#;
        assert!(request.body(Timestamp::EPOCH).ends_with(metadata), "{}", request.body(Timestamp::EPOCH));
        assert_eq!((request.request_id(), request.application_id()), (Some("now-1"), Some("app")));
        let named = request.clone().naming_grace(TimeDelta::from_days(7)).body(Timestamp::EPOCH);
        assert!(named.contains(r#""request_id":"now-1","rotation_grace":"604800s"}"#), "{named}");
        assert_eq!(
            request
                .clone()
                .naming_grace(TimeDelta::MINUTE)
                .naming_grace(TimeDelta::from_millis(999))
                .body(Timestamp::EPOCH),
            request.body(Timestamp::EPOCH)
        );
        assert_eq!(left_behind(&old), ["_cloned_from"]);
        assert!(is_restricted(old.role_descriptors.as_deref()) && !is_restricted(raw(r#"{"r":{}}"#).as_deref()));
        assert!(CreateKey::successor(&ApiKey::default(), "app", Expiry::In(Span::days(90)), "q").is_none());
    }

    #[test]
    fn a_successor_s_grace_period_is_read_back_and_nothing_else_is_one() {
        for (metadata, grace) in [
            (r#"{"rotation_grace":"604800s"}"#, TimeDelta::from_days(7)),
            (r#"{"rotation_grace":"4294967295s"}"#, TimeDelta::from_secs(4_294_967_295)),
            (r#"{"rotation_grace":"4294967296s"}"#, TimeDelta::ZERO),
            (r#"{"rotation_grace":"-1s"}"#, TimeDelta::ZERO),
            (r#"{"rotation_grace":"7d"}"#, TimeDelta::ZERO),
            (r#"{"rotation_grace":604800}"#, TimeDelta::ZERO),
            ("{}", TimeDelta::ZERO),
        ] {
            assert_eq!(grace_of(&key(metadata, "{}")), grace, "{metadata}");
        }
    }

    #[test]
    fn the_old_key_names_its_newest_successor() {
        let named = naming_successor(&key(r#"{"rotated_to":"x","a":[ ]}"#, "{}"), &KeyId::new("new-1")).unwrap();
        assert_eq!(named.get(), r#"{"a":[ ],"rotated_to":"new-1"}"#);
        let old = key(r#"{"rotated_to":"new-1","a":[ ]}"#, "{}");
        assert_eq!(not_naming(&old, &KeyId::new("new-1")).unwrap().get(), r#"{"a":[ ]}"#);
        assert!(not_naming(&old, &KeyId::new("new-2")).is_none());
        assert!(naming_successor(&ApiKey::default(), &KeyId::new("n")).is_none(), "what isn't known can't be kept");
    }

    #[test]
    fn only_what_this_rotation_asked_for_is_its_own() {
        let requests = ["q1".to_owned(), "q2".to_owned()];
        let old = KeyId::new("old-1");
        let made = |id: &str, metadata: &str| {
            let key = ApiKey { id: KeyId::new(id), metadata: raw(metadata), ..ApiKey::default() };
            was_made_for(&key, &old, &requests)
        };
        assert!(made("n", r#"{"rotated_from":"old-1","request_id":"q2"}"#));
        assert!(!made("old-1", r#"{"rotated_from":"old-1","request_id":"q2"}"#), "never the old key itself");
        assert!(!made("n", r#"{"rotated_from":"other","request_id":"q2"}"#));
        assert!(!made("n", r#"{"rotated_from":"old-1","request_id":"q3"}"#));
        assert!(!made("n", r#"{"request_id":"q1"}"#) && !made("n", "{}"));
    }

    #[test]
    fn a_fingerprint_is_of_what_is_said_and_not_of_how() {
        let one = fingerprint(&key("{}", r#"{"a":{"x":1,"y":[{"q":1,"p":2}]},"b":{}}"#));
        assert_eq!(one, fingerprint(&key(r#"{"m":1}"#, r#"{ "b":{}, "a":{"y":[{"p":2,"q":1}],"x":1} }"#)));
        assert_ne!(one, fingerprint(&key("{}", r#"{"a":{"x":2,"y":[{"q":1,"p":2}]},"b":{}}"#)));
        assert_eq!(fingerprint(&ApiKey::default()), "");
    }

    #[test]
    fn snapshots_differ_by_rights_and_not_by_descriptions() {
        let then = raw(r#"[{"a":{"cluster":["monitor"],"indices":[],"metadata":{"_reserved":true}},"b":{}}]"#).unwrap();
        let same = raw(r#"{"b":{},"a":{"cluster":["monitor"],"description":"d"}}"#).unwrap();
        assert!(snapshot_changes(&then, &same).is_empty());
        let other = raw(r#"[{"a":{"cluster":["all"]}}]"#).unwrap();
        let paths: Vec<String> = snapshot_changes(&then, &other).into_iter().map(|change| change.path).collect();
        assert_eq!(paths, ["/a/cluster", "/b"]);
    }
}
