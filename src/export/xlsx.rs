//! Keys as a workbook: real dates in UTC, and texts that are never formulas. The rows are in a temporary file until it
//! is packed, not in memory.

use std::{
    borrow::Cow,
    io::{self, Write},
    panic::{self, AssertUnwindSafe},
};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{
    csv,
    rows::{About, ExportError, Row, Rows, Tell, Written, status_word, writable},
};
use crate::model::{TimeDelta, Timestamp, text::number, time::calendar};

/// Titles of the columns, their widths in characters, and their content.
const COLUMNS: [(&str, f64, Cell); 16] = [
    ("Name", 32.0, Cell::Text(1)),
    ("Id", 24.0, Cell::Text(0)),
    ("Application id", 24.0, Cell::Text(2)),
    ("Type", 14.0, Cell::Text(3)),
    ("Owner", 20.0, Cell::Text(4)),
    ("Realm", 14.0, Cell::Text(5)),
    ("Roles", 32.0, Cell::Text(6)),
    ("Created (UTC)", 20.0, Cell::Created),
    ("Expires (UTC)", 20.0, Cell::Expires),
    ("Status", 14.0, Cell::Status),
    ("Invalidated at (UTC)", 20.0, Cell::Invalidated),
    ("Managed by", 18.0, Cell::Text(12)),
    ("Metadata", 40.0, Cell::Text(13)),
    ("Role descriptors", 40.0, Cell::Text(14)),
    ("Not fully readable", 24.0, Cell::Text(15)),
    ("Cluster", 20.0, Cell::Cluster),
];

#[derive(Clone, Copy)]
enum Cell {
    /// Text of a cell of the CSV file, by the index of its column.
    Text(usize),
    Status,
    Created,
    Expires,
    Invalidated,
    Cluster,
}

/// Returns the columns of a file; the column of the cluster is the last one.
fn columns(about: &About) -> impl Iterator<Item = (u16, (&'static str, f64, Cell))> {
    (0..).zip(COLUMNS).filter(|(_, (_, _, cell))| about.with_cluster || !matches!(cell, Cell::Cluster))
}

/// Maximum number of rows of a sheet below its header row: Excel reads 2^20 with it.
const MAX_SHEET_ROWS: u32 = (1 << 20) - 1;
/// Maximum number of UTF-16 units of a cell.
const MAX_CELL_UNITS: usize = 32_767;
/// Number of rows from which on they may exceed the 4 GiB of the older zip format.
const MANY: u64 = 50_000;
/// Number of packed bytes written between two calls of `progress`.
const PACKED_STEP: usize = 1 << 18;

pub(super) fn write(out: &mut (dyn Write + Send), rows: &mut Rows, about: &About) -> Result<Written, ExportError> {
    write_sheets(out, rows, about, MAX_SHEET_ROWS)
}

fn write_sheets(
    out: &mut (dyn Write + Send),
    rows: &mut Rows,
    about: &About,
    most: u32,
) -> Result<Written, ExportError> {
    let mut book = guarded(|| new_book(about))?;
    let mut next = rows.next()?;
    for number in 1.. {
        let sheet = guarded(|| new_sheet(&mut book, number, about))?;
        let mut line = 0;
        while line < most
            && let Some(row) = next.take()
        {
            line += 1;
            guarded(|| put_row(sheet, line, &row, about))?;
            next = rows.next()?;
        }
        guarded(|| sheet.autofilter(0, 0, line, columns(about).count() as u16 - 1).map(drop))?;
        if next.is_none() {
            break;
        }
    }
    guarded(|| put_about(&mut book, about, rows.read))?;
    book.use_zip_large_file(rows.read > MANY);
    let mut out = Packing { out, progress: rows.progress, read: rows.read, since: 0, stopped: false, error: None };
    let packed = guarded(|| book.save_to_writer(&mut out));
    if let Some(error) = out.error {
        return Err(ExportError::Write(error));
    }
    if out.stopped { Err(ExportError::Stopped) } else { packed.map(|()| rows.all()) }
}

/// Runs a part of the library, which panics where its temporary file can't be written.
fn guarded<T>(work: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, ExportError> {
    let error = match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(XlsxError::IoError(error) | XlsxError::TempFileError(_, error))) => error,
        Ok(Err(error)) => io::Error::other(error.to_string()),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            io::Error::other(format!("the temporary file failed, {}", words.unwrap_or("for no known reason")))
        }
    };
    Err(ExportError::Write(error))
}

