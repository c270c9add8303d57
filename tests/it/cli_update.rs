//! Updates by command: what is shown first, what has to be confirmed, whose keys, changes by somebody else meanwhile, and
//! lost answers.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana, ana_at, cluster, elastic, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run},
    front::{Front, Line},
};

fn shown(practice: &Practice, key: &str) -> Value {
    practice.officer(["show", key, "--output", "json"]).json()
}

#[test]
fn a_member_is_set_and_the_others_stay() {
    let practice = Practice::start();
    practice.create("one", &["--id", "one-app", "--expiration", "1d"]);
    let asked = practice.officer(["update", "one-app", "--set", "team=payments", "--expiration", "9d"]);
    assert_eq!((asked.code, asked.out.as_str()), (Some(2), ""), "nobody can confirm it: {asked:?}");
    for words in ["metadata/team: added \"payments\"", "expires: ", "The owner's privileges", "--yes"] {
        assert!(asked.err.contains(words), "{words}: {asked:?}");
    }
    assert!(shown(&practice, "one-app")["metadata"].get("team").is_none(), "nothing was sent");

    let args = ["update", "one-app", "--set", "team=payments", "--set", "level=2", "--yes", "--output", "json"];
    let done = practice.officer(args);
    assert_eq!(done.code, Some(0), "{done:?}");
    let key = shown(&practice, "one-app");
    assert_eq!(done.json()["updated"], json!([key["id"]]));
    assert_eq!((&key["metadata"]["team"], &key["metadata"]["level"]), (&json!("payments"), &json!(2)));
    assert_eq!(key["metadata"]["application_id"], "one-app");
    let again = practice.officer(args);
    assert_eq!((again.code, &again.json()["unchanged"]), (Some(0), &json!([key["id"]])), "{again:?}");
}

