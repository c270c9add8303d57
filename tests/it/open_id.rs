//! Sign-in by OpenID Connect against a provider that misbehaves in every way that has words of its own.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use keybearer::{
    client::{Client, ClientError, TokenSource, open_id},
    model::{
        connections::{login::Login, open_id::SentToken, open_id_error::OpenIdError, proxy::ProxyRule},
        secret::Secret,
    },
    ops::{
        Fix, Session,
        connections::{
            connect,
            sign_in::{Finished, SignInStep, SignIns, Way},
        },
        invalidate::{self, CHUNK, InvalidationPlan},
        keys::list,
    },
    store::{
        connections::{Profiles, tokens::KeptTokens},
        vault::{Vault, memory::MemoryVault},
    },
};

use crate::{
    client_servers::in_time,
    open_id_provider::{JwtCluster, Provider, REALM_SECRET, browser, visit},
};

/// Signs in with the browser, without any cluster.
async fn tried(provider: &Provider) -> Result<keybearer::model::connections::open_id::Tokens, OpenIdError> {
    let limit = Duration::from_secs(10);
    let known = open_id::Provider::discover(&provider.login(), &ProxyRule::System, limit).await?;
    let waiting = known.begin_browser().await?;
    tokio::spawn(visit(waiting.address().to_owned()));
    in_time(waiting.finish(limit)).await
}

/// The sign-ins of a process whose keyring has the connection.
fn process(
    provider: &Provider,
    url: &str,
) -> (SignIns, Arc<dyn Vault>, keybearer::model::connections::profile::Profile) {
    let vault: Arc<dyn Vault> = Arc::new(MemoryVault::like_a_keyring());
    let profile = provider.profile(url);
    Profiles::new(vault.clone()).save(&profile).unwrap();
    (SignIns::default(), vault, profile)
}

#[tokio::test]
async fn whatever_is_wrong_at_the_provider_is_named_with_a_way_out() {
    type Wrong = fn(&mut crate::open_id_provider::Rules);
    let cases: [(&str, Wrong); 11] = [
        ("says that it is another issuer", |rules| rules.issuer = Some("http://127.0.0.1:1".into())),
        ("its audience is not keybearer", |rules| rules.audience = "another"),
        ("it was issued to another client", |rules| rules.party = Some("another")),
        ("its nonce is another", |rules| rules.nonce = Some("forged")),
        ("its signature is not by a key of the provider", |rules| rules.forges = true),
        ("refused the sign-in: access_denied", |rules| rules.error = Some("access_denied")),
        ("is 20 minutes ahead of that of this machine", |rules| rules.skew = 20 * 60 + 5),
        ("is 20 minutes behind that of this machine", |rules| rules.skew = -20 * 60 - 5),
        ("is 2 minutes behind that of this machine", |rules| (rules.skew, rules.lifetime) = (-125, 60)),
        ("is larger than 1024 KB", |rules| rules.padding = 2 << 20),
        ("it has expired already", |rules| rules.lifetime = -10),
    ];
    for (words, wrong) in cases {
        let provider = Provider::start().await;
        provider.rule(wrong);
        let error = tried(&provider).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(error.way_out().len() > 10, "{error}");
        assert!(!error.needs_person(), "{error}: signing in again would not help by itself");
    }
    let provider = Provider::start().await;
    tried(&provider).await.unwrap();
    // A clock that is a little off is usual.
    provider.rule(|rules| rules.skew = -60);
    tried(&provider).await.unwrap();
}

