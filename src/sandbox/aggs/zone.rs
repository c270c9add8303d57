//! Time zones by Elasticsearch's names, optimized for many times: transitions are looked up only once.

use super::calendar::CYCLE;
use crate::sandbox::http::error::EsError;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Time zone.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    /// Start of each period in epoch milliseconds, and its offset in milliseconds; sorted, and the first period has no
    /// beginning.
    offsets: Vec<(i64, i64)>,
}

/// Limit of the known transitions (year 2400), in epoch milliseconds; later offsets are those of 400 years earlier,
/// repeatedly.
const KNOWN_UNTIL: i64 = 13_569_465_600_000;

impl Default for Zone {
    fn default() -> Self {
        Zone::of(TimeZone::UTC)
    }
}

impl Zone {
    /// Returns the zone with this name or offset.
    ///
    /// # Errors
    /// With the messages of Java's `ZoneId`, if there is no such zone.
    pub fn named(text: &str) -> Result<Zone, Box<EsError>> {
        let fault = |kind, reason: String| EsError::new(400, kind, reason);
        if text == "Z" {
            return Ok(Zone::default());
        }
        if text.chars().count() < 2 || text.starts_with(['+', '-']) {
            return offset(text, text).map(Zone::fixed);
        }
        for prefix in ["UTC", "GMT", "UT"] {
            match text.strip_prefix(prefix) {
                Some("") => return Ok(Zone::default()),
                Some(rest) if rest.starts_with(['+', '-']) => return offset(rest, text).map(Zone::fixed),
                _ => {}
            }
        }
        let shaped = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "~/._+-".contains(c));
        if !shaped {
            let reason = format!("Invalid ID for region-based ZoneId, invalid format: {text}");
            return Err(fault("date_time_exception", reason));
        }
        // Java tells capitals from small letters, and has put away the American abbreviations.
        let known = TimeZone::get(text).ok().filter(|zone| zone.iana_name() == Some(text));
        match known.filter(|_| !matches!(text, "EST" | "MST" | "HST")) {
            Some(zone) => Ok(Zone::of(zone)),
            None => Err(fault("zone_rules_exception", format!("Unknown time-zone ID: {text}"))),
        }
    }

    /// Returns a zone with a fixed offset in hours.
    ///
    /// # Errors
    /// If the offset is more than 18 hours.
    pub fn hours(hours: i64) -> Result<Zone, Box<EsError>> {
        if hours.abs() > 18 {
            let reason = format!("Zone offset hours not in valid range: value {hours} is not in the range -18 to 18");
            return Err(EsError::new(400, "date_time_exception", reason));
        }
        Ok(Zone::fixed(hours * 3_600))
    }

    fn fixed(seconds: i64) -> Zone {
        let offset = i32::try_from(seconds).ok().and_then(|seconds| Offset::from_seconds(seconds).ok());
        Zone::of(offset.map_or(TimeZone::UTC, TimeZone::fixed))
    }

    fn of(zone: TimeZone) -> Zone {
        let seconds = |at: Timestamp| i64::from(zone.to_offset(at).seconds()) * 1_000;
        let mut offsets = vec![(i64::MIN, seconds(Timestamp::UNIX_EPOCH))];
        for transition in zone.following(Timestamp::UNIX_EPOCH) {
            let at = transition.timestamp();
            if at.as_millisecond() > KNOWN_UNTIL {
                break;
            }
            offsets.push((at.as_millisecond(), seconds(at)));
        }
        Zone { zone, offsets }
    }

    /// Returns the zone in the form that date math needs.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn period(&self, at: i64) -> usize {
        self.offsets.partition_point(|(start, _)| *start <= at).saturating_sub(1)
    }

    /// Returns the offset of local time from UTC at a time, in milliseconds.
    pub fn offset_at(&self, at: i64) -> i64 {
        self.steady(at).2
    }

    /// Returns the period of constant offset around a time: start (inclusive), end (exclusive) and offset, in
    /// milliseconds.
    pub fn steady(&self, at: i64) -> (i64, i64, i64) {
        let beyond = if at > KNOWN_UNTIL { (at - KNOWN_UNTIL) / CYCLE + 1 } else { 0 };
        let place = self.period(at - beyond * CYCLE);
        let (start, offset) = self.offsets.get(place).copied().unwrap_or((i64::MIN, 0));
        // The last one known ends nowhere, but it is only known so far.
        let end = self.offsets.get(place + 1).map_or(i64::MAX, |(end, _)| *end);
        let end = if self.offsets.len() > 1 { end.min(KNOWN_UNTIL) } else { end };
        (start.saturating_add(beyond * CYCLE), end.saturating_add(beyond * CYCLE), offset)
    }

    /// Returns the time at which the zone has a local time: the first if there are two, and the moment of the
    /// transition if the local time is skipped. With `until`, returns the last of two that is not after it.
    pub fn at_local(&self, local: i64, until: Option<i64>) -> i64 {
        let beyond = if local > KNOWN_UNTIL { (local - KNOWN_UNTIL) / CYCLE + 1 } else { 0 };
        let (local, until) = (local - beyond * CYCLE, until.map(|at| at - beyond * CYCLE));
        let (before, after) = (self.offset_at(local - 86_400_000), self.offset_at(local + 86_400_000));
        let (first, second) = (local - before, local - after);
        let found = match (self.offset_at(first) == before, self.offset_at(second) == after) {
            (true, true) => match until {
                Some(until) if second <= until => first.max(second),
                _ => first.min(second),
            },
            (true, false) => first,
            (false, true) => second,
            (false, false) => self.offsets.get(self.period(first)).map_or(first, |(start, _)| *start),
        };
        found + beyond * CYCLE
    }
}

