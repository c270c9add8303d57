//! The journal in its folder: one file a month, which is only ever added to. Several programs may write at
//! the same time. It doesn't know what is in an entry.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _, Seek, SeekFrom, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::own_files;
use crate::model::{
    Millis, calendar,
    journal::{self, BEGINNING, Checker, Entry, Fault, Read},
};

/// A journal's folder, or why there is none. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal(Result<PathBuf, NotKept>);

/// Why no journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Nothing of a practice cluster is written down.
    Practice,
    /// KEYBEARER_JOURNAL says `off`.
    SwitchedOff,
    /// The system names no place for a user's data.
    NoPlace,
}

impl NotKept {
    /// The reason, and the way out where there is one.
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
        Self(Err(NotKept::Practice))
    }
}

/// The last entry that was written, beside the journal: so that a missing end is seen.
#[derive(Serialize, Deserialize)]
struct Head {
    sequence: u64,
    hash: String,
}

/// Where the chain goes on.
struct End {
    file: PathBuf,
    length: u64,
    sequence: u64,
    hash: String,
    torn: Option<String>,
}

/// A place with a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyLine {
    /// Which file.
    pub file: PathBuf,
    /// Which line of it, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What came of checking a journal.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many lines there are.
    pub lines: usize,
    /// In how many files.
    pub files: usize,
    /// Each place with a fault, from the beginning.
    pub faults: Vec<FaultyLine>,
    /// What was intended and has no outcome.
    pub open: Vec<Read>,
}

impl Report {
    /// Whether every line is as it was written, and in its place.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Journal {
    /// In the folder that KEYBEARER_JOURNAL names, or none where that says `off`; otherwise in the one that the
    /// system has for this user's data.
    pub fn from_environment() -> Self {
        let dirs = directories::ProjectDirs::from("", "", "keybearer");
        Self::chosen(std::env::var_os("KEYBEARER_JOURNAL"), dirs.map(|dirs| dirs.data_local_dir().join("journal")))
    }

    fn chosen(named: Option<OsString>, of_this_user: Option<PathBuf>) -> Self {
        match named {
            Some(place) if place == "off" => Self(Err(NotKept::SwitchedOff)),
            Some(place) if !place.is_empty() => Self::at(place.into()),
            _ => Self(of_this_user.ok_or(NotKept::NoPlace)),
        }
    }

    /// In a folder of one's own choice.
    pub fn at(folder: PathBuf) -> Self {
        Self(Ok(folder))
    }

