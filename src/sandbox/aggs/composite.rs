//! Aggregation `composite`: pages of buckets by several values, in order.

use super::{
    agg::{Agg, Composite, CompositeSource, CompositeValues},
    check::after_keys,
    collect::{Around, answer_subs},
    rounding::Rounding,
    values::{Bucket, Column, Grouper, Key, group, written},
};
use crate::sandbox::state::key::StoredKey;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

impl CompositeSource {
    /// Compares two values in the order of this source.
    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let missing_first = self.missing_first.unwrap_or(!self.descending);
        match (a, b) {
            (Key::Missing, Key::Missing) => Ordering::Equal,
            (Key::Missing, _) if missing_first => Ordering::Less,
            (Key::Missing, _) => Ordering::Greater,
            (_, Key::Missing) => self.compare(b, a).reverse(),
            _ if self.descending => b.cmp(a),
            _ => a.cmp(b),
        }
    }

    fn group<'k>(&'k self, docs: &[&'k StoredKey], keep: bool) -> Vec<Bucket<'k>> {
        let column = Column::of(self.source.field());
        let missing = |groups: &mut Grouper<'k>, doc: &'k StoredKey| {
            if self.missing_bucket {
                groups.add(Key::Missing, doc);
            }
        };
        let mut groups = Grouper::new(keep);
        match &self.values {
            CompositeValues::Terms if !self.missing_bucket => return group(docs, &column, None, keep),
            CompositeValues::Dates { interval: Some(interval), zone, offset } => {
                let mut rounding = Rounding::new(*interval, zone, *offset);
                for doc in docs {
                    match column.number(doc) {
                        Some(at) => groups.add_number(rounding.begin(at), doc),
                        None => missing(&mut groups, doc),
                    }
                }
            }
            CompositeValues::Steps(step) => {
                for doc in docs {
                    match column.number(doc) {
                        Some(at) => groups.add_number(floor(at, *step), doc),
                        None => missing(&mut groups, doc),
                    }
                }
            }
            _ => {
                let (found, lacking): (Vec<&StoredKey>, Vec<&StoredKey>) =
                    docs.iter().partition(|doc| column.exists(doc));
                let mut buckets = group(&found, &column, None, keep);
                lacking.into_iter().for_each(|doc| missing(&mut groups, doc));
                buckets.extend(groups.finish());
                return buckets;
            }
        }
        groups.finish()
    }

    fn show(&self, key: &Key) -> Value {
        match (&self.values, key) {
            (_, Key::Missing) => Value::Null,
            (_, Key::Text(text)) => json!(text),
            (CompositeValues::Terms, Key::Number(flag)) if self.source.field() == "invalidated" => json!(*flag == 1),
            (CompositeValues::Dates { zone, .. }, Key::Number(at)) if self.source.format.is_some() => {
                json!(written(*at, self.source.format.as_deref(), zone))
            }
            (CompositeValues::Steps(_), Key::Number(at)) => json!(at.to_string()),
            (_, Key::Number(at)) => json!(at),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the server counts in doubles, too")]
fn floor(at: i64, step: f64) -> i64 {
    ((at as f64 / step).floor() * step) as i64
}

/// Runs the aggregation.
pub fn run<'k>(agg: &'k Agg, asked: &'k Composite, docs: &[&'k StoredKey], around: &Around<'k>) -> Map<String, Value> {
    let after = after_keys(&agg.name, asked).ok().flatten();
    let mut page =
        Page { size: usize::try_from(asked.size).unwrap_or(0), keep: !agg.subs.is_empty(), found: Vec::new() };
    page.expand(&asked.sources, docs, after.as_deref(), &mut Vec::new());
    around.count_buckets(page.found.len());
    let named = |keys: &[Key]| -> Value {
        let pairs = asked.sources.iter().zip(keys);
        Value::Object(pairs.map(|(source, key)| (source.name.clone(), source.show(key))).collect())
    };
    let mut answer = Map::new();
    if let Some((last, ..)) = page.found.last() {
        answer.insert("after_key".into(), named(last));
    }
    let buckets = page.found.iter().map(|(keys, count, docs)| {
        let mut bucket = Map::new();
        bucket.insert("key".into(), named(keys));
        bucket.insert("doc_count".into(), json!(count));
        bucket.extend(answer_subs(agg, docs, around));
        Value::Object(bucket)
    });
    answer.insert("buckets".into(), buckets.collect());
    answer
}

/// Values of a bucket, its number of keys, and the keys themselves if wanted.
type Found<'k> = (Vec<Key<'k>>, u64, Vec<&'k StoredKey>);

struct Page<'k> {
    size: usize,
    keep: bool,
    found: Vec<Found<'k>>,
}

impl<'k> Page<'k> {
    /// Visits the buckets of the first source in order, and those of the remaining sources below each, until the page
    /// is full.
    fn expand(
        &mut self,
        sources: &'k [CompositeSource],
        docs: &[&'k StoredKey],
        after: Option<&[Key]>,
        above: &mut Vec<Key<'k>>,
    ) {
        let Some((source, rest)) = sources.split_first() else { return };
        let mut buckets = source.group(docs, self.keep || !rest.is_empty());
        buckets.sort_unstable_by(|a, b| source.compare(&a.key, &b.key));
        for bucket in buckets {
            if self.found.len() >= self.size {
                return;
            }
            let place = after.and_then(<[Key]>::first).map(|first| source.compare(&bucket.key, first));
            if place == Some(Ordering::Less) || place == Some(Ordering::Equal) && rest.is_empty() {
                continue;
            }
            let below = if place == Some(Ordering::Equal) { after.and_then(|after| after.get(1..)) } else { None };
            above.push(bucket.key);
            if rest.is_empty() {
                self.found.push((above.clone(), bucket.count, bucket.docs));
            } else {
                self.expand(rest, &bucket.docs, below, above);
            }
            above.pop();
        }
    }
}
