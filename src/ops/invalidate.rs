//! Invalidating keys by id, in chunks that can be stopped between, with proof by reading them again.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        journal::Action,
    },
    ops::{
        Session,
        journal::{Closing, NOT_KNOWN},
        list,
    },
};

/// Ids of one request.
pub const CHUNK: usize = 500;

/// What became of each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Read again and seen to be invalidated.
    pub done: Vec<KeyId>,
    /// Not invalidated as far as can be told, each with the reason.
    pub failed: Vec<(KeyId, String)>,
    /// Never sent.
    pub untouched: Vec<KeyId>,
    /// Whether somebody stopped it.
    pub stopped: bool,
}

impl Outcome {
    /// Whether every key is proved to be invalidated.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }
}

/// Invalidates keys. `own_key_too` is the extra word for the key one is signed in by: without it that
/// key is left untouched.
pub async fn invalidate(
    session: &Session,
    ids: &[KeyId],
    own_key_too: bool,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Outcome),
) -> Outcome {
    let (ids, guarded): (Vec<KeyId>, Vec<KeyId>) =
        ids.iter().cloned().partition(|id| own_key_too || session.own_key() != Some(id));
    let ids = own_last(ids, session.own_key());
    let mut outcome = Outcome { untouched: ids, ..Outcome::default() };
    while !outcome.untouched.is_empty() {
        if stop.load(Ordering::Relaxed) {
            outcome.stopped = true;
            break;
        }
        let rest = outcome.untouched.split_off(outcome.untouched.len().min(CHUNK));
        let chunk = std::mem::replace(&mut outcome.untouched, rest);
        let fatal = one_chunk(session, chunk, &mut outcome).await;
        progress(&outcome);
        if fatal {
            break;
        }
    }
    outcome.untouched.extend(guarded);
    outcome
}

/// With its own key the session ends: whatever came after it could be neither sent nor proved.
fn own_last(mut ids: Vec<KeyId>, own: Option<&KeyId>) -> Vec<KeyId> {
    ids.sort_by_key(|id| own == Some(id));
    ids
}

/// Sends one chunk and proves it. Whether it makes no sense to go on.
async fn one_chunk(session: &Session, chunk: Vec<KeyId>, outcome: &mut Outcome) -> bool {
    let intent = match session.intend(Action::Invalidate, &chunk, None).await {
        Ok(intent) => intent,
        Err(error) => {
            let reason = error.to_string();
            outcome.failed.extend(chunk.into_iter().map(|id| (id, reason.clone())));
            return true;
        }
    };
    let (done, failed) = (outcome.done.len(), outcome.failed.len());
    let fatal = send_and_prove(session, chunk, outcome).await;
    let (keys, failed) = (outcome.done[done..].to_vec(), outcome.failed[failed..].to_vec());
    intent.close(Closing::of_fates(keys, failed)).await;
    fatal
}

async fn send_and_prove(session: &Session, chunk: Vec<KeyId>, outcome: &mut Outcome) -> bool {
    let sent = session.client.invalidate(&chunk, session.invalidates_own_only()).await;
    let refused = match &sent {
        // Refused before anything happened: no proof is needed, and the next chunk fares no better.
        Err(error) if !error.is_answer_lost() => Some(error.clone()),
        _ => None,
    };
    if let Some(error) = refused {
        let reason = error.to_string();
        outcome.failed.extend(chunk.into_iter().map(|id| (id, reason.clone())));
        return true;
    }
    match list::by_id(session, &chunk).await {
        Ok(keys) => sort_out(chunk, &keys, sent.err().as_ref(), outcome),
        // The session may have ended its own key; the cluster's own word is the next best.
        Err(error) => sort_out_unproved(chunk, sent, &error, outcome),
    }
    false
}

fn sort_out(chunk: Vec<KeyId>, keys: &[ApiKey], lost: Option<&ClientError>, outcome: &mut Outcome) {
    let found: HashMap<&KeyId, &ApiKey> = keys.iter().map(|key| (&key.id, key)).collect();
    for id in chunk {
        match found.get(&id) {
            Some(key) if key.invalidated => outcome.done.push(id),
            Some(_) => {
                let reason = lost.map_or_else(
                    || "it is still valid: it belongs to somebody else, or the cluster left it out".to_owned(),
                    |error| format!("it is still valid: {error}"),
                );
                outcome.failed.push((id, reason));
            }
            None => outcome.failed.push((id, "the cluster knows no such key, or you may not see it".into())),
        }
    }
}

fn sort_out_unproved(
    chunk: Vec<KeyId>,
    sent: Result<crate::client::Invalidation, ClientError>,
    error: &ClientError,
    outcome: &mut Outcome,
) {
    let confirmed = sent.map(|answer| [answer.invalidated, answer.previously].concat()).unwrap_or_default();
    let own_key_ended = matches!(error, ClientError::Unauthenticated { .. });
    for id in chunk {
        if own_key_ended && confirmed.contains(&id) {
            outcome.done.push(id);
        } else {
            outcome.failed.push((id, format!("{NOT_KNOWN}, it could not be read again: {error}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_ends_its_own_key_last() {
        let ids = ["own", "b", "a"].map(KeyId::new).to_vec();
        let ids = own_last(ids, Some(&KeyId::new("own")));
        assert_eq!(ids, ["b", "a", "own"].map(KeyId::new));
    }
}
