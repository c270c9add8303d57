use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::num::u64::ANY;

use super::*;
use crate::{
    model::connections::{
        ca::tests::authority,
        draft::SignIn,
        profile::{Environment, ProfileId},
    },
    small_stack::{USUAL_CASES, cases, foreign_text, on_small_stack},
};

fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), text: Secret::new(text) }
}

fn all(text: &str) -> Result<Vec<Proposal>, String> {
    read(&[source("file", text)]).map_err(|error| error.reason)
}

fn one(text: &str) -> Proposal {
    let mut found = all(text).unwrap_or_else(|reason| panic!("{reason}: {text}"));
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

fn cloud_id(name: &str, inner: &str) -> String {
    format!("{name}:{}", STANDARD.encode(inner))
}

#[test]
fn a_cloud_id_is_an_address_and_a_malformed_one_is_refused_with_the_reason() {
    let inner = "us-east-1.aws.found.io$cec6f261a74bf24ce33bb8811b84294f$c6c2ca6d042249af0cc7d7a9e9625743";
    let host = "cec6f261a74bf24ce33bb8811b84294f.us-east-1.aws.found.io";
    let id = cloud_id("my_deployment", inner);
    for text in [id.clone(), format!(" \"{id}\"\n"), format!("cloud.id: {id}"), id.trim_end_matches('=').to_owned()] {
        let proposal = one(&text);
        assert_eq!((proposal.origin, proposal.draft.name.as_str()), (Origin::CloudId, "my_deployment"));
        assert_eq!(proposal.draft.url, format!("https://{host}"));
        assert!(!proposal.draft.has_credential() && proposal.draft.environment.is_none(), "nothing is made up");
    }
    for (inner, url) in [
        ("found.io:9243$es$kb", "https://es.found.io:9243"),
        ("found.io$es", "https://es.found.io"),
        ("found.io:443$es:9244$kb:5601", "https://es.found.io:9244"),
    ] {
        assert_eq!(one(&cloud_id("", inner)).draft.url, url, "{inner}");
    }
    for (inner, reason) in [
        ("found.io", "no $"),
        ("found.io$", "no Elasticsearch"),
        ("found.io$undefined$kb", "no Elasticsearch"),
        ("$es$kb", "no host"),
        ("found.io:x$es", "not a number"),
        ("fo und$es$kb", "no host"),
        ("evil.example/$es$kb", "no host"),
    ] {
        let error = all(&cloud_id("name", inner)).unwrap_err();
        assert!(error.contains("Cloud ID is malformed") && error.contains(reason), "{inner}: {error}");
    }
    assert!(all("name:dXMtZWFzdC0x=dA").unwrap_err().contains("not Base64"));
    assert!(all("name:gICAgICAgIA=").unwrap_err().contains("not text"));
}

fn secret_yaml(name: &str, namespace: &str, member: &str, value: &str) -> String {
    let value = STANDARD.encode(value);
    format!(
        "apiVersion: v1\ndata:\n  {member}: {value}\nkind: Secret\nmetadata:\n  creationTimestamp: \
         \"2026-01-01T00:00:00Z\"\n  labels:\n    common.k8s.elastic.co/type: elasticsearch\n  name: {name}\n  \
         namespace: {namespace}\n  ownerReferences:\n  - apiVersion: elasticsearch.k8s.elastic.co/v1\n    controller: \
         true\n    kind: Elasticsearch\ntype: Opaque\n"
    )
}

#[test]
fn the_secrets_of_eck_are_paired_in_every_form_in_which_kubectl_prints_them() {
    let ca = authority("quickstart");
    let user = secret_yaml("quickstart-es-elastic-user", "prod", "elastic", "hunter2");
    let certs = secret_yaml("quickstart-es-http-certs-public", "prod", "ca.crt", &ca);
    let indented = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let item = |text: &str| indented(text).replacen("  ", "- ", 1);
    let yaml_list = format!("apiVersion: v1\nitems:\n{}{}kind: List\n", item(&user), item(&certs));
    let json = |name: &str, member: &str, value: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}","namespace":"prod"}},
                "data":{{"{member}":"{}"}}}}"#,
            STANDARD.encode(value)
        )
    };
    let json_user = json("quickstart-es-elastic-user", "elastic", "hunter2");
    let json_certs = json("quickstart-es-http-certs-public", "ca.crt", &ca);
    let json_list = format!(r#"{{"kind":"List","items":[{json_certs},{json_user}]}}"#);
    let joined = format!("{user}---\n{certs}");
    let forms: [&[&str]; 6] =
        [&[&joined], &[&yaml_list], &[&json_list], &[&user, &certs], &[&certs, &user], &[&json_user, &certs]];
    for texts in forms {
        let sources: Vec<Source> = texts.iter().map(|text| source("secret", text)).collect();
        let found = read(&sources).unwrap();
        let [proposal] = &found[..] else { panic!("{found:?}") };
        let draft = &proposal.draft;
        assert_eq!((draft.name.as_str(), draft.username.as_str()), ("quickstart", "elastic"));
        assert_eq!(draft.url, "https://quickstart-es-http.prod.svc:9200");
        assert_eq!(draft.password.as_str(), "hunter2");
        assert_eq!(draft.ca, CaCertificates::read(ca.as_bytes()).ok());
        assert!(proposal.notes.iter().any(|note| note.contains("inside Kubernetes")), "{:?}", proposal.notes);
        // Nothing but the environment is missing.
        let mut draft = draft.clone();
        draft.set_environment(Environment::Production);
        draft.check(ProfileId("1".into())).unwrap();
    }
}

