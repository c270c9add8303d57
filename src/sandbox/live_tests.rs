//! Tests of the practice cluster as clients see it: over TLS, from sign-in to refusals.

use super::{Options, Sandbox};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Live {
    sandbox: Sandbox,
    client: Client,
}

impl Live {
    async fn start() -> Live {
        let sandbox = Sandbox::start(Options { port: 0, keys: 60, ..Options::default() }).await.unwrap();
        let ca = Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([ca]).timeout(Duration::from_secs(20)).build().unwrap();
        Live { sandbox, client }
    }

    /// Sends a request as a user (`name`, with the password from the accounts) or with an encoded key (`ApiKey …`).
    async fn send(&self, who: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        if let Some(account) = self.sandbox.accounts().iter().find(|account| account.name == who) {
            request = request.basic_auth(&account.name, Some(&account.password));
        } else if !who.is_empty() {
            request = request.header("authorization", who);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    async fn create(&self, who: &str, body: Value) -> (String, String) {
        let (status, key) = self.send(who, "POST", "/_security/api_key", body).await;
        assert_eq!(status, 200, "{key}");
        (key["id"].as_str().unwrap().to_owned(), format!("ApiKey {}", key["encoded"].as_str().unwrap()))
    }
}

fn reader() -> Value {
    json!({"reader": {"cluster": ["monitor"], "indices": [{"names": ["my_index"], "privileges": ["read", "view_index_metadata"]}]}})
}

#[tokio::test]
async fn a_key_may_search_and_not_write_and_is_refused_once_invalidated() {
    let live = Live::start().await;
    let (id, key) =
        live.create("officer", json!({"name": "my_app_key", "expiration": "1d", "role_descriptors": reader()})).await;
    let (status, found) = live.send(&key, "POST", "/my_index/_search", json!({"query": {"match_all": {}}})).await;
    assert_eq!(status, 200);
    assert_eq!(found["hits"]["total"]["value"], 12);
    let (status, refusal) = live.send(&key, "POST", "/my_index/_doc", json!({"a": 1})).await;
    assert_eq!(status, 403);
    assert_eq!(
        refusal["error"]["reason"],
        format!(
            "action [indices:data/write/index] is unauthorized for API key id [{id}] of user [officer] on indices [my_index], this action is granted by the index privileges [create_doc,create,index,write,all]"
        )
    );
    let (status, gone) =
        live.send("officer", "DELETE", "/_security/api_key", json!({"ids": [id.clone(), "unknown"]})).await;
    assert_eq!(status, 200);
    assert_eq!(
        gone,
        json!({"invalidated_api_keys": [id.clone()], "previously_invalidated_api_keys": [], "error_count": 0})
    );
    let (status, refusal) = live.send(&key, "GET", "/", Value::Null).await;
    assert_eq!(status, 401);
    assert_eq!(
        refusal["error"]["additional_unsuccessful_credentials"],
        format!("API key: api key [{id}] has been invalidated")
    );
}

#[tokio::test]
async fn every_account_signs_in_and_may_what_it_says() {
    let live = Live::start().await;
    assert_eq!(live.sandbox.accounts()[0].name, "officer");
    for account in live.sandbox.accounts() {
        let (status, who) = live.send(&account.name, "GET", "/_security/_authenticate", Value::Null).await;
        assert_eq!((status, &who["username"]), (StatusCode::OK, &json!(account.name)));
    }
    let question = json!({"cluster": ["manage_security", "manage_own_api_key", "read_security"]});
    for (who, expected) in [
        ("officer", [true, true, true]),
        ("elastic", [true, true, true]),
        ("ana", [false, true, false]),
        ("olga", [false, true, false]),
        ("rita", [false, false, true]),
        ("nora", [false, false, false]),
    ] {
        let (_, answer) = live.send(who, "POST", "/_security/user/_has_privileges", question.clone()).await;
        let [security, own, read] = expected;
        assert_eq!(
            answer["cluster"],
            json!({"manage_security": security, "manage_own_api_key": own, "read_security": read}),
            "{who}"
        );
    }
}

#[tokio::test]
async fn owners_see_their_own_keys_and_nobody_elses() {
    let live = Live::start().await;
    let (status, _) = live.send("ana", "GET", "/_security/api_key", Value::Null).await;
    assert_eq!(status, 403);
    let (status, own) = live.send("ana", "GET", "/_security/api_key?owner=true", Value::Null).await;
    assert_eq!(status, 200);
    let keys = own["api_keys"].as_array().unwrap();
    assert!(!keys.is_empty() && keys.iter().all(|key| key["username"] == "ana"));
    let (_, all) = live.send("officer", "POST", "/_security/_query/api_key", json!({"size": 0})).await;
    assert_eq!(all["total"], 60);
    let (_, narrowed) = live.send("ana", "POST", "/_security/_query/api_key", json!({"size": 0})).await;
    assert_eq!(narrowed["total"], keys.len());
}

#[tokio::test]
async fn a_derived_key_must_be_empty_and_can_do_nothing() {
    let live = Live::start().await;
    let (_, key) = live.create("ana", json!({"name": "all-my-rights"})).await;
    let (status, refusal) = live.send(&key, "POST", "/_security/api_key", json!({"name": "derived"})).await;
    assert_eq!(status, 400);
    assert!(refusal["error"]["reason"].as_str().unwrap().starts_with("creating derived api keys requires"));
    let (_, derived) = live.create(&key, json!({"name": "derived", "role_descriptors": {"none": {}}})).await;
    let (status, _) = live.send(&derived, "GET", "/_security/_authenticate", Value::Null).await;
    assert_eq!(status, 200);
    let (status, _) = live.send(&derived, "GET", "/", Value::Null).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn an_owner_can_not_give_a_key_more_than_they_have() {
    let live = Live::start().await;
    let everything = json!({"all": {"cluster": ["all"], "indices": [{"names": ["*"], "privileges": ["all"]}]}});
    let (_, key) = live.create("olga", json!({"name": "greedy", "role_descriptors": everything})).await;
    let (status, _) = live.send(&key, "GET", "/my_index/_search", Value::Null).await;
    assert_eq!(status, 403);
    let question = json!({"cluster": ["manage_own_api_key", "monitor"]});
    let (_, answer) = live.send(&key, "POST", "/_security/user/_has_privileges", question).await;
    assert_eq!(answer["cluster"], json!({"manage_own_api_key": true, "monitor": false}));
    let (status, _) = live.send("nora", "POST", "/_security/api_key", json!({"name": "x"})).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn pages_follow_each_other_through_all_keys() {
    let live = Live::start().await;
    let mut seen = std::collections::HashSet::new();
    let mut after = Value::Null;
    loop {
        let mut body = json!({"size": 7, "sort": [{"expiration": {"order": "asc"}}, {"_doc": {"order": "asc"}}]});
        if !after.is_null() {
            body["search_after"] = after;
        }
        let (_, page) = live.send("rita", "POST", "/_security/_query/api_key", body).await;
        let rows = page["api_keys"].as_array().unwrap().clone();
        let Some(last) = rows.last() else { break };
        after = last["_sort"].clone();
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen.len(), 60);
}

#[tokio::test]
async fn what_is_not_spoken_is_refused_in_words_of_its_own_and_what_nobody_knows_in_those_of_the_server() {
    let live = Live::start().await;
    let (status, body) = live.send("elastic", "GET", "/_nodes/stats", Value::Null).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["type"], "not_in_the_practice_cluster");
    assert_eq!(body["error"]["reason"], "The practice cluster does not do [GET /_nodes/stats]; a real cluster does");
    let (status, body) = live.send("elastic", "GET", "/_nope/stats", Value::Null).await;
    assert_eq!(status, 400);
    assert_eq!(body, json!({"error": "no handler found for uri [/_nope/stats] and method [GET]"}));
    let (status, body) = live.send("elastic", "PATCH", "/_security/_authenticate", Value::Null).await;
    assert_eq!(status, 405);
    assert_eq!(body["status"], 405);
    let (status, body) = live.send("elastic", "GET", "/_security/_authenticate?foo=1", Value::Null).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["reason"], "request [/_security/_authenticate] contains unrecognized parameter: [foo]");
    let (status, _) = live.send("", "GET", "/", Value::Null).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn no_bytes_on_the_port_stop_the_server() {
    let live = Live::start().await;
    let address = ("127.0.0.1", live.sandbox.port());
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\xff\xff", b"", &[0xff; 4096]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.ok();
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap();
    }
    let (status, _) = live.send("elastic", "GET", "/", Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_dropped_cluster_is_gone() {
    let Live { sandbox, client } = Live::start().await;
    let url = sandbox.url().to_owned();
    assert!(client.get(&url).send().await.is_ok());
    drop(sandbox);
    let fresh = Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
    for _ in 0..50 {
        if fresh.get(&url).send().await.is_err_and(|error| error.is_connect()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it still answers");
}

#[tokio::test]
async fn a_taken_port_is_said() {
    let live = Live::start().await;
    let error = Sandbox::start(Options { port: live.sandbox.port(), keys: 0, ..Options::default() }).await.unwrap_err();
    assert!(error.to_string().contains(&live.sandbox.port().to_string()), "{error}");
}
