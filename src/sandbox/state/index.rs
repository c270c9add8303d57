//! Indices and their documents.

use super::secret::fresh_secret;
use crate::sandbox::{
    http::error::{EsError, Outcome},
    indices::mapping::Mapping,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Index with its settings, mapping and documents.
#[derive(Debug, Default)]
pub struct Index {
    /// UUID, 22 characters.
    pub uuid: String,
    /// Creation time, in epoch milliseconds.
    pub creation: i64,
    /// Number of replicas in the settings; with one node, they stay unassigned.
    pub replicas: u32,
    /// Other settings, as text.
    pub settings: Map<String, Value>,
    /// Mapping of the fields.
    pub mapping: Mapping,
    /// Documents by id.
    pub documents: HashMap<String, Document>,
    /// Versions of deleted documents, which a new one continues.
    pub deleted: HashMap<String, i64>,
    /// Sequence number of the next write.
    pub next_seq_no: i64,
}

/// Document in an index.
#[derive(Debug, Clone)]
pub struct Document {
    /// Source of the document, as indexed.
    pub source: Value,
    /// Version, from 1.
    pub version: i64,
    /// Sequence number of the write that created this version.
    pub seq_no: i64,
}

impl Index {
    /// Creates an empty index with one replica; `now` is in epoch milliseconds.
    ///
    /// # Errors
    /// If the operating system provides no random bytes.
    pub fn new(now: i64) -> Outcome<Index> {
        Ok(Index { uuid: fresh_secret()?, creation: now, replicas: 1, ..Index::default() })
    }

    /// Returns the number of requested copies and the one that exists, as answers to writes show them.
    pub fn shards(&self) -> Value {
        json!({ "total": 1 + self.replicas, "successful": 1, "failed": 0 })
    }

    /// Returns the refusal of a write or a read because the document has changed.
    pub fn conflict(&self, name: &str, reason: String) -> Box<EsError> {
        EsError::new(409, "version_conflict_engine_exception", reason)
            .with("index_uuid", self.uuid.clone())
            .with("shard", "0")
            .with("index", name)
    }

    /// Returns `true` if expressions with wildcards match the index only on request.
    pub fn is_hidden(&self) -> bool {
        self.settings.get("hidden").is_some_and(|hidden| hidden == "true")
    }

    /// Returns the settings as answers show them; `name` is the name of the index.
    pub fn settings_value(&self, name: &str) -> Value {
        let mut index = Map::new();
        index.insert("routing".into(), json!({ "allocation": { "include": { "_tier_preference": "data_content" } } }));
        index.extend(self.settings.clone());
        index.insert("number_of_shards".into(), json!("1"));
        index.insert("provided_name".into(), json!(name));
        index.insert("creation_date".into(), json!(self.creation.to_string()));
        index.insert("number_of_replicas".into(), json!(self.replicas.to_string()));
        index.insert("uuid".into(), json!(self.uuid));
        index.insert("version".into(), json!({ "created": "9111000" }));
        json!({ "index": index })
    }
}
