//! What the window holds is not lost without a question, and no question is answered by accident: secrets, connections
//! that are not saved, double clicks, and what lies below a dialog.

use std::sync::Arc;

use eframe::egui::{Key, accesskit::Role};
use egui_kittest::{Node, kittest::NodeT};
use keybearer::{
    app::Command,
    model::{
        TimeDelta,
        connections::profile::{Environment, Profile, ProfileId},
    },
    store::vault::memory::MemoryVault,
};

use crate::{
    desk::{Desk, RunningSandbox, Setting, TestClock},
    front::{Front, Line},
};

fn create(desk: &mut Desk, name: &str) {
    desk.press("Create");
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    desk.choose("Nothing");
    desk.fill("Name", name);
    desk.press("Create key");
    desk.wait_for("Key created");
}

fn copy(desk: &mut Desk) {
    desk.press("Copy");
    desk.wait_for("On the clipboard, cleared in");
}

fn on(sandbox: &RunningSandbox, setting: Setting) -> Desk {
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), ..setting });
    desk.wait_for("All 320 keys loaded");
    desk
}

/// A connection of another name and kind to the same practice cluster.
fn other(sandbox: &RunningSandbox, name: &str, environment: Environment) -> Profile {
    Profile { id: ProfileId(name.into()), name: name.into(), environment, ..sandbox.profile() }
}

fn is_usable(sandbox: &RunningSandbox, name: &str) -> bool {
    let session =
        sandbox.runtime.block_on(keybearer::ops::connections::connect::connect(&sandbox.profile().endpoint)).unwrap();
    let list = sandbox.runtime.block_on(keybearer::ops::keys::list::all(&session, |_| ())).unwrap();
    list.keys.keys().any(|key| key.name == name && !key.invalidated)
}

#[test]
fn a_double_click_on_close_does_not_let_go_of_the_secret() {
    for size in [[1440.0, 900.0], [900.0, 600.0]] {
        let sandbox = RunningSandbox::start();
        let mut desk = on(&sandbox, Setting { size, step: 0.05, ..Setting::default() });
        create(&mut desk, "careless");
        desk.arm();
        let at = desk.button_at("Close");
        desk.press_at(at, 2);
        desk.wait_for("Close without saving it");
        assert!(desk.sees("Key created"), "{size:?}");
        // And whoever goes on pressing there loses nothing: what destroys is never where the button was.
        for _ in 0..3 {
            desk.arm();
            desk.press_at(at, 1);
            assert!(desk.sees("Key created"), "{size:?}");
        }
    }
}

#[test]
fn no_second_press_at_the_same_place_passes_a_question() {
    let sandbox = RunningSandbox::start();
    let profile = other(&sandbox, "kept", Environment::Staging);
    let setting = Setting { profiles: vec![profile], step: 0.05, ..Setting::default() };
    let mut desk = on(&sandbox, setting);
    let name = desk.texts().iter().find_map(|text| text.strip_prefix("Select ").map(str::to_owned));
    let name = name.filter(|name| name != "all shown keys").unwrap_or_else(|| {
        let rows = desk.texts().into_iter().filter(|text| text.starts_with("Select ") && !text.contains("all shown"));
        rows.map(|text| text["Select ".len()..].to_owned()).next().unwrap()
    });
    desk.tick(&format!("Select {name}"));
    desk.arm();
    desk.press_at(desk.button_at("Invalidate"), 2);
    desk.wait_for("Invalidate 1 key");
    // The button that invalidates comes under the pointer, as if it had been there: one press too early does nothing.
    let destroys = "Invalidate 1 key";
    desk.press_at(desk.button_at(destroys), 1);
    desk.arm();
    assert!(!desk.sees("1 key invalidated") && desk.is_on("Cancel"), "{:?}", desk.texts());
    assert!(is_usable(&sandbox, &name));
    desk.press("Cancel");

    desk.press("Connections");
    desk.press("Edit kept");
    desk.arm();
    let at = desk.button_at("Remove connection…");
    desk.press_at(at, 2);
    desk.arm();
    assert!(desk.vault_holds("kept"), "the second press confirmed the removal");
    desk.press("Remove it");
    desk.wait("the removal", |desk| !desk.vault_holds("kept"));
}

