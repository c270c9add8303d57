//! Problems: what went wrong, why, and the way out, with the same text in the window and on the command line.

use crate::{
    client::{CertificateProblem, ClientError, SeenCertificate, http::error_response},
    model::text::sentence,
    ops::connections::{capabilities::TRIAL, connect::ConnectionCheck},
};

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
            Self::ReadProfiles => "Look again",
            Self::UseMemory => "Go on for this run",
            Self::CreateKey => "Create a key…",
            Self::AllowOtherOwner => "Let it belong to me",
            Self::AllowManaged => "Rotate it all the same",
            Self::RotateAgain => "Make another successor",
            Self::ListRotations => "Show rotations",
            Self::ResumeRotation(_) | Self::HaveSecret(_) | Self::MakeAgain(_) | Self::OtherFile(_) => "Resume…",
            Self::CancelRotation { .. } => "Cancel the rotation…",
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
        Self::new("Keybearer made a mistake", "The work was broken off. What the cluster did meanwhile is not known")
            .hint("Refresh to see what is true")
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
        ClientError::Unreachable { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Broken { .. }
        | ClientError::TlsOnPlainPort
        | ClientError::PlainOnTlsPort => ConnectionCheck::Reach,
        ClientError::Certificate { .. } | ClientError::BadCaFile { .. } => ConnectionCheck::Certificate,
        ClientError::Unauthenticated { .. } | ClientError::Forbidden { .. } => ConnectionCheck::Identity,
        _ => ConnectionCheck::Product,
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let words = error.to_string();
        let problem = |title: &str| Problem::new(title, &words);
        match error {
            ClientError::Unreachable { .. } => problem("The cluster can’t be reached")
                .hint("Check host and port, and whether the cluster runs")
                .fix(Fix::Retry)
                .or(Fix::EditConnection),
            ClientError::TimedOut { .. } => problem("The cluster does not answer in time")
                .hint("Try again, or give it more time in the connection")
                .fix(Fix::Retry)
                .or(Fix::MoreTime),
            ClientError::Broken { .. } => problem("The connection broke").fix(Fix::Retry),
            ClientError::Certificate { why, seen } => certificate(&why, &words, seen),
            ClientError::BadCaFile { .. } => problem("The CA file can’t be used").fix(Fix::EditConnection),
            ClientError::TlsOnPlainPort => problem("No TLS on that port")
                .hint("Use http:// for it, or the port that speaks https")
                .fix(Fix::EditConnection),
            ClientError::PlainOnTlsPort => {
                problem("That port speaks https").hint("Write https:// in the URL").fix(Fix::EditConnection)
            }
            ClientError::NotElasticsearch { .. } => problem("That is not Elasticsearch")
                .hint("Check the URL: another service, or a proxy, answers there")
                .fix(Fix::EditConnection),
            ClientError::Unauthenticated { .. } => problem("The sign-in was refused")
                .hint("Check the credential: it may be wrong, expired or invalidated")
                .fix(Fix::EditConnection),
            ClientError::Forbidden { ref reason, .. } if reason.starts_with("current license is non-compliant") => {
                problem("The license of this cluster does not allow that").hint(TRIAL)
            }
            ClientError::Forbidden { ref reason, .. } if reason.contains("is unauthorized to run as [") => {
                problem("You may not act as that user")
                    .hint("Missing: the privilege run_as for this name; for a name that nobody has it is the same")
                    .fix(Fix::EditConnection)
            }
            ClientError::Forbidden { ref privileges, ref reason, .. } => {
                let hint = match privileges.as_slice() {
                    [] => String::new(),
                    some => format!("Missing: {}", error_response::lacking(reason, some)),
                };
                Problem { kind: ProblemKind::Forbidden, ..problem("You may not do that").hint(&hint) }
            }
            ClientError::ApiKeysDisabled => Problem {
                kind: ProblemKind::ApiKeysDisabled,
                ..problem("API keys are switched off on this cluster")
                    .hint("Set xpack.security.authc.api_key.enabled: true on every node; it needs TLS on HTTP")
                    .fix(Fix::Retry)
            },
            ClientError::SecurityOff => Problem {
                kind: ProblemKind::SecurityOff,
                ..problem("Security is switched off on this cluster")
                    .hint("Without xpack.security.enabled: true there are no API keys, and everybody may do everything")
                    .fix(Fix::Retry)
            },
            ClientError::Throttled { .. } => problem("The cluster is too busy").hint("Wait a little").fix(Fix::Retry),
            ClientError::Unavailable { .. } => problem("The cluster is not available").fix(Fix::Retry),
            ClientError::Redirected { .. } => problem("The server sends somewhere else")
                .hint("Redirects are never followed with a credential: write the final URL")
                .fix(Fix::EditConnection),
            ClientError::NotFound { .. } => problem("Not found"),
            ClientError::Rejected { ref reason, .. } if reason.starts_with("no handler found") => {
                problem("The cluster refuses").hint("Check the path in the URL").fix(Fix::EditConnection)
            }
            ClientError::TooLarge { .. } => problem("The answer is too large"),
            ClientError::NotSent { ref reason } => Problem::new("Nothing was sent", &sentence::capitalized(reason)),
            ClientError::RefusedRepetition { .. } | ClientError::FromBetween { .. } | ClientError::Interrupted => {
                Problem {
                    kind: ProblemKind::NotKnown,
                    ..problem("It is not known whether it was done").hint("Look at the keys before you do it again")
                }
            }
            ClientError::Contradictory { .. } => {
                problem("The cluster’s answers contradict each other").fix(Fix::Retry).or(Fix::EditConnection)
            }
            ClientError::Unreadable { .. } => problem("The answer can’t be understood").fix(Fix::Retry),
            ClientError::Tls { .. } | ClientError::Setup { .. } => {
                problem("No encrypted connection came about").fix(Fix::Retry).or(Fix::EditConnection)
            }
            ClientError::BadLogin { .. } => problem("This sign-in can’t be sent").fix(Fix::EditConnection),
            ClientError::Lacks(_) => problem("This cluster can’t do that"),
            ClientError::Rejected { .. } => problem("The cluster refuses").fix(Fix::Retry),
        }
    }
}

