//! Access of other clusters by a cross-cluster key: parsed, checked, and as a role descriptor. Rules of 9.5.3.

use crate::sandbox::{
    http::error::{EsError, Outcome},
    json::{
        Kind, Node,
        fault::{Fault, content, unknown_field},
    },
    security::{
        descriptor::{Descriptor, IndexGrant},
        descriptor_parse,
    },
};
use serde_json::{Map, Value};

/// Access of other clusters by a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Access {
    search: Vec<IndexGrant>,
    replication: Vec<IndexGrant>,
}

/// Name of the only descriptor of a cross-cluster key.
pub const ROLE: &str = "cross_cluster";
const FIELDS: [&str; 2] = ["search", "replication"];

const SEARCH: [&str; 3] = ["read", "read_cross_cluster", "view_index_metadata"];

const REPLICATION: [&str; 2] = ["cross_cluster_replication", "cross_cluster_replication_internal"];

/// Parses the field `access`.
pub fn access(node: &Node, parser: &str, wrong_type: impl Fn() -> Box<EsError>) -> Outcome<Access> {
    let inner = "cross_cluster_api_key_request_access";
    let wrapped = |at, error| content(format!("[{at}] [{parser}] failed to parse field [access]")).because(error);
    let mut access = Access::default();
    for member in node.members().ok_or_else(wrong_type)? {
        let field = member.name.as_str();
        let (grants, implied): (&mut Vec<IndexGrant>, &[&str]) = match field {
            "search" => (&mut access.search, &SEARCH),
            "replication" => (&mut access.replication, &REPLICATION),
            _ => return Err(wrapped(member.value.at, unknown_field(member.at, inner, field, &FIELDS))),
        };
        let entries = match &member.value.kind {
            Kind::Array(entries) => entries.as_slice(),
            Kind::Object(_) => std::slice::from_ref(&member.value),
            _ => {
                let (at, token) = (member.value.at, member.value.token());
                let reason = format!("[{at}] [{inner}] {field} doesn't support values of type: {token}");
                return Err(wrapped(at, content(reason)));
            }
        };
        let read = entries.iter().map(|entry| descriptor_parse::grant(ROLE, entry, false, implied));
        *grants = read.collect::<Result<_, Fault>>().map_err(|fault| {
            let field = content(format!("[{}] [{inner}] failed to parse field [{field}]", fault.at));
            wrapped(fault.at, field.because(fault.error))
        })?;
    }
    Ok(access)
}

/// Parses the field `certificate_identity`: a pattern, or in updates `null` (returned as `None`) to remove it.
pub fn identity(node: &Node, parser: &str, wrong_type: impl Fn() -> Box<EsError>) -> Outcome<Option<String>> {
    if matches!(node.kind, Kind::Null) && parser.starts_with("update") {
        return Ok(None);
    }
    let text = node.text().ok_or_else(wrong_type)?;
    if compiles(text) {
        return Ok(Some(text.to_owned()));
    }
    let reason = format!("Invalid certificate_identity format: [{text}]. Must be a valid regex.");
    Err(content(format!("[{}] [{parser}] failed to parse field [certificate_identity]", node.at))
        .because(EsError::illegal(reason)))
}

/// Returns `true` if Java would accept the pattern, judged by its brackets, a trailing backslash and a leading
/// quantifier.
fn compiles(pattern: &str) -> bool {
    let (mut groups, mut in_class) = (0_u32, false);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' if rest.next().is_none() => return false,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => groups += 1,
            ')' if !in_class => match groups.checked_sub(1) {
                Some(left) => groups = left,
                None => return false,
            },
            _ => {}
        }
    }
    groups == 0 && !in_class && !pattern.starts_with(['*', '+', '?'])
}

impl Access {
    /// Refuses access to nothing, and limits to documents or fields where they are not supported.
    pub fn check(&self) -> Outcome<()> {
        let limits =
            |grants: &[IndexGrant]| grants.iter().any(|grant| grant.query.is_some() || grant.field_security.is_some());
        let refuse = |reason: &str| Err(EsError::illegal(reason));
        if self.search.is_empty() && self.replication.is_empty() {
            return refuse("must specify non-empty access for either [search] or [replication]");
        }
        if limits(&self.replication) {
            return refuse("replication does not support document or field level security");
        }
        if limits(&self.search) && !self.replication.is_empty() {
            return refuse("search does not support document or field level security if replication is assigned");
        }
        Ok(())
    }

    /// Returns the only descriptor of a key with this access.
    pub fn descriptor(&self) -> Descriptor {
        let mut cluster = Vec::new();
        if !self.search.is_empty() {
            cluster.extend(["cross_cluster_search", "monitor_enrich"]);
        }
        if !self.replication.is_empty() {
            cluster.push("cross_cluster_replication");
        }
        Descriptor {
            cluster: cluster.into_iter().map(str::to_owned).collect(),
            indices: self.search.iter().chain(&self.replication).cloned().collect(),
            ..Descriptor::default()
        }
    }

    /// Returns the access as answers show it, without the privileges, which are always the same.
    pub fn to_value(&self) -> Value {
        let mut whole = Map::new();
        for (name, grants) in FIELDS.into_iter().zip([&self.search, &self.replication]) {
            let entries = grants.iter().map(|grant| {
                let mut entry = grant.to_value();
                if let Value::Object(map) = &mut entry {
                    map.shift_remove("privileges");
                }
                entry
            });
            if !grants.is_empty() {
                whole.insert(name.to_owned(), entries.collect());
            }
        }
        Value::Object(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_judged_by_their_brackets() {
        for good in ["", "CN=remote-*,OU=x", "CN=(a|b)[)]", r"a\["] {
            assert!(compiles(good), "{good}");
        }
        for bad in ["[", "/[/", "(", ")", "*", "a\\"] {
            assert!(!compiles(bad), "{bad}");
        }
    }
}
