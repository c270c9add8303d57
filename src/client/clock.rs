//! Clock skew: how far the server's clock is ahead of this machine's.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::SystemTime,
};

use crate::model::{TimeDelta, Timestamp};

/// Largest difference between the header `Date` and this machine's clock that is accepted as clock
/// skew. Elasticsearch sends no such header: it comes from something before it, whose clock is not the cluster's.
pub const MAX_DATE_SKEW: TimeDelta = TimeDelta::from_mins(5);

/// Stored value of a skew that is not known.
pub(super) const UNKNOWN_SKEW: i64 = i64::MIN;

/// Returns the skew from two times of the same moment, in milliseconds.
pub(super) fn skew(server: Timestamp, here: Timestamp) -> i64 {
    (server - here).as_millis().max(UNKNOWN_SKEW + 1)
}

/// Returns a stored skew; `None` if it is not known.
pub(super) fn known_skew(skew: &AtomicI64) -> Option<TimeDelta> {
    Some(skew.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN_SKEW).map(TimeDelta::from_millis)
}

/// Returns the time on this machine.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::of_system(SystemTime::now());
    #[cfg(debug_assertions)]
    let now =
        now + OFFSET.try_with(|offset| TimeDelta::from_millis(offset.load(Ordering::Relaxed))).unwrap_or_default();
    now
}

#[cfg(debug_assertions)]
tokio::task_local! {
    /// What this machine's clock is off in a task, in milliseconds. Only in builds with debug assertions: tests simulate
    /// clocks that jump.
    pub static OFFSET: std::sync::Arc<AtomicI64>;
}
