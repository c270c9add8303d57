//! The journal on the disk: the chain over months, detection of tampering, and the state after crashes.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        journal::{self, Action, BEGINNING, Entry, FailedKey, Origin, Verdict, verify::Fault},
    },
    store::{
        journal::{head::Head, *},
        lock::lock,
    },
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

fn entry(number: usize, at: Timestamp) -> Entry {
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
        damage: None,
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
    journal.append(&entry(3, NOW + 31 * TimeDelta::DAY)).unwrap();
    // The clock is set back: the chain continues in the same file.
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
    let (head, kept) = (journal.folder().unwrap().join("head.json"), journal.folder().unwrap().join("kept"));
    fs::rename(&head, &kept).unwrap();
    fs::create_dir(&head).unwrap();
    journal.append(&entry(2, NOW)).unwrap_err();
    fs::remove_dir(&head).unwrap();
    fs::rename(&kept, &head).unwrap();
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
fn an_end_that_is_longer_than_a_crash_leaves_it_stays_and_is_a_fault() {
    let (_folder, journal) = filled(2);
    let file = journal.files().unwrap().pop().unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let rest = "x".repeat(MAX_TORN_BYTES + 1);
    fs::write(&file, before.clone() + &rest).unwrap();
    let warned = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&warned);
    let watched = journal.clone().watched(move |warning| told.lock().unwrap().push(warning));
    watched.append(&entry(2, NOW)).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("{before}{rest}\n")) && text.len() < before.len() + rest.len() + 2000);
    assert_eq!(faults(&journal)[0], (3, Fault::Unreadable));
    assert!(matches!(&warned.lock().unwrap()[..], [Warning::Damaged(_)]));
    journal.append(&entry(3, NOW)).unwrap();
    assert_eq!(journal.check(|_, _| ()).unwrap().lines, 5);
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
    let failed = FailedKey { id: "k3".into(), reason: "k3, k3".into(), is_unknown: Some(true) };
    let again = Entry { keys: vec![KeyId::new("k3")], failed: vec![failed], ..entry(12, NOW) };
    journal.append(&again).unwrap();
    journal.append(&Entry { keys: vec![KeyId::new("k3")], ..entry(13, NOW + 31 * TimeDelta::DAY) }).unwrap();
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

/// Writes a journal of `count` entries at once, without waiting for the disk after each.
fn written(count: usize) -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let (mut text, mut previous) = (String::new(), BEGINNING.to_owned());
    for number in 1..=count {
        let line = Entry { intent: number.is_multiple_of(2).then(|| format!("e{}", number - 1)), ..entry(number, NOW) }
            .line(number as u64, &previous);
        previous = journal::verify::read(&line).unwrap().hash;
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(folder.path().join("journal-2026-11.jsonl"), text).unwrap();
    head::write(folder.path(), &Head { sequence: count as u64, hash: previous }).unwrap();
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
    // Linear growth is a factor of four, with room for a busy machine; quadratic growth would be sixteen.
    assert!(many < few * 10, "{few:?} for 1,000 entries, {many:?} for 4,000");
}

/// A journal with markers, with entries of two months.
fn marked(count: usize) -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal")).with_markers(folder.path().join("state"));
    (0..count)
        .for_each(|number| journal.append(&entry(number, NOW + (number / 4) as i64 * 31 * TimeDelta::DAY)).unwrap());
    (folder, journal)
}

/// Computes the whole chain anew, as somebody would who wants to hide a change of the entries.
fn forge(journal: &Journal, with_head: bool) {
    let (mut previous, mut sequence) = (BEGINNING.to_owned(), 0);
    for (number, file) in journal.files().unwrap().iter().enumerate() {
        let text = fs::read_to_string(file).unwrap();
        let count = text.lines().count() - usize::from(number == 0);
        let mut forged = String::new();
        for line in 0..count {
            sequence += 1;
            let line = entry(line + 50, NOW).line(sequence, &previous);
            previous = journal::verify::read(&line).unwrap().hash;
            forged += &format!("{line}\n");
        }
        fs::write(file, forged).unwrap();
    }
    if with_head {
        head::write(journal.folder().unwrap(), &Head { sequence, hash: previous }).unwrap();
    }
}

/// Adds entries to a forged chain, as a program would that knows no marker.
fn longer(journal: &Journal, count: usize) {
    let unmarked = Journal::at(journal.folder().unwrap().to_owned());
    (0..count).for_each(|number| unmarked.append(&entry(90 + number, NOW + 62 * TimeDelta::DAY)).unwrap());
}

