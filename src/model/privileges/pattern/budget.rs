//! Limits of patterns and of the work that matching them takes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Limit of characters of a regular expression that is read. No name that Elasticsearch takes is longer than 255 bytes,
/// and patterns are a little longer than names.
pub const MAX_PATTERN_LENGTH: usize = 1_000;
/// Limit of quantifiers, complements and parentheses around one another.
pub const MAX_PATTERN_NESTING: usize = 40;
/// Limit of characters of a name that is matched by a regular expression.
pub const MAX_NAME_LENGTH: usize = 1_024;
/// Limit of steps of one match; a step looks at one character of the name for one part of the pattern.
pub const MAX_MATCH_STEPS: u64 = 2_000_000;
/// Limit of steps of all matches of one search.
pub const MAX_SEARCH_STEPS: u64 = 100_000_000;

/// Steps that matching may still take. One budget is made for each search (or each page, each check) and lent to every
/// match of it, on any number of threads: once it is spent, the answers are "not known".
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
}

impl Budget {
    /// Creates a budget of this number of steps.
    pub const fn new(steps: u64) -> Self {
        Self { left: AtomicU64::new(steps) }
    }

    /// Creates a budget for one match: [`MAX_MATCH_STEPS`].
    pub const fn for_one_match() -> Self {
        Self::new(MAX_MATCH_STEPS)
    }

    /// Creates a budget for a whole search: [`MAX_SEARCH_STEPS`].
    pub const fn for_search() -> Self {
        Self::new(MAX_SEARCH_STEPS)
    }

    /// Returns `true` if no steps are left: some match had to end without an answer, and further ones may.
    #[cfg(test)]
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Runs work that counts its own steps down, and takes the steps that it used. One match gets no more than
    /// [`MAX_MATCH_STEPS`], so that one bad pattern does not use up what a thousand good ones need.
    pub(super) fn lend<T>(&self, work: impl FnOnce(&mut Steps) -> Option<T>) -> Option<T> {
        let mut lent = 0;
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            lent = left.min(MAX_MATCH_STEPS);
            Some(left - lent)
        });
        let mut steps = Steps(lent);
        let answer = work(&mut steps);
        // The rest of a match that ran out is dropped on purpose: the budget then ends at exactly 0.
        self.left.fetch_add(steps.0, Ordering::Relaxed);
        answer
    }
}

/// Steps lent to one match.
pub(in crate::model) struct Steps(u64);

impl Steps {
    /// Takes some steps; `None` if fewer are left, and then none remain.
    pub(super) fn take(&mut self, steps: usize) -> Option<()> {
        match self.0.checked_sub(steps as u64) {
            Some(left) => {
                self.0 = left;
                Some(())
            }
            None => {
                self.0 = 0;
                None
            }
        }
    }
}
