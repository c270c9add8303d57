//! Journals whose key is in a keyring: what is written, what is found, and what is not known without it.

use std::{fs, path::Path, sync::Arc};

use proptest::prelude::*;

use super::{head::Head, *};
use crate::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        journal::{
            self, Action, BEGINNING, Entry, Origin, Verdict,
            checkpoint::{Checkpoint, SignedCheckpoint},
            key::JournalKey,
            verify::Fault,
        },
        secret::Secret,
    },
    store::vault::{Vault, VaultError, memory::MemoryVault},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

fn entry(number: usize) -> Entry {
    Entry {
        at: NOW,
        id: format!("e{number}"),
        action: Action::Invalidate,
        intent: None,
        verdict: Verdict::Unknown,
        origin: Origin { username: "ana".into(), ..Origin::default() },
        keys: vec![KeyId::new(format!("k{number}"))],
        failed: Vec::new(),
        request: None,
        reason: None,
        torn: None,
        damage: None,
    }
}

struct Kept {
    folder: tempfile::TempDir,
    vault: Arc<MemoryVault>,
    journal: Journal,
}

/// A journal with a keyring and with markers.
fn keyed(count: usize) -> Kept {
    let (folder, vault) = (tempfile::tempdir().unwrap(), Arc::new(MemoryVault::like_a_keyring()));
    let journal = opened(&folder, &vault);
    (0..count).for_each(|number| journal.append(&entry(number)).unwrap());
    Kept { folder, vault, journal }
}

/// The same journal as another process opens it.
fn opened(folder: &tempfile::TempDir, vault: &Arc<MemoryVault>) -> Journal {
    let vault: Arc<dyn Vault> = Arc::clone(vault) as _;
    let journal = Journal::at(folder.path().join("journal")).with_markers(folder.path().join("state"));
    journal.with_keyring(vault)
}

fn report(journal: &Journal) -> Report {
    journal.check(|_, _| ()).unwrap()
}

