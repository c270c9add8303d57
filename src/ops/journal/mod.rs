//! The journal: recorded, read and verified, shipped.

pub mod reader;
pub(super) mod recorder;
pub mod ship;
