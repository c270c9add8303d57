//! HTTP to one cluster, with typed requests and typed answers. Every request leaves through `Client::send`; those to the
//! provider of a sign-in leave through `open_id`. It knows no profiles, journals or screens.

mod address;
mod api;
mod call;
pub mod clock;
mod connection;
mod credentials;
mod error;
pub(crate) mod http;
#[doc(hidden)]
pub mod measuring;
pub mod open_id;
mod retry;
mod token_source;

pub use api::{
    api_keys::{CreatedKey, Invalidation},
    audit::{AuditIndex, AuditPage, AuditRange, AuditSource},
    documents::{MAX_FOUND, Put, ShippedEntry},
    key_list::{KeyPage, KeyQuery, Keys, Order, RowPage},
    license::License,
    security::{BuiltinPrivileges, ClusterInfo},
    updates::BulkUpdate,
    users::User,
};
pub use clock::MAX_DATE_SKEW;
pub use connection::Client;
pub use error::ClientError;
pub use http::{
    certificate::{CertificateProblem, SeenAuthority, SeenCertificate},
    proxy::ProxyFault,
    row_stream::read_answer,
    unread_rows::{MAX_UNREADABLE_KEPT, UnreadRows, Unreadable},
};
pub use token_source::{FetchingToken, TokenSource};
