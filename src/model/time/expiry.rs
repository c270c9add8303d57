//! Expirations of keys: as they are requested (`90d`, a date, never) and as they are shown ("in 3 days").

use jiff::tz::TimeZone;

use super::{calendar, unit};
use crate::model::{TimeDelta, Timestamp, text::number::plural};

/// Time within which a key must expire to be shown as *expiring*: 7 days.
pub const EXPIRING: TimeDelta = TimeDelta::from_days(7);
/// Time within which a key must expire to be shown as *expiring soon*: 30 days.
pub const EXPIRING_SOON: TimeDelta = TimeDelta::from_days(30);

/// Maximum difference between an expiration that was asked for as a date and the one that the cluster reports. A date is
/// sent as a span from now, and counted from the cluster's clock when the request is carried out.
pub const MAX_END_OFF: TimeDelta = TimeDelta::MINUTE;

/// Longest lifetime of a new key that needs no reason, inclusive: a year with a leap day.
pub const MAX_WITHOUT_REASON: TimeDelta = TimeDelta::from_days(366);

/// Error message for `1M`. `m` and `M` are the one unit whose case counts, for Elasticsearch as well.
pub const NO_MONTHS: &str = "m is minutes; there is no unit for months: use 30d";

/// Expiration of a key that is to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// No expiration, which is only ever an explicit choice.
    Never,
    /// Span counted from the cluster's clock, sent as it was typed (`90d`).
    In(Span),
    /// Point in time, sent as the number of milliseconds until then.
    At(Timestamp),
}

/// Span of time: a count of one of Elasticsearch's time units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    count: u64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Nanos,
    Micros,
    Millis,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// Units with suffix and name. The order is that of the variants, since [`Unit::names`] uses the variant as an
    /// index.
    const ALL: [(Unit, &'static str, &'static str); 7] = [
        (Unit::Nanos, "nanos", "nanosecond"),
        (Unit::Micros, "micros", "microsecond"),
        (Unit::Millis, "ms", "millisecond"),
        (Unit::Seconds, unit::SECOND.suffix, unit::SECOND.word),
        (Unit::Minutes, unit::MINUTE.suffix, unit::MINUTE.word),
        (Unit::Hours, unit::HOUR.suffix, unit::HOUR.word),
        (Unit::Days, unit::DAY.suffix, unit::DAY.word),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let (_, suffix, word) = Self::ALL[self as usize];
        (suffix, word)
    }
}

/// Reason why a text is not an expiration; `Display` says what is possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Blank text; a key never gets an expiration that nobody chose.
    #[error("Enter when the key expires: 30m, 12h, 90d or a date, or choose “Never”")]
    Empty,
    /// Text that is neither a time span nor a date.
    #[error("Not an expiration: use 30m, 12h, 90d, or a date such as 2027-02-21")]
    Unreadable,
    /// Unit that neither Elasticsearch nor Keybearer knows, such as in `1q`; holds the count.
    #[error("There is no such unit: use y (365 days), w (7 days), d, h, m or s, as in {0}d")]
    Unit(u64),
    /// Unit `M`, as in `1M`, which Elasticsearch refuses too (as seen on 9.5.3).
    #[error("{NO_MONTHS}")]
    Months,
    /// Fraction, as in `1.5d`.
    #[error("Whole numbers only: use a smaller unit, such as 36h for 1.5d")]
    Fraction,
    /// Expiration in the past, or less than a second ahead: `0s`, `-1d` or a past date. Elasticsearch would create a
    /// key that is expired at once.
    #[error("That is in the past, so the key would expire immediately: choose a later expiration")]
    Past,
    /// Expiration after the year 9999.
    #[error("That is beyond the calendar (year 9999): choose an earlier expiration, or “Never”")]
    Beyond,
}

impl Span {
    /// Returns a span of a number of days.
    pub const fn days(count: u64) -> Self {
        Self { count, unit: Unit::Days }
    }

