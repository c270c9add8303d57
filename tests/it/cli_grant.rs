//! Keys for other users by command, and acting as them.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana_at, cluster, elastic, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run, text},
};

/// Runs it with this text on its stdin.
fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn grant(practice: &Practice, more: &[&str], password: &str) -> Ran {
    let mut command = practice.user(keybearer(), "officer");
    command.args(["grant", "--name", "for-ana", "--for", "ana", "--password-stdin", "--output", "json"]).args(more);
    fed(&mut command, password)
}

#[test]
fn the_key_is_the_other_users_and_can_do_no_more() {
    let practice = Practice::start();
    let made = grant(&practice, &["--role", "reader", "--id", "ana-app"], "ana-password\n");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.err.contains("A key of ana that") && made.err.contains("no more than its owner"), "{made:?}");
    let shown = practice.officer(["show", "ana-app", "--output", "json"]).json();
    assert_eq!((&shown["username"], &shown["id"]), (&json!("ana"), &made.json()["id"]));
    assert_eq!(shown["metadata"]["roles"], json!(["reader"]));
    let whoami = run(practice.holder(keybearer(), made.json()["encoded"].as_str().unwrap()).args(["whoami"]));
    assert!(whoami.out.contains("ana"), "{whoami:?}");
    let all = grant(&practice, &["--all-my-rights", "--reason", "a test"], "ana-password");
    assert!(all.code == Some(0) && all.err.contains("does everything ana can do"), "{all:?}");
}

#[test]
fn a_file_holds_the_password_and_a_dry_run_shows_none() {
    let practice = Practice::start();
    let folder = folder();
    let file = folder.path().join("password");
    fs::write(&file, "ana-password\n").unwrap();
    let args = ["grant", "--name", "of-a-file", "--for", "ana", "--password-file", text(&file), "--no-rights"];
    let dry = practice.officer(args.iter().chain(&["--dry-run"]));
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(
        dry.out.starts_with("POST /_security/api_key/grant") && dry.out.contains(r#""username": "ana""#),
        "{dry:?}"
    );
    assert!(!format!("{dry:?}").contains("ana-password"));
    assert!(practice.list(&["name:of-a-file"]).is_empty());
    let secret = folder.path().join("key");
    let made = practice.officer(args.iter().chain(&["--secret-file", text(&secret)]));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(!fs::read_to_string(&secret).unwrap().trim().is_empty());
}

#[test]
fn a_wrong_password_is_told_as_what_it_is() {
    let practice = Practice::start();
    let ran = grant(&practice, &["--no-rights"], "hunter2-wrong");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("The sign-in of ana was refused") && ran.err.contains("No key was created"), "{ran:?}");
    assert!(!ran.err.contains("hunter2"), "{ran:?}");
    let mut command = practice.user(keybearer(), "officer");
    command.args(["grant", "--name", "n", "--token-stdin", "--no-rights", "--output", "json"]);
    let ran = fed(&mut command, "no-such-token");
    assert!(ran.code == Some(1) && ran.err.contains("token may be wrong or expired"), "{ran:?}");
}

#[test]
fn slips_and_missing_privileges_are_told_before_anything_is_sent() {
    let practice = Practice::start();
    for (args, words) in [
        (&["--no-rights", "--output", "json"][..], "--for"),
        (&["--for", "ana", "--no-rights", "--output", "json"], "--password-file or --password-stdin"),
        (
            &["--for", " ", "--password-stdin", "--no-rights", "--output", "json"],
            "--for: Enter the user who will own the key",
        ),
        (&["--for", "ana", "--password-stdin", "--no-rights", "--output", "json"], "Password of ana is blank"),
        (&["--for", "ana", "--password-stdin", "--output", "json"], "--role"),
        (&["--for", "ana", "--password-stdin", "--no-rights"], "--secret-file"),
        (&["--for", "ana", "--password", "x", "--no-rights"], "--password"),
        (&["--for", "ana", "--token-stdin", "--no-rights"], "cannot be used with"),
    ] {
        let ran = practice.officer(["grant", "--name", "n"].iter().chain(args));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(words), "{args:?}: {ran:?}");
    }
    let mut olga = practice.user(keybearer(), "olga");
    olga.args(["grant", "--name", "n", "--for", "ana", "--password-stdin", "--no-rights", "--output", "json"]);
    let ran = fed(&mut olga, "ana-password");
    assert!(ran.code == Some(1) && ran.err.contains("grant_api_key"), "{ran:?}");
}

