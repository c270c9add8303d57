//! Types and options of the fields of a mapping: those that are supported, and those that only a real cluster has.

use crate::sandbox::http::error::{EsError, Outcome};
use serde_json::{Map, Value};

/// Options of a mapping, besides its properties, on a real cluster.
pub const ROOT_OPTIONS: &[&str] = &[
    "_data_stream_timestamp",
    "_field_names",
    "_meta",
    "_routing",
    "_size",
    "_source",
    "date_detection",
    "dynamic",
    "dynamic_date_formats",
    "dynamic_templates",
    "enabled",
    "numeric_detection",
    "runtime",
    "subobjects",
];

/// Supported types of fields.
const KINDS: &[&str] = &[
    "boolean",
    "byte",
    "date",
    "double",
    "flattened",
    "float",
    "half_float",
    "integer",
    "keyword",
    "long",
    "object",
    "short",
    "text",
    "unsigned_long",
];

/// Further types of fields on a real cluster.
const OTHER_KINDS: &[&str] = &[
    "aggregate_metric_double",
    "alias",
    "binary",
    "completion",
    "constant_keyword",
    "counted_keyword",
    "date_nanos",
    "date_range",
    "dense_vector",
    "double_range",
    "float_range",
    "geo_point",
    "geo_shape",
    "histogram",
    "integer_range",
    "ip",
    "ip_range",
    "join",
    "long_range",
    "match_only_text",
    "nested",
    "passthrough",
    "percolator",
    "point",
    "rank_feature",
    "rank_features",
    "rank_vectors",
    "scaled_float",
    "search_as_you_type",
    "semantic_text",
    "shape",
    "sparse_vector",
    "token_count",
    "version",
    "wildcard",
];

/// Options of fields that a real cluster applies.
const OTHER_OPTIONS: &[&str] = &[
    "analyzer",
    "boost",
    "coerce",
    "copy_to",
    "depth_limit",
    "doc_values",
    "dynamic",
    "eager_global_ordinals",
    "enabled",
    "fielddata",
    "format",
    "ignore_malformed",
    "index",
    "index_options",
    "index_phrases",
    "index_prefixes",
    "locale",
    "meta",
    "norms",
    "null_value",
    "on_script_error",
    "position_increment_gap",
    "script",
    "search_analyzer",
    "similarity",
    "split_queries_on_whitespace",
    "store",
    "subobjects",
    "synthetic_source_keep",
    "term_vector",
    "time_series_dimension",
    "time_series_metric",
    "normalizer",
    "script",
];

/// Returns the refusal of a mapping.
pub fn refused(reason: String) -> Box<EsError> {
    let cause = EsError::new(400, "mapper_parsing_exception", reason.clone());
    EsError::new(400, "mapper_parsing_exception", format!("Failed to parse mapping: {reason}")).because(cause)
}

/// Refuses a field whose type or options a mapping can't have, or that only a real cluster supports.
pub fn check_field(name: &str, kind: &str, options: &Map<String, Value>) -> Outcome<()> {
    if OTHER_KINDS.contains(&kind) {
        return Err(EsError::not_done(&format!("fields of the type [{kind}]")));
    }
    if !KINDS.contains(&kind) {
        return Err(refused(format!(
            "The mapper type [{kind}] declared on field [{name}] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation."
        )));
    }
    for (option, value) in options {
        match option.as_str() {
            "type" => {}
            "ignore_above" if matches!(kind, "keyword" | "flattened") => {}
            "fields" => {
                for (sub, field) in value.as_object().into_iter().flatten() {
                    let options = field.as_object().cloned().unwrap_or_default();
                    let Some(kind) = options.get("type").and_then(Value::as_str) else {
                        return Err(refused(format!("No type specified for field [{sub}]")));
                    };
                    check_field(sub, kind, &options)?;
                }
            }
            known if OTHER_OPTIONS.contains(&known) => {
                return Err(EsError::not_done(&format!("the option [{known}] of fields")));
            }
            unknown => {
                return Err(refused(format!("unknown parameter [{unknown}] on mapper [{name}] of type [{kind}]")));
            }
        }
    }
    Ok(())
}
