//! Dates in queries: epoch milliseconds, ISO 8601, and date math (`now-7d/d`). Pure; the current time is a parameter.

use crate::sandbox::aggs::DateFormat;
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};

/// Parses a date in UTC and returns it in epoch milliseconds, `None` if it can't be parsed.
///
/// Without a format, numbers are epoch milliseconds and anything else must be date math, as for the dates of API keys
/// on 9.5.3; any other format also allows ISO 8601. `up` rounds `/d` to the end of the day.
pub fn parse(text: &str, format: Option<&str>, now: i64, up: bool) -> Option<i64> {
    parse_in(text, format, now, up, &TimeZone::UTC)
}

/// Parses a date like [`parse`], but in a zone: it applies to dates without a zone of their own, and to rounding to
/// days.
pub fn parse_in(text: &str, format: Option<&str>, now: i64, up: bool, zone: &TimeZone) -> Option<i64> {
    if let Some(math) = text.strip_prefix("now") {
        return apply_math(now, math, up, zone);
    }
    let (date, math) = text.split_once("||").unwrap_or((text, ""));
    let mut formats = format.unwrap_or("epoch_millis").split("||");
    let at = formats.find_map(|format| in_format(date, format, up && math.is_empty(), zone));
    apply_math(at?, math, up, zone)
}

/// Parses a date in one format; with `up`, missing parts are filled in with the last moment that fits.
fn in_format(date: &str, format: &str, up: bool, zone: &TimeZone) -> Option<i64> {
    match format.strip_prefix("strict_").unwrap_or(format) {
        "epoch_millis" => date.parse().ok(),
        "epoch_second" => date.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000)),
        "date_optional_time"
        | "date_time"
        | "iso8601"
        | "date_time_no_millis"
        | "date"
        | "year_month_day"
        | "year_month"
        | "year" => iso_in(date, up, zone),
        _ => {
            let parts = DateFormat::parse(format).ok()?.read(date)?;
            from_parts(parts, up, zone)
        }
    }
}

/// Builds a time from year, month, day, hour, minute, second and millisecond; missing parts are the first ones, or with
/// `up` the last.
fn from_parts(parts: [Option<i64>; 7], up: bool, zone: &TimeZone) -> Option<i64> {
    let [year, month, day, hour, minute, second, millis] = parts;
    let small = |value: i64| i8::try_from(value).ok();
    let year = i16::try_from(year.unwrap_or(1970)).ok()?;
    let first = civil::Date::new(year, small(month.unwrap_or(if up { 12 } else { 1 }))?, 1).ok()?;
    let date = match day {
        Some(day) => civil::Date::new(year, first.month(), small(day)?).ok()?,
        None if up => first.last_of_month(),
        None => first,
    };
    let or = |value: Option<i64>, last: i64| value.unwrap_or(if up { last } else { 0 });
    let nanos = i32::try_from(or(millis, 999)).ok()?.checked_mul(1_000_000)?;
    let time = civil::Time::new(small(or(hour, 23))?, small(or(minute, 59))?, small(or(second, 59))?, nanos).ok()?;
    date.to_datetime(time).to_zoned_datetime(zone.clone()).ok().map(|at| at.timestamp().as_millisecond())
}

fn iso_in(text: &str, up: bool, zone: &TimeZone) -> Option<i64> {
    let formats = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH", "yyyy-MM-dd", "yyyy-MM", "yyyy"];
    if up {
        let text = text.trim_end_matches('T');
        let parts = formats.iter().find_map(|format| DateFormat::parse(format).ok()?.read(text));
        if let Some(at) = parts.and_then(|parts| from_parts(parts, true, zone)) {
            return Some(at);
        }
    }
    iso_date_in(text, zone)
}

/// Parses an ISO 8601 date with or without time and zone; UTC if no zone is given.
pub fn iso_date(text: &str) -> Option<i64> {
    iso_date_in(text, &TimeZone::UTC)
}

fn iso_date_in(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let zoned =
        |date: civil::DateTime| date.to_zoned_datetime(zone.clone()).ok().map(|at| at.timestamp().as_millisecond());
    if let Ok(date) = text.parse::<civil::DateTime>() {
        return zoned(date);
    }
    if let Ok(date) = text.parse::<civil::Date>() {
        return zoned(date.to_datetime(civil::Time::midnight()));
    }
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => return None,
    };
    padded.parse::<civil::Date>().ok().and_then(|date| zoned(date.to_datetime(civil::Time::midnight())))
}

