//! `keybearer invalidate`: keys invalidated for ever, after a preview, and read again as proof.

use std::{
    io::BufWriter,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use serde::Serialize;

use super::{list, show};
use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            keys_from,
        },
        error::{CliError, Exit},
        output::{self, Format, key_row},
        signals,
    },
    export,
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        filter,
        guard::{self, Guard},
        inventory::{Sort, list_view::Rows},
        text::{number, sanitize, sentence},
        time::calendar,
    },
    ops::{
        Session, clock,
        invalidate::{self, ClockWayOut, InvalidationPlan, Outcome, Progress},
        keys::{find, key_set::KeySet, last_use},
        outcome_report,
    },
};

/// Number of keys from which on it is a part of the confirmation.
const COUNTED_FROM: usize = 10;
/// Maximum number of keys that are listed; the rest is only counted.
const SHOWN: usize = 20;
/// Maximum number of owners or products that are listed; the rest is only counted.
const NAMED: usize = 8;
/// Maximum length of a line about a key, in characters.
const WIDEST_LINE: usize = 300;

/// The options of `invalidate`.
#[derive(Args, Debug)]
pub(crate) struct InvalidateArgs {
    /// Id, application id or name of a key that is not invalidated yet
    #[arg(value_name = "KEY", required_unless_present_any = ["filter", "keys_from"], value_parser = crate::cli::reference)]
    references: Vec<String>,
    /// All keys that a search finds, such as 'owner:bob status:expired' (`list --query-help` explains it)
    #[arg(long, value_name = "QUERY", conflicts_with = "references")]
    filter: Option<String>,
    /// File with an id on each line, or - for stdin, such as `keybearer list --ids` writes
    #[arg(long, value_name = "PATH", conflicts_with_all = ["references", "filter"])]
    keys_from: Option<PathBuf>,
    /// Proceed only if exactly N keys would be invalidated (of --filter or --keys-from)
    #[arg(long, value_name = "N", conflicts_with = "references")]
    count: Option<usize>,
    /// Invalidate the keys that certainly match, even if for others this is not known
    #[arg(long, requires = "filter")]
    known_only: bool,
    /// Don't ask for confirmation; with --filter this needs --count
    #[arg(long)]
    yes: bool,
    /// Also the key that this session is signed in by
    #[arg(long)]
    own_key_too: bool,
    /// Also keys that say of themselves that Kibana, Fleet or another product made them
    #[arg(long)]
    managed_too: bool,
    /// With --filter: trust this machine's clock where the cluster's is in doubt and can't be asked
    #[arg(long = "clock-in-doubt", requires = "filter")]
    clock_in_doubt_too: bool,
    /// Form of the output
    #[arg(short, long, default_value = "table")]
    output: Format,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    invalidated: &'a [KeyId],
    failed: Vec<ReasonJson<'a>>,
    /// Keys of which it is not known whether they are invalidated, each with the reason.
    not_known: Vec<ReasonJson<'a>>,
    untouched: &'a [KeyId],
    /// Untouched keys that need an extra option to be invalidated, each with the reason.
    guarded: Vec<ReasonJson<'a>>,
    stopped: bool,
    /// Moment of the proof, by the cluster's clock; `null` where nothing is proved.
    proved_at: Option<Millis>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    id: &'a str,
    reason: &'a str,
}

#[cfg(test)]
impl InvalidateArgs {
    pub(crate) fn references(&self) -> (&[String], bool) {
        (&self.references, self.yes)
    }
}

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
                None => named(&session, &args.references, true).await?,
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
        output::print_status("Nothing is left to be invalidated");
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
        output::print_status("Nothing is left to be invalidated");
    }
    if let Some(expected) = args.count.filter(|expected| *expected != count) {
        let title = format!("It would be {}, not {expected}. Nothing is done", number::plural(count as u64, "key"));
        return Err(CliError::problem(&title, "", "`keybearer list` with the same search shows them"));
    }
    if args.yes && args.filter.is_some() && args.count.is_none() {
        return Err(CliError::usage(format!(
            "Nothing is done: with --filter and --yes, say how many keys are meant: --count {count}"
        )));
    }
    if !args.yes {
        say_last_use(&session, &going.ids()).await;
        if !confirmed(count, args.filter.is_some())? {
            output::print_status("Nothing is done");
            return Ok(Exit::Failed);
        }
    }
    let outcome = carry_out(&session, plan, count).await;
    report(session.now(), &outcome, &chosen, args.output)
}

