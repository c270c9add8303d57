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
        self.places.find(hash, |place| self.ids.raw(*place) == id.as_bytes()).map(|place| *place as usize)
    }

    /// The id of the key at a place.
    pub fn id(&self, place: usize) -> &str {
        self.ids.get(place as u32)
    }

    /// Its name.
    pub fn name(&self, place: usize) -> &str {
        self.names.get(place as u32)
    }

    /// Its kind.
    pub fn kind(&self, place: usize) -> &KeyKind {
        &self.known.kinds[usize::from(self.kinds[place])]
    }

    /// Its owner's name.
    pub fn username(&self, place: usize) -> &str {
        self.known.owners.get(self.owners[place]).split_once('\0').unwrap_or_default().0
    }

    /// Its owner's realm.
    pub fn realm(&self, place: usize) -> &str {
        self.known.owners.get(self.owners[place]).split_once('\0').unwrap_or_default().1
    }

    /// When it was created.
    pub fn created(&self, place: usize) -> Millis {
        self.created[place]
    }

    /// When it ends.
    pub fn expires(&self, place: usize) -> Option<Millis> {
        Some(self.expires[place]).filter(|at| *at != NO_TIME)
    }

    /// Whether it was taken away.
    pub fn is_invalidated(&self, place: usize) -> bool {
        self.flags[place] & INVALIDATED != 0
    }

    /// When it was taken away.
    pub fn invalidated_at(&self, place: usize) -> Option<Millis> {
        Some(self.invalidated_at[place]).filter(|at| *at != NO_TIME)
    }

    /// Its status at a moment of the cluster's clock.
    pub fn status(&self, place: usize, now: Millis) -> Status {
        Status::of(self.expires(place), self.is_invalidated(place), now)
    }

    /// `false` if the fields that tell its status could not be read.
    pub fn has_known_status(&self, place: usize) -> bool {
        let is_known = || !self.is_unread(place, "invalidated");
        self.flaws.is_empty() || is_known() && (self.is_invalidated(place) || !self.is_unread(place, "expiration"))
    }

    /// The same as places in [`Status::ALL`], for many keys: with nothing to foretell for the processor.
    pub(super) fn status_ranks(&self, now: Millis) -> impl Fn(usize) -> usize + Sync + '_ {
        let [now, expiring, soon] = [0, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| now.saturating_add(t));
        move |place| {
            let at = self.expires[place];
            let left = usize::from(at > now) + usize::from(at > expiring) + usize::from(at > soon);
            let by_time = if at == NO_TIME { Status::Never.place() } else { left };
            if self.is_invalidated(place) { Status::Invalidated.place() } else { by_time }
        }
    }

    /// The application id that its creator chose.
    pub fn application_id(&self, place: usize) -> Option<&str> {
        Some(self.known.applications.get(self.applications[place])).filter(|id| !id.is_empty())
    }

    /// The product that made it for itself.
    pub fn managed_by(&self, place: usize) -> Option<&str> {
        Some(self.known.managers.get(self.managers[place])).filter(|product| !product.is_empty())
    }

    /// The names of its roles.
    pub fn roles(&self, place: usize) -> impl Iterator<Item = &str> {
        split_roles(self.known.roles.get(self.roles[place]))
    }

    /// What of it could not be read.
    pub fn flaw(&self, place: usize) -> Option<&str> {
        self.flaws.get(&(place as u32)).map(String::as_str)
    }

    /// `true` if this field of the key could not be read, so that the value here says nothing.
    pub fn is_unread(&self, place: usize, field: &str) -> bool {
        self.flaw(place).is_some_and(|flaw| api_key::names_field(flaw, field))
    }

    /// The first key that could not be read as a whole.
    pub fn first_flaw(&self) -> Option<(usize, &str)> {
        let first = self.flaws.iter().min_by_key(|(place, _)| **place)?;
        Some((*first.0 as usize, first.1))
    }

    /// The places of keys that could not be read as a whole, in order.
    pub fn flawed_rows(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.flaws.keys().map(|place| *place as usize).collect();
        places.sort_unstable();
        places
    }

    /// How many keys could not be read as a whole.
    pub fn flawed(&self) -> usize {
        self.flaws.len()
    }

    /// Its metadata, to the byte.
    pub fn metadata(&self, place: usize) -> Option<String> {
        if self.flags[place] & HAS_METADATA == 0 {
            return None;
        }
        let values = self.values_of(place).iter().map(|number| self.known.values.get(*number));
        Some(json_template::put_together(self.known.forms.get(self.forms[place]), values))
    }

    pub(super) fn values_of(&self, place: usize) -> &[u32] {
        let first = self.first_values[place] as usize;
        let count = self.known.shapes[self.forms[place] as usize].paths.len();
        self.values.get(first..first + count).unwrap_or_default()
    }

    /// The code of its descriptors.
    pub(super) fn descriptors(&self, place: usize) -> u32 {
        self.known.pairs[self.rights[place] as usize].0
    }

    /// The code of the snapshots of its owner's rights; 0 where they are not told.
    pub(super) fn limits(&self, place: usize) -> u32 {
        self.known.pairs[self.rights[place] as usize].1
    }

    /// The snapshots of its owner's rights as raw JSON, where they are told.
    pub fn limited_by(&self, place: usize) -> Option<&str> {
        Some(self.known.limits.get(self.limits(place))).filter(|json| !json.is_empty())
    }

    /// What its descriptors grant, in a few words.
    pub fn can(&self, place: usize) -> String {
        if self.is_unrestricted(place) {
            return "All owner’s rights".into();
        }
        if self.flags[place] & HAS_DESCRIPTORS == 0 {
            return String::new();
        }
        self.known.grants[self.descriptors(place) as usize].short()
    }

    /// Whether it may do all that its owner could.
    pub fn is_unrestricted(&self, place: usize) -> bool {
        self.flags[place] & HAS_DESCRIPTORS != 0
            && *self.kind(place) == KeyKind::Rest
            && self.known.are_empty[self.descriptors(place) as usize]
    }

    /// The key at a place, whole.
    pub fn key(&self, place: usize) -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
        let has_descriptors = self.flags[place] & HAS_DESCRIPTORS != 0;
        let descriptors = self.known.descriptors.get(self.descriptors(place));
        ApiKey {
            metadata: self.metadata(place).and_then(|json| RawValue::from_string(json).ok()),
            role_descriptors: has_descriptors.then(|| raw(descriptors)).flatten(),
            limited_by: self.limited_by(place).and_then(raw),
            access: self.access.get(&(place as u32)).and_then(|number| raw(self.known.access.get(*number))),
            ..self.listed(place)
        }
    }

    /// The key at a place as a row of a list shows it: without the texts of its metadata and descriptors, of which there
    /// may be megabytes. Those of an unrestricted key are empty, as they are.
    pub fn listed(&self, place: usize) -> ApiKey {
        let empty = || RawValue::from_string("{}".to_owned()).ok();
        let key = ApiKey {
            id: KeyId::new(self.id(place)),
            name: self.name(place).to_owned(),
            kind: self.kind(place).clone(),
            owner: Owner { username: self.username(place).to_owned(), realm: self.realm(place).to_owned() },
            created: self.created(place),
            expires: self.expires(place),
            invalidated: self.is_invalidated(place),
            invalidated_at: self.invalidated_at(place),
            role_descriptors: if self.is_unrestricted(place) { empty() } else { None },
            flaw: self.flaw(place).map(str::to_owned),
            ..ApiKey::default()
        };
        let manager = self.known.managers.get(self.managers[place]);
        key.with_known_facts(
            self.application_id(place).map(str::to_owned),
            self.roles(place).map(str::to_owned).collect(),
            (!manager.is_empty()).then(|| manager.to_owned()),
        )
    }

    /// All keys, whole, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = ApiKey> + '_ {
        (0..self.len()).map(|place| self.key(place))
    }
}

pub(super) fn split_roles(set: &str) -> impl Iterator<Item = &str> {
    set.split_terminator('\0')
}
