//! Parts of role descriptors with their own grammar: applications, remote clusters, global privileges, restrictions and
//! field security; parsed with the refusals of 9.5.3.

use super::descriptor::ApplicationGrant;
use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind, Node,
        fault::{Fault, Parsed, fault, unknown_field},
    },
    pattern,
    privileges::{REMOTE_CLUSTER, index_problem},
};
use serde_json::Value;

fn content<T>(node: &Node, reason: &str) -> Parsed<T> {
    fault(node.at, EsError::new(400, "x_content_parse_exception", format!("[{}] {reason}", node.at)))
}

/// Parses an array of strings; `null` counts as empty.
pub fn strings(role: &str, field: &str, node: &Node) -> Parsed<Vec<String>> {
    let wrap = |at, reason: String| {
        fault(at, EsError::parse(format!("failed to parse role [{role}]")).because(EsError::parse(reason)))
    };
    let elements = match &node.kind {
        Kind::Null => return Ok(Vec::new()),
        Kind::Array(elements) => elements,
        _ => {
            let reason = format!(
                "could not parse [{field}] field. expected a string array but found [{}] value instead",
                node.token()
            );
            return wrap(node.at, reason);
        }
    };
    let mut strings = Vec::with_capacity(elements.len());
    for element in elements {
        match element.text() {
            Some(text) => strings.push(text.to_owned()),
            None => {
                let reason = format!(
                    "could not parse [null] field. expected a string array but one of the value in the array is [{}]",
                    element.token()
                );
                return wrap(element.at, reason);
            }
        }
    }
    Ok(strings)
}

/// Returns the name of a kind of privileges in refusals.
fn privileges_of(what: &str) -> String {
    if what == "remote_cluster" { what.to_owned() } else { format!("{what} privileges") }
}

/// Returns the elements of an array of objects.
pub fn entries<'a>(role: &str, what: &str, field: &str, node: &'a Node) -> Parsed<&'a [Node]> {
    let Some(elements) = node.elements() else {
        let reason = format!(
            "failed to parse {} for role [{role}]. expected field [{field}] value to be an array, but found [{}] instead",
            privileges_of(what),
            node.token()
        );
        return fault(node.at, EsError::parse(reason));
    };
    for element in elements {
        if element.members().is_none() {
            let reason = format!(
                "failed to parse {} for role [{role}]. expected field [null] value to be an array of objects, but found an array element of type [{}]",
                privileges_of(what),
                element.token()
            );
            return fault(element.at, EsError::parse(reason));
        }
    }
    Ok(elements)
}

/// Parses the application grants of a descriptor.
pub fn applications(role: &str, node: &Node) -> Parsed<Vec<ApplicationGrant>> {
    entries(role, "application", "applications", node)?.iter().map(|element| application(role, element)).collect()
}

fn application(role: &str, node: &Node) -> Parsed<ApplicationGrant> {
    let mut grant = ApplicationGrant::default();
    let (mut name, mut privileges, mut resources) = (None, None, None);
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        match member.name.as_str() {
            "application" => match value.text() {
                Some(text) => name = Some(text.to_owned()),
                None => {
                    let token = value.token();
                    return content(
                        value,
                        &format!("[application] application doesn't support values of type: {token}"),
                    );
                }
            },
            field @ ("privileges" | "resources") => {
                let read = Some(texts(field, value)?);
                if field == "privileges" { privileges = read } else { resources = read }
            }
            other => {
                let error = unknown_field(member.at, "application", other, &["application", "privileges", "resources"]);
                return fault(member.at, error);
            }
        }
    }
    for (field, missing) in [("resources", resources.is_none()), ("privileges", privileges.is_none())] {
        if missing {
            let reason =
                format!("failed to parse application privileges for role [{role}]. missing required [{field}] field");
            return fault(node.end, EsError::parse(reason));
        }
    }
    grant.application = name.unwrap_or_default();
    grant.privileges = privileges.unwrap_or_default();
    grant.resources = resources.unwrap_or_default();
    let problem = if grant.application.is_empty() {
        "application privileges must have an application name"
    } else if grant.privileges.is_empty() {
        "application privileges must define at least one privilege"
    } else if grant.resources.is_empty() {
        "application privileges must refer to at least one resource"
    } else {
        return Ok(grant);
    };
    fault(node.end, EsError::illegal(problem))
}

