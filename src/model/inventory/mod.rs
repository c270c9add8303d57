//! All keys of a cluster in columns: a million fit into memory, are filtered while one types, and come
//! back one by one as they were sent. It doesn't know where they come from, nor what time it is.

mod bitmap;
mod char_mask;
mod counts;
mod dictionaries;
mod granting;
mod json_template;
pub mod list_view;
pub mod overview;
mod row;
mod search;
mod sort;
mod string_arena;
mod value_index;

use std::{collections::HashMap, hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;
use serde_json::value::RawValue;

use super::{
    Millis,
    api_key::{ApiKey, KeyKind},
    privileges::descriptor::Grants,
    rights::Layer,
    time::expiry,
};
use dictionaries::said;
use json_template::JsonTemplate;
use row::split_roles;
use string_arena::{Dictionary, StringArena};
use value_index::ValueIndex;

pub use bitmap::Bitmap;
pub use counts::{Field, Moment, StatusCounts};
pub use search::{Asker, Found};
pub use sort::{Column, Order, Sort};

/// Stands for a moment that there is not; no cluster writes it.
const NO_TIME: Millis = Millis::MIN;
const INVALIDATED: u8 = 1;
const HAS_METADATA: u8 = 2;
const HAS_DESCRIPTORS: u8 = 4;

/// A key as it was sent, borrowed from the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawKey<'a> {
    /// Made by the cluster.
    pub id: &'a str,
    /// Free text.
    pub name: &'a str,
    /// The field `type`; empty where the cluster names none.
    pub kind: &'a str,
    /// Name of the owner within the realm.
    pub username: &'a str,
    /// Realm of the owner.
    pub realm: &'a str,
    /// When it was created.
    pub created: Millis,
    /// When it ends; `None` is never.
    pub expires: Option<Millis>,
    /// Whether it was taken away.
    pub invalidated: bool,
    /// When it was taken away.
    pub invalidated_at: Option<Millis>,
    /// Raw JSON.
    pub metadata: Option<&'a str>,
    /// Raw JSON.
    pub role_descriptors: Option<&'a str>,
    /// Raw JSON: the snapshots of its owner's rights, where they are told (since 8.5).
    pub limited_by: Option<&'a str>,
    /// Raw JSON of a cross-cluster key.
    pub access: Option<&'a str>,
    /// What of it could not be read.
    pub flaw: Option<&'a str>,
}

impl<'a> From<&'a ApiKey> for RawKey<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            id: key.id.as_str(),
            name: &key.name,
            kind: key.kind.wire(),
            username: &key.owner.username,
            realm: &key.owner.realm,
            created: key.created,
            expires: key.expires,
            invalidated: key.invalidated,
            invalidated_at: key.invalidated_at,
            metadata: key.metadata.as_deref().map(RawValue::get),
            role_descriptors: key.role_descriptors.as_deref().map(RawValue::get),
            limited_by: key.limited_by.as_deref().map(RawValue::get),
            access: key.access.as_deref().map(RawValue::get),
            flaw: key.flaw.as_deref(),
        }
    }
}

/// What became of a key that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there before.
    Added,
    /// It was there, and something about it was different.
    Changed,
    /// It was there, the same in every respect.
    Same,
    /// There is no room: a column is full, at 4 GB.
    Full,
}

/// All keys of a cluster. A place is a number from 0 that a key keeps for as long as the inventory lives.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    ids: StringArena,
    rows: HashTable<u32>,
    hasher: DefaultHashBuilder,
    names: StringArena,
    /// Places of names that are not plain ASCII, for which upper and lower case need more than a bit.
    odd_names: Vec<u32>,
    flags: Vec<u8>,
    kinds: Vec<u8>,
    owners: Vec<u32>,
    created: Vec<Millis>,
    expires: Vec<Millis>,
    invalidated_at: Vec<Millis>,
    applications: Vec<u32>,
    roles: Vec<u32>,
    managers: Vec<u32>,
    /// Codes of [`Known::pairs`].
    rights: Vec<u32>,
    forms: Vec<u32>,
    first_values: Vec<u32>,
    values: Vec<u32>,
    /// What cross-cluster keys give access to, by place.
    access: HashMap<u32, u32>,
    /// What of a key could not be read, by place.
    flaws: HashMap<u32, String>,
    known: Dictionaries,
    /// Places in the order of their names, once it was made.
    by_name: Vec<u32>,
    /// Places in the order of their ids, once it was made.
    by_id: Vec<u32>,
    /// The rank of each application id, once it was made.
    application_ranks: Vec<u32>,
    /// Which keys have each value of metadata, once that was made.
    holders: ValueIndex,
    /// Which letters the texts of each key have, once that was made.
    letters: Vec<u64>,
}

