//! Carrying out an update: each key is read again just before it is sent and compared with what was shown, and read
//! again after the answer and compared with what was asked. Keys with the same change go by bulk where the version has
//! it, several requests at the same time, stoppable between them, and with the truth about lost answers.

pub(super) mod current;
pub mod plan;
mod requests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinSet;

use current::read_now;
pub use requests::{MAX_BULK, update};

use crate::{
    model::{
        TimeDelta,
        api_key::KeyId,
        failure::Failure,
        journal::Action,
        time::expiry::Span,
        update::{
            plan::{KeyChange, PlannedUpdate, UpdatePlan},
            race::{changed_meanwhile, not_as_asked, other_end},
        },
        version::Feature,
    },
    ops::{
        Outcome, Session,
        bulk::{BulkFuture, BulkOperation, OnProgress, Progress},
        connections::cluster_identity,
        journal::recorder::OutcomeEntry,
    },
};

/// Number of requests at the same time. Each waits for the index to be refreshed (about a second, as seen on 9.5.3).
const AT_ONCE: usize = 8;

/// Carries a plan out: all of it, or only these keys of it. Keys with the same change go by one request, several
/// requests at the same time. A key that is not as it was shown is not sent. After an error that would meet the next
/// ones too, and once stopped, nothing more is begun; what is on its way is waited for. `progress` gets the
/// outcome so far.
pub async fn run(
    session: &Session,
    plan: &Arc<UpdatePlan>,
    only: Option<&HashSet<KeyId>>,
    stop: &AtomicBool,
    mut progress: impl FnMut(Progress<'_>),
) -> Outcome {
    let planned_on = plan.cluster.as_ref().map(|cluster| session.on_cluster(cluster));
    let session = planned_on.as_ref().unwrap_or(session);
    let mut waiting = groups(session, plan, only);
    let total: usize = waiting.iter().map(Vec::len).sum();
    let mut whole = Outcome::default();
    let mut running: JoinSet<Outcome> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && !whole.broke_off
            && !stop.load(Ordering::Relaxed)
            && let Some(rows) = waiting.pop()
        {
            let (session, plan) = (session.clone(), Arc::clone(plan));
            running.spawn(async move { one_request(&session, &plan, &rows).await });
        }
        whole.stopped |= !whole.broke_off && stop.load(Ordering::Relaxed) && !waiting.is_empty();
        let Some(ended) = running.join_next().await else { break };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(match error.try_into_panic() {
                Ok(panic) => panic,
                Err(_) => break, // only dropping the set ends a task, and then nobody is here
            }),
        };
        whole.extend(outcome);
        let waiting = waiting.iter().map(Vec::len).sum();
        progress(Progress {
            outcome: &whole,
            in_flight: total.saturating_sub(waiting + whole.settled() + whole.untouched.len()),
            waiting,
        });
    }
    whole.untouched.extend(waiting.into_iter().flatten().map(|row| plan.planned[row].seen.id.clone()));
    whole
}

/// A reviewed update of many keys.
#[derive(Debug)]
pub struct BulkUpdate {
    /// Plan that was reviewed.
    pub plan: Arc<UpdatePlan>,
    /// Keys of the plan to be sent; `None` means all of them.
    pub only: Option<HashSet<KeyId>>,
}

impl BulkOperation for BulkUpdate {
    fn run<'a>(
        self: Box<Self>,
        session: &'a Session,
        stop: &'a AtomicBool,
        on_progress: &'a mut OnProgress<'_>,
    ) -> BulkFuture<'a> {
        Box::pin(async move {
            run(session, &self.plan, self.only.as_ref(), stop, |progress| on_progress(progress.into())).await
        })
    }
}

/// Rows of the plan that go by one request each; the largest come last, so that they are begun first.
fn groups(session: &Session, plan: &UpdatePlan, only: Option<&HashSet<KeyId>>) -> Vec<Vec<usize>> {
    let mut by_change: BTreeMap<(bool, String), Vec<usize>> = BTreeMap::new();
    for (row, planned) in plan.planned.iter().enumerate() {
        if only.is_none_or(|only| only.contains(&planned.seen.id)) {
            let is_rest = matches!(planned.change, KeyChange::Rest(_));
            by_change.entry((is_rest, planned.change.body())).or_default().push(row);
        }
    }
    let has_bulk = session.has(Feature::BulkUpdate);
    let mut waiting: Vec<Vec<usize>> = Vec::new();
    for ((is_rest, _), rows) in by_change {
        let size = if is_rest && has_bulk { MAX_BULK } else { 1 };
        waiting.extend(rows.chunks(size).map(<[usize]>::to_vec));
    }
    waiting.sort_by_key(Vec::len);
    waiting
}

