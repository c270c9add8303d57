//! Times in a search, resolved to ranges of moments.

use jiff::{civil::Date, tz::TimeZone};

use super::{TimeField, TimeMatch};
use crate::model::{
    TimeDelta, Timestamp,
    time::{
        calendar,
        expiry::NO_MONTHS,
        unit::{self, TimeUnit},
    },
};

/// Hint about the possible times, as part of an error message.
pub(super) const WHEN: &str = "use <30d, >90d, 7d..30d, 2026-12-31, today or never";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plain,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Sign {
    fn mirrored(self) -> Self {
        match self {
            Self::Plain => Self::Plain,
            Self::Less => Self::More,
            Self::LessOrEqual => Self::MoreOrEqual,
            Self::More => Self::Less,
            Self::MoreOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Clone, Copy)]
enum Point {
    /// Length of time relative to now.
    Span(TimeDelta),
    /// Range of moments: start inclusive, end exclusive.
    Stretch(Timestamp, Timestamp),
}

/// Reads a value of a field with a moment; dates without a zone are in `zone`.
///
/// # Errors
/// Message with the problem and the possible values, as a sentence without its end.
pub(super) fn read(field: TimeField, text: &str, now: Timestamp, zone: &TimeZone) -> Result<TimeMatch, String> {
    let is_never = |text: &str| ["never", "none"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let text = text.trim();
    if is_never(text) {
        return Ok(TimeMatch::Never);
    }
    let (sign, rest) = split_sign(text);
    if rest.is_empty() {
        return Err(format!("No value after {text}; {WHEN}"));
    }
    if is_never(rest) {
        return Err(format!("Use “{rest}” without a sign"));
    }
    let (from, until) = match rest.split_once("..") {
        Some(_) if sign != Sign::Plain => return Err("Use a range such as 7d..30d without a sign".to_owned()),
        Some((first, last)) => range(field, first.trim(), last.trim(), now, zone)?,
        None => point(rest, now, zone)?.apply(sign, field, now),
    };
    Ok(TimeMatch::Within { from, until })
}

fn split_sign(text: &str) -> (Sign, &str) {
    let signs = [("<=", Sign::LessOrEqual), (">=", Sign::MoreOrEqual), ("<", Sign::Less), (">", Sign::More)];
    let found = signs.into_iter().find_map(|(prefix, sign)| Some((sign, text.strip_prefix(prefix)?)));
    let (sign, rest) = found.unwrap_or((Sign::Plain, text));
    (sign, rest.trim_start())
}

/// Reads the ends of a range, both inclusive and in any order; one of them may be empty, which leaves the range open.
/// Returns its start, inclusive, and its end, exclusive.
fn range(
    field: TimeField,
    first: &str,
    last: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), String> {
    match (first.is_empty(), last.is_empty()) {
        (true, true) => Err(format!("A range needs an end; {WHEN}")),
        (false, true) => Ok(point(first, now, zone)?.apply(Sign::MoreOrEqual, field, now)),
        (true, false) => Ok(point(last, now, zone)?.apply(Sign::LessOrEqual, field, now)),
        (false, false) => {
            let (one, other) =
                (point(first, now, zone)?.stretch(field, now), point(last, now, zone)?.stretch(field, now));
            Ok((one.0.min(other.0), one.1.max(other.1)))
        }
    }
}

impl Point {
    fn stretch(self, field: TimeField, now: Timestamp) -> (Timestamp, Timestamp) {
        let at = match (self, field) {
            (Self::Stretch(from, until), _) => return (from, until),
            (Self::Span(length), TimeField::Expires) => now + length,
            (Self::Span(length), TimeField::Created | TimeField::Invalidated) => now - length,
        };
        (at, at + TimeDelta::MILLISECOND)
    }

    fn apply(self, sign: Sign, field: TimeField, now: Timestamp) -> (Timestamp, Timestamp) {
        let (from, until) = self.stretch(field, now);
        let (is_span, is_ahead) = (matches!(self, Self::Span(_)), field == TimeField::Expires);
        let sign = match sign {
            Sign::Plain if is_span => Sign::Less,
            sign => sign,
        };
        // Within a span: to its last moment, as the statuses are counted.
        let sign = if is_span && is_ahead && sign == Sign::Less { Sign::LessOrEqual } else { sign };
        // Less than a span ago is later. A clock that is ahead loses nothing: the end is open.
        let sign = if is_span && !is_ahead { sign.mirrored() } else { sign };
        // Within a span from now doesn't mean what has ended already, at this very moment included.
        let first = if is_span && is_ahead { now + TimeDelta::MILLISECOND } else { Timestamp::MIN };
        match sign {
            Sign::Plain => (from, until),
            Sign::Less => (first, from),
            Sign::LessOrEqual => (first, until),
            Sign::More => (until, Timestamp::MAX),
            Sign::MoreOrEqual => (from, Timestamp::MAX),
        }
    }
}

fn point(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Point, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if !number.is_empty() && unit == "M" {
        return Err(NO_MONTHS.to_owned());
    }
    if !number.is_empty()
        && let Some(unit) = UNITS.into_iter().find(|known| unit.eq_ignore_ascii_case(known.suffix))
    {
        // More digits than a number can hold are a very long time.
        let count = number.parse::<i64>().unwrap_or(i64::MAX);
        return Ok(Point::Span(count * unit.length));
    }
    let stretch = match text.to_ascii_lowercase().as_str() {
        "now" => Some((now, now + TimeDelta::MILLISECOND)),
        "today" => days_from_today(0, now, zone),
        "tomorrow" => days_from_today(1, now, zone),
        "yesterday" => days_from_today(-1, now, zone),
        _ => date(text, zone).or_else(|| moment(text, zone)),
    };
    let (from, until) = stretch.ok_or_else(|| match unit {
        "" if !number.is_empty() => {
            format!("{number} has no unit: use {number}d, {number}h, or a date such as 2026-12-31")
        }
        _ => format!("“{}” is not a time; {WHEN}", crate::model::text::sanitize::shortened(text, 40)),
    })?;
    Ok(Point::Stretch(from, until))
}

/// Units of time, with the weeks and years that Elasticsearch doesn't have.
pub(super) const UNITS: [TimeUnit; 6] = [
    unit::SECOND,
    unit::MINUTE,
    unit::HOUR,
    unit::DAY,
    TimeUnit { suffix: "w", word: "week", length: TimeDelta::from_days(7) },
    TimeUnit { suffix: "y", word: "year", length: TimeDelta::from_days(365) },
];

fn days_from_today(days: i64, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let today = now.to_jiff()?.to_zoned_datetime(zone.clone()).date();
    let day = today.checked_add(jiff::Span::new().days(days)).ok()?;
    Some((start_of(day, zone)?, end_before(day.tomorrow().ok(), zone)))
}

/// Reads a year, a month or a day. Returns its start and the start of the next one.
fn date(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let hyphen = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    let year = number(0..4)?;
    let (first, after) = match text.len() {
        4 => (Date::new(year, 1, 1).ok()?, Date::new(year + 1, 1, 1).ok()),
        7 if hyphen(4) => {
            let first = Date::new(year, i8::try_from(number(5..7)?).ok()?, 1).ok()?;
            (first, first.last_of_month().tomorrow().ok())
        }
        10 if hyphen(4) && hyphen(7) => {
            let day: Date = text.parse().ok()?;
            (day, day.tomorrow().ok())
        }
        _ => return None,
    };
    Some((start_of(first, zone)?, end_before(after, zone)))
}

fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_zoned_datetime(zone.clone()).ok()?.timestamp().into())
}

