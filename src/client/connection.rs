//! Connection to one cluster: requests are sent, repeated where that is safe, and answers read within limits.

use crate::client::http::certificate::SeenCertificate;
use std::{
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Bytes, Frame, SizeHint};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::{
    address::{Address, Addresses, Proof},
    http::{self, response::Response, row_stream::RowSink, transport_error::Circumstances},
};
use crate::{
    client::{
        call::Call,
        clock::{MAX_DATE_SKEW, UNKNOWN_SKEW, known_skew, now, skew},
        credentials::{SHORTEST_SECRET, bearer, headers, secrets},
        error::ClientError,
        retry::{TRIES, failure_of, pause},
        token_source::TokenSource,
    },
    model::{
        TimeDelta, Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            open_id_error::OpenIdError,
            protection::Protection,
        },
        machine_policy::{MachinePolicy, Violation},
        secret::Secret,
    },
};

/// Time limit for connecting; the time limit of the profile applies if it is shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time limit; longer ones are meant as "no limit", and the clock can't add much more.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A signed-in connection to one cluster. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    protection: Protection,
    /// `true` if the name of a protected connection was typed for what this clone sends.
    is_confirmed: bool,
    policy: Arc<MachinePolicy>,
    /// Reason why the rules of this computer allow this clone no changes; `None` if they allow them.
    refusal: Option<Arc<Violation>>,
    /// Source of the token of a sign-in at a provider; `None` for any other sign-in.
    tokens: Option<Arc<dyn TokenSource>>,
}

struct Inner {
    endpoint: Endpoint,
    timeout: Duration,
    addresses: Addresses,
    headers: HeaderMap,
    /// Clock skew by the header `Date` of the last answer, in milliseconds.
    date_skew: AtomicI64,
    /// Clock skew by the cluster's own time, in milliseconds.
    own_skew: AtomicI64,
    is_elasticsearch: AtomicBool,
    /// `true` once an answer had the header by which Elasticsearch marks its answers since 7.14.
    sends_product: AtomicBool,
}

/// Returns the time limit for connecting. Through a proxy it ends before that of the request, so that a proxy that gives
/// no connection is not taken for a cluster that doesn't answer. With several addresses each has its share, so that the
/// last one can be tried, too.
pub(super) fn connect_timeout(timeout: Duration, through_proxy: bool, addresses: u32) -> Duration {
    let longest = if through_proxy { timeout.mul_f32(0.9) } else { timeout };
    let longest = if addresses > 1 { longest / (addresses + 1) } else { longest };
    longest.min(CONNECT_TIMEOUT)
}

/// Returns the time limit of a profile within the limits of the clock.
pub(super) fn limited(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT)
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.inner.endpoint.url)
    }
}