#[tokio::test]
async fn a_forged_state_neither_ends_nor_finishes_a_sign_in() {
    let provider = Provider::start().await;
    let limit = Duration::from_secs(5);
    let known = open_id::Provider::discover(&provider.login(), &ProxyRule::System, limit).await.unwrap();
    let waiting = known.begin_browser().await.unwrap();
    let (address, redirect) = (waiting.address().to_owned(), waiting.redirect());
    let forged = tokio::spawn(async move {
        assert_eq!(visit(format!("{redirect}?code=stolen&state=guessed")).await, 400);
        assert_eq!(visit(redirect.replace("/callback", "/favicon.ico")).await, 404);
        visit(address).await
    });
    assert_eq!(waiting.finish(limit).await.unwrap().user, "ana");
    assert_eq!(forged.await.unwrap(), 200);

    // Nobody finishes it: the time is over, and what was refused is told.
    provider.rule(|rules| rules.state = Some("forged"));
    let waiting = known.begin_browser().await.unwrap();
    tokio::spawn(visit(waiting.address().to_owned()));
    let error = waiting.finish(Duration::from_millis(700)).await.unwrap_err();
    assert!(matches!(error, OpenIdError::TimedOut { forged: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_provider_that_is_down_and_a_port_that_is_taken_are_named() {
    let provider = Provider::start().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut login = provider.login();
    login.redirect_port = Some(port);
    let limit = Duration::from_secs(5);
    let known = open_id::Provider::discover(&login, &ProxyRule::System, limit).await.unwrap();
    let error = known.begin_browser().await.map(|_| ()).unwrap_err();
    let words = format!("Port {port} of this machine, to which the provider redirects, can't be used: another program");
    assert!(error.to_string().starts_with(&words), "{error}");
    login.issuer = keybearer::model::connections::open_id::Issuer::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    drop(taken);
    let error = open_id::Provider::discover(&login, &ProxyRule::System, limit).await.unwrap_err();
    assert!(error.to_string().contains("can't be reached: nothing listens there"), "{error}");
}

async fn signed_in(
    sign_ins: &SignIns,
    vault: &Arc<dyn Vault>,
    endpoint: &keybearer::model::connections::endpoint::Endpoint,
) -> Finished {
    let sign_in = sign_ins.of(endpoint, vault).unwrap();
    in_time(sign_in.sign_in(Way::Browser, &browser(), |_| ())).await.unwrap()
}

#[tokio::test]
async fn tokens_are_kept_beside_the_connection_and_renewed_for_whoever_uses_it() {
    let provider = Provider::start().await;
    let cluster = JwtCluster::start(50, &provider).await;
    let (sign_ins, vault, profile) = process(&provider, &cluster.sockets.url("http"));
    let endpoint = &profile.endpoint;
    let connected = |sign_ins: SignIns| {
        let (vault, endpoint) = (vault.clone(), endpoint.clone());
        async move { in_time(connect::connect_with(&endpoint, sign_ins.source(&endpoint, &vault))).await }
    };
    let problem = connected(sign_ins.clone()).await.unwrap_err();
    assert!(problem.title.starts_with("You are not signed in at 127.0.0.1") && problem.fixes[0] == Fix::SignIn);

    let done = signed_in(&sign_ins, &vault, endpoint).await;
    assert_eq!((done.signed_in.user.as_str(), done.signed_in.is_renewed), ("ana", true));
    assert!(done.not_kept.is_none());
    assert_eq!(provider.seen.lock().unwrap().scopes, "openid profile offline_access");
    let session = connected(sign_ins.clone()).await.unwrap();
    assert_eq!(session.identity.username, "officer");

    // Another process reads the tokens; of the profile itself, no text has them.
    let other = SignIns::default();
    connected(other.clone()).await.unwrap();
    assert_eq!(provider.seen.lock().unwrap().renewals, 0, "the token was fresh");
    let text = vault.read("profile/place").unwrap().unwrap();
    assert!(!text.expose().contains("eyJ") && vault.read("sign-in/place").unwrap().unwrap().expose().contains("eyJ"));

    // The realm wants another secret: signing in again would not help, and what would is said.
    let mut bad = endpoint.clone();
    let Login::OpenId(login) = &mut bad.login else { panic!() };
    login.shared_secret = None;
    let problem = in_time(connect::connect_with(&bad, sign_ins.source(&bad, &vault))).await.unwrap_err();
    assert!(problem.hint.contains("JWT realm") && !problem.fixes.contains(&Fix::SignIn), "{problem}");

    // Tokens that end at once: each process renews what the other has renewed, and no refresh token is sent twice.
    provider.rule(|rules| rules.lifetime = 1);
    sign_ins.of(endpoint, &vault).unwrap().sign_out().await.unwrap();
    signed_in(&sign_ins, &vault, endpoint).await;
    for who in [&sign_ins, &other, &sign_ins] {
        connected(who.clone()).await.unwrap();
    }
    let (renewals, replays) = {
        let seen = provider.seen.lock().unwrap();
        (seen.renewals, seen.replays)
    };
    assert!(renewals > 6 && replays == 0, "{renewals} renewals, {replays} replays");

    // The end is told as what it is, by both.
    provider.rule(|rules| rules.refuses_renewal = true);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for who in [sign_ins.clone(), other] {
        let problem = connected(who).await.unwrap_err();
        assert_eq!(problem.title, "The sign-in has ended");
        assert!(problem.detail.contains("invalid_grant (so it is)") && problem.fixes[0] == Fix::SignIn, "{problem}");
    }
    sign_ins.of(endpoint, &vault).unwrap().sign_out().await.unwrap();
    let Login::OpenId(login) = &endpoint.login else { panic!() };
    assert_eq!(KeptTokens::new(vault.clone()).find(login), Ok(None));
    Profiles::new(vault.clone()).remove(&profile.id).unwrap();
    assert_eq!(vault.names("").unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_cluster_says_back_is_blotted_out() {
    struct Stale;
    impl TokenSource for Stale {
        fn token<'a>(&'a self, _: Option<&'a Secret>) -> keybearer::client::FetchingToken<'a> {
            Box::pin(async { Ok(Secret::new("hunter2-token")) })
        }
    }
    let provider = Provider::start().await;
    let cluster = JwtCluster::start(0, &provider).await;
    let profile = provider.profile(&cluster.sockets.url("http"));
    let client = Client::new(&profile.endpoint).unwrap().with_tokens(Some(Arc::new(Stale)));
    let error = in_time(client.authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unauthenticated { .. }));
    let words = format!("{error:?} {error}");
    assert!(!words.contains("hunter2") && !words.contains(REALM_SECRET), "{words}");
}

#[tokio::test]
async fn a_renewal_of_another_user_or_without_an_id_token_ends_the_sign_in() {
    for (words, subject, without_id) in
        [("is of another user", "eve-id", false), ("it renews only access tokens", "ana-id", true)]
    {
        let provider = Provider::start().await;
        let tokens = tried(&provider).await.unwrap();
        provider.rule(|rules| (rules.subject, rules.renews_without_id) = (subject, without_id));
        let known = open_id::Provider::discover(&provider.login(), &ProxyRule::System, Duration::from_secs(5)).await;
        let error = known.unwrap().renew(&tokens).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    // The access token needs no ID token to be renewed.
    let provider = Provider::start().await;
    let mut login = provider.login();
    login.sent = SentToken::Access;
    let known = open_id::Provider::discover(&login, &ProxyRule::System, Duration::from_secs(5)).await.unwrap();
    let waiting = known.begin_browser().await.unwrap();
    tokio::spawn(visit(waiting.address().to_owned()));
    let tokens = in_time(waiting.finish(Duration::from_secs(5))).await.unwrap();
    assert_eq!(tokens.sent.expose(), "opaque");
    provider.rule(|rules| rules.renews_without_id = true);
    assert_eq!(known.renew(&tokens).await.unwrap().subject, "ana-id");
}

#[tokio::test]
async fn a_code_on_another_device_signs_in_where_the_provider_offers_it() {
    let provider = Provider::start().await;
    let (sign_ins, vault, profile) = process(&provider, "http://127.0.0.1:9");
    let sign_in = sign_ins.of(&profile.endpoint, &vault).unwrap();
    let mut steps = Vec::new();
    let done = in_time(sign_in.sign_in(Way::Device, &browser(), |step| steps.push(step))).await.unwrap();
    assert_eq!(done.signed_in.user, "ana");
    let [SignInStep::Device { code, address, .. }] = &steps[..] else { panic!("{steps:?}") };
    assert!(code == "WDJB-MJHT" && address.ends_with("/code"), "{steps:?}");
    provider.rule(|rules| rules.has_device = false);
    let problem = in_time(sign_in.sign_in(Way::Device, &browser(), |_| ())).await.unwrap_err();
    assert!(problem.words().contains("offers no sign-in by a device code"), "{problem}");
}

#[tokio::test]
async fn a_sign_in_that_is_given_up_frees_its_port_and_keeps_who_was_signed_in() {
    let provider = Provider::start().await;
    let (sign_ins, vault, mut profile) = process(&provider, "http://127.0.0.1:9");
    signed_in(&sign_ins, &vault, &profile.endpoint).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let Login::OpenId(login) = &mut profile.endpoint.login else { panic!() };
    login.redirect_port = Some(free);
    let sign_in = sign_ins.of(&profile.endpoint, &vault).unwrap();
    let nobody: keybearer::store::browser::OpenBrowser = Arc::new(|_: &str| Err("there is none".to_owned()));
    let (sender, mut steps) = tokio::sync::mpsc::channel(1);
    let own = sign_in.clone();
    let waiting =
        tokio::spawn(async move { own.sign_in(Way::Browser, &nobody, |step| sender.try_send(step).unwrap()).await });
    let step = in_time(steps.recv()).await.unwrap();
    assert!(matches!(step, SignInStep::Browser { not_opened: Some(why), .. } if why == "there is none"));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    tokio::net::TcpListener::bind(("127.0.0.1", free)).await.unwrap();
    assert_eq!(sign_in.state().await.unwrap().user, "ana");
}

/// All keys of the cluster that may be invalidated, as a plan.
async fn plan(session: &Session) -> InvalidationPlan {
    let list = list::all(session, |_| ()).await.unwrap();
    let keys: Vec<_> = list.keys.keys().collect();
    let plan = InvalidationPlan::of(keys.iter().filter(|key| !key.invalidated));
    InvalidationPlan { managed_too: true, own_key_too: true, ..plan }
}

#[tokio::test]
async fn a_batch_goes_on_with_renewed_tokens_and_leaves_the_rest_untouched_when_they_end() {
    for ends in [false, true] {
        let provider = Provider::start().await;
        let cluster = JwtCluster::start(2 * CHUNK + 300, &provider).await;
        let (sign_ins, vault, profile) = process(&provider, &cluster.sockets.url("http"));
        signed_in(&sign_ins, &vault, &profile.endpoint).await;
        // From now on each request renews the token.
        provider.rule(|rules| (rules.lifetime, rules.refuses_after_delete) = (1, ends));
        sign_ins.of(&profile.endpoint, &vault).unwrap().sign_out().await.unwrap();
        signed_in(&sign_ins, &vault, &profile.endpoint).await;
        let source = sign_ins.source(&profile.endpoint, &vault);
        let session = connect::connect_with(&profile.endpoint, source).await.unwrap();
        let plan = plan(&session).await;
        let total = plan.ids.len();
        let stop = AtomicBool::new(false);
        let going = invalidate::many(&session, plan, &stop, |_| ());
        let outcome = tokio::time::timeout(Duration::from_secs(180), going).await.unwrap();
        if !ends {
            assert!(outcome.is_complete() && outcome.done.len() == total, "{:?}", outcome.failed.first());
            assert!(provider.seen.lock().unwrap().renewals > 6);
            continue;
        }
        // The first request was sent, and could not be read back; nothing else left.
        assert_eq!((outcome.unknown(), outcome.untouched.len()), (CHUNK, total - CHUNK));
        assert_eq!(outcome.failed.len(), CHUNK);
        let why = outcome.why_untouched(&outcome.untouched[0]);
        assert!(why.contains("has ended") && why.contains("sign in again"), "{why}");
        provider.rule(|rules| (rules.refuses_renewal, rules.refuses_after_delete) = (false, false));
        signed_in(&sign_ins, &vault, &profile.endpoint).await;
        let list = list::all(&session, |_| ()).await.unwrap();
        let is_ended =
            |id: &keybearer::model::api_key::KeyId| list.keys.keys().any(|key| key.id == *id && key.invalidated);
        assert!(!outcome.untouched.iter().step_by(100).any(is_ended), "a key that was untouched has ended");
    }
}
