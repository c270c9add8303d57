//! The states a screen can be in, and what bad input gets: said beside its field, before anything is sent.

use keybearer::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    store::vault::{Vault, VaultError, VaultPlace, memory::MemoryVault},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use crate::desk::{Desk, RunningSandbox, Setting};

fn on_account(sandbox: &RunningSandbox, name: &str) -> Desk {
    Desk::new(Setting { sandbox: Some(sandbox.profile_of(name)), ..Setting::default() })
}

#[test]
fn who_may_see_no_keys_is_told_which_privilege_is_missing() {
    let sandbox = RunningSandbox::start();
    let mut desk = on_account(&sandbox, "nora");
    desk.wait_for("You don’t have permission to do that");
    assert!(desk.sees("manage_own_api_key"), "{:?}", desk.texts());
    assert!(!desk.is_on("Create key"), "what can't be done is off");
    desk.press("Create");
    desk.wait_for("You don’t have permission to create keys here");
}

#[test]
fn who_may_only_manage_own_keys_sees_them_and_may_not_touch_others() {
    let sandbox = RunningSandbox::start();
    let mut desk = on_account(&sandbox, "olga");
    desk.wait_for("Only your own");
    desk.press("Create");
    desk.wait_for("roles can’t be read");
    desk.choose("Nothing");
    desk.fill("Name", "olgas-second");
    desk.press("Create key");
    desk.wait_for("Key created");
}

#[test]
fn who_may_only_read_sees_all_keys_and_can_not_invalidate_them() {
    let sandbox = RunningSandbox::start();
    let mut desk = on_account(&sandbox, "rita");
    desk.wait_for("All 320 keys loaded");
    assert!(!desk.is_on("Create key"));
    desk.fill("Search", "status");
    desk.fill("Search", "");
    let name = desk
        .texts()
        .into_iter()
        .find_map(|text| text.strip_prefix("Select ").map(str::to_owned).filter(|name| name != "all shown keys"))
        .unwrap();
    desk.click_row(&name);
    desk.wait_for("What it can do");
    assert!(!desk.is_on("Invalidate"));
}

/// A server with fixed answers, of which keys get this one.
fn server_with(status: u16, body: serde_json::Value) -> (tokio::runtime::Runtime, MockServer) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        let elastic = |status: u16, body: &serde_json::Value| {
            ResponseTemplate::new(status).set_body_json(body).insert_header("X-Elastic-Product", "Elasticsearch")
        };
        let who = json!({ "username": "ana", "roles": [], "authentication_realm": { "name": "native1", "type": "native" },
            "authentication_type": "realm" });
        Mock::given(path("/_security/_authenticate")).respond_with(elastic(200, &who)).mount(&server).await;
        let info = json!({ "cluster_name": "c", "cluster_uuid": "u", "version": { "number": "9.5.3" } });
        Mock::given(method("GET")).and(path("/")).respond_with(elastic(200, &info)).mount(&server).await;
        let all = json!({ "cluster": { "manage_security": true, "manage_api_key": true, "manage_own_api_key": true,
            "monitor": true, "read_security": true } });
        Mock::given(path("/_security/user/_has_privileges")).respond_with(elastic(200, &all)).mount(&server).await;
        Mock::given(path("/_security/_query/api_key")).respond_with(elastic(status, &body)).mount(&server).await;
        server
    });
    (runtime, server)
}

fn desk_at(url: &str) -> Desk {
    let endpoint = Endpoint {
        timeout: Duration::from_secs(10),
        ..Endpoint::new(
            ClusterUrl::parse(url).unwrap(),
            Login::Password { username: "ana".into(), password: Secret::new("pw") },
        )
    };
    let profile =
        Profile { id: ProfileId("p".into()), name: "p".into(), environment: Environment::Development, endpoint };
    Desk::new(Setting { sandbox: Some(profile), ..Setting::default() })
}

