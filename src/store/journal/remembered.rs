//! What a verification of the whole journal has found for its past months, so that the next start has to read the newest
//! month only. A month counts as unchanged by the size and time of its file, and by its last line; the whole is read
//! again whenever somebody asks for it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use super::{check::Codes, lines::tail};
use crate::{
    model::{
        journal::{
            self, Read,
            merkle::{Frontier, Hash},
            verify::Checker,
        },
        text::hex,
    },
    store::own_files::{self, Durability},
};

/// Size limit of the file in bytes; a larger one was not written by Keybearer.
const MAX_BYTES: u64 = 8 << 20;
/// Maximum number of operations without an outcome; with more, everything is read at each start.
const MAX_OPEN: usize = 1000;
/// Version of the file; one of another version is not read.
const VERSION: u32 = 1;

/// Past months of a journal as they were verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    version: u32,
    /// Time of the verification, in milliseconds since 1970.
    pub(super) at: i64,
    files: Vec<PastFile>,
    pub(super) lines: usize,
    sequence: u64,
    hash: String,
    /// Intents without an outcome.
    open: Vec<Read>,
    pub(super) codes: [usize; 4],
    parts: Vec<String>,
    pub(super) first: Option<String>,
    pub(super) first_at: Option<String>,
    /// Roots of the checkpoints that fitted, by their sizes.
    pub(super) roots: BTreeMap<u64, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PastFile {
    name: String,
    size: u64,
    modified: u128,
}

impl PastFile {
    fn of(file: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(file)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        Ok(Self { name, size: metadata.len(), modified })
    }
}

/// What is known of the past months at the end of the last of them.
pub(super) struct Past<'a> {
    pub(super) lines: usize,
    pub(super) checker: &'a Checker,
    pub(super) codes: &'a Codes,
    pub(super) tree: &'a Frontier,
    pub(super) first: Option<&'a String>,
    pub(super) first_at: Option<&'a String>,
}

impl Remembered {
    /// Takes down what is known of these files; `None` if it can't be, or is too much.
    pub(super) fn of(files: &[impl AsRef<Path>], past: &Past<'_>) -> Option<Self> {
        let open: Vec<Read> = past.checker.open_entries().cloned().collect();
        if open.len() > MAX_OPEN || past.codes.unread.is_some() {
            return None;
        }
        Some(Self {
            version: VERSION,
            at: 0,
            files: files.iter().map(|file| PastFile::of(file.as_ref()).ok()).collect::<Option<_>>()?,
            lines: past.lines,
            sequence: past.checker.sequence(),
            hash: past.checker.hash().to_owned(),
            open,
            codes: [past.codes.valid, past.codes.other_key, past.codes.none_before, past.codes.none_after],
            parts: past.tree.parts().iter().map(|part| hex::encode(part)).collect(),
            first: past.first.cloned(),
            first_at: past.first_at.cloned(),
            roots: BTreeMap::new(),
        })
    }

    /// Reads what was taken down; `None` if there is nothing, or it can't be read.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
        let read: Self = (bytes.len() as u64 <= MAX_BYTES).then(|| serde_json::from_slice(&bytes).ok())??;
        (read.version == VERSION).then_some(read)
    }

    /// Writes it.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        own_files::replace(path, serde_json::to_string(self)?.as_bytes(), Durability::Content)
    }

    /// Returns the number of files that it is of, if these files begin with them, unchanged by size and time, and the
    /// last one ends with the line that it knows.
    pub(super) fn fits(&self, files: &[impl AsRef<Path>]) -> Option<usize> {
        let past = files.get(..self.files.len())?;
        let is_same = |(file, known): (&_, &PastFile)| PastFile::of(AsRef::as_ref(file)).is_ok_and(|now| now == *known);
        if past.is_empty() || !past.iter().zip(&self.files).all(is_same) {
            return None;
        }
        let (end, _) = tail(past.last()?.as_ref()).ok()?;
        let last = journal::verify::read(&end.last?).ok()?;
        (last.hash == self.hash && last.sequence == self.sequence).then_some(past.len())
    }

    /// Sequence number and hash of the last entry of the past months.
    pub(super) fn end(&self) -> (u64, &str) {
        (self.sequence, &self.hash)
    }

    /// Returns a checker that goes on behind the past months.
    pub(super) fn checker(&self) -> Checker {
        Checker::behind(self.sequence, &self.hash, self.open.clone())
    }

    /// Returns the root that a checkpoint of this size had when it fitted.
    pub(super) fn root(&self, size: u64) -> Option<Hash> {
        hex::decode(self.roots.get(&size)?)?.try_into().ok()
    }

    /// Returns the tree over the past months; `None` if what was taken down contradicts itself.
    pub(super) fn tree(&self) -> Option<Frontier> {
        let hash = |part: &String| -> Option<Hash> { hex::decode(part)?.try_into().ok() };
        Frontier::from_parts(self.lines as u64, self.parts.iter().map(hash).collect::<Option<_>>()?)
    }
}
