//! Updating keys in the window: what is shown before, what needs a word of its own, and what becomes of each.

use keybearer::{
    model::TimeDelta,
    ops::{Session, create, keys::list},
};

use crate::{
    desk::{Desk, Setting},
    front::{Front, Line},
};

/// A practice cluster with keys of the officer, and a window on it.
struct Place {
    front: Front,
    runtime: tokio::runtime::Runtime,
}

fn draft(name: &str) -> keybearer::model::create::CreateKey {
    use keybearer::model::{
        Timestamp,
        create::{Draft, RightsChoice, Surroundings},
        version::Edition,
    };
    let rights = RightsChoice::Nothing;
    let draft = Draft { name: name.into(), rights, expiration: "1d".into(), ..Draft::default() };
    let zone = jiff::tz::TimeZone::UTC;
    let around =
        Surroundings { now: Timestamp::EPOCH, zone: &zone, roles: None, edition: Edition::Unknown, by_api_key: false };
    draft.check(around, &format!("request-{name}")).unwrap()
}

impl Place {
    fn start(names: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let front = runtime.block_on(async {
            let front = Front::start(20).await;
            let session = front.session("officer").await;
            for name in names {
                create::create(&session, &draft(name)).await.unwrap();
            }
            front
        });
        Self { front, runtime }
    }

    fn desk(&self) -> Desk {
        Desk::connected(&self.front.sockets.url("http"), ("officer", "officer-password"), Setting::default())
    }

    /// The keys of a name beginning so, as the cluster has them.
    fn keys(&self, beginning: &str) -> Vec<keybearer::model::api_key::ApiKey> {
        self.runtime.block_on(async {
            let session: Session = self.front.session("officer").await;
            let list = list::all(&session, |_| ()).await.unwrap();
            list.keys.keys().filter(|key| key.name.starts_with(beginning)).collect()
        })
    }

    fn metadata(&self, name: &str) -> String {
        self.keys(name)[0].metadata.as_deref().unwrap().get().to_owned()
    }
}

fn open(desk: &mut Desk, name: &str) {
    desk.fill("Search", name);
    desk.harness.step();
    desk.click_row(name);
    desk.press("Update");
    desk.wait("the texts of the key", |desk| desk.value("Metadata").is_some());
}

#[test]
fn one_key_is_changed_after_what_is_different_was_shown() {
    let place = Place::start(&["mine"]);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    let text = desk.value("Metadata").unwrap();
    assert!(text.contains("request-mine"), "{text}");
    desk.fill("Metadata", &text.replacen('{', "{\"team\": \"payments\", ", 1));
    desk.fill("New expiration", "9d");
    desk.press("Review");
    desk.wait_for("Review the changes");
    for words in ["metadata/team", "+\u{a0}\"payments\"", "Expires: ", "owner’s privileges"] {
        assert!(desk.sees(words), "{words}: {:?}", desk.texts());
    }
    assert!(!desk.sees("role_descriptors/"), "what was not changed is not sent");
    assert!(!place.metadata("mine").contains("payments"), "nothing was sent yet");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
    assert!(place.metadata("mine").contains("payments"));
    let left = place.keys("mine")[0].expires.unwrap() - keybearer::ops::clock::now();
    assert!((8..=9).contains(&(left / TimeDelta::DAY)), "{left:?}");
    desk.press("Close the update");
    assert!(!desk.sees("1 key updated"));
}

#[test]
fn emptiness_is_spelled_out_and_needs_its_word() {
    let place = Place::start(&["mine"]);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    desk.choose("JSON");
    desk.fill("Role descriptors", "{}");
    desk.fill("Metadata", "{}");
    desk.press("Review");
    desk.wait_for("The key loses its limits");
    assert!(desk.sees("everything its owner can") && desk.sees("All metadata is removed"));
    assert!(!desk.is_on("Update 1 key"));
    desk.tick("Give it all the owner’s rights");
    assert!(!desk.is_on("Update 1 key"), "the other word is missing");
    desk.tick("Remove all metadata");
    assert!(desk.is_on("Update 1 key"));
    // Going back takes the words back.
    desk.press("Back");
    desk.press("Review");
    desk.wait_for("The key loses its limits");
    assert!(!desk.is_on("Update 1 key"));
    desk.tick("Give it all the owner’s rights");
    desk.tick("Remove all metadata");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
    assert_eq!(place.metadata("mine"), "{}");
    assert!(place.keys("mine")[0].is_unrestricted());
}

