//! What a key can do: the key read with its owner's snapshot, and how its owner stands today.

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

/// A key and what it can do.
#[derive(Clone, Debug)]
pub struct KeyRights {
    /// As it is now, with the snapshot where the cluster tells it.
    pub key: ApiKey,
    /// What it can do.
    pub rights: Rights,
    /// How its owner stands today. Nothing is said of cross-cluster keys, which nobody's rights limit.
    pub owner: Option<OwnerNow>,
}

/// Reads a key with what it can do; `None` if the cluster doesn't know it.
///
/// # Errors
/// When the key can't be read. That the owner can't be is no error: it is not known then.
pub async fn of(session: &Session, id: &KeyId) -> Result<Option<KeyRights>, ClientError> {
    let Some(key) = with_limits(session, id).await? else { return Ok(None) };
    Ok(Some(of_key(session, key).await))
}

/// The same, put into words.
///
/// # Errors
/// As [`of`].
pub async fn told(session: &Session, id: &KeyId) -> Result<Option<DescribedRights>, ClientError> {
    let Some(whole) = of(session, id).await? else { return Ok(None) };
    let work = tokio::task::spawn_blocking(move || DescribedRights::of(whole)).await;
    Ok(Some(work.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))))
}

/// The same of a key that was read with its limits before.
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

/// One key, with the snapshot of its owner's rights where the cluster tells it.
///
/// # Errors
/// When the key can't be read.
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

/// How the owner of a key stands today, as far as one may see it.
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

/// The owner's roles of today; `None` if there is no such user any more.
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
            return Err(format!("users of the realm {} ({other}) are not kept by Elasticsearch", owner.realm));
        }
        None => {
            return Err(format!("of the realm {} it is not told whether Elasticsearch keeps its users", owner.realm));
        }
    }
    let user = session.client.user(&owner.username).await.map_err(|error| why(&error, "users"))?;
    Ok(user.map(|user| (user.enabled, user.roles)))
}

fn why(error: &ClientError, what: &str) -> String {
    match error {
        ClientError::Forbidden { .. } => format!("seeing {what} needs the privilege read_security"),
        error => error.to_string(),
    }
}

/// What a key can do, put into words once: it is drawn many times.
#[derive(Clone, Debug)]
pub struct DescribedRights {
    /// The key and its rights.
    pub whole: KeyRights,
    /// A sentence each.
    pub sentences: Vec<Vec<Piece>>,
    /// What has to be known besides.
    pub notes: Vec<String>,
    /// How its owner stands today.
    pub owner: Vec<String>,
    /// The table.
    pub rows: Vec<RightsRow>,
    /// The rights, and what they were worked out from, as JSON on one line.
    pub json: String,
}

impl DescribedRights {
    /// Puts into words.
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
