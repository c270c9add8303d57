//! Indices: create, show, remove, refresh.

pub(super) mod aggregations;
pub(super) mod bulk;
pub(super) mod cat;
pub(super) mod conditions;
pub(super) mod document_view;
pub(super) mod documents;
pub(super) mod field_caps;
pub(super) mod field_types;
pub(super) mod mapping;
pub(super) mod resolve;
pub(super) mod search;
pub(super) mod search_query;
pub(super) mod search_request;
pub(super) mod settings;
pub(super) mod visible;

use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    indices::{
        resolve::{check_concrete, check_name, is_wildcard, resolve},
        settings::read_settings,
    },
    privileges::{CREATE_INDEX, DELETE_INDEX, GET_INDEX, GET_MAPPING, REFRESH, RESOLVE},
    query::time_unit,
    security::authz::Caller,
    state::index::Index,
};
use mapping::Mapping;
use serde_json::{Map, Value, json};
use visible::Visible;

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
