//! Tests of `descriptor_parse`.

use crate::sandbox::{json::fault::Fault, security::descriptor_parse::*};

fn refused(text: &str) -> Fault {
    let node = crate::sandbox::json::parse(text.as_bytes()).unwrap();
    parse("a", &node, Use::ApiKey).unwrap_err()
}

#[test]
fn a_descriptor_comes_back_with_all_its_fields() {
    let text =
        r#"{"cluster":["monitor"],"indices":[{"names":"my_index","privileges":["read"],"query":{"match_all":{}}}]}"#;
    let value = from_json("reader", text).unwrap().to_value();
    assert_eq!(value["indices"][0]["names"][0], "my_index");
    assert_eq!(value["indices"][0]["query"], "{\"match_all\":{}}");
    assert_eq!(value["indices"][0]["allow_restricted_indices"], false);
    assert_eq!(value["transient_metadata"]["enabled"], true);
}

#[test]
fn wrong_types_are_refused_at_their_place() {
    let found = refused(r#"{"cluster":"monitor"}"#);
    assert_eq!(found.at.to_string(), "1:12");
    assert_eq!(found.error.reason, "failed to parse role [a]");
    assert!(found.error.cause.unwrap().reason.starts_with("could not parse [cluster] field."));
    assert!(refused(r#"{"indices":[{"names":["x"]}]}"#).error.reason.ends_with("missing required [privileges] field"));
    assert!(refused(r#"{"description":"x"}"#).error.reason.ends_with("unexpected field [description]"));
    assert!(refused("[]").error.reason.ends_with("expected an object but found [START_ARRAY] instead"));
}

#[test]
fn unknown_privileges_and_broken_patterns_are_problems() {
    let text = r#"{"cluster":["nope"],"indices":[{"names":["/[/"],"privileges":["bad"]}],"metadata":{"_x":1}}"#;
    let problems = from_json("a", text).unwrap().problems();
    assert_eq!(problems.len(), 4);
    assert!(problems[2].starts_with("invalid regular expression pattern"));
}
