//! Where the practice cluster once took what a real one refuses, dropped what it had taken, or found other keys: each
//! asked of both.

use keybearer::{model::version::Version, ops::clock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, by_key, every_server, superuser, unique};

/// Whether the words and rules of 9.5 can be asked of a server. If not, that is said.
pub fn is_of_today(server: &Server) -> bool {
    let today = server.version >= Version::new(9, 5, 0);
    if !today {
        server.lacks("the rules of 9.5");
    }
    today
}

/// Starts the trial of the license, with which the security of documents and fields comes.
pub async fn trial(server: &Server) {
    server.call(Method::POST, "/_license/start_trial?acknowledge=true", None).await;
}

#[test]
fn blank_means_not_given_and_so_ends_all_keys_of_the_user() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        for body in [
            json!({ "name": " ", "owner": true }),
            json!({ "name": " ", "username": "⟦user⟧" }),
            json!({ "realm_name": "\t", "username": "⟦user⟧" }),
        ] {
            let (name, login) = server.user(json!({ "cluster": ["manage_api_key"] })).await;
            let key =
                server.post_key(&login, "", json!({ "name": unique("blank"), "role_descriptors": { "r": {} } })).await;
            let body: Value = serde_json::from_str(&body.to_string().replace("⟦user⟧", &name)).unwrap();
            let answer = server.call_as(&login, Method::DELETE, "/_security/api_key", Some(body.clone())).await.ok();
            assert_eq!(answer["invalidated_api_keys"], json!([key.id.as_str()]), "{body}");
        }
        for field in ["name", "username", "realm_name"] {
            let words =
                server.call(Method::DELETE, "/_security/api_key", Some(json!({ field: " " }))).await.refused(400);
            assert!(words.contains("must be specified"), "{words}");
        }
        let (_, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let key =
            server.post_key(&login, "", json!({ "name": unique("blank"), "role_descriptors": { "r": {} } })).await;
        let found = server.call_as(&login, Method::GET, "/_security/api_key?id=%20&owner=true", None).await.ok();
        assert_eq!(found["api_keys"][0]["id"], key.id.as_str());
    });
}

