//! Something between the program and a practice cluster that cuts the line, holds it, or lies, at one request.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    header::{HeaderMap, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use keybearer::sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

/// What happens at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It never reaches the cluster, and the line is cut.
    Before,
    /// The cluster carries it out, and the line is cut before its answer.
    After,
    /// It never reaches the cluster, and nothing comes back.
    HoldBefore,
    /// The cluster carries it out, and nothing comes back.
    HoldAfter,
}

/// What happens at a request, or to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The line is cut or held.
    Cut(Cut),
    /// It never reaches the cluster, which seems to answer with this status in its own words.
    Refused(u16),
    /// The cluster carries it out, and seems to answer with this status in its own words.
    RefusedAfter(u16),
    /// It never reaches the cluster; a gateway answers with a page of this status.
    Page(u16),
    /// The cluster carries it out; a gateway answers with a page of this status.
    PageAfter(u16),
    /// The cluster carries it out, and only so many hundredths of its answer come, then the line is cut.
    Truncated(u8),
    /// The cluster carries it out, and its answer has this body in place of its own, with its own headers.
    Body(&'static str),
    /// The rows of the answer lose the one in the middle; the total stays.
    DropRow,
    /// The answer has no row, and a total of 0.
    DropAll,
    /// The first row comes twice.
    DoubleRow,
    /// Every row is valid.
    RowsValid,
    /// The answer to an invalidation names nothing.
    NamesNothing,
    /// The total is so much larger.
    MoreTotal(u64),
    /// The total is this.
    Total(u64),
    /// `cluster_uuid` and `cluster_name` of `GET /` are others.
    OtherUuid,
    /// `version.number` of `GET /` is this one.
    OtherVersion(&'static str),
    /// The other cluster gets it: see [`Proxy::beside`].
    OtherCluster,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Counted from 1, from the start or the last [`Proxy::calm`].
    pub number: usize,
    pub method: String,
    pub path: String,
    pub authorization: String,
}

impl Seen {
    /// `true` for this method and path, whatever the query.
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }
}

type Which = Box<dyn Fn(&Seen) -> bool + Send + Sync>;

#[derive(Default)]
struct Rules {
    faults: Vec<(Which, Fault)>,
    /// How many requests came.
    count: usize,
    /// Seconds by which the header `Date` of every answer is off; `None` leaves it as it comes.
    skew: Option<i64>,
    /// All requests since the last [`Proxy::calm`].
    seen: Vec<Seen>,
}

/// A cluster behind the proxy.
struct Behind {
    http: reqwest::Client,
    url: String,
}

impl Behind {
    fn new(sandbox: &Sandbox) -> Self {
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).no_gzip().no_proxy().build().unwrap();
        Self { http, url: sandbox.url().to_owned() }
    }
}

struct Line {
    behind: Behind,
    other: Option<Behind>,
    rules: Mutex<Rules>,
    hits: mpsc::SyncSender<Seen>,
}

/// A proxy, served until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    hits: mpsc::Receiver<Seen>,
    _runtime: Runtime,
}

impl Proxy {
    /// In front of this cluster. It speaks plain HTTP, so that it can see the requests.
    pub fn start(sandbox: &Sandbox) -> Self {
        Self::serve(sandbox, None)
    }

    /// In front of this cluster, with another one beside it for [`Fault::OtherCluster`].
    pub fn beside(sandbox: &Sandbox, other: &Sandbox) -> Self {
        Self::serve(sandbox, Some(other))
    }

    fn serve(sandbox: &Sandbox, other: Option<&Sandbox>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (send, hits) = mpsc::sync_channel(1024);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line {
            behind: Behind::new(sandbox),
            other: other.map(Behind::new),
            rules: Mutex::default(),
            hits: send,
        });
        let served = Arc::clone(&line);
        runtime.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let line = Arc::clone(&served);
                tokio::spawn(async move {
                    let service = service_fn(|request| carry(request, &line));
                    // A cut is an error here.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, line, hits, _runtime: runtime }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut self.line.rules.lock().unwrap())
    }

    /// Cuts or holds every such request from now on.
    pub fn at(&self, which: impl Fn(&Seen) -> bool + Send + Sync + 'static, cut: Cut) {
        self.when(which, Fault::Cut(cut));
    }

    /// Does this to every such request from now on. Of several rules for a request the first counts.
    pub fn when(&self, which: impl Fn(&Seen) -> bool + Send + Sync + 'static, fault: Fault) {
        self.rules(|rules| rules.faults.push((Box::new(which), fault)));
    }

    /// Sets the header `Date` of every answer from now on to so many seconds off, or leaves it as it comes.
    pub fn skew(&self, seconds: Option<i64>) {
        self.rules(|rules| rules.skew = seconds);
    }

    /// From now on everything passes, and requests are counted from 1.
    pub fn calm(&self) {
        self.rules(|rules| *rules = Rules::default());
        while self.hits.try_recv().is_ok() {}
    }

    /// All requests since the last [`Proxy::calm`].
    pub fn seen(&self) -> Vec<Seen> {
        self.rules(|rules| rules.seen.clone())
    }

    /// Waits until such a request came, and until the cluster has carried it out where it is to.
    pub fn hit(&self) -> Seen {
        self.hits.recv_timeout(Duration::from_secs(60)).expect("no such request came")
    }
}

/// A body of which only a beginning may come before the line is cut.
struct Part {
    bytes: Option<Bytes>,
    /// The length that is told.
    length: u64,
    is_cut: bool,
}

impl Part {
    fn whole(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, bytes: Some(bytes), is_cut: false }
    }
}

