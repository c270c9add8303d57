//! Authentication: Basic, ApiKey, Bearer and run-as, with the 401 answers of 9.5.3. Authorization is in `authz`.

use super::authz::Caller;
use crate::sandbox::{
    http::{
        error::{EsError, Outcome},
        request::Request,
    },
    state::{cluster::Cluster, key::StoredKey, user::User},
};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Authenticates the caller of a request.
///
/// # Errors
/// 401 with the messages of 9.5.3, if the credentials are missing or invalid.
pub fn authenticate(cluster: &Cluster, request: &Request, now: i64) -> Outcome<Caller> {
    let header = request.authorization.as_deref().unwrap_or_default().trim_ascii();
    let caller = if let Some(rest) = scheme(header, "Basic") {
        basic(cluster, rest, &request.uri)?
    } else if let Some(rest) = scheme(header, "ApiKey") {
        api_key(cluster, rest, now)?
    } else if scheme(header, "Bearer").is_some() {
        return Err(no_luck("oauth2 token: invalid token"));
    } else {
        let reason = format!("missing authentication credentials for REST request [{}]", request.uri);
        return Err(EsError::unauthenticated(reason, None));
    };
    match &request.run_as {
        Some(wanted) => run_as(cluster, caller, wanted, &request.uri),
        None => Ok(caller),
    }
}

fn scheme<'a>(header: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (head, rest) = header.split_at_checked(name.len())?;
    let rest = rest.strip_prefix(b" ")?;
    // Of keys Java decodes what stands there, blanks included.
    let rest = if name == "ApiKey" { rest } else { rest.trim_ascii() };
    (head.eq_ignore_ascii_case(name.as_bytes()) && !rest.is_empty()).then_some(rest)
}

fn no_luck(credentials: impl Into<String>) -> Box<EsError> {
    EsError::unauthenticated(
        "unable to authenticate with provided credentials and anonymous access is not allowed for this request",
        Some(credentials.into()),
    )
}

fn wrong_user(name: &str, uri: &str) -> Box<EsError> {
    EsError::unauthenticated(format!("unable to authenticate user [{name}] for REST request [{uri}]"), None)
}

fn basic(cluster: &Cluster, encoded: &[u8], uri: &str) -> Outcome<Caller> {
    let decoded = BASE64.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((name, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
        return Err(EsError::unauthenticated("invalid basic authentication header value", None));
    };
    by_password(cluster, name, password).ok_or_else(|| wrong_user(name, uri))
}

/// Returns the user if the password is correct and the user is enabled.
pub fn by_password(cluster: &Cluster, name: &str, password: &str) -> Option<Caller> {
    let user = cluster.users.get(name).filter(|user| user.password.matches(password) && user.enabled)?;
    Some(as_user(cluster, name, user))
}

fn as_user(cluster: &Cluster, name: &str, user: &User) -> Caller {
    Caller {
        username: name.to_owned(),
        roles: user.roles.clone(),
        full_name: user.full_name.clone(),
        email: user.email.clone(),
        metadata: user.metadata.clone(),
        realm: user.realm.clone(),
        signed_in_realm: user.realm.clone(),
        key: None,
        run_by: None,
        denied_run_as: None,
        restricted: false,
        first_refusal: None,
        sees_parts: cluster.license.sees_parts(),
        layers: vec![cluster.descriptors(&user.roles)],
    }
}

fn api_key(cluster: &Cluster, encoded: &[u8], now: i64) -> Outcome<Caller> {
    let decoded = decode_key(encoded).map_err(|problem| no_luck(format!("API key: {problem}")))?;
    let text = String::from_utf8_lossy(&decoded).into_owned();
    let Some((id, secret)) = split_key(&text) else {
        return Err(no_luck("API key: invalid ApiKey value"));
    };
    match check_key(cluster, id, secret, now) {
        Ok(key) => Ok(as_key(cluster, key)),
        Err(reason) if reason.starts_with("authentication expected") => Err(EsError::unauthenticated(reason, None)),
        Err(reason) => Err(no_luck(format!("API key: {reason}"))),
    }
}

/// Splits a decoded key into id and secret; `None` without a colon or with an empty id.
pub fn split_key(text: &str) -> Option<(&str, &str)> {
    text.split_once(':').filter(|(id, _)| !id.is_empty())
}

/// Returns the REST key of a credential, or a message why the credential is invalid.
pub fn check_key<'a>(cluster: &'a Cluster, id: &str, secret: &str, now: i64) -> Result<&'a StoredKey, String> {
    let Some(key) = cluster.key(id) else {
        return Err(format!("unable to find apikey with id {id}"));
    };
    if key.invalidation.is_some() {
        return Err(format!("api key [{id}] has been invalidated"));
    }
    if !key.secret.matches(secret) {
        return Err(format!("invalid credentials for API key [{id}]"));
    }
    if key.kind != "rest" {
        return Err(format!(
            "authentication expected API key type of [rest], but API key [{id}] has type [{}]",
            key.kind
        ));
    }
    if key.is_expired(now) {
        return Err("api key is expired".to_owned());
    }
    Ok(key)
}

