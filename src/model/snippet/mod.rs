//! Consumers of a key and the form in which each takes it, as a text that can be pasted.
//!
//! Most mistakes with keys are a wrong form: some consumers want `encoded`, some want `id:api_key` and encode it
//! themselves, some want a whole header. A text refers to the secret by an environment variable or a keystore entry;
//! the secret itself is in it only if it was asked for.

mod clients;
mod key_text;
mod places;
mod quote;
mod shippers;
mod site;
mod table;
#[cfg(test)]
mod tests;
mod tools;

pub use key_text::{ENCODED_VARIABLE, Key, KeyText, MASK, RAW_VARIABLE};
pub use site::Site;

use zeroize::Zeroizing;

use super::{api_key::KeyKind, connections::endpoint::Trust, privileges::role};
use quote::{joined, plain};
use site::CA_FILE;

/// Consumer of a key: a bare form, a program or a file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// `base64(id:api_key)`, alone.
    Encoded,
    /// `id:api_key`, alone.
    Raw,
    /// HTTP header.
    Header,
    /// Command line of curl.
    Curl,
    /// Request in PowerShell.
    PowerShell,
    /// Kibana's own API, by curl.
    Kibana,
    /// elasticsearch-py.
    Python,
    /// @elastic/elasticsearch.
    JavaScript,
    /// elasticsearch-java.
    Java,
    /// go-elasticsearch.
    Go,
    /// Elastic.Clients.Elasticsearch.
    DotNet,
    /// elasticsearch-ruby.
    Ruby,
    /// elasticsearch-php.
    Php,
    /// elasticsearch-rs.
    Rust,
    /// Filebeat, Metricbeat and other Beats.
    Beats,
    /// Elastic Agent without Fleet.
    ElasticAgent,
    /// Output plugin of Logstash.
    Logstash,
    /// fluent-plugin-elasticsearch.
    Fluentd,
    /// Output `es` of Fluent Bit.
    FluentBit,
    /// Elasticsearch sink of Vector.
    Vector,
    /// omelasticsearch.
    Rsyslog,
    /// Exporter of the OpenTelemetry Collector.
    Collector,
    /// SDKs of OpenTelemetry and EDOT, except for Python.
    Otlp,
    /// OpenTelemetry SDK for Python, which wants the blank in the header percent-encoded.
    OtlpPython,
    /// Provisioned data source of Grafana.
    Grafana,
    /// Terraform provider elasticstack.
    Terraform,
    /// MCP server for Elasticsearch.
    Mcp,
    /// Curator.
    Curator,
    /// Kubernetes secret.
    Kubernetes,
    /// Service of systemd.
    Systemd,
    /// File `.env`.
    Dotenv,
    /// Keystore of a cluster that reaches another one by a cross-cluster key.
    RemoteCluster,
}

/// Form of the key that a consumer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `base64(id:api_key)`.
    Encoded,
    /// `id:api_key`, for consumers that encode it themselves: an encoded key would be encoded twice and refused.
    Raw,
    /// `ApiKey` followed by the encoded key.
    Header,
    /// Encoded key and `id:api_key`, each under its name.
    Both,
}

impl Encoding {
    /// Returns the name of the form for programs and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Encoded => "encoded",
            Self::Raw => "id:key",
            Self::Header => "header",
            Self::Both => "both",
        }
    }
}

/// Group of consumers in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Key alone.
    Forms,
    /// Request by hand.
    Requests,
    /// Client library of a program.
    Clients,
    /// Program that ships data.
    Shippers,
    /// Tool that works with a cluster.
    Tools,
    /// Store that keeps secrets for other programs.
    Places,
}

impl Group {
    /// All groups, in the order of the list.
    pub const ALL: [Group; 6] = [Self::Forms, Self::Requests, Self::Clients, Self::Shippers, Self::Tools, Self::Places];

    /// Returns the heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Forms => "The key alone",
            Self::Requests => "Requests",
            Self::Clients => "Clients",
            Self::Shippers => "Shippers",
            Self::Tools => "Tools",
            Self::Places => "Places for secrets",
        }
    }
}

impl Consumer {
    /// All consumers, in the order of the list.
    pub const ALL: [Consumer; 32] = [
        Self::Encoded,
        Self::Raw,
        Self::Header,
        Self::Curl,
        Self::PowerShell,
        Self::Kibana,
        Self::Python,
        Self::JavaScript,
        Self::Java,
        Self::Go,
        Self::DotNet,
        Self::Ruby,
        Self::Php,
        Self::Rust,
        Self::Beats,
        Self::ElasticAgent,
        Self::Logstash,
        Self::Fluentd,
        Self::FluentBit,
        Self::Vector,
        Self::Rsyslog,
        Self::Collector,
        Self::Otlp,
        Self::OtlpPython,
        Self::Grafana,
        Self::Terraform,
        Self::Mcp,
        Self::Curator,
        Self::Kubernetes,
        Self::Systemd,
        Self::Dotenv,
        Self::RemoteCluster,
    ];

