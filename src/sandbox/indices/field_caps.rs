//! `_field_caps`: mappings of fields over several indices.

use super::{resolve::resolve, seen};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    privileges::FIELD_CAPS,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `GET|POST [/INDEX]/_field_caps`, only for fields listed by name.
pub fn field_caps(context: &mut Context) -> Outcome<Reply> {
    let params = &context.request.params;
    let Some(fields) = params.non_empty("fields") else {
        return Err(EsError::validation(&["no fields specified".to_owned()]));
    };
    let names = resolve(context.cluster, context.caller, &FIELD_CAPS, &context.argument(0), params)?;
    let mut mappings = BTreeMap::new();
    for name in &names {
        if let Some(index) = context.cluster.indices.get(name) {
            mappings.insert(name, seen(context.caller, name, index)?);
        }
    }
    let mut answer = Map::new();
    for field in fields.split(',') {
        // By type: the indices that map it so.
        let mut kinds: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for name in &names {
            let kind = mappings.get(name).and_then(|mapping| mapping.type_of(field));
            if let Some(kind) = kind {
                kinds.entry(kind.to_owned()).or_default().push(name);
            }
        }
        if kinds.is_empty() {
            continue;
        }
        let several = kinds.len() > 1;
        let kinds: Map<String, Value> = kinds
            .into_iter()
            .map(|(kind, indices)| {
                let countable = !matches!(kind.as_str(), "text" | "match_only_text" | "object" | "nested");
                let mut cap = json!({ "type": kind, "metadata_field": false, "searchable": kind != "object",
                    "aggregatable": countable, "inference": false });
                if several {
                    cap["indices"] = json!(indices);
                }
                (kind, cap)
            })
            .collect();
        answer.insert(field.to_owned(), Value::Object(kinds));
    }
    Ok(Reply::ok(json!({ "indices": names, "fields": answer })))
}
