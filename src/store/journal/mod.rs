//! The journal in its folder: one file a month, to which lines are only added. Several programs may write at the same
//! time. It doesn't know the contents of an entry.

mod check;
mod head;

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File},
    io::{self, Read as _, Seek, SeekFrom, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{lock::lock, own_files};
use crate::model::{
    Millis,
    journal::{self, BEGINNING, Entry, Read, verify::Fault},
    time::calendar,
};
use head::{Head, Markers};

pub use super::lock::LOCK_WAIT;
pub use check::{FaultyLine, MAX_FAULTS, Report};

/// Size limit in bytes of an unfinished line that the next entry takes in as evidence of a crash. Longer ones are not
/// from a crash and stay in the file, as a line that is no entry.
pub const MAX_TORN_BYTES: usize = 1 << 20;

/// Number of bytes at the end of a file that are read first to find its last line.
const TAIL_BYTES: u64 = 1 << 16;

/// The folder of a journal, or the reason why no journal is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: Result<PathBuf, NotKept>,
    markers: Option<Markers>,
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

/// A problem with the journal, reported at the moment it is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Damage was found before an entry was written.
    Damaged(FaultyLine),
    /// The last operation in the journal has an intent and no outcome, and its process is gone.
    Open(Box<Read>),
    /// A request was carried out, and its outcome could not be written.
    OutcomeNotWritten {
        /// The folder of the journal.
        folder: PathBuf,
        /// Name of the outcome in the journal's schema.
        outcome: &'static str,
        /// Error of the operating system.
        error: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(fault) => write!(
                f,
                "The journal is not as it was written: {fault}. Check it as a whole, and keep its files as they are"
            ),
            Self::Open(intent) => {
                let keys = match intent.keys.as_slice() {
                    [] => String::new(),
                    [key] => format!(" of {key}"),
                    [key, rest @ ..] => format!(" of {key} and {} more", rest.len()),
                };
                write!(
                    f,
                    "The last operation in the journal has no outcome: {}{keys} on {} at {} was sent or about to be, and \
                     its process ended. Look at the cluster",
                    intent.action, intent.cluster, intent.at
                )
            }
            Self::OutcomeNotWritten { folder, outcome, error } => write!(
                f,
                "The outcome ({outcome}) could not be written to the journal in {} ({error}): it has the intent only",
                folder.display()
            ),
        }
    }
}

/// Reason why no journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The cluster is a practice cluster, of which nothing is recorded.
    Practice,
    /// KEYBEARER_JOURNAL says `off`.
    SwitchedOff,
    /// The system names no folder for a user's data.
    NoPlace,
}

impl NotKept {
    /// Describes the reason, and the way out where there is one.
    pub fn words(self) -> &'static str {
        match self {
            Self::Practice => "Nothing of what is done on a practice cluster is written down",
            Self::SwitchedOff => {
                "KEYBEARER_JOURNAL is set to off, so nothing of what is done here is written down. Unset it, or let it \
                 name a folder, and start again"
            }
            Self::NoPlace => {
                "This system names no folder for a user's data, so nothing of what is done here is written down. Name \
                 a folder by KEYBEARER_JOURNAL, and start again"
            }
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { folder: Err(NotKept::Practice), markers: None, watcher: None }
    }
}

/// End of the chain, where the next entry is added.
struct End {
    file: PathBuf,
    length: u64,
    sequence: u64,
    hash: String,
    /// Hash that the last line names as the one before it; empty where no line can be read.
    previous: String,
    torn: Option<String>,
    /// `true` if the file ends with an unfinished line that stays.
    is_unfinished: bool,
    /// Damage at the end of the journal.
    damage: Option<FaultyLine>,
    /// Last line, if it is an intent.
    open: Option<Read>,
}

impl Journal {
    /// The journal in the folder that KEYBEARER_JOURNAL names, or none where that says `off`; otherwise in the folder
    /// that the system has for this user's data.
    pub fn from_environment() -> Self {
        let dirs = directories::ProjectDirs::from("", "", "keybearer");
        let state = dirs.as_ref().map(|dirs| dirs.state_dir().unwrap_or(dirs.data_local_dir()).join("journals"));
        let own = dirs.map(|dirs| dirs.data_local_dir().join("journal"));
        let journal = Self::chosen(std::env::var_os("KEYBEARER_JOURNAL"), own);
        match state {
            Some(state) => journal.with_markers(state),
            None => journal,
        }
    }

