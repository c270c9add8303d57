//! Refusals of a part of a body, which name its position.

use super::Position;
use crate::sandbox::http::error::EsError;

/// Refusal with its position in the text.
#[derive(Debug)]
pub struct Fault {
    /// Position that wrapping errors name.
    pub at: Position,
    /// Refusal itself.
    pub error: Box<EsError>,
}

/// Result of parsing.
pub type Parsed<T> = Result<T, Fault>;

/// Refuses with a position.
pub fn fault<T>(at: Position, error: Box<EsError>) -> Parsed<T> {
    Err(Fault { at, error })
}

/// Returns the refusal of a malformed request.
pub fn content(reason: String) -> Box<EsError> {
    EsError::new(400, "x_content_parse_exception", reason)
}

/// Returns the refusal of an unknown field, with a "did you mean" hint for similar names.
pub fn unknown_field(at: impl std::fmt::Display, parser: &str, name: &str, known: &[&str]) -> Box<EsError> {
    content(format!("[{at}] [{parser}] unknown field [{name}]{}", similar(name, known)))
}

/// Returns the "did you mean" hint; empty if no name is similar.
pub fn similar(name: &str, known: &[&str]) -> String {
    let likeness = |candidate: &str| strsim::normalized_levenshtein(name, candidate);
    let mut close: Vec<&str> = known.iter().copied().filter(|candidate| likeness(candidate) > 0.5).collect();
    close.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
    match close.as_slice() {
        [] => String::new(),
        [one] => format!(" did you mean [{one}]?"),
        several => format!(" did you mean any of [{}]?", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_right_fields_are_suggested() {
        let error = unknown_field("1:2", "api_key_request", "nam", &["name", "expiration"]);
        assert_eq!(error.reason, "[1:2] [api_key_request] unknown field [nam] did you mean [name]?");
        let error = unknown_field("1:2", "p", "foo", &["name"]);
        assert_eq!(error.reason, "[1:2] [p] unknown field [foo]");
    }
}
