//! Pattern for the hosts that connections may lead to: an exact name, or all names below a domain; with or without a port.

use crate::model::connections::endpoint::ClusterUrl;

/// Longest pattern, in bytes: a DNS name has at most 253 characters, and a port follows.
pub(super) const MAX_HOST_PATTERN_BYTES: usize = 300;

/// Pattern for hosts, such as `es.example.net`, `*.example.net`, `localhost:9200` or `[::1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// Name of the host as it is in an address, or the domain that it is below.
    name: String,
    /// `true` for the names below the domain, of any depth; the domain itself is not one of them.
    is_below: bool,
    /// Port; `None` for any port.
    port: Option<u16>,
}

impl HostPattern {
    /// Reads a pattern. Names are compared as they are in addresses: in lower case, international ones in Punycode.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_HOST_PATTERN_BYTES {
            return Err(format!("a host has at most {MAX_HOST_PATTERN_BYTES} characters"));
        }
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let example = "use a name such as es.example.net or *.example.net, with a port if only that is meant";
        if name.is_empty() || name.contains(['*', '/', '@', '?', '#', '\\']) || name.contains(char::is_whitespace) {
            return Err(format!("“{text}” is not a host: {example}"));
        }
        let (name, port) = split_port(name).ok_or_else(|| format!("“{text}” has no valid port: use 1 to 65535"))?;
        let url = reqwest::Url::parse(&format!("https://{name}/")).ok().filter(|url| url.port().is_none());
        let host = url.as_ref().and_then(reqwest::Url::host_str).filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("“{text}” is not a host: {example}"))?;
        let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        if is_below && is_address {
            return Err(format!("“{text}”: addresses have no names below them, so list each"));
        }
        Ok(Self { name: host.to_owned(), is_below, port })
    }

    /// Returns `true` if the address leads to a host and port of the pattern.
    pub fn matches(&self, url: &ClusterUrl) -> bool {
        let host = url.host_name();
        let is_host = match self.is_below {
            true => host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            false => host == self.name,
        };
        is_host && self.port.is_none_or(|port| url.port() == Some(port))
    }
}

/// Splits a port from a name; `None` if what follows the colon is no port. The colons of an IPv6 address are in brackets.
fn split_port(name: &str) -> Option<(&str, Option<u16>)> {
    match name.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| is_number && *port > 0)?;
            Some((host, Some(port)))
        }
        _ => Some((name, None)),
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let below = if self.is_below { "*." } else { "" };
        write!(f, "{below}{}", self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_its_host_and_no_look_alike() {
        for (pattern, url, expected) in [
            ("es.example.net", "https://es.example.net:9200", true),
            ("es.example.net", "https://es.example.net", true),
            ("ES.Example.NET", "https://es.EXAMPLE.net", true),
            ("es.example.net", "https://es.example.net.evil.org", false),
            ("es.example.net", "https://a.es.example.net", false),
            ("es.example.net", "https://es-example.net", false),
            ("es.example.net:9200", "https://es.example.net:9200", true),
            ("es.example.net:9200", "https://es.example.net:9201", false),
            ("es.example.net:443", "https://es.example.net", true),
            ("es.example.net:80", "https://es.example.net", false),
            ("*.example.net", "https://es.example.net:9200", true),
            ("*.example.net", "https://a.b.example.net", true),
            ("*.example.net", "https://example.net", false),
            ("*.example.net", "https://evilexample.net", false),
            ("*.example.net", "https://example.net.evil.org", false),
            ("*.example.net:9200", "https://es.example.net:9243", false),
            ("localhost", "http://localhost:9200", true),
            ("127.0.0.1", "https://127.0.0.1:9200/es", true),
            ("127.0.0.1", "https://127.0.0.2:9200", false),
            ("[::1]:9200", "https://[::1]:9200", true),
            ("[::1]", "https://[::2]:9200", false),
            ("*.bücher.example", "https://es.xn--bcher-kva.example", true),
        ] {
            let parsed = HostPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(&ClusterUrl::parse(url).unwrap()), expected, "{pattern} {url}");
            assert_eq!(HostPattern::parse(&parsed.to_string()).unwrap(), parsed, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(MAX_HOST_PATTERN_BYTES + 1);
        for text in [
            "",
            "*",
            "*.",
            "es.*.net",
            "https://es",
            "es/x",
            "a b",
            "ana@es",
            "es:",
            "es:0",
            "es:65536",
            "es:+1",
            "::1",
            "*.0.0.1",
            "*.[::1]",
            "es?x",
            &long,
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
