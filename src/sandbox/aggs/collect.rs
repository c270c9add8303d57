//! Counting: aggregations over the keys that a query found, answered as by 9.5.3.

use super::{
    agg::{Agg, Filters, Kind, Ranges, Source},
    bucket_limit::{MAX_BUCKETS, too_many},
    check::bounds,
    composite, terms,
    values::{Column, Key, group, written},
};
use crate::sandbox::{
    http::error::{EsError, Outcome},
    keys::matching::ScanPlan,
    state::{cluster::Cluster, key::StoredKey},
};
use serde_json::{Map, Number, Value, json};
use std::cell::Cell;

/// Context for counting.
pub struct Around<'k> {
    cluster_now: i64,
    /// Cluster, for terms that none of the found keys has.
    pub cluster: &'k Cluster,
    typed: bool,
    buckets: Cell<usize>,
}

impl<'k> Around<'k> {
    /// Creates the context; `typed` puts the type before the names in the answer.
    pub fn new(cluster: &'k Cluster, now: i64, typed: bool) -> Self {
        Around { cluster_now: now, cluster, typed, buckets: Cell::new(0) }
    }

    /// Adds to the number of buckets in the answer.
    pub fn count_buckets(&self, count: usize) {
        self.buckets.set(self.buckets.get() + count);
    }
}

/// Returns the answers to all aggregations, by name.
///
/// # Errors
/// If the answer has too many buckets.
pub fn run<'k>(aggs: &'k [Agg], docs: &[&'k StoredKey], around: &Around<'k>) -> Outcome<Value> {
    let answers = all(aggs, docs, around);
    if around.buckets.get() > MAX_BUCKETS {
        let error = EsError::new(400, "search_phase_execution_exception", "")
            .because(too_many("this number of buckets was exceeded"));
        return Err(error.with("phase", "fetch").with("grouped", true).with("failed_shards", json!([])));
    }
    Ok(Value::Object(answers))
}

fn all<'k>(aggs: &'k [Agg], docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    let mut answers = Map::new();
    for agg in aggs {
        let name = if around.typed { format!("{}#{}", type_name(&agg.kind), agg.name) } else { agg.name.clone() };
        let mut answer = Map::new();
        if let Some(meta) = &agg.meta {
            answer.insert("meta".into(), meta.clone());
        }
        answer.extend(one(agg, docs, around));
        answers.insert(name, Value::Object(answer));
    }
    answers
}

fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Terms(terms) => match Column::of(terms.source.field()) {
            Column::Date(_) | Column::Invalidated => "lterms",
            _ => "sterms",
        },
        Kind::Range(ranges) if ranges.dates => "date_range",
        Kind::Range(_) => "range",
        Kind::Missing(_) => "missing",
        Kind::Filter(_) => "filter",
        Kind::Filters(_) => "filters",
        Kind::Cardinality(_) => "cardinality",
        Kind::ValueCount(_) => "value_count",
        Kind::Composite(_) => "composite",
        Kind::Foreign(name) | Kind::Pipeline(name) => name,
    }
}

/// Returns the answers to the sub-aggregations of one bucket.
pub fn answer_subs<'k>(agg: &'k Agg, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    all(&agg.subs, docs, around)
}

fn one<'k>(agg: &'k Agg, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    match &agg.kind {
        Kind::Terms(asked) => terms::run(agg, asked, docs, around),
        Kind::Composite(asked) => composite::run(agg, asked, docs, around),
        Kind::Range(ranges) => ranged(agg, ranges, docs, around),
        Kind::Filters(filters) => filtered(agg, filters, docs, around),
        Kind::Filter(query) => {
            let plan = ScanPlan::of(query, around.cluster_now);
            bucket(agg, docs, |doc| plan.accepts(doc), around)
        }
        Kind::Missing(source) => {
            let column = Column::of(source.field());
            bucket(agg, docs, |doc| source.missing.is_none() && !column.exists(doc), around)
        }
        Kind::Cardinality(source) => single(different(source, docs)),
        Kind::ValueCount(source) => {
            let column = Column::of(source.field());
            let least = u64::from(source.missing.is_some());
            single(docs.iter().map(|doc| column.count(doc).max(least)).sum())
        }
        Kind::Foreign(_) | Kind::Pipeline(_) => Map::new(),
    }
}

