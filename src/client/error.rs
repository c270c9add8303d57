//! Errors between this machine and a cluster, one variant for each remedy. No variant holds a credential, a header or
//! the body of a request.

use std::{path::PathBuf, time::Duration};

use super::http::{
    certificate::{CertificateProblem, SeenCertificate},
    proxy::ProxyFault,
};
use crate::model::{connections::open_id_error::OpenIdError, machine_policy::Violation, version::Feature};

/// Reason why a request got no usable answer. `Display` is one plain sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// The credential can't be sent as it is; nothing was sent.
    #[error("These credentials can't be sent: {reason}")]
    BadLogin {
        /// Text that says what is wrong with the credential.
        reason: String,
    },
    /// The CA file of the profile is of no use; nothing was sent.
    #[error("The CA file {} can't be used: {reason}", path.display())]
    BadCaFile {
        /// Path of the CA file.
        path: PathBuf,
        /// Text that says what is wrong with the file.
        reason: String,
    },
    /// This machine's TLS or HTTP can't be set up; nothing was sent.
    #[error("The connection can't be set up: {reason}")]
    Setup {
        /// Text of the TLS or HTTP library's error.
        reason: String,
    },
    /// The call is invalid and was not sent.
    #[error("Not sent: {reason}")]
    NotSent {
        /// Text that says why the call is invalid.
        reason: String,
    },
    /// The provider of the sign-in gives no token to send; nothing was sent to the cluster.
    #[error("{0}")]
    SignIn(Box<OpenIdError>),
    /// The client certificate of the profile is of no use; nothing was sent.
    #[error("The client certificate can't be used: {reason}")]
    BadClientCertificate {
        /// Text of the TLS library's error.
        reason: String,
    },
    /// The server, or a proxy in front of it, admits only clients with a certificate, and the connection has none.
    #[error("The server requires a client certificate, and this connection has none")]
    ClientCertificateRequired,
    /// The server refused the client certificate.
    #[error("The server refused the client certificate: {reason}")]
    ClientCertificateRefused {
        /// Text that says why, as far as the server does.
        reason: String,
    },
    /// The proxy on the way gave no connection to the cluster; nothing was sent to it.
    #[error("The proxy {proxy} {fault}")]
    Proxy {
        /// Address of the proxy, without any sign-in.
        proxy: String,
        /// Fault of the proxy.
        fault: ProxyFault,
    },
    /// The address is plain http, and a proxy is on the way, which could read the credential; nothing was sent.
    #[error("http through the proxy {proxy} would expose the credential to it")]
    PlainThroughProxy {
        /// Address of the proxy, without any sign-in.
        proxy: String,
    },
    /// The certificate of an https proxy can't be verified, because the connection trusts only that of the cluster.
    #[error("The certificate of the proxy {proxy} can't be verified: this connection trusts only the cluster's")]
    UnverifiableProxy {
        /// Address of the proxy, without any sign-in.
        proxy: String,
    },
    /// The connection is read-only, and the call is not certain to be a read; nothing was sent.
    #[error("Not sent: this connection is read-only")]
    ReadOnly,
    /// The connection asks for its name to be typed for each change, which was not done; nothing was sent.
    #[error("Not sent: this connection is protected, and its name was not typed")]
    Unconfirmed,
    /// The rules of this computer refuse the connection or the change; nothing was sent.
    #[error("Not sent: {0}")]
    Policy(Box<Violation>),
    /// No connection was established: no such name, refused, no route.
    #[error("The cluster can't be reached: {reason}")]
    Unreachable {
        /// Text that says why no connection was established.
        reason: String,
    },
    /// No connection was established to any of several addresses.
    #[error("None of the {} addresses can be used: {}", tried.len(), each(tried))]
    NoAddress {
        /// Host and error of each address, in the order in which they were tried.
        tried: Vec<(String, ClientError)>,
    },
    /// No answer arrived within the time limit of the profile.
    #[error("No {} within {}", if *maybe_sent { "response" } else { "connection" }, seconds(*after))]
    TimedOut {
        /// Time limit that was exceeded.
        after: Duration,
        /// `true` if the request had left, so that it may have been carried out.
        maybe_sent: bool,
    },
    /// The connection broke before the answer was complete.
    #[error("The connection broke: {reason}")]
    Broken {
        /// Text that says how the connection broke.
        reason: String,
        /// `true` if the request had left, so that it may have been carried out.
        maybe_sent: bool,
        /// HTTP status; `None` if the connection broke before it was read.
        status: Option<u16>,
    },
    /// The server's certificate was refused.
    #[error("The server's certificate was rejected: {why}")]
    Certificate {
        /// Reason of the refusal.
        why: CertificateProblem,
        /// Certificate that the server presented; `None` where it is not known.
        seen: Option<Box<SeenCertificate>>,
    },
    /// TLS failed for a reason other than the certificate.
    #[error("No encrypted connection could be established: {reason}")]
    Tls {
        /// Text of the TLS error.
        reason: String,
    },
    /// `https` was used, and the server answered in plain text.
    #[error("The server uses plain http on this port: use http://, or the port that uses TLS")]
    TlsOnPlainPort,
    /// `http` was used, and the server speaks TLS.
    #[error("The server expects https on this port: use https://")]
    PlainOnTlsPort,
    /// Something other than Elasticsearch answers at this address.
    #[error("This is not Elasticsearch: {hint} (status {status})")]
    NotElasticsearch {
        /// Status of the answer.
        status: u16,
        /// Short description of what the body looks like.
        hint: String,
    },
    /// 401: the cluster refuses the credential.
    #[error("The cluster refused the sign-in: {reason}")]
    Unauthenticated {
        /// Reason given by Elasticsearch; for keys with the detail (expired, invalidated, unknown), where the cluster
        /// gives it (7.10.2 does not).
        reason: String,
    },
    /// 403: the cluster refuses the action.
    #[error("Not allowed: {}", forbidden(action.as_deref(), reason, privileges))]
    Forbidden {
        /// The action that was refused, such as `cluster:admin/xpack/security/api_key/create`.
        action: Option<String>,
        /// Reason given by Elasticsearch.
        reason: String,
        /// Privileges of which any one would allow the action; empty where the server doesn't name them.
        privileges: Vec<String>,
    },
    /// 404: the cluster doesn't know what was asked for.
    #[error("Not found: {reason}")]
    NotFound {
        /// Reason given by Elasticsearch.
        reason: String,
    },
    /// API keys are disabled on the cluster.
    #[error("API keys are disabled on this cluster (xpack.security.authc.api_key.enabled)")]
    ApiKeysDisabled,
    /// The cluster has no security routes at all.
    #[error("Security is disabled on this cluster (xpack.security.enabled), so it has no API keys")]
    SecurityOff,
    /// The cluster is too old for this call.
    #[error("This cluster does not support {}, introduced in {}", .0.words(), .0.since())]
    Lacks(Feature),
    /// The cluster understood the request and refused it: 400, 409, 500 …
    #[error("The cluster refused the request: {reason}")]
    Rejected {
        /// Status of the answer.
        status: u16,
        /// Innermost reason, as given by Elasticsearch.
        reason: String,
        /// Elasticsearch's type of the error, such as `x_content_parse_exception`; may be empty.
        kind: String,
    },
    /// 429, and retrying did not help.
    #[error("The cluster is too busy{}", retry_words(*retry_after))]
    Throttled {
        /// Time that the server asks to wait; `None` where it doesn't say.
        retry_after: Option<Duration>,
    },
    /// 502, 503, 504, or another 5xx of something between here and the cluster.
    #[error("The cluster is not available (status {status}): {reason}")]
    Unavailable {
        /// Status of the answer.
        status: u16,
        /// Title of an HTML page, or the reason given by Elasticsearch.
        reason: String,
    },
    /// The answer is larger than its limit.
    #[error("The response is larger than {} MB and was not read completely", limit >> 20)]
    TooLarge {
        /// Limit in bytes.
        limit: u64,
        /// Status of the answer.
        status: u16,
    },
    /// 3xx: never followed, since the credential would be sent along.
    #[error("The server redirects elsewhere ({location}), which is not followed: use that address if you trust it")]
    Redirected {
        /// Target of the redirect, without query and user; may be empty.
        location: String,
        /// Status of the answer.
        status: u16,
    },
    /// The answers contradict each other: pages without an end, parts that count more than their whole.
    #[error("The cluster's responses contradict each other: {reason}")]
    Contradictory {
        /// Text that says which answers contradict each other.
        reason: String,
    },
    /// A request that changes something was answered with a 4xx by something between here and a cluster that marks its
    /// own answers. The cluster may have started on it already.
    #[error("Something in front of the cluster responded (status {status}): {reason}")]
    FromBetween {
        /// Status of the answer.
        status: u16,
        /// Short description of what the body looks like.
        reason: String,
    },
    /// The request was interrupted: its caller stopped waiting for the answer.
    #[error("It was interrupted before the response arrived")]
    Interrupted,
    /// A request was sent again after its answer was lost, and the repetition was refused. The first attempt may have
    /// been carried out all the same, so the refusal proves nothing.
    #[error("{first}; sent again: {then}")]
    RefusedRepetition {
        /// Error by which the answer to the earlier attempt was lost.
        first: Box<ClientError>,
        /// Error of the last attempt.
        then: Box<ClientError>,
    },
    /// Elasticsearch answered, and the answer is not what was expected.
    #[error("The response can't be read (status {status}): {reason}")]
    Unreadable {
        /// Status of the answer.
        status: u16,
        /// Text that says where the answer could not be understood.
        reason: String,
    },
}

