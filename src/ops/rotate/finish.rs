//! The trial, the grace period, and the end of the old key: never before its successor is known to work.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;

use super::{
    News, Rights, check_cluster, compared, find, find_now, interrupted, is_me, is_mine,
    lineage::{check_grace_is_over, check_old_key, check_successor, others, rotated_already},
    make::{check_unchanged, end_strays, made_before, made_by, success},
    note, read, save, take,
};
use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        expiry::Status,
        journal::{Action, Verdict},
        rotation::{Ended, KeyState, Lineage, Next, Rotation, State, Tried},
        secret::Secret,
        successor,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{
        Fix, Problem, Session, clock, invalidate,
        journal::Closing,
        problem::ProblemKind,
        update,
        verify::{self, Trial},
    },
    store::rotations::{Held, Rotations},
};

/// Signs in with the successor. When that succeeds the grace period begins; [`link`] may follow. The trial is
/// `None` for a key that is restricted to a workflow, which may sign in and ask nothing.
///
/// # Errors
/// When it doesn't sign in: then nothing is ended, now or later.
pub async fn try_it(session: &Session, held: &mut Held, secret: &Secret) -> Result<Option<Trial>, Problem> {
    let key = usable_successor(session, held).await?;
    let tried = verify::try_key(session.client.endpoint(), &key.id, secret, key.role_descriptors.as_deref()).await;
    let trial = match tried {
        Ok(trial) => Some(trial),
        // Whoever is refused by the workflow has signed in (a wrong secret is a 401).
        Err(problem)
            if problem.kind == ProblemKind::Forbidden && successor::is_restricted(key.role_descriptors.as_deref()) =>
        {
            None
        }
        Err(problem) => {
            let title = format!("The successor {} does not work. Nothing is ended, the old key stays", key.id);
            return Err(Problem::new(&title, &problem.words())
                .hint("Try again, or give the rotation up")
                .fix(Fix::ResumeRotation(held.rotation.id.clone()))
                .or(cancel_fix(held, false)));
        }
    };
    let told = trial.as_ref().and_then(|trial| trial.identity.api_key.as_ref());
    if told.is_some_and(|(id, _)| *id != key.id) {
        return Err(Problem::new("The cluster took the secret for another key's. Nothing is ended", ""));
    }
    begin_grace(session, held, Tried::Live).await?;
    Ok(trial)
}

/// Begins the grace period on a person's word, where the secret can't be tried here.
///
/// # Errors
/// When the successor can't be used.
pub async fn said(session: &Session, held: &mut Held) -> Result<(), Problem> {
    usable_successor(session, held).await?;
    begin_grace(session, held, Tried::Said).await
}

async fn begin_grace(session: &Session, held: &mut Held, tried: Tried) -> Result<(), Problem> {
    let step = if tried == Tried::Live { "handed over and tried" } else { "handed over, as a person says" };
    let keys: Vec<KeyId> = held.rotation.successor().cloned().into_iter().collect();
    let intent = session.intend(Action::Rotate, &keys, note(&held.rotation, step)).await?;
    held.rotation.tried(tried, clock::now())?;
    let saved = save(held);
    let closing = if saved.is_ok() { success() } else { Closing { verdict: Verdict::Failure, ..Closing::default() } };
    intent.close(Closing { keys, ..closing }).await;
    saved
}

fn cancel_fix(held: &Held, keep_successor: bool) -> Fix {
    Fix::CancelRotation { id: held.rotation.id.clone(), keep_successor }
}

/// The successor, if it can be signed in with and is proved to be one.
async fn usable_successor(session: &Session, held: &Held) -> Result<ApiKey, Problem> {
    let id = held.rotation.successor().cloned().unwrap_or_default();
    let found = find(session, &id).await?;
    let why = match found.as_ref().map(|key| key.status(session.now())) {
        None => "the cluster knows it no more, or you may not see it",
        Some(Status::Invalidated) => "somebody has invalidated it",
        Some(Status::Expired) => "it has expired",
        Some(_) => {
            let key = found.unwrap_or_default();
            check_successor(&held.rotation, &key)?;
            return Ok(key);
        }
    };
    let title = format!("The successor {id} can't be used: {why}. Nothing is ended, the old key stays");
    Err(Problem::new(&title, "").hint("Give the rotation up, then begin again").fix(cancel_fix(held, false)))
}

