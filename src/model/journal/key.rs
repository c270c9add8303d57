//! Key of a journal: a message authentication code (HMAC) for each entry, and a signature (Ed25519) for a checkpoint.
//! Both are derived from one secret seed, which the keyring holds. Whoever can write the journal's folder but can't read
//! the keyring can't make either.

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{secret::Secret, text::hex};

/// Number of bytes of a seed.
pub const SEED_BYTES: usize = 32;
/// Number of hexadecimal digits of a key's id.
pub const ID_DIGITS: usize = 16;

const TAG_DIGITS: usize = 64;
/// Beginning of the member of a line that holds the code.
const MEMBER: &str = ",\"hmac\":\"";
/// Length of that member, with the closing quotation mark.
const MEMBER_LENGTH: usize = MEMBER.len() + ID_DIGITS + 1 + TAG_DIGITS + 1;

/// Key of a journal.
pub struct JournalKey {
    id: String,
    codes: hmac::Key,
    signing: Zeroizing<[u8; SEED_BYTES]>,
}

impl JournalKey {
    /// Derives the key from a seed in hexadecimal digits; `None` if the text is no seed.
    pub fn from_seed(seed: &Secret) -> Option<Self> {
        let bytes = Zeroizing::new(hex::decode(seed.expose())?);
        if bytes.len() != SEED_BYTES {
            return None;
        }
        let seed = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let derived = |purpose: &str| -> Zeroizing<[u8; SEED_BYTES]> {
            let tag = hmac::sign(&seed, purpose.as_bytes());
            let mut out = Zeroizing::new([0; SEED_BYTES]);
            out.copy_from_slice(tag.as_ref());
            out
        };
        Some(Self {
            id: hex::encode(&derived("keybearer journal key id v1")[..ID_DIGITS / 2]),
            codes: hmac::Key::new(hmac::HMAC_SHA256, &*derived("keybearer journal entries v1")),
            signing: derived("keybearer journal checkpoints v1"),
        })
    }

    /// Creates the seed of a new key, as hexadecimal digits. `None` if the system has no random numbers.
    pub fn new_seed() -> Option<Secret> {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        aws_lc_rs::rand::fill(&mut *bytes).ok()?;
        Some(Secret::new(hex::encode(&*bytes)))
    }

    /// Id of the key, which lines name: 16 hexadecimal digits from which the key can't be computed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the member of a line that holds the code, for the SHA-256 digest of everything before the member.
    pub(super) fn member(&self, digest: &[u8]) -> String {
        format!("{MEMBER}{}:{}\"", self.id, hex::encode(hmac::sign(&self.codes, digest).as_ref()))
    }

    /// Returns `true` if the code was made with this key, for exactly this line.
    pub fn has_made(&self, mac: &Mac) -> bool {
        mac.key == self.id && hmac::verify(&self.codes, &mac.digest, &mac.tag).is_ok()
    }

    /// Signs a text.
    ///
    /// # Errors
    /// Returns `None` if the cryptographic library refuses.
    pub fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        Some(self.pair()?.sign(text).as_ref().to_owned())
    }

    /// Public key by which signatures are verified: 32 bytes of Ed25519.
    pub fn public(&self) -> Option<Vec<u8>> {
        Some(self.pair()?.public_key().as_ref().to_owned())
    }

    fn pair(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&*self.signing).ok()
    }
}

impl std::fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Message authentication code of a line, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mac {
    /// Id of the key that it claims to be made with.
    pub key: String,
    tag: Vec<u8>,
    /// SHA-256 digest of the line up to the code.
    digest: Vec<u8>,
}

impl Mac {
    /// Splits a line, without its hash, into the part before the code and the code; `None` if it has none.
    pub(super) fn split(open: &str) -> Option<(&str, &str)> {
        let (before, member) = open.split_at_checked(open.len().checked_sub(MEMBER_LENGTH)?)?;
        let code = member.strip_prefix(MEMBER)?.strip_suffix('"')?;
        let is_code = code.as_bytes()[ID_DIGITS] == b':'
            && code.bytes().enumerate().all(|(at, byte)| at == ID_DIGITS || byte.is_ascii_hexdigit());
        is_code.then_some((before, code))
    }

    /// Puts a code that was split off together with the digest of what was before it.
    pub(super) fn new(code: &str, digest: Vec<u8>) -> Option<Self> {
        let (key, tag) = code.split_once(':')?;
        Some(Self { key: key.to_owned(), tag: hex::decode(tag)?, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_its_seed_alone_and_shows_nothing_of_it() {
        let seed = JournalKey::new_seed().unwrap();
        let (one, again) = (JournalKey::from_seed(&seed).unwrap(), JournalKey::from_seed(&seed).unwrap());
        assert_eq!((one.id(), one.public()), (again.id(), again.public()));
        let other = JournalKey::from_seed(&JournalKey::new_seed().unwrap()).unwrap();
        assert_ne!(one.id(), other.id());
        let shown = format!("{one:?}");
        assert!(!shown.contains(&seed.expose()[..8]));
        for odd in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert!(JournalKey::from_seed(&Secret::new(odd)).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_code_is_for_one_line_and_one_key() {
        let key = JournalKey::from_seed(&Secret::new("07".repeat(32))).unwrap();
        let other = JournalKey::from_seed(&Secret::new("08".repeat(32))).unwrap();
        let open = format!("{{\"a\":1{}", key.member(&[1; 32]));
        let (before, code) = Mac::split(&open).unwrap();
        assert_eq!(before, "{\"a\":1");
        assert!(key.has_made(&Mac::new(code, vec![1; 32]).unwrap()));
        assert!(!key.has_made(&Mac::new(code, vec![2; 32]).unwrap()));
        assert!(!other.has_made(&Mac::new(code, vec![1; 32]).unwrap()));
        for without in ["", "{\"a\":1", &open[..open.len() - 1], &open.replace(':', ";"), &format!("{open} ")] {
            assert!(Mac::split(without).is_none(), "{without}");
        }
        // A character that ends in the middle of where the member would begin.
        assert!(Mac::split(&"é".repeat(MEMBER_LENGTH)).is_none());
    }
}
