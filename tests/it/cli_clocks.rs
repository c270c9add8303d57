//! Answers that something before the cluster dates falsely: what is final is decided by the cluster's own clock.

use serde_json::{Value, json};
use wiremock::{
    Mock,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{ana, cluster, elastic, finds_nothing, row, rows},
    cli_practice::{Practice, Ran, keybearer, run},
    cutting_proxy::{Fault, Proxy},
};

const DAY: i64 = 86_400;
/// Ten years back, some days and two centuries ahead, in seconds.
const DATES: [i64; 4] = [-3660 * DAY, 8 * DAY, 10 * DAY, 222 * 366 * DAY];

struct Place {
    practice: Practice,
    proxy: Proxy,
}

impl Place {
    fn start() -> Self {
        let practice = Practice::start();
        let proxy = Proxy::start(practice.sandbox());
        Self { practice, proxy }
    }

    fn ran(&self, args: &[&str]) -> Ran {
        let mut command = self.practice.user(keybearer(), "officer");
        run(command.env_remove("ES_FINGERPRINT").env("ES_URL", self.proxy.url()).args(args))
    }

    fn key(&self, name: &str) -> Value {
        self.practice.list(&[&format!("name:{name}")]).remove(0)
    }
}

#[test]
fn a_date_that_is_far_off_is_not_counted_by_and_every_command_says_so() {
    let place = Place::start();
    place.practice.create("soon", &["--expiration", "5d"]);
    for seconds in DATES {
        place.proxy.calm();
        place.proxy.skew(Some(seconds));
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 21);
        let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let name = format!("dated{seconds}");
        let made = place.ran(&["create", "--name", &name, "--no-rights", "--expiration", &end, "--output", "json"]);
        assert_eq!(made.code, Some(0), "{seconds}: {made:?}");
        let asked: jiff::Timestamp = end.parse().unwrap();
        let off = made.json()["expiration"].as_i64().unwrap() - asked.as_millisecond();
        assert!(off.abs() < 60_000, "{seconds}: {off} ms off");

        let gone = place.ran(&["invalidate", "--filter", "name:soon status:expired", "--yes", "--count", "1"]);
        assert_ne!(gone.code, Some(0), "{seconds}: {gone:?}");
        assert_eq!(place.key("soon")["status"], "valid", "{seconds}");

        let expiring = place.ran(&["expiring", "--within", "7d", "name:soon"]);
        assert!(expiring.out.contains("soon"), "{seconds}: {expiring:?}");
        for ran in [&made, &gone, &expiring, &place.ran(&["check"]), &place.ran(&["whoami"])] {
            assert!(ran.err.contains("dated") || ran.out.contains("dated"), "{seconds}: {ran:?}");
        }
    }
}

#[test]
fn where_the_cluster_can_t_be_asked_for_its_clock_a_search_by_time_ends_nothing() {
    let place = Place::start();
    place.practice.create("soon", &["--expiration", "5d"]);
    place.proxy.calm();
    place.proxy.when(|seen| seen.path == "/", Fault::OtherVersion("7.10.2"));
    place.proxy.skew(Some(8 * DAY));
    let search = ["invalidate", "--filter", "name:soon expires:<9d", "--yes", "--count", "1"];
    let refused = place.ran(&search);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.err.contains("--clock-in-doubt") && refused.err.contains("days ahead"), "{refused:?}");
    assert_eq!(place.key("soon")["status"], "valid");
    let agreed = place.ran(&[&search[..], &["--clock-in-doubt"]].concat());
    assert_eq!(agreed.code, Some(0), "{agreed:?}");
    assert_eq!(place.key("soon")["status"], "invalidated");
}

#[test]
fn an_end_that_is_not_the_one_asked_for_is_told_with_both_and_has_an_exit_code() {
    let place = Place::start();
    place.proxy.calm();
    // Three minutes are plausible, so that they are counted by; the answer tells better.
    place.proxy.skew(Some(180));
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let made = place.ran(&["create", "--name", "off", "--no-rights", "--expiration", &end, "--output", "json"]);
    assert_eq!(made.code, Some(3), "{made:?}");
    assert!(made.err.contains("as requested") && made.out.contains("encoded"), "{made:?}");
}

#[tokio::test]
async fn an_expiration_other_than_the_span_asked_for_is_told_unless_the_key_shows_that_the_clocks_differ() {
    const MILLIS: i64 = 1000 * DAY;
    let now = jiff::Timestamp::now().as_millisecond();
    // Creation and expiration as the key is read again; an answer says ten years in any case.
    let expires = now + 3650 * MILLIS;
    for (created, doubt) in [
        (Some(json!(now)), "not 30d after its creation"),
        (Some(json!(expires - 30 * MILLIS)), ""),
        (Some(json!("then")), "not 30d from now; its creation"),
        (None, "you can't see the key"),
    ] {
        let server = cluster().await;
        finds_nothing(&server).await;
        let answer = json!({ "id": "k", "name": "app", "expiration": expires, "api_key": "s", "encoded": "e" });
        Mock::given(method("POST")).and(path("/_security/api_key")).respond_with(elastic(&answer)).mount(&server).await;
        let mut key = row("k", false);
        key["creation"] = json!(created);
        key["expiration"] = json!(expires);
        let found: Vec<Value> = created.as_ref().map(|_| key).into_iter().collect();
        let get = Mock::given(method("GET")).and(path("/_security/api_key"));
        get.respond_with(elastic(&rows(&found))).mount(&server).await;
        let args = ["create", "--name", "app", "--no-rights", "--expiration", "30d", "--output", "json"];
        let ran = ana(&server, &args).await;
        assert_eq!(ran.json()["id"], "k", "the secret is delivered: {ran:?}");
        assert_eq!(ran.code, Some(if doubt.is_empty() { 0 } else { 3 }), "{created:?}: {ran:?}");
        assert!(ran.err.contains(doubt), "{created:?}: {ran:?}");
        assert_eq!(ran.err.contains("not 30d"), !doubt.is_empty(), "{created:?}: {ran:?}");
    }
}

#[tokio::test]
async fn an_update_to_another_span_than_asked_for_is_told() {
    let now = jiff::Timestamp::now().as_millisecond();
    for (days, code) in [(30, 0), (300, 3)] {
        let server = cluster().await;
        let get = || Mock::given(method("GET")).and(path("/_security/api_key"));
        get().respond_with(elastic(&rows(&[row("k", false)]))).up_to_n_times(2).mount(&server).await;
        let mut after = row("k", false);
        after["expiration"] = json!(now + days * 1000 * DAY);
        get().respond_with(elastic(&rows(&[after]))).mount(&server).await;
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.respond_with(elastic(&rows(&[row("k", false)]))).mount(&server).await;
        let put = Mock::given(method("PUT")).and(path("/_security/api_key/k"));
        put.respond_with(elastic(&json!({ "updated": true }))).expect(1).mount(&server).await;
        let ran = ana(&server, &["update", "k", "--expiration", "30d", "--yes", "--output", "json"]).await;
        assert_eq!((ran.code, &ran.json()["updated"]), (Some(code), &json!(["k"])), "{days}: {ran:?}");
        let remarks = ran.json()["remarks"].to_string();
        assert_eq!(remarks.contains("but 30d from now is"), code == 3, "{days}: {ran:?}");
    }
}
