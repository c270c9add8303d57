//! Settings of an index: those that are applied, and those that only a real cluster has.

use crate::sandbox::{
    http::error::{EsError, Outcome},
    state::index::Index,
};
use serde_json::{Value, json};

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

/// Applies settings, flat or nested, to an index.
///
/// # Errors
/// With the messages of 9.5.3, or with the practice cluster's own for what only a real cluster supports.
pub fn read_settings(value: &Value, index: &mut Index) -> Outcome<()> {
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
