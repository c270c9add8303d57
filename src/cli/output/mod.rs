//! Text for a terminal, for programs and for spreadsheets: aligned tables, JSON and CSV on stdout, messages on stderr.
//! It doesn't know the content.

pub(super) mod created_key;
pub(super) mod destination;
pub(super) mod key_rights;
pub(super) mod key_row;
pub(super) mod paint;
pub(super) mod progress;
pub(super) mod reason;
pub(super) mod secret;

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use paint::{Painted, Tone};

use crate::{
    export::{
        csv::{no_formula, write_error},
        escape::Escaping,
    },
    model::text::sanitize,
};

/// Maximum width in terminal columns of a cell that only has to be recognized, such as a name.
const MAX_CELL_WIDTH: usize = 48;
/// Minimum width in terminal columns to which such a cell is cut on a narrow terminal.
const MIN_CELL_WIDTH: usize = 8;

/// Blanks between two columns.
const GAP: usize = 2;

/// A form of the data on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// JSON, times in milliseconds since 1970
    Json,
    /// Comma-separated values, times in UTC
    Csv,
}

/// A form of data that is not a list of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum PlainFormat {
    /// Aligned columns for people
    #[default]
    Table,
    /// JSON, times in milliseconds since 1970
    Json,
}

/// Returns stdout for data. On a terminal every control, invisible and bidirectional character is escaped in every
/// format, so that a name can't act on it; files and pipes get the data exactly.
pub(super) fn stdout() -> Stdout {
    let out = io::stdout();
    if out.is_terminal() { Stdout::Terminal(Escaping::terminal(out)) } else { Stdout::Exact(out) }
}

/// Stdout as returned by [`stdout`].
#[derive(Debug)]
pub(super) enum Stdout {
    /// A file, a pipe or a device.
    Exact(io::Stdout),
    /// A terminal, read by a person.
    Terminal(Escaping<io::Stdout>),
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Exact(out) => out.write(bytes),
            Self::Terminal(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Exact(out) => out.flush(),
            Self::Terminal(out) => out.flush(),
        }
    }
}

/// Prints data to stdout.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(super) fn put(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Prints JSON to stdout, without a copy of it in memory.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(super) fn put_json(data: &impl Serialize) -> io::Result<()> {
    let mut out = Escaping::json(BufWriter::new(stdout()));
    serde_json::to_writer_pretty(&mut out, data)?;
    out.write_all(b"\n").and_then(|()| out.flush())
}

/// Formats JSON as it is printed, indented and with a line end.
///
/// # Errors
/// Returns an error if the data can't be represented as JSON.
pub(super) fn json(data: &impl Serialize) -> io::Result<Vec<u8>> {
    // Room for the answer to a creation: a buffer that grows leaves a secret behind in memory.
    let mut text = Vec::with_capacity(16 * 1024);
    let mut out = Escaping::json(&mut text);
    serde_json::to_writer_pretty(&mut out, data)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(text)
}

/// Prints rows as CSV to stdout.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(super) fn put_csv(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    write_csv(BufWriter::new(stdout()), head, rows)
}

/// Prints rows as CSV to stdout whose cells are guarded already, with CRLF like files.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(super) fn put_csv_exact(head: Option<&[&str]>, rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let out = BufWriter::new(stdout());
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let written = head.map_or(Ok(()), |head| csv.write_record(head)).and_then(|()| {
        let mut rows = rows;
        rows.try_for_each(|row| csv.write_record(row))
    });
    written.map_err(write_error).and_then(|()| csv.flush())
}

fn write_csv(out: impl Write, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(head).map_err(write_error)?;
    for row in rows {
        csv.write_record(row.iter().map(|cell| no_formula(cell).into_owned())).map_err(write_error)?;
    }
    csv.flush()
}

/// Prints lines on stderr, made harmless for a terminal. It is no error if stderr can't be written.
pub(super) fn print_status(lines: &str) {
    let _ = writeln!(io::stderr(), "{}", sanitize::shown_lines(lines));
}

/// Prints a line on stderr that names the program, for errors and dangers.
pub(super) fn print_error(words: &str) {
    print_status(&format!("keybearer: {}", sanitize::shown(words)));
}

/// Returns `true` if a person can be asked: stdin and stderr are terminals.
pub(super) fn someone_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a person for a line.
///
/// # Errors
/// Returns an error if stdin can't be read.
pub(super) fn ask(question: &str) -> io::Result<String> {
    let mut err = io::stderr().lock();
    let mut line = String::new();
    let asked = write!(err, "{question} ").and_then(|()| err.flush());
    drop(err);
    asked.and_then(|()| io::stdin().read_line(&mut line))?;
    Ok(line.trim().to_owned())
}

/// Formats rows below a header row, every column as wide as it needs to be. Cells must be harmless already.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    painted(head, rows, &|_, _| None).text
}

/// Formats rows like [`table`], with tones for cells by their row and column.
pub(super) fn painted(head: &[&str], rows: &[Vec<String>], tone: &dyn Fn(usize, usize) -> Option<Tone>) -> Painted {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.chain(head.get(column).map(|name| name.width())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let (mut text, mut marks) = (String::new(), Vec::new());
    push_row(&mut text, head.iter().copied(), &widths);
    for (number, row) in rows.iter().enumerate() {
        let mut at = text.len();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            marks.extend(tone(number, column).filter(|_| !cell.is_empty()).map(|tone| (at..at + cell.len(), tone)));
            at += cell.len() + width.saturating_sub(cell.width()) + GAP;
        }
        push_row(&mut text, row.iter().map(String::as_str), &widths);
    }
    Painted { text, marks }
}

