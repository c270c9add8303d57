//! Which keys are selected. It follows them by id when the list is read again.

use std::sync::Arc;

use crate::{
    model::{api_key::KeyId, inventory::Bitmap},
    ops::keys::list::KeyList,
};

/// A set of keys of one list.
#[derive(Default)]
pub struct Selection {
    list: Option<Arc<KeyList>>,
    places: Bitmap,
    count: usize,
}

impl Selection {
    /// How many are selected.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is selected.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the key at a place of the list is selected.
    pub fn has(&self, place: usize) -> bool {
        self.places.has(place)
    }

    /// The places.
    pub fn rows(&self) -> &Bitmap {
        &self.places
    }

    /// The ids.
    pub fn ids(&self) -> Vec<KeyId> {
        let Some(list) = &self.list else { return Vec::new() };
        self.places.rows().map(|place| KeyId::new(list.keys.id(place))).collect()
    }

    /// The list was read again: the same keys stay selected, those that are gone do not.
    pub(crate) fn follow(&mut self, list: Option<Arc<KeyList>>) {
        let old = self.list.take();
        let mut places = Bitmap::none(list.as_ref().map_or(0, |list| list.keys.len()));
        if let (Some(old), Some(list), false) = (&old, &list, self.is_empty()) {
            for place in self.places.rows() {
                if let Some(place) = list.keys.row_id(&KeyId::new(old.keys.id(place))) {
                    places.set(place, true);
                }
            }
        }
        self.count = places.count();
        self.places = places;
        self.list = list;
    }

    pub(crate) fn set(&mut self, id: &KeyId, on: bool) {
        if let Some(place) = self.list.as_ref().and_then(|list| list.keys.row_id(id)) {
            self.places.set(place, on);
            self.count = self.places.count();
        }
    }

    /// Only these, or these too.
    pub(crate) fn take(&mut self, places: impl IntoIterator<Item = u32>, also: bool) {
        if !also {
            self.places = Bitmap::none(self.places.len());
        }
        places.into_iter().for_each(|place| self.places.set(place as usize, true));
        self.count = self.places.count();
    }

    pub(crate) fn remove(&mut self, ids: &[KeyId]) {
        ids.iter().for_each(|id| self.set_quietly(id));
        self.count = self.places.count();
    }

    fn set_quietly(&mut self, id: &KeyId) {
        if let Some(place) = self.list.as_ref().and_then(|list| list.keys.row_id(id)) {
            self.places.set(place, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Inventory, RawKey};

    fn list(ids: &[&str]) -> Option<Arc<KeyList>> {
        let mut keys = Inventory::default();
        for id in ids {
            keys.put(&RawKey { id, ..RawKey::default() });
        }
        Some(Arc::new(KeyList { keys, ..KeyList::default() }))
    }

    #[test]
    fn a_selection_follows_its_keys_when_they_move_or_go() {
        let mut selection = Selection::default();
        selection.follow(list(&["a", "b", "c", "d"]));
        selection.take([0, 3], false);
        selection.take([1], true);
        assert_eq!(selection.ids(), ["a", "b", "d"].map(KeyId::new));
        selection.follow(list(&["x", "d", "a"]));
        assert_eq!((selection.ids(), selection.len()), (["d", "a"].map(KeyId::new).to_vec(), 2));
        selection.set(&KeyId::new("x"), true);
        selection.remove(&[KeyId::new("a"), KeyId::new("not there")]);
        assert_eq!(selection.ids(), ["x", "d"].map(KeyId::new));
        selection.follow(None);
        assert!(selection.is_empty() && selection.ids().is_empty());
    }
}
