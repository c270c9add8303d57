//! Environment files: the `.env` of start-local (`ES_LOCAL_URL`, `ES_LOCAL_PORT`, `ES_LOCAL_PASSWORD`,
//! `ES_LOCAL_API_KEY`), or the variables that Keybearer's commands read (`ES_URL`, `ES_API_KEY` and so on).

use zeroize::Zeroizing;

use super::{Origin, Proposal};
use crate::model::connections::{
    draft::{ProfileDraft, SignIn, TrustChoice},
    login::Login,
    profile::Environment,
};

/// Maximum number of variables within the value of another one.
const MAX_EXPANSIONS: usize = 16;

struct Variable<'a> {
    name: &'a str,
    value: &'a str,
    is_literal: bool,
}

/// Reads the file; `None` if it is something else.
///
/// # Errors
/// If a variable refers to one that is not in the file.
pub(super) fn read(text: &str) -> Option<Result<Proposal, String>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let variables: Vec<Variable<'_>> = lines.map(variable).collect::<Option<_>>()?;
    let has = |name: &str| variables.iter().any(|variable| variable.name == name);
    let is_local = variables.iter().any(|variable| variable.name.starts_with("ES_LOCAL_"));
    (is_local || has("ES_URL")).then(|| proposal(&variables, is_local))
}

fn variable(line: &str) -> Option<Variable<'_>> {
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    Some(match (quoted('\''), quoted('"')) {
        (Some(value), _) => Variable { name, value, is_literal: true },
        (_, Some(value)) => Variable { name, value, is_literal: false },
        // Behind a blank a comment may follow.
        _ => Variable { name, value: value.split(" #").next().unwrap_or(value).trim_end(), is_literal: false },
    })
}

/// Returns the value of a variable, with `${NAME}` replaced by the values of the same file; `None` for a missing or blank
/// one. A `$` that begins no such name stays.
fn value(variables: &[Variable<'_>], name: &str) -> Result<Option<Zeroizing<String>>, String> {
    // The last one counts, as for a shell.
    let Some(found) = variables.iter().rev().find(|variable| variable.name == name) else { return Ok(None) };
    let mut text = Zeroizing::new(found.value.to_owned());
    for _ in 0..MAX_EXPANSIONS {
        let Some((start, end)) = reference(&text).filter(|_| !found.is_literal) else {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        };
        let inner = text[start + 2..end].to_owned();
        let replacement = variables.iter().rev().find(|variable| variable.name == inner);
        let replacement = replacement.ok_or_else(|| format!("{name} refers to a variable that is not in the file"))?;
        text = Zeroizing::new([&text[..start], replacement.value, &text[end + 1..]].concat());
    }
    Err(format!("{name} refers to too many other variables"))
}

fn reference(text: &str) -> Option<(usize, usize)> {
    let start = text.find("${")?;
    text[start..].find('}').map(|end| (start, start + end))
}

fn proposal(variables: &[Variable<'_>], is_local: bool) -> Result<Proposal, String> {
    let of = |name: &str| value(variables, name);
    let mut draft = ProfileDraft::new();
    let mut notes = Vec::new();
    let (url, key, username, password) = if is_local {
        let port = of("ES_LOCAL_PORT")?;
        let port = port.as_ref().map_or("9200", |port| port.as_str());
        let url = of("ES_LOCAL_URL")?.map_or_else(|| format!("http://localhost:{port}"), |url| url.to_string());
        draft.name = of("ES_LOCAL_CONTAINER_NAME")?.map_or_else(|| "start-local".into(), |name| name.to_string());
        // It is made for development on one's own computer only, as its page says.
        draft.environment = Some(Environment::Development);
        (Some(url), of("ES_LOCAL_API_KEY")?, Some("elastic".to_owned()), of("ES_LOCAL_PASSWORD")?)
    } else {
        let plain = |name: &str| Ok::<_, String>(of(name)?.map(|text| text.to_string()));
        if let Some(print) = plain("ES_FINGERPRINT")? {
            (draft.trust, draft.fingerprint) = (TrustChoice::Fingerprint, print);
        } else if let Some(path) = plain("ES_CA_FILE")? {
            (draft.trust, draft.ca_file) = (TrustChoice::CaFile, path);
        }
        if let Some(token) = of("ES_TOKEN")? {
            (draft.sign_in, draft.token) = (SignIn::Token, token);
        }
        (plain("ES_URL")?, of("ES_API_KEY")?, plain("ES_USERNAME")?, of("ES_PASSWORD")?)
    };
    super::elasticvue::put_url(&mut draft, url.as_deref().unwrap_or_default());
    if draft.name.is_empty() {
        draft.name = super::elasticvue::host_of(&draft.url);
    }
    let has_password = password.is_some();
    if let Some(password) = password {
        draft.sign_in = SignIn::User;
        draft.password = password;
    }
    if draft.sign_in == SignIn::User || username.is_some() && key.is_none() {
        draft.sign_in = SignIn::User;
        draft.username = username.unwrap_or_default();
    }
    if let Some(key) = key {
        match Login::from_api_key_text(&key) {
            Ok(Login::ApiKey { id, secret }) => {
                draft.key_id = id;
                draft.key_secret = Zeroizing::new(secret.expose().to_owned());
            }
            Ok(Login::CloudKey(own)) => draft.key_secret = Zeroizing::new(own.expose().to_owned()),
            _ => draft.key_secret = key,
        }
        if has_password {
            notes.push("Signs in with the password: with the API key, new keys would have no privileges".into());
        } else {
            draft.sign_in = SignIn::ApiKey;
        }
    }
    Ok(Proposal { notes, ..Proposal::new(draft, Origin::EnvFile) })
}
