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
    /// Type of the realm that checked the sign-in, such as `native` or `pki`; empty where it is not told.
    pub realm_type: String,
    /// Names of the user's roles; empty when signed in by a key.
    pub roles: Vec<String>,
    /// Id and name of the key the user is signed in by; `None` if signed in otherwise.
    pub api_key: Option<(KeyId, String)>,
    /// `true` if that key is one of Elastic Cloud, which the cluster doesn’t keep.
    pub is_cloud_key: bool,
}

impl Identity {
    /// Returns the label of the way of signing in, such as "API key" or "password"; unknown types are returned
    /// unchanged.
    pub fn way(&self) -> &str {
        match self.authentication_type.as_str() {
            _ if self.is_cloud_key => "cloud API key",
            "api_key" => "API key",
            "token" => "token",
            "realm" => match self.realm_type.as_str() {
                "pki" => "certificate",
                "jwt" => "token",
                "kerberos" => "Kerberos ticket",
                // native, file, ldap, active_directory, and what is not told.
                _ => "password",
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_signing_in_follows_the_type_of_the_realm() {
        for (authentication, realm, expected) in [
            ("realm", "native", "password"),
            ("realm", "", "password"),
            ("realm", "pki", "certificate"),
            ("realm", "jwt", "token"),
            ("api_key", "_es_api_key", "API key"),
            ("token", "native", "token"),
            ("anonymous", "", "anonymous"),
        ] {
            let (authentication_type, realm_type) = (authentication.to_owned(), realm.to_owned());
            let identity = Identity { authentication_type, realm_type, ..Identity::default() };
            assert_eq!(identity.way(), expected, "{authentication} {realm}");
        }
    }

    fn with(name: &str) -> Privileges {
        let asked = ["manage_api_key", "manage_own_api_key", "manage_security", "monitor", "read_security"];
        Privileges::new(asked.iter().map(|asked| ((*asked).to_owned(), *asked == name)).collect())
    }

    #[test]
    fn each_privilege_over_keys_allows_what_it_does_in_the_cluster() {
        for (name, [sees_all, sees_own, creates, invalidates_all]) in [
            ("manage_security", [true, true, true, true]),
            ("manage_api_key", [true, true, true, true]),
            ("read_security", [true, true, false, false]),
            ("manage_own_api_key", [false, true, true, false]),
            ("monitor", [false; 4]),
        ] {
            let user = with(name);
            assert_eq!((user.sees_all_keys(), user.sees_own_keys()), (sees_all, sees_own), "{name}");
            assert_eq!((user.creates_keys(), user.invalidates_all_keys()), (creates, invalidates_all), "{name}");
            assert_eq!(user.strongest(), Some(name).filter(|name| *name != "monitor"));
        }
        assert_eq!(Privileges::default().has("monitor"), None);
    }

    #[test]
    fn each_privilege_is_listed_with_its_answer() {
        let listed: Vec<_> = with("monitor").iter().map(|(name, granted)| format!("{name}: {granted}")).collect();
        let expected =
            ["manage_api_key: false", "manage_own_api_key: false", "manage_security: false", "monitor: true"];
        assert_eq!((listed.len(), &listed[..4]), (5, expected.map(str::to_owned).as_slice()));
    }
}