/// The distinct values that keys share.
#[derive(Clone, Debug, Default)]
struct Dictionaries {
    kinds: Vec<KeyKind>,
    /// User and realm, parted by a NUL.
    owners: Dictionary,
    applications: Dictionary,
    /// Sets of role names, each followed by a NUL.
    roles: Dictionary,
    managers: Dictionary,
    descriptors: Dictionary,
    /// What each number of `descriptors` grants.
    grants: Vec<Grants>,
    /// Whether each number of `descriptors` is the object without members.
    are_empty: Vec<bool>,
    /// Each code of `descriptors`, compiled for questions.
    layers: Vec<Arc<Layer>>,
    limits: Dictionary,
    /// Each code of `limits`, compiled for questions; `None` where nothing is told.
    limit_layers: Vec<Option<Arc<[Layer]>>>,
    /// Distinct pairs of a code of `descriptors` and one of `limits`: what a key's rights come from.
    pairs: Vec<(u32, u32)>,
    pair_codes: HashMap<(u32, u32), u32>,
    forms: Dictionary,
    /// What each number of `forms` says.
    shapes: Vec<JsonTemplate>,
    values: Dictionary,
    access: Dictionary,
}

impl Inventory {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a key in, or what is new about one that is there.
    pub fn put(&mut self, key: &RawKey<'_>) -> Put {
        let hash = self.hasher.hash_one(key.id.as_bytes());
        let known = self.rows.find(hash, |row| self.ids.raw(*row) == key.id.as_bytes()).copied();
        if let Some(row) = known {
            let row = row as usize;
            if self.is_same(row, key) {
                return Put::Same;
            }
            self.write(row, key);
            return Put::Changed;
        }
        self.add(key, hash)
    }

    /// Adds a key, whether or not there is one of its id.
    fn add(&mut self, key: &RawKey<'_>, hash: u64) -> Put {
        // Both or neither: all names behind one that is missing would stand beside other ids.
        if !self.names.has_room(key.name) {
            return Put::Full;
        }
        let Some(row) = self.ids.push(key.id) else { return Put::Full };
        self.names.push(key.name);
        let (ids, hasher) = (&self.ids, &self.hasher);
        self.rows.insert_unique(hash, row, |row| hasher.hash_one(ids.raw(*row)));
        if !key.name.is_ascii() {
            self.odd_names.push(row);
        }
        self.make_room();
        self.write(row as usize, key);
        self.by_name.clear();
        self.by_id.clear();
        Put::Added
    }

    fn make_room(&mut self) {
        self.flags.push(0);
        self.kinds.push(0);
        self.created.push(0);
        self.expires.push(NO_TIME);
        self.invalidated_at.push(NO_TIME);
        for column in [
            &mut self.owners,
            &mut self.applications,
            &mut self.roles,
            &mut self.managers,
            &mut self.rights,
            &mut self.forms,
            &mut self.first_values,
        ] {
            column.push(0);
        }
    }