fn lines(journal: &Journal) -> Vec<String> {
    journal
        .files()
        .unwrap()
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Writes these entries as a chain of their own, with a head that fits, without a key or with this one.
fn rewrite(folder: &Path, entries: &[Entry], key: Option<&JournalKey>) {
    let (mut text, mut previous) = (String::new(), BEGINNING.to_owned());
    for (place, entry) in entries.iter().enumerate() {
        let line = entry.line_with(place as u64 + 1, &previous, key);
        previous = journal::verify::read(&line).unwrap().hash;
        text += &format!("{line}\n");
    }
    fs::write(folder.join("journal-2026-11.jsonl"), text).unwrap();
    head::write(folder, &Head { sequence: entries.len() as u64, hash: previous }).unwrap();
}

#[test]
fn entries_are_keyed_and_what_was_written_before_or_elsewhere_is_counted() {
    let Kept { folder, vault, journal } = keyed(0);
    let without = Journal::at(journal.folder().unwrap().to_owned());
    (0..2).for_each(|number| without.append(&entry(number)).unwrap());
    (2..5).for_each(|number| journal.append(&entry(number)).unwrap());
    // A locked keyring is not asked for its password.
    vault.lock_it(true);
    opened(&folder, &vault).append(&entry(5)).unwrap();
    let locked = report(&opened(&folder, &vault));
    assert_eq!((locked.codes.other_key, locked.codes.unread), (3, Some(VaultError::Locked)));
    vault.lock_it(false);
    let report = report(&journal);
    let codes = Codes { valid: 3, none_before: 2, none_after: 1, ..Codes::default() };
    assert_eq!((report.fault_count, report.lines, report.codes), (0, 6, codes));
    // In a keyring that has another key, nothing can be said of these.
    let elsewhere = opened(&folder, &Arc::new(MemoryVault::like_a_keyring()));
    let moved = elsewhere.check(|_, _| ()).unwrap();
    assert_eq!((moved.fault_count, moved.codes.valid, moved.codes.other_key), (0, 0, 3));
}

#[test]
fn two_processes_that_both_create_the_first_key_lose_none() {
    let Kept { folder, vault, journal } = keyed(0);
    // Both saw a keyring without a key: the second one's appears after the first one has read.
    let other = JournalKey::new_seed().unwrap();
    journal.append(&entry(0)).unwrap();
    let name = format!("journal-key/{}", JournalKey::from_seed(&other).unwrap().id());
    vault.write(&name, &other).unwrap();
    vault.write("journal-key/odd", &Secret::new("not a seed")).unwrap();
    for number in 1..4 {
        opened(&folder, &vault).append(&entry(number)).unwrap();
    }
    journal.append(&entry(4)).unwrap();
    let report = report(&journal);
    assert_eq!((report.fault_count, report.codes.valid), (0, 5), "{:?}", report.faults);
}

#[test]
fn a_keyring_that_fails_stops_no_entry() {
    let Kept { folder: _folder, vault, journal } = keyed(2);
    for error in [VaultError::NoBus, VaultError::Locked, VaultError::Ambiguous] {
        vault.fail_with(error);
        journal.append(&entry(7)).unwrap();
    }
    vault.fail_with(None);
    // The key is known to this process; the record in the keyring has stayed behind, and is in the chain.
    journal.append(&entry(8)).unwrap();
    let report = report(&journal);
    assert_eq!((report.fault_count, report.codes.valid), (0, 6), "{:?}", report.faults);
}

#[test]
fn damaged_entries_of_the_keyring_are_named_and_not_overwritten() {
    let Kept { folder, vault, journal } = keyed(2);
    let key = vault.names("journal-key/").unwrap().remove(0);
    let head = vault.names("journal-head/").unwrap().remove(0);
    for name in [&key, &head] {
        let (before, odd) = (vault.read(name).unwrap().unwrap(), Secret::new("{\"odd\": 1}"));
        vault.write(name, &odd).unwrap();
        let other = opened(&folder, &vault);
        (7..9).for_each(|number| other.append(&entry(number)).unwrap());
        let found = report(&other);
        assert_eq!((found.fault_count, found.codes.damaged.as_slice()), (0, &[name.clone()][..]), "{found:?}");
        assert_eq!(vault.read(name).unwrap().unwrap().expose(), odd.expose(), "{name}");
        // What was there before fits what was written meanwhile.
        vault.write(name, &before).unwrap();
        let mended = report(&journal);
        assert_eq!((mended.fault_count, mended.codes.damaged.len()), (0, 0), "{name}: {mended:?}");
    }
    // Entries by the key that replaced it meanwhile are checked, too, and a removed record is written anew.
    assert_eq!(report(&journal).codes.valid, 6);
    vault.remove(&head).unwrap();
    opened(&folder, &vault).append(&entry(9)).unwrap();
    assert!(vault.read(&head).unwrap().is_some());
}

#[test]
fn a_chain_computed_anew_is_found_by_the_keyring_also_after_the_next_entry() {
    let others = JournalKey::from_seed(&JournalKey::new_seed().unwrap()).unwrap();
    let entries: Vec<Entry> = (0..6).map(entry).collect();
    let changed = |change: fn(&mut Vec<Entry>)| {
        let mut entries = entries.clone();
        change(&mut entries);
        entries
    };
    let rewritten = [
        ("another user", changed(|all| all[1].origin.username = "mallory".into())),
        ("an entry less", changed(|all| drop(all.remove(2)))),
        ("the last one gone", changed(|all| drop(all.pop()))),
        ("one more", changed(|all| all.push(entry(9)))),
        ("all gone but the first", changed(|all| all.truncate(1))),
        ("other order", changed(|all| all.swap(0, 5))),
        (
            "more and others",
            changed(|all| {
                all[0] = entry(50);
                all.extend([entry(51), entry(52), entry(53)]);
            }),
        ),
    ];
    for (what, entries) in rewritten {
        for key in [None, Some(&others)] {
            let Kept { folder, journal, .. } = keyed(6);
            rewrite(journal.folder().unwrap(), &entries, key);
            fs::remove_dir_all(folder.path().join("state")).unwrap();
            assert!(!report(&journal).is_whole(), "{what}");
            journal.append(&entry(7)).unwrap();
            assert!(!report(&journal).is_whole(), "{what}, after the next entry");
        }
    }
}

#[test]
fn a_code_that_was_copied_or_changed_is_a_fault() {
    let Kept { folder: _folder, vault, journal } = keyed(3);
    let folder = journal.folder().unwrap();
    let all = lines(&journal);
    let code = |line: &str| line[line.find(",\"hmac\"").unwrap()..line.find(",\"hash\"").unwrap()].to_owned();
    // The content of the last entry under the code of the one before it, with a hash that fits.
    let open = all[2].split(",\"hmac\"").next().unwrap().to_owned() + &code(&all[1]);
    let hash = {
        use sha2::Digest;
        crate::model::text::hex::encode(&sha2::Sha256::digest(open.as_bytes()))
    };
    let forged = format!("{open},\"hash\":\"{hash}\"}}");
    fs::write(&journal.files().unwrap()[0], format!("{}\n{}\n{forged}\n", all[0], all[1])).unwrap();
    head::write(folder, &Head { sequence: 3, hash }).unwrap();
    let report = report(&Journal::at(folder.to_owned()).with_keyring(vault));
    assert!(report.faults.iter().any(|faulty| faulty.fault == Fault::Forged && faulty.line == 3), "{report:?}");
}

#[test]
fn checkpoints_in_the_folder_are_compared_and_a_changed_one_is_found() {
    let Kept { folder: _folder, journal, .. } = keyed(5);
    let before = report(&journal);
    let checkpoint = Checkpoint { origin: "here".into(), size: 5, root: before.tree.root(), time: None };
    let (text, _) = journal.sign_checkpoint(&checkpoint).unwrap();
    let file = journal.keep_checkpoint(5, &text, None).unwrap();
    journal.append(&entry(5)).unwrap();
    let after = report(&journal);
    assert_eq!((after.fault_count, after.checkpoint.map(|checkpoint| checkpoint.size)), (0, Some(5)));
    for (from, to) in [("5\n", "4\n"), ("\n\n", "\n")] {
        let text = text.replacen(from, to, 1);
        fs::write(&file, &text).unwrap();
        let faults: Vec<Fault> = report(&journal).faults.into_iter().map(|faulty| faulty.fault).collect();
        assert_eq!(faults, [Fault::CheckpointForged], "{from}");
    }
    // One that is signed by nobody known here is not called ours.
    fs::write(&file, text.replace("here", "there")).unwrap();
    let foreign = report(&journal);
    assert_eq!((foreign.fault_count, foreign.checkpoint), (0, None));
    // The entries rewritten, the checkpoint as it was.
    fs::write(&file, &text).unwrap();
    let entries: Vec<Entry> = [1, 0, 2, 3, 4, 5].into_iter().map(entry).collect();
    rewrite(journal.folder().unwrap(), &entries, None);
    let faults = report(&Journal::at(journal.folder().unwrap().to_owned())).faults;
    assert_eq!(
        faults.into_iter().map(|faulty| faulty.fault).collect::<Vec<_>>(),
        [Fault::CheckpointDiffers { size: 5 }]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whoever owns the journal has its key, too, and can take away every record of it. What somebody else keeps shows
    /// each rewriting of what was signed, and nothing else.
    #[test]
    fn any_rewriting_since_a_checkpoint_is_found(
        count in 1_usize..12,
        more in 0_usize..4,
        places in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4), 0..4),
    ) {
        let Kept { folder, vault, journal } = keyed(count);
        let root = report(&journal).tree.root();
        let original: Vec<Entry> = (0..count + more).map(entry).collect();
        let mut changed = original.clone();
        for (place, how) in places {
            let at = place.index(changed.len().max(1));
            match how {
                0 if changed.len() > 1 => drop(changed.remove(at)),
                1 => changed.insert(at, entry(90)),
                2 => changed.swap(0, at),
                _ => changed[at].origin.username = "mallory".into(),
            }
        }
        // With the true key, as only its owner can.
        let seed = vault.names("journal-key/").unwrap();
        let key = JournalKey::from_seed(&vault.read(&seed[0]).unwrap().unwrap()).unwrap();
        rewrite(journal.folder().unwrap(), &changed, Some(&key));
        let same = |entries: &[Entry]| entries.iter().take(count).map(|entry| {
            (entry.id.clone(), entry.origin.username.clone())
        }).collect::<Vec<_>>();
        let is_same = changed.len() >= count && same(&changed) == same(&original);
        let bare = Journal::at(journal.folder().unwrap().to_owned());
        let (checked, leaves) = bare.leaves().unwrap();
        prop_assert!(checked.is_whole());
        let fits = leaves.get(..count).map(journal::merkle::root) == Some(root);
        prop_assert_eq!(fits, is_same);
        drop(folder);
    }
}

