//! Elasticsearch's query language as far as the sandbox speaks it: from JSON to a tree, with its refusals.
//! Knows no fields; matching is `query_match`'s.

use super::descriptor::Fault;
use super::error::EsError;
use super::json::{Kind, Member, Node, Place};
use super::keys_create::unknown_field;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// `match_all`
    All,
    /// `match_none`
    Nothing,
    /// `bool`
    Bool {
        /// All must match.
        must: Vec<Query>,
        /// All must match.
        filter: Vec<Query>,
        /// So many of them must match.
        should: Vec<Query>,
        /// None may match.
        must_not: Vec<Query>,
        /// `minimum_should_match`, when given.
        minimum: Option<i64>,
    },
    /// `term`: the field holds exactly this, maybe whatever its case.
    Term(String, String, bool),
    /// `terms`
    Terms(String, Vec<String>),
    /// `match`: any (or, with the flag, every) word.
    Match(String, String, bool),
    /// `ids`
    Ids(Vec<String>),
    /// `prefix`
    Prefix(String, String, bool),
    /// `wildcard`
    Wildcard(String, String, bool),
    /// `exists`
    Exists(String),
    /// `range`
    Range(String, Range),
    /// `simple_query_string`: text, fields, whether every word must match.
    Simple(String, Vec<String>, bool),
    /// A query that Elasticsearch knows and the sandbox doesn't, and where it stood.
    Foreign(String, Place),
    /// `terms` with its values in another document, which no context here allows.
    Lookup,
}

/// Bounds as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Range {
    /// Greater than.
    pub gt: Option<String>,
    /// At least.
    pub gte: Option<String>,
    /// Less than.
    pub lt: Option<String>,
    /// At most.
    pub lte: Option<String>,
    /// The format of dates.
    pub format: Option<String>,
}

type Parsed<T> = Result<T, Fault>;

/// Queries that Elasticsearch knows besides those of `Query`.
const FOREIGN: &[&str] = &[
    "boosting",
    "combined_fields",
    "common",
    "constant_score",
    "dis_max",
    "distance_feature",
    "function_score",
    "fuzzy",
    "geo_bounding_box",
    "geo_distance",
    "geo_polygon",
    "geo_shape",
    "has_child",
    "has_parent",
    "intervals",
    "knn",
    "match_bool_prefix",
    "match_phrase",
    "match_phrase_prefix",
    "more_like_this",
    "multi_match",
    "nested",
    "parent_id",
    "percolate",
    "pinned",
    "query_string",
    "rank_feature",
    "regexp",
    "rule",
    "script",
    "script_score",
    "semantic",
    "shape",
    "span_containing",
    "span_first",
    "span_multi",
    "span_near",
    "span_not",
    "span_or",
    "span_term",
    "span_within",
    "sparse_vector",
    "terms_set",
    "text_expansion",
    "weighted_tokens",
    "wrapper",
];

fn parsing<T>(at: Place, reason: String) -> Parsed<T> {
    let error = EsError::new(400, "parsing_exception", reason).with("line", at.line).with("col", at.column);
    Err(Fault { at, error })
}

fn illegal<T>(at: Place, reason: &str) -> Parsed<T> {
    Err(Fault { at, error: EsError::illegal(reason) })
}

/// The refusal of a query that nobody knows.
pub fn unknown_query(name: &str, at: Place) -> Box<EsError> {
    let cause = EsError::new(400, "named_object_not_found_exception", format!("[{at}] unknown field [{name}]"));
    EsError::new(400, "parsing_exception", format!("unknown query [{name}]"))
        .with("line", at.line)
        .with("col", at.column)
        .because(cause)
}

/// Reads a query.
pub fn parse(node: &Node) -> Parsed<Query> {
    let members = match &node.kind {
        Kind::Object(members) => members,
        Kind::Array(_) => {
            let error = EsError::new(400, "illegal_state_exception", "expected value but got [START_ARRAY]");
            return Err(Fault { at: node.at, error });
        }
        _ => {
            // The reader has gone on to the next token by then.
            let next = Place { column: node.end.column.saturating_add(1), ..node.end };
            return parsing(next, "[_na] query malformed, must start with start_object".into());
        }
    };
    let Some(first) = members.first() else {
        return illegal(node.end, &format!("query malformed, empty clause found at [{}]", node.end));
    };
    let name = first.name.as_str();
    let supported = [
        "match_all",
        "match_none",
        "bool",
        "term",
        "terms",
        "match",
        "ids",
        "prefix",
        "wildcard",
        "exists",
        "range",
        "simple_query_string",
    ];
    if !supported.contains(&name) && !FOREIGN.contains(&name) {
        return Err(Fault { at: first.value.at, error: unknown_query(name, first.value.at) });
    }
    if first.value.members().is_none() {
        return parsing(first.value.at, format!("[{name}] query malformed, no start_object after query name"));
    }
    let query = body(name, &first.value)?;
    if let Some(second) = members.get(1) {
        let reason = format!("[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]");
        return parsing(second.at, reason);
    }
    Ok(query)
}