#[test]
fn a_cluster_without_keys_says_so_and_offers_the_first() {
    let (_runtime, server) = server_with(200, json!({ "total": 0, "count": 0, "api_keys": [] }));
    let mut desk = desk_at(&server.uri());
    desk.wait_for("No keys yet");
    desk.press("Create the first key");
    desk.wait_for("Summary");
}

#[test]
fn api_keys_that_are_switched_off_are_told_with_the_way_to_switch_them_on() {
    let disabled = json!({ "error": { "root_cause": [], "type": "feature_not_enabled_exception",
        "reason": "api keys are not enabled", "disabled.feature": "api_keys" }, "status": 400 });
    let (_runtime, server) = server_with(400, disabled);
    let mut desk = desk_at(&server.uri());
    desk.wait_for("API keys are disabled on this cluster");
    assert!(desk.sees("xpack.security.authc.api_key.enabled"));
    assert!(desk.is_on("Retry"));
}

#[test]
fn after_a_lost_answer_the_key_that_was_made_is_named_and_can_be_invalidated() {
    let stray = json!({ "id": "stray1", "name": "lost", "creation": 1, "invalidated": false, "username": "ana",
        "realm": "r", "metadata": {}, "role_descriptors": { "none": {} } });
    let (runtime, server) = server_with(200, json!({ "total": 1, "count": 1, "api_keys": [stray] }));
    runtime.block_on(async {
        // What a proxy says when the cluster dawdles: the request may have been carried out.
        let gateway = ResponseTemplate::new(504).set_body_raw("<title>Gateway Time-out</title>", "text/html");
        Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(gateway).mount(&server).await;
    });
    let mut desk = desk_at(&server.uri());
    desk.wait_for("1 key loaded");
    desk.press("Create");
    desk.choose("Nothing");
    desk.fill("Name", "lost");
    desk.press("Create key");
    desk.wait_for("The response was lost, but the key was created");
    assert!(desk.sees("stray1"));
    desk.press("Invalidate it…");
    desk.wait_for("Invalidate 1 key");
    let sent = runtime.block_on(server.received_requests()).unwrap();
    let creations =
        sent.iter().filter(|request| request.url.path() == "/_security/api_key" && request.method == "POST");
    assert_eq!(creations.count(), 1, "a creation is never repeated");
}

#[test]
fn keys_that_can_not_be_understood_are_counted() {
    let rows = json!([
        { "id": "a", "name": "good", "creation": 1, "invalidated": false, "username": "ana", "realm": "r", "metadata": {}, "role_descriptors": {} },
        { "id": "b", "name": "odd", "creation": "never", "username": "ana", "realm": "r", "metadata": {}, "role_descriptors": {} },
        { "name": 7 },
    ]);
    let (_runtime, server) = server_with(200, json!({ "total": 3, "count": 3, "api_keys": rows }));
    let mut desk = desk_at(&server.uri());
    desk.wait_for("1 key could not be read");
    assert!(desk.sees("good"));
    assert!(!desk.sees("All 2 keys loaded") && desk.sees("1 key not fully readable"));
    desk.click_row("odd");
    desk.wait_for("This key is not fully readable");
    assert!(desk.sees("creation: it is not a time in milliseconds"));
}

#[test]
fn a_cluster_that_is_not_there_is_told_with_the_ways_out() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut desk = desk_at(&format!("http://{closed}"));
    desk.wait_for("can’t be reached");
    assert!(desk.is_on("Retry"));
    desk.press("Edit connection…");
    desk.wait_for("Test connection");
}

#[test]
fn a_missing_keyring_is_told_and_memory_is_offered() {
    let vault = Arc::new(MemoryVault::new());
    vault.fail_with(VaultError::NoDaemon);
    let mut desk = Desk::new(Setting { vault, ..Setting::default() });
    desk.wait_for("No program on this desktop offers a keyring");
    desk.press("Continue without saving");
    desk.wait_for("Kept in memory");
}

