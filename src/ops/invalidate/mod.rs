//! Invalidating keys by id in chunks, with proof by reading them again. It can be stopped between chunks. While the
//! cluster works on one chunk, the previous one is proved.

mod proof;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    client::{ClientError, Invalidation, MAX_DATE_SKEW},
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId},
        failure::Failure,
        guard::Guard,
        journal::Action,
        rotation::ClusterRef,
    },
    ops::{
        ClockWayOut, Halted, Outcome, Session,
        bulk::{BulkFuture, BulkOperation, OnProgress, Progress},
        clock::{self, Compared},
        connections::{cluster_identity, vault},
        journal::recorder::{Intent, OutcomeEntry},
        keys::list,
    },
};

/// Maximum number of ids per request. Each request waits for the index to be refreshed, once a second: on 9.5.3 with
/// two processors 500 ids took 1.05 s, 1,000 took 1.05 s, 2,000 2.1 s and 5,000 3.1 s. So 1,000 are twice as fast as
/// 500, more gain little, and 10,000 keys can still be stopped nine times. `refresh` is refused there (400).
pub const CHUNK: usize = 1000;

/// Plan of an invalidation: the keys, and the confirmations that were given.
#[derive(Clone, Debug, Default)]
pub struct InvalidationPlan {
    /// Ids of the keys, in the order of sending, except that the session's own key is sent last.
    pub ids: Vec<KeyId>,
    /// Cluster on which the keys were read; nothing is sent to another one. `None` relies on the session's cluster.
    pub cluster: Option<ClusterRef>,
    /// Subset of `ids` that a product made for itself.
    pub managed: HashSet<KeyId>,
    /// `true` if invalidating the key that the session is signed in by was confirmed.
    pub own_key_too: bool,
    /// `true` if invalidating keys that a product made for itself was confirmed.
    pub managed_too: bool,
    /// Skew of the clock by which the keys were found; `Some` only if a search or a status selected
    /// them. Then the cluster's clock is read before anything is sent, and a clock that differs from that one stops the
    /// invalidation.
    pub found_by: Option<TimeDelta>,
    /// `true` if trusting this machine's clock was confirmed for the case that the cluster's clock is in doubt and
    /// can't be read.
    pub clock_in_doubt_too: bool,
}

impl InvalidationPlan {
    /// Returns a plan for keys as they were shown, without any confirmation.
    pub fn of<'k>(keys: impl IntoIterator<Item = &'k ApiKey>) -> Self {
        let mut plan = Self::default();
        for key in keys {
            if crate::model::guard::product_of(key).is_some() {
                plan.managed.insert(key.id.clone());
            }
            plan.ids.push(key.id.clone());
        }
        plan
    }

    /// Returns the guard that keeps a key from being sent; `None` if it may be sent. `own` is the key that the session
    /// is signed in by.
    pub fn guard(&self, id: &KeyId, own: Option<&KeyId>) -> Option<Guard> {
        if own == Some(id) && !self.own_key_too {
            return Some(Guard::OwnKey);
        }
        (!self.managed_too && self.managed.contains(id)).then_some(Guard::Managed)
    }
}

impl BulkOperation for InvalidationPlan {
    fn run<'a>(
        self: Box<Self>,
        session: &'a Session,
        stop: &'a AtomicBool,
        on_progress: &'a mut OnProgress<'_>,
    ) -> BulkFuture<'a> {
        Box::pin(async move { many(session, *self, stop, |progress| on_progress(progress.into())).await })
    }
}

