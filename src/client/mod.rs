//! HTTP to one cluster, with typed requests and typed answers. Every request leaves through `Client::send`. It knows
//! no profiles, journals or screens.

mod api;
mod error;
pub(crate) mod http;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::{Bytes, Frame, SizeHint};
use reqwest::{
    Method, Url,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::model::{
    Millis,
    connections::{
        endpoint::Endpoint,
        login::{self, Login},
    },
    secret::Secret,
    version::Feature,
};
use http::{response::Response, row_stream::RowSink, tls::LastSeen, transport_error::Circumstances};

pub use api::{
    api_keys::{CreatedKey, Invalidation, KeyPage, KeyQuery, Keys, Order, RowPage, Unreadable},
    audit::{AuditIndex, AuditPage, AuditRange, AuditSource},
    documents::Put,
    license::License,
    security::{BuiltinPrivileges, ClusterInfo},
    updates::BulkUpdate,
    users::User,
};
pub use error::ClientError;
pub use http::{
    certificate::{CertificateProblem, SeenAuthority, SeenCertificate},
    unreadable_row::{MAX_UNREADABLE_KEPT, UnreadRows},
};

/// Maximum number of attempts of a request that may be repeated.
const TRIES: u32 = 3;
/// First pause between two attempts; doubled for each further one, and up to half of it is random.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause that a server may ask for; a longer one is not waited for.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Time limit for connecting; the time limit of the profile applies if it is shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Size limit of an ordinary answer, in bytes.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// Largest difference in milliseconds between the header `Date` and this machine's clock that is accepted as clock
/// skew. Elasticsearch sends no such header: it comes from something before it, whose clock is not the cluster's.
pub const MAX_DATE_SKEW: Millis = 5 * 60 * 1000;
/// Longest time limit; longer ones are meant as "no limit", and the clock can't add much more.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A signed-in connection to one cluster. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    timeout: Duration,
    base: Url,
    http: reqwest::Client,
    headers: HeaderMap,
    last_seen: LastSeen,
    /// Clock skew by the header `Date` of the last answer, in milliseconds.
    date_skew: AtomicI64,
    /// Clock skew by the cluster's own time, in milliseconds.
    own_skew: AtomicI64,
    is_elasticsearch: AtomicBool,
    /// `true` once an answer had the header by which Elasticsearch marks its answers since 7.14.
    sends_product: AtomicBool,
    /// `true` if the scheme of the address is known to be the one that the server speaks, or this was checked.
    scheme_is_known: AtomicBool,
}

const UNKNOWN_SKEW: i64 = i64::MIN;
/// Length in bytes below which a text is too short to be a secret: shorter ones occur by chance.
const SHORTEST_SECRET: usize = 6;

impl Inner {
    fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT_TIMEOUT)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.0.endpoint.url)
    }
}

/// A request before it is sent.
struct Call<'a> {
    method: Method,
    segments: &'a [&'a str],
    query: Vec<(&'static str, &'a str)>,
    body: Option<Bytes>,
    /// Size limit of a successful answer, in bytes.
    limit: u64,
    /// `true` if sending the request twice has the same effect as once.
    repeatable: bool,
    /// `true` if the request changes keys, so that it matters whether an attempt without a usable answer was carried
    /// out.
    changes: bool,
    /// `true` if the answer or the body holds a secret, whose bytes are wiped.
    private: bool,
    /// Secrets in the body: they are blotted out of an unsuccessful answer, so that none gets into an error.
    confided: Vec<Secret>,
    /// Feature that the cluster must have for this request; `None` if every version has it.
    feature: Option<Feature>,
    /// Sink for the rows of a successful answer while it arrives; only the rest is kept. `None` keeps the whole answer.
    rows: Option<&'a (dyn RowSink + Sync)>,
}

impl<'a> Call<'a> {
    fn new(method: Method, segments: &'a [&'a str]) -> Self {
        Self {
            method,
            segments,
            query: Vec::new(),
            body: None,
            limit: MAX_RESPONSE_BYTES,
            repeatable: true,
            changes: false,
            private: false,
            confided: Vec::new(),
            feature: None,
            rows: None,
        }
    }

    fn body(self, body: String) -> Self {
        Self { body: Some(Bytes::from(body)), ..self }
    }

    /// Sets a body that holds a secret, and is wiped after it was sent.
    fn secret_body(self, body: Zeroizing<String>) -> Self {
        Self { body: Some(Bytes::from_owner(body)), private: true, ..self }
    }

    fn query_if(mut self, wanted: bool, name: &'static str, value: &'a str) -> Self {
        if wanted {
            self.query.push((name, value));
        }
        self
    }
}

