//! `keybearer rotate`: keys replaced by successors, over days if necessary, and resumed after an interruption.

pub(in crate::cli) mod list;
pub(in crate::cli) mod options;
pub(in crate::cli) mod report;
pub(in crate::cli) mod resume;
pub(in crate::cli) mod terminal;

use std::sync::atomic::AtomicBool;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        commands::rotation::{
            list::listing,
            options::RotateArgs,
            report::{exit, made},
            terminal::last_use_text,
        },
        error::{CliError, Exit},
        fixes,
        keys::named,
        output, signals,
    },
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId},
        text::{json, sanitize},
    },
    ops::{
        Problem, ProblemKind, Session, clock,
        keys::last_use::{NotKnown, Uses},
        rotation::{
            self, Consent, Rights, RotationOptions, RotationPlan,
            batch::{BatchFront, BatchItem},
            driver,
            overview::Planned,
        },
    },
    store::rotation::Rotations,
};
use terminal::Terminal;

pub(crate) async fn run(flags: &ConnectionFlags, args: RotateArgs) -> Result<Exit, CliError> {
    let Some(rotations) = Rotations::from_environment() else {
        let hint = "Set KEYBEARER_ROTATIONS to a folder";
        return Err(CliError::problem("This machine has no folder for rotations", "", hint));
    };
    if args.list {
        return list::list(flags, &listing(&rotations)?, args.output).await;
    }
    if args.due {
        return resume::due(flags, &rotations, &args).await;
    }
    if let Some(id) = &args.resume {
        return resume::resume(flags, &rotations, id, &args).await;
    }
    if let Some(id) = &args.cancel {
        return resume::cancel(flags, &rotations, id, &args).await;
    }
    begin(flags, &rotations, &args).await
}

async fn begin(flags: &ConnectionFlags, rotations: &Rotations, args: &RotateArgs) -> Result<Exit, CliError> {
    let rotation_options = args.options()?;
    args.check_destination()?;
    let session = if args.dry_run { flags.session().await? } else { flags.changing_session().await? };
    let Some(keys) = named::meant(&session, &args.references).await? else { return Ok(Exit::Failed) };
    if keys.len() > 1 && (args.name.is_some() || args.secret_file.is_some()) {
        return Err(CliError::usage(
            "Nothing was done: --name and --secret-file are for a single key; several keys keep their names, and \
             --secret-dir gets a file for each",
        ));
    }
    listing(rotations)?;
    let (plans, mut failed, uses) = plans(&session, rotations, &keys, &rotation_options, args.consent()).await?;
    if plans.is_empty() {
        return Ok(Exit::Failed);
    }
    plans.iter().for_each(|plan| preview(plan, &session, &uses));
    if args.dry_run {
        return show_requests(&session, &plans);
    }
    if !args.yes && !confirmed(args)? {
        output::print_status("Nothing was done");
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    if let ([plan], 1) = (&plans[..], keys.len()) {
        return one(&session, rotations, plan, args).await;
    }
    let mut is_unknown = false;
    let all = several(&session, rotations, &plans, args).await;
    for one in &all {
        failed += usize::from(one.problem().is_some());
        is_unknown |= one.problem().is_some_and(|problem| problem.kind == ProblemKind::NotKnown);
        is_unknown |= one.result.as_ref().is_ok_and(|after| !after.doubts.is_empty());
    }
    // Those that it was stopped before are not done either.
    failed += plans.len() - all.len();
    Ok(if is_unknown { Exit::NotKnown } else { exit(keys.len().saturating_sub(failed), failed) })
}

/// Makes a plan for each key, and returns the number of those that can't be rotated: each is reported, and doesn't
/// affect the others.
async fn plans(
    session: &Session,
    rotations: &Rotations,
    keys: &[ApiKey],
    options: &RotationOptions,
    consent: Consent,
) -> Result<(Vec<RotationPlan>, usize, Result<Uses, NotKnown>), CliError> {
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let Planned { plans, mut refused, uses } =
        crate::ops::rotation::overview::plans(session, rotations, &ids, options, &mut |_| ()).await?;
    let mut meant = Vec::new();
    for plan in plans {
        match plan.check(consent) {
            Ok(()) => meant.push(plan),
            Err(problem) => refused.push((plan.old.id.clone(), problem)),
        }
    }
    if let ([_], [(_, problem)]) = (keys, &refused[..]) {
        return Err(problem.clone().into());
    }
    refused.iter().for_each(|(_, problem)| output::print_error(&fixes::with_fixes(problem)));
    Ok((meant, refused.len(), uses))
}

/// Prints the successor that will be created, and its differences to the old key.
fn preview(plan: &RotationPlan, session: &Session, uses: &Result<Uses, NotKnown>) {
    let (old, zone) = (&plan.old, clock::zone());
    let say = |words: String| output::print_status(&sanitize::shown(&words));
    let end = plan.request.expiry().words(&zone);
    say(format!("{} ({}) gets a successor “{}”, expiration: {end}", old.name, old.id, plan.request.name()));
    let grace = match (plan.grace(), plan.ends_before()) {
        (TimeDelta::ZERO, _) => "the old key is invalidated as soon as the successor has been tested".to_owned(),
        (_, Some(end)) => {
            format!("the old key expires before the grace period ends: both work until {}", list::moment(end))
        }
        (grace, None) => format!("both work for {}", list::length(grace)),
    };
    say(format!("  {grace}; last use of the old key: {}", last_use_text(uses, &old.id, session)));
    if plan.changes_owner {
        let (from, to) = (&old.owner.username, &plan.maker.username);
        say(format!("  it will belong to {to} (realm {}), no longer to {from}", plan.maker.realm));
    }
    match &plan.rights {
        Rights::Same => say("  its owner's privileges are the same as those in the old key".into()),
        Rights::Differ(changes) => {
            let words = rotation::change_words(changes);
            say(format!(
                "  it is limited by its owner's current privileges, which differ from those in the old key: {words}"
            ));
        }
        Rights::NotKnown(why) => {
            say(format!(
                "  it is limited by its owner's current privileges; not known whether they are the same as in the old \
                 key: {why}"
            ));
        }
    }
    if old.is_unrestricted() {
        say(format!("  it has no role descriptors: it can do everything {} can", session.identity.username));
    }
    for name in &plan.left_behind {
        say(format!("  metadata “{name}” is not copied: Elasticsearch reserves such names"));
    }
    for live in &plan.live {
        say(format!("  its successor {} already works or may work, and is not changed", live.id));
    }
    if let Some(product) = plan.product() {
        say(format!("  {} claims that a product created it ({product}): give the product the successor", old.id));
    }
}

fn show_requests(session: &Session, plans: &[RotationPlan]) -> Result<Exit, CliError> {
    for plan in plans {
        let body = json::pretty(&plan.request.body(session.now()));
        output::put(&format!("POST /_security/api_key\n{body}\n"))?;
    }
    output::print_status("Nothing was sent");
    Ok(Exit::Done)
}

fn confirmed(args: &RotateArgs) -> Result<bool, CliError> {
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing was done: there is no terminal to confirm it; add --yes to proceed"));
    }
    let at_once = if args.compromised { "; the old key is invalidated immediately" } else { "" };
    Ok(output::ask(&format!("Type rotate to confirm{at_once}:"))?.eq_ignore_ascii_case("rotate"))
}

