//! Sign-in by OpenID Connect: the settings of a connection, and the tokens that a provider issued for them.

use std::path::PathBuf;

use super::{endpoint::ClusterUrl, profile::ProfileId};
use crate::model::{TimeDelta, Timestamp, secret::Secret};

/// Scopes that are requested if nothing else was chosen: a name to show, and a refresh token.
pub const USUAL_SCOPES: &str = "openid profile offline_access";

/// Length limit of the scopes as they are typed, in characters.
const MAX_SCOPES: usize = 1000;

/// Time before the expiration of a token from which on it is renewed.
pub const RENEWAL_LEAD: TimeDelta = TimeDelta::from_secs(30);

/// Token that is sent to the cluster, by the setting `token_type` of its JWT realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SentToken {
    /// The ID token, made for the client that signs in; `token_type: id_token`, the default of Elasticsearch.
    #[default]
    Id,
    /// The access token, made for an API; `token_type: access_token`.
    Access,
}

impl SentToken {
    /// All choices, in the order in which they are shown.
    pub const ALL: [SentToken; 2] = [Self::Id, Self::Access];

    /// Returns the value of the realm's setting `token_type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id_token",
            Self::Access => "access_token",
        }
    }
}

/// Issuer of a provider: an https address, or http on this machine, compared letter by letter with the one that the
/// provider names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// Reason why a text is not an issuer; `Display` says how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Blank text.
    #[error("Enter the issuer, such as https://login.example.net/realms/ops")]
    Empty,
    /// The address of the discovery document instead of the issuer.
    #[error("Enter the issuer itself, without /.well-known/openid-configuration")]
    Discovery,
    /// http to another machine.
    #[error("The issuer must be an https:// address: tokens are fetched from there")]
    Unencrypted,
    /// Text that can't be an issuer; holds the reason.
    #[error("Not an issuer: {0}")]
    Unreadable(String),
}

impl Issuer {
    /// Reads an issuer. A final slash is kept: it is a part of the name.
    ///
    /// # Errors
    /// Returns the reason if the text can't be the issuer of a provider.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IssuerError::Empty);
        }
        if text.contains("/.well-known/") {
            return Err(IssuerError::Discovery);
        }
        if !text.contains("://") {
            return Err(IssuerError::Unreadable("it must begin with https://".into()));
        }
        // The rules are those of the address of a cluster: no user, no query, no fragment.
        let url = ClusterUrl::parse(text).map_err(|error| IssuerError::Unreadable(error.to_string()))?;
        if !url.is_https() && !url.is_loopback() {
            return Err(IssuerError::Unencrypted);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns host and port, to be shown.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// Settings of a sign-in by OpenID Connect. They hold no token: those come and go without a change of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIdLogin {
    /// Id under which the tokens are kept in the vault, beside the connection.
    pub sign_in: SignInId,
    /// Issuer of the provider.
    pub issuer: Issuer,
    /// Id of the client at the provider; not secret.
    pub client_id: String,
    /// Secret of the client; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Scopes to request, `openid` included.
    pub scopes: Vec<String>,
    /// Token that is sent to the cluster.
    pub sent: SentToken,
    /// Shared secret that the JWT realm asks for (`client_authentication.type: shared_secret`); `None` for none.
    pub shared_secret: Option<Secret>,
    /// Port of the redirect address on this machine; `None` for any free one.
    pub redirect_port: Option<u16>,
    /// PEM file with the only certificates that are trusted for the provider; `None` for those of this computer.
    pub ca_file: Option<PathBuf>,
}

impl OpenIdLogin {
    /// Returns `true` if tokens that were issued for the other settings are of use for these: they are of the same
    /// client, for the same scopes.
    pub fn shares_tokens(&self, other: &Self) -> bool {
        self.sign_in == other.sign_in && self.origin() == other.origin()
    }

    /// Returns a text that differs for settings whose tokens differ; it is kept with the tokens.
    pub fn origin(&self) -> String {
        format!("{} {} {} {}", self.issuer.0, self.client_id, self.sent.word(), self.scopes.join(" "))
    }

    /// Returns `true` if a refresh token is requested, by the scope that providers know for it.
    pub fn wants_refresh(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "offline_access")
    }
}

/// Id of a sign-in: that of its connection, so that a copy of the connection has a sign-in of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SignInId(pub String);

