//! The journal by command: what is done is written down, before and after; what was tampered with is refused.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana_at, cluster, elastic, finds_nothing, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run},
};

fn journal(place: &Path, args: &[&str]) -> Ran {
    run(keybearer().env("KEYBEARER_JOURNAL", place).arg("journal").args(args))
}

fn officer(practice: &Practice, place: &Path) -> Command {
    let mut command = practice.user(keybearer(), "officer");
    command.env("KEYBEARER_JOURNAL", place);
    command
}

fn create(practice: &Practice, place: &Path, name: &str) -> Ran {
    let args = ["create", "--name", name, "--role", "reader", "--expiration", "1d", "--output", "json"];
    run(officer(practice, place).args(args))
}

#[test]
fn creating_and_invalidating_leave_an_intent_and_an_outcome_without_a_secret() {
    let practice = Practice::start();
    let folder = folder();
    let place = folder.path().join("journal");
    let created = create(&practice, &place, "noted");
    assert_eq!(created.code, Some(0), "{created:?}");
    let key = created.json();
    let id = key["id"].as_str().unwrap();
    let gone = run(officer(&practice, &place).args(["invalidate", "--yes", "--", id]));
    assert_eq!(gone.code, Some(0), "{gone:?}");
    let listed = journal(&place, &["list", "--output", "json"]);
    let entries = listed.json();
    let steps: Vec<(&str, &str)> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["phase"].as_str().unwrap()))
        .collect();
    let both = ["api-key-create", "api-key-invalidate"].map(|action| [(action, "intent"), (action, "outcome")]);
    assert_eq!(steps, both.concat());
    assert!(entries[0]["request"].as_str().unwrap().contains("noted"));
    assert_eq!((&entries[1]["outcome"], entries[1]["keys"][0].as_str()), (&"success".into(), Some(id)));
    assert_eq!((&entries[3]["outcome"], entries[3]["user"].as_str()), (&"success".into(), Some("officer")));
    let history = journal(&place, &["list", "--key", id, "--output", "csv"]);
    assert_eq!(history.out.lines().count(), 4, "the head, what came of creating, and both of invalidating");
    let text = journal(&place, &["export"]).out;
    for secret in ["api_key", "encoded"] {
        let secret = key[secret].as_str().unwrap();
        assert!(!text.contains(secret));
    }
    let whole = journal(&place, &["verify"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(whole.out.starts_with("4 lines in 1 file"), "{whole:?}");
}

#[tokio::test]
async fn what_the_cluster_refuses_is_written_down_as_a_failure_with_its_reason() {
    let server = cluster().await;
    let refused = ResponseTemplate::new(403).set_body_json(json!({
        "error": { "type": "security_exception", "reason": "not for you" }, "status": 403 }));
    Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(refused).expect(1).mount(&server).await;
    let folder = folder();
    let place = folder.path().to_owned();
    let ran = ana_at(&server, &place, &["create", "--name", "app", "--no-rights", "--output", "json"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let entries = journal(&place, &["list", "--output", "json"]).json();
    assert_eq!((entries.as_array().unwrap().len(), &entries[1]["outcome"]), (2, &"failure".into()));
    assert!(entries[1]["reason"].as_str().unwrap().contains("not for you"), "{entries}");
}

#[tokio::test]
async fn where_an_answer_is_lost_the_journal_does_not_pretend_to_know() {
    let server = cluster().await;
    let late = elastic(&json!({})).set_delay(Duration::from_secs(5));
    Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(late).expect(1).mount(&server).await;
    let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
    query.respond_with(elastic(&rows(&[row("stray-1", false)]))).mount(&server).await;
    let folder = folder();
    let place = folder.path().to_owned();
    let ran =
        ana_at(&server, &place, &["--timeout", "1", "create", "--name", "app", "--no-rights", "--output", "json"])
            .await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let entries = journal(&place, &["list", "--output", "json"]).json();
    assert_eq!((&entries[1]["outcome"], &entries[1]["keys"]), (&"unknown".into(), &json!(["stray-1"])));
}

#[test]
fn what_can_t_be_written_down_is_not_done() {
    let practice = Practice::start();
    let folder = folder();
    let place = folder.path().join("a file");
    fs::write(&place, "in the way").unwrap();
    let refused = create(&practice, &place, "not-noted");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("KEYBEARER_JOURNAL"), "{refused:?}");
    assert!(
        refused.err.contains("Nothing was sent") && !refused.err.contains("The cluster refused the request"),
        "{refused:?}"
    );
    assert!(practice.list(&["name:not-noted"]).is_empty());
}

#[test]
fn all_faults_are_counted_whatever_is_listed() {
    let practice = Practice::start();
    let folder = folder();
    create(&practice, folder.path(), "one");
    let mut files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
    let lines = fs::read_to_string(&file).unwrap() + &"nonsense\n".repeat(1234);
    fs::write(&file, lines).unwrap();
    let broken = journal(folder.path(), &["verify"]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.out.contains("1,234 faults") && broken.err.contains("234 faults more are not listed"), "{broken:?}");
    let shipped = run(officer(&practice, folder.path()).args(["journal", "ship", "--index", "journal"]));
    assert!(shipped.code == Some(1) && shipped.err.contains("234 faults more are not listed"), "{shipped:?}");
}

#[test]
fn a_journal_that_was_tampered_with_is_refused_with_the_place() {
    let practice = Practice::start();
    let folder = folder();
    create(&practice, folder.path(), "one");
    create(&practice, folder.path(), "two");
    let file = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let tampered = |lines: &[&str], words: &str| {
        fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let refused = journal(folder.path(), &["verify"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(words), "{words}: {refused:?}");
    };
    let changed = lines[1].replace("success", "failure");
    tampered(&[lines[0], &changed, lines[2], lines[3]], "line 2 was changed");
    tampered(&[lines[0], lines[2], lines[3]], "line 2 is entry 3 where entry 2 should be");
    tampered(&[lines[0], lines[2], lines[1], lines[3]], "line 2 is entry 3");
    tampered(&lines[..3], "line 3 is the last one, but 4 entries were written");
    fs::write(&file, &text).unwrap();
    assert_eq!(journal(folder.path(), &["verify"]).code, Some(0));
}

#[test]
fn entries_name_the_operating_system_s_user_and_the_cluster_s_uuid_whatever_the_environment_says() {
    let practice = Practice::start();
    let folder = folder();
    for user in [Some("mallory"), None] {
        let mut command = officer(&practice, folder.path());
        command.args(["create", "--name", "who", "--no-rights", "--expiration", "1d", "--output", "json"]);
        if let Some(user) = user {
            command.env("USER", user).env("LOGNAME", user);
        }
        assert_eq!(run(&mut command).code, Some(0));
    }
    let entries = journal(folder.path(), &["list", "--output", "json"]).json();
    let own = |args: &[&str]| String::from_utf8(Command::new("id").args(args).output().unwrap().stdout).unwrap();
    for entry in entries.as_array().unwrap() {
        assert_eq!(entry["system_user"], own(&["-un"]).trim());
        assert_eq!(entry["system_user_id"], own(&["-u"]).trim());
        assert!(entry["cluster_uuid"].as_str().is_some_and(|uuid| uuid.len() > 10), "{entry}");
    }
}

#[test]
fn a_journal_that_is_switched_off_is_mentioned_by_whatever_changes_keys() {
    let practice = Practice::start();
    let ran = practice.officer(["create", "--name", "off", "--no-rights", "--expiration", "1d", "--output", "json"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("KEYBEARER_JOURNAL is set to off"), "{ran:?}");
    assert!(!practice.officer(["list"]).err.contains("KEYBEARER_JOURNAL"));
}

#[test]
fn a_folder_that_is_gone_is_reported_at_once_and_by_verify() {
    let practice = Practice::start();
    let folder = folder();
    let place = folder.path().join("journal");
    let nothing = journal(&place, &["verify"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.err.contains("There is nothing to verify"), "{nothing:?}");
    create(&practice, &place, "one");
    assert_eq!(journal(&place, &["verify"]).code, Some(0));
    fs::remove_dir_all(&place).unwrap();
    let gone = journal(&place, &["verify"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.err.contains("does not have all of the 2 entries that were written"), "{gone:?}");
    let next = create(&practice, &place, "two");
    assert_eq!(next.code, Some(0), "{next:?}");
    assert!(next.err.contains("The journal failed verification"), "{next:?}");
    assert_eq!(journal(&place, &["verify"]).code, Some(1));
}

#[tokio::test]
async fn an_outcome_that_could_not_be_written_is_reported() {
    let server = cluster().await;
    finds_nothing(&server).await;
    let folder = folder();
    let place = folder.path().join("journal");
    let in_the_way = place.clone();
    let answer = move |_: &wiremock::Request| {
        fs::remove_dir_all(&in_the_way).unwrap();
        fs::write(&in_the_way, "in the way").unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        let end = now + 90 * 24 * 3_600_000;
        elastic(&json!({ "id": "made-1", "name": "app", "expiration": end, "api_key": "k", "encoded": "e" }))
    };
    Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(answer).expect(1).mount(&server).await;
    let ran = ana_at(&server, &place, &["create", "--name", "app", "--no-rights", "--output", "json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("The outcome (success) could not be written to the journal"), "{ran:?}");
}
