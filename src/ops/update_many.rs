//! Updating as the window does it: first the key as it is now and its owner's rights of today, then each key's
//! own change, by as few requests as possible, stoppable between them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, value::RawValue};
use tokio::task::JoinSet;

use crate::{
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        failure::Failure,
        json_text,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{
        Problem, Session, list,
        offers::{self, Offer},
        update::{self, UpdateOutcome},
    },
};

/// Each update waits for the index to be refreshed (about a second, as seen on 9.5.3), so that some are sent at
/// the same time.
const AT_ONCE: usize = 8;

/// What an update of one key begins with.
#[derive(Clone, Debug)]
pub struct Before {
    /// The key as it is now, with the snapshot of its owner's rights where the version tells it.
    pub key: ApiKey,
    /// The owner's rights of today in the form of [`ApiKey::limited_by`], where they can be put together.
    pub owner_today: Option<Box<RawValue>>,
}

/// A key's change, and what it was worked out from.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The key.
    pub id: KeyId,
    /// What is to be sent.
    pub change: KeyUpdate,
    /// The whole metadata that the new one was made of; an update replaces all of it.
    pub seen: Option<Box<RawValue>>,
}

/// Leaves out the keys whose metadata is not any more what the new one was made of: somebody else has changed it,
/// and that would be undone in silence. What can't be read again is left to the update.
async fn still_as_seen(session: &Session, wanted: Vec<Wanted>, outcome: &mut UpdateOutcome) -> Vec<KeyId> {
    let ids: Vec<KeyId> = wanted.iter().map(|one| one.id.clone()).collect();
    if wanted.iter().all(|one| one.change.metadata.is_none()) {
        return ids;
    }
    let Ok(now) = list::by_id(session, &ids).await else { return ids };
    let now: HashMap<&KeyId, &ApiKey> = now.keys.iter().map(|key| (&key.id, key)).collect();
    let as_value = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let mut same = Vec::with_capacity(ids.len());
    for one in wanted {
        let read = now.get(&one.id).map(|key| as_value(key.metadata.as_deref()));
        if read.is_none_or(|read| read == as_value(one.seen.as_deref())) {
            same.push(one.id);
        } else {
            let words =
                "its metadata was changed meanwhile, which this would undo: refresh the list and update it again";
            outcome.failed.push((one.id, Failure::Refused(words.into())));
        }
    }
    same
}

/// Why this session can't update a key, if it is known beforehand.
pub fn hindrance(session: &Session, key: &ApiKey) -> Option<String> {
    if session.own_key().is_some() {
        return Some("Signed in by an API key, no key can be updated: sign in as a user".into());
    }
    if !session.has(Feature::Update) {
        return Some(crate::client::ClientError::Lacks(Feature::Update).to_string());
    }
    let me = &session.identity;
    // Acting as another, the realm one is told is that of who signed in, not of who is acted as.
    let acts_as_another = session.client.endpoint().run_as.is_some();
    if key.owner.username != me.username || !acts_as_another && key.owner.realm != me.realm {
        return Some(format!(
            "Only its owner {} can update it, not even a superuser can. Act as the owner by run-as in the connection",
            crate::model::harmless::shown(&key.owner.username)
        ));
    }
    match key.kind {
        KeyKind::Rest => None,
        KeyKind::CrossCluster => offers::missing(session, Offer::UpdateCrossCluster).map(|problem| problem.detail),
        KeyKind::Other(_) => Some(format!("How a {} key is updated is not known to Keybearer", key.kind.word())),
    }
}

/// Reads a key again, and what is known of its owner's rights of today.
///
/// # Errors
/// When the key is gone, the cluster can't be asked, or its licence has no cross-cluster keys.
pub async fn read(session: &Session, id: &KeyId) -> Result<Before, Problem> {
    let own = session.sees_own_only();
    let key = if session.has(Feature::LimitedBy) {
        session.client.get_api_key_with_limits(id, own).await
    } else {
        session.client.get_api_key(id, own).await
    };
    let gone = || Problem::new("The key is gone", "The cluster knows no such key any more").hint("Refresh the list");
    let key = key.map_err(Problem::from)?.ok_or_else(gone)?;
    if key.kind == KeyKind::CrossCluster
        && let Some(problem) = offers::unlicensed(session, Offer::UpdateCrossCluster).await
    {
        return Err(problem);
    }
    let owner_today = if key.limited_by.is_some() { owner_today(session).await } else { None };
    Ok(Before { key, owner_today })
}