/// Invalidates keys. `own_key_too` confirms the key that the session is signed in by: without it that key is left
/// untouched.
pub async fn invalidate(
    session: &Session,
    ids: &[KeyId],
    own_key_too: bool,
    stop: &AtomicBool,
    progress: impl FnMut(Progress<'_>),
) -> Outcome {
    let plan = InvalidationPlan { ids: ids.to_vec(), own_key_too, ..InvalidationPlan::default() };
    many(session, plan, stop, progress).await
}

/// Invalidates the keys of a plan. Keys that are guarded and not confirmed are never sent. `stop` is checked between
/// two requests; a refusal, or a cluster that can't be asked any more, ends it too.
pub async fn many(
    session: &Session,
    plan: InvalidationPlan,
    stop: &AtomicBool,
    progress: impl FnMut(Progress<'_>),
) -> Outcome {
    let planned_on = plan.cluster.as_ref().map(|cluster| session.on_cluster(cluster));
    let session = planned_on.as_ref().unwrap_or(session);
    let own = session.own_key();
    let halted = match plan.found_by {
        Some(skew) => clock_in_doubt(session, skew, plan.clock_in_doubt_too).await,
        None => None,
    };
    let (chunks, guarded) = chunks(plan, own);
    if halted.is_some() {
        let untouched = chunks.into_iter().flatten().chain(guarded.keys().cloned()).collect();
        return Outcome { untouched, guarded, halted, ..Outcome::default() };
    }
    let waiting = chunks.iter().map(Vec::len).sum();
    let mut chunks = VecDeque::from(chunks);
    let mut run = Run { session, outcome: Outcome::default(), in_flight: 0, waiting, progress };
    let mut unproved: Option<Sent<'_>> = None;
    let mut goes_on = true;
    while goes_on && !chunks.is_empty() {
        if stop.load(Ordering::Relaxed) {
            run.outcome.stopped = true;
            break;
        }
        // With its own key the session ends: whatever came before could not be proved any more.
        let ends_session = chunks.front().is_some_and(|chunk| chunk.first() == own && own.is_some());
        if let Some(before) = unproved.take_if(|_| ends_session) {
            goes_on = run.prove(before).await;
            continue;
        }
        let Some(chunk) = chunks.pop_front() else { break };
        run.waiting -= chunk.len();
        run.in_flight += chunk.len();
        run.report();
        let prove = async {
            match unproved.take() {
                Some(before) => run.prove(before).await,
                None => true,
            }
        };
        let (sent, proved) = tokio::join!(send(session, chunk), prove);
        goes_on = proved && sent.may_be_followed();
        unproved = Some(sent);
    }
    if let Some(last) = unproved {
        run.prove(last).await;
    }
    let mut outcome = run.outcome;
    outcome.untouched.extend(chunks.into_iter().flatten().chain(guarded.keys().cloned()));
    outcome.broke_off = !goes_on && outcome.untouched.len() > guarded.len();
    outcome.guarded = guarded;
    forget_secrets(session, &outcome.done).await;
    outcome
}

/// Forgets the kept secrets of invalidated keys, in the background: the keyring may wait for a person, and the outcome
/// does not wait for it. A secret that stays is of no use to anybody.
async fn forget_secrets(session: &Session, done: &[KeyId]) {
    let Some(kept) = session.keyring.clone().filter(|_| !done.is_empty()) else { return };
    let (cluster, done) = (session.cluster_uuid.clone(), done.to_vec());
    let (begins, begun) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _ = begins.send(());
        vault::forget_ended(&kept, cluster.as_deref(), &done)
    });
    // A command ends with its runtime, which waits for what runs and drops what has not begun.
    let _ = begun.await;
}

/// Returns the doubt because of which keys may not be sent that were found while the clock was `found_by`
/// ahead of this machine's; `None` if there is none. The cluster itself is asked, not a proxy that answers for it.
async fn clock_in_doubt(session: &Session, found_by: TimeDelta, agreed: bool) -> Option<Halted> {
    let compared = clock::compare(session).await;
    let moved = session.skew() - found_by;
    if moved.abs() > MAX_DATE_SKEW {
        let why = format!(
            "the cluster's clock is {} the clock used to find these keys. Nothing was sent: search again; the \
             cluster's time is used now",
            clock::ahead(moved)
        );
        return Some(Halted { why, way_out: ClockWayOut::SearchAgain });
    }
    let halted = match compared {
        Ok(Compared::Agree | Compared::Differed(_)) => None,
        Ok(Compared::NotKnown) => session.client.doubtful_date().map(|date| Halted {
            why: format!(
                "responses are dated {} this machine's clock, and the cluster's own clock can't be checked. Nothing \
                 was sent",
                clock::ahead(date)
            ),
            way_out: ClockWayOut::TrustThisMachine,
        }),
        Err(error) => Some(Halted {
            why: format!("the cluster's clock could not be checked, so nothing was sent: {error}"),
            way_out: if error.is_passing() { ClockWayOut::TryAgain } else { ClockWayOut::TrustThisMachine },
        }),
    };
    halted.filter(|_| !agreed)
}

