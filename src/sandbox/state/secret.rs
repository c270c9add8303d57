//! Random ids and secrets, and the hashes that the cluster keeps of them.

use crate::sandbox::http::error::{EsError, Outcome};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Salted SHA-256 hash of a secret, compared in constant time.
#[derive(Clone)]
pub struct Hash {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl Hash {
    /// Hashes a secret with a fresh salt.
    ///
    /// # Errors
    /// If the operating system provides no random bytes.
    pub fn of(secret: &str) -> Outcome<Hash> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(Hash { salt, digest: Self::digest(&salt, secret) })
    }

    /// Returns a random hash for which no secret is known.
    ///
    /// # Errors
    /// If the operating system provides no random bytes.
    pub fn unknown() -> Outcome<Hash> {
        let mut hash = Hash { salt: [0; 16], digest: [0; 32] };
        random(&mut hash.digest)?;
        Ok(hash)
    }

    /// Returns `true` if `secret` has this hash; the comparison takes constant time.
    pub fn matches(&self, secret: &str) -> bool {
        self.digest.ct_eq(&Self::digest(&self.salt, secret)).into()
    }

    fn digest(salt: &[u8; 16], secret: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(salt);
        hasher.update(secret.as_bytes());
        hasher.finalize().into()
    }
}

/// Fills `bytes` with random bytes from the operating system.
///
/// # Errors
/// If the operating system provides none.
pub fn random(bytes: &mut [u8]) -> Outcome<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(bytes)
        .map_err(|_| EsError::new(500, "illegal_state_exception", "no random bytes to be had"))
}

/// Returns a fresh random id of 20 characters, as documents and API keys have.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fresh_id() -> Outcome<String> {
    let mut bytes = [0; 15];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns a fresh random secret or UUID of 22 characters.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fresh_secret() -> Outcome<String> {
    let mut bytes = [0; 16];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_have_the_lengths_of_the_real_ones() {
        assert_eq!(fresh_id().unwrap().len(), 20);
        assert_eq!(fresh_secret().unwrap().len(), 22);
        assert_ne!(fresh_id().unwrap(), fresh_id().unwrap());
    }

    #[test]
    fn a_hash_knows_its_secret_and_shows_nothing() {
        let hash = Hash::of("secret").unwrap();
        assert!(hash.matches("secret"));
        assert!(!hash.matches("Secret"));
        assert!(!Hash::unknown().unwrap().matches(""));
        assert_eq!(format!("{hash:?}"), "Hash(…)");
    }
}
