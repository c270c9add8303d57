//! Lineage: which keys belong together, as the cluster tells it. The state on this machine may have been edited, and
//! another machine may be rotating the same key, so that nothing is ended by what a file says alone.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{cluster_of, find};
use crate::{
    client::{ClientError, KeyQuery},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        create::REQUEST_ID,
        rotation::{
            KeyState, Rotation,
            successor::{self, ROTATED_FROM, ROTATED_TO},
        },
        text::{sanitize, sentence},
        version::Feature,
    },
    ops::{Fix, Problem, Session, clock, keys::list},
};

/// Number of successors of one key that are looked at; more are not told apart.
pub const MAX_LIVE_SUCCESSORS: u32 = 100;
/// Number of successors that are named in a message, the rest is counted.
const NAMED: usize = 3;
/// Number of keys that the cluster is asked about in one request.
const MAX_ASKED: usize = 1000;

/// Asks the cluster which of these keys have expired, by date math in its own query: neither this machine's clock nor a
/// header on the way has a say in that. Before 7.15 it can't be asked and no key can be rotated (its descriptors are
/// not told): there the clock that was measured decides.
async fn expired(session: &Session, keys: &[&ApiKey]) -> Result<HashSet<KeyId>, ClientError> {
    let ids: Vec<&KeyId> =
        keys.iter().filter(|key| key.expires.is_some() && !key.invalidated).map(|key| &key.id).collect();
    let mut expired = HashSet::new();
    let by_clock = || {
        let now = session.now();
        let is_past = |key: &&&ApiKey| key.expires.is_some_and(|at| at <= now);
        keys.iter().filter(is_past).map(|key| key.id.clone()).collect()
    };
    // Before 7.15 the path of the query is taken for a document to be written.
    if !session.has(Feature::Query) {
        return Ok(by_clock());
    }
    for ids in ids.chunks(MAX_ASKED) {
        let mut query = KeyQuery::new(ids.len() as u32);
        query.filter = Some(json!({ "bool": { "filter": [
            { "ids": { "values": ids } },
            { "range": { "expiration": { "lte": "now" } } },
        ] } }));
        match session.client.query_api_keys(&query).await {
            Ok(page) => expired.extend(page.keys.into_iter().map(|key| key.id)),
            Err(ClientError::Lacks(Feature::Query)) => return Ok(by_clock()),
            Err(error) => return Err(error),
        }
    }
    Ok(expired)
}

/// Standing of a key that was read; the cluster says itself whether it has expired.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub(super) async fn standing_of(session: &Session, key: &ApiKey) -> Result<KeyState, ClientError> {
    let expired = expired(session, &[key]).await?;
    Ok(KeyState::with(key, expired.contains(&key.id)))
}

/// A key that names another one as its predecessor, or is named by it as its successor, and works or may work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSuccessor {
    /// Id of the key.
    pub id: KeyId,
    /// Name of its owner; `None` where the key may not be seen or can't be read.
    pub owner: Option<String>,
    /// Time of its creation, by the cluster's clock; `None` as above.
    pub created: Option<Timestamp>,
}

impl LiveSuccessor {
    fn of(key: &ApiKey) -> Self {
        Self { id: key.id.clone(), owner: Some(key.owner.username.clone()), created: key.known_created() }
    }

    fn unseen(id: KeyId) -> Self {
        Self { id, owner: None, created: None }
    }
}

/// Successors of a key that work or may work: those whose metadata names it (`rotated_from`, as a query finds it, so
/// that keys of the last second may be missing) and the one that its own metadata names (`rotated_to`).
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub(super) async fn live_successors(session: &Session, old: &ApiKey) -> Result<Vec<LiveSuccessor>, Problem> {
    let mut query = KeyQuery::new(MAX_LIVE_SUCCESSORS);
    query.filter = Some(json!({ "bool": { "filter": [
        { "term": { format!("metadata.{ROTATED_FROM}"): old.id } },
        { "term": { "invalidated": false } },
    ], "must_not": [
        // By the cluster's own clock.
        { "range": { "expiration": { "lte": "now" } } },
    ] } }));
    let page = session.client.query_api_keys(&query).await?;
    let mut live: Vec<LiveSuccessor> =
        (page.keys.iter()).filter(|key| key.id != old.id && !key.invalidated).map(LiveSuccessor::of).collect();
    // What can't be read is there all the same, and may work.
    let odd = page.unreadable.kept().iter().map(|odd| KeyId::new(odd.id.clone().unwrap_or_default()));
    live.extend(odd.map(LiveSuccessor::unseen));
    if let Some(named) = named(old).filter(|id| *id != old.id && live.iter().all(|known| known.id != *id)) {
        match find(session, &named).await? {
            Some(key) if !standing_of(session, &key).await?.has_ended() => live.push(LiveSuccessor::of(&key)),
            Some(_) => {}
            None if session.privileges.sees_all_keys() => {}
            None => live.push(LiveSuccessor::unseen(named)),
        }
    }
    live.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok(live)
}

