//! Parser of aggregations, with the refusals of 9.5.3. Knows no fields: they are checked in `check`.

use super::{
    agg::{Agg, Bound, Filters, Kind, OneRange, Ranges},
    composite_parse::{composite, interval},
    object::{Need, decimal, flag, illegal_at_end, integer, members, parsing, parsing_at_end},
    source::{source, zone},
    terms_parse::terms,
    zone::Zone,
};
use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind as Json, Node,
        fault::{Fault, Parsed, similar},
        object,
    },
    query::parse,
};

/// Aggregations that Elasticsearch supports but does not allow here: name, the fields of which one is required, and
/// whether sub-aggregations are allowed.
const FOREIGN: &[(&str, &str, bool)] = &[
    ("avg", "field, script", false),
    ("date_histogram", "", true),
    ("diversified_sampler", "", true),
    ("extended_stats", "field, script", false),
    ("geo_bounds", "field, script", false),
    ("geo_centroid", "field, script", false),
    ("geo_distance", "field, script", true),
    ("geohash_grid", "field", true),
    ("geotile_grid", "field", true),
    ("global", "", true),
    ("histogram", "field, script", true),
    ("ip_prefix", "field", true),
    ("ip_range", "field, script", true),
    ("max", "field, script", false),
    ("median_absolute_deviation", "field, script", false),
    ("min", "field, script", false),
    ("nested", "", true),
    ("percentile_ranks", "field, script", false),
    ("percentiles", "field, script", false),
    ("random_sampler", "", true),
    ("rare_terms", "field, script", true),
    ("reverse_nested", "", true),
    ("sampler", "", true),
    ("scripted_metric", "", false),
    ("significant_terms", "field, script", true),
    ("significant_text", "", true),
    ("stats", "field, script", false),
    ("sum", "field, script", false),
    ("top_hits", "", false),
    ("variable_width_histogram", "field, script", true),
    ("weighted_avg", "", false),
];

/// Aggregations that work on the answers of others.
const PIPELINES: &[&str] = &[
    "avg_bucket",
    "bucket_script",
    "cumulative_sum",
    "extended_stats_bucket",
    "max_bucket",
    "min_bucket",
    "percentiles_bucket",
    "serial_diff",
    "stats_bucket",
    "sum_bucket",
];

/// Names of the allowed aggregations.
const ALLOWED: &[&str] =
    &["cardinality", "composite", "date_range", "filter", "filters", "missing", "range", "terms", "value_count"];

/// Parses the aggregations of a request, or of a parent aggregation.
///
/// # Errors
/// With the messages of 9.5.3, if the input is invalid.
pub fn parse(node: &Node) -> Parsed<Vec<Agg>> {
    let mut found = Vec::new();
    for member in node.members().unwrap_or_default() {
        let name = member.name.as_str();
        if name.is_empty() || name.contains(['[', ']', '>']) {
            let reason = format!(
                "Invalid aggregation name [{name}]. Aggregation names can contain any character except '[', ']', and '>'"
            );
            return parsing(&Node { at: member.at, ..member.value.clone() }, reason);
        }
        if member.value.members().is_none() {
            let token = member.value.token();
            let reason =
                format!("Aggregation definition for [{name} starts with a [{token}], expected a [START_OBJECT].");
            return parsing(&member.value, reason);
        }
        found.push(one(name, &member.value)?);
    }
    Ok(found)
}