fn certificate(why: &CertificateProblem, words: &str, seen: Option<Box<SeenCertificate>>) -> Problem {
    let title = match why {
        CertificateProblem::UnknownIssuer => "Certificate not known",
        CertificateProblem::Expired => "The certificate has expired",
        CertificateProblem::NotYetValid => "The certificate is not valid yet",
        CertificateProblem::WrongHost => "The certificate is for another host",
        CertificateProblem::PinMismatch { .. } | CertificateProblem::ChainWithoutPin => {
            "The server shows no certificate with this fingerprint"
        }
        CertificateProblem::Other(_) => "The certificate is not trusted",
    };
    let mut problem = Problem::new(title, words);
    problem.kind = ProblemKind::Certificate;
    problem.certificate = seen;
    match why {
        CertificateProblem::UnknownIssuer => problem
            .hint("Nobody this computer trusts has signed it. Compare its fingerprint with what Elasticsearch printed at its first start")
            .fix(Fix::CompareCertificate)
            .or(Fix::EditConnection),
        CertificateProblem::PinMismatch { .. } | CertificateProblem::ChainWithoutPin => problem
            .hint("Compare the digits: one slip looks like this, a renewed certificate does, and so does somebody in between")
            .fix(Fix::CompareCertificate)
            .or(Fix::EditConnection),
        CertificateProblem::WrongHost => problem.hint("Use the host name that the certificate names").fix(Fix::EditConnection),
        CertificateProblem::Expired => problem.hint("The cluster needs a new certificate").fix(Fix::Retry),
        CertificateProblem::NotYetValid => problem.hint("Check the clock of this computer first").fix(Fix::Retry),
        CertificateProblem::Other(_) => problem.fix(Fix::Retry).or(Fix::EditConnection),
    }
}
