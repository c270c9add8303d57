//! Changing keys: what is replaced, what stays, whose keys, and the words of a refusal.

use std::sync::Arc;

use keybearer::{
    client::ClientError,
    model::{
        api_key::KeyId,
        time::expiry::Span,
        update::{KeyUpdate, draft::UpdateDraft, plan::UpdatePlan},
        version::Feature,
    },
    ops::{
        Outcome, Session,
        keys::key_set::KeySet,
        update::{
            self,
            plan::{self, Keys},
        },
    },
};
use reqwest::Method;
use serde_json::{Value, json, value::RawValue};

use crate::server::{Server, by_key, every_server, superuser, unique};

fn raw(value: &Value) -> Option<Box<RawValue>> {
    RawValue::from_string(value.to_string()).ok()
}

async fn put(server: &Server, id: &KeyId, body: Value) -> crate::server::Answer {
    server.call(Method::PUT, &format!("/_security/api_key/{id}"), Some(body)).await
}

async fn bulk(server: &Server, body: Value) -> crate::server::Answer {
    server.call(Method::POST, "/_security/api_key/_bulk_update", Some(body)).await
}

/// A key of the superuser with one descriptor and one member of metadata.
async fn key(server: &Server, what: &str) -> keybearer::client::CreatedKey {
    let rights = json!({ "r": { "cluster": ["monitor"] } });
    let body = json!({ "name": unique(what), "role_descriptors": rights, "metadata": { "a": 1 } });
    server.post_key(&superuser(), "", body).await
}

#[test]
fn an_update_replaces_what_it_names_and_leaves_the_rest() {
    every_server(async |server| {
        if !server.has(Feature::Update) {
            return;
        }
        let client = server.client(superuser());
        let id = key(server, "replaced").await.id;
        let metadata = KeyUpdate { metadata: raw(&json!({ "b": { "c": 2 } })), ..KeyUpdate::default() };
        assert!(client.update_api_key(&id, &metadata).await.unwrap());
        assert!(!client.update_api_key(&id, &metadata).await.unwrap(), "the same twice is no change");
        assert!(!client.update_api_key(&id, &KeyUpdate::default()).await.unwrap());
        let told = server.get_key(&id).await;
        assert_eq!(told["metadata"], json!({ "b": { "c": 2 } }));
        assert_eq!(told["role_descriptors"]["r"]["cluster"], json!(["monitor"]));

        let all = KeyUpdate { role_descriptors: raw(&json!({})), ..KeyUpdate::default() };
        assert!(client.update_api_key(&id, &all).await.unwrap());
        let told = server.get_key(&id).await;
        assert_eq!((&told["role_descriptors"], &told["metadata"]["b"]["c"]), (&json!({}), &json!(2)));
        let wiped = KeyUpdate { metadata: raw(&json!({})), ..KeyUpdate::default() };
        assert!(client.update_api_key(&id, &wiped).await.unwrap());
        assert_eq!(server.get_key(&id).await["metadata"], json!({}));
    });
}

#[test]
fn a_new_end_counts_from_now_and_lies_ahead() {
    every_server(async |server| {
        if !server.has(Feature::UpdateExpiration) {
            return;
        }
        let id = key(server, "ends").await.id;
        let update = KeyUpdate { expiration: Some(Span::days(3)), ..KeyUpdate::default() };
        assert!(server.client(superuser()).update_api_key(&id, &update).await.unwrap());
        let told = server.get_key(&id).await;
        let lasts = told["expiration"].as_i64().unwrap() - told["creation"].as_i64().unwrap();
        assert!((3 * 86_400_000..3 * 86_400_000 + 60_000).contains(&lasts), "{lasts}");
        for expiration in ["0s", "-1d", "-1"] {
            let words = put(server, &id, json!({ "expiration": expiration })).await.refused(400);
            assert!(words.contains("API key expiration must be in the future"), "{expiration}: {words}");
        }
        for expiration in [json!("soon"), json!("1y"), json!(5), Value::Null] {
            put(server, &id, json!({ "expiration": expiration })).await.refused(400);
        }
    });
}

#[test]
fn a_wrong_update_is_refused_as_a_whole() {
    every_server(async |server| {
        if !server.has(Feature::Update) {
            return;
        }
        let id = key(server, "wrong").await.id;
        for (body, words) in [
            (json!({ "metadata": { "_a": 1 } }), "API key metadata keys may not start with [_]"),
            (json!({ "metadata": 3 }), "metadata doesn't support values of type: VALUE_NUMBER"),
            (json!({ "metadata": null }), "metadata doesn't support values of type: VALUE_NULL"),
            (json!({ "role_descriptors": null }), "role_descriptors doesn't support values of type: VALUE_NULL"),
            (json!({ "role_descriptors": { "x": { "cluster": ["bogus"] } } }), "unknown cluster privilege [bogus]"),
            (json!({ "name": "x" }), "unknown field [name]"),
            (json!([]), "Expected START_OBJECT but was: START_ARRAY"),
        ] {
            let said = put(server, &id, body.clone()).await.refused(400);
            assert!(said.contains(words), "{body}: {said}");
        }
        let mut deep = json!({});
        for _ in 0..24 {
            deep = json!({ "a": deep });
        }
        let answer = put(server, &id, json!({ "metadata": deep })).await;
        assert!(answer.status >= 400 && answer.body.to_string().contains("maximum depth limit of [20]"));
        assert_eq!(server.get_key(&id).await["metadata"], json!({ "a": 1 }));
    });
}

