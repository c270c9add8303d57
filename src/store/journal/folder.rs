//! Journal in its folder: entries are added and found. Several programs may write at the same time.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Seek, SeekFrom, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    end::{End, is_running},
    faulty_line::FaultyLine,
    head::{self, Head, Markers},
    keyring::{JournalKeyring, Record},
    lines::files,
    warning::{NotKept, Warning},
};
use crate::{
    model::{
        journal::{self, Entry, Read},
        machine_policy::MachinePolicy,
    },
    store::{
        disk,
        lock::{LOCK_WAIT, lock},
        own_files,
        vault::{Vault, os::OsVault},
    },
};

/// The folder of a journal, or the reason why no journal is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: Result<PathBuf, NotKept>,
    pub(super) markers: Option<Markers>,
    pub(super) keyring: Option<JournalKeyring>,
    watcher: Option<Watcher>,
}

impl PartialEq for Journal {
    fn eq(&self, other: &Self) -> bool {
        self.folder == other.folder && self.markers == other.markers
    }
}

impl Eq for Journal {}

/// Receiver of warnings, which remembers whether damage was reported already.
#[derive(Clone)]
struct Watcher {
    warn: Arc<dyn Fn(Warning) + Send + Sync>,
    has_reported: Arc<AtomicBool>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { folder: Err(NotKept::Practice), markers: None, keyring: None, watcher: None }
    }
}

impl Journal {
    /// The journal in the folder that KEYBEARER_JOURNAL names, or none where that says `off`; otherwise in the folder
    /// that the rules of this computer name, or that the system has for this user's data. Whether the rules allow changes
    /// with that journal is decided by [`MachinePolicy::check_changes`].
    pub fn from_environment(policy: &MachinePolicy) -> Self {
        let dirs = directories::ProjectDirs::from("", "", "keybearer");
        let state = dirs.as_ref().map(|dirs| dirs.state_dir().unwrap_or(dirs.data_local_dir()).join("journals"));
        let by_rule = policy.rules().and_then(|rules| rules.journal_folder.clone());
        let own = by_rule.or(dirs.map(|dirs| dirs.data_local_dir().join("journal")));
        let journal = Self::chosen(std::env::var_os("KEYBEARER_JOURNAL"), own);
        let journal = journal.with_keyring(Arc::new(OsVault::new()));
        match state {
            Some(state) => journal.with_markers(state),
            None => journal,
        }
    }

    pub(super) fn chosen(named: Option<OsString>, of_this_user: Option<PathBuf>) -> Self {
        match named {
            Some(place) if place == "off" => Self { folder: Err(NotKept::SwitchedOff), ..Self::default() },
            Some(place) if !place.is_empty() => Self::at(place.into()),
            _ => Self { folder: of_this_user.ok_or(NotKept::NoPlace), ..Self::default() },
        }
    }

