//! Many keys by a search on the command line: what is asked for first, what is left out, and the outcome of each.

use serde_json::json;

use crate::cli_practice::{Practice, keybearer, run};

fn many(practice: &Practice) {
    for number in 0..12 {
        practice.create(&format!("batch-{number:02}"), &["--expiration", "1d"]);
    }
}

#[test]
fn a_search_is_resolved_to_ids_and_needs_their_number() {
    let practice = Practice::start();
    many(&practice);
    let search = ["invalidate", "--filter", "name:batch-* status:active"];
    let asked = practice.officer(search);
    assert_eq!((asked.code, asked.out.as_str()), (Some(2), ""), "{asked:?}");
    assert!(
        asked.err.contains("12 keys will be permanently invalidated") && asked.err.contains("--count 12"),
        "{asked:?}"
    );
    let asked = practice.officer(search.iter().chain(&["--yes"]));
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.err.contains("--count 12"), "{asked:?}");
    let wrong = practice.officer(search.iter().chain(&["--yes", "--count", "11"]));
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("12 keys, not 11"), "{wrong:?}");
    assert_eq!(practice.list(&["name:batch-* status:active"]).len(), 12, "nothing was done until now");

    let done = practice.officer(search.iter().chain(&["--yes", "--count", "12", "--output", "csv"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (13, "result,id,name,username,realm,reason"));
    assert!(lines[1..].iter().all(|line| line.starts_with("invalidated,") && line.contains(",officer,")), "{done:?}");
    assert!(practice.list(&["name:batch-* status:active"]).is_empty());
    let again = practice.officer(search.iter().chain(&["--yes", "--count", "12"]));
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("This would invalidate 0 keys") && again.err.contains("not 12"), "{again:?}");
    for more in [&["--yes", "--count", "0"][..], &["--yes"]] {
        let none = practice.officer(search.iter().chain(more));
        assert_eq!(none.code, Some(0), "what is done already is done: {none:?}");
    }
}

#[test]
fn a_slip_in_the_search_is_told_and_nothing_at_all_is_never_everything() {
    let practice = Practice::start();
    for (search, words) in [("", "every key"), ("  ", "every key"), ("expires:soon", "soon")] {
        let ran = practice.officer(["invalidate", "--yes", "--count", "20", "--filter", search]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    let both = practice.officer(["invalidate", "a", "--filter", "name:a"]);
    assert_eq!(both.code, Some(2), "{both:?}");
    assert!(practice.list(&["status:invalidated"]).len() < 10);
}

#[test]
fn what_a_product_made_is_left_alone_without_its_word() {
    let practice = Practice::with_keys(320);
    let managed = practice.list(&["is:managed -status:invalidated"]);
    assert!(managed.len() >= 5);
    let id = managed[0]["id"].as_str().unwrap();
    let refused = practice.officer(["invalidate", "--yes", "--", id]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.err.contains("--managed-too"), "{refused:?}");

    practice.create("beside", &["--expiration", "1d"]);
    let search = format!("name:beside or id:{id}");
    let args = ["invalidate", "--filter", &search, "--yes", "--count", "1", "--output", "json"];
    let done = practice.officer(args);
    assert_eq!(done.code, Some(3), "{done:?}");
    let outcome = done.json();
    assert_eq!(outcome["untouched"], json!([id]));
    assert!(
        outcome["guarded"][0]["reason"].as_str().unwrap().contains("claims that a product created it"),
        "{outcome}"
    );
    assert!(done.err.contains("Left out: 1 key"), "{done:?}");
    let gone = practice.officer(["invalidate", "--yes", "--managed-too", "--", id]);
    assert_eq!(gone.code, Some(0), "{gone:?}");
    assert_eq!(practice.list(&[&format!("id:{id} status:invalidated")]).len(), 1);
}

#[test]
fn a_search_leaves_the_session_s_own_key_out() {
    let practice = Practice::start();
    let args = ["create", "--name", "holder", "--all-my-rights", "--reason", "a test", "--output", "json"];
    let key = practice.officer(args).json();
    practice.create("beside", &["--expiration", "1d"]);
    let encoded = key["encoded"].as_str().unwrap();
    let search = ["invalidate", "--filter", "name:holder or name:beside", "--yes", "--output", "json", "--count"];
    let ran = run(practice.holder(keybearer(), encoded).args(search.iter().chain(&["1"])));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.json()["untouched"], json!([key["id"]]));
    let ran = run(practice.holder(keybearer(), encoded).args(search.iter().chain(&["1", "--own-key-too"])));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["invalidated"], json!([key["id"]]));
}

