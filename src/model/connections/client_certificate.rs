//! Client certificates: read from PEM files or PKCS#12, checked, and kept as PEM text.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::tz::TimeZone;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer,
    pem::{PemObject, SectionKind},
};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::model::{
    TimeDelta, Timestamp,
    secret::Secret,
    text::sanitize,
    time::{
        calendar,
        expiry::{self, EXPIRING_SOON},
    },
};

/// Size limit of a file with a certificate or a key, in bytes.
pub const MAX_CERTIFICATE_BYTES: u64 = 1 << 20;

/// Maximum number of certificates in a file, the client's own included.
const MAX_CHAIN: usize = 16;

/// Certificate by which a client signs in or is admitted, with its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    chain: String,
    key: Secret,
    /// Subject, such as `CN=ana`.
    pub subject: String,
    /// Issuer: the authority that is said to have signed the certificate.
    pub issuer: String,
    /// Beginning of the validity.
    pub not_before: Timestamp,
    /// End of the validity.
    pub not_after: Timestamp,
}

/// Reason why files are no client certificate; `Display` says how to fix it. None repeats any part of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientCertificateError {
    /// There is no certificate.
    #[error("There is no certificate in it: use a PEM file or a PKCS#12 file (.p12, .pfx)")]
    NoCertificate,
    /// There is a certificate without its private key.
    #[error("The private key is missing: choose the file with the key, too")]
    NoKey,
    /// The key is encrypted, and no passphrase was given.
    #[error("It is encrypted: enter the passphrase")]
    NeedsPassphrase,
    /// The passphrase is wrong, or the file is damaged.
    #[error("The passphrase is wrong, or the file is damaged")]
    WrongPassphrase,
    /// The key is encrypted in a way that is not supported.
    #[error(
        "Its encryption is not supported: convert the key with `openssl pkcs8 -topk8`, or export the PKCS#12 file again"
    )]
    Encryption,
    /// The private key is not that of the certificate.
    #[error("The private key does not belong to the certificate")]
    OtherKey,
    /// The certificate may not be used by clients.
    #[error("The certificate is not for clients: its extended key usage lacks clientAuth")]
    Usage,
    /// Something can't be read; holds what.
    #[error("{0} can't be read")]
    Unreadable(&'static str),
}

impl ClientCertificate {
    /// Reads a client certificate: PEM text with the certificate, any intermediates and perhaps the key; a second PEM
    /// text with the key; or PKCS#12. The certificate of the client is the one that the key belongs to. Expired ones are
    /// read, too.
    ///
    /// # Errors
    /// Returns the reason if the certificate or its key is missing, unreadable, or of no use to a client.
    pub fn read(
        certificate: &[u8],
        key: Option<&[u8]>,
        passphrase: Option<&Secret>,
    ) -> Result<Self, ClientCertificateError> {
        if !has(certificate, b"-----BEGIN ") {
            return of_pkcs12(certificate, passphrase);
        }
        if key.is_none() && is_legacy(certificate) {
            return Err(ClientCertificateError::Encryption);
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|_| ClientCertificateError::Unreadable("Its PEM text"))?;
        if chain.is_empty() {
            return Err(ClientCertificateError::NoCertificate);
        }
        made(chain, key_of_pem(key.unwrap_or(certificate), passphrase)?)
    }

    /// Reads a client certificate as it is kept: PEM texts of the certificates and of the unencrypted key.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_kept(chain: &str, key: &Secret) -> Result<Self, ClientCertificateError> {
        Self::read(chain.as_bytes(), Some(key.expose().as_bytes()), None)
    }

    /// Returns the certificates as PEM text, the client's own first.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// Returns the unencrypted private key as PEM text.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// Returns a sentence about the validity, and whether it deserves attention: the certificate is not valid yet, expires
    /// soon or has expired.
    pub fn validity(&self, now: Timestamp) -> (String, bool) {
        if now < self.not_before {
            return (format!("not valid before {}", calendar::day(self.not_before, &TimeZone::UTC)), true);
        }
        let day = calendar::day(self.not_after, &TimeZone::UTC);
        if now >= self.not_after {
            return (format!("expired on {day}"), true);
        }
        let is_soon = self.not_after - now < EXPIRING_SOON;
        (format!("expires {}, on {day}", expiry::remaining(Some(self.not_after), now)), is_soon)
    }
}

fn of_pkcs12(bytes: &[u8], passphrase: Option<&Secret>) -> Result<ClientCertificate, ClientCertificateError> {
    // An empty passphrase is a passphrase, too.
    let word = passphrase.map_or("", Secret::expose);
    let store = KeyStore::from_pkcs12(bytes, word, Pkcs12ImportPolicy::Strict).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_) | p12_keystore::error::Error::UnpadError if word.is_empty() => {
            ClientCertificateError::NeedsPassphrase
        }
        p12_keystore::error::Error::MacError(_) | p12_keystore::error::Error::UnpadError => {
            ClientCertificateError::WrongPassphrase
        }
        p12_keystore::error::Error::UnsupportedEncryptionScheme
        | p12_keystore::error::Error::UnsupportedMacAlgorithm => ClientCertificateError::Encryption,
        _ => ClientCertificateError::NoCertificate,
    })?;
    let Some((_, found)) = store.private_key_chain() else { return Err(ClientCertificateError::NoKey) };
    let chain = found.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    let key = Zeroizing::new(found.key().as_der().to_vec());
    made(chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec())))
}

