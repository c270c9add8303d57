//! How long it takes to verify a journal of 10,000 entries, of ten times as many, and of a million in twelve months,
//! with a code in each entry; how long the start takes with these, and how much memory, beside the bars.
//!
//!     cargo bench --bench journal      (see benches/README.md)

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
    time::Instant,
};

use keybearer::{
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{self, Action, BEGINNING, Entry, Origin, Verdict, key::JournalKey},
    },
    ops::journal::reader,
    store::{
        journal::Journal,
        vault::{Vault, memory::MemoryVault},
    },
};
use serde_json::json;

/// Milliseconds that 10,000 entries may take.
const BAR: f64 = 200.0;
const ROUNDS: usize = 7;
const NOW: i64 = 1_795_521_600_000;

fn entry(number: usize) -> Entry {
    let is_outcome = number % 2 == 1;
    Entry {
        at: Timestamp::from_millis(NOW + number as i64 * 1000),
        id: format!("{:011x}-{number:016x}", NOW + number as i64),
        action: [Action::Create, Action::Update, Action::Invalidate][number / 2 % 3],
        intent: is_outcome.then(|| format!("{:011x}-{:016x}", NOW + number as i64 - 1, number - 1)),
        verdict: if is_outcome { Verdict::Success } else { Verdict::Unknown },
        origin: Origin {
            host: "officer-laptop-7".into(),
            system_user: "anna".into(),
            username: "ana.example".into(),
            realm: "native1".into(),
            authentication_type: "realm".into(),
            own_key: None,
            url: "https://payments.example.net:9200".into(),
            cluster: Some("payments-eu".into()),
            cluster_uuid: Some("EKbtSdlKQnuGbNHSGVMcJg".into()),
            system_user_id: Some(1000),
            ..Origin::default()
        },
        keys: vec![KeyId::new(format!("VuaCfGcBCdbkQm-{:05}", number / 2 % 100_000))],
        failed: Vec::new(),
        request: (!is_outcome).then(|| {
            json!({ "name": "logs-payments-writer", "expiration": "90d", "role_descriptors": { "writer": {
                "cluster": ["monitor"], "indices": [{ "names": ["logs-payments.*"], "privileges": ["create_doc"] }] } } })
        }),
        reason: None,
        torn: None,
        damage: None,
    }
}

/// Writes so many entries in so many months, by the library but without waiting for the disk after each of them. The
/// last month has a tenth of what the others have: it has just begun.
fn write(folder: &Path, count: usize, months: usize) -> Journal {
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let seed = JournalKey::new_seed().expect("random numbers");
    let key = JournalKey::from_seed(&seed).expect("a seed");
    vault.write(&format!("journal-key/{}", key.id()), &seed).expect("a vault in memory");
    let mut previous = BEGINNING.to_owned();
    let last = count / (10 * months);
    let (mut number, before) = (0, count - last);
    for month in 1..=months {
        let end = if month == months { count } else { before * month / (months - 1) };
        let path = folder.join(format!("journal-2026-{month:02}.jsonl"));
        let mut file = BufWriter::new(File::create(path).expect("room in the temporary folder"));
        while number < end {
            let line = entry(number).line_with(number as u64 + 1, &previous, Some(&key));
            previous = journal::verify::read(&line).expect("a line that was just made").hash;
            writeln!(file, "{line}").expect("room in the temporary folder");
            number += 1;
        }
        file.flush().expect("room in the temporary folder");
    }
    let head = json!({ "sequence": count, "hash": previous }).to_string();
    fs::write(folder.join("head.json"), head).expect("room in the temporary folder");
    Journal::at(folder.to_owned()).with_keyring(vault).with_markers(folder.join("state"))
}

/// The largest amount of memory that this process has used so far, in MB; `None` where the system does not tell.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()? / 1024.0)
}

/// A million entries in twelve months: the whole verification, and the start.
fn million() {
    const COUNT: usize = 1_000_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = write(folder.path(), COUNT, 12);
    fs::create_dir(folder.path().join("state")).expect("room in the temporary folder");
    let began = Instant::now();
    let standing = reader::check(&journal).expect("a journal that was just written");
    let verified = began.elapsed().as_secs_f64();
    assert!(standing.faults.is_empty() && standing.codes.valid == COUNT, "{:?}", standing.faults);
    let start = median(|| {
        let report = journal.check_recent().expect("a journal that was just written");
        assert!(report.is_whole() && report.remembered.is_some() && report.lines == COUNT);
    });
    println!("{COUNT} entries: verified in {verified:.2} s (bar 4 s: {})", held(verified <= 4.0));
    println!("{COUNT} entries: the start in {start:.1} ms (bar 200 ms: {})", held(start <= 200.0));
    if let Some(peak) = peak_memory() {
        println!("{COUNT} entries: {peak:.0} MB at most (bar 200 MB: {})", held(peak <= 200.0));
    }
}

fn held(is_held: bool) -> &'static str {
    if is_held { "held" } else { "NOT HELD" }
}

/// The median of some rounds, in milliseconds.
fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() {
    // First: the other ones use more memory, for the window.
    million();
    for count in [10_000, 100_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let journal = write(folder.path(), count, 2);
        let verified = median(|| {
            let standing = reader::check(&journal).expect("a journal that was just written");
            assert!(standing.faults.is_empty() && standing.open == 0 && standing.lines == count as u64);
        });
        let read = median(|| drop(black_box(reader::read(&journal).expect("a readable journal"))));
        let history = median(|| {
            let key = KeyId::new("VuaCfGcBCdbkQm-00042");
            assert!(!reader::of_key(&journal, &key, 20).expect("a readable journal").operations.is_empty());
        });
        let bar = if count == 10_000 { format!(" (bar {BAR} ms: {})", held(verified <= BAR)) } else { String::new() };
        println!("{count} entries: verified in {verified:.1} ms{bar}");
        println!("{count} entries: verified and put together for the window in {read:.1} ms");
        println!("{count} entries: the history of one key in {history:.1} ms");
    }
}
