//! Cloud ID of Elastic Cloud: `name:base64(host$elasticsearch$kibana)`. The host may have a port, and so may the id of
//! Elasticsearch; without one it is 443 (as Beats and Logstash read it).

use base64::{Engine, alphabet, engine};

use super::{Origin, Proposal};
use crate::model::connections::{draft::ProfileDraft, endpoint::ClusterUrl};

/// Prefixes with which a Cloud ID stands in configurations.
const PREFIXES: [&str; 4] = ["cloud.id:", "cloud_id =>", "CLOUD_ID=", "ELASTIC_CLOUD_ID="];

/// Base64 with or without its padding.
const BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
    &alphabet::STANDARD,
    engine::GeneralPurposeConfig::new().with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
);

/// Reads a Cloud ID; `None` if the text is something else.
///
/// # Errors
/// Text that says what is wrong with it.
pub(super) fn read(text: &str) -> Option<Result<Proposal, String>> {
    let prefix = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
    let text = prefix.unwrap_or(text).trim().trim_matches(['"', '\'']);
    let (name, encoded) = text.rsplit_once(':')?;
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    // `key: value` of YAML has a blank there, and an address two slashes.
    let is_one = encoded.len() >= 8 && encoded.chars().all(is_base64) && !encoded.starts_with("//");
    (is_one && !name.contains('\n') || prefix.is_some()).then(|| decoded(name.trim(), encoded))
}

fn decoded(name: &str, encoded: &str) -> Result<Proposal, String> {
    let wrong = |reason: &str| format!("the Cloud ID is malformed: {reason}. Copy it from the deployment's page");
    let bytes = BASE64.decode(encoded).map_err(|_| wrong("the part after the colon is not Base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("the part after the colon is not text"))?;
    let mut parts = text.split('$');
    let (host, id) = (parts.next().unwrap_or_default(), parts.next());
    let id = id.ok_or_else(|| wrong("it has no $ between the host and the id of Elasticsearch"))?;
    let (host, port) = with_port(host, 443).ok_or_else(|| wrong("the port of its host is not a number"))?;
    let (id, port) = with_port(id, port).ok_or_else(|| wrong("the port of Elasticsearch is not a number"))?;
    let is_name = |text: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        !text.is_empty() && text != "undefined" && text.chars().all(is_letter)
    };
    if !is_name(host) {
        return Err(wrong("it names no host"));
    }
    if !is_name(id) {
        return Err(wrong("it names no Elasticsearch"));
    }
    let url = ClusterUrl::parse(&format!("https://{id}.{host}:{port}")).map_err(|_| wrong("it names no host"))?;
    let name = if name.is_empty() { id } else { name };
    let draft = ProfileDraft { name: name.to_owned(), url: url.to_string(), ..ProfileDraft::new() };
    Ok(Proposal::new(draft, Origin::CloudId))
}

fn with_port(text: &str, usual: u16) -> Option<(&str, u16)> {
    match text.split_once(':') {
        None => Some((text, usual)),
        Some((host, port)) => port.parse().ok().map(|port| (host, port)),
    }
}
