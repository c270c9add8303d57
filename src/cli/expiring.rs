//! `keybearer expiring`: what ends soon, for cron, CI and Prometheus.

use std::{
    borrow::Cow,
    io::{BufWriter, Write},
};

use clap::{Args, ValueEnum};

use super::{
    connection::ConnectionFlags,
    error::{CliError, Exit},
    key_row, list, output,
};
use crate::{
    export::{self, Row, metrics},
    model::{
        Millis,
        expiry::{self, Expiry},
        filter::Query,
        inventory::{Asker, Column, Sort},
        key_list::Rows,
    },
    ops::{clock, list::KeyList},
};

/// The options of `expiring`.
#[derive(Args, Debug)]
pub(super) struct ExpiringArgs {
    /// The time within which a key ends, such as 12h, 7d or 30d
    #[arg(long, default_value = "7d")]
    within: String,
    /// Only keys that this query means, as in `keybearer list`
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Form of the output
    #[arg(long, default_value = "table")]
    output: ExpiringFormat,
    /// A metric for each single key besides the counts (with --output prometheus)
    #[arg(long)]
    each: bool,
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

pub(super) async fn run(flags: &ConnectionFlags, args: ExpiringArgs) -> Result<Exit, CliError> {
    if args.each && args.output != ExpiringFormat::Prometheus {
        return Err(CliError::usage("--each goes with --output prometheus"));
    }
    let length = length(&args.within)?;
    list::read_query(&args.search, clock::now())?;
    let session = flags.session().await?;
    let read = list::read(&session).await?;
    let now = session.now();
    let query = list::read_query(&args.search, now)?;
    let places = ending(&read, &query, now, length, list::asker(&session));
    let about = list::about(&session, now);
    let row = |place: usize| Row { cluster: &about.cluster, key: Cow::Owned(read.keys.key(place)) };
    match args.output {
        ExpiringFormat::Table if places.is_empty() => {}
        ExpiringFormat::Table => {
            let keys = places.iter().map(|place| read.keys.key(*place as usize));
            output::put(&key_row::table(keys, now, &clock::zone()))?;
        }
        ExpiringFormat::Json => list::write(export::Format::Json, places.iter().map(|at| row(*at as usize)), &about)?,
        ExpiringFormat::Csv => list::write(export::Format::Csv, places.iter().map(|at| row(*at as usize)), &about)?,
        ExpiringFormat::Prometheus => {
            // All keys are counted, also those that end later: a graph needs both.
            let keys = read.keys.matching(&query.expr, now, list::asker(&session));
            let mut counts = metrics::Counts::new(now, [about.cluster.as_str()]);
            keys.places().for_each(|place| counts.add(&about.cluster, &read.keys.key(place)));
            let mut out = BufWriter::new(std::io::stdout());
            metrics::write(&mut out, &counts).map_err(CliError::Output)?;
            if args.each {
                metrics::write_each(&mut out, places.iter().map(|place| row(*place as usize)))
                    .map_err(CliError::Output)?;
            }
            out.flush().map_err(CliError::Output)?;
        }
    }
    list::say_count(&read, places.len());
    if !read.is_whole() {
        return Ok(Exit::Partly);
    }
    // What is scraped must not fail because a key ends; whoever asks in a script wants to know.
    Ok(if places.is_empty() || args.output == ExpiringFormat::Prometheus { Exit::Done } else { Exit::Found })
}

/// How long ahead is looked, in milliseconds.
pub(super) fn length(within: &str) -> Result<Millis, CliError> {
    match Expiry::parse(within, 0, &jiff::tz::TimeZone::UTC) {
        Ok(Expiry::In(span)) if span.millis().is_some() => Ok(span.millis().unwrap_or_default()),
        _ => Err(CliError::usage(format!("--within {within}: write a time such as 12h, 7d or 30d"))),
    }
}

/// The keys that end within a time, the soonest first. What is invalidated or has ended is none of them.
pub(super) fn ending(list: &KeyList, query: &Query, now: Millis, length: Millis, asker: Asker<'_>) -> Vec<u32> {
    let order = list.keys.order(&[Sort { column: Column::Expires, descending: false }], now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let until = now.saturating_add(length);
    let ends = |place: &u32| {
        let place = *place as usize;
        !list.keys.is_invalidated(place) && list.keys.expires(place).is_some_and(|at| at > now && at <= until)
    };
    rows.places.into_iter().filter(ends).collect()
}

/// "3 keys expire within 7d".
pub(super) fn sentence(count: usize, within: &str) -> String {
    let verb = if count == 1 { "expires" } else { "expire" };
    format!("{} {verb} within {within}", expiry::plural(count as u64, "key"))
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
        let places = ending(&list, &Query::default(), NOW, length("7d").unwrap(), Asker::default());
        let ids: Vec<&str> = places.iter().map(|place| list.keys.id(*place as usize)).collect();
        assert_eq!(ids, ["soon", "later"]);
        assert_eq!(sentence(1, "7d"), "1 key expires within 7d");
    }

    #[test]
    fn a_time_that_is_none_is_told() {
        for within in ["", "soon", "-1d", "2027-01-01", "1y", "never"] {
            assert!(matches!(length(within), Err(CliError::Usage(words)) if words.contains("7d")), "{within}");
        }
        assert_eq!(length("12h").ok(), Some(DAY / 2));
    }
}
