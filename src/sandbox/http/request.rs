//! Request as the handlers see it: path, parameters, relevant headers, body; and the rules for media types.

use super::{
    error::{EsError, Outcome},
    reply::Reply,
};
use crate::model::text::hex;
use crate::sandbox::json::{self, Node};
use hyper::HeaderMap;
use std::collections::BTreeMap;

/// Query parameters by name.
#[derive(Debug, Default, Clone)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Parses a query string; if a name occurs twice, the last value counts, as in Elasticsearch.
    pub fn parse(query: &str) -> Outcome<Params> {
        let mut params = BTreeMap::new();
        for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(&name.replace('+', " "), query)?;
            params.insert(name, decode(&value.replace('+', " "), query)?);
        }
        Ok(Params(params))
    }

    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the value, or `None` if it is only white space, which counts as not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| has_text(value))
    }

    /// Returns the value, or `None` if it is empty.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns a boolean parameter: `true` if present without a value, `default` if absent.
    ///
    /// # Errors
    /// With Elasticsearch's message, for any value except `true`, `false` and an empty one.
    pub fn flag(&self, name: &str, default: bool) -> Outcome<bool> {
        match self.get(name) {
            None => Ok(default),
            Some("" | "true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => {
                Err(EsError::illegal(format!("Failed to parse value [{other}] as only [true] or [false] are allowed.")))
            }
        }
    }

    /// Returns an integer parameter, `None` if absent.
    ///
    /// # Errors
    /// With Elasticsearch's message, if the value is not an integer.
    pub fn number(&self, name: &str) -> Outcome<Option<i64>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            EsError::illegal(format!("Failed to parse int parameter [{name}] with value [{text}]"))
                .because(EsError::new(400, "number_format_exception", format!("For input string: \"{text}\"")))
        })
    }

    /// Checks the parameter `refresh`, which has no effect because every write is visible immediately.
    ///
    /// # Errors
    /// With Elasticsearch's message, if the value is none of those that it knows.
    pub fn check_refresh(&self) -> Outcome<()> {
        match self.get("refresh") {
            None | Some("" | "true" | "false" | "wait_for") => Ok(()),
            Some(other) => Err(EsError::illegal(format!("Unknown value for refresh: [{other}]."))),
        }
    }

    /// Returns the names that are neither in `known` nor accepted by every route, sorted.
    pub fn unknown(&self, known: &[&str]) -> Vec<String> {
        self.0.keys().filter(|name| !is_known(name, known)).cloned().collect()
    }

    /// Removes the parameters that the route does not know, so that no handler reads them.
    pub fn keep(&mut self, known: &[&str]) {
        self.0.retain(|name, _| is_known(name, known));
    }
}

fn is_known(name: &str, known: &[&str]) -> bool {
    const EVERYWHERE: [&str; 6] = ["pretty", "human", "error_trace", "filter_path", "format", "source_content_type"];
    known.contains(&name) || EVERYWHERE.contains(&name)
}

/// Returns `true` if a text has a character that is not white space in Java's sense; non-breaking blanks count as text.
pub fn has_text(text: &str) -> bool {
    !text.chars().all(|c| {
        c.is_whitespace() && !matches!(c, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}')
            || ('\u{1c}'..='\u{1f}').contains(&c)
    })
}

/// Decodes percent escapes.
///
/// # Errors
/// If an escape is malformed; the message contains it and its position in `whole`, as in Elasticsearch.
pub fn decode(text: &str, whole: &str) -> Outcome<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        if *byte != b'%' {
            bytes.push(*byte);
            at += 1;
            continue;
        }
        match raw.get(at + 1..at + 3).and_then(|pair| pair.try_into().ok()).and_then(hex::byte) {
            Some(value) => bytes.push(value),
            None => {
                let shown = String::from_utf8_lossy(&raw[at..raw.len().min(at + 3)]).into_owned();
                let place = whole.find(&shown).unwrap_or(at);
                return Err(EsError::illegal(format!(
                    "invalid escape sequence `{shown}' at index {place} of: {whole}"
                )));
            }
        }
        at += 3;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// HTTP request.
