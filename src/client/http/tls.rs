//! Maps a profile's trust to a TLS configuration, and records the certificate that the server presented.
//!
//! A pinned authority becomes the *only* root and the whole verification follows: finding its
//! fingerprint in the chain proves nothing, since its certificate is public. A pinned certificate of
//! the server itself is trusted for itself: whoever completes the handshake holds its private key,
//! which says more than a name, so the host name is not compared. Its dates are: after them its
//! owner no longer vouches for that key.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WantsClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};

use super::certificate::{self, CertificateProblem, SeenCertificate};
use crate::{
    client::error::ClientError,
    model::connections::{client_certificate::ClientCertificate, endpoint::Trust, fingerprint::Fingerprint},
};

/// The certificate that was presented last, shared between a verifier and its readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastSeen(Arc<Mutex<Option<SeenCertificate>>>);

impl LastSeen {
    pub(crate) fn get(&self) -> Option<SeenCertificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, seen: SeenCertificate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

/// Refusal that travels inside the TLS library's error, so that the request that failed knows its certificate even
/// while others are connecting.
#[derive(Clone, Debug, thiserror::Error)]
#[error("certificate refused: {why}")]
pub(crate) struct Refusal {
    pub(crate) why: CertificateProblem,
    pub(crate) seen: SeenCertificate,
}

/// Builds the TLS configuration for a trust; reads the CA file, if there is one. The client certificate is presented to
/// a server that asks for one.
///
/// # Errors
/// [`ClientError::BadCaFile`], [`ClientError::BadClientCertificate`].
pub(crate) fn config(
    trust: &Trust,
    client: Option<&ClientCertificate>,
    last_seen: &LastSeen,
) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let judge = match trust {
        Trust::System => match rustls_platform_verifier::Verifier::new(provider.clone()) {
            Ok(verifier) => Judge::System(verifier),
            // A machine without any authority of its own can still show a certificate to be pinned.
            Err(_) => Judge::Nobody,
        },
        Trust::CaFile(path) => {
            let (given, verifier) = read_ca_file(path, &provider)?;
            Judge::Given { given, verifier }
        }
        Trust::Ca(ca) => {
            let (given, verifier) = given(ca.pem().as_bytes(), &provider)
                .map_err(|reason| ClientError::Setup { reason: format!("the CA of the connection: {reason}") })?;
            Judge::Given { given, verifier }
        }
        Trust::Fingerprint(pin) => Judge::Pinned(*pin),
        Trust::InsecureDev => Judge::Anybody,
    };
    let verifier = RecordingVerifier { judge, provider: provider.clone(), last_seen: last_seen.clone() };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| ClientError::Setup { reason: error.to_string() })?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            with_client_certificate(builder, client).map_err(|reason| ClientError::BadClientCertificate { reason })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn with_client_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    client: &ClientCertificate,
) -> Result<ClientConfig, String> {
    let unreadable = |error: rustls_pki_types::pem::Error| error.to_string();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(client.chain().as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(client.key().expose().as_bytes()).map_err(unreadable)?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
    // Whether they belong together was checked when they were read.
    let own = SingleCertAndKey::from(CertifiedKey::new(chain.map_err(unreadable)?, key));
    Ok(builder.with_client_cert_resolver(Arc::new(own)))
}

const MAX_CA_FILE_BYTES: u64 = 8 << 20;

type Given = (Vec<CertificateDer<'static>>, Arc<WebPkiServerVerifier>);

fn read_ca_file(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Given, ClientError> {
    let bad = |reason: String| ClientError::BadCaFile { path: path.to_owned(), reason };
    let unread = |error: std::io::Error| bad(unread_words(error.kind()));
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if metadata.is_dir() {
        return Err(bad("it is a folder: use the PEM file in it".into()));
    }
    if !metadata.is_file() {
        return Err(bad("it is not a file".into()));
    }
    if metadata.len() > MAX_CA_FILE_BYTES {
        return Err(bad("it is too large to be a list of certificates".into()));
    }
    given(&std::fs::read(path).map_err(unread)?, provider).map_err(bad)
}

/// Reads the authorities of a PEM text as the only roots.
fn given(text: &[u8], provider: &Arc<CryptoProvider>) -> Result<Given, String> {
    let given: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let given = given.map_err(|_| "its PEM text is malformed")?;
    if given.is_empty() {
        return Err("it contains no certificate in PEM format".into());
    }
    let mut roots = RootCertStore::empty();
    for certificate in &given {
        roots.add(certificate.clone()).map_err(|_| "one of its certificates can't be read")?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    Ok((given, verifier.map_err(|error| error.to_string())?))
}

/// Formats the reason why a file can't be read, without error numbers of the operating system.
fn unread_words(kind: std::io::ErrorKind) -> String {
    match kind {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "you don't have permission to read it".into(),
        std::io::ErrorKind::NotADirectory => "there is no such folder".into(),
        other => other.to_string(),
    }
}

#[derive(Debug)]
enum Judge {
    System(rustls_platform_verifier::Verifier),
    Nobody,
    Given { given: Vec<CertificateDer<'static>>, verifier: Arc<WebPkiServerVerifier> },
    Pinned(Fingerprint),
    Anybody,
}

/// Certificates that a server presented, and the host name that was asked for.
struct Presented<'a> {
    own: &'a CertificateDer<'a>,
    others: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Presented<'_> {
    fn verify_by(&self, verifier: &dyn ServerCertVerifier) -> Result<(), CertificateProblem> {
        match verifier.verify_server_cert(self.own, self.others, self.name, self.ocsp, self.now) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.problem(&error)),
        }
    }

    fn check_dates(&self) -> Result<(), CertificateProblem> {
        certificate::check_dates(self.own, i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX))
    }

    fn check_name(&self) -> Result<(), CertificateProblem> {
        let parsed = ParsedCertificate::try_from(self.own).map_err(|error| self.problem(&error))?;
        verify_server_name(&parsed, self.name).map_err(|error| self.problem(&error))
    }

    fn verify_by_pin(&self, pin: Fingerprint, provider: &Arc<CryptoProvider>) -> Result<(), CertificateProblem> {
        if Fingerprint::of(self.own) == pin {
            return self.check_dates();
        }
        let Some(root) = self.others.iter().find(|der| Fingerprint::of(der) == pin) else {
            let last = self.others.last().unwrap_or(self.own);
            return Err(if certificate::is_self_issued(last) {
                CertificateProblem::PinMismatch { pinned: pin, seen: Fingerprint::of(last) }
            } else {
                CertificateProblem::ChainWithoutPin
            });
        };
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned()).map_err(|error| self.problem(&error))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        let verifier = verifier.map_err(|error| CertificateProblem::Other(error.to_string()))?;
        self.verify_by(verifier.as_ref())
    }

    fn problem(&self, error: &rustls::Error) -> CertificateProblem {
        let rustls::Error::InvalidCertificate(error) = error else {
            return CertificateProblem::Other(error.to_string());
        };
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateProblem::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateProblem::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                CertificateProblem::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                CertificateProblem::WrongHost
            }
            // Self-signed certificates are often marked as authorities, which is refused as such
            // before their signature is checked.
            CertificateError::Other(_) if certificate::is_self_issued(self.own) => CertificateProblem::UnknownIssuer,
            other => CertificateProblem::Other(other.to_string()),
        }
    }
}

