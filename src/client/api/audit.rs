//! Audit events that were put into an index: which keys acted when. Elasticsearch itself records no last use.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{call::Call, connection::Client, error::ClientError},
    model::{Timestamp, api_key::KeyId},
};

/// Fields that may hold the id of the key that acted: under the name that Filebeat and the integration of Elastic give,
/// or as the log has it; text that was mapped dynamically has a subfield that can be aggregated.
const KEY_FIELDS: [&str; 4] =
    ["elasticsearch.audit.apikey.id", "elasticsearch.audit.apikey.id.keyword", "apikey.id", "apikey.id.keyword"];
/// Fields that may hold the time; `timestamp`, as the log has it, is mapped as a date (as seen on 9.5.3).
const TIME_FIELDS: [&str; 3] = ["@timestamp", "elasticsearch.audit.@timestamp", "timestamp"];
/// Field that tells audit events from other lines in the same index, where it exists.
const DATASET: &str = "event.dataset";
const AUDIT: &str = "elasticsearch.audit";
/// Number of keys in one answer.
const PAGE: usize = 1000;

/// Indices with audit events, and how they are mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditIndex {
    /// Names or patterns, separated by commas.
    pub indices: String,
    /// The field with the id of the key that acted.
    pub key_field: String,
    time_field: String,
    has_dataset: bool,
}

/// Result of checking whether an index can provide the last use of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSource {
    /// The index can.
    Usable(AuditIndex),
    /// There is no such index, or none that may be read: Elasticsearch doesn't distinguish.
    NoIndex,
    /// No event names a key, or its id can't be aggregated.
    NoKeyField,
    /// No field holds the time as a date.
    NoTimeField,
}

/// Time range and number of the audit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRange {
    /// Time of the first event.
    pub from: Timestamp,
    /// Time of the last event.
    pub to: Timestamp,
    /// Number of events.
    pub events: u64,
}

/// A page of the keys that acted.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AuditPage {
    /// Keys, each with the time of its last event.
    pub seen: Vec<(KeyId, Timestamp)>,
    /// Value after which the next page begins; `None` on the last page.
    pub after: Option<Value>,
}

#[derive(Deserialize)]
struct WireCaps {
    #[serde(default)]
    indices: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, BTreeMap<String, WireCap>>,
}

#[derive(Deserialize)]
struct WireCap {
    #[serde(default)]
    aggregatable: bool,
    /// Indices in which the field is mapped this way; `None` where all of them do.
    indices: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WireAnswer<A> {
    hits: WireHits,
    aggregations: Option<A>,
}

#[derive(Deserialize)]
struct WireHits {
    total: WireTotal,
}

#[derive(Deserialize)]
struct WireTotal {
    value: u64,
}

#[derive(Deserialize)]
struct WireRange {
    from: WireNumber,
    to: WireNumber,
}

#[derive(Deserialize)]
struct WireNumber {
    value: Option<f64>,
}

impl WireNumber {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds, which a double holds for 285,000 years")]
    fn millis(&self) -> Option<Timestamp> {
        self.value.map(|value| Timestamp::from_millis(value as i64))
    }
}

#[derive(Deserialize)]
struct WireKeys {
    keys: WireBuckets,
}

#[derive(Deserialize)]
struct WireBuckets {
    after_key: Option<Value>,
    #[serde(default)]
    buckets: Vec<WireBucket>,
}

#[derive(Deserialize)]
struct WireBucket {
    key: WireKey,
    last: WireNumber,
}

#[derive(Deserialize)]
struct WireKey {
    id: String,
}

impl Client {
    /// Asks how an index, a data stream or a pattern is mapped (`_field_caps`; needs the index privilege `read`).
    ///
    /// # Errors
    /// Any error of a request. A user who may read no index at all is refused; otherwise indices that may not be read
    /// are left out as if they were not there (as seen on 9.5.3).
    pub async fn audit_source(&self, indices: &str) -> Result<AuditSource, ClientError> {
        let fields: Vec<&str> = KEY_FIELDS.into_iter().chain(TIME_FIELDS).chain([DATASET]).collect();
        let (fields, segments) = (fields.join(","), [indices, "_field_caps"]);
        let mut call = Call::new(Method::GET, &segments).query_if(true, "fields", &fields);
        call.query.extend([("ignore_unavailable", "true"), ("allow_no_indices", "true")]);
        let caps: WireCaps = self.send(call).await?.success()?.parse()?;
        Ok(source(indices, &caps))
    }

    /// Returns the time range of the audit events; `None` where there are none.
    ///
    /// # Errors
    /// Any error of a request, a shard that does not answer included.
    pub async fn audit_range(&self, index: &AuditIndex) -> Result<Option<AuditRange>, ClientError> {
        let at = || json!({ "field": index.time_field });
        let body = json!({ "size": 0, "track_total_hits": true, "query": index.events(),
            "aggs": { "from": { "min": at() }, "to": { "max": at() } } });
        let answer: WireAnswer<WireRange> = self.search(index, &body).await?;
        let ends = answer.aggregations.and_then(|range| Some((range.from.millis()?, range.to.millis()?)));
        Ok(ends.map(|(from, to)| AuditRange { from, to, events: answer.hits.total.value }))
    }

