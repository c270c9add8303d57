//! The life of a key: what may be asked for, what it may then do, how it is found, and how it ends.

use std::{collections::HashSet, sync::atomic::AtomicBool};

use keybearer::{
    client::{ClientError, KeyQuery, Order},
    model::{
        api_key::KeyId,
        create::{Draft, RightsChoice},
        filter,
        inventory::Asker,
        privileges::descriptor,
        text::json,
        version::{Feature, Version},
    },
    ops::{
        invalidate,
        keys::{find, list},
    },
};
use reqwest::Method;
use serde_json::{Value, json, value::RawValue};

use crate::sandbox_equal::trial;
use crate::server::{by_key, checked, create, draft, every_server, superuser, unique};

#[test]
fn a_key_from_a_role_reads_and_does_not_write_until_it_is_invalidated() {
    every_server(async |server| {
        let admin = server.admin().await;
        let index = server.index().await;
        let role = server
            .role(json!({ "cluster": ["monitor"], "indices": [{ "names": [index], "privileges": ["read", "view_index_metadata"] }] }))
            .await;
        let name = unique("reader");
        let draft = Draft { rights: RightsChoice::Roles, roles: vec![role], ..draft(&name) };
        let key = create(&admin, &draft).await;
        let login = by_key(&key);

        let found = server
            .call_as(&login, Method::POST, &format!("/{index}/_search"), Some(json!({ "query": { "match_all": {} } })))
            .await;
        assert_eq!(found.ok()["hits"]["total"]["value"], 1);
        let written = server.call_as(&login, Method::POST, &format!("/{index}/_doc"), Some(json!({ "a": 1 }))).await;
        let words = written.refused(403);
        assert!(words.contains("indices:data/write"), "{words}");
        if server.version < Version::new(8, 0, 0) {
            server.lacks("the index in a refusal");
        } else {
            assert!(words.contains(&index), "{words}");
        }
        let other = server.call_as(&login, Method::GET, "/contract-other-index/_search", None).await;
        other.refused(403);

        let done =
            invalidate::invalidate(&admin, std::slice::from_ref(&key.id), false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!(done.done, std::slice::from_ref(&key.id));
        server.call_as(&login, Method::POST, &format!("/{index}/_search"), None).await.refused(401);
        assert!(list::by_id(&admin, &[key.id]).await.unwrap().keys[0].invalidated);
    });
}

#[test]
fn every_role_that_the_server_brings_along_makes_a_key() {
    every_server(async |server| {
        let admin = server.admin().await;
        let roles = admin.client.roles().await.unwrap();
        let reserved = roles.iter().filter(|role| role.reserved);
        let mut made = 0;
        for role in reserved {
            let descriptor: Value = serde_json::from_str(descriptor::for_key(&role.descriptor).get()).unwrap();
            let body = json!({ "name": unique("all-roles"), "expiration": "1h", "role_descriptors": { role.name.clone(): descriptor } });
            let answer = server.call(Method::POST, "/_security/api_key?refresh=false", Some(body)).await;
            assert_eq!(answer.status, 200, "{}: {}", role.name, answer.body);
            made += 1;
        }
        assert!(made > 3, "{made} roles are brought along");
    });
}

#[test]
fn a_role_with_a_description_makes_a_key_without_it() {
    every_server(async |server| {
        if server.version < Version::new(8, 15, 0) {
            return server.lacks("descriptions of roles");
        }
        let role = server.role(json!({ "cluster": ["monitor"], "description": "watches" })).await;
        let admin = server.admin().await;
        create(&admin, &Draft { rights: RightsChoice::Roles, roles: vec![role], ..draft(&unique("described")) }).await;
    });
}

#[test]
fn a_role_that_is_not_there_is_no_error_and_not_in_the_answer() {
    every_server(async |server| {
        let role = server.role(json!({ "cluster": ["monitor"] })).await;
        let client = server.client(superuser());
        let found = client.roles_named(&[&role, "contract-no-such-role"]).await.unwrap();
        assert_eq!(found.iter().map(|found| &found.name).collect::<Vec<_>>(), [&role]);
        assert!(client.roles_named(&["contract-no-such-role"]).await.unwrap().is_empty());
    });
}

#[test]
fn what_the_form_refuses_the_server_refuses_too() {
    every_server(async |server| {
        let long = "x".repeat(257);
        for name in ["", " a", "a ", "_a", &long] {
            let body = json!({ "name": name, "role_descriptors": { "none": {} } });
            server.call(Method::POST, "/_security/api_key", Some(body)).await.refused(400);
            let admin = server.admin().await;
            assert!(checked(&admin, &draft(name)).await.is_err(), "{name:?}");
        }
        for expiration in ["soon", "1y", "1.5d", ""] {
            let body = json!({ "name": unique("odd"), "expiration": expiration, "role_descriptors": { "none": {} } });
            let answer = server.call(Method::POST, "/_security/api_key", Some(body)).await;
            // 7.10 takes an empty one for none.
            assert!(answer.status == 400 || expiration.is_empty(), "{expiration:?}: {}", answer.body);
        }
        if !server.has(Feature::Metadata) {
            return;
        }
        let body = json!({ "name": unique("odd"), "metadata": { "_hidden": 1 }, "role_descriptors": { "none": {} } });
        assert!(server.call(Method::POST, "/_security/api_key", Some(body)).await.refused(400).contains('_'));
        let body = json!({ "name": unique("odd"), "role_descriptors": { "r": { "cluster": ["no_such_privilege"] } } });
        let words = server.call(Method::POST, "/_security/api_key", Some(body)).await.refused(400);
        assert!(words.contains("no_such_privilege"), "{words}");
    });
}

#[test]
fn a_dead_key_and_one_beyond_the_calendar_are_made_by_the_server_and_read_without_harm() {
    every_server(async |server| {
        let admin = server.admin().await;
        for expiration in ["0s", "-1d", "999999999d"] {
            let body = json!({ "name": unique("edge"), "expiration": expiration, "role_descriptors": { "none": {} } });
            let made = server.post_key(&superuser(), "", body).await;
            let read = list::by_id(&admin, &[made.id]).await.unwrap();
            assert_eq!(read.keys[0].expires, made.expires, "{expiration}");
            assert!(checked(&admin, &Draft { expiration: expiration.into(), ..draft("edge") }).await.is_err());
        }
    });
}

#[test]
fn metadata_comes_back_and_finds_its_key() {
    every_server(async |server| {
        if !server.has(Feature::Metadata) {
            return;
        }
        let admin = server.admin().await;
        let application_id = unique("app");
        let asked = Draft {
            application_id: application_id.clone(),
            metadata: r#"{"team": "payments", "n": 1, "deep": {"a": [1, {"b": null}]}}"#.into(),
            ..draft(&unique("meta"))
        };
        let key = create(&admin, &asked).await;
        let found = find::named(&admin, &application_id).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].id, found[0].application_id()), (&key.id, Some(application_id.as_str())));
        assert_eq!(Value::Object(found[0].metadata_map())["deep"], json!({ "a": [1, { "b": null }] }));
        let by_id = find::named(&admin, key.id.as_str()).await.unwrap();
        assert_eq!(by_id[0].id, key.id);
        let by_name = find::named(&admin, &key.name).await.unwrap();
        assert_eq!(by_name[0].id, key.id);
        assert!(find::named(&admin, "contract-*").await.unwrap().is_empty(), "a name is never a pattern");
    });
}

