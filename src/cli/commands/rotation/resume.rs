//! Resuming rotations: after the hand-over, when the grace period is over, after an interruption, or to cancel.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use super::{
    list::{self, DueResult},
    terminal::{self, Terminal, confirmed, print_preview, print_progress},
};
use crate::{
    cli::{
        args::connection::ConnectionFlags,
        commands::rotation::{
            list::listing,
            options::RotateArgs,
            report::{self, ended_text, finish},
            terminal::last_use_text,
        },
        error::{CliError, Exit},
        fixes, output, signals,
    },
    model::{
        Timestamp,
        api_key::KeyId,
        rotation::{KeyState, Next, Outlook, Rotation, State},
        text::sanitize,
    },
    ops::{
        clock,
        keys::last_use,
        rotation::{
            self, EndOutcome,
            driver::{self, Answers, SecretConfirmation},
            overview::ClusterRotations,
        },
    },
    store::rotation::{RotationGuard, Rotations},
};

/// Runs `rotate --due`: ends the old keys of all rotations of the connected cluster whose grace period is over, or
/// whose old key has ended already.
pub(crate) async fn due(flags: &ConnectionFlags, rotations: &Rotations, args: &RotateArgs) -> Result<Exit, CliError> {
    let unread = listing(rotations)?.unreadable.len();
    let session = flags.changing_session().await?;
    let here = crate::ops::rotation::overview::here(&session, rotations).await?;
    let due = here.due(clock::now());
    list::print_waiting(&here);
    let stuck = stuck(&here);
    if due.is_empty() {
        if stuck.is_empty() {
            output::print_status("Nothing is due on this cluster");
        }
        list::put_results(&stuck, args.output)?;
        return Ok(if unread == 0 && stuck.is_empty() { Exit::Done } else { Exit::Failed });
    }
    let ids: Vec<KeyId> = due.iter().map(|rotation| rotation.old.id.clone()).collect();
    let uses = last_use::of(&session, &ids).await;
    let plans = crate::ops::rotation::batch::end_plans(&session, &due).await;
    let mut refused = Vec::new();
    for (rotation, plan) in due.iter().zip(plans) {
        match plan {
            Ok(plan) => print_preview(rotation, plan, &last_use_text(&uses, &rotation.old.id, &session)),
            Err(problem) => {
                output::print_error(&format!(
                    "{} ({}): {}",
                    rotation.old.name,
                    rotation.old.id,
                    fixes::with_fixes(&problem)
                ));
                refused.push(rotation.id.clone());
            }
        }
    }
    let is_meant = |rotation: &&Rotation| !refused.contains(&rotation.id);
    let ids: Vec<String> = due.iter().filter(is_meant).map(|rotation| rotation.id.clone()).collect();
    if !ids.is_empty() && !confirmed(args.yes, "invalidate")? {
        return Ok(Exit::Failed);
    }
    let session = if ids.is_empty() { session } else { flags.confirm(&session)? };
    let mut progress = |outcome: &EndOutcome| match &outcome.result {
        Ok((rotation, how)) => output::print_status(&ended_text(rotation, *how)),
        Err(problem) => output::print_error(&fixes::with_fixes(problem)),
    };
    let stop = AtomicBool::new(false);
    let mut told = print_progress;
    let work = crate::ops::rotation::batch::end_these(&session, rotations, &ids, &stop, &mut told, &mut progress);
    let outcomes = signals::stoppable(work, &stop).await?;
    let result = |rotation: &Rotation| match refused.contains(&rotation.id) {
        true => DueResult::Failed,
        false => DueResult::of(outcomes.iter().find(|outcome| outcome.id == rotation.id)),
    };
    let mut results: Vec<(Rotation, DueResult)> =
        due.iter().map(|rotation| (rotation.clone(), result(rotation))).collect();
    results.extend(stuck);
    let written = list::put_results(&results, args.output);
    let count = |wanted: DueResult| results.iter().filter(|(_, result)| *result == wanted).count();
    let (failed, unknown) = (count(DueResult::Failed) + count(DueResult::Untouched), count(DueResult::NotKnown));
    let exit = match unknown {
        0 => report::exit(results.len() - failed, failed + unread),
        _ => Exit::NotKnown,
    };
    Ok(exit.unless_unwritten(written))
}

/// Returns rotations whose old key can't be ended, now or when their grace period is over: their successors no longer
/// work.
fn stuck(here: &ClusterRotations) -> Vec<(Rotation, DueResult)> {
    let now = clock::now();
    let is_stuck = |rotation: &&Rotation| matches!(here.outlook(rotation, now), Outlook::SuccessorEnded(_));
    here.rotations.iter().filter(is_stuck).map(|rotation| (rotation.clone(), DueResult::Failed)).collect()
}

fn meant(rotations: &Rotations, reference: &str) -> Result<RotationGuard, CliError> {
    Ok(crate::ops::rotation::overview::find_rotation(rotations, &listing(rotations)?, reference)?)
}

