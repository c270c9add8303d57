//! Requests to a cluster and their outcomes as lines, each of which carries the hash of the one before: a line that
//! is changed, removed or moved breaks the chain. The chain has no key: whoever can write the files can compute a
//! new one. It knows no file and no clock.
//!
//! A line is a JSON object with the names of the Elastic Common Schema; what the schema has no name for
//! stands under `keybearer`. Its last member is the SHA-256 of all that is before it.

pub mod operation;

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Millis, api_key::KeyId, time::calendar};

/// The hash that the first line of all names as the one before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The version of the Elastic Common Schema that the names are from.
const SCHEMA: &str = "8.17.0";
const HASH_LENGTH: usize = 64;

/// What was done to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A key was made.
    Create,
    /// Keys were changed.
    Update,
    /// Keys were taken away.
    Invalidate,
    /// A step of a key's rotation, around the others.
    Rotate,
    /// A cross-cluster key was made.
    CreateCrossCluster,
    /// A cross-cluster key was changed.
    UpdateCrossCluster,
    /// A key was made for another user.
    Grant,
    /// A key was made as a copy of another.
    Clone,
}

impl Action {
    /// The field `event.action`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "api-key-create",
            Self::Update => "api-key-update",
            Self::Invalidate => "api-key-invalidate",
            Self::Rotate => "api-key-rotate",
            Self::CreateCrossCluster => "cross-cluster-api-key-create",
            Self::UpdateCrossCluster => "cross-cluster-api-key-update",
            Self::Grant => "api-key-grant",
            Self::Clone => "api-key-clone",
        }
    }

    /// The field `event.type`.
    fn kind(self) -> &'static str {
        match self {
            Self::Create | Self::CreateCrossCluster | Self::Grant | Self::Clone => "creation",
            Self::Update | Self::UpdateCrossCluster | Self::Rotate => "change",
            Self::Invalidate => "deletion",
        }
    }
}

/// How it went; the field `event.outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    /// Not known: it is only intended, or the answer was lost.
    #[default]
    Unknown,
    /// All of it was done, as the cluster was seen to say.
    Success,
    /// All or a part of it was not done.
    Failure,
}

impl Verdict {
    /// The word of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// Where an entry comes from and which cluster it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of this machine.
    pub host: String,
    /// Name of the operating system's user that this process runs as; empty where it has none.
    pub system_user: String,
    /// Number (uid) of that user; `None` on systems without one.
    pub system_user_id: Option<u32>,
    /// Number of the user that signed in to this machine, which `sudo` and `su` do not change; `None` where the
    /// system does not record it (it is that of Linux's audit, `/proc/self/loginuid`).
    pub login_user_id: Option<u32>,
    /// Number of this process.
    pub process: Option<u32>,
    /// Who one is signed in as at the cluster.
    pub username: String,
    /// The realm of that name.
    pub realm: String,
    /// `realm`, `api_key`, `token`, as Elasticsearch words it.
    pub authentication_type: String,
    /// The key one is signed in by.
    pub own_key: Option<KeyId>,
    /// Address of the cluster.
    pub url: String,
    /// Its name, where it tells it.
    pub cluster: Option<String>,
    /// Its `cluster_uuid`, where it tells it: names and addresses repeat.
    pub cluster_uuid: Option<String>,
}

/// Key for which a request was not seen to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedKey {
    /// Id of the key.
    pub id: String,
    /// Reason, in words.
    pub reason: String,
    /// `true` if it may have been done all the same, `false` if it certainly was not; `None` in entries of older
    /// versions, which do not say it.
    pub is_unknown: Option<bool>,
}

/// One line before it has its place in the chain. It never holds a secret: requests carry none.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, by this machine's clock.
    pub at: Millis,
    /// Unique.
    pub id: String,
    /// What is done.
    pub action: Action,
    /// The id of the entry that said what was intended; `None` for that entry itself.
    pub intent: Option<String>,
    /// How it went.
    pub verdict: Verdict,
    /// Who, where.
    pub origin: Origin,
    /// The keys it is about, as far as their ids are known.
    pub keys: Vec<KeyId>,
    /// Keys for which it was not seen to be done.
    pub failed: Vec<FailedKey>,
    /// What was asked: the body of the request.
    pub request: Option<Value>,
    /// Why it went as it did, in words.
    pub reason: Option<String>,
    /// What was found cut off at the end of the file, by a crash while it was written.
    pub torn: Option<String>,
    /// Damage to the journal that was found before this entry was written, so that writing it does not cover
    /// the traces.
    pub damage: Option<String>,
}

