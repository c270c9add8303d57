//! Searching documents: `_search` and `_count` with the few queries that the sandbox speaks; every hit scores 1.

use super::authz::Caller;
use super::dates;
use super::error::{EsError, NOT_DONE, Outcome, shard_failure};
use super::filter_path;
use super::index_aggs;
use super::indices::{Document, Index, resolve};
use super::json::{Kind, Node};
use super::key_fields::bad_date;
use super::keys_query::window_problem;
use super::mapping::View;
use super::privileges;
use super::query_dsl::{self, Query};
use super::query_match::{FieldKind, Fields, matches};
use super::reply::Reply;
use super::request::Params;
use super::router::Context;
use super::visible::Visible;
use serde_json::{Value, json};
use std::cmp::Ordering;

#[derive(Debug)]
struct Asked {
    query: Query,
    from: i64,
    size: i64,
    sort: Vec<(String, bool)>,
    after: Option<Vec<Value>>,
    source: Option<Value>,
    version: bool,
    seq_no: bool,
    scores: bool,
    aggs: Vec<index_aggs::Agg>,
}

fn parsing(at: super::json::Place, reason: String) -> Box<EsError> {
    EsError::new(400, "parsing_exception", reason).with("line", at.line).with("col", at.column)
}

fn number(node: &Node, field: &str) -> Outcome<i64> {
    let text = node.scalar().unwrap_or_default();
    text.parse().map_err(|_| parsing(node.at, format!("Unknown key for a {} in [{field}].", node.token())))
}

/// Queries that only stand in the tree because API keys name them are unknown here.
fn check_spoken(query: &Query) -> Outcome<()> {
    match query {
        Query::Foreign(name, _) => Err(EsError::not_done(&format!("[{name}] queries"))),
        Query::Lookup => Err(EsError::not_done("[terms] queries whose values are in another document")),
        Query::Lenient(query) => check_spoken(query),
        Query::Failing(_, error) => Err(shard_failure("_na_", error.clone())),
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).try_for_each(check_spoken)
        }
        _ => Ok(()),
    }
}

/// Reads a query of documents.
pub fn read_query(node: &Node) -> Outcome<Query> {
    let query = query_dsl::parse(node).map_err(|fault| fault.error)?;
    check_spoken(&query)?;
    Ok(query)
}

/// The query of the parameter `q`: words, and `field:word`, any of which may match. The rest of that language is not
/// done here.
fn parameter_query(text: &str, params: &Params) -> Outcome<Query> {
    for name in ["df", "analyzer", "analyze_wildcard", "lenient"] {
        if params.get(name).is_some() {
            return Err(EsError::not_done(&format!("the parameter [{name}] of searches")));
        }
    }
    if text.trim() == "*" || text.trim() == "*:*" {
        return Ok(Query::All);
    }
    let beyond = |c: char| "+-=&|><!(){}[]^\"~*?\\/".contains(c);
    let words: Vec<&str> = text.split_whitespace().collect();
    if text.contains(beyond) || words.is_empty() || words.iter().any(|word| matches!(*word, "AND" | "OR" | "NOT")) {
        return Err(EsError::not_done("more than words and [field:word] in the parameter [q] of searches"));
    }
    let every = match params.get("default_operator").map(str::to_lowercase).as_deref() {
        Some("and") => true,
        None | Some("or") => false,
        Some(other) => {
            let reason = format!("No enum constant org.elasticsearch.index.query.Operator.{}", other.to_uppercase());
            return Err(EsError::illegal(reason));
        }
    };
    let clauses: Vec<Query> = words
        .into_iter()
        .map(|word| match word.split_once(':') {
            Some((field, value)) => Query::Match(field.to_owned(), value.to_owned(), true),
            None => Query::Simple(word.to_owned(), Vec::new(), true),
        })
        .collect();
    let (must, should) = if every { (clauses, Vec::new()) } else { (Vec::new(), clauses) };
    Ok(Query::Bool { must, filter: Vec::new(), should, must_not: Vec::new(), minimum: None })
}

