//! Pictures of what becomes of many keys, and of updating; see `pictures.rs`.

use egui_kittest::SnapshotResults;
use serde_json::{Value, json};
use wiremock::{
    Mock, Request,
    matchers::{body_string_contains, method, path},
};

use crate::pictures::{Cluster, answer, asked_for, keys, take};

const SIZE: [f32; 2] = [1440.0, 900.0];

#[test]
fn what_became_of_many_keys() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39281);
    cluster.runtime.block_on(async {
        let gone = json!({ "invalidated_api_keys": [], "previously_invalidated_api_keys": [], "error_count": 0 });
        let delete = Mock::given(method("DELETE")).and(path("/_security/api_key"));
        delete.respond_with(answer(&gone)).mount(&cluster.server).await;
        // Read again, every third key is still valid.
        let proof = |_: &Request| {
            let mut keys = keys();
            for (place, key) in keys.iter_mut().enumerate() {
                key["invalidated"] = json!(place % 3 != 0);
            }
            answer(&json!({ "total": keys.len(), "count": keys.len(), "api_keys": keys }))
        };
        let query = Mock::given(method("POST")).and(path("/_security/_query/api_key"));
        query.and(body_string_contains("\"ids\"")).respond_with(proof).with_priority(1).mount(&cluster.server).await;
    });
    let mut results = SnapshotResults::new();
    for look in ["Light", "Dark"] {
        let mut desk = cluster.desk(SIZE, look);
        desk.tick("Select all shown keys");
        desk.press("Invalidate");
        desk.wait_for("to confirm");
        desk.fill("Confirmation", "invalidate 14");
        desk.press("Invalidate 14 keys");
        desk.wait_for("Retry failed");
        desk.press("Export this list");
        take(&mut desk, &format!("invalidated-{}", look.to_lowercase()), &mut results);
    }
    drop(cluster.runtime);
}

#[test]
fn updating_one_key() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39282);
    cluster.runtime.block_on(async {
        let rights = |privileges: &[&str]| -> Value {
            json!({ "cluster": ["manage_own_api_key"], "indices": [{ "names": ["*"], "privileges": privileges }] })
        };
        // An update is judged by the real clock: this key never ends.
        let mut key = keys().into_iter().find(|key| key["name"] == "connectors-sync").unwrap();
        key["limited_by"] = json!([{ "admin": rights(&["read", "write"]) }]);
        let get = |at: &'static str| Mock::given(method("GET")).and(path(at));
        let one = json!({ "api_keys": [key] });
        get("/_security/api_key").respond_with(answer(&one)).mount(&cluster.server).await;
        let today = json!({ "admin": rights(&["read"]) });
        get("/_security/role/admin").respond_with(answer(&today)).mount(&cluster.server).await;
    });
    let mut results = SnapshotResults::new();
    for look in ["Light", "Dark"] {
        let suffix = look.to_lowercase();
        let mut desk = cluster.desk(SIZE, look);
        desk.click_row("connectors-sync");
        desk.press("Update");
        desk.wait("the texts", |desk| desk.value("Metadata").is_some());
        desk.press("Cancel");
        desk.press("Update");
        desk.wait("the texts", |desk| desk.value("Metadata").is_some());
        desk.fill("New expiration", "soon");
        desk.press("Review");
        take(&mut desk, &format!("update-{suffix}"), &mut results);
        desk.fill("New expiration", "30d");
        desk.choose("JSON");
        desk.fill("Role descriptors", "{}");
        desk.fill("Metadata", r#"{"application_id": "ledger-svc", "team": "payments", "ticket": "SEC-9"}"#);
        desk.press("Review");
        desk.wait_for("loses its limits");
        take(&mut desk, &format!("update-review-{suffix}"), &mut results);
    }
    drop(cluster.runtime);
}
