//! The practice cluster, and the lines of all machines to it, on which anything may happen to a request.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt::Write as _,
    fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use keybearer::{
    model::{api_key::KeyId, secret::Secret},
    sandbox::{Options, Sandbox},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Dice, disk::Disk};

/// Time limit of a request: longer than the cluster takes, shorter than a delay.
pub const TIMEOUT: Duration = Duration::from_secs(4);

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Holds,
    /// It never reaches the cluster.
    CutBefore,
    /// The cluster carries it out, and the answer is lost.
    CutAfter,
    /// The cluster carries it out, and only a part of the answer comes.
    Torn,
    /// The answer comes later than anybody waits.
    Late,
    /// A gateway answers in place of the cluster.
    Gateway,
    /// A gateway sends it a second time, and hands on the first answer or the second.
    Doubled(bool),
}

/// What a machine meets with while it does one thing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// One request in so many meets with something; 0 for none.
    pub odds: usize,
    /// The power fails at this request, before or after the cluster hears of it; 0 for never.
    pub failure_at_request: usize,
    /// The clock jumps at this request; 0 for never.
    pub jump_at_request: usize,
    /// How far it is off after that, in milliseconds.
    pub jump_to: i64,
    /// What happens to each request that creates a key, and to each that looks for one.
    pub creation: Option<Line>,
    pub looking: Option<Line>,
    /// The window is to be locked at this request; 0 for never.
    pub lock_at_request: usize,
}

/// One machine, as its line sees it.
pub struct Machine {
    pub name: String,
    pub disk: Arc<Disk>,
    /// How far this machine's clock is off, in milliseconds.
    pub clock: Arc<AtomicI64>,
    weather: Mutex<(Weather, Dice, usize)>,
    pub crashed: tokio::sync::Notify,
    pub lock_is_due: Arc<AtomicBool>,
    pub journal: PathBuf,
    /// Number of writes that reached the cluster.
    pub writes: AtomicUsize,
    /// Names of keys whose creation reached the cluster twice.
    pub doubled: Mutex<Vec<String>>,
    pub wrong: Mutex<Vec<String>>,
    pub story: Mutex<String>,
}

impl Machine {
    pub fn new(name: String, disk: Arc<Disk>, journal: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            name,
            disk,
            clock: Arc::default(),
            weather: Mutex::new((Weather::default(), Dice(0), 0)),
            crashed: tokio::sync::Notify::new(),
            lock_is_due: Arc::default(),
            journal,
            writes: AtomicUsize::new(0),
            doubled: Mutex::default(),
            wrong: Mutex::default(),
            story: Mutex::default(),
        })
    }

    pub fn tell(&self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.story.lock().unwrap(), "{what}");
    }

    /// Changes the weather; requests are counted from here on.
    pub fn set_weather(&self, weather: Weather, dice: Dice) {
        *self.weather.lock().unwrap() = (weather, dice, 0);
    }

    /// What happens to the next request, and whether the power fails at it.
    fn line(&self, is_write: bool, path: &str) -> (Line, bool) {
        let mut weather = self.weather.lock().unwrap();
        let (now, dice, count) = &mut *weather;
        *count += 1;
        if *count == now.jump_at_request {
            self.clock.store(now.jump_to, Ordering::Relaxed);
            self.tell(format_args!("    the clock jumps to {}", super::off(now.jump_to)));
        }
        if *count == now.lock_at_request {
            self.lock_is_due.store(true, Ordering::Relaxed);
        }
        if *count == now.failure_at_request {
            return (if dice.one_in(2) { Line::CutBefore } else { Line::CutAfter }, true);
        }
        let fixed = match path {
            "/_security/api_key" if is_write => now.creation,
            "/_security/_query/api_key" => now.looking,
            _ => None,
        };
        if let Some(line) = fixed {
            return (line, false);
        }
        if now.odds == 0 || !dice.one_in(now.odds) {
            return (Line::Holds, false);
        }
        let doubled = if is_write { Line::Doubled(dice.one_in(2)) } else { Line::Gateway };
        let lines = [Line::CutBefore, Line::CutAfter, Line::Torn, Line::Late, Line::Gateway, doubled, doubled];
        (lines[dice.below(lines.len())], false)
    }

    /// Nothing is sent that is not in the journal: the request has an intent there that names it.
    fn check_intent(&self, path: &str, body: &str) {
        let mut open: BTreeMap<String, Value> = BTreeMap::new();
        for file in fs::read_dir(&self.journal).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if file.extension().is_none_or(|end| end != "jsonl") {
                continue;
            }
            for line in fs::read_to_string(file).unwrap_or_default().lines() {
                let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
                match value["keybearer"]["intent"].as_str() {
                    Some(intent) => drop(open.remove(intent)),
                    None => drop(open.insert(value["event"]["id"].as_str().unwrap_or_default().to_owned(), value)),
                }
            }
        }
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(body["name"].as_str().map(str::to_owned));
        wanted.extend(body["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        let last = path.rsplit('/').next().unwrap_or_default();
        if !matches!(last, "api_key" | "_bulk_update") {
            wanted.push(last.to_owned());
        }
        let covers = |intent: &Value| {
            let text = intent["keybearer"].to_string();
            wanted.iter().all(|wanted| text.contains(wanted.as_str()))
        };
        if wanted.is_empty() || !open.values().any(covers) {
            self.wrong.lock().unwrap().push(format!("{path} was sent without an intent that names {wanted:?}"));
        }
    }
}