    /// Returns a span of a length, counted in milliseconds; a negative length counts as 0.
    pub fn of(length: TimeDelta) -> Self {
        Self { count: u64::try_from(length.as_millis()).unwrap_or(0), unit: Unit::Millis }
    }

    /// Returns the length, rounded down to milliseconds; `None` if it is longer than a [`TimeDelta`] can be.
    pub fn length(self) -> Option<TimeDelta> {
        let count = i64::try_from(self.count).ok()?;
        let millis = match self.unit {
            Unit::Nanos => Some(count / 1_000_000),
            Unit::Micros => Some(count / 1000),
            Unit::Millis => Some(count),
            Unit::Seconds => count.checked_mul(unit::SECOND.length.as_millis()),
            Unit::Minutes => count.checked_mul(unit::MINUTE.length.as_millis()),
            Unit::Hours => count.checked_mul(unit::HOUR.length.as_millis()),
            Unit::Days => count.checked_mul(unit::DAY.length.as_millis()),
        };
        millis.map(TimeDelta::from_millis)
    }

    /// Formats the span for people. Milliseconds are given in the largest unit of which there are two or more, with
    /// "about" if they are not a whole number of it, because the time that a key has left is counted in milliseconds.
    fn words(self) -> String {
        let (_, word) = self.unit.names();
        let larger = [Unit::Days, Unit::Hours, Unit::Minutes, Unit::Seconds].into_iter().find_map(|unit| {
            let length = Self { count: 1, unit }.length()?.as_millis().unsigned_abs();
            (self.unit == Unit::Millis && self.count >= 2 * length).then_some((length, unit.names().1))
        });
        match larger {
            Some((length, word)) if self.count.is_multiple_of(length) => plural(self.count / length, word),
            Some((length, word)) => format!("about {}", plural((self.count + length / 2) / length, word)),
            None => plural(self.count, word),
        }
    }
}

impl std::fmt::Display for Span {
    /// Writes the span as Elasticsearch reads it: `90d`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.count, self.unit.names().0)
    }
}

impl Expiry {
    /// Reads `30m`, `90d`, `2w`, `1y`, `never`, `tomorrow`, `2027-02-21`, `2027-02-21 14:00` or an RFC 3339 time.
    /// Elasticsearch has no weeks and years: they are sent as 7 and 365 days. A day without a time means the end of
    /// that day.
    ///
    /// # Errors
    /// Fails for blank text, for what Elasticsearch refuses (`soon`, `1M`, `1.5d`), for what it accepts although the
    /// key would be expired at once (`0s`, `-1d`: as seen on 9.5.3) and for times beyond the year 9999.
    pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, ExpiryError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ExpiryError::Empty);
        }
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        if text.eq_ignore_ascii_case("tomorrow") {
            return end_of_tomorrow(now, zone).map(Self::At).ok_or(ExpiryError::Beyond)?.check(now);
        }
        let expiry = match calendar::parse(text, zone) {
            Some(at) => Self::At(at),
            None => Self::In(parse_span(text)?),
        };
        expiry.check(now)
    }

    /// Returns the expiration itself if it is at least one second after `now` and within the calendar.
    ///
    /// # Errors
    /// [`ExpiryError::Past`] or [`ExpiryError::Beyond`].
    pub fn check(self, now: Timestamp) -> Result<Self, ExpiryError> {
        let shortest = TimeDelta::SECOND; // Elasticsearch counts in milliseconds; less than a second is a typing error
        match self {
            Self::Never => Ok(self),
            Self::At(at) if at > calendar::LAST => Err(ExpiryError::Beyond),
            Self::At(at) if at < now + shortest => Err(ExpiryError::Past),
            Self::At(_) => Ok(self),
            Self::In(span) => match span.length() {
                Some(length) if length < shortest => Err(ExpiryError::Past),
                Some(length) if now + length <= calendar::LAST => Ok(self),
                _ => Err(ExpiryError::Beyond),
            },
        }
    }

    /// Returns the time of the expiration, with a span counted from `now`; `None` for
    /// [`Expiry::Never`].
    pub fn at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
            Self::In(span) => Some(now + span.length().unwrap_or(TimeDelta::MAX)),
        }
    }

    /// Returns `true` if a reason is required: the key never expires, or expires more than [`MAX_WITHOUT_REASON`] after
    /// `now`.
    pub fn needs_reason(self, now: Timestamp) -> bool {
        self.at(now).is_none_or(|at| at - now > MAX_WITHOUT_REASON)
    }

    /// Returns the field `expiration` of a request, a span counted from the cluster's clock; `None` for
    /// [`Expiry::Never`].
    pub fn to_request(self, now: Timestamp) -> Option<String> {
        match self {
            Self::Never => None,
            Self::In(span) => Some(span.to_string()),
            Self::At(at) => Some(format!("{}ms", (at - now).as_millis())),
        }
    }

    /// Formats the expiration for people, with a date in the time zone: "in 90 days", "on 21 Feb 2027", "never".
    pub fn words(self, zone: &TimeZone) -> String {
        match self {
            Self::Never => "never".into(),
            Self::In(span) => format!("in {}", span.words()),
            Self::At(at) => format!("on {}", calendar::day(at, zone)),
        }
    }
}

