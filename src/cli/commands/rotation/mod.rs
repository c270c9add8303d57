//! `keybearer rotate`: keys replaced by successors, over days if necessary, and resumed after an interruption.

pub(in crate::cli) mod list;
pub(in crate::cli) mod resume;
pub(in crate::cli) mod secret;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Args;

use super::invalidate;
use crate::{
    cli::{
        args::connection::ConnectionFlags,
        error::{CliError, Exit},
        fixes,
        output::{self, PlainFormat, destination},
    },
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        text::{json, sanitize},
        time::expiry::{Expiry, ExpiryError},
    },
    ops::{
        Problem, ProblemKind, Session, clock,
        keys::last_use::{NotKnown, Uses},
        rotation::{
            self, Consent, OpenDestination, Rights, RotationOptions, RotationPlan,
            batch::BatchItem,
            driver::{self, Planned, RotationReport},
        },
    },
    store::rotation::{Listing, Rotations},
};
use secret::Terminal;

/// The options of `rotate`.
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// Id, application id or name of a key that gets a successor
    #[arg(value_name = "KEY", required_unless_present_any = ["due", "list", "resume", "cancel"], value_parser = crate::cli::reference)]
    references: Vec<String>,
    /// How long both keys work: 24h, 7d, a date, or 0s for not at all
    #[arg(long, default_value = "24h", value_name = "SPAN|DATE", conflicts_with_all = GOING_ON)]
    grace: String,
    /// The old key is in wrong hands: no grace, it is invalidated as soon as the successor was tried
    #[arg(long, conflicts_with = "grace", conflicts_with_all = GOING_ON)]
    compromised: bool,
    /// Name of the successor [default: that of the old key]
    #[arg(long, conflicts_with_all = GOING_ON)]
    name: Option<String>,
    /// When the successor ends: 90d, a date, never [default: as long a life as the old key had]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, conflicts_with_all = GOING_ON)]
    expiration: Option<String>,
    /// Write the encoded successor to this new file, which only you may read; with --resume the file that holds it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["due", "list", "cancel"])]
    pub(crate) secret_file: Option<PathBuf>,
    /// Write each encoded successor to a new file of this folder, named by the id of the old key
    #[arg(long, value_name = "DIR", conflicts_with = "secret_file", conflicts_with_all = GOING_ON)]
    secret_dir: Option<PathBuf>,
    /// The successor may belong to you although the old key belongs to somebody else
    #[arg(long, conflicts_with_all = GOING_ON)]
    other_owner: bool,
    /// Make another successor although there is one that works, of this or another machine
    #[arg(long, conflicts_with_all = GOING_ON)]
    again: bool,
    /// Also a key that a product (Kibana, Fleet, alerting) made for itself
    #[arg(long, conflicts_with_all = GOING_ON)]
    managed_too: bool,
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with_all = GOING_ON)]
    dry_run: bool,
    /// Invalidate the old keys of this cluster whose grace period is over
    #[arg(long, conflicts_with_all = ["references", "list", "resume", "cancel"])]
    due: bool,
    /// List the rotations of this machine, of all clusters; how keys stand is asked of the one that is connected to
    #[arg(long, conflicts_with_all = ["references", "resume", "cancel"])]
    list: bool,
    /// Resume a rotation, by its id or by that of one of its keys
    #[arg(long, value_name = "ID", conflicts_with_all = ["references", "cancel"], value_parser = crate::cli::reference)]
    resume: Option<String>,
    /// Cancel a rotation, by its id or by that of one of its keys: the successor is invalidated, the old key stays
    #[arg(long, value_name = "ID", conflicts_with = "references", value_parser = crate::cli::reference)]
    cancel: Option<String>,
    /// You have the secret of the successor
    #[arg(long, requires = "resume", conflicts_with_all = ["references", "due", "list", "cancel", "make_again"])]
    pub(crate) handed_over: bool,
    /// You don't have the secret of the successor: end it and make another
    #[arg(long, requires = "resume", conflicts_with_all = ["references", "due", "list", "cancel"])]
    pub(crate) make_again: bool,
    /// Leave the successor valid when the rotation is canceled
    #[arg(long, requires = "cancel", conflicts_with_all = ["references", "due", "list", "resume"])]
    pub(crate) keep_successor: bool,
    /// Ask nothing
    #[arg(long)]
    pub(crate) yes: bool,
    /// Form of the output; json holds the secret, unless it goes to a file
    #[arg(short, long, default_value = "table")]
    pub(crate) output: PlainFormat,
}

/// Options about a rotation that exists already.
const GOING_ON: [&str; 4] = ["due", "list", "resume", "cancel"];