#[derive(Debug)]
struct RecordingVerifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    last_seen: LastSeen,
}

impl RecordingVerifier {
    fn judge(&self, presented: &Presented<'_>) -> Result<(), CertificateProblem> {
        match &self.judge {
            Judge::System(verifier) => presented.verify_by(verifier),
            Judge::Nobody => Err(CertificateProblem::UnknownIssuer),
            // A server's self-signed certificate given as its own authority is accepted as what it
            // is, although it may not be marked the way verification of chains asks for.
            Judge::Given { given, .. } if given.iter().any(|der| der == presented.own) => {
                presented.check_name()?;
                presented.check_dates()
            }
            Judge::Given { verifier, .. } => presented.verify_by(verifier.as_ref()),
            Judge::Pinned(pin) => presented.verify_by_pin(*pin, &self.provider),
            Judge::Anybody => Ok(()),
        }
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = SeenCertificate::read(own, others);
        self.last_seen.set(seen.clone());
        match self.judge(&Presented { own, others, name, ocsp, now }) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(why) => {
                let refusal = OtherError(Arc::new(Refusal { why, seen }));
                Err(rustls::Error::InvalidCertificate(CertificateError::Other(refusal)))
            }
        }
    }

    // A trusted server must still prove that it holds the key of the certificate, in every mode.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
