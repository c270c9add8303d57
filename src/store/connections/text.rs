//! A connection profile as the text that the vault keeps: versioned JSON, credential included. It doesn't know where
//! that text is stored.

use std::{borrow::Cow, path::PathBuf, time::Duration};

use serde::{
    Deserialize, Serialize, Serializer as _,
    ser::{Error as _, SerializeMap},
};
use serde_json::value::RawValue;

use crate::{
    model::{
        connections::{
            ca::CaCertificates,
            client_certificate::ClientCertificate,
            endpoint::{ClusterUrl, DEFAULT_TIMEOUT, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            open_id::{self, Issuer, OpenIdLogin, SentToken, SignInId},
            profile::{Environment, Profile, ProfileId},
            protection::Protection,
            proxy::{Proxy, ProxyLogin, ProxyRule, ProxyUrl},
        },
        secret::Secret,
        text::json,
    },
    store::vault::secret_json::{WipedBuffer, place_of, unquote},
};

/// Newest version of the format that is read. It is written for a profile whose credential is asked for each time, which an
/// older Keybearer would save, for a sign-in at a provider, for several addresses, and for certificates of authorities.
const FORMAT: u32 = 3;
/// Version with protection, proxy and client certificate. It is still written for a profile that a Keybearer of that time
/// understands.
const SECOND_FORMAT: u32 = 2;
/// First version of the format. It is still written for a profile that a Keybearer of that time understands.
const FIRST_FORMAT: u32 = 1;
const MEMBERS: [&str; 14] = [
    "format",
    "name",
    "environment",
    "url",
    "more_urls",
    "trust",
    "login",
    "run_as",
    "timeout_ms",
    "audit_index",
    "protection",
    "proxy",
    "client_certificate",
    "credential",
];

/// Stored word for a credential that is asked for each time.
const ASKED: &str = "asked";

/// Reason why a stored text is no profile; it repeats nothing of the text but its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub name: Option<String>,
    pub newer: bool,
    pub reason: String,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: u32,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    name: String,
    environment: String,
    url: String,
    #[serde(default)]
    more_urls: Vec<String>,
    trust: StoredTrust,
    #[serde(borrow)]
    login: StoredLogin<'a>,
    #[serde(default)]
    run_as: Option<String>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    #[serde(default)]
    audit_index: Option<String>,
    #[serde(default)]
    protection: Option<String>,
    #[serde(borrow, default)]
    proxy: Option<StoredProxy<'a>>,
    #[serde(borrow, default)]
    client_certificate: Option<StoredCertificate<'a>>,
    #[serde(default)]
    credential: Option<String>,
}

#[derive(Deserialize)]
struct StoredCertificate<'a> {
    chain: String,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct CertificateToStore<'a> {
    chain: &'a str,
    key: &'a str,
}

#[derive(Deserialize)]
struct StoredProxy<'a> {
    kind: String,
    url: Option<String>,
    username: Option<String>,
    #[serde(borrow)]
    secret: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct ProxyToStore<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Deserialize, Serialize, Default)]
struct StoredTrust {
    kind: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pem: Option<String>,
}

#[derive(Deserialize)]
struct StoredLogin<'a> {
    kind: String,
    id: Option<String>,
    username: Option<String>,
    #[serde(borrow)]
    secret: Option<&'a RawValue>,
    #[serde(borrow, default)]
    provider: Option<StoredProvider<'a>>,
}

/// Settings of a sign-in at a provider. Its tokens have an entry of their own: they come and go.
#[derive(Deserialize)]
struct StoredProvider<'a> {
    issuer: String,
    client_id: String,
    scopes: String,
    sent: String,
    #[serde(borrow)]
    client_secret: Option<&'a RawValue>,
    #[serde(borrow)]
    shared_secret: Option<&'a RawValue>,
    redirect_port: Option<u16>,
    ca_file: Option<String>,
}

#[derive(Serialize)]
struct ProviderToStore<'a> {
    issuer: &'a str,
    client_id: &'a str,
    scopes: String,
    sent: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a str>,
}

#[derive(Serialize)]
struct LoginToStore<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<ProviderToStore<'a>>,
}

