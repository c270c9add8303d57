//! Last uses of keys, as far as an index of audit events shows them: Elasticsearch itself keeps no last use.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use crate::{
    client::{AuditSource, ClientError},
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        text::number::thousands,
        time::{calendar, expiry},
    },
    ops::Session,
};

/// Default index patterns for audit events: those of the Elastic integration, and of Filebeat.
pub const USUAL: &str = "logs-elasticsearch.audit-*,filebeat-*";
/// Maximum number of keys named in a request; for more, the last uses of all keys are read.
const NAMED: usize = 1000;

/// Last uses of keys within the time range of the audit events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Index, data stream or pattern that was read.
    pub index: String,
    /// Time of the first event.
    pub from: Timestamp,
    /// Time of the last event.
    pub to: Timestamp,
    seen: HashMap<KeyId, Timestamp>,
}

/// Counts of keys by last use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Moment to which the counts refer.
    pub at: Timestamp,
    /// Number of keys last used within the day before `at`.
    pub lately: usize,
    /// Number of keys last used earlier than that day.
    pub earlier: usize,
    /// Number of keys not seen within the time range of the events.
    pub unseen: usize,
    /// Latest use of any of the keys; `None` if none was seen.
    pub last: Option<Timestamp>,
}

/// Reason why no last use is known, phrased to follow "not known: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown(pub String);

impl std::fmt::Display for NotKnown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not known: {}", self.0)
    }
}

impl Uses {
    /// Returns the time when a key was last seen; `None` if it was not seen within the time range of the events.
    pub fn of(&self, id: &KeyId) -> Option<Timestamp> {
        self.seen.get(id).copied()
    }

    /// Counts how many of these keys were seen, and when, relative to `now`.
    pub fn among<'a>(&self, ids: impl IntoIterator<Item = &'a KeyId>, now: Timestamp) -> Used {
        ids.into_iter().fold(Used { at: now, ..Used::default() }, |mut used, id| {
            match self.of(id) {
                Some(at) if at > now - TimeDelta::DAY => used.lately += 1,
                Some(_) => used.earlier += 1,
                None => used.unseen += 1,
            }
            used.last = used.last.max(self.of(id));
            used
        })
    }

    /// Formats the counts of many keys: how many were seen within a day, before that, and not at all. Dates are in
    /// `zone`.
    pub fn words_of_many(&self, used: Used, zone: &TimeZone) -> String {
        let span = format!(
            "seen between {} and {}, the period covered by audit events",
            calendar::local(self.from, zone),
            calendar::local(self.to, zone)
        );
        let Some(last) = used.last else { return format!("none of them was {span}") };
        let last = format!(" (the last one {})", expiry::ago(last, used.at));
        let lately = if used.lately > 0 { format!("within the last day{last}") } else { String::new() };
        let earlier = if used.lately > 0 { "before that".into() } else { format!("before the last day{last}") };
        let parts = [(used.lately, lately), (used.earlier, earlier), (used.unseen, format!("not {span}"))];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        parts.map(|(count, words)| format!("{} {words}", thousands(*count as u64))).collect::<Vec<_>>().join("; ")
    }

    /// Formats the last use of a key, with dates in `zone`. A key that was not seen may have been used before the first
    /// event, after the last, or by requests that the audit does not record.
    pub fn words(&self, id: &KeyId, now: Timestamp, zone: &TimeZone) -> String {
        match self.of(id) {
            Some(at) => format!("{} ({})", calendar::local(at, zone), expiry::ago(at, now)),
            None => format!(
                "not seen between {} and {}, the period covered by audit events",
                calendar::local(self.from, zone),
                calendar::local(self.to, zone)
            ),
        }
    }
}

/// Reads the last uses of keys from the audit index of the connection; if it names none, from the default ones
/// ([`USUAL`]).
///
/// # Errors
/// [`NotKnown`], with the reason.
pub async fn of(session: &Session, ids: &[KeyId]) -> Result<Uses, NotKnown> {
    within(session, ids, None).await
}

