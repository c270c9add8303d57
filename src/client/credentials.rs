//! Credentials as headers, and the forms in which they could come back.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::error::ClientError;
use crate::model::{
    connections::{
        endpoint::Endpoint,
        login::{self, Login},
    },
    secret::Secret,
};

/// Length in bytes below which a text is too short to be a secret: shorter ones occur by chance.
pub(super) const SHORTEST_SECRET: usize = 6;

/// Returns the headers of every request.
///
/// # Errors
/// [`ClientError::BadLogin`] if a header can't carry the credential.
pub(super) fn headers(endpoint: &Endpoint) -> Result<HeaderMap, ClientError> {
    let bad = |reason: &str| ClientError::BadLogin { reason: reason.to_owned() };
    if endpoint.lacks_credential() {
        return Err(bad("the credential of this connection is asked for each time, and was not typed"));
    }
    let authorization = match &endpoint.login {
        Login::Certificate if endpoint.client_certificate.is_none() => {
            return Err(bad("there is no client certificate to sign in with"));
        }
        Login::Certificate => None,
        // It changes while the client lives: see `bearer`.
        Login::OpenId(_) => None,
        Login::ApiKey { id, secret } => Some(join("ApiKey ", login::encode(id, secret).expose())),
        Login::CloudKey(key) => Some(join("ApiKey ", key.expose())),
        Login::Password { username, .. } if username.contains(':') => {
            return Err(bad("a user name with a colon can't be sent"));
        }
        Login::Password { username, password } => Some(join("Basic ", basic(username, password).expose())),
        Login::Bearer(token) => Some(join("Bearer ", token.expose())),
    };
    let mut headers = HeaderMap::new();
    if let Some(authorization) = authorization {
        let mut authorization = HeaderValue::from_str(&authorization)
            .map_err(|_| bad("the credential contains characters that a header can't carry"))?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
    }
    if let Login::OpenId(login) = &endpoint.login
        && let Some(secret) = &login.shared_secret
    {
        let mut value = HeaderValue::from_str(&join("SharedSecret ", secret.expose()))
            .map_err(|_| bad("the shared secret of the realm contains characters that a header can't carry"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static("es-client-authentication"), value);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("x-opaque-id"), HeaderValue::from_static("keybearer"));
    if let Some(user) = endpoint.run_as.as_deref().filter(|user| !user.is_empty()) {
        let user = HeaderValue::from_str(user)
            .map_err(|_| bad("the name of the user to run as contains characters that a header can't carry"))?;
        headers.insert(HeaderName::from_static("es-security-runas-user"), user);
    }
    Ok(headers)
}

/// Returns the header of a token that changes while the client lives.
///
/// # Errors
/// [`ClientError::BadLogin`] if a header can't carry it.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_str(&join("Bearer ", token.expose())).map_err(|_| ClientError::BadLogin {
        reason: "the token contains characters that a header can't carry".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn join(scheme: &str, credential: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{scheme}{credential}"))
}

fn basic(username: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(Zeroizing::new(format!("{username}:{}", password.expose())).as_bytes()))
}

/// Returns the forms in which a credential could come back in an answer. Texts so short that they occur by chance are
/// left out.
pub(super) fn secrets(login: &Login) -> Vec<Zeroizing<String>> {
    let (plain, encoded) = match login {
        Login::ApiKey { id, secret } => (secret.clone(), login::encode(id, secret)),
        Login::Password { username, password } => (password.clone(), basic(username, password)),
        Login::Bearer(token) | Login::CloudKey(token) => (token.clone(), Secret::default()),
        Login::Certificate => (Secret::default(), Secret::default()),
        Login::OpenId(login) => (login.shared_secret.clone().unwrap_or_default(), Secret::default()),
    };
    let forms = [encoded, plain].into_iter().filter(|secret| secret.expose().len() >= SHORTEST_SECRET);
    forms.map(|secret| Zeroizing::new(secret.expose().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::connections::endpoint::ClusterUrl;

    #[test]
    fn a_credential_that_was_not_typed_is_never_sent_blank() {
        let url = ClusterUrl::parse("https://localhost:9200").unwrap();
        for login in [
            Login::ApiKey { id: "id".into(), secret: Secret::default() },
            Login::Password { username: "ana".into(), password: Secret::default() },
            Login::Bearer(Secret::default()),
            Login::CloudKey(Secret::default()),
        ] {
            let asked = Endpoint { asks_credential: true, ..Endpoint::new(url.clone(), login) };
            assert!(matches!(headers(&asked), Err(ClientError::BadLogin { .. })), "{asked:?}");
        }
    }

    #[test]
    fn the_credential_is_marked_so_that_no_library_prints_it() {
        let endpoint = Endpoint {
            timeout: Duration::from_secs(1),
            ..Endpoint::new(
                ClusterUrl::parse("https://localhost:9200").unwrap(),
                Login::Bearer(Secret::new("hunter2-token")),
            )
        };
        let headers = headers(&endpoint).unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(!format!("{headers:?}").contains("hunter2"));
    }
}
