//! Updates of API keys, single and bulk: only by the owner. Rules and messages of 9.5.3.

use super::{
    create::snapshot,
    fields::INDEX,
    key_request::{CreateRequest, common_problems, expires_in, metadata_fits, mixed_restrictions, read},
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse, shard_failure},
        reply::Reply,
    },
    json::parse,
    privileges::{KEY_BULK_UPDATE, KEY_UPDATE},
    query::time_unit,
    security::authz::Caller,
    state::{cluster::Cluster, key::StoredKey},
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Update that passed validation, for one key or many.
struct Update {
    wanted: CreateRequest,
    lifetime: Option<i64>,
}

/// `PUT /_security/api_key/ID`: only by the owner, even for a superuser. Without a body, only the owner's snapshot is
/// renewed.
pub fn update(context: &mut Context) -> Outcome<Reply> {
    let parser = "update_api_key_request_payload";
    let wanted = if context.request.body.is_empty() {
        CreateRequest::default()
    } else {
        read(&parse(&context.request.body)?, parser, &["role_descriptors", "expiration", "metadata"])?
    };
    let lifetime = expires_in(&wanted, parser)?;
    refuse(&problems(&wanted, lifetime))?;
    context.caller.may(&KEY_UPDATE)?;
    let update = Update { wanted, lifetime };
    update.check_caller(context.caller)?;
    let id = context.argument(0);
    let changed = update.apply(context.cluster, context.caller, &id, context.now)?;
    Ok(Reply::ok(json!({ "updated": changed })))
}

/// `POST /_security/api_key/_bulk_update`: the failure of one key does not fail the request.
pub fn bulk_update(context: &mut Context) -> Outcome<Reply> {
    let parser = "bulk_update_api_key_request";
    let node = context.request.json()?;
    let mut wanted = read(&node, parser, &["ids", "role_descriptors", "expiration", "metadata"])?;
    let Some(ids) = wanted.ids.take() else { return Err(EsError::illegal("Required [ids]")) };
    let lifetime = expires_in(&wanted, parser)?;
    let mut found = problems(&wanted, lifetime);
    if ids.is_empty() {
        found.push("Field [ids] cannot be empty".to_owned());
    }
    refuse(&found)?;
    context.caller.may(&KEY_BULK_UPDATE)?;
    let update = Update { wanted, lifetime };
    update.check_caller(context.caller)?;
    if ids.iter().any(String::is_empty) {
        let reason = "Ids can't be empty";
        let inner = EsError::new(400, "query_shard_exception", format!("failed to create query: {reason}"))
            .with("index_uuid", "_na_")
            .with("index", INDEX)
            .because(EsError::illegal(reason));
        return Err(shard_failure(INDEX, inner));
    }
    let (mut updated, mut noops, mut details) = (Vec::new(), Vec::new(), Map::new());
    let mut seen = HashSet::new();
    for id in ids.into_iter().filter(|id| seen.insert(id.clone())) {
        match update.apply(context.cluster, context.caller, &id, context.now) {
            Ok(true) => updated.push(id),
            Ok(false) => noops.push(id),
            Err(error) => {
                details.insert(id, error.to_value());
            }
        }
    }
    let mut answer = json!({ "updated": updated, "noops": noops });
    if !details.is_empty() {
        answer["errors"] = json!({ "count": details.len(), "details": Value::Object(details) });
    }
    Ok(Reply::ok(answer))
}

/// Returns the validation errors of an update.
pub fn problems(wanted: &CreateRequest, lifetime: Option<i64>) -> Vec<String> {
    let mut problems = common_problems(wanted);
    // Less than a millisecond is in the future, and over at once.
    let shorter = |text: &String| time_unit::is_positive(text);
    if lifetime.is_some_and(|lifetime| lifetime <= 0) && !wanted.expiration.as_ref().is_some_and(shorter) {
        problems.push("API key expiration must be in the future".to_owned());
    }
    problems
}

/// Refuses callers that signed in with a key, because a key owns no keys.
pub fn not_by_key(caller: &Caller) -> Outcome<()> {
    if caller.key.is_none() {
        return Ok(());
    }
    Err(EsError::illegal("authentication via API key not supported: only the owner user can update an API key"))
}

/// Returns the key to change, if it is the caller's, active and of this type.
pub fn own<'a>(cluster: &'a Cluster, caller: &Caller, id: &str, kind: &str, now: i64) -> Outcome<&'a StoredKey> {
    let found = cluster.key(id).filter(|key| key.username == caller.username && key.realm == caller.realm);
    let Some(key) = found else {
        return Err(EsError::new(
            404,
            "resource_not_found_exception",
            format!("no API key owned by requesting user found for ID [{id}]"),
        ));
    };
    if key.invalidation.is_some() {
        return Err(EsError::illegal(format!("cannot update invalidated API key [{id}]")));
    }
    if key.is_expired(now) {
        return Err(EsError::illegal(format!("cannot update expired API key [{id}]")));
    }
    if key.kind != kind {
        let reason = format!("cannot update API key of type [{}] while expected type is [{kind}]", key.kind);
        return Err(EsError::illegal(reason));
    }
    Ok(key)
}

/// Checks whether the metadata can be indexed: an error is a 400 when a key is created, but a 500 when it is updated.
pub fn written(metadata: &Map<String, Value>, id: &str) -> Outcome<()> {
    metadata_fits(metadata, id)
        .map_err(|error| EsError::new(500, "exception", "bulk request execution failure").because(error))
}

impl Update {
    /// Refuses errors that concern all keys, before any key is looked up.
    fn check_caller(&self, caller: &Caller) -> Outcome<()> {
        not_by_key(caller)?;
        mixed_restrictions(self.wanted.descriptors.as_deref().unwrap_or_default())
    }

    /// Updates one key and returns `true` if anything changed. The owner's snapshot is renewed each time.
    fn apply(&self, cluster: &mut Cluster, caller: &Caller, id: &str, now: i64) -> Outcome<bool> {
        let key = own(cluster, caller, id, "rest", now)?;
        let assigned = self.wanted.descriptors.clone().map_or_else(|| key.assigned.clone(), Arc::new);
        let metadata = self.wanted.metadata.clone().map_or_else(|| key.metadata.clone(), Arc::new);
        let has_metadata = key.has_metadata || self.wanted.metadata.is_some();
        written(&metadata, id)?;
        let expiration = self.lifetime.map(|lifetime| now.saturating_add(lifetime)).or(key.expiration);
        let limited_by = Some(Arc::new(snapshot(caller)));
        let changed = assigned != key.assigned
            || metadata != key.metadata
            || has_metadata != key.has_metadata
            || expiration != key.expiration
            || limited_by != key.limited_by;
        if changed {
            cluster.change_key(id, |key| {
                key.assigned = assigned;
                key.metadata = metadata;
                key.has_metadata = has_metadata;
                key.expiration = expiration;
                key.limited_by = limited_by;
            });
        }
        Ok(changed)
    }
}
