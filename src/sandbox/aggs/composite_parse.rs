//! Parser of the aggregation `composite` and its sources, with the refusals of 9.5.3.

use super::{
    agg::{Composite, CompositeSource, CompositeValues, Kind, Source},
    object::{Need, decimal, flag, illegal, illegal_at_end, integer, members, parsing, parsing_at_end},
    rounding::{Interval, Unit},
    source::zone,
    zone::Zone,
};
use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind as Json, Member, Node,
        fault::{Fault, Parsed, content},
        object,
    },
    query::time_unit,
};

/// Parses the aggregation.
pub fn composite(node: &Node) -> Parsed<Kind> {
    let fields = [("sources", Need::Objects), ("size", Need::Number), ("after", Need::Object)];
    let (mut sources, mut size, mut after) = (None, 10, None);
    members(node, "composite", &fields, |member| {
        let value = &member.value;
        match member.name.as_str() {
            "sources" => sources = Some(read_sources(value)?),
            "size" => size = integer(value)?,
            _ => after = value.members().map(|members| object(members).into_iter().collect()),
        }
        Ok(())
    })?;
    match sources {
        Some(sources) => Ok(Kind::Composite(Composite { sources, size, after })),
        None => illegal_at_end(node, "Required [sources]"),
    }
}

fn read_sources(node: &Node) -> Parsed<Vec<CompositeSource>> {
    let elements = node.elements().unwrap_or(std::slice::from_ref(node));
    let sources: Vec<CompositeSource> = elements.iter().map(one).collect::<Parsed<_>>()?;
    let names = || sources.iter().map(|source| source.name.as_str());
    let double = names().enumerate().find(|(place, name)| names().take(*place).any(|other| other == *name));
    let problem = match double {
        _ if sources.is_empty() => "Composite [sources] cannot be null or empty".to_owned(),
        Some((_, name)) => format!("Composite source names must be unique, found duplicates: [{name}]"),
        None => return Ok(sources),
    };
    let built = content("Failed to build [composite] after last required field arrived".to_owned());
    Err(Fault { at: node.end, error: built.because(EsError::illegal(problem)) })
}

fn expected<T>(node: &Node, wanted: &str, found: &str, at_end: bool) -> Parsed<T> {
    let reason = format!("Failed to parse object: expecting token of type [{wanted}] but found [{found}]");
    if at_end { parsing_at_end(node, reason) } else { parsing(node, reason) }
}

/// Returns the only member of an object.
fn only(node: &Node) -> Parsed<&Member> {
    let Some(members) = node.members() else { return expected(node, "START_OBJECT", node.token(), false) };
    let Some(first) = members.first() else { return expected(node, "FIELD_NAME", "END_OBJECT", true) };
    if let Some(second) = members.get(1) {
        // The server takes what follows for the next source.
        one(&second.value)?;
        let name = Node { at: second.at, ..second.value.clone() };
        return expected(&name, "END_OBJECT", "FIELD_NAME", false);
    }
    Ok(first)
}

fn one(node: &Node) -> Parsed<CompositeSource> {
    let outer = only(node)?;
    let inner = only(&outer.value)?;
    let (kind, body) = (inner.name.as_str(), &inner.value);
    if body.members().is_none() {
        return expected(body, "START_OBJECT", body.token(), false);
    }
    let own: &[(&str, Need)] = match kind {
        "terms" => &[],
        "date_histogram" => &[
            ("format", Need::Text),
            ("calendar_interval", Need::Text),
            ("fixed_interval", Need::Text),
            ("offset", Need::Scalar),
            ("time_zone", Need::Scalar),
        ],
        "histogram" => &[("interval", Need::Number)],
        "geotile_grid" => &[("precision", Need::Number), ("bounds", Need::Object)],
        other => return parsing(body, format!("invalid source type: {other}")),
    };
    read_source(&outer.name, kind, body, own)
}

