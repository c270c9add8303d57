//! Lists by command: the language of searches, the forms of files, what expires, and the notice on a desktop.

use crate::cli_practice::{Practice, folder, keybearer, run};

#[test]
fn the_command_line_searches_by_the_same_language_as_the_window() {
    let practice = Practice::start();
    practice.create("soon", &["--id", "soon-app", "--expiration", "1d"]);
    practice.create("later", &["--id", "later-app", "--expiration", "1d"]);
    let names = |query: &[&str]| -> Vec<String> {
        practice.list(query).iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["app:soon-app"]), ["soon"]);
    assert_eq!(names(&["name:soon", "or", "name:later", "--sort", "name"]), ["later", "soon"]);
    assert_eq!(names(&["app:soon-app,later-app", "-name:later"]), ["soon"]);
    assert_eq!(names(&["app:*-app can:read on:my_index expires:<2d", "--sort=-name"]), ["soon", "later"]);
    assert!(names(&["app:soon-app", "created:<1d", "-owner:officer"]).is_empty());
}

#[test]
fn a_slip_in_a_query_is_a_usage_error_with_its_place_and_sends_nothing() {
    let slip = run(keybearer().args(["--url", "https://localhost:1", "list", "ownr:ana", "expires:soon"]));
    assert_eq!(slip.code, Some(2), "{slip:?}");
    assert!(slip.err.contains("ownr") && slip.err.contains("owner") && slip.err.contains("soon"), "{slip:?}");
    assert!(slip.err.contains("--query-help"));
    let help = run(keybearer().args(["list", "--query-help"]));
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("expires:<30d") && help.out.contains("can:"), "{help:?}");
    let column = run(keybearer().args(["--url", "https://localhost:1", "list", "--sort", "size"]));
    assert_eq!(column.code, Some(2));
}

#[test]
fn words_of_other_languages_are_read_or_refused_with_the_right_spelling() {
    let practice = Practice::start();
    practice.create("both", &["--id", "both-app", "--expiration", "1d"]);
    let found = practice.officer(["expiring", "owner:officer AND app:both-app AND NOT status:expired"]);
    assert_eq!(found.code, Some(4), "{found:?}");
    for (query, right) in [
        ("owner=officer", "owner:officer"),
        ("\"open", "never closed"),
        ("status:gone", "invalidated"),
        ("type:foo", "cross-cluster"),
        ("created:<1M", "m is minutes"),
        ("AND", "both sides"),
    ] {
        for args in [&["list", query][..], &["expiring", query], &["invalidate", "--filter", query, "--yes"]] {
            let ran = practice.officer(args);
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?} {ran:?}");
            assert!(ran.err.contains(right) && !ran.err.contains('↵'), "{args:?} {ran:?}");
        }
    }
    for args in [&["expiring", "--within", "1M"][..], &["create", "--name", "x", "--no-rights", "--expiration", "1M"]] {
        let ran = practice.officer(args);
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.err.contains("m is minutes"), "{ran:?}");
    }
}

