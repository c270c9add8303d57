//! `keybearer expiring`: keys that expire soon, for cron, CI and Prometheus.

use std::{
    borrow::Cow,
    io::{BufWriter, Write},
};

use clap::{Args, ValueEnum};

use super::list;
use crate::{
    cli::{
        args::{
            connection::ConnectionFlags,
            row_options::{RowOptions, Shape},
        },
        error::{CliError, Exit},
        output,
    },
    export::{self, Row, metrics},
    model::{
        Millis,
        filter::Query,
        inventory::{Asker, Column, Sort, list_view::Rows},
        text::number,
        time::expiry::{Expiry, ExpiryError},
    },
    ops::{Session, clock, keys::list::KeyList},
};

/// The options of `expiring`.
#[derive(Args, Debug)]
pub(crate) struct ExpiringArgs {
    /// The time within which a key ends, such as 12h, 7d, 2w or 30d
    #[arg(long, default_value = "7d")]
    within: String,
    /// Only keys that this query means, as in `keybearer list`
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Form of the output
    #[arg(short, long, default_value = "table")]
    output: ExpiringFormat,
    /// A metric for each single key besides the counts (with --output prometheus)
    #[arg(long)]
    each: bool,
    #[command(flatten)]
    rows: RowOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExpiringFormat {
    /// Aligned columns for people
    Table,
    /// JSON, times in milliseconds since 1970
    Json,
    /// Comma-separated values, times in UTC
    Csv,
    /// Metrics as text, for a file that Prometheus reads
    Prometheus,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: ExpiringArgs) -> Result<Exit, CliError> {
    if args.each && args.output != ExpiringFormat::Prometheus {
        return Err(CliError::usage("--each goes with --output prometheus"));
    }
    let length = length("--within", &args.within)?;
    args.rows.check(match args.output {
        ExpiringFormat::Table => Shape::Table,
        ExpiringFormat::Csv => Shape::Csv,
        ExpiringFormat::Json | ExpiringFormat::Prometheus => Shape::Fixed,
    })?;
    list::read_query(&args.search, clock::now())?;
    let session = flags.session().await?;
    let read = list::read(&session).await?;
    let now = session.now();
    let query = list::read_query(&args.search, now)?;
    let (found, not_known) = ending(&read, &query, now, length, list::asker(&session));
    let row_ids = args.rows.first(&found);
    let written = write_rows(&session, &args, &read, (&query, row_ids), now);
    let exit = match (read.is_whole(), found.is_empty()) {
        (false, _) => Exit::Partly,
        // Scraped output must not fail because a key expires; a script wants to know it by the exit code.
        (true, false) if args.output != ExpiringFormat::Prometheus => Exit::Found,
        (true, _) if not_known > 0 => Exit::NotKnown,
        (true, _) => Exit::Done,
    };
    Ok(list::conclude(&read, &query, (row_ids.len(), found.len(), not_known), exit, written))
}

fn write_rows(
    session: &Session,
    args: &ExpiringArgs,
    read: &KeyList,
    (query, row_ids): (&Query, &[u32]),
    now: Millis,
) -> Result<(), CliError> {
    let about = list::about(session, now);
    let keys = || row_ids.iter().map(|row| read.keys.key(*row as usize));
    let rows = || keys().map(|key| Row { cluster: &about.cluster, key: Cow::Owned(key) });
    match args.output {
        _ if args.rows.ids() => RowOptions::put_ids(row_ids.iter().map(|row| read.keys.id(*row as usize))),
        ExpiringFormat::Table if row_ids.is_empty() => Ok(()),
        ExpiringFormat::Table => output::put(&args.rows.table(keys(), now, None)),
        ExpiringFormat::Json => list::write(export::Format::Json, rows(), &about),
        ExpiringFormat::Csv if args.rows.changes_csv() => args.rows.put_csv(keys(), now),
        ExpiringFormat::Csv => list::write(export::Format::Csv, rows(), &about),
        ExpiringFormat::Prometheus => {
            let uuid = session.cluster_uuid.clone().unwrap_or_default();
            let labels = metrics::Labels { cluster: about.cluster.clone(), uuid };
            // All keys are counted, also those that end later: a graph needs both.
            let mut tally = metrics::Tally::default();
            for row in read.keys.matching(&query.expr, now, list::asker(session)).rows() {
                if read.keys.has_known_status(row) {
                    tally.add(read.keys.expires(row), read.keys.is_invalidated(row), now);
                } else {
                    tally.add_not_known();
                }
            }
            let mut counts = metrics::Counts::new(now);
            counts.add_cluster(labels.clone(), tally, read.own_only);
            let mut out = BufWriter::new(output::stdout());
            metrics::write(&mut out, &counts).map_err(CliError::Output)?;
            if args.each {
                metrics::write_each(&mut out, &labels, rows()).map_err(CliError::Output)?;
            }
            out.flush().map_err(CliError::Output)
        }
    }
}

/// Reads a length of time given to an option, in milliseconds.
pub(crate) fn length(option: &str, text: &str) -> Result<Millis, CliError> {
    let why = match Expiry::parse(text, 0, &jiff::tz::TimeZone::UTC) {
        Ok(Expiry::In(span)) => match span.millis() {
            Some(length) => return Ok(length),
            None => String::new(),
        },
        Err(error @ (ExpiryError::Months | ExpiryError::Unit(_) | ExpiryError::Fraction)) => format!("{error}. "),
        _ => String::new(),
    };
    Err(CliError::usage(format!("{option} {text}: {why}Write a time such as 12h, 7d, 2w or 30d")))
}

/// Returns the keys that expire within a time span, the soonest first, and the number of those of which it is not known
/// whether they match the search. Invalidated and expired keys are left out.
pub(crate) fn ending(
    list: &KeyList,
    query: &Query,
    now: Millis,
    length: Millis,
    asker: Asker<'_>,
) -> (Vec<u32>, usize) {
    let order = list.keys.order(&[Sort { column: Column::Expires, descending: false }], now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let until = now.saturating_add(length);
    let ends = |row: &u32| {
        let row = *row as usize;
        !list.keys.is_invalidated(row) && list.keys.expires(row).is_some_and(|at| at > now && at <= until)
    };
    let may_end = |row: usize| !list.keys.has_known_status(row) || ends(&(row as u32));
    let odd = rows.found.rows().filter(|row| !list.keys.has_known_status(*row)).count();
    let not_known = rows.not_known.rows().filter(|row| may_end(*row)).count() + odd;
    (rows.rows.into_iter().filter(ends).collect(), not_known)
}

/// Formats "3 keys expire within 7d".
pub(crate) fn sentence(count: usize, within: &str) -> String {
    let verb = if count == 1 { "expires" } else { "expire" };
    format!("{} {verb} within {within}", number::plural(count as u64, "key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, inventory::RawKey};

    const NOW: Millis = 1_795_521_600_000;

    #[test]
    fn what_ends_is_what_still_works_and_will_not_for_long() {
        let mut list = KeyList::default();
        for (id, expires, invalidated) in [
            ("later", Some(NOW + 6 * DAY), false),
            ("soon", Some(NOW + DAY), false),
            ("gone", Some(NOW + DAY), true),
            ("dead", Some(NOW), false),
            ("far", Some(NOW + 8 * DAY), false),
            ("never", None, false),
        ] {
            list.keys.put(&RawKey { id, expires, invalidated, ..RawKey::default() });
        }
        let (rows, _) = ending(&list, &Query::default(), NOW, length("--within", "7d").unwrap(), Asker::default());
        let ids: Vec<&str> = rows.iter().map(|row| list.keys.id(*row as usize)).collect();
        assert_eq!(ids, ["soon", "later"]);
        assert_eq!(sentence(1, "7d"), "1 key expires within 7d");
    }

    #[test]
    fn a_time_that_is_none_is_told() {
        for within in ["", "soon", "-1d", "2027-01-01", "1M", "1q", "never", "tomorrow"] {
            assert!(
                matches!(length("--within", within), Err(CliError::Usage(words)) if words.contains("7d")),
                "{within}"
            );
        }
        assert!(
            matches!(length("--within", "1M"), Err(CliError::Usage(words)) if words.contains(crate::model::time::expiry::NO_MONTHS))
        );
        for (text, days) in [("2w", 14), ("1y", 365), ("48h", 2)] {
            assert_eq!(length("--within", text).ok(), Some(days * DAY));
        }
    }
}
