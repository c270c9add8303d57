//! Cluster that a key is for, as a text names it.

use std::borrow::Cow;

use crate::model::connections::{endpoint::Trust, fingerprint::Fingerprint};

/// Cluster that the key is for.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Address of the cluster.
    pub url: &'a str,
    /// Certificates that are trusted.
    pub trust: &'a Trust,
}

/// File name of the CA's certificate where no file with it is known.
pub(super) const CA_FILE: &str = "ca.pem";

/// Trust settings in a snippet; a CA is always the path of a file, because that is what consumers take.
pub(super) enum SiteTrust {
    /// Certificate authorities of the computer.
    System,
    /// Certificates of the file with this path.
    CaFile(String),
    /// Certificate with this fingerprint.
    Fingerprint(Fingerprint),
    /// Any certificate.
    InsecureDev,
}

impl Site<'_> {
    /// Returns the certificates that are trusted.
    pub(super) fn trust(&self) -> SiteTrust {
        match self.trust {
            Trust::System => SiteTrust::System,
            Trust::CaFile(path) => SiteTrust::CaFile(path.display().to_string()),
            Trust::Ca(_) => SiteTrust::CaFile(CA_FILE.into()),
            Trust::Fingerprint(print) => SiteTrust::Fingerprint(*print),
            Trust::InsecureDev => SiteTrust::InsecureDev,
        }
    }

    /// Returns the file with the CA's certificate, for consumers that take no fingerprints. `None` if no CA is pinned.
    pub(super) fn ca_file(&self) -> Option<Cow<'static, str>> {
        match self.trust() {
            SiteTrust::CaFile(path) => Some(Cow::Owned(path)),
            SiteTrust::Fingerprint(_) => Some(Cow::Borrowed(CA_FILE)),
            SiteTrust::System | SiteTrust::InsecureDev => None,
        }
    }

    /// Returns `true` if no certificate is checked.
    pub(super) fn is_insecure(&self) -> bool {
        *self.trust == Trust::InsecureDev
    }
}
