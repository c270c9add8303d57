//! Checks of a journal: the chain from its beginning, the records of its last entry, and open operations.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    checkpoints::{KeptCheckpoint, is_signed},
    faulty_line::FaultyLine,
    folder::Journal,
    head::{self, Head},
    keyring::Keys,
    lines::{each_block, files},
    remembered::{Past, Remembered},
};
use crate::{
    model::{
        Timestamp,
        journal::{
            self, Read,
            checkpoint::Checkpoint,
            merkle::{self, Frontier, Hash},
            proof,
            ssh_signature::SshSignature,
            verify::{Checker, Fault},
        },
        text::hex,
    },
    store::vault::VaultError,
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
    /// How the message authentication codes stand.
    pub codes: Codes,
    /// Tree over all lines.
    pub tree: Frontier,
    /// Hash of the first entry, by which the journal is told from others; `None` if there is none.
    pub first: Option<String>,
    /// The newest checkpoint that fits the entries and is signed with a key of the keyring; `None` if there is none.
    pub checkpoint: Option<Checkpoint>,
    /// Number of lines of past months that were not read again, and the time at which they were; `None` if everything
    /// was read.
    pub remembered: Option<(usize, Timestamp)>,
    /// Time of the first entry as it is written; `None` if there is none.
    pub first_at: Option<String>,
}

impl Report {
    /// Returns `true` if every line is as it was written, in its place, and none is missing.
    pub fn is_whole(&self) -> bool {
        self.fault_count == 0
    }

    /// Begins behind past months.
    fn begin_behind(&mut self, known: &Remembered, files: usize, tree: Frontier) {
        let [valid, other_key, none_before, none_after] = known.codes;
        self.codes = Codes { valid, other_key, none_before, none_after, ..Codes::default() };
        (self.files, self.lines, self.tree) = (files, known.lines, tree);
        (self.first, self.first_at) = (known.first.clone(), known.first_at.clone());
        self.remembered = Some((known.lines, Timestamp::from_millis(known.at)));
    }

    /// Returns what is known of these files, which were just read; `None` if something is wrong with them.
    fn past(&self, files: &[PathBuf], checker: &Checker) -> Option<Remembered> {
        self.is_whole().then(|| {
            Remembered::of(
                files,
                &Past {
                    lines: self.lines,
                    checker,
                    codes: &self.codes,
                    tree: &self.tree,
                    first: self.first.as_ref(),
                    first_at: self.first_at.as_ref(),
                },
            )
        })?
    }

    fn add(&mut self, file: &Path, line: usize, fault: Fault) {
        self.fault_count += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(FaultyLine { file: file.to_owned(), line, fault });
        }
    }
}

/// How the message authentication codes of a journal's entries stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Number of entries with a valid code.
    pub valid: usize,
    /// Number of entries with a code of a key that is not in this keyring, so that it can't be checked.
    pub other_key: usize,
    /// Number of entries without a code before the first one that has one: they are of an older version, or of a time
    /// without a keyring.
    pub none_before: usize,
    /// Number of entries without a code after the first one that has one: they were written where the keyring could not
    /// be reached, or by something else.
    pub none_after: usize,
    /// Reason why no code could be checked; `None` if the keyring was read, or no entry has a code.
    pub unread: Option<VaultError>,
    /// Names of the keyring's entries about journals that are damaged. They are left as they are.
    pub damaged: Vec<String>,
}

impl Codes {
    fn take(&mut self, standing: Standing) {
        let has_begun = self.valid + self.other_key > 0;
        match standing {
            Standing::Valid => self.valid += 1,
            Standing::OtherKey => self.other_key += 1,
            Standing::None if has_begun => self.none_after += 1,
            Standing::None => self.none_before += 1,
            Standing::Forged => {}
        }
    }
}

/// How the code of one entry stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Valid,
    Forged,
    OtherKey,
    None,
}

/// A line that was read by itself, before its place in the chain is checked.
struct ReadLine<'a> {
    text: &'a str,
    read: Result<Read, Fault>,
    standing: Standing,
    leaf: Hash,
}

impl<'a> ReadLine<'a> {
    fn new(line: Option<&'a [u8]>, keys: &Keys) -> Self {
        let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
        let read = journal::verify::read(text);
        let mac = read.as_ref().ok().and_then(|entry| entry.mac.as_ref());
        let standing = match mac.map(|mac| (mac, keys.get(&mac.key))) {
            None => Standing::None,
            Some((_, None)) => Standing::OtherKey,
            Some((mac, Some(key))) if key.has_made(mac) => Standing::Valid,
            Some(_) => Standing::Forged,
        };
        // A line that is no entry has its place in the tree, too.
        let leaf = read.as_ref().ok().and_then(|entry| proof::leaf(&entry.hash));
        let leaf = leaf.unwrap_or_else(|| merkle::leaf(&Sha256::digest(line.unwrap_or_default()).into()));
        Self { text, read, standing, leaf }
    }
}

