//! Checkpoints of the journal and proofs for single entries: what somebody else keeps, so that whoever can rewrite the
//! journal can't do it unseen. These calls block.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use super::{
    reader,
    recorder::host,
    signers::{self, Signer},
};
use crate::{
    model::{
        Timestamp,
        journal::{
            Read,
            allowed_signers::{self, AllowedSigners},
            checkpoint::{Checkpoint, CheckpointError, MAX_BYTES, SignedCheckpoint, VerifierKey, origin},
            merkle::{self, Hash},
            proof::{self, Proof},
            ssh_signature::{MAX_SIGNATURE_BYTES, Refusal, SshKey, Standing},
        },
        time::calendar,
    },
    ops::Problem,
    store::journal::{Journal, KeptCheckpoint, Report, signature_file},
};

/// A checkpoint that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Its text, to be kept by somebody else.
    pub text: String,
    /// File in the journal's folder.
    pub file: PathBuf,
    /// Key by which the signature in it is verified; the reason why it has none, which only one with an SSH signature
    /// can do without.
    pub key: Result<VerifierKey, String>,
    /// SSH signature beside it; `None` if it was signed with the journal's own key alone.
    pub ssh: Option<SshSigned>,
}

/// SSH signature that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSigned {
    /// Key that signed.
    pub key: SshKey,
    /// Text of the signature.
    pub text: String,
    /// File in the journal's folder.
    pub file: PathBuf,
}

/// Verifies the journal, and signs its size and root with its own key.
///
/// # Errors
/// As [`make_by`].
pub fn make(journal: &Journal, now: Timestamp) -> Result<Made, Problem> {
    make_by(journal, now, &Signer::Journal)
}

/// Verifies the journal, and has its size and root signed.
///
/// # Errors
/// Returns an error if the journal is empty, can't be read or has faults, if the signer does not sign, or if the
/// checkpoint can't be written.
pub fn make_by(journal: &Journal, now: Timestamp, signer: &Signer) -> Result<Made, Problem> {
    let (report, ()) = reader::checked(journal, || (), |(), _, _| ())?;
    sign(journal, &report, now, signer)
}

/// Signs a checkpoint if a day (UTC) has begun since the last one, or since the first entry, and there are new entries.
/// `report` is the result of verifying the journal just now. Returns `None` if none is due.
///
/// # Errors
/// As [`make_by`].
pub fn make_if_due(
    journal: &Journal,
    report: &Report,
    now: Timestamp,
    signer: &Signer,
) -> Result<Option<Made>, Problem> {
    let today = calendar::rfc3339(now);
    let day = |time: &str| time.get(..10).map(str::to_owned);
    let last = report.checkpoint.as_ref();
    let since = last.map_or(report.first_at.as_deref(), |checkpoint| checkpoint.time.as_deref());
    let is_over = since.is_none_or(|time| day(time) < day(&today));
    let is_new = report.tree.size() > last.map_or(0, |checkpoint| checkpoint.size);
    if is_over && is_new && report.is_whole() { sign(journal, report, now, signer).map(Some) } else { Ok(None) }
}

fn sign(journal: &Journal, report: &Report, now: Timestamp, signer: &Signer) -> Result<Made, Problem> {
    check_whole(report)?;
    let first = report.first.as_deref().ok_or_else(|| nothing(journal))?;
    let checkpoint = Checkpoint {
        origin: origin(&host(), first),
        size: report.tree.size(),
        root: report.tree.root(),
        time: Some(calendar::rfc3339(now)),
    };
    let (text, key) = match (journal.sign_checkpoint(&checkpoint), signer) {
        (Ok((text, key)), _) => (text, Ok(key)),
        (Err(error), Signer::Journal) => {
            return Err(not_made(&error.to_string())
                .hint("Its key is in the keyring: unlock it, start from a desktop session, or sign with an SSH key"));
        }
        (Err(error), _) => (checkpoint.note(), Err(error.to_string())),
    };
    let signed = signers::sign(signer, text.as_bytes())?;
    let file = journal.keep_checkpoint(checkpoint.size, &text, signed.as_ref().map(|(_, signature)| signature));
    let file = file.map_err(|error| {
        not_made(&error.to_string()).hint("Check the permissions of the journal’s folder, and the room on its disk")
    })?;
    let ssh = signed.map(|(key, signature)| SshSigned {
        key,
        text: signature.text().unwrap_or_default(),
        file: signature_file(&file),
    });
    Ok(Made { checkpoint, text, file, key, ssh })
}