fn single(value: u64) -> Map<String, Value> {
    Map::from_iter([("value".to_owned(), json!(value))])
}

/// Counts the distinct values exactly; Elasticsearch estimates above 3,000.
fn different(source: &Source, docs: &[&StoredKey]) -> u64 {
    group(docs, &Column::of(source.field()), source.missing.as_ref(), false).len() as u64
}

/// Returns one bucket with the keys for which `takes` is `true`.
fn bucket<'k>(
    agg: &'k Agg,
    docs: &[&'k StoredKey],
    takes: impl Fn(&StoredKey) -> bool,
    around: &Around<'k>,
) -> Map<String, Value> {
    let mut answer = Map::new();
    if agg.subs.is_empty() {
        answer.insert("doc_count".into(), json!(docs.iter().filter(|doc| takes(doc)).count()));
        return answer;
    }
    let docs: Vec<&StoredKey> = docs.iter().copied().filter(|doc| takes(doc)).collect();
    answer.insert("doc_count".into(), json!(docs.len()));
    answer.extend(answer_subs(agg, &docs, around));
    answer
}

/// Fills several buckets in one pass over the keys; a key may be in more than one.
fn buckets<'k>(
    agg: &'k Agg,
    docs: &[&'k StoredKey],
    count: usize,
    mut places: impl FnMut(&StoredKey, &mut dyn FnMut(usize)),
    around: &Around<'k>,
) -> Vec<Map<String, Value>> {
    let keep = !agg.subs.is_empty();
    let mut found: Vec<(u64, Vec<&StoredKey>)> = vec![(0, Vec::new()); count];
    for doc in docs.iter().copied() {
        places(doc, &mut |place| {
            if let Some((count, kept)) = found.get_mut(place) {
                *count += 1;
                if keep {
                    kept.push(doc);
                }
            }
        });
    }
    let answers = found.into_iter().map(|(count, docs)| {
        let mut answer = Map::from_iter([("doc_count".to_owned(), json!(count))]);
        answer.extend(answer_subs(agg, &docs, around));
        answer
    });
    answers.collect()
}

