use std::time::Duration;

use proptest::{option, prelude::*};

use super::*;
use crate::model::{
    connections::{
        ca::tests::authority,
        endpoint::{ClusterUrl, Endpoint, Trust},
        fingerprint::Fingerprint,
        import::{self, Origin, Source},
        login::Login,
        open_id::{Issuer, OpenIdLogin, SignInId},
        profile::ProfileId,
        proxy::{Proxy, ProxyLogin, ProxyRule, ProxyUrl},
    },
    secret::Secret,
};

/// Secret in every place that can have one; it is nowhere else.
const SECRET: &str = "S3CRET-hunter2-4711";

fn secret() -> Secret {
    Secret::new(SECRET)
}

fn login() -> impl Strategy<Value = Login> {
    let name = "[a-zé]{1,12}";
    prop_oneof![
        name.prop_map(|id| Login::ApiKey { id, secret: secret() }),
        name.prop_map(|username| Login::Password { username, password: secret() }),
        Just(Login::Bearer(secret())),
        Just(Login::CloudKey(Secret::new(format!("essu_{SECRET}")))),
        (option::of(1024_u16..), option::of("/[a-z]{1,8}\\.pem"), any::<bool>(), any::<bool>()).prop_map(
            |(redirect_port, ca_file, is_access, has_secrets)| {
                Login::OpenId(Box::new(OpenIdLogin {
                    sign_in: SignInId::of(&ProfileId("1".into())),
                    issuer: Issuer::parse("https://login.example.net/realm").unwrap(),
                    client_id: "keybearer".into(),
                    client_secret: has_secrets.then(secret),
                    scopes: vec!["openid".into(), "groups".into()],
                    sent: if is_access { SentToken::Access } else { SentToken::Id },
                    shared_secret: has_secrets.then(secret),
                    redirect_port,
                    ca_file: ca_file.map(Into::into),
                }))
            }
        ),
    ]
}

fn trust() -> impl Strategy<Value = Trust> {
    let ca = CaCertificates::read(authority("team").as_bytes()).unwrap();
    prop_oneof![
        Just(Trust::System),
        Just(Trust::Ca(ca)),
        "/[a-zé ]{1,12}[a-z]\\.pem".prop_map(|path| Trust::CaFile(path.into())),
        Just(Trust::Fingerprint(Fingerprint::of(b"certificate"))),
        Just(Trust::InsecureDev),
    ]
}

fn proxy() -> impl Strategy<Value = ProxyRule> {
    let via = |username: Option<String>| {
        let login = username.map(|username| ProxyLogin { username, password: secret() });
        ProxyRule::Via(Proxy { url: ProxyUrl::parse("socks5://bastion").unwrap(), login })
    };
    prop_oneof![Just(ProxyRule::System), Just(ProxyRule::Direct), option::of("[a-z]{1,8}").prop_map(via)]
}

prop_compose! {
    fn profile()(
        name in "[^\\s]\\PC{0,20}[^\\s]",
        environment in prop::sample::select(ENVIRONMENTS.map(|(environment, _)| environment).to_vec()),
        more in 0_usize..4,
        login in login(),
        trust in trust(),
        proxy in proxy(),
        run_as in option::of("[a-z]{1,8}"),
        seconds in 1_u64..3600,
        audit_index in option::of("[a-z*]{1,8}"),
        protection in prop::sample::select(Protection::ALL.to_vec()),
    ) -> Profile {
        let url = |at: usize| ClusterUrl::parse(&format!("es-{at}.example.net")).unwrap();
        let trust = match trust {
            Trust::InsecureDev if environment == Environment::Production => Trust::System,
            trust => trust,
        };
        let endpoint = Endpoint {
            more_urls: (1..=more).map(url).collect(),
            trust,
            run_as,
            timeout: Duration::from_secs(seconds),
            audit_index,
            proxy,
            protection,
            ..Endpoint::new(url(0), login)
        };
        Profile { id: ProfileId("1".into()), name, environment, endpoint }
    }
}

fn imported(text: &str) -> Vec<ProfileDraft> {
    let found = import::read(&[Source { name: "team.json".into(), text: Secret::new(text) }]).unwrap();
    assert!(found.iter().all(|one| one.origin == Origin::Keybearer));
    found.into_iter().map(|one| one.draft).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_exported_comes_back_without_its_secrets(profiles in prop::collection::vec(profile(), 1..4)) {
        let text = write(&profiles).unwrap();
        prop_assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{}", text);
        let drafts = imported(&text);
        prop_assert_eq!(drafts.len(), profiles.len());
        for (mut draft, profile) in drafts.into_iter().zip(profiles) {
            // Whoever has the credentials gets the same connection again.
            prop_assert!(!draft.has_credential() || draft.sign_in == SignIn::OpenId);
            let field = match draft.sign_in {
                SignIn::ApiKey => &mut draft.key_secret,
                SignIn::User => &mut draft.password,
                SignIn::Token | SignIn::Certificate | SignIn::OpenId => &mut draft.token,
            };
            if matches!(profile.endpoint.login, Login::CloudKey(_)) {
                field.push_str("essu_");
            }
            field.push_str(SECRET);
            if matches!(&profile.endpoint.login, Login::OpenId(login) if login.client_secret.is_some()) {
                draft.open_id.client_secret.push_str(SECRET);
                draft.open_id.shared_secret.push_str(SECRET);
            }
            if !draft.proxy_username.is_empty() {
                draft.proxy_password.push_str(SECRET);
            }
            prop_assert_eq!(draft.check(profile.id.clone()).unwrap(), profile);
        }
    }
}

#[test]
fn what_another_version_wrote_is_named_rather_than_left_out() {
    let member = |from: &str, to: &str| {
        let text = r#"{"keybearer":"connections","version":1,"connections":[
            {"name":"a","urls":["https://a:9200"],"trust":"system","sign_in":"token","protection":"name"}]}"#;
        assert!(text.contains(from));
        let source = Source { name: "team.json".into(), text: Secret::new(text.replace(from, to)) };
        import::read(&[source]).map(|found| found[0].draft.clone()).map_err(|error| error.reason)
    };
    let draft = member("a", "a").unwrap();
    assert_eq!((draft.timeout.as_str(), draft.environment), ("60", None));
    for (from, to, words) in [
        ("\"version\":1", "\"version\":2", "later version"),
        ("\"version\":1", "\"version\":\"x\"", "version can't be read"),
        ("\"protection\":\"name\"", "\"protection\":\"nmae\"", "connection 1: the member protection must be one of"),
        ("\"protection\"", "\"guard\"", "connection 1: the member guard is not known"),
        ("[\"https://a:9200\"]", "\"https://a:9200\"", "urls is no list"),
        ("\"name\":\"a\"", "\"name\":[]", "name is no text"),
        ("\"connections\":[", "\"connection\":[", "connections is missing"),
        ("\"trust\":\"system\"", "\"trust\":\"ca\",\"ca\":\"x\"", "the member ca can't be used"),
    ] {
        let error = member(from, to).unwrap_err();
        assert!(error.contains(words), "{error} has no {words}");
    }
}