impl ClientError {
    /// Returns the HTTP status, whatever the body was; `None` where no answer began.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Broken { status, .. } => *status,
            Self::RefusedRepetition { then, .. } => then.status(),
            Self::NotElasticsearch { status, .. }
            | Self::FromBetween { status, .. }
            | Self::Rejected { status, .. }
            | Self::Unavailable { status, .. }
            | Self::TooLarge { status, .. }
            | Self::Redirected { status, .. }
            | Self::Unreadable { status, .. } => Some(*status),
            Self::Unauthenticated { .. } => Some(401),
            Self::Forbidden { .. } => Some(403),
            Self::NotFound { .. } => Some(404),
            Self::Throttled { .. } => Some(429),
            Self::ApiKeysDisabled | Self::SecurityOff | Self::Lacks(_) => Some(400),
            Self::BadLogin { .. }
            | Self::BadCaFile { .. }
            | Self::Setup { .. }
            | Self::NotSent { .. }
            | Self::SignIn(_)
            | Self::BadClientCertificate { .. }
            | Self::ClientCertificateRequired
            | Self::ClientCertificateRefused { .. }
            | Self::Proxy { .. }
            | Self::PlainThroughProxy { .. }
            | Self::UnverifiableProxy { .. }
            | Self::ReadOnly
            | Self::Unconfirmed
            | Self::Policy(_)
            | Self::Contradictory { .. }
            | Self::Interrupted
            | Self::Unreachable { .. }
            | Self::NoAddress { .. }
            | Self::TimedOut { .. }
            | Self::Certificate { .. }
            | Self::Tls { .. }
            | Self::TlsOnPlainPort
            | Self::PlainOnTlsPort => None,
        }
    }

    /// Returns `true` if the request may have been carried out although no answer confirms it: after a lost answer to a
    /// create there may be a key whose secret nobody has.
    pub fn is_answer_lost(&self) -> bool {
        match self {
            Self::TimedOut { maybe_sent, .. } | Self::Broken { maybe_sent, .. } => *maybe_sent,
            Self::RefusedRepetition { .. } | Self::FromBetween { .. } | Self::Interrupted => true,
            Self::NotElasticsearch { status, .. }
            | Self::Rejected { status, .. }
            | Self::Unavailable { status, .. }
            | Self::TooLarge { status, .. }
            | Self::Unreadable { status, .. } => is_lost(*status),
            _ => false,
        }
    }

    /// Returns `true` if no connection was established, so that nothing of the request can have been sent.
    pub(super) fn is_not_sent(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Tls { .. } | Self::TlsOnPlainPort | Self::Proxy { .. } => true,
            Self::TimedOut { maybe_sent, .. } | Self::Broken { maybe_sent, .. } => !maybe_sent,
            _ => false,
        }
    }

    /// Returns `true` if another address of the same cluster may do better: there was no connection, or, for a read, it
    /// broke or the node is not available. A certificate that is refused is not passed over: somebody has to see it.
    pub(super) fn is_of_address(&self, is_read: bool) -> bool {
        let is_of_node = matches!(self, Self::Broken { .. } | Self::Unavailable { status: 502..=504, .. });
        self.is_not_sent() || is_read && is_of_node
    }

    /// Returns `true` if the answer to an earlier attempt was lost and the last attempt was clearly refused, so that
    /// the next one would be refused too.
    pub fn is_refused_repetition(&self) -> bool {
        matches!(self, Self::RefusedRepetition { then, .. } if !then.is_answer_lost())
    }

    /// Returns `true` if the same request may well succeed a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}

/// Returns `true` for statuses that don't prove that nothing was done: the body of a success that can't be read, errors
/// of the server or of something between, and 408, which a gateway sends while the server is still at work.
pub(super) fn is_lost(status: u16) -> bool {
    !(300..500).contains(&status) || status == 408
}

fn each(tried: &[(String, ClientError)]) -> String {
    let each: Vec<String> = tried.iter().map(|(host, error)| format!("{host}: {error}")).collect();
    each.join("; ")
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1 => "1 second".into(),
        many => format!("{many} seconds"),
    }
}

fn forbidden(action: Option<&str>, reason: &str, privileges: &[String]) -> String {
    match (privileges, action) {
        ([], _) => reason.to_owned(),
        (names, Some(action)) => format!("{action} requires one of the privileges {}", names.join(", ")),
        (names, None) => format!("it requires one of the privileges {}", names.join(", ")),
    }
}

fn retry_words(retry_after: Option<Duration>) -> String {
    retry_after.map(|time| format!("; it asks to wait {}", seconds(time))).unwrap_or_default()
}
