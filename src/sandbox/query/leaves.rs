//! Parsers of the queries that contain no other queries: `term`, `terms`, `prefix`, `wildcard`, `match`, `ids`,
//! `exists`, `range` and `simple_query_string`, with their refusals as seen on 9.5.3.

use super::{
    parts::{
        checked_boost, common, flag, illegal, not_done, object_parser, one_field, parsing, text_or_null, wrong_type,
    },
    tree::{Query, Range},
};
use crate::sandbox::{
    aggs::{DateFormat, Zone},
    http::error::EsError,
    json::{
        Kind, Node,
        fault::{Fault, Parsed, unknown_field},
    },
};

/// Parses a `term` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn term(node: &Node) -> Parsed<Query> {
    let field = one_field("term", node)?;
    match &field.value.kind {
        Kind::Array(_) => parsing(field.value.at, "[term] query does not support array of values".into()),
        Kind::Null => illegal(node.end, "field name is null or empty"),
        Kind::Object(members) => {
            let (mut value, mut fold) = (None, false);
            for member in members {
                match member.name.as_str() {
                    "value" | "term" => value = member.value.scalar(),
                    "case_insensitive" => fold = flag(&member.value)?,
                    "boost" | "_name" => common("term", member)?,
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

fn is_rewrite(name: &str) -> bool {
    let counted = ["top_terms_blended_freqs_", "top_terms_boost_", "top_terms_"];
    matches!(name, "constant_score" | "constant_score_boolean" | "constant_score_blended" | "scoring_boolean")
        || counted.iter().any(|start| name.strip_prefix(start).is_some_and(|count| count.parse::<u32>().is_ok()))
}

/// Parses a `prefix` or a `wildcard` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn pattern(query: &str, node: &Node) -> Parsed<Query> {
    let field = one_field(query, node)?;
    let (mut value, mut fold, mut rewrite) = (None, false, None);
    match field.value.members() {
        None => value = text_or_null(&field.value)?,
        Some(members) => {
            for member in members {
                match member.name.as_str() {
                    "value" | "wildcard" | "prefix" => value = text_or_null(&member.value)?,
                    "case_insensitive" => fold = flag(&member.value)?,
                    "boost" | "_name" => common(query, member)?,
                    "rewrite" => rewrite = text_or_null(&member.value)?,
                    other => return parsing(member.value.at, format!("[{query}] query does not support [{other}]")),
                }
            }
        }
    }
    let Some(value) = value else { return illegal(node.end, "value cannot be null") };
    if let Some(name) = rewrite.filter(|name| !is_rewrite(name)) {
        let reason = format!("Failed to parse rewrite_method [{name}]");
        let inner = EsError::new(400, "query_shard_exception", format!("failed to create query: {reason}"))
            .because(EsError::illegal(reason));
        return Ok(Query::Failing(field.name.clone(), inner));
    }
    Ok(match query {
        "prefix" => Query::Prefix(field.name.clone(), value, fold),
        _ => Query::Wildcard(field.name.clone(), value, fold),
    })
}

fn no_operator(node: &Node) -> Fault {
    let shown = node.scalar().unwrap_or_default().to_uppercase();
    let reason = format!("No enum constant org.elasticsearch.index.query.Operator.{shown}");
    Fault { at: node.at, error: EsError::illegal(reason) }
}

/// Reads an `operator`: `true` for `and` (every word must match), `false` for `or`.
fn operator(node: &Node) -> Parsed<bool> {
    match node.scalar().map(|text| text.to_lowercase()).as_deref() {
        Some("and") => Ok(true),
        Some("or") => Ok(false),
        _ => Err(no_operator(node)),
    }
}

/// Refuses anything but an integer of at least `least`; `what` is the message for smaller numbers.
fn count(node: &Node, least: i64, what: &str) -> Parsed<()> {
    let text = node.scalar().unwrap_or_default();
    match text.parse::<i64>() {
        Ok(number) if number >= least => Ok(()),
        Ok(_) => illegal(node.at, what),
        Err(_) => {
            let error = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
            Err(Fault { at: node.at, error })
        }
    }
}

fn fuzziness(node: &Node) -> Parsed<()> {
    let text = node.scalar().unwrap_or_default();
    let upper = text.to_uppercase();
    if upper.starts_with("AUTO") {
        return not_done(node, "fuzzy [match] queries");
    }
    match upper.parse::<f64>() {
        Ok(_) => not_done(node, "fuzzy [match] queries"),
        Err(_) => {
            let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{upper}\""));
            let error = EsError::illegal(format!("fuzziness cannot be [{text}].")).because(cause);
            Err(Fault { at: node.at, error })
        }
    }
}

/// Parses a `match` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn full_text(node: &Node) -> Parsed<Query> {
    let field = one_field("match", node)?;
    let (mut text, mut every, mut lenient) = (None, false, false);
    match field.value.members() {
        None => text = text_or_null(&field.value)?,
        Some(members) => {
            for member in members {
                let value = &member.value;
                match member.name.as_str() {
                    "query" => {
                        if value.scalar().is_none() {
                            return parsing(
                                value.at,
                                format!("[match] unknown token [{}] after [query]", value.token()),
                            );
                        }
                        text = value.scalar();
                    }
                    "operator" => every = operator(value)?,
                    "lenient" => lenient = flag(value)?,
                    "fuzziness" => fuzziness(value)?,
                    "analyzer" => return not_done(value, "the [analyzer] of [match] queries"),
                    "minimum_should_match" if !matches!(value.kind, Kind::Null) => {
                        return not_done(value, "the [minimum_should_match] of [match] queries");
                    }
                    "max_expansions" => count(value, 1, "[match] requires maxExpansions to be positive.")?,
                    "prefix_length" => count(value, 0, "[match] requires prefix length to be non-negative.")?,
                    "fuzzy_transpositions" | "auto_generate_synonyms_phrase_query" => {
                        flag(value)?;
                    }
                    "zero_terms_query" => {
                        let known = value.text().map(str::to_lowercase);
                        if !matches!(known.as_deref(), Some("none" | "all")) {
                            let shown = value.scalar().unwrap_or_default();
                            return parsing(value.at, format!("Unsupported zero_terms_query value [{shown}]"));
                        }
                    }
                    "boost" | "_name" => common("match", member)?,
                    "fuzzy_rewrite" | "minimum_should_match" => {}
                    other => return parsing(value.at, format!("[match] query does not support [{other}]")),
                }
            }
        }
    }
    let Some(text) = text else { return parsing(node.end, "No text specified for text query".into()) };
    let query = Query::Match(field.name.clone(), text, every);
    Ok(if lenient { Query::Lenient(Box::new(query)) } else { query })
}

