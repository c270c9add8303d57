//! The journal on the disk: the chain over months, what is seen of tampering, and what crashes leave.

use std::time::Instant;

use super::*;
use crate::model::{
    DAY,
    api_key::KeyId,
    journal::{Action, Origin, Verdict},
};

const NOW: Millis = 1_795_521_600_000;

fn entry(number: usize, at: Millis) -> Entry {
    Entry {
        at,
        id: format!("e{number}"),
        action: Action::Create,
        intent: None,
        verdict: Verdict::Unknown,
        origin: Origin::default(),
        keys: vec![KeyId::new(format!("k{number}"))],
        failed: Vec::new(),
        request: None,
        reason: None,
        torn: None,
    }
}

fn filled(count: usize) -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("deep/journal"));
    (0..count).for_each(|number| journal.append(&entry(number, NOW)).unwrap());
    (folder, journal)
}

fn faults(journal: &Journal) -> Vec<(usize, Fault)> {
    journal.check(|_, _| ()).unwrap().faults.into_iter().map(|faulty| (faulty.line, faulty.fault)).collect()
}

fn change(journal: &Journal, change: impl FnOnce(&mut Vec<String>)) {
    let file = &journal.files().unwrap()[0];
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn entries_follow_each_other_over_months_and_each_month_has_its_file() {
    let (_folder, journal) = filled(3);
    journal.append(&entry(3, NOW + 31 * DAY)).unwrap();
    // The clock is set back: the chain goes on where it is.
    journal.append(&entry(4, NOW)).unwrap();
    let mut ids = Vec::new();
    let report = journal.check(|read, _| ids.push(read.keys[0].clone())).unwrap();
    assert_eq!((report.lines, report.files, report.is_whole()), (5, 2, true));
    assert_eq!(ids, ["k0", "k1", "k2", "k3", "k4"]);
    assert_eq!(report.open.len(), 5);
    #[cfg(unix)]
    for file in journal.files().unwrap() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_changed_a_removed_and_a_swapped_line_are_told_with_their_places() {
    let (_one, changed) = filled(5);
    change(&changed, |lines| lines[2] = lines[2].replace("k2", "k9"));
    assert_eq!(faults(&changed), [(3, Fault::Changed)]);
    let (_two, removed) = filled(5);
    change(&removed, |lines| drop(lines.remove(1)));
    assert_eq!(faults(&removed), [(2, Fault::OutOfPlace { expected: 2, found: 3 })]);
    let (_three, swapped) = filled(5);
    change(&swapped, |lines| lines.swap(0, 1));
    assert_eq!(faults(&swapped)[0].0, 1);
    let (_four, cut) = filled(5);
    change(&cut, |lines| lines.truncate(3));
    assert_eq!(faults(&cut), [(3, Fault::CutShort { written: 5 })]);
    let (_five, emptied) = filled(2);
    fs::remove_file(&emptied.files().unwrap()[0]).unwrap();
    assert_eq!(faults(&emptied).len(), 1);
}

#[test]
fn what_was_taken_from_the_end_is_told_also_after_the_next_entry() {
    let (_one, cut) = filled(5);
    change(&cut, |lines| lines.truncate(3));
    cut.append(&entry(5, NOW)).unwrap();
    assert_eq!(faults(&cut), [(4, Fault::OutOfPlace { expected: 4, found: 6 })]);
    let (_two, emptied) = filled(2);
    fs::remove_file(&emptied.files().unwrap()[0]).unwrap();
    emptied.append(&entry(2, NOW)).unwrap();
    assert_eq!(faults(&emptied), [(1, Fault::OutOfPlace { expected: 1, found: 3 })]);
    let (_three, unended) = filled(3);
    let file = unended.files().unwrap().pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.trim_end()).unwrap();
    unended.append(&entry(3, NOW)).unwrap();
    assert_eq!(faults(&unended), [(3, Fault::OutOfPlace { expected: 3, found: 4 })]);
}

#[test]
fn an_entry_whose_head_can_t_be_written_is_taken_back() {
    let (_folder, journal) = filled(2);
    fs::create_dir(journal.folder().unwrap().join("head.new")).unwrap();
    journal.append(&entry(2, NOW)).unwrap_err();
    assert_eq!((faults(&journal), journal.check(|_, _| ()).unwrap().lines), (vec![], 2));
}

#[test]
fn what_a_crash_has_cut_off_is_kept_in_the_next_entry() {
    let (_folder, journal) = filled(2);
    let file = journal.files().unwrap().pop().unwrap();
    File::options().append(true).open(&file).unwrap().write_all(b"{\"@timestamp\":\"half").unwrap();
    assert_eq!(faults(&journal), [(3, Fault::Unreadable)]);
    journal.append(&entry(2, NOW)).unwrap();
    let mut last = String::new();
    let report = journal.check(|_, line| last = line.to_owned()).unwrap();
    assert!(report.is_whole() && report.lines == 3, "{report:?}");
    assert!(last.contains(r#""torn":"{\"@timestamp\":\"half""#), "{last}");
}

#[test]
fn the_chain_goes_on_behind_a_line_that_was_tampered_with() {
    let (_folder, journal) = filled(3);
    change(&journal, |lines| lines[2] = "nonsense".into());
    journal.append(&entry(3, NOW)).unwrap();
    assert_eq!(faults(&journal), [(3, Fault::Unreadable)]);
}

#[test]
fn several_may_write_at_the_same_time() {
    let (_folder, journal) = filled(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = journal.clone();
            scope.spawn(move || (0..10).for_each(|n| journal.append(&entry(thread * 10 + n, NOW)).unwrap()));
        }
    });
    let report = journal.check(|_, _| ()).unwrap();
    assert_eq!((report.lines, report.is_whole()), (40, true));
}

#[test]
fn without_a_folder_nothing_is_kept() {
    Journal::default().append(&entry(0, NOW)).unwrap();
    assert_eq!(Journal::default().check(|_, _| ()).unwrap().lines, 0);
}

#[test]
fn why_nothing_is_kept_is_known() {
    let chosen =
        |named: Option<&str>, place: Option<&str>| Journal::chosen(named.map(Into::into), place.map(Into::into));
    assert_eq!(chosen(Some("off"), Some("/data")).not_kept(), Some(NotKept::SwitchedOff));
    assert_eq!(chosen(None, None).not_kept(), Some(NotKept::NoPlace));
    assert_eq!(chosen(Some(""), None).not_kept(), Some(NotKept::NoPlace));
    assert_eq!(chosen(Some("/named"), None).folder(), Some(Path::new("/named")));
    assert_eq!(chosen(Some(""), Some("/data")).folder(), Some(Path::new("/data")));
    assert_eq!(Journal::default().not_kept(), Some(NotKept::Practice));
}

#[test]
fn what_names_a_key_is_found_from_the_newest_on_and_no_line_twice() {
    let (_folder, journal) = filled(12);
    let again =
        Entry { keys: vec![KeyId::new("k3")], failed: vec![(KeyId::new("k3"), "k3, k3".into())], ..entry(12, NOW) };
    journal.append(&again).unwrap();
    journal.append(&Entry { keys: vec![KeyId::new("k3")], ..entry(13, NOW + 31 * DAY) }).unwrap();
    let found = |most: usize| {
        let mut found = Vec::new();
        let broken = journal.naming("\"k3\"", |read| {
            found.push(read.sequence);
            if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (found, broken.unwrap())
    };
    assert_eq!(found(9), (vec![14, 13, 4], 0));
    assert_eq!(found(2), (vec![14, 13], 0));
    change(&journal, |lines| lines[3] = lines[3].replace("unknown", "success"));
    assert_eq!(found(9), (vec![14, 13], 1));
}

/// Writes a journal of so many entries at once, without waiting for the disk after each.
fn written(count: usize) -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let (mut text, mut previous) = (String::new(), BEGINNING.to_owned());
    for number in 1..=count {
        let line = Entry { intent: number.is_multiple_of(2).then(|| format!("e{}", number - 1)), ..entry(number, NOW) }
            .line(number as u64, &previous);
        previous = journal::read(&line).unwrap().hash;
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(folder.path().join("journal-2026-11.jsonl"), text).unwrap();
    let journal = Journal::at(folder.path().to_owned());
    (folder, journal)
}

#[test]
fn a_journal_of_four_times_as_many_entries_takes_about_four_times_as_long_to_check() {
    let quickest = |count: usize| {
        let (_folder, journal) = written(count);
        let once = || {
            let began = Instant::now();
            let report = journal.check(|_, _| ()).unwrap();
            assert!(report.is_whole() && report.lines == count && report.open.is_empty(), "{:?}", report.faults);
            began.elapsed()
        };
        (0..5).map(|_| once()).min().unwrap()
    };
    let (few, many) = (quickest(1000), quickest(4000));
    // Four, and room for a busy machine; what grows with the square would be sixteen.
    assert!(many < few * 10, "{few:?} for 1,000 entries, {many:?} for 4,000");
}
