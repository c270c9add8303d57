//! Time values as Elasticsearch writes them (`30m`, `1d`), with its refusals. Uses no clock.

use crate::{
    model::time::unit,
    sandbox::http::error::{EsError, Outcome},
};

/// Parses a time value into milliseconds; smaller units are rounded down.
///
/// As seen on 9.5.3: units are case-insensitive except `m` (minutes), blanks around and before the unit are
/// allowed, `-1` of any unit is accepted, other negatives, fractions and unknown units are not.
pub fn parse(text: &str, setting: &str) -> Outcome<i64> {
    const UNITS: [(&str, i64, i64); 7] = [
        ("nanos", 1, 1_000_000),
        ("micros", 1, 1_000),
        ("ms", 1, 1),
        (unit::SECOND.suffix, unit::SECOND.length.as_millis(), 1),
        (unit::MINUTE.suffix, unit::MINUTE.length.as_millis(), 1),
        (unit::HOUR.suffix, unit::HOUR.length.as_millis(), 1),
        (unit::DAY.suffix, unit::DAY.length.as_millis(), 1),
    ];
    let trimmed = text.trim();
    // Only the unit of minutes is told from months by its case.
    let normalized = if trimmed.ends_with('M') { trimmed.to_owned() } else { trimmed.to_lowercase() };
    for (suffix, times, divided) in UNITS {
        if let Some(digits) = normalized.strip_suffix(suffix) {
            let amount = amount(digits.trim(), text, setting)?;
            let millis =
                amount.checked_mul(times).ok_or_else(|| EsError::new(500, "arithmetic_exception", "long overflow"))?;
            return Ok(millis / divided);
        }
    }
    if normalized == "-1" || !normalized.is_empty() && normalized.bytes().all(|digit| digit == b'0') {
        return Ok(0);
    }
    Err(EsError::illegal(format!(
        "failed to parse setting [{setting}] with value [{text}] as a time value: unit is missing or unrecognized"
    )))
}

/// Returns `true` if a time value is valid and greater than zero, even if shorter than one millisecond.
pub fn is_positive(text: &str) -> bool {
    parse(text, "").is_ok() && !text.trim_start().starts_with('-') && text.contains(|c: char| ('1'..='9').contains(&c))
}

fn amount(digits: &str, text: &str, setting: &str) -> Outcome<i64> {
    let value = digits.parse::<i64>().map_err(|_| {
        let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{digits}\""));
        let fraction = digits.parse::<f64>().is_ok();
        let reason = if fraction {
            format!("failed to parse [{text}], fractional time values are not supported")
        } else {
            format!("failed to parse [{text}]")
        };
        EsError::illegal(reason).because(cause)
    })?;
    if value < -1 {
        return Err(EsError::illegal(format!(
            "failed to parse setting [{setting}] with value [{text}] as a time value: negative durations are not supported"
        )));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_elasticsearch_is_understood() {
        for (text, millis) in [
            ("1d", 86_400_000),
            ("2h", 7_200_000),
            ("30m", 1_800_000),
            ("30S", 30_000),
            ("100ms", 100),
            ("5micros", 0),
            ("5nanos", 0),
            ("1 d", 86_400_000),
            (" 1D ", 86_400_000),
            ("+1d", 86_400_000),
            ("0s", 0),
            ("-1d", -86_400_000),
            ("0", 0),
            ("-1", 0),
        ] {
            assert_eq!(parse(text, "expiration").unwrap(), millis, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_value_is_refused_in_the_words_of_the_server() {
        let reason = |text: &str| parse(text, "expiration").unwrap_err().reason;
        assert_eq!(
            reason("soon"),
            "failed to parse setting [expiration] with value [soon] as a time value: unit is missing or unrecognized"
        );
        assert!(reason("1y").ends_with("unit is missing or unrecognized"));
        assert!(reason("1M").ends_with("unit is missing or unrecognized"));
        assert_eq!(reason("1.5d"), "failed to parse [1.5d], fractional time values are not supported");
        assert_eq!(reason("1d1h"), "failed to parse [1d1h]");
        assert!(reason("-2d").ends_with("negative durations are not supported"));
        assert!(reason("").contains("with value []"));
    }

    #[test]
    fn the_largest_numbers_overflow_without_a_panic() {
        assert_eq!(parse("9223372036854775807d", "x").unwrap_err().status, 500);
        assert!(parse("99999999999999999999d", "x").is_err());
        assert_eq!(parse("9223372036854775807ms", "x").unwrap(), i64::MAX);
    }
}
