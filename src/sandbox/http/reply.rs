//! Answers: status, headers, and JSON written as Elasticsearch writes it, short or pretty.

use super::error::{CHALLENGES, EsError};
use super::filter_path;
use super::request::Request;
use crate::sandbox::json::exact;
use serde_json::{Value, json};

/// What stands in the body.
#[derive(Debug)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// A refusal, which `filter_path` doesn't touch.
    Refusal(Value),
    /// Plain text, as `_cat` gives.
    Text(String),
}

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those that every answer carries.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl Reply {
    /// 200 with JSON.
    pub fn ok(value: Value) -> Reply {
        Reply::json(200, value)
    }

    /// JSON with a status.
    pub fn json(status: u16, value: Value) -> Reply {
        Reply { status, headers: Vec::new(), body: Body::Json(value) }
    }

    /// A refusal whose `error` is a plain string.
    pub fn string_error(status: u16, text: &str, with_status: bool) -> Reply {
        let mut value = json!({ "error": text });
        if with_status {
            value["status"] = json!(status);
        }
        Reply::json(status, value)
    }

    /// The same, with one more header.
    pub fn with_header(mut self, name: &'static str, value: String) -> Reply {
        self.headers.push((name, value));
        self
    }
}

impl From<Box<EsError>> for Reply {
    fn from(error: Box<EsError>) -> Reply {
        let mut reply = Reply { status: error.status, headers: Vec::new(), body: Body::Refusal(error.body()) };
        if error.status == 401 {
            reply.headers = CHALLENGES.iter().map(|challenge| ("www-authenticate", (*challenge).to_owned())).collect();
        }
        reply
    }
}

/// The body as bytes, and its content type, after `filter_path` and `pretty`.
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

/// Elasticsearch's own layout: a blank on both sides of the colon, `[ ]` and `{ }` when empty.
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
