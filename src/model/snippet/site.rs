//! Cluster that a key is for, as a text names it.

use std::borrow::Cow;

use crate::model::connections::endpoint::Trust;

/// Cluster that the key is for.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Address of the cluster.
    pub url: &'a str,
    /// Certificates that are trusted.
    pub trust: &'a Trust,
}

/// File name of the CA's certificate where only its fingerprint is known.
pub(super) const CA_FILE: &str = "ca.pem";

impl Site<'_> {
    /// Returns the file with the CA's certificate, for consumers that take no fingerprints. `None` if no CA is pinned.
    pub(super) fn ca_file(&self) -> Option<Cow<'static, str>> {
        match self.trust {
            Trust::CaFile(path) => Some(Cow::Owned(path.display().to_string())),
            Trust::Fingerprint(_) => Some(Cow::Borrowed(CA_FILE)),
            Trust::System | Trust::InsecureDev => None,
        }
    }

    /// Returns `true` if no certificate is checked.
    pub(super) fn is_insecure(&self) -> bool {
        *self.trust == Trust::InsecureDev
    }
}
