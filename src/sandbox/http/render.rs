//! Text of answers: JSON in Elasticsearch's format, compact or pretty, and filtered by `filter_path`.

use super::{filter_path, reply::Body, request::Request};
use crate::sandbox::json::exact;
use serde_json::Value;

/// Returns the body as text and its content type, after applying `filter_path` and `pretty`.
pub fn render(body: Body, request: &Request) -> (String, String) {
    let value = match body {
        Body::Text(text) => return (text, "text/plain; charset=UTF-8".to_owned()),
        Body::Refusal(value) => value,
        Body::Json(value) => match request.params.get("filter_path") {
            Some(filter) => filter_path::apply(value, filter),
            None => value,
        },
    };
    let pretty = request.params.get("pretty").is_some_and(|pretty| pretty != "false");
    let mut text = String::new();
    if pretty {
        write_pretty(&value, 0, &mut text);
        text.push('\n');
    } else {
        text = value.to_string();
    }
    (exact::written(text), request.answer_type())
}

/// Writes JSON in Elasticsearch's own layout: a blank on both sides of the colon, `[ ]` and `{ }` if empty.
fn write_pretty(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Array(elements) if elements.is_empty() => out.push_str("[ ]"),
        Value::Object(map) if map.is_empty() => out.push_str("{ }"),
        Value::Array(elements) => {
            out.push_str("[\n");
            for (number, element) in elements.iter().enumerate() {
                if number > 0 {
                    out.push_str(",\n");
                }
                out.push_str(&indent);
                write_pretty(element, depth + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            out.push(']');
        }
        Value::Object(map) => {
            out.push_str("{\n");
            for (number, (name, value)) in map.iter().enumerate() {
                if number > 0 {
                    out.push_str(",\n");
                }
                out.push_str(&indent);
                out.push_str(&Value::String(name.clone()).to_string());
                out.push_str(" : ");
                write_pretty(value, depth + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pretty_answers_look_like_those_of_the_server() {
        let mut text = String::new();
        write_pretty(&json!({"api_keys": [], "m": {}, "a": [1, {"b": null}]}), 0, &mut text);
        assert_eq!(
            text,
            "{\n  \"api_keys\" : [ ],\n  \"m\" : { },\n  \"a\" : [\n    1,\n    {\n      \"b\" : null\n    }\n  ]\n}"
        );
    }
}