#[test]
fn bad_input_for_a_key_is_told_beside_its_field_and_nothing_is_sent() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Create");
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    desk.press("Create key");
    desk.wait_for("Enter a name for the key");
    assert!(desk.sees("Select at least one role"));
    for (name, message) in [
        ("_hidden", "can't begin with _"),
        (" padded", "can't begin or end with spaces"),
        (&"x".repeat(257), "at most 256 characters"),
    ] {
        desk.fill("Name", name);
        desk.wait_for(message);
    }
    for (expiration, message) in [
        ("soon", "Not an expiration"),
        ("1M", "no unit for months"),
        ("1q", "no such unit"),
        ("1.5d", "Whole numbers only"),
        ("0s", "in the past"),
        ("-1d", "in the past"),
        ("2020-01-01", "in the past"),
        ("999999999d", "beyond the calendar"),
    ] {
        desk.fill("Expiration", expiration);
        desk.wait_for(message);
    }
    for (metadata, message) in
        [("[1]", "must be a JSON object"), ("{\"a\": ", "line 1"), ("{\"_a\": 1}", "starts with _")]
    {
        desk.fill("Metadata", metadata);
        desk.wait_for(message);
    }
    desk.fill("Roles", "raeder");
    desk.wait_for("did you mean reader");
    desk.press("Create key");
    assert!(desk.sees("to correct"));
    desk.press("Keys");
    desk.press("Refresh");
    desk.wait_for("All 320 keys loaded");
}

