//! What a rotation is about: which cluster, whose keys, and where the secret goes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::api_key::KeyId;

/// Which cluster a rotation belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRef {
    /// Tells clusters apart whatever their address; `None` where one may not ask.
    pub uuid: Option<String>,
    /// Its name, where it tells it.
    pub name: Option<String>,
    /// Address.
    pub url: String,
}

impl ClusterRef {
    /// Whether both are the same cluster: by uuid where both are known, otherwise by address.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.uuid, &other.uuid) {
            (Some(one), Some(other)) => one == other,
            _ => self.url == other.url,
        }
    }
}

/// A user within a realm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name within the realm.
    pub username: String,
    /// Realm that knows the user.
    pub realm: String,
}

/// The key that is to be replaced, as it was when the rotation began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldKey {
    /// By which it is invalidated at the end.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// Whom it belongs to.
    pub owner: Person,
    /// The fingerprint of its descriptors that the successor got.
    pub rights: String,
}

/// Where the secret of the successor goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Destination {
    /// A file that only its owner may read; it can be read again.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// Standard output.
    Stdout,
    /// A screen, for a person.
    Screen,
    /// The keyring of this computer; it can be read again.
    Keyring,
}

impl Destination {
    /// In words, behind "to".
    pub fn words(&self) -> String {
        match self {
            Self::File { path } => format!("the file {}", path.display()),
            Self::Stdout => "standard output".into(),
            Self::Screen => "a screen".into(),
            Self::Keyring => "the keyring".into(),
        }
    }
}

/// How it is known that the successor works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// It signed in.
    Live,
    /// A person said that they have its secret; it was not tried here.
    Said,
}

/// Whether the old key's metadata names its successor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Lineage {
    /// Not come to that yet.
    #[default]
    Open,
    /// It does.
    Written,
    /// It doesn't; only this rotation and the journal know.
    NotWritten {
        /// Why.
        why: String,
    },
}

/// How the old key came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By this rotation.
    Invalidated,
    /// Somebody else had ended it before.
    Before,
    /// The cluster knows it no more.
    Gone,
}

impl Ended {
    /// What was seen of the old key, with the time of day at which the cluster was asked.
    pub fn proof(self, old: &KeyId, at: &str) -> String {
        match self {
            Self::Invalidated => format!("The cluster was asked again at {at}, as proof: {old} is invalidated"),
            Self::Before => format!("The cluster was asked at {at}: {old} was already invalidated. Nothing was sent"),
            Self::Gone => format!("The cluster was asked at {at}: {old} is gone (deleted). Nothing was sent"),
        }
    }

    /// Result in a table or in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invalidated => "invalidated",
            Self::Before => "already invalidated",
            Self::Gone => "gone",
        }
    }
}