/// Keys with the same change: compared with what was shown, sent, and compared with what was asked.
async fn one_request(session: &Session, plan: &UpdatePlan, rows: &[usize]) -> Outcome {
    let planned: HashMap<&KeyId, &PlannedUpdate> =
        rows.iter().filter_map(|row| plan.planned.get(*row)).map(|planned| (&planned.seen.id, planned)).collect();
    let all: Vec<KeyId> = rows.iter().filter_map(|row| plan.planned.get(*row)).map(|one| one.seen.id.clone()).collect();
    let with_limits = planned.values().any(|one| one.seen.limited_by.is_some());
    let mut outcome = Outcome::default();
    if let Err(error) = cluster_identity::check(session).await {
        let error = error.not_sent();
        return Outcome::not_sent(all, &error, &error.to_string());
    }
    let now = match read_now(session, &all, with_limits).await {
        Ok(now) => now,
        Err(error) => {
            let reason = format!("nothing was sent: it could not be read beforehand for comparison: {error}");
            return Outcome::not_sent(all, &error, &reason);
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
                let reason = format!("changed in the meantime: {words}. Nothing was sent: refresh and update it again");
                outcome.failed.push((id, Failure::Refused(reason)));
            }
        }
    }
    let first = same.first().and_then(|id| planned.get(id)).copied();
    let Some(first) = first else { return outcome };
    outcome.extend(send(session, same, first, &planned).await);
    outcome
}

/// Writes the intent down, sends, proves, and writes the outcome down.
async fn send(
    session: &Session,
    ids: Vec<KeyId>,
    first: &PlannedUpdate,
    planned: &HashMap<&KeyId, &PlannedUpdate>,
) -> Outcome {
    // A date is sent as what is left until then, which was more when it was shown.
    let left = first.until.map(|until| until - session.now());
    if left.is_some_and(|left| left < TimeDelta::SECOND) {
        let reason = "the expiration has passed in the meantime, so nothing was sent: choose a later one";
        return Outcome::all_failed(ids, reason);
    }
    let span = left.map(Span::of);
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
        Err(error) => return Outcome::all_failed(ids, &error.to_string()),
    };
    let mut outcome = match &change {
        KeyChange::Rest(update) => requests::carry_out(session, ids, update).await,
        KeyChange::CrossCluster(update) => requests::cross_cluster(session, ids, update).await,
    };
    prove(session, planned, &mut outcome).await;
    intent.close(closing(&outcome)).await;
    outcome
}

/// Reads the keys again after the answer. What was asked for and is not so any more was overtaken by somebody else, or
/// never done: which of both is not known.
async fn prove(session: &Session, planned: &HashMap<&KeyId, &PlannedUpdate>, outcome: &mut Outcome) {
    let done = [outcome.done.as_slice(), outcome.unchanged.as_slice()].concat();
    if done.is_empty() {
        return;
    }
    if let Err(error) = cluster_identity::check(session).await {
        let reason = Failure::Unknown(format!("the request was answered, but {error}"));
        outcome.done.clear();
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
                        "the cluster reported it as updated, but when read back it is not as requested: {words}. \
                         Someone else may have changed it at the same time"
                    );
                    wrong.insert(id, Failure::Unknown(words));
                } else if let Some(words) = other_end(planned, &after, session.now()) {
                    // Updated, and with all the rest that was asked for.
                    outcome.remarks.insert(id, words);
                }
            }
            Ok(Err(problem)) => {
                let words = format!("the cluster reported it as updated. {}. {}", problem.title, problem.detail);
                wrong.insert(id, Failure::Unknown(words));
            }
            Err(error) => {
                outcome.remarks.insert(id, format!("as reported by the cluster; it could not be read back: {error}"));
            }
        }
    }
    for list in [&mut outcome.done, &mut outcome.unchanged] {
        let (bad, good) = std::mem::take(list).into_iter().partition(|id| wrong.contains_key(id));
        *list = good;
        let reason = |id: KeyId| wrong.get(&id).cloned().map(|reason| (id, reason));
        let bad: Vec<KeyId> = bad;
        outcome.failed.extend(bad.into_iter().filter_map(reason));
    }
}

fn closing(outcome: &Outcome) -> OutcomeEntry {
    let keys = [outcome.done.clone(), outcome.unchanged.clone()].concat();
    let never = |id: &KeyId| (id.clone(), Failure::Refused("never sent".into()));
    let failed = outcome.failed.iter().cloned().chain(outcome.untouched.iter().map(never)).collect();
    OutcomeEntry::of_outcomes(keys, failed)
}
