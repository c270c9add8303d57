//! Connections whose credential is asked for each time, in the window.

use std::sync::Arc;

use keybearer::{
    app::Command,
    model::{
        connections::{
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    store::vault::{Vault, memory::MemoryVault},
};

use crate::desk::{Desk, RunningSandbox, Setting};

const PASSWORD: &str = "officer-password";
const QUESTION: &str = "is asked for each time, and never saved";

/// Everything that the vault holds, as text.
fn held(vault: &MemoryVault) -> String {
    let names = vault.names("").unwrap();
    names.iter().map(|name| vault.read(name).unwrap().unwrap().expose().to_owned()).collect()
}

/// Types into the question, after it came.
fn answer(desk: &mut Desk, password: &str) {
    desk.wait_for(QUESTION);
    desk.fill("Password of officer", password);
    desk.press("Sign in");
}

#[test]
fn it_is_asked_for_at_each_opening_and_is_in_no_keyring() {
    let sandbox = RunningSandbox::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let login = Login::Password { username: "officer".into(), password: Secret::new(PASSWORD) };
    let endpoint =
        keybearer::model::connections::endpoint::Endpoint { asks_credential: true, ..sandbox.endpoint(login) };
    let profile =
        Profile { id: ProfileId("place".into()), name: "place".into(), environment: Environment::Staging, endpoint };
    let mut desk = Desk::new(Setting { vault: vault.clone(), profiles: vec![profile], ..Setting::default() });
    assert!(!held(&vault).contains(PASSWORD));
    desk.wait_for("place");
    desk.press("Edit place");
    desk.wait_for("Asked for whenever you open the connection");
    assert!(desk.is_chosen("Ask each time") && desk.is_off("Test connection") && desk.is_on("Connect"));
    desk.press("Connect");
    answer(&mut desk, "wrong");
    desk.wait_for("The sign-in was refused");
    // What was wrong is forgotten: trying again asks again, and canceling opens nothing.
    desk.press("Connections");
    desk.press("Connect");
    desk.wait_for(QUESTION);
    desk.press("Cancel");
    assert!(!desk.sees(QUESTION));
    desk.press("Connect");
    answer(&mut desk, PASSWORD);
    desk.wait_for_keys();
    assert!(!desk.sees("is not saved") && !held(&vault).contains(PASSWORD));
    // It is open: nothing is asked for to show it, and saving it again saves no credential.
    let open = desk.harness.state().state().cluster().unwrap().profile.clone();
    desk.harness.state_mut().send(Command::Connect(Box::new(open.as_saved())));
    desk.harness.state_mut().send(Command::SaveProfile(Box::new(open)));
    desk.wait_for("The keyring is up to date");
    assert!(!desk.sees(QUESTION) && !held(&vault).contains(PASSWORD));
    // The lock drops it.
    desk.press("Lock");
    desk.wait_for("were dropped from memory");
    desk.press("Unlock");
    answer(&mut desk, PASSWORD);
    desk.wait_for_keys();
    // Whoever has it saved from now on types it in the form.
    desk.press("Connections");
    desk.press("Edit place");
    desk.choose("Save in the keyring");
    desk.harness.step();
    desk.fill("Password", PASSWORD);
    desk.press("Save connection");
    desk.wait("the password in the keyring", |_| held(&vault).contains(PASSWORD));
}
