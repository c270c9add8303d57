//! Search requests: parsing of body and parameters of `_search` and `_count`.

use super::{
    aggregations,
    search_query::{check_spoken, parameter_query, read_query},
};
use crate::sandbox::{
    http::{
        error::{EsError, NOT_DONE, Outcome},
        request::Request,
    },
    json::{Kind, Node, Position},
    query::{parse, tree::Query},
};
use serde_json::Value;

/// Parsed search request.
#[derive(Debug)]
pub struct Asked {
    /// Query that selects the documents.
    pub query: Query,
    /// Number of hits to skip.
    pub from: i64,
    /// Maximum number of hits to return.
    pub size: i64,
    /// Fields to sort by; `true` for descending order.
    pub sort: Vec<(String, bool)>,
    /// Sort values (`search_after`) after which the hits begin.
    pub after: Option<Vec<Value>>,
    /// Filter for the parts of a document to return (`_source`); everything if `None`.
    pub source: Option<Value>,
    /// `true` if hits show their version.
    pub version: bool,
    /// `true` if hits show their sequence number.
    pub seq_no: bool,
    /// `true` if scores are shown even when hits are sorted.
    pub scores: bool,
    /// Requested aggregations.
    pub aggs: Vec<aggregations::Agg>,
}

fn parsing(at: Position, reason: String) -> Box<EsError> {
    EsError::new(400, "parsing_exception", reason).with("line", at.line).with("col", at.column)
}

fn number(node: &Node, field: &str) -> Outcome<i64> {
    let text = node.scalar().unwrap_or_default();
    text.parse().map_err(|_| parsing(node.at, format!("Unknown key for a {} in [{field}].", node.token())))
}

/// Parses a search request.
///
/// # Errors
/// With the messages of 9.5.3, or with own messages for what the practice cluster does not support.
pub fn read(request: &Request) -> Outcome<Asked> {
    let params = &request.params;
    let mut asked = Asked {
        query: Query::All,
        from: 0,
        size: 10,
        sort: Vec::new(),
        after: None,
        source: None,
        version: params.flag("version", false)?,
        seq_no: params.flag("seq_no_primary_term", false)?,
        scores: params.flag("track_scores", false)?,
        aggs: Vec::new(),
    };
    if !request.body.is_empty() {
        let body = request.json()?;
        let Some(members) = body.members() else {
            return Err(parsing(body.at, format!("Expected [START_OBJECT] but found [{}]", body.token())));
        };
        for member in members {
            let value = &member.value;
            match member.name.as_str() {
                "query" if value.members().is_some() => asked.query = read_query(value)?,
                "from" => asked.from = number(value, "from")?,
                "size" => asked.size = number(value, "size")?,
                "sort" => asked.sort = read_sort(value)?,
                "search_after" => {
                    asked.after = Some(value.elements().unwrap_or_default().iter().map(Node::to_value).collect());
                }
                "_source" => asked.source = Some(value.to_value()),
                "version" => asked.version = value.scalar().as_deref() == Some("true"),
                "seq_no_primary_term" => asked.seq_no = value.scalar().as_deref() == Some("true"),
                "track_scores" => asked.scores = value.scalar().as_deref() == Some("true"),
                "track_total_hits" | "timeout" | "min_score" | "explain" | "stats" | "profile" | "terminate_after" => {}
                "aggs" | "aggregations" => asked.aggs = aggregations::parse(value)?,
                other => {
                    return Err(parsing(value.at, format!("Unknown key for a {} in [{other}].", value.token())));
                }
            }
        }
    }
    if let Some(text) = params.get("q") {
        asked.query = parameter_query(text, params)?;
    }
    asked.from = params.number("from")?.unwrap_or(asked.from);
    asked.size = params.number("size")?.unwrap_or(asked.size);
    if let Some(sort) = params.non_empty("sort") {
        asked.sort = sort
            .split(',')
            .map(|part| {
                let (field, order) = part.split_once(':').unwrap_or((part, "asc"));
                (field.to_owned(), order == "desc")
            })
            .collect();
    }
    if asked.size < 0 {
        return Err(EsError::illegal(format!("[size] parameter cannot be negative, found [{}]", asked.size)));
    }
    if asked.from < 0 {
        return Err(EsError::illegal(format!("[from] parameter cannot be negative but was [{}]", asked.from)));
    }
    Ok(asked)
}

fn read_sort(node: &Node) -> Outcome<Vec<(String, bool)>> {
    let entries = match &node.kind {
        Kind::Array(entries) => entries.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut sort = Vec::new();
    for entry in entries {
        match &entry.kind {
            Kind::Text(field) => sort.push((field.clone(), field == "_score")),
            Kind::Object(members) => {
                for member in members {
                    let order = member.value.text().or_else(|| member.value.get("order")?.text());
                    let descending = match order.map(str::to_lowercase).as_deref() {
                        None => member.name == "_score",
                        Some("asc") => false,
                        Some("desc") => true,
                        Some(other) => {
                            return Err(EsError::illegal(format!(
                                "No enum constant org.elasticsearch.search.sort.SortOrder.{}",
                                other.to_uppercase()
                            )));
                        }
                    };
                    sort.push((member.name.clone(), descending));
                }
            }
            _ => {
                return Err(EsError::illegal(
                    "malformed sort format, either start with array, object, or an actual string",
                ));
            }
        }
    }
    Ok(sort)
}

/// Parses the query of a `_count` request.
///
/// # Errors
/// Returns the errors of [`read`]; those without a message of the query parsers are `Failed to parse` (as seen on
/// 9.5.3).
pub fn read_count(request: &Request) -> Outcome<Query> {
    let mut query = Query::All;
    if !request.body.is_empty() {
        let body = request.json().map_err(|error| failed_to_parse(end(&request.body), error))?;
        let Some(members) = body.members() else {
            return Err(parsing(body.at, format!("Expected [START_OBJECT] but found [{}]", body.token())));
        };
        for member in members {
            if member.name != "query" {
                return Err(parsing(member.at, format!("request does not support [{}]", member.name)));
            }
            query = parse::parse(&member.value).map_err(|fault| failed_to_parse(fault.at, fault.error))?;
            check_spoken(&query)?;
        }
    }
    match request.params.get("q") {
        Some(text) => parameter_query(text, &request.params),
        None => Ok(query),
    }
}

/// Returns the position at the end of a text.
fn end(text: &[u8]) -> Position {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Position { line: count(1 + text.iter().filter(|byte| **byte == b'\n').count()), column: count(last.len()) }
}

fn failed_to_parse(at: Position, error: Box<EsError>) -> Box<EsError> {
    if matches!(error.kind, "parsing_exception" | NOT_DONE) {
        return error;
    }
    parsing(at, "Failed to parse".to_owned()).because(error)
}
