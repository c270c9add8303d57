//! Ranges of keys by the time of their creation, in which all keys are read.

use serde_json::{Value, json};

use crate::{client::ClientError, model::Timestamp, ops::keys::paging::MAX_COUNT_DRIFT};

/// Range of keys by creation time, from `from` (inclusive) to `until` (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) count: u64,
}

impl Range {
    /// Returns the filter of a query for the keys of the range.
    pub(super) fn filter(self) -> Value {
        json!({ "range": { "creation": { "gte": self.from, "lt": self.until } } })
    }

    /// Returns the beginnings and ends of both halves.
    pub(super) fn halves(self) -> [(Timestamp, Timestamp); 2] {
        let middle = Timestamp::from_millis(i64::midpoint(self.from.as_millis(), self.until.as_millis()));
        [(self.from, middle), (middle, self.until)]
    }
}

/// Checks that parts don't have more keys than their whole, except for those created meanwhile.
pub(super) fn no_more_than(whole: Range, parts: impl Iterator<Item = u64>) -> Result<(), ClientError> {
    let sum = parts.fold(0, u64::saturating_add);
    if sum <= whole.count.saturating_add(MAX_COUNT_DRIFT) {
        return Ok(());
    }
    let reason = format!("it counts {} keys in parts of a period for which it counts {}", sum, whole.count);
    Err(ClientError::Contradictory { reason })
}