fn read_source(name: &str, kind: &str, body: &Node, own: &[(&str, Need)]) -> Parsed<CompositeSource> {
    let mut fields = vec![
        ("field", Need::Text),
        ("missing_bucket", Need::Flag),
        ("missing_order", Need::Text),
        ("script", Need::Any),
        ("value_type", Need::Text),
        ("order", Need::Text),
    ];
    fields.extend(own);
    let (mut length, mut by_calendar, mut at, mut offset, mut step) = (None, None, Zone::default(), 0, 0.0);
    let mut source = Source::default();
    let (mut descending, mut missing_bucket, mut missing_first) = (false, false, None);
    members(body, kind, &fields, |member| {
        let (field, value) = (member.name.as_str(), &member.value);
        match field {
            "field" => source.field = value.scalar(),
            "format" => source.format = value.scalar(),
            "script" => source.script = true,
            "missing_bucket" => missing_bucket = flag(value)?,
            "missing_order" => missing_first = missing_order(value)?,
            "order" => descending = order(value)?,
            "calendar_interval" | "fixed_interval" => {
                let calendar = field == "calendar_interval";
                if by_calendar.is_some_and(|other| other != calendar) {
                    let other = if calendar { "fixed_interval" } else { "calendar_interval" };
                    return illegal(value, format!("Cannot use [{field}] with [{other}] configuration option."));
                }
                by_calendar = Some(calendar);
                length = Some(interval(calendar, value)?);
            }
            "time_zone" => at = zone(value)?,
            "offset" => offset = read_offset(value)?,
            "interval" => {
                step = decimal(value)?;
                if step <= 0.0 {
                    return illegal(value, "[interval] must be greater than 0 for [histogram] source");
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let values = match kind {
        "date_histogram" => CompositeValues::Dates { interval: length, zone: at, offset },
        "histogram" => CompositeValues::Steps(step),
        "geotile_grid" => CompositeValues::Tiles,
        _ => CompositeValues::Terms,
    };
    Ok(CompositeSource { name: name.to_owned(), source, values, descending, missing_bucket, missing_first })
}

fn order(node: &Node) -> Parsed<bool> {
    let text = node.text().unwrap_or_default().to_lowercase();
    match text.as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => {
            let reason = "No enum constant org.elasticsearch.search.sort.SortOrder.";
            illegal(node, format!("{reason}{}", text.to_uppercase()))
        }
    }
}

fn missing_order(node: &Node) -> Parsed<Option<bool>> {
    let text = node.text().unwrap_or_default().to_lowercase();
    match text.as_str() {
        "first" => Ok(Some(true)),
        "last" => Ok(Some(false)),
        "default" => Ok(None),
        _ => {
            let reason = "No enum constant org.elasticsearch.search.aggregations.bucket.composite.MissingOrder.";
            illegal(node, format!("{reason}{}", text.to_uppercase()))
        }
    }
}

/// Parses the length of intervals, calendar or fixed.
pub fn interval(calendar: bool, node: &Node) -> Parsed<Interval> {
    let text = node.text().unwrap_or_default();
    if text.is_empty() {
        return illegal(node, "[interval] must not be null: [date_histogram]");
    }
    if calendar {
        return match Unit::named(text) {
            Some(unit) => Ok(Interval::Calendar(unit)),
            None => {
                illegal(node, format!("The supplied interval [{text}] could not be parsed as a calendar interval."))
            }
        };
    }
    let length =
        time_unit::parse(text, "date_histogram.fixedInterval").map_err(|error| Fault { at: node.at, error })?;
    Ok(Interval::Fixed(length))
}

fn read_offset(node: &Node) -> Parsed<i64> {
    if let Json::Number(_) = node.kind {
        return integer(node);
    }
    let text = node.text().unwrap_or_default();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = time_unit::parse(rest, "DateHistogramAggregationBuilder.parseOffset");
    length.map(|length| sign * length).map_err(|error| Fault { at: node.at, error })
}
