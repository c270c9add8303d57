//! What a key can do: what is worked out from its descriptors and its owner's snapshot, judged by what the server
//! answers to whoever signs in by the key. And what is said of a secret that somebody has.

use keybearer::{
    model::{
        TimeDelta, Timestamp,
        connections::login,
        privileges::{CLUSTER, INDICES},
        rights::{Certainty, Verdict, compare::OwnerNow},
        secret::Secret,
        secret_text,
        version::Feature,
    },
    ops::{
        keys::effective_privileges,
        secret::identify::{self, Asked, Checked, Looked, Validity, Why},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, by_key, every_server, password, superuser, unique};

fn owners() -> Vec<Value> {
    vec![
        json!({ "cluster": ["manage_own_api_key", "monitor"],
            "indices": [{ "names": ["logs-*", "my_index"], "privileges": ["all"] }] }),
        json!({ "cluster": ["manage_security"],
            "indices": [{ "names": ["*"], "privileges": ["read", "view_index_metadata"] }, { "names": ["*-eu"], "privileges": ["write"] }] }),
        json!({ "cluster": ["manage_own_api_key", "manage_ml", "manage_pipeline", "cluster:monitor/main"],
            "indices": [{ "names": ["/logs-[a-f].*/"], "privileges": ["manage"] },
                { "names": ["logs-*"], "privileges": ["create_doc", "index", "delete", "maintenance"] }] }),
        json!({ "cluster": ["all"], "indices": [{ "names": ["*"], "privileges": ["all"] }] }),
    ]
}

fn descriptors() -> Vec<Value> {
    let one = |descriptor: Value| json!({ "r": descriptor });
    vec![
        json!({}),
        one(json!({})),
        one(json!({ "cluster": ["all"], "indices": [{ "names": ["*"], "privileges": ["all"] }] })),
        one(json!({ "cluster": ["monitor", "manage_api_key", "read_pipeline"],
            "indices": [{ "names": ["logs-app-*", "my_index"], "privileges": ["read", "view_index_metadata"] }] })),
        one(json!({ "cluster": ["manage_index_templates"] })),
        one(json!({ "cluster": ["manage_ingest_pipelines", "manage_own_api_key"],
            "indices": [{ "names": ["logs-*"], "privileges": ["write", "create_index"] }, { "names": ["*-eu"], "privileges": ["monitor", "read"] }] })),
        json!({ "a": { "cluster": ["cluster:monitor/*"], "indices": [{ "names": ["logs-a*"], "privileges": ["create_doc"] }] },
            "b": { "cluster": ["manage"], "indices": [{ "names": ["other", "l?gs-*"], "privileges": ["manage", "indices:data/read/search"] }] } }),
    ]
}

const NAMES: [&str; 9] = ["logs-*", "logs-a-eu", "logs-app-1", "my_index", "other", "*", "*-eu", "logs-app-*", "l*"];

/// How often an answer was known, and how often not.
#[derive(Default)]
struct Tally {
    known: usize,
    not_known: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn judge(&mut self, answer: Certainty, truth: &Value, what: &str) {
        let said = match answer {
            Certainty::Yes => true,
            Certainty::No => false,
            Certainty::NotKnown => return self.not_known += 1,
        };
        if *truth != said {
            self.wrong.push(format!("{what}: said {said}, is {truth}"));
        }
        self.known += 1;
    }
}

#[test]
fn what_a_key_can_do_is_what_the_server_grants_to_it() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let admin = server.admin().await;
        let known = admin.client.builtin_privileges().await.unwrap();
        let of = |all: &[&str], known: &[String]| -> Vec<String> {
            known.iter().filter(|name| *name != "none" && all.contains(&name.as_str())).cloned().collect()
        };
        let (cluster, index) = (of(CLUSTER, &known.cluster), of(INDICES, &known.index));
        let question = json!({ "cluster": cluster, "index": [{ "names": NAMES, "privileges": index }] });
        let (mut on_cluster, mut on_indices) = (Tally::default(), Tally::default());
        for owner in owners() {
            let (_, login) = server.user(owner.clone()).await;
            for assigned in descriptors() {
                let body = json!({ "name": unique("rights"), "role_descriptors": assigned });
                let key = server.post_key(&login, "", body).await;
                let told = effective_privileges::of(&admin, &key.id).await.unwrap().unwrap().rights;
                let path = "/_security/user/_has_privileges";
                let truth = server.call_as(&by_key(&key), Method::POST, path, Some(question.clone())).await.ok();
                for name in &cluster {
                    let what = format!("{name} with {assigned} of {owner}");
                    on_cluster.judge(told.may(name), &truth["cluster"][name], &what);
                }
                for name in NAMES {
                    for privilege in &index {
                        let what = format!("{privilege} on {name} with {assigned} of {owner}");
                        on_indices.judge(told.may_on(name, privilege), &truth["index"][name][privilege], &what);
                    }
                }
            }
        }
        for (what, tally) in [("cluster", &on_cluster), ("index", &on_indices)] {
            assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
            let all = tally.known + tally.not_known;
            assert!(tally.known * 2 > all, "{what}: of {all} answers {} are not known", tally.not_known);
        }
    });
}

