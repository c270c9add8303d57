//! Copies of keys: what they take over, who may ask, and the words of a refusal.

use keybearer::{
    client::{ClientError, CreatedKey},
    model::{
        create::clone::{self, CLONED_FROM, CloneKey},
        secret::Secret,
        time::expiry::{Expiry, Span},
        version::Feature,
    },
    ops::{
        connections::capabilities::{self, Capability},
        create::{CreateError, clone as ops_cloning},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server, by_key, every_server, superuser, unique};

const PATH: &str = "/_security/api_key/clone";

fn copy(source: &CreatedKey) -> CloneKey {
    CloneKey {
        source: source.id.clone(),
        secret: source.secret.clone(),
        name: unique("copy"),
        expiry: None,
        metadata: None,
        request_id: None,
    }
}

async fn source(server: &Server) -> CreatedKey {
    let body = json!({ "name": unique("source"), "expiration": "2d", "metadata": { "a": 1 },
                       "role_descriptors": { "r": { "cluster": ["monitor"] } } });
    server.post_key(&superuser(), "", body).await
}

async fn post(server: &Server, body: Value) -> Answer {
    server.call(Method::POST, PATH, Some(body)).await
}

#[test]
fn a_copy_is_its_source_under_another_id_name_and_secret() {
    every_server(async |server| {
        if !server.has(Feature::Clone) {
            return;
        }
        let (session, source) = (server.admin().await, source(server).await);
        let made = ops_cloning::clone(&session, &copy(&source)).await.unwrap();
        assert_ne!(made.id, source.id);
        assert_eq!(made.expires, source.expires, "the same moment, not the same span");
        let told = server.get_key(&made.id).await;
        assert_eq!(told["metadata"], json!({ "a": 1, CLONED_FROM: source.id.as_str() }));
        assert_eq!(told["role_descriptors"]["r"]["cluster"], json!(["monitor"]));
        assert_eq!(told["username"], "elastic");
        assert!(server.client(by_key(&made)).authenticate().await.is_ok());
        assert!(server.client(by_key(&source)).authenticate().await.is_ok(), "the source is as valid as before");
        let limits = |key: &CreatedKey| {
            let id = key.id.clone();
            let client = session.client.clone();
            async move { client.get_api_key_with_limits(&id, false).await.unwrap().unwrap().limited_by.unwrap() }
        };
        assert_eq!(limits(&made).await.get(), limits(&source).await.get());
    });
}

#[test]
fn end_and_metadata_can_be_others() {
    every_server(async |server| {
        if !server.has(Feature::Clone) {
            return;
        }
        let (session, source) = (server.admin().await, source(server).await);
        let never = CloneKey { expiry: Some(Expiry::Never), metadata: Some("{}".into()), ..copy(&source) };
        let made = ops_cloning::clone(&session, &never).await.unwrap();
        assert_eq!(made.expires, None);
        assert_eq!(server.get_key(&made.id).await["metadata"], json!({ CLONED_FROM: source.id.as_str() }));
        // A copy of a copy names its own source alone.
        let known = session.client.get_api_key(&made.id, false).await.unwrap().unwrap();
        let metadata = clone::metadata(&known, "r1", Some("because"));
        let again = CloneKey { expiry: Some(Expiry::In(Span::days(5))), metadata, ..copy(&made) };
        let again = ops_cloning::clone(&session, &again).await.unwrap();
        let told = server.get_key(&again.id).await;
        let expected = json!({ "reason": "because", "request_id": "r1", CLONED_FROM: made.id.as_str() });
        assert_eq!(told["metadata"], expected);
        let lasts = told["expiration"].as_i64().unwrap() - told["creation"].as_i64().unwrap();
        assert_eq!(lasts, 5 * 86_400_000);
        let found = CloneKey { request_id: Some("r1".into()), ..copy(&made) };
        let found = ops_cloning::look_for(&session, &found).await.unwrap();
        assert!(found.iter().any(|key| key.id == again.id), "by its request id it is found again");
    });
}

#[test]
fn what_can_t_be_copied_is_forbidden_and_told_why() {
    every_server(async |server| {
        if !server.has(Feature::Clone) {
            return;
        }
        let (session, good) = (server.admin().await, source(server).await);
        let dead = server.post_key(&superuser(), "", json!({ "name": unique("dead"), "expiration": "1ms" })).await;
        let gone = source(server).await;
        server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": [gone.id] }))).await.ok();
        let wrong = CloneKey { secret: Secret::new("wrongwrongwrongwrongww"), ..copy(&good) };
        for (wanted, words) in [
            (copy(&dead), "api key is expired"),
            (copy(&gone), "has been invalidated"),
            (wrong, "invalid credentials for API key"),
            (
                CloneKey { source: keybearer::model::api_key::KeyId::new("contractNoSuchKey123"), ..copy(&good) },
                "unable to find apikey",
            ),
        ] {
            let Err(CreateError::Refused(error)) = ops_cloning::clone(&session, &wanted).await else {
                panic!("{words}")
            };
            assert!(matches!(error, ClientError::Forbidden { .. }), "{error:?}");
            let problem = ops_cloning::problem(error);
            assert!(problem.title == "The key can't be cloned" && problem.detail.contains(words), "{problem}");
        }
    });
}

#[test]
fn what_is_missing_or_odd_is_refused() {
    every_server(async |server| {
        if !server.has(Feature::Clone) {
            return;
        }
        let good = source(server).await;
        let encoded = keybearer::model::connections::login::encode(good.id.as_str(), &good.secret);
        let encoded = encoded.expose();
        for (body, words) in [
            (json!({ "api_key": encoded }), "api key name is required"),
            (json!({ "name": "x" }), "api key credential is required"),
            (json!({ "api_key": "", "name": "x" }), "api key credential is required"),
            (json!({ "api_key": "!!", "name": "x" }), "invalid API key credential: Illegal base64 character 21"),
            (json!({ "api_key": "YWJj", "name": "x" }), "invalid API key credential: invalid ApiKey value"),
            (json!({ "api_key": encoded, "name": "_x" }), "may not begin with an underscore"),
            (json!({ "api_key": encoded, "name": "x", "metadata": { "_a": 1 } }), "may not start with [_]"),
            (json!({ "api_key": encoded, "name": "x", "metadata": null }), "values of type: VALUE_NULL"),
            (json!({ "api_key": encoded, "name": "x", "expiration": "soon" }), "unit is missing or unrecognized"),
            (json!({ "api_key": encoded, "name": "x", "role_descriptors": {} }), "unknown field [role_descriptors]"),
            (json!({ "api_key": 3, "name": "x" }), "values of type: VALUE_NUMBER"),
            (json!([]), "Expected START_OBJECT but was: START_ARRAY"),
        ] {
            let said = post(server, body.clone()).await.refused(400);
            assert!(said.contains(words), "{words}: {said}");
        }
    });
}

#[test]
fn the_owner_stays_whoever_copies_and_who_may_not_is_told_the_privilege() {
    every_server(async |server| {
        if !server.has(Feature::Clone) {
            return;
        }
        let (owner, owner_login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let own = server.post_key(&owner_login, "", json!({ "name": unique("own") })).await;
        let (_, cloner) = server.user(json!({ "cluster": ["clone_api_key"] })).await;
        let session = server.session(cloner).await;
        assert!(capabilities::missing(&session, Capability::Clone).is_none());
        let made = ops_cloning::clone(&session, &copy(&own)).await.unwrap();
        assert_eq!(server.get_key(&made.id).await["username"], owner);
        assert!(ops_cloning::look_for(&session, &copy(&own)).await.is_err(), "it can't see what it made");
        let session = server.session(owner_login).await;
        assert!(capabilities::missing(&session, Capability::Clone).unwrap().detail.contains("clone_api_key"));
        let Err(CreateError::Refused(error)) = ops_cloning::clone(&session, &copy(&own)).await else { panic!() };
        let allowed = |privileges: &[String]| privileges.iter().any(|name| name == "clone_api_key");
        assert!(matches!(&error, ClientError::Forbidden { privileges, .. } if allowed(privileges)), "{error:?}");
    });
}

#[test]
fn a_version_without_copies_says_so() {
    every_server(async |server| {
        let session = server.admin().await;
        if session.has(Feature::Clone) {
            server.lacks("an older version's refusal of copies");
            return;
        }
        let source = server.post_key(&superuser(), "", json!({ "name": unique("old") })).await;
        let error = session.client.clone_api_key(&copy(&source), session.now()).await.unwrap_err();
        // 7.10.2 takes the path for another call's, and complains of that call's parameters.
        let is_told = error == ClientError::Lacks(Feature::Clone) || server.version.major == 7;
        assert!(is_told && !error.is_answer_lost(), "{error:?}");
        assert!(capabilities::missing(&session, Capability::Clone).unwrap().detail.contains("9.4"));
    });
}
