//! Configuration of programs that ship logs, metrics and traces, each with its own way to name a variable.

use zeroize::Zeroizing;

use super::{
    Key, Site,
    quote::{
        Quote, double_dollars, double_unless_named, fluentd as fluentd_text, joined, logstash as logstash_text, rainer,
    },
    site::SiteTrust,
};

const RAW_NAMED: &str = "\"${ES_API_KEY_RAW}\"";

/// Returns the address, or the variable that holds it where the address can't be written.
fn url(text: Option<Zeroizing<String>>) -> Zeroizing<String> {
    text.unwrap_or_else(|| joined(&["\"${ES_URL}\""]))
}

fn file(text: Option<Zeroizing<String>>) -> Zeroizing<String> {
    text.unwrap_or_else(|| joined(&["\"${ES_CA_FILE}\""]))
}

/// Writes a value for Beats and Elastic Agent; one that can't be written is replaced by the variable's name.
fn beat_key(text: &str) -> Zeroizing<String> {
    double_unless_named(text).unwrap_or_else(|| joined(&[RAW_NAMED]))
}

fn beat_output(site: Site<'_>, key: Key<'_>, indent: &str) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => {
            let path = file(double_unless_named(&path));
            format!("{indent}ssl.certificate_authorities: [{}]\n", *path)
        }
        SiteTrust::Fingerprint(print) => format!("{indent}ssl.ca_trusted_fingerprint: \"{print}\"\n"),
        SiteTrust::InsecureDev => format!("{indent}ssl.verification_mode: none # development only\n"),
    };
    joined(&[
        indent,
        "hosts: [",
        &url(double_unless_named(&with_port(site.url))),
        "]\n",
        indent,
        "api_key: ",
        &key.raw(beat_key, RAW_NAMED),
        "\n",
        &tls,
    ])
}

pub(super) fn beats(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    joined(&["output.elasticsearch:\n", &beat_output(site, key, "  ")])
}

pub(super) fn elastic_agent(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    joined(&["outputs:\n  default:\n    type: elasticsearch\n", &beat_output(site, key, "    ")])
}

pub(super) fn logstash(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => {
            let path = file(logstash_text(&path));
            format!("    ssl_certificate_authorities => [{}]\n", *path)
        }
        SiteTrust::Fingerprint(print) => format!("    ca_trusted_fingerprint => \"{print}\"\n"),
        SiteTrust::InsecureDev => "    ssl_verification_mode => \"none\" # development only\n".into(),
    };
    let literal: Quote = |text| logstash_text(text).unwrap_or_else(|| joined(&[RAW_NAMED]));
    joined(&[
        "output {\n  elasticsearch {\n    hosts => [",
        &url(logstash_text(&with_port(site.url))),
        "]\n    ssl_enabled => true\n    api_key => ",
        &key.raw(literal, RAW_NAMED),
        "\n",
        &tls,
        "  }\n}\n",
    ])
}

pub(super) fn fluentd(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("  ca_file {}\n", *fluentd_text(&path)),
        None if site.is_insecure() => "  ssl_verify false # development only\n".into(),
        None => String::new(),
    };
    joined(&[
        "<match **>\n  @type elasticsearch\n  hosts ",
        &fluentd_text(site.url),
        "\n  api_key ",
        &key.raw(fluentd_text, "\"#{ENV['ES_API_KEY_RAW']}\""),
        "\n",
        &tls,
        "  logstash_format true\n</match>\n",
    ])
}

/// Scheme, host, port and path of an address.
struct Parts<'a> {
    is_https: bool,
    host: &'a str,
    port: &'a str,
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let is_https = scheme == "https";
        let (place, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let colon = place.rfind(':').filter(|at| !place[*at..].contains(']'));
        let (host, port) = match colon {
            Some(at) => (&place[..at], &place[at + 1..]),
            None => (place, if is_https { "443" } else { "80" }),
        };
        Self { is_https, host: host.trim_start_matches('[').trim_end_matches(']'), port, path }
    }
}