/// Reads a text that [`write()`] wrote, in this or another version.
pub(crate) fn read(id: &ProfileId, text: &Secret) -> Result<Profile, Unread> {
    let json = text.expose();
    let head: Head =
        serde_json::from_str(json).map_err(|error| Unread { name: None, newer: false, reason: place_of(&error) })?;
    let unread = |reason: String| Unread { name: head.name.clone(), newer: head.format > FORMAT, reason };
    if head.format > FORMAT {
        return Err(unread("it was saved by a later version of Keybearer".into()));
    }
    let stored: Stored<'_> = serde_json::from_str(json).map_err(|error| unread(place_of(&error)))?;
    let environment = environment(&stored.environment).ok_or_else(|| unread("its environment can't be read".into()))?;
    let protection = match &stored.protection {
        None => Protection::default_for(environment),
        Some(word) => protection(word).ok_or_else(|| unread("its protection can't be read".into()))?,
    };
    let asks_credential = match stored.credential.as_deref() {
        None => false,
        Some(ASKED) => true,
        Some(_) => return Err(unread("how its credential is kept can't be read".into())),
    };
    let urls: Result<Vec<ClusterUrl>, _> = stored.more_urls.iter().map(|url| ClusterUrl::parse(url)).collect();
    let endpoint = Endpoint {
        more_urls: urls.map_err(|_| unread("one of its URLs can't be read".into()))?,
        asks_credential,
        trust: trust(stored.trust).ok_or_else(|| unread("its certificate trust can't be read".into()))?,
        run_as: stored.run_as,
        timeout: stored.timeout_ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis),
        audit_index: stored.audit_index,
        proxy: match stored.proxy {
            None => ProxyRule::System,
            Some(stored) => proxy(stored).ok_or_else(|| unread("its proxy can't be read".into()))?,
        },
        client_certificate: match stored.client_certificate {
            None => None,
            Some(stored) => {
                Some(client_certificate(stored).ok_or_else(|| unread("its client certificate can't be read".into()))?)
            }
        },
        protection,
        ..Endpoint::new(
            ClusterUrl::parse(&stored.url).map_err(|_| unread("its URL can't be read".into()))?,
            login(id, stored.login).ok_or_else(|| unread("its sign-in can't be read".into()))?,
        )
    };
    Ok(Profile { id: id.clone(), name: stored.name, environment, endpoint })
}

fn trust(stored: StoredTrust) -> Option<Trust> {
    Some(match &*stored.kind {
        "system" => Trust::System,
        "ca_file" => Trust::CaFile(PathBuf::from(stored.path?)),
        "fingerprint" => Trust::Fingerprint(Fingerprint::parse(&stored.sha256?).ok()?),
        "ca" => Trust::Ca(CaCertificates::read(stored.pem?.as_bytes()).ok()?),
        "insecure_dev" => Trust::InsecureDev,
        _ => return None,
    })
}

fn login(id: &ProfileId, stored: StoredLogin<'_>) -> Option<Login> {
    let secret = unquote(stored.secret?)?;
    Some(match &*stored.kind {
        "api_key" => Login::ApiKey { id: stored.id?, secret },
        "cloud_key" => Login::CloudKey(secret),
        "password" => Login::Password { username: stored.username?, password: secret },
        "bearer" => Login::Bearer(secret),
        "certificate" => Login::Certificate,
        "open_id" => Login::OpenId(Box::new(provider(id, stored.provider?)?)),
        _ => return None,
    })
}

fn provider(id: &ProfileId, stored: StoredProvider<'_>) -> Option<OpenIdLogin> {
    let secret = |raw: Option<&RawValue>| match raw {
        Some(raw) => unquote(raw).map(Some),
        None => Some(None),
    };
    Some(OpenIdLogin {
        sign_in: SignInId::of(id),
        issuer: Issuer::parse(&stored.issuer).ok()?,
        client_id: stored.client_id,
        client_secret: secret(stored.client_secret)?,
        scopes: open_id::parse_scopes(&stored.scopes).ok()?,
        sent: SentToken::ALL.into_iter().find(|sent| sent.word() == stored.sent)?,
        shared_secret: secret(stored.shared_secret)?,
        redirect_port: stored.redirect_port,
        ca_file: stored.ca_file.map(PathBuf::from),
    })
}