/// Writes the successor into the old key's metadata where that changes nothing else: every update takes the
/// snapshot of the owner's rights anew (as seen on 8.19 and 9.5). Done once; when it can't be done that is told
/// and written down, and is no reason to stop.
///
/// # Errors
/// When the rotation's own state can't be written.
pub async fn link(session: &Session, held: &mut Held, tell: &mut (dyn FnMut(News) + Send)) -> Result<(), Problem> {
    if held.rotation.lineage != Lineage::Open {
        return Ok(());
    }
    held.rotation.lineage = match written(session, held).await {
        Ok(()) => {
            tell(News::LineageWritten);
            Lineage::Written
        }
        Err(why) => {
            tell(News::LineageNotWritten(why.clone()));
            Lineage::NotWritten { why }
        }
    };
    save(held)
}

async fn written(session: &Session, held: &Held) -> Result<(), String> {
    let (old, new) = both(session, held).await?;
    let metadata = successor::naming_successor(&old, &new.id).ok_or("its metadata is not known")?;
    put(session, &old, metadata).await
}

/// Takes a successor that is given up out of the old key's metadata again, under the same conditions.
async fn unlink(session: &Session, held: &mut Held, tell: &mut (dyn FnMut(News) + Send)) {
    let taken_out = async {
        let (old, new) = both(session, held).await?;
        match successor::not_naming(&old, &new.id) {
            Some(metadata) => put(session, &old, metadata).await,
            None => Ok(()),
        }
    };
    if let Err(why) = taken_out.await {
        tell(News::LineageStays(why));
    }
}

/// Both keys, where an update of the old one would change nothing but what it is asked to.
async fn both(session: &Session, held: &Held) -> Result<(ApiKey, ApiKey), String> {
    if !session.has(Feature::Update) {
        return Err(ClientError::Lacks(Feature::Update).to_string());
    }
    let new = held.rotation.successor().cloned().unwrap_or_default();
    let read = (find(session, &held.rotation.old.id).await, find(session, &new).await);
    let (Ok(Some(old)), Ok(Some(new))) = read else { return Err("the keys could not be read".into()) };
    if !is_mine(session, &old) {
        return Err(format!("only its owner {} could write it", old.owner.username));
    }
    match (old.limited_by.as_deref(), new.limited_by.as_deref()) {
        (Some(then), Some(today)) if matches!(compared(then, today), Rights::Same) => Ok((old, new)),
        (Some(_), Some(_)) => {
            Err("an update would take the owner's rights of today, which are others than those in it".into())
        }
        _ => Err("it is not known whether an update would change the rights in it".into()),
    }
}

async fn put(session: &Session, old: &ApiKey, metadata: Box<RawValue>) -> Result<(), String> {
    let change = KeyUpdate { metadata: Some(metadata), ..KeyUpdate::default() };
    let outcome = update::update(session, std::slice::from_ref(&old.id), &change).await;
    outcome.failed.into_iter().next().map_or(Ok(()), |(_, failure)| Err(failure.to_string()))
}

/// Invalidates the old key and reads it again. That it is meant is the caller's business; that it is due by both
/// clocks, that both keys are those of the rotation, and that the same cluster answers before and after it, is not.
///
/// # Errors
/// When the old key was not seen to be ended. What was begun is written down, and can be gone on with.
pub async fn end(session: &Session, held: &mut Held, tell: &mut (dyn FnMut(News) + Send)) -> Result<Ended, Problem> {
    if !matches!(held.rotation.state, State::Grace { .. } | State::Ending { .. }) {
        held.rotation.ending()?; // which says what is wrong
    }
    check_cluster(session, &held.rotation).await?;
    let successor = usable_successor(session, held).await?;
    link(session, held, tell).await?;
    let given_up = held.rotation.requests.len().saturating_sub(1);
    let late = made_by(session, &held.rotation.old.id, &held.rotation.requests[..given_up]).await?;
    let late: Vec<ApiKey> = late.into_iter().filter(|key| key.id != successor.id).collect();
    end_strays(session, held, &late, tell).await?;

    let id = held.rotation.old.id.clone();
    let how = match find_now(session, &id).await? {
        None => {
            check_gone(session, held).await?;
            Ended::Gone
        }
        Some(old) if old.invalidated => {
            check_old_key(&held.rotation, &old)?;
            if matches!(held.rotation.state, State::Ending { .. }) { Ended::Invalidated } else { Ended::Before }
        }
        Some(_) => {
            // Only reading it by itself tells what it is now, and not a second ago.
            let old = read(session, &id).await?;
            check_old_key(&held.rotation, &old)?;
            check_unchanged(held, &old)?;
            if KeyState::of(&old, session.now()) == KeyState::Valid {
                held.old_seen_valid = true;
                check_grace_is_over(session, held, &successor).await?;
            }
            let live = others(session, held, &old).await?;
            if !live.is_empty() {
                let Problem { title, .. } = rotated_already(&id, &live);
                let detail = format!("Besides {}, the successor of this rotation. Nothing is ended", successor.id);
                let hint = "Find out which of them is meant, and give the other rotation up";
                return Err(Problem::new(&title, &detail).hint(hint).fix(cancel_fix(held, false)));
            }
            invalidated(session, held, &id).await?;
            Ended::Invalidated
        }
    };
    // What was read is a proof only if it came from the cluster of this rotation.
    check_cluster(session, &held.rotation).await?;
    let keys = [id.clone(), successor.id];
    let intent = session.intend(Action::Rotate, &keys, note(&held.rotation, "done")).await?;
    held.rotation.done(clock::now(), how)?;
    let saved = save(held);
    let closing = if saved.is_ok() { success() } else { Closing { verdict: Verdict::Failure, ..Closing::default() } };
    intent.close(Closing { keys: keys.to_vec(), ..closing }).await;
    saved?;
    Ok(how)
}

