//! Indices: create, show, remove, refresh; and the indices matched by an expression such as `logs-*,my_index`.

pub(super) mod aggregations;
pub(super) mod bulk;
pub(super) mod cat;
pub(super) mod conditions;
pub(super) mod documents;
pub(super) mod field_caps;
pub(super) mod mapping;
pub(super) mod search;
pub(super) mod search_request;
pub(super) mod visible;

use super::{
    cluster::{Cluster, fresh_secret},
    http::{
        error::{EsError, Outcome},
        reply::Reply,
        request::Params,
        router::Context,
    },
    pattern::glob,
    privileges::{Action, CREATE_INDEX, DELETE_INDEX, GET_INDEX, GET_MAPPING, REFRESH, RESOLVE},
    query::time_unit,
    security::authz::Caller,
};
use mapping::Mapping;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use visible::Visible;

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

    fn is_hidden(&self) -> bool {
        self.settings.get("hidden").is_some_and(|hidden| hidden == "true")
    }

    fn settings_value(&self, name: &str) -> Value {
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

fn invalid(name: &str, why: &str) -> Box<EsError> {
    EsError::new(400, "invalid_index_name_exception", format!("Invalid index name [{name}], {why}"))
        .with("index_uuid", "_na_")
        .with("index", name)
}

/// Refuses names that are invalid for an index.
pub fn check_name(name: &str) -> Outcome<()> {
    if name.contains([' ', '"', '*', ',', '/', '<', '>', '?', '\\', '|']) {
        return Err(invalid(
            name,
            "must not contain the following characters [' ','\"','*',',','/','<','>','?','\\','|']",
        ));
    }
    for bad in ['#', ':'] {
        if name.contains(bad) {
            return Err(invalid(name, &format!("must not contain '{bad}'")));
        }
    }
    if name.starts_with(['_', '-', '+']) {
        return Err(invalid(name, "must not start with '_', '-', or '+'"));
    }
    if name.len() > 255 {
        return Err(invalid(name, &format!("index name is too long, ({} > 255)", name.len())));
    }
    if name == "." || name == ".." {
        return Err(invalid(name, "must not be '.' or '..'"));
    }
    if name != name.to_lowercase() {
        return Err(invalid(name, "must be lowercase"));
    }
    Ok(())
}

/// Returns `true` if a name can match any number of indices.
pub fn is_wildcard(name: &str) -> bool {
    name.contains('*') || name == "_all"
}

/// Refuses wildcards where exactly one index is required.
pub fn check_concrete(action: &str, name: &str) -> Outcome<()> {
    if name == "_all" {
        return Err(EsError::illegal(format!(
            "the action {action} does not support accessing all indices; the provided index expression [_all] is not allowed"
        )));
    }
    if is_wildcard(name) {
        return Err(EsError::illegal(format!(
            "the action {action} does not support wildcards; the provided index expression(s) [{name}] are not allowed"
        )));
    }
    Ok(())
}

/// Returns the 404 for an expression that must match an index and matches none.
fn none_such(expression: &str) -> Box<EsError> {
    EsError::new(404, "index_not_found_exception", format!("no such index [{expression}]"))
        .with("index_uuid", "_na_")
        .with("index", expression)
}

/// Options for expressions that match missing indices or none.
pub struct Lenience {
    ignore_unavailable: bool,
    allow_none: bool,
}

impl Lenience {
    /// Reads the options from the parameters of a request.
    ///
    /// # Errors
    /// If a value is not a boolean, with the message of 9.5.3.
    pub fn read(params: &Params) -> Outcome<Lenience> {
        let option = |name: &str, default: bool| {
            params
                .flag(name, default)
                .map_err(|cause| EsError::illegal(format!("Could not convert [{name}] to boolean")).because(cause))
        };
        Ok(Lenience {
            ignore_unavailable: option("ignore_unavailable", false)?,
            allow_none: option("allow_no_indices", true)?,
        })
    }
}

/// Returns the indices matched by an expression, limited to those on which the caller may perform the action; an empty
/// expression matches all.
///
/// # Errors
/// 403 for names that the caller may not use, 404 for names that do not exist.
pub fn resolve(
    cluster: &Cluster,
    caller: &Caller,
    action: &Action,
    expression: &str,
    params: &Params,
) -> Outcome<Vec<String>> {
    let Lenience { ignore_unavailable, allow_none } = Lenience::read(params)?;
    caller.refuse_blocked(action)?;
    let hidden_too =
        params.get("expand_wildcards").is_some_and(|kinds| kinds.contains("all") || kinds.contains("hidden"));
    let given = expression;
    let expression = if given.is_empty() { "_all" } else { given };
    let (mut found, mut concrete, mut wildcards) = (Vec::new(), Vec::new(), false);
    for part in expression.split(',').filter(|part| !part.is_empty()) {
        if part == "_all" || part.contains('*') {
            wildcards = true;
            let pattern = if part == "_all" { "*" } else { part };
            if let Some(excluded) = pattern.strip_prefix('-') {
                found.retain(|name: &String| !glob(excluded, name));
                continue;
            }
            let before = found.len();
            for (name, index) in &cluster.indices {
                let shown = hidden_too || !index.is_hidden() || pattern.starts_with('.') && name.starts_with('.');
                if shown && glob(pattern, name) && caller.allows_on(action, name) && !found.contains(name) {
                    found.push(name.clone());
                }
            }
            if !allow_none && found.len() == before && part != "_all" {
                return Err(none_such(part));
            }
        } else if let Some(excluded) = part.strip_prefix('-').filter(|_| wildcards) {
            found.retain(|name: &String| name != excluded);
        } else {
            concrete.push(part.to_owned());
        }
    }
    let parts = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if ignore_unavailable {
        // Only what reads passes over indices that the caller may not use.
        let reads = action.name.starts_with("indices:data/read/");
        concrete.retain(|name| !reads || caller.allows_on(action, name));
    }
    if !allow_none && found.is_empty() && concrete.is_empty() {
        return Err(none_such(&format!("[{}]", parts(given).join(", "))));
    }
    let named = concrete.first().cloned();
    if ignore_unavailable {
        concrete.retain(|name| cluster.indices.contains_key(name) || !caller.allows_on(action, name));
    }
    // Whoever may do it on no index at all is refused, whatever the expression means.
    let reads = action.name.starts_with("indices:data/read/") || action.name == RESOLVE.name;
    let told = if reads && (ignore_unavailable || wildcards) { Vec::new() } else { parts(expression) };
    caller.may_somewhere(action, &told)?;
    caller.may_on(action, &concrete)?;
    if let Some(bad) = concrete.iter().find(|name| name.starts_with('_')) {
        return Err(invalid(bad, "must not start with '_'."));
    }
    if let Some(missing) = concrete.iter().find(|name| !cluster.indices.contains_key(*name)) {
        return Err(EsError::no_such_index(missing));
    }
    for name in concrete {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty()
        && !allow_none
        && let Some(missing) = named
    {
        return Err(EsError::no_such_index(&missing));
    }
    caller.may_on(action, &found)?;
    Ok(found)
}

/// `PUT /INDEX`
pub fn create(context: &mut Context) -> Outcome<Reply> {
    let name = context.argument(0);
    for setting in ["timeout", "master_timeout"] {
        if let Some(text) = context.request.params.get(setting) {
            time_unit::parse(text, setting)?;
        }
    }
    if context.request.params.get("wait_for_active_shards").is_some_and(|count| !matches!(count, "0" | "1")) {
        return Err(EsError::not_done("[wait_for_active_shards] of new indices"));
    }
    let mut index = Index::new(context.now)?;
    let (mut settings, mut mappings) = (None, None);
    if !context.request.body.is_empty() {
        let body = context.request.json()?;
        for member in body.members().unwrap_or_default() {
            let name = member.name.as_str();
            if matches!(name, "settings" | "mappings" | "aliases") && member.value.members().is_none() {
                return Err(EsError::parse(format!("key [{name}] must be an object")));
            }
            match name {
                "settings" => settings = Some(member.value.to_value()),
                "mappings" => mappings = Some(member.value.to_value()),
                "aliases" if member.value.members().is_some_and(<[_]>::is_empty) => {}
                "aliases" => return Err(EsError::not_done("aliases of indices")),
                other => return Err(EsError::parse(format!("unknown key [{other}] for create index"))),
            }
        }
    }
    if is_wildcard(&name) {
        context.caller.may_somewhere(&CREATE_INDEX, std::slice::from_ref(&name))?;
        check_concrete(CREATE_INDEX.name, &name)?;
    }
    if mappings.as_ref().is_some_and(|mappings| mappings.get("_doc").is_some()) {
        return Err(EsError::illegal("The mapping definition cannot be nested under a type [_doc]."));
    }
    context.caller.may_on(&CREATE_INDEX, std::slice::from_ref(&name))?;
    if let Some(settings) = settings {
        read_settings(&settings, &mut index)?;
    }
    check_name(&name)?;
    if let Some(existing) = context.cluster.indices.get(&name) {
        let reason = format!("index [{name}/{}] already exists", existing.uuid);
        return Err(EsError::new(400, "resource_already_exists_exception", reason)
            .with("index_uuid", existing.uuid.clone())
            .with("index", name));
    }
    if let Some(mappings) = mappings {
        index.mapping = Mapping::read(&mappings)?;
    }
    context.cluster.indices.insert(name.clone(), index);
    Ok(Reply::ok(json!({ "acknowledged": true, "shards_acknowledged": true, "index": name })))
}

/// Settings that a real cluster applies and the practice cluster does not, as prefixes of names.
const OTHER_SETTINGS: &[&str] = &[
    "allocation.",
    "analysis.",
    "auto_expand_replicas",
    "blocks.",
    "codec",
    "default_pipeline",
    "final_pipeline",
    "gc_deletes",
    "highlight.",
    "indexing.",
    "lifecycle.",
    "load_fixed_bitset_filters_eagerly",
    "mapper.",
    "mapping.",
    "max_",
    "merge.",
    "mode",
    "number_of_routing_shards",
    "priority",
    "queries.",
    "query.",
    "query_string.",
    "requests.",
    "routing.",
    "routing_",
    "search.",
    "shard.",
    "similarity.",
    "soft_deletes.",
    "sort.",
    "store.",
    "translog.",
    "unassigned.",
    "write.",
];

fn setting_number(name: &str, text: &str, least: i64) -> Outcome<i64> {
    let head = format!("Failed to parse value [{text}] for setting [index.{name}]");
    let number: i64 = text.parse().map_err(|_| {
        let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
        EsError::illegal(head.clone()).because(cause)
    })?;
    if number < least { Err(EsError::illegal(format!("{head} must be >= {least}"))) } else { Ok(number) }
}

fn read_settings(value: &Value, index: &mut Index) -> Outcome<()> {
    let Some(map) = value.as_object() else { return Ok(()) };
    for (name, value) in map {
        let name = name.strip_prefix("index.").unwrap_or(name);
        let text = match value {
            Value::Object(_) if name == "index" => {
                read_settings(value, index)?;
                continue;
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match name {
            "number_of_replicas" => {
                index.replicas = u32::try_from(setting_number(name, &text, 0)?).unwrap_or(u32::MAX);
            }
            "number_of_shards" if setting_number(name, &text, 1)? == 1 => {}
            "number_of_shards" => return Err(EsError::not_done("indices with more than one shard")),
            "hidden" if !matches!(text.as_str(), "true" | "false") => {
                return Err(EsError::illegal(format!(
                    "Failed to parse value [{text}] as only [true] or [false] are allowed."
                )));
            }
            // Everything is visible at once, however long that may take elsewhere.
            "hidden" | "refresh_interval" => {
                index.settings.insert(name.to_owned(), json!(text));
            }
            name if OTHER_SETTINGS.iter().any(|known| name.starts_with(known)) => {
                return Err(EsError::not_done(&format!("the setting [index.{name}]")));
            }
            _ => {
                return Err(EsError::illegal(format!(
                    "unknown setting [index.{name}] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
                )));
            }
        }
    }
    Ok(())
}

/// `GET|HEAD /INDEX`
pub fn get(context: &mut Context) -> Outcome<Reply> {
    let names = resolve(context.cluster, context.caller, &GET_INDEX, &context.argument(0), &context.request.params)?;
    let mut answer = Map::new();
    for name in names {
        if let Some(index) = context.cluster.indices.get(&name) {
            let value = json!({
                "aliases": {},
                "mappings": seen(context.caller, &name, index)?.to_value(),
                "settings": index.settings_value(&name),
            });
            answer.insert(name, value);
        }
    }
    Ok(Reply::ok(Value::Object(answer)))
}

/// Returns the mapping of the fields that the caller may see.
pub fn seen(caller: &Caller, name: &str, index: &Index) -> Outcome<Mapping> {
    Ok(index.mapping.seen_by(&Visible::of(caller, name)?))
}

/// `GET [/INDEX]/_mapping`
pub fn mapping(context: &mut Context) -> Outcome<Reply> {
    let names = resolve(context.cluster, context.caller, &GET_MAPPING, &context.argument(0), &context.request.params)?;
    let mut answer = Map::new();
    for name in names {
        if let Some(index) = context.cluster.indices.get(&name) {
            let mapping = seen(context.caller, &name, index)?;
            answer.insert(name, json!({ "mappings": mapping.to_value() }));
        }
    }
    Ok(Reply::ok(Value::Object(answer)))
}

/// `DELETE /INDEX[,INDEX]`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    let expression = context.argument(0);
    if expression.contains('*') || expression == "_all" {
        return Err(EsError::illegal("Wildcard expressions or all indices are not allowed"));
    }
    let names = resolve(context.cluster, context.caller, &DELETE_INDEX, &expression, &context.request.params)?;
    for name in names {
        context.cluster.indices.remove(&name);
    }
    Ok(Reply::ok(json!({ "acknowledged": true })))
}

/// `GET|POST [/INDEX]/_refresh`; does nothing, because every write is visible immediately.
pub fn refresh(context: &mut Context) -> Outcome<Reply> {
    let names = resolve(context.cluster, context.caller, &REFRESH, &context.argument(0), &context.request.params)?;
    let wished: u32 =
        names.iter().filter_map(|name| context.cluster.indices.get(name)).map(|index| 1 + index.replicas).sum();
    Ok(Reply::ok(json!({ "_shards": { "total": wished, "successful": names.len(), "failed": 0 } })))
}

/// `GET /_resolve/index/EXPRESSION`
pub fn resolve_index(context: &mut Context) -> Outcome<Reply> {
    let names = resolve(context.cluster, context.caller, &RESOLVE, &context.argument(0), &context.request.params)?;
    let mut names = names;
    names.sort();
    let indices: Vec<Value> = names
        .iter()
        .filter_map(|name| context.cluster.indices.get(name).map(|index| (name, index)))
        .map(|(name, index)| {
            let attributes = if index.is_hidden() { json!(["hidden", "open"]) } else { json!(["open"]) };
            json!({ "name": name, "attributes": attributes, "mode": "standard" })
        })
        .collect();
    Ok(Reply::ok(json!({ "indices": indices, "aliases": [], "data_streams": [] })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_server() {
        let reason = |name: &str| check_name(name).unwrap_err().reason;
        assert!(check_name("my_index").is_ok());
        assert!(check_name(".hidden").is_ok());
        assert_eq!(reason("SBX"), "Invalid index name [SBX], must be lowercase");
        assert!(reason("_x").ends_with("must not start with '_', '-', or '+'"));
        assert!(reason("a,b").contains("must not contain the following characters"));
        assert!(reason(&"a".repeat(256)).ends_with("index name is too long, (256 > 255)"));
        assert!(reason("..").ends_with("must not be '.' or '..'"));
    }
}
