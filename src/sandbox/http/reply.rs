//! Answers: status, headers and body. Written as text in `render`.

use super::error::{CHALLENGES, EsError};
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
