//! Units of time that all notations share; each notation adds its own and has its own grammar.

use crate::model::TimeDelta;

/// Unit of time with a fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeUnit {
    /// Suffix of a number, as Elasticsearch reads it.
    pub suffix: &'static str,
    /// English word, in the singular.
    pub word: &'static str,
    /// Length.
    pub length: TimeDelta,
}

/// `s`.
pub const SECOND: TimeUnit = TimeUnit { suffix: "s", word: "second", length: TimeDelta::SECOND };
/// `m`; months have no fixed length and no unit here.
pub const MINUTE: TimeUnit = TimeUnit { suffix: "m", word: "minute", length: TimeDelta::MINUTE };
/// `h`.
pub const HOUR: TimeUnit = TimeUnit { suffix: "h", word: "hour", length: TimeDelta::HOUR };
/// `d`, 24 hours.
pub const DAY: TimeUnit = TimeUnit { suffix: "d", word: "day", length: TimeDelta::DAY };
