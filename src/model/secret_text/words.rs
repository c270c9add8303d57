//! Words of a pasted text, and the marks by which ids and secrets are recognized.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

/// Length in characters of the ids that Elasticsearch makes (as seen on 7.10.2 to 9.5.3).
pub(super) const ID_LENGTH: usize = 20;

/// Length in characters of the secrets that Elasticsearch makes.
pub(super) const SECRET_LENGTH: usize = 22;

/// Word of the characters that keys are made of, with its byte range in the text.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Returns `true` for a letter of a word.
pub(super) fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/')
}

/// Returns the words of a text: runs of letters, digits and the signs of base64.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(is_letter).map(|at| rest + at) {
        let end = text[start..].find(|c| !is_letter(c)).map_or(text.len(), |length| start + length);
        words.push(Word { text: &text[start..end], start, end });
        rest = end;
    }
    words
}

/// Returns the text that a word encodes; `None` if it is not base64 of a text.
pub(super) fn base64_text(text: &str) -> Option<Zeroizing<String>> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    // One buffer of its own, wiped: also what is decoded before an error is a part of a secret.
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = engines.iter().find_map(|engine| engine.decode_slice(text, &mut bytes).ok())?;
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || matches!(c, '\n' | '\r')))
        .then(|| Zeroizing::new(text.trim().to_owned()))
}

/// Returns `true` for the letters of ids and secrets.
pub(super) fn is_url_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Returns `true` for a text made at random rather than by a person: with capital and small letters, or with letters
/// and digits.
pub(super) fn has_mixture(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
        || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}