/// What became of a rotation that was to be ended.
#[derive(Debug)]
pub struct Fate {
    /// Of the rotation.
    pub id: String,
    /// The rotation at its end, or why it isn't there.
    pub result: Result<(Rotation, Ended), Problem>,
}

/// Ends the old keys of rotations that are due, one after the other; a failure of one leaves the others. Between
/// two it can be stopped: those that are left have no fate.
pub async fn end_all(
    session: &Session,
    rotations: &Rotations,
    ids: &[String],
    stop: &AtomicBool,
    tell: &mut (dyn FnMut(News) + Send),
    progress: &mut (dyn FnMut(&Fate) + Send),
) -> Vec<Fate> {
    let mut fates = Vec::new();
    for id in ids {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let fate = Fate { id: id.clone(), result: end_due(session, rotations, id, tell).await };
        progress(&fate);
        fates.push(fate);
    }
    fates
}

async fn end_due(
    session: &Session,
    rotations: &Rotations,
    id: &str,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<(Rotation, Ended), Problem> {
    let mut held = take(rotations, id)?;
    // Somebody else may have gone on with it meanwhile.
    let is_in_turn = matches!(held.rotation.next(clock::now()), Next::End | Next::Wait(_));
    if !is_in_turn {
        return Err(Problem::new(&format!("Rotation {id} is not due any more"), ""));
    }
    let open = interrupted::open(session, &held.rotation).await;
    let how = end(session, &mut held, tell).await?;
    interrupted::close(session, &held.rotation, open, tell).await;
    Ok((held.rotation.clone(), how))
}

/// A key that isn't found is only gone for somebody who would see it, on the cluster of the rotation, and when it was
/// not there a moment ago: clusters keep invalidated and expired keys for days.
async fn check_gone(session: &Session, held: &Held) -> Result<(), Problem> {
    check_cluster(session, &held.rotation).await?;
    let (id, owner) = (&held.rotation.old.id, &held.rotation.old.owner);
    let is_there = find(session, id).await?.is_some();
    if is_there || held.old_seen_valid {
        let title = format!("{id} is not found any more, and was valid a moment ago. Nothing is filed as done");
        let detail = match is_there {
            true => "The cluster tells it by its id and not by a query",
            false => "The same address may lead to several clusters, or to one that was put back to an earlier state",
        };
        return Err(Problem::new(&title, detail).hint("Look at the cluster, then go on").fix(resume_fix(held)));
    }
    if session.privileges.sees_all_keys() || is_me(session, &owner.username, &owner.realm) {
        return Ok(());
    }
    let title = format!("{id} can't be seen by you, so that nothing can be proved");
    Err(Problem::new(&title, "").hint(&format!("Sign in as {}, or with the privilege manage_api_key", owner.username)))
}

fn resume_fix(held: &Held) -> Fix {
    Fix::ResumeRotation(held.rotation.id.clone())
}

async fn invalidated(session: &Session, held: &mut Held, id: &KeyId) -> Result<(), Problem> {
    held.rotation.ending()?;
    save(held)?;
    let outcome =
        invalidate::invalidate(session, std::slice::from_ref(id), false, &AtomicBool::new(false), |_| ()).await;
    if outcome.done.contains(id) {
        return Ok(());
    }
    let reason = outcome.failed.into_iter().map(|(_, failure)| failure.to_string()).next();
    let title = format!("The old key {id} was not seen to be invalidated");
    let detail = reason.unwrap_or_else(|| "it is the key that you are signed in by".into());
    Err(Problem::new(&title, &detail).hint("Both keys may still work. Try again").fix(resume_fix(held)))
}

/// What one can't see one can't end, and not seeing it would look as if there were none.
fn check_sees_successor(session: &Session, held: &Held) -> Result<(), Problem> {
    let maker = &held.rotation.maker;
    if session.privileges.sees_all_keys() || is_me(session, &maker.username, &maker.realm) {
        return Ok(());
    }
    let title = format!("The successor belongs to {}, and you may not see it. Nothing is done", maker.username);
    let hint = format!("Sign in as {}, or with the privilege manage_api_key", maker.username);
    Err(Problem::new(&title, "").hint(&hint))
}

/// Gives a rotation up: the successor is ended, or left valid when `keep` says so; the old key stays. A rotation of
/// which no key works any more is closed, and nothing is sent for it. Gives the successor's id if there was one.
///
/// # Errors
/// When the old key is ended already and the successor works, and when the successor was not seen to be ended.
pub async fn cancel(
    session: &Session,
    held: &mut Held,
    keep: bool,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<Option<KeyId>, Problem> {
    if held.rotation.is_finished() {
        held.rotation.abandoned(keep, clock::now())?;
    }
    check_cluster(session, &held.rotation).await?;
    let successor = held.rotation.successor().cloned();
    if !keep || successor.is_none() {
        check_sees_successor(session, held)?;
    }
    let old = standing(session, &held.rotation.old.id).await?;
    let new = match &successor {
        Some(id) => standing(session, id).await?,
        None => KeyState::Gone,
    };
    if !keep && old.has_ended() && !new.has_ended() {
        let title =
            format!("The old key {} works no more: without its successor nobody could sign in", held.rotation.old.id);
        let hint = "End the rotation, or give it up and leave the successor valid";
        return Err(Problem::new(&title, "").hint(hint).fix(resume_fix(held)).or(cancel_fix(held, true)));
    }
    let open = interrupted::open(session, &held.rotation).await;
    let mut made = made_before(session, held).await?;
    if keep {
        made.retain(|key| Some(&key.id) != successor.as_ref());
    }
    let keys: Vec<KeyId> = successor.iter().cloned().collect();
    let intent = session.intend(Action::Rotate, &keys, note(&held.rotation, "given up")).await?;
    if !keep && held.rotation.lineage == Lineage::Written && !old.has_ended() {
        unlink(session, held, tell).await;
    }
    let result = match end_all_made(session, held, made, tell).await {
        Ok(()) => {
            held.rotation.abandoned(keep && !new.has_ended(), clock::now())?;
            save(held)
        }
        Err(problem) => Err(problem),
    };
    let closing = match &result {
        Ok(()) => success(),
        Err(problem) => Closing { verdict: Verdict::Unknown, reason: Some(problem.words()), ..Closing::default() },
    };
    intent.close(Closing { keys, ..closing }).await;
    if result.is_ok() {
        interrupted::close(session, &held.rotation, open, tell).await;
    }
    result.map(|()| successor)
}

/// Ends the successor of a rotation that is given up, and the strays beside it. Only of strays nobody has the secret:
/// of the successor that is said by how far the rotation has come.
async fn end_all_made(
    session: &Session,
    held: &mut Held,
    made: Vec<ApiKey>,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<(), Problem> {
    let successor = held.rotation.successor().cloned();
    let may_be_known = !matches!(held.rotation.state, State::Planned | State::Created { .. });
    let (own, strays): (Vec<ApiKey>, Vec<ApiKey>) =
        made.into_iter().partition(|key| Some(&key.id) == successor.as_ref());
    end_strays(session, held, &strays, tell).await?;
    let ids: Vec<KeyId> = own.into_iter().filter(|key| !key.invalidated).map(|key| key.id).collect();
    let Some(id) = ids.first() else { return Ok(()) };
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    if outcome.done.contains(id) {
        tell(News::SuccessorEnded { id: id.clone(), may_be_known });
        return Ok(());
    }
    let reason = outcome.failed.first().map_or_else(|| "it was not sent".into(), |(_, failure)| failure.to_string());
    let title = format!("The successor {id} was not seen to be invalidated");
    Err(Problem::new(&title, &reason).hint("Try again").fix(cancel_fix(held, false)))
}

/// Standing of a key as it is now; a key that isn't found counts as gone only for somebody who would see it.
async fn standing(session: &Session, id: &KeyId) -> Result<KeyState, Problem> {
    Ok(match find_now(session, id).await? {
        Some(key) => KeyState::of(&key, session.now()),
        None if session.privileges.sees_all_keys() => KeyState::Gone,
        None => KeyState::Unknown,
    })
}
