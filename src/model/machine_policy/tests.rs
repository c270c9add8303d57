use super::*;
use crate::model::{
    connections::{endpoint::ClusterUrl, login::Login, profile::ProfileId},
    secret::Secret,
};

const FILE: &str = "/etc/keybearer/policy.toml";

const WHOLE: &str = r#"
[journal]
required = true
path = "/var/log/keybearer/{user}"

[tls]
verify_required = true

[connections]
production_protected = true

[lock]
max_idle = "15m"

[clusters]
allowed = ["*.example.net", "es.example.org:9200", "localhost"]
uuids = ["Dk1lhFnoTpiQJhzqhUmeUg"]
"#;

fn policy(text: &str) -> MachinePolicy {
    MachinePolicy::Rules { file: FILE.into(), rules: parse(text, "ana").unwrap() }
}

fn endpoint(url: &str, trust: Trust) -> Endpoint {
    let login = Login::Password { username: "ana".into(), password: Secret::new("hunter2") };
    Endpoint { trust, ..Endpoint::new(ClusterUrl::parse(url).unwrap(), login) }
}

fn profile(environment: Environment, protection: Protection) -> Profile {
    let endpoint = Endpoint { protection, ..endpoint("https://es.example.net:9200", Trust::System) };
    Profile { id: ProfileId("1".into()), name: "lab".into(), environment, endpoint }
}

#[test]
fn the_whole_file_is_read() {
    let rules = parse(WHOLE, "ana").unwrap();
    let hosts = ["*.example.net", "es.example.org:9200", "localhost"];
    let expected = Rules {
        is_journal_required: true,
        journal_folder: Some("/var/log/keybearer/ana".into()),
        is_verification_required: true,
        is_production_protected: true,
        max_idle: Some(15),
        allowed_hosts: Some(hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect()),
        allowed_uuids: Some(vec!["Dk1lhFnoTpiQJhzqhUmeUg".into()]),
    };
    assert_eq!(rules, expected);
    assert_eq!(policy(WHOLE).lines().len(), Rule::ALL.len(), "each rule has its line");
    for nothing in ["", "# nothing yet\n", "[journal]\n", "[journal]\nrequired = false\n"] {
        assert_eq!(parse(nothing, "ana").unwrap(), Rules::default(), "{nothing}");
        assert!(policy(nothing).lines().is_empty());
    }
}

/// Each fault is told with its place; whatever else the file has, no rule is taken from it.
#[test]
fn a_fault_is_told_with_its_line_and_column() {
    let deep = format!("x = {}", "[".repeat(10_000));
    let long = format!("[clusters]\nallowed = [\"a\"]\nuuids = [\"{}\"]", "a".repeat(65));
    let many = format!("[clusters]\nallowed = [{}]", "\"a\",".repeat(1_001));
    for (text, at, words) in [
        ("[journal\nrequired = true", Some((1, 9)), "unclosed table"),
        ("[journal]\nrequired = yes", Some((2, 12)), "string values must be quoted"),
        ("[journal]\nrequired = \"true\"", Some((2, 12)), "expected a boolean"),
        ("[journal]\nrequird = true", Some((2, 1)), "unknown field `requird`"),
        ("[jornal]\nrequired = true", Some((1, 2)), "unknown field `jornal`"),
        ("required = true", Some((1, 1)), "unknown field `required`"),
        ("[tls]\nverify_required = 1", Some((2, 19)), "expected a boolean"),
        ("[tls]\nverify_required = true\nverify_required = false", Some((3, 1)), "duplicate key"),
        ("journal = true", Some((1, 11)), "invalid type"),
        ("[journal]\npath = \"/var/log\"", Some((2, 8)), "no effect without journal.required"),
        ("[journal]\nrequired = true\npath = \"log\"", Some((3, 8)), "absolute path"),
        ("[journal]\nrequired = true\npath = \"/var/../log\"", Some((3, 8)), "absolute path"),
        ("[journal]\nrequired = true\npath = \"/var/{home}\"", Some((3, 8)), "only placeholder"),
        ("[lock]\nmax_idle = 10", Some((2, 12)), "expected a string"),
        ("[lock]\nmax_idle = \"never\"", Some((2, 12)), "whole minutes from 1m to 24h"),
        ("[lock]\nmax_idle = \"90s\"", Some((2, 12)), "whole minutes"),
        ("[lock]\nmax_idle = \"0m\"", Some((2, 12)), "whole minutes"),
        ("[lock]\nmax_idle = \"2d\"", Some((2, 12)), "whole minutes"),
        ("[clusters]\nallowed = \"localhost\"", Some((2, 11)), "invalid type"),
        ("[clusters]\nallowed = []", Some((2, 11)), "empty"),
        ("[clusters]\nallowed = [\"é\", \"a b\"]", Some((2, 17)), "is not a host"),
        ("[clusters]\nallowed = [\"*\"]", Some((2, 12)), "is not a host"),
        ("[clusters]\nuuids = [\"x\"]", Some((2, 9)), "requires clusters.allowed"),
        ("[clusters]\nallowed = [\"a\"]\nuuids = [\"a b\"]", Some((3, 10)), "not the UUID"),
        (&long, Some((3, 10)), "not the UUID"),
        (&many, Some((2, 11)), "more than 1000"),
        (&deep, None, ""),
    ] {
        let fault = parse(text, "ana").unwrap_err();
        let start: String = text.chars().take(80).collect();
        assert!(fault.reason.contains(words) && !fault.reason.contains('\n'), "{start}: {fault}");
        assert!(at.is_none() || fault.at == at, "{start}: {fault}");
    }
    let path = "[journal]\nrequired = true\npath = \"/var/log/{user}\"";
    for user in ["", "..", "a/b"] {
        assert!(parse(path, user).unwrap_err().reason.contains("not known"), "{user}");
    }
}

