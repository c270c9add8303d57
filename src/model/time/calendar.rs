//! Dates as people read and type them: local time with UTC beside it. The time zone is a parameter.

use jiff::{
    civil,
    tz::{Offset, TimeZone},
};

use crate::model::Timestamp;

/// Last time that can be written with a four-digit year: 9999-12-31T23:59:59.999Z, in milliseconds since 1970 (UTC).
pub const LAST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// Formats a time in the time zone as `23 Nov 2026, 20:40 CET`; outside the calendar the text is `not a date of this
/// calendar` with the milliseconds.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    write(at, zone, "%-d %b %Y, %H:%M %Z")
}

/// Formats a time in the time zone with the day of the week, `Mon 23 Nov 2026, 20:40 CET`, for the one date that
/// matters.
pub fn local_long(at: Timestamp, zone: &TimeZone) -> String {
    write(at, zone, "%a %-d %b %Y, %H:%M %Z")
}

/// Formats the date of a time in the time zone: `23 Nov 2026`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    write(at, zone, "%-d %b %Y")
}

/// Formats the time of day in the time zone: `14:32:07`.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    write(at, zone, "%H:%M:%S")
}

/// Formats the time of day in UTC: `20:40 UTC`.
pub fn utc_clock(at: Timestamp) -> String {
    write(at, &TimeZone::UTC, "%H:%M UTC")
}

/// Returns the time of day in UTC if the offset of the time zone at that time is not zero; `None` otherwise, and for
/// times outside the calendar.
pub fn utc_beside(at: Timestamp, zone: &TimeZone) -> Option<String> {
    let time = at.to_jiff().filter(|_| at <= LAST)?;
    (zone.to_offset(time) != Offset::UTC).then(|| utc_clock(at))
}

/// Formats a time in RFC 3339 (UTC) for machines, `2026-11-23T19:40:00Z`; outside the calendar it is the bare number of
/// milliseconds.
pub fn rfc3339(at: Timestamp) -> String {
    match at.to_jiff() {
        Some(time) if at <= LAST => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => at.as_millis().to_string(),
    }
}

/// Formats a time in RFC 3339 with milliseconds (UTC) for machines: `2026-11-23T19:40:00.123Z`.
pub fn rfc3339_millis(at: Timestamp) -> String {
    write(at, &TimeZone::UTC, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Formats the month of a time in UTC: `2026-11`.
pub fn month(at: Timestamp) -> String {
    write(at, &TimeZone::UTC, "%Y-%m")
}

fn write(at: Timestamp, zone: &TimeZone, format: &str) -> String {
    match at.to_jiff() {
        Some(time) if at <= LAST => time.to_zoned_datetime(zone.clone()).strftime(format).to_string(),
        _ => format!("not a date of this calendar ({} ms)", at.as_millis()),
    }
}

/// Reads `2027-02-21`, `2027-02-21 14:30` (both in the time zone `zone`) or `2027-02-21T14:30:00Z` (with its own
/// offset).
///
/// A date alone means the end of that day (23:59:59). `None` if the text has none of these forms or is outside the
/// calendar.
pub fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.into());
    }
    let local = match text.parse::<civil::Date>() {
        Ok(date) if text.len() <= 10 => date.at(23, 59, 59, 0),
        _ => text.replacen(' ', "T", 1).parse::<civil::DateTime>().ok()?,
    };
    let zoned = local.to_zoned_datetime(zone.clone()).ok()?;
    Some(zoned.timestamp().into())
}

/// Returns a time zone with a fixed offset in hours, for tests and for machines without a time zone database.
pub fn fixed_zone(hours: i8) -> TimeZone {
    TimeZone::fixed(Offset::constant(hours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeDelta;

    const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z

    #[test]
    fn a_moment_reads_in_local_time_and_utc() {
        let zone = fixed_zone(1);
        assert_eq!(day(NOON, &zone), "24 Nov 2026");
        assert!(local(NOON, &zone).starts_with("24 Nov 2026, 13:00"));
        assert_eq!(utc_clock(NOON), "12:00 UTC");
        assert_eq!(rfc3339(NOON), "2026-11-24T12:00:00Z");
    }

    #[test]
    fn moments_beyond_the_calendar_are_told_and_never_panic() {
        for at in [Timestamp::MIN, Timestamp::MAX, LAST + TimeDelta::MILLISECOND] {
            assert!(local(at, &TimeZone::UTC).contains("not a date"), "{at:?}");
            assert_eq!(rfc3339(at), at.as_millis().to_string());
        }
    }

    #[test]
    fn typed_dates_are_read_with_and_without_a_zone() {
        let zone = fixed_zone(1);
        assert_eq!(parse("2026-11-24T12:00:00Z", &zone), Some(NOON));
        assert_eq!(parse("2026-11-24 13:00", &zone), Some(NOON));
        assert_eq!(parse("2026-11-24", &zone), Some(NOON + 11 * TimeDelta::HOUR - TimeDelta::SECOND));
        for wrong in ["", "tomorrow", "2026-02-30", "24.11.2026", "2026-11-24 25:00"] {
            assert_eq!(parse(wrong, &zone), None, "{wrong}");
        }
    }
}
