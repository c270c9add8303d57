//! A small OpenID Connect provider that can be told to misbehave, and a cluster that accepts its tokens as a JWT realm
//! does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keybearer::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            open_id::{Issuer, OpenIdLogin, SentToken, SignInId, parse_scopes},
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    sandbox::{Options, Sandbox},
    store::browser::OpenBrowser,
};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::client_servers::{Sockets, http, read_request};

/// The provider's own key, and one that it doesn't have.
const KEYS: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
];

/// The shared secret of the realm.
pub const REALM_SECRET: &str = "hunter2-realm-secret";

/// How the provider behaves.
#[derive(Clone)]
pub struct Rules {
    /// Issuer in the discovery document, if it is another.
    pub issuer: Option<String>,
    pub audience: &'static str,
    /// Client that the token was issued to, if it is said.
    pub party: Option<&'static str>,
    pub subject: &'static str,
    /// Nonce in the token, if it is another than the one asked for.
    pub nonce: Option<&'static str>,
    /// State in the redirect, if it is another.
    pub state: Option<&'static str>,
    /// Error in the redirect.
    pub error: Option<&'static str>,
    /// The provider's clock minus that of this machine, in seconds.
    pub skew: i64,
    /// Lifetime of the tokens, in seconds.
    pub lifetime: i64,
    pub forges: bool,
    /// Letters in the answer that nobody needs.
    pub padding: usize,
    pub refuses_renewal: bool,
    pub renews_without_id: bool,
    pub has_device: bool,
    /// Answers of a device code before somebody has typed it.
    pub pending: usize,
    /// The way to refuse a renewal in the middle of a batch: by the first request that ends keys.
    pub refuses_after_delete: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: "keybearer",
            party: None,
            subject: "ana-id",
            nonce: None,
            state: None,
            error: None,
            skew: 0,
            lifetime: 600,
            forges: false,
            padding: 0,
            refuses_renewal: false,
            renews_without_id: false,
            has_device: true,
            pending: 1,
            refuses_after_delete: false,
        }
    }
}

/// What the provider has seen and issued.
#[derive(Default)]
pub struct Seen {
    challenge: String,
    nonce: String,
    /// Id tokens that the cluster accepts.
    tokens: Vec<String>,
    /// Number of the refresh token that is of use.
    refresh: usize,
    pub renewals: usize,
    /// Refresh tokens that were sent a second time.
    pub replays: usize,
    polls: usize,
    pub scopes: String,
}

/// A provider on this machine.
pub struct Provider {
    pub sockets: Sockets,
    pub rules: Arc<Mutex<Rules>>,
    pub seen: Arc<Mutex<Seen>>,
}

impl Provider {
    pub async fn start() -> Self {
        let (rules, seen) = (Arc::<Mutex<Rules>>::default(), Arc::<Mutex<Seen>>::default());
        let (own_rules, own_seen) = (rules.clone(), seen.clone());
        let sockets = Sockets::start(move |stream, _| serve(stream, own_rules.clone(), own_seen.clone())).await;
        Self { sockets, rules, seen }
    }

    pub fn rule(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.rules.lock().unwrap());
    }

    pub fn login(&self) -> OpenIdLogin {
        OpenIdLogin {
            sign_in: SignInId("place".into()),
            issuer: Issuer::parse(&self.sockets.url("http")).unwrap(),
            client_id: "keybearer".into(),
            client_secret: None,
            scopes: parse_scopes("profile offline_access").unwrap(),
            sent: SentToken::Id,
            shared_secret: Some(Secret::new(REALM_SECRET)),
            redirect_port: None,
            ca_file: None,
        }
    }

    /// A saved connection to a cluster by this provider.
    pub fn profile(&self, url: &str) -> Profile {
        let endpoint = Endpoint::new(ClusterUrl::parse(url).unwrap(), Login::OpenId(Box::new(self.login())));
        Profile { id: ProfileId("place".into()), name: "place".into(), environment: Environment::Development, endpoint }
    }
}

