//! What is handed over, read by those who will: bash, Python, Node.js. A value comes back as it was,
//! whatever is in it. Where a reader is missing that is said.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use keybearer::model::{
    api_key::KeyId,
    connections::endpoint::Trust,
    secret::Secret,
    snippet::{Consumer, Key, KeyText, Site},
};

/// What breaks one language or another.
const NASTY: &str = "it's \"x\" $HOME ${HOME} $$ #{1} %{a} %h `id` \\ C:\\new\\t !! \u{2019}\u{2028}é🔑 # end\n2 \u{7}";
/// The same without what has no form in files that know no escapes.
const PATH: &str = "/etc/it's \"ca\" $HOME `id` \\n #1 %h é.pem";
const URL: &str = "https://es.example.net:9243/it's$HOME/%20!;&#";

fn text(consumer: Consumer, path: &str, secret: &str) -> String {
    let key = KeyText::real(&KeyId::new("id"), &Secret::new(secret));
    let trust = Trust::CaFile(path.into());
    consumer.text(Site { url: URL, trust: &trust }, Key::Literal(&key)).to_string()
}

fn reference(consumer: Consumer) -> String {
    let trust = Trust::CaFile(PATH.into());
    consumer.text(Site { url: URL, trust: &trust }, Key::Reference).to_string()
}

/// What a program says to a script with the text at its standard input.
fn read_by(program: &str, args: &[&str], input: &str) -> Option<Vec<String>> {
    let child = Command::new(program)
        .args(args)
        .env("HOME", "/wrong")
        .env("ES_API_KEY", "enc'\"$x")
        .env("ES_API_KEY_RAW", "id:raw'\"$x")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("{program} is not here: not asked");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} refuses:\n{input}");
    let said = String::from_utf8(output.stdout).unwrap();
    Some(said.split('\0').map(str::to_owned).collect())
}

fn bash(script: &str) -> Option<Vec<String>> {
    read_by("bash", &["-eu"], script)
}

/// Reads the text by Python; `code` says of `text` what is wanted as a list `out`.
fn python(code: &str, text: &str) -> Option<Vec<String>> {
    let script = format!(
        "import sys\nsys.stdin.reconfigure(encoding='utf-8', newline='')\nsys.stdout.reconfigure(encoding='utf-8', newline='')\n\
         text = sys.stdin.read()\n{code}\nsys.stdout.write('\\0'.join(out))"
    );
    read_by("python3", &["-c", &script], text)
}

fn has_yaml() -> bool {
    let has = Command::new("python3").args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    let has = has.is_ok_and(|status| status.success());
    if !has {
        println!("PyYAML is not here: not asked");
    }
    has
}

#[test]
fn a_shell_reads_what_was_meant() {
    let encoded = "aWQ6c2VjcmV0";
    let fake = "curl() { printf '%s\\0' \"$@\"; cat; }\nKIBANA_URL=https://kibana\nOTLP_URL=https://otlp\n";
    if let Some(said) = bash(&format!("{fake}{}", text(Consumer::Curl, PATH, "secret"))) {
        let url = format!("{URL}/_security/_authenticate");
        let header = format!("Authorization: ApiKey {encoded}\n");
        assert_eq!(said, ["--cacert", PATH, "-H", "@-", &url, &header]);
        let said = bash(&format!("{fake}{}", reference(Consumer::Curl))).unwrap();
        assert_eq!(said.last().unwrap(), "Authorization: ApiKey enc'\"$x\n", "the variable stands for itself");
        let said = bash(&format!("{fake}{}", reference(Consumer::Kibana))).unwrap();
        assert_eq!(said[2..5], ["-H", "kbn-xsrf: true", "https://kibana/api/status"]);
    }
    for (consumer, blank) in [(Consumer::Otlp, " "), (Consumer::OtlpPython, "%20")] {
        let show = "printf %s \"$OTEL_EXPORTER_OTLP_HEADERS\"\n";
        let literal = bash(&format!("{fake}{}{show}", text(consumer, PATH, "secret")));
        let named = bash(&format!("{fake}{}{show}", reference(consumer)));
        if let (Some(literal), Some(named)) = (literal, named) {
            assert_eq!(literal, [format!("Authorization=ApiKey{blank}{encoded}")]);
            assert_eq!(named, [format!("Authorization=ApiKey{blank}enc'\"$x")]);
        }
    }
    let keystore = "function bin/elasticsearch-keystore { printf '%s\\0' \"$@\"; cat; }\n";
    if let Some(said) = bash(&format!("{keystore}{}", reference(Consumer::RemoteCluster))) {
        assert_eq!(said, ["add", "--stdin", "cluster.remote.my_remote.credentials", "enc'\"$x"]);
        let said = bash(&format!("{keystore}{}", text(Consumer::RemoteCluster, PATH, "secret"))).unwrap();
        assert_eq!(said[3].trim_end(), encoded);
    }
    let kubectl = "kubectl() { cat \"${5#--from-env-file=}\"; }\n";
    if let Some(said) = bash(&format!("{kubectl}{}", reference(Consumer::Kubernetes))) {
        assert_eq!(said, [format!("ES_URL={URL}\nES_API_KEY=enc'\"$x\nES_API_KEY_RAW=id:raw'\"$x\n")]);
    }
}

#[test]
fn files_of_the_environment_hold_what_was_meant() {
    for consumer in [Consumer::Dotenv, Consumer::Systemd] {
        let show = "printf '%s\\0%s' \"$ES_URL\" \"$ES_API_KEY_RAW\"\n";
        let Some(said) = bash(&format!("{}{show}", text(consumer, PATH, NASTY))) else { return };
        assert_eq!(said, [URL.to_owned(), format!("id:{NASTY}")], "{consumer:?}");
    }
}

