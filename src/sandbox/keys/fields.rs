//! Fields of API keys in queries: names, types, and the refusals of all others, as seen on 9.5.3.

use crate::sandbox::{
    http::error::{EsError, Outcome, shard_failure},
    json::exact,
    query::{
        dates,
        matching::{FieldKind, Fields, simple_words},
        tree::{self, Query},
    },
    state::key::StoredKey,
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Index in which Elasticsearch keeps API keys; failures name it.
pub const INDEX: &str = ".security-7";

impl Fields for StoredKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self, field: &str) -> FieldKind {
        match field {
            "creation" | "expiration" | "invalidation" => FieldKind::Date,
            "invalidated" => FieldKind::Boolean,
            _ => FieldKind::Keyword,
        }
    }

    fn values(&self, field: &str) -> Vec<String> {
        let one = |value: &str| vec![value.to_owned()];
        let time = |at: Option<i64>| at.map(|at| at.to_string()).into_iter().collect();
        match field {
            "name" => vec![exact::plain(&self.name, '?').into_owned()],
            "username" => one(&self.username),
            "realm_name" => one(&self.realm.name),
            "type" => one(self.kind),
            "creation" => time(Some(self.creation)),
            "expiration" => time(self.expiration),
            "invalidation" => time(self.invalidation),
            "invalidated" => one(if self.invalidation.is_some() { "true" } else { "false" }),
            "metadata" => self.leaves(None),
            other => other.strip_prefix("metadata.").map(|path| self.leaves(Some(path))).unwrap_or_default(),
        }
    }

    fn default_fields(&self) -> Vec<String> {
        ["name", "username", "realm_name", "type", "metadata", "creation", "expiration", "invalidation", "invalidated"]
            .map(str::to_owned)
            .to_vec()
    }
}

impl StoredKey {
    fn leaves(&self, path: Option<&str>) -> Vec<String> {
        let mut found = Vec::new();
        leaves(&self.metadata, path, &mut |leaf| found.push(leaf.into_owned()));
        found
    }
}

/// Visits the leaves of metadata at a dotted path, or all leaves if `None`; names may contain dots themselves.
pub fn leaves<'k>(map: &'k Map<String, Value>, path: Option<&str>, visit: &mut dyn FnMut(Cow<'k, str>)) {
    let Some(path) = path else { return map.values().for_each(|value| all_leaves(value, visit)) };
    for (name, value) in map {
        if name == path {
            leaf(value, visit);
        } else if let Some(rest) = path.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            inside(value, rest, visit);
        }
    }
}

/// Visits a value, or the values of an array at any depth, but not values in objects.
fn leaf<'k>(value: &'k Value, visit: &mut dyn FnMut(Cow<'k, str>)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaf(element, visit)),
        Value::String(text) => visit(exact::plain(text, '\u{fffd}')),
        Value::Number(_) | Value::Bool(_) => visit(Cow::Owned(value.to_string())),
        _ => {}
    }
}

fn all_leaves<'k>(value: &'k Value, visit: &mut dyn FnMut(Cow<'k, str>)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| all_leaves(element, visit)),
        Value::Object(map) => map.values().for_each(|value| all_leaves(value, visit)),
        other => leaf(other, visit),
    }
}

fn inside<'k>(value: &'k Value, path: &str, visit: &mut dyn FnMut(Cow<'k, str>)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| inside(element, path, visit)),
        Value::Object(map) => leaves(map, Some(path), visit),
        _ => {}
    }
}

fn is_allowed(field: &str) -> bool {
    matches!(
        field,
        "name"
            | "username"
            | "realm_name"
            | "type"
            | "creation"
            | "expiration"
            | "invalidation"
            | "invalidated"
            | "metadata"
    ) || field.starts_with("metadata.") && !field.contains('*')
}

/// Refuses fields that are not allowed in queries of API keys.
///
/// # Errors
/// With the messages of 9.5.3, if something is not allowed.
pub fn check_field(field: &str) -> Outcome<()> {
    if is_allowed(field) {
        return Ok(());
    }
    let what = if field.contains('*') { "Field name pattern" } else { "Field" };
    Err(EsError::illegal(format!("{what} [{field}] is not allowed for querying or aggregation")))
}

