//! Aggregations over API keys: those that 9.5.3 allows, with its answers, and its refusals of all others. Parsing is in
//! `parse`, rules for fields in `check`, counting in `collect`.

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

/// Aggregation with its name.
#[derive(Debug)]
pub struct Agg {
    /// Name in the answer.
    name: String,
    /// Kind of the aggregation.
    kind: Kind,
    /// Sub-aggregations for each bucket.
    subs: Vec<Agg>,
    /// Free-form data (`meta`), returned unchanged.
    meta: Option<Value>,
}

/// Kind of an aggregation, with its parameters.
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
    /// Aggregation that Elasticsearch supports but does not allow here.
    Foreign(&'static str),
    /// Pipeline aggregation, which works on the answers of others and is not allowed here either.
    Pipeline(&'static str),
}

/// Source of the values: a field, with a substitute for missing values and a format.
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

/// Terms listed by name or given by a pattern.
#[derive(Debug)]
enum Picked {
    Exactly(Vec<String>),
    Pattern(String),
}

/// Criterion for the order of buckets: `_count`, `_key`, or the path of a sub-aggregation.
#[derive(Debug, Clone)]
struct Order {
    path: String,
    descending: bool,
}

#[derive(Debug)]
struct Ranges {
    source: Source,
    /// `true` if bounds are dates.
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
    /// Filters with their names, if named; named ones are sorted by name.
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
    /// `true` if missing values come first; `None` for the default of the order.
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
    /// Returns the name of the source's type in refusals.
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