/// Told apart by the first segment of the path.
pub struct World {
    pub sandbox: Sandbox,
    http: reqwest::Client,
    pub address: std::net::SocketAddr,
    machines: Mutex<BTreeMap<String, Arc<Machine>>>,
    /// How often each thing happened, over all lives.
    happened: Mutex<BTreeMap<String, usize>>,
}

fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.contains("_query") && !path.contains("_has_privileges") && !path.contains("_search")
}

impl World {
    pub async fn start() -> Arc<Self> {
        let sandbox = Sandbox::start(Options { port: 0, keys: 0, ..Options::default() }).await.unwrap();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).no_gzip().no_proxy().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Self { sandbox, http, address, machines: Mutex::default(), happened: Mutex::default() });
        let served = Arc::downgrade(&world);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(world) = served.upgrade() else { break };
                let service = service_fn(move |request| {
                    let world = Arc::clone(&world);
                    async move { world.carry(request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        world
    }

    pub fn add(&self, machine: &Arc<Machine>) {
        self.machines.lock().unwrap().insert(machine.name.clone(), Arc::clone(machine));
    }

    pub fn remove(&self, machine: &Machine) {
        self.machines.lock().unwrap().remove(&machine.name);
    }

    async fn carry(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let cut = || Err(io::Error::other("cut"));
        let (parts, body) = request.into_parts();
        let whole = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let (name, path) = whole[1..].split_once('/').unwrap_or((&whole[1..], ""));
        let machine = self.machines.lock().unwrap().get(name).cloned();
        let (Some(machine), path) = (machine, format!("/{path}")) else { return cut() };
        let Ok(body) = body.collect().await else { return cut() };
        let body = String::from_utf8(body.to_bytes().to_vec()).unwrap_or_default();
        let bare = path.split('?').next().unwrap_or_default().to_owned();
        if machine.disk.is_off() {
            // A machine without power sends nothing.
            std::future::pending::<Infallible>().await;
        }
        let is_write = is_write(parts.method.as_str(), &path);
        let (line, is_crash) = machine.line(is_write, &bare);
        if line != Line::Holds {
            let kind = format!("{line:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            self.happens(if is_crash { "a power failure at a request".to_owned() } else { format!("a line: {kind}") });
            machine.tell(format_args!(
                "    {} {}: {line:?}{}",
                parts.method,
                bare.split('/').take(3).collect::<Vec<_>>().join("/"),
                if is_crash { ", power failure" } else { "" }
            ));
        }
        let mut answer = Err(io::Error::other("cut"));
        if !matches!(line, Line::CutBefore | Line::Gateway) {
            if is_write {
                machine.writes.fetch_add(1, Ordering::Relaxed);
                // What is shipped is the journal itself.
                if !bare.ends_with("/_bulk") {
                    machine.check_intent(&bare, &body);
                }
            }
            answer = self.forward(&parts, &path, body.clone()).await;
            if let Line::Doubled(answers_first) = line {
                if parts.method == "POST" && bare == "/_security/api_key" {
                    let body: Value = serde_json::from_str(&body).unwrap_or_default();
                    machine.doubled.lock().unwrap().push(body["name"].as_str().unwrap_or_default().to_owned());
                }
                let second = self.forward(&parts, &path, body).await;
                answer = if answers_first { answer } else { second };
            }
        }
        if is_crash {
            machine.disk.power_off();
            machine.crashed.notify_one();
            std::future::pending::<Infallible>().await;
        }
        match line {
            Line::CutBefore | Line::CutAfter => cut(),
            Line::Gateway => {
                let page = Bytes::from_static(b"<html>Bad Gateway</html>");
                Ok(Response::builder().status(502).header("content-type", "text/html").body(Full::new(page)).unwrap())
            }
            Line::Late => {
                tokio::time::sleep(TIMEOUT * 2).await;
                answer
            }
            Line::Torn => answer.map(|answer| {
                let (parts, body) = answer.into_parts();
                drop(body);
                Response::from_parts(parts, Full::new(Bytes::from_static(b"{\"id\":\"")))
            }),
            Line::Holds | Line::Doubled(_) => answer,
        }
    }

    async fn forward(
        &self,
        parts: &hyper::http::request::Parts,
        path: &str,
        body: String,
    ) -> io::Result<Response<Full<Bytes>>> {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.http.request(parts.method.clone(), url).body(body);
        for name in ["authorization", "content-type", "accept"] {
            if let Some(value) = parts.headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.map_err(io::Error::other)?;
        let mut response = Response::builder().status(answer.status());
        for name in ["content-type", "x-elastic-product", "date"] {
            if let Some(value) = answer.headers().get(name) {
                response = response.header(name, value);
            }
        }
        Ok(response.body(Full::new(answer.bytes().await.map_err(io::Error::other)?)).unwrap())
    }

    pub fn happened(&self) -> BTreeMap<String, usize> {
        self.happened.lock().unwrap().clone()
    }

    pub fn happens(&self, what: impl Into<String>) {
        *self.happened.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let request = self.http.request(method, format!("{}{path}", self.sandbox.url()));
        let mut request = request.basic_auth("elastic", Some("elastic-password"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.send().await.unwrap()
    }

    /// What the cluster itself knows of the keys whose names begin so, by id: the object of its answer.
    pub async fn truth(&self, prefix: &str) -> BTreeMap<String, Value> {
        let answer = self.ask(reqwest::Method::GET, &format!("/_security/api_key?name={prefix}*"), None).await;
        let text: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let keys = text["api_keys"].as_array().cloned().unwrap_or_default();
        keys.into_iter().map(|key| (key["id"].as_str().unwrap().to_owned(), key)).collect()
    }

    /// The documents of an index: id and source.
    pub async fn documents(&self, index: &str) -> Vec<(String, Value)> {
        let path = format!("/{index}/_search?size=10000&ignore_unavailable=true");
        let answer = self.ask(reqwest::Method::GET, &path, None).await;
        let found: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let hits = found["hits"]["hits"].as_array().cloned().unwrap_or_default();
        hits.into_iter().map(|hit| (hit["_id"].as_str().unwrap().to_owned(), hit["_source"].clone())).collect()
    }

    pub async fn drop_index(&self, index: &str) {
        let _ = self.ask(reqwest::Method::DELETE, &format!("/{index}?ignore_unavailable=true"), None).await;
    }

    pub async fn second_officer(&self, method: reqwest::Method, path: &str, body: Value) {
        assert!(self.ask(method, path, Some(body)).await.status().is_success());
    }

    pub async fn works(&self, id: &KeyId, secret: &Secret) -> bool {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let encoded = STANDARD.encode(format!("{id}:{}", secret.expose()));
        let request = self.http.get(format!("{}/_security/_authenticate", self.sandbox.url()));
        request.header("authorization", format!("ApiKey {encoded}")).send().await.unwrap().status().is_success()
    }
}