impl Client {
    /// Creates a client for an endpoint. Reads its CA file, if it has one; nothing goes over the network.
    ///
    /// # Errors
    /// [`ClientError::BadCaFile`], [`ClientError::BadLogin`] or [`ClientError::Setup`].
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let setup = |reason: String| ClientError::Setup { reason };
        let timeout = endpoint.timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT);
        let last_seen = LastSeen::default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("keybearer/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .connect_timeout(timeout.min(CONNECT_TIMEOUT))
            .pool_idle_timeout(Duration::from_secs(30))
            .tls_backend_preconfigured(http::tls::config(&endpoint.trust, &last_seen)?);
        if endpoint.url.is_loopback() {
            builder = builder.no_proxy();
        }
        // The text of reqwest's own errors may have the proxy's address with its password in it.
        let http = builder.build().map_err(|_| setup("the HTTP client or its proxy settings are not valid".into()))?;
        Ok(Self(Arc::new(Inner {
            endpoint: endpoint.clone(),
            timeout,
            base: Url::parse(endpoint.url.as_str()).map_err(|error| setup(error.to_string()))?,
            http,
            headers: headers(endpoint)?,
            last_seen,
            date_skew: AtomicI64::new(UNKNOWN_SKEW),
            own_skew: AtomicI64::new(UNKNOWN_SKEW),
            is_elasticsearch: AtomicBool::new(false),
            sends_product: AtomicBool::new(false),
            scheme_is_known: AtomicBool::new(endpoint.url.is_https()),
        })))
    }

    /// Endpoint of this client: the address and the credential.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// Returns the server's clock minus this machine's, in milliseconds: by the cluster's own time, as known from the
    /// expiration of a key created for a span of time or from its own query; otherwise by the header `Date` of the last
    /// answer (within a second; proxies send it, Elasticsearch itself doesn't, as seen on 7.10.2 to 9.5.3), up to
    /// [`MAX_DATE_SKEW`].
    pub fn clock_skew(&self) -> Option<Millis> {
        let of_date = || known_skew(&self.0.date_skew).filter(|skew| skew.saturating_abs() <= MAX_DATE_SKEW);
        self.own_skew().or_else(of_date)
    }

    /// Returns the clock skew by the cluster's own time, in milliseconds; `None` where it is not known.
    pub fn own_skew(&self) -> Option<Millis> {
        known_skew(&self.0.own_skew)
    }

    /// Returns the difference between the header `Date` of the last answer and this machine's clock in milliseconds,
    /// positive if the header is ahead; `None` unless it exceeds [`MAX_DATE_SKEW`] and so is not accepted as clock
    /// skew.
    pub fn doubtful_date(&self) -> Option<Millis> {
        known_skew(&self.0.date_skew).filter(|skew| skew.saturating_abs() > MAX_DATE_SKEW)
    }

    /// Returns the certificate that the server presented last, also when it was refused.
    pub fn certificate(&self) -> Option<SeenCertificate> {
        self.0.last_seen.get()
    }

    /// Sets the clock skew by the cluster's own time and this machine's time at the same moment.
    pub fn set_own_skew(&self, server: Millis, here: Millis) {
        self.0.own_skew.store(skew(server, here), Ordering::Relaxed);
    }

    /// Sends a request, repeats it if that is safe and useful, and reads its answer whatever the status. All attempts
    /// and pauses together take no longer than the time limit of the profile. Where an earlier attempt may have been
    /// carried out, the result of the last one proves nothing: it becomes [`ClientError::RefusedRepetition`].
    async fn send(&self, call: Call<'_>) -> Result<Response, ClientError> {
        let deadline = Instant::now() + self.0.timeout;
        let mut tries = 1;
        let mut lost: Option<ClientError> = None;
        loop {
            let result = self.attempt(&call, deadline).await;
            let pause = pause(&result, tries).filter(|_| call.repeatable && tries < TRIES);
            let Some(pause) = pause.filter(|pause| Instant::now() + *pause < deadline) else {
                return match (lost, failure_of(&result)) {
                    (Some(first), Some(then)) if !then.is_answer_lost() => {
                        Err(ClientError::RefusedRepetition { first: Box::new(first), then: Box::new(then) })
                    }
                    (first, _) => result.map(|answer| Response { is_repetition: first.is_some(), ..answer }),
                };
            };
            if call.changes {
                lost = lost.or(failure_of(&result).filter(ClientError::is_answer_lost));
            }
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn attempt(&self, call: &Call<'_>, deadline: Instant) -> Result<Response, ClientError> {
        let began = Arc::new(AtomicBool::new(call.body.is_none()));
        let mut around = Circumstances {
            timeout: self.0.timeout,
            connect_timeout: self.0.connect_timeout(),
            maybe_sent: false,
            status: None,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.request(call, left, began.clone())?;
        let asked_at = now();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                around.maybe_sent = began.load(Ordering::Relaxed);
                return Err(self.explain(http::transport_error::read(&error, &around), deadline).await);
            }
        };
        self.0.scheme_is_known.store(true, Ordering::Relaxed);
        self.learn_clock(response.headers(), asked_at);
        let mut answer =
            Response::new(response.status().as_u16(), response.headers(), call.feature, call.private, now());
        answer.is_elasticsearch |= self.0.is_elasticsearch.load(Ordering::Relaxed);
        around = Circumstances { maybe_sent: true, status: Some(answer.status), ..around };
        self.read_body(response, &mut answer, call, &around).await?;
        if answer.has_product {
            self.0.sends_product.store(true, Ordering::Relaxed);
        }
        answer.is_from_between = call.changes && self.0.sends_product.load(Ordering::Relaxed) && answer.is_of_another();
        Ok(answer)
    }

    fn request(
        &self,
        call: &Call<'_>,
        left: Duration,
        began: Arc<AtomicBool>,
    ) -> Result<reqwest::RequestBuilder, ClientError> {
        let mut url = self.0.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(call.segments);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.0.http.request(call.method.clone(), url).headers(self.0.headers.clone()).timeout(left);
        if call.private {
            // A decompressor would keep copies of the secret.
            request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Some(body) = call.body.clone() {
            let body = Watched { body: Some(body), began };
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(reqwest::Body::wrap(body));
        }
        Ok(request)
    }

    async fn read_body(
        &self,
        mut response: reqwest::Response,
        answer: &mut Response,
        call: &Call<'_>,
        around: &Circumstances,
    ) -> Result<(), ClientError> {
        if let (Some(rows), true) = (call.rows, answer.is_success()) {
            return read_rows(response, answer, (rows, call.limit), around).await;
        }
        let limit = if answer.is_success() { call.limit } else { call.limit.min(http::response::MAX_ERROR_BYTES) };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if (answer.body.len() + chunk.len()) as u64 <= limit => answer.body.extend(&chunk),
                Ok(Some(_)) if answer.is_success() => {
                    return Err(ClientError::TooLarge { limit, status: answer.status });
                }
                Ok(None) => break,
                Err(error) if answer.is_success() => return Err(http::transport_error::read(&error, around)),
                // The status says enough, whatever happened to the rest.
                Ok(Some(_)) | Err(_) => break,
            }
        }
        if !answer.is_success() || !answer.is_elasticsearch && !answer.body.starts_with(b"{") {
            // Whatever answers there may echo the credential; it must not get into an error.
            let confided = call.confided.iter().filter(|secret| secret.expose().len() >= SHORTEST_SECRET);
            confided.for_each(|secret| answer.body.blot_out(secret.expose().as_bytes()));
            for secret in secrets(&self.0.endpoint.login) {
                answer.body.blot_out(secret.as_bytes());
            }
        }
        Ok(())
    }

    /// Finds out more about a failure where that needs the network.
    async fn explain(&self, mut error: ClientError, deadline: Instant) -> ClientError {
        if let ClientError::Certificate { seen: seen @ None, .. } = &mut error {
            *seen = self.certificate().map(Box::new);
        }
        if !matches!(error, ClientError::Broken { .. }) || self.0.scheme_is_known.load(Ordering::Relaxed) {
            return error;
        }
        let limit = deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(3));
        if http::transport_error::speaks_tls(&self.0.endpoint.url, &self.0.last_seen, limit).await {
            return ClientError::PlainOnTlsPort;
        }
        self.0.scheme_is_known.store(true, Ordering::Relaxed);
        error
    }

    fn learn_clock(&self, headers: &HeaderMap, asked_at: Millis) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        // The header is cut to seconds, and was written somewhere between question and answer.
        let here = asked_at.saturating_add(now().saturating_sub(asked_at) / 2);
        let told = date.map(|date| skew(date.timestamp().as_millisecond().saturating_add(500), here));
        // An answer without the header doesn't confirm the date of an earlier one.
        self.0.date_skew.store(told.unwrap_or(UNKNOWN_SKEW), Ordering::Relaxed);
    }
}

