//! JSON as text: laid out for reading without changing a single token, and errors with their place.

use serde_json::{Map, Value, value::RawValue};

/// The same JSON with line ends and two blanks of indentation; lists and objects of a short line
/// stay on it. Numbers, escapes, order and duplicates stay as they are.
///
/// Text that is no JSON comes back as it was.
pub fn pretty(json: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let tokens = tokens(json);
    let mut text = String::with_capacity(json.len() * 2);
    lay_out(&tokens, &mut 0, 0, &mut text);
    text
}

const WIDTH: usize = 72;

fn lay_out(tokens: &[&str], at: &mut usize, depth: usize, text: &mut String) {
    let open = tokens[*at];
    if !matches!(open, "{" | "[") {
        text.push_str(open);
        *at += 1;
        return;
    }
    let end = matching(tokens, *at);
    let column = text.len() - text.rfind('\n').map_or(0, |line| line + 1);
    let line: usize = tokens[*at..=end].iter().map(|t| t.len() + usize::from(matches!(*t, "," | ":"))).sum();
    if column + line <= WIDTH && (end == *at + 1 || (open == "[" || depth > 0)) {
        for token in &tokens[*at..=end] {
            text.push_str(token);
            if matches!(*token, "," | ":") {
                text.push(' ');
            }
        }
        *at = end + 1;
        return;
    }
    text.push_str(open);
    *at += 1;
    while *at < end {
        new_line(text, depth + 1);
        if open == "{" {
            text.push_str(tokens[*at]);
            text.push_str(": ");
            *at += 2;
        }
        lay_out(tokens, at, depth + 1, text);
        if *at < end {
            text.push(',');
            *at += 1;
        }
    }
    new_line(text, depth);
    text.push_str(tokens[end]);
    *at = end + 1;
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

fn matching(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0usize;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    tokens.len() - 1
}

fn tokens(json: &str) -> Vec<&str> {
    let bytes = json.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at += 1,
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ => {
                while at < bytes.len() && !b"{}[],: \n\r\t".contains(&bytes[at]) {
                    at += 1;
                }
            }
        }
        tokens.push(&json[start..at.min(json.len())]);
    }
    tokens
}

/// The members of a JSON object in their order, their values unchanged; `None` if it is no object.
pub fn members(json: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    struct Members;

    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(String, Box<RawValue>)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = serde::Deserializer::deserialize_map(&mut deserializer, Members).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// Whether a text is the object without members.
pub fn is_empty_object(json: &str) -> bool {
    let inside = json.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// Writes an object of members whose values are JSON already.
pub fn write_object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (place, (key, value)) in members.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&quote(key));
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

/// A text as JSON, in quotes.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// What is wrong with a text that should be a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No JSON at all.
    #[error("Not JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// In the words of the parser.
        reason: String,
    },
    /// JSON, but a list, a text, a number …
    #[error("This must be a JSON object, {{…}}, and is {0}")]
    NotAnObject(&'static str),
}

/// Reads an object; blank text is an empty one.
///
/// # Errors
/// With the place in the text.
pub fn object(text: &str) -> Result<Map<String, Value>, ObjectError> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(ObjectError::NotAnObject(match other {
            Value::Array(_) => "a list",
            Value::String(_) => "a text",
            Value::Number(_) => "a number",
            Value::Bool(_) => "true or false",
            _ => "null",
        })),
        Err(error) => Err(ObjectError::Syntax {
            line: error.line(),
            column: error.column(),
            reason: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_changes_nothing_but_blanks() {
        let json = r#"{"a":1.0e+10,"b":[1,2,{"c":"x, y: {z}\"\\"}],"a":null,"long":["aaaaaaaaaaaaaaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","c"]}"#;
        let laid_out = pretty(json);
        assert_eq!(tokens(&laid_out), tokens(json));
        assert!(laid_out.starts_with("{\n  \"a\": 1.0e+10,\n"), "{laid_out}");
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        for text in ["", "{", "nonsense", "{\"a\":}"] {
            assert_eq!(pretty(text), text);
        }
        assert_eq!(pretty("{}"), "{}");
        assert_eq!(pretty(" [ ] "), "[]");
    }

    #[test]
    fn an_error_names_its_place() {
        let error = object("{\"team\": \"a\"\n \"b\": 1}").unwrap_err();
        assert!(matches!(error, ObjectError::Syntax { line: 2, .. }), "{error:?}");
        assert_eq!(object("[1]"), Err(ObjectError::NotAnObject("a list")));
        assert_eq!(object("  "), Ok(Map::new()));
    }

    #[test]
    fn members_keep_their_order_and_their_digits() {
        let json = r#"{"z":1.0e+10,"a":{"x":[ ]}}"#;
        let members = members(json).unwrap();
        assert_eq!(write_object(members.iter().map(|(k, v)| (k.as_str(), v.get()))), json);
        assert!(super::members("[]").is_none());
        assert!(super::members("{} x").is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_laid_out(text in "[\\[\\]{}:,\"\\\\a1 é]*") {
            let _ = pretty(&text);
        }
    }
}
