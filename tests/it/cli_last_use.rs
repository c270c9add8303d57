//! The last use of keys by command: as audit events tell it, or why it is not known.

use std::time::Duration;

use keybearer::{
    client::{Client, Put},
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
        },
        secret::Secret,
    },
};
use serde_json::json;

use crate::cli_practice::{Practice, Ran, keybearer, run};

fn elastic(practice: &Practice, args: &[&str]) -> Ran {
    run(practice.user(keybearer(), "elastic").args(args))
}

/// Puts events of keys into an index, each with its minute after noon.
fn put(practice: &Practice, index: &str, events: &[(&str, u32)]) {
    let endpoint = Endpoint {
        trust: Trust::Fingerprint(Fingerprint::parse(practice.sandbox().fingerprint()).unwrap()),
        timeout: Duration::from_secs(20),
        ..Endpoint::new(
            ClusterUrl::parse(practice.sandbox().url()).unwrap(),
            Login::Password { username: "elastic".into(), password: Secret::new("elastic-password") },
        )
    };
    let event = |(key, minute): &(&str, u32)| {
        let at = format!("2026-11-24T12:{minute:02}:00.000Z");
        json!({ "@timestamp": at, "elasticsearch.audit.apikey.id": key })
    };
    let lines: Vec<(String, String)> =
        events.iter().enumerate().map(|(number, one)| (number.to_string(), event(one).to_string())).collect();
    let documents: Vec<(&str, &str)> = lines.iter().map(|(id, line)| (id.as_str(), line.as_str())).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::new(&endpoint).unwrap();
    let answers = runtime.block_on(client.create_documents(index, &documents)).unwrap();
    assert!(answers.iter().all(|answer| *answer == Put::Created), "{answers:?}");
}

#[test]
fn the_last_use_is_told_where_there_are_audit_events_and_else_why_it_is_not() {
    let practice = Practice::start();
    let (used, idle) = (practice.create("used", &[]), practice.create("idle", &[]));
    let (used, idle) = (used["id"].as_str().unwrap(), idle["id"].as_str().unwrap());
    let nowhere = elastic(&practice, &["show", "--output", "json", "--", used]).json();
    let why = nowhere["last_use"]["not_known"].as_str().unwrap();
    assert!(why.contains("Elasticsearch does not record it") && why.contains("filebeat-*"), "{why}");
    assert_eq!(nowhere["last_use"]["at"], json!(null));

    put(&practice, "filebeat-9", &[(used, 3), ("other", 1), (used, 9), ("other", 30)]);
    let shown = elastic(&practice, &["show", "--", used]);
    assert!(shown.out.contains("24 Nov 2026, 12:09 UTC"), "{shown:?}");
    let shown = elastic(&practice, &["show", "--", idle]);
    assert!(shown.out.contains("not seen between 24 Nov 2026, 12:01 UTC and 24 Nov 2026, 12:30 UTC"), "{shown:?}");
    let json = elastic(&practice, &["show", "--output", "json", "--", used]).json();
    assert_eq!(json["last_use"]["at"], json!(1_795_522_140_000_i64));

    let listed = elastic(&practice, &["list", "--last-use"]);
    let line = |id: &str| listed.out.lines().find(|line| line.contains(id)).unwrap().to_owned();
    assert!(listed.out.lines().next().unwrap().ends_with("LAST USE"), "{listed:?}");
    assert!(line(used).ends_with("24 Nov 2026, 12:09 UTC") && line(idle).ends_with("not seen"), "{listed:?}");
    assert!(listed.err.contains("from 24 Nov 2026, 12:01 UTC to 24 Nov 2026, 12:30 UTC"), "{listed:?}");
}

#[test]
fn an_index_of_ones_own_is_asked_and_what_it_lacks_is_told() {
    let practice = Practice::start();
    let key = practice.create("seen", &[]);
    let id = key["id"].as_str().unwrap();
    put(&practice, "my-audit", &[(id, 7)]);
    let shown = elastic(&practice, &["show", "--audit-index", "my-audit", "--", id]);
    assert!(shown.out.contains("24 Nov 2026, 12:07 UTC"), "{shown:?}");
    let other = elastic(&practice, &["list", "--last-use", "--audit-index", "my_index"]);
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.err.contains("has an API key") && other.out.contains("not known"), "{other:?}");
    // Before a key is invalidated, who is asked to confirm it is told that it is in use.
    let asked = elastic(&practice, &["invalidate", "--", id]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.err.contains("Last use: not known: Elasticsearch does not record it"), "{asked:?}");
    put(&practice, "filebeat-9", &[(id, 9)]);
    let asked = elastic(&practice, &["invalidate", "--", id]);
    assert!(asked.err.contains("Last use: 24 Nov 2026, 12:09 UTC"), "{asked:?}");
    assert!(asked.err.contains("Nothing was done"), "{asked:?}");
    let missing = elastic(&practice, &["show", "--audit-index", "no-such", "--", id]);
    assert!(missing.out.contains("there is no index no-such that you can read"), "{missing:?}");
    let usage = elastic(&practice, &["list", "--last-use", "--output", "csv"]);
    assert_eq!(usage.code, Some(2), "{usage:?}");
    assert_eq!(elastic(&practice, &["list", "--audit-index", "a"]).code, Some(2));
}
