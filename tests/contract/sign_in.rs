//! Who answers, who one is, and every way of being refused at the door.

use std::time::Duration;

use keybearer::{
    client::ClientError,
    model::{
        connections::login::{self, Login},
        secret::Secret,
        version::{Edition, Version},
    },
    ops,
};
use reqwest::Method;
use serde_json::json;

use crate::server::{Server, by_key, create, draft, every_server, password, superuser, unique};

/// The versions that tell why a key is refused (7.10 doesn't).
fn says_why(server: &Server) -> bool {
    let says = server.version > Version::new(7, 14, 0);
    if !says {
        server.lacks("the reason why a key is refused");
    }
    says
}

#[track_caller]
fn refusal(result: Result<impl std::fmt::Debug, ClientError>) -> String {
    match result {
        Err(ClientError::Unauthenticated { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_says_what_it_is() {
    every_server(async |server| {
        let info = server.client(superuser()).info().await.unwrap();
        assert_eq!(info.edition, Edition::Version(server.version));
        assert!(!info.name.is_empty() && !info.uuid.is_empty() && !info.node.is_empty());

        let answer = server.call(Method::GET, "/", None).await;
        assert_eq!(answer.body["tagline"], "You Know, for Search");
        let product = answer.headers.get("x-elastic-product").map(|value| value.to_str().unwrap());
        if server.version < Version::new(7, 14, 0) {
            server.lacks("the header X-Elastic-Product");
        } else {
            assert_eq!(product, Some("Elasticsearch"));
        }
    });
}

#[test]
fn a_user_signs_in_by_password() {
    every_server(async |server| {
        let (name, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let identity = server.client(login).authenticate().await.unwrap();
        assert_eq!(identity.username, name);
        assert_eq!(identity.way(), "password");
        assert_eq!(identity.realm, "default_native");
        assert_eq!(identity.roles.len(), 1);
        assert_eq!(identity.api_key, None);
    });
}

#[test]
fn a_key_signs_in_by_id_and_secret_and_encoded() {
    every_server(async |server| {
        let key = create(&server.admin().await, &draft(&unique("key"))).await;
        let identity = server.client(by_key(&key)).authenticate().await.unwrap();
        assert_eq!(identity.username, "elastic");
        assert_eq!(identity.way(), "API key");
        let session = server.session(by_key(&key)).await;
        assert_eq!(session.own_key(), Some(&key.id));

        let encoded = login::encode(key.id.as_str(), &key.secret);
        let login = Login::from_api_key_text(encoded.expose()).unwrap();
        assert_eq!(server.client(login).authenticate().await.unwrap(), identity);
        if server.version < Version::new(7, 14, 0) {
            server.lacks("the name of the key in the answer to who one is");
        } else {
            assert_eq!(identity.api_key, Some((key.id, key.name)));
        }
    });
}

#[test]
fn strangers_and_wrong_passwords_are_refused_with_a_challenge() {
    every_server(async |server| {
        let answer = server.answer(server.stranger(Method::GET, "/_security/_authenticate")).await;
        let challenges: Vec<_> =
            answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(challenges.contains(&"ApiKey"), "{challenges:?}");
        assert!(challenges.iter().any(|challenge| challenge.starts_with("Basic ")), "{challenges:?}");
        assert!(answer.headers.get("x-elastic-product").is_none());
        let words = answer.refused(401);
        assert!(words.contains("missing authentication credentials for REST request [/_security/_authenticate]"));

        for login in [password("elastic", "wrong"), password(&unique("nobody"), "whatever")] {
            let reason = refusal(server.client(login.clone()).authenticate().await);
            let Login::Password { username, .. } = login else { unreachable!() };
            assert!(reason.contains(&format!("unable to authenticate user [{username}]")), "{reason}");
        }
    });
}

#[test]
fn a_key_that_is_wrong_unknown_or_invalidated_is_refused_by_name() {
    every_server(async |server| {
        let admin = server.admin().await;
        let key = create(&admin, &draft(&unique("key"))).await;
        let id = key.id.as_str().to_owned();
        let tried = async |id: &str, secret: &str| {
            let login = Login::ApiKey { id: id.into(), secret: Secret::new(secret) };
            refusal(server.client(login).authenticate().await)
        };
        let wrong = tried(&id, "AAAAAAAAAAAAAAAAAAAAAA").await;
        let unknown = tried("AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA").await;
        admin.client.invalidate(std::slice::from_ref(&key.id), false).await.unwrap();
        let invalidated = tried(&id, key.secret.expose()).await;
        if says_why(server) {
            assert_eq!(wrong, format!("API key: invalid credentials for API key [{id}]"));
            assert_eq!(unknown, "API key: unable to find apikey with id AAAAAAAAAAAAAAAAAAAA");
            assert_eq!(invalidated, format!("API key: api key [{id}] has been invalidated"));
        }
    });
}

#[test]
fn a_key_is_refused_once_it_has_expired() {
    every_server(async |server| {
        let mut soon = draft(&unique("key"));
        soon.expiration = "3s".into();
        let key = create(&server.admin().await, &soon).await;
        let client = server.client(by_key(&key));
        client.authenticate().await.unwrap();
        tokio::time::sleep(Duration::from_millis(3200)).await;
        let reason = refusal(client.authenticate().await);
        if says_why(server) {
            assert_eq!(reason, "API key: api key is expired");
        }
        let shown = server.admin().await.client.get_api_key(&key.id, false).await.unwrap().unwrap();
        assert_eq!(shown.expires, key.expires);
        assert!(!shown.invalidated);
    });
}

#[test]
fn what_is_no_key_at_all_is_refused_too() {
    every_server(async |server| {
        for header in
            ["ApiKey !!!", "ApiKey bm8tY29sb24=", "ApiKey essu_YTpi", "Bearer nothing", "Basic !", "Nonsense x"]
        {
            let request = server.stranger(Method::GET, "/_security/_authenticate").header("authorization", header);
            server.answer(request).await.refused(401);
        }
    });
}

#[test]
fn someone_with_the_privilege_acts_for_another() {
    every_server(async |server| {
        let (other, _) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let (agent, login) = server.user(json!({ "run_as": [other] })).await;
        let mut endpoint = server.endpoint(login.clone());
        endpoint.run_as = Some(other.clone());
        let session = ops::connections::connect::connect(&endpoint).await.unwrap();
        assert_eq!(session.identity.username, other);

        let key = create(&session, &draft(&unique("key"))).await;
        assert_eq!(server.get_key(&key.id).await["username"], other.as_str());

        endpoint.run_as = Some("elastic".into());
        match ops::connections::connect::connect(&endpoint).await {
            Err(problem) => assert!(!problem.title.is_empty()),
            Ok(session) => panic!("{agent} became {}", session.identity.username),
        }
        let request = server.request(&login, Method::GET, "/_security/_authenticate");
        let answer = server.answer(request.header("es-security-runas-user", "elastic")).await;
        let words = answer.refused(403);
        // 7.10 says it in other words.
        assert!(words.contains("unauthorized") && words.contains("run as [elastic]"), "{words}");
    });
}
