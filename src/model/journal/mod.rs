//! Journal entries: requests to a cluster and their outcomes as lines, each of which carries the hash of the line
//! before it. A line that is changed, removed or moved breaks the chain. The chain itself has no key: whoever can write
//! the files can compute a new one. That shows by the message authentication code in each line ([`key`]), where there is
//! a keyring to hold its key, and by checkpoints kept elsewhere ([`checkpoint`]). This module uses no files and no clock.
//!
//! A line is a JSON object with the field names of the Elastic Common Schema (ECS); anything that the schema has no
//! field for is under `keybearer`. The last member is the SHA-256 hash of everything before it; the one before that, the
//! message authentication code, is over the digest of what is before it.

pub mod allowed_signers;
pub mod checkpoint;
pub mod key;
pub mod merkle;
pub mod operation;
pub mod proof;
pub mod ssh_signature;
pub mod verify;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::key::{JournalKey, Mac};
use super::{Timestamp, api_key::KeyId, text::hex, time::calendar};

/// Hash that the first line of a journal names as the hash of the line before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Version of the Elastic Common Schema that the field names are from.
pub const SCHEMA: &str = "8.17.0";
const HASH_LENGTH: usize = 64;

/// Kind of request that an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Creation of a key.
    Create,
    /// Update of one or more keys.
    Update,
    /// Invalidation of one or more keys.
    Invalidate,
    /// Step of a key's rotation, recorded in addition to the requests that the step sends.
    Rotate,
    /// Creation of a cross-cluster key.
    CreateCrossCluster,
    /// Update of a cross-cluster key.
    UpdateCrossCluster,
    /// Creation of a key for another user.
    Grant,
    /// Creation of a key as a copy of another one.
    Clone,
}

impl Action {
    /// Returns the value of the field `event.action`.
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

    /// Returns the value of the field `event.type`.
    fn kind(self) -> &'static str {
        match self {
            Self::Create | Self::CreateCrossCluster | Self::Grant | Self::Clone => "creation",
            Self::Update | Self::UpdateCrossCluster | Self::Rotate => "change",
            Self::Invalidate => "deletion",
        }
    }
}

/// Outcome that an entry records, in the field `event.outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    /// Outcome not known: the entry is an intent, or the response was lost.
    #[default]
    Unknown,
    /// Request carried out as a whole, as confirmed by the cluster.
    Success,
    /// Request that was not carried out, or only in part.
    Failure,
}

impl Verdict {
    /// Returns the value that the Elastic Common Schema defines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// Origin of an entry: the machine, the process, the user, and the cluster that the request is sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of this machine.
    pub host: String,
    /// Name of the operating system's user that this process runs as; empty if the user has no name.
    pub system_user: String,
    /// User id (uid) of that user; `None` on systems without user ids.
    pub system_user_id: Option<u32>,
    /// User id of the user that signed in to this machine, which `sudo` and `su` do not change; `None` where the system
    /// does not record it. It is the login uid of the Linux audit system (`/proc/self/loginuid`).
    pub login_user_id: Option<u32>,
    /// Process id (pid) of this process.
    pub process: Option<u32>,
    /// Name of the user that is signed in to the cluster.
    pub username: String,
    /// Realm of that user.
    pub realm: String,
    /// Authentication type as Elasticsearch reports it: `realm`, `api_key`, `token` or another.
    pub authentication_type: String,
    /// Id of the API key that this session is signed in with; `None` if it is signed in with another credential.
    pub own_key: Option<KeyId>,
    /// Address (URL) of the cluster.
    pub url: String,
    /// Name of the cluster; `None` if the cluster did not report it.
    pub cluster: Option<String>,
    /// `cluster_uuid` of the cluster; `None` if the cluster did not report it. Names and addresses are not unique.
    pub cluster_uuid: Option<String>,
}

/// Key for which a request was not confirmed to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedKey {
    /// Id of the key.
    pub id: String,
    /// Reason as text for people.
    pub reason: String,
    /// `true` if the request may have been carried out all the same, `false` if it certainly was not; `None` in entries
    /// of older versions, which do not record it.
    pub is_unknown: Option<bool>,
}

