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
    for line in ["status=\"active\"", "within=\"7d\"} 1", "keybearer_next_expiry_seconds", "name=\"tomorrow\""] {
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
    assert!(told.err.contains("No notice on the desktop"), "there is no desktop here: {told:?}");
    let quiet = practice.officer(["watch", "--within", "1h", "app:watched-app", "--once"]);
    assert!(quiet.err.contains("0 keys expire within 1h"), "{quiet:?}");
    assert_eq!(practice.officer(["watch", "--every", "1s"]).code, Some(2));
}
