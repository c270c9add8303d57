//! HTTP to a provider: encrypted or on this machine, never redirected, and read within a limit.

use std::{error::Error as _, future::Future, pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::{
    client::{
        error::ClientError,
        http::{
            proxy,
            tls::{self, LastSeen},
            transport_error::{self, Circumstances},
        },
    },
    model::connections::{
        endpoint::{ClusterUrl, Endpoint, Trust},
        login::Login,
        open_id::OpenIdLogin,
        open_id_error::OpenIdError,
        proxy::ProxyRule,
    },
};

/// Size limit of an answer of a provider, in bytes: discovery documents have 10 KB, sets of keys and tokens less.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Longest time limit of one request to a provider.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// Time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Http {
    client: reqwest::Client,
    provider: String,
    proxy: Option<String>,
    timeout: Duration,
}

impl Http {
    pub(super) fn new(login: &OpenIdLogin, proxy: &ProxyRule, timeout: Duration) -> Result<Self, OpenIdError> {
        let provider = login.issuer.host().to_owned();
        let timeout = timeout.min(MAX_TIMEOUT);
        let refused = |error: ClientError| refused(error, &provider);
        let url = ClusterUrl::parse(login.issuer.as_str());
        let url = url.map_err(|error| OpenIdError::Setup { reason: format!("the issuer: {error}") })?;
        let trust = login.ca_file.clone().map_or(Trust::System, Trust::CaFile);
        // Nothing of it is sent; it says only where the provider is and how to get there.
        let place = Endpoint { trust, proxy: proxy.clone(), ..Endpoint::new(url, Login::Certificate) };
        let tls = tls::config(&place.trust, None, &LastSeen::default()).map_err(refused)?;
        let route = proxy::route(&place).map_err(refused)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("keybearer/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout);
        let name = route.as_ref().map(|route| route.name.clone());
        if let Some(route) = route {
            builder = builder.proxy(route.proxy);
        }
        let client = builder.build();
        let client = client.map_err(|_| OpenIdError::Setup { reason: "the HTTP client can't be set up".into() })?;
        Ok(Self { client, provider, proxy: name, timeout })
    }

    /// Refuses an address of the discovery document that is neither encrypted nor on this machine.
    pub(super) fn check(&self, url: &str) -> Result<(), OpenIdError> {
        let bad = |reason: &str| OpenIdError::BadAnswer { provider: self.provider.clone(), reason: reason.into() };
        // A query may be there, which the address of a cluster has not.
        let address = ClusterUrl::parse(url.split(['?', '#']).next().unwrap_or(url));
        let address = address.map_err(|_| bad("its discovery document names an address that is none"))?;
        if !address.is_https() && !address.is_loopback() {
            return Err(bad("its discovery document names an address without encryption"));
        }
        Ok(())
    }

    /// Sends a request of the library, and reads the whole answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OpenIdError> {
        let url = request.uri().to_string();
        self.check(&url)?;
        let (parts, body) = request.into_parts();
        let mut around = Circumstances {
            timeout: self.timeout,
            connect_timeout: CONNECT_TIMEOUT.min(self.timeout),
            maybe_sent: true,
            status: None,
            proxy: self.proxy.as_deref(),
            presents_certificate: false,
        };
        let sent = self.client.request(parts.method, &url).headers(parts.headers).body(body).send().await;
        let mut response = sent.map_err(|error| self.unreachable(&error, &around))?;
        around.status = Some(response.status().as_u16());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error, &around))? {
            if (body.len() + chunk.len()) as u64 > MAX_ANSWER_BYTES {
                return Err(OpenIdError::TooLarge { provider: self.provider.clone(), limit: MAX_ANSWER_BYTES });
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        Ok(answer)
    }

    fn unreachable(&self, error: &reqwest::Error, around: &Circumstances<'_>) -> OpenIdError {
        if error.is_builder() && error.source().is_none() {
            return OpenIdError::Setup { reason: "an address of the provider can't be used".into() };
        }
        refused(transport_error::read(error, around), &self.provider)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = OpenIdError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OpenIdError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Gives an error of the transport the words of a provider.
fn refused(error: ClientError, provider: &str) -> OpenIdError {
    let reason = match error {
        ClientError::Unreachable { reason } | ClientError::Broken { reason, .. } | ClientError::Tls { reason } => {
            reason
        }
        ClientError::Certificate { why, .. } => format!("its certificate was rejected: {why}"),
        ClientError::TlsOnPlainPort => "it uses plain http on this port".into(),
        ClientError::BadCaFile { .. } | ClientError::Setup { .. } => {
            return OpenIdError::Setup { reason: crate::model::text::sentence::uncapitalized(&error.to_string()) };
        }
        other => crate::model::text::sentence::uncapitalized(&other.to_string()),
    };
    OpenIdError::Unreachable { provider: provider.to_owned(), reason }
}
