//! State of the practice cluster in memory: plain data; permissions are checked elsewhere.

pub(super) mod cluster;
pub(super) mod index;
pub(super) mod key;
pub(super) mod license;
pub(super) mod node;
pub(super) mod secret;
pub(super) mod user;
