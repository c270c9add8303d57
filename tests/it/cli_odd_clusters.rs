//! The command line against clusters that answer late, in part, or not at all.

use std::time::Duration;

use keybearer::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
        },
        secret::Secret,
    },
    ops::{Session, connections::connect},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::cli_practice::{Ran, keybearer, run};

pub fn elastic(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body).insert_header("X-elastic-product", "Elasticsearch")
}

pub fn row(id: &str, invalidated: bool) -> Value {
    json!({ "id": id, "name": "app", "type": "rest", "creation": 1, "expiration": 4_000_000_000_000_i64,
            "invalidated": invalidated, "username": "ana", "realm": "native", "metadata": {}, "role_descriptors": {} })
}

pub fn rows(rows: &[Value]) -> Value {
    json!({ "total": rows.len(), "count": rows.len(), "api_keys": rows })
}

/// A cluster that lets a user in who may manage keys.
pub async fn cluster() -> MockServer {
    let server = MockServer::start().await;
    let user = json!({ "username": "ana", "roles": [], "authentication_realm": { "name": "native", "type": "native" },
                       "authentication_type": "realm" });
    let info = json!({ "name": "n", "cluster_name": "c", "cluster_uuid": "u", "version": { "number": "9.5.3" } });
    let privileges = json!({ "cluster": { "manage_api_key": true, "manage_own_api_key": true }, "index": {} });
    for (verb, place, body) in [
        ("GET", "/_security/_authenticate", user),
        ("GET", "/", info),
        ("POST", "/_security/user/_has_privileges", privileges),
    ] {
        Mock::given(method(verb)).and(path(place)).respond_with(elastic(&body)).mount(&server).await;
    }
    server
}

/// Whatever is searched for is not there.
pub async fn finds_nothing(server: &MockServer) {
    let search = Mock::given(path("/_security/_query/api_key"));
    search.respond_with(elastic(&rows(&[]))).mount(server).await;
}

pub async fn ana(server: &MockServer, args: &[&str]) -> Ran {
    sent_by_ana(keybearer(), server, args).await
}

/// The same with a journal in this folder.
pub async fn ana_at(server: &MockServer, journal: &std::path::Path, args: &[&str]) -> Ran {
    let mut command = keybearer();
    command.env("KEYBEARER_JOURNAL", journal);
    sent_by_ana(command, server, args).await
}

/// A session as ana, who is signed in.
pub async fn ana_session(server: &MockServer) -> Session {
    let login = Login::Password { username: "ana".into(), password: Secret::new("hunter2") };
    connect::connect(&Endpoint::new(ClusterUrl::parse(&server.uri()).unwrap(), login)).await.unwrap()
}

async fn sent_by_ana(mut command: std::process::Command, server: &MockServer, args: &[&str]) -> Ran {
    command.env("ES_URL", server.uri()).env("ES_USERNAME", "ana").env("ES_PASSWORD", "hunter2").args(args);
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

#[tokio::test]
async fn after_a_lost_answer_the_key_without_a_secret_is_named() {
    let server = cluster().await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(late).expect(1).mount(&server).await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("stray-1", false)]))).mount(&server).await;

    let ran = ana(&server, &["--timeout", "1", "create", "--name", "app", "--no-rights", "--output", "json"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "a key was created: {ran:?}");
    assert!(ran.err.contains("stray-1") && ran.err.contains("nobody knows its secret"), "{ran:?}");

    let asked: Vec<Request> = server.received_requests().await.unwrap();
    let to = |place: &str| asked.iter().filter(|request| request.url.path() == place).collect::<Vec<_>>();
    let sent: Value = to("/_security/api_key")[0].body_json().unwrap();
    // Before it others were asked for that have its name.
    let looked: Value = to("/_security/_query/api_key").last().unwrap().body_json().unwrap();
    assert_eq!(looked["query"]["term"]["metadata.request_id"], sent["metadata"]["request_id"]);
}

#[tokio::test]
async fn keys_that_are_done_in_part_have_an_exit_code_of_their_own() {
    let server = cluster().await;
    let query = || Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    let before = elastic(&rows(&[row("a", false), row("b", false)]));
    query().respond_with(before).up_to_n_times(2).mount(&server).await;
    query().respond_with(elastic(&rows(&[row("a", true), row("b", false)]))).mount(&server).await;
    let answer = json!({ "invalidated_api_keys": ["a"], "previously_invalidated_api_keys": [], "error_count": 0 });
    Mock::given(method("DELETE")).and(path("/_security/api_key")).respond_with(elastic(&answer)).mount(&server).await;

    let ran = ana(&server, &["invalidate", "a", "b", "--yes", "--output", "json"]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let json = ran.json();
    assert_eq!((&json["invalidated"], &json["failed"][0]["id"]), (&json!(["a"]), &json!("b")));
    assert!(json["failed"][0]["reason"].as_str().unwrap().contains("still valid"), "{json}");
}

#[tokio::test]
async fn a_refusal_names_the_missing_privilege_and_leaves_the_rest_untouched() {
    let server = cluster().await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("a", false)]))).mount(&server).await;
    let reason = "action [cluster:admin/xpack/security/api_key/invalidate] is unauthorized for user [ana], this action is \
                  granted by the cluster privileges [manage_api_key,manage_security,all]";
    let body = json!({ "error": { "type": "security_exception", "reason": reason, "root_cause": [] }, "status": 403 });
    let no = ResponseTemplate::new(403).set_body_json(body).insert_header("X-elastic-product", "Elasticsearch");
    Mock::given(method("DELETE")).and(path("/_security/api_key")).respond_with(no).mount(&server).await;
    let ran = ana(&server, &["invalidate", "a", "--yes"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("failed") && ran.out.contains("manage_api_key"), "{ran:?}");
}