pub(super) fn not_made(reason: &str) -> Problem {
    Problem::new("The checkpoint could not be made", reason)
}

/// Returns the public key by which this journal's checkpoints are verified.
///
/// # Errors
/// Returns an error if the journal is empty, or it or the keyring can't be read.
pub fn verifier_key(journal: &Journal) -> Result<VerifierKey, Problem> {
    let (report, ()) = reader::checked(journal, || (), |(), _, _| ())?;
    let first = report.first.as_deref().ok_or_else(|| nothing(journal))?;
    journal.verifier_key(&origin(&host(), first)).map_err(|error| {
        Problem::new("The key of the journal can’t be read", &error.to_string())
            .hint("It is in the keyring: unlock it, or start from a desktop session, and try again")
    })
}

/// Reads a checkpoint from a file.
///
/// # Errors
/// Returns an error if the file can't be read or is no checkpoint.
pub fn read(path: &Path) -> Result<SignedCheckpoint, Problem> {
    let text = text_of(path, MAX_BYTES)?;
    SignedCheckpoint::read(&text).map_err(|error| not_a_checkpoint(path, &error))
}

fn not_a_checkpoint(path: &Path, error: &CheckpointError) -> Problem {
    Problem::new(&format!("{} is not a checkpoint", path.display()), &error.to_string())
        .hint("Pass the file as it was printed when the checkpoint was made")
}

/// A checkpoint that was kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// File that it was read from, or id of its document.
    pub file: PathBuf,
    /// Its content.
    pub signed: SignedCheckpoint,
    /// What its SSH signature is worth; `None` if it has none, and nobody asked for one.
    pub ssh: Option<Standing>,
}

impl From<(PathBuf, SignedCheckpoint)> for Kept {
    fn from((file, signed): (PathBuf, SignedCheckpoint)) -> Self {
        Self { file, signed, ssh: None }
    }
}

/// Reads a checkpoint from a file, and its SSH signature from the file beside it, with `.sig` at the end of its name. With
/// signers that are allowed, it has to be signed by one of them.
///
/// # Errors
/// Returns an error if a file can't be read or the first is no checkpoint.
pub fn read_kept(path: &Path, allowed: Option<&AllowedSigners>, now: Timestamp) -> Result<Kept, Problem> {
    let text = text_of(path, MAX_BYTES)?;
    let beside = signature_file(path);
    let is_there = beside.try_exists().map_err(|error| {
        let title = format!("{} can’t be read", beside.display());
        Problem::new(&title, &error.to_string()).hint("Check the path and its permissions")
    })?;
    let signature = if is_there { Some(text_of(&beside, MAX_SIGNATURE_BYTES)?) } else { None };
    let read = if signature.is_some() { SignedCheckpoint::read_note } else { SignedCheckpoint::read };
    let signed = read(&text).map_err(|error| not_a_checkpoint(path, &error))?;
    let ssh = standing(&text, signature.as_deref(), allowed, now);
    Ok(Kept { file: path.to_owned(), signed, ssh })
}

/// Judges the SSH signature of a checkpoint's text.
pub(super) fn standing(
    text: &str,
    signature: Option<&str>,
    allowed: Option<&AllowedSigners>,
    now: Timestamp,
) -> Option<Standing> {
    match signature {
        Some(signature) => Some(Standing::of(text.as_bytes(), signature, allowed, now)),
        None => allowed.map(|_| Standing::Refused(Refusal::Missing)),
    }
}

