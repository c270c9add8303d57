//! Carrying out an update: each key is read again just before it is sent and compared with what was shown, and read
//! again after the answer and compared with what was asked. Keys with the same change go by bulk where the version has
//! it, several requests at the same time, stoppable between them, and with the truth about lost answers.

pub mod plan;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    client::{BulkUpdate, ClientError, KeyQuery},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        create::cross_cluster::CrossClusterUpdate,
        failure::Failure,
        journal::Action,
        time::expiry::Span,
        update::{
            KeyUpdate,
            plan::{KeyChange, PlannedUpdate, UpdatePlan},
            race::{changed_meanwhile, not_as_asked, other_end},
        },
        version::Feature,
    },
    ops::{Problem, Session, connections::cluster_identity, journal::recorder::OutcomeEntry},
};

/// After a lost answer, of a key that is as it was before.
const NOT_SHOWN: &str = "it was read again, and does not show the change; the request may still be at work";

/// Number of requests at the same time. Each waits for the index to be refreshed (about a second, as seen on 9.5.3).
const AT_ONCE: usize = 8;

/// Number of keys of one bulk request. They are read by one request just before, so that the time in which somebody
/// else's change could be overtaken stays that of two short requests; eight of these at once make 400 keys a second.
pub const MAX_BULK: usize = 50;

/// A change that was written shows in reads after a second (as seen on 9.5.3), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1500);

/// Outcome for each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct UpdateOutcome {
    /// Different now, as the cluster says or, after a lost answer, as the key itself shows.
    pub updated: Vec<KeyId>,
    /// Keys that were so before.
    pub unchanged: Vec<KeyId>,
    /// Not updated or not as asked as far as can be told, each with the reason and how certain that is.
    pub failed: Vec<(KeyId, Failure)>,
    /// Never sent.
    pub untouched: Vec<KeyId>,
    /// Remarks about keys that were updated, such as that one could not be read again.
    pub remarks: HashMap<KeyId, String>,
    /// `true` if it ended by an error that the next keys would meet too.
    pub broke_off: bool,
    /// `true` if somebody stopped it.
    pub stopped: bool,
}

impl UpdateOutcome {
    /// The number of keys that may have been changed although that was not seen.
    pub fn unknown(&self) -> usize {
        self.failed.iter().filter(|(_, failure)| failure.is_unknown()).count()
    }

    /// `true` if every key is as it was asked for.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }

    /// Number of keys that something is known about.
    pub fn settled(&self) -> usize {
        self.updated.len() + self.unchanged.len() + self.failed.len()
    }

    /// Takes in what came of a part of the keys, or of going on with those that were untouched.
    pub fn take_in(&mut self, part: Self) {
        self.updated.extend(part.updated);
        self.unchanged.extend(part.unchanged);
        self.failed.extend(part.failed);
        self.untouched.extend(part.untouched);
        self.remarks.extend(part.remarks);
        self.broke_off |= part.broke_off;
        self.stopped |= part.stopped;
    }

    fn all_failed(ids: Vec<KeyId>, reason: &str) -> Self {
        let failed = ids.into_iter().map(|id| (id, Failure::Refused(reason.to_owned()))).collect();
        Self { failed, broke_off: true, ..Self::default() }
    }
}

/// Keys as they were read just now.
#[derive(Debug, Default)]
pub(super) struct NowRead {
    keys: HashMap<KeyId, ApiKey>,
    /// Reasons why a key that is there can't be read.
    unreadable: HashMap<KeyId, String>,
}

impl NowRead {
    /// Takes in more keys.
    pub(super) fn extend(&mut self, more: Self) {
        self.keys.extend(more.keys);
        self.unreadable.extend(more.unreadable);
    }

    /// A key of those that were read.
    ///
    /// # Errors
    /// Returns a problem if the key is gone or can't be read.
    pub(super) fn one(&self, id: &KeyId) -> Result<ApiKey, Problem> {
        if let Some(key) = self.keys.get(id) {
            return Ok(key.clone());
        }
        Err(match self.unreadable.get(id) {
            Some(reason) => Problem::new(&format!("What the cluster tells of {id} can't be read"), reason),
            None => Problem::new("The key is gone", &format!("The cluster knows no key {id} any more"))
                .hint("Refresh the list"),
        })
    }
}

