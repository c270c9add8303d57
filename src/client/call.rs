//! One request before it is sent: what it needs, and how carefully it is handled.

use hyper::body::Bytes;
use reqwest::Method;
use zeroize::Zeroizing;

use super::http::row_stream::RowSink;
use crate::model::{secret::Secret, version::Feature};

/// Size limit of an ordinary answer, in bytes.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;

/// A request before it is sent.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) segments: &'a [&'a str],
    pub(super) query: Vec<(&'static str, &'a str)>,
    pub(super) body: Option<Bytes>,
    /// Size limit of a successful answer, in bytes.
    pub(super) limit: u64,
    /// `true` if sending the request twice has the same effect as once.
    pub(super) repeatable: bool,
    /// `true` if the request changes keys, so that it matters whether an attempt without a usable answer was carried
    /// out.
    pub(super) changes: bool,
    /// `true` if the answer or the body holds a secret, whose bytes are wiped.
    pub(super) private: bool,
    /// Secrets in the body: they are blotted out of an unsuccessful answer, so that none gets into an error.
    pub(super) confided: Vec<Secret>,
    /// Feature that the cluster must have for this request; `None` if every version has it.
    pub(super) feature: Option<Feature>,
    /// Sink for the rows of a successful answer while it arrives; only the rest is kept. `None` keeps the whole answer.
    pub(super) rows: Option<&'a (dyn RowSink + Sync)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, segments: &'a [&'a str]) -> Self {
        Self {
            method,
            segments,
            query: Vec::new(),
            body: None,
            limit: MAX_RESPONSE_BYTES,
            repeatable: true,
            changes: false,
            private: false,
            confided: Vec::new(),
            feature: None,
            rows: None,
        }
    }

    /// Returns `true` if the request certainly changes nothing on the cluster: a `GET`, or a `POST` to one of the
    /// endpoints that Elasticsearch documents as searches and questions. Whatever is not known to be a read is not one.
    pub(super) fn is_read(&self) -> bool {
        let is_question = matches!(
            self.segments,
            ["_security", "_query", "api_key"] | ["_security", "user", "_has_privileges"] | [.., "_search"]
        );
        self.method == Method::GET || self.method == Method::POST && is_question
    }

    pub(super) fn body(self, body: String) -> Self {
        Self { body: Some(Bytes::from(body)), ..self }
    }

    /// Sets a body that holds a secret, and is wiped after it was sent.
    pub(super) fn secret_body(self, body: Zeroizing<String>) -> Self {
        Self { body: Some(Bytes::from_owner(body)), private: true, ..self }
    }

    pub(super) fn query_if(mut self, wanted: bool, name: &'static str, value: &'a str) -> Self {
        if wanted {
            self.query.push((name, value));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_a_read_is_one() {
        let is_read = |method, segments: &[&str]| Call::new(method, segments).is_read();
        let reads: [&[&str]; 4] = [
            &["_security", "_query", "api_key"],
            &["_security", "user", "_has_privileges"],
            &[".security-audit-*", "_search"],
            &["_search"],
        ];
        for segments in reads {
            assert!(is_read(Method::POST, segments), "{segments:?}");
            assert!(!is_read(Method::PUT, segments) && !is_read(Method::DELETE, segments), "{segments:?}");
        }
        assert!(is_read(Method::GET, &["_security", "api_key"]));
        let writes: [&[&str]; 7] = [
            &["_security", "api_key"],
            &["_security", "api_key", "grant"],
            &["_security", "api_key", "_bulk_update"],
            &["journal", "_bulk"],
            &["_search", "scroll"],
            &["_security", "user", "ana", "_has_privileges"],
            &[],
        ];
        for segments in writes {
            assert!(!is_read(Method::POST, segments), "{segments:?}");
        }
    }
}
