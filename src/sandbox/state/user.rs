//! Users and the realms that they belong to.

use super::secret::Hash;
use serde_json::{Map, Value};

/// Realm of a user: the source of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Realm name, such as `default_native`.
    pub name: String,
    /// Realm type, such as `native`.
    pub kind: String,
}

impl Realm {
    /// Returns a realm with this name and type.
    pub fn new(name: &str, kind: &str) -> Self {
        Realm { name: name.to_owned(), kind: kind.to_owned() }
    }
}

/// User account; its name is the key in `Cluster::users`.
#[derive(Debug, Clone)]
pub struct User {
    /// Role names; roles with these names need not exist.
    pub roles: Vec<String>,
    /// Full name, for display; `None` if not set.
    pub full_name: Option<String>,
    /// Email address, for display; `None` if not set.
    pub email: Option<String>,
    /// Free-form metadata.
    pub metadata: Map<String, Value>,
    /// `true` if the user may sign in.
    pub enabled: bool,
    /// Realm: `native`, or `reserved` for the built-in users.
    pub realm: Realm,
    /// Salted hash of the password.
    pub password: Hash,
}
