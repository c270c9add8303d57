//! Sign-in by a code that is typed on another device (RFC 8628), for machines without a browser.

use std::time::Duration;

use openidconnect::core::CoreDeviceAuthorizationResponse;

use super::{Provider, shown, tokens::Any};
use crate::model::connections::{open_id::Tokens, open_id_error::OpenIdError};

/// Longest time that a code is waited for, however long the provider accepts it.
const MAX_DEVICE_TIME: Duration = Duration::from_secs(30 * 60);

/// Longest code or address that is shown, in characters.
const MAX_CODE_CHARS: usize = 100;

/// A sign-in that waits for another device.
pub struct DeviceSignIn<'a> {
    provider: &'a Provider,
    answer: CoreDeviceAuthorizationResponse,
}

impl Provider {
    /// Begins a sign-in: asks for a code.
    ///
    /// # Errors
    /// [`OpenIdError::NoDeviceFlow`] if the provider offers none; any other if it refuses.
    pub async fn begin_device(&self) -> Result<DeviceSignIn<'_>, OpenIdError> {
        let endpoint = self.device.clone();
        let endpoint = endpoint.ok_or_else(|| OpenIdError::NoDeviceFlow { provider: self.host().to_owned() })?;
        let library = self.library.clone().set_device_authorization_url(endpoint);
        let request = library.exchange_device_code().add_scopes(self.scopes());
        let answer: CoreDeviceAuthorizationResponse =
            request.request_async(&self.http).await.map_err(|error| self.token_error(error))?;
        if answer.user_code().secret().chars().count() > MAX_CODE_CHARS {
            let reason = "its code is too long to be typed".to_owned();
            return Err(OpenIdError::BadAnswer { provider: self.host().to_owned(), reason });
        }
        self.http.check(answer.verification_uri().as_str())?;
        Ok(DeviceSignIn { provider: self, answer })
    }
}

impl DeviceSignIn<'_> {
    /// Code that the user types on the other device.
    pub fn code(&self) -> String {
        shown(self.answer.user_code().secret())
    }

    /// Address that the user opens on the other device.
    pub fn address(&self) -> String {
        shown(self.answer.verification_uri().as_str())
    }

    /// Time for which the code is waited for.
    pub fn lifetime(&self) -> Duration {
        self.answer.expires_in().min(MAX_DEVICE_TIME)
    }

    /// Asks the provider, as often as it allows, until the user has signed in.
    ///
    /// # Errors
    /// If the code expires, the provider refuses, or its tokens fail a check.
    pub async fn finish(self) -> Result<Tokens, OpenIdError> {
        let provider = self.provider;
        let limit = self.lifetime();
        let request = provider.library.exchange_device_access_token(&self.answer);
        let waiting = request.request_async(&provider.http, tokio::time::sleep, Some(limit));
        let answer = match tokio::time::timeout(limit, waiting).await {
            Ok(answer) => answer.map_err(|error| provider.device_error(error))?,
            Err(_) => return Err(OpenIdError::TimedOut { after: limit, forged: 0 }),
        };
        provider.accept(&answer, Any, None)
    }
}
