//! Checkpoints, proofs and shipped entries against a journal that its own owner rewrites, with its key.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use keybearer::{
    client::ClientError,
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{self, Action, BEGINNING, Entry, Origin, Verdict, key::JournalKey},
    },
    ops::journal::{
        against::{self, Comparison, Trusted},
        checkpoint::{self, Fit, Made, Wanted},
        ship::{self, Shipment},
        signers::Signer,
    },
    store::{
        journal::Journal,
        vault::{Vault, memory::MemoryVault},
    },
};
use serde_json::json;
use wiremock::{Mock, Request, matchers::path};

use crate::{
    cli_odd_clusters::{ana_session, cluster, elastic},
    cli_practice::folder,
    front::Front,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

pub fn entry(number: usize) -> Entry {
    Entry {
        at: NOW,
        id: format!("e{number}"),
        action: Action::Invalidate,
        intent: None,
        verdict: Verdict::Unknown,
        origin: Origin {
            host: "laptop-7".into(),
            username: "ana".into(),
            system_user: "aruiz".into(),
            ..Origin::default()
        },
        keys: vec![KeyId::new(format!("k{number}"))],
        failed: Vec::new(),
        request: Some(json!({ "ids": [format!("k{number}")] })),
        reason: None,
        torn: None,
        damage: None,
    }
}

struct Kept {
    folder: tempfile::TempDir,
    vault: Arc<dyn Vault>,
    journal: Journal,
}

impl Kept {
    fn new(count: usize) -> Self {
        let (folder, vault) = (folder(), Arc::new(MemoryVault::like_a_keyring()) as Arc<dyn Vault>);
        let journal = Journal::at(folder.path().join("journal")).with_keyring(Arc::clone(&vault));
        (0..count).for_each(|number| journal.append(&entry(number)).unwrap());
        Self { folder, vault, journal }
    }

    /// Keeps a checkpoint as another person would: outside of the journal's folder.
    fn checkpoint(&self) -> (PathBuf, Made) {
        let made = checkpoint::make(&self.journal, NOW).unwrap();
        let path = self.folder.path().join(format!("{}.checkpoint", made.checkpoint.size));
        fs::write(&path, &made.text).unwrap();
        (path, made)
    }

    /// Rewrites everything as only the owner can: with the true key, and with each record of the journal made to fit.
    fn rewrite(&self, entries: &[Entry]) {
        let names = self.vault.names("journal-key/").unwrap();
        let key = JournalKey::from_seed(&self.vault.read(&names[0]).unwrap().unwrap()).unwrap();
        let (mut text, mut previous) = (String::new(), BEGINNING.to_owned());
        for (place, entry) in entries.iter().enumerate() {
            let line = entry.line_with(place as u64 + 1, &previous, Some(&key));
            previous = journal::verify::read(&line).unwrap().hash;
            text += &format!("{line}\n");
        }
        let folder = self.journal.folder().unwrap();
        fs::write(&self.journal.files().unwrap()[0], text).unwrap();
        let head = json!({ "sequence": entries.len(), "hash": previous }).to_string();
        fs::write(folder.join("head.json"), &head).unwrap();
        let _ = fs::remove_dir_all(folder.join("checkpoints"));
        for name in self.vault.names("journal-head/").unwrap() {
            self.vault.write(&name, &keybearer::model::secret::Secret::new(&*head)).unwrap();
        }
        assert!(self.journal.check(|_, _| ()).unwrap().is_whole(), "a perfect forgery");
    }

    fn fits(&self, kept: &Path) -> Fit {
        let kept = vec![(kept.to_owned(), checkpoint::read(kept).unwrap())];
        let (_, compared) = checkpoint::compare(&self.journal, kept, None).unwrap();
        assert_eq!(compared[0].is_signed, Some(true));
        compared[0].fit
    }
}

#[test]
fn a_perfect_forgery_is_found_from_any_earlier_checkpoint() {
    let kept = Kept::new(3);
    let (early, _) = kept.checkpoint();
    (3..7).for_each(|number| kept.journal.append(&entry(number)).unwrap());
    let (late, _) = kept.checkpoint();
    kept.journal.append(&entry(7)).unwrap();
    assert_eq!((kept.fits(&early), kept.fits(&late)), (Fit::Same, Fit::Same));
    let mut entries: Vec<Entry> = (0..8).map(entry).collect();
    entries[4].origin.username = "mallory".into();
    kept.rewrite(&entries);
    assert_eq!((kept.fits(&early), kept.fits(&late)), (Fit::Same, Fit::Differs));
    kept.rewrite(&entries[..5]);
    assert_eq!((kept.fits(&early), kept.fits(&late)), (Fit::Same, Fit::Longer));
    entries[1].id = "e91".into();
    kept.rewrite(&entries);
    assert_eq!((kept.fits(&early), kept.fits(&late)), (Fit::Differs, Fit::Differs));
    entries[0].id = "e90".into();
    kept.rewrite(&entries);
    assert_eq!((kept.fits(&early), kept.fits(&late)), (Fit::OtherJournal, Fit::OtherJournal));
}

#[test]
fn an_entry_is_proved_to_somebody_who_has_neither_the_journal_nor_its_key() {
    let kept = Kept::new(11);
    let (old, made) = kept.checkpoint();
    (11..20).for_each(|number| kept.journal.append(&entry(number)).unwrap());
    let newer = checkpoint::prove(&kept.journal, &Wanted::Sequence(12), None).unwrap_err();
    assert!(newer.words().contains("newer than the checkpoint"), "{newer:?}");
    let proof = kept.folder.path().join("proof");
    for wanted in (1..=11).map(Wanted::Sequence).chain([Wanted::Id("e3".into())]) {
        let text = checkpoint::prove(&kept.journal, &wanted, None).unwrap().text();
        fs::write(&proof, &text).unwrap();
        let proved = checkpoint::verify_proof(&proof, None, made.key.as_ref().ok()).unwrap();
        let entry = proved.entry.unwrap();
        assert!(proved.is_signed == Some(true) && proved.checkpoint == made.checkpoint);
        assert!(wanted == Wanted::Sequence(entry.sequence) || wanted == Wanted::Id(entry.id));
    }
    // One flipped bit anywhere shows: nothing else is proved by it than before.
    let bytes = fs::read(&proof).unwrap();
    for bit in (0..bytes.len() * 8).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&proof, flipped).unwrap();
        if let Ok(proved) = checkpoint::verify_proof(&proof, None, made.key.as_ref().ok()) {
            let same = proved.entry.map(|entry| entry.id) == Some("e3".into()) && proved.checkpoint.size == 11;
            assert!(proved.is_signed != Some(true) || same, "bit {bit}");
        }
    }
    let (_, later) = kept.checkpoint();
    fs::write(&proof, checkpoint::prove_consistency(&kept.journal, &old, None).unwrap().text()).unwrap();
    let proved = checkpoint::verify_proof(&proof, Some(&old), later.key.as_ref().ok()).unwrap();
    assert_eq!((proved.checkpoint.size, proved.entry.is_none(), proved.is_signed), (20, true, Some(true)));
    assert!(checkpoint::verify_proof(&proof, None, None).is_err(), "without the earlier one it proves nothing");
    let mut entries: Vec<Entry> = (0..20).map(entry).collect();
    entries.remove(2);
    kept.rewrite(&entries);
    let refused = checkpoint::prove_consistency(&kept.journal, &old, None).unwrap_err();
    assert!(refused.words().contains("no checkpoint yet"), "{refused:?}");
    let (new, _) = kept.checkpoint();
    let refused = checkpoint::prove_consistency(&kept.journal, &old, Some(&new)).unwrap_err();
    assert!(refused.words().contains("does not fit the checkpoint"), "{refused:?}");
}

