//! Files of lists of keys, the same from the window and from the command line. They are written row by row, so that a
//! million keys need no more memory than a thousand; no file is opened here.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
};

use jiff::tz::TimeZone;

use crate::model::{
    Millis,
    api_key::{ApiKey, KeyKind},
    time::status::Status,
};

pub mod csv;
pub mod escape;
mod ics;
pub mod json_lines;
pub mod metrics;
pub mod outcome_report;
pub mod svg;
mod xlsx;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values (RFC 4180), times in UTC.
    Csv,
    /// One JSON object per line, times in milliseconds since 1970.
    JsonLines,
    /// One JSON array, laid out for reading, of the same objects.
    Json,
    /// A workbook for Excel and LibreOffice, times as dates in UTC.
    Xlsx,
    /// A calendar (RFC 5545) of the keys that are going to expire.
    Ics,
}

impl Format {
    /// All formats, in the order of a menu.
    pub const ALL: [Format; 5] = [Self::Csv, Self::Xlsx, Self::JsonLines, Self::Json, Self::Ics];

    /// Returns the file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.facts().0
    }

    /// Returns the name shown.
    pub fn word(self) -> &'static str {
        self.facts().1
    }

    /// Returns the media type, for a clipboard or a web server.
    pub fn media_type(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Csv => ("csv", "CSV", "text/csv"),
            Self::JsonLines => ("ndjson", "JSON lines", "application/x-ndjson"),
            Self::Json => ("json", "JSON", "application/json"),
            Self::Xlsx => ("xlsx", "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            Self::Ics => ("ics", "Calendar", "text/calendar"),
        }
    }
}

/// A key and the cluster it belongs to.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Name of the cluster, as the user calls it.
    pub cluster: &'a str,
    /// The key, borrowed or owned.
    pub key: Cow<'a, ApiKey>,
}

/// Properties of a whole file.
#[derive(Clone, Debug)]
pub struct About {
    /// Name of the cluster or clusters, as the user calls them.
    pub cluster: String,
    /// `true` if every row names its cluster: for lists of several clusters.
    pub with_cluster: bool,
    /// Moment for which the status of a key is written.
    pub now: Millis,
    /// Moment at which the file is made.
    pub made_at: Millis,
    /// Time zone of the times that are shown besides UTC.
    pub zone: TimeZone,
}

/// Callback that receives the number of keys read, every 1,000 keys and while a workbook is packed; it may cancel the
/// export.
pub type Tell<'t> = dyn FnMut(u64) -> ControlFlow<()> + Send + 't;

/// Result of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Number of keys in the file.
    pub keys: u64,
    /// Number of keys that a calendar can't hold, because they expire after the year 9999; 0 for other formats.
    pub beyond: u64,
}

/// Reason why an export ended early; the file written so far is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file, or the temporary file of a workbook, can't be written.
    #[error("The file can't be written: {0}")]
    Write(#[from] io::Error),
    /// The user canceled the export.
    #[error("The export was stopped")]
    Stopped,
}

/// Writes a file of keys, in the order in which they come.
///
/// Every format streams to `out`, which needs no buffer of its own. A workbook grows in a temporary
/// file first. A calendar without events is a file that some programs refuse: see [`Written::keys`].
///
/// # Errors
/// [`ExportError::Write`] when `out` or the temporary file fails, [`ExportError::Stopped`] when `progress` breaks.
pub fn write<'a>(
    format: Format,
    out: impl Write + Send,
    rows: impl IntoIterator<Item = Row<'a>>,
    about: &About,
    progress: &mut Tell<'_>,
) -> Result<Written, ExportError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut rows = Rows { source: &mut rows.into_iter(), read: 0, progress };
    let written = match format {
        Format::Csv => csv::write(&mut out, &mut rows, about),
        Format::JsonLines => json_lines::write(&mut out, &mut rows, about),
        Format::Json => json_lines::write_array(&mut out, &mut rows, about),
        Format::Xlsx => xlsx::write(&mut out, &mut rows, about),
        Format::Ics => ics::write(&mut out, &mut rows, about),
    }?;
    out.flush()?;
    Ok(written)
}

/// Number of keys read between two calls of `progress`.
const STEP: u64 = 1000;

/// Rows of an export, which count themselves.
struct Rows<'r, 'a, 't> {
    source: &'r mut dyn Iterator<Item = Row<'a>>,
    read: u64,
    progress: &'r mut Tell<'t>,
}

impl<'a> Rows<'_, 'a, '_> {
    fn next(&mut self) -> Result<Option<Row<'a>>, ExportError> {
        let row = self.source.next();
        if row.is_some() {
            self.read += 1;
            if self.read.is_multiple_of(STEP) {
                self.go_on()?;
            }
        }
        Ok(row)
    }

    fn go_on(&mut self) -> Result<(), ExportError> {
        if (self.progress)(self.read).is_break() { Err(ExportError::Stopped) } else { Ok(()) }
    }

    /// Returns the result when all rows that were read are written.
    fn all(&self) -> Written {
        Written { keys: self.read, beyond: 0 }
    }
}

/// Returns the status of a key as files name it.
fn status_word(key: &ApiKey, now: Millis) -> &'static str {
    key.known_status(now).map_or("not known", Status::machine_word)
}