/// A keyring whose password window nobody answers.
struct Silent(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Vault for Silent {
    fn read(&self, _: &str) -> Result<Option<Secret>, VaultError> {
        Err(VaultError::Locked)
    }

    fn write(&self, _: &str, _: &Secret) -> Result<(), VaultError> {
        Err(VaultError::Locked)
    }

    fn remove(&self, _: &str) -> Result<(), VaultError> {
        Err(VaultError::Locked)
    }

    fn names(&self, _: &str) -> Result<Vec<String>, VaultError> {
        let _ = self.0.lock().unwrap().recv();
        Err(VaultError::Locked)
    }

    fn place(&self) -> VaultPlace {
        VaultPlace::Keyring
    }
}

#[test]
fn what_a_keyring_holds_is_not_known_before_it_has_answered() {
    let (answer, question) = std::sync::mpsc::sync_channel(1);
    let keyring: Arc<dyn Vault> = Arc::new(Silent(std::sync::Mutex::new(question)));
    let mut desk = Desk::new(Setting { keyring: Some(keyring), ..Setting::default() });
    desk.wait_for("Waiting for the keyring");
    assert!(!desk.sees("No connections yet"), "{:?}", desk.texts());
    drop(answer);
    desk.wait_for("The saved connections are not known");
    assert!(!desk.sees("No connections yet"));
    // The button stands below its line, and not in the middle of the room that is left.
    let place = |desk: &Desk, name: &str| desk.rects_of(|text| text == name)[0];
    let line = place(&desk, "The saved connections are not known");
    let button = place(&desk, "Add a connection");
    assert!((0.0..40.0).contains(&(button.top() - line.bottom())), "{line} {button}");
}

#[test]
fn the_result_of_a_test_belongs_to_exactly_what_was_tested() {
    let sandbox = RunningSandbox::start();
    let profile = Profile { environment: Environment::Staging, name: "lab".into(), ..sandbox.profile() };
    let url = sandbox.sandbox.url().to_owned();
    let mut desk = Desk::new(Setting { profiles: vec![profile], ..Setting::default() });
    desk.press("Edit lab");
    let user = sandbox.sandbox.accounts()[0].name.clone();
    desk.press("Test connection");
    desk.wait_for("The connection works");
    assert!(desk.sees("SHA-256, pinned") || desk.sees("SHA-256 of its certificate authority, pinned"));
    assert!(desk.is_on("Copy the fingerprint"));
    let print = desk.value("Fingerprint").unwrap();
    let other = format!("{}{}", &print[..print.len() - 1], if print.ends_with('0') { '1' } else { '0' });
    for (field, wrong, right) in [
        ("URL", "https://localhost:1", url.as_str()),
        ("User name", "somebody", user.as_str()),
        ("Fingerprint", other.as_str(), print.as_str()),
        ("Timeout (seconds)", "7", "20"),
        ("Run as", "nora", ""),
        ("Audit events", "mine", ""),
    ] {
        desk.fill(field, wrong);
        desk.wait_for("Tested with other settings");
        assert!(!desk.sees("The connection works") && desk.is_on("Test again"), "{field}");
        desk.fill(field, right);
        desk.wait(field, |desk| desk.sees("The connection works"));
    }
    for trust in ["Insecure", "System", "CA file"] {
        desk.choose(trust);
        desk.wait_for("Tested with other settings");
        assert!(!desk.sees("The connection works"), "{trust}");
    }
    desk.choose("Fingerprint");
    desk.wait_for("The connection works");
    // What it is called and what it is for is not what was tested.
    desk.fill("Connection name", "another");
    assert!(desk.sees("The connection works"));
    desk.press("Add connection");
    assert!(!desk.sees("The connection works"), "a new form was not tested");
}

#[test]
fn a_wrong_fingerprint_is_compared_with_what_the_server_shows() {
    let sandbox = RunningSandbox::start();
    let profile = Profile { environment: Environment::Staging, name: "lab".into(), ..sandbox.profile() };
    let mut desk = Desk::new(Setting { profiles: vec![profile], ..Setting::default() });
    desk.press("Edit lab");
    let print = desk.value("Fingerprint").unwrap();
    let digit = print.len() - 1;
    let wrong = format!("{}{}", &print[..digit], if print.ends_with('0') { '1' } else { '0' });
    desk.fill("Fingerprint", &wrong);
    desk.press("Test connection");
    desk.wait_for("The server presents no certificate with this fingerprint");
    assert!(desk.sees("Compare the digits") && !desk.sees("must be renewed"), "{:?}", desk.texts());
    assert_eq!(desk.value("Printed by Elasticsearch").as_deref(), Some(wrong.as_str()));
    desk.wait_for("differs at pair 32");
    assert!(!desk.is_on("Pin this certificate"));
    desk.press("Connect");
    desk.wait_for("The server presents no certificate with this fingerprint");
    desk.press("Compare and pin…");
    desk.wait_for("differs at pair 32");
}

#[test]
fn bad_input_for_a_connection_is_told_beside_its_field() {
    let mut desk = Desk::new(Setting::default());
    desk.press("Add connection");
    desk.press("Test connection");
    desk.wait_for("Enter a name for the connection");
    desk.wait_for("Choose the environment of the cluster");
    for (url, message) in [
        ("ftp://x", "is not supported"),
        ("https://ana:pw@host", "Remove the user and password"),
        ("https://host?x=1", "Only a scheme, host, port"),
        ("https://host:99999", "Not an address"),
    ] {
        desk.fill("URL", url);
        desk.wait_for(message);
    }
    desk.choose("Production");
    desk.fill("URL", "http://es.example.net:9200");
    desk.wait_for("requires https://");
    desk.choose("Fingerprint");
    desk.fill("Fingerprint", "abcd");
    desk.wait_for("has 64 digits");
    // What is never done is off, and says why.
    desk.choose("Insecure");
    desk.wait_for("A production cluster must be verified");
    assert!(!desk.is_on("Connect") && !desk.is_on("Test connection") && !desk.is_on("Save connection"));
    desk.choose("Staging");
    assert!(desk.is_on("Connect"));
}

#[test]
fn names_that_hide_or_turn_text_round_are_shown_harmlessly() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Sort by Key");
    desk.press("Sort by Key, ascending");
    for _ in 0..20 {
        for text in desk.texts() {
            assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'), "{text:?}");
        }
        desk.key(eframe::egui::Key::PageDown);
    }
}

#[test]
fn nothing_is_drawn_while_nothing_happens() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Connections");
    desk.wait_for("Add connection");
    desk.harness.run_ok();
    let delay = desk.harness.output().viewport_output.values().map(|output| output.repaint_delay).min().unwrap();
    assert!(delay > Duration::from_secs(60), "a frame is due in {delay:?}");
}
