//! Reading the journal for a person: verifying it, listing the operations on all keys or on one, and exporting a part
//! of it to a new file. These calls block.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{checkpoint, signers::Signer};
use crate::{
    export::csv::{no_formula, write_error},
    model::{
        Timestamp,
        api_key::KeyId,
        journal::{
            Read,
            checkpoint::Checkpoint,
            operation::{Operation, Operations},
        },
        text::number::thousands,
        time::calendar,
    },
    ops::{Problem, keys::export::refused},
    store::journal::{Codes, FaultyLine, Journal, NotKept, Report},
};

/// Result of verifying the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Folder of the journal; `None` if none is kept.
    pub folder: Option<PathBuf>,
    /// Reason why no journal is kept; `None` if one is.
    pub not_kept: Option<NotKept>,
    /// Number of lines in the journal.
    pub lines: u64,
    /// Number of files in the journal.
    pub files: usize,
    /// First few faults, in the order of the journal.
    pub faults: Vec<FaultyLine>,
    /// Total number of faults, including those that are not in `faults`.
    pub fault_count: usize,
    /// Number of operations that have no outcome.
    pub open: usize,
    /// How the message authentication codes of the entries stand.
    pub codes: Codes,
    /// The newest checkpoint that fits the entries and is signed with a key of the keyring; `None` if there is none.
    pub checkpoint: Option<Checkpoint>,
    /// Number of entries of past months that were not read again, and the time at which they were verified; `None` if
    /// everything was read.
    pub remembered: Option<(u64, Timestamp)>,
}

impl Verification {
    fn new(journal: &Journal, report: &Report) -> Self {
        Self {
            folder: journal.folder().map(Path::to_owned),
            not_kept: journal.not_kept(),
            lines: report.lines as u64,
            files: report.files,
            faults: report.faults.clone(),
            fault_count: report.fault_count,
            open: report.open.len(),
            codes: report.codes.clone(),
            checkpoint: report.checkpoint.clone(),
            remembered: report.remembered.map(|(lines, at)| (lines as u64, at)),
        }
    }

    /// Returns the result in one line: `10,234 entries verified, chain intact`, or the number of faults.
    pub fn words(&self) -> String {
        let entries = entries(self.lines);
        match self.fault_count {
            0 if self.lines == 0 => "No entries yet".into(),
            0 => match self.remembered {
                None => format!("{entries} verified, chain intact"),
                Some((past, at)) => format!(
                    "{entries}, chain intact; {} of past months as verified on {}",
                    thousands(past),
                    calendar::rfc3339(at).get(..10).unwrap_or_default()
                ),
            },
            1 => format!("{entries}, 1 fault"),
            more => format!("{entries}, {} faults", thousands(more as u64)),
        }
    }

    /// Returns a message about the first fault, with its file and line and what to do; `None` if there is no fault.
    pub fn fault_words(&self) -> Option<String> {
        let first = self.faults.first()?;
        let place = format!("{first}.");
        let rest = match self.fault_count.saturating_sub(1) {
            0 => String::new(),
            1 => " There is one more.".into(),
            more => format!(" There are {} more.", thousands(more as u64)),
        };
        Some(format!(
            "{place}{rest} New entries are chained as before. Keep these files unchanged, compare them with a backup \
             or with the shipped entries, and find out who changed them; “keybearer journal verify” lists every fault"
        ))
    }
}

/// Describes how the message authentication codes of a journal's entries stand, in one line.
pub fn codes_words(codes: &Codes) -> String {
    let words = standing_of_codes(codes);
    match codes.damaged.as_slice() {
        [] => words,
        names => format!(
            "{words}; damaged in the keyring, and left as it is: {}. Find out what changed it, and remove it there: \
             Keybearer writes it anew",
            names.join(", ")
        ),
    }
}

