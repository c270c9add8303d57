//! Updating as the window does it: first the key as it is now and its owner's rights of today, then each key's
//! own change, by as few requests as possible, stoppable between them.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::{
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        json_text,
        update::KeyUpdate,
        version::Feature,
    },
    ops::{
        Problem, Session,
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
    updates: Vec<(KeyId, KeyUpdate)>,
    stop: &AtomicBool,
    mut progress: impl FnMut(usize),
) -> UpdateOutcome {
    let mut groups: BTreeMap<String, (KeyUpdate, Vec<KeyId>)> = BTreeMap::new();
    for (id, change) in updates {
        groups.entry(change.body(None)).or_insert_with(|| (change, Vec::new())).1.push(id);
    }
    // Between two requests it can be stopped, so a group is cut as its requests are.
    let cut = |(change, ids): (KeyUpdate, Vec<KeyId>)| -> Vec<(KeyUpdate, Vec<KeyId>)> {
        ids.chunks(update::CHUNK).map(|ids| (change.clone(), ids.to_vec())).collect()
    };
    let mut waiting: Vec<(KeyUpdate, Vec<KeyId>)> = groups.into_values().flat_map(cut).collect();
    // The largest are begun first.
    waiting.sort_by_key(|(_, ids)| ids.len());
    let mut whole = UpdateOutcome::default();
    let mut running: JoinSet<UpdateOutcome> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && !whole.broke_off
            && !stop.load(Ordering::Relaxed)
            && let Some((change, ids)) = waiting.pop()
        {
            let session = session.clone();
            running.spawn(async move { update::update(&session, &ids, &change).await });
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
    whole.untouched.extend(waiting.into_iter().flat_map(|(_, ids)| ids));
    whole
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
