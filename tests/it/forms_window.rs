//! Keys for a remote cluster, keys of another user, copies of keys and rights in an update: as forms of the window.

use eframe::egui::Key;
use keybearer::{
    client::{Client, KeyQuery},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyKind},
        connections::login::Login,
        create::{CreateKey, Draft, RightsChoice, Surroundings},
        version::Edition,
    },
    ops::{connections::connect, create},
    store::journal::Journal,
};
use reqwest::Certificate;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{cluster, elastic, rows},
    desk::{Desk, RunningSandbox, Setting},
    front::{Front, Line},
};

const TALL: [f32; 2] = [1440.0, 1400.0];

fn tall(sandbox: &RunningSandbox) -> Desk {
    let mut desk = Desk::new(Setting { size: TALL, sandbox: Some(sandbox.profile()), ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    desk
}

/// The key of a name as the cluster tells it by itself.
fn key_named(sandbox: &RunningSandbox, name: &str) -> ApiKey {
    sandbox.runtime.block_on(async {
        let session = connect::connect(&sandbox.profile().endpoint).await.unwrap();
        let mut query = KeyQuery::new(2);
        query.filter = Some(json!({ "term": { "name": name } }));
        let page = session.client.query_api_keys(&query).await.unwrap();
        let [key] = &page.keys[..] else { panic!("{} keys are called {name}", page.keys.len()) };
        session.client.get_api_key(&key.id, false).await.unwrap().unwrap()
    })
}

fn value(raw: &Option<Box<serde_json::value::RawValue>>) -> Value {
    serde_json::from_str(raw.as_deref().unwrap().get()).unwrap()
}

/// What was put on the clipboard, in the encoded form.
fn copied(desk: &mut Desk) -> String {
    desk.press("Copy");
    desk.wait_for("On the clipboard, cleared in");
    desk.wait_for("On the clipboard, cleared in");
    desk.clipboard.0.lock().unwrap().clone().unwrap()
}

/// Who signs in by an encoded key.
fn signed_in(sandbox: &RunningSandbox, encoded: &str) -> String {
    let login = Login::from_api_key_text(encoded).unwrap();
    let client = Client::new(&sandbox.endpoint(login)).unwrap();
    sandbox.runtime.block_on(client.authenticate()).unwrap().username
}

fn at_create(desk: &mut Desk, kind: &str, name: &str) {
    desk.press("Create");
    desk.choose(kind);
    desk.fill("Name", name);
}

fn for_another(desk: &mut Desk, name: &str, password: &str) {
    at_create(desk, "For another user", name);
    desk.fill("User", "ana");
    desk.fill("User’s password", password);
    desk.fill("Roles", "reader");
    desk.press("Add reader");
}

fn open_page(desk: &mut Desk, name: &str) {
    desk.press("Keys");
    desk.wait("the new key", |desk| desk.sees("All 321 keys loaded") || desk.sees("All 322 keys loaded"));
    desk.fill("Search", &format!("name:{name}"));
    desk.harness.step();
    desk.click_row(name);
}

#[test]
fn enter_adds_a_role_that_was_typed_or_chosen_and_no_other() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    desk.press("Create");
    desk.fill("Name", "one-role");
    let added = |desk: &Desk| -> Vec<String> {
        desk.texts().into_iter().filter_map(|text| text.strip_prefix("Remove ").map(str::to_owned)).collect()
    };
    desk.fill("Roles", "reader");
    for _ in 0..3 {
        desk.key(Key::Enter);
        (0..2).for_each(|_| desk.harness.step());
    }
    assert_eq!(added(&desk), ["reader"]);
    desk.fill("Roles", "reader");
    assert!(desk.sees("reader is already added"), "{:?}", desk.texts());
    // Moved to by an arrow, the first one is chosen without typing.
    desk.fill("Roles", "");
    desk.key(Key::ArrowDown);
    (0..2).for_each(|_| desk.harness.step());
    desk.key(Key::Enter);
    (0..2).for_each(|_| desk.harness.step());
    assert_eq!(added(&desk).len(), 2, "{:?}", added(&desk));
}

#[test]
fn a_key_for_a_remote_cluster_gets_the_access_that_was_asked_for_and_is_changed_by_its_form() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    at_create(&mut desk, "For a remote cluster", "eu-west");
    assert!(!desk.sees("From roles"), "it has no rights");
    desk.press("Create key");
    desk.wait_for("search or replication is required");
    desk.fill("Indices to search", "my_ind*");
    desk.wait_for("Matches 1 name that you can see");
    desk.fill("Indices to replicate", "logs-*");
    desk.fill("Certificate identity", "CN=eu.*");
    assert!(desk.sees("POST /_security/cross_cluster/api_key") && desk.sees("can’t sign in to the REST API"));
    desk.choose("JSON");
    let json = desk.value("Access as JSON").unwrap();
    assert!(json.contains("\"my_ind*\"") && json.contains("\"replication\""), "{json}");
    desk.choose("Form");
    desk.press("Create key");
    desk.wait_for("Key created");
    assert!(desk.sees("A cross-cluster key can’t sign in to the REST API") && !desk.is_on("Try it"));
    assert!(desk.sees("Remote cluster keystore") && !desk.sees("Filebeat"), "{:?}", desk.texts());
    copied(&mut desk);
    desk.close_card();

    let key = key_named(&sandbox, "eu-west");
    assert_eq!((&key.kind, key.certificate_identity.as_deref()), (&KeyKind::CrossCluster, Some("CN=eu.*")));
    let access = value(&key.access);
    assert_eq!(
        (&access["search"][0]["names"], &access["replication"][0]["names"]),
        (&json!(["my_ind*"]), &json!(["logs-*"]))
    );

    open_page(&mut desk, "eu-west");
    assert!(!desk.is_on("Clone"), "only REST keys can be copied");
    desk.press("Update");
    desk.wait("the access", |desk| desk.value("Indices to search").as_deref() == Some("my_ind*"));
    assert!(!desk.sees("Role descriptors"));
    desk.press("Review");
    desk.wait_for("Nothing would change");
    desk.press("Back");
    desk.fill("Indices to search", "my_ind*, payments-*");
    desk.fill("Certificate identity", "");
    desk.fill("New expiration", "9d");
    desk.press("Review");
    desk.wait_for("access/search/0/names");
    for words in ["certificate_identity", "−\u{a0}\"CN=eu.*\"", "+\u{a0}null", "Expires: "] {
        assert!(desk.sees(words), "{words}: {:?}", desk.texts());
    }
    assert!(!desk.sees("owner’s rights"), "it is not limited by them");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
    let key = key_named(&sandbox, "eu-west");
    assert_eq!(value(&key.access)["search"][0]["names"], json!(["my_ind*", "payments-*"]));
    assert_eq!(value(&key.access)["replication"][0]["names"], json!(["logs-*"]));
    assert_eq!(key.certificate_identity, None);
    let left = key.expires.unwrap() - keybearer::ops::clock::now();
    assert!((8..=9).contains(&(left / TimeDelta::DAY)), "{left:?}");
}

