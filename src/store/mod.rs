//! This machine: the keyring with the connection profiles, and the clipboard. It knows no cluster.

#[cfg(feature = "window")]
pub mod clipboard;
pub mod journal;
pub mod kept_secrets;
mod lock;
pub mod memory_vault;
pub mod notice;
pub mod os_vault;
pub(crate) mod own_files;
mod profile_text;
pub mod profiles;
pub mod rotations;
pub mod secret_file;
mod secret_json;
pub mod settings_file;
pub mod vault;
