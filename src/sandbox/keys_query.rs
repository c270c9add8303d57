//! Querying API keys: what is asked, who may see what, and pages of rows; refusals as seen on 9.5.3.

use super::cluster::StoredKey;
use super::error::{EsError, Outcome, shard_failure};
use super::json::{Kind, Node};
use super::key_fields::{INDEX, check_allowed, check_field, check_types};
use super::key_sort::{PARSER, Sort, SortValue, content, failed, read_sort, wrong_type};
use super::keys_create::unknown_field;
use super::keys_read::describe;
use super::privileges::KEY_QUERY;
use super::query_dsl::{self, Query};
use super::query_match::matches;
use super::reply::Reply;
use super::router::Context;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// `from + size` may not go beyond this; `search_after` leads on.
const WINDOW: i64 = 10_000;

#[derive(Debug)]
struct Asked {
    query: Query,
    from: Option<i64>,
    size: Option<i64>,
    sort: Vec<Sort>,
    after: Option<Vec<Node>>,
    aggregation: Option<(String, String)>,
}

fn number(node: &Node, field: &str) -> Outcome<i64> {
    let text = match &node.kind {
        Kind::Number(raw) => raw.clone(),
        Kind::Text(text) => text.clone(),
        _ => return Err(wrong_type(node, field)),
    };
    // Fractions are cut off, as Elasticsearch does.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and huge numbers are refused later")]
    let parsed = text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|value| value as i64));
    parsed.ok_or_else(|| {
        let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
        failed(node.at, field, cause)
    })
}

fn read(node: &Node) -> Outcome<Asked> {
    let Some(members) = node.members() else {
        let token = node.token();
        return Err(content(format!("[{}] [{PARSER}] Expected START_OBJECT but was: {token}", node.at)));
    };
    let mut asked =
        Asked { query: Query::All, from: None, size: None, sort: Vec::new(), after: None, aggregation: None };
    for member in members {
        let value = &member.value;
        match member.name.as_str() {
            "query" => {
                if value.members().is_none() {
                    return Err(wrong_type(value, "query"));
                }
                asked.query = query_dsl::parse(value).map_err(|fault| failed(fault.at, "query", fault.error))?;
            }
            "from" => asked.from = Some(number(value, "from")?),
            "size" => asked.size = Some(number(value, "size")?),
            "sort" => asked.sort = read_sort(value)?,
            "search_after" => asked.after = Some(read_after(value)?),
            "aggs" | "aggregations" => {
                let Some(first) = value.members().map(<[_]>::first) else {
                    return Err(wrong_type(value, &member.name));
                };
                asked.aggregation = first.and_then(|one| {
                    let kind = one.value.members()?.first()?;
                    Some((one.name.clone(), kind.name.clone()))
                });
            }
            other => {
                let known = ["query", "from", "size", "sort", "search_after", "aggs", "aggregations"];
                return Err(unknown_field(member.at, PARSER, other, &known));
            }
        }
    }
    Ok(asked)
}

fn read_after(node: &Node) -> Outcome<Vec<Node>> {
    match &node.kind {
        Kind::Array(values) if values.is_empty() => {
            Err(failed(node.end, "search_after", EsError::illegal("Values must contains at least one value.")))
        }
        Kind::Array(values) => Ok(values.clone()),
        _ => {
            let reason =
                format!("Expected [START_ARRAY] in [search_after] but found [{}] inside search_after", node.token());
            let cause =
                EsError::new(400, "parsing_exception", reason).with("line", node.at.line).with("col", node.at.column);
            Err(failed(node.at, "search_after", cause))
        }
    }
}

