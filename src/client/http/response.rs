//! One HTTP answer, read within limits: its status is known whatever the body is. It knows no particular call.

use std::{ops::Deref, time::Duration};

use reqwest::header::{HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::server_text;
use crate::{
    client::error::ClientError,
    model::{TimeDelta, Timestamp, version::Feature},
};

/// Size limit of a body which only explains a failure, in bytes.
pub(crate) const MAX_ERROR_BYTES: u64 = 1 << 20;

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// `true` if the answer comes from Elasticsearch: by the header that it sends since 7.14, or because the cluster
    /// was recognized before.
    pub(crate) is_elasticsearch: bool,
    /// `true` if the answer has that header itself.
    pub(crate) has_product: bool,
    /// `true` for a refusal by something between here and the cluster: see [`Response::is_of_another`].
    pub(crate) is_from_between: bool,
    /// `true` if an earlier attempt of the same request may have been carried out: its answer was lost.
    pub(crate) is_repetition: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) location: Option<String>,
    /// Feature that the call needs, if it needs one.
    pub(crate) feature: Option<Feature>,
    pub(crate) body: Body,
}

/// Bytes of a body; those of `Private` are wiped, earlier copies included.
pub(crate) enum Body {
    Plain(Vec<u8>),
    Private(Zeroizing<Vec<u8>>),
}

impl Body {
    pub(crate) fn new(private: bool) -> Self {
        if private { Self::Private(Zeroizing::default()) } else { Self::Plain(Vec::new()) }
    }

    pub(crate) fn extend(&mut self, chunk: &[u8]) {
        match self {
            Self::Plain(bytes) => bytes.extend_from_slice(chunk),
            Self::Private(bytes) => {
                if bytes.capacity() - bytes.len() < chunk.len() {
                    // A vector that grows by itself leaves its old memory behind as it was.
                    let mut larger = Zeroizing::new(Vec::with_capacity((bytes.len() + chunk.len()).max(4096) * 2));
                    larger.extend_from_slice(bytes);
                    *bytes = larger;
                }
                bytes.extend_from_slice(chunk);
            }
        }
    }

    /// Overwrites every occurrence of a text with asterisks.
    pub(crate) fn blot_out(&mut self, text: &[u8]) {
        let bytes = match self {
            Self::Plain(bytes) => bytes,
            Self::Private(bytes) => &mut **bytes,
        };
        let mut at = 0;
        while !text.is_empty() && at + text.len() <= bytes.len() {
            if bytes[at] == text[0] && &bytes[at..at + text.len()] == text {
                bytes[at..at + text.len()].fill(b'*');
                at += text.len();
            } else {
                at += 1;
            }
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Private(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some((Timestamp::from(date.timestamp()) - now).max(TimeDelta::ZERO).unsigned_abs())
}

impl Response {
    /// Creates an answer from its status and headers; the body is added later.
    pub(crate) fn new(
        status: u16,
        headers: &HeaderMap,
        feature: Option<Feature>,
        private: bool,
        now: Timestamp,
    ) -> Self {
        let product = HeaderName::from_static("x-elastic-product");
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let has_product = text(product) == Some("Elasticsearch");
        Self {
            status,
            has_product,
            is_elasticsearch: has_product,
            is_from_between: false,
            is_repetition: false,
            retry_after: text(RETRY_AFTER).and_then(|value| wait(value, now)),
            location: text(LOCATION).map(str::to_owned),
            feature,
            body: Body::new(private),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns `true` for a refusal that is neither marked by the header of Elasticsearch nor has the form of its
    /// errors. The server itself leaves the header out of a 401, of other refused sign-ins and of a 413, which has no
    /// body (as seen on 8.19.21 and 9.5.3).
    pub(crate) fn is_of_another(&self) -> bool {
        #[derive(Deserialize)]
        struct Error {
            #[serde(rename = "error")]
            _error: serde::de::IgnoredAny,
        }
        let is_its_own = self.has_product
            || self.status == 413 && self.body.is_empty()
            || serde_json::from_slice::<Error>(&self.body).is_ok();
        (400..500).contains(&self.status) && !is_its_own
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`ClientError::NotElasticsearch`] or [`ClientError::Unreadable`], if the body is something else.
    pub(crate) fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ClientError> {
        self.parse_part(&self.body)
    }

    /// Reads a part of the body that was taken out of it before.
    ///
    /// # Errors
    /// Returns the errors of [`Response::parse`].
    pub(crate) fn parse_part<'a, T: Deserialize<'a>>(&self, part: &'a [u8]) -> Result<T, ClientError> {
        serde_json::from_slice(part).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &serde_json::Error) -> ClientError {
        if !self.is_elasticsearch {
            return self.not_elasticsearch();
        }
        let reason = match &self.body {
            // The parser's error repeats the wrong value, which may be the secret.
            Body::Private(_) => format!("not what was expected at line {}, column {}", error.line(), error.column()),
            Body::Plain(_) => server_text::shown(&error.to_string()),
        };
        ClientError::Unreadable { status: self.status, reason }
    }

    pub(crate) fn not_elasticsearch(&self) -> ClientError {
        ClientError::NotElasticsearch { status: self.status, hint: server_text::looks_like(&self.body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_body_grows_and_says_only_its_length() {
        let mut body = Body::new(true);
        for _ in 0..3000 {
            body.extend(b"secret");
        }
        assert_eq!(body.len(), 18_000);
        assert!(body.starts_with(b"secretsecret") && body.ends_with(b"secret"));
        assert_eq!(format!("{body:?}"), "18000 bytes");
    }

    #[test]
    fn servers_ask_to_wait_in_seconds_or_until_a_date() {
        assert_eq!(wait(" 7 ", Timestamp::EPOCH), Some(Duration::from_secs(7)));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:09 GMT", Timestamp::from_millis(2000)), Some(Duration::from_secs(7)));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:09 GMT", Timestamp::from_millis(99_000)), Some(Duration::ZERO));
        assert_eq!(wait("soon", Timestamp::EPOCH), None);
    }

    #[test]
    fn a_text_is_blotted_out_everywhere() {
        let mut body = Body::new(false);
        body.extend(b"abab abc ab");
        body.blot_out(b"ab");
        assert_eq!(&*body, b"**** **c **");
        body.blot_out(b"");
        body.blot_out(b"longer than the body itself");
        assert_eq!(&*body, b"**** **c **");
    }
}
