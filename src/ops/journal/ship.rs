//! Shipping the journal to an index of a cluster: each entry is sent as a document, with its own hash as the document's
//! id, so that it exists once however often it is sent.

use std::{borrow::Cow, io, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    reader,
    recorder::{host, system_user},
};
use crate::{
    client::{ClientError, Put},
    model::{Timestamp, journal, text::hex, time::calendar},
    ops::{Problem, Session},
    store::journal::{Journal, KeptCheckpoint, Report},
};

/// Maximum number of documents per request.
const MAX_BULK_LINES: usize = 500;
/// Maximum number of bytes per request, unless a single document is larger.
const MAX_BULK_BYTES: usize = 4 << 20;
/// Maximum number of attempts for documents that a busy cluster defers.
const TRIES: u32 = 6;
/// Pause before deferred documents are sent again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// Options of a shipment.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// Index or data stream to ship to.
    pub index: String,
    /// Time of the earliest entry to ship, inclusive; `None` ships all.
    pub since: Option<Timestamp>,
    /// `true` to ship even if the chain is broken: then all intact entries are sent.
    pub even_broken: bool,
}

/// Entry that the cluster did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Sequence number of the entry.
    pub sequence: u64,
    /// Reason, as Elasticsearch states it.
    pub reason: String,
}

/// Result of a shipment.
#[derive(Clone, Debug, Default)]
pub struct Shipped {
    /// Number of entries that are new in the index.
    pub shipped: u64,
    /// Number of entries that were in the index before.
    pub already_there: u64,
    /// Number of checkpoints that are new in the index.
    pub checkpoints: u64,
    /// Entries and checkpoints that were refused.
    pub failed: Vec<Undelivered>,
    /// Result of verifying the journal before shipping.
    pub report: Report,
    /// Problem of the cluster or of a journal file because of which the rest was not sent; `None` if everything was sent.
    pub ended_by: Option<Box<Problem>>,
}

/// Reason why nothing was shipped.
#[derive(Debug)]
pub enum NotShipped {
    /// Broken chain, with the result of the verification.
    Broken(Box<Report>),
    /// Missing or unreadable journal.
    Problem(Box<Problem>),
}

/// Verifies the journal and ships it, oldest entry first. `progress` receives the number of entries answered so far.
///
/// # Errors
/// Returns [`NotShipped`] if nothing was sent because the journal is missing, unreadable or broken. Problems after that
/// are in [`Shipped::ended_by`].
pub async fn ship(
    session: &Session,
    journal: &Journal,
    what: &Shipment,
    progress: impl Fn(u64),
) -> Result<Shipped, NotShipped> {
    if let Some(why) = journal.not_kept() {
        return Err(NotShipped::Problem(Box::new(Problem::new("There is no journal to ship", why.words()))));
    }
    let report = {
        let journal = journal.clone();
        let checked = tokio::task::spawn_blocking(move || reader::checked(&journal, || (), |(), _, _| ())).await;
        let (report, ()) =
            checked.unwrap_or_else(|_| Err(Problem::broken())).map_err(Box::new).map_err(NotShipped::Problem)?;
        report
    };
    if !report.is_whole() && !what.even_broken {
        return Err(NotShipped::Broken(Box::new(report)));
    }
    let mut shipped = Shipped { report, ..Shipped::default() };
    let files = journal.files().map_err(|error| NotShipped::Problem(Box::new(unreadable(&error))))?;
    let since = what.since.map(calendar::rfc3339_millis);
    for file in files {
        let text = match beside(move || std::fs::read(file)).await {
            Ok(text) => text,
            // Entries of earlier files were sent already.
            Err(error) => {
                shipped.ended_by = Some(Box::new(unreadable(&error)));
                return Ok(shipped);
            }
        };
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        let documents: Vec<Document<'_>> = lines.filter_map(|line| Document::entry(line, since.as_deref())).collect();
        for chunk in chunks(&documents) {
            if let Err(error) = deliver(session, &what.index, chunk, &mut shipped).await {
                shipped.ended_by = Some(Box::new(error.into()));
                return Ok(shipped);
            }
            progress(shipped.shipped + shipped.already_there + shipped.failed.len() as u64);
        }
    }
    let journal = journal.clone();
    let kept = match beside(move || journal.checkpoints()).await {
        Ok(kept) => kept,
        Err(error) => {
            shipped.ended_by = Some(Box::new(unreadable(&error)));
            return Ok(shipped);
        }
    };
    let documents: Vec<Document<'_>> = kept.iter().filter_map(Document::checkpoint).collect();
    let mut checkpoints = Shipped::default();
    for chunk in chunks(&documents) {
        if let Err(error) = deliver(session, &what.index, chunk, &mut checkpoints).await {
            shipped.ended_by = Some(Box::new(error.into()));
            break;
        }
    }
    shipped.checkpoints = checkpoints.shipped;
    shipped.failed.extend(checkpoints.failed);
    Ok(shipped)
}