#[test]
fn a_slip_stays_at_its_field_and_nothing_different_is_not_sent() {
    let place = Place::start(&["mine"]);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    desk.choose("JSON");
    desk.fill("Role descriptors", "[]");
    desk.fill("New expiration", "never");
    desk.press("Review");
    desk.wait_for("must be a JSON object");
    assert!(desk.sees("can't be removed") && !desk.sees("Review the changes"));
    desk.press("Cancel");
    desk.press("Update");
    desk.wait("the texts of the key", |desk| desk.value("Metadata").is_some());
    desk.choose("JSON");
    assert_ne!(desk.value("Role descriptors").as_deref(), Some("[]"), "a new form begins anew");
    desk.press("Review");
    desk.wait("the review", |desk| desk.sees("Nothing would change") || desk.sees("Your input"));
}

#[test]
fn the_key_of_another_says_that_only_run_as_can() {
    let place = Place::start(&[]);
    let mut desk = place.desk();
    desk.fill("Search", "-owner:officer status:active type:rest");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Update");
    desk.wait_for("Set “Run as” to the owner");
    assert!(!desk.sees("Set in the metadata"));
}

#[test]
fn many_keys_get_members_and_keep_the_rest() {
    let names: Vec<String> = (0..12).map(|number| format!("many-{number:02}")).collect();
    let place = Place::start(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut desk = place.desk();
    desk.fill("Search", "name:many-*");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Update");
    desk.wait_for("Update 12 keys");
    desk.fill("Set in the metadata", "team=payments\nlevel=2");
    desk.fill("New expiration", "30d");
    desk.press("Review");
    desk.wait_for("Type “update 12” to confirm");
    assert!(!desk.is_on("Update 12 keys"));
    desk.fill("Confirmation", "update 12");
    desk.press("Update 12 keys");
    desk.wait_for("12 keys updated");
    let keys = place.keys("many-");
    assert_eq!(keys.len(), 12);
    for key in keys {
        let metadata = key.metadata_map();
        assert_eq!((&metadata["team"], &metadata["level"]), (&"payments".into(), &2.into()));
        assert_eq!(metadata["request_id"], format!("request-{}", key.name), "the others stay");
    }
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_undone() {
    use keybearer::model::{api_key::KeyId, update::KeyUpdate};
    let place = Place::start(&["batch-1", "batch-2"]);
    let mut desk = place.desk();
    desk.fill("Search", "batch");
    desk.tick("Select batch-1");
    desk.tick("Select batch-2");
    desk.press("Update");
    desk.fill("Set in the metadata", "team=search");
    desk.press("Review");
    desk.wait_for("Review the changes");
    let id: KeyId = place.keys("batch-1")[0].id.clone();
    let theirs = serde_json::value::RawValue::from_string(r#"{"ticket":"SEC-7"}"#.into()).unwrap();
    let change = KeyUpdate { metadata: Some(theirs), ..KeyUpdate::default() };
    place.runtime.block_on(async {
        let session = place.front.session("officer").await;
        let outcome = keybearer::ops::update::update(&session, &[id], &change).await;
        assert_eq!(outcome.done.len(), 1, "{:?}", outcome.failed);
    });
    desk.press("Update 2 keys");
    desk.wait_for("1 of 2 keys updated");
    assert!(desk.sees("changed in the meantime: metadata"), "{:?}", desk.texts());
    assert_eq!(place.metadata("batch-1"), r#"{"ticket":"SEC-7"}"#);
    assert!(place.metadata("batch-2").contains("search"));
}

#[test]
fn rights_that_somebody_else_has_narrowed_meanwhile_are_not_wide_again() {
    use keybearer::model::{api_key::KeyId, update::KeyUpdate};
    let place = Place::start(&["mine"]);
    let id: KeyId = place.keys("mine")[0].id.clone();
    let theirs = |text: &str| {
        let raw = serde_json::value::RawValue::from_string(text.into()).unwrap();
        let change = KeyUpdate { role_descriptors: Some(raw), ..KeyUpdate::default() };
        place.runtime.block_on(async {
            let session = place.front.session("officer").await;
            let outcome = keybearer::ops::update::update(&session, std::slice::from_ref(&id), &change).await;
            assert_eq!(outcome.done.len(), 1, "{:?}", outcome.failed);
        });
    };
    theirs(r#"{"r":{"cluster":["monitor","manage"]}}"#);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    desk.choose("JSON");
    desk.fill("Role descriptors", r#"{"r":{"cluster":["monitor","manage"]},"s":{}}"#);
    desk.press("Review");
    desk.wait_for("Review the changes");
    theirs(r#"{"r":{"cluster":["monitor"]}}"#);
    desk.press("Update 1 key");
    desk.wait_for("0 of 1 key updated");
    assert!(desk.sees("changed in the meantime: role_descriptors/r/cluster"), "{:?}", desk.texts());
    let now = place.keys("mine")[0].role_descriptors.clone().unwrap();
    assert!(now.get().contains("monitor") && !now.get().contains("manage"), "{now}");
}

#[test]
fn both_front_ends_send_the_same_requests_several_at_once() {
    use keybearer::model::api_key::KeyId;
    let names: Vec<String> = (0..12).map(|number| format!("same-{number:02}")).collect();
    let place = Place::start(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let by_window = |place: &Place| {
        let mut desk = place.desk();
        desk.fill("Search", "name:same-*");
        desk.harness.step();
        desk.tick("Select all shown keys");
        desk.press("Update");
        desk.wait_for("Update 12 keys");
        desk.fill("Set in the metadata", "team=payments");
        desk.press("Review");
        desk.wait_for("Type “update 12” to confirm");
        desk.fill("Confirmation", "update 12");
        desk.press("Update 12 keys");
        desk.wait_for("12 keys updated");
    };
    let by_command = |place: &Place| {
        let ids: Vec<KeyId> = place.keys("same-").into_iter().map(|key| key.id).collect();
        let mut command = crate::cli_practice::keybearer();
        command.env("ES_URL", place.front.sockets.url("http")).env("ES_USERNAME", "officer");
        command.env("ES_PASSWORD", "officer-password").args(["update", "--set", "team=search", "--yes", "--"]);
        let ran = crate::cli_practice::run(command.args(ids.iter().map(KeyId::as_str)));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    for (front_end, name) in [(&by_window as &dyn Fn(&Place), "window"), (&by_command, "command line")] {
        place.front.when("PUT", "/_security/api_key", |_| Line::Holds(700));
        front_end(&place);
        assert_eq!((place.front.count(), place.front.most_at_once()), (12, 8), "{name}");
    }
}

#[test]
fn what_was_typed_is_not_dropped_by_escape_unasked() {
    let place = Place::start(&["mine"]);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    desk.fill("New expiration", "9d");
    desk.key(eframe::egui::Key::Escape);
    desk.wait_for("Your input would be lost");
    desk.press("Keep editing");
    assert_eq!(desk.value("New expiration").as_deref(), Some("9d"));
    desk.key(eframe::egui::Key::Escape);
    desk.wait_for("Your input would be lost");
    desk.press("Discard your input");
    desk.wait("the dialog to close", |desk| desk.value("Metadata").is_none());
    // Where nothing was typed, nothing is asked.
    open(&mut desk, "mine");
    desk.key(eframe::egui::Key::Escape);
    desk.wait("the dialog to close", |desk| desk.value("Metadata").is_none());
}

#[test]
fn a_lost_answer_is_told_as_what_the_key_itself_shows() {
    let place = Place::start(&["mine"]);
    let mut desk = place.desk();
    open(&mut desk, "mine");
    place.front.when("PUT", "/_security/api_key", |_| Line::CutBefore);
    desk.fill("New expiration", "9d");
    desk.press("Review");
    desk.wait_for("Review the changes");
    desk.press("Update 1 key");
    desk.wait_for("0 of 1 key updated");
    assert!(desk.sees("does not show the change"), "{:?}", desk.texts());
    desk.press("Close the update");
    place.front.when("PUT", "/_security/api_key", |_| Line::CutAfter);
    open(&mut desk, "mine");
    desk.fill("New expiration", "9d");
    desk.press("Review");
    desk.wait_for("Review the changes");
    desk.press("Update 1 key");
    desk.wait_for("1 key updated");
}