#[test]
fn no_key_is_missing_or_double_where_many_share_a_name() {
    every_server(async |server| {
        let (_, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let name = unique("twin");
        let mut made = HashSet::new();
        for number in 0..230 {
            let body = json!({ "name": name, "expiration": "1d", "role_descriptors": { "none": {} } });
            let refresh = if number == 229 { "" } else { "?refresh=false" };
            made.insert(server.post_key(&login, refresh, body).await.id);
        }
        let session = server.session(login).await;
        let read = list::all(&session, |_| ()).await.unwrap();
        let ids: HashSet<KeyId> = read.keys.keys().map(|key| key.id).collect();
        assert_eq!((read.keys.len(), read.total, read.shortfall()), (230, 230, 0));
        assert_eq!(ids, made);
        assert!(read.own_only);
    });
}

#[test]
fn pages_follow_each_other_by_the_last_sort_also_for_keys_that_never_end() {
    every_server(async |server| {
        if !server.has(Feature::Query) {
            return;
        }
        let admin = server.admin().await;
        let name = unique("endless");
        for _ in 0..5 {
            server.post_key(&superuser(), "", json!({ "name": name, "role_descriptors": { "none": {} } })).await;
            // Of two keys of the same millisecond, a page after the first leaves out both.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let mut query = KeyQuery::new(2);
        query.filter = Some(json!({ "term": { "name": name } }));
        query.sort = vec![("expiration".into(), Order::Ascending), ("creation".into(), Order::Ascending)];
        let mut seen = HashSet::new();
        loop {
            let page = admin.client.query_api_keys(&query).await.unwrap();
            assert_eq!(page.total, 5);
            seen.extend(page.keys.iter().map(|key| key.id.clone()));
            if page.keys.len() < 2 {
                break;
            }
            let last = page.last_sort.unwrap();
            assert_eq!(last[0].get(), i64::MAX.to_string());
            query.search_after = Some(last);
        }
        assert_eq!(seen.len(), 5);
    });
}

#[test]
fn queries_know_these_questions_and_refuse_those() {
    every_server(async |server| {
        if !server.has(Feature::Query) {
            return;
        }
        let name = unique("asked");
        server.post_key(&superuser(), "", json!({ "name": name, "role_descriptors": { "none": {} } })).await;
        for query in [
            json!({ "term": { "name": name } }),
            json!({ "prefix": { "name": name } }),
            json!({ "wildcard": { "name": { "value": name.to_uppercase(), "case_insensitive": true } } }),
            json!({ "bool": { "must": [{ "term": { "name": name } }, { "exists": { "field": "creation" } }] } }),
            json!({ "bool": { "filter": [{ "term": { "name": name } }, { "range": { "creation": { "gt": 1577836800000i64 } } }] } }),
        ] {
            let answer = server.query(json!({ "query": query })).await.ok();
            assert_eq!(answer["total"], 1, "{query}");
        }
        for query in [
            json!({ "query_string": { "query": name } }),
            json!({ "regexp": { "name": ".*" } }),
            json!({ "term": { "role_descriptors": "x" } }),
            json!({ "no_such_query": {} }),
        ] {
            server.query(json!({ "query": query })).await.refused(400);
        }
        server.query(json!({ "from": 9_990, "size": 11 })).await.refused(400);
        server.query(json!({ "sort": ["id"] })).await.refused(400);
    });
}

#[test]
fn unknown_ids_are_left_out_and_the_proof_says_so() {
    every_server(async |server| {
        let admin = server.admin().await;
        let key = create(&admin, &draft(&unique("known"))).await;
        let unknown = KeyId::new("contractNoSuchKey123");
        let ids = [key.id.clone(), unknown.clone()];
        let outcome = invalidate::invalidate(&admin, &ids, false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!(outcome.done, std::slice::from_ref(&key.id));
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(outcome.failed[0].0, unknown);
        let again =
            invalidate::invalidate(&admin, std::slice::from_ref(&key.id), false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!(again.done, [key.id], "what is invalidated stays so, and is proved");
    });
}

#[test]
fn an_empty_call_to_invalidate_is_never_sent_and_would_be_refused() {
    every_server(async |server| {
        let client = server.client(superuser());
        assert!(matches!(client.invalidate(&[], false).await, Err(ClientError::NotSent { .. })));
        for body in [json!({}), json!({ "ids": [] })] {
            server.call(Method::DELETE, "/_security/api_key", Some(body)).await.refused(400);
        }
    });
}

#[test]
fn who_manages_own_keys_does_not_see_or_end_those_of_others() {
    every_server(async |server| {
        let foreign = create(&server.admin().await, &draft(&unique("foreign"))).await;
        let (_, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let session = server.session(login.clone()).await;
        assert!(session.sees_own_only() && session.invalidates_own_only());
        let own = create(&session, &draft(&unique("own"))).await;
        let listed = list::all(&session, |_| ()).await.unwrap();
        assert_eq!(listed.keys.keys().map(|key| key.id).collect::<Vec<_>>(), std::slice::from_ref(&own.id));

        let ids = [own.id.clone(), foreign.id.clone()];
        let outcome = invalidate::invalidate(&session, &ids, false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!(outcome.done, [own.id]);
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(server.get_key(&foreign.id).await["invalidated"], false);
        let refused = server.call_as(&login, Method::GET, &format!("/_security/api_key?id={}", foreign.id), None).await;
        refused.refused(403);
    });
}

#[test]
fn who_may_nothing_is_told_which_privileges_would_do() {
    every_server(async |server| {
        let (_, login) = server.user(json!({ "cluster": ["monitor"] })).await;
        let session = server.session(login).await;
        assert!(!session.privileges.sees_own_keys() && !session.privileges.creates_keys());
        let error = list::all(&session, |_| ()).await.unwrap_err();
        let ClientError::Forbidden { privileges, .. } = error else { panic!("{error:?}") };
        // 7.10 does not say.
        assert!(server.version.major < 8 || privileges.iter().any(|name| name.contains("api_key")), "{privileges:?}");
    });
}

#[test]
fn an_unknown_privilege_makes_the_whole_question_fail() {
    every_server(async |server| {
        let client = server.client(superuser());
        let error = client.has_cluster_privileges(&["manage_security", "no_such_privilege"]).await.unwrap_err();
        assert!(matches!(error, ClientError::Rejected { status: 400, .. }), "{error:?}");
        let known = client.has_cluster_privileges(&["manage_security", "manage_own_api_key"]).await.unwrap();
        assert_eq!(known.has("manage_security"), Some(true));
    });
}

#[test]
fn a_key_makes_only_keys_without_rights() {
    every_server(async |server| {
        let admin = server.admin().await;
        let all = Draft { rights: RightsChoice::AllMine, reason: "parent".into(), ..draft(&unique("parent")) };
        let parent = by_key(&create(&admin, &all).await);
        let body = json!({ "name": unique("child"), "expiration": "1h", "role_descriptors": { "r": { "cluster": ["monitor"] } } });
        server.call_as(&parent, Method::POST, "/_security/api_key", Some(body)).await.refused(400);
        let session = server.session(parent).await;
        let child = create(&session, &draft(&unique("child"))).await;
        let who = server.client(by_key(&child)).authenticate().await.unwrap();
        assert_eq!(who.authentication_type, "api_key");
    });
}

#[test]
fn what_a_key_may_is_what_both_it_and_its_owner_may() {
    every_server(async |server| {
        let index = server.index().await;
        let (_, login) = server
            .user(
                json!({ "cluster": ["manage_own_api_key"], "indices": [{ "names": [index], "privileges": ["read"] }] }),
            )
            .await;
        let rights = json!({ "r": { "cluster": ["all"], "indices": [{ "names": ["*"], "privileges": ["all"] }] } });
        let body = json!({ "name": unique("both"), "expiration": "1h", "role_descriptors": rights });
        let key = server.post_key(&login, "", body).await;
        let client = server.client(by_key(&key));
        let cluster = client.has_cluster_privileges(&["manage_security", "manage_own_api_key"]).await.unwrap();
        assert_eq!(cluster.has("manage_security"), Some(false));
        if server.version < Version::new(8, 0, 0) {
            server.lacks("manage_own_api_key for keys");
        } else {
            assert_eq!(cluster.has("manage_own_api_key"), Some(true));
        }
        let asked = [(vec![index.clone()], vec!["read".to_owned(), "write".to_owned()])];
        let granted = client.has_index_privileges(&asked).await.unwrap();
        assert_eq!((granted[&index]["read"], granted[&index]["write"]), (true, false));
        server.call_as(&by_key(&key), Method::DELETE, &format!("/{index}"), None).await.refused(403);
    });
}

#[test]
fn descriptors_come_back_as_they_were_sent() {
    every_server(async |server| {
        if server.version < Version::new(8, 0, 0) {
            return server.lacks("the descriptors of a key");
        }
        trial(server).await;
        let sent = json!({ "r": { "cluster": ["monitor"], "indices": [{ "names": ["a-*"], "privileges": ["read"],
            "field_security": { "grant": ["*"] } }], "metadata": { "n": 1 } } });
        let body = json!({ "name": unique("raw"), "expiration": "1h", "role_descriptors": sent });
        let made = server.call(Method::POST, "/_security/api_key", Some(body)).await.ok();
        let id = KeyId::new(made["id"].as_str().unwrap());
        let read = list::by_id(&server.admin().await, &[id]).await.unwrap();
        let raw: &RawValue = read.keys[0].role_descriptors.as_deref().unwrap();
        let read: Value = serde_json::from_str(raw.get()).unwrap();
        assert_eq!(read["r"]["indices"][0]["field_security"], json!({ "grant": ["*"] }));
        assert_eq!(read["r"]["metadata"], json!({ "n": 1 }));
    });
}

#[test]
fn what_is_not_spoken_is_refused_in_elasticsearch_s_own_words() {
    every_server(async |server| {
        let unknown = server.call(Method::POST, "/_security/no_such_thing", Some(json!({}))).await;
        // 7.10 takes an unknown path for an index.
        assert!(server.version.major < 8 || unknown.body["error"].to_string().contains("uri"), "{}", unknown.body);
        unknown.refused(400);
        let method = server.call(Method::PUT, "/_security/_authenticate", None).await;
        assert!(method.refused(405).contains("allowed"));
        let request = server
            .request(&superuser(), Method::POST, "/_security/api_key")
            .header("content-type", "text/plain")
            .body("{}");
        assert!(server.answer(request).await.refused(406).contains("Content-Type"));
    });
}

#[test]
fn documents_are_written_counted_and_found() {
    every_server(async |server| {
        let index = unique("documents");
        let lines =
            (0..3).map(|n| format!("{{\"index\":{{}}}}\n{{\"n\":{n},\"word\":\"w{n}\"}}\n")).collect::<String>();
        let request = server
            .request(&superuser(), Method::POST, &format!("/{index}/_bulk?refresh=true"))
            .header("content-type", "application/x-ndjson")
            .body(lines);
        assert_eq!(server.answer(request).await.ok()["errors"], false);
        assert_eq!(server.call(Method::GET, &format!("/{index}/_count"), None).await.ok()["count"], 3);
        let query = json!({ "query": { "term": { "word.keyword": "w1" } } });
        let found = server.call(Method::POST, &format!("/{index}/_search"), Some(query)).await.ok();
        assert_eq!(found["hits"]["hits"][0]["_source"]["n"], 1);
        server
            .call(Method::POST, &format!("/{index}/_search"), Some(json!({ "query": { "no_such": {} } })))
            .await
            .refused(400);
        assert_eq!(server.call(Method::DELETE, &format!("/{index}"), None).await.ok()["acknowledged"], true);
        server.call(Method::GET, &format!("/{index}/_search"), None).await.refused(404);
    });
}

/// Half a surrogate pair is no text, and whoever may have a key may name it so.
#[test]
fn a_key_whose_name_is_no_text_is_found_shown_and_ended_by_its_id() {
    every_server(async |server| {
        let admin = server.admin().await;
        let prefix = unique("half");
        let body = format!(r#"{{"name":"{prefix}-\ud800","expiration":"1d"}}"#);
        let request = server.request(&superuser(), Method::POST, "/_security/api_key");
        // The answer repeats the name, so that it is no JSON for whoever is strict.
        let made = server.answer(request.header("content-type", "application/json").body(body)).await.ok();
        let text = made.as_str().map_or_else(|| made.to_string(), str::to_owned);
        let id = text.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        let id = KeyId::new(id);

        let found = find::named(&admin, id.as_str()).await.unwrap();
        let [key] = found.as_slice() else { panic!("{found:?}") };
        assert!(key.name.starts_with(&prefix) && !key.invalidated);
        assert_eq!(key.is_unread("name"), key.flaw.is_some(), "its name and nothing else: {:?}", key.flaw);
        let one = admin.client.get_api_key(&id, false).await.unwrap().expect("by its id alone");
        assert_eq!(one.flaw, key.flaw);
        let list = list::all(&admin, |_| ()).await.unwrap();
        let row = list.keys.row_id(&id).expect("it is in the list");
        assert_eq!(list.keys.flaw(row), key.flaw.as_deref());
        assert!(key.flaw.is_none() || !list.is_whole());

        let ids = std::slice::from_ref(&id);
        let outcome = invalidate::invalidate(&admin, ids, false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!((outcome.done.as_slice(), outcome.failed.len()), (ids, 0), "ended and proved");
    });
}

/// Whoever may have a key can give its metadata a character that is half of one: the rest of it still counts.
#[test]
fn metadata_that_is_no_text_hides_neither_the_application_id_nor_the_product() {
    every_server(async |server| {
        if !server.has(Feature::Metadata) {
            return;
        }
        let admin = server.admin().await;
        let app = unique("app");
        let metadata = format!(r#"{{"a":"x\ud83d","managed":true,"managed_by":"fleet","application_id":"{app}"}}"#);
        let body = format!(r#"{{"name":"{app}-key","expiration":"1d","metadata":{metadata}}}"#);
        let request = server.request(&superuser(), Method::POST, "/_security/api_key");
        server.answer(request.header("content-type", "application/json").body(body)).await;

        let found = find::named(&admin, &app).await.unwrap();
        let [key] = found.as_slice() else { panic!("by its application id: {found:?}") };
        assert_eq!((key.application_id(), key.managed_by()), (Some(app.as_str()), Some("fleet")));
        let list = list::all(&admin, |_| ()).await.unwrap();
        let listed = list.keys.key(list.keys.row_id(&key.id).expect("it is in the list"));
        assert_eq!((listed.application_id(), listed.managed_by()), (Some(app.as_str()), Some("fleet")));
        let plan = invalidate::InvalidationPlan::of([&listed]);
        let outcome = invalidate::many(&admin, plan, &AtomicBool::new(false), |_| ()).await;
        assert!(outcome.done.is_empty() && outcome.guarded.contains_key(&key.id), "{outcome:?}");
        let ids = std::slice::from_ref(&key.id);
        let outcome = invalidate::invalidate(&admin, ids, false, &AtomicBool::new(false), |_| ()).await;
        assert_eq!(outcome.done.as_slice(), ids, "{outcome:?}");
    });
}

/// What Elasticsearch takes from anybody who may have a key: expressions that nest 200,000 times, and metadata of a
/// role 900 levels deep.
#[test]
fn keys_with_bottomless_patterns_and_metadata_are_read_and_searched() {
    every_server(async |server| {
        let admin = server.admin().await;
        let pattern = format!("/a{}/", "?".repeat(200_000));
        let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
        let rights = [
            format!(r#"{{"indices":[{{"names":["{pattern}"],"privileges":["read"]}}]}}"#),
            format!(r#"{{"cluster":[],"metadata":{{"m":{deep}}}}}"#),
        ];
        for (number, rights) in rights.iter().enumerate() {
            let name = unique("bottomless");
            let body = format!(r#"{{"name":"{name}","expiration":"1d","role_descriptors":{{"r":{rights}}}}}"#);
            let request = server.request(&superuser(), Method::POST, "/_security/api_key");
            let made = server.answer(request.header("content-type", "application/json").body(body)).await;
            if server.name == "the sandbox" {
                // The practice cluster keeps nothing that it can't obey.
                made.refused(400);
                server.lacks(&format!("keys with bottomless rights ({number})"));
                continue;
            }
            assert_eq!(made.status, 200, "{number}: {}", made.body);
            let list = list::all(&admin, |_| ()).await.unwrap();
            let zone = jiff::tz::TimeZone::UTC;
            let query = filter::parse(&format!("on:my_index name:{name}"), admin.now(), &zone).unwrap();
            let asker = Asker::default();
            let began = std::time::Instant::now();
            let found = list.keys.matching(&query.expr, admin.now(), asker);
            assert!(found.count() <= 1 && began.elapsed().as_secs() < 30);
            let [key] = &find::named(&admin, &name).await.unwrap()[..] else { panic!("{name}") };
            if let Some(raw) = &key.role_descriptors {
                let shown = json::shown(raw.get());
                assert!(shown.len() < json::MAX_SHOWN_BYTES + 100, "{}", shown.len());
            }
            let ids = std::slice::from_ref(&key.id);
            let outcome = invalidate::invalidate(&admin, ids, false, &AtomicBool::new(false), |_| ()).await;
            assert_eq!(outcome.done, ids);
        }
    });
}