fn read(context: &Context) -> Outcome<Asked> {
    let params = &context.request.params;
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
    if !context.request.body.is_empty() {
        let body = context.request.json()?;
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
                "aggs" | "aggregations" => asked.aggs = index_aggs::parse(value)?,
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

/// The part of a document that is wanted: body, then parameters; nothing when it is wanted not at all.
pub fn pick_source(source: &Value, wanted: Option<&Value>, params: &Params) -> Option<Value> {
    let list = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    let (mut includes, mut excludes) = (String::new(), String::new());
    match wanted {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return None,
        Some(Value::Object(map)) => {
            includes = map.get("includes").or_else(|| map.get("include")).map(list).unwrap_or_default();
            excludes = map.get("excludes").or_else(|| map.get("exclude")).map(list).unwrap_or_default();
        }
        Some(names) => includes = list(names),
    }
    match params.get("_source") {
        Some("false") => return None,
        None | Some("" | "true") => {}
        Some(names) => names.clone_into(&mut includes),
    }
    if let Some(names) = params.non_empty("_source_includes") {
        names.clone_into(&mut includes);
    }
    if let Some(names) = params.non_empty("_source_excludes") {
        names.clone_into(&mut excludes);
    }
    let left_out = excludes.split(',').filter(|name| !name.is_empty()).map(|name| format!("-{name}"));
    let filter: Vec<String> =
        includes.split(',').filter(|name| !name.is_empty()).map(str::to_owned).chain(left_out).collect();
    Some(if filter.is_empty() { source.clone() } else { filter_path::apply(source.clone(), &filter.join(",")) })
}

struct Hit<'a> {
    index: &'a str,
    id: &'a str,
    document: &'a Document,
    visible: &'a Visible,
    sort: Vec<Value>,
}

fn sort_value(view: &View, field: &str, descending: bool, seq_no: i64) -> Value {
    match field {
        "_doc" | "_shard_doc" => return json!(seq_no),
        "_score" => return json!(1.0),
        _ => {}
    }
    let mut values = view.values(field);
    let kind = view.kind(field);
    if matches!(kind, FieldKind::Keyword | FieldKind::Unmapped) {
        values.sort();
        let picked = if descending { values.pop() } else { values.into_iter().next() };
        return json!(picked);
    }
    let numbers = values.iter().filter_map(|value| match value.as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse::<f64>().ok(),
    });
    let picked = if descending { numbers.reduce(f64::max) } else { numbers.reduce(f64::min) };
    match picked {
        None => json!(if descending { i64::MIN } else { i64::MAX }),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small just before")]
        Some(value) if value.fract() == 0.0 && value.abs() < 9e15 => json!(value as i64),
        Some(value) => json!(value),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        },
    }
}

