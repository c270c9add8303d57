//! Rows that are not as Elasticsearch writes them. Each field is read by itself: one that can't be read doesn't affect
//! the others, so a key keeps its id whatever its name is made of. Anybody who may create a key may give it a name with
//! half a surrogate pair, which is no text (as seen on 9.5.3).

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyId, KeyKind, Owner},
    inventory::RawKey,
    text::hex,
};

/// A key of which something could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OddRow {
    id: String,
    name: String,
    kind: String,
    username: String,
    realm: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    invalidated: bool,
    invalidated_at: Option<Timestamp>,
    metadata: Option<String>,
    role_descriptors: Option<String>,
    limited_by: Option<String>,
    access: Option<String>,
    certificate_identity: Option<String>,
    realm_type: Option<String>,
    flaw: String,
}

/// Names of the fields that are read.
const FIELDS: [&str; 15] = [
    "id",
    "name",
    "type",
    "creation",
    "expiration",
    "invalidated",
    "invalidation",
    "username",
    "realm",
    "metadata",
    "role_descriptors",
    "limited_by",
    "access",
    "certificate_identity",
    "realm_type",
];

const NO_TEXT: &str = "a part of it is not text";
const TWICE: &str = "it occurs twice, and the last one is used";

impl OddRow {
    /// Reads as much of a row as can be read; `None` where there is no id. `reason` says why it could not be read as a
    /// whole.
    pub(crate) fn read(row: &[u8], reason: &str) -> Option<Self> {
        let mut own = Self::default();
        let mut flaws: [Option<&str>; FIELDS.len()] = [None; FIELDS.len()];
        let mut seen = [false; FIELDS.len()];
        for (key, value) in Members::of(row) {
            let (key, _) = text(key).unwrap_or_default();
            let Some(field) = FIELDS.iter().position(|name| *name == key) else { continue };
            flaws[field] = own.take(field, value).or(seen[field].then_some(TWICE));
            seen[field] = true;
        }
        if own.id.is_empty() {
            return None;
        }
        if !seen[3] {
            flaws[3] = Some("it is missing");
        }
        let told = FIELDS.iter().zip(flaws).filter_map(|(name, flaw)| Some(format!("{name}: {}", flaw?)));
        own.flaw = told.collect::<Vec<_>>().join("; ");
        if own.flaw.is_empty() {
            own.flaw = reason.to_owned();
        }
        Some(own)
    }

    /// Reads one field; returns what is wrong with it, if anything.
    fn take(&mut self, field: usize, value: &[u8]) -> Option<&'static str> {
        if value == b"null" {
            return (field == 0).then_some("it is missing");
        }
        let (mut flaw, mut words) = (None, String::new());
        let is_text = matches!(field, 0..=2 | 7 | 8 | 13 | 14);
        if is_text {
            match text(value) {
                Some((text, is_whole)) => {
                    words = text;
                    flaw = (!is_whole).then_some(NO_TEXT);
                }
                None => return Some("it is not a text"),
            }
        }
        match field {
            0 => self.id = words,
            1 => self.name = words,
            2 => self.kind = words,
            7 => self.username = words,
            8 => self.realm = words,
            13 => self.certificate_identity = Some(words),
            14 => self.realm_type = Some(words),
            3 | 4 | 6 => match number(value) {
                Some(number) if field == 3 => self.created = number,
                Some(number) if field == 4 => self.expires = Some(number),
                Some(number) => self.invalidated_at = Some(number),
                None => flaw = Some("it is not a time in milliseconds"),
            },
            5 => match value {
                b"true" | b"false" => self.invalidated = value == b"true",
                _ => flaw = Some("it is neither true nor false"),
            },
            _ => {
                let raw = String::from_utf8_lossy(value);
                flaw = matches!(raw, Cow::Owned(_)).then_some(NO_TEXT);
                let part = serde_json::from_str::<&RawValue>(&raw).ok().map(|raw| raw.get().to_owned());
                if part.is_none() {
                    flaw = Some("it is not JSON");
                }
                match field {
                    9 => self.metadata = part,
                    10 => self.role_descriptors = part,
                    11 => self.limited_by = part,
                    _ => self.access = part,
                }
            }
        }
        flaw
    }

    pub(crate) fn raw(&self) -> RawKey<'_> {
        RawKey {
            id: &self.id,
            name: &self.name,
            kind: &self.kind,
            username: &self.username,
            realm: &self.realm,
            created: self.created,
            expires: self.expires,
            invalidated: self.invalidated,
            invalidated_at: self.invalidated_at,
            metadata: self.metadata.as_deref(),
            role_descriptors: self.role_descriptors.as_deref(),
            limited_by: self.limited_by.as_deref(),
            access: self.access.as_deref(),
            flaw: Some(&self.flaw),
        }
    }

    pub(crate) fn into_key(self) -> ApiKey {
        let raw = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        let key = ApiKey {
            id: KeyId::new(self.id),
            name: self.name,
            kind: if self.kind.is_empty() { KeyKind::default() } else { KeyKind::from_wire(&self.kind) },
            owner: Owner { username: self.username, realm: self.realm },
            created: self.created,
            expires: self.expires,
            invalidated: self.invalidated,
            invalidated_at: self.invalidated_at,
            metadata: raw(self.metadata),
            role_descriptors: raw(self.role_descriptors),
            limited_by: raw(self.limited_by),
            access: raw(self.access),
            certificate_identity: self.certificate_identity,
            realm_type: self.realm_type,
            flaw: Some(self.flaw),
            ..ApiKey::default()
        };
        key.with_facts()
    }
}

