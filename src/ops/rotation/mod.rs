//! Rotating a key: a successor is created, handed over and tried, both keys work during a grace period, then the old
//! key is invalidated and read again. Each step is saved before the next one is taken, so that an interrupted rotation
//! can be resumed on the same machine, even on another day.
//!
//! [`plan`](plan::plan) plans the rotation of a key; [`driver`] takes a rotation from one state to the next, for the
//! window and the command line alike. What differs between them is an [`Interaction`]. The single steps: [`begin`],
//! [`make()`], [`hand_over_begins`], [`handed_over`], [`try_it`], and when it is due [`end()`]. After an interruption
//! [`recover`] finds out what is true. [`lineage`] proves from the cluster that two keys belong together.

pub mod batch;
mod cancel;
pub mod cancel_plans;
mod checks;
pub mod destination;
pub mod driver;
mod end;
pub mod interaction;
mod interrupted;
mod lineage;
mod make;
pub mod outcomes;
pub mod overview;
mod plan;
mod progress;
pub mod recovery;

pub use cancel::{CancelPlan, cancel, check_cancel};
pub use end::{EndOutcome, EndPlan, check_end, end, end_all, link, said, try_it};
pub use interaction::{Delivery, Interaction, OpenDestination};
pub use lineage::{KeyStates, LiveSuccessor, states};
pub use make::{CreatedSuccessor, DestinationContent, hand_over_begins, hand_over_failed, handed_over, make};
pub use plan::{Consent, Objection, RotationOptions, RotationPlan, begin, plan};
pub use progress::{Rights, RotationProgress, change_words};
pub use recovery::{Recovery, RecoveryChoice, recover};

use serde_json::{Value, json, value::RawValue};

use plan::unwritable;

use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        journal::Verdict,
        rotation::{ClusterRef, OutOfTurn, Rotation, successor},
        text::sentence,
        version::Feature,
    },
    ops::{
        Fix, Outcome, Problem, ProblemKind, Session, connections::cluster_identity, journal::recorder::OutcomeEntry,
        keys::list,
    },
    store::rotation::{RotationGuard, Rotations},
};

/// Reads the identity of the cluster that answers.
///
/// # Errors
/// Returns an error if the cluster can't be asked. Without the privilege to ask, the cluster is identified by its
/// address.
pub async fn cluster_of(session: &Session) -> Result<ClusterRef, Problem> {
    Ok(cluster_identity::current(session).await?)
}

/// Locks a rotation, so that no other program continues it.
///
/// # Errors
/// Returns a problem if no rotation has this id, if its state can't be read, or while another program holds it.
pub fn take(rotations: &Rotations, id: &str) -> Result<RotationGuard, Problem> {
    rotations.lock(id).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let detail = format!("The rotations on this machine are in {}", rotations.folder().display());
            Problem::new(&format!("Rotation {id} is not known here"), &detail).fix(Fix::ListRotations)
        }
        _ => Problem::new(&format!("Rotation {id} can’t be resumed"), &sentence::capitalized(&error.to_string()))
            .fix(Fix::ListRotations),
    })
}

/// Checks that the cluster that answers now is the rotation's. It is asked each time: a proxy may lead to another
/// cluster between two requests.
///
/// # Errors
/// Returns a problem that names both clusters if another one answers, or if the cluster reported a UUID at sign-in and
/// reports none now.
pub async fn check_cluster(session: &Session, rotation: &Rotation) -> Result<(), Problem> {
    let here = cluster_of(session).await?;
    if session.cluster_uuid.is_some() && here.uuid.is_none() {
        let title = "It is no longer known which cluster responds. Nothing was done";
        let detail = "It reported its uuid at sign-in but does not report it now";
        return Err(Problem::new(title, detail).fix(Fix::Retry));
    }
    if rotation.cluster.is_same(&here) {
        return Ok(());
    }
    let title = format!("Rotation {} belongs to another cluster. Nothing was done", rotation.id);
    let there = rotation.cluster.name.as_deref().unwrap_or("one without a known name");
    let detail = format!(
        "It was started on {there} at {}, but {} responds at {}",
        rotation.cluster.url,
        here.name.as_deref().unwrap_or("another one"),
        here.url
    );
    Err(Problem::new(&title, &detail).hint("Connect to that cluster").fix(Fix::EditConnection))
}

/// `true` if a key belongs to the user who is signed in, or to the run-as user. With run-as, the reported realm is that
/// of the user who signed in (as seen on 9.5.3).
fn is_mine(session: &Session, key: &ApiKey) -> bool {
    is_me(session, &key.owner.username, &key.owner.realm)
}

/// `true` if the session is signed in as this user; with run-as only the username is compared, because the user's realm
/// is not reported.
fn is_me(session: &Session, username: &str, realm: &str) -> bool {
    let acts_as_another = session.client.endpoint().run_as.is_some();
    let me = &session.identity;
    username == me.username && (acts_as_another || realm == me.realm)
}

/// Reads a key, with its owner's snapshot if the cluster returns it; a missing key is an error.
async fn read(session: &Session, id: &KeyId) -> Result<ApiKey, Problem> {
    find(session, id).await?.ok_or_else(|| {
        let seen =
            if session.sees_own_only() { "You can see only your own keys" } else { "The cluster has no such key" };
        Problem::new(&format!("There is no key {id}"), seen)
            .hint("Expired and invalidated keys are removed after a while")
    })
}