/// Parses one text or an array of texts; in an array, numbers and booleans count as texts.
fn texts(field: &str, node: &Node) -> Parsed<Vec<String>> {
    let wrong =
        |node: &Node| content(node, &format!("[application] {field} doesn't support values of type: {}", node.token()));
    let elements = match &node.kind {
        Kind::Array(elements) => elements.as_slice(),
        Kind::Text(_) => std::slice::from_ref(node),
        _ => return wrong(node),
    };
    let mut texts = Vec::with_capacity(elements.len());
    for element in elements {
        let Some(text) = element.scalar() else {
            let cause = EsError::illegal(format!("Expected text at {} but found {}", element.at, element.token()));
            let reason = format!("[{}] [application] failed to parse field [{field}]", element.at);
            let error = EsError::new(400, "x_content_parse_exception", reason).because(cause);
            return fault(element.at, error);
        };
        texts.push(text);
    }
    Ok(texts)
}

/// Parses cluster privileges on remote clusters: pairs of privileges and clusters.
pub fn remote_cluster(role: &str, node: &Node) -> Parsed<Vec<(Vec<String>, Vec<String>)>> {
    let head = format!("failed to parse remote_cluster for role [{role}].");
    let mut grants = Vec::new();
    for element in entries(role, "remote_cluster", "remote_cluster", node)? {
        let (mut privileges, mut clusters) = (None, None);
        for member in element.members().unwrap_or_default() {
            let value = &member.value;
            match member.name.as_str() {
                "privileges" => {
                    let names = strings(role, "privileges", value)?;
                    let bad: Vec<&str> =
                        names.iter().map(String::as_str).filter(|name| !REMOTE_CLUSTER.contains(name)).collect();
                    if !bad.is_empty() {
                        let reason = format!(
                            "{head} [{}] are the only values allowed for [privileges] within [remote_cluster]. Found [{}]",
                            REMOTE_CLUSTER.join(", "),
                            names.join(", ")
                        );
                        return fault(value.end, EsError::parse(reason));
                    }
                    privileges = Some(names);
                }
                "clusters" => clusters = Some(strings(role, "clusters", value)?),
                other => return fault(value.at, EsError::parse(format!("{head} unexpected field [{other}]"))),
            }
        }
        for (missing, there, names) in [
            (clusters.is_none(), privileges.is_some(), ("clusters", "privileges")),
            (privileges.is_none(), clusters.is_some(), ("privileges", "clusters")),
        ] {
            if missing && there {
                let reason = format!("{head} [{}] must be defined when [{}] are defined ", names.0, names.1);
                return fault(element.end, EsError::parse(reason));
            }
        }
        let (privileges, clusters) = (privileges.unwrap_or_default(), clusters.unwrap_or_default());
        if privileges.is_empty() || clusters.is_empty() {
            return fault(element.end, EsError::illegal("remote cluster groups must not be null or empty"));
        }
        if clusters.iter().any(|cluster| cluster.trim().is_empty()) {
            let reason = format!(
                "remote_cluster clusters aliases must contain valid non-empty, non-null values [{}]",
                clusters.join(", ")
            );
            return fault(element.end, EsError::illegal(reason));
        }
        grants.push((privileges, clusters));
    }
    Ok(grants)
}

/// Parses the workflows of a restriction; `None` for an empty restriction, which restricts nothing.
pub fn restriction(role: &str, node: &Node) -> Parsed<Option<Vec<String>>> {
    let head = format!("failed to parse restriction for role [{role}].");
    let Some(members) = node.members() else {
        let reason = format!(
            "{head} expected field [restriction] value to be an object, but found an element of type [{}]",
            node.token()
        );
        return fault(node.at, EsError::parse(reason));
    };
    let mut workflows = None;
    for member in members {
        let value = &member.value;
        if member.name != "workflows" {
            return fault(value.at, EsError::parse(format!("{head} unexpected field [{}]", member.name)));
        }
        let names = match &value.kind {
            Kind::Null => {
                let inner = "could not parse [workflows] field. expected a string array but found null value instead";
                return fault(value.at, EsError::parse(format!("{head} {inner}")).because(EsError::parse(inner)));
            }
            _ => strings(role, "workflows", value).map_err(|fault| {
                let inner = fault.error.cause.unwrap_or_else(|| EsError::parse(""));
                Fault { at: fault.at, error: EsError::parse(format!("{head} {}", inner.reason)).because(inner) }
            })?,
        };
        if names.is_empty() {
            return fault(value.end, EsError::parse(format!("{head} [workflows] cannot be an empty array")));
        }
        workflows = Some(names);
    }
    Ok(workflows)
}