/// Refuses queries and fields that are not allowed for API keys.
///
/// # Errors
/// With the messages of 9.5.3, if something is not allowed.
pub fn check_allowed(query: &Query) -> Outcome<()> {
    let unsupported =
        |name: &str| Err(EsError::illegal(format!("Query type [{name}] is not currently supported in this context")));
    match query {
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).try_for_each(check_allowed)
        }
        Query::Term(field, ..)
        | Query::Terms(field, _)
        | Query::Match(field, ..)
        | Query::Prefix(field, ..)
        | Query::Wildcard(field, ..)
        | Query::Exists(field)
        | Query::Failing(field, _) => check_field(field),
        Query::Range(_, range) if range.relation => {
            Err(EsError::illegal("range query with relation is not currently supported in this context"))
        }
        Query::Range(field, _) => check_field(field),
        Query::Lenient(query) => check_allowed(query),
        Query::All | Query::Ids(_) | Query::Simple(..) => Ok(()),
        Query::Nothing => unsupported("match_none"),
        Query::Foreign(name, _) => unsupported(name),
        Query::Lookup => {
            Err(EsError::illegal("terms query with terms lookup is not currently supported in this context"))
        }
    }
}

/// Returns the name of a field in the index, as refusals of aggregations show it.
pub fn index_name(field: &str) -> &str {
    match field {
        "username" => "creator.principal",
        "realm_name" => "creator.realm",
        "type" => "runtime_key_type",
        "metadata" => "metadata_flattened",
        path if path.starts_with("metadata.") => "metadata_flattened._keyed",
        "creation" => "creation_time",
        "expiration" => "expiration_time",
        "invalidation" => "invalidation_time",
        "invalidated" => "api_key_invalidated",
        other => other,
    }
}

/// Returns the refusal of a date that can't be parsed.
pub fn bad_date(text: &str, format: &str) -> Box<EsError> {
    let reason = format!("failed to parse date field [{text}] with format [{format}]");
    if text.is_empty() {
        return EsError::parse("cannot parse empty datetime");
    }
    let deep = EsError::new(400, "date_time_parse_exception", "Failed to parse with all enclosed parsers");
    EsError::parse(format!("{reason}: [{reason}]")).because(EsError::illegal(reason).because(deep))
}

fn no_query(reason: String, cause: Option<Box<EsError>>) -> Box<EsError> {
    let error = EsError::new(400, "query_shard_exception", reason).with("index_uuid", "_na_").with("index", INDEX);
    match cause {
        Some(cause) => error.because(cause),
        None => error,
    }
}

fn is_flag(value: &str) -> Outcome<()> {
    if matches!(value, "true" | "false") {
        return Ok(());
    }
    let reason = format!("Can't parse boolean value [{value}], expected [true] or [false]");
    let inner = no_query(format!("failed to create query: {reason}"), Some(EsError::illegal(reason)));
    Err(shard_failure(INDEX, inner))
}

/// Refuses a value that is invalid for its field.
fn one_fits(field: &str, value: &str, now: i64) -> Outcome<()> {
    match field {
        "invalidated" => is_flag(value),
        "creation" | "expiration" | "invalidation" if dates::parse(value, None, now, false).is_none() => {
            let cause = bad_date(value, "epoch_millis");
            let reason = format!("failed to create query: {}", cause.reason);
            Err(shard_failure(INDEX, no_query(reason, Some(cause))))
        }
        _ => Ok(()),
    }
}

/// Returns the refusal of a prefix or wildcard query on a field that is not text.
fn only_texts(query: &str, field: &str) -> Box<EsError> {
    let kind = if field == "invalidated" { "boolean" } else { "date" };
    let reason = format!(
        "Can only use {query} queries on keyword, text and wildcard fields - not on [{}] which is of type [{kind}]",
        index_name(field)
    );
    no_query(reason, None)
}

