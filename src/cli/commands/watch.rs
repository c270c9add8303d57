//! `keybearer watch`: notices on the desktop when keys are about to expire. Runs until it is interrupted, and asks the
//! cluster no more often than the option says.

use std::collections::HashSet;

use clap::Args;

use crate::{
    cli::{
        args::{connection::ConnectionFlags, span},
        error::{CliError, Exit},
        keys::{expiring, listing},
        output,
    },
    model::{TimeDelta, inventory::RowId, text::sanitize},
    ops::clock,
    store::notice,
};

/// The options of `watch`.
#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Time within which keys expire, such as 12h, 7d or 30d
    #[arg(long, default_value = "7d")]
    within: String,
    /// How often to check the cluster, at least 1m
    #[arg(long, default_value = "1h")]
    every: String,
    /// Only keys that match this query, as in `keybearer list`
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Check once and exit
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: WatchArgs) -> Result<Exit, CliError> {
    let length = span::length("--within", &args.within)?;
    let every = span::length("--every", &args.every)?;
    if every < TimeDelta::MINUTE {
        return Err(CliError::usage(
            "--every: the cluster is checked at most once a minute; use a time such as 1m, 1h or 1d",
        ));
    }
    listing::read_query(&args.search, clock::now())?;
    let session = flags.session().await?;
    let mut notified = HashSet::new();
    loop {
        // A cluster that is away for a while is no reason to stop watching it.
        match listing::read(&session).await {
            Ok(read) => {
                let now = session.now();
                let query = listing::read_query(&args.search, now)?;
                let (rows, not_known) = expiring::ending(&read, &query, now, length, listing::asker(&session));
                let is_new = |row: &RowId| !notified.contains(read.keys.id(*row));
                let new_keys: Vec<RowId> = rows.into_iter().filter(is_new).collect();
                listing::print_doubts(&read);
                listing::print_not_known(not_known, &query);
                if !new_keys.is_empty() {
                    let title = expiring::sentence(new_keys.len(), &args.within);
                    let names: Vec<String> =
                        new_keys.iter().take(5).map(|row| sanitize::shortened(read.keys.name(*row), 60)).collect();
                    let more = new_keys.len().saturating_sub(names.len());
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    let is_shown = notify(&title, &format!("{}{more}", names.join(", "))).await;
                    if is_shown {
                        notified.extend(new_keys.iter().map(|row| read.keys.id(*row).to_owned()));
                    } else if args.once {
                        return Ok(Exit::Failed);
                    }
                } else if args.once {
                    output::print_status(&expiring::sentence(0, &args.within));
                }
                if args.once && (!read.is_whole() || not_known > 0) {
                    return Ok(Exit::Partly);
                }
            }
            Err(error) if args.once => return Err(error),
            Err(error) => drop(error.print()),
        }
        if args.once {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(every.unsigned_abs()).await;
    }
}

/// Shows a notice on the desktop, and prints it here; returns `false` where the desktop could not show it.
async fn notify(title: &str, body: &str) -> bool {
    output::print_status(&format!("{title}: {body}"));
    let shown = notice::show(title, body).await;
    if let Err(reason) = &shown {
        output::print_error(&format!("No desktop notification: {reason}"));
    }
    shown.is_ok()
}