/// Parses field security: `grant`, and `except`, which must be within `grant`.
pub fn field_security(role: &str, node: &Node) -> Parsed<Value> {
    let head = format!("failed to parse indices privileges for role [{role}].");
    let Some(members) = node.members() else {
        let reason = format!("{head} expected START_OBJECT but got {} in \"field_security\".", node.token());
        return fault(node.at, EsError::parse(reason));
    };
    let (mut grant, mut except) = (None, None);
    for member in members {
        let value = &member.value;
        let field = match member.name.as_str() {
            "grant" => &mut grant,
            "except" => &mut except,
            other => {
                let reason =
                    format!("{head} \"field_security\" only accepts options grant and except, but got: {other}");
                return fault(value.at, EsError::parse(reason));
            }
        };
        if matches!(value.kind, Kind::Null) {
            return fault(value.at, EsError::parse(format!("{head} {} must not be null.", member.name)));
        }
        *field = Some(strings(role, &member.name, value)?);
    }
    if members.is_empty() {
        return fault(node.end, EsError::parse(format!("{head} \"field_security\" must not be empty.")));
    }
    let Some(grant) = grant else {
        return fault(node.end, EsError::parse(format!("{head} field_security requires grant if except is given")));
    };
    let outside = |name: &String| !grant.iter().any(|granted| pattern::covers(granted, name));
    if let Some(except) = except.filter(|except| except.iter().any(outside)) {
        let reason = format!(
            "Exceptions for field permissions must be a subset of the granted fields but {} is not a subset of {}",
            except.join(","),
            grant.join(",")
        );
        let outer = format!("failed to parse indices privileges for role [{role}] - {reason}");
        return fault(node.end, EsError::parse(outer).because(EsError::new(400, "security_exception", reason)));
    }
    Ok(node.to_value())
}

/// Parses global privileges; `None` if there are none.
pub fn global(node: &Node) -> Parsed<Option<Value>> {
    let expected = |node: &Node, wanted: &str| {
        content(node, &format!("failed to parse privilege. expected [{wanted}] but found [{}] instead", node.token()))
    };
    let Some(categories) = node.members() else { return expected(node, "START_OBJECT") };
    let mut some = false;
    for category in categories {
        let (operation, list) = match category.name.as_str() {
            "application" => ("manage", "applications"),
            "profile" => ("write", "applications"),
            "role" => ("manage", "indices"),
            "data_source" => {
                if category.value.elements().is_none() {
                    return expected(&category.value, "START_ARRAY");
                }
                some |= !category.value.elements().unwrap_or_default().is_empty();
                continue;
            }
            other => {
                let reason = format!(
                    "failed to parse privilege. expected one of [application,profile,role,data_source] but found [{other}] instead"
                );
                return fault(
                    category.at,
                    EsError::new(400, "x_content_parse_exception", format!("[{}] {reason}", category.at)),
                );
            }
        };
        let Some(operations) = category.value.members() else { return expected(&category.value, "START_OBJECT") };
        for member in operations {
            some = true;
            named(member, operation)?;
            let Some(fields) = member.value.members() else { return expected(&member.value, "START_OBJECT") };
            let Some(field) = fields.first() else {
                let error = EsError::new(
                    400,
                    "x_content_parse_exception",
                    format!(
                        "[{}] failed to parse privilege. expected [FIELD_NAME] but found [END_OBJECT] instead",
                        member.value.end
                    ),
                );
                return fault(member.value.end, error);
            };
            named(field, list)?;
            let Some(elements) = field.value.elements() else { return expected(&field.value, "START_ARRAY") };
            if list == "indices" {
                elements.iter().try_for_each(managed_indices)?;
            }
        }
    }
    Ok(some.then(|| node.to_value()))
}

fn named(member: &crate::sandbox::json::Member, wanted: &str) -> Parsed<()> {
    if member.name == wanted {
        return Ok(());
    }
    let reason = format!(
        "[{}] failed to parse privilege. expected field name [{wanted}] but found [{}] instead",
        member.at, member.name
    );
    fault(member.at, EsError::new(400, "x_content_parse_exception", reason))
}

fn managed_indices(element: &Node) -> Parsed<()> {
    let list = |name: &str| element.get(name).and_then(Node::elements).unwrap_or_default();
    if list("names").is_empty() {
        let reason = "Indices privileges must refer to at least one index name or index name pattern";
        return fault(element.end, EsError::illegal(reason));
    }
    match list("privileges").iter().filter_map(Node::text).find_map(index_problem) {
        Some(problem) => fault(element.end, EsError::illegal(problem)),
        None => Ok(()),
    }
}
