//! When keys were last used, as far as an index of audit events can tell it: Elasticsearch keeps no last use.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::Session;
use crate::{
    client::{AuditSource, ClientError},
    model::{Millis, api_key::KeyId, calendar, expiry},
};

/// Where audit events are, if nobody says otherwise: the integration of Elastic, and Filebeat.
pub const USUAL: &str = "logs-elasticsearch.audit-*,filebeat-*";
/// So many keys are named in a request; of more, all are read.
const NAMED: usize = 1000;

/// When keys were last seen at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Where that was read.
    pub index: String,
    /// The first event.
    pub from: Millis,
    /// The last event.
    pub to: Millis,
    seen: HashMap<KeyId, Millis>,
}

/// Why nothing is known, in words that go on from "not known: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown(pub String);

impl std::fmt::Display for NotKnown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not known: {}", self.0)
    }
}

impl Uses {
    /// When a key was last seen; `None` says that it was not, within the time of the events.
    pub fn of(&self, id: &KeyId) -> Option<Millis> {
        self.seen.get(id).copied()
    }

    /// The same in words. What was not seen may have been used before the first event, after the last, or by
    /// requests that the audit does not write down.
    pub fn words(&self, id: &KeyId, now: Millis, zone: &TimeZone) -> String {
        match self.of(id) {
            Some(at) => format!("{} ({})", calendar::local(at, zone), expiry::ago(at, now)),
            None => format!(
                "not seen between {} and {}, where there are audit events",
                calendar::local(self.from, zone),
                calendar::local(self.to, zone)
            ),
        }
    }
}

/// When these keys were last used, as far as the index of the connection tells it, or the usual places.
///
/// # Errors
/// Why it is not known.
pub async fn of(session: &Session, ids: &[KeyId]) -> Result<Uses, NotKnown> {
    within(session, ids, None).await
}

/// The same of an index, a data stream or a pattern that somebody named.
///
/// # Errors
/// Why it is not known.
pub async fn within(session: &Session, ids: &[KeyId], index: Option<&str>) -> Result<Uses, NotKnown> {
    let index = index.or(session.client.endpoint().audit_index.as_deref());
    let place = index.unwrap_or(USUAL);
    let is_named = index.is_some();
    let refused = |error: ClientError| NotKnown(refusal(&error, is_named, place));
    let index = match session.client.audit_source(place).await.map_err(refused)? {
        AuditSource::Usable(index) => index,
        missing => return Err(NotKnown(gap(&missing, is_named, place))),
    };
    let range = session.client.audit_range(&index).await.map_err(refused)?;
    let Some(range) = range else { return Err(NotKnown(format!("there is no audit event in {place}"))) };
    let named = (ids.len() <= NAMED).then_some(ids);
    let mut seen = HashMap::new();
    let mut after = None;
    loop {
        let page = session.client.audit_last_seen(&index, named, after.as_ref()).await.map_err(refused)?;
        seen.extend(page.seen);
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    if named.is_none() {
        let wanted: std::collections::HashSet<&KeyId> = ids.iter().collect();
        seen.retain(|id, _| wanted.contains(id));
    }
    Ok(Uses { index: place.to_owned(), from: range.from, to: range.to, seen })
}

fn gap(source: &AuditSource, is_named: bool, place: &str) -> String {
    match source {
        AuditSource::NoKeyField => format!(
            "{}no event in {place} names an API key in a field that can be counted (apikey.id or \
             elasticsearch.audit.apikey.id as a keyword)",
            if is_named { "" } else { "Elasticsearch does not keep it, and " }
        ),
        AuditSource::NoTimeField => format!("the events in {place} have no time (@timestamp as a date)"),
        _ if is_named => format!("there is no index {place} that you may read"),
        _ => format!(
            "Elasticsearch does not keep it, and there is no index of audit events that you may read (looked for {place})"
        ),
    }
}

fn refusal(error: &ClientError, is_named: bool, place: &str) -> String {
    match error {
        ClientError::Forbidden { .. } if !is_named => gap(&AuditSource::NoIndex, false, place),
        ClientError::Forbidden { .. } => format!("you may not read {place}: it needs the index privilege read"),
        ClientError::NotFound { .. } => format!("there is no index {place}"),
        other => format!("{place} can't be read ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_told_with_the_time_that_is_covered() {
        const NOON: Millis = 1_795_521_600_000; // 2026-11-24T12:00:00Z
        let (from, to) = (NOON - 86_400_000, NOON);
        let seen = HashMap::from([(KeyId::new("a"), NOON - 7_200_000)]);
        let uses = Uses { index: "i".into(), from, to, seen };
        let words = |id: &str| uses.words(&KeyId::new(id), NOON, &TimeZone::UTC);
        assert_eq!(words("a"), "24 Nov 2026, 10:00 UTC (2 hours ago)");
        let expected =
            "not seen between 23 Nov 2026, 12:00 UTC and 24 Nov 2026, 12:00 UTC, where there are audit events";
        assert_eq!(words("b"), expected);
    }

    #[test]
    fn why_nothing_is_known_names_the_place_and_the_way_out() {
        assert!(gap(&AuditSource::NoIndex, false, USUAL).contains(USUAL));
        assert!(gap(&AuditSource::NoKeyField, true, "my-audit").contains("apikey.id"));
        let forbidden = ClientError::Forbidden { action: None, reason: "no".into(), privileges: Vec::new() };
        assert!(refusal(&forbidden, false, USUAL).starts_with("Elasticsearch does not keep it"));
        assert_eq!(
            refusal(&forbidden, true, "my-audit"),
            "you may not read my-audit: it needs the index privilege read"
        );
    }
}
