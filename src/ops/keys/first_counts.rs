//! First counts by the cluster itself, in one request, for the time until all keys are read.

use serde_json::{Value, json};

use crate::{
    client::ClientError,
    model::{
        TimeDelta, Timestamp,
        inventory::{
            StatusCounts,
            overview::{Bar, Overview},
        },
        time::{
            expiry::{EXPIRING, EXPIRING_SOON},
            status::Status,
        },
        version::Feature,
    },
    ops::Session,
};

/// Counts by the cluster itself: statuses, expirations by day (UTC), owners, types, realms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstCounts {
    counts: StatusCounts,
    within: [usize; 3],
    days: Vec<(Timestamp, usize)>,
    owners: Vec<(String, usize)>,
    kinds: Vec<(String, usize)>,
    realms: Vec<(String, usize)>,
    now: Timestamp,
}

/// Reads the counts; `None` if the cluster has no aggregations (before 8.14), or leaves a part of the answer out.
///
/// # Errors
/// Any error of the request, unless the cluster lacks or rejects aggregations.
pub async fn first(session: &Session) -> Result<Option<FirstCounts>, ClientError> {
    if !session.has(Feature::Aggregations) {
        return Ok(None);
    }
    let now = session.now();
    let valid = json!({ "term": { "invalidated": false } });
    // A range excludes its end, and a status includes it.
    let after = now + TimeDelta::MILLISECOND;
    let until = |days: i64| json!({ "from": after, "to": after + days * TimeDelta::DAY });
    let ranges = json!([
        { "key": "expired", "to": after },
        { "key": "expiring", "from": after, "to": after + EXPIRING },
        { "key": "soon", "from": after + EXPIRING, "to": after + EXPIRING_SOON },
        { "key": "later", "from": after + EXPIRING_SOON },
    ]);
    let days = json!({ "date_histogram": { "field": "expiration", "fixed_interval": "1d" } });
    let terms = |field: &str| json!({ "terms": { "field": field, "size": 100 } });
    let aggregations = json!({
        "invalidated": { "filter": { "term": { "invalidated": true } } },
        "valid": { "filter": valid, "aggs": {
            "never": { "missing": { "field": "expiration" } },
            "ends": { "range": { "field": "expiration", "ranges": ranges } },
            "within": { "range": { "field": "expiration", "ranges": [until(7), until(30), until(90)] } },
        } },
        "days": { "composite": { "size": 1000, "sources": [{ "at": days }] } },
        "owners": terms("username"), "kinds": terms("type"), "realms": terms("realm_name"),
    });
    let answer = match session.client.count_api_keys(None, Some(&aggregations)).await {
        Ok((_, answer)) => answer,
        // Another version than was told, or none was told.
        Err(ClientError::Rejected { .. } | ClientError::Lacks(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(FirstCounts::read(&answer, now))
}

impl FirstCounts {
    /// Reads an answer; `None` if a count is missing: it is not known, and not 0.
    fn read(answer: &Value, now: Timestamp) -> Option<Self> {
        let count = |value: &Value| value["doc_count"].as_u64().and_then(|n| usize::try_from(n).ok());
        let terms = |name: &str| {
            let term = |bucket: &Value| Some((bucket["key"].as_str()?.to_owned(), count(bucket)?));
            answer[name]["buckets"].as_array()?.iter().map(term).collect::<Option<Vec<_>>>()
        };
        let valid = &answer["valid"];
        let ends = valid["ends"]["buckets"].as_array()?;
        let end = |key: &str| ends.iter().find(|bucket| bucket["key"] == key).and_then(count);
        let mut counts = StatusCounts::default();
        for (status, found) in [
            (Status::Invalidated, count(&answer["invalidated"])),
            (Status::Never, count(&valid["never"])),
            (Status::Expired, end("expired")),
            (Status::Expiring, end("expiring")),
            (Status::ExpiringSoon, end("soon")),
            (Status::Active, end("later")),
        ] {
            counts.set(status, found?);
        }
        let mut within = valid["within"]["buckets"].as_array()?.iter().map(count).collect::<Option<Vec<_>>>()?;
        within.sort_unstable();
        let day = |bucket: &Value| Some((Timestamp::from_millis(bucket["key"]["at"].as_i64()?), count(bucket)?));
        Some(Self {
            counts,
            within: within.try_into().ok()?,
            days: answer["days"]["buckets"].as_array()?.iter().map(day).collect::<Option<_>>()?,
            owners: terms("owners")?,
            kinds: terms("kinds")?,
            realms: terms("realms")?,
            now,
        })
    }

    /// Returns the counts as an overview that is still to be confirmed. `bars` is the timeline of expirations, with
    /// empty counts.
    pub fn overview(&self, mut bars: Vec<Bar>) -> Overview {
        for (at, count) in &self.days {
            // A day of UTC counts with the local day in which its noon lies.
            let noon = *at + TimeDelta::DAY / 2;
            // By its beginning: a day at a threshold is told as what asks for attention, not as what does not.
            let status = Status::of(Some(*at), false, self.now);
            if let Some(bar) = bars.iter_mut().find(|bar| (bar.from..bar.until).contains(&noon)) {
                bar.counts.set(status, bar.counts.of(status) + count);
            }
        }
        Overview {
            counts: self.counts,
            within: self.within,
            bars,
            owners: self.owners.clone(),
            kinds: self.kinds.clone(),
            realms: self.realms.clone(),
            ..Overview::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_figures_and_one_that_lacks_a_count_becomes_none() {
        let answer = json!({
            "invalidated": { "doc_count": 3 },
            "valid": { "doc_count": 9, "never": { "doc_count": 2 },
                "ends": { "buckets": [{ "key": "expired", "doc_count": 1 }, { "key": "expiring", "doc_count": 0 },
                    { "key": "soon", "doc_count": 0 }, { "key": "later", "doc_count": 6 }] },
                "within": { "buckets": [{ "doc_count": 0 }, { "doc_count": 1 }, { "doc_count": 4 }] } },
            "days": { "buckets": [{ "key": { "at": 0 }, "doc_count": 1 }] },
            "owners": { "buckets": [{ "key": "ana", "doc_count": 12 }] },
            "kinds": { "buckets": [] }, "realms": { "buckets": [] },
        });
        let overview = FirstCounts::read(&answer, Timestamp::EPOCH).unwrap().overview(Vec::new());
        assert_eq!((overview.counts.total(), overview.counts.usable(), overview.within), (12, 8, [0, 1, 4]));
        assert_eq!((overview.owners, overview.is_confirmed), (vec![("ana".into(), 12)], false));
        assert_eq!(FirstCounts::read(&json!({ "valid": 7, "owners": [] }), Timestamp::EPOCH), None);
        for missing in [
            "/invalidated/doc_count",
            "/valid/never/doc_count",
            "/valid/ends/buckets/0/doc_count",
            "/valid/within/buckets",
            "/days/buckets",
            "/owners/buckets/0/doc_count",
            "/realms/buckets",
        ] {
            let mut lacking = answer.clone();
            *lacking.pointer_mut(missing).unwrap() = Value::Null;
            assert_eq!(FirstCounts::read(&lacking, Timestamp::EPOCH), None, "{missing}");
        }
    }
}
