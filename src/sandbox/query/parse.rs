//! Parser of the part of Elasticsearch's query language that the sandbox supports: from JSON to a tree, with
//! Elasticsearch's refusals. Knows no fields; matching is in `matching`.

use super::{
    leaves::{exists, full_text, ids, pattern, range, simple, term, terms},
    parts::{checked_boost, failed_field, flag, illegal, object_parser, parsing, wrong_type},
    tree::Query,
};
use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind, Node, Position,
        fault::{Fault, Parsed, unknown_field},
    },
};

/// Queries that Elasticsearch supports in addition to those of `Query`.
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

/// Returns the refusal of a query that Elasticsearch does not know.
pub fn unknown_query(name: &str, at: Position) -> Box<EsError> {
    let cause = EsError::new(400, "named_object_not_found_exception", format!("[{at}] unknown field [{name}]"));
    EsError::new(400, "parsing_exception", format!("unknown query [{name}]"))
        .with("line", at.line)
        .with("col", at.column)
        .because(cause)
}

/// Parses a query.
pub fn parse(node: &Node) -> Parsed<Query> {
    let members = match &node.kind {
        Kind::Object(members) => members,
        Kind::Array(_) => {
            let error = EsError::new(400, "illegal_state_exception", "expected value but got [START_ARRAY]");
            return Err(Fault { at: node.at, error });
        }
        _ => {
            // The reader has gone on to the next token by then.
            let next = Position { column: node.end.column.saturating_add(1), ..node.end };
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
        "match_all" | "match_none" => everything(name, node),
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

fn everything(name: &str, node: &Node) -> Parsed<Query> {
    for member in node.members().unwrap_or_default() {
        let refused = match member.name.as_str() {
            "boost" => checked_boost(name, member),
            "_name" if member.value.text().is_some() => Ok(()),
            "_name" => Err(wrong_type(name, member)),
            other => Err(Fault { at: member.at, error: unknown_field(member.at, name, other, &["boost", "_name"]) }),
        };
        refused.map_err(object_parser)?;
    }
    Ok(if name == "match_all" { Query::All } else { Query::Nothing })
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
    let mut adjusted = true;
    for member in node.members().unwrap_or_default() {
        let field = member.name.as_str();
        let list = match field {
            "must" => &mut must,
            "filter" => &mut filter,
            "should" => &mut should,
            "must_not" | "mustNot" => &mut must_not,
            "minimum_should_match" => {
                if member.value.members().is_some() || member.value.elements().is_some() {
                    return Err(wrong_type("bool", member));
                }
                minimum = member.value.scalar();
                continue;
            }
            "adjust_pure_negative" => {
                adjusted = flag(&member.value).map_err(|fault| failed_field("bool", member, fault.error))?;
                continue;
            }
            "boost" => {
                checked_boost("bool", member)?;
                continue;
            }
            "_name" if member.value.text().is_none() => return Err(wrong_type("bool", member)),
            other if known.contains(&other) => continue,
            other => {
                let error = unknown_field(member.at, "bool", other, &known);
                return Err(Fault { at: member.value.at, error });
            }
        };
        let clauses = match &member.value.kind {
            Kind::Array(clauses) => clauses.as_slice(),
            Kind::Object(_) => std::slice::from_ref(&member.value),
            Kind::Null => continue,
            _ => return Err(wrong_type("bool", member)),
        };
        for clause in clauses {
            list.push(parse(clause).map_err(|fault| {
                let reason = format!("[{}] [bool] failed to parse field [{field}]", fault.at);
                let error = EsError::new(400, "x_content_parse_exception", reason).because(fault.error);
                Fault { at: fault.at, error }
            })?);
        }
    }
    if !adjusted && !must_not.is_empty() && must.is_empty() && filter.is_empty() && should.is_empty() {
        // Without a clause that finds something there is nothing to take away from.
        must.push(Query::Ids(Vec::new()));
    }
    Ok(Query::Bool { must, filter, should, must_not, minimum })
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
