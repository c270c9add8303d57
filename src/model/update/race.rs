//! Changes that somebody else makes to a key while an update of it is shown, confirmed and sent. Elasticsearch replaces
//! each part of a key as a whole and has no version to compare (as seen on 9.5.3). Therefore the key is compared with
//! the key that was shown just before sending, and with the requested change after the response.
//!
//! About a second remains unprotected: changes of another request are visible to reads only after its index was
//! refreshed, which is about when its response comes.

use serde_json::value::RawValue;

use super::{Change, key_change::KeyChange, plan::PlannedUpdate};
use crate::model::{
    TimeDelta, Timestamp,
    api_key::{ApiKey, KeyKind},
    time::{calendar, expiry::MAX_END_OFF},
    update,
};

/// Largest number of differences that are listed; the others are only counted.
const MAX_TOLD: usize = 5;

/// Largest deviation of an expiration that was given as a span: the difference of clocks that is
/// tolerated without a warning (5 minutes), and a minute for the request.
const MAX_SPAN_OFF: TimeDelta = TimeDelta::from_mins(6);

/// Returns the differences between a key as it was shown and as it is now, as one line of text; `None` if an update
/// that was worked out from the first may be sent to the second. Parts that were not known when the key was shown are
/// not compared.
pub fn changed_meanwhile(seen: &ApiKey, now: &ApiKey) -> Option<String> {
    let mut lines = Vec::new();
    invalidated(seen, now, &mut lines);
    expiration(seen.expires, now.expires, &mut lines);
    part("metadata", seen.metadata.as_deref(), now.metadata.as_deref(), false, &mut lines);
    if has_descriptors(seen) {
        part("role_descriptors", seen.role_descriptors.as_deref(), now.role_descriptors.as_deref(), true, &mut lines);
    }
    part("access", seen.access.as_deref(), now.access.as_deref(), true, &mut lines);
    identity(seen.certificate_identity.as_ref(), now.certificate_identity.as_ref(), &mut lines);
    if now.limited_by.is_some() {
        part("limited_by", seen.limited_by.as_deref(), now.limited_by.as_deref(), true, &mut lines);
    }
    told(lines)
}

/// Returns the differences between what an update requested and the key after it, as one line of text: requested parts
/// with other values, and parts that were not requested and are not as they were shown. `None` if all is as requested.
pub fn not_as_asked(planned: &PlannedUpdate, after: &ApiKey) -> Option<String> {
    let seen = &planned.seen;
    let mut lines = Vec::new();
    invalidated(seen, after, &mut lines);
    let (descriptors, access, metadata, has_end) = match &planned.change {
        KeyChange::Rest(asked) => {
            (asked.role_descriptors.as_deref(), None, asked.metadata.as_deref(), asked.expiration.is_some())
        }
        KeyChange::CrossCluster(asked) => {
            if let Some(identity_asked) = &asked.certificate_identity {
                identity(identity_asked.as_ref(), after.certificate_identity.as_ref(), &mut lines);
            }
            let access = asked.access.as_ref().map(crate::model::create::cross_cluster::Access::raw);
            (None, access, asked.metadata.as_deref(), asked.expiration.is_some())
        }
    };
    if !has_end {
        expiration(seen.expires, after.expires, &mut lines);
    } else if after.expires.is_none() {
        lines.push("expiration: none".to_owned());
    }
    part("metadata", metadata.or(seen.metadata.as_deref()), after.metadata.as_deref(), false, &mut lines);
    if has_descriptors(seen) {
        let descriptors = descriptors.or(seen.role_descriptors.as_deref());
        part("role_descriptors", descriptors, after.role_descriptors.as_deref(), true, &mut lines);
    }
    part("access", access.or(seen.access.as_deref()), after.access.as_deref(), true, &mut lines);
    told(lines)
}