    /// Everything about a key but its id and its name, which never change.
    fn write(&mut self, row: usize, key: &RawKey<'_>) {
        self.flags[row] = flags_of(key);
        self.kinds[row] = self.known.kind(key.kind);
        self.owners[row] = self.known.owner(key.username, key.realm);
        self.created[row] = key.created;
        self.expires[row] = key.expires.unwrap_or(NO_TIME);
        self.invalidated_at[row] = key.invalidated_at.unwrap_or(NO_TIME);
        let descriptors = self.known.descriptors(key.role_descriptors.unwrap_or_default());
        let limits = self.known.limits(key.limited_by.unwrap_or_default());
        self.rights[row] = self.known.pair(descriptors, limits);
        match key.access {
            Some(access) => drop(self.access.insert(row as u32, self.known.access.number(access))),
            None => drop(self.access.remove(&(row as u32))),
        }
        match key.flaw {
            Some(flaw) => drop(self.flaws.insert(row as u32, flaw.to_owned())),
            None => drop(self.flaws.remove(&(row as u32))),
        }
        self.first_values[row] = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let json = key.metadata.unwrap_or_default();
        let form = json_template::intern(json, &mut self.known.forms, &mut self.known.values, &mut self.values);
        self.known.shape(form);
        self.forms[row] = form;
        let said = said(json);
        self.applications[row] = self.known.applications.number(said.application_id.as_deref().unwrap_or_default());
        self.managers[row] = self.known.managers.number(said.managed_by.as_deref().unwrap_or_default());
        self.roles[row] = self.known.role_set(said.roles.as_deref(), descriptors);
        self.application_ranks.clear();
        self.holders.change(row);
        if row < self.letters.len() {
            self.letters[row] = self.letters_of(row);
        }
    }

    fn is_same(&self, row: usize, key: &RawKey<'_>) -> bool {
        let access = self.access.get(&(row as u32)).map(|number| self.known.access.get(*number));
        self.flags[row] == flags_of(key)
            && self.expires[row] == key.expires.unwrap_or(NO_TIME)
            && self.invalidated_at[row] == key.invalidated_at.unwrap_or(NO_TIME)
            && self.created[row] == key.created
            && self.known.descriptors.get(self.descriptors(row)) == key.role_descriptors.unwrap_or_default()
            && self.known.limits.get(self.limits(row)) == key.limited_by.unwrap_or_default()
            && access == key.access
            && self.flaw(row) == key.flaw
            && self.username(row) == key.username
            && self.realm(row) == key.realm
            && (self.kind(row).wire() == key.kind || key.kind.is_empty() && *self.kind(row) == KeyKind::Rest)
            && self.metadata(row).as_deref() == key.metadata
    }

    /// Makes the orders that take long, and what searches read instead of every text.
    pub fn make_orders(&mut self) {
        self.make_letters();
        self.make_holders();
        if self.by_name.len() != self.len() {
            self.by_name = self.names_in_order();
            self.by_id = self.ids_in_order();
        }
        if self.application_ranks.is_empty() {
            self.application_ranks = sort::ranks(&self.known.applications);
        }
    }

    /// Makes the orders that take long, and gives back memory that was kept ready for more keys.
    pub fn finish(&mut self) {
        self.make_orders();
        self.ids.shrink();
        self.names.shrink();
        self.odd_names.shrink_to_fit();
        self.flags.shrink_to_fit();
        self.kinds.shrink_to_fit();
        for times in [&mut self.created, &mut self.expires, &mut self.invalidated_at] {
            times.shrink_to_fit();
        }
        let numbers = [
            &mut self.owners,
            &mut self.applications,
            &mut self.roles,
            &mut self.managers,
            &mut self.rights,
            &mut self.forms,
            &mut self.first_values,
            &mut self.values,
        ];
        numbers.into_iter().for_each(Vec::shrink_to_fit);
        self.letters.shrink_to_fit();
        let (ids, hasher) = (&self.ids, &self.hasher);
        self.rows.shrink_to_fit(|row| hasher.hash_one(ids.raw(*row)));
        self.known.shrink();
    }

    /// Bytes that it takes in memory, distinct values included.
    pub fn bytes(&self) -> usize {
        let numbers = [
            &self.odd_names,
            &self.owners,
            &self.applications,
            &self.roles,
            &self.managers,
            &self.rights,
            &self.forms,
            &self.first_values,
            &self.values,
            &self.by_name,
            &self.by_id,
            &self.application_ranks,
        ];
        let times = [&self.created, &self.expires, &self.invalidated_at];
        self.ids.bytes()
            + self.names.bytes()
            + self.rows.allocation_size()
            + self.flags.capacity()
            + self.kinds.capacity()
            + numbers.iter().map(|column| column.capacity() * 4).sum::<usize>()
            + times.iter().map(|column| column.capacity() * 8).sum::<usize>()
            + self.letters.capacity() * 8
            + self.holders.bytes()
            + self.access.capacity() * 9
            + self.flaws.values().map(|flaw| flaw.capacity() + 32).sum::<usize>()
            + self.known.bytes()
    }

