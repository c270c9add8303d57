//! Sorting of API keys and the beginning of a page: `sort`, `_sort` and `search_after` as on 9.5.3.

use super::{
    fields::{INDEX, bad_date, index_name},
    matching::text_field,
};
use crate::sandbox::{
    aggs::{DateFormat, Zone},
    http::error::{EsError, Outcome, shard_failure},
    json::{
        Kind, Node,
        fault::{content, unknown_field},
    },
    query::{dates, matching::Fields},
    state::key::StoredKey,
};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Name of the request's parser in refusals.
pub const PARSER: &str = "query_api_key_request_payload";

/// Sort criterion.
#[derive(Debug, Clone)]
pub struct Sort {
    /// Name of the field, or `_doc`.
    pub field: String,
    /// `true` if the option `nested` was given; keys have no nested documents.
    pub nested: bool,
    descending: bool,
    missing: Missing,
    mode: Option<Mode>,
    format: Option<String>,
    numeric: Option<Numeric>,
}

#[derive(Debug, Clone, PartialEq)]
enum Missing {
    Last,
    First,
    As(String),
}

/// Rule for the choice among several values of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Min,
    Max,
    /// Sum or mean, which only apply to numbers; a time or boolean has one value and is its own sum and mean.
    OfNumbers,
}

/// Numeric type in which numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Numeric {
    Long,
    Double,
    Nanos,
}

/// Sort value of a row; strings and numbers never occur in the same column.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue<'a> {
    /// Date, boolean, or number in the order of writing.
    Number(i64),
    /// String; `None` if the field is missing.
    Text(Option<Cow<'a, str>>),
}

impl Sort {
    fn by(field: &str) -> Sort {
        let field = field.to_owned();
        Sort {
            field,
            nested: false,
            descending: false,
            missing: Missing::Last,
            mode: None,
            format: None,
            numeric: None,
        }
    }

    fn is_number(&self) -> bool {
        self.is_date() || matches!(self.field.as_str(), "invalidated" | "_doc")
    }

    fn is_date(&self) -> bool {
        matches!(self.field.as_str(), "creation" | "expiration" | "invalidation")
    }

    /// Returns the sort value of a key.
    pub fn value<'a>(&self, key: &'a StoredKey) -> SortValue<'a> {
        let time = |at: Option<i64>| {
            SortValue::Number(at.unwrap_or(match (&self.missing, self.descending) {
                (Missing::As(value), _) => stand_in(value).unwrap_or(0),
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
                    return SortValue::Text(Some(look(key)));
                }
                let values = key.values(field);
                let largest = self.mode.map_or(self.descending, |mode| mode == Mode::Max);
                let value = if largest { values.into_iter().max() } else { values.into_iter().min() };
                let stand_in = match &self.missing {
                    Missing::As(text) => Some(text.clone()),
                    _ => None,
                };
                SortValue::Text(value.or(stand_in).map(Cow::Owned))
            }
        }
    }

    /// Compares two sort values in the order of this criterion.
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

    /// Returns the value as `_sort` shows it.
    pub fn show(&self, value: &SortValue) -> Value {
        match value {
            SortValue::Number(at) => self.show_number(*at),
            SortValue::Text(text) => json!(text),
        }
    }

    fn show_number(&self, at: i64) -> Value {
        let missing = matches!(at, i64::MIN | i64::MAX);
        if let Some(format) = &self.format {
            let format = DateFormat::parse(format).ok().filter(|_| !missing);
            return format.map_or(Value::Null, |format| format.write(at, &Zone::default()).into());
        }
        match self.numeric {
            Some(Numeric::Double) if missing => json!(if at < 0 { "-Infinity" } else { "Infinity" }),
            #[expect(clippy::cast_precision_loss, reason = "that is what was asked for")]
            Some(Numeric::Double) => json!(at as f64),
            Some(Numeric::Nanos) if self.is_date() => json!(at.saturating_mul(1_000_000)),
            _ => json!(at),
        }
    }

    /// Parses a value of `search_after`; `number` is its index.
    ///
    /// # Errors
    /// If the value is not a date although the field requires one.
    pub fn read(&self, node: &Node, number: usize) -> Outcome<SortValue<'static>> {
        if !self.is_number() {
            return Ok(SortValue::Text(node.scalar().map(Cow::Owned)));
        }
        let text = match &node.kind {
            Kind::Bool(value) => i64::from(*value).to_string(),
            Kind::Null => {
                let reason = format!(
                    "[search_after] value at position {number} cannot be null for sort field [{}] of type [{}].",
                    index_name(&self.field),
                    if self.numeric == Some(Numeric::Double) { "DOUBLE" } else { "LONG" }
                );
                return Err(shard_failure(INDEX, EsError::illegal(reason)));
            }
            _ => node.scalar().unwrap_or_default(),
        };
        if self.numeric == Some(Numeric::Double) {
            return double(&text).map(SortValue::Number).ok_or_else(|| {
                let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
                let reason = format!("Failed to parse search_after value for field [{}].", index_name(&self.field));
                shard_failure(INDEX, EsError::illegal(reason).because(cause))
            });
        }
        if self.field == "invalidated" {
            let flag = match text.as_str() {
                "true" | "1" => Some(1),
                "false" | "0" => Some(0),
                _ => None,
            };
            return flag.map(SortValue::Number).ok_or_else(|| {
                let reason = format!("Cannot parse boolean [{text}], expected either [true] or [false]");
                shard_failure(INDEX, EsError::illegal(reason))
            });
        }
        let shown_as_nanos = self.numeric == Some(Numeric::Nanos) && self.format.is_none();
        let parsed = match &self.format {
            Some(format) => dates::parse(&text, Some(format), 0, false).or_else(|| text.parse().ok()),
            None => double(&text),
        };
        let parsed =
            parsed.map(|at| if shown_as_nanos && at != i64::MAX && at != i64::MIN { at / 1_000_000 } else { at });
        let format = self.format.as_deref().unwrap_or("epoch_millis");
        parsed.map(SortValue::Number).ok_or_else(|| shard_failure(INDEX, bad_date(&text, format)))
    }

    /// Refuses a `missing` value that can't replace a missing value of the field: reported only when keys are compared,
    /// after all other errors (as seen on 9.5.3).
    ///
    /// # Errors
    /// Returns the error as a failure of the only shard.
    pub fn check_missing(&self) -> Outcome<()> {
        if let Missing::As(text) = &self.missing
            && self.is_number()
            && stand_in(text).is_none()
        {
            let reason = format!("For input string: \"{text}\"");
            return Err(shard_failure(INDEX, EsError::new(400, "number_format_exception", reason)));
        }
        Ok(())
    }

    /// Refuses options that do not fit the field's type.
    ///
    /// # Errors
    /// Returns the error as a failure of the only shard.
    pub fn check(&self) -> Outcome<()> {
        let type_name = match self.field.as_str() {
            "_doc" => return Ok(()),
            "creation" | "expiration" | "invalidation" => "date",
            "invalidated" => "boolean",
            "name" | "username" | "realm_name" | "type" => "keyword",
            _ => "flattened",
        };
        let refused = |reason: String| {
            let inner = EsError::new(400, "query_shard_exception", reason);
            Err(shard_failure(INDEX, inner.with("index_uuid", "_na_").with("index", INDEX)))
        };
        if !self.is_number() && self.mode == Some(Mode::OfNumbers) {
            return refused("we only support AVG, MEDIAN and SUM on number based fields".to_owned());
        }
        if !self.is_number() && self.numeric.is_some() {
            return refused(format!("[numeric_type] option cannot be set on a non-numeric field, got {type_name}"));
        }
        if self.field == "invalidated" && self.numeric == Some(Numeric::Nanos) {
            let reason = "trying to convert a known date time formatter to a nanosecond one, wrong field used?";
            return Err(shard_failure(INDEX, EsError::illegal(reason)));
        }
        let Some(format) = &self.format else { return Ok(()) };
        if !self.is_date() {
            let field = index_name(&self.field);
            let reason = format!("Field [{field}] of type [{type_name}] does not support custom formats");
            return Err(shard_failure(INDEX, EsError::illegal(reason)));
        }
        DateFormat::parse(format).map(|_| ()).map_err(|error| shard_failure(INDEX, error))
    }
}

