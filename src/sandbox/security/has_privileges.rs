//! Privileges of a caller: `_has_privileges`, `_privileges`, and the list of all existing privileges.

use super::{descriptor, descriptor_parse, descriptor_parts};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    json::{Kind, Node, fault::Fault},
    privileges::{
        BUILTIN, CLUSTER, HAS_PRIVILEGES, INDICES, LIST_PRIVILEGES, REMOTE_CLUSTER, cluster_problem, index_problem,
    },
};
use serde_json::{Map, Value, json};

/// `GET|POST /_security/user[/NAME]/_has_privileges`
pub fn has_privileges(context: &mut Context) -> Outcome<Reply> {
    if context.request.body.is_empty() {
        return Err(EsError::parse("request body or source parameter is required"));
    }
    let caller = context.caller;
    let asked_about = context.argument(0);
    let username = if asked_about.is_empty() { caller.username.clone() } else { asked_about };
    let question = read(&context.request.json()?, &format!("{username}/has_privileges"))?;
    let nothing = question.cluster.is_empty() && question.index.is_empty() && question.applications.is_empty();
    let mut problems = Vec::new();
    if nothing {
        problems.push("must specify at least one privilege".to_owned());
    }
    let names = question.index.iter().flat_map(|grant| &grant.names);
    problems.extend(
        names
            .filter(|name| name.ends_with("::data") || name.ends_with("::failures"))
            .map(|name| format!("may only check index privileges without selectors in index patterns [{name}]")),
    );
    problems.extend(question.applications.iter().filter_map(|grant| match grant.application.as_str() {
        name if name.contains('*') => Some(format!("Application names may not contain '*' (found '{name}')")),
        name => descriptor::application_problem(name),
    }));
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    if username == caller.username {
        caller.may_about_self(&HAS_PRIVILEGES)?;
    } else {
        caller.may(&HAS_PRIVILEGES)?;
        return Err(EsError::illegal("users may only check the privileges of their own account"));
    }
    let unknown = question
        .cluster
        .iter()
        .find_map(|name| cluster_problem(name))
        .or_else(|| question.index.iter().flat_map(|grant| &grant.privileges).find_map(|name| index_problem(name)));
    if let Some(problem) = unknown {
        return Err(EsError::illegal(problem));
    }
    let mut all = true;
    let mut ask = |answer: bool| {
        all &= answer;
        json!(answer)
    };
    let mut cluster = Map::new();
    for name in &question.cluster {
        cluster.insert(name.clone(), ask(caller.has_cluster(name)));
    }
    let mut index = Map::new();
    for grant in &question.index {
        for name in &grant.names {
            let entry = index.entry(name.clone()).or_insert_with(|| json!({}));
            for privilege in &grant.privileges {
                entry[privilege] = ask(caller.has_on(name, privilege, grant.allow_restricted));
            }
        }
    }
    let mut application = Map::new();
    for grant in &question.applications {
        let entry = application.entry(grant.application.clone()).or_insert_with(|| json!({}));
        for resource in &grant.resources {
            for privilege in &grant.privileges {
                entry[resource][privilege] = ask(caller.has_application(&grant.application, privilege, resource));
            }
        }
    }
    Ok(Reply::ok(json!({
        "username": username,
        "has_all_requested": all,
        "cluster": cluster,
        "index": index,
        "application": application,
    })))
}

#[derive(Default)]
struct Question {
    cluster: Vec<String>,
    index: Vec<descriptor::IndexGrant>,
    applications: Vec<descriptor::ApplicationGrant>,
}

fn read(node: &Node, name: &str) -> Outcome<Question> {
    let head = format!("failed to parse privileges check [{name}].");
    let Kind::Object(members) = &node.kind else {
        return Err(EsError::parse(format!("{head} expected an object but found [{}] instead", node.token())));
    };
    let inner = |fault: Fault| fault.error;
    let mut question = Question::default();
    let mut unsupported = None;
    for member in members {
        let value = &member.value;
        match member.name.as_str() {
            "cluster" => question.cluster = descriptor_parts::strings(name, "cluster", value).map_err(inner)?,
            "index" => {
                let elements = value.elements().unwrap_or_default();
                let asked = |field: &&str| {
                    elements
                        .iter()
                        .any(|element| element.get(field).is_some_and(|node| !matches!(node.kind, Kind::Null)))
                };
                unsupported = ["query", "field_security"].into_iter().find(asked);
                question.index = descriptor_parse::grants(name, "index", value, false).map_err(inner)?;
            }
            "application" => {
                question.applications = super::descriptor_parts::applications(name, value).map_err(inner)?
            }
            other => return Err(EsError::parse(format!("{head} unexpected field [{other}]"))),
        }
    }
    if let Some(field) = unsupported {
        return Err(EsError::parse(format!("Field [{field}] is not supported in a has_privileges request")));
    }
    if members.iter().all(|member| matches!(member.value.kind, Kind::Null)) {
        return Err(EsError::parse(format!("{head} All privilege fields [cluster,index,applications] are missing")));
    }
    Ok(question)
}

