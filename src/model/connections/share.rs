//! Connections for other people: JSON with a version, without any secret. It is imported like everything else.

use serde::Serialize;

use super::{
    ca::CaCertificates,
    draft::{ProfileDraft, ProxyChoice, SignIn, TrustChoice},
    import::Tree,
    open_id::SentToken,
    profile::{Environment, Profile},
    protection::Protection,
};

/// Mark by which the file is recognized.
const MARK: &str = "connections";

/// Version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Shared {
    keybearer: &'static str,
    version: u32,
    connections: Vec<SharedConnection>,
}

/// One connection. Members that are not there have the default of the form.
#[derive(Serialize)]
struct SharedConnection {
    name: String,
    environment: Option<&'static str>,
    urls: Vec<String>,
    trust: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    sign_in: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_port: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_ca_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as: Option<String>,
    timeout_seconds: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_index: Option<String>,
    protection: &'static str,
    proxy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_username: Option<String>,
}

/// Names of all members, for the error of an unknown one.
const MEMBERS: [&str; 24] = [
    "name",
    "environment",
    "urls",
    "trust",
    "ca_file",
    "ca",
    "fingerprint",
    "sign_in",
    "api_key_id",
    "username",
    "issuer",
    "client_id",
    "scopes",
    "sent_token",
    "redirect_port",
    "provider_ca_file",
    "credential",
    "run_as",
    "timeout_seconds",
    "audit_index",
    "protection",
    "proxy",
    "proxy_url",
    "proxy_username",
];

const ENVIRONMENTS: [(Environment, &str); 3] = [
    (Environment::Production, "production"),
    (Environment::Staging, "staging"),
    (Environment::Development, "development"),
];

const TRUSTS: [(TrustChoice, &str); 4] = [
    (TrustChoice::System, "system"),
    (TrustChoice::CaFile, "ca"),
    (TrustChoice::Fingerprint, "fingerprint"),
    (TrustChoice::InsecureDev, "insecure_development"),
];

const SIGN_INS: [(SignIn, &str); 5] = [
    (SignIn::ApiKey, "api_key"),
    (SignIn::User, "password"),
    (SignIn::Token, "token"),
    (SignIn::Certificate, "certificate"),
    (SignIn::OpenId, "open_id"),
];

const SENT_TOKENS: [(SentToken, &str); 2] = [(SentToken::Id, "id_token"), (SentToken::Access, "access_token")];

/// Whether the credential is asked for each time.
const CREDENTIALS: [(bool, &str); 2] = [(false, "saved"), (true, "asked")];

const PROXIES: [(ProxyChoice, &str); 3] =
    [(ProxyChoice::System, "system"), (ProxyChoice::Direct, "none"), (ProxyChoice::Via, "custom")];

const PROTECTIONS: [(Protection, &str); 3] =
    [(Protection::None, "none"), (Protection::Name, "name"), (Protection::ReadOnly, "read_only")];

fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> Option<&'static str> {
    words.iter().find(|(own, _)| own == value).map(|(_, word)| *word)
}

/// Writes profiles as JSON, without passwords, secrets of keys, tokens and client certificates. A CA file is written as
/// its path: whoever can read files puts its content in its place before.
///
/// # Errors
/// Returns an error if a text can't be written as JSON.
pub fn write(profiles: &[Profile]) -> Result<String, serde_json::Error> {
    let connections = profiles.iter().map(shared).collect();
    serde_json::to_string_pretty(&Shared { keybearer: MARK, version: VERSION, connections }).map(|text| text + "\n")
}

fn shared(profile: &Profile) -> SharedConnection {
    // The form has each part in a field of its own; only those that are not secret are looked at.
    let draft = ProfileDraft::of(profile);
    let given = |text: &String, is_wanted: bool| Some(text.clone()).filter(|text| is_wanted && !text.is_empty());
    let is_via = draft.proxy == ProxyChoice::Via;
    let (open_id, is_open_id) = (&draft.open_id, draft.sign_in == SignIn::OpenId);
    SharedConnection {
        environment: draft.environment.and_then(|environment| word(&ENVIRONMENTS, &environment)),
        urls: draft.url.lines().map(str::to_owned).collect(),
        trust: word(&TRUSTS, &draft.trust).unwrap_or_default(),
        ca_file: given(&draft.ca_file, draft.trust == TrustChoice::CaFile),
        ca: draft.ca.as_ref().map(|ca| ca.pem().to_owned()),
        fingerprint: given(&draft.fingerprint, draft.trust == TrustChoice::Fingerprint),
        sign_in: word(&SIGN_INS, &draft.sign_in).unwrap_or_default(),
        api_key_id: given(&draft.key_id, draft.sign_in == SignIn::ApiKey),
        username: given(&draft.username, draft.sign_in == SignIn::User),
        issuer: given(&open_id.issuer, is_open_id),
        client_id: given(&open_id.client_id, is_open_id),
        scopes: given(&open_id.scopes, is_open_id),
        sent_token: word(&SENT_TOKENS, &open_id.sent).filter(|_| is_open_id),
        redirect_port: given(&open_id.redirect_port, is_open_id),
        provider_ca_file: given(&open_id.ca_file, is_open_id),
        credential: word(&CREDENTIALS, &draft.asks_credential).filter(|_| draft.asks_credential),
        run_as: given(&draft.run_as, true),
        timeout_seconds: draft.timeout.clone(),
        audit_index: given(&draft.audit_index, true),
        protection: word(&PROTECTIONS, &draft.protection()).unwrap_or_default(),
        proxy: word(&PROXIES, &draft.proxy).unwrap_or_default(),
        proxy_url: given(&draft.proxy_url, is_via),
        proxy_username: given(&draft.proxy_username, is_via),
        name: draft.name,
    }
}

