//! How rows of API keys are sorted and where a page begins: `sort`, `_sort` and `search_after` as 9.5.3 has them.

use super::cluster::StoredKey;
use super::dates;
use super::error::{EsError, Outcome, shard_failure};
use super::json::{Kind, Node};
use super::key_fields::{INDEX, bad_date};
use super::key_match::text_field;
use super::keys_create::unknown_field;
use super::query_match::Fields;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The name of the request's parser in refusals.
pub const PARSER: &str = "query_api_key_request_payload";

/// One sort criterion.
#[derive(Debug, Clone)]
pub struct Sort {
    /// The field, or `_doc`.
    pub field: String,
    descending: bool,
    missing: Missing,
    formatted: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Missing {
    Last,
    First,
    As(i64),
}

/// What a row sorts by; strings and numbers don't meet in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue<'a> {
    /// Dates, flags and the order of writing.
    Number(i64),
    /// Strings; nothing where the field is missing.
    Text(Option<Cow<'a, str>>),
}

impl Sort {
    fn by(field: &str) -> Sort {
        Sort { field: field.to_owned(), descending: false, missing: Missing::Last, formatted: false }
    }

    fn is_number(&self) -> bool {
        matches!(self.field.as_str(), "creation" | "expiration" | "invalidation" | "invalidated" | "_doc")
    }

    /// What a key sorts by.
    pub fn value<'a>(&self, key: &'a StoredKey) -> SortValue<'a> {
        let time = |at: Option<i64>| {
            SortValue::Number(at.unwrap_or(match (&self.missing, self.descending) {
                (Missing::As(value), _) => *value,
                (Missing::Last, false) | (Missing::First, true) => i64::MAX,
                (Missing::Last, true) | (Missing::First, false) => i64::MIN,
            }))
        };
        match self.field.as_str() {
            "_doc" => SortValue::Number(key.doc),
            "creation" => SortValue::Number(key.creation),
            "expiration" => time(key.expiration),
            "invalidation" => time(key.invalidation),
            "invalidated" => SortValue::Number(i64::from(key.invalidation.is_some())),
            field => {
                if let Some(look) = text_field(field) {
                    return SortValue::Text(Some(Cow::Borrowed(look(key))));
                }
                let values = key.values(field);
                let value = if self.descending { values.into_iter().max() } else { values.into_iter().min() };
                SortValue::Text(value.map(Cow::Owned))
            }
        }
    }

    /// Which of two comes first.
    pub fn compare(&self, a: &SortValue, b: &SortValue) -> Ordering {
        let order = match (a, b) {
            (SortValue::Number(a), SortValue::Number(b)) => a.cmp(b),
            (SortValue::Text(Some(a)), SortValue::Text(Some(b))) => a.cmp(b),
            // Whoever lacks the field comes last both ways, unless asked otherwise.
            (SortValue::Text(a), SortValue::Text(b)) => {
                let order = a.is_none().cmp(&b.is_none());
                return if self.missing == Missing::First { order.reverse() } else { order };
            }
            _ => Ordering::Equal,
        };
        if self.descending { order.reverse() } else { order }
    }

    /// The value as `_sort` shows it.
    pub fn show(&self, value: &SortValue) -> Value {
        match value {
            SortValue::Number(at) if self.formatted => json!(dates::to_iso(*at)),
            SortValue::Number(at) => json!(at),
            SortValue::Text(text) => json!(text),
        }
    }

    /// A value of `search_after`.
    ///
    /// # Errors
    /// When it is no date where one is needed.
    pub fn read(&self, node: &Node) -> Outcome<SortValue<'static>> {
        if !self.is_number() {
            return Ok(SortValue::Text(node.scalar().map(Cow::Owned)));
        }
        let text = match &node.kind {
            Kind::Bool(value) => i64::from(*value).to_string(),
            _ => node.scalar().unwrap_or_default(),
        };
        let parsed = text.parse().ok().or_else(|| self.formatted.then(|| dates::iso_date(&text)).flatten());
        parsed.map(SortValue::Number).ok_or_else(|| shard_failure(INDEX, bad_date(&text, "epoch_millis")))
    }
}

/// An error of the parser.
pub fn content(reason: String) -> Box<EsError> {
    EsError::new(400, "x_content_parse_exception", reason)
}

/// A field that could not be parsed, and why.
pub fn failed(at: impl std::fmt::Display, field: &str, cause: Box<EsError>) -> Box<EsError> {
    content(format!("[{at}] [{PARSER}] failed to parse field [{field}]")).because(cause)
}

/// A field whose value is of another type.
pub fn wrong_type(node: &Node, field: &str) -> Box<EsError> {
    content(format!("[{}] [{PARSER}] {field} doesn't support values of type: {}", node.at, node.token()))
}

/// Reads the `sort` of a request.
///
/// # Errors
/// In the words of 9.5.3.
pub fn read_sort(node: &Node) -> Outcome<Vec<Sort>> {
    match &node.kind {
        Kind::Array(entries) => entries.iter().map(sort_entry).collect(),
        Kind::Object(_) => Ok(vec![sort_entry(node)?]),
        _ => Err(wrong_type(node, "sort")),
    }
}

fn sort_entry(node: &Node) -> Outcome<Sort> {
    let members = match &node.kind {
        Kind::Text(field) => return Ok(Sort::by(field)),
        Kind::Object(members) => members,
        _ => return Err(failed(node.at, "sort", EsError::illegal("mal-formatted sort object"))),
    };
    let Some(first) = members.first() else {
        return Err(failed(node.end, "sort", EsError::illegal("mal-formatted sort object")));
    };
    let Some(options) = first.value.members() else {
        let value = &first.value;
        let cause = content(format!("[{}] [field_sort] Expected START_OBJECT but was: {}", value.at, value.token()));
        return Err(failed(value.at, "sort", cause));
    };
    if let Some(second) = members.get(1) {
        let reason = "Failed to parse object: expecting token of type [END_OBJECT] but found [FIELD_NAME]";
        let cause =
            EsError::new(400, "parsing_exception", reason).with("line", second.at.line).with("col", second.at.column);
        return Err(failed(second.at, "sort", cause));
    }
    let mut sort = Sort::by(&first.name);
    for option in options {
        let value = &option.value;
        match option.name.as_str() {
            "order" => {
                let Some(order) = value.text() else {
                    let reason =
                        format!("[{}] [field_sort] order doesn't support values of type: {}", value.at, value.token());
                    return Err(failed(value.at, "sort", content(reason)));
                };
                sort.descending = match order.to_lowercase().as_str() {
                    "asc" => false,
                    "desc" => true,
                    _ => {
                        let reason = format!(
                            "No enum constant org.elasticsearch.search.sort.SortOrder.{}",
                            order.to_uppercase()
                        );
                        let inner = content(format!("[{}] [field_sort] failed to parse field [order]", value.at));
                        return Err(failed(value.at, "sort", inner.because(EsError::illegal(reason))));
                    }
                };
            }
            "missing" => {
                sort.missing = match value.scalar().as_deref() {
                    Some("_first") => Missing::First,
                    Some(text) => text.parse().map_or(Missing::Last, Missing::As),
                    None => Missing::Last,
                };
            }
            "format" => sort.formatted = value.text().is_some_and(|format| !format.contains("epoch")),
            "mode" | "unmapped_type" | "nested" | "numeric_type" => {}
            other => {
                let known = ["order", "missing", "format", "mode", "unmapped_type", "numeric_type"];
                let inner = unknown_field(option.at, "field_sort", other, &known);
                return Err(failed(value.at, "sort", inner));
            }
        }
    }
    Ok(sort)
}
