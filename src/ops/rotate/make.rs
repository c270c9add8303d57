//! The successor: made once, found again after an interruption, and ended again where nobody knows its secret.

use std::{sync::atomic::AtomicBool, time::Duration};

use serde_json::json;

use super::{News, Rights, check_old, check_session, compared, find, find_now, is_me, note, read, request, save};
use crate::{
    client::{CreatedKey, KeyQuery},
    model::{
        api_key::{ApiKey, KeyId},
        create::REQUEST_ID,
        journal::{Action, Verdict},
        rotation::State,
        successor,
    },
    ops::{
        Problem, Session,
        create::{self, CreateError, Lost},
        invalidate,
        journal::Closing,
    },
    store::{profiles::new_profile_id, rotations::Held},
};

/// A successor that was just made. Its secret is here and nowhere else.
#[derive(Debug)]
pub struct Made {
    /// With the secret.
    pub created: CreatedKey,
    /// The key that it takes the place of.
    pub old: ApiKey,
    /// What it is limited by, against the old key.
    pub rights: Rights,
}

/// What is at the place where the secret was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The secret of this key.
    Key(KeyId),
    /// Room for a secret that never came.
    Empty,
    /// Nothing, or something else: it may have been taken away, or never have come.
    NotKnown,
}

/// What a person says about a secret that may have been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Word {
    /// Nothing.
    #[default]
    None,
    /// They have it.
    HandedOver,
    /// They don't: it shall be made again.
    MakeAgain,
}

/// What comes after a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// The secret arrived: try it.
    HandedOver,
    /// There is no successor (any more): make one.
    MakeAgain,
}

/// Makes the successor. It is written down before its secret is given to the caller, who has to bring it where
/// it belongs between [`hand_over_begins`] and [`handed_over`].
///
/// # Errors
/// With what is true afterwards: after a lost answer a key that was made all the same has been ended, or is named.
pub async fn make(session: &Session, held: &mut Held, tell: &mut (dyn FnMut(News) + Send)) -> Result<Made, Problem> {
    check_session(session)?;
    check_maker(session, held)?;
    let old = read(session, &held.rotation.old.id).await?;
    check_old(&old, session.now())?;
    check_unchanged(held, &old)?;
    let rotation = &held.rotation;
    let asked = request(session, &old, (&rotation.name, &rotation.expiration), rotation.request())?;
    let keys = [old.id.clone()];
    let intent = session.intend(Action::Rotate, &keys, note(rotation, "successor")).await?;
    let created = match create::create(session, &asked).await {
        Ok(created) => created,
        Err(CreateError::Refused(error)) => {
            intent.close(Closing::of_error(&error, &keys)).await;
            return Err(error.into());
        }
        Err(CreateError::Lost(without_answer)) => {
            let problem = lost(session, held, &without_answer, tell).await;
            let reason = Some(problem.words());
            intent.close(Closing { verdict: Verdict::Unknown, reason, ..Closing::default() }).await;
            return Err(problem);
        }
    };
    held.rotation.created(created.id.clone())?;
    if let Err(problem) = save(held) {
        intent.close(Closing { verdict: Verdict::Failure, ..Closing::default() }).await;
        return Err(undone(session, &created.id, problem).await);
    }
    intent.close(Closing { keys: vec![old.id.clone(), created.id.clone()], ..success() }).await;
    let rights = rights_taken(session, &old, &created.id).await;
    tell(News::Rights(rights.clone()));
    Ok(Made { created, old, rights })
}

pub(super) fn success() -> Closing {
    Closing { verdict: Verdict::Success, ..Closing::default() }
}

/// The successor belongs to whoever makes it: not to somebody else on another day.
fn check_maker(session: &Session, held: &Held) -> Result<(), Problem> {
    let (maker, me) = (&held.rotation.maker, &session.identity);
    if is_me(session, &maker.username, &maker.realm) {
        return Ok(());
    }
    let title = format!("{} began this rotation, and the successor would belong to {}", maker.username, me.username);
    let hint =
        format!("Sign in as {0}, or act as {0} by --run-as; or give the rotation up by --cancel", maker.username);
    Err(Problem::new(&title, "").hint(&hint))
}