fn provider_to_store(login: &OpenIdLogin) -> Result<ProviderToStore<'_>, String> {
    let unreadable = |path: &PathBuf| format!("the provider's CA file has a name that is not text: {}", path.display());
    Ok(ProviderToStore {
        issuer: login.issuer.as_str(),
        client_id: &login.client_id,
        scopes: login.scopes.join(" "),
        sent: login.sent.word(),
        client_secret: login.client_secret.as_ref().map(Secret::expose),
        shared_secret: login.shared_secret.as_ref().map(Secret::expose),
        redirect_port: login.redirect_port,
        ca_file: match &login.ca_file {
            Some(path) => Some(path.to_str().ok_or_else(|| unreadable(path))?),
            None => None,
        },
    })
}

fn environment(word: &str) -> Option<Environment> {
    [Environment::Production, Environment::Staging, Environment::Development, Environment::Sandbox]
        .into_iter()
        .find(|environment| environment_word(*environment) == word)
}

/// Returns the stored name of an environment; not the one on screen, which may change.
fn environment_word(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "production",
        Environment::Staging => "staging",
        Environment::Development => "development",
        Environment::Sandbox => "sandbox",
    }
}

fn proxy(stored: StoredProxy<'_>) -> Option<ProxyRule> {
    Some(match stored.kind.as_str() {
        "system" => ProxyRule::System,
        "direct" => ProxyRule::Direct,
        "via" => {
            let login = match stored.username {
                Some(username) => Some(ProxyLogin { username, password: unquote(stored.secret?)? }),
                None => None,
            };
            ProxyRule::Via(Proxy { url: ProxyUrl::parse(&stored.url?).ok()?, login })
        }
        _ => return None,
    })
}

fn client_certificate(stored: StoredCertificate<'_>) -> Option<ClientCertificate> {
    ClientCertificate::from_kept(&stored.chain, &unquote(stored.key?)?).ok()
}

fn proxy_to_store(rule: &ProxyRule) -> ProxyToStore<'_> {
    let plain = |kind| ProxyToStore { kind, url: None, username: None, secret: None };
    match rule {
        ProxyRule::System => plain("system"),
        ProxyRule::Direct => plain("direct"),
        ProxyRule::Via(proxy) => ProxyToStore {
            kind: "via",
            url: Some(proxy.url.as_str()),
            username: proxy.login.as_ref().map(|login| login.username.as_str()),
            secret: proxy.login.as_ref().map(|login| login.password.expose()),
        },
    }
}

fn protection(word: &str) -> Option<Protection> {
    Protection::ALL.into_iter().find(|protection| protection_word(*protection) == word)
}

/// Returns the stored name of a protection; not the one on screen, which may change.
fn protection_word(protection: Protection) -> &'static str {
    match protection {
        Protection::None => "none",
        Protection::Name => "name",
        Protection::ReadOnly => "read_only",
    }
}

/// Returns the version of the format to write: a Keybearer that would ignore what the profile forbids, or take another
/// way to the cluster, must not read it.
fn format_of(profile: &Profile) -> u32 {
    let endpoint = &profile.endpoint;
    if endpoint.asks_credential || !endpoint.more_urls.is_empty() || matches!(endpoint.trust, Trust::Ca(_)) {
        return FORMAT;
    }
    let is_usual = endpoint.protection == Protection::default_for(profile.environment);
    if matches!(endpoint.login, Login::OpenId(_) | Login::CloudKey(_)) {
        FORMAT
    } else if is_usual && endpoint.proxy == ProxyRule::System && endpoint.client_certificate.is_none() {
        FIRST_FORMAT
    } else {
        SECOND_FORMAT
    }
}

/// Writes a profile; members of `before` that this version doesn't know are kept.
///
/// # Errors
/// The reason, when the profile can't be written as text.
pub(crate) fn write(profile: &Profile, before: Option<&Secret>) -> Result<Secret, String> {
    let mut buffer = WipedBuffer::default();
    write_members(profile, before, &mut buffer).map_err(|error| error.to_string())?;
    buffer.into_secret().ok_or_else(|| "it is not text".into())
}

