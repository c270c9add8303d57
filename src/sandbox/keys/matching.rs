//! Compiled queries of API keys: bounds are parsed once and fields are read without copying, so that a million keys are
//! scanned in a few milliseconds. Other queries are delegated to `query::matching`.

use super::fields::{check_types, leaves};
use crate::sandbox::{
    json::exact,
    pattern::glob,
    query::{
        dates,
        matching::matches,
        tree::{self, Query, Range},
    },
    state::key::StoredKey,
};
use std::borrow::Cow;

/// Compiled query.
pub enum ScanPlan<'q> {
    /// Matches every key.
    All,
    /// Matches no key.
    Nothing,
    /// Compiled `bool` query.
    Bool {
        /// Queries that must all match, including those of `filter`.
        must: Vec<ScanPlan<'q>>,
        /// Optional queries, of which at least `least` must match.
        should: Vec<ScanPlan<'q>>,
        /// Queries that must not match.
        must_not: Vec<ScanPlan<'q>>,
        /// Minimum number of `should` queries that must match.
        least: i64,
    },
    /// Time between two bounds in epoch milliseconds, both inclusive.
    Date(DateField, i64, i64),
    /// String field that passes a test.
    Text(TextField, Test<'q>),
    /// Metadata with a leaf, at a path or anywhere if `None`, that passes a test.
    Leaf(Option<&'q str>, Test<'q>),
    /// Keys by the value of `invalidated`.
    Invalidated(bool),
    /// Any other query, with the current time in epoch milliseconds.
    Other(&'q Query, i64),
}

/// Function that reads a time of a key, in epoch milliseconds.
pub type DateField = fn(&StoredKey) -> Option<i64>;
/// Function that reads a string that every key has.
pub type TextField = fn(&StoredKey) -> Cow<'_, str>;

/// Test of a string.
pub enum Test<'q> {
    /// Equals one of these strings.
    OneOf(Vec<&'q str>),
    /// Begins with this string.
    Prefix(&'q str),
    /// Contains this string; with the flag, case is ignored.
    Holds(String, bool),
    /// Matches a wildcard pattern; with the flag, case is ignored.
    Like(String, bool),
    /// Passes always.
    Any,
}

/// Returns the function that reads the time field with this name, `None` for other names.
pub fn date_field(field: &str) -> Option<DateField> {
    match field {
        "creation" => Some(|key| Some(key.creation)),
        "expiration" => Some(|key| key.expiration),
        "invalidation" => Some(|key| key.invalidation),
        _ => None,
    }
}

/// Returns the function that reads the string field with this name, `None` for other names.
pub fn text_field(field: &str) -> Option<TextField> {
    match field {
        "name" => Some(|key| exact::plain(&key.name, '?')),
        "username" => Some(|key| Cow::Borrowed(&key.username)),
        "realm_name" => Some(|key| Cow::Borrowed(&key.realm.name)),
        "type" => Some(|key| Cow::Borrowed(key.kind)),
        _ => None,
    }
}

impl<'q> ScanPlan<'q> {
    /// Compiles a query; `now` is in epoch milliseconds.
    pub fn of(query: &'q Query, now: i64) -> ScanPlan<'q> {
        let text = |field: &'q str, test: Test<'q>| match text_field(field) {
            Some(look) => Some(ScanPlan::Text(look, test)),
            None if field == "metadata" => Some(ScanPlan::Leaf(None, test)),
            None => field.strip_prefix("metadata.").map(|path| ScanPlan::Leaf(Some(path), test)),
        };
        let known = match query {
            Query::All => Some(ScanPlan::All),
            Query::Nothing | Query::Foreign(..) | Query::Lookup | Query::Failing(..) => Some(ScanPlan::Nothing),
            Query::Lenient(query) => {
                Some(if check_types(query, now).is_ok() { ScanPlan::of(query, now) } else { ScanPlan::Nothing })
            }
            // Such a range asks for the field by a name that the index doesn't know (as seen on 9.5.3).
            Query::Range(_, range) if range.is_open() => Some(ScanPlan::Nothing),
            Query::Bool { must, filter, should, must_not, minimum } => {
                let all =
                    |queries: &'q [Query]| queries.iter().map(|query| ScanPlan::of(query, now)).collect::<Vec<_>>();
                let free = !should.is_empty() && must.is_empty() && filter.is_empty();
                let mut every = all(must);
                every.extend(all(filter));
                let asked = minimum.as_deref().and_then(|spec| tree::least(spec, should.len())).unwrap_or(0);
                let least = asked.max(i64::from(free));
                if every.is_empty() && should.is_empty() && must_not.is_empty() {
                    return ScanPlan::All;
                }
                Some(ScanPlan::Bool { must: every, should: all(should), must_not: all(must_not), least })
            }
            Query::Term(field, value, false) | Query::Match(field, value, _) => match field.as_str() {
                "invalidated" => value.parse().ok().map(ScanPlan::Invalidated),
                field if date_field(field).is_some() => date_field(field).map(|look| {
                    let at = |up| dates::parse(value, None, now, up);
                    at(false).zip(at(true)).map_or(ScanPlan::Nothing, |(from, to)| ScanPlan::Date(look, from, to))
                }),
                field => text(field, Test::OneOf(vec![value])),
            },
            Query::Terms(field, values) => text(field, Test::OneOf(values.iter().map(String::as_str).collect())),
            Query::Prefix(field, start, false) => text(field, Test::Prefix(start)),
            Query::Wildcard(field, pattern, fold) => {
                let pattern = if *fold { pattern.to_lowercase() } else { pattern.clone() };
                let inner = pattern.strip_prefix('*').and_then(|rest| rest.strip_suffix('*'));
                match inner.filter(|inner| !inner.is_empty() && !inner.contains(['*', '?', '\\'])) {
                    Some(inner) => text(field, Test::Holds(inner.to_owned(), *fold)),
                    None => text(field, Test::Like(pattern, *fold)),
                }
            }
            Query::Exists(field) => match date_field(field) {
                Some(look) => Some(ScanPlan::Date(look, i64::MIN, i64::MAX)),
                None => text(field, Test::Any),
            },
            Query::Range(field, range) => date_field(field).map(|look| match bounds(range, now) {
                Some((from, to)) => ScanPlan::Date(look, from, to),
                None => ScanPlan::Nothing,
            }),
            _ => None,
        };
        known.unwrap_or(ScanPlan::Other(query, now))
    }

    /// Returns `true` if a key matches.
    pub fn accepts(&self, key: &StoredKey) -> bool {
        match self {
            ScanPlan::All => true,
            ScanPlan::Nothing => false,
            ScanPlan::Bool { must, should, must_not, least } => {
                let enough = || {
                    let count = should.iter().filter(|plan| plan.accepts(key)).count();
                    i64::try_from(count).unwrap_or(i64::MAX) >= *least
                };
                must.iter().all(|plan| plan.accepts(key))
                    && !must_not.iter().any(|plan| plan.accepts(key))
                    && (*least <= 0 || enough())
            }
            ScanPlan::Date(look, from, to) => look(key).is_some_and(|at| at >= *from && at <= *to),
            ScanPlan::Text(look, test) => test.accepts(&look(key)),
            ScanPlan::Leaf(path, test) => {
                let mut found = false;
                leaves(&key.metadata, *path, &mut |leaf| found = found || test.accepts(&leaf));
                found
            }
            ScanPlan::Invalidated(wanted) => key.invalidation.is_some() == *wanted,
            ScanPlan::Other(query, now) => matches(query, key, *now),
        }
    }
}

impl Test<'_> {
    fn accepts(&self, value: &str) -> bool {
        match self {
            Test::OneOf(wanted) => wanted.contains(&value),
            Test::Prefix(start) => value.starts_with(start),
            Test::Any => true,
            Test::Holds(inner, true) => holds(value, inner),
            Test::Holds(inner, false) => value.contains(inner),
            Test::Like(pattern, true) => glob(pattern, &value.to_lowercase()),
            Test::Like(pattern, false) => glob(pattern, value),
        }
    }
}

/// Returns `true` if the lower-case form of `value` contains `inner`, which is in lower case.
fn holds(value: &str, inner: &str) -> bool {
    if !value.is_ascii() {
        return value.to_lowercase().contains(inner);
    }
    value.as_bytes().windows(inner.len()).any(|part| part.eq_ignore_ascii_case(inner.as_bytes()))
}

/// Returns the times that a range allows, both inclusive; `None` if a bound can't be parsed.
fn bounds(range: &Range, now: i64) -> Option<(i64, i64)> {
    let read = |text: &Option<String>, up: bool, none: i64| match text {
        Some(text) => range.time(text, now, up),
        None => Some(none),
    };
    let above = if range.gt.is_some() { read(&range.gt, true, 0)?.checked_add(1)? } else { i64::MIN };
    let below = if range.lt.is_some() { read(&range.lt, false, 0)?.checked_sub(1)? } else { i64::MAX };
    Some((read(&range.gte, false, i64::MIN)?.max(above), read(&range.lte, true, i64::MAX)?.min(below)))
}

/// Returns the window of creation times, both inclusive, that contains all matches of the query, so that most keys need
/// not be tested.
pub fn creation_window(query: &Query, now: i64) -> (i64, i64) {
    let all = (i64::MIN, i64::MAX);
    match query {
        Query::Range(field, range) if field == "creation" && !range.is_open() => {
            bounds(range, now).unwrap_or((i64::MAX, i64::MIN))
        }
        Query::Bool { must, filter, .. } => must.iter().chain(filter).fold(all, |(from, to), query| {
            let (low, high) = creation_window(query, now);
            (from.max(low), to.min(high))
        }),
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{json, query::parse, seed};

    const NOW: i64 = 1_795_490_903_188;

    fn query(text: &str) -> Query {
        parse::parse(&json::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_plan_finds_what_the_plain_rules_find() {
        let (cluster, _) = seed::fill(400, NOW).unwrap();
        for text in [
            r#"{"match_all":{}}"#,
            r#"{"term":{"invalidated":true}}"#,
            r#"{"term":{"invalidated":{"value":"false"}}}"#,
            r#"{"term":{"username":"ana"}}"#,
            r#"{"term":{"username":{"value":"ANA","case_insensitive":true}}}"#,
            r#"{"terms":{"realm_name":["corp-ldap","reserved"]}}"#,
            r#"{"prefix":{"name":"payments-"}}"#,
            r#"{"wildcard":{"name":{"value":"*PROD*","case_insensitive":true}}}"#,
            r#"{"wildcard":{"name":"*-prod-*"}}"#,
            r#"{"wildcard":{"name":"*-prod-1*"}}"#,
            r#"{"wildcard":{"name":{"value":"*É*","case_insensitive":true}}}"#,
            r#"{"prefix":{"metadata.team":"sea"}}"#,
            r#"{"terms":{"metadata":["search","SEC-5001"]}}"#,
            r#"{"exists":{"field":"metadata"}}"#,
            r#"{"exists":{"field":"name"}}"#,
            r#"{"exists":{"field":"expiration"}}"#,
            r#"{"exists":{"field":"metadata.team"}}"#,
            r#"{"term":{"metadata.team":"search"}}"#,
            r#"{"range":{"creation":{"gte":"now-30d/d","lt":"now-1d"}}}"#,
            r#"{"range":{"expiration":{"gt":1795490903188,"lte":"now+30d"}}}"#,
            r#"{"range":{"invalidation":{"gt":"now-3d/d"}}}"#,
            r#"{"range":{"name":{"gte":"p"}}}"#,
            r#"{"bool":{"must":{"term":{"type":"rest"}},"must_not":[{"exists":{"field":"invalidation"}}],"filter":{"range":{"creation":{"gte":"now-60d"}}}}}"#,
            r#"{"bool":{"should":[{"term":{"username":"ana"}},{"term":{"metadata.team":"search"}}]}}"#,
            r#"{"bool":{"should":[{"term":{"username":"ana"}},{"term":{"metadata.team":"search"}}],"minimum_should_match":2}}"#,
            r#"{"bool":{"should":[{"term":{"username":"ana"}}],"must":{"term":{"type":"rest"}}}}"#,
        ] {
            let query = query(text);
            let plan = ScanPlan::of(&query, NOW);
            let (from, to) = creation_window(&query, NOW);
            for key in cluster.keys() {
                let wanted = matches(&query, key, NOW);
                assert_eq!(plan.accepts(key), wanted, "{text}: {}", key.name);
                assert!(!wanted || key.creation >= from && key.creation <= to, "{text}: {}", key.name);
            }
        }
    }

    #[test]
    fn only_what_must_match_narrows_the_window() {
        let window = |text: &str| creation_window(&query(text), NOW);
        assert_eq!(window(r#"{"range":{"creation":{"gte":5,"lt":9}}}"#), (5, 8));
        let both = r#"{"bool":{"filter":[{"range":{"creation":{"gt":5}}},{"range":{"creation":{"lte":9}}}]}}"#;
        assert_eq!(window(both), (6, 9));
        let may = r#"{"bool":{"should":[{"range":{"creation":{"gt":5}}}]}}"#;
        assert_eq!(window(may), (i64::MIN, i64::MAX));
    }
}
