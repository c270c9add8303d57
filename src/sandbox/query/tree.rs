//! Elasticsearch's queries as a tree. Reading them is `query_dsl`'s, matching `query_match`'s.

use super::dates;
use crate::sandbox::{http::error::EsError, json::Position};
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
    Foreign(String, Position),
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
