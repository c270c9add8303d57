//! An API key as a cluster tells it, without its secret, which no cluster can tell.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{Millis, text::json, time::expiry::Status};

/// The id that Elasticsearch made for a key; the only thing a key is ever invalidated by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Takes an id as a cluster told it or a person typed it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key is for: requests of clients, or searches and replication between clusters.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// Signs in to the REST interface; clusters before 8.10 have no other and don't name it.
    #[default]
    Rest,
    /// Signs a remote cluster in; can't be used for REST.
    CrossCluster,
    /// A kind that a later version has introduced.
    Other(String),
}

impl KeyKind {
    /// Reads the field `type`.
    pub fn from_wire(text: &str) -> Self {
        match text {
            "rest" => Self::Rest,
            "cross_cluster" => Self::CrossCluster,
            other => Self::Other(other.into()),
        }
    }

    /// The field `type`.
    pub fn wire(&self) -> &str {
        match self {
            Self::Rest => "rest",
            Self::CrossCluster => "cross_cluster",
            Self::Other(name) => name,
        }
    }

    /// The word shown.
    pub fn word(&self) -> &str {
        match self {
            Self::Rest => "REST",
            Self::CrossCluster => "cross-cluster",
            Self::Other(name) => name,
        }
    }
}

/// The user a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Owner {
    /// Name within the realm.
    pub username: String,
    /// Realm that knows the user.
    pub realm: String,
}

/// Everything known about a key.
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    /// Made by the cluster.
    pub id: KeyId,
    /// Free text; two keys may have the same.
    pub name: String,
    /// REST or cross-cluster.
    pub kind: KeyKind,
    /// Who created it, or for whom it was granted.
    pub owner: Owner,
    /// When it was created.
    pub created: Millis,
    /// When it ends; `None` is never.
    pub expires: Option<Millis>,
    /// Whether it was taken away.
    pub invalidated: bool,
    /// When it was taken away (told since 8.12).
    pub invalidated_at: Option<Millis>,
    /// Metadata as the cluster sent it; `None` before 7.13.
    pub metadata: Option<Box<RawValue>>,
    /// Assigned role descriptors, unchanged; `None` where the cluster doesn't tell them.
    /// `{}` means all the rights that the owner had.
    pub role_descriptors: Option<Box<RawValue>>,
    /// The snapshot of the owner's rights, unchanged, where it was asked for.
    pub limited_by: Option<Box<RawValue>>,
    /// What a cross-cluster key gives access to, unchanged.
    pub access: Option<Box<RawValue>>,
    /// Which certificates a cross-cluster key is bound to: a pattern over their subjects (since 9.3). Told only
    /// where a key is asked for by itself.
    pub certificate_identity: Option<String>,
    /// The kind of the owner's realm, such as `native` (told since 8.14; lists leave it out).
    pub realm_type: Option<String>,
    /// What of it could not be read, by the names of the fields; nothing for nearly every key.
    pub flaw: Option<String>,
    pub(crate) facts: Facts,
}

impl Default for KeyId {
    fn default() -> Self {
        Self::new("")
    }
}

/// What is read out of the raw parts once, because lists show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    application_id: Option<String>,
    roles: Vec<String>,
    managed_by: Option<String>,
}

/// What metadata says about its key, as far as lists show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) application_id: Option<String>,
    pub(crate) managed_by: Option<String>,
    /// `None` where the metadata names no roles.
    pub(crate) roles: Option<Vec<String>>,
}

impl Said {
    /// Reads raw metadata, and of odd metadata whatever can be read: an odd character in one member must not hide what
    /// another one says.
    pub(crate) fn of(json: &str) -> Self {
        let metadata = json::readable(json);
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        // A number is an id as well; its text is what is searched, shown and named.
        let application_id = match metadata.get("application_id") {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => text("application_id"),
        };
        let managed = metadata.get("managed") == Some(&Value::Bool(true));
        Self {
            application_id,
            managed_by: text("managed_by").or_else(|| managed.then(|| "another application".to_owned())),
            roles: match metadata.get("roles") {
                Some(Value::Array(roles)) => Some(roles.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
                _ => None,
            },
        }
    }
}

impl ApiKey {
    /// The same key with what its metadata and descriptors say read out of them.
    /// To be called once after the raw parts are set.
    pub fn with_facts(mut self) -> Self {
        let said = Said::of(self.metadata.as_deref().map(RawValue::get).unwrap_or_default());
        let roles = said.roles.unwrap_or_else(|| self.descriptor_names());
        self.facts = Facts { application_id: said.application_id, roles, managed_by: said.managed_by };
        self
    }

    /// The same where it was read out before.
    pub(crate) fn with_known_facts(
        mut self,
        application_id: Option<String>,
        roles: Vec<String>,
        managed_by: Option<String>,
    ) -> Self {
        self.facts = Facts { application_id, roles, managed_by };
        self
    }

    fn descriptor_names(&self) -> Vec<String> {
        let members = self.role_descriptors.as_deref().and_then(|raw| json::members(raw.get()));
        members.unwrap_or_default().into_iter().map(|(name, _)| name).collect()
    }

    /// The metadata as an object, as far as it can be read; empty where there is none or it is no object.
    pub fn metadata_map(&self) -> Map<String, Value> {
        self.metadata.as_deref().map(|raw| json::readable(raw.get())).unwrap_or_default()
    }

    /// The id that its creator chose, kept in `metadata.application_id`.
    pub fn application_id(&self) -> Option<&str> {
        self.facts.application_id.as_deref()
    }

