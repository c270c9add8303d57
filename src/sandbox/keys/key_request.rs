//! Common parts of requests to create and to update keys: rules and messages of 9.5.3.

use super::access::{self, Access};
use crate::sandbox::{
    http::error::{EsError, Outcome},
    json::{
        Kind, Node, Position, exact,
        fault::{Fault, content, unknown_field},
        object,
    },
    query::time_unit,
    security::{
        descriptor::{self, Descriptor},
        descriptor_parse::{self, Use},
    },
};
use serde_json::{Map, Value};

/// Request to create or update a key; fields that were not given are `None`.
#[derive(Debug, Default)]
pub struct CreateRequest {
    /// Ids of a bulk update; a single string counts as a list of one.
    pub ids: Option<Vec<String>>,
    /// Name of the key.
    pub name: Option<String>,
    /// Lifetime as a time value, not parsed yet.
    pub expiration: Option<String>,
    /// Complete metadata.
    pub metadata: Option<Map<String, Value>>,
    /// Access of a cross-cluster key.
    pub access: Option<Access>,
    /// Certificate identity of a cross-cluster key; `Some(None)`, given as `null`, removes it.
    pub certificate_identity: Option<Option<String>>,
    /// All role descriptors; an empty list means all privileges of the owner.
    pub descriptors: Option<Vec<(String, Descriptor)>>,
    /// Name of the last field and the position of its end, if all fields were given: errors found only then refer to
    /// it.
    pub last: Option<(Position, String)>,
}

/// Parses a body that may contain only the given fields.
pub fn read(node: &Node, parser: &str, fields: &[&str]) -> Outcome<CreateRequest> {
    let Some(members) = node.members() else {
        let token = node.token();
        return Err(content(format!("[{}] [{parser}] Expected START_OBJECT but was: {token}", node.at)));
    };
    let mut wanted = CreateRequest::default();
    if let Some(last) = members.last().filter(|_| members.len() == fields.len()) {
        wanted.last = Some((last.value.end, last.name.clone()));
    }
    for member in members {
        if !fields.contains(&member.name.as_str()) {
            return Err(unknown_field(member.at, parser, &member.name, fields));
        }
        let value = &member.value;
        let field = member.name.as_str();
        let wrong_type =
            || content(format!("[{}] [{parser}] {field} doesn't support values of type: {}", value.at, value.token()));
        match field {
            "ids" => wanted.ids = Some(ids(value, parser, wrong_type)?),
            "name" => wanted.name = Some(value.text().ok_or_else(wrong_type)?.to_owned()),
            "expiration" => wanted.expiration = Some(value.text().ok_or_else(wrong_type)?.to_owned()),
            "metadata" => wanted.metadata = Some(object(value.members().ok_or_else(wrong_type)?)),
            "access" => wanted.access = Some(access::access(value, parser, wrong_type)?),
            "certificate_identity" => {
                wanted.certificate_identity = Some(access::identity(value, parser, wrong_type)?);
            }
            _ => wanted.descriptors = Some(descriptors(value, parser, wrong_type)?),
        }
    }
    Ok(wanted)
}

fn ids(node: &Node, parser: &str, wrong_type: impl Fn() -> Box<EsError>) -> Outcome<Vec<String>> {
    let Kind::Array(elements) = &node.kind else {
        return node.text().map(|id| vec![id.to_owned()]).ok_or_else(wrong_type);
    };
    let text = |element: &Node| {
        element.scalar().ok_or_else(|| {
            let reason = format!("Expected text at {} but found {}", element.at, element.token());
            content(format!("[{}] [{parser}] failed to parse field [ids]", element.at))
                .because(EsError::illegal(reason))
        })
    };
    elements.iter().map(text).collect()
}

fn descriptors(node: &Node, parser: &str, wrong_type: impl Fn() -> Box<EsError>) -> Outcome<Vec<(String, Descriptor)>> {
    let field = "role_descriptors";
    let outer = |at| content(format!("[{at}] [{parser}] failed to parse field [{field}]"));
    let members = match &node.kind {
        Kind::Object(members) => members,
        Kind::Array(_) => {
            let reason = format!("[{field}] doesn't support arrays. Use a single object with multiple fields.");
            return Err(outer(node.at).because(EsError::illegal(reason)));
        }
        _ => return Err(wrong_type()),
    };
    let mut found = Vec::with_capacity(members.len());
    for member in members {
        let parsed = match descriptor::name_problem(&member.name) {
            Some(problem) => Err(Fault { at: member.value.at, error: EsError::plain_validation(problem) }),
            None => descriptor_parse::parse(&member.name, &member.value, Use::ApiKey),
        };
        let role = parsed.map_err(|fault| {
            let inner = content(format!("[{}] [{field}] failed to parse field [{}]", fault.at, member.name));
            outer(fault.at).because(inner.because(fault.error))
        })?;
        found.push((member.name.clone(), role));
    }
    Ok(found)
}

