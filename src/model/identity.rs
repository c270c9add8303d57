//! Who one is signed in as, and what that allows.

use std::collections::BTreeMap;

use super::api_key::KeyId;

/// The answer to "who am I".
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// The user, also when signed in by a key of theirs.
    pub username: String,
    /// The realm that signed the user in.
    pub realm: String,
    /// `realm`, `api_key`, `token` …, as Elasticsearch words it.
    pub authentication_type: String,
    /// Names of the user's roles; empty when signed in by a key.
    pub roles: Vec<String>,
    /// The key one is signed in by: its id and name.
    pub api_key: Option<(KeyId, String)>,
}

impl Identity {
    /// How one is signed in, in words.
    pub fn way(&self) -> &str {
        match self.authentication_type.as_str() {
            "api_key" => "API key",
            "token" => "token",
            "realm" => "password",
            other => other,
        }
    }
}

/// Cluster privileges asked for after connecting and whether one has them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Privileges(BTreeMap<String, bool>);

impl Privileges {
    /// From the answer of `_has_privileges`.
    pub fn new(answer: BTreeMap<String, bool>) -> Self {
        Self(answer)
    }

    /// Whether one has it; `None` where it was not asked (this version doesn't know it).
    pub fn has(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }

    /// Whether one has any of them.
    pub fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name) == Some(true))
    }

    /// May see the keys of other people.
    pub fn sees_all_keys(&self) -> bool {
        self.any(&["manage_api_key", "read_security", "manage_security"])
    }

    /// May see keys at all.
    pub fn sees_own_keys(&self) -> bool {
        self.sees_all_keys() || self.any(&["manage_own_api_key"])
    }

    /// May create keys.
    pub fn creates_keys(&self) -> bool {
        self.any(&["manage_own_api_key", "manage_api_key", "manage_security"])
    }

    /// May invalidate the keys of other people.
    pub fn invalidates_all_keys(&self) -> bool {
        self.any(&["manage_api_key", "manage_security"])
    }

    /// The strongest privilege over keys, which the top bar shows.
    pub fn strongest(&self) -> Option<&'static str> {
        ["manage_security", "manage_api_key", "read_security", "manage_own_api_key"]
            .into_iter()
            .find(|name| self.has(name) == Some(true))
    }

    /// Every privilege asked for, with the answer.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, granted)| (name.as_str(), *granted))
    }
}