/// A successor with other rights than the old key has by now would be no successor.
pub(super) fn check_unchanged(held: &Held, old: &ApiKey) -> Result<(), Problem> {
    if held.rotation.old.rights == successor::fingerprint(old) {
        return Ok(());
    }
    let title = format!("The role descriptors of {} were changed since the rotation began. Nothing is ended", old.id);
    let detail = "The successor has those from before";
    let hint = format!("`keybearer rotate --cancel {}`, then begin again", held.rotation.id);
    Err(Problem::new(&title, detail).hint(&hint))
}

/// The snapshot that the cluster took for the successor, against the old key's.
async fn rights_taken(session: &Session, old: &ApiKey, new: &KeyId) -> Rights {
    match (old.limited_by.as_deref(), find(session, new).await) {
        (Some(then), Ok(Some(ApiKey { limited_by: Some(now), .. }))) => compared(then, &now),
        (_, Err(error)) => Rights::NotKnown(error.to_string()),
        _ => Rights::NotKnown("the cluster doesn't tell".into()),
    }
}

/// After a lost answer: what was made is ended, because nobody knows its secret.
async fn lost(session: &Session, held: &mut Held, lost: &Lost, tell: &mut (dyn FnMut(News) + Send)) -> Problem {
    let hint = format!("The old key works as before. Go on by `keybearer rotate --resume {}`", held.rotation.id);
    let error = &lost.error;
    let found = lost.found.as_ref();
    let strays = found.map_or_else(|_| Vec::new(), |found| own(held, [&*found.ours, &*found.perhaps].concat()));
    if strays.is_empty() {
        let problem = lost.problem();
        return problem.hint(&format!("{hint}: it asks the cluster again before anything is made"));
    }
    let ids: Vec<String> = strays.iter().map(|key| key.id.to_string()).collect();
    let made = ids.join(", ");
    match end_strays(session, held, &strays, tell).await {
        Ok(()) => {
            let title = "The answer was lost, and no successor is left";
            let detail =
                format!("{error}. Key {made} had been made all the same; nobody knew its secret, so it was ended");
            Problem::new(title, &detail).hint(&hint)
        }
        Err(problem) => {
            let title = "The answer was lost, but the successor was made, and nobody knows its secret";
            Problem::new(title, &format!("{error}. Ending key {made} failed: {}", problem.words())).hint(&hint)
        }
    }
}

/// Takes back a successor that could not be written down.
async fn undone(session: &Session, id: &KeyId, problem: Problem) -> Problem {
    let ids = [id.clone()];
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    let words = if outcome.is_complete() {
        format!("{}. The successor {id} was ended again", problem.detail)
    } else {
        format!("{}. The successor {id} was made and could not be ended again: invalidate it", problem.detail)
    };
    Problem { detail: words, ..problem }
}

/// From here on somebody may have the secret.
///
/// # Errors
/// When it can't be written down: then nobody shall be told.
pub fn hand_over_begins(held: &mut Held) -> Result<(), Problem> {
    held.rotation.hand_over_begins()?;
    save(held)
}

/// The secret reached nobody: a later run makes another successor.
///
/// # Errors
/// When it can't be written down.
pub fn hand_over_failed(held: &mut Held) -> Result<(), Problem> {
    held.rotation.hand_over_failed()?;
    save(held)
}

/// The secret is where it belongs, for good.
///
/// # Errors
/// When it can't be written down; a later run finds out by itself.
pub fn handed_over(held: &mut Held) -> Result<(), Problem> {
    let successor = held.rotation.successor().cloned().unwrap_or_default();
    held.rotation.handed_over(successor)?;
    save(held)
}

