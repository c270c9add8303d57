//! What lasts over a power failure. Each file and folder that has to is synced here, and nowhere else.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Returns when the content of a file is on the disk. Its name may not be: see [`sync_folder`].
///
/// # Errors
/// Any error of the file system.
pub(super) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    synced(path);
    Ok(())
}

/// Returns when the content and the length of a file are on the disk; its times may not be.
///
/// # Errors
/// Any error of the file system.
pub(super) fn sync_data(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    synced(path);
    Ok(())
}

/// Returns when the names in a folder are on the disk: a new name is on the disk when its folder is.
///
/// # Errors
/// Any error of the file system.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    synced(folder);
    Ok(())
}

/// Returns the folders in which names have to be synced after this folder was made: those above it, down from the first
/// one that exists now. None for a folder that exists.
pub(super) fn folders_to_sync(folder: &Path) -> Vec<PathBuf> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|one| !one.as_os_str().is_empty() && !one.exists()).collect();
    missing.iter().rev().map(|one| super::own_files::folder_of(one).to_owned()).collect()
}

#[cfg(not(debug_assertions))]
fn synced(_: &Path) {}

#[cfg(debug_assertions)]
use watched::synced;

/// Only in builds with debug assertions: tests simulate disks that lose what was not synced.
#[cfg(debug_assertions)]
pub mod watched {
    use std::{path::Path, sync::OnceLock};

    static WATCHER: OnceLock<fn(&Path)> = OnceLock::new();

    /// Calls `watcher` with each file or folder that was synced, from now on. The first watcher of a process stays.
    pub fn watch(watcher: fn(&Path)) {
        WATCHER.get_or_init(|| watcher);
    }

    pub(super) fn synced(path: &Path) {
        if let Some(watcher) = WATCHER.get() {
            watcher(path);
        }
    }
}
