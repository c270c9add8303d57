//! Keys by which other clusters sign in: created and changed by calls of their own.

use reqwest::Method;
use serde::Deserialize;

use crate::{
    client::{api::api_keys::CreatedKey, call::Call, connection::Client, error::ClientError},
    model::{
        Timestamp,
        api_key::KeyId,
        create::cross_cluster::{CreateCrossCluster, CrossClusterUpdate},
        version::Feature,
    },
};

const PATH: [&str; 3] = ["_security", "cross_cluster", "api_key"];

#[derive(Deserialize)]
struct WireUpdate {
    updated: bool,
}

impl Client {
    /// Creates a cross-cluster key (since 8.10; the license must be Enterprise or a trial, otherwise it is 403
    /// before anything else is looked at, as seen on 9.5.3). Sent once and never again, like
    /// [`Client::create_api_key`].
    ///
    /// # Errors
    /// [`ClientError::Lacks`] before 8.10, or before 9.3 for one with a certificate identity, and any error of a
    /// request.
    pub async fn create_cross_cluster_key(
        &self,
        key: &CreateCrossCluster,
        now: Timestamp,
    ) -> Result<CreatedKey, ClientError> {
        let call = Call { feature: Some(Feature::CrossCluster), ..Call::new(Method::POST, &PATH).body(key.body(now)) };
        let made = self.make(call, key.key.name(), Some(key.key.expiry())).await;
        made.map_err(|error| identity_is_unknown(error, key.certificate_identity.is_some()))
    }

    /// Updates a cross-cluster key (since 8.10). Returns `true` if anything changed: `false` is a success too. Only the
    /// key's owner can, not even somebody else with `manage_security` (404 on 9.5.3). Sent once and never again, as the
    /// update of other keys.
    ///
    /// # Errors
    /// [`ClientError::NotSent`] for a blank id or a change that Elasticsearch would refuse as too little,
    /// [`ClientError::Lacks`] before 8.10, or before 9.3 for a certificate identity, and any error of a request.
    pub async fn update_cross_cluster_key(&self, id: &KeyId, update: &CrossClusterUpdate) -> Result<bool, ClientError> {
        if id.as_str().trim().is_empty() {
            return Err(ClientError::NotSent { reason: "an update requires the id of its key".into() });
        }
        if !update.is_enough() {
            let reason = "the expiration of a cross-cluster key can be changed only together with its access, metadata \
                          or certificate identity";
            return Err(ClientError::NotSent { reason: reason.into() });
        }
        let segments = [PATH[0], PATH[1], PATH[2], id.as_str()];
        let call = Call {
            repeatable: false,
            changes: true,
            feature: Some(Feature::CrossCluster),
            ..Call::new(Method::PUT, &segments).body(update.body())
        };
        let answer = self.send(call).await?.success();
        let answer = answer.map_err(|error| identity_is_unknown(error, update.certificate_identity.is_some()))?;
        let wire: WireUpdate = answer.parse()?;
        Ok(wire.updated)
    }
}

/// Maps an unknown field to a missing feature: a version without certificate identities calls them an unknown field (as
/// seen on 8.19.21).
fn identity_is_unknown(error: ClientError, asked: bool) -> ClientError {
    match error {
        ClientError::Rejected { status: 400, reason, .. }
            if asked && reason.contains("unknown field [certificate_identity]") =>
        {
            ClientError::Lacks(Feature::CertificateIdentity)
        }
        other => other,
    }
}