/// The successor that a key's metadata names.
fn named(old: &ApiKey) -> Option<KeyId> {
    old.metadata_map().get(ROTATED_TO).and_then(Value::as_str).filter(|id| !id.is_empty()).map(KeyId::new)
}

/// Refusal of a key that has successors that work.
pub(super) fn rotated_already(old: &KeyId, live: &[LiveSuccessor]) -> Problem {
    let one = |key: &LiveSuccessor| match &key.owner {
        Some(owner) => format!("{} (of {owner})", key.id),
        None => format!("{} (which can't be seen from here)", key.id),
    };
    let mut names: Vec<String> = live.iter().take(NAMED).map(one).collect();
    if live.len() > NAMED {
        names.push(format!("{} more", live.len() - NAMED));
    }
    let names = sanitize::shown(&names.join(", ")).into_owned();
    let title = match live {
        [LiveSuccessor { owner: Some(_), .. }] => {
            format!("{old} is already being rotated: its successor {names} is valid")
        }
        [_] => format!("{old} may already be in rotation: it names the successor {names}"),
        _ => format!("{old} already has several successors: {names}"),
    };
    let hint = "Resume that rotation where it was started, or invalidate the successor there";
    Problem::new(&title, "Another one would be a second key with the same privileges").hint(hint).fix(Fix::RotateAgain)
}

/// Successors besides those of this rotation and those that were accepted when it began.
pub(super) async fn others(
    session: &Session,
    rotation: &Rotation,
    old: &ApiKey,
) -> Result<Vec<LiveSuccessor>, Problem> {
    let own = rotation.successor();
    let mut others = live_successors(session, old).await?;
    others.retain(|key| {
        Some(&key.id) != own && !rotation.accepted.contains(&key.id) && !rotation.strays.contains(&key.id)
    });
    let mut foreign = Vec::new();
    for other in others {
        // A key of an earlier request of this very rotation is a stray of its own.
        let own_request = match find(session, &other.id).await? {
            Some(key) => successor::was_made_for(&key, &rotation.old.id, &rotation.requests),
            None => false,
        };
        if !own_request {
            foreign.push(other);
        }
    }
    Ok(foreign)
}

/// `true` if the key that was made at `created` is the later one of two, so that it is the one to be taken back. What
/// is not known counts as later for the own key and as earlier for the other: nobody keeps a second key unknowingly.
pub(super) fn is_later(own: (Option<Timestamp>, &KeyId), other: &LiveSuccessor) -> bool {
    match (own.0, other.created) {
        (Some(mine), Some(theirs)) => (mine, own.1) > (theirs, &other.id),
        _ => true,
    }
}

/// Checks that a key was made for this rotation: by what its own metadata says on the cluster, and that its name and
/// owner are those that the rotation was begun with.
///
/// # Errors
/// With what does not fit.
pub(super) fn check_successor(rotation: &Rotation, key: &ApiKey) -> Result<(), Problem> {
    let said = key.metadata_map();
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let mut odd = Vec::new();
    if text(ROTATED_FROM) != Some(rotation.old.id.as_str()) {
        odd.push(format!("its metadata does not name {} as its predecessor", rotation.old.id));
    } else if !successor::was_made_for(key, &rotation.old.id, &rotation.requests) {
        odd.push(format!("its {REQUEST_ID} is not from this rotation"));
    }
    if key.name != rotation.name {
        odd.push(format!("its name is “{}”, not “{}”", key.name, rotation.name));
    }
    // Acting as another, the realm of who signed in is told (as seen on 9.5.3), so that only the name can be compared.
    if key.owner.username != rotation.maker.username {
        odd.push(format!("it belongs to {}, not to {}", key.owner.username, rotation.maker.username));
    }
    if odd.is_empty() {
        return Ok(());
    }
    let title =
        format!("{} can't be verified as the successor of {}. Nothing was invalidated", key.id, rotation.old.id);
    Err(unproved(rotation, &title, &odd))
}

