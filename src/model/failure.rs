//! Reason why something was not done to a key, and whether that is certain: a value, so that no front end has to parse
//! it from a sentence.

/// Reason why a key is not in the requested state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not done: the cluster refused it, or it never left this machine. Holds the reason.
    Refused(String),
    /// Perhaps done: no answer came, none could be read, or the answers contradict each other. Holds the reason.
    Unknown(String),
}

impl Failure {
    /// Prefix of an unknown outcome wherever it is shown or written.
    pub const NOT_KNOWN: &str = "not known";

    /// `true` if it may have been done all the same.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Returns the reason by itself.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) | Self::Unknown(reason) => reason,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::Unknown(reason) => write!(f, "{}: {reason}", Self::NOT_KNOWN),
        }
    }
}