#[test]
fn the_owner_of_then_and_of_today_are_told_apart() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let admin = server.admin().await;
        let then = json!({ "cluster": ["manage_own_api_key", "monitor"], "indices": [{ "names": ["a-*"], "privileges": ["read", "write"] }] });
        let role = server.role(then).await;
        let name = unique("drifting");
        let user = json!({ "password": "contract-password", "roles": [role] });
        server.call(Method::PUT, &format!("/_security/user/{name}"), Some(user)).await.ok();
        let login = password(&name, "contract-password");
        let key = server.post_key(&login, "", json!({ "name": unique("drift") })).await;
        let sentences = async || {
            let told = effective_privileges::of(&admin, &key.id).await.unwrap().unwrap();
            assert_eq!(told.rights.verdict, Verdict::Unrestricted);
            told.owner.unwrap().sentences()
        };
        assert_eq!(sentences().await, ["Its owner still has the same privileges"]);

        let now = json!({ "cluster": ["manage_own_api_key", "monitor", "manage_ilm"], "indices": [{ "names": ["a-*"], "privileges": ["read"] }] });
        server.call(Method::PUT, &format!("/_security/role/{role}"), Some(now)).await.ok();
        let drifted = sentences().await;
        assert!(drifted[0].ends_with("kept by the key: adds, changes and deletes documents in a-*"), "{drifted:?}");
        assert!(drifted[1].ends_with("until it is updated again: has manage_ilm on the cluster"), "{drifted:?}");

        server.call(Method::PUT, &format!("/_security/user/{name}/_disable"), None).await.ok();
        assert!(sentences().await[0].starts_with("Its owner is disabled"));
        server.call(Method::DELETE, &format!("/_security/role/{role}"), None).await.ok();
        assert!(sentences().await[1].contains("the cluster does not show the roles"));
        server.call(Method::DELETE, &format!("/_security/user/{name}"), None).await.ok();
        let told = effective_privileges::of(&admin, &key.id).await.unwrap().unwrap();
        assert_eq!(told.owner, Some(OwnerNow::Gone));
        // And the key works on.
        assert!(server.client(by_key(&key)).authenticate().await.is_ok());
    });
}

#[test]
fn who_sees_only_own_keys_is_told_what_is_not_known() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let (_, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let session = server.session(login.clone()).await;
        let rights_of = json!({ "name": unique("own"), "role_descriptors": { "r": { "cluster": ["monitor"] } } });
        let key = server.post_key(&login, "", rights_of).await;
        let told = effective_privileges::of(&session, &key.id).await.unwrap().unwrap();
        assert_eq!(told.rights.verdict, Verdict::NothingLeft);
        let OwnerNow::NotKnown(why) = told.owner.unwrap() else { panic!() };
        assert!(why.contains("read_security"), "{why}");

        // Signed in by the key itself one sees the key, and not its owner's rights.
        let session = server.session(by_key(&key)).await;
        let told = effective_privileges::of(&session, &key.id).await.unwrap().unwrap();
        assert!(!told.rights.limit_is_known);
        assert_eq!(told.rights.verdict, Verdict::Some);
    });
}

async fn check(server: &Server, text: String, asked: &Asked) -> Checked {
    let admin = server.admin().await;
    let candidates = secret_text::read(&Secret::new(text)).unwrap();
    identify::check(Ok(&admin), (&server.endpoint(superuser()), &Default::default()), &candidates, asked).await.unwrap()
}