/// Runs a blocking read outside the async runtime.
async fn beside<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn unreadable(error: &io::Error) -> Problem {
    let hint = "Check the permissions of its folder, or choose another one with KEYBEARER_JOURNAL";
    Problem::new("The journal can’t be read", &error.to_string()).hint(hint)
}

/// One document to send: its id, and its text in one line.
struct Document<'a> {
    id: String,
    line: Cow<'a, str>,
    /// Sequence number of the entry; for a checkpoint the number of entries.
    sequence: u64,
}

impl<'a> Document<'a> {
    /// An entry, if the line is one from this time on. What is not as it was written is no entry; the check has told it.
    fn entry(line: &'a str, since: Option<&str>) -> Option<Self> {
        let entry = journal::verify::read(line).ok()?;
        let is_wanted = since.is_none_or(|since| entry.at.as_str() >= since);
        is_wanted.then(|| Self { id: entry.hash, line: line.into(), sequence: entry.sequence })
    }

    /// A checkpoint; its id is the hash of its text, as that of an entry is.
    fn checkpoint(kept: &KeptCheckpoint) -> Option<Self> {
        let signed = kept.signed.as_ref()?;
        let sequence = signed.checkpoint.size;
        let mut document = json!({
            "ecs": { "version": journal::SCHEMA },
            "event": { "kind": "event", "category": ["iam"], "type": ["info"], "action": "journal-checkpoint",
                "outcome": "success", "sequence": sequence },
            "host": { "hostname": host() },
            "process": { "name": "keybearer", "user": { "name": system_user().name } },
            "keybearer": { "phase": "checkpoint", "checkpoint": kept.text },
        });
        // A data stream takes no document without a time.
        document["@timestamp"] = signed.checkpoint.time.clone()?.into();
        // With its SSH signature it is another document than without.
        let mut hasher = Sha256::new_with_prefix(kept.text.as_bytes());
        if let Some(signature) = &kept.signature {
            document["keybearer"]["ssh_signature"] = signature.as_str().into();
            hasher.update(signature.as_bytes());
        }
        let id = hex::encode(&hasher.finalize());
        Some(Self { id, line: document.to_string().into(), sequence })
    }
}

/// Splits documents into chunks of at most [`MAX_BULK_LINES`] documents and [`MAX_BULK_BYTES`] bytes; none is empty,
/// and a larger document is a chunk of its own.
fn chunks<'a, 'd>(documents: &'a [Document<'d>]) -> Vec<&'a [Document<'d>]> {
    let mut chunks = Vec::new();
    let mut rest = documents;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |document: &&Document<'_>| {
            bytes += document.line.len();
            bytes <= MAX_BULK_BYTES
        };
        let count = rest.iter().take(MAX_BULK_LINES).take_while(fits).count().max(1);
        let (chunk, after) = rest.split_at(count);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// Sends a chunk, and sends deferred documents again, after a longer pause each time.
