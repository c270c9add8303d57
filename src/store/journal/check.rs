//! Checks of a journal: the chain from its beginning, the records of its last entry, and open operations.

use std::{io, path::Path};

use super::{
    faulty_line::FaultyLine,
    folder::Journal,
    head,
    lines::{each_line, files},
};
use crate::model::journal::{
    self, Read,
    verify::{Checker, Fault},
};

/// Maximum number of faults that a check lists; further ones are only counted.
pub const MAX_FAULTS: usize = 1000;

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
            Some(head) if head_seen && report.is_whole() && head::is_behind(head.sequence, last) => {
                let now = head::read(folder).map_or(0, |head| head.sequence);
                if head::is_behind(now, last) {
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
