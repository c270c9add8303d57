//! Checks of aggregations: those that API keys allow, on which fields, and errors that only appear when they meet the
//! types of the fields.

use super::{
    agg::{Agg, Bound, Composite, CompositeSource, CompositeValues, Kind, Order, Ranges, Source, Terms},
    bucket_limit::{MAX_BUCKETS, too_many},
    date_format::DateFormat,
    rounding::Interval,
    values::{Column, Key},
    zone::Zone,
};
use crate::sandbox::{
    http::error::{EsError, Outcome, shard_failure},
    keys::fields::{self, INDEX, bad_date, check_field, check_types, index_name},
    query::dates,
};
use serde_json::Value;
use std::borrow::Cow;

/// Refuses aggregations and fields that are not allowed for API keys.
///
/// # Errors
/// With the messages of 9.5.3, if something is not allowed.
pub fn check_allowed(aggs: &[Agg]) -> Outcome<()> {
    for agg in aggs {
        if let Kind::Pipeline(kind) = agg.kind {
            return Err(EsError::illegal(format!("Unsupported aggregation of type [{kind}]")));
        }
    }
    for agg in aggs {
        // What lies below is looked at first.
        check_allowed(&agg.subs)?;
        match &agg.kind {
            Kind::Foreign(kind) | Kind::Pipeline(kind) => {
                return Err(EsError::illegal(format!("Unsupported API Keys agg [{}] of type [{kind}]", agg.name)));
            }
            Kind::Filter(query) => fields::check_allowed(query)?,
            Kind::Filters(filters) => {
                filters.list.iter().try_for_each(|(_, query)| fields::check_allowed(query))?;
            }
            Kind::Composite(composite) => {
                composite.sources.iter().try_for_each(|source| check_source(&agg.name, source))?;
            }
            Kind::Terms(Terms { source, .. })
            | Kind::Range(Ranges { source, .. })
            | Kind::Missing(source)
            | Kind::Cardinality(source)
            | Kind::ValueCount(source) => {
                if source.script {
                    let name = &agg.name;
                    return Err(EsError::illegal(format!("Unsupported script value source for [{name}] agg")));
                }
                check_field(source.field())?;
            }
        }
    }
    Ok(())
}

fn check_source(agg: &str, source: &CompositeSource) -> Outcome<()> {
    let name = &source.name;
    if source.source.script {
        let reason = format!("Unsupported script value source for [{name}] of composite agg [{agg}]");
        return Err(EsError::illegal(reason));
    }
    match &source.source.field {
        Some(field) => check_field(field),
        // As the server falls over it.
        None => Err(EsError::new(
            500,
            "null_pointer_exception",
            "Cannot invoke \"String.indexOf(int)\" because \"str\" is null",
        )),
    }
}

/// Refuses aggregations with errors that only appear when they meet the types of the fields.
///
/// # Errors
/// Returns the error as a failure of the only shard.
pub fn check_shard(aggs: &[Agg], now: i64) -> Outcome<()> {
    build(aggs, None, now).and_then(|()| check_orders(aggs)).map_err(|error| {
        // Queries inside have made theirs already.
        if error.roots.is_empty() { shard_failure(INDEX, error) } else { error }
    })
}

fn build(aggs: &[Agg], parent: Option<&'static str>, now: i64) -> Outcome<()> {
    for agg in aggs {
        let mut factory = parent;
        match &agg.kind {
            Kind::Terms(terms) => {
                check_values(&terms.source)?;
                factory = Some("TermsAggregatorFactory");
            }
            Kind::Range(ranges) => {
                check_ranges(&agg.name, ranges, now)?;
                factory = Some(if ranges.dates { "DateRangeAggregatorFactory" } else { "RangeAggregatorFactory" });
            }
            Kind::Missing(source) => {
                check_values(source)?;
                factory = Some("MissingAggregatorFactory");
            }
            Kind::Cardinality(source) | Kind::ValueCount(source) => check_values(source)?,
            Kind::Filter(query) => check_types(query, now).map_err(plain)?,
            Kind::Filters(filters) => {
                filters.list.iter().try_for_each(|(_, query)| check_types(query, now).map_err(plain))?;
                factory = Some("FiltersAggregatorFactory");
            }
            Kind::Composite(composite) => {
                if let Some(parent) = parent {
                    return Err(EsError::illegal(format!(
                        "[composite] aggregation cannot be used with a parent aggregation of type: [{parent}]"
                    )));
                }
                check_composite(&agg.name, composite)?;
                factory = Some("CompositeAggregationFactory");
            }
            Kind::Foreign(_) | Kind::Pipeline(_) => {}
        }
        build(&agg.subs, factory, now)?;
    }
    Ok(())
}

/// Returns the failure of a query inside an aggregation without the wrapper for the whole query.
fn plain(error: Box<EsError>) -> Box<EsError> {
    let inner = error.roots.first().filter(|root| root.kind == "query_shard_exception");
    match inner.and_then(|root| root.cause.clone()) {
        Some(cause) => cause,
        None => error,
    }
}

