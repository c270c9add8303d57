//! What a person does in the window, from end to end, on the practice cluster.

use eframe::egui::Key;
use keybearer::{
    client::Client,
    model::{
        TimeDelta,
        api_key::KeyKind,
        connections::{
            login::Login,
            profile::{Environment, Profile},
        },
        snippet::{Consumer, MASK},
    },
    store::journal::Journal,
};

use crate::desk::{Desk, RunningSandbox, Setting};

fn create(desk: &mut Desk, name: &str, application_id: &str) {
    desk.press("Create");
    desk.fill("Name", name);
    desk.fill("Application id", application_id);
    desk.fill("Roles", "reader");
    desk.key(Key::Enter);
    desk.wait_for("Remove reader");
    desk.fill("Expiration", "1d");
    desk.press("Create key");
    desk.wait_for("Key created");
}

fn copied(desk: &mut Desk) -> String {
    desk.press("Copy");
    desk.wait_for("On the clipboard, cleared in");
    desk.clipboard.0.lock().unwrap().clone().unwrap()
}

#[test]
fn an_officer_creates_a_key_hands_it_over_sees_it_expire_and_takes_it_away() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    create(&mut desk, "my_app_key", "my_app_id");
    let encoded = copied(&mut desk);
    desk.press("Try it");
    desk.wait_for("It works");

    let login = Login::from_api_key_text(&encoded).unwrap();
    let client = Client::new(&sandbox.endpoint(login)).unwrap();
    sandbox.runtime.block_on(client.authenticate()).unwrap();

    desk.close_card();
    desk.press("Keys");
    desk.fill("Search", "my_app_id");
    desk.wait_for("my_app_key, application id my_app_id");
    assert!(desk.sees("in 23 hours") || desk.sees("in 24 hours"), "{:?}", desk.texts());
    desk.tick("Select my_app_key");
    desk.press("Invalidate");
    desk.press("Invalidate 1 key");
    desk.wait_for("1 key invalidated");
    desk.press("Close");
    // "just now" or some seconds ago, as fast as the machine is.
    let is_gone = |text: &String| text.starts_with("invalidated ") && (text.ends_with("now") || text.ends_with("ago"));
    desk.wait("the proof in the list", |desk| desk.texts().iter().any(is_gone));

    let refused = sandbox.runtime.block_on(client.authenticate()).unwrap_err();
    assert_eq!(refused.status(), Some(401));
}

#[test]
fn a_secret_that_was_not_kept_is_not_let_go_without_asking() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    create(&mut desk, "careless", "");
    desk.press("Close");
    desk.wait_for("You haven’t saved the secret");
    desk.press("Go back");
    assert!(desk.sees("Key created"));
    desk.key(Key::Escape);
    desk.wait_for("Close without saving it");
    desk.press("Close without saving it");
    desk.wait("end of the card", |desk| !desk.sees("Key created"));
}

#[test]
fn a_copied_secret_is_cleared_after_thirty_seconds() {
    let sandbox = RunningSandbox::start();
    let clock = crate::desk::TestClock::default();
    let setting = Setting { sandbox: Some(sandbox.profile()), clock: clock.clone(), ..Setting::default() };
    let mut desk = Desk::new(setting);
    desk.wait_for("All 320 keys loaded");
    create(&mut desk, "brief", "");
    copied(&mut desk);
    let now = keybearer::ops::clock::now();
    *clock.lock().unwrap() = Some(now + TimeDelta::from_secs(29));
    desk.harness.step();
    assert!(desk.clipboard.0.lock().unwrap().is_some());
    *clock.lock().unwrap() = Some(now + TimeDelta::from_secs(31));
    desk.wait("an empty clipboard", |desk| desk.clipboard.0.lock().unwrap().is_none());
    assert!(!desk.sees("On the clipboard"));
}

#[test]
fn nothing_secret_is_in_the_accessible_tree() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    create(&mut desk, "whispered", "");
    let encoded = copied(&mut desk);
    let Ok(Login::ApiKey { secret, .. }) = Login::from_api_key_text(&encoded) else { panic!("not a key") };
    for consumer in Consumer::ALL.into_iter().filter(|consumer| consumer.takes_kind(&KeyKind::Rest)) {
        desk.fill("Find a consumer", consumer.name());
        desk.choose(consumer.name());
        desk.wait(consumer.name(), |desk| desk.sees(consumer.takes()));
        assert!(desk.sees(MASK), "{consumer:?}");
        for text in desk.texts() {
            assert!(!text.contains(secret.expose()) && !text.contains(&encoded), "{consumer:?}");
        }
    }
    assert!(!desk.sees(Consumer::RemoteCluster.name()), "that takes no key of this kind");
}

