//! `profiles import` as a preview, which needs no keyring, and several addresses by options. What is saved and exported
//! is tested where there is a keyring.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::cli_practice::{Practice, Ran, keybearer, run};

const PASSWORD: &str = "hunter2-is-my-secret";

fn with_stdin(command: &mut Command, text: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

fn preview(text: &str, more: &[&str]) -> Ran {
    let ran =
        with_stdin(keybearer().args(["profiles", "import", "-", "--dry-run", "--output", "json"]).args(more), text);
    assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{ran:?}");
    ran
}

#[test]
fn what_would_be_imported_is_shown_without_any_secret_and_what_is_missing_is_named() {
    let secret = format!(
        "kind: Secret\nmetadata: {{name: lab-es-elastic-user, namespace: prod}}\ndata: {{elastic: {}}}\n",
        STANDARD.encode(PASSWORD)
    );
    let local = format!("ES_LOCAL_PASSWORD={PASSWORD}\nES_LOCAL_URL=http://localhost:9200\n");
    let cloud = format!("cloud:{}", STANDARD.encode("found.io$es$kb"));
    for (text, name, url, missing) in [
        (&secret, "lab", "https://lab-es-http.prod.svc:9200", false),
        (&local, "start-local", "http://localhost:9200", false),
        (&cloud, "cloud", "https://es.found.io", true),
    ] {
        let ran = preview(text, &["--environment", "staging"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let shown = &ran.json()[0];
        assert_eq!((&shown["name"], &shown["urls"][0]), (&name.into(), &url.into()), "{ran:?}");
        assert_eq!(shown["missing"].as_array().unwrap().is_empty(), !missing, "{ran:?}");
        assert_eq!(shown["name_taken"], Value::Null, "no keyring told: {ran:?}");
        assert!(ran.err.contains("whether a name is taken is not known"), "{ran:?}");
    }
    let moved = preview(&secret, &["--url", "es-1", "--url", "es-2:9201", "--name", "mine", "--insecure"]);
    let shown = &moved.json()[0];
    assert_eq!(shown["urls"], serde_json::json!(["es-1", "es-2:9201"]), "{moved:?}");
    assert_eq!((&shown["name"], &shown["trust"]), (&"mine".into(), &"INSECURE".into()));
    assert!(shown["missing"][0].as_str().unwrap().starts_with("--environment"), "{moved:?}");
}

#[test]
fn what_is_no_connection_and_what_contradicts_itself_is_refused() {
    let cloud = format!("name:{}", STANDARD.encode("found.io"));
    let two = r#"[{"name":"a","uri":"https://a"},{"name":"b","uri":"https://b"}]"#;
    for (text, more, code, words) in [
        (cloud.as_str(), &[][..], 1, "Cloud ID is malformed"),
        (PASSWORD, &[], 1, "it is not recognized"),
        ("", &[], 1, "it is empty"),
        (two, &["--name", "c"], 2, "for one connection, and there are 2"),
        (two, &["--only", "c"], 2, "there is no connection named “c” in it, but a, b"),
        (two, &["--profile", "c"], 2, "for one connection"),
        (two, &["--only", "a", "--profile", "c"], 2, "--profile has no meaning"),
    ] {
        let ran = preview(text, more);
        assert!(ran.code == Some(code) && ran.err.contains(words) && ran.out.is_empty(), "{words}: {ran:?}");
    }
    let both = run(keybearer().args(["profiles", "import", "-", "/etc/hostname", "--dry-run"]));
    assert!(both.code == Some(2) && both.err.contains("stands for stdin alone"), "{both:?}");
    let none = run(keybearer().args(["profiles", "import", "/no/such/file", "--dry-run"]));
    assert!(none.code == Some(1) && none.err.contains("there is no such file"), "{none:?}");
}

#[test]
fn the_next_of_several_addresses_is_used_and_a_check_names_the_one_that_is_down() {
    let practice = Practice::start();
    let ca = tempfile::tempdir().unwrap();
    let path = ca.path().join("ca.pem");
    std::fs::write(&path, practice.sandbox().ca_pem()).unwrap();
    let command = |words: &[&str]| {
        let mut command = keybearer();
        command.env("ES_USERNAME", "officer").env("ES_PASSWORD", "officer-password").env("ES_CA_FILE", &path);
        // A port on which nothing listens.
        command.args(["--url", "https://localhost:1", "--url", practice.sandbox().url()]).args(words);
        run(&mut command)
    };
    let whoami = command(&["whoami", "--output", "json"]);
    assert_eq!((whoami.code, &whoami.json()["username"]), (Some(0), &"officer".into()), "{whoami:?}");
    let check = command(&["check"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.out.contains("1 of 2 addresses can’t be used: localhost:1 does not: "), "{check:?}");
    let made = command(&["create", "--name", "app", "--no-rights", "--expiration", "1d", "--output", "json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let mixed = run(keybearer().args(["--url", "https://a", "--url", "http://b", "whoami"]).env("ES_TOKEN", "t"));
    assert!(mixed.code == Some(2) && mixed.err.contains("--url: Use https:// for all addresses"), "{mixed:?}");
}
