//! Lengths of time.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use serde::{Deserialize, Serialize};

/// Length of time in milliseconds: the difference of two points in time, negative if the second is the later one.
/// Arithmetic on it saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct TimeDelta(i64);

impl TimeDelta {
    /// Shortest, most negative length.
    pub const MIN: Self = Self(i64::MIN);
    /// Longest length.
    pub const MAX: Self = Self(i64::MAX);
    /// Length of no time.
    pub const ZERO: Self = Self(0);
    /// Length of a millisecond, the least difference of two points in time.
    pub const MILLISECOND: Self = Self(1);
    /// Length of a second.
    pub const SECOND: Self = Self::from_secs(1);
    /// Length of a minute.
    pub const MINUTE: Self = Self::from_mins(1);
    /// Length of an hour.
    pub const HOUR: Self = Self::from_hours(1);
    /// Length of a day of 24 hours.
    pub const DAY: Self = Self::from_days(1);

    /// Returns the length of a number of milliseconds.
    pub const fn from_millis(count: i64) -> Self {
        Self(count)
    }

    /// Returns the length of a number of seconds.
    pub const fn from_secs(count: i64) -> Self {
        Self(count.saturating_mul(1000))
    }

    /// Returns the length of a number of minutes.
    pub const fn from_mins(count: i64) -> Self {
        Self(count.saturating_mul(60_000))
    }

    /// Returns the length of a number of hours.
    pub const fn from_hours(count: i64) -> Self {
        Self(count.saturating_mul(3_600_000))
    }

    /// Returns the length of a number of days of 24 hours.
    pub const fn from_days(count: i64) -> Self {
        Self(count.saturating_mul(86_400_000))
    }

    /// Returns the number of milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the number of seconds, rounded up, for countdowns.
    pub const fn as_secs_up(self) -> i64 {
        self.0.saturating_add(999) / 1000
    }

    /// Returns the length without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Returns what is left of the length after the largest multiple of a unit below it; never negative.
    pub const fn rem_euclid(self, unit: Self) -> Self {
        Self(self.0.wrapping_rem_euclid(unit.0))
    }

    /// Returns the length without its sign, for timers.
    pub const fn unsigned_abs(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }
}

impl From<std::time::Duration> for TimeDelta {
    fn from(length: std::time::Duration) -> Self {
        Self(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Add for TimeDelta {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for TimeDelta {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for TimeDelta {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Mul<i64> for TimeDelta {
    type Output = Self;

    fn mul(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl Mul<TimeDelta> for i64 {
    type Output = TimeDelta;

    fn mul(self, delta: TimeDelta) -> TimeDelta {
        delta * self
    }
}

impl Div<i64> for TimeDelta {
    type Output = Self;

    fn div(self, count: i64) -> Self {
        Self(self.0.saturating_div(count))
    }
}

impl Div for TimeDelta {
    type Output = i64;

    /// Returns how many times another length fits in, rounded toward zero.
    fn div(self, unit: Self) -> i64 {
        self.0.saturating_div(unit.0)
    }
}

impl Rem for TimeDelta {
    type Output = Self;

    /// Returns the remainder of the division by another length, with the sign of the whole.
    fn rem(self, unit: Self) -> Self {
        Self(self.0.wrapping_rem(unit.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_clock_and_saturate() {
        assert_eq!((TimeDelta::DAY / TimeDelta::HOUR, TimeDelta::HOUR / TimeDelta::MINUTE), (24, 60));
        assert_eq!(TimeDelta::MINUTE, 60 * TimeDelta::SECOND);
        assert_eq!((TimeDelta::from_days(i64::MAX), i64::MIN * TimeDelta::DAY), (TimeDelta::MAX, TimeDelta::MIN));
        assert_eq!(
            (-TimeDelta::MIN, TimeDelta::MIN.abs(), TimeDelta::MIN / -1),
            (TimeDelta::MAX, TimeDelta::MAX, TimeDelta::MAX)
        );
    }

    #[test]
    fn a_timer_is_never_negative_and_never_too_long() {
        assert_eq!((-TimeDelta::SECOND).unsigned_abs(), std::time::Duration::from_secs(1));
        assert_eq!(TimeDelta::from(std::time::Duration::MAX), TimeDelta::MAX);
    }
}