/// Returns `true` if the tree is such an export, of any version.
pub(super) fn is_one(tree: &Tree) -> bool {
    tree.text_of("keybearer") == Some(MARK)
}

/// Reads an export.
///
/// # Errors
/// If it is of a later version, or a member can't be read: its name and the connection.
pub(super) fn read(tree: &Tree) -> Result<Vec<ProfileDraft>, String> {
    match tree.text_of("version").and_then(|version| version.parse::<u32>().ok()) {
        Some(VERSION) => {}
        Some(later) if later > VERSION => return Err("it was exported by a later version of Keybearer".into()),
        _ => return Err("the member version can't be read".into()),
    }
    let connections = tree.get("connections").and_then(Tree::elements);
    let connections = connections.ok_or("the member connections is missing or no list")?;
    connections
        .iter()
        .enumerate()
        .map(|(at, one)| draft(one).map_err(|why| format!("connection {}: {why}", at + 1)))
        .collect()
}

fn draft(one: &Tree) -> Result<ProfileDraft, String> {
    if let Some((name, _)) = one.members().iter().find(|(name, _)| !MEMBERS.contains(&name.as_str())) {
        let name = crate::model::text::sanitize::shortened(name, 40);
        return Err(format!("the member {name} is not known: a later version of Keybearer may have written it"));
    }
    let text = |name: &str| -> Result<String, String> {
        match one.get(name) {
            None | Some(Tree::Null) => Ok(String::new()),
            Some(value) => value.text().map(str::to_owned).ok_or_else(|| format!("the member {name} is no text")),
        }
    };
    let mut draft = ProfileDraft {
        name: text("name")?,
        ca_file: text("ca_file")?,
        fingerprint: text("fingerprint")?,
        key_id: text("api_key_id")?,
        username: text("username")?,
        run_as: text("run_as")?,
        audit_index: text("audit_index")?,
        proxy_url: text("proxy_url")?,
        proxy_username: text("proxy_username")?,
        ..ProfileDraft::new()
    };
    if let Some(timeout) = Some(text("timeout_seconds")?).filter(|timeout| !timeout.is_empty()) {
        draft.timeout = timeout;
    }
    if let Some(urls) = one.get("urls") {
        let urls: Option<Vec<&str>> = urls.elements().map(|urls| urls.iter().filter_map(Tree::text).collect());
        draft.url = urls.ok_or("the member urls is no list")?.join("\n");
    }
    if let Some(pem) = Some(text("ca")?).filter(|pem| !pem.is_empty()) {
        let ca = CaCertificates::read(pem.as_bytes());
        draft.ca = Some(ca.map_err(|error| format!("the member ca can't be used: {error}"))?);
    }
    draft.open_id.issuer = text("issuer")?;
    draft.open_id.client_id = text("client_id")?;
    draft.open_id.redirect_port = text("redirect_port")?;
    draft.open_id.ca_file = text("provider_ca_file")?;
    if let Some(scopes) = Some(text("scopes")?).filter(|scopes| !scopes.is_empty()) {
        draft.open_id.scopes = scopes;
    }
    draft.open_id.sent = choice(one, "sent_token", &SENT_TOKENS)?.unwrap_or_default();
    draft.asks_credential = choice(one, "credential", &CREDENTIALS)?.unwrap_or_default();
    draft.environment = choice(one, "environment", &ENVIRONMENTS)?;
    draft.trust = choice(one, "trust", &TRUSTS)?.unwrap_or_default();
    draft.sign_in = choice(one, "sign_in", &SIGN_INS)?.unwrap_or_default();
    draft.protection = choice(one, "protection", &PROTECTIONS)?;
    draft.proxy = choice(one, "proxy", &PROXIES)?.unwrap_or_default();
    // Any other API key has an id.
    draft.asks_cloud_key = draft.asks_credential && draft.sign_in == SignIn::ApiKey && draft.key_id.is_empty();
    Ok(draft)
}

fn choice<T: Copy>(one: &Tree, name: &str, words: &[(T, &'static str)]) -> Result<Option<T>, String> {
    let value = match one.get(name) {
        None | Some(Tree::Null) => return Ok(None),
        Some(value) => value.text(),
    };
    let found = words.iter().find(|(_, word)| Some(*word) == value).map(|(value, _)| Some(*value));
    let all: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    found.ok_or_else(|| format!("the member {name} must be one of {}", all.join(", ")))
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
