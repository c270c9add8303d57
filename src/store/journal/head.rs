//! Records of the last entry, by which a missing end of the journal is noticed: the head beside the entries, and a
//! marker in another folder of this user, which remains when the journal's own folder is gone.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    model::text::hex,
    store::own_files::{self, Durability},
};

/// Size limit of a record in bytes; a larger file was not written by Keybearer.
pub(super) const MAX_HEAD_BYTES: u64 = 4096;

const HEAD: &str = "head.json";

/// The last entry that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) sequence: u64,
    pub(super) hash: String,
}

/// Path of the head of the journal in a folder.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(HEAD)
}

/// Reads the head of the journal in a folder; `None` where it is missing or can't be read.
pub(super) fn read(folder: &Path) -> Option<Head> {
    read_file(&path(folder))
}

/// Replaces the head, and returns when it is on the disk.
pub(super) fn write(folder: &Path, head: &Head) -> io::Result<()> {
    replace(&path(folder), head, Durability::Name)
}

/// Name of a journal in places outside of its folder.
pub(super) fn id(journal: &Path) -> String {
    // The same folder by any path to it; one that is gone is named as it was asked for.
    let named = std::path::absolute(journal).unwrap_or_else(|_| journal.to_owned());
    hex::encode(&Sha256::digest(named.as_os_str().as_encoded_bytes())[..16])
}

/// Markers of the journals that this user's Keybearer has written to, each in a file named after the journal's
/// folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Markers(PathBuf);

#[derive(Serialize, Deserialize)]
struct Marker {
    folder: String,
    #[serde(flatten)]
    head: Head,
}

impl Markers {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Path of the marker of a journal.
    pub(super) fn path(&self, journal: &Path) -> PathBuf {
        self.0.join(format!("{}.json", id(journal)))
    }

    /// Path of what was remembered of a journal's past months.
    pub(super) fn remembered_path(&self, journal: &Path) -> PathBuf {
        self.0.join(format!("{}.verified.json", id(journal)))
    }

    pub(super) fn read(&self, journal: &Path) -> Option<Head> {
        read_file::<Marker>(&self.path(journal)).map(|marker| marker.head)
    }

    pub(super) fn write(&self, journal: &Path, head: &Head) -> io::Result<()> {
        own_files::make_folder(&self.0)?;
        let path = self.path(journal);
        let marker = Marker { folder: journal.display().to_string(), head: head.clone() };
        replace(&path, &marker, Durability::Content)
    }

    /// Removes temporary files that a crash left among the markers.
    pub(super) fn sweep(&self) {
        own_files::sweep(&self.0);
    }
}

fn read_file<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_HEAD_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_HEAD_BYTES).then(|| serde_json::from_slice(&bytes).ok())?
}

fn replace(path: &Path, value: &impl Serialize, durability: Durability) -> io::Result<()> {
    own_files::replace(path, serde_json::to_string(value)?.as_bytes(), durability)
}

/// Returns `true` if a head is further behind the last entry than a crash between the two writes leaves it.
pub(super) fn is_behind(head: u64, last: u64) -> bool {
    head.saturating_add(1) < last
}