/// Parses `+h`, `+hh`, `+hhmm`, `+hh:mm` and the same with seconds into seconds.
fn offset(text: &str, whole: &str) -> Result<i64, Box<EsError>> {
    let fault = |reason: String| EsError::new(400, "date_time_exception", reason);
    let malformed = || {
        if text == whole {
            fault(format!("Invalid ID for ZoneOffset, invalid format: {text}"))
        } else {
            fault(format!("Invalid ID for offset-based ZoneId: {whole}"))
        }
    };
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let shape: String = text.chars().skip(1).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let shapes = ["0", "00", "00:00", "0000", "00:00:00", "000000"];
    if !text.starts_with(['+', '-']) || !shapes.contains(&shape.as_str()) {
        return Err(malformed());
    }
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = match digits.len() {
        1 => (part(0..1), Some(0), Some(0)),
        _ => (part(0..2), part(2..4).or(Some(0)), part(4..6).or(Some(0))),
    };
    let (hours, minutes, seconds) = (hours.unwrap_or(0), minutes.unwrap_or(0), seconds.unwrap_or(0));
    for (name, value, most) in [("hours", hours, 18), ("minutes", minutes, 59), ("seconds", seconds, 59)] {
        if value > most {
            return Err(fault(format!(
                "Zone offset {name} not in valid range: value {value} is not in the range {} to {most}",
                if name == "hours" { -18 } else { 0 }
            )));
        }
    }
    Ok(sign * (hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn zones_are_named_as_java_names_them() {
        let offset = |name: &str| Zone::named(name).unwrap().offset_at(1_767_225_600_000);
        assert_eq!(offset("Z"), 0);
        assert_eq!(offset("UTC"), 0);
        assert_eq!(offset("UTC+3"), 3 * HOUR);
        assert_eq!(offset("GMT+2"), 2 * HOUR);
        assert_eq!(offset("+5"), 5 * HOUR);
        assert_eq!(offset("-05:00"), -5 * HOUR);
        assert_eq!(offset("+0530"), 5 * HOUR + HOUR / 2);
        assert_eq!(offset("Europe/Berlin"), HOUR);
        let reason = |name: &str| Zone::named(name).unwrap_err().reason;
        assert_eq!(reason("EST"), "Unknown time-zone ID: EST");
        assert_eq!(reason("utc"), "Unknown time-zone ID: utc");
        assert_eq!(reason("europe/berlin"), "Unknown time-zone ID: europe/berlin");
        assert_eq!(reason("x"), "Invalid ID for ZoneOffset, invalid format: x");
        assert_eq!(reason(""), "Invalid ID for ZoneOffset, invalid format: ");
        assert_eq!(reason("No/Where!"), "Invalid ID for region-based ZoneId, invalid format: No/Where!");
        assert_eq!(reason("+25:00"), "Zone offset hours not in valid range: value 25 is not in the range -18 to 18");
    }

    #[test]
    fn local_times_that_clocks_skip_or_show_twice_are_found() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        // 2026-03-29: from 2 to 3 o'clock at 01:00 UTC; 2026-10-25: from 3 to 2 o'clock at 01:00 UTC.
        let (spring, autumn) = (1_774_746_000_000, 1_792_890_000_000);
        assert_eq!(zone.offset_at(spring - 1), HOUR);
        assert_eq!(zone.offset_at(spring), 2 * HOUR);
        assert_eq!(zone.at_local(spring + HOUR + HOUR / 2, None), spring);
        assert_eq!(zone.at_local(autumn + HOUR + 5, None), autumn - HOUR + 5);
        assert_eq!(zone.at_local(autumn + HOUR + 5, Some(autumn + HOUR)), autumn + 5);
        assert_eq!(zone.at_local(autumn + 10 * HOUR, None), autumn + 9 * HOUR);
    }

    #[test]
    fn the_year_two_million_has_summers_too() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(zone.offset_at(86_401_795_488_931_770), HOUR);
        assert_eq!(zone.offset_at(86_401_795_488_931_770 - 150 * 86_400_000), 2 * HOUR);
    }
}
