//! What a random request found that the practice cluster answered other than a real one does: each asked of both, again
//! and again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    sandbox_equal::is_of_today,
    server::{Server, every_server, superuser, unique},
};

async fn put(server: &Server, path: &str, body: Value) {
    let answer = server.call(Method::PUT, path, Some(body)).await;
    assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.body);
}

#[test]
fn a_search_that_fails_in_one_index_answers_with_the_other_and_says_so() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let (mapped, other) = (unique("a"), unique("b"));
        put(server, &format!("/{mapped}"), json!({ "mappings": { "properties": { "n": { "type": "long" } } } })).await;
        put(server, &format!("/{other}"), json!({})).await;
        put(server, &format!("/{mapped}/_doc/1?refresh=true"), json!({ "n": 1 })).await;
        let both = format!("/{mapped},{other}");
        let ask = async |path: &str, body: Value| server.call(Method::POST, path, Some(body)).await;

        let found = ask(&format!("{both}/_search"), json!({ "sort": ["n"] })).await.ok();
        assert_eq!(found["hits"]["hits"][0]["_id"], "1", "{found}");
        assert_eq!((&found["_shards"]["successful"], &found["_shards"]["failed"]), (&json!(1), &json!(1)));
        let failure = &found["_shards"]["failures"][0];
        assert_eq!(failure["index"], other, "{found}");
        assert_eq!(failure["reason"]["reason"], "No mapping found for [n] in order to sort on");
        let no_part = format!("{both}/_search?allow_partial_search_results=false");
        let words = ask(&no_part, json!({ "sort": ["n"] })).await.refused(400);
        assert!(words.contains("Partial shards failure"), "{words}");

        let counted = ask(&format!("{both}/_count"), json!({ "query": { "term": { "n": "x" } } })).await.ok();
        assert_eq!((&counted["count"], &counted["_shards"]["failed"]), (&json!(0), &json!(1)), "{counted}");
        let nowhere = ask(&format!("{both}/_search"), json!({ "sort": ["nope"] })).await;
        assert_eq!(nowhere.body["error"]["root_cause"].as_array().map(Vec::len), Some(2), "{}", nowhere.body);
        nowhere.refused(400);
        let none = format!("/{}*/_search", unique("none"));
        assert_eq!(ask(&none, json!({ "size": 10_001 })).await.ok()["hits"]["total"]["value"], 0);
    });
}

#[test]
fn what_is_wrong_is_told_in_the_order_of_the_server() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let admin = superuser();
        let ask = async |method: Method, path: &str| {
            server.call_as(&admin, method, path, None).await.body["error"]["reason"].to_string()
        };
        // Nobody reads a parameter that the route does not know, whatever its value; validation comes behind.
        for (method, path, name) in [
            (Method::GET, "/_security/api_key?id=a&name=b&x=1", "x"),
            (Method::GET, "/contract-none/_source/1?version=x", "version"),
            (Method::DELETE, "/contract-none/_doc/1?require_alias=x", "require_alias"),
            (Method::GET, "/contract-*/_doc/1?op_type=index", "op_type"),
        ] {
            let reason = ask(method, path).await;
            assert!(reason.contains(&format!("contains unrecognized parameter: [{name}]")), "{path}: {reason}");
        }
        let (_, login) = server.user(json!({ "cluster": ["monitor"] })).await;
        for (method, path) in [(Method::GET, "/contract-*/_doc/1"), (Method::DELETE, "/contract-*/_doc/1")] {
            server.call_as(&login, method, path, None).await.refused(403);
        }
        server.call_as(&login, Method::PUT, "/contract-*", Some(json!({}))).await.refused(403);
        assert!(ask(Method::GET, "/contract-*/_doc/1").await.contains("does not support wildcards"));
        server.call(Method::DELETE, "/contract-*/_doc/1", None).await.refused(404);
        let body = json!({ "query": { "term": {} } });
        let words = server.call(Method::POST, "/_count", Some(body)).await.refused(400);
        assert!(words.contains("Failed to parse") && words.contains("field name is null or empty"), "{words}");
    });
}

