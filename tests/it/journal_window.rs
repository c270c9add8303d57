//! The journal in the window: checked at the start, read and searched on its screen, told on the page of a key.

use std::{fs, sync::Arc};

use eframe::egui::Key;
use keybearer::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        connections::profile::Profile,
        journal::{Action, Entry, FailedKey, Origin, Verdict},
    },
    store::{journal::Journal, vault::memory::MemoryVault},
};
use serde_json::json;

use crate::desk::{Desk, RunningSandbox, Setting, TestClock};

/// 2026-11-24T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000);
const HOUR: TimeDelta = TimeDelta::HOUR;

/// An intent, and its outcome unless that was never written.
pub fn operation(journal: &Journal, number: i64, what: (Action, &str, &str), ending: Option<(Verdict, &str)>) {
    let (action, cluster, key) = what;
    let origin = Origin {
        host: "laptop-7".into(),
        system_user: "anna".into(),
        username: "ana".into(),
        realm: "native1".into(),
        authentication_type: "realm".into(),
        own_key: None,
        url: format!("https://{cluster}.example.net:9200"),
        cluster: Some(cluster.into()),
        ..Origin::default()
    };
    let at = NOON - (20 - number) * HOUR;
    let intent = Entry {
        at,
        id: format!("e{number}"),
        action,
        intent: None,
        verdict: Verdict::Unknown,
        origin,
        keys: if action == Action::Create { Vec::new() } else { vec![KeyId::new(key)] },
        failed: Vec::new(),
        request: Some(json!({ "metadata": { "team": "payments" } })),
        reason: None,
        torn: None,
        damage: None,
    };
    journal.append(&intent).unwrap();
    let Some((verdict, reason)) = ending else { return };
    let done = verdict == Verdict::Success;
    let is_unknown = Some(verdict == Verdict::Unknown);
    let failed = FailedKey { id: key.to_owned(), reason: reason.to_owned(), is_unknown };
    let outcome = Entry {
        at: at + TimeDelta::from_millis(120),
        id: format!("o{number}"),
        intent: Some(intent.id.clone()),
        verdict,
        keys: if done { vec![KeyId::new(key)] } else { Vec::new() },
        failed: if done { Vec::new() } else { vec![failed] },
        request: None,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        ..intent
    };
    journal.append(&outcome).unwrap();
}

/// Six deeds on two clusters: one refused, one lost, one without an outcome.
pub fn fill(journal: &Journal) {
    let success = Some((Verdict::Success, ""));
    operation(journal, 1, (Action::Create, "payments-eu", "VuaCfGcBCdbkQm-e5a00"), success);
    operation(journal, 2, (Action::Create, "payments-eu", "VuaCfGcBCdbkQm-e5a03"), success);
    let refused = "not allowed: it requires one of the privileges manage_api_key";
    operation(journal, 3, (Action::Update, "search-us", "9kDxGcCBwTvmQm4hS1eA"), Some((Verdict::Failure, refused)));
    operation(journal, 4, (Action::Update, "payments-eu", "VuaCfGcBCdbkQm-e5a00"), success);
    let lost = "not known: no answer within 60 seconds";
    operation(journal, 5, (Action::Invalidate, "search-us", "9kDxGcCBwTvmQm4hS1eA"), Some((Verdict::Unknown, lost)));
    operation(journal, 6, (Action::Invalidate, "payments-eu", "VuaCfGcBCdbkQm-e5a00"), None);
}

fn journal() -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    (folder, journal)
}

fn rows(desk: &Desk) -> Vec<String> {
    let texts = desk.texts().into_iter();
    texts.filter(|text| text.contains("2026, ") && text.contains("ana, by anna")).collect()
}

