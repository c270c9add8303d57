//! Parser of role descriptors, with Elasticsearch's refusals.

use super::{
    descriptor::{Descriptor, IndexGrant},
    descriptor_parts as parts,
    descriptor_parts::{entries, strings},
};
use crate::sandbox::{
    http::error::{EsError, Outcome},
    json::{
        self, Kind, Node, exact,
        fault::{Parsed, fault},
        object,
    },
    pattern::{self, MAX_PATTERN_LENGTH, MAX_PATTERN_NESTING, PatternError},
};

/// Use of a descriptor, which decides the allowed fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Role: may have a description, but no restriction.
    Role,
    /// Descriptor of an API key: may have a restriction, but no description.
    ApiKey,
}

/// Parses one descriptor; `name` is its name in refusals.
pub fn parse(name: &str, node: &Node, usage: Use) -> Parsed<Descriptor> {
    let Some(members) = node.members() else {
        let reason = format!("failed to parse role [{name}]. expected an object but found [{}] instead", node.token());
        return fault(node.at, EsError::parse(reason));
    };
    let mut descriptor = Descriptor::default();
    for member in members {
        let value = &member.value;
        match member.name.as_str() {
            "cluster" => descriptor.cluster = strings(name, "cluster", value)?,
            "run_as" => descriptor.run_as = strings(name, "run_as", value)?,
            "index" | "indices" => descriptor.indices = grants(name, &member.name, value, false)?,
            "remote_indices" => descriptor.remote_indices = grants(name, "remote_indices", value, true)?,
            "applications" => descriptor.applications = parts::applications(name, value)?,
            "remote_cluster" => descriptor.remote_cluster = parts::remote_cluster(name, value)?,
            "global" => descriptor.global = parts::global(value)?,
            "metadata" | "transient_metadata" if member.name == "metadata" || value.members().is_some() => {
                let Some(members) = value.members() else {
                    let reason = format!(
                        "expected field [{}] to be of type object, but found [{}] instead",
                        member.name,
                        value.token()
                    );
                    return fault(value.at, EsError::parse(reason));
                };
                if member.name == "metadata" {
                    descriptor.metadata = object(members);
                }
            }
            "restriction" if usage == Use::ApiKey => descriptor.workflows = parts::restriction(name, value)?,
            "description" if usage == Use::Role => match value.text() {
                Some(text) => descriptor.description = Some(text.to_owned()),
                None => {
                    let reason = format!("Expected text at {} but found {}", value.at, value.token());
                    return fault(value.at, EsError::illegal(reason));
                }
            },
            other => {
                let reason = format!("failed to parse role [{name}]. unexpected field [{other}]");
                return fault(value.at, EsError::parse(reason));
            }
        }
    }
    Ok(descriptor)
}

/// Parses the index grants of a descriptor.
pub fn grants(role: &str, field: &str, node: &Node, remote: bool) -> Parsed<Vec<IndexGrant>> {
    entries(role, "indices", field, node)?.iter().map(|element| grant(role, element, remote, &[])).collect()
}

/// Parses one index grant; if its privileges are implied, it must not list any.
pub fn grant(role: &str, node: &Node, remote: bool, implied: &[&str]) -> Parsed<IndexGrant> {
    let what = if remote { "remote indices" } else { "indices" };
    let head = format!("failed to parse {what} privileges for role [{role}].");
    let privileges = implied.iter().map(|name| (*name).to_owned()).collect();
    let mut grant = IndexGrant { privileges, ..IndexGrant::default() };
    let (mut has_names, mut has_privileges, mut has_clusters) = (false, !implied.is_empty(), false);
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        match member.name.as_str() {
            "names" => {
                has_names = true;
                grant.names = names(role, value, &head)?;
            }
            "privileges" if !implied.is_empty() => {
                return fault(value.at, EsError::parse(format!("{head} field [privileges] must not present")));
            }
            "privileges" => {
                has_privileges = !matches!(value.kind, Kind::Null);
                grant.privileges = strings(role, "privileges", value)?;
            }
            "field_security" => grant.field_security = Some(parts::field_security(role, value)?),
            "query" => grant.query = query(value, &head)?,
            "allow_restricted_indices" => {
                grant.allow_restricted = match value.kind {
                    Kind::Bool(allowed) => allowed,
                    _ => {
                        let reason = format!(
                            "{head} expected field [allow_restricted_indices] value to be a boolean, but found [{}] instead",
                            value.token()
                        );
                        return fault(value.at, EsError::parse(reason));
                    }
                };
            }
            "clusters" if remote => {
                has_clusters = true;
                grant.clusters = strings(role, "clusters", value)?;
            }
            other => return fault(value.at, EsError::parse(format!("{head} unexpected field [{other}]"))),
        }
    }
    let missing = [("names", has_names), ("privileges", has_privileges), ("clusters", has_clusters || !remote)];
    if let Some((field, _)) = missing.iter().find(|(_, present)| !present) {
        return fault(node.end, EsError::parse(format!("{head} missing required [{field}] field")));
    }
    if grant.privileges.is_empty() {
        return fault(node.end, EsError::illegal("indices privileges must define at least one privilege"));
    }
    Ok(grant)
}

/// Parses the index names of a grant; `head` begins its refusals.
fn names(role: &str, value: &Node, head: &str) -> Parsed<Vec<String>> {
    let names = match &value.kind {
        Kind::Text(name) => vec![name.clone()],
        Kind::Array(elements) if elements.is_empty() => {
            return fault(value.end, EsError::parse(format!("{head} [names] cannot be an empty array")));
        }
        Kind::Array(_) => strings(role, "names", value)?,
        _ => {
            let reason = format!(
                "{head} expected field [names] value to be a string or an array of strings, but found [{}] instead",
                value.token()
            );
            return fault(value.at, EsError::parse(reason));
        }
    };
    // What this cluster can't obey it does not keep; Elasticsearch takes such patterns.
    let problem = names.iter().find_map(|name| match pattern::problem(name) {
        Some(PatternError::TooLong) => Some(format!("patterns of more than {MAX_PATTERN_LENGTH} characters")),
        Some(PatternError::TooNested) => {
            Some(format!("patterns of more than {MAX_PATTERN_NESTING} quantifiers or parentheses on one another"))
        }
        _ => None,
    });
    if let Some(what) = problem {
        return fault(value.at, EsError::not_done(&what));
    }
    Ok(names)
}

/// Parses the query of a grant; `head` begins its refusals.
fn query(value: &Node, head: &str) -> Parsed<Option<String>> {
    Ok(match &value.kind {
        Kind::Null => None,
        Kind::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Kind::Number(_) | Kind::Bool(_) | Kind::Array(_) => {
            let reason = format!(
                "{head} expected field [query] value to be null, a string, an array, or an object, but found [{}] instead",
                value.token()
            );
            return fault(value.at, EsError::parse(reason));
        }
        Kind::Object(_) => Some(exact::written(value.to_source().to_string())),
    })
}

/// Parses a descriptor from JSON that is known to be valid, such as the seed's.
pub fn from_json(name: &str, text: &str) -> Outcome<Descriptor> {
    let node = json::parse(text.as_bytes())?;
    parse(name, &node, Use::Role).map_err(|fault| fault.error)
}

#[cfg(test)]
#[path = "descriptor_tests.rs"]
mod tests;
