//! Clearing of caches: this server has none, so it is always successful; the answers are those of 9.5.3.

use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    privileges::{CACHE_CLEAR, REALM_CACHE_CLEAR, ROLES_CACHE_CLEAR},
    state::node::{CLUSTER_NAME, NODE_ID, NODE_NAME},
};
use serde_json::json;

/// Realms of the users.
const REALMS: [&str; 3] = ["default_native", "default_file", "reserved"];

fn cleared() -> Reply {
    let mut nodes = json!({});
    nodes[NODE_ID] = json!({ "name": NODE_NAME });
    Reply::ok(json!({
        "_nodes": { "total": 1, "successful": 1, "failed": 0 },
        "cluster_name": CLUSTER_NAME,
        "nodes": nodes,
    }))
}

/// `POST /_security/role/NAME/_clear_cache`
pub fn roles(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&ROLES_CACHE_CLEAR)?;
    Ok(cleared())
}

/// `POST /_security/api_key/ID/_clear_cache`, `POST /_security/privilege/APPLICATION/_clear_cache`
pub fn others(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&CACHE_CLEAR)?;
    Ok(cleared())
}

/// `POST /_security/realm/NAME/_clear_cache`; an unknown realm is reported as a failure of the node.
pub fn realms(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&REALM_CACHE_CLEAR)?;
    let wanted = context.argument(0);
    let missing = wanted.split(',').find(|realm| !matches!(*realm, "*" | "_all") && !REALMS.contains(realm));
    let Some(missing) = missing else { return Ok(cleared()) };
    let failure = EsError::new(500, "failed_node_exception", format!("Failed node [{NODE_ID}]"))
        .with("node_id", NODE_ID)
        .because(EsError::illegal(format!("could not find active realm [{missing}]")));
    Ok(Reply::ok(json!({
        "_nodes": { "total": 1, "successful": 0, "failed": 1, "failures": [failure.to_value()] },
        "cluster_name": CLUSTER_NAME,
        "nodes": {},
    })))
}
