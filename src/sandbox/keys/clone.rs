//! Clones of keys, for callers who have the secret of the source. Rules and messages of 9.5.3.

use super::{
    create::{add, ends},
    key_request::{CreateRequest, common_problems, metadata_fits, name_problems},
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse},
        reply::Reply,
    },
    json::{
        Kind, Node,
        fault::{content, unknown_field},
        object,
    },
    privileges::KEY_CLONE,
    query::time_unit,
    security::authn::{check_key, decode_key, split_key},
    state::{key::StoredKey, secret::fresh_id},
};
use serde_json::{Map, Value};

const PARSER: &str = "clone_api_key_request";
const FIELDS: [&str; 4] = ["api_key", "name", "expiration", "metadata"];

/// Expiration of a clone.
#[derive(Default)]
enum End {
    /// Expiration of the source.
    #[default]
    OfSource,
    /// No expiration.
    Never,
    /// Lifetime from now, in milliseconds.
    In(i64),
}

#[derive(Default)]
struct Clone {
    source: String,
    name: String,
    end: End,
    metadata: Option<Map<String, Value>>,
}

/// `POST|PUT /_security/api_key/clone`
pub fn clone(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let wanted = parse(&context.request.json()?)?;
    let mut problems = Vec::new();
    if wanted.source.is_empty() {
        problems.push("api key credential is required".to_owned());
    }
    problems.extend(name_problems(&wanted.name));
    problems.extend(common_problems(&CreateRequest { metadata: wanted.metadata.clone(), ..CreateRequest::default() }));
    refuse(&problems)?;
    context.caller.may(&KEY_CLONE)?;
    let (id, secret) = credential(&wanted.source)?;
    let source = check_key(context.cluster, &id, &secret, context.now)
        .map_err(|reason| EsError::forbidden("Failed to clone API key").because(EsError::forbidden(reason)))?;
    let mut metadata = wanted.metadata.unwrap_or_else(|| source.metadata.as_ref().clone());
    metadata.insert("_cloned_from".into(), source.id.clone().into());
    let fresh = fresh_id()?;
    metadata_fits(&metadata, &fresh)?;
    let expiration = match wanted.end {
        End::OfSource => source.expiration,
        End::Never => None,
        End::In(lifetime) => Some(ends(context.now, lifetime)?),
    };
    let copy = StoredKey {
        id: fresh,
        name: wanted.name,
        creation: context.now,
        expiration,
        metadata: metadata.into(),
        ..source.clone()
    };
    add(context.cluster, copy)
}

fn parse(node: &Node) -> Outcome<Clone> {
    let Some(members) = node.members() else {
        let token = node.token();
        return Err(content(format!("[{}] [{PARSER}] Expected START_OBJECT but was: {token}", node.at)));
    };
    let mut wanted = Clone::default();
    for member in members {
        let (field, value) = (member.name.as_str(), &member.value);
        let wrong_type =
            || content(format!("[{}] [{PARSER}] {field} doesn't support values of type: {}", value.at, value.token()));
        let text = || value.text().map(str::to_owned).ok_or_else(wrong_type);
        match field {
            "api_key" => wanted.source = text()?,
            "name" => wanted.name = text()?,
            "expiration" if matches!(value.kind, Kind::Null) => wanted.end = End::Never,
            "expiration" => {
                let given = text()?;
                let lifetime = time_unit::parse(&given, field).map_err(|error| {
                    content(format!("[{}] [{PARSER}] failed to parse field [{field}]", value.at)).because(error)
                })?;
                // -1 stands for no end (as seen on 9.5.3).
                wanted.end = if given.trim() == "-1" { End::Never } else { End::In(lifetime) };
            }
            "metadata" => wanted.metadata = Some(object(value.members().ok_or_else(wrong_type)?)),
            _ => return Err(unknown_field(member.at, PARSER, field, &FIELDS)),
        }
    }
    Ok(wanted)
}

fn credential(encoded: &str) -> Outcome<(String, String)> {
    let invalid = |reason: String| {
        EsError::new(400, "status_exception", format!("invalid API key credential: {reason}"))
            .because(EsError::illegal(reason))
    };
    let decoded = decode_key(encoded.as_bytes()).map_err(invalid)?;
    let text = String::from_utf8_lossy(&decoded);
    let (id, secret) = split_key(&text).ok_or_else(|| invalid("invalid ApiKey value".into()))?;
    Ok((id.to_owned(), secret.to_owned()))
}
