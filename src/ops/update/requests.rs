//! The requests of an update: in bulk where the version has it, otherwise one by one, and with the truth about lost
//! answers.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{
    closing,
    current::{NowRead, read_now},
};
use crate::{
    client::{BulkUpdate, ClientError},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        create::cross_cluster::CrossClusterUpdate,
        failure::Failure,
        journal::Action,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{Outcome, Session, connections::cluster_identity},
};

/// After a lost answer, of a key that is as it was before.
const NOT_SHOWN: &str = "it was read back and does not show the change; the request may still be running";

/// Number of keys of one bulk request. They are read by one request just before, so that the time in which somebody
/// else's change could be overtaken stays that of two short requests; eight of these at once make 400 keys a second.
pub const MAX_BULK: usize = 50;

/// A change that was written shows in reads after a second (as seen on 9.5.3), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1500);

/// Changes REST keys in the same way, without comparing them with anything: 50 by one request where there are several
/// and the version can, otherwise one by one. After an error that would meet the next keys too, or a lost answer,
/// nothing more is sent. [`super::run`] is for what a person was shown.
pub async fn update(session: &Session, ids: &[KeyId], update: &KeyUpdate) -> Outcome {
    let mut seen = HashSet::new();
    let once: Vec<KeyId> = ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
    let request = serde_json::from_str(&update.body(None)).ok();
    let intent = match cluster_identity::check(session).await {
        Ok(()) => session.intend(Action::Update, &once, request).await,
        Err(other) => Err(other.not_sent()),
    };
    let intent = match intent {
        Ok(intent) => intent,
        Err(error) => return Outcome::not_sent(once, &error, &error.to_string()),
    };
    let mut outcome = carry_out(session, once, update).await;
    if let Err(other) = cluster_identity::check(session).await {
        // On which cluster they were changed nobody can tell.
        let good = std::mem::take(&mut outcome.done).into_iter().chain(std::mem::take(&mut outcome.unchanged));
        outcome.failed.extend(good.map(|id| (id, Failure::Unknown(other.to_string()))));
        outcome.broke_off = true;
    }
    intent.close(closing(&outcome)).await;
    outcome
}

pub(super) async fn carry_out(session: &Session, once: Vec<KeyId>, update: &KeyUpdate) -> Outcome {
    let mut outcome = Outcome { untouched: once, ..Outcome::default() };
    if update.expiration.is_some() && !session.has(Feature::UpdateExpiration) {
        let refused = Failure::Refused(ClientError::Lacks(Feature::UpdateExpiration).to_string());
        outcome.failed = outcome.untouched.drain(..).map(|id| (id, refused.clone())).collect();
        return outcome;
    }
    let mut by_bulk = outcome.untouched.len() > 1 && session.has(Feature::BulkUpdate);
    while !outcome.untouched.is_empty() {
        let size = if by_bulk { MAX_BULK } else { 1 };
        let rest = outcome.untouched.split_off(outcome.untouched.len().min(size));
        let chunk = std::mem::replace(&mut outcome.untouched, rest);
        let sent_at = session.now();
        let error = if by_bulk {
            match session.client.bulk_update_api_keys(&chunk, update).await {
                Ok(done) => {
                    sort_out(chunk, done, &mut outcome);
                    continue;
                }
                // The version was not told, and it has only the update of one.
                Err(ClientError::Lacks(_)) => {
                    by_bulk = false;
                    outcome.untouched.splice(0..0, chunk);
                    continue;
                }
                Err(error) => error,
            }
        } else {
            match one(session, &chunk, update, &mut outcome).await {
                Ok(()) => continue,
                Err(error) => error,
            }
        };
        outcome.broke_off = true;
        if error.is_answer_lost() {
            let is_done = |key: &ApiKey, now| update.is_carried_out(key, sent_at, now);
            look_again(session, chunk, &error, is_done, &mut outcome).await;
        } else if matches!(error, ClientError::SignIn(_)) {
            let settled: HashSet<KeyId> = outcome.done.iter().chain(&outcome.unchanged).cloned().collect();
            let left = chunk.into_iter().filter(|id| !settled.contains(id)).collect();
            outcome.extend(Outcome::not_sent(left, &error, ""));
        } else {
            let refused = Failure::Refused(error.to_string());
            outcome.failed.extend(chunk.into_iter().map(|id| (id, refused.clone())));
        }
        break;
    }
    outcome
}