#[test]
fn an_end_alone_moves_that_of_a_cross_cluster_key_too_and_several_are_left_out() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    at_create(&mut desk, "For a remote cluster", "eu-west");
    desk.fill("Indices to search", "logs-*");
    desk.press("Create key");
    desk.wait_for("Key created");
    copied(&mut desk);
    desk.close_card();
    let before = key_named(&sandbox, "eu-west");
    open_page(&mut desk, "eu-west");
    desk.press("Update");
    desk.wait("the access", |desk| desk.value("Indices to search").is_some());
    desk.fill("New expiration", "9d");
    desk.press("Review");
    desk.wait_for("Expires: ");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
    desk.press("Close the update");
    let key = key_named(&sandbox, "eu-west");
    assert!(key.expires < before.expires, "{:?} {:?}", key.expires, before.expires);
    assert_eq!((value(&key.metadata), value(&key.access)), (value(&before.metadata), value(&before.access)));
}

#[test]
fn a_key_of_another_user_is_theirs_and_their_password_is_nowhere() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    at_create(&mut desk, "For another user", "for-ana");
    desk.choose("All their rights");
    desk.press("Create key");
    desk.wait_for("Enter the user who will own the key");
    assert!(desk.sees("The password of that user is required") && desk.sees("all their rights"));
    desk.choose("From roles");
    for_another(&mut desk, "for-ana", "wrong-password");
    desk.wait_for("It can do no more than its owner");
    for words in ["POST /_security/api_key/grant", "Also sent, but not shown or copied: password", "A key of ana"] {
        assert!(desk.sees(words), "{words}: {:?}", desk.texts());
    }
    desk.press("Create key");
    desk.wait_for("The sign-in of ana was refused");
    assert!(desk.sees("No key was created"));
    desk.press("Dismiss");
    desk.fill("User’s password", "ana-password");
    assert!(!desk.sees("ana-password") && !desk.sees("wrong-password"));
    desk.press("Create key");
    desk.wait_for("Key created");
    let encoded = copied(&mut desk);
    desk.press("Try it");
    desk.wait_for("signed in as ana");
    desk.close_card();
    assert_eq!(key_named(&sandbox, "for-ana").owner.username, "ana");
    assert_eq!(signed_in(&sandbox, &encoded), "ana");
    // The form has begun anew, without it.
    desk.choose("For another user");
    assert_eq!(desk.value("User").unwrap_or_default(), "");
    assert!(!desk.sees("ana-password"));
}