    /// The journal in a folder of the caller's choice.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder: Ok(folder), ..Self::default() }
    }

    /// Returns the journal with a record of its last entry in another folder, by which a missing journal folder is
    /// noticed.
    pub fn with_markers(self, folder: PathBuf) -> Self {
        Self { markers: Some(Markers::at(folder)), ..self }
    }

    /// Returns the journal with its entries keyed from this keyring, and a record of the last one in it. Where the
    /// keyring can't be reached, entries are written without a key.
    pub fn with_keyring(self, vault: Arc<dyn Vault>) -> Self {
        Self { keyring: Some(JournalKeyring::new(vault)), ..self }
    }

    /// Records of the last entry outside of the folder: the marker, and the one in the keyring; and the name of the
    /// keyring's entry if it is damaged.
    pub(super) fn outside_records(&self, folder: &Path) -> (Vec<Head>, Option<String>) {
        let marker = self.markers.as_ref().and_then(|markers| markers.read(folder));
        let kept = self.keyring.as_ref().and_then(|keyring| keyring.head(folder).ok());
        let (kept, damaged) = match kept {
            Some(Record::Head(head)) => (Some(head), None),
            Some(Record::Damaged(name)) => (None, Some(name)),
            Some(Record::None) | None => (None, None),
        };
        (marker.into_iter().chain(kept).collect(), damaged)
    }

    /// Returns the journal with warnings handed to `warn` at once. Damage is reported once.
    pub fn watched(self, warn: impl Fn(Warning) + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Watcher { warn: Arc::new(warn), has_reported: Arc::default() }), ..self }
    }

    /// Folder of the journal; `None` when no journal is kept.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().ok()
    }

    /// Folder of the journal, or the reason in words why no journal is kept.
    ///
    /// # Errors
    /// The reason.
    pub fn place(&self) -> Result<&Path, &'static str> {
        self.folder.as_deref().map_err(|why| why.words())
    }

    /// Reason why no journal is kept; `None` where one is.
    pub fn not_kept(&self) -> Option<NotKept> {
        self.folder.as_ref().err().copied()
    }

    /// Reports that an outcome could not be written.
    pub fn report_lost_outcome(&self, outcome: &'static str, error: &io::Error) {
        let folder = self.folder().map(Path::to_owned).unwrap_or_default();
        self.warn(Warning::OutcomeNotWritten { folder, outcome, error: error.to_string() });
    }

    fn warn(&self, warning: Warning) {
        if let Some(watcher) = &self.watcher {
            (watcher.warn)(warning);
        }
    }

    /// Warns about what was found at the end of the journal before an entry is added.
    fn warn_of(&self, end: &End, entry: &Entry) {
        let Some(watcher) = &self.watcher else { return };
        if let Some(damage) = &end.damage
            && !watcher.has_reported.swap(true, Ordering::Relaxed)
        {
            self.warn(Warning::Damaged(damage.clone()));
        }
        if entry.intent.is_none()
            && let Some(open) = &end.open
            && is_running(open, &entry.origin.host) == Some(false)
        {
            self.warn(Warning::Open(Box::new(open.clone())));
        }
    }

    /// Adds an entry, and returns when it is on the disk. Without a folder nothing is written. The first entry of a
    /// file removes temporary files that a crash left behind.
    ///
    /// # Errors
    /// Any error of the file system, and `WouldBlock` when another process holds the lock for longer than
    /// [`LOCK_WAIT`]; then no part of the entry stays behind.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let Some(folder) = self.folder() else { return Ok(()) };
        own_files::make_folder(folder)?;
        let _lock = lock(&folder.join("lock"), LOCK_WAIT)?;
        let (records, damaged) = self.outside_records(folder);
        let end = End::find(folder, &records, entry.at)?;
        let number = end.sequence.checked_add(1).ok_or_else(|| io::Error::other("its numbers are used up"))?;
        self.warn_of(&end, entry);
        let damage = end.damage.as_ref().filter(|damage| damage.is_covered_by_writing()).map(FaultyLine::to_string);
        let key = self.keyring.as_ref().and_then(|keyring| keyring.writing_key().ok());
        let line = match (&end.torn, damage) {
            (None, None) => entry.line_with(number, &end.hash, key.as_deref()),
            (torn, damage) => {
                let entry = Entry { torn: torn.clone(), damage, ..entry.clone() };
                entry.line_with(number, &end.hash, key.as_deref())
            }
        };
        let is_new = !end.file.exists();
        if is_new {
            own_files::sweep(folder);
            self.markers.iter().for_each(Markers::sweep);
        }
        if end.is_head_behind && end.damage.is_none() && end.sequence > 0 {
            // A second crash must not leave it two entries behind, as nothing but damage does otherwise.
            head::write(folder, &Head { sequence: end.sequence, hash: end.hash.clone() })?;
        }
        let mut file = own_files::options().create(true).truncate(false).write(true).open(&end.file)?;
        file.set_len(end.length)?;
        file.seek(SeekFrom::End(0))?;
        let head =
            Head { sequence: number, hash: journal::verify::read(&line).map(|read| read.hash).unwrap_or_default() };
        let unfinished = if end.is_unfinished { "\n" } else { "" };
        let written = file
            .write_all(format!("{unfinished}{line}\n").as_bytes())
            .and_then(|()| disk::sync_data(&file, &end.file))
            .and_then(|()| if is_new { disk::sync_folder(folder) } else { Ok(()) })
            .and_then(|()| head::write(folder, &head));
        if let Err(error) = written {
            // A part that can't be removed is kept as torn by the next entry.
            let _ = file.set_len(end.length);
            return Err(error);
        }
        if let Some(markers) = &self.markers {
            // It guards against a folder that is gone; an entry that is on the disk does not depend on it.
            let _ = markers.write(folder, &head);
        }
        if let Some(keyring) = self.keyring.as_ref().filter(|_| key.is_some() && damaged.is_none()) {
            // One that is older than the last entry is still a record of what has to be there.
            let _ = keyring.write_head(folder, &head);
        }
        Ok(())
    }

    /// Returns the files of the journal, the oldest first.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        self.folder().map_or(Ok(Vec::new()), files)
    }

    /// Hands the entries that contain a text, such as the id of a key, to `take`, the newest first, until it breaks.
    /// Only lines with the text in them are read, each by itself; their position in the chain is checked by
    /// [`Journal::check`]. Returns the number of such lines that are not as they were written.
    ///
    /// # Errors
    /// Returns an error if a file can't be read.
    pub fn naming(&self, text: &str, mut take: impl FnMut(Read) -> ControlFlow<()>) -> io::Result<usize> {
        let mut broken = 0;
        for file in self.files()?.iter().rev() {
            let bytes = fs::read(file)?;
            let mut end = bytes.len();
            for at in memchr::memmem::rfind_iter(&bytes, text.as_bytes()) {
                if at >= end {
                    continue; // the same line once more
                }
                let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
                let stop = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |after| at + after);
                end = start;
                match std::str::from_utf8(&bytes[start..stop]).map(journal::verify::read) {
                    Ok(Ok(entry)) => {
                        if take(entry).is_break() {
                            return Ok(broken);
                        }
                    }
                    _ => broken += 1,
                }
            }
        }
        Ok(broken)
    }
}