    fn chosen(named: Option<OsString>, of_this_user: Option<PathBuf>) -> Self {
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

    /// Returns the journal with warnings handed to `warn` at once. Damage is reported once.
    pub fn watched(self, warn: impl Fn(Warning) + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Watcher { warn: Arc::new(warn), has_reported: Arc::default() }), ..self }
    }

    /// Folder of the journal; `None` when no journal is kept.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().ok()
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

    /// Adds an entry, and returns when it is on the disk. Without a folder nothing is written.
    ///
    /// # Errors
    /// Any error of the file system, and `WouldBlock` when another process holds the lock for longer than
    /// [`LOCK_WAIT`]; then no part of the entry stays behind.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let Some(folder) = self.folder() else { return Ok(()) };
        own_files::make_folder(folder)?;
        let _lock = lock(&folder.join("lock"), LOCK_WAIT)?;
        let end = self.end(folder, entry.at)?;
        let number = end.sequence.checked_add(1).ok_or_else(|| io::Error::other("its numbers are used up"))?;
        self.warn_of(&end, entry);
        let damage = end.damage.as_ref().filter(|damage| damage.is_covered_by_writing()).map(FaultyLine::to_string);
        let line = match (&end.torn, damage) {
            (None, None) => entry.line(number, &end.hash),
            (torn, damage) => Entry { torn: torn.clone(), damage, ..entry.clone() }.line(number, &end.hash),
        };
        let is_new = !end.file.exists();
        let mut file = own_files::options().create(true).truncate(false).write(true).open(&end.file)?;
        file.set_len(end.length)?;
        file.seek(SeekFrom::End(0))?;
        let head =
            Head { sequence: number, hash: journal::verify::read(&line).map(|read| read.hash).unwrap_or_default() };
        let unfinished = if end.is_unfinished { "\n" } else { "" };
        let written = file
            .write_all(format!("{unfinished}{line}\n").as_bytes())
            .and_then(|()| file.sync_data())
            .and_then(|()| if is_new { own_files::sync_folder(folder) } else { Ok(()) })
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

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Journal {
    /// Finds where the next entry goes: behind the last whole line of the newest file, or into the file of its month.
    fn end(&self, folder: &Path, at: Millis) -> io::Result<End> {
        let files = files(folder)?;
        let month = folder.join(format!("journal-{}.jsonl", calendar::month(at)));
        let (sequence, hash) = (0, BEGINNING.to_owned());
        let mut end = End {
            file: month,
            length: 0,
            sequence,
            hash,
            previous: String::new(),
            torn: None,
            is_unfinished: false,
            damage: None,
            open: None,
        };
        for (age, file) in files.iter().rev().enumerate() {
            let (lines, torn) = tail(file)?;
            if age == 0 {
                end.is_unfinished = matches!(torn, Torn::TooLong);
                end.torn = if let Torn::Line(line) = torn { Some(line) } else { None };
                // A clock that was set back does not begin an older month.
                if *file >= end.file || end.torn.is_some() || end.is_unfinished {
                    end.file.clone_from(file);
                    end.length = lines.end;
                }
                if end.is_unfinished {
                    end.damage = Some(FaultyLine { file: file.clone(), line: 0, fault: Fault::Unfinished });
                }
            }
            if let Some(line) = lines.last {
                match journal::verify::read(&line) {
                    Ok(read) => {
                        (end.sequence, end.hash) = (read.sequence, read.hash.clone());
                        end.previous = read.previous().to_owned();
                        end.open = read.is_intent().then_some(read);
                    }
                    // A line that was tampered with: the chain continues, and the fault remains in it.
                    Err(fault) => {
                        end.hash.clear();
                        end.damage.get_or_insert(FaultyLine { file: file.clone(), line: 0, fault });
                    }
                }
                break;
            }
        }
        self.compare_records(folder, &files, &mut end);
        Ok(end)
    }

    /// Compares the end of the entries with the records of the last one. Entries that are in a record but not in the
    /// files were removed: the chain continues behind them, so that the gap remains.
    fn compare_records(&self, folder: &Path, files: &[PathBuf], end: &mut End) {
        let head = head::read(folder);
        let marker = self.markers.as_ref().and_then(|markers| markers.read(folder));
        let last = end.sequence;
        let is_readable = end.damage.is_none();
        let previous = std::mem::take(&mut end.previous);
        let mut damage = |file: &Path, fault| {
            end.damage.get_or_insert(FaultyLine { file: file.to_owned(), line: 0, fault });
        };
        match &head {
            Some(head) if head.sequence > last && is_readable => {
                damage(folder, Fault::CutShort { written: head.sequence });
            }
            Some(head) if is_readable && check::is_behind(head.sequence, last) => {
                damage(&head::path(folder), Fault::HeadStale { named: head.sequence, last });
            }
            Some(head) if head.sequence == last && head.hash != end.hash && is_readable => {
                damage(&head::path(folder), Fault::HeadDiffers);
            }
            // A crash leaves the head one behind: then the last entry follows the one that it names.
            Some(head) if head.sequence.checked_add(1) == Some(last) && head.hash != previous && is_readable => {
                damage(&head::path(folder), Fault::HeadDiffers);
            }
            None if last > 1 => damage(&head::path(folder), Fault::HeadMissing),
            _ => {}
        }
        if let Some(marker) = &marker {
            if marker.sequence > last.max(head.as_ref().map_or(0, |head| head.sequence)) {
                damage(folder, Fault::Gone { written: marker.sequence });
            } else if marker.sequence == last && marker.hash != end.hash && is_readable {
                damage(folder, Fault::Rewritten { written: marker.sequence });
            } else if marker.sequence < last && is_readable && !holds(files, marker) {
                // Others may have added entries since, but what this user wrote stays where it was.
                damage(folder, Fault::Rewritten { written: marker.sequence });
            }
        }
        let furthest = [head, marker].into_iter().flatten().max_by_key(|record| record.sequence);
        if let Some(record) = furthest.filter(|record| record.sequence > end.sequence) {
            (end.sequence, end.hash) = (record.sequence, record.hash);
        }
    }
}