fn why(checked: &Checked) -> Option<Why> {
    match checked.validity {
        Validity::Refused { why, .. } => Some(why),
        _ => None,
    }
}

#[test]
fn a_secret_is_told_to_be_valid_or_why_it_is_not() {
    every_server(async |server| {
        let tells = server.version.major > 7;
        let told = |reason| Some(if tells { reason } else { Why::NotTold });
        let rights =
            json!({ "r": { "cluster": ["monitor"], "indices": [{ "names": ["a-*"], "privileges": ["read"] }] } });
        let key =
            server.post_key(&superuser(), "", json!({ "name": unique("held"), "role_descriptors": rights })).await;
        let encoded = login::encode(key.id.as_str(), &key.secret);
        let asked = Asked {
            cluster: vec!["monitor".into(), "manage_security".into()],
            indices: vec!["a-1".into(), "b".into()],
            privileges: vec!["read".into()],
        };
        let checked = check(server, format!("Authorization: ApiKey {}", encoded.expose()), &asked).await;
        assert!(matches!(&checked.validity, Validity::Valid { identity, .. } if identity.username == "elastic"));
        let answers: Vec<bool> = checked.answers.iter().map(|answer| answer.granted).collect();
        assert_eq!(answers, [true, false, true, false]);
        assert!(matches!(&checked.key, Looked::Found(found) if found.key.name == key.name) && !checked.is_enough());
        assert!(checked.tried.secret.is_empty(), "nothing is kept");

        let unknown = Asked { cluster: vec!["of_the_future".into()], ..Asked::default() };
        let raw = format!("{}:{}", key.id, key.secret.expose());
        let checked = check(server, raw.clone(), &unknown).await;
        assert!(checked.unanswered.is_some() || !tells, "7.10 takes any name");

        let none = Asked::default();
        let wrong = check(server, format!("{}:{}", key.id, "x".repeat(22)), &none).await;
        assert_eq!(why(&wrong), told(Why::WrongSecret));
        assert!(matches!(wrong.key, Looked::Found(_)));
        assert!(
            wrong.reason(Timestamp::EPOCH).unwrap().contains("not its secret"),
            "{:?}",
            wrong.reason(Timestamp::EPOCH)
        );
        let foreign = check(server, format!("VuaCfGcBCdbkQm-e5aOx:{}", key.secret.expose()), &none).await;
        assert_eq!(why(&foreign), told(Why::Unknown));
        assert!(matches!(foreign.key, Looked::Missing));
        // Of two keys the one that there is is told of.
        let both = check(server, format!("VuaCfGcBCdbkQm-e5aOx:{}\n{raw}", "y".repeat(22)), &none).await;
        assert_eq!(
            (both.tried.id.as_str(), both.others),
            (if tells { key.id.as_str() } else { "VuaCfGcBCdbkQm-e5aOx" }, 1)
        );

        let admin = server.admin().await;
        admin.client.invalidate(std::slice::from_ref(&key.id), false).await.unwrap();
        let gone = check(server, raw, &none).await;
        assert_eq!(why(&gone), told(Why::Invalidated));
        assert!(gone.reason(admin.now()).unwrap().contains("was invalidated"));
        let dead = server.post_key(&superuser(), "", json!({ "name": unique("dead"), "expiration": "1ms" })).await;
        let dead = check(server, format!("{}:{}", dead.id, dead.secret.expose()), &none).await;
        assert_eq!(why(&dead), told(Why::Expired));
        assert!(dead.reason(admin.now() + TimeDelta::SECOND).unwrap().contains("has expired"));
    });
}

#[test]
fn a_key_that_is_restricted_to_a_workflow_signs_in_all_the_same() {
    every_server(async |server| {
        if !server.has(Feature::Restriction) {
            return;
        }
        let rights = json!({ "r": { "indices": [{ "names": ["a"], "privileges": ["read"] }],
            "restriction": { "workflows": ["search_application_query"] } } });
        let key =
            server.post_key(&superuser(), "", json!({ "name": unique("inside"), "role_descriptors": rights })).await;
        let checked = check(server, format!("{}:{}", key.id, key.secret.expose()), &Asked::default()).await;
        assert!(matches!(checked.validity, Validity::Valid { .. }), "{:?}", checked.validity);
        let Looked::Found(found) = checked.key else { panic!() };
        assert!(found.rights.in_one_line().starts_with("Only inside the workflow search_application_query"));
    });
}
