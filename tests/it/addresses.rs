//! Several addresses of one cluster: which one is used when others are down, break or belong to another cluster, and
//! that a change reaches one server at most.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, Ordering},
};

use keybearer::{
    client::ClientError,
    model::{
        Timestamp,
        api_key::KeyId,
        connections::endpoint::{ClusterUrl, Endpoint, Trust},
    },
    ops::{
        Session,
        connections::connect::{self, ConnectionCheck, StepResult},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::client_servers::{IDENTITY, endpoint, http, in_time, key, read_request};

/// What a server does with requests that are not about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Manner {
    /// Answers.
    Well,
    /// Reads the first bytes of a request and resets the connection.
    CutsEarly,
    /// Reads the request and hangs up.
    Cuts,
    /// Sends a part of the answer and hangs up.
    CutsAnswer,
    /// Answers 503.
    Unavailable,
    /// Stops listening after it has read the request and hung up.
    Dies,
    /// Does not listen at all.
    Down,
}

const MANNERS: [Manner; 7] = [
    Manner::Well,
    Manner::CutsEarly,
    Manner::Cuts,
    Manner::CutsAnswer,
    Manner::Unavailable,
    Manner::Dies,
    Manner::Down,
];

/// A node with a fixed address.
struct Node {
    port: u16,
    uuid: Arc<Mutex<Option<String>>>,
    manner: Arc<AtomicU8>,
    requests: Arc<Mutex<Vec<String>>>,
    listening: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Node {
    /// `uuid` is that of its cluster; `None` if it doesn't tell.
    async fn start(uuid: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let node = Self {
            port,
            uuid: Arc::new(Mutex::new(uuid.map(str::to_owned))),
            manner: Arc::new(AtomicU8::new(Manner::Well as u8)),
            requests: Arc::default(),
            listening: Arc::default(),
        };
        let (manner, requests, listening) = (node.manner.clone(), node.requests.clone(), node.listening.clone());
        let uuid = node.uuid.clone();
        let serve = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = MANNERS[usize::from(manner.load(Ordering::SeqCst))];
                let uuid = uuid.lock().unwrap().clone();
                if serve(stream, manner, uuid.as_deref(), &requests).await {
                    listening.lock().unwrap().take();
                    return;
                }
            }
        });
        *node.listening.lock().unwrap() = Some(serve);
        node
    }

    async fn becomes(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::SeqCst);
        if manner == Manner::Down {
            let serving = self.listening.lock().unwrap().take();
            if let Some(serving) = serving {
                serving.abort();
                let _ = serving.await;
            }
        }
    }

    fn url(&self) -> ClusterUrl {
        ClusterUrl::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    /// The number of requests that change something, of which any byte arrived.
    fn changes(&self) -> usize {
        let is_change = |request: &&String| {
            !request.is_empty() && !request.starts_with("GET ") && !request.contains("/_has_privileges")
        };
        self.requests.lock().unwrap().iter().filter(is_change).count()
    }

    fn forget(&self) {
        self.requests.lock().unwrap().clear();
    }
}

