//! `keybearer invalidate`: keys invalidated for ever, after a preview, and read again as proof.

mod choose;
pub(in crate::cli) mod options;
mod preview;
mod report;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;

use crate::{
    cli::{
        args::{connection::ConnectionFlags, keys_from},
        commands::invalidate::{
            choose::{by_id, check_query, found, named_by_hand},
            options::InvalidateArgs,
            preview::{confirmed, left_out, left_out_managed, preview, print_last_use},
            report::report,
        },
        error::{CliError, Exit},
        keys::named,
        output::{self, Format, progress::Progress as ProgressBar},
        signals,
    },
    model::{guard::Guard, text::number},
    ops::{
        Outcome, Session,
        bulk::Progress,
        invalidate::{self, InvalidationPlan},
        keys::key_set::KeySet,
    },
};

pub(crate) async fn run(flags: &ConnectionFlags, args: InvalidateArgs) -> Result<Exit, CliError> {
    let chosen = match &args.filter {
        Some(query) => {
            // An error is reported before anything is asked.
            check_query(query)?;
            let session = flags.changing_session().await?;
            let chosen = found(&session, query, &args).await?;
            (session, chosen)
        }
        None => {
            let ids = args.keys_from.as_deref().map(keys_from::read).transpose()?;
            let session = flags.changing_session().await?;
            let named = match &ids {
                Some(ids) => Some(by_id(&session, ids).await?),
                None => named::named(&session, &args.references, true).await?,
            };
            let Some(keys) = named else { return Ok(Exit::Failed) };
            if keys.is_empty() {
                // All named keys are invalidated already, as reported: nothing is left to do, and that is no failure.
                return Ok(Exit::Done);
            }
            named_by_hand(&session, &keys, &args)?;
            (session, KeySet::of_keys(&keys))
        }
    };
    let (session, chosen) = chosen;
    let plan = InvalidationPlan {
        cluster: Some(session.cluster()),
        own_key_too: args.own_key_too,
        managed_too: args.managed_too,
        found_by: args.filter.is_some().then(|| session.skew()),
        clock_in_doubt_too: args.clock_in_doubt_too,
        ..chosen.plan()
    };
    let guarded = plan.ids.iter().filter_map(|id| plan.guard(id, session.own_key()));
    let [own, managed] = guarded.fold([0, 0], |[own, managed], guard| match guard {
        Guard::OwnKey => [own + 1, managed],
        Guard::Managed => [own, managed + 1],
    });
    let going = chosen.going(session.own_key().filter(|_| !plan.own_key_too), plan.managed_too);
    let count = going.len();
    preview(&session, &going);
    left_out(own);
    if managed > 0 {
        left_out_managed(&chosen, managed);
    }
    if count == 0 && args.count.unwrap_or(0) == 0 {
        output::print_status("No keys left to invalidate");
        // What was left out by a guard was meant by the search, unless it was said that none would be.
        let is_done = chosen.is_empty() || args.count == Some(0);
        if args.output != Format::Table {
            let guarded = plan.ids.iter().filter_map(|id| Some((id.clone(), plan.guard(id, session.own_key())?)));
            let nothing = Outcome { guarded: guarded.collect(), ..Outcome::default() };
            report(session.now(), &nothing, &chosen, args.output)?;
        }
        return Ok(if is_done { Exit::Done } else { Exit::Failed });
    }
    if count == 0 {
        output::print_status("No keys left to invalidate");
    }
    if let Some(expected) = args.count.filter(|expected| *expected != count) {
        let title =
            format!("This would invalidate {}, not {expected}. Nothing was done", number::plural(count as u64, "key"));
        return Err(CliError::problem(&title, "", "Use `keybearer list` with the same search to see them"));
    }
    if args.yes && args.filter.is_some() && args.count.is_none() {
        return Err(CliError::usage(format!(
            "Nothing was done: with --filter and --yes, confirm the number of keys: --count {count}"
        )));
    }
    if !args.yes {
        print_last_use(&session, &going.ids()).await;
        if !confirmed(count, args.filter.is_some())? {
            output::print_status("Nothing was done");
            return Ok(Exit::Failed);
        }
    }
    let session = if count == 0 { session } else { flags.confirm(&session)? };
    let outcome = carry_out(&session, plan, count).await;
    report(session.now(), &outcome, &chosen, args.output)
}

/// Invalidates the keys; an interrupt stops between two requests, and what was done is still reported.
async fn carry_out(session: &Session, plan: InvalidationPlan, total: usize) -> Outcome {
    let stop = AtomicBool::new(false);
    let mut told = 0;
    let bar = (total > invalidate::CHUNK).then(|| ProgressBar::new(""));
    let progress = |news: Progress<'_>| {
        let settled = news.outcome.done.len() + news.outcome.failed.len();
        if let Some(bar) = bar.as_ref().filter(|_| settled > told) {
            told = settled;
            bar.report(settled as u64, total as u64);
        }
    };
    let work = invalidate::many(session, plan, &stop, progress);
    signals::stoppable(work, &stop).await
}