    /// The same without the keys of some places.
    pub fn without(&self, gone: &Bitmap) -> Self {
        let mut rest = Self::default();
        for row in (0..self.len()).filter(|row| !gone.has(*row)) {
            self.copy_into(row, &mut rest);
        }
        rest.finish();
        rest
    }

    /// Adds all keys of another cluster. An id that both know stands for two keys; by the id alone the first
    /// is meant.
    pub fn append(&mut self, other: &Self) {
        for row in 0..other.len() {
            other.with_raw(row, |raw| {
                let hash = self.hasher.hash_one(raw.id.as_bytes());
                self.add(raw, hash)
            });
        }
    }

    fn copy_into(&self, row: usize, other: &mut Self) -> Put {
        self.with_raw(row, |raw| other.put(raw))
    }

    fn with_raw<T>(&self, row: usize, take: impl FnOnce(&RawKey<'_>) -> T) -> T {
        let metadata = self.metadata(row);
        let has_descriptors = self.flags[row] & HAS_DESCRIPTORS != 0;
        take(&RawKey {
            id: self.id(row),
            name: self.name(row),
            kind: self.kind(row).wire(),
            username: self.username(row),
            realm: self.realm(row),
            created: self.created(row),
            expires: self.expires(row),
            invalidated: self.is_invalidated(row),
            invalidated_at: self.invalidated_at(row),
            metadata: metadata.as_deref(),
            role_descriptors: has_descriptors.then(|| self.known.descriptors.get(self.descriptors(row))),
            limited_by: self.limited_by(row),
            access: self.access.get(&(row as u32)).map(|number| self.known.access.get(*number)),
            flaw: self.flaw(row),
        })
    }

    /// How many keys that a client can sign in with have exactly this name.
    pub fn usable_named(&self, name: &str, now: Millis) -> usize {
        let fits = |row: usize| self.name(row) == name && self.status(row, now).is_usable();
        if self.by_name.len() != self.len() {
            return (0..self.len()).filter(|row| fits(*row)).count();
        }
        let wanted = name.to_lowercase();
        let lower = |row: &u32| self.names.get(*row).to_lowercase();
        let first = self.by_name.partition_point(|row| lower(row) < wanted);
        let same = self.by_name[first..].iter().take_while(|row| lower(row) == wanted);
        same.filter(|row| fits(**row as usize)).count()
    }

    /// The number of keys with this application id that can be used.
    pub fn usable_with_application_id(&self, id: &str, now: Millis) -> usize {
        let Some(number) = self.known.applications.find(id).filter(|number| *number != 0) else { return 0 };
        let fits = |row: &usize| self.applications[*row] == number && self.status(*row, now).is_usable();
        (0..self.len()).into_par_iter().with_min_len(bitmap::CHUNK).filter(fits).count()
    }

    /// The next moment at which a key crosses a threshold of its status.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let next = |row: usize| {
            let at = self.expires[row];
            if at == NO_TIME || self.flags[row] & INVALIDATED != 0 {
                return Millis::MAX;
            }
            let thresholds = [0, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| at.saturating_sub(t));
            thresholds.into_iter().filter(|at| *at > now).min().unwrap_or(Millis::MAX)
        };
        (0..self.len()).into_par_iter().with_min_len(bitmap::CHUNK).map(next).min().filter(|at| *at != Millis::MAX)
    }
}

fn flags_of(key: &RawKey<'_>) -> u8 {
    u8::from(key.invalidated) * INVALIDATED
        + u8::from(key.metadata.is_some()) * HAS_METADATA
        + u8::from(key.role_descriptors.is_some()) * HAS_DESCRIPTORS
}

#[cfg(test)]
mod rights_tests;
#[cfg(test)]
mod tests;
