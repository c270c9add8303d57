//! Proxies: which one a connection goes through, and how it signs in to it.

use crate::model::secret::Secret;

/// Rule by which a connection finds its proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ProxyRule {
    /// The proxy of this computer: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or the settings of macOS and Windows. An
    /// address of this machine is reached directly.
    #[default]
    System,
    /// No proxy, whatever this computer is set to.
    Direct,
    /// This proxy.
    Via(Proxy),
}

/// A proxy, with its sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Address of the proxy.
    pub url: ProxyUrl,
    /// Sign-in to the proxy; `None` if it needs none.
    pub login: Option<ProxyLogin>,
}

/// Sign-in to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyLogin {
    /// Name of the user; not secret.
    pub username: String,
    /// Password; secret.
    pub password: Secret,
}

/// Address of a proxy: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrl(String);

/// Reason why a text is not the address of a proxy; `Display` says how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// Blank text.
    #[error("Enter the address of the proxy, such as http://proxy.example.net:3128")]
    Empty,
    /// Scheme that no proxy has.
    #[error("“{0}” is not supported: use http://, https:// or socks5://")]
    Scheme(String),
    /// User name or password in the address.
    #[error("Remove the user and password from the address: the sign-in of the proxy has its own fields")]
    UserInfo,
    /// Path, query or fragment.
    #[error("Only a scheme, host and port are allowed: remove “{0}”")]
    Excess(String),
    /// Text that can't be read as an address; holds the reason.
    #[error("Not an address: {0}")]
    Unreadable(String),
}

impl ProxyUrl {
    /// Reads the address of a proxy and completes it: a missing scheme becomes http, and a missing port the usual one of
    /// the scheme (80, 443, 1080). With `socks5` the proxy looks up the host of the cluster.
    ///
    /// # Errors
    /// Returns the reason if the text can't be the address of a proxy.
    pub fn parse(text: &str) -> Result<Self, ProxyUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ProxyUrlError::Empty);
        }
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = reqwest::Url::parse(&full).map_err(|error| ProxyUrlError::Unreadable(error.to_string()))?;
        let (scheme, usual) = match url.scheme() {
            "http" => ("http", 80),
            "https" => ("https", 443),
            "socks5" | "socks5h" => ("socks5", 1080),
            other => return Err(ProxyUrlError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ProxyUrlError::UserInfo);
        }
        let excess = [url.query().map(|query| format!("?{query}")), url.fragment().map(|part| format!("#{part}"))];
        let path = Some(url.path().to_owned()).filter(|path| !matches!(path.as_str(), "" | "/"));
        if let Some(excess) = path.or_else(|| excess.into_iter().flatten().next()) {
            return Err(ProxyUrlError::Excess(excess));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| ProxyUrlError::Unreadable("there is no host in it".into()))?;
        Ok(Self(format!("{scheme}://{host}:{}", url.port().unwrap_or(usual))))
    }

    /// Returns the whole address, without any sign-in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `true` if the connection to the proxy is encrypted by itself.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl std::fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed() {
        for (typed, expected) in [
            ("proxy.example.net:3128", "http://proxy.example.net:3128"),
            (" http://proxy.example.net ", "http://proxy.example.net:80"),
            ("https://proxy.example.net/", "https://proxy.example.net:443"),
            ("socks5://bastion", "socks5://bastion:1080"),
            ("socks5h://bastion:9050", "socks5://bastion:9050"),
            ("SOCKS5://[::1]:1", "socks5://[::1]:1"),
        ] {
            assert_eq!(ProxyUrl::parse(typed).map(|url| url.0), Ok(expected.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_with_the_reason_and_without_the_password() {
        assert_eq!(ProxyUrl::parse(" "), Err(ProxyUrlError::Empty));
        assert_eq!(ProxyUrl::parse("ftp://x"), Err(ProxyUrlError::Scheme("ftp".into())));
        let error = ProxyUrl::parse("http://ana:hunter2@proxy:3128").unwrap_err();
        assert_eq!(error, ProxyUrlError::UserInfo);
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(ProxyUrl::parse("http://proxy:1/x"), Err(ProxyUrlError::Excess("/x".into())));
        assert_eq!(ProxyUrl::parse("http://proxy:1?x"), Err(ProxyUrlError::Excess("?x".into())));
        for text in ["http://", "http://host:99999", "ho st"] {
            assert!(matches!(ProxyUrl::parse(text), Err(ProxyUrlError::Unreadable(_))), "{text}");
        }
    }
}
