//! Pictures of the forms for a remote cluster, another user, a copy and the rights in an update; see `pictures.rs`.

use eframe::egui::Key;
use egui_kittest::SnapshotResults;
use serde_json::{Value, json};
use wiremock::{
    Mock,
    matchers::{method, path},
};

use crate::pictures::{Cluster, answer, asked_for, keys, take};

const SIZE: [f32; 2] = [1440.0, 900.0];

/// Under a trial, with what a cross-cluster key and a key to be updated are told like.
fn start(port: u16) -> Cluster {
    let cluster = Cluster::start(port);
    cluster.runtime.block_on(async {
        let get = |at: &'static str| Mock::given(method("GET")).and(path(at));
        let license = json!({ "license": { "type": "trial", "status": "active" } });
        get("/_license").respond_with(answer(&license)).mount(&cluster.server).await;
        let granted = |request: &wiremock::Request| {
            let asked: Value = request.body_json().unwrap();
            let cluster: serde_json::Map<String, Value> = asked["cluster"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| (name.as_str().unwrap().to_owned(), json!(true)))
                .collect();
            let body = json!({ "username": "ana", "has_all_requested": true, "cluster": cluster, "index": {},
                "application": {} });
            answer(&body)
        };
        let may = Mock::given(method("POST")).and(path("/_security/user/_has_privileges"));
        may.respond_with(granted).with_priority(1).mount(&cluster.server).await;
        let created = json!({ "id": "9kDxGcCBwTvmQm4hS1eA", "name": "eu-west-search", "expiration": 1_803_216_727_000_i64,
            "api_key": "ui2lp2axTNmsyakw9tvNnw", "encoded": "x" });
        let post = Mock::given(method("POST")).and(path("/_security/cross_cluster/api_key"));
        post.respond_with(answer(&created)).mount(&cluster.server).await;
    });
    cluster
}

#[test]
fn a_key_for_a_remote_cluster() {
    if !asked_for() {
        return;
    }
    let cluster = start(39286);
    let mut results = SnapshotResults::new();
    for (size, look, name) in [
        (SIZE, "Light", "create-remote-light-1440"),
        (SIZE, "Dark", "create-remote-dark-1440"),
        ([900.0, 600.0], "Dark", "create-remote-dark-900"),
    ] {
        let mut desk = cluster.desk(size, look);
        desk.press("Create");
        desk.choose("For a remote cluster");
        desk.fill("Name", "eu-west-search");
        desk.fill("Indices to replicate", "payments-ledger");
        desk.fill("Indices to search", "logs-payments.*, metrics-pay-gw-*, ");
        desk.wait_for("Matches");
        desk.fill("Metadata", r#"{"team": "search", "contact": "search-oncall@example.net", "ticket": "SEC-2418"}"#);
        desk.fill("Certificate identity", "CN=eu-west.*");
        desk.harness.step();
        take(&mut desk, name, &mut results);
        if size == SIZE {
            desk.press("Create key");
            desk.wait_for("Key created");
            desk.wait_for("All 16 keys loaded");
            take(&mut desk, &format!("secret-remote-{}", look.to_lowercase()), &mut results);
        }
    }
    drop(cluster.runtime);
}

#[test]
fn a_key_for_another_user_and_what_is_missing() {
    if !asked_for() {
        return;
    }
    let cluster = start(39287);
    let mut results = SnapshotResults::new();
    for look in ["Light", "Dark"] {
        let mut desk = cluster.desk(SIZE, look);
        desk.press("Create");
        desk.choose("For another user");
        desk.fill("Name", "boris-reader");
        desk.fill("User", "boris");
        desk.fill("User’s password", "hunter2");
        desk.fill("Roles", "reader");
        desk.press("Add reader");
        desk.wait_for("no more than its owner");
        take(&mut desk, &format!("create-grant-{}-1440", look.to_lowercase()), &mut results);
    }
    drop(cluster.runtime);
    let cluster = Cluster::start(39288);
    let mut desk = cluster.desk([900.0, 600.0], "Light");
    desk.press("Create");
    desk.wait_for("For a remote cluster: ");
    take(&mut desk, "create-missing-light-900", &mut results);
    drop(cluster.runtime);
}

#[test]
fn copying_a_key_and_updating_its_rights() {
    if !asked_for() {
        return;
    }
    let cluster = start(39289);
    cluster.runtime.block_on(async {
        let mut key = keys()[0].clone();
        let mut rights = key["role_descriptors"]["writer"].clone();
        rights["metadata"] = json!({ "origin": "template-7" });
        key["role_descriptors"] = json!({ "writer": rights });
        let one = json!({ "api_keys": [key] });
        let get = Mock::given(method("GET")).and(path("/_security/api_key"));
        get.respond_with(answer(&one)).with_priority(1).mount(&cluster.server).await;
    });
    let mut results = SnapshotResults::new();
    for (size, look, suffix) in
        [(SIZE, "Light", "light"), (SIZE, "Dark", "dark"), ([900.0, 600.0], "Dark", "small-dark")]
    {
        let mut desk = cluster.desk(size, look);
        desk.click_row("payments-ledger-writer");
        desk.press("Clone");
        desk.fill("Secret of the source", "ui2lp2axTNmsyakw9tvNnw");
        desk.fill("Name of the clone", "payments-ledger-writer-2");
        desk.fill("Expiration of the clone", "never");
        desk.wait_for("Why it never expires");
        take(&mut desk, &format!("clone-{suffix}"), &mut results);
        desk.key(Key::Escape);
        desk.press("Update");
        desk.wait("the form", |desk| desk.value("Cluster privileges").is_some());
        desk.fill("Cluster privileges", "monitor, read_ilm");
        take(&mut desk, &format!("update-form-{suffix}"), &mut results);
    }
    drop(cluster.runtime);
}
