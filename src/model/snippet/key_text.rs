//! Key in the forms that consumers take, and as a reference to where it is kept.

use zeroize::Zeroizing;

use super::quote::{Quote, joined, plain};
use crate::model::{api_key::KeyId, connections::login, secret::Secret};

/// Environment variable that holds the encoded key.
pub const ENCODED_VARIABLE: &str = "ES_API_KEY";
/// Environment variable that holds `id:api_key`.
pub const RAW_VARIABLE: &str = "ES_API_KEY_RAW";

/// Key in the forms that consumers take; wiped when dropped.
pub struct KeyText {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) encoded: Secret,
    pub(super) raw: Secret,
    pub(super) header: Secret,
}

/// Dots that stand for a secret: always 22, whatever its length.
pub const MASK: &str = "••••••••••••••••••••••";

impl KeyText {
    /// Returns the key with its secret.
    pub fn real(id: &KeyId, secret: &Secret) -> Self {
        Self::of(id, secret.clone(), login::encode(id.as_str(), secret))
    }

    /// Returns the key with dots instead of everything secret, for a screen.
    pub fn masked(id: &KeyId) -> Self {
        Self::of(id, Secret::new(MASK), Secret::new(MASK))
    }

    fn of(id: &KeyId, secret: Secret, encoded: Secret) -> Self {
        let raw = Secret::from(joined(&[id.as_str(), ":", secret.expose()]));
        let header = Secret::from(joined(&["ApiKey ", encoded.expose()]));
        Self { id: id.as_str().to_owned(), secret, encoded, raw, header }
    }
}

/// Form in which the key appears in a text.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// Name of a variable or of a keystore entry.
    Reference,
    /// Key itself.
    Literal(&'a KeyText),
}

impl Key<'_> {
    pub(super) fn encoded(self, quote: Quote, reference: &str) -> Zeroizing<String> {
        self.put(|key| &key.encoded, quote, reference)
    }

    pub(super) fn raw(self, quote: Quote, reference: &str) -> Zeroizing<String> {
        self.put(|key| &key.raw, quote, reference)
    }

    pub(super) fn header(self, quote: Quote, reference: &str) -> Zeroizing<String> {
        self.put(|key| &key.header, quote, reference)
    }

    fn put(self, form: fn(&KeyText) -> &Secret, quote: Quote, reference: &str) -> Zeroizing<String> {
        match self {
            Self::Reference => plain(reference),
            Self::Literal(key) => quote(form(key).expose()),
        }
    }
}
