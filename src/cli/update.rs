//! `keybearer update`: keys changed, after showing what will be different about each.

use clap::Args;
use serde::Serialize;

use super::{
    connection::{self, ConnectionFlags},
    cross_cluster,
    error::{CliError, Exit},
    invalidate,
    output::{self, PlainFormat},
    update_draft::{Wanted, WantedArgs},
};
use crate::{
    client::ClientError,
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        calendar, harmless,
        update::{self, Change, Changes, KeyUpdate},
        version::Feature,
    },
    ops::{
        Session, clock,
        fates::Fate,
        update::{UpdateOutcome, update},
    },
};

/// How many keys are shown one by one before the rest is only counted.
const SHOWN: usize = 20;
/// The most characters of a value.
const WIDEST: usize = 200;

/// The options of `update`.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// Id, application id or name of a key of your own
    #[arg(value_name = "KEY", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    wanted: WantedArgs,
    /// The extra word for role descriptors that are {}: the key may then do all that its owner may
    #[arg(long, requires = "role_descriptors")]
    all_owner_rights: bool,
    /// The extra word for metadata that is {}
    #[arg(long, requires = "metadata")]
    wipe_metadata: bool,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
    /// Form of the output
    #[arg(long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    updated: &'a [KeyId],
    unchanged: &'a [KeyId],
    failed: Vec<FailedJson<'a>>,
    /// Those of which nobody knows whether they were changed.
    not_known: Vec<FailedJson<'a>>,
    untouched: &'a [KeyId],
}

#[derive(Serialize)]
struct FailedJson<'a> {
    id: &'a str,
    reason: &'a str,
}

pub(super) async fn run(flags: &ConnectionFlags, args: UpdateArgs) -> Result<Exit, CliError> {
    let wanted = args.wanted.check(args.all_owner_rights, args.wipe_metadata)?;
    let session = flags.changing_session().await?;
    check_session(&session, &wanted)?;
    let Some(keys) = invalidate::meant(&session, &args.references).await? else { return Ok(Exit::Failed) };
    check_owner(&session, &keys)?;
    if let Some(cross) = wanted.cross_cluster(&keys)? {
        let outcome = cross_cluster::update(&session, &keys, &cross, args.yes).await?;
        return outcome.map_or(Ok(Exit::Failed), |outcome| report(&outcome, &keys, args.output));
    }
    let now = session.now();
    let updates = keys.iter().map(|key| wanted.update(key, now)).collect::<Result<Vec<KeyUpdate>, _>>()?;
    preview(&keys, &updates, now);
    connection::say_acting(&session);
    if !args.yes && !confirmed()? {
        output::say("Nothing is done");
        return Ok(Exit::Failed);
    }
    let outcome = carry_out(&session, &keys, &updates, wanted.differs_by_key()).await;
    report(&outcome, &keys, args.output)
}

/// What would be refused whatever the key.
fn check_session(session: &Session, wanted: &Wanted) -> Result<(), CliError> {
    if session.own_key().is_some() {
        let title = "Signed in by an API key, no key can be updated";
        return Err(CliError::problem(title, "Elasticsearch lets only users change their keys", "Sign in as a user"));
    }
    let feature = if wanted.has_end() { Feature::UpdateExpiration } else { Feature::Update };
    if session.has(feature) { Ok(()) } else { Err(ClientError::Lacks(feature).into()) }
}

/// Only the owner can change a key, a superuser can't (as seen on 9.5.3).
fn check_owner(session: &Session, keys: &[ApiKey]) -> Result<(), CliError> {
    let me = &session.identity;
    let acts_as_another = session.client.endpoint().run_as.is_some();
    for key in keys {
        let name = harmless::shown(&key.owner.username);
        // Acting as another, the realm one is told is that of who signed in, not of who is acted as.
        let is_mine = key.owner.username == me.username && (acts_as_another || key.owner.realm == me.realm);
        if !is_mine {
            let title = format!("{} belongs to {name}, and only its owner can update it. Nothing is done", key.id);
            let detail = "Not even a superuser can; only acting as the owner (run-as) can";
            let hint = format!("Add --run-as {name} if you may act as that user");
            return Err(CliError::problem(&title, detail, &hint));
        }
    }
    Ok(())
}

/// Exactly what will be different, key by key.
fn preview(keys: &[ApiKey], updates: &[KeyUpdate], now: Millis) {
    let mut warnings: Vec<&str> = Vec::new();
    for (place, (key, wanted)) in keys.iter().zip(updates).enumerate() {
        let changes = update::diff(key, wanted, None, now);
        for words in changes.warnings() {
            if !warnings.contains(&words) {
                warnings.push(words);
            }
        }
        if place < SHOWN {
            output::say(&format!("{} ({})", harmless::shown(&key.name), harmless::shown(key.id.as_str())));
            lines(&changes, "role_descriptors").iter().for_each(|line| output::say(&format!("  {line}")));
            if let Some(product) = key.managed_by() {
                output::say(&harmless::shown(&format!("  managed by {product}, which may not expect the change")));
            }
        }
    }
    if keys.len() > SHOWN {
        output::say(&format!("… and {} more", keys.len() - SHOWN));
    }
    warnings.into_iter().for_each(output::say);
}

