//! Text for a terminal, for programs and for spreadsheets: aligned tables, JSON and CSV on stdout,
//! words on stderr. It doesn't know what is in them.

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::error::CliError;
use crate::model::harmless;

/// The most characters of a cell that has no meaning beyond being recognised, such as a name.
const WIDEST: usize = 48;

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

/// Prints data to stdout.
///
/// # Errors
/// When nobody takes it.
pub(super) fn put(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// Prints JSON to stdout, without a copy of it in memory.
///
/// # Errors
/// When nobody takes it.
pub(super) fn put_json(data: &impl Serialize) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, data).map_err(|error| CliError::Output(error.into()))?;
    out.write_all(b"\n").and_then(|()| out.flush()).map_err(CliError::Output)
}

/// Prints rows as CSV to stdout.
///
/// # Errors
/// When nobody takes it.
pub(super) fn put_csv(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<(), CliError> {
    write_csv(BufWriter::new(io::stdout().lock()), head, rows).map_err(CliError::Output)
}

fn write_csv(out: impl Write, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(head).map_err(io::Error::from)?;
    for row in rows {
        csv.write_record(row.iter().map(|cell| no_formula(cell))).map_err(io::Error::from)?;
    }
    csv.flush()
}

/// The cell with a `'` before what a spreadsheet would run as a formula.
fn no_formula(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// A line of words on stderr. Nobody to hear it is no error.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A line on stderr that names the program, for what went wrong or is dangerous.
pub(super) fn complain(words: &str) {
    say(&format!("keybearer: {}", harmless::shown(words)));
}

/// Whether a person can be asked: they see stderr and type into stdin.
pub(super) fn someone_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a person for a line.
///
/// # Errors
/// When nothing can be read.
pub(super) fn ask(question: &str) -> Result<String, CliError> {
    let mut err = io::stderr().lock();
    let mut line = String::new();
    let asked = write!(err, "{question} ").and_then(|()| err.flush());
    drop(err);
    asked.and_then(|()| io::stdin().read_line(&mut line)).map_err(CliError::Output)?;
    Ok(line.trim().to_owned())
}

/// Rows under a head, every column as wide as it needs to be. Cells must be harmless already.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.chain(head.get(column).map(|name| name.width())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    push_row(&mut text, head.iter().copied(), &widths);
    for row in rows {
        push_row(&mut text, row.iter().map(String::as_str), &widths);
    }
    text
}

/// Names and values, one a line, the values aligned. Values must be harmless already.
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
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
    }
    let end = start + text[start..].trim_end().len();
    text.truncate(end);
    text.push('\n');
}

/// A text from a cluster for a cell: harmless, and not endless.
pub(super) fn cell(text: &str) -> String {
    harmless::shortened(text, WIDEST)
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
    fn a_spreadsheet_is_given_no_formula() {
        let mut out = Vec::new();
        let cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=1", "a, \"b\""];
        write_csv(&mut out, &["c"], cells.iter().map(|cell| row(&[cell]))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "c\n'=1+1\n'+1\n'-1\n'@x\n'\tx\n\"'\rx\"\na=1\n\"a, \"\"b\"\"\"\n");
    }

    #[test]
    fn cells_are_harmless_and_not_endless() {
        assert_eq!(cell("a\u{202e}b\n"), "a‹U+202E›b↵");
        assert!(cell(&"x".repeat(256)).chars().count() <= WIDEST + 1);
    }
}
