//! Connections that change nothing, or nothing without their name: proved by what arrives at a server that records every
//! request.

use std::time::Duration;

use keybearer::{
    client::{Client, ClientError},
    model::{
        Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            protection::Protection,
        },
        create::{CreateKey, Draft, RightsChoice, Surroundings},
        secret::Secret,
        version::Edition,
    },
    ops::connections::{connect, protection},
};

use crate::{
    cli_practice::{Practice, Ran, folder, keybearer, run, text},
    cutting_proxy::{Proxy, Seen},
};

/// A practice cluster behind something that records all requests.
pub struct Recorded {
    pub practice: Practice,
    pub proxy: Proxy,
}

impl Recorded {
    pub fn start() -> Self {
        let practice = Practice::start();
        let proxy = Proxy::start(practice.sandbox());
        Self { practice, proxy }
    }

    pub fn endpoint(&self, protection: Protection) -> Endpoint {
        let login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
        let url = ClusterUrl::parse(&self.proxy.url()).unwrap();
        Endpoint { timeout: Duration::from_secs(90), protection, ..Endpoint::new(url, login) }
    }

    /// Runs a command of the officer through the recorder.
    pub fn ran(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        let mut command = self.practice.user(keybearer(), "officer");
        command.env_remove("ES_FINGERPRINT").env("ES_URL", self.proxy.url()).envs(variables.iter().copied());
        run(command.args(args))
    }

    /// The UUID of the cluster.
    pub fn uuid(&self) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let session = runtime.block_on(connect::connect(&self.endpoint(Protection::None))).unwrap();
        session.cluster_uuid.unwrap()
    }

    /// The requests that are no reads.
    pub fn changes(&self) -> Vec<Seen> {
        let reads = ["/_security/_query/api_key", "/_security/user/_has_privileges"];
        let is_read = |seen: &Seen| {
            let path = seen.path.split('?').next().unwrap();
            seen.method == "GET" || seen.method == "POST" && (reads.contains(&path) || path.ends_with("/_search"))
        };
        self.proxy.seen().into_iter().filter(|seen| !is_read(seen)).collect()
    }
}

fn new_key(name: &str) -> CreateKey {
    let rights = RightsChoice::Nothing;
    let draft = Draft { name: name.into(), rights, expiration: "9d".into(), ..Draft::default() };
    let zone = jiff::tz::TimeZone::UTC;
    let edition = Edition::Unknown;
    draft
        .check(Surroundings { now: Timestamp::EPOCH, zone: &zone, roles: None, edition, by_api_key: false }, "r")
        .unwrap()
}

/// Sends one change of each kind that doesn't need a license. Returns the errors.
pub async fn every_change(client: &Client, id: &KeyId) -> Vec<Option<ClientError>> {
    let update = keybearer::model::update::KeyUpdate::default();
    let now = Timestamp::EPOCH;
    vec![
        client.create_api_key(&new_key("by-client"), now).await.err(),
        client.update_api_key(id, &update).await.err(),
        client.bulk_update_api_keys(std::slice::from_ref(id), &update).await.err(),
        client.invalidate(std::slice::from_ref(id), false).await.err(),
        client.create_documents("journal", &[("1", "{}")]).await.err(),
    ]
}

#[test]
fn through_a_read_only_connection_no_change_leaves_whatever_asks_for_it() {
    let place = Recorded::start();
    let id =
        KeyId::new(place.practice.create("one", &["--id", "one-app", "--expiration", "9d"])["id"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = connect::connect(&place.endpoint(Protection::ReadOnly)).await.unwrap();
        assert!(session.client.get_api_key(&id, false).await.unwrap().is_some(), "reads go through");
        for error in every_change(&session.client, &id).await {
            assert_eq!(error, Some(ClientError::ReadOnly));
        }
        // No name opens it.
        assert!(protection::confirm(&session, "place", "place").unwrap_err().detail.contains("read-only"));
    });
    assert!(!place.proxy.seen().is_empty(), "everything went through the recorder");
    assert!(place.changes().is_empty(), "{:?}", place.changes());
}

