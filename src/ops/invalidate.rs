//! Invalidating keys by id in chunks, with proof by reading them again. It can be stopped between chunks. While the
//! cluster works on one chunk, the previous one is proved.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    client::{ClientError, Invalidation, MAX_DATE_SKEW},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        failure::Failure,
        guard::Guard,
        journal::Action,
        rotation::ClusterRef,
    },
    ops::{
        Session,
        clock::{self, Compared},
        connections::{cluster_identity, vault},
        journal::recorder::{Intent, OutcomeEntry},
        keys::list::{self, ById},
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
    /// Skew of the clock by which the keys were found, in milliseconds; `Some` only if a search or a status selected
    /// them. Then the cluster's clock is read before anything is sent, and a clock that differs from that one stops the
    /// invalidation.
    pub found_by: Option<Millis>,
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

/// Outcome for each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Keys that were read again and seen to be invalidated, or, for the session's own key, that the cluster reported
    /// as invalidated.
    pub done: Vec<KeyId>,
    /// The session's own key if it counts as invalidated only because the cluster reported it: the session could not
    /// read it again.
    pub on_its_word: Option<KeyId>,
    /// Keys that were not seen to be invalidated, each with the reason and how certain that is.
    pub failed: Vec<(KeyId, Failure)>,
    /// Keys that were never sent.
    pub untouched: Vec<KeyId>,
    /// Subset of `untouched` that needed a confirmation, each with its guard.
    pub guarded: HashMap<KeyId, Guard>,
    /// `true` if a person stopped it.
    pub stopped: bool,
    /// Reason why nothing was sent at all; `None` if there is none.
    pub halted: Option<Halted>,
}

/// Doubt about the cluster's clock, because of which nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// Message about the doubt.
    pub why: String,
    /// Way out of the doubt.
    pub way_out: ClockWayOut,
}

/// Way out of a doubt about the cluster's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockWayOut {
    /// New search by the clock that is known now.
    SearchAgain,
    /// New attempt to read the cluster's clock: it could not be reached.
    TryAgain,
    /// Confirmation by a person that this machine's clock is trusted.
    TrustThisMachine,
}

impl Outcome {
    /// `true` if every key is proved to be invalidated.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }

    /// Returns the number of keys that may have been invalidated although that was not seen.
    pub fn unknown(&self) -> usize {
        self.failed.iter().filter(|(_, failure)| failure.is_unknown()).count()
    }

    /// Returns the reason why an untouched key was never sent.
    pub fn why_untouched(&self, id: &KeyId) -> &str {
        match (self.guarded.get(id), &self.halted) {
            (Some(guard), _) => guard.reason(),
            (None, Some(halted)) => &halted.why,
            (None, None) if self.stopped => "it was stopped before",
            (None, None) => "what came before it failed, so it was not tried",
        }
    }

    /// Returns the keys that were never sent and could be: without those that need their own confirmation, and none if
    /// the search has to be repeated first.
    pub fn to_go_on(&self) -> impl Iterator<Item = &KeyId> {
        let may_go_on = self.halted.as_ref().is_none_or(|halted| halted.way_out != ClockWayOut::SearchAgain);
        self.untouched.iter().filter(move |id| may_go_on && !self.guarded.contains_key(*id))
    }

    /// Merges the outcome of trying some of the ids again into this one.
    pub fn take_in(&mut self, again: Self) {
        self.done.extend(again.done);
        self.on_its_word = self.on_its_word.take().or(again.on_its_word);
        self.failed.extend(again.failed);
        self.untouched.extend(again.untouched);
        self.guarded.extend(again.guarded);
        self.stopped = again.stopped;
        self.halted = again.halted;
    }
}

/// Progress of an invalidation.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Outcome of the keys settled so far, without those still to be sent.
    pub outcome: &'a Outcome,
    /// Number of ids that were sent and are not proved yet.
    pub on_the_way: usize,
    /// Number of ids that were not sent yet.
    pub waiting: usize,
}

