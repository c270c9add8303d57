//! Documents that are put where there are none yet: what shipping the journal rests on.

use keybearer::{
    client::{ClientError, Put},
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{self, Action, BEGINNING, Entry, FailedKey, Origin, Verdict},
        version::Version,
    },
    ops::journal::ship,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{every_server, superuser, unique};

fn lines(count: u64) -> Vec<(String, String)> {
    let mut previous = BEGINNING.to_owned();
    let line = |number: u64| {
        let entry = Entry {
            at: Timestamp::from_millis(1_795_521_600_000 + number as i64),
            id: format!("e{number}"),
            action: Action::Invalidate,
            intent: number.is_multiple_of(2).then(|| format!("e{}", number - 1)),
            verdict: Verdict::Success,
            origin: Origin { username: "ana".into(), url: "https://es:9200".into(), ..Origin::default() },
            keys: vec![KeyId::new("k1"), KeyId::new("k2")],
            failed: vec![FailedKey { id: "k3".into(), reason: "no".into(), is_unknown: Some(true) }],
            request: Some(json!({ "ids": ["k1", "k2", "k3"] })),
            reason: Some("because".into()),
            torn: None,
            damage: None,
        };
        let line = entry.line(number, &previous);
        previous = journal::verify::read(&line).unwrap().hash;
        (previous.clone(), line)
    };
    (1..=count).map(line).collect()
}

fn borrowed(lines: &[(String, String)]) -> Vec<(&str, &str)> {
    lines.iter().map(|(id, line)| (id.as_str(), line.as_str())).collect()
}

#[test]
fn a_document_is_created_once_and_stays_as_it_is() {
    every_server(async |server| {
        let client = server.client(superuser());
        let index = unique("journal");
        let lines = lines(3);
        let first = client.create_documents(&index, &borrowed(&lines[..2])).await.unwrap();
        assert_eq!(first, [Put::Created, Put::Created]);
        let again = client.create_documents(&index, &borrowed(&lines)).await.unwrap();
        assert_eq!(again, [Put::AlreadyThere, Put::AlreadyThere, Put::Created]);
        let kept = server.call(Method::GET, &format!("/{index}/_doc/{}", lines[0].0), None).await.ok();
        assert_eq!(kept["_source"], serde_json::from_str::<Value>(&lines[0].1).unwrap());
        let odd = client.create_documents(&index, &[("odd", r#"{"@timestamp":"not a date"}"#)]).await.unwrap();
        assert!(matches!(&odd[..], [Put::Refused(reason)] if reason.contains("not a date")), "{odd:?}");
        for name in ["", "_all", "a,b", "a*"] {
            let refused = client.create_documents(name, &borrowed(&lines)).await;
            assert!(matches!(refused, Err(ClientError::NotSent { .. })), "{name}");
        }
    });
}

#[test]
fn who_may_not_write_is_told_for_each_document() {
    every_server(async |server| {
        let index = server.index().await;
        let (_, login) = server.user(json!({ "indices": [{ "names": [index], "privileges": ["create_doc"] }] })).await;
        let client = server.client(login);
        let lines = lines(1);
        assert_eq!(client.create_documents(&index, &borrowed(&lines)).await.unwrap(), [Put::Created]);
        assert_eq!(client.create_documents(&index, &borrowed(&lines)).await.unwrap(), [Put::AlreadyThere]);
        let other = client.create_documents(&unique("other"), &borrowed(&lines)).await.unwrap();
        assert!(matches!(&other[..], [Put::Refused(reason)] if reason.contains("unauthorized")), "{other:?}");
    });
}

#[test]
fn the_template_makes_a_data_stream_that_takes_the_entries() {
    every_server(async |server| {
        if server.name == "the sandbox" || server.version < Version::new(8, 0, 0) {
            return server.lacks("data streams");
        }
        let name = unique("stream");
        let path = format!("/_index_template/{name}");
        server.call(Method::PUT, &path, Some(ship::template(&name))).await.ok();
        let client = server.client(superuser());
        let lines = lines(2);
        assert_eq!(client.create_documents(&name, &borrowed(&lines)).await.unwrap(), [Put::Created, Put::Created]);
        let again = client.create_documents(&name, &borrowed(&lines)).await.unwrap();
        assert_eq!(again, [Put::AlreadyThere, Put::AlreadyThere]);
        let made = server.call(Method::GET, &format!("/{name}"), None).await.ok();
        let backing = format!(".ds-{name}-");
        assert!(made.as_object().unwrap().keys().all(|index| index.starts_with(&backing)), "{made}");
        let mapped = server.call(Method::GET, &format!("/{name}/_mapping/field/keybearer.keys"), None).await.ok();
        assert!(mapped.to_string().contains("keyword"), "{mapped}");
    });
}

#[test]
fn entries_that_were_shipped_are_found_by_their_numbers() {
    every_server(async |server| {
        let client = server.client(superuser());
        let index = unique("journal");
        let lines = lines(5);
        client.create_documents(&index, &borrowed(&lines)).await.unwrap();
        let checkpoint = json!({ "@timestamp": "2026-11-24T12:00:00Z", "event": { "sequence": 5 },
            "keybearer": { "checkpoint": "a text" } });
        client.create_documents(&index, &[("c", &checkpoint.to_string()), ("odd", "{}")]).await.unwrap();
        server.call(Method::POST, &format!("/{index}/_refresh"), None).await.ok();
        let (found, total) = client.shipped_entries(&index, &(2..4)).await.unwrap();
        assert_eq!((found.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), total), (vec![2, 3], 2));
        assert_eq!(found[1].previous.as_ref(), Some(&found[0].id));
        assert_eq!(found[0].id, lines[1].0);
        let (all, total) = client.shipped_entries(&index, &(0..u64::try_from(i64::MAX).unwrap())).await.unwrap();
        assert_eq!((all.len(), total), (6, 6));
        let texts: Vec<&str> = all.iter().filter_map(|entry| entry.checkpoint.as_deref()).collect();
        assert_eq!(texts, ["a text"]);
        let none = client.shipped_entries(&unique("missing"), &(0..9)).await;
        assert!(matches!(none, Err(ClientError::NotFound { .. })), "{none:?}");
    });
}