    /// Where it is; `None` when nothing is kept.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_deref().ok()
    }

    /// Why nothing is kept; `None` where something is.
    pub fn not_kept(&self) -> Option<NotKept> {
        self.0.as_ref().err().copied()
    }

    /// Adds an entry, and returns when it is on the disk. Without a folder nothing is kept.
    ///
    /// # Errors
    /// Whatever the disk says; then no part of the entry stays behind.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let Ok(folder) = &self.0 else { return Ok(()) };
        own_files::make_folder(folder)?;
        let lock = own_files::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.lock()?;
        let end = end(folder, entry.at)?;
        let number = end.sequence + 1;
        let line = match &end.torn {
            Some(torn) => Entry { torn: Some(torn.clone()), ..entry.clone() }.line(number, &end.hash),
            None => entry.line(number, &end.hash),
        };
        let mut file = own_files::options().create(true).truncate(false).write(true).open(&end.file)?;
        file.set_len(end.length)?;
        file.seek(SeekFrom::End(0))?;
        let written = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What can't be taken back is told as torn when the next entry comes.
            let _ = file.set_len(end.length);
            return Err(error);
        }
        let hash = journal::read(&line).map(|read| read.hash).unwrap_or_default();
        write_head(folder, &Head { sequence: number, hash })
    }

    /// The files, the oldest first.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        self.folder().map_or(Ok(Vec::new()), files)
    }

    /// Reads everything, gives each line that is an entry to `take`, and tells what is wrong.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn check(&self, mut take: impl FnMut(&Read, &str)) -> io::Result<Report> {
        let Ok(folder) = &self.0 else { return Ok(Report::default()) };
        // The head first: what is added meanwhile is no fault.
        let head = read_head(folder);
        let mut report = Report::default();
        let mut checker = Checker::default();
        let mut head_seen = head.is_none();
        for file in files(folder)? {
            report.files += 1;
            let bytes = fs::read(&file)?;
            for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
                report.lines += 1;
                let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
                let read = journal::read(text);
                if let Ok(entry) = &read {
                    head_seen |= head.as_ref().is_some_and(|head| head.hash == entry.hash);
                    take(entry, text);
                }
                if let Err(fault) = checker.follow(read) {
                    report.faults.push(FaultyLine { file: file.clone(), line: at + 1, fault });
                }
            }
        }
        if let Some(head) = head.filter(|_| !head_seen)
            && checker.sequence() < head.sequence
        {
            let file = files(folder)?.pop().unwrap_or_else(|| folder.clone());
            let line = fs::read(&file).map(|bytes| memchr::memchr_iter(b'\n', &bytes).count()).unwrap_or_default();
            report.faults.push(FaultyLine { file, line, fault: Fault::CutShort { written: head.sequence } });
        }
        report.open = checker.open();
        Ok(report)
    }

    /// The entries that name a text, such as the id of a key, the newest first, until `take` has enough and says
    /// so. Only lines with the text in them are looked at, each by itself: where it stands in the chain is the
    /// business of [`Journal::check`]. How many of them are not as they were written.
    ///
    /// # Errors
    /// When a file can't be read.
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
                match std::str::from_utf8(&bytes[start..stop]).map(journal::read) {
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

/// Where the next entry goes: behind the last whole line of the newest file, or into the file of its month.
fn end(folder: &Path, at: Millis) -> io::Result<End> {
    let files = files(folder)?;
    let month = folder.join(format!("journal-{}.jsonl", calendar::month(at)));
    let mut end = End { file: month, length: 0, sequence: 0, hash: BEGINNING.into(), torn: None };
    for (age, file) in files.iter().rev().enumerate() {
        let (lines, torn) = tail(file)?;
        if age == 0 {
            end.torn = torn;
            // A clock that was set back does not begin an older month.
            if *file >= end.file || end.torn.is_some() {
                end.file.clone_from(file);
                end.length = lines.end;
            }
        }
        if let Some(line) = lines.last {
            match journal::read(&line) {
                Ok(read) => (end.sequence, end.hash) = (read.sequence, read.hash),
                // A line that was tampered with: the chain goes on, and the fault stays where it is.
                Err(_) => {
                    (end.sequence, end.hash) =
                        read_head(folder).map_or((0, String::new()), |head| (head.sequence, head.hash))
                }
            }
            break;
        }
    }
    Ok(end)
}

struct Tail {
    /// Where the last whole line ends.
    end: u64,
    last: Option<String>,
}

/// The last whole line of a file, and what comes behind it without a line end.
fn tail(path: &Path) -> io::Result<(Tail, Option<String>)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut size = 1 << 16;
    loop {
        let from = length.saturating_sub(size);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(length - from).read_to_end(&mut bytes)?;
        let last_end = memchr::memrchr(b'\n', &bytes);
        let before = last_end.and_then(|at| memchr::memrchr(b'\n', &bytes[..at]));
        if from > 0 && before.is_none() {
            size *= 4;
            continue;
        }
        let whole = last_end.map_or(0, |at| at + 1);
        let rest = &bytes[whole..];
        let torn = (!rest.is_empty()).then(|| String::from_utf8_lossy(rest).into_owned());
        let start = before.map_or(0, |at| at + 1);
        let last = last_end.map(|at| String::from_utf8_lossy(&bytes[start..at]).into_owned());
        return Ok((Tail { end: from + whole as u64, last }, torn));
    }
}

fn read_head(folder: &Path) -> Option<Head> {
    serde_json::from_str(&fs::read_to_string(folder.join("head.json")).ok()?).ok()
}

fn write_head(folder: &Path, head: &Head) -> io::Result<()> {
    let new = folder.join("head.new");
    let mut file = own_files::options().create(true).truncate(true).write(true).open(&new)?;
    file.write_all(serde_json::to_string(head)?.as_bytes())?;
    fs::rename(new, folder.join("head.json"))
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
