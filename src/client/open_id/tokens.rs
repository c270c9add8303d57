//! Tokens as a provider issued them: checked before any use, and renewed.

use openidconnect::{
    ClientId, DeviceCodeErrorResponse, DeviceCodeErrorResponseType, Nonce, NonceVerifier, OAuth2TokenResponse as _,
    RefreshToken, RequestTokenError, Scope, StandardErrorResponse,
    core::{CoreErrorResponseType, CoreJwsSigningAlgorithm, CoreTokenResponse},
};

use super::{Provider, shown};
use crate::{
    client::{clock::now, http::server_text},
    model::{
        TimeDelta, Timestamp,
        connections::{
            jwt,
            open_id::{SentToken, Tokens},
            open_id_error::OpenIdError,
        },
        secret::Secret,
        text::sanitize,
    },
};

/// Largest difference between the clocks of a provider and this machine by which a token is accepted.
const MAX_PROVIDER_SKEW: TimeDelta = TimeDelta::from_secs(5 * 60);

/// Longest name of a user that is kept, in characters.
const MAX_USER_CHARS: usize = 200;

/// Longest token, in bytes: Elasticsearch takes headers of 8 KiB (`http.max_header_size`), unless it is set up for more.
const MAX_TOKEN_BYTES: usize = 64 << 10;

/// Signatures by a key that only the provider has. One by a shared secret proves nothing about a public client.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Error of a request for tokens.
pub(super) type TokenError = RequestTokenError<OpenIdError, StandardErrorResponse<CoreErrorResponseType>>;