fn compare_rows(sort: &[(String, bool)], a: &[Value], b: &[Value]) -> Ordering {
    for ((_, descending), (a, b)) in sort.iter().zip(a.iter().zip(b)) {
        // Whoever lacks the field comes last both ways.
        let order = match (a.is_null(), b.is_null()) {
            (false, false) if *descending => compare(a, b).reverse(),
            (false, false) => compare(a, b),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Refuses values that their fields can't have.
fn check_values(query: &Query, name: &str, index: &Index, now: i64) -> Outcome<()> {
    let refused = |reason: String, cause: Option<Box<EsError>>| {
        let error = EsError::new(400, "query_shard_exception", reason)
            .with("index_uuid", index.uuid.clone())
            .with("index", name);
        Err(shard_failure(
            name,
            match cause {
                Some(cause) => error.because(cause),
                None => error,
            },
        ))
    };
    let fits = |field: &str, value: &str| {
        let cause = match index.mapping.kind(field) {
            FieldKind::Number if value.parse::<f64>().is_err() => {
                let reason =
                    if value.is_empty() { "empty String".to_owned() } else { format!("For input string: \"{value}\"") };
                EsError::new(400, "number_format_exception", reason)
            }
            FieldKind::Boolean if !matches!(value, "true" | "false") => {
                EsError::illegal(format!("Can't parse boolean value [{value}], expected [true] or [false]"))
            }
            FieldKind::Date if dates::parse(value, Some(DATES), now, false).is_none() => bad_date(value, DATES),
            _ => return Ok(()),
        };
        refused(format!("failed to create query: {}", cause.reason), Some(cause))
    };
    match query {
        Query::Bool { must, filter, should, must_not, .. } => {
            let mut all = must.iter().chain(filter).chain(should).chain(must_not);
            all.try_for_each(|query| check_values(query, name, index, now))
        }
        Query::Term(field, value, _) | Query::Match(field, value, _) => fits(field, value),
        Query::Terms(field, values) => values.iter().try_for_each(|value| fits(field, value)),
        Query::Range(field, range) if index.mapping.kind(field) != FieldKind::Date => {
            [&range.gt, &range.gte, &range.lt, &range.lte]
                .into_iter()
                .flatten()
                .try_for_each(|value| fits(field, value))
        }
        Query::Prefix(field, ..) | Query::Wildcard(field, ..) => {
            let kind = match index.mapping.kind(field) {
                FieldKind::Number | FieldKind::Date | FieldKind::Boolean => {
                    index.mapping.type_of(field).unwrap_or_default()
                }
                _ => return Ok(()),
            };
            let what = if matches!(query, Query::Prefix(..)) { "prefix" } else { "wildcard" };
            let reason = format!(
                "Can only use {what} queries on keyword, text and wildcard fields - not on [{field}] which is of type [{kind}]"
            );
            refused(reason, None)
        }
        _ => Ok(()),
    }
}

/// How dates of documents are written unless their mapping says otherwise.
const DATES: &str = "strict_date_optional_time||epoch_millis";

fn check_sort(asked: &Asked, name: &str, index: &Index) -> Outcome<()> {
    for (field, _) in asked.sort.iter().filter(|(field, _)| !field.starts_with('_')) {
        match index.mapping.kind(field) {
            FieldKind::Unmapped => {
                let inner = EsError::new(
                    400,
                    "query_shard_exception",
                    format!("No mapping found for [{field}] in order to sort on"),
                )
                .with("index_uuid", index.uuid.clone())
                .with("index", name);
                return Err(shard_failure(name, inner));
            }
            FieldKind::Text => return Err(no_fielddata(field, name)),
            _ => {}
        }
    }
    let mut counted = Vec::new();
    index_aggs::fields(&asked.aggs, &mut counted);
    match counted.iter().find(|field| index.mapping.kind(field) == FieldKind::Text) {
        Some(field) => Err(no_fielddata(field, name)),
        None => Ok(()),
    }
}

/// Text can neither be sorted nor counted.
fn no_fielddata(field: &str, name: &str) -> Box<EsError> {
    let reason = format!(
        "Fielddata is disabled on [{field}] in [{name}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [{field}] in order to load field data by uninverting the inverted index. Note that this can use significant memory."
    );
    shard_failure(name, EsError::illegal(reason))
}

/// What the caller sees of each of the indices; a query of the security of documents that can't be read fails here.
fn seen<'n>(caller: &Caller, names: &'n [String]) -> Outcome<Vec<(&'n str, Visible)>> {
    let seen = |name: &'n String| match Visible::of(caller, name) {
        Ok(visible) => Ok((name.as_str(), visible)),
        Err(error) if error.kind == NOT_DONE => Err(error),
        Err(error) => Err(shard_failure(name, error)),
    };
    names.iter().map(seen).collect()
}

/// `GET|POST [/INDEX]/_search`
pub fn search(context: &mut Context) -> Outcome<Reply> {
    let asked = read(context)?;
    let params = &context.request.params;
    let names = resolve(context.cluster, context.caller, &privileges::SEARCH, &context.argument(0), params)?;
    if let Some(error) = window_problem(asked.from, asked.size) {
        return match names.first() {
            Some(name) => Err(shard_failure(name, error)),
            None => Err(error),
        };
    }
    let mut hits = Vec::new();
    let mut views = Vec::new();
    let seen = seen(context.caller, &names)?;
    for (name, visible) in &seen {
        let Some((name, index)) = context.cluster.indices.get_key_value(*name) else { continue };
        check_values(&asked.query, name, index, context.now)?;
        check_sort(&asked, name, index)?;
        for (id, document) in &index.documents {
            let view = View { id, source: &document.source, mapping: &index.mapping, visible };
            if visible.sees(&view, context.now) && matches(&asked.query, &view, context.now) {
                let sort =
                    asked.sort.iter().map(|(field, down)| sort_value(&view, field, *down, document.seq_no)).collect();
                hits.push(Hit { index: name, id, document, visible, sort });
                views.push(view);
            }
        }
    }
    let total = hits.len();
    hits.sort_by(|a, b| {
        compare_rows(&asked.sort, &a.sort, &b.sort)
            .then(a.index.cmp(b.index))
            .then(a.document.seq_no.cmp(&b.document.seq_no))
    });
    if let Some(after) = &asked.after {
        hits.retain(|hit| compare_rows(&asked.sort, &hit.sort, after).is_gt());
    }
    let scored = asked.sort.is_empty() || asked.scores;
    let taken = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let rows: Vec<Value> = hits
        .iter()
        .skip(taken(asked.from))
        .take(taken(asked.size))
        .map(|hit| show(hit, &asked, params, scored))
        .collect();
    let max_score = if names.is_empty() {
        json!(0.0)
    } else if rows.is_empty() || !scored {
        Value::Null
    } else {
        json!(1.0)
    };
    let total = if params.flag("rest_total_hits_as_int", false)? {
        json!(total)
    } else {
        json!({ "value": total, "relation": "eq" })
    };
    let mut answer = json!({
        "took": 1,
        "timed_out": false,
        "_shards": shards(names.len()),
        "hits": { "total": total, "max_score": max_score, "hits": rows },
    });
    if asked.size == 0 && !names.is_empty() && params.get("track_total_hits") == Some("true") {
        answer["terminated_early"] = json!(false);
    }
    // Where there is no index there is nothing to count in.
    if !asked.aggs.is_empty() && !names.is_empty() {
        answer["aggregations"] = index_aggs::run(&asked.aggs, &views.iter().collect::<Vec<_>>());
    }
    Ok(Reply::ok(answer))
}

fn show(hit: &Hit, asked: &Asked, params: &Params, scored: bool) -> Value {
    let mut row = json!({ "_index": hit.index, "_id": hit.id });
    if asked.version {
        row["_version"] = json!(hit.document.version);
    }
    if asked.seq_no {
        row["_seq_no"] = json!(hit.document.seq_no);
        row["_primary_term"] = json!(1);
    }
    row["_score"] = if scored { json!(1.0) } else { Value::Null };
    if let Some(source) = pick_source(&hit.visible.cut(&hit.document.source), asked.source.as_ref(), params) {
        row["_source"] = source;
    }
    if !asked.sort.is_empty() {
        row["sort"] = Value::Array(hit.sort.clone());
    }
    row
}

fn shards(count: usize) -> Value {
    json!({ "total": count, "successful": count, "skipped": 0, "failed": 0 })
}

/// `GET|POST [/INDEX]/_count`
pub fn count(context: &mut Context) -> Outcome<Reply> {
    let mut query = Query::All;
    if !context.request.body.is_empty() {
        let body = context.request.json()?;
        let Some(members) = body.members() else {
            return Err(parsing(body.at, format!("Expected [START_OBJECT] but found [{}]", body.token())));
        };
        for member in members {
            if member.name != "query" {
                return Err(parsing(member.at, format!("request does not support [{}]", member.name)));
            }
            query = read_query(&member.value)?;
        }
    }
    let params = &context.request.params;
    if let Some(text) = params.get("q") {
        query = parameter_query(text, params)?;
    }
    let names = resolve(context.cluster, context.caller, &privileges::SEARCH, &context.argument(0), params)?;
    for name in &names {
        if let Some(index) = context.cluster.indices.get(name) {
            check_values(&query, name, index, context.now)?;
        }
    }
    let found: usize = seen(context.caller, &names)?
        .iter()
        .filter_map(|(name, visible)| context.cluster.indices.get(*name).map(|index| (index, visible)))
        .map(|(index, visible)| {
            let views = index.documents.iter().map(|(id, document)| View {
                id,
                source: &document.source,
                mapping: &index.mapping,
                visible,
            });
            views.filter(|view| visible.sees(view, context.now) && matches(&query, view, context.now)).count()
        })
        .sum();
    Ok(Reply::ok(json!({ "count": found, "_shards": shards(names.len()) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_cut_by_body_or_parameters() {
        let source = json!({"n": 1, "k": "x", "o": {"p": 1, "q": 2}});
        let pick =
            |wanted: Option<Value>, query: &str| pick_source(&source, wanted.as_ref(), &Params::parse(query).unwrap());
        assert_eq!(pick(None, "").unwrap(), source);
        assert_eq!(pick(Some(json!(false)), ""), None);
        assert_eq!(pick(Some(json!(["n"])), "").unwrap(), json!({"n": 1}));
        assert_eq!(pick(Some(json!({"excludes": "o"})), "").unwrap(), json!({"n": 1, "k": "x"}));
        assert_eq!(pick(None, "_source=k,o.q").unwrap(), json!({"k": "x", "o": {"q": 2}}));
    }

    #[test]
    fn rows_without_the_field_come_last_both_ways() {
        let sort = |down| vec![("a".to_owned(), down)];
        assert_eq!(compare_rows(&sort(false), &[Value::Null], &[json!("x")]), Ordering::Greater);
        assert_eq!(compare_rows(&sort(true), &[Value::Null], &[json!("x")]), Ordering::Greater);
        assert_eq!(compare_rows(&sort(true), &[json!(2)], &[json!(1)]), Ordering::Less);
    }
}
