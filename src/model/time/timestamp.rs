//! Points in time.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use super::delta::TimeDelta;

/// Point in time: milliseconds since 1970-01-01T00:00:00Z, as Elasticsearch writes them.
///
/// A server can send any `i64`, so arithmetic on it saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earliest point in time that can be written, long before any calendar; also an open start of a range.
    pub const MIN: Self = Self(i64::MIN);
    /// Latest point in time that can be written, long after any calendar; also an open end of a range.
    pub const MAX: Self = Self(i64::MAX);
    /// Origin, 1970-01-01T00:00:00Z: points in time are counted from it.
    pub const EPOCH: Self = Self(0);

    /// Returns the point in time this many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the time of this machine's clock.
    pub fn of_system(time: std::time::SystemTime) -> Self {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self::EPOCH + TimeDelta::from(since)
    }

    /// Returns the time as the calendar takes it; `None` outside the years −9999 to 9999.
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.0).ok()
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(time.as_millisecond())
    }
}

impl Sub for Timestamp {
    type Output = TimeDelta;

    fn sub(self, earlier: Self) -> TimeDelta {
        TimeDelta::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<TimeDelta> for Timestamp {
    type Output = Self;

    fn add(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.as_millis()))
    }
}

impl Sub<TimeDelta> for Timestamp {
    type Output = Self;

    fn sub(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_sub(delta.as_millis()))
    }
}

impl AddAssign<TimeDelta> for Timestamp {
    fn add_assign(&mut self, delta: TimeDelta) {
        *self = *self + delta;
    }
}

impl SubAssign<TimeDelta> for Timestamp {
    fn sub_assign(&mut self, delta: TimeDelta) {
        *self = *self - delta;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let second = TimeDelta::SECOND;
        assert_eq!((Timestamp::MAX + second, Timestamp::MIN - second), (Timestamp::MAX, Timestamp::MIN));
        assert_eq!(
            (Timestamp::MAX - Timestamp::MIN, Timestamp::MIN - Timestamp::MAX),
            (TimeDelta::MAX, TimeDelta::MIN)
        );
        assert_eq!(Timestamp::from_millis(5) - Timestamp::EPOCH, TimeDelta::from_millis(5));
    }

    #[test]
    fn a_time_is_the_bare_number_on_disk_and_on_the_wire() {
        assert_eq!(serde_json::to_string(&Timestamp::from_millis(-7)).unwrap(), "-7");
        assert_eq!(serde_json::from_str::<Timestamp>("1795521600000").unwrap().as_millis(), 1_795_521_600_000);
        let calendar = Timestamp::from_millis(1_795_521_600_123).to_jiff().unwrap();
        assert_eq!(
            (calendar.to_string().as_str(), Timestamp::from(calendar).as_millis()),
            ("2026-11-24T12:00:00.123Z", 1_795_521_600_123)
        );
        assert_eq!(Timestamp::MAX.to_jiff(), None);
    }
}
