//! Keys for the tests of the formats.

use std::{borrow::Cow, ops::ControlFlow};

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::{About, Format, Row, write};
use crate::model::{
    TimeDelta, Timestamp,
    api_key::{ApiKey, KeyId, Owner},
};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z

pub(super) fn about(with_cluster: bool) -> About {
    About { cluster: "Prod".into(), with_cluster, now: NOW, made_at: NOW, zone: TimeZone::UTC }
}

pub(super) fn key(id: &str, name: &str, expires: Option<Timestamp>) -> ApiKey {
    let raw = |text: &str| RawValue::from_string(text.into()).ok();
    ApiKey {
        id: KeyId::new(id),
        name: name.into(),
        owner: Owner { username: "ann".into(), realm: "ldap".into() },
        created: NOW - TimeDelta::DAY,
        expires,
        metadata: raw("{\"application_id\":\"app\",\n \"n\":1.0e+2}"),
        role_descriptors: raw(r#"{"reader":{"cluster":["monitor"]}}"#),
        ..Default::default()
    }
    .with_facts()
}

pub(super) fn rows(keys: &[ApiKey]) -> impl Iterator<Item = Row<'_>> {
    keys.iter().map(|key| Row { cluster: "Prod", key: Cow::Borrowed(key) })
}

/// Keys with the worst names and times that a cluster can send.
pub(super) fn hostile() -> Vec<ApiKey> {
    let names = [
        "=1+1".into(),
        "＝1+1".into(),
        "-1".into(),
        "@x".into(),
        "\tx".into(),
        "\rx".into(),
        "two\nlines\r\nthree".into(),
        "a, \"b\"; c\\d".into(),
        "nul\0 bell\u{7} esc\u{1b}[31m del\u{7f} nel\u{85} no\u{ffff}".into(),
        "evil\u{202e}gpj".into(),
        "🔑 key 鍵".into(),
        "鍵".repeat(256),
        "_x0041_ ]]> <f>1</f> &amp;".into(),
        " blanks ".into(),
        "END:VEVENT\r\nBEGIN:VEVENT".into(),
        String::new(),
    ];
    let mut keys: Vec<ApiKey> = names.iter().map(|name| key(name, name, Some(NOW + TimeDelta::DAY))).collect();
    for at in [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::EPOCH, Timestamp::MAX] {
        keys.push(ApiKey { created: at, invalidated_at: Some(at), ..key("time", "time", Some(at)) });
    }
    keys
}

pub(super) fn bytes(format: Format, keys: &[ApiKey], about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    write(format, &mut out, rows(keys), about, &mut |_| ControlFlow::Continue(())).unwrap();
    out
}

pub(super) fn text(format: Format, keys: &[ApiKey], about: &About) -> String {
    String::from_utf8(bytes(format, keys, about)).unwrap()
}
