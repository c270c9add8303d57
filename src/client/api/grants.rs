//! Keys made for other users.

use reqwest::Method;

use crate::{
    client::{api::api_keys::CreatedKey, call::Call, connection::Client, error::ClientError},
    model::{Timestamp, create::grant::Grant, version::Feature},
};

impl Client {
    /// Creates a key that belongs to another user, whose password or token is sent along (since 7.9). Needs
    /// `grant_api_key`; the other user needs no privilege at all, and the key's privileges are at most that user's.
    /// Sent once and never again, like [`Client::create_api_key`].
    ///
    /// # Errors
    /// [`ClientError::Forbidden`] also for a wrong password and an invalid token (as seen on 7.10.2 to 9.5.3), and any
    /// error of a request.
    pub async fn grant_api_key(&self, grant: &Grant, now: Timestamp) -> Result<CreatedKey, ClientError> {
        let path = ["_security", "api_key", "grant"];
        // Left to itself it does not wait until the key can be found, unlike all other calls that make one.
        let call = Call {
            feature: Some(Feature::Grant),
            confided: vec![grant.secret().clone()],
            ..Call::new(Method::POST, &path).query_if(true, "refresh", "wait_for").secret_body(grant.body(now))
        };
        self.make(call, grant.key.name(), Some(grant.key.expiry())).await
    }
}