/// Reads the last uses of keys from `index`, which may be a data stream or a pattern; with `None` as [`of`] does.
///
/// # Errors
/// [`NotKnown`], with the reason.
pub async fn within(session: &Session, ids: &[KeyId], index: Option<&str>) -> Result<Uses, NotKnown> {
    let index = index.or(session.client.endpoint().audit_index.as_deref());
    let row = index.unwrap_or(USUAL);
    let is_named = index.is_some();
    let refused = |error: ClientError| NotKnown(refusal(&error, is_named, row));
    let index = match session.client.audit_source(row).await.map_err(refused)? {
        AuditSource::Usable(index) => index,
        missing => return Err(NotKnown(gap(&missing, is_named, row))),
    };
    let range = session.client.audit_range(&index).await.map_err(refused)?;
    let Some(range) = range else { return Err(NotKnown(format!("there are no audit events in {row}"))) };
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
    Ok(Uses { index: row.to_owned(), from: range.from, to: range.to, seen })
}

fn gap(source: &AuditSource, is_named: bool, row: &str) -> String {
    match source {
        AuditSource::NoKeyField => format!(
            "{}no event in {row} has an API key in a field that can be aggregated (apikey.id or \
             elasticsearch.audit.apikey.id as a keyword)",
            if is_named { "" } else { "Elasticsearch does not record it, and " }
        ),
        AuditSource::NoTimeField => format!("the events in {row} have no time (@timestamp as a date)"),
        _ if is_named => format!("there is no index {row} that you can read"),
        _ => format!(
            "Elasticsearch does not record it, and there is no index of audit events that you can read (looked for \
             {row})"
        ),
    }
}

fn refusal(error: &ClientError, is_named: bool, row: &str) -> String {
    match error {
        ClientError::Forbidden { .. } if !is_named => gap(&AuditSource::NoIndex, false, row),
        ClientError::Forbidden { .. } => {
            format!("you don't have permission to read {row}: this requires the index privilege read")
        }
        ClientError::NotFound { .. } => format!("there is no index {row}"),
        other => format!("{row} can't be read ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeDelta;

    #[test]
    fn what_was_not_seen_is_told_with_the_time_that_is_covered() {
        const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z
        let (from, to) = (NOON - TimeDelta::DAY, NOON);
        let seen = HashMap::from([(KeyId::new("a"), NOON - TimeDelta::from_hours(2))]);
        let uses = Uses { index: "i".into(), from, to, seen };
        let words = |id: &str| uses.words(&KeyId::new(id), NOON, &TimeZone::UTC);
        assert_eq!(words("a"), "24 Nov 2026, 10:00 UTC (2 hours ago)");
        let expected =
            "not seen between 23 Nov 2026, 12:00 UTC and 24 Nov 2026, 12:00 UTC, the period covered by audit events";
        assert_eq!(words("b"), expected);
    }

    #[test]
    fn of_many_keys_it_is_told_how_many_were_seen_within_a_day_before_and_not_at_all() {
        const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z
        let at = |hours: i64| NOON - TimeDelta::from_hours(hours);
        let seen = [("a", at(2)), ("b", at(23)), ("c", at(25))].map(|(id, at)| (KeyId::new(id), at));
        let uses = Uses { index: "i".into(), from: at(48), to: NOON, seen: seen.into() };
        let words = |ids: &[&str]| {
            let ids: Vec<KeyId> = ids.iter().map(|id| KeyId::new(*id)).collect();
            uses.words_of_many(uses.among(&ids, NOON), &TimeZone::UTC)
        };
        let span = "seen between 22 Nov 2026, 12:00 UTC and 24 Nov 2026, 12:00 UTC, the period covered by audit events";
        let all = format!("2 within the last day (the last one 2 hours ago); 1 before that; 2 not {span}");
        assert_eq!(words(&["a", "b", "c", "d", "e"]), all);
        assert_eq!(words(&["c"]), "1 before the last day (the last one 25 hours ago)");
        assert_eq!(words(&["d", "e"]), format!("none of them was {span}"));
    }

    #[test]
    fn why_nothing_is_known_names_the_place_and_the_way_out() {
        assert!(gap(&AuditSource::NoIndex, false, USUAL).contains(USUAL));
        assert!(gap(&AuditSource::NoKeyField, true, "my-audit").contains("apikey.id"));
        let forbidden = ClientError::Forbidden { action: None, reason: "no".into(), privileges: Vec::new() };
        assert!(refusal(&forbidden, false, USUAL).starts_with("Elasticsearch does not record it"));
        assert_eq!(
            refusal(&forbidden, true, "my-audit"),
            "you don't have permission to read my-audit: this requires the index privilege read"
        );
    }
}