#[test]
fn a_checkpoint_is_due_once_a_day_and_only_for_new_entries() {
    let kept = Kept::new(2);
    let due = |days: i64| {
        let report = kept.journal.check(|_, _| ()).unwrap();
        let now = NOW + days * keybearer::model::TimeDelta::DAY;
        checkpoint::make_if_due(&kept.journal, &report, now, &Signer::Journal).unwrap().map(|made| made.checkpoint.size)
    };
    assert_eq!((due(0), due(1), due(1), due(5)), (None, Some(2), None, None));
    kept.journal.append(&entry(2)).unwrap();
    assert_eq!((due(1), due(6), due(6)), (None, Some(3), None));
    let broken = kept.journal.files().unwrap()[0].clone();
    fs::write(&broken, fs::read_to_string(&broken).unwrap().replace("k0", "k9")).unwrap();
    assert_eq!(due(9), None);
    assert!(checkpoint::make(&kept.journal, NOW).unwrap_err().words().contains("failed verification"));
}

#[tokio::test]
async fn what_was_shipped_shows_each_rewriting_of_the_journal() {
    let kept = Kept::new(6);
    kept.checkpoint();
    let front = Front::start(1).await;
    let session = front.session("elastic").await;
    let compared = async || -> Comparison {
        against::compare(&session, &kept.journal, "kb-journal", Trusted::default()).await.unwrap()
    };
    let what = Shipment { index: "kb-journal".into(), since: None, even_broken: false };
    let shipped = ship::ship(&session, &kept.journal, &what, |_| ()).await.unwrap();
    assert_eq!((shipped.shipped, shipped.checkpoints, shipped.failed.len()), (6, 1, 0), "{shipped:?}");
    let again = ship::ship(&session, &kept.journal, &what, |_| ()).await.unwrap();
    assert_eq!((again.shipped, again.already_there, again.checkpoints), (0, 6, 0), "{again:?}");
    kept.journal.append(&entry(6)).unwrap();
    // Another machine's journal is in the same index.
    let other = Kept::new(0);
    for number in 0..9 {
        let theirs = entry(30 + number);
        other.journal.append(&Entry { origin: Origin { host: "laptop-8".into(), ..theirs.origin }, ..theirs }).unwrap();
    }
    ship::ship(&session, &other.journal, &what, |_| ()).await.unwrap();
    let same = compared().await;
    assert_eq!((same.same, same.not_shipped, same.missing_there, same.unrelated), (6, 1, 0, 0), "{same:?}");
    assert_eq!((same.verdict(), same.checkpoints.len()), (against::Verdict::Same, 1));
    let entries: Vec<Entry> = (0..7).map(entry).collect();
    let changed = |change: fn(&mut Vec<Entry>)| {
        let mut entries = entries.clone();
        change(&mut entries);
        entries
    };
    for (what, entries, from) in [
        ("changed", changed(|all| all[3].origin.username = "mallory".into()), 4),
        ("removed", changed(|all| drop(all.remove(3))), 4),
        ("cut off", changed(|all| all.truncate(4)), 5),
        ("added", changed(|all| all.insert(1, entry(50))), 2),
    ] {
        kept.rewrite(&entries);
        let found = compared().await;
        assert_eq!((found.differs_from, found.verdict()), (Some(from), against::Verdict::Differs), "{what}: {found:?}");
        assert!(found.checkpoints.iter().all(|compared| compared.fit != Fit::Same), "{what}");
    }
    // From the first entry on: it can't be told from a second journal, and is called neither the same nor another.
    kept.rewrite(&changed(|all| all[0].id = "e90".into()));
    let unknown = compared().await;
    assert_eq!((unknown.same, unknown.unrelated, unknown.verdict()), (0, 6, against::Verdict::NotKnown), "{unknown:?}");
    kept.rewrite(&entries);
    assert_eq!(compared().await.verdict(), against::Verdict::Same);
}

