//! Aggregations as parsed: a tree of kinds with their parameters.

use super::{rounding::Interval, zone::Zone};
use crate::sandbox::query::tree::Query;
use serde_json::Value;

/// Aggregation with its name.
#[derive(Debug)]
pub struct Agg {
    /// Name in the answer.
    pub name: String,
    /// Kind of the aggregation.
    pub kind: Kind,
    /// Sub-aggregations for each bucket.
    pub subs: Vec<Agg>,
    /// Free-form data (`meta`), returned unchanged.
    pub meta: Option<Value>,
}

/// Kind of an aggregation, with its parameters.
#[derive(Debug)]
pub enum Kind {
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
pub struct Source {
    pub field: Option<String>,
    pub script: bool,
    pub missing: Option<Value>,
    pub format: Option<String>,
}

impl Source {
    pub fn field(&self) -> &str {
        self.field.as_deref().unwrap_or_default()
    }
}

#[derive(Debug)]
pub struct Terms {
    pub source: Source,
    pub size: usize,
    pub shard_size: Option<usize>,
    pub min_doc_count: u64,
    pub order: Vec<Order>,
    pub with_error: bool,
    pub include: Option<Picked>,
    pub exclude: Option<Picked>,
}

/// Terms listed by name or given by a pattern.
#[derive(Debug)]
pub enum Picked {
    Exactly(Vec<String>),
    Pattern(String),
}

/// Criterion for the order of buckets: `_count`, `_key`, or the path of a sub-aggregation.
#[derive(Debug, Clone)]
pub struct Order {
    pub path: String,
    pub descending: bool,
}

#[derive(Debug)]
pub struct Ranges {
    pub source: Source,
    /// `true` if bounds are dates.
    pub dates: bool,
    pub keyed: bool,
    pub zone: Zone,
    pub list: Vec<OneRange>,
}

#[derive(Debug, Default)]
pub struct OneRange {
    pub key: Option<String>,
    pub from: Option<Bound>,
    pub to: Option<Bound>,
}

#[derive(Debug)]
pub enum Bound {
    Number(f64),
    Text(String),
}

#[derive(Debug)]
pub struct Filters {
    /// Filters with their names, if named; named ones are sorted by name.
    pub list: Vec<(Option<String>, Query)>,
    pub keyed: bool,
    pub other: Option<String>,
}

#[derive(Debug)]
pub struct Composite {
    pub sources: Vec<CompositeSource>,
    pub size: i64,
    pub after: Option<Vec<(String, Value)>>,
}

#[derive(Debug)]
pub struct CompositeSource {
    pub name: String,
    pub source: Source,
    pub values: CompositeValues,
    pub descending: bool,
    pub missing_bucket: bool,
    /// `true` if missing values come first; `None` for the default of the order.
    pub missing_first: Option<bool>,
}

#[derive(Debug)]
pub enum CompositeValues {
    Terms,
    Dates { interval: Option<Interval>, zone: Zone, offset: i64 },
    Steps(f64),
    Tiles,
}

impl CompositeValues {
    /// Returns the name of the source's type in refusals.
    pub fn name(&self) -> &'static str {
        match self {
            CompositeValues::Terms => "terms",
            CompositeValues::Dates { .. } => "date_histogram",
            CompositeValues::Steps(_) => "histogram",
            CompositeValues::Tiles => "geotile_grid",
        }
    }
}
