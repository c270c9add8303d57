//! Bitmap of the characters in the texts of each key: a search for a single character, which matches most keys, reads
//! eight bytes of a key instead of all its texts.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{Bitmap, Inventory, RowId, bitmap::CHUNK, json_template};
use crate::model::filter::TextMatch;

/// Characters that have a bit, in lower case. None of them separates two texts, and none is part of an escape of JSON.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.:/@*#+,;=$%&()[]{}<>!?'~|";

/// Bit of each byte; an upper-case letter has the bit of the lower-case one. 0 for bytes without one.
const BITS: [u64; 256] = {
    let mut bits = [0; 256];
    let mut at = 0;
    while at < LETTERS.len() {
        bits[LETTERS[at] as usize] = 1 << at;
        bits[LETTERS[at].to_ascii_uppercase() as usize] = 1 << at;
        at += 1;
    }
    bits
};

/// Returns the bits of the characters in a text, whatever their case.
fn letters(text: &str) -> u64 {
    let own = |text: &str| text.bytes().fold(0, |all, byte| all | BITS[usize::from(byte)]);
    // A letter beyond ASCII can have a lower case within it.
    if text.is_ascii() { own(text) } else { own(&text.to_lowercase()) }
}

/// Returns the text that a value of metadata stands for; JSON is only parsed if the value has an escape.
fn value(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => Cow::Owned(json_template::decoded(text)),
    }
}

/// Returns the bits of the wanted texts, if each of them is a single character that has a bit.
fn single(wanted: &[TextMatch]) -> Option<u64> {
    let bit = |wanted: &TextMatch| match wanted {
        TextMatch::Contains(needle) => match needle.as_bytes() {
            [letter] => Some(BITS[usize::from(*letter)]).filter(|bit| *bit != 0),
            _ => None,
        },
        _ => None,
    };
    wanted.iter().try_fold(0, |all, wanted| bit(wanted).map(|bit| all | bit))
}

impl Inventory {
    /// Returns the bits of all texts in which a word without a field is searched.
    pub(super) fn letters_of(&self, row: RowId) -> u64 {
        let known = &self.known;
        let shared = [
            known.applications.get(self.applications[row]),
            known.owners.get(self.owners[row]),
            known.roles.get(self.roles[row]),
            &known.shapes[self.forms[row] as usize].keys,
        ];
        let all = letters(self.names.get(row.0)) | letters(self.ids.get(row.0));
        let all = shared.into_iter().fold(all, |all, text| all | letters(text));
        let values = self.values_of(row).iter();
        values.fold(all, |all, number| all | letters(&value(known.values.get(*number))))
    }

    /// Computes the column for the rows added since the last time.
    pub(super) fn make_letters(&mut self) {
        let first = self.letters.len() as u32;
        let rows = (first..self.len() as u32).into_par_iter().with_min_len(CHUNK / 8).map(RowId);
        let more = rows.map(|row| self.letters_of(row));
        let more: Vec<u64> = more.collect();
        self.letters.extend(more);
    }

    /// Returns the keys that contain any of these single characters; `None` if the column alone can't tell.
    pub(super) fn with_letters(&self, wanted: &[TextMatch]) -> Option<Bitmap> {
        let wanted = single(wanted).filter(|_| self.letters.len() == self.len())?;
        Some(Bitmap::of(self.len(), |row| self.letters[row] & wanted != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_a_bit_of_its_own() {
        assert_eq!(LETTERS.len(), 64);
        let all = LETTERS.iter().fold(0, |all: u64, letter| all | BITS[usize::from(*letter)]);
        assert_eq!(all, u64::MAX);
        assert_eq!(letters("Az\0\"\\ é"), letters("az"));
        // The sign of Kelvin is a k in lower case.
        assert_eq!(letters("\u{212a}"), letters("k"));
    }

    #[test]
    fn only_single_letters_are_told_by_the_column() {
        let word = |text: &str| TextMatch::Contains(text.into());
        assert_eq!(single(&[word("a"), word("7")]), Some(letters("a7")));
        for other in [word("ab"), word("é"), word("\""), TextMatch::Missing, TextMatch::Equals("a".into())] {
            assert_eq!(single(&[word("a"), other]), None);
        }
    }

    #[test]
    fn a_value_is_what_its_json_stands_for() {
        assert_eq!(
            (value(r#""a b""#), value("1.5e3"), value(r#""a\u0062""#)),
            ("a b".into(), "1.5e3".into(), "ab".into())
        );
        assert_eq!(value("\""), "\"");
    }
}
