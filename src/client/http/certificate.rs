//! The certificate that a server presented, and why it was refused. It knows no connections.

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

use crate::model::{TimeDelta, Timestamp, connections::fingerprint::Fingerprint, text::sanitize};

/// The certificate that a server presented, trusted or not, in terms that a person can compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCertificate {
    /// Subject, such as `CN=node-1`.
    pub subject: String,
    /// Issuer: the authority that is said to have signed the certificate.
    pub issuer: String,
    /// Beginning of the validity.
    pub not_before: Timestamp,
    /// End of the validity.
    pub not_after: Timestamp,
    /// SHA-256 of the server's own certificate.
    pub fingerprint: Fingerprint,
    /// Host names and addresses that the certificate is valid for.
    pub names: Vec<String>,
    /// Last certificate of the chain, usually the authority; `None` where the server sends only its own.
    pub ca: Option<SeenAuthority>,
    /// Fingerprints of all certificates that were sent, the server's own first.
    pub chain: Vec<Fingerprint>,
}

/// A certificate authority as the server sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAuthority {
    /// Subject of the authority's certificate.
    pub subject: String,
    /// SHA-256 of the authority's certificate.
    pub fingerprint: Fingerprint,
    /// End of the validity; `None` where it can't be read. TLS libraries do not look at it:
    /// a client that trusts an authority keeps trusting it after its end, and other clients do not.
    pub not_after: Option<Timestamp>,
}

/// Reason why a certificate was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Signed by no authority that is trusted here, or forged.
    #[error("it was not issued by an authority that is trusted here")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("it has expired")]
    Expired,
    /// The certificate is not valid yet, or this computer's clock is slow.
    #[error("it is not valid yet, or the clock of this computer is wrong")]
    NotYetValid,
    /// The certificate is for other hosts.
    #[error("it is for another host name")]
    WrongHost,
    /// The whole chain was presented, up to its root, and the pinned certificate is not in it.
    #[error("its fingerprint is {}, not the pinned {}", seen.short(), pinned.short())]
    PinMismatch {
        /// Fingerprint in the profile.
        pinned: Fingerprint,
        /// Fingerprint of the last certificate of the chain: the authority, or the server's own if it is alone.
        seen: Fingerprint,
    },
    /// The pinned certificate is not among those sent, and the root is not either, so that nothing can be said about
    /// it: many servers send their own certificate alone.
    #[error("the pinned certificate is not among those that the server presents, which are too few to be sure")]
    ChainWithoutPin,
    /// Anything else, as the TLS library describes it.
    #[error("{0}")]
    Other(String),
}

impl SeenCertificate {
    /// Reads the fields of a certificate, as far as they can be read; its fingerprint is always known.
    pub(crate) fn read(own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Self {
        let chain: Vec<Fingerprint> = std::iter::once(own).chain(others).map(|der| Fingerprint::of(der)).collect();
        let fingerprint = chain[0];
        let ca = others.last().filter(|last| *last != own).map(|last| {
            let parsed = parse(last);
            let not_after = |parsed: &X509Certificate<'_>| at(parsed.validity().not_after);
            SeenAuthority {
                subject: parsed.as_ref().map_or_else(unreadable, |parsed| shown(&parsed.subject().to_string())),
                fingerprint: Fingerprint::of(last),
                not_after: parsed.as_ref().map(not_after),
            }
        });
        let Some(parsed) = parse(own) else {
            let (subject, issuer) = (unreadable(), unreadable());
            return Self {
                subject,
                issuer,
                not_before: Timestamp::EPOCH,
                not_after: Timestamp::EPOCH,
                fingerprint,
                names: vec![],
                ca,
                chain,
            };
        };
        Self {
            subject: shown(&parsed.subject().to_string()),
            issuer: shown(&parsed.issuer().to_string()),
            not_before: at(parsed.validity().not_before),
            not_after: at(parsed.validity().not_after),
            fingerprint,
            names: names(&parsed),
            ca,
            chain,
        }
    }
}

/// Returns `true` if a certificate names itself as its issuer, as roots do.
pub(crate) fn is_self_issued(der: &CertificateDer<'_>) -> bool {
    parse(der).is_some_and(|parsed| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

/// Checks that a moment, in seconds since 1970, lies within the validity of a certificate, both ends included. An
/// unreadable certificate has no validity.
///
/// # Errors
/// [`CertificateProblem::NotYetValid`] or [`CertificateProblem::Expired`], and [`CertificateProblem::Other`] for an
/// unreadable certificate.
pub(crate) fn check_dates(der: &CertificateDer<'_>, now_seconds: i64) -> Result<(), CertificateProblem> {
    let Some(parsed) = parse(der) else { return Err(CertificateProblem::Other(unreadable())) };
    let validity = parsed.validity();
    if now_seconds < validity.not_before.timestamp() {
        Err(CertificateProblem::NotYetValid)
    } else if now_seconds > validity.not_after.timestamp() {
        Err(CertificateProblem::Expired)
    } else {
        Ok(())
    }
}

fn at(time: ASN1Time) -> Timestamp {
    Timestamp::EPOCH + TimeDelta::from_secs(time.timestamp())
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = parsed.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    alternative.value.general_names.iter().filter_map(name).take(100).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string())
}

fn shown(text: &str) -> String {
    sanitize::shortened(text, 300)
}

fn unreadable() -> String {
    "a certificate that can't be read".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_with_its_names_and_dates() {
        let mut params = rcgen::CertificateParams::new(vec!["es.example.net".into(), "10.0.0.7".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        params.distinguished_name.push(rcgen::DnType::CommonName, "node-1");
        let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let seen = SeenCertificate::read(made.der(), &[]);
        assert!(seen.subject.contains("node-1"));
        assert_eq!(seen.names, ["es.example.net", "10.0.0.7"]);
        assert_eq!(seen.not_before, Timestamp::from_millis(1_577_836_800_000));
        assert_eq!(seen.chain, [Fingerprint::of(made.der())]);
        assert_eq!(seen.ca, None);
        assert!(is_self_issued(made.der()));
        assert_eq!(check_dates(made.der(), 1_600_000_000), Ok(()));
        assert_eq!(check_dates(made.der(), 0), Err(CertificateProblem::NotYetValid));
        assert_eq!(check_dates(made.der(), 1_700_000_000), Err(CertificateProblem::Expired));
    }

    #[test]
    fn bytes_that_are_no_certificate_keep_their_fingerprint() {
        let odd = CertificateDer::from(b"odd".to_vec());
        let seen = SeenCertificate::read(&odd, std::slice::from_ref(&odd));
        assert_eq!(seen.fingerprint, Fingerprint::of(b"odd"));
        assert_eq!(seen.chain.len(), 2);
        assert!(check_dates(&odd, 0).is_err() && !is_self_issued(&odd));
    }
}
