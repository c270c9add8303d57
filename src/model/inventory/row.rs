//! Columns read by row id, and keys put together again.

use std::hash::BuildHasher;

use serde_json::value::RawValue;

use super::{HAS_DESCRIPTORS, HAS_METADATA, INVALIDATED, Inventory, NO_TIME, RowId, json_template};
use crate::model::{
    TimeDelta, Timestamp,
    api_key::{self, ApiKey, KeyId, KeyKind, Owner},
    time::{expiry, status::Status},
};

impl Inventory {
    /// Returns the row id of a key; `None` if it is not in the inventory.
    pub fn row_id(&self, id: &KeyId) -> Option<RowId> {
        self.row_id_of(id.as_str())
    }

    pub(super) fn row_id_of(&self, id: &str) -> Option<RowId> {
        let hash = self.hasher.hash_one(id.as_bytes());
        self.rows.find(hash, |row| self.ids.raw(row.0) == id.as_bytes()).copied()
    }

    /// Returns the id of the key.
    pub fn id(&self, row: RowId) -> &str {
        self.ids.get(row.0)
    }

    /// Returns the name of the key.
    pub fn name(&self, row: RowId) -> &str {
        self.names.get(row.0)
    }

    /// Returns the kind of the key.
    pub fn kind(&self, row: RowId) -> &KeyKind {
        &self.known.kinds[usize::from(self.kinds[row])]
    }

    /// Returns the owner's name.
    pub fn username(&self, row: RowId) -> &str {
        self.known.owners.get(self.owners[row]).split_once('\0').unwrap_or_default().0
    }

    /// Returns the owner's realm.
    pub fn realm(&self, row: RowId) -> &str {
        self.known.owners.get(self.owners[row]).split_once('\0').unwrap_or_default().1
    }

    /// Returns the time of creation.
    pub fn created(&self, row: RowId) -> Timestamp {
        self.created[row]
    }

    /// Returns the time of expiration; `None` if the key never expires.
    pub fn expires(&self, row: RowId) -> Option<Timestamp> {
        Some(self.expires[row]).filter(|at| *at != NO_TIME)
    }

    /// `true` if the key was invalidated.
    pub fn is_invalidated(&self, row: RowId) -> bool {
        self.flags[row] & INVALIDATED != 0
    }

    /// Returns the time of invalidation; `None` if it was not invalidated or the time is not known.
    pub fn invalidated_at(&self, row: RowId) -> Option<Timestamp> {
        Some(self.invalidated_at[row]).filter(|at| *at != NO_TIME)
    }

    /// Returns the status at a moment of the cluster's clock.
    pub fn status(&self, row: RowId, now: Timestamp) -> Status {
        Status::of(self.expires(row), self.is_invalidated(row), now)
    }

    /// `false` if the fields that the status depends on could not be read.
    pub fn has_known_status(&self, row: RowId) -> bool {
        let is_known = || !self.is_unread(row, "invalidated");
        self.flaws.is_empty() || is_known() && (self.is_invalidated(row) || !self.is_unread(row, "expiration"))
    }