/// Returns the address with its port: Beats, Elastic Agent and Logstash take 9200 for a port that is left out, the
/// others that of the scheme.
fn with_port(url: &str) -> String {
    let parts = Parts::of(url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let place = rest.strip_suffix(parts.path).unwrap_or(rest);
    if place.ends_with(&format!(":{}", parts.port)) {
        return url.to_owned();
    }
    format!("{scheme}://{place}:{}{}", parts.port, parts.path)
}

pub(super) fn fluent_bit(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let parts = Parts::of(site.url);
    let path = match parts.path {
        "" => String::new(),
        path => format!("      path: {}\n", *url(double_unless_named(path))),
    };
    let tls = match site.ca_file() {
        Some(path) => format!("      tls.ca_file: {}\n", *file(double_unless_named(&path))),
        None if site.is_insecure() => "      tls.verify: off # development only\n".into(),
        None => String::new(),
    };
    let literal: Quote = |text| double_unless_named(text).unwrap_or_else(|| joined(&["\"${ES_API_KEY}\""]));
    joined(&[
        "pipeline:\n  outputs:\n    - name: es\n      match: \"*\"\n      host: ",
        &url(double_unless_named(parts.host)),
        "\n      port: ",
        parts.port,
        "\n",
        &path,
        "      http_api_key: ",
        &key.encoded(literal, "\"${ES_API_KEY}\""),
        "\n      suppress_type_name: on\n      tls: ",
        if parts.is_https { "on" } else { "off" },
        "\n",
        &tls,
    ])
}

pub(super) fn vector(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("tls.ca_file = {}\n", *double_dollars(&path)),
        None if site.is_insecure() => "tls.verify_certificate = false # development only\n".into(),
        None => String::new(),
    };
    joined(&[
        "[sinks.elasticsearch]\ntype = \"elasticsearch\"\ninputs = [\"my_source\"]\nendpoints = [",
        &double_dollars(site.url),
        "]\nrequest.headers.Authorization = ",
        &key.header(double_dollars, "\"ApiKey ${ES_API_KEY}\""),
        "\n",
        &tls,
    ])
}

pub(super) fn rsyslog(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("\n  tls.cacert={}", *rainer(&path)),
        None if site.is_insecure() => {
            "\n  # development only\n  allowunsignedcerts=\"on\"\n  skipverifyhost=\"on\"".into()
        }
        None => String::new(),
    };
    joined(&[
        "module(load=\"omelasticsearch\")\n\naction(\n  type=\"omelasticsearch\"\n  server=",
        &rainer(site.url),
        "\n  serverport=",
        &rainer(Parts::of(site.url).port),
        "\n  apikey=",
        &key.encoded(rainer, "`echo $ES_API_KEY`"),
        &tls,
        "\n)\n",
    ])
}

pub(super) fn collector(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("    tls:\n      ca_file: {}\n", *double_dollars(&path)),
        None if site.is_insecure() => "    tls:\n      insecure_skip_verify: true # development only\n".into(),
        None => String::new(),
    };
    joined(&[
        "exporters:\n  elasticsearch:\n    endpoints: [",
        &double_dollars(site.url),
        "]\n    api_key: ",
        &key.encoded(double_dollars, "\"${env:ES_API_KEY}\""),
        "\n",
        &tls,
    ])
}

/// Writes the environment of the SDKs. `blank` follows `ApiKey`: the SDK for Python wants it percent-encoded.
pub(super) fn otlp(key: Key<'_>, blank: &str) -> Zeroizing<String> {
    let header = joined(&["Authorization=ApiKey", blank]);
    let value = match key {
        Key::Reference => joined(&["\"", &header, "$ES_API_KEY\""]),
        Key::Literal(key) => super::quote::shell(&joined(&[&header, key.encoded.expose()])),
    };
    joined(&["export OTEL_EXPORTER_OTLP_ENDPOINT=\"$OTLP_URL\"\nexport OTEL_EXPORTER_OTLP_HEADERS=", &value, "\n"])
}
