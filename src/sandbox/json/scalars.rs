//! Strings, numbers and words of JSON, read as Elasticsearch reads them.

use super::{Kind, cursor::Cursor, exact};
use crate::sandbox::http::error::Outcome;

impl Cursor<'_> {
    /// Reads a string and its quotes.
    pub(super) fn string(&mut self) -> Outcome<String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.end_of_input(" in VALUE_STRING")),
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    self.escape(&mut bytes)?;
                }
                Some(byte) if byte < 0x20 => {
                    return Err(self.syntax(
                        self.place(),
                        &format!(
                            "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using backslash to be included in string value"
                        ),
                    ));
                }
                Some(byte) => match exact::reserved(&self.bytes[self.at..]) {
                    Some(character) => {
                        exact::push(&mut bytes, character);
                        self.at += character.len_utf8();
                    }
                    None => {
                        bytes.push(byte);
                        self.at += 1;
                    }
                },
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(bad) => {
                let first = bad.as_bytes().get(bad.utf8_error().valid_up_to()).copied().unwrap_or(0);
                Err(self.syntax(self.place(), &format!("Invalid UTF-8 start byte 0x{first:x}")))
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Outcome<()> {
        self.at += 1;
        let Some(byte) = self.peek() else {
            return Err(self.end_of_input(" in character escape sequence"));
        };
        let simple = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                return self.unicode(text);
            }
            other => {
                let shown = char::from(other);
                return Err(
                    self.syntax(self.place(), &format!("Unrecognized character escape '{shown}' (code {other})"))
                );
            }
        };
        self.at += 1;
        text.push(simple);
        Ok(())
    }

    /// Reads a `\u` escape: two surrogate halves become one character, a lone half is kept as such.
    fn unicode(&mut self, text: &mut Vec<u8>) -> Outcome<()> {
        let code = self.hex()?;
        if (0xd800..0xdc00).contains(&code) && self.bytes[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let whole = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                exact::push(text, char::from_u32(whole).unwrap_or('\u{fffd}'));
                return Ok(());
            }
            self.at = before;
        }
        match char::from_u32(code) {
            Some(character) => exact::push(text, character),
            None => text.extend_from_slice(exact::half(code).to_string().as_bytes()),
        }
        Ok(())
    }

    fn hex(&mut self) -> Outcome<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else {
                return Err(self.end_of_input(" in character escape sequence"));
            };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.unexpected(byte, "expected a hex-digit for character escape sequence"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Reads a number, as written.
    pub(super) fn number(&mut self) -> Outcome<String> {
        let start = self.at;
        let head = "in numeric value";
        if self.peek() == Some(b'-') {
            self.at += 1;
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                let wanted = "expected digit (0-9) to follow minus sign, for valid numeric value";
                return Err(self.unexpected_in(head, wanted));
            }
        }
        if self.peek() == Some(b'0') && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            return Err(self.syntax(self.place(), "Invalid numeric value: Leading zeroes not allowed"));
        }
        self.digits();
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.unexpected_in(head, "Decimal point not followed by a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected_in(head, "Exponent indicator not followed by a digit"));
            }
        }
        Ok(String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned())
    }

    /// Skips digits and returns their number.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// Reads `null`, `true` or `false`; refuses other bare words.
    pub(super) fn word(&mut self) -> Outcome<Kind> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        match word {
            b"null" => Ok(Kind::Null),
            b"true" => Ok(Kind::Bool(true)),
            b"false" => Ok(Kind::Bool(false)),
            b"NaN" | b"Infinity" | b"INF" => Err(self.syntax(
                self.place(),
                &format!(
                    "Non-standard token '{}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                    String::from_utf8_lossy(word)
                ),
            )),
            _ => Err(self.syntax(
                self.place(),
                &format!(
                    "Unrecognized token '{}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                    String::from_utf8_lossy(word)
                ),
            )),
        }
    }
}
