//! `keybearer watch`: notices on the desktop when keys are about to expire. Runs until it is interrupted, and asks the
//! cluster no more often than the option says.

use std::{collections::HashSet, time::Duration};

use clap::Args;

use super::{expiring, list};
use crate::{
    cli::{
        args::connection::ConnectionFlags,
        error::{CliError, Exit},
        output,
    },
    model::text::sanitize,
    ops::clock,
    store::notice,
};

/// The options of `watch`.
#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// The time within which a key ends, such as 12h, 7d or 30d
    #[arg(long, default_value = "7d")]
    within: String,
    /// How often the cluster is asked, at least 1m
    #[arg(long, default_value = "1h")]
    every: String,
    /// Only keys that this query means, as in `keybearer list`
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Ask once and end
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: WatchArgs) -> Result<Exit, CliError> {
    let length = expiring::length("--within", &args.within)?;
    let every = u64::try_from(expiring::length("--every", &args.every)?).unwrap_or_default();
    if every < 60_000 {
        return Err(CliError::usage("--every: the cluster is asked once a minute at most, such as 1m, 1h or 1d"));
    }
    list::read_query(&args.search, clock::now())?;
    let session = flags.session().await?;
    let mut told = HashSet::new();
    loop {
        // A cluster that is away for a while is no reason to stop watching it.
        match list::read(&session).await {
            Ok(read) => {
                let now = session.now();
                let query = list::read_query(&args.search, now)?;
                let (places, not_known) = expiring::ending(&read, &query, now, length, list::asker(&session));
                let is_new = |at: &usize| !told.contains(read.keys.id(*at));
                let news: Vec<usize> = places.iter().map(|place| *place as usize).filter(is_new).collect();
                list::say_doubts(&read);
                list::say_not_known(not_known, &query);
                if !news.is_empty() {
                    let title = expiring::sentence(news.len(), &args.within);
                    let names: Vec<String> =
                        news.iter().take(5).map(|at| sanitize::shortened(read.keys.name(*at), 60)).collect();
                    let more = news.len().saturating_sub(names.len());
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    let is_shown = tell(&title, &format!("{}{more}", names.join(", "))).await;
                    if is_shown {
                        told.extend(news.iter().map(|at| read.keys.id(*at).to_owned()));
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
        tokio::time::sleep(Duration::from_millis(every)).await;
    }
}

/// Shows a notice on the desktop, and prints it here; returns `false` where the desktop could not show it.
async fn tell(title: &str, body: &str) -> bool {
    output::print_status(&format!("{title}: {body}"));
    let shown = notice::show(title, body).await;
    if let Err(reason) = &shown {
        output::print_error(&format!("No notice on the desktop: {reason}"));
    }
    shown.is_ok()
}
