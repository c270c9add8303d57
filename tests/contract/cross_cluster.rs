//! Cross-cluster keys: what they need, what they are told as, who changes them, and the words of a refusal.

use keybearer::{
    client::{ClientError, CreatedKey},
    model::{
        Timestamp,
        api_key::{KeyId, KeyKind},
        create::cross_cluster::{Access, CreateCrossCluster, CrossClusterUpdate},
        time::expiry::Span,
        version::Feature,
    },
    ops::{
        connections::capabilities::{self, Capability},
        create::cross_cluster,
    },
};
use reqwest::Method;
use serde_json::{Value, json, value::RawValue};

use crate::server::{Answer, Server, by_key, checked, draft, every_server, superuser, unique};

const PATH: &str = "/_security/cross_cluster/api_key";

/// Whether there are such keys here. Where they only want a license, the trial is started.
async fn has(server: &Server) -> bool {
    if !server.has(Feature::CrossCluster) {
        return false;
    }
    let client = server.client(superuser());
    for _ in 0..50 {
        if client.license().await.unwrap().is_some_and(|license| license.allows_cross_cluster()) {
            return true;
        }
        // A fresh node has no license at all for a moment; one that had its trial says no to another.
        let asked = server.call(Method::POST, "/_license/start_trial?acknowledge=true", None).await;
        if asked.status == 403 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    server.lacks("a license for cross-cluster keys");
    false
}

async fn post(server: &Server, body: Value) -> Answer {
    server.call(Method::POST, PATH, Some(body)).await
}

async fn put(server: &Server, id: &KeyId, body: Value) -> Answer {
    server.call(Method::PUT, &format!("{PATH}/{id}"), Some(body)).await
}

async fn wanted(server: &Server, what: &str, access: &str) -> CreateCrossCluster {
    let session = server.admin().await;
    let key = checked(&session, &draft(&unique(what))).await.unwrap();
    CreateCrossCluster { key, access: Access::parse(access).unwrap(), certificate_identity: None }
}

async fn key(server: &Server, what: &str) -> CreatedKey {
    let session = server.admin().await;
    let wanted = wanted(server, what, r#"{"search":[{"names":["logs-*"]}]}"#).await;
    cross_cluster::create(&session, &wanted).await.unwrap()
}

#[test]
fn a_key_lets_another_cluster_in_and_nobody_into_rest() {
    every_server(async |server| {
        if !has(server).await {
            return;
        }
        let session = server.admin().await;
        assert!(capabilities::missing(&session, Capability::CrossCluster).is_none());
        assert!(capabilities::unlicensed(&session, Capability::CrossCluster).await.is_none());
        let access = r#"{"search":{"names":["logs-*","a"]},"replication":[{"names":"idx"}]}"#;
        let wanted = wanted(server, "both", access).await;
        let made = cross_cluster::create(&session, &wanted).await.unwrap();
        assert!(made.expires.is_some());
        let told = session.client.get_api_key(&made.id, false).await.unwrap().unwrap();
        assert_eq!(told.kind, KeyKind::CrossCluster);
        let access: Value = serde_json::from_str(told.access.as_ref().unwrap().get()).unwrap();
        assert_eq!(access["search"][0]["names"], json!(["logs-*", "a"]));
        assert_eq!(access["replication"], json!([{ "names": ["idx"], "allow_restricted_indices": false }]));
        assert!(told.metadata.unwrap().get().contains("request_id"));
        let descriptors: Value = serde_json::from_str(told.role_descriptors.as_ref().unwrap().get()).unwrap();
        let descriptor = &descriptors["cross_cluster"];
        assert_eq!(
            descriptor["cluster"],
            json!(["cross_cluster_search", "monitor_enrich", "cross_cluster_replication"])
        );
        let privileges = ["read", "read_cross_cluster", "view_index_metadata"];
        assert_eq!(descriptor["indices"][0]["privileges"], json!(privileges));
        let whole = session.client.get_api_key_with_limits(&made.id, false).await.unwrap().unwrap();
        assert!(whole.limited_by.is_none(), "no snapshot of anybody's rights");
        let error = server.client(by_key(&made)).authenticate().await.unwrap_err();
        let words = "expected API key type of [rest], but API key";
        assert!(matches!(&error, ClientError::Unauthenticated { reason } if reason.contains(words)), "{error:?}");
    });
}

#[test]
fn access_is_judged_by_the_server_too() {
    every_server(async |server| {
        if !has(server).await {
            return;
        }
        let search = json!({ "search": [{ "names": ["a"] }] });
        let limited = json!({ "names": ["a"], "query": { "match_all": {} } });
        for (body, words) in [
            (json!({ "name": "x" }), "Required [access]"),
            (json!({ "access": search }), "Required [name]"),
            (
                json!({ "name": "x", "access": {} }),
                "must specify non-empty access for either [search] or [replication]",
            ),
            (json!({ "name": "x", "access": { "search": [] } }), "must specify non-empty access"),
            (json!({ "name": "x", "access": { "search": [{}] } }), "missing required [names] field"),
            (json!({ "name": "x", "access": { "search": [{ "names": [] }] } }), "[names] cannot be an empty array"),
            (
                json!({ "name": "x", "access": { "search": [{ "names": ["a"], "privileges": ["read"] }] } }),
                "field [privileges] must not present",
            ),
            (json!({ "name": "x", "access": { "later": [] } }), "unknown field [later]"),
            (json!({ "name": "x", "access": [] }), "access doesn't support values of type: START_ARRAY"),
            (
                json!({ "name": "x", "access": { "replication": [limited] } }),
                "replication does not support document or field level security",
            ),
            (
                json!({ "name": "x", "access": { "search": [limited], "replication": [{ "names": ["b"] }] } }),
                "search does not support document or field level security if replication is assigned",
            ),
            (json!({ "name": "_x", "access": search }), "api key name may not begin with an underscore"),
            (json!({ "name": "x", "access": search, "metadata": { "_a": 1 } }), "may not start with [_]"),
            (json!({ "name": "x", "access": search, "role_descriptors": {} }), "unknown field [role_descriptors]"),
            (json!({ "name": "x", "access": search, "expiration": "soon" }), "unit is missing or unrecognized"),
            (json!([]), "Expected START_OBJECT but was: START_ARRAY"),
        ] {
            let said = post(server, body.clone()).await.refused(400);
            assert!(said.contains(words), "{body}: {said}");
        }
        let limited = post(server, json!({ "name": unique("limited"), "access": { "search": [limited] } })).await.ok();
        let told = server.get_key(&KeyId::new(limited["id"].as_str().unwrap())).await;
        assert_eq!(told["access"]["search"][0]["query"], json!({ "match_all": {} }).to_string());
    });
}

#[test]
fn users_with_little_and_keys_with_much_make_none() {
    every_server(async |server| {
        if !has(server).await {
            return;
        }
        let body = json!({ "name": "x", "access": { "search": [{ "names": ["a"] }] } });
        let (_, manager) = server.user(json!({ "cluster": ["manage_api_key", "monitor"] })).await;
        let said = server.call_as(&manager, Method::POST, PATH, Some(body.clone())).await.refused(403);
        assert!(said.contains("granted by the cluster privileges [manage_security,all]"), "{said}");
        let session = server.session(manager).await;
        let problem = capabilities::missing(&session, Capability::CrossCluster).unwrap();
        assert!(problem.detail.contains("manage_security"), "{problem}");
        let all = server.post_key(&superuser(), "", json!({ "name": unique("all") })).await;
        let said = server.call_as(&by_key(&all), Method::POST, PATH, Some(body)).await.refused(400);
        assert!(said.contains("An API key cannot be used to create a cross-cluster API key"), "{said}");
        let session = server.session(by_key(&all)).await;
        assert!(capabilities::missing(&session, Capability::CrossCluster).unwrap().detail.contains("with an API key"));
    });
}

#[test]
fn an_update_replaces_the_access_and_is_the_owners_alone() {
    every_server(async |server| {
        if !has(server).await {
            return;
        }
        let (client, id) = (server.client(superuser()), key(server, "changed").await.id);
        let replication = Access::parse(r#"{"replication":[{"names":["idx"]}]}"#).ok();
        let update = CrossClusterUpdate { access: replication, ..CrossClusterUpdate::default() };
        assert!(client.update_cross_cluster_key(&id, &update).await.unwrap());
        assert!(!client.update_cross_cluster_key(&id, &update).await.unwrap(), "the same twice is no change");
        let told = client.get_api_key(&id, false).await.unwrap().unwrap();
        assert_eq!(update.is_carried_out(&told, Timestamp::EPOCH, Timestamp::EPOCH), Some(true));
        assert!(told.metadata.unwrap().get().contains("request_id"), "what is left out stays");
        let end = CrossClusterUpdate {
            metadata: RawValue::from_string("{}".into()).ok(),
            expiration: Some(Span::days(9)),
            ..CrossClusterUpdate::default()
        };
        // A new end came for REST keys and for these at the same time.
        if server.has(Feature::UpdateExpiration) {
            assert!(client.update_cross_cluster_key(&id, &end).await.unwrap());
        }
        for (body, words) in [
            (json!({}), "for cross-cluster API keys"),
            (json!({ "expiration": "3d" }), "for cross-cluster API keys"),
            (json!({ "access": {} }), "must specify non-empty access for either [search] or [replication]"),
            (json!({ "name": "x" }), "unknown field [name]"),
            (json!({ "metadata": { "_a": 1 } }), "may not start with [_]"),
            (json!({ "metadata": {}, "expiration": "-1d" }), "API key expiration must be in the future"),
        ] {
            let said = put(server, &id, body.clone()).await.refused(400);
            assert!(said.contains(words), "{body}: {said}");
        }
        let (_, other) = server.user(json!({ "cluster": ["manage_security"] })).await;
        let path = format!("{PATH}/{id}");
        let body = json!({ "metadata": { "x": 1 } });
        let said = server.call_as(&other, Method::PUT, &path, Some(body.clone())).await.refused(404);
        assert!(said.contains("no API key owned by requesting user found"), "{said}");
        let (_, manager) = server.user(json!({ "cluster": ["manage_api_key"] })).await;
        let said = server.call_as(&manager, Method::PUT, &path, Some(body.clone())).await.refused(403);
        assert!(said.contains("cross_cluster/api_key/update") && said.contains("[manage_security,all]"), "{said}");
        let all = server.post_key(&superuser(), "", json!({ "name": unique("all") })).await;
        let said = server.call_as(&by_key(&all), Method::PUT, &path, Some(body.clone())).await.refused(400);
        assert!(said.contains("only the owner user can update an API key"), "{said}");

        let rest = server.post_key(&superuser(), "", json!({ "name": unique("rest") })).await.id;
        let said = put(server, &rest, body.clone()).await.refused(400);
        assert!(said.contains("cannot update API key of type [rest] while expected type is [cross_cluster]"), "{said}");
        let wrong =
            server.call(Method::PUT, &format!("/_security/api_key/{id}"), Some(body.clone())).await.refused(400);
        assert!(wrong.contains("of type [cross_cluster] while expected type is [rest]"), "{wrong}");
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [id] }))).await.ok();
        assert!(put(server, &id, body).await.refused(400).contains("cannot update invalidated API key"));
        let blank = client.update_cross_cluster_key(&KeyId::new(" "), &update).await;
        let nothing = client.update_cross_cluster_key(&id, &CrossClusterUpdate::default()).await;
        assert!(matches!((blank, nothing), (Err(ClientError::NotSent { .. }), Err(ClientError::NotSent { .. }))));
    });
}

