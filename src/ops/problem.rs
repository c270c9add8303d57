//! Problems: what went wrong, why, and the way out, with the same text in the window and on the command line.

use crate::{
    client::{CertificateProblem, ClientError, ProxyFault, SeenCertificate, http::error_response},
    model::text::sentence,
    ops::connections::{capabilities::TRIAL, connect::ConnectionCheck, machine_policy, protection},
};

/// Hint where a cluster refuses a key of Elastic Cloud.
pub(crate) const CLOUD_KEY_REFUSED: &str = "The key is one of Elastic Cloud (essu_…). A self-managed cluster doesn’t know \
    such keys: create an API key of this cluster. In Elastic Cloud, check that the key has a role for this deployment or \
    project, and that it has neither expired nor been deleted";

/// A way out of a problem: a button in the window, an option or a command on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Do the same again.
    Retry,
    /// Change the connection.
    EditConnection,
    /// Give each request more time, in the connection.
    MoreTime,
    /// Compare the certificate that was seen, and pin it.
    CompareCertificate,
    /// Sign in at the provider of the connection.
    SignIn,
    /// Read the keyring again.
    ReadProfiles,
    /// Keep profiles in memory for this run.
    UseMemory,
    /// Make a new key.
    CreateKey,
    /// Act as this user, by run-as.
    ActAs(String),
    /// Consent to a successor of another owner than the old key's.
    AllowOtherOwner,
    /// Consent to rotating a key that a product made for itself.
    AllowManaged,
    /// Consent to another successor beside one that works.
    RotateAgain,
    /// Show the rotations of this machine.
    ListRotations,
    /// Resume the rotation of this id.
    ResumeRotation(String),
    /// Cancel the rotation of this id.
    CancelRotation {
        /// Id of the rotation.
        id: String,
        /// `true` to leave its successor valid.
        keep_successor: bool,
    },
    /// Say that one has the secret of the successor of this rotation, or show it.
    HaveSecret(String),
    /// Have the successor of this rotation invalidated and another one made.
    MakeAgain(String),
    /// Take another file for the secret of this rotation.
    OtherFile(String),
}

impl Fix {
    /// Returns the label of its button.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Retry => "Retry",
            Self::EditConnection | Self::MoreTime | Self::ActAs(_) => "Edit connection…",
            Self::CompareCertificate => "Compare and pin…",
            Self::SignIn => "Sign in…",
            Self::ReadProfiles => "Try again",
            Self::UseMemory => "Continue without saving",
            Self::CreateKey => "Create a key…",
            Self::AllowOtherOwner => "Make me the owner",
            Self::AllowManaged => "Rotate it anyway",
            Self::RotateAgain => "Create another successor",
            Self::ListRotations => "Show rotations",
            Self::ResumeRotation(_) | Self::HaveSecret(_) | Self::MakeAgain(_) | Self::OtherFile(_) => "Resume…",
            Self::CancelRotation { .. } => "Cancel rotation…",
        }
    }
}

/// Problem that is reported to a person.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Short statement of what happened.
    pub title: String,
    /// Explanation in a sentence or two; may be empty.
    pub detail: String,
    /// Hint on what to do; may be empty.
    pub hint: String,
    /// Ways out, the best one first.
    pub fixes: Vec<Fix>,
    /// Kind of the problem, which selects how a screen shows it.
    pub kind: ProblemKind,
    /// Certificate that was refused; `None` for other problems.
    pub certificate: Option<Box<SeenCertificate>>,
}

/// Kind of a problem, by which it gets its own picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProblemKind {
    /// Any other problem.
    #[default]
    Failed,
    /// Missing permission.
    Forbidden,
    /// API keys that are switched off on the cluster.
    ApiKeysDisabled,
    /// Security that is switched off on the cluster.
    SecurityOff,
    /// Certificate that is not trusted.
    Certificate,
    /// Unknown outcome: the operation may have been carried out.
    NotKnown,
    /// Partial outcome, such as a key that was created and whose secret was lost.
    Partly,
}

impl Problem {
    /// Creates a problem without a hint or a way out, yet.
    pub fn new(title: &str, detail: &str) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            hint: String::new(),
            fixes: Vec::new(),
            kind: ProblemKind::Failed,
            certificate: None,
        }
    }

    /// Creates the problem of a job that panicked: nothing is known but that it ended.
    pub fn broken() -> Self {
        Self::new(
            "Internal error in Keybearer",
            "The operation was interrupted. What the cluster did in the meantime is not known",
        )
        .hint("Refresh to see the current state")
    }

    /// Sets the hint on what to do.
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds a way out.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Adds another way out.
    pub fn or(self, fix: Fix) -> Self {
        self.fix(fix)
    }

    /// Returns title, detail and hint as one text, for the command line and for screen readers. The title is left out
    /// if the detail begins with it.
    pub fn words(&self) -> String {
        let plain = |text: &str| text.replace('’', "'");
        let repeats = plain(&self.detail).starts_with(&plain(&self.title));
        let title = if repeats { "" } else { &self.title };
        let parts = [title, &self.detail, &self.hint];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(". ")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words())
    }
}

