//! Number of a row, and columns that are read by it.

use std::ops::{Deref, DerefMut, Index, IndexMut};

/// Row id: number of a key in an inventory, from 0, which the key keeps for as long as the inventory lives. Not to be
/// confused with the position of a key in a sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct RowId(pub(super) u32);

impl RowId {
    /// Returns the row id with an index; `None` if no inventory holds as many keys.
    pub fn new(index: usize) -> Option<Self> {
        u32::try_from(index).ok().filter(|number| *number < u32::MAX).map(Self)
    }

    /// Returns the index of the row, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Cells of a column: one value for each row.
#[derive(Clone, Debug)]
pub(super) struct Cells<T>(Vec<T>);

impl<T> Default for Cells<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Cells<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for Cells<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> Index<RowId> for Cells<T> {
    type Output = T;

    fn index(&self, row: RowId) -> &T {
        &self.0[row.index()]
    }
}

impl<T> IndexMut<RowId> for Cells<T> {
    fn index_mut(&mut self, row: RowId) -> &mut T {
        &mut self.0[row.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_id_is_as_small_as_its_number_and_has_the_limit_of_the_columns() {
        assert_eq!(size_of::<RowId>(), size_of::<u32>());
        assert_eq!(RowId::new(7).map(RowId::index), Some(7));
        let full = u32::MAX as usize;
        assert_eq!(
            (RowId::new(full - 1).map(RowId::index), RowId::new(full), RowId::new(full + 1)),
            (Some(full - 1), None, None)
        );
    }
}
