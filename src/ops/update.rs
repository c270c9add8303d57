//! Changing keys by id: by bulk where the version has it, and with the truth about lost answers.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::{
    client::{BulkUpdate, ClientError},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        failure::Failure,
        journal::Action,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{Session, cluster_identity, journal::Closing, list},
};

/// After a lost answer, of a key that is as it was before.
pub(super) const NOT_SHOWN: &str = "it was read again, and does not show the change; the request may still be at work";

/// Ids of one request.
pub const CHUNK: usize = 500;

/// A change that was written shows in queries after a second (as seen on 9.5.3), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1500);

/// What became of each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct UpdateOutcome {
    /// Different now, as the cluster says or, after a lost answer, as the key itself shows.
    pub updated: Vec<KeyId>,
    /// They were so before.
    pub unchanged: Vec<KeyId>,
    /// Not updated as far as can be told, each with the reason and how certain that is.
    pub failed: Vec<(KeyId, Failure)>,
    /// Never sent.
    pub untouched: Vec<KeyId>,
    /// Whether it ended by an error that the next keys would meet too.
    pub broke_off: bool,
}

impl UpdateOutcome {
    /// How many may have been changed although that was not seen.
    pub fn unknown(&self) -> usize {
        self.failed.iter().filter(|(_, failure)| failure.is_unknown()).count()
    }

    /// Whether every key is as it was asked for.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }
}

/// Changes keys in the same way: 500 by one request where there are several and the version can, otherwise
/// one by one. After an error that would meet the next keys too, or a lost answer, nothing more is sent.
pub async fn update(session: &Session, ids: &[KeyId], update: &KeyUpdate) -> UpdateOutcome {
    let mut seen = HashSet::new();
    let once: Vec<KeyId> = ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
    let request = serde_json::from_str(&update.body(None)).ok();
    let intent = match cluster_identity::check(session).await {
        Ok(()) => session.intend(Action::Update, &once, request).await,
        Err(other) => Err(other.not_sent()),
    };
    let intent = match intent {
        Ok(intent) => intent,
        Err(error) => {
            let refused = Failure::Refused(error.to_string());
            let failed = once.into_iter().map(|id| (id, refused.clone())).collect();
            return UpdateOutcome { failed, broke_off: true, ..UpdateOutcome::default() };
        }
    };
    let mut outcome = carry_out(session, once, update).await;
    if let Err(other) = cluster_identity::check(session).await {
        // On which cluster they were changed nobody can tell.
        let good = std::mem::take(&mut outcome.updated).into_iter().chain(std::mem::take(&mut outcome.unchanged));
        outcome.failed.extend(good.map(|id| (id, Failure::Unknown(other.to_string()))));
        outcome.broke_off = true;
    }
    let keys = [outcome.updated.clone(), outcome.unchanged.clone()].concat();
    let never = |id: &KeyId| (id.clone(), Failure::Refused("never sent".into()));
    let failed = outcome.failed.iter().cloned().chain(outcome.untouched.iter().map(never)).collect();
    intent.close(Closing::of_fates(keys, failed)).await;
    outcome
}

async fn carry_out(session: &Session, once: Vec<KeyId>, update: &KeyUpdate) -> UpdateOutcome {
    let mut outcome = UpdateOutcome { untouched: once, ..UpdateOutcome::default() };
    if update.expiration.is_some() && !session.has(Feature::UpdateExpiration) {
        let refused = Failure::Refused(ClientError::Lacks(Feature::UpdateExpiration).to_string());
        outcome.failed = outcome.untouched.drain(..).map(|id| (id, refused.clone())).collect();
        return outcome;
    }
    let mut by_bulk = outcome.untouched.len() > 1 && session.has(Feature::BulkUpdate);
    while !outcome.untouched.is_empty() {
        let size = if by_bulk { CHUNK } else { 1 };
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
            look_again(session, chunk, update, (sent_at, &error), &mut outcome).await;
        } else {
            let refused = Failure::Refused(error.to_string());
            outcome.failed.extend(chunk.into_iter().map(|id| (id, refused.clone())));
        }
        break;
    }
    outcome
}