#[test]
fn enter_pressed_twice_shows_what_an_update_would_change_and_does_not_send_it() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting { step: 0.05, ..Setting::default() });
    create(&mut desk, "steady");
    copy(&mut desk);
    desk.close_card();
    desk.press("Keys");
    desk.fill("Search", "steady");
    desk.click_row("steady");
    desk.press("Update");
    desk.wait("the texts of the key", |desk| desk.value("Metadata").is_some());
    desk.fill("New expiration", "9d");
    desk.arm();
    desk.focus_button("Review");
    let enter = |desk: &mut Desk| {
        for pressed in [true, false] {
            let (key, modifiers) = (Key::Enter, eframe::egui::Modifiers::NONE);
            let event = eframe::egui::Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
            desk.harness.input_mut().events.push(event);
            desk.harness.step();
        }
    };
    enter(&mut desk);
    desk.wait("the review", |desk| desk.is_on("Update 1 key"));
    (0..3).for_each(|_| enter(&mut desk));
    (0..20).for_each(|_| desk.harness.step());
    assert!(!desk.sees("1 key updated") && !desk.sees("Updating 1 key"), "{:?}", desk.texts());
}

#[test]
fn a_double_click_on_the_question_about_one_connection_does_not_answer_that_about_the_next() {
    let sandbox = RunningSandbox::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let mut desk = Desk::new(Setting { vault, step: 0.05, ..Setting::default() });
    desk.wait_for("No connections yet");
    for name in ["one", "two"] {
        let profile = other(&sandbox, name, Environment::Staging);
        desk.harness.state_mut().send(Command::Connect(Box::new(profile)));
        desk.wait_for(&format!("The connection “{name}” is not saved"));
    }
    assert!(desk.is_close_refused());
    desk.wait_for("“one” is not saved");
    desk.arm();
    let at = desk.button_at("Close without saving");
    assert!(!desk.press_at(at, 2), "the second press answered the question about another connection");
    desk.wait_for("“two” is not saved");
    desk.arm();
    assert!(desk.press_at(at, 1));
}

#[test]
fn why_the_window_does_not_close_is_said_in_the_dialog_that_is_in_the_way() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let front = runtime.block_on(Front::start(20));
    front.when("DELETE", "/_security/api_key", |_| Line::Holds(1500));
    let mut desk = Desk::connected(&front.sockets.url("http"), ("officer", "officer-password"), Setting::default());
    let rows = desk.texts().into_iter().filter(|text| text.starts_with("Select ") && !text.contains("all shown"));
    let name = rows.map(|text| text["Select ".len()..].to_owned()).next().unwrap();
    desk.tick(&format!("Select {name}"));
    desk.press("Invalidate");
    desk.press("Invalidate 1 key");
    assert!(desk.is_close_refused());
    desk.wait_for("Keybearer can’t be closed yet");
    assert!(desk.in_dialog("Keys are being invalidated"), "it is said behind the dialog");
    // It is said as long as it is so.
    desk.wait_for("1 key invalidated");
    assert!(!desk.sees("Keybearer can’t be closed yet"));
}

#[test]
fn f6_does_not_reach_what_lies_below_a_dialog() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting::default());
    desk.press("Export");
    desk.wait_for("Export 320 keys");
    for _ in 0..4 {
        desk.key(Key::F6);
        assert_eq!(below(&desk), Vec::<String>::new());
        let focused = desk.focused();
        assert!(focused.is_none_or(|name| ["File", "Cancel", "Export 320 keys"].contains(&name.as_str())));
    }
}

