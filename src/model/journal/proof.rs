//! Proofs about a journal that can be checked without it: that an entry is in it, and that an earlier checkpoint is its
//! beginning. The first is in the form of c2sp.org/tlog-proof, with the entry as the extra data; the second is in that
//! of a request to a witness (c2sp.org/tlog-witness).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Read,
    checkpoint::{CheckpointError, SignedCheckpoint},
    merkle::{self, Hash, MAX_PROOF},
    verify,
};
use crate::model::text::hex;

/// Size limit of a proof in bytes; a longer text is none. An entry that updates 10,000 keys has some 300 kB.
pub const MAX_BYTES: usize = 96 << 20;

const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";
const OLD: &str = "old ";

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// That an entry is in the journal that the checkpoint is of.
    Inclusion {
        /// The line of the entry.
        line: String,
        /// Number of entries before it.
        index: u64,
        /// Hashes, from the leaf to the root.
        hashes: Vec<Hash>,
        /// Text of the checkpoint.
        checkpoint: String,
    },
    /// That an earlier checkpoint is of the beginning of the journal that the checkpoint is of.
    Consistency {
        /// Number of entries of the earlier checkpoint.
        old: u64,
        /// Hashes, from the leaves to the root.
        hashes: Vec<Hash>,
        /// Text of the later checkpoint.
        checkpoint: String,
    },
}

/// Reason why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Text that is no proof.
    #[error("It is not a proof: {0}")]
    NotAProof(&'static str),
    /// Proof whose checkpoint is none.
    #[error("Its checkpoint can’t be read: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Entry that is not as it was written.
    #[error("Its entry {0}")]
    Entry(verify::Fault),
    /// Hashes that don't lead to the root of the checkpoint.
    #[error("Its hashes do not lead to the checkpoint: the entry is not in that journal, or the proof was changed")]
    Wrong,
    /// Hashes that don't connect the two checkpoints.
    #[error(
        "Its hashes do not connect the two checkpoints: the journal was rewritten in between, or one of the files was \
         changed"
    )]
    Inconsistent,
    /// Proof of consistency that was given without the earlier checkpoint, or with one that it is not for.
    #[error("It is a proof for an earlier checkpoint of {0} entries, which has to be given with it")]
    NoOld(u64),
}

impl Proof {
    /// Returns the text of the proof.
    pub fn text(&self) -> String {
        let (head, hashes, checkpoint) = match self {
            Self::Inclusion { line, index, hashes, checkpoint } => {
                let head = format!("{INCLUSION}\n{EXTRA}{}\n{INDEX}{index}\n", STANDARD.encode(line));
                (head, hashes, checkpoint)
            }
            Self::Consistency { old, hashes, checkpoint } => (format!("{OLD}{old}\n"), hashes, checkpoint),
        };
        let hashes: String = hashes.iter().map(|hash| format!("{}\n", STANDARD.encode(hash))).collect();
        format!("{head}{hashes}\n{checkpoint}")
    }

    /// Reads a proof. What it shows is verified by [`Proof::verify`].
    ///
    /// # Errors
    /// [`ProofError::NotAProof`].
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let wrong = ProofError::NotAProof;
        if text.len() > MAX_BYTES {
            return Err(wrong("it is too large"));
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(wrong("it has no empty line before a checkpoint"))?;
        let checkpoint = checkpoint.to_owned();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let hashes = |lines: std::str::Lines<'_>| -> Result<Vec<Hash>, ProofError> {
            let mut hashes = Vec::new();
            for line in lines {
                let hash = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
                hashes.push(hash.ok_or(wrong("a line is not a hash of 32 bytes in base64"))?);
                if hashes.len() > MAX_PROOF {
                    return Err(wrong("it has too many hashes"));
                }
            }
            Ok(hashes)
        };
        if let Some(old) = first.strip_prefix(OLD) {
            let old = number(Some(old)).ok_or(wrong("its first line has no number of entries"))?;
            return Ok(Self::Consistency { old, hashes: hashes(lines)?, checkpoint });
        }
        if first != INCLUSION {
            return Err(wrong("its first line is neither “c2sp.org/tlog-proof@v1” nor “old” and a number"));
        }
        let extra =
            lines.next().and_then(|line| line.strip_prefix(EXTRA)).and_then(|extra| STANDARD.decode(extra).ok());
        let line = extra.and_then(|bytes| String::from_utf8(bytes).ok());
        let line = line.ok_or(wrong("its second line is not “extra” and an entry in base64"))?;
        let index = number(lines.next().and_then(|line| line.strip_prefix(INDEX)));
        let index = index.ok_or(wrong("its third line is not “index” and a number"))?;
        Ok(Self::Inclusion { line, index, hashes: hashes(lines)?, checkpoint })
    }

    /// Verifies the proof, and returns its checkpoint and, for a proof of inclusion, the entry. Signatures are verified
    /// by the caller, who knows whose keys to trust. A proof of consistency needs the earlier checkpoint.
    ///
    /// # Errors
    /// Returns what is wrong.
    pub fn verify(&self, old: Option<&SignedCheckpoint>) -> Result<(SignedCheckpoint, Option<Read>), ProofError> {
        match self {
            Self::Inclusion { line, index, hashes, checkpoint } => {
                let signed = SignedCheckpoint::read(checkpoint)?;
                let entry = verify::read(line).map_err(ProofError::Entry)?;
                let leaf = leaf(&entry.hash).ok_or(ProofError::Wrong)?;
                let root = merkle::root_of_inclusion(&leaf, *index, signed.checkpoint.size, hashes);
                if root == Some(signed.checkpoint.root) { Ok((signed, Some(entry))) } else { Err(ProofError::Wrong) }
            }
            Self::Consistency { old: size, hashes, checkpoint } => {
                let new = SignedCheckpoint::read(checkpoint)?;
                let old = old.filter(|old| old.checkpoint.size == *size).ok_or(ProofError::NoOld(*size))?;
                let is_same_log = old.checkpoint.origin == new.checkpoint.origin;
                let (before, after) = (&old.checkpoint, &new.checkpoint);
                let fits = merkle::is_consistent(before.size, &before.root, after.size, &after.root, hashes);
                if is_same_log && fits { Ok((new, None)) } else { Err(ProofError::Inconsistent) }
            }
        }
    }
}

/// Returns the leaf of an entry with this hash; `None` if the text is no hash.
pub fn leaf(hash: &str) -> Option<Hash> {
    let bytes: Hash = hex::decode(hash)?.try_into().ok()?;
    Some(merkle::leaf(&bytes))
}