/// Splits a plan into the ids of each request, with the session's own key last and alone, and the guarded keys that are
/// not sent.
fn chunks(plan: InvalidationPlan, own: Option<&KeyId>) -> (Vec<Vec<KeyId>>, HashMap<KeyId, Guard>) {
    let mut guarded = HashMap::new();
    let mut seen = HashSet::new();
    let mut chunks: Vec<Vec<KeyId>> = Vec::new();
    let mut own_chunk = None;
    for id in plan.ids.iter().filter(|id| seen.insert(*id)) {
        if let Some(guard) = plan.guard(id, own) {
            guarded.insert(id.clone(), guard);
        } else if own == Some(id) {
            own_chunk = Some(vec![id.clone()]);
        } else {
            match chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
                Some(chunk) => chunk.push(id.clone()),
                None => chunks.push(vec![id.clone()]),
            }
        }
    }
    chunks.extend(own_chunk);
    (chunks, guarded)
}

/// Request that was sent or could not be sent.
struct Sent<'a> {
    chunk: Vec<KeyId>,
    /// Intent in the journal; `None` if it could not be recorded, so that nothing was sent.
    intent: Option<Intent<'a>>,
    answer: Result<Invalidation, ClientError>,
}

impl Sent<'_> {
    /// `true` if another request may follow: after a success or a lost answer, but not after a refusal.
    fn may_be_followed(&self) -> bool {
        self.answer.as_ref().err().is_none_or(|error| error.is_answer_lost() && !error.is_refused_repetition())
    }
}

async fn send(session: &Session, chunk: Vec<KeyId>) -> Sent<'_> {
    let intent = match cluster_identity::check(session).await {
        Ok(()) => session.intend(Action::Invalidate, &chunk, None).await,
        Err(other) => Err(other.not_sent()),
    };
    match intent {
        Ok(intent) => {
            let answer = session.client.invalidate(&chunk, session.invalidates_own_only()).await;
            Sent { chunk, intent: Some(intent), answer }
        }
        Err(error) => Sent { chunk, intent: None, answer: Err(error) },
    }
}

struct Run<'a, P> {
    session: &'a Session,
    outcome: Outcome,
    in_flight: usize,
    waiting: usize,
    progress: P,
}

impl<P: FnMut(Progress<'_>)> Run<'_, P> {
    fn report(&mut self) {
        let report = Progress { outcome: &self.outcome, in_flight: self.in_flight, waiting: self.waiting };
        (self.progress)(report);
    }

    /// Settles the keys of a request. Returns `true` if the cluster can still be asked.
    async fn prove(&mut self, sent: Sent<'_>) -> bool {
        let Sent { chunk, intent, answer } = sent;
        self.in_flight -= chunk.len();
        let (done, failed) = (self.outcome.done.len(), self.outcome.failed.len());
        if let Err(error @ ClientError::SignIn(_)) = &answer {
            let never = |id: &KeyId| (id.clone(), Failure::Refused("never sent".into()));
            let entry = OutcomeEntry::of_outcomes(Vec::new(), chunk.iter().map(never).collect());
            self.outcome.extend(Outcome::not_sent(chunk, error, ""));
            self.report();
            if let Some(intent) = intent {
                intent.close(entry).await;
            }
            return false;
        }
        let Some(intent) = intent else {
            let refused = Failure::Refused(answer.err().map(|error| error.to_string()).unwrap_or_default());
            self.outcome.failed.extend(chunk.into_iter().map(|id| (id, refused.clone())));
            self.report();
            return false;
        };
        // Also after a refusal: an earlier try of the same request may have gone through before its answer
        // was lost.
        let proof = match cluster_identity::check(self.session).await {
            Ok(()) => list::by_id(self.session, &chunk).await,
            Err(other) => Err(other.into()),
        };
        let can_be_asked = proof.is_ok();
        match proof {
            Ok(found) => {
                let found = proof::look_again(self.session, &chunk, found, &answer).await;
                proof::sort_out(chunk, &found, &answer, &mut self.outcome);
            }
            Err(error) => {
                // The session may have ended its own key; the cluster's own word is the next best.
                let is_own = self.session.own_key().is_some_and(|own| chunk == [own.clone()]);
                proof::sort_out_unproved(chunk, answer, &error, is_own, &mut self.outcome);
            }
        }
        let (keys, failed) = (self.outcome.done[done..].to_vec(), self.outcome.failed[failed..].to_vec());
        self.report();
        intent.close(OutcomeEntry::of_outcomes(keys, failed)).await;
        can_be_asked
    }
}

#[cfg(test)]
mod tests;
