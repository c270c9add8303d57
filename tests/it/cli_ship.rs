//! Shipping the journal by command: each entry once, what is busy again later, and nothing of a broken chain.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use keybearer::{
    ops::journal::ship::{self, Shipment},
    store::journal::Journal,
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana_at, cluster, elastic},
    cli_practice::{Practice, Ran, folder, keybearer, run},
    front::Front,
};

/// Creates keys, so that there are two entries for each.
fn written(practice: &Practice, place: &Path, names: &[&str]) {
    for name in names {
        let mut command = practice.user(keybearer(), "officer");
        command.env("KEYBEARER_JOURNAL", place);
        let args = ["create", "--name", name, "--role", "reader", "--expiration", "1d", "--output", "json"];
        assert_eq!(run(command.args(args)).code, Some(0));
    }
}

fn ship_by_command(practice: &Practice, place: &Path, more: &[&str]) -> Ran {
    let mut command = practice.user(keybearer(), "elastic");
    command.env("KEYBEARER_JOURNAL", place).args(["journal", "ship", "--index", "kb-journal"]).args(more);
    run(&mut command)
}

fn journal_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap()
}

#[test]
fn each_entry_is_there_once_however_often_it_is_shipped() {
    let practice = Practice::start();
    let folder = folder();
    written(&practice, folder.path(), &["one", "two"]);
    let first = ship_by_command(&practice, folder.path(), &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.out, "4 entries shipped to kb-journal, 0 already there, 0 failed\n");
    written(&practice, folder.path(), &["three"]);
    let again = ship_by_command(&practice, folder.path(), &["--output", "json"]);
    let told = again.json();
    assert_eq!((&told["shipped"], &told["already_there"], &told["failed"]), (&json!(2), &json!(4), &json!([])));
    let none = ship_by_command(&practice, folder.path(), &["--since", "2100-01-01"]);
    assert_eq!(none.out, "0 entries shipped to kb-journal, 0 already there, 0 failed\n", "{none:?}");
}

/// What was sent before a file could no longer be read is reported as sent.
#[test]
fn a_file_that_goes_away_ends_the_shipment_and_what_was_sent_before_is_counted() {
    let practice = Practice::start();
    let folder = folder();
    written(&practice, folder.path(), &["one", "two"]);
    let first = journal_file(folder.path());
    let later = folder.path().join("journal-2999-01.jsonl");
    fs::copy(&first, &later).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shipped = runtime.block_on(async {
        let front = Front::start(1).await;
        let session = front.session("elastic").await;
        let what = Shipment { index: "kb-journal".into(), since: None, even_broken: true };
        let journal = Journal::at(folder.path().to_owned());
        ship::ship(&session, &journal, &what, |_| _ = fs::remove_file(&later)).await.unwrap()
    });
    assert_eq!((shipped.shipped, shipped.failed.len()), (4, 0), "{shipped:?}");
    assert!(shipped.ended_by.is_some_and(|problem| problem.words().contains("The journal can’t be read")));
}

#[test]
fn a_broken_chain_is_not_shipped_unless_that_is_asked_for() {
    let practice = Practice::start();
    let folder = folder();
    written(&practice, folder.path(), &["one", "two"]);
    let file = journal_file(folder.path());
    let text = fs::read_to_string(&file).unwrap().replacen("success", "failure", 1);
    fs::write(&file, text).unwrap();
    let refused = ship_by_command(&practice, folder.path(), &[]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.err.contains("line 2 was changed") && refused.err.contains("--even-broken"), "{refused:?}");
    let asked = ship_by_command(&practice, folder.path(), &["--even-broken"]);
    assert_eq!(asked.code, Some(3), "{asked:?}");
    assert_eq!(asked.out, "3 entries shipped to kb-journal, 0 already there, 0 failed\n");
    assert!(asked.err.contains("line 2 was changed"), "{asked:?}");
}