/// Finds out what an interrupted run has left: adopts a successor whose secret arrived, and ends those whose
/// secret nobody knows.
///
/// # Errors
/// When a person has to say whether they have the secret, and when the cluster can't be asked.
pub async fn recover(
    session: &Session,
    held: &mut Held,
    arrived: &Arrived,
    word: Word,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<Recovered, Problem> {
    // Whoever does not see the successor would take it for one that was never made.
    check_session(session)?;
    check_maker(session, held)?;
    tell(News::Looking);
    let made = made_before(session, held).await?;
    let valid: Vec<ApiKey> = made.into_iter().filter(|key| !key.invalidated).collect();
    let has = |id: &KeyId| valid.iter().any(|key| key.id == *id);
    let known = held.rotation.successor().cloned();
    let adopted = match (arrived, &held.rotation.state) {
        (Arrived::Key(id), _)
            if word != Word::MakeAgain && has(id) && known.as_ref().is_none_or(|known| known == id) =>
        {
            Some(id.clone())
        }
        (_, State::HandingOver { successor }) if word == Word::HandedOver && has(successor) => Some(successor.clone()),
        (Arrived::Empty, _) => None,
        (_, State::HandingOver { successor }) if has(successor) => match word {
            Word::MakeAgain => None,
            Word::HandedOver | Word::None => return Err(ask(held, successor)),
        },
        _ => None,
    };
    let strays: Vec<ApiKey> = valid.into_iter().filter(|key| Some(&key.id) != adopted.as_ref()).collect();
    end_strays(session, held, &strays, tell).await?;
    match adopted {
        Some(id) => {
            held.rotation.handed_over(id)?;
            save(held)?;
            Ok(Recovered::HandedOver)
        }
        None => {
            held.rotation.plan_again(new_profile_id().0)?;
            save(held)?;
            Ok(Recovered::MakeAgain)
        }
    }
}

fn ask(held: &Held, successor: &KeyId) -> Problem {
    let rotation = &held.rotation;
    let title = format!("It is not known whether the secret of {successor} arrived");
    let detail = format!("The run that told it to {} was cut off. Nothing is done", rotation.place.words());
    let hint = format!(
        "If you have it: `keybearer rotate --resume {0} --handed-over`, or --secret-file PATH with the encoded key. \
         If not: `keybearer rotate --resume {0} --make-again` ends that key and makes another",
        rotation.id
    );
    Problem::new(&title, &detail).hint(&hint)
}

/// All keys that were made for this rotation, by the ids of its requests. New keys become visible about a second
/// after they were made, so that it is looked for some seconds where one may just be coming.
pub(super) async fn made_before(session: &Session, held: &Held) -> Result<Vec<ApiKey>, Problem> {
    const TRIES: u32 = 5;
    let successor = held.rotation.successor().cloned();
    let mut keys = Vec::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        keys = made_by(session, held, &held.rotation.requests).await?;
        if let Some(id) = &successor
            && keys.iter().all(|key| key.id != *id)
        {
            keys.extend(find_now(session, id).await?);
        }
        let newest = &held.rotation.requests[held.rotation.requests.len().saturating_sub(1)..];
        if keys.iter().any(|key| successor::was_made_for(key, &held.rotation.old.id, newest)) {
            break;
        }
    }
    Ok(keys)
}

/// The keys of these requests.
pub(super) async fn made_by(session: &Session, held: &Held, requests: &[String]) -> Result<Vec<ApiKey>, Problem> {
    let mut keys = Vec::new();
    for id in requests {
        let mut query = KeyQuery::new(100);
        query.filter = Some(json!({ "term": { format!("metadata.{REQUEST_ID}"): id } }));
        keys.extend(session.client.query_api_keys(&query).await?.keys);
    }
    Ok(own(held, keys))
}

/// Of these keys only those that were made for this rotation: nothing else may be ended as a stray.
fn own(held: &Held, mut keys: Vec<ApiKey>) -> Vec<ApiKey> {
    keys.retain(|key| successor::was_made_for(key, &held.rotation.old.id, &held.rotation.requests));
    keys
}

/// Ends keys whose secret nobody knows, and proves it.
pub(super) async fn end_strays(
    session: &Session,
    held: &mut Held,
    strays: &[ApiKey],
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<(), Problem> {
    let ids: Vec<KeyId> = strays.iter().filter(|key| !key.invalidated).map(|key| key.id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let outcome = invalidate::invalidate(session, &ids, false, &AtomicBool::new(false), |_| ()).await;
    held.rotation.add_strays(&outcome.done);
    save(held)?;
    outcome.done.iter().for_each(|id| tell(News::StrayEnded(id.clone())));
    if outcome.is_complete() {
        return Ok(());
    }
    let first = outcome.failed.first().map(|(id, failure)| (id.clone(), failure.to_string()));
    let (id, reason) = first.unwrap_or((KeyId::default(), "it was not sent".into()));
    let title = format!("Key {id} was made for this rotation, nobody knows its secret, and it could not be ended");
    let hint = format!("Try again: `keybearer rotate --resume {}`", held.rotation.id);
    Err(Problem::new(&title, &reason).hint(&hint))
}
