//! Address of a cluster, and how to trust it and sign in to it. Only valid values are accepted.

use std::{path::PathBuf, time::Duration};

use super::{
    ca::CaCertificates, client_certificate::ClientCertificate, fingerprint::Fingerprint, login::Login,
    protection::Protection, proxy::ProxyRule,
};

/// Address of a cluster: scheme, host, port and perhaps a path prefix, without a final slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterUrl(String);

/// Reason why a text is not the address of a cluster; `Display` says how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Blank text.
    #[error("Enter the address of the cluster, such as https://es.example.net:9200")]
    Empty,
    /// Scheme other than http and https.
    #[error("“{0}” is not supported: use https://")]
    Scheme(String),
    /// User name or password in the address, as in `https://user:password@host`.
    #[error("Remove the user and password from the URL: sign-in has its own fields, and URLs end up in logs")]
    UserInfo,
    /// Query or fragment.
    #[error("Only a scheme, host, port and optional path are allowed: remove “{0}”")]
    Excess(String),
    /// Text that can't be read as an address, or that has no host or an invalid port; holds the reason.
    #[error("Not an address: {0}")]
    Unreadable(String),
}

impl ClusterUrl {
    /// Reads an address and completes it: a missing scheme becomes https, with port 9200 if the port is missing too (as
    /// for Elasticsearch's own tools), and a final slash is removed.
    ///
    /// # Errors
    /// Returns the reason if the text can't be the address of a cluster.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let has_scheme = text.contains("://");
        let full = if has_scheme { text.to_owned() } else { format!("https://{text}") };
        let url = reqwest::Url::parse(&full).map_err(|error| UrlError::Unreadable(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UserInfo);
        }
        if let Some(query) = url.query() {
            return Err(UrlError::Excess(format!("?{query}")));
        }
        if let Some(fragment) = url.fragment() {
            return Err(UrlError::Excess(format!("#{fragment}")));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| UrlError::Unreadable("there is no host in it".into()))?;
        let port = match url.port() {
            Some(port) => format!(":{port}"),
            None if has_scheme => String::new(),
            None => ":9200".into(),
        };
        Ok(Self(format!("{}://{host}{port}{}", url.scheme(), url.path().trim_end_matches('/'))))
    }

    /// Returns the whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `true` if the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns host and port, for titles.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Returns the host without its port; an IPv6 address is in brackets.
    pub fn host_name(&self) -> &str {
        let host = self.host();
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        port.map_or(host, |at| &host[..at])
    }

    /// Returns the port, which is that of the scheme if the address has none.
    pub fn port(&self) -> Option<u16> {
        let host = self.host();
        match host[self.host_name().len()..].strip_prefix(':') {
            Some(port) => port.parse().ok(),
            None => Some(if self.is_https() { 443 } else { 80 }),
        }
    }

    /// Returns `true` if the address is that of this machine (loopback), where http sends nothing over a network.
    pub fn is_loopback(&self) -> bool {
        let host = self.host_name();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for ClusterUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Certificates that are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// Certificates issued by the certificate authorities of this computer.
    #[default]
    System,
    /// Certificates of this PEM file as the only roots.
    CaFile(PathBuf),
    /// These certificates, kept with the connection, as the only roots.
    Ca(CaCertificates),
    /// Certificate (usually the CA's) with this SHA-256 fingerprint, found in the chain that the server presents, as
    /// the only root. A pinned server certificate is trusted by itself.
    Fingerprint(Fingerprint),
    /// Any certificate, for development only. The window shows a warning on every screen.
    InsecureDev,
}

/// Everything needed to connect to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address of the cluster; the first one, if there are several.
    pub url: ClusterUrl,
    /// Further addresses of the same cluster, tried in this order when no connection to the one before is possible.
    pub more_urls: Vec<ClusterUrl>,
    /// Certificates that are trusted.
    pub trust: Trust,
    /// Credential to sign in with.
    pub login: Login,
    /// `true` if the credential is asked for each time the connection is opened, and never saved.
    pub asks_credential: bool,
    /// Name of another user to act for (`es-security-runas-user`); `None` for nobody.
    pub run_as: Option<String>,
    /// Time limit for one whole request.
    pub timeout: Duration,
    /// Index, data stream or pattern of the cluster's audit events; `None` means the default pattern.
    pub audit_index: Option<String>,
    /// Certificate by which the client is admitted or signs in; `None` for none.
    pub client_certificate: Option<ClientCertificate>,
    /// Rule by which the proxy is found.
    pub proxy: ProxyRule,
    /// Protection of the cluster against changes through this connection.
    pub protection: Protection,
}