fn check_numbers(asked: &Asked) -> Outcome<()> {
    let mut problems = Vec::new();
    if let Some(from) = asked.from.filter(|from| *from < 0) {
        problems.push(format!("[from] parameter cannot be negative but was [{from}]"));
    }
    if let Some(size) = asked.size.filter(|size| *size < 0) {
        problems.push(format!("[size] parameter cannot be negative but was [{size}]"));
    }
    if asked.after.is_some() && asked.from.is_some_and(|from| from > 0) {
        problems.push("[from] parameter must be set to 0 when [search_after] is used".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(EsError::validation(&problems)) }
}

/// The refusal of a window too large; ordinary searches have the same.
pub fn window_problem(from: i64, size: i64) -> Option<Box<EsError>> {
    let end = from.saturating_add(size);
    (end > WINDOW).then(|| {
        EsError::illegal(format!(
            "Result window is too large, from + size must be less than or equal to: [{WINDOW}] but was [{end}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting."
        ))
    })
}

/// `GET|POST /_security/_query/api_key`
pub fn query(context: &mut Context) -> Outcome<Reply> {
    let params = &context.request.params;
    let with_limited_by = params.flag("with_limited_by", false)?;
    let asked = if context.request.body.is_empty() {
        Asked { query: Query::All, from: None, size: None, sort: Vec::new(), after: None, aggregation: None }
    } else {
        read(&context.request.json()?)?
    };
    check_numbers(&asked)?;
    let caller = context.caller;
    let may_all = caller.holds(&KEY_QUERY, |name| name != "manage_own_api_key");
    caller.may_by(&KEY_QUERY, |name| name != "manage_own_api_key" || !(caller.key.is_some() && with_limited_by))?;
    check_allowed(&asked.query)?;
    for sort in asked.sort.iter().filter(|sort| sort.field != "_doc") {
        check_field(&sort.field)?;
    }
    if let Some((name, kind)) = &asked.aggregation {
        return Err(EsError::illegal(format!("Unsupported API Keys agg [{name}] of type [{kind}]")));
    }
    let (from, size) = (asked.from.unwrap_or(0), asked.size.unwrap_or(10));
    if let Some(error) = window_problem(from, size) {
        return Err(shard_failure(INDEX, error));
    }
    check_types(&asked.query, context.now)?;
    let after = start_after(&asked)?;
    let own = |key: &StoredKey| match &caller.key {
        Some((id, _)) => key.id == *id,
        None => key.username == caller.username && key.realm.name == caller.realm.name,
    };
    let now = context.now;
    let mut rows: Vec<(Vec<SortValue>, &StoredKey)> = context
        .cluster
        .keys()
        .iter()
        .filter(|key| (may_all || own(key)) && matches(&asked.query, *key, now))
        .map(|key| (asked.sort.iter().map(|sort| sort.value(key)).collect(), key))
        .collect();
    let total = rows.len();
    let compare = |a: &[SortValue], b: &[SortValue]| {
        let mut orders = asked.sort.iter().zip(a.iter().zip(b)).map(|(sort, (a, b))| sort.compare(a, b));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    rows.sort_by(|a, b| compare(&a.0, &b.0).then(a.1.doc.cmp(&b.1.doc)));
    if let Some(after) = &after {
        rows.retain(|row| compare(&row.0, after).is_gt());
    }
    let taken = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let found: Vec<Value> = rows
        .iter()
        .skip(taken(from))
        .take(taken(size))
        .map(|(values, key)| {
            let mut row = describe(key, with_limited_by);
            if !asked.sort.is_empty() {
                row["_sort"] = asked.sort.iter().zip(values).map(|(sort, value)| sort.show(value)).collect();
            }
            row
        })
        .collect();
    Ok(Reply::ok(json!({ "total": total, "count": found.len(), "api_keys": found })))
}

fn start_after(asked: &Asked) -> Outcome<Option<Vec<SortValue>>> {
    let Some(after) = &asked.after else { return Ok(None) };
    if asked.sort.is_empty() {
        return Err(shard_failure(INDEX, EsError::illegal("Sort must contain at least one field.")));
    }
    if after.len() != asked.sort.len() {
        let reason = format!("search_after has {} value(s) but sort has {}.", after.len(), asked.sort.len());
        return Err(shard_failure(INDEX, EsError::illegal(reason)));
    }
    asked.sort.iter().zip(after).map(|(sort, node)| sort.read(node)).collect::<Outcome<_>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_at_ten_thousand() {
        assert!(window_problem(9_999, 1).is_none());
        assert!(window_problem(9_999, 2).unwrap().reason.contains("but was [10001]"));
        assert!(window_problem(i64::MAX, i64::MAX).is_some());
    }
}
