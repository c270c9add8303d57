//! Formats of dates in aggregations: the common named ones, and patterns of Java's letters. General parsing of dates is
//! in `query::dates`.

use super::{
    calendar::{DAY, civil},
    zone::Zone,
};
use crate::sandbox::http::error::{EsError, Outcome};

/// Format of dates.
#[derive(Debug, Clone, PartialEq)]
pub struct DateFormat(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Millis,
    Seconds,
    Literal(String),
    /// Pattern letter and its number of repetitions.
    Field(char, usize),
}

const ISO: &str = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";

impl DateFormat {
    /// Parses a format; if there are several (`a||b`), only the first is used.
    ///
    /// # Errors
    /// With the messages of 9.5.3, or with an own message for unsupported letters.
    pub fn parse(text: &str) -> Outcome<DateFormat> {
        let first = text.split("||").next().unwrap_or_default();
        let pattern = match first.strip_prefix("strict_").unwrap_or(first) {
            "epoch_millis" => return Ok(DateFormat(vec![Piece::Millis])),
            "epoch_second" => return Ok(DateFormat(vec![Piece::Seconds])),
            "date_optional_time" | "date_time" | "iso8601" => ISO,
            "date_time_no_millis" => "yyyy-MM-dd'T'HH:mm:ssXXX",
            "date" | "year_month_day" => "yyyy-MM-dd",
            "year_month" => "yyyy-MM",
            "year" => "yyyy",
            "basic_date" => "yyyyMMdd",
            "hour_minute_second" => "HH:mm:ss",
            _ => first,
        };
        let pieces = pieces(pattern).map_err(|reason| {
            EsError::illegal(format!("Invalid format: [{text}]: {reason}")).because(EsError::illegal(reason))
        })?;
        let beyond = |piece: &&Piece| matches!(piece, Piece::Field(letter, count) if *count > most_done(*letter));
        match pieces.iter().find(beyond) {
            Some(Piece::Field(letter, count)) => {
                let letters = letter.to_string().repeat(*count);
                Err(EsError::not_done(&format!("[{letters}] in formats of dates")))
            }
            _ => Ok(DateFormat(pieces)),
        }
    }

    /// Parses year, month, day, hour, minute, second and millisecond; `None` if the text does not have this format, or
    /// if the format has parts that can't be parsed here.
    pub fn read(&self, text: &str) -> Option<[Option<i64>; 7]> {
        let mut parts = [None; 7];
        let mut rest = text;
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Piece::Field(letter, count) => {
                    let part = parts.get_mut("yMdHmsS".find(if *letter == 'u' { 'y' } else { *letter })?)?;
                    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let width = if *count == 1 { digits.min(2) } else { *count };
                    if digits < width || width == 0 {
                        return None;
                    }
                    let (number, behind) = rest.split_at_checked(width)?;
                    let mut value: i64 = number.parse().ok()?;
                    if *letter == 'S' {
                        value = format!("{number:0<3}").get(..3)?.parse().ok()?;
                    } else if *letter == 'y' && *count == 2 {
                        value += 2_000;
                    }
                    *part = Some(value);
                    rest = behind;
                }
                Piece::Millis | Piece::Seconds => return None,
            }
        }
        rest.is_empty().then_some(parts)
    }

    /// Formats a time in epoch milliseconds as local time of a zone.
    pub fn write(&self, at: i64, zone: &Zone) -> String {
        let offset = zone.offset_at(at);
        let local = at.saturating_add(offset);
        let (year, month, day) = civil(local.div_euclid(DAY));
        let millis = local.rem_euclid(DAY);
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Millis => text.push_str(&at.to_string()),
                Piece::Seconds => {
                    text.push_str(&at.div_euclid(1_000).to_string());
                    let rest = at.rem_euclid(1_000);
                    if rest > 0 {
                        text.push_str(format!(".{rest:03}").trim_end_matches('0'));
                    }
                }
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Field('X' | 'x', count) => text.push_str(&shown_offset(offset, *count)),
                Piece::Field('S', count) => {
                    let digits = format!("{:03}000000", millis % 1_000);
                    text.push_str(digits.get(..*count).unwrap_or(&digits));
                }
                Piece::Field('y' | 'u', 2) => text.push_str(&format!("{:02}", year.rem_euclid(100))),
                // As Java writes years of more than four digits.
                Piece::Field('y' | 'u', count) if year > 9_999 && *count >= 4 => text.push_str(&format!("+{year}")),
                Piece::Field(letter, count) => {
                    let value = match letter {
                        'y' | 'u' => year,
                        'M' => month,
                        'd' => day,
                        'H' => millis / 3_600_000,
                        'm' => millis / 60_000 % 60,
                        _ => millis / 1_000 % 60,
                    };
                    text.push_str(&format!("{value:0count$}"));
                }
            }
        }
        text
    }
}

