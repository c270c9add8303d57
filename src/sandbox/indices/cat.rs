//! Table of `_cat/indices`, the only `_cat` table supported.

use crate::sandbox::{
    http::{
        context::Context,
        error::Outcome,
        reply::{Body, Reply},
    },
    privileges::{SETTINGS, STATE},
};
use serde_json::{Map, Value, json};

const COLUMNS: [&str; 10] =
    ["health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size"];

/// `GET /_cat/indices`, as a table or, with `format=json`, as JSON.
pub fn indices(context: &mut Context) -> Outcome<Reply> {
    let caller = context.caller;
    caller.may_on_some(&SETTINGS)?;
    caller.may(&STATE)?;
    let params = &context.request.params;
    let wanted: Vec<&str> = match params.non_empty("h") {
        Some(names) => names.split(',').collect(),
        None => COLUMNS.to_vec(),
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, index) in &context.cluster.indices {
        if !caller.allows_on(&SETTINGS, name) {
            continue;
        }
        let bytes: usize = index.documents.values().map(|document| document.source.to_string().len()).sum();
        let cell = |column: &&str| match *column {
            "health" => if index.replicas > 0 { "yellow" } else { "green" }.to_owned(),
            "status" => "open".to_owned(),
            "index" | "i" => name.clone(),
            "uuid" => index.uuid.clone(),
            "pri" => "1".to_owned(),
            "rep" => index.replicas.to_string(),
            "docs.count" => index.documents.len().to_string(),
            "docs.deleted" => index.deleted.len().to_string(),
            "store.size" | "pri.store.size" => format!("{bytes}b"),
            _ => String::new(),
        };
        rows.push(wanted.iter().map(cell).collect());
    }
    if params.get("format") == Some("json") {
        let objects: Vec<Value> = rows
            .iter()
            .map(|row| {
                let map: Map<String, Value> =
                    wanted.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect();
                Value::Object(map)
            })
            .collect();
        return Ok(Reply::ok(Value::Array(objects)));
    }
    if params.flag("v", false)? {
        rows.insert(0, wanted.iter().map(|name| (*name).to_owned()).collect());
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..wanted.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join(" ").trim_end());
        text.push('\n');
    }
    Ok(Reply { status: 200, headers: Vec::new(), body: Body::Text(text) })
}