/// Reads a file of allowed signers, or of public keys.
///
/// # Errors
/// Returns an error if the file can't be read or understood.
pub fn read_allowed(path: &Path) -> Result<AllowedSigners, Problem> {
    let text = text_of(path, allowed_signers::MAX_BYTES)?;
    AllowedSigners::read(&text, &TimeZone::system()).map_err(|error| {
        Problem::new(&format!("{} is not a file of allowed signers", path.display()), &error.to_string())
            .hint("One signer a line, as NAME TYPE KEY (ssh-keygen(1), ALLOWED SIGNERS), or a public key")
    })
}

/// A checkpoint compared with the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The file that it was read from.
    pub file: PathBuf,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// How it fits the journal.
    pub fit: Fit,
    /// `true` if its signature is valid, `false` if it is not; `None` if it is by a key that is not known here.
    pub is_signed: Option<bool>,
    /// What its SSH signature is worth; `None` if it has none, and nobody asked for one.
    pub ssh: Option<Standing>,
}

/// How a checkpoint fits a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The first entries of the journal are those that were signed.
    Same,
    /// Other first entries: they were rewritten since, or the checkpoint is of another journal of the same beginning.
    Differs,
    /// More entries than the journal has: some were removed since.
    Longer,
    /// A journal that begins with another entry: another one, or rewritten from its first entry on.
    OtherJournal,
}

impl Compared {
    /// Returns `true` if the checkpoint neither contradicts the journal nor has an invalid signature.
    pub fn is_good(&self) -> bool {
        let is_refused = matches!(self.ssh, Some(Standing::Refused(_)));
        self.fit == Fit::Same && self.is_signed != Some(false) && !is_refused
    }

    /// Describes the result in a sentence.
    pub fn words(&self) -> String {
        let Checkpoint { size, time, .. } = &self.checkpoint;
        let (file, entries) = (self.file.display(), reader::entries(*size));
        let made = time.as_ref().map(|time| format!(" of {time}")).unwrap_or_default();
        let fit = match self.fit {
            Fit::Same => format!("the first {entries} are those of the checkpoint{made}"),
            Fit::Differs => format!(
                "the first {entries} are not those of the checkpoint{made}: one of them was changed, added or removed \
                 since"
            ),
            Fit::Longer => {
                format!("the checkpoint{made} has {entries}, more than the journal: entries were removed since")
            }
            Fit::OtherJournal => format!(
                "the checkpoint{made} is of {}, which is another journal, or this one before it was rewritten from its \
                 first entry",
                self.checkpoint.origin
            ),
        };
        let signed = match (self.is_signed, &self.ssh) {
            (Some(true), _) => "its signature is valid",
            (Some(false), _) => "its signature is not valid",
            (None, Some(ssh)) => return format!("{file}: {fit}; {}", ssh.words()),
            (None, None) => "whether its signature is valid is not known: pass the key it was signed with",
        };
        let ssh = self.ssh.as_ref().map(|ssh| format!("; {}", ssh.words())).unwrap_or_default();
        format!("{file}: {fit}; {signed}{ssh}")
    }
}

/// Compares checkpoints that were kept elsewhere with the journal, and their signatures with a key that was kept
/// elsewhere, or with the keyring's own.
///
/// # Errors
/// Returns an error if the journal can't be read.
pub fn compare(
    journal: &Journal,
    kept: Vec<impl Into<Kept>>,
    key: Option<&VerifierKey>,
) -> Result<(Report, Vec<Compared>), Problem> {
    let (report, leaves) = all_leaves(journal)?;
    let compared = kept.into_iter().map(|kept| {
        let Kept { file, signed, ssh } = kept.into();
        let own = || journal.verifier_key(&signed.checkpoint.origin).ok();
        let is_signed = key.cloned().or_else(own).and_then(|key| signed.is_signed_by(&key));
        let checkpoint = signed.checkpoint;
        let is_ours = report.first.as_ref().is_some_and(|first| is_of(&checkpoint, first));
        let size = usize::try_from(checkpoint.size).ok().filter(|size| *size <= leaves.len());
        let fit = match size {
            _ if !is_ours => Fit::OtherJournal,
            None => Fit::Longer,
            Some(size) if leaves.get(..size).map(merkle::root) == Some(checkpoint.root) => Fit::Same,
            Some(_) => Fit::Differs,
        };
        Compared { file, checkpoint, fit, is_signed, ssh }
    });
    let compared = compared.collect();
    Ok((report, compared))
}

