//! Answers of which some may be missing.

/// Answer that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Surely.
    Yes,
    /// Surely not.
    No,
    /// Unknown: neither can be shown.
    NotKnown,
}
