//! A key made for another user, who proves by a password or a token to agree.

use zeroize::Zeroizing;

use super::CreateKey;
use crate::model::{Millis, secret::Secret, text::json};

/// How the other user signs in for the grant.
#[derive(Clone, Debug)]
pub enum Credential {
    /// By name and password.
    Password {
        /// Not secret.
        username: String,
        /// Secret.
        password: Secret,
    },
    /// By a token of the token service, or a JWT; whose it is, only the cluster knows.
    Token(Secret),
}

/// A request for a key that shall belong to another user.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who the key is for.
    pub credential: Credential,
    /// Whom that user acts as, with the privilege run_as: then the key is that one's.
    pub run_as: Option<String>,
    /// The key.
    pub key: CreateKey,
}

impl Grant {
    /// Whose key it will be, as far as that is known here.
    pub fn owner(&self) -> Option<&str> {
        match (&self.run_as, &self.credential) {
            (Some(user), _) => Some(user),
            (None, Credential::Password { username, .. }) => Some(username),
            (None, Credential::Token(_)) => None,
        }
    }

    /// The body of `POST /_security/api_key/grant`, to the byte; wiped when dropped.
    pub fn body(&self, now: Millis) -> Zeroizing<String> {
        let secret = self.secret();
        let open = self.request(now);
        // In one piece: a text that grows by itself leaves its old memory behind.
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

    /// The same without the secret: what may be shown and written down.
    pub fn request(&self, now: Millis) -> String {
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

    /// What must not be seen of it.
    pub fn secret(&self) -> &Secret {
        match &self.credential {
            Credential::Password { password, .. } => password,
            Credential::Token(token) => token,
        }
    }
}

/// A secret text as JSON, in quotes, without a copy on the way.
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
        let around = Surroundings { now: 0, zone: &zone, roles: None, edition: Edition::Unknown, by_api_key: false };
        draft.check(around, "r").unwrap()
    }

    #[test]
    fn a_secret_is_in_the_body_and_nowhere_else() {
        let odd = "a\"b\\c\nd}é🔑";
        let credential = Credential::Password { username: "ana".into(), password: Secret::new(odd) };
        let grant = Grant { credential, run_as: Some("boris".into()), key: key() };
        let body: Value = serde_json::from_str(&grant.body(0)).unwrap();
        assert_eq!((body["password"].as_str(), body["username"].as_str()), (Some(odd), Some("ana")));
        let mut open: Value = serde_json::from_str(&grant.request(0)).unwrap();
        assert_eq!(open.get("password"), None);
        open["password"] = odd.into();
        assert_eq!(open, body);
        assert_eq!(grant.owner(), Some("boris"));
        assert!(!format!("{grant:?}").contains("a\\\"b"));
        let token = Grant { credential: Credential::Token(Secret::new("t0ken")), run_as: None, key: key() };
        let body: Value = serde_json::from_str(&token.body(0)).unwrap();
        assert_eq!((body["grant_type"].as_str(), body["access_token"].as_str()), (Some("access_token"), Some("t0ken")));
        assert!(!token.request(0).contains("t0ken") && token.owner().is_none());
    }
}
