//! Outcomes of rotating many keys, as rows of a report.

use crate::{
    model::{
        api_key::KeyId,
        rotation::{Ended, Rotation},
    },
    ops::{
        Problem, ProblemKind,
        outcome_report::{KeyOutcome, KeyOutcomeRow},
        rotation::{EndOutcome, batch::BatchItem},
    },
};

fn failure(id: &KeyId, problem: &Problem) -> KeyOutcomeRow {
    let outcome = if problem.kind == ProblemKind::NotKnown { KeyOutcome::Unknown } else { KeyOutcome::Failed };
    (outcome, id.clone(), problem.words())
}

fn untouched(id: &KeyId) -> KeyOutcomeRow {
    (KeyOutcome::Untouched, id.clone(), "it was stopped before this key".into())
}

/// Returns a row for each old key of a batch, in the order of `keys`. A key without a result was not begun.
pub fn of_batch<'a>(keys: impl IntoIterator<Item = &'a KeyId>, items: &[BatchItem]) -> Vec<KeyOutcomeRow> {
    let row = |id: &KeyId| {
        let Some(item) = items.iter().find(|item| item.old == *id) else { return untouched(id) };
        let (outcome, id, reason) = match item.problem() {
            None => (KeyOutcome::Rotated, id.clone(), String::new()),
            Some(problem) => failure(id, problem),
        };
        let facts = [reason].into_iter().chain(facts(item)).filter(|fact| !fact.is_empty());
        (outcome, id, facts.collect::<Vec<_>>().join("; "))
    };
    keys.into_iter().map(row).collect()
}

/// Returns what is known of a rotation that was begun: its successor, where the secret is, doubts, and whether the old
/// key has ended.
fn facts(item: &BatchItem) -> Vec<String> {
    let mut facts = Vec::new();
    let Ok(report) = &item.result else { return facts };
    facts.extend(report.rotation.successor().map(|id| format!("successor {id}")));
    facts.extend(item.file.as_ref().map(|file| format!("its secret is in {}", file.display())));
    facts.extend(report.ended.map(|how| format!("the old key is {}", how.word())));
    facts.extend(report.doubts.iter().cloned());
    facts
}

/// Returns a row for each old key whose rotation was to be completed. A rotation without an outcome was not begun.
pub fn of_end(rotations: &[Rotation], outcomes: &[EndOutcome]) -> Vec<KeyOutcomeRow> {
    let row = |rotation: &Rotation| {
        let id = &rotation.old.id;
        match outcomes.iter().find(|outcome| outcome.id == rotation.id).map(|outcome| &outcome.result) {
            None => untouched(id),
            Some(Err(problem)) => failure(id, problem),
            Some(Ok((_, Ended::Invalidated))) => (KeyOutcome::Invalidated, id.clone(), String::new()),
            Some(Ok((_, how))) => (KeyOutcome::Unchanged, id.clone(), how.word().to_owned()),
        }
    };
    rotations.iter().map(row).collect()
}
