//! Elasticsearch's query language as far as the sandbox speaks it: from JSON to a tree, with its refusals.
//! Knows no fields; matching is `query_match`'s.

use super::aggs::{DateFormat, Zone};
use super::dates;
use super::descriptor::Fault;
use super::error::EsError;
use super::json::{Kind, Member, Node, Place};
use super::keys_create::unknown_field;
use jiff::tz::TimeZone;

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
        /// `minimum_should_match` as written, when given.
        minimum: Option<String>,
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
    /// A query of which a value that doesn't fit its field finds nothing instead of failing.
    Lenient(Box<Query>),
    /// A query of a field that only turns out wrong where the query is built: the failure of the shard.
    Failing(String, Box<EsError>),
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
    /// Where days begin, and what dates without a zone mean.
    pub zone: Option<TimeZone>,
    /// Whether a relation was asked for, which only ranges of ranges have.
    pub relation: bool,
}

impl Range {
    /// Whether it has no bound at all.
    pub fn is_open(&self) -> bool {
        self.gt.is_none() && self.gte.is_none() && self.lt.is_none() && self.lte.is_none()
    }

    /// The zone asked for, or UTC.
    pub fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    /// A bound as a time; nothing when it can't be read.
    pub fn time(&self, text: &str, now: i64, up: bool) -> Option<i64> {
        dates::parse_in(text, self.format.as_deref(), now, up, &self.zone())
    }
}

/// How many of so many optional clauses must match by a `minimum_should_match` such as `2`, `-1`, `75%` or `2<75%`;
/// nothing when it can't be read.
pub fn least(spec: &str, count: usize) -> Option<i64> {
    let count = i64::try_from(count).ok()?;
    let spec = spec.trim();
    let mut least = count;
    if spec.contains('<') {
        let joined = spec.split('<').map(str::trim).collect::<Vec<_>>().join("<");
        for part in joined.split_whitespace() {
            let (bound, then) = part.split_once('<')?;
            if count <= bound.parse().ok()? {
                return Some(least);
            }
            least = simple_least(then, count)?;
        }
        return Some(least);
    }
    simple_least(spec, count)
}

fn simple_least(spec: &str, count: i64) -> Option<i64> {
    let least = match spec.strip_suffix('%') {
        Some(percent) => {
            let part = count.checked_mul(percent.parse().ok()?)? / 100;
            if part < 0 { count + part } else { part }
        }
        None => {
            let number: i64 = i64::from(spec.parse::<i32>().ok()?);
            if number < 0 { count + number } else { number }
        }
    };
    Some(least.max(0))
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

/// How queries that are read by an object's parser say what is wrong: once more, and then as the cause.
fn object_parser(fault: Fault) -> Fault {
    let error = EsError::new(400, "parsing_exception", fault.error.reason.clone())
        .with("line", fault.at.line)
        .with("col", fault.at.column)
        .because(fault.error);
    Fault { at: fault.at, error }
}

fn wrong_type(query: &str, member: &Member) -> Fault {
    let (at, field, token) = (member.value.at, &member.name, member.value.token());
    let reason = format!("[{at}] [{query}] {field} doesn't support values of type: {token}");
    Fault { at, error: EsError::new(400, "x_content_parse_exception", reason) }
}

fn failed_field(query: &str, member: &Member, cause: Box<EsError>) -> Fault {
    let at = member.value.at;
    let reason = format!("[{at}] [{query}] failed to parse field [{}]", member.name);
    Fault { at, error: EsError::new(400, "x_content_parse_exception", reason).because(cause) }
}

/// Weights change no match, but have to be numbers that are not negative.
fn boost_problem(query: &str, node: &Node) -> Option<Box<EsError>> {
    let text = node.scalar().unwrap_or_default();
    match text.parse::<f32>() {
        Err(_) => Some(EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""))),
        Ok(boost) if boost < 0.0 => {
            let reason =
                format!("negative [boost] are not allowed in [{query}], use a value between 0 and 1 to deboost");
            Some(EsError::illegal(reason))
        }
        Ok(_) => None,
    }
}

fn checked_boost(query: &str, member: &Member) -> Parsed<()> {
    if !matches!(member.value.kind, Kind::Number(_) | Kind::Text(_)) {
        return Err(wrong_type(query, member));
    }
    match boost_problem(query, &member.value) {
        Some(problem) => Err(failed_field(query, member, problem)),
        None => Ok(()),
    }
}

/// Reads `boost` and `_name` of a query that is read by hand.
fn common(query: &str, member: &Member) -> Parsed<()> {
    if member.name == "boost"
        && let Some(error) = boost_problem(query, &member.value)
    {
        return Err(Fault { at: member.value.at, error });
    }
    Ok(())
}

/// A flag.
fn flag(node: &Node) -> Parsed<bool> {
    match node.scalar().as_deref() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        other => {
            let shown = other.unwrap_or("null");
            let reason = format!("Failed to parse value [{shown}] as only [true] or [false] are allowed.");
            Err(Fault { at: node.at, error: EsError::illegal(reason) })
        }
    }
}

/// What is asked for and understood, but not done here.
fn not_done<T>(node: &Node, what: &str) -> Parsed<T> {
    Err(Fault { at: node.at, error: EsError::not_done(what) })
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

/// A text or nothing; lists and objects are refused.
fn text_or_null(node: &Node) -> Parsed<Option<String>> {
    match node.kind {
        Kind::Array(_) | Kind::Object(_) => {
            illegal(node.at, &format!("Expected text at {} but found {}", node.at, node.token()))
        }
        _ => Ok(node.scalar()),
    }
}

fn is_rewrite(name: &str) -> bool {
    let counted = ["top_terms_blended_freqs_", "top_terms_boost_", "top_terms_"];
    matches!(name, "constant_score" | "constant_score_boolean" | "constant_score_blended" | "scoring_boolean")
        || counted.iter().any(|start| name.strip_prefix(start).is_some_and(|count| count.parse::<u32>().is_ok()))
}

fn pattern(query: &str, node: &Node) -> Parsed<Query> {
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

/// Whether every word must match.
fn operator(node: &Node) -> Parsed<bool> {
    match node.scalar().map(|text| text.to_lowercase()).as_deref() {
        Some("and") => Ok(true),
        Some("or") => Ok(false),
        _ => Err(no_operator(node)),
    }
}

/// A number of at least so much; `what` names it in refusals.
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

fn full_text(node: &Node) -> Parsed<Query> {
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

fn terms(node: &Node) -> Parsed<Query> {
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

fn ids(node: &Node) -> Parsed<Query> {
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

fn exists(node: &Node) -> Parsed<Query> {
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

fn range(node: &Node) -> Parsed<Query> {
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

fn simple(node: &Node) -> Parsed<Query> {
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

/// Whether a word outside of quotes ends with `~` and maybe a number.
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

#[cfg(test)]
#[path = "query_dsl_tests.rs"]
mod tests;