#[test]
fn a_signature_is_by_a_key_of_the_keyring() {
    let Kept { folder, journal, .. } = keyed(1);
    let checkpoint = Checkpoint { origin: "here".into(), size: 1, root: [1; 32], time: None };
    let (text, _) = journal.sign_checkpoint(&checkpoint).unwrap();
    let signed = SignedCheckpoint::read(&text).unwrap();
    assert_eq!(signed.is_signed_by(&journal.verifier_key("here").unwrap()), Some(true));
    let other = opened(&folder, &Arc::new(MemoryVault::like_a_keyring()));
    assert_eq!(signed.is_signed_by(&other.verifier_key("here").unwrap()), None);
    let none = Journal::at(folder.path().join("journal"));
    assert!(none.verifier_key("here").is_err() && none.sign_checkpoint(&checkpoint).is_err());
}

/// A journal of three months, two entries in each, checked once as a whole.
fn three_months() -> Kept {
    let kept = keyed(0);
    for month in 0..3 {
        let intent = Entry { at: NOW + month * 31 * TimeDelta::DAY, ..entry(2 * month as usize) };
        let outcome = Entry { id: format!("o{month}"), intent: Some(intent.id.clone()), ..intent.clone() };
        kept.journal.append(&intent).unwrap();
        // The last one stays open.
        kept.journal.append(&if month == 1 { entry(90) } else { outcome }).unwrap();
    }
    assert!(report(&kept.journal).is_whole());
    kept
}

