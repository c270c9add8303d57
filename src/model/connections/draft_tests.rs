use super::*;

fn draft() -> ProfileDraft {
    ProfileDraft {
        name: "lab".into(),
        url: "localhost".into(),
        sign_in: SignIn::User,
        username: "ana".into(),
        password: Zeroizing::new("hunter2".into()),
        environment: Some(Environment::Development),
        ..ProfileDraft::new()
    }
}

fn check(draft: &ProfileDraft) -> Result<Profile, Vec<ProfileField>> {
    draft.check(ProfileId("new".into())).map_err(|errors| errors.into_iter().map(|error| error.field).collect())
}

#[test]
fn a_whole_form_becomes_a_profile_and_back() {
    let profile = check(&draft()).unwrap();
    assert_eq!(profile.endpoint.url.as_str(), "https://localhost:9200");
    let again = ProfileDraft::of(&profile);
    assert_eq!(check(&again).unwrap(), profile);
}

#[test]
fn a_key_of_elastic_cloud_needs_no_id_wherever_it_is_pasted() {
    let pasted = " essu_YTpi==\n";
    let as_secret = ProfileDraft { key_secret: Zeroizing::new(pasted.into()), key_id: "old".into(), ..draft() };
    let as_id = ProfileDraft { key_id: format!("ApiKey {pasted}"), ..draft() };
    for draft in [as_secret, as_id] {
        let mut draft = ProfileDraft { sign_in: SignIn::ApiKey, ..draft };
        draft.tidy();
        assert!(draft.is_cloud_key() && draft.key_id.is_empty());
        let profile = check(&draft).unwrap();
        assert_eq!(profile.endpoint.login, Login::CloudKey(Secret::new("essu_YTpi==")));
        assert_eq!(check(&ProfileDraft::of(&profile)).unwrap(), profile);
    }
    // One that is asked for each time comes back as one, and another API key has an id.
    let login = Login::CloudKey(Secret::default());
    let asked = Endpoint { asks_credential: true, login, ..check(&draft()).unwrap().endpoint };
    let asked = Profile { endpoint: asked, ..check(&draft()).unwrap() };
    assert_eq!(check(&ProfileDraft::of(&asked)).unwrap(), asked);
    let without = ProfileDraft { sign_in: SignIn::ApiKey, asks_credential: true, ..draft() };
    assert_eq!(check(&without), Err(vec![ProfileField::KeyId]));
}