/// Checks that the old key is the one that the rotation was begun with, by its name and owner.
///
/// # Errors
/// With what does not fit.
pub(super) fn check_old_key(rotation: &Rotation, key: &ApiKey) -> Result<(), Problem> {
    let (then, now) = (&rotation.old.owner, &key.owner);
    let mut odd = Vec::new();
    if key.name != rotation.old.name {
        odd.push(format!("its name is “{}”, not “{}”", key.name, rotation.old.name));
    }
    if (&then.username, &then.realm) != (&now.username, &now.realm) {
        odd.push(format!("it belongs to {} ({}), not to {} ({})", now.username, now.realm, then.username, then.realm));
    }
    if odd.is_empty() {
        return Ok(());
    }
    let title = format!("{} is not the key that this rotation was started with. Nothing was invalidated", key.id);
    Err(unproved(rotation, &title, &odd))
}

fn unproved(rotation: &Rotation, title: &str, odd: &[String]) -> Problem {
    let hint = "The state of the rotation on this machine was changed, or the key on the cluster was: check both";
    Problem::new(title, &sentence::capitalized(&sanitize::shown(&odd.join("; "))))
        .hint(hint)
        .fix(Fix::CancelRotation { id: rotation.id.clone(), keep_successor: true })
}

/// Checks that the grace period is over by both clocks: by this machine's, as it was written down, and by the
/// cluster's own, which has to be the period behind the creation of the successor. The cluster is asked by date math
/// in its own query: nothing on the way can set that clock. Of the period written down here and the one that the
/// successor's metadata names, the longer one counts.
///
/// # Errors
/// While it is not over; when the cluster can't be asked.
pub(super) async fn check_grace_is_over(session: &Session, rotation: &Rotation, key: &ApiKey) -> Result<(), Problem> {
    let grace = rotation.grace.max(successor::grace_of(key));
    if rotation.due().is_some_and(|due| clock::now() < due) {
        let title = format!("The grace period of {} is not over. Nothing was invalidated", rotation.old.id);
        return Err(Problem::new(&title, ""));
    }
    // Date math knows no unit below a second; what is left out is within the clock above.
    let seconds = grace / TimeDelta::SECOND;
    if seconds <= 0 {
        return Ok(());
    }
    let mut query = KeyQuery::new(1);
    query.filter = Some(json!({ "bool": { "filter": [
        { "ids": { "values": [key.id] } },
        { "range": { "creation": { "lte": format!("now-{seconds}s") } } },
    ] } }));
    let page = session.client.query_api_keys(&query).await?;
    if page.total > 0 && page.keys.iter().any(|found| found.id == key.id) {
        return Ok(());
    }
    let title = format!(
        "The grace period of {} is not over by the cluster's own clock. Nothing was invalidated",
        rotation.old.id
    );
    let detail = "It is over by this machine's clock or its records: one of them is wrong";
    Err(Problem::new(&title, detail).hint("Compare the clocks, or wait"))
}

/// Standing of keys on one cluster.
#[derive(Clone, Debug, Default)]
pub struct KeyStates {
    known: HashMap<KeyId, KeyState>,
    /// Standing of those that were asked for and not found.
    missing: KeyState,
}

impl KeyStates {
    /// Standing of a key; [`KeyState::Unknown`] where nothing was asked.
    pub fn of(&self, id: &KeyId) -> KeyState {
        self.known.get(id).copied().unwrap_or(self.missing)
    }

    /// Standing of the old key of a rotation and of its successor.
    pub fn both(&self, rotation: &Rotation) -> (KeyState, KeyState) {
        (self.of(&rotation.old.id), rotation.successor().map(|id| self.of(id)).unwrap_or_default())
    }
}

