//! Common parts of the query parsers: flags, boosts, the single field, and the messages of refusals.

use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind, Member, Node, Position,
        fault::{Fault, Parsed},
    },
};

pub fn parsing<T>(at: Position, reason: String) -> Parsed<T> {
    let error = EsError::new(400, "parsing_exception", reason).with("line", at.line).with("col", at.column);
    Err(Fault { at, error })
}

pub fn illegal<T>(at: Position, reason: &str) -> Parsed<T> {
    Err(Fault { at, error: EsError::illegal(reason) })
}

/// Wraps an error as queries with an object parser report it: once as the error itself, and again as its cause.
pub fn object_parser(fault: Fault) -> Fault {
    let error = EsError::new(400, "parsing_exception", fault.error.reason.clone())
        .with("line", fault.at.line)
        .with("col", fault.at.column)
        .because(fault.error);
    Fault { at: fault.at, error }
}

pub fn wrong_type(query: &str, member: &Member) -> Fault {
    let (at, field, token) = (member.value.at, &member.name, member.value.token());
    let reason = format!("[{at}] [{query}] {field} doesn't support values of type: {token}");
    Fault { at, error: EsError::new(400, "x_content_parse_exception", reason) }
}

pub fn failed_field(query: &str, member: &Member, cause: Box<EsError>) -> Fault {
    let at = member.value.at;
    let reason = format!("[{at}] [{query}] failed to parse field [{}]", member.name);
    Fault { at, error: EsError::new(400, "x_content_parse_exception", reason).because(cause) }
}

/// Returns the error of a boost that is not a number or is negative; boosts do not affect matching.
pub fn boost_problem(query: &str, node: &Node) -> Option<Box<EsError>> {
    let text = node.scalar().unwrap_or_default();
    match text.parse::<f32>() {
        Err(_) => Some(EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""))),
        Ok(boost) if boost < 0.0 => {
            let reason =
                format!("negative [boost] are not allowed in [{query}], use a value between 0 and 1 to deboost");
            Some(EsError::illegal(reason))
        }
        Ok(_) => None,
    }
}

pub fn checked_boost(query: &str, member: &Member) -> Parsed<()> {
    if !matches!(member.value.kind, Kind::Number(_) | Kind::Text(_)) {
        return Err(wrong_type(query, member));
    }
    match boost_problem(query, &member.value) {
        Some(problem) => Err(failed_field(query, member, problem)),
        None => Ok(()),
    }
}

/// Checks `boost` and `_name` in a query with a hand-written parser.
pub fn common(query: &str, member: &Member) -> Parsed<()> {
    if member.name == "boost"
        && let Some(error) = boost_problem(query, &member.value)
    {
        return Err(Fault { at: member.value.at, error });
    }
    Ok(())
}

/// Reads a boolean.
pub fn flag(node: &Node) -> Parsed<bool> {
    match node.scalar().as_deref() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        other => {
            let shown = other.unwrap_or("null");
            let reason = format!("Failed to parse value [{shown}] as only [true] or [false] are allowed.");
            Err(Fault { at: node.at, error: EsError::illegal(reason) })
        }
    }
}

/// Refuses a feature that is understood but not supported by the practice cluster.
pub fn not_done<T>(node: &Node, what: &str) -> Parsed<T> {
    Err(Fault { at: node.at, error: EsError::not_done(what) })
}

/// Returns the only field of a query such as `{"name": …}`; `boost` and `_name` may stand beside it.
pub fn one_field<'a>(query: &str, node: &'a Node) -> Parsed<&'a Member> {
    let members = node.members().unwrap_or_default();
    let mut fields = members.iter().filter(|member| !matches!(member.name.as_str(), "boost" | "_name"));
    let Some(first) = fields.next() else {
        return illegal(node.end, "field name is null or empty");
    };
    if let Some(second) = fields.next() {
        let reason =
            format!("[{query}] query doesn't support multiple fields, found [{}] and [{}]", first.name, second.name);
        return parsing(second.value.at, reason);
    }
    Ok(first)
}

/// Returns a scalar as text, `None` for `null`; refuses arrays and objects.
pub fn text_or_null(node: &Node) -> Parsed<Option<String>> {
    match node.kind {
        Kind::Array(_) | Kind::Object(_) => {
            illegal(node.at, &format!("Expected text at {} but found {}", node.at, node.token()))
        }
        _ => Ok(node.scalar()),
    }
}
