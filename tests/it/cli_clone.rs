//! Copies of keys by command.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana_at, cluster, elastic, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run, text},
};

fn shown(practice: &Practice, key: &str) -> Value {
    practice.officer(["show", key, "--output", "json"]).json()
}

/// Copies a key by a file that holds its secret.
fn copy(practice: &Practice, secret: &str, args: &[&str]) -> Ran {
    let folder = folder();
    let file = folder.path().join("source");
    fs::write(&file, secret).unwrap();
    practice.officer(["clone", "--source-file", text(&file), "--output", "json"].iter().chain(args))
}

#[test]
fn a_copy_has_the_rights_the_owner_the_end_and_the_metadata_of_its_source() {
    let practice = Practice::start();
    let source = practice.create("source", &["--id", "app", "--expiration", "3d", "--metadata", r#"{"n":1.0e+2}"#]);
    let made = copy(&practice, source["encoded"].as_str().unwrap(), &["app", "--name", "copy"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.err.contains("A clone named copy of source") && made.err.contains("Like its source"), "{made:?}");
    let made = made.json();
    assert!(made["id"] != source["id"] && made["encoded"] != source["encoded"]);
    assert_eq!((&made["expiration"], &made["application_id"]), (&source["expiration"], &json!("app")));
    let (id, source_id) = (made["id"].as_str().unwrap(), source["id"].as_str().unwrap());
    let (copied, original) = (shown(&practice, id), shown(&practice, source_id));
    assert_eq!(copied["role_descriptors"], original["role_descriptors"]);
    assert_eq!(copied["metadata"]["_cloned_from"], source["id"]);
    assert_eq!((&copied["metadata"]["roles"], &copied["username"]), (&json!(["reader"]), &json!("officer")));
    assert_ne!(copied["metadata"]["request_id"], original["metadata"]["request_id"], "each request has its own");
    let whoami = run(practice.holder(keybearer(), made["encoded"].as_str().unwrap()).arg("whoami"));
    assert_eq!(whoami.code, Some(0), "{whoami:?}");
}

#[test]
fn name_and_end_can_be_others_and_no_end_needs_a_reason() {
    let practice = Practice::start();
    let source = practice.create("source", &["--expiration", "3d"]);
    let pair = format!("{}:{}", source["id"].as_str().unwrap(), source["api_key"].as_str().unwrap());
    let slip = copy(&practice, &pair, &["source", "--expiration", "never"]);
    assert!(slip.code == Some(2) && slip.err.contains("--reason"), "{slip:?}");
    let made = copy(&practice, &pair, &["source", "--name", "c", "--expiration", "never", "--reason", "a machine"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = shown(&practice, made.json()["id"].as_str().unwrap());
    assert_eq!((&key["expiration"], &key["metadata"]["reason"]), (&Value::Null, &json!("a machine")));
    let made = copy(&practice, &pair, &["source", "--expiration", "9d"]);
    assert_eq!(made.json()["name"], "source", "without a name it is that of the source");
}

#[test]
fn a_dry_run_shows_no_secret_and_sends_nothing() {
    let practice = Practice::start();
    let source = practice.create("source", &["--expiration", "3d"]);
    let encoded = source["encoded"].as_str().unwrap();
    let dry = copy(&practice, encoded, &["source", "--name", "dry", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert_eq!(dry.json()["source"], source["id"]);
    assert!(!format!("{dry:?}").contains(encoded) && !format!("{dry:?}").contains(source["api_key"].as_str().unwrap()));
    assert!(practice.list(&["name:dry"]).is_empty());
}

#[test]
fn the_secret_must_be_that_of_the_key_that_is_named() {
    let practice = Practice::start();
    let source = practice.create("source", &["--expiration", "3d"]);
    let other = practice.create("other", &["--expiration", "3d"]);
    let encoded = other["encoded"].as_str().unwrap();
    let ran = copy(&practice, encoded, &["source", "--name", "x"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("The secret is that of key") && ran.err.contains("Nothing was done"), "{ran:?}");
    let wrong = format!("{}:wrongwrongwrongwrongww", source["id"].as_str().unwrap());
    let ran = copy(&practice, &wrong, &["source", "--name", "x"]);
    assert!(ran.code == Some(1) && ran.err.contains("The key can't be cloned"), "{ran:?}");
    assert!(!ran.err.contains("wrongwrong"), "{ran:?}");
    let ran = copy(&practice, "no key", &["source"]);
    assert!(ran.code == Some(2) && ran.err.contains("neither an encoded API key"), "{ran:?}");
    let ran = practice.officer(["clone", "source", "--output", "json"]);
    assert!(ran.code == Some(2) && ran.err.contains("--source-file or --source-stdin"), "{ran:?}");
    assert!(practice.list(&["name:x"]).is_empty());
}

#[test]
fn who_may_not_copy_is_told_the_privilege() {
    let practice = Practice::start();
    let source = practice.create("source", &["--expiration", "3d"]);
    let folder = folder();
    let file = folder.path().join("source");
    fs::write(&file, source["encoded"].as_str().unwrap()).unwrap();
    let args = ["clone", source["id"].as_str().unwrap(), "--source-file", text(&file), "--output", "json"];
    let ran = run(practice.user(keybearer(), "olga").args(args));
    assert!(ran.code == Some(1) && ran.err.contains("clone_api_key"), "{ran:?}");
}

#[test]
fn a_cross_cluster_key_is_refused_before_anything_is_said_of_a_copy() {
    let practice = Practice::start();
    let args =
        ["create", "--cross-cluster", "--name", "eu", "--search", "logs-*", "--expiration", "1d", "--output", "json"];
    let key = practice.officer(args).json();
    let ran = copy(&practice, key["encoded"].as_str().unwrap(), &["eu", "--name", "x"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("this is a cross-cluster key") && ran.err.contains("with the same access"), "{ran:?}");
    assert!(!ran.err.contains("A clone named"), "{ran:?}");
    assert!(practice.list(&["name:x"]).is_empty());
}

fn entries(place: &Path) -> Value {
    run(keybearer().env("KEYBEARER_JOURNAL", place).args(["journal", "list", "--output", "json"])).json()
}

#[tokio::test]
async fn after_a_lost_answer_the_copy_is_looked_for_and_no_secret_is_written_down() {
    let server = cluster().await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    let place = "/_security/api_key/clone";
    Mock::given(method("POST")).and(path(place)).respond_with(late).expect(1).mount(&server).await;
    let get = Mock::given(method("GET")).and(path("/_security/api_key"));
    get.respond_with(elastic(&rows(&[row("k", false)]))).mount(&server).await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("stray-1", false)]))).mount(&server).await;
    let folder = folder();
    let file = folder.path().join("source");
    fs::write(&file, "k:hunter2hunter2").unwrap();
    let journal = folder.path().join("journal");
    let args = ["--timeout", "1", "clone", "k", "--source-file", text(&file), "--name", "c", "--output", "json"];
    let ran = ana_at(&server, &journal, &args).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "a key was created: {ran:?}");
    assert!(ran.err.contains("stray-1") && ran.err.contains("nobody knows its secret"), "{ran:?}");
    let requests = server.received_requests().await.unwrap();
    let body = |place: &str| -> Value {
        requests.iter().find(|request| request.url.path() == place).unwrap().body_json().unwrap()
    };
    let looked = body("/_security/_query/api_key");
    assert_eq!(looked["query"]["term"]["metadata.request_id"], body(place)["metadata"]["request_id"]);
    let entries = entries(&journal);
    assert_eq!((&entries[0]["action"], &entries[1]["outcome"]), (&json!("api-key-clone"), &json!("unknown")));
    assert!(entries[0]["request"].as_str().unwrap().contains(r#""source":"k""#), "{entries}");
    let encoded = body(place)["api_key"].as_str().unwrap().to_owned();
    assert!(!entries.to_string().contains("hunter2") && !entries.to_string().contains(&encoded), "{entries}");
}

#[tokio::test]
async fn a_source_that_one_may_not_see_is_copied_by_its_id() {
    let server = cluster().await;
    let no = json!({ "error": { "type": "security_exception", "reason": "no", "root_cause": [] }, "status": 403 });
    let no = ResponseTemplate::new(403).set_body_json(no).insert_header("X-elastic-product", "Elasticsearch");
    Mock::given(method("GET")).and(path("/_security/api_key")).respond_with(no).mount(&server).await;
    let made = json!({ "id": "c1", "name": "c", "api_key": "new-secret", "encoded": "x" });
    let clone = Mock::given(method("POST")).and(path("/_security/api_key/clone"));
    clone.respond_with(elastic(&made)).mount(&server).await;
    let folder = folder();
    let file = folder.path().join("source");
    fs::write(&file, "k:hunter2hunter2").unwrap();
    let args = ["clone", "k", "--source-file", text(&file), "--output", "json"];
    let nameless = ana_at(&server, &folder.path().join("j"), &args).await;
    assert!(nameless.code == Some(2) && nameless.err.contains("--name"), "{nameless:?}");
    let ran = ana_at(&server, &folder.path().join("j"), &[&args[..], &["--name", "c"]].concat()).await;
    assert_eq!((ran.code, &ran.json()["id"]), (Some(0), &json!("c1")), "{ran:?}");
    let asked = server.received_requests().await.unwrap();
    let sent = asked.iter().find(|request| request.url.path() == "/_security/api_key/clone").unwrap();
    let sent: Value = sent.body_json().unwrap();
    assert!(sent.get("metadata").is_none(), "what can't be read is left to the cluster: {sent}");
}
