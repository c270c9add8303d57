//! Pictures of the screens, compared to the pixel. They need a software renderer (lavapipe), so they
//! run when `KEYBEARER_TEST_PICTURES` is set, as `tests/run` does; `UPDATE_SNAPSHOTS=1` takes new ones.

use std::{sync::Arc, time::Duration};

use eframe::egui::Key;
use egui_kittest::SnapshotResults;
use keybearer::{
    model::{
        Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    ops::journal::checkpoint,
    store::{journal::Journal, rotation::Rotations, vault::memory::MemoryVault},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_string_contains, method, path},
};

use crate::desk::{Desk, Setting, TestClock};

/// 2026-11-23T13:32:07Z.
const NOW: i64 = 1_795_440_727_000;
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

pub fn asked_for() -> bool {
    let asked = std::env::var_os("KEYBEARER_TEST_PICTURES").is_some();
    if !asked {
        println!("Not run: set KEYBEARER_TEST_PICTURES=1, with a Vulkan driver such as lavapipe");
    }
    asked
}

/// A cluster with fixed answers, so that a picture is the same every day.
pub struct Cluster {
    pub server: MockServer,
    pub runtime: tokio::runtime::Runtime,
}

pub fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body).insert_header("X-Elastic-Product", "Elasticsearch")
}

fn key(place: usize, row: &(&str, &str, &str, &str, Option<i64>, &str)) -> Value {
    let (name, application_id, owner, role, left, extra) = row;
    let mut metadata = json!({ "team": "payments" });
    if !application_id.is_empty() {
        metadata["application_id"] = json!(application_id);
    }
    if !role.is_empty() {
        metadata["roles"] = json!([role]);
    }
    if *extra == "fleet" {
        metadata["managed_by"] = json!("fleet");
        metadata["managed"] = json!(true);
    }
    let descriptors = match *extra {
        "unrestricted" => json!({}),
        _ => json!({ *role: { "cluster": ["monitor"], "indices": [{ "names": ["logs-payments.*", "payments-ledger"],
            "privileges": ["create_doc", "index"] }] } }),
    };
    let mut key = json!({
        "id": format!("VuaCfGcBCdbkQm-e5a{:02}", place), "name": name, "username": owner, "realm": "native1",
        "type": if *extra == "cross" { "cross_cluster" } else { "rest" },
        "creation": NOW - (place as i64 + 1) * 3 * DAY, "invalidated": *extra == "invalidated",
        "metadata": metadata, "role_descriptors": descriptors, "_sort": [place, name],
    });
    if let Some(left) = left {
        key["expiration"] = json!(NOW + left);
    }
    if *extra == "invalidated" {
        key["invalidation"] = json!(NOW - 5 * DAY);
    }
    key
}

/// Id of the key that every creation makes.
const CREATED: &str = "9kDxGcCBwTvmQm4hS1eA";

/// One key with its owner's rights, which are a little less than its descriptors say.
fn limited(request: &Request) -> ResponseTemplate {
    let id = request.url.query_pairs().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned());
    let mut found: Vec<Value> = keys().into_iter().filter(|key| key["id"].as_str() == id.as_deref()).collect();
    if id.as_deref() == Some(CREATED) {
        // As long as was asked for: so its clock is believed, and the pictures don't change with the date.
        let mut created = key(0, &("logs-payments-writer", "", "ana", "writer", Some(90 * DAY), ""));
        (created["id"], created["creation"]) = (json!(CREATED), json!(NOW));
        found.push(created);
    }
    for key in &mut found {
        key["realm_type"] = json!("native");
        key["limited_by"] = json!([{ "admin": { "cluster": ["monitor", "manage_own_api_key"], "indices": [
            { "names": ["logs-payments.*"], "privileges": ["all"] },
            { "names": ["payments-*"], "privileges": ["read", "create_doc"], "query": "{\"term\":{\"region\":\"eu\"}}" }] } }]);
    }
    answer(&json!({ "api_keys": found }))
}

