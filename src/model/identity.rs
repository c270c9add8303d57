//! User who is signed in, and the privileges of that user over keys.

use std::collections::BTreeMap;

use super::api_key::KeyId;

/// Answer of Elasticsearch to "who am I".
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// Name of the user, also when signed in by a key of theirs.
    pub username: String,
    /// Realm that signed the user in.
    pub realm: String,
    /// Type of authentication as Elasticsearch names it: `realm`, `api_key`, `token` …
    pub authentication_type: String,
    /// Names of the user's roles; empty when signed in by a key.
    pub roles: Vec<String>,
    /// Id and name of the key the user is signed in by; `None` if signed in otherwise.
    pub api_key: Option<(KeyId, String)>,
}

impl Identity {
    /// Returns the label of the way of signing in, such as "API key" or "password"; unknown types are returned
    /// unchanged.
    pub fn way(&self) -> &str {
        match self.authentication_type.as_str() {
            "api_key" => "API key",
            "token" => "token",
            "realm" => "password",
            other => other,
        }
    }
}

/// Cluster privileges requested after connecting, each with whether the user has it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Privileges(BTreeMap<String, bool>);

impl Privileges {
    /// Takes the answer of `_has_privileges`.
    pub fn new(answer: BTreeMap<String, bool>) -> Self {
        Self(answer)
    }

    /// Returns `true` if the user has a privilege; `None` if it was not requested (this version doesn't know it).
    pub fn has(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }

    /// `true` if the user surely has any of these privileges.
    pub fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name) == Some(true))
    }

    /// `true` if the user may see the keys of other people.
    pub fn sees_all_keys(&self) -> bool {
        self.any(&["manage_api_key", "read_security", "manage_security"])
    }

    /// `true` if the user may see keys at all.
    pub fn sees_own_keys(&self) -> bool {
        self.sees_all_keys() || self.any(&["manage_own_api_key"])
    }

    /// `true` if the user may create keys.
    pub fn creates_keys(&self) -> bool {
        self.any(&["manage_own_api_key", "manage_api_key", "manage_security"])
    }

    /// `true` if the user may invalidate the keys of other people.
    pub fn invalidates_all_keys(&self) -> bool {
        self.any(&["manage_api_key", "manage_security"])
    }

    /// Returns the strongest privilege over keys that the user has, shown in the top bar; `None` without any.
    pub fn strongest(&self) -> Option<&'static str> {
        ["manage_security", "manage_api_key", "read_security", "manage_own_api_key"]
            .into_iter()
            .find(|name| self.has(name) == Some(true))
    }

    /// Returns every requested privilege with its answer, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, granted)| (name.as_str(), *granted))
    }
}