#[test]
fn connections_elsewhere_or_unverified_are_refused_with_the_rule_and_the_file() {
    let pin = Trust::Fingerprint(crate::model::connections::fingerprint::Fingerprint::of(b"x"));
    for (text, url, trust, refused) in [
        ("", "http://anywhere:9200", Trust::System, None),
        ("", "https://anywhere:9200", Trust::InsecureDev, None),
        ("[tls]\nverify_required = true", "https://es:9200", Trust::System, None),
        ("[tls]\nverify_required = true", "https://es:9200", pin, None),
        ("[tls]\nverify_required = true", "https://es:9200", Trust::InsecureDev, Some("tls.verify_required")),
        ("[tls]\nverify_required = true", "https://localhost:9200", Trust::InsecureDev, Some("tls.verify_required")),
        ("[tls]\nverify_required = true", "http://es:9200", Trust::System, Some("tls.verify_required")),
        ("[tls]\nverify_required = true", "http://localhost:9200", Trust::System, None),
        ("[tls]\nverify_required = true", "http://127.0.0.1:9200", Trust::System, None),
        ("[clusters]\nallowed = [\"*.example.net\"]", "https://es.example.net", Trust::System, None),
        (
            "[clusters]\nallowed = [\"*.example.net\"]",
            "https://es.example.org",
            Trust::System,
            Some("clusters.allowed"),
        ),
    ] {
        let result = policy(text).check_endpoint(&endpoint(url, trust.clone()));
        let words = result.err().map(|violation| violation.to_string());
        match refused {
            None => assert_eq!(words, None, "{text} {url} {trust:?}"),
            Some(rule) => {
                let words = words.unwrap_or_else(|| panic!("{text} {url} {trust:?}"));
                assert!(words.contains(&format!("(rule {rule} in {FILE})")), "{words}");
            }
        }
    }
}

#[test]
fn a_production_connection_is_protected_by_the_rule_whatever_was_saved() {
    let rule = policy("[connections]\nproduction_protected = true");
    for (environment, protection, is_allowed) in [
        (Environment::Production, Protection::None, false),
        (Environment::Production, Protection::Name, true),
        (Environment::Production, Protection::ReadOnly, true),
        (Environment::Staging, Protection::None, true),
        (Environment::Development, Protection::None, true),
    ] {
        let profile = profile(environment, protection);
        assert_eq!(rule.check_profile(&profile).is_ok(), is_allowed, "{environment:?} {protection:?}");
        assert!(rule.check_profile(&rule.protected(profile.clone())).is_ok());
        assert!(rule.protected(profile.clone()).endpoint.protection >= protection, "never weaker");
        assert_eq!(policy("").protected(profile.clone()), profile);
        assert!(policy("").check_profile(&profile).is_ok());
    }
}

#[test]
fn changes_need_the_journal_that_is_required() {
    let (required, named) = ("[journal]\nrequired = true", "[journal]\nrequired = true\npath = \"/var/j/{user}\"");
    let off = "KEYBEARER_JOURNAL is set to off";
    for (text, journal, refused) in [
        ("", Err(off), None),
        (required, Err(off), Some(Rule::JournalRequired)),
        (required, Ok("/home/ana/j"), None),
        (named, Err(off), Some(Rule::JournalRequired)),
        (named, Ok("/home/ana/j"), Some(Rule::JournalPath)),
        (named, Ok("/var/j/ana"), None),
        (named, Ok("/var/j/ana/"), None),
    ] {
        let result = policy(text).check_changes(journal.map(Path::new));
        assert_eq!(result.err().map(|violation| violation.rule), refused.map(Some), "{text} {journal:?}");
    }
    let violation = policy(required).check_changes(Err(off)).unwrap_err();
    assert!(violation.is_of_changes() && violation.to_string().contains(off), "{violation}");
    let fault = parse("[journal]\nrequird = true", "ana").unwrap_err();
    let unusable = MachinePolicy::Unusable { file: FILE.into(), fault };
    let violation = unusable.check_changes(Ok(Path::new("/home/ana/j"))).unwrap_err();
    assert!(violation.to_string().contains(&format!("{FILE}, line 2, column 1: unknown field")), "{violation}");
    assert!(unusable.check_endpoint(&endpoint("http://anywhere:9200", Trust::System)).is_ok(), "reading goes on");
}

#[test]
fn only_listed_clusters_are_used_and_an_unknown_one_is_none() {
    let listed = policy("[clusters]\nallowed = [\"localhost\"]\nuuids = [\"one\", \"two\"]");
    for (uuid, is_allowed) in [(Some("one"), true), (Some("two"), true), (Some("One"), false), (None, false)] {
        assert_eq!(listed.check_uuid(uuid).is_ok(), is_allowed, "{uuid:?}");
        assert!(policy("").check_uuid(uuid).is_ok());
    }
}

#[test]
fn the_idle_time_is_the_shorter_one() {
    let rule = policy("[lock]\nmax_idle = \"15m\"");
    for (chosen, expected) in [(Some(5), Some(5)), (Some(15), Some(15)), (Some(60), Some(15)), (None, Some(15))] {
        assert_eq!(rule.lock_after(chosen), expected);
        assert_eq!(rule.allows_idle(chosen), chosen == expected);
        assert_eq!(policy("").lock_after(chosen), chosen);
        assert!(policy("").allows_idle(chosen));
    }
    assert_eq!(policy("[lock]\nmax_idle = \"2h\"").lines()[0].1, "2 hours at most");
}
