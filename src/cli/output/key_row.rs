//! A key as a row for people. It doesn't know why it is printed.

use std::borrow::Borrow;

use jiff::tz::TimeZone;

use crate::{
    cli::output,
    model::{
        Timestamp,
        api_key::ApiKey,
        text::sanitize,
        time::{calendar, expiry, status::Status},
    },
    ops::clock,
};

/// Columns of the table of keys, by their names in `--columns`.
pub(crate) const COLUMNS: [&str; 8] = ["name", "id", "app", "owner", "roles", "expires", "left", "status"];
/// Headers of the columns.
const HEAD: [&str; 8] = ["NAME", "ID", "APPLICATION ID", "OWNER", "ROLES", "EXPIRES", "LEFT", "STATUS"];
/// Headers of the columns whose cells are never cut.
pub(crate) const WHOLE: [&str; 4] = ["ID", "EXPIRES", "LEFT", "STATUS"];

/// Formats a cell of a key by the name of its column, made harmless; empty for an unknown name.
pub(crate) fn cell(key: &ApiKey, column: &str, now: Timestamp, zone: &TimeZone) -> String {
    match column {
        "name" => output::cell(&key.name),
        "id" => id(key),
        "app" => key.application_id().map(output::cell).unwrap_or_default(),
        "type" => output::cell(crate::export::kind(&key.kind)),
        "owner" => output::cell(&key.owner.username),
        "realm" => output::cell(&key.owner.realm),
        "roles" => output::cell(&roles(key)),
        "created" => key.known_created().map_or_else(|| "not known".into(), |at| calendar::local(at, zone)),
        "expires" => expires(key, zone),
        "left" => match key.known_status(now) {
            None | Some(Status::Never | Status::Invalidated) => String::new(),
            _ => expiry::remaining(key.expires, now),
        },
        "status" => status(key, now),
        "invalidated" => key.invalidated_at.map(|at| calendar::local(at, zone)).unwrap_or_default(),
        "managed" => key.managed_by().map(output::cell).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Formats the roles that a key was made from, or the names of its role descriptors; where there are none, the reason.
/// Never blank.
pub(crate) fn roles(key: &ApiKey) -> String {
    match (key.roles(), &key.role_descriptors) {
        ([], None) => "not reported".into(), // before 8.5, and with nothing in the metadata
        ([], Some(_)) if key.is_unrestricted() => "all of the owner's".into(),
        ([], Some(_)) => "none".into(),
        (names, _) => sanitize::shown(&names.join(", ")).into_owned(),
    }
}

/// Formats a key as a row of the table, made harmless.
pub(crate) fn row(key: &ApiKey, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    COLUMNS.iter().map(|column| cell(key, column, now, zone)).collect()
}

/// Returns the status of a key for people; “not known” if it could not be read.
pub(crate) fn status_label(key: &ApiKey, now: Timestamp) -> &'static str {
    key.known_status(now).map_or("not known", Status::word)
}

/// Formats the status of a key for programs, with a mark if a part of the key could not be read.
fn status(key: &ApiKey, now: Timestamp) -> String {
    let word = key.known_status(now).map_or("not known", Status::machine_word);
    if key.flaw.is_some() { format!("{word}, not fully readable") } else { word.into() }
}

/// Formats keys as a table as wide as the terminal.
pub(crate) fn table<K: Borrow<ApiKey>>(keys: impl IntoIterator<Item = K>, now: Timestamp, zone: &TimeZone) -> String {
    let rows: Vec<Vec<String>> = keys.into_iter().map(|key| row(key.borrow(), now, zone)).collect();
    output::fitted(&HEAD, &rows, &WHOLE, output::width())
}

/// Formats the id of a key, made harmless and never cut.
pub(crate) fn id(key: &ApiKey) -> String {
    sanitize::shown(key.id.as_str()).into_owned()
}

/// Formats the expiration of a key in local time; “never” without one, “not known” if it could not be read.
pub(crate) fn expires(key: &ApiKey, zone: &TimeZone) -> String {
    if key.is_unread("expiration") {
        return "not known".into();
    }
    key.expires.map_or_else(|| "never".into(), |at| calendar::local(at, zone))
}

/// Formats the expiration in local time and the time until then.
pub(crate) fn expires_and_remaining(key: &ApiKey, now: Timestamp) -> String {
    match key.expires {
        _ if key.is_unread("expiration") => "not known".into(),
        None => "never".into(),
        Some(at) => format!("{} ({})", calendar::local(at, &clock::zone()), expiry::remaining(Some(at), now)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::{TimeDelta, api_key::KeyId};

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    fn key() -> ApiKey {
        ApiKey {
            id: KeyId::new("VuaC"),
            name: "evil\u{202e}\u{1b}[31m".into(),
            created: NOW - TimeDelta::DAY,
            expires: Some(NOW + TimeDelta::DAY),
            metadata: RawValue::from_string(r#"{"application_id":"app","roles":["reader"],"n":1.0e+2}"#.into()).ok(),
            ..Default::default()
        }
        .with_facts()
    }

    #[test]
    fn people_get_a_name_that_is_harmless() {
        let row = row(&key(), NOW, &TimeZone::UTC);
        assert_eq!(row[0], "evil‹U+202E›‹U+001B›[31m");
        assert_eq!(row[5..], ["25 Nov 2026, 12:00 UTC", "in 24 hours", "valid"]);
    }

    /// A blank cell would say neither "all" nor "nothing" nor "not known".
    #[test]
    fn roles_are_never_blank() {
        let raw = |text: &str| RawValue::from_string(text.into()).ok();
        let with = |descriptors: Option<&str>| {
            let role_descriptors = descriptors.and_then(raw);
            roles(&ApiKey { role_descriptors, ..Default::default() }.with_facts())
        };
        assert_eq!(with(None), "not reported");
        assert_eq!(with(Some("{}")), "all of the owner's");
        assert_eq!(with(Some(r#"{"none":{}}"#)), "none");
        let unnamed =
            ApiKey { role_descriptors: raw(r#"{"a":{}}"#), metadata: raw(r#"{"roles":[]}"#), ..Default::default() };
        assert_eq!(roles(&unnamed.with_facts()), "none");
        assert_eq!(roles(&key()), "reader");
    }

    #[test]
    fn dates_beyond_the_calendar_are_carried() {
        let key = ApiKey { expires: Some(Timestamp::MAX), created: Timestamp::MIN, ..key() };
        assert!(row(&key, NOW, &TimeZone::UTC)[5].contains("not a date"));
    }

    #[test]
    fn what_could_not_be_read_is_told_as_not_known() {
        let flawed = |flaw: &str| row(&ApiKey { flaw: Some(flaw.into()), ..key() }, NOW, &TimeZone::UTC);
        assert_eq!(flawed("name: odd")[7], "valid, not fully readable");
        assert_eq!(flawed("expiration: odd")[5..], ["not known", "", "not known, not fully readable"]);
        assert_eq!(flawed("name: odd; invalidated: odd")[7], "not known, not fully readable");
    }

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        assert_eq!(row(&key(), NOW, &TimeZone::UTC).len(), HEAD.len());
    }
}
