//! Selected keys of a list. They are followed by id when the list is read again.

use std::sync::Arc;

use crate::{
    model::{
        api_key::KeyId,
        inventory::{Bitmap, RowId},
    },
    ops::keys::list::KeyList,
};

/// A set of keys of one list.
#[derive(Default)]
pub struct Selection {
    list: Option<Arc<KeyList>>,
    rows: Bitmap,
    count: usize,
}

impl Selection {
    /// Returns the number of selected keys.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns `true` if no key is selected.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns `true` if the key with this row id is selected.
    pub fn has(&self, row: RowId) -> bool {
        self.rows.has(row)
    }

    /// Returns the row ids of the selected keys, as a bitmap.
    pub fn rows(&self) -> &Bitmap {
        &self.rows
    }

    /// Returns the ids of the selected keys, in the order of the inventory.
    pub fn ids(&self) -> Vec<KeyId> {
        let Some(list) = &self.list else { return Vec::new() };
        self.rows.rows().map(|row| KeyId::new(list.keys.id(row))).collect()
    }

    /// Moves the selection to a list that was read again: keys that are still there stay selected.
    pub(crate) fn follow(&mut self, list: Option<Arc<KeyList>>) {
        let old = self.list.take();
        let mut row_ids = Bitmap::none(list.as_ref().map_or(0, |list| list.keys.len()));
        if let (Some(old), Some(list), false) = (&old, &list, self.is_empty()) {
            for row in self.rows.rows() {
                if let Some(row) = list.keys.row_id(&KeyId::new(old.keys.id(row))) {
                    row_ids.set(row, true);
                }
            }
        }
        self.count = row_ids.count();
        self.rows = row_ids;
        self.list = list;
    }

    pub(crate) fn set(&mut self, id: &KeyId, on: bool) {
        if let Some(row) = self.list.as_ref().and_then(|list| list.keys.row_id(id)) {
            self.rows.set(row, on);
            self.count = self.rows.count();
        }
    }

    /// Selects these rows; with `also` in addition to the selected ones, otherwise instead of them.
    pub(crate) fn take(&mut self, rows: impl IntoIterator<Item = RowId>, also: bool) {
        if !also {
            self.rows = Bitmap::none(self.rows.len());
        }
        rows.into_iter().for_each(|row| self.rows.set(row, true));
        self.count = self.rows.count();
    }

    pub(crate) fn remove(&mut self, ids: &[KeyId]) {
        ids.iter().for_each(|id| self.set_quietly(id));
        self.count = self.rows.count();
    }

    fn set_quietly(&mut self, id: &KeyId) {
        if let Some(row) = self.list.as_ref().and_then(|list| list.keys.row_id(id)) {
            self.rows.set(row, false);
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
        selection.take([0, 3].into_iter().filter_map(RowId::new), false);
        selection.take(RowId::new(1), true);
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