async fn find(session: &Session, id: &KeyId) -> Result<Option<ApiKey>, ClientError> {
    let own = session.sees_own_only();
    if session.has(Feature::LimitedBy) {
        match session.client.get_api_key_with_limits(id, own).await {
            // The version was not told.
            Err(ClientError::Lacks(_) | ClientError::Rejected { status: 400, .. }) => {}
            answer => return answer,
        }
    }
    session.client.get_api_key(id, own).await
}

/// Reads a key by a query, the way in which other proofs read it; `None` if there is none.
async fn find_now(session: &Session, id: &KeyId) -> Result<Option<ApiKey>, ClientError> {
    let found = list::by_id(session, std::slice::from_ref(id)).await?;
    match (found.keys.into_iter().find(|key| key.id == *id), found.unreadable.kept().first()) {
        // It is there, so nothing may be concluded from its not being found.
        (None, Some(odd)) => Err(ClientError::Unreadable { status: 200, reason: format!("{id}: {}", odd.reason) }),
        (key, _) => Ok(key),
    }
}

/// Problem of keys that were not seen to be invalidated. It is not known whether they are where a request may still be
/// carried out. The reason that the cluster gives for the first of them is the detail.
fn not_ended(title: &str, outcome: &Outcome, unsent: &str) -> Problem {
    let reason = outcome.failed.first().map_or_else(|| unsent.to_owned(), |(_, failure)| failure.to_string());
    let kind = if outcome.unknown() > 0 { ProblemKind::NotKnown } else { ProblemKind::Failed };
    Problem { kind, ..Problem::new(title, &sentence::capitalized(&reason)) }
}

/// Outcome of a step that ended with a problem: as certain as the problem is.
fn closing_of(problem: &Problem) -> OutcomeEntry {
    let verdict = if problem.kind == ProblemKind::NotKnown { Verdict::Unknown } else { Verdict::Failure };
    OutcomeEntry { verdict, reason: Some(problem.words()), ..OutcomeEntry::default() }
}

fn compared(then: &RawValue, now: &RawValue) -> Rights {
    let changes = successor::snapshot_changes(then, now);
    if changes.is_empty() { Rights::Same } else { Rights::Differ(changes) }
}

/// Returns the details of a step for the journal.
fn note(rotation: &Rotation, step: &str) -> Option<Value> {
    Some(json!({
        "rotation": rotation.id,
        "step": step,
        "request": rotation.request(),
        "old": rotation.old.id,
        "successor": rotation.successor(),
        "grace": rotation.grace,
        "batch": rotation.batch,
    }))
}

fn save(guard: &mut RotationGuard) -> Result<(), Problem> {
    guard.save().map_err(|error| {
        let folder = guard.path();
        unwritable(folder.parent().unwrap_or(&folder), &error)
    })
}

impl From<OutOfTurn> for Problem {
    fn from(error: OutOfTurn) -> Self {
        Problem::new("The rotation is not in a state for this", &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        TimeDelta, Timestamp,
        rotation::{Beginning, Destination, OldKey, Person},
    };

    fn sent<F: Future + Send>(future: F) -> F {
        future
    }

    /// Only has to compile: the worker carries its tasks from thread to thread.
    async fn steps(session: &Session, guard: &mut RotationGuard, rotations: &Rotations) -> Result<(), Problem> {
        let mut progress = |_: RotationProgress| ();
        sent(plan(session, &[], &KeyId::default(), &RotationOptions::default())).await?;
        let made = sent(make(session, guard, &mut progress)).await?;
        sent(try_it(session, guard, &made.created.secret)).await?;
        sent(recover(session, guard, &DestinationContent::Empty, RecoveryChoice::None, &mut progress)).await?;
        sent(end_all(session, rotations, &[], &false.into(), &mut progress, &mut |_| ())).await;
        sent(cancel(session, guard, false, &mut progress)).await.map(drop)
    }

    #[test]
    fn a_worker_can_take_the_steps() {
        let _ = steps;
    }

    #[test]
    fn a_key_that_is_being_rotated_here_is_not_rotated_again() {
        let here = ClusterRef { uuid: Some("u".into()), ..ClusterRef::default() };
        let rotation = Rotation::new(Beginning {
            id: "later".into(),
            batch: None,
            cluster: here.clone(),
            at: Timestamp::EPOCH,
            old: OldKey::default(),
            maker: Person::default(),
            name: String::new(),
            expiration: "1d".into(),
            grace: TimeDelta::ZERO,
            place: Destination::Stdout,
            request: String::new(),
        });
        let all = [rotation];
        let problem = crate::ops::rotation::checks::check_underway(&all, &here, &KeyId::default()).unwrap_err();
        assert!(problem.fixes.contains(&Fix::ResumeRotation("later".into())), "{problem:?}");
        assert!(crate::ops::rotation::checks::check_underway(&all, &here, &KeyId::new("other")).is_ok());
        let there = ClusterRef { uuid: Some("v".into()), ..ClusterRef::default() };
        assert!(crate::ops::rotation::checks::check_underway(&all, &there, &KeyId::default()).is_ok());
    }
}
