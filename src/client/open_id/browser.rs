//! Sign-in by the browser of this machine: authorization code with PKCE, and a redirect to this machine.

use std::time::Duration;

use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, core::CoreAuthenticationFlow,
};

use super::{
    Provider,
    redirect::{Expected, Redirect},
};
use crate::model::{
    connections::{open_id::Tokens, open_id_error::OpenIdError},
    secret::Secret,
};

/// A sign-in that waits for the browser.
pub struct BrowserSignIn<'a> {
    provider: &'a Provider,
    redirect: Redirect,
    redirect_url: RedirectUrl,
    address: String,
    expected: Expected,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Provider {
    /// Begins a sign-in: listens for the redirect, and makes the address for the browser.
    ///
    /// # Errors
    /// If the port of the redirect address can't be used.
    pub async fn begin_browser(&self) -> Result<BrowserSignIn<'_>, OpenIdError> {
        let redirect = Redirect::open(self.login.redirect_port).await?;
        let redirect_url = RedirectUrl::new(redirect.address());
        let redirect_url = redirect_url.map_err(|error| OpenIdError::Setup { reason: error.to_string() })?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = self
            .library
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect_url))
            .set_pkce_challenge(challenge);
        let (url, state, nonce) = request.add_scopes(self.scopes()).url();
        let issuer = self.login.issuer.as_str().to_owned();
        let expected = Expected { state: Secret::new(state.into_secret()), issuer };
        let address = url.to_string();
        Ok(BrowserSignIn { provider: self, redirect, redirect_url, address, expected, nonce, verifier })
    }
}

impl BrowserSignIn<'_> {
    /// Address to open in the browser. It is of use only to who also has what this value keeps.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Address to which the provider redirects.
    pub fn redirect(&self) -> String {
        self.redirect.address()
    }

    /// Waits until the user has signed in, and fetches the tokens.
    ///
    /// # Errors
    /// If nobody signs in within the time limit, the provider refuses, or its tokens fail a check.
    pub async fn finish(self, limit: Duration) -> Result<Tokens, OpenIdError> {
        let Self { provider, redirect, redirect_url, expected, nonce, verifier, .. } = self;
        let code = redirect.code(&expected, provider.host(), limit).await?;
        // The port is free for the next sign-in.
        drop(redirect);
        let code = AuthorizationCode::new(code.expose().to_owned());
        let request = provider.library.exchange_code(code).set_pkce_verifier(verifier);
        let request = request.set_redirect_uri(std::borrow::Cow::Owned(redirect_url));
        let answer = request.request_async(&provider.http).await.map_err(|error| provider.token_error(error))?;
        provider.accept(&answer, &nonce, None)
    }
}