impl Body for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.is_cut => Poll::Ready(Some(Err(io::Error::other("cut")))),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// An answer on its way.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(sent: reqwest::Response) -> io::Result<Self> {
        let status = sent.status().as_u16();
        let mut headers = sent.headers().clone();
        ["content-length", "transfer-encoding", "connection"].iter().for_each(|name| drop(headers.remove(*name)));
        Ok(Self { status, headers, body: sent.bytes().await.map_err(io::Error::other)? })
    }

    /// An error in Elasticsearch's words.
    fn refused(status: u16) -> Self {
        let (kind, reason) = match status {
            401 => ("security_exception", "unable to authenticate user [officer] for REST request"),
            403 => ("security_exception", "action [x] is unauthorized for user [officer]"),
            404 => ("resource_not_found_exception", "it is not there"),
            _ => ("some_exception", "it does not work"),
        };
        let error = json!({ "error": { "type": kind, "reason": reason, "root_cause": [] }, "status": status });
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
        if status == 429 {
            headers.insert("retry-after", HeaderValue::from_static("0"));
        }
        Self { status, headers, body: error.to_string().into() }
    }

    /// A page of a gateway.
    fn page(status: u16) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/html"));
        Self { status, headers, body: Bytes::from_static(b"<html><head><title>Gateway</title></head></html>") }
    }

    /// Changes the JSON of the body; what is none stays.
    fn change(&mut self, change: impl FnOnce(&mut Value)) {
        if let Ok(mut json) = serde_json::from_slice(&self.body) {
            change(&mut json);
            self.body = json.to_string().into();
        }
    }

    fn lie(&mut self, fault: Fault) {
        let rows = |change: fn(&mut Vec<Value>)| {
            move |json: &mut Value| json["api_keys"].as_array_mut().into_iter().for_each(change)
        };
        match fault {
            Fault::Body(text) => self.body = Bytes::from_static(text.as_bytes()),
            Fault::DropRow => self.change(rows(|rows| {
                if !rows.is_empty() {
                    rows.remove(rows.len() / 2);
                }
            })),
            Fault::DropAll => self.change(|json| {
                if json["api_keys"].is_array() {
                    (json["api_keys"], json["total"], json["count"]) = (json!([]), 0.into(), 0.into());
                }
            }),
            Fault::DoubleRow => self.change(rows(|rows| rows.extend(rows.first().cloned()))),
            Fault::RowsValid => {
                self.change(rows(|rows| rows.iter_mut().for_each(|row| row["invalidated"] = false.into())))
            }
            Fault::NamesNothing => self.change(|json| {
                if json["invalidated_api_keys"].is_array() {
                    json["invalidated_api_keys"] = json!([]);
                }
            }),
            Fault::MoreTotal(more) => self.change(|json| {
                if let Some(total) = json["total"].as_u64() {
                    json["total"] = (total + more).into();
                }
            }),
            Fault::Total(total) => self.change(|json| {
                if json["total"].is_u64() {
                    json["total"] = total.into();
                }
            }),
            Fault::OtherUuid => self.change(|json| {
                if json["cluster_uuid"].is_string() {
                    (json["cluster_uuid"], json["cluster_name"]) = ("another-uuid".into(), "another".into());
                }
            }),
            Fault::OtherVersion(number) => self.change(|json| {
                if json["version"]["number"].is_string() {
                    json["version"]["number"] = number.into();
                }
            }),
            _ => {}
        }
    }
}

async fn carry(request: Request<Incoming>, line: &Line) -> io::Result<Response<Part>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (seen, fault, skew) = {
        let mut rules = line.rules.lock().unwrap();
        rules.count += 1;
        let seen = Seen {
            number: rules.count,
            method: head.method.to_string(),
            path: path.clone(),
            authorization: authorization.to_owned(),
        };
        rules.seen.push(seen.clone());
        let fault = rules.faults.iter().find(|(which, _)| which(&seen)).map(|(_, fault)| *fault);
        (seen, fault, rules.skew)
    };
    let behind = match (fault, &line.other) {
        (Some(Fault::OtherCluster), Some(other)) => other,
        _ => &line.behind,
    };
    let is_stopped =
        matches!(fault, Some(Fault::Cut(Cut::Before | Cut::HoldBefore) | Fault::Refused(_) | Fault::Page(_)));
    let carried_out = if is_stopped {
        None
    } else {
        let mut headers = head.headers.clone();
        ["host", "content-length", "connection"].iter().for_each(|name| drop(headers.remove(*name)));
        let sent = behind.http.request(head.method, format!("{}{path}", behind.url)).headers(headers).body(body);
        Some(Answer::of(sent.send().await.map_err(io::Error::other)?).await?)
    };
    if fault.is_some() {
        let _ = line.hits.try_send(seen);
    }
    let cut = || io::Error::other("cut");
    let mut answer = match fault {
        Some(Fault::Cut(Cut::HoldBefore | Cut::HoldAfter)) => std::future::pending().await,
        Some(Fault::Cut(Cut::Before | Cut::After)) => return Err(cut()),
        Some(Fault::Refused(status) | Fault::RefusedAfter(status)) => Answer::refused(status),
        Some(Fault::Page(status) | Fault::PageAfter(status)) => Answer::page(status),
        _ => carried_out.ok_or_else(cut)?,
    };
    if let Some(fault) = fault {
        answer.lie(fault);
    }
    if let Some(seconds) = skew {
        answer.headers.insert("date", date(seconds));
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let mut part = Part::whole(answer.body.clone());
    if let Some(Fault::Truncated(hundredths)) = fault {
        part.bytes = Some(answer.body.slice(..answer.body.len() * usize::from(hundredths) / 100));
        part.is_cut = true;
    }
    response.body(part).map_err(io::Error::other)
}

/// A date of HTTP, so many seconds from now.
fn date(seconds: i64) -> HeaderValue {
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    let text = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).unwrap()
}
