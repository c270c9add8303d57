//! Everything that can go wrong between this machine and a cluster, kept apart by its way out.
//! No variant holds a credential, a header or the body of a request.

use std::{path::PathBuf, time::Duration};

use super::http::certificate::{CertificateProblem, SeenCertificate};
use crate::model::version::Feature;

/// Why a request got no good answer. `Display` is one plain sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// The credential can't be sent as it is; nothing was sent.
    #[error("This sign-in can't be sent: {reason}")]
    BadLogin {
        /// What to change.
        reason: String,
    },
    /// The CA file of the profile is of no use; nothing was sent.
    #[error("The CA file {} can't be used: {reason}", path.display())]
    BadCaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// This machine's TLS or HTTP can't be set up; nothing was sent.
    #[error("The connection can't be set up: {reason}")]
    Setup {
        /// What the library says.
        reason: String,
    },
    /// The call makes no sense and was not sent.
    #[error("Not sent: {reason}")]
    NotSent {
        /// Why not.
        reason: String,
    },
    /// No connection came about: no such name, refused, no route.
    #[error("The cluster can't be reached: {reason}")]
    Unreachable {
        /// What happened.
        reason: String,
    },
    /// No answer within the time of the profile.
    #[error("No {} within {}", if *maybe_sent { "answer" } else { "connection" }, seconds(*after))]
    TimedOut {
        /// The time that was given.
        after: Duration,
        /// Whether the request had left, so that it may have been carried out.
        maybe_sent: bool,
    },
    /// The connection ended before the answer did.
    #[error("The connection broke: {reason}")]
    Broken {
        /// What happened.
        reason: String,
        /// Whether the request had left, so that it may have been carried out.
        maybe_sent: bool,
        /// The status, if it was read before.
        status: Option<u16>,
    },
    /// The server's certificate was refused.
    #[error("The server's certificate is refused: {why}")]
    Certificate {
        /// The reason.
        why: CertificateProblem,
        /// What was presented.
        seen: Option<Box<SeenCertificate>>,
    },
    /// TLS failed for another reason than the certificate.
    #[error("No encrypted connection came about: {reason}")]
    Tls {
        /// What happened.
        reason: String,
    },
    /// `https` was asked, and the server answered in plain text.
    #[error("The server speaks plain http on this port: use http://, or the port that speaks TLS")]
    TlsOnPlainPort,
    /// `http` was asked, and the server speaks TLS.
    #[error("The server expects https on this port: use https://")]
    PlainOnTlsPort,
    /// Something else answers there.
    #[error("This is not Elasticsearch: {hint} (status {status})")]
    NotElasticsearch {
        /// Status of the answer.
        status: u16,
        /// What it looks like.
        hint: String,
    },
    /// 401.
    #[error("The cluster refuses the sign-in: {reason}")]
    Unauthenticated {
        /// In Elasticsearch's words; for keys the detail (expired, invalidated, unknown), where it is
        /// told (not by 7.10.2).
        reason: String,
    },
    /// 403.
    #[error("Not allowed: {}", forbidden(action.as_deref(), reason, privileges))]
    Forbidden {
        /// The action that was refused, such as `cluster:admin/xpack/security/api_key/create`.
        action: Option<String>,
        /// In Elasticsearch's words.
        reason: String,
        /// Any of these would allow it; empty where the server doesn't say.
        privileges: Vec<String>,
    },
    /// 404.
    #[error("Not found: {reason}")]
    NotFound {
        /// In Elasticsearch's words.
        reason: String,
    },
    /// The cluster has its API keys switched off.
    #[error("API keys are disabled on this cluster (xpack.security.authc.api_key.enabled)")]
    ApiKeysDisabled,
    /// The cluster has no security routes at all.
    #[error("Security is off on this cluster (xpack.security.enabled), so that it has no API keys")]
    SecurityOff,
    /// The cluster is too old for this call.
    #[error("This cluster does not know {}, which came with {}", .0.words(), .0.since())]
    Lacks(Feature),
    /// The cluster understood and said no: 400, 409, 500 …
    #[error("The cluster refuses: {reason}")]
    Rejected {
        /// Status of the answer.
        status: u16,
        /// The innermost reason, in Elasticsearch's words.
        reason: String,
        /// Elasticsearch's type of the error, such as `x_content_parse_exception`; may be empty.
        kind: String,
    },
    /// 429, and trying again did not help.
    #[error("The cluster is too busy{}", retry_words(*retry_after))]
    Throttled {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// 502, 503, 504, or another 5xx of something in between.
    #[error("The cluster is not available (status {status}): {reason}")]
    Unavailable {
        /// Status of the answer.
        status: u16,
        /// The title of a page, or Elasticsearch's words.
        reason: String,
    },
    /// The answer is larger than anything expected.
    #[error("The answer is larger than {} MB and was not read to its end", limit >> 20)]
    TooLarge {
        /// The most bytes taken.
        limit: u64,
        /// Status of the answer.
        status: u16,
    },
    /// 3xx: never followed, since the credential would travel along.
    #[error("The server sends elsewhere ({location}), which is not followed: use that address if it is yours")]
    Redirected {
        /// Where to, without query and user; may be empty.
        location: String,
        /// Status of the answer.
        status: u16,
    },
    /// Answers that can't all be true: pages without an end, parts that count more than their whole.
    #[error("The cluster's answers contradict each other: {reason}")]
    Contradictory {
        /// Which do.
        reason: String,
    },
    /// A request that changes something met a 4xx of something between here and a cluster that marks its own
    /// answers. The cluster may have been at work already.
    #[error("Something before the cluster answers (status {status}): {reason}")]
    FromBetween {
        /// Status of the answer.
        status: u16,
        /// What it looks like.
        reason: String,
    },
    /// Nobody waited for the answer any longer.
    #[error("It was interrupted before the answer came")]
    Interrupted,
    /// A request was sent again after an answer was lost, and that was refused. The first try may have been
    /// carried out all the same, so that the refusal proves nothing.
    #[error("{first}; sent again: {then}")]
    RefusedRepetition {
        /// How the answer to the earlier try was lost.
        first: Box<ClientError>,
        /// What the last try met.
        then: Box<ClientError>,
    },
    /// It is Elasticsearch, and its answer is not what was expected.
    #[error("The answer can't be understood (status {status}): {reason}")]
    Unreadable {
        /// Status of the answer.
        status: u16,
        /// Where it went wrong.
        reason: String,
    },
}