#[test]
fn a_person_s_key_that_says_it_is_a_product_s_is_named_with_its_owner_and_found() {
    let practice = Practice::start();
    let olga = |args: &[&str]| {
        let ran =
            run(practice.user(keybearer(), "olga").args(["create", "--no-rights", "--output", "json"]).args(args));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()["id"].as_str().unwrap().to_owned()
    };
    let hidden = olga(&["--name", "hidden", "--metadata", r#"{"managed_by":"fleet"}"#]);
    let rule = olga(&["--name", "Alerting: x"]);
    let plain = olga(&["--name", "plain"]);
    let search = "owner:olga name:hidden,alerting,plain";
    let args = ["invalidate", "--filter", search, "--yes", "--count", "1", "--output", "json"];
    let done = practice.officer(args);
    assert_eq!((done.code, &done.json()["invalidated"]), (Some(3), &json!([plain])), "{done:?}");
    assert!(done.err.contains("2 keys that claim that a product created them"), "{done:?}");
    for words in
        [&format!("hidden ({hidden}) of olga: claims to be created by fleet"), &format!("Alerting: x ({rule}) of olga")]
    {
        assert!(done.err.contains(words.as_str()), "{words}: {done:?}");
    }
    assert!(done.err.contains("the owner may have set this"), "{done:?}");
    let found = practice.list(&["is:says-managed", "owner:olga"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(practice.list(&["is:says-managed", "realm:_service_account"]).is_empty());
    let refused = practice.officer(["invalidate", "--yes", "--", &hidden]);
    assert!(refused.code == Some(1) && refused.err.contains("claims that a product created it (fleet)"), "{refused:?}");
    // With the confirmation they go, and it is said before what is known of them.
    let args = ["invalidate", "--filter", search, "--managed-too", "--yes", "--count", "2", "--output", "json"];
    let gone = practice.officer(args);
    assert_eq!((gone.code, gone.json()["invalidated"].as_array().map(Vec::len)), (Some(0), Some(2)), "{gone:?}");
    assert!(gone.err.contains("says-managed 2"), "a finding of the preview: {gone:?}");
}

#[test]
fn a_search_that_is_partly_not_known_invalidates_nothing_unless_that_is_said() {
    let practice = Practice::start();
    let rights = r#"{"r":{"cluster":["manage_own_api_key","monitor"]}}"#;
    let args = ["create", "--name", "own", "--role-descriptors", rights, "--expiration", "1d", "--output", "json"];
    let key = practice.officer(args).json();
    // Signed in by a key one sees that key, and not its owner's rights.
    let holder = || practice.holder(keybearer(), key["encoded"].as_str().unwrap());
    for search in ["can:monitor", "-can:monitor"] {
        let listed = run(holder().args(["list", search]));
        assert!(listed.out.is_empty() && listed.err.contains("1 not known"), "{listed:?}");
        let filter = format!("--filter={search}");
        let refused = run(holder().args(["invalidate", "--own-key-too", "--yes", "--count", "1", &filter]));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.err.contains("It is not known whether 1 key") && refused.err.contains("--known-only"),
            "{refused:?}"
        );
        let known = run(holder().args(["invalidate", "--known-only", "--yes", "--count", "1", &filter]));
        assert!(known.err.contains("No keys left to invalidate"), "{known:?}");
    }
    let asked = run(holder().args(["list", "can:monitor?", "--output", "json"]));
    assert_eq!(asked.json()[0]["name"], "own", "{asked:?}");
    let sure = run(holder().args(["list", "can:write", "--output", "json"]));
    assert!(!sure.err.contains("not known"), "no descriptor grants it: {sure:?}");
    assert_eq!(practice.list(&["own"]).len(), 1);
}
