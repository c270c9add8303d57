//! JSON split into a template that many keys share and the values that differ, and put together again, identical to the
//! byte. The module doesn't know what metadata is for.

use std::ops::Range;

use super::string_arena::Dictionary;
use crate::model::text::{
    json,
    json_tokens::{self, is_name, tokens},
};

/// Marker of a value in a template; JSON never has this byte unescaped.
const HOLE: char = '\0';
/// Maximum number of bytes of metadata that is split; longer or richer metadata is stored as one value, because no
/// other key is likely to share its template.
const MAX_METADATA_BYTES: usize = 4096;
const MAX_LEAVES: usize = 64;

/// Returns the byte ranges of the values in a JSON text: strings with their quotes, numbers, `true`, `false`, `null`.
/// The text must be JSON; it is not validated here.
pub(super) fn leaves(json: &str) -> Vec<Range<usize>> {
    let is_leaf = |range: &Range<usize>| match json.as_bytes()[range.start] {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => false,
        b'"' => !is_name(json, range.end),
        _ => true,
    };
    json_tokens::ranges(json).filter(is_leaf).collect()
}

/// Splits a text into its template and its values, in order. Long texts are one single value.
pub(super) fn take_apart(json: &str) -> (String, Vec<&str>) {
    let found = if json.len() <= MAX_METADATA_BYTES { leaves(json) } else { Vec::new() };
    if found.is_empty() && json.len() > MAX_METADATA_BYTES || found.len() > MAX_LEAVES || json.contains(HOLE) {
        return (HOLE.to_string(), vec![json]);
    }
    let mut form = String::with_capacity(json.len());
    let mut values = Vec::with_capacity(found.len());
    let mut at = 0;
    for row in found {
        form.push_str(&json[at..row.start]);
        form.push(HOLE);
        values.push(&json[row.clone()]);
        at = row.end;
    }
    form.push_str(&json[at..]);
    (form, values)
}

/// Puts the text together again.
pub(super) fn put_together<'a>(form: &str, mut values: impl Iterator<Item = &'a str>) -> String {
    let mut json = String::with_capacity(form.len() * 2);
    for piece in form.split_inclusive(HOLE) {
        match piece.strip_suffix(HOLE) {
            Some(text) => {
                json.push_str(text);
                json.push_str(values.next().unwrap_or_default());
            }
            None => json.push_str(piece),
        }
    }
    json
}

/// Parsed JSON template: the path of each value.
#[derive(Clone, Debug, Default)]
pub(super) struct JsonTemplate {
    /// Object keys that lead to each value; indexes in arrays don't count.
    pub(super) paths: Vec<Box<[String]>>,
    /// Texts of all object keys, in lower case, each followed by a line break.
    pub(super) keys: String,
    /// `true` if the single value is a whole text that was not split.
    pub(super) is_whole: bool,
}

impl JsonTemplate {
    pub(super) fn read(form: &str) -> Self {
        if form == "\0" {
            return Self { paths: vec![Box::default()], keys: String::new(), is_whole: true };
        }
        let mut read = Self::default();
        let mut path: Vec<Option<String>> = Vec::new();
        for token in tokens(form) {
            match token {
                "{" | "[" => path.push(None),
                "}" | "]" => drop(path.pop()),
                _ if token.contains(HOLE) => {
                    let path: Box<[String]> = path.iter().flatten().cloned().collect();
                    read.paths.extend(token.matches(HOLE).map(|_| path.clone()));
                }
                _ if token.starts_with('"') => {
                    let key = decoded(token);
                    read.keys.push_str(&key.to_lowercase());
                    read.keys.push('\n');
                    if let Some(last) = path.last_mut() {
                        *last = Some(key);
                    }
                }
                _ => {}
            }
        }
        read
    }
}

/// Returns the text that a value stands for: a string without its quotes and escapes, anything else unchanged.
pub(super) fn decoded(value: &str) -> String {
    if value.starts_with('"') {
        serde_json::from_str(&json::without_half_pairs(value)).unwrap_or_else(|_| value.to_owned())
    } else {
        value.to_owned()
    }
}

/// Returns the code of a text's template, and appends the codes of its values to `into`.
pub(super) fn intern(json: &str, forms: &mut Dictionary, values: &mut Dictionary, into: &mut Vec<u32>) -> u32 {
    let (form, found) = take_apart(json);
    into.extend(found.into_iter().map(|value| values.number(value)));
    forms.number(&form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 9] = [
        "{}",
        r#"{"team":"payments","n":1.0e+2,"tags":["a","b\"c"],"deep":{"x":{"y":null}},"ok":true}"#,
        r#"{ "team" : "pay:ments" , "list":[ ] }"#,
        r#"{"\u0000":"\u0000","é":"ü"}"#,
        "[]",
        "7",
        "null",
        r#"{"a":"","a":""}"#,
        r#"{"a\"b":[[1,2],[{"c":"d"}]]}"#,
    ];

    #[test]
    fn a_text_comes_back_to_the_byte() {
        for text in TEXTS {
            let (form, values) = take_apart(text);
            assert_eq!(put_together(&form, values.into_iter()), text);
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_METADATA_BYTES));
        let many = format!("[{}1]", "1,".repeat(MAX_LEAVES));
        for text in [long, many] {
            let (form, values) = take_apart(&text);
            assert_eq!((form.as_str(), values.len()), ("\0", 1));
            assert_eq!(put_together(&form, values.into_iter()), text);
        }
    }

    #[test]
    fn a_form_knows_the_path_of_each_value() {
        let (form, values) = take_apart(TEXTS[1]);
        let read = JsonTemplate::read(&form);
        let paths: Vec<String> = read.paths.iter().map(|path| path.join(".")).collect();
        assert_eq!(paths, ["team", "n", "tags", "tags", "deep.x.y", "ok"]);
        assert_eq!(values, [r#""payments""#, "1.0e+2", r#""a""#, r#""b\"c""#, "null", "true"]);
        assert_eq!(decoded(values[3]), "b\"c");
        assert_eq!(read.paths.len(), values.len());
    }
}