fn write_members(profile: &Profile, before: Option<&Secret>, buffer: &mut WipedBuffer) -> serde_json::Result<()> {
    let endpoint = &profile.endpoint;
    let mut serializer = serde_json::Serializer::new(buffer);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("format", &format_of(profile))?;
    map.serialize_entry("name", &profile.name)?;
    map.serialize_entry("environment", environment_word(profile.environment))?;
    map.serialize_entry("url", endpoint.url.as_str())?;
    if !endpoint.more_urls.is_empty() {
        let urls: Vec<&str> = endpoint.more_urls.iter().map(ClusterUrl::as_str).collect();
        map.serialize_entry("more_urls", &urls)?;
    }
    map.serialize_entry("trust", &trust_to_store(&endpoint.trust).map_err(serde_json::Error::custom)?)?;
    let without = endpoint.asks_credential.then(|| endpoint.login.without_secret());
    let login = login_to_store(without.as_ref().unwrap_or(&endpoint.login)).map_err(serde_json::Error::custom)?;
    map.serialize_entry("login", &login)?;
    if endpoint.asks_credential {
        map.serialize_entry("credential", ASKED)?;
    }
    if let Some(run_as) = &endpoint.run_as {
        map.serialize_entry("run_as", run_as)?;
    }
    map.serialize_entry("timeout_ms", &u64::try_from(endpoint.timeout.as_millis()).unwrap_or(u64::MAX))?;
    if let Some(index) = &endpoint.audit_index {
        map.serialize_entry("audit_index", index)?;
    }
    map.serialize_entry("protection", protection_word(endpoint.protection))?;
    if let Some(own) = &endpoint.client_certificate {
        let kept = CertificateToStore { chain: own.chain(), key: own.key().expose() };
        map.serialize_entry("client_certificate", &kept)?;
    }
    map.serialize_entry("proxy", &proxy_to_store(&endpoint.proxy))?;
    // Values are borrowed, so that no copy of a secret is left behind.
    let kept = before.and_then(|text| json::members_as::<Cow<'_, str>, &RawValue>(text.expose()));
    for (name, value) in kept.into_iter().flatten() {
        if !MEMBERS.contains(&&*name) {
            map.serialize_entry(&name, value)?;
        }
    }
    map.end()
}

fn trust_to_store(trust: &Trust) -> Result<StoredTrust, String> {
    Ok(match trust {
        Trust::System => StoredTrust { kind: "system".into(), ..StoredTrust::default() },
        Trust::CaFile(path) => {
            let text = path.to_str().ok_or_else(|| format!("the CA file's name is not text: {}", path.display()))?;
            StoredTrust { kind: "ca_file".into(), path: Some(text.to_owned()), ..StoredTrust::default() }
        }
        Trust::Fingerprint(print) => {
            StoredTrust { kind: "fingerprint".into(), sha256: Some(print.to_string()), ..StoredTrust::default() }
        }
        Trust::Ca(ca) => StoredTrust { kind: "ca".into(), pem: Some(ca.pem().to_owned()), ..StoredTrust::default() },
        Trust::InsecureDev => StoredTrust { kind: "insecure_dev".into(), ..StoredTrust::default() },
    })
}

fn login_to_store(login: &Login) -> Result<LoginToStore<'_>, String> {
    let plain = |kind, secret| LoginToStore { kind, id: None, username: None, secret, provider: None };
    Ok(match login {
        Login::ApiKey { id, secret } => LoginToStore { id: Some(id), ..plain("api_key", secret.expose()) },
        Login::CloudKey(key) => plain("cloud_key", key.expose()),
        Login::Password { username, password } => {
            LoginToStore { username: Some(username), ..plain("password", password.expose()) }
        }
        Login::Bearer(token) => plain("bearer", token.expose()),
        Login::Certificate => plain("certificate", ""),
        Login::OpenId(login) => LoginToStore { provider: Some(provider_to_store(login)?), ..plain("open_id", "") },
    })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
