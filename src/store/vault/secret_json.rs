//! JSON in wiped memory: written and read without leaving copies of a secret behind. It doesn't know what the JSON
//! means.

use std::io::{self, Write};

use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use crate::model::{secret::Secret, text::hex};

/// A buffer that wipes the memory it leaves behind when it grows.
#[derive(Default)]
pub(crate) struct WipedBuffer(Zeroizing<Vec<u8>>);

impl Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(1024) * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WipedBuffer {
    /// Returns the written text, moved and not copied; `None` if it is not UTF-8.
    pub(crate) fn into_secret(mut self) -> Option<Secret> {
        text_of(std::mem::take(&mut *self.0))
    }
}

/// Takes bytes over as a secret text; `None` if they are not UTF-8, and then they are wiped.
pub(crate) fn text_of(bytes: Vec<u8>) -> Option<Secret> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(Secret::from(Zeroizing::new(text))),
        Err(error) => {
            error.into_bytes().zeroize();
            None
        }
    }
}

/// Formats the reason why JSON could not be read, with line and column, without repeating any of its content.
pub(crate) fn place_of(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "a field is missing or has the wrong type" } else { "it is not JSON" };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// Reads a JSON string as a secret. The parser itself would leave a copy of a text with escapes behind.
pub(crate) fn unquote(value: &RawValue) -> Option<Secret> {
    let quoted = value.get().strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than what it stands for, so this never grows.
    let mut text = Zeroizing::new(String::with_capacity(quoted.len()));
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut chars)?,
            same => same,
        });
    }
    Some(Secret::from(text))
}

fn code_point(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let high = code_unit(chars)?;
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high);
    }
    // The second half of a pair: `\uDC00` and above.
    if chars.next()? != '\\' || chars.next()? != 'u' {
        return None;
    }
    let low = code_unit(chars)?;
    (0xDC00..0xE000).contains(&low).then(|| char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)))?
}

/// Reads the four digits of `\u….`.
fn code_unit(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    let (digits, rest) = chars.as_str().split_at_checked(4)?;
    *chars = rest.chars();
    hex::number(digits.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unquoted(json: &str) -> Option<String> {
        unquote(serde_json::from_str(json).ok()?).map(|text| text.expose().to_owned())
    }

    #[test]
    fn escapes_are_read_as_the_parser_reads_them() {
        let json = r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00é😀\u0000""#;
        assert_eq!(unquoted(json), serde_json::from_str(json).unwrap());
        assert_eq!(unquoted(r#""\uD83D""#), None);
        assert_eq!(unquoted(r#""\uD83Dx""#), None);
        assert_eq!(unquoted(r#""\uD83DA""#), None);
        assert_eq!(unquoted("7"), None);
    }

    #[test]
    fn a_reason_repeats_nothing_of_the_text() {
        let error = serde_json::from_str::<u32>("\"hunter2\"").unwrap_err();
        assert!(error.to_string().contains("hunter2"), "the parser's own words would tell it");
        assert!(!place_of(&error).contains("hunter2"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_from_its_quoted_form(text: String) {
            let mut buffer = WipedBuffer::default();
            serde_json::to_writer(&mut buffer, &text).unwrap();
            let json = buffer.into_secret().unwrap();
            proptest::prop_assert_eq!(unquoted(json.expose()), Some(text));
        }
    }
}