fn lines_of(file: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn every_kind_of_tampering_is_found_also_after_the_next_entry() {
    type Tamper = fn(&Journal);
    fn first(journal: &Journal) -> PathBuf {
        journal.files().unwrap()[0].clone()
    }
    fn last(journal: &Journal) -> PathBuf {
        journal.files().unwrap().pop().unwrap()
    }
    fn head_of(journal: &Journal) -> PathBuf {
        head::path(journal.folder().unwrap())
    }
    let kinds: [(&str, Tamper); 21] = [
        ("a word changed", |j| lines_of(&first(j), |l| l[1] = l[1].replace("k1", "k9"))),
        ("the first line removed", |j| lines_of(&first(j), |l| drop(l.remove(0)))),
        ("a line removed", |j| lines_of(&first(j), |l| drop(l.remove(2)))),
        ("two lines swapped", |j| lines_of(&first(j), |l| l.swap(1, 2))),
        ("a line twice", |j| lines_of(&first(j), |l| l.insert(1, l[0].clone()))),
        ("a line overwritten", |j| lines_of(&last(j), |l| l[0] = "nonsense".into())),
        ("an empty line", |j| lines_of(&first(j), |l| l.insert(1, String::new()))),
        ("the last line removed", |j| lines_of(&last(j), |l| drop(l.pop()))),
        ("the last line changed", |j| {
            lines_of(&last(j), |l| *l.last_mut().unwrap() = l.last().unwrap().replace("unknown", "success"));
        }),
        ("the head removed", |j| fs::remove_file(head_of(j)).unwrap()),
        ("the head emptied", |j| fs::write(head_of(j), "").unwrap()),
        ("an old head", |j| {
            let read = journal::verify::read(fs::read_to_string(first(j)).unwrap().lines().next().unwrap()).unwrap();
            head::write(j.folder().unwrap(), &Head { sequence: 1, hash: read.hash }).unwrap();
        }),
        ("the last lines and the head removed", |j| {
            lines_of(&last(j), |l| l.truncate(1));
            fs::remove_file(head_of(j)).unwrap();
        }),
        ("the first month removed", |j| fs::remove_file(first(j)).unwrap()),
        ("the last month removed", |j| fs::remove_file(last(j)).unwrap()),
        ("the last month and the head removed", |j| {
            fs::remove_file(last(j)).unwrap();
            fs::remove_file(head_of(j)).unwrap();
        }),
        ("the folder removed", |j| fs::remove_dir_all(j.folder().unwrap()).unwrap()),
        ("the chain computed anew", |j| forge(j, false)),
        ("the chain and the head computed anew", |j| forge(j, true)),
        ("a longer chain and the head computed anew", |j| {
            forge(j, true);
            longer(j, 5);
        }),
        ("a chain that is longer by one and the head computed anew", |j| {
            forge(j, true);
            longer(j, 2);
        }),
    ];
    for (kind, tamper) in kinds {
        for writes in [0, 1, 3] {
            let (_folder, journal) = marked(10);
            assert!(journal.check(|_, _| ()).unwrap().is_whole());
            tamper(&journal);
            let warned = Arc::new(Mutex::new(Vec::new()));
            let told = Arc::clone(&warned);
            let watched = journal.clone().watched(move |warning| told.lock().unwrap().push(warning));
            (0..writes).for_each(|number| watched.append(&entry(20 + number, NOW + 70 * TimeDelta::DAY)).unwrap());
            let report = journal.check(|_, _| ()).unwrap();
            assert!(!report.is_whole(), "{kind}, {writes} entries later");
            let damages = warned.lock().unwrap().iter().filter(|w| matches!(w, Warning::Damaged(_))).count();
            let at_the_end = !matches!(
                kind,
                "a word changed"
                    | "the first line removed"
                    | "a line removed"
                    | "two lines swapped"
                    | "a line twice"
                    | "an empty line"
                    | "a line overwritten"
                    | "the first month removed"
            );
            assert_eq!(damages, usize::from(at_the_end && writes > 0), "{kind}, {writes} entries later");
        }
    }
}

#[test]
fn entries_that_others_added_are_no_fault_for_a_marker_that_lags() {
    let (_folder, journal) = marked(6);
    longer(&journal, 4);
    let warned = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&warned);
    let watched = journal.clone().watched(move |warning| told.lock().unwrap().push(warning));
    watched.append(&entry(6, NOW + 62 * TimeDelta::DAY)).unwrap();
    assert_eq!((faults(&journal), warned.lock().unwrap().len()), (vec![], 0));
}

