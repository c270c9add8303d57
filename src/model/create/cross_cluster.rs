//! Keys with which other clusters search and replicate indices of this one: the access that they give, and the requests
//! that create and update them.

use serde_json::{Value, value::RawValue};

use super::CreateKey;
use crate::model::{
    Timestamp,
    api_key::ApiKey,
    privileges::descriptor::{self, Piece},
    text::json,
    time::expiry::Span,
    update::{self, Changes, KeyUpdate},
};

/// Access that a cross-cluster key gives: an object with lists under `search`, `replication` or both. It is kept as it
/// was typed, so that members that only later versions know are not lost.
#[derive(Clone, Debug)]
pub struct Access(Box<RawValue>);

impl Access {
    /// Builds the access from index names, wildcards allowed.
    ///
    /// # Errors
    /// Returns one sentence if no index is named or a name is blank.
    pub fn of_names(search: &[String], replication: &[String]) -> Result<Self, String> {
        let list = |names: &[String]| Value::from(names.to_vec()).to_string();
        let part = |names: &[String]| format!("[{{\"names\":{}}}]", list(names));
        let parts = [("search", search), ("replication", replication)];
        let parts: Vec<(&str, String)> =
            parts.into_iter().filter(|(_, names)| !names.is_empty()).map(|(name, names)| (name, part(names))).collect();
        Self::parse(&json::write_object(parts.iter().map(|(name, part)| (*name, part.as_str()))))
    }

    /// Reads the access from JSON as Elasticsearch accepts it. What only the server can check is left to the server.
    ///
    /// # Errors
    /// Returns one sentence that says what to change.
    pub fn parse(text: &str) -> Result<Self, String> {
        let object = json::object(text).map_err(|error| error.to_string())?;
        let entries = |name: &str| object.get(name).map(entries).unwrap_or_default();
        let (search, replication) = (entries("search"), entries("replication"));
        if search.is_empty() && replication.is_empty() {
            return Err("Specify the indices to search or replicate: search or replication is required".into());
        }
        for (part, entry) in
            search.iter().map(|entry| ("search", entry)).chain(replication.iter().map(|entry| ("replication", entry)))
        {
            let names = names(entry);
            if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
                return Err(format!("Each entry of {part} requires index names, such as {{\"names\":[\"logs-*\"]}}"));
            }
        }
        if replication.iter().any(|entry| limits_documents(entry)) {
            return Err(
                "Elasticsearch replicates whole indices: remove query and field_security from replication".into()
            );
        }
        let raw = RawValue::from_string(text.trim().to_owned());
        raw.map(Self).map_err(|error| error.to_string())
    }

    /// Returns the JSON as it is sent.
    pub fn raw(&self) -> &RawValue {
        &self.0
    }

    /// Returns what the access allows, as the rest of a sentence: "lets another cluster search logs-*".
    pub fn words(&self) -> String {
        words(&self.0)
    }
}

/// Returns what the access of a key allows, as the rest of a sentence: "lets another cluster search logs-*".
pub fn words(access: &RawValue) -> String {
    descriptor::plain(&pieces(access))
}

/// Returns the text of [`words`] in pieces, each with its style.
pub fn pieces(access: &RawValue) -> Vec<Piece> {
    let value: Value = serde_json::from_str(access.get()).unwrap_or_default();
    let mut pieces = Vec::new();
    for (name, verb) in [("search", "search"), ("replication", "replicate")] {
        let entries = value.get(name).map(entries).unwrap_or_default();
        let names: Vec<&str> = entries.iter().flat_map(|entry| names(entry)).collect();
        if names.is_empty() {
            continue;
        }
        let before = if pieces.is_empty() { "lets another cluster " } else { " and " };
        pieces.extend([Piece::Text(before.into()), Piece::Strong(verb.into()), Piece::Text(" ".into())]);
        for (place, name) in names.iter().enumerate() {
            pieces.extend((place > 0).then(|| Piece::Text(", ".into())));
            pieces.push(Piece::Mono((*name).to_owned()));
        }
        let is_limited = entries.iter().any(|entry| limits_documents(entry));
        pieces.extend(is_limited.then(|| Piece::Text(" (some documents or fields only)".into())));
    }
    if pieces.is_empty() {
        pieces.push(Piece::Strong("lets other clusters do something unknown to Keybearer".into()));
    }
    pieces
}

