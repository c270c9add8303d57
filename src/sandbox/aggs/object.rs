//! Reads the members of an object as Elasticsearch's parsers do, with their refusals: unknown fields, values of the
//! wrong type, and the chain of parsers that failed.

use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind, Member, Node,
        fault::{Fault, Parsed, content, unknown_field},
    },
};

/// Type of value that a field requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// String.
    Text,
    /// Number, or a string that contains one.
    Number,
    /// Boolean, or a string that contains one.
    Flag,
    /// Scalar of any type.
    Scalar,
    /// Object.
    Object,
    /// Object or array of objects.
    Objects,
    /// Array of any values.
    Array,
    /// Value of any type.
    Any,
}

impl Need {
    fn takes(self, node: &Node) -> bool {
        match &node.kind {
            Kind::Null => self == Need::Any,
            Kind::Bool(_) => matches!(self, Need::Flag | Need::Scalar | Need::Any),
            Kind::Number(_) => matches!(self, Need::Number | Need::Scalar | Need::Any),
            Kind::Text(_) => matches!(self, Need::Text | Need::Number | Need::Flag | Need::Scalar | Need::Any),
            Kind::Array(_) => matches!(self, Need::Objects | Need::Array | Need::Any),
            Kind::Object(_) => matches!(self, Need::Object | Need::Objects | Need::Any),
        }
    }
}

/// Passes the members of an object, each with a known name and type, to `each`; its errors are wrapped.
pub fn members(
    node: &Node,
    parser: &str,
    fields: &[(&str, Need)],
    mut each: impl FnMut(&Member) -> Parsed<()>,
) -> Parsed<()> {
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        let name = member.name.as_str();
        let Some((_, need)) = fields.iter().find(|(field, _)| *field == name) else {
            let known: Vec<&str> = fields.iter().map(|(field, _)| *field).collect();
            return Err(Fault { at: value.at, error: unknown_field(member.at, parser, name, &known) });
        };
        if !need.takes(value) {
            let reason = format!("[{}] [{parser}] {name} doesn't support values of type: {}", value.at, value.token());
            return Err(Fault { at: value.at, error: content(reason) });
        }
        each(member).map_err(|fault| {
            let reason = format!("[{}] [{parser}] failed to parse field [{name}]", fault.at);
            Fault { at: fault.at, error: content(reason).because(fault.error) }
        })?;
    }
    Ok(())
}

/// Refuses a value, with its position as separate fields.
pub fn parsing<T>(node: &Node, reason: String) -> Parsed<T> {
    let (line, column) = (node.at.line, node.at.column);
    let error = EsError::new(400, "parsing_exception", reason).with("line", line).with("col", column);
    Err(Fault { at: node.at, error })
}

/// Refuses a value, with the position of its end as separate fields.
pub fn parsing_at_end<T>(node: &Node, reason: String) -> Parsed<T> {
    parsing(&Node { at: node.end, ..node.clone() }, reason)
}

/// Refuses a value that has the right type but is invalid.
pub fn illegal<T>(node: &Node, reason: impl Into<String>) -> Parsed<T> {
    Err(Fault { at: node.at, error: EsError::illegal(reason) })
}

/// Refuses a value that has the right type but is invalid, with the position of its end.
pub fn illegal_at_end<T>(node: &Node, reason: impl Into<String>) -> Parsed<T> {
    Err(Fault { at: node.end, error: EsError::illegal(reason) })
}

/// Reads a boolean.
pub fn flag(node: &Node) -> Parsed<bool> {
    match node.scalar().as_deref() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        other => {
            let value = other.unwrap_or_default();
            illegal(node, format!("Failed to parse value [{value}] as only [true] or [false] are allowed."))
        }
    }
}

/// Reads an integer; fractions are cut off, as in Elasticsearch.
pub fn integer(node: &Node) -> Parsed<i64> {
    let value = decimal(node)?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the range is checked below")]
    let whole = value as i64;
    if i32::try_from(whole).is_err() {
        let text = node.scalar().unwrap_or_default();
        let reason = format!("[{}] Numeric value ({text}) out of range of int ({} - {})", node.end, i32::MIN, i32::MAX);
        return Err(Fault { at: node.at, error: content(reason) });
    }
    Ok(whole)
}

/// Reads a number.
pub fn decimal(node: &Node) -> Parsed<f64> {
    let text = node.scalar().unwrap_or_default();
    text.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| {
        let error = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
        Fault { at: node.at, error }
    })
}