/// Formats epoch milliseconds like `strict_date_time`; `None` for times outside the calendar.
pub fn to_iso(millis: i64) -> Option<String> {
    let at = Timestamp::from_millisecond(millis).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

fn apply_math(start: i64, math: &str, up: bool, zone: &TimeZone) -> Option<i64> {
    if math.is_empty() {
        return Some(start);
    }
    let mut at = Timestamp::from_millisecond(start).ok()?.to_zoned_datetime(zone.clone());
    let mut rest = math;
    while let Some(operator) = rest.chars().next() {
        rest = rest.get(operator.len_utf8()..)?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let amount: i64 = if digits == 0 { 1 } else { rest.get(..digits)?.parse().ok()? };
        let unit = rest.get(digits..)?.chars().next()?;
        rest = rest.get(digits + unit.len_utf8()..)?;
        at = match operator {
            '+' => at.checked_add(span(unit, amount)?).ok()?,
            '-' => at.checked_sub(span(unit, amount)?).ok()?,
            '/' if digits == 0 => round(&at, unit, up)?,
            _ => return None,
        };
    }
    Some(at.timestamp().as_millisecond())
}

fn span(unit: char, amount: i64) -> Option<Span> {
    let span = Span::new();
    match unit {
        'y' => span.try_years(amount),
        'M' => span.try_months(amount),
        'w' => span.try_weeks(amount),
        'd' => span.try_days(amount),
        'h' | 'H' => span.try_hours(amount),
        'm' => span.try_minutes(amount),
        's' => span.try_seconds(amount),
        _ => return None,
    }
    .ok()
}

fn round(at: &ZonedDateTime, unit: char, up: bool) -> Option<ZonedDateTime> {
    let date = at.date();
    let time = at.time();
    let start = match unit {
        'y' => date.first_of_year().to_datetime(civil::Time::midnight()),
        'M' => date.first_of_month().to_datetime(civil::Time::midnight()),
        'w' => {
            let back = i64::from(date.weekday().to_monday_zero_offset());
            date.checked_sub(back.days()).ok()?.to_datetime(civil::Time::midnight())
        }
        'd' => date.to_datetime(civil::Time::midnight()),
        'h' | 'H' => date.to_datetime(civil::time(time.hour(), 0, 0, 0)),
        'm' => date.to_datetime(civil::time(time.hour(), time.minute(), 0, 0)),
        's' => date.to_datetime(civil::time(time.hour(), time.minute(), time.second(), 0)),
        _ => return None,
    };
    let start = start.to_zoned_datetime(at.time_zone().clone()).ok()?;
    if !up {
        return Some(start);
    }
    start.checked_add(span(unit, 1)?).ok()?.checked_sub(1.milliseconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_490_903_188; // 2026-11-24T03:28:23.188Z

    #[test]
    fn math_adds_subtracts_and_rounds() {
        let day = 86_400_000;
        assert_eq!(parse("now", None, NOW, false), Some(NOW));
        assert_eq!(parse("now+2d", None, NOW, false), Some(NOW + 2 * day));
        assert_eq!(parse("now-1h", None, NOW, false), Some(NOW - 3_600_000));
        assert_eq!(parse("now/d", None, NOW, false), Some(NOW / day * day));
        assert_eq!(parse("now/d", None, NOW, true), Some(NOW / day * day + day - 1));
        assert_eq!(parse("now+1x", None, NOW, false), None);
        assert_eq!(parse("now+99999999999y", None, NOW, false), None);
    }

    #[test]
    fn without_a_format_only_milliseconds_are_dates() {
        assert_eq!(parse("1000", None, NOW, false), Some(1000));
        assert_eq!(parse("2026-01-01", None, NOW, false), None);
        assert_eq!(parse("2026-01-01", Some("strict_date_optional_time"), NOW, false), Some(1_767_225_600_000));
        assert_eq!(parse("2026-01-01||+1d", Some("yyyy-MM-dd"), NOW, false), Some(1_767_312_000_000));
    }

    #[test]
    fn milliseconds_are_written_as_dates_within_the_calendar() {
        assert_eq!(to_iso(NOW).as_deref(), Some("2026-11-24T03:28:23.188Z"));
        assert_eq!(to_iso(i64::MAX), None);
        assert_eq!(iso_date("2026-11-24T03:28:23.188Z"), Some(NOW));
        assert_eq!(iso_date("2026"), Some(1_767_225_600_000));
        assert_eq!(iso_date("x"), None);
    }
}