/// Progress of an invalidation as numbers and examples, cheap to pass on.
#[derive(Clone, Debug, Default)]
pub struct InvalidationProgress {
    /// Number of keys proved to be invalidated so far.
    pub done: usize,
    /// Number of keys that certainly failed so far.
    pub failed: usize,
    /// Number of keys with an unknown outcome so far.
    pub unknown: usize,
    /// Number of keys sent and not proved yet.
    pub on_the_way: usize,
    /// Number of keys not sent yet.
    pub waiting: usize,
    /// Last few keys that were proved to be invalidated, newest first.
    pub latest: Vec<KeyId>,
    /// First few keys that were not seen to be invalidated, each with the reason.
    pub reasons: Vec<(KeyId, Failure)>,
}

impl From<Progress<'_>> for InvalidationProgress {
    fn from(progress: Progress<'_>) -> Self {
        const EXAMPLES: usize = 8;
        let Progress { outcome, on_the_way, waiting } = progress;
        Self {
            done: outcome.done.len(),
            failed: outcome.failed.len() - outcome.unknown(),
            unknown: outcome.unknown(),
            on_the_way,
            waiting,
            latest: outcome.done.iter().rev().take(EXAMPLES).cloned().collect(),
            reasons: outcome.failed.iter().take(EXAMPLES).cloned().collect(),
        }
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
    let mut run = Run { session, outcome: Outcome::default(), on_the_way: 0, waiting, progress };
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
        run.on_the_way += chunk.len();
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
    outcome.untouched = chunks.into_iter().flatten().chain(guarded.keys().cloned()).collect();
    outcome.guarded = guarded;
    forget_secrets(session, &outcome.done);
    outcome
}

/// Forgets the kept secrets of invalidated keys, in the background: the keyring may wait for a person, and the outcome
/// does not wait for it. A secret that stays is of no use to anybody.
fn forget_secrets(session: &Session, done: &[KeyId]) {
    let Some(kept) = session.keyring.clone().filter(|_| !done.is_empty()) else { return };
    let (cluster, done) = (session.cluster_uuid.clone(), done.to_vec());
    tokio::task::spawn_blocking(move || vault::forget_ended(&kept, cluster.as_deref(), &done));
}