/// Decodes an encoded key like Java's Base64 decoder, with its error messages.
pub fn decode_key(encoded: &[u8]) -> Result<Vec<u8>, String> {
    let data = encoded.strip_suffix(b"==").or_else(|| encoded.strip_suffix(b"=")).unwrap_or(encoded);
    if let Some(bad) = data.iter().find(|byte| !byte.is_ascii_alphanumeric() && **byte != b'+' && **byte != b'/') {
        // Java prints bytes with their sign; the header arrives there as UTF-8.
        let first = if *bad < 0x80 { *bad } else { 0xc2 | (*bad >> 6) & 1 };
        let shown = if first < 0x80 { format!("{first:x}") } else { format!("-{:x}", 0x100 - u16::from(first)) };
        return Err(format!("Illegal base64 character {shown}"));
    }
    if encoded.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    BASE64.decode(encoded).map_err(|_| "Last unit does not have enough valid bits".to_owned())
}

fn as_key(cluster: &Cluster, key: &StoredKey) -> Caller {
    let limited_by = key.limited_by.as_deref().cloned().unwrap_or_default();
    let layers = if key.assigned.is_empty() { vec![limited_by] } else { vec![key.assigned.to_vec(), limited_by] };
    Caller {
        username: key.username.clone(),
        roles: Vec::new(),
        full_name: key.full_name.clone(),
        email: key.email.clone(),
        metadata: key.owner_metadata.clone(),
        realm: key.realm.clone(),
        signed_in_realm: key.realm.clone(),
        key: Some((key.id.clone(), key.name.clone())),
        run_by: None,
        denied_run_as: None,
        first_refusal: None,
        sees_parts: cluster.license.sees_parts(),
        restricted: key.assigned.iter().any(|(_, role)| role.workflows.is_some()),
        layers,
    }
}

/// Switches to another user (run-as). Missing users and missing privileges are only refused later, with equal messages,
/// when an action is checked (as seen on 9.5.3).
fn run_as(cluster: &Cluster, caller: Caller, wanted: &str, uri: &str) -> Outcome<Caller> {
    let name = caller.username.clone();
    acting_as(cluster, caller, wanted).ok_or_else(|| wrong_user(&name, uri))
}

/// Returns the caller acting as another user; `None` if the name is empty or the user is disabled.
pub fn acting_as(cluster: &Cluster, mut caller: Caller, wanted: &str) -> Option<Caller> {
    let user = cluster.users.get(wanted);
    if wanted.is_empty() || user.is_some_and(|user| !user.enabled) {
        return None;
    }
    match user.filter(|_| caller.may_run_as(wanted)) {
        Some(user) => {
            let mut other = as_user(cluster, wanted, user);
            other.run_by = Some(caller.username);
            other.signed_in_realm = caller.signed_in_realm;
            Some(other)
        }
        None => {
            caller.denied_run_as = Some(wanted.to_owned());
            Some(caller)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_told_apart_whatever_their_case() {
        assert_eq!(scheme(b"ApiKey abc", "ApiKey"), Some(&b"abc"[..]));
        assert_eq!(scheme(b"apikey  abc", "ApiKey"), Some(&b" abc"[..]));
        assert_eq!(scheme(b"basic  abc", "Basic"), Some(&b"abc"[..]));
        assert_eq!(scheme(b"ApiKey", "ApiKey"), None);
        assert_eq!(scheme(b"ApiKeyabc", "ApiKey"), None);
    }

    #[test]
    fn what_is_no_base64_is_named_as_java_names_it() {
        assert_eq!(decode_key(b"!!!").unwrap_err(), "Illegal base64 character 21");
        assert_eq!(decode_key(b"YWJj\xff").unwrap_err(), "Illegal base64 character -3d");
        // A key of Elastic Cloud, which a self-managed node does not know.
        assert_eq!(decode_key(b"essu_YTpi").unwrap_err(), "Illegal base64 character 5f");
        assert_eq!(decode_key(b"YWJj").unwrap(), b"abc");
        assert_eq!(decode_key(b"YTpi").unwrap(), b"a:b");
    }

    #[test]
    fn nothing_and_unknown_keys_are_refused() {
        let cluster = Cluster::default();
        let mut request = Request::new("GET", "/", &hyper::HeaderMap::new(), Vec::new());
        let reason = |request: &Request| authenticate(&cluster, request, 0).unwrap_err();
        assert_eq!(reason(&request).reason, "missing authentication credentials for REST request [/]");
        request.authorization = Some(b"ApiKey YTpi".to_vec());
        assert_eq!(
            reason(&request).extra["additional_unsuccessful_credentials"],
            "API key: unable to find apikey with id a"
        );
        request.authorization = Some(b"Bearer x".to_vec());
        assert_eq!(reason(&request).extra["additional_unsuccessful_credentials"], "oauth2 token: invalid token");
        request.authorization = Some(b"Basic !".to_vec());
        assert_eq!(reason(&request).reason, "invalid basic authentication header value");
    }
}