/// The same keys, counted by every surface of the command line: equal numbers for equal words.
#[test]
fn a_word_for_a_status_is_the_same_keys_everywhere() {
    let practice = Practice::with_keys(320);
    let count = |args: &[&str]| practice.list(args).len();
    let csv = practice.officer(["list", "--output", "csv", "--columns", "status", "--no-headers"]);
    let table = practice.officer(["list", "--columns", "status", "--no-headers"]);
    let metrics = practice.officer(["expiring", "--output", "prometheus"]).out;
    let json = practice.list(&[]);
    let metric = |label: &str| -> usize {
        let line = metrics.lines().find(|line| line.contains(label)).unwrap_or_else(|| panic!("{label}: {metrics}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for word in ["valid", "expired", "invalidated"] {
        let number = count(&["--status", word]);
        assert!(number > 0, "there is no key that is {word}");
        assert_eq!(count(&[&format!("status:{word}")]), number, "{word}");
        assert_eq!(json.iter().filter(|key| key["status"] == word).count(), number, "{word}");
        assert_eq!(csv.out.lines().filter(|line| *line == word).count(), number, "{word}");
        assert_eq!(table.out.lines().filter(|line| *line == word).count(), number, "{word}");
        assert_eq!(metric(&format!("status=\"{word}\"")), number, "{word}");
    }
    for word in ["within-7d", "within-30d", "later", "never"] {
        let number = count(&["--status", word]);
        assert!(number > 0, "there is no key that ends {word}");
        assert_eq!(count(&[&format!("status:{word}")]), number, "{word}");
        assert_eq!(count(&[&format!("expires:{word}")]), number, "{word}");
        assert_eq!(metric(&format!("expires=\"{word}\"")), number, "{word}");
    }
    for (word, time, within) in [("within-7d", "expires:<7d", "7d"), ("within-30d", "expires:<30d", "30d")] {
        let number = count(&["--status", word]);
        assert_eq!(count(&[time]), number, "{time}");
        assert_eq!(metric(&format!("within=\"{within}\"")), number, "{within}");
        let expiring = practice.officer(["expiring", "--within", within, "--ids"]);
        assert_eq!((expiring.code, expiring.out.lines().count()), (Some(4), number), "{within}");
    }
    assert_eq!(count(&["expires:>30d"]), count(&["--status", "later"]));
    assert_eq!(count(&["expires:never"]), count(&["--status", "never"]));
    assert_eq!(count(&["expires:<now"]), count(&["--status", "expired"]));
}

#[test]
fn invalidated_keys_end_no_more_unless_they_are_asked_for() {
    let practice = Practice::start();
    let id = practice.create("gone", &["--id", "gone-app", "--expiration", "1d"])["id"].as_str().unwrap().to_owned();
    assert_eq!(practice.officer(["invalidate", &id, "--yes"]).code, Some(0));
    assert!(practice.list(&["app:gone-app expires:<30d"]).is_empty());
    for query in ["status:invalidated", "invalidated:<1d", "is:ended"] {
        assert_eq!(practice.list(&[&format!("app:gone-app expires:<30d {query}")]).len(), 1, "{query}");
    }
}

#[test]
fn rows_and_columns_can_be_chosen() {
    let practice = Practice::start();
    let made: Vec<String> = ["c-1", "c-2", "c-3"]
        .iter()
        .map(|name| practice.create(name, &["--id", "columns-app"])["id"].as_str().unwrap().to_owned())
        .collect();
    let query = ["list", "app:columns-app", "--sort", "name"];
    let ids = practice.officer(query.iter().chain(&["--ids"]));
    assert_eq!(ids.out.lines().collect::<Vec<_>>(), made);
    let two = practice.officer(query.iter().chain(&["-o", "json", "--limit", "2"]));
    assert_eq!((two.code, two.json().as_array().map(Vec::len)), (Some(0), Some(2)), "{two:?}");
    assert!(two.err.contains("3 found"), "what is left out is said: {two:?}");
    let table = practice.officer(query.iter().chain(&["--columns", "id,name", "--no-headers", "--limit", "1"]));
    assert_eq!(table.out, format!("{}  c-1\n", made[0]));
    let csv = practice.officer(query.iter().chain(&["-o", "csv", "--columns", "name,id,app"]));
    assert_eq!(csv.out.lines().next(), Some("name,id,application_id"), "{csv:?}");
    assert_eq!(csv.out.lines().nth(2), Some(&*format!("c-2,{},columns-app", made[1])));
    for wrong in [
        &["list", "--columns", "size"][..],
        &["list", "-o", "json", "--columns", "id"],
        &["list", "-o", "csv", "--columns", "left"],
        &["list", "--ids", "-o", "json"],
        &["list", "--limit", "x"],
    ] {
        assert_eq!(practice.officer(wrong).code, Some(2), "{wrong:?}");
    }
    // What a list tells is what invalidate takes.
    let mut command = practice.user(keybearer(), "officer");
    command.args(["invalidate", "--keys-from", "-", "--yes", "--count", "3"]);
    let done = with_stdin(&mut command, &ids.out);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(practice.list(&["app:columns-app", "status:invalidated"]).len(), 3);
}

fn with_stdin(command: &mut std::process::Command, text: &str) -> crate::cli_practice::Ran {
    use std::{io::Write, process::Stdio};
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    crate::cli_practice::Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn keys_that_are_read_from_a_file_are_meant_by_their_ids() {
    let practice = Practice::start();
    let id = |name: &str| practice.create(name, &[])["id"].as_str().unwrap().to_owned();
    let (one, two) = (id("from-1"), id("from-2"));
    let run_with = |args: &[&str], text: &str| {
        let mut command = practice.user(keybearer(), "officer");
        with_stdin(command.args(["invalidate", "--keys-from", "-"]).args(args), text)
    };
    let unsure = run_with(&[], &format!("{one}\n"));
    assert_eq!(unsure.code, Some(2), "nobody can confirm it there: {unsure:?}");
    for (text, words) in [
        (format!("{one}\nno-such-id-000000000\n"), "no-such-id-000000000"),
        (format!("{one}\nfrom-2\n"), "from-2"),
        (String::new(), "no id"),
    ] {
        let ran = run_with(&["--yes"], &text);
        assert!(matches!(ran.code, Some(1 | 2)) && ran.err.contains(words), "{text} {ran:?}");
    }
    assert_eq!(run_with(&["--yes", "--count", "1"], &format!("{one}\n{two}\n")).code, Some(1));
    assert_eq!(practice.list(&["name:from-", "status:valid"]).len(), 2, "something was done");
    // Windows line ends, blank lines, and one twice.
    let done = run_with(&["--yes", "--count", "2"], &format!("{one}\r\n\n{two}\r\n{one}\n"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let again = run_with(&["--yes"], &format!("{one}\n{two}\n"));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.err.contains("already invalidated"), "{again:?}");
}

#[test]
fn lists_are_written_in_every_form() {
    let practice = Practice::start();
    practice.create("forms", &["--id", "forms-app", "--expiration", "1d"]);
    let query = "app:forms-app";
    let lines = practice.officer(["list", query, "--output", "jsonl"]);
    assert_eq!(lines.out.lines().count(), 1, "{lines:?}");
    assert_eq!(lines.json()["application_id"], "forms-app");
    assert!(lines.json()["role_descriptors"].is_object());
    let calendar = practice.officer(["list", query, "--output", "ics"]);
    assert!(calendar.out.starts_with("BEGIN:VCALENDAR\r\n") && calendar.out.contains("forms"), "{calendar:?}");
    let folder = folder();
    let file = folder.path().join("keys.xlsx");
    let mut command = practice.user(keybearer(), "officer");
    let written =
        command.args(["list", "--output", "xlsx"]).stdout(std::fs::File::create(&file).unwrap()).status().unwrap();
    assert!(written.success());
    assert!(std::fs::read(&file).unwrap().starts_with(b"PK"));
}

#[test]
fn what_expires_has_an_exit_code_of_its_own_and_metrics() {
    let practice = Practice::start();
    practice.create("tomorrow", &["--id", "expiring-app", "--expiration", "1d"]);
    let some = practice.officer(["expiring", "--within", "2d", "app:expiring-app", "--output", "json"]);
    assert_eq!(some.code, Some(4), "{some:?}");
    assert_eq!(some.json()[0]["name"], "tomorrow");
    let none = practice.officer(["expiring", "--within", "1h", "app:expiring-app"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""), "{none:?}");
    let metrics =
        practice.officer(["expiring", "--output", "prometheus", "--each", "--within", "2d", "app:expiring-app"]);
    assert_eq!(metrics.code, Some(0), "what is scraped does not fail: {metrics:?}");
    for line in [
        "status=\"valid\"",
        "cluster_uuid=\"",
        "keybearer_own_keys_only",
        "within=\"7d\"} 1",
        "keybearer_next_expiry_seconds",
        "name=\"tomorrow\"",
    ] {
        assert!(metrics.out.contains(line), "{line}: {}", metrics.out);
    }
    for wrong in [&["expiring", "--within", "soon"][..], &["expiring", "--each"]] {
        assert_eq!(practice.officer(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn watching_tells_each_key_once_and_says_when_there_is_no_desktop() {
    let practice = Practice::start();
    practice.create("watched", &["--id", "watched-app", "--expiration", "1d"]);
    let told = practice.officer(["watch", "--within", "2d", "app:watched-app", "--once"]);
    assert_eq!(told.code, Some(1), "the notice could not be shown: {told:?}");
    assert!(told.err.contains("1 key expires within 2d: watched"), "{told:?}");
    assert!(told.err.contains("No desktop notification"), "there is no desktop here: {told:?}");
    let quiet = practice.officer(["watch", "--within", "1h", "app:watched-app", "--once"]);
    assert!(quiet.err.contains("0 keys expire within 1h"), "{quiet:?}");
    assert_eq!(practice.officer(["watch", "--every", "1s"]).code, Some(2));
}