impl Client {
    /// Creates a client for an endpoint on a computer without rules. The program itself uses [`Self::by_rules`].
    ///
    /// # Errors
    /// As for [`Self::by_rules`].
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        Self::by_rules(endpoint, &Arc::default())
    }

    /// Creates a client for an endpoint that obeys the rules of this computer. Reads its CA file, if it has one; nothing
    /// goes over the network. Until [`Self::recorded_in`] says that there is a journal, a rule that requires one refuses
    /// all changes.
    ///
    /// # Errors
    /// [`ClientError::Policy`], [`ClientError::BadCaFile`], [`ClientError::BadLogin`],
    /// [`ClientError::PlainThroughProxy`], [`ClientError::UnverifiableProxy`] or [`ClientError::Setup`].
    pub fn by_rules(endpoint: &Endpoint, policy: &Arc<MachinePolicy>) -> Result<Self, ClientError> {
        policy.check_endpoint(endpoint).map_err(|violation| ClientError::Policy(Box::new(violation)))?;
        let inner = Inner {
            endpoint: endpoint.clone(),
            timeout: limited(endpoint.timeout),
            addresses: Addresses::new(endpoint)?,
            headers: headers(endpoint)?,
            date_skew: AtomicI64::new(UNKNOWN_SKEW),
            own_skew: AtomicI64::new(UNKNOWN_SKEW),
            is_elasticsearch: AtomicBool::new(false),
            sends_product: AtomicBool::new(false),
        };
        let client = Self {
            inner: Arc::new(inner),
            protection: endpoint.protection,
            is_confirmed: false,
            policy: Arc::clone(policy),
            refusal: None,
            tokens: None,
        };
        Ok(client.recorded_in(Err("No journal is kept here")))
    }

    /// Rules of this computer that the client obeys.
    pub fn policy(&self) -> &Arc<MachinePolicy> {
        &self.policy
    }

    /// Returns a clone whose changes are recorded in the journal in this folder, or in none for this reason. If the rules
    /// of this computer require another journal, it sends no changes.
    pub(crate) fn recorded_in(self, journal: Result<&Path, &str>) -> Self {
        let refusal = self.policy.check_changes(journal).err().map(Arc::new);
        Self { refusal, ..self }
    }

    /// Returns a clone that takes the token for each request from this source, where the sign-in is at a provider.
    pub fn with_tokens(self, tokens: Option<Arc<dyn TokenSource>>) -> Self {
        Self { tokens: tokens.or(self.tokens), ..self }
    }

    /// Endpoint of this client: the address and the credential.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Address that requests go to: the one that answered last, if there are several.
    pub fn address(&self) -> &ClusterUrl {
        &self.here().url
    }

    /// Sets the UUID of the cluster that was signed in to; `None` if it was not told. From then on another address is
    /// used only if it belongs to the same cluster, and none is where nothing can be compared.
    pub(crate) fn stay_on_cluster(&self, uuid: Option<&str>) {
        self.inner.addresses.set_cluster(uuid.map(str::to_owned));
    }

    fn here(&self) -> &Address {
        self.inner.addresses.get(self.inner.addresses.current())
    }

    /// Address of the proxy on the way to the cluster, without any sign-in; `None` if there is none.
    pub fn proxy(&self) -> Option<&str> {
        self.here().proxy.as_deref()
    }

    /// Returns a clone that may also send changes through a connection that asks for its name; through a read-only
    /// one it still sends none. Only for what a person has typed the name for.
    pub(crate) fn confirmed(&self) -> Self {
        Self { is_confirmed: true, ..self.clone() }
    }

    /// Returns a clone with another protection of the connection, which was changed while it was open.
    pub(crate) fn with_protection(&self, protection: Protection) -> Self {
        Self { protection, ..self.clone() }
    }

    /// Protection of the cluster against changes through this client.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Checks that the rules of this computer allow changes.
    ///
    /// # Errors
    /// [`ClientError::Policy`].
    pub(crate) fn check_changes(&self) -> Result<(), ClientError> {
        match &self.refusal {
            Some(violation) => Err(ClientError::Policy(Box::new(Violation::clone(violation)))),
            None => Ok(()),
        }
    }

    /// Refuses a call that the protection of the connection forbids.
    fn check_protection(&self, call: &Call<'_>) -> Result<(), ClientError> {
        match self.protection {
            Protection::None => Ok(()),
            _ if call.is_read() => Ok(()),
            Protection::ReadOnly => Err(ClientError::ReadOnly),
            Protection::Name if self.is_confirmed => Ok(()),
            Protection::Name => Err(ClientError::Unconfirmed),
        }
    }

    /// Returns the server's clock minus this machine's: by the cluster's own time, as known from the
    /// expiration of a key created for a span of time or from its own query; otherwise by the header `Date` of the last
    /// answer (within a second; proxies send it, Elasticsearch itself doesn't, as seen on 7.10.2 to 9.5.3), up to
    /// [`MAX_DATE_SKEW`].
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        let of_date = || known_skew(&self.inner.date_skew).filter(|skew| skew.abs() <= MAX_DATE_SKEW);
        self.own_skew().or_else(of_date)
    }

    /// Returns the clock skew by the cluster's own time; `None` where it is not known.
    pub fn own_skew(&self) -> Option<TimeDelta> {
        known_skew(&self.inner.own_skew)
    }

    /// Returns the difference between the header `Date` of the last answer and this machine's clock,
    /// positive if the header is ahead; `None` unless it exceeds [`MAX_DATE_SKEW`] and so is not accepted as clock
    /// skew.
    pub fn doubtful_date(&self) -> Option<TimeDelta> {
        known_skew(&self.inner.date_skew).filter(|skew| skew.abs() > MAX_DATE_SKEW)
    }

    /// Returns the certificate that the server presented last, also when it was refused.
    pub fn certificate(&self) -> Option<SeenCertificate> {
        self.here().last_seen.get()
    }

    /// Records that the cluster was recognized as Elasticsearch.
    pub(super) fn recognize_elasticsearch(&self) {
        self.inner.is_elasticsearch.store(true, Ordering::Relaxed);
    }

    /// Sets the clock skew by the cluster's own time and this machine's time at the same moment.
    pub fn set_own_skew(&self, server: Timestamp, here: Timestamp) {
        self.inner.own_skew.store(skew(server, here), Ordering::Relaxed);
    }

    /// Sends a request, repeats it if that is safe and useful, and reads its answer whatever the status. All attempts
    /// and pauses together take no longer than the time limit of the profile. Where an earlier attempt may have been
    /// carried out, the result of the last one proves nothing: it becomes [`ClientError::RefusedRepetition`].
    ///
    /// With several addresses the next one is tried if there is no connection. A read may be repeated at another one;
    /// anything else goes to another one only as long as nothing of it may have been sent.
    ///
    /// # Errors
    /// [`ClientError::Policy`], [`ClientError::ReadOnly`] or [`ClientError::Unconfirmed`] before anything is sent, if the
    /// rules of this computer or the protection of the connection refuse the call; otherwise the error of the last
    /// attempt.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Response, ClientError> {
        if !call.is_read() {
            self.check_changes()?;
        }
        self.check_protection(&call)?;
        let token = self.token(None).await?;
        let result = self.send_with(&call, token.as_ref()).await;
        let is_refused = result.as_ref().is_ok_and(|answer| answer.status == 401);
        let Some(old) = token.filter(|_| is_refused && call.is_read()) else { return result };
        // The cluster's clock may be ahead: a question is asked once more with the next token, if there is one.
        match self.token(Some(&old)).await {
            Ok(Some(new)) if new != old => self.send_with(&call, Some(&new)).await,
            _ => result,
        }
    }

    /// Returns the token to send; `None` where the sign-in has none that changes. Renewing it has a time limit of its
    /// own, and nothing was sent to the cluster yet.
    async fn token(&self, refused: Option<&Secret>) -> Result<Option<Secret>, ClientError> {
        let Login::OpenId(login) = &self.inner.endpoint.login else { return Ok(None) };
        let nobody = || OpenIdError::NotSignedIn { provider: login.issuer.host().to_owned() };
        let Some(source) = &self.tokens else { return Err(ClientError::SignIn(Box::new(nobody()))) };
        let token = source.token(refused).await;
        token.map(Some).map_err(|error| ClientError::SignIn(Box::new(error)))
    }

    /// Fetches the token that will be sent, renewed if it must be. Does nothing for a sign-in that needs none.
    ///
    /// # Errors
    /// [`ClientError::SignIn`] if there is none.
    pub async fn fetch_token(&self) -> Result<(), ClientError> {
        self.token(None).await.map(|_| ())
    }

    async fn send_with(&self, call: &Call<'_>, token: Option<&Secret>) -> Result<Response, ClientError> {
        let deadline = Instant::now() + self.inner.timeout;
        let mut tries = 1;
        let mut lost: Option<ClientError> = None;
        let mut at = self.inner.addresses.current();
        let mut may_be_sent = false;
        let mut failed: Vec<(usize, ClientError)> = Vec::new();
        loop {
            let result = self.attempt(call, at, token, deadline).await;
            may_be_sent |= !result.as_ref().is_err_and(ClientError::is_not_sent);
            if let Some(error) = failure_of(&result).filter(|error| error.is_of_address(call.is_read()))
                && (call.is_read() || !may_be_sent)
            {
                let is_connected = !error.is_not_sent();
                failed.push((at, error));
                if let Some(next) = self.other_address(at, &mut failed, token, deadline).await? {
                    at = next;
                    continue;
                }
                if !is_connected && failed.len() > 1 {
                    return Err(self.no_address(failed));
                }
            }
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
            failed.clear();
            tries += 1;
        }
    }

    /// Finds another address that can be connected to, after those in `failed` could not, and belongs to the same
    /// cluster; `None` if there is none. Requests go to it from then on.
    ///
    /// # Errors
    /// [`ClientError::NoAddress`] if the next address belongs to another cluster, or doesn't tell. Nothing was sent there
    /// but the question.
    async fn other_address(
        &self,
        from: usize,
        failed: &mut Vec<(usize, ClientError)>,
        token: Option<&Secret>,
        deadline: Instant,
    ) -> Result<Option<usize>, ClientError> {
        let addresses = &self.inner.addresses;
        let proof = addresses.proof();
        if matches!(proof, Proof::Impossible) {
            return Ok(None);
        }
        for next in (1..addresses.count()).map(|step| (from + step) % addresses.count()) {
            if failed.iter().any(|(index, _)| *index == next) || Instant::now() >= deadline {
                continue;
            }
            if let Proof::SameCluster(uuid) = proof {
                match self.check_cluster(next, uuid, token, deadline).await {
                    Ok(()) => {}
                    Err(error) if error.is_of_address(true) => {
                        failed.push((next, error));
                        continue;
                    }
                    Err(error) => {
                        failed.push((next, error));
                        return Err(self.no_address(std::mem::take(failed)));
                    }
                }
            }
            addresses.use_from_now_on(next);
            return Ok(Some(next));
        }
        Ok(None)
    }

    /// Asks an address which cluster it belongs to, and compares.
    async fn check_cluster(
        &self,
        at: usize,
        expected: &str,
        token: Option<&Secret>,
        deadline: Instant,
    ) -> Result<(), ClientError> {
        #[derive(serde::Deserialize)]
        struct About {
            cluster_uuid: String,
        }
        let host = self.inner.addresses.get(at).url.host().to_owned();
        let answer = self.attempt(&Call::new(reqwest::Method::GET, &[]), at, token, deadline).await?;
        let unknown = |reason: String| ClientError::NotSent {
            reason: format!("which cluster responds at {host} is not known: {reason}"),
        };
        if !answer.is_success() {
            let refusal = answer.refusal();
            return Err(if refusal.is_of_address(true) { refusal } else { unknown(refusal.to_string()) });
        }
        let about: About = answer.parse().map_err(|error| unknown(error.to_string()))?;
        if about.cluster_uuid == expected {
            return Ok(());
        }
        let found = http::server_text::shown(&about.cluster_uuid);
        Err(ClientError::NotSent {
            reason: format!("{host} belongs to another cluster: its uuid is {found}, not {expected}"),
        })
    }

    /// Returns the error of a request that got no connection at several addresses.
    fn no_address(&self, failed: Vec<(usize, ClientError)>) -> ClientError {
        let host = |index| self.inner.addresses.get(index).url.host().to_owned();
        ClientError::NoAddress { tried: failed.into_iter().map(|(index, error)| (host(index), error)).collect() }
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        at: usize,
        token: Option<&Secret>,
        deadline: Instant,
    ) -> Result<Response, ClientError> {
        let address = self.inner.addresses.get(at);
        let began = Arc::new(AtomicBool::new(call.body.is_none()));
        let mut around = Circumstances {
            timeout: self.inner.timeout,
            connect_timeout: connect_timeout(
                self.inner.timeout,
                address.proxy.is_some(),
                u32::try_from(self.inner.addresses.count()).unwrap_or(u32::MAX),
            ),
            maybe_sent: false,
            status: None,
            proxy: address.proxy.as_deref(),
            presents_certificate: self.inner.endpoint.client_certificate.is_some(),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = self.request(call, address, left, began.clone())?;
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        let asked_at = now();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                around.maybe_sent = began.load(Ordering::Relaxed);
                return Err(self.explain(http::transport_error::read(&error, &around), address, deadline).await);
            }
        };
        address.scheme_is_known.store(true, Ordering::Relaxed);
        self.inner.addresses.note_answer();
        self.learn_clock(response.headers(), asked_at);
        let mut answer =
            Response::new(response.status().as_u16(), response.headers(), call.feature, call.private, now());
        answer.is_elasticsearch |= self.inner.is_elasticsearch.load(Ordering::Relaxed);
        around = Circumstances { maybe_sent: true, status: Some(answer.status), ..around };
        self.read_body(response, &mut answer, call, token, &around).await?;
        if answer.has_product {
            self.inner.sends_product.store(true, Ordering::Relaxed);
        }
        answer.is_from_between =
            call.changes && self.inner.sends_product.load(Ordering::Relaxed) && answer.is_of_another();
        Ok(answer)
    }

    fn request(
        &self,
        call: &Call<'_>,
        address: &Address,
        left: Duration,
        began: Arc<AtomicBool>,
    ) -> Result<reqwest::RequestBuilder, ClientError> {
        let mut url = address.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(call.segments);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request =
            address.http.request(call.method.clone(), url).headers(self.inner.headers.clone()).timeout(left);
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
        token: Option<&Secret>,
        around: &Circumstances<'_>,
    ) -> Result<(), ClientError> {
        if let (Some(rows), true) = (call.rows, answer.is_success()) {
            return read_rows(response, answer, rows, call.limit, around).await;
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
            let confided = call.confided.iter().chain(token).filter(|secret| secret.expose().len() >= SHORTEST_SECRET);
            confided.for_each(|secret| answer.body.blot_out(secret.expose().as_bytes()));
            for secret in secrets(&self.inner.endpoint.login) {
                answer.body.blot_out(secret.as_bytes());
            }
        }
        Ok(())
    }

    /// Finds out more about a failure where that needs the network.
    async fn explain(&self, mut error: ClientError, address: &Address, deadline: Instant) -> ClientError {
        if let ClientError::Certificate { seen: seen @ None, .. } = &mut error {
            *seen = address.last_seen.get().map(Box::new);
        }
        if !matches!(error, ClientError::Broken { .. }) || address.scheme_is_known.load(Ordering::Relaxed) {
            return error;
        }
        let limit = deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(3));
        if http::transport_error::speaks_tls(&address.url, &address.last_seen, limit).await {
            return ClientError::PlainOnTlsPort;
        }
        address.scheme_is_known.store(true, Ordering::Relaxed);
        error
    }

    fn learn_clock(&self, headers: &HeaderMap, asked_at: Timestamp) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        // The header is cut to seconds, and was written somewhere between question and answer.
        let here = asked_at + (now() - asked_at) / 2;
        let told = date.map(|date| skew(Timestamp::from(date.timestamp()) + TimeDelta::from_millis(500), here));
        // An answer without the header doesn't confirm the date of an earlier one.
        self.inner.date_skew.store(told.unwrap_or(UNKNOWN_SKEW), Ordering::Relaxed);
    }
}

/// Hands on the rows of an answer while it arrives. Everything else becomes the body.
async fn read_rows(
    mut response: reqwest::Response,
    answer: &mut Response,
    rows: &(dyn RowSink + Sync),
    limit: u64,
    around: &Circumstances<'_>,
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