impl Entry {
    /// The line for a place in the chain, without a line end.
    pub fn line(&self, sequence: u64, previous: &str) -> String {
        let origin = &self.origin;
        let mut event = json!({
            "id": self.id,
            "kind": "event",
            "category": ["iam"],
            "type": [self.action.kind()],
            "action": self.action.word(),
            "outcome": self.verdict.word(),
            "sequence": sequence,
        });
        if let Some(reason) = &self.reason {
            event["reason"] = reason.as_str().into();
        }
        let mut own = Map::new();
        own.insert("phase".into(), if self.intent.is_some() { "outcome" } else { "intent" }.into());
        if let Some(intent) = &self.intent {
            own.insert("intent".into(), intent.as_str().into());
        }
        own.insert("keys".into(), self.keys.iter().map(KeyId::as_str).collect::<Vec<_>>().into());
        if !self.failed.is_empty() {
            let failed = self.failed.iter().map(|key| {
                let mut failed = json!({ "id": key.id, "reason": key.reason });
                if let Some(is_unknown) = key.is_unknown {
                    failed["unknown"] = is_unknown.into();
                }
                failed
            });
            own.insert("failed".into(), failed.collect::<Vec<_>>().into());
        }
        if let Some(request) = &self.request {
            own.insert("request".into(), request.to_string().into());
        }
        if let Some(torn) = &self.torn {
            own.insert("torn".into(), torn.as_str().into());
        }
        if let Some(damage) = &self.damage {
            own.insert("damage".into(), damage.as_str().into());
        }
        if let Some(id) = origin.login_user_id {
            own.insert("login_user".into(), id.to_string().into());
        }
        own.insert("authentication_type".into(), origin.authentication_type.as_str().into());
        if let Some(key) = &origin.own_key {
            own.insert("own_key".into(), key.as_str().into());
        }
        own.insert("previous".into(), previous.into());
        let mut service = json!({ "type": "elasticsearch", "address": origin.url });
        if let Some(name) = &origin.cluster {
            service["name"] = name.as_str().into();
        }
        if let Some(uuid) = &origin.cluster_uuid {
            service["id"] = uuid.as_str().into();
        }
        let mut process = json!({ "name": "keybearer", "user": { "name": origin.system_user } });
        if let Some(id) = origin.system_user_id {
            process["user"]["id"] = id.to_string().into();
        }
        if let Some(number) = origin.process {
            process["pid"] = number.into();
        }
        let line = json!({
            "@timestamp": calendar::rfc3339_millis(self.at),
            "ecs": { "version": SCHEMA },
            "event": event,
            "user": { "name": origin.username, "domain": origin.realm },
            "host": { "hostname": origin.host },
            "process": process,
            "service": service,
            "keybearer": own,
        });
        sealed(&line.to_string())
    }
}

/// A JSON object with the hash of itself as its last member.
fn sealed(object: &str) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    format!("{open},\"hash\":\"{}\"}}", hash(open))
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line as it is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// When, as it is written.
    pub at: String,
    /// Its place in the chain, from 1.
    pub sequence: u64,
    /// Unique.
    pub id: String,
    /// `event.action`.
    pub action: String,
    /// `event.outcome`.
    pub outcome: String,
    /// The entry that said what was intended.
    pub intent: Option<String>,
    /// Who was signed in.
    pub user: String,
    /// The realm of that name.
    pub realm: String,
    /// Name of the operating system's user.
    pub system_user: String,
    /// Number of the operating system's user; entries of older versions have none.
    pub system_user_id: Option<String>,
    /// Number of the user that signed in to the machine, where the system recorded it.
    pub login_user_id: Option<String>,
    /// Number of the process that wrote it; entries of older versions have none.
    pub process: Option<u32>,
    /// The machine.
    pub host: String,
    /// Which cluster: its name, or its address where it told no name.
    pub cluster: String,
    /// The address of the cluster.
    pub address: String,
    /// The `cluster_uuid`; `None` where the cluster did not report it, and in entries of older versions.
    pub cluster_uuid: Option<String>,
    /// The keys it is about.
    pub keys: Vec<String>,
    /// Keys for which it was not seen to be done.
    pub failed: Vec<FailedKey>,
    /// Why, in words.
    pub reason: Option<String>,
    /// What was asked.
    pub request: Option<String>,
    /// Damage to the journal that was found before this entry was written.
    pub damage: Option<String>,
    /// The hash of this line.
    pub hash: String,
    previous: String,
}

