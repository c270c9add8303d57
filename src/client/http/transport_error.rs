//! Maps a request that got no complete answer to a [`ClientError`]: DNS, TCP, TLS and time limits.

use std::{error::Error, io, sync::Arc, time::Duration};

use rustls::{AlertDescription, CertificateError};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;

use super::{
    certificate::CertificateProblem,
    proxy::{self, ProxyFault},
    tls::{self, LastSeen, Refusal},
};
use crate::{
    client::{error::ClientError, http::server_text},
    model::connections::endpoint::{ClusterUrl, Trust},
};

/// Known facts about the request that failed.
pub(crate) struct Circumstances<'a> {
    /// Time limit of the whole request.
    pub(crate) timeout: Duration,
    /// Time limit for connecting.
    pub(crate) connect_timeout: Duration,
    /// `true` if a part of the request had left.
    pub(crate) maybe_sent: bool,
    /// HTTP status; `None` if the answer had not begun.
    pub(crate) status: Option<u16>,
    /// Address of the proxy on the way, without any sign-in; `None` if there is none.
    pub(crate) proxy: Option<&'a str>,
    /// `true` if the connection has a client certificate to present.
    pub(crate) presents_certificate: bool,
}

/// Reads the cause out of the libraries' errors.
pub(crate) fn read(error: &reqwest::Error, around: &Circumstances<'_>) -> ClientError {
    let causes = causes(error);
    let maybe_sent = around.maybe_sent && !error.is_connect();
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return match tls {
            // With TLS 1.3 a client's certificate is judged only after the request, which then was not read.
            rustls::Error::AlertReceived(alert) if is_of_client_certificate(*alert, around) => {
                client_certificate(*alert, around)
            }
            // After the handshake: the request may have been carried out.
            _ if maybe_sent => ClientError::Broken {
                reason: format!("its encryption broke ({tls})"),
                maybe_sent,
                status: around.status,
            },
            _ => read_tls(tls),
        };
    }
    if let Some(proxy) = around.proxy.filter(|_| error.is_connect()) {
        let in_time = !error.is_timeout();
        let late = || ProxyFault::TimedOut(around.connect_timeout.as_secs_f32());
        if let Some(fault) = if in_time { proxy::fault(&causes) } else { Some(late()) } {
            return ClientError::Proxy { proxy: proxy.to_owned(), fault };
        }
    }
    if error.is_timeout() {
        let after = if error.is_connect() { around.connect_timeout } else { around.timeout };
        return ClientError::TimedOut { after, maybe_sent };
    }
    let io = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    if error.is_connect() {
        if let Some(io) = io.filter(|io| io.kind() == io::ErrorKind::UnexpectedEof && around.status.is_none()) {
            return ClientError::Tls {
                reason: format!("the server closed the connection during the handshake ({io})"),
            };
        }
        return ClientError::Unreachable { reason: unreachable(error, io, &causes) };
    }
    if error.is_builder() {
        return ClientError::Setup { reason: innermost(&causes) };
    }
    let reason = broken(&causes, io);
    ClientError::Broken { reason, maybe_sent, status: around.status }
}

/// Returns `true` if an alert of the server is about the client's certificate. Without one the alerts about certificates
/// are not about it, except that one is required.
fn is_of_client_certificate(alert: AlertDescription, around: &Circumstances<'_>) -> bool {
    let is_about_one = matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    );
    // Before TLS 1.3 a server that misses a certificate ends the handshake with another alert.
    alert == AlertDescription::CertificateRequired
        || is_about_one
        || (alert == AlertDescription::HandshakeFailure && around.presents_certificate)
}

fn client_certificate(alert: AlertDescription, around: &Circumstances<'_>) -> ClientError {
    if !around.presents_certificate {
        return ClientError::ClientCertificateRequired;
    }
    let reason = match alert {
        AlertDescription::CertificateExpired => "it has expired".to_owned(),
        AlertDescription::CertificateRevoked => "it was revoked".into(),
        AlertDescription::UnknownCA => "it was not issued by an authority that the server trusts".into(),
        AlertDescription::UnsupportedCertificate => "it is of a kind that the server does not support".into(),
        AlertDescription::AccessDenied => "access is denied to it".into(),
        // BadCertificate, CertificateUnknown, and whatever else servers say.
        other => format!("the server only says {other:?}"),
    };
    ClientError::ClientCertificateRefused { reason }
}

fn read_tls(error: &rustls::Error) -> ClientError {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<Refusal>() {
            Some(Refusal { why, seen }) => {
                ClientError::Certificate { why: why.clone(), seen: Some(Box::new(seen.clone())) }
            }
            None => ClientError::Certificate { why: CertificateProblem::Other(other.to_string()), seen: None },
        },
        rustls::Error::InvalidCertificate(other) => {
            ClientError::Certificate { why: CertificateProblem::Other(other.to_string()), seen: None }
        }
        rustls::Error::InvalidMessage(_) => ClientError::TlsOnPlainPort,
        rustls::Error::AlertReceived(alert) => {
            ClientError::Tls { reason: format!("the server ended the handshake with {alert:?}") }
        }
        other => ClientError::Tls { reason: other.to_string() },
    }
}

fn unreachable(error: &reqwest::Error, io: Option<&io::Error>, causes: &[&(dyn Error + 'static)]) -> String {
    if error.is_dns() {
        return "the host name is not known".into();
    }
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "nothing listens there (connection refused)".into(),
        Some(io::ErrorKind::ConnectionReset) => "the connection is reset immediately".into(),
        _ => innermost(causes),
    }
}

fn broken(causes: &[&(dyn Error + 'static)], io: Option<&io::Error>) -> String {
    let hyper = causes.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>());
    match (hyper, io.map(io::Error::kind)) {
        (_, Some(io::ErrorKind::ConnectionReset)) => "the server reset the connection".into(),
        (Some(hyper), _) if hyper.is_incomplete_message() => {
            "the server closed it before the response was complete".into()
        }
        (Some(hyper), _) if hyper.is_parse() => "the response is not HTTP".into(),
        _ => innermost(causes),
    }
}

fn innermost(causes: &[&(dyn Error + 'static)]) -> String {
    causes.last().map_or_else(|| "no reason given".to_owned(), |cause| server_text::shown(&cause.to_string()))
}

/// Returns all causes below an error, outermost first, those inside IO errors included. The error itself is left out:
/// its text contains the URL.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut causes: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    causes
}

/// Returns `true` if a TLS server listens at a plain address: checked by a handshake without any credential, since a
/// server that expects TLS just closes the connection on plain requests (as seen on 7.10.2 to 9.5.3).
pub(crate) async fn speaks_tls(url: &ClusterUrl, last_seen: &LastSeen, limit: Duration) -> bool {
    let Ok(address) = reqwest::Url::parse(url.as_str()) else { return false };
    let (Some(host), Some(port)) = (address.host_str(), address.port_or_known_default()) else { return false };
    let host = host.trim_matches(['[', ']']);
    let (Ok(name), Ok(config)) =
        (ServerName::try_from(host.to_owned()), tls::config(&Trust::InsecureDev, None, last_seen))
    else {
        return false;
    };
    let handshake = async {
        let stream = TcpStream::connect((host, port)).await?;
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    match tokio::time::timeout(limit, handshake).await {
        Ok(Ok(_)) => true,
        // An alert, or a protocol that is not in common: it was TLS that answered.
        Ok(Err(error)) => error
            .get_ref()
            .and_then(|inside| inside.downcast_ref::<rustls::Error>())
            .is_some_and(|error| matches!(error, rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_))),
        Err(_) => false,
    }
}
