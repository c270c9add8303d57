//! All that the practice cluster holds, in memory: users, roles, API keys, indices.
//! Plain data; who may touch what is decided elsewhere.

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

/// The name of the cluster and of its node, in every answer that names them.
pub const CLUSTER_NAME: &str = "keybearer-sandbox";
/// The one node.
pub const NODE_NAME: &str = "sandbox-1";
/// The one node's id.
pub const NODE_ID: &str = "sandboxNode0000000000w";
/// The version that the sandbox behaves as.
pub const VERSION: &str = "9.5.3";

/// Where a user comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Such as `default_native`.
    pub name: String,
    /// Such as `native`.
    pub kind: String,
}

impl Realm {
    /// A realm by name and type.
    pub fn new(name: &str, kind: &str) -> Self {
        Realm { name: name.to_owned(), kind: kind.to_owned() }
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// Roles by name; they need not exist.
    pub roles: Vec<String>,
    /// For people.
    pub full_name: Option<String>,
    /// For people.
    pub email: Option<String>,
    /// Free data.
    pub metadata: Map<String, Value>,
    /// Whether it may sign in.
    pub enabled: bool,
    /// `native`, or `reserved` for the built-in ones.
    pub realm: Realm,
    /// What the password hashes to.
    pub password: Hash,
}

/// Descriptors by name.
pub type Descriptors = Vec<(String, Descriptor)>;

/// An API key as stored: never its secret.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// 20 characters.
    pub id: String,
    /// Its name; not unique.
    pub name: String,
    /// `rest` or `cross_cluster`.
    pub kind: &'static str,
    /// Epoch milliseconds.
    pub creation: i64,
    /// Epoch milliseconds, or never.
    pub expiration: Option<i64>,
    /// Epoch milliseconds, once invalidated.
    pub invalidation: Option<i64>,
    /// The owner.
    pub username: String,
    /// The owner's realm.
    pub realm: Realm,
    /// For people, from the owner at creation.
    pub full_name: Option<String>,
    /// For people, from the owner at creation.
    pub email: Option<String>,
    /// From the owner at creation; what `_authenticate` answers.
    pub owner_metadata: Map<String, Value>,
    /// Free data of the key; like the descriptors it may be shared by many.
    pub metadata: Arc<Map<String, Value>>,
    /// Whether metadata was ever given, be it empty; answers show the same.
    pub has_metadata: bool,
    /// What the key was given; none means all that `limited_by` allows.
    pub assigned: Arc<Descriptors>,
    /// The owner's rights when the key was created or last updated; cross-cluster keys have none.
    pub limited_by: Option<Arc<Descriptors>>,
    /// The `access` of cross-cluster keys, as given.
    pub access: Option<Value>,
    /// Which certificates a cross-cluster key is bound to.
    pub certificate_identity: Option<String>,
    /// What the secret hashes to.
    pub secret: Hash,
    /// Its place in the order of writing, which unsorted answers follow.
    pub doc: i64,
}

impl StoredKey {
    /// Whether the time is past its expiration.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expiration.is_some_and(|at| at <= now)
    }
}

/// The SHA-256 of a secret with a salt; compared in constant time.
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
    /// When the system has no random bytes to give.
    pub fn of(secret: &str) -> Outcome<Hash> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(Hash { salt, digest: Self::digest(&salt, secret) })
    }

    /// A hash that no secret is known for.
    ///
    /// # Errors
    /// When the system has no random bytes to give.
    pub fn unknown() -> Outcome<Hash> {
        let mut hash = Hash { salt: [0; 16], digest: [0; 32] };
        random(&mut hash.digest)?;
        Ok(hash)
    }

    /// Whether this is the secret.
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

/// Fills with random bytes of the system.
///
/// # Errors
/// When the system has none to give.
pub fn random(bytes: &mut [u8]) -> Outcome<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(bytes)
        .map_err(|_| EsError::new(500, "illegal_state_exception", "no random bytes to be had"))
}

/// A fresh id of 20 characters, as documents and API keys have.
///
/// # Errors
/// When the system has no random bytes to give.
pub fn fresh_id() -> Outcome<String> {
    let mut bytes = [0; 15];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A fresh secret or UUID of 22 characters.
///
/// # Errors
/// When the system has no random bytes to give.
pub fn fresh_secret() -> Outcome<String> {
    let mut bytes = [0; 16];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The whole cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Its UUID.
    pub uuid: String,
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Roles by name; the built-in ones have `_reserved` in their metadata.
    pub roles: BTreeMap<String, Descriptor>,
    /// The privileges that applications define, by application and name.
    pub app_privileges: BTreeMap<String, BTreeMap<String, AppPrivilege>>,
    /// Indices by name.
    pub indices: BTreeMap<String, Index>,
    /// When it was started, in epoch milliseconds.
    pub started: i64,
    /// What it may do beyond the basics.
    pub license: License,
    keys: Vec<StoredKey>,
    by_id: HashMap<String, usize>,
    by_creation: Vec<usize>,
    next_doc: i64,
}

impl Cluster {
    /// The key with this id.
    pub fn key(&self, id: &str) -> Option<&StoredKey> {
        self.by_id.get(id).and_then(|at| self.keys.get(*at))
    }

    /// All keys, in the order of their creation.
    pub fn keys(&self) -> &[StoredKey] {
        &self.keys
    }

    /// Adds a key; its place in the order of writing is set here.
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

    /// Adds many keys: the order by creation is made once, at the end.
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

    /// The keys created between two times, both included, the oldest first.
    pub fn created(&self, from: i64, to: i64) -> impl ExactSizeIterator<Item = &StoredKey> {
        let creation = |at: &usize| self.keys.get(*at).map_or(i64::MAX, |key| key.creation);
        let start = self.by_creation.partition_point(|at| creation(at) < from);
        let end = self.by_creation.partition_point(|at| creation(at) <= to).max(start);
        let range = self.by_creation.get(start..end).unwrap_or_default();
        range.iter().map(|at| &self.keys[*at])
    }

    /// Those of the keys with these ids that exist, in the order of their creation.
    pub fn keys_by_id(&self, ids: &[String]) -> Vec<&StoredKey> {
        let mut places: Vec<usize> = ids.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at| self.keys.get(at)).collect()
    }

    /// Changes a key; like every write it moves to the end of the order of writing.
    pub fn change_key(&mut self, id: &str, change: impl FnOnce(&mut StoredKey)) {
        if let Some(key) = self.by_id.get(id).and_then(|at| self.keys.get_mut(*at)) {
            change(key);
            key.doc = self.next_doc;
            self.next_doc += 1;
        }
    }

    /// The descriptors of those of the roles that exist, by name.
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