async fn deliver(
    session: &Session,
    index: &str,
    chunk: &[Document<'_>],
    shipped: &mut Shipped,
) -> Result<(), ClientError> {
    let mut waiting: Vec<&Document<'_>> = chunk.iter().collect();
    for tried in 1..=TRIES {
        let documents: Vec<(&str, &str)> = waiting.iter().map(|one| (one.id.as_str(), &*one.line)).collect();
        let answers = session.client.create_documents(index, &documents).await?;
        let mut later = Vec::new();
        for (document, answer) in waiting.into_iter().zip(answers) {
            let sequence = document.sequence;
            match answer {
                Put::Created => shipped.shipped += 1,
                Put::AlreadyThere => shipped.already_there += 1,
                Put::Later(_) if tried < TRIES => later.push(document),
                Put::Later(reason) | Put::Refused(reason) => shipped.failed.push(Undelivered { sequence, reason }),
            }
        }
        if later.is_empty() {
            return Ok(());
        }
        waiting = later;
        tokio::time::sleep(PAUSE * 2_u32.pow(tried - 1)).await;
    }
    Ok(())
}

/// Returns an index template for the entries, as the body of `PUT _index_template/NAME`. It creates a data stream of
/// the name `index`. The template is optional: without it, Elasticsearch guesses the types.
pub fn template(index: &str) -> Value {
    let keyword = || json!({ "type": "keyword", "ignore_above": 1024 });
    let named = |names: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), keyword())).collect();
        json!({ "properties": properties })
    };
    let mut event = named(&["id", "kind", "category", "type", "action", "outcome"]);
    event["properties"]["sequence"] = json!({ "type": "long" });
    event["properties"]["reason"] = json!({ "type": "text" });
    let mut own = named(&["phase", "intent", "keys", "authentication_type", "own_key", "login_user", "previous"]);
    own["properties"]["failed"] = json!({
        "properties": { "id": keyword(), "reason": { "type": "text" }, "unknown": { "type": "boolean" } }
    });
    own["properties"]["damage"] = json!({ "type": "text" });
    // Only to be read again: the body of a request, and what a crash has cut off.
    for text in ["request", "torn", "checkpoint", "ssh_signature"] {
        own["properties"][text] = json!({ "type": "keyword", "index": false, "doc_values": false });
    }
    json!({
        "index_patterns": [index],
        "data_stream": {},
        "priority": 500,
        "template": {
            "mappings": {
                "properties": {
                    "@timestamp": { "type": "date" },
                    "ecs": named(&["version"]),
                    "event": event,
                    "user": named(&["name", "domain"]),
                    "host": named(&["hostname"]),
                    "process": {
                        "properties": { "name": keyword(), "pid": { "type": "long" }, "user": named(&["name", "id"]) }
                    },
                    "service": named(&["type", "address", "name", "id"]),
                    "keybearer": own,
                    "hash": keyword(),
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        api_key::KeyId,
        journal::{Action, BEGINNING, Entry, FailedKey, Origin, Verdict},
    };

    fn line(reason: &str) -> String {
        let entry = Entry {
            at: Timestamp::from_millis(1_795_521_600_000),
            id: "e1".into(),
            action: Action::Invalidate,
            intent: Some("e0".into()),
            verdict: Verdict::Failure,
            // Every field by name: a new one is in the template, too.
            origin: Origin {
                host: "here".into(),
                system_user: "ana".into(),
                system_user_id: Some(1000),
                login_user_id: Some(1000),
                process: Some(7),
                username: "ana".into(),
                realm: "native1".into(),
                authentication_type: "realm".into(),
                own_key: Some(KeyId::new("own")),
                url: "https://es:9200".into(),
                cluster: Some("c".into()),
                cluster_uuid: Some("u".into()),
            },
            keys: vec![KeyId::new("k")],
            failed: vec![FailedKey { id: "k2".into(), reason: "no".into(), is_unknown: Some(true) }],
            request: Some(json!({ "ids": ["k"] })),
            reason: Some(reason.into()),
            torn: Some("{".into()),
            damage: Some("odd".into()),
        };
        entry.line(1, BEGINNING)
    }

    #[test]
    fn a_chunk_has_no_more_documents_and_bytes_than_it_may() {
        let (short, long) = (line("short"), line(&"x".repeat(3 << 20)));
        let sizes = |lines: &[&String]| {
            let documents: Vec<Document<'_>> = lines.iter().map(|line| Document::entry(line, None).unwrap()).collect();
            chunks(&documents).iter().map(|chunk| chunk.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&vec![&short; 1001]), [500, 500, 1]);
        assert_eq!(sizes(&[&long, &long, &short, &long, &long]), [1, 2, 1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn the_template_names_every_field_of_an_entry() {
        let template = template("keybearer-journal");
        fn check(value: &Value, mapping: &Value, path: &str) {
            for (name, value) in value.as_object().into_iter().flatten() {
                let field = &mapping["properties"][name];
                assert!(!field.is_null(), "{path}{name}");
                let inner = value.as_array().and_then(|values| values.first()).unwrap_or(value);
                if inner.is_object() {
                    check(inner, field, &format!("{path}{name}."));
                }
            }
        }
        let entry: Value = serde_json::from_str(&line("because")).unwrap();
        check(&entry, &template["template"]["mappings"], "");
        let types = |path: &str| {
            let field = |mapping: &Value, name: &str| mapping["properties"][name].clone();
            path.split('.').fold(template["template"]["mappings"].clone(), |mapping, name| field(&mapping, name))
        };
        // What is a number or a truth value is none of text.
        for (path, kind) in [
            ("keybearer.failed.unknown", "boolean"),
            ("process.pid", "long"),
            ("process.user.id", "keyword"),
            ("service.id", "keyword"),
            ("keybearer.login_user", "keyword"),
            ("keybearer.damage", "text"),
        ] {
            assert_eq!(types(path)["type"], kind, "{path}");
        }
    }
}