/// Returns the entries of a list; a single entry counts as a list of one, as it does for Elasticsearch, and `null` as
/// none.
fn entries(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn names(entry: &Value) -> Vec<&str> {
    match &entry["names"] {
        Value::String(name) => vec![name],
        Value::Array(list) => list.iter().map(|name| name.as_str().unwrap_or_default()).collect(),
        _ => Vec::new(),
    }
}

fn limits_documents(entry: &Value) -> bool {
    !entry["query"].is_null() || !entry["field_security"].is_null()
}

/// Request for a cross-cluster key.
#[derive(Clone, Debug)]
pub struct CreateCrossCluster {
    /// Name, expiration and metadata; its role descriptors are not sent.
    pub key: CreateKey,
    /// Access that the key gives to other clusters.
    pub access: Access,
    /// Pattern for the subjects of the certificates that the key is bound to; `None` for any.
    pub certificate_identity: Option<String>,
}

impl CreateCrossCluster {
    /// Returns the exact body of `POST /_security/cross_cluster/api_key`.
    pub fn body(&self, now: Timestamp) -> String {
        let name = json::quote(self.key.name());
        let expiration = self.key.expiry().to_request(now).map(|text| json::quote(&text));
        let identity = self.certificate_identity.as_deref().map(json::quote);
        let members = [
            ("name", Some(name.as_str())),
            ("expiration", expiration.as_deref()),
            ("access", Some(self.access.raw().get())),
            ("metadata", self.key.metadata()),
            ("certificate_identity", identity.as_deref()),
        ];
        json::write_object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

/// Update of a cross-cluster key. A part that is `None` stays as it is; a part that is given replaces the whole part.
#[derive(Clone, Debug, Default)]
pub struct CrossClusterUpdate {
    /// New access that the key gives to other clusters.
    pub access: Option<Access>,
    /// New pattern for the subjects of the certificates that the key is bound to; `Some(None)` removes it.
    pub certificate_identity: Option<Option<String>>,
    /// New metadata as a whole, an object as raw JSON.
    pub metadata: Option<Box<RawValue>>,
    /// New expiration, counted from the time at which the cluster carries out the update.
    pub expiration: Option<Span>,
}

impl CrossClusterUpdate {
    /// Returns `true` if Elasticsearch accepts the update: an expiration alone is refused (as seen on 8.19.21 and
    /// 9.5.3).
    pub fn is_enough(&self) -> bool {
        self.access.is_some() || self.metadata.is_some() || self.certificate_identity.is_some()
    }

    /// Returns the body of `PUT /_security/cross_cluster/api_key/ID`.
    pub fn body(&self) -> String {
        let expiration = self.expiration.map(|span| json::quote(&span.to_string()));
        let identity = self
            .certificate_identity
            .as_ref()
            .map(|identity| identity.as_deref().map_or_else(|| "null".to_owned(), json::quote));
        let members = [
            ("access", self.access.as_ref().map(|access| access.raw().get())),
            ("metadata", self.metadata.as_deref().map(RawValue::get)),
            ("expiration", expiration.as_deref()),
            ("certificate_identity", identity.as_deref()),
        ];
        json::write_object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    /// Returns the changes that the update would make to a key, with the access where other keys have their role
    /// descriptors. `now` is the cluster's clock.
    pub fn diff(&self, before: &ApiKey, now: Timestamp) -> Changes {
        let asked = self.certificate_identity.as_ref().filter(|asked| **asked != before.certificate_identity);
        Changes {
            certificate_identity: asked.map(|asked| (before.certificate_identity.clone(), asked.clone())),
            ..update::diff(&with_access_as_descriptors(before), &self.as_plain(), None, now)
        }
    }

    /// Returns whether a key that was read after an update with a lost response shows that the update was carried out;
    /// `None` if the key does not show it. `sent` and `now` are the cluster's clock before sending and after reading.
    pub fn is_carried_out(&self, after: &ApiKey, sent: Timestamp, now: Timestamp) -> Option<bool> {
        if self.certificate_identity.as_ref().is_some_and(|asked| *asked != after.certificate_identity) {
            return Some(false);
        }
        let plain = self.as_plain();
        if plain.is_empty() {
            return self.certificate_identity.is_some().then_some(true);
        }
        plain.is_carried_out(&with_access_as_descriptors(after), sent, now)
    }

    fn as_plain(&self) -> KeyUpdate {
        KeyUpdate {
            role_descriptors: self.access.as_ref().map(|access| access.raw().to_owned()),
            metadata: self.metadata.clone(),
            expiration: self.expiration,
        }
    }
}

fn with_access_as_descriptors(key: &ApiKey) -> ApiKey {
    ApiKey { role_descriptors: key.access.clone(), ..key.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeDelta;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_become_access_and_access_becomes_words() {
        let access = Access::of_names(&names(&["logs-*", "a\"b"]), &names(&["idx"])).unwrap();
        let expected = r#"{"search":[{"names":["logs-*","a\"b"]}],"replication":[{"names":["idx"]}]}"#;
        assert_eq!(access.raw().get(), expected);
        assert_eq!(access.words(), "lets another cluster search logs-*, a\"b and replicate idx");
        let typed = r#"{ "search": {"names": "x", "query": {"match_all": {}}}, "later": 1.0e+2 }"#;
        let access = Access::parse(typed).unwrap();
        assert_eq!(access.raw().get(), typed, "carried as it was typed");
        assert_eq!(access.words(), "lets another cluster search x (some documents or fields only)");
    }

    #[test]
    fn an_expiration_alone_is_no_update() {
        let update = CrossClusterUpdate { expiration: Some(Span::days(1)), ..CrossClusterUpdate::default() };
        assert!(!update.is_enough());
        let access = Some(Access::of_names(&names(&["a"]), &[]).unwrap());
        let metadata = RawValue::from_string("{}".into()).ok();
        assert!(CrossClusterUpdate { access, ..CrossClusterUpdate::default() }.is_enough());
        assert!(CrossClusterUpdate { metadata, ..CrossClusterUpdate::default() }.is_enough());
        assert!(CrossClusterUpdate { certificate_identity: Some(None), ..update }.is_enough());
    }

    #[test]
    fn what_can_t_be_meant_is_told_before_it_is_sent() {
        for (text, words) in [
            ("{}", "search or replication"),
            ("[]", "a list"),
            (r#"{"search":[]}"#, "search or replication"),
            (r#"{"search":[{}]}"#, "Each entry of search"),
            (r#"{"replication":[{"names":[" "]}]}"#, "Each entry of replication"),
            (r#"{"replication":[{"names":["a"],"query":"{}"}]}"#, "whole indices"),
        ] {
            let error = Access::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Access::of_names(&[], &[]).is_err());
    }

    #[test]
    fn an_update_is_compared_with_what_the_cluster_makes_of_it() {
        let update = CrossClusterUpdate {
            access: Access::of_names(&names(&["a"]), &[]).ok(),
            certificate_identity: Some(None),
            ..CrossClusterUpdate::default()
        };
        assert_eq!(update.body(), r#"{"access":{"search":[{"names":["a"]}]},"certificate_identity":null}"#);
        let told = r#"{"search":[{"names":["a"],"allow_restricted_indices":false}]}"#;
        let mut key = ApiKey { access: RawValue::from_string(told.into()).ok(), ..ApiKey::default() };
        assert!(update.diff(&key, Timestamp::EPOCH).role_descriptors.is_empty());
        assert_eq!(
            update.is_carried_out(&key, Timestamp::EPOCH, Timestamp::EPOCH + TimeDelta::MILLISECOND),
            Some(true)
        );
        key.certificate_identity = Some("CN=x".into());
        assert_eq!(
            update.is_carried_out(&key, Timestamp::EPOCH, Timestamp::EPOCH + TimeDelta::MILLISECOND),
            Some(false)
        );
        let other = CrossClusterUpdate { access: Access::of_names(&names(&["b"]), &[]).ok(), ..Default::default() };
        assert_eq!(other.diff(&key, Timestamp::EPOCH).role_descriptors[0].path, "/search/0/names");
        assert_eq!(
            other.is_carried_out(&key, Timestamp::EPOCH, Timestamp::EPOCH + TimeDelta::MILLISECOND),
            Some(false)
        );
    }
}
