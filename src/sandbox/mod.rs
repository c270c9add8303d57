//! In-process practice cluster: an HTTPS server that implements as much of Elasticsearch's API as administering API
//! keys needs, with the behavior observed on 9.5.3. All state is in memory and is lost when the sandbox is dropped.

mod accounts;
mod aggs;
mod http;
mod indices;
mod json;
mod keys;
mod query;
mod security;
mod seed;
mod state;

pub use accounts::{Account, Passwords};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::model::{privileges, privileges::pattern};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Maximum number of API keys at the start; more would need more memory than a laptop can spare.
pub const MAX_KEYS: usize = 1_000_000;

/// Options for starting a practice cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on the loopback addresses; 0 means a free one.
    pub port: u16,
    /// Number of API keys at the start; values above [`MAX_KEYS`] count as [`MAX_KEYS`].
    pub keys: usize,
    /// Passwords of the users; the well-known ones by default.
    pub passwords: Passwords,
}

impl Default for Options {
    fn default() -> Self {
        Options { port: 0, keys: 320, passwords: Passwords::Fixed }
    }
}

/// Reason why a practice cluster could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The server could not listen on the port, usually because the port is in use.
    #[error("the practice cluster could not listen on port {port} of the loopback address: {source}")]
    Listen {
        /// Requested port.
        port: u16,
        /// Error from the operating system.
        source: std::io::Error,
    },
    /// The certificates could not be made.
    #[error(transparent)]
    Tls(#[from] http::tls::TlsError),
    /// The first users, keys and documents could not be created.
    #[error("the practice cluster could not be filled: {0}")]
    Seed(String),
}

/// Running practice cluster; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    port: u16,
    ca_pem: String,
    fingerprint: String,
    accounts: Vec<Account>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a practice cluster on the loopback addresses, within the caller's tokio runtime.
    ///
    /// # Errors
    /// If the server cannot listen on the port, or the operating system provides no random bytes.
    pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
        let now = http::server::now();
        let certificates = http::tls::make(now)?;
        let (cluster, accounts) = seed::fill_with(options.keys.min(MAX_KEYS), now, options.passwords)
            .map_err(|error| SandboxError::Seed(error.reason))?;
        let listen = |source| SandboxError::Listen { port: options.port, source };
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(listen)?;
        let port = four.local_addr().map_err(listen)?.port();
        let mut listeners = vec![four];
        // Clients resolve localhost to either address; machines without IPv6 have only the one.
        if let Ok(six) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            listeners.push(six);
        }
        let acceptor = TlsAcceptor::from(certificates.server);
        let shared = http::server::Shared::new(cluster);
        let tasks = listeners
            .into_iter()
            .map(|listener| tokio::spawn(http::server::serve(listener, acceptor.clone(), shared.clone())))
            .collect();
        Ok(Sandbox {
            url: format!("https://localhost:{port}"),
            port,
            ca_pem: certificates.ca_pem,
            fingerprint: certificates.fingerprint,
            accounts,
            tasks,
        })
    }

    /// Returns the URL of the server: `https://localhost:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the port on the loopback addresses.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the certificate of the cluster's CA, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the SHA-256 of the CA's certificate (DER): 64 lower-case hex digits, as Elasticsearch prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the accounts that a person can sign in with; the first is the security officer, the recommended one.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod live_tests;
