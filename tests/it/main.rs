//! The integration tests, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

mod addresses;
mod architecture;
#[cfg(feature = "window")]
mod around_window;
#[cfg(feature = "window")]
mod asked_credential;
#[cfg(feature = "window")]
mod check_secret;
#[cfg(unix)]
mod checkpoint_signers;
mod cli;
mod cli_check_secret;
mod cli_clocks;
mod cli_clone;
mod cli_cross_cluster;
mod cli_grant;
mod cli_import;
mod cli_invalidate_many;
mod cli_journal;
mod cli_json;
mod cli_last_use;
mod cli_lists;
mod cli_names;
mod cli_odd_clusters;
mod cli_practice;
mod cli_rotate;
mod cli_rotate_cut;
mod cli_secret_output;
mod cli_shells;
mod cli_ship;
mod cli_signals;
mod cli_snippet;
mod cli_update;
mod client_certificates;
mod client_http;
mod client_reading;
mod client_servers;
mod client_sockets;
mod client_tls;
mod cloud_keys;
mod cut_lines;
mod cutting_proxy;
#[cfg(feature = "window")]
mod desk;
#[cfg(feature = "window")]
mod file_dialogs;
#[cfg(feature = "window")]
mod forms_window;
mod front;
#[cfg(feature = "window")]
mod guide;
mod import_window;
mod invalidate_many;
mod journal_checkpoints;
#[cfg(feature = "window")]
mod journal_window;
#[cfg(feature = "window")]
mod journeys;
#[cfg(feature = "window")]
mod journeys_many;
#[cfg(feature = "window")]
mod last_use_window;
#[cfg(feature = "window")]
mod leftovers;
#[cfg(feature = "window")]
mod list_and_overview;
#[cfg(feature = "window")]
mod locking;
mod lying_line;
#[cfg(feature = "window")]
mod lying_window;
mod machine_policy;
mod open_id;
mod open_id_provider;
#[cfg(feature = "window")]
mod open_id_window;
#[cfg(feature = "window")]
mod pictures;
#[cfg(feature = "window")]
mod pictures_forms;
#[cfg(feature = "window")]
mod pictures_guard;
#[cfg(feature = "window")]
mod pictures_import;
#[cfg(feature = "window")]
mod pictures_many;
#[cfg(feature = "window")]
mod pictures_rotate;
#[cfg(feature = "window")]
mod privileges_form;
mod protection;
mod proxies;
mod reading_all;
#[cfg(feature = "window")]
mod rotate_window;
#[cfg(feature = "window")]
mod rotate_window_cut;
mod rotating_unsaved;
mod simulation;
mod snippet_readers;
#[cfg(feature = "window")]
mod states;
#[cfg(feature = "window")]
mod updating;
#[cfg(feature = "window")]
mod window_layout;
#[cfg(feature = "window")]
mod window_questions;
