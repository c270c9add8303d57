//! Answers: status, headers, and JSON in Elasticsearch's format, compact or pretty.

use super::error::{CHALLENGES, EsError};
use super::filter_path;
use super::request::Request;
use crate::sandbox::json::exact;
use serde_json::{Value, json};

/// Body of an answer.
#[derive(Debug)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Refusal, which `filter_path` does not change.
    Refusal(Value),
    /// Plain text, as `_cat` returns it.
    Text(String),
}

/// Answer to one request.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers in addition to those of every answer.
    pub headers: Vec<(&'static str, String)>,
    /// Body of the answer.
    pub body: Body,
}

impl Reply {
    /// Returns a 200 answer with JSON.
    pub fn ok(value: Value) -> Reply {
        Reply::json(200, value)
    }

    /// Returns an answer with JSON and a status.
    pub fn json(status: u16, value: Value) -> Reply {
        Reply { status, headers: Vec::new(), body: Body::Json(value) }
    }

    /// Returns a refusal whose `error` is a plain string.
    pub fn string_error(status: u16, text: &str, with_status: bool) -> Reply {
        let mut value = json!({ "error": text });
        if with_status {
            value["status"] = json!(status);
        }
        Reply::json(status, value)
    }

    /// Returns the answer with one more header.
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
