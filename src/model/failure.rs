//! Why something was not done to a key, and whether that is certain: a value, so that no front end has to read it
//! out of a sentence.

/// The reason why a key is not as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not done: the cluster refused it, or it never left this machine. With the reason.
    Refused(String),
    /// Perhaps done: no answer came, none could be read, or the answers contradict each other. With the reason.
    Unknown(String),
}

impl Failure {
    /// The first words of an unknown outcome wherever it is shown or written down.
    pub const NOT_KNOWN: &str = "not known";

    /// `true` where it may have been done all the same.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The reason by itself.
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
