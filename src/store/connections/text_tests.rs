use proptest::prelude::*;

use crate::store::connections::text::*;

fn id() -> ProfileId {
    ProfileId("0123".into())
}

fn profile(trust: Trust, login: Login) -> Profile {
    Profile {
        id: id(),
        name: "Production \"east\"".into(),
        environment: Environment::Production,
        endpoint: Endpoint {
            trust,
            run_as: Some("ana".into()),
            timeout: Duration::from_millis(1500),
            ..Endpoint::new(ClusterUrl::parse("https://es.example.net:9200/prefix").unwrap(), login)
        },
    }
}

fn logins() -> [Login; 5] {
    let secret = |text: &str| Some(Secret::new(text));
    let provider = OpenIdLogin {
        sign_in: SignInId::of(&id()),
        issuer: Issuer::parse("https://login.example.net/realms/ops/").unwrap(),
        client_id: "keybearer".into(),
        client_secret: secret("client \"hunter2\""),
        scopes: open_id::parse_scopes("profile").unwrap(),
        sent: SentToken::Access,
        shared_secret: secret("realm hunter2"),
        redirect_port: Some(49731),
        ca_file: Some("/etc/ssl/provider.pem".into()),
    };
    [
        Login::ApiKey { id: "VuaCfGcBCdbkQm-e5aOx".into(), secret: Secret::new("ui2lp2axTNmsyakw9tvNnw") },
        Login::Password { username: "elastic".into(), password: Secret::new("a\"b\\c\n😀 hunter2") },
        Login::Bearer(Secret::new("eyJhbGciOi.JIUzI1NiJ9.x")),
        Login::CloudKey(Secret::new("essu_aHVudGVyMg==")),
        Login::OpenId(Box::new(provider)),
    ]
}

fn trusts() -> [Trust; 4] {
    [
        Trust::System,
        Trust::CaFile("/etc/ssl/ca é.pem".into()),
        Trust::Fingerprint(Fingerprint::of(b"certificate")),
        Trust::InsecureDev,
    ]
}

fn with(text: &Secret, from: &str, to: &str) -> Secret {
    assert!(text.expose().contains(from), "{from}");
    Secret::new(text.expose().replacen(from, to, 1))
}

/// A profile that has what only the second version of the format has.
fn protected() -> Profile {
    let login = ProxyLogin { username: "ana".into(), password: Secret::new("proxy-hunter2") };
    let proxy = ProxyRule::Via(Proxy { url: ProxyUrl::parse("socks5://bastion").unwrap(), login: Some(login) });
    let mut profile = profile(Trust::System, Login::Bearer(Secret::new("t0ken")));
    (profile.endpoint.proxy, profile.endpoint.protection) = (proxy, Protection::ReadOnly);
    profile
}

