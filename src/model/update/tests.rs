//! Tests for the changes that an update is reported to make, and those that it is not.

use crate::model::update::*;
use crate::model::{TimeDelta, Timestamp};

fn raw(text: &str) -> Option<Box<RawValue>> {
    Some(RawValue::from_string(text.into()).unwrap())
}

fn key(descriptors: &str, metadata: &str) -> ApiKey {
    ApiKey { role_descriptors: raw(descriptors), metadata: raw(metadata), ..ApiKey::default() }
}

fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
    Change { path: path.into(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
}

#[test]
fn the_body_carries_raw_json_and_leaves_out_what_stays() {
    let update =
        KeyUpdate { metadata: raw(r#"{"n":1.0e+10}"#), expiration: Some(Span::days(9)), ..KeyUpdate::default() };
    assert_eq!(update.body(Some(r#"["a"]"#)), r#"{"ids":["a"],"metadata":{"n":1.0e+10},"expiration":"9d"}"#);
    assert_eq!(KeyUpdate::default().body(None), "{}");
}

#[test]
fn metadata_is_compared_member_by_member() {
    let before = key("{}", r#"{"team":{"name":"a","x":1},"old":[1],"same":2,"a/b":1}"#);
    let update = KeyUpdate {
        metadata: raw(r#"{"team":{"name":"b","x":1},"new":1.50,"same": 2,"a/b":3}"#),
        ..KeyUpdate::default()
    };
    let changes = diff(&before, &update, None, Timestamp::EPOCH);
    assert_eq!(
        changes.metadata,
        [
            change("/a~1b", Some("1"), Some("3")),
            change("/new", None, Some("1.50")),
            change("/old", Some("[1]"), None),
            change("/team/name", Some("\"a\""), Some("\"b\"")),
        ]
    );
    assert!(!changes.wipes_metadata && changes.role_descriptors.is_empty() && changes.expiry.is_none());
}

#[test]
fn what_the_cluster_fills_in_is_no_change_of_rights() {
    let told = r#"{"x":{"cluster":["monitor"],"indices":[{"names":["a"],"privileges":["read"],"allow_restricted_indices":false}],"applications":[],"run_as":[],"metadata":{},"transient_metadata":{"enabled":true}}}"#;
    let asked = r#"{"x":{"cluster":["monitor"],"indices":[{"names":["a"],"privileges":["read"]}]}}"#;
    let before = key(told, "{}");
    let update = KeyUpdate { role_descriptors: raw(asked), ..KeyUpdate::default() };
    assert!(diff(&before, &update, None, Timestamp::EPOCH).is_empty());
    let update = KeyUpdate { role_descriptors: raw(&asked.replace("read", "write")), ..KeyUpdate::default() };
    let found = diff(&before, &update, None, Timestamp::EPOCH).role_descriptors;
    assert_eq!(found, [change("/x/indices/0/privileges", Some(r#"["read"]"#), Some(r#"["write"]"#))]);
    let named = KeyUpdate { role_descriptors: raw(r#"{"x":{},"none":{}}"#), ..KeyUpdate::default() };
    assert!(diff(&key(r#"{"x":{}}"#, "{}"), &named, None, Timestamp::EPOCH).role_descriptors.len() == 1);
}

#[test]
fn what_the_cluster_tells_in_another_form_is_no_change_of_rights() {
    let asked = r#"{"x":{"index":[{"names":"a","privileges":["read"],"query":{"term":{"b":1}}}]}}"#;
    let told = r#"{"x":{"cluster":[],"indices":[{"names":["a"],"privileges":["read"],"query":"{\"term\":{\"b\":1}}",
        "allow_restricted_indices":false}]}}"#;
    assert_eq!(differences(asked, told, true), []);
    assert_eq!(differences(told, asked, true), []);
    let other = told.replace("read", "write");
    assert_eq!(differences(asked, &other, true)[0].path, "/x/indices/0/privileges");
    let other = told.replace("term", "match");
    assert_eq!(differences(asked, &other, true)[0].path, "/x/indices/0/query");
    assert_eq!(differences(r#"{"names":"a"}"#, r#"{"names":["a"]}"#, false).len(), 1, "metadata is compared as it is");
}

#[test]
fn losing_limits_and_metadata_is_flagged_only_where_it_is_lost() {
    let wipe = KeyUpdate { role_descriptors: raw("{ }"), metadata: raw("{}"), expiration: None };
    let changes = diff(&key(r#"{"x":{}}"#, r#"{"a":1}"#), &wipe, None, Timestamp::EPOCH);
    assert!(changes.removes_restriction && changes.wipes_metadata);
    assert_eq!(changes.warnings().len(), 3);
    let changes = diff(&key("{}", "{}"), &wipe, None, Timestamp::EPOCH);
    assert!(!changes.removes_restriction && !changes.wipes_metadata && changes.is_empty());
}

#[test]
fn the_owners_rights_are_compared_where_they_are_known() {
    let mut before = key("{}", "{}");
    let update = KeyUpdate::default();
    let today = raw(r#"[{"r":{"cluster":["all"]}}]"#);
    assert_eq!(diff(&before, &update, today.as_deref(), Timestamp::EPOCH).owner_snapshot_changes, None);
    before.limited_by = raw(r#"[{"r":{"cluster":["monitor"]}}]"#);
    assert_eq!(diff(&before, &update, today.as_deref(), Timestamp::EPOCH).owner_snapshot_changes, Some(true));
    before.limited_by.clone_from(&today);
    assert_eq!(diff(&before, &update, today.as_deref(), Timestamp::EPOCH).owner_snapshot_changes, Some(false));
    assert_eq!(diff(&before, &update, None, Timestamp::EPOCH).owner_snapshot_changes, None);
}

#[test]
fn an_end_beyond_all_time_does_no_harm() {
    let update = KeyUpdate { expiration: Some(Span::days(u64::MAX)), ..KeyUpdate::default() };
    assert_eq!(diff(&ApiKey::default(), &update, None, Timestamp::from_millis(5)).expiry, Some((None, Timestamp::MAX)));
}

#[test]
fn after_a_lost_answer_the_key_tells_whether_it_was_done() {
    let update = KeyUpdate { metadata: raw(r#"{"a":1}"#), expiration: Some(Span::days(1)), ..KeyUpdate::default() };
    let mut after = key("{}", r#"{"a": 1}"#);
    let later = Timestamp::EPOCH + TimeDelta::from_secs(9);
    assert_eq!(update.is_carried_out(&after, Timestamp::EPOCH, later), Some(false));
    after.expires = Some(Timestamp::EPOCH + TimeDelta::DAY + TimeDelta::from_secs(4));
    assert_eq!(update.is_carried_out(&after, Timestamp::EPOCH, later), Some(true));
    after.metadata = raw("{}");
    assert_eq!(update.is_carried_out(&after, Timestamp::EPOCH, later), Some(false));
    after.metadata = None;
    assert_eq!(update.is_carried_out(&after, Timestamp::EPOCH, later), None);
    assert_eq!(KeyUpdate::default().is_carried_out(&after, Timestamp::EPOCH, later), None);
}