#[test]
fn what_was_done_is_shown_newest_first_searched_and_kept_to_one_cluster() {
    let (_folder, journal) = journal();
    fill(&journal);
    let mut desk = Desk::new(Setting { journal, ..Setting::default() });
    desk.press("Journal");
    desk.wait_for("11 entries verified, chain intact");
    assert!(desk.sees("1 action without an outcome") && desk.sees("6 of 6"), "{:?}", desk.texts());
    let shown = rows(&desk);
    assert_eq!(shown.len(), 6, "{shown:?}");
    assert!(shown[0].contains("invalidate, no outcome") && shown[5].contains("create, success"), "{shown:?}");
    assert!(shown[0].starts_with("23 Nov 2026, 23:00 ") && shown[0].contains("22:00 UTC"), "{}", shown[0]);
    assert!(shown[1].contains("not known") && shown[1].contains("no answer within 60 seconds"), "{}", shown[1]);

    desk.fill("Search the journal", "MANAGE_api_key update");
    desk.wait_for("1 of 6");
    assert!(rows(&desk)[0].contains("update, failure"), "{:?}", rows(&desk));
    desk.fill("Search the journal", "nonsense");
    desk.wait_for("Nothing found");
    desk.press("Show everything");
    desk.wait_for("6 of 6");
    desk.press("Cluster of the journal: All clusters");
    desk.press("search-us  https://search-us.example.net:9200  2");
    desk.wait_for("2 of 6");
    assert!(rows(&desk).iter().all(|row| row.contains("search-us")));
    desk.press("Cluster of the journal: search-us");
    desk.press("All clusters");
    desk.press("1 action without an outcome");
    desk.wait_for("1 of 6");
    let row = rows(&desk).remove(0);
    desk.click_row(&row);
    desk.wait_for("Request");
    assert!(desk.sees("no outcome was recorded") && desk.sees("laptop-7") && desk.sees("\"team\""));
    desk.key(Key::Escape);
    desk.wait("the end of the page", |desk| !desk.sees("Request"));
}

#[test]
fn what_is_shown_is_exported_to_a_new_file() {
    let (folder, journal) = journal();
    fill(&journal);
    let mut desk = Desk::new(Setting { journal, ..Setting::default() });
    desk.press("Journal");
    desk.fill("Search the journal", "search-us");
    desk.wait_for("2 of 6");
    let path = folder.path().join("part.jsonl");
    desk.press("Export");
    desk.fill("File", &path.display().to_string());
    desk.press("Export 2 rows");
    desk.wait_for("2 rows exported");
    let lines = fs::read_to_string(&path).unwrap();
    assert!(
        lines.lines().count() == 4 && lines.lines().all(|line| keybearer::model::journal::verify::read(line).is_ok())
    );
    desk.press("Export 2 rows");
    desk.wait_for("never overwritten");
    desk.choose("CSV");
    let path = folder.path().join("part.csv");
    desk.fill("File", &path.display().to_string());
    desk.press("Export 2 rows");
    desk.wait_for("2 rows exported");
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    desk.press("Close");
}

#[test]
fn a_journal_that_was_tampered_with_is_told_at_the_start_with_file_and_line() {
    let (_folder, journal) = journal();
    fill(&journal);
    let file = journal.files().unwrap().remove(0);
    let text = fs::read_to_string(&file).unwrap().replacen("\"success\"", "\"failure\"", 1);
    fs::write(&file, text).unwrap();
    let mut desk = Desk::new(Setting { journal, ..Setting::default() });
    desk.wait_for("The journal failed verification");
    let place = format!("{}, line 2 was changed after it was written", file.display());
    assert!(desk.sees(&place) && desk.sees("keybearer journal verify"), "{:?}", desk.texts());
    desk.press("Open journal");
    desk.wait_for("11 entries, 1 fault");
    desk.press("Dismiss the notice of the journal");
    assert!(desk.sees(&place), "its own screen goes on saying it");
    desk.press("Connections");
    assert!(!desk.sees(&place));
}

#[test]
fn where_nothing_is_written_yet_or_ever_that_is_said() {
    let (_folder, journal) = journal();
    let mut desk = Desk::new(Setting { journal, ..Setting::default() });
    desk.press("Journal");
    desk.wait_for("No activity yet");
    assert!(desk.sees("No entries yet"));
    let mut desk = Desk::new(Setting::default());
    desk.press("Journal");
    desk.wait_for("No journal is kept");
    assert!(!desk.sees("chain intact"));
}

/// So high that the page of a key needs no scrolling.
const TALL: [f32; 2] = [1440.0, 1800.0];

