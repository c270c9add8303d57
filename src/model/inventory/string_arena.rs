//! Many texts in one piece of memory: by number, or each distinct one stored once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Number of texts that are searched as one; a multiple of 64.
pub(super) const BLOCK: usize = 512;

/// Texts stored one after the other, separated by their end offsets.
#[derive(Clone, Debug)]
pub(super) struct StringArena {
    bytes: Vec<u8>,
    /// Maximum number of bytes; smaller than [`MAX_COLUMN_BYTES`] in tests only.
    most: usize,
    ends: Vec<u32>,
    /// `true` for each block that has an upper-case ASCII letter.
    have_upper: Vec<bool>,
}

/// Maximum number of bytes of one column: the end offsets of its texts are 32-bit numbers.
pub(super) const MAX_COLUMN_BYTES: usize = u32::MAX as usize;

impl Default for StringArena {
    fn default() -> Self {
        Self { bytes: Vec::new(), most: MAX_COLUMN_BYTES, ends: Vec::new(), have_upper: Vec::new() }
    }
}

impl StringArena {
    /// `true` if a text can be added.
    pub(super) fn has_room(&self, text: &str) -> bool {
        self.ends.len() < u32::MAX as usize && text.len() <= self.most.saturating_sub(self.bytes.len())
    }

    #[cfg(test)]
    pub(super) fn with_room_for(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Adds a text and returns its number; `None` if the arena has no room for it.
    pub(super) fn push(&mut self, text: &str) -> Option<u32> {
        if !self.has_room(text) {
            return None;
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        let end = u32::try_from(self.bytes.len() + text.len()).ok()?;
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(end);
        self.have_upper.resize(self.ends.len().div_ceil(BLOCK), false);
        if let Some(has) = self.have_upper.last_mut() {
            *has = *has || text.bytes().any(|byte| byte.is_ascii_uppercase());
        }
        Some(number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn start(&self, number: usize) -> usize {
        number.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    pub(super) fn end(&self, number: usize) -> usize {
        self.ends[number] as usize
    }

    pub(super) fn raw(&self, number: u32) -> &[u8] {
        let number = number as usize;
        &self.bytes[self.start(number)..self.end(number)]
    }

    /// Returns the text with a number; always valid UTF-8, because only whole texts are added.
    pub(super) fn get(&self, number: u32) -> &str {
        std::str::from_utf8(self.raw(number)).unwrap_or_default()
    }

    /// Returns the bytes of adjacent texts, from the first to the last one, inclusive.
    pub(super) fn slice(&self, first: usize, last: usize) -> &[u8] {
        &self.bytes[self.start(first)..self.end(last)]
    }

    /// `true` if the block that begins with this text has an upper-case ASCII letter.
    pub(super) fn has_upper(&self, first: usize) -> bool {
        self.have_upper[first / BLOCK]
    }

    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.have_upper.capacity()
    }
}

/// Dictionary: distinct texts, each with a code that never changes. Code 0 is the empty text, which stands for none.
#[derive(Clone, Debug)]
pub(super) struct Dictionary {
    texts: StringArena,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Default for Dictionary {
    fn default() -> Self {
        let mut own =
            Self { texts: StringArena::default(), table: HashTable::new(), hasher: DefaultHashBuilder::default() };
        own.number("");
        own
    }
}

impl Dictionary {
    /// Returns the code of a text, and adds the text if it is new. 0 also if 4 GB are full.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        let Some(number) = self.texts.push(text) else { return 0 };
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.table.insert_unique(hash, number, |number| hasher.hash_one(texts.raw(*number)));
        number
    }

    /// Returns the code of a text; `None` if the text is not in the dictionary.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.table.find(hash, |number: &u32| self.texts.raw(*number) == text.as_bytes()).copied()
    }

    pub(super) fn get(&self, number: u32) -> &str {
        self.texts.get(number)
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn texts(&self) -> &StringArena {
        &self.texts
    }

    pub(super) fn shrink(&mut self) {
        self.texts.shrink();
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.table.shrink_to_fit(|number| hasher.hash_one(texts.raw(*number)));
    }

    pub(super) fn bytes(&self) -> usize {
        self.texts.bytes() + self.table.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_knows_whether_a_text_of_it_has_upper_case() {
        let mut texts = StringArena::default();
        for number in 0..3 * BLOCK {
            texts.push(if number == 2 * BLOCK - 1 { "aBc" } else { "abc-é" });
        }
        assert_eq!([0, BLOCK, 2 * BLOCK].map(|first| texts.has_upper(first)), [false, true, false]);
    }

    #[test]
    fn a_full_column_takes_no_text_and_says_so() {
        let mut texts = StringArena::with_room_for(5);
        assert_eq!((texts.push("abc"), texts.has_room("abc"), texts.push("abc")), (Some(0), false, None));
        assert_eq!((texts.push("de"), texts.has_room(""), texts.has_room("f")), (Some(1), true, false));
        assert_eq!((texts.get(0), texts.get(1)), ("abc", "de"));
    }

    #[test]
    fn a_text_has_one_number_however_often_it_comes() {
        let mut distinct = Dictionary::default();
        let (a, b) = (distinct.number("a"), distinct.number("b"));
        assert_eq!((distinct.number("a"), distinct.number("")), (a, 0));
        assert_ne!(a, b);
        assert_eq!((distinct.get(b), distinct.get(0)), ("b", ""));
        distinct.shrink();
        assert_eq!((distinct.number("a"), distinct.len()), (a, 3));
    }
}
