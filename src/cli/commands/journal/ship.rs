//! `keybearer journal ship`: the journal as documents of an index.

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            span,
        },
        commands::journal::faults::complain,
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    model::{
        Timestamp,
        text::{number, sanitize},
        time::calendar,
    },
    ops::{
        clock,
        journal::{
            reader::entries,
            ship::{self, NotShipped, Shipment, Shipped, Undelivered},
        },
    },
};

/// The options of `journal ship`.
#[derive(Args, Debug)]
pub(crate) struct ShipArgs {
    /// Index or data stream for the entries; each is added only once, even if shipped again. A data stream that was
    /// rolled over no longer knows the older ones: use --since
    #[arg(long, value_name = "NAME")]
    index: String,
    /// Saved connection to ship to; same as --profile
    #[arg(long, value_name = "PROFILE")]
    to_profile: Option<String>,
    /// Only entries since this time: 7d, 12h, or a date such as 2026-11-24 (from its beginning)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Ship even if the journal failed verification: only the entries that pass it
    #[arg(long)]
    even_broken: bool,
    /// Only print an index template for the entries, as the body of PUT _index_template
    #[arg(long)]
    print_template: bool,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

/// Maximum number of reasons that are printed on a terminal.
const MAX_REASONS: usize = 20;

#[derive(Serialize)]
struct ShippedJson<'a> {
    shipped: u64,
    already_there: u64,
    checkpoints: u64,
    failed: Vec<FailedJson<'a>>,
    faults: usize,
    error: Option<String>,
}

#[derive(Serialize)]
struct FailedJson<'a> {
    sequence: u64,
    reason: &'a str,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: &ShipArgs) -> Result<Exit, CliError> {
    if args.print_template {
        output::put_json(&ship::template(&args.index))?;
        return Ok(Exit::Done);
    }
    let flags = connection(flags, args)?;
    let since = args.since.as_deref().map(|text| moment(text, clock::now())).transpose()?;
    let endpoint = flags.endpoint()?;
    connection::check_writable(&endpoint)?;
    let session = flags.confirm(&connection::session_at(&endpoint).await?)?;
    let what = Shipment { index: args.index.clone(), since, even_broken: args.even_broken };
    let tell = |count: u64| {
        if output::someone_is_there() && args.output == PlainFormat::Table {
            output::print_status(&format!("{} sent", entries(count)));
        }
    };
    match ship::ship(&session, &environment::journal(), &what, tell).await {
        Ok(shipped) => report(&shipped, args),
        Err(NotShipped::Problem(problem)) => Err(CliError::Problem(problem)),
        Err(NotShipped::Broken(report)) => {
            complain(&report);
            let hint = "Keep its files unchanged and find out what changed them; --even-broken ships the entries that \
                        pass verification";
            Err(CliError::problem("The journal failed verification, so nothing was shipped", "", hint))
        }
    }
}

fn connection(flags: &ConnectionFlags, args: &ShipArgs) -> Result<ConnectionFlags, CliError> {
    match (&args.to_profile, &flags.profile) {
        (Some(to), Some(profile)) if to != profile => {
            Err(CliError::usage("--to-profile and --profile are the same option but name two connections: use one"))
        }
        (Some(to), _) => Ok(ConnectionFlags { profile: Some(to.clone()), ..flags.clone() }),
        (None, _) => Ok(flags.clone()),
    }
}

/// Reads a moment such as `7d` (ago), a date (its beginning) or a time.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let zone = clock::zone();
    let begins = if text.trim().len() == 10 { format!("{} 00:00", text.trim()) } else { text.to_owned() };
    let wrong = || CliError::usage(format!("--since {text}: use a time such as 7d or 12h, or a date"));
    match calendar::parse(&begins, &zone) {
        Some(at) => Ok(at),
        None => span::length("--since", text).map(|length| now - length).map_err(|_| wrong()),
    }
}

