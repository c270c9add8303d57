//! Aggregations over documents: only the few that find who did something last. All others are refused as unsupported.

use super::document_view::View;
use crate::sandbox::{
    http::error::{EsError, Outcome},
    json::{Member, Node, Position},
    query::{
        dates,
        matching::{FieldKind, Fields},
    },
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Aggregation with its name.
#[derive(Debug)]
pub struct Agg {
    name: String,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Smallest or greatest value of a field.
    Extreme { greatest: bool, field: String },
    /// Buckets for the values of a field, in order, with sub-aggregations.
    Composite { size: usize, source: String, field: String, after: Option<String>, subs: Vec<Agg> },
}

/// Further aggregations of a real cluster.
const OTHER_AGGS: &[&str] = &[
    "adjacency_matrix",
    "auto_date_histogram",
    "avg",
    "avg_bucket",
    "boxplot",
    "bucket_script",
    "bucket_selector",
    "bucket_sort",
    "cardinality",
    "categorize_text",
    "cumulative_sum",
    "date_histogram",
    "date_range",
    "derivative",
    "diversified_sampler",
    "extended_stats",
    "filter",
    "filters",
    "geo_bounds",
    "geo_centroid",
    "geo_distance",
    "geohash_grid",
    "geotile_grid",
    "global",
    "histogram",
    "ip_prefix",
    "ip_range",
    "matrix_stats",
    "max_bucket",
    "median_absolute_deviation",
    "min_bucket",
    "missing",
    "moving_fn",
    "multi_terms",
    "nested",
    "normalize",
    "percentile_ranks",
    "percentiles",
    "percentiles_bucket",
    "random_sampler",
    "range",
    "rare_terms",
    "rate",
    "reverse_nested",
    "sampler",
    "scripted_metric",
    "serial_diff",
    "significant_terms",
    "significant_text",
    "stats",
    "stats_bucket",
    "string_stats",
    "sum",
    "sum_bucket",
    "terms",
    "time_series",
    "top_hits",
    "top_metrics",
    "t_test",
    "value_count",
    "variable_width_histogram",
    "weighted_avg",
];

fn refused(at: Position, reason: String) -> Box<EsError> {
    EsError::new(400, "parsing_exception", reason).with("line", at.line).with("col", at.column)
}

fn text(node: &Node, name: &str) -> Option<String> {
    node.get(name).and_then(Node::scalar)
}

/// Parses the `aggs` of a request body.
pub fn parse(node: &Node) -> Outcome<Vec<Agg>> {
    node.members().unwrap_or_default().iter().map(one).collect()
}

fn one(member: &Member) -> Outcome<Agg> {
    let parts = member.value.members().unwrap_or_default();
    let is_subs = |part: &&Member| matches!(part.name.as_str(), "aggs" | "aggregations");
    let Some(kind) = parts.iter().find(|part| !is_subs(part)) else {
        let reason = format!("Missing definition for aggregation [{}]", member.name);
        return Err(refused(member.value.at, reason));
    };
    let subs = parts.iter().find(is_subs).map(|subs| parse(&subs.value)).transpose()?.unwrap_or_default();
    let what = match kind.name.as_str() {
        "min" | "max" => What::Extreme {
            greatest: kind.name == "max",
            field: text(&kind.value, "field").ok_or_else(|| {
                EsError::illegal("Required one of fields [field, script], but none were specified.".to_owned())
            })?,
        },
        "composite" => composite(&kind.value, subs)?,
        other if OTHER_AGGS.contains(&other) => {
            return Err(EsError::not_done(&format!("[{other}] aggregations of documents")));
        }
        other => return Err(refused(kind.at, format!("Unknown aggregation type [{other}]"))),
    };
    Ok(Agg { name: member.name.clone(), what })
}

/// Parses a `composite` aggregation; only one source, by terms, is supported.
fn composite(node: &Node, subs: Vec<Agg>) -> Outcome<What> {
    let sources = node.get("sources").and_then(Node::elements).unwrap_or_default();
    let named = match sources {
        [source] => source.members().and_then(<[_]>::first),
        _ => None,
    };
    let field = named.and_then(|named| text(named.value.get("terms")?, "field"));
    let (Some(named), Some(field)) = (named, field) else {
        return Err(EsError::not_done("[composite] aggregations of documents beyond one source of [terms]"));
    };
    Ok(What::Composite {
        size: text(node, "size").and_then(|size| size.parse().ok()).unwrap_or(10),
        after: node.get("after").and_then(|after| text(after, &named.name)),
        source: named.name.clone(),
        field,
        subs,
    })
}

/// Appends the fields that the aggregations use to `found`.
pub fn fields<'a>(aggs: &'a [Agg], found: &mut Vec<&'a str>) {
    for agg in aggs {
        match &agg.what {
            What::Extreme { field, .. } => found.push(field),
            What::Composite { field, subs, .. } => {
                found.push(field);
                fields(subs, found);
            }
        }
    }
}

/// Runs the aggregations over the found documents.
pub fn run(aggs: &[Agg], views: &[&View]) -> Value {
    Value::Object(aggs.iter().map(|agg| (agg.name.clone(), answer(&agg.what, views))).collect())
}

fn answer(what: &What, views: &[&View]) -> Value {
    match what {
        What::Extreme { greatest, field } => extreme(*greatest, field, views),
        What::Composite { size, source, field, after, subs } => {
            let mut buckets: BTreeMap<String, Vec<&View>> = BTreeMap::new();
            for view in views {
                for value in view.values(field) {
                    if after.as_ref().is_none_or(|after| value > *after) {
                        buckets.entry(value).or_default().push(view);
                    }
                }
            }
            let shown: Vec<Value> = buckets
                .iter()
                .take(*size)
                .map(|(value, views)| {
                    let mut bucket = json!({ "key": { source: value }, "doc_count": views.len() });
                    if let (Some(bucket), Value::Object(subs)) = (bucket.as_object_mut(), run(subs, views)) {
                        bucket.extend(subs);
                    }
                    bucket
                })
                .collect();
            let mut answer = Map::new();
            if let Some(last) = shown.last() {
                answer.insert("after_key".into(), last["key"].clone());
            }
            answer.insert("buckets".into(), Value::Array(shown));
            Value::Object(answer)
        }
    }
}

fn extreme(greatest: bool, field: &str, views: &[&View]) -> Value {
    let values = views.iter().flat_map(|view| view.values(field)).filter_map(|value| value.parse::<f64>().ok());
    let Some(value) = (if greatest { values.reduce(f64::max) } else { values.reduce(f64::min) }) else {
        return json!({ "value": null });
    };
    let is_date = views.iter().any(|view| view.kind(field) == FieldKind::Date);
    if !is_date {
        return json!({ "value": value });
    }
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds, which were read from an integer")]
    let at = value as i64;
    json!({ "value": value, "value_as_string": dates::to_iso(at) })
}
