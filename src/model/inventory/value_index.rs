//! Inverted index of the values in metadata: read by a search instead of the metadata of every key.

use rayon::prelude::*;

use super::{Bitmap, Inventory, RowId};

/// Inverted index: for each code of a value the rows of the keys that have it; empty until computed. Keys added or
/// changed later are not covered and must be checked one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueIndex {
    /// Start of the rows of each code in `rows`; one entry more than there are codes.
    starts: Vec<u32>,
    rows: Vec<RowId>,
    /// Number of rows that are indexed, from row id 0.
    upto: usize,
    changed: Vec<RowId>,
}

impl ValueIndex {
    fn of(&self, number: usize) -> &[RowId] {
        let [Some(start), Some(end)] = [number, number + 1].map(|at| self.starts.get(at)) else { return &[] };
        &self.rows[*start as usize..*end as usize]
    }

    /// Marks a key as changed, so that it is checked itself.
    pub(super) fn change(&mut self, row: RowId) {
        if row.index() < self.upto {
            self.changed.push(row);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.starts.capacity() + self.rows.capacity() + self.changed.capacity()) * 4
    }
}

impl Inventory {
    /// Indexes all keys, unless the index is up to date.
    pub(super) fn make_holders(&mut self) {
        if self.holders.upto == self.len() && self.holders.changed.is_empty() {
            return;
        }
        let mut starts = vec![0; self.known.values.len() + 1];
        let numbers = || self.row_ids().flat_map(|row| self.values_of(row).iter().map(move |number| (row, *number)));
        numbers().for_each(|(_, number)| starts[number as usize + 1] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        // Each row id is written where the next one of its code belongs.
        let mut next = starts.clone();
        let mut rows = vec![RowId(0); sum as usize];
        for (row, number) in numbers() {
            let at = &mut next[number as usize];
            rows[*at as usize] = row;
            *at += 1;
        }
        self.holders = ValueIndex { starts, rows, upto: self.len(), changed: Vec::new() };
    }

    /// Returns the keys that have any of these values, given by their codes.
    pub(super) fn holding(&self, wanted: &Bitmap) -> Bitmap {
        let holders = &self.holders;
        let has = |row: RowId| self.values_of(row).iter().any(|number| wanted.has_bit(*number as usize));
        if holders.upto == 0 {
            return Bitmap::of(self.len(), has);
        }
        let numbers: Vec<usize> = wanted.bits().collect();
        let mut found = numbers
            .par_iter()
            .with_min_len(64)
            .fold(
                || Bitmap::none(self.len()),
                |mut found, number| {
                    holders.of(*number).iter().for_each(|row| found.set(*row, true));
                    found
                },
            )
            .reduce(|| Bitmap::none(self.len()), |one, other| one.or(&other));
        let loose = holders.changed.iter().copied().chain(self.row_ids().skip(holders.upto));
        loose.for_each(|row| found.set(row, has(row)));
        found
    }
}
