//! Intervals of date histograms, and the beginning of the interval that contains a time.

use super::{
    calendar::{DAY, civil, days},
    zone::Zone,
};

/// Length of the intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Fixed number of milliseconds.
    Fixed(i64),
    /// Unit of the calendar.
    Calendar(Unit),
}

/// Units of the calendar, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Second.
    Second,
    /// Minute.
    Minute,
    /// Hour.
    Hour,
    /// Day, from midnight to midnight.
    Day,
    /// Week, from Monday.
    Week,
    /// Month, from its first day.
    Month,
    /// Quarter, from the first of January, April, July or October.
    Quarter,
    /// Year, from the first of January.
    Year,
}

impl Unit {
    /// Returns the unit with one of Elasticsearch's names, such as `day` or `1d`.
    pub fn named(text: &str) -> Option<Unit> {
        Some(match text {
            "second" | "1s" => Unit::Second,
            "minute" | "1m" => Unit::Minute,
            "hour" | "1h" => Unit::Hour,
            "day" | "1d" => Unit::Day,
            "week" | "1w" => Unit::Week,
            "month" | "1M" => Unit::Month,
            "quarter" | "1q" => Unit::Quarter,
            "year" | "1y" => Unit::Year,
            _ => return None,
        })
    }

    /// Returns the local time, in milliseconds, at which the unit that contains a local time begins.
    fn begin(self, local: i64) -> i64 {
        let day = local.div_euclid(DAY);
        match self {
            Unit::Second => local.div_euclid(1_000) * 1_000,
            Unit::Minute => local.div_euclid(60_000) * 60_000,
            Unit::Hour => local.div_euclid(3_600_000) * 3_600_000,
            Unit::Day => day * DAY,
            // 1970 began on a Thursday.
            Unit::Week => (day - (day + 3).rem_euclid(7)) * DAY,
            Unit::Month => {
                let (year, month, _) = civil(day);
                days(year, month, 1) * DAY
            }
            Unit::Quarter => {
                let (year, month, _) = civil(day);
                days(year, (month - 1) / 3 * 3 + 1, 1) * DAY
            }
            Unit::Year => days(civil(day).0, 1, 1) * DAY,
        }
    }
}

/// Rounds times down to the beginning of their interval; remembers the last zone offset, because successive times are
/// often close.
pub struct Rounding<'a> {
    interval: Interval,
    zone: &'a Zone,
    shift: i64,
    /// Period with a constant zone offset: start (inclusive), end (exclusive) and offset, in milliseconds.
    steady: (i64, i64, i64),
}

impl<'a> Rounding<'a> {
    /// Creates a rounding to this interval, shifted by `shift` milliseconds.
    pub fn new(interval: Interval, zone: &'a Zone, shift: i64) -> Self {
        Rounding { interval, zone, shift, steady: zone.steady(0) }
    }

    /// Returns the beginning of the interval that contains a time, both in epoch milliseconds.
    pub fn begin(&mut self, at: i64) -> i64 {
        // No key is that old; below it the arithmetic would overflow.
        let at = at.saturating_sub(self.shift).max(i64::MIN / 2);
        if at < self.steady.0 || at >= self.steady.1 {
            self.steady = self.zone.steady(at);
        }
        let (since, _, offset) = self.steady;
        let local = at.saturating_add(offset);
        let (begin, kept) = match self.interval {
            Interval::Calendar(unit @ (Unit::Second | Unit::Minute | Unit::Hour)) => (unit.begin(local), true),
            Interval::Calendar(unit) => (unit.begin(local), false),
            Interval::Fixed(length) => {
                let length = length.max(1);
                (local.div_euclid(length).saturating_mul(length), false)
            }
        };
        let near = begin.saturating_sub(offset);
        let until = matches!(self.interval, Interval::Fixed(_)).then_some(at);
        // Only where clocks were changed since, or shortly before, it takes more thought.
        let found = if kept || near.saturating_sub(DAY) >= since { near } else { self.zone.at_local(begin, until) };
        found.saturating_add(self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(interval: Interval, zone: &str, shift: i64, at: i64) -> i64 {
        Rounding::new(interval, &Zone::named(zone).unwrap(), shift).begin(at)
    }

    /// Expected values are answers of 9.5.3.
    #[test]
    fn intervals_begin_where_those_of_the_server_do() {
        use Interval::{Calendar, Fixed};
        let at = 1_795_574_066_172; // 2026-11-25T02:34:26.172Z
        assert_eq!(begin(Calendar(Unit::Day), "UTC", 0, at), 1_795_564_800_000);
        assert_eq!(begin(Fixed(30 * DAY), "UTC", 0, at), 1_793_664_000_000);
        assert_eq!(begin(Calendar(Unit::Day), "Europe/Berlin", 0, at), 1_795_561_200_000);
        assert_eq!(begin(Calendar(Unit::Month), "America/New_York", 0, at), 1_793_505_600_000);
        assert_eq!(begin(Fixed(DAY / 2), "+05:30", 0, at), 1_795_545_000_000);
        assert_eq!(begin(Calendar(Unit::Week), "UTC", 0, at), 1_795_392_000_000);
        assert_eq!(begin(Calendar(Unit::Week), "UTC", 6 * 3_600_000, at), 1_795_413_600_000);
        assert_eq!(begin(Fixed(DAY), "UTC", -6 * 3_600_000, at), 1_795_543_200_000);
        assert_eq!(begin(Calendar(Unit::Quarter), "UTC", 0, at), 1_790_812_800_000);
        assert_eq!(begin(Calendar(Unit::Quarter), "Europe/Berlin", 0, at), 1_790_805_600_000);
        assert_eq!(begin(Calendar(Unit::Year), "UTC", 0, at), 1_767_225_600_000);
        assert_eq!(begin(Calendar(Unit::Hour), "Asia/Kathmandu", 0, at), 1_795_572_900_000);
        assert_eq!(begin(Fixed(7 * 3_600_000), "Asia/Kathmandu", 0, at), 1_795_554_900_000);
        assert_eq!(begin(Fixed(7 * DAY), "Europe/Berlin", 0, at), 1_795_042_800_000);
    }

    /// Expected values are answers of 9.5.3 for a key that expires in `999999999d`.
    #[test]
    fn the_far_future_has_a_calendar() {
        let at = 86_401_795_488_931_770;
        let calendar = |unit, zone| begin(Interval::Calendar(unit), zone, 0, at);
        assert_eq!(calendar(Unit::Month, "UTC"), 86_401_793_232_000_000);
        assert_eq!(calendar(Unit::Day, "Europe/Berlin"), 86_401_795_474_800_000);
        assert_eq!(calendar(Unit::Year, "America/New_York"), 86_401_766_984_400_000);
        assert_eq!(calendar(Unit::Week, "UTC"), 86_401_795_478_400_000);
        assert_eq!(calendar(Unit::Quarter, "UTC"), 86_401_790_553_600_000);
        assert_eq!(begin(Interval::Fixed(7 * DAY), "UTC", 0, at), 86_401_795_132_800_000);
    }

    #[test]
    fn no_time_is_too_far_away() {
        for at in [i64::MIN, i64::MAX] {
            for unit in [Unit::Second, Unit::Day, Unit::Week, Unit::Month, Unit::Year] {
                begin(Interval::Calendar(unit), "UTC", DAY, at);
            }
            begin(Interval::Fixed(DAY), "UTC", 0, at);
        }
    }
}