#[tokio::test]
async fn an_index_of_many_journals_is_read_in_parts_and_no_part_is_left_out() {
    let kept = Kept::new(3);
    let hashes: Vec<(String, String)> = {
        let mut hashes = Vec::new();
        kept.journal.check(|entry, _| hashes.push((entry.hash.clone(), entry.previous().to_owned()))).unwrap();
        hashes
    };
    // 8,000 journals whose first three entries have the same numbers.
    let server = cluster().await;
    let search = move |request: &Request| {
        let body: serde_json::Value = request.body_json().unwrap();
        let range = &body["query"]["range"]["event.sequence"];
        let (from, until) = (range["gte"].as_u64().unwrap(), range["lt"].as_u64().unwrap().min(4));
        let total: u64 = (from.max(1)..until.max(from.max(1))).count() as u64 * 8000;
        let ours = (from.max(1)..until).map(|sequence| {
            let (hash, previous) = &hashes[sequence as usize - 1];
            json!({ "_id": hash, "_source": { "event": { "sequence": sequence },
                "host": { "hostname": "laptop-7" }, "process": { "user": { "name": "aruiz" } },
                "keybearer": { "previous": previous } } })
        });
        let hits: Vec<_> = if total > 10_000 { Vec::new() } else { ours.collect() };
        elastic(&json!({ "hits": { "total": { "value": total }, "hits": hits } }))
    };
    Mock::given(path("/kb-journal/_search")).respond_with(search).mount(&server).await;
    let session = ana_session(&server).await;
    let found = against::compare(&session, &kept.journal, "kb-journal", Trusted::default()).await.unwrap();
    assert_eq!((found.same, found.verdict()), (3, against::Verdict::Same), "{found:?}");
    let refused = session.client.shipped_entries("a*", &(0..1)).await;
    assert!(matches!(refused, Err(ClientError::NotSent { .. })), "{refused:?}");
}
