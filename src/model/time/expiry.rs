//! When a key ends: as it is asked for (`90d`, a date, never) and as it is told ("in 3 days").

use jiff::{Timestamp, tz::TimeZone};

use super::calendar;
use crate::model::{DAY, Millis};

/// A key that ends within this time is shown as *expiring*: 7 days, in milliseconds.
pub const EXPIRING: Millis = 7 * DAY;
/// A key that ends within this time is shown as *expiring soon*: 30 days, in milliseconds.
pub const EXPIRING_SOON: Millis = 30 * DAY;

/// The longest time until its end for which a new key needs no word of reason: a year with a leap day, in
/// milliseconds.
pub const MAX_WITHOUT_REASON: Millis = 366 * DAY;

/// What is said to `1M`: the one unit whose case counts, for Elasticsearch as well.
pub const NO_MONTHS: &str = "m is minutes; there is no unit for months, write 30d";

/// The end of a key that is to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// No end: only ever by an explicit choice.
    Never,
    /// A time unit counted from the server's now, sent as it was typed (`90d`).
    In(Span),
    /// A moment, sent as the milliseconds that are left until then.
    At(Millis),
}

/// A count of one of Elasticsearch's time units.
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
    /// Longest suffix first, so that `ms` is not read as minutes and a rest.
    const ALL: [(Unit, &'static str, &'static str); 7] = [
        (Unit::Nanos, "nanos", "nanosecond"),
        (Unit::Micros, "micros", "microsecond"),
        (Unit::Millis, "ms", "millisecond"),
        (Unit::Seconds, "s", "second"),
        (Unit::Minutes, "m", "minute"),
        (Unit::Hours, "h", "hour"),
        (Unit::Days, "d", "day"),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let (_, suffix, word) = Self::ALL[self as usize];
        (suffix, word)
    }
}

/// Why a text is no expiration; `Display` says what is possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Nothing was typed; the end of a key is never left to chance.
    #[error("Say when the key ends: 30m, 12h, 90d or a date, or choose “Never”")]
    Empty,
    /// Neither a time unit nor a date.
    #[error("Not an expiration: write 30m, 12h, 90d, or a date such as 2027-02-21")]
    Unreadable,
    /// A unit that neither Elasticsearch nor Keybearer knows, such as `1q`.
    #[error("There is no such unit: use y (365 days), w (7 days), d, h, m or s, as in {0}d")]
    Unit(u64),
    /// `1M`, which Elasticsearch refuses too (as seen on 9.5.3).
    #[error("{NO_MONTHS}")]
    Months,
    /// `1.5d`.
    #[error("Whole numbers only: write it in a smaller unit, such as 36h for 1.5d")]
    Fraction,
    /// `0s`, `-1d` or a date gone by: Elasticsearch would make a key that is dead already.
    #[error("That is in the past, the key would be dead at once: choose a later end")]
    Past,
    /// After the year 9999.
    #[error("That is beyond the calendar (year 9999): choose an earlier end, or “Never”")]
    Beyond,
}

impl Span {
    /// A number of days.
    pub const fn days(count: u64) -> Self {
        Self { count, unit: Unit::Days }
    }

    /// A number of milliseconds; fewer than none are none.
    pub fn of_millis(length: Millis) -> Self {
        Self { count: u64::try_from(length).unwrap_or(0), unit: Unit::Millis }
    }

    /// Its length in milliseconds, rounded down; `None` if an `i64` can't hold it.
    pub fn millis(self) -> Option<Millis> {
        let count = i64::try_from(self.count).ok()?;
        match self.unit {
            Unit::Nanos => Some(count / 1_000_000),
            Unit::Micros => Some(count / 1000),
            Unit::Millis => Some(count),
            Unit::Seconds => count.checked_mul(1000),
            Unit::Minutes => count.checked_mul(60_000),
            Unit::Hours => count.checked_mul(3_600_000),
            Unit::Days => count.checked_mul(DAY),
        }
    }

