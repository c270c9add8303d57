//! API keys as the cluster stores them.

use super::{secret::Hash, user::Realm};
use crate::sandbox::security::descriptor::Descriptor;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Role descriptors with their names.
pub type Descriptors = Vec<(String, Descriptor)>;

/// API key as stored, without its secret.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// Key id, 20 characters.
    pub id: String,
    /// Key name; need not be unique.
    pub name: String,
    /// Key type: `rest` or `cross_cluster`.
    pub kind: &'static str,
    /// Creation time, in epoch milliseconds.
    pub creation: i64,
    /// Expiration time, in epoch milliseconds; `None` if the key never expires.
    pub expiration: Option<i64>,
    /// Invalidation time, in epoch milliseconds; `None` if the key is not invalidated.
    pub invalidation: Option<i64>,
    /// User name of the owner.
    pub username: String,
    /// Realm of the owner.
    pub realm: Realm,
    /// Full name of the owner at creation, for display.
    pub full_name: Option<String>,
    /// Email address of the owner at creation, for display.
    pub email: Option<String>,
    /// Metadata of the owner at creation, as `_authenticate` returns it.
    pub owner_metadata: Map<String, Value>,
    /// Free-form metadata of the key; like the descriptors, it may be shared by many keys.
    pub metadata: Arc<Map<String, Value>>,
    /// `true` if metadata was ever given, even an empty object; answers are the same in both cases.
    pub has_metadata: bool,
    /// Role descriptors assigned to the key; if empty, the key has all privileges of `limited_by`.
    pub assigned: Arc<Descriptors>,
    /// Owner's snapshot: the owner's privileges when the key was created or last updated; `None` for cross-cluster
    /// keys.
    pub limited_by: Option<Arc<Descriptors>>,
    /// Field `access` of a cross-cluster key, as given; `None` for other keys.
    pub access: Option<Value>,
    /// Pattern for the names of the certificates that a cross-cluster key is bound to; `None` if not bound.
    pub certificate_identity: Option<String>,
    /// Salted hash of the secret.
    pub secret: Hash,
    /// Number of the key's last write; unsorted answers are in this order.
    pub doc: i64,
}

impl StoredKey {
    /// Returns `true` if the key is expired at `now` (epoch milliseconds); the expiration time itself counts as
    /// expired.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expiration.is_some_and(|at| at <= now)
    }
}
