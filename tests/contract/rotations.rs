//! Rotations from the plan to the proof: that a server takes back what it tells of a key, and whose it is then.

use keybearer::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        connections::login::Login,
        rotation::{Destination, Ended, KeyState, Lineage, State, Tried},
        version::Feature,
    },
    ops::{
        Fix, Session,
        rotation::{self, Consent, Rights, RotationOptions, RotationProgress},
    },
    store::rotation::{RotationGuard, Rotations},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, every_server, password, superuser, unique};

struct Rotated {
    held: RotationGuard,
    news: Vec<String>,
    new: KeyId,
    how: Ended,
    _folder: tempfile::TempDir,
}

/// Rotates without a grace period, the secret never leaving memory.
async fn rotated(session: &Session, old: &KeyId, consent: Consent) -> Rotated {
    let folder = tempfile::tempdir().unwrap();
    let rotations = Rotations::at(folder.path().to_owned());
    let plan = rotation::plan(session, &[], old, &RotationOptions::default())
        .await
        .unwrap_or_else(|problem| panic!("{}", problem.words()));
    let mut held = rotation::begin(&rotations, &plan, consent, Destination::Screen, None).unwrap();
    let mut news = Vec::new();
    let mut tell = |one: RotationProgress| news.push(one.words());
    let made =
        rotation::make(session, &mut held, &mut tell).await.unwrap_or_else(|problem| panic!("{}", problem.words()));
    rotation::hand_over_begins(&mut held).unwrap();
    rotation::handed_over(&mut held).unwrap();
    rotation::try_it(session, &mut held, &made.created.secret)
        .await
        .unwrap_or_else(|problem| panic!("{}", problem.words()));
    let how =
        rotation::end(session, &mut held, &mut tell).await.unwrap_or_else(|problem| panic!("{}", problem.words()));
    Rotated { held, news, new: made.created.id, how, _folder: folder }
}

async fn with_limits(server: &Server, id: &KeyId) -> Value {
    let path = format!("/_security/api_key?id={id}&with_limited_by=true");
    server.call(Method::GET, &path, None).await.ok()["api_keys"][0].clone()
}

#[test]
fn a_rotated_key_has_the_rights_and_the_metadata_of_the_one_before() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let mut kinds = vec![
            json!({ "r": { "cluster": ["monitor"], "run_as": ["nobody"], "metadata": { "a": [1] },
                           "applications": [{ "application": "app-x", "privileges": ["read"], "resources": ["*"] }],
                           "indices": [{ "names": ["logs-*", "/a.*/"], "privileges": ["read", "view_index_metadata"],
                                         "allow_restricted_indices": false }] },
                    "none": {} }),
            json!({}),
        ];
        if server.has(Feature::Restriction) {
            let read = json!([{ "names": ["a"], "privileges": ["read"] }]);
            kinds.push(
                json!({ "w": { "indices": read, "restriction": { "workflows": ["search_application_query"] } } }),
            );
        }
        let session = server.admin().await;
        for descriptors in kinds {
            let metadata = json!({ "application_id": "app", "n": { "x": [1, "two"] }, "request_id": "before" });
            let body = json!({ "name": unique("rotated"), "expiration": "2d", "role_descriptors": descriptors,
                               "metadata": metadata });
            let old = server.post_key(&superuser(), "", body).await.id;
            let before = with_limits(server, &old).await;
            let done = rotated(&session, &old, Consent::default()).await;
            let after = with_limits(server, &done.new).await;
            for same in ["name", "role_descriptors", "limited_by", "username", "realm"] {
                assert_eq!(before[same], after[same], "{same} of {descriptors}");
            }
            assert_eq!(after["metadata"]["n"], metadata["n"]);
            assert_eq!(after["metadata"]["rotated_from"], old.as_str());
            assert_eq!(after["metadata"]["request_id"], done.held.rotation.request());
            let ended = with_limits(server, &old).await;
            assert_eq!((&ended["invalidated"], done.how), (&json!(true), Ended::Invalidated));
            assert_eq!(ended["metadata"]["rotated_to"], done.new.as_str(), "{:?}", done.news);
            assert_eq!(done.held.rotation.lineage, Lineage::Written);
            assert!(done.news.iter().any(|words| words.contains("by the same owner privileges")), "{:?}", done.news);
        }
    });
}

