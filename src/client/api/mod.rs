//! Calls of Elasticsearch's API, one file for each group of endpoints.

pub(super) mod api_keys;
pub(super) mod audit;
pub(super) mod clones;
pub(super) mod cross_cluster;
pub(super) mod documents;
pub(super) mod grants;
pub(super) mod index_names;
pub(super) mod key_list;
pub(super) mod license;
pub(super) mod security;
pub(super) mod updates;
pub(super) mod users;