#[test]
fn descriptors_that_are_refused_make_no_key() {
    let entry = |more: &str| format!(r#"{{"indices":[{{"names":["a"],"privileges":["read"],{more}}}]}}"#);
    let cases = [
        (
            entry(r#""field_security":{"grant":["a"],"except":["b"]}"#),
            "must be a subset of the granted fields but b is not a subset of a",
        ),
        (entry(r#""field_security":{"except":["b"]}"#), "field_security requires grant if except is given"),
        (entry(r#""field_security":{}"#), "must not be empty"),
        (entry(r#""field_security":null"#), "expected START_OBJECT but got VALUE_NULL"),
        (entry(r#""field_security":{"grant":["a*"],"x":1}"#), "only accepts options grant and except, but got: x"),
        (r#"{"indices":[{"names":["a"],"privileges":["read","read"]}]}"#.into(), "duplicate element: read"),
        (
            r#"{"indices":[{"names":["a,b"],"privileges":["read"]}]}"#.into(),
            "commas [,] are not allowed in the index name expression [a,b]",
        ),
        (entry(r#""query":5"#), "value to be null, a string, an array, or an object"),
        (entry(r#""allow_restricted_indices":"true""#), "value to be a boolean, but found [VALUE_STRING] instead"),
        (
            r#"{"remote_cluster":[{"privileges":[],"clusters":["*"]}]}"#.into(),
            "remote cluster groups must not be null or empty",
        ),
        (
            r#"{"applications":[{"application":"app","privileges":[],"resources":["*"]}]}"#.into(),
            "application privileges must define at least one privilege",
        ),
        (
            r#"{"applications":[{"application":"app","privileges":["read"],"resources":[]}]}"#.into(),
            "application privileges must refer to at least one resource",
        ),
        (r#"{"restriction":{"workflows":[]}}"#.into(), "[workflows] cannot be an empty array"),
        (r#"{"restriction":null}"#.into(), "expected field [restriction] value to be an object"),
        (r#"{"global":{"role":{"write":{}}}}"#.into(), "expected field name [manage] but found [write] instead"),
    ];
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        for (descriptor, sentence) in &cases {
            let role: Value = serde_json::from_str(descriptor).unwrap();
            let body = json!({ "name": unique("refused"), "expiration": "1h", "role_descriptors": { "r": role } });
            let words =
                server.call(Method::POST, "/_security/api_key", Some(body)).await.refused(400).replace("\\\"", "\"");
            assert!(words.contains(sentence), "{descriptor}: {words}");
        }
        let words = server
            .call(Method::PUT, &format!("/_security/role/{}", unique("role")), Some(json!({ "description": null })))
            .await
            .refused(400);
        assert!(words.contains("Expected text at"), "{words}");
    });
}

#[test]
fn an_empty_restriction_restricts_nothing() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let body = json!({ "name": unique("restricted"), "role_descriptors": { "r": { "restriction": {}, "cluster": ["monitor"] } } });
        let key = server.post_key(&superuser(), "", body).await;
        server.call_as(&by_key(&key), Method::GET, "/_security/_authenticate", None).await.ok();
        let shown = server.get_key(&key.id).await;
        assert!(shown["role_descriptors"]["r"].get("restriction").is_none(), "{shown}");
    });
}

#[test]
fn a_key_with_document_and_field_security_sees_its_part() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        trial(server).await;
        let index = unique("part");
        for (id, document) in [("1", json!({ "a": "x", "b": 1 })), ("2", json!({ "a": "y", "b": 2 }))] {
            server.call(Method::PUT, &format!("/{index}/_doc/{id}?refresh=true"), Some(document)).await;
        }
        let rights = json!({ "indices": [{ "names": [index], "privileges": ["read", "view_index_metadata"],
            "query": { "term": { "a.keyword": "x" } }, "field_security": { "grant": ["a*"] } }] });
        let key = server
            .post_key(&superuser(), "", json!({ "name": unique("part"), "role_descriptors": { "r": rights } }))
            .await;
        let login = by_key(&key);
        let ask = async |path: &str| server.call_as(&login, Method::GET, &format!("/{path}"), None).await;
        let found = ask(&format!("{index}/_search")).await.ok();
        assert_eq!(
            (&found["hits"]["total"]["value"], &found["hits"]["hits"][0]["_source"]),
            (&json!(1), &json!({ "a": "x" }))
        );
        assert_eq!(ask(&format!("{index}/_count")).await.ok()["count"], 1);
        assert_eq!(ask(&format!("{index}/_doc/1")).await.ok()["_source"], json!({ "a": "x" }));
        let other = ask(&format!("{index}/_doc/2")).await;
        assert_eq!((other.status, &other.body["found"]), (404, &json!(false)));
        let caps = ask(&format!("{index}/_field_caps?fields=a,b")).await.ok();
        assert!(caps["fields"].get("a").is_some() && caps["fields"].get("b").is_none(), "{caps}");
        assert_eq!(ask(&format!("_resolve/index/{index}")).await.ok()["indices"][0]["name"], index);
        let hidden = json!({ "query": { "term": { "b": 1 } } });
        let found = server.call_as(&login, Method::POST, &format!("/{index}/_search"), Some(hidden)).await.ok();
        assert_eq!(found["hits"]["total"]["value"], 0);
    });
}

#[test]
fn options_of_queries_are_obeyed_or_refused_in_words_of_its_own() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let (name, began_with) = (unique("asked"), clock::now().as_millis() / 86_400_000);
        for (number, tags) in [json!(["a", "z"]), json!(["b"]), json!([[["deep"]]])].iter().enumerate() {
            let body = json!({ "name": format!("{name}-{number}"), "expiration": "1d", "metadata": { "tags": tags }, "role_descriptors": { "r": {} } });
            server.post_key(&superuser(), "", body).await;
        }
        let ask = async |clause: Value, more: Value| {
            let mut body = json!({ "query": { "bool": { "filter": [{ "prefix": { "name": name } }, clause] } }, "sort": ["name"] });
            for (field, value) in more.as_object().into_iter().flatten() {
                body[field] = value.clone();
            }
            server.query(body).await
        };
        let found = async |clause: Value| {
            let answer = ask(clause, json!({})).await.ok();
            let names = answer["api_keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["name"].as_str().unwrap().rsplit('-').next().unwrap().to_owned());
            names.collect::<String>()
        };
        let should = |least: Value| json!({ "bool": { "should": [{ "term": { "metadata.tags": "a" } }, { "term": { "metadata.tags": "z" } }, { "term": { "metadata.tags": "b" } }], "minimum_should_match": least } });
        assert_eq!(found(should(json!("60%"))).await, "01");
        assert_eq!(found(should(json!("100%"))).await, "");
        assert_eq!(found(should(json!("-1"))).await, "0");
        assert_eq!(found(json!({ "bool": { "minimum_should_match": 1 } })).await, "012");
        // A whole day is meant; where it ends right now, nobody knows what is found.
        let day = || clock::now().as_millis() / 86_400_000;
        let (began, made_today) = (day(), found(json!({ "term": { "creation": "now/d" } })).await);
        assert!(made_today == "012" || day() != began_with || day() != began, "{made_today}");
        assert_eq!(found(json!({ "term": { "metadata.tags": "deep" } })).await, "2", "lists in lists are found");
        assert_eq!(found(json!({ "range": { "name": {} } })).await, "");
        assert_eq!(
            found(json!({ "range": { "name": { "gte": "zzz", "gt": "a" } } })).await,
            "012",
            "the last of two counts"
        );
        assert_eq!(found(json!({ "range": { "name": { "gt": "a", "gte": "zzz" } } })).await, "");
        assert_eq!(
            found(json!({ "range": { "creation": { "gte": "01.01.2020", "format": "dd.MM.yyyy" } } })).await,
            "012"
        );
        let sorted = async |options: Value| {
            let answer = ask(json!({ "match_all": {} }), json!({ "sort": [{ "metadata.tags": options }] })).await.ok();
            answer["api_keys"].as_array().unwrap().iter().map(|key| key["_sort"][0].clone()).collect::<Vec<_>>()
        };
        assert_eq!(sorted(json!({ "mode": "max" })).await, [json!("b"), json!("deep"), json!("z")]);
        let year =
            ask(json!({ "match_all": {} }), json!({ "sort": [{ "expiration": { "format": "yyyy" } }] })).await.ok();
        assert_eq!(year["api_keys"][0]["_sort"][0].as_str().map(str::len), Some(4));
        for (clause, what) in [
            (json!({ "match": { "name": { "query": "x", "fuzziness": 1 } } }), "fuzzy"),
            (json!({ "match": { "name": { "query": "x", "analyzer": "whitespace" } } }), "analyzer"),
            (json!({ "simple_query_string": { "query": "x~1", "fields": ["name"] } }), "fuzzy words"),
            (json!({ "simple_query_string": { "query": "x*", "fields": ["name"], "flags": "NONE" } }), "flags"),
        ] {
            let answer = ask(clause, json!({})).await;
            if server.name == "the sandbox" {
                let words = answer.refused(400);
                assert!(words.contains("The practice cluster does not do") && words.contains(what), "{words}");
            } else {
                answer.ok();
            }
        }
    });
}

#[test]
fn metadata_and_names_come_back_to_the_letter() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let (name, prefix) = (unique("half"), "{\"name\":\"");
        let body = format!(
            r#"{prefix}{name}\ud800","expiration":"1h","role_descriptors":{{"r":{{}}}},"metadata":{{"n":18446744073709551617,"m":-9223372036854775809,"e":1e400,"half":"x\udfffy"}}}}"#
        );
        let request =
            server.request(&superuser(), Method::POST, "/_security/api_key").header("content-type", "application/json");
        let made = request.body(format!("/* a comment */{body}")).send().await.unwrap();
        assert_eq!(made.status(), 200);
        let text = made.text().await.unwrap();
        assert!(text.contains(r#"\uD800""#), "{text}");
        let id = text.split('"').nth(3).unwrap().to_owned();
        let shown =
            server.request(&superuser(), Method::GET, &format!("/_security/api_key?id={id}")).send().await.unwrap();
        let text = shown.text().await.unwrap();
        for part in [r#"\uD800""#, "18446744073709551617", "-9223372036854775809", "\"Infinity\"", r#""x\uDFFFy""#] {
            assert!(text.contains(part), "{part}: {text}");
        }
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [id] }))).await.ok();
    });
}

#[test]
fn a_document_is_not_written_over_where_it_is_another_by_now() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let index = server.index().await;
        let put = async |query: &str| {
            server.call(Method::PUT, &format!("/{index}/_doc/1?{query}"), Some(json!({ "title": "x" }))).await
        };
        put("if_seq_no=99&if_primary_term=1").await.refused(409);
        assert!(put("require_alias=true").await.refused(404).contains("is not an alias"));
        assert!(put("pipeline=nope").await.refused(400).contains("pipeline with id [nope] does not exist"));
        put("wait_for_active_shards=all&timeout=50ms").await.refused(503);
        assert_eq!(put("version=5&version_type=external").await.status, 200);
        put("version=3&version_type=external").await.refused(409);
        server.call(Method::GET, &format!("/{index}/_doc/1?version=99"), None).await.refused(409);
        let long = "a".repeat(513);
        server.call(Method::PUT, &format!("/{index}/_doc/{long}"), Some(json!({ "a": 1 }))).await.refused(400);
        server.call(Method::PUT, &format!("/{index}/_doc/2"), Some(json!({ "": 1 }))).await.refused(400);
        for line in [r#"{"update":{"_index":"a"}}"#, r#"{"delete":{"_index":"a"}}"#] {
            let request =
                server.request(&superuser(), Method::POST, "/_bulk").header("content-type", "application/x-ndjson");
            let words = server.answer(request.body(format!("{line}\n{{\"doc\":{{}}}}\n"))).await.refused(400);
            assert!(words.contains("id is missing") || words.contains("Malformed"), "{words}");
        }
        for body in [
            json!({ "mappings": { "nope": 1 } }),
            json!({ "settings": 5 }),
            json!({ "settings": { "number_of_replicas": "x" } }),
            json!({ "settings": { "nope": 1 } }),
        ] {
            server.call(Method::PUT, &format!("/{}", unique("wrong")), Some(body)).await.refused(400);
        }
    });
}

