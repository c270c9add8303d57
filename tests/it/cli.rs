//! The command line as a person or a script uses it, from creating a key to the proof that it is gone.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Stdio,
    thread,
};

use serde_json::Value;

use crate::cli_practice::{Practice, article, folder, keybearer, run, text};

#[test]
fn the_whole_story_from_creating_a_key_to_its_refusal() {
    let practice = Practice::start();
    let args = ["create", "--name", "my_app_key", "--role", "reader", "--expiration", "1d", "--id", "my_app_id"];
    let created = practice.officer(args.iter().chain(&["--output", "json"]));
    assert_eq!(created.code, Some(0), "{created:?}");
    let key = created.json();
    let fields: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "name", "application_id", "expiration", "api_key", "encoded"]);
    let secret = key["api_key"].as_str().unwrap();
    assert!(!created.err.contains(secret) && !created.err.contains("officer-password"), "{}", created.err);
    assert!(created.err.contains("reads") && created.err.contains("expires in 1 day"), "{}", created.err);

    let encoded = key["encoded"].as_str().unwrap();
    let raw = format!("{}:{secret}", key["id"].as_str().unwrap());
    for form in [encoded, &raw] {
        let whoami = run(practice.holder(keybearer(), form).args(["whoami", "--output", "json"]));
        assert_eq!((whoami.code, &whoami.json()["api_key"]["id"]), (Some(0), &key["id"]), "{whoami:?}");
    }

    let listed = practice.list(&["my_app_id"]);
    assert_eq!((listed.len(), &listed[0]["id"], &listed[0]["status"]), (1, &key["id"], &"valid".into()));
    let shown = practice.officer(["show", "my_app_id"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("in 23 hours") && !shown.out.contains(secret), "{shown:?}");

    let asked = practice.officer(["invalidate", "my_app_id"]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.err.contains("--yes") && asked.err.contains(key["id"].as_str().unwrap()), "{asked:?}");
    let done = practice.officer(["invalidate", "my_app_id", "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("invalidated") && done.err.contains("Read back"), "{done:?}");

    let refused = run(practice.holder(keybearer(), encoded).arg("whoami"));
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("has been invalidated"), "{refused:?}");
    assert!(!refused.err.contains(encoded) && !refused.err.contains(secret));

    let again = practice.officer(["invalidate", "my_app_id", "--yes"]);
    assert_eq!(again.code, Some(0), "what is done already is done: {again:?}");
    assert!(again.err.contains("already invalidated"), "{again:?}");
}

#[test]
fn the_article_s_command_prints_two_lines() {
    let practice = Practice::start();
    let args = ["--name", "my_app_key", "--role", "reader", "--expiration", "1d", "--id", "my_app_id"];
    let ran = run(practice.user(article(), "officer").args(args));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    let [id, key] = lines.as_slice() else { panic!("{ran:?}") };
    let pair = format!("{}:{}", id.strip_prefix("id: ").unwrap(), key.strip_prefix("key: ").unwrap());
    assert!(ran.err.contains("my_app_id") && !ran.err.contains(pair.split(':').nth(1).unwrap()));
    assert_eq!(run(practice.holder(keybearer(), &pair).arg("whoami")).code, Some(0));

    let wrong = run(practice.user(article(), "officer").args(["--name", "x", "--role", "raeder"]));
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert!(wrong.err.contains("raeder") && wrong.err.contains("reader"), "{wrong:?}");
}

#[test]
fn a_key_whose_secret_nobody_would_get_is_not_created() {
    let practice = Practice::start();
    let before = practice.list(&[]).len();
    let ran = practice.officer(["create", "--name", "lost", "--role", "reader"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("--output json") && ran.err.contains("--secret-file"), "{ran:?}");

    let folder = folder();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "mine").unwrap();
    for path in [&taken, &folder.path().join("no/folder")] {
        let ran = practice.officer(["create", "--name", "lost", "--role", "reader", "--secret-file", text(path)]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.starts_with("--secret-file: "), "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "mine");
    assert_eq!(practice.list(&[]).len(), before);
}

#[test]
fn a_secret_file_holds_the_secret_and_nothing_else_does() {
    let practice = Practice::start();
    let folder = folder();
    let path = folder.path().join("key");
    let ran = practice.officer([
        "create",
        "--name",
        "filed",
        "--role",
        "reader",
        "--output",
        "json",
        "--secret-file",
        text(&path),
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let encoded = std::fs::read_to_string(&path).unwrap();
    assert!(!ran.out.contains(encoded.trim()) && !ran.err.contains(encoded.trim()));
    assert_eq!(ran.json()["api_key"], Value::Null);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(run(practice.holder(keybearer(), &encoded).arg("whoami")).code, Some(0));

    let never = folder.path().join("never");
    let ran = practice.officer(["create", "--name", "x", "--role", "raeder", "--secret-file", text(&never)]);
    assert_eq!(ran.code, Some(2));
    assert!(!never.exists(), "a file without a key stays behind");
}

#[test]
fn a_dry_run_prints_the_request_and_sends_nothing() {
    let practice = Practice::start();
    let before = practice.list(&[]).len();
    let args = ["create", "--name", "dry", "--role", "reader", "--expiration", "30m", "--metadata", r#"{"n":1.0e+2}"#];
    let ran = practice.officer(args.iter().chain(&["--dry-run", "--output", "json"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let request = ran.json();
    assert_eq!((&request["name"], &request["expiration"]), (&"dry".into(), &"30m".into()));
    assert_eq!(request["role_descriptors"]["reader"]["indices"][0]["names"][0], "my_index");
    assert!(ran.out.contains("1.0e+2"));
    assert_eq!(practice.list(&[]).len(), before);
}

#[test]
fn where_several_keys_match_nothing_is_done_and_all_are_listed() {
    let practice = Practice::start();
    let ids: Vec<String> =
        (0..2).map(|_| practice.create("twin", &["--id", "app"])["id"].as_str().unwrap().to_owned()).collect();
    for reference in ["twin", "app"] {
        let args = [vec!["show", reference], vec!["invalidate", reference, "--yes"]];
        for args in args {
            let ran = practice.officer(&args);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(ids.iter().all(|id| ran.err.contains(id)), "{ran:?}");
        }
    }
    let mixed = practice.officer(["invalidate", &ids[0], "nothing-such", "--yes"]);
    assert_eq!(mixed.code, Some(1));
    assert!(mixed.err.contains("nothing-such"), "{mixed:?}");
    assert_eq!(practice.list(&["--status", "active", "twin"]).len(), 2, "nothing may have happened");

    // Once one of them is gone, the name means the other.
    assert_eq!(practice.officer(["invalidate", &ids[0], "--yes"]).code, Some(0));
    assert_eq!(practice.officer(["show", "twin", "--output", "json"]).json()["id"], ids[1].as_str());
    assert_eq!(practice.officer(["invalidate", "app", "--yes"]).code, Some(0));
}

#[test]
fn the_key_that_one_is_signed_in_by_needs_an_extra_word() {
    let practice = Practice::start();
    let args = ["create", "--name", "self", "--all-my-rights", "--reason", "a test", "--output", "json"];
    let key = practice.officer(args).json();
    let holder = || practice.holder(keybearer(), key["encoded"].as_str().unwrap());
    let guarded = run(holder().args(["invalidate", "self", "--yes"]));
    assert_eq!(guarded.code, Some(1));
    assert!(guarded.err.contains("--own-key-too"), "{guarded:?}");
    let roles = run(holder().args(["create", "--name", "x", "--role", "reader", "--output", "json"]));
    assert_eq!(roles.code, Some(2));
    assert!(roles.err.contains("--no-rights"), "{roles:?}");
    let done = run(holder().args(["invalidate", "self", "--yes", "--own-key-too"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(run(holder().arg("whoami")).code, Some(1));
}

#[test]
fn every_slip_is_told_by_its_option_before_anything_is_sent() {
    // Nothing listens there: whoever is told about the option was told without the cluster.
    let nowhere = |args: &[&str]| {
        let mut command = keybearer();
        command.env("ES_URL", "https://127.0.0.1:1").env("ES_USERNAME", "a").env("ES_PASSWORD", "secret-b");
        run(command.args(["create", "--output", "json", "--role", "reader"]).args(args))
    };
    let long = "x".repeat(257);
    let slips: [(&str, &[&str]); 18] = [
        ("--name: ", &["--name", ""]),
        ("--name: ", &["--name", &long]),
        ("--name: ", &["--name", " a"]),
        ("--name: ", &["--name", "_a"]),
        ("--expiration: ", &["--name", "a", "--expiration", "soon"]),
        ("--expiration: ", &["--name", "a", "--expiration", "1M"]),
        ("--expiration: ", &["--name", "a", "--expiration", "1.5d"]),
        ("--expiration: ", &["--name", "a", "--expiration", "0s"]),
        ("--expiration: ", &["--name", "a", "--expiration", "-1d"]),
        ("--expiration: ", &["--name", "a", "--expiration", "2020-01-01"]),
        ("--expiration: ", &["--name", "a", "--expiration", "999999999d"]),
        ("--reason: ", &["--name", "a", "--expiration", "never"]),
        ("--metadata: ", &["--name", "a", "--metadata", "[1]"]),
        ("--metadata: ", &["--name", "a", "--metadata", "{\"a\":1,\n\"b\" 2}"]),
        ("--metadata: ", &["--name", "a", "--metadata", "{\"_a\":1}"]),
        ("--metadata: ", &["--name", "a", "--metadata", "@/no/such/file"]),
        ("--id: ", &["--name", "a", "--id", "a\nb"]),
        ("--fingerprint: ", &["--name", "a", "--fingerprint", "abc"]),
    ];
    for (option, args) in slips {
        let ran = nowhere(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.starts_with(option), "{option} {ran:?}");
    }
    let all = nowhere(&["--name", " a", "--expiration", "soon", "--metadata", "{"]);
    assert_eq!(all.err.lines().count(), 3, "{all:?}");
    assert!(nowhere(&["--name", "a", "--metadata", "{\"a\":1,\n\"b\" 2}"]).err.contains("line 2, column 5"));
}

#[test]
fn a_role_that_does_not_exist_is_named_with_the_nearest() {
    let practice = Practice::start();
    let args =
        ["create", "--output", "json", "--name", "x", "--role", "raeder", "--role", "reader", "--role", "writter"];
    let ran = practice.officer(args);
    assert_eq!((ran.code, ran.err.lines().filter(|line| line.starts_with("--role")).count()), (Some(2), 2), "{ran:?}");
    assert!(ran.err.contains("“raeder”") && ran.err.contains("did you mean reader"), "{ran:?}");
    assert!(ran.err.contains("“writter”") && ran.err.contains("writer"), "{ran:?}");

    let may_not =
        run(practice.user(keybearer(), "olga").args(["create", "--output", "json", "--name", "x", "--role", "reader"]));
    assert_eq!(may_not.code, Some(1));
    assert!(may_not.err.contains("read_security"), "{may_not:?}");
    let may =
        run(practice.user(keybearer(), "olga").args(["create", "--output", "json", "--name", "x", "--no-rights"]));
    assert_eq!(may.code, Some(0), "{may:?}");
}

#[test]
fn addresses_are_mended_or_refused_with_the_reason() {
    let practice = Practice::start();
    let port = practice.sandbox().port();
    let at = |url: &str| practice.officer(["--url", url, "whoami"]);
    assert_eq!(at(&format!("localhost:{port}")).code, Some(0));
    assert_eq!(at(&format!(" https://localhost:{port}/ ")).code, Some(0));
    for (url, code, word) in [
        (format!("https://ana:pw@localhost:{port}"), 2, "user and password from"),
        (format!("ftp://localhost:{port}"), 2, "https://"),
        (format!("https://localhost:{port}?x=1"), 2, "?x=1"),
        (format!("http://localhost:{port}"), 1, "https"),
        ("localhost:1".into(), 1, "can't be reached"),
    ] {
        let ran = at(&url);
        assert_eq!(ran.code, Some(code), "{url} {ran:?}");
        assert!(ran.err.contains(word) && !ran.err.contains("officer-password"), "{url} {ran:?}");
    }
}

/// A service that is not Elasticsearch, on a port of its own.
fn other_service() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
        }
    };
    thread::Builder::new().name("other service".into()).spawn(serve).unwrap();
    port
}

#[test]
fn other_services_and_the_wrong_scheme_are_told_in_so_many_words() {
    let practice = Practice::start();
    let port = other_service();
    let plain = practice.officer(["--url", &format!("http://127.0.0.1:{port}"), "check"]);
    assert_eq!(plain.code, Some(1));
    assert!(plain.out.contains("not Elasticsearch"), "{plain:?}");
    let tls = practice.officer(["--url", &format!("https://127.0.0.1:{port}"), "check"]);
    assert_eq!(tls.code, Some(1));
    assert!(tls.out.contains("plain http"), "{tls:?}");
}

#[test]
fn a_certificate_that_is_not_known_is_shown_to_be_compared() {
    let practice = Practice::start();
    let mut command = keybearer();
    command
        .env("ES_URL", practice.sandbox().url())
        .env("ES_USERNAME", "officer")
        .env("ES_PASSWORD", "officer-password");
    let ran = run(command.arg("check"));
    assert_eq!(ran.code, Some(1));
    for word in ["subject", "issuer", "valid until", practice.sandbox().fingerprint()] {
        assert!(ran.out.contains(word), "{word} {ran:?}");
    }
    let insecure = run(command.arg("--insecure"));
    assert_eq!(insecure.code, Some(0), "{insecure:?}");
    assert!(insecure.err.contains("not verified") && insecure.err.contains("development only"), "{insecure:?}");

    let json = practice.officer(["check", "--output", "json"]);
    let steps: Vec<String> =
        json.json().as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
    assert_eq!(steps, ["reach", "certificate", "product", "identity", "privileges", "missing"]);

    let folder = folder();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, practice.sandbox().ca_pem()).unwrap();
    // An option wins over the fingerprint of the environment.
    let by_file =
        run(practice.user(keybearer(), "officer").env("ES_FINGERPRINT", "00").args(["--ca-file", text(&ca), "whoami"]));
    assert_eq!(by_file.code, Some(0), "{by_file:?}");
}

#[test]
fn names_that_hide_or_run_are_harmless_in_tables_and_raw_in_data() {
    let practice = Practice::start();
    let names = ["evil\u{202e}gpj", "r\u{1b}[31med", "🔑 key 鍵", "=1+1", &"w".repeat(256)];
    for name in names {
        practice.create(name, &["--id", "odd"]);
    }
    let table = practice.officer(["list", "odd"]);
    assert_eq!(table.code, Some(0), "{table:?}");
    assert!(table.out.contains("evil‹U+202E›gpj") && table.out.contains("r‹U+001B›[31med"), "{table:?}");
    assert!(!table.out.contains('\u{202e}') && !table.out.contains('\u{1b}'));
    let mut listed: Vec<String> =
        practice.list(&["odd"]).iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect();
    listed.sort();
    let mut names = names.map(str::to_owned);
    names.sort();
    assert_eq!(listed, names);

    let csv = practice.officer(["list", "odd", "--output", "csv"]);
    let head = "id,name,application_id,type,username,realm,roles,creation,expiration,invalidated,status,\
                invalidation,managed_by,metadata,role_descriptors,not_fully_readable";
    assert_eq!(csv.out.lines().next(), Some(head));
    assert!(csv.out.contains(",'=1+1,") && !csv.out.contains(",=1+1"), "{csv:?}");
    assert_eq!(csv.out.lines().count(), 1 + names.len());
}

#[test]
fn deep_metadata_never_ends_in_a_panic() {
    let practice = Practice::start();
    let deep = format!("{}1{}", "{\"a\":".repeat(25), "}".repeat(25));
    let args = ["create", "--name", "deep", "--role", "reader", "--output", "json", "--metadata", &deep];
    let ran = practice.officer(args);
    assert!(matches!(ran.code, Some(0 | 1)) && !ran.err.contains("panicked"), "{ran:?}");
}

#[test]
fn a_status_filters_the_list() {
    let practice = Practice::with_keys(100);
    let count = |status: &str| practice.list(&["--status", status]).len();
    let all = practice.list(&[]).len();
    assert_eq!(count("valid") + count("expired") + count("invalidated"), all);
    assert_eq!(count("within-30d") + count("later") + count("never"), count("valid"));
    assert!(count("within-7d") <= count("within-30d"));
    for (old, new) in [("active", "valid"), ("expiring", "within-7d"), ("expiring-soon", "within-30d")] {
        assert_eq!(count(old), count(new), "the words of earlier versions are still taken");
    }
    let gone = practice.list(&["--status", "invalidated"]);
    assert!(!gone.is_empty() && gone.iter().all(|key| key["invalidated"] == true));
}

#[test]
fn whoami_tells_what_is_missing_for_what() {
    let practice = Practice::start();
    let olga = run(practice.user(keybearer(), "olga").args(["whoami", "--output", "json"]));
    assert_eq!(olga.code, Some(0), "{olga:?}");
    let json = olga.json();
    assert_eq!((&json["username"], &json["privileges"]["manage_own_api_key"]), (&"olga".into(), &true.into()));
    assert!(json["missing"].to_string().contains("read_security"));
    let list = run(practice.user(keybearer(), "olga").arg("list"));
    assert!(list.err.contains("of your"), "{list:?}");
    let nora = run(practice.user(keybearer(), "nora").arg("list"));
    assert_eq!(nora.code, Some(1));
    assert!(nora.err.contains("manage_own_api_key"), "{nora:?}");
}

#[test]
fn usage_is_an_exit_code_of_its_own() {
    let ran = |args: &[&str]| run(keybearer().args(args));
    for args in [
        &["whoami"][..],                             // no cluster
        &["--url", "https://127.0.0.1:1", "whoami"], // no sign-in
        &["frobnicate"],
        &["create", "--password", "x"],
        &["--sandbox", "list"],
        &["--url", "https://127.0.0.1:1"],
        &["--profile", "a", "--url", "b", "whoami"],
        &["--ca-file", "a", "--fingerprint", "b", "--url", "https://127.0.0.1:1", "whoami"],
    ] {
        let ran = ran(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?} {ran:?}");
        assert!(!ran.err.is_empty());
    }
    let help = ran(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    assert!(help.out.contains("ES_API_KEY") && help.out.contains("Exit codes"));
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_the_way_out_is_the_environment() {
    for args in [&["--profile", "lab", "whoami"][..], &["profiles", "list"], &["profiles", "remove", "lab"]] {
        let ran = run(keybearer().env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus").args(args));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains("keyring") && ran.err.contains("ES_URL"), "{ran:?}");
    }
}

/// More than a pipe holds is written in each form, so that each of them meets the closed pipe.
#[test]
fn a_reader_that_has_heard_enough_is_no_failure() {
    let practice = Practice::with_keys(2000);
    for args in [
        &["list"][..],
        &["list", "--ids"],
        &["list", "--columns", "id,name", "--output", "csv"],
        &["list", "--output", "json"],
        &["list", "--output", "jsonl"],
        &["list", "--output", "csv"],
        &["list", "--output", "ics"],
        &["list", "--output", "xlsx"],
        &["expiring", "--within", "9999d", "--output", "csv"],
        &["expiring", "--within", "9999d", "--output", "prometheus", "--each"],
        &["snippet", "--list", "--output", "csv"],
        &["profiles", "--help"],
    ] {
        let mut child = practice.user(keybearer(), "officer");
        let child = child.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        // That there are keys which expire is as true as before; metrics are for a reader that asks again.
        let code = if args[0] == "expiring" && !args.contains(&"prometheus") { 4 } else { 0 };
        assert_eq!((output.status.code(), err.as_str()), (Some(code), ""), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_sandbox_prints_the_lines_to_export_and_goes_when_it_is_ended() {
    use std::io::BufRead;
    let folder = folder();
    let ca = folder.path().join("ca.pem");
    let mut served = keybearer()
        .args(["sandbox", "--port", "0", "--keys", "5", "--ca-file", text(&ca)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(served.stdout.take().unwrap()).lines();
    let mut command = keybearer();
    for _ in 0..4 {
        let line = lines.next().unwrap().unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        command.env(name, value);
    }
    let by_print = run(command.arg("whoami"));
    let by_file = run(command.env_remove("ES_FINGERPRINT").env("ES_CA_FILE", &ca));
    let pid = served.id().to_string();
    std::process::Command::new("kill").arg(&pid).status().unwrap();
    assert_eq!(served.wait().unwrap().code(), Some(0));
    assert!(by_print.out.contains("officer") && by_file.out.contains("officer"), "{by_print:?} {by_file:?}");
    assert!(!ca.exists(), "the certificate of a cluster that is gone stays behind");
}
