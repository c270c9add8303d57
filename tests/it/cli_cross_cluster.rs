//! Cross-cluster keys by command: created, shown, changed, and refused with what is missing.

use std::{fs, process::Command, time::Duration};

use reqwest::Certificate;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana_at, cluster, elastic, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run, text},
};

fn create(practice: &Practice, more: &[&str]) -> Ran {
    let args = ["create", "--cross-cluster", "--name", "eu-west", "--output", "json"];
    practice.officer(args.iter().chain(more))
}

fn shown(practice: &Practice, key: &str) -> Value {
    practice.officer(["show", key, "--output", "json"]).json()
}

/// A cluster of 9.5.3 on which somebody has `manage_security`, under this license.
async fn managed(license: &str) -> MockServer {
    let server = cluster().await;
    let privileges = json!({ "cluster": { "manage_security": true, "manage_own_api_key": true }, "index": {} });
    let place = "/_security/user/_has_privileges";
    Mock::given(method("POST"))
        .and(path(place))
        .respond_with(elastic(&privileges))
        .with_priority(1)
        .mount(&server)
        .await;
    let license = json!({ "license": { "type": license, "status": "active" } });
    Mock::given(method("GET")).and(path("/_license")).respond_with(elastic(&license)).mount(&server).await;
    server
}

