//! API keys: create, read, invalidate. Reading is tolerant, writing exact.

use std::borrow::Cow;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{
        call::Call,
        clock::{MAX_DATE_SKEW, now},
        connection::Client,
        error::ClientError,
        http::server_text,
    },
    model::{Timestamp, api_key::KeyId, create::CreateKey, secret::Secret, time::expiry::Expiry},
};

pub(super) const PATH: [&str; 2] = ["_security", "api_key"];

/// A key just created, with its secret, which the cluster shows only once.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// Id, assigned by the cluster.
    pub id: KeyId,
    /// Name as the cluster returned it, otherwise as requested.
    pub name: String,
    /// Expiration; `None` if the key never expires.
    pub expires: Option<Timestamp>,
    /// Secret: the field `api_key` of the answer.
    pub secret: Secret,
    /// Doubts about this key: parts that are not as requested, or not known; sentences to be shown beside it.
    pub doubts: Vec<String>,
    /// Other keys that the same request created, because something on the way sent it more than once: nobody knows their
    /// secrets.
    pub twins: Vec<KeyId>,
}

/// Result of an invalidation. Ids that are unknown, foreign or were invalidated before are in none of the lists (as
/// seen on 7.10.2 to 9.5.3): only reading again proves that a key is gone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Invalidation {
    /// Ids of the keys that this request invalidated.
    pub invalidated: Vec<KeyId>,
    /// Ids of the keys that had been invalidated before, where the cluster lists them.
    pub previously: Vec<KeyId>,
    /// Reasons of the errors, as given by Elasticsearch.
    pub errors: Vec<String>,
    /// Number of errors; may exceed the number of `errors`.
    pub error_count: u64,
    /// `true` if an earlier attempt of the same request may have been carried out: its answer was lost.
    pub is_repetition: bool,
}

#[derive(Deserialize)]
struct WireCreated<'a> {
    id: String,
    name: Option<String>,
    expiration: Option<Timestamp>,
    /// Secret, borrowed from the body, which is wiped: no copy is left behind.
    #[serde(borrow)]
    api_key: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireInvalidation {
    invalidated_api_keys: Vec<String>,
    #[serde(default)]
    previously_invalidated_api_keys: Vec<String>,
    #[serde(default)]
    error_count: u64,
    #[serde(default)]
    error_details: Vec<Value>,
}

impl Client {
    /// Creates a key. Sent once and never again: after a lost answer ([`ClientError::is_answer_lost`])
    /// there may be a key with a secret that nobody knows.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn create_api_key(&self, key: &CreateKey, now: Timestamp) -> Result<CreatedKey, ClientError> {
        let call = Call::new(Method::POST, &PATH).body(key.body(now));
        self.make(call, key.name(), Some(key.expiry())).await
    }

    /// Sends the request that creates a key, once, and reads the secret out of the answer. An expiration that was
    /// requested as a span reveals the cluster's clock, if the result is within [`MAX_DATE_SKEW`] of the
    /// time used so far; beyond that it may as well be another expiration than the one requested.
    pub(in crate::client) async fn make(
        &self,
        call: Call<'_>,
        name: &str,
        expiry: Option<Expiry>,
    ) -> Result<CreatedKey, ClientError> {
        let call = Call { repeatable: false, changes: true, private: true, limit: 1 << 20, ..call };
        let asked_at = now();
        let answer = self.send(call).await?.success()?;
        let wire: WireCreated<'_> = answer.parse()?;
        if let (Some(expires), Some(Expiry::In(span))) = (wire.expiration, expiry)
            && let Some(length) = span.length()
        {
            let server = expires - length;
            let counted = asked_at + self.clock_skew().unwrap_or_default();
            if (server - counted).abs() <= MAX_DATE_SKEW {
                self.set_own_skew(server, asked_at);
            }
        }
        Ok(CreatedKey {
            id: KeyId::new(wire.id),
            name: wire.name.unwrap_or_else(|| name.to_owned()),
            expires: wire.expiration,
            secret: Secret::new(wire.api_key),
            doubts: Vec::new(),
            twins: Vec::new(),
        })
    }

    /// Invalidates keys by their ids, for ever. `own` restricts the request to own keys, as needed with no more than
    /// `manage_own_api_key`. Repeating it does no harm, so it is sent again when that helps.
    ///
    /// # Errors
    /// [`ClientError::NotSent`] without any id, and any error of a request.
    pub async fn invalidate(&self, ids: &[KeyId], own: bool) -> Result<Invalidation, ClientError> {
        if ids.is_empty() || ids.iter().any(|id| id.as_str().trim().is_empty()) {
            return Err(ClientError::NotSent { reason: "an invalidation requires the ids of its keys".into() });
        }
        let mut body = json!({ "ids": ids });
        if own {
            body["owner"] = Value::Bool(true);
        }
        let call = Call { changes: true, ..Call::new(Method::DELETE, &PATH).body(body.to_string()) };
        let answer = self.send(call).await?.success()?;
        let is_repetition = answer.is_repetition;
        let wire: WireInvalidation = answer.parse()?;
        let ids = |ids: Vec<String>| ids.into_iter().map(KeyId::new).collect();
        let words = |error: &Value| server_text::deepest_reason(error).unwrap_or_else(|| error.to_string());
        Ok(Invalidation {
            invalidated: ids(wire.invalidated_api_keys),
            previously: ids(wire.previously_invalidated_api_keys),
            error_count: wire.error_count.max(wire.error_details.len() as u64),
            errors: wire.error_details.iter().map(|error| server_text::shown(&words(error))).collect(),
            is_repetition,
        })
    }
}