/// Returns a message if the expiration is not the requested one: a date that became another one by the cluster's clock,
/// or a span that does not end when it should if the cluster's clock is at `now`. `None` if it is as requested or the
/// key never expires.
pub fn other_end(planned: &PlannedUpdate, after: &ApiKey, now: Timestamp) -> Option<String> {
    let found = after.expires?;
    let off = |asked: Timestamp| (found - asked).abs();
    let said = calendar::rfc3339(found);
    if let Some(asked) = planned.until {
        return (off(asked) > MAX_END_OFF).then(|| {
            let asked = calendar::rfc3339(asked);
            format!(
                "it expires {said} instead of {asked}: the clocks differ. Enter the expiration as a duration, such as \
                 90d"
            )
        });
    }
    let span = match &planned.change {
        KeyChange::Rest(asked) => asked.expiration,
        KeyChange::CrossCluster(asked) => asked.expiration,
    }?;
    let asked = now + span.length()?;
    (off(asked) > MAX_SPAN_OFF).then(|| {
        format!(
            "it expires {said}, but {span} from now is {}: the clocks differ, or it was changed",
            calendar::rfc3339(asked)
        )
    })
}

/// Returns `false` for a cross-cluster key, whose role descriptors the cluster derives from its access (as seen on
/// 9.5.3).
fn has_descriptors(key: &ApiKey) -> bool {
    key.kind != KeyKind::CrossCluster
}

fn told(mut lines: Vec<String>) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let more = lines.len().saturating_sub(MAX_TOLD);
    lines.truncate(MAX_TOLD);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Some(lines.join("; "))
}

fn invalidated(seen: &ApiKey, now: &ApiKey, lines: &mut Vec<String>) {
    if now.invalidated && !seen.invalidated {
        lines.push("it is invalidated".to_owned());
    }
}

fn expiration(seen: Option<Timestamp>, now: Option<Timestamp>, lines: &mut Vec<String>) {
    if seen != now {
        let words = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), calendar::rfc3339);
        lines.push(format!("expiration: {} → {}", words(seen), words(now)));
    }
}

fn identity(seen: Option<&String>, now: Option<&String>, lines: &mut Vec<String>) {
    if seen != now {
        let text = |identity: Option<&String>| identity.map(|text| crate::model::text::json::quote(text));
        let change = Change { path: String::new(), old: text(seen), new: text(now) };
        lines.push(change.words("certificate_identity"));
    }
}