/// Parses a `terms` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn terms(node: &Node) -> Parsed<Query> {
    let mut found: Option<(&str, &Node)> = None;
    for member in node.members().unwrap_or_default() {
        match (&member.value.kind, member.name.as_str()) {
            (_, "boost" | "_name") => common("terms", member)?,
            (Kind::Array(_) | Kind::Object(_), name) => {
                if found.is_some() {
                    return parsing(member.value.at, "[terms] query does not support multiple fields".into());
                }
                found = Some((name, &member.value));
            }
            (Kind::Null, name) => {
                return parsing(member.value.at, format!("[terms] unknown token [VALUE_NULL] after [{name}]"));
            }
            (_, other) => return parsing(member.value.at, format!("[terms] query does not support [{other}]")),
        }
    }
    let (name, value) = match found {
        None => {
            return parsing(
                node.end,
                "[terms] query requires a field name, followed by array of terms or a document lookup specification"
                    .into(),
            );
        }
        Some((_, Node { kind: Kind::Object(_), .. })) => return Ok(Query::Lookup),
        Some(found) => found,
    };
    let mut values = Vec::new();
    for element in value.elements().unwrap_or_default() {
        match element.kind {
            Kind::Null => return parsing(element.at, "No value specified for terms query".into()),
            Kind::Array(_) => {
                return parsing(value.end, format!("[terms] unknown token [END_ARRAY] after [{name}]"));
            }
            _ => values.extend(element.scalar()),
        }
    }
    Ok(Query::Terms(name.to_owned(), values))
}

