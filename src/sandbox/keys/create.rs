//! Creation of API keys: rules and messages of 9.5.3.

use super::key_request::{common_problems, expires_in, metadata_fits, mixed_restrictions, name_problems, read};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    privileges::KEY_CREATE,
    security::{authz::Caller, descriptor::Descriptor},
    state::{
        cluster::Cluster,
        key::StoredKey,
        secret::{Hash, fresh_id, fresh_secret},
        user::Realm,
    },
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Returns the owner's snapshot of a key that the caller creates; a key created by a key gets an empty one.
pub fn snapshot(caller: &Caller) -> Vec<(String, Descriptor)> {
    match &caller.key {
        Some(_) => Vec::new(),
        None => caller.layers.first().cloned().unwrap_or_default(),
    }
}

/// `POST|PUT /_security/api_key`
pub fn create(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let parser = "api_key_request";
    let node = context.request.json()?;
    let wanted = read(&node, parser, &["name", "role_descriptors", "expiration", "metadata"])?;
    let lifetime = expires_in(&wanted, parser)?;
    let Some(name) = wanted.name.clone() else { return Err(EsError::illegal("Required [name]")) };
    let mut problems = name_problems(&name);
    problems.extend(common_problems(&wanted));
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    context.caller.may(&KEY_CREATE)?;
    let assigned = wanted.descriptors.unwrap_or_default();
    if context.caller.key.is_some() && (assigned.is_empty() || assigned.iter().any(|(_, role)| !role.is_empty())) {
        return Err(EsError::illegal(
            "creating derived api keys requires an explicit role descriptor that is empty (has no privileges)",
        ));
    }
    mixed_restrictions(&assigned)?;
    let (caller, now) = (context.caller, context.now);
    let limited_by = Some(snapshot(caller).into());
    let key =
        StoredKey { limited_by, assigned: assigned.into(), ..blank(caller, name, lifetime, now, wanted.metadata)? };
    add(context.cluster, key)
}

/// Returns a new key of the caller with a fresh id, no privileges, and the hash of an unknown secret.
pub fn blank(
    caller: &Caller,
    name: String,
    lifetime: Option<i64>,
    now: i64,
    metadata: Option<Map<String, Value>>,
) -> Outcome<StoredKey> {
    let id = fresh_id()?;
    let has_metadata = metadata.is_some();
    let metadata = metadata.unwrap_or_default();
    metadata_fits(&metadata, &id)?;
    let realm = if caller.key.is_some() { Realm::new("_es_api_key", "_es_api_key") } else { caller.realm.clone() };
    Ok(StoredKey {
        id,
        name,
        kind: "rest",
        creation: now,
        expiration: lifetime.map(|lifetime| ends(now, lifetime)).transpose()?,
        invalidation: None,
        username: caller.username.clone(),
        realm,
        full_name: caller.full_name.clone(),
        email: caller.email.clone(),
        owner_metadata: caller.metadata.clone(),
        has_metadata,
        metadata: metadata.into(),
        assigned: Vec::new().into(),
        limited_by: None,
        access: None,
        certificate_identity: None,
        secret: Hash::unknown()?,
        doc: 0,
    })
}

/// Returns the expiration of a key created now, in epoch milliseconds; fails on overflow.
pub fn ends(now: i64, lifetime: i64) -> Outcome<i64> {
    now.checked_add(lifetime).ok_or_else(|| EsError::new(500, "arithmetic_exception", "long overflow"))
}

/// Gives the key a fresh secret, adds it, and answers with both.
pub fn add(cluster: &mut Cluster, key: StoredKey) -> Outcome<Reply> {
    let secret = fresh_secret()?;
    let (id, name, expiration) = (key.id.clone(), key.name.clone(), key.expiration);
    cluster.add_key(StoredKey { secret: Hash::of(&secret)?, ..key });
    let mut answer = Map::new();
    answer.insert("id".into(), json!(id));
    answer.insert("name".into(), json!(name));
    if let Some(expiration) = expiration {
        answer.insert("expiration".into(), json!(expiration));
    }
    answer.insert("api_key".into(), json!(secret));
    answer.insert("encoded".into(), json!(STANDARD.encode(format!("{id}:{secret}"))));
    Ok(Reply::ok(Value::Object(answer)))
}
