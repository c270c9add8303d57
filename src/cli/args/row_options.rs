//! Rows and columns of a printed list, and its headers: the options that `list` and `expiring` share.

use std::io;

use clap::Args;

use crate::{
    cli::{
        environment,
        error::CliError,
        output,
        output::{
            key_row,
            paint::{Painted, Tone},
        },
    },
    export::csv::{self, id_cell, no_formula},
    model::{Timestamp, api_key::ApiKey, inventory::RowId},
};

/// The options.
#[derive(Args, Debug, Default)]
pub(crate) struct RowOptions {
    /// Print only the first N keys
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Columns of the table or CSV, in this order, separated by commas [possible: name, id, app, type, owner, realm,
    /// roles, created, expires, left, status, invalidated, managed]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Omit the header line
    #[arg(long)]
    no_headers: bool,
    /// Print only ids, one per line, for `invalidate --keys-from`
    #[arg(long, conflicts_with_all = ["columns", "output"])]
    ids: bool,
}

/// Columns by their names: the header in a table, and the index in a CSV file.
const COLUMNS: [(&str, &str, Option<usize>); 13] = [
    ("name", "NAME", Some(1)),
    ("id", "ID", Some(0)),
    ("app", "APPLICATION ID", Some(2)),
    ("type", "TYPE", Some(3)),
    ("owner", "OWNER", Some(4)),
    ("realm", "REALM", Some(5)),
    ("roles", "ROLES", Some(6)),
    ("created", "CREATED", Some(7)),
    ("expires", "EXPIRES", Some(8)),
    ("left", "LEFT", None),
    ("status", "STATUS", Some(10)),
    ("invalidated", "INVALIDATED", Some(11)),
    ("managed", "MANAGED BY", Some(12)),
];

/// Form of the output, as far as these options depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// Anything else, in which the columns are fixed.
    Fixed,
}

/// Checks the name of a column, and returns its index in a CSV file, which not every column has.
///
/// # Errors
/// With the names that there are.
pub(crate) fn places(name: &str) -> Result<Option<usize>, String> {
    let found = COLUMNS.iter().find(|(word, ..)| *word == name).map(|(.., place)| *place);
    found.ok_or_else(|| {
        let all: Vec<&str> = COLUMNS.iter().map(|(word, ..)| *word).collect();
        format!("there is no column “{name}”; available columns: {}", all.join(", "))
    })
}

impl RowOptions {
    /// Checks for contradictory options, before anything is requested.
    ///
    /// # Errors
    /// A usage error for an unknown column, and for columns or headers with a form that has none to choose.
    pub(crate) fn check(&self, shape: Shape) -> Result<(), CliError> {
        if shape == Shape::Fixed && (!self.columns.is_empty() || self.no_headers) {
            return Err(CliError::usage("--columns and --no-headers work only with --output table or csv"));
        }
        for name in &self.columns {
            let name = name.trim();
            let csv = places(name).map_err(|why| CliError::usage(format!("--columns: {why}")))?;
            if shape == Shape::Csv && csv.is_none() {
                return Err(CliError::usage(format!("--columns: {name} is available only in the table")));
            }
        }
        Ok(())
    }

    /// Returns `true` if only ids are printed.
    pub(crate) fn ids(&self) -> bool {
        self.ids
    }

    /// Returns `true` if the CSV differs from the file that the window writes.
    pub(crate) fn changes_csv(&self) -> bool {
        !self.columns.is_empty() || self.no_headers
    }