fn standing_of_codes(codes: &Codes) -> String {
    let Codes { valid, other_key, none_before, none_after, unread, damaged: _ } = codes;
    if let Some(error) = unread {
        return format!("HMAC not checked: {error}. {}", error.way_out());
    }
    let count = |number: usize| thousands(number as u64);
    if valid + other_key == 0 {
        return "No entry has an HMAC: anyone who can write to the folder can compute a new chain".into();
    }
    let mut words = format!("{} with a valid HMAC of the key in the keyring", entries(*valid as u64));
    if *other_key > 0 {
        words.push_str(&format!("; {} with a key that is not in this keyring, not checked", count(*other_key)));
    }
    if *none_before > 0 {
        words.push_str(&format!("; {} before the first one has none", count(*none_before)));
    }
    if *none_after > 0 {
        words.push_str(&format!(
            "; {} after it have none: they were written where the keyring could not be reached, or by something else",
            count(*none_after)
        ));
    }
    words
}

/// Formats a number of entries: `1 entry`, `10,234 entries`.
pub fn entries(count: u64) -> String {
    if count == 1 { "1 entry".into() } else { format!("{} entries", thousands(count)) }
}

/// All operations in the journal, with the result of verifying it.
#[derive(Clone, Debug, Default)]
pub struct JournalLog {
    /// Result of verifying the whole journal.
    pub standing: Verification,
    /// All operations, newest first.
    pub operations: Arc<[Operation]>,
}

/// Operations on one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Reason why no journal is kept; `None` if one is.
    pub not_kept: Option<NotKept>,
    /// Operations on the key, newest first, up to the number asked for.
    pub operations: Vec<Operation>,
    /// `true` if there are older operations.
    pub more: bool,
    /// Number of entries that name the key and are not intact.
    pub broken: usize,
}

/// Verifies the whole hash chain.
///
/// # Errors
/// Returns an error if a file can't be read.
pub fn check(journal: &Journal) -> Result<Verification, Problem> {
    let (report, ()) = checked(journal, || (), |(), _, _| ())?;
    Ok(Verification::new(journal, &report))
}

/// Verifies the newest month, at the start of the program and when a day (UTC) has ended; past months only if they are
/// not known to be as they were when they were verified. Signs a checkpoint if one is due at this time.
///
/// # Errors
/// Returns an error if a file can't be read.
pub fn check_recent(journal: &Journal, now: Timestamp) -> Result<Verification, Problem> {
    let recent = journal.check_recent().map_err(|error| unreadable(journal, &error))?;
    let report = if recent.is_whole() { recent } else { checked(journal, || (), |(), _, _| ())?.0 };
    let mut standing = Verification::new(journal, &report);
    // Where there is no keyring, there is no checkpoint; the journal says so wherever it says how it stands.
    if let Ok(Some(made)) = checkpoint::make_if_due(journal, &report, now, &Signer::Journal) {
        standing.checkpoint = Some(made.checkpoint);
    }
    Ok(standing)
}

/// Reads all operations, and verifies the journal in the same pass.
///
/// # Errors
/// Returns an error if a file can't be read.
pub fn read(journal: &Journal) -> Result<JournalLog, Problem> {
    let (report, operations) =
        checked(journal, Operations::default, |operations, entry, _| operations.take(entry.clone()))?;
    Ok(JournalLog { standing: Verification::new(journal, &report), operations: operations.newest_first().into() })
}

/// Verifies the journal, and a second time after a pause if there is a fault: another program may just be writing, and
/// a partly written line is no fault. Passes each entry and its line to `take`, with a value that `begin` creates anew
/// for each pass.
///
/// # Errors
/// Returns an error if a file can't be read.
pub fn checked<T>(
    journal: &Journal,
    begin: impl Fn() -> T,
    take: impl Fn(&mut T, &Read, &str),
) -> Result<(Report, T), Problem> {
    const PAUSE: Duration = Duration::from_millis(200);
    let once = || -> Result<(Report, T), Problem> {
        let mut taken = begin();
        let report =
            journal.check(|entry, line| take(&mut taken, entry, line)).map_err(|error| unreadable(journal, &error))?;
        Ok((report, taken))
    };
    let first = once()?;
    if first.0.is_whole() {
        return Ok(first);
    }
    std::thread::sleep(PAUSE);
    once()
}