pub fn keys() -> Vec<Value> {
    let rows = [
        ("payments-ledger-writer", "ledger-svc", "ana", "writer", Some(6 * HOUR + HOUR / 2), ""),
        ("fraud-scores-ingest", "fraud-ingest", "svc-fraud", "writer", Some(3 * DAY + HOUR), ""),
        ("logstash-payments-7", "", "svc-logstash", "logstash_writer", Some(5 * DAY + HOUR), ""),
        ("chargebacks-writer", "chargeback-api", "boris", "writer", Some(12 * DAY + HOUR), ""),
        ("payments-audit-shipper", "", "elastic/fleet", "agent", Some(16 * DAY + HOUR), "fleet"),
        ("settlement-batch", "settle-01", "ana", "batch", Some(21 * DAY + HOUR), ""),
        ("payments-dlq-replayer", "dlq", "boris", "writer", Some(24 * DAY + HOUR), ""),
        ("payments-recon-2025", "recon-batch", "carla", "reader", Some(-2 * DAY - HOUR), ""),
        ("ledger-migration-tmp", "", "dmitri", "writer", Some(-5 * HOUR - HOUR / 2), ""),
        ("payments-search-writer", "search-sync", "carla", "writer", Some(55 * DAY + HOUR), ""),
        ("ccs-payments-us", "", "boris", "", Some(68 * DAY + HOUR), "cross"),
        ("invoices-writer", "invoice-svc", "dmitri", "writer", Some(76 * DAY + HOUR), ""),
        ("legacy-payments-admin", "", "boris", "", None, "unrestricted"),
        ("connectors-sync", "", "ana", "reader", None, ""),
        ("risk-features-old", "risk", "svc-fraud", "reader", Some(60 * DAY), "invalidated"),
        ("evil\u{202e}txt.exe-\u{1f511}", "rtl", "mallory", "reader", Some(80 * DAY + HOUR), ""),
    ];
    rows.iter().enumerate().map(|(place, row)| key(place, row)).collect()
}

/// A listener on this port. Connections of other tests are given ports of the same range by the system, and go again.
async fn bound(port: u16) -> std::net::TcpListener {
    let begun = std::time::Instant::now();
    loop {
        match std::net::TcpListener::bind(("127.0.0.1", port)) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && begun.elapsed().as_secs() < 120 => {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            bound => return bound.unwrap(),
        }
    }
}