#[test]
fn through_a_protected_connection_a_change_leaves_only_after_its_name() {
    let place = Recorded::start();
    let id =
        KeyId::new(place.practice.create("one", &["--id", "one-app", "--expiration", "9d"])["id"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = connect::connect(&place.endpoint(Protection::Name)).await.unwrap();
        for error in every_change(&session.client, &id).await {
            assert_eq!(error, Some(ClientError::Unconfirmed));
        }
        for typed in ["", "plac", "PLACE", "place2"] {
            let problem = protection::confirm(&session, "place", typed).unwrap_err();
            assert!(problem.detail.contains("not the name of this connection"), "{problem}");
        }
        assert!(place.changes().is_empty(), "{:?}", place.changes());
        let confirmed = protection::confirm(&session, "place", " place ").unwrap();
        confirmed.client.invalidate(std::slice::from_ref(&id), false).await.unwrap();
        assert_eq!(place.changes().len(), 1, "{:?}", place.changes());
        // What was confirmed is that operation, not the session.
        assert_eq!(
            session.client.invalidate(std::slice::from_ref(&id), false).await.err(),
            Some(ClientError::Unconfirmed)
        );
    });
}

#[test]
fn every_command_that_changes_something_is_refused_by_read_only() {
    let place = Recorded::start();
    let key = place.practice.create("one", &["--id", "one-app", "--expiration", "9d"]);
    let home = folder();
    let (journal, secret) = (home.path().join("journal"), home.path().join("secret"));
    std::fs::write(&secret, key["encoded"].as_str().unwrap()).unwrap();
    let password = home.path().join("password");
    std::fs::write(&password, "olga-password").unwrap();
    let variables = [("KEYBEARER_JOURNAL", text(&journal))];
    // Something to ship.
    let ran = place
        .practice
        .user(keybearer(), "officer")
        .env("KEYBEARER_JOURNAL", &journal)
        .args(["create", "--no-rights", "--name", "x", "--expiration", "1d", "--output", "json"])
        .output();
    assert!(ran.unwrap().status.success());
    place.proxy.calm();
    let commands: [&[&str]; 9] = [
        &["create", "--name", "new", "--no-rights", "--expiration", "1d", "--output", "json"],
        &["create", "--name", "new", "--no-rights", "--expiration", "1d", "--secret-file", "new-secret"],
        &["update", "one-app", "--set", "a=1", "--yes"],
        &["invalidate", "one-app", "--yes"],
        &["invalidate", "--filter", "name:one", "--yes", "--count", "1"],
        &["rotate", "one-app", "--yes", "--output", "json"],
        &["rotate", "--due", "--yes"],
        &["clone", "one-app", "--source-file", text(&secret), "--output", "json"],
        &["journal", "ship", "--index", "kb"],
    ];
    for args in commands {
        let ran = place.ran(&variables, &[&["--read-only"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains("read-only"), "{args:?}: {ran:?}");
    }
    let grant = ["grant", "--name", "new", "--no-rights", "--expiration", "1d", "--for", "olga", "--output", "json"];
    let ran = place.ran(&variables, &[&["--read-only"], &grant[..], &["--password-file", text(&password)]].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("read-only"), "{ran:?}");
    assert!(!std::path::Path::new("new-secret").exists(), "no file is made for a secret that never comes");
    assert!(place.changes().is_empty(), "{:?}", place.changes());
    let mut article = place.practice.user(crate::cli_practice::article(), "officer");
    article.env_remove("ES_FINGERPRINT").env("ES_URL", place.proxy.url()).envs(variables);
    let ran =
        run(article.args(["--read-only", "--name", "new", "--role", "reader", "--expiration", "1d", "--id", "new"]));
    assert!(ran.code == Some(1) && ran.out.is_empty() && ran.err.contains("read-only"), "{ran:?}");
    // What only shows goes on: reads, and requests that are printed and not sent.
    for args in [&["list"][..], &["show", "one-app"], &["rotate", "one-app", "--dry-run"]] {
        let ran = place.ran(&variables, &[&["--read-only"], args].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    }
    let ran = place
        .ran(&variables, &["--read-only", "create", "--name", "new", "--no-rights", "--expiration", "1d", "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(place.changes().is_empty(), "{:?}", place.changes());
    // The same command without it is sent.
    let ran = place.ran(&[], &["update", "one-app", "--set", "a=1", "--yes"]);
    assert_eq!((ran.code, place.changes().len()), (Some(0), 1), "{ran:?}");
}

#[cfg(feature = "window")]
mod window {
    use super::*;
    use crate::desk::{Desk, Setting};
    use keybearer::store::rotation::Rotations;

    fn open_key(desk: &mut Desk, name: &str) {
        desk.fill("Search", &format!("name:{name} -status:invalidated"));
        desk.harness.step();
        desk.click_row(name);
        desk.wait_for("What it can do");
    }

    #[test]
    fn a_read_only_connection_offers_no_change() {
        let place = Recorded::start();
        place.practice.create("one", &["--id", "one-app", "--expiration", "9d"]);
        let mut desk = Desk::opened(place.endpoint(Protection::ReadOnly), Setting::default());
        assert!(desk.sees("read-only"));
        open_key(&mut desk, "one");
        for button in ["Invalidate", "Update", "Rotate", "Clone"] {
            assert!(desk.is_off(button), "{button}:\n{}", desk.texts().join("\n"));
        }
        desk.press("Create");
        desk.wait_for("Create key");
        assert!(desk.is_off("Create key"));
        assert!(place.changes().is_empty(), "{:?}", place.changes());
    }

    #[test]
    fn the_name_is_typed_for_each_change_and_what_was_canceled_is_not_sent() {
        let place = Recorded::start();
        for name in ["one", "two"] {
            place.practice.create(name, &["--id", &format!("{name}-app"), "--expiration", "9d"]);
        }
        let mut desk = Desk::opened(place.endpoint(Protection::Name), Setting::default());
        open_key(&mut desk, "one");
        desk.press("Invalidate");
        desk.press("Invalidate 1 key");
        desk.wait_for("Confirm by name");
        assert!(place.changes().is_empty(), "nothing is sent before");
        desk.fill("Connection name", "plac");
        desk.key(eframe::egui::Key::Enter);
        desk.wait_for("“plac” is not the name of this connection");
        desk.press("Cancel");
        // The dialog is as it was.
        desk.wait_for("Invalidate 1 key");
        assert!(place.changes().is_empty(), "{:?}", place.changes());
        desk.press("Invalidate 1 key");
        desk.wait_for("Confirm by name");
        assert_eq!(desk.value("Connection name").as_deref(), Some(""), "what was typed before is gone");
        desk.fill("Connection name", "place");
        desk.press("Send the change");
        desk.wait_for("1 key invalidated");
        desk.key(eframe::egui::Key::Escape);
        let sent = place.changes().len();
        assert_eq!(sent, 1, "{:?}", place.changes());
        // The next change asks again.
        open_key(&mut desk, "two");
        desk.press("Invalidate");
        desk.press("Invalidate 1 key");
        desk.wait_for("Confirm by name");
        assert_eq!(place.changes().len(), sent);
    }

    #[test]
    fn a_key_whose_secret_is_lost_is_ended_from_its_card_without_another_question() {
        let place = Recorded::start();
        let mut desk = Desk::opened(place.endpoint(Protection::Name), Setting::default());
        desk.press("Create");
        desk.fill("Name", "unsaved");
        desk.fill("Roles", "reader");
        desk.press("Add reader");
        desk.fill("Expiration", "1d");
        desk.press("Create key");
        desk.wait_for("Confirm by name");
        desk.fill("Connection name", "place");
        desk.press("Send the change");
        desk.wait_for("Key created");
        desk.press("Close");
        desk.press("Invalidate it now");
        desk.wait("the end of the key", |_| place.changes().len() == 2);
        desk.wait_for("1 key invalidated");
    }

    #[test]
    fn a_rotation_asks_once_and_its_successor_can_be_taken_back() {
        let place = Recorded::start();
        place.practice.create("one", &["--id", "one-app", "--expiration", "9d"]);
        let home = folder();
        let rotations = Some(Rotations::at(home.path().join("rotations")));
        let mut desk = Desk::opened(place.endpoint(Protection::Name), Setting { rotations, ..Setting::default() });
        open_key(&mut desk, "one");
        desk.press("Rotate");
        desk.press("Rotate 1 key");
        desk.wait_for("Confirm by name");
        assert!(place.changes().is_empty(), "{:?}", place.changes());
        desk.fill("Connection name", "place");
        desk.key(eframe::egui::Key::Enter);
        desk.wait_for("Successor created");
        assert_eq!(place.changes().len(), 1, "{:?}", place.changes());
        desk.press("I’ve saved it");
        desk.press("Invalidate the successor, keep the old key");
        desk.wait("the end of the successor", |_| place.changes().len() == 2);
        assert!(!desk.sees("Confirm by name"));
    }
}