/// Returns the name that Elasticsearch gives a kind, in its field `type`.
pub fn kind(kind: &KeyKind) -> &str {
    match kind {
        KeyKind::Rest => "rest",
        KeyKind::CrossCluster => "cross_cluster",
        KeyKind::Other(name) => name,
    }
}

/// Returns the text with every character that a text file must not contain as `‹U+0007›`: control characters other than
/// line ends and tabs, and noncharacters.
fn writable(text: &str) -> Cow<'_, str> {
    let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) { safe.push_str(&format!("‹U+{:04X}›", u32::from(c))) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod fixture {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::{
        DAY,
        api_key::{KeyId, Owner},
    };

    pub(super) const NOW: Millis = 1_795_521_600_000; // 2026-11-24T12:00:00Z

    pub(super) fn about(with_cluster: bool) -> About {
        About { cluster: "Prod".into(), with_cluster, now: NOW, made_at: NOW, zone: TimeZone::UTC }
    }

    pub(super) fn key(id: &str, name: &str, expires: Option<Millis>) -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.into()).ok();
        ApiKey {
            id: KeyId::new(id),
            name: name.into(),
            owner: Owner { username: "ann".into(), realm: "ldap".into() },
            created: NOW - DAY,
            expires,
            metadata: raw("{\"application_id\":\"app\",\n \"n\":1.0e+2}"),
            role_descriptors: raw(r#"{"reader":{"cluster":["monitor"]}}"#),
            ..Default::default()
        }
        .with_facts()
    }

    pub(super) fn rows(keys: &[ApiKey]) -> impl Iterator<Item = Row<'_>> {
        keys.iter().map(|key| Row { cluster: "Prod", key: Cow::Borrowed(key) })
    }

    /// Keys with the worst names and times that a cluster can send.
    pub(super) fn hostile() -> Vec<ApiKey> {
        let names = [
            "=1+1".into(),
            "＝1+1".into(),
            "-1".into(),
            "@x".into(),
            "\tx".into(),
            "\rx".into(),
            "two\nlines\r\nthree".into(),
            "a, \"b\"; c\\d".into(),
            "nul\0 bell\u{7} esc\u{1b}[31m del\u{7f} nel\u{85} no\u{ffff}".into(),
            "evil\u{202e}gpj".into(),
            "🔑 key 鍵".into(),
            "鍵".repeat(256),
            "_x0041_ ]]> <f>1</f> &amp;".into(),
            " blanks ".into(),
            "END:VEVENT\r\nBEGIN:VEVENT".into(),
            String::new(),
        ];
        let mut keys: Vec<ApiKey> = names.iter().map(|name| key(name, name, Some(NOW + DAY))).collect();
        for at in [i64::MIN, -1, 0, i64::MAX] {
            keys.push(ApiKey { created: at, invalidated_at: Some(at), ..key("time", "time", Some(at)) });
        }
        keys
    }

    pub(super) fn bytes(format: Format, keys: &[ApiKey], about: &About) -> Vec<u8> {
        let mut out = Vec::new();
        write(format, &mut out, rows(keys), about, &mut |_| ControlFlow::Continue(())).unwrap();
        out
    }

    pub(super) fn text(format: Format, keys: &[ApiKey], about: &About) -> String {
        String::from_utf8(bytes(format, keys, about)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::{fixture::*, *};

    #[test]
    fn an_export_tells_how_far_it_is_and_stops_when_asked() {
        let keys = vec![key("id", "name", None); 2500];
        for format in Format::ALL {
            let mut told = Vec::new();
            let mut progress = |read| {
                told.push(read);
                ControlFlow::Continue(())
            };
            let written = write(format, io::sink(), rows(&keys), &about(false), &mut progress).unwrap();
            assert_eq!(written.keys, if format == Format::Ics { 0 } else { 2500 });
            assert_eq!(told[..2], [1000, 2000], "{format:?}");
            let stop = &mut |read| if read < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            let stopped = write(format, io::sink(), rows(&keys), &about(false), stop);
            assert!(matches!(stopped, Err(ExportError::Stopped)), "{format:?}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let keys = vec![key("id", "name", Some(NOW + 1_000_000)); 10];
        for format in Format::ALL {
            let full: &mut [u8] = &mut [0; 100];
            let result = write(format, full, rows(&keys), &about(false), &mut |_| ControlFlow::Continue(()));
            assert!(matches!(result, Err(ExportError::Write(_))), "{format:?}");
        }
    }

    #[test]
    fn the_worst_keys_fit_into_every_format_at_any_time() {
        for format in Format::ALL {
            for at in [i64::MIN, -1, 0, NOW, i64::MAX] {
                let about = About { now: at, made_at: at, ..about(true) };
                assert!(!bytes(format, &hostile(), &about).is_empty());
            }
        }
    }

    #[test]
    fn only_what_no_text_may_have_is_written_out() {
        assert!(matches!(writable("two\nlines\t🔑\u{202e}"), Cow::Borrowed(_)));
        assert_eq!(writable("a\0\r\u{9f}\u{fffe}"), "a‹U+0000›‹U+000D›‹U+009F›‹U+FFFE›");
    }
}
