//! Roles: reading, writing, removing.

use super::{
    descriptor::{self, Descriptor},
    descriptor_parse::{self, Use},
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    json::{self, fault::unknown_field},
    privileges::{ROLE_BULK_DELETE, ROLE_BULK_PUT, ROLE_DELETE, ROLE_GET, ROLE_PUT},
    query::parse,
};
use serde_json::{Map, Value, json};

/// Returns `true` if a role is built in and can't be changed.
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
    context.request.params.check_refresh()?;
    let name = context.argument(0);
    let node = context.request.json()?;
    let role = descriptor_parse::parse(&name, &node, Use::Role).map_err(|fault| fault.error)?;
    queries_can_be_read(&role)?;
    let reserved = context.cluster.roles.get(&name).is_some_and(is_reserved);
    let mut problems = role.problems();
    problems.extend(descriptor::written_name_problem("Role", &name));
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

/// Refuses a role with an invalid query in its index privileges. Role queries are parsed when the role is written,
/// those of an API key's descriptors only when the key searches (as seen on 9.5.3); templates, too, are only filled in
/// then.
fn queries_can_be_read(role: &Descriptor) -> Outcome<()> {
    for (place, grant) in role.indices.iter().enumerate() {
        let Some(query) = &grant.query else { continue };
        let node = json::parse(query.as_bytes());
        let read = node.and_then(|node| match node.get("template") {
            Some(_) => Ok(()),
            None => parse::parse(&node).map(drop).map_err(|fault| fault.error),
        });
        if let Err(cause) = read {
            let names = grant.names.join(",");
            let head = format!("failed to parse field 'query' for indices [{names}] at index privilege [{place}]");
            return Err(EsError::parse(format!("{head} of role descriptor")).because(cause));
        }
    }
    Ok(())
}

/// `DELETE /_security/role/NAME`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    context.caller.may(&ROLE_DELETE)?;
    let name = context.argument(0);
    if context.cluster.roles.get(&name).is_some_and(is_reserved) {
        return Err(EsError::illegal(format!("role [{name}] is reserved and cannot be deleted")));
    }
    let found = context.cluster.roles.remove(&name).is_some();
    Ok(Reply::json(if found { 200 } else { 404 }, json!({ "found": found })))
}

/// `POST /_security/role`: writes many roles; errors of one role are reported beside the results of the others.
pub fn put_many(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let parser = "bulk_update_roles_request_payload";
    let node = context.request.json()?;
    let content = |reason: String| EsError::new(400, "x_content_parse_exception", reason);
    let Some(members) = node.members() else {
        return Err(content(format!("[{}] [{parser}] Expected START_OBJECT but was: {}", node.at, node.token())));
    };
    if let Some(member) = members.iter().find(|member| member.name != "roles") {
        return Err(unknown_field(member.at, parser, &member.name, &["roles"]));
    }
    let Some(roles) = node.get("roles") else { return Err(EsError::illegal("Required [roles]")) };
    let outer =
        |at: crate::sandbox::json::Position| content(format!("[{at}] [{parser}] failed to parse field [roles]"));
    let Some(roles) = roles.members() else {
        if roles.elements().is_some() {
            let reason = "[roles] doesn't support arrays. Use a single object with multiple fields.";
            return Err(outer(roles.at).because(EsError::illegal(reason)));
        }
        let (at, token) = (roles.at, roles.token());
        return Err(content(format!("[{at}] [{parser}] roles doesn't support values of type: {token}")));
    };
    let mut wanted = Vec::new();
    for member in roles {
        let role = descriptor_parse::parse(&member.name, &member.value, Use::Role).map_err(|fault| {
            let inner = content(format!("[{}] [roles] failed to parse field [{}]", fault.at, member.name));
            outer(fault.at).because(inner.because(fault.error))
        })?;
        wanted.push((member.name.clone(), role));
    }
    if wanted.is_empty() {
        return Err(EsError::validation(&["roles cannot be empty".to_owned()]));
    }
    context.caller.may(&ROLE_BULK_PUT)?;
    let (mut created, mut updated, mut noop, mut details) = (Vec::new(), Vec::new(), Vec::new(), Map::new());
    for (name, role) in wanted {
        let mut problems = role.problems();
        if context.cluster.roles.get(&name).is_some_and(is_reserved) {
            problems.insert(0, format!("Role [{name}] is reserved and may not be used."));
        }
        if !problems.is_empty() {
            details.insert(name, EsError::validation(&problems).to_value());
            continue;
        }
        match context.cluster.roles.insert(name.clone(), role.clone()) {
            None => created.push(name),
            Some(before) if before == role => noop.push(name),
            Some(_) => updated.push(name),
        }
    }
    Ok(Reply::ok(outcome(&[("created", created), ("updated", updated), ("noop", noop)], details)))
}

/// `DELETE /_security/role`: removes many roles.
pub fn delete_many(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let parser = "bulk_delete_roles_request";
    let node = context.request.json()?;
    let content = |reason: String| EsError::new(400, "x_content_parse_exception", reason);
    let Some(members) = node.members() else {
        return Err(content(format!("[{}] [{parser}] Expected START_OBJECT but was: {}", node.at, node.token())));
    };
    if let Some(member) = members.iter().find(|member| member.name != "names") {
        return Err(unknown_field(member.at, parser, &member.name, &["names"]));
    }
    let Some(names) = node.get("names") else { return Err(EsError::illegal("Required [names]")) };
    let names: Vec<String> = match (names.elements(), names.text()) {
        (Some(elements), _) => elements.iter().filter_map(crate::sandbox::json::Node::scalar).collect(),
        (None, Some(name)) => vec![name.to_owned()],
        (None, None) => {
            let (at, token) = (names.at, names.token());
            return Err(content(format!("[{at}] [{parser}] names doesn't support values of type: {token}")));
        }
    };
    context.caller.may(&ROLE_BULK_DELETE)?;
    let (mut deleted, mut not_found, mut details) = (Vec::new(), Vec::new(), Map::new());
    for name in names {
        if context.cluster.roles.get(&name).is_some_and(is_reserved) {
            let reason = format!("role [{name}] is reserved and cannot be deleted");
            details.insert(name, EsError::illegal(reason).to_value());
        } else if context.cluster.roles.remove(&name).is_some() {
            deleted.push(name);
        } else {
            not_found.push(name);
        }
    }
    Ok(Reply::ok(outcome(&[("deleted", deleted), ("not_found", not_found)], details)))
}

/// Returns the answer of a bulk request; empty lists are omitted.
fn outcome(lists: &[(&str, Vec<String>)], details: Map<String, Value>) -> Value {
    let mut answer = Map::new();
    for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        answer.insert((*name).to_owned(), json!(list));
    }
    if !details.is_empty() {
        answer.insert("errors".to_owned(), json!({ "count": details.len(), "details": details }));
    }
    Value::Object(answer)
}
