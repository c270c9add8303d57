//! Where a cluster is and how it is trusted and signed in to. Only what can be right gets through.

use std::{path::PathBuf, time::Duration};

use super::{fingerprint::Fingerprint, login::Login};

/// The address of a cluster: scheme, host, port and perhaps a path prefix, without a final slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterUrl(String);

/// Why a text is no address of a cluster; `Display` says the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing there.
    #[error("Write the address of the cluster, such as https://es.example.net:9200")]
    Empty,
    /// Neither http nor https.
    #[error("“{0}” is not spoken here: use https://")]
    Scheme(String),
    /// `https://user:password@host`.
    #[error("Leave user and password out of the URL: sign-in has fields of its own, and URLs end up in logs")]
    UserInfo,
    /// A query or fragment, or blanks.
    #[error("Only scheme, host, port and perhaps a path belong here, remove “{0}”")]
    Excess(String),
    /// No host, or a port that is none.
    #[error("Not an address: {0}")]
    Unreadable(String),
}

impl ClusterUrl {
    /// Reads an address and mends what is plain: a missing scheme becomes https, a missing port 9200
    /// for a bare host (as for Elasticsearch's own tools), a final slash goes.
    ///
    /// # Errors
    /// With the reason, when it can't be an address of a cluster.
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

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the line is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Host and port, for titles.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Whether it is this very machine, where http carries nothing over a wire.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        let host = port.map_or(host, |at| &host[..at]);
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for ClusterUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes a certificate trustworthy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// The certificate authorities of this computer.
    #[default]
    System,
    /// The certificates of a PEM file, and no others.
    CaFile(PathBuf),
    /// The certificate (usually the CA's) with this SHA-256 fingerprint, found in the chain that the
    /// server presents, as the only root. A pinned server certificate is trusted for itself.
    Fingerprint(Fingerprint),
    /// Any certificate: for development only. Shown on every screen.
    InsecureDev,
}

/// Everything needed to reach a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub url: ClusterUrl,
    /// Which certificate is believed.
    pub trust: Trust,
    /// How to sign in.
    pub login: Login,
    /// Another user to act for (`es-security-runas-user`).
    pub run_as: Option<String>,
    /// The most time for one whole request.
    pub timeout: Duration,
    /// Where its audit events are: an index, a data stream or a pattern. `None` means the usual places.
    pub audit_index: Option<String>,
}

/// The time for one request, unless said otherwise.
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
