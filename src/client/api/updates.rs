//! Updates of keys: of one, or of many by one request. Never repeated silently where twice differs from once.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    client::{call::Call, connection::Client, error::ClientError, http::server_text},
    model::{api_key::KeyId, update::KeyUpdate, version::Feature},
};

/// Result of a bulk update, key by key. Some failures are a normal case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BulkUpdate {
    /// Ids of the keys that were changed; after a lost answer also those that a second attempt found to be as
    /// requested.
    pub updated: Vec<KeyId>,
    /// Ids of the keys that were as requested before, the owner's snapshot included.
    pub noops: Vec<KeyId>,
    /// Ids of the keys that failed, each with the reason given by Elasticsearch.
    pub errors: Vec<(KeyId, String)>,
}

#[derive(Deserialize)]
struct WireUpdate {
    updated: bool,
}

#[derive(Deserialize)]
struct WireBulk {
    #[serde(default)]
    updated: Vec<String>,
    #[serde(default)]
    noops: Vec<String>,
    /// Errors; missing when there are none (as seen on 9.5.3).
    #[serde(default)]
    errors: WireErrors,
}

#[derive(Deserialize, Default)]
struct WireErrors {
    #[serde(default)]
    details: Map<String, Value>,
}

impl Client {
    /// Updates one key, and renews its owner's snapshot (since 8.4). Returns `true` if anything changed: `false` is a
    /// success too. Only the key's owner can, not even a superuser (404 on 9.5.3). Sent once and never again: somebody
    /// else may have changed the key since the first attempt, and a second one would undo that. After a lost answer,
    /// reading the key shows the result.
    ///
    /// # Errors
    /// [`ClientError::NotSent`] for a blank id, [`ClientError::Lacks`] before 8.4 (8.13 for an expiration), and any
    /// error of a request.
    pub async fn update_api_key(&self, id: &KeyId, update: &KeyUpdate) -> Result<bool, ClientError> {
        check(std::slice::from_ref(id))?;
        let segments = ["_security", "api_key", id.as_str()];
        let call = Call {
            repeatable: false,
            changes: true,
            feature: Some(feature(update, Feature::Update)),
            ..Call::new(Method::PUT, &segments).body(update.body(None))
        };
        let wire: WireUpdate = self.send(call).await?.success()?.parse()?;
        Ok(wire.updated)
    }

    /// Updates many keys in the same way by one request (since 8.5). Keys that fail don't hinder the others. Sent once
    /// and never again, as [`Client::update_api_key`].
    ///
    /// # Errors
    /// [`ClientError::NotSent`] without any id or for a blank one, [`ClientError::Lacks`] before 8.5 (8.13 for an
    /// expiration), and any error of a request.
    pub async fn bulk_update_api_keys(&self, ids: &[KeyId], update: &KeyUpdate) -> Result<BulkUpdate, ClientError> {
        check(ids)?;
        let call = Call {
            repeatable: false,
            changes: true,
            feature: Some(feature(update, Feature::BulkUpdate)),
            ..Call::new(Method::POST, &["_security", "api_key", "_bulk_update"])
                .body(update.body(Some(&json!(ids).to_string())))
        };
        let wire: WireBulk = self.send(call).await?.success()?.parse()?;
        let ids = |ids: Vec<String>| ids.into_iter().map(KeyId::new).collect();
        let words = |error: &Value| server_text::deepest_reason(error).unwrap_or_else(|| error.to_string());
        Ok(BulkUpdate {
            updated: ids(wire.updated),
            noops: ids(wire.noops),
            errors: (wire.errors.details.iter())
                .map(|(id, error)| (KeyId::new(id.as_str()), server_text::shown(&words(error))))
                .collect(),
        })
    }
}

/// Returns the feature that the cluster must have for this update; `plain` unless it sets an expiration.
fn feature(update: &KeyUpdate, plain: Feature) -> Feature {
    if update.expiration.is_some() { Feature::UpdateExpiration } else { plain }
}

fn check(ids: &[KeyId]) -> Result<(), ClientError> {
    if ids.is_empty() || ids.iter().any(|id| id.as_str().trim().is_empty()) {
        return Err(ClientError::NotSent { reason: "an update requires the ids of its keys".into() });
    }
    Ok(())
}