impl Cluster {
    /// On a port of its own, the same each time, since it is in the picture.
    pub fn start(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(async {
            let listener = bound(port).await;
            let server = MockServer::builder().listener(listener).start().await;
            let get = |at: &'static str| Mock::given(method("GET")).and(path(at));
            let who = json!({ "username": "ana", "roles": ["admin"], "authentication_realm": { "name": "native1", "type": "native" },
                "lookup_realm": { "name": "native1", "type": "native" }, "authentication_type": "realm" });
            get("/_security/_authenticate").respond_with(answer(&who)).mount(&server).await;
            let info = json!({ "name": "node-1", "cluster_name": "payments", "cluster_uuid": "u",
                "version": { "number": "9.5.3", "build_flavor": "default" }, "tagline": "You Know, for Search" });
            get("/").respond_with(answer(&info)).mount(&server).await;
            let roles = json!({
                "reader": { "cluster": ["monitor"], "indices": [{ "names": ["logs-payments.*"], "privileges": ["read"] }] },
                "writer": { "cluster": ["monitor"], "indices": [{ "names": ["logs-payments.*", "metrics-pay-gw-*"],
                    "privileges": ["create_doc", "auto_configure"] }] },
                "superuser": { "cluster": ["all"], "metadata": { "_reserved": true } },
            });
            let admin = json!({ "admin": { "cluster": ["monitor", "manage_own_api_key", "manage_ilm"], "indices": [
                { "names": ["logs-payments.*"], "privileges": ["all"] }] } });
            get("/_security/role/admin").respond_with(answer(&admin)).mount(&server).await;
            get("/_security/role").respond_with(answer(&roles)).mount(&server).await;
            let builtin = json!({ "cluster": ["all", "manage_ilm", "monitor", "read_ilm"],
                "index": ["all", "auto_configure", "create_doc", "read", "view_index_metadata", "write"] });
            get("/_security/privilege/_builtin").respond_with(answer(&builtin)).mount(&server).await;
            let names: Vec<Value> = (1..=7).map(|n| json!({ "name": format!("logs-payments.{n}") })).collect();
            let names = json!({ "indices": names, "aliases": [], "data_streams": [{ "name": "metrics-pay-gw-1" }] });
            get("/_resolve/index/*").respond_with(answer(&names)).mount(&server).await;
            let post = |at: &'static str| Mock::given(method("POST")).and(path(at));
            let granted = |request: &Request| {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                let cluster: serde_json::Map<String, Value> = asked["cluster"].as_array().into_iter().flatten()
                    .map(|name| (name.as_str().unwrap().to_owned(), json!(name != "manage_security"))).collect();
                let mut index = json!({});
                for name in asked["index"][0]["names"].as_array().into_iter().flatten() {
                    index[name.as_str().unwrap()] = json!({ "read": name != "invoices" });
                }
                answer(&json!({ "username": "ana", "has_all_requested": true, "cluster": cluster, "index": index, "application": {} }))
            };
            post("/_security/user/_has_privileges").respond_with(granted).mount(&server).await;
            let keys = keys();
            get("/_security/api_key").respond_with(limited).mount(&server).await;
            // No key has a successor on another machine.
            let successors = post("/_security/_query/api_key").and(body_string_contains("rotated_from"));
            let none = json!({ "total": 0, "count": 0, "api_keys": [] });
            successors.respond_with(answer(&none)).mount(&server).await;
            // No key has expired by the cluster's own clock.
            let expired = post("/_security/_query/api_key").and(body_string_contains(r#"{"expiration":{"lte":"now"}}"#));
            expired.respond_with(answer(&none)).mount(&server).await;
            let page = json!({ "total": keys.len(), "count": keys.len(), "api_keys": keys });
            post("/_security/_query/api_key").respond_with(answer(&page)).mount(&server).await;
            let created = json!({ "id": CREATED, "name": "logs-payments-writer", "expiration": NOW + 90 * DAY,
                "api_key": "ui2lp2axTNmsyakw9tvNnw", "encoded": "x" });
            let lasting = json!({ "id": CREATED, "name": "logs-payments-writer",
                "api_key": "ui2lp2axTNmsyakw9tvNnw", "encoded": "x" });
            let create = move |request: &Request| {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                answer(if asked["expiration"].is_null() { &lasting } else { &created })
            };
            post("/_security/api_key").respond_with(create).mount(&server).await;
            server
        });
        Self { server, runtime }
    }

    /// The connection to it.
    pub fn profile(&self) -> Profile {
        let login = Login::Password { username: "ana".into(), password: Secret::new("hunter2") };
        let endpoint = Endpoint {
            timeout: Duration::from_secs(20),
            ..Endpoint::new(ClusterUrl::parse(&self.server.uri()).unwrap(), login)
        };
        Profile { id: ProfileId("p".into()), name: "payments-eu".into(), environment: Environment::Staging, endpoint }
    }

    /// A window of this size and look, with the keys on it.
    pub fn desk(&self, size: [f32; 2], look: &str) -> Desk {
        self.desk_with(size, look, Journal::default())
    }

    /// The same with a journal.
    fn desk_with(&self, size: [f32; 2], look: &str, journal: Journal) -> Desk {
        self.desk_of(look, Setting { size, sandbox: Some(self.profile()), journal, ..Setting::default() })
    }

    /// The same with rotations, which a practice cluster would have in a folder of its own.
    pub fn desk_on(&self, size: [f32; 2], look: &str, rotations: Rotations) -> Desk {
        let profiles = vec![self.profile()];
        self.desk_of(look, Setting { size, profiles, rotations: Some(rotations), ..Setting::default() })
    }

    /// The same begun in any other way.
    pub fn desk_of(&self, look: &str, setting: Setting) -> Desk {
        let clock = TestClock::default();
        *clock.lock().unwrap() = Some(Timestamp::from_millis(NOW));
        let to_open = setting.sandbox.is_none();
        let mut desk = Desk::new(Setting { clock, ..setting });
        if to_open {
            desk.press("Edit payments-eu");
            desk.press("Connect");
        }
        desk.wait_for("All 16 keys loaded");
        desk.press("Appearance");
        desk.press(look);
        desk
    }
}

/// Times of requests differ from run to run; they are covered before the picture is taken.
pub fn take(desk: &mut Desk, name: &str, results: &mut SnapshotResults) {
    desk.harness.remove_cursor();
    // What was done before may have the list read again, also a little later.
    let mut calm = 0;
    while calm < 3 {
        desk.wait("the end of the reading", |desk| !desk.sees("Loading keys"));
        std::thread::sleep(Duration::from_millis(50));
        desk.harness.run_ok();
        calm = if desk.sees("Loading keys") { 0 } else { calm + 1 };
    }
    let is_time = |text: &str| text.ends_with(" ms") && text.len() <= "99999 ms".len();
    let masks = desk.rects_of(|text| {
        text.starts_with("Refreshed ") || is_time(text) || text.contains("request_id") || text.contains(" read at ")
    });
    for mut rect in masks {
        // At a right edge: as wide for 9 ms as for 100 ms.
        rect.min.x = rect.min.x.min(rect.max.x - 60.0);
        desk.harness.mask(rect);
    }
    // What the fixed answers say of the end of a new key makes the cluster's clock differ by more each day.
    for mut rect in desk.rects_of(|text| text.starts_with("The cluster’s clock is ")) {
        rect.min.x = rect.min.x.min(rect.max.x - 320.0);
        desk.harness.mask(rect);
    }
    // A new end is counted from the real clock.
    let is_end = |text: &str| text.starts_with("Expires: ");
    let lines =
        desk.rects_of(|text| text.ends_with(" ms") && !is_time(text) || text.contains("/journal") || is_end(text));
    for mut rect in lines {
        // From a left edge: to the right one, whatever stands in it.
        rect.max.x = desk.harness.ctx.content_rect().max.x;
        desk.harness.mask(rect);
    }
    desk.harness.snapshot(name);
    results.extend_harness(&mut desk.harness);
}

#[test]
fn the_list_and_the_page_of_a_key() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39271);
    let mut results = SnapshotResults::new();
    for (size, look, name) in [
        ([1440.0, 900.0], "Dark", "keys-dark"),
        ([1440.0, 900.0], "Light", "keys-light"),
        ([1440.0, 900.0], "High contrast", "keys-highcontrast"),
        ([900.0, 600.0], "Dark", "keys-small-dark"),
    ] {
        let mut desk = cluster.desk(size, look);
        desk.press("Sort by Expires");
        desk.tick("Select chargebacks-writer");
        desk.tick("Select settlement-batch");
        if size[0] > 1000.0 {
            desk.click_row("payments-ledger-writer");
        }
        take(&mut desk, name, &mut results);
    }
    drop(cluster.runtime);
}

