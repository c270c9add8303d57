//! In-memory state of the practice cluster: users, roles, API keys, indices. Plain data; permissions are checked
//! elsewhere.

use super::{
    http::error::{EsError, Outcome},
    indices::Index,
    security::{app_privileges::AppPrivilege, descriptor::Descriptor, license::License},
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Name of the cluster, in every answer that shows it.
pub const CLUSTER_NAME: &str = "keybearer-sandbox";
/// Name of the only node.
pub const NODE_NAME: &str = "sandbox-1";
/// Id of the only node.
pub const NODE_ID: &str = "sandboxNode0000000000w";
/// Elasticsearch version whose behavior the sandbox reproduces.
pub const VERSION: &str = "9.5.3";

/// Realm of a user: the source of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Realm name, such as `default_native`.
    pub name: String,
    /// Realm type, such as `native`.
    pub kind: String,
}

impl Realm {
    /// Returns a realm with this name and type.
    pub fn new(name: &str, kind: &str) -> Self {
        Realm { name: name.to_owned(), kind: kind.to_owned() }
    }
}

/// User account; its name is the key in [`Cluster::users`].
#[derive(Debug, Clone)]
pub struct User {
    /// Role names; roles with these names need not exist.
    pub roles: Vec<String>,
    /// Full name, for display; `None` if not set.
    pub full_name: Option<String>,
    /// Email address, for display; `None` if not set.
    pub email: Option<String>,
    /// Free-form metadata.
    pub metadata: Map<String, Value>,
    /// `true` if the user may sign in.
    pub enabled: bool,
    /// Realm: `native`, or `reserved` for the built-in users.
    pub realm: Realm,
    /// Salted hash of the password.
    pub password: Hash,
}

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

/// Salted SHA-256 hash of a secret, compared in constant time.
#[derive(Clone)]
pub struct Hash {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl Hash {
    /// Hashes a secret with a fresh salt.
    ///
    /// # Errors
    /// If the operating system provides no random bytes.
    pub fn of(secret: &str) -> Outcome<Hash> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(Hash { salt, digest: Self::digest(&salt, secret) })
    }

    /// Returns a random hash for which no secret is known.
    ///
    /// # Errors
    /// If the operating system provides no random bytes.
    pub fn unknown() -> Outcome<Hash> {
        let mut hash = Hash { salt: [0; 16], digest: [0; 32] };
        random(&mut hash.digest)?;
        Ok(hash)
    }

    /// Returns `true` if `secret` has this hash; the comparison takes constant time.
    pub fn matches(&self, secret: &str) -> bool {
        self.digest.ct_eq(&Self::digest(&self.salt, secret)).into()
    }

    fn digest(salt: &[u8; 16], secret: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(salt);
        hasher.update(secret.as_bytes());
        hasher.finalize().into()
    }
}

/// Fills `bytes` with random bytes from the operating system.
///
/// # Errors
/// If the operating system provides none.
pub fn random(bytes: &mut [u8]) -> Outcome<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(bytes)
        .map_err(|_| EsError::new(500, "illegal_state_exception", "no random bytes to be had"))
}

/// Returns a fresh random id of 20 characters, as documents and API keys have.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fresh_id() -> Outcome<String> {
    let mut bytes = [0; 15];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns a fresh random secret or UUID of 22 characters.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fresh_secret() -> Outcome<String> {
    let mut bytes = [0; 16];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Complete state of the practice cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    /// UUID of the cluster.
    pub uuid: String,
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Roles by name; the built-in ones have `_reserved` in their metadata.
    pub roles: BTreeMap<String, Descriptor>,
    /// Application privileges, by application and name.
    pub app_privileges: BTreeMap<String, BTreeMap<String, AppPrivilege>>,
    /// Indices by name.
    pub indices: BTreeMap<String, Index>,
    /// Start time, in epoch milliseconds.
    pub started: i64,
    /// License, which enables features beyond the basic ones.
    pub license: License,
    keys: Vec<StoredKey>,
    by_id: HashMap<String, usize>,
    by_creation: Vec<usize>,
    next_doc: i64,
}

impl Cluster {
    /// Returns the key with this id, or `None`.
    pub fn key(&self, id: &str) -> Option<&StoredKey> {
        self.by_id.get(id).and_then(|at| self.keys.get(*at))
    }

    /// Returns all keys, in the order in which they were added.
    pub fn keys(&self) -> &[StoredKey] {
        &self.keys
    }