/// A browser in which somebody signs in at once.
pub fn browser() -> OpenBrowser {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |address: &str| {
        runtime.spawn(visit(address.to_owned()));
        Ok(())
    })
}

/// Opens an address and follows the redirects; returns the status of the last page.
pub async fn visit(address: String) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(address).send().await.map_or(0, |answer| answer.status().as_u16())
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn key(number: usize) -> CoreEdDsaPrivateSigningKey {
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(KEYS[number], Some(JsonWebKeyId::new("test".into()))).unwrap()
}

fn token(issuer: &str, rules: &Rules, seen: &Seen) -> String {
    let issued = now() + rules.skew;
    let claims = json!({
        "iss": issuer, "sub": rules.subject, "aud": rules.audience, "iat": issued, "exp": issued + rules.lifetime,
        "nonce": rules.nonce.unwrap_or(&seen.nonce), "preferred_username": "ana", "jti": seen.tokens.len(), "azp": rules.party.unwrap_or("keybearer"),
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "test", "typ": "JWT" })), part(claims));
    let signature = key(usize::from(rules.forges)).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn serve(mut stream: TcpStream, rules: Arc<Mutex<Rules>>, seen: Arc<Mutex<Seen>>) {
    loop {
        let request = read_request(&mut stream).await;
        let Some((head, body)) = request.split_once("\r\n\r\n") else { return };
        let target = head.split(' ').nth(1).unwrap_or_default();
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let issuer = format!("http://{host}");
        let url = reqwest::Url::parse(&format!("{issuer}{target}")).unwrap();
        let form = reqwest::Url::parse(&format!("{issuer}/?{body}")).unwrap();
        let pairs = |url: &reqwest::Url| url.query_pairs().into_owned().collect::<HashMap<String, String>>();
        let (status, location, answer) = {
            let (rules, mut seen) = (rules.lock().unwrap(), seen.lock().unwrap());
            answer(&issuer, url.path(), &pairs(&url), &pairs(&form), &rules, &mut seen)
        };
        let text = answer.to_string();
        let location = location.map(|to| format!("location: {to}\r\n")).unwrap_or_default();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{location}content-length: {}\r\n\r\n{text}",
            text.len()
        );
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

type Pairs = HashMap<String, String>;

fn answer(
    issuer: &str,
    path: &str,
    query: &Pairs,
    form: &Pairs,
    rules: &Rules,
    seen: &mut Seen,
) -> (&'static str, Option<String>, Value) {
    let good = |value| ("200 OK", None, value);
    let refused = |error: &str| ("400 Bad Request", None, json!({ "error": error, "error_description": "so it is" }));
    match path {
        "/.well-known/openid-configuration" => {
            let mut document = json!({
                "issuer": rules.issuer.as_deref().unwrap_or(issuer),
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA", "none"],
                "padding": "x".repeat(rules.padding),
            });
            if rules.has_device {
                document["device_authorization_endpoint"] = format!("{issuer}/device").into();
            }
            good(document)
        }
        "/jwks" => good(json!({ "keys": [serde_json::to_value(key(0).as_verification_key()).unwrap()] })),
        "/authorize" => {
            seen.challenge = query["code_challenge"].clone();
            assert_eq!(query["code_challenge_method"], "S256");
            seen.nonce = query["nonce"].clone();
            seen.scopes = query["scope"].clone();
            let mut to = reqwest::Url::parse(&query["redirect_uri"]).unwrap();
            let state = rules.state.unwrap_or(&query["state"]);
            match rules.error {
                Some(error) => to.query_pairs_mut().append_pair("error", error).append_pair("state", state),
                None => to.query_pairs_mut().append_pair("code", "c1").append_pair("state", state),
            };
            to.query_pairs_mut().append_pair("iss", issuer);
            ("302 Found", Some(to.to_string()), Value::Null)
        }
        "/device" => good(json!({
            "device_code": "d1", "user_code": "WDJB-MJHT", "verification_uri": format!("{issuer}/code"),
            "expires_in": 60, "interval": 1,
        })),
        "/token" => {
            match form["grant_type"].as_str() {
                "authorization_code" => {
                    let verifier = Sha256::digest(form["code_verifier"].as_bytes());
                    if form["code"] != "c1" || URL_SAFE_NO_PAD.encode(verifier) != seen.challenge {
                        return refused("invalid_grant");
                    }
                }
                "refresh_token" => {
                    if form["refresh_token"] != format!("r{}", seen.refresh) {
                        seen.replays += 1;
                        return refused("invalid_grant");
                    }
                    if rules.refuses_renewal {
                        return refused("invalid_grant");
                    }
                    seen.renewals += 1;
                }
                _ => {
                    seen.polls += 1;
                    if seen.polls <= rules.pending {
                        return refused("authorization_pending");
                    }
                }
            }
            seen.refresh += 1;
            let token = token(issuer, rules, seen);
            seen.tokens.push(token.clone());
            let mut tokens = json!({
                "access_token": "opaque", "token_type": "Bearer", "expires_in": rules.lifetime.max(0),
                "refresh_token": format!("r{}", seen.refresh), "id_token": token,
            });
            if seen.renewals > 0 && rules.renews_without_id {
                tokens.as_object_mut().unwrap().remove("id_token");
            }
            good(tokens)
        }
        _ => ("404 Not Found", None, Value::Null),
    }
}

/// A practice cluster behind a realm that accepts only the newest tokens of a provider, and the shared secret.
pub struct JwtCluster {
    _sandbox: Sandbox,
    pub sockets: Sockets,
}

impl JwtCluster {
    pub async fn start(keys: usize, provider: &Provider) -> Self {
        let sandbox = Sandbox::start(Options { port: 0, keys, ..Options::default() }).await.unwrap();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let behind = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let (url, seen, rules) = (sandbox.url().to_owned(), provider.seen.clone(), provider.rules.clone());
        let sockets =
            Sockets::start(move |stream, _| carry(stream, behind.clone(), url.clone(), seen.clone(), rules.clone()))
                .await;
        Self { _sandbox: sandbox, sockets }
    }
}

async fn carry(
    mut stream: TcpStream,
    behind: reqwest::Client,
    url: String,
    seen: Arc<Mutex<Seen>>,
    rules: Arc<Mutex<Rules>>,
) {
    loop {
        let request = read_request(&mut stream).await;
        let Some((head, body)) = request.split_once("\r\n\r\n") else { return };
        let mut first = head.split(' ');
        let (Some(method), Some(path)) = (first.next(), first.next()) else { return };
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
        };
        let (bearer, secret) = (header("authorization"), header("es-client-authentication"));
        // The last two: requests at the same time may hold the one before.
        let is_known =
            seen.lock().unwrap().tokens.iter().rev().take(2).any(|token| bearer == format!("Bearer {token}"));
        let (status, text) = if is_known && secret == format!("SharedSecret {REALM_SECRET}") {
            if method == "DELETE" && rules.lock().unwrap().refuses_after_delete {
                rules.lock().unwrap().refuses_renewal = true;
                // Until the token has expired that this request came with.
                tokio::time::sleep(Duration::from_millis(1100)).await;
            }
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let sent = behind.request(method, format!("{url}{path}")).basic_auth("officer", Some("officer-password"));
            let sent = sent.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
            (sent.status().to_string(), sent.text().await.unwrap())
        } else {
            // It says back what it was sent.
            let text = json!({ "error": { "reason": format!("no realm takes [{bearer}] [{secret}]") }, "status": 401 });
            ("401 Unauthorized".to_owned(), text.to_string())
        };
        if stream.write_all(http(&status, &text).as_bytes()).await.is_err() {
            return;
        }
    }
}