/// `GET /_security/user/_privileges`
pub fn list_privileges(context: &mut Context) -> Outcome<Reply> {
    let caller = context.caller;
    caller.may_about_self(&LIST_PRIVILEGES)?;
    let [layer] = caller.layers.as_slice() else {
        return Err(EsError::illegal("Cannot retrieve privileges for API keys with assigned role descriptors. Please use the Get API key information API https://ela.st/es-api-get-api-key")
            .because(EsError::new(400, "unsupported_operation_exception", "cannot retrieve cluster permission on limited role")));
    };
    let sorted = |names: Vec<&String>| {
        let mut names: Vec<&String> = names;
        names.sort();
        names.dedup();
        json!(names)
    };
    let list = |value: Value, field: &str| value.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let (mut indices, mut applications, mut remote_indices, mut remote_cluster, mut global) =
        (vec![], vec![], vec![], vec![], vec![]);
    let collect = |grants: Vec<Value>, into: &mut Vec<Value>| {
        for grant in grants {
            merge(grant, into);
        }
    };
    for (_, role) in layer {
        let value = role.to_value();
        collect(list(value.clone(), "indices"), &mut indices);
        applications.extend(list(value.clone(), "applications"));
        collect(list(value.clone(), "remote_indices"), &mut remote_indices);
        remote_cluster.extend(list(value, "remote_cluster"));
        global.extend(role.global.clone());
    }
    let mut answer = json!({
        "cluster": sorted(layer.iter().flat_map(|(_, role)| &role.cluster).collect()),
        "global": global,
        "indices": indices,
        "applications": applications,
        "run_as": sorted(layer.iter().flat_map(|(_, role)| &role.run_as).collect()),
    });
    if !remote_indices.is_empty() {
        answer["remote_indices"] = Value::Array(remote_indices);
    }
    if !remote_cluster.is_empty() {
        answer["remote_cluster"] = Value::Array(remote_cluster);
    }
    Ok(Reply::ok(answer))
}

/// Merges an entry with those for the same indices: privileges are combined, and if one entry shows all documents or
/// all fields, the others hide none (as seen on 9.5.3).
fn merge(mut grant: Value, into: &mut Vec<Value>) {
    let texts = |value: &Value, field: &str| {
        let mut texts: Vec<String> = value[field]
            .as_array()
            .map(|list| list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        texts.sort();
        texts.dedup();
        texts
    };
    grant["privileges"] = json!(texts(&grant, "privileges"));
    for field in ["field_security", "query"] {
        if let Some(value) = grant.get(field).cloned() {
            grant[field] = json!([value]);
        }
    }
    let alike = |other: &&mut Value| {
        texts(other, "names") == texts(&grant, "names")
            && texts(other, "clusters") == texts(&grant, "clusters")
            && other["allow_restricted_indices"] == grant["allow_restricted_indices"]
    };
    let Some(other) = into.iter_mut().find(alike) else { return into.push(grant) };
    let mut privileges = texts(other, "privileges");
    privileges.extend(texts(&grant, "privileges"));
    privileges.sort();
    privileges.dedup();
    other["privileges"] = json!(privileges);
    for field in ["field_security", "query"] {
        match (other.get(field).cloned(), grant.get(field)) {
            (Some(Value::Array(mut all)), Some(Value::Array(more))) => {
                for value in more {
                    if !all.contains(value) {
                        all.push(value.clone());
                    }
                }
                other[field] = Value::Array(all);
            }
            _ => {
                if let Some(map) = other.as_object_mut() {
                    map.shift_remove(field);
                }
            }
        }
    }
}

/// `GET /_security/privilege/_builtin`
pub fn builtin(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&BUILTIN)?;
    Ok(Reply::ok(json!({ "cluster": CLUSTER, "index": INDICES, "remote_cluster": REMOTE_CLUSTER })))
}
