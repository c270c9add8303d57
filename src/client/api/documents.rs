//! Documents put into an index, each only if none has its id yet, and journal entries read back from it.

use std::ops::Range;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{call::Call, connection::Client, error::ClientError, http::server_text};

/// Outcome of putting one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The document was created.
    Created,
    /// A document with its id existed already: 409.
    AlreadyThere,
    /// The cluster was too busy, or a shard was not available: 429 or 503, with the reason. Retrying later may succeed.
    Later(String),
    /// The document was refused, with the reason given by Elasticsearch.
    Refused(String),
}

/// Maximum number of documents of one search: `index.max_result_window` of Elasticsearch, as long as nobody changed it.
pub const MAX_FOUND: usize = 10_000;

/// Journal entry or checkpoint as an index holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedEntry {
    /// Id of the document, which is the hash of the entry.
    pub id: String,
    /// Sequence number of the entry; for a checkpoint the number of entries.
    pub sequence: u64,
    /// Hash of the entry before it; `None` for a checkpoint.
    pub previous: Option<String>,
    /// Name of the machine.
    pub host: String,
    /// Name of the operating system's user.
    pub system_user: String,
    /// Text of a checkpoint; `None` for an entry.
    pub checkpoint: Option<String>,
    /// SSH signature of a checkpoint; `None` if it has none.
    pub signature: Option<String>,
}

#[derive(Deserialize)]
struct WireFound {
    hits: WireHits,
}

#[derive(Deserialize)]
struct WireHits {
    total: WireTotal,
    #[serde(default)]
    hits: Vec<WireHit>,
}

#[derive(Deserialize)]
struct WireTotal {
    value: u64,
}

#[derive(Deserialize)]
struct WireHit {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_source", default)]
    source: Value,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    items: Vec<WireItem>,
}

#[derive(Deserialize)]
struct WireItem {
    create: WireResult,
}

#[derive(Deserialize)]
struct WireResult {
    status: u16,
    error: Option<Value>,
}

impl Client {
    /// Puts documents, each an id and one line of JSON, into an index or a data stream by one `_bulk` of `create`, in
    /// this order. A document that exists already stays as it is, so the request is safe to repeat and is repeated. In
    /// a data stream an id is only known to the newest of its indices.
    ///
    /// # Errors
    /// [`ClientError::NotSent`] for an invalid name, and any error of a request. Documents that are refused one by one
    /// are no error.
    pub async fn create_documents(&self, index: &str, documents: &[(&str, &str)]) -> Result<Vec<Put>, ClientError> {
        check_name(index)?;
        let mut body = String::with_capacity(documents.iter().map(|(id, line)| id.len() + line.len() + 32).sum());
        for (id, line) in documents {
            body.push_str(&json!({ "create": { "_id": id } }).to_string());
            body.push('\n');
            body.push_str(line);
            body.push('\n');
        }
        let segments = [index, "_bulk"];
        let call =
            Call::new(Method::POST, &segments).query_if(true, "filter_path", "items.*.status,items.*.error").body(body);
        let wire: Wire = self.send(call).await?.success()?.parse()?;
        if wire.items.len() != documents.len() {
            let reason =
                format!("{} documents were sent, but the response covers {}", documents.len(), wire.items.len());
            return Err(ClientError::Unreadable { status: 200, reason });
        }
        Ok(wire.items.into_iter().map(|item| put(item.create)).collect())
    }
}

impl Client {
    /// Reads the journal entries and checkpoints in an index whose sequence numbers are in this range, the lowest
    /// first, and the number of all there are; at most [`MAX_FOUND`] are returned. A document is found after the next
    /// refresh of its index, which by default is a second later.
    ///
    /// # Errors
    /// [`ClientError::NotSent`] for an invalid name, and any error of a request. Documents that are no journal entries
    /// are left out.
    pub async fn shipped_entries(
        &self,
        index: &str,
        sequences: &Range<u64>,
    ) -> Result<(Vec<ShippedEntry>, u64), ClientError> {
        check_name(index)?;
        let body = json!({
            "size": MAX_FOUND,
            "track_total_hits": true,
            "query": { "range": { SEQUENCE: { "gte": sequences.start, "lt": sequences.end } } },
            "sort": [{ SEQUENCE: { "order": "asc", "unmapped_type": "long" } }],
            "_source": [SEQUENCE, "keybearer.previous", "keybearer.checkpoint", "keybearer.ssh_signature",
                "host.hostname", "process.user.name"],
        });
        let segments = [index, "_search"];
        let mut call = Call::new(Method::POST, &segments).body(body.to_string());
        // A part of the entries would look like a journal with gaps.
        call.query.push(("allow_partial_search_results", "false"));
        let found: WireFound = self.send(call).await?.success()?.parse()?;
        let total = found.hits.total.value;
        Ok((found.hits.hits.into_iter().filter_map(shipped).collect(), total))
    }
}

/// Field of the sequence number.
const SEQUENCE: &str = "event.sequence";

fn shipped(hit: WireHit) -> Option<ShippedEntry> {
    let text = |path: &str| hit.source.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let sequence = hit.source.pointer("/event/sequence").and_then(Value::as_u64)?;
    let (previous, checkpoint) = (text("/keybearer/previous"), text("/keybearer/checkpoint"));
    if previous.is_none() && checkpoint.is_none() {
        return None;
    }
    let host = text("/host/hostname").unwrap_or_default();
    let system_user = text("/process/user/name").unwrap_or_default();
    let signature = text("/keybearer/ssh_signature");
    Some(ShippedEntry { id: hit.id, sequence, previous, host, system_user, checkpoint, signature })
}

fn check_name(index: &str) -> Result<(), ClientError> {
    if index.trim().is_empty() || index.starts_with('_') || index.contains(['*', ',', '/', '\\']) {
        let reason = format!("“{index}” is not the name of a single index");
        return Err(ClientError::NotSent { reason });
    }
    Ok(())
}

fn put(result: WireResult) -> Put {
    // The outermost reason: it names the field and its value, which the innermost doesn't.
    let words = |error: Option<Value>| {
        let words = error.as_ref().and_then(|error| error["reason"].as_str()).map(str::to_owned);
        let words = words.or_else(|| error.as_ref().and_then(server_text::deepest_reason));
        server_text::shown(&words.unwrap_or_else(|| format!("status {}", result.status)))
    };
    let is_conflict = |error: &Value| error["type"] == "version_conflict_engine_exception";
    match result.status {
        200..=299 => Put::Created,
        409 if result.error.as_ref().is_some_and(is_conflict) => Put::AlreadyThere,
        429 | 503 => Put::Later(words(result.error)),
        _ => Put::Refused(words(result.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_conflict_of_versions_means_that_it_is_there() {
        let of = |status: u16, kind: &str| {
            put(WireResult { status, error: Some(json!({ "type": kind, "reason": "because" })) })
        };
        assert_eq!(put(WireResult { status: 201, error: None }), Put::Created);
        assert_eq!(of(409, "version_conflict_engine_exception"), Put::AlreadyThere);
        assert_eq!(of(409, "something_else"), Put::Refused("because".into()));
        assert_eq!(of(429, "es_rejected_execution_exception"), Put::Later("because".into()));
        assert_eq!(of(400, "document_parsing_exception"), Put::Refused("because".into()));
        assert_eq!(put(WireResult { status: 500, error: None }), Put::Refused("status 500".into()));
    }
}
