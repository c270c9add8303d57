//! Settings of a node, `elasticsearch.yml`: where it listens for HTTP, and whether that is encrypted.

use super::{Origin, Proposal, tree::Tree};
use crate::model::connections::draft::{ProfileDraft, SignIn};

/// Beginnings of settings by which the file is recognized.
const ROOTS: [&str; 12] = [
    "cluster",
    "node",
    "network",
    "http",
    "xpack",
    "path",
    "discovery",
    "transport",
    "bootstrap",
    "action",
    "gateway",
    "indices",
];

/// Settings with the address that clients are to use, the most exact first, as Elasticsearch prefers them.
const HOSTS: [&str; 6] =
    ["http.publish_host", "http.host", "network.publish_host", "network.host", "http.bind_host", "network.bind_host"];

/// Reads the settings; `None` if it is another file.
pub(super) fn read(document: &Tree) -> Option<Proposal> {
    let mut settings = Vec::new();
    flatten(document, "", &mut settings);
    let is_setting = |name: &str| ROOTS.contains(&name.split('.').next().unwrap_or_default());
    if settings.is_empty() || !settings.iter().all(|(name, _)| is_setting(name)) {
        return None;
    }
    Some(proposal(&settings))
}

/// Returns the proposal for a file without any setting.
pub(super) fn defaults() -> Proposal {
    proposal(&[])
}

fn proposal(settings: &[(String, &Tree)]) -> Proposal {
    let find = |name: &str| settings.iter().find(|(own, _)| own == name).map(|(_, value)| *value);
    let text = |name: &str| find(name).and_then(first_text).map(str::trim).filter(|text| !text.is_empty());
    let mut notes = Vec::new();
    let host = HOSTS.iter().find_map(|name| text(name).map(|host| (*name, host)));
    let host = match host {
        Some((_, host)) if is_address(host) => host,
        Some((name, host)) => {
            notes.push(format!(
                "{name} is {}, which is no address: localhost works on the node itself",
                crate::model::text::sanitize::shortened(host, 40)
            ));
            "localhost"
        }
        None => {
            notes.push("No address is set: localhost works on the node itself".into());
            "localhost"
        }
    };
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    // A range such as 9200-9300: the first free port of it is taken.
    let port = text("http.publish_port").or_else(|| text("http.port")).unwrap_or("9200");
    let port = match port.split(['-', ',']).next().and_then(|port| port.trim().parse::<u16>().ok()) {
        Some(port) if port > 0 => port,
        _ => {
            notes.push("The port can't be read: 9200 is assumed".into());
            9200
        }
    };
    let is_on = |name: &str| text(name).is_some_and(|value| value == "true");
    let scheme = if is_on("xpack.security.http.ssl.enabled") { "https" } else { "http" };
    if scheme == "http" {
        notes.push("xpack.security.http.ssl.enabled is not true: the node takes http, which is not encrypted".into());
    }
    if text("xpack.security.enabled") == Some("false") {
        notes.push("xpack.security.enabled is false: the cluster has no API keys".into());
    }
    let name = text("cluster.name").unwrap_or("elasticsearch").to_owned();
    let draft =
        ProfileDraft { name, url: format!("{scheme}://{host}:{port}"), sign_in: SignIn::User, ..ProfileDraft::new() };
    Proposal { notes, ..Proposal::new(draft, Origin::ElasticsearchYml) }
}

/// Returns `true` for a host that a client can connect to: neither a special value such as `_site_`, nor one for all
/// interfaces, nor a variable.
fn is_address(host: &str) -> bool {
    !host.starts_with('_')
        && !host.contains(['$', '/', ' '])
        && !matches!(host, "0.0.0.0" | "0" | "::" | "[::]" | "0:0:0:0:0:0:0:0")
}

fn first_text(value: &Tree) -> Option<&str> {
    match value.elements() {
        // Of several, one that is an address.
        Some(elements) => {
            let texts = || elements.iter().filter_map(Tree::text);
            texts().find(|text| is_address(text)).or_else(|| texts().next())
        }
        None => value.text(),
    }
}

/// Writes `a: {b: {c: 1}}` as `a.b.c: 1`; both are allowed, also mixed.
fn flatten<'a>(tree: &'a Tree, prefix: &str, found: &mut Vec<(String, &'a Tree)>) {
    for (name, value) in tree.members() {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Tree::Map(members) if !members.is_empty() => flatten(value, &name, found),
            _ => found.push((name, value)),
        }
    }
}