    /// Milliseconds are told in the largest unit of which there are two or more, and said to be about that where
    /// they don't add up: the rest of a life is counted in them.
    fn words(self) -> String {
        let (_, word) = self.unit.names();
        let larger = [Unit::Days, Unit::Hours, Unit::Minutes, Unit::Seconds].into_iter().find_map(|unit| {
            let length = Self { count: 1, unit }.millis()?.unsigned_abs();
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
    /// As Elasticsearch reads it: `90d`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.count, self.unit.names().0)
    }
}

impl Expiry {
    /// What a new key gets when nothing else is chosen.
    pub const DEFAULT: Expiry = Expiry::In(Span::days(90));

    /// Reads `30m`, `90d`, `2w`, `1y`, `never`, `tomorrow`, `2027-02-21`, `2027-02-21 14:00` or an RFC 3339 time.
    /// Elasticsearch has no weeks and years: they are sent as 7 and 365 days. A day without a time is its end.
    ///
    /// # Errors
    /// What Elasticsearch refuses (`soon`, `1M`, `1.5d`), what it accepts although the key would be
    /// dead (`0s`, `-1d`: as seen on 9.5.3) and what lies beyond the year 9999.
    pub fn parse(text: &str, now: Millis, zone: &TimeZone) -> Result<Self, ExpiryError> {
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

    /// Itself, if it lies ahead of `now` and within the calendar.
    ///
    /// # Errors
    /// [`ExpiryError::Past`] or [`ExpiryError::Beyond`].
    pub fn check(self, now: Millis) -> Result<Self, ExpiryError> {
        let shortest = 1000; // Elasticsearch counts in milliseconds; less than a second is a slip
        match self {
            Self::Never => Ok(self),
            Self::At(at) if at > calendar::LAST => Err(ExpiryError::Beyond),
            Self::At(at) if at < now.saturating_add(shortest) => Err(ExpiryError::Past),
            Self::At(_) => Ok(self),
            Self::In(span) => match span.millis() {
                Some(length) if length < shortest => Err(ExpiryError::Past),
                Some(length) if now.saturating_add(length) <= calendar::LAST => Ok(self),
                _ => Err(ExpiryError::Beyond),
            },
        }
    }

    /// The moment it stands for, if there is one.
    pub fn at(self, now: Millis) -> Option<Millis> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
            Self::In(span) => Some(now.saturating_add(span.millis().unwrap_or(Millis::MAX))),
        }
    }

    /// `true` if somebody has to say why: no end, or one beyond [`MAX_WITHOUT_REASON`].
    pub fn needs_reason(self, now: Millis) -> bool {
        self.at(now).is_none_or(|at| at.saturating_sub(now) > MAX_WITHOUT_REASON)
    }

    /// The field `expiration` of a request: a time unit counted from the server's now.
    pub fn to_request(self, now: Millis) -> Option<String> {
        match self {
            Self::Never => None,
            Self::In(span) => Some(span.to_string()),
            Self::At(at) => Some(format!("{}ms", at.saturating_sub(now))),
        }
    }

    /// "in 90 days", "on 21 Feb 2027", "never".
    pub fn words(self, zone: &TimeZone) -> String {
        match self {
            Self::Never => "never".into(),
            Self::In(span) => format!("in {}", span.words()),
            Self::At(at) => format!("on {}", calendar::day(at, zone)),
        }
    }
}

/// What the date of tomorrow means as an end.
fn end_of_tomorrow(now: Millis, zone: &TimeZone) -> Option<Millis> {
    let today = Timestamp::from_millisecond(now).ok()?.to_zoned_datetime(zone.clone()).date();
    calendar::parse(&today.tomorrow().ok()?.to_string(), zone)
}

/// Units that Elasticsearch doesn't have, in days.
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

/// What is true of a key at a moment, in the order in which it asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its end has come; it is refused with 401.
    Expired,
    /// It ends within 7 days.
    Expiring,
    /// It ends within 30 days.
    ExpiringSoon,
    /// It has more than 30 days left.
    Active,
    /// It has no end.
    Never,
    /// Somebody took it away; nothing revives it.
    Invalidated,
}

impl Status {
    /// All of them, in the order in which they ask for attention.
    pub const ALL: [Status; 6] =
        [Self::Expired, Self::Expiring, Self::ExpiringSoon, Self::Active, Self::Never, Self::Invalidated];

    /// Its place in [`Status::ALL`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// The status of a key by its end and by whether it was invalidated.
    pub fn of(expires: Option<Millis>, invalidated: bool, now: Millis) -> Self {
        match expires {
            _ if invalidated => Self::Invalidated,
            None => Self::Never,
            Some(at) => match at.saturating_sub(now) {
                left if left <= 0 => Self::Expired,
                left if left <= EXPIRING => Self::Expiring,
                left if left <= EXPIRING_SOON => Self::ExpiringSoon,
                _ => Self::Active,
            },
        }
    }