fn shown_offset(offset: i64, count: usize) -> String {
    if offset == 0 {
        return "Z".to_owned();
    }
    let minutes = offset.abs() / 60_000;
    let sign = if offset < 0 { '-' } else { '+' };
    let colon = if count == 3 { ":" } else { "" };
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// Returns the maximum number of repetitions supported for a letter; 0 if the letter is not supported.
fn most_done(letter: char) -> usize {
    match letter {
        'y' | 'u' => 19,
        'M' | 'd' | 'H' | 'm' | 's' => 2,
        'S' => 9,
        'X' | 'x' => 3,
        _ => 0,
    }
}

/// Refuses characters that are no letters of Java's formats, and too many repetitions (as seen on 9.5.3).
fn check_letter(letter: char, count: usize) -> Result<(), String> {
    let most = match letter {
        'A' | 'N' | 'Q' | 'W' | 'Y' | 'g' | 'n' | 'u' | 'y' => 19,
        'S' => 9,
        'E' | 'G' | 'L' | 'M' | 'X' | 'Z' | 'c' | 'e' | 'q' | 'x' => 5,
        'B' | 'O' | 'v' | 'z' => 4,
        'D' => 3,
        'H' | 'K' | 'd' | 'h' | 'k' | 'm' | 's' | 'w' => 2,
        'F' | 'a' => 1,
        'V' if count == 2 => 2,
        'V' => return Err("Pattern letter count must be 2: V".to_owned()),
        'p' => {
            let letters = "p".repeat(count);
            return Err(format!("Pad letter 'p' must be followed by valid pad pattern: {letters}"));
        }
        _ => return Err(format!("Unknown pattern letter: {letter}")),
    };
    if count > most { Err(format!("Too many pattern letters: {letter}")) } else { Ok(()) }
}

fn pieces(pattern: &str) -> Result<Vec<Piece>, String> {
    if let Some(c) = pattern.chars().find(|c| matches!(c, '{' | '}' | '#')) {
        return Err(format!("Pattern includes reserved character: '{c}'"));
    }
    let mut pieces = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    // Two quotes are one, and one is the end.
                    if c == '\'' && chars.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    literal.push(c);
                }
                pieces.push(Piece::Literal(if literal.is_empty() { "'".to_owned() } else { literal }));
            }
            c if c.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                check_letter(c, count)?;
                pieces.push(Piece::Field(c, count));
            }
            c => pieces.push(Piece::Literal(c.to_string())),
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_574_066_172; // 2026-11-25T02:34:26.172Z

    fn write(format: &str, zone: &str) -> String {
        DateFormat::parse(format).unwrap().write(AT, &Zone::named(zone).unwrap())
    }

    #[test]
    fn dates_are_written_as_the_server_writes_them() {
        assert_eq!(write("epoch_millis", "UTC"), "1795574066172");
        assert_eq!(write("epoch_second", "UTC"), "1795574066.172");
        assert_eq!(write("yyyy-MM-dd", "UTC"), "2026-11-25");
        assert_eq!(write("strict_date_optional_time||epoch_millis", "UTC"), "2026-11-25T02:34:26.172Z");
        assert_eq!(write("date_time", "Europe/Berlin"), "2026-11-25T03:34:26.172+01:00");
        assert_eq!(write("HH:mm 'o''clock' yy", "-05:00"), "21:34 o'clock 26");
        let far = DateFormat::parse("yyyy-MM-dd").unwrap().write(86_401_795_488_931_770, &Zone::default());
        assert_eq!(far, "+2739933-11-27");
    }

    #[test]
    fn what_is_no_format_is_refused_in_the_words_of_the_server() {
        let reason = |format: &str| DateFormat::parse(format).unwrap_err().reason;
        assert_eq!(reason("zzzzzz"), "Invalid format: [zzzzzz]: Too many pattern letters: z");
        assert_eq!(reason("nope"), "Invalid format: [nope]: Unknown pattern letter: o");
        assert_eq!(reason("V"), "Invalid format: [V]: Pattern letter count must be 2: V");
        assert_eq!(reason("MMM"), "The practice cluster does not do [MMM] in formats of dates; a real cluster does");
        assert_eq!(reason("yyyy-nn"), "The practice cluster does not do [nn] in formats of dates; a real cluster does");
        assert_eq!(reason("zzz{"), "Invalid format: [zzz{]: Pattern includes reserved character: '{'");
    }
}
