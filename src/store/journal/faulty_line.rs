//! Faults of a journal and where they are.

use std::{fmt, path::PathBuf};

use crate::model::journal::verify::Fault;

/// A fault and its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyLine {
    /// The file, or the folder where the journal as a whole is at fault.
    pub file: PathBuf,
    /// The line of the file, from 1; 0 where the file or folder as a whole is at fault.
    pub line: usize,
    /// The fault itself.
    pub fault: Fault,
}

impl FaultyLine {
    /// Returns `true` for a fault of the records of the last entry, which the next entry replaces; other faults stay in
    /// the files.
    pub(super) fn is_covered_by_writing(&self) -> bool {
        matches!(
            self.fault,
            Fault::HeadMissing | Fault::HeadStale { .. } | Fault::HeadDiffers | Fault::Rewritten { .. }
        )
    }
}

impl fmt::Display for FaultyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.line {
            0 => write!(f, "{file} {}", self.fault),
            line => write!(f, "{file}, line {line} {}", self.fault),
        }
    }
}