    /// Whether a client can sign in with the key.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Expired | Self::Invalidated)
    }

    /// The words that always stand beside its mark: what the key is, and its end where that says more.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Expiring => "valid, expires within 7 days",
            Self::ExpiringSoon => "valid, expires within 30 days",
            Self::Active => "valid, expires later",
            Self::Never => "valid, never expires",
            Self::Invalidated => "invalidated",
        }
    }

    /// What the key is, in one word, for a column of a table or of a file: `valid`, `expired` or `invalidated`.
    pub fn machine_word(self) -> &'static str {
        match self {
            Self::Expired => StatusGroup::Expired.word(),
            Self::Invalidated => StatusGroup::Invalidated.word(),
            Self::Expiring | Self::ExpiringSoon | Self::Active | Self::Never => StatusGroup::Valid.word(),
        }
    }
}

/// A set of keys that has one word everywhere: in searches, options, tables, files, metrics and the window.
///
/// There are two scales. What a key is: valid, expired or invalidated, each key exactly one of them. When a valid
/// key ends: within 7 days, within 30 days (those of 7 days included), later, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusGroup {
    /// Neither expired nor invalidated: a client can sign in with it.
    Valid,
    /// Valid, and ends in 7 days or less.
    Within7Days,
    /// Valid, and ends in 30 days or less.
    Within30Days,
    /// Valid, and ends in more than 30 days.
    Later,
    /// Valid, and has no end.
    Never,
    /// Its end has come, and it was not invalidated.
    Expired,
    /// Somebody took it away, whenever its end is.
    Invalidated,
}

impl StatusGroup {
    /// All of them, in the order of the filter chips.
    pub const ALL: [Self; 7] = [
        Self::Valid,
        Self::Within7Days,
        Self::Within30Days,
        Self::Later,
        Self::Never,
        Self::Expired,
        Self::Invalidated,
    ];

    /// The words of earlier versions, which are still read.
    pub const ALIASES: [(&'static str, Self); 4] = [
        ("active", Self::Valid),
        ("expiring", Self::Within7Days),
        ("soon", Self::Within30Days),
        ("expiring-soon", Self::Within30Days),
    ];

    /// The word of a search, an option, a file and a metric.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Within7Days => "within-7d",
            Self::Within30Days => "within-30d",
            Self::Later => "later",
            Self::Never => "never",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
        }
    }

    /// The label of its chip and of its figure.
    pub fn label(self) -> &'static str {
        match self {
            Self::Valid => "Valid",
            Self::Within7Days => "Within 7 days",
            Self::Within30Days => "Within 30 days",
            Self::Later => "Later",
            Self::Never => "Never expires",
            Self::Expired => "Expired",
            Self::Invalidated => "Invalidated",
        }
    }

    /// Predicate of a key of this group: "is valid and expires within 7 days".
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Valid => "can be used",
            Self::Within7Days => "is valid and ends within 7 days",
            Self::Within30Days => "is valid and expires within 30 days",
            Self::Later => "is valid and expires in more than 30 days",
            Self::Never => "is valid and never expires",
            Self::Expired => "has expired",
            Self::Invalidated => "was invalidated",
        }
    }

    /// The group of a word, an alias included; `_` is read as `-`, and the case does not count.
    pub fn named(word: &str) -> Option<Self> {
        let word = word.to_lowercase().replace('_', "-");
        let own = Self::ALL.into_iter().find(|group| group.word() == word);
        own.or_else(|| Self::ALIASES.into_iter().find(|(alias, _)| *alias == word).map(|(_, group)| group))
    }

    /// `true` if a key of this status belongs to it.
    pub fn has(self, status: Status) -> bool {
        match self {
            Self::Valid => status.is_usable(),
            Self::Within7Days => status == Status::Expiring,
            Self::Within30Days => matches!(status, Status::Expiring | Status::ExpiringSoon),
            Self::Later => status == Status::Active,
            Self::Never => status == Status::Never,
            Self::Expired => status == Status::Expired,
            Self::Invalidated => status == Status::Invalidated,
        }
    }

    /// The status whose mark and color stand for it.
    pub fn mark(self) -> Status {
        match self {
            Self::Valid | Self::Later => Status::Active,
            Self::Within7Days => Status::Expiring,
            Self::Within30Days => Status::ExpiringSoon,
            Self::Never => Status::Never,
            Self::Expired => Status::Expired,
            Self::Invalidated => Status::Invalidated,
        }
    }
}

