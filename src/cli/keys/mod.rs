//! Keys that commands are about: those that references mean, and those that a search finds.

pub(super) mod expiring;
pub(super) mod listing;
pub(super) mod named;
pub(super) mod several;
