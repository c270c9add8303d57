//! Plain data and pure functions: no IO, no async, no clock (time is a parameter), no toolkit.

pub mod access_form;
pub mod age;
pub mod api_key;
pub mod calendar;
pub mod clone_draft;
pub mod cloning;
pub mod create;
pub mod cross_cluster;
pub mod deed;
pub mod descriptor;
pub mod descriptor_form;
pub mod endpoint;
pub mod expiry;
pub mod failure;
pub mod filter;
pub mod fingerprint;
pub mod grant;
pub mod guard;
pub mod harmless;
pub mod identity;
pub mod inventory;
pub mod journal;
pub mod json_text;
pub mod key_list;
pub mod login;
pub mod new_key;
pub mod overview;
pub mod pasted;
pub mod pattern;
pub mod preset;
pub mod privilege_words;
pub mod privileges;
pub mod profile;
pub mod profile_draft;
pub mod rights;
pub mod role;
pub mod rotation;
pub mod secret;
pub mod settings;
pub mod snippet;
pub mod successor;
pub mod update;
pub mod update_cross;
pub mod update_draft;
pub mod update_plan;
pub mod update_race;
pub mod version;
pub mod words;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, as Elasticsearch writes them.
///
/// A server can send any `i64`, so arithmetic on it saturates.
pub type Millis = i64;

/// The length of a day, in milliseconds.
pub const DAY: Millis = 24 * 60 * 60 * 1000;