/// Compares one part of a key; `rights` is `true` for role descriptors, in which missing and empty lists are the same.
fn part(name: &str, seen: Option<&RawValue>, now: Option<&RawValue>, rights: bool, lines: &mut Vec<String>) {
    match (seen, now) {
        (Some(seen), Some(now)) => {
            let found = update::differences(seen.get(), now.get(), rights);
            lines.extend(found.iter().map(|change| change.words(name)));
        }
        (Some(_), None) => lines.push(format!("{name}: no longer reported")),
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        time::expiry::Span,
        update::{Changes, KeyUpdate},
    };

    fn raw(text: &str) -> Option<Box<RawValue>> {
        RawValue::from_string(text.into()).ok()
    }

    fn key() -> ApiKey {
        ApiKey {
            metadata: raw(r#"{"team":"a"}"#),
            role_descriptors: raw(r#"{"r":{"cluster":["monitor"]}}"#),
            limited_by: raw(r#"[{"x":{"cluster":["all"]}}]"#),
            certificate_identity: Some("CN=a".into()),
            access: raw(r#"{"search":[{"names":["a"]}]}"#),
            expires: Some(Timestamp::from_millis(5_000)),
            ..ApiKey::default()
        }
    }

    fn planned(change: KeyUpdate) -> PlannedUpdate {
        PlannedUpdate { seen: key(), change: KeyChange::Rest(change), changes: Changes::default(), until: None }
    }

    #[test]
    fn any_part_that_somebody_else_changed_is_told_with_its_difference() {
        assert_eq!(changed_meanwhile(&key(), &key()), None);
        for (change, words) in [
            ((|key| key.invalidated = true) as fn(&mut ApiKey), "it is invalidated"),
            (|key| key.expires = None, "expiration: 1970-01-01T00:00:05Z → never"),
            (|key| key.metadata = raw(r#"{"team":"a","incident":"INC-7"}"#), r#"metadata/incident: added "INC-7""#),
            (|key| key.role_descriptors = raw(r#"{"r":{"cluster":[]}}"#), "role_descriptors/r/cluster"),
            (|key| key.limited_by = raw(r#"[{"x":{"cluster":["none"]}}]"#), "limited_by/0/x/cluster"),
            (|key| key.certificate_identity = None, r#"certificate_identity: removed (was "CN=a")"#),
            (|key| key.access = raw(r#"{"search":[{"names":["b"]}]}"#), "access/search/0/names"),
            (|key| key.metadata = None, "metadata: no longer reported"),
        ] {
            let mut now = key();
            change(&mut now);
            let found = changed_meanwhile(&key(), &now).unwrap();
            assert!(found.contains(words), "{words}: {found}");
        }
    }

    #[test]
    fn what_was_not_shown_is_not_compared_and_what_the_cluster_fills_in_is_no_change() {
        let listed = ApiKey { limited_by: None, ..key() };
        assert_eq!(changed_meanwhile(&listed, &key()), None);
        assert_eq!(changed_meanwhile(&key(), &listed), None, "read without the snapshot");
        let mut filled = key();
        filled.role_descriptors = raw(r#"{"r":{"cluster":["monitor"],"indices":[],"run_as":[]}}"#);
        assert_eq!(changed_meanwhile(&key(), &filled), None);
        let many: Vec<String> = (0..9).map(|number| format!(r#""m{number}":{number}"#)).collect();
        let now = ApiKey { metadata: raw(&format!("{{{}}}", many.join(","))), ..key() };
        assert!(changed_meanwhile(&key(), &now).unwrap().ends_with("and 5 more"));
    }

    #[test]
    fn after_the_answer_every_part_is_as_asked_or_as_shown() {
        let asked = KeyUpdate { metadata: raw(r#"{"team":"b"}"#), ..KeyUpdate::default() };
        let mut after = ApiKey { metadata: raw(r#"{"team": "b"}"#), ..key() };
        assert_eq!(not_as_asked(&planned(asked.clone()), &after), None);
        after.role_descriptors = raw("{}");
        assert!(not_as_asked(&planned(asked.clone()), &after).unwrap().contains("role_descriptors/r: removed"));
        let overtaken = ApiKey { metadata: raw(r#"{"team":"c"}"#), ..key() };
        assert_eq!(not_as_asked(&planned(asked), &overtaken).unwrap(), r#"metadata/team: "b" → "c""#);
        let end = KeyUpdate { expiration: Some(Span::days(1)), ..KeyUpdate::default() };
        let moved = ApiKey { expires: Some(Timestamp::from_millis(90_000_000)), ..key() };
        assert_eq!(not_as_asked(&planned(end.clone()), &moved), None);
        assert!(not_as_asked(&planned(KeyUpdate::default()), &moved).unwrap().contains("expiration"));
        let by_date = |until| PlannedUpdate { until: Some(Timestamp::from_millis(until)), ..planned(end.clone()) };
        let now = Timestamp::EPOCH;
        assert_eq!(other_end(&by_date(90_030_000), &moved, now), None);
        assert!(other_end(&by_date(3_690_000_000), &moved, now).unwrap().contains("1970-01-02T01:00:00Z instead of"));
    }

    #[test]
    fn a_span_may_end_as_far_off_as_clocks_are_apart() {
        let day = planned(KeyUpdate { expiration: Some(Span::days(1)), ..KeyUpdate::default() });
        let at = Timestamp::from_millis(1_795_521_600_000);
        let step = TimeDelta::from_millis(1);
        let after = |off: TimeDelta| ApiKey { expires: Some(at + TimeDelta::DAY + off), ..key() };
        for off in [-MAX_SPAN_OFF, TimeDelta::ZERO, MAX_SPAN_OFF] {
            assert_eq!(other_end(&day, &after(off), at), None, "{off:?}");
        }
        for off in [-MAX_SPAN_OFF - step, MAX_SPAN_OFF + step] {
            let words = other_end(&day, &after(off), at).unwrap();
            assert!(words.contains("1d from now is 2026-11-25T12:00:00Z: the clocks differ"), "{off:?}: {words}");
        }
    }
}