#[test]
fn a_password_does_not_outlive_the_look_at_its_form() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    for_another(&mut desk, "for-ana", "ana-password");
    desk.wait_for("POST /_security/api_key/grant");
    desk.press("Keys");
    desk.press("Create");
    desk.wait("the form without the password", |desk| !desk.sees("POST /_security/api_key/grant"));
    assert_eq!(desk.value("User").as_deref(), Some("ana"), "all that is no secret is still there");
    desk.press("Create key");
    desk.wait_for("The password of that user is required");
    // Nor does it go from one way of signing in to the other.
    desk.fill("User’s password", "ana-password");
    desk.choose("By token");
    desk.wait_for("A token of that user is required");
}

#[test]
fn a_copy_signs_in_and_needs_the_secret_of_its_source() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    at_create(&mut desk, "For me", "source");
    desk.choose("Nothing");
    desk.press("Create key");
    desk.wait_for("Key created");
    let encoded = copied(&mut desk);
    desk.close_card();
    let source = key_named(&sandbox, "source");

    open_page(&mut desk, "source");
    desk.press("Clone");
    desk.wait_for("Both keys stay valid");
    assert!(!desk.is_on("Clone key"), "nothing was pasted");
    desk.fill("Secret of the source", "VuaCfGcBCdbkQm-e5aZZ:ui2lp2axTNmsyakw9tvNnw");
    desk.press("Clone key");
    desk.wait_for("This is the secret of key VuaCfGcBCdbkQm-e5aZZ");
    desk.fill("Secret of the source", &format!("{}:ui2lp2axTNmsyakw9tvNnw", source.id));
    desk.press("Clone key");
    desk.wait_for("The key can't be cloned");
    assert!(desk.sees("No key was created") && !desk.sees("ui2lp2ax"));
    desk.fill("Secret of the source", &format!("Authorization: ApiKey {encoded}"));
    desk.fill("Name of the clone", "the-copy");
    desk.fill("Expiration of the clone", "never");
    desk.press("Clone key");
    desk.wait_for("Explain why this key never expires");
    desk.fill("Expiration of the clone", "7d");
    desk.press("Clone key");
    desk.wait_for("Key created");
    assert!(!desk.sees(&encoded));
    let copy = copied(&mut desk);
    desk.press("Try it");
    desk.wait_for("It works");
    // The page of the key below has a “Close”, too. What is on the clipboard only is asked about.
    desk.key(eframe::egui::Key::Escape);
    desk.press("I’ve saved it");
    desk.wait("the card gone", |desk| !desk.sees("Key created"));
    let made = key_named(&sandbox, "the-copy");
    assert_eq!((made.owner, value(&made.role_descriptors)), (source.owner, value(&source.role_descriptors)));
    assert_eq!(value(&made.metadata)["_cloned_from"], source.id.as_str());
    assert_eq!(signed_in(&sandbox, &copy), "officer");
    let left = made.expires.unwrap() - keybearer::ops::clock::now();
    assert!((6..=7).contains(&(left / TimeDelta::DAY)), "{left:?}");
    assert!(!desk.texts().iter().any(|text| text.contains(&encoded) || text.contains(&copy)));
}

fn draft(name: &str, descriptors: &str) -> CreateKey {
    let draft = Draft { name: name.into(), rights: RightsChoice::Own, expiration: "1d".into(), ..Draft::default() };
    let draft = Draft { descriptors: descriptors.into(), ..draft };
    let zone = jiff::tz::TimeZone::UTC;
    let around =
        Surroundings { now: Timestamp::EPOCH, zone: &zone, roles: None, edition: Edition::Unknown, by_api_key: false };
    draft.check(around, &format!("request-{name}")).unwrap()
}