/// Refuses a blank query: it would find every key, which is never meant by leaving something out.
fn check_query(query: &str) -> Result<(), CliError> {
    if query.trim().is_empty() {
        return Err(CliError::usage("--filter: say what to look for; without a word it would mean every key"));
    }
    list::read_query(&[query.to_owned()], clock::now()).map(|_| ())
}

/// Finds the keys that match a search now and are not invalidated yet, as a set of their ids.
///
/// # Errors
/// Returns an error if it is unknown whether some keys match, unless the options exclude those.
async fn found(session: &Session, query: &str, args: &InvalidateArgs) -> Result<KeySet, CliError> {
    match clock::compare(session).await {
        Ok(clock::Compared::Differed(skew)) => {
            let ahead = clock::ahead(skew);
            output::print_status(&format!(
                "The cluster's clock is {ahead} the time used so far; the cluster's time is used from now on"
            ));
        }
        Ok(clock::Compared::Agree | clock::Compared::NotKnown) => {}
        Err(error) if args.clock_in_doubt_too => {
            output::print_error(&format!("Warning: the cluster's clock could not be asked: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    let read = list::read(session).await?;
    // A field that could not be read is in the way only of a search that asks for it: nobody stops all searches by the
    // name of one key.
    if !read.has_every_row() && !args.known_only {
        let hint = "Try again, or use --known-only to continue with the keys that were read";
        return Err(CliError::problem(
            "The list of keys is not complete. Nothing was done",
            &read.doubts().join(", "),
            hint,
        ));
    }
    let now = session.now();
    let query = list::read_query(&[query.to_owned()], now)?;
    let order = read.keys.order(&[Sort::default()], now);
    let rows = Rows::new(&read.keys, &query.expr, None, &order, now, list::asker(session));
    let not_known = rows.not_known.rows().filter(|place| !read.keys.is_invalidated(*place)).count();
    if not_known > 0 && !args.known_only {
        let title = format!(
            "It is not known whether {} match the search. Nothing was done",
            number::plural(not_known as u64, "key")
        );
        let detail = sentence::capitalized(&filter::why_not_known(&query.expr));
        let hint = "Use --known-only to continue with the keys that certainly match";
        return Err(CliError::problem(&title, &detail, hint));
    }
    let read = Arc::new(read);
    let chosen = KeySet::new(Arc::clone(&read), rows.rows).not_yet_invalidated();
    list::say_count(&read, chosen.len(), chosen.len());
    list::say_not_known(not_known, &query);
    Ok(chosen)
}

/// Refuses guarded keys that are named one by one without the option that allows them, and then nothing is done.
fn named_by_hand(session: &Session, keys: &[ApiKey], args: &InvalidateArgs) -> Result<(), CliError> {
    if let Some(own) = keys.iter().find(|key| session.own_key() == Some(&key.id)).filter(|_| !args.own_key_too) {
        let title = format!("{} is the key that you are signed in by. Nothing is done", own.id);
        return Err(CliError::problem(&title, "", "To invalidate it anyway, add --own-key-too"));
    }
    let managed = keys.iter().find_map(|key| guard::product_of(key).map(|product| (key, product)));
    if let Some((key, product)) = managed.filter(|_| !args.managed_too) {
        let title = format!("{} says of itself that a product made it ({product}). Nothing is done", key.id);
        let detail =
            format!("{}. If it is so, what uses it stops working until the product makes a new one", says_managed(key));
        return Err(CliError::problem(&sanitize::shown(&title), &detail, "To invalidate it anyway, add --managed-too"));
    }
    Ok(())
}

/// Returns the keys with these ids that are not invalidated yet; reports those that are.
async fn by_id(session: &Session, ids: &[KeyId]) -> Result<Vec<ApiKey>, CliError> {
    let (gone, keys): (Vec<ApiKey>, Vec<ApiKey>) =
        keys_from::keys(session, ids).await?.into_iter().partition(|key| key.invalidated);
    for key in gone.iter().take(SHOWN) {
        say_gone(key.id.as_str(), key);
    }
    if gone.len() > SHOWN {
        output::print_status(&format!("… and {} more", number::thousands((gone.len() - SHOWN) as u64)));
    }
    Ok(keys)
}

/// Finds the keys that references mean, without duplicates; `None` if any reference is ambiguous, unknown or means
/// invalidated keys only, after that was reported.
pub(crate) async fn meant(session: &Session, references: &[String]) -> Result<Option<Vec<ApiKey>>, CliError> {
    named(session, references, false).await
}

/// Finds keys as [`meant`] does. `gone_is_done`: a reference of which all keys are invalidated already is reported and
/// adds no key.
async fn named(session: &Session, references: &[String], gone_is_done: bool) -> Result<Option<Vec<ApiKey>>, CliError> {
    let mut keys: Vec<ApiKey> = Vec::new();
    let mut clear = true;
    for reference in references {
        let meant = find::not_yet_invalidated(session, reference).await?;
        match (meant.valid.as_slice(), meant.invalidated.first()) {
            ([key], _) if keys.iter().any(|other| other.id == key.id) => {}
            ([key], _) => keys.push(key.clone()),
            ([], None) => {
                show::unknown(session, reference).print();
                clear = false;
            }
            ([], Some(gone)) => {
                say_gone(reference, gone);
                clear &= gone_is_done;
            }
            (several, _) => {
                show::say_all(reference, several, session.now());
                clear = false;
            }
        }
    }
    if !clear && references.len() > 1 {
        output::print_error("Nothing is done");
    }
    Ok(clear.then_some(keys))
}

fn say_gone(reference: &str, gone: &ApiKey) {
    let when = gone.invalidated_at.map(|at| format!(", {}", calendar::local(at, &clock::zone()))).unwrap_or_default();
    output::print_error(&format!("“{reference}” is invalidated already (key {}{when})", gone.id));
}

/// Prints exactly which keys will be invalidated.
fn preview(session: &Session, going: &KeySet) {
    let count = going.len();
    output::print_status(&format!("{} will be invalidated, for ever:", number::plural(count as u64, "key")));
    output::print_status(key_row::table(going.keys().take(SHOWN), session.now(), &clock::zone()).trim_end());
    let summary = going.summary(Some(session), session.now());
    if count > SHOWN {
        output::print_status(&format!("… and {} more", number::thousands((count - SHOWN) as u64)));
        say_counts("Owners", &summary.owners);
        say_counts("Types", &summary.kinds);
    }
    say_counts("Findings", &summary.findings);
    connection::say_acting(session);
    let mut managed = going.keys().filter(|key| guard::product_of(key).is_some()).peekable();
    let are_some = managed.peek().is_some();
    for key in managed.take(SHOWN) {
        output::print_status(&says_managed(&key));
    }
    if are_some {
        output::print_status("What uses these stops working until the product makes new ones, if it is as they say");
    }
}

/// Prints the last use of the keys that will be invalidated, for the person who is asked to confirm.
async fn say_last_use(session: &Session, going: &[KeyId]) {
    let words = match (last_use::of(session, going).await, going) {
        (Err(why), _) => why.to_string(),
        (Ok(uses), [only]) => uses.words(only, session.now(), &clock::zone()),
        (Ok(uses), many) => uses.words_of_many(uses.among(many, session.now()), &clock::zone()),
    };
    output::print_status(&sanitize::shown(&format!("Last use: {words}")));
}

fn say_counts(what: &str, counts: &[(impl AsRef<str>, usize)]) {
    if counts.is_empty() {
        return;
    }
    let named = counts.iter().take(NAMED);
    let mut words: Vec<String> =
        named.map(|(name, count)| format!("{} {count}", sanitize::shortened(name.as_ref(), 40))).collect();
    if counts.len() > NAMED {
        words.push(format!("and {} more", counts.len() - NAMED));
    }
    output::print_status(&format!("{what}: {}", words.join(", ")));
}

fn left_out(own: usize) {
    if own > 0 {
        output::print_status("Left out: the key that you are signed in by (--own-key-too takes it, too)");
    }
}

/// Reports the keys that are left out since they claim to be managed: their owners may have written that.
fn left_out_managed(chosen: &KeySet, count: usize) {
    let (keys, say) =
        (number::plural(count as u64, "key"), if count == 1 { "says of itself" } else { "say of themselves" });
    let whom = if count == 1 { "it" } else { "them" };
    output::print_status(&format!(
        "Left out: {keys} that {say} that a product made {whom} (--managed-too takes {whom}, too):"
    ));
    let managed = chosen.keys().filter(|key| guard::product_of(key).is_some());
    for key in managed.take(SHOWN) {
        output::print_status(&format!("  {}", says_managed(&key)));
    }
    if count > SHOWN {
        output::print_status(&format!("  … and {} more", number::thousands((count - SHOWN) as u64)));
    }
}

/// Formats a key with its owner and the product it claims to belong to; for a person's key, that this is no proof.
fn says_managed(key: &ApiKey) -> String {
    let product = guard::product_of(key).unwrap_or_default();
    let owner = &key.owner.username;
    let doubt =
        if guard::is_owned_by_product(owner, &key.owner.realm) { "" } else { "; the owner may have written that" };
    let words = format!("{} ({}) of {owner}: made by {product}, it says{doubt}", key.name, key.id);
    sanitize::shortened(&words, WIDEST_LINE)
}

fn confirmed(count: usize, is_search: bool) -> Result<bool, CliError> {
    let words =
        if is_search || count >= COUNTED_FROM { format!("invalidate {count}") } else { "invalidate".to_owned() };
    if !output::someone_is_there() {
        let count = if is_search { format!(" --count {count}") } else { String::new() };
        return Err(CliError::usage(format!(
            "Nothing is done: nobody can confirm it here, add --yes{count} if it is meant"
        )));
    }
    Ok(output::ask(&format!("Type {words} to confirm:"))?.eq_ignore_ascii_case(&words))
}

/// Invalidates the keys; an interrupt stops between two requests, and what was done is still reported.
async fn carry_out(session: &Session, plan: InvalidationPlan, total: usize) -> Outcome {
    let stop = AtomicBool::new(false);
    let mut told = 0;
    let progress = |news: Progress<'_>| {
        let settled = news.outcome.done.len() + news.outcome.failed.len();
        if total > invalidate::CHUNK && settled > told {
            told = settled;
            output::print_status(&format!(
                "{} of {}",
                number::thousands(settled as u64),
                number::thousands(total as u64)
            ));
        }
    };
    let work = invalidate::many(session, plan, &stop, progress);
    signals::stoppable(work, &stop).await
}

fn report(now: Millis, outcome: &Outcome, chosen: &KeySet, format: Format) -> Result<Exit, CliError> {
    let proved = outcome.done.len() - usize::from(outcome.on_its_word.is_some());
    let written = match format {
        Format::Json => output::put_json(&OutcomeJson {
            invalidated: &outcome.done,
            failed: reasons(outcome, false),
            not_known: reasons(outcome, true),
            untouched: &outcome.untouched,
            guarded: outcome
                .guarded
                .iter()
                .map(|(id, guard)| ReasonJson { id: id.as_str(), reason: guard.reason() })
                .collect(),
            stopped: outcome.stopped,
            proved_at: (proved > 0).then_some(now),
        }),
        Format::Csv => {
            let rows = outcome_report::of_invalidation(outcome);
            let out = BufWriter::new(output::stdout());
            export::outcome_report::write_csv(out, outcome_report::named(chosen.list(), &rows))
                .map(drop)
                .map_err(CliError::Output)
        }
        Format::Table => output::put(&table(outcome, chosen)),
    };
    if let Some(halted) = &outcome.halted {
        output::print_error(&format!("Nothing was done: {}", halted.why));
        match halted.way_out {
            ClockWayOut::SearchAgain => {}
            ClockWayOut::TryAgain => output::print_status("Try again when the cluster can be reached"),
            ClockWayOut::TrustThisMachine => {
                output::print_status("If this machine's clock is right, --clock-in-doubt trusts it");
            }
        }
    }
    if outcome.stopped {
        let rest = number::plural(outcome.to_go_on().count() as u64, "key");
        output::print_status(&format!("It was stopped; never sent, and as before: {rest}"));
    }
    if let Some(own) = &outcome.on_its_word {
        output::print_status(&format!("The cluster said that {own} is invalidated; the session ended with it"));
    }
    if proved > 0 {
        let done = number::plural(proved as u64, "key");
        let at = calendar::clock(clock::now(), &clock::zone());
        output::print_status(&format!("The cluster was asked again at {at}, as proof: {done} invalidated"));
    }
    let unknown = outcome.unknown();
    if unknown > 0 {
        let keys = number::plural(unknown as u64, "key");
        output::print_status(&format!("Not known whether invalidated: {keys}. Check before you go on"));
    }
    let exit = match (outcome.is_complete(), outcome.done.is_empty()) {
        (true, _) => Exit::Done,
        _ if unknown > 0 => Exit::NotKnown,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Failed,
    };
    Ok(exit.unless_unwritten(written))
}

/// Lists the keys that are not seen to be invalidated: certain failures, or those of which it is not known.
fn reasons(outcome: &Outcome, unknown: bool) -> Vec<ReasonJson<'_>> {
    let of_this_kind = outcome.failed.iter().filter(|(_, failure)| failure.is_unknown() == unknown);
    of_this_kind.map(|(id, failure)| ReasonJson { id: id.as_str(), reason: failure.reason() }).collect()
}

fn table(outcome: &Outcome, chosen: &KeySet) -> String {
    let rows = outcome_report::of_invalidation(outcome);
    let cells = outcome_report::named(chosen.list(), &rows).map(|key_outcome| {
        let shown = |text: &str| sanitize::shown(text).into_owned();
        vec![
            key_outcome.result.to_owned(),
            shown(key_outcome.id),
            output::cell(&key_outcome.name),
            shown(&key_outcome.reason),
        ]
    });
    output::table(&["RESULT", "ID", "NAME", "REASON"], &cells.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Failure;

    fn exit(done: &[&str], failed: &[&str], untouched: &[&str]) -> Exit {
        ended(done, failed, untouched, &Failure::Refused("why".into()))
    }

    fn ended(done: &[&str], failed: &[&str], untouched: &[&str], why: &Failure) -> Exit {
        let ids = |ids: &[&str]| ids.iter().map(|id| KeyId::new(*id)).collect::<Vec<_>>();
        let outcome = Outcome {
            done: ids(done),
            failed: ids(failed).into_iter().map(|id| (id, why.clone())).collect(),
            untouched: ids(untouched),
            ..Outcome::default()
        };
        report(0, &outcome, &KeySet::default(), Format::Json).unwrap()
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none() {
        assert_eq!(exit(&["a"], &[], &[]), Exit::Done);
        assert_eq!(exit(&["a"], &["b"], &[]), Exit::Partly);
        assert_eq!(exit(&["a"], &[], &["b"]), Exit::Partly);
        assert_eq!(exit(&[], &["b"], &[]), Exit::Failed);
        let cut = Failure::Unknown("cut".into());
        assert_eq!(ended(&[], &["b"], &[], &cut), Exit::NotKnown);
        assert_eq!(ended(&["a"], &["b"], &[], &cut), Exit::NotKnown);
    }

    #[test]
    fn a_search_without_a_word_is_never_every_key() {
        assert!(matches!(check_query("  "), Err(CliError::Usage(words)) if words.contains("every key")));
        assert!(matches!(check_query("expires:soon"), Err(CliError::Usage(_))));
        assert!(check_query("owner:bob status:expired").is_ok());
    }
}