/// Returns the start of `day`, which is the exclusive end of the day before it; the end of the calendar if there is no
/// such day.
fn end_before(day: Option<Date>, zone: &TimeZone) -> Timestamp {
    day.and_then(|day| start_of(day, zone)).unwrap_or(calendar::LAST + TimeDelta::MILLISECOND)
}

/// Reads a date with a time. The range is as long as the smallest part that was written: an hour, a minute, a second or
/// a millisecond.
fn moment(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let (_, clock) = text.split_once(['T', 't', ' '])?;
    let from = calendar::parse(text, zone)?;
    let clock = clock.split(['Z', 'z', '+', '-', '[']).next().unwrap_or_default();
    let length = match clock.matches(':').count() {
        _ if clock.contains(['.', ',']) => TimeDelta::MILLISECOND,
        0 => unit::HOUR.length,
        1 => unit::MINUTE.length,
        _ => unit::SECOND.length,
    };
    Some((from, from + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimeField::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z, 13:00 in the zone
    const HOUR: TimeDelta = TimeDelta::HOUR;
    const MS: TimeDelta = TimeDelta::MILLISECOND;
    /// Midnight in the zone.
    const TODAY: Timestamp = Timestamp::from_millis(1_795_521_600_000 - 13 * HOUR.as_millis());

    fn when(field: TimeField, text: &str) -> (Timestamp, Timestamp) {
        match read(field, text, NOW, &calendar::fixed_zone(1)) {
            Ok(TimeMatch::Within { from, until }) => (from, until),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn at(text: &str) -> Timestamp {
        calendar::parse(text, &calendar::fixed_zone(1)).unwrap()
    }

    #[test]
    fn an_end_is_looked_for_ahead() {
        assert_eq!(when(Expires, "<30d"), (NOW + MS, NOW + 30 * TimeDelta::DAY + MS));
        assert_eq!(when(Expires, "2w"), (NOW + MS, NOW + 14 * TimeDelta::DAY + MS));
        assert_eq!(when(Expires, "<=12h"), (NOW + MS, NOW + 12 * HOUR + MS));
        assert_eq!(when(Expires, ">30D"), (NOW + 30 * TimeDelta::DAY + MS, Timestamp::MAX));
        assert_eq!(when(Expires, ">= 30m"), (NOW + HOUR / 2, Timestamp::MAX));
        assert_eq!(when(Expires, "7d..30d"), (NOW + 7 * TimeDelta::DAY, NOW + 30 * TimeDelta::DAY + MS));
        assert_eq!(when(Expires, "..7d"), (NOW + MS, NOW + 7 * TimeDelta::DAY + MS));
    }

    #[test]
    fn what_happened_is_looked_for_in_the_past() {
        assert_eq!(when(Created, "<7d"), (NOW - 7 * TimeDelta::DAY + MS, Timestamp::MAX));
        assert_eq!(when(Invalidated, "7d"), (NOW - 7 * TimeDelta::DAY + MS, Timestamp::MAX));
        assert_eq!(when(Created, "<=7d"), (NOW - 7 * TimeDelta::DAY, Timestamp::MAX));
        assert_eq!(when(Created, ">1d"), (Timestamp::MIN, NOW - TimeDelta::DAY));
        assert_eq!(when(Created, ">=1y"), (Timestamp::MIN, NOW - 365 * TimeDelta::DAY + MS));
        assert_eq!(when(Created, "7d..30d"), (NOW - 30 * TimeDelta::DAY, NOW - 7 * TimeDelta::DAY + MS));
        assert_eq!(when(Created, "7d.."), when(Created, ">=7d"));
        assert_eq!(when(Created, "2026-01-01..7d"), (at("2026-01-01 00:00"), NOW - 7 * TimeDelta::DAY + MS));
    }

    #[test]
    fn a_date_is_as_long_as_it_was_written() {
        let (day, month, year) = (at("2026-02-01 00:00"), at("2026-03-01 00:00"), at("2027-01-01 00:00"));
        for field in [Expires, Created, Invalidated] {
            assert_eq!(when(field, "2026-02-01"), (day, day + TimeDelta::DAY));
            assert_eq!(when(field, "2026-02"), (day, month));
            assert_eq!(when(field, "2026"), (at("2026-01-01 00:00"), year));
            assert_eq!(when(field, "<2026-02"), (Timestamp::MIN, day));
            assert_eq!(when(field, "<=2026-02"), (Timestamp::MIN, month));
            assert_eq!(when(field, ">2026-02"), (month, Timestamp::MAX));
            assert_eq!(when(field, ">=2026-02"), (day, Timestamp::MAX));
            assert_eq!(when(field, "2026-02-01.."), (day, Timestamp::MAX));
            assert_eq!(when(field, "2026-01-01..2026-02-01"), (at("2026-01-01 00:00"), day + TimeDelta::DAY));
        }
        assert_eq!(when(Created, "2026-11-24 13:00"), (NOW, NOW + TimeDelta::MINUTE));
        assert_eq!(when(Created, "2026-11-24T12:00:00Z"), (NOW, NOW + TimeDelta::SECOND));
        assert_eq!(when(Created, "2026-11-24T12:00:00.000Z"), (NOW, NOW + MS));
        assert_eq!(when(Created, "9999").1, calendar::LAST + MS);
    }

    #[test]
    fn words_stand_for_days_of_the_zone() {
        assert_eq!(when(Expires, "Today"), (TODAY, TODAY + TimeDelta::DAY));
        assert_eq!(when(Expires, "tomorrow"), (TODAY + TimeDelta::DAY, TODAY + 2 * TimeDelta::DAY));
        assert_eq!(when(Created, ">=yesterday"), (TODAY - TimeDelta::DAY, Timestamp::MAX));
        assert_eq!(when(Expires, "<now"), (Timestamp::MIN, NOW));
        for never in ["never", "None"] {
            assert_eq!(read(Expires, never, NOW, &TimeZone::UTC), Ok(TimeMatch::Never));
        }
    }

    #[test]
    fn a_day_on_which_clocks_change_is_shorter() {
        let Ok(zone) = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3") else { panic!() };
        let Ok(TimeMatch::Within { from, until }) = read(Created, "2026-03-29", NOW, &zone) else { panic!() };
        assert_eq!(until - from, 23 * HOUR);
    }

    #[test]
    fn what_is_no_time_is_told_with_the_way_out() {
        for (wrong, hint) in [
            ("<", WHEN),
            ("..", WHEN),
            ("soon", WHEN),
            ("30", "30d"),
            ("2026-13", WHEN),
            ("2026-02-30", WHEN),
            ("<never", "without a sign"),
            ("<7d..30d", "without a sign"),
            ("-7d", WHEN),
            ("<1M", NO_MONTHS),
            ("7d..2M", NO_MONTHS),
        ] {
            let error = read(Expires, wrong, NOW, &TimeZone::UTC).unwrap_err();
            assert!(error.contains(hint), "{wrong}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_time_overflows(
            text in r"[<>=]{0,2}[0-9]{0,20}[smhdwy]?(\.\.)?[0-9]{0,20}d?|today|\PC*",
            now in proptest::num::i64::ANY,
        ) {
            for field in [Expires, Created, Invalidated] {
                let _ = read(field, &text, Timestamp::from_millis(now), &calendar::fixed_zone(-7));
            }
        }
    }
}