/// Sends one key's update. An error that is about this key alone is noted and no reason to stop.
async fn one(session: &Session, ids: &[KeyId], update: &KeyUpdate, outcome: &mut Outcome) -> Result<(), ClientError> {
    for id in ids {
        match session.client.update_api_key(id, update).await {
            Ok(true) => outcome.done.push(id.clone()),
            Ok(false) => outcome.unchanged.push(id.clone()),
            Err(error) if is_of_this_key(&error) => {
                outcome.failed.push((id.clone(), Failure::Refused(error.to_string())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `true` for a refusal that says nothing about other keys.
fn is_of_this_key(error: &ClientError) -> bool {
    matches!(error, ClientError::NotFound { .. } | ClientError::Rejected { status: 400, .. })
}

/// Changes cross-cluster keys, of which there is no bulk update.
pub(super) async fn cross_cluster(session: &Session, ids: Vec<KeyId>, update: &CrossClusterUpdate) -> Outcome {
    let mut outcome = Outcome::default();
    let mut ids = ids.into_iter();
    while let Some(id) = ids.next() {
        let sent_at = session.now();
        match session.client.update_cross_cluster_key(&id, update).await {
            Ok(true) => outcome.done.push(id),
            Ok(false) => outcome.unchanged.push(id),
            Err(error) if error.is_answer_lost() => {
                outcome.broke_off = true;
                let is_done = |key: &ApiKey, now| update.is_carried_out(key, sent_at, now);
                look_again(session, vec![id], &error, is_done, &mut outcome).await;
            }
            Err(error @ ClientError::SignIn(_)) => {
                outcome.extend(Outcome::not_sent(std::iter::once(id).chain(ids.by_ref()).collect(), &error, ""));
            }
            Err(error) => {
                outcome.broke_off |= !is_of_this_key(&error);
                outcome.failed.push((id, Failure::Refused(error.to_string())));
            }
        }
    }
    outcome
}

fn sort_out(chunk: Vec<KeyId>, done: BulkUpdate, outcome: &mut Outcome) {
    let mut errors: HashMap<KeyId, String> = done.errors.into_iter().collect();
    for id in chunk {
        if let Some(reason) = errors.remove(&id) {
            outcome.failed.push((id, Failure::Refused(reason)));
        } else if done.updated.contains(&id) {
            outcome.done.push(id);
        } else if done.noops.contains(&id) {
            outcome.unchanged.push(id);
        } else {
            outcome.failed.push((id, Failure::Unknown("the cluster's response does not mention it".into())));
        }
    }
}

/// After a lost answer only the keys themselves tell what was done. `is_done` judges a key by the cluster's clock.
async fn look_again(
    session: &Session,
    chunk: Vec<KeyId>,
    lost: &ClientError,
    is_done: impl Fn(&ApiKey, Timestamp) -> Option<bool>,
    outcome: &mut Outcome,
) {
    tokio::time::sleep(UNTIL_SHOWN).await;
    match read_now(session, &chunk, false).await {
        Ok(found) => compare(chunk, &found, lost, |key| is_done(key, session.now()), outcome),
        Err(error) => {
            let unknown = Failure::Unknown(format!("{lost}; it could not be read back: {error}"));
            outcome.failed.extend(chunk.into_iter().map(|id| (id, unknown.clone())));
        }
    }
}

fn compare(
    chunk: Vec<KeyId>,
    found: &NowRead,
    lost: &ClientError,
    is_done: impl Fn(&ApiKey) -> Option<bool>,
    outcome: &mut Outcome,
) {
    for id in chunk {
        let reason = match found.keys.get(&id).map(&is_done) {
            Some(Some(true)) => {
                outcome.done.push(id);
                continue;
            }
            Some(Some(false)) => format!("{lost}; {NOT_SHOWN}"),
            Some(None) => format!("{lost}; the key itself does not show it"),
            None => format!("{lost}; it was not found afterwards"),
        };
        outcome.failed.push((id, Failure::Unknown(reason)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::TimeDelta;

    fn ids(ids: &[&str]) -> Vec<KeyId> {
        ids.iter().copied().map(KeyId::new).collect()
    }

    #[test]
    fn every_id_has_one_outcome() {
        let done =
            BulkUpdate { updated: ids(&["a"]), noops: ids(&["b"]), errors: vec![(KeyId::new("c"), "why".into())] };
        let mut outcome = Outcome::default();
        sort_out(ids(&["a", "b", "c", "d"]), done, &mut outcome);
        assert_eq!((outcome.done.clone(), outcome.unchanged.clone()), (ids(&["a"]), ids(&["b"])));
        assert_eq!(outcome.failed[0], (KeyId::new("c"), Failure::Refused("why".into())));
        assert!(
            outcome.failed[1].1.is_unknown()
                && outcome.failed[1].1.reason().contains("does not mention")
                && !outcome.is_complete()
        );
    }

    #[test]
    fn after_a_lost_answer_the_keys_themselves_tell() {
        let key = |id: &str, metadata: &str| ApiKey {
            id: KeyId::new(id),
            metadata: RawValue::from_string(metadata.into()).ok(),
            ..ApiKey::default()
        };
        let update = KeyUpdate { metadata: RawValue::from_string(r#"{"a":1}"#.into()).ok(), ..KeyUpdate::default() };
        let lost = ClientError::Broken { reason: "reset".into(), maybe_sent: true, status: None };
        let mut outcome = Outcome::default();
        let keys = [key("done", r#"{"a": 1}"#), key("not", "{}")].map(|key| (key.id.clone(), key));
        let found = NowRead { keys: keys.into(), unreadable: HashMap::new() };
        let is_done =
            |key: &ApiKey| update.is_carried_out(key, Timestamp::EPOCH, Timestamp::EPOCH + TimeDelta::MILLISECOND);
        compare(ids(&["done", "not", "gone"]), &found, &lost, is_done, &mut outcome);
        assert_eq!(outcome.done, ids(&["done"]));
        assert!(
            outcome.failed[0].1.reason().contains("does not show")
                && outcome.failed.iter().all(|(_, why)| why.is_unknown())
        );
    }
}
