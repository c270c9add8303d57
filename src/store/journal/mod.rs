//! The journal in its folder: one file a month, to which lines are only added. Several programs may write at the same
//! time. It doesn't know the contents of an entry.

mod check;
mod checkpoints;
mod end;
mod faulty_line;
mod folder;
mod head;
mod keyring;
mod lines;
mod remembered;
mod warning;

pub use super::lock::LOCK_WAIT;
pub use check::{Codes, MAX_FAULTS, Report};
pub use checkpoints::{KeptCheckpoint, signature_file};
pub use end::is_running;
pub use faulty_line::FaultyLine;
pub use folder::Journal;
pub use lines::MAX_TORN_BYTES;
pub use warning::{NotKept, Warning};

#[cfg(test)]
mod keyring_tests;
#[cfg(test)]
mod tests;
