//! Plain data and pure functions: no IO, no async, no clock (time is a parameter), no toolkit.

pub mod api_key;
pub mod connections;
pub mod create;
pub mod failure;
pub mod filter;
pub mod guard;
pub mod identity;
pub mod inventory;
pub mod journal;
pub mod privileges;
pub mod rights;
pub mod rotation;
pub mod secret;
pub mod secret_text;
pub mod settings;
pub mod snippet;
pub mod text;
pub mod time;
pub mod update;
pub mod version;

/// Point in time: milliseconds since 1970-01-01T00:00:00Z, as Elasticsearch writes them.
///
/// A server can send any `i64`, so arithmetic on it saturates.
pub type Millis = i64;

/// Length of a day, in milliseconds.
pub const DAY: Millis = 24 * 60 * 60 * 1000;