fn report(shipped: &Shipped, args: &ShipArgs) -> Result<Exit, CliError> {
    complain(&shipped.report);
    grouped(&shipped.failed).iter().for_each(|line| output::print_error(line));
    let error = shipped.ended_by.as_ref().map(|problem| problem.words());
    if let Some(words) = &error {
        output::print_error(&format!("{words}. The rest was not sent; ship again later: no entry is added twice"));
    }
    match args.output {
        PlainFormat::Json => output::put_json(&ShippedJson {
            shipped: shipped.shipped,
            already_there: shipped.already_there,
            checkpoints: shipped.checkpoints,
            failed: (shipped.failed.iter())
                .map(|failed| FailedJson { sequence: failed.sequence, reason: &failed.reason })
                .collect(),
            faults: shipped.report.fault_count,
            error,
        })?,
        PlainFormat::Table => output::put(&format!(
            "{} shipped to {}, {} already there, {} failed{}\n",
            entries(shipped.shipped),
            sanitize::shown(&args.index),
            number::thousands(shipped.already_there),
            number::thousands(shipped.failed.len() as u64),
            match shipped.checkpoints {
                0 => String::new(),
                new => format!("; {} new", number::plural(new, "checkpoint")),
            },
        ))?,
    }
    Ok(exit(shipped))
}

/// Formats entries that were not taken, those with the same reason as one line.
fn grouped(failed: &[Undelivered]) -> Vec<String> {
    let mut groups: Vec<(&str, u64, u64, u64)> = Vec::new();
    for Undelivered { sequence, reason } in failed {
        match groups.iter_mut().find(|(known, ..)| known == reason) {
            Some((_, _, last, count)) => (*last, *count) = (*sequence, *count + 1),
            None => groups.push((reason, *sequence, *sequence, 1)),
        }
    }
    let line = |(reason, first, last, count): (&str, u64, u64, u64)| match count {
        1 => format!("Entry {first}: {reason}"),
        _ => format!("{} from {first} to {last}: {reason}", entries(count)),
    };
    let more = groups.len().saturating_sub(MAX_REASONS);
    let mut lines: Vec<String> = groups.into_iter().take(MAX_REASONS).map(line).collect();
    if more > 0 {
        lines.push(format!("{} more reasons; --output json has all of them", number::thousands(more as u64)));
    }
    lines
}

fn exit(shipped: &Shipped) -> Exit {
    let done = shipped.shipped + shipped.already_there > 0;
    let is_whole = shipped.failed.is_empty() && shipped.ended_by.is_none() && shipped.report.is_whole();
    match (is_whole, done) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Partly,
        (false, false) => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeDelta;

    #[test]
    fn one_reason_is_told_once_and_twenty_at_most() {
        let failed = |sequence, reason: &str| Undelivered { sequence, reason: reason.to_owned() };
        let all = [failed(1, "no right"), failed(2, "no right"), failed(5, "odd"), failed(9, "no right")];
        assert_eq!(grouped(&all), ["3 entries from 1 to 9: no right", "Entry 5: odd"]);
        let many: Vec<_> = (1..=50).map(|number| failed(number, &format!("why {number}"))).collect();
        let told = grouped(&many);
        assert_eq!((told.len(), told.last().unwrap().as_str()), (21, "30 more reasons; --output json has all of them"));
    }

    #[test]
    fn since_is_a_time_ago_or_the_beginning_of_a_day() {
        let now = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z
        assert_eq!(moment("7d", now).unwrap(), now - 7 * TimeDelta::DAY);
        assert_eq!(moment("2026-11-24T12:00:00Z", Timestamp::EPOCH).unwrap(), now);
        let day = moment("2026-11-24", Timestamp::EPOCH).unwrap();
        assert_eq!(day, calendar::parse("2026-11-24 00:00", &clock::zone()).unwrap());
        for wrong in ["soon", "", "2026-13-01", "never"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }
}
