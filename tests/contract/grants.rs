//! Keys for other users: whose they are, what they may do, who may ask, and the words of a refusal.

use keybearer::{
    client::ClientError,
    model::{
        create::{
            Draft, RightsChoice,
            grant::{Credential, Grant},
        },
        secret::Secret,
        version::{Feature, Version},
    },
    ops::{
        connections::capabilities::{self, Capability},
        create::{CreateError, grant},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox_equal::trial;
use crate::server::{Answer, Server, by_key, checked, draft, every_server, superuser, unique};

const PATH: &str = "/_security/api_key/grant";
const PASSWORD: &str = "contract-password";

async fn post(server: &Server, body: Value) -> Answer {
    server.call(Method::POST, PATH, Some(body)).await
}

async fn wanted(server: &Server, user: &str, password: &str, draft: &Draft) -> Grant {
    let session = server.admin().await;
    let credential = Credential::Password { username: user.into(), password: Secret::new(password) };
    Grant { credential, run_as: None, key: checked(&session, draft).await.unwrap() }
}

#[test]
fn the_key_is_the_other_users_who_needs_no_privilege_for_it() {
    every_server(async |server| {
        let (user, _) = server.user(json!({ "cluster": ["monitor"] })).await;
        let (_, granter) = server.user(json!({ "cluster": ["grant_api_key"] })).await;
        let all = Draft { rights: RightsChoice::AllMine, reason: "contract".into(), ..draft(&unique("granted")) };
        let wanted = wanted(server, &user, PASSWORD, &all).await;
        let session = server.session(granter).await;
        assert!(capabilities::missing(&session, Capability::Grant).is_none());
        let made = grant::grant(&session, &wanted).await.unwrap();
        assert!(made.expires.is_some());
        // Visible at once, since it waits for that.
        let told = server.admin().await.client.get_api_key(&made.id, false).await.unwrap().unwrap();
        assert_eq!(told.owner.username, user);
        let may = server.client(by_key(&made));
        assert_eq!(may.authenticate().await.unwrap().username, user);
        let has = may.has_cluster_privileges(&["monitor", "manage"]).await.unwrap();
        assert_eq!((has.has("monitor"), has.has("manage")), (Some(true), Some(false)), "its owner's rights, no more");
    });
}

#[test]
fn a_wrong_credential_is_forbidden_and_told_as_what_it_is() {
    every_server(async |server| {
        let (user, _) = server.user(json!({ "cluster": ["monitor"] })).await;
        let session = server.admin().await;
        for (name, password) in [(user.as_str(), "wrong-password"), ("contract-nobody", PASSWORD)] {
            let wanted = wanted(server, name, password, &draft(&unique("refused"))).await;
            let Err(CreateError::Refused(error)) = grant::grant(&session, &wanted).await else { panic!("{name}") };
            assert!(matches!(error, ClientError::Forbidden { .. }), "{error:?}");
            let problem = grant::problem(error, &wanted);
            assert!(problem.title.contains(&format!("The sign-in of {name} was refused")), "{problem}");
            assert!(!problem.words().contains(password));
        }
        server.call(Method::PUT, &format!("/_security/user/{user}/_disable"), None).await.ok();
        let wanted = wanted(server, &user, PASSWORD, &draft(&unique("disabled"))).await;
        let Err(CreateError::Refused(error)) = grant::grant(&session, &wanted).await else { panic!() };
        assert!(grant::problem(error, &wanted).title.contains("was refused"));
        let token = Grant { credential: Credential::Token(Secret::new("no-such-token")), ..wanted };
        let Err(CreateError::Refused(error)) = grant::grant(&session, &token).await else { panic!() };
        let title = grant::problem(error, &token).title;
        // 7.10.2 asks for the license of tokens first.
        let by_license = title == "The license of this cluster does not allow this" && server.version.major == 7;
        assert!(by_license || title == "The sign-in of the other user was refused", "{title}");
    });
}

#[test]
fn what_is_missing_or_too_much_is_refused() {
    every_server(async |server| {
        let (user, _) = server.user(json!({ "cluster": ["monitor"] })).await;
        let key = json!({ "name": unique("wrong") });
        let by_password = json!({ "grant_type": "password", "username": user, "password": PASSWORD });
        let with = |more: Value| {
            let mut body = by_password.clone();
            body["api_key"] = key.clone();
            for (name, value) in more.as_object().unwrap() {
                match value {
                    Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
                    value => body[name] = value.clone(),
                }
            }
            body
        };
        for (more, words) in [
            (json!({ "password": null }), "[password] is required for grant_type [password]"),
            (json!({ "password": "" }), "[password] is required for grant_type [password]"),
            (json!({ "username": null }), "[username] is required for grant_type [password]"),
            (json!({ "grant_type": null }), "[grant_type] is required"),
            (json!({ "grant_type": "odd" }), "grant_type [odd] is not supported"),
            (json!({ "access_token": "x" }), "[access_token] is not supported for grant_type [password]"),
            (json!({ "api_key": null }), "api key name is required"),
            (json!({ "later": 1 }), "unknown field [later]"),
            (json!({ "api_key": { "name": "_x" } }), "api key name may not begin with an underscore"),
            (json!({ "api_key": { "name": "x", "later": 1 } }), "unknown field [later]"),
            (json!({ "api_key": { "name": "x", "expiration": "soon" } }), "unit is missing or unrecognized"),
        ] {
            let said = post(server, with(more.clone())).await.refused(400);
            assert!(said.contains(words), "{more}: {said}");
        }
        let token = json!({ "grant_type": "access_token", "api_key": key });
        let said = post(server, token).await.refused(400);
        assert!(said.contains("[access_token] is required for grant_type [access_token]"), "{said}");
    });
}

#[test]
fn who_may_not_grant_is_told_the_privilege_and_a_key_may() {
    every_server(async |server| {
        let (user, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let body = json!({ "grant_type": "password", "username": user, "password": PASSWORD,
                           "api_key": { "name": unique("by") } });
        let answer = server.call_as(&login, Method::POST, PATH, Some(body.clone())).await;
        // 7.10.2 trips over its own privilege; whoever has none for keys at all is told as by the others.
        let words = if server.version.major == 7 { "only supports API key requests" } else { "grant_api_key" };
        let said = answer.refused(if server.version.major == 7 { 400 } else { 403 });
        assert!(said.contains(words), "{said}");
        let session = server.session(login).await;
        assert!(capabilities::missing(&session, Capability::Grant).unwrap().detail.contains("grant_api_key"));
        let all = server.post_key(&superuser(), "", json!({ "name": unique("all") })).await;
        let made = server.call_as(&by_key(&all), Method::POST, PATH, Some(body)).await.ok();
        assert_eq!(
            server.get_key(&keybearer::model::api_key::KeyId::new(made["id"].as_str().unwrap())).await["username"],
            user
        );
    });
}

#[test]
fn the_other_user_acts_as_a_third_one_who_may_not_be_anybody() {
    every_server(async |server| {
        if !server.has(Feature::Query) {
            return server.lacks("acting as a third one in a grant");
        }
        let (third, _) = server.user(json!({ "cluster": ["monitor"] })).await;
        let (second, _) = server.user(json!({ "cluster": ["monitor"], "run_as": [third] })).await;
        let session = server.admin().await;
        let mut wanted = wanted(server, &second, PASSWORD, &draft(&unique("third"))).await;
        wanted.run_as = Some(third.clone());
        let made = grant::grant(&session, &wanted).await.unwrap();
        assert_eq!(server.get_key(&made.id).await["username"], third);
        wanted.run_as = Some("elastic".into());
        let Err(CreateError::Refused(error)) = grant::grant(&session, &wanted).await else { panic!() };
        let problem = grant::problem(error, &wanted);
        assert_eq!(problem.title, "You don’t have permission to run as that user", "{problem}");
    });
}

#[test]
fn a_token_of_the_other_user_is_as_good_as_the_password() {
    every_server(async |server| {
        let (user, _) = server.user(json!({ "cluster": ["monitor"] })).await;
        let ask = json!({ "grant_type": "password", "username": user, "password": PASSWORD });
        let licensed = server.version >= Version::new(8, 0, 0);
        if licensed {
            trial(server).await;
        }
        let answer = server.call(Method::POST, "/_security/oauth2/token", Some(ask)).await;
        if server.name == "the sandbox" {
            let words = answer.refused(400);
            assert!(words.contains("The practice cluster does not do"), "{words}");
            return server.lacks("tokens");
        }
        if !licensed && answer.status != 200 {
            return server.lacks("tokens under this license");
        }
        let token = Secret::new(answer.ok()["access_token"].as_str().unwrap());
        let wanted = wanted(server, &user, PASSWORD, &draft(&unique("token"))).await;
        let wanted = Grant { credential: Credential::Token(token), ..wanted };
        let made = grant::grant(&server.admin().await, &wanted).await.unwrap();
        assert_eq!(server.get_key(&made.id).await["username"], user);
    });
}
