//! Single documents: index, create, update, get, delete. The write operations are shared with bulk requests.

use super::{
    conditions::Conditions,
    document_view::View,
    resolve::{check_concrete, check_name, is_wildcard},
    search::pick_source,
    visible::Visible,
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse},
        reply::{Body, Reply},
    },
    json::{self, Node, exact, fault::unknown_field},
    privileges::{AUTO_CREATE, Action, BULK_SHARD, DELETE, GET, INDEX, OP_CREATE, OP_INDEX, UPDATE},
    security::authz::Caller,
    state::{
        cluster::Cluster,
        index::{Document, Index},
        secret::fresh_id,
    },
};
use serde_json::{Map, Value, json};

/// Kind of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Write the document, whether or not it exists.
    Index,
    /// Write the document only if it does not exist.
    Create,
}

/// Result of a write.
pub struct Written {
    /// HTTP status: 200, 201 or 404.
    pub status: u16,
    /// Fields of the answer.
    pub fields: Map<String, Value>,
}

fn written(index: &str, id: &str, version: i64, result: &str, seq_no: i64, shards: Value, forced: bool) -> Written {
    let mut fields = Map::new();
    fields.insert("_index".into(), json!(index));
    fields.insert("_id".into(), json!(id));
    fields.insert("_version".into(), json!(version));
    fields.insert("result".into(), json!(result));
    if forced && result != "noop" {
        fields.insert("forced_refresh".into(), json!(true));
    }
    fields.insert("_shards".into(), shards);
    fields.insert("_seq_no".into(), json!(seq_no));
    fields.insert("_primary_term".into(), json!(1));
    let status = match result {
        "created" => 201,
        "not_found" => 404,
        _ => 200,
    };
    Written { status, fields }
}

/// Returns the index to write to, after creating it if it does not exist and the caller may.
fn writable<'a>(cluster: &'a mut Cluster, caller: &Caller, name: &str, now: i64) -> Outcome<&'a mut Index> {
    if !cluster.indices.contains_key(name) {
        may_make(caller, name)?;
        check_name(name)?;
        cluster.indices.insert(name.to_owned(), Index::new(now)?);
    }
    cluster.indices.get_mut(name).ok_or_else(|| EsError::no_such_index(name))
}

/// Refuses callers who may not create the index implicitly. For a wildcard, there is a separate refusal if the caller
/// may create some index (as seen on 9.5.3).
pub fn may_make(caller: &Caller, name: &str) -> Outcome<()> {
    if is_wildcard(name) {
        caller.may_somewhere(&AUTO_CREATE, &[name.to_owned()])?;
        return check_concrete(AUTO_CREATE.name, name);
    }
    caller.may_on(&AUTO_CREATE, &[name.to_owned()])
}

/// Target and options of a write.
pub struct Target<'a> {
    /// Name of the index.
    pub index: &'a str,
    /// Id of the document; generated if `None`.
    pub id: Option<&'a str>,
    /// `true` if the answer reports a forced refresh.
    pub forced: bool,
    /// Current time, in epoch milliseconds.
    pub now: i64,
    /// `true` if the write is part of a bulk request.
    pub in_bulk: bool,
    /// Conditions of the request.
    pub conditions: &'a Conditions,
}

/// Writes a document; `body` is its JSON text.
pub fn put(cluster: &mut Cluster, caller: &Caller, target: &Target, write: Write, body: &[u8]) -> Outcome<Written> {
    let id = match target.id {
        Some(id) => id.to_owned(),
        None => fresh_id()?,
    };
    let source = || format!("index {{[{}][{id}], source[{}]}}", target.index, String::from_utf8_lossy(body));
    let existing = cluster.indices.get(target.index);
    target.conditions.check_index(target.index, existing, &source())?;
    let index = writable(cluster, caller, target.index, target.now)?;
    let action = if write == Write::Create { &OP_CREATE } else { &OP_INDEX };
    caller.may_on(action, &[target.index.to_owned()])?;
    let node = read_document(body, &id)?;
    let mut mapping = index.mapping.clone();
    mapping.learn(&node, &id)?;
    // New fields stay, also those of a document that is then refused (as seen on 9.5.3).
    index.mapping = mapping;
    let before = index.documents.get(&id).map(|document| document.version);
    if let Some(version) = before.filter(|_| write == Write::Create) {
        let reason = format!("[{id}]: version conflict, document already exists (current version [{version}])");
        return Err(index.conflict(target.index, reason));
    }
    let given = target.conditions.check_write(target.index, index, &id)?;
    let result = if before.is_some() { "updated" } else { "created" };
    let last = before.or_else(|| index.deleted.remove(&id)).unwrap_or(0);
    let (version, seq_no) = (given.unwrap_or(last + 1), index.next_seq_no);
    index.next_seq_no += 1;
    index.documents.insert(id.clone(), Document { source: node.to_source(), version, seq_no });
    Ok(written(target.index, &id, version, result, seq_no, index.shards(), target.forced))
}