#[test]
fn a_consumer_is_found_by_its_words_and_takes_the_key_with_the_secret_or_by_reference() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    create(&mut desk, "handed-over", "");
    assert!(desk.sees("Clients") && desk.sees("Shippers"), "{:?}", desk.texts());
    assert!(!desk.sees("By reference"), "the encoded key alone has no other form");
    desk.fill("Find a consumer", "metricbeat");
    desk.key(Key::Enter);
    desk.wait_for("output.elasticsearch:");
    desk.choose("By reference");
    desk.wait_for("${ES_API_KEY_RAW}");
    assert!(!desk.sees(MASK));
    desk.press("Copy by reference");
    assert!(desk.clipboard.0.lock().unwrap().is_none(), "nothing secret was copied");
    assert!(desk.sees("Not saved"), "and nothing was kept by that");

    desk.choose("With secret");
    desk.press("Copy with secret");
    desk.wait_for("On the clipboard, cleared in");
    let text = desk.clipboard.0.lock().unwrap().clone().unwrap();
    assert!(text.starts_with("output.elasticsearch:") && !text.contains(MASK) && !text.contains("ES_API_KEY"));

    desk.fill("Find a consumer", "otlp");
    desk.key(Key::ArrowDown);
    desk.wait_for("OTEL_EXPORTER_OTLP_HEADERS='Authorization=ApiKey ");
    desk.key(Key::ArrowDown);
    desk.wait_for("ApiKey%20");
    desk.key(Key::ArrowUp);
    desk.wait("the one above", |desk| !desk.sees("ApiKey%20"));
    desk.fill("Find a consumer", "nobody");
    desk.wait_for("No consumers match");
}

#[test]
fn a_preset_fills_the_rights_and_its_patterns_can_be_replaced() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Create");
    desk.fill("Name", "beat");
    desk.choose("For a purpose");
    desk.choose("Beats writer");
    assert_eq!(desk.value("Index patterns").as_deref(), Some("filebeat-*"));
    desk.wait_for("\"filebeat-*\"");
    desk.fill("Index patterns", "metricbeat-*, mine-*");
    desk.wait_for("\"mine-*\"");
    desk.fill("Index patterns", " ");
    desk.wait_for("Enter at least one index pattern");
    desk.choose("Monitoring");
    desk.wait("no patterns", |desk| desk.value("Index patterns").is_none());
    desk.choose("From roles");
    desk.wait("the roles again", |desk| desk.value("Roles").is_some());
    desk.choose("For a purpose");
    desk.wait("the purpose of before", |desk| desk.sees("Sees the health and statistics"));
    desk.choose("Read-only dashboards");
    desk.press("Create key");
    desk.wait_for("Key created");
    copied(&mut desk);
    desk.press("Try it");
    desk.wait_for("It works");
    assert!(desk.sees("view_index_metadata") && !desk.sees("create_doc"), "{:?}", desk.texts());
}

#[test]
fn a_connection_is_tested_saved_and_opened() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::new(Setting::default());
    desk.press("Add connection");
    desk.fill("Connection name", "lab");
    desk.fill("URL", &sandbox.sandbox.url().replace("https://", ""));
    desk.choose("Staging");
    desk.choose("User");
    desk.fill("User name", &sandbox.sandbox.accounts()[0].name);
    desk.fill("Password", &sandbox.sandbox.accounts()[0].password);
    desk.press("Test connection");
    desk.wait_for("Certificate not trusted");
    assert!(!desk.is_on("Pin this certificate"));
    let print = sandbox.sandbox.fingerprint();
    desk.fill("Printed by Elasticsearch", &format!("{}00", &print[..62]));
    assert!(!desk.is_on("Pin this certificate"));
    desk.fill("Printed by Elasticsearch", print);
    desk.wait_for("32 of 32 pairs compared, all match");
    desk.press("Pin this certificate");
    desk.wait_for("The connection works");
    assert_eq!(desk.value("Fingerprint").as_deref(), Some(print));
    desk.press("Save connection");
    desk.wait_for("Edit lab");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");

    let again = Desk::new(Setting { vault: desk.vault.clone(), ..Setting::default() });
    let mut again = again;
    again.wait_for("Edit lab");
    again.press("Edit lab");
    again.press("Connect");
    again.wait_for("All 320 keys loaded");
}

#[test]
fn a_whole_key_pasted_as_the_secret_fills_both_fields() {
    let mut desk = Desk::new(Setting::default());
    desk.press("Add connection");
    desk.fill("Secret", " VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw== \n");
    assert_eq!(desk.value("Id").as_deref(), Some("VuaCfGcBCdbkQm-e5aOx"));
}

