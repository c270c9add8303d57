//! `keybearer update`: keys changed, after a preview of the changes of each.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            update_options::{self, WantedArgs},
        },
        error::{CliError, Exit},
        fixes,
        keys::named,
        output::{
            self, PlainFormat,
            progress::Progress as ProgressBar,
            reason::{ReasonJson, reasons},
        },
        signals,
    },
    model::{
        api_key::KeyId,
        guard,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::calendar,
        update::{
            Changes,
            plan::{Confirmed, KeyChange, Obstacle, PlannedUpdate, UpdatePlan},
        },
    },
    ops::{
        Outcome, Problem, Session,
        bulk::Progress,
        clock,
        keys::key_set::KeySet,
        outcome_report::KeyOutcome,
        update::{
            self,
            plan::{self, Keys, NotPlanned},
        },
    },
};

/// Maximum number of keys that are listed; the rest is only counted.
const SHOWN: usize = 20;

/// The options of `update`.
#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    /// Id, application id or name of one of your keys
    #[arg(value_name = "KEY", required = true, value_parser = crate::cli::args::reference::reference)]
    references: Vec<String>,
    #[command(flatten)]
    wanted: WantedArgs,
    /// Confirm role descriptors that become {}: the key can then do everything its owner can
    #[arg(long, requires = "role_descriptors")]
    all_owner_rights: bool,
    /// Confirm metadata that becomes {}
    #[arg(long)]
    wipe_metadata: bool,
    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    updated: &'a [KeyId],
    unchanged: &'a [KeyId],
    failed: Vec<ReasonJson<'a>>,
    /// Keys of which it is not known whether they were changed, each with the reason.
    not_known: Vec<ReasonJson<'a>>,
    untouched: &'a [KeyId],
    /// Updated keys with further remarks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<ReasonJson<'a>>,
    stopped: bool,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: UpdateArgs) -> Result<Exit, CliError> {
    let draft = args.wanted.draft()?;
    // Errors that don't depend on the keys are reported before anything is requested.
    draft.check(clock::now(), &clock::zone()).map_err(|errors| update_options::lines(&errors))?;
    let session = flags.changing_session().await?;
    let Some(keys) = named::meant(&session, &args.references).await? else { return Ok(Exit::Failed) };
    for key in &keys {
        if let Some(problem) = plan::hindrance(&session, key, session.now()) {
            return Err(hindered(&session, &key.id, problem, &key.owner.username));
        }
    }
    let keys = Keys::Listed(KeySet::of_keys(&keys));
    let plan = plan::plan(&session, keys, &draft, &clock::zone()).await.map_err(|error| match error {
        NotPlanned::Invalid(errors) => update_options::lines(&errors),
        NotPlanned::Problem(problem) => problem.into(),
    })?;
    let plan = Arc::new(plan);
    preview(&plan);
    let confirmed = Confirmed { all_owner_rights: args.all_owner_rights, wipe_metadata: args.wipe_metadata };
    match plan.obstacle(confirmed) {
        Some(Obstacle::NothingChanges) => {
            return report(&Outcome::default(), &plan, args.output);
        }
        Some(Obstacle::AllOwnerRights) => {
            let words = "--role-descriptors: without any descriptor, the key can do everything its owner can: add \
                         --all-owner-rights to confirm";
            return Err(CliError::Fields(vec![words.into()]));
        }
        Some(Obstacle::WipeMetadata) => {
            let words = "--metadata: this removes all metadata: add --wipe-metadata to confirm";
            return Err(CliError::Fields(vec![words.into()]));
        }
        None => {}
    }
    connection::print_acting(&session);
    if !args.yes && !confirmed_by_a_person()? {
        output::print_status("Nothing was done");
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    let outcome = carry_out(&session, &plan).await;
    report(&outcome, &plan, args.output)
}

/// Creates the error for a key that can't be updated, with the option that is the way out.
fn hindered(session: &Session, id: &KeyId, problem: Problem, owner: &str) -> CliError {
    let title = format!("{id} can't be updated. Nothing was done");
    if session.own_key().is_none() && session.identity.username != owner {
        let owner = sanitize::shown(owner);
        let hint = format!("Add --run-as {owner} if you are allowed to run as that user");
        return CliError::problem(&title, &problem.detail, &hint);
    }
    CliError::problem(&title, &problem.detail, &problem.hint)
}

/// Prints exactly what will change, key by key.
fn preview(plan: &UpdatePlan) {
    let mut warnings: Vec<&str> = Vec::new();
    for (row, planned) in plan.planned.iter().enumerate() {
        let is_rest = matches!(planned.change, KeyChange::Rest(_));
        for words in planned.changes.warnings() {
            // A cross-cluster key has no snapshot of its owner's privileges.
            if !warnings.contains(&words) && (is_rest || !words.contains("privileges")) {
                warnings.push(words);
            }
        }
        if row < SHOWN {
            let (name, id) = (sanitize::shown(&planned.seen.name), sanitize::shown(planned.seen.id.as_str()));
            output::print_status(&format!("{name} ({id})"));
            lines(planned).iter().for_each(|line| output::print_status(&format!("  {line}")));
            if let Some(product) = guard::product_of(&planned.seen) {
                let words = format!("  it claims to be created by {product}, which may not expect the change");
                output::print_status(&sanitize::shown(&words));
            }
        }
    }
    if plan.planned.len() > SHOWN {
        output::print_status(&format!("… and {} more", thousands((plan.planned.len() - SHOWN) as u64)));
    }
    if !plan.unchanged.is_empty() {
        output::print_status(&format!("{} already as requested and will be skipped", are(plan.unchanged.len())));
    }
    warnings.into_iter().for_each(output::print_status);
}

fn are(count: usize) -> String {
    format!("{} {}", plural(count as u64, "key"), if count == 1 { "is" } else { "are" })
}

/// Formats the changes of a key, one per line.
fn lines(planned: &PlannedUpdate) -> Vec<String> {
    let (changes, mut lines): (&Changes, Vec<String>) = (&planned.changes, Vec::new());
    let zone = clock::zone();
    if let Some((old, new)) = changes.expiry {
        let old = old.map_or_else(|| "never".into(), |at| calendar::local(at, &zone));
        lines.push(format!("expires: {old} → {}", calendar::local(new, &zone)));
    }
    let rights = match &planned.change {
        KeyChange::Rest(_) => "role_descriptors",
        KeyChange::CrossCluster(_) => "access",
    };
    for (part, changes) in [("metadata", &changes.metadata), (rights, &changes.role_descriptors)] {
        lines.extend(changes.iter().map(|change| change.words(part)));
    }
    if let Some((old, new)) = &changes.certificate_identity {
        let word =
            |identity: &Option<String>| identity.as_deref().map_or_else(|| "any".into(), sanitize::shown).into_owned();
        lines.push(format!("certificates: {} → {}", word(old), word(new)));
    }
    if lines.is_empty() {
        lines.push("nothing would change".into());
    }
    lines.extend(changes.owner_snapshot.iter().take(SHOWN).map(|change| change.words("limited_by")));
    if let KeyChange::CrossCluster(update) = &planned.change
        && let Some(access) = &update.access
    {
        lines.push(format!("it {}", sanitize::shown(&access.words())));
    }
    lines
}

/// Asks a person to confirm the update; returns `true` if confirmed.
///
/// # Errors
/// Returns an error if there is no terminal to ask on.
fn confirmed_by_a_person() -> Result<bool, CliError> {
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing was done: there is no terminal to confirm it; add --yes to proceed"));
    }
    Ok(output::ask("Type update to confirm:")?.eq_ignore_ascii_case("update"))
}

