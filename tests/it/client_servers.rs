//! What the tests of the client talk to: endpoints, a key to create, and servers made of raw sockets.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keybearer::{
    client::Client,
    model::{
        Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            login::Login,
        },
        create::{CreateKey, Draft, RightsChoice, Surroundings},
        secret::Secret,
        version::Edition,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpListener, TcpStream},
};

/// The secret of the test's own sign-in; must never be seen in an error.
pub const SECRET: &str = "hunter2-is-my-secret";

/// Fails instead of hanging.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it took longer than 30 seconds")
}

pub fn endpoint(url: &str, trust: Trust) -> Endpoint {
    Endpoint {
        trust,
        timeout: Duration::from_secs(20),
        ..Endpoint::new(
            ClusterUrl::parse(url).unwrap(),
            Login::ApiKey { id: "key-id".into(), secret: Secret::new(SECRET) },
        )
    }
}

pub fn client(url: &str) -> Client {
    Client::new(&endpoint(url, Trust::System)).unwrap()
}

/// A client that gives up after so many milliseconds.
pub fn hasty_client(url: &str, millis: u64) -> Client {
    let endpoint = Endpoint { timeout: Duration::from_millis(millis), ..endpoint(url, Trust::System) };
    Client::new(&endpoint).unwrap()
}

/// A key without rights that ends in an hour.
pub fn key() -> CreateKey {
    let draft =
        Draft { name: "my_app_key".into(), rights: RightsChoice::Nothing, expiration: "1h".into(), ..Draft::default() };
    let around = Surroundings {
        now: Timestamp::EPOCH,
        zone: &jiff::tz::TimeZone::UTC,
        roles: None,
        edition: Edition::Unknown,
        by_api_key: false,
    };
    draft.check(around, "request-1").unwrap()
}

/// An answer of Elasticsearch, whole.
pub fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub const IDENTITY: &str = r#"{"username":"ana","roles":["reader"],"authentication_type":"realm"}"#;

/// Listens on a free port of this machine and counts who comes.
pub struct Sockets {
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl Sockets {
    /// Calls `serve` with every connection and its number, counted from 1.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream, usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, count.fetch_add(1, Ordering::SeqCst) + 1));
            }
        });
        Self { port, connections }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }
}

/// Reads one request, its body included.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.unwrap_or(0);
        text.extend_from_slice(&chunk[..count]);
        let read = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = read.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return read;
            }
        }
        if count == 0 {
            return read;
        }
    }
}
