//! Proof of an invalidation: its keys are read again, and compared with what the cluster answered.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::{
    client::{ClientError, Invalidation},
    model::{
        api_key::{ApiKey, KeyId},
        failure::Failure,
    },
    ops::{
        Outcome, Session,
        keys::list::{self, ById},
    },
};

/// Time until a key that has ended shows as such in queries: a second (as seen on 9.5.3, where reading it by id shows
/// it no sooner), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1300);

/// Maximum number of keys of a request that are read one by one because their proof doesn't fit the answer.
const MAX_READ_ALONE: usize = 16;

/// Reads those keys once more whose proof does not fit the answer, after the index has been refreshed: another process
/// may have ended them a moment ago, which the first reading could not show. Keys that can't be read keep their first
/// result.
pub(super) async fn look_again(
    session: &Session,
    chunk: &[KeyId],
    mut found: ById,
    answer: &Result<Invalidation, ClientError>,
) -> ById {
    let ended: HashSet<&KeyId> = found.keys.iter().filter(|key| key.invalidated).map(|key| &key.id).collect();
    let seen: HashSet<&KeyId> = found.keys.iter().map(|key| &key.id).collect();
    let is_odd = |id: &&KeyId| match answer {
        Ok(answer) => names(answer, id) || seen.contains(id) && error_of(answer, id).is_none(),
        Err(error) => error.is_answer_lost(),
    };
    let odd: Vec<KeyId> = chunk.iter().filter(|id| !ended.contains(id)).filter(is_odd).cloned().collect();
    if odd.is_empty() {
        return found;
    }
    tokio::time::sleep(UNTIL_SHOWN).await;
    let mut again: Vec<ApiKey> = Vec::new();
    if odd.len() <= MAX_READ_ALONE {
        for id in &odd {
            again.extend(session.client.get_api_key(id, session.sees_own_only()).await.ok().flatten());
        }
    } else if let Ok(read) = list::by_id(session, &odd).await {
        again = read.keys;
    }
    // Only what is certain counts: a key that ended never comes back.
    again.retain(|key| key.invalidated && odd.contains(&key.id));
    let ended: HashSet<&KeyId> = again.iter().map(|key| &key.id).collect();
    found.keys.retain(|key| !ended.contains(&key.id));
    found.keys.extend(again);
    found
}

/// `true` if the answer says of a key that it is invalidated.
fn names(answer: &Invalidation, id: &KeyId) -> bool {
    answer.invalidated.contains(id) || answer.previously.contains(id)
}

/// Returns the error that names a key in its text, if there is one.
fn error_of<'a>(answer: &'a Invalidation, id: &KeyId) -> Option<&'a str> {
    answer.errors.iter().find(|words| words.contains(id.as_str())).map(String::as_str)
}

pub(super) fn sort_out(
    chunk: Vec<KeyId>,
    read: &ById,
    answer: &Result<Invalidation, ClientError>,
    outcome: &mut Outcome,
) {
    let found: HashMap<&KeyId, &ApiKey> = read.keys.iter().map(|key| (&key.id, key)).collect();
    for id in chunk {
        let failure = match found.get(&id) {
            Some(key) if key.invalidated => {
                outcome.done.push(id);
                continue;
            }
            Some(key) if key.is_unread("invalidated") => {
                let flaw = key.flaw.as_deref().unwrap_or_default();
                Failure::Unknown(format!("the cluster's data about it can't be read: {flaw}"))
            }
            Some(_) => still_valid(&id, answer),
            None => match read.unreadable.kept().first() {
                Some(odd) => Failure::Unknown(format!("the cluster's data about it can't be read: {}", odd.reason)),
                None => not_there(&id, answer),
            },
        };
        outcome.failed.push((id, failure));
    }
}

/// Returns the failure for a key that is still valid when read after the request.
pub(super) fn still_valid(id: &KeyId, answer: &Result<Invalidation, ClientError>) -> Failure {
    match answer {
        Err(error) if error.is_answer_lost() => {
            Failure::Unknown(format!("it is still valid when read back, and the request may still be running: {error}"))
        }
        Err(error) => Failure::Refused(format!("it is still valid: {error}")),
        Ok(answer) if names(answer, id) => {
            Failure::Unknown("the cluster reported it as invalidated, but it is still valid when read back".into())
        }
        Ok(answer) if answer.is_repetition && error_of(answer, id).is_none() => Failure::Unknown(
            "it is still valid when read back, but the response to the first attempt was lost, and the retry does not \
             list it"
                .into(),
        ),
        Ok(answer) => {
            let why = error_of(answer, id).unwrap_or("it belongs to someone else, or the cluster skipped it");
            Failure::Refused(format!("it is still valid: {why}"))
        }
    }
}

/// Returns the failure for a key that the cluster does not know when it is read after the request.
fn not_there(id: &KeyId, answer: &Result<Invalidation, ClientError>) -> Failure {
    match answer {
        Err(error) if error.is_answer_lost() => {
            Failure::Unknown(format!("the cluster has no such key when read back, and the response was lost: {error}"))
        }
        Ok(answer) if names(answer, id) => {
            Failure::Unknown("the cluster reported it as invalidated, but it does not exist when read back".into())
        }
        Ok(answer) if answer.is_repetition => Failure::Unknown(
            "the cluster has no such key when read back, and the response to the first attempt was lost".into(),
        ),
        _ => Failure::Refused("the cluster has no such key, or you don't have permission to see it".into()),
    }
}

pub(super) fn sort_out_unproved(
    chunk: Vec<KeyId>,
    answer: Result<Invalidation, ClientError>,
    error: &ClientError,
    is_own: bool,
    outcome: &mut Outcome,
) {
    // What a clear refusal says needs no proof, unless an earlier try may have been carried out.
    let refusal = answer
        .as_ref()
        .err()
        .filter(|refused| matches!(refused.status(), Some(400 | 403 | 404)) && !refused.is_answer_lost());
    let refusal = refusal.map(|refused| Failure::Refused(refused.to_string()));
    let confirmed: HashSet<KeyId> =
        answer.map(|answer| answer.invalidated.into_iter().chain(answer.previously).collect()).unwrap_or_default();
    // Of any other key a refused sign-in proves nothing: the session may have ended for a reason of its own.
    let own_key_ended = is_own && matches!(error, ClientError::Unauthenticated { .. });
    for id in chunk {
        if own_key_ended && confirmed.contains(&id) {
            outcome.own_key_unproved = Some(id.clone());
            outcome.done.push(id);
        } else {
            let unknown = || Failure::Unknown(format!("it could not be read back: {error}"));
            outcome.failed.push((id, refusal.clone().unwrap_or_else(unknown)));
        }
    }
}