#[derive(Debug)]
pub struct Request {
    /// HTTP method in capitals.
    pub method: String,
    /// Path as sent, without parameters.
    pub path: String,
    /// Path and parameters as sent, as refusals name the request.
    pub uri: String,
    /// Query parameters.
    pub params: Params,
    /// Bytes of the `Authorization` header.
    pub authorization: Option<Vec<u8>>,
    /// Name of the user to act as (run-as).
    pub run_as: Option<String>,
    /// Body of the request; empty if there is none.
    pub body: Vec<u8>,
    compatible_with: Option<u8>,
    /// Header `X-Opaque-Id`, returned unchanged.
    pub opaque_id: Option<String>,
}

impl Request {
    /// Splits a request into its parts. Parameters are checked later, so that unauthenticated callers learn nothing
    /// about them.
    pub fn new(method: &str, uri: &str, headers: &HeaderMap, body: Vec<u8>) -> Request {
        let path = uri.split('?').next().unwrap_or("/").to_owned();
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Request {
            method: method.to_owned(),
            path,
            uri: uri.to_owned(),
            params: Params::default(),
            authorization: headers.get("authorization").map(|value| value.as_bytes().to_vec()),
            run_as: text("es-security-runas-user"),
            body,
            compatible_with: None,
            opaque_id: text("x-opaque-id"),
        }
    }

    /// Parses parameters and media types.
    ///
    /// # Errors
    /// The complete answer: for malformed escapes, and for media types that are not JSON or do not match each other.
    pub fn prepare(&mut self, headers: &HeaderMap) -> Result<(), Reply> {
        let query = self.uri.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        self.params = Params::parse(&query)?;
        self.params.flag("pretty", false)?;
        self.params.flag("error_trace", false)?;
        self.compatible_with = media_types(headers, !self.body.is_empty())?;
        Ok(())
    }

    /// Returns the content type of a JSON answer.
    pub fn answer_type(&self) -> String {
        match self.compatible_with {
            Some(version) => format!("application/vnd.elasticsearch+json;compatible-with={version}"),
            None => "application/json".to_owned(),
        }
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// If the body is empty or not JSON.
    pub fn json(&self) -> Outcome<Node> {
        json::parse(&self.body)
    }
}

struct MediaType {
    kind: String,
    compatible_with: Option<u8>,
}

fn media_type(raw: &str) -> Option<MediaType> {
    let mut parts = raw.split(';');
    let kind = parts.next()?.trim().to_lowercase();
    let (top, sub) = kind.split_once('/')?;
    let token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    if !token(top) || !token(sub) {
        return None;
    }
    let mut compatible_with = None;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("compatible-with") && kind.contains("vnd.elasticsearch+") {
            compatible_with = Some(value.trim().parse().unwrap_or(0));
        }
    }
    Some(MediaType { kind, compatible_with })
}

fn header_problem(names: &str, cause: Box<EsError>) -> Reply {
    EsError::new(400, "media_type_header_exception", format!("Invalid media-type value on headers [{names}]"))
        .because(cause)
        .into()
}