#[test]
fn only_the_owner_changes_a_key_and_needs_little_for_it() {
    every_server(async |server| {
        if !server.has(Feature::Update) {
            return;
        }
        let (name, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let foreign = key(server, "foreign").await;
        let own = server.post_key(&login, "", json!({ "name": unique("own") })).await.id;
        let update = KeyUpdate { metadata: raw(&json!({ "x": 1 })), ..KeyUpdate::default() };
        let client = server.client(login);
        assert!(client.update_api_key(&own, &update).await.unwrap());
        let words = format!("no API key owned by requesting user found for ID [{}]", foreign.id);
        let error = client.update_api_key(&foreign.id, &update).await.unwrap_err();
        assert!(matches!(&error, ClientError::NotFound { reason } if reason.contains(&words)), "{error:?}");
        // Nor does the superuser, unless acting as the owner.
        let body = json!({ "metadata": { "x": 2 } });
        let said = put(server, &own, body.clone()).await.refused(404);
        assert!(said.contains("no API key owned by requesting user"), "{said}");
        let path = format!("/_security/api_key/{own}");
        let request = server.request(&superuser(), Method::PUT, &path).header("es-security-runas-user", name);
        let request = request.header("content-type", "application/json").body(body.to_string());
        assert_eq!(server.answer(request).await.ok()["updated"], true);
        // Signed in by a key one is nobody's owner.
        let path = format!("/_security/api_key/{}", foreign.id);
        let all = server.post_key(&superuser(), "", json!({ "name": unique("all") })).await;
        let refused = server.call_as(&by_key(&all), Method::PUT, &path, Some(json!({}))).await.refused(400);
        assert!(refused.contains("only the owner user can update an API key"), "{refused}");
        let (_, nobody) = server.user(json!({ "cluster": ["monitor"] })).await;
        let refused = server.call_as(&nobody, Method::PUT, &path, Some(json!({}))).await.refused(403);
        assert!(refused.contains("manage_own_api_key"), "{refused}");
    });
}

#[test]
fn every_update_takes_the_owners_rights_of_today() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let role = server.role(json!({ "cluster": ["manage_own_api_key"] })).await;
        let name = unique("promoted");
        let user = json!({ "password": "contract-password", "roles": [role] });
        server.call(Method::PUT, &format!("/_security/user/{name}"), Some(user)).await.ok();
        let login = crate::server::password(&name, "contract-password");
        let id = server.post_key(&login, "", json!({ "name": unique("snapshot") })).await.id;
        let more = json!({ "cluster": ["manage_own_api_key", "monitor"] });
        server.call(Method::PUT, &format!("/_security/role/{role}"), Some(more)).await.ok();
        let client = server.client(login);
        let limits = async || client.get_api_key_with_limits(&id, true).await.unwrap().unwrap().limited_by.unwrap();
        assert!(!limits().await.get().contains("monitor"));
        assert!(client.update_api_key(&id, &KeyUpdate::default()).await.unwrap(), "an empty one does it too");
        assert!(limits().await.get().contains("monitor"));
    });
}

#[test]
fn a_dead_key_is_not_brought_back() {
    every_server(async |server| {
        if !server.has(Feature::Update) {
            return;
        }
        let dead = server.post_key(&superuser(), "", json!({ "name": unique("dead"), "expiration": "1ms" })).await.id;
        let gone = key(server, "gone").await.id;
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [gone] }))).await.ok();
        for (id, words) in [(dead, "cannot update expired API key"), (gone, "cannot update invalidated API key")] {
            let said = put(server, &id, json!({ "metadata": {} })).await.refused(400);
            assert!(said.contains(words), "{said}");
        }
    });
}

