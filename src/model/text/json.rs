//! JSON as text: laid out for reading without changing a single token, and errors with their position.

use std::{borrow::Cow, marker::PhantomData};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{hex, json_tokens::tokens};

/// Largest number of levels of objects and lists that are laid out; deeper levels stay on one line.
pub const MAX_LAYOUT_DEPTH: usize = 64;
/// Longest JSON that is laid out, in bytes; longer text stays as it is. Laid out it may be much longer, since each line
/// is indented by its depth.
pub const MAX_LAYOUT_BYTES: usize = 1 << 20;
/// Largest number of bytes of JSON that are shown.
pub const MAX_SHOWN_BYTES: usize = 256 << 10;
/// Longest line on which a list or an object stays whole, in bytes.
const WIDTH: usize = 72;

/// Lays out JSON with line ends and two blanks of indentation. Lists and objects that fit on a short line stay on it,
/// as do those more than [`MAX_LAYOUT_DEPTH`] levels down. Numbers, escapes, order and duplicates stay as they are.
///
/// Text that is not JSON, or is longer than [`MAX_LAYOUT_BYTES`], is returned as it is.
pub fn pretty(json: &str) -> String {
    laid_out(json, usize::MAX)
}

/// Lays out JSON as [`pretty`] does, up to [`MAX_SHOWN_BYTES`], followed by the number of bytes left out. Only as much
/// is laid out as is shown, so that the cost is limited.
pub fn shown(json: &str) -> String {
    let mut text = laid_out(json, MAX_SHOWN_BYTES);
    if text.len() <= MAX_SHOWN_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(MAX_SHOWN_BYTES);
    text.truncate(end);
    // Blanks of the layout are not counted, since they are not missing.
    let solid = |text: &str| text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
    let more = solid(json).saturating_sub(solid(&text));
    text.push_str(&format!("\n… {more} more bytes of JSON are not shown"));
    text
}

/// Returns the layout, which may end once it is longer than `most` bytes.
fn laid_out(json: &str, most: usize) -> String {
    if json.len() > MAX_LAYOUT_BYTES || serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let tokens: Vec<&str> = tokens(json).collect();
    let ends = ends(&tokens);
    let mut layout = Layout { tokens: &tokens, ends: &ends, at: 0, text: String::new(), line: 0, most };
    layout.value(0);
    layout.text
}

struct Layout<'a> {
    tokens: &'a [&'a str],
    ends: &'a [End],
    at: usize,
    text: String,
    /// Byte offset in `text` at which the last line begins.
    line: usize,
    most: usize,
}

/// End of the list or object that a token opens: the index of its last token, and its length on one line in bytes.
#[derive(Clone, Copy, Default)]
struct End {
    at: usize,
    bytes: usize,
}

/// Returns the ends of all lists and objects, by the index of the token that opens them.
fn ends(tokens: &[&str]) -> Vec<End> {
    let mut ends = vec![End::default(); tokens.len()];
    let mut open = Vec::new();
    let mut bytes = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = bytes;
        bytes += token.len() + usize::from(matches!(*token, "," | ":"));
        match *token {
            "{" | "[" => open.push((at, before)),
            "}" | "]" => {
                if let Some((opened, before)) = open.pop() {
                    ends[opened] = End { at, bytes: bytes - before };
                }
            }
            _ => {}
        }
    }
    ends
}