fn body(name: &str, node: &Node) -> Parsed<Query> {
    match name {
        "match_all" => Ok(Query::All),
        "match_none" => Ok(Query::Nothing),
        "bool" => boolean(node),
        "term" => term(node),
        "prefix" | "wildcard" => pattern(name, node),
        "match" => full_text(node),
        "terms" => terms(node),
        "ids" => ids(node),
        "exists" => exists(node),
        "range" => range(node),
        "simple_query_string" => simple(node),
        other => Ok(Query::Foreign(other.to_owned(), node.at)),
    }
}

fn boolean(node: &Node) -> Parsed<Query> {
    let known = [
        "must",
        "must_not",
        "mustNot",
        "should",
        "filter",
        "minimum_should_match",
        "adjust_pure_negative",
        "boost",
        "_name",
    ];
    let (mut must, mut filter, mut should, mut must_not, mut minimum) = (vec![], vec![], vec![], vec![], None);
    for member in node.members().unwrap_or_default() {
        let field = member.name.as_str();
        let list = match field {
            "must" => &mut must,
            "filter" => &mut filter,
            "should" => &mut should,
            "must_not" | "mustNot" => &mut must_not,
            "minimum_should_match" => {
                minimum = member.value.scalar().and_then(|text| text.parse().ok());
                continue;
            }
            other if known.contains(&other) => continue,
            other => {
                let error = unknown_field(member.at, "bool", other, &known);
                return Err(Fault { at: member.value.at, error });
            }
        };
        let clauses = match &member.value.kind {
            Kind::Array(clauses) => clauses.as_slice(),
            _ => std::slice::from_ref(&member.value),
        };
        for clause in clauses {
            list.push(parse(clause).map_err(|fault| {
                let reason = format!("[{}] [bool] failed to parse field [{field}]", fault.at);
                let error = EsError::new(400, "x_content_parse_exception", reason).because(fault.error);
                Fault { at: fault.at, error }
            })?);
        }
    }
    Ok(Query::Bool { must, filter, should, must_not, minimum })
}

/// The one field of a query such as `{"name": …}`; `boost` and `_name` may stand beside it.
fn one_field<'a>(query: &str, node: &'a Node) -> Parsed<&'a Member> {
    let members = node.members().unwrap_or_default();
    let mut fields = members.iter().filter(|member| !matches!(member.name.as_str(), "boost" | "_name"));
    let Some(first) = fields.next() else {
        return illegal(node.end, "field name is null or empty");
    };
    if let Some(second) = fields.next() {
        let reason =
            format!("[{query}] query doesn't support multiple fields, found [{}] and [{}]", first.name, second.name);
        return parsing(second.value.at, reason);
    }
    Ok(first)
}

fn term(node: &Node) -> Parsed<Query> {
    let field = one_field("term", node)?;
    match &field.value.kind {
        Kind::Array(_) => parsing(field.value.at, "[term] query does not support array of values".into()),
        Kind::Null => illegal(node.end, "field name is null or empty"),
        Kind::Object(members) => {
            let (mut value, mut fold) = (None, false);
            for member in members {
                match member.name.as_str() {
                    "value" | "term" => value = member.value.scalar(),
                    "case_insensitive" => fold = is_true(&member.value),
                    "boost" | "_name" => {}
                    other => return parsing(member.value.at, format!("[term] query does not support [{other}]")),
                }
            }
            match value {
                Some(value) => Ok(Query::Term(field.name.clone(), value, fold)),
                None => illegal(node.end, "value cannot be null"),
            }
        }
        _ => Ok(Query::Term(field.name.clone(), field.value.scalar().unwrap_or_default(), false)),
    }
}

fn pattern(query: &str, node: &Node) -> Parsed<Query> {
    let field = one_field(query, node)?;
    let (mut value, mut fold) = (field.value.scalar(), false);
    for member in field.value.members().unwrap_or_default() {
        match member.name.as_str() {
            "value" | "wildcard" | "prefix" => value = member.value.scalar(),
            "case_insensitive" => fold = is_true(&member.value),
            "boost" | "_name" | "rewrite" => {}
            other => return parsing(member.value.at, format!("[{query}] query does not support [{other}]")),
        }
    }
    match value {
        Some(value) if query == "prefix" => Ok(Query::Prefix(field.name.clone(), value, fold)),
        Some(value) => Ok(Query::Wildcard(field.name.clone(), value, fold)),
        None => illegal(node.end, "value cannot be null"),
    }
}