pub(crate) async fn run(flags: &ConnectionFlags, args: RotateArgs) -> Result<Exit, CliError> {
    let Some(rotations) = Rotations::from_environment() else {
        let hint = "Name a folder by KEYBEARER_ROTATIONS";
        return Err(CliError::problem("This machine has no place for rotations", "", hint));
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

/// Reads the rotations in the folder; reports files that can't be read, which stay there.
pub(crate) fn listing(rotations: &Rotations) -> Result<Listing, CliError> {
    let listing = rotations.all().map_err(|error| {
        let detail = format!("{}: {error}", rotations.folder().display());
        CliError::problem("The rotations can't be read", &detail, "Set the rights of that folder")
    })?;
    for (path, reason) in &listing.unreadable {
        output::print_error(&format!("{} is left alone: {reason}", path.display()));
    }
    Ok(listing)
}

async fn begin(flags: &ConnectionFlags, rotations: &Rotations, args: &RotateArgs) -> Result<Exit, CliError> {
    let rotation_options = args.options()?;
    args.check_destination()?;
    let session = flags.changing_session().await?;
    let Some(keys) = invalidate::meant(&session, &args.references).await? else { return Ok(Exit::Failed) };
    if keys.len() > 1 && (args.name.is_some() || args.secret_file.is_some()) {
        return Err(CliError::usage(
            "Nothing is done: --name and --secret-file are for one key; several keys keep their names, and --secret-dir \
             has a file for each",
        ));
    }
    listing(rotations)?;
    let (plans, mut failed, uses) = plans(&session, rotations, &keys, (&rotation_options, args.consent())).await?;
    if plans.is_empty() {
        return Ok(Exit::Failed);
    }
    plans.iter().for_each(|plan| preview(plan, &session, &uses));
    if args.dry_run {
        return show_requests(&session, &plans);
    }
    if !args.yes && !confirmed(args)? {
        output::print_status("Nothing is done");
        return Ok(Exit::Failed);
    }
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

/// Returns the exit code for all, some or none done.
pub(crate) fn exit(done: usize, failed: usize) -> Exit {
    match (done, failed) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::Partly,
    }
}

/// Makes a plan for each key, and returns the number of those that can't be rotated: each is reported, and doesn't
/// affect the others.
async fn plans(
    session: &Session,
    rotations: &Rotations,
    keys: &[ApiKey],
    (options, consent): (&RotationOptions, Consent),
) -> Result<(Vec<RotationPlan>, usize, Result<Uses, NotKnown>), CliError> {
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let Planned { plans, mut refused, uses } = driver::plans(session, rotations, &ids, options, &mut |_| ()).await?;
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
    say(format!("{} ({}) gets a successor “{}”, which ends {end}", old.name, old.id, plan.request.name()));
    let grace = match (plan.grace(), plan.ends_before()) {
        (0, _) => "the old key is invalidated at once, when the successor was tried".to_owned(),
        (_, Some(end)) => {
            format!("the old key ends by itself before the grace period is over: both work until {}", list::moment(end))
        }
        (grace, None) => format!("both work for {}", list::length(grace)),
    };
    say(format!("  {grace}; last use of the old key: {}", last_use_words(uses, &old.id, session)));
    if plan.changes_owner {
        let (from, to) = (&old.owner.username, &plan.maker.username);
        say(format!("  it will belong to {to} (realm {}), no longer to {from}", plan.maker.realm));
    }
    match &plan.rights {
        Rights::Same => say("  its owner's rights are the same as those in the old key".into()),
        Rights::Differ(changes) => {
            let words = rotation::change_words(changes);
            say(format!("  it is limited by the rights of today, which are others than those in the old key: {words}"));
        }
        Rights::NotKnown(why) => {
            say(format!(
                "  it is limited by the rights of today; whether they are as in the old key is not known: {why}"
            ));
        }
    }
    if old.is_unrestricted() {
        say(format!("  it has no descriptors: it may do all that {} may", session.identity.username));
    }
    for name in &plan.left_behind {
        say(format!("  metadata “{name}” is left behind: Elasticsearch keeps such names for itself"));
    }
    for live in &plan.live {
        say(format!("  its successor {} works or may work already, and stays as it is", live.id));
    }
    if let Some(product) = plan.product() {
        say(format!("  {} was made by a product for itself ({product}), which has to be given the successor", old.id));
    }
}

/// Formats the last use of a key, or the reason why it is not known.
pub(crate) fn last_use_words(uses: &Result<Uses, NotKnown>, id: &KeyId, session: &Session) -> String {
    match uses {
        Ok(uses) => uses.words(id, session.now(), &clock::zone()),
        Err(why) => why.to_string(),
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
        return Err(CliError::usage("Nothing is done: nobody can confirm it here, add --yes if it is meant"));
    }
    let at_once = if args.compromised { "; the old key is invalidated at once" } else { "" };
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
    let outcome = driver::start(session, rotations, (plan, args.consent()), (destination, None), &mut front).await?;
    let after = resume::came_to(outcome, &mut front)?;
    Ok(made(&after))
}

/// Returns the exit code of a run without a problem: the doubts about the successor were printed before.
pub(crate) fn made(after: &RotationReport) -> Exit {
    if after.doubts.is_empty() { Exit::Done } else { Exit::NotKnown }
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
            _ => Problem::new("There is no room for the secret. No successor is made", ""),
        })
    };
    let mut over = |one: &BatchItem| match &one.result {
        Err(problem) => output::print_error(&format!("{}: {}", one.old, fixes::with_fixes(problem))),
        Ok(after) => {
            resume::say_after(after);
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
        (plans, args.consent()),
        &mut destination,
        &stop,
        (&mut front, &mut over),
    );
    stoppable(work, &stop).await
}