fn new_book(about: &About) -> Result<Workbook, XlsxError> {
    let made_at = about.made_at.clamp(FIRST, calendar::LAST).as_secs();
    let properties = DocProperties::new().set_title("API keys");
    let mut book = Workbook::new();
    book.set_properties(&properties.set_creation_datetime(&ExcelDateTime::from_timestamp(made_at)?));
    Ok(book)
}

fn new_sheet<'b>(book: &'b mut Workbook, number: u32, about: &About) -> Result<&'b mut Worksheet, XlsxError> {
    let name = if number == 1 { "Keys".to_owned() } else { format!("Keys {number}") };
    let sheet = book.add_worksheet_with_constant_memory()?.set_name(name)?;
    let (bold, dates) = (bold(), dates());
    for (column, (title, width, cell)) in columns(about) {
        sheet.set_column_width(column, width)?;
        if matches!(cell, Cell::Created | Cell::Expires | Cell::Invalidated) {
            sheet.set_column_format(column, &dates)?;
        }
        sheet.write_string_with_format(0, column, title, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)
}

fn bold() -> Format {
    Format::new().set_bold()
}

fn dates() -> Format {
    Format::new().set_num_format("yyyy-mm-dd hh:mm:ss")
}

fn put_row(sheet: &mut Worksheet, line: u32, row: &Row, about: &About) -> Result<(), XlsxError> {
    let cells = csv::cells(&row.key, about.now);
    for (column, (_, _, cell)) in columns(about) {
        match cell {
            Cell::Text(row_id) => put_text(sheet, line, column, &cells[row_id])?,
            Cell::Status => put_text(sheet, line, column, status_word(&row.key, about.now))?,
            Cell::Created => put_moment(sheet, line, column, row.key.known_created())?,
            Cell::Expires => put_moment(sheet, line, column, row.key.expires)?,
            Cell::Invalidated => put_moment(sheet, line, column, row.key.invalidated_at)?,
            Cell::Cluster => put_text(sheet, line, column, row.cluster)?,
        }
    }
    Ok(())
}

/// Writes a moment as a number, which the format of its column shows as a date; as text if spreadsheets have no date
/// for it.
fn put_moment(sheet: &mut Worksheet, line: u32, column: u16, at: Option<Timestamp>) -> Result<(), XlsxError> {
    let Some(at) = at else { return Ok(()) };
    match serial(at) {
        Some(serial) => sheet.write_number(line, column, serial).map(drop),
        None => put_text(sheet, line, column, &calendar::rfc3339(at)),
    }
}

/// Writes a text, even if it looks like a formula, a number or a link.
fn put_text(sheet: &mut Worksheet, line: u32, column: u16, text: &str) -> Result<(), XlsxError> {
    sheet.write_string(line, column, fitting(writable(text))).map(drop)
}

/// Cuts a text to the length that fits into a cell, and appends the number of characters left out.
fn fitting(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_CELL_UNITS || text.encode_utf16().count() <= MAX_CELL_UNITS {
        return text;
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > MAX_CELL_UNITS - 40
    });
    let (shown, rest) = text.split_at(end.map_or(text.len(), |(end, _)| end));
    format!("{shown}… ({} characters more)", rest.chars().count()).into()
}