/// What will be different about a key, a line each; `rights` is what its descriptors are called.
pub(super) fn lines(changes: &Changes, rights: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((old, new)) = changes.expiry {
        let zone = clock::zone();
        let old = old.map_or_else(|| "never".into(), |at| calendar::local(at, &zone));
        lines.push(format!("expires: {old} → {}", calendar::local(new, &zone)));
    }
    let parts = [("metadata", &changes.metadata), (rights, &changes.role_descriptors)];
    lines.extend(parts.into_iter().flat_map(|(part, changes)| changes.iter().map(move |change| line(part, change))));
    if lines.is_empty() {
        lines.push("nothing that was asked for is different".into());
    }
    lines
}

fn line(part: &str, change: &Change) -> String {
    let path = harmless::shortened(&change.path, WIDEST);
    let shown = |text: &str| harmless::shortened(text, WIDEST);
    match (change.old.as_deref(), change.new.as_deref()) {
        (Some(old), Some(new)) => format!("{part}{path}: {} → {}", shown(old), shown(new)),
        (Some(old), None) => format!("{part}{path}: removed (was {})", shown(old)),
        (None, new) => format!("{part}{path}: added {}", shown(new.unwrap_or_default())),
    }
}

/// Whether a person means it.
///
/// # Errors
/// When nobody can be asked.
pub(super) fn confirmed() -> Result<bool, CliError> {
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing is done: nobody can confirm it here, add --yes if it is meant"));
    }
    Ok(output::ask("Type update to confirm:")?.eq_ignore_ascii_case("update"))
}

/// All keys by as few requests as possible; one by one where each gets something else.
async fn carry_out(session: &Session, keys: &[ApiKey], updates: &[KeyUpdate], by_key: bool) -> UpdateOutcome {
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    if !by_key {
        return match updates.first() {
            Some(first) => update(session, &ids, first).await,
            None => UpdateOutcome::default(),
        };
    }
    let mut whole = UpdateOutcome::default();
    for (place, (id, wanted)) in ids.iter().zip(updates).enumerate() {
        let one = update(session, std::slice::from_ref(id), wanted).await;
        whole.updated.extend(one.updated);
        whole.unchanged.extend(one.unchanged);
        whole.failed.extend(one.failed);
        if !whole.failed.is_empty() {
            whole.untouched = ids[place + 1..].to_vec();
            break;
        }
    }
    whole
}

fn report(outcome: &UpdateOutcome, keys: &[ApiKey], format: PlainFormat) -> Result<Exit, CliError> {
    match format {
        PlainFormat::Json => output::put_json(&OutcomeJson {
            updated: &outcome.updated,
            unchanged: &outcome.unchanged,
            failed: reasons(outcome, false),
            not_known: reasons(outcome, true),
            untouched: &outcome.untouched,
        })?,
        PlainFormat::Table => output::put(&table(outcome, keys))?,
    }
    let none = outcome.updated.is_empty() && outcome.unchanged.is_empty();
    Ok(match (outcome.is_complete(), none) {
        (true, _) => Exit::Done,
        _ if outcome.unknown() > 0 => Exit::NotKnown,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Failed,
    })
}

/// The keys that are not seen to be updated: certain failures, or those that are not known.
fn reasons(outcome: &UpdateOutcome, unknown: bool) -> Vec<FailedJson<'_>> {
    let of_this_kind = outcome.failed.iter().filter(|(_, failure)| failure.is_unknown() == unknown);
    of_this_kind.map(|(id, failure)| FailedJson { id: id.as_str(), reason: failure.reason() }).collect()
}

fn table(outcome: &UpdateOutcome, keys: &[ApiKey]) -> String {
    let name =
        |id: &KeyId| keys.iter().find(|key| key.id == *id).map(|key| output::cell(&key.name)).unwrap_or_default();
    let row = |result: &str, id: &KeyId, reason: &str| {
        let id_shown = harmless::shown(id.as_str()).into_owned();
        vec![result.to_owned(), id_shown, name(id), harmless::shown(reason).into_owned()]
    };
    let mut rows: Vec<Vec<String>> = outcome.updated.iter().map(|id| row("updated", id, "")).collect();
    rows.extend(outcome.unchanged.iter().map(|id| row("unchanged", id, "it was so before")));
    rows.extend(outcome.failed.iter().map(|(id, failure)| row(Fate::from(failure).word(), id, failure.reason())));
    rows.extend(outcome.untouched.iter().map(|id| row("untouched", id, "")));
    output::table(&["RESULT", "ID", "NAME", "REASON"], &rows)
}