    /// Returns the first rows, at most as many as `--limit` allows; all without it.
    pub(crate) fn first<'r>(&self, rows: &'r [RowId]) -> &'r [RowId] {
        match self.limit {
            Some(limit) if limit < rows.len() => &rows[..limit],
            _ => rows,
        }
    }

    fn columns(&self) -> Vec<&str> {
        if self.columns.is_empty() {
            return match &environment::defaults().columns {
                Some(set) => set.value.iter().map(|name| name.trim()).collect(),
                None => key_row::COLUMNS.to_vec(),
            };
        }
        self.columns.iter().map(|name| name.trim()).collect()
    }

    /// Formats the table, as wide as the terminal. `more` is a further column: its header, and a cell for each key.
    pub(crate) fn table(&self, keys: impl Iterator<Item = ApiKey>, now: Timestamp, more: Option<More<'_>>) -> Painted {
        let zone = crate::ops::clock::zone();
        let columns = self.columns();
        let mut tones = Vec::new();
        let cells = |(number, key): (usize, ApiKey)| -> Vec<String> {
            tones.push(Tone::of(key.known_status(now)));
            let own = columns.iter().map(|column| key_row::cell(&key, column, now, &zone));
            own.chain(more.as_ref().map(|more| (more.cell)(number, &key))).collect()
        };
        let rows: Vec<Vec<String>> = keys.enumerate().map(cells).collect();
        let head = |word: &&str| COLUMNS.iter().find(|(own, ..)| own == word).map_or("", |(_, head, _)| *head);
        let heads: Vec<&str> = columns.iter().map(head).chain(more.as_ref().map(|more| more.head)).collect();
        let rows = output::fit(&heads, rows, &key_row::WHOLE, output::width());
        let tone = |row: usize, column: usize| match columns.get(column) {
            Some(&("left" | "status")) => tones.get(row).copied().flatten(),
            _ => None,
        };
        let text = output::painted(&heads, &rows, &tone);
        if self.no_headers { text.without_first_line() } else { text }
    }

    /// Prints the chosen columns as CSV to stdout, under the names that they have in the complete file.
    ///
    /// # Errors
    /// Returns an error if stdout can't be written.
    pub(crate) fn put_csv(&self, keys: impl Iterator<Item = ApiKey>, now: Timestamp) -> io::Result<()> {
        let place = |name: &&str| COLUMNS.iter().find(|(own, ..)| own == name).and_then(|(.., place)| *place);
        let places: Vec<usize> = if self.columns.is_empty() {
            (0..csv::HEAD.len()).collect()
        } else {
            self.columns().iter().filter_map(place).collect()
        };
        let head: Vec<&str> = places.iter().map(|place| csv::HEAD[*place]).collect();
        let rows = keys.map(|key| {
            let cells = csv::cells(&key, now);
            let exact = |place: &usize| if *place == 0 { id_cell(&cells[0]) } else { no_formula(&cells[*place]) };
            places.iter().map(|place| exact(place).into_owned()).collect::<Vec<String>>()
        });
        output::put_csv_exact((!self.no_headers).then_some(head.as_slice()), rows)
    }

    /// Prints the ids to stdout, one per line.
    ///
    /// # Errors
    /// Returns an error if stdout can't be written.
    pub(crate) fn put_ids<'i>(ids: impl Iterator<Item = &'i str>) -> io::Result<()> {
        use std::io::Write;
        let mut out = std::io::BufWriter::new(output::stdout());
        for id in ids {
            writeln!(out, "{id}")?;
        }
        out.flush()
    }
}

/// A column that is not derived from the key alone.
pub(crate) struct More<'m> {
    /// Header of the column.
    pub(crate) head: &'m str,
    /// Function that formats the cell of a key by its place in the list, harmless.
    pub(crate) cell: &'m dyn Fn(usize, &ApiKey) -> String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::api_key::KeyId;

    fn options(columns: &[&str], no_headers: bool) -> RowOptions {
        RowOptions {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            no_headers,
            ..Default::default()
        }
    }

    #[test]
    fn every_column_can_be_chosen_and_has_the_cell_of_its_head() {
        let key = ApiKey { id: KeyId::new("-a"), name: "n".into(), ..Default::default() };
        let all: Vec<&str> = COLUMNS.iter().map(|(word, ..)| *word).collect();
        assert!(options(&all, false).check(Shape::Table).is_ok());
        let text = options(&all, false).table([key.clone()].into_iter(), Timestamp::EPOCH, None);
        let text = text.text();
        assert_eq!(text.lines().count(), 2);
        assert!(COLUMNS.iter().all(|(_, head, _)| text.lines().next().is_some_and(|line| line.contains(head))));
        assert_eq!(options(&["id", "name"], true).table([key].into_iter(), Timestamp::EPOCH, None).text(), "-a  n\n");
        for (word, _, place) in COLUMNS {
            assert_eq!(options(&[word], false).check(Shape::Csv).is_ok(), place.is_some());
        }
        assert!(key_row::COLUMNS.iter().all(|own| all.contains(own)));
    }

    #[test]
    fn what_can_not_be_chosen_is_told() {
        assert!(
            matches!(options(&["size"], false).check(Shape::Table), Err(CliError::Usage(words)) if words.contains("expires"))
        );
        assert!(options(&[], true).check(Shape::Fixed).is_err());
        assert!(options(&["id"], false).check(Shape::Fixed).is_err());
    }

    #[test]
    fn a_limit_takes_the_first() {
        let limited = |limit| RowOptions { limit, ..Default::default() };
        let rows: Vec<RowId> = [3, 1, 2].into_iter().filter_map(RowId::new).collect();
        assert_eq!(limited(Some(2)).first(&rows), &rows[..2]);
        assert_eq!(limited(None).first(&rows), rows);
        assert_eq!(limited(Some(9)).first(&rows), rows);
    }
}