#[test]
fn who_may_manage_their_own_keys_rotates_them_and_new_rights_are_told() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let role = server.role(json!({ "cluster": ["manage_own_api_key", "monitor"] })).await;
        let name = unique("own");
        let user = json!({ "password": "contract-password", "roles": [role] });
        server.call(Method::PUT, &format!("/_security/user/{name}"), Some(user)).await.ok();
        let login: Login = password(&name, "contract-password");
        let body = json!({ "name": unique("own"), "expiration": "1d", "role_descriptors": { "r": { "cluster": ["monitor"] } } });
        let old = server.post_key(&login, "", body).await.id;
        let less = json!({ "cluster": ["manage_own_api_key"] });
        server.call(Method::PUT, &format!("/_security/role/{role}"), Some(less)).await.ok();
        let session = server.session(login).await;
        let done = rotated(&session, &old, Consent::default()).await;
        assert!(
            done.news.iter().any(|words| words.contains("different privileges than the old key")),
            "{:?}",
            done.news
        );
        assert!(
            matches!(&done.held.rotation.lineage, Lineage::NotWritten { why } if why.contains("which differ from"))
        );
        let ended = with_limits(server, &old).await;
        assert!(ended["invalidated"] == true && ended["metadata"].get("rotated_to").is_none(), "{ended}");
        assert!(ended["limited_by"].to_string().contains("monitor"), "the old key kept the rights it had");
    });
}

#[test]
fn another_owner_needs_an_extra_word_and_is_told() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let (name, login) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let old = server.post_key(&login, "", json!({ "name": unique("hers"), "expiration": "1d" })).await.id;
        let session = server.admin().await;
        let plan = rotation::plan(&session, &[], &old, &RotationOptions::default()).await.unwrap();
        assert!(plan.changes_owner && matches!(plan.rights, Rights::Differ(_)));
        let refused = plan.check(Consent::default()).unwrap_err();
        assert!(refused.title.contains(&name), "{}", refused.words());
        assert_eq!(refused.fixes, [Fix::ActAs(name.clone()), Fix::AllowOtherOwner]);
        let consent = Consent { other_owner: true, ..Consent::default() };
        let done = rotated(&session, &old, consent).await;
        assert_eq!(with_limits(server, &done.new).await["username"], "elastic");

        let mut endpoint = server.endpoint(superuser());
        endpoint.run_as = Some(name.clone());
        let old = server.post_key(&login, "", json!({ "name": unique("hers"), "expiration": "1d" })).await.id;
        let acting = keybearer::ops::connections::connect::connect(&endpoint)
            .await
            .unwrap_or_else(|problem| panic!("{}", problem.words()));
        let done = rotated(&acting, &old, Consent::default()).await;
        assert_eq!(with_limits(server, &done.new).await["username"], name);
        assert_eq!(done.held.rotation.lineage, Lineage::Written);
    });
}

#[test]
fn a_restricted_successor_is_tried_although_it_may_ask_nothing_and_a_wrong_secret_is_seen() {
    every_server(async |server| {
        if !server.has(Feature::Restriction) {
            return;
        }
        let read = json!([{ "names": ["a"], "privileges": ["read"] }]);
        let rights = json!({ "w": { "indices": read, "restriction": { "workflows": ["search_application_query"] } } });
        let body = json!({ "name": unique("workflow"), "expiration": "1d", "role_descriptors": rights });
        let old = server.post_key(&superuser(), "", body).await.id;
        let session = server.admin().await;
        let folder = tempfile::tempdir().unwrap();
        let rotations = Rotations::at(folder.path().to_owned());
        let plan = rotation::plan(&session, &[], &old, &RotationOptions::default()).await.unwrap();
        let mut held = rotation::begin(&rotations, &plan, Consent::default(), Destination::Screen, None).unwrap();
        let made = rotation::make(&session, &mut held, &mut |_| ()).await.unwrap();
        rotation::hand_over_begins(&mut held).unwrap();
        rotation::handed_over(&mut held).unwrap();
        let wrong = keybearer::model::secret::Secret::new("AAAAAAAAAAAAAAAAAAAAAA");
        let refused = rotation::try_it(&session, &mut held, &wrong).await.unwrap_err();
        assert!(refused.title.contains("Nothing was invalidated"), "{}", refused.words());
        assert!(rotation::end(&session, &mut held, &mut |_| ()).await.is_err(), "not before it was tried");
        let trial = rotation::try_it(&session, &mut held, &made.created.secret).await.unwrap();
        assert!(trial.is_none(), "it is restricted to a workflow");
        let state = &held.rotation.state;
        assert!(matches!(state, keybearer::model::rotation::State::Grace { tried: Tried::Live, .. }), "{state:?}");
        rotation::link(&session, &mut held, &mut |_| ()).await.unwrap();
        assert_eq!(with_limits(server, &old).await["metadata"]["rotated_to"], made.created.id.as_str());
        rotation::cancel(&session, &mut held, false, &mut |_| ()).await.unwrap();
        let (new, old) = (with_limits(server, &made.created.id).await, with_limits(server, &old).await);
        assert_eq!((&new["invalidated"], &old["invalidated"]), (&json!(true), &json!(false)));
        assert!(old["metadata"].get("rotated_to").is_none(), "it names no successor of a canceled rotation: {old}");
    });
}

