//! Effective privileges of a key: the key is read with its owner's snapshot, and with the current state of its owner.

use serde_json::value::RawValue;

use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        privileges::descriptor::Piece,
        rights::{
            Rights, RightsJson, RightsRow,
            compare::{OwnerNow, OwnerToday},
        },
        text::json,
        version::Feature,
    },
    ops::Session,
};

/// Key with its effective privileges.
#[derive(Clone, Debug)]
pub struct KeyRights {
    /// Key as it is now, with its owner's snapshot (`limited_by`) if the cluster returns it.
    pub key: ApiKey,
    /// Effective privileges of the key.
    pub rights: Rights,
    /// Current state of the key's owner; `None` for cross-cluster keys, which no owner's privileges limit.
    pub owner: Option<OwnerNow>,
}

/// Reads a key with its effective privileges; `None` if the cluster doesn't know the key.
///
/// # Errors
/// Returns an error if the key can't be read. An unreadable owner is no error: the owner's state is then unknown.
pub async fn of(session: &Session, id: &KeyId) -> Result<Option<KeyRights>, ClientError> {
    let Some(key) = with_limits(session, id).await? else { return Ok(None) };
    Ok(Some(of_key(session, key).await))
}

/// Reads a key as [`of`] does, and describes its effective privileges.
///
/// # Errors
/// Returns the errors of [`of`].
pub async fn told(session: &Session, id: &KeyId) -> Result<Option<DescribedRights>, ClientError> {
    let Some(whole) = of(session, id).await? else { return Ok(None) };
    let work = tokio::task::spawn_blocking(move || DescribedRights::of(whole)).await;
    Ok(Some(work.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))))
}

/// Determines the effective privileges of a key that was read with its owner's snapshot before.
pub async fn of_key(session: &Session, key: ApiKey) -> KeyRights {
    let owner = match key.kind {
        KeyKind::CrossCluster => None,
        _ => Some(owner_now(session, &key).await),
    };
    // Of very many patterns this takes a moment, which is nobody else's.
    let work = tokio::task::spawn_blocking(move || (Rights::of(&key), key)).await;
    let (rights, key) = work.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    KeyRights { key, rights, owner }
}

/// Reads a key, with its owner's snapshot if the cluster returns it; `None` if the cluster doesn't know the key.
///
/// # Errors
/// Returns an error if the key can't be read.
pub async fn with_limits(session: &Session, id: &KeyId) -> Result<Option<ApiKey>, ClientError> {
    let own = session.sees_own_only();
    if session.has(Feature::LimitedBy) {
        match session.client.get_api_key_with_limits(id, own).await {
            // The version was not told, and it doesn't know the parameter.
            Err(ClientError::Lacks(_)) => {}
            // Signed in by a key one sees that key, but not the rights of its owner (as seen on 9.5.3).
            Err(ClientError::Forbidden { .. }) if session.own_key() == Some(id) => {}
            answer => return answer,
        }
    }
    session.client.get_api_key(id, own).await
}

/// Reads the current state of a key's owner, as far as the session may see it.
async fn owner_now(session: &Session, key: &ApiKey) -> OwnerNow {
    let (is_enabled, roles) = match roles_now(session, key).await {
        Ok(Some(found)) => found,
        Ok(None) => return OwnerNow::Gone,
        Err(why) => return OwnerNow::NotKnown(why),
    };
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    let found = match session.client.roles_named(&names).await {
        Ok(found) => found,
        Err(error) => return OwnerNow::NotKnown(why(&error, "roles")),
    };
    let found: Vec<(&str, &RawValue)> = found.iter().map(|role| (role.name.as_str(), &*role.descriptor)).collect();
    OwnerNow::Known(Box::new(OwnerToday::new(is_enabled, roles.clone(), key.limited_by.as_deref(), &found)))
}

/// Reads whether the owner is enabled, and the owner's current roles; `None` if there is no such user any more. The
/// error is the reason why they are not known.
async fn roles_now(session: &Session, key: &ApiKey) -> Result<Option<(bool, Vec<String>)>, String> {
    let (owner, identity) = (&key.owner, &session.identity);
    let is_oneself = (&owner.username, &owner.realm) == (&identity.username, &identity.realm);
    if is_oneself && identity.api_key.is_none() && session.client.endpoint().run_as.is_none() {
        return Ok(Some((true, identity.roles.clone())));
    }
    let kind = key.realm_type.as_deref().or(match owner.realm.as_str() {
        "default_native" => Some("native"),
        "reserved" => Some("reserved"),
        _ => None,
    });
    match kind {
        Some("native" | "reserved") => {}
        Some(other) => {
            return Err(format!("users of the realm {} ({other}) are not stored in Elasticsearch", owner.realm));
        }
        None => {
            return Err(format!("whether Elasticsearch stores the users of the realm {} is not reported", owner.realm));
        }
    }
    let user = session.client.user(&owner.username).await.map_err(|error| why(&error, "users"))?;
    Ok(user.map(|user| (user.enabled, user.roles)))
}

fn why(error: &ClientError, what: &str) -> String {
    match error {
        ClientError::Forbidden { .. } => format!("seeing {what} requires the privilege read_security"),
        error => error.to_string(),
    }
}

/// Description of a key's effective privileges, built once because it is drawn many times.
#[derive(Clone, Debug)]
pub struct DescribedRights {
    /// Key with its effective privileges.
    pub whole: KeyRights,
    /// Sentences about the privileges, each as pieces of text.
    pub sentences: Vec<Vec<Piece>>,
    /// Additional notes on the privileges.
    pub notes: Vec<String>,
    /// Sentences about the current state of the key's owner; empty for cross-cluster keys.
    pub owner: Vec<String>,
    /// Rows of the table of privileges.
    pub rows: Vec<RightsRow>,
    /// Effective privileges, and the fields of the key that they were computed from, as JSON on one line.
    pub json: String,
}

impl DescribedRights {
    /// Describes the effective privileges of a key.
    pub fn of(whole: KeyRights) -> Self {
        let rights = serde_json::to_string(&RightsJson::new(&whole.rights)).unwrap_or_default();
        let raw = |part: &Option<Box<RawValue>>| part.as_deref().map(|raw| raw.get().to_owned());
        let parts = [
            ("rights", Some(rights)),
            ("role_descriptors", raw(&whole.key.role_descriptors)),
            ("limited_by", raw(&whole.key.limited_by)),
            ("access", raw(&whole.key.access)),
        ];
        let parts = parts.iter().filter_map(|(name, json)| json.as_deref().map(|json| (*name, json)));
        Self {
            sentences: whole.rights.sentences(),
            notes: whole.rights.notes(),
            owner: whole.owner.iter().flat_map(OwnerNow::sentences).collect(),
            rows: whole.rights.rows(),
            json: json::write_object(parts),
            whole,
        }
    }
}
