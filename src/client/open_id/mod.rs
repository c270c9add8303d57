//! An OpenID Connect provider: discovery, sign-in by code and PKCE or by a device code, renewal, and the checks that a
//! token must pass. It knows no cluster and no keyring.

mod browser;
mod device;
mod http;
mod redirect;
mod tokens;

use std::time::Duration;

use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, DiscoveryError,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};

use self::http::Http;
use crate::{
    client::http::server_text,
    model::{
        connections::{open_id::OpenIdLogin, open_id_error::OpenIdError, proxy::ProxyRule},
        text::sanitize,
    },
};

pub use browser::BrowserSignIn;
pub use device::DeviceSignIn;

/// Longest text of a provider that is shown, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Endpoint of RFC 8628, which the discovery document of a provider names if it has one.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct DeviceEndpoint {
    device_authorization_endpoint: Option<DeviceAuthorizationUrl>,
}

impl AdditionalProviderMetadata for DeviceEndpoint {}

type Metadata = ProviderMetadata<
    DeviceEndpoint,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The library's client: authorization and token endpoint are known.
type Library = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet>;

/// A provider whose discovery document and signing keys were read.
pub struct Provider {
    http: Http,
    login: OpenIdLogin,
    library: Library,
    device: Option<DeviceAuthorizationUrl>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.login.issuer.as_str())
    }
}

impl Provider {
    /// Reads the discovery document of the issuer and its signing keys. The provider is reached as a cluster with this
    /// proxy rule would be; `timeout` is that of each request.
    ///
    /// # Errors
    /// If the provider can't be reached or trusted, or names another issuer.
    pub async fn discover(login: &OpenIdLogin, proxy: &ProxyRule, timeout: Duration) -> Result<Self, OpenIdError> {
        let host = login.issuer.host().to_owned();
        let http = Http::new(login, proxy, timeout)?;
        let issuer = IssuerUrl::new(login.issuer.as_str().to_owned());
        let issuer = issuer.map_err(|error| OpenIdError::Setup { reason: format!("the issuer: {error}") })?;
        let metadata = Metadata::discover_async(issuer, &http).await.map_err(|error| undiscovered(error, &host))?;
        let bad = |what: &str| OpenIdError::BadAnswer { provider: host.clone(), reason: what.to_owned() };
        let token = metadata.token_endpoint().cloned();
        let token = token.ok_or_else(|| bad("its discovery document names no token endpoint"))?;
        for url in [metadata.authorization_endpoint().url(), token.url()] {
            http.check(url.as_str())?;
        }
        let device = metadata.additional_metadata().device_authorization_endpoint.clone();
        let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let takes = |method: CoreClientAuthMethod| methods.contains(&method);
        let secret = login.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let mut library = CoreClient::from_provider_metadata(metadata, ClientId::new(login.client_id.clone()), secret)
            .set_token_uri(token)
            // It is among the scopes of the connection.
            .disable_openid_scope();
        if takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic) {
            library = library.set_auth_type(AuthType::RequestBody);
        }
        Ok(Self { http, login: login.clone(), library, device })
    }

    /// Host and port of the provider, to be shown.
    pub fn host(&self) -> &str {
        self.login.issuer.host()
    }
}

fn undiscovered(error: DiscoveryError<OpenIdError>, host: &str) -> OpenIdError {
    let bad = |reason: String| OpenIdError::BadAnswer { provider: host.to_owned(), reason };
    match error {
        DiscoveryError::Request(error) => error,
        DiscoveryError::Validation(reason) => {
            OpenIdError::OtherIssuer { provider: host.to_owned(), reason: shown(&reason) }
        }
        DiscoveryError::Response(status, _, _) if status.as_u16() != 200 => {
            bad(format!("the discovery document or its keys: status {}", status.as_u16()))
        }
        DiscoveryError::Response(_, body, _) => {
            bad(format!("the discovery document is {}", server_text::looks_like(&body)))
        }
        DiscoveryError::Parse(error) => {
            bad(shown(&format!("the discovery document, at {}: {}", error.path(), error.inner())))
        }
        other => bad(shown(&other.to_string())),
    }
}

/// Makes a text of the provider fit to be shown.
fn shown(text: &str) -> String {
    sanitize::shortened(text.trim(), MAX_REASON_CHARS)
}
