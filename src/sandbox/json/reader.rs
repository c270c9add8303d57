//! Parses JSON into values with positions. Refuses duplicate names and malformed text with Elasticsearch's messages;
//! knows nothing about the meaning of the JSON.

use super::{Kind, Member, Node, Position, exact};
use crate::sandbox::http::error::{EsError, Outcome};

/// Maximum nesting depth; deeper nesting is refused, so that no request can exhaust the stack.
const MAX_DEPTH: usize = 400;
/// UTF-8 byte order mark, which some editors write at the beginning of a text; it counts as columns.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses the first value of the text; like Elasticsearch, ignores anything after it.
pub fn parse(bytes: &[u8]) -> Outcome<Node> {
    let mut reader = Reader { bytes, at: 0, line: 1, line_start: 0 };
    if bytes.starts_with(BYTE_ORDER_MARK) {
        reader.at = BYTE_ORDER_MARK.len();
    }
    reader.blanks()?;
    if reader.peek().is_none() {
        return Err(EsError::parse("request body is required"));
    }
    reader.value(0)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn place(&self) -> Position {
        self.place_of(self.at)
    }

    fn place_of(&self, at: usize) -> Position {
        let column = at.saturating_sub(self.line_start).saturating_add(1);
        Position { line: self.line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    fn next_line(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
    }

    /// Skips white space and comments, which Elasticsearch treats as white space.
    fn blanks(&mut self) -> Outcome<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.next_line(),
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' => self.comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn comment(&mut self) -> Outcome<()> {
        self.at += 1;
        match self.peek() {
            None => Err(self.end_of_input(" in a comment")),
            Some(b'/') => {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
                Ok(())
            }
            Some(b'*') => {
                self.at += 1;
                loop {
                    match self.peek() {
                        None => return Err(self.end_of_input(" in a comment")),
                        Some(b'*') if self.bytes.get(self.at + 1) == Some(&b'/') => {
                            self.at += 2;
                            return Ok(());
                        }
                        Some(b'\n') => self.next_line(),
                        Some(_) => self.at += 1,
                    }
                }
            }
            Some(byte) => Err(self.unexpected(byte, "was expecting either '*' or '/' for a comment")),
        }
    }

    /// Returns the text as error messages quote it: at most its first 500 bytes.
    fn source(&self) -> String {
        let shown = &self.bytes[..self.bytes.len().min(500)];
        let mut text = format!("(byte[])\"{}\"", String::from_utf8_lossy(shown));
        if self.bytes.len() > 500 {
            text.push_str(&format!("[truncated {} bytes]", self.bytes.len() - 500));
        }
        text
    }

    fn syntax(&self, place: Position, what: &str) -> Box<EsError> {
        let detail = format!("{what}\n at [Source: {}; line: {}, column: {}]", self.source(), place.line, place.column);
        EsError::new(400, "x_content_parse_exception", format!("[{place}] {detail}")).because(EsError::new(
            400,
            "json_parse_exception",
            detail,
        ))
    }

    fn end_of_input(&self, what: &str) -> Box<EsError> {
        let place = self.place();
        let detail = format!(
            "Unexpected end-of-input{what}\n at [Source: {}; line: {}, column: {}]",
            self.source(),
            place.line,
            place.column
        );
        EsError::new(400, "x_content_e_o_f_exception", format!("[{place}] Unexpected end of file"))
            .because(EsError::new(400, "json_e_o_f_exception", detail))
    }

    fn unclosed(&self, what: &str, start: Position) -> Box<EsError> {
        self.end_of_input(&format!(
            ": expected close marker for {what} (start marker at [Source: {}; line: {}, column: {}])",
            self.source(),
            start.line,
            start.column
        ))
    }

    fn unexpected(&self, byte: u8, wanted: &str) -> Box<EsError> {
        let rest = &self.bytes[self.at..self.bytes.len().min(self.at + 4)];
        let shown = String::from_utf8_lossy(rest).chars().next().unwrap_or('\u{fffd}');
        let code = if byte < 0x80 { u32::from(byte) } else { u32::from(shown) };
        self.syntax(self.place(), &format!("Unexpected character ('{shown}' (code {code})): {wanted}"))
    }

    fn value(&mut self, depth: usize) -> Outcome<Node> {
        self.blanks()?;
        let at = self.place();
        if depth > MAX_DEPTH {
            return Err(
                self.syntax(at, &format!("Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH})"))
            );
        }
        let kind = match self.peek() {
            None => return Err(self.end_of_input(" within/between Object entries")),
            Some(b'{') => self.object(at, depth)?,
            Some(b'[') => self.array(at, depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b'+') => {
                self.at += 1;
                let reason = "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
                return Err(self.syntax(self.place(), reason));
            }
            Some(byte) if byte.is_ascii_alphabetic() => self.word()?,
            Some(byte @ (b'}' | b']')) => return Err(self.unexpected(byte, "expected a value")),
            Some(byte) => {
                return Err(self.unexpected(
                    byte,
                    "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                ));
            }
        };
        let end = self.place_of(self.at.saturating_sub(1));
        Ok(Node { at, end, kind })
    }

    fn object(&mut self, start: Position, depth: usize) -> Outcome<Kind> {
        let mut members: Vec<Member> = Vec::new();
        self.at += 1;
        self.blanks()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        let mut names = std::collections::HashSet::new();
        loop {
            self.blanks()?;
            let at = self.place();
            match self.peek() {
                None => return Err(self.unclosed("Object", start)),
                Some(b'"') => {}
                Some(byte) => {
                    return Err(self.unexpected(byte, "was expecting double-quote to start field name"));
                }
            }
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(self.syntax(self.place(), &format!("Duplicate field '{name}'")));
            }
            self.blanks()?;
            match self.peek() {
                None => return Err(self.end_of_input(" within/between Object entries")),
                Some(b':') => self.at += 1,
                Some(byte) => {
                    return Err(self.unexpected(byte, "was expecting a colon to separate field name and value"));
                }
            }
            let value = self.value(depth + 1)?;
            members.push(Member { name, at, value });
            self.blanks()?;
            match self.peek() {
                None => return Err(self.unclosed("Object", start)),
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Kind::Object(members));
                }
                Some(byte) => {
                    return Err(self.unexpected(byte, "was expecting comma to separate Object entries"));
                }
            }
        }
    }

    fn array(&mut self, start: Position, depth: usize) -> Outcome<Kind> {
        let mut elements = Vec::new();
        self.at += 1;
        self.blanks()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(elements));
        }
        loop {
            self.blanks()?;
            if self.peek().is_none() {
                return Err(self.unclosed("Array", start));
            }
            if self.peek() == Some(b']') {
                return Err(self.unexpected(b']', "expected a value"));
            }
            elements.push(self.value(depth + 1)?);
            self.blanks()?;
            match self.peek() {
                None => return Err(self.unclosed("Array", start)),
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Kind::Array(elements));
                }
                Some(byte) => {
                    return Err(self.unexpected(byte, "was expecting comma to separate Array entries"));
                }
            }
        }
    }

    fn string(&mut self) -> Outcome<String> {
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

    fn number(&mut self) -> Outcome<String> {
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

    fn unexpected_in(&self, place: &str, wanted: &str) -> Box<EsError> {
        match self.peek() {
            None => self.end_of_input(&format!(" {place}")),
            Some(byte) => {
                let shown = char::from(byte);
                self.syntax(self.place(), &format!("Unexpected character ('{shown}' (code {byte})) {place}: {wanted}"))
            }
        }
    }

    fn word(&mut self) -> Outcome<Kind> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_columns_from_one() {
        let node = parse(b"{\"name\": 1,\n  \"x\": []}").unwrap();
        assert_eq!(node.get("name").unwrap().at.to_string(), "1:10");
        assert_eq!(node.get("x").unwrap().at.to_string(), "2:8");
        assert_eq!(node.end.to_string(), "2:10");
    }

    #[test]
    fn an_open_object_is_told_with_its_start() {
        let error = parse(b"{").unwrap_err();
        assert_eq!(error.kind, "x_content_e_o_f_exception");
        assert_eq!(error.reason, "[1:2] Unexpected end of file");
        let cause = error.cause.unwrap();
        assert!(cause.reason.contains("start marker at [Source: (byte[])\"{\"; line: 1, column: 1]"));
    }

    #[test]
    fn a_word_that_is_no_json_is_named() {
        let error = parse(b"nonsense").unwrap_err();
        assert!(error.reason.starts_with("[1:9] Unrecognized token 'nonsense': was expecting"));
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let error = parse(b"{\"name\":\"x\",\"name\":\"y\"}").unwrap_err();
        assert!(error.reason.starts_with("[1:19] Duplicate field 'name'"));
    }

    #[test]
    fn bad_text_never_panics() {
        for text in [
            "\"\\ud83d\"",
            "\"\\ud83d\\u",
            "/",
            "/*",
            "//",
            "\"\\u12",
            "-",
            "01",
            "{\"a\"",
            "[1 2]",
            "\"\u{1}\"",
            "tru",
            "{,}",
            "1e",
            "[",
            "\"a",
        ] {
            let _ = parse(text.as_bytes());
        }
        let _ = parse(&[b'"', 0xff, b'"']);
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn comments_and_a_byte_order_mark_are_passed_over() {
        for text in ["/* c */{\"name\":\"c\"}", "// c\n{\"name\": /* é */\"c\" // d\n}", "\u{feff}{\"name\":\"c\"/**/}"]
        {
            assert_eq!(parse(text.as_bytes()).unwrap().get("name").unwrap().text(), Some("c"), "{text}");
        }
        assert_eq!(parse(b"/* c").unwrap_err().reason, "[1:5] Unexpected end of file");
        let error = parse(b"{/x").unwrap_err();
        assert!(
            error.reason.starts_with("[1:3] Unexpected character ('x' (code 120)): was expecting either '*' or '/'")
        );
        assert_eq!(parse("\u{feff}{\"name\":1}".as_bytes()).unwrap().get("name").unwrap().at.to_string(), "1:12");
    }

    #[test]
    fn surrogate_pairs_become_one_character() {
        assert_eq!(parse(b"\"\\ud83d\\ude00\"").unwrap().text(), Some("\u{1f600}"));
    }
}