/// Moment of 1900-03-01, the first day whose number all spreadsheets agree on.
const FIRST: Timestamp = Timestamp::from_millis((61 - EPOCH) * TimeDelta::DAY.as_millis());
/// Day number of 1970-01-01 in a spreadsheet.
const EPOCH: i64 = 25_569;

/// Converts a moment to a day number of spreadsheets, to the second; `None` where they have no date.
fn serial(at: Timestamp) -> Option<f64> {
    let seconds = at.as_secs();
    (FIRST..=calendar::LAST).contains(&at).then(|| seconds as f64 / 86_400.0 + EPOCH as f64)
}

fn put_about(book: &mut Workbook, about: &About, keys: u64) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet().set_name("About")?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 40)?.set_column_format(1, &dates())?;
    let names = ["Cluster", "Keys", "Exported", "Exported (UTC)", "Status as of (UTC)", "Times"];
    for (line, name) in (0..).zip(names) {
        sheet.write_string_with_format(line, 0, name, &bold())?;
    }
    put_text(sheet, 0, 1, &about.cluster)?;
    put_text(sheet, 1, 1, &number::thousands(keys))?;
    put_text(sheet, 2, 1, &calendar::local(about.made_at, &about.zone))?;
    put_moment(sheet, 3, 1, Some(about.made_at))?;
    put_moment(sheet, 4, 1, Some(about.now))?;
    put_text(sheet, 5, 1, "All times of the keys are UTC")
}

/// Writer that passes the packed bytes on, and regularly asks whether the export was canceled.
struct Packing<'o, 't> {
    out: &'o mut (dyn Write + Send),
    progress: &'o mut Tell<'t>,
    read: u64,
    since: usize,
    stopped: bool,
    /// The first error of `out`.
    error: Option<io::Error>,
}

