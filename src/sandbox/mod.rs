//! An in-process practice cluster: an HTTPS server that speaks as much of Elasticsearch's API as administering API
//! keys needs, and behaves as 9.5.3 was seen to. Everything is kept in memory and gone when it is dropped.

mod aggs;
mod cluster;
mod http;
mod indices;
mod json;
mod keys;
mod query;
mod security;
mod seed;

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::model::{privileges, privileges::pattern};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// With more keys a practice cluster would need more memory than a laptop can spare.
pub const MAX_KEYS: usize = 1_000_000;

/// How to start a practice cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on the loopback addresses; 0 means a free one.
    pub port: u16,
    /// How many varied API keys it has at the start; more than `MAX_KEYS` are not made.
    pub keys: usize,
    /// The passwords of its users; the well-known ones unless told otherwise.
    pub passwords: Passwords,
}

/// Which passwords the users of a practice cluster have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passwords {
    /// The name of the user and `-password`: for tests and for documentation, where nobody else is on the computer.
    #[default]
    Fixed,
    /// Random ones, new at each start: other users of the computer reach the port too.
    Fresh,
}

impl Default for Options {
    fn default() -> Self {
        Options { port: 0, keys: 320, passwords: Passwords::Fixed }
    }
}

/// Somebody to sign in as.
#[derive(Clone)]
pub struct Account {
    /// User name.
    pub name: String,
    /// Password.
    pub password: String,
    /// Roles by name.
    pub roles: Vec<String>,
    /// What the account is good for, in a sentence.
    pub about: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// Why a practice cluster could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port is taken, mostly.
    #[error("the practice cluster could not listen on port {port} of the loopback address: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// No certificates.
    #[error(transparent)]
    Tls(#[from] http::tls::TlsError),
    /// The first users, keys and documents could not be made.
    #[error("the practice cluster could not be filled: {0}")]
    Seed(String),
}

/// A running practice cluster; it stops when dropped.
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
    /// Starts one on the loopback addresses, within the tokio runtime of the caller.
    ///
    /// # Errors
    /// When the port can't be listened on, or the system lacks random bytes.
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

    /// Where it is: `https://localhost:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port on the loopback addresses.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of its CA, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// SHA-256 of the CA's certificate (DER): 64 lower-case hex digits, as Elasticsearch prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Who can sign in; the first is the security officer whom one should be.
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
