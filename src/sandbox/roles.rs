//! Roles: read, written, removed.

use super::descriptor::{self, Descriptor, Use};
use super::error::{EsError, Outcome};
use super::keys_create::refresh_parameter;
use super::privileges::{ROLE_DELETE, ROLE_GET, ROLE_PUT};
use super::reply::Reply;
use super::router::Context;
use serde_json::{Map, Value, json};

/// Whether a role is built in and can't be changed.
fn is_reserved(role: &Descriptor) -> bool {
    role.metadata.get("_reserved") == Some(&Value::Bool(true))
}

/// `GET /_security/role[/NAME[,NAME]]`; nothing found is 404 with `{}`.
pub fn get(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&ROLE_GET)?;
    let wanted = context.argument(0);
    let names: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let roles = &context.cluster.roles;
    let found: Map<String, Value> = if names.is_empty() {
        roles.iter().map(|(name, role)| (name.clone(), role.to_value())).collect()
    } else {
        names.iter().filter_map(|name| roles.get(*name).map(|role| ((*name).to_owned(), role.to_value()))).collect()
    };
    let status = if found.is_empty() && !names.is_empty() { 404 } else { 200 };
    Ok(Reply::json(status, Value::Object(found)))
}

/// `PUT|POST /_security/role/NAME`
pub fn put(context: &mut Context) -> Outcome<Reply> {
    refresh_parameter(context)?;
    let name = context.argument(0);
    let node = context.request.json()?;
    let role = descriptor::parse(&name, &node, Use::Role).map_err(|fault| fault.error)?;
    let reserved = context.cluster.roles.get(&name).is_some_and(is_reserved);
    let mut problems = role.problems();
    if reserved {
        problems.insert(0, format!("Role [{name}] is reserved and may not be used."));
    }
    if let Some(problem) = descriptor::name_problem(&name) {
        return Err(EsError::plain_validation(problem));
    }
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    context.caller.may(&ROLE_PUT)?;
    let created = context.cluster.roles.insert(name, role).is_none();
    Ok(Reply::ok(json!({ "role": { "created": created } })))
}

/// `DELETE /_security/role/NAME`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    refresh_parameter(context)?;
    context.caller.may(&ROLE_DELETE)?;
    let name = context.argument(0);
    if context.cluster.roles.get(&name).is_some_and(is_reserved) {
        return Err(EsError::illegal(format!("role [{name}] is reserved and cannot be deleted")));
    }
    let found = context.cluster.roles.remove(&name).is_some();
    Ok(Reply::json(if found { 200 } else { 404 }, json!({ "found": found })))
}