#[test]
fn the_template_is_printed_without_a_cluster_and_without_a_journal() {
    let printed = run(keybearer().args(["journal", "ship", "--index", "kb", "--print-template"]));
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let template = printed.json();
    assert_eq!(template["index_patterns"], json!(["kb"]));
    assert_eq!(template["template"]["mappings"]["properties"]["@timestamp"]["type"], "date");
    let practice = Practice::start();
    let off = ship_by_command(&practice, Path::new("off"), &[]);
    assert_eq!(off.code, Some(1), "{off:?}");
    assert!(off.err.contains("KEYBEARER_JOURNAL is set to off"), "{off:?}");
    let both = ship_by_command(&practice, Path::new("off"), &["--to-profile", "a", "--profile", "b"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

/// Answers for each document of a `_bulk` by its place and by how often it was asked before.
async fn bulk(server: &MockServer, answer: impl Fn(usize, usize) -> Value + Send + Sync + 'static) {
    let asked = Arc::new(AtomicUsize::new(0));
    let respond = move |request: &Request| {
        let time = asked.fetch_add(1, Ordering::Relaxed);
        let count = request.body.iter().filter(|byte| **byte == b'\n').count() / 2;
        let items: Vec<Value> = (0..count).map(|place| json!({ "create": answer(time, place) })).collect();
        elastic(&json!({ "items": items }))
    };
    Mock::given(method("POST")).and(path("/kb-journal/_bulk")).respond_with(respond).mount(server).await;
}

fn refused(status: u16, kind: &str) -> Value {
    json!({ "status": status, "error": { "type": kind, "reason": format!("{kind} it is") } })
}

async fn shipped(server: &MockServer) -> Ran {
    let practice = tokio::task::spawn_blocking(|| {
        let (practice, folder) = (Practice::start(), folder());
        written(&practice, folder.path(), &["one", "two"]);
        (practice, folder)
    });
    let (practice, folder) = practice.await.unwrap();
    let ran = ana_at(server, folder.path(), &["journal", "ship", "--index", "kb-journal", "--output", "json"]).await;
    tokio::task::spawn_blocking(move || drop(practice)).await.unwrap();
    ran
}

#[tokio::test]
async fn what_a_busy_cluster_puts_off_is_sent_again_and_nothing_else() {
    let server = cluster().await;
    bulk(&server, |time, place| match (time, place) {
        (0, 1 | 2) => refused(429, "es_rejected_execution_exception"),
        (1, 0) => refused(503, "unavailable_shards_exception"),
        _ => json!({ "status": 201 }),
    })
    .await;
    let ran = shipped(&server).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((&ran.json()["shipped"], &ran.json()["failed"]), (&json!(4), &json!([])));
    let requests = server.received_requests().await.unwrap();
    let sizes: Vec<usize> = requests
        .iter()
        .filter(|request| request.url.path() == "/kb-journal/_bulk")
        .map(|request| request.body.iter().filter(|byte| **byte == b'\n').count() / 2)
        .collect();
    assert_eq!(sizes, [4, 2, 1]);
}

#[tokio::test]
async fn what_is_refused_is_told_with_its_number_and_its_reason() {
    let server = cluster().await;
    bulk(&server, |_, place| match place {
        1 => refused(400, "document_parsing_exception"),
        2 => refused(409, "version_conflict_engine_exception"),
        _ => json!({ "status": 201 }),
    })
    .await;
    let ran = shipped(&server).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told = ran.json();
    assert_eq!((&told["shipped"], &told["already_there"]), (&json!(2), &json!(1)));
    assert_eq!(told["failed"], json!([{ "sequence": 2, "reason": "document_parsing_exception it is" }]));
}

#[tokio::test]
async fn a_cluster_that_refuses_the_whole_request_ends_it_with_its_words() {
    let server = cluster().await;
    let body = json!({ "error": { "type": "security_exception", "reason": "not for you" }, "status": 403 });
    let no = ResponseTemplate::new(403).set_body_json(body).insert_header("X-elastic-product", "Elasticsearch");
    Mock::given(method("POST")).and(path("/kb-journal/_bulk")).respond_with(no).mount(&server).await;
    let ran = shipped(&server).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("not for you") && ran.json()["error"].as_str().unwrap().contains("not for you"),
        "{ran:?}"
    );
}
