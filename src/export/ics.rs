//! Expirations of keys as a calendar (RFC 5545), with a reminder a week and a day before.

use std::io::Write;

use super::rows::{About, ExportError, Row, Rows, Written};
use crate::model::{
    TimeDelta, Timestamp,
    text::sanitize,
    time::{calendar, status::Status},
};

/// Length of an event: it ends when its key expires, and begins 15 minutes before, so that calendars
/// show a block.
const LENGTH: TimeDelta = TimeDelta::from_mins(15);

pub(super) fn write(out: &mut dyn Write, rows: &mut Rows, about: &About) -> Result<Written, ExportError> {
    let made_at = stamp(about.made_at.clamp(Timestamp::EPOCH, jiff::Timestamp::MAX.into())).unwrap_or_default();
    let mut text = String::new();
    for head in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Keybearer//API keys//EN", "CALSCALE:GREGORIAN"] {
        push_line(&mut text, head);
    }
    push_line(&mut text, &format!("X-WR-CALNAME:API keys of {}", escaped(&sanitize::shown(&about.cluster))));
    let mut written = Written { keys: 0, beyond: 0 };
    while let Some(row) = rows.next()? {
        let is_usable = row.key.known_status(about.now).is_some_and(Status::is_usable);
        let Some(at) = row.key.expires.filter(|_| is_usable) else { continue };
        match (stamp(at - LENGTH), stamp(at)) {
            (Some(start), Some(end)) => {
                push_event(&mut text, &row, about, at, &Stamps { made_at: &made_at, start: &start, end: &end });
                out.write_all(text.as_bytes())?;
                text.clear();
                written.keys += 1;
            }
            _ => written.beyond += 1,
        }
    }
    push_line(&mut text, "END:VCALENDAR");
    out.write_all(text.as_bytes())?;
    Ok(written)
}

/// Moments of an event, as the calendar writes them.
struct Stamps<'a> {
    made_at: &'a str,
    start: &'a str,
    end: &'a str,
}

