//! The journal: recorded, read and verified, signed, shipped.

pub mod against;
pub mod checkpoint;
pub mod reader;
pub(super) mod recorder;
pub mod ship;
pub mod signers;
