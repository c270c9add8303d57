//! In-memory state of the practice cluster: users, roles, API keys, indices. Plain data; permissions are checked
//! elsewhere.

use super::{
    index::Index,
    key::{Descriptors, StoredKey},
    license::License,
    user::User,
};
use crate::sandbox::security::descriptor::Descriptor;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Privilege of an application.
#[derive(Debug, Clone, PartialEq)]
pub struct AppPrivilege {
    /// Actions that the privilege grants, as patterns.
    pub actions: Vec<String>,
    /// Free-form metadata.
    pub metadata: Map<String, Value>,
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
    use crate::sandbox::{seed, state::secret::fresh_id};

    #[test]
    fn keys_are_found_by_when_they_were_made_whatever_their_order() {
        let mut cluster = seed::fill(40, 1_795_490_903_188).map(|(cluster, _)| cluster).unwrap();
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
}