/// Reads the states of the keys of rotations; the cluster itself says which have expired. The rotations must be of the
/// session's cluster; finished ones are left out.
///
/// # Errors
/// Returns an error if the cluster can't be asked, or another one answers.
pub async fn states(session: &Session, rotations: &[Rotation]) -> Result<KeyStates, Problem> {
    let open: Vec<&Rotation> = rotations.iter().filter(|rotation| !rotation.is_finished()).collect();
    let Some(first) = open.first() else { return Ok(KeyStates::default()) };
    let ids: Vec<KeyId> =
        open.iter().flat_map(|rotation| [Some(&rotation.old.id), rotation.successor()]).flatten().cloned().collect();
    let found = list::by_id(session, &ids).await?;
    let is_here = cluster_of(session).await?.is_same(&first.cluster);
    let expired = expired(session, &found.keys.iter().collect::<Vec<_>>()).await?;
    let standing = |key: &ApiKey| (key.id.clone(), KeyState::with(key, expired.contains(&key.id)));
    let mut known: HashMap<KeyId, KeyState> = found.keys.iter().map(standing).collect();
    let odd = found.unreadable.kept().iter().filter_map(|odd| odd.id.as_deref());
    known.extend(odd.map(|id| (KeyId::new(id), KeyState::Unknown)));
    let sees_all = session.privileges.sees_all_keys() && is_here;
    Ok(KeyStates { known, missing: if sees_all { KeyState::Gone } else { KeyState::Unknown } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        api_key::Owner,
        rotation::{Beginning, ClusterRef, Destination, OldKey, Person},
    };
    use serde_json::value::RawValue;

    fn rotation() -> Rotation {
        Rotation::new(Beginning {
            id: "r".into(),
            batch: None,
            cluster: ClusterRef::default(),
            at: Timestamp::EPOCH,
            old: OldKey {
                id: KeyId::new("old"),
                name: "app".into(),
                owner: Person { username: "ana".into(), realm: "native".into() },
                rights: String::new(),
            },
            maker: Person { username: "officer".into(), realm: "native".into() },
            name: "app-2".into(),
            expiration: "1d".into(),
            grace: TimeDelta::ZERO,
            place: Destination::Stdout,
            request: "q1".into(),
        })
    }

    fn key(id: &str, name: &str, owner: (&str, &str), metadata: &str) -> ApiKey {
        ApiKey {
            id: KeyId::new(id),
            name: name.into(),
            owner: Owner { username: owner.0.into(), realm: owner.1.into() },
            metadata: RawValue::from_string(metadata.into()).ok(),
            ..ApiKey::default()
        }
    }

    #[test]
    fn only_what_the_cluster_proves_is_the_successor() {
        let rotation = rotation();
        let made = r#"{"rotated_from":"old","request_id":"q1"}"#;
        check_successor(&rotation, &key("new", "app-2", ("officer", "native"), made)).unwrap();
        for (name, owner, metadata, words) in [
            ("app-2", "officer", r#"{"rotated_from":"other","request_id":"q1"}"#, "as its predecessor"),
            ("app-2", "officer", r#"{"rotated_from":"old","request_id":"q2"}"#, "not from this rotation"),
            ("app-2", "officer", "{}", "as its predecessor"),
            ("app-3", "officer", made, "Its name is “app-3”"),
            ("app-2", "ana", made, "It belongs to ana"),
        ] {
            let problem = check_successor(&rotation, &key("new", name, (owner, "native"), metadata)).unwrap_err();
            assert!(problem.detail.contains(words), "{words}: {problem}");
        }
        check_successor(&rotation, &key("old", "app-2", ("officer", "native"), made)).unwrap_err();
    }

    #[test]
    fn the_old_key_is_told_by_its_name_and_owner() {
        let rotation = rotation();
        check_old_key(&rotation, &key("old", "app", ("ana", "native"), "{}")).unwrap();
        for (name, owner) in [("other", ("ana", "native")), ("app", ("ben", "native")), ("app", ("ana", "ldap"))] {
            check_old_key(&rotation, &key("old", name, owner, "{}")).unwrap_err();
        }
    }

    #[test]
    fn of_two_successors_exactly_one_is_the_later() {
        let live = |id: &str, created| LiveSuccessor { id: KeyId::new(id), owner: None, created };
        let at = |millis| Some(Timestamp::from_millis(millis));
        for (one, other) in [((at(1), "b"), (at(2), "a")), ((at(5), "a"), (at(5), "b"))] {
            let (a, b) = (KeyId::new(one.1), KeyId::new(other.1));
            assert!(!is_later((one.0, &a), &live(other.1, other.0)));
            assert!(is_later((other.0, &b), &live(one.1, one.0)));
        }
        assert!(is_later((None, &KeyId::new("a")), &live("b", at(1))), "nobody keeps a second key unknowingly");
        assert!(is_later((at(1), &KeyId::new("a")), &live("b", None)));
    }
}