#[test]
fn a_secret_that_was_cleared_from_the_clipboard_is_not_kept() {
    let sandbox = RunningSandbox::start();
    let clock = TestClock::default();
    let mut desk = on(&sandbox, Setting { clock: clock.clone(), ..Setting::default() });
    create(&mut desk, "brief");
    copy(&mut desk);
    desk.press("Close");
    desk.wait_for("The secret is only on the clipboard");
    desk.press("Go back");
    *clock.lock().unwrap() = Some(keybearer::ops::clock::now() + TimeDelta::from_secs(31));
    desk.wait("an empty clipboard", |desk| desk.clipboard.0.lock().unwrap().is_none());
    desk.wait_for("No longer on the clipboard");
    let claims = ["On the clipboard", "Only on the clipboard"];
    assert!(claims.iter().all(|claim| !desk.sees(claim)), "{:?}", desk.texts());
    desk.key(Key::Escape);
    desk.wait_for("The secret is no longer on the clipboard");
    assert!(desk.is_close_refused(), "nobody has the secret");
    desk.press("Close without saving it");
    desk.wait("the end of the card", |desk| !desk.sees("Key created"));
}

#[test]
fn a_key_whose_secret_nobody_has_is_invalidated_from_its_card_with_proof() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting::default());
    create(&mut desk, "useless");
    assert!(is_usable(&sandbox, "useless"));
    desk.press("Close");
    desk.press("Invalidate it now");
    desk.wait_for("1 key invalidated");
    assert!(!is_usable(&sandbox, "useless"));
    desk.press("Close");
    desk.wait("the end of the card", |desk| !desk.sees("Key created"));
}

#[test]
fn where_the_key_could_not_be_invalidated_the_card_stays() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting::default());
    create(&mut desk, "stays");
    drop(sandbox);
    desk.press("Close");
    desk.press("Invalidate it now");
    desk.wait("an outcome", |desk| desk.is_on("Close"));
    desk.press("Close");
    desk.wait_for("Key created");
    assert!(desk.is_close_refused());
}

#[test]
fn closing_the_window_goes_on_after_the_last_answer_and_not_after_going_back() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting::default());
    create(&mut desk, "first");
    assert!(desk.is_close_refused());
    desk.press("Go back");
    desk.press("Close");
    desk.arm();
    assert!(!desk.press_at(desk.button_at("Close without saving it"), 1), "closing was taken back");
    create(&mut desk, "second");
    assert!(desk.is_close_refused());
    desk.arm();
    assert!(desk.press_at(desk.button_at("Close without saving it"), 1), "it was asked to close, and still is open");
}

#[test]
fn the_card_names_its_connection_and_says_when_another_is_behind_it() {
    let sandbox = RunningSandbox::start();
    let production = other(&sandbox, "search-eu", Environment::Production);
    let mut desk = on(&sandbox, Setting { profiles: vec![production], ..Setting::default() });
    create(&mut desk, "of-the-practice");
    assert!(desk.sees("On as officer") && !desk.sees("Behind this card"), "{:?}", desk.texts());
    // A cluster that is opened meanwhile.
    let profile = other(&sandbox, "search-eu", Environment::Production);
    desk.harness.state_mut().send(Command::Connect(Box::new(profile)));
    desk.wait_for("Behind this card: search-eu");
    assert!(desk.sees("On as officer"));
}

/// Nodes that could be pressed or typed into, besides those of a dialog.
fn reachable(node: Node<'_>, found: &mut Vec<String>) {
    let inner = node.accesskit_node();
    if inner.role() == Role::Dialog {
        return;
    }
    let acts = matches!(
        inner.role(),
        Role::Button
            | Role::CheckBox
            | Role::RadioButton
            | Role::Row
            | Role::TextInput
            | Role::MultilineTextInput
            | Role::PasswordInput
    );
    if acts && !inner.is_disabled() {
        found.push(format!("{:?} {:?}", inner.role(), inner.label()));
    }
    node.children().for_each(|child| reachable(child, found));
}

fn below(desk: &Desk) -> Vec<String> {
    let mut found = Vec::new();
    reachable(desk.harness.root(), &mut found);
    found
}

