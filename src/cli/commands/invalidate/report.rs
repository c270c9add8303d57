//! The outcome of an invalidation on stdout, and the exit code.

use std::io::BufWriter;

use serde::Serialize;

use crate::{
    cli::{
        error::{CliError, Exit},
        fixes,
        output::{
            self, Format,
            reason::{ReasonJson, reasons},
        },
    },
    export,
    model::{
        Timestamp,
        api_key::KeyId,
        text::{number, sanitize},
        time::calendar,
    },
    ops::{
        ClockWayOut, Outcome, clock,
        keys::key_set::KeySet,
        outcome_report::{self, KeyOutcome},
    },
};

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
    proved_at: Option<Timestamp>,
}

/// Prints the outcome, and returns the exit code.
pub(super) fn report(now: Timestamp, outcome: &Outcome, chosen: &KeySet, format: Format) -> Result<Exit, CliError> {
    let proved = outcome.done.len() - usize::from(outcome.own_key_unproved.is_some());
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
            let rows = outcome_report::rows(outcome, KeyOutcome::Invalidated);
            let out = BufWriter::new(output::stdout());
            export::outcome_report::write_csv(out, outcome_report::named(chosen.list(), &rows)).map(drop)
        }
        Format::Table => output::put(&table(outcome, chosen)),
    };
    if let Some(halted) = &outcome.halted {
        output::print_error(&format!("Nothing was done: {}", halted.why));
        match halted.way_out {
            ClockWayOut::SearchAgain => {}
            ClockWayOut::TryAgain => output::print_status("Try again when the cluster can be reached"),
            ClockWayOut::TrustThisMachine => {
                output::print_status("If this machine's clock is right, use --clock-in-doubt to trust it");
            }
        }
    }
    if outcome.signed_out.is_some() {
        output::print_error(&fixes::sign_in());
    }
    if outcome.stopped {
        let rest = number::plural(outcome.resumable().count() as u64, "key");
        output::print_status(&format!("Stopped; not sent and unchanged: {rest}"));
    }
    if let Some(own) = &outcome.own_key_unproved {
        output::print_status(&format!("The cluster reported {own} as invalidated; the session ended with it"));
    }
    if proved > 0 {
        let done = number::plural(proved as u64, "key");
        let at = calendar::clock(clock::now(), &clock::zone());
        output::print_status(&format!("Read back from the cluster at {at}: {done} invalidated"));
    }
    let unknown = outcome.unknown();
    if unknown > 0 {
        let keys = number::plural(unknown as u64, "key");
        output::print_status(&format!("Not known whether invalidated: {keys}. Check before you continue"));
    }
    let exit = match (outcome.is_complete(), outcome.done.is_empty()) {
        (true, _) => Exit::Done,
        _ if unknown > 0 => Exit::NotKnown,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Failed,
    };
    Ok(exit.unless_unwritten(written))
}

fn table(outcome: &Outcome, chosen: &KeySet) -> String {
    let rows = outcome_report::rows(outcome, KeyOutcome::Invalidated);
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
