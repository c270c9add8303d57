//! A key as a row for people. It doesn't know why it is printed.

use std::borrow::Borrow;

use jiff::tz::TimeZone;

use super::output;
use crate::model::{
    Millis,
    api_key::ApiKey,
    calendar,
    expiry::{self, Status},
};

/// The head of the table of keys.
pub(super) const HEAD: [&str; 8] = ["NAME", "ID", "APPLICATION ID", "OWNER", "ROLES", "EXPIRES", "LEFT", "STATUS"];

/// A key as a row of a table, made harmless.
pub(super) fn row(key: &ApiKey, now: Millis, zone: &TimeZone) -> Vec<String> {
    let left = match key.status(now) {
        Status::Never | Status::Invalidated => String::new(),
        _ => expiry::remaining(key.expires, now),
    };
    vec![
        output::cell(&key.name),
        id(key),
        key.application_id().map(output::cell).unwrap_or_default(),
        output::cell(&key.owner.username),
        output::cell(&key.roles().join(", ")),
        if key.is_unread("expiration") { "not known".into() } else { expires(key, zone) },
        if key.is_unread("expiration") { String::new() } else { left },
        status(key, now),
    ]
}

/// Its status and, of the few that need it, the mark that something of it could not be read.
fn status(key: &ApiKey, now: Millis) -> String {
    let is_known = !key.is_unread("invalidated") && (key.invalidated || !key.is_unread("expiration"));
    let word = if is_known { key.status(now).machine_word() } else { "not known" };
    if key.flaw.is_some() { format!("{word}, not fully readable") } else { word.into() }
}

/// All of them, as a table.
pub(super) fn table<K: Borrow<ApiKey>>(keys: impl IntoIterator<Item = K>, now: Millis, zone: &TimeZone) -> String {
    let rows: Vec<Vec<String>> = keys.into_iter().map(|key| row(key.borrow(), now, zone)).collect();
    output::table(&HEAD, &rows)
}

/// Its id, never cut.
pub(super) fn id(key: &ApiKey) -> String {
    crate::model::harmless::shown(key.id.as_str()).into_owned()
}

/// When it ends, in local time.
pub(super) fn expires(key: &ApiKey, zone: &TimeZone) -> String {
    key.expires.map_or_else(|| "never".into(), |at| calendar::local(at, zone))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::{DAY, api_key::KeyId};

    const NOW: Millis = 1_795_521_600_000;

    fn key() -> ApiKey {
        ApiKey {
            id: KeyId::new("VuaC"),
            name: "evil\u{202e}\u{1b}[31m".into(),
            created: NOW - DAY,
            expires: Some(NOW + DAY),
            metadata: RawValue::from_string(r#"{"application_id":"app","roles":["reader"],"n":1.0e+2}"#.into()).ok(),
            ..Default::default()
        }
        .with_facts()
    }

    #[test]
    fn people_get_a_name_that_is_harmless() {
        let row = row(&key(), NOW, &TimeZone::UTC);
        assert_eq!(row[0], "evil‹U+202E›‹U+001B›[31m");
        assert_eq!(row[5..], ["25 Nov 2026, 12:00 UTC", "in 24 hours", "active"]);
    }

    #[test]
    fn dates_beyond_the_calendar_are_carried() {
        let key = ApiKey { expires: Some(i64::MAX), created: i64::MIN, ..key() };
        assert!(row(&key, NOW, &TimeZone::UTC)[5].contains("not a date"));
    }

    #[test]
    fn what_could_not_be_read_is_told_as_not_known() {
        let flawed = |flaw: &str| row(&ApiKey { flaw: Some(flaw.into()), ..key() }, NOW, &TimeZone::UTC);
        assert_eq!(flawed("name: odd")[7], "active, not fully readable");
        assert_eq!(flawed("expiration: odd")[5..], ["not known", "", "not known, not fully readable"]);
        assert_eq!(flawed("name: odd; invalidated: odd")[7], "not known, not fully readable");
    }

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        assert_eq!(row(&key(), NOW, &TimeZone::UTC).len(), HEAD.len());
    }
}
