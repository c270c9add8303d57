//! Planning an update: which keys can be updated by this session at all, the keys as they are now, and what would be
//! different about each. Window and command line show this plan; [`super::run`] carries it out.

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use crate::{
    client::ClientError,
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId, KeyKind},
        form_error::FormError,
        inventory::{Inventory, RowId},
        text::json,
        update::{
            draft::{UpdateDraft, UpdateField},
            plan::{KeyChange, UpdatePlan},
        },
        version::Feature,
    },
    ops::{
        Problem, Session, background,
        connections::capabilities::{self, Capability},
        keys::key_set::KeySet,
        update::current::{self, NowRead},
    },
};

/// Number of keys up to which they are read again for the plan, with the snapshots of their owners' privileges: one
/// request. More are planned as they were listed; each is read again before it is sent in any case.
pub const MAX_READ_AGAIN: usize = 50;

/// State of one key before an update.
#[derive(Clone, Debug)]
pub struct Before {
    /// The key as it is now, with the snapshot of its owner's privileges where the version tells it.
    pub key: ApiKey,
    /// The owner's privileges of today in the form of [`ApiKey::limited_by`], where they can be put together.
    pub owner_today: Option<Box<RawValue>>,
}

/// Parts of a key by which it is known whether it can be updated.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    username: &'a str,
    realm: &'a str,
    kind: &'a KeyKind,
    expires: Option<Timestamp>,
    invalidated: bool,
}

impl<'a> Facts<'a> {
    /// Facts of a row, without a copy of the key.
    pub fn of_row(keys: &'a Inventory, row: RowId) -> Self {
        Self {
            username: keys.username(row),
            realm: keys.realm(row),
            kind: keys.kind(row),
            expires: keys.expires(row),
            invalidated: keys.is_invalidated(row),
        }
    }
}

impl<'a> From<&'a ApiKey> for Facts<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            username: &key.owner.username,
            realm: &key.owner.realm,
            kind: &key.kind,
            expires: key.expires,
            invalidated: key.invalidated,
        }
    }
}

/// Reason why this session can't update a key, with the way out; `None` as far as nothing is known to hinder it. `now`
/// is the cluster's clock.
pub fn hindrance<'a>(session: &Session, key: impl Into<Facts<'a>>, now: Timestamp) -> Option<Problem> {
    let key = key.into();
    let refused = |detail: &str, hint: &str| Some(Problem::new("It can’t be updated", detail).hint(hint));
    if session.own_key().is_some() {
        return refused("You can’t update keys when signed in with an API key", "Sign in as a user");
    }
    if !session.has(Feature::Update) {
        return refused(&ClientError::Lacks(Feature::Update).to_string(), "");
    }
    if key.invalidated {
        return refused("It is invalidated and can’t be restored", "Create a new key with the same roles");
    }
    if key.expires.is_some_and(|at| at <= now) {
        return refused("It has expired and can’t be restored", "Create a new key with the same roles");
    }
    if !session.is_user(key.username, key.realm) {
        let owner = crate::model::text::sanitize::shown(key.username);
        let detail = format!("Only its owner {owner} can update it; even a superuser can’t");
        return refused(&detail, "Set “Run as” to the owner in the connection");
    }
    match key.kind {
        KeyKind::Rest => None,
        KeyKind::CrossCluster => capabilities::missing(session, Capability::UpdateCrossCluster),
        KeyKind::Other(_) => refused(&format!("Keybearer does not know how to update a {} key", key.kind.word()), ""),
    }
}

/// Reads a key again, and what is known of its owner's privileges of today.
///
/// # Errors
/// Returns a problem if the key is gone, the cluster can't be asked, or its license has no cross-cluster keys.
pub async fn read(session: &Session, id: &KeyId) -> Result<Before, Problem> {
    let read = current::read_now(session, std::slice::from_ref(id), true).await?;
    let key = read.one(id)?;
    if key.kind == KeyKind::CrossCluster
        && let Some(problem) = capabilities::unlicensed(session, Capability::UpdateCrossCluster).await
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
    RawValue::from_string(format!("[{}]", json::write_object(members))).ok()
}

/// A role's descriptor as a snapshot has it: without its description (as seen on 9.5.3).
fn snapshot(descriptor: &str) -> Option<String> {
    let mut members = json::members(descriptor)?;
    members.retain(|(name, _)| name != "description");
    Some(json::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get()))))
}