impl Write for Packing<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stopped || self.error.is_some() {
            // The library ends its file all the same, nobody wants it, and a second error would be printed by it.
            return Ok(bytes.len());
        }
        self.since += bytes.len();
        if self.since >= PACKED_STEP {
            self.since = 0;
            self.stopped = (self.progress)(self.read).is_break();
        }
        if self.stopped {
            return Err(io::Error::other("stopped"));
        }
        self.out.write_all(bytes).map(|()| bytes.len()).map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.stopped || self.error.is_some() { Ok(()) } else { self.out.flush() }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Cursor, Read},
        ops::ControlFlow,
    };

    use super::*;
    use crate::{
        export::{self, fixture::*},
        model::{TimeDelta, api_key::ApiKey},
    };

    fn part(file: &[u8], name: &str) -> String {
        let mut zip = zip::ZipArchive::new(Cursor::new(file)).unwrap();
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// The cells of a line, from 1, as XML.
    fn line(sheet: &str, number: usize) -> &str {
        sheet.split("<row ").nth(number).unwrap()
    }

    #[test]
    fn texts_are_never_formulas_and_always_xml() {
        let keys = hostile();
        let file = bytes(export::Format::Xlsx, &keys, &about(true));
        let sheet = part(&file, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f") && !sheet.contains("t=\"str\"") && !sheet.contains("hyperlink"));
        assert_eq!(writable(&sheet), sheet.as_str());
        assert!(line(&sheet, 2).contains("<c r=\"A2\" t=\"inlineStr\"><is><t>=1+1</t></is></c>"));
        assert!(sheet.contains("nul‹U+0000› bell‹U+0007› esc‹U+001B›[31m del‹U+007F› nel‹U+0085› no‹U+FFFF›"));
        assert!(sheet.contains("_x005F_x0041_ ]]&gt; &lt;f&gt;1&lt;/f&gt; &amp;amp;"));
        assert_eq!(sheet.matches("<row ").count(), keys.len() + 1);
    }

    #[test]
    fn dates_are_numbers_with_a_format_and_others_are_text() {
        let key = ApiKey {
            invalidated_at: Some(Timestamp::MAX),
            ..key("id", "name", Some(NOW + TimeDelta::from_millis(999)))
        };
        let sheet = part(&bytes(export::Format::Xlsx, &[key], &about(false)), "xl/worksheets/sheet1.xml");
        assert!(line(&sheet, 2).contains("<c r=\"I2\" s=\"2\"><v>46350.5</v></c>"), "{sheet}");
        assert!(line(&sheet, 2).contains("<t>9223372036854775807</t>"));
        assert_eq!((serial(FIRST), serial(FIRST - TimeDelta::MILLISECOND)), (Some(61.0), None));
        assert!(
            serial(calendar::LAST).unwrap() < 2_958_466.0 && serial(calendar::LAST + TimeDelta::MILLISECOND).is_none()
        );
    }

    #[test]
    fn a_sheet_has_a_bold_frozen_head_with_filters_and_a_sheet_tells_what_it_is() {
        let file = bytes(export::Format::Xlsx, &[key("id", "name", None)], &about(true));
        let sheet = part(&file, "xl/worksheets/sheet1.xml");
        assert!(sheet.contains("<pane ySplit=\"1\"") && sheet.contains("<autoFilter ref=\"A1:P2\"/>"));
        assert!(line(&sheet, 1).contains("s=\"1\" t=\"inlineStr\"><is><t>Expires (UTC)</t>"));
        assert!(line(&sheet, 1).contains("<c r=\"P1\" s=\"1\" t=\"inlineStr\"><is><t>Cluster</t>"));
        let strings = part(&file, "xl/sharedStrings.xml");
        assert!(strings.contains("<t>Prod</t>") && strings.contains("24 Nov 2026, 12:00 UTC"));
        assert!(part(&file, "docProps/core.xml").contains(">2026-11-24T12:00:00Z<"));
        assert_eq!(file, bytes(export::Format::Xlsx, &[key("id", "name", None)], &about(true)));
    }

    #[test]
    fn more_rows_than_fit_go_on_further_sheets() {
        for (keys, sheets) in [(0, 1), (3, 1), (4, 2), (7, 3)] {
            let keys = vec![key("id", "name", None); keys];
            let (mut out, mut progress) = (Vec::new(), |_| ControlFlow::Continue(()));
            let mut rows = Rows { source: &mut rows(&keys), read: 0, progress: &mut progress };
            assert_eq!(write_sheets(&mut out, &mut rows, &about(false), 3).unwrap().keys, keys.len() as u64);
            let book = part(&out, "xl/workbook.xml");
            assert_eq!(book.matches("<sheet name=\"Keys").count(), sheets);
            let lines = |number| part(&out, &format!("xl/worksheets/sheet{number}.xml")).matches("<row ").count();
            assert_eq!((1..=sheets).map(lines).sum::<usize>(), keys.len() + sheets);
        }
    }

    #[test]
    fn a_text_too_long_for_a_cell_is_cut_and_says_so() {
        let cut = fitting("🔑".repeat(20_000).into());
        assert!(cut.encode_utf16().count() <= MAX_CELL_UNITS && cut.ends_with("🔑… (3637 characters more)"), "{cut}");
        assert!(matches!(fitting("x".repeat(MAX_CELL_UNITS).into()), Cow::Owned(same) if same.len() == MAX_CELL_UNITS));
    }

    #[test]
    fn a_panic_of_the_library_and_a_stop_while_packing_are_errors() {
        let error = guarded(|| -> Result<(), XlsxError> { panic!("disk full") }).unwrap_err();
        assert!(error.to_string().ends_with("disk full"));
        let (mut out, mut progress) = (Vec::new(), |_| ControlFlow::Break(()));
        let mut packing =
            Packing { out: &mut out, progress: &mut progress, read: 1, since: 0, stopped: false, error: None };
        assert!(packing.write_all(&[1; 9]).is_ok());
        assert!(packing.write_all(&[2; PACKED_STEP]).is_err() && packing.write_all(&[3; 9]).is_ok());
        assert!(packing.stopped && out == [1; 9]);
    }
}
