//! Snippets by command: the text for a consumer, by reference unless the secret was asked for.

use std::process::Stdio;

use serde_json::{Value, json};
use wiremock::{
    Mock,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana, cluster, elastic, row, rows},
    cli_practice::{Practice, Ran, folder, keybearer, run},
};

/// A command of the officer with this text at its standard input.
fn fed(practice: &Practice, input: &str, args: &[&str]) -> Ran {
    let folder = folder();
    let file = folder.path().join("input");
    std::fs::write(&file, input).unwrap();
    let mut command = practice.user(keybearer(), "officer");
    run(command.args(args).stdin(Stdio::from(std::fs::File::open(&file).unwrap())))
}

#[test]
fn the_consumers_are_listed_without_a_cluster() {
    let list = |output: &str| run(keybearer().args(["snippet", "--list", "--output", output]));
    let table = run(keybearer().args(["snippet", "--list"]));
    assert_eq!((table.code, table.err.as_str()), (Some(0), ""), "{table:?}");
    assert!(table.out.starts_with("NAME ") && table.out.contains("filebeat") && table.out.contains("id:key"));
    let consumers = list("json").json();
    let consumers = consumers.as_array().unwrap();
    assert!(consumers.len() >= 32, "{}", consumers.len());
    assert_eq!(table.out.lines().count(), consumers.len() + 1);
    let beats = consumers.iter().find(|row| row["word"] == "beats").unwrap();
    assert_eq!((&beats["form"], &beats["title"]), (&json!("id:key"), &json!("Beats")));
    assert!(list("csv").out.starts_with("word,aliases,title,group,form,takes\n"));
}

#[test]
fn a_snippet_names_the_secret_and_tells_on_stderr_what_to_put_there() {
    let practice = Practice::start();
    let key = practice.create("shipper", &["--id", "ship-app", "--expiration", "1d"]);
    let by_name = practice.officer(["snippet", "shipper", "--for", "filebeat"]);
    assert_eq!(by_name.code, Some(0), "{by_name:?}");
    assert!(by_name.out.contains("api_key: \"${ES_API_KEY_RAW}\""), "{by_name:?}");
    assert!(by_name.out.contains(&format!("hosts: [\"{}\"]", practice.sandbox().url())));
    assert!(by_name.out.contains(&format!("ca_trusted_fingerprint: \"{}\"", practice.sandbox().fingerprint())));
    assert!(by_name.err.contains("ES_API_KEY_RAW must hold id:api_key, not encoded"), "{by_name:?}");
    for reference in ["ship-app", key["id"].as_str().unwrap()] {
        assert_eq!(practice.officer(["snippet", reference, "--for", "beats"]).out, by_name.out);
    }
    let json = practice.officer(["snippet", "ship-app", "--for", "py", "--output", "json"]).json();
    assert_eq!((&json["consumer"], &json["literal"], &json["id"]), (&json!("python"), &json!(false), &key["id"]));
    assert!(json["text"].as_str().unwrap().contains("os.environ[\"ES_API_KEY\"]"));
    assert!(json["hints"][0].as_str().unwrap().contains("encoded key"));
    let alone = practice.officer(["snippet", "ship-app", "--for", "raw"]);
    assert_eq!(alone.out, "$ES_API_KEY_RAW\n");
}

#[test]
fn the_secret_is_in_the_text_only_when_it_is_given_and_belongs_to_the_key() {
    let practice = Practice::start();
    let key = practice.create("literal", &["--id", "lit-app", "--expiration", "1d"]);
    let other = practice.create("other", &["--expiration", "1d"]);
    let text = |key: &Value, member: &str| key[member].as_str().unwrap().to_owned();
    let (secret, encoded) = (text(&key, "api_key"), text(&key, "encoded"));
    let args = ["snippet", "lit-app", "--for", "dotenv", "--literal", "--secret-stdin"];
    for given in [secret.clone(), encoded.clone(), format!("{}:{secret}\n", text(&key, "id"))] {
        let ran = fed(&practice, &given, &args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains(&format!("ES_API_KEY={encoded}\n")), "{ran:?}");
        assert!(ran.err.contains("The text contains the secret") && !ran.err.contains(&secret), "{ran:?}");
    }
    for (given, words) in
        [(text(&other, "encoded"), "not of"), (String::new(), "not the secret"), ("a b".into(), "not the secret")]
    {
        let ran = fed(&practice, &given, &args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(words) && !ran.err.contains(&text(&other, "api_key")), "{ran:?}");
    }
    let nobody = practice.officer(["snippet", "lit-app", "--for", "dotenv", "--literal"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""), "{nobody:?}");
    assert!(nobody.err.contains("--secret-stdin"), "{nobody:?}");
}

#[test]
fn what_is_written_down_signs_in() {
    let practice = Practice::start();
    let key = practice.create("signs-in", &["--expiration", "1d"]);
    let args = ["snippet", "signs-in", "--for", "encoded", "--literal", "--secret-stdin"];
    let ran = fed(&practice, key["api_key"].as_str().unwrap(), &args);
    let who = run(practice.holder(keybearer(), ran.out.trim()).args(["whoami", "--output", "json"]));
    assert_eq!(who.code, Some(0), "{who:?}");
}

#[test]
fn a_slip_names_what_was_meant_and_asks_no_cluster() {
    let nowhere = |args: &[&str]| run(keybearer().args(["--url", "https://localhost:1"]).args(args));
    let slip = nowhere(&["snippet", "a", "--for", "filebeet"]);
    assert_eq!((slip.code, slip.out.as_str()), (Some(2), ""), "{slip:?}");
    assert!(slip.err.contains("did you mean filebeat") && slip.err.contains("--list"), "{slip:?}");
    let table = nowhere(&["snippet", "a", "--for", "curl", "--output", "csv"]);
    assert_eq!(table.code, Some(2), "{table:?}");
    assert_eq!(nowhere(&["snippet", "a", "--for", "curl", "--secret-stdin"]).code, Some(2));
}