/// What a journal is compared with besides its own chain.
struct Expected {
    head: Option<Head>,
    is_head_seen: bool,
    outside: Vec<(Head, bool)>,
    checkpoints: Vec<KeptCheckpoint>,
}

impl Expected {
    /// Returns `true` if everything that the journal is compared with is behind its past months, or is known of them.
    fn can_begin_behind(&self, known: &Remembered, wanted: &HashSet<u64>) -> bool {
        let (end, _) = known.end();
        let mut records = self.head.iter().chain(self.outside.iter().map(|(record, _)| record));
        records.all(|record| record.sequence >= end)
            && wanted.iter().all(|size| *size > known.lines as u64 || known.root(*size).is_some())
    }

    fn see(&mut self, hash: &str) {
        self.is_head_seen |= self.head.as_ref().is_some_and(|head| head.hash == hash);
        for (record, is_seen) in &mut self.outside {
            *is_seen |= record.hash == hash;
        }
    }
}

impl Journal {
    /// Reads everything, hands each line that is an entry to `take`, and reports what is wrong.
    ///
    /// # Errors
    /// Returns an error if a file can't be read.
    pub fn check(&self, take: impl FnMut(&Read, &str)) -> io::Result<Report> {
        self.pass(None, take, |_| ())
    }

    /// Checks as [`Journal::check`] does, and returns the leaves of the tree over all lines, too.
    ///
    /// # Errors
    /// Returns an error if a file can't be read.
    pub fn leaves(&self) -> io::Result<(Report, Vec<Hash>)> {
        let mut leaves = Vec::new();
        let report = self.pass(None, |_, _| (), |leaf| leaves.push(*leaf))?;
        Ok((report, leaves))
    }

    /// Checks the newest month, and takes past months for what an earlier check has found them to be if their files have
    /// the same size and time since; [`Report::remembered`] tells. Everything is checked where anything is wrong or not
    /// known.
    ///
    /// # Errors
    /// Returns an error if a file can't be read.
    pub fn check_recent(&self) -> io::Result<Report> {
        if let Some(remembered) = self.remembered() {
            let report = self.pass(Some(remembered), |_, _| (), |_| ())?;
            if report.is_whole() {
                return Ok(report);
            }
        }
        self.check(|_, _| ())
    }

    fn remembered(&self) -> Option<Remembered> {
        Remembered::read(&self.markers.as_ref()?.remembered_path(self.folder()?))
    }

    /// Reads the files, those behind the past months if these are `known`.
    fn pass(
        &self,
        known: Option<Remembered>,
        mut take: impl FnMut(&Read, &str),
        mut take_leaf: impl FnMut(&Hash),
    ) -> io::Result<Report> {
        let Some(folder) = self.folder() else { return Ok(Report::default()) };
        // The records of the last entry first: entries that are added meanwhile are no fault.
        let (outside, damaged) = self.outside_records(folder);
        let outside = outside.into_iter().map(|record| (record, false)).collect();
        let checkpoints = self.checkpoints()?;
        let mut expected = Expected { head: head::read(folder), is_head_seen: false, outside, checkpoints };
        let wanted: HashSet<u64> = (expected.checkpoints.iter())
            .filter_map(|kept| kept.signed.as_ref().map(|signed| signed.checkpoint.size))
            .collect();
        let files = files(folder)?;
        let known = known.filter(|known| expected.can_begin_behind(known, &wanted));
        let known = known.and_then(|known| Some((known.fits(&files)?, known.tree()?, known)));
        let mut report = Report::default();
        let mut roots: HashMap<u64, Hash> = HashMap::from([(0, report.tree.root())]);
        let mut checker = Checker::default();
        let mut skipped = 0;
        if let Some((count, tree, known)) = known {
            skipped = count;
            checker = known.checker();
            expected.see(checker.hash());
            roots.extend(wanted.iter().filter_map(|size| Some((*size, known.root(*size)?))));
            report.begin_behind(&known, count, tree);
        }
        report.codes.damaged.extend(damaged);
        let keys = self.keys(&mut report);
        let mut last_line = (folder.to_owned(), 0);
        let mut past = None;
        for (place, file) in files.iter().enumerate().skip(skipped) {
            if place > 0 && place + 1 == files.len() {
                past = report.past(files.get(..place).unwrap_or_default(), &checker);
            }
            report.files += 1;
            let mut number = 0;
            each_block(file, |lines| {
                let read: Vec<ReadLine<'_>> = lines.par_iter().map(|line| ReadLine::new(*line, &keys)).collect();
                for line in read {
                    number += 1;
                    report.lines += 1;
                    report.tree.push(line.leaf);
                    take_leaf(&line.leaf);
                    if wanted.contains(&report.tree.size()) {
                        roots.insert(report.tree.size(), report.tree.root());
                    }
                    if let Ok(entry) = &line.read {
                        report.first.get_or_insert_with(|| entry.hash.clone());
                        report.first_at.get_or_insert_with(|| entry.at.clone());
                        report.codes.take(line.standing);
                        expected.see(&entry.hash);
                        take(entry, line.text);
                    }
                    let is_forged = line.standing == Standing::Forged;
                    match checker.take(line.read) {
                        Some(fault) => report.add(file, number, fault),
                        None if is_forged => report.add(file, number, Fault::Forged),
                        None => {}
                    }
                }
            })?;
            last_line = (file.clone(), number);
        }
        expected.compare(folder, &last_line, checker.sequence(), &mut report);
        expected.compare_checkpoints(&roots, &keys, &mut report);
        report.open = checker.open();
        report.codes.unread = report.codes.unread.take().filter(|_| report.codes.other_key > 0);
        if let Some(past) = past.filter(|_| report.is_whole() && report.codes.unread.is_none()) {
            self.remember(folder, past, &expected, &report);
        }
        Ok(report)
    }

