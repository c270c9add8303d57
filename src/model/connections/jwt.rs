//! Claims of a JSON Web Token, read without verification: only for what is shown, and for what leads to a refusal.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::{TimeDelta, Timestamp};

/// Size limit of the claims of a JWT, encoded, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 10;

/// Times that a JWT states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenTimes {
    /// Claim `exp`: expiration by the provider's clock.
    pub expires: Timestamp,
    /// Claim `iat`: time of issue by the provider's clock; `None` if it is not stated.
    pub issued: Option<Timestamp>,
}

/// Returns the times that a JWT states; `None` for a text that is no JWT, or states no expiration.
pub fn times(token: &str) -> Option<TokenTimes> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
        iat: Option<f64>,
    }
    let mut parts = token.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || payload.len() > MAX_PAYLOAD {
        return None;
    }
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    // Seconds, with or without a fraction (RFC 7519, section 2).
    let at = |seconds: f64| seconds.is_finite().then(|| Timestamp::EPOCH + TimeDelta::from_secs(seconds as i64));
    Some(TokenTimes { expires: at(claims.exp)?, issued: claims.iat.and_then(at) })
}