/// Returns the end of tomorrow in the time zone; `None` outside the calendar.
fn end_of_tomorrow(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = now.to_jiff()?.to_zoned_datetime(zone.clone()).date();
    calendar::parse(&today.tomorrow().ok()?.to_string(), zone)
}

/// Units that Elasticsearch doesn't have, with their length in days.
const LONG_UNITS: [(&str, u64); 2] = [("w", 7), ("y", 365)];

fn parse_span(text: &str) -> Result<Span, ExpiryError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, suffix) = (&digits[..end], digits[end..].trim());
    if number.is_empty() || suffix.is_empty() {
        return Err(ExpiryError::Unreadable);
    }
    if suffix.starts_with(['.', ',']) {
        return Err(ExpiryError::Fraction);
    }
    if looks_like_a_date(suffix) {
        return Err(ExpiryError::Unreadable);
    }
    let Ok(count) = number.parse::<u64>() else { return Err(ExpiryError::Beyond) };
    if suffix == "M" {
        return Err(ExpiryError::Months);
    }
    if let Some((_, days)) = LONG_UNITS.into_iter().find(|(name, _)| suffix.eq_ignore_ascii_case(name)) {
        let count = count.checked_mul(days).ok_or(ExpiryError::Beyond)?;
        return if negative { Err(ExpiryError::Past) } else { Ok(Span::days(count)) };
    }
    let known = Unit::ALL.into_iter().find(|(_, name, _)| suffix.eq_ignore_ascii_case(name));
    match known {
        Some((unit, _, _)) if !negative => Ok(Span { count, unit }),
        Some(_) => Err(ExpiryError::Past),
        None => Err(ExpiryError::Unit(count)),
    }
}

fn looks_like_a_date(rest: &str) -> bool {
    rest.starts_with(['-', '/', ':']) || rest.contains(|c: char| c.is_ascii_digit())
}

/// Formats the time that a key has left: "in 3 days", "expired 2 days ago", or "never expires" for `None`.
pub fn remaining(expires: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = expires else { return "never expires".into() };
    let left = at - now;
    if left > TimeDelta::ZERO { format!("in {}", about(left)) } else { format!("expired {} ago", about(-left)) }
}

/// Formats the time that has passed since `at`: "3 days ago", or "just now" for less than a second and for the future.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let past = now - at;
    if past < TimeDelta::SECOND { "just now".into() } else { format!("{} ago", about(past)) }
}

/// Returns the time at which the result of [`remaining`] or `Status::of` changes next, for a window that sleeps until then; at least one second after `now`.
pub fn next_change(expires: Timestamp, now: Timestamp) -> Timestamp {
    let left = expires - now;
    let step = match left.abs() {
        d if d < TimeDelta::from_mins(2) => TimeDelta::SECOND,
        d if d < TimeDelta::from_hours(2) => TimeDelta::MINUTE,
        d if d < TimeDelta::from_days(2) => TimeDelta::HOUR,
        _ => TimeDelta::DAY,
    };
    now + left.rem_euclid(step).max(TimeDelta::SECOND)
}

