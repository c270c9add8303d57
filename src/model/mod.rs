//! Plain data and pure functions: no IO, no async, no clock (time is a parameter), no toolkit.

pub mod api_key;
pub mod connections;
pub mod create;
pub mod defaults;
pub mod failure;
pub mod filter;
pub mod form_error;
pub mod guard;
pub mod identity;
pub mod inventory;
pub mod journal;
pub mod lock;
pub mod machine_policy;
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

pub use time::{delta::TimeDelta, timestamp::Timestamp};