/// Runs work that an interrupt stops between two steps.
pub(crate) async fn stoppable<T>(work: impl Future<Output = T>, stop: &AtomicBool) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Ok(()) = tokio::signal::ctrl_c() => {
                output::print_status("Stopping after what is on its way");
                stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl RotateArgs {
    fn options(&self) -> Result<RotationOptions, CliError> {
        let grace = if self.compromised { 0 } else { grace(&self.grace)? };
        let (name, expiration) = (self.name.clone(), self.expiration.clone());
        if let Some(typed) = &expiration {
            let wrong = |error: ExpiryError| CliError::Fields(vec![format!("--expiration: {error}")]);
            Expiry::parse(typed, clock::now(), &clock::zone()).map_err(wrong)?;
        }
        Ok(RotationOptions { name, expiration, grace })
    }

    fn consent(&self) -> Consent {
        Consent { other_owner: self.other_owner, managed_too: self.managed_too, again: self.again }
    }

    /// Checks before anything is asked that the secrets will reach somebody.
    fn check_destination(&self) -> Result<(), CliError> {
        if let Some(path) = &self.secret_file {
            destination::check_path("--secret-file", path)?;
        }
        if self.dry_run || self.secret_file.is_some() || self.secret_dir.is_some() {
            return Ok(());
        }
        secret::check(self.output)
    }

    /// Refuses `-`, which elsewhere means stdout.
    pub(crate) fn check_file(&self) -> Result<(), CliError> {
        if self.secret_file.as_deref() == Some(Path::new("-")) {
            return Err(CliError::usage("Nothing is done: --secret-file names a file; use --output json for stdout"));
        }
        Ok(())
    }

    fn destination(&self, plan: &RotationPlan) -> Result<OpenDestination, CliError> {
        let wrong = |option: &str, error: std::io::Error| CliError::Fields(vec![format!("{option}: {error}")]);
        match (&self.secret_file, &self.secret_dir) {
            (Some(path), _) => OpenDestination::file(path).map_err(|error| wrong("--secret-file", error)),
            (None, Some(folder)) => {
                let name = rotation::destination::file_name(&plan.old.id).ok_or_else(|| {
                    let title = format!("{} is no name for a file", plan.old.id);
                    Problem::new(&title, "").hint("Rotate it alone, with --secret-file")
                })?;
                OpenDestination::file(&folder.join(name)).map_err(|error| wrong("--secret-dir", error))
            }
            (None, None) => Ok(OpenDestination::Person(secret::stream(self.output))),
        }
    }
}

/// Reads the grace period, in milliseconds.
fn grace(text: &str) -> Result<Millis, CliError> {
    let none = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if !none.is_empty() && none.bytes().all(|byte| byte == b'0') {
        return Ok(0);
    }
    let now = clock::now();
    let wrong = |words: &str| CliError::Fields(vec![format!("--grace: {words}")]);
    match Expiry::parse(text, now, &clock::zone()) {
        Ok(Expiry::In(span)) => Ok(span.millis().unwrap_or(Millis::MAX)),
        Ok(Expiry::At(at)) => Ok(at.saturating_sub(now)),
        Ok(Expiry::Never) => Err(wrong("A rotation needs an end: write 24h, 7d, a date, or 0s for none")),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DAY;

    #[test]
    fn a_grace_period_is_a_span_a_date_or_none() {
        for none in ["0", "0s", " 0d ", "00m"] {
            assert_eq!(grace(none).unwrap(), 0, "{none}");
        }
        assert_eq!((grace("24h").unwrap(), grace("7d").unwrap()), (DAY, 7 * DAY));
        assert!(grace("2999-01-01").unwrap() > 7 * DAY);
        for odd in ["", "s", "never", "soon", "-1d", "2001-01-01", "1M", "1q", "10%"] {
            assert!(grace(odd).is_err(), "{odd}");
        }
        let Err(CliError::Fields(lines)) = grace("1M") else { panic!("months are no period") };
        assert!(lines[0].starts_with("--grace: ") && lines[0].contains("m is minutes"), "{lines:?}");
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none() {
        assert_eq!(
            (exit(2, 0), exit(0, 0), exit(1, 1), exit(0, 2)),
            (Exit::Done, Exit::Done, Exit::Partly, Exit::Failed)
        );
    }
}
