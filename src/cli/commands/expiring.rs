//! `keybearer expiring`: keys that expire soon, for cron, CI and Prometheus.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
};

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        args::{
            connection::ConnectionFlags,
            row_options::{RowOptions, Shape},
            span::length,
        },
        error::{CliError, Exit},
        keys::{expiring::ending, listing},
        output,
    },
    export::{self, Row, metrics},
    model::{Timestamp, filter::Query, inventory::RowId},
    ops::{Session, clock, keys::list::KeyList},
};

/// The options of `expiring`.
#[derive(Args, Debug)]
pub(crate) struct ExpiringArgs {
    /// Time within which keys expire, such as 12h, 7d, 2w or 30d
    #[arg(long, default_value = "7d")]
    within: String,
    /// Only keys that match this query, as in `keybearer list`
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: ExpiringFormat,
    /// Include a metric for each key besides the counts (with --output prometheus)
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
    /// Metrics in the text format of Prometheus
    Prometheus,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: ExpiringArgs) -> Result<Exit, CliError> {
    if args.each && args.output != ExpiringFormat::Prometheus {
        return Err(CliError::usage("--each works only with --output prometheus"));
    }
    let length = length("--within", &args.within)?;
    args.rows.check(match args.output {
        ExpiringFormat::Table => Shape::Table,
        ExpiringFormat::Csv => Shape::Csv,
        ExpiringFormat::Json | ExpiringFormat::Prometheus => Shape::Fixed,
    })?;
    listing::read_query(&args.search, clock::now())?;
    let session = flags.session().await?;
    let read = listing::read(&session).await?;
    let now = session.now();
    let query = listing::read_query(&args.search, now)?;
    let (found, not_known) = ending(&read, &query, now, length, listing::asker(&session));
    let row_ids = args.rows.first(&found);
    let written = write_rows(&session, &args, &read, &query, row_ids, now);
    let exit = match (read.is_whole(), found.is_empty()) {
        (false, _) => Exit::Partly,
        // Scraped output must not fail because a key expires; a script wants to know it by the exit code.
        (true, false) if args.output != ExpiringFormat::Prometheus => Exit::Found,
        (true, _) if not_known > 0 => Exit::NotKnown,
        (true, _) => Exit::Done,
    };
    let counts = listing::RowCounts { shown: row_ids.len(), found: found.len(), not_known };
    Ok(listing::conclude(&read, &query, counts, exit, written))
}

fn write_rows(
    session: &Session,
    args: &ExpiringArgs,
    read: &KeyList,
    query: &Query,
    row_ids: &[RowId],
    now: Timestamp,
) -> io::Result<()> {
    let about = listing::about(session, now);
    let keys = || row_ids.iter().map(|row| read.keys.key(*row));
    let rows = || keys().map(|key| Row { cluster: &about.cluster, key: Cow::Owned(key) });
    match args.output {
        _ if args.rows.ids() => RowOptions::put_ids(row_ids.iter().map(|row| read.keys.id(*row))),
        ExpiringFormat::Table if row_ids.is_empty() => Ok(()),
        ExpiringFormat::Table => output::paint::put_painted(&args.rows.table(keys(), now, None)),
        ExpiringFormat::Json => listing::write(export::Format::Json, rows(), &about),
        ExpiringFormat::Csv if args.rows.changes_csv() => args.rows.put_csv(keys(), now),
        ExpiringFormat::Csv => listing::write(export::Format::Csv, rows(), &about),
        ExpiringFormat::Prometheus => {
            let uuid = session.cluster_uuid.clone().unwrap_or_default();
            let labels = metrics::Labels { cluster: about.cluster.clone(), uuid };
            // All keys are counted, also those that end later: a graph needs both.
            let mut tally = metrics::Tally::default();
            for row in read.keys.matching(&query.expr, now, listing::asker(session)).rows() {
                if read.keys.has_known_status(row) {
                    tally.add(read.keys.expires(row), read.keys.is_invalidated(row), now);
                } else {
                    tally.add_not_known();
                }
            }
            let mut counts = metrics::Counts::new(now);
            counts.add_cluster(labels.clone(), tally, read.own_only);
            let mut out = BufWriter::new(output::stdout());
            metrics::write(&mut out, &counts)?;
            if args.each {
                metrics::write_each(&mut out, &labels, rows())?;
            }
            out.flush()
        }
    }
}
