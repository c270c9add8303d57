//! Users: the authenticated user, and reading and writing users.

use super::descriptor;
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome},
        reply::Reply,
    },
    json::{Kind, Node, object},
    privileges::{AUTHENTICATE, CHANGE_PASSWORD, USER_DELETE, USER_ENABLE, USER_GET, USER_PUT},
    state::{
        secret::Hash,
        user::{Realm, User},
    },
};
use serde_json::{Map, Value, json};

/// `GET /_security/_authenticate`
pub fn authenticate(context: &mut Context) -> Outcome<Reply> {
    let caller = context.caller;
    caller.may_about_self(&AUTHENTICATE)?;
    let realm = |realm: &Realm| match caller.key {
        Some(_) => json!({ "name": "_es_api_key", "type": "_es_api_key" }),
        None => json!({ "name": realm.name, "type": realm.kind }),
    };
    let mut answer = json!({
        "username": caller.username,
        "roles": caller.roles,
        "full_name": caller.full_name,
        "email": caller.email,
        "metadata": caller.metadata,
        "enabled": true,
        "authentication_realm": realm(&caller.signed_in_realm),
        "lookup_realm": realm(&caller.realm),
        "authentication_type": if caller.key.is_some() { "api_key" } else { "realm" },
    });
    if let Some((id, name)) = &caller.key {
        answer["api_key"] = json!({ "managed_by": "elasticsearch", "name": name, "id": id });
    }
    Ok(Reply::ok(answer))
}

/// Returns a user as answers show it.
pub fn describe(name: &str, user: &User) -> Value {
    json!({
        "username": name,
        "roles": user.roles,
        "full_name": user.full_name,
        "email": user.email,
        "metadata": user.metadata,
        "enabled": user.enabled,
    })
}

/// `GET /_security/user[/NAME[,NAME]]`; nothing found is 404 with `{}`.
pub fn get(context: &mut Context) -> Outcome<Reply> {
    context.request.params.flag("with_profile_uid", false)?;
    context.caller.may(&USER_GET)?;
    let wanted = context.argument(0);
    let names: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let found: Map<String, Value> = context
        .cluster
        .users
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()))
        .map(|(name, user)| (name.clone(), describe(name, user)))
        .collect();
    let status = if found.is_empty() && !names.is_empty() { 404 } else { 200 };
    Ok(Reply::json(status, Value::Object(found)))
}

#[derive(Default)]
struct UserRequest {
    password: Option<String>,
    roles: Option<Vec<String>>,
    full_name: Option<String>,
    email: Option<String>,
    metadata: Map<String, Value>,
    enabled: bool,
}

fn expected(field: &str, kind: &str, node: &Node) -> Box<EsError> {
    EsError::parse(format!("expected field [{field}] to be of type {kind}, but found [{}] instead", node.token()))
}

fn read(node: &Node, name: &str) -> Outcome<UserRequest> {
    let Some(members) = node.members() else {
        return Err(EsError::parse(format!("expected an object, but found token [{}]", node.token())));
    };
    let mut wanted = UserRequest { enabled: true, ..UserRequest::default() };
    for member in members {
        let value = &member.value;
        let field = member.name.as_str();
        let text = || match &value.kind {
            Kind::Null => Ok(None),
            Kind::Text(text) => Ok(Some(text.clone())),
            _ => Err(expected(field, "string", value)),
        };
        match field {
            "password" => wanted.password = text()?,
            "password_hash" => {
                return Err(EsError::illegal(
                    "The provided password hash is not a hash or it could not be resolved to a supported hash algorithm. The supported password hash algorithms are []",
                ));
            }
            "username" => {
                if value.text() != Some(name) {
                    return Err(EsError::illegal(format!(
                        "[username] in source does not match the username provided [{name}]"
                    )));
                }
            }
            "roles" => {
                wanted.roles = Some(match &value.kind {
                    Kind::Text(text) => {
                        text.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect()
                    }
                    Kind::Array(elements) => elements
                        .iter()
                        .map(|element| {
                            element
                                .text()
                                .map(str::to_owned)
                                .ok_or_else(|| expected("roles", "array of strings", element))
                        })
                        .collect::<Outcome<_>>()?,
                    _ => return Err(expected("roles", "array of strings", value)),
                });
            }
            "full_name" => wanted.full_name = text()?,
            "email" => wanted.email = text()?,
            "metadata" => {
                wanted.metadata = object(value.members().ok_or_else(|| expected("metadata", "object", value))?);
            }
            "enabled" => match value.kind {
                Kind::Bool(enabled) => wanted.enabled = enabled,
                _ => return Err(expected("enabled", "boolean", value)),
            },
            other => {
                return Err(EsError::parse(format!("failed to parse add user request. unexpected field [{other}]")));
            }
        }
    }
    Ok(wanted)
}

