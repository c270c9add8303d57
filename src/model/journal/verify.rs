//! Reading of journal lines, and verification of the chain of their hashes.

use crate::model::journal::{BEGINNING, FailedKey, HASH_LENGTH, Read, Wire, WireFailed, hash};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Fault found in a line of a journal, or in the journal as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Line that is no journal entry: it is cut off, or is not JSON with the members of an entry.
    Unreadable,
    /// End of a file that is no complete line and is longer than what a crash leaves.
    Unfinished,
    /// Line whose content does not match its own hash: it was changed after it was written.
    Changed,
    /// Line that does not follow the line before it: lines were removed, added or moved between the two.
    OutOfPlace {
        /// Sequence number that should have come.
        expected: u64,
        /// Sequence number that the line has.
        found: u64,
    },
    /// End of the journal at which lines are missing.
    CutShort {
        /// Sequence number of the last line that was written.
        written: u64,
    },
    /// Outcome whose intent is in no line before it.
    NoIntent,
    /// Entry that reports damage found before it was written.
    Damage(String),
    /// Record of the last entry, kept beside the entries, that is missing or can't be read.
    HeadMissing,
    /// Record of the last entry that is older than a crash explains.
    HeadStale {
        /// Sequence number of the entry that the record names.
        named: u64,
        /// Sequence number of the last line.
        last: u64,
    },
    /// Record of the last entry that names an entry that is not in the chain: the chain was rewritten.
    HeadDiffers,
    /// Entries that this user's Keybearer wrote into this folder and that are missing: files, or the whole folder, are
    /// gone.
    Gone {
        /// Sequence number of the last entry that was written.
        written: u64,
    },
    /// Last entry that this user's Keybearer wrote into this folder and that is not in the chain: the chain was
    /// rewritten.
    Rewritten {
        /// Sequence number of that entry.
        written: u64,
    },
    /// Message authentication code that was not made with the key it names.
    Forged,
    /// Checkpoint of this journal that the entries do not fit: they were rewritten or removed since.
    CheckpointDiffers {
        /// Number of entries that the checkpoint has.
        size: u64,
    },
    /// Checkpoint whose signature is not valid, or that can't be read: it was changed.
    CheckpointForged,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable => f.write_str("is not an entry: it was cut off or overwritten"),
            Self::Unfinished => f.write_str("ends with something that is not an entry and was not left by a crash"),
            Self::Changed => f.write_str("was changed after it was written"),
            Self::OutOfPlace { expected, found } if expected == found => {
                f.write_str("does not follow from the entry before it")
            }
            Self::OutOfPlace { expected, found } => {
                write!(f, "is entry {found} where entry {expected} should be: entries were removed, added or moved")
            }
            Self::CutShort { written } => write!(f, "is the last one, but {written} entries were written"),
            Self::NoIntent => f.write_str("is an outcome without its intent: entries before it were removed"),
            Self::Damage(what) => write!(f, "reports damage that was found when it was written: {what}"),
            Self::HeadMissing => {
                f.write_str("is missing or can’t be read, so entries at the end may have been removed unnoticed")
            }
            Self::HeadStale { named, last } => write!(
                f,
                "names entry {named} as the last one, but there are {last}: it was replaced by an older one, or \
                 entries were added by something else"
            ),
            Self::HeadDiffers => f.write_str("names an entry that is not in the journal: the entries were rewritten"),
            Self::Gone { written } => {
                write!(
                    f,
                    "does not have all of the {written} entries that were written: files or the whole folder are \
                     missing"
                )
            }
            Self::Rewritten { written } => {
                write!(f, "has a different entry {written} than the one that was written: the entries were rewritten")
            }
            Self::Forged => f.write_str("has a wrong HMAC: it was not written with the key in the keyring"),
            Self::CheckpointDiffers { size } => {
                let entries = if *size == 1 { "entry was" } else { "entries were" };
                write!(
                    f,
                    "does not fit the journal, of which {size} {entries} signed: one of them was changed or removed \
                     afterwards"
                )
            }
            Self::CheckpointForged => f.write_str("is not a checkpoint with a valid signature: it was changed"),
        }
    }
}

