//! This machine: the keyring with the connection profiles, files, and the clipboard. It knows no cluster.

pub mod browser;
#[cfg(feature = "window")]
pub mod clipboard;
pub mod connections;
pub mod defaults_file;
pub mod disk;
pub mod file_dialog;
pub mod journal;
mod lock;
pub mod lock_signals;
pub mod machine_policy;
pub mod notice;
pub(crate) mod own_files;
pub mod process;
pub mod rotation;
pub mod secret_file;
pub mod settings_file;
pub mod ssh;
pub mod vault;
