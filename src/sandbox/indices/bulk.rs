//! Bulk writes: newline-separated JSON; every item succeeds or fails on its own, including with 403.

use super::{
    conditions::Conditions,
    documents::{Target, Write, Written, is_forced, may_make, merge, put, remove},
    resolve::check_name,
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    json::{self, Node},
    privileges::BULK,
    state::secret::fresh_id,
};
use serde_json::{Map, Value, json};

struct Item<'a> {
    verb: &'static str,
    index: Option<String>,
    id: Option<String>,
    body: &'a [u8],
    conditions: Conditions,
}

/// `POST|PUT [/INDEX]/_bulk`
pub fn bulk(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let default_index = Some(context.argument(0)).filter(|name| !name.is_empty());
    let request = context.request;
    let conditions = Conditions::read(&request.params)?;
    let items = read(&request.body, default_index.as_deref(), &conditions)?;
    if items.is_empty() {
        return Err(EsError::validation(&["no requests added".to_owned()]));
    }
    let missing: Vec<String> =
        items.iter().filter(|item| item.index.is_none()).map(|_| "index is missing".to_owned()).collect();
    let mut problems = missing;
    for item in &items {
        if item.id.is_none() && matches!(item.verb, "update" | "delete") {
            problems.push("id is missing".to_owned());
        }
        problems.extend(item.conditions.problems(item.verb == "create", item.id.as_deref()));
    }
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    context.caller.may_on_some(&BULK)?;
    let forced = is_forced(context);
    let mut errors = false;
    let mut answers = Vec::with_capacity(items.len());
    for item in &items {
        let mut named = Map::new();
        let fields = match run(context, item, forced) {
            Ok(done) => {
                let mut fields = done.fields;
                fields.insert("status".into(), json!(done.status));
                fields
            }
            Err((error, id)) => {
                errors = true;
                let mut fields = Map::new();
                fields.insert("_index".into(), json!(item.index));
                fields.insert("_id".into(), json!(id));
                fields.insert("status".into(), json!(error.status));
                fields.insert("error".into(), error.to_value());
                fields
            }
        };
        named.insert(item.verb.into(), Value::Object(fields));
        answers.push(Value::Object(named));
    }
    Ok(Reply::ok(json!({ "errors": errors, "took": 0, "items": answers })))
}

/// Writes one item; a failure includes the id of the document.
fn run(context: &mut Context, item: &Item, forced: bool) -> Result<Written, (Box<EsError>, Option<String>)> {
    let index = item.index.as_deref().unwrap_or_default();
    let caller = context.caller;
    let mut id = item.id.clone();
    let attempt = (|| {
        let makes = item.verb != "delete" || item.conditions.versions_from_outside();
        if makes && !context.cluster.indices.contains_key(index) {
            may_make(caller, index)?;
            check_name(index)?;
        }
        if id.as_deref() == Some("") && item.verb != "delete" {
            return Err(EsError::illegal("if _id is specified it must not be empty"));
        }
        if id.is_none() && item.verb != "delete" {
            id = Some(fresh_id()?);
        }
        let target =
            Target { index, id: id.as_deref(), forced, now: context.now, in_bulk: true, conditions: &item.conditions };
        match item.verb {
            "create" => put(context.cluster, caller, &target, Write::Create, item.body),
            "index" => {
                let write = if item.id.is_none() { Write::Create } else { Write::Index };
                put(context.cluster, caller, &target, write, item.body)
            }
            "update" => merge(context.cluster, caller, &target, item.body),
            _ => remove(context.cluster, caller, &target),
        }
    })();
    attempt.map_err(|error| (error, id))
}

fn read<'a>(body: &'a [u8], default_index: Option<&str>, conditions: &Conditions) -> Outcome<Vec<Item<'a>>> {
    if body.is_empty() {
        return Err(EsError::parse("request body is required"));
    }
    if !body.ends_with(b"\n") {
        return Err(EsError::illegal("The bulk request must be terminated by a newline [\\n]"));
    }
    let mut lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).enumerate();
    let last = body.iter().filter(|byte| **byte == b'\n').count();
    let mut items = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut item = action(&json::parse(line)?, number + 1, default_index, conditions)?;
        if item.verb != "delete" {
            match lines.next() {
                Some((number, body)) if number < last => item.body = body,
                _ => break,
            }
        }
        items.push(item);
    }
    Ok(items)
}

fn action<'a>(node: &Node, line: usize, default_index: Option<&str>, conditions: &Conditions) -> Outcome<Item<'a>> {
    let head = format!("Malformed action/metadata line [{line}], expected");
    let Some(members) = node.members() else {
        return Err(EsError::illegal(format!("{head} START_OBJECT but found [{}]", node.token())));
    };
    let Some(first) = members.first() else {
        return Err(EsError::illegal(format!("{head} FIELD_NAME but found [END_OBJECT]")));
    };
    let verb = match first.name.as_str() {
        "index" => "index",
        "create" => "create",
        "update" => "update",
        "delete" => "delete",
        other => {
            return Err(EsError::illegal(format!(
                "{head} field [create], [delete], [index] or [update] but found [{other}]"
            )));
        }
    };
    let Some(fields) = first.value.members() else {
        return Err(EsError::illegal(format!("{head} START_OBJECT but found [{}]", first.value.token())));
    };
    let mut item =
        Item { verb, index: default_index.map(str::to_owned), id: None, body: b"", conditions: conditions.clone() };
    for field in fields {
        let text = field.value.scalar();
        match field.name.as_str() {
            "_index" => item.index = text,
            "_id" => item.id = text,
            _ if item.conditions.take(field)? => {}
            other => {
                return Err(EsError::illegal(format!(
                    "Action/metadata line [{line}] contains an unknown parameter [{other}]"
                )));
            }
        }
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_pair_up_and_deletes_stand_alone() {
        let body = b"{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n\n{\"delete\":{\"_index\":\"b\",\"_id\":2}}\n{\"create\":{}}\n{}\n";
        let items = read(body, Some("a"), &Conditions::default()).unwrap();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0].body, b"{\"n\":1}");
        assert_eq!(items[1].index.as_deref(), Some("b"));
        assert_eq!(items[1].id.as_deref(), Some("2"));
        assert_eq!(items[2].verb, "create");
    }

    #[test]
    fn malformed_bulk_requests_are_refused_in_the_words_of_the_server() {
        let reason = |body: &[u8]| read(body, None, &Conditions::default()).err().unwrap().reason;
        assert_eq!(reason(b"{\"index\":{}}\n{}"), "The bulk request must be terminated by a newline [\\n]");
        assert!(reason(b"{\"foo\":{}}\n").ends_with("but found [foo]"));
        assert!(reason(b"{\"index\":{\"foo\":1}}\n{}\n").ends_with("contains an unknown parameter [foo]"));
        assert!(read(b"{\"index\":{\"_index\":\"a\"}}\n", None, &Conditions::default()).unwrap().is_empty());
    }
}