fn read_document(body: &[u8], id: &str) -> Outcome<Node> {
    let node = json::parse(body).map_err(|error| {
        let reason = format!("[1:1] failed to parse: {}", error.reason);
        EsError::new(400, "document_parsing_exception", reason).because(error)
    })?;
    let Some(members) = node.members() else {
        return Err(EsError::new(400, "document_parsing_exception", "Malformed content, must start with an object"));
    };
    if let Some(member) =
        members.iter().find(|member| matches!(member.name.as_str(), "_id" | "_index" | "_source" | "_routing"))
    {
        let (at, name) = (member.value.at, &member.name);
        let inner = EsError::new(
            400,
            "document_parsing_exception",
            format!(
                "[{at}] Field [{name}] is a metadata field and cannot be added inside a document. Use the index API request parameters."
            ),
        );
        let preview = member.value.scalar().unwrap_or_default();
        let reason = format!(
            "[{at}] failed to parse field [{name}] of type [{name}] in document with id '{id}'. Preview of field's value: '{preview}'"
        );
        return Err(EsError::new(400, "document_parsing_exception", reason).because(inner));
    }
    Ok(node)
}

/// Removes a document; even for a missing document, the version is increased.
pub fn remove(cluster: &mut Cluster, caller: &Caller, target: &Target) -> Outcome<Written> {
    let id = target.id.unwrap_or_default();
    let what = format!("delete {{[{}][{id}]}}", target.index);
    // A version from outside is remembered, and makes an index to remember it in (as seen on 9.5.3).
    if target.conditions.versions_from_outside() {
        writable(cluster, caller, target.index, target.now)?;
    }
    caller.may_on(&DELETE, &[target.index.to_owned()])?;
    target.conditions.check_index(target.index, cluster.indices.get(target.index), &what)?;
    let index = cluster.indices.get_mut(target.index).ok_or_else(|| EsError::no_such_index(target.index))?;
    let given = target.conditions.check_write(target.index, index, id)?;
    let before = index.documents.remove(id).map(|document| document.version);
    let next = before.or_else(|| index.deleted.get(id).copied()).unwrap_or(0) + 1;
    let version = given.unwrap_or(next);
    index.deleted.insert(id.to_owned(), version);
    let seq_no = index.next_seq_no;
    index.next_seq_no += 1;
    let result = if before.is_some() { "deleted" } else { "not_found" };
    Ok(written(target.index, id, version, result, seq_no, index.shards(), target.forced))
}