/// Runs `rotate --resume ID`: the next step, whatever it is.
pub(crate) async fn resume(
    flags: &ConnectionFlags,
    rotations: &Rotations,
    reference: &str,
    args: &RotateArgs,
) -> Result<Exit, CliError> {
    args.check_file()?;
    let guard = meant(rotations, reference)?;
    if guard.rotation.is_finished() {
        output::print_status(&finished_text(&guard.rotation));
        return Ok(Exit::Done);
    }
    let answers = answers(&guard, args)?;
    let session = flags.changing_session().await?;
    let session = flags.confirm(&session)?;
    let mut front = Terminal::new(&session, args.output, args.yes);
    let outcome = match driver::resume(&session, guard, answers, &mut front).await {
        Ok(outcome) => outcome,
        Err(problem) => return Err(front.reason(problem.into())),
    };
    let after = finish(outcome, &mut front)?;
    Ok(if after.declined { Exit::Failed } else { report::made(&after) })
}

/// Reads the answers to the questions of an interrupted rotation from the options.
fn answers(guard: &RotationGuard, args: &RotateArgs) -> Result<Answers, CliError> {
    let wrong = |error: std::io::Error| CliError::Fields(vec![format!("--secret-file: {error}")]);
    let file: Option<PathBuf> =
        args.secret_file.as_deref().map(rotation::destination::absolute).transpose().map_err(wrong)?;
    // A file that a secret is to go to need not be there yet.
    let in_file = file.as_deref().and_then(|path| rotation::destination::in_file(path).ok().flatten());
    let have = match (in_file, args.handed_over, args.make_again) {
        (_, _, true) => SecretConfirmation::Not,
        (Some((id, secret)), ..) => SecretConfirmation::Secret(id, secret),
        (None, true, _) => SecretConfirmation::Said,
        (None, false, false) => SecretConfirmation::Unsaid,
    };
    if let (Some(path), SecretConfirmation::Unsaid, Next::Try) = (&file, &have, guard.rotation.next(Timestamp::EPOCH)) {
        let title = format!("{} does not contain the secret of the successor. Nothing was invalidated", path.display());
        let hint = "It must contain the encoded key or id:api_key; --handed-over confirms that you have the secret";
        return Err(CliError::problem(&title, "", hint));
    }
    Ok(Answers { have, file, person: terminal::stream(args.output) })
}

fn finished_text(rotation: &Rotation) -> String {
    let id = &rotation.id;
    match &rotation.state {
        State::Done { how, .. } => format!("Rotation {id} is done. {}", ended_text(rotation, *how)),
        _ => format!("Rotation {id} was canceled; nothing left to do"),
    }
}

/// Formats the state in which a cancel leaves the old key, to follow its id.
fn stays(old: KeyState) -> String {
    match old {
        KeyState::Valid => "is not changed".into(),
        KeyState::Unknown => "is not changed (not known whether it works)".into(),
        ended => format!("remains {}", ended.word()),
    }
}

/// Runs `rotate --cancel ID`: the old key stays.
pub(crate) async fn cancel(
    flags: &ConnectionFlags,
    rotations: &Rotations,
    reference: &str,
    args: &RotateArgs,
) -> Result<Exit, CliError> {
    let mut guard = meant(rotations, reference)?;
    if guard.rotation.is_finished() {
        let title = format!("{}. Nothing was done", finished_text(&guard.rotation));
        return Err(CliError::problem(&title, "", ""));
    }
    let session = flags.changing_session().await?;
    // A cancel that would be refused is refused before it is shown as possible.
    let plan = rotation::check_cancel(&session, &guard.rotation, args.keep_successor).await?;
    let outlook = guard.rotation.outlook(clock::now(), plan.old, plan.successor);
    let old = &guard.rotation.old;
    let (what, outcome) = match (&outlook, guard.rotation.successor()) {
        (Outlook::Dead(why), _) => ("is closed".to_owned(), why.clone()),
        (_, None) => (stays(plan.old), "any key created for it is invalidated".to_owned()),
        (_, Some(new)) if plan.successor.has_ended() => {
            (stays(plan.old), format!("its successor {new} is already {}", plan.successor.word()))
        }
        (_, Some(new)) if plan.ends.is_none() => (stays(plan.old), format!("its successor {new} also stays valid")),
        (_, Some(new)) => (stays(plan.old), format!("its successor {new} will be permanently invalidated")),
    };
    output::print_status(&sanitize::shown(&format!("{} ({}) {what}; {outcome}", old.name, old.id)));
    if !confirmed(args.yes, "cancel")? {
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    crate::ops::rotation::cancel_plans::cancel_rotation(&session, &mut guard, args.keep_successor, &mut print_progress)
        .await?;
    let done = if matches!(outlook, Outlook::Dead(_)) { "closed" } else { "canceled" };
    output::print_status(&format!("Rotation {} is {done}", guard.rotation.id));
    Ok(Exit::Done)
}
