//! Keys as JSON under Elasticsearch's field names, one per line or all in one array; numbers in JSON of the cluster
//! keep every digit.

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::value::RawValue;

use super::{
    escape::Escaping,
    rows::{About, ExportError, Row, Rows, Written, status_word},
};
use crate::model::{Timestamp, api_key::ApiKey};

/// A key as JSON, under Elasticsearch's field names.
#[derive(Serialize)]
pub struct KeyJson<'a> {
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    r#type: &'a str,
    username: &'a str,
    realm: &'a str,
    roles: &'a [String],
    creation: Option<Timestamp>,
    expiration: Option<Timestamp>,
    invalidated: Option<bool>,
    invalidation: Option<Timestamp>,
    status: &'static str,
    managed_by: Option<&'a str>,
    metadata: Option<&'a RawValue>,
    role_descriptors: Option<&'a RawValue>,
    access: Option<&'a RawValue>,
    /// Reason why the key could not be read completely; left out for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_fully_readable: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
}

impl<'a> KeyJson<'a> {
    /// Creates the JSON of a key as it is at `now`, by the cluster's clock.
    pub fn new(key: &'a ApiKey, now: Timestamp) -> Self {
        Self {
            id: key.id.as_str(),
            name: &key.name,
            application_id: key.application_id(),
            r#type: super::kind(&key.kind),
            username: &key.owner.username,
            realm: &key.owner.realm,
            roles: key.roles(),
            creation: key.known_created(),
            expiration: key.expires,
            invalidated: key.known_invalidated(),
            invalidation: key.invalidated_at,
            status: status_word(key, now),
            managed_by: key.managed_by(),
            metadata: key.metadata.as_deref(),
            role_descriptors: key.role_descriptors.as_deref(),
            access: key.access.as_deref(),
            not_fully_readable: key.flaw.as_deref(),
            cluster: None,
        }
    }

    fn of(row: &'a Row, about: &About) -> Self {
        Self { cluster: about.with_cluster.then_some(row.cluster), ..Self::new(&row.key, about.now) }
    }
}

pub(super) fn write(out: &mut dyn Write, rows: &mut Rows, about: &About) -> Result<Written, ExportError> {
    let mut out = Escaping::json(out);
    let mut line = Vec::new();
    while let Some(row) = rows.next()? {
        line.clear();
        serde_json::to_writer(&mut line, &KeyJson::of(&row, about)).map_err(io::Error::from)?;
        // Within a text they are escaped: these are line ends between the tokens of what the cluster sent.
        line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(rows.all())
}

pub(super) fn write_array(out: &mut dyn Write, rows: &mut Rows, about: &About) -> Result<Written, ExportError> {
    let mut out = Escaping::json(out);
    let mut json = serde_json::Serializer::pretty(&mut out);
    let mut array = json.serialize_seq(None).map_err(io::Error::from)?;
    while let Some(row) = rows.next()? {
        array.serialize_element(&KeyJson::of(&row, about)).map_err(io::Error::from)?;
    }
    array.end().map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(rows.all())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::export::{Format, fixture::*};

    #[test]
    fn every_key_is_one_line_whose_raw_parts_keep_their_digits() {
        let keys = hostile();
        let text = text(Format::JsonLines, &keys, &about(true));
        assert_eq!(text.lines().count(), keys.len());
        for (line, key) in text.lines().zip(&keys) {
            assert!(line.contains("\"metadata\":{\"application_id\":\"app\",  \"n\":1.0e+2}"), "{line}");
            let json: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&json["name"], &json["cluster"]), (&key.name.as_str().into(), &"Prod".into()));
            assert_eq!((&json["creation"], &json["access"]), (&key.created.as_millis().into(), &Value::Null));
            assert_eq!(json["role_descriptors"]["reader"]["cluster"][0], "monitor");
        }
    }

    /// Whatever the names and the raw metadata hold, nothing but line ends could act on a terminal.
    #[test]
    fn no_escape_sequence_is_written_raw_and_all_reads_back_equal() {
        let mut keys = hostile();
        let odd = "\u{1b}]52;c;eA==\u{7} \u{7f}\u{9b}31m\u{9d}0;x\u{9c} \u{202e}\u{2066}";
        let raw = serde_json::to_string(&serde_json::json!({ "note": odd, odd: 1 })).unwrap();
        let metadata = serde_json::value::RawValue::from_string(raw.clone()).unwrap();
        keys.push(crate::model::api_key::ApiKey { metadata: Some(metadata), ..key("odd", odd, None) }.with_facts());
        for format in [Format::JsonLines, Format::Json] {
            let text = text(format, &keys, &about(true));
            let is_bad = |c: char| crate::model::text::invisible::is_treacherous(c) && c != '\n';
            assert!(!text.contains(is_bad), "{text:?}");
            let list = if format == Format::Json { text } else { format!("[{}]", text.trim().replace('\n', ",")) };
            let list: Vec<Value> = serde_json::from_str(&list).unwrap();
            let names: Vec<&str> = list.iter().map(|key| key["name"].as_str().unwrap()).collect();
            assert_eq!(names, keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>());
            assert_eq!(list.last().unwrap()["metadata"], serde_json::from_str::<Value>(&raw).unwrap());
        }
    }

    #[test]
    fn the_array_has_the_same_objects() {
        let keys = hostile();
        let lines = text(Format::JsonLines, &keys, &about(false));
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let array = text(Format::Json, &keys, &about(false));
        assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap(), lines);
        assert!(
            array.starts_with("[\n  {\n    \"id\": ") && array.ends_with("\n]\n") && !array.contains("\"cluster\": \"")
        );
        assert_eq!(text(Format::Json, &[], &about(false)), "[]\n");
    }
}