fn key_of_pem(text: &[u8], passphrase: Option<&Secret>) -> Result<PrivateKeyDer<'static>, ClientCertificateError> {
    if is_legacy(text) {
        return Err(ClientCertificateError::Encryption);
    }
    if has(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let passphrase = passphrase.filter(|passphrase| !passphrase.expose().is_empty());
        let passphrase = passphrase.ok_or(ClientCertificateError::NeedsPassphrase)?;
        return decrypted(text, passphrase);
    }
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(ClientCertificateError::NoKey),
        Err(_) => Err(ClientCertificateError::Unreadable("The private key")),
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Returns `true` for a key that is encrypted as OpenSSL did before PKCS#8, with a key derivation of a single MD5.
fn is_legacy(text: &[u8]) -> bool {
    has(text, b"Proc-Type: 4,ENCRYPTED")
}

/// An encrypted key, as it stands between its PEM lines.
struct Encrypted(Vec<u8>);

impl PemObject for Encrypted {
    fn from_pem(kind: SectionKind, der: Vec<u8>) -> Option<Self> {
        // The library knows no kind for it, and passes on only those it knows.
        (kind == SectionKind::PrivateKey).then_some(Self(der))
    }
}

fn decrypted(text: &[u8], passphrase: &Secret) -> Result<PrivateKeyDer<'static>, ClientCertificateError> {
    let unreadable = ClientCertificateError::Unreadable("The private key");
    let text = std::str::from_utf8(text).map_err(|_| unreadable.clone())?;
    // Read as an ordinary section of the same form.
    let plain = text.replace("ENCRYPTED PRIVATE KEY-----", "PRIVATE KEY-----");
    let Encrypted(der) = Encrypted::from_pem_slice(plain.as_bytes()).map_err(|_| unreadable.clone())?;
    let info = EncryptedPrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| unreadable)?;
    let key = info.decrypt(passphrase.expose()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }) => {
            ClientCertificateError::Encryption
        }
        _ => ClientCertificateError::WrongPassphrase,
    })?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec())))
}

/// Checks that certificates and a key belong together and are for a client.
fn made(
    mut chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientCertificate, ClientCertificateError> {
    chain.truncate(MAX_CHAIN);
    let text = key_text(&key);
    let signing = aws_lc_rs::sign::any_supported_type(&key);
    let signing = signing.map_err(|_| ClientCertificateError::Unreadable("The private key"))?;
    let public = signing.public_key().ok_or(ClientCertificateError::Unreadable("The private key"))?;
    // Compared here: the TLS library can't read certificates of X.509 version 1, which clients may have.
    let is_own = |certificate: &CertificateDer<'static>| {
        X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.public_key().raw == public.as_ref())
    };
    let own = chain.iter().position(is_own).ok_or(ClientCertificateError::OtherKey)?;
    // The client's own comes first.
    chain[..=own].rotate_right(1);
    let (_, parsed) =
        X509Certificate::from_der(&chain[0]).map_err(|_| ClientCertificateError::Unreadable("The certificate"))?;
    let usage = parsed.extended_key_usage().ok().flatten();
    if usage.is_some_and(|usage| !usage.value.client_auth && !usage.value.any) {
        return Err(ClientCertificateError::Usage);
    }
    let at = |time: x509_parser::time::ASN1Time| Timestamp::EPOCH + TimeDelta::from_secs(time.timestamp());
    let shown = |text: String| sanitize::shortened(&text, MAX_NAME);
    Ok(ClientCertificate {
        key: text,
        subject: shown(parsed.subject().to_string()),
        issuer: shown(parsed.issuer().to_string()),
        not_before: at(parsed.validity().not_before),
        not_after: at(parsed.validity().not_after),
        chain: chain.iter().map(|certificate| pem("CERTIFICATE", certificate).expose().to_owned()).collect(),
    })
}

/// Maximum length of a shown subject or issuer, in characters.
const MAX_NAME: usize = 200;

fn key_text(key: &PrivateKeyDer<'_>) -> Secret {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    pem(label, key.secret_der())
}

/// Returns PEM text.
pub(super) fn pem(label: &str, der: &[u8]) -> Secret {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    // Room for all of it: a buffer that grows leaves parts of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / 64 + 2 * label.len() + 40));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    Secret::new(text.as_str())
}

#[cfg(test)]
#[path = "client_certificate_tests.rs"]
mod tests;
