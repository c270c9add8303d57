//! TLS server: accepts connections and translates HTTP to `Request` and `Reply` to HTTP. Knows nothing about the API.

use super::{render::render, reply::Reply, request::Request, router::dispatch};
use crate::sandbox::state::cluster::Cluster;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Maximum size of a body, in bytes, equal to the default of `http.max_content_length`; larger bodies are answered with
/// 413.
const MAX_BODY: usize = 100 * 1024 * 1024;
/// Maximum number of concurrent connections; further ones wait.
const MAX_CONNECTIONS: usize = 512;
/// Maximum duration of a TLS handshake, and of reading the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// State shared by all connections.
pub struct Shared {
    /// Cluster behind a lock; handlers are short and have no await.
    pub cluster: Mutex<Cluster>,
    slots: Arc<Semaphore>,
}

impl Shared {
    /// Wraps a cluster.
    pub fn new(cluster: Cluster) -> Arc<Shared> {
        Arc::new(Shared { cluster: Mutex::new(cluster), slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)) })
    }
}

/// Returns the system time, in epoch milliseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Accepts connections until the task is aborted, which also ends its connections.
pub async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(slot) = Arc::clone(&shared.slots).acquire_owned().await else { return };
                    let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
                    connections.spawn(async move {
                        connection(stream, acceptor, shared).await;
                        drop(slot);
                    });
                }
                // Out of file descriptors, mostly: wait for some to come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // Without it small answers wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else { return };
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, &shared).await) }
    });
    // A connection that breaks has nobody left to be told.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: hyper::Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let announced = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return too_large();
    }
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return too_large(),
        Err(_) => Vec::new(),
    };
    let uri = head.uri.path_and_query().map_or("/", |uri| uri.as_str());
    let mut request = Request::new(head.method.as_str(), uri, &head.headers, body);
    let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut cluster = shared.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        dispatch(&mut cluster, &mut request, &head.headers, now())
    }));
    let reply = attempt.unwrap_or_else(|_| Reply::string_error(500, "the sandbox failed on this request", true));
    into_response(reply, &request)
}

fn too_large() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response.headers_mut().insert("connection", HeaderValue::from_static("close"));
    response
}

fn into_response(reply: Reply, request: &Request) -> Response<Full<Bytes>> {
    let (text, content_type) = render(reply.body, request);
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // As seen on 9.5.3: whoever isn't signed in, or may not, isn't told what product this is.
    if !matches!(reply.status, 401 | 403) {
        headers.insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
    }
    if let Ok(value) = HeaderValue::from_str(&content_type) {
        headers.insert("content-type", value);
    }
    if let Some(value) = request.opaque_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert("x-opaque-id", value);
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}
