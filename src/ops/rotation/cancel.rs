//! Canceling a rotation: the old key stays, and the successor is invalidated or left valid. A rotation of which no key
//! works any more is closed by it.

use std::sync::atomic::AtomicBool;

use super::{
    RotationProgress, check_cluster, closing_of,
    end::{cancel_fix, resume_fix, unlink},
    find_now, interrupted, is_me,
    lineage::{check_successor, standing_of},
    make::{end_strays, made_before, success},
    not_ended, note, save,
};
use crate::{
    model::{
        api_key::{ApiKey, KeyId},
        journal::Action,
        rotation::{KeyState, Lineage, Rotation, State, successor},
    },
    ops::{Problem, Session, clock, invalidate, journal::recorder::OutcomeEntry},
    store::rotation::RotationGuard,
};

/// Effect of canceling a rotation, as the cluster proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelPlan {
    /// Standing of the old key.
    pub old: KeyState,
    /// Standing of the successor; [`KeyState::Gone`] where none is known.
    pub successor: KeyState,
    /// Id of the successor that is invalidated; `None` where none is known, it has ended, or is left valid.
    pub ends: Option<KeyId>,
}

/// Checks all that canceling a rotation depends on, and changes nothing: what is shown beforehand is decided by the
/// same guard as the act. Only a key that would be invalidated has to be proved to be the successor.
///
/// # Errors
/// Returns the problem with which [`cancel`] would be refused now.
pub async fn check_cancel(session: &Session, rotation: &Rotation, keep: bool) -> Result<CancelPlan, Problem> {
    check_cluster(session, rotation).await?;
    let Some(id) = rotation.successor() else {
        // What was made for it is looked for, and would not be found.
        check_sees_successor(session, rotation)?;
        let old = standing(session, &rotation.old.id).await?;
        return Ok(CancelPlan { old, successor: KeyState::Gone, ends: None });
    };
    let old = standing(session, &rotation.old.id).await?;
    let successor = standing(session, id).await?;
    if keep || successor.has_ended() {
        return Ok(CancelPlan { old, successor, ends: None });
    }
    check_sees_successor(session, rotation)?;
    if old.has_ended() {
        let title =
            format!("The old key {} no longer works: without its successor, nobody could sign in", rotation.old.id);
        let hint = "Resume the rotation, or cancel it and keep the successor valid";
        let problem = Problem::new(&title, "").hint(hint).fix(resume_fix(rotation));
        return Err(problem.or(cancel_fix(rotation, true)));
    }
    if let Some(key) = find_now(session, id).await? {
        check_successor(rotation, &key)?;
    }
    Ok(CancelPlan { old, successor, ends: Some(id.clone()) })
}

/// Checks that the session can see the successor: a key that it can't see can't be invalidated, and would look as if it
/// did not exist.
fn check_sees_successor(session: &Session, rotation: &Rotation) -> Result<(), Problem> {
    let maker = &rotation.maker;
    if session.privileges.sees_all_keys() || is_me(session, &maker.username, &maker.realm) {
        return Ok(());
    }
    let title = format!(
        "The successor belongs to {}, and you don't have permission to see it. Nothing was done",
        maker.username
    );
    let hint = format!("Sign in as {}, or with the privilege manage_api_key", maker.username);
    Err(Problem::new(&title, "").hint(&hint))
}

/// Cancels a rotation: the successor is invalidated, or left valid when `keep` says so; the old key stays. A rotation
/// of which no key works any more is closed, and nothing is sent for it. Returns the successor's id if there was one.
///
/// # Errors
/// Returns a problem if the old key has ended and the successor works, or if the successor was not seen to be
/// invalidated.
pub async fn cancel(
    session: &Session,
    guard: &mut RotationGuard,
    keep: bool,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<Option<KeyId>, Problem> {
    if guard.rotation.is_finished() {
        guard.rotation.abandoned(keep, clock::now())?;
    }
    let plan = check_cancel(session, &guard.rotation, keep).await?;
    let known = guard.rotation.successor().cloned();
    let open = interrupted::open(session, &guard.rotation).await;
    let mut made = made_before(session, guard, plan.ends.is_some()).await?;
    if let Some(id) = &known {
        // Somebody may have the secret of a key that was made by the newest request, whatever is written down here as the
        // successor: only those of earlier requests are strays.
        let requests = &guard.rotation.requests;
        let earlier = &requests[..requests.len().saturating_sub(1)];
        let is_stray = |key: &ApiKey| successor::was_made_for(key, &guard.rotation.old.id, earlier);
        made.retain(|key| if key.id == *id { plan.ends.is_some() } else { is_stray(key) });
    }
    let keys: Vec<KeyId> = known.iter().cloned().collect();
    let intent = session.intend(Action::Rotate, &keys, note(&guard.rotation, "given up")).await?;
    if !keep && guard.rotation.lineage == Lineage::Written && !plan.old.has_ended() {
        unlink(session, guard, progress).await;
    }
    let result = match end_all_made(session, guard, made, progress).await {
        Ok(()) => {
            guard.rotation.abandoned(keep && !plan.successor.has_ended(), clock::now())?;
            save(guard)
        }
        Err(problem) => Err(problem),
    };
    let closing = result.as_ref().map_or_else(closing_of, |()| success());
    intent.close(OutcomeEntry { keys, ..closing }).await;
    if result.is_ok() {
        interrupted::close(session, &guard.rotation, open, progress).await;
    }
    result.map(|()| known)
}

/// Invalidates the successor of a rotation that is canceled, and the strays beside it. Only of strays nobody has the
/// secret: of the successor that is told by how far the rotation has come.
async fn end_all_made(
    session: &Session,
    guard: &mut RotationGuard,
    made: Vec<ApiKey>,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<(), Problem> {
    let known = guard.rotation.successor().cloned();
    let may_be_known = !matches!(guard.rotation.state, State::Planned | State::Created { .. });
    let (own, strays): (Vec<ApiKey>, Vec<ApiKey>) = made.into_iter().partition(|key| Some(&key.id) == known.as_ref());
    end_strays(session, guard, &strays, progress).await?;
    let ids: Vec<KeyId> = own.into_iter().filter(|key| !key.invalidated).map(|key| key.id).collect();
    let Some(id) = ids.first() else { return Ok(()) };
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    if outcome.done.contains(id) {
        progress(RotationProgress::SuccessorEnded { id: id.clone(), may_be_known });
        return Ok(());
    }
    let title = format!("The successor {id} is not confirmed as invalidated");
    Err(not_ended(&title, &outcome, "it was not sent").hint("Try again").fix(cancel_fix(&guard.rotation, false)))
}

/// Standing of a key as it is now; a key that isn't found counts as gone only for somebody who would see it.
async fn standing(session: &Session, id: &KeyId) -> Result<KeyState, Problem> {
    Ok(match find_now(session, id).await? {
        Some(key) => standing_of(session, &key).await?,
        None if session.privileges.sees_all_keys() => KeyState::Gone,
        None => KeyState::Unknown,
    })
}
