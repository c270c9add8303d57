//! Aggregation `terms`: parsed, counted and sorted.

use super::{
    super::{
        cluster::StoredKey,
        http::error::EsError,
        json::{Kind as Json, Node},
        pattern,
        security::descriptor::Fault,
    },
    Agg, Kind, Order, Picked, Terms,
    collect::{Around, answer_subs, value_at},
    object::{Need, Parsed, flag, illegal, integer, parsing, parsing_at_end},
    parse::source,
    values::{Bucket, Column, Key, group},
};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Parses the aggregation.
pub fn terms(name: &str, node: &Node) -> Parsed<Kind> {
    let fields = [
        ("size", Need::Number),
        ("shard_size", Need::Number),
        ("min_doc_count", Need::Number),
        ("shard_min_doc_count", Need::Number),
        ("show_term_doc_count_error", Need::Flag),
        ("execution_hint", Need::Text),
        ("collect_mode", Need::Text),
        ("order", Need::Objects),
        ("include", Need::Any),
        ("exclude", Need::Any),
    ];
    let (mut size, mut shard_size, mut min_doc_count, mut with_error) = (10, None, 1, false);
    let (mut order, mut include, mut exclude) = (Vec::new(), None, None);
    let least = |value: &Node, number: i64, what: &str, least: i64| {
        if number >= least {
            return Ok(usize::try_from(number).unwrap_or(0));
        }
        let bound = if least == 0 { "greater than or equal to 0" } else { "greater than 0" };
        illegal(value, format!("[{what}] must be {bound}. Found [{number}] in [{name}]"))
    };
    let source = source("terms", node, &fields, |field, value| {
        match field {
            "size" => size = least(value, integer(value)?, "size", 1)?,
            "shard_size" => shard_size = Some(least(value, integer(value)?, "shardSize", 1)?),
            "min_doc_count" => min_doc_count = least(value, integer(value)?, "minDocCount", 0)?,
            "shard_min_doc_count" => {
                least(value, integer(value)?, "shardMinDocCount", 0)?;
            }
            "show_term_doc_count_error" => with_error = flag(value)?,
            "order" => {
                if value.elements().is_some_and(<[Node]>::is_empty) {
                    let reason = "Index 0 out of bounds for length 0";
                    let error = EsError::new(400, "index_out_of_bounds_exception", reason);
                    return Err(Fault { at: value.end, error });
                }
                for entry in value.elements().unwrap_or(std::slice::from_ref(value)) {
                    order.push(one_order(entry)?);
                }
            }
            "include" => include = picked(value),
            "exclude" => exclude = picked(value),
            _ => {}
        }
        Ok(())
    })?;
    if order.is_empty() {
        order.push(Order { path: "_count".to_owned(), descending: true });
    }
    let min_doc_count = u64::try_from(min_doc_count).unwrap_or(0);
    Ok(Kind::Terms(Terms { source, size, shard_size, min_doc_count, order, with_error, include, exclude }))
}

/// Parses one order; if it has several fields, the last one counts.
fn one_order(node: &Node) -> Parsed<Order> {
    let mut order = None;
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        let Some(text) = value.text() else {
            return parsing(value, format!("Unexpected token [{}] for [order]", value.token()));
        };
        let descending = match text.to_lowercase().as_str() {
            "asc" => false,
            "desc" => true,
            _ => return parsing(value, format!("Unknown order direction [{text}]")),
        };
        order = Some(Order { path: member.name.clone(), descending });
    }
    match order {
        Some(order) => Ok(order),
        None => parsing_at_end(node, "Must specify at least one field for [order]".to_owned()),
    }
}

fn picked(node: &Node) -> Option<Picked> {
    match &node.kind {
        Json::Text(pattern) => Some(Picked::Pattern(pattern.clone())),
        Json::Array(values) => Some(Picked::Exactly(values.iter().filter_map(Node::scalar).collect())),
        _ => None,
    }
}

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
