//! Credentials to sign in with, and reading of an API key in any form in which it may be pasted.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use super::{jwt, open_id::OpenIdLogin};
use crate::model::{Timestamp, secret::Secret};

/// Credential of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// API key.
    ApiKey {
        /// Id of the key; not secret.
        id: String,
        /// Secret of the key, the part after the colon of `id:key`.
        secret: Secret,
    },
    /// API key of Elastic Cloud (`essu_…`), which is sent as it is. Serverless projects take it, and hosted deployments
    /// where it was allowed; self-managed clusters refuse it.
    CloudKey(Secret),
    /// User name and password.
    Password {
        /// Name of the user; not secret.
        username: String,
        /// Password of the user; secret.
        password: Secret,
    },
    /// Token of the token service, or a JWT.
    Bearer(Secret),
    /// The client certificate of the connection alone, for a PKI realm.
    Certificate,
    /// A token that an OpenID Connect provider issues, for a JWT realm.
    OpenId(Box<OpenIdLogin>),
}

/// Reason why a text is not an API key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyTextError {
    /// Blank text.
    #[error("Paste an API key: the encoded form, or id:key")]
    Empty,
    /// Text that is neither an encoded API key nor `id:key`.
    #[error("This is neither an encoded API key (Base64) nor id:key")]
    Unreadable,
}

impl Login {
    /// Reads an API key as `encoded`, `id:api_key`, a whole `Authorization: ApiKey …` header, or
    /// encoded twice, with blanks and line ends anywhere; or one of Elastic Cloud, also in such a header.
    ///
    /// # Errors
    /// Fails if the text has none of these forms. No error contains the text.
    pub fn from_api_key_text(text: &str) -> Result<Self, ApiKeyTextError> {
        let mut text: Zeroizing<String> = Zeroizing::new(text.trim().trim_matches(['"', '\'']).to_owned());
        for prefix in ["Authorization:", "ApiKey "] {
            if text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
                text = Zeroizing::new(text[prefix.len()..].trim_start().to_owned());
            }
        }
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
        if text.is_empty() {
            return Err(ApiKeyTextError::Empty);
        }
        if is_cloud_key(&text) {
            return Ok(Self::CloudKey(Secret::new(&**text)));
        }
        if let Some(login) = split(&text) {
            return Ok(login);
        }
        let once = decode(&text).ok_or(ApiKeyTextError::Unreadable)?;
        let login = split(&once).or_else(|| decode(&once).and_then(|twice| split(&twice)));
        login.ok_or(ApiKeyTextError::Unreadable)
    }

    /// Returns `true` if there is no secret in it. A client certificate and a sign-in at a provider are none of these: they
    /// have their own.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::ApiKey { secret, .. }
            | Self::Password { password: secret, .. }
            | Self::Bearer(secret)
            | Self::CloudKey(secret) => secret.expose().is_empty(),
            Self::Certificate | Self::OpenId(_) => false,
        }
    }

    /// Returns whose credential it is, without the secret.
    pub fn without_secret(&self) -> Self {
        match self {
            Self::ApiKey { id, .. } => Self::ApiKey { id: id.clone(), secret: Secret::default() },
            Self::Password { username, .. } => {
                Self::Password { username: username.clone(), password: Secret::default() }
            }
            Self::Bearer(_) => Self::Bearer(Secret::default()),
            Self::CloudKey(_) => Self::CloudKey(Secret::default()),
            Self::Certificate | Self::OpenId(_) => self.clone(),
        }
    }

    /// Returns the credential with the secret that was typed for it. For an API key that is the secret alone, or the whole
    /// key in any form.
    ///
    /// # Errors
    /// What to type instead. It doesn't contain the text.
    pub fn filled(&self, typed: &Secret) -> Result<Self, &'static str> {
        let text = typed.expose();
        if text.trim().is_empty() {
            return Err("Type the credential");
        }
        Ok(match self {
            Self::ApiKey { id, .. } => match Self::from_api_key_text(text) {
                Ok(Self::ApiKey { id: other, .. }) if other != *id => {
                    return Err("This is another API key: type the secret of the one that is saved");
                }
                Ok(whole @ Self::ApiKey { .. }) => whole,
                Ok(_) => return Err("This is a key of Elastic Cloud: type the secret of the API key that is saved"),
                Err(_) => Self::ApiKey { id: id.clone(), secret: Secret::new(text.trim()) },
            },
            Self::CloudKey(_) => match Self::from_api_key_text(text) {
                Ok(key @ Self::CloudKey(_)) => key,
                _ => return Err("This is no key of Elastic Cloud: it starts with essu_"),
            },
            Self::Password { username, .. } => Self::Password { username: username.clone(), password: typed.clone() },
            Self::Bearer(_) => Self::Bearer(Secret::new(text.trim())),
            Self::Certificate | Self::OpenId(_) => self.clone(),
        })
    }

    /// Returns the time at which a JWT expires by its own claim `exp`; `None` for other credentials, and for tokens that
    /// don't tell. The claim is not verified here: only the cluster decides.
    pub fn expires(&self) -> Option<Timestamp> {
        let Self::Bearer(token) = self else { return None };
        jwt::times(token.expose()).map(|times| times.expires)
    }

    /// Returns the label of the kind of credential: "API key", "cloud API key", "password", "token", "certificate" or "single sign-on".
    pub fn way(&self) -> &'static str {
        match self {
            Self::ApiKey { .. } => "API key",
            Self::CloudKey(_) => "cloud API key",
            Self::Password { .. } => "password",
            Self::Bearer(_) => "token",
            Self::Certificate => "certificate",
            Self::OpenId(_) => "single sign-on",
        }
    }
}

