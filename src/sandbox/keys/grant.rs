//! Keys created for other users, whose credentials are in the request. Rules and messages of 9.5.3; every access token
//! is refused, because this server issues none.

use super::{
    create::{add, blank, snapshot},
    key_request::{CreateRequest, common_problems, expires_in, mixed_restrictions, name_problems, read},
};
use crate::sandbox::{
    http::{
        context::Context,
        error::{EsError, Outcome, refuse},
        reply::Reply,
    },
    json::{
        Node,
        fault::{content, unknown_field},
    },
    privileges::{AUTHENTICATE, KEY_GRANT},
    security::{authn, authz::Caller},
    state::{cluster::Cluster, key::StoredKey},
};

const PARSER: &str = "grant_api_key_request";
const KEY_PARSER: &str = "api_key_request";
const FIELDS: [&str; 6] = ["grant_type", "username", "password", "access_token", "run_as", "api_key"];

/// Request to grant a key: credentials of the owner, and the key.
#[derive(Default)]
struct Grant {
    kind: Option<String>,
    username: Option<String>,
    password: Option<String>,
    access_token: Option<String>,
    run_as: Option<String>,
    key: CreateRequest,
    lifetime: Option<i64>,
}

/// `POST|PUT /_security/api_key/grant`
pub fn grant(context: &mut Context) -> Outcome<Reply> {
    context.request.params.check_refresh()?;
    let grant = parse(&context.request.json()?)?;
    let name = grant.key.name.clone().unwrap_or_default();
    let mut problems = name_problems(&name);
    problems.extend(common_problems(&grant.key));
    problems.extend(grant.problems());
    refuse(&problems)?;
    context.caller.may(&KEY_GRANT)?;
    let owner = grant.owner(context.cluster)?;
    let assigned = grant.key.descriptors.unwrap_or_default();
    mixed_restrictions(&assigned)?;
    let limited_by = Some(snapshot(&owner).into());
    let key = blank(&owner, name, grant.lifetime, context.now, grant.key.metadata)?;
    add(context.cluster, StoredKey { assigned: assigned.into(), limited_by, ..key })
}

fn parse(node: &Node) -> Outcome<Grant> {
    let Some(members) = node.members() else {
        let token = node.token();
        return Err(content(format!("[{}] [{PARSER}] Expected START_OBJECT but was: {token}", node.at)));
    };
    let mut grant = Grant::default();
    for member in members {
        let (field, value) = (member.name.as_str(), &member.value);
        let wrong_type =
            || content(format!("[{}] [{PARSER}] {field} doesn't support values of type: {}", value.at, value.token()));
        let text = || value.text().map(|text| Some(text.to_owned())).ok_or_else(wrong_type);
        match field {
            "grant_type" => grant.kind = text()?,
            "username" => grant.username = text()?,
            "password" => grant.password = text()?,
            "access_token" => grant.access_token = text()?,
            "run_as" => grant.run_as = text()?,
            "api_key" => {
                value.members().ok_or_else(wrong_type)?;
                (grant.key, grant.lifetime) = key(value).map_err(|error| {
                    content(format!("[{}] [{PARSER}] failed to parse field [api_key]", value.end)).because(error)
                })?;
            }
            _ => return Err(unknown_field(member.at, PARSER, field, &FIELDS)),
        }
    }
    Ok(grant)
}

fn key(node: &Node) -> Outcome<(CreateRequest, Option<i64>)> {
    let wanted = read(node, KEY_PARSER, &["name", "role_descriptors", "expiration", "metadata"])?;
    let lifetime = expires_in(&wanted, KEY_PARSER)?;
    if wanted.name.is_none() {
        return Err(EsError::illegal("Required [name]"));
    }
    Ok((wanted, lifetime))
}

impl Grant {
    /// Returns the validation errors: missing fields first, then fields that do not fit the grant type.
    fn problems(&self) -> Vec<String> {
        let Some(kind) = self.kind.as_deref() else { return vec!["[grant_type] is required".into()] };
        let fields = [("username", &self.username), ("password", &self.password), ("access_token", &self.access_token)];
        let needed: &[&str] = match kind {
            "password" => &["username", "password"],
            "access_token" => &["access_token"],
            _ => return vec![format!("grant_type [{kind}] is not supported")],
        };
        let missing = fields
            .into_iter()
            .filter(|(name, given)| needed.contains(name) && given.as_deref().unwrap_or_default().is_empty());
        let foreign = fields.into_iter().filter(|(name, given)| !needed.contains(name) && given.is_some());
        missing
            .map(|(name, _)| format!("[{name}] is required for grant_type [{kind}]"))
            .chain(foreign.map(|(name, _)| format!("[{name}] is not supported for grant_type [{kind}]")))
            .collect()
    }

    /// Authenticates the owner; invalid credentials are a 403 here, not a 401.
    fn owner(&self, cluster: &Cluster) -> Outcome<Caller> {
        let refused = |name: &str, more: Option<&str>| {
            let reason = format!("unable to authenticate user [{name}] for action [{}]", KEY_GRANT.name);
            let cause = EsError::unauthenticated(reason, more.map(str::to_owned));
            EsError::forbidden("Failed to authenticate api key grant").because(cause)
        };
        if self.access_token.is_some() {
            return Err(refused("_bearer_token", Some("oauth2 token: invalid token")));
        }
        let name = self.username.as_deref().unwrap_or_default();
        let signed_in = authn::by_password(cluster, name, self.password.as_deref().unwrap_or_default());
        let signed_in = signed_in.ok_or_else(|| refused(name, None))?;
        let Some(wanted) = &self.run_as else { return Ok(signed_in) };
        let other = authn::acting_as(cluster, signed_in, wanted).ok_or_else(|| refused(name, None))?;
        other.may_about_self(&AUTHENTICATE)?;
        Ok(other)
    }
}
