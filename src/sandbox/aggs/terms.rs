//! Aggregation `terms`: parsed, counted and sorted.

use super::{
    agg::{Agg, Order, Picked, Terms},
    collect::{Around, answer_subs, value_at},
    values::{Bucket, Column, Key, group},
};
use crate::sandbox::{pattern, state::key::StoredKey};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

impl Picked {
    fn takes(&self, term: &str) -> bool {
        match self {
            Picked::Exactly(terms) => terms.iter().any(|other| other == term),
            Picked::Pattern(pattern) => pattern::matches(&format!("/{pattern}/"), term),
        }
    }
}

/// Bucket, with the answers of its sub-aggregations if the order needs them.
type Ranked<'k> = (Option<Box<Map<String, Value>>>, Bucket<'k>);

/// Runs the aggregation.
pub fn run<'k>(agg: &'k Agg, terms: &'k Terms, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    let column = Column::of(terms.source.field());
    let by_sub = terms.order.iter().any(|order| !order.path.starts_with('_'));
    let mut buckets = group(docs, &column, terms.source.missing.as_ref(), by_sub || !agg.subs.is_empty());
    if terms.min_doc_count == 0 {
        add_unfound(&mut buckets, &column, around);
    }
    let shown = |key: &Key| match key {
        Key::Text(text) => text.to_string(),
        other => other.shown(),
    };
    buckets.retain(|bucket| {
        terms.include.as_ref().is_none_or(|include| include.takes(&shown(&bucket.key)))
            && !terms.exclude.as_ref().is_some_and(|exclude| exclude.takes(&shown(&bucket.key)))
    });
    let total: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    let by_key = terms.order.first().is_some_and(|order| order.path == "_key");
    let answers = |bucket: &Bucket<'k>| by_sub.then(|| Box::new(answer_subs(agg, &bucket.docs, around)));
    let mut ranked: Vec<Ranked> = buckets.into_iter().map(|bucket| (answers(&bucket), bucket)).collect();
    let compare = |a: &Ranked, b: &Ranked| {
        let one = |order: &Order| {
            let at = |ranked: &Ranked| ranked.0.as_ref().map_or(0.0, |answers| value_at(answers, &order.path));
            let found = match order.path.as_str() {
                "_count" => a.1.count.cmp(&b.1.count),
                "_key" => a.1.key.cmp(&b.1.key),
                _ => at(a).total_cmp(&at(b)),
            };
            if order.descending { found.reverse() } else { found }
        };
        terms.order.iter().map(one).find(|found| found.is_ne()).unwrap_or(Ordering::Equal).then(a.1.key.cmp(&b.1.key))
    };
    // The one shard sends more than asked for, unless keys alone decide; the rest is counted as other.
    let generous = if by_key { terms.size } else { terms.size + terms.size / 2 + 10 };
    let sent = terms.shard_size.unwrap_or(generous).max(terms.size);
    let cut = ranked.len() > sent;
    if cut {
        ranked.select_nth_unstable_by(sent, compare);
        ranked.truncate(sent);
    }
    ranked.sort_unstable_by(compare);
    let of_sent: u64 = ranked.iter().map(|(_, bucket)| bucket.count).sum();
    ranked.retain(|(_, bucket)| bucket.count >= terms.min_doc_count);
    let beyond: u64 = ranked.iter().skip(terms.size).map(|(_, bucket)| bucket.count).sum();
    ranked.truncate(terms.size);
    let unsure = cut && terms.order.first().is_some_and(|order| order.path == "_count" && !order.descending);
    let error = if unsure { -1 } else { 0 };
    let answers: Vec<Value> = ranked
        .into_iter()
        .map(|(known, bucket)| {
            let mut answer = Map::new();
            column.show(&bucket.key, terms.source.format.as_deref(), &mut answer);
            answer.insert("doc_count".into(), json!(bucket.count));
            if terms.with_error {
                answer.insert("doc_count_error_upper_bound".into(), json!(error));
            }
            answer.extend(known.map_or_else(|| answer_subs(agg, &bucket.docs, around), |known| *known));
            Value::Object(answer)
        })
        .collect();
    around.count_buckets(answers.len());
    let mut answer = Map::new();
    answer.insert("doc_count_error_upper_bound".into(), json!(error));
    answer.insert("sum_other_doc_count".into(), json!(total - of_sent + beyond));
    answer.insert("buckets".into(), Value::Array(answers));
    answer
}

/// Adds, for `min_doc_count` 0, empty buckets for terms that only other keys have.
fn add_unfound<'k>(buckets: &mut Vec<Bucket<'k>>, column: &Column<'k>, around: &Around<'k>) {
    let everyone: Vec<&StoredKey> = around.cluster.keys().iter().collect();
    let known: std::collections::HashSet<Key> = buckets.iter().map(|bucket| bucket.key.clone()).collect();
    let others = group(&everyone, column, None, false);
    buckets.extend(others.into_iter().filter(|bucket| !known.contains(&bucket.key)).map(|bucket| Bucket {
        count: 0,
        docs: Vec::new(),
        ..bucket
    }));
}
