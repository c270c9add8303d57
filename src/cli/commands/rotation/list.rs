//! Rotations as rows and as JSON.

use std::io;

use serde::Serialize;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    model::{
        TimeDelta, Timestamp,
        rotation::{Ended, Lineage, Next, Outlook, Rotation},
        text::sanitize,
        time::{calendar, expiry},
    },
    ops::{
        Problem, ProblemKind, clock,
        connections::{cluster_identity, connect},
        rotation::{self, EndOutcome, overview::ClusterRotations},
    },
    store::rotation::{Listing, Rotations},
};

#[derive(Serialize)]
struct RotationJson<'a> {
    rotation: &'a str,
    batch: Option<&'a str>,
    state: &'static str,
    is_due: bool,
    /// `true` if no key of the rotation works any more; `false` where the cluster was not asked.
    is_dead: bool,
    /// State of the old key; `None` where its cluster was not asked.
    old_state: Option<&'static str>,
    /// State of the successor; `None` where there is none, or its cluster was not asked.
    new_state: Option<&'static str>,
    due: Option<Timestamp>,
    old_id: &'a str,
    new_id: Option<&'a str>,
    name: &'a str,
    owner: &'a str,
    maker: &'a str,
    cluster: Option<&'a str>,
    url: &'a str,
    begun: Timestamp,
    grace: TimeDelta,
    secret: String,
    old_names_successor: bool,
    strays: Vec<&'a str>,
}

impl<'a> RotationJson<'a> {
    fn of(rotation: &'a Rotation, here: &ClusterRotations, now: Timestamp) -> Self {
        let outlook = outlook(rotation, here, now);
        let is_known = here.rotations.iter().any(|own| own.id == rotation.id);
        let (old, new) = here.states.both(rotation);
        Self {
            old_state: is_known.then(|| old.word()),
            new_state: (is_known && rotation.successor().is_some()).then(|| new.word()),
            is_dead: matches!(outlook, Outlook::Dead(_)),
            rotation: &rotation.id,
            batch: rotation.batch.as_deref(),
            state: rotation.state.word(),
            is_due: outlook.is_due(),
            due: rotation.due(),
            old_id: rotation.old.id.as_str(),
            new_id: rotation.successor().map(|id| id.as_str()),
            name: &rotation.name,
            owner: &rotation.old.owner.username,
            maker: &rotation.maker.username,
            cluster: rotation.cluster.name.as_deref(),
            url: &rotation.cluster.url,
            begun: rotation.begun_at,
            grace: rotation.grace,
            secret: rotation.place.words(),
            old_names_successor: rotation.lineage == Lineage::Written,
            strays: rotation.strays.iter().map(|id| id.as_str()).collect(),
        }
    }
}

#[derive(Serialize)]
struct ResultJson<'a> {
    rotation: &'a str,
    old_id: &'a str,
    new_id: Option<&'a str>,
    name: &'a str,
    /// `true` if the old key is invalidated, by this run or before; `null` where that is not known.
    invalidated: Option<bool>,
    /// Result as in the table.
    result: &'static str,
}

/// Result of a rotation that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DueResult {
    /// The old key has ended; with the way in which it did.
    Ended(Ended),
    /// The old key is unchanged: its invalidation failed or was refused.
    Failed,
    /// The old key is unchanged: its invalidation was not tried.
    Untouched,
    /// The old key may have been invalidated.
    NotKnown,
}

impl DueResult {
    /// Returns the result by the outcome of ending the old key; `None` stands for one that was not tried.
    pub(crate) fn of(outcome: Option<&EndOutcome>) -> Self {
        match outcome.map(|outcome| &outcome.result) {
            Some(Ok((_, how))) => Self::Ended(*how),
            Some(Err(problem)) if problem.kind == ProblemKind::NotKnown => Self::NotKnown,
            Some(Err(_)) => Self::Failed,
            None => Self::Untouched,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Ended(how) => how.word(),
            Self::Failed => "failed",
            Self::Untouched => "untouched",
            Self::NotKnown => "not known",
        }
    }
}

/// Prints all rotations; files that can't be read were reported before, and show in the exit code. If the options or
/// the environment name a cluster, it is asked for the state of the keys of its own rotations; if it can't be asked,
/// that is reported.
pub(crate) async fn list(flags: &ConnectionFlags, listing: &Listing, format: PlainFormat) -> Result<Exit, CliError> {
    let now = clock::now();
    let here = look(flags, listing).await;
    match format {
        PlainFormat::Json => {
            let all: Vec<RotationJson<'_>> =
                listing.rotations.iter().map(|rotation| RotationJson::of(rotation, &here, now)).collect();
            output::put_json(&all)?;
        }
        PlainFormat::Table => {
            let rows: Vec<Vec<String>> = listing.rotations.iter().map(|rotation| row(rotation, &here, now)).collect();
            output::put(&output::table(&["STATE", "DUE", "ROTATION", "OLD ID", "NEW ID", "NAME", "CLUSTER"], &rows))?;
        }
    }
    Ok(if listing.unreadable.is_empty() { Exit::Done } else { Exit::Partly })
}

