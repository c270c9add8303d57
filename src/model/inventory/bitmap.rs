//! Set of row ids: one bit each, so that a million fit into 125 kB.

use rayon::prelude::*;

use super::RowId;

/// Number of rows that one thread processes at a time; a multiple of 64, so that no two threads share a word.
pub(super) const CHUNK: usize = 1 << 15;

/// Returns the positions of the set bits of a word, smallest first.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

/// Set of row ids below a fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// Returns the empty set over `len` rows.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// Returns the set of all `len` rows.
    pub fn all(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        bits.trim();
        bits
    }

    /// Returns the set of the rows for which `holds` is true, evaluated on all processors.
    pub fn of(len: usize, holds: impl Fn(RowId) -> bool + Sync) -> Self {
        Self::of_bits(len, |row| holds(RowId(row as u32)))
    }

    /// Returns the set of the numbers for which `holds` is true, for sets of codes.
    pub(super) fn of_bits(len: usize, holds: impl Fn(usize) -> bool + Sync) -> Self {
        let mut bits = Self::none(len);
        bits.fill(|chunk, first| {
            for (at, word) in chunk.iter_mut().enumerate() {
                let first = first + at * 64;
                for bit in 0..64.min(len.saturating_sub(first)) {
                    *word |= u64::from(holds(first + bit)) << bit;
                }
            }
        });
        bits
    }

    /// Adds the rows for which `holds` is true; it is called only for rows not yet in the set.
    pub(super) fn add(&mut self, holds: impl Fn(RowId) -> bool + Sync) {
        let len = self.len;
        self.fill(|chunk, first| {
            for (at, word) in chunk.iter_mut().enumerate() {
                let first = first + at * 64;
                let mut missing = !*word;
                while missing != 0 {
                    let bit = missing.trailing_zeros() as usize;
                    missing &= missing - 1;
                    if first + bit >= len {
                        break;
                    }
                    *word |= u64::from(holds(RowId((first + bit) as u32))) << bit;
                }
            }
        });
    }

    /// Decides each number anew, for sets of codes; `holds` gets the number and whether it was in the set.
    pub(super) fn revise(&mut self, holds: impl Fn(usize, bool) -> bool + Sync) {
        let len = self.len;
        self.fill(|chunk, first| {
            for (at, word) in chunk.iter_mut().enumerate() {
                let (first, old) = (first + at * 64, *word);
                *word = 0;
                for bit in 0..64.min(len.saturating_sub(first)) {
                    *word |= u64::from(holds(first + bit, old >> bit & 1 == 1)) << bit;
                }
            }
        });
    }

    /// Returns the words of the set, 64 rows each.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Lets each thread write the words of its chunk; `write` gets the words and the row id of their first bit.
    pub(super) fn fill(&mut self, write: impl Fn(&mut [u64], usize) + Sync) {
        let chunks = self.words.par_chunks_mut(CHUNK / 64).enumerate();
        chunks.for_each(|(chunk, words)| write(words, chunk * CHUNK));
    }

    /// Returns the number of rows, in the set or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// `true` if no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Returns the number of rows in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// `true` if a row is in the set; `false` beyond the length.
    pub fn has(&self, row: RowId) -> bool {
        self.has_bit(row.index())
    }

    /// `true` if a number is in the set, for sets of codes; `false` beyond the length.
    pub(super) fn has_bit(&self, bit: usize) -> bool {
        bit < self.len && self.words[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// Adds or removes a row; beyond the length it is ignored.
    pub fn set(&mut self, row: RowId, on: bool) {
        let row = row.index();
        if row < self.len {
            let bit = 1 << (row % 64);
            if on {
                self.words[row / 64] |= bit;
            } else {
                self.words[row / 64] &= !bit;
            }
        }
    }

    /// Returns the rows of the set, smallest first.
    pub fn rows(&self) -> impl Iterator<Item = RowId> + '_ {
        self.bits().map(|bit| RowId(bit as u32))
    }

    /// Returns the numbers of the set, smallest first, for sets of codes.
    pub(super) fn bits(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }

    /// Returns the intersection of both sets.
    pub fn and(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= other);
        self
    }

    /// Returns the union of both sets.
    pub fn or(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own |= other);
        self
    }

    /// Returns the complement of the set within its length.
    pub fn inverted(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trim();
        self
    }

    fn trim(&mut self) {
        let rest = self.len % 64;
        if let (true, Some(last)) = (rest != 0, self.words.last_mut()) {
            *last &= (1 << rest) - 1;
        }
    }

    /// Returns the bytes used in memory.
    pub fn bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_a_bit() {
        assert_eq!(Bitmap::none(64_000).bytes(), 8000);
    }

    #[test]
    fn a_set_counts_and_lists_its_places() {
        for len in [0, 1, 63, 64, 65, 1000, CHUNK + 7] {
            let thirds = Bitmap::of(len, |row| row.0 % 3 == 0);
            assert_eq!(thirds.count(), len.div_ceil(3));
            assert_eq!(thirds.rows().map(RowId::index).collect::<Vec<_>>(), (0..len).step_by(3).collect::<Vec<_>>());
            assert_eq!(thirds.clone().or(&thirds.clone().inverted()), Bitmap::all(len));
            assert!(thirds.clone().and(&thirds.inverted()).is_empty());
        }
    }

    #[test]
    fn places_beyond_the_length_are_in_no_set() {
        let mut bits = Bitmap::all(70);
        assert_eq!((bits.count(), bits.has(RowId(70)), bits.has_bit(1 << 40)), (70, false, false));
        bits.set(RowId(70), true);
        bits.set(RowId(69), false);
        assert_eq!(bits.count(), 69);
    }
}
