//! Rotations as rows and as JSON.

use serde::Serialize;

use super::{
    error::{CliError, Exit},
    output::{self, PlainFormat},
};
use crate::{
    model::{
        Millis, calendar, expiry, harmless,
        rotation::{ClusterRef, Lineage, Next, Rotation},
    },
    ops::clock,
    store::rotations::Listing,
};

#[derive(Serialize)]
struct RotationJson<'a> {
    rotation: &'a str,
    batch: Option<&'a str>,
    state: &'static str,
    is_due: bool,
    due: Option<Millis>,
    old_id: &'a str,
    new_id: Option<&'a str>,
    name: &'a str,
    owner: &'a str,
    maker: &'a str,
    cluster: Option<&'a str>,
    url: &'a str,
    begun: Millis,
    grace: Millis,
    secret: String,
    old_names_successor: bool,
    strays: Vec<&'a str>,
}

impl<'a> RotationJson<'a> {
    fn of(rotation: &'a Rotation, now: Millis) -> Self {
        Self {
            rotation: &rotation.id,
            batch: rotation.batch.as_deref(),
            state: rotation.state.word(),
            is_due: rotation.next(now) == Next::End,
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
    invalidated: bool,
}

/// Prints them all; files that can't be read were named before, and tell by the exit code.
pub(super) fn list(listing: &Listing, format: PlainFormat) -> Result<Exit, CliError> {
    let now = clock::now();
    match format {
        PlainFormat::Json => {
            let all: Vec<RotationJson<'_>> =
                listing.rotations.iter().map(|rotation| RotationJson::of(rotation, now)).collect();
            output::put_json(&all)?;
        }
        PlainFormat::Table => {
            let rows: Vec<Vec<String>> = listing.rotations.iter().map(|rotation| row(rotation, now)).collect();
            output::put(&output::table(&["STATE", "DUE", "ROTATION", "OLD ID", "NEW ID", "NAME", "CLUSTER"], &rows))?;
        }
    }
    Ok(if listing.unreadable.is_empty() { Exit::Done } else { Exit::Partly })
}

fn row(rotation: &Rotation, now: Millis) -> Vec<String> {
    let shown = |text: &str| harmless::shown(text).into_owned();
    let due = match rotation.next(now) {
        Next::Make | Next::Try => "waits for --resume".to_owned(),
        Next::Wait(due) => expiry::remaining(Some(due), now),
        Next::End => "now".to_owned(),
        Next::Nothing => String::new(),
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

/// What came of each that was due.
pub(super) fn put_results(results: &[(Rotation, bool)], format: PlainFormat) -> Result<(), CliError> {
    if format == PlainFormat::Json {
        let json: Vec<ResultJson<'_>> = results
            .iter()
            .map(|(rotation, invalidated)| ResultJson {
                rotation: &rotation.id,
                old_id: rotation.old.id.as_str(),
                new_id: rotation.successor().map(|id| id.as_str()),
                name: &rotation.name,
                invalidated: *invalidated,
            })
            .collect();
        return output::put_json(&json);
    }
    if results.is_empty() {
        return Ok(());
    }
    let shown = |text: &str| harmless::shown(text).into_owned();
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|(rotation, invalidated)| {
            vec![
                if *invalidated { "invalidated" } else { "failed" }.to_owned(),
                shown(rotation.old.id.as_str()),
                rotation.successor().map(|id| shown(id.as_str())).unwrap_or_default(),
                output::cell(&rotation.name),
            ]
        })
        .collect();
    output::put(&output::table(&["RESULT", "OLD ID", "NEW ID", "NAME"], &rows))
}

/// Says which rotations of a cluster are stuck before their grace period: nothing ends them by itself.
pub(super) fn say_waiting(rotations: &[Rotation], cluster: &ClusterRef) {
    let now = clock::now();
    let waits = |rotation: &&Rotation| {
        matches!(rotation.next(now), Next::Make | Next::Try) && rotation.cluster.is_same(cluster)
    };
    for rotation in rotations.iter().filter(waits) {
        let id = &rotation.id;
        let words = format!(
            "{} ({}) is “{}”: `keybearer rotate --resume {id}` goes on",
            rotation.old.name,
            rotation.old.id,
            rotation.state.word()
        );
        output::say(&harmless::shown(&words));
    }
}

/// A moment in local time, and how far it is.
pub(super) fn moment(at: Millis) -> String {
    format!("{} ({})", calendar::local(at, &clock::zone()), expiry::remaining(Some(at), clock::now()))
}

/// "2 days", "24 hours".
pub(super) fn length(length: Millis) -> String {
    expiry::remaining(Some(length), 0).trim_start_matches("in ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_words() {
        assert_eq!((length(24 * 3_600_000), length(7 * crate::model::DAY)), ("24 hours".into(), "7 days".into()));
    }
}
