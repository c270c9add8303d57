//! Privileges that applications define: writing, reading and removing them. Rules and messages of 9.5.3.

use super::descriptor::application_problem;
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse},
        reply::Reply,
    },
    json::{Kind, Node, fault::unknown_field, object},
    pattern::glob,
    privileges::{APP_PRIVILEGES_DELETE, APP_PRIVILEGES_GET, APP_PRIVILEGES_PUT},
    state::cluster::AppPrivilege,
};
use serde_json::{Map, Value, json};

fn expected_object<T>(name: &str, node: &Node) -> Outcome<T> {
    let reason = format!("expected the value for {name} to be an object, but found {} instead", node.token());
    Err(EsError::parse(reason))
}

fn read(application: &str, name: &str, node: &Node) -> Outcome<AppPrivilege> {
    let parser = "application-privilege";
    let Some(members) = node.members() else { return expected_object(application, node) };
    let mut privilege = AppPrivilege { actions: Vec::new(), metadata: Map::new() };
    for member in members {
        let value = &member.value;
        let wrong_type = || {
            let reason =
                format!("[{}] [{parser}] {} doesn't support values of type: {}", value.at, member.name, value.token());
            EsError::new(400, "x_content_parse_exception", reason)
        };
        match member.name.as_str() {
            field @ ("application" | "name") => {
                let given = value.text().ok_or_else(wrong_type)?;
                let wanted = if field == "name" { name } else { application };
                if given != wanted {
                    let what = if field == "name" { "name" } else { "application" };
                    return Err(EsError::illegal(format!(
                        "privilege {what} [{given}] in source does not match the provided {what} [{wanted}]"
                    )));
                }
            }
            "actions" => {
                privilege.actions = match &value.kind {
                    Kind::Text(action) => vec![action.clone()],
                    Kind::Array(elements) => elements
                        .iter()
                        .map(|element| element.scalar().ok_or_else(wrong_type))
                        .collect::<Outcome<_>>()?,
                    _ => return Err(wrong_type()),
                };
            }
            "metadata" => privilege.metadata = object(value.members().ok_or_else(wrong_type)?),
            other => {
                let known = ["application", "name", "actions", "metadata"];
                return Err(unknown_field(member.at, parser, other, &known));
            }
        }
    }
    Ok(privilege)
}

fn problems(application: &str, name: &str, privilege: &AppPrivilege) -> Vec<String> {
    let mut problems = Vec::new();
    if application.contains('*') {
        problems.push(format!("Application names may not contain '*' (found '{application}')"));
    } else {
        problems.extend(application_problem(application));
    }
    let shaped = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !shaped {
        problems.push(format!(
            "Application privilege names must match the pattern ^[a-z][a-zA-Z0-9_.-]*$ (found '{name}')"
        ));
    }
    if privilege.actions.is_empty() {
        problems.push("Application privileges must have at least one action".to_owned());
    }
    for action in &privilege.actions {
        if !action.contains(['/', '*', ':']) {
            problems.push(format!("action [{action}] must contain one of [ '/' , '*' , ':' ]"));
        } else if action.chars().any(|c| c.is_whitespace() || c.is_control()) {
            problems.push(format!(
                "Application privilege names and actions must match the pattern ^\\p{{Graph}}*$ (found '{action}')"
            ));
        }
    }
    if privilege.metadata.keys().any(|key| key.starts_with('_')) {
        problems.push(format!("metadata keys may not start with [_] (in privilege {application} {name})"));
    }
    problems
}

/// `PUT|POST /_security/privilege`
pub fn put(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let node = context.request.json()?;
    let Some(applications) = node.members() else {
        return Err(EsError::parse(format!("expected object but found {} instead", node.token())));
    };
    let mut wanted = Vec::new();
    for application in applications {
        let Some(members) = application.value.members() else {
            return expected_object(&application.name, &application.value);
        };
        for member in members {
            wanted.push((&application.name, &member.name, read(&application.name, &member.name, &member.value)?));
        }
    }
    if wanted.is_empty() {
        return Err(EsError::validation(&["At least one application privilege must be provided".to_owned()]));
    }
    refuse(
        &wanted
            .iter()
            .flat_map(|(application, name, privilege)| problems(application, name, privilege))
            .collect::<Vec<_>>(),
    )?;
    context.caller.may(&APP_PRIVILEGES_PUT)?;
    let mut answer = json!({});
    for (application, name, privilege) in wanted {
        let held = context.cluster.app_privileges.entry(application.clone()).or_default();
        let created = held.insert(name.clone(), privilege).is_none();
        answer[application][name] = json!({ "created": created });
    }
    Ok(Reply::ok(answer))
}

/// `GET /_security/privilege[/APPLICATION[/NAME]]`; only names without a match are 404.
pub fn get(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&APP_PRIVILEGES_GET)?;
    let (application, names) = (context.argument(0), context.argument(1));
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    let mut answer = Map::new();
    for (held, privileges) in &context.cluster.app_privileges {
        let meant = application.is_empty() || application.split(',').any(|wanted| glob(wanted, held));
        let shown: Map<String, Value> = privileges
            .iter()
            .filter(|(name, _)| meant && (names.is_empty() || names.contains(&name.as_str())))
            .map(|(name, privilege)| {
                let value = json!({
                    "application": held,
                    "name": name,
                    "actions": privilege.actions,
                    "metadata": privilege.metadata,
                });
                (name.clone(), value)
            })
            .collect();
        if !shown.is_empty() {
            answer.insert(held.clone(), Value::Object(shown));
        }
    }
    let status = if answer.is_empty() && !names.is_empty() { 404 } else { 200 };
    Ok(Reply::json(status, Value::Object(answer)))
}

/// `DELETE /_security/privilege/APPLICATION/NAME[,NAME]`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    context.caller.may(&APP_PRIVILEGES_DELETE)?;
    let (application, names) = (context.argument(0), context.argument(1));
    let held = context.cluster.app_privileges.entry(application.clone()).or_default();
    let mut some = false;
    let mut found = Map::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let removed = held.remove(name).is_some();
        some |= removed;
        found.insert(name.to_owned(), json!({ "found": removed }));
    }
    if held.is_empty() {
        context.cluster.app_privileges.remove(&application);
    }
    let mut answer = Map::new();
    answer.insert(application, Value::Object(found));
    Ok(Reply::json(if some { 200 } else { 404 }, Value::Object(answer)))
}
