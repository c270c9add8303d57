//! Key created for another user, who proves consent by a password or a token.

use zeroize::Zeroizing;

use super::CreateKey;
use crate::model::{Timestamp, secret::Secret, text::json};

/// Credential with which the other user consents to the grant.
#[derive(Clone, Debug)]
pub enum Credential {
    /// User name and password.
    Password {
        /// User name; not secret.
        username: String,
        /// Password; secret.
        password: Secret,
    },
    /// Token of the token service, or a JWT; only the cluster knows whose it is.
    Token(Secret),
}

/// Request for a key that will belong to another user.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Credential of the user that the key is for.
    pub credential: Credential,
    /// Name of the user that this user acts as, with the privilege `run_as`, and that then owns the key; `None` for
    /// nobody.
    pub run_as: Option<String>,
    /// Key that is created.
    pub key: CreateKey,
}

impl Grant {
    /// Returns the name of the future owner; `None` if it is not known here, because the credential is a token.
    pub fn owner(&self) -> Option<&str> {
        match (&self.run_as, &self.credential) {
            (Some(user), _) => Some(user),
            (None, Credential::Password { username, .. }) => Some(username),
            (None, Credential::Token(_)) => None,
        }
    }

    /// Returns the exact body of `POST /_security/api_key/grant`; it holds the secret and is wiped when dropped.
    pub fn body(&self, now: Timestamp) -> Zeroizing<String> {
        let secret = self.secret();
        let open = self.request(now);
        // Allocated at once: a string that grows leaves its old memory behind unwiped.
        let mut text = Zeroizing::new(String::with_capacity(open.len() + secret.expose().len() * 6 + 32));
        text.push_str(open.strip_suffix('}').unwrap_or(&open));
        text.push_str(match self.credential {
            Credential::Password { .. } => ",\"password\":",
            Credential::Token(_) => ",\"access_token\":",
        });
        push_quoted(&mut text, secret.expose());
        text.push('}');
        text
    }

    /// Returns the body without the secret, which may be shown and recorded.
    pub fn request(&self, now: Timestamp) -> String {
        let (kind, username) = match &self.credential {
            Credential::Password { username, .. } => ("\"password\"", Some(json::quote(username))),
            Credential::Token(_) => ("\"access_token\"", None),
        };
        let run_as = self.run_as.as_deref().map(json::quote);
        let key = self.key.body(now);
        let members = [
            ("grant_type", Some(kind)),
            ("username", username.as_deref()),
            ("run_as", run_as.as_deref()),
            ("api_key", Some(key.as_str())),
        ];
        json::write_object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    /// Returns the secret of the credential, the password or the token, which must never be shown.
    pub fn secret(&self) -> &Secret {
        match &self.credential {
            Credential::Password { password, .. } => password,
            Credential::Token(token) => token,
        }
    }
}

/// Appends a secret to the text as a JSON string, in quotes, without making another copy of it.
pub(crate) fn push_quoted(text: &mut String, secret: &str) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.push('"');
    for c in secret.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            c if (c as u32) < 0x20 => {
                text.push_str("\\u00");
                text.push(DIGITS[(c as usize) >> 4]);
                text.push(DIGITS[(c as usize) & 15]);
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::{
        create::{Draft, RightsChoice, Surroundings},
        version::Edition,
    };

    fn key() -> CreateKey {
        let draft =
            Draft { name: "n".into(), rights: RightsChoice::AllMine, expiration: "1d".into(), ..Draft::default() };
        let draft = Draft { reason: "test".into(), metadata: r#"{"deep":{"x":{}}}"#.into(), ..draft };
        let zone = jiff::tz::TimeZone::UTC;
        let around = Surroundings {
            now: Timestamp::EPOCH,
            zone: &zone,
            roles: None,
            edition: Edition::Unknown,
            by_api_key: false,
        };
        draft.check(around, "r").unwrap()
    }

    #[test]
    fn a_secret_is_in_the_body_and_nowhere_else() {
        let odd = "a\"b\\c\nd}é🔑";
        let credential = Credential::Password { username: "ana".into(), password: Secret::new(odd) };
        let grant = Grant { credential, run_as: Some("boris".into()), key: key() };
        let body: Value = serde_json::from_str(&grant.body(Timestamp::EPOCH)).unwrap();
        assert_eq!((body["password"].as_str(), body["username"].as_str()), (Some(odd), Some("ana")));
        let mut open: Value = serde_json::from_str(&grant.request(Timestamp::EPOCH)).unwrap();
        assert_eq!(open.get("password"), None);
        open["password"] = odd.into();
        assert_eq!(open, body);
        assert_eq!(grant.owner(), Some("boris"));
        assert!(!format!("{grant:?}").contains("a\\\"b"));
        let token = Grant { credential: Credential::Token(Secret::new("t0ken")), run_as: None, key: key() };
        let body: Value = serde_json::from_str(&token.body(Timestamp::EPOCH)).unwrap();
        assert_eq!((body["grant_type"].as_str(), body["access_token"].as_str()), (Some("access_token"), Some("t0ken")));
        assert!(!token.request(Timestamp::EPOCH).contains("t0ken") && token.owner().is_none());
    }
}