/// Returns the raw value of the last member of this name in a row.
pub(crate) fn member<'a>(row: &'a [u8], name: &str) -> Option<&'a [u8]> {
    Members::of(row).filter(|(key, _)| text(key).is_some_and(|(key, _)| key == name)).last().map(|(_, value)| value)
}

/// Reads a text in quotes, and whether it is whole: what is no character becomes U+FFFD, and then it is not.
fn text(json: &[u8]) -> Option<(String, bool)> {
    if let Ok(text) = serde_json::from_slice::<String>(json) {
        return Some((text, true));
    }
    let inside = json.strip_prefix(b"\"")?;
    let inside = String::from_utf8_lossy(inside.strip_suffix(b"\"").unwrap_or(inside));
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(escaped(&mut rest)),
            Some(c) => out.push(c),
            None => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Some((out, false))
}

/// Reads the character of `\u….`, of two such escapes where they belong together.
fn escaped(rest: &mut std::str::Chars<'_>) -> char {
    let unit = |rest: &std::str::Chars<'_>| hex::number(rest.as_str().get(..4)?.as_bytes());
    let Some(first) = unit(rest) else { return char::REPLACEMENT_CHARACTER };
    *rest = rest.as_str()[4..].chars();
    if let Some(c) = char::from_u32(first) {
        return c;
    }
    let low = rest.as_str().strip_prefix("\\u").and_then(|after| unit(&after.chars()));
    match low.filter(|low| first < 0xdc00 && (0xdc00..0xe000).contains(low)) {
        Some(low) => {
            *rest = rest.as_str()[6..].chars();
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        None => char::REPLACEMENT_CHARACTER,
    }
}

/// Reads a whole number, also one that is written with a fraction of zero.
fn number(json: &[u8]) -> Option<Timestamp> {
    if let Ok(number) = serde_json::from_slice(json) {
        return Some(Timestamp::from_millis(number));
    }
    /// Number beyond which not every whole number is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = serde_json::from_slice::<f64>(json).ok()?;
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(Timestamp::from_millis(float as i64))
}

/// Members of the outermost object, keys and raw values, as far as they can be told apart.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    fn of(row: &'a [u8]) -> Self {
        let row = row.trim_ascii();
        Self { rest: row.strip_prefix(b"{").unwrap_or_default() }
    }

    /// Returns the length of the text that begins here, its quotes included.
    fn text_length(from: &[u8]) -> usize {
        let mut at = 1;
        while let Some(found) = from.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += found + 1;
            if from[at - 1] == b'"' {
                return at;
            }
            at += 1;
        }
        from.len()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Whatever is no key is passed over, up to the end of the object.
        let start = self.rest.iter().position(|byte| matches!(byte, b'"' | b'}'))?;
        if self.rest[start] == b'}' {
            self.rest = &[];
            return None;
        }
        let (key, rest) = self.rest[start..].split_at(Self::text_length(&self.rest[start..]));
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        let (mut depth, mut at) = (0usize, 0);
        while at < rest.len() {
            match rest[at] {
                b'"' => {
                    at += Self::text_length(&rest[at..]);
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 0 => depth -= 1,
                b',' | b'}' if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        let (value, rest) = rest.split_at(at);
        self.rest = rest.strip_prefix(b",").unwrap_or(rest);
        Some((key, value.trim_ascii()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_stack::{USUAL_CASES, cases, on_small_stack};

    fn read(row: &str) -> OddRow {
        OddRow::read(row.as_bytes(), "odd").unwrap()
    }

    #[test]
    fn half_a_surrogate_pair_costs_one_character_of_the_name_and_nothing_else() {
        let row = read(
            r#"{"id":"a","name":"pay-\ud800 \ud83d\ude00 \udc00\"","type":"rest","creation":5,"username":"ana","metadata":{"n":"\ud800"}}"#,
        );
        assert_eq!((row.id.as_str(), row.created, row.username.as_str()), ("a", Timestamp::from_millis(5), "ana"));
        assert_eq!(row.name, "pay-\u{fffd} 😀 \u{fffd}\"");
        assert_eq!(row.metadata.as_deref(), Some(r#"{"n":"\ud800"}"#), "to the byte");
        assert_eq!(row.flaw, "name: a part of it is not text");
    }

    #[test]
    fn of_fields_that_stand_there_twice_the_last_is_taken_as_elasticsearch_does() {
        let row = read(r#"{"id":"a","name":"x","name":"y","creation":1,"creation":2}"#);
        assert_eq!((row.name.as_str(), row.created), ("y", Timestamp::from_millis(2)));
        assert!(row.flaw.contains("name: it occurs twice") && row.flaw.contains("creation: it occurs"));
    }

    #[test]
    fn fields_of_unexpected_types_are_told_and_the_others_read() {
        let row = read(
            r#"{"creation":"never","expiration":1.5e3,"invalidated":1,"name":7,"metadata":nonsense,"id":"a","access":{}}"#,
        );
        assert_eq!((row.expires, row.access.as_deref()), (Some(Timestamp::from_millis(1500)), Some("{}")));
        for told in [
            "creation: it is not a time",
            "invalidated: it is neither",
            "name: it is not a text",
            "metadata: it is not JSON",
        ] {
            assert!(row.flaw.contains(told), "{told}: {}", row.flaw);
        }
        assert!(read(r#"{"id":"a"}"#).flaw.contains("creation: it is missing"));
        assert_eq!(OddRow::read(br#"{"id":null,"name":"x"}"#, ""), None);
        assert_eq!(OddRow::read(br#"{"name":"id","m":{"id":"no"}}"#, ""), None);
        assert_eq!(OddRow::read(b"[\"id\",\"x\"]", ""), None);
    }

    #[test]
    fn bytes_that_are_no_text_at_all_leave_the_id() {
        let row =
            OddRow::read(b"{\"id\":\"a\",\"name\":\"\xff\xfe\",\"metadata\":{\"x\":\"\xff\"},\"creation\":1}", "")
                .unwrap();
        assert_eq!((row.id.as_str(), row.name.as_str()), ("a", "\u{fffd}\u{fffd}"));
        assert_eq!(row.metadata.as_deref(), Some("{\"x\":\"\u{fffd}\"}"));
    }

    proptest::proptest! {
        #![proptest_config(cases(USUAL_CASES))]

        #[test]
        fn any_bytes_are_read_on_a_small_stack(
            row in proptest::collection::vec(proptest::prop_oneof![
                proptest::sample::select(&b"{}[]\":,\\ud8001ee\xff"[..]).prop_map(|byte| vec![byte]),
                proptest::sample::select(&["\"id\":", "\"name\":\"", "\"creation\":", "{\"id\":\"a\",", "\\ud800", "\"metadata\":{", "null"][..])
                    .prop_map(|piece| piece.as_bytes().to_vec()),
                (proptest::sample::select(&b"[{\"1"[..]), 1usize..3000).prop_map(|(byte, times)| vec![byte; times]),
            ], 0..40).prop_map(|pieces| pieces.concat()),
        ) {
            on_small_stack(|| {
                if let Some(row) = OddRow::read(&row, "odd") {
                    assert!(!row.id.is_empty() && !row.flaw.is_empty());
                    row.into_key();
                }
            });
        }

        /// The tolerant reader reads a row that serde can read exactly as serde does.
        #[test]
        fn a_whole_row_is_read_as_serde_reads_it(
            name in "\\PC{0,8}", user in "[\"\\\\a-z\u{0}-\u{1f}é😀]{0,6}", created in proptest::num::i64::ANY, ended in proptest::bool::ANY,
            note in "[\\[\\]{},:\"\\\\a]{0,8}",
        ) {
            let row = serde_json::json!({
                "metadata": { "id": note, note.clone(): [note] }, "id": "the id", "name": name, "username": user,
                "creation": created, "invalidated": ended, "future": [{ "name": "no" }],
            });
            let read = OddRow::read(row.to_string().as_bytes(), "odd").unwrap();
            proptest::prop_assert_eq!(
                (read.id.as_str(), &read.name, &read.username, read.created, read.invalidated),
                ("the id", &name, &user, Timestamp::from_millis(created), ended)
            );
            proptest::prop_assert_eq!(read.metadata.unwrap(), row["metadata"].to_string());
            proptest::prop_assert_eq!(read.flaw, "odd");
        }
    }

    use proptest::prelude::Strategy as _;
}
