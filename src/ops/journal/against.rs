//! The journal compared with what was shipped to an index, where whoever can write the journal's folder can't change it
//! without rights of its own there.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use super::{
    checkpoint::{self, Compared, Kept},
    reader,
};
use crate::{
    client::{MAX_FOUND, ShippedEntry},
    model::journal::{
        BEGINNING,
        allowed_signers::AllowedSigners,
        checkpoint::{SignedCheckpoint, VerifierKey},
    },
    ops::{Problem, Session, clock},
    store::journal::{Journal, Report},
};

/// Number of sequence numbers that are asked for at once.
const WINDOW: u64 = 5000;
/// Maximum number of entries that are read from an index, of all journals in it.
const MAX_SHIPPED: usize = 5_000_000;
/// Maximum number of checkpoints that are compared, the newest first.
const MAX_CHECKPOINTS: usize = 1000;

/// Whose signatures of checkpoints count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trusted<'a> {
    /// Key for the signatures in them; `None` for the journal's own in the keyring.
    pub key: Option<&'a VerifierKey>,
    /// Signers for the SSH signatures beside them; `None` if whose these are is not asked.
    pub allowed: Option<&'a AllowedSigners>,
}

/// How a journal stands beside what was shipped.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Result of verifying the journal by itself.
    pub report: Report,
    /// Number of entries that the index has as the journal has them.
    pub same: u64,
    /// Number of entries that the index does not have after the last one that it has: they were not shipped yet.
    pub not_shipped: u64,
    /// Number of entries before that which the index does not have: they were not shipped, or were removed from it.
    pub missing_there: u64,
    /// Lowest sequence number of an entry that the index has behind an entry of this journal, and the journal does not:
    /// it was rewritten from there on, or cut off. `None` if there is none.
    pub differs_from: Option<u64>,
    /// Number of entries from this machine and user in the index that have nothing to do with any entry of the journal:
    /// they are of another journal, or of this one before its first entry was rewritten.
    pub unrelated: u64,
    /// Checkpoints in the index, compared with the journal.
    pub checkpoints: Vec<Compared>,
}

/// What a comparison says as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was shipped is in the journal as it was.
    Same,
    /// Something that was shipped is not in the journal, or the journal has faults.
    Differs,
    /// The index has nothing of this journal to compare with.
    NotKnown,
}

impl Comparison {
    /// Returns what it says as a whole.
    pub fn verdict(&self) -> Verdict {
        let are_good = self.checkpoints.iter().all(Compared::is_good);
        if !self.report.is_whole() || self.differs_from.is_some() || !are_good {
            Verdict::Differs
        } else if self.same > 0 || !self.checkpoints.is_empty() {
            Verdict::Same
        } else {
            Verdict::NotKnown
        }
    }

    /// Describes the result, a sentence for each line.
    pub fn lines(&self, index: &str) -> Vec<String> {
        let mut lines = vec![format!("{} in {index} are as they are in the journal", reader::entries(self.same))];
        if let Some(sequence) = self.differs_from {
            lines.push(format!(
                "{index} has an entry {sequence} of this journal that the journal itself does not have: it was \
                 rewritten or cut off from there on"
            ));
        }
        if self.not_shipped > 0 {
            lines.push(format!("{} at the end are not in {index} yet", reader::entries(self.not_shipped)));
        }
        if self.missing_there > 0 {
            lines.push(format!(
                "{} before the last shipped one are not in {index}: they were not shipped, or were removed there",
                reader::entries(self.missing_there)
            ));
        }
        if self.unrelated > 0 {
            lines.push(format!(
                "{} of this computer and user in {index} are of another journal, or of this one before its first entry \
                 was rewritten",
                reader::entries(self.unrelated)
            ));
        }
        lines.extend(self.checkpoints.iter().map(Compared::words));
        lines
    }
}

/// What is known of the journal in the folder.
#[derive(Default)]
struct Local {
    /// Sequence number of each entry by its hash.
    sequences: HashMap<String, u64>,
    origins: HashSet<(String, String)>,
    last: u64,
}

impl Local {
    /// Returns `true` if an entry is from a machine and user that the journal has entries of.
    fn is_own(&self, entry: &ShippedEntry) -> bool {
        self.origins.iter().any(|(host, user)| *host == entry.host && *user == entry.system_user)
    }
}