    /// Adds a key and sets its number in the order of writing.
    pub fn add_key(&mut self, mut key: StoredKey) {
        key.doc = self.next_doc;
        self.next_doc += 1;
        let place = self.keys.len();
        self.by_id.insert(key.id.clone(), place);
        // New keys come last, but for a clock that was set back.
        let keys = &self.keys;
        let later = |at: &usize| keys.get(*at).is_some_and(|other| other.creation > key.creation);
        let rank = match self.by_creation.last() {
            Some(last) if later(last) => self.by_creation.partition_point(|at| !later(at)),
            _ => self.by_creation.len(),
        };
        self.by_creation.insert(rank, place);
        self.keys.push(key);
    }

    /// Adds many keys and sorts the creation order only once, at the end.
    pub fn add_keys(&mut self, mut keys: Vec<StoredKey>) {
        let first = self.keys.len();
        self.by_id.reserve(keys.len());
        for (place, key) in keys.iter_mut().enumerate() {
            key.doc = self.next_doc;
            self.next_doc += 1;
            self.by_id.insert(key.id.clone(), first + place);
        }
        if first == 0 {
            self.keys = keys;
        } else {
            self.keys.extend(keys);
        }
        let mut order: Vec<(i64, usize)> = self.keys.iter().enumerate().map(|(at, key)| (key.creation, at)).collect();
        order.sort_unstable();
        self.by_creation = order.into_iter().map(|(_, at)| at).collect();
    }

    /// Returns the keys created between two times in epoch milliseconds, both inclusive, oldest first.
    pub fn created(&self, from: i64, to: i64) -> impl ExactSizeIterator<Item = &StoredKey> {
        let creation = |at: &usize| self.keys.get(*at).map_or(i64::MAX, |key| key.creation);
        let start = self.by_creation.partition_point(|at| creation(at) < from);
        let end = self.by_creation.partition_point(|at| creation(at) <= to).max(start);
        let range = self.by_creation.get(start..end).unwrap_or_default();
        range.iter().map(|at| &self.keys[*at])
    }

    /// Returns the existing keys with these ids, without duplicates, in the order in which they were added.
    pub fn keys_by_id(&self, ids: &[String]) -> Vec<&StoredKey> {
        let mut places: Vec<usize> = ids.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at| self.keys.get(at)).collect()
    }

    /// Changes a key; as every write does, this moves the key to the end of the order of writing. Does nothing for an
    /// unknown id.
    pub fn change_key(&mut self, id: &str, change: impl FnOnce(&mut StoredKey)) {
        if let Some(key) = self.by_id.get(id).and_then(|at| self.keys.get_mut(*at)) {
            change(key);
            key.doc = self.next_doc;
            self.next_doc += 1;
        }
    }

    /// Returns the descriptors of the roles that exist, sorted by name and without duplicates.
    pub fn descriptors(&self, roles: &[String]) -> Descriptors {
        let mut names = roles.to_vec();
        names.sort();
        names.dedup();
        names.into_iter().filter_map(|name| self.roles.get(&name).map(|role| (name, role.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_have_the_lengths_of_the_real_ones() {
        assert_eq!(fresh_id().unwrap().len(), 20);
        assert_eq!(fresh_secret().unwrap().len(), 22);
        assert_ne!(fresh_id().unwrap(), fresh_id().unwrap());
    }

    #[test]
    fn keys_are_found_by_when_they_were_made_whatever_their_order() {
        let mut cluster = super::super::seed::fill(40, 1_795_490_903_188).map(|(cluster, _)| cluster).unwrap();
        let made = |cluster: &Cluster, from, to| cluster.created(from, to).map(|key| key.creation).collect::<Vec<_>>();
        for creation in [50, 20, 1_795_490_903_189] {
            let id = fresh_id().unwrap();
            let key = StoredKey { id, creation, ..cluster.keys()[0].clone() };
            cluster.add_key(key);
        }
        let all = made(&cluster, i64::MIN, i64::MAX);
        assert!(all.is_sorted());
        assert_eq!(all.len(), 43);
        assert_eq!(made(&cluster, 20, 50), [20, 50]);
        assert!(made(&cluster, 21, 49).is_empty());
        assert!(made(&cluster, 50, 20).is_empty());
        let ids = [2, 0, 2].map(|at: usize| cluster.keys()[at].id.clone());
        let found: Vec<i64> = cluster.keys_by_id(&ids).iter().map(|key| key.doc).collect();
        assert_eq!(found, [0, 2]);
    }

    #[test]
    fn a_hash_knows_its_secret_and_shows_nothing() {
        let hash = Hash::of("secret").unwrap();
        assert!(hash.matches("secret"));
        assert!(!hash.matches("Secret"));
        assert!(!Hash::unknown().unwrap().matches(""));
        assert_eq!(format!("{hash:?}"), "Hash(…)");
    }
}
