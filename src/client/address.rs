//! Addresses of one cluster: each with connections of its own, and which of them requests go to.
//!
//! A request goes to another address only if nothing of it may have reached the one before, or if it is a read. Once an
//! answer came from one address, another one is used only if it says itself that it belongs to the same cluster.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use reqwest::Url;

use super::{
    connection::{connect_timeout, limited},
    error::ClientError,
    http::{self, tls::LastSeen},
};
use crate::model::connections::endpoint::{ClusterUrl, Endpoint};

/// One address of a cluster.
pub(super) struct Address {
    pub(super) url: ClusterUrl,
    pub(super) base: Url,
    pub(super) http: reqwest::Client,
    /// Address of the proxy on the way, without any sign-in; `None` if there is none.
    pub(super) proxy: Option<String>,
    pub(super) last_seen: LastSeen,
    /// `true` if the scheme of the address is known to be the one that the server speaks, or this was checked.
    pub(super) scheme_is_known: AtomicBool,
}

impl Address {
    /// Sets up the connections to an endpoint with a single address, which is one of `count`. Nothing goes over the
    /// network.
    fn new(endpoint: &Endpoint, count: u32) -> Result<Self, ClientError> {
        let setup = |reason: String| ClientError::Setup { reason };
        let last_seen = LastSeen::default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("keybearer/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .tls_backend_preconfigured(http::tls::config(
                &endpoint.trust,
                endpoint.client_certificate.as_ref(),
                &last_seen,
            )?);
        // Found here and not by the library, so that it is known which one is on the way.
        builder = builder.no_proxy();
        let route = http::proxy::route(endpoint)?;
        let proxy = route.as_ref().map(|route| route.name.clone());
        builder = builder.connect_timeout(connect_timeout(limited(endpoint.timeout), route.is_some(), count));
        if let Some(route) = route {
            builder = builder.proxy(route.proxy);
        }
        // The text of reqwest's own errors may have the proxy's address with its password in it.
        let http = builder.build().map_err(|_| setup("the HTTP client or its proxy settings are not valid".into()))?;
        Ok(Self {
            base: Url::parse(endpoint.url.as_str()).map_err(|error| setup(error.to_string()))?,
            url: endpoint.url.clone(),
            http,
            proxy,
            last_seen,
            scheme_is_known: AtomicBool::new(endpoint.url.is_https()),
        })
    }
}

/// Addresses of a cluster, and the one that requests go to.
pub(super) struct Addresses {
    all: Vec<Address>,
    current: AtomicUsize,
    /// `true` once an answer came from any of them.
    has_answered: AtomicBool,
    /// UUID of the cluster, set at sign-in; `None` inside where it is not told.
    cluster: OnceLock<Option<String>>,
}

impl Addresses {
    /// Sets up the connections to all addresses of an endpoint. Nothing goes over the network.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let count = u32::try_from(endpoint.more_urls.len() + 1).unwrap_or(u32::MAX);
        let all: Result<Vec<Address>, ClientError> =
            endpoint.urls().map(|url| Address::new(&endpoint.at(url), count)).collect();
        Ok(Self {
            all: all?,
            current: AtomicUsize::new(0),
            has_answered: AtomicBool::new(false),
            cluster: OnceLock::new(),
        })
    }

    /// Number of addresses, at least one.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns the address with this index.
    pub(super) fn get(&self, index: usize) -> &Address {
        &self.all[index % self.all.len()]
    }

    /// Returns the index of the address that requests go to.
    pub(super) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Lets requests go to another address from now on.
    pub(super) fn use_from_now_on(&self, index: usize) {
        self.current.store(index, Ordering::Relaxed);
    }

    /// Records that an answer came from an address.
    pub(super) fn note_answer(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    /// Sets the UUID of the cluster, as told at sign-in. Only the first call counts.
    pub(super) fn set_cluster(&self, uuid: Option<String>) {
        let _ = self.cluster.set(uuid);
    }

    /// Returns what another address has to prove before it is used.
    pub(super) fn proof(&self) -> Proof<'_> {
        match (self.cluster.get(), self.has_answered.load(Ordering::Relaxed)) {
            _ if self.all.len() == 1 => Proof::Impossible,
            (Some(Some(uuid)), _) => Proof::SameCluster(uuid),
            (None, false) => Proof::None,
            // Which cluster has answered so far is not known, so that no other one can be compared with it.
            (Some(None) | None, _) => Proof::Impossible,
        }
    }
}

/// Proof that another address has to give before it is used.
pub(super) enum Proof<'a> {
    /// Nothing, since no address has answered yet.
    None,
    /// That it belongs to the cluster with this UUID.
    SameCluster(&'a str),
    /// Nothing can prove it: no other address is used.
    Impossible,
}