#[test]
fn several_keys_are_changed_at_once_and_files_are_read() {
    let practice = Practice::start();
    practice.create("a", &["--id", "app-a", "--expiration", "1d"]);
    practice.create("b", &["--id", "app-b", "--expiration", "1d"]);
    let folder = folder();
    let file = folder.path().join("rights.json");
    std::fs::write(&file, r#"{"r":{"cluster":["monitor"]}}"#).unwrap();
    let rights = format!("@{}", file.display());
    let done = practice.officer(["update", "app-a", "app-b", "--role-descriptors", &rights, "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("role_descriptors/r: added") && done.err.contains("role_descriptors/reader: removed"));
    for app in ["app-a", "app-b"] {
        assert_eq!(shown(&practice, app)["role_descriptors"]["r"]["cluster"], json!(["monitor"]));
    }
}

#[test]
fn emptiness_needs_an_extra_word_and_nothing_at_all_is_a_slip() {
    let practice = Practice::start();
    practice.create("c", &["--id", "app-c", "--expiration", "1d"]);
    for (args, words) in [
        (&["--role-descriptors", "{}"][..], "--all-owner-rights"),
        (&["--metadata", "{}"], "--wipe-metadata"),
        (&["--unset", "application_id", "--unset", "roles", "--unset", "request_id"], "--wipe-metadata"),
        (&["--set", "a=1", "--unset", "a"], "--unset: “a” is also set"),
        (&["--metadata", "[]"], "a list"),
        (&["--metadata", r#"{"_x":1}"#], "_x"),
        (&["--set", "oops"], "--set: “oops” is not name=value"),
        (&["--expiration", "never"], "--expiration: An expiration can't be removed"),
        (&["--expiration", "-1d"], "past"),
        (&[], "--expiration"),
    ] {
        let ran = practice.officer(["update", "app-c", "--yes"].iter().chain(args));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(words), "{args:?}: {ran:?}");
    }
    let id = shown(&practice, "app-c")["id"].as_str().unwrap().to_owned();
    let rights = ["update", &id, "--role-descriptors", "{}", "--all-owner-rights", "--metadata", "{}"];
    let done = practice.officer(rights.iter().chain(&["--wipe-metadata", "--yes"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("everything its owner can") && done.err.contains("metadata is removed"), "{done:?}");
    let key = shown(&practice, &id);
    assert_eq!((&key["role_descriptors"], &key["metadata"]), (&json!({}), &json!({})));
}

#[test]
fn the_keys_of_others_are_out_of_reach_and_a_key_changes_none() {
    let practice = Practice::start();
    let foreign = practice.list(&["-owner:officer", "status:active", "type:rest"])[0].clone();
    let ran = practice.officer(["update", foreign["id"].as_str().unwrap(), "--set", "a=1", "--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("Only its owner") && ran.err.contains("--run-as"), "{ran:?}");
    let args = ["create", "--name", "self", "--all-my-rights", "--reason", "a test", "--output", "json"];
    let key = practice.officer(args).json();
    let holder = practice.holder(keybearer(), key["encoded"].as_str().unwrap());
    let mut holder = holder;
    let ran = run(holder.args(["update", "self", "--set", "a=1", "--yes"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("Sign in as a user"), "{ran:?}");
}

/// A cluster that tells key `k` by `GET` as it is before, so many times, and then as it is after.
async fn told(before: &Value, times: u64, after: &Value) -> MockServer {
    let server = cluster().await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(std::slice::from_ref(before)))).mount(&server).await;
    let get = || Mock::given(method("GET")).and(path("/_security/api_key"));
    let first = elastic(&rows(std::slice::from_ref(before)));
    get().respond_with(first).up_to_n_times(times).mount(&server).await;
    get().respond_with(elastic(&rows(std::slice::from_ref(after)))).mount(&server).await;
    server
}

/// Reads of key `k` until it is sent: for what is shown, and to compare it just before.
const READS_BEFORE: u64 = 2;

#[tokio::test]
async fn after_a_lost_answer_the_key_itself_is_asked() {
    for (now, code, words) in [(json!({ "a": 1 }), Some(0), "updated"), (json!({}), Some(3), "does not show")] {
        let mut after = row("k", false);
        after["metadata"] = now;
        let server = told(&row("k", false), READS_BEFORE, &after).await;
        let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
        Mock::given(method("PUT")).and(path("/_security/api_key/k")).respond_with(late).mount(&server).await;
        let ran = ana(&server, &["--timeout", "1", "update", "k", "--set", "a=1", "--yes"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.out.contains(words), "{ran:?}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_since_it_was_shown_is_told_and_nothing_is_sent() {
    let mut before = row("k", false);
    before["limited_by"] = json!([{ "x": { "cluster": [] } }]);
    for (part, value, words) in [
        ("metadata", json!({ "incident": "leaked, see INC-7" }), "metadata/incident: added \"leaked, see INC-7\""),
        ("role_descriptors", json!({ "r": { "cluster": ["monitor"] } }), "role_descriptors/r: added"),
        ("expiration", json!(4_000_000_086_400_i64), "expiration: 2096-10-02T07:06:40Z → "),
        ("invalidated", json!(true), "it is invalidated"),
        ("limited_by", json!([{ "x": { "cluster": ["all"] } }]), "limited_by/0/x/cluster"),
    ] {
        let mut after = before.clone();
        after[part] = value;
        // One read for what is shown; the next one finds the change.
        let server = told(&before, 1, &after).await;
        let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
        put.respond_with(elastic(&json!({ "updated": true }))).expect(0).mount(&server).await;
        let ran = ana(&server, &["update", "k", "--set", "a=1", "--yes", "--output", "json"]).await;
        assert_eq!(ran.code, Some(1), "{part}: {ran:?}");
        let reason = ran.json()["failed"][0]["reason"].as_str().unwrap().to_owned();
        assert!(
            reason.starts_with("changed in the meantime: ") && reason.contains("Nothing was sent"),
            "{part}: {reason}"
        );
        assert!(reason.contains(words), "{part}: {reason}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_at_the_same_time_is_not_known_and_written_down_so() {
    let mut after = row("k", false);
    after["metadata"] = json!({ "a": 2 });
    let server = told(&row("k", false), READS_BEFORE, &after).await;
    let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
    put.respond_with(elastic(&json!({ "updated": true }))).expect(1).mount(&server).await;
    let folder = folder();
    let args = ["update", "k", "--set", "a=1", "--yes", "--output", "json"];
    let ran = ana_at(&server, folder.path(), &args).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let reason = ran.json()["not_known"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("the cluster reported it as updated"), "{reason}");
    assert!(reason.contains("metadata/a: 1 → 2"), "{reason}");
    let journal =
        run(keybearer().env("KEYBEARER_JOURNAL", folder.path()).args(["journal", "list", "--output", "json"]));
    assert_eq!(journal.json()[1]["outcome"], "unknown", "{journal:?}");
}

#[tokio::test]
async fn an_end_that_the_cluster_s_clock_makes_another_one_is_told() {
    let mut after = row("k", false);
    after["expiration"] = json!(4_102_531_200_000_i64);
    let server = told(&row("k", false), READS_BEFORE, &after).await;
    let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
    put.respond_with(elastic(&json!({ "updated": true }))).expect(1).mount(&server).await;
    let args = ["update", "k", "--expiration", "2100-01-01T00:00:00Z", "--yes", "--output", "json"];
    let ran = ana(&server, &args).await;
    // Updated it is, and not quite as asked: no failure, and no exit code 0 either.
    assert_eq!((ran.code, &ran.json()["updated"]), (Some(3), &json!(["k"])), "{ran:?}");
    let reason = ran.json()["remarks"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("2100-01-02T00:00:00Z instead of 2100-01-01T00:00:00Z"), "{reason}");
}

#[tokio::test]
async fn a_key_that_can_t_be_read_before_is_not_sent_and_one_that_can_t_afterwards_is_told() {
    let gone = elastic(&json!({ "api_keys": [] }));
    for (times, code, words) in
        [(1, Some(1), "no longer has a key k"), (READS_BEFORE, Some(3), "no longer has a key k")]
    {
        let server = cluster().await;
        let key = elastic(&rows(&[row("k", false)]));
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.respond_with(key.clone()).mount(&server).await;
        let get = || Mock::given(method("GET")).and(path("/_security/api_key"));
        get().respond_with(key).up_to_n_times(times).mount(&server).await;
        get().respond_with(gone.clone()).mount(&server).await;
        let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
        put.respond_with(elastic(&json!({ "updated": true }))).expect(times - 1).mount(&server).await;
        let ran = ana(&server, &["update", "k", "--set", "a=1", "--yes"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.out.contains(words), "{ran:?}");
    }
}

#[tokio::test]
async fn another_cluster_behind_the_same_address_is_not_changed_and_no_proof_of_what_was() {
    let info = |uuid: &str| {
        elastic(&json!({ "name": "n", "cluster_name": "c", "cluster_uuid": uuid, "version": { "number": "9.5.3" } }))
    };
    // Asked at sign-in, before each request and after it.
    for (times, sent, words) in [(1, 0, "Not sent: "), (2, 1, "the request was answered")] {
        let mut after = row("k", false);
        after["metadata"] = json!({ "a": 1 });
        let server = told(&row("k", false), READS_BEFORE, &after).await;
        let root = || Mock::given(method("GET")).and(path("/"));
        root().respond_with(info("u")).with_priority(1).up_to_n_times(times).mount(&server).await;
        root().respond_with(info("other")).with_priority(2).mount(&server).await;
        let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
        put.respond_with(elastic(&json!({ "updated": true }))).expect(sent).mount(&server).await;
        let ran = ana(&server, &["update", "k", "--set", "a=1", "--yes", "--output", "json"]).await;
        // Before anything was sent it is certain that nothing was done.
        let (code, list) = if sent == 0 { (1, "failed") } else { (3, "not_known") };
        assert_eq!(ran.code, Some(code), "{times}: {ran:?}");
        let reason = ran.json()[list][0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(words) && reason.contains("a different cluster responds now"), "{times}: {reason}");
    }
}

#[test]
fn members_are_removed_and_what_is_the_same_is_not_sent() {
    let practice = Practice::start();
    practice.create("u", &["--id", "app-u", "--expiration", "1d", "--metadata", r#"{"z":1,"team":"a","note":"x"}"#]);
    let done = practice.officer(["update", "app-u", "--set", "team=b", "--unset", "note", "--yes", "--output", "json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.err.contains("metadata/note: removed (was \"x\")") && !done.err.contains("role_descriptors"),
        "{done:?}"
    );
    let metadata = shown(&practice, "app-u")["metadata"].clone();
    assert_eq!((&metadata["z"], &metadata["team"], metadata.get("note")), (&json!(1), &json!("b"), None));
    let raw = practice.officer(["show", "app-u", "--output", "json"]).out;
    assert!(raw.find("\"z\"").unwrap() < raw.find("\"team\"").unwrap(), "a member that is set keeps its position");
    let again = practice.officer(["update", "app-u", "--set", "team=b", "--yes"]);
    assert!(
        again.code == Some(0) && again.err.contains("1 key is already as requested and will be skipped"),
        "{again:?}"
    );
    assert!(again.out.contains("unchanged"), "{again:?}");
}

#[test]
fn the_metadata_of_a_copy_can_be_changed() {
    let practice = Practice::start();
    let source = practice.create("source", &["--expiration", "3d"]);
    let folder = folder();
    let file = folder.path().join("source");
    std::fs::write(&file, source["encoded"].as_str().unwrap()).unwrap();
    let args = ["clone", "source", "--source-file", file.to_str().unwrap(), "--name", "copy", "--output", "json"];
    let copy = practice.officer(args).json();
    let done = practice.officer(["update", copy["id"].as_str().unwrap(), "--set", "team=a", "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("metadata/_cloned_from: removed"), "what is lost is told: {done:?}");
}

#[test]
fn an_interrupt_stops_between_two_requests_and_what_was_done_is_told() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let front = runtime.block_on(Front::start(20));
    let officer = |args: &[&str]| {
        let mut command = keybearer();
        command.env("ES_URL", front.sockets.url("http")).env("ES_USERNAME", "officer");
        command.env("ES_PASSWORD", "officer-password").args(args);
        command
    };
    let names: Vec<String> = (0..20).map(|number| format!("stop-{number:02}")).collect();
    for name in &names {
        let made = run(&mut officer(&["create", "--name", name, "--no-rights", "--output", "json"]));
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    front.when("PUT", "/_security/api_key", |_| Line::Holds(1500));
    let args: Vec<&str> = ["update", "--set", "team=a", "--yes", "--output", "json"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    let begun = std::time::Instant::now();
    let mut child = officer(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while front.count() < 8 {
        assert!(child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60), "eight at once");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let outcome = ran.json();
    let count = |part: &str| outcome[part].as_array().unwrap().len();
    assert_eq!((count("updated"), count("untouched"), &outcome["stopped"]), (8, 12, &json!(true)), "{ran:?}");
    assert!(ran.err.contains("Stopped; not sent and unchanged: 12 keys"), "{ran:?}");
}
