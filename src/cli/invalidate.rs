//! `keybearer invalidate`: keys taken away for ever, after showing which, and read again as proof.

use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde::Serialize;

use super::{
    connection::ConnectionFlags,
    error::{CliError, Exit},
    key_row,
    output::{self, PlainFormat},
    show,
};
use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        calendar, expiry, harmless,
    },
    ops::{
        Session, clock, find,
        invalidate::{self, Outcome},
    },
};

/// The options of `invalidate`.
#[derive(Args, Debug)]
pub(super) struct InvalidateArgs {
    /// Id, application id or name of a key that is not invalidated yet
    #[arg(value_name = "KEY", required = true)]
    references: Vec<String>,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
    /// Also the key that this session is signed in by
    #[arg(long)]
    own_key_too: bool,
    /// Form of the output
    #[arg(long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    invalidated: &'a [KeyId],
    failed: Vec<FailedJson<'a>>,
    untouched: &'a [KeyId],
    proved_at: Millis,
}

#[derive(Serialize)]
struct FailedJson<'a> {
    id: &'a str,
    reason: &'a str,
}

#[cfg(test)]
impl InvalidateArgs {
    pub(super) fn references(&self) -> (&[String], bool) {
        (&self.references, self.yes)
    }
}

pub(super) async fn run(flags: &ConnectionFlags, args: InvalidateArgs) -> Result<Exit, CliError> {
    let session = flags.changing_session().await?;
    let Some(keys) = meant(&session, &args.references).await? else { return Ok(Exit::Failed) };
    if let Some(own) = keys.iter().find(|key| session.own_key() == Some(&key.id)).filter(|_| !args.own_key_too) {
        let title = format!("{} is the key that you are signed in by. Nothing is done", own.id);
        return Err(CliError::problem(&title, "", "If it shall go all the same, add --own-key-too"));
    }
    preview(&session, &keys);
    if !args.yes && !confirmed()? {
        output::say("Nothing is done");
        return Ok(Exit::Failed);
    }
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let outcome = carry_out(&session, &ids, args.own_key_too).await;
    report(&outcome, &keys, args.output)
}

/// The keys that are meant, each once; `None` if anything is not clear, after it was told.
pub(super) async fn meant(session: &Session, references: &[String]) -> Result<Option<Vec<ApiKey>>, CliError> {
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
                clear = false;
            }
            (several, _) => {
                show::say_all(reference, several, session.now());
                clear = false;
            }
        }
    }
    if !clear && references.len() > 1 {
        output::complain("Nothing is done");
    }
    Ok(clear.then_some(keys))
}

fn say_gone(reference: &str, gone: &ApiKey) {
    let when = gone.invalidated_at.map(|at| format!(", {}", calendar::local(at, &clock::zone()))).unwrap_or_default();
    output::complain(&format!("“{reference}” is invalidated already (key {}{when})", gone.id));
}

/// Exactly what will be taken away.
fn preview(session: &Session, keys: &[ApiKey]) {
    output::say(&format!("{} will be invalidated, for ever:", expiry::plural(keys.len() as u64, "key")));
    output::say(key_row::table(keys, session.now(), &clock::zone()).trim_end());
    for key in keys {
        if let Some(product) = key.managed_by() {
            let words = format!("{} is managed by {product}, which may stop working without it", key.id);
            output::say(&harmless::shown(&words));
        }
    }
}

fn confirmed() -> Result<bool, CliError> {
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing is done: nobody can confirm it here, add --yes if it is meant"));
    }
    Ok(output::ask("Type invalidate to confirm:")?.eq_ignore_ascii_case("invalidate"))
}

/// Invalidates the keys; an interrupt stops between two requests, and what was done is still told.
async fn carry_out(session: &Session, ids: &[KeyId], own_key_too: bool) -> Outcome {
    let stop = AtomicBool::new(false);
    let total = ids.len();
    let progress = |outcome: &Outcome| {
        if total > invalidate::CHUNK {
            output::say(&format!("{} of {total}", outcome.done.len() + outcome.failed.len()));
        }
    };
    let work = invalidate::invalidate(session, ids, own_key_too, &stop, progress);
    let interrupted = async {
        while tokio::signal::ctrl_c().await.is_ok() {
            output::say("Stopping after this request");
            stop.store(true, Ordering::Relaxed);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = work => outcome,
        () = interrupted => Outcome::default(), // never: it only sets the flag
    }
}

fn report(outcome: &Outcome, keys: &[ApiKey], format: PlainFormat) -> Result<Exit, CliError> {
    let now = clock::now();
    match format {
        PlainFormat::Json => output::put_json(&OutcomeJson {
            invalidated: &outcome.done,
            failed: outcome.failed.iter().map(|(id, reason)| FailedJson { id: id.as_str(), reason }).collect(),
            untouched: &outcome.untouched,
            proved_at: now,
        })?,
        PlainFormat::Table => output::put(&table(outcome, keys))?,
    }
    if !outcome.done.is_empty() {
        let done = expiry::plural(outcome.done.len() as u64, "key");
        let at = calendar::clock(now, &clock::zone());
        output::say(&format!("The cluster was asked again at {at}, as proof: {done} invalidated"));
    }
    Ok(match (outcome.is_complete(), outcome.done.is_empty()) {
        (true, _) => Exit::Done,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Failed,
    })
}

fn table(outcome: &Outcome, keys: &[ApiKey]) -> String {
    let name =
        |id: &KeyId| keys.iter().find(|key| key.id == *id).map(|key| output::cell(&key.name)).unwrap_or_default();
    let row = |result: &str, id: &KeyId, reason: &str| {
        vec![
            result.to_owned(),
            harmless::shown(id.as_str()).into_owned(),
            name(id),
            harmless::shown(reason).into_owned(),
        ]
    };
    let mut rows: Vec<Vec<String>> = outcome.done.iter().map(|id| row("invalidated", id, "")).collect();
    rows.extend(outcome.failed.iter().map(|(id, reason)| row("failed", id, reason)));
    rows.extend(outcome.untouched.iter().map(|id| row("untouched", id, "")));
    output::table(&["RESULT", "ID", "NAME", "REASON"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(done: &[&str], failed: &[&str], untouched: &[&str]) -> Exit {
        let ids = |ids: &[&str]| ids.iter().map(|id| KeyId::new(*id)).collect::<Vec<_>>();
        let outcome = Outcome {
            done: ids(done),
            failed: ids(failed).into_iter().map(|id| (id, "why".into())).collect(),
            untouched: ids(untouched),
            stopped: false,
        };
        report(&outcome, &[], PlainFormat::Json).unwrap()
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none() {
        assert_eq!(exit(&["a"], &[], &[]), Exit::Done);
        assert_eq!(exit(&["a"], &["b"], &[]), Exit::Partly);
        assert_eq!(exit(&["a"], &[], &["b"]), Exit::Partly);
        assert_eq!(exit(&[], &["b"], &[]), Exit::Failed);
    }
}
