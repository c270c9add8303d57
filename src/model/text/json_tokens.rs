//! JSON cut into its tokens, for everything that shows or stores JSON without reading its values.

use std::{iter, ops::Range};

/// Returns the byte ranges of the tokens: the six marks `{}[],:`, strings with their quotes, and anything else (numbers,
/// `true`, `false`, `null`) up to the next mark, quote or blank. Text that is not JSON has tokens too, and none of them
/// cuts a character; a string without an end reaches to that of the text.
pub fn ranges(json: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = json.as_bytes();
    let mut at = 0;
    iter::from_fn(move || {
        while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        let start = at;
        at = match bytes.get(start)? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => start + 1,
            b'"' => end_of_string(bytes, start),
            _ => {
                let is_end = |byte: &u8| b"{}[],: \n\r\t\"".contains(byte);
                bytes[start..].iter().position(is_end).map_or(bytes.len(), |length| start + length)
            }
        };
        Some(start..at)
    })
}

/// Returns the tokens that [`ranges`] finds, as text.
pub fn tokens(json: &str) -> impl Iterator<Item = &str> {
    ranges(json).map(|range| &json[range])
}

/// Returns `true` if a string that ends at this offset is the name of a member: a colon follows it.
pub fn is_name(json: &str, end: usize) -> bool {
    json.as_bytes()[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

fn end_of_string(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_stack::{USUAL_CASES, cases, foreign_text};

    #[test]
    fn each_token_is_found_and_blanks_are_none() {
        let json = "{ \"a\\\"b\" :\t[-1.0e+2,true,\"x: {y}\"],\n\"é\":null}";
        let wanted = [
            "{",
            r#""a\"b""#,
            ":",
            "[",
            "-1.0e+2",
            ",",
            "true",
            ",",
            r#""x: {y}""#,
            "]",
            ",",
            r#""é""#,
            ":",
            "null",
            "}",
        ];
        assert!(tokens(json).eq(wanted), "{:?}", tokens(json).collect::<Vec<_>>());
        let names: Vec<&str> = ranges(json).filter(|at| is_name(json, at.end)).map(|at| &json[at]).collect();
        assert_eq!(names, [r#""a\"b""#, r#""é""#]);
        assert!(tokens(" \n").next().is_none());
        assert!(tokens(r#"1"a"#).eq(["1", r#""a"#]));
        assert!(tokens(r#""a\"#).eq([r#""a\"#]));
    }

    proptest::proptest! {
        #![proptest_config(cases(USUAL_CASES))]

        #[test]
        fn any_text_has_tokens_that_leave_out_blanks_alone(seed in proptest::num::u64::ANY) {
            const PIECES: &[&str] = &["{", "}", "[", "]", ",", ":", "\"", "\\", "a", "é", "🔑", "1.0", " ", "\n", "\0"];
            let text = foreign_text(seed, PIECES);
            let mut end = 0;
            for range in ranges(&text) {
                assert!(text[end..range.start].trim().is_empty() && !range.is_empty(), "{text:?}");
                end = range.end;
            }
            assert!(text[end..].trim().is_empty(), "{text:?}");
        }
    }
}