/// Merges `doc` into a document, or writes `upsert` if the document does not exist.
pub fn merge(cluster: &mut Cluster, caller: &Caller, target: &Target, body: &[u8]) -> Outcome<Written> {
    let id = target.id.unwrap_or_default();
    if body.is_empty() {
        return Err(EsError::validation(&["script or doc is missing".to_owned()]));
    }
    let request = json::parse(body)?;
    let known = [
        "script",
        "doc",
        "upsert",
        "doc_as_upsert",
        "detect_noop",
        "_source",
        "scripted_upsert",
        "if_seq_no",
        "if_primary_term",
    ];
    let unknown = request.members().unwrap_or_default().iter().find(|member| !known.contains(&member.name.as_str()));
    if let Some(member) = unknown {
        let error = unknown_field(member.at, "UpdateRequest", &member.name, &known);
        return Err(error);
    }
    for field in ["script", "scripted_upsert"] {
        if request.get(field).is_some() {
            return Err(EsError::not_done("scripts that update documents"));
        }
    }
    if request.get("_source").is_some_and(|node| node.scalar().as_deref() != Some("false")) {
        return Err(EsError::not_done("the [_source] of updates"));
    }
    for field in ["doc", "upsert"] {
        if let Some(node) = request.get(field).filter(|node| node.members().is_none()) {
            let reason =
                format!("[{}] [UpdateRequest] {field} doesn't support values of type: {}", node.at, node.token());
            return Err(EsError::new(400, "x_content_parse_exception", reason));
        }
    }
    if request.get("doc").is_none() {
        return Err(EsError::validation(&["script or doc is missing".to_owned()]));
    }
    if is_wildcard(target.index) {
        caller.may_somewhere(&UPDATE, &[target.index.to_owned()])?;
        check_concrete(UPDATE.name, target.index)?;
    }
    caller.may_on(&UPDATE, &[target.index.to_owned()])?;
    if caller.sees_only_part_of(target.index) {
        let what =
            if target.in_bulk { "a bulk item request with update requests embedded" } else { "an update request" };
        let reason = format!("Can't execute {what} if field or document level security is enabled");
        return Err(EsError::new(400, "security_exception", reason));
    }
    let compares = request.get("detect_noop").and_then(Node::scalar).as_deref() != Some("false");
    if target.conditions.requires_alias() {
        target.conditions.check_index(target.index, None, "")?;
    }
    let index = writable(cluster, caller, target.index, target.now)?;
    let change = request.get("doc").map(Node::to_source);
    let as_upsert = request.get("doc_as_upsert").and_then(Node::scalar).as_deref() == Some("true");
    let upsert = request.get("upsert").map(Node::to_source).or_else(|| change.clone().filter(|_| as_upsert));
    let Some(existing) = index.documents.get(id) else {
        let Some(source) = upsert else {
            return Err(EsError::new(404, "document_missing_exception", format!("[{id}]: document missing"))
                .with("index_uuid", index.uuid.clone())
                .with("shard", "0")
                .with("index", target.index));
        };
        return put(cluster, caller, target, Write::Index, exact::written(source.to_string()).as_bytes());
    };
    let Some(change) = change else {
        return Err(EsError::validation(&["script or doc is missing".to_owned()]));
    };
    let mut source = existing.source.clone();
    merge_into(&mut source, change);
    target.conditions.check_write(target.index, index, id)?;
    if compares && source == existing.source {
        let none = json!({ "total": 0, "successful": 0, "failed": 0 });
        return Ok(written(target.index, id, existing.version, "noop", existing.seq_no, none, false));
    }
    put(cluster, caller, target, Write::Index, exact::written(source.to_string()).as_bytes())
}

fn merge_into(target: &mut Value, change: Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (name, value) in change {
                match target.get_mut(&name) {
                    Some(existing) if existing.is_object() && value.is_object() => merge_into(existing, value),
                    _ => {
                        target.insert(name, value);
                    }
                }
            }
        }
        (target, change) => *target = change,
    }
}

/// Returns `true` if the request wants the answer to report a forced refresh.
pub fn is_forced(context: &Context) -> bool {
    matches!(context.request.params.get("refresh"), Some("" | "true"))
}

/// Refuses a write like 9.5.3: callers who may write to other indices are refused at a later stage.
fn may_write(caller: &Caller, action: &Action, name: &str) -> Outcome<()> {
    caller.may_somewhere(action, &[name.to_owned()])?;
    if caller.allows_on(action, name) { Ok(()) } else { caller.may_on(&BULK_SHARD, &[name.to_owned()]) }
}

fn put_one(context: &mut Context, write: Write) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let (name, id) = (context.argument(0), Some(context.argument(1)).filter(|id| !id.is_empty()));
    if context.request.body.is_empty() {
        return Err(EsError::parse("request body is required"));
    }
    let conditions = Conditions::read(&context.request.params)?;
    refuse(&conditions.problems(write == Write::Create, id.as_deref()))?;
    context.caller.may_somewhere(&INDEX, std::slice::from_ref(&name))?;
    conditions.check_kind(&name)?;
    if !context.cluster.indices.contains_key(&name) {
        may_make(context.caller, &name)?;
        check_name(&name)?;
    }
    may_write(context.caller, &INDEX, &name)?;
    let target = Target {
        index: &name,
        id: id.as_deref(),
        forced: is_forced(context),
        now: context.now,
        in_bulk: false,
        conditions: &conditions,
    };
    let done = put(context.cluster, context.caller, &target, write, &context.request.body)?;
    Ok(answer(done, &name))
}

