//! Creation of API keys, and common parts of requests to create and to update keys: rules and messages of 9.5.3.

use super::cross_cluster::{self, Access};
use crate::sandbox::{
    cluster::{Cluster, Hash, Realm, StoredKey, fresh_id, fresh_secret},
    http::{
        error::{EsError, Outcome},
        reply::Reply,
        router::Context,
    },
    json::{Kind, Node, Position, exact, object},
    privileges::KEY_CREATE,
    query::time_unit,
    security::{
        authz::Caller,
        descriptor::{self, Descriptor, Fault, Use},
    },
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

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

/// Returns the refusal of a malformed request.
pub fn content(reason: String) -> Box<EsError> {
    EsError::new(400, "x_content_parse_exception", reason)
}

/// Returns the refusal of an unknown field, with a "did you mean" hint for similar names.
pub fn unknown_field(at: impl std::fmt::Display, parser: &str, name: &str, known: &[&str]) -> Box<EsError> {
    content(format!("[{at}] [{parser}] unknown field [{name}]{}", similar(name, known)))
}

/// Returns the "did you mean" hint; empty if no name is similar.
pub fn similar(name: &str, known: &[&str]) -> String {
    let likeness = |candidate: &str| strsim::normalized_levenshtein(name, candidate);
    let mut close: Vec<&str> = known.iter().copied().filter(|candidate| likeness(candidate) > 0.5).collect();
    close.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
    match close.as_slice() {
        [] => String::new(),
        [one] => format!(" did you mean [{one}]?"),
        several => format!(" did you mean any of [{}]?", several.join(", ")),
    }
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
            "access" => wanted.access = Some(cross_cluster::access(value, parser, wrong_type)?),
            "certificate_identity" => {
                wanted.certificate_identity = Some(cross_cluster::identity(value, parser, wrong_type)?);
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
            None => descriptor::parse(&member.name, &member.value, Use::ApiKey),
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

/// Returns the owner's snapshot of a key that the caller creates; a key created by a key gets an empty one.
pub fn snapshot(caller: &Caller) -> Vec<(String, Descriptor)> {
    match &caller.key {
        Some(_) => Vec::new(),
        None => caller.layers.first().cloned().unwrap_or_default(),
    }
}

/// `POST|PUT /_security/api_key`
pub fn create(context: &mut Context) -> Outcome<Reply> {
    refresh_parameter(context)?;
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
        StoredKey { limited_by, assigned: assigned.into(), ..blank(caller, name, (lifetime, now), wanted.metadata)? };
    add(context.cluster, key)
}

/// Returns a new key of the caller with a fresh id, no privileges, and the hash of an unknown secret.
pub fn blank(
    caller: &Caller,
    name: String,
    (lifetime, now): (Option<i64>, i64),
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

/// Checks the parameter `refresh`, which has no effect because every write is visible immediately.
pub fn refresh_parameter(context: &Context) -> Outcome<()> {
    match context.request.params.get("refresh") {
        None | Some("" | "true" | "false" | "wait_for") => Ok(()),
        Some(other) => Err(EsError::illegal(format!("Unknown value for refresh: [{other}]."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn nearly_right_fields_are_suggested() {
        let error = unknown_field("1:2", "api_key_request", "nam", &["name", "expiration"]);
        assert_eq!(error.reason, "[1:2] [api_key_request] unknown field [nam] did you mean [name]?");
        let error = unknown_field("1:2", "p", "foo", &["name"]);
        assert_eq!(error.reason, "[1:2] [p] unknown field [foo]");
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