fn check_values(source: &Source) -> Outcome<()> {
    let column = Column::of(source.field());
    if let Some(format) = &source.format {
        match column {
            Column::Date(_) => DateFormat::parse(format).map(|_| ())?,
            _ => {
                let (name, kind) = (index_name(source.field()), column.type_name());
                let reason = format!("Field [{name}] of type [{kind}] does not support custom formats");
                return Err(EsError::illegal(reason));
            }
        }
    }
    if let (Column::Date(_), Some(missing)) = (&column, &source.missing) {
        let text = missing.as_str().map_or_else(|| missing.to_string(), str::to_owned);
        if text.parse::<i64>().is_err() {
            return Err(bad_date(&text, "epoch_millis"));
        }
    }
    Ok(())
}

fn unsupported(source: &Source, kind: &str) -> Box<EsError> {
    let (name, of_type) = (index_name(source.field()), Column::of(source.field()).type_name());
    EsError::illegal(format!("Field [{name}] of type [{of_type}] is not supported for aggregation [{kind}]"))
}

fn check_ranges(agg: &str, ranges: &Ranges, now: i64) -> Outcome<()> {
    let column = Column::of(ranges.source.field());
    if !matches!(column, Column::Date(_) | Column::Invalidated) {
        return Err(unsupported(&ranges.source, if ranges.dates { "date_range" } else { "range" }));
    }
    if ranges.list.is_empty() {
        return Err(EsError::illegal(format!("No [ranges] specified for the [{agg}] aggregation")));
    }
    check_values(&ranges.source)?;
    bounds(ranges, &column, now).map(|_| ())
}

/// Key and bounds of a range: from inclusive, to exclusive.
type Limits = (Option<String>, Option<f64>, Option<f64>);

/// Converts the bounds of ranges to numbers.
///
/// # Errors
/// If a bound is not a date although the field requires one.
pub fn bounds(ranges: &Ranges, column: &Column, now: i64) -> Outcome<Vec<Limits>> {
    let one = |bound: &Option<Bound>| -> Outcome<Option<f64>> {
        match bound {
            None => Ok(None),
            Some(bound) => number(ranges, column, bound, now).map(Some),
        }
    };
    ranges.list.iter().map(|range| Ok((range.key.clone(), one(&range.from)?, one(&range.to)?))).collect()
}

fn number(ranges: &Ranges, column: &Column, bound: &Bound, now: i64) -> Outcome<f64> {
    let format = ranges.source.format.as_deref();
    let text = match (bound, column) {
        (Bound::Number(number), Column::Date(_)) if !ranges.dates || format.is_none() => return Ok(*number),
        (Bound::Number(number), Column::Invalidated) if !ranges.dates => return Ok(*number),
        (Bound::Number(number), _) => format!("{number:.0}"),
        (Bound::Text(text), _) => text.clone(),
    };
    if matches!(column, Column::Invalidated) {
        return match text.as_str() {
            "true" => Ok(1.0),
            "false" | "" => Ok(0.0),
            other => Err(no_flag(other)),
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "the server compares as doubles, too")]
    let read = dates::parse_in(&text, format, now, false, ranges.zone.time_zone()).map(|at| at as f64);
    read.ok_or_else(|| bad_date(&text, format.unwrap_or("epoch_millis")))
}

fn no_flag(text: &str) -> Box<EsError> {
    EsError::illegal(format!("Cannot parse boolean [{text}], expected either [true] or [false]"))
}

fn check_composite(agg: &str, composite: &Composite) -> Outcome<()> {
    // As the server falls over them.
    if composite.size < 0 {
        return Err(EsError::new(500, "negative_array_size_exception", composite.size.to_string()));
    }
    if composite.size == 0 {
        let reason = "Cannot invoke \"java.lang.Integer.intValue()\" because the return value of \"org.elasticsearch.search.aggregations.bucket.composite.CompositeValuesCollectorQueue.top()\" is null";
        return Err(EsError::new(500, "null_pointer_exception", reason));
    }
    if usize::try_from(composite.size).unwrap_or(usize::MAX) > MAX_BUCKETS {
        return Err(too_many(&format!("was [{}]", composite.size)));
    }
    for source in &composite.sources {
        let column = Column::of(source.source.field());
        let fits = match &source.values {
            CompositeValues::Terms => true,
            CompositeValues::Tiles => false,
            CompositeValues::Dates { .. } | CompositeValues::Steps(_) => matches!(column, Column::Date(_)),
        };
        match &source.values {
            CompositeValues::Dates { interval: None, .. } => {
                return Err(EsError::illegal("Invalid interval specified, must be non-null and non-empty"));
            }
            CompositeValues::Dates { interval: Some(Interval::Fixed(length)), .. } if *length <= 0 => {
                return Err(EsError::illegal("Zero or negative time interval not supported"));
            }
            _ => {}
        }
        if source.missing_first.is_some() && !source.missing_bucket {
            return Err(EsError::illegal("missingOrder can only be set if missingBucket is true"));
        }
        if !fits {
            return Err(unsupported(&source.source, source.values.name()));
        }
        check_values(&source.source)?;
    }
    after_keys(agg, composite).map(|_| ())
}

