//! Options and arguments that several commands share, checked.

pub(super) mod connection;
mod credentials;
pub(super) mod cross_cluster;
pub(super) mod draft;
pub(super) mod imported;
pub(super) mod json_input;
pub(super) mod key_options;
pub(super) mod keys_from;
pub(super) mod open_id;
pub(super) mod reference;
pub(super) mod row_options;
pub(super) mod secret_input;
pub(super) mod span;
pub(super) mod update_options;
