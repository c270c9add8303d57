//! Copies of keys.

use reqwest::Method;

use crate::{
    client::{api::api_keys::CreatedKey, call::Call, connection::Client, error::ClientError},
    model::{Timestamp, connections::login, create::clone::CloneKey, version::Feature},
};

impl Client {
    /// Copies a key: the owner, the privileges and the owner's snapshot are those of the source (since 9.4, where it is
    /// experimental). Needs `clone_api_key`. Sent once and never again, like [`Client::create_api_key`].
    ///
    /// # Errors
    /// [`ClientError::Lacks`] before 9.4; [`ClientError::Forbidden`] also when the source is unknown, expired,
    /// invalidated or no REST key, or its secret is wrong (as seen on 9.5.3); and any error of a request.
    pub async fn clone_api_key(&self, clone: &CloneKey, now: Timestamp) -> Result<CreatedKey, ClientError> {
        let path = ["_security", "api_key", "clone"];
        let encoded = login::encode(clone.source.as_str(), &clone.secret);
        let call = Call {
            feature: Some(Feature::Clone),
            confided: vec![encoded, clone.secret.clone()],
            ..Call::new(Method::POST, &path).secret_body(clone.body(now))
        };
        self.make(call, &clone.name, clone.expiry).await
    }
}
