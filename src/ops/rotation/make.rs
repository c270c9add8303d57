//! The successor: created once, found again after an interruption, and invalidated if nobody knows its secret.

use std::{sync::atomic::AtomicBool, time::Duration};

use serde_json::json;

use super::{
    Rights, RotationProgress, check_cluster,
    checks::{check_old, check_session},
    closing_of, compared, find, find_now, is_me,
    lineage::{self, LiveSuccessor, check_successor, others, rotated_already},
    not_ended, note,
    plan::request,
    read, save,
};
use crate::{
    client::{CreatedKey, KeyQuery},
    model::{
        api_key::{ApiKey, KeyId},
        create::REQUEST_ID,
        journal::{Action, Verdict},
        rotation::{Rotation, State, successor},
    },
    ops::{
        Fix, Problem, Session, clock,
        create::{self, CreateError, Lost},
        invalidate,
        journal::recorder::OutcomeEntry,
    },
    store::rotation::RotationGuard,
};

/// Successor that was just created. Its secret is here and nowhere else.
#[derive(Debug)]
pub struct CreatedSuccessor {
    /// New key, with its secret.
    pub created: CreatedKey,
    /// Key that it replaces.
    pub old: ApiKey,
    /// Comparison of the successor's owner's snapshot (`limited_by`) with that of the old key.
    pub rights: Rights,
}

/// Content found at the destination of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationContent {
    /// Secret of this key.
    Key(KeyId),
    /// Empty file for a secret that never arrived.
    Empty,
    /// Unknown content: no file, or something other than a key. The secret may have been taken away, or may never have
    /// arrived.
    NotKnown,
}

