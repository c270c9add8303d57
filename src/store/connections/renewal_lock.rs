//! Lock by which two processes don't renew the same token at the same time: many providers issue a new refresh token each
//! time, and take a second use of the old one for theft.

use std::{fs::File, path::PathBuf};

use crate::{
    model::connections::open_id::SignInId,
    store::{
        lock::{LOCK_WAIT, lock},
        own_files::make_folder,
    },
};

/// Takes the lock of a sign-in, and waits for another process up to [`LOCK_WAIT`]; `None` if it can't be had. It is
/// released when it is dropped.
pub fn take(id: &SignInId) -> Option<File> {
    let folder = folder()?;
    make_folder(&folder).ok()?;
    // Ids are made here, and hexadecimal; whatever else a profile may name is no path.
    let name: String = id.0.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    lock(&folder.join(format!("sign-in-{name}.lock")), LOCK_WAIT).ok()
}

fn folder() -> Option<PathBuf> {
    let places = directories::ProjectDirs::from("", "", "keybearer")?;
    Some(places.runtime_dir().unwrap_or_else(|| places.cache_dir()).to_owned())
}
