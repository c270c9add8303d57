//! What must not be lost on the way, and what must not be left behind.

use eframe::egui::{Key, Modifiers};
use keybearer::model::connections::profile::{Environment, Profile, ProfileId};

use crate::desk::{Desk, RunningSandbox, Setting};

#[test]
fn escape_in_the_search_clears_it_and_nothing_else() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "payments");
    desk.tick("Select all shown keys");
    desk.wait_for(" selected");
    desk.fill("Search", "payments-");
    desk.key(Key::Escape);
    desk.wait_for("320 of 320");
    assert_eq!(desk.value("Search").unwrap_or_default(), "");
    assert!(desk.sees(" selected"), "the ticks stay");
}

#[test]
fn a_form_that_could_not_be_sent_is_still_filled_in_after_its_failure_was_read() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Create");
    desk.choose("Nothing");
    desk.fill("Name", "first");
    desk.press("Create key");
    desk.wait_for("Key created");
    desk.press("Copy");
    desk.wait_for("On the clipboard, cleared in");
    desk.close_card();
    desk.choose("Nothing");
    desk.fill("Name", "second");
    drop(sandbox);
    desk.press("Create key");
    desk.press("Dismiss");
    desk.harness.step();
    assert_eq!(desk.value("Name").as_deref(), Some("second"));
}

#[test]
fn roles_are_read_of_the_cluster_that_was_switched_to() {
    let sandbox = RunningSandbox::start();
    let other = Profile { name: "other".into(), environment: Environment::Staging, ..sandbox.profile_of("rita") };
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), profiles: vec![other], ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    desk.press("Connections");
    desk.press("Edit other");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    desk.press("Create");
    desk.press("Cluster other");
    let first = desk.texts().into_iter().find(|text| text.contains("  ") && text.ends_with("Sandbox")).unwrap();
    desk.press(&first);
    desk.fill("Roles", "reader");
    desk.wait_for("Add reader");
}

#[test]
fn a_cluster_that_became_production_looks_like_it_without_signing_in_again() {
    let sandbox = RunningSandbox::start();
    let id = ProfileId("p".into());
    let profile = Profile { id, name: "eu".into(), environment: Environment::Development, ..sandbox.profile() };
    let mut desk = Desk::new(Setting { profiles: vec![profile], ..Setting::default() });
    desk.press("Edit eu");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    desk.press("Connections");
    desk.choose(Environment::Production.word());
    desk.press("Connect");
    desk.wait("the keys", |desk| desk.value("Search").is_some());
    let chip = desk.texts().into_iter().any(|text| text.eq_ignore_ascii_case(Environment::Production.word()));
    assert!(chip, "{:?}", desk.texts().iter().take(20).collect::<Vec<_>>());
}

#[test]
fn the_practice_cluster_can_be_opened_again_after_signing_out() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    let name = sandbox.profile().name;
    desk.press("Disconnect");
    desk.press(&format!("Edit {name}"));
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
}

#[test]
fn a_whole_key_pasted_as_the_id_can_not_be_brought_back() {
    let mut desk = Desk::new(Setting::default());
    desk.press("Add connection");
    desk.fill("Id", "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==");
    assert_eq!(desk.value("Id").as_deref(), Some("VuaCfGcBCdbkQm-e5aOx"));
    for _ in 0..3 {
        desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        desk.harness.step();
        let value = desk.value("Id").unwrap_or_default();
        assert!(!value.contains("VnVhQ2"), "{value}");
    }
}
