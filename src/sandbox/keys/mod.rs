//! API keys: created, read, queried, updated, invalidated.

pub(super) mod access;
pub(super) mod clone;
pub(super) mod create;
pub(super) mod cross_cluster;
pub(super) mod fields;
pub(super) mod grant;
pub(super) mod key_request;
pub(super) mod matching;
pub(super) mod page;
pub(super) mod query;
pub(super) mod read;
pub(super) mod sort;
pub(super) mod update;
