//! Reading and invalidating API keys by id, name and owner.

use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
        request::has_text,
    },
    json::{Kind, Node, fault::unknown_field},
    privileges::{KEY_GET, KEY_INVALIDATE},
    security::{authz::Caller, descriptor::Descriptor},
    state::{cluster::Cluster, key::StoredKey},
};
use serde_json::{Map, Value, json};

/// Fields of a key in answers.
pub const FIELDS: [&str; 15] = [
    "id",
    "name",
    "type",
    "creation",
    "expiration",
    "invalidated",
    "invalidation",
    "username",
    "realm",
    "realm_type",
    "metadata",
    "role_descriptors",
    "limited_by",
    "access",
    "certificate_identity",
];

/// Returns a key as answers show it.
pub fn describe(key: &StoredKey, with_limited_by: bool) -> Value {
    describe_only(key, with_limited_by, &|_| true)
}

/// Returns a key as answers show it, with only the fields for which `wants` is `true`.
pub fn describe_only(key: &StoredKey, with_limited_by: bool, wants: &dyn Fn(&str) -> bool) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, make: &dyn Fn() -> Option<Value>| {
        if wants(name)
            && let Some(value) = make()
        {
            map.insert(name.to_owned(), value);
        }
    };
    put("id", &|| Some(json!(key.id)));
    put("name", &|| Some(json!(key.name)));
    put("type", &|| Some(json!(key.kind)));
    put("creation", &|| Some(json!(key.creation)));
    put("expiration", &|| key.expiration.map(Value::from));
    put("invalidated", &|| Some(json!(key.invalidation.is_some())));
    put("invalidation", &|| key.invalidation.map(Value::from));
    put("username", &|| Some(json!(key.username)));
    put("realm", &|| Some(json!(key.realm.name)));
    put("realm_type", &|| Some(json!(key.realm.kind)));
    put("metadata", &|| Some(Value::Object(key.metadata.as_ref().clone())));
    put("role_descriptors", &|| Some(descriptors(&key.assigned)));
    put("limited_by", &|| {
        let limited_by = key.limited_by.as_ref().filter(|_| with_limited_by)?;
        Some(json!([descriptors(limited_by)]))
    });
    put("access", &|| key.access.clone());
    put("certificate_identity", &|| key.certificate_identity.clone().map(Value::from));
    Value::Object(map)
}

