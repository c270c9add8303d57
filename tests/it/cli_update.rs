//! Updates by command: what is shown first, what needs an extra word, whose keys, and lost answers.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana, cluster, elastic, row, rows},
    cli_practice::{Practice, folder, keybearer, run},
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
    for words in ["metadata/team: added \"payments\"", "expires: ", "owner's rights of today", "--yes"] {
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
        (&["--metadata", "[]"], "a list"),
        (&["--metadata", r#"{"_x":1}"#], "_x"),
        (&["--set", "oops"], "KEY=VALUE"),
        (&["--expiration", "never"], "can't take an end away"),
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
    assert!(done.err.contains("everything that its owner may") && done.err.contains("metadata is wiped"), "{done:?}");
    let key = shown(&practice, &id);
    assert_eq!((&key["role_descriptors"], &key["metadata"]), (&json!({}), &json!({})));
}

#[test]
fn the_keys_of_others_are_out_of_reach_and_a_key_changes_none() {
    let practice = Practice::start();
    let foreign = practice.list(&["-owner:officer", "status:active", "type:rest"])[0].clone();
    let ran = practice.officer(["update", foreign["id"].as_str().unwrap(), "--set", "a=1", "--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("only its owner") && ran.err.contains("--run-as"), "{ran:?}");
    let args = ["create", "--name", "self", "--all-my-rights", "--reason", "a test", "--output", "json"];
    let key = practice.officer(args).json();
    let holder = practice.holder(keybearer(), key["encoded"].as_str().unwrap());
    let mut holder = holder;
    let ran = run(holder.args(["update", "self", "--set", "a=1", "--yes"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("Sign in as a user"), "{ran:?}");
}

#[tokio::test]
async fn after_a_lost_answer_the_key_itself_is_asked() {
    for (now, code, words) in [(json!({ "a": 1 }), Some(0), "updated"), (json!({}), Some(3), "does not show")] {
        let server = cluster().await;
        let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
        Mock::given(method("PUT")).and(path("/_security/api_key/k")).respond_with(late).mount(&server).await;
        let query = || Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        let before: ResponseTemplate = elastic(&rows(&[row("k", false)]));
        query().respond_with(before).up_to_n_times(1).mount(&server).await;
        let mut after = row("k", false);
        after["metadata"] = now;
        query().respond_with(elastic(&rows(&[after]))).mount(&server).await;
        let ran = ana(&server, &["--timeout", "1", "update", "k", "--set", "a=1", "--yes"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.out.contains(words), "{ran:?}");
    }
}
