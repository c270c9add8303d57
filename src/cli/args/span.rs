//! A length of time as the value of an option.

use std::time::Duration;

use super::connection;
use crate::{
    cli::error::CliError,
    model::{
        TimeDelta, Timestamp,
        time::expiry::{Expiry, ExpiryError},
    },
};

/// Reads a length of time given to an option.
pub(crate) fn length(option: &str, text: &str) -> Result<TimeDelta, CliError> {
    let why = match Expiry::parse(text, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC) {
        Ok(Expiry::In(span)) => match span.length() {
            Some(length) => return Ok(length),
            None => String::new(),
        },
        Err(error @ (ExpiryError::Months | ExpiryError::Unit(_) | ExpiryError::Fraction)) => format!("{error}. "),
        _ => String::new(),
    };
    Err(CliError::usage(format!("{option} {text}: {why}Use a time such as 12h, 7d, 2w or 30d")))
}

/// Reads the time limit of a request, in seconds.
pub(super) fn timeout(text: &str) -> Result<Duration, CliError> {
    let seconds = text.trim().strip_suffix('s').unwrap_or(text.trim()).trim_end().parse::<u64>().ok();
    let seconds =
        seconds.filter(|seconds| (1..=3600).contains(seconds)).ok_or("Enter seconds from 1 to 3600, such as 30");
    connection::parse("--timeout", seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_none_is_told() {
        for within in ["", "soon", "-1d", "2027-01-01", "1M", "1q", "never", "tomorrow"] {
            assert!(
                matches!(length("--within", within), Err(CliError::Usage(words)) if words.contains("7d")),
                "{within}"
            );
        }
        assert!(
            matches!(length("--within", "1M"), Err(CliError::Usage(words)) if words.contains(crate::model::time::expiry::NO_MONTHS))
        );
        for (text, days) in [("2w", 14), ("1y", 365), ("48h", 2)] {
            assert_eq!(length("--within", text).ok(), Some(days * TimeDelta::DAY));
        }
    }
}