    /// Returns a function from a row id to the index of its status in [`Status::ALL`], fast for many keys: it has no
    /// branches for the processor to mispredict.
    pub(super) fn status_ranks(&self, now: Timestamp) -> impl Fn(RowId) -> usize + Sync + '_ {
        let [now, expiring, soon] = [TimeDelta::ZERO, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| now + t);
        move |row| {
            let at = self.expires[row];
            let left = usize::from(at > now) + usize::from(at > expiring) + usize::from(at > soon);
            let by_time = if at == NO_TIME { Status::Never.place() } else { left };
            if self.is_invalidated(row) { Status::Invalidated.place() } else { by_time }
        }
    }

    /// Returns the application id that the creator chose.
    pub fn application_id(&self, row: RowId) -> Option<&str> {
        Some(self.known.applications.get(self.applications[row])).filter(|id| !id.is_empty())
    }

    /// Returns the product that made the key for itself.
    pub fn managed_by(&self, row: RowId) -> Option<&str> {
        Some(self.known.managers.get(self.managers[row])).filter(|product| !product.is_empty())
    }

    /// Returns the names of the key's roles.
    pub fn roles(&self, row: RowId) -> impl Iterator<Item = &str> {
        split_roles(self.known.roles.get(self.roles[row]))
    }

    /// Returns the names of the fields that could not be read, with the reasons; `None` for nearly every key.
    pub fn flaw(&self, row: RowId) -> Option<&str> {
        self.flaws.get(&row).map(String::as_str)
    }

    /// `true` if this field of the key could not be read, so that the value here means nothing.
    pub fn is_unread(&self, row: RowId, field: &str) -> bool {
        self.flaw(row).is_some_and(|flaw| api_key::names_field(flaw, field))
    }

    /// Returns the first key that could not be fully read: its row id and the unreadable fields.
    pub fn first_flaw(&self) -> Option<(RowId, &str)> {
        let first = self.flaws.iter().min_by_key(|(row, _)| **row)?;
        Some((*first.0, first.1))
    }

    /// Returns the row ids of keys that could not be fully read, sorted.
    pub fn flawed_rows(&self) -> Vec<RowId> {
        let mut rows: Vec<RowId> = self.flaws.keys().copied().collect();
        rows.sort_unstable();
        rows
    }

    /// Returns the number of keys that could not be fully read.
    pub fn flawed(&self) -> usize {
        self.flaws.len()
    }

    /// Returns the metadata, identical to the byte; `None` if the cluster sent none.
    pub fn metadata(&self, row: RowId) -> Option<String> {
        if self.flags[row] & HAS_METADATA == 0 {
            return None;
        }
        let values = self.values_of(row).iter().map(|number| self.known.values.get(*number));
        Some(json_template::put_together(self.known.forms.get(self.forms[row]), values))
    }

    pub(super) fn values_of(&self, row: RowId) -> &[u32] {
        let first = self.first_values[row] as usize;
        let count = self.known.shapes[self.forms[row] as usize].paths.len();
        self.values.get(first..first + count).unwrap_or_default()
    }

    /// Returns the code of the key's descriptors.
    pub(super) fn descriptors(&self, row: RowId) -> u32 {
        self.known.pairs[self.rights[row] as usize].0
    }

    /// Returns the code of the owner's snapshots; 0 if they are not known.
    pub(super) fn limits(&self, row: RowId) -> u32 {
        self.known.pairs[self.rights[row] as usize].1
    }

    /// Returns the owner's snapshots as raw JSON; `None` if they are not known.
    pub fn limited_by(&self, row: RowId) -> Option<&str> {
        Some(self.known.limits.get(self.limits(row))).filter(|json| !json.is_empty())
    }

    /// Returns a short label of what the descriptors grant; empty if they are not known.
    pub fn can(&self, row: RowId) -> String {
        if self.is_unrestricted(row) {
            return "All owner’s rights".into();
        }
        if self.flags[row] & HAS_DESCRIPTORS == 0 {
            return String::new();
        }
        self.known.grants[self.descriptors(row) as usize].short()
    }

    /// `true` if the key was created without descriptors, so that it may do all that its owner could.
    pub fn is_unrestricted(&self, row: RowId) -> bool {
        self.flags[row] & HAS_DESCRIPTORS != 0
            && *self.kind(row) == KeyKind::Rest
            && self.known.are_empty[self.descriptors(row) as usize]
    }

    /// Returns the key with all its values.
    pub fn key(&self, row: RowId) -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
        let has_descriptors = self.flags[row] & HAS_DESCRIPTORS != 0;
        let descriptors = self.known.descriptors.get(self.descriptors(row));
        ApiKey {
            metadata: self.metadata(row).and_then(|json| RawValue::from_string(json).ok()),
            role_descriptors: has_descriptors.then(|| raw(descriptors)).flatten(),
            limited_by: self.limited_by(row).and_then(raw),
            access: self.access.get(&row).and_then(|number| raw(self.known.access.get(*number))),
            ..self.listed(row)
        }
    }

    /// Returns the key as a list shows it: without the texts of its metadata and descriptors, which may be megabytes.
    /// An unrestricted key keeps its descriptors, which are empty.
    pub fn listed(&self, row: RowId) -> ApiKey {
        let empty = || RawValue::from_string("{}".to_owned()).ok();
        let key = ApiKey {
            id: KeyId::new(self.id(row)),
            name: self.name(row).to_owned(),
            kind: self.kind(row).clone(),
            owner: Owner { username: self.username(row).to_owned(), realm: self.realm(row).to_owned() },
            created: self.created(row),
            expires: self.expires(row),
            invalidated: self.is_invalidated(row),
            invalidated_at: self.invalidated_at(row),
            role_descriptors: if self.is_unrestricted(row) { empty() } else { None },
            flaw: self.flaw(row).map(str::to_owned),
            ..ApiKey::default()
        };
        let manager = self.known.managers.get(self.managers[row]);
        key.with_known_facts(
            self.application_id(row).map(str::to_owned),
            self.roles(row).map(str::to_owned).collect(),
            (!manager.is_empty()).then(|| manager.to_owned()),
        )
    }

    /// Returns all keys with all their values, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = ApiKey> + '_ {
        self.row_ids().map(|row| self.key(row))
    }
}

pub(super) fn split_roles(set: &str) -> impl Iterator<Item = &str> {
    set.split_terminator('\0')
}
