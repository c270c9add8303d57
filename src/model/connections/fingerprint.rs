//! SHA-256 fingerprints of certificates, as Elasticsearch and openssl print them.

use sha2::{Digest, Sha256};

use crate::model::text::hex;

/// SHA-256 fingerprint of a certificate, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// Reason why a text is not a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Character that is neither a hexadecimal digit nor a separator.
    #[error("“{0}” is not a hexadecimal digit: paste the 64 digits that Elasticsearch printed")]
    NotHex(char),
    /// Length other than 64 digits (32 bytes); holds the number of digits.
    #[error("A SHA-256 fingerprint has 64 digits; this one has {0}")]
    Length(usize),
}

impl Fingerprint {
    /// Returns the fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Reads 64 hexadecimal digits in either case, with or without colons, blanks and line ends,
    /// also behind `SHA256:` or `sha256 Fingerprint=`.
    ///
    /// # Errors
    /// Fails if the text contains anything else or does not have 64 digits.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim();
        let text = text.rsplit_once('=').map_or(text, |(_, digits)| digits);
        let text = text.strip_prefix("SHA256:").or_else(|| text.strip_prefix("sha256:")).unwrap_or(text);
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-') && !c.is_whitespace()).collect();
        if let Some(odd) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(FingerprintError::NotHex(odd));
        }
        let bytes = hex::decode(&digits).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(FingerprintError::Length(digits.len()))
    }

    /// Returns the bytes as pairs of upper-case digits, `3F`, `A1`, `08` and so on, for comparing by eye.
    pub fn pairs(&self) -> [String; 32] {
        self.0.map(|byte| format!("{byte:02X}"))
    }

    /// Returns the first four bytes, `3F:A1:08:C4…`, enough to distinguish two fingerprints in a sentence.
    pub fn short(&self) -> String {
        format!("{}…", self.pairs()[..4].join(":"))
    }
}

impl std::fmt::Display for Fingerprint {
    /// Writes 64 lower-case digits, as Elasticsearch prints the fingerprint at its first start.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printed_form_is_understood() {
        let print = Fingerprint::of(b"certificate");
        let plain = print.to_string();
        let colons = print.pairs().join(":");
        let lines = colons.replace("A", "A\n ");
        for text in [&plain, &plain.to_uppercase(), &colons, &lines, &format!("sha256 Fingerprint={colons}")] {
            assert_eq!(Fingerprint::parse(text), Ok(print), "{text}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_says_why() {
        assert_eq!(Fingerprint::parse("abcd"), Err(FingerprintError::Length(4)));
        assert_eq!(Fingerprint::parse("xyz"), Err(FingerprintError::NotHex('x')));
    }
}
