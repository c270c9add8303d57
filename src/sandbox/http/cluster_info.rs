//! What the cluster says about itself: name, version and health.

use super::{
    context::Context,
    error::{EsError, Outcome},
    reply::Reply,
};
use crate::sandbox::{
    privileges::{HEALTH, MAIN},
    state::node::{CLUSTER_NAME, NODE_NAME, VERSION},
};
use serde_json::json;

/// `GET /`
pub fn root(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&MAIN)?;
    Ok(Reply::ok(json!({
        "name": NODE_NAME,
        "cluster_name": CLUSTER_NAME,
        "cluster_uuid": context.cluster.uuid,
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "sandbox",
            "build_hash": "unknown",
            "build_date": "2026-09-01T16:11:59.322249404Z",
            "build_snapshot": false,
            "lucene_version": "10.5.1",
            "minimum_wire_compatibility_version": "8.19.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "You Know, for Search",
    })))
}

/// `GET /_cluster/health`
pub fn health(context: &mut Context) -> Outcome<Reply> {
    if let Some(level) =
        context.request.params.get("level").filter(|level| !matches!(*level, "cluster" | "indices" | "shards"))
    {
        return Err(EsError::illegal(format!(
            "level parameter must be one of [cluster] or [indices] or [shards] but was [{level}]"
        )));
    }
    context.caller.may(&HEALTH)?;
    let shards = context.cluster.indices.len() + 1;
    let missing = context.cluster.indices.values().filter(|index| index.replicas > 0).count();
    let status = if missing == 0 { "green" } else { "yellow" };
    let timed_out = context.request.params.get("wait_for_status") == Some("green") && missing > 0;
    #[expect(clippy::cast_precision_loss, reason = "a percentage of a handful of shards")]
    let percent = 100.0 * shards as f64 / (shards + missing) as f64;
    let body = json!({
        "cluster_name": CLUSTER_NAME,
        "status": status,
        "timed_out": timed_out,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": shards,
        "active_shards": shards,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": missing,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": percent,
    });
    Ok(Reply::json(if timed_out { 408 } else { 200 }, body))
}