#[test]
fn an_encoded_key_pasted_as_secret_or_as_id_fills_both() {
    let encoded = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";
    let as_secret = ProfileDraft { key_secret: Zeroizing::new(encoded.into()), ..ProfileDraft::new() };
    let as_id = ProfileDraft { key_id: format!(" {encoded}\n"), ..ProfileDraft::new() };
    let raw = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw";
    let as_raw = ProfileDraft { key_secret: Zeroizing::new(raw.into()), ..ProfileDraft::new() };
    for mut draft in [as_secret, as_id, as_raw] {
        draft.tidy();
        assert_eq!(draft.key_id, "VuaCfGcBCdbkQm-e5aOx");
        assert_eq!(*draft.key_secret, "ui2lp2axTNmsyakw9tvNnw");
        draft.tidy();
        assert_eq!(*draft.key_secret, "ui2lp2axTNmsyakw9tvNnw");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong =
        ProfileDraft { name: " ".into(), url: "ftp://x".into(), timeout: "0".into(), ..ProfileDraft::default() };
    let all = [
        ProfileField::Name,
        ProfileField::Url,
        ProfileField::Environment,
        ProfileField::KeyId,
        ProfileField::KeySecret,
        ProfileField::Timeout,
    ];
    assert_eq!(check(&wrong), Err(all.to_vec()));
}

#[test]
fn the_protection_follows_the_environment_and_is_never_weakened_by_it() {
    let mut draft = draft();
    assert_eq!(draft.protection(), Protection::None);
    draft.set_environment(Environment::Production);
    assert_eq!(draft.protection(), Protection::Name);
    draft.set_environment(Environment::Development);
    assert_eq!(draft.protection(), Protection::None);
    // An unprotected connection that becomes one of production is protected, also if it was saved as unprotected.
    let mut saved = ProfileDraft::of(&check(&draft).unwrap());
    saved.set_environment(Environment::Production);
    assert_eq!(check(&saved).unwrap().endpoint.protection, Protection::Name);
    saved.protection = Some(Protection::ReadOnly);
    saved.set_environment(Environment::Development);
    assert_eq!(saved.protection(), Protection::ReadOnly);
    // Production without protection is possible, if somebody chooses it.
    saved.set_environment(Environment::Production);
    saved.protection = Some(Protection::None);
    assert_eq!(check(&saved).unwrap().endpoint.protection, Protection::None);
}

#[test]
fn a_proxy_is_kept_with_its_sign_in_and_its_mistakes_are_named() {
    let through = |url: &str, user: &str, password: &str| ProfileDraft {
        proxy: ProxyChoice::Via,
        proxy_url: url.into(),
        proxy_username: user.into(),
        proxy_password: Zeroizing::new(password.into()),
        ..draft()
    };
    for draft in [through("proxy:3128", "", ""), through("socks5://bastion", "ana", "hunter2")] {
        let profile = check(&draft).unwrap();
        assert_eq!(check(&ProfileDraft::of(&profile)).unwrap(), profile);
        assert!(!format!("{profile:?}").contains("hunter2"));
    }
    assert_eq!(check(&through("", "", "")), Err(vec![ProfileField::ProxyUrl]));
    assert_eq!(check(&through("proxy", " ", "hunter2")), Err(vec![ProfileField::ProxyUsername]));
    // What is typed for a proxy that is not used is no mistake.
    assert!(check(&ProfileDraft { proxy: ProxyChoice::Direct, ..through("", "", "x") }).is_ok());
}

#[test]
fn production_is_neither_unencrypted_nor_unverified() {
    let clear = ProfileDraft { url: "http://es:9200".into(), environment: Some(Environment::Production), ..draft() };
    assert_eq!(check(&clear), Err(vec![ProfileField::Url]));
    let blind = ProfileDraft { trust: TrustChoice::InsecureDev, environment: Some(Environment::Production), ..draft() };
    assert_eq!(check(&blind), Err(vec![ProfileField::Fingerprint]));
    assert!(check(&ProfileDraft { trust: TrustChoice::InsecureDev, ..draft() }).is_ok());
}

#[test]
fn several_addresses_are_one_a_line_and_go_together() {
    let at = |urls: &str| ProfileDraft { url: urls.into(), ..draft() };
    let profile = check(&at("es-1\n\n es-2:9201 \r\nes-1:9200\n")).unwrap();
    let urls: Vec<&str> = profile.endpoint.urls().map(ClusterUrl::as_str).collect();
    assert_eq!(urls, ["https://es-1:9200", "https://es-2:9201"], "each once");
    assert_eq!(check(&ProfileDraft::of(&profile)).unwrap(), profile);
    let many: String = (0..=MAX_ADDRESSES).map(|at| format!("es-{at}\n")).collect();
    for (urls, words) in [
        ("es-1\nftp://es-2", "ftp://es-2: "),
        ("https://es-1\nhttp://es-2", "for all addresses"),
        (many.as_str(), "at most 16 addresses"),
        ("\n \n", "Enter the address"),
    ] {
        let errors = at(urls).check(ProfileId("1".into())).unwrap_err();
        assert!(errors.len() == 1 && errors[0].message.contains(words), "{errors:?}");
    }
    // One unencrypted address is enough to be refused in production.
    let production = ProfileDraft { environment: Some(Environment::Production), ..at("https://a\nhttp://b") };
    assert_eq!(check(&production), Err(vec![ProfileField::Url]));
}