impl SignInId {
    /// Returns the id of the sign-in of a connection.
    pub fn of(profile: &ProfileId) -> Self {
        Self(profile.0.clone())
    }
}

/// Reads scopes as they are typed, separated by blanks, and puts `openid` first, without which it is no sign-in.
///
/// # Errors
/// Returns a sentence about the characters that no scope may have (RFC 6749, section 3.3).
pub fn parse_scopes(text: &str) -> Result<Vec<String>, &'static str> {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    if text.len() > MAX_SCOPES || !text.split_whitespace().all(|scope| scope.chars().all(fits)) {
        return Err("Enter scopes separated by blanks, such as openid profile offline_access");
    }
    let mut scopes = vec!["openid".to_owned()];
    for scope in text.split_whitespace() {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

/// Tokens of a user, as a provider issued them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The token that is sent to the cluster.
    pub sent: Secret,
    /// Token by which the provider renews the other; `None` if it issued none.
    pub refresh: Option<Secret>,
    /// Expiration of the sent token by this machine's clock; `None` if the provider states none.
    pub expires: Option<Timestamp>,
    /// Claim `sub`: the user's id at the provider, which a renewal must not change.
    pub subject: String,
    /// Name of the user to show: `preferred_username`, `email` or `sub`.
    pub user: String,
}

impl Tokens {
    /// Returns `true` if the token can be sent at `now`, this machine's clock, and stays usable for some time.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        !self.sent.is_empty() && self.expires.is_none_or(|at| at - now > RENEWAL_LEAD)
    }

    /// Returns `true` if the token can still be sent at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        !self.sent.is_empty() && self.expires.is_none_or(|at| at > now)
    }

    /// Returns what is shown of them.
    pub fn seen(&self) -> SignedIn {
        SignedIn { user: self.user.clone(), expires: self.expires, is_renewed: self.refresh.is_some() }
    }
}

/// State of a sign-in without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Name of the user at the provider.
    pub user: String,
    /// Expiration of the token by this machine's clock; `None` if the provider states none.
    pub expires: Option<Timestamp>,
    /// `true` if the provider renews the token without asking the user again.
    pub is_renewed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_kept_to_the_letter_and_has_to_be_encrypted() {
        for text in ["https://login.example.net/realms/ops", "https://a.example/", "http://127.0.0.1:9000"] {
            assert_eq!(Issuer::parse(&format!(" {text} ")).unwrap().as_str(), text);
        }
        assert_eq!(Issuer::parse("https://login.example.net:8443/x").unwrap().host(), "login.example.net:8443");
        assert_eq!(Issuer::parse(" "), Err(IssuerError::Empty));
        assert_eq!(Issuer::parse("https://a/.well-known/openid-configuration"), Err(IssuerError::Discovery));
        assert_eq!(Issuer::parse("http://login.example.net"), Err(IssuerError::Unencrypted));
        for text in ["login.example.net", "https://", "https://a?b=c", "https://ana:pw@a", "ftp://a"] {
            assert!(matches!(Issuer::parse(text), Err(IssuerError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn scopes_always_have_openid_and_each_once() {
        assert_eq!(parse_scopes("").unwrap(), ["openid"]);
        assert_eq!(parse_scopes(" profile openid  profile\ta:b/c ").unwrap(), ["openid", "profile", "a:b/c"]);
        for text in ["a\"b", "ä", "a\\b", &"x".repeat(2000)] {
            assert!(parse_scopes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tokens_are_renewed_before_they_end_and_print_nothing() {
        let at = |seconds| Timestamp::EPOCH + TimeDelta::from_secs(seconds);
        let tokens = Tokens {
            sent: Secret::new("hunter2"),
            refresh: Some(Secret::new("hunter3")),
            expires: Some(at(100)),
            subject: "1".into(),
            user: "ana".into(),
        };
        for (now, is_fresh, is_valid) in [(0, true, true), (69, true, true), (70, false, true), (100, false, false)] {
            assert_eq!((tokens.is_fresh(at(now)), tokens.is_valid(at(now))), (is_fresh, is_valid), "{now}");
        }
        assert!(Tokens { expires: None, ..tokens.clone() }.is_fresh(at(1_000_000)));
        assert!(!Tokens { sent: Secret::default(), expires: None, ..tokens.clone() }.is_valid(at(0)));
        let printed = format!("{tokens:?} {:?}", tokens.seen());
        assert!(!printed.contains("hunter"), "{printed}");
    }
}