/// Returns the step of a connection test that an error belongs to.
pub fn failing_step(error: &ClientError) -> ConnectionCheck {
    match error {
        ClientError::Proxy { .. } | ClientError::PlainThroughProxy { .. } | ClientError::UnverifiableProxy { .. } => {
            ConnectionCheck::Proxy
        }
        ClientError::Policy(_) => ConnectionCheck::Policy,
        ClientError::Unreachable { .. }
        | ClientError::NoAddress { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Broken { .. }
        | ClientError::TlsOnPlainPort
        | ClientError::PlainOnTlsPort => ConnectionCheck::Reach,
        ClientError::Certificate { .. } | ClientError::BadCaFile { .. } => ConnectionCheck::Certificate,
        ClientError::BadClientCertificate { .. }
        | ClientError::ClientCertificateRequired
        | ClientError::ClientCertificateRefused { .. } => ConnectionCheck::ClientCertificate,
        ClientError::SignIn(_) => ConnectionCheck::SignIn,
        ClientError::Unauthenticated { .. } | ClientError::Forbidden { .. } => ConnectionCheck::Identity,
        _ => ConnectionCheck::Product,
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let words = error.to_string();
        let problem = |title: &str| Problem::new(title, &words);
        match error {
            ClientError::Unreachable { .. } | ClientError::NoAddress { .. } => problem("The cluster can’t be reached")
                .hint("Check the host and port, and whether the cluster is running")
                .fix(Fix::Retry)
                .or(Fix::EditConnection),
            ClientError::TimedOut { .. } => problem("The cluster did not respond in time")
                .hint("Try again, or increase the timeout of the connection")
                .fix(Fix::Retry)
                .or(Fix::MoreTime),
            ClientError::Broken { .. } => problem("The connection broke").fix(Fix::Retry),
            ClientError::Certificate { why, seen } => certificate(&why, &words, seen),
            ClientError::BadCaFile { .. } => problem("The CA file can’t be used").fix(Fix::EditConnection),
            ClientError::SignIn(error) => (*error).into(),
            ClientError::TlsOnPlainPort => {
                problem("No TLS on that port").hint("Use http://, or the port that uses https").fix(Fix::EditConnection)
            }
            ClientError::PlainOnTlsPort => {
                problem("That port uses https").hint("Use https:// in the URL").fix(Fix::EditConnection)
            }
            ClientError::NotElasticsearch { .. } => problem("This is not Elasticsearch")
                .hint("Check the URL: another service or a proxy responds there")
                .fix(Fix::EditConnection),
            // Of a key of the cluster itself, which is sent encoded, no underscore arrives (as seen on 9.5.3).
            ClientError::Unauthenticated { ref reason } if reason.contains("Illegal base64 character 5f") => {
                problem("The sign-in was refused").hint(CLOUD_KEY_REFUSED).fix(Fix::EditConnection)
            }
            ClientError::Unauthenticated { .. } => problem("The sign-in was refused")
                .hint("Check the credential: it may be wrong, expired or invalidated")
                .fix(Fix::EditConnection),
            ClientError::Forbidden { ref reason, .. } if reason.starts_with("current license is non-compliant") => {
                problem("The license of this cluster does not allow this").hint(TRIAL)
            }
            ClientError::Forbidden { ref reason, .. } if reason.contains("is unauthorized to run as [") => {
                problem("You don’t have permission to run as that user")
                    .hint("Missing: the privilege run_as for this user; a user that doesn’t exist gives the same error")
                    .fix(Fix::EditConnection)
            }
            ClientError::Forbidden { ref privileges, ref reason, .. } => {
                let hint = match privileges.as_slice() {
                    [] => String::new(),
                    some => format!("Missing: {}", error_response::lacking(reason, some)),
                };
                Problem {
                    kind: ProblemKind::Forbidden, ..problem("You don’t have permission to do that").hint(&hint)
                }
            }
            ClientError::ApiKeysDisabled => Problem {
                kind: ProblemKind::ApiKeysDisabled,
                ..problem("API keys are disabled on this cluster")
                    .hint("Set xpack.security.authc.api_key.enabled: true on every node; it requires TLS on HTTP")
                    .fix(Fix::Retry)
            },
            ClientError::SecurityOff => Problem {
                kind: ProblemKind::SecurityOff,
                ..problem("Security is disabled on this cluster")
                    .hint("Without xpack.security.enabled: true there are no API keys, and anyone can do anything")
                    .fix(Fix::Retry)
            },
            ClientError::Throttled { .. } => problem("The cluster is too busy").hint("Wait a moment").fix(Fix::Retry),
            ClientError::Unavailable { .. } => problem("The cluster is not available").fix(Fix::Retry),
            ClientError::Redirected { .. } => problem("The server redirects elsewhere")
                .hint("Redirects are never followed with a credential: use the final URL")
                .fix(Fix::EditConnection),
            ClientError::NotFound { .. } => problem("Not found"),
            ClientError::Rejected { ref reason, .. } if reason.starts_with("no handler found") => {
                problem("The cluster refused the request").hint("Check the path in the URL").fix(Fix::EditConnection)
            }
            ClientError::TooLarge { .. } => problem("The response is too large"),
            ClientError::Proxy { ref fault, .. } => problem("The proxy didn’t connect")
                .hint(match fault {
                    ProxyFault::Unreachable(_) => "Check the host and port of the proxy, or whether it is needed here",
                    ProxyFault::TimedOut(_) => {
                        "Check whether the proxy can be reached, and whether it can reach the cluster"
                    }
                    ProxyFault::SignIn => "Check the user and password of the proxy",
                    ProxyFault::Refused(_) => "Check the URL of the cluster, and whether the proxy allows it",
                    ProxyFault::Closed | ProxyFault::NotAProxy(_) => "Check the scheme and port of the proxy",
                })
                .fix(Fix::Retry)
                .or(Fix::EditConnection),
            ClientError::BadClientCertificate { .. } => {
                problem("The client certificate can’t be used").fix(Fix::EditConnection)
            }
            ClientError::ClientCertificateRequired => problem("The server requires a client certificate")
                .hint("Add the certificate and its key to the connection")
                .fix(Fix::EditConnection),
            ClientError::ClientCertificateRefused { .. } => problem("The server refused the client certificate")
                .hint("Check whether it has expired, and which authority the server expects")
                .fix(Fix::EditConnection),
            ClientError::PlainThroughProxy { .. } => problem("http is not sent through a proxy")
                .hint("Use https:// for the cluster, or no proxy")
                .fix(Fix::EditConnection),
            ClientError::UnverifiableProxy { .. } => problem("The proxy can’t be verified")
                .hint(
                    "Use an http:// proxy, which sees nothing of what is encrypted for the cluster, or trust the \
                     certificates of this computer",
                )
                .fix(Fix::EditConnection),
            ClientError::Policy(ref violation) => machine_policy::refused(violation),
            ClientError::ReadOnly | ClientError::Unconfirmed => protection::refused(&error),
            ClientError::NotSent { ref reason } => Problem::new("Nothing was sent", &sentence::capitalized(reason)),
            ClientError::RefusedRepetition { .. } | ClientError::FromBetween { .. } | ClientError::Interrupted => {
                Problem {
                    kind: ProblemKind::NotKnown,
                    ..problem("Not known whether it was done").hint("Check the keys before you do it again")
                }
            }
            ClientError::Contradictory { .. } => {
                problem("The cluster’s responses contradict each other").fix(Fix::Retry).or(Fix::EditConnection)
            }
            ClientError::Unreadable { .. } => problem("The response can’t be read").fix(Fix::Retry),
            ClientError::Tls { .. } | ClientError::Setup { .. } => {
                problem("No encrypted connection could be established").fix(Fix::Retry).or(Fix::EditConnection)
            }
            ClientError::BadLogin { .. } => problem("These credentials can’t be sent").fix(Fix::EditConnection),
            ClientError::Lacks(_) => problem("This cluster can’t do that"),
            ClientError::Rejected { .. } => problem("The cluster refused the request").fix(Fix::Retry),
        }
    }
}

fn certificate(why: &CertificateProblem, words: &str, seen: Option<Box<SeenCertificate>>) -> Problem {
    let title = match why {
        CertificateProblem::UnknownIssuer => "Certificate not trusted",
        CertificateProblem::Expired => "The certificate has expired",
        CertificateProblem::NotYetValid => "The certificate is not valid yet",
        CertificateProblem::WrongHost => "The certificate is for another host",
        CertificateProblem::PinMismatch { .. } | CertificateProblem::ChainWithoutPin => {
            "The server presents no certificate with this fingerprint"
        }
        CertificateProblem::Other(_) => "The certificate is not trusted",
    };
    let mut problem = Problem::new(title, words);
    problem.kind = ProblemKind::Certificate;
    problem.certificate = seen;
    match why {
        CertificateProblem::UnknownIssuer => problem
            .hint(
                "It is not signed by an authority that this computer trusts. Compare its fingerprint with the one \
                 Elasticsearch printed on first start",
            )
            .fix(Fix::CompareCertificate)
            .or(Fix::EditConnection),
        CertificateProblem::PinMismatch { .. } | CertificateProblem::ChainWithoutPin => problem
            .hint(
                "Compare the digits: the cause may be a typo, a renewed certificate, or someone intercepting the \
                 connection",
            )
            .fix(Fix::CompareCertificate)
            .or(Fix::EditConnection),
        CertificateProblem::WrongHost => problem.hint("Use the host name in the certificate").fix(Fix::EditConnection),
        CertificateProblem::Expired => problem.hint("The cluster’s certificate must be renewed").fix(Fix::Retry),
        CertificateProblem::NotYetValid => problem.hint("Check this computer’s clock first").fix(Fix::Retry),
        CertificateProblem::Other(_) => problem.fix(Fix::Retry).or(Fix::EditConnection),
    }
}
