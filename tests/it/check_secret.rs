//! Checking a secret in the window, and what a key's page says of its rights; on the practice cluster.

use eframe::egui::Key;
use keybearer::{
    app::Command,
    model::{
        connections::login,
        create::{Draft, RightsChoice, Surroundings},
        secret::Secret,
    },
    ops::{self, clock, connections::connect, secret::identify::Asked},
};

use crate::desk::{Desk, RunningSandbox};

const FIELD: &str = "Secret to check";

/// A key of the officer: its id and its secret.
pub fn made(sandbox: &RunningSandbox, name: &str) -> (String, Secret) {
    let endpoint = sandbox.profile().endpoint;
    let session = sandbox.runtime.block_on(connect::connect(&endpoint)).unwrap();
    let draft = Draft {
        name: name.into(),
        rights: RightsChoice::Roles,
        roles: vec!["reader".into()],
        expiration: "1d".into(),
        ..Default::default()
    };
    let roles = sandbox.runtime.block_on(session.client.roles()).unwrap();
    let around = Surroundings {
        now: session.now(),
        zone: &clock::zone(),
        roles: Some(&roles),
        edition: session.edition,
        by_api_key: false,
    };
    let key = draft.check(around, "request-1").unwrap();
    let made = sandbox.runtime.block_on(ops::create::create(&session, &key)).unwrap();
    (made.id.to_string(), made.secret)
}

#[test]
fn a_secret_is_pasted_and_told_whose_it_is_and_what_it_may() {
    let sandbox = RunningSandbox::start();
    let (id, secret) = made(&sandbox, "held");
    let encoded = login::encode(&id, &secret);
    let mut desk = Desk::on_sandbox_with(&sandbox, 321);
    desk.press("Check a secret");
    desk.wait_for("Nothing is changed or saved");
    assert!(!desk.is_on("Check"));
    desk.fill(FIELD, &format!("Authorization: ApiKey {}", encoded.expose()));
    desk.fill("Indices to check", "my_index, other");
    desk.press("Check");
    desk.wait_for("It works but lacks a privilege");
    for text in [
        "It is an Authorization header",
        id.as_str(),
        "held",
        "on my_index: granted",
        "on other: not granted",
        "Monitors the cluster",
    ] {
        assert!(desk.sees(text), "{text}: {:?}", desk.texts());
    }
    for text in desk.texts() {
        assert!(!text.contains(secret.expose()) && !text.contains(encoded.expose()), "the secret is in the tree");
    }
    desk.harness.run_ok();
    desk.press("Open key page");
    desk.wait("end of the dialog", |desk| !desk.sees("It works") && !desk.sees(FIELD));
    // Opened again, the dialog is empty.
    desk.press("Check a secret of this key");
    desk.wait_for("whether this is the secret of held");
    assert!(!desk.is_on("Check"));
    desk.key(Key::Escape);
    desk.wait("end of the dialog", |desk| !desk.sees(FIELD));
}

#[test]
fn what_is_wrong_with_a_secret_is_said() {
    let sandbox = RunningSandbox::start();
    let (id, secret) = made(&sandbox, "held");
    let (other, _) = made(&sandbox, "other");
    let mut desk = Desk::on_sandbox_with(&sandbox, 322);
    desk.press("Check a secret");
    desk.fill(FIELD, "ui2lp2axTNmsyakw9tvNnw");
    desk.press("Check");
    desk.wait_for("The id is missing");
    desk.fill(FIELD, &format!("{id}:{}", "x".repeat(22)));
    desk.press("Check");
    desk.wait_for("this is not its secret");
    // A field of one line makes blanks of the line ends that are pasted.
    desk.fill(FIELD, &format!("{id}:  {} ", secret.expose()));
    desk.press("Check");
    desk.wait_for("spaces or line breaks");
    assert!(desk.sees("It works"));
    desk.press("Close");
    desk.fill("Search", "other");
    desk.click_row("other");
    desk.press("Check a secret of this key");
    desk.fill(FIELD, &format!("{id}:{}", secret.expose()));
    desk.press("Check");
    desk.wait_for("Secret of a different key");
    assert!(!other.is_empty());
}

#[test]
fn no_command_says_what_was_pasted() {
    let command = Command::CheckSecret(Secret::new("hunter2"), Asked::default());
    assert!(!format!("{command:?}").contains("hunter2"));
}

#[test]
fn the_page_of_a_key_says_what_it_can_do_within_its_owners_rights() {
    let sandbox = RunningSandbox::start();
    made(&sandbox, "paged");
    let mut desk = Desk::on_sandbox_with(&sandbox, 321);
    desk.fill("Search", "paged");
    desk.click_row("paged");
    desk.wait_for("Its owner still has the same privileges");
    assert!(desk.sees("Reads and sees settings and mappings in my_index."), "{:?}", desk.texts());
    desk.press("Show as JSON");
    desk.wait_for("\"verdict\": \"limited\"");
    assert!(desk.is_on("Copy JSON"));
    desk.press("Show as text");
    desk.wait_for("Its owner still has the same privileges");
}
