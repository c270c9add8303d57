//! The trial, the grace period, and the end of the old key: never before its successor is known to work.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;

use super::{
    Rights, RotationProgress, check_cluster, closing_of, compared, find, find_now, interrupted, is_me, is_mine,
    lineage::{check_grace_is_over, check_old_key, check_successor, others, rotated_already, standing_of},
    make::{check_unchanged, end_strays, made_by, success},
    not_ended, note, read, save, take,
};
use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        journal::Action,
        rotation::{Ended, KeyState, Lineage, Next, Rotation, State, Tried, successor},
        secret::Secret,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{
        Fix, Problem, Session, clock, invalidate,
        journal::recorder::OutcomeEntry,
        problem::ProblemKind,
        secret::try_key::{self, Trial},
        update,
    },
    store::rotation::{RotationGuard, Rotations},
};

/// Signs in with the successor. When that succeeds the grace period begins; [`link`] may follow. The trial is
/// `None` for a key that is restricted to a workflow, which may sign in and ask nothing.
///
/// # Errors
/// Returns a problem if the successor does not sign in; the old key is then not ended, now or later.
pub async fn try_it(session: &Session, guard: &mut RotationGuard, secret: &Secret) -> Result<Option<Trial>, Problem> {
    let key = usable_successor(session, &guard.rotation).await?;
    let (endpoint, policy) = (session.client.endpoint(), session.client.policy());
    let tried = try_key::try_key(endpoint, policy, &key.id, secret, key.role_descriptors.as_deref()).await;
    let trial = match tried {
        Ok(trial) => Some(trial),
        // Whoever is refused by the workflow has signed in (a wrong secret is a 401).
        Err(problem)
            if problem.kind == ProblemKind::Forbidden && successor::is_restricted(key.role_descriptors.as_deref()) =>
        {
            None
        }
        Err(problem) => {
            let title =
                format!("The successor {} does not work. Nothing was invalidated; the old key is unchanged", key.id);
            return Err(Problem::new(&title, &problem.words())
                .hint("Try again, or cancel the rotation")
                .fix(Fix::ResumeRotation(guard.rotation.id.clone()))
                .or(cancel_fix(&guard.rotation, false)));
        }
    };
    let told = trial.as_ref().and_then(|trial| trial.identity.api_key.as_ref());
    if told.is_some_and(|(id, _)| *id != key.id) {
        return Err(Problem::new("The cluster took the secret as that of another key. Nothing was invalidated", ""));
    }
    begin_grace(session, guard, Tried::Live).await?;
    Ok(trial)
}

/// Begins the grace period on a person's confirmation that they have the secret, if it can't be tried here.
///
/// # Errors
/// Returns a problem if the successor can't be used.
pub async fn said(session: &Session, guard: &mut RotationGuard) -> Result<(), Problem> {
    usable_successor(session, &guard.rotation).await?;
    begin_grace(session, guard, Tried::Said).await
}

async fn begin_grace(session: &Session, guard: &mut RotationGuard, tried: Tried) -> Result<(), Problem> {
    let step = if tried == Tried::Live { "handed over and tried" } else { "handed over, as a person says" };
    let keys: Vec<KeyId> = guard.rotation.successor().cloned().into_iter().collect();
    let intent = session.intend(Action::Rotate, &keys, note(&guard.rotation, step)).await?;
    guard.rotation.tried(tried, clock::now())?;
    let saved = save(guard);
    let closing = saved.as_ref().map_or_else(closing_of, |()| success());
    intent.close(OutcomeEntry { keys, ..closing }).await;
    saved
}

pub(super) fn cancel_fix(rotation: &Rotation, keep_successor: bool) -> Fix {
    Fix::CancelRotation { id: rotation.id.clone(), keep_successor }
}

/// The successor, if it can be signed in with and is proved to be one.
async fn usable_successor(session: &Session, rotation: &Rotation) -> Result<ApiKey, Problem> {
    let key = working_successor(session, rotation).await?;
    check_successor(rotation, &key)?;
    Ok(key)
}