/// Carries out the plan; a signal stops it between two requests, and what was done is still reported.
async fn carry_out(session: &Session, plan: &Arc<UpdatePlan>) -> Outcome {
    let stop = AtomicBool::new(false);
    let total = plan.planned.len();
    let bar = (total > update::MAX_BULK).then(|| ProgressBar::new(""));
    let progress = |news: Progress<'_>| {
        if let Some(bar) = &bar {
            bar.report(news.outcome.settled() as u64, total as u64);
        }
    };
    let work = update::run(session, plan, None, &stop, progress);
    signals::stoppable(work, &stop).await
}

fn report(outcome: &Outcome, plan: &UpdatePlan, format: PlainFormat) -> Result<Exit, CliError> {
    // Keys that were not sent because nothing about them changes are as requested, too.
    let unchanged = [plan.unchanged.as_slice(), outcome.unchanged.as_slice()].concat();
    let written = match format {
        PlainFormat::Json => output::put_json(&OutcomeJson {
            updated: &outcome.done,
            unchanged: &unchanged,
            failed: reasons(outcome, false),
            not_known: reasons(outcome, true),
            untouched: &outcome.untouched,
            remarks: (outcome.remarks.iter()).map(|(id, reason)| ReasonJson { id: id.as_str(), reason }).collect(),
            stopped: outcome.stopped,
        }),
        PlainFormat::Table => output::put(&table(outcome, &unchanged, plan)),
    };
    if outcome.signed_out.is_some() {
        output::print_error(&fixes::sign_in());
    }
    if outcome.stopped {
        let rest = plural(outcome.untouched.len() as u64, "key");
        output::print_status(&format!("Stopped; not sent and unchanged: {rest}"));
    }
    let none = outcome.done.is_empty() && unchanged.is_empty();
    let exit = match (outcome.is_complete(), none) {
        (true, _) if outcome.remarks.is_empty() => Exit::Done,
        // Updated, but not seen to be so, or with another expiration than the requested one.
        (true, _) => Exit::NotKnown,
        _ if outcome.unknown() > 0 => Exit::NotKnown,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Failed,
    };
    Ok(exit.unless_unwritten(written))
}

fn table(outcome: &Outcome, unchanged: &[KeyId], plan: &UpdatePlan) -> String {
    let names: HashMap<&KeyId, &str> =
        plan.planned.iter().map(|planned| (&planned.seen.id, planned.seen.name.as_str())).collect();
    let row = |result: &str, id: &KeyId, reason: &str| {
        let id_shown = sanitize::shown(id.as_str()).into_owned();
        let name = names.get(id).map(|name| output::cell(name)).unwrap_or_default();
        vec![result.to_owned(), id_shown, name, sanitize::shown(reason).into_owned()]
    };
    let remark = |id: &KeyId| outcome.remarks.get(id).map_or("", String::as_str);
    let mut rows: Vec<Vec<String>> = outcome.done.iter().map(|id| row("updated", id, remark(id))).collect();
    rows.extend(unchanged.iter().map(|id| row("unchanged", id, "already as requested")));
    rows.extend(outcome.failed.iter().map(|(id, failure)| row(KeyOutcome::from(failure).word(), id, failure.reason())));
    rows.extend(outcome.untouched.iter().map(|id| row("untouched", id, outcome.why_untouched(id))));
    output::table(&["RESULT", "ID", "NAME", "REASON"], &rows)
}
