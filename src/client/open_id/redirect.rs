//! The address on this machine to which a provider redirects the browser (RFC 8252, section 7.3): one request is waited
//! for, and everything else that arrives is refused.

use std::{io, time::Duration};

use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use super::shown;
use crate::model::{connections::open_id_error::OpenIdError, secret::Secret};

/// Size limit of the head of a request, in bytes: codes and states of providers have a few kilobytes.
const MAX_REDIRECT_BYTES: usize = 32 << 10;

/// Maximum number of connections at the same time: a browser opens some that it never uses.
const MAX_CONNECTIONS: usize = 16;

/// Time limit of one connection.
const PATIENCE: Duration = Duration::from_secs(10);

const PATH: &str = "/callback";

/// A redirect address that listens.
pub(super) struct Redirect {
    listener: TcpListener,
    port: u16,
}

/// What was read from one connection.
enum Seen {
    /// The answer to this sign-in: a code, or an error and its description.
    Answer(Result<Secret, String>),
    /// The answer to another sign-in.
    Forged,
    /// Something else, such as the question for an icon.
    Other,
}

/// Values that an answer must have.
#[derive(Clone)]
pub(super) struct Expected {
    pub(super) state: Secret,
    pub(super) issuer: String,
}

impl Redirect {
    /// Listens on a port of this machine, or on any free one.
    pub(super) async fn open(port: Option<u16>) -> Result<Self, OpenIdError> {
        let wanted = port.unwrap_or(0);
        let taken = |error: io::Error| OpenIdError::PortTaken {
            port: wanted,
            reason: match error.kind() {
                io::ErrorKind::AddrInUse => "another program uses it".into(),
                _ => shown(&error.to_string()),
            },
        };
        let listener = TcpListener::bind(("127.0.0.1", wanted)).await.map_err(taken)?;
        let port = listener.local_addr().map_err(taken)?.port();
        Ok(Self { listener, port })
    }

    /// The address, as the provider is told.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the answer to this sign-in. A request with another state is refused, and the waiting goes on: whoever
    /// sent it must not be able to end the sign-in.
    pub(super) async fn code(
        &self,
        expected: &Expected,
        provider: &str,
        limit: Duration,
    ) -> Result<Secret, OpenIdError> {
        let deadline = Instant::now() + limit;
        let mut forged = 0;
        let mut open = JoinSet::new();
        loop {
            let next = async {
                tokio::select! {
                    accepted = self.listener.accept(), if open.len() < MAX_CONNECTIONS => Next::Accepted(accepted),
                    Some(read) = open.join_next() => Next::Read(read.unwrap_or(Seen::Other)),
                }
            };
            match timeout_at(deadline, next).await {
                Err(_) => return Err(OpenIdError::TimedOut { after: limit, forged }),
                Ok(Next::Accepted(Ok((stream, _)))) => {
                    let expected = expected.clone();
                    open.spawn(async move {
                        timeout(PATIENCE, read(stream, &expected)).await.ok().flatten().unwrap_or(Seen::Other)
                    });
                }
                // A connection that broke before it was accepted.
                Ok(Next::Accepted(Err(_))) => tokio::time::sleep(Duration::from_millis(50)).await,
                Ok(Next::Read(Seen::Other)) => {}
                Ok(Next::Read(Seen::Forged)) => forged += 1,
                Ok(Next::Read(Seen::Answer(Ok(code)))) => return Ok(code),
                Ok(Next::Read(Seen::Answer(Err(reason)))) => {
                    return Err(OpenIdError::Refused { provider: provider.to_owned(), reason });
                }
            }
        }
    }
}

enum Next {
    Accepted(io::Result<(TcpStream, std::net::SocketAddr)>),
    Read(Seen),
}

/// Reads one request and answers it; `None` if it is none.
async fn read(mut stream: TcpStream, expected: &Expected) -> Option<Seen> {
    let mut head = zeroize::Zeroizing::new(vec![0; MAX_REDIRECT_BYTES]);
    let mut length = 0;
    while !head[..length].windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut head[length..]).await.ok()?;
        length += read;
        if read == 0 || length == head.len() {
            return None;
        }
    }
    let seen = judge(std::str::from_utf8(&head[..length]).ok()?, expected);
    let (status, title, line) = match &seen {
        Seen::Answer(Ok(_)) => ("200 OK", "Return to Keybearer", "You can close this page."),
        Seen::Answer(Err(_)) => ("200 OK", "The sign-in was refused", "Keybearer says why. You can close this page."),
        Seen::Forged => (
            "400 Bad Request",
            "This belongs to another sign-in",
            "Nothing was done. Go back to the newest sign-in page, or begin again in Keybearer.",
        ),
        Seen::Other => ("404 Not Found", "Not found", "There is nothing here."),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{line}</p>\n"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // A browser that is gone needs no page.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    Some(seen)
}

fn judge(head: &str, expected: &Expected) -> Seen {
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (Some("GET"), Some(target)) = (words.next(), words.next()) else { return Seen::Other };
    let Ok(url) = reqwest::Url::parse(&format!("http://127.0.0.1{target}")) else { return Seen::Other };
    if url.path() != PATH {
        return Seen::Other;
    }
    let value = |name: &str| url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    let state = value("state").map(Secret::new).unwrap_or_default();
    let is_ours = bool::from(state.expose().as_bytes().ct_eq(expected.state.expose().as_bytes()));
    // RFC 9207: a provider that names itself must be the one that was asked.
    let is_from_it = value("iss").is_none_or(|issuer| issuer == expected.issuer);
    if !is_ours || !is_from_it {
        return Seen::Forged;
    }
    if let Some(error) = value("error") {
        let description = value("error_description").map(|text| format!(" ({text})")).unwrap_or_default();
        return Seen::Answer(Err(shown(&format!("{error}{description}"))));
    }
    match value("code").filter(|code| !code.is_empty()) {
        Some(code) => Seen::Answer(Ok(Secret::new(code))),
        None => Seen::Answer(Err("it sent neither a code nor an error".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(target: &str) -> Seen {
        let expected = Expected { state: Secret::new("s1"), issuer: "https://a/x".into() };
        judge(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), &expected)
    }

    #[test]
    fn only_the_answer_to_this_sign_in_is_one() {
        for target in ["/callback?code=c&state=s1", "/callback?state=s1&iss=https%3A%2F%2Fa%2Fx&code=c"] {
            assert!(matches!(judged(target), Seen::Answer(Ok(code)) if code.expose() == "c"), "{target}");
        }
        for target in [
            "/callback?code=c",
            "/callback?code=c&state=s2",
            "/callback?code=c&state=",
            "/callback?code=c&state=s1&iss=b",
        ] {
            assert!(matches!(judged(target), Seen::Forged), "{target}");
        }
        for target in ["/", "/favicon.ico", "/callback/x?state=s1&code=c", "*"] {
            assert!(matches!(judged(target), Seen::Other), "{target}");
        }
        let refused = judged("/callback?state=s1&error=access_denied&error_description=no%1b%5b31m%20entry");
        let Seen::Answer(Err(reason)) = refused else { panic!("it is no error") };
        assert!(reason.starts_with("access_denied (no") && !reason.contains('\u{1b}'), "{reason}");
        assert!(matches!(judged("/callback?state=s1"), Seen::Answer(Err(_))));
        let post = judge(
            "POST /callback?code=c&state=s1 HTTP/1.1\r\n\r\n",
            &Expected { state: Secret::new("s1"), issuer: String::new() },
        );
        assert!(matches!(post, Seen::Other));
    }
}