/// The key that is written down as the successor, if it can be signed in with.
async fn working_successor(session: &Session, rotation: &Rotation) -> Result<ApiKey, Problem> {
    let id = rotation.successor().cloned().unwrap_or_default();
    let found = find(session, &id).await?;
    let state = match &found {
        Some(key) => standing_of(session, key).await?,
        None => KeyState::Gone,
    };
    let why = match (state, found) {
        (_, None) | (KeyState::Gone, _) => "the cluster no longer has it, or you don't have permission to see it",
        (KeyState::Invalidated, _) => "someone invalidated it",
        (KeyState::Expired, _) => "it has expired",
        (KeyState::Valid | KeyState::Unknown, Some(key)) => return Ok(key),
    };
    let title = format!("The successor {id} can't be used: {why}. Nothing was invalidated; the old key is unchanged");
    Err(Problem::new(&title, "").hint("Cancel the rotation, then start again").fix(cancel_fix(rotation, false)))
}

/// Writes the successor into the old key's metadata where that changes nothing else: every update takes the
/// snapshot of the owner's rights anew (as seen on 8.19 and 9.5). Done once; when it can't be done that is told
/// and written down, and is no reason to stop.
///
/// # Errors
/// Returns a problem if the state of the rotation can't be written.
pub async fn link(
    session: &Session,
    guard: &mut RotationGuard,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<(), Problem> {
    if guard.rotation.lineage != Lineage::Open {
        return Ok(());
    }
    guard.rotation.lineage = match written(session, guard).await {
        Ok(()) => {
            progress(RotationProgress::LineageWritten);
            Lineage::Written
        }
        Err(why) => {
            progress(RotationProgress::LineageNotWritten(why.clone()));
            Lineage::NotWritten { why }
        }
    };
    save(guard)
}

async fn written(session: &Session, guard: &RotationGuard) -> Result<(), String> {
    let (old, new) = both(session, guard).await?;
    let metadata = successor::naming_successor(&old, &new.id).ok_or("its metadata is not known")?;
    put(session, &old, metadata).await
}

/// Removes the successor of a canceled rotation from the old key's metadata, under the same conditions as [`link`].
pub(super) async fn unlink(
    session: &Session,
    guard: &mut RotationGuard,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) {
    let taken_out = async {
        let (old, new) = both(session, guard).await?;
        match successor::not_naming(&old, &new.id) {
            Some(metadata) => put(session, &old, metadata).await,
            None => Ok(()),
        }
    };
    if let Err(why) = taken_out.await {
        progress(RotationProgress::LineageStays(why));
    }
}

/// Both keys, where an update of the old one would change nothing but what it is asked to.
async fn both(session: &Session, guard: &RotationGuard) -> Result<(ApiKey, ApiKey), String> {
    if !session.has(Feature::Update) {
        return Err(ClientError::Lacks(Feature::Update).to_string());
    }
    let new = guard.rotation.successor().cloned().unwrap_or_default();
    let read = (find(session, &guard.rotation.old.id).await, find(session, &new).await);
    let (Ok(Some(old)), Ok(Some(new))) = read else { return Err("the keys could not be read".into()) };
    if !is_mine(session, &old) {
        return Err(format!("only its owner {} can write it", old.owner.username));
    }
    match (old.limited_by.as_deref(), new.limited_by.as_deref()) {
        (Some(then), Some(today)) if matches!(compared(then, today), Rights::Same) => Ok((old, new)),
        (Some(_), Some(_)) => {
            Err("an update would capture the owner's current privileges, which differ from those in it".into())
        }
        _ => Err("it is not known whether an update would change the privileges in it".into()),
    }
}

async fn put(session: &Session, old: &ApiKey, metadata: Box<RawValue>) -> Result<(), String> {
    let change = KeyUpdate { metadata: Some(metadata), ..KeyUpdate::default() };
    let outcome = update::update(session, std::slice::from_ref(&old.id), &change).await;
    outcome.failed.into_iter().next().map_or(Ok(()), |(_, failure)| Err(failure.to_string()))
}

/// Effect of ending a rotation, as the cluster proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndPlan {
    /// Record only: the old key has ended already, and nothing is sent.
    File(Ended),
    /// Invalidation of the old key.
    Invalidate,
}

/// Result of looking at both keys of a rotation that is to be ended.
struct Judged {
    plan: EndPlan,
    successor: ApiKey,
    /// Problem if the successor is not proved to be one; only if the old key has ended without it.
    doubt: Option<Problem>,
}