/// Parses an `ids` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn ids(node: &Node) -> Parsed<Query> {
    let mut wanted = Vec::new();
    for member in node.members().unwrap_or_default() {
        let refused = match member.name.as_str() {
            "values" => match &member.value.kind {
                Kind::Text(id) => {
                    wanted = vec![id.clone()];
                    Ok(())
                }
                Kind::Array(values) => match values.iter().find(|value| value.scalar().is_none()) {
                    None => {
                        wanted = values.iter().filter_map(Node::scalar).collect();
                        Ok(())
                    }
                    Some(bad) => {
                        let cause = EsError::illegal(format!("Expected text at {} but found {}", bad.at, bad.token()));
                        let reason = format!("[{}] [ids] failed to parse field [values]", bad.at);
                        let error = EsError::new(400, "x_content_parse_exception", reason).because(cause);
                        Err(Fault { at: bad.at, error })
                    }
                },
                _ => Err(wrong_type("ids", member)),
            },
            "boost" => checked_boost("ids", member),
            "_name" => Ok(()),
            other => {
                let error = unknown_field(member.at, "ids", other, &["values", "boost", "_name"]);
                Err(Fault { at: member.at, error })
            }
        };
        refused.map_err(object_parser)?;
    }
    Ok(Query::Ids(wanted))
}

/// Parses an `exists` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn exists(node: &Node) -> Parsed<Query> {
    let mut field = None;
    for member in node.members().unwrap_or_default() {
        match member.name.as_str() {
            "field" => match member.value.scalar() {
                Some(name) => field = Some(name),
                None => {
                    let token = member.value.token();
                    return parsing(member.value.at, format!("[exists] unknown token [{token}] after [field]"));
                }
            },
            "boost" | "_name" => common("exists", member)?,
            other => return parsing(member.value.at, format!("[exists] query does not support [{other}]")),
        }
    }
    match field {
        Some(field) if field.is_empty() => illegal(node.end, "field name is null or empty"),
        Some(field) => Ok(Query::Exists(field)),
        None => parsing(node.end, "[exists] must be provided with a [field]".into()),
    }
}

/// Parses a `range` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn range(node: &Node) -> Parsed<Query> {
    let field = one_field("range", node)?;
    let Some(members) = field.value.members() else {
        return parsing(field.value.at, format!("[range] query does not support [{}]", field.name));
    };
    let mut range = Range::default();
    for member in members {
        let value = member.value.scalar();
        let at = member.value.at;
        // Of two bounds on one side the last counts.
        match member.name.as_str() {
            "gt" => (range.gt, range.gte) = (value, None),
            "gte" => (range.gt, range.gte) = (None, value),
            "lt" => (range.lt, range.lte) = (value, None),
            "lte" => (range.lt, range.lte) = (None, value),
            "format" => {
                for part in value.iter().flat_map(|format| format.split("||")) {
                    DateFormat::parse(part).map_err(|error| Fault { at, error })?;
                }
                range.format = value;
            }
            "time_zone" => {
                let name = value.unwrap_or_default();
                let zone = Zone::named(&name).map_err(|cause| {
                    let outer = format!("java.time.DateTimeException: {}", cause.reason);
                    Fault { at, error: EsError::illegal(outer).because(cause) }
                })?;
                range.zone = Some(zone.time_zone().clone());
            }
            "relation" => {
                let known = value.as_deref().map(str::to_lowercase);
                if !matches!(known.as_deref(), Some("intersects" | "contains" | "within" | "disjoint")) {
                    let shown = value.unwrap_or_default();
                    return illegal(at, &format!("{shown} is not a valid relation"));
                }
                range.relation = true;
            }
            "boost" | "_name" => common("range", member)?,
            other => return parsing(at, format!("[range] query does not support [{other}]")),
        }
    }
    Ok(Query::Range(field.name.clone(), range))
}

