//! Something between a client and the practice cluster, such as a proxy: it speaks plain HTTP, lets answers
//! wait, and cuts lines before or after the cluster has done what it was asked for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use keybearer::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
        },
        secret::Secret,
    },
    ops::{Session, connections::connect},
    sandbox::{Options, Sandbox},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::client_servers::{Sockets, http, read_request};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The answer comes after so many milliseconds.
    Holds(u64),
    /// It is cut when the cluster has done it, before its answer.
    CutAfter,
    /// It is cut before the cluster hears of it.
    CutBefore,
}

/// Decides by the number of the request, counted from 1 among those of a method and a path.
type Rule = Box<dyn Fn(usize) -> Line + Send>;

/// The requests that a rule is about: method, beginning of the path, how many came, and the rule.
struct Watch {
    method: &'static str,
    path: &'static str,
    count: usize,
    /// How many are on their way now, and how many were at most.
    in_flight: usize,
    most: usize,
    rule: Rule,
}

/// A practice cluster with something before it.
pub struct Front {
    /// It stops when it is dropped.
    _sandbox: Sandbox,
    pub sockets: Sockets,
    watch: Arc<Mutex<Option<Watch>>>,
}

impl Front {
    pub async fn start(keys: usize) -> Self {
        let sandbox = Sandbox::start(Options { port: 0, keys, ..Options::default() }).await.unwrap();
        let watch: Arc<Mutex<Option<Watch>>> = Arc::default();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let behind = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let (url, rules) = (sandbox.url().to_owned(), watch.clone());
        let sockets = Sockets::start(move |stream, _| carry(stream, behind.clone(), url.clone(), rules.clone())).await;
        Self { _sandbox: sandbox, sockets, watch }
    }

    /// From now on this happens to requests of a method to a path that begins so.
    pub fn when(&self, method: &'static str, path: &'static str, rule: impl Fn(usize) -> Line + Send + 'static) {
        *self.watch.lock().unwrap() =
            Some(Watch { method, path, count: 0, in_flight: 0, most: 0, rule: Box::new(rule) });
    }

    /// How many such requests came.
    pub fn count(&self) -> usize {
        self.watch.lock().unwrap().as_ref().map_or(0, |watch| watch.count)
    }

    /// How many such requests waited for their answers at the same time, at most.
    #[cfg(feature = "window")]
    pub fn most_at_once(&self) -> usize {
        self.watch.lock().unwrap().as_ref().map_or(0, |watch| watch.most)
    }

    /// An account of the practice cluster, through what is before it.
    pub async fn session(&self, user: &str) -> Session {
        let login = Login::Password { username: user.into(), password: Secret::new(format!("{user}-password")) };
        connect::connect(&Endpoint {
            // The practice cluster is slow with thousands of keys where other tests run beside it.
            timeout: Duration::from_secs(90),
            ..Endpoint::new(ClusterUrl::parse(&self.sockets.url("http")).unwrap(), login)
        })
        .await
        .unwrap()
    }
}

async fn carry(mut stream: TcpStream, behind: reqwest::Client, url: String, watch: Arc<Mutex<Option<Watch>>>) {
    loop {
        let request = read_request(&mut stream).await;
        let Some((head, body)) = request.split_once("\r\n\r\n") else { return };
        let mut first = head.split(' ');
        let (Some(method), Some(path)) = (first.next(), first.next()) else { return };
        let mut is_watched = false;
        let line = {
            let mut watch = watch.lock().unwrap();
            match watch.as_mut().filter(|watch| watch.method == method && path.starts_with(watch.path)) {
                Some(watch) => {
                    watch.count += 1;
                    watch.in_flight += 1;
                    watch.most = watch.most.max(watch.in_flight);
                    is_watched = true;
                    (watch.rule)(watch.count)
                }
                None => Line::Holds(0),
            }
        };
        if line == Line::CutBefore {
            return stream.set_zero_linger().unwrap();
        }
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
        };
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let sent = behind.request(method, format!("{url}{path}")).header("authorization", header("authorization"));
        let answer = sent.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        let status = answer.status().to_string();
        let text = answer.text().await.unwrap();
        match line {
            Line::CutAfter => return stream.set_zero_linger().unwrap(),
            Line::Holds(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Line::CutBefore => {}
        }
        if is_watched && let Some(watch) = watch.lock().unwrap().as_mut() {
            watch.in_flight = watch.in_flight.saturating_sub(1);
        }
        if stream.write_all(http(&status, &text).as_bytes()).await.is_err() {
            return;
        }
    }
}