/// The rights of who is signed in, from the descriptors of their roles; `None` where a role can't be read.
async fn owner_today(session: &Session) -> Option<Box<RawValue>> {
    let names: Vec<&str> = session.identity.roles.iter().map(String::as_str).collect();
    let mut roles = session.client.roles_named(&names).await.ok()?;
    if names.is_empty() || roles.len() != names.len() {
        return None;
    }
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    let texts: Vec<String> = roles.iter().map(|role| snapshot(role.descriptor.get())).collect::<Option<_>>()?;
    let members = roles.iter().zip(&texts).map(|(role, text)| (role.name.as_str(), text.as_str()));
    RawValue::from_string(format!("[{}]", json_text::write_object(members))).ok()
}

/// A role's descriptor as a snapshot has it: without its description (as seen on 9.5.3).
fn snapshot(descriptor: &str) -> Option<String> {
    let mut members = json_text::members(descriptor)?;
    members.retain(|(name, _)| name != "description");
    Some(json_text::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get()))))
}

/// Updates each key in its own way: keys with the same change by one request, the others some at a time. After
/// an error that would meet the next ones too, and once stopped, nothing more is begun; what is on its way is
/// waited for.
pub async fn each(
    session: &Session,
    updates: Vec<Wanted>,
    stop: &AtomicBool,
    mut progress: impl FnMut(usize),
) -> UpdateOutcome {
    let mut groups: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for one in updates {
        groups.entry(one.change.body(None)).or_default().push(one);
    }
    // Between two requests it can be stopped, so a group is cut as its requests are.
    let cut =
        |group: Vec<Wanted>| -> Vec<Vec<Wanted>> { group.chunks(update::CHUNK).map(<[Wanted]>::to_vec).collect() };
    let mut waiting: Vec<Vec<Wanted>> = groups.into_values().flat_map(cut).collect();
    // The largest are begun first.
    waiting.sort_by_key(Vec::len);
    let mut whole = UpdateOutcome::default();
    let mut running: JoinSet<UpdateOutcome> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && !whole.broke_off
            && !stop.load(Ordering::Relaxed)
            && let Some(wanted) = waiting.pop()
        {
            let session = session.clone();
            running.spawn(async move { some(&session, wanted).await });
        }
        let Some(ended) = running.join_next().await else { break };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(match error.try_into_panic() {
                Ok(panic) => panic,
                Err(_) => break, // only dropping the set ends a task, and then nobody is here
            }),
        };
        whole.updated.extend(outcome.updated);
        whole.unchanged.extend(outcome.unchanged);
        whole.failed.extend(outcome.failed);
        whole.untouched.extend(outcome.untouched);
        whole.broke_off |= outcome.broke_off;
        progress(whole.updated.len() + whole.unchanged.len() + whole.failed.len());
    }
    whole.untouched.extend(waiting.into_iter().flatten().map(|one| one.id));
    whole
}

/// Keys with the same change.
async fn some(session: &Session, wanted: Vec<Wanted>) -> UpdateOutcome {
    let Some(change) = wanted.first().map(|one| one.change.clone()) else { return UpdateOutcome::default() };
    let mut changed = UpdateOutcome::default();
    let ids = still_as_seen(session, wanted, &mut changed).await;
    if ids.is_empty() {
        return changed;
    }
    let mut outcome = update::update(session, &ids, &change).await;
    outcome.failed.extend(changed.failed);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::update::diff;

    #[test]
    fn a_role_that_has_not_changed_is_no_difference_to_the_snapshot_of_it() {
        // Both as 9.5.3 tells them of the same role.
        let told = r#"[{"r":{"cluster":["monitor"],"indices":[{"names":["a*"],"privileges":["read"],
            "allow_restricted_indices":false}],"run_as":[],"metadata":{"x":1},"transient_metadata":{"enabled":true}}}]"#;
        let role = r#"{"cluster":["monitor"],"indices":[{"names":["a*"],"privileges":["read"],
            "allow_restricted_indices":false}],"applications":[],"run_as":[],"metadata":{"x":1},
            "transient_metadata":{},"description":"what it is"}"#;
        let raw = |text: String| RawValue::from_string(text).unwrap();
        let key = ApiKey { limited_by: Some(raw(told.into())), ..ApiKey::default() };
        let today = |role: &str| raw(format!(r#"[{{"r":{}}}]"#, snapshot(role).unwrap()));
        let changes = |role: &str| diff(&key, &KeyUpdate::default(), Some(&today(role)), 0).owner_snapshot_changes;
        assert_eq!(changes(role), Some(false));
        assert_eq!(changes(&role.replace("read", "all")), Some(true));
    }
}