impl Endpoint {
    /// Creates an endpoint that trusts the certificate authorities of this computer and uses its proxy, acts for nobody
    /// else, has the default time limit, and is not protected.
    pub fn new(url: ClusterUrl, login: Login) -> Self {
        Self {
            url,
            more_urls: Vec::new(),
            trust: Trust::System,
            login,
            asks_credential: false,
            run_as: None,
            timeout: DEFAULT_TIMEOUT,
            audit_index: None,
            client_certificate: None,
            proxy: ProxyRule::System,
            protection: Protection::None,
        }
    }
}

impl Endpoint {
    /// Returns all addresses of the cluster, in the order in which they are tried.
    pub fn urls(&self) -> impl Iterator<Item = &ClusterUrl> {
        std::iter::once(&self.url).chain(&self.more_urls)
    }

    /// Returns the same endpoint with a single address.
    pub fn at(&self, url: &ClusterUrl) -> Self {
        Self { url: url.clone(), more_urls: Vec::new(), ..self.clone() }
    }

    /// Returns `true` if the connection is encrypted at each address.
    pub fn is_https(&self) -> bool {
        self.urls().all(ClusterUrl::is_https)
    }

    /// Returns `true` if the other endpoint leads to the same cluster in the same way: all is equal but the protection,
    /// which decides only what is sent there, and whether the credential is saved.
    pub fn leads_where(&self, other: &Self) -> bool {
        *self == Self { protection: self.protection, asks_credential: self.asks_credential, ..other.clone() }
    }

    /// Returns `true` if the credential has still to be asked for. No request may be sent before.
    pub fn lacks_credential(&self) -> bool {
        self.asks_credential && self.login.is_blank()
    }

    /// Returns the endpoint as it is saved: without a credential that is asked for each time.
    pub fn as_saved(&self) -> Self {
        let mut saved = self.clone();
        if self.asks_credential {
            saved.login = self.login.without_secret();
        }
        saved
    }
}

/// Maximum number of addresses of one cluster.
pub const MAX_ADDRESSES: usize = 16;

/// Default time limit for one request: 60 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        ClusterUrl::parse(text).unwrap().0
    }

    #[test]
    fn plain_slips_are_mended() {
        assert_eq!(parsed("localhost"), "https://localhost:9200");
        assert_eq!(parsed(" es.example.net:9243/ "), "https://es.example.net:9243");
        assert_eq!(parsed("https://es.example.net"), "https://es.example.net");
        assert_eq!(parsed("https://es.example.net/elastic/"), "https://es.example.net/elastic");
        assert_eq!(parsed("https://[::1]:9200"), "https://[::1]:9200");
        assert_eq!(parsed("HTTPS://ES.example.NET:9200"), "https://es.example.net:9200");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        assert_eq!(ClusterUrl::parse(""), Err(UrlError::Empty));
        assert_eq!(ClusterUrl::parse("https://ana:pw@host"), Err(UrlError::UserInfo));
        assert_eq!(ClusterUrl::parse("ftp://host"), Err(UrlError::Scheme("ftp".into())));
        assert_eq!(ClusterUrl::parse("https://host?x=1"), Err(UrlError::Excess("?x=1".into())));
        for text in ["https://", "https://host:99999", "https://ho st", "::::"] {
            assert!(matches!(ClusterUrl::parse(text), Err(UrlError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn an_address_knows_its_host() {
        let url = ClusterUrl::parse("https://es.example.net:9200/a").unwrap();
        assert_eq!(url.host(), "es.example.net:9200");
        assert!(!url.is_loopback());
        for here in
            ["http://localhost:9200", "http://localhost", "http://127.0.0.9:1", "http://[::1]:9200", "http://[::1]"]
        {
            assert!(ClusterUrl::parse(here).unwrap().is_loopback(), "{here}");
        }
        for elsewhere in ["http://localhost.evil.com", "http://127.evil.com:9200", "http://[::2]:9200"] {
            assert!(!ClusterUrl::parse(elsewhere).unwrap().is_loopback(), "{elsewhere}");
        }
    }
}