#[test]
fn what_lies_below_a_dialog_can_not_be_pressed_by_assistive_technology_either() {
    let sandbox = RunningSandbox::start();
    let mut desk = on(&sandbox, Setting::default());
    assert!(below(&desk).len() > 30, "the test sees no controls");
    let rows = desk.texts().into_iter().filter(|text| text.starts_with("Select ") && !text.contains("all shown"));
    let name = rows.map(|text| text["Select ".len()..].to_owned()).next().unwrap();
    desk.press("Export");
    desk.wait_for("Export 320 keys");
    assert_eq!(below(&desk), Vec::<String>::new());
    desk.press_by_name("Create key");
    assert!(!desk.sees("Summary"), "a button below the dialog was pressed");
    desk.press("Cancel");
    desk.press("Check a secret");
    desk.wait_for("Check");
    assert_eq!(below(&desk), Vec::<String>::new());
    desk.press("Close");
    desk.tick(&format!("Select {name}"));
    desk.press("Invalidate");
    desk.wait_for("Invalidate 1 key");
    assert_eq!(below(&desk), Vec::<String>::new());
    desk.press("Cancel");
    create(&mut desk, "above");
    assert_eq!(below(&desk), Vec::<String>::new());
    copy(&mut desk);
    desk.close_card();
    assert!(below(&desk).len() > 10, "what lay below can be pressed again");
}

fn fill_in(desk: &mut Desk, sandbox: &RunningSandbox, name: &str) {
    desk.press("Add connection");
    desk.fill("Connection name", name);
    desk.fill("URL", sandbox.sandbox.url());
    desk.choose("Staging");
    desk.choose("User");
    desk.fill("User name", &sandbox.sandbox.accounts()[0].name);
    desk.fill("Password", &sandbox.sandbox.accounts()[0].password);
    desk.choose("Fingerprint");
    desk.fill("Fingerprint", sandbox.sandbox.fingerprint());
}

#[test]
fn a_connection_that_is_not_saved_says_so_and_is_asked_about_before_the_window_closes() {
    let sandbox = RunningSandbox::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let mut desk = Desk::new(Setting { vault: vault.clone(), ..Setting::default() });
    desk.wait_for("No connections yet");
    fill_in(&mut desk, &sandbox, "lab");
    desk.press("Connect");
    desk.wait_for("The connection “lab” is not saved");
    desk.wait_for("All 320 keys loaded");
    desk.press("Connections");
    desk.wait_for("Open, not saved");
    assert!(!desk.sees("New connection"), "its title is its name");

    assert!(desk.is_close_refused());
    desk.wait_for("“lab” is not saved");
    desk.press("Go back");
    desk.wait("the end of the question", |desk| !desk.sees("Save and close"));
    desk.press("Save this connection");
    desk.wait("the end of the offer", |desk| !desk.sees("not saved"));
    assert!(!desk.is_close_refused());

    let mut again = Desk::new(Setting { vault, ..Setting::default() });
    again.press("Edit lab");
    again.press("Connect");
    again.wait_for("All 320 keys loaded");
    assert!(!again.sees("not saved"));

    // What was changed and not saved is not saved either.
    again.press("Connections");
    again.fill("Connection name", "lab two");
    again.press("Connect");
    again.wait_for("The connection “lab two” is not saved");
    assert!(again.is_close_refused());
    again.arm();
    assert!(again.press_at(again.button_at("Close without saving"), 1));
}

#[test]
fn a_connection_is_saved_while_the_window_closes() {
    let sandbox = RunningSandbox::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let mut desk = Desk::new(Setting { vault: vault.clone(), ..Setting::default() });
    desk.wait_for("No connections yet");
    fill_in(&mut desk, &sandbox, "late");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    desk.press("Not now");
    desk.wait("the end of the offer", |desk| !desk.sees("is not saved"));
    assert!(!desk.is_close_refused(), "who said “Not now” is not asked again");

    let mut desk = Desk::new(Setting { vault: vault.clone(), ..Setting::default() });
    desk.wait_for("No connections yet");
    fill_in(&mut desk, &sandbox, "late");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    assert!(desk.is_close_refused());
    desk.press("Save and close");
    let mut again = Desk::new(Setting { vault, ..Setting::default() });
    again.wait_for("Edit late");
}
