//! Certificates of the sandbox, created at every start: a CA, and a certificate for this machine signed by it.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::sync::Arc;

use crate::model::text::hex;

/// Configuration of the server, and the data that clients need to trust it.
pub struct Certificates {
    /// Configuration for the acceptor, with the server's certificate and the CA's, so that clients can pin the CA's
    /// fingerprint.
    pub server: Arc<ServerConfig>,
    /// Certificate of the CA, as PEM.
    pub ca_pem: String,
    /// SHA-256 of the CA's DER: 64 lower-case hex digits, as Elasticsearch prints it.
    pub fingerprint: String,
}

/// Reason why no certificates could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Creating or signing a certificate failed.
    #[error("the practice cluster's certificates could not be made: {0}")]
    Making(#[from] rcgen::Error),
    /// The TLS library refused the new certificates.
    #[error("the practice cluster's certificates were refused: {0}")]
    Refused(#[from] rustls::Error),
}

/// Creates a CA and a certificate for `localhost`, `127.0.0.1` and `::1`; `now` is in epoch milliseconds.
///
/// # Errors
/// If the cryptographic library fails, which users cannot fix.
pub fn make(now: i64) -> Result<Certificates, TlsError> {
    let (year, month) = year_and_month(now);
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name = named("Keybearer practice cluster CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    ca.not_before = date_time_ymd(year - 1, month, 1);
    ca.not_after = date_time_ymd(year + 3, month, 1);
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name = named("localhost");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    leaf.not_before = date_time_ymd(year - 1, month, 1);
    leaf.not_after = date_time_ymd(year + 1, month, 1);
    let leaf_key = KeyPair::generate()?;
    let leaf_certificate = leaf.signed_by(&leaf_key, &Issuer::new(ca, ca_key))?;

    let fingerprint = hex::encode(&Sha256::digest(ca_certificate.der()));
    let chain = vec![leaf_certificate.der().clone(), ca_certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificates { server: Arc::new(server), ca_pem: ca_certificate.pem(), fingerprint })
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished.push(DnType::OrganizationName, "Keybearer sandbox");
    distinguished
}

/// Returns year and month (from 1) in UTC; a time outside the calendar counts as January 2026.
fn year_and_month(now: i64) -> (i32, u8) {
    let date = jiff::Timestamp::from_millisecond(now).map(|at| at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date());
    match date {
        Ok(date) => (i32::from(date.year()).clamp(1971, 9990), u8::try_from(date.month()).unwrap_or(1)),
        Err(_) => (2026, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_that_of_the_ca_and_both_certificates_are_presented() {
        let made = make(1_795_490_903_188).unwrap();
        assert_eq!(made.fingerprint.len(), 64);
        assert!(made.fingerprint.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)));
        assert!(made.ca_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn a_clock_beyond_the_calendar_is_no_panic() {
        assert!(make(i64::MAX).is_ok());
        assert!(make(i64::MIN).is_ok());
    }
}