fn one(name: &str, node: &Node) -> Parsed<Agg> {
    let (mut kind, mut subs, mut meta): (Option<(&str, Kind)>, Option<Vec<Agg>>, _) = (None, None, None);
    for member in node.members().unwrap_or_default() {
        let (field, value) = (member.name.as_str(), &member.value);
        if value.members().is_none() {
            let token = value.token();
            return parsing(value, format!("Expected [START_OBJECT] under [{field}], but got a [{token}] in [{name}]"));
        }
        match (field, &kind) {
            ("meta", _) => meta = value.members().map(|members| object(members).into()),
            ("aggs" | "aggregations", _) => {
                if subs.is_some() {
                    return parsing(value, format!("Found two sub aggregation definitions under [{name}]"));
                }
                subs = Some(parse(value)?);
            }
            (_, Some((first, _))) => {
                return parsing(
                    value,
                    format!("Found two aggregation type definitions in [{name}]: [{first}] and [{field}]"),
                );
            }
            _ => kind = Some((field, body(name, field, value)?)),
        }
    }
    let Some((written, kind)) = kind else {
        return parsing_at_end(node, format!("Missing definition for aggregation [{name}]"));
    };
    let leaf = match &kind {
        Kind::Cardinality(_) | Kind::ValueCount(_) => true,
        Kind::Foreign(kind) => FOREIGN.iter().any(|(name, _, parent)| name == kind && !parent),
        _ => false,
    };
    if leaf && subs.as_ref().is_some_and(|subs| !subs.is_empty()) {
        return illegal_at_end(node, format!("Aggregator [{name}] of type [{written}] cannot accept sub-aggregations"));
    }
    Ok(Agg { name: name.to_owned(), kind, subs: subs.unwrap_or_default(), meta })
}

fn body(name: &str, kind: &str, node: &Node) -> Parsed<Kind> {
    match kind {
        "terms" => terms(name, node),
        "range" | "date_range" => ranges(kind, node),
        "missing" => source(kind, node, &[], |_, _| Ok(())).map(Kind::Missing),
        "value_count" => source(kind, node, &[], |_, _| Ok(())).map(Kind::ValueCount),
        "cardinality" => {
            let fields =
                [("precision_threshold", Need::Number), ("rehash", Need::Flag), ("execution_hint", Need::Text)];
            let check = |field: &str, value: &Node| match (field, integer_of(field, value)?) {
                ("precision_threshold", Some(least)) if least < 0 => super::object::illegal(
                    value,
                    format!("[precisionThreshold] must be greater than or equal to 0. Found [{least}] in [{name}]"),
                ),
                _ => Ok(()),
            };
            source(kind, node, &fields, check).map(Kind::Cardinality)
        }
        "filter" => parse::parse(node).map(Kind::Filter),
        "filters" => filters(name, node),
        "composite" => composite(node),
        other => foreign(name, other, node),
    }
}

fn integer_of(field: &str, value: &Node) -> Parsed<Option<i64>> {
    if field == "precision_threshold" { integer(value).map(Some) } else { Ok(None) }
}

fn foreign(name: &str, kind: &str, node: &Node) -> Parsed<Kind> {
    if let Some((known, needed, _)) = FOREIGN.iter().find(|(known, ..)| *known == kind) {
        foreign_fields(kind, node)?;
        if !needed.is_empty() && node.get("field").is_none() && node.get("script").is_none() {
            return illegal_at_end(node, format!("Required one of fields [{needed}], but none were specified."));
        }
        return Ok(Kind::Foreign(known));
    }
    if let Some(known) = PIPELINES.iter().find(|known| **known == kind) {
        if node.get("buckets_path").is_none() {
            return match kind {
                "bucket_script" => illegal_at_end(node, "Required [buckets_path, script]"),
                "serial_diff" => parsing_at_end(
                    node,
                    format!("Missing required field [buckets_path] for derivative aggregation [{name}]"),
                ),
                _ => parsing_at_end(node, format!("Missing required field [buckets_path] for aggregation [{name}]")),
            };
        }
        return Ok(Kind::Pipeline(known));
    }
    let known: Vec<&str> = FOREIGN
        .iter()
        .map(|(name, ..)| *name)
        .chain(PIPELINES.iter().copied())
        .chain(ALLOWED.iter().copied())
        .collect();
    let hint = similar(kind, &known);
    let at = node.at;
    let cause = EsError::new(400, "named_object_not_found_exception", format!("[{at}] unknown field [{kind}]"));
    let error = EsError::new(400, "parsing_exception", format!("Unknown aggregation type [{kind}]{hint}"));
    Err(Fault { at, error: error.with("line", at.line).with("col", at.column).because(cause) })
}

