//! The consumers of a key and the form in which each takes it.
//!
//! Most mistakes with keys are a wrong form: some want `encoded`, some want `id:api_key` and encode
//! it themselves, some want a whole header.

use zeroize::Zeroizing;

use super::{api_key::KeyId, endpoint::Trust, login, secret::Secret};

/// Who takes the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// `base64(id:api_key)`, alone.
    Encoded,
    /// `id:api_key`, alone.
    Raw,
    /// The HTTP header.
    Header,
    /// A command line of curl.
    Curl,
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
    /// Filebeat, Metricbeat and their kin.
    Beats,
    /// The output plugin of Logstash.
    Logstash,
    /// The provider elasticstack.
    Terraform,
    /// A Kubernetes secret.
    Kubernetes,
    /// A file `.env`.
    Dotenv,
}

/// A key in the two forms that consumers take; wiped when dropped.
pub struct KeyText {
    id: String,
    secret: Secret,
    encoded: Secret,
}

/// The dots that stand for a secret: always 22, whatever its length.
pub const MASK: &str = "••••••••••••••••••••••";

impl KeyText {
    /// The real thing.
    pub fn real(id: &KeyId, secret: &Secret) -> Self {
        Self { id: id.as_str().to_owned(), secret: secret.clone(), encoded: login::encode(id.as_str(), secret) }
    }

    /// With dots in place of everything secret, for a screen.
    pub fn masked(id: &KeyId) -> Self {
        Self { id: id.as_str().to_owned(), secret: Secret::new(MASK), encoded: Secret::new(MASK) }
    }
}

impl Consumer {
    /// All of them, in the order of the list.
    pub const ALL: [Consumer; 14] = [
        Self::Encoded,
        Self::Raw,
        Self::Header,
        Self::Curl,
        Self::Python,
        Self::JavaScript,
        Self::Java,
        Self::Go,
        Self::DotNet,
        Self::Beats,
        Self::Logstash,
        Self::Terraform,
        Self::Kubernetes,
        Self::Dotenv,
    ];

    /// The name in the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encoded => "Encoded",
            Self::Raw => "id:key",
            Self::Header => "HTTP header",
            Self::Curl => "curl",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::Java => "Java",
            Self::Go => "Go",
            Self::DotNet => ".NET",
            Self::Beats => "Beats",
            Self::Logstash => "Logstash",
            Self::Terraform => "Terraform",
            Self::Kubernetes => "Kubernetes secret",
            Self::Dotenv => "dotenv",
        }
    }

    /// What it takes, in a few words.
    pub fn takes(self) -> &'static str {
        match self {
            Self::Encoded => "Base64 of id:key, for most clients",
            Self::Raw => "id and key with a colon, not encoded",
            Self::Header => "The encoded key behind “ApiKey”",
            Self::Beats | Self::Logstash => "id:key, not encoded: it encodes by itself",
            Self::Python => "The pair, or the encoded key",
            Self::Kubernetes | Self::Dotenv => "Both forms, each under its name",
            _ => "The encoded key",
        }
    }

    /// The text to hand over, for a cluster at `url` that is trusted by `trust`.
    pub fn text(self, url: &str, trust: &Trust, key: &KeyText) -> Zeroizing<String> {
        let (id, secret, enc) = (&key.id, key.secret.expose(), key.encoded.expose());
        Zeroizing::new(match self {
            Self::Encoded => enc.to_owned(),
            Self::Raw if secret == MASK => format!("{id}:{MASK}"),
            Self::Raw => format!("{id}:{secret}"),
            Self::Header => format!("Authorization: ApiKey {enc}"),
            Self::Curl => curl(url, trust, enc),
            Self::Python => python(url, trust, id, secret),
            Self::JavaScript => javascript(url, trust, enc),
            Self::Java => java(url, trust, enc),
            Self::Go => go(url, trust, enc),
            Self::DotNet => dotnet(url, trust, enc),
            Self::Beats => beats(url, trust, id, secret),
            Self::Logstash => logstash(url, trust, id, secret),
            Self::Terraform => terraform(url, trust, enc),
            Self::Kubernetes => format!(
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: elasticsearch-api-key\ntype: Opaque\nstringData:\n  \
                 ES_URL: \"{url}\"\n  ES_API_KEY: \"{enc}\"\n  ES_API_KEY_RAW: \"{id}:{secret}\"\n"
            ),
            Self::Dotenv => format!("ES_URL={url}\nES_API_KEY={enc}\nES_API_KEY_RAW={id}:{secret}\n"),
        })
    }
}