#[test]
fn python_and_node_run_what_was_meant() {
    let fake = "import types\nm = types.ModuleType('elasticsearch')\nseen = []\n\
                m.Elasticsearch = lambda *a, **k: seen.append((a, k))\nsys.modules['elasticsearch'] = m\n\
                exec(text, {})\n(a, k), = seen\n";
    let code = format!("{fake}out = [a[0], k['api_key'][0], k['api_key'][1], k['ca_certs']]");
    if let Some(said) = python(&code, &text(Consumer::Python, NASTY, NASTY)) {
        assert_eq!(said, [URL, "id", NASTY, NASTY]);
        let named = format!("{fake}out = [k['api_key'], k['ca_certs']]");
        assert_eq!(python(&named, &reference(Consumer::Python)).unwrap(), ["enc'\"$x", PATH]);
    }
    let fake = "const seen = [];\nconst require = name => name.endsWith('fs') ? { readFileSync: path => path } \
                : { Client: class { constructor(given) { seen.push(given); } } };\n";
    let show = "process.stdout.write([seen[0].node, seen[0].auth.apiKey, seen[0].tls.ca].join('\\0'));\n";
    let module = |text: &str| format!("(function () {{\n{fake}{text}{show}}})();\n");
    if let Some(said) = read_by("node", &["-"], &module(&text(Consumer::JavaScript, NASTY, "secret"))) {
        assert_eq!(said, [URL, "aWQ6c2VjcmV0", NASTY]);
        let said = read_by("node", &["-"], &module(&reference(Consumer::JavaScript))).unwrap();
        assert_eq!(said, [URL, "enc'\"$x", PATH]);
    }
}

#[test]
fn yaml_and_toml_and_json_are_read_as_they_were_meant() {
    let json =
        "import json\nd = json.loads(text)['mcpServers']['elasticsearch']['env']\nout = [d['ES_URL'], d['ES_API_KEY']]";
    if let Some(said) = python(json, &text(Consumer::Mcp, PATH, "secret")) {
        assert_eq!(said, [URL, "aWQ6c2VjcmV0"]);
    }
    // Vector replaces its variables before TOML is read, and `$$` stands for a dollar.
    let toml = "import tomllib\nd = tomllib.loads(text.replace('$$', '$'))['sinks']['elasticsearch']\n\
                out = [d['endpoints'][0], d['request']['headers']['Authorization'], d['tls']['ca_file']]";
    if let Some(said) = python(toml, &text(Consumer::Vector, NASTY, "secret")) {
        assert_eq!(said, [URL, "ApiKey aWQ6c2VjcmV0", NASTY]);
    }
    if !has_yaml() {
        return;
    }
    let load = "import yaml\nd = yaml.safe_load(text)\n";
    let dollars = "u = lambda value: value.replace('$$', '$')\n";
    for (consumer, code, expected) in [
        (
            Consumer::Kubernetes,
            "d = d['stringData']\nout = [d['ES_URL'], d['ES_API_KEY_RAW']]",
            vec![URL.to_owned(), format!("id:{NASTY}")],
        ),
        (
            Consumer::Curator,
            "e = d['elasticsearch']\nout = [e['client']['hosts'], e['client']['ca_certs'], e['other_settings']['api_key']['token']]",
            vec![URL.to_owned(), NASTY.to_owned(), encode(NASTY)],
        ),
        (
            Consumer::Collector,
            "e = d['exporters']['elasticsearch']\nout = [u(e['endpoints'][0]), u(e['tls']['ca_file']), e['api_key']]",
            vec![URL.to_owned(), NASTY.to_owned(), encode(NASTY)],
        ),
        (
            Consumer::Grafana,
            "e = d['datasources'][0]\nout = [u(e['url']), e['secureJsonData']['httpHeaderValue1']]",
            vec![URL.to_owned(), format!("ApiKey {}", encode(NASTY))],
        ),
    ] {
        let said = python(&format!("{load}{dollars}{code}"), &text(consumer, NASTY, NASTY)).unwrap();
        assert_eq!(said, expected, "{consumer:?}");
    }
    let beats = "o = d.get('output.elasticsearch') or d['outputs']['default']\n\
                 out = [o['hosts'][0], o['api_key'], o['ssl.certificate_authorities'][0]]";
    for consumer in [Consumer::Beats, Consumer::ElasticAgent] {
        let said = python(&format!("{load}{beats}"), &text(consumer, PATH, "se\"c'r\\et")).unwrap();
        assert_eq!(said, [URL, "id:se\"c'r\\et", PATH], "{consumer:?}");
    }
    let bit = "o = d['pipeline']['outputs'][0]\nout = [o['host'], str(o['port']), o['path'], o['http_api_key'], o['tls.ca_file']]";
    let said = python(&format!("{load}{bit}"), &text(Consumer::FluentBit, PATH, "secret")).unwrap();
    assert_eq!(said, ["es.example.net", "9243", "/it's$HOME/%20!;&#", "aWQ6c2VjcmV0", PATH]);
    for consumer in [Consumer::Beats, Consumer::ElasticAgent, Consumer::Collector, Consumer::Grafana, Consumer::Curator]
    {
        let out = python("import yaml\nyaml.safe_load(text)\nout = []", &reference(consumer));
        assert!(out.is_some(), "{consumer:?}");
    }
}

fn encode(secret: &str) -> String {
    keybearer::model::connections::login::encode("id", &Secret::new(secret)).expose().to_owned()
}
