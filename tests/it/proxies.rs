//! Proxies on the way to a cluster: HTTP and SOCKS5, with and without a sign-in, and every way in which one fails.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use keybearer::{
    client::{Client, ClientError, ProxyFault},
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            proxy::{Proxy as ProxyOf, ProxyLogin, ProxyRule, ProxyUrl},
        },
        secret::Secret,
    },
    ops::connections::connect::{self, ConnectionCheck, StepResult},
};

use crate::cli_practice::{Practice, keybearer, run};

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    /// Connects, if this user and password come along.
    Connects(Option<(&'static str, &'static str)>),
    /// Answers with these bytes, and closes.
    Answers(&'static str),
    /// Closes without a word.
    Cuts,
    /// Says nothing.
    IsSilent,
    /// Tells that the host can't be reached (SOCKS only).
    HostUnreachable,
}

/// A proxy of a test, which records what came to it.
struct TestProxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// A proxy that takes every host for the one at `cluster`.
    fn start(socks: bool, habit: Habit, cluster: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, cluster) = (Arc::clone(&seen), cluster.to_owned());
        in_background(move || {
            for stream in listener.incoming().flatten() {
                let (log, cluster) = (Arc::clone(&log), cluster.clone());
                // A client that goes away ends its thread.
                in_background(move || {
                    let serve = if socks { serve_socks } else { serve_http };
                    drop(serve(stream, habit, &cluster, &log));
                });
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve_http(mut stream: TcpStream, habit: Habit, cluster: &str, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
    log.lock().unwrap().push(head.clone());
    match habit {
        Habit::Connects(login) => {
            use base64::{Engine, engine::general_purpose::STANDARD};
            let expected = login.map(|(user, password)| STANDARD.encode(format!("{user}:{password}")));
            if expected.is_some_and(|expected| !head.contains(&format!("Basic {expected}"))) {
                stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")?;
                return Ok(());
            }
            let inside = TcpStream::connect(cluster)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            relay(stream, inside)
        }
        Habit::Answers(text) => stream.write_all(text.as_bytes()),
        Habit::IsSilent => stream.read(&mut [0]).map(drop),
        Habit::Cuts | Habit::HostUnreachable => Ok(()),
    }
}

fn serve_socks(mut stream: TcpStream, habit: Habit, cluster: &str, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let take = |count: usize, stream: &mut TcpStream| {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).map(|()| bytes)
    };
    let login = match habit {
        Habit::Answers(text) => return stream.write_all(text.as_bytes()),
        Habit::IsSilent => return stream.read(&mut [0; 64]).and_then(|_| stream.read(&mut [0])).map(drop),
        Habit::Cuts => return Ok(()),
        Habit::Connects(login) => login,
        Habit::HostUnreachable => None,
    };
    let methods = take(2, &mut stream)?[1];
    take(usize::from(methods), &mut stream)?;
    stream.write_all(&[5, if login.is_some() { 2 } else { 0 }])?;
    if let Some((user, password)) = login {
        let length = take(2, &mut stream)?[1];
        let name = take(usize::from(length), &mut stream)?;
        let length = take(1, &mut stream)?[0];
        let word = take(usize::from(length), &mut stream)?;
        let is_right = name == user.as_bytes() && word == password.as_bytes();
        stream.write_all(&[1, u8::from(!is_right)])?;
        if !is_right {
            return Ok(());
        }
    }
    let kind = take(4, &mut stream)?[3];
    let host = match kind {
        1 => take(4, &mut stream)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        3 => {
            let length = take(1, &mut stream)?[0];
            String::from_utf8(take(usize::from(length), &mut stream)?).unwrap()
        }
        _ => format!("{:?}", take(16, &mut stream)?),
    };
    take(2, &mut stream)?;
    log.lock().unwrap().push(host);
    let status = if habit == Habit::HostUnreachable { 4 } else { 0 };
    stream.write_all(&[5, status, 0, 1, 0, 0, 0, 0, 0, 0])?;
    if status != 0 {
        return Ok(());
    }
    relay(stream, TcpStream::connect(cluster)?)
}

fn relay(mut left: TcpStream, mut right: TcpStream) -> io::Result<()> {
    let (mut from_left, mut to_right) = (left.try_clone()?, right.try_clone()?);
    in_background(move || drop(io::copy(&mut from_left, &mut to_right)));
    io::copy(&mut right, &mut left).map(drop)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn in_background(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name("test proxy".into()).spawn(work).unwrap();
}

/// Host and port of a practice cluster.
fn place(practice: &Practice) -> String {
    practice.sandbox().url().trim_start_matches("https://").to_owned()
}

fn endpoint(practice: &Practice, address: &str, login: Option<(&str, &str)>) -> Endpoint {
    let user = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
    let sign_in =
        |(username, password): (&str, &str)| ProxyLogin { username: username.into(), password: Secret::new(password) };
    let proxy = ProxyOf { url: ProxyUrl::parse(address).unwrap(), login: login.map(sign_in) };
    Endpoint {
        trust: Trust::Fingerprint(Fingerprint::parse(practice.sandbox().fingerprint()).unwrap()),
        timeout: Duration::from_secs(2),
        proxy: ProxyRule::Via(proxy),
        ..Endpoint::new(ClusterUrl::parse(practice.sandbox().url()).unwrap(), user)
    }
}

/// The steps of a test: what each is, whether it went well, and its words.
async fn steps(endpoint: &Endpoint) -> Vec<(ConnectionCheck, bool, String)> {
    let mut steps = Vec::new();
    connect::test(endpoint, |report| {
        let (is_good, words) = match report.result {
            StepResult::Good(title, detail) | StepResult::Mind(title, detail) => (true, format!("{title}: {detail}")),
            StepResult::Failed(problem) => (false, problem.words()),
        };
        steps.push((report.step, is_good, words));
    })
    .await;
    steps
}

#[test]
fn a_cluster_is_reached_through_each_kind_of_proxy_which_sees_only_its_address() {
    let practice = Practice::start();
    runtime().block_on(async {
        for (scheme, login) in [
            ("http", None),
            ("http", Some(("ana", "p@ss:w%rd"))),
            ("socks5", None),
            ("socks5", Some(("ana", "p@ss:w%rd"))),
        ] {
            let proxy = TestProxy::start(scheme == "socks5", Habit::Connects(login), &place(&practice));
            let address = format!("{scheme}://{}", proxy.address);
            let endpoint = endpoint(&practice, &address, login);
            let session = connect::connect(&endpoint).await.unwrap();
            assert_eq!(
                (session.identity.username.as_str(), session.client.proxy()),
                ("officer", Some(address.as_str()))
            );
            let steps = steps(&endpoint).await;
            assert!(steps.iter().all(|(_, is_good, _)| *is_good), "{steps:?}");
            assert_eq!(
                (steps[0].0, steps[0].2.as_str()),
                (ConnectionCheck::Proxy, format!("Through {address}: the proxy of the connection").as_str())
            );
            let seen = proxy.seen().join("\n");
            assert!(!seen.is_empty() && !seen.contains("officer"), "{seen}");
        }
    });
}

#[test]
fn a_proxy_that_gives_no_connection_is_named_with_the_reason() {
    let practice = Practice::start();
    runtime().block_on(async {
    let connects = Habit::Connects(Some(("ana", "right")));
    let html = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 31\r\n\r\n<html><title>No</title></html>\n";
    /// Whether it is SOCKS, what it does, the sign-in that is sent, and whether the fault is the right one.
    type Case<'a> = (bool, Habit, Option<(&'a str, &'a str)>, fn(&ProxyFault) -> bool);
    let cases: [Case<'_>; 12] = [
        (false, connects, None, |fault| *fault == ProxyFault::SignIn),
        (false, connects, Some(("ana", "wrong")), |fault| *fault == ProxyFault::SignIn),
        (false, Habit::Answers(html), None, |fault| matches!(fault, ProxyFault::Refused(_))),
        (false, Habit::Answers("SSH-2.0-OpenSSH_9.9\r\n"), None, |fault| {
            matches!(fault, ProxyFault::Refused(_) | ProxyFault::Closed)
        }),
        (false, Habit::Cuts, None, |fault| *fault == ProxyFault::Closed),
        (false, Habit::IsSilent, None, |fault| matches!(fault, ProxyFault::TimedOut(_))),
        (true, connects, None, |fault| matches!(fault, ProxyFault::SignIn | ProxyFault::Closed)),
        (true, connects, Some(("ana", "wrong")), |fault| *fault == ProxyFault::SignIn),
        (
            true,
            Habit::HostUnreachable,
            None,
            |fault| matches!(fault, ProxyFault::Refused(why) if why.contains("host unreachable")),
        ),
        (true, Habit::Answers("HTTP/1.1 400 Bad Request\r\n\r\n"), None, |fault| {
            matches!(fault, ProxyFault::NotAProxy(_) | ProxyFault::Closed)
        }),
        (true, Habit::Cuts, None, |fault| *fault == ProxyFault::Closed),
        (true, Habit::IsSilent, None, |fault| matches!(fault, ProxyFault::TimedOut(_))),
    ];
    for (socks, habit, login, expected) in cases {
        let proxy = TestProxy::start(socks, habit, &place(&practice));
        let address = format!("{}://{}", if socks { "socks5" } else { "http" }, proxy.address);
        let endpoint = endpoint(&practice, &address, login);
        let error = Client::new(&endpoint).unwrap().authenticate().await.unwrap_err();
        let ClientError::Proxy { proxy: named, fault } = &error else { panic!("{socks} {habit:?}: {error:?}") };
        assert!(*named == address && expected(fault), "{socks} {habit:?} {login:?}: {error:?}");
        assert!(!error.is_answer_lost(), "nothing left for the cluster");
        let steps = steps(&endpoint).await;
        let [(step, false, words)] = &steps[..] else { panic!("{socks} {habit:?}: {steps:?}") };
        assert!(*step == ConnectionCheck::Proxy && words.contains(&address), "{words}");
        assert!(!words.contains("wrong"), "no password: {words}");
    }
    // Nothing listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "socks5"] {
        let endpoint = endpoint(&practice, &format!("{scheme}://{closed}"), None);
        let error = Client::new(&endpoint).unwrap().authenticate().await.unwrap_err();
        assert!(matches!(&error, ClientError::Proxy { fault: ProxyFault::Unreachable(_), .. }), "{scheme}: {error:?}");
    }
    });
}

#[test]
fn plain_http_never_goes_through_a_proxy_and_a_pin_is_not_asked_of_one() {
    let practice = Practice::start();
    runtime().block_on(async {
        let proxy = TestProxy::start(false, Habit::Connects(None), &place(&practice));
        let through = endpoint(&practice, &format!("http://{}", proxy.address), None);
        let plain = Endpoint { url: ClusterUrl::parse("http://es.example.net:9200").unwrap(), ..through.clone() };
        let error = Client::new(&plain).unwrap_err();
        assert!(matches!(error, ClientError::PlainThroughProxy { .. }), "{error:?}");
        let steps = steps(&plain).await;
        let [(ConnectionCheck::Proxy, false, words)] = &steps[..] else { panic!("{steps:?}") };
        assert!(words.contains("http is not sent through a proxy"), "{words}");
        let error = Client::new(&endpoint(&practice, "https://proxy.example.net", None)).unwrap_err();
        assert!(matches!(error, ClientError::UnverifiableProxy { .. }), "{error:?}");
        assert!(proxy.seen().is_empty());
    });
}

#[test]
fn the_proxy_of_the_environment_is_named_and_can_be_left_out() {
    let practice = Practice::start();
    let proxy = TestProxy::start(false, Habit::Connects(Some(("ana", "hunter2"))), &place(&practice));
    let asked = |url: &str, variables: &[(&str, &str)], args: &[&str]| {
        let mut command = practice.user(keybearer(), "officer");
        command.env_remove("ES_FINGERPRINT").env("ES_URL", url).envs(variables.iter().copied());
        run(command.args(["check", "--insecure", "--timeout", "5"]).args(args))
    };
    let elsewhere = "https://es.example.invalid:9200";
    let variable = format!("http://ana:hunter2@{}", proxy.address);
    let system = [("HTTPS_PROXY", variable.as_str())];
    let name = format!("Through http://{}", proxy.address);
    let ran = asked(elsewhere, &system, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(&name) && ran.out.contains("the proxy of this computer"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    let count = proxy.seen().len();
    assert!(count > 0 && proxy.seen().iter().all(|head| head.starts_with("CONNECT es.example.invalid:9200 ")));
    // Left out: by the option, by NO_PROXY, and for this machine.
    let ran = asked(elsewhere, &system, &["--no-proxy"]);
    assert!(ran.code == Some(1) && !ran.out.contains("Through"), "{ran:?}");
    let ran = asked(elsewhere, &[system[0], ("NO_PROXY", "example.invalid")], &[]);
    assert!(ran.code == Some(1) && !ran.out.contains("Through"), "{ran:?}");
    let ran = asked(practice.sandbox().url(), &system, &[]);
    assert!(ran.code == Some(0) && !ran.out.contains("Through"), "{ran:?}");
    let ran = asked("http://es.example.invalid:9200", &[("HTTP_PROXY", variable.as_str())], &[]);
    assert!(ran.code == Some(1) && ran.out.contains("http is not sent through a proxy"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    assert_eq!(proxy.seen().len(), count);
    // By an option, with the sign-in in the environment.
    let option = format!("http://{}", proxy.address);
    let signed_in = [("KEYBEARER_PROXY_USERNAME", "ana"), ("KEYBEARER_PROXY_PASSWORD", "hunter2")];
    let ran = asked(elsewhere, &signed_in, &["--proxy", &option]);
    assert!(ran.code == Some(0) && ran.out.contains("the proxy of the connection"), "{ran:?}");
    let ran = asked(elsewhere, &signed_in[..1], &["--proxy", &option]);
    assert!(ran.code == Some(2) && ran.err.contains("KEYBEARER_PROXY_PASSWORD"), "{ran:?}");
    let ran = asked(elsewhere, &[], &["--proxy", &option]);
    assert!(ran.code == Some(1) && ran.out.contains("user and password of the proxy"), "{ran:?}");
    let ran = asked(elsewhere, &[], &["--proxy", &variable]);
    assert!(ran.code == Some(2) && !ran.err.contains("hunter2"), "{ran:?}");
    let ran = asked(elsewhere, &[], &["--proxy", &option, "--no-proxy"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[cfg(feature = "window")]
#[test]
fn the_form_takes_a_proxy_and_its_test_names_it() {
    use crate::desk::{Desk, Setting};
    let practice = Practice::start();
    let proxy = TestProxy::start(false, Habit::Connects(Some(("ana", "hunter2"))), &place(&practice));
    let direct = Endpoint { proxy: ProxyRule::System, ..endpoint(&practice, "http://unused:1", None) };
    let tall = Setting { size: [1440.0, 1400.0], ..Setting::default() };
    let mut desk = Desk::opened(Endpoint { timeout: Duration::from_secs(60), ..direct }, tall);
    desk.press("Connections");
    desk.choose("Custom");
    desk.press("Test connection");
    desk.wait_for("Enter the address of the proxy");
    desk.fill("Proxy address", &format!("http://ana:hunter2@{}", proxy.address));
    desk.press("Test connection");
    desk.wait_for("the sign-in of the proxy has its own fields");
    desk.fill("Proxy address", &format!("http://{}", proxy.address));
    desk.press("Test connection");
    desk.wait_for("The proxy didn’t connect");
    assert!(desk.sees("Check the user and password of the proxy"));
    desk.fill("Proxy user", "ana");
    desk.fill("Proxy password", "hunter2");
    desk.press("Test connection");
    desk.wait_for("The connection works");
    assert!(desk.sees(&format!("Through http://{}", proxy.address)));
    assert!(!desk.texts().iter().any(|text| text.contains("hunter2")), "the password is nowhere in the tree");
}
