//! Texts about each consumer: its names, the form in which it takes a key, and advice.

use super::{Consumer, Encoding, Group};

struct About {
    word: &'static str,
    aliases: &'static [&'static str],
    name: &'static str,
    group: Group,
    form: Encoding,
    takes: &'static str,
    advice: &'static str,
}

const ENCODED: &str = "The encoded key";
const RAW: &str = "id:key, not encoded: it encodes by itself";
const HEADER: &str = "The encoded key behind “ApiKey”";
const BOTH: &str = "Both forms, each under its name";

const fn about(
    word: &'static str,
    aliases: &'static [&'static str],
    name: &'static str,
    group: Group,
    form: Encoding,
) -> About {
    let takes = match form {
        Encoding::Encoded => ENCODED,
        Encoding::Raw => RAW,
        Encoding::Header => HEADER,
        Encoding::Both => BOTH,
    };
    About { word, aliases, name, group, form, takes, advice: "" }
}

const fn taking(takes: &'static str, about: About) -> About {
    About { takes, ..about }
}

const fn advising(advice: &'static str, about: About) -> About {
    About { advice, ..about }
}

impl Consumer {
    const fn about(self) -> About {
        use Encoding::{Both, Encoded, Header, Raw};
        use Group::{Clients, Forms, Places, Requests, Shippers, Tools};
        const BEATS: &[&str] =
            &["filebeat", "metricbeat", "heartbeat", "auditbeat", "packetbeat", "winlogbeat", "apm-server"];
        match self {
            Self::Encoded => taking(
                "Base64 of id:key, for most clients",
                about("encoded", &["base64", "api_key"], "Encoded", Forms, Encoded),
            ),
            Self::Raw => {
                taking("id and key with a colon, not encoded", about("raw", &["id-key"], "id:key", Forms, Raw))
            }
            Self::Header => about("header", &["authorization"], "HTTP header", Forms, Header),
            Self::Curl => about("curl", &["http", "bash", "shell"], "curl", Requests, Header),
            Self::PowerShell => about("powershell", &["pwsh", "invoke-restmethod"], "PowerShell", Requests, Header),
            Self::Kibana => advising(
                "KIBANA_URL must hold the address of Kibana, and the key needs privileges of the application kibana-.kibana",
                about("kibana", &["kibana-api"], "Kibana’s API", Requests, Header),
            ),
            Self::Python => taking(
                "The pair, or the encoded key",
                about("python", &["elasticsearch-py", "py"], "Python", Clients, Encoded),
            ),
            Self::JavaScript => {
                about("javascript", &["js", "node", "nodejs", "typescript"], "JavaScript", Clients, Encoded)
            }
            Self::Java => about("java", &["elasticsearch-java", "kotlin"], "Java", Clients, Encoded),
            Self::Go => about("go", &["golang", "go-elasticsearch"], "Go", Clients, Encoded),
            Self::DotNet => about("dotnet", &[".net", "csharp", "c#"], ".NET", Clients, Encoded),
            Self::Ruby => about("ruby", &["elasticsearch-ruby"], "Ruby", Clients, Encoded),
            Self::Php => about("php", &["elasticsearch-php"], "PHP", Clients, Encoded),
            Self::Rust => about("rust", &["elasticsearch-rs"], "Rust", Clients, Encoded),
            Self::Beats => advising(
                "`filebeat keystore add ES_API_KEY_RAW` stores it in the keystore of the Beat",
                about("beats", BEATS, "Beats", Shippers, Raw),
            ),
            Self::ElasticAgent => about(
                "elastic-agent",
                &["agent", "elastic-agent-standalone"],
                "Elastic Agent, standalone",
                Shippers,
                Raw,
            ),
            Self::Logstash => advising(
                "Logstash accepts keys only over TLS; `logstash-keystore add ES_API_KEY_RAW` stores it in its keystore",
                about("logstash", &[], "Logstash", Shippers, Raw),
            ),
            Self::Fluentd => about("fluentd", &["td-agent"], "Fluentd", Shippers, Raw),
            Self::FluentBit => advising(
                "Needs Fluent Bit 4.1 or later",
                about("fluent-bit", &["fluentbit"], "Fluent Bit", Shippers, Encoded),
            ),
            Self::Vector => about("vector", &[], "Vector", Shippers, Header),
            Self::Rsyslog => advising(
                "Needs rsyslog 8.2406 or later",
                about("rsyslog", &["omelasticsearch", "syslog"], "rsyslog", Shippers, Encoded),
            ),
            Self::Collector => about(
                "otel-collector",
                &["otelcol", "opentelemetry-collector", "edot-collector"],
                "OpenTelemetry Collector",
                Shippers,
                Encoded,
            ),
            Self::Otlp => advising(
                "OTLP_URL must hold the address that takes OTLP, such as that of a collector",
                about("otlp", &["edot", "otel", "opentelemetry"], "OTLP and EDOT SDKs", Shippers, Header),
            ),
            Self::OtlpPython => advising(
                "OTLP_URL must hold the address that takes OTLP, such as that of a collector",
                about("otlp-python", &["edot-python", "otel-python"], "OTLP, Python SDK", Shippers, Header),
            ),
            Self::Grafana => about("grafana", &[], "Grafana data source", Tools, Header),
            Self::Terraform => advising(
                "ELASTICSEARCH_API_KEY must hold the encoded key, unless it is in the text",
                about("terraform", &["elasticstack", "tofu", "opentofu"], "Terraform", Tools, Encoded),
            ),
            Self::Mcp => about("mcp", &["mcp-server"], "MCP server", Tools, Encoded),
            Self::Curator => about("curator", &[], "Curator", Tools, Encoded),
            Self::Kubernetes => about("kubernetes", &["k8s", "kubectl"], "Kubernetes secret", Places, Both),
            Self::Systemd => about("systemd", &["environmentfile", "unit"], "systemd", Places, Both),
            Self::Dotenv => about("dotenv", &[".env", "env"], "dotenv", Places, Both),
            Self::RemoteCluster => advising(
                "On every node of the connecting cluster; my_remote is its alias for the other one",
                about(
                    "remote-cluster",
                    &["cross-cluster", "ccs", "ccr", "elasticsearch-keystore"],
                    "Remote cluster keystore",
                    Places,
                    Encoded,
                ),
            ),
        }
    }

    /// Returns the name on the command line; it never changes.
    pub fn word(self) -> &'static str {
        self.about().word
    }

    /// Returns other names that the command line accepts.
    pub fn aliases(self) -> &'static [&'static str] {
        self.about().aliases
    }

    /// Returns the display name in the list.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// Returns the group in the list.
    pub fn group(self) -> Group {
        self.about().group
    }

    /// Returns the form of the key that the consumer takes.
    pub fn form(self) -> Encoding {
        self.about().form
    }

    /// Returns a short text on the form that the consumer takes.
    pub fn takes(self) -> &'static str {
        self.about().takes
    }

    /// Returns advice on use; `None` if there is none.
    pub(super) fn advice(self) -> Option<&'static str> {
        Some(self.about().advice).filter(|advice| !advice.is_empty())
    }
}
