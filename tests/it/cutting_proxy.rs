//! Something between the program and a practice cluster that cuts the line, or holds it, at one request.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use keybearer::sandbox::Sandbox;
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

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub authorization: String,
}

impl Seen {
    /// Whether it is this request; the path without its query.
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }
}

type Which = Box<dyn Fn(&Seen) -> bool + Send + Sync>;

#[derive(Default)]
struct Rules(Mutex<Vec<(Which, Cut)>>);

/// A proxy, served until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    rules: Arc<Rules>,
    hits: mpsc::Receiver<Seen>,
    _runtime: Runtime,
}

impl Proxy {
    /// In front of this cluster. It speaks plain HTTP, so that it can see the requests.
    pub fn start(sandbox: &Sandbox) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).no_gzip().no_proxy().build().unwrap();
        let rules = Arc::new(Rules::default());
        let (send, hits) = mpsc::sync_channel(1024);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (url, known) = (sandbox.url().to_owned(), Arc::clone(&rules));
        runtime.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (http, url, rules, send) = (http.clone(), url.clone(), Arc::clone(&known), send.clone());
                tokio::spawn(async move {
                    let service = service_fn(|request| carry(request, &http, &url, &rules, &send));
                    // A cut is an error here.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, rules, hits, _runtime: runtime }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts or holds every such request from now on.
    pub fn at(&self, which: impl Fn(&Seen) -> bool + Send + Sync + 'static, cut: Cut) {
        self.rules.0.lock().unwrap().push((Box::new(which), cut));
    }

    /// From now on everything passes.
    pub fn calm(&self) {
        self.rules.0.lock().unwrap().clear();
        while self.hits.try_recv().is_ok() {}
    }

    /// Waits until such a request came, and until the cluster has carried it out where it is to.
    pub fn hit(&self) -> Seen {
        self.hits.recv_timeout(Duration::from_secs(60)).expect("no such request came")
    }
}

async fn carry(
    request: Request<Incoming>,
    http: &reqwest::Client,
    url: &str,
    rules: &Rules,
    hits: &mpsc::SyncSender<Seen>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let seen = Seen { method: head.method.to_string(), path: path.clone(), authorization: authorization.to_owned() };
    let cut = rules.0.lock().unwrap().iter().find(|(which, _)| which(&seen)).map(|(_, cut)| *cut);
    let answer = match cut {
        Some(Cut::Before | Cut::HoldBefore) => None,
        _ => {
            let mut headers = head.headers.clone();
            ["host", "content-length", "connection"].iter().for_each(|name| drop(headers.remove(*name)));
            let sent = http.request(head.method, format!("{url}{path}")).headers(headers).body(body).send().await;
            Some(sent.map_err(io::Error::other)?)
        }
    };
    match cut {
        None => {}
        Some(cut) => {
            let _ = hits.try_send(seen);
            if matches!(cut, Cut::HoldBefore | Cut::HoldAfter) {
                std::future::pending::<()>().await;
            }
            return Err(io::Error::other("cut"));
        }
    }
    let answer = answer.ok_or_else(|| io::Error::other("no answer"))?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer
        .headers()
        .iter()
        .filter(|(name, _)| !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()))
    {
        response = response.header(name, value);
    }
    let body = answer.bytes().await.map_err(io::Error::other)?;
    response.body(Full::new(body)).map_err(io::Error::other)
}
