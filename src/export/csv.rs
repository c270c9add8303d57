//! Keys as comma-separated values (RFC 4180), which no spreadsheet takes for formulas.

use std::{borrow::Cow, io};

use serde_json::value::RawValue;

use super::rows::{About, ExportError, Rows, Written, status_word};
use crate::model::{Timestamp, api_key::ApiKey, time::calendar};

/// Names of the columns; a file of several clusters has one more, `cluster`.
pub const HEAD: [&str; 16] = [
    "id",
    "name",
    "application_id",
    "type",
    "username",
    "realm",
    "roles",
    "creation",
    "expiration",
    "invalidated",
    "status",
    "invalidation",
    "managed_by",
    "metadata",
    "role_descriptors",
    "not_fully_readable",
];

/// Formats the cells of a key: texts as they are, times in UTC; empty if not known or not set.
pub fn cells<'k>(key: &'k ApiKey, now: Timestamp) -> [Cow<'k, str>; HEAD.len()] {
    let json = |raw: &'k Option<Box<RawValue>>| raw.as_deref().map(RawValue::get).unwrap_or_default();
    [
        key.id.as_str().into(),
        (&key.name).into(),
        key.application_id().unwrap_or_default().into(),
        super::kind(&key.kind).into(),
        (&key.owner.username).into(),
        (&key.owner.realm).into(),
        key.roles().join(", ").into(),
        key.known_created().map(calendar::rfc3339).unwrap_or_default().into(),
        key.expires.map(calendar::rfc3339).unwrap_or_default().into(),
        key.known_invalidated().map(|invalidated| invalidated.to_string()).unwrap_or_default().into(),
        status_word(key, now).into(),
        key.invalidated_at.map(calendar::rfc3339).unwrap_or_default().into(),
        key.managed_by().unwrap_or_default().into(),
        json(&key.metadata).into(),
        json(&key.role_descriptors).into(),
        key.flaw.as_deref().unwrap_or_default().into(),
    ]
}

/// Returns the cell, with a `'` before it if a spreadsheet would run it as a formula.
pub fn no_formula(cell: &str) -> Cow<'_, str> {
    const BEGIN: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(BEGIN) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Formats the cell of an id: exact, so that the column can be given to `invalidate`. Letters, digits, `-` and `_`, of
/// which Elasticsearch makes ids (as seen on 7.10.2 to 9.5.3), make no formula that does anything; an id with any other
/// character is guarded like every other cell.
pub fn id_cell(id: &str) -> Cow<'_, str> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_plain { Cow::Borrowed(id) } else { no_formula(id) }
}

/// Returns the IO error inside an error of the CSV writer, with its kind: `csv` wraps it as `Other`, which hides a
/// broken pipe.
pub fn write_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

pub(super) fn write(out: &mut dyn io::Write, rows: &mut Rows, about: &About) -> Result<Written, ExportError> {
    let mut csv = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    let cluster = about.with_cluster.then_some("cluster");
    csv.write_record(HEAD.into_iter().chain(cluster)).map_err(write_error)?;
    while let Some(row) = rows.next()? {
        let cells = cells(&row.key, about.now);
        let cluster = about.with_cluster.then_some(row.cluster);
        let [id, cells @ ..] = &cells;
        let cells = cells.iter().map(Cow::as_ref).chain(cluster).map(no_formula);
        for cell in std::iter::once(id_cell(id)).chain(cells) {
            csv.write_field(cell.as_bytes()).map_err(write_error)?;
        }
        csv.write_record(None::<&[u8]>).map_err(write_error)?;
    }
    csv.flush()?;
    Ok(rows.all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Format, fixture::*};

    fn read(text: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_cell_reads_back_and_none_is_a_formula() {
        let keys = hostile();
        let rows = read(&text(Format::Csv, &keys, &about(true)));
        assert_eq!(rows.len(), keys.len() + 1);
        assert_eq!(rows[0][..HEAD.len()], HEAD);
        for (row, key) in rows[1..].iter().zip(&keys) {
            let mut cells = cells(key, NOW).map(|cell| no_formula(&cell).into_owned());
            cells[0] = id_cell(key.id.as_str()).into_owned();
            assert_eq!((&row[..HEAD.len()], row[HEAD.len()].as_str()), (&cells[..], "Prod"));
            assert!(!row[1..].iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝'])), "{row:?}");
            assert!(!row[0].starts_with(['=', '+', '@', '\t', '\r', '＝']), "{row:?}");
        }
    }

    #[test]
    fn an_id_is_exact_also_if_it_begins_with_a_dash() {
        let id = "-bcdefghijklmnop_rst";
        let rows = read(&text(Format::Csv, &[key(id, "-name", None)], &about(false)));
        assert_eq!(rows[1][..2], [id, "'-name"]);
        assert_eq!(id_cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
    }

    #[test]
    fn a_reader_that_went_away_is_told_by_its_kind() {
        struct Gone;
        impl io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut csv = ::csv::Writer::from_writer(Gone);
        let error = csv.write_record(["x".repeat(1 << 16)]).unwrap_err();
        assert_eq!(write_error(error).kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_file_has_the_old_columns_first_and_ends_its_lines_as_the_standard_says() {
        let mut key = key("VuaC", "=1, \"2\"\n3", Some(NOW));
        key.metadata = None;
        let head = "id,name,application_id,type,username,realm,roles,creation,expiration,invalidated,status,\
                    invalidation,managed_by,metadata,role_descriptors,not_fully_readable\r\n";
        let row = "VuaC,\"'=1, \"\"2\"\"\n3\",app,rest,ann,ldap,reader,2026-11-23T12:00:00Z,2026-11-24T12:00:00Z,\
                   false,expired,,,,\"{\"\"reader\"\":{\"\"cluster\"\":[\"\"monitor\"\"]}}\",\r\n";
        assert_eq!(text(Format::Csv, &[key], &about(false)), format!("{head}{row}"));
        assert_eq!(text(Format::Csv, &[], &about(false)), head);
    }
}