/// Asks the named cluster for the state of the keys of rotations; nothing is known if none is named.
async fn look(flags: &ConnectionFlags, listing: &Listing) -> ClusterRotations {
    let is_open = |rotation: &&Rotation| !rotation.is_finished();
    if listing.rotations.iter().filter(is_open).count() == 0 {
        return ClusterRotations::default();
    }
    let Ok(endpoint) = flags.endpoint() else { return ClusterRotations::default() };
    let asked = async {
        let tokens = environment::token_source(&endpoint);
        let session = connect::connect_by_rules(&endpoint, environment::policy(), tokens).await?;
        let cluster = cluster_identity::current(&session).await?;
        let own = |rotation: &&Rotation| rotation.cluster.is_same(&cluster);
        let rotations: Vec<Rotation> = listing.rotations.iter().filter(own).cloned().collect();
        let states = rotation::states(&session, &rotations).await?;
        Ok::<ClusterRotations, Problem>(ClusterRotations { cluster, rotations, states, unreadable: Vec::new() })
    };
    asked.await.unwrap_or_else(|problem| {
        output::print_error(&format!("The state of the keys could not be read: {}", problem.words()));
        ClusterRotations::default()
    })
}

/// Returns the outlook of a rotation; if its cluster was not asked, by its own state alone.
fn outlook(rotation: &Rotation, here: &ClusterRotations, now: Timestamp) -> Outlook {
    match here.rotations.iter().any(|own| own.id == rotation.id) {
        true => here.outlook(rotation, now),
        false => Outlook::Next(rotation.next(now)),
    }
}

fn row(rotation: &Rotation, here: &ClusterRotations, now: Timestamp) -> Vec<String> {
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let due = match outlook(rotation, here, now) {
        Outlook::Next(Next::Make | Next::Try) => "waits for --resume".to_owned(),
        Outlook::Next(Next::Wait(due)) => expiry::remaining(Some(due), now),
        Outlook::Next(Next::End) => "now".to_owned(),
        Outlook::Next(Next::Nothing) => String::new(),
        Outlook::OldEnded(how) => format!("now: the old key is {}", how.word()),
        Outlook::SuccessorEnded(how) => format!("never: the successor is {}", how.word()),
        Outlook::Dead(words) => format!("never: {words}, close it with --cancel"),
    };
    vec![
        rotation.state.word().to_owned(),
        due,
        shown(&rotation.id),
        shown(rotation.old.id.as_str()),
        rotation.successor().map(|id| shown(id.as_str())).unwrap_or_default(),
        output::cell(&rotation.name),
        output::cell(rotation.cluster.name.as_deref().unwrap_or(&rotation.cluster.url)),
    ]
}

/// Prints the result of each rotation that was due.
pub(crate) fn put_results(results: &[(Rotation, DueResult)], format: PlainFormat) -> io::Result<()> {
    if format == PlainFormat::Json {
        let json: Vec<ResultJson<'_>> = results
            .iter()
            .map(|(rotation, result)| ResultJson {
                rotation: &rotation.id,
                old_id: rotation.old.id.as_str(),
                new_id: rotation.successor().map(|id| id.as_str()),
                name: &rotation.name,
                invalidated: match result {
                    DueResult::Ended(how) => Some(*how != Ended::Gone),
                    DueResult::Failed | DueResult::Untouched => Some(false),
                    DueResult::NotKnown => None,
                },
                result: result.label(),
            })
            .collect();
        return output::put_json(&json);
    }
    if results.is_empty() {
        return Ok(());
    }
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|(rotation, result)| {
            vec![
                result.label().to_owned(),
                shown(rotation.old.id.as_str()),
                rotation.successor().map(|id| shown(id.as_str())).unwrap_or_default(),
                output::cell(&rotation.name),
            ]
        })
        .collect();
    output::put(&output::table(&["RESULT", "OLD ID", "NEW ID", "NAME"], &rows))
}

/// Reports the rotations of a cluster that are stuck before their grace period, or can't end: nothing ends them by
/// itself.
pub(crate) fn print_waiting(here: &ClusterRotations) {
    let now = clock::now();
    for rotation in &here.rotations {
        let (id, about) = (&rotation.id, format!("{} ({})", rotation.old.name, rotation.old.id));
        let words = match here.outlook(rotation, now) {
            Outlook::Next(Next::Make | Next::Try) => {
                format!("{about} is “{}”: `keybearer rotate --resume {id}` resumes it", rotation.state.word())
            }
            Outlook::Dead(words) => format!("{about}: {words}: `keybearer rotate --cancel {id}` closes it"),
            Outlook::SuccessorEnded(how) => {
                format!("{about}: its successor is {}: `keybearer rotate --cancel {id}` cancels it", how.word())
            }
            _ => continue,
        };
        output::print_status(&sanitize::shown(&words));
    }
}

/// Formats a moment in local time, and the time until then.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{} ({})", calendar::local(at, &clock::zone()), expiry::remaining(Some(at), clock::now()))
}

/// Formats a length of time as "2 days", "24 hours".
pub(crate) fn length(length: TimeDelta) -> String {
    expiry::about(length)
}

/// Reads the rotations in the folder; reports files that can't be read, which stay there.
pub(crate) fn listing(rotations: &Rotations) -> Result<Listing, CliError> {
    let listing = rotations.all().map_err(|error| {
        let detail = format!("{}: {error}", rotations.folder().display());
        CliError::problem("The rotations can't be read", &detail, "Fix the permissions of that folder")
    })?;
    for (path, reason) in &listing.unreadable {
        output::print_error(&format!("{} is ignored: {reason}", path.display()));
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_words() {
        assert_eq!(
            (length(TimeDelta::from_hours(24)), length(TimeDelta::from_days(7))),
            ("24 hours".into(), "7 days".into())
        );
    }
}
