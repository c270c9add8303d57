//! Audit events in an index: how they are mapped, and which keys they name last when.

use keybearer::{
    client::{AuditSource, Put},
    model::{TimeDelta, Timestamp, api_key::KeyId},
    ops::keys::last_use::{self, NotKnown},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, every_server, unique};

const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000);

/// An event as it is shipped, as a line of the log with a time of its own, or as the line is.
const FORMS: [&str; 3] = ["elasticsearch.audit.apikey.id", "apikey.id", "raw"];

fn event(form: &str, key: &str, minute: u32) -> Value {
    if form == "raw" {
        return json!({ "timestamp": format!("2026-11-24T13:{minute:02}:00,000+0100"), "apikey.id": key });
    }
    let mut event = json!({ "@timestamp": format!("2026-11-24T12:{minute:02}:00.000Z"),
        "event": { "action": "access_granted" } });
    match form.strip_prefix("elasticsearch.") {
        Some(_) => {
            event["elasticsearch"] = json!({ "audit": { "apikey": { "id": key } } });
            event["event"]["dataset"] = json!("elasticsearch.audit");
        }
        None => event["apikey"] = json!({ "id": key }),
    }
    event
}

async fn put(server: &Server, index: &str, events: &[Value]) {
    let client = server.client(crate::server::superuser());
    let lines: Vec<(String, String)> =
        events.iter().enumerate().map(|(number, event)| (number.to_string(), event.to_string())).collect();
    let documents: Vec<(&str, &str)> = lines.iter().map(|(id, line)| (id.as_str(), line.as_str())).collect();
    let answers = client.create_documents(index, &documents).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Put::Created), "{answers:?}");
    server.call(Method::POST, &format!("/{index}/_refresh"), None).await.ok();
}

#[test]
fn the_last_event_of_each_key_is_found_in_either_form_of_the_log() {
    every_server(async |server| {
        let session = server.admin().await;
        for field in FORMS {
            let index = unique("audit");
            let dataset = json!({ "properties": { "event": { "properties": { "dataset": { "type": "keyword" } } } } });
            let mappings = if field.starts_with("elastic") { dataset } else { json!({}) };
            server.call(Method::PUT, &format!("/{index}"), Some(json!({ "mappings": mappings }))).await.ok();
            let mut events: Vec<Value> = [("b", 5), ("a", 1), ("a", 9), ("c", 2), ("a", 4)]
                .iter()
                .map(|(key, minute)| event(field, key, *minute))
                .collect();
            // A line of another kind in the same index, and an event of somebody without a key.
            let other = |time: &str, dataset: &str| json!({ "@timestamp": time, "event": { "dataset": dataset } });
            if field == "raw" {
                events.push(json!({ "timestamp": "2026-11-24T13:30:00,000+0100" }));
            } else {
                events.push(other("2026-11-24T12:30:00.000Z", "elasticsearch.server"));
                events.push(other("2026-11-24T12:20:00.000Z", "elasticsearch.audit"));
            }
            put(server, &index, &events).await;
            let ids: Vec<KeyId> = ["a", "b", "never"].map(KeyId::new).into();
            let uses = last_use::within(&session, &ids, Some(&index)).await.unwrap();
            let seen: Vec<Option<Timestamp>> = ids.iter().map(|id| uses.of(id)).collect();
            assert_eq!(
                seen,
                [Some(NOON + TimeDelta::from_mins(9)), Some(NOON + TimeDelta::from_mins(5)), None],
                "{field}"
            );
            assert_eq!(uses.of(&KeyId::new("c")), None, "only those that were asked for");
            // What is no audit event is left out; where the mapping does not tell them, those of nobody too.
            let last = if field.starts_with("elastic") { 20 } else { 9 };
            assert_eq!((uses.from, uses.to), (NOON + TimeDelta::MINUTE, NOON + TimeDelta::from_mins(last)), "{field}");
        }
    });
}

#[test]
fn more_keys_than_one_answer_holds_are_read_page_by_page() {
    every_server(async |server| {
        let session = server.admin().await;
        let index = unique("audit");
        let events: Vec<Value> =
            (0..2100).map(|number| event("apikey.id", &format!("k{number:04}"), number % 60)).collect();
        put(server, &index, &events).await;
        let ids: Vec<KeyId> = (0..2100).map(|number| KeyId::new(format!("k{number:04}"))).collect();
        let uses = last_use::within(&session, &ids, Some(&index)).await.unwrap();
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(uses.of(id), Some(NOON + TimeDelta::from_mins(number as i64 % 60)), "{id}");
        }
    });
}

#[test]
fn why_a_last_use_is_not_known_is_told_apart() {
    every_server(async |server| {
        let session = server.admin().await;
        let ids = [KeyId::new("a")];
        let missing = last_use::within(&session, &ids, Some("contract-no-such-audit")).await.unwrap_err();
        assert_eq!(missing, NotKnown("there is no index contract-no-such-audit that you can read".into()));
        let nowhere = last_use::of(&session, &ids).await.unwrap_err();
        assert!(nowhere.0.contains(last_use::USUAL), "{nowhere}");

        let plain = server.index().await;
        let no_key = last_use::within(&session, &ids, Some(&plain)).await.unwrap_err();
        assert!(no_key.0.contains("has an API key"), "{no_key}");
        let raw = unique("audit");
        put(server, &raw, &[json!({ "timestamp": "noon", "apikey": { "id": "a" } })]).await;
        let no_time = last_use::within(&session, &ids, Some(&raw)).await.unwrap_err();
        assert!(no_time.0.contains("@timestamp"), "{no_time}");
        let source = session.client.audit_source(&raw).await.unwrap();
        assert_eq!(source, AuditSource::NoTimeField);

        let (_, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let own = server.session(login).await;
        let forbidden = last_use::within(&own, &ids, Some(&raw)).await.unwrap_err();
        assert!(
            forbidden.0.contains("you can read") || forbidden.0.contains("you don't have permission to read"),
            "{forbidden}"
        );
    });
}