/// Returns the values after which the page begins, `None` for the first page.
///
/// # Errors
/// If the values do not match the sources.
pub fn after_keys(agg: &str, composite: &Composite) -> Outcome<Option<Vec<Key<'static>>>> {
    let Some(after) = &composite.after else { return Ok(None) };
    let (given, wanted) = (after.len(), composite.sources.len());
    if given != wanted {
        return Err(EsError::illegal(format!("[after] has {given} value(s) but [sources] has {wanted}")));
    }
    let keys = composite.sources.iter().enumerate().map(|(place, source)| {
        let name = &source.name;
        let Some((_, value)) = after.iter().find(|(other, _)| other == name) else {
            return Err(EsError::illegal(format!("Missing value for [after.{name}]")));
        };
        if value.is_null() {
            if source.missing_bucket {
                return Ok(Key::Missing);
            }
            return Err(EsError::illegal(format!("Invalid value for [after.{name}], expected comparable, got [null]")));
        }
        after_key(source, value).map_err(|error| {
            if error.kind == "parse_exception" {
                return error;
            }
            let reason = format!("incompatible value in the position {place}: {}", error.reason);
            let whole = format!("Cannot set after key in the composite aggregation [{agg}] - {reason}");
            EsError::parse(whole).because(EsError::illegal(reason).because(error))
        })
    });
    keys.collect::<Outcome<_>>().map(Some)
}

fn after_key(source: &CompositeSource, value: &Value) -> Outcome<Key<'static>> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match Column::of(source.source.field()) {
        Column::Text(_) | Column::Metadata(_) => match value {
            Value::String(text) => Ok(Key::Text(Cow::Owned(text.clone()))),
            other => Err(EsError::illegal(format!("invalid value, expected string, got {}", java_class(other)))),
        },
        Column::Invalidated => match text.as_str() {
            "true" => Ok(Key::Number(1)),
            "false" => Ok(Key::Number(0)),
            other => Err(no_flag(other)),
        },
        Column::Date(_) => {
            if let (CompositeValues::Dates { zone, .. }, Some(format)) = (&source.values, &source.source.format) {
                return formatted(&text, format, zone);
            }
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as Java's does")]
            let number = text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64));
            let wrong = || EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
            number.map(Key::Number).ok_or_else(wrong)
        }
    }
}

fn formatted(text: &str, format: &str, zone: &Zone) -> Outcome<Key<'static>> {
    dates::parse_in(text, Some(format), 0, false, zone.time_zone()).map(Key::Number).ok_or_else(|| {
        let reason = format!("failed to parse date field [{text}] with format [{format}]");
        let deep = format!("Text '{text}' could not be parsed at index 0");
        let deep = EsError::new(400, "date_time_parse_exception", deep);
        EsError::parse(format!("{reason}: [{reason}]")).because(EsError::illegal(reason).because(deep))
    })
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => "Integer",
        Value::Number(number) if number.is_i64() => "Long",
        Value::Number(_) => "Double",
        Value::Array(_) => "ArrayList",
        _ => "HashMap",
    }
}

fn check_orders(aggs: &[Agg]) -> Outcome<()> {
    for agg in aggs {
        if let Kind::Terms(terms) = &agg.kind {
            let paths = terms.order.iter().filter(|order| !matches!(order.path.as_str(), "_count" | "_key"));
            paths.into_iter().try_for_each(|order| check_order(agg, order))?;
        }
        check_orders(&agg.subs)?;
    }
    Ok(())
}

fn check_order(agg: &Agg, order: &Order) -> Outcome<()> {
    let path = &order.path;
    let fault = |problem: String| {
        let reason = format!("Invalid aggregation order path [{path}]. {problem}");
        Err(EsError::new(400, "invalid_path", reason).because(EsError::illegal(problem)))
    };
    let mut above = &agg.subs;
    let mut steps = path.split('>').peekable();
    while let Some(step) = steps.next() {
        let name = step.split(['.', '[']).next().unwrap_or_default();
        let value = step.get(name.len()..).unwrap_or_default().trim_start_matches(['.', '[']).trim_end_matches(']');
        let Some(sub) = above.iter().find(|sub| sub.name == name) else {
            return fault(format!(
                "The provided aggregation [{name}] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets."
            ));
        };
        match &sub.kind {
            Kind::Cardinality(_) | Kind::ValueCount(_) if steps.peek().is_none() => {
                if !matches!(value, "" | "value") {
                    return fault(format!(
                        "Ordering on a single-value metrics aggregation can only be done on its value. Either drop the key (a la \"{name}\") or change it to \"value\" (a la \"{name}.value\")"
                    ));
                }
            }
            Kind::Filter(_) | Kind::Missing(_) if matches!(value, "" | "doc_count") => {}
            _ => {
                return fault("Buckets can only be sorted on a sub-aggregator path that is built out of zero or more single-bucket aggregations within the path and a final single-bucket or a metrics aggregation at the path end.".to_owned());
            }
        }
        above = &sub.subs;
    }
    Ok(())
}
