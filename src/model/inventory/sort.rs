//! Order of keys by one or several columns. Ties are broken by name and then by id, so that an order is always stable.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Bitmap, Inventory, NO_TIME, RowId, bitmap::CHUNK, row_id::Cells, string_arena::Dictionary};
use crate::model::Timestamp;

/// Column that a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Name, without regard to case.
    Name,
    /// Application id; keys without one come last in either direction.
    ApplicationId,
    /// Id, in the order of its characters.
    Id,
    /// Name of the owner.
    Owner,
    /// Realm of the owner.
    Realm,
    /// REST or cross-cluster.
    Kind,
    /// Names of the roles; keys without any come last in either direction.
    Roles,
    /// Label of what the key may do; unrestricted keys come first in ascending order.
    Can,
    /// Time of creation.
    Created,
    /// Time of expiration; keys that never expire come last in ascending order and first in descending order.
    Expires,
    /// Time of invalidation; the other keys come last in either direction.
    Invalidated,
    /// Status, in the order of `Status::ALL`: the most urgent first.
    Status,
}

/// One column of an order, with its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Column to sort by.
    pub column: Column,
    /// `true` if the largest value comes first.
    pub descending: bool,
}

impl Default for Sort {
    /// Returns the order by time of creation, latest first.
    fn default() -> Self {
        Self { column: Column::Created, descending: true }
    }
}

/// Row ids of all keys, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(Vec<RowId>);

impl Order {
    /// Returns the row ids, in order.
    pub fn rows(&self) -> &[RowId] {
        &self.0
    }

    /// Returns the row ids of a set, in this order.
    pub fn pick(&self, keys: &Bitmap) -> Vec<RowId> {
        let pick = |picked: &mut Vec<RowId>, part: &[RowId]| {
            // Each row id is written, and overwritten by the next one unless it is in the set.
            let mut count = 0;
            for row in part {
                picked[count] = *row;
                count += usize::from(keys.has(*row));
            }
            picked[..count].to_vec()
        };
        let parts = self.0.par_chunks(CHUNK).map_init(|| vec![RowId(0); CHUNK], |picked, part| pick(picked, part));
        parts.collect::<Vec<_>>().concat()
    }
}

impl Inventory {
    /// Sorts all keys by these columns, the first one leading. The status depends on `now`.
    pub fn order(&self, sorts: &[Sort], now: Timestamp) -> Order {
        let by_name = if self.by_name.len() == self.len() {
            Cow::Borrowed(&self.by_name)
        } else {
            Cow::Owned(self.names_in_order())
        };
        let mut rows = by_name.to_vec();
        for sort in sorts.iter().rev() {
            match sort.column {
                // Names are the base of every order; on top of another column they are ranks like any other.
                Column::Name => sort_by_rank(&mut rows, &by_name, sort.descending),
                Column::Id if self.by_id.len() == self.len() => sort_by_rank(&mut rows, &self.by_id, sort.descending),
                Column::Id => sort_by_rank(&mut rows, &self.ids_in_order(), sort.descending),
                _ => self.sort_by_column(&mut rows, *sort, now),
            }
        }
        Order(rows)
    }

    fn sort_by_column(&self, rows: &mut Vec<RowId>, sort: Sort, now: Timestamp) {
        let down = sort.descending;
        let by_rank = |rows: &mut Vec<RowId>, column: &Cells<u32>, ranks: &[u32]| {
            sort_by(rows, false, |row| {
                let number = column[row] as usize;
                // What is missing stays last in either direction.
                let rank = u64::from(ranks[number]);
                if number == 0 {
                    u64::MAX
                } else if down {
                    u64::from(u32::MAX) - 1 - rank
                } else {
                    rank
                }
            });
        };
        match sort.column {
            Column::Name | Column::Id => {}
            Column::ApplicationId if self.application_ranks.is_empty() => {
                by_rank(rows, &self.applications, &ranks(&self.known.applications));
            }
            Column::ApplicationId => by_rank(rows, &self.applications, &self.application_ranks),
            Column::Roles => by_rank(rows, &self.roles, &ranks(&self.known.roles)),
            Column::Owner => {
                let ranks = ranks(&self.known.owners);
                sort_by(rows, down, |row| u64::from(ranks[self.owners[row] as usize]));
            }
            Column::Realm => {
                let owners = 0..self.known.owners.len() as u32;
                let realm = |number: u32| self.known.owners.get(number).split_once('\0').unwrap_or_default().1;
                let ranks = ranks_of(owners.map(realm).collect());
                sort_by(rows, down, |row| u64::from(ranks[self.owners[row] as usize]));
            }
            Column::Can => {
                let words = self.known.grants.iter().map(super::Grants::short).collect::<Vec<_>>();
                let ranks = ranks_of(words.iter().map(String::as_str).collect());
                sort_by(rows, down, |row| match self.is_unrestricted(row) {
                    true => 0,
                    false => 1 + u64::from(ranks[self.descriptors(row) as usize]),
                });
            }
            Column::Kind => {
                let ranks = ranks_of(self.known.kinds.iter().map(|kind| kind.word()).collect());
                sort_by(rows, down, |row| u64::from(ranks[usize::from(self.kinds[row])]));
            }
            Column::Created => sort_by(rows, down, |row| unsigned(self.created[row])),
            Column::Expires => sort_by(rows, down, |row| match self.expires[row] {
                NO_TIME => u64::MAX,
                at => unsigned(at),
            }),
            Column::Invalidated => sort_by(rows, false, |row| match (self.invalidated_at[row], down) {
                (NO_TIME, _) => u64::MAX,
                (at, true) => u64::MAX - 1 - unsigned(at),
                (at, false) => unsigned(at),
            }),
            Column::Status => {
                let status = self.status_ranks(now);
                sort_by(rows, down, |row| status(row) as u64);
            }
        }
    }