#[test]
fn signed_in_by_a_key_it_says_beforehand_what_is_refused() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    // A key that may make keys: with all the rights of the officer.
    desk.press("Create");
    desk.fill("Name", "parent");
    desk.choose("All my rights");
    desk.fill("Reason", "to try derived keys");
    desk.press("Create key");
    desk.wait_for("Key created");
    let encoded = copied(&mut desk);
    let login = Login::from_api_key_text(&encoded).unwrap();
    let Login::ApiKey { id, .. } = &login else { panic!("not a key") };
    let own_id = id.clone();
    let profile = Profile { name: "by key".into(), environment: Environment::Development, ..sandbox.profile() };
    let profile = Profile { endpoint: sandbox.endpoint(login), ..profile };

    let mut desk = Desk::new(Setting { profiles: vec![profile], ..Setting::default() });
    desk.press("Edit by key");
    desk.press("Connect");
    desk.wait_for("this session");
    desk.press("Create");
    desk.wait_for("You are signed in with an API key");
    desk.fill("Name", "derived");
    desk.press("Create key");
    desk.wait_for("Key created");
    copied(&mut desk);
    desk.close_card();

    // Its own key is guarded by an extra word.
    desk.press("Keys");
    desk.fill("Search", &own_id);
    desk.tick("Select parent");
    desk.press("Invalidate");
    desk.wait_for("You are signed in with one of these keys");
    assert!(!desk.is_on("Invalidate 0 keys"));
    desk.tick("Invalidate my own key too");
    assert!(desk.is_on("Invalidate 1 key"));
    desk.press("Cancel");
}

#[test]
fn many_keys_are_invalidated_only_after_the_words_are_typed() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "payments");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Invalidate");
    desk.wait_for("to confirm");
    let words = desk.texts().into_iter().find(|text| text.starts_with("Type “invalidate ")).unwrap();
    let count: usize = words.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap();
    let button = format!("Invalidate {count} keys");
    assert!(!desk.is_on(&button));
    desk.fill("Confirmation", &format!("invalidate {count}"));
    desk.press(&button);
    desk.wait_for(&format!("{count} keys invalidated"));
}

#[test]
fn a_user_who_sees_only_own_keys_is_told_so() {
    let sandbox = RunningSandbox::start();
    let only_own = sandbox.sandbox.accounts().iter().find(|account| account.about.contains("own")).unwrap();
    let profile = sandbox.profile_of(&only_own.name);
    let mut desk = Desk::new(Setting { sandbox: Some(profile), ..Setting::default() });
    desk.wait("own keys or none", |desk| desk.sees("Only your own") || desk.sees("You have no keys yet"));
}

#[test]
fn the_window_does_not_close_over_a_secret_that_was_not_kept() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    create(&mut desk, "last-minute", "");
    assert!(desk.is_close_refused());
    desk.wait_for("Close without saving it");
    desk.press("Go back");
    // On the clipboard it is not kept: it is cleared when the window closes.
    copied(&mut desk);
    assert!(desk.is_close_refused());
    desk.wait_for("The secret is only on the clipboard");
    desk.arm();
    let at = desk.button_at("I’ve saved it");
    assert!(desk.press_at(at, 1), "the last question was answered, and the window stays open");
    assert!(!desk.is_close_refused());
}

#[test]
fn a_secret_belongs_to_the_cluster_that_was_asked_and_survives_its_closing() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Create");
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    desk.choose("Nothing");
    desk.fill("Name", "orphan");
    desk.press_at_once(&["Create key", "Disconnect"]);
    desk.wait_for("Key created");
    assert!(desk.sees("orphan"));
}

#[test]
fn the_keyboard_goes_between_rail_page_and_side_page() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::F6);
    assert!(desk.is_focused("Search"), "the page comes after the rail");
    desk.key(Key::F6);
    assert!(desk.is_focused("Keys"), "without a side page the rail is next");
    desk.harness.remove_cursor();
    desk.key(Key::F6);
    desk.key(Key::Escape);
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    desk.wait_for("What it can do");
    desk.key(Key::F6);
    assert!(desk.is_focused("Close"), "the side page comes after the page");
}

#[test]
fn a_failed_refresh_leaves_the_rows_and_says_so() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    drop(sandbox);
    desk.press("Refresh");
    desk.wait_for("As of");
    assert!(desk.sees("320 of 320"), "the rows stay");
}

#[test]
fn what_is_done_in_the_window_is_written_down_but_not_of_the_practice_cluster() {
    let sandbox = RunningSandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let actions = || {
        let mut actions = Vec::new();
        let report = journal.check(|entry, _| actions.push((entry.action.clone(), entry.outcome.clone()))).unwrap();
        assert!(report.is_whole() && report.open.is_empty(), "{report:?}");
        actions
    };
    let practice = Setting { sandbox: Some(sandbox.profile()), journal: journal.clone(), ..Setting::default() };
    let mut desk = Desk::new(practice);
    desk.wait_for("All 320 keys loaded");
    create(&mut desk, "practised", "");
    assert!(actions().is_empty());
    drop(desk);

    let profile = Profile { name: "earnest".into(), ..sandbox.profile() };
    let mut desk = Desk::new(Setting { profiles: vec![profile], journal: journal.clone(), ..Setting::default() });
    desk.press("Edit earnest");
    desk.press("Connect");
    desk.wait_for("All 321 keys loaded");
    create(&mut desk, "earnest", "");
    assert_eq!(actions(), [("api-key-create".into(), "unknown".into()), ("api-key-create".into(), "success".into())]);
}