#[test]
fn past_months_are_remembered_and_what_is_said_of_them_is_the_same() {
    let Kept { folder, vault, journal } = three_months();
    let root = report(&journal).tree.root();
    let checkpoint = Checkpoint { origin: "here".into(), size: 6, root, time: None };
    let (text, _) = journal.sign_checkpoint(&checkpoint).unwrap();
    journal.keep_checkpoint(6, &text, None).unwrap();
    journal.append(&Entry { at: NOW + 62 * TimeDelta::DAY, ..entry(6) }).unwrap();
    for round in 0..3 {
        let quick = opened(&folder, &vault).check_recent().unwrap();
        assert_eq!(quick.remembered.map(|(lines, _)| lines), Some(4), "round {round}");
        let whole = Report { remembered: quick.remembered, ..report(&journal) };
        assert_eq!(format!("{quick:?}"), format!("{whole:?}"));
        // An outcome of an intent of a past month that is open, of one that is done, and an intent.
        let intent = [Some("e2"), Some("e0"), None][round].map(str::to_owned);
        journal.append(&Entry { at: NOW + 62 * TimeDelta::DAY, intent, ..entry(30 + round) }).unwrap();
        if round == 1 {
            // Whether it had an intent is told by reading everything.
            let all = journal.check_recent().unwrap();
            assert!(all.remembered.is_none() && all.is_whole(), "{:?}", all.faults);
            break;
        }
    }
    // A new month: what is remembered moves on.
    journal.append(&Entry { at: NOW + 93 * TimeDelta::DAY, intent: None, ..entry(50) }).unwrap();
    assert!(journal.check_recent().unwrap().is_whole());
    assert_eq!(journal.check_recent().unwrap().remembered.map(|(lines, _)| lines), Some(9));
}

#[test]
fn whatever_happens_to_a_past_month_is_found_at_the_next_start() {
    type Tamper = fn(&Path, &Path);
    let kinds: [(&str, Tamper); 6] = [
        ("a word changed", |first, _| {
            let text = fs::read_to_string(first).unwrap().replacen("ana", "bob", 1);
            fs::write(first, text).unwrap();
        }),
        ("a line less", |first, _| {
            let text = fs::read_to_string(first).unwrap();
            fs::write(first, text.lines().next().unwrap().to_owned() + "\n").unwrap();
        }),
        ("a month gone", |_, second| fs::remove_file(second).unwrap()),
        ("a month emptied", |first, _| fs::write(first, "").unwrap()),
        ("a month more", |first, _| fs::write(first.with_file_name("journal-2020-01.jsonl"), "x\n").unwrap()),
        ("the last line changed, at its time", |_, second| {
            let modified = fs::metadata(second).unwrap().modified().unwrap();
            let text = fs::read_to_string(second).unwrap().replace("e90", "e91");
            fs::write(second, text).unwrap();
            fs::File::options().append(true).open(second).unwrap().set_modified(modified).unwrap();
        }),
    ];
    for (what, tamper) in kinds {
        let Kept { folder, vault, journal } = three_months();
        assert!(journal.check_recent().unwrap().remembered.is_some());
        let files = journal.files().unwrap();
        tamper(&files[0], &files[1]);
        let found = opened(&folder, &vault).check_recent().unwrap();
        assert!(!found.is_whole() && found.remembered.is_none(), "{what}: {found:?}");
    }
    // What is remembered can be odd in any way: then everything is read.
    let Kept { folder: _folder, journal, vault: _vault } = three_months();
    let path = journal.markers.as_ref().unwrap().remembered_path(journal.folder().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    for odd in ["", "{}", &text.replace("\"version\":1", "\"version\":2"), &text.replace("\"lines\":4", "\"lines\":5")]
    {
        fs::write(&path, odd).unwrap();
        let found = journal.check_recent().unwrap();
        assert!(found.is_whole() && found.remembered.is_none() && found.lines == 6, "{odd}");
    }
}
