//! A key as data for programs and as a row for people. It doesn't know why it is printed.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;

use super::output;
use crate::model::{
    Millis,
    api_key::{ApiKey, KeyKind},
    calendar,
    expiry::{self, Status},
};

/// A key as JSON, under the names that Elasticsearch gives its fields.
#[derive(Serialize)]
pub(super) struct KeyJson<'a> {
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    r#type: &'a str,
    username: &'a str,
    realm: &'a str,
    roles: &'a [String],
    creation: Millis,
    expiration: Option<Millis>,
    invalidated: bool,
    invalidation: Option<Millis>,
    status: &'static str,
    managed_by: Option<&'a str>,
    metadata: Option<&'a RawValue>,
}

impl<'a> KeyJson<'a> {
    pub(super) fn new(key: &'a ApiKey, now: Millis) -> Self {
        Self {
            id: key.id.as_str(),
            name: &key.name,
            application_id: key.application_id(),
            r#type: kind(&key.kind),
            username: &key.owner.username,
            realm: &key.owner.realm,
            roles: key.roles(),
            creation: key.created,
            expiration: key.expires,
            invalidated: key.invalidated,
            invalidation: key.invalidated_at,
            status: key.status(now).machine_word(),
            managed_by: key.managed_by(),
            metadata: key.metadata.as_deref(),
        }
    }
}

fn kind(kind: &KeyKind) -> &str {
    match kind {
        KeyKind::Rest => "rest",
        KeyKind::CrossCluster => "cross_cluster",
        KeyKind::Other(name) => name,
    }
}

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
        expires(key, zone),
        left,
        key.status(now).machine_word().into(),
    ]
}

/// All of them, as a table.
pub(super) fn table<'a>(keys: impl IntoIterator<Item = &'a ApiKey>, now: Millis, zone: &TimeZone) -> String {
    let rows: Vec<Vec<String>> = keys.into_iter().map(|key| row(key, now, zone)).collect();
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

/// The head of the CSV file of keys.
pub(super) const CSV_HEAD: [&str; 11] = [
    "id",
    "name",
    "application_id",
    "type",
    "username",
    "realm",
    "roles",
    "creation",
    "expiration",
    "invalidated",
    "status",
];

/// A key as a row of a CSV file: names as they are, times in UTC, no expiration is an empty cell.
pub(super) fn csv_row(key: &ApiKey, now: Millis) -> Vec<String> {
    vec![
        key.id.as_str().to_owned(),
        key.name.clone(),
        key.application_id().unwrap_or_default().to_owned(),
        kind(&key.kind).to_owned(),
        key.owner.username.clone(),
        key.owner.realm.clone(),
        key.roles().join(", "),
        calendar::rfc3339(key.created),
        key.expires.map(calendar::rfc3339).unwrap_or_default(),
        key.invalidated.to_string(),
        key.status(now).machine_word().to_owned(),
    ]
}

#[cfg(test)]
mod tests {
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
    fn programs_get_the_name_as_it_is_and_people_get_it_harmless() {
        let json = serde_json::to_value(KeyJson::new(&key(), NOW)).unwrap();
        assert_eq!(json["name"], "evil\u{202e}\u{1b}[31m");
        assert_eq!((&json["application_id"], &json["expiration"]), (&"app".into(), &(NOW + DAY).into()));
        assert_eq!((&json["type"], &json["status"]), (&"rest".into(), &"active".into()));
        let row = row(&key(), NOW, &TimeZone::UTC);
        assert_eq!(row[0], "evil‹U+202E›‹U+001B›[31m");
        assert_eq!(row[5..], ["25 Nov 2026, 12:00 UTC", "in 24 hours", "active"]);
    }

    #[test]
    fn metadata_keeps_its_digits() {
        assert!(serde_json::to_string(&KeyJson::new(&key(), NOW)).unwrap().contains(r#""n":1.0e+2"#));
    }

    #[test]
    fn dates_beyond_the_calendar_are_carried() {
        let key = ApiKey { expires: Some(i64::MAX), created: i64::MIN, ..key() };
        assert!(row(&key, NOW, &TimeZone::UTC)[5].contains("not a date"));
        assert_eq!(csv_row(&key, NOW)[8], i64::MAX.to_string());
    }

    #[test]
    fn every_row_has_a_cell_for_every_column() {
        assert_eq!(row(&key(), NOW, &TimeZone::UTC).len(), HEAD.len());
        assert_eq!(csv_row(&key(), NOW).len(), CSV_HEAD.len());
    }
}