fn ranged<'k>(agg: &'k Agg, ranges: &Ranges, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    let column = Column::of(ranges.source.field());
    let stand_in = ranges.source.missing.as_ref().map(|missing| column.stand_in(missing));
    let stand_in = match stand_in {
        Some(Key::Number(number)) => Some(number),
        _ => None,
    };
    let mut list = bounds(ranges, &column, around.cluster_now).unwrap_or_default();
    let low = |bound: Option<f64>| bound.unwrap_or(f64::NEG_INFINITY);
    let high = |bound: Option<f64>| bound.unwrap_or(f64::INFINITY);
    list.sort_by(|a, b| low(a.1).total_cmp(&low(b.1)).then(high(a.2).total_cmp(&high(b.2))));
    around.count_buckets(list.len());
    let shown = |bound: f64| -> Value {
        match column {
            Column::Invalidated => json!(bound != 0.0),
            _ => json!(written(whole(bound), ranges.source.format.as_deref(), &ranges.zone)),
        }
    };
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let limits: Vec<(f64, f64)> = list.iter().map(|(_, from, to)| (low(*from), high(*to))).collect();
    #[expect(clippy::cast_precision_loss, reason = "the server compares as doubles, too")]
    let places = |doc: &StoredKey, put: &mut dyn FnMut(usize)| {
        let Some(value) = column.number(doc).or(stand_in).map(|value| value as f64) else { return };
        let holds = |limits: &(f64, f64)| value >= limits.0 && value < limits.1;
        limits.iter().enumerate().filter(|(_, limits)| holds(limits)).for_each(|(place, _)| put(place));
    };
    let answers = buckets(agg, docs, list.len(), places, around);
    let mut named = Map::new();
    let mut listed = Vec::new();
    for ((key, from, to), counted) in list.into_iter().zip(answers) {
        let name = key.unwrap_or_else(|| {
            let end = |bound: Option<f64>| bound.map_or_else(|| "*".to_owned(), |bound| plain(&shown(bound)));
            format!("{}-{}", end(from), end(to))
        });
        let mut answer = Map::new();
        if !ranges.keyed {
            answer.insert("key".into(), json!(name));
        }
        for (label, bound) in [("from", from), ("to", to)] {
            if let Some(bound) = bound {
                answer.insert(label.into(), Number::from_f64(bound).map_or(Value::Null, Value::Number));
                answer.insert(format!("{label}_as_string"), shown(bound));
            }
        }
        answer.extend(counted);
        if ranges.keyed {
            named.insert(name, Value::Object(answer));
        } else {
            listed.push(Value::Object(answer));
        }
    }
    let buckets = if ranges.keyed { Value::Object(named) } else { Value::Array(listed) };
    Map::from_iter([("buckets".to_owned(), buckets)])
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as Java's does")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn filtered<'k>(agg: &'k Agg, filters: &'k Filters, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    let plans: Vec<ScanPlan> = filters.list.iter().map(|(_, query)| ScanPlan::of(query, around.cluster_now)).collect();
    let mut named = Map::new();
    let mut listed = Vec::new();
    let has_names = filters.list.iter().any(|(name, _)| name.is_some());
    let mut put = |name: Option<&str>, answer: Map<String, Value>| match name {
        Some(name) if filters.keyed => {
            named.insert(name.to_owned(), Value::Object(answer));
        }
        name => {
            let mut whole = Map::new();
            if let Some(name) = name {
                whole.insert("key".into(), json!(name));
            }
            whole.extend(answer);
            listed.push(Value::Object(whole));
        }
    };
    let places = |doc: &StoredKey, take: &mut dyn FnMut(usize)| {
        let mut none = true;
        for (place, _) in plans.iter().enumerate().filter(|(_, plan)| plan.accepts(doc)) {
            none = false;
            take(place);
        }
        if none && filters.other.is_some() {
            take(plans.len());
        }
    };
    let total = plans.len() + usize::from(filters.other.is_some());
    let mut answers = buckets(agg, docs, total, places, around).into_iter();
    for ((name, _), answer) in filters.list.iter().zip(answers.by_ref()) {
        put(name.as_deref(), answer);
    }
    if let Some((other, answer)) = filters.other.as_deref().zip(answers.next()) {
        put(has_names.then_some(other), answer);
    }
    around.count_buckets(filters.list.len() + usize::from(filters.other.is_some()));
    let buckets = if filters.keyed { Value::Object(named) } else { Value::Array(listed) };
    Map::from_iter([("buckets".to_owned(), buckets)])
}

/// Returns the value at an order's path in the answers of a bucket; 0 if there is none.
pub fn value_at(answers: &Map<String, Value>, path: &str) -> f64 {
    let (first, rest) = path.split_once('>').unwrap_or((path, ""));
    let name = first.split(['.', '[']).next().unwrap_or_default();
    let found = answers.iter().find(|(key, _)| key.rsplit('#').next() == Some(name)).map(|(_, answer)| answer);
    match found {
        Some(Value::Object(answer)) if !rest.is_empty() => value_at(answer, rest),
        Some(answer) => answer.get("value").or_else(|| answer.get("doc_count")).and_then(Value::as_f64).unwrap_or(0.0),
        None => 0.0,
    }
}