/// Sends one key's update. An error that is about this key alone is noted and no reason to stop.
async fn one(
    session: &Session,
    ids: &[KeyId],
    update: &KeyUpdate,
    outcome: &mut UpdateOutcome,
) -> Result<(), ClientError> {
    for id in ids {
        match session.client.update_api_key(id, update).await {
            Ok(true) => outcome.updated.push(id.clone()),
            Ok(false) => outcome.unchanged.push(id.clone()),
            Err(error @ (ClientError::NotFound { .. } | ClientError::Rejected { status: 400, .. })) => {
                outcome.failed.push((id.clone(), Failure::Refused(error.to_string())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sort_out(chunk: Vec<KeyId>, done: BulkUpdate, outcome: &mut UpdateOutcome) {
    let mut errors: HashMap<KeyId, String> = done.errors.into_iter().collect();
    for id in chunk {
        if let Some(reason) = errors.remove(&id) {
            outcome.failed.push((id, Failure::Refused(reason)));
        } else if done.updated.contains(&id) {
            outcome.updated.push(id);
        } else if done.noops.contains(&id) {
            outcome.unchanged.push(id);
        } else {
            outcome.failed.push((id, Failure::Unknown("the cluster's answer says nothing about it".into())));
        }
    }
}

/// After a lost answer only the keys themselves tell what was done.
async fn look_again(
    session: &Session,
    chunk: Vec<KeyId>,
    update: &KeyUpdate,
    (sent_at, lost): (Millis, &ClientError),
    outcome: &mut UpdateOutcome,
) {
    tokio::time::sleep(UNTIL_SHOWN).await;
    match list::by_id(session, &chunk).await {
        Ok(found) => compare(chunk, &found.keys, update, (sent_at, session.now(), lost), outcome),
        Err(error) => {
            let unknown = Failure::Unknown(format!("{lost}; it could not be read again: {error}"));
            outcome.failed.extend(chunk.into_iter().map(|id| (id, unknown.clone())));
        }
    }
}

fn compare(
    chunk: Vec<KeyId>,
    keys: &[ApiKey],
    update: &KeyUpdate,
    (sent_at, now, lost): (Millis, Millis, &ClientError),
    outcome: &mut UpdateOutcome,
) {
    let found: HashMap<&KeyId, &ApiKey> = keys.iter().map(|key| (&key.id, key)).collect();
    for id in chunk {
        let done = found.get(&id).and_then(|key| update.is_carried_out(key, sent_at, now));
        match done {
            Some(true) => outcome.updated.push(id),
            Some(false) => {
                outcome.failed.push((id, Failure::Unknown(format!("{lost}; {NOT_SHOWN}"))));
            }
            None => outcome.failed.push((id, Failure::Unknown(format!("{lost}; the key can't tell")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn ids(ids: &[&str]) -> Vec<KeyId> {
        ids.iter().copied().map(KeyId::new).collect()
    }

    #[test]
    fn every_id_has_one_fate() {
        let done =
            BulkUpdate { updated: ids(&["a"]), noops: ids(&["b"]), errors: vec![(KeyId::new("c"), "why".into())] };
        let mut outcome = UpdateOutcome::default();
        sort_out(ids(&["a", "b", "c", "d"]), done, &mut outcome);
        assert_eq!((outcome.updated.clone(), outcome.unchanged.clone()), (ids(&["a"]), ids(&["b"])));
        assert_eq!(outcome.failed[0], (KeyId::new("c"), Failure::Refused("why".into())));
        assert!(
            outcome.failed[1].1.is_unknown()
                && outcome.failed[1].1.reason().contains("says nothing")
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
        let mut outcome = UpdateOutcome::default();
        let keys = [key("done", r#"{"a": 1}"#), key("not", "{}")];
        compare(ids(&["done", "not", "gone"]), &keys, &update, (0, 1, &lost), &mut outcome);
        assert_eq!(outcome.updated, ids(&["done"]));
        assert!(
            outcome.failed[0].1.reason().contains("does not show")
                && outcome.failed.iter().all(|(_, why)| why.is_unknown())
        );
    }
}
