//! Warnings about a journal, and the reasons why none is kept.

use std::{fmt, path::PathBuf};

use super::faulty_line::FaultyLine;
use crate::model::journal::Read;

/// A problem with the journal, reported at the moment it is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Damage was found before an entry was written.
    Damaged(FaultyLine),
    /// The last operation in the journal has an intent and no outcome, and its process is gone.
    Open(Box<Read>),
    /// A request was carried out, and its outcome could not be written.
    OutcomeNotWritten {
        /// The folder of the journal.
        folder: PathBuf,
        /// Name of the outcome in the journal's schema.
        outcome: &'static str,
        /// Error of the operating system.
        error: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(fault) => write!(
                f,
                "The journal failed verification: {fault}. Verify the whole journal, and keep its files unchanged"
            ),
            Self::Open(intent) => {
                let keys = match intent.keys.as_slice() {
                    [] => String::new(),
                    [key] => format!(" of {key}"),
                    [key, rest @ ..] => format!(" of {key} and {} more", rest.len()),
                };
                write!(
                    f,
                    "The last operation in the journal has no outcome: {}{keys} on {} at {} was sent or about to be \
                     sent when its process ended. Check the cluster",
                    intent.action, intent.cluster, intent.at
                )
            }
            Self::OutcomeNotWritten { folder, outcome, error } => write!(
                f,
                "The outcome ({outcome}) could not be written to the journal in {} ({error}): only the intent is \
                 recorded",
                folder.display()
            ),
        }
    }
}

/// Reason why no journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The cluster is a practice cluster, of which nothing is recorded.
    Practice,
    /// KEYBEARER_JOURNAL says `off`.
    SwitchedOff,
    /// The system names no folder for a user's data.
    NoPlace,
}

impl NotKept {
    /// Describes the reason, and the way out where there is one.
    pub fn words(self) -> &'static str {
        match self {
            Self::Practice => "Actions on a practice cluster are not recorded",
            Self::SwitchedOff => {
                "KEYBEARER_JOURNAL is set to off, so actions are not recorded here. Unset it or set it to a folder, \
                 and start again"
            }
            Self::NoPlace => {
                "This system has no folder for user data, so actions are not recorded here. Set KEYBEARER_JOURNAL to a \
                 folder, and start again"
            }
        }
    }
}
