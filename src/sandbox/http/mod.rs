//! HTTP: server, certificates, routing, and requests and replies in Elasticsearch's format.

pub(super) mod error;
pub(super) mod filter_path;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod router;
pub(super) mod server;
pub(super) mod tls;
