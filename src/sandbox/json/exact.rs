//! Texts and numbers that neither `String` nor `serde_json::Number` can hold: half of a surrogate pair, and numbers
//! that no `f64` represents. Elasticsearch keeps both and returns them unchanged (as seen on 9.5.3), so they are
//! encoded as characters of the private use area and become JSON again when an answer is written.

use serde_json::{Number, Value};
use std::borrow::Cow;

/// First of the characters with a special meaning; if a client sent such a character itself, it is preceded by
/// `LITERAL`.
const FIRST: char = '\u{10f7fe}';
/// Marks a text as a number; its digits follow.
const NUMBER: char = '\u{10f7fe}';
/// Marks the next character as literal.
const LITERAL: char = '\u{10f7ff}';
/// Code that represents U+D800; the other surrogate halves follow in order.
const HALVES: u32 = 0x0010_f800;
/// First code of the surrogate halves in Unicode.
const FIRST_HALF: u32 = 0xd800;

/// Returns the character that represents a surrogate half; `code` is U+D800 to U+DFFF.
pub fn half(code: u32) -> char {
    code.checked_sub(FIRST_HALF).and_then(|offset| char::from_u32(HALVES + offset)).unwrap_or('\u{fffd}')
}

/// Appends a character that a client sent, with `LITERAL` before it if necessary.
pub fn push(text: &mut Vec<u8>, character: char) {
    let mut buffer = [0; 4];
    if character >= FIRST {
        text.extend_from_slice(LITERAL.encode_utf8(&mut buffer).as_bytes());
    }
    text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
}

/// Returns the character at the beginning of `bytes` if it must be preceded by `LITERAL`, else `None`.
pub fn reserved(bytes: &[u8]) -> Option<char> {
    let four = bytes.get(..4).filter(|four| four.starts_with(b"\xf4\x8f"))?;
    std::str::from_utf8(four).ok()?.chars().next().filter(|character| *character >= FIRST)
}

/// Returns a number as Elasticsearch keeps it: integers of any length exactly, others as a `double`.
pub fn number(raw: &str) -> Value {
    if let Some(value) = small(raw) {
        return value;
    }
    if !raw.contains(['.', 'e', 'E']) {
        return as_written(raw);
    }
    match raw.parse::<f64>() {
        Ok(value) if value.is_infinite() => Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        Ok(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Err(_) => Value::Null,
    }
}

/// Returns a number exactly as written, as the source of a document keeps it.
pub fn number_as_written(raw: &str) -> Value {
    let plain = small(raw).filter(|value| format!("{value}") == raw);
    plain.unwrap_or_else(|| as_written(raw))
}

fn small(raw: &str) -> Option<Value> {
    // "-0" is a whole number and has no sign.
    raw.parse::<i64>().map(Value::from).or_else(|_| raw.parse::<u64>().map(Value::from)).ok()
}

fn as_written(raw: &str) -> Value {
    Value::String(format!("{NUMBER}{raw}"))
}

/// Returns `true` if a text contains no characters with a special meaning.
fn is_plain(text: &str) -> bool {
    memchr::memchr(0xf4, text.as_bytes()).is_none() || !text.contains(|character| character >= FIRST)
}

/// Returns the text as an index stores it, with each surrogate half replaced by `replacement`: `?` for ordinary fields,
/// U+FFFD for metadata (as seen on 9.5.3).
pub fn plain(text: &str, replacement: char) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            NUMBER => {}
            LITERAL => plain.extend(characters.next()),
            half if half >= FIRST => plain.push(replacement),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// Returns the number of UTF-16 units of a text, as Java counts them.
pub fn utf16_len(text: &str) -> usize {
    if is_plain(text) {
        return text.encode_utf16().count();
    }
    let mut count = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        count += match character {
            NUMBER => 0,
            LITERAL => characters.next().map_or(0, char::len_utf16),
            half if half >= FIRST => 1,
            other => other.len_utf16(),
        };
    }
    count
}

/// Returns JSON text as sent to clients: surrogate halves as escapes, exact numbers without quotes.
pub fn written(json: String) -> String {
    if is_plain(&json) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            NUMBER => {
                let quoted = out.ends_with('"') && !out.ends_with("\\\"");
                if quoted {
                    out.pop();
                }
                while let Some(digit) = characters.next_if(|next| next.is_ascii_alphanumeric() || "+-.".contains(*next))
                {
                    out.push(digit);
                }
                if quoted {
                    characters.next_if_eq(&'"');
                }
            }
            LITERAL => out.extend(characters.next()),
            half if half >= FIRST => {
                let code = u32::from(half).saturating_sub(HALVES) + FIRST_HALF;
                out.push_str(&format!("\\u{code:04X}"));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use proptest::prelude::*;

    fn there_and_back(text: &str) -> String {
        written(parse(text.as_bytes()).unwrap().to_value().to_string())
    }

    #[test]
    fn halves_of_pairs_and_large_numbers_come_back_as_they_came() {
        for text in [
            r#"{"name":"pay-\uD800","\uDC00":["x\uD8FFy"]}"#,
            r#"{"n":18446744073709551617,"m":-9223372036854775809,"o":123456789012345678901234567890}"#,
            "[\"\u{10f7fe}12\",\"\u{10f7ff}\",\"\u{10ffff}\",\"\u{10f7fe}\"]",
            r#"["\"\uD800\""]"#,
            r#"{"a":1.5,"b":"\\"}"#,
        ] {
            assert_eq!(there_and_back(text), text);
        }
        assert_eq!(
            there_and_back("[1e400,-1e400,1.10,-0,18446744073709551615]"),
            "[\"Infinity\",\"-Infinity\",1.1,0,18446744073709551615]"
        );
        assert_eq!(there_and_back(r#""\ud83d\ude00""#), "\"\u{1f600}\"");
        assert_eq!(there_and_back(r#""\ud83d\u0041""#), r#""\uD83DA""#);
    }

    #[test]
    fn a_source_keeps_its_numbers_to_the_letter() {
        let node = parse(b"[1.10,1e2,7,1e400,-0]").unwrap();
        assert_eq!(written(node.to_source().to_string()), "[1.10,1e2,7,1e400,-0]");
    }

    #[test]
    fn an_index_knows_another_text() {
        let name = parse(br#""a\ud800""#).unwrap();
        assert_eq!(plain(name.text().unwrap(), '?'), "a?");
        assert_eq!(utf16_len(name.text().unwrap()), 2);
        assert_eq!(plain("\u{10f7fe}12", '?'), "12");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(units in proptest::collection::vec(any::<u16>(), 0..40)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
            let back = there_and_back(&format!("\"{escaped}\""));
            let node = parse(back.as_bytes()).unwrap();
            let first = parse(format!("\"{escaped}\"").as_bytes()).unwrap();
            prop_assert_eq!(node.text().unwrap(), first.text().unwrap());
            prop_assert_eq!(utf16_len(node.text().unwrap()), units.len());
        }
    }
}
