//! Maps an unsuccessful answer to a [`ClientError`]: Elasticsearch's several shapes of errors, and the HTML pages of
//! whatever stands in front of it.

use serde_json::Value;

use super::{
    response::Response,
    server_text::{deepest_reason, looks_like, shown},
};
use crate::{
    client::error::ClientError,
    model::{text::sanitize, version::Feature},
};

impl Response {
    /// Returns the answer if its status is a success.
    ///
    /// # Errors
    /// The error that the cluster reported instead.
    pub(crate) fn success(self) -> Result<Self, ClientError> {
        if self.is_success() { Ok(self) } else { Err(self.refusal()) }
    }

    /// Reads the error out of an unsuccessful answer.
    pub(crate) fn refusal(&self) -> ClientError {
        read(self)
    }
}

/// Reads the error out of an unsuccessful answer.
fn read(answer: &Response) -> ClientError {
    let status = answer.status;
    if answer.is_from_between {
        return ClientError::FromBetween { status, reason: looks_like(&answer.body) };
    }
    if (300..400).contains(&status) {
        return ClientError::Redirected { location: location(answer.location.as_deref()), status };
    }
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok().filter(Value::is_object);
    let Some(json) = json else { return without_json(answer) };
    let words = Words::read(&json);
    if let Some(error) = whole_feature(&words, answer.feature) {
        return error;
    }
    match status {
        401 => ClientError::Unauthenticated { reason: words.sign_in() },
        403 => words.forbidden(),
        404 => ClientError::NotFound { reason: words.reason_or("the cluster does not have it") },
        429 => ClientError::Throttled { retry_after: answer.retry_after },
        502..=504 => ClientError::Unavailable { status, reason: words.reason_or("no reason given") },
        _ if words.is_empty() && !answer.is_elasticsearch => answer.not_elasticsearch(),
        _ => ClientError::Rejected { status, reason: words.reason_or("no reason given"), kind: words.kind },
    }
}

fn without_json(answer: &Response) -> ClientError {
    let status = answer.status;
    let reason = looks_like(&answer.body);
    match status {
        400 if speaks_of_https(&answer.body) => ClientError::PlainOnTlsPort,
        401 => ClientError::Unauthenticated { reason },
        403 => ClientError::Forbidden { action: None, reason, privileges: Vec::new() },
        429 => ClientError::Throttled { retry_after: answer.retry_after },
        500.. => ClientError::Unavailable { status, reason },
        _ if answer.is_elasticsearch => ClientError::Rejected { status, reason, kind: String::new() },
        _ => ClientError::NotElasticsearch { status, hint: reason },
    }
}

/// Returns `true` if a body asks for https, as servers do that listen for TLS and explain themselves in plain text
/// (nginx, Go).
fn speaks_of_https(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    text.contains("https server") || text.contains("https port")
}

/// Returns the error where a whole feature is missing, whatever was requested; otherwise `None`.
fn whole_feature(words: &Words, feature: Option<Feature>) -> Option<ClientError> {
    if words.disabled.as_deref() == Some("api_keys") {
        return Some(ClientError::ApiKeysDisabled);
    }
    let reason = words.reason.as_str();
    let route_is_missing = (reason.starts_with("no handler found for uri [/_security")
        || reason.starts_with("Incorrect HTTP method for uri [/_security"))
        // Without the route 7.10 takes its path for an index.
        || (matches!(words.kind.as_str(), "invalid_index_name_exception" | "index_not_found_exception")
            && reason.contains("[_security]"))
        // … and a user who may not write there gets an error about that index only (as seen on 7.10.2).
        || (feature.is_some() && words.outer.starts_with("action [indices:data/write"));
    let parameter_is_missing = reason.contains("contains unrecognized parameter: [with_limited_by]");
    match feature {
        Some(feature) if route_is_missing => Some(ClientError::Lacks(feature)),
        None if route_is_missing => Some(ClientError::SecurityOff),
        _ if parameter_is_missing => Some(ClientError::Lacks(Feature::LimitedBy)),
        _ => None,
    }
}

/// Parts of an Elasticsearch error, whichever shape it has.
#[derive(Default)]
struct Words {
    kind: String,
    /// Outermost reason, which names the action.
    outer: String,
    /// Innermost reason, which names the cause.
    reason: String,
    additional: Option<String>,
    disabled: Option<String>,
}