    /// The roles it was made from (`metadata.roles`), otherwise the names of its descriptors.
    pub fn roles(&self) -> &[String] {
        &self.facts.roles
    }

    /// The product that made the key for itself and would miss it (`metadata.managed_by`).
    pub fn managed_by(&self) -> Option<&str> {
        self.facts.managed_by.as_deref()
    }

    /// Whether it was created without descriptors, so that it may do all that its owner might.
    pub fn is_unrestricted(&self) -> bool {
        let empty = |raw: &RawValue| serde_json::from_str::<Map<String, Value>>(raw.get()).is_ok_and(|m| m.is_empty());
        self.kind == KeyKind::Rest && self.role_descriptors.as_deref().is_some_and(empty)
    }

    /// Whether this field could not be read, so that the value here says nothing.
    pub fn is_unread(&self, field: &str) -> bool {
        self.flaw.as_deref().is_some_and(|flaw| names_field(flaw, field))
    }

    /// Its status at a moment of the cluster's clock.
    pub fn status(&self, now: Millis) -> Status {
        Status::of(self.expires, self.invalidated, now)
    }

    /// Its status at a moment of the cluster's clock; `None` where the fields that tell it could not be read.
    pub fn known_status(&self, now: Millis) -> Option<Status> {
        let is_known = !self.is_unread("invalidated") && (self.invalidated || !self.is_unread("expiration"));
        is_known.then(|| self.status(now))
    }

    /// The moment of its creation; `None` where it could not be read.
    pub fn known_created(&self) -> Option<Millis> {
        (!self.is_unread("creation")).then_some(self.created)
    }

    /// `true` if it was invalidated; `None` where that could not be read.
    pub fn known_invalidated(&self) -> Option<bool> {
        (!self.is_unread("invalidated")).then_some(self.invalidated)
    }

    /// The share of its life that is left, 0 to 1; `None` if it never ends.
    pub fn share_left(&self, now: Millis) -> Option<f32> {
        let expires = self.expires?;
        let whole = expires.saturating_sub(self.created).max(1) as f64;
        let left = expires.saturating_sub(now).max(0) as f64;
        Some((left / whole).clamp(0.0, 1.0) as f32)
    }
}

/// `true` if this field is among those that a text about unreadable fields names.
pub(super) fn names_field(flaw: &str, field: &str) -> bool {
    flaw.split("; ").any(|one| one.split(':').next() == Some(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Option<Box<RawValue>> {
        Some(RawValue::from_string(text.into()).unwrap())
    }

    #[test]
    fn an_odd_member_of_the_metadata_hides_no_other() {
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        for odd in [r#""a":"\ud83d""#, r#""\ud83d":1"#, &format!("\"a\":{deep}"), r#""managed_by":"x\ud83d""#] {
            let json = format!("{{{odd},\"managed\":true,\"application_id\":\"pay\",\"rotated_from\":\"old\"}}");
            let metadata = RawValue::from_string(json).ok();
            let key = ApiKey { metadata, ..ApiKey::default() }.with_facts();
            assert!(key.managed_by().is_some(), "{odd}");
            assert_eq!(key.application_id(), Some("pay"), "{odd}");
            assert_eq!(key.metadata_map()["rotated_from"], "old", "{odd}");
        }
    }

    #[test]
    fn metadata_tells_the_application_id_and_the_roles() {
        let key = ApiKey {
            metadata: raw(r#"{"application_id":"my_app","roles":["reader","writer"],"team":{"name":"Pay"}}"#),
            ..Default::default()
        }
        .with_facts();
        assert_eq!(key.application_id(), Some("my_app"));
        assert_eq!(key.roles(), ["reader", "writer"]);
    }

    #[test]
    fn without_metadata_the_descriptors_name_the_roles() {
        let key = ApiKey { role_descriptors: raw(r#"{"a":{},"b":{}}"#), ..Default::default() }.with_facts();
        assert_eq!(key.roles(), ["a", "b"]);
        assert!(!key.is_unrestricted());
    }

    #[test]
    fn a_key_without_descriptors_is_unrestricted_but_an_unknown_one_is_not_called_so() {
        assert!(ApiKey { role_descriptors: raw("{}"), ..Default::default() }.is_unrestricted());
        assert!(!ApiKey::default().is_unrestricted());
        assert!(
            !ApiKey { role_descriptors: raw("{}"), kind: KeyKind::CrossCluster, ..Default::default() }
                .is_unrestricted()
        );
    }

    #[test]
    fn odd_metadata_is_carried_and_not_believed() {
        for odd in ["[]", "7", r#"{"application_id":[7],"roles":"x"}"#, r#"{"application_id":null}"#, "null"] {
            let key = ApiKey { metadata: raw(odd), ..Default::default() }.with_facts();
            assert_eq!(key.application_id(), None);
        }
    }

    #[test]
    fn a_number_is_an_application_id_by_its_text() {
        let key = ApiKey { metadata: raw(r#"{"application_id":42}"#), ..Default::default() }.with_facts();
        assert_eq!(key.application_id(), Some("42"));
    }

    #[test]
    fn the_share_left_never_leaves_its_range() {
        for (created, expires, now) in [(0, 100, 25), (0, i64::MAX, 0), (i64::MIN, i64::MAX, 0), (100, 0, 50)] {
            let key = ApiKey { created, expires: Some(expires), ..Default::default() };
            assert!((0.0..=1.0).contains(&key.share_left(now).unwrap()));
        }
        assert_eq!(ApiKey::default().share_left(0), None);
    }
}