#[test]
fn a_key_for_another_cluster_is_made_and_shown_with_its_access() {
    let practice = Practice::start();
    let patterns = ["--search", "logs-*", "--search", "metrics", "--replicate", "idx-*"];
    let made = create(&practice, &[&patterns[..], &["--id", "eu", "--certificate-identity", "CN=eu.*"]].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.err.contains("lets another cluster search logs-*, metrics and replicate idx-*"), "{made:?}");
    assert!(made.err.contains("expires in 90 days") && made.err.contains("CN=eu.*"), "{made:?}");
    let made = made.json();
    assert!(made["encoded"].as_str().is_some_and(|text| !text.is_empty()));
    let key = shown(&practice, "eu");
    assert_eq!((&key["id"], &key["type"]), (&made["id"], &json!("cross_cluster")));
    assert_eq!(key["access"]["search"][0]["names"], json!(["logs-*", "metrics"]));
    assert_eq!(key["certificate_identity"], "CN=eu.*");
    let words = practice.officer(["show", "eu"]).out;
    for part in ["Lets another cluster search logs-* and metrics", "Lets another cluster replicate idx-*"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(words.contains("cross-cluster") && words.contains("matches CN=eu.*"), "{words}");
}

#[test]
fn access_comes_from_a_file_too_and_a_dry_run_sends_nothing() {
    let practice = Practice::start();
    let folder = folder();
    let file = folder.path().join("access.json");
    fs::write(&file, r#"{ "search": [{"names": ["logs-*"], "query": {"term": {"a": 1.0e+2}}}] }"#).unwrap();
    let dry = create(&practice, &["--access", text(&file), "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert_eq!(dry.json()["access"]["search"][0]["names"], json!(["logs-*"]));
    assert!(dry.out.contains("1.0e+2") && dry.err.contains("Nothing was sent"), "{dry:?}");
    assert!(practice.list(&["name:eu-west"]).is_empty());
    assert_eq!(create(&practice, &["--access", text(&file)]).code, Some(0));
}

#[test]
fn slips_are_told_before_anything_is_sent() {
    let practice = Practice::start();
    for (args, words) in [
        (&[][..], "--search"),
        (&["--search", " "], "--search"),
        (&["--access", "{}"], "--access"),
        (&["--access", "/no/such/file"], "/no/such/file"),
        (&["--search", "a", "--access", "{}"], "cannot be used with"),
        (&["--search", "a", "--role", "reader"], "cannot be used with"),
        (&["--search", "a", "--expiration", "soon"], "--expiration"),
        (&["--search", "a", "--expiration", "never"], "--reason"),
    ] {
        let ran = create(&practice, args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(words), "{args:?}: {ran:?}");
    }
    let ran = practice.officer(["create", "--name", "x", "--search", "a", "--output", "json"]);
    assert_eq!(ran.code, Some(2), "--search belongs to --cross-cluster: {ran:?}");
}

#[test]
fn what_is_missing_is_named() {
    let practice = Practice::start();
    let args = ["create", "--cross-cluster", "--name", "x", "--search", "a", "--output", "json"];
    let by = |command: &mut Command| run(command.args(args));
    let ana = by(&mut practice.user(keybearer(), "ana"));
    assert_eq!(ana.code, Some(1), "{ana:?}");
    assert!(ana.err.contains("manage_security") && ana.err.contains("can't create cross-cluster keys"), "{ana:?}");
    let all = ["create", "--name", "all", "--all-my-rights", "--reason", "a test", "--output", "json"];
    let key = practice.officer(all).json();
    let holder = by(&mut practice.holder(keybearer(), key["encoded"].as_str().unwrap()));
    assert!(holder.code == Some(1) && holder.err.contains("Sign in as a user"), "{holder:?}");

    let (place, ca) = (format!("{}/_license/start_basic", practice.sandbox().url()), practice.sandbox().ca_pem());
    let ca = Certificate::from_pem(ca.as_bytes()).unwrap();
    let basic = async {
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let request = client.post(format!("{place}?acknowledge=true")).basic_auth("elastic", Some("elastic-password"));
        request.send().await.unwrap().status().as_u16()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(basic), 200);
    let ran = practice.officer(args);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("the license of this cluster is basic") && ran.err.contains("start_trial"), "{ran:?}");
    assert!(practice.list(&["name:x", "type:cross_cluster"]).is_empty());
}

#[tokio::test]
async fn an_older_cluster_is_named_with_its_version() {
    let server = managed("trial").await;
    let info = json!({ "name": "n", "cluster_name": "c", "cluster_uuid": "u", "version": { "number": "8.9.0" } });
    Mock::given(method("GET")).and(path("/")).respond_with(elastic(&info)).with_priority(1).mount(&server).await;
    let folder = folder();
    let args = ["create", "--cross-cluster", "--name", "x", "--search", "a", "--output", "json"];
    let ran = ana_at(&server, folder.path(), &args).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("8.10.0") && ran.err.contains("it is 8.9.0"), "{ran:?}");
}

#[test]
fn access_certificates_and_metadata_are_changed_after_showing_what() {
    let practice = Practice::start();
    assert_eq!(create(&practice, &["--search", "logs-*", "--id", "eu"]).code, Some(0));
    let access = r#"{"replication":[{"names":["idx"]}]}"#;
    let args = ["update", "eu", "--access", access, "--certificate-identity", "CN=a"];
    let asked = practice.officer(args);
    assert_eq!((asked.code, asked.out.as_str()), (Some(2), ""), "nobody can confirm it: {asked:?}");
    for words in ["access/search: removed", "access/replication: added", "certificates: any → CN=a", "replicate idx"]
    {
        assert!(asked.err.contains(words), "{words}: {asked:?}");
    }
    assert!(!asked.err.contains("privileges"), "such a key has none of them: {asked:?}");
    assert!(shown(&practice, "eu")["access"].get("replication").is_none(), "nothing was sent");

    let done = practice.officer(args.iter().chain(&["--yes", "--output", "json"]));
    let key = shown(&practice, "eu");
    assert_eq!(done.json()["updated"], json!([key["id"]]), "{done:?}");
    assert_eq!(
        (&key["access"]["replication"][0]["names"], &key["certificate_identity"]),
        (&json!(["idx"]), &json!("CN=a"))
    );
    let again = practice.officer(args.iter().chain(&["--yes", "--output", "json"]));
    assert_eq!(again.json()["unchanged"], json!([key["id"]]), "{again:?}");
    // An end alone is refused by Elasticsearch: the metadata goes along as it is.
    let end = practice.officer(["update", "eu", "--expiration", "9d", "--certificate-identity", "", "--yes"]);
    assert_eq!(end.code, Some(0), "{end:?}");
    let end = practice.officer(["update", "eu", "--expiration", "8d", "--yes"]);
    assert_eq!(end.code, Some(0), "{end:?}");
    let key = shown(&practice, "eu");
    assert_eq!((key.get("certificate_identity"), &key["metadata"]["application_id"]), (None, &json!("eu")));
}

#[test]
fn what_one_kind_of_key_has_is_not_asked_of_the_other() {
    let practice = Practice::start();
    assert_eq!(create(&practice, &["--search", "logs-*", "--id", "eu"]).code, Some(0));
    practice.create("rest", &["--id", "rest-app", "--expiration", "1d"]);
    for (args, words) in [
        (&["eu", "--role-descriptors", r#"{"r":{}}"#][..], "which has access instead of role descriptors"),
        (&["eu", "rest-app", "--role-descriptors", r#"{"r":{}}"#], "which has access instead of role descriptors"),
        (&["rest-app", "--access", r#"{"search":[{"names":["a"]}]}"#], "are for cross-cluster keys"),
        (&["rest-app", "--certificate-identity", "CN=a"], "are for cross-cluster keys"),
        (&["eu", "--access", "{}"], "search or replication"),
    ] {
        let ran = practice.officer(["update", "--yes"].iter().chain(args));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(words), "{args:?}: {ran:?}");
    }
    // What every key has is changed for both kinds.
    let both = practice.officer(["update", "eu", "rest-app", "--set", "a=1", "--yes", "--output", "json"]);
    assert_eq!((both.code, both.json()["updated"].as_array().map(Vec::len)), (Some(0), Some(2)), "{both:?}");
}

#[tokio::test]
async fn after_a_lost_answer_the_key_is_looked_for_and_both_are_written_down() {
    let server = managed("enterprise").await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    let place = "/_security/cross_cluster/api_key";
    Mock::given(method("POST")).and(path(place)).respond_with(late).expect(1).mount(&server).await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("stray-1", false)]))).mount(&server).await;
    let folder = folder();
    let args = ["--timeout", "1", "create", "--cross-cluster", "--name", "x", "--search", "a", "--output", "json"];
    let ran = ana_at(&server, folder.path(), &args).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "a key was created: {ran:?}");
    assert!(ran.err.contains("stray-1") && ran.err.contains("nobody knows its secret"), "{ran:?}");
    let entries = journal(folder.path());
    let entry = |at: usize, name: &str| entries[at][name].clone();
    assert_eq!((entry(0, "action"), entry(0, "phase")), (json!("cross-cluster-api-key-create"), json!("intent")));
    assert!(entries[0]["request"].as_str().unwrap().contains(r#""access":{"search""#), "{entries}");
    assert_eq!((entry(1, "outcome"), entry(1, "keys")), (json!("unknown"), json!(["stray-1"])));
}

#[tokio::test]
async fn after_a_lost_answer_to_an_update_the_key_itself_is_asked() {
    for (names, code, words) in [("b", Some(0), "updated"), ("a", Some(3), "does not show")] {
        let server = managed("trial").await;
        let place = "/_security/cross_cluster/api_key/k";
        let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
        Mock::given(method("PUT")).and(path(place)).respond_with(late).mount(&server).await;
        let key = |names: &str| {
            let mut key = row("k", false);
            key["type"] = "cross_cluster".into();
            key["access"] = json!({ "search": [{ "names": [names], "allow_restricted_indices": false }] });
            elastic(&rows(&[key]))
        };
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.respond_with(key("a")).mount(&server).await;
        let get = || Mock::given(method("GET")).and(path("/_security/api_key"));
        get().respond_with(key("a")).up_to_n_times(2).mount(&server).await;
        get().respond_with(key(names)).mount(&server).await;
        let folder = folder();
        let access = r#"{"search":[{"names":["b"]}]}"#;
        let ran = ana_at(&server, folder.path(), &["--timeout", "1", "update", "k", "--access", access, "--yes"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.out.contains(words), "{ran:?}");
        assert_eq!(journal(folder.path())[0]["action"], "cross-cluster-api-key-update");
    }
}

fn journal(place: &std::path::Path) -> Value {
    run(keybearer().env("KEYBEARER_JOURNAL", place).args(["journal", "list", "--output", "json"])).json()
}