fn push_event(text: &mut String, row: &Row, about: &About, at: Timestamp, stamps: &Stamps<'_>) {
    let Stamps { made_at, start, end } = stamps;
    let key = &row.key;
    let title = format!("API key {} expires", sanitize::shown(&key.name));
    let cluster = if row.cluster.is_empty() { &about.cluster } else { row.cluster };
    let facts = [
        ("Id", key.id.as_str()),
        ("Application id", key.application_id().unwrap_or_default()),
        ("Owner", &key.owner.username),
        ("Cluster", cluster),
        ("Expires", &calendar::local_long(at, &about.zone)),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    let facts: Vec<String> = facts.map(|(name, fact)| format!("{name}: {}", sanitize::shown(fact))).collect();
    let event = [
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@keybearer", escaped(&sanitize::shown(key.id.as_str()))),
        format!("DTSTAMP:{made_at}"),
        format!("DTSTART:{start}"),
        format!("DTEND:{end}"),
        format!("SUMMARY:{}", escaped(&title)),
        format!("DESCRIPTION:{}", escaped(&facts.join("\n"))),
        "TRANSP:TRANSPARENT".to_owned(),
    ];
    event.iter().for_each(|line| push_line(text, line));
    for (before, words) in [("P7D", "in 7 days"), ("P1D", "in 1 day")] {
        let (trigger, words) = (format!("TRIGGER:-{before}"), format!("DESCRIPTION:{} {words}", escaped(&title)));
        let alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", &trigger, &words, "END:VALARM"];
        alarm.iter().for_each(|line| push_line(text, line));
    }
    push_line(text, "END:VEVENT");
}

/// Formats a moment as `20261124T120000Z`; `None` before 1970 or after the year 9999.
fn stamp(at: Timestamp) -> Option<String> {
    let time = at.to_jiff().filter(|_| (Timestamp::EPOCH..=calendar::LAST).contains(&at))?;
    Some(time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// Formats a text as the value of a property. It has no control characters but line ends.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// Adds a line, folded after at most 75 bytes and never within a character.
fn push_line(text: &mut String, line: &str) {
    let mut room = 75;
    for c in line.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = 74;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::{
        export::{self, Format, fixture::*},
        model::api_key::ApiKey,
    };

    /// The lines of a calendar, unfolded.
    fn lines(text: &str) -> Vec<String> {
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(|c: char| c.is_control()));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        text.replace("\r\n ", "").lines().map(str::to_owned).collect()
    }

    /// The values of a property, unescaped.
    fn values(lines: &[String], name: &str) -> Vec<String> {
        let unescaped = |value: &str| {
            let (mut text, mut chars) = (String::new(), value.chars());
            while let Some(c) = chars.next() {
                assert!(c != ';' && c != ',', "{value}");
                let meant = if c == '\\' { chars.next().unwrap() } else { c };
                text.push(if c == '\\' && meant == 'n' { '\n' } else { meant });
            }
            text
        };
        lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(unescaped).collect()
    }

    #[test]
    fn an_event_ends_with_its_key_and_reminds_twice() {
        let lines =
            lines(&text(Format::Ics, &[key("VuaC", "pay; a, b\\c", Some(NOW + TimeDelta::DAY))], &about(false)));
        assert_eq!(lines.join("\n"), GOLDEN);
    }

    const GOLDEN: &str = r"BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Keybearer//API keys//EN
CALSCALE:GREGORIAN
X-WR-CALNAME:API keys of Prod
BEGIN:VEVENT
UID:VuaC@keybearer
DTSTAMP:20261124T120000Z
DTSTART:20261125T114500Z
DTEND:20261125T120000Z
SUMMARY:API key pay\; a\, b\\c expires
DESCRIPTION:Id: VuaC\nApplication id: app\nOwner: ann\nCluster: Prod\nExpires: Wed 25 Nov 2026\, 12:00 UTC
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P7D
DESCRIPTION:API key pay\; a\, b\\c expires in 7 days
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P1D
DESCRIPTION:API key pay\; a\, b\\c expires in 1 day
END:VALARM
END:VEVENT
END:VCALENDAR";

    #[test]
    fn the_worst_names_read_back_and_make_no_events_of_their_own() {
        let keys = hostile();
        let lines = lines(&text(Format::Ics, &keys, &about(false)));
        let living: Vec<&ApiKey> = keys.iter().filter(|key| key.expires == Some(NOW + TimeDelta::DAY)).collect();
        let titles: Vec<String> =
            living.iter().map(|key| format!("API key {} expires", sanitize::shown(&key.name))).collect();
        assert_eq!(values(&lines, "SUMMARY"), titles);
        assert_eq!(lines.iter().filter(|line| *line == "BEGIN:VEVENT").count(), living.len());
        assert!(values(&lines, "DESCRIPTION")[0].starts_with("Id: =1+1\nApplication id: app\nOwner: ann\n"));
    }

    #[test]
    fn only_keys_that_are_going_to_expire_have_events_and_far_ones_are_counted() {
        let ends = [
            None,
            Some(NOW),
            Some(NOW + TimeDelta::MILLISECOND),
            Some(NOW + TimeDelta::MILLISECOND),
            Some(calendar::LAST - 2 * TimeDelta::DAY),
            Some(Timestamp::MAX),
        ];
        let mut keys = ends.map(|end| key("id", "name", end)).to_vec();
        keys.push(ApiKey { invalidated: true, ..key("id", "name", Some(NOW + TimeDelta::DAY)) });
        let mut progress = |_| ControlFlow::Continue(());
        let written = export::write(Format::Ics, std::io::sink(), rows(&keys), &about(false), &mut progress).unwrap();
        assert_eq!(written, Written { keys: 3, beyond: 1 });
    }
}