#[test]
fn a_proxy_and_a_protection_are_kept_and_an_older_version_does_not_ignore_them() {
    let profile = protected();
    let text = write(&profile, None).unwrap();
    assert_eq!(read(&profile.id, &text).unwrap(), profile);
    assert!(text.expose().contains(r#""format":2"#), "{}", text.expose());
    // What an older version understands, it may read.
    for (environment, protection) in
        [(Environment::Production, Protection::Name), (Environment::Development, Protection::None)]
    {
        let mut plain = Profile { environment, ..profile.clone() };
        (plain.endpoint.proxy, plain.endpoint.protection) = (ProxyRule::System, protection);
        let text = write(&plain, None).unwrap();
        assert!(text.expose().contains(r#""format":1"#), "{}", text.expose());
        // And a text of that version is protected by its environment.
        let old = text.expose().replace(r#","protection":"name""#, "").replace(r#","protection":"none""#, "");
        assert!(!old.contains("protection"));
        assert_eq!(read(&plain.id, &Secret::new(old)).unwrap(), plain);
    }
    for (from, to, words) in [
        (r#""kind":"via""#, r#""kind":"odd""#, "its proxy"),
        ("socks5://bastion:1080", "ftp://x", "its proxy"),
        ("read_only", "odd", "its protection"),
    ] {
        let broken = Secret::new(text.expose().replace(from, to));
        let unread = read(&profile.id, &broken).unwrap_err();
        assert!(unread.reason.contains(words), "{unread:?}");
    }
}

#[test]
fn a_credential_that_is_asked_for_is_not_in_the_text_and_an_older_version_does_not_save_it() {
    // A sign-in at a provider has none to be asked for.
    for login in logins().into_iter().filter(|login| !matches!(login, Login::OpenId(_))) {
        let mut asked = profile(Trust::System, login);
        let saved = write(&asked, None).unwrap();
        asked.endpoint.asks_credential = true;
        // Also where it was saved before.
        let text = write(&asked, Some(&saved)).unwrap();
        for secret in ["ui2lp2axTNmsyakw9tvNnw", "hunter2", "eyJhbGciOi"] {
            assert!(!text.expose().contains(secret), "{}", text.expose());
        }
        assert!(text.expose().contains(r#""format":3"#), "{}", text.expose());
        let read = read(&asked.id, &text).unwrap();
        assert_eq!(read, asked.as_saved());
        assert!(read.endpoint.lacks_credential() && !asked.endpoint.lacks_credential());
        let odd = with(&text, r#""credential":"asked""#, r#""credential":"odd""#);
        assert!(super::read(&asked.id, &odd).unwrap_err().reason.contains("how its credential is kept"));
    }
}

#[test]
fn several_addresses_and_a_ca_are_kept_and_an_older_version_does_not_ignore_them() {
    let mut profile = profile(Trust::System, logins()[1].clone());
    let ca = CaCertificates::read(crate::model::connections::ca::tests::authority("lab").as_bytes()).unwrap();
    profile.endpoint.trust = Trust::Ca(ca);
    profile.endpoint.more_urls = vec![ClusterUrl::parse("es-2").unwrap(), ClusterUrl::parse("es-3:9201").unwrap()];
    let text = write(&profile, None).unwrap();
    assert_eq!(read(&profile.id, &text).unwrap(), profile);
    assert!(text.expose().contains(r#""format":3"#), "{}", text.expose());
    // One address again: nothing is left of the others, and an older version can read it.
    let single = Profile {
        endpoint: Endpoint { trust: Trust::System, more_urls: Vec::new(), ..profile.endpoint.clone() },
        ..profile.clone()
    };
    let again = write(&single, Some(&text)).unwrap();
    assert!(!again.expose().contains("es-2") && again.expose().contains(r#""format":2"#), "{}", again.expose());
    for (from, to, words) in
        [("https://es-2:9200", "ftp://x", "one of its URLs"), ("BEGIN", "END", "certificate trust")]
    {
        let broken = Secret::new(text.expose().replacen(from, to, 1));
        assert!(read(&profile.id, &broken).unwrap_err().reason.contains(words));
    }
}

#[test]
fn every_kind_of_sign_in_trust_and_environment_comes_back() {
    for environment in [Environment::Production, Environment::Staging, Environment::Development, Environment::Sandbox] {
        for login in logins() {
            for trust in trusts() {
                let mut profile = profile(trust, login.clone());
                profile.environment = environment;
                assert_eq!(read(&id(), &write(&profile, None).unwrap()), Ok(profile));
            }
        }
    }
}

#[test]
fn what_may_be_missing_has_its_default() {
    let mut profile = profile(Trust::System, logins()[0].clone());
    profile.endpoint.run_as = None;
    profile.endpoint.timeout = DEFAULT_TIMEOUT;
    let text = write(&profile, None).unwrap();
    assert!(!text.expose().contains("run_as"));
    assert_eq!(read(&id(), &with(&text, ",\"timeout_ms\":60000", "")), Ok(profile));
}

#[test]
fn members_of_a_later_version_survive_a_save_unchanged() {
    let mut profile = profile(Trust::System, logins()[1].clone());
    let text = with(&write(&profile, None).unwrap(), "{", r#"{"colour":{"a":[1.0e+3, "\u0041"]},"name2":null,"#);
    profile.name = "Renamed".into();
    let again = write(&profile, Some(&text)).unwrap();
    assert!(again.expose().ends_with(r#","colour":{"a":[1.0e+3, "\u0041"]},"name2":null}"#), "{}", again.expose());
    assert_eq!(read(&id(), &again), Ok(profile.clone()));
    assert_eq!(write(&profile, Some(&again)), Ok(again), "and a second one");
}

#[test]
fn what_can_not_be_read_is_named_without_repeating_it() {
    let text = write(&profile(trusts()[2].clone(), logins()[1].clone()), None).unwrap();
    let cases = [
        (Secret::new("hunter2"), false, "it is not JSON"),
        (Secret::new("{}"), false, "a field is missing"),
        (with(&text, "\"format\":2", "\"format\":4"), true, "later version"),
        (with(&text, "https://", "hunter2://"), true, "its URL"),
        (with(&text, "production", "hunter2"), true, "its environment"),
        (with(&text, "\"fingerprint\"", "\"hunter2\""), true, "its certificate trust"),
        (with(&text, "\"password\"", "\"hunter2\""), true, "its sign-in"),
        (with(&text, "1500", "\"hunter2\""), true, "a field is missing or has the wrong type"),
        (with(&text, "\"login\":{", "\"login\":\"hunter2\",\"x\":{"), true, "a field is missing or has the wrong type"),
    ];
    for (text, named, reason) in cases {
        let unread = read(&id(), &text).unwrap_err();
        assert!(unread.reason.contains(reason), "{unread:?} has not {reason}");
        assert_eq!(unread.name.is_some(), named, "{unread:?}");
        assert!(!format!("{unread:?}").contains("hunter2"));
    }
}

#[test]
fn a_profile_of_an_ordinary_size_fits_into_the_credential_manager_of_windows() {
    let mut profile = profile(trusts()[2].clone(), Login::Bearer(Secret::new("x".repeat(1800))));
    profile.name = "n".repeat(100);
    assert!(write(&profile, None).unwrap().expose().len() <= 2560);
}

#[cfg(unix)]
#[test]
fn a_file_name_that_is_no_text_is_refused_with_the_reason() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::OsStr::from_bytes(b"/tmp/\xff.pem").into();
    let reason = write(&profile(Trust::CaFile(path), logins()[0].clone()), None).unwrap_err();
    assert!(reason.contains("the CA file's name is not text"), "{reason}");
}

proptest! {
    #[test]
    fn any_text_in_any_place_comes_back(name: String, user: String, secret: String, run_as: Option<String>, ms: u64) {
        let login = Login::Password { username: user, password: Secret::new(secret) };
        let mut profile = profile(Trust::System, login);
        profile.name = name;
        profile.endpoint.run_as = run_as;
        profile.endpoint.timeout = Duration::from_millis(ms);
        prop_assert_eq!(read(&id(), &write(&profile, None).unwrap()), Ok(profile));
    }

    #[test]
    fn any_stored_text_is_read_or_refused_without_a_panic(text in "[\\[\\]{}:,\"\\\\a1ué]*") {
        let _ = read(&id(), &Secret::new(text));
    }
}