#[test]
fn parts_of_eck_that_are_missing_are_named_and_clusters_are_not_mixed() {
    let user = secret_yaml("a-es-elastic-user", "one", "elastic", "secret-a");
    let certs = secret_yaml("a-es-http-certs-public", "two", "ca.crt", &authority("a"));
    let found = all(&format!("{user}---\n{certs}")).unwrap();
    assert_eq!(found.len(), 2, "the same name in two namespaces is two clusters");
    assert!(found[0].notes.iter().any(|note| note.contains("CA is missing")) && found[0].draft.ca.is_none());
    assert!(found[1].notes.iter().any(|note| note.contains("password is missing")) && !found[1].draft.has_credential());
    let own_certificate = secret_yaml("a-es-http-certs-public", "one", "tls.crt", "x");
    let found = one(&format!("{user}---\n{own_certificate}"));
    assert!(found.notes.iter().any(|note| note.contains("has no CA")), "{:?}", found.notes);

    let wrong = user.replace(&STANDARD.encode("secret-a"), "hunter2!");
    assert!(all(&wrong).unwrap_err().contains("not Base64"));
    let other = secret_yaml("registry", "one", "token", "x");
    assert!(all(&other).unwrap_err().contains("not recognized"), "{:?}", all(&other));
    let broken = secret_yaml("a-es-http-certs-public", "one", "ca.crt", "no certificate");
    assert!(all(&broken).unwrap_err().contains("ca.crt of the Secret a-es-http-certs-public"));
}

#[test]
fn settings_of_a_node_are_an_address_and_what_is_assumed_is_said() {
    let ssl =
        "xpack.security.enabled: true\nxpack.security.http.ssl:\n  enabled: true\n  keystore.path: certs/http.p12\n";
    for (text, url, note) in [
        (format!("cluster.name: logs\nnetwork.host: 10.0.0.7\n{ssl}"), "https://10.0.0.7:9200", ""),
        (format!("cluster:\n  name: logs\nhttp.port: 9201\n{ssl}"), "https://localhost:9201", "No address"),
        (format!("cluster.name: logs\nhttp.host: 0.0.0.0\n{ssl}"), "https://localhost:9200", "http.host is 0.0.0.0"),
        (format!("cluster.name: logs\nnetwork.host: [_local_, es-1]\n{ssl}"), "https://es-1:9200", ""),
        (
            format!("cluster.name: logs\nnetwork.host: _site_\nhttp.publish_host: es.example.net\n{ssl}"),
            "https://es.example.net:9200",
            "",
        ),
        (format!("cluster.name: logs\nnetwork.host: \"::1\"\nhttp.port: 9300-9400\n{ssl}"), "https://[::1]:9300", ""),
        ("cluster.name: logs\nnetwork.host: es-1\n".into(), "http://es-1:9200", "takes http"),
        ("cluster.name: logs\nnetwork.host: es-1\nhttp.port: x\n".into(), "http://es-1:9200", "9200 is assumed"),
    ] {
        let proposal = one(&text);
        assert_eq!((proposal.draft.name.as_str(), proposal.draft.url.as_str()), ("logs", url), "{text}");
        assert!(proposal.notes.is_empty() == note.is_empty(), "{:?}", proposal.notes);
        assert!(note.is_empty() || proposal.notes.iter().any(|own| own.contains(note)), "{:?}", proposal.notes);
    }
    let off = one("xpack.security.enabled: false\n");
    assert!(off.notes.iter().any(|note| note.contains("no API keys")), "{:?}", off.notes);

    // The file as it is delivered has comments only; another file without settings is nothing.
    let text = "# ---- Cluster ----\n#cluster.name: my-application\n";
    assert_eq!(
        read(&[source("/etc/elasticsearch/elasticsearch.yml", text)]).unwrap()[0].draft.url,
        "http://localhost:9200"
    );
    assert!(all(text).unwrap_err().contains("not recognized"));
    assert!(all("cluster.name: a\nservices:\n  web: {}\n").unwrap_err().contains("not recognized"));
}