/// Creates the successor. It is saved before its secret is returned to the caller, who has to deliver it between
/// [`hand_over_begins`] and [`handed_over`]. Before that, the cluster is asked again which one it is, and whether
/// another machine created a successor at the same time: the later of the two is invalidated.
///
/// # Errors
/// With the state afterwards: a key that was created although the answer was lost has been invalidated, or is named.
pub async fn make(
    session: &Session,
    guard: &mut RotationGuard,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<CreatedSuccessor, Problem> {
    check_session(session)?;
    check_maker(session, guard)?;
    check_cluster(session, &guard.rotation).await?;
    let old = read(session, &guard.rotation.old.id).await?;
    check_old(session, &old).await?;
    check_unchanged(&guard.rotation, &old)?;
    guard.old_seen_valid = true;
    let live = others(session, &guard.rotation, &old).await?;
    if !live.is_empty() {
        return Err(rotated_already(&old.id, &live));
    }
    let created = create_successor(session, guard, &old, progress).await?;
    if let Err(problem) = check_cluster(session, &guard.rotation).await {
        return Err(not_here(session, guard, &created.id, problem).await);
    }
    let rights = match look_beside(session, guard, &old, &created.id).await {
        Ok((rights, None)) => rights,
        Ok((_, Some(rival))) => return Err(taken_back(session, guard, &old.id, &created.id, &rival, progress).await),
        // Its secret ends here.
        Err(problem) => {
            let resume = Fix::ResumeRotation(guard.rotation.id.clone());
            return Err(undone(session, &created.id, problem).await.fix(resume));
        }
    };
    progress(RotationProgress::Rights(rights.clone()));
    created.doubts.iter().for_each(|doubt| progress(RotationProgress::Doubt(doubt.clone())));
    Ok(CreatedSuccessor { created, old, rights })
}

async fn create_successor(
    session: &Session,
    guard: &mut RotationGuard,
    old: &ApiKey,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<CreatedKey, Problem> {
    let rotation = &guard.rotation;
    let asked = request(session, old, &rotation.name, &rotation.expiration, rotation.request())?;
    let asked = asked.naming_grace(rotation.grace);
    let keys = [old.id.clone()];
    let intent = session.intend(Action::Rotate, &keys, note(rotation, "successor")).await?;
    let mut created = match create::create(session, &asked).await {
        Ok(created) => created,
        Err(CreateError::Refused(error)) => {
            intent.close(OutcomeEntry::of_error(&error, &keys)).await;
            return Err(error.into());
        }
        Err(CreateError::Lost(without_answer)) => {
            let problem = lost(session, guard, &without_answer, progress).await;
            let reason = Some(problem.words());
            intent.close(OutcomeEntry { verdict: Verdict::Unknown, reason, ..OutcomeEntry::default() }).await;
            return Err(problem);
        }
    };
    guard.rotation.created(created.id.clone())?;
    if let Err(problem) = save(guard) {
        let problem = undone(session, &created.id, problem).await;
        intent.close(OutcomeEntry { keys: vec![created.id], ..closing_of(&problem) }).await;
        return Err(problem);
    }
    intent.close(OutcomeEntry { keys: vec![old.id.clone(), created.id.clone()], ..success() }).await;
    let twins: Vec<ApiKey> = created.twins.iter().map(|id| ApiKey { id: id.clone(), ..ApiKey::default() }).collect();
    // Where they can't be invalidated, the doubt about them stays; the end of the rotation tries once more.
    if !twins.is_empty() && end_strays(session, guard, &twins, progress).await.is_ok() {
        let words = create::twins_words(&created.twins);
        created.doubts.retain(|doubt| Some(doubt) != words.as_ref());
    }
    Ok(created)
}

/// Handles the case that another cluster answers since the successor was requested: its secret is given to nobody. If
/// the successor is on the cluster that answers now, it is invalidated there. Returns `problem` with the outcome added.
async fn not_here(session: &Session, guard: &mut RotationGuard, id: &KeyId, problem: Problem) -> Problem {
    let found = match find(session, id).await {
        Ok(found) => found.filter(|key| check_successor(&guard.rotation, key).is_ok()),
        Err(_) => None,
    };
    let resume = Fix::ResumeRotation(guard.rotation.id.clone());
    let words = match found {
        None => format!("The successor {id} was created before that, and its secret was given to nobody"),
        Some(_) => {
            let ids = [id.clone()];
            // It is the other cluster that is meant, so that its identity must not stop this.
            let there = Session { cluster_uuid: None, ..session.clone() };
            let outcome = invalidate::invalidate(&there, &ids, false, &AtomicBool::new(false), |_| ()).await;
            match outcome.is_complete() {
                true => format!("The successor {id} was created there; it was invalidated and read back"),
                false => {
                    format!("The successor {id} was created there and could not be invalidated: invalidate it there")
                }
            }
        }
    };
    let detail = if problem.detail.is_empty() { words } else { format!("{}. {words}", problem.detail) };
    Problem { detail, ..problem }
        .hint("The old key is not changed. Resume the rotation when the right cluster responds")
        .fix(resume)
}

/// Looks for a successor that was created at the same time and takes precedence over the new one, and compares the
/// owner's snapshots of the new and the old key. Returns the comparison, and the rival if there is one.
async fn look_beside(
    session: &Session,
    guard: &RotationGuard,
    old: &ApiKey,
    new: &KeyId,
) -> Result<(Rights, Option<LiveSuccessor>), Problem> {
    // Read by its id the old key is as it is now, and not as it was a second ago.
    let now = read(session, &old.id).await?;
    let mine = find(session, new).await;
    let created = mine.as_ref().ok().and_then(|key| key.as_ref()?.known_created());
    let live = others(session, &guard.rotation, &now).await?;
    let rival = live.into_iter().find(|other| lineage::is_later((created, new), other));
    let rights = match (old.limited_by.as_deref(), mine) {
        (Some(then), Ok(Some(ApiKey { limited_by: Some(now), .. }))) => compared(then, &now),
        (_, Err(error)) => Rights::NotKnown(error.to_string()),
        _ => Rights::NotKnown("the cluster does not report them".into()),
    };
    Ok((rights, rival))
}

/// Invalidates a successor because another one was created before it, and closes the rotation. Returns the problem to
/// report.
async fn taken_back(
    session: &Session,
    guard: &mut RotationGuard,
    old: &KeyId,
    new: &KeyId,
    rival: &LiveSuccessor,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Problem {
    let strays = [ApiKey { id: new.clone(), ..ApiKey::default() }];
    if let Err(problem) = end_strays(session, guard, &strays, progress).await {
        return problem;
    }
    let closed = guard.rotation.abandoned(false, clock::now()).map_err(Problem::from).and_then(|()| save(guard));
    let Problem { title, .. } = rotated_already(old, std::slice::from_ref(rival));
    let detail = format!("It was created slightly earlier: {new} was invalidated, and its secret was given to nobody");
    match closed {
        Ok(()) => Problem::new(&title, &detail).hint("Resume that rotation where it was started"),
        Err(problem) => {
            let detail = format!("{detail}. The rotation here could not be closed: {}", problem.words());
            let cancel = Fix::CancelRotation { id: guard.rotation.id.clone(), keep_successor: false };
            Problem::new(&title, &detail).hint("Cancel it here").fix(cancel)
        }
    }
}

pub(super) fn success() -> OutcomeEntry {
    OutcomeEntry { verdict: Verdict::Success, ..OutcomeEntry::default() }
}

/// Checks that the session is signed in as the user who began the rotation: a successor belongs to the user who creates
/// it.
pub(super) fn check_maker(session: &Session, guard: &RotationGuard) -> Result<(), Problem> {
    let (maker, me) = (&guard.rotation.maker, &session.identity);
    if is_me(session, &maker.username, &maker.realm) {
        return Ok(());
    }
    let title = format!("{} started this rotation, but the successor would belong to {}", maker.username, me.username);
    let hint = format!("Sign in as {0}, or act as {0}; or cancel the rotation", maker.username);
    Err(Problem::new(&title, "")
        .hint(&hint)
        .fix(Fix::ActAs(maker.username.clone()))
        .or(Fix::CancelRotation { id: guard.rotation.id.clone(), keep_successor: false }))
}

/// Checks that the old key's role descriptors are still those from the beginning of the rotation: otherwise the
/// successor would have other privileges than the old key.
pub(super) fn check_unchanged(rotation: &Rotation, old: &ApiKey) -> Result<(), Problem> {
    if rotation.old.rights == successor::fingerprint(old) {
        return Ok(());
    }
    let title =
        format!("The role descriptors of {} have changed since the rotation started. Nothing was invalidated", old.id);
    let detail = "The successor has the earlier ones";
    let cancel = Fix::CancelRotation { id: rotation.id.clone(), keep_successor: false };
    Err(Problem::new(&title, detail).hint("Cancel the rotation, then start again").fix(cancel))
}

/// Handles a lost answer: invalidates keys that the request created, because nobody knows their secrets. Returns the
/// problem to report.
async fn lost(
    session: &Session,
    guard: &mut RotationGuard,
    lost: &Lost,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Problem {
    let hint = "The old key still works. Resuming the rotation checks the cluster again before anything is created";
    let resume = Fix::ResumeRotation(guard.rotation.id.clone());
    let error = &lost.error;
    let found = lost.found.as_ref();
    let strays = found.map_or_else(|_| Vec::new(), |found| own(guard, [&*found.ours, &*found.perhaps].concat()));
    if strays.is_empty() {
        return lost.problem().hint(hint).fix(resume);
    }
    let ids: Vec<String> = strays.iter().map(|key| key.id.to_string()).collect();
    let made = ids.join(", ");
    match end_strays(session, guard, &strays, progress).await {
        Ok(()) => {
            let title = "The response was lost, and no successor remains";
            let detail =
                format!("{error}. Key {made} had been created anyway; nobody knew its secret, so it was invalidated");
            Problem::new(title, &detail).hint(hint).fix(resume)
        }
        Err(problem) => {
            let title = "The response was lost, but the successor was created, and nobody knows its secret";
            let detail = format!("{error}. Invalidating key {made} failed: {}", problem.words());
            Problem { kind: problem.kind, ..Problem::new(title, &detail) }.hint(hint).fix(resume)
        }
    }
}

/// Invalidates a successor whose secret nobody has, because the rotation can't continue with it. Returns `problem` with
/// the outcome for the successor added.
pub(super) async fn undone(session: &Session, id: &KeyId, problem: Problem) -> Problem {
    let ids = [id.clone()];
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    let (words, kind) = match outcome.is_complete() {
        true => (
            format!("The successor {id} had been created, and nobody has its secret: it was invalidated and read back"),
            problem.kind,
        ),
        false => {
            let Problem { detail: reason, kind, .. } = not_ended("", &outcome, "it was not sent");
            let words = format!(
                "The successor {id} was created, nobody has its secret, and it is not confirmed as invalidated \
                 ({reason}): invalidate it"
            );
            (words, kind)
        }
    };
    let detail = if problem.detail.is_empty() { words } else { format!("{}. {words}", problem.detail) };
    Problem { detail, kind, ..problem }
}

/// Saves that the hand-over begins: from here on somebody may have the secret.
///
/// # Errors
/// Returns a problem if the state can't be saved; the secret must not be delivered then.
pub fn hand_over_begins(guard: &mut RotationGuard) -> Result<(), Problem> {
    guard.rotation.hand_over_begins()?;
    save(guard)
}

/// Handles a failed delivery: invalidates the successor, whose secret nobody has; a later run creates another one.
/// Returns the problem to report, with the state afterwards.
pub async fn hand_over_failed(
    session: &Session,
    guard: &mut RotationGuard,
    why: &str,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Problem {
    let id = guard.rotation.successor().cloned().unwrap_or_default();
    let title = format!("The successor {id} was created, but its secret could not be written");
    let resume = Fix::ResumeRotation(guard.rotation.id.clone());
    let hint = "The old key is not changed. Resuming the rotation creates another successor";
    if let Err(problem) = guard.rotation.hand_over_failed().map_err(Problem::from).and_then(|()| save(guard)) {
        // Nobody has the secret, whatever can be written down here.
        let problem = undone(session, &id, Problem::new(&title, &format!("{why}. {}", problem.words()))).await;
        return problem.hint(hint).fix(resume);
    }
    let strays = [ApiKey { id: id.clone(), ..ApiKey::default() }];
    let problem = match end_strays(session, guard, &strays, progress).await {
        Ok(()) => Problem::new(&title, &format!("{why}. Nobody knows it: the successor was invalidated and read back")),
        Err(problem) => {
            let detail = format!("{why}. Nobody knows it, and invalidating the successor failed: {}", problem.words());
            Problem { kind: problem.kind, ..Problem::new(&title, &detail) }
        }
    };
    problem.hint(hint).fix(resume)
}

/// Saves that the secret was delivered.
///
/// # Errors
/// Returns a problem if the state can't be saved; a later run determines it again.
pub fn handed_over(guard: &mut RotationGuard) -> Result<(), Problem> {
    let successor = guard.rotation.successor().cloned().unwrap_or_default();
    guard.rotation.handed_over(successor)?;
    save(guard)
}

/// Returns all keys that were created for this rotation, found by the ids of its requests. New keys become visible
/// about a second after they were created, so the search is repeated for some seconds if one may still appear.
///
/// # Errors
/// Returns a problem if the cluster can't be asked, and with `proves` also if the saved successor is not proved to be
/// one. Without `proves` the saved successor is included only if its request proves it.
pub(super) async fn made_before(
    session: &Session,
    guard: &RotationGuard,
    proves: bool,
) -> Result<Vec<ApiKey>, Problem> {
    const TRIES: u32 = 5;
    let successor = guard.rotation.successor().cloned();
    let may_be_coming =
        matches!(guard.rotation.state, State::Planned | State::Created { .. } | State::HandingOver { .. });
    let mut keys = Vec::new();
    for attempt in 0..if may_be_coming { TRIES } else { 1 } {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        keys = made_by(session, &guard.rotation.old.id, &guard.rotation.requests).await?;
        if let Some(id) = successor.as_ref().filter(|_| proves)
            && keys.iter().all(|key| key.id != *id)
            && let Some(key) = find_now(session, id).await?
        {
            if !key.invalidated {
                check_successor(&guard.rotation, &key)?;
            }
            keys.push(key);
        }
        let newest = &guard.rotation.requests[guard.rotation.requests.len().saturating_sub(1)..];
        if keys.iter().any(|key| successor::was_made_for(key, &guard.rotation.old.id, newest)) {
            break;
        }
    }
    Ok(keys)
}

/// Returns the keys that these requests created to replace `old`: no other key may be invalidated as a stray.
pub(super) async fn made_by(session: &Session, old: &KeyId, requests: &[String]) -> Result<Vec<ApiKey>, Problem> {
    let mut keys = Vec::new();
    for id in requests {
        let mut query = KeyQuery::new(100);
        query.filter = Some(json!({ "term": { format!("metadata.{REQUEST_ID}"): id } }));
        keys.extend(session.client.query_api_keys(&query).await?.keys);
    }
    keys.retain(|key| successor::was_made_for(key, old, requests));
    Ok(keys)
}

/// Returns only those of `keys` that were created for this rotation.
fn own(guard: &RotationGuard, mut keys: Vec<ApiKey>) -> Vec<ApiKey> {
    keys.retain(|key| successor::was_made_for(key, &guard.rotation.old.id, &guard.rotation.requests));
    keys
}

/// Invalidates keys whose secret nobody knows, and reads them again as proof.
pub(super) async fn end_strays(
    session: &Session,
    guard: &mut RotationGuard,
    strays: &[ApiKey],
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<(), Problem> {
    let ids: Vec<KeyId> = strays.iter().filter(|key| !key.invalidated).map(|key| key.id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    guard.rotation.add_strays(&outcome.done);
    let saved = save(guard);
    outcome.done.iter().for_each(|id| progress(RotationProgress::StrayEnded(id.clone())));
    let resume = Fix::ResumeRotation(guard.rotation.id.clone());
    if !outcome.is_complete() {
        let id = outcome.failed.first().map(|(id, _)| id.clone()).or_else(|| ids.first().cloned()).unwrap_or_default();
        let title = format!(
            "Key {id} was created for this rotation, nobody knows its secret, and it is not confirmed as invalidated"
        );
        return Err(not_ended(&title, &outcome, "it was not sent").hint("Try again").fix(resume));
    }
    saved.map_err(|problem| {
        let named = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let detail = format!("{}. The key created for it, {named}, was invalidated and read back", problem.detail);
        Problem { detail, ..problem }
    })
}