/// Rotates one key as far as it goes today.
async fn one(
    session: &Session,
    rotations: &Rotations,
    plan: &RotationPlan,
    args: &RotateArgs,
) -> Result<Exit, CliError> {
    let destination = args.destination(plan)?;
    let mut front = Terminal::new(session, args.output, args.yes);
    let outcome = driver::start(session, rotations, plan, args.consent(), destination, None, &mut front).await?;
    let after = report::finish(outcome, &mut front)?;
    Ok(made(&after))
}

/// Rotates several keys, one after the other; an interrupt stops between two of them.
async fn several(
    session: &Session,
    rotations: &Rotations,
    plans: &[RotationPlan],
    args: &RotateArgs,
) -> Vec<BatchItem> {
    let mut front = Terminal::new(session, args.output, args.yes);
    let mut destination = |plan: &RotationPlan| {
        args.destination(plan).map_err(|error| match error {
            CliError::Problem(problem) => *problem,
            CliError::Fields(lines) => Problem::new(&lines.join("; "), ""),
            _ => Problem::new("The secret can't be saved. No successor was created", ""),
        })
    };
    let mut over = |one: &BatchItem| match &one.result {
        Err(problem) => output::print_error(&format!("{}: {}", one.old, fixes::with_fixes(problem))),
        Ok(after) => {
            report::print_report(after);
            if let Some(problem) = &after.problem {
                output::print_error(&format!(
                    "{} ({}): {}",
                    after.rotation.old.name,
                    one.old,
                    fixes::with_fixes(problem)
                ));
            }
        }
    };
    let stop = AtomicBool::new(false);
    let work = crate::ops::rotation::batch::many(
        session,
        rotations,
        plans,
        args.consent(),
        &mut destination,
        &stop,
        BatchFront { interaction: &mut front, over: &mut over },
    );
    signals::stoppable(work, &stop).await
}
