//! The proxy on the way to a cluster: found once, named wherever it matters, and its failures told apart from those of
//! the cluster.

use std::{error::Error, io};

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::{
    client::{error::ClientError, http::server_text},
    model::connections::{
        endpoint::{Endpoint, Trust},
        proxy::{Proxy, ProxyRule},
    },
};

/// The proxy on the way to a cluster.
pub(crate) struct Route {
    /// Address of the proxy, without any sign-in.
    pub(crate) name: String,
    /// Proxy for the HTTP library.
    pub(crate) proxy: reqwest::Proxy,
}

/// Finds the proxy on the way to the cluster; `None` if it is reached directly.
///
/// # Errors
/// If the proxy can't be used: it would see an unencrypted credential, or its own certificate could not be verified.
pub(crate) fn route(endpoint: &Endpoint) -> Result<Option<Route>, ClientError> {
    let route = match &endpoint.proxy {
        ProxyRule::Direct => None,
        ProxyRule::System if endpoint.url.is_loopback() => None,
        ProxyRule::System => of_system(endpoint)?,
        ProxyRule::Via(proxy) => Some(Route { name: proxy.url.to_string(), proxy: chosen(proxy)? }),
    };
    let Some(route) = route else { return Ok(None) };
    if !endpoint.url.is_https() {
        return Err(ClientError::PlainThroughProxy { proxy: route.name });
    }
    // The library verifies the proxy's certificate by the trust of the cluster, which knows only the cluster's.
    if route.name.starts_with("https://") && !matches!(endpoint.trust, Trust::System) {
        return Err(ClientError::UnverifiableProxy { proxy: route.name });
    }
    Ok(Some(route))
}

fn chosen(proxy: &Proxy) -> Result<reqwest::Proxy, ClientError> {
    let made = of_address(proxy.url.as_str())?;
    Ok(match &proxy.login {
        Some(login) => made.basic_auth(&login.username, login.password.expose()),
        None => made,
    })
}

/// Makes a proxy of an address. With SOCKS the proxy looks up the host: it is often the only one that can.
fn of_address(address: &str) -> Result<reqwest::Proxy, ClientError> {
    let address = address.replacen("socks5://", "socks5h://", 1);
    // The text of the library's error may have the address with a password in it.
    let wrong = |_| ClientError::Setup { reason: "the address of the proxy is not valid".into() };
    reqwest::Proxy::all(address).map_err(wrong)
}

fn of_system(endpoint: &Endpoint) -> Result<Option<Route>, ClientError> {
    let Ok(uri) = endpoint.url.as_str().parse::<Uri>() else { return Ok(None) };
    let Some(found) = Matcher::from_system().intercept(&uri) else { return Ok(None) };
    // The library has taken a user and password out of the address.
    let address = found.uri().to_string();
    let name = address.trim_end_matches('/').to_owned();
    let made = of_address(&name)?;
    let proxy = match (found.basic_auth(), found.raw_auth()) {
        (Some(header), _) => made.custom_http_auth(header.clone()),
        (None, Some((username, password))) => made.basic_auth(username, password),
        (None, None) => made,
    };
    Ok(Some(Route { name, proxy }))
}

/// Reason why a proxy gives no connection to the cluster; `Display` is the end of a sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProxyFault {
    /// The proxy can't be reached; holds the reason.
    #[error("can't be reached: {0}")]
    Unreachable(String),
    /// The proxy asks for a sign-in, or refuses the one that was sent.
    #[error("requires a valid user and password")]
    SignIn,
    /// The proxy refuses to connect to the cluster, or can't; holds the reason.
    #[error("did not connect to the cluster: {0}")]
    Refused(String),
    /// No connection through the proxy within this time; whether it can't be reached or can't reach the cluster is not
    /// known.
    #[error("gave no connection within {0} s")]
    TimedOut(f32),
    /// The proxy closed the connection before it answered.
    #[error("closed the connection before it responded")]
    Closed,
    /// Something answers that is no such proxy.
    #[error("does not respond like a proxy of this kind: {0}")]
    NotAProxy(String),
}

/// Reads the fault of a proxy out of the causes of a failed connection; `None` if the proxy did its part.
pub(crate) fn fault(causes: &[&(dyn Error + 'static)]) -> Option<ProxyFault> {
    // The libraries don't export these types, only their texts.
    let texts: Vec<String> = causes.iter().map(|cause| cause.to_string()).collect();
    let text = |prefix: &str| texts.iter().find_map(|text| text.strip_prefix(prefix));
    let io = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    let innermost = || {
        let known = io.filter(|io| io.kind() == io::ErrorKind::ConnectionRefused);
        let last = || texts.last().map_or_else(String::new, |text| server_text::shown(text));
        known.map_or_else(last, |_| "nothing listens there (connection refused)".to_owned())
    };
    if let Some(reason) = text("tunnel error: ") {
        return Some(match reason {
            "proxy authorization required" => ProxyFault::SignIn,
            "unexpected end of file" => ProxyFault::Closed,
            "unsuccessful" => ProxyFault::Refused("it answered with something other than success".into()),
            "proxy response headers too long" => ProxyFault::NotAProxy("its response has no end".into()),
            "failed to create underlying connection" => ProxyFault::Unreachable(innermost()),
            _ => ProxyFault::Closed,
        });
    }
    if let Some(reason) = text("SOCKS error: ") {
        return Some(match reason {
            "credentials not accepted" | "server does not support user/pass authentication" => ProxyFault::SignIn,
            "server implements authentication incorrectly" => ProxyFault::SignIn,
            "io error during SOCKS handshake" => ProxyFault::Closed,
            "failed parsing server response" => ProxyFault::NotAProxy("its response is not SOCKS".into()),
            "failed to create underlying connection" => ProxyFault::Unreachable("no connection to it".into()),
            other => ProxyFault::Refused(server_text::shown(other)),
        });
    }
    None
}