#[test]
fn checking_a_secret() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39277);
    let mut results = SnapshotResults::new();
    for look in ["Light", "Dark"] {
        let mut desk = cluster.desk([1440.0, 900.0], look);
        desk.press("Check a secret");
        desk.fill("Secret to check", "VuaCfGcBCdbkQm-e5a00%3Aui2lp2axTNmsyakw9tvNnw");
        desk.fill("Indices to check", "logs-payments.eu, invoices");
        desk.press("Check");
        desk.wait_for("It works but lacks a privilege");
        take(&mut desk, &format!("check-secret-{}", look.to_lowercase()), &mut results);
    }
    drop(cluster.runtime);
}

#[test]
fn the_overview_and_the_search() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39275);
    let mut results = SnapshotResults::new();
    for (size, look, name) in [
        ([1440.0, 900.0], "Dark", "overview-dark"),
        ([1440.0, 900.0], "Light", "overview-light"),
        ([900.0, 600.0], "Dark", "overview-small-dark"),
    ] {
        let mut desk = cluster.desk(size, look);
        desk.press("Overview");
        desk.wait_for("Upcoming expirations");
        take(&mut desk, name, &mut results);
    }
    let mut desk = cluster.desk([1440.0, 900.0], "Light");
    desk.fill("Search", "can:write meta.team:payments owner:");
    desk.wait_for("boris, ");
    take(&mut desk, "search-light", &mut results);
    drop(cluster.runtime);
}

