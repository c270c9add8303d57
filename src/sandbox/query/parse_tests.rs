//! Tests of `parse`.

use super::super::tree::Query;
use crate::sandbox::{json, query::parse::*};

fn read(text: &str) -> Parsed<Query> {
    parse(&json::parse(text.as_bytes()).unwrap())
}

#[test]
fn short_and_long_forms_mean_the_same() {
    let long = read(r#"{"term":{"name":{"value":"a"}}}"#).unwrap();
    assert_eq!(read(r#"{"term":{"name":"a"}}"#).unwrap(), long);
    assert_eq!(
        read(r#"{"wildcard":{"n":{"wildcard":"a*"}}}"#).unwrap(),
        Query::Wildcard("n".into(), "a*".into(), false)
    );
    let Query::Bool { must, .. } = read(r#"{"bool":{"must":{"match_all":{}}}}"#).unwrap() else { panic!() };
    assert_eq!(must, vec![Query::All]);
}

#[test]
fn an_unknown_query_is_named_with_its_place() {
    let fault = read(r#"{"nope":{}}"#).unwrap_err();
    assert_eq!(fault.error.reason, "unknown query [nope]");
    assert_eq!(fault.error.extra["col"], 9);
    assert_eq!(fault.error.cause.unwrap().reason, "[1:9] unknown field [nope]");
}

#[test]
fn malformed_queries_are_refused_in_the_words_of_the_server() {
    let reason = |text: &str| read(text).unwrap_err().error.reason;
    assert_eq!(reason("{}"), "query malformed, empty clause found at [1:2]");
    assert_eq!(reason(r#"{"term":{}}"#), "field name is null or empty");
    assert_eq!(reason(r#"{"term":{"a":["x"]}}"#), "[term] query does not support array of values");
    assert_eq!(reason(r#"{"term":{"a":1,"b":2}}"#), "[term] query doesn't support multiple fields, found [a] and [b]");
    assert_eq!(reason(r#"{"terms":{"a":"x"}}"#), "[terms] query does not support [a]");
    assert_eq!(reason(r#"{"exists":{}}"#), "[exists] must be provided with a [field]");
    assert_eq!(
        reason(r#"{"match_all":{},"term":{}}"#),
        "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
    );
    let nested = read(r#"{"bool":{"mustt":[]}}"#).unwrap_err().error;
    assert_eq!(nested.reason, "[1:10] [bool] unknown field [mustt] did you mean any of [must, mustNot, must_not]?");
}

#[test]
fn a_clause_of_a_bool_says_where_it_stands() {
    let error = read(r#"{"bool":{"filter":[{"nope":{}}]}}"#).unwrap_err().error;
    assert_eq!(error.reason, "[1:28] [bool] failed to parse field [filter]");
    assert_eq!(error.cause.unwrap().reason, "unknown query [nope]");
}