/// Refuses queries with errors that only appear when they meet the types of the fields.
///
/// # Errors
/// Returns the error as a failure of the only shard.
pub fn check_types(query: &Query, now: i64) -> Outcome<()> {
    let is_date = |field: &str| matches!(field, "creation" | "expiration" | "invalidation");
    match query {
        Query::Bool { must, filter, should, must_not, minimum } => {
            // In the order in which the server builds them.
            must.iter().chain(must_not).chain(should).chain(filter).try_for_each(|query| check_types(query, now))?;
            match minimum.as_deref().filter(|spec| tree::least(spec, should.len()).is_none()) {
                None => Ok(()),
                Some(spec) => {
                    let reason = format!("For input string: \"{spec}\"");
                    let cause = EsError::new(400, "number_format_exception", reason.clone());
                    Err(shard_failure(INDEX, no_query(format!("failed to create query: {reason}"), Some(cause))))
                }
            }
        }
        Query::Failing(_, error) => {
            Err(shard_failure(INDEX, error.clone().with("index_uuid", "_na_").with("index", INDEX)))
        }
        Query::Range(field, range) if is_date(field) => {
            for text in [&range.gt, &range.gte, &range.lt, &range.lte].into_iter().flatten() {
                if range.time(text, now, false).is_none() {
                    let format = range.format.as_deref().unwrap_or("epoch_millis");
                    return Err(shard_failure(INDEX, bad_date(text, format)));
                }
            }
            Ok(())
        }
        Query::Range(field, range) if field == "invalidated" => {
            [&range.gt, &range.gte, &range.lt, &range.lte].into_iter().flatten().try_for_each(|text| is_flag(text))
        }
        Query::Term(field, _, true) if is_date(field) => {
            let reason = format!(
                "[{}] field which is of type [date], does not support case insensitive term queries",
                index_name(field)
            );
            Err(shard_failure(INDEX, no_query(reason, None)))
        }
        Query::Term(field, value, _) | Query::Match(field, value, _) => one_fits(field, value, now),
        Query::Terms(field, values) => values.iter().try_for_each(|value| one_fits(field, value, now)),
        Query::Simple(text, ..) if text.trim() == "*" => Ok(()),
        Query::Simple(text, fields, _) => {
            let words = simple_words(text);
            fields.iter().filter(|field| is_date(field) || *field == "invalidated").try_for_each(|field| {
                words.iter().try_for_each(|word| match word.strip_suffix('*') {
                    Some(start) if !start.is_empty() => Err(shard_failure(INDEX, only_texts("prefix", field))),
                    _ => one_fits(field, word, now),
                })
            })
        }
        Query::Prefix(field, ..) | Query::Wildcard(field, ..) if is_date(field) || field == "invalidated" => {
            let name = if matches!(query, Query::Prefix(..)) { "prefix" } else { "wildcard" };
            Err(shard_failure(INDEX, only_texts(name, field)))
        }
        Query::Wildcard(field, ..) if field.starts_with("metadata.") => {
            let reason = "[wildcard] queries are not currently supported on keyed [flattened] fields.";
            let cause = EsError::new(400, "unsupported_operation_exception", reason);
            Err(shard_failure(INDEX, no_query(format!("failed to create query: {reason}"), Some(cause))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::json::Position;
    use serde_json::json;

    #[test]
    fn flattened_metadata_is_found_by_path_through_arrays_and_dotted_names() {
        let metadata = json!({"team": "pay", "n": 5, "o": {"x": "y"}, "t": ["a", {"z": true}], "a.b": 1});
        let found = |path: Option<&str>| {
            let mut found = Vec::new();
            leaves(metadata.as_object().unwrap(), path, &mut |leaf| found.push(leaf.into_owned()));
            found
        };
        assert_eq!(found(Some("team")), ["pay"]);
        assert_eq!(found(Some("n")), ["5"]);
        assert_eq!(found(Some("o.x")), ["y"]);
        assert_eq!(found(Some("t")), ["a"]);
        assert_eq!(found(Some("t.z")), ["true"]);
        assert_eq!(found(Some("a.b")), ["1"]);
        assert!(found(Some("o")).is_empty());
        assert_eq!(found(None), ["pay", "5", "y", "a", "true", "1"]);
    }

    #[test]
    fn fields_outside_the_list_are_refused() {
        assert!(check_field("metadata.team").is_ok());
        assert_eq!(
            check_field("role_descriptors").unwrap_err().reason,
            "Field [role_descriptors] is not allowed for querying or aggregation"
        );
        assert!(check_field("creat*").unwrap_err().reason.starts_with("Field name pattern [creat*]"));
        assert_eq!(
            check_allowed(&Query::Foreign("regexp".into(), Position { line: 1, column: 1 })).unwrap_err().reason,
            "Query type [regexp] is not currently supported in this context"
        );
    }
}
