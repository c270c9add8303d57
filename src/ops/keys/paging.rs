//! Pages that follow each other, and when they have to end: a cluster that ignores where a page shall begin, or sends
//! new rows for ever, must not keep anybody waiting.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use crate::client::ClientError;

/// Maximum number of keys beyond its own count that a cluster may send: they may have been created meanwhile.
pub(crate) const MAX_COUNT_DRIFT: u64 = 1_000;
/// Maximum number of keys that are read from one cluster: none has as many, and their ids alone would be 200 MB.
pub const MAX_LISTED_KEYS: u64 = 10_000_000;

/// Follows the pages of one question.
#[derive(Default)]
pub(crate) struct Paging {
    /// Hashes of the ids that came; of two ids with the same hash one is taken for known, which ends nothing by
    /// itself.
    seen: HashSet<u64>,
    hasher: RandomState,
    rows: u64,
    counted: u64,
    new: bool,
}

impl Paging {
    /// Creates the paging for a query of which the cluster has counted `rows` rows before.
    pub(crate) fn counted(rows: u64) -> Self {
        Self { counted: rows, ..Self::default() }
    }

    /// Notes a row of the page that arrives.
    pub(crate) fn row(&mut self, id: &str) {
        self.new |= self.seen.insert(self.hasher.hash_one(id));
    }

    /// Returns `true` if another page is to be requested after this one, which has `rows` rows where `size` were
    /// requested. A page without a new id is the last.
    ///
    /// # Errors
    /// [`ClientError::Contradictory`] when more rows came than the cluster counts.
    pub(crate) fn goes_on(&mut self, rows: usize, size: u32, total: u64) -> Result<bool, ClientError> {
        self.counted = self.counted.max(total);
        self.rows = self.rows.saturating_add(rows as u64);
        let most = self.counted.saturating_add(MAX_COUNT_DRIFT).min(MAX_LISTED_KEYS);
        let is_full = rows >= size as usize;
        if is_full && self.rows > most {
            let reason =
                format!("it sent {} rows although it counts {}, with no end in sight", self.rows, self.counted);
            return Err(ClientError::Contradictory { reason });
        }
        Ok(std::mem::take(&mut self.new) && is_full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs through pages of made-up ids; how many were asked for.
    fn pages(counted: u64, size: u32, page: impl Fn(usize) -> Vec<usize>) -> Result<usize, ClientError> {
        let mut paging = Paging::counted(counted);
        for number in 0.. {
            let rows = page(number);
            rows.iter().for_each(|id| paging.row(&id.to_string()));
            if !paging.goes_on(rows.len(), size, counted)? {
                return Ok(number + 1);
            }
        }
        unreachable!()
    }

    #[test]
    fn pages_end_with_the_one_that_is_not_full_or_has_nothing_new() {
        let part = |number: usize| (number * 10..25.min(number * 10 + 10)).collect();
        assert_eq!(pages(25, 10, part).ok(), Some(3));
        assert_eq!(pages(1_000_000, 10, |_| (0..10).collect()).ok(), Some(2), "it sends the same page over and over");
        assert_eq!(pages(0, 10, |_| Vec::new()).ok(), Some(1));
    }

    #[test]
    fn new_rows_without_end_are_a_contradiction_of_the_count() {
        let fresh = |number: usize| (number * 100..number * 100 + 100).collect();
        let error = pages(5_000, 100, fresh).unwrap_err();
        assert!(
            matches!(&error, ClientError::Contradictory { reason } if reason.contains("6100 rows although it counts 5000")),
            "{error}"
        );
        assert!(error.to_string().starts_with("The cluster's responses contradict each other"));
        assert!(pages(0, 100, fresh).is_err());
    }

    #[test]
    fn whatever_is_counted_no_more_than_ten_million_keys_are_read() {
        let mut paging = Paging::counted(u64::MAX);
        paging.row("a");
        assert_eq!(paging.goes_on(MAX_LISTED_KEYS as usize, 1, u64::MAX).ok(), Some(true));
        paging.row("b");
        assert!(paging.goes_on(1, 1, u64::MAX).is_err());
    }
}