/// Returns the doubt because of which keys may not be sent that were found while the clock was `found_by` milliseconds
/// ahead of this machine's; `None` if there is none. The cluster itself is asked, not a proxy that answers for it.
async fn clock_in_doubt(session: &Session, found_by: Millis, agreed: bool) -> Option<Halted> {
    let compared = clock::compare(session).await;
    let moved = session.skew().saturating_sub(found_by);
    if moved.saturating_abs() > MAX_DATE_SKEW {
        let why = format!(
            "the cluster's clock is {} the clock by which these keys were found. Nothing was sent: search again, the \
             cluster's time is used now",
            clock::ahead(moved)
        );
        return Some(Halted { why, way_out: ClockWayOut::SearchAgain });
    }
    let halted = match compared {
        Ok(Compared::Agree | Compared::Differed(_)) => None,
        Ok(Compared::NotKnown) => session.client.doubtful_date().map(|date| Halted {
            why: format!(
                "the answers are dated {} this machine's clock, and the cluster itself can't be asked. Nothing was sent",
                clock::ahead(date)
            ),
            way_out: ClockWayOut::TrustThisMachine,
        }),
        Err(error) => Some(Halted {
            why: format!("the cluster's clock could not be asked, so nothing was sent: {error}"),
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
    on_the_way: usize,
    waiting: usize,
    progress: P,
}

impl<P: FnMut(Progress<'_>)> Run<'_, P> {
    fn report(&mut self) {
        let report = Progress { outcome: &self.outcome, on_the_way: self.on_the_way, waiting: self.waiting };
        (self.progress)(report);
    }

    /// Settles the keys of a request. Returns `true` if the cluster can still be asked.
    async fn prove(&mut self, sent: Sent<'_>) -> bool {
        let Sent { chunk, intent, answer } = sent;
        self.on_the_way -= chunk.len();
        let (done, failed) = (self.outcome.done.len(), self.outcome.failed.len());
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
                let found = look_again(self.session, &chunk, found, &answer).await;
                sort_out(chunk, &found, &answer, &mut self.outcome);
            }
            Err(error) => {
                // The session may have ended its own key; the cluster's own word is the next best.
                let is_own = self.session.own_key().is_some_and(|own| chunk == [own.clone()]);
                sort_out_unproved(chunk, answer, (&error, is_own), &mut self.outcome);
            }
        }
        let (keys, failed) = (self.outcome.done[done..].to_vec(), self.outcome.failed[failed..].to_vec());
        self.report();
        intent.close(OutcomeEntry::of_outcomes(keys, failed)).await;
        can_be_asked
    }
}

/// Time until a key that has ended shows as such in queries: a second (as seen on 9.5.3, where reading it by id shows
/// it no sooner), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1300);

/// Maximum number of keys of a request that are read one by one because their proof doesn't fit the answer.
const MAX_READ_ALONE: usize = 16;

/// Reads those keys once more whose proof does not fit the answer, after the index has been refreshed: another process
/// may have ended them a moment ago, which the first reading could not show. Keys that can't be read keep their first
/// result.
async fn look_again(
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

fn sort_out(chunk: Vec<KeyId>, read: &ById, answer: &Result<Invalidation, ClientError>, outcome: &mut Outcome) {
    let found: HashMap<&KeyId, &ApiKey> = read.keys.iter().map(|key| (&key.id, key)).collect();
    for id in chunk {
        let failure = match found.get(&id) {
            Some(key) if key.invalidated => {
                outcome.done.push(id);
                continue;
            }
            Some(key) if key.is_unread("invalidated") => {
                let flaw = key.flaw.as_deref().unwrap_or_default();
                Failure::Unknown(format!("what the cluster tells of it can't be read: {flaw}"))
            }
            Some(_) => still_valid(&id, answer),
            None => match read.unreadable.kept().first() {
                Some(odd) => Failure::Unknown(format!("what the cluster tells of it can't be read: {}", odd.reason)),
                None => not_there(&id, answer),
            },
        };
        outcome.failed.push((id, failure));
    }
}

/// Returns the failure for a key that is still valid when read after the request.
fn still_valid(id: &KeyId, answer: &Result<Invalidation, ClientError>) -> Failure {
    match answer {
        Err(error) if error.is_answer_lost() => {
            Failure::Unknown(format!("it is still valid as just read, and the request may still be at work: {error}"))
        }
        Err(error) => Failure::Refused(format!("it is still valid: {error}")),
        Ok(answer) if names(answer, id) => {
            Failure::Unknown("the cluster said that it is invalidated, and read again it is still valid".into())
        }
        Ok(answer) if answer.is_repetition && error_of(answer, id).is_none() => Failure::Unknown(
            "it is still valid as just read, but the answer to a first try was lost, and the repetition does not name it"
                .into(),
        ),
        Ok(answer) => {
            let why = error_of(answer, id).unwrap_or("it belongs to somebody else, or the cluster left it out");
            Failure::Refused(format!("it is still valid: {why}"))
        }
    }
}

/// Returns the failure for a key that the cluster does not know when it is read after the request.
fn not_there(id: &KeyId, answer: &Result<Invalidation, ClientError>) -> Failure {
    match answer {
        Err(error) if error.is_answer_lost() => {
            Failure::Unknown(format!("the cluster knows no such key as just read, and the answer was lost: {error}"))
        }
        Ok(answer) if names(answer, id) => {
            Failure::Unknown("the cluster said that it is invalidated, and read again it is not there".into())
        }
        Ok(answer) if answer.is_repetition => Failure::Unknown(
            "the cluster knows no such key as just read, and the answer to a first try was lost".into(),
        ),
        _ => Failure::Refused("the cluster knows no such key, or you may not see it".into()),
    }
}

fn sort_out_unproved(
    chunk: Vec<KeyId>,
    answer: Result<Invalidation, ClientError>,
    (error, is_own): (&ClientError, bool),
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
            outcome.on_its_word = Some(id.clone());
            outcome.done.push(id);
        } else {
            let unknown = || Failure::Unknown(format!("it could not be read again: {error}"));
            outcome.failed.push((id, refusal.clone().unwrap_or_else(unknown)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<KeyId> {
        ids.iter().copied().map(KeyId::new).collect()
    }

    #[test]
    fn the_session_ends_its_own_key_last_and_by_itself() {
        let plan =
            InvalidationPlan { ids: ids(&["own", "b", "a", "b"]), own_key_too: true, ..InvalidationPlan::default() };
        let (chunks, guarded) = chunks(plan, Some(&KeyId::new("own")));
        assert_eq!(chunks, [ids(&["b", "a"]), ids(&["own"])]);
        assert!(guarded.is_empty());
    }

    #[test]
    fn what_is_guarded_is_never_sent_without_its_own_word() {
        let managed = HashSet::from([KeyId::new("fleet"), KeyId::new("own")]);
        let plan = InvalidationPlan { ids: ids(&["a", "own", "fleet"]), managed, ..InvalidationPlan::default() };
        let own = KeyId::new("own");
        let sent = |plan: InvalidationPlan| chunks(plan, Some(&own)).0.concat();
        assert_eq!(sent(plan.clone()), ids(&["a"]));
        assert_eq!(sent(InvalidationPlan { managed_too: true, ..plan.clone() }), ids(&["a", "fleet"]));
        // One's own key that a product made needs both words.
        assert_eq!(sent(InvalidationPlan { own_key_too: true, ..plan.clone() }), ids(&["a"]));
        assert_eq!(
            sent(InvalidationPlan { own_key_too: true, managed_too: true, ..plan.clone() }),
            ids(&["a", "fleet", "own"])
        );
        assert_eq!(chunks(plan, Some(&own)).1[&own], Guard::OwnKey);
    }

    #[test]
    fn no_request_is_longer_than_a_chunk() {
        let all: Vec<KeyId> = (0..2 * CHUNK + 1).map(|number| KeyId::new(number.to_string())).collect();
        let (chunks, _) = chunks(InvalidationPlan { ids: all.clone(), ..InvalidationPlan::default() }, None);
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK, CHUNK, 1]);
        assert_eq!(chunks.concat(), all);
    }

    #[test]
    fn an_error_is_told_of_the_key_that_it_names() {
        let answer = Invalidation { errors: vec!["Cannot invalidate [b]".into()], ..Invalidation::default() };
        assert!(still_valid(&KeyId::new("b"), &Ok(answer.clone())).reason().contains("Cannot invalidate"));
        assert!(still_valid(&KeyId::new("c"), &Ok(answer)).reason().contains("somebody else"));
    }

    #[test]
    fn where_answer_and_proof_contradict_each_other_it_is_not_known() {
        let answer = Ok(Invalidation { invalidated: ids(&["a", "b"]), previously: ids(&["c"]), ..Default::default() });
        let valid = ApiKey { id: KeyId::new("a"), ..ApiKey::default() };
        let read = ById { keys: vec![valid], ..ById::default() };
        let mut outcome = Outcome::default();
        sort_out(ids(&["a", "b", "c", "d"]), &read, &answer, &mut outcome);
        assert_eq!((outcome.done.len(), outcome.unknown()), (0, 3), "{:?}", outcome.failed);
        assert!(outcome.failed[0].1.reason().ends_with("it is still valid"));
        assert!(outcome.failed[1].1.reason().ends_with("it is not there"));
        assert!(!outcome.failed[3].1.is_unknown(), "a key that no answer names is not there: that is certain");
    }

    #[test]
    fn a_refused_repetition_proves_nothing_where_the_first_try_may_have_worked() {
        let lost = ClientError::Broken { reason: "reset".into(), maybe_sent: true, status: None };
        let no = ClientError::Forbidden { action: None, reason: "no".into(), privileges: Vec::new() };
        let again = ClientError::RefusedRepetition { first: Box::new(lost.clone()), then: Box::new(no.clone()) };
        for (answer, unknown) in [(again, 1), (no, 0)] {
            let mut outcome = Outcome::default();
            sort_out_unproved(ids(&["a"]), Err(answer.clone()), (&lost, false), &mut outcome);
            assert_eq!(outcome.unknown(), unknown, "{:?}", outcome.failed);
            let mut outcome = Outcome::default();
            let valid = ById { keys: vec![ApiKey { id: KeyId::new("a"), ..ApiKey::default() }], ..ById::default() };
            sort_out(ids(&["a"]), &valid, &Err(answer), &mut outcome);
            assert_eq!(outcome.unknown(), unknown, "{:?}", outcome.failed);
        }
    }
}
