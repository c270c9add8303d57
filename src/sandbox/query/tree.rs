//! Elasticsearch's queries as a tree; parsed in `parse`, matched in `matching`.

use super::dates;
use crate::sandbox::{http::error::EsError, json::Position};
use jiff::tz::TimeZone;

/// Parsed query.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// `match_all`
    All,
    /// `match_none`
    Nothing,
    /// `bool`
    Bool {
        /// Queries that must all match.
        must: Vec<Query>,
        /// Queries that must all match, as in `must`.
        filter: Vec<Query>,
        /// Optional queries, of which at least `minimum` must match.
        should: Vec<Query>,
        /// Queries that must not match.
        must_not: Vec<Query>,
        /// Value of `minimum_should_match` as written, if given.
        minimum: Option<String>,
    },
    /// `term`: field, its exact value, and whether case is ignored.
    Term(String, String, bool),
    /// `terms`
    Terms(String, Vec<String>),
    /// `match`: field, text, and whether every word (else any) must match.
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
    /// `simple_query_string`: text, fields, and whether every word must match.
    Simple(String, Vec<String>, bool),
    /// Query that Elasticsearch supports and the sandbox does not: name and position.
    Foreign(String, Position),
    /// Query in which a value that does not fit its field matches nothing instead of failing.
    Lenient(Box<Query>),
    /// Query of a field whose error only appears when the query is built: field and failure of the shard.
    Failing(String, Box<EsError>),
    /// `terms` query with its values in another document, which is not supported in any context here.
    Lookup,
}

/// Range bounds as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Range {
    /// Exclusive lower bound.
    pub gt: Option<String>,
    /// Inclusive lower bound.
    pub gte: Option<String>,
    /// Exclusive upper bound.
    pub lt: Option<String>,
    /// Inclusive upper bound.
    pub lte: Option<String>,
    /// Format of dates.
    pub format: Option<String>,
    /// Time zone for the beginnings of days and for dates without a zone; UTC if `None`.
    pub zone: Option<TimeZone>,
    /// `true` if a relation was given, which only ranges of range fields support.
    pub relation: bool,
}

impl Range {
    /// Returns `true` if the range has no bounds.
    pub fn is_open(&self) -> bool {
        self.gt.is_none() && self.gte.is_none() && self.lt.is_none() && self.lte.is_none()
    }

    /// Returns the requested time zone, or UTC.
    pub fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    /// Parses a bound as a time in epoch milliseconds; `None` if it can't be parsed.
    pub fn time(&self, text: &str, now: i64, up: bool) -> Option<i64> {
        dates::parse_in(text, self.format.as_deref(), now, up, &self.zone())
    }
}

/// Returns how many of `count` optional clauses must match by a `minimum_should_match` such as `2`, `-1`, `75%` or
/// `2<75%`; `None` if it can't be parsed.
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
