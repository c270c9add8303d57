//! How long the library needs to invalidate 10,000 keys of a real node with proof, beside the same requests sent
//! raw one after the other, without proof and without a journal.
//!
//!     KEYBEARER_NODE=node.json cargo bench --bench invalidate_many [KEYS]      (see benches/README.md)

#[path = "common/node.rs"]
mod node;

use std::{
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use keybearer::{
    model::{
        api_key::KeyId,
        connections::{
            endpoint::{Endpoint, Trust},
            login::Login,
        },
    },
    ops::{
        Session,
        connections::connect,
        invalidate::{self, CHUNK},
    },
    store::journal::Journal,
};
use serde_json::{Value, json};

const ROUNDS: usize = 3;
const AT_ONCE: usize = 16;

/// A node, and a plain way to send it a request.
struct Node {
    endpoint: Endpoint,
    http: reqwest::Client,
    url: String,
    username: String,
    password: String,
}

impl Node {
    fn read() -> Self {
        let endpoint = node::endpoint();
        let (Trust::CaFile(ca), Login::Password { username, password }) = (&endpoint.trust, &endpoint.login) else {
            panic!("a node for tests has a CA file and a password");
        };
        let pem = std::fs::read(ca).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
            .http1_only()
            .build()
            .unwrap();
        let (url, username) = (endpoint.url.to_string(), username.clone());
        let password = password.expose().to_owned();
        Self { endpoint, http, url, username, password }
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: String) -> Value {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.basic_auth(&self.username, Some(&self.password));
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Creates keys, some at the same time, and waits until all of them can be found.
    async fn create(&self, count: usize, name: &str) -> Vec<KeyId> {
        let one = |number: usize, refresh: &'static str| async move {
            let rights = json!({ "reader": { "indices": [{ "names": ["logs-*"], "privileges": ["read"] }] } });
            let body = json!({ "name": format!("{name}-{number:05}"), "expiration": "30d", "role_descriptors": rights,
                               "metadata": { "team": "bench", "number": number } });
            let path = format!("/_security/api_key?refresh={refresh}");
            let made = self.send(reqwest::Method::POST, &path, body.to_string()).await;
            KeyId::new(made["id"].as_str().unwrap())
        };
        let lane = |lane: usize| async move {
            let mut ids = Vec::new();
            for number in (lane..count.saturating_sub(1)).step_by(AT_ONCE) {
                ids.push(one(number, "false").await);
            }
            ids
        };
        let mut ids = Vec::with_capacity(count);
        let mut lanes: Vec<_> = (0..AT_ONCE).map(|number| Box::pin(lane(number))).collect();
        // All lanes are polled by one task: what takes long is on the node's side.
        std::future::poll_fn(|context| {
            lanes.retain_mut(|lane| match lane.as_mut().poll(context) {
                std::task::Poll::Ready(made) => {
                    ids.extend(made);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if lanes.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        ids.push(one(count, "true").await);
        ids
    }

    /// The same requests as the library's, one after the other, and nothing else.
    async fn raw(&self, ids: &[KeyId]) -> Duration {
        let began = Instant::now();
        for chunk in ids.chunks(CHUNK) {
            let body = json!({ "ids": chunk }).to_string();
            let answer = self.send(reqwest::Method::DELETE, "/_security/api_key", body).await;
            assert_eq!(answer["invalidated_api_keys"].as_array().unwrap().len(), chunk.len());
        }
        began.elapsed()
    }
}

async fn with_proof(session: &Session, ids: &[KeyId]) -> Duration {
    let began = Instant::now();
    let outcome = invalidate::invalidate(session, ids, false, &AtomicBool::new(false), |_| ()).await;
    let took = began.elapsed();
    assert!(outcome.is_complete() && outcome.done.len() == ids.len(), "{:?}", outcome.failed.first());
    took
}

#[tokio::main]
async fn main() {
    let count = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(10_000);
    let node = Node::read();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let session = connect::connect(&node.endpoint).await.unwrap().with_journal(journal);
    let warm = node.create(2 * CHUNK, "bench-warm").await;
    node.raw(&warm).await;
    let (mut raw, mut library) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let ids = node.create(2 * count, &format!("bench-{round}")).await;
        let (first, second) = ids.split_at(count);
        // In turn, so that neither is always the one that comes later.
        if round % 2 == 0 {
            raw.push(node.raw(first).await);
            library.push(with_proof(&session, second).await);
        } else {
            library.push(with_proof(&session, first).await);
            raw.push(node.raw(second).await);
        }
        let (own, base) = (library[round].as_secs_f64(), raw[round].as_secs_f64());
        println!("{count} keys: raw {base:.2} s, with proof and journal {own:.2} s, ratio {:.3}", own / base);
    }
    raw.sort();
    library.sort();
    let (own, base) = (library[ROUNDS / 2].as_secs_f64(), raw[ROUNDS / 2].as_secs_f64());
    println!("median: raw {base:.2} s, with proof and journal {own:.2} s, ratio {:.3}", own / base);
}