/// Formats a length of time in its largest unit of which there are two or more: "36 hours".
pub fn about(length: TimeDelta) -> String {
    const YEAR: TimeDelta = TimeDelta::from_days(365);
    let count = |unit: TimeDelta| (length / unit).unsigned_abs();
    match length {
        l if l < TimeDelta::from_mins(2) => plural(count(TimeDelta::SECOND).max(1), "second"),
        l if l < TimeDelta::from_hours(2) => plural(count(TimeDelta::MINUTE), "minute"),
        l if l < TimeDelta::from_days(2) => plural(count(TimeDelta::HOUR), "hour"),
        l if l < 3 * YEAR => plural(count(TimeDelta::DAY), "day"),
        l if l < 10_000 * YEAR => plural(count(YEAR), "year"),
        _ => "more than 10,000 years".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{text::number::thousands, time::status::Status};

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z

    fn parse(text: &str) -> Result<Expiry, ExpiryError> {
        Expiry::parse(text, NOW, &TimeZone::UTC)
    }

    #[test]
    fn time_units_travel_as_they_were_typed() {
        for text in ["30m", "1d", "90d", "12h", "45s", "5000ms"] {
            assert_eq!(parse(text).unwrap().to_request(NOW).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_number_of_milliseconds_is_told_in_days() {
        let words = |text: &str| Expiry::parse(text, NOW, &TimeZone::UTC).unwrap().words(&TimeZone::UTC);
        assert_eq!(words("777601603ms"), "in about 9 days");
        assert_eq!(words("172800000ms"), "in 2 days");
        assert_eq!(words("172799999ms"), "in about 48 hours");
        assert_eq!(words("5000ms"), "in 5 seconds");
        assert_eq!(words("1500ms"), "in 1,500 milliseconds");
        assert_eq!(words("36h"), "in 36 hours");
    }

    /// Elasticsearch has neither weeks nor years, so they are sent as days, and the text gives the number of days.
    #[test]
    fn weeks_and_years_are_days() {
        for (text, sent, words) in
            [("2w", "14d", "in 14 days"), ("1y", "365d", "in 365 days"), ("1W", "7d", "in 7 days")]
        {
            let expiry = parse(text).unwrap();
            assert_eq!(expiry.to_request(NOW).as_deref(), Some(sent));
            assert_eq!(expiry.words(&TimeZone::UTC), words);
        }
        assert_eq!(parse("30D").unwrap().to_request(NOW).as_deref(), Some("30d"));
        assert_eq!(parse("Tomorrow"), parse("2026-11-25"));
    }

    #[test]
    fn months_are_refused_with_the_way_out() {
        assert_eq!(parse("1M").unwrap_err().to_string(), NO_MONTHS);
    }

    #[test]
    fn a_date_travels_as_the_milliseconds_left() {
        let expiry = parse("2026-11-25T12:00:00Z").unwrap();
        assert_eq!(expiry.to_request(NOW), Some("86400000ms".into()));
        assert_eq!(expiry.at(NOW), Some(NOW + TimeDelta::DAY));
    }

    #[test]
    fn what_makes_no_living_key_is_refused_with_the_way_out() {
        let cases = [
            ("soon", ExpiryError::Unreadable),
            ("", ExpiryError::Empty),
            ("90", ExpiryError::Unreadable),
            ("1q", ExpiryError::Unit(1)),
            ("1M", ExpiryError::Months),
            ("2 M", ExpiryError::Months),
            ("-1y", ExpiryError::Past),
            ("18446744073709551615y", ExpiryError::Beyond),
            ("1.5d", ExpiryError::Fraction),
            ("0s", ExpiryError::Past),
            ("-1d", ExpiryError::Past),
            ("10nanos", ExpiryError::Past),
            ("2020-01-01", ExpiryError::Past),
            ("2026-02-30", ExpiryError::Unreadable),
            ("999999999d", ExpiryError::Beyond),
            ("99999999999999999999d", ExpiryError::Beyond),
            ("18446744073709551615d", ExpiryError::Beyond),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_status_has_its_thresholds() {
        let of = |left: TimeDelta| Status::of(Some(NOW + left), false, NOW);
        assert_eq!(of(TimeDelta::ZERO), Status::Expired);
        assert_eq!(of(TimeDelta::MILLISECOND), Status::Expiring);
        assert_eq!(of(7 * TimeDelta::DAY), Status::Expiring);
        assert_eq!(of(7 * TimeDelta::DAY + TimeDelta::MILLISECOND), Status::ExpiringSoon);
        assert_eq!(of(30 * TimeDelta::DAY), Status::ExpiringSoon);
        assert_eq!(of(30 * TimeDelta::DAY + TimeDelta::MILLISECOND), Status::Active);
        assert_eq!(Status::of(None, false, NOW), Status::Never);
        assert_eq!(Status::of(None, true, NOW), Status::Invalidated);
        assert_eq!(Status::of(Some(Timestamp::MIN), false, Timestamp::MAX), Status::Expired);
    }

    #[test]
    fn the_time_left_is_told_in_words() {
        assert_eq!(remaining(Some(NOW + 3 * TimeDelta::DAY), NOW), "in 3 days");
        assert_eq!(remaining(Some(NOW + 6 * TimeDelta::HOUR), NOW), "in 6 hours");
        assert_eq!(remaining(Some(NOW - 2 * TimeDelta::DAY), NOW), "expired 2 days ago");
        assert_eq!(remaining(Some(NOW + TimeDelta::MILLISECOND), NOW), "in 1 second");
        assert_eq!(remaining(None, NOW), "never expires");
        assert_eq!(remaining(Some(Timestamp::MAX), NOW), "in more than 10,000 years");
        assert_eq!(remaining(Some(Timestamp::MIN), Timestamp::MAX), "expired more than 10,000 years ago");
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(12_408), "12,408");
        assert_eq!(plural(1, "key"), "1 key");
        assert_eq!(plural(1_000_000, "key"), "1,000,000 keys");
    }

    #[test]
    fn the_next_change_is_that_of_the_unit_that_is_shown() {
        let ahead = |left: TimeDelta| next_change(NOW + left, NOW) - NOW;
        let millis = TimeDelta::from_millis;
        let hours = TimeDelta::from_hours;
        assert_eq!(ahead(millis(90_500)), millis(1000));
        assert_eq!(ahead(hours(1) + millis(30_500)), millis(30_500));
        assert_eq!(ahead(hours(5) + millis(1_000_500)), millis(1_000_500));
        assert_eq!(ahead(5 * TimeDelta::DAY + hours(5)), hours(5));
    }

    #[test]
    fn the_next_change_lies_ahead() {
        let millis = [-1, 0, 1, 500, 90_000, 5_000_000].map(TimeDelta::from_millis);
        for left in millis.into_iter().chain([-5 * TimeDelta::DAY, TimeDelta::DAY, 40 * TimeDelta::DAY, TimeDelta::MAX])
        {
            assert!(next_change(NOW + left, NOW) > NOW, "{left:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_expiry_or_an_error(text in "\\PC*", now in proptest::num::i64::ANY) {
            let _ = Expiry::parse(&text, Timestamp::from_millis(now), &TimeZone::UTC);
        }

        #[test]
        fn any_moment_has_words(at in proptest::num::i64::ANY, now in proptest::num::i64::ANY) {
            let (at, now) = (Timestamp::from_millis(at), Timestamp::from_millis(now));
            let _ = (remaining(Some(at), now), ago(at, now), Status::of(Some(at), false, now), next_change(at, now));
        }
    }
}