#[test]
fn a_ca_belongs_to_the_connections_beside_it_that_have_none() {
    let (ca, other) = (authority("beside"), authority("other"));
    let settings = "cluster.name: logs\nxpack.security.http.ssl.enabled: true\n";
    let found = read(&[source("http_ca.crt", &ca), source("elasticsearch.yml", settings)]).unwrap();
    assert_eq!((found.len(), &found[0].draft.ca), (1, &CaCertificates::read(ca.as_bytes()).ok()));
    // Where nothing is encrypted there is nothing to verify.
    let plain = read(&[source("ca", &ca), source("yml", "cluster.name: logs\n")]).unwrap();
    assert_eq!((plain[0].draft.trust, &plain[0].draft.ca), (TrustChoice::System, &None));
    let alone = one(&ca);
    assert_eq!((alone.origin, alone.draft.url.as_str()), (Origin::CaCertificate, ""));
    let two = read(&[source("one", &ca), source("two", &other), source("yml", settings)]).unwrap_err();
    assert!(two.source_name == "two" && two.reason.contains("not known"), "{two}");
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert!(all(&key).unwrap_err().contains("no certificate"));
}

#[test]
fn the_file_of_start_local_is_a_connection_and_its_variables_are_expanded() {
    let text = "START_LOCAL_VERSION=0.13.0\nES_LOCAL_VERSION=9.3.1\nES_LOCAL_CONTAINER_NAME=es-local-dev\n\
                ES_LOCAL_PASSWORD=hunter2\nES_LOCAL_PORT=9201\nES_LOCAL_URL=http://localhost:${ES_LOCAL_PORT}\n\
                ES_LOCAL_JAVA_OPTS=\"-Xms128m -Xmx2g\"\nES_LOCAL_API_KEY=aWQ6a2V5\n";
    let proposal = one(text);
    let draft = &proposal.draft;
    assert_eq!((proposal.origin, draft.name.as_str()), (Origin::EnvFile, "es-local-dev"));
    assert_eq!((draft.url.as_str(), draft.sign_in), ("http://localhost:9201", SignIn::User));
    assert_eq!((draft.username.as_str(), draft.password.as_str()), ("elastic", "hunter2"));
    assert_eq!((draft.key_id.as_str(), draft.key_secret.as_str()), ("id", "key"));
    assert!(draft.check(ProfileId("1".into())).is_ok(), "nothing is missing");

    let key = one("# comment\nexport ES_LOCAL_API_KEY='aWQ6a2V5'\n").draft;
    assert_eq!((key.sign_in, key.url.as_str(), key.key_id.as_str()), (SignIn::ApiKey, "http://localhost:9200", "id"));
    let literal = one("ES_LOCAL_PASSWORD='${x}'\n").draft;
    assert_eq!(literal.password.as_str(), "${x}");
    let own = one("ES_URL=\"https://es:9200\"\nES_API_KEY=aWQ6a2V5\n").draft;
    assert_eq!((own.url.as_str(), own.key_id.as_str(), own.name.as_str()), ("https://es:9200", "id", "es:9200"));
    for (text, reason) in [
        ("ES_LOCAL_URL=http://localhost:${PORT}\n", "not in the file"),
        ("ES_LOCAL_URL=${A}\nA=${B}\nB=${A}\n", "too many"),
        ("FOO=bar\n", "not recognized"),
    ] {
        let error = all(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn clusters_of_elasticvue_are_read_in_each_of_its_formats() {
    let now = r#"{"version":"1.11.0","store":{"connection":{"clusters":[
        {"name":"a","uri":"https://a:9200/","distribution":"elasticsearch",
         "auth":{"authType":"basicAuth","authData":{"username":"ana","password":"hunter2"}}},
        {"name":"b","uri":"https://b:9200","auth":{"authType":"apiKey","authData":{"apiKey":"aWQ6a2V5"}}},
        {"name":"c","uri":"http://c","auth":{"authType":"none","authData":{}}},
        {"name":"d","uri":"https://d","distribution":"opensearch","auth":{"authType":"awsIAM","authData":{}}}
        ],"activeClusterIndex":0},"theme":{}},"idb":{}}"#;
    let found = all(now).unwrap();
    let sign_ins: Vec<(SignIn, bool)> =
        found.iter().map(|one| (one.draft.sign_in, one.draft.has_credential())).collect();
    let expected = [(SignIn::User, true), (SignIn::ApiKey, true), (SignIn::User, false), (SignIn::User, false)];
    assert_eq!(sign_ins, expected);
    assert_eq!((found[0].draft.url.as_str(), found[1].draft.key_id.as_str()), ("https://a:9200", "id"));
    assert!(found[3].notes.join(" ").contains("AWS IAM") && found[3].notes.join(" ").contains("OpenSearch"));

    let before = r#"[{"name":"a","username":"ana","password":"hunter2","uri":"https://a:9200"},
        {"name":"b","username":"","password":"aWQ6a2V5","uri":"https://b:9200"},
        {"uri":"https://ana:hunt%40er2@c:9200"}]"#;
    let found = all(before).unwrap();
    assert_eq!((found[0].draft.sign_in, found[1].draft.sign_in), (SignIn::User, SignIn::ApiKey));
    // A password in an address becomes one: an address is shown.
    let draft = &found[2].draft;
    assert_eq!(
        (draft.url.as_str(), draft.password.as_str(), draft.name.as_str()),
        ("https://c:9200", "hunt@er2", "c:9200")
    );
    for text in ["[]", "{}", "[1]", r#"{"clusters":[{"name":"x"}]}"#, r#"{"a":1}"#] {
        assert!(all(text).unwrap_err().contains("elasticvue"), "{text}");
    }
}