impl ClientError {
    /// The HTTP status, whatever the body was; `None` where no answer began.
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
            | Self::Contradictory { .. }
            | Self::Interrupted
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Certificate { .. }
            | Self::Tls { .. }
            | Self::TlsOnPlainPort
            | Self::PlainOnTlsPort => None,
        }
    }

    /// Whether what was asked may have been done although no answer tells: after a lost answer to a
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

    /// `true` where an earlier try was lost and the last one was clearly refused, so that the next request would
    /// be refused too.
    pub fn is_refused_repetition(&self) -> bool {
        matches!(self, Self::RefusedRepetition { then, .. } if !then.is_answer_lost())
    }

    /// Whether the same request may well succeed a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}

/// `true` for statuses that don't say that nothing was done: the body of a success that can't be read, errors of the
/// server or of something between, and 408, which a gateway sends while the server is still at work.
pub(super) fn is_lost(status: u16) -> bool {
    !(300..500).contains(&status) || status == 408
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
        (names, Some(action)) => format!("{action} needs one of the privileges {}", names.join(", ")),
        (names, None) => format!("it needs one of the privileges {}", names.join(", ")),
    }
}

fn retry_words(retry_after: Option<Duration>) -> String {
    retry_after.map(|time| format!(", it asks to wait {}", seconds(time))).unwrap_or_default()
}