/// Returns the width of the terminal on stdout, in columns; `None` if stdout is no terminal or its width is not known.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Formats a table to fit a width where possible: cells of the widest columns are cut with `…`, but never those whose
/// column is in `whole`, and no column becomes narrower than its name or eight columns.
pub(super) fn fitted(head: &[&str], rows: &[Vec<String>], whole: &[&str], width: Option<usize>) -> String {
    table(head, &fit(head, rows.to_vec(), whole, width))
}

/// Returns rows with cells cut as [`fitted`] says.
pub(super) fn fit(head: &[&str], rows: Vec<Vec<String>>, whole: &[&str], width: Option<usize>) -> Vec<Vec<String>> {
    let Some(width) = width else { return rows };
    let mut widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or_default())
        .zip(head)
        .map(|(cells, name)| cells.max(name.width()))
        .collect();
    let least = |column: usize| head[column].width().max(MIN_CELL_WIDTH);
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    while total(&widths) > width {
        let shrinks = |column: &usize| !whole.contains(&head[*column]) && widths[*column] > least(*column);
        let Some(widest) = (0..head.len()).filter(shrinks).max_by_key(|column| widths[*column]) else { break };
        widths[widest] -= 1;
    }
    let cut = |row: &Vec<String>| row.iter().zip(&widths).map(|(cell, width)| cut(cell, *width)).collect();
    rows.iter().map(cut).collect()
}

/// Cuts a harmless text to a width in terminal columns, with `…` if something was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or_default();
        if used > width.saturating_sub(1) {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// Formats names and values, one pair per line, the values aligned. Values must be harmless already.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let widest = facts.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in facts {
        push_row(&mut text, [*name, value.as_str()].into_iter(), &[widest, 0]);
    }
    text
}

fn push_row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>, widths: &[usize]) {
    let start = text.len();
    for (cell, width) in cells.zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
    }
    let end = start + text[start..].trim_end().len();
    text.truncate(end);
    text.push('\n');
}

/// Formats a text from a cluster for a cell: harmless, and cut to a maximum width.
pub(super) fn cell(text: &str) -> String {
    cut(&sanitize::shown(text), MAX_CELL_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_line_up_also_under_wide_characters() {
        let text = table(&["NAME", "ID"], &[row(&["鍵", "1"]), row(&["my_app_key", "2"]), row(&["", "3"])]);
        assert_eq!(text, "NAME        ID\n鍵          1\nmy_app_key  2\n            3\n");
        assert_eq!(facts(&[("id", "a".into()), ("name", String::new())]), "id    a\nname\n");
    }

    #[test]
    fn a_tone_is_where_its_cell_is() {
        let rows = [row(&["鍵", "valid", "x"]), row(&["", "expired", ""]), row(&["a", "", "y"])];
        let text = painted(&["NAME", "STATUS", "END"], &rows, &|row, column| {
            (column == 1).then_some(if row == 0 { Tone::Good } else { Tone::Bad })
        });
        let marked: Vec<&str> = text.marks.iter().map(|(range, _)| &text.text[range.clone()]).collect();
        assert_eq!(marked, ["valid", "expired"]);
    }

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        let mut out = Vec::new();
        let cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "a=1", "a, \"b\""];
        write_csv(&mut out, &["c"], cells.iter().map(|cell| row(&[cell]))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "c\n'=1+1\n'+1\n'-1\n'@x\n'\tx\n\"'\rx\"\n\"'\nx\"\n'＝1\n'＋1\n'－1\n'＠x\na=1\n\"a, \"\"b\"\"\"\n"
        );
    }

    #[test]
    fn cells_are_harmless_and_not_endless() {
        assert_eq!(cell("a\u{202e}b\n"), "a‹U+202E›b↵");
        for long in ["x".repeat(256), "鍵".repeat(256)] {
            assert!(cell(&long).ends_with('…') && cell(&long).width() <= MAX_CELL_WIDTH);
        }
    }

    #[test]
    fn a_table_fits_its_terminal_and_cuts_no_id() {
        let id = "VuaCfGcBCdbkQm-e5aOx".to_owned();
        let rows = [vec!["鍵".repeat(24), id.clone(), "owner ".repeat(8)], vec!["b".into(), id.clone(), "ana".into()]];
        let fit = |width| fitted(&["NAME", "ID", "OWNER"], &rows, &["ID"], width);
        for width in [40, 60, 80, 120] {
            let text = fit(Some(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}\n{text}");
            assert_eq!(text.matches(&id).count(), 2);
            assert_eq!(text.contains('…'), width < 120);
        }
        // Columns that can't be narrower are not cut further, and without a terminal nothing is cut.
        assert!(fit(Some(10)).contains(&id) && fit(Some(10)).lines().next().unwrap().starts_with("NAME"));
        assert_eq!(fit(None), table(&["NAME", "ID", "OWNER"], &rows));
    }
}
