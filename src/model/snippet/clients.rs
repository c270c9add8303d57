//! Texts for the official clients, each in its language.

use zeroize::Zeroizing;

use super::{
    Key, Site,
    quote::{Quote, double, joined, rust as rust_text, single},
    site::SiteTrust,
};

pub(super) fn python(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let api_key = match key {
        Key::Reference => joined(&["os.environ[\"ES_API_KEY\"]"]),
        Key::Literal(key) => joined(&["(", &double(&key.id), ", ", &double(key.secret.expose()), ")"]),
    };
    let lead = if matches!(key, Key::Reference) { "import os\n\n" } else { "" };
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => format!("    ca_certs={},\n", *double(&path)),
        SiteTrust::Fingerprint(print) => format!("    ssl_assert_fingerprint=\"{print}\",\n"),
        SiteTrust::InsecureDev => "    verify_certs=False,  # development only\n".into(),
    };
    joined(&[
        lead,
        "from elasticsearch import Elasticsearch\n\nes = Elasticsearch(\n    ",
        &double(site.url),
        ",\n    api_key=",
        &api_key,
        ",\n",
        &tls,
        "    request_timeout=60,\n)\n",
    ])
}

pub(super) fn javascript(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let (lead, tls) = match site.trust() {
        SiteTrust::System => ("", String::new()),
        SiteTrust::CaFile(path) => {
            ("const fs = require(\"node:fs\");\n", format!("  tls: {{ ca: fs.readFileSync({}) }},\n", *double(&path)))
        }
        SiteTrust::Fingerprint(print) => ("", format!("  caFingerprint: \"{}\",\n", print.pairs().join(":"))),
        SiteTrust::InsecureDev => ("", "  tls: { rejectUnauthorized: false }, // development only\n".into()),
    };
    joined(&[
        "const { Client } = require(\"@elastic/elasticsearch\");\n",
        lead,
        "\nconst client = new Client({\n  node: ",
        &double(site.url),
        ",\n  auth: { apiKey: ",
        &key.encoded(double, "process.env.ES_API_KEY"),
        " },\n",
        &tls,
        "});\n",
    ])
}

pub(super) fn java(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => {
            let path = double(&path);
            format!("\n    .sslContext(TransportUtils.sslContextFromHttpCaCrt(new File({})))", *path)
        }
        SiteTrust::Fingerprint(print) => {
            format!("\n    .sslContext(TransportUtils.sslContextFromCaFingerprint(\"{print}\"))")
        }
        SiteTrust::InsecureDev => "\n    .sslContext(TransportUtils.insecureSSLContext()) // development only".into(),
    };
    joined(&[
        "ElasticsearchClient client = ElasticsearchClient.of(b -> b\n    .host(",
        &double(site.url),
        ")\n    .apiKey(",
        &key.encoded(double, "System.getenv(\"ES_API_KEY\")"),
        ")",
        &tls,
        "\n);\n",
    ])
}

pub(super) fn go(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let (lead, tls) = match site.trust() {
        SiteTrust::System => (String::new(), String::new()),
        SiteTrust::CaFile(path) => {
            let path = double(&path);
            let lead = format!("ca, err := os.ReadFile({})\nif err != nil {{\n\tlog.Fatal(err)\n}}\n", *path);
            (lead, "\tCACert: ca,\n".into())
        }
        SiteTrust::Fingerprint(print) => (String::new(), format!("\tCertificateFingerprint: \"{print}\",\n")),
        SiteTrust::InsecureDev => (
            String::new(),
            "\tTransport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // development only\n"
                .into(),
        ),
    };
    joined(&[
        &lead,
        "client, err := elasticsearch.NewClient(elasticsearch.Config{\n\tAddresses: []string{",
        &double(site.url),
        "},\n\tAPIKey: ",
        &key.encoded(double, "os.Getenv(\"ES_API_KEY\")"),
        ",\n",
        &tls,
        "})\n",
    ])
}

pub(super) fn dotnet(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => {
            let path = double(&path);
            format!(
                "\n    .ServerCertificateValidationCallback(CertificateValidations.AuthorityIsRoot(new \
                 X509Certificate2({})))",
                *path
            )
        }
        SiteTrust::Fingerprint(print) => format!("\n    .CertificateFingerprint(\"{print}\")"),
        SiteTrust::InsecureDev => {
            "\n    .ServerCertificateValidationCallback(CertificateValidations.AllowAll) /* development only */".into()
        }
    };
    joined(&[
        "var settings = new ElasticsearchClientSettings(new Uri(",
        &double(site.url),
        "))\n    .Authentication(new ApiKey(",
        &key.encoded(double, "Environment.GetEnvironmentVariable(\"ES_API_KEY\")!"),
        "))",
        &tls,
        ";\nvar client = new ElasticsearchClient(settings);\n",
    ])
}

pub(super) fn ruby(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.trust() {
        SiteTrust::System => String::new(),
        SiteTrust::CaFile(path) => {
            format!("  transport_options: {{ ssl: {{ ca_file: {} }} }},\n", *single(&path))
        }
        SiteTrust::Fingerprint(print) => format!("  ca_fingerprint: '{print}',\n"),
        SiteTrust::InsecureDev => "  transport_options: { ssl: { verify: false } }, # development only\n".into(),
    };
    joined(&[
        "require 'elasticsearch'\n\nclient = Elasticsearch::Client.new(\n  url: ",
        &single(site.url),
        ",\n  api_key: ",
        &key.encoded(single, "ENV.fetch('ES_API_KEY')"),
        ",\n",
        &tls,
        ")\n",
    ])
}

pub(super) fn php(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!("    ->setCABundle({})\n", *single(&path)),
        None if site.is_insecure() => "    ->setSSLVerification(false) // development only\n".into(),
        None => String::new(),
    };
    joined(&[
        "<?php\n\nuse Elastic\\Elasticsearch\\ClientBuilder;\n\n$client = ClientBuilder::create()\n    ->setHosts([",
        &single(site.url),
        "])\n    ->setApiKey(",
        &key.encoded(single, "getenv('ES_API_KEY')"),
        ")\n",
        &tls,
        "    ->build();\n",
    ])
}

pub(super) fn rust(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    let tls = match site.ca_file() {
        Some(path) => format!(
            "    .cert_validation(CertificateValidation::Full(Certificate::from_pem(&std::fs::read({})?)?))\n",
            *rust_text(&path)
        ),
        None if site.is_insecure() => "    .cert_validation(CertificateValidation::None) // development only\n".into(),
        None => String::new(),
    };
    let literal: Quote = |text| joined(&[&rust_text(text), ".to_owned()"]);
    joined(&[
        "let pool = SingleNodeConnectionPool::new(Url::parse(",
        &rust_text(site.url),
        ")?);\nlet transport = TransportBuilder::new(pool)\n    .auth(Credentials::EncodedApiKey(",
        &key.encoded(literal, "std::env::var(\"ES_API_KEY\")?"),
        "))\n",
        &tls,
        "    .build()?;\nlet client = Elasticsearch::new(transport);\n",
    ])
}