#[test]
fn a_key_is_bound_to_certificates_and_let_go_again() {
    every_server(async |server| {
        if !has(server).await {
            return;
        }
        let session = server.admin().await;
        let mut wanted = wanted(server, "bound", r#"{"search":[{"names":["a"]}]}"#).await;
        wanted.certificate_identity = Some("CN=remote.*".into());
        if !server.has(Feature::CertificateIdentity) {
            let error = session.client.create_cross_cluster_key(&wanted, session.now()).await.unwrap_err();
            assert_eq!(error, ClientError::Lacks(Feature::CertificateIdentity));
            assert!(capabilities::missing(&session, Capability::CertificateIdentity).unwrap().detail.contains("9.3"));
            return;
        }
        let id = cross_cluster::create(&session, &wanted).await.unwrap().id;
        let told = async || session.client.get_api_key(&id, false).await.unwrap().unwrap().certificate_identity;
        assert_eq!(told().await.as_deref(), Some("CN=remote.*"));
        let other = CrossClusterUpdate { certificate_identity: Some(None), ..CrossClusterUpdate::default() };
        assert!(session.client.update_cross_cluster_key(&id, &other).await.unwrap());
        assert_eq!(told().await, None);
        let access = json!({ "search": [{ "names": ["a"] }] });
        for (given, words) in [(json!("["), "Must be a valid regex"), (Value::Null, "values of type: VALUE_NULL")] {
            let body = json!({ "name": "x", "access": access, "certificate_identity": given });
            let said = post(server, body).await.refused(400);
            assert!(said.contains(words), "{given}: {said}");
        }
    });
}

#[test]
fn an_old_version_has_none_and_that_is_said() {
    every_server(async |server| {
        let session = server.admin().await;
        if session.has(Feature::CrossCluster) {
            server.lacks("an older version's refusal of cross-cluster keys");
            return;
        }
        let wanted = wanted(server, "old", r#"{"search":[{"names":["a"]}]}"#).await;
        let error = session.client.create_cross_cluster_key(&wanted, session.now()).await.unwrap_err();
        assert_eq!(error, ClientError::Lacks(Feature::CrossCluster));
        assert!(capabilities::missing(&session, Capability::CrossCluster).unwrap().detail.contains("8.10"));
    });
}