#[test]
fn a_version_that_does_not_tell_descriptors_can_t_rotate() {
    every_server(async |server| {
        if server.version >= Feature::LimitedBy.since() {
            server.lacks("an older version's silence about descriptors");
            return;
        }
        let old = server.post_key(&superuser(), "", json!({ "name": unique("old"), "expiration": "1d" })).await.id;
        let refused = rotation::plan(&server.admin().await, &[], &old, &RotationOptions::default()).await.unwrap_err();
        assert!(refused.title.contains("does not report what"), "{}", refused.words());
    });
}

#[test]
fn a_key_with_a_successor_that_works_is_not_rotated_again_without_consent_and_no_clock_but_the_clusters_ends_it() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return;
        }
        let session = server.admin().await;
        let old = server.post_key(&superuser(), "", json!({ "name": unique("twice"), "expiration": "2d" })).await.id;
        // Two machines: each has a folder of its own.
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [here, there] = [0, 1].map(|number| Rotations::at(folders[number].path().to_owned()));
        let wishes = RotationOptions { grace: TimeDelta::HOUR, ..RotationOptions::default() };
        let plan = rotation::plan(&session, &[], &old, &wishes).await.unwrap();
        let too_early = rotation::plan(&session, &[], &old, &wishes).await.unwrap();
        let mut held = rotation::begin(&here, &plan, Consent::default(), Destination::Screen, None).unwrap();
        let made = rotation::make(&session, &mut held, &mut |_| ()).await.unwrap();
        rotation::hand_over_begins(&mut held).unwrap();
        rotation::handed_over(&mut held).unwrap();
        rotation::try_it(&session, &mut held, &made.created.secret).await.unwrap();
        rotation::link(&session, &mut held, &mut |_| ()).await.unwrap();

        let plan = rotation::plan(&session, &[], &old, &wishes).await.unwrap();
        assert_eq!(plan.live.iter().map(|live| &live.id).collect::<Vec<_>>(), [&made.created.id]);
        let refused = plan.check(Consent::default()).unwrap_err();
        assert!(refused.title.contains(made.created.id.as_str()), "{}", refused.words());
        // Whoever planned before is refused when the successor is about to be made.
        let mut late = rotation::begin(&there, &too_early, Consent::default(), Destination::Screen, None).unwrap();
        let refused = rotation::make(&session, &mut late, &mut |_| ()).await.unwrap_err();
        assert!(refused.title.contains("is already being rotated"), "{}", refused.words());

        // This machine's file says that it is due; the cluster's clock does not.
        held.rotation.state =
            State::Grace { successor: made.created.id.clone(), due: Timestamp::EPOCH, tried: Tried::Live };
        let refused = rotation::end(&session, &mut held, &mut |_| ()).await.unwrap_err();
        assert!(refused.title.contains("by the cluster's own clock"), "{}", refused.words());
        assert_eq!(with_limits(server, &old).await["invalidated"], false);

        // A clock by which the old key has expired leaves the grace period as it is: only the cluster says that a key has.
        let here = keybearer::ops::clock::now();
        session.client.set_own_skew(here + TimeDelta::from_days(10), here);
        let refused = rotation::end(&session, &mut held, &mut |_| ()).await.unwrap_err();
        assert!(refused.title.contains("by the cluster's own clock"), "{}", refused.words());
        assert_eq!(with_limits(server, &old).await["invalidated"], false);
        // The successor that is not over by the cluster's clock stands in the way of another one, too.
        let live = rotation::plan(&session, &[], &old, &wishes).await.unwrap().live;
        assert_eq!(live.iter().map(|live| &live.id).collect::<Vec<_>>(), [&made.created.id]);
        let states = rotation::states(&session, std::slice::from_ref(&held.rotation)).await.unwrap();
        assert_eq!(states.both(&held.rotation), (KeyState::Valid, KeyState::Valid));
    });
}