/// Returns `true` if the checkpoint names the journal with this first entry. A machine may have been renamed since.
pub(super) fn is_of(checkpoint: &Checkpoint, first: &str) -> bool {
    let of = |text: &str| text.rsplit('/').next().map(str::to_owned);
    of(&checkpoint.origin) == of(&origin("", first))
}

/// Entry to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Entry with this sequence number.
    Sequence(u64),
    /// Entry with this id.
    Id(String),
}

/// Proves that an entry is in the journal, for a checkpoint: this one, or the newest one in the journal's folder.
///
/// # Errors
/// Returns an error if there is no such entry, if no checkpoint contains it, or if the journal can't be read or does not
/// fit the checkpoint.
pub fn prove(journal: &Journal, wanted: &Wanted, checkpoint: Option<&Path>) -> Result<Proof, Problem> {
    let text = checkpoint_text(journal, checkpoint)?;
    let signed = SignedCheckpoint::read(&text).map_err(|error| wrong_checkpoint(&error.to_string()))?;
    let begin = || -> (u64, Option<(u64, String)>, Vec<Hash>) { (0, None, Vec::new()) };
    let (report, (_, found, _)) = reader::checked(journal, begin, |(count, found, _), entry, line| {
        let is_it = match wanted {
            Wanted::Sequence(sequence) => entry.sequence == *sequence,
            Wanted::Id(id) => entry.id == *id,
        };
        if is_it && found.is_none() {
            *found = Some((*count, line.to_owned()));
        }
        *count += 1;
    })?;
    check_whole(&report)?;
    let (index, line) = found.ok_or_else(|| {
        let what = match wanted {
            Wanted::Sequence(sequence) => format!("The journal has no entry {sequence}"),
            Wanted::Id(id) => format!("The journal has no entry with the id {id}"),
        };
        Problem::new(&what, "").hint("The list of the journal as JSON has the sequence number of each entry")
    })?;
    if index >= signed.checkpoint.size {
        let detail = format!("The checkpoint has {}", reader::entries(signed.checkpoint.size));
        return Err(Problem::new("The entry is newer than the checkpoint", &detail)
            .hint("Make a new checkpoint of the journal"));
    }
    let leaves = fitting(journal, &signed)?;
    let index_there = usize::try_from(index).unwrap_or(usize::MAX);
    let hashes = merkle::inclusion(&leaves, index_there).ok_or_else(Problem::broken)?;
    Ok(Proof::Inclusion { line, index, hashes, checkpoint: text })
}

/// Proves that an earlier checkpoint is of the beginning of the journal as a later one has it: this one, or the newest
/// one in the journal's folder.
///
/// # Errors
/// Returns an error if the journal can't be read or does not fit one of the two checkpoints.
pub fn prove_consistency(journal: &Journal, old: &Path, checkpoint: Option<&Path>) -> Result<Proof, Problem> {
    let old = read(old)?.checkpoint;
    let text = checkpoint_text(journal, checkpoint)?;
    let signed = SignedCheckpoint::read(&text).map_err(|error| wrong_checkpoint(&error.to_string()))?;
    if old.size > signed.checkpoint.size {
        let detail = format!(
            "The earlier one has {}, the later one {}",
            reader::entries(old.size),
            reader::entries(signed.checkpoint.size)
        );
        return Err(Problem::new("The checkpoints are in the wrong order", &detail)
            .hint("Make a new checkpoint of the journal"));
    }
    let leaves = fitting(journal, &signed)?;
    let size = usize::try_from(old.size).unwrap_or(usize::MAX);
    if leaves.get(..size).map(merkle::root) != Some(old.root) {
        return Err(differs(old.size));
    }
    let hashes = merkle::consistency(&leaves, size).ok_or_else(Problem::broken)?;
    Ok(Proof::Consistency { old: old.size, hashes, checkpoint: text })
}

/// What a proof shows.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The checkpoint that it leads to.
    pub checkpoint: Checkpoint,
    /// The entry that is in the journal; `None` for a proof that one checkpoint follows from another.
    pub entry: Option<Read>,
    /// `true` if the checkpoint's signature is valid, `false` if it is not; `None` if no key was given, or the signature
    /// is by another one.
    pub is_signed: Option<bool>,
}

