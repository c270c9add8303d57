//! Invalidating many keys in the window: by a search, with the extra words, stopped, gone on with, tried again.

use keybearer::ops::invalidate::CHUNK;

use crate::{
    desk::{Desk, RunningSandbox, Setting},
    front::{Front, Line},
};

/// A practice cluster behind something that can cut lines, and a window on it.
struct Place {
    front: Front,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn start(keys: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let front = runtime.block_on(Front::start(keys));
        Self { front, runtime }
    }

    fn desk(&self) -> Desk {
        Desk::connected(&self.front.sockets.url("http"), ("officer", "officer-password"), Setting::default())
    }

    /// How many keys of a search the cluster itself knows.
    fn counts(&self, invalidated: bool) -> usize {
        let count = async {
            let session = self.front.session("officer").await;
            let list = keybearer::ops::keys::list::all(&session, |_| ()).await.unwrap();
            list.keys.keys().filter(|key| key.invalidated == invalidated).count()
        };
        self.runtime.block_on(count)
    }
}

/// The number in the first text that begins so.
fn number_in(desk: &Desk, beginning: &str) -> usize {
    let texts = desk.texts();
    let text = texts.iter().find_map(|text| text.strip_prefix(beginning)).unwrap_or_else(|| panic!("{texts:?}"));
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().unwrap()
}

fn confirm(desk: &mut Desk) -> usize {
    desk.wait_for("to confirm");
    let count = number_in(desk, "Type “invalidate ");
    desk.fill("Confirmation", &format!("invalidate {count}"));
    let label = desk.texts().into_iter().find(|text| text.starts_with("Invalidate ") && text.ends_with(" keys"));
    desk.press(&label.unwrap());
    count
}

#[test]
fn all_that_a_search_finds_goes_by_its_ids_and_what_products_made_stays() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "is:managed or name:payments-*");
    desk.harness.step();
    let label = desk.texts().into_iter().find(|text| text.starts_with("Invalidate the ")).unwrap();
    desk.press(label.trim_end_matches('…'));
    desk.wait_for("claim that another application created them");
    assert!(desk.sees("left out"), "beside the button: {:?}", desk.texts());
    assert!(desk.sees("Owners") && desk.sees("fleet") && desk.sees("keys that match later are not affected"));
    let without = number_in(&desk, "Type “invalidate ");
    desk.tick("Invalidate keys of other applications too");
    let with = number_in(&desk, "Type “invalidate ");
    assert!(with >= without + 5, "{with} {without}");
    desk.tick("Invalidate keys of other applications too");
    let count = confirm(&mut desk);
    assert_eq!(count, without);
    desk.wait_for(&format!("{count} keys invalidated"));
    assert!(desk.sees("not confirmed"), "why the others are untouched: {:?}", desk.texts());
    assert!(!desk.sees("Continue with the untouched"), "they need their word first");
    desk.press("Close");
    desk.fill("Search", "is:managed -status:invalidated");
    desk.wait("the managed ones", |desk| desk.texts().iter().any(|text| text == &format!("{} of 320", with - without)));
}

#[test]
fn stopped_in_the_middle_the_rest_is_told_exported_and_gone_on_with() {
    let place = Place::start(3 * CHUNK);
    let mut desk = place.desk();
    let valid = place.counts(false);
    let gone = place.counts(true);
    place.front.when("DELETE", "/_security/api_key", |_| Line::Holds(500));
    desk.fill("Search", "-status:invalidated -is:managed");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Invalidate");
    let count = confirm(&mut desk);
    // A stop before the first request would leave all keys as they are.
    desk.wait("the first request", |_| place.front.count() > 0);
    desk.press("Stop after this batch");
    desk.wait_for(&format!(" of {} keys invalidated", thousands(count)));
    let done = number_in(&desk, "Done ");
    let rest = number_in(&desk, "Continue with the untouched (");
    assert_eq!((done + rest, place.counts(true) - gone), (count, done), "{:?}", desk.texts());
    assert_eq!(place.counts(false), valid - done);

    desk.choose(&format!("Untouched {}", thousands(rest)));
    desk.press("Export this list");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("untouched.csv");
    desk.fill("File", path.to_str().unwrap());
    desk.press(&format!("Export {} keys", thousands(rest)));
    desk.wait_for(&format!("{} keys exported", thousands(rest)));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), rest + 1);
    assert!(
        text.lines()
            .skip(1)
            .all(|line| line.starts_with("untouched,") && line.ends_with("it was stopped before this key"))
    );

    place.front.when("DELETE", "/_security/api_key", |_| Line::Holds(0));
    desk.press(&format!("Continue with the untouched ({})", thousands(rest)));
    desk.wait_for(&format!("{} keys invalidated", thousands(count)));
    assert_eq!(place.counts(true) - gone, count);
}

#[test]
fn what_failed_can_be_tried_again() {
    let place = Place::start(40);
    let mut desk = place.desk();
    let gone = place.counts(true);
    place.front.when("DELETE", "/_security/api_key", |_| Line::CutBefore);
    desk.fill("Search", "-status:invalidated -is:managed");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Invalidate");
    let count = confirm(&mut desk);
    desk.wait_for(&format!("0 of {count} keys invalidated"));
    assert!(desk.sees("it is still valid"), "{:?}", desk.texts());
    assert_eq!(place.counts(true), gone);
    place.front.when("DELETE", "/_security/api_key", |_| Line::Holds(0));
    desk.press(&format!("Retry unconfirmed ({count})"));
    desk.wait_for(&format!("{count} keys invalidated"));
    assert_eq!(place.counts(true) - gone, count);
}

fn thousands(count: usize) -> String {
    keybearer::model::text::number::thousands(count as u64)
}
