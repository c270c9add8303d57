//! `keybearer check secret` and what `show` says of rights, on the practice cluster.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::cli_practice::{Practice, Ran, folder, keybearer, run, text};

/// Runs it with something to read.
fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

fn check(practice: &Practice, args: &[&str], input: &str) -> Ran {
    fed(practice.user(keybearer(), "officer").args(["check", "secret"]).args(args), input)
}

#[test]
fn a_secret_that_works_is_told_whose_it_is_and_what_it_may() {
    let practice = Practice::start();
    let made = practice.create("held", &["--id", "held-app"]);
    let [id, encoded, secret] = ["id", "encoded", "api_key"].map(|name| made[name].as_str().unwrap());
    let args = ["--index", "my_index", "--index", "other", "--privilege", "read", "--cluster-privilege", "monitor"];
    let ran = check(&practice, &args, &format!("curl https://es -H 'Authorization: ApiKey {encoded}'\n"));
    assert_eq!(ran.code, Some(1), "it lacks a privilege: {ran:?}");
    for part in [
        "valid: it signs in",
        "a curl command",
        id,
        "held-app",
        "officer (realm",
        "yes",
        "NO",
        "Reads and sees settings",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(!ran.out.contains(secret) && !ran.out.contains(encoded) && ran.err.is_empty(), "{ran:?}");

    let ran = check(&practice, &["--index", "my_index", "--output", "json"], &format!("{id}:{secret}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let json = ran.json();
    assert_eq!((&json["verdict"], &json["key"]["id"]), (&Value::from("valid"), &Value::from(id)));
    assert_eq!(json["privileges"], serde_json::json!([{ "privilege": "read", "index": "my_index", "granted": true }]));
    assert_eq!(json["rights"]["verdict"], "limited");

    let folder = folder();
    let path = folder.path().join("key.yml");
    std::fs::write(&path, format!("api_key: “{id}:{secret}”\n")).unwrap();
    let ran = practice.officer(["check", "--output", "json", "secret", "--secret-file", text(&path)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.json()["mistakes"][0].as_str().unwrap().contains("curly quotes"));
}

#[test]
fn a_secret_that_does_not_work_is_told_why() {
    let practice = Practice::start();
    let made = practice.create("gone", &[]);
    let (id, secret) = (made["id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    let reason = |input: &str| {
        let ran = check(&practice, &["--output", "json"], input);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.json()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(&format!("{id}:{}", "x".repeat(22))), "wrong_secret");
    assert_eq!(reason(&format!("VuaCfGcBCdbkQm-e5aOx:{secret}")), "unknown_id");
    assert_eq!(practice.officer(["invalidate", "--yes", id]).code, Some(0));
    assert_eq!(reason(&format!("{id}:{secret}")), "invalidated");
}

#[test]
fn what_is_no_secret_is_a_usage_error_that_does_not_repeat_it() {
    let practice = Practice::start();
    for (input, words) in [
        ("", "Paste what the consumer"),
        ("ui2lp2axTNmsyakw9tvNnw\n", "The id is missing"),
        ("api_key: ${ES_API_KEY}", "refers to a variable"),
        ("hunter2hunter2", "contains no API key"),
    ] {
        let ran = check(&practice, &[], input);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
        assert!(input.trim().is_empty() || !ran.err.contains(input.trim()), "{ran:?}");
    }
    assert_eq!(check(&practice, &["--privilege", "read"], "x").code, Some(2));
    let ran = practice.officer(["check", "secret", "--secret-file", "/nowhere/at/all"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(run(practice.user(keybearer(), "officer").args(["check", "secret", "id:key"])).code, Some(2));
}

#[test]
fn what_can_t_be_asked_is_not_known() {
    let practice = Practice::start();
    let made = practice.create("unasked", &[]);
    let input = made["encoded"].as_str().unwrap();
    let ran = check(&practice, &["--url", "https://localhost:1"], input);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("not known") && !ran.out.contains(input), "{ran:?}");
    let ran = check(&practice, &["--index", "a", "--privilege", "of_the_future"], input);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("valid: it signs in") && ran.out.contains("unknown index privilege"), "{ran:?}");
    // Who may not see the key is told so; the secret works all the same.
    let ran = fed(practice.user(keybearer(), "nora").args(["check", "secret"]), input);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("not known"), "{ran:?}");
}

#[test]
fn show_tells_what_a_key_can_do_and_how_its_owner_stands() {
    let practice = Practice::start();
    practice.create("told", &[]);
    let ran = practice.officer(["show", "told"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in [
        "what it can do\n  Reads and sees settings and mappings in my_index\n  Monitors the cluster\n  Its owner still \
         has the same privileges\n",
        "RIGHTS ON  NAMES     PRIVILEGES",
        "indices    my_index  read, view_index_metadata",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let json = practice.officer(["show", "told", "--output", "json"]).json();
    assert_eq!(json["rights"]["cluster"], serde_json::json!(["monitor"]));
    assert_eq!(json["owner_now"], serde_json::json!(["Its owner still has the same privileges"]));

    let all = ["create", "--all-my-rights", "--reason", "x", "--name", "everything", "--output", "json"];
    assert_eq!(practice.officer(all).code, Some(0));
    let ran = practice.officer(["show", "everything"]);
    assert!(ran.out.contains("All its owner’s rights: it was created without descriptors"), "{ran:?}");
    let none = ["create", "--no-rights", "--name", "nothing", "--output", "json"];
    assert_eq!(practice.officer(none).code, Some(0));
    assert!(practice.officer(["show", "nothing"]).out.contains("Nothing: its descriptors grant no privilege"));
}
