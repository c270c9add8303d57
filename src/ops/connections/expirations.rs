//! Credentials of a connection that expire soon, have expired or are not valid yet: the same sentences for the window and
//! the command line.

use crate::model::{TimeDelta, Timestamp, connections::endpoint::Endpoint, time::expiry};

/// Time before the expiration of a token from which on it is reported.
const TOKEN_EXPIRES_SOON: TimeDelta = TimeDelta::from_secs(10 * 60);

/// Returns a sentence, without its capital, for each credential of the connection that deserves attention at `now`, this
/// machine's clock. A token that doesn't state its expiration is not reported.
pub fn words(endpoint: &Endpoint, now: Timestamp) -> Vec<String> {
    let token = endpoint.login.expires().and_then(|at| match at {
        at if at <= now => Some(format!("the token expired {}", expiry::ago(at, now))),
        at if at - now < TOKEN_EXPIRES_SOON => Some(format!("the token expires {}", expiry::remaining(Some(at), now))),
        _ => None,
    });
    let certificate = endpoint.client_certificate.as_ref().and_then(|certificate| {
        let (words, is_urgent) = certificate.validity(now);
        is_urgent.then(|| format!("the client certificate {} {words}", certificate.subject))
    });
    token.into_iter().chain(certificate).collect()
}
