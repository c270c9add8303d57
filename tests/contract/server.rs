//! The servers that the suite is asked of, and how to ask them: by the library, or by plain HTTP.

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

pub use keybearer::model::connections::login::Login;
use keybearer::{
    client::{Client, CreatedKey},
    model::{
        Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
        },
        create::{Draft, RightsChoice, Surroundings},
        secret::Secret,
        version::{Edition, Feature, Version},
    },
    ops::{self, Session, clock},
    sandbox::{Options, Sandbox},
};
use reqwest::{Certificate, Method};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SERVERS: LazyLock<Vec<Server>> = LazyLock::new(|| RUNTIME.block_on(servers()));
/// Makes names unique within this run.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Time of one request, of which some wait for a refresh.
const TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);
/// The password of every user that the suite makes.
pub const PASSWORD: &str = "contract-password";

/// A server that the suite is asked of.
pub struct Server {
    /// How it is named in messages.
    pub name: String,
    /// The version that it has, or behaves as.
    pub version: Version,
    url: ClusterUrl,
    trust: Trust,
    http: reqwest::Client,
    _sandbox: Option<Sandbox>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The body of an answer that has to be a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Everything that the error says, causes included, of an answer that has to have this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        self.body["error"].to_string()
    }
}

/// Asks a case of every server, and fails at the end if it failed on any.
#[track_caller]
pub fn every_server(case: impl AsyncFn(&Server)) {
    let failed: Vec<&str> = SERVERS
        .iter()
        .filter(|server| catch_unwind(AssertUnwindSafe(|| RUNTIME.block_on(case(server)))).is_err())
        .map(|server| server.name.as_str())
        .collect();
    assert!(failed.is_empty(), "failed on {}", failed.join(" and on "));
}

/// What everything that is asked runs on.
pub fn runtime() -> &'static Runtime {
    &RUNTIME
}

/// The first real node of a version, if there is one.
pub fn real_node(version: Version) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.version == version && server._sandbox.is_none())
}

/// A sandbox of a test's own that holds no key.
pub async fn sandbox_without_keys() -> Server {
    served(Options { keys: 0, ..Options::default() }).await
}

async fn servers() -> Vec<Server> {
    let mut servers = vec![sandbox().await];
    if let Ok(nodes) = std::env::var("KEYBEARER_CONTRACT_NODES") {
        servers.extend(nodes.split(':').filter(|path| !path.is_empty()).map(|path| node(Path::new(path))));
    }
    servers
}

async fn sandbox() -> Server {
    served(Options::default()).await
}

async fn served(options: Options) -> Server {
    let sandbox = Sandbox::start(options).await.unwrap();
    Server {
        name: "the sandbox".into(),
        version: Version::new(9, 5, 3),
        url: ClusterUrl::parse(sandbox.url()).unwrap(),
        trust: Trust::Fingerprint(Fingerprint::parse(sandbox.fingerprint()).unwrap()),
        http: http(sandbox.ca_pem().as_bytes()),
        _sandbox: Some(sandbox),
    }
}

fn node(path: &Path) -> Server {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let node: Value = serde_json::from_str(&text).unwrap();
    let [url, ca, version] = ["url", "ca", "version"].map(|name| node[name].as_str().unwrap());
    Server {
        name: version.into(),
        version: Version::parse(version).unwrap(),
        url: ClusterUrl::parse(url).unwrap(),
        trust: Trust::CaFile(ca.into()),
        http: http(&std::fs::read(ca).unwrap()),
        _sandbox: None,
    }
}

fn http(ca: &[u8]) -> reqwest::Client {
    let ca = Certificate::from_pem(ca).unwrap();
    reqwest::Client::builder().tls_certs_only([ca]).no_proxy().timeout(TIMEOUT).build().unwrap()
}

/// The superuser of all servers.
pub fn superuser() -> Login {
    password("elastic", "elastic-password")
}

/// A sign-in by password.
pub fn password(username: &str, password: &str) -> Login {
    Login::Password { username: username.into(), password: Secret::new(password) }
}

/// A sign-in by a key just made.
pub fn by_key(key: &CreatedKey) -> Login {
    Login::ApiKey { id: key.id.as_str().into(), secret: key.secret.clone() }
}

/// A name that nothing else on the server has.
pub fn unique(what: &str) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("contract-{what}-{:x}-{number}", clock::now().as_millis() & 0xffff_ffff)
}

impl Server {
    /// Whether the version has a feature. If not, that is said.
    pub fn has(&self, feature: Feature) -> bool {
        let has = Edition::Version(self.version).has(feature);
        if !has {
            self.lacks(feature.words());
        }
        has
    }

    /// Says that something can't be asked of this version. Not by `println!`, which is only seen of
    /// tests that fail.
    pub fn lacks(&self, what: &str) {
        let case = std::thread::current().name().unwrap_or("?").to_owned();
        let _ = writeln!(std::io::stderr(), "{case}: {} lacks {what}: not asked", self.name);
    }

    /// Where the server is, for somebody.
    pub fn endpoint(&self, login: Login) -> Endpoint {
        Endpoint { trust: self.trust.clone(), timeout: TIMEOUT, ..Endpoint::new(self.url.clone(), login) }
    }