/// Hands on the rows of an answer while it arrives. Everything else becomes the body.
async fn read_rows(
    mut response: reqwest::Response,
    answer: &mut Response,
    (rows, limit): (&(dyn RowSink + Sync), u64),
    around: &Circumstances,
) -> Result<(), ClientError> {
    rows.restart();
    let mut read = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| http::transport_error::read(&error, around))? {
        read += chunk.len() as u64;
        if read > limit {
            return Err(ClientError::TooLarge { limit, status: answer.status });
        }
        rows.push(&chunk)?;
    }
    answer.body.extend(&rows.rest());
    Ok(())
}

fn skew(server: Millis, here: Millis) -> Millis {
    server.saturating_sub(here).max(UNKNOWN_SKEW + 1)
}

fn known_skew(skew: &AtomicI64) -> Option<Millis> {
    Some(skew.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN_SKEW)
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// Returns the error of an attempt; `None` if it succeeded.
fn failure_of(result: &Result<Response, ClientError>) -> Option<ClientError> {
    match result {
        Ok(answer) if answer.is_success() => None,
        Ok(answer) => Some(answer.refusal()),
        Err(error) => Some(error.clone()),
    }
}

/// Returns the pause before the next attempt; `None` if there should be none.
fn pause(result: &Result<Response, ClientError>, tries: u32) -> Option<Duration> {
    let asked = match result {
        Ok(answer) if matches!(answer.status, 408 | 429 | 502..=504) => answer.retry_after,
        Err(error) if error.is_passing() => None,
        _ => return None,
    };
    if let Some(asked) = asked {
        return (asked <= MAX_PAUSE).then_some(asked);
    }
    let most = FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1));
    let chance = (RandomState::new().build_hasher().finish() % 1000) as u32;
    Some(most / 2 + most / 2 * chance / 1000)
}

