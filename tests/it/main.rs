//! The integration tests, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

mod architecture;
mod cli;
mod cli_journal;
mod cli_last_use;
mod cli_lists;
mod cli_odd_clusters;
mod cli_practice;
mod cli_ship;
mod cli_update;
mod client_http;
mod client_reading;
mod client_servers;
mod client_sockets;
mod client_tls;
#[cfg(feature = "window")]
mod desk;
#[cfg(feature = "window")]
mod journal_window;
#[cfg(feature = "window")]
mod journeys;
#[cfg(feature = "window")]
mod leftovers;
#[cfg(feature = "window")]
mod list_and_overview;
#[cfg(feature = "window")]
mod pictures;
mod reading_all;
#[cfg(feature = "window")]
mod states;
