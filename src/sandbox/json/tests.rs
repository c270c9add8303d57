//! Tests of the reader: positions, refusals, and text that is not JSON.

use crate::sandbox::json::*;

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
    for text in ["/* c */{\"name\":\"c\"}", "// c\n{\"name\": /* é */\"c\" // d\n}", "\u{feff}{\"name\":\"c\"/**/}"] {
        assert_eq!(parse(text.as_bytes()).unwrap().get("name").unwrap().text(), Some("c"), "{text}");
    }
    assert_eq!(parse(b"/* c").unwrap_err().reason, "[1:5] Unexpected end of file");
    let error = parse(b"{/x").unwrap_err();
    assert!(error.reason.starts_with("[1:3] Unexpected character ('x' (code 120)): was expecting either '*' or '/'"));
    assert_eq!(parse("\u{feff}{\"name\":1}".as_bytes()).unwrap().get("name").unwrap().at.to_string(), "1:12");
}

#[test]
fn surrogate_pairs_become_one_character() {
    assert_eq!(parse(b"\"\\ud83d\\ude00\"").unwrap().text(), Some("\u{1f600}"));
}
