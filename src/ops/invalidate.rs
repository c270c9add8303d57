//! Invalidating keys by id, in chunks that can be stopped between, with proof by reading them again. While
//! the cluster works at one chunk, the one before it is proved.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    client::{ClientError, Invalidation},
    model::{
        api_key::{ApiKey, KeyId},
        guard::Guard,
        journal::Action,
    },
    ops::{
        Session,
        journal::{Closing, Intent, NOT_KNOWN},
        list::{self, ById},
    },
};

/// Ids of one request. Each request waits for the index to be refreshed, once a second: on 9.5.3 with two
/// processors 500 ids took 1.05 s, 1,000 took 1.05 s, 2,000 2.1 s and 5,000 3.1 s. So 1,000 are twice as fast as
/// 500, more gain little, and 10,000 keys can still be stopped nine times. `refresh` is refused there (400).
pub const CHUNK: usize = 1000;

/// What is to be invalidated, and which extra words were said.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The ids, in this order.
    pub ids: Vec<KeyId>,
    /// Those of them that a product made for itself.
    pub managed: HashSet<KeyId>,
    /// The extra word for the key that the session is signed in by.
    pub own_key_too: bool,
    /// The extra word for keys that a product made for itself.
    pub managed_too: bool,
}

impl Plan {
    /// Of keys as they were shown, without any extra word.
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

    /// Why a key is left alone, if it is. `own` is the key that the session is signed in by.
    pub fn guard(&self, id: &KeyId, own: Option<&KeyId>) -> Option<Guard> {
        if own == Some(id) && !self.own_key_too {
            return Some(Guard::OwnKey);
        }
        (!self.managed_too && self.managed.contains(id)).then_some(Guard::Managed)
    }
}

/// What became of each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Read again and seen to be invalidated; of the session's own key the cluster says so.
    pub done: Vec<KeyId>,
    /// The session's own key, which nobody could read again by it.
    pub on_its_word: Option<KeyId>,
    /// Not invalidated as far as can be told, each with the reason.
    pub failed: Vec<(KeyId, String)>,
    /// Never sent.
    pub untouched: Vec<KeyId>,
    /// Those of the untouched that an extra word would have been needed for.
    pub guarded: HashMap<KeyId, Guard>,
    /// Whether somebody stopped it.
    pub stopped: bool,
}

impl Outcome {
    /// Whether every key is proved to be invalidated.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }

    /// Why an untouched key was never sent.
    pub fn why_untouched(&self, id: &KeyId) -> &'static str {
        match self.guarded.get(id) {
            Some(guard) => guard.reason(),
            None if self.stopped => "it was stopped before",
            None => "what came before it failed, so it was not tried",
        }
    }

    /// What is untouched and needs no extra word.
    pub fn to_go_on(&self) -> impl Iterator<Item = &KeyId> {
        self.untouched.iter().filter(|id| !self.guarded.contains_key(*id))
    }

    /// Takes in what came of trying some of the ids again.
    pub fn take_in(&mut self, again: Self) {
        self.done.extend(again.done);
        self.on_its_word = self.on_its_word.take().or(again.on_its_word);
        self.failed.extend(again.failed);
        self.untouched.extend(again.untouched);
        self.guarded.extend(again.guarded);
        self.stopped = again.stopped;
    }
}

/// News while keys are being invalidated.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is settled. What is still to be sent is not in it.
    pub outcome: &'a Outcome,
    /// Ids that were sent and are not proved yet.
    pub on_the_way: usize,
    /// Ids that were not sent yet.
    pub waiting: usize,
}

/// The same as numbers and examples, cheap to hand on.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Proved so far.
    pub done: usize,
    /// Failed so far.
    pub failed: usize,
    /// Sent and not proved yet.
    pub on_the_way: usize,
    /// Not sent yet.
    pub waiting: usize,
    /// The last few that were proved, the newest first.
    pub latest: Vec<KeyId>,
    /// The first few that failed, each with the reason.
    pub reasons: Vec<(KeyId, String)>,
}

