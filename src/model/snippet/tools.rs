//! Texts for requests by hand and for tools that work with a cluster.

use zeroize::Zeroizing;

use super::{
    Key, Site,
    quote::{double, double_dollars, hcl, joined, plain, powershell as powershell_text, shell},
    site::SiteTrust,
};

/// Passes the header by standard input: everybody on the machine can read a command line.
fn header_below(key: Key<'_>) -> Zeroizing<String> {
    let end = if matches!(key, Key::Reference) { "END" } else { "'END'" };
    let header = key.header(plain, "ApiKey $ES_API_KEY");
    joined(&["<<", end, "\nAuthorization: ", &header, "\nEND\n"])
}

pub(super) fn curl(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!(" --cacert {}", *shell(&path)),
        None if site.is_insecure() => " --insecure".into(),
        None => String::new(),
    };
    let url = shell(&joined(&[site.url, "/_security/_authenticate"]));
    joined(&["curl", &tls, " -H @- ", &url, " ", &header_below(key)])
}

/// Writes a request to Kibana, another program with another certificate: of the cluster's trust only "not verified"
/// applies to it too.
pub(super) fn kibana(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = if site.is_insecure() { " --insecure" } else { "" };
    joined(&["curl", tls, " -H @- -H 'kbn-xsrf: true' \"$KIBANA_URL/api/status\" ", &header_below(key)])
}

pub(super) fn powershell(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::InsecureDev => " -SkipCertificateCheck # development only",
        _ => "",
    };
    let note = match site.trust() {
        SiteTrust::CaFile(_) | SiteTrust::Fingerprint(_) => {
            "# The certificate of the CA must be in the trust store of this machine.\n"
        }
        _ => "",
    };
    let url = powershell_text(&joined(&[site.url, "/_security/_authenticate"]));
    let header = key.header(powershell_text, "\"ApiKey $env:ES_API_KEY\"");
    joined(&[note, "Invoke-RestMethod ", &url, " -Headers @{Authorization=", &header, "}", tls, "\n"])
}

pub(super) fn grafana(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    // `$__file{}` ends at the first brace and knows no escapes.
    let ca = site.ca_file().filter(|path| !path.contains(['}', '$']));
    let (json, secure) = match (&ca, site.trust()) {
        (Some(path), _) => (
            "      tlsAuthWithCACert: true\n",
            joined(&["      tlsCACert: ", &double(&joined(&["$__file{", path, "}"])), "\n"]),
        ),
        (None, SiteTrust::InsecureDev) => ("      tlsSkipVerify: true # development only\n", joined(&[])),
        (None, SiteTrust::CaFile(_) | SiteTrust::Fingerprint(_)) => {
            ("      tlsAuthWithCACert: true\n", joined(&["      # tlsCACert: the certificate of the CA, as text\n"]))
        }
        (None, SiteTrust::System) => ("", joined(&[])),
    };
    joined(&[
        "apiVersion: 1\ndatasources:\n  - name: Elasticsearch\n    type: elasticsearch\n    access: proxy\n    url: ",
        &double_dollars(site.url),
        "\n    jsonData:\n      index: \"logs-*\"\n      timeField: \"@timestamp\"\n      httpHeaderName1: Authorization\n",
        json,
        "    secureJsonData:\n      httpHeaderValue1: ",
        &key.header(double_dollars, "\"ApiKey $ES_API_KEY\""),
        "\n",
        &secure,
    ])
}

pub(super) fn terraform(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("    ca_file   = {}\n", *hcl(&path)),
        None if site.is_insecure() => "    insecure  = true # development only\n".into(),
        None => String::new(),
    };
    let api_key = match key {
        Key::Reference => joined(&["    # api_key: the provider reads ELASTICSEARCH_API_KEY\n"]),
        Key::Literal(_) => joined(&["    api_key   = ", &key.encoded(hcl, ""), "\n"]),
    };
    joined(&[
        "provider \"elasticstack\" {\n  elasticsearch {\n    endpoints = [",
        &hcl(site.url),
        "]\n",
        &api_key,
        &tls,
        "  }\n}\n",
    ])
}

/// Writes the settings of the MCP server. Docker passes on a variable that is named without a value.
pub(super) fn mcp(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let insecure = site.is_insecure();
    let skip = if insecure { ", \"-e\", \"ES_SSL_SKIP_VERIFY\"" } else { "" };
    let env_skip = if insecure { ",\n        \"ES_SSL_SKIP_VERIFY\": \"true\"" } else { "" };
    let api_key = match key {
        Key::Reference => joined(&[]),
        Key::Literal(_) => joined(&[",\n        \"ES_API_KEY\": ", &key.encoded(double, "")]),
    };
    joined(&[
        "{\n  \"mcpServers\": {\n    \"elasticsearch\": {\n      \"command\": \"docker\",\n      \"args\": [\"run\", \"-i\", \
         \"--rm\", \"-e\", \"ES_URL\", \"-e\", \"ES_API_KEY\"",
        skip,
        ", \"docker.elastic.co/mcp/elasticsearch\", \"stdio\"],\n      \"env\": {\n        \"ES_URL\": ",
        &double(site.url),
        &api_key,
        env_skip,
        "\n      }\n    }\n  }\n}\n",
    ])
}

pub(super) fn curator(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("    ca_certs: {}\n", *double(&path)),
        None if site.is_insecure() => "    verify_certs: false # development only\n".into(),
        None => String::new(),
    };
    // No quotes: inside them Curator would not look for a variable.
    let token = key.encoded(double, "${ES_API_KEY}");
    joined(&[
        "elasticsearch:\n  client:\n    hosts: ",
        &double(site.url),
        "\n    request_timeout: 60\n",
        &tls,
        "  other_settings:\n    api_key:\n      token: ",
        &token,
        "\n",
    ])
}
