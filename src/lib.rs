//! Keybearer administers the API keys of Elasticsearch clusters.
//!
//! The layers, lowest first; none names one below it in this list, as `tests/it/architecture.rs` checks.

// In tests they are welcome: a panic there is a finding.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

/// The id of the application on every system: of its window, its desktop entry, its bundle and its notices.
pub const APPLICATION_ID: &str = "org.keybearer.Keybearer";

/// Plain data and pure functions.
pub mod model;

/// Keys as files and as metrics.
pub mod export;

/// HTTP to one cluster.
pub mod client;
/// This machine: the keyring, files, the clipboard.
pub mod store;

/// The embedded practice cluster; depends on `model` only.
#[cfg(feature = "sandbox")]
pub mod sandbox;

/// Use cases, the same for the window and for the command line.
pub mod ops;

/// The owner of the asynchronous runtime.
pub mod worker;

/// The state of the window and its changes.
pub mod app;

/// Drawing of the window.
#[cfg(feature = "window")]
pub mod ui;

/// Opens the window.
#[cfg(feature = "window")]
pub mod window;

/// The command line; depends on `ops`, and serves the `sandbox`.
pub mod cli;

#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
pub(crate) mod small_stack;