impl Read {
    /// Whether it says what is intended, and not what came of it.
    pub fn is_intent(&self) -> bool {
        self.intent.is_none()
    }

    /// Whether it is about this key.
    pub fn is_about(&self, key: &str) -> bool {
        self.keys.iter().any(|id| id == key) || self.failed.iter().any(|failed| failed.id == key)
    }

    /// Hash of the line that it follows.
    pub fn previous(&self) -> &str {
        &self.previous
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "@timestamp")]
    at: String,
    event: WireEvent,
    #[serde(default)]
    user: WireName,
    #[serde(default)]
    host: WireHost,
    #[serde(default)]
    process: WireProcess,
    #[serde(default)]
    service: WireService,
    keybearer: WireOwn,
}

#[derive(Deserialize)]
struct WireEvent {
    id: String,
    action: String,
    outcome: String,
    sequence: u64,
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireName {
    #[serde(default)]
    name: String,
    #[serde(default)]
    domain: String,
    id: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireHost {
    #[serde(default)]
    hostname: String,
}

#[derive(Default, Deserialize)]
struct WireProcess {
    #[serde(default)]
    user: WireName,
    pid: Option<u32>,
}

#[derive(Default, Deserialize)]
struct WireService {
    name: Option<String>,
    id: Option<String>,
    #[serde(default)]
    address: String,
}

#[derive(Deserialize)]
struct WireOwn {
    intent: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    failed: Vec<WireFailed>,
    request: Option<String>,
    damage: Option<String>,
    login_user: Option<String>,
    previous: String,
}

#[derive(Deserialize)]
struct WireFailed {
    id: String,
    reason: String,
    unknown: Option<bool>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no line of a journal: cut off, or no such JSON.
    Unreadable,
    /// The end of a file is no line, and longer than a crash leaves one.
    Unfinished,
    /// It is not as it was written.
    Changed,
    /// It does not follow the line before it: lines were removed, added or moved between the two.
    OutOfPlace {
        /// The number that should have come.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// Lines at the end are missing.
    CutShort {
        /// The number of the last line that was written.
        written: u64,
    },
    /// An outcome whose intent is in no line before it.
    NoIntent,
    /// An entry that reports damage found before it was written.
    Damage(String),
    /// The record of the last entry, beside the entries, is missing or can't be read.
    HeadMissing,
    /// The record of the last entry is older than a crash explains.
    HeadStale {
        /// The number of the entry that it names.
        named: u64,
        /// The number of the last line.
        last: u64,
    },
    /// The record of the last entry names an entry that is not in the chain: the chain was written anew.
    HeadDiffers,
    /// Entries that this user's Keybearer wrote into this folder are not there: files, or the whole folder, are gone.
    Gone {
        /// The number of the last entry that was written.
        written: u64,
    },
    /// The last entry that this user's Keybearer wrote into this folder is not in the chain: it was written anew.
    Rewritten {
        /// The number of that entry.
        written: u64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable => f.write_str("is no entry: it was cut off or overwritten"),
            Self::Unfinished => f.write_str("ends with something that is no entry, and that no crash has left"),
            Self::Changed => f.write_str("was changed after it was written"),
            Self::OutOfPlace { expected, found } if expected == found => {
                f.write_str("does not belong behind the entry before it")
            }
            Self::OutOfPlace { expected, found } => {
                write!(f, "is entry {found} where entry {expected} should be: entries were removed, added or moved")
            }
            Self::CutShort { written } => write!(f, "is the last one, but {written} entries were written"),
            Self::NoIntent => f.write_str("is an outcome without its intent: entries before it were removed"),
            Self::Damage(what) => write!(f, "reports damage that was found when it was written: {what}"),
            Self::HeadMissing => {
                f.write_str("is missing or can’t be read: so entries may have been removed at the end unnoticed")
            }
            Self::HeadStale { named, last } => write!(
                f,
                "names entry {named} as the last one, and {last} are there: it was replaced by an older one, or \
                 entries were added by something else"
            ),
            Self::HeadDiffers => {
                f.write_str("names an entry that is not in the journal: the entries were written anew")
            }
            Self::Gone { written } => {
                write!(f, "has not all of the {written} entries that were written: files or the whole folder are gone")
            }
            Self::Rewritten { written } => {
                write!(f, "has another entry {written} than the one that was written: the entries were written anew")
            }
        }
    }
}

/// Reads a line and checks that it is as it was written; whether it is in its place is another question.
///
/// # Errors
/// [`Fault::Unreadable`] or [`Fault::Changed`].
pub fn read(line: &str) -> Result<Read, Fault> {
    let (open, own) = line.rsplit_once(",\"hash\":\"").ok_or(Fault::Unreadable)?;
    let own = own.strip_suffix("\"}").filter(|own| own.len() == HASH_LENGTH).ok_or(Fault::Unreadable)?;
    if hash(open) != own {
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
        hash: own.to_owned(),
        previous: wire.keybearer.previous,
    })
}

fn short_hash(id: &str) -> u64 {
    Sha256::digest(id.as_bytes()).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Goes through the lines of a journal from its beginning and tells what is wrong.
#[derive(Debug)]
pub struct Checker {
    previous: String,
    sequence: u64,
    /// Whether a fault was found: the intent of a later outcome may have been in the part that is damaged.
    is_faulty: bool,
    open: BTreeMap<String, Read>,
    /// Hashes of the ids of intents that have an outcome. Two processes may each write one for the same intent.
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
    /// Takes the next line. After a fault it goes on from there, so that each place is told once.
    ///
    /// # Errors
    /// What is wrong with this line.
    pub fn next(&mut self, line: &str) -> Result<Read, Fault> {
        self.follow(read(line))
    }

    /// The same for a line that was read before.
    ///
    /// # Errors
    /// What is wrong with this line.
    pub fn follow(&mut self, line: Result<Read, Fault>) -> Result<Read, Fault> {
        let checked = self.check(line);
        self.is_faulty |= checked.is_err();
        checked
    }

    fn check(&mut self, line: Result<Read, Fault>) -> Result<Read, Fault> {
        let expected = self.sequence.saturating_add(1);
        let entry = line.inspect_err(|_| {
            // The next one can be told only by its number.
            self.sequence = expected;
            self.previous.clear();
        })?;
        let follows = entry.sequence == expected && (self.previous.is_empty() || entry.previous == self.previous);
        self.sequence = entry.sequence;
        self.previous.clone_from(&entry.hash);
        let has_intent = match &entry.intent {
            None => {
                self.open.insert(entry.id.clone(), entry.clone());
                true
            }
            Some(intent) => {
                let id = short_hash(intent);
                self.open.remove(intent).is_some() && self.closed.insert(id) || self.closed.contains(&id)
            }
        };
        if !follows {
            return Err(Fault::OutOfPlace { expected, found: entry.sequence });
        }
        match &entry.damage {
            Some(damage) => Err(Fault::Damage(damage.clone())),
            None if !has_intent && !self.is_faulty => Err(Fault::NoIntent),
            None => Ok(entry),
        }
    }

    /// The number of the last line.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What was intended and has no outcome: the program was stopped between the two, or is still at it.
    pub fn open(self) -> Vec<Read> {
        let mut open: Vec<Read> = self.open.into_values().collect();
        open.sort_by_key(|entry| entry.sequence);
        open
    }
}

#[cfg(test)]
mod tests;
