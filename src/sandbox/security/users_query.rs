//! `_query/user`: native users, found with the query language of API keys. Fields and refusals of 9.5.3.

use super::users::describe;
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse, shard_failure},
        reply::Reply,
    },
    json::{Kind, Node, fault::unknown_field},
    keys::fields::INDEX,
    privileges::USER_QUERY,
    query::{
        matching::{FieldKind, Fields, matches},
        parse,
        tree::Query,
        window::window_problem,
    },
    state::user::User,
};
use serde_json::{Value, json};

const PARSER: &str = "query_user_request_payload";

/// User as a query sees it.
struct Row<'a> {
    name: &'a str,
    user: &'a User,
}

impl Fields for Row<'_> {
    fn id(&self) -> &str {
        self.name
    }

    fn kind(&self, field: &str) -> FieldKind {
        if field == "enabled" { FieldKind::Boolean } else { FieldKind::Keyword }
    }

    fn values(&self, field: &str) -> Vec<String> {
        let text = |text: &Option<String>| text.iter().cloned().collect();
        match field {
            "username" => vec![self.name.to_owned()],
            "roles" => self.user.roles.clone(),
            "full_name" => text(&self.user.full_name),
            "email" => text(&self.user.email),
            "enabled" => vec![self.user.enabled.to_string()],
            _ => Vec::new(),
        }
    }

    fn default_fields(&self) -> Vec<String> {
        ["username", "roles", "full_name", "email", "enabled"].map(str::to_owned).to_vec()
    }
}

fn check_field(field: &str) -> Outcome<()> {
    if matches!(field, "username" | "roles" | "full_name" | "email" | "enabled") {
        return Ok(());
    }
    let what = if field.contains('*') { "Field name pattern" } else { "Field" };
    Err(EsError::illegal(format!("{what} [{field}] is not allowed for querying or aggregation")))
}

fn check(query: &Query) -> Outcome<()> {
    let unsupported =
        |name: &str| Err(EsError::illegal(format!("Query type [{name}] is not currently supported in this context")));
    match query {
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).try_for_each(check)
        }
        Query::Term(field, ..)
        | Query::Terms(field, _)
        | Query::Match(field, ..)
        | Query::Prefix(field, ..)
        | Query::Wildcard(field, ..)
        | Query::Exists(field)
        | Query::Range(field, _) => check_field(field),
        Query::Failing(field, error) => check_field(field).and(Err(shard_failure(INDEX, error.clone()))),
        Query::Lenient(query) => check(query),
        Query::All | Query::Ids(_) | Query::Simple(..) => Ok(()),
        Query::Nothing => unsupported("match_none"),
        Query::Foreign(name, _) => unsupported(name),
        Query::Lookup => {
            Err(EsError::illegal("terms query with terms lookup is not currently supported in this context"))
        }
    }
}

fn content(reason: String) -> Box<EsError> {
    EsError::new(400, "x_content_parse_exception", reason)
}

fn failed(at: impl std::fmt::Display, field: &str, cause: Box<EsError>) -> Box<EsError> {
    content(format!("[{at}] [{PARSER}] failed to parse field [{field}]")).because(cause)
}

struct Asked {
    query: Query,
    from: i64,
    size: i64,
    sort: Vec<(String, bool)>,
    after: Option<Vec<Option<String>>>,
}

fn number(node: &Node, field: &str) -> Outcome<i64> {
    let text = node.scalar().unwrap_or_default();
    text.parse().map_err(|_| {
        let cause = EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""));
        failed(node.at, field, cause)
    })
}

