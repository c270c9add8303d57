//! Intents in the journal that an interrupted run of a rotation left without an outcome. When the rotation was gone on
//! with, what came of them is known, and is written down.

use serde_json::Value;

use super::{RotationProgress, find_now, make::made_by};
use crate::{
    model::{
        api_key::{ApiKey, KeyId},
        create::REQUEST_ID,
        journal::{Action, Read, Verdict},
        rotation::{Rotation, State, successor::ROTATED_TO},
    },
    ops::{Session, journal::recorder::OutcomeEntry},
};

/// Reads the open intents that belong to a rotation. A journal that can't be read tells none here: whatever writes to
/// it says so.
pub(super) async fn open(session: &Session, rotation: &Rotation) -> Vec<Read> {
    let mut open = session.open_intents().await;
    open.retain(|intent| belongs(rotation, intent));
    open
}

/// `true` if the intent was written by a run of this rotation: its own steps by the rotation's id, the creation by its
/// request, the others by the key. Those of the keys could be of somebody else who is at work right now; what is
/// found is true for them, too.
fn belongs(rotation: &Rotation, intent: &Read) -> bool {
    let request = request_of(intent);
    match action(intent) {
        Some(Action::Rotate) => request["rotation"] == rotation.id.as_str(),
        Some(Action::Create) => {
            let id = request["metadata"][REQUEST_ID].as_str();
            id.is_some_and(|id| rotation.requests.iter().any(|own| own == id))
        }
        Some(Action::Invalidate) => {
            let own = |id: &String| {
                id == rotation.old.id.as_str()
                    || rotation.successor().is_some_and(|new| new.as_str() == id)
                    || rotation.strays.iter().any(|stray| stray.as_str() == id)
            };
            !intent.keys.is_empty() && intent.keys.iter().all(own)
        }
        Some(Action::Update) => {
            let old = rotation.old.id.as_str();
            intent.keys.len() == 1 && intent.keys[0] == old && !request["metadata"][ROTATED_TO].is_null()
        }
        _ => false,
    }
}

fn action(intent: &Read) -> Option<Action> {
    [Action::Rotate, Action::Create, Action::Invalidate, Action::Update]
        .into_iter()
        .find(|action| action.word() == intent.action)
}

/// Writes down what came of intents that were open before the rotation was gone on with. A cluster that can't be asked
/// any more leaves them open.
pub(super) async fn close(
    session: &Session,
    rotation: &Rotation,
    open: Vec<Read>,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) {
    let mut cleared = 0;
    // Whoever wrote an intent may have written its outcome since.
    let still_open: Vec<String> = session.open_intents().await.into_iter().map(|intent| intent.id).collect();
    for intent in open.into_iter().filter(|intent| still_open.contains(&intent.id)) {
        let Some(action) = action(&intent) else { continue };
        let Some(closing) = outcome(session, rotation, action, &intent).await else { continue };
        session.close_later(action, &intent, closing).await;
        cleared += 1;
    }
    if cleared > 0 && session.journal.folder().is_some() {
        progress(RotationProgress::Cleared(cleared));
    }
}

async fn outcome(session: &Session, rotation: &Rotation, action: Action, intent: &Read) -> Option<OutcomeEntry> {
    let found = "found when the rotation was resumed";
    let closing = |verdict, keys: Vec<KeyId>, reason: &str| {
        Some(OutcomeEntry { verdict, keys, reason: Some(format!("{found}: {reason}")), ..OutcomeEntry::default() })
    };
    let keys: Vec<KeyId> = intent.keys.iter().map(KeyId::new).collect();
    let request = request_of(intent);
    match action {
        Action::Create => made(session, rotation, request["metadata"][REQUEST_ID].as_str()?, closing).await,
        Action::Rotate if request["step"] == "successor" => {
            made(session, rotation, request["request"].as_str()?, closing).await
        }
        Action::Rotate if request["step"] == "done" => match rotation.state {
            State::Done { .. } => closing(Verdict::Success, keys, "the old key no longer works"),
            _ => closing(Verdict::Failure, Vec::new(), "the rotation was not completed"),
        },
        Action::Rotate if request["step"] == "given up" => match rotation.state {
            State::Abandoned { .. } => closing(Verdict::Success, keys, "the rotation is canceled"),
            _ => closing(Verdict::Failure, Vec::new(), "the rotation continued"),
        },
        Action::Rotate if matches!(rotation.state, State::Abandoned { .. }) => {
            closing(Verdict::Failure, Vec::new(), "the rotation was canceled before it")
        }
        Action::Rotate => closing(Verdict::Success, keys, "the rotation continued"),
        Action::Invalidate => {
            let mut ended = Vec::new();
            for id in &keys {
                match find_now(session, id).await.ok()? {
                    Some(ApiKey { invalidated: false, .. }) => {
                        return closing(
                            Verdict::Unknown,
                            Vec::new(),
                            "a key from it is valid, and it may still be running",
                        );
                    }
                    Some(_) => ended.push(id.clone()),
                    None => return closing(Verdict::Unknown, Vec::new(), "the cluster has no such key"),
                }
            }
            closing(Verdict::Success, ended, "the keys are invalidated")
        }
        Action::Update => {
            let old = find_now(session, &rotation.old.id).await.ok()?;
            let named = old.and_then(|key| key.metadata_map().get(ROTATED_TO).and_then(Value::as_str).map(KeyId::new));
            match named.as_ref() == rotation.successor() && named.is_some() {
                true => closing(Verdict::Success, keys, "the old key names its successor"),
                false => closing(Verdict::Unknown, Vec::new(), "the old key does not name its successor now"),
            }
        }
        _ => None,
    }
}

/// Outcome of a request for a successor: the keys that carry its id.
async fn made(
    session: &Session,
    rotation: &Rotation,
    request: &str,
    closing: impl Fn(Verdict, Vec<KeyId>, &str) -> Option<OutcomeEntry>,
) -> Option<OutcomeEntry> {
    let requests = [request.to_owned()];
    let made = made_by(session, &rotation.old.id, &requests).await.ok()?;
    match made.is_empty() {
        true => closing(Verdict::Unknown, Vec::new(), "the cluster had no key from it"),
        false => closing(Verdict::Success, made.into_iter().map(|key| key.id).collect(), "a key was created"),
    }
}

fn request_of(intent: &Read) -> Value {
    intent.request.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