/// `PUT|POST /_security/user/NAME`
pub fn put(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let name = context.argument(0);
    let wanted = read(&context.request.json()?, &name)?;
    if wanted.password.as_ref().is_some_and(|password| password.chars().count() < 6) {
        return Err(EsError::plain_validation("passwords must be at least [6] characters long"));
    }
    let mut problems: Vec<String> = descriptor::written_name_problem("User", &name).into_iter().collect();
    if wanted.roles.is_none() {
        problems.push("roles are missing".to_owned());
    }
    if wanted.metadata.keys().any(|key| key.starts_with('_')) {
        problems.push("metadata keys may not start with [_]".to_owned());
    }
    if is_reserved(context, &name) {
        problems.push(format!("user [{name}] is reserved and only the password can be changed"));
    }
    if !problems.is_empty() {
        return Err(EsError::validation(&problems));
    }
    context.caller.may(&USER_PUT)?;
    let existing = context.cluster.users.get(&name);
    let created = existing.is_none();
    let password = match (&wanted.password, existing) {
        (Some(password), _) => Hash::of(password)?,
        (None, Some(user)) => user.password.clone(),
        (None, None) => {
            return Err(EsError::plain_validation(
                "password must be specified unless you are updating an existing user",
            ));
        }
    };
    let user = User {
        roles: wanted.roles.unwrap_or_default(),
        full_name: wanted.full_name,
        email: wanted.email,
        metadata: wanted.metadata,
        enabled: wanted.enabled,
        realm: Realm::new("default_native", "native"),
        password,
    };
    context.cluster.users.insert(name, user);
    Ok(Reply::ok(json!({ "created": created })))
}

fn is_reserved(context: &Context, name: &str) -> bool {
    context.cluster.users.get(name).is_some_and(|user| user.realm.kind == "reserved")
}

/// `DELETE /_security/user/NAME`
pub fn delete(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    context.caller.may(&USER_DELETE)?;
    let name = context.argument(0);
    if is_reserved(context, &name) {
        return Err(EsError::illegal(format!("user [{name}] is reserved and cannot be deleted")));
    }
    let found = context.cluster.users.remove(&name).is_some();
    Ok(Reply::json(if found { 200 } else { 404 }, json!({ "found": found })))
}

/// `PUT|POST /_security/user[/NAME]/_password`; changing one's own password needs no privilege.
pub fn password(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let node = context.request.json()?;
    for member in node.members().unwrap_or_default() {
        if member.name != "password" {
            return Err(EsError::parse(format!("unexpected field [{}]", member.name)));
        }
    }
    let Some(password) = node.get("password").and_then(Node::text) else {
        return Err(EsError::validation(&["password is missing".to_owned()]));
    };
    if password.chars().count() < 6 {
        return Err(EsError::plain_validation("passwords must be at least [6] characters long"));
    }
    let own = context.caller.username.clone();
    let name = Some(context.argument(0)).filter(|name| !name.is_empty()).unwrap_or_else(|| own.clone());
    if name == own && context.caller.key.is_none() {
        context.caller.may_about_self(&CHANGE_PASSWORD)?;
    } else {
        context.caller.may(&CHANGE_PASSWORD)?;
    }
    let hash = Hash::of(password)?;
    match context.cluster.users.get_mut(&name) {
        Some(user) => {
            user.password = hash;
            Ok(Reply::ok(json!({})))
        }
        None => Err(EsError::plain_validation("user must exist in order to change password")),
    }
}

/// `PUT|POST /_security/user/NAME/_disable`
pub fn disable(context: &mut Context) -> Outcome<Reply> {
    set_enabled(context, false)
}

/// `PUT|POST /_security/user/NAME/_enable`
pub fn enable(context: &mut Context) -> Outcome<Reply> {
    set_enabled(context, true)
}

fn set_enabled(context: &mut Context, enabled: bool) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    context.caller.may(&USER_ENABLE)?;
    let name = context.argument(0);
    if context.caller.username == name {
        return Err(EsError::illegal("users may not update the enabled status of their own account"));
    }
    match context.cluster.users.get_mut(&name) {
        Some(user) => {
            user.enabled = enabled;
            Ok(Reply::ok(json!({})))
        }
        None => {
            let word = if enabled { "enabled" } else { "disabled" };
            Err(EsError::plain_validation(&format!("only existing users can be {word}")))
        }
    }
}