#[test]
fn what_several_keys_are_called_is_not_guessed_and_a_dead_key_is_told() {
    let practice = Practice::start();
    let first = practice.create("twins", &["--expiration", "1d"]);
    practice.create("twins", &["--expiration", "1d"]);
    let both = practice.officer(["snippet", "twins", "--for", "curl"]);
    assert_eq!((both.code, both.out.as_str()), (Some(1), ""), "{both:?}");
    assert!(both.err.contains("matches 2 keys") && both.err.contains(first["id"].as_str().unwrap()), "{both:?}");
    let none = practice.officer(["snippet", "no-such-key", "--for", "curl"]);
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""), "{none:?}");
    let id = first["id"].as_str().unwrap();
    assert_eq!(practice.officer(["invalidate", id, "--yes"]).code, Some(0));
    let dead = practice.officer(["snippet", id, "--for", "curl"]);
    assert_eq!(dead.code, Some(0), "{dead:?}");
    assert!(dead.err.contains("is invalidated") && dead.out.contains("curl"), "{dead:?}");
}

#[tokio::test]
async fn keys_between_clusters_go_into_keystores_and_expired_ones_are_told() {
    for (kind, expiration, consumer, code, words) in [
        ("cross_cluster", 4_000_000_000_000_i64, "curl", Some(1), "--for remote-cluster"),
        ("cross_cluster", 4_000_000_000_000, "remote-cluster", Some(0), "ES_API_KEY must hold"),
        ("rest", 4_000_000_000_000, "ccs", Some(1), "only cross-cluster keys"),
        ("rest", 1_000, "curl", Some(0), "expired"),
    ] {
        let server = cluster().await;
        let mut key = row("k", false);
        key["type"] = json!(kind);
        key["expiration"] = json!(expiration);
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.respond_with(elastic(&rows(&[key]))).mount(&server).await;
        let ran = ana(&server, &["snippet", "k", "--for", consumer]).await;
        assert_eq!((ran.code, ran.out.is_empty()), (code, code != Some(0)), "{ran:?}");
        assert!(ran.err.contains(words), "{words}: {ran:?}");
        if consumer == "remote-cluster" {
            assert!(ran.out.contains("cluster.remote.my_remote.credentials"), "{ran:?}");
        }
    }
}

#[test]
fn a_preset_makes_a_key_of_few_rights() {
    let practice = Practice::start();
    let args = ["create", "--name", "beat", "--preset", "beats-writer", "--dry-run", "--output", "json"];
    let shown = practice.officer(args);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let rights = &shown.json()["role_descriptors"]["beats-writer"];
    assert_eq!(rights["indices"][0]["names"], json!(["filebeat-*"]));
    assert_eq!(rights["cluster"], json!(["monitor", "read_ilm", "read_pipeline"]));
    let own = practice.officer(args.iter().chain(&["--index", "metricbeat-*", "--index", "mine-*"]));
    let names = &own.json()["role_descriptors"]["beats-writer"]["indices"][0]["names"];
    assert_eq!(names, &json!(["metricbeat-*", "mine-*"]));
    let made = practice.officer(["create", "--name", "probe", "--preset", "monitoring", "--output", "json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = practice.officer(["show", "probe", "--output", "json"]).json();
    assert_eq!(key["role_descriptors"]["monitoring"]["cluster"], json!(["monitor"]));

    for (more, words) in [
        (&["--preset", "monitoring", "--index", "x"][..], "--index: “Monitoring” is about the cluster"),
        (&["--preset", "beats-writer", "--index", "A b"], "--index: “A b” is not an index pattern"),
        (&["--preset"], "logstash-writer"),
        (&["--preset", "beats"], "beats-writer"),
        (&["--preset", "monitoring", "--role", "reader"], "--role"),
        (&["--preset", "monitoring", "--no-rights"], "--no-rights"),
        (&["--role", "reader", "--index", "x"], "--index"),
        (&["--index", "x"], "--preset"),
    ] {
        let ran = practice.officer(["create", "--name", "odd", "--output", "json"].iter().chain(more));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{more:?}: {ran:?}");
        assert!(ran.err.contains(words), "{more:?}: {ran:?}");
    }
    let help = run(keybearer().args(["create", "--help"]));
    assert!(help.out.contains("--preset") && help.out.contains("grafana-reader"), "{help:?}");
}

#[test]
fn the_command_takes_descriptors_too_and_none_is_not_everything() {
    let practice = Practice::start();
    let create = |json: &str| {
        practice.officer(["create", "--name", "own", "--role-descriptors", json, "--output", "json", "--dry-run"])
    };
    let sent = create(r#"{"a": {"cluster": ["monitor"], "indices": [{"names": "x-*", "privileges": ["read"]}]}}"#);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(sent.out.contains("x-*"), "{sent:?}");
    for (json, words) in [
        (
            "{}",
            "--role-descriptors: Without any descriptor the key would have all your rights: add one, or use --all-my-rights",
        ),
        ("{\"a\": 1}", "--role-descriptors: “a” must be a JSON object"),
        ("@nowhere.json", "--role-descriptors: nowhere.json can't be read"),
    ] {
        let refused = create(json);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(words), "{refused:?}");
    }
    let both = practice.officer(["create", "--name", "own", "--role-descriptors", "{}", "--role", "reader"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
