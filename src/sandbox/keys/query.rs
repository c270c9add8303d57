//! Queries of API keys: parsing, filtering by the caller's privileges, and answering; refusals as seen on 9.5.3.

use super::{
    fields::{INDEX, check_allowed, check_field, check_types},
    matching::{ScanPlan, creation_window},
    page::page,
    read::{FIELDS, describe_only},
    sort::{PARSER, Sort, SortValue, failed, read_sort, wrong_type},
};
use crate::sandbox::{
    aggs::{self, Agg},
    http::{
        context::Context,
        error::{EsError, Outcome, shard_failure},
        filter_path,
        reply::Reply,
    },
    json::{
        Kind, Node,
        fault::{content, unknown_field},
    },
    privileges::KEY_QUERY,
    query::{parse, tree::Query, window::window_problem},
    state::key::StoredKey,
};
use serde_json::{Value, json};

#[derive(Debug)]
struct Asked {
    query: Query,
    from: Option<i64>,
    size: Option<i64>,
    sort: Vec<Sort>,
    after: Option<Vec<Node>>,
    aggs: Option<Vec<Agg>>,
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
    let mut asked = Asked { query: Query::All, from: None, size: None, sort: Vec::new(), after: None, aggs: None };
    let mut double = false;
    for member in members {
        let value = &member.value;
        match member.name.as_str() {
            "query" => {
                if value.members().is_none() {
                    return Err(wrong_type(value, "query"));
                }
                asked.query = parse::parse(value).map_err(|fault| failed(fault.at, "query", fault.error))?;
            }
            "from" => asked.from = Some(number(value, "from")?),
            "size" => asked.size = Some(number(value, "size")?),
            "sort" => asked.sort = read_sort(value)?,
            "search_after" => asked.after = Some(read_after(value)?),
            "aggs" | "aggregations" => {
                if value.members().is_none() {
                    return Err(wrong_type(value, &member.name));
                }
                double |= asked.aggs.is_some();
                asked.aggs = Some(aggs::parse(value).map_err(|fault| failed(fault.at, &member.name, fault.error))?);
            }
            other => {
                let known = ["query", "from", "size", "sort", "search_after", "aggs", "aggregations"];
                return Err(unknown_field(member.at, PARSER, other, &known));
            }
        }
    }
    if double {
        return Err(content(format!("Failed to build [{PARSER}] after last required field arrived"))
            .because(EsError::illegal("Duplicate 'aggs' or 'aggregations' field")));
    }
    Ok(asked)
}

fn read_after(node: &Node) -> Outcome<Vec<Node>> {
    match &node.kind {
        Kind::Array(values) if values.is_empty() => {
            Err(failed(node.end, "search_after", EsError::illegal("Values must contains at least one value.")))
        }
        Kind::Array(values) => {
            if let Some(bad) = values.iter().find(|value| value.members().is_some() || value.elements().is_some()) {
                let reason = format!(
                    "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found [{}] inside search_after.",
                    bad.token()
                );
                let cause =
                    EsError::new(400, "parsing_exception", reason).with("line", bad.at.line).with("col", bad.at.column);
                return Err(failed(bad.at, "search_after", cause));
            }
            Ok(values.clone())
        }
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

/// `GET|POST /_security/_query/api_key`
pub fn query(context: &mut Context) -> Outcome<Reply> {
    let params = &context.request.params;
    let with_limited_by = params.flag("with_limited_by", false)?;
    let typed = params.flag("typed_keys", false)?;
    let asked = if context.request.body.is_empty() {
        Asked { query: Query::All, from: None, size: None, sort: Vec::new(), after: None, aggs: None }
    } else {
        read(&context.request.json()?)?
    };
    check_numbers(&asked)?;
    let caller = context.caller;
    let may_all = caller.holds(&KEY_QUERY, |name| name != "manage_own_api_key");
    let beyond_own = caller.restricted || caller.key.is_some() && with_limited_by;
    caller.may_by(&KEY_QUERY, |name| name != "manage_own_api_key" || !beyond_own)?;
    check_allowed(&asked.query)?;
    for sort in &asked.sort {
        if sort.nested {
            return Err(EsError::illegal("nested sorting is not currently supported in this context"));
        }
        if sort.field != "_doc" {
            check_field(&sort.field)?;
        }
    }
    let asked_aggs = asked.aggs.as_deref().unwrap_or_default();
    let (from, size) = (asked.from.unwrap_or(0), asked.size.unwrap_or(10));
    aggs::check_allowed(asked_aggs)?;
    check_types(&asked.query, context.now)?;
    asked.sort.iter().try_for_each(Sort::check)?;
    aggs::check_shard(asked_aggs, context.now)?;
    let after = start_after(&asked)?;
    if let Some(error) = window_problem(from, size) {
        return Err(shard_failure(INDEX, error));
    }
    asked.sort.iter().try_for_each(Sort::check_missing)?;
    let own = |key: &StoredKey| match &caller.key {
        Some((id, _)) => key.id == *id,
        None => key.username == caller.username && key.realm.name == caller.realm.name,
    };
    let now = context.now;
    let plan = ScanPlan::of(&asked.query, now);
    let wanted = |key: &&StoredKey| (may_all || own(key)) && plan.accepts(key);
    let cluster = &*context.cluster;
    let (oldest, newest) = creation_window(&asked.query, now);
    let found: Vec<&StoredKey> = if (oldest, newest) == (i64::MIN, i64::MAX) {
        cluster.keys().iter().filter(wanted).collect()
    } else {
        cluster.created(oldest, newest).filter(wanted).collect()
    };
    // What `filter_path` will cut off need not be made.
    let filter = params.get("filter_path").unwrap_or_default();
    let unwanted: Vec<&str> =
        FIELDS.into_iter().filter(|name| !filter_path::wants(filter, &["api_keys", name])).collect();
    let taken = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let rows: Vec<Value> = page(&asked.sort, after.as_deref(), &found, taken(from), taken(size))
        .into_iter()
        .map(|key| {
            let mut row = describe_only(key, with_limited_by, &|name| !unwanted.contains(&name));
            if !asked.sort.is_empty() {
                row["_sort"] = asked.sort.iter().map(|sort| sort.show(&sort.value(key))).collect();
            }
            row
        })
        .collect();
    let mut answer = json!({ "total": found.len(), "count": rows.len(), "api_keys": rows });
    // Where nothing is found, aggregations aren't answered either.
    if !asked_aggs.is_empty() && !found.is_empty() {
        answer["aggregations"] = aggs::run(asked_aggs, &found, &aggs::Around::new(cluster, now, typed))?;
    }
    Ok(Reply::ok(answer))
}

fn start_after(asked: &Asked) -> Outcome<Option<Vec<SortValue<'static>>>> {
    let Some(after) = &asked.after else { return Ok(None) };
    if asked.sort.is_empty() {
        return Err(shard_failure(INDEX, EsError::illegal("Sort must contain at least one field.")));
    }
    if after.len() != asked.sort.len() {
        let reason = format!("search_after has {} value(s) but sort has {}.", after.len(), asked.sort.len());
        return Err(shard_failure(INDEX, EsError::illegal(reason)));
    }
    let values = asked.sort.iter().zip(after).enumerate();
    values.map(|(number, (sort, node))| sort.read(node, number)).collect::<Outcome<_>>().map(Some)
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