/// Checks everything that ending a rotation depends on, and changes nothing: the preview is decided by the same guard
/// as the operation.
///
/// # Errors
/// Returns the problem with which [`end`] would be refused now.
pub async fn check_end(session: &Session, rotation: &Rotation) -> Result<EndPlan, Problem> {
    Ok(judge(session, rotation, &mut false).await?.plan)
}

/// Looks at both keys. `seen_valid` is `true` once the old key was seen to work: then its absence proves nothing.
async fn judge(session: &Session, rotation: &Rotation, seen_valid: &mut bool) -> Result<Judged, Problem> {
    check_cluster(session, rotation).await?;
    let id = &rotation.old.id;
    let old = match find_now(session, id).await? {
        // Only reading it by itself tells what it is now, and not a second ago.
        Some(old) if !old.invalidated => Some(read(session, id).await?),
        other => other,
    };
    let successor = working_successor(session, rotation).await?;
    let proved = check_successor(rotation, &successor);
    // Nothing is sent for a key that has ended, so that nothing has to be proved of the other one.
    let file =
        |how, doubt: Result<(), Problem>, successor| Judged { plan: EndPlan::File(how), successor, doubt: doubt.err() };
    let Some(old) = old else {
        check_gone(session, rotation, *seen_valid).await?;
        return Ok(file(Ended::Gone, proved, successor));
    };
    if old.invalidated {
        check_old_key(rotation, &old)?;
        let is_cut = matches!(rotation.state, State::Ending { .. });
        return Ok(file(if is_cut { Ended::Invalidated } else { Ended::Before }, proved, successor));
    }
    proved?;
    check_old_key(rotation, &old)?;
    check_unchanged(rotation, &old)?;
    // An old key that has expired leaves nothing to wait for: only the cluster itself can say so.
    if standing_of(session, &old).await? != KeyState::Expired {
        *seen_valid = true;
        check_grace_is_over(session, rotation, &successor).await?;
    }
    let live = others(session, rotation, &old).await?;
    if !live.is_empty() {
        let Problem { title, .. } = rotated_already(id, &live);
        let detail =
            format!("In addition to {}, the successor of this rotation. Nothing was invalidated", successor.id);
        let hint = "Find out which one is intended, and cancel the other rotation";
        return Err(Problem::new(&title, &detail).hint(hint).fix(cancel_fix(rotation, false)));
    }
    Ok(Judged { plan: EndPlan::Invalidate, successor, doubt: None })
}