#[test]
fn a_crash_between_entry_head_and_marker_is_no_fault() {
    let (folder, journal) = marked(3);
    let (head, marker) = (head::path(journal.folder().unwrap()), fs::read_dir(folder.path().join("state")).unwrap());
    let marker = marker.map(|file| file.unwrap().path()).next().unwrap();
    let before = [&head, &marker].map(|file| fs::read(file).unwrap());
    journal.append(&entry(3, NOW)).unwrap();
    // Neither was written any more, then only the head was.
    for files in [&[&head, &marker][..], &[&marker]] {
        let after = [&head, &marker].map(|file| fs::read(file).unwrap());
        for file in files {
            fs::write(file, if **file == head { &before[0] } else { &before[1] }).unwrap();
        }
        assert_eq!(faults(&journal), []);
        fs::write(&head, &after[0]).unwrap();
        fs::write(&marker, &after[1]).unwrap();
    }
    fs::write(&head, &before[0]).unwrap();
    journal.append(&entry(4, NOW)).unwrap();
    assert_eq!(faults(&journal), []);
}

#[test]
fn an_outcome_without_its_intent_is_a_fault() {
    let (_folder, journal) = filled(2);
    journal.append(&Entry { intent: Some("e1".into()), ..entry(2, NOW) }).unwrap();
    assert_eq!(faults(&journal), []);
    journal.append(&Entry { intent: Some("nobody's".into()), ..entry(3, NOW) }).unwrap();
    assert_eq!(faults(&journal), [(4, Fault::NoIntent)]);
}

#[test]
fn an_interrupted_operation_is_reported_once_by_the_next_one() {
    let (_folder, journal) = filled(0);
    let told = Arc::new(Mutex::new(Vec::new()));
    let watched = journal.clone().watched({
        let told = Arc::clone(&told);
        move |warning| told.lock().unwrap().push(warning)
    });
    let of_process = |number, process| {
        let origin = Origin { host: "here".into(), process: Some(process), ..Origin::default() };
        Entry { origin, ..entry(number, NOW) }
    };
    // This process is running, so it may still write the outcome.
    journal.append(&of_process(0, std::process::id())).unwrap();
    watched.append(&of_process(1, std::process::id())).unwrap();
    assert_eq!(*told.lock().unwrap(), []);
    // No system has a process of this number.
    journal.append(&of_process(2, u32::MAX)).unwrap();
    watched.append(&of_process(3, std::process::id())).unwrap();
    watched.append(&Entry { intent: Some("e3".into()), ..of_process(4, std::process::id()) }).unwrap();
    watched.append(&of_process(5, std::process::id())).unwrap();
    let told: Vec<String> = told.lock().unwrap().iter().map(Warning::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("api-key-create of k2"), "{told:?}");
}

#[test]
fn a_lock_held_by_somebody_else_is_not_waited_for_forever() {
    let (_folder, journal) = filled(1);
    let path = journal.folder().unwrap().join("lock");
    let held = lock(&path, LOCK_WAIT).unwrap();
    let began = Instant::now();
    let error = lock(&path, Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert!(began.elapsed() < LOCK_WAIT);
    let error = journal.append(&entry(1, NOW)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(held);
    journal.append(&entry(1, NOW)).unwrap();
}

#[test]
fn the_last_number_and_a_head_of_any_size_end_nothing() {
    let (_folder, journal) = filled(2);
    let folder = journal.folder().unwrap();
    head::write(folder, &Head { sequence: u64::MAX, hash: BEGINNING.into() }).unwrap();
    assert_eq!(faults(&journal), [(2, Fault::CutShort { written: u64::MAX })]);
    journal.append(&entry(2, NOW)).unwrap_err();
    let long = format!("{{\"sequence\":2,\"hash\":\"{}\"}}", "0".repeat(head::MAX_HEAD_BYTES as usize));
    fs::write(head::path(folder), long).unwrap();
    assert_eq!(faults(&journal), [(0, Fault::HeadMissing)]);
}

#[test]
fn only_so_many_faults_are_listed_and_all_are_counted() {
    let (_folder, journal) = filled(1);
    let file = journal.files().unwrap().pop().unwrap();
    let nonsense = "nonsense\n".repeat(MAX_FAULTS + 5);
    File::options().append(true).open(file).unwrap().write_all(nonsense.as_bytes()).unwrap();
    let report = journal.check(|_, _| ()).unwrap();
    assert_eq!((report.faults.len(), report.fault_count), (MAX_FAULTS, MAX_FAULTS + 5));
    let lines: BTreeSet<usize> = report.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines.first(), Some(&2));
}
