//! How long it takes to verify a journal of 10,000 entries, beside the bar, and of ten times as many.
//!
//!     cargo bench --bench journal      (see benches/README.md)

use std::{fs, hint::black_box, path::Path, time::Instant};

use keybearer::{
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{self, Action, BEGINNING, Entry, Origin, Verdict},
    },
    ops::journal::reader,
    store::journal::Journal,
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

/// Writes so many entries, by the library but without waiting for the disk after each of them.
fn write(folder: &Path, count: usize) -> Journal {
    let (mut text, mut previous) = (String::new(), BEGINNING.to_owned());
    for number in 0..count {
        let line = entry(number).line(number as u64 + 1, &previous);
        previous = journal::verify::read(&line).expect("a line that was just made").hash;
        text.push_str(&line);
        text.push('\n');
    }
    let files =
        [("journal-2026-11.jsonl", text), ("head.json", json!({ "sequence": count, "hash": previous }).to_string())];
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("room in the temporary folder");
    }
    Journal::at(folder.to_owned())
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
    for count in [10_000, 100_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let journal = write(folder.path(), count);
        let verified = median(|| {
            let standing = reader::check(&journal).expect("a journal that was just written");
            assert!(standing.faults.is_empty() && standing.open == 0 && standing.lines == count as u64);
        });
        let read = median(|| drop(black_box(reader::read(&journal).expect("a readable journal"))));
        let history = median(|| {
            let key = KeyId::new("VuaCfGcBCdbkQm-00042");
            assert!(!reader::of_key(&journal, &key, 20).expect("a readable journal").operations.is_empty());
        });
        let bar = if count == 10_000 { format!(" (bar {BAR} ms: {})", verdict(verified)) } else { String::new() };
        println!("{count} entries: verified in {verified:.1} ms{bar}");
        println!("{count} entries: verified and put together for the window in {read:.1} ms");
        println!("{count} entries: the history of one key in {history:.1} ms");
    }
}

fn verdict(millis: f64) -> &'static str {
    if millis <= BAR { "held" } else { "NOT HELD" }
}