impl Provider {
    /// Renews the token by the refresh token.
    ///
    /// # Errors
    /// [`OpenIdError::Ended`] if the provider refuses for good; otherwise the token may be renewed later.
    pub async fn renew(&self, tokens: &Tokens) -> Result<Tokens, OpenIdError> {
        let provider = || self.host().to_owned();
        let Some(refresh) = &tokens.refresh else { return Err(OpenIdError::Expired { provider: provider() }) };
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let answer = self.library.exchange_refresh_token(&refresh).request_async(&self.http).await;
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(refusal) if *refusal.error() == CoreErrorResponseType::InvalidGrant => {
                OpenIdError::Ended { provider: provider(), reason: words(&refusal) }
            }
            other => self.token_error(other),
        })?;
        self.accept(&answer, Any, Some(tokens))
    }

    /// Checks an answer with tokens, and takes from it what is needed. With the tokens `before` it is a renewal.
    pub(super) fn accept(
        &self,
        answer: &CoreTokenResponse,
        nonce: impl NonceVerifier,
        before: Option<&Tokens>,
    ) -> Result<Tokens, OpenIdError> {
        let provider = || self.host().to_owned();
        let bad = |reason: &str| OpenIdError::BadToken { provider: provider(), reason: reason.to_owned() };
        let received = now();
        let id_token = answer.extra_fields().id_token();
        let text = id_token.map(|token| Secret::new(token.to_string()));
        let (subject, user) = match (id_token, &text, before) {
            (Some(token), Some(text), _) => {
                self.check_clock(text, received)?;
                let verifier = self.library.id_token_verifier().set_allowed_algs(ALGORITHMS);
                // The cluster is another audience than the client, and is named in the same token.
                let verifier = verifier.set_other_audience_verifier_fn(|_| true);
                let claims = token.claims(&verifier, nonce).map_err(|error| self.unverified(&error, text, received))?;
                let is_ours = |party: &ClientId| party.as_str() == self.login.client_id;
                if !claims.authorized_party().is_none_or(is_ours) {
                    return Err(bad("it was issued to another client"));
                }
                let subject = claims.subject().as_str().to_owned();
                let preferred = claims.preferred_username().map(|name| name.as_str());
                let email = claims.email().map(|email| email.as_str());
                let name = preferred.or(email).unwrap_or(&subject);
                (subject.clone(), sanitize::shortened(name, MAX_USER_CHARS))
            }
            (_, _, Some(before)) => (before.subject.clone(), before.user.clone()),
            (_, _, None) => return Err(OpenIdError::NoToken { provider: provider(), wanted: SentToken::Id.word() }),
        };
        if before.is_some_and(|before| before.subject != subject) {
            return Err(bad("the renewed token is of another user"));
        }
        let access = || Secret::new(answer.access_token().secret().clone());
        let sent = match self.login.sent {
            SentToken::Id => text,
            SentToken::Access => Some(access()),
        };
        let Some(sent) = sent.filter(|token| !token.is_empty()) else {
            // A renewal may leave the ID token out (OpenID Connect Core, section 12.2): then it can't be renewed at all.
            let reason = "it renews only access tokens; sign in again each time, or send the access token".to_owned();
            return Err(OpenIdError::Ended { provider: provider(), reason });
        };
        if sent.expose().len() > MAX_TOKEN_BYTES || !sent.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("it is longer than any header, or has characters that none can carry"));
        }
        let stated = answer.expires_in().filter(|_| self.login.sent == SentToken::Access);
        let stated = stated.map(|span| TimeDelta::from_secs(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)));
        // The lifetime counts from here and now, so that it does not depend on the provider's clock.
        let lifetime = jwt::times(sent.expose()).map(|times| times.expires - times.issued.unwrap_or(received));
        let refresh = answer.refresh_token().map(|token| Secret::new(token.secret().clone()));
        Ok(Tokens {
            expires: lifetime.into_iter().chain(stated).min().map(|lifetime| received + lifetime),
            refresh: refresh.or_else(|| before.and_then(|before| before.refresh.clone())),
            sent,
            subject,
            user,
        })
    }

    /// Refuses a token whose time of issue is far from this machine's time.
    fn check_clock(&self, token: &Secret, received: Timestamp) -> Result<(), OpenIdError> {
        let issued = jwt::times(token.expose()).and_then(|times| times.issued);
        match issued.map(|issued| issued - received).filter(|by| by.abs() > MAX_PROVIDER_SKEW) {
            Some(by) => Err(OpenIdError::ClockSkew { provider: self.host().to_owned(), by }),
            None => Ok(()),
        }
    }

    fn unverified(
        &self,
        error: &openidconnect::ClaimsVerificationError,
        token: &Secret,
        received: Timestamp,
    ) -> OpenIdError {
        use openidconnect::ClaimsVerificationError as Fault;
        let provider = self.host().to_owned();
        let issued = jwt::times(token.expose()).and_then(|times| times.issued);
        let reason = match error {
            // It was issued a moment ago, so one of the clocks is wrong.
            Fault::Expired(_) => match issued.filter(|issued| received - *issued > TimeDelta::MINUTE) {
                Some(issued) => return OpenIdError::ClockSkew { provider, by: issued - received },
                None => "it has expired already".into(),
            },
            Fault::InvalidAudience(_) => {
                format!("it is for another client: its audience is not {}", shown(&self.login.client_id))
            }
            Fault::InvalidIssuer(_) => "it is of another issuer".into(),
            Fault::InvalidNonce(_) => "it belongs to another sign-in (its nonce is another)".into(),
            Fault::SignatureVerification(_) => "its signature is not by a key of the provider".into(),
            other => shown(&other.to_string()),
        };
        OpenIdError::BadToken { provider, reason }
    }

    pub(super) fn token_error(&self, error: TokenError) -> OpenIdError {
        let provider = self.host().to_owned();
        match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(refusal) => OpenIdError::Refused { provider, reason: words(&refusal) },
            // The text of the error may repeat a token.
            RequestTokenError::Parse(error, body) if body.starts_with(b"{") => {
                OpenIdError::BadAnswer { provider, reason: shown(&format!("the tokens, at {}", error.path())) }
            }
            RequestTokenError::Parse(_, body) => {
                let reason = format!("instead of tokens it sent {}", server_text::looks_like(&body));
                OpenIdError::BadAnswer { provider, reason }
            }
            RequestTokenError::Other(reason) => OpenIdError::BadAnswer { provider, reason: shown(&reason) },
        }
    }

    pub(super) fn device_error(&self, error: RequestTokenError<OpenIdError, DeviceCodeErrorResponse>) -> OpenIdError {
        let provider = self.host().to_owned();
        match error {
            RequestTokenError::ServerResponse(refusal) => match refusal.error() {
                DeviceCodeErrorResponseType::ExpiredToken => {
                    OpenIdError::Refused { provider, reason: "the code has expired".into() }
                }
                DeviceCodeErrorResponseType::AccessDenied => {
                    OpenIdError::Refused { provider, reason: "access_denied".into() }
                }
                other => OpenIdError::Refused { provider, reason: shown(other.as_ref()) },
            },
            RequestTokenError::Request(error) => error,
            RequestTokenError::Parse(_, body) => {
                let reason = format!("instead of tokens it sent {}", server_text::looks_like(&body));
                OpenIdError::BadAnswer { provider, reason }
            }
            RequestTokenError::Other(reason) => OpenIdError::BadAnswer { provider, reason: shown(&reason) },
        }
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.login.scopes.iter().map(|scope| Scope::new(scope.clone()))
    }
}

fn words(refusal: &StandardErrorResponse<CoreErrorResponseType>) -> String {
    let description = refusal.error_description().map(|text| format!(" ({text})")).unwrap_or_default();
    shown(&format!("{}{description}", refusal.error().as_ref()))
}

/// Accepts a token without a nonce: none was sent along, in a renewal and with a device code.
pub(super) struct Any;

impl NonceVerifier for Any {
    fn verify(self, _: Option<&Nonce>) -> Result<(), String> {
        Ok(())
    }
}