impl Words {
    fn read(json: &Value) -> Self {
        let error = match &json["error"] {
            Value::String(text) => return Self { reason: shown(text), outer: shown(text), ..Self::default() },
            error => error,
        };
        let root = &error["root_cause"][0];
        let text = |name: &str| error[name].as_str().or_else(|| root[name].as_str()).map(shown);
        let outer = text("reason").unwrap_or_default();
        Self {
            kind: text("type").unwrap_or_default(),
            reason: deepest_reason(error).map_or_else(|| outer.clone(), |reason| shown(&reason)),
            outer,
            additional: text("additional_unsuccessful_credentials"),
            disabled: text("disabled.feature"),
        }
    }

    fn is_empty(&self) -> bool {
        self.kind.is_empty() && self.reason.is_empty()
    }

    fn reason_or(&self, otherwise: &str) -> String {
        if self.reason.is_empty() { otherwise.to_owned() } else { self.reason.clone() }
    }

    fn sign_in(&self) -> String {
        // Older versions answer this to any key or token that is not valid; a credential was certainly sent.
        if self.additional.is_none() && self.reason.starts_with("missing authentication credentials") {
            return "the credential is unknown, wrong, expired or invalidated; this cluster does not say which".into();
        }
        self.additional.clone().unwrap_or_else(|| self.reason_or("no reason given"))
    }

    fn forbidden(&self) -> ClientError {
        let action = between(&self.outer, "action [", "]").map(str::to_owned);
        let privileges = ["granted by the cluster privileges [", "granted by the index privileges ["];
        let privileges = privileges.into_iter().find_map(|start| between(&self.outer, start, "]"));
        let privileges: Vec<String> = privileges.map_or_else(Vec::new, |names| {
            names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        });
        let reason = if privileges.is_empty() { self.reason_or("no reason given") } else { self.outer.clone() };
        ClientError::Forbidden { action, reason, privileges }
    }
}

/// Formats the privileges of which any one would do, with their kind, and for an index privilege with the index: the
/// reason of a refusal has both (as seen on 9.5.3).
pub fn lacking(reason: &str, privileges: &[String]) -> String {
    let names = privileges.join(" or ");
    if !reason.contains("granted by the index privileges [") {
        return format!("the cluster privilege {names}");
    }
    match between(reason, "on indices [", "]") {
        Some(indices) => format!("the index privilege {names} on {indices}"),
        None => format!("the index privilege {names}"),
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// Formats the address of a redirect without the parts that may be secret.
fn location(text: Option<&str>) -> String {
    let Some(text) = text else { return "it does not say where".into() };
    let Ok(mut url) = reqwest::Url::parse(text) else {
        return sanitize::shortened(text.split(['?', '#']).next().unwrap_or_default(), 200);
    };
    url.set_query(None);
    url.set_fragment(None);
    // These fail on addresses that can have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    sanitize::shortened(url.as_str(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_in_any_page() {
        assert_eq!(looks_like(b"<html><head><TITLE>\n 502 Bad\n Gateway</title>"), "a page titled “502 Bad Gateway”");
        assert_eq!(looks_like(b"<html><title>x"), "a page without a title");
        assert_eq!(looks_like("<title>ĄİŁ</title>".as_bytes()), "a page titled “ĄİŁ”");
        assert_eq!(looks_like(b"  "), "an empty response");
        assert_eq!(looks_like(b"\xff\xfe"), "the text “\u{fffd}\u{fffd}”");
        assert_eq!(looks_like(br#"{"tagline":"The OpenSearch Project"}"#), "OpenSearch responds");
        assert_eq!(looks_like(b"SSH-2.0\r\nmore"), "the text “SSH-2.0”");
    }

    #[test]
    fn a_location_loses_what_may_be_secret() {
        assert_eq!(location(Some("https://ana:pw@sso.example.net/in?token=x#y")), "https://sso.example.net/in");
        assert_eq!(location(Some("/login?token=x")), "/login");
        assert_eq!(location(None), "it does not say where");
    }

    #[test]
    fn the_deepest_reason_is_found_unless_it_is_empty() {
        let error = serde_json::json!({"reason":"a","caused_by":{"reason":"b","caused_by":{"reason":null}}});
        assert_eq!(deepest_reason(&error).as_deref(), Some("b"));
        assert_eq!(deepest_reason(&serde_json::json!({})), None);
    }

    proptest::proptest! {
        #[test]
        fn no_body_is_too_odd_to_be_described(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = looks_like(&body);
        }

        #[test]
        fn no_page_is_too_odd_for_its_title(page in "(<title>|</title>|<|>|İ|a|&amp;| )*") {
            let _ = looks_like(page.as_bytes());
        }
    }
}