/// Invalidates the old key and reads it again; if it has ended already, that is only recorded. The caller is
/// responsible for the confirmation. This function checks that the rotation is due by both clocks, that both keys
/// belong to it, and that the same cluster answers before and after.
///
/// # Errors
/// Returns a problem if the old key was not seen to be ended. The state is saved, and the rotation can be resumed.
pub async fn end(
    session: &Session,
    guard: &mut RotationGuard,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<Ended, Problem> {
    if !matches!(guard.rotation.state, State::Grace { .. } | State::Ending { .. }) {
        guard.rotation.ending()?; // which says what is wrong
    }
    let mut judged = judge(session, &guard.rotation, &mut guard.old_seen_valid).await?;
    let links = judged.plan == EndPlan::Invalidate && guard.rotation.lineage == Lineage::Open;
    if links {
        link(session, guard, progress).await?;
    }
    // Of earlier requests, and of the newest one if something on the way sent it more than once.
    let late = made_by(session, &guard.rotation.old.id, &guard.rotation.requests).await?;
    let late: Vec<ApiKey> = late.into_iter().filter(|key| key.id != judged.successor.id).collect();
    end_strays(session, guard, &late, progress).await?;
    if links || late.iter().any(|key| !key.invalidated) {
        // That took a while: what counts is how both keys are just before the request.
        judged = judge(session, &guard.rotation, &mut guard.old_seen_valid).await?;
    }

    let id = guard.rotation.old.id.clone();
    let how = match judged.plan {
        EndPlan::File(how) => how,
        EndPlan::Invalidate => {
            invalidated(session, guard, &id).await?;
            Ended::Invalidated
        }
    };
    // What was read is a proof only if it came from the cluster of this rotation.
    check_cluster(session, &guard.rotation).await?;
    if let Some(doubt) = judged.doubt {
        progress(RotationProgress::NotProved(doubt.words()));
    }
    let keys = [id.clone(), judged.successor.id];
    let intent = session.intend(Action::Rotate, &keys, note(&guard.rotation, "done")).await?;
    guard.rotation.done(clock::now(), how)?;
    let saved = save(guard);
    let closing = saved.as_ref().map_or_else(closing_of, |()| success());
    intent.close(OutcomeEntry { keys: keys.to_vec(), ..closing }).await;
    saved?;
    Ok(how)
}

/// Outcome of a rotation that was to be ended.
#[derive(Debug)]
pub struct EndOutcome {
    /// Id of the rotation.
    pub id: String,
    /// Rotation at its end and the way in which its old key ended, or the problem.
    pub result: Result<(Rotation, Ended), Problem>,
}

/// Ends the old keys of rotations that are due, one after the other; a failure of one does not stop the others. `stop`
/// is checked between two; rotations not begun have no outcome. `report` receives the progress, and `progress` each
/// outcome.
pub async fn end_all(
    session: &Session,
    rotations: &Rotations,
    ids: &[String],
    stop: &AtomicBool,
    report: &mut (dyn FnMut(RotationProgress) + Send),
    progress: &mut (dyn FnMut(&EndOutcome) + Send),
) -> Vec<EndOutcome> {
    let mut outcomes = Vec::new();
    for id in ids {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let outcome = EndOutcome { id: id.clone(), result: end_due(session, rotations, id, report).await };
        progress(&outcome);
        outcomes.push(outcome);
    }
    outcomes
}

async fn end_due(
    session: &Session,
    rotations: &Rotations,
    id: &str,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<(Rotation, Ended), Problem> {
    let mut guard = take(rotations, id)?;
    // Somebody else may have gone on with it meanwhile.
    let is_in_turn = matches!(guard.rotation.next(clock::now()), Next::End | Next::Wait(_));
    if !is_in_turn {
        return Err(Problem::new(&format!("Rotation {id} is no longer due"), ""));
    }
    let open = interrupted::open(session, &guard.rotation).await;
    let how = end(session, &mut guard, progress).await?;
    interrupted::close(session, &guard.rotation, open, progress).await;
    Ok((guard.rotation.clone(), how))
}

/// A key that isn't found is only gone for somebody who would see it, on the cluster of the rotation, and when it was
/// not there a moment ago: clusters keep invalidated and expired keys for days.
async fn check_gone(session: &Session, rotation: &Rotation, seen_valid: bool) -> Result<(), Problem> {
    check_cluster(session, rotation).await?;
    let (id, owner) = (&rotation.old.id, &rotation.old.owner);
    let is_there = find(session, id).await?.is_some();
    if is_there || seen_valid {
        let title =
            format!("{id} can no longer be found, although it was valid a moment ago. Nothing was recorded as done");
        let detail = match is_there {
            true => "The cluster returns it by id but not in a query",
            false => "The same address may lead to several clusters, or to one that was restored to an earlier state",
        };
        let problem = Problem::new(&title, detail).hint("Check the cluster, then resume the rotation");
        return Err(problem.fix(resume_fix(rotation)));
    }
    if session.privileges.sees_all_keys() || is_me(session, &owner.username, &owner.realm) {
        return Ok(());
    }
    let title = format!("You can't see {id}, so nothing can be verified");
    Err(Problem::new(&title, "").hint(&format!("Sign in as {}, or with the privilege manage_api_key", owner.username)))
}

pub(super) fn resume_fix(rotation: &Rotation) -> Fix {
    Fix::ResumeRotation(rotation.id.clone())
}

async fn invalidated(session: &Session, guard: &mut RotationGuard, id: &KeyId) -> Result<(), Problem> {
    guard.rotation.ending()?;
    save(guard)?;
    let outcome =
        invalidate::invalidate(session, std::slice::from_ref(id), false, &AtomicBool::new(false), |_| ()).await;
    if outcome.done.contains(id) {
        return Ok(());
    }
    let title = format!("The old key {id} is not confirmed as invalidated");
    let problem = not_ended(&title, &outcome, "it is the key you are signed in with");
    Err(problem.hint("Both keys may still work. Try again").fix(resume_fix(&guard.rotation)))
}
