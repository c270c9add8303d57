//! Checks of a journal: the chain from its beginning, the records of its last entry, and open operations.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::{Journal, files, head};
use crate::model::journal::{
    self, Read,
    verify::{Checker, Fault},
};

/// Size limit of a line that is taken for an entry, in bytes. An update of 10,000 keys takes some 300 kB.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

/// Maximum number of faults that a check lists; further ones are only counted.
pub const MAX_FAULTS: usize = 1000;

/// A fault and its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyLine {
    /// The file, or the folder where the journal as a whole is at fault.
    pub file: PathBuf,
    /// The line of the file, from 1; 0 where the file or folder as a whole is at fault.
    pub line: usize,
    /// The fault itself.
    pub fault: Fault,
}

impl FaultyLine {
    /// Returns `true` for a fault of the records of the last entry, which the next entry replaces; other faults stay in
    /// the files.
    pub(super) fn is_covered_by_writing(&self) -> bool {
        matches!(
            self.fault,
            Fault::HeadMissing | Fault::HeadStale { .. } | Fault::HeadDiffers | Fault::Rewritten { .. }
        )
    }
}

impl fmt::Display for FaultyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.line {
            0 => write!(f, "{file} {}", self.fault),
            line => write!(f, "{file}, line {line} {}", self.fault),
        }
    }
}

/// The result of checking a journal.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Number of lines.
    pub lines: usize,
    /// Number of files.
    pub files: usize,
    /// The first [`MAX_FAULTS`] faults, from the beginning.
    pub faults: Vec<FaultyLine>,
    /// Number of all faults.
    pub fault_count: usize,
    /// Intents without an outcome.
    pub open: Vec<Read>,
}

impl Report {
    /// Returns `true` if every line is as it was written, in its place, and none is missing.
    pub fn is_whole(&self) -> bool {
        self.fault_count == 0
    }

    fn add(&mut self, file: &Path, line: usize, fault: Fault) {
        self.fault_count += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(FaultyLine { file: file.to_owned(), line, fault });
        }
    }
}

impl Journal {
    /// Reads everything, hands each line that is an entry to `take`, and reports what is wrong.
    ///
    /// # Errors
    /// Returns an error if a file can't be read.
    pub fn check(&self, mut take: impl FnMut(&Read, &str)) -> io::Result<Report> {
        let Some(folder) = self.folder() else { return Ok(Report::default()) };
        // The records of the last entry first: entries that are added meanwhile are no fault.
        let marker = self.markers.as_ref().and_then(|markers| markers.read(folder));
        let head = head::read(folder);
        let (mut head_seen, mut marker_seen) = (false, false);
        let mut report = Report::default();
        let mut checker = Checker::default();
        let mut last_line = (folder.to_owned(), 0);
        for file in files(folder)? {
            report.files += 1;
            let mut number = 0;
            each_line(&file, |line| {
                number += 1;
                report.lines += 1;
                let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
                let read = journal::verify::read(text);
                if let Ok(entry) = &read {
                    head_seen |= head.as_ref().is_some_and(|head| head.hash == entry.hash);
                    marker_seen |= marker.as_ref().is_some_and(|marker| marker.hash == entry.hash);
                    take(entry, text);
                }
                if let Err(fault) = checker.follow(read) {
                    report.add(&file, number, fault);
                }
            })?;
            last_line = (file, number);
        }
        let last = checker.sequence();
        match &head {
            Some(head) if !head_seen && last < head.sequence => {
                report.add(&last_line.0, last_line.1, Fault::CutShort { written: head.sequence });
            }
            Some(_) if !head_seen && report.is_whole() => report.add(&head::path(folder), 0, Fault::HeadDiffers),
            // The head is written after the entry, so a crash may leave it one behind. Entries that were added since
            // it was read have moved it on.
            Some(head) if head_seen && report.is_whole() && is_behind(head.sequence, last) => {
                let now = head::read(folder).map_or(0, |head| head.sequence);
                if is_behind(now, last) {
                    report.add(&head::path(folder), 0, Fault::HeadStale { named: now, last });
                }
            }
            None if last > 1 && head::read(folder).is_none() => {
                report.add(&head::path(folder), 0, Fault::HeadMissing);
            }
            _ => {}
        }
        match &marker {
            // A shorter chain was reported by the head already.
            Some(marker) if last < marker.sequence && head.as_ref().is_none_or(|head| head.sequence <= last) => {
                report.add(folder, 0, Fault::Gone { written: marker.sequence });
            }
            Some(marker) if last >= marker.sequence && !marker_seen && report.is_whole() => {
                report.add(folder, 0, Fault::Rewritten { written: marker.sequence });
            }
            _ => {}
        }
        report.open = checker.open();
        Ok(report)
    }
}

/// Returns `true` if a head is further behind the last entry than a crash between the two writes leaves it.
pub(super) fn is_behind(head: u64, last: u64) -> bool {
    head.saturating_add(1) < last
}

/// Hands each line without its end to `take`; `None` for one that is too long or whose end is missing.
pub(super) fn each_line(file: &Path, mut take: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(file)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        match line.strip_suffix(b"\n") {
            Some(whole) => take(Some(whole)),
            None => {
                take(None);
                if line.len() > MAX_LINE_BYTES {
                    reader.skip_until(b'\n')?;
                }
            }
        }
    }
}
