//! The window behind a line that breaks or lies: what it says of a creation, an update and an invalidation is what
//! the cluster holds, or that it does not know.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use keybearer::store::journal::Journal;
use serde_json::{Value, json};

use crate::{
    cli_practice::Practice,
    cutting_proxy::{Cut, Fault, Proxy},
    desk::{Desk, Setting},
};

/// Faults at the request that changes keys, and at all later ones.
const TROUBLES: [(Fault, Option<Fault>); 9] = [
    (Fault::Cut(Cut::Before), None),
    (Fault::Cut(Cut::After), None),
    (Fault::Refused(403), None),
    (Fault::PageAfter(403), None),
    (Fault::Body("{}"), None),
    (Fault::Cut(Cut::After), Some(Fault::Cut(Cut::Before))),
    (Fault::RefusedAfter(503), Some(Fault::Refused(403))),
    (Fault::Truncated(50), Some(Fault::RowsValid)),
    (Fault::Cut(Cut::Before), Some(Fault::Refused(404))),
];

struct Place {
    practice: Practice,
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl Place {
    fn start() -> Self {
        let practice = Practice::start();
        let proxy = Proxy::start(practice.sandbox());
        Self { practice, proxy, folder: tempfile::tempdir().unwrap() }
    }

    fn journal(&self, name: &str) -> Journal {
        Journal::at(self.folder.path().join(name))
    }

    fn desk(&self, name: &str) -> Desk {
        self.proxy.calm();
        let setting = Setting { journal: self.journal(name), ..Setting::default() };
        Desk::connected(&self.proxy.url(), ("officer", "officer-password"), setting)
    }

    /// From the next request that changes keys on.
    fn trouble(&self, (first, then): (Fault, Option<Fault>)) {
        let came = Arc::new(AtomicBool::new(false));
        let seen_before = Arc::clone(&came);
        self.proxy.when(
            move |seen| {
                let is_change = matches!(seen.method.as_str(), "DELETE" | "PUT")
                    || seen.method == "POST" && seen.path.starts_with("/_security/api_key");
                is_change && !came.swap(true, Ordering::Relaxed)
            },
            first,
        );
        if let Some(then) = then {
            self.proxy.when(move |_| seen_before.load(Ordering::Relaxed), then);
        }
    }

    fn keys(&self, name: &str) -> Vec<Value> {
        self.practice.list(&[&format!("name:{name}")])
    }

    /// The last outcome in a journal.
    fn verdict(&self, name: &str) -> String {
        let mut last = String::new();
        let report = self.journal(name).check(|entry, _| last.clone_from(&entry.outcome)).unwrap();
        assert!(report.open.is_empty(), "an intent has no outcome");
        last
    }

    /// What is said, what is written down and what is so must agree.
    fn agree(&self, name: &str, said: &str, is_so: bool, around: &dyn std::fmt::Debug) {
        let verdict = self.verdict(name);
        match said {
            "done" => assert!(is_so && verdict == "success", "{around:?}: {said}, {verdict}, {is_so}"),
            "failed" => assert!(!is_so && verdict == "failure", "{around:?}: {said}, {verdict}, {is_so}"),
            _ => assert_eq!(verdict, "unknown", "{around:?}: {said}, {is_so}"),
        }
    }
}

/// The word for how many of one key are done, by the title of the dialog.
fn said_of_one(desk: &mut Desk, done: &str) -> &'static str {
    let (whole, part) = (format!("1 key {done}"), format!("0 of 1 key {done}"));
    desk.wait("an end", |desk| desk.texts().iter().any(|text| *text == whole || text.starts_with(&part)));
    let unknown = format!("{part}, 1 not known");
    if desk.sees(&unknown) {
        assert!(desk.can_choose("Not known 1") && !desk.can_choose("Failed 1"), "{:?}", desk.texts());
        "not known"
    } else if desk.sees(&part) {
        "failed"
    } else {
        "done"
    }
}

#[test]
fn of_an_invalidation() {
    let place = Place::start();
    for (number, trouble) in TROUBLES.into_iter().enumerate() {
        let name = format!("ended-{number}");
        place.practice.create(&name, &[]);
        let mut desk = place.desk(&name);
        desk.fill("Search", &name);
        desk.tick(&format!("Select {name}"));
        desk.press("Invalidate");
        desk.wait_for("Invalidate 1 key");
        place.trouble(trouble);
        desk.press("Invalidate 1 key");
        let said = said_of_one(&mut desk, "invalidated");
        place.proxy.calm();
        let is_ended = place.keys(&name)[0]["status"] == "invalidated";
        place.agree(&name, said, is_ended, &trouble);
    }
}

#[test]
fn of_an_update() {
    let place = Place::start();
    for (number, trouble) in TROUBLES.into_iter().enumerate() {
        let name = format!("changed-{number}");
        place.practice.create(&name, &[]);
        let mut desk = place.desk(&name);
        desk.fill("Search", &name);
        desk.tick(&format!("Select {name}"));
        desk.press("Update");
        desk.wait("the form", |desk| desk.value("Set in the metadata").is_some() || desk.value("Metadata").is_some());
        if desk.value("Set in the metadata").is_some() {
            desk.fill("Set in the metadata", "team=search");
        } else {
            desk.fill("Metadata", r#"{"team":"search"}"#);
        }
        desk.press("Review");
        desk.wait_for("Review the changes");
        place.trouble(trouble);
        desk.press("Update 1 key");
        let said = said_of_one(&mut desk, "updated");
        place.proxy.calm();
        let is_changed = place.keys(&name)[0]["metadata"]["team"] == json!("search");
        place.agree(&name, said, is_changed, &trouble);
    }
}

#[test]
fn of_a_creation() {
    let place = Place::start();
    for (number, trouble) in TROUBLES.into_iter().enumerate() {
        let name = format!("made-{number}");
        let mut desk = place.desk(&name);
        desk.press("Create");
        desk.choose("Nothing");
        desk.fill("Name", &name);
        place.trouble(trouble);
        desk.press("Create key");
        let words = ["Key created", "The response was lost", "You don’t have permission to do that"];
        desk.wait("an end", |desk| words.iter().any(|words| desk.sees(words)));
        let made = {
            place.proxy.calm();
            place.keys(&name)
        };
        assert!(made.len() < 2, "{trouble:?}");
        let said = match (desk.sees("Key created"), desk.sees("The response was lost")) {
            (true, _) => "done",
            (_, true) => "not known",
            _ => "failed",
        };
        if let Some(key) = made.first().filter(|_| said == "not known") {
            let id = key["id"].as_str().unwrap();
            assert!(desk.sees(id) || desk.sees(&format!("“{name}”")), "{trouble:?}: {:?}", desk.texts());
        }
        place.agree(&name, said, made.len() == 1, &trouble);
    }
}

#[test]
fn whoever_stops_waiting_for_a_creation_is_told_what_came_of_it() {
    let place = Place::start();
    let mut desk = place.desk("stopped");
    desk.press("Create");
    desk.choose("Nothing");
    desk.fill("Name", "stopped");
    place.proxy.at(|seen| seen.is("POST", "/_security/api_key"), Cut::HoldAfter);
    desk.press("Create key");
    desk.wait_for("waiting up to 90 s");
    place.proxy.hit();
    desk.press("Stop waiting");
    desk.wait_for("The response was lost, but the key was created");
    assert!(desk.sees(place.keys("stopped")[0]["id"].as_str().unwrap()), "{:?}", desk.texts());
    assert_eq!(place.verdict("stopped"), "unknown");
}
