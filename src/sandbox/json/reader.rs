//! Parses JSON into values with positions. Refuses duplicate names and malformed text with Elasticsearch's messages;
//! knows nothing about the meaning of the JSON.

use super::{Kind, Member, Node, Position, cursor::Cursor};
use crate::sandbox::http::error::{EsError, Outcome};

/// Maximum nesting depth; deeper nesting is refused, so that no request can exhaust the stack.
const MAX_DEPTH: usize = 400;

/// Parses the first value of the text; like Elasticsearch, ignores anything after it.
pub fn parse(bytes: &[u8]) -> Outcome<Node> {
    let mut reader = Cursor::new(bytes);
    reader.blanks()?;
    if reader.peek().is_none() {
        return Err(EsError::parse("request body is required"));
    }
    reader.value(0)
}

impl Cursor<'_> {
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
}