fn curl(url: &str, trust: &Trust, enc: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!(" --cacert '{}'", path.display().to_string().replace('\'', r"'\''")),
        Trust::Fingerprint(_) => " --cacert ca.pem".into(),
        Trust::InsecureDev => " --insecure".into(),
    };
    // The header by standard input: a command line can be read by everybody on the machine.
    format!("curl{tls} -H @- '{url}/_security/_authenticate' <<'END'\nAuthorization: ApiKey {enc}\nEND\n")
}

fn python(url: &str, trust: &Trust, id: &str, secret: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!("    ca_certs={:?},\n", path.display().to_string()),
        Trust::Fingerprint(print) => format!("    ssl_assert_fingerprint=\"{print}\",\n"),
        Trust::InsecureDev => "    verify_certs=False,  # development only\n".into(),
    };
    format!(
        "from elasticsearch import Elasticsearch\n\nes = Elasticsearch(\n    \"{url}\",\n    api_key=(\"{id}\", \
         \"{secret}\"),\n{tls}    request_timeout=60,\n)\n"
    )
}

fn javascript(url: &str, trust: &Trust, enc: &str) -> String {
    let (lead, tls) = match trust {
        Trust::System => ("", String::new()),
        Trust::CaFile(path) => (
            "const fs = require(\"node:fs\");\n",
            format!("  tls: {{ ca: fs.readFileSync({:?}) }},\n", path.display().to_string()),
        ),
        Trust::Fingerprint(print) => ("", format!("  caFingerprint: \"{print}\",\n")),
        Trust::InsecureDev => ("", "  tls: { rejectUnauthorized: false }, // development only\n".into()),
    };
    format!(
        "const {{ Client }} = require(\"@elastic/elasticsearch\");\n{lead}\nconst client = new Client({{\n  node: \
         \"{url}\",\n  auth: {{ apiKey: \"{enc}\" }},\n{tls}}});\n"
    )
}

fn java(url: &str, trust: &Trust, enc: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!(
            "\n    .sslContext(TransportUtils.sslContextFromHttpCaCrt(new File({:?})))",
            path.display().to_string()
        ),
        Trust::Fingerprint(print) => {
            format!("\n    .sslContext(TransportUtils.sslContextFromCaFingerprint(\"{print}\"))")
        }
        Trust::InsecureDev => "\n    .sslContext(TransportUtils.insecureSSLContext()) // development only".into(),
    };
    format!(
        "ElasticsearchClient client = ElasticsearchClient.of(b -> b\n    .host(\"{url}\")\n    .apiKey(\"{enc}\"){tls}\n);\n"
    )
}

fn go(url: &str, trust: &Trust, enc: &str) -> String {
    let (lead, tls) = match trust {
        Trust::System => (String::new(), String::new()),
        Trust::CaFile(path) => (
            format!("ca, err := os.ReadFile({:?})\nif err != nil {{\n\tlog.Fatal(err)\n}}\n", path.display().to_string()),
            "\tCACert: ca,\n".into(),
        ),
        Trust::Fingerprint(print) => (String::new(), format!("\tCertificateFingerprint: \"{print}\",\n")),
        Trust::InsecureDev => (
            String::new(),
            "\tTransport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // development only\n".into(),
        ),
    };
    format!(
        "{lead}client, err := elasticsearch.NewClient(elasticsearch.Config{{\n\tAddresses: \
         []string{{\"{url}\"}},\n\tAPIKey: \"{enc}\",\n{tls}}})\n"
    )
}