/// Parses the sort fields, with `true` for descending order; other options of a sort are not supported.
fn sorts(node: &Node) -> Outcome<Vec<(String, bool)>> {
    let entries = match &node.kind {
        Kind::Array(entries) => entries.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut sorts = Vec::new();
    for entry in entries {
        match &entry.kind {
            Kind::Text(field) => sorts.push((field.clone(), false)),
            Kind::Object(members) => {
                for member in members {
                    for option in member.value.members().unwrap_or_default() {
                        if option.name != "order" {
                            let what = format!("the option [{}] of sorts of users", option.name);
                            return Err(EsError::not_done(&what));
                        }
                    }
                    let order = member.value.get("order").and_then(Node::text).unwrap_or("asc");
                    sorts.push((member.name.clone(), order.eq_ignore_ascii_case("desc")));
                }
            }
            _ => return Err(failed(entry.at, "sort", EsError::illegal("mal-formatted sort object"))),
        }
    }
    Ok(sorts)
}

fn read(context: &Context) -> Outcome<Asked> {
    let mut asked = Asked { query: Query::All, from: 0, size: 10, sort: Vec::new(), after: None };
    if context.request.body.is_empty() {
        return Ok(asked);
    }
    let node = context.request.json()?;
    let Some(members) = node.members() else {
        return Err(content(format!("[{}] [{PARSER}] Expected START_OBJECT but was: {}", node.at, node.token())));
    };
    for member in members {
        let value = &member.value;
        match member.name.as_str() {
            "query" => {
                asked.query = parse::parse(value).map_err(|fault| failed(fault.at, "query", fault.error))?;
            }
            "from" => asked.from = number(value, "from")?,
            "size" => asked.size = number(value, "size")?,
            "sort" => asked.sort = sorts(value)?,
            "search_after" => {
                asked.after = Some(value.elements().unwrap_or_default().iter().map(Node::scalar).collect());
            }
            other => {
                let known = ["query", "sort", "from", "size", "search_after"];
                return Err(unknown_field(member.at, PARSER, other, &known));
            }
        }
    }
    Ok(asked)
}

/// `GET|POST /_security/_query/user`
pub fn query(context: &mut Context) -> Outcome<Reply> {
    context.request.params.flag("with_profile_uid", false)?;
    let asked = read(context)?;
    let negative = |name: &str, value: i64| {
        (value < 0).then(|| format!("[{name}] parameter cannot be negative but was [{value}]"))
    };
    let found: Vec<String> = negative("from", asked.from).into_iter().chain(negative("size", asked.size)).collect();
    refuse(&found)?;
    context.caller.may(&USER_QUERY)?;
    check(&asked.query)?;
    for (field, _) in &asked.sort {
        check_field(field)?;
        if matches!(field.as_str(), "full_name" | "email") {
            return Err(EsError::illegal(format!("sorting is not supported for field [{field}]")));
        }
    }
    if let Some(error) = window_problem(asked.from, asked.size) {
        return Err(shard_failure(INDEX, error));
    }
    let users = context.cluster.users.iter().filter(|(_, user)| user.realm.kind == "native");
    let mut rows: Vec<(Vec<Option<String>>, Row)> = users
        .map(|(name, user)| Row { name, user })
        .filter(|row| matches(&asked.query, row, context.now))
        .map(|row| {
            let values = asked.sort.iter().map(|(field, down)| {
                let values = row.values(field).into_iter();
                if *down { values.max() } else { values.min() }
            });
            (values.collect(), row)
        })
        .collect();
    let total = rows.len();
    let compare = |a: &[Option<String>], b: &[Option<String>]| {
        let mut pairs = asked.sort.iter().zip(a.iter().zip(b)).map(|((_, down), (a, b))| match (a, b) {
            (Some(a), Some(b)) if *down => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        pairs.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    rows.sort_by(|a, b| compare(&a.0, &b.0));
    if let Some(after) = &asked.after {
        rows.retain(|(values, _)| compare(values, after).is_gt());
    }
    let taken = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let shown: Vec<Value> = rows
        .iter()
        .skip(taken(asked.from))
        .take(taken(asked.size))
        .map(|(values, row)| {
            let mut value = describe(row.name, row.user);
            if !asked.sort.is_empty() {
                value["_sort"] = asked.sort.iter().zip(values).map(|((field, _), value)| shown(field, value)).collect();
            }
            value
        })
        .collect();
    Ok(Reply::ok(json!({ "total": total, "count": shown.len(), "users": shown })))
}

/// Returns a sort value as answers show it; a boolean is shown as a number.
fn shown(field: &str, value: &Option<String>) -> Value {
    match field {
        "enabled" => json!(i64::from(value.as_deref() == Some("true"))),
        _ => json!(value),
    }
}