    /// The library's client, as somebody.
    pub fn client(&self, login: Login) -> Client {
        Client::new(&self.endpoint(login)).unwrap()
    }

    /// A session as somebody.
    pub async fn session(&self, login: Login) -> Session {
        let endpoint = self.endpoint(login);
        let mut session = ops::connections::connect::connect(&endpoint).await;
        // While another test makes the first key of a new node, the index of security is not there for a moment.
        for _ in 0..20 {
            match &session {
                Err(problem) if problem.detail.contains("status 503") => tokio::time::sleep(PAUSE).await,
                _ => break,
            }
            session = ops::connections::connect::connect(&endpoint).await;
        }
        session.unwrap_or_else(|problem| panic!("{}: {} {}", self.name, problem.title, problem.detail))
    }

    /// A session of the superuser.
    pub async fn admin(&self) -> Session {
        self.session(superuser()).await
    }

    /// Plain HTTP as the superuser.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(&superuser(), method, path, body).await
    }

    /// Plain HTTP as somebody.
    pub async fn call_as(&self, login: &Login, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(login, method, path);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.answer(request).await
    }

    /// The beginning of a request as somebody.
    pub fn request(&self, login: &Login, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match login {
            Login::Password { username, password } => request.basic_auth(username, Some(password.expose())),
            Login::ApiKey { id, secret } => {
                let encoded = keybearer::model::connections::login::encode(id, secret);
                request.header("authorization", format!("ApiKey {}", encoded.expose()))
            }
            Login::Bearer(token) => request.bearer_auth(token.expose()),
            Login::CloudKey(key) => request.header("authorization", format!("ApiKey {}", key.expose())),
            Login::Certificate | Login::OpenId(_) => {
                unreachable!("no contract signs in by a certificate or a provider")
            }
        }
    }

    /// A request without any sign-in.
    pub fn stranger(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request.
    pub async fn answer(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    /// Makes a role of a unique name.
    pub async fn role(&self, descriptor: Value) -> String {
        let name = unique("role");
        self.call(Method::PUT, &format!("/_security/role/{name}"), Some(descriptor)).await.ok();
        name
    }

    /// Makes a user who may do what a descriptor says, and nothing else.
    pub async fn user(&self, descriptor: Value) -> (String, Login) {
        let (role, name) = (self.role(descriptor).await, unique("user"));
        let body = json!({ "password": PASSWORD, "roles": [role] });
        self.call(Method::PUT, &format!("/_security/user/{name}"), Some(body)).await.ok();
        (name.clone(), password(&name, PASSWORD))
    }

    /// Makes an index of a unique name with one document.
    pub async fn index(&self) -> String {
        let name = unique("index");
        let document = json!({ "title": "Hello, world" });
        let answer = self.call(Method::PUT, &format!("/{name}/_doc/1?refresh=true"), Some(document)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        name
    }

    /// Makes a key by plain HTTP, where the library would not send such a body. `query` is such as
    /// `?refresh=false`.
    pub async fn post_key(&self, login: &Login, query: &str, body: Value) -> CreatedKey {
        let path = format!("/_security/api_key{query}");
        let made = self.call_as(login, Method::POST, &path, Some(body)).await.ok();
        CreatedKey {
            id: KeyId::new(made["id"].as_str().unwrap()),
            name: made["name"].as_str().unwrap().to_owned(),
            expires: made["expiration"].as_i64().map(Timestamp::from_millis),
            secret: Secret::new(made["api_key"].as_str().unwrap()),
            doubts: Vec::new(),
            twins: Vec::new(),
        }
    }

    /// The key as the server tells it, by plain HTTP.
    pub async fn get_key(&self, id: &KeyId) -> Value {
        self.call(Method::GET, &format!("/_security/api_key?id={id}"), None).await.ok()["api_keys"][0].clone()
    }

    /// Queries keys by plain HTTP.
    pub async fn query(&self, body: Value) -> Answer {
        self.call(Method::POST, "/_security/_query/api_key", Some(body)).await
    }
}

/// A draft that is ready to be sent: no rights, one day.
pub fn draft(name: &str) -> Draft {
    Draft { name: name.into(), rights: RightsChoice::Nothing, expiration: "1d".into(), ..Draft::default() }
}

/// Creates a key by the library as a person would: the draft is checked first.
pub async fn create(session: &Session, draft: &Draft) -> CreatedKey {
    let key = checked(session, draft).await.unwrap_or_else(|errors| panic!("{errors:?}"));
    ops::create::create(session, &key).await.unwrap()
}

/// Checks a draft with what is known of the cluster.
pub async fn checked(
    session: &Session,
    draft: &Draft,
) -> Result<
    keybearer::model::create::CreateKey,
    Vec<keybearer::model::form_error::FormError<keybearer::model::create::Field>>,
> {
    let roles = session.client.roles().await.ok();
    let around = Surroundings {
        now: session.now(),
        zone: &clock::zone(),
        roles: roles.as_deref(),
        edition: session.edition,
        by_api_key: session.own_key().is_some(),
    };
    draft.check(around, &unique("request"))
}