#[test]
fn a_missing_right_is_not_hidden_by_ignoring_what_is_not_there() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let index = server.index().await;
        let (_, login) = server.user(json!({ "indices": [{ "names": [index], "privileges": ["read"] }] })).await;
        let ask = async |method: Method, path: &str| {
            server.call_as(&login, method, &format!("/{index}{path}?ignore_unavailable=true"), None).await
        };
        ask(Method::DELETE, "").await.refused(403);
        ask(Method::GET, "/_mapping").await.refused(403);
        server.call_as(&login, Method::GET, "/contract-not-mine/_search?ignore_unavailable=true", None).await.ok();
    });
}

#[test]
fn a_pattern_without_end_is_taken_or_refused_in_words_of_its_own_and_stops_nobody() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let pattern = format!("/a{}/", "?".repeat(400_000));
        let rights = json!({ "indices": [{ "names": [pattern], "privileges": ["read"] }] });
        let body = json!({ "name": unique("nest"), "expiration": "1h", "role_descriptors": { "r": rights } });
        let answer = server.call(Method::POST, "/_security/api_key", Some(body)).await;
        if server.name == "the sandbox" {
            let words = answer.refused(400);
            assert!(
                words.contains("The practice cluster does not do patterns of more than 1000 characters"),
                "{words}"
            );
        } else {
            answer.ok();
        }
        server.call(Method::GET, "/", None).await.ok();
    });
}

#[test]
fn the_roles_that_a_server_brings_along_are_those_of_a_real_node() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let role = async |name: &str| {
            server.call(Method::GET, &format!("/_security/role/{name}"), None).await.ok()[name].clone()
        };
        let kibana = role("kibana_system").await;
        assert_eq!(
            (kibana["cluster"].as_array().unwrap().len(), kibana["indices"].as_array().unwrap().len()),
            (31, 98)
        );
        assert!(kibana["global"].is_object() && kibana["remote_indices"].is_array());
        assert_eq!(role("superuser").await["transient_metadata"], json!({}));
        for name in ["apm_system", "beats_admin", "watcher_admin", "transform_user", "rollup_admin", "reporting_user"] {
            assert!(role(name).await.is_object(), "{name}");
        }
        assert_eq!(
            server.call(Method::GET, "/_security/user/kibana", None).await.ok()["kibana"]["metadata"]["_deprecated"],
            true
        );
    });
}
