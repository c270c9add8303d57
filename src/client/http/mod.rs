//! One request and its response: TLS, row by row reading, errors of the transport and of the server.

pub(super) mod certificate;
pub(crate) mod error_response;
pub(crate) mod proxy;
pub(super) mod response;
pub(super) mod row_stream;
pub(crate) mod server_text;
pub(super) mod tls;
pub(super) mod transport_error;
pub(super) mod unread_rows;
pub(super) mod unreadable_row;