#[test]
fn who_acts_as_another_is_told_so() {
    let practice = Practice::start();
    let elastic = |args: &[&str]| run(practice.user(keybearer(), "elastic").args(["--run-as", "ana"]).args(args));
    let whoami = elastic(&["whoami"]);
    assert!(whoami.out.contains("Acting as ana, signed in as elastic (run-as)"), "{whoami:?}");
    assert_eq!(elastic(&["whoami", "--output", "json"]).json()["run_as"], "ana");
    let args = ["create", "--name", "by-elastic", "--no-rights", "--expiration", "1d", "--output", "json", "--id", "x"];
    let made = elastic(&args);
    assert!(made.code == Some(0) && made.err.contains("Acting as ana"), "{made:?}");
    assert_eq!(practice.officer(["show", "x", "--output", "json"]).json()["username"], "ana");
    for args in [&["update", "x", "--set", "a=1", "--yes"][..], &["invalidate", "x", "--yes"]] {
        let ran = elastic(args);
        assert!(ran.code == Some(0) && ran.err.contains("Acting as ana"), "{ran:?}");
    }
    let denied = run(practice.user(keybearer(), "olga").args(["--run-as", "ana", "whoami"]));
    assert!(denied.code == Some(1) && denied.err.contains("privilege run_as"), "{denied:?}");
}

fn entries(place: &std::path::Path) -> Value {
    run(keybearer().env("KEYBEARER_JOURNAL", place).args(["journal", "list", "--output", "json"])).json()
}

#[tokio::test]
async fn the_journal_knows_for_whom_and_never_the_password() {
    let server = cluster().await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    let place = "/_security/api_key/grant";
    Mock::given(method("POST")).and(path(place)).respond_with(late).expect(1).mount(&server).await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("stray-1", false)]))).mount(&server).await;
    let folder = folder();
    let file = folder.path().join("password");
    fs::write(&file, "boris-hunter2").unwrap();
    let journal = folder.path().join("journal");
    let args = ["--timeout", "1", "grant", "--name", "app", "--no-rights", "--output", "json", "--for", "boris"];
    let ran = ana_at(&server, &journal, &[&args[..], &["--password-file", text(&file)]].concat()).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "a key was created: {ran:?}");
    assert!(ran.err.contains("stray-1") && ran.err.contains("nobody knows its secret"), "{ran:?}");
    let sent = server.received_requests().await.unwrap();
    let sent: Value = sent.iter().find(|request| request.url.path() == place).unwrap().body_json().unwrap();
    assert_eq!((&sent["password"], &sent["username"]), (&json!("boris-hunter2"), &json!("boris")));
    let entries = entries(&journal);
    assert_eq!((&entries[0]["action"], &entries[1]["outcome"]), (&json!("api-key-grant"), &json!("unknown")));
    assert!(entries[0]["request"].as_str().unwrap().contains(r#""username":"boris""#), "{entries}");
    assert!(!entries.to_string().contains("hunter2"), "{entries}");
}

#[tokio::test]
async fn who_sees_no_keys_of_others_does_not_pretend_to_have_looked() {
    let server = cluster().await;
    let privileges = json!({ "cluster": { "grant_api_key": true, "manage_own_api_key": true }, "index": {} });
    let place = "/_security/user/_has_privileges";
    Mock::given(method("POST"))
        .and(path(place))
        .respond_with(elastic(&privileges))
        .with_priority(1)
        .mount(&server)
        .await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    Mock::given(method("POST")).and(path("/_security/api_key/grant")).respond_with(late).mount(&server).await;
    let folder = folder();
    let file = folder.path().join("password");
    fs::write(&file, "boris-hunter2").unwrap();
    let args = ["--timeout", "1", "grant", "--name", "app", "--no-rights", "--output", "json", "--for", "boris"];
    let ran = ana_at(&server, folder.path(), &[&args[..], &["--password-file", text(&file)]].concat()).await;
    assert!(ran.err.contains("not known whether a key was created") && ran.err.contains("read_security"), "{ran:?}");
}

#[tokio::test]
async fn a_proxy_that_repeats_the_request_gives_nothing_away() {
    let server = cluster().await;
    let echo = json!({ "error": { "type": "x", "reason": "bad request: {\"password\":\"boris-hunter2\"}" } });
    let echo = ResponseTemplate::new(400).set_body_json(echo).insert_header("X-elastic-product", "Elasticsearch");
    Mock::given(method("POST")).and(path("/_security/api_key/grant")).respond_with(echo).mount(&server).await;
    let folder = folder();
    let file = folder.path().join("password");
    fs::write(&file, "boris-hunter2").unwrap();
    let args = ["grant", "--name", "app", "--no-rights", "--output", "json", "--for", "boris"];
    let ran = ana_at(&server, folder.path(), &[&args[..], &["--password-file", text(&file)]].concat()).await;
    assert!(ran.err.contains("bad request") && !format!("{ran:?}").contains("hunter2"), "{ran:?}");
}