/// Refuses unknown fields of the most common unsupported aggregations, which are noticed first.
fn foreign_fields(kind: &str, node: &Node) -> Parsed<()> {
    let own: &[&str] = match kind {
        "avg" | "max" | "min" | "stats" | "sum" => &[],
        "date_histogram" => &[
            "calendar_interval",
            "fixed_interval",
            "time_zone",
            "offset",
            "keyed",
            "min_doc_count",
            "order",
            "extended_bounds",
            "hard_bounds",
        ],
        "histogram" => &["interval", "offset", "keyed", "min_doc_count", "order", "extended_bounds", "hard_bounds"],
        _ => return Ok(()),
    };
    let common = ["field", "missing", "value_type", "format", "script"];
    let fields: Vec<(&str, Need)> = common.iter().chain(own).map(|name| (*name, Need::Any)).collect();
    members(node, kind, &fields, |member| match member.name.as_str() {
        "calendar_interval" | "fixed_interval" => interval(member.name == "calendar_interval", &member.value).map(drop),
        _ => Ok(()),
    })
}

fn ranges(kind: &str, node: &Node) -> Parsed<Kind> {
    let dates = kind == "date_range";
    let mut fields = vec![("ranges", Need::Array), ("keyed", Need::Flag)];
    if dates {
        fields.push(("time_zone", Need::Scalar));
    }
    let (mut list, mut keyed, mut at) = (Vec::new(), false, Zone::default());
    let source = source(kind, node, &fields, |field, value| {
        match field {
            "keyed" => keyed = flag(value)?,
            "time_zone" => at = zone(value)?,
            _ => {
                for element in value.elements().unwrap_or_default() {
                    list.push(one_range(element, value)?);
                }
            }
        }
        Ok(())
    })?;
    Ok(Kind::Range(Ranges { source, dates, keyed, zone: at, list }))
}

fn one_range(node: &Node, array: &Node) -> Parsed<OneRange> {
    if node.members().is_none() {
        // The reader has gone on to the next token by then.
        let reason = format!("[{}] [range] Expected START_OBJECT but was: END_ARRAY", array.end);
        return Err(Fault { at: array.end, error: EsError::new(400, "x_content_parse_exception", reason) });
    }
    let mut range = OneRange::default();
    let fields = [("key", Need::Scalar), ("from", Need::Any), ("to", Need::Any)];
    members(node, "range", &fields, |member| {
        let value = &member.value;
        let bound = || match &value.kind {
            Json::Text(text) => Ok(Some(Bound::Text(text.clone()))),
            Json::Number(_) => decimal(value).map(|number| Some(Bound::Number(number))),
            _ => Ok(None),
        };
        match member.name.as_str() {
            "key" => range.key = value.scalar(),
            "from" => range.from = bound()?,
            _ => range.to = bound()?,
        }
        Ok(())
    })?;
    Ok(range)
}

fn filters(name: &str, node: &Node) -> Parsed<Kind> {
    let (mut list, mut keyed, mut named) = (Vec::new(), true, false);
    let (mut other, mut other_key) = (None, None);
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        match (member.name.as_str(), &value.kind) {
            ("filters", Json::Object(queries)) => {
                named = true;
                for query in queries {
                    list.push((Some(query.name.clone()), parse::parse(&query.value)?));
                }
                list.sort_by(|a, b| a.0.cmp(&b.0));
            }
            ("filters", Json::Array(queries)) => {
                for query in queries {
                    list.push((None, parse::parse(query)?));
                }
            }
            ("other_bucket", Json::Bool(wanted)) => other = Some(*wanted),
            ("keyed", Json::Bool(wanted)) => keyed = *wanted,
            ("other_bucket_key", Json::Text(key)) => other_key = Some(key.clone()),
            (key, _) => {
                return parsing(value, format!("Unknown key for a {} in [{name}]: [{key}].", value.token()));
            }
        }
    }
    if list.is_empty() {
        return illegal_at_end(node, "[filters] cannot be empty.");
    }
    let wanted = other.unwrap_or(other_key.is_some());
    let other = wanted.then(|| other_key.unwrap_or_else(|| "_other_".to_owned()));
    Ok(Kind::Filters(Filters { list, keyed: keyed && named, other }))
}
