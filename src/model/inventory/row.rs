//! Columns read by the place of a key, and keys put together again.

use std::hash::BuildHasher;

use serde_json::value::RawValue;

use super::{HAS_DESCRIPTORS, HAS_METADATA, INVALIDATED, Inventory, NO_TIME, json_template};
use crate::model::{
    Millis,
    api_key::{self, ApiKey, KeyId, KeyKind, Owner},
    time::expiry::{self, Status},
};

impl Inventory {
    /// The place of a key.
    pub fn row_id(&self, id: &KeyId) -> Option<usize> {
        self.row_id_of(id.as_str())
    }

    pub(super) fn row_id_of(&self, id: &str) -> Option<usize> {
        let hash = self.hasher.hash_one(id.as_bytes());
        self.rows.find(hash, |row| self.ids.raw(*row) == id.as_bytes()).map(|row| *row as usize)
    }

    /// The id of the key at a place.
    pub fn id(&self, row: usize) -> &str {
        self.ids.get(row as u32)
    }

    /// Its name.
    pub fn name(&self, row: usize) -> &str {
        self.names.get(row as u32)
    }

    /// Its kind.
    pub fn kind(&self, row: usize) -> &KeyKind {
        &self.known.kinds[usize::from(self.kinds[row])]
    }

    /// Its owner's name.
    pub fn username(&self, row: usize) -> &str {
        self.known.owners.get(self.owners[row]).split_once('\0').unwrap_or_default().0
    }

    /// Its owner's realm.
    pub fn realm(&self, row: usize) -> &str {
        self.known.owners.get(self.owners[row]).split_once('\0').unwrap_or_default().1
    }

    /// When it was created.
    pub fn created(&self, row: usize) -> Millis {
        self.created[row]
    }

    /// When it ends.
    pub fn expires(&self, row: usize) -> Option<Millis> {
        Some(self.expires[row]).filter(|at| *at != NO_TIME)
    }

    /// Whether it was taken away.
    pub fn is_invalidated(&self, row: usize) -> bool {
        self.flags[row] & INVALIDATED != 0
    }

    /// When it was taken away.
    pub fn invalidated_at(&self, row: usize) -> Option<Millis> {
        Some(self.invalidated_at[row]).filter(|at| *at != NO_TIME)
    }

    /// Its status at a moment of the cluster's clock.
    pub fn status(&self, row: usize, now: Millis) -> Status {
        Status::of(self.expires(row), self.is_invalidated(row), now)
    }

    /// `false` if the fields that tell its status could not be read.
    pub fn has_known_status(&self, row: usize) -> bool {
        let is_known = || !self.is_unread(row, "invalidated");
        self.flaws.is_empty() || is_known() && (self.is_invalidated(row) || !self.is_unread(row, "expiration"))
    }