/// A practice cluster with something before it, and a window on it that keeps a journal.
struct Place {
    front: Front,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn start(keys: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let front = runtime.block_on(async {
            let front = Front::start(20).await;
            let session = front.session("officer").await;
            for (name, descriptors) in keys {
                create::create(&session, &draft(name, descriptors)).await.unwrap();
            }
            front
        });
        Self { front, runtime }
    }

    fn desk(&self, journal: Journal) -> Desk {
        desk_at(&self.front.sockets.url("http"), ("officer", "officer-password"), journal)
    }

    fn descriptors(&self, name: &str) -> Value {
        self.runtime.block_on(async {
            let session = self.front.session("officer").await;
            let list = keybearer::ops::keys::list::all(&session, |_| ()).await.unwrap();
            let key = list.keys.keys().find(|key| key.name == name).unwrap();
            value(&key.role_descriptors)
        })
    }
}

fn desk_at(url: &str, who: (&str, &str), journal: Journal) -> Desk {
    Desk::connected(url, who, Setting { size: TALL, journal, ..Setting::default() })
}

#[test]
fn rights_are_changed_by_the_form_and_what_it_does_not_know_stays() {
    let told = r#"{"a":{"cluster":["monitor"],"metadata":{"odd":{"n":12345}}}}"#;
    let place = Place::start(&[("mine", told)]);
    let mut desk = place.desk(Journal::default());
    desk.fill("Search", "name:mine");
    desk.harness.step();
    desk.click_row("mine");
    // The dialog is as high before the key has come as it is then.
    place.front.when("GET", "/_security/api_key", |_| Line::Holds(300));
    desk.press("Update");
    desk.wait_for("Reading the key’s current state");
    let buttons = |desk: &Desk| desk.rects_of(|text| text == "Review" || text == "Cancel");
    let before = buttons(&desk);
    desk.wait_for("Kept as JSON: metadata");
    assert_eq!((before.len(), before), (2, buttons(&desk)));
    assert_eq!(desk.value("Cluster privileges").as_deref(), Some("monitor"));
    desk.fill("Cluster privileges", "monitor, read_ilm");
    desk.press("Add indices");
    desk.fill("Index patterns · Indices 1", "my_index");
    desk.fill("Index privileges · Indices 1", "read");
    desk.choose("JSON");
    let json = desk.value("Role descriptors").unwrap();
    assert!(json.contains("12345") && json.contains("\"my_index\"") && json.contains("read_ilm"), "{json}");
    desk.choose("Form");
    desk.press("Review");
    desk.wait_for("role_descriptors/a/cluster");
    assert!(!desk.sees("role_descriptors/a/metadata"), "what was not changed is no difference");
    desk.press("Back");
    desk.wait_for("Kept as JSON: metadata");
    assert_eq!(desk.value("Cluster privileges").as_deref(), Some("monitor, read_ilm"), "nothing typed is lost");
    desk.press("Review");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
    let now = place.descriptors("mine");
    assert_eq!(now["a"]["cluster"], json!(["monitor", "read_ilm"]));
    assert_eq!(now["a"]["indices"][0]["names"], json!(["my_index"]));
    assert_eq!(now["a"]["metadata"], json!({ "odd": { "n": 12345 } }));
}

#[test]
fn what_a_form_makes_is_in_the_journal_without_a_credential() {
    let place = Place::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let mut desk = place.desk(journal.clone());
    for_another(&mut desk, "for-ana", "ana-password");
    desk.press("Create key");
    desk.wait_for("Key created");
    let encoded = copied(&mut desk);
    let text: String = journal.files().unwrap().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(text.contains("for-ana") && text.contains("grant_type"), "{text}");
    assert!(!text.contains("ana-password") && !text.contains(&encoded), "{text}");
}