/// The time a key has left: "in 3 days", "expired 2 days ago", "never expires".
pub fn remaining(expires: Option<Millis>, now: Millis) -> String {
    let Some(at) = expires else { return "never expires".into() };
    let left = at.saturating_sub(now);
    if left > 0 { format!("in {}", about(left)) } else { format!("expired {} ago", about(left.saturating_neg())) }
}

/// How long ago something was: "3 days ago", "just now".
pub fn ago(at: Millis, now: Millis) -> String {
    let past = now.saturating_sub(at);
    if past < 1000 { "just now".into() } else { format!("{} ago", about(past)) }
}

/// The moment at which [`remaining`] or [`Status::of`] next changes its words, for a window that
/// sleeps until then; never less than a second ahead.
pub fn next_change(expires: Millis, now: Millis) -> Millis {
    let distance = expires.saturating_sub(now).saturating_abs();
    let step = match distance {
        d if d < 120_000 => 1000,
        d if d < 2 * 3_600_000 => 60_000,
        d if d < 2 * DAY => 3_600_000,
        _ => DAY,
    };
    let rest = expires.saturating_sub(now).rem_euclid(step);
    now.saturating_add(rest.max(1000))
}

fn about(length: Millis) -> String {
    let count = |unit: Millis| length.unsigned_abs() / unit.unsigned_abs();
    match length {
        l if l < 120_000 => plural(count(1000).max(1), "second"),
        l if l < 2 * 3_600_000 => plural(count(60_000), "minute"),
        l if l < 2 * DAY => plural(count(3_600_000), "hour"),
        l if l < 3 * 365 * DAY => plural(count(DAY), "day"),
        l if l < 10_000 * 365 * DAY => plural(count(365 * DAY), "year"),
        _ => "more than 10,000 years".into(),
    }
}

/// `1 key`, `2 keys`, `12,408 keys`.
pub fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// `12,408`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_521_600_000; // 2026-11-24T12:00:00Z

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

    /// Elasticsearch has neither, so they are sent as days, and the words say how many.
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
        assert_eq!(expiry.at(NOW), Some(NOW + DAY));
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
        let of = |left: Millis| Status::of(Some(NOW + left), false, NOW);
        assert_eq!(of(0), Status::Expired);
        assert_eq!(of(1), Status::Expiring);
        assert_eq!(of(7 * DAY), Status::Expiring);
        assert_eq!(of(7 * DAY + 1), Status::ExpiringSoon);
        assert_eq!(of(30 * DAY), Status::ExpiringSoon);
        assert_eq!(of(30 * DAY + 1), Status::Active);
        assert_eq!(Status::of(None, false, NOW), Status::Never);
        assert_eq!(Status::of(None, true, NOW), Status::Invalidated);
        assert_eq!(Status::of(Some(i64::MIN), false, i64::MAX), Status::Expired);
    }

    #[test]
    fn the_time_left_is_told_in_words() {
        assert_eq!(remaining(Some(NOW + 3 * DAY), NOW), "in 3 days");
        assert_eq!(remaining(Some(NOW + 6 * 3_600_000), NOW), "in 6 hours");
        assert_eq!(remaining(Some(NOW - 2 * DAY), NOW), "expired 2 days ago");
        assert_eq!(remaining(Some(NOW + 1), NOW), "in 1 second");
        assert_eq!(remaining(None, NOW), "never expires");
        assert_eq!(remaining(Some(i64::MAX), NOW), "in more than 10,000 years");
        assert_eq!(remaining(Some(i64::MIN), i64::MAX), "expired more than 10,000 years ago");
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
    fn the_next_change_lies_ahead() {
        for left in [-5 * DAY, -1, 0, 1, 500, 90_000, 5_000_000, DAY, 40 * DAY, i64::MAX - NOW] {
            assert!(next_change(NOW + left, NOW) > NOW, "{left}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_expiry_or_an_error(text in "\\PC*", now in proptest::num::i64::ANY) {
            let _ = Expiry::parse(&text, now, &TimeZone::UTC);
        }

        #[test]
        fn any_moment_has_words(at in proptest::num::i64::ANY, now in proptest::num::i64::ANY) {
            let _ = (remaining(Some(at), now), ago(at, now), Status::of(Some(at), false, now), next_change(at, now));
        }
    }
}