impl From<Progress<'_>> for News {
    fn from(progress: Progress<'_>) -> Self {
        const EXAMPLES: usize = 8;
        let Progress { outcome, on_the_way, waiting } = progress;
        Self {
            done: outcome.done.len(),
            failed: outcome.failed.len(),
            on_the_way,
            waiting,
            latest: outcome.done.iter().rev().take(EXAMPLES).cloned().collect(),
            reasons: outcome.failed.iter().take(EXAMPLES).cloned().collect(),
        }
    }
}

/// Invalidates keys. `own_key_too` is the extra word for the key one is signed in by: without it that
/// key is left untouched.
pub async fn invalidate(
    session: &Session,
    ids: &[KeyId],
    own_key_too: bool,
    stop: &AtomicBool,
    progress: impl FnMut(Progress<'_>),
) -> Outcome {
    let plan = Plan { ids: ids.to_vec(), own_key_too, ..Plan::default() };
    many(session, plan, stop, progress).await
}

/// Invalidates the keys of a plan. What is guarded and has no extra word is never sent. It can be stopped
/// between two requests; after a refusal, and where the cluster can't be asked any more, it ends by itself.
pub async fn many(session: &Session, plan: Plan, stop: &AtomicBool, progress: impl FnMut(Progress<'_>)) -> Outcome {
    let own = session.own_key();
    let (chunks, guarded) = chunks(plan, own);
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
        run.tell();
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
    outcome
}

/// The requests, the session's own key last and by itself, and what is left alone.
fn chunks(plan: Plan, own: Option<&KeyId>) -> (Vec<Vec<KeyId>>, HashMap<KeyId, Guard>) {
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

/// One request that was sent, or could not be.
struct Sent<'a> {
    chunk: Vec<KeyId>,
    /// `None` where it could not be written down, so that nothing was sent.
    intent: Option<Intent<'a>>,
    answer: Result<Invalidation, ClientError>,
}

impl Sent<'_> {
    /// Whether the next request may fare better. After a lost answer it may, after a refusal it won't.
    fn may_be_followed(&self) -> bool {
        self.answer.as_ref().err().is_none_or(ClientError::is_answer_lost)
    }
}

async fn send(session: &Session, chunk: Vec<KeyId>) -> Sent<'_> {
    match session.intend(Action::Invalidate, &chunk, None).await {
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
    fn tell(&mut self) {
        let news = Progress { outcome: &self.outcome, on_the_way: self.on_the_way, waiting: self.waiting };
        (self.progress)(news);
    }

    /// Settles what was sent. Whether the cluster can still be asked.
    async fn prove(&mut self, sent: Sent<'_>) -> bool {
        let Sent { chunk, intent, answer } = sent;
        self.on_the_way -= chunk.len();
        let (done, failed) = (self.outcome.done.len(), self.outcome.failed.len());
        let Some(intent) = intent else {
            let reason = answer.err().map(|error| error.to_string()).unwrap_or_default();
            self.outcome.failed.extend(chunk.into_iter().map(|id| (id, reason.clone())));
            self.tell();
            return false;
        };
        // Also after a refusal: an earlier try of the same request may have gone through before its answer
        // was lost.
        let proof = list::by_id(self.session, &chunk).await;
        let can_be_asked = proof.is_ok();
        match proof {
            Ok(found) => sort_out(chunk, &found, &answer, &mut self.outcome),
            Err(error) => {
                // The session may have ended its own key; the cluster's own word is the next best.
                let is_own = self.session.own_key().is_some_and(|own| chunk == [own.clone()]);
                sort_out_unproved(chunk, answer, (&error, is_own), &mut self.outcome);
            }
        }
        let (keys, failed) = (self.outcome.done[done..].to_vec(), self.outcome.failed[failed..].to_vec());
        self.tell();
        intent.close(Closing::of_fates(keys, failed)).await;
        can_be_asked
    }
}

fn sort_out(chunk: Vec<KeyId>, read: &ById, answer: &Result<Invalidation, ClientError>, outcome: &mut Outcome) {
    let found: HashMap<&KeyId, &ApiKey> = read.keys.iter().map(|key| (&key.id, key)).collect();
    for id in chunk {
        let reason = match found.get(&id) {
            Some(key) if key.invalidated => {
                outcome.done.push(id);
                continue;
            }
            Some(key) if key.is_unread("invalidated") => {
                format!(
                    "{NOT_KNOWN}, what the cluster tells of it can't be read: {}",
                    key.flaw.as_deref().unwrap_or_default()
                )
            }
            Some(_) => still_valid(&id, answer),
            None => match read.unreadable.kept().first() {
                Some(odd) => format!("{NOT_KNOWN}, what the cluster tells of it can't be read: {}", odd.reason),
                None => "the cluster knows no such key, or you may not see it".into(),
            },
        };
        outcome.failed.push((id, reason));
    }
}

fn still_valid(id: &KeyId, answer: &Result<Invalidation, ClientError>) -> String {
    match answer {
        Err(error) if error.is_answer_lost() => {
            format!("{NOT_KNOWN}: it is still valid as just read, and the request may still be at work: {error}")
        }
        Err(error) => format!("it is still valid: {error}"),
        Ok(answer) => {
            // Errors name their key in their words, if at all.
            let own = answer.errors.iter().find(|words| words.contains(id.as_str()));
            let why = own.map_or("it belongs to somebody else, or the cluster left it out", String::as_str);
            format!("it is still valid: {why}")
        }
    }
}

fn sort_out_unproved(
    chunk: Vec<KeyId>,
    answer: Result<Invalidation, ClientError>,
    (error, is_own): (&ClientError, bool),
    outcome: &mut Outcome,
) {
    // What a clear refusal says needs no proof; what was never sent needs none either.
    let refusal = answer.as_ref().err().filter(|refused| matches!(refused.status(), Some(400 | 403 | 404)));
    let refusal = refusal.map(ToString::to_string);
    let confirmed: HashSet<KeyId> =
        answer.map(|answer| answer.invalidated.into_iter().chain(answer.previously).collect()).unwrap_or_default();
    // Of any other key a refused sign-in proves nothing: the session may have ended for a reason of its own.
    let own_key_ended = is_own && matches!(error, ClientError::Unauthenticated { .. });
    for id in chunk {
        if own_key_ended && confirmed.contains(&id) {
            outcome.on_its_word = Some(id.clone());
            outcome.done.push(id);
        } else {
            let unknown = || format!("{NOT_KNOWN}, it could not be read again: {error}");
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
        let plan = Plan { ids: ids(&["own", "b", "a", "b"]), own_key_too: true, ..Plan::default() };
        let (chunks, guarded) = chunks(plan, Some(&KeyId::new("own")));
        assert_eq!(chunks, [ids(&["b", "a"]), ids(&["own"])]);
        assert!(guarded.is_empty());
    }

    #[test]
    fn what_is_guarded_is_never_sent_without_its_own_word() {
        let managed = HashSet::from([KeyId::new("fleet"), KeyId::new("own")]);
        let plan = Plan { ids: ids(&["a", "own", "fleet"]), managed, ..Plan::default() };
        let own = KeyId::new("own");
        let sent = |plan: Plan| chunks(plan, Some(&own)).0.concat();
        assert_eq!(sent(plan.clone()), ids(&["a"]));
        assert_eq!(sent(Plan { managed_too: true, ..plan.clone() }), ids(&["a", "fleet"]));
        // One's own key that a product made needs both words.
        assert_eq!(sent(Plan { own_key_too: true, ..plan.clone() }), ids(&["a"]));
        assert_eq!(sent(Plan { own_key_too: true, managed_too: true, ..plan.clone() }), ids(&["a", "fleet", "own"]));
        assert_eq!(chunks(plan, Some(&own)).1[&own], Guard::OwnKey);
    }

    #[test]
    fn no_request_is_longer_than_a_chunk() {
        let all: Vec<KeyId> = (0..2 * CHUNK + 1).map(|number| KeyId::new(number.to_string())).collect();
        let (chunks, _) = chunks(Plan { ids: all.clone(), ..Plan::default() }, None);
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK, CHUNK, 1]);
        assert_eq!(chunks.concat(), all);
    }

    #[test]
    fn an_error_is_told_of_the_key_that_it_names() {
        let answer = Invalidation { errors: vec!["Cannot invalidate [b]".into()], ..Invalidation::default() };
        assert!(still_valid(&KeyId::new("b"), &Ok(answer.clone())).contains("Cannot invalidate"));
        assert!(still_valid(&KeyId::new("c"), &Ok(answer)).contains("somebody else"));
    }
}
