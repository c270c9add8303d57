//! Position in a JSON text while it is read: white space, comments, and Elasticsearch's refusals of malformed text.

use super::Position;
use crate::sandbox::http::error::{EsError, Outcome};

/// UTF-8 byte order mark, which some editors write at the beginning of a text; it counts as columns.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Text and the position of its next byte.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the beginning of a text, behind its byte order mark if it has one.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Cursor { bytes, at, line: 1, line_start: 0 }
    }

    /// Returns the next byte; `None` at the end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Returns the position of the next byte.
    pub(super) fn place(&self) -> Position {
        self.place_of(self.at)
    }

    /// Returns the position of a byte in the current line.
    pub(super) fn place_of(&self, at: usize) -> Position {
        let column = at.saturating_sub(self.line_start).saturating_add(1);
        Position { line: self.line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    fn next_line(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
    }

    /// Skips white space and comments, which Elasticsearch treats as white space.
    pub(super) fn blanks(&mut self) -> Outcome<()> {
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

    /// Returns the refusal of malformed text at this position.
    pub(super) fn syntax(&self, place: Position, what: &str) -> Box<EsError> {
        let detail = format!("{what}\n at [Source: {}; line: {}, column: {}]", self.source(), place.line, place.column);
        EsError::new(400, "x_content_parse_exception", format!("[{place}] {detail}")).because(EsError::new(
            400,
            "json_parse_exception",
            detail,
        ))
    }

    /// Returns the refusal of a text that ends too early; `what` says in what.
    pub(super) fn end_of_input(&self, what: &str) -> Box<EsError> {
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

    /// Returns the refusal of an object or array that is never closed.
    pub(super) fn unclosed(&self, what: &str, start: Position) -> Box<EsError> {
        self.end_of_input(&format!(
            ": expected close marker for {what} (start marker at [Source: {}; line: {}, column: {}])",
            self.source(),
            start.line,
            start.column
        ))
    }

    /// Returns the refusal of a byte where something else is wanted.
    pub(super) fn unexpected(&self, byte: u8, wanted: &str) -> Box<EsError> {
        let rest = &self.bytes[self.at..self.bytes.len().min(self.at + 4)];
        let shown = String::from_utf8_lossy(rest).chars().next().unwrap_or('\u{fffd}');
        let code = if byte < 0x80 { u32::from(byte) } else { u32::from(shown) };
        self.syntax(self.place(), &format!("Unexpected character ('{shown}' (code {code})): {wanted}"))
    }

    /// Returns the refusal of the next byte, or of the end, within a value of this kind.
    pub(super) fn unexpected_in(&self, place: &str, wanted: &str) -> Box<EsError> {
        match self.peek() {
            None => self.end_of_input(&format!(" {place}")),
            Some(byte) => {
                let shown = char::from(byte);
                self.syntax(self.place(), &format!("Unexpected character ('{shown}' (code {byte})) {place}: {wanted}"))
            }
        }
    }
}