impl Layout<'_> {
    /// Lays out the next value; recurses no deeper than [`MAX_LAYOUT_DEPTH`].
    fn value(&mut self, depth: usize) {
        let open = self.tokens[self.at];
        if !matches!(open, "{" | "[") {
            self.text.push_str(open);
            self.at += 1;
            return;
        }
        let End { at: end, bytes } = self.ends[self.at];
        let fits = self.text.len() - self.line + bytes <= WIDTH && (open == "[" || depth > 0);
        if fits || end == self.at + 1 || depth >= MAX_LAYOUT_DEPTH {
            self.on_one_line(end);
            return;
        }
        self.text.push_str(open);
        self.at += 1;
        while self.at < end && self.text.len() <= self.most {
            self.new_line(depth + 1);
            if open == "{" {
                self.text.push_str(self.tokens[self.at]);
                self.text.push_str(": ");
                self.at += 2;
            }
            self.value(depth + 1);
            if self.at < end {
                self.text.push(',');
                self.at += 1;
            }
        }
        self.new_line(depth);
        self.text.push_str(self.tokens[end]);
        self.at = end + 1;
    }

    fn on_one_line(&mut self, end: usize) {
        for token in &self.tokens[self.at..=end] {
            self.text.push_str(token);
            if matches!(*token, "," | ":") {
                self.text.push(' ');
            }
        }
        self.at = end + 1;
    }

    fn new_line(&mut self, depth: usize) {
        self.text.push('\n');
        self.line = self.text.len();
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

/// Returns the members of a JSON object in their order, duplicates included, with their values unchanged; `None` if the
/// text is not a JSON object.
pub fn members(json: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    members_as(json)
}

/// Returns the members of a JSON object as [`members`] does, as any types that names and values can be read as, such as
/// borrowed ones.
pub fn members_as<'a, Name: Deserialize<'a>, Member: Deserialize<'a>>(json: &'a str) -> Option<Vec<(Name, Member)>> {
    struct Members<Name, Member>(PhantomData<(Name, Member)>);

    impl<'de, Name: Deserialize<'de>, Member: Deserialize<'de>> serde::de::Visitor<'de> for Members<Name, Member> {
        type Value = Vec<(Name, Member)>;

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
    let members = serde::Deserializer::deserialize_map(&mut deserializer, Members::<Name, Member>(PhantomData)).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// Returns JSON text with U+FFFD in place of each escape that is half a surrogate pair (`\ud83d` alone), which no Rust
/// string can hold. Elasticsearch keeps them in names and in metadata (as seen on 9.5.3).
pub fn without_half_pairs(json: &str) -> Cow<'_, str> {
    const PAIR: usize = r"\ud83d\udd11".len();
    let unit = |at: usize| hex::number(json.get(at..at + 6)?.strip_prefix("\\u")?.as_bytes());
    let mut text = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = json.as_bytes()[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        at = match (unit(at), unit(at + PAIR / 2)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at + PAIR,
            (Some(0xd800..0xe000), _) => {
                text.push_str(&json[copied..at]);
                text.push_str("\\ufffd");
                copied = at + PAIR / 2;
                copied
            }
            // An escape is a backslash and an ASCII letter; anything else is not JSON, and no character is cut.
            _ if json.is_char_boundary(at + 2) => (at + 2).min(json.len()),
            _ => at + 1,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    text.push_str(&json[copied..]);
    Cow::Owned(text)
}

/// Reads as much of a JSON object as can be read: half a surrogate pair costs one character, and more than
/// [`MAX_OBJECT_DEPTH`] levels cost the member that has them. Empty if the text is not an object.
pub fn readable(json: &str) -> Map<String, Value> {
    if let Some(Value::Object(map)) = value(json) {
        return map;
    }
    let members = members(&without_half_pairs(json)).unwrap_or_default();
    members.into_iter().filter_map(|(name, raw)| Some((name, value(raw.get())?))).collect()
}

/// Returns `true` if the text is a JSON object without members.
pub fn is_empty_object(json: &str) -> bool {
    let inside = json.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// Writes an object of members whose values are already JSON.
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

/// Returns the text as a JSON string, in quotes.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// Largest number of levels of an object that is read as a whole.
pub const MAX_OBJECT_DEPTH: usize = 64;

/// Reads any JSON as a value; `None` if the text is not JSON, or is deeper than [`MAX_OBJECT_DEPTH`]. Reading recurses,
/// so that deeper nesting from somebody else could use up the stack of a thread.
pub fn value(text: &str) -> Option<Value> {
    if depth(text) > MAX_OBJECT_DEPTH { None } else { serde_json::from_str(text).ok() }
}

/// Returns the largest number of objects and lists that are open at once, in JSON or text that looks like it.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0usize, 0);
    for token in tokens(text) {
        match token {
            "{" | "[" => {
                open += 1;
                deepest = deepest.max(open);
            }
            "}" | "]" => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reason why a text is not a JSON object that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Text that is not JSON.
    #[error("Not JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
        /// Reason as the parser gives it.
        reason: String,
    },
    /// JSON with more levels than anything that Elasticsearch accepts for a key needs.
    #[error("This JSON has more than {MAX_OBJECT_DEPTH} levels of objects and lists")]
    TooDeep,
    /// JSON that is no object but a list, a text, a number and so on; holds which.
    #[error("This must be a JSON object, {{…}}, but is {0}")]
    NotAnObject(&'static str),
}

/// Reads a JSON object; blank text is an empty one.
///
/// # Errors
/// Fails if the text is not a JSON object, with line and column if it is not JSON, or has more than
/// [`MAX_OBJECT_DEPTH`] levels.
pub fn object(text: &str) -> Result<Map<String, Value>, ObjectError> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    if depth(text) > MAX_OBJECT_DEPTH {
        return Err(ObjectError::TooDeep);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(ObjectError::NotAnObject(match other {
            Value::Array(_) => "a list",
            Value::String(_) => "a string",
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
    use crate::small_stack::{USUAL_CASES, cases, foreign_text, on_small_stack};

    #[test]
    fn half_a_surrogate_pair_costs_one_character() {
        for (json, wanted) in [
            (r#""a""#, r#""a""#),
            (r#""\ud83d\udd11""#, r#""\ud83d\udd11""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""x\udd11y""#, r#""x\ufffdy""#),
            (r#""\ud83d\ud83d\udd11""#, r#""\ufffd\ud83d\udd11""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\uD83D\"\u0041""#, r#""\ufffd\"\u0041""#),
        ] {
            assert_eq!(without_half_pairs(json), wanted);
            serde_json::from_str::<String>(&without_half_pairs(json)).unwrap();
        }
        for odd in ["\\", "\"\\u", "\\ü", "\\ud83d", "\\ud83dü"] {
            without_half_pairs(odd);
        }
    }

    #[test]
    fn an_object_is_read_for_as_much_as_it_says() {
        let told = |json: &str| Value::Object(readable(json)).to_string();
        assert_eq!(told(r#"{"a":"\ud83d","b":{"c":1}}"#), "{\"a\":\"\u{fffd}\",\"b\":{\"c\":1}}");
        assert_eq!(told(r#"{"\ud83d":1,"b":2}"#), "{\"\u{fffd}\":1,\"b\":2}");
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(500), "]".repeat(500));
        assert_eq!(told(&deep), r#"{"b":2}"#);
        assert_eq!((told("[1]"), told("x")), ("{}".into(), "{}".into()));
    }

    #[test]
    fn layout_changes_nothing_but_blanks() {
        let json = r#"{"a":1.0e+10,"b":[1,2,{"c":"x, y: {z}\"\\"}],"a":null,"long":["aaaaaaaaaaaaaaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","c"]}"#;
        let laid_out = pretty(json);
        assert!(tokens(&laid_out).eq(tokens(json)));
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
        assert!(object(&nested(MAX_OBJECT_DEPTH, true)).is_ok());
        assert_eq!(object(&nested(MAX_OBJECT_DEPTH + 1, true)), Err(ObjectError::TooDeep));
        assert!(object(&format!("{{\"a\":\"{}\"}}", "[\\\"{".repeat(500))).is_ok(), "brackets in a text open nothing");
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

    /// Returns JSON of nested lists or objects with this number of levels.
    fn nested(levels: usize, is_object: bool) -> String {
        let (open, close) = if is_object { ("{\"a\":", "}") } else { ("[", "]") };
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    }

    #[test]
    fn what_is_nested_too_deep_stays_on_one_line_and_costs_no_more_than_its_length() {
        for is_object in [true, false] {
            for levels in [1, 63, 64, 65, 900, 20_000] {
                let json = nested(levels, is_object);
                let text = on_small_stack(|| pretty(&json));
                assert_eq!(text.split_whitespace().collect::<String>(), json);
                assert!(text.len() < 4 * json.len() + 4 * MAX_LAYOUT_DEPTH * MAX_LAYOUT_DEPTH, "{levels}");
            }
        }
        let deepest = pretty(&nested(900, true)).lines().map(|line| line.len() - line.trim_start().len()).max();
        assert_eq!(deepest, Some(2 * MAX_LAYOUT_DEPTH));
    }

    #[test]
    fn shown_text_ends_and_says_how_much_is_missing() {
        let short = r#"{"a":1}"#;
        assert_eq!(shown(short), pretty(short));
        let item = r#"{"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
        for count in [5_000, 50_000] {
            let json = format!("[{}]", vec![item; count].join(","));
            let text = shown(&json);
            assert!(text.len() < MAX_SHOWN_BYTES + 100, "{}", text.len());
            let (kept, last) = text.rsplit_once('\n').unwrap();
            let kept = kept.split_whitespace().map(str::len).sum::<usize>();
            assert_eq!(last, format!("… {} more bytes of JSON are not shown", json.len() - kept));
        }
        let cut = shown(&format!("\"{}\"", "é".repeat(MAX_SHOWN_BYTES)));
        assert!(cut.len() < MAX_SHOWN_BYTES + 100);
    }

    #[test]
    fn long_text_is_not_laid_out() {
        let json = format!("[{}1]", "1,".repeat(MAX_LAYOUT_BYTES / 2));
        assert_eq!(pretty(&json), json);
    }

    proptest::proptest! {
        #![proptest_config(cases(USUAL_CASES))]

        #[test]
        fn any_text_can_be_laid_out_and_nothing_but_blanks_changes(seed in proptest::num::u64::ANY) {
            const PIECES: &[&str] =
                &["[", "]", "{", "}", "{\"a\":", ",", ":", "\"", "\\", "1", "null", "é", " ", "\n", "\"x y\"", "[1,2]"];
            let loose = foreign_text(seed, PIECES);
            // With open objects and lists closed again, the text is JSON more often.
            let mut json = foreign_text(seed, &["[", "{\"k\":", "[1,{\"a\":2}", ",", "[\"x y\",", "[0,"]);
            let open: Vec<char> = json.chars().filter(|c| matches!(c, '[' | '{')).collect();
            json.push('1');
            json.extend(open.iter().rev().map(|c| if *c == '[' { ']' } else { '}' }));
            on_small_stack(|| {
                for json in [&loose, &json] {
                    let text = pretty(json);
                    if serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok() {
                        assert!(tokens(&text).eq(tokens(json)));
                    } else {
                        assert_eq!(&text, json);
                    }
                    let _ = (shown(json), members(json), object(json).is_ok(), is_empty_object(json));
                }
            });
        }
    }
}