#[test]
fn the_journal_and_the_history_of_a_key() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39276);
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let journal = Journal::at(folder.path().join("journal")).with_keyring(vault);
    crate::journal_window::fill(&journal);
    checkpoint::make(&journal, Timestamp::from_millis(NOW)).unwrap();
    let mut results = SnapshotResults::new();
    for (size, look, name) in [
        ([1440.0, 900.0], "Dark", "journal-dark"),
        ([1440.0, 900.0], "Light", "journal-light"),
        ([900.0, 600.0], "Dark", "journal-small-dark"),
    ] {
        let mut desk = cluster.desk_with(size, look, journal.clone());
        desk.press("Journal");
        desk.wait_for("chain intact");
        take(&mut desk, name, &mut results);
    }
    let mut desk = cluster.desk_with([1440.0, 900.0], "Light", journal.clone());
    desk.press("Journal");
    desk.wait_for("chain intact");
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    desk.wait_for("Request");
    take(&mut desk, "journal-deed-light", &mut results);

    // Not as a practice cluster, which keeps no journal.
    let clock = TestClock::default();
    *clock.lock().unwrap() = Some(Timestamp::from_millis(NOW));
    let (size, profiles) = ([1440.0, 1300.0], vec![cluster.profile()]);
    let mut desk = Desk::new(Setting { size, clock, profiles, journal: journal.clone(), ..Setting::default() });
    desk.press("Edit payments-eu");
    desk.press("Connect");
    desk.wait_for("All 16 keys loaded");
    desk.press("Appearance");
    desk.press("Dark");
    desk.click_row("payments-ledger-writer");
    desk.wait_for("Show in the journal");
    take(&mut desk, "key-history-dark", &mut results);

    let file = journal.files().unwrap().remove(0);
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"success\"", "\"failure\"", 1);
    std::fs::write(&file, text).unwrap();
    for (look, name) in [("Dark", "journal-fault-dark"), ("Light", "journal-fault-light")] {
        let mut desk = cluster.desk_with([1440.0, 900.0], look, journal.clone());
        desk.press("Journal");
        desk.wait_for("2 faults");
        take(&mut desk, name, &mut results);
    }
    drop(cluster.runtime);
}

#[test]
fn creating_a_key_and_its_secret() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39272);
    let mut results = SnapshotResults::new();
    for (size, look) in [([1440.0, 900.0], "Light"), ([1440.0, 900.0], "Dark"), ([900.0, 600.0], "Dark")] {
        let mut desk = cluster.desk(size, look);
        let suffix = format!("{}-{}", look.to_lowercase(), size[0]);
        desk.press("Create");
        desk.fill("Name", "logs-payments-writer");
        desk.fill("Application id", "pay-writer");
        desk.choose("For a purpose");
        take(&mut desk, &format!("create-preset-{suffix}"), &mut results);
        desk.choose("From roles");
        desk.fill("Roles", "wri");
        desk.key(Key::Enter);
        desk.fill("Metadata", "{\"contact\": \"payments-oncall@example.net\", \"ticket\": \"SEC-2418\"}");
        take(&mut desk, &format!("create-{suffix}"), &mut results);
        desk.choose("Privileges");
        desk.wait_for("Matches 8 names that you can see");
        desk.fill("Index privileges · Indices 1", "create_doc, auto_configure, vi");
        take(&mut desk, &format!("create-form-{suffix}"), &mut results);
        desk.choose("From roles");
        desk.press("Create key");
        desk.wait_for("Key created");
        desk.wait_for("All 16 keys loaded");
        desk.press("Copy");
        desk.wait_for("cleared in 30 s");
        take(&mut desk, &format!("secret-{suffix}"), &mut results);
        desk.fill("Find a consumer", "beats");
        desk.key(Key::Enter);
        desk.choose("By reference");
        take(&mut desk, &format!("secret-beats-{suffix}"), &mut results);
    }
}

#[test]
fn connections_and_their_test() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39273);
    let mut results = SnapshotResults::new();
    for look in ["Light", "Dark"] {
        let mut desk = cluster.desk([1440.0, 900.0], look);
        desk.press("Connections");
        desk.press("Edit payments-eu");
        desk.press("Test connection");
        desk.wait_for("The connection works");
        take(&mut desk, &format!("connections-{}", look.to_lowercase()), &mut results);
    }
}

#[test]
fn invalidating() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39274);
    let mut results = SnapshotResults::new();
    for (size, look, name) in
        [([1440.0, 900.0], "Dark", "invalidate-dark"), ([900.0, 600.0], "Light", "invalidate-small-light")]
    {
        let mut desk = cluster.desk(size, look);
        desk.tick("Select all shown keys");
        desk.press("Invalidate");
        desk.wait_for("to confirm");
        desk.wait_for("not known: ");
        take(&mut desk, name, &mut results);
    }
}
