//! Certificates of authorities that are kept with a connection, so that it works where no file holds them.

use rustls_pki_types::{CertificateDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{client_certificate::pem, fingerprint::Fingerprint};
use crate::model::{TimeDelta, Timestamp, text::sanitize};

/// Size limit of the PEM text, in bytes.
pub const MAX_CA_BYTES: usize = 256 << 10;

/// Maximum number of certificates.
const MAX_CA_CERTIFICATES: usize = 64;

/// Maximum length of a shown subject, in characters.
const MAX_NAME: usize = 200;

/// Certificates of authorities. They are public.
#[derive(Clone, PartialEq, Eq)]
pub struct CaCertificates {
    pem: String,
    /// Subject of the first one, such as `CN=Elasticsearch security auto-configuration HTTP CA`.
    pub subject: String,
    /// Fingerprint of the first one.
    pub fingerprint: Fingerprint,
    /// End of the validity of the first one.
    pub not_after: Timestamp,
    /// Number of certificates.
    pub count: usize,
}

/// Reason why a text holds no certificates of authorities; `Display` says how to fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaError {
    /// There is no certificate.
    #[error("There is no certificate in PEM format in it")]
    None,
    /// Malformed PEM text, or a certificate that can't be read.
    #[error("A certificate in it can't be read: it must be PEM text, from -----BEGIN CERTIFICATE----- on")]
    Unreadable,
    /// More than [`MAX_CA_BYTES`], or more certificates than the limit.
    #[error("It is too large: at most 64 certificates and 256 KiB")]
    TooLarge,
}

impl CaCertificates {
    /// Reads PEM text. Anything else in it than certificates is left out.
    ///
    /// # Errors
    /// If there is no certificate in it, one can't be read, or there are too many.
    pub fn read(text: &[u8]) -> Result<Self, CaError> {
        if text.len() > MAX_CA_BYTES {
            return Err(CaError::TooLarge);
        }
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let all = all.map_err(|_| CaError::Unreadable)?;
        if all.len() > MAX_CA_CERTIFICATES {
            return Err(CaError::TooLarge);
        }
        let first = all.first().ok_or(CaError::None)?;
        let parsed = all.iter().map(|der| X509Certificate::from_der(der).map(|(_, parsed)| parsed));
        let parsed: Result<Vec<_>, _> = parsed.collect();
        let parsed = parsed.map_err(|_| CaError::Unreadable)?;
        let own = parsed.first().ok_or(CaError::None)?;
        Ok(Self {
            subject: sanitize::shortened(&own.subject().to_string(), MAX_NAME),
            fingerprint: Fingerprint::of(first),
            not_after: Timestamp::EPOCH + TimeDelta::from_secs(own.validity().not_after.timestamp()),
            count: all.len(),
            pem: all.iter().map(|der| pem("CERTIFICATE", der).expose().to_owned()).collect(),
        })
    }

    /// Returns the certificates as PEM text.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl std::fmt::Debug for CaCertificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CaCertificates({}, {})", self.subject, self.fingerprint.short())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// PEM text of a fresh authority.
    pub(crate) fn authority(name: &str) -> String {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn certificates_are_read_in_one_form_whatever_stands_around_them() {
        let (one, two) = (authority("one"), authority("two"));
        let plain = CaCertificates::read(one.as_bytes()).unwrap();
        assert_eq!((plain.subject.as_str(), plain.count), ("CN=one", 1));
        let odd = format!("# a comment\r\n{}\r\n", one.replace('\n', "\r\n"));
        assert_eq!(CaCertificates::read(odd.as_bytes()).unwrap(), plain);
        assert_eq!(CaCertificates::read(plain.pem().as_bytes()).unwrap(), plain);
        let both = CaCertificates::read(format!("{one}{two}").as_bytes()).unwrap();
        assert_eq!((both.count, both.fingerprint), (2, plain.fingerprint));
    }

    #[test]
    fn what_is_no_certificate_is_refused_with_the_reason() {
        let one = authority("one");
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for (text, expected) in [
            (String::new(), CaError::None),
            ("hello".into(), CaError::None),
            (key, CaError::None),
            ("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n".into(), CaError::Unreadable),
            (one.replace("-----END", "-----DNE"), CaError::Unreadable),
            (one.repeat(65), CaError::TooLarge),
            (" ".repeat(MAX_CA_BYTES + 1), CaError::TooLarge),
        ] {
            assert_eq!(CaCertificates::read(text.as_bytes()), Err(expected));
        }
    }
}