#[test]
fn after_a_lost_answer_to_a_copy_the_copy_without_a_secret_is_named() {
    let place = Place::start(&[]);
    let mut desk = place.desk(Journal::default());
    desk.press("Create");
    desk.choose("Nothing");
    desk.fill("Name", "source");
    desk.press("Create key");
    desk.wait_for("Key created");
    let encoded = copied(&mut desk);
    desk.close_card();
    desk.press("Keys");
    desk.fill("Search", "name:source");
    desk.wait("the new key", |desk| !desk.rects_of(|text| text == "source").is_empty());
    desk.click_row("source");
    desk.press("Clone");
    desk.fill("Secret of the source", &encoded);
    place.front.when("POST", "/_security/api_key/clone", |_| Line::CutAfter);
    desk.press("Clone key");
    assert!(desk.is_close_refused(), "its secret would be lost");
    desk.wait_for("The response was lost, but the key was created");
    assert!(desk.is_on("Invalidate it…") && !desk.sees("Key created"));
    desk.press("Invalidate it…");
    assert!(!desk.sees("Secret of the source") && !desk.sees(&encoded));
    desk.press("Invalidate 1 key");
    desk.wait_for("1 key invalidated");
}

#[test]
fn a_missing_privilege_and_a_missing_license_are_named_and_the_choice_is_off() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::new(Setting { size: TALL, sandbox: Some(sandbox.profile_of("ana")), ..Setting::default() });
    desk.wait_for_keys();
    desk.press("Create");
    desk.wait_for("For a remote cluster: ana lacks the cluster privilege manage_security");
    assert!(desk.sees("For another user: ana lacks the cluster privilege grant_api_key"));
    assert!(desk.can_choose("For me") && !desk.can_choose("For another user"));
    assert!(!desk.can_choose("For a remote cluster"));

    let (place, ca) = (format!("{}/_license/start_basic", sandbox.sandbox.url()), sandbox.sandbox.ca_pem());
    let ca = Certificate::from_pem(ca.as_bytes()).unwrap();
    let basic = async {
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let request = client.post(format!("{place}?acknowledge=true")).basic_auth("elastic", Some("elastic-password"));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(sandbox.runtime.block_on(basic), 200);
    let mut desk = tall(&sandbox);
    desk.press("Create");
    desk.wait_for("the license of this cluster is basic");
    assert!(desk.sees("start_trial") && !desk.can_choose("For a remote cluster"));
    assert!(desk.can_choose("For another user"), "a grant needs no license");
}

#[test]
fn a_version_that_lacks_it_is_named() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server: MockServer = runtime.block_on(async {
        let server = cluster().await;
        let info = json!({ "name": "n", "cluster_name": "c", "cluster_uuid": "u", "version": { "number": "8.9.2" } });
        let root = Mock::given(method("GET")).and(path("/")).respond_with(elastic(&info)).with_priority(1);
        root.mount(&server).await;
        let mine = json!({ "id": "id1", "name": "mine", "type": "rest", "creation": 1, "invalidated": false,
            "username": "ana", "realm": "native", "metadata": {}, "role_descriptors": {}, "_sort": [1, "id1"] });
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.respond_with(elastic(&rows(&[mine]))).mount(&server).await;
        server
    });
    let mut desk = desk_at(&server.uri(), ("ana", "hunter2"), Journal::default());
    desk.click_row("mine");
    assert!(!desk.is_on("Clone"));
    desk.press("Create");
    desk.wait_for("For a remote cluster: ");
    assert!(desk.sees("8.10") && desk.sees("it is 8.9.2"), "{:?}", desk.texts());
    assert!(!desk.can_choose("For a remote cluster"));
}

#[test]
fn a_name_and_an_application_id_that_usable_keys_have_already_are_warned_of() {
    let sandbox = RunningSandbox::start();
    let mut desk = tall(&sandbox);
    let taken = sandbox.runtime.block_on(async {
        let session = connect::connect(&sandbox.profile().endpoint).await.unwrap();
        let mut query = KeyQuery::new(1);
        query.filter = Some(json!({ "bool": {
            "filter": [{ "exists": { "field": "metadata.application_id" } }, { "term": { "invalidated": false } }],
            "must_not": [{ "exists": { "field": "expiration" } }],
        } }));
        session.client.query_api_keys(&query).await.unwrap().keys.remove(0)
    });
    desk.press("Create");
    let warned = |desk: &mut Desk, what: &str| {
        desk.harness.step();
        desk.texts().iter().any(|text| {
            text.contains(&format!("already have this {what}")) || text.contains(&format!("already has this {what}"))
        })
    };
    assert!(!warned(&mut desk, "name") && !warned(&mut desk, "application id"));
    desk.fill("Name", &taken.name);
    desk.fill("Application id", taken.application_id().unwrap());
    assert!(warned(&mut desk, "name"));
    assert!(warned(&mut desk, "application id"));
}