/// Returns the version that the answer must be compatible with; refusals as seen on 9.5.3.
fn media_types(headers: &HeaderMap, has_body: bool) -> Result<Option<u8>, Reply> {
    let status = |reason: String| EsError::new(400, "status_exception", reason);
    let mut found: [(&str, Option<String>, Option<MediaType>); 2] =
        [("Accept", None, None), ("Content-Type", None, None)];
    for (name, raw, parsed) in &mut found {
        let mut values = headers.get_all(*name).iter();
        let Some(value) = values.next() else { continue };
        if values.next().is_some() {
            let reason = format!("Incorrect header [{name}]. Only one value should be provided");
            return Err(header_problem(name, EsError::illegal(reason)));
        }
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if text.trim().is_empty() {
            continue;
        }
        *parsed = media_type(&text);
        // Several accepted types can't be read by Elasticsearch as one; it then answers JSON.
        if parsed.is_none() && *name == "Content-Type" {
            return Err(header_problem(name, EsError::illegal(format!("invalid media-type [{text}]"))));
        }
        *raw = Some(text);
    }
    let [(_, accept_raw, accept), (_, content_raw, content)] = found;
    if has_body {
        let speaks = content.as_ref().is_some_and(|media| {
            matches!(
                media.kind.as_str(),
                "application/json"
                    | "application/x-ndjson"
                    | "application/vnd.elasticsearch+json"
                    | "application/vnd.elasticsearch+x-ndjson"
            )
        });
        if !speaks {
            let text = format!("Content-Type header [{}] is not supported", content_raw.unwrap_or_default());
            return Err(Reply::string_error(406, &text, true));
        }
    }
    let accept_version = accept.as_ref().and_then(|media| media.compatible_with);
    let content_version = content.as_ref().filter(|_| has_body).and_then(|media| media.compatible_with);
    let shown = |raw: Option<String>| raw.unwrap_or_else(|| "null".to_owned());
    for (name, version, raw) in
        [("Accept", accept_version, &accept_raw), ("Content-Type", content_version, &content_raw)]
    {
        if let Some(version) = version.filter(|version| !matches!(version, 8 | 9)) {
            let reason = format!(
                "{name} version must be either version 9 or 8, but found {version}. {name}={}",
                raw.clone().unwrap_or_default()
            );
            return Err(header_problem("Content-Type, Accept", status(reason)));
        }
    }
    if has_body && accept_version != content_version {
        let together = "A compatible version is required on both Content-Type and Accept headers if either one has requested a compatible version";
        let rest =
            if accept_raw.is_some() && content_raw.is_some() { " and the compatible versions must match" } else { "" };
        let names = if accept_raw.is_none() { "Accept, Content-Type" } else { "Content-Type, Accept" };
        let reason = format!("{together}{rest}. Accept={}, Content-Type={}", shown(accept_raw), shown(content_raw));
        return Err(header_problem(names, status(reason)));
    }
    Ok(accept_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn the_clients_compatible_types_are_understood_and_answered() {
        let both = "application/vnd.elasticsearch+json; compatible-with=8";
        let map = headers(&[("accept", both), ("content-type", both)]);
        assert_eq!(media_types(&map, true).unwrap(), Some(8));
        assert_eq!(media_types(&headers(&[("content-type", "application/json")]), true).unwrap(), None);
        assert_eq!(media_types(&headers(&[("accept", "text/html, */*")]), false).unwrap(), None);
    }

    #[test]
    fn other_types_and_mismatches_are_refused() {
        assert_eq!(media_types(&headers(&[("content-type", "text/plain")]), true).unwrap_err().status, 406);
        assert_eq!(media_types(&headers(&[]), true).unwrap_err().status, 406);
        assert_eq!(media_types(&headers(&[("content-type", "foo")]), true).unwrap_err().status, 400);
        let map = headers(&[
            ("accept", "application/json"),
            ("content-type", "application/vnd.elasticsearch+json; compatible-with=8"),
        ]);
        assert_eq!(media_types(&map, true).unwrap_err().status, 400);
        let old = headers(&[("accept", "application/vnd.elasticsearch+json; compatible-with=7")]);
        assert_eq!(media_types(&old, false).unwrap_err().status, 400);
    }

    #[test]
    fn parameters_are_decoded_and_unknown_ones_listed() {
        let params = Params::parse("name=a%20b&pretty&x=1").unwrap();
        assert_eq!(params.get("name"), Some("a b"));
        assert!(params.flag("pretty", false).unwrap());
        assert_eq!(params.unknown(&["name"]), vec!["x"]);
        let mut kept = params.clone();
        kept.keep(&["name"]);
        assert_eq!((kept.get("x"), kept.get("name")), (None, Some("a b")));
        assert!(Params::parse("a=%zz").is_err());
        assert!(params.number("name").is_err());
    }
}