/// A cluster with one key, whose name has half a surrogate pair.
async fn with_half_a_name(total: usize) -> MockServer {
    let server = cluster().await;
    let body = r#"{"total":TOTAL,"count":1,"api_keys":[{"id":"half","name":"pay-\ud800","type":"rest","creation":1,
        "expiration":4000000000000,"invalidated":false,"username":"ana","realm":"native","metadata":{},"role_descriptors":{}}]}"#;
    let body = body.replace("TOTAL", &total.to_string());
    for (verb, place) in [("POST", "/_security/_query/api_key"), ("GET", "/_security/api_key")] {
        let answer = ResponseTemplate::new(200).set_body_raw(body.clone(), "application/json");
        let answer = answer.insert_header("X-elastic-product", "Elasticsearch");
        Mock::given(method(verb)).and(path(place)).respond_with(answer).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_key_that_is_not_fully_readable_is_listed_with_a_mark_and_never_with_exit_code_0() {
    let server = with_half_a_name(1).await;
    let list = ana(&server, &["list"]).await;
    assert_eq!(list.code, Some(3), "{list:?}");
    assert!(list.out.contains("half") && list.out.contains("not fully readable"), "{list:?}");
    assert!(list.err.contains("half is not fully readable: name: a part of it is not text"), "{list:?}");
    let json = ana(&server, &["list", "--output", "json"]).await;
    assert_eq!(json.json()[0]["not_fully_readable"], "name: a part of it is not text");
    let csv = ana(&server, &["list", "--output", "csv"]).await;
    assert!(csv.out.contains("not_fully_readable") && csv.out.contains("a part of it is not text"), "{csv:?}");
    assert_eq!(ana(&server, &["expiring"]).await.code, Some(3));
    let rotate = ana(&server, &["rotate", "half", "--yes", "--output", "json"]).await;
    assert!(rotate.code != Some(0) && rotate.err.contains("not fully readable"), "{rotate:?}");
    let other = ana(&server, &["show", "other"]).await;
    assert!(!other.err.contains("There is no key"), "a row of another key came, and nobody said so: {other:?}");
}

#[tokio::test]
async fn a_list_with_fewer_keys_than_the_cluster_counts_ends_with_3() {
    let server = with_half_a_name(5).await;
    let list = ana(&server, &["list"]).await;
    assert_eq!(list.code, Some(3), "{list:?}");
    assert!(list.err.contains("the cluster counts 4 keys more than it sent"), "{list:?}");
}

#[tokio::test]
async fn fields_that_can_t_be_read_are_not_known_in_every_output() {
    let server = cluster().await;
    let body = r#"{"total":1,"count":1,"api_keys":[{"id":"odd","name":"pay","type":"rest","creation":"then",
        "expiration":"soon","invalidated":"no","username":"ana","realm":"native","metadata":{},"role_descriptors":{}}]}"#;
    for (verb, place) in [("POST", "/_security/_query/api_key"), ("GET", "/_security/api_key")] {
        let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
        let answer = answer.insert_header("X-elastic-product", "Elasticsearch");
        Mock::given(method(verb)).and(path(place)).respond_with(answer).mount(&server).await;
    }
    for args in [
        &["list"][..],
        &["list", "--output", "json"],
        &["list", "--output", "csv"],
        &["expiring", "--within", "30d"],
        &["show", "odd"],
        &["show", "odd", "--output", "json"],
        &["expiring", "--output", "prometheus"],
        &["list", "status:valid"],
        &["list", "expires:never"],
    ] {
        let ran = ana(&server, args).await;
        let all = format!("{}{}", ran.out, ran.err);
        // The metrics have a count of keys that never expire, and comments.
        let told =
            ran.out.lines().filter(|line| !line.starts_with('#') && !line.contains("expires=")).collect::<String>();
        for stand_in in ["1970", "never", "\"creation\": 0"] {
            assert!(!told.contains(stand_in) && !ran.err.contains(stand_in), "{args:?}: {stand_in}: {ran:?}");
        }
        assert!(all.contains("not known") || all.contains("not_known"), "{args:?}: {ran:?}");
        assert!(ran.code == Some(3) || args[0] == "show", "{args:?}: {ran:?}");
    }
    let counts = ana(&server, &["expiring", "--output", "prometheus"]).await.out;
    assert!(counts.contains(r#"status="not_known"} 1"#) && counts.contains(r#"status="valid"} 0"#), "{counts}");
}

/// What answers may ignore what was searched for: such a key is nobody's twin, and a rotation would invalidate it as one.
#[tokio::test]
async fn a_key_without_the_request_id_is_not_taken_for_one_of_the_request() {
    let server = cluster().await;
    let now = jiff::Timestamp::now().as_millisecond();
    let made =
        json!({ "id": "made", "name": "app", "expiration": now + 30 * 86_400_000, "api_key": "s", "encoded": "e" });
    Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(elastic(&made)).mount(&server).await;
    let search = Mock::given(path("/_security/_query/api_key"));
    search.respond_with(elastic(&rows(&[row("somebody-elses", false)]))).mount(&server).await;
    let ran =
        ana(&server, &["create", "--name", "app", "--no-rights", "--expiration", "30d", "--output", "json"]).await;
    assert_eq!((ran.code, &ran.json()["id"]), (Some(0), &json!("made")), "{ran:?}");
    assert!(!ran.err.contains("somebody-elses") && !ran.out.contains("somebody-elses"), "{ran:?}");
}