/// Keys that an update is planned for.
#[derive(Debug)]
pub enum Keys {
    /// One key that was read for its form: what was typed was made of it.
    Read(Box<Before>),
    /// Keys as they were listed.
    Listed(KeySet),
}

/// Reason why there is no plan.
#[derive(Debug)]
pub enum NotPlanned {
    /// A field of the form that does not fit.
    Invalid(Vec<FormError<UpdateField>>),
    /// Anything else, with the way out.
    Problem(Problem),
}

impl From<Problem> for NotPlanned {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<ClientError> for NotPlanned {
    fn from(error: ClientError) -> Self {
        Self::Problem(error.into())
    }
}

/// Works out what an update would make of each key, beside the window. Up to [`MAX_READ_AGAIN`] keys are read again
/// before. Nothing is changed.
///
/// # Errors
/// With every field that is wrong; when a key can't be updated by this session, is gone or can't be read; when version
/// or license lack what is asked for.
pub async fn plan(
    session: &Session,
    keys: Keys,
    draft: &UpdateDraft,
    zone: &TimeZone,
) -> Result<UpdatePlan, NotPlanned> {
    let now = session.now();
    let checked = draft.check(now, zone).map_err(NotPlanned::Invalid)?;
    if checked.has_end() && !session.has(Feature::UpdateExpiration) {
        return Err(ClientError::Lacks(Feature::UpdateExpiration).into());
    }
    let (keys, owner_today) = match keys {
        Keys::Read(before) => (vec![before.key], before.owner_today),
        Keys::Listed(chosen) => {
            let listed: Vec<ApiKey> = background::run(|| chosen.keys().collect());
            let keys = again(session, listed).await?;
            let limits = keys.iter().any(|key| key.limited_by.is_some());
            (keys, if limits { owner_today(session).await } else { None })
        }
    };
    for key in &keys {
        if let Some(problem) = hindrance(session, key, now) {
            let title = format!("{} can’t be updated. Nothing was done", key.id);
            return Err(Problem { title, ..problem }.into());
        }
    }
    if keys.iter().any(|key| key.kind == KeyKind::CrossCluster)
        && let Some(problem) = capabilities::unlicensed(session, Capability::UpdateCrossCluster).await
    {
        return Err(problem.into());
    }
    let plan = background::run(|| UpdatePlan::work_out(keys, &checked, owner_today.as_deref(), now));
    let mut plan = plan.map_err(|error| NotPlanned::Invalid(vec![error]))?;
    plan.cluster = Some(session.cluster());
    let binds = |change: &KeyChange| matches!(change, KeyChange::CrossCluster(update) if update.certificate_identity.as_ref().is_some_and(Option::is_some));
    if plan.planned.iter().any(|planned| binds(&planned.change))
        && let Some(problem) = capabilities::missing(session, Capability::CertificateIdentity)
    {
        return Err(problem.into());
    }
    Ok(plan)
}

/// The keys as they are now where they are few, and those of other clusters in any case: lists leave out what they are
/// bound to.
async fn again(session: &Session, listed: Vec<ApiKey>) -> Result<Vec<ApiKey>, NotPlanned> {
    let is_few = listed.len() <= MAX_READ_AGAIN;
    let (mut rest, mut cross) = (Vec::new(), Vec::new());
    for key in &listed {
        match key.kind {
            KeyKind::CrossCluster => cross.push(key.id.clone()),
            _ if is_few => rest.push(key.id.clone()),
            _ => {}
        }
    }
    let mut read = NowRead::default();
    if !rest.is_empty() {
        read.extend(current::read_now(session, &rest, true).await?);
    }
    for id in &cross {
        read.extend(current::read_now(session, std::slice::from_ref(id), true).await?);
    }
    let now = |key: ApiKey| -> Result<ApiKey, NotPlanned> {
        if is_few || key.kind == KeyKind::CrossCluster { Ok(read.one(&key.id)?) } else { Ok(key) }
    };
    listed.into_iter().map(now).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::update::{KeyUpdate, diff};

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
        let changes =
            |role: &str| diff(&key, &KeyUpdate::default(), Some(&today(role)), Timestamp::EPOCH).owner_snapshot_changes;
        assert_eq!(changes(role), Some(false));
        assert_eq!(changes(&role.replace("read", "all")), Some(true));
    }
}
