//! Text that must not leak: wiped when dropped, silent in `Debug`, readable by one method only.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret text, such as the `api_key` of a key, a password or a token.
///
/// Its memory is overwritten when it is dropped. It has no `Display` and no serialization, and its `Debug` shows
/// nothing, not even its length.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller should not keep another copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text itself. No other method does, so that every use can be found by this name.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `true` if the text has no characters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_nothing_about_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "…");
        assert_eq!(format!("{:?}", Some(Secret::new(""))), "Some(…)");
    }

    #[test]
    fn secrets_compare_by_their_text() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("ab"));
    }
}