fn answer(done: Written, index: &str) -> Reply {
    let id = done.fields.get("_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let reply = Reply::json(done.status, Value::Object(done.fields));
    if reply.status != 201 {
        return reply;
    }
    // Headers hold visible ASCII only; ids may hold anything.
    let escaped: String = id
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    reply.with_header("location", format!("/{index}/_doc/{escaped}"))
}

/// `POST /INDEX/_doc`, `PUT|POST /INDEX/_doc/ID`
pub fn index(context: &mut Context) -> Outcome<Reply> {
    let has_id = !context.argument(1).is_empty();
    let write = match context.request.params.get("op_type") {
        Some("create") => Write::Create,
        Some("index") => Write::Index,
        None if has_id => Write::Index,
        None => Write::Create,
        Some(other) => {
            return Err(EsError::illegal(format!("opType must be 'create' or 'index', found: [{other}]")));
        }
    };
    put_one(context, write)
}

/// `PUT|POST /INDEX/_create/ID`
pub fn create(context: &mut Context) -> Outcome<Reply> {
    put_one(context, Write::Create)
}

/// `POST /INDEX/_update/ID`
pub fn update(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let (name, id) = (context.argument(0), context.argument(1));
    context.request.params.number("retry_on_conflict")?;
    if context.request.params.get("_source").is_some_and(|wanted| wanted != "false") {
        return Err(EsError::not_done("the [_source] of updates"));
    }
    let conditions = Conditions::read(&context.request.params)?;
    refuse(&conditions.problems(false, Some(&id)))?;
    let target = Target {
        index: &name,
        id: Some(&id),
        forced: is_forced(context),
        now: context.now,
        in_bulk: false,
        conditions: &conditions,
    };
    let done = merge(context.cluster, context.caller, &target, &context.request.body)?;
    Ok(answer(done, &name))
}

/// `DELETE /INDEX/_doc/ID`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let (name, id) = (context.argument(0), context.argument(1));
    let conditions = Conditions::read(&context.request.params)?;
    refuse(&conditions.problems(false, Some(&id)))?;
    if !context.cluster.indices.contains_key(&name) {
        context.caller.may_somewhere(&DELETE, std::slice::from_ref(&name))?;
        if !conditions.versions_from_outside() {
            return Err(match name.as_str() {
                "_all" => EsError::illegal(
                    "unable to return a single target as the provided expression and options got resolved to multiple targets",
                ),
                missing => EsError::no_such_index(missing),
            });
        }
        may_make(context.caller, &name)?;
        check_name(&name)?;
    }
    may_write(context.caller, &DELETE, &name)?;
    let target = Target {
        index: &name,
        id: Some(&id),
        forced: is_forced(context),
        now: context.now,
        in_bulk: false,
        conditions: &conditions,
    };
    let done = remove(context.cluster, context.caller, &target)?;
    Ok(Reply::json(done.status, Value::Object(done.fields)))
}

/// Returns the document as the caller sees it, `None` if it does not exist or is hidden.
fn found<'a>(context: &'a Context, name: &str, id: &str) -> Outcome<Option<(&'a Document, Value)>> {
    context.request.params.flag("refresh", false)?;
    let conditions = Conditions::read(&context.request.params)?;
    if is_wildcard(name) {
        context.caller.may_somewhere(&GET, &[name.to_owned()])?;
        check_concrete(GET.name, name)?;
    }
    context.caller.may_on(&GET, &[name.to_owned()])?;
    let index = context.cluster.indices.get(name).ok_or_else(|| EsError::no_such_index(name))?;
    let visible = Visible::of(context.caller, name)?;
    conditions.check_read(name, index, id)?;
    let Some(document) = index.documents.get(id) else { return Ok(None) };
    let view = View { id, source: &document.source, mapping: &index.mapping, visible: &visible };
    Ok(visible.sees(&view, context.now).then(|| (document, visible.cut(&document.source))))
}

/// `GET|HEAD /INDEX/_doc/ID`
pub fn get(context: &mut Context) -> Outcome<Reply> {
    let (name, id) = (context.argument(0), context.argument(1));
    let Some((document, source)) = found(context, &name, &id)? else {
        return Ok(Reply::json(404, json!({ "_index": name, "_id": id, "found": false })));
    };
    let mut answer = json!({
        "_index": name,
        "_id": id,
        "_version": document.version,
        "_seq_no": document.seq_no,
        "_primary_term": 1,
        "found": true,
    });
    if let Some(source) = pick_source(&source, None, &context.request.params) {
        answer["_source"] = source;
    }
    Ok(Reply::ok(answer))
}

/// `GET|HEAD /INDEX/_source/ID`
pub fn source(context: &mut Context) -> Outcome<Reply> {
    if context.request.params.get("_source") == Some("false") {
        return Err(EsError::validation(&["fetching source can not be disabled".to_owned()]));
    }
    let (name, id) = (context.argument(0), context.argument(1));
    match found(context, &name, &id)? {
        Some((_, source)) => {
            let picked = pick_source(&source, None, &context.request.params).unwrap_or(source);
            Ok(Reply { status: 200, headers: Vec::new(), body: Body::Json(picked) })
        }
        None => {
            let reason = format!("Document not found [{name}]/[{id}]");
            Err(EsError::new(404, "resource_not_found_exception", reason))
        }
    }
}