/// Reads the operations on a key, newest first, at most `most` of them. The chain as a whole is not verified.
///
/// # Errors
/// Returns an error if a file can't be read.
pub fn of_key(journal: &Journal, key: &KeyId, most: usize) -> Result<History, Problem> {
    let failed = |error: io::Error| unreadable(journal, &error);
    let mut found: Vec<Read> = Vec::new();
    let needle = format!("\"{key}\"");
    // Each operation has two entries at most.
    let broken = journal.naming(&needle, |entry| {
        if entry.is_about(key.as_str()) {
            found.push(entry);
        }
        if found.len() > 2 * most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let broken = broken.map_err(failed)?;
    for intent in found.clone().iter().filter(|entry| entry.is_intent()) {
        if found.iter().any(|entry| entry.intent.as_ref() == Some(&intent.id)) {
            continue;
        }
        // An outcome may leave out the key that was meant.
        let needle = format!("\"intent\":\"{}\"", intent.id);
        let outcome = journal.naming(&needle, |entry| {
            let is_it = entry.intent.as_ref() == Some(&intent.id);
            if is_it {
                found.push(entry);
            }
            if is_it { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        outcome.map_err(failed)?;
    }
    found.sort_by_key(|entry| entry.sequence);
    let mut operations = Operations::default();
    found.into_iter().for_each(|entry| operations.take(entry));
    let mut operations = operations.newest_first();
    let more = operations.len() > most;
    operations.truncate(most);
    Ok(History { not_kept: journal.not_kept(), operations, more, broken })
}

pub(super) fn unreadable(journal: &Journal, error: &io::Error) -> Problem {
    let place = journal.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
    Problem::new("The journal can’t be read", &format!("{place}: {error}"))
        .hint("Check the permissions of its folder, or choose another one with KEYBEARER_JOURNAL")
}

/// File format of an exported part of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalFormat {
    /// Entries exactly as they are in the journal.
    JsonLines,
    /// One operation per line, for a spreadsheet.
    Csv,
}

impl JournalFormat {
    /// Returns the display name.
    pub fn word(self) -> &'static str {
        match self {
            Self::JsonLines => "JSON lines",
            Self::Csv => "CSV",
        }
    }

    /// Returns the file extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// Export of operations to a new file.
#[derive(Clone, Debug)]
pub struct Export {
    /// Operations to export.
    pub operations: Vec<Operation>,
    /// File format.
    pub form: JournalFormat,
    /// Path of the new file; an existing file is never overwritten.
    pub path: PathBuf,
}

/// Writes the file and returns the number of operations in it. Leaves no file behind if it is stopped or fails.
///
/// # Errors
/// Returns an error if the file exists already or can't be written, if an entry is missing from the journal, or if the
/// export was stopped.
pub fn to_file(journal: &Journal, export: &Export, stop: &AtomicBool) -> Result<u64, Problem> {
    let path = &export.path;
    let file = File::options().write(true).create_new(true).open(path).map_err(|error| refused(path, &error))?;
    let mut out = BufWriter::new(file);
    let written = match export.form {
        JournalFormat::JsonLines => lines(journal, export, &mut out, stop),
        JournalFormat::Csv => csv(export, &mut out, stop),
    };
    let ended = written.and_then(|()| out.flush()).and_then(|()| out.get_ref().sync_all());
    ended.map(|()| export.operations.len() as u64).map_err(|error| {
        drop(out);
        // It is this call's own file, made a moment ago; one that can't be removed is named.
        let rest = fs::remove_file(path).err().map(|_| format!(". A partial export is in {}", path.display()));
        let mut problem = match error.kind() {
            io::ErrorKind::Interrupted => Problem::new("Stopped", "Nothing was exported"),
            io::ErrorKind::NotFound => {
                Problem::new("The journal has changed", &error.to_string()).hint("Read it again and check its faults")
            }
            _ => refused(path, &error),
        };
        problem.detail.push_str(&rest.unwrap_or_default());
        problem
    })
}

fn go_on(stop: &AtomicBool) -> io::Result<()> {
    if stop.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
}

fn lines(journal: &Journal, export: &Export, out: &mut impl Write, stop: &AtomicBool) -> io::Result<()> {
    let wanted: HashSet<u64> =
        export.operations.iter().flat_map(|operation| operation.entries.iter().copied()).collect();
    let mut missing = wanted.clone();
    let mut failed = Ok(());
    journal.check(|entry, line| {
        if failed.is_ok() && wanted.contains(&entry.sequence) {
            missing.remove(&entry.sequence);
            failed = go_on(stop).and_then(|()| writeln!(out, "{line}"));
        }
    })?;
    failed?;
    match missing.len() as u64 {
        0 => Ok(()),
        gone => {
            Err(io::Error::new(io::ErrorKind::NotFound, format!("{} that were shown no longer exist", entries(gone))))
        }
    }
}

/// Column names of the CSV file.
const HEAD: [&str; 14] = [
    "time",
    "action",
    "outcome",
    "user",
    "realm",
    "system_user",
    "host",
    "cluster",
    "address",
    "keys",
    "failed",
    "reason",
    "request",
    "entries",
];

fn csv(export: &Export, out: &mut impl Write, stop: &AtomicBool) -> io::Result<()> {
    let mut csv = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    csv.write_record(HEAD).map_err(write_error)?;
    for operation in &export.operations {
        go_on(stop)?;
        let failed: Vec<String> =
            operation.failed.iter().map(|failed| format!("{}: {}", failed.id, failed.reason)).collect();
        let numbers: Vec<String> = operation.entries.iter().map(u64::to_string).collect();
        let cells = [
            operation.written_at.as_str(),
            &operation.action,
            operation.ending.word(),
            &operation.user,
            &operation.realm,
            &operation.system_user,
            &operation.host,
            &operation.cluster,
            &operation.address,
            &operation.keys.join(" "),
            &failed.join("; "),
            operation.reason.as_deref().unwrap_or_default(),
            operation.request.as_deref().unwrap_or_default(),
            &numbers.join(" "),
        ];
        csv.write_record(cells.map(|cell| no_formula(cell).into_owned())).map_err(write_error)?;
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Timestamp,
        journal::{Action, Entry, Origin, Verdict, verify::Fault},
    };

    fn entry(number: usize, intent: Option<usize>, keys: &[&str]) -> Entry {
        Entry {
            at: Timestamp::from_millis(1_795_521_600_000 + number as i64),
            id: format!("e{number}"),
            action: Action::Update,
            intent: intent.map(|number| format!("e{number}")),
            verdict: if intent.is_some() { Verdict::Success } else { Verdict::Unknown },
            origin: Origin { username: "=ana".into(), ..Origin::default() },
            keys: keys.iter().map(|id| KeyId::new(*id)).collect(),
            failed: Vec::new(),
            request: None,
            reason: None,
            torn: None,
            damage: None,
        }
    }

    /// Ten changes of `k0` to `k4`, twice each, and one of `k0` and `k9` whose outcome names `k9` only.
    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("journal"));
        for number in 0..10 {
            let key = format!("k{}", number % 5);
            journal.append(&entry(2 * number, None, &[&key])).unwrap();
            journal.append(&entry(2 * number + 1, Some(2 * number), &[&key])).unwrap();
        }
        journal.append(&entry(20, None, &["k0", "k9"])).unwrap();
        journal.append(&entry(21, Some(20), &["k9"])).unwrap();
        (folder, journal)
    }

    #[test]
    fn the_history_of_a_key_has_the_newest_first_and_says_if_there_are_more() {
        let (_folder, journal) = journal();
        let history = of_key(&journal, &KeyId::new("k0"), 20).unwrap();
        let numbers: Vec<&[u64]> = history.operations.iter().map(|operation| operation.entries.as_slice()).collect();
        assert_eq!(numbers, [&[21, 22][..], &[11, 12], &[1, 2]]);
        assert!(!history.more && history.broken == 0);
        let short = of_key(&journal, &KeyId::new("k0"), 2).unwrap();
        assert_eq!((short.operations.len(), short.more), (2, true));
        assert!(of_key(&journal, &KeyId::new("k"), 20).unwrap().operations.is_empty());
        assert_eq!(of_key(&Journal::default(), &KeyId::new("k0"), 20).unwrap().not_kept, Some(NotKept::Practice));
    }

    #[test]
    fn a_fault_is_told_with_its_file_and_line_and_a_way_out() {
        let (_folder, journal) = journal();
        assert_eq!(read(&journal).unwrap().standing.words(), "22 entries verified, chain intact");
        assert_eq!(check(&journal).unwrap().fault_words(), None);
        let file = journal.files().unwrap().pop().unwrap();
        let text = fs::read_to_string(&file).unwrap().replace("\"e4\",\"kind\"", "\"e5\",\"kind\"");
        fs::write(&file, text).unwrap();
        let standing = check(&journal).unwrap();
        assert_eq!(standing.faults[0].fault, Fault::Changed);
        let words = standing.fault_words().unwrap();
        let place = format!("{}, line 5 was changed after it was written.", file.display());
        assert!(words.starts_with(&place) && words.contains("backup"), "{words}");
        assert_eq!(standing.words(), "22 entries, 1 fault");
    }

    #[test]
    fn a_line_that_is_just_being_written_is_no_fault() {
        let (_folder, journal) = journal();
        let file = journal.files().unwrap().pop().unwrap();
        let whole = fs::read_to_string(&file).unwrap();
        fs::write(&file, &whole[..whole.len() - 40]).unwrap();
        let reads = std::cell::Cell::new(0);
        let begin = || {
            reads.set(reads.get() + 1);
            if reads.get() == 2 {
                fs::write(&file, &whole).unwrap();
            }
        };
        let (report, ()) = checked(&journal, begin, |(), _, _| ()).unwrap();
        assert_eq!((report.is_whole(), report.lines, reads.get()), (true, 22, 2));
        assert!(!journal.check(|_, _| ()).unwrap().faults.iter().any(|fault| fault.line == 22));
    }

    #[test]
    fn a_part_is_written_as_it_is_or_for_a_spreadsheet_and_never_over_a_file() {
        let (folder, journal) = journal();
        let operations: Vec<Operation> = read(&journal).unwrap().operations.iter().take(2).cloned().collect();
        let lines = Export {
            operations: operations.clone(),
            form: JournalFormat::JsonLines,
            path: folder.path().join("a.jsonl"),
        };
        assert_eq!(to_file(&journal, &lines, &AtomicBool::new(false)).unwrap(), 2);
        let written = fs::read_to_string(&lines.path).unwrap();
        let whole = fs::read_to_string(journal.files().unwrap().pop().unwrap()).unwrap();
        assert!(whole.ends_with(&written) && written.lines().count() == 4, "{written}");
        let again = to_file(&journal, &lines, &AtomicBool::new(false)).unwrap_err();
        assert!(again.hint.contains("never overwritten"));

        let csv = Export { operations, form: JournalFormat::Csv, path: folder.path().join("a.csv") };
        to_file(&journal, &csv, &AtomicBool::new(false)).unwrap();
        let written = fs::read_to_string(&csv.path).unwrap();
        assert!(written.contains(",api-key-update,success,'=ana,"), "{written}");
        let stopped = Export { path: folder.path().join("b.csv"), ..csv };
        assert_eq!(to_file(&journal, &stopped, &AtomicBool::new(true)).unwrap_err().title, "Stopped");
        assert!(!stopped.path.exists());
        let gone = Operation { entries: vec![99], ..stopped.operations[0].clone() };
        let gone =
            Export { operations: vec![gone], form: JournalFormat::JsonLines, path: folder.path().join("c.jsonl") };
        assert!(to_file(&journal, &gone, &AtomicBool::new(false)).unwrap_err().detail.contains("1 entry"));
        assert!(!gone.path.exists());
    }
}