/// Serves one connection with one request; returns `true` if the node dies of it.
async fn serve(mut stream: TcpStream, manner: Manner, uuid: Option<&str>, requests: &Mutex<Vec<String>>) -> bool {
    if manner == Manner::CutsEarly {
        let mut first = [0; 16];
        let count = stream.read(&mut first).await.unwrap_or(0);
        // What the client asks to find out about the scheme has no request in it.
        if count > 0 && first[0] != 0x16 {
            requests.lock().unwrap().push(String::from_utf8_lossy(&first[..count]).into_owned());
        }
        stream.set_zero_linger().unwrap();
        return false;
    }
    let request = read_request(&mut stream).await;
    requests.lock().unwrap().push(request.clone());
    let about = request.starts_with("GET / ");
    let body = if about {
        match uuid {
            Some(uuid) => format!(
                r#"{{"name":"node","cluster_name":"lab","cluster_uuid":"{uuid}","version":{{"number":"9.5.3",
                    "build_flavor":"default"}},"tagline":"You Know, for Search"}}"#
            ),
            None => r#"{"error":{"type":"security_exception","reason":"no monitor"},"status":403}"#.to_owned(),
        }
    } else if request.contains("/_authenticate") {
        IDENTITY.to_owned()
    } else if request.contains("/_has_privileges") {
        r#"{"username":"ana","has_all_requested":true,"cluster":{"manage_security":true},"index":{},"application":{}}"#
            .to_owned()
    } else if request.starts_with("DELETE ") {
        r#"{"invalidated_api_keys":["a"],"previously_invalidated_api_keys":[],"error_count":0}"#.to_owned()
    } else if request.starts_with("GET /_license") {
        r#"{"license":{"type":"basic","status":"active"}}"#.to_owned()
    } else if request.starts_with("POST /_security/_query/api_key") {
        r#"{"total":0,"count":0,"api_keys":[]}"#.to_owned()
    } else {
        r#"{"id":"a","name":"my_app_key","api_key":"s","encoded":"YTpz"}"#.to_owned()
    };
    let status = if about && uuid.is_none() { "403 Forbidden" } else { "200 OK" };
    // One request a connection: what is pooled would hide who is down.
    let whole = http(status, &body).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let manner = if about { Manner::Well } else { manner };
    let answer = match manner {
        Manner::Well => whole,
        Manner::CutsAnswer => whole[..whole.len() - 10].to_owned(),
        Manner::Unavailable => http("503 Service Unavailable", "{}").replacen("\r\n", "\r\nconnection: close\r\n", 1),
        Manner::CutsEarly | Manner::Cuts | Manner::Dies | Manner::Down => String::new(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    manner == Manner::Dies
}

fn several(nodes: &[&Node]) -> Endpoint {
    let urls: Vec<ClusterUrl> = nodes.iter().map(|node| node.url()).collect();
    Endpoint { more_urls: urls[1..].to_vec(), ..endpoint(urls[0].as_str(), Trust::System) }
}

async fn signed_in(nodes: &[&Node]) -> Session {
    let session = in_time(connect::connect(&several(nodes))).await.unwrap();
    nodes.iter().for_each(|node| node.forget());
    session
}

/// Changes of both kinds: one that is sent once, and one that may be repeated.
async fn change(session: &Session, is_repeatable: bool) -> Result<(), ClientError> {
    in_time(async {
        if is_repeatable {
            session.client.invalidate(&[KeyId::new("a")], false).await.map(drop)
        } else {
            session.client.create_api_key(&key(), Timestamp::EPOCH).await.map(drop)
        }
    })
    .await
}

#[tokio::test]
async fn a_sign_in_and_what_follows_go_to_the_first_address_that_is_there() {
    let (one, two, three) = (Node::start(Some("u")).await, Node::start(Some("u")).await, Node::start(Some("u")).await);
    one.becomes(Manner::Down).await;
    let session = signed_in(&[&one, &two, &three]).await;
    assert_eq!(session.client.address(), &two.url());
    change(&session, false).await.unwrap();
    assert_eq!((two.changes(), three.changes()), (1, 0));
    // What it was signed in at goes away, and the next one of the same cluster is used.
    two.becomes(Manner::Down).await;
    change(&session, false).await.unwrap();
    assert_eq!((session.client.address(), three.changes()), (&three.url(), 1));
    three.becomes(Manner::Down).await;
    let error = change(&session, false).await.unwrap_err();
    assert!(matches!(&error, ClientError::NoAddress { tried } if tried.len() == 3), "{error:?}");
    assert!(!error.is_answer_lost() && error.to_string().contains("None of the 3 addresses"), "{error}");
}

#[tokio::test]
async fn a_change_reaches_one_server_at_most_whatever_happens_to_it() {
    for manner in MANNERS {
        for is_repeatable in [false, true] {
            let (one, two) = (Node::start(Some("u")).await, Node::start(Some("u")).await);
            let session = signed_in(&[&one, &two]).await;
            one.becomes(manner).await;
            let result = change(&session, is_repeatable).await;
            let at = (one.changes(), two.changes());
            assert!(at.0 == 0 || at.1 == 0, "{manner:?}, repeatable {is_repeatable}: {at:?} {result:?}");
            match manner {
                Manner::Well => assert!(result.is_ok() && at == (1, 0), "{at:?} {result:?}"),
                Manner::Down => assert!(result.is_ok() && at == (0, 1), "{at:?} {result:?}"),
                Manner::CutsEarly | Manner::Cuts | Manner::CutsAnswer | Manner::Unavailable | Manner::Dies => {
                    let error = result.unwrap_err();
                    assert!(error.is_answer_lost(), "{manner:?}, repeatable {is_repeatable}: {error:?}");
                    assert!(at.0 >= 1 && (is_repeatable || at.0 == 1), "{manner:?}: {at:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_read_is_repeated_at_another_address() {
    for manner in [Manner::CutsEarly, Manner::Cuts, Manner::CutsAnswer, Manner::Unavailable, Manner::Dies, Manner::Down]
    {
        let (one, two) = (Node::start(Some("u")).await, Node::start(Some("u")).await);
        let session = signed_in(&[&one, &two]).await;
        one.becomes(manner).await;
        in_time(session.client.license()).await.unwrap_or_else(|error| panic!("{manner:?}: {error}"));
        assert_eq!(session.client.address(), &two.url(), "{manner:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_of_another_cluster_or_of_one_that_is_not_known() {
    for (uuids, reason) in [
        // The second address is another cluster's from now on; at sign-in it was the same one.
        ([Some("u"), Some("other")], "belongs to another cluster: its uuid is other, not u"),
        ([Some("u"), None], "is not known"),
        // Where the cluster didn't tell at sign-in nothing can be compared.
        ([None, None], "can't be reached"),
        ([None, Some("u")], "can't be reached"),
    ] {
        for is_read in [false, true] {
            let (one, two) = (Node::start(uuids[0]).await, Node::start(uuids[0]).await);
            let session = signed_in(&[&one, &two]).await;
            *two.uuid.lock().unwrap() = uuids[1].map(str::to_owned);
            one.becomes(Manner::Down).await;
            let result = match is_read {
                true => in_time(session.client.license()).await.map(drop),
                false => change(&session, false).await,
            };
            let error = result.unwrap_err();
            assert!(error.to_string().contains(reason) && !error.is_answer_lost(), "{uuids:?}: {error}");
            let asked = two.requests.lock().unwrap().clone();
            assert!(asked.iter().all(|request| request.starts_with("GET / ")), "{uuids:?}: {asked:?}");
            assert_eq!(session.client.address(), &one.url());
        }
    }
}

#[tokio::test]
async fn a_sign_in_to_addresses_of_two_clusters_is_refused() {
    let (one, two) = (Node::start(Some("u")).await, Node::start(Some("other")).await);
    let problem = in_time(connect::connect(&several(&[&one, &two]))).await.unwrap_err();
    assert_eq!(problem.title, "The addresses belong to different clusters");
    assert!(problem.detail.contains("(cluster u)") && problem.detail.contains("(cluster other)"), "{problem:?}");
}

#[tokio::test]
async fn a_test_names_the_addresses_that_respond_and_those_that_do_not() {
    let (one, two) = (Node::start(Some("u")).await, Node::start(Some("u")).await);
    let steps = async |nodes: &[&Node]| {
        let mut steps = Vec::new();
        in_time(connect::test(&several(nodes), |step| steps.push(step))).await;
        steps
    };
    let all = steps(&[&one, &two]).await;
    assert!(matches!(&all[0].result, StepResult::Good(title, _) if title == "All 2 addresses respond"), "{all:?}");
    one.becomes(Manner::Down).await;
    let half = steps(&[&one, &two]).await;
    let (down, up) = (one.url().host().to_owned(), two.url().host().to_owned());
    let StepResult::Mind(title, detail) = &half[0].result else { panic!("{half:?}") };
    assert!(half[0].step == ConnectionCheck::Addresses && title.starts_with("1 of 2 addresses"), "{title}");
    assert!(detail.contains(&format!("{down} does not: ")) && detail.contains(&format!("{up} responds")), "{detail}");
    let reached = half.iter().find(|step| step.step == ConnectionCheck::Reach).unwrap();
    assert!(matches!(&reached.result, StepResult::Good(_, host) if *host == up), "{reached:?}");

    let other = Node::start(Some("other")).await;
    let mixed = steps(&[&two, &other]).await;
    let [step] = &mixed[..] else { panic!("{mixed:?}") };
    assert!(matches!(&step.result, StepResult::Failed(problem) if problem.title.contains("different clusters")));
}