    /// Returns the row ids sorted by the characters of the keys' ids.
    pub(super) fn ids_in_order(&self) -> Vec<RowId> {
        let mut keyed: Vec<(u128, RowId)> = self.par_rows().map(|row| (prefix(self.ids.raw(row.0)), row)).collect();
        keyed.par_sort_unstable_by(|(a, first), (b, second)| {
            a.cmp(b).then_with(|| self.ids.raw(first.0).cmp(self.ids.raw(second.0))).then(first.cmp(second))
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// Returns the row ids sorted by name without regard to case, equal ones by id.
    pub(super) fn names_in_order(&self) -> Vec<RowId> {
        let mut keyed: Vec<(u128, RowId)> =
            self.par_rows().map(|row| (prefix(&lower(self.names.raw(row.0))), row)).collect();
        keyed.par_sort_unstable_by(|(a, first), (b, second)| {
            let names = || lower(self.names.raw(first.0)).cmp(&lower(self.names.raw(second.0)));
            a.cmp(b).then_with(names).then_with(|| self.ids.raw(first.0).cmp(self.ids.raw(second.0)))
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }
}

/// Sorts row ids by their ranks in `order`, which contains all of them.
fn sort_by_rank(rows: &mut Vec<RowId>, order: &[RowId], descending: bool) {
    let mut ranks = vec![0u32; order.len()];
    for (rank, row) in (0u32..).zip(order) {
        ranks[row.index()] = rank;
    }
    sort_by(rows, descending, |row| u64::from(ranks[row.index()]));
}

/// Maps a moment to an unsigned number, keeping the order.
fn unsigned(at: Timestamp) -> u64 {
    (at.as_millis() as u64) ^ (1 << 63)
}

fn lower(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        if text.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(String::from_utf8_lossy(text).to_lowercase().into_bytes())
    }
}

/// Returns the first 16 bytes as a number, enough to distinguish most texts without reading them from the arena.
fn prefix(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = text.len().min(16);
    bytes[..length].copy_from_slice(&text[..length]);
    u128::from_be_bytes(bytes)
}

/// Returns the rank of each distinct text, without regard to case.
pub(super) fn ranks(distinct: &Dictionary) -> Vec<u32> {
    ranks_of((0..distinct.len() as u32).map(|number| distinct.get(number)).collect())
}

fn ranks_of(texts: Vec<&str>) -> Vec<u32> {
    let mut order: Vec<(u128, u32)> =
        (0u32..).zip(&texts).map(|(number, text)| (prefix(&lower(text.as_bytes())), number)).collect();
    order.par_sort_unstable_by(|(a, first), (b, second)| {
        let text = |number: &u32| lower(texts[*number as usize].as_bytes());
        a.cmp(b).then_with(|| text(first).cmp(&text(second)))
    });
    let mut ranks = vec![0; texts.len()];
    let mut rank = 0;
    for (at, (_, number)) in order.iter().enumerate() {
        let text = |number: u32| lower(texts[number as usize].as_bytes());
        if at > 0 && text(order[at - 1].1) != text(*number) {
            rank += 1;
        }
        ranks[*number as usize] = rank;
    }
    ranks
}

/// Sorts row ids by the key of each, keeping the order of equal ones. Key and row id are packed into one word where
/// they fit; a key of `u64::MAX` ranks above all others.
fn sort_by(rows: &mut Vec<RowId>, descending: bool, key: impl Fn(RowId) -> u64 + Sync) {
    let keys: Vec<u64> = rows.par_iter().with_min_len(CHUNK).map(|row| key(*row)).collect();
    let ends = |key: &u64| (*key != u64::MAX).then_some((*key, *key));
    let wider = |a: Option<(u64, u64)>, b: Option<(u64, u64)>| match (a, b) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    };
    let parts = keys.par_chunks(CHUNK).map(|part| part.iter().map(ends).fold(None, wider));
    let Some((least, most)) = parts.reduce(|| None, wider) else { return };
    let range = most - least;
    // One more than the largest is what comes last.
    let rank = |key: u64| {
        let rank = if key == u64::MAX { range.saturating_add(1) } else { key - least };
        if descending { range.saturating_add(1) - rank } else { rank }
    };
    let bits = |most: u64| u64::BITS - most.leading_zeros();
    let (low, high) = (bits(rows.len() as u64), bits(range.saturating_add(1)));
    if low + high > u64::BITS {
        let mut keyed: Vec<(u64, RowId)> = keys.into_iter().map(rank).zip(rows.iter().copied()).collect();
        keyed.par_sort_by_key(|(rank, _)| *rank);
        rows.clear();
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        return;
    }
    let words = keys.par_iter().zip(rows.par_iter()).with_min_len(CHUNK);
    let mut words: Vec<u64> = words.map(|(key, row)| rank(*key) << low | u64::from(row.0)).collect();
    let middle = words.len() / 2;
    let (front, back) = words.split_at_mut(middle);
    rayon::join(|| radix_sort(front, low, high), || radix_sort(back, low, high));
    // Equal ranks stay in their order: those of the front come first.
    let (mut front, mut back) = (front.iter().peekable(), back.iter().peekable());
    let mask = (1 << low) - 1;
    for row in rows {
        let next = match (front.peek(), back.peek()) {
            (Some(a), Some(b)) if **a >> low <= **b >> low => front.next(),
            (Some(_), None) => front.next(),
            _ => back.next(),
        };
        *row = RowId((next.copied().unwrap_or_default() & mask) as u32);
    }
}

/// Sorts words by the `high` bits that begin at bit `low`, digit by digit from the lowest.
fn radix_sort(words: &mut [u64], low: u32, high: u32) {
    const LARGEST_DIGIT: u32 = 12;
    if high == 0 {
        return;
    }
    let digits = high.div_ceil(LARGEST_DIGIT);
    let width = high.div_ceil(digits);
    let mut other = vec![0; words.len()];
    let (mut from, mut into) = (words, other.as_mut_slice());
    for number in 0..digits {
        let digit = |word: u64| (word >> (low + number * width)) as usize & ((1 << width) - 1);
        let mut starts = vec![0usize; 1 << width];
        from.iter().for_each(|word| starts[digit(*word)] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        for word in from.iter() {
            let start = &mut starts[digit(*word)];
            into[*start] = *word;
            *start += 1;
        }
        std::mem::swap(&mut from, &mut into);
    }
    if digits % 2 == 1 {
        into.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radix_sort_is_stable_and_sorts_every_number() {
        let keys = [5u64, u64::MAX, 0, 5, 1 << 40, (1 << 40) + 1, 5, 1 << 63];
        let mut rows: Vec<RowId> = (0..keys.len() as u32).map(RowId).collect();
        sort_by(&mut rows, false, |row| keys[row.index()]);
        assert_eq!(rows, [2, 0, 3, 6, 4, 5, 7, 1].map(RowId));
        sort_by(&mut rows, true, |row| keys[row.index()]);
        assert_eq!(rows, [1, 7, 5, 4, 0, 3, 6, 2].map(RowId));
        let mut nothing = Vec::new();
        sort_by(&mut nothing, false, |_| 0);
        let mut same = [3, 1, 2].map(RowId).to_vec();
        sort_by(&mut same, true, |_| 7);
        assert_eq!(same, [3, 1, 2].map(RowId));
    }

    #[test]
    fn moments_before_1970_come_before_all_later_ones() {
        let moments = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp::from_millis);
        assert!(moments.map(unsigned).is_sorted_by(|earlier, later| earlier < later));
    }

    #[test]
    fn ranks_that_fit_one_word_are_sorted_as_others_are() {
        for (count, width) in [(1u32, 1u64), (2, 1), (1000, 3), (5000, 90 * 86_400_000), (5000, 1 << 60)] {
            // Some number for each place, by a step that shares no divisor with the width.
            let key = |row: RowId| match row.0 % 11 {
                0 => u64::MAX,
                _ => (1 << 40) + u64::from(row.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) % width,
            };
            let start: Vec<RowId> = (0..count).rev().map(RowId).collect();
            for descending in [false, true] {
                let mut expected = start.clone();
                expected.sort_by_key(|row| {
                    let key = key(*row);
                    if descending { !key } else { key }
                });
                let mut rows = start.clone();
                sort_by(&mut rows, descending, key);
                assert_eq!(rows, expected, "{count} keys, {width}, descending: {descending}");
            }
        }
    }
}