#[test]
fn a_bulk_update_tells_each_key_its_fate() {
    every_server(async |server| {
        if !server.has(Feature::BulkUpdate) {
            return;
        }
        let (one, same) = (key(server, "one").await.id, key(server, "same").await.id);
        put(server, &same, json!({ "metadata": { "z": 1 } })).await.ok();
        let gone = key(server, "gone").await.id;
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [gone] }))).await.ok();
        let unknown = KeyId::new("contractNoSuchKey123");
        let update = KeyUpdate { metadata: raw(&json!({ "z": 1 })), ..KeyUpdate::default() };
        let ids = [one.clone(), one.clone(), same.clone(), gone.clone(), unknown.clone()];
        let done = server.client(superuser()).bulk_update_api_keys(&ids, &update).await.unwrap();
        assert_eq!((done.updated, done.noops), (vec![one.clone()], vec![same]));
        let reason = |id: &KeyId| done.errors.iter().find(|(other, _)| other == id).unwrap().1.clone();
        assert_eq!(done.errors.len(), 2);
        assert!(reason(&gone).contains("cannot update invalidated API key"));
        assert!(reason(&unknown).contains("no API key owned by requesting user found for ID [contractNoSuchKey123]"));
        assert!(bulk(server, json!({ "ids": [one] })).await.ok().get("errors").is_none(), "none, no field");

        for (body, words) in [
            (json!({}), "Required [ids]"),
            (json!({ "ids": [] }), "Field [ids] cannot be empty"),
            (json!({ "ids": null }), "ids doesn't support values of type: VALUE_NULL"),
            (json!({ "ids": ["a", null] }), "failed to parse field [ids]"),
            (json!({ "ids": ["a"], "metadata": { "_z": 1 } }), "may not start with [_]"),
        ] {
            let said = bulk(server, body.clone()).await.refused(400);
            assert!(said.contains(words), "{body}: {said}");
        }
        let path = "/_security/api_key/_bulk_update";
        server.call(Method::PUT, path, Some(json!({ "metadata": {} }))).await.refused(405);
        let client = server.client(superuser());
        assert!(matches!(client.bulk_update_api_keys(&[], &update).await, Err(ClientError::NotSent { .. })));
    });
}

/// Plans what a draft makes of the keys, as it would be shown.
async fn plan(session: &Session, ids: &[&KeyId], draft: UpdateDraft) -> Arc<UpdatePlan> {
    let mut keys = Vec::new();
    for id in ids {
        keys.push(session.client.get_api_key(id, false).await.unwrap().unwrap());
    }
    let keys = Keys::Listed(KeySet::of_keys(&keys));
    Arc::new(plan::plan(session, keys, &draft, &jiff::tz::TimeZone::UTC).await.unwrap())
}

async fn carried_out(session: &Session, plan: &Arc<UpdatePlan>) -> Outcome {
    update::run(session, plan, None, &std::sync::atomic::AtomicBool::new(false), |_| ()).await
}

#[test]
fn what_was_asked_for_is_what_is_read_again_in_whatever_form_it_is_told() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let session = server.admin().await;
        let (one, two) = (key(server, "planned").await.id, key(server, "planned").await.id);
        let rights = json!({ "r": { "cluster": ["monitor", "MANAGE", "monitor"], "index": [
            { "names": "b", "privileges": ["write", "READ"], "query": { "term": { "x": 1 } } },
            { "names": ["z", "a"], "privileges": ["read"] } ] } });
        let metadata = r#"{"e":1.0e+10,"n":null,"deep":{"a.b":[1,{"c":[]}]}}"#;
        let draft = UpdateDraft {
            role_descriptors: Some(rights.to_string()),
            metadata: Some(metadata.into()),
            expiration: if server.has(Feature::UpdateExpiration) { "9d".into() } else { String::new() },
            ..UpdateDraft::default()
        };
        let plan_of_both = plan(&session, &[&one, &two], draft.clone()).await;
        assert!(plan_of_both.planned.iter().all(|planned| planned.seen.limited_by.is_some()));
        let outcome = carried_out(&session, &plan_of_both).await;
        assert!(outcome.is_complete() && outcome.remarks.is_empty(), "{outcome:?}");
        assert_eq!(outcome.done.len(), 2);
        let without_end = UpdateDraft { expiration: String::new(), ..draft };
        let again = plan(&session, &[&one, &two], without_end).await;
        assert_eq!((again.planned.len(), again.unchanged.len()), (0, 2), "nothing is different any more");
    });
}

#[test]
fn what_somebody_else_changes_after_it_was_shown_is_not_undone() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let session = server.admin().await;
        for (theirs, words) in [
            (json!({ "metadata": { "incident": "INC-7" } }), "metadata/incident: added"),
            (json!({ "role_descriptors": { "r": { "cluster": ["none"] } } }), "role_descriptors/r/cluster"),
            (json!({ "expiration": "5d" }), "expiration: never → "),
        ] {
            if theirs.get("expiration").is_some() && !server.has(Feature::UpdateExpiration) {
                continue;
            }
            let id = key(server, "raced").await.id;
            let draft = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
            let shown = plan(&session, &[&id], draft).await;
            put(server, &id, theirs).await.ok();
            let outcome = carried_out(&session, &shown).await;
            assert_eq!(outcome.done, []);
            assert!(outcome.failed[0].1.reason().contains(words), "{outcome:?}");
            assert!(server.get_key(&id).await["metadata"].get("team").is_none());
        }
        let id = key(server, "raced").await.id;
        let draft = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        let shown = plan(&session, &[&id], draft).await;
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [id] }))).await.ok();
        let outcome = carried_out(&session, &shown).await;
        assert!(outcome.failed[0].1.reason().contains("it is invalidated"), "{outcome:?}");
    });
}