/// Parses an integer, or a decimal number as rows sorted as doubles show it; fractions are cut off.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn double(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|value| value as i64))
}

/// Parses the substitute for a missing number; fractions are cut off.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn stand_in(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|value| value as i64))
}

/// Returns the error of a field that could not be parsed, with its cause.
pub fn failed(at: impl std::fmt::Display, field: &str, cause: Box<EsError>) -> Box<EsError> {
    content(format!("[{at}] [{PARSER}] failed to parse field [{field}]")).because(cause)
}

/// Returns the error of a field whose value has the wrong type.
pub fn wrong_type(node: &Node, field: &str) -> Box<EsError> {
    content(format!("[{}] [{PARSER}] {field} doesn't support values of type: {}", node.at, node.token()))
}

/// Parses the `sort` of a request.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
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
                sort.missing = match value.scalar() {
                    Some(text) if text == "_first" => Missing::First,
                    Some(text) if text != "_last" => Missing::As(text),
                    _ => Missing::Last,
                };
            }
            "nested" if value.members().is_some() => sort.nested = true,
            "format" | "mode" | "numeric_type" | "unmapped_type" if value.text().is_some() => {
                let text = value.text().unwrap_or_default();
                let problem = option_problem(&mut sort, &option.name, text);
                if let Some(reason) = problem {
                    let inner = content(format!("[{}] [field_sort] failed to parse field [{}]", value.at, option.name));
                    return Err(failed(value.at, "sort", inner.because(EsError::illegal(reason))));
                }
            }
            "nested" | "format" | "mode" | "numeric_type" | "unmapped_type" => {
                let reason = format!(
                    "[{}] [field_sort] {} doesn't support values of type: {}",
                    value.at,
                    option.name,
                    value.token()
                );
                return Err(failed(value.at, "sort", content(reason)));
            }
            other => {
                let known = ["order", "missing", "format", "mode", "unmapped_type", "numeric_type"];
                let inner = unknown_field(option.at, "field_sort", other, &known);
                return Err(failed(value.at, "sort", inner));
            }
        }
    }
    Ok(sort)
}

/// Sets an option with a text value; returns the error message if the value is invalid.
fn option_problem(sort: &mut Sort, name: &str, text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    match name {
        "format" => sort.format = Some(text.to_owned()),
        "mode" => {
            sort.mode = match lower.as_str() {
                "min" => Some(Mode::Min),
                "max" => Some(Mode::Max),
                "sum" | "avg" | "median" => Some(Mode::OfNumbers),
                _ => return Some(format!("Unknown SortMode [{text}]")),
            };
        }
        "numeric_type" => {
            sort.numeric = match lower.as_str() {
                "long" | "date" => Some(Numeric::Long),
                "double" => Some(Numeric::Double),
                "date_nanos" => Some(Numeric::Nanos),
                _ => {
                    let known = "must be [long, double, date, date_nanos]";
                    return Some(format!("invalid value for [numeric_type], {known}, got {text}"));
                }
            };
        }
        _ => {}
    }
    None
}