/// Reads keys as they are now: one by `GET`, several by a query for their ids. Neither is ahead of the index: what
/// another request writes shows about when that request is answered (as seen on 9.5.3). `with_limits` asks for the
/// snapshots of the owners' privileges, where the version has them.
///
/// # Errors
/// The first request that failed.
pub(super) async fn read_now(session: &Session, ids: &[KeyId], with_limits: bool) -> Result<NowRead, ClientError> {
    let mut read = NowRead::default();
    let limits = with_limits && session.has(Feature::LimitedBy);
    if ids.len() > 1 && session.has(Feature::Query) {
        for chunk in ids.chunks(1000) {
            let values: Vec<&str> = chunk.iter().map(KeyId::as_str).collect();
            let mut query = KeyQuery::new(1000);
            query.filter = Some(json!({ "ids": { "values": values } }));
            query.with_limited_by = limits;
            let page = session.client.query_api_keys(&query).await?;
            let may_be_missing = page.total > page.keys.len() as u64 || !page.unreadable.is_empty();
            read.keys.extend(page.keys.into_iter().map(|key| (key.id.clone(), key)));
            if may_be_missing {
                // A row that was counted and not sent, or that can't be read, may be any of those that are not there.
                let missing = chunk.iter().filter(|id| !read.keys.contains_key(*id)).cloned();
                read.unreadable.extend(missing.map(|id| (id, "the answer is not complete".to_owned())));
            }
        }
        return Ok(read);
    }
    for id in ids {
        match get(session, id, limits).await {
            Ok(key) => read.keys.extend(key.map(|key| (id.clone(), key))),
            Err(ClientError::Unreadable { status: 200, reason }) => {
                read.unreadable.insert(id.clone(), reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

async fn get(session: &Session, id: &KeyId, limits: bool) -> Result<Option<ApiKey>, ClientError> {
    let own = session.sees_own_only();
    if limits {
        match session.client.get_api_key_with_limits(id, own).await {
            // The version was not told.
            Err(ClientError::Lacks(_) | ClientError::Rejected { status: 400, .. }) => {}
            answer => return answer,
        }
    }
    session.client.get_api_key(id, own).await
}

/// Carries a plan out: all of it, or only these keys of it. Keys with the same change go by one request, several
/// requests at the same time. A key that is not as it was shown is not sent. After an error that would meet the next
/// ones too, and once stopped, nothing more is begun; what is on its way is waited for. `progress` gets the number of
/// keys that are settled.
pub async fn run(
    session: &Session,
    plan: &Arc<UpdatePlan>,
    only: Option<&HashSet<KeyId>>,
    stop: &AtomicBool,
    mut progress: impl FnMut(usize),
) -> UpdateOutcome {
    let planned_on = plan.cluster.as_ref().map(|cluster| session.on_cluster(cluster));
    let session = planned_on.as_ref().unwrap_or(session);
    let mut waiting = requests(session, plan, only);
    let mut whole = UpdateOutcome::default();
    let mut running: JoinSet<UpdateOutcome> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && !whole.broke_off
            && !stop.load(Ordering::Relaxed)
            && let Some(rows) = waiting.pop()
        {
            let (session, plan) = (session.clone(), Arc::clone(plan));
            running.spawn(async move { one_request(&session, &plan, &rows).await });
        }
        let Some(ended) = running.join_next().await else { break };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(match error.try_into_panic() {
                Ok(panic) => panic,
                Err(_) => break, // only dropping the set ends a task, and then nobody is here
            }),
        };
        whole.take_in(outcome);
        progress(whole.settled());
    }
    whole.stopped = stop.load(Ordering::Relaxed) && !waiting.is_empty();
    whole.untouched.extend(waiting.into_iter().flatten().map(|row| plan.planned[row].seen.id.clone()));
    whole
}

/// Rows of the plan that go by one request each; the largest come last, so that they are begun first.
fn requests(session: &Session, plan: &UpdatePlan, only: Option<&HashSet<KeyId>>) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<(bool, String), Vec<usize>> = BTreeMap::new();
    for (row, planned) in plan.planned.iter().enumerate() {
        if only.is_none_or(|only| only.contains(&planned.seen.id)) {
            let is_rest = matches!(planned.change, KeyChange::Rest(_));
            groups.entry((is_rest, planned.change.body())).or_default().push(row);
        }
    }
    let has_bulk = session.has(Feature::BulkUpdate);
    let mut waiting: Vec<Vec<usize>> = Vec::new();
    for ((is_rest, _), rows) in groups {
        let size = if is_rest && has_bulk { MAX_BULK } else { 1 };
        waiting.extend(rows.chunks(size).map(<[usize]>::to_vec));
    }
    waiting.sort_by_key(Vec::len);
    waiting
}

/// Keys with the same change: compared with what was shown, sent, and compared with what was asked.
async fn one_request(session: &Session, plan: &UpdatePlan, rows: &[usize]) -> UpdateOutcome {
    let planned: HashMap<&KeyId, &PlannedUpdate> =
        rows.iter().filter_map(|row| plan.planned.get(*row)).map(|planned| (&planned.seen.id, planned)).collect();
    let all: Vec<KeyId> = rows.iter().filter_map(|row| plan.planned.get(*row)).map(|one| one.seen.id.clone()).collect();
    let with_limits = planned.values().any(|one| one.seen.limited_by.is_some());
    let mut outcome = UpdateOutcome::default();
    if let Err(error) = cluster_identity::check(session).await {
        return UpdateOutcome::all_failed(all, &error.not_sent().to_string());
    }
    let now = match read_now(session, &all, with_limits).await {
        Ok(now) => now,
        Err(error) => {
            let reason = format!("nothing was sent: it could not be read just before, to be compared: {error}");
            return UpdateOutcome::all_failed(all, &reason);
        }
    };
    let mut same = Vec::with_capacity(all.len());
    for id in all {
        let change = match now.one(&id) {
            Ok(key) => planned.get(&id).and_then(|planned| changed_meanwhile(&planned.seen, &key)),
            Err(problem) => Some(format!("{}. {}", problem.title, problem.detail)),
        };
        match change {
            None => same.push(id),
            Some(words) => {
                let reason = format!("changed meanwhile: {words}. Nothing was sent: refresh, and update it again");
                outcome.failed.push((id, Failure::Refused(reason)));
            }
        }
    }
    let first = same.first().and_then(|id| planned.get(id)).copied();
    let Some(first) = first else { return outcome };
    outcome.take_in(send(session, same, first, &planned).await);
    outcome
}

/// Writes the intent down, sends, proves, and writes the outcome down.
async fn send(
    session: &Session,
    ids: Vec<KeyId>,
    first: &PlannedUpdate,
    planned: &HashMap<&KeyId, &PlannedUpdate>,
) -> UpdateOutcome {
    // A date is sent as what is left until then, which was more when it was shown.
    let left = first.until.map(|until| until.saturating_sub(session.now()));
    if left.is_some_and(|left| left < 1000) {
        let reason = "the expiration has passed meanwhile, so nothing was sent: choose a later one";
        return UpdateOutcome::all_failed(ids, reason);
    }
    let span = left.map(Span::of_millis);
    let mut change = first.change.clone();
    let (action, body) = match &mut change {
        KeyChange::Rest(update) => {
            update.expiration = span.or(update.expiration);
            (Action::Update, update.body(None))
        }
        KeyChange::CrossCluster(update) => {
            update.expiration = span.or(update.expiration);
            (Action::UpdateCrossCluster, update.body())
        }
    };
    let intent = match session.intend(action, &ids, serde_json::from_str(&body).ok()).await {
        Ok(intent) => intent,
        Err(error) => return UpdateOutcome::all_failed(ids, &error.to_string()),
    };
    let mut outcome = match &change {
        KeyChange::Rest(update) => carry_out(session, ids, update).await,
        KeyChange::CrossCluster(update) => cross_cluster(session, ids, update).await,
    };
    prove(session, planned, &mut outcome).await;
    intent.close(closing(&outcome)).await;
    outcome
}

/// Reads the keys again after the answer. What was asked for and is not so any more was overtaken by somebody else, or
/// never done: which of both is not known.
async fn prove(session: &Session, planned: &HashMap<&KeyId, &PlannedUpdate>, outcome: &mut UpdateOutcome) {
    let done = [outcome.updated.as_slice(), outcome.unchanged.as_slice()].concat();
    if done.is_empty() {
        return;
    }
    if let Err(error) = cluster_identity::check(session).await {
        let reason = Failure::Unknown(format!("the request was answered, and {error}"));
        outcome.updated.clear();
        outcome.unchanged.clear();
        outcome.failed.extend(done.into_iter().map(|id| (id, reason.clone())));
        outcome.broke_off = true;
        return;
    }
    let read = read_now(session, &done, false).await;
    let mut wrong: HashMap<KeyId, Failure> = HashMap::new();
    for id in done {
        let Some(planned) = planned.get(&id) else { continue };
        match read.as_ref().map(|read| read.one(&id)) {
            Ok(Ok(after)) => {
                if let Some(words) = not_as_asked(planned, &after) {
                    let words = format!(
                        "the cluster said that it is updated, and read again it is not as asked: {words}. \
                         Somebody else may have changed it at the same time"
                    );
                    wrong.insert(id, Failure::Unknown(words));
                } else if let Some(words) = other_end(planned, &after, session.now()) {
                    // Updated, and with all the rest that was asked for.
                    outcome.remarks.insert(id, words);
                }
            }
            Ok(Err(problem)) => {
                let words = format!("the cluster said that it is updated. {}. {}", problem.title, problem.detail);
                wrong.insert(id, Failure::Unknown(words));
            }
            Err(error) => {
                outcome.remarks.insert(id, format!("as the cluster said; it could not be read again: {error}"));
            }
        }
    }
    for list in [&mut outcome.updated, &mut outcome.unchanged] {
        let (bad, good) = std::mem::take(list).into_iter().partition(|id| wrong.contains_key(id));
        *list = good;
        let reason = |id: KeyId| wrong.get(&id).cloned().map(|reason| (id, reason));
        let bad: Vec<KeyId> = bad;
        outcome.failed.extend(bad.into_iter().filter_map(reason));
    }
}

fn closing(outcome: &UpdateOutcome) -> OutcomeEntry {
    let keys = [outcome.updated.clone(), outcome.unchanged.clone()].concat();
    let never = |id: &KeyId| (id.clone(), Failure::Refused("never sent".into()));
    let failed = outcome.failed.iter().cloned().chain(outcome.untouched.iter().map(never)).collect();
    OutcomeEntry::of_outcomes(keys, failed)
}

/// Changes REST keys in the same way, without comparing them with anything: 50 by one request where there are several
/// and the version can, otherwise one by one. After an error that would meet the next keys too, or a lost answer,
/// nothing more is sent. [`run`] is for what a person was shown.
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
        Err(error) => return UpdateOutcome::all_failed(once, &error.to_string()),
    };
    let mut outcome = carry_out(session, once, update).await;
    if let Err(other) = cluster_identity::check(session).await {
        // On which cluster they were changed nobody can tell.
        let good = std::mem::take(&mut outcome.updated).into_iter().chain(std::mem::take(&mut outcome.unchanged));
        outcome.failed.extend(good.map(|id| (id, Failure::Unknown(other.to_string()))));
        outcome.broke_off = true;
    }
    intent.close(closing(&outcome)).await;
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
async fn cross_cluster(session: &Session, ids: Vec<KeyId>, update: &CrossClusterUpdate) -> UpdateOutcome {
    let mut outcome = UpdateOutcome::default();
    for id in ids {
        let sent_at = session.now();
        match session.client.update_cross_cluster_key(&id, update).await {
            Ok(true) => outcome.updated.push(id),
            Ok(false) => outcome.unchanged.push(id),
            Err(error) if error.is_answer_lost() => {
                outcome.broke_off = true;
                let is_done = |key: &ApiKey, now| update.is_carried_out(key, sent_at, now);
                look_again(session, vec![id], &error, is_done, &mut outcome).await;
            }
            Err(error) => {
                outcome.broke_off |= !is_of_this_key(&error);
                outcome.failed.push((id, Failure::Refused(error.to_string())));
            }
        }
    }
    outcome
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

/// After a lost answer only the keys themselves tell what was done. `is_done` judges a key by the cluster's clock.
async fn look_again(
    session: &Session,
    chunk: Vec<KeyId>,
    lost: &ClientError,
    is_done: impl Fn(&ApiKey, Millis) -> Option<bool>,
    outcome: &mut UpdateOutcome,
) {
    tokio::time::sleep(UNTIL_SHOWN).await;
    match read_now(session, &chunk, false).await {
        Ok(found) => compare(chunk, &found, lost, |key| is_done(key, session.now()), outcome),
        Err(error) => {
            let unknown = Failure::Unknown(format!("{lost}; it could not be read again: {error}"));
            outcome.failed.extend(chunk.into_iter().map(|id| (id, unknown.clone())));
        }
    }
}

fn compare(
    chunk: Vec<KeyId>,
    found: &NowRead,
    lost: &ClientError,
    is_done: impl Fn(&ApiKey) -> Option<bool>,
    outcome: &mut UpdateOutcome,
) {
    for id in chunk {
        let reason = match found.keys.get(&id).map(&is_done) {
            Some(Some(true)) => {
                outcome.updated.push(id);
                continue;
            }
            Some(Some(false)) => format!("{lost}; {NOT_SHOWN}"),
            Some(None) => format!("{lost}; the key can't tell"),
            None => format!("{lost}; it was not found when it was looked for"),
        };
        outcome.failed.push((id, Failure::Unknown(reason)));
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
    fn every_id_has_one_outcome() {
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
        let keys = [key("done", r#"{"a": 1}"#), key("not", "{}")].map(|key| (key.id.clone(), key));
        let found = NowRead { keys: keys.into(), unreadable: HashMap::new() };
        let is_done = |key: &ApiKey| update.is_carried_out(key, 0, 1);
        compare(ids(&["done", "not", "gone"]), &found, &lost, is_done, &mut outcome);
        assert_eq!(outcome.updated, ids(&["done"]));
        assert!(
            outcome.failed[0].1.reason().contains("does not show")
                && outcome.failed.iter().all(|(_, why)| why.is_unknown())
        );
    }
}