fn headers(endpoint: &Endpoint) -> Result<HeaderMap, ClientError> {
    let bad = |reason: &str| ClientError::BadLogin { reason: reason.to_owned() };
    let authorization = match &endpoint.login {
        Login::ApiKey { id, secret } => join("ApiKey ", login::encode(id, secret).expose()),
        Login::Password { username, .. } if username.contains(':') => {
            return Err(bad("a user name with a colon can't be sent"));
        }
        Login::Password { username, password } => join("Basic ", basic(username, password).expose()),
        Login::Bearer(token) => join("Bearer ", token.expose()),
    };
    let mut authorization = HeaderValue::from_str(&authorization)
        .map_err(|_| bad("the token holds characters that no header can carry"))?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("x-opaque-id"), HeaderValue::from_static("keybearer"));
    if let Some(user) = endpoint.run_as.as_deref().filter(|user| !user.is_empty()) {
        let user = HeaderValue::from_str(user)
            .map_err(|_| bad("the name of the user to act for holds characters that no header can carry"))?;
        headers.insert(HeaderName::from_static("es-security-runas-user"), user);
    }
    Ok(headers)
}

fn join(scheme: &str, credential: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{scheme}{credential}"))
}

fn basic(username: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(Zeroizing::new(format!("{username}:{}", password.expose())).as_bytes()))
}

/// Returns the forms in which a credential could come back in an answer. Texts so short that they occur by chance are
/// left out.
fn secrets(login: &Login) -> Vec<Zeroizing<String>> {
    let (plain, encoded) = match login {
        Login::ApiKey { id, secret } => (secret.clone(), login::encode(id, secret)),
        Login::Password { username, password } => (password.clone(), basic(username, password)),
        Login::Bearer(token) => (token.clone(), Secret::default()),
    };
    let forms = [encoded, plain].into_iter().filter(|secret| secret.expose().len() >= SHORTEST_SECRET);
    forms.map(|secret| Zeroizing::new(secret.expose().to_owned())).collect()
}

/// A body that records when it begins to leave: until then nothing can have happened.
struct Watched {
    body: Option<Bytes>,
    began: Arc<AtomicBool>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.began.store(true, Ordering::Relaxed);
        Poll::Ready(self.body.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connections::endpoint::{ClusterUrl, Trust};

    #[test]
    fn the_credential_is_marked_so_that_no_library_prints_it() {
        let endpoint = Endpoint {
            url: ClusterUrl::parse("https://localhost:9200").unwrap(),
            trust: Trust::System,
            login: Login::Bearer(Secret::new("hunter2-token")),
            run_as: None,
            timeout: Duration::from_secs(1),
            audit_index: None,
        };
        let headers = headers(&endpoint).unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(!format!("{headers:?}").contains("hunter2"));
    }

    #[test]
    fn pauses_grow_and_leave_something_to_chance() {
        let broken = Err(ClientError::Broken { reason: String::new(), maybe_sent: true, status: None });
        let first = pause(&broken, 1).unwrap();
        assert!((FIRST_PAUSE / 2..=FIRST_PAUSE).contains(&first));
        assert!(pause(&broken, 2).unwrap() >= FIRST_PAUSE);
        let pauses: std::collections::BTreeSet<_> = (0..20).map(|_| pause(&broken, 1)).collect();
        assert!(pauses.len() > 1);
        assert_eq!(pause(&Err(ClientError::TlsOnPlainPort), 1), None);
    }
}