const SIMPLE_FLAGS: &[&str] = &[
    "ALL",
    "NONE",
    "AND",
    "NOT",
    "OR",
    "PREFIX",
    "PHRASE",
    "PRECEDENCE",
    "ESCAPE",
    "WHITESPACE",
    "FUZZY",
    "NEAR",
    "SLOP",
];

/// Parses a `simple_query_string` query.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn simple(node: &Node) -> Parsed<Query> {
    let (mut text, mut fields, mut every, mut lenient) = (None, Vec::new(), false, false);
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        match (member.name.as_str(), value.elements()) {
            ("fields", Some(names)) => {
                // `name^2` weighs a field, which changes no match.
                let names = names.iter().filter_map(Node::scalar);
                fields = names.map(|name| name.split('^').next().unwrap_or_default().to_owned()).collect();
            }
            ("query", None) => text = value.scalar(),
            ("default_operator", None) => every = operator(value)?,
            ("flags", None) => {
                let asked = value.scalar().unwrap_or_default().to_uppercase();
                let names = || asked.split('|').filter(|name| !name.is_empty());
                if let Some(unknown) = names().find(|name| !SIMPLE_FLAGS.contains(name) && name.parse::<i32>().is_err())
                {
                    let shown = value.scalar().unwrap_or_default();
                    let shown = shown.split('|').find(|name| name.eq_ignore_ascii_case(unknown)).unwrap_or(unknown);
                    return illegal(value.at, &format!("Unknown simple_query_string flag [{shown}]"));
                }
                if names().any(|name| !matches!(name, "ALL" | "-1")) {
                    return not_done(value, "the [flags] of [simple_query_string] queries");
                }
            }
            ("lenient", None) => lenient = flag(value)?,
            ("analyzer", None) => return not_done(value, "the [analyzer] of [simple_query_string] queries"),
            ("minimum_should_match", None) if !matches!(value.kind, Kind::Null) => {
                return not_done(value, "the [minimum_should_match] of [simple_query_string] queries");
            }
            ("boost" | "_name", None) => common("simple_query_string", member)?,
            ("analyze_wildcard" | "auto_generate_synonyms_phrase_query" | "fuzzy_transpositions", None) => {
                flag(value)?;
            }
            ("fuzzy_max_expansions" | "fuzzy_prefix_length", None) => count(value, 0, "a number that is not negative")?,
            ("quote_field_suffix" | "minimum_should_match", None) => {}
            (other, _) => {
                return parsing(value.at, format!("[simple_query_string] unsupported field [{other}]"));
            }
        }
    }
    let Some(text) = text else { return parsing(node.end, "[simple_query_string] query text missing".into()) };
    if has_fuzzy_word(&text) {
        return not_done(node, "fuzzy words (such as [word~1]) of [simple_query_string] queries");
    }
    let query = Query::Simple(text, fields, every);
    Ok(if lenient { Query::Lenient(Box::new(query)) } else { query })
}

/// Returns `true` if a word outside of quotes ends with `~`, optionally followed by a number.
fn has_fuzzy_word(text: &str) -> bool {
    let outside = text.split('"').step_by(2).enumerate();
    outside.into_iter().any(|(number, part)| {
        // Right behind a phrase `~2` is the distance between its words, which makes no difference here.
        let part = if number == 0 { part } else { part.trim_start_matches('~') };
        part.split(|c: char| c.is_whitespace() || "()+|".contains(c)).any(|word| {
            let start = word.trim_end_matches(|c: char| c.is_ascii_digit());
            start.len() > 1 && start.ends_with('~')
        })
    })
}