    /// Finds the consumer by its command line name, an alias or its display name, ignoring case.
    pub fn find(word: &str) -> Option<Self> {
        let wanted = word.trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|consumer| consumer.words().any(|word| word == wanted) || consumer.name().to_lowercase() == wanted)
    }

    /// Returns up to three command line names or aliases that resemble an unknown one, nearest first.
    pub fn nearest(word: &str) -> Vec<&'static str> {
        role::nearest(word, Self::ALL.into_iter().flat_map(Self::words))
    }

    /// Returns the command line name and then the aliases.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.word()).chain(self.aliases().iter().copied())
    }

    /// Returns `true` if a search text is part of the display name, the command line name or an alias, ignoring case.
    pub fn is_like(self, wanted: &str) -> bool {
        let wanted = wanted.trim().to_lowercase();
        self.name().to_lowercase().contains(&wanted) || self.words().any(|word| word.contains(&wanted))
    }

    /// Returns `true` if the consumer can take a key of this kind: a cross-cluster key signs in between clusters only,
    /// and there no other key does.
    pub fn takes_kind(self, kind: &KeyKind) -> bool {
        (*kind == KeyKind::CrossCluster) == (self == Self::RemoteCluster)
    }

    /// Returns `true` if the consumer is a bare form of the key, which says nothing without the secret.
    pub fn is_form(self) -> bool {
        self.group() == Group::Forms
    }

    /// Returns the text to hand over. Names of indices and of the user's own services in it are placeholders.
    pub fn text(self, site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
        match self {
            Self::Encoded => key.encoded(plain, "$ES_API_KEY"),
            Self::Raw => key.raw(plain, "$ES_API_KEY_RAW"),
            Self::Header => joined(&["Authorization: ", &key.header(plain, "ApiKey $ES_API_KEY")]),
            Self::Curl => tools::curl(site, key),
            Self::PowerShell => tools::powershell(site, key),
            Self::Kibana => tools::kibana(site, key),
            Self::Python => clients::python(site, key),
            Self::JavaScript => clients::javascript(site, key),
            Self::Java => clients::java(site, key),
            Self::Go => clients::go(site, key),
            Self::DotNet => clients::dotnet(site, key),
            Self::Ruby => clients::ruby(site, key),
            Self::Php => clients::php(site, key),
            Self::Rust => clients::rust(site, key),
            Self::Beats => shippers::beats(site, key),
            Self::ElasticAgent => shippers::elastic_agent(site, key),
            Self::Logstash => shippers::logstash(site, key),
            Self::Fluentd => shippers::fluentd(site, key),
            Self::FluentBit => shippers::fluent_bit(site, key),
            Self::Vector => shippers::vector(site, key),
            Self::Rsyslog => shippers::rsyslog(site, key),
            Self::Collector => shippers::collector(site, key),
            Self::Otlp => shippers::otlp(key, " "),
            Self::OtlpPython => shippers::otlp(key, "%20"),
            Self::Grafana => tools::grafana(site, key),
            Self::Terraform => tools::terraform(site, key),
            Self::Mcp => tools::mcp(site, key),
            Self::Curator => tools::curator(site, key),
            Self::Kubernetes => places::kubernetes(site, key),
            Self::Systemd => places::systemd(site, key),
            Self::Dotenv => places::dotenv(site, key),
            Self::RemoteCluster => places::remote_cluster(key),
        }
    }

    /// Returns what must be known to use the text, one sentence each: which form a variable must hold, which file must
    /// exist. `is_literal` is `true` if the key itself is in the text.
    pub fn hints(self, site: Site<'_>, is_literal: bool) -> Vec<String> {
        let text = self.text(site, Key::Reference);
        let mut hints = Vec::new();
        if !is_literal {
            let raw = text.contains(RAW_VARIABLE);
            if text.replace(RAW_VARIABLE, "").contains(ENCODED_VARIABLE) {
                hints.push(format!("{ENCODED_VARIABLE} must hold the encoded key: base64 of id:api_key"));
            }
            if raw {
                hints.push(format!("{RAW_VARIABLE} must hold id:api_key, not encoded"));
            }
        }
        if text.contains(CA_FILE) && matches!(site.trust, Trust::Fingerprint(_)) {
            hints.push(format!("{CA_FILE} must hold the certificate of the CA: a fingerprint is not known here"));
        }
        if text.contains(CA_FILE) && matches!(site.trust, Trust::Ca(_)) {
            hints.push(format!("{CA_FILE} must hold the certificate of the CA that this connection trusts"));
        }
        if let Trust::Fingerprint(print) = site.trust
            && (text.contains(&print.to_string()) || text.contains(&print.pairs().join(":")))
        {
            hints.push("The fingerprint must be the CA's, and the server must send the CA's certificate along".into());
        }
        if text.contains("ES_CA_FILE") {
            hints.push("ES_CA_FILE must hold the path of the CA's certificate: it can't be written here".into());
        }
        if site.is_insecure() && self.group() != Group::Forms {
            hints.push("The connection does not verify the certificate: for development only".into());
        }
        hints.extend(self.advice().map(str::to_owned));
        hints
    }
}