/// Verifies a proof. Needs neither the journal nor a keyring.
///
/// # Errors
/// Returns an error if the file can't be read, or the proof shows nothing.
pub fn verify_proof(path: &Path, old: Option<&Path>, key: Option<&VerifierKey>) -> Result<Proved, Problem> {
    let refused = |error: &dyn std::fmt::Display| {
        Problem::new(&format!("{} proves nothing", path.display()), &error.to_string())
            .hint("Ask for the proof and its checkpoint again, as Keybearer wrote them")
    };
    let proof = Proof::read(&text_of(path, proof::MAX_BYTES)?).map_err(|error| refused(&error))?;
    let old = old.map(read).transpose()?;
    let (signed, entry) = proof.verify(old.as_ref()).map_err(|error| refused(&error))?;
    let is_signed = key.and_then(|key| signed.is_signed_by(key));
    Ok(Proved { checkpoint: signed.checkpoint, entry, is_signed })
}

/// Returns the leaves of all lines, with the result of the verification.
fn all_leaves(journal: &Journal) -> Result<(Report, Vec<Hash>), Problem> {
    // Damaged lines have a leaf, too, which only the check knows.
    journal.leaves().map_err(|error| reader::unreadable(journal, &error))
}

/// Returns the leaves that a checkpoint is of.
fn fitting(journal: &Journal, signed: &SignedCheckpoint) -> Result<Vec<Hash>, Problem> {
    let (report, mut leaves) = all_leaves(journal)?;
    check_whole(&report)?;
    let checkpoint = &signed.checkpoint;
    let size = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
    if leaves.get(..size).map(merkle::root) != Some(checkpoint.root) {
        return Err(differs(checkpoint.size));
    }
    leaves.truncate(size);
    Ok(leaves)
}

fn checkpoint_text(journal: &Journal, chosen: Option<&Path>) -> Result<String, Problem> {
    if let Some(path) = chosen {
        return text_of(path, MAX_BYTES);
    }
    let kept = journal.checkpoints().map_err(|error| reader::unreadable(journal, &error))?;
    // A proof holds the text of its checkpoint, and so the signature that is in it, but no SSH signature.
    let is_signed = |kept: &&KeptCheckpoint| kept.signed.as_ref().is_none_or(|signed| !signed.signatures.is_empty());
    let newest = kept.iter().rfind(is_signed).ok_or_else(|| {
        Problem::new("The journal has no checkpoint yet", "").hint("Make a checkpoint of the journal with its own key")
    })?;
    text_of(&newest.file, MAX_BYTES)
}

fn text_of(path: &Path, limit: usize) -> Result<String, Problem> {
    let failed = |reason: &str| {
        Problem::new(&format!("{} can’t be read", path.display()), reason).hint("Check the path and its permissions")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error.to_string()))?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| failed(&error.to_string()))?;
    if bytes.len() > limit {
        return Err(failed(&format!("It is larger than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("It is not text"))
}

fn check_whole(report: &Report) -> Result<(), Problem> {
    let Some(fault) = report.faults.first() else { return Ok(()) };
    Err(Problem::new("The journal failed verification", &fault.to_string())
        .hint("Verify the journal for a list of all faults, keep its files unchanged, and find out what changed them"))
}

fn nothing(journal: &Journal) -> Problem {
    let place = journal.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
    Problem::new("The journal has no entries yet", &place)
        .hint("Nothing has been recorded on this machine yet, or KEYBEARER_JOURNAL is set to another folder")
}

fn differs(size: u64) -> Problem {
    let detail = format!("Its first {} are not those that were signed", reader::entries(size));
    Problem::new("The journal does not fit the checkpoint", &detail).hint(
        "The checkpoint is of another journal, or entries were changed or removed since. Keep the files unchanged",
    )
}

fn wrong_checkpoint(reason: &str) -> Problem {
    Problem::new("The checkpoint can’t be read", reason).hint("Make a new checkpoint of the journal")
}