#[test]
fn the_page_of_a_key_has_its_history_but_not_on_the_practice_cluster() {
    let sandbox = RunningSandbox::start();
    let (_folder, journal) = journal();
    let profile = Profile { name: "earnest".into(), ..sandbox.profile() };
    // So high that the whole page of any key is in view: its history stands below its rights, which vary.
    let size = [1440.0, 3000.0];
    let mut desk = Desk::new(Setting { size, profiles: vec![profile], journal, ..Setting::default() });
    desk.press("Edit earnest");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    desk.fill("Search", "name:payments-* status:active");
    desk.key(Key::Escape);
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    desk.wait_for("No activity from this machine");
    desk.press("Invalidate");
    desk.press("Invalidate 1 key");
    desk.wait_for("1 key invalidated");
    // Not by its button: the page below has one of the same name.
    desk.key(Key::Escape);
    desk.wait("the end of the dialog", |desk| !desk.sees("1 key invalidated"));
    desk.wait_for("Invalidate, success");
    // By its name: what is still read about the key moves it down.
    desk.press_by_name("Show in the journal");
    desk.wait_for("1 of 1");

    let mut desk = Desk::new(Setting { size: TALL, sandbox: Some(sandbox.profile()), ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    desk.wait_for("Not known: actions on a practice cluster are not recorded");
}

#[test]
fn a_checkpoint_is_signed_when_a_day_ends_while_the_window_stays_open() {
    let (_folder, journal) = journal();
    let journal = journal.with_keyring(Arc::new(MemoryVault::like_a_keyring()));
    operation(&journal, 12, (Action::Invalidate, "payments-eu", "VuaCfGcBCdbkQm-e5a01"), None);
    let clock = TestClock::default();
    let set = |at: Timestamp| *clock.lock().unwrap() = Some(at);
    let midnight = NOON + 12 * HOUR;
    set(midnight - TimeDelta::SECOND);
    let mut desk = Desk::new(Setting { journal: journal.clone(), clock: clock.clone(), ..Setting::default() });
    let sizes = || journal.checkpoints().unwrap().len();
    let is_checked = |desk: &Desk| !desk.harness.state().state().journal.standing.is_loading();
    desk.wait("the verification at the start", is_checked);
    assert_eq!(sizes(), 0, "the day of the first entry is not over");
    assert_eq!(desk.harness.state().state().wake_at(), Some(midnight), "nothing is looked for before");
    set(midnight);
    desk.wait("the checkpoint of the day", |_| sizes() == 1);
    // Without new entries none is due. The computer slept through two of these ends: one frame later they are one.
    set(midnight + 50 * HOUR);
    desk.harness.step();
    desk.wait("the verification of the next days", is_checked);
    assert_eq!(sizes(), 1);
    assert_eq!(desk.harness.state().state().wake_at(), Some(midnight + 72 * HOUR));
}

#[test]
fn a_checkpoint_is_signed_shown_and_told_of_and_without_a_keyring_the_reason_is() {
    let (_folder, journal) = journal();
    fill(&journal);
    let mut desk = Desk::new(Setting { journal: journal.clone(), ..Setting::default() });
    desk.press("Journal");
    desk.wait_for("No entry has an HMAC");
    assert!(desk.sees("No checkpoint signed with the key in the keyring yet"), "{:?}", desk.texts());
    desk.press("New checkpoint");
    // Without an agent, the reason is told, and the journal's own key can be chosen all the same.
    desk.wait_for("The ssh-agent at no agent can’t be reached");
    desk.press("Sign");
    desk.wait_for("The checkpoint could not be made");
    desk.press("Cancel");
    drop(desk);

    let journal = journal.with_keyring(Arc::new(MemoryVault::like_a_keyring()));
    operation(&journal, 7, (Action::Invalidate, "payments-eu", "VuaCfGcBCdbkQm-e5a01"), None);
    let mut desk = Desk::new(Setting { journal: journal.clone(), ..Setting::default() });
    desk.press("Journal");
    desk.wait_for("1 entry with a valid HMAC of the key in the keyring; 11 before the first one has none");
    desk.press("New checkpoint");
    desk.press("Sign");
    desk.wait_for("12 entries signed");
    let kept = journal.checkpoints().unwrap();
    assert!(kept.len() == 1 && desk.sees(kept[0].text.lines().next().unwrap()), "{:?}", desk.texts());
    desk.press("Copy checkpoint");
    desk.wait_for("Copied");
    desk.key(Key::Escape);
    desk.wait_for("Checkpoint of 12 entries, ");
}