/// Journal entry before it is written, without its sequence number and hashes. It never holds a secret: requests
/// contain none.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Time of the entry by this machine's clock.
    pub at: Timestamp,
    /// Id of the entry, unique.
    pub id: String,
    /// Kind of the request.
    pub action: Action,
    /// Id of the intent that this entry is the outcome of; `None` if this entry is itself an intent.
    pub intent: Option<String>,
    /// Outcome of the request; [`Verdict::Unknown`] for an intent.
    pub verdict: Verdict,
    /// Machine, process, user and cluster.
    pub origin: Origin,
    /// Ids of the keys that the entry is about, as far as they are known.
    pub keys: Vec<KeyId>,
    /// Keys for which it was not seen to be done.
    pub failed: Vec<FailedKey>,
    /// Body of the request; `None` if there is none.
    pub request: Option<Value>,
    /// Reason for the outcome, as text for people.
    pub reason: Option<String>,
    /// Incomplete line that a crash during a write left at the end of the file; `None` if there was none.
    pub torn: Option<String>,
    /// Damage to the journal that was found before this entry was written, recorded so that the new entry does not hide
    /// it; `None` if none was found.
    pub damage: Option<String>,
}

impl Entry {
    /// Returns the line with the given sequence number and the hash of the line before it (`previous`), without a line
    /// end and without a message authentication code.
    pub fn line(&self, sequence: u64, previous: &str) -> String {
        self.line_with(sequence, previous, None)
    }

    /// Returns the line as [`Entry::line`] does, with a message authentication code where there is a key.
    pub fn line_with(&self, sequence: u64, previous: &str, key: Option<&JournalKey>) -> String {
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
        sealed(&line.to_string(), key)
    }
}

/// Returns the JSON object with its message authentication code and its own hash added as the last members.
fn sealed(object: &str, key: Option<&JournalKey>) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    let code = key.map(|key| key.member(&Sha256::digest(open.as_bytes()))).unwrap_or_default();
    let open = format!("{open}{code}");
    format!("{open},\"hash\":\"{}\"}}", hash(&open).0)
}

/// Returns the hash of a line without its hash, and its message authentication code; both in one pass over the text.
fn hash(open: &str) -> (String, Option<Mac>) {
    let mut hasher = Sha256::new();
    let Some((before, code)) = Mac::split(open) else {
        hasher.update(open.as_bytes());
        return (hex::encode(&hasher.finalize()), None);
    };
    hasher.update(before.as_bytes());
    let digest = hasher.clone().finalize().to_vec();
    hasher.update(&open.as_bytes()[before.len()..]);
    (hex::encode(&hasher.finalize()), Mac::new(code, digest))
}

/// Journal entry as it is read from a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Time of the entry as it is written, in RFC 3339 with milliseconds (UTC).
    pub at: String,
    /// Sequence number in the chain, from 1.
    pub sequence: u64,
    /// Id of the entry, unique.
    pub id: String,
    /// Value of `event.action`.
    pub action: String,
    /// Value of `event.outcome`.
    pub outcome: String,
    /// Id of the intent that this entry is the outcome of; `None` if this entry is itself an intent.
    pub intent: Option<String>,
    /// Name of the user that was signed in to the cluster.
    pub user: String,
    /// Realm of that user.
    pub realm: String,
    /// Name of the operating system's user.
    pub system_user: String,
    /// User id (uid) of the operating system's user; `None` in entries of older versions.
    pub system_user_id: Option<String>,
    /// User id of the user that signed in to the machine; `None` if the system did not record it.
    pub login_user_id: Option<String>,
    /// Process id (pid) of the process that wrote the entry; `None` in entries of older versions.
    pub process: Option<u32>,
    /// Name of the machine.
    pub host: String,
    /// Name of the cluster, or its address if the cluster did not report a name.
    pub cluster: String,
    /// Address (URL) of the cluster.
    pub address: String,
    /// `cluster_uuid` of the cluster; `None` if the cluster did not report it, and in entries of older versions.
    pub cluster_uuid: Option<String>,
    /// Ids of the keys that the entry is about.
    pub keys: Vec<String>,
    /// Keys for which it was not seen to be done.
    pub failed: Vec<FailedKey>,
    /// Reason for the outcome, as text for people.
    pub reason: Option<String>,
    /// Body of the request as JSON text.
    pub request: Option<String>,
    /// Damage to the journal that was found before this entry was written.
    pub damage: Option<String>,
    /// Message authentication code; `None` for an entry that was written without a key.
    pub mac: Option<Mac>,
    /// Hash of this line.
    pub hash: String,
    previous: String,
}

impl Read {
    /// Returns `true` if the entry is an intent, `false` if it is an outcome.
    pub fn is_intent(&self) -> bool {
        self.intent.is_none()
    }

    /// Returns `true` if the entry is about the key with this id, among the failed keys too.
    pub fn is_about(&self, key: &str) -> bool {
        self.keys.iter().any(|id| id == key) || self.failed.iter().any(|failed| failed.id == key)
    }

    /// Returns the hash of the line before this one.
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

#[cfg(test)]
mod tests;
