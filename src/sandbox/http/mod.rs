//! HTTP: server, certificates, routing, and requests and replies in Elasticsearch's format.

pub(super) mod cluster_info;
pub(super) mod context;
pub(super) mod error;
pub(super) mod filter_path;
pub(super) mod render;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod router;
pub(super) mod server;
pub(super) mod tls;
