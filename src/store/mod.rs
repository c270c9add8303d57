//! This machine: the keyring with the connection profiles, files, and the clipboard. It knows no cluster.

#[cfg(feature = "window")]
pub mod clipboard;
pub mod connections;
pub mod journal;
mod lock;
pub mod notice;
pub(crate) mod own_files;
pub mod rotation;
pub mod secret_file;
pub mod settings_file;
pub mod vault;