    /// Takes down what is known of the past months. Where it can't be written, the next start reads everything.
    fn remember(&self, folder: &Path, mut past: Remembered, expected: &Expected, report: &Report) {
        let Some(markers) = &self.markers else { return };
        let fitting = expected.checkpoints.iter().filter_map(|kept| kept.signed.as_ref());
        past.roots = (fitting.filter(|signed| signed.checkpoint.size <= past.lines as u64))
            .map(|signed| (signed.checkpoint.size, hex::encode(&signed.checkpoint.root)))
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        past.at = report.remembered.map_or(i64::try_from(now).unwrap_or(i64::MAX), |(_, at)| at.as_millis());
        let _ = past.write(&markers.remembered_path(folder));
    }

    /// Returns the keys in the keyring; none, with the reason in the report, where it can't be read.
    fn keys(&self, report: &mut Report) -> Keys {
        let Some(keyring) = &self.keyring else { return Keys::new() };
        match keyring.keys() {
            Ok((keys, damaged)) => {
                report.codes.damaged.extend(damaged);
                keys
            }
            Err(error) => {
                report.codes.unread = Some(error);
                Keys::new()
            }
        }
    }
}

impl Expected {
    /// Compares the end of the chain with the records of the last entry.
    fn compare(&self, folder: &Path, last_line: &(PathBuf, usize), last: u64, report: &mut Report) {
        match &self.head {
            Some(head) if !self.is_head_seen && last < head.sequence => {
                report.add(&last_line.0, last_line.1, Fault::CutShort { written: head.sequence });
            }
            Some(_) if !self.is_head_seen && report.is_whole() => {
                report.add(&head::path(folder), 0, Fault::HeadDiffers);
            }
            // The head is written after the entry, so a crash may leave it one behind. Entries that were added since
            // it was read have moved it on.
            Some(head) if self.is_head_seen && report.is_whole() && head::is_behind(head.sequence, last) => {
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
        // One fault for both records: they mostly say the same.
        let gone = self.outside.iter().map(|(record, _)| record.sequence).max().filter(|written| last < *written);
        let rewritten = self.outside.iter().find(|(record, is_seen)| last >= record.sequence && !is_seen);
        match (gone, rewritten) {
            // A shorter chain was reported by the head already.
            (Some(written), _) if self.head.as_ref().is_none_or(|head| head.sequence <= last) => {
                report.add(folder, 0, Fault::Gone { written });
            }
            (None, Some((record, _))) if report.is_whole() => {
                report.add(folder, 0, Fault::Rewritten { written: record.sequence });
            }
            _ => {}
        }
    }

    /// Compares the tree over the entries with the checkpoints.
    fn compare_checkpoints(&self, roots: &HashMap<u64, Hash>, keys: &Keys, report: &mut Report) {
        for KeptCheckpoint { file, signed, text, signature } in &self.checkpoints {
            let has_other = |signature: &String| {
                let signature = SshSignature::read(signature);
                signature.is_none_or(|signature| signature.verify(text.as_bytes()).is_err())
            };
            let Some(signed) = signed.as_ref().filter(|_| !signature.as_ref().is_some_and(has_other)) else {
                report.add(file, 0, Fault::CheckpointForged);
                continue;
            };
            let checkpoint = &signed.checkpoint;
            if is_signed(signed, keys) == Some(false) {
                report.add(file, 0, Fault::CheckpointForged);
            } else if roots.get(&checkpoint.size) != Some(&checkpoint.root) {
                report.add(file, 0, Fault::CheckpointDiffers { size: checkpoint.size });
            } else if is_signed(signed, keys).is_some()
                && report.checkpoint.as_ref().is_none_or(|newest| newest.size <= checkpoint.size)
            {
                report.checkpoint = Some(checkpoint.clone());
            }
        }
    }
}