/// Reads a line and checks it against its own hash. Does not check its position in the chain; [`Checker`] does.
///
/// # Errors
/// [`Fault::Unreadable`] or [`Fault::Changed`].
pub fn read(line: &str) -> Result<Read, Fault> {
    let (open, own) = line.rsplit_once(",\"hash\":\"").ok_or(Fault::Unreadable)?;
    let own = own.strip_suffix("\"}").filter(|own| own.len() == HASH_LENGTH).ok_or(Fault::Unreadable)?;
    let (hash, mac) = hash(open);
    if hash != own {
        return Err(Fault::Changed);
    }
    let wire: Wire = serde_json::from_str(line).map_err(|_| Fault::Unreadable)?;
    Ok(Read {
        at: wire.at,
        sequence: wire.event.sequence,
        id: wire.event.id,
        action: wire.event.action,
        outcome: wire.event.outcome,
        intent: wire.keybearer.intent,
        user: wire.user.name,
        realm: wire.user.domain,
        system_user: wire.process.user.name,
        system_user_id: wire.process.user.id,
        login_user_id: wire.keybearer.login_user,
        process: wire.process.pid,
        host: wire.host.hostname,
        cluster: wire.service.name.unwrap_or_else(|| wire.service.address.clone()),
        address: wire.service.address,
        cluster_uuid: wire.service.id,
        keys: wire.keybearer.keys,
        failed: (wire.keybearer.failed.into_iter())
            .map(|WireFailed { id, reason, unknown }| FailedKey { id, reason, is_unknown: unknown })
            .collect(),
        reason: wire.event.reason,
        request: wire.keybearer.request,
        damage: wire.keybearer.damage,
        mac,
        hash,
        previous: wire.keybearer.previous,
    })
}

fn short_hash(id: &str) -> u64 {
    Sha256::digest(id.as_bytes()).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Checks the lines of a journal in order, from the first one, and reports faults.
#[derive(Debug)]
pub struct Checker {
    previous: String,
    sequence: u64,
    /// `true` once a fault was found: the intent of a later outcome may have been in the damaged part, so that a
    /// missing intent is no longer reported.
    is_faulty: bool,
    open: BTreeMap<String, Read>,
    /// Hashes of the ids of intents that have an outcome. Two processes may each write an outcome for the same intent.
    closed: HashSet<u64>,
}

impl Default for Checker {
    fn default() -> Self {
        Self {
            previous: BEGINNING.into(),
            sequence: 0,
            is_faulty: false,
            open: BTreeMap::new(),
            closed: HashSet::new(),
        }
    }
}

impl Checker {
    /// Reads and checks the next line. After a fault the check continues from that line, so that each fault is reported
    /// once.
    ///
    /// # Errors
    /// Returns the fault of this line.
    pub fn next(&mut self, line: &str) -> Result<Read, Fault> {
        let line = read(line);
        self.take(line.clone()).map_or(line, Err)
    }

    /// Checks the next line, as [`read`] returned it, and keeps the entry as long as it is an intent without an outcome.
    /// Returns its fault.
    pub fn take(&mut self, line: Result<Read, Fault>) -> Option<Fault> {
        let fault = self.check(line).err();
        self.is_faulty |= fault.is_some();
        fault
    }

    fn check(&mut self, line: Result<Read, Fault>) -> Result<(), Fault> {
        let expected = self.sequence.saturating_add(1);
        let mut entry = line.inspect_err(|_| {
            // The next line can be checked only by its sequence number.
            self.sequence = expected;
            self.previous.clear();
        })?;
        let (sequence, damage) = (entry.sequence, entry.damage.take());
        let follows = entry.sequence == expected && (self.previous.is_empty() || entry.previous == self.previous);
        self.sequence = entry.sequence;
        self.previous.clone_from(&entry.hash);
        let has_intent = match &entry.intent {
            None => {
                entry.damage.clone_from(&damage);
                self.open.insert(entry.id.clone(), entry);
                true
            }
            Some(intent) => {
                let id = short_hash(intent);
                self.open.remove(intent).is_some() && self.closed.insert(id) || self.closed.contains(&id)
            }
        };
        if !follows {
            return Err(Fault::OutOfPlace { expected, found: sequence });
        }
        match damage {
            Some(damage) => Err(Fault::Damage(damage)),
            None if !has_intent && !self.is_faulty => Err(Fault::NoIntent),
            None => Ok(()),
        }
    }

    /// Returns a checker that goes on behind the entry with this sequence number and hash, with these intents open. An
    /// outcome of any other intent before them is then taken for one without an intent.
    pub fn behind(sequence: u64, hash: &str, open: Vec<Read>) -> Self {
        let open = open.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        Self { previous: hash.to_owned(), sequence, open, ..Self::default() }
    }

    /// Returns the hash of the last line; empty after a line that can't be read.
    pub fn hash(&self) -> &str {
        &self.previous
    }

    /// Returns the intents without an outcome up to here.
    pub fn open_entries(&self) -> impl Iterator<Item = &Read> {
        self.open.values()
    }

    /// Returns the sequence number of the last line; 0 before the first one.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the intents without an outcome, sorted by sequence number: the program was stopped between intent and
    /// outcome, or the request is still running.
    pub fn open(self) -> Vec<Read> {
        let mut open: Vec<Read> = self.open.into_values().collect();
        open.sort_by_key(|entry| entry.sequence);
        open
    }
}
