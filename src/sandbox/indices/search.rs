//! Search in documents: `_search` and `_count` with the few queries that the sandbox supports; every hit scores 1. A
//! failure in one index does not affect the others, as with shards.

use super::{
    aggregations,
    document_view::View,
    resolve::{Lenience, resolve},
    search_request::{self, Asked},
    visible::Visible,
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, NOT_DONE, Outcome, shard_failures, told_failures},
        filter_path,
        reply::Reply,
        request::Params,
    },
    keys::fields::bad_date,
    privileges,
    query::{
        dates,
        matching::{FieldKind, Fields, matches},
        tree::Query,
        window::window_problem,
    },
    security::authz::Caller,
    state::index::{Document, Index},
};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Returns the requested part of a document, by the body and then the parameters; `None` if no source is wanted.
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
    // A field that the caller does not see is none, but of its kind.
    let kind = view.mapping.kind(field);
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

/// Refuses values that are invalid for their fields.
fn check_values(query: &Query, name: &str, index: &Index, now: i64) -> Outcome<()> {
    let refused = |reason: String, cause: Option<Box<EsError>>| {
        let error = EsError::new(400, "query_shard_exception", reason)
            .with("index_uuid", index.uuid.clone())
            .with("index", name);
        Err(match cause {
            Some(cause) => error.because(cause),
            None => error,
        })
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
            let mut all = must.iter().chain(must_not).chain(should).chain(filter);
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
        Query::Lenient(_) => Ok(()),
        Query::Failing(_, error) => Err(error.clone().with("index_uuid", index.uuid.clone()).with("index", name)),
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

/// Default format of dates in documents.
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
                return Err(inner);
            }
            FieldKind::Text => return Err(no_fielddata(field, name)),
            _ => {}
        }
    }
    let mut counted = Vec::new();
    aggregations::fields(&asked.aggs, &mut counted);
    match counted.iter().find(|field| index.mapping.kind(field) == FieldKind::Text) {
        Some(field) => Err(no_fielddata(field, name)),
        None => Ok(()),
    }
}

/// Returns the refusal of sorting or counting by a text field.
fn no_fielddata(field: &str, name: &str) -> Box<EsError> {
    let reason = format!(
        "Fielddata is disabled on [{field}] in [{name}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [{field}] in order to load field data by uninverting the inverted index. Note that this can use significant memory."
    );
    EsError::illegal(reason)
}

/// Documents that a search found in an index.
type Found<'a> = Vec<(View<'a>, &'a Document)>;

/// Returns the documents of an index that match a query and are visible to the caller.
///
/// # Errors
/// Returns the error as a failure of the shard of the index.
fn find<'a>(
    context: &'a Context,
    name: &'a str,
    index: &'a Index,
    visible: &'a Visible,
    query: &Query,
) -> Outcome<Found<'a>> {
    check_values(query, name, index, context.now)?;
    let views = index
        .documents
        .iter()
        .map(|(id, document)| (View { id, source: &document.source, mapping: &index.mapping, visible }, document));
    Ok(views.filter(|(view, _)| visible.sees(view, context.now) && matches(query, view, context.now)).collect())
}

/// Returns the visible part of each index, or the error of a document security query that can't be parsed.
fn seen(caller: &Caller, names: &[String]) -> Vec<Outcome<Visible>> {
    names.iter().map(|name| Visible::of(caller, name)).collect()
}

/// Refuses a search that failed in all indices, or in some if partial results are not wanted; otherwise returns the
/// number of shards that answered, and the failures of the others.
fn outcome(count: usize, failures: Vec<(String, Box<EsError>)>, params: &Params) -> Outcome<Value> {
    if failures.is_empty() {
        return Ok(json!({ "total": count, "successful": count, "skipped": 0, "failed": 0 }));
    }
    if failures.len() == count {
        return Err(shard_failures("all shards failed", failures));
    }
    let own = failures.iter().any(|(_, error)| error.kind == NOT_DONE);
    if own || !params.flag("allow_partial_search_results", true)? {
        return Err(shard_failures("Partial shards failure", failures));
    }
    Ok(json!({ "total": count, "successful": count - failures.len(), "skipped": 0, "failed": failures.len(),
        "failures": told_failures(&failures) }))
}

/// `GET|POST [/INDEX]/_search`
pub fn search(context: &mut Context) -> Outcome<Reply> {
    let context = &*context;
    let asked = search_request::read(context.request)?;
    let params = &context.request.params;
    let mut names = resolve(context.cluster, context.caller, &privileges::SEARCH, &context.argument(0), params)?;
    names.sort();
    let (mut hits, mut views, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let seen = seen(context.caller, &names);
    for (name, visible) in names.iter().zip(&seen) {
        let Some(index) = context.cluster.indices.get(name) else { continue };
        let found = visible.as_ref().map_err(Clone::clone).and_then(|visible| {
            let found = find(context, name, index, visible, &asked.query)?;
            check_sort(&asked, name, index)?;
            match window_problem(asked.from, asked.size) {
                Some(error) => Err(error),
                None => Ok((visible, found)),
            }
        });
        match found {
            Ok((visible, found)) => {
                for (view, document) in found {
                    let sort = |(field, down): &(String, bool)| sort_value(&view, field, *down, document.seq_no);
                    let sort = asked.sort.iter().map(sort).collect();
                    hits.push(Hit { index: name, id: view.id, document, visible, sort });
                    views.push(view);
                }
            }
            Err(error) => failures.push((name.clone(), error)),
        }
    }
    let shards = outcome(names.len(), failures, params)?;
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
        "_shards": shards,
        "hits": { "total": total, "max_score": max_score, "hits": rows },
    });
    if asked.size == 0 && !names.is_empty() && params.get("track_total_hits") == Some("true") {
        answer["terminated_early"] = json!(false);
    }
    // Where there is no index there is nothing to count in.
    if !asked.aggs.is_empty() && !names.is_empty() {
        answer["aggregations"] = aggregations::run(&asked.aggs, &views.iter().collect::<Vec<_>>());
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

/// `GET|POST [/INDEX]/_count`
pub fn count(context: &mut Context) -> Outcome<Reply> {
    let context = &*context;
    let params = &context.request.params;
    Lenience::read(params)?;
    let query = search_request::read_count(context.request)?;
    let mut names = resolve(context.cluster, context.caller, &privileges::SEARCH, &context.argument(0), params)?;
    names.sort();
    let (mut count, mut failures) = (0, Vec::new());
    for (name, visible) in names.iter().zip(seen(context.caller, &names)) {
        let Some(index) = context.cluster.indices.get(name) else { continue };
        match visible.and_then(|visible| Ok(find(context, name, index, &visible, &query)?.len())) {
            Ok(found) => count += found,
            Err(error) => failures.push((name.clone(), error)),
        }
    }
    let shards = outcome(names.len(), failures, params)?;
    Ok(Reply::ok(json!({ "count": count, "_shards": shards })))
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