/// Beginning of the API keys of Elastic Cloud.
const CLOUD_KEY: &str = "essu_";

/// Returns `true` if a text has the form of an API key of Elastic Cloud. Its content is not read: only the cloud can.
pub fn is_cloud_key(text: &str) -> bool {
    let rest = text.trim().strip_prefix(CLOUD_KEY).unwrap_or_default();
    // No encoded key begins so: its second byte would not be ASCII.
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && c != ':')
}

fn split(text: &str) -> Option<Login> {
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic());
    (plain(id) && plain(secret) && !secret.contains(':'))
        .then(|| Login::ApiKey { id: id.to_owned(), secret: Secret::new(secret) })
}

fn decode(text: &str) -> Option<Zeroizing<String>> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    // One buffer, wiped: even the bytes decoded before an error are a part of a secret.
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = engines.iter().find_map(|engine| engine.decode_slice(text, &mut bytes).ok())?;
    std::str::from_utf8(&bytes[..length]).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// Returns `base64(id:api_key)`, which Elasticsearch calls `encoded`.
pub fn encode(id: &str, secret: &Secret) -> Secret {
    let raw = Zeroizing::new(format!("{id}:{}", secret.expose()));
    Secret::new(STANDARD.encode(raw.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeDelta;

    fn read(text: &str) -> Option<(String, String)> {
        match Login::from_api_key_text(text) {
            Ok(Login::ApiKey { id, secret }) => Some((id, secret.expose().to_owned())),
            _ => None,
        }
    }

    #[test]
    fn what_is_typed_for_a_credential_belongs_to_it() {
        let key = |secret: &str| Login::ApiKey { id: "id".into(), secret: Secret::new(secret) };
        let user = |password: &str| Login::Password { username: "ana".into(), password: Secret::new(password) };
        for (login, typed, expected) in [
            (key(""), " key-secret ", Some(key("key-secret"))),
            (key(""), "id:key-secret", Some(key("key-secret"))),
            (key(""), "aWQ6a2V5LXNlY3JldA==", Some(key("key-secret"))),
            (key(""), "other:key-secret", None),
            (key(""), " ", None),
            (user(""), " hunter2 ", Some(user(" hunter2 "))),
            (user(""), "", None),
            (Login::Bearer(Secret::default()), "t0ken\n", Some(Login::Bearer(Secret::new("t0ken")))),
            (key(""), "essu_abc", None),
            (Login::CloudKey(Secret::default()), " essu_abc\n", Some(Login::CloudKey(Secret::new("essu_abc")))),
            (Login::CloudKey(Secret::default()), "id:key-secret", None),
        ] {
            assert!(login.is_blank());
            let filled = login.filled(&Secret::new(typed)).ok();
            assert_eq!(filled, expected, "{typed}");
            assert!(filled.is_none_or(|filled| !filled.is_blank() && filled.without_secret() == login));
        }
        assert!(!Login::Certificate.is_blank());
    }

    #[test]
    fn every_form_of_a_key_is_understood() {
        let expected = Some(("VuaCfGcBCdbkQm-e5aOx".to_owned(), "ui2lp2axTNmsyakw9tvNnw".to_owned()));
        let encoded = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";
        let twice = STANDARD.encode(encoded);
        let forms = [
            "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw",
            encoded,
            encoded.trim_end_matches('='),
            &format!("  {encoded}\r\n"),
            &format!("{}\n{}", &encoded[..20], &encoded[20..]),
            &format!("Authorization: ApiKey {encoded}"),
            &format!("apikey {encoded}"),
            &format!("\"{encoded}\""),
            &twice,
            "VuaCfGcBCdbkQm-e5aOx:\n ui2lp2axTNmsyakw9tvNnw ",
        ];
        for form in forms {
            assert_eq!(read(form), expected, "{form}");
        }
    }

    #[test]
    fn a_key_of_elastic_cloud_is_taken_as_it_is() {
        for form in
            ["essu_YTpi==", " essu_YTpi==\r\n", "Authorization: ApiKey essu_YTpi==", "\"essu_YTpi==\"", "essu_YT\npi=="]
        {
            assert_eq!(Login::from_api_key_text(form), Ok(Login::CloudKey(Secret::new("essu_YTpi=="))), "{form}");
        }
        for other in ["essu_", "essu", "ESSU_abc", "essu_a:b", "x essu_abc", "essu_\u{e4}"] {
            assert!(!matches!(Login::from_api_key_text(other), Ok(Login::CloudKey(_))), "{other}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "  ", "hunter2", ":", "a:", ":b", "a:b:c", "äöü"] {
            let error = Login::from_api_key_text(text).unwrap_err();
            assert!(text.trim().is_empty() || !error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn encoding_is_the_reverse_of_reading() {
        let encoded = encode("id", &Secret::new("key"));
        assert_eq!(encoded.expose(), "aWQ6a2V5");
        assert_eq!(read(encoded.expose()), Some(("id".into(), "key".into())));
    }

    #[test]
    fn a_jwt_tells_when_it_expires_and_no_other_credential_does() {
        let jwt = |claims: &str| Login::Bearer(Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))));
        let at = |seconds: i64| Some(Timestamp::EPOCH + TimeDelta::from_secs(seconds));
        assert_eq!(jwt(r#"{"sub":"ana","exp":1796841091}"#).expires(), at(1_796_841_091));
        assert_eq!(jwt(r#"{"exp":1796841091.5}"#).expires(), at(1_796_841_091));
        for claims in ["{}", r#"{"exp":"soon"}"#, r#"{"exp":1e999}"#, "[]", "", "no json"] {
            assert_eq!(jwt(claims).expires(), None, "{claims}");
        }
        for token in ["", "opaque", "a.b", "a.b.c.d", "46ToAxZVaXVVZTVKOVF5YU04ZFJVUDVSZlV3", "..", "ä.ö.ü"] {
            assert_eq!(Login::Bearer(Secret::new(token)).expires(), None, "{token}");
        }
        let long = format!("a.{}.c", "A".repeat(jwt::MAX_PAYLOAD + 4));
        assert_eq!(Login::Bearer(Secret::new(long)).expires(), None);
        assert_eq!(Login::Certificate.expires(), None);
    }

    #[test]
    fn a_login_does_not_print_its_secret() {
        let login = Login::Password { username: "ana".into(), password: Secret::new("hunter2") };
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
