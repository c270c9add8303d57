//! The cluster's own first figures, in one request, for the time until all keys are read.

use serde_json::{Value, json};

use crate::{
    client::ClientError,
    model::{
        DAY, Millis,
        expiry::{EXPIRING, EXPIRING_SOON, Status},
        inventory::StatusCounts,
        overview::{Bar, Overview},
        version::Feature,
    },
    ops::Session,
};

/// What the cluster counts by itself: statuses, ends by day (of UTC), owners, types, realms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    counts: StatusCounts,
    within: [usize; 3],
    days: Vec<(Millis, usize)>,
    owners: Vec<(String, usize)>,
    kinds: Vec<(String, usize)>,
    realms: Vec<(String, usize)>,
    now: Millis,
}

/// Asks for them; `None` where the cluster has no aggregations (before 8.14).
///
/// # Errors
/// Whatever a request can meet.
pub async fn first(session: &Session) -> Result<Option<Figures>, ClientError> {
    if !session.has(Feature::Aggregations) {
        return Ok(None);
    }
    let now = session.now();
    let valid = json!({ "term": { "invalidated": false } });
    let until = |days: i64| json!({ "from": now + 1, "to": now + days * DAY + 1 });
    let ranges = json!([
        { "key": "expired", "to": now + 1 },
        { "key": "expiring", "from": now + 1, "to": now + EXPIRING + 1 },
        { "key": "soon", "from": now + EXPIRING + 1, "to": now + EXPIRING_SOON + 1 },
        { "key": "later", "from": now + EXPIRING_SOON + 1 },
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
    Ok(Some(Figures::read(&answer, now)))
}

impl Figures {
    fn read(answer: &Value, now: Millis) -> Self {
        let count = |value: &Value| value["doc_count"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let buckets = |value: &Value| value["buckets"].as_array().cloned().unwrap_or_default();
        let terms = |name: &str| {
            let term = |bucket: &Value| Some((bucket["key"].as_str()?.to_owned(), count(bucket)));
            buckets(&answer[name]).iter().filter_map(term).collect::<Vec<_>>()
        };
        let mut counts = StatusCounts::default();
        counts.set(Status::Invalidated, count(&answer["invalidated"]));
        counts.set(Status::Never, count(&answer["valid"]["never"]));
        for bucket in buckets(&answer["valid"]["ends"]) {
            let status = match bucket["key"].as_str() {
                Some("expired") => Status::Expired,
                Some("expiring") => Status::Expiring,
                Some("soon") => Status::ExpiringSoon,
                Some("later") => Status::Active,
                _ => continue,
            };
            counts.set(status, count(&bucket));
        }
        let mut within = buckets(&answer["valid"]["within"]).iter().map(count).collect::<Vec<_>>();
        within.sort_unstable();
        let day = |bucket: &Value| Some((bucket["key"]["at"].as_i64()?, count(bucket)));
        Self {
            counts,
            within: [0, 1, 2].map(|at| within.get(at).copied().unwrap_or(0)),
            days: buckets(&answer["days"]).iter().filter_map(day).collect(),
            owners: terms("owners"),
            kinds: terms("kinds"),
            realms: terms("realms"),
            now,
        }
    }

    /// As an overview that is still to be confirmed. `bars` is the timeline of what ends, empty.
    pub fn overview(&self, mut bars: Vec<Bar>) -> Overview {
        for (at, count) in &self.days {
            // A day of UTC counts with the local day in which its noon lies.
            let noon = at.saturating_add(DAY / 2);
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
    fn an_answer_becomes_figures_and_an_odd_one_becomes_none() {
        let answer = json!({
            "invalidated": { "doc_count": 3 },
            "valid": { "doc_count": 9, "never": { "doc_count": 2 },
                "ends": { "buckets": [{ "key": "expired", "doc_count": 1 }, { "key": "later", "doc_count": 6 }] },
                "within": { "buckets": [{ "doc_count": 0 }, { "doc_count": 1 }, { "doc_count": 4 }] } },
            "owners": { "buckets": [{ "key": "ana", "doc_count": 12 }] },
        });
        let overview = Figures::read(&answer, 0).overview(Vec::new());
        assert_eq!((overview.counts.total(), overview.counts.usable(), overview.within), (12, 8, [0, 1, 4]));
        assert_eq!((overview.owners, overview.is_confirmed), (vec![("ana".into(), 12)], false));
        assert_eq!(Figures::read(&json!({ "valid": 7, "owners": [] }), 0), Figures::default());
    }
}
