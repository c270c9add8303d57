//! Diagnosis of a text without a key.

use super::words::{ID_LENGTH, SECRET_LENGTH, Word, base64_text, has_mixture, is_url_letter, words};

/// Error for a text without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PastedError {
    /// Empty text.
    #[error(
        "Paste what the consumer of the key uses: the key itself, a header, a command or a line of its configuration"
    )]
    Empty,
    /// Text above the limit of 64 KB.
    #[error("This is longer than 64 KB: paste the part with the key")]
    TooLong,
    /// Secret without its id.
    #[error("The id is missing: this looks like the secret alone. Paste id:api_key, or the encoded form of both")]
    IdMissing,
    /// Id without its secret.
    #[error("The secret is missing: this looks like the id of a key alone")]
    SecretMissing,
    /// User with a password.
    #[error("This is a user with a password (Basic), not an API key")]
    Password,
    /// Reference to a variable or a keystore entry, such as `${ES_API_KEY}`.
    #[error("This refers to a variable or a keystore entry: paste its value")]
    Reference,
    /// Masked secret: dots, asterisks and the like.
    #[error("The secret is masked here: paste the secret itself")]
    Masked,
    /// Anything else.
    #[error("This contains no API key: neither an encoded one (Base64) nor id:api_key")]
    Unreadable,
}

/// Returns the error for a text in which no key was found.
pub(super) fn why_not(text: &str) -> PastedError {
    let words = words(text);
    let has = |name: &str| words.iter().any(|word| word.text.eq_ignore_ascii_case(name));
    let lone = |length: usize| {
        words
            .iter()
            .any(|word| word.text.len() == length && has_mixture(word.text) && word.text.bytes().all(is_url_letter))
    };
    // Base64 of `:api_key`, or of the secret alone.
    let is_half = |word: &Word<'_>| {
        word.text.len() > SECRET_LENGTH
            && base64_text(word.text).is_some_and(|text| text.trim_start_matches(':').len() == SECRET_LENGTH)
    };
    let masked = |text: &str| {
        ["•••", "***", "…", "xxxx", "XXXX", "<redacted", "REDACTED"].iter().any(|mark| text.contains(mark))
    };
    if has("Basic") {
        PastedError::Password
    } else if lone(SECRET_LENGTH) || words.iter().any(is_half) {
        PastedError::IdMissing
    } else if text.contains("${") || text.contains("$(") || text.contains("{{") || text.trim_start().starts_with('$') {
        PastedError::Reference
    } else if masked(text) {
        PastedError::Masked
    } else if text.contains('$') && words.len() > 1 {
        PastedError::Reference
    } else if lone(ID_LENGTH) {
        PastedError::SecretMissing
    } else {
        PastedError::Unreadable
    }
}
