//! Secrets that somebody has: whose they are, and whether they work.

pub mod identify;
pub mod kept;
pub mod try_key;