fn dotnet(url: &str, trust: &Trust, enc: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(_) => "\n    // the CA file belongs into the trust store of the machine".into(),
        Trust::Fingerprint(print) => format!("\n    .CertificateFingerprint(\"{print}\")"),
        Trust::InsecureDev => {
            "\n    .ServerCertificateValidationCallback(CertificateValidations.AllowAll) // development only".into()
        }
    };
    format!(
        "var settings = new ElasticsearchClientSettings(new Uri(\"{url}\"))\n    .Authentication(new \
         ApiKey(\"{enc}\")){tls};\nvar client = new ElasticsearchClient(settings);\n"
    )
}

fn beats(url: &str, trust: &Trust, id: &str, secret: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!("  ssl.certificate_authorities: [{:?}]\n", path.display().to_string()),
        Trust::Fingerprint(print) => format!("  ssl.ca_trusted_fingerprint: \"{print}\"\n"),
        Trust::InsecureDev => "  ssl.verification_mode: none # development only\n".into(),
    };
    format!("output.elasticsearch:\n  hosts: [\"{url}\"]\n  api_key: \"{id}:{secret}\"\n{tls}")
}

fn logstash(url: &str, trust: &Trust, id: &str, secret: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!("    ssl_certificate_authorities => [{:?}]\n", path.display().to_string()),
        Trust::Fingerprint(print) => format!("    ca_trusted_fingerprint => \"{print}\"\n"),
        Trust::InsecureDev => "    ssl_verification_mode => \"none\" # development only\n".into(),
    };
    format!(
        "output {{\n  elasticsearch {{\n    hosts => [\"{url}\"]\n    ssl_enabled => true\n    api_key => \
         \"{id}:{secret}\"\n{tls}  }}\n}}\n"
    )
}

fn terraform(url: &str, trust: &Trust, enc: &str) -> String {
    let tls = match trust {
        Trust::System => String::new(),
        Trust::CaFile(path) => format!("    ca_file   = {:?}\n", path.display().to_string()),
        Trust::Fingerprint(_) => "    ca_file   = \"ca.pem\"\n".into(),
        Trust::InsecureDev => "    insecure  = true # development only\n".into(),
    };
    format!(
        "provider \"elasticstack\" {{\n  elasticsearch {{\n    endpoints = [\"{url}\"]\n    api_key   = \"{enc}\"\n{tls}  }}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fingerprint::Fingerprint;

    fn text(consumer: Consumer, trust: &Trust) -> String {
        let key = KeyText::real(&KeyId::new("id"), &Secret::new("key"));
        consumer.text("https://es.example.net:9200", trust, &key).to_string()
    }

    #[test]
    fn each_consumer_gets_the_form_it_takes() {
        use Consumer::*;
        for consumer in [Encoded, Header, Curl, JavaScript, Java, Go, DotNet, Terraform] {
            let text = text(consumer, &Trust::System);
            assert!(text.contains("aWQ6a2V5") && !text.contains("id:key"), "{consumer:?}: {text}");
        }
        for consumer in [Raw, Beats, Logstash] {
            let text = text(consumer, &Trust::System);
            assert!(text.contains("id:key") && !text.contains("aWQ6a2V5"), "{consumer:?}: {text}");
        }
        assert!(text(Python, &Trust::System).contains(r#"api_key=("id", "key")"#));
        for consumer in [Dotenv, Kubernetes] {
            assert!(
                text(consumer, &Trust::System).contains("aWQ6a2V5")
                    && text(consumer, &Trust::System).contains("id:key")
            );
        }
    }

    #[test]
    fn what_is_masked_holds_no_secret() {
        let masked = KeyText::masked(&KeyId::new("id"));
        for consumer in Consumer::ALL {
            let text = consumer.text("https://x", &Trust::System, &masked);
            assert!(text.contains(MASK), "{consumer:?}");
        }
    }

    #[test]
    fn an_insecure_connection_says_so_wherever_verification_is_off() {
        use Consumer::*;
        for consumer in [Python, JavaScript, Java, Go, DotNet, Beats, Logstash, Terraform] {
            assert!(text(consumer, &Trust::InsecureDev).contains("development only"), "{consumer:?}");
            let pinned = text(consumer, &Trust::Fingerprint(Fingerprint::of(b"x")));
            assert!(!pinned.contains("development only"), "{consumer:?}");
        }
    }
}