fn full_text(node: &Node) -> Parsed<Query> {
    let field = one_field("match", node)?;
    let (mut text, mut every) = (field.value.scalar(), false);
    for member in field.value.members().unwrap_or_default() {
        match member.name.as_str() {
            "query" => text = member.value.scalar(),
            "operator" => every = member.value.text().is_some_and(|text| text.eq_ignore_ascii_case("and")),
            "analyzer"
            | "auto_generate_synonyms_phrase_query"
            | "boost"
            | "_name"
            | "fuzziness"
            | "fuzzy_rewrite"
            | "fuzzy_transpositions"
            | "lenient"
            | "max_expansions"
            | "minimum_should_match"
            | "prefix_length"
            | "zero_terms_query" => {}
            other => return parsing(member.value.at, format!("[match] query does not support [{other}]")),
        }
    }
    match text {
        Some(text) => Ok(Query::Match(field.name.clone(), text, every)),
        None => illegal(node.end, "No text specified for text query"),
    }
}

fn terms(node: &Node) -> Parsed<Query> {
    let mut found: Option<(&str, &Node)> = None;
    for member in node.members().unwrap_or_default() {
        match (&member.value.kind, member.name.as_str()) {
            (_, "boost" | "_name") => {}
            (Kind::Array(_) | Kind::Object(_), name) => {
                if found.is_some() {
                    return parsing(member.value.at, "[terms] query does not support multiple fields".into());
                }
                found = Some((name, &member.value));
            }
            (_, other) => return parsing(member.value.at, format!("[terms] query does not support [{other}]")),
        }
    }
    match found {
        None => parsing(
            node.end,
            "[terms] query requires a field name, followed by array of terms or a document lookup specification".into(),
        ),
        Some((_, Node { kind: Kind::Object(_), .. })) => Ok(Query::Lookup),
        Some((name, value)) => {
            let values = value.elements().unwrap_or_default().iter().filter_map(Node::scalar).collect();
            Ok(Query::Terms(name.to_owned(), values))
        }
    }
}

fn ids(node: &Node) -> Parsed<Query> {
    let mut wanted = Vec::new();
    for member in node.members().unwrap_or_default() {
        match member.name.as_str() {
            "values" => {
                wanted = match &member.value.kind {
                    Kind::Array(values) => values.iter().filter_map(Node::scalar).collect(),
                    _ => member.value.scalar().into_iter().collect(),
                };
            }
            "boost" | "_name" => {}
            other => {
                let error = unknown_field(member.at, "ids", other, &["values", "boost", "_name"]);
                return Err(Fault { at: member.value.at, error });
            }
        }
    }
    Ok(Query::Ids(wanted))
}

fn exists(node: &Node) -> Parsed<Query> {
    let mut field = None;
    for member in node.members().unwrap_or_default() {
        match member.name.as_str() {
            "field" => field = member.value.text().map(str::to_owned),
            "boost" | "_name" => {}
            other => return parsing(member.value.at, format!("[exists] query does not support [{other}]")),
        }
    }
    match field {
        Some(field) => Ok(Query::Exists(field)),
        None => parsing(node.end, "[exists] must be provided with a [field]".into()),
    }
}

fn range(node: &Node) -> Parsed<Query> {
    let field = one_field("range", node)?;
    let Some(members) = field.value.members() else {
        return parsing(field.value.at, format!("[range] query does not support [{}]", field.name));
    };
    let mut range = Range::default();
    for member in members {
        let value = member.value.scalar();
        match member.name.as_str() {
            "gt" => range.gt = value,
            "gte" => range.gte = value,
            "lt" => range.lt = value,
            "lte" => range.lte = value,
            "format" => range.format = value,
            "boost" | "_name" | "time_zone" | "relation" => {}
            other => return parsing(member.value.at, format!("[range] query does not support [{other}]")),
        }
    }
    Ok(Query::Range(field.name.clone(), range))
}

fn simple(node: &Node) -> Parsed<Query> {
    let (mut text, mut fields, mut every) = (None, Vec::new(), false);
    for member in node.members().unwrap_or_default() {
        match member.name.as_str() {
            "query" => text = member.value.scalar(),
            "fields" => {
                let names = member.value.elements().unwrap_or_default().iter().filter_map(Node::scalar);
                // `name^2` weighs a field, which changes no match.
                fields = names.map(|name| name.split('^').next().unwrap_or_default().to_owned()).collect();
            }
            "default_operator" => every = member.value.text().is_some_and(|text| text.eq_ignore_ascii_case("and")),
            "analyzer"
            | "analyze_wildcard"
            | "auto_generate_synonyms_phrase_query"
            | "boost"
            | "_name"
            | "flags"
            | "fuzzy_max_expansions"
            | "fuzzy_prefix_length"
            | "fuzzy_transpositions"
            | "lenient"
            | "minimum_should_match"
            | "quote_field_suffix" => {}
            other => {
                return parsing(member.value.at, format!("[simple_query_string] unsupported field [{other}]"));
            }
        }
    }
    match text {
        Some(text) => Ok(Query::Simple(text, fields, every)),
        None => parsing(node.end, "[simple_query_string] query text missing".into()),
    }
}

fn is_true(node: &Node) -> bool {
    node.scalar().as_deref() == Some("true")
}

#[cfg(test)]
#[path = "query_dsl_tests.rs"]
mod tests;