    /// Returns the keys that acted, each with the time of its last event, sorted by id; `ids` restricts them (to at
    /// most 65,536, as seen on 9.5.3).
    ///
    /// # Errors
    /// Any error of a request, a shard that does not answer included.
    pub async fn audit_last_seen(
        &self,
        index: &AuditIndex,
        ids: Option<&[KeyId]>,
        after: Option<&Value>,
    ) -> Result<AuditPage, ClientError> {
        let mut filter = vec![index.events()];
        if let Some(ids) = ids {
            let ids: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
            filter.push(json!({ "terms": { &*index.key_field: ids } }));
        }
        let mut keys = json!({ "size": PAGE, "sources": [{ "id": { "terms": { "field": index.key_field } } }] });
        if let Some(after) = after {
            keys["after"] = after.clone();
        }
        let last = json!({ "last": { "max": { "field": index.time_field } } });
        let body = json!({ "size": 0, "track_total_hits": true, "query": { "bool": { "filter": filter } },
            "aggs": { "keys": { "composite": keys, "aggs": last } } });
        let answer: WireAnswer<WireKeys> = self.search(index, &body).await?;
        // Where no index is left there is no aggregation either.
        let Some(WireKeys { keys }) = answer.aggregations else { return Ok(AuditPage::default()) };
        let is_last = keys.buckets.len() < PAGE;
        let buckets = keys.buckets.into_iter();
        let seen = buckets.filter_map(|bucket| Some((KeyId::new(bucket.key.id), bucket.last.millis()?)));
        Ok(AuditPage { seen: seen.collect(), after: keys.after_key.filter(|_| !is_last) })
    }

    async fn search<A: for<'a> Deserialize<'a>>(&self, index: &AuditIndex, body: &Value) -> Result<A, ClientError> {
        let segments = [&*index.indices, "_search"];
        let mut call = Call::new(Method::POST, &segments).body(body.to_string());
        // A part of the events would make a key look unused.
        call.query.extend([
            ("ignore_unavailable", "true"),
            ("allow_no_indices", "true"),
            ("allow_partial_search_results", "false"),
        ]);
        self.send(call).await?.success()?.parse()
    }
}

impl AuditIndex {
    /// Builds the query for audit events. Where no field tells them from other lines, only those that name a key count:
    /// covering too short a time is better than too long a one.
    fn events(&self) -> Value {
        if !self.has_dataset {
            return json!({ "exists": { "field": self.key_field } });
        }
        json!({ "bool": { "minimum_should_match": 1, "should": [
            { "term": { DATASET: AUDIT } }, { "exists": { "field": self.key_field } }] } })
    }
}

/// Reads the mapping. Where a field is mapped differently between indices, those that can be queried are used.
fn source(indices: &str, caps: &WireCaps) -> AuditSource {
    if caps.indices.is_empty() && caps.fields.is_empty() {
        return AuditSource::NoIndex;
    }
    let usable = |field: &&str, kinds: &[&str]| {
        let mapped = caps.fields.get(*field)?;
        let cap = mapped.iter().find(|(kind, cap)| cap.aggregatable && kinds.contains(&kind.as_str()))?;
        Some(((*field).to_owned(), cap.1.indices.clone()))
    };
    let first = |fields: &[&str], kinds: &[&str]| fields.iter().find_map(|field| usable(field, kinds));
    let Some((key_field, only)) = first(&KEY_FIELDS, &["keyword", "constant_keyword", "wildcard"]) else {
        return AuditSource::NoKeyField;
    };
    let Some((time_field, _)) = first(&TIME_FIELDS, &["date", "date_nanos"]) else {
        return AuditSource::NoTimeField;
    };
    let has_dataset = usable(&DATASET, &["keyword", "constant_keyword"]).is_some();
    let indices = only.map_or_else(|| indices.to_owned(), |only| only.join(","));
    AuditSource::Usable(AuditIndex { indices, key_field, time_field, has_dataset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: Value) -> AuditSource {
        let caps = json!({ "indices": ["a"], "fields": fields });
        source("a*", &serde_json::from_value(caps).unwrap())
    }

    fn field(kind: &str, aggregatable: bool) -> Value {
        json!({ kind: { "type": kind, "aggregatable": aggregatable, "searchable": true } })
    }

    #[test]
    fn the_mapping_decides_which_fields_are_asked() {
        let time = || field("date", true);
        let usable = |fields: Value| match of(fields) {
            AuditSource::Usable(index) => (index.indices, index.key_field, index.has_dataset),
            other => panic!("{other:?}"),
        };
        let shipped = json!({ "elasticsearch.audit.apikey.id": field("keyword", true), "@timestamp": time(),
            "apikey.id": field("keyword", true), "event.dataset": field("constant_keyword", true) });
        assert_eq!(usable(shipped), ("a*".into(), "elasticsearch.audit.apikey.id".into(), true));
        let guessed = json!({ "apikey.id": field("text", false), "apikey.id.keyword": field("keyword", true),
            "@timestamp": time() });
        assert_eq!(usable(guessed), ("a*".into(), "apikey.id.keyword".into(), false));
        let mut both = field("keyword", true);
        both["keyword"]["indices"] = json!(["a1", "a2"]);
        both["text"] = json!({ "aggregatable": false, "indices": ["a3"] });
        assert_eq!(usable(json!({ "apikey.id": both, "@timestamp": time() })).0, "a1,a2");
    }

    #[test]
    fn what_is_missing_is_told_apart() {
        assert_eq!(source("a*", &serde_json::from_value(json!({})).unwrap()), AuditSource::NoIndex);
        assert_eq!(of(json!({ "@timestamp": field("date", true) })), AuditSource::NoKeyField);
        assert_eq!(of(json!({ "apikey.id": field("text", false) })), AuditSource::NoKeyField);
        let no_time = json!({ "apikey.id": field("keyword", true), "timestamp": field("text", false) });
        assert_eq!(of(no_time), AuditSource::NoTimeField);
    }
}
