//! Names and application ids that several keys have.

use serde_json::json;
use wiremock::{
    Mock,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana, cluster, elastic},
    cli_practice::{Practice, text},
    cli_rotate::Desk,
};

#[test]
fn a_name_and_an_application_id_that_usable_keys_have_already_are_warned_of() {
    let practice = Practice::start();
    let create = |name: &str, more: &[&str]| {
        practice.officer([&["create", "--name", name, "--no-rights", "--output", "json"], more].concat())
    };
    let first = create("pay", &["--id", "pay-app", "--expiration", "1d"]);
    assert!(first.code == Some(0) && !first.err.contains("already"), "{first:?}");
    let second = create("pay", &["--id", "pay-app", "--expiration", "1d"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    for words in ["--name: A usable key already has this name", "--id: A usable key already has this application id"] {
        assert!(second.err.contains(words), "{words}: {second:?}");
    }
    let third = create("pay", &["--dry-run"]);
    assert!(third.err.contains("--name: 2 usable keys already have this name"), "{third:?}");
    assert!(!third.err.contains("--id:"), "{third:?}");
    // Invalidated keys don't count.
    let ids = [&first, &second].map(|made| made.json()["id"].as_str().unwrap().to_owned());
    let gone = practice.officer(["invalidate", "--yes", "--", &ids[0], &ids[1]]);
    assert_eq!(gone.code, Some(0), "{gone:?}");
    let fourth = create("pay", &["--id", "pay-app", "--expiration", "1d"]);
    assert!(fourth.code == Some(0) && !fourth.err.contains("already"), "{fourth:?}");
}

#[test]
fn during_a_grace_period_the_application_id_means_the_successor() {
    let desk = Desk::new();
    let old = desk.app();
    let file = desk.path("new-key");
    let args = ["my-app", "--grace", "1h", "--secret-file", text(&file), "--yes", "--output", "json"];
    let begun = desk.rotate(&args);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let shown = desk.practice.officer(["show", "my-app", "--output", "json"]);
    assert_eq!((shown.code, &shown.json()["id"]), (Some(0), &begun.json()["id"]), "{shown:?}");
    assert!(shown.err.contains(&format!("the successor of {old}")), "{shown:?}");
    // What takes something away still wants one key to be named.
    let refused = desk.practice.officer(["invalidate", "my-app", "--yes"]);
    assert!(refused.code != Some(0) && desk.named("app").1.is_empty(), "{refused:?}");
}

#[test]
fn a_missing_role_names_roles_that_there_are() {
    let practice = Practice::start();
    let near =
        practice.officer(["create", "--name", "n", "--role", "raeder", "--expiration", "1d", "--output", "json"]);
    assert!(near.code == Some(2) && near.err.contains("did you mean reader"), "{near:?}");
    let far =
        practice.officer(["create", "--name", "n", "--role", "zzzzzzzzzz", "--expiration", "1d", "--output", "json"]);
    assert!(far.code == Some(2) && far.err.contains("Some of its roles: "), "{far:?}");
}

#[tokio::test]
async fn a_check_fails_where_the_sign_in_has_nothing_to_do_with_keys() {
    let able = ana(&cluster().await, &["check"]).await;
    assert!(able.code == Some(0) && able.out.contains("Granted"), "{able:?}");
    let server = cluster().await;
    let none = json!({ "cluster": { "manage_api_key": false, "monitor": true }, "index": {} });
    Mock::given(method("POST"))
        .and(path("/_security/user/_has_privileges"))
        .respond_with(elastic(&none))
        .with_priority(1)
        .mount(&server)
        .await;
    let ran = ana(&server, &["check"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("FAILED  No privilege for API keys"), "{ran:?}");
}

#[test]
fn a_metadata_field_with_a_hyphen_can_be_denied_without_a_double_dash() {
    let practice = Practice::start();
    practice.create("centered", &["--expiration", "1d", "--metadata", r#"{"cost-center":"x1"}"#]);
    assert!(practice.list(&["name:centered", "-meta.cost-center:x1"]).is_empty());
    assert_eq!(practice.list(&["name:centered", "-meta.cost-center:x2"]).len(), 1);
}

#[test]
fn where_nothing_is_left_to_be_invalidated_the_data_say_so_too() {
    let practice = Practice::start();
    let args = ["invalidate", "--filter", "name:no-such-name", "--yes", "--count", "0", "--output"];
    let json = practice.officer([&args[..], &["json"]].concat());
    assert_eq!((json.code, &json.json()["invalidated"]), (Some(0), &json!([])), "{json:?}");
    let csv = practice.officer([&args[..], &["csv"]].concat());
    assert!(csv.code == Some(0) && csv.out.starts_with("result,"), "{csv:?}");
}
