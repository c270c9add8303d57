//! Aggregations over API keys: what 9.5.3 allows, what it answers, and its refusals of all else.
//! Reading is `parse`'s, the rules of fields are `check`'s, counting is `collect`'s.

mod calendar;
mod check;
mod collect;
mod composite;
mod composite_parse;
mod date_format;
mod object;
mod parse;
mod rounding;
mod terms;
mod values;
mod zone;

use super::query::tree::Query;
pub use check::{check_allowed, check_shard};
pub use collect::{Around, run};
pub use date_format::DateFormat;
pub use parse::parse;
use rounding::Interval;
use serde_json::Value;
pub use zone::Zone;

/// One aggregation with its name.
#[derive(Debug)]
pub struct Agg {
    /// Its name in the answer.
    name: String,
    /// What it does.
    kind: Kind,
    /// What is asked of each of its buckets.
    subs: Vec<Agg>,
    /// Free data that comes back.
    meta: Option<Value>,
}

/// What an aggregation does.
#[derive(Debug)]
enum Kind {
    Terms(Terms),
    Range(Ranges),
    Missing(Source),
    Filter(Query),
    Filters(Filters),
    Cardinality(Source),
    ValueCount(Source),
    Composite(Composite),
    /// One that Elasticsearch knows and doesn't allow here.
    Foreign(&'static str),
    /// One that works on the answers of others, which isn't allowed either.
    Pipeline(&'static str),
}

/// Where values come from.
#[derive(Debug, Default)]
struct Source {
    field: Option<String>,
    script: bool,
    missing: Option<Value>,
    format: Option<String>,
}

impl Source {
    fn field(&self) -> &str {
        self.field.as_deref().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Terms {
    source: Source,
    size: usize,
    shard_size: Option<usize>,
    min_doc_count: u64,
    order: Vec<Order>,
    with_error: bool,
    include: Option<Picked>,
    exclude: Option<Picked>,
}

/// Terms by name or by pattern.
#[derive(Debug)]
enum Picked {
    Exactly(Vec<String>),
    Pattern(String),
}

/// One criterion of the order of buckets: `_count`, `_key`, or the path of a sub-aggregation.
#[derive(Debug, Clone)]
struct Order {
    path: String,
    descending: bool,
}

#[derive(Debug)]
struct Ranges {
    source: Source,
    /// Whether bounds are dates.
    dates: bool,
    keyed: bool,
    zone: Zone,
    list: Vec<OneRange>,
}

#[derive(Debug, Default)]
struct OneRange {
    key: Option<String>,
    from: Option<Bound>,
    to: Option<Bound>,
}

#[derive(Debug)]
enum Bound {
    Number(f64),
    Text(String),
}

#[derive(Debug)]
struct Filters {
    /// Named ones come sorted by name.
    list: Vec<(Option<String>, Query)>,
    keyed: bool,
    other: Option<String>,
}

#[derive(Debug)]
struct Composite {
    sources: Vec<CompositeSource>,
    size: i64,
    after: Option<Vec<(String, Value)>>,
}

#[derive(Debug)]
struct CompositeSource {
    name: String,
    source: Source,
    values: CompositeValues,
    descending: bool,
    missing_bucket: bool,
    /// Whether missing ones come first; nothing leaves it to the order.
    missing_first: Option<bool>,
}

#[derive(Debug)]
enum CompositeValues {
    Terms,
    Dates { interval: Option<Interval>, zone: Zone, offset: i64 },
    Steps(f64),
    Tiles,
}

impl CompositeValues {
    /// Its name in refusals.
    fn name(&self) -> &'static str {
        match self {
            CompositeValues::Terms => "terms",
            CompositeValues::Dates { .. } => "date_histogram",
            CompositeValues::Steps(_) => "histogram",
            CompositeValues::Tiles => "geotile_grid",
        }
    }
}

#[cfg(test)]
mod tests;