#[test]
fn what_is_beyond_a_limit_or_malformed_is_refused_and_never_repeated() {
    let bomb = "a: &a [hunter2, hunter2]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    let deep_json = "[".repeat(5000) + &"]".repeat(5000);
    let deep_yaml = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    let wide = (0..3000).map(|at| format!("a{at}: 1\n")).collect::<String>();
    let block = (0..200).map(|at| format!("{}- \n", " ".repeat(at))).collect::<String>();
    let twice = "kind: Secret\nkind: hunter2\n";
    let many = format!("[{}]", vec![r#"{"uri":"https://a"}"#; MAX_IMPORTED + 1].join(","));
    let long = "x".repeat(MAX_IMPORT_BYTES as usize + 1);
    for (text, reason) in [
        (bomb, "aliases"),
        (&deep_json, "nested"),
        (&deep_yaml, "nested"),
        (&block, "nested"),
        (twice, "twice"),
        (&wide, "too many members"),
        ("{\"hunter2\": ", "not valid JSON"),
        ("a: [hunter2\n", "not valid YAML"),
        ("hunter2", "not recognized"),
        (&many, "more than 200"),
        (&long, "longer"),
        (" \n", "empty"),
    ] {
        let error = all(text).unwrap_err();
        assert!(error.contains(reason), "{error} has no {reason}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(read(&vec![source("x", "y"); MAX_IMPORT_SOURCES + 1]).is_err());
}

proptest::proptest! {
    #![proptest_config(cases(USUAL_CASES / 4))]

    #[test]
    fn any_text_is_read_or_refused_on_a_small_stack(seed in ANY) {
        const PIECES: &[&str] = &[
            "kind: Secret\n", "kind: List\n", "items:\n", "- ", "  ", "metadata:\n", "name: a-es-elastic-user\n", "data:\n",
            "elastic: aHVudGVyMg==\n", "{", "}", "[", "]", "\"kind\":\"Secret\"", "\"uri\":\"https://a\"", ",", ":", "\n---\n",
            "&a ", "*a ", "|\n", "cluster.name: x\n", "http.port: 1-2\n", "ES_LOCAL_URL=${A}\n", "A=${A}${A}\n", "name:Zm9vLmlvJGVz",
            "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "\"keybearer\":\"connections\",\"version\":1",
            "\"connections\":[{\"urls\":[\"x\"]}]", "\t", "é", "!!binary ", "%YAML 1.2\n", "? ", "<<: ",
        ];
        let text = foreign_text(seed, PIECES);
        on_small_stack(|| drop(read(&[source("elasticsearch.yml", &text)])));
    }
}