/// Verifies the journal and compares it with an index or data stream.
///
/// # Errors
/// Returns an error if the journal or the index can't be read.
pub async fn compare(
    session: &Session,
    journal: &Journal,
    index: &str,
    trusted: Trusted<'_>,
) -> Result<Comparison, Problem> {
    let (report, local) = {
        let journal = journal.clone();
        let checked = tokio::task::spawn_blocking(move || {
            reader::checked(&journal, Local::default, |local, entry, _| {
                local.sequences.insert(entry.hash.clone(), entry.sequence);
                if !local.origins.iter().any(|(host, user)| *host == entry.host && *user == entry.system_user) {
                    local.origins.insert((entry.host.clone(), entry.system_user.clone()));
                }
                local.last = local.last.max(entry.sequence);
            })
        });
        checked.await.unwrap_or_else(|_| Err(Problem::broken()))?
    };
    let shipped = shipped(session, index, local.last).await?;
    let mut comparison = compared(&local, &shipped);
    comparison.report = report;
    let checkpoints = checkpoints(comparison.report.first.as_deref(), shipped, trusted.allowed);
    if !checkpoints.is_empty() {
        let (journal, key) = (journal.clone(), trusted.key.cloned());
        let compared = tokio::task::spawn_blocking(move || checkpoint::compare(&journal, checkpoints, key.as_ref()));
        comparison.checkpoints = compared.await.unwrap_or_else(|_| Err(Problem::broken()))?.1;
    }
    Ok(comparison)
}

/// Reads everything that the index has up to behind the last entry of the journal.
async fn shipped(session: &Session, index: &str, last: u64) -> Result<Vec<ShippedEntry>, Problem> {
    let mut all = Vec::new();
    let (mut from, mut window) = (0, WINDOW);
    while from <= last {
        let until = from.saturating_add(window);
        let (found, total) = session.client.shipped_entries(index, &(from..until)).await?;
        if total > MAX_FOUND as u64 && window > 1 {
            window /= 2;
            continue;
        }
        if total > MAX_FOUND as u64 || all.len() > MAX_SHIPPED {
            let detail = format!("{index} holds more journals than can be told apart");
            return Err(Problem::new("The index can’t be compared", &detail).hint("Ship each machine to its own index"));
        }
        all.extend(found);
        from = until;
    }
    // What follows the end of the journal shows that it was cut off; the lowest numbers are enough.
    let (found, _) =
        session.client.shipped_entries(index, &(from..u64::try_from(i64::MAX).unwrap_or(u64::MAX))).await?;
    all.extend(found);
    Ok(all)
}

fn compared(local: &Local, shipped: &[ShippedEntry]) -> Comparison {
    // Each after the one that it names as the one before it.
    let mut entries: Vec<&ShippedEntry> = shipped.iter().filter(|entry| entry.previous.is_some()).collect();
    entries.sort_by_key(|entry| entry.sequence);
    let mut comparison = Comparison::default();
    let mut there: HashSet<u64> = HashSet::new();
    // Of the entries that the journal does not have, those that follow one that it has, at once or by others.
    let mut following: HashSet<&str> = HashSet::new();
    for entry in entries {
        if let Some(sequence) = local.sequences.get(&entry.id) {
            there.insert(*sequence);
            continue;
        }
        let previous = entry.previous.as_deref().unwrap_or(BEGINNING);
        if local.sequences.contains_key(previous) {
            let lowest = comparison.differs_from.map_or(entry.sequence, |lowest| lowest.min(entry.sequence));
            comparison.differs_from = Some(lowest);
            following.insert(&entry.id);
        } else if following.contains(previous) {
            following.insert(&entry.id);
        } else if local.is_own(entry) {
            comparison.unrelated += 1;
        }
    }
    let last_there = there.iter().max().copied().unwrap_or(0);
    comparison.same = there.len() as u64;
    let missing = local.sequences.values().filter(|sequence| !there.contains(*sequence));
    for sequence in missing {
        if *sequence > last_there {
            comparison.not_shipped += 1;
        } else {
            comparison.missing_there += 1;
        }
    }
    comparison
}

/// Returns the checkpoints of this journal among what was shipped.
fn checkpoints(first: Option<&str>, shipped: Vec<ShippedEntry>, allowed: Option<&AllowedSigners>) -> Vec<Kept> {
    let now = clock::now();
    let read = |entry: ShippedEntry| {
        let (text, signature) = (entry.checkpoint?, entry.signature);
        let read = if signature.is_some() { SignedCheckpoint::read_note } else { SignedCheckpoint::read };
        let signed = read(&text).ok()?;
        // Those of each day have the journal's own signature only.
        let ssh = signature.and_then(|signature| checkpoint::standing(&text, Some(&signature), allowed, now));
        Some(Kept { file: PathBuf::from(entry.id), signed, ssh })
    };
    let is_of = |kept: &Kept| first.is_some_and(|first| checkpoint::is_of(&kept.signed.checkpoint, first));
    let mut found: Vec<Kept> = shipped.into_iter().filter_map(read).filter(is_of).collect();
    found.sort_by_key(|kept| std::cmp::Reverse(kept.signed.checkpoint.size));
    found.truncate(MAX_CHECKPOINTS);
    found
}