/// Returns the requested lifetime in milliseconds, `None` if not given.
pub fn expires_in(wanted: &CreateRequest, parser: &str) -> Outcome<Option<i64>> {
    let Some(text) = &wanted.expiration else { return Ok(None) };
    time_unit::parse(text, "expiration").map(Some).map_err(|error| {
        if error.status == 500 {
            return error;
        }
        let error = content(format!("Failed to build [{parser}] after last required field arrived")).because(error);
        match &wanted.last {
            Some((at, field)) => content(format!("[{at}] [{parser}] failed to parse field [{field}]")).because(error),
            None => error,
        }
    })
}

/// Returns the validation errors of a key's name.
pub fn name_problems(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.is_empty() {
        problems.push("api key name is required".to_owned());
        return problems;
    }
    if exact::utf16_len(name) > 256 {
        problems.push("api key name may not be more than 256 characters long".to_owned());
    }
    // Java's idea of whitespace here: everything up to the blank, control characters included.
    if name.starts_with(|c| c <= ' ') || name.ends_with(|c| c <= ' ') {
        problems.push("api key name may not begin or end with whitespace".to_owned());
    }
    if name.starts_with('_') {
        problems.push("api key name may not begin with an underscore".to_owned());
    }
    problems
}

/// Returns the validation errors of metadata and descriptors.
pub fn common_problems(wanted: &CreateRequest) -> Vec<String> {
    let mut problems = Vec::new();
    if wanted.metadata.as_ref().is_some_and(|map| map.keys().any(|key| key.starts_with('_'))) {
        problems.push("API key metadata keys may not start with [_]".to_owned());
    }
    problems.extend(wanted.descriptors.iter().flatten().flat_map(|(_, role)| role.problems()));
    problems
}

/// Refuses metadata that is too deep or has too large values, because metadata is indexed for search.
pub fn metadata_fits(metadata: &Map<String, Value>, id: &str) -> Outcome<()> {
    let refuse = |preview: String, reason: String| {
        let start =
            format!("[1:1] failed to parse field [metadata_flattened] of type [flattened] in document with id '{id}'.");
        Err(EsError::new(400, "document_parsing_exception", format!("{start} Preview of field's value: '{preview}'"))
            .because(EsError::illegal(reason)))
    };
    let mut open: Vec<(String, &Value, usize)> =
        metadata.iter().map(|(name, value)| (name.clone(), value, 1)).collect();
    while let Some((path, value, depth)) = open.pop() {
        match value {
            Value::Object(map) if depth >= 20 => {
                let reason =
                    "The provided [flattened] field [metadata_flattened] exceeds the maximum depth limit of [20].";
                return refuse(Value::Object(map.clone()).to_string(), reason.to_owned());
            }
            Value::Object(map) => {
                open.extend(map.iter().map(|(name, value)| (format!("{path}.{name}"), value, depth + 1)));
            }
            Value::Array(elements) => {
                open.extend(elements.iter().map(|element| (path.clone(), element, depth)));
            }
            Value::String(text) if path.len() + 1 + text.len() > 32_766 => {
                let reason = format!(
                    "Flattened field [metadata_flattened] contains one immense field whose keyed encoding is longer than the allowed max length of 32766 bytes. Key length: {}, value length: {} for key starting with [{path}]",
                    path.len(),
                    exact::utf16_len(text)
                );
                return refuse(text.clone(), reason);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a mix of descriptors with and without restriction.
pub fn mixed_restrictions(descriptors: &[(String, Descriptor)]) -> Outcome<()> {
    let restricted = descriptors.iter().filter(|(_, role)| role.workflows.is_some()).count();
    if restricted > 0 && restricted < descriptors.len() {
        return Err(EsError::illegal("combining role descriptors with and without restriction is not supported"));
    }
    if restricted > 1 {
        return Err(EsError::illegal("more than one role descriptor with restriction is not supported"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_follow_the_rules_of_the_server() {
        assert!(name_problems("a").is_empty());
        assert!(name_problems(&"é".repeat(256)).is_empty());
        assert!(name_problems(&"😀".repeat(129))[0].contains("256"));
        assert!(name_problems("_a")[0].ends_with("underscore"));
        assert!(name_problems("\u{1}")[0].ends_with("whitespace"));
        assert!(name_problems("\u{200f}abc").is_empty());
        assert_eq!(name_problems(""), ["api key name is required"]);
    }

    #[test]
    fn metadata_may_be_twenty_deep_and_no_deeper() {
        let mut value = json!(1);
        for _ in 0..19 {
            value = json!({ "a": value });
        }
        let Value::Object(fits) = json!({ "a": value.clone() }) else { unreachable!() };
        assert!(metadata_fits(&fits, "x").is_ok());
        let Value::Object(deep) = json!({ "a": { "a": value } }) else { unreachable!() };
        assert!(metadata_fits(&deep, "x").is_err());
        let Value::Object(long) = json!({ "a": "x".repeat(33_000) }) else { unreachable!() };
        assert!(metadata_fits(&long, "x").unwrap_err().cause.unwrap().reason.contains("value length: 33000"));
    }
}
