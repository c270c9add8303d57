//! The lock in the window: nothing of a cluster is left on the screen or in the accessible tree, and who comes back has
//! to prove who they are.

use std::sync::Arc;

use keybearer::{
    model::{TimeDelta, connections::login::Login, secret::Secret},
    store::vault::memory::MemoryVault,
};

use crate::desk::{Desk, RunningSandbox, Setting, TestClock};

const PASSWORD: &str = "officer-password";

/// A window on a practice cluster whose connection is in a keyring.
fn opened(sandbox: &RunningSandbox, setting: Setting) -> (Desk, Arc<MemoryVault>) {
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let login = Login::Password { username: "officer".into(), password: Secret::new(PASSWORD) };
    let desk = Desk::opened(sandbox.endpoint(login), Setting { vault: vault.clone(), ..setting });
    (desk, vault)
}

/// Texts that a stranger must not see: the names of the connection, the host, the user and keys, and counts.
fn is_silent(desk: &Desk) -> bool {
    let texts = desk.texts();
    !["place", "127.0.0.1", "localhost", "officer", "keys", "Search", "manage_"]
        .iter()
        .any(|word| texts.iter().any(|text| text.contains(word)))
}

#[test]
fn a_locked_window_tells_nothing_and_an_open_keyring_asks_for_the_credential() {
    let sandbox = RunningSandbox::start();
    let (mut desk, _vault) = opened(&sandbox, Setting::default());
    desk.fill("Search", "owner:officer");
    desk.press("Lock");
    desk.wait_for("Keybearer is locked");
    desk.wait_for("were dropped from memory");
    assert!(is_silent(&desk), "{}", desk.texts().join("\n"));
    desk.press("Unlock");
    desk.wait_for("can’t confirm who you are");
    assert!(desk.is_off("Unlock"), "nothing was typed");
    desk.fill("Connection name", "place");
    desk.fill("Password, token or API key", "wrong");
    desk.press("Unlock");
    desk.wait_for("No saved connection has this name and this credential");
    assert!(is_silent_but(&desk, "place"));
    desk.fill("Password, token or API key", PASSWORD);
    desk.press("Unlock");
    desk.wait_for_keys();
    assert!(desk.sees("Cluster place") && !desk.sees("Keybearer is locked"));
    assert_eq!(desk.value("Search").as_deref(), Some(""), "what was typed before is gone");
}

/// What was typed just now may be there.
fn is_silent_but(desk: &Desk, typed: &str) -> bool {
    !desk.texts().iter().any(|text| text.contains("officer") || (text.contains(typed) && text != typed))
}

#[test]
fn a_keyring_that_was_locked_has_asked_by_itself() {
    let sandbox = RunningSandbox::start();
    let (mut desk, vault) = opened(&sandbox, Setting::default());
    desk.harness.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::L);
    desk.wait_for("Keybearer is locked");
    vault.lock_it(true);
    desk.press("Unlock");
    desk.wait_for_keys();
}

#[test]
fn an_idle_window_ends_the_key_whose_secret_nobody_saved_and_says_so_afterward() {
    let sandbox = RunningSandbox::start();
    let clock = TestClock::default();
    let setting = Setting { clock: clock.clone(), lock_after: Some(10), ..Setting::default() };
    let (mut desk, vault) = opened(&sandbox, setting);
    desk.press("Create");
    desk.fill("Name", "forgotten");
    desk.fill("Roles", "reader");
    desk.press("Add reader");
    desk.fill("Expiration", "1d");
    desk.press("Create key");
    desk.wait_for("Key created");
    let id = sandbox.key_named("forgotten")["id"].as_str().unwrap().to_owned();
    // Eleven minutes without a hand on keyboard or pointer.
    let later = keybearer::ops::clock::now() + TimeDelta::from_secs(11 * 60);
    *clock.lock().unwrap() = Some(later);
    desk.wait_for("after 10 minutes idle");
    desk.wait_for("were dropped from memory");
    assert!(!desk.texts().iter().any(|text| text.contains("forgotten")), "{}", desk.texts().join("\n"));
    assert_eq!(sandbox.key_named("forgotten")["invalidated"], true);
    vault.lock_it(true);
    desk.press("Unlock");
    desk.wait_for("While Keybearer was locked");
    assert!(desk.sees(&format!("“forgotten” ({id}) was invalidated")), "{}", desk.texts().join("\n"));
    desk.press("Dismiss the notice about the lock");
    assert!(!desk.sees("While Keybearer was locked"));
}

#[test]
fn settings_choose_the_idle_time() {
    let sandbox = RunningSandbox::start();
    let (mut desk, _vault) = opened(&sandbox, Setting { lock_after: Some(10), ..Setting::default() });
    desk.press("Settings");
    desk.wait_for("Lock when idle for");
    assert!(desk.is_chosen("10 minutes"));
    desk.choose("Never");
    desk.harness.step();
    assert!(desk.is_chosen("Never"));
    desk.press("Lock now");
    desk.wait_for("Keybearer is locked");
}