    /// The same as places in [`Status::ALL`], for many keys: with nothing to foretell for the processor.
    pub(super) fn status_ranks(&self, now: Millis) -> impl Fn(usize) -> usize + Sync + '_ {
        let [now, expiring, soon] = [0, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| now.saturating_add(t));
        move |row| {
            let at = self.expires[row];
            let left = usize::from(at > now) + usize::from(at > expiring) + usize::from(at > soon);
            let by_time = if at == NO_TIME { Status::Never.place() } else { left };
            if self.is_invalidated(row) { Status::Invalidated.place() } else { by_time }
        }
    }

    /// The application id that its creator chose.
    pub fn application_id(&self, row: usize) -> Option<&str> {
        Some(self.known.applications.get(self.applications[row])).filter(|id| !id.is_empty())
    }

    /// The product that made it for itself.
    pub fn managed_by(&self, row: usize) -> Option<&str> {
        Some(self.known.managers.get(self.managers[row])).filter(|product| !product.is_empty())
    }

    /// The names of its roles.
    pub fn roles(&self, row: usize) -> impl Iterator<Item = &str> {
        split_roles(self.known.roles.get(self.roles[row]))
    }

    /// What of it could not be read.
    pub fn flaw(&self, row: usize) -> Option<&str> {
        self.flaws.get(&(row as u32)).map(String::as_str)
    }

    /// `true` if this field of the key could not be read, so that the value here says nothing.
    pub fn is_unread(&self, row: usize, field: &str) -> bool {
        self.flaw(row).is_some_and(|flaw| api_key::names_field(flaw, field))
    }

    /// The first key that could not be read as a whole.
    pub fn first_flaw(&self) -> Option<(usize, &str)> {
        let first = self.flaws.iter().min_by_key(|(row, _)| **row)?;
        Some((*first.0 as usize, first.1))
    }

    /// The places of keys that could not be read as a whole, in order.
    pub fn flawed_rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = self.flaws.keys().map(|row| *row as usize).collect();
        rows.sort_unstable();
        rows
    }

    /// How many keys could not be read as a whole.
    pub fn flawed(&self) -> usize {
        self.flaws.len()
    }

    /// Its metadata, to the byte.
    pub fn metadata(&self, row: usize) -> Option<String> {
        if self.flags[row] & HAS_METADATA == 0 {
            return None;
        }
        let values = self.values_of(row).iter().map(|number| self.known.values.get(*number));
        Some(json_template::put_together(self.known.forms.get(self.forms[row]), values))
    }

    pub(super) fn values_of(&self, row: usize) -> &[u32] {
        let first = self.first_values[row] as usize;
        let count = self.known.shapes[self.forms[row] as usize].paths.len();
        self.values.get(first..first + count).unwrap_or_default()
    }

    /// The code of its descriptors.
    pub(super) fn descriptors(&self, row: usize) -> u32 {
        self.known.pairs[self.rights[row] as usize].0
    }

    /// The code of the snapshots of its owner's rights; 0 where they are not told.
    pub(super) fn limits(&self, row: usize) -> u32 {
        self.known.pairs[self.rights[row] as usize].1
    }

    /// The snapshots of its owner's rights as raw JSON, where they are told.
    pub fn limited_by(&self, row: usize) -> Option<&str> {
        Some(self.known.limits.get(self.limits(row))).filter(|json| !json.is_empty())
    }

    /// What its descriptors grant, in a few words.
    pub fn can(&self, row: usize) -> String {
        if self.is_unrestricted(row) {
            return "All owner’s rights".into();
        }
        if self.flags[row] & HAS_DESCRIPTORS == 0 {
            return String::new();
        }
        self.known.grants[self.descriptors(row) as usize].short()
    }

    /// Whether it may do all that its owner could.
    pub fn is_unrestricted(&self, row: usize) -> bool {
        self.flags[row] & HAS_DESCRIPTORS != 0
            && *self.kind(row) == KeyKind::Rest
            && self.known.are_empty[self.descriptors(row) as usize]
    }

    /// The key at a place, whole.
    pub fn key(&self, row: usize) -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
        let has_descriptors = self.flags[row] & HAS_DESCRIPTORS != 0;
        let descriptors = self.known.descriptors.get(self.descriptors(row));
        ApiKey {
            metadata: self.metadata(row).and_then(|json| RawValue::from_string(json).ok()),
            role_descriptors: has_descriptors.then(|| raw(descriptors)).flatten(),
            limited_by: self.limited_by(row).and_then(raw),
            access: self.access.get(&(row as u32)).and_then(|number| raw(self.known.access.get(*number))),
            ..self.listed(row)
        }
    }

    /// The key at a place as a row of a list shows it: without the texts of its metadata and descriptors, of which there
    /// may be megabytes. Those of an unrestricted key are empty, as they are.
    pub fn listed(&self, row: usize) -> ApiKey {
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

    /// All keys, whole, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = ApiKey> + '_ {
        (0..self.len()).map(|row| self.key(row))
    }
}

pub(super) fn split_roles(set: &str) -> impl Iterator<Item = &str> {
    set.split_terminator('\0')
}
