//! Credentials of a connection that is put together from options and the environment: to the cluster, to the proxy, and
//! the client certificate.

use super::connection::{ConnectionFlags, parse};
use crate::{
    cli::{environment::Host, error::CliError},
    model::{
        connections::{
            client_certificate::ClientCertificate,
            endpoint::Endpoint,
            login::Login,
            proxy::{Proxy, ProxyLogin, ProxyRule, ProxyUrl},
        },
        secret::Secret,
    },
    ops::connections::client_certificate::{self, CertificateFiles, NotLoaded},
};

/// Reads the credential from the environment. An API key takes precedence over a token, a token over a user, and each
/// over a client certificate alone.
///
/// With `is_asked_later`, the password of a user may be missing.
///
/// # Errors
/// A usage error if there is none, or it can't be read.
pub(super) fn login(
    machine: &dyn Host,
    (has_certificate, is_asked_later): (bool, bool),
    warnings: &mut Vec<String>,
) -> Result<Login, CliError> {
    let key = machine.variable("ES_API_KEY")?;
    let token = machine.variable("ES_TOKEN")?;
    let username = machine.variable("ES_USERNAME")?;
    let set = [("ES_API_KEY", &key), ("ES_TOKEN", &token), ("ES_USERNAME", &username)];
    let mut set = set.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name);
    if let Some(used) = set.next() {
        let unused: Vec<&str> = set.collect();
        if !unused.is_empty() {
            warnings.push(format!("Signing in with {used}; {} is also set but not used", unused.join(" and ")));
        }
    }
    if let Some(key) = key {
        return parse("ES_API_KEY", Login::from_api_key_text(key.expose()));
    }
    if let Some(token) = token {
        return Ok(Login::Bearer(Secret::new(token.expose().trim())));
    }
    let Some(username) = username else {
        if has_certificate {
            return Ok(Login::Certificate);
        }
        return Err(CliError::usage(
            "Specify how to sign in with ES_API_KEY, ES_USERNAME and ES_PASSWORD, ES_TOKEN or --profile",
        ));
    };
    let username = username.expose().trim().to_owned();
    let password = match machine.variable("ES_PASSWORD")? {
        Some(password) => password,
        None if is_asked_later => Secret::default(),
        None => machine.password(&username)?,
    };
    Ok(Login::Password { username, password })
}

/// Returns the endpoint of a saved connection with its credential: one that is asked for each time comes from the
/// environment or a prompt.
///
/// # Errors
/// A usage error if it is missing, or that of another API key.
pub(super) fn filled(endpoint: Endpoint, machine: &dyn Host) -> Result<Endpoint, CliError> {
    if !endpoint.lacks_credential() {
        return Ok(endpoint);
    }
    let (variable, what) = match &endpoint.login {
        Login::ApiKey { id, .. } => ("ES_API_KEY", format!("Secret of the API key {id}")),
        Login::CloudKey(_) => ("ES_API_KEY", "API key of Elastic Cloud".to_owned()),
        Login::Password { username, .. } => ("ES_PASSWORD", format!("Password of {username}")),
        Login::Bearer(_) | Login::Certificate | Login::OpenId(_) => ("ES_TOKEN", "Token".to_owned()),
    };
    let typed = match machine.variable(variable)? {
        Some(typed) => typed,
        None => machine.credential(&what, variable)?,
    };
    let login = parse(variable, endpoint.login.filled(&typed))?;
    Ok(Endpoint { login, ..endpoint })
}

/// Reads the client certificate, and asks for its passphrase only if it has one.
///
/// # Errors
/// With the way out, if the files are no client certificate.
pub(super) fn client_certificate(
    flags: &ConnectionFlags,
    machine: &dyn Host,
) -> Result<Option<ClientCertificate>, CliError> {
    let Some(certificate) = flags.client_cert.clone() else { return Ok(None) };
    let key = flags.client_key.clone();
    let passphrase = machine.variable("ES_CLIENT_KEY_PASSPHRASE")?;
    let mut files = CertificateFiles { certificate, key, passphrase };
    let loaded = match client_certificate::load(&files) {
        Err(error) if error.needs_passphrase => {
            files.passphrase = machine.passphrase(&files.certificate)?;
            match files.passphrase {
                Some(_) => client_certificate::load(&files),
                None => Err(NotLoaded {
                    problem: error.problem.hint("Set ES_CLIENT_KEY_PASSPHRASE: there is no terminal to ask on"),
                    ..error
                }),
            }
        }
        loaded => loaded,
    };
    loaded.map(Some).map_err(|error| error.problem.into())
}

/// Returns the rule of the options for the proxy; `None` without such an option.
///
/// # Errors
/// A usage error if the address can't be one, or the sign-in is incomplete.
pub(super) fn proxy(flags: &ConnectionFlags, machine: &dyn Host) -> Result<Option<ProxyRule>, CliError> {
    let Some(address) = &flags.proxy else { return Ok(flags.no_proxy.then_some(ProxyRule::Direct)) };
    let url = parse("--proxy", ProxyUrl::parse(address))?;
    let username = machine.variable("KEYBEARER_PROXY_USERNAME")?;
    let password = machine.variable("KEYBEARER_PROXY_PASSWORD")?;
    let login = match (username, password) {
        (None, None) => None,
        (Some(username), Some(password)) => {
            Some(ProxyLogin { username: username.expose().trim().to_owned(), password })
        }
        (username, _) => {
            let missing = if username.is_some() { "KEYBEARER_PROXY_PASSWORD" } else { "KEYBEARER_PROXY_USERNAME" };
            return Err(CliError::usage(format!("The sign-in of the proxy is incomplete: set {missing}")));
        }
    };
    Ok(Some(ProxyRule::Via(Proxy { url, login })))
}