#[test]
fn an_expression_that_has_to_mean_an_index_is_refused_before_rights_are_looked_at() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let index = server.index().await;
        let (_, login) = server.user(json!({ "cluster": ["monitor"] })).await;
        let none = unique("none");
        let ask = async |path: &str| server.call_as(&login, Method::GET, path, None).await;
        let words = ask(&format!("/{index}*/_search?allow_no_indices=false")).await.refused(404);
        assert!(words.contains(&format!("no such index [{index}*]")), "{words}");
        ask(&format!("/{index}*/_search")).await.refused(403);
        let both = format!("/{index},{none}*/_search?allow_no_indices=false");
        let words = server.call(Method::GET, &both, None).await.refused(404);
        assert!(words.contains(&format!("no such index [{none}*]")), "{words}");
    });
}

#[test]
fn a_delete_with_a_version_from_outside_makes_its_index_and_others_do_not() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let name = unique("outside");
        let remove = async |query: &str| server.call(Method::DELETE, &format!("/{name}/_doc/1{query}"), None).await;
        remove("").await.refused(404);
        server.call(Method::GET, &format!("/{name}"), None).await.refused(404);
        let removed = remove("?version=3&version_type=external").await;
        assert_eq!((removed.status, &removed.body["_version"]), (404, &json!(3)), "{}", removed.body);
        server.call(Method::GET, &format!("/{name}"), None).await.ok();
    });
}

#[test]
fn fields_of_a_refused_document_stay_and_an_update_without_a_change_asks_no_shard() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let index = server.index().await;
        let body = json!({ "title": "again", "size": 1.5 });
        server.call(Method::PUT, &format!("/{index}/_create/1"), Some(body)).await.refused(409);
        let mapping = server.call(Method::GET, &format!("/{index}/_mapping"), None).await.ok();
        assert_eq!(mapping[&index]["mappings"]["properties"]["size"]["type"], "float", "{mapping}");
        let body = json!({ "doc": { "title": "Hello, world" } });
        let same = server.call(Method::POST, &format!("/{index}/_update/1"), Some(body)).await.ok();
        assert_eq!((&same["result"], &same["_shards"]["total"]), (&json!("noop"), &json!(0)), "{same}");
    });
}

#[test]
fn queries_of_keys_fail_and_find_as_those_of_a_real_node() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let name = unique("plain");
        let body = json!({ "name": name, "expiration": "1h", "role_descriptors": { "r": {} } });
        server.post_key(&superuser(), "", body).await;
        let ask = async |clause: Value, sort: Value| {
            let query = json!({ "bool": { "filter": [{ "term": { "name": name } }, clause] } });
            server.query(json!({ "query": query, "sort": sort })).await
        };
        let all = || json!({ "match_all": {} });
        let everything = json!({ "simple_query_string": { "query": "*", "fields": ["creation"] } });
        assert_eq!(ask(everything, json!([])).await.ok()["total"], 1);
        let beginning = json!({ "simple_query_string": { "query": "5*", "fields": ["creation"] } });
        let words = ask(beginning, json!([])).await.refused(400);
        assert!(words.contains("Can only use prefix queries on keyword"), "{words}");
        let empty = ask(json!({ "term": { "expiration": "" } }), json!([])).await;
        assert_eq!(empty.body["error"]["caused_by"]["reason"], "cannot parse empty datetime", "{}", empty.body);
        let words = ask(all(), json!([{ "invalidated": { "numeric_type": "date_nanos" } }])).await.refused(400);
        assert!(words.contains("wrong field used?"), "{words}");
        let words = ask(all(), json!([{ "creation": { "format": "yyyy nope" } }])).await.refused(400);
        assert!(words.contains("Unknown pattern letter: o"), "{words}");
        // Letters that are right and not done are not called wrong.
        let answer = ask(all(), json!([{ "creation": { "format": "yyyy D" } }])).await;
        if server.name == "the sandbox" {
            let words = answer.refused(400);
            assert!(words.contains("The practice cluster does not do [D] in formats of dates"), "{words}");
        } else {
            answer.ok();
        }
    });
}

#[test]
fn the_snapshot_of_an_owner_keeps_nothing_of_what_is_transient() {
    every_server(async |server| {
        if !is_of_today(server) {
            return;
        }
        let body = json!({ "name": unique("mine"), "expiration": "1h", "role_descriptors": { "r": {} } });
        let key = server.post_key(&superuser(), "", body).await;
        let path = format!("/_security/api_key?id={}&with_limited_by=true", key.id);
        let shown = server.call(Method::GET, &path, None).await.ok();
        let owner = &shown["api_keys"][0]["limited_by"][0]["superuser"];
        assert_eq!(owner["transient_metadata"], json!({ "enabled": true }), "{shown}");
    });
}
