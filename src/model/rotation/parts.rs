//! Parts of a rotation: its cluster, the owners of its keys, and the destination of the secret.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::api_key::KeyId;

/// Cluster that a rotation belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRef {
    /// Identifies the cluster whatever its address; `None` where one may not ask.
    pub uuid: Option<String>,
    /// Name of the cluster, where the cluster returns it.
    pub name: Option<String>,
    /// Address of the cluster.
    pub url: String,
}

impl ClusterRef {
    /// Returns `true` if both are the same cluster: by uuid where both are known, otherwise by address.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.uuid, &other.uuid) {
            (Some(one), Some(other)) => one == other,
            _ => self.url == other.url,
        }
    }
}

/// User within a realm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name within the realm.
    pub username: String,
    /// Realm that knows the user.
    pub realm: String,
}

/// Key to be replaced, as it was when the rotation began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldKey {
    /// Id by which the key is invalidated at the end.
    pub id: KeyId,
    /// Name of the key.
    pub name: String,
    /// Owner of the key.
    pub owner: Person,
    /// Fingerprint of the key's descriptors, which the successor got.
    pub rights: String,
}

/// Destination of the successor's secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Destination {
    /// File that only its owner may read; the secret can be read again from it.
    File {
        /// Absolute path of the file.
        path: PathBuf,
    },
    /// Standard output.
    Stdout,
    /// Screen, for a person.
    Screen,
    /// Keyring of this computer; the secret can be read again from it.
    Keyring,
}

impl Destination {
    /// Returns the destination as text to follow "to".
    pub fn words(&self) -> String {
        match self {
            Self::File { path } => format!("the file {}", path.display()),
            Self::Stdout => "standard output".into(),
            Self::Screen => "a screen".into(),
            Self::Keyring => "the keyring".into(),
        }
    }
}

/// Evidence that the successor works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// Successor signed in.
    Live,
    /// Statement of a person that they have the secret; it was not tried here.
    Said,
}

/// State of the successor's entry in the old key's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Lineage {
    /// Open: no entry was attempted yet.
    #[default]
    Open,
    /// Old key names its successor.
    Written,
    /// Old key does not name its successor; only this rotation and the journal record it.
    NotWritten {
        /// Reason.
        why: String,
    },
}

/// End of the old key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Invalidated by this rotation.
    Invalidated,
    /// Invalidated by somebody else before.
    Before,
    /// Unknown to the cluster: the key was deleted.
    Gone,
}

impl Ended {
    /// Returns a sentence on what was seen of the old key, with the time of day at which the cluster was asked.
    pub fn proof(self, old: &KeyId, at: &str) -> String {
        match self {
            Self::Invalidated => format!("Read back from the cluster at {at}: {old} is invalidated"),
            Self::Before => format!("Read from the cluster at {at}: {old} was already invalidated. Nothing was sent"),
            Self::Gone => format!("Read from the cluster at {at}: {old} no longer exists. Nothing was sent"),
        }
    }

    /// Returns the result for a table or for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invalidated => "invalidated",
            Self::Before => "already invalidated",
            Self::Gone => "gone",
        }
    }
}