fn descriptors(roles: &[(String, Descriptor)]) -> Value {
    roles
        .iter()
        .map(|(name, role)| {
            let mut value = role.to_value();
            if let Value::Object(map) = &mut value {
                map.remove("description");
                // What a role says here is lost in a key's copy of it (as seen on 9.5.3).
                map.insert("transient_metadata".into(), json!({ "enabled": true }));
            }
            (name.clone(), value)
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// Selection of keys by a request; texts of only white space count as not given (as seen on 9.5.3).
#[derive(Debug, Default)]
struct Selection {
    ids: Option<Vec<String>>,
    name: Option<String>,
    username: Option<String>,
    realm: Option<String>,
    owner: bool,
}

impl Selection {
    /// Returns the keys that the selection may contain: those with its ids if given, else all.
    fn candidates<'a>(&self, cluster: &'a Cluster) -> Vec<&'a StoredKey> {
        match &self.ids {
            Some(ids) => cluster.keys_by_id(ids),
            None => cluster.keys().iter().collect(),
        }
    }

    fn picks(&self, key: &StoredKey, caller: &Caller) -> bool {
        let (username, realm) = if self.owner {
            (Some(&caller.username), Some(&caller.realm.name))
        } else {
            (self.username.as_ref(), self.realm.as_ref())
        };
        let by_name = self.name.as_ref().is_none_or(|name| match name.strip_suffix('*') {
            Some(prefix) => key.name.starts_with(prefix),
            None => key.name == *name,
        });
        // Of ids, `candidates` has taken care.
        by_name
            && username.is_none_or(|name| *name == key.username)
            && realm.is_none_or(|realm| *realm == key.realm.name)
    }

    /// Returns `true` if the selection can only contain the caller's own keys, which is all that `manage_own_api_key`
    /// allows.
    fn is_own(&self, caller: &Caller) -> bool {
        if let Some((id, _)) = &caller.key {
            return self.ids.as_ref().is_some_and(|ids| !ids.is_empty() && ids.iter().all(|wanted| wanted == id));
        }
        self.owner
            || self.username.as_ref() == Some(&caller.username) && self.realm.as_ref() == Some(&caller.realm.name)
    }
}

/// `GET /_security/api_key`
pub fn get(context: &mut Context) -> Outcome<Reply> {
    let params = &context.request.params;
    let text = |name: &str| params.text(name).map(str::to_owned);
    let with_limited_by = params.flag("with_limited_by", false)?;
    let active_only = params.flag("active_only", false)?;
    params.flag("with_profile_uid", false)?;
    let selection = Selection {
        ids: text("id").map(|id| vec![id]),
        name: text("name"),
        username: text("username"),
        realm: text("realm_name"),
        owner: params.flag("owner", false)?,
    };
    let someone = selection.username.is_some() || selection.realm.is_some();
    let mut problems = Vec::new();
    if (selection.ids.is_some() || selection.name.is_some()) && someone {
        problems.push(
            "username or realm name must not be specified when the api key id or api key name is specified".to_owned(),
        );
    }
    if selection.owner && someone {
        problems.push("neither username nor realm-name may be specified when retrieving owned API keys".to_owned());
    }
    if selection.ids.is_some() && selection.name.is_some() {
        problems.push("only one of [api key id, api key name] can be specified".to_owned());
    }
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    let caller = context.caller;
    let own = selection.is_own(caller) && !(caller.key.is_some() && with_limited_by);
    if caller.key.is_some() && own {
        caller.may_about_self(&KEY_GET)?;
    } else {
        caller.may_by(&KEY_GET, |name| own || name != "manage_own_api_key")?;
    }
    let now = context.now;
    let found: Vec<Value> = selection
        .candidates(context.cluster)
        .into_iter()
        .filter(|key| selection.picks(key, caller))
        .filter(|key| !active_only || key.invalidation.is_none() && !key.is_expired(now))
        .map(|key| describe(key, with_limited_by))
        .collect();
    let status = if found.is_empty() && selection.ids.is_some() { 404 } else { 200 };
    Ok(Reply::json(status, json!({ "api_keys": found })))
}

fn content(reason: String) -> Box<EsError> {
    EsError::new(400, "x_content_parse_exception", reason)
}

fn read_selection(node: &Node) -> Outcome<Selection> {
    let parser = "invalidate_api_key";
    let Some(members) = node.members() else {
        let token = node.token();
        return Err(content(format!("[{}] [{parser}] Expected START_OBJECT but was: {token}", node.at)));
    };
    let mut selection = Selection::default();
    for member in members {
        let value = &member.value;
        let field = member.name.as_str();
        let wrong_type =
            || content(format!("[{}] [{parser}] {field} doesn't support values of type: {}", value.at, value.token()));
        let text = || value.text().map(|text| Some(text.to_owned()).filter(|text| has_text(text)));
        match field {
            "ids" => {
                selection.ids = Some(match &value.kind {
                    Kind::Text(id) => vec![id.clone()],
                    Kind::Array(elements) => elements
                        .iter()
                        .map(|element| element.scalar().ok_or_else(wrong_type))
                        .collect::<Outcome<_>>()?,
                    _ => return Err(wrong_type()),
                });
            }
            "name" => selection.name = text().ok_or_else(wrong_type)?,
            "username" => selection.username = text().ok_or_else(wrong_type)?,
            "realm_name" => selection.realm = text().ok_or_else(wrong_type)?,
            "owner" => {
                selection.owner = match value.scalar().as_deref() {
                    Some("true") => true,
                    Some("false") => false,
                    Some(other) => {
                        let reason = format!("Failed to parse value [{other}] as only [true] or [false] are allowed.");
                        return Err(content(format!("[{}] [{parser}] failed to parse field [owner]", value.at))
                            .because(EsError::illegal(reason)));
                    }
                    None => return Err(wrong_type()),
                };
            }
            other => {
                let known = ["ids", "name", "username", "realm_name", "owner"];
                return Err(unknown_field(member.at, parser, other, &known));
            }
        }
    }
    Ok(selection)
}

fn check_ids(ids: &[String]) -> Outcome<()> {
    let problem = if ids.is_empty() {
        "Field [ids] cannot be an empty array".to_owned()
    } else {
        let blank: Vec<String> =
            ids.iter().enumerate().filter(|(_, id)| !has_text(id)).map(|(at, _)| at.to_string()).collect();
        if blank.is_empty() {
            return Ok(());
        }
        format!("Field [ids] must not contain blank id, but got blank id at index position: [{}]", blank.join(", "))
    };
    Err(content("Failed to build [invalidate_api_key] after last required field arrived".to_owned())
        .because(EsError::validation(&[problem])))
}

/// `DELETE /_security/api_key`
pub fn invalidate(context: &mut Context) -> Outcome<Reply> {
    let selection = read_selection(&context.request.json()?)?;
    if let Some(ids) = &selection.ids {
        check_ids(ids)?;
    }
    let someone = selection.username.is_some() || selection.realm.is_some();
    let mut problems = Vec::new();
    if selection.ids.is_none() && selection.name.is_none() && !someone && !selection.owner {
        problems.push(
            "One of [api key id(s), api key name, username, realm name] must be specified if [owner] flag is false"
                .to_owned(),
        );
    }
    if (selection.ids.is_some() || selection.name.is_some()) && someone {
        problems.push(
            "username or realm name must not be specified when the api key id(s) or api key name are specified"
                .to_owned(),
        );
    }
    if selection.owner && someone {
        problems.push("neither username nor realm-name may be specified when invalidating owned API keys".to_owned());
    }
    if selection.ids.is_some() && selection.name.is_some() {
        problems.push("only one of [api key id(s), api key name] can be specified".to_owned());
    }
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    let caller = context.caller;
    let own = selection.is_own(caller);
    caller.may_by(&KEY_INVALIDATE, |name| own || name != "manage_own_api_key")?;
    let all_kinds = caller.holds(&KEY_INVALIDATE, |name| matches!(name, "manage_security" | "all"));
    let (mut done, mut details) = (Vec::new(), Vec::new());
    for key in selection.candidates(context.cluster).into_iter().filter(|key| key.invalidation.is_none()) {
        // A key's own request says its id; the owner's realm of a derived key would not match.
        let own_key = caller.key.as_ref().is_some_and(|(id, _)| own && *id == key.id);
        if !own_key && !selection.picks(key, caller) {
            continue;
        }
        if key.kind == "rest" || all_kinds {
            done.push(key.id.clone());
        } else {
            details.push(json!({
                "type": "security_exception",
                "reason": format!(
                    "Cannot invalidate cross-cluster API key [{}]. This requires [manage_security] cluster privilege or higher",
                    key.id
                ),
            }));
        }
    }
    let now = context.now;
    for id in &done {
        context.cluster.change_key(id, |key| key.invalidation = Some(now));
    }
    let mut answer = json!({
        "invalidated_api_keys": done,
        "previously_invalidated_api_keys": [],
        "error_count": details.len(),
    });
    if !details.is_empty() {
        answer["error_details"] = Value::Array(details);
    }
    Ok(Reply::ok(answer))
}
