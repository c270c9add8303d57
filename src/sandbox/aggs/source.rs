//! Members that several aggregations have in common: the source of their values, and the time zone.

use super::{
    agg::Source,
    object::{Need, illegal_at_end, members},
    zone::Zone,
};
use crate::sandbox::json::{
    Kind as Json, Node,
    fault::{Fault, Parsed},
};

const NO_FIELD: &str = "Required one of fields [field, script], but none were specified.";

/// Parses the members common to all aggregations that use values, and passes those in `own` to `each`.
pub fn source(
    parser: &str,
    node: &Node,
    own: &[(&str, Need)],
    mut each: impl FnMut(&str, &Node) -> Parsed<()>,
) -> Parsed<Source> {
    let mut fields = vec![
        ("field", Need::Text),
        ("missing", Need::Scalar),
        ("value_type", Need::Text),
        ("format", Need::Text),
        ("script", Need::Any),
    ];
    fields.extend(own);
    let mut source = Source::default();
    members(node, parser, &fields, |member| {
        let value = &member.value;
        match member.name.as_str() {
            "field" => source.field = value.scalar(),
            "missing" => source.missing = Some(value.to_value()),
            "format" => source.format = value.scalar(),
            "script" => source.script = true,
            "value_type" => {}
            other => each(other, value)?,
        }
        Ok(())
    })?;
    if source.field.is_none() && !source.script {
        return illegal_at_end(node, NO_FIELD);
    }
    Ok(source)
}

/// Parses a time zone: a name, or an offset in hours.
pub fn zone(node: &Node) -> Parsed<Zone> {
    let read = match &node.kind {
        Json::Number(text) => Zone::hours(text.parse().unwrap_or_default()),
        _ => Zone::named(node.text().unwrap_or_default()),
    };
    read.map_err(|error| Fault { at: node.at, error })
}
