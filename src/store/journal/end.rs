//! End of a journal, where the next entry is added: found, and compared with the records of the last entry.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    faulty_line::FaultyLine,
    head::{self, Head},
    lines::{Torn, each_line, files, tail},
};
use crate::model::{
    Timestamp,
    journal::{self, BEGINNING, Read, verify::Fault},
    time::calendar,
};

/// End of the chain, where the next entry is added.
pub(super) struct End {
    pub(super) file: PathBuf,
    pub(super) length: u64,
    pub(super) sequence: u64,
    pub(super) hash: String,
    /// Hash that the last line names as the one before it; empty where no line can be read.
    previous: String,
    pub(super) torn: Option<String>,
    /// `true` if the file ends with an unfinished line that stays.
    pub(super) is_unfinished: bool,
    /// Damage at the end of the journal.
    pub(super) damage: Option<FaultyLine>,
    /// `true` if a crash left the head one entry behind.
    pub(super) is_head_behind: bool,
    /// Last line, if it is an intent.
    pub(super) open: Option<Read>,
}

impl End {
    /// Finds where the next entry goes: behind the last whole line of the newest file, or into the file of its month.
    /// `outside` are records of the last entry that are not in the folder.
    pub(super) fn find(folder: &Path, outside: &[Head], at: Timestamp) -> io::Result<End> {
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
            is_head_behind: false,
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
        end.compare_records(folder, &files, outside);
        Ok(end)
    }

    /// Compares the end of the entries with the records of the last one. Entries that are in a record but not in the
    /// files were removed: the chain continues behind them, so that the gap remains.
    fn compare_records(&mut self, folder: &Path, files: &[PathBuf], outside: &[Head]) {
        let head = head::read(folder);
        let last = self.sequence;
        let is_readable = self.damage.is_none();
        let previous = std::mem::take(&mut self.previous);
        let mut damage = |file: &Path, fault| {
            self.damage.get_or_insert(FaultyLine { file: file.to_owned(), line: 0, fault });
        };
        match &head {
            Some(head) if head.sequence > last && is_readable => {
                damage(folder, Fault::CutShort { written: head.sequence });
            }
            Some(head) if is_readable && head::is_behind(head.sequence, last) => {
                damage(&head::path(folder), Fault::HeadStale { named: head.sequence, last });
            }
            Some(head) if head.sequence == last && head.hash != self.hash && is_readable => {
                damage(&head::path(folder), Fault::HeadDiffers);
            }
            // A crash leaves the head one behind: then the last entry follows the one that it names.
            Some(head) if head.sequence.checked_add(1) == Some(last) && head.hash != previous && is_readable => {
                damage(&head::path(folder), Fault::HeadDiffers);
            }
            None if last > 1 => damage(&head::path(folder), Fault::HeadMissing),
            _ => {}
        }
        for marker in outside {
            if marker.sequence > last.max(head.as_ref().map_or(0, |head| head.sequence)) {
                damage(folder, Fault::Gone { written: marker.sequence });
            } else if marker.sequence == last && marker.hash != self.hash && is_readable {
                damage(folder, Fault::Rewritten { written: marker.sequence });
            } else if marker.sequence < last && is_readable && !holds(files, marker) {
                // Others may have added entries since, but what this user wrote stays where it was.
                damage(folder, Fault::Rewritten { written: marker.sequence });
            }
        }
        self.is_head_behind = is_readable && head.as_ref().is_none_or(|head| head.sequence < last);
        let furthest = head.iter().chain(outside).max_by_key(|record| record.sequence);
        if let Some(record) = furthest.filter(|record| record.sequence > self.sequence) {
            (self.sequence, self.hash) = (record.sequence, record.hash.clone());
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
        let read = each_line(file, |line| found |= line.is_some_and(is_it));
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