/// Returns `true` if the entry that a record names is in the files, which are searched from the newest on. A file that
/// can't be read counts as one that has it: the check of the journal reports that file.
fn holds(files: &[PathBuf], record: &Head) -> bool {
    let end = format!(",\"hash\":\"{}\"}}", record.hash);
    let is_it = |line: &[u8]| {
        line.ends_with(end.as_bytes())
            && std::str::from_utf8(line)
                .is_ok_and(|line| journal::verify::read(line).is_ok_and(|read| read.sequence == record.sequence))
    };
    files.iter().rev().any(|file| {
        let mut found = false;
        let read = check::each_line(file, |line| found |= line.is_some_and(is_it));
        found || read.is_err()
    })
}

/// Returns `true` while the process that wrote an entry is running; `None` where that can't be determined: on another
/// machine, for entries of older versions, and on systems without `/proc`.
pub fn is_running(entry: &Read, host: &str) -> Option<bool> {
    let process = entry.process.filter(|_| entry.host == host)?;
    let processes = Path::new("/proc");
    (process == std::process::id())
        .then_some(true)
        .or_else(|| processes.join("self").exists().then(|| processes.join(process.to_string()).exists()))
}

struct Tail {
    /// Offset where the next entry begins: the end of the last whole line, or of the file where what follows that line
    /// stays.
    end: u64,
    last: Option<String>,
}

/// Content behind the last line end of a file.
enum Torn {
    /// No bytes.
    None,
    /// An unfinished line, as left by a crash.
    Line(String),
    /// More than [`MAX_TORN_BYTES`] bytes.
    TooLong,
}

/// Reads the last whole line of a file, and what follows it without a line end.
fn tail(path: &Path) -> io::Result<(Tail, Torn)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut size = TAIL_BYTES;
    loop {
        let from = length.saturating_sub(size);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(length - from).read_to_end(&mut bytes)?;
        let last_end = memchr::memrchr(b'\n', &bytes);
        let before = last_end.and_then(|at| memchr::memrchr(b'\n', &bytes[..at]));
        // No entry is so long that more has to be read for its beginning.
        if from > 0 && before.is_none() && bytes.len() <= check::MAX_LINE_BYTES + MAX_TORN_BYTES {
            size *= 4;
            continue;
        }
        let whole = last_end.map_or(0, |at| at + 1);
        let rest = &bytes[whole..];
        let torn = match rest.len() {
            0 => Torn::None,
            length if length > MAX_TORN_BYTES => Torn::TooLong,
            _ => Torn::Line(String::from_utf8_lossy(rest).into_owned()),
        };
        let start = before.map_or(0, |at| at + 1);
        let last = last_end.map(|at| String::from_utf8_lossy(&bytes[start..at]).into_owned());
        let end = if matches!(torn, Torn::TooLong) { length } else { from + whole as u64 };
        return Ok((Tail { end, last }, torn));
    }
}

#[cfg(test)]
mod tests;
