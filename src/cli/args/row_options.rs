//! Which rows and columns of a list are printed, and how bare: the options that `list` and `expiring` share.

use clap::Args;

use crate::{
    cli::{error::CliError, output, output::key_row},
    export::csv::{self, id_cell, no_formula},
    model::{Millis, api_key::ApiKey},
};

/// The options.
#[derive(Args, Debug, Default)]
pub(crate) struct RowOptions {
    /// Print at most N keys, the first in the order
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Columns of the table or of the CSV, in this order, separated by commas [possible: name, id, app, type, owner,
    /// realm, roles, created, expires, left, status, invalidated, managed]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Leave out the line with the names of the columns
    #[arg(long)]
    no_headers: bool,
    /// Print ids only, one a line, as `invalidate --keys-from` takes them
    #[arg(long, conflicts_with_all = ["columns", "output"])]
    ids: bool,
}

/// The columns by their words: the head in a table, and the place in a CSV file.
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

/// What the data is written as, as far as these options depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// Anything else, in which the columns are fixed.
    Fixed,
}

impl RowOptions {
    /// Tells what can't be meant, before anything is asked.
    ///
    /// # Errors
    /// A usage error for an unknown column, and for columns or heads of a form that has none to choose.
    pub(crate) fn check(&self, shape: Shape) -> Result<(), CliError> {
        if shape == Shape::Fixed && (!self.columns.is_empty() || self.no_headers) {
            return Err(CliError::usage("--columns and --no-headers go with --output table and csv"));
        }
        for name in &self.columns {
            let name = name.trim();
            let Some((_, _, csv)) = COLUMNS.iter().find(|(word, ..)| *word == name) else {
                let all: Vec<&str> = COLUMNS.iter().map(|(word, ..)| *word).collect();
                return Err(CliError::usage(format!(
                    "--columns: there is no column “{name}”; there are {}",
                    all.join(", ")
                )));
            };
            if shape == Shape::Csv && csv.is_none() {
                return Err(CliError::usage(format!("--columns: {name} is a column of the table only")));
            }
        }
        Ok(())
    }

    /// Only ids are wanted.
    pub(crate) fn ids(&self) -> bool {
        self.ids
    }

    /// The CSV is another than the file that the window writes.
    pub(crate) fn changes_csv(&self) -> bool {
        !self.columns.is_empty() || self.no_headers
    }

    /// The first rows; says on stderr how many there are if some are left out.
    pub(crate) fn first<'r>(&self, rows: &'r [u32]) -> &'r [u32] {
        match self.limit {
            Some(limit) if limit < rows.len() => &rows[..limit],
            _ => rows,
        }
    }

    fn columns(&self) -> Vec<&str> {
        if self.columns.is_empty() {
            return key_row::COLUMNS.to_vec();
        }
        self.columns.iter().map(|name| name.trim()).collect()
    }

    /// The table, as wide as the terminal. `more` is a further column: its head, and a cell for each key.
    pub(crate) fn table(&self, keys: impl Iterator<Item = ApiKey>, now: Millis, more: Option<More<'_>>) -> String {
        let zone = crate::ops::clock::zone();
        let columns = self.columns();
        let cells = |key: ApiKey| -> Vec<String> {
            let own = columns.iter().map(|column| key_row::cell(&key, column, now, &zone));
            own.chain(more.as_ref().map(|more| (more.cell)(&key))).collect()
        };
        let rows: Vec<Vec<String>> = keys.map(cells).collect();
        let head = |word: &&str| COLUMNS.iter().find(|(own, ..)| own == word).map_or("", |(_, head, _)| *head);
        let heads: Vec<&str> = columns.iter().map(head).chain(more.as_ref().map(|more| more.head)).collect();
        let text = output::fitted(&heads, &rows, &key_row::WHOLE, output::width());
        match text.split_once('\n') {
            Some((_, rows)) if self.no_headers => rows.to_owned(),
            _ => text,
        }
    }

    /// The chosen columns as CSV on stdout, under the names that they have in the whole file.
    ///
    /// # Errors
    /// When nobody takes it.
    pub(crate) fn put_csv(&self, keys: impl Iterator<Item = ApiKey>, now: Millis) -> Result<(), CliError> {
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

    /// The ids, one a line, on stdout.
    ///
    /// # Errors
    /// When nobody takes them.
    pub(crate) fn put_ids<'i>(ids: impl Iterator<Item = &'i str>) -> Result<(), CliError> {
        use std::io::Write;
        let mut out = std::io::BufWriter::new(output::stdout());
        for id in ids {
            writeln!(out, "{id}").map_err(CliError::Output)?;
        }
        out.flush().map_err(CliError::Output)
    }
}

/// A column that is not made of the key alone.
pub(crate) struct More<'m> {
    /// Its head.
    pub(crate) head: &'m str,
    /// The cell of a key, harmless.
    pub(crate) cell: &'m dyn Fn(&ApiKey) -> String,
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
        let text = options(&all, false).table([key.clone()].into_iter(), 0, None);
        assert_eq!(text.lines().count(), 2);
        assert!(COLUMNS.iter().all(|(_, head, _)| text.lines().next().is_some_and(|line| line.contains(head))));
        assert_eq!(options(&["id", "name"], true).table([key].into_iter(), 0, None), "-a  n\n");
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
        assert_eq!(limited(Some(2)).first(&[3, 1, 2]), [3, 1]);
        assert_eq!(limited(None).first(&[3, 1]), [3, 1]);
        assert_eq!(limited(Some(9)).first(&[3]), [3]);
    }
}
