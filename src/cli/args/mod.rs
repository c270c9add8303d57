//! Options and arguments that several commands share, checked.

pub(super) mod connection;
pub(super) mod cross_cluster;
pub(super) mod draft;
pub(super) mod json_input;
pub(super) mod keys_from;
pub(super) mod row_options;
pub(super) mod secret_input;
pub(super) mod update_options;
