//! Cross-cluster API keys, with which other clusters sign in: creation and update as on 9.5.3 with a trial license.

use super::{
    access::{Access, ROLE},
    create::{add, blank},
    key_request::{CreateRequest, common_problems, expires_in, name_problems, read},
    update::{not_by_key, own, problems, written},
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse},
        reply::Reply,
    },
    json::fault::content,
    privileges::{CROSS_CLUSTER_CREATE, CROSS_CLUSTER_UPDATE},
};
use serde_json::json;
use std::sync::Arc;

/// `POST /_security/cross_cluster/api_key`; the license is checked before the request is parsed.
pub fn create(context: &mut Context) -> Outcome<Reply> {
    context.cluster.license.require_cross_cluster()?;
    let parser = "cross_cluster_api_key_request";
    let node = context.request.json()?;
    let fields = ["name", "access", "expiration", "metadata", "certificate_identity"];
    let wanted = read(&node, parser, &fields)?;
    let Some(name) = wanted.name.clone() else { return Err(EsError::illegal("Required [name]")) };
    let Some(access) = &wanted.access else { return Err(EsError::illegal("Required [access]")) };
    let lifetime = expires_in(&wanted, parser)?;
    access.check().map_err(|error| {
        content(format!("Failed to build [{parser}] after last required field arrived")).because(error)
    })?;
    let mut problems = name_problems(&name);
    problems.extend(common_problems(&wanted));
    refuse(&problems)?;
    context.caller.may(&CROSS_CLUSTER_CREATE)?;
    if context.caller.key.is_some() {
        return Err(EsError::illegal(
            "authentication via API key not supported: An API key cannot be used to create a cross-cluster API key",
        ));
    }
    let mut key = blank(context.caller, name, lifetime, context.now, wanted.metadata.clone())?;
    key.kind = ROLE;
    key.assigned = vec![(ROLE.to_owned(), access.descriptor())].into();
    key.access = Some(access.to_value());
    key.certificate_identity = wanted.certificate_identity.clone().flatten();
    add(context.cluster, key)
}

/// `PUT /_security/cross_cluster/api_key/ID`; only by the owner, like every update.
pub fn update(context: &mut Context) -> Outcome<Reply> {
    context.cluster.license.require_cross_cluster()?;
    let parser = "update_cross_cluster_api_key_request_payload";
    let node = context.request.json()?;
    let wanted = read(&node, parser, &["access", "expiration", "metadata", "certificate_identity"])?;
    let lifetime = expires_in(&wanted, parser)?;
    wanted.access.as_ref().map_or(Ok(()), Access::check)?;
    let mut found = problems(&wanted, lifetime);
    if wanted.access.is_none() && wanted.metadata.is_none() && wanted.certificate_identity.is_none() {
        let reason = "must update [access], [metadata], or [certificate_identity] for cross-cluster API keys";
        found.push(reason.to_owned());
    }
    refuse(&found)?;
    context.caller.may(&CROSS_CLUSTER_UPDATE)?;
    not_by_key(context.caller)?;
    let id = context.argument(0);
    let changed = apply(context, &wanted, &id, lifetime)?;
    Ok(Reply::ok(json!({ "updated": changed })))
}

fn apply(context: &mut Context, wanted: &CreateRequest, id: &str, lifetime: Option<i64>) -> Outcome<bool> {
    let key = own(context.cluster, context.caller, id, ROLE, context.now)?;
    let mut new = key.clone();
    if let Some(access) = &wanted.access {
        new.assigned = vec![(ROLE.to_owned(), access.descriptor())].into();
        new.access = Some(access.to_value());
    }
    if let Some(metadata) = &wanted.metadata {
        written(metadata, id)?;
        new.metadata = Arc::new(metadata.clone());
    }
    if let Some(identity) = &wanted.certificate_identity {
        new.certificate_identity.clone_from(identity);
    }
    new.expiration = lifetime.map(|lifetime| context.now.saturating_add(lifetime)).or(key.expiration);
    let changed = new.access != key.access
        || new.metadata != key.metadata
        || new.expiration != key.expiration
        || new.certificate_identity != key.certificate_identity;
    if changed {
        context.cluster.change_key(id, |key| *key = new);
    }
    Ok(changed)
}
