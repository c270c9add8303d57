use std::collections::HashSet;

use super::quote::*;
use crate::model::{api_key::KeyId, connections::fingerprint::Fingerprint, secret::Secret, snippet::*};

const URL: &str = "https://es.example.net:9200";
/// Text with characters that break one language or another.
const NASTY: &str = "it's \"x\" $HOME ${HOME} #{1} %{a} %h `id` \\ C:\\new\\ \u{2019}\u{2028}é🔑 # end\n2";

fn literal(consumer: Consumer, trust: &Trust) -> String {
    let key = KeyText::real(&KeyId::new("id"), &Secret::new("key"));
    consumer.text(Site { url: URL, trust }, Key::Literal(&key)).to_string()
}

fn reference(consumer: Consumer, trust: &Trust) -> String {
    consumer.text(Site { url: URL, trust }, Key::Reference).to_string()
}

fn trusts() -> [Trust; 4] {
    [
        Trust::System,
        Trust::CaFile("/etc/my ca.pem".into()),
        Trust::Fingerprint(Fingerprint::of(b"x")),
        Trust::InsecureDev,
    ]
}

#[test]
fn each_consumer_gets_the_form_it_takes() {
    for consumer in Consumer::ALL {
        let text = literal(consumer, &Trust::System);
        let (encoded, raw) = (text.contains("aWQ6a2V5"), text.contains("id:key"));
        let expected = match consumer.form() {
            _ if consumer == Consumer::Python => (false, false),
            Encoding::Encoded | Encoding::Header => (true, false),
            Encoding::Raw => (false, true),
            Encoding::Both => (true, true),
        };
        assert_eq!((encoded, raw), expected, "{consumer:?}: {text}");
        if consumer.form() == Encoding::Header {
            assert!(text.contains("ApiKey aWQ6a2V5") || text.contains("ApiKey%20aWQ6a2V5"), "{consumer:?}: {text}");
        }
    }
    assert!(literal(Consumer::Python, &Trust::System).contains(r#"api_key=("id", "key")"#));
}

#[test]
fn by_reference_there_is_no_secret_and_its_form_is_told() {
    let trust = Trust::System;
    for consumer in Consumer::ALL {
        let text = reference(consumer, &trust);
        assert!(!text.contains("aWQ6") && !text.contains("id:key"), "{consumer:?}: {text}");
        let hints = consumer.hints(Site { url: URL, trust: &trust }, false).join("\n");
        assert!(hints.contains("API_KEY"), "{consumer:?}: {hints}");
        match consumer.form() {
            Encoding::Raw => {
                assert!(hints.contains("ES_API_KEY_RAW must hold id:api_key") && !hints.contains("base64"))
            }
            Encoding::Both => {
                assert!(hints.contains("base64") && hints.contains("not encoded"), "{consumer:?}: {hints}")
            }
            Encoding::Encoded | Encoding::Header => {
                assert!(hints.contains("encoded key") && !hints.contains("RAW"), "{consumer:?}: {hints}")
            }
        }
    }
}

#[test]
fn what_is_masked_holds_no_secret() {
    let masked = KeyText::masked(&KeyId::new("id"));
    for consumer in Consumer::ALL {
        let text = consumer.text(Site { url: URL, trust: &Trust::System }, Key::Literal(&masked));
        assert!(text.contains(MASK), "{consumer:?}");
    }
}

#[test]
fn whom_to_trust_gets_into_every_text_that_has_a_place_for_it() {
    let [system, file, print, insecure] = trusts();
    for consumer in Consumer::ALL {
        let text =
            |trust: &Trust| (reference(consumer, trust), consumer.hints(Site { url: URL, trust }, true).join(" "));
        match consumer.group() {
            Group::Forms | Group::Places => continue,
            _ if matches!(consumer, Consumer::Kibana | Consumer::Otlp | Consumer::OtlpPython) => continue,
            _ => {}
        }
        let (by_file, _) = text(&file);
        let (by_print, hints) = text(&print);
        let (by_none, warned) = text(&insecure);
        assert!(!text(&system).0.contains("development only"), "{consumer:?}");
        assert!(!by_print.contains("development only"), "{consumer:?}");
        assert!(warned.contains("development only"), "{consumer:?}: {warned}");
        if consumer == Consumer::Mcp {
            assert!(by_none.contains("ES_SSL_SKIP_VERIFY"));
            continue;
        }
        if !matches!(consumer, Consumer::Curl) {
            assert!(by_none.contains("development only"), "{consumer:?}: {by_none}");
        }
        if consumer == Consumer::PowerShell {
            assert!(by_file.contains("trust store"));
            continue;
        }
        assert!(by_file.contains("/etc/my ca.pem"), "{consumer:?}: {by_file}");
        let shown = Fingerprint::of(b"x");
        let pinned = by_print.contains(&shown.to_string()) || by_print.contains(&shown.pairs().join(":"));
        let wanted = if pinned { "must be the CA's" } else { "ca.pem must hold" };
        assert!((pinned || by_print.contains("ca.pem")) && hints.contains(wanted), "{consumer:?}: {hints}");
    }
}

#[test]
fn every_word_leads_to_one_consumer() {
    let mut seen = HashSet::new();
    for consumer in Consumer::ALL {
        assert!(!consumer.name().is_empty() && !consumer.takes().is_empty());
        for word in consumer.words() {
            assert!(seen.insert(word), "{word} is there twice");
            assert_eq!(Consumer::find(&word.to_uppercase()), Some(consumer), "{word}");
            assert!(!word.contains(char::is_whitespace) && word.to_lowercase() == word, "{word}");
        }
        assert_eq!(Consumer::find(consumer.name()), Some(consumer));
    }
    assert_eq!(Consumer::find("filebeat"), Some(Consumer::Beats));
    assert_eq!(Consumer::find("files"), None);
    assert_eq!(Consumer::nearest("logstsh"), ["logstash"]);
    assert!(Consumer::nearest("zzzzzzzz").is_empty());
    let in_groups: Vec<Consumer> = Group::ALL
        .iter()
        .flat_map(|group| Consumer::ALL.into_iter().filter(move |consumer| consumer.group() == *group))
        .collect();
    assert_eq!(in_groups, Consumer::ALL, "the list goes group by group");
}

#[test]
fn a_cross_cluster_key_goes_into_the_keystore_and_no_other_key_does() {
    let taking = |kind: KeyKind| Consumer::ALL.into_iter().filter(|consumer| consumer.takes_kind(&kind)).count();
    assert_eq!(taking(KeyKind::CrossCluster), 1);
    assert_eq!(taking(KeyKind::Rest), Consumer::ALL.len() - 1);
    assert!(Consumer::RemoteCluster.takes_kind(&KeyKind::CrossCluster));
}

#[test]
fn each_language_has_its_own_quotes() {
    let q = |quote: Quote, text: &str| quote(text).to_string();
    assert_eq!(q(shell, "it's $x"), r"'it'\''s $x'");
    assert_eq!(q(powershell, "it's ’$x"), "'it''s ’’$x'");
    assert_eq!(q(single, r"C:\d it's #{x}"), r"'C:\\d it\'s #{x}'");
    assert_eq!(q(double, "a\"b\\c\n\u{7}\u{2028}é"), "\"a\\\"b\\\\c\\n\\u0007\\u2028é\"");
    assert_eq!(q(rust, "a\"\\\n\u{7}"), "\"a\\\"\\\\\\n\\u{7}\"");
    assert_eq!(q(double_dollars, "$HOME ${x} \""), "\"$$HOME $${x} \\\"\"");
    assert_eq!(q(hcl, "${a} %{b} $c % \""), "\"$${a} %%{b} $c % \\\"\"");
    assert_eq!(q(rainer, "it's $x \\ \n"), "'it\\'s $x \\\\ \\n'");
    assert_eq!(q(fluentd, "#{x} \"\\ $y\n"), "\"\\#{x} \\\"\\\\ $y\\n\"");
    assert_eq!(q(environment_file, "a $b `c` \"\\ 'd'"), "\"a \\$b \\`c\\` \\\"\\\\ 'd'\"");
    assert_eq!(q(unit, "%h \"x\" \\ $y"), "%%h \\\"x\\\" \\\\ $y");
    assert_eq!(q(dotenv, "https://es:9200/a%20b"), "https://es:9200/a%20b");
    assert_eq!(q(dotenv, "a #b $c \"d\""), "'a #b $c \"d\"'");
    assert_eq!(q(dotenv, "it's $c"), "\"it's \\$c\"");
    assert_eq!(q(dotenv, ""), "''");
}

#[test]
fn what_a_language_can_t_write_is_named_instead() {
    assert_eq!(logstash("it's").as_deref().map(String::as_str), Some("\"it's\""));
    assert_eq!(logstash("a\"b").as_deref().map(String::as_str), Some("'a\"b'"));
    for text in ["'\"", "${x}", "C:\\dir\\"] {
        assert!(logstash(text).is_none(), "{text}");
    }
    assert!(double_unless_named("a ${b}").is_none() && double_unless_named("a $b").is_some());
    let trust = Trust::CaFile(NASTY.into());
    let site = Site { url: URL, trust: &trust };
    for consumer in [Consumer::Beats, Consumer::ElasticAgent, Consumer::Logstash, Consumer::FluentBit] {
        let text = consumer.text(site, Key::Reference);
        assert!(text.contains("\"${ES_CA_FILE}\"") && !text.contains("it's"), "{consumer:?}: {}", *text);
        assert!(consumer.hints(site, true).iter().any(|hint| hint.contains("ES_CA_FILE must hold")), "{consumer:?}");
    }
}

#[test]
fn a_value_is_wiped_in_one_place_as_its_room_is_asked_for_at_once() {
    let worst = "\u{7}".repeat(100);
    for quote in [double, double_dollars, hcl, rust, shell, powershell, single, rainer, fluentd, environment_file] {
        let quote: Quote = quote;
        for text in [worst.as_str(), NASTY, "''''''''", "\u{2019}\u{2019}\u{2028}"] {
            let room = quote(text);
            assert!(room.capacity() == text.len() * 6 + 2, "the text grew: {} for {}", room.capacity(), text.len());
        }
    }
}

#[test]
fn an_address_is_taken_apart_for_who_wants_it_so() {
    let text = |url: &str| {
        let trust = Trust::System;
        Consumer::FluentBit.text(Site { url, trust: &trust }, Key::Reference).to_string()
    };
    let whole = text("https://es.example.net:9243/a/b");
    assert!(whole.contains("host: \"es.example.net\"\n      port: 9243\n      path: \"/a/b\"\n"), "{whole}");
    assert!(whole.contains("tls: on"));
    assert!(text("https://[::1]").contains("host: \"::1\"\n      port: 443\n"));
    for (url, hosts) in [
        ("https://es.example.net/a", "https://es.example.net:443/a"),
        ("http://es", "http://es:80"),
        ("https://[::1]", "https://[::1]:443"),
        ("https://[::1]:9200", "https://[::1]:9200"),
        (URL, URL),
    ] {
        for consumer in [Consumer::Beats, Consumer::ElasticAgent, Consumer::Logstash] {
            let text = consumer.text(Site { url, trust: &Trust::System }, Key::Reference);
            assert!(text.contains(&format!("[\"{hosts}\"]")), "{consumer:?}: {}", *text);
        }
    }
    let plain = text("http://es");
    assert!(plain.contains("port: 80\n") && plain.contains("tls: off"), "{plain}");
}
