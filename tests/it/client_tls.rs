//! Whom the client believes: certificates of every kind, true and forged, and ports of the wrong kind.

use keybearer::model::Timestamp;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use keybearer::{
    client::{CertificateProblem, Client, ClientError, SeenAuthority, SeenCertificate},
    model::connections::{
        ca::CaCertificates,
        client_certificate::ClientCertificate,
        endpoint::{Endpoint, Trust},
        fingerprint::Fingerprint,
        login::Login,
    },
    ops::connections::connect::{self, ConnectionCheck, StepResult},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::client_servers::{IDENTITY, Sockets, endpoint, http, in_time, key, read_request};

/// What makes a certificate unlike an ordinary one.
type Change = fn(&mut CertificateParams);

/// A certificate with its key.
struct Made {
    der: CertificateDer<'static>,
    key: KeyPair,
    params: CertificateParams,
}

impl Made {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn pem(&self) -> String {
        let der = rcgen_pem(&self.der);
        format!("# our own\n{der}")
    }
}

fn rcgen_pem(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn make(name: &str, by: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let made = match by {
        Some(by) => params.signed_by(&key, &by.issuer()),
        None => params.self_signed(&key),
    };
    Made { der: made.unwrap().der().clone(), key, params }
}

fn authority(name: &str) -> Made {
    make(name, None, |params| {
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    })
}

fn leaf(by: &Made) -> Made {
    make("node-1", Some(by), |_| ())
}

/// Presents a fixed chain and signs with a fixed key, whether they fit or not.
#[derive(Debug)]
struct Presents(Arc<CertifiedKey>);

impl ResolvesServerCert for Presents {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Answers every request over TLS with an identity, and counts the requests that it could read.
struct TlsServer {
    sockets: Sockets,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    async fn start(chain: &[&Made]) -> Self {
        Self::with_key(chain, &chain[0].key).await
    }

    async fn with_key(chain: &[&Made], key: &KeyPair) -> Self {
        Self::with_clients(chain, key, None, &rustls::version::TLS13).await
    }

    /// One that admits only clients with a certificate of this authority, if one is given.
    async fn with_clients(
        chain: &[&Made],
        key: &KeyPair,
        clients: Option<&Made>,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Self {
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let signing = aws_lc_rs::sign::any_supported_type(&der).unwrap();
        let chain = chain.iter().map(|made| made.der.clone()).collect();
        let presents = Presents(Arc::new(CertifiedKey::new(chain, signing)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone());
        let config = match clients {
            None => config.with_safe_default_protocol_versions().unwrap().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                config.with_protocol_versions(&[version]).unwrap().with_client_cert_verifier(verifier)
            }
        };
        let config = config.with_cert_resolver(Arc::new(presents));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let sockets = Sockets::start(move |stream, _| {
            let (acceptor, count) = (acceptor.clone(), count.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                if read_request(&mut stream).await.is_empty() {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(http("200 OK", IDENTITY).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        Self { sockets, requests }
    }

    fn endpoint(&self, trust: Trust) -> Endpoint {
        endpoint(&self.sockets.url("https"), trust)
    }

    /// Asserts that the server is believed.
    async fn is_believed(&self, trust: Trust) -> Client {
        let client = Client::new(&self.endpoint(trust)).unwrap();
        let identity = in_time(client.authenticate()).await.unwrap();
        assert_eq!(identity.username, "ana");
        client
    }

    /// Asserts that the server is refused before it has read a single byte of a request.
    async fn is_refused(&self, trust: Trust) -> (CertificateProblem, SeenCertificate) {
        let client = Client::new(&self.endpoint(trust)).unwrap();
        let error = in_time(client.authenticate()).await.unwrap_err();
        assert_eq!(self.requests.load(Ordering::SeqCst), 0);
        assert!(!error.is_answer_lost());
        let ClientError::Certificate { why, seen } = error else { panic!("{error:?}") };
        let seen = *seen.expect("the certificate that was refused");
        assert_eq!(client.certificate().as_ref(), Some(&seen));
        (why, seen)
    }
}

fn file_with(pem: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    std::fs::write(&path, pem).unwrap();
    (folder, path)
}

#[tokio::test]
async fn a_ca_file_is_believed_and_no_other_authority() {
    let ca = authority("Our CA");
    let server = TlsServer::start(&[&leaf(&ca)]).await;
    let (_folder, path) = file_with(&ca.pem());
    let other = authority("Our CA");
    let (_other_folder, other_path) = file_with(&other.pem());
    assert_eq!(server.is_refused(Trust::CaFile(other_path)).await.0, CertificateProblem::UnknownIssuer);
    assert_eq!(server.is_refused(Trust::System).await.0, CertificateProblem::UnknownIssuer);
    // The same certificates kept with the connection are judged in the same way.
    let kept = |pem: String| Trust::Ca(CaCertificates::read(pem.as_bytes()).unwrap());
    assert_eq!(server.is_refused(kept(other.pem())).await.0, CertificateProblem::UnknownIssuer);
    server.is_believed(kept(other.pem() + &ca.pem())).await;
    let client = server.is_believed(Trust::CaFile(path)).await;
    assert_eq!(client.certificate().unwrap().names, ["127.0.0.1", "localhost"]);
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_told_although_another_address_is_there() {
    let (ca, other) = (authority("Our CA"), authority("Other"));
    let (refused, good) = (TlsServer::start(&[&leaf(&other)]).await, TlsServer::start(&[&leaf(&ca)]).await);
    let (_folder, path) = file_with(&ca.pem());
    let several = |first: &TlsServer, second: &TlsServer| {
        let more_urls = vec![second.endpoint(Trust::System).url];
        Client::new(&Endpoint { more_urls, ..first.endpoint(Trust::CaFile(path.clone())) }).unwrap()
    };
    let error = in_time(several(&refused, &good).authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Certificate { .. }), "{error:?}");
    assert_eq!(good.requests.load(Ordering::SeqCst) + refused.requests.load(Ordering::SeqCst), 0);
    in_time(several(&good, &refused).authenticate()).await.unwrap();
}

#[tokio::test]
async fn a_ca_file_with_several_authorities_believes_each() {
    let (first, second) = (authority("First"), authority("Second"));
    let (_folder, path) = file_with(&(first.pem() + &second.pem()));
    TlsServer::start(&[&leaf(&first)]).await.is_believed(Trust::CaFile(path.clone())).await;
    TlsServer::start(&[&leaf(&second)]).await.is_believed(Trust::CaFile(path)).await;
}

#[tokio::test]
async fn a_ca_file_that_is_none_says_why_before_anything_is_sent() {
    let reason = |path: PathBuf| match Client::new(&endpoint("https://localhost:9", Trust::CaFile(path))) {
        Err(ClientError::BadCaFile { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let (folder, path) = file_with("no certificate at all");
    assert!(reason(path).contains("no certificate"));
    assert!(reason(folder.path().join("missing")).contains("there is no such file"));
    assert!(reason(folder.path().to_owned()).contains("it is a folder"));
    let (_folder, path) = file_with("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    assert!(reason(path).contains("malformed"));
    let (_folder, path) = file_with(&rcgen_pem(b"odd"));
    assert!(reason(path).contains("can't be read"));
}

#[tokio::test]
async fn a_pinned_authority_is_the_only_root() {
    let ca = authority("Our CA");
    let (ours, other) = (leaf(&ca), authority("Other CA"));
    let server = TlsServer::start(&[&ours, &ca]).await;
    let client = server.is_believed(Trust::Fingerprint(ca.fingerprint())).await;
    let seen = client.certificate().unwrap();
    assert_eq!(seen.fingerprint, ours.fingerprint());
    assert_eq!(seen.chain, [ours.fingerprint(), ca.fingerprint()]);
    let SeenAuthority { subject, fingerprint, not_after } = seen.ca.unwrap();
    assert!(not_after.is_some());
    assert!(subject.contains("Our CA"));
    assert_eq!(fingerprint, ca.fingerprint());

    let server = TlsServer::start(&[&ours, &ca]).await;
    let (why, _) = server.is_refused(Trust::Fingerprint(other.fingerprint())).await;
    assert_eq!(why, CertificateProblem::PinMismatch { pinned: other.fingerprint(), seen: ca.fingerprint() });
}

#[tokio::test]
async fn a_pinned_authority_in_the_middle_of_the_chain_is_enough() {
    let root = authority("Root");
    let middle = make("Middle", Some(&root), |params| {
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let own = leaf(&middle);
    TlsServer::start(&[&own, &middle]).await.is_believed(Trust::Fingerprint(middle.fingerprint())).await;
    TlsServer::start(&[&own, &middle, &root]).await.is_believed(Trust::Fingerprint(root.fingerprint())).await;
}

#[tokio::test]
async fn a_forged_certificate_beside_the_true_authority_is_refused() {
    let (ca, forger) = (authority("Our CA"), authority("Our CA"));
    let server = TlsServer::start(&[&leaf(&forger), &ca]).await;
    let (why, seen) = server.is_refused(Trust::Fingerprint(ca.fingerprint())).await;
    assert_eq!(why, CertificateProblem::UnknownIssuer);
    assert_eq!(seen.ca.unwrap().fingerprint, ca.fingerprint());
    let server = TlsServer::start(&[&leaf(&forger), &forger, &ca]).await;
    assert_eq!(server.is_refused(Trust::Fingerprint(ca.fingerprint())).await.0, CertificateProblem::UnknownIssuer);
    let alone = make("node-1", None, |_| ());
    let server = TlsServer::start(&[&alone, &ca]).await;
    assert_eq!(server.is_refused(Trust::Fingerprint(ca.fingerprint())).await.0, CertificateProblem::UnknownIssuer);
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_another_one() {
    let (ca, namesake) = (authority("Our CA"), authority("Our CA"));
    let server = TlsServer::start(&[&leaf(&namesake), &namesake]).await;
    let (why, _) = server.is_refused(Trust::Fingerprint(ca.fingerprint())).await;
    assert_eq!(why, CertificateProblem::PinMismatch { pinned: ca.fingerprint(), seen: namesake.fingerprint() });
}

#[tokio::test]
async fn a_chain_that_leaves_out_the_pinned_authority_says_so() {
    let ca = authority("Our CA");
    let server = TlsServer::start(&[&leaf(&ca)]).await;
    let (why, _) = server.is_refused(Trust::Fingerprint(ca.fingerprint())).await;
    assert_eq!(why, CertificateProblem::ChainWithoutPin);
}

#[tokio::test]
async fn a_pinned_server_is_believed_for_itself_whatever_its_name() {
    let ca = authority("Our CA");
    let own = make("node-1", Some(&ca), |params| {
        params.subject_alt_names =
            CertificateParams::new(vec!["elsewhere.example.net".into()]).unwrap().subject_alt_names;
    });
    TlsServer::start(&[&own]).await.is_believed(Trust::Fingerprint(own.fingerprint())).await;
    let self_signed = authority("Server and CA in one");
    TlsServer::start(&[&self_signed]).await.is_believed(Trust::Fingerprint(self_signed.fingerprint())).await;
}

#[tokio::test]
async fn a_pinned_server_is_not_believed_outside_its_dates() {
    let over = make("node-1", None, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let server = TlsServer::start(&[&over]).await;
    assert_eq!(server.is_refused(Trust::Fingerprint(over.fingerprint())).await.0, CertificateProblem::Expired);
    let early = make("node-1", None, |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1));
    let server = TlsServer::start(&[&early]).await;
    assert_eq!(server.is_refused(Trust::Fingerprint(early.fingerprint())).await.0, CertificateProblem::NotYetValid);
}

#[tokio::test]
async fn a_stolen_certificate_without_its_key_is_refused_in_every_mode() {
    let ca = authority("Our CA");
    let (own, thief) = (leaf(&ca), KeyPair::generate().unwrap());
    let (_folder, path) = file_with(&ca.pem());
    for trust in [
        Trust::Fingerprint(own.fingerprint()),
        Trust::Fingerprint(ca.fingerprint()),
        Trust::CaFile(path),
        Trust::InsecureDev,
    ] {
        let server = TlsServer::with_key(&[&own, &ca], &thief).await;
        let client = Client::new(&server.endpoint(trust)).unwrap();
        let error = in_time(client.authenticate()).await.unwrap_err();
        assert!(matches!(error, ClientError::Certificate { seen: Some(_), .. }), "{error:?}");
        assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn dates_and_host_are_verified_below_a_pin_and_below_a_ca_file() {
    let ca = authority("Our CA");
    let (_folder, path) = file_with(&ca.pem());
    let cases: [(CertificateProblem, Change); 3] = [
        (CertificateProblem::Expired, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1)),
        (CertificateProblem::NotYetValid, |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1)),
        (CertificateProblem::WrongHost, |params| {
            params.subject_alt_names = CertificateParams::new(vec!["es.example.net".into()]).unwrap().subject_alt_names;
        }),
    ];
    for (expected, change) in cases {
        let own = make("node-1", Some(&ca), change);
        let server = TlsServer::start(&[&own, &ca]).await;
        assert_eq!(server.is_refused(Trust::Fingerprint(ca.fingerprint())).await.0, expected);
        assert_eq!(server.is_refused(Trust::CaFile(path.clone())).await.0, expected);
    }
}

#[tokio::test]
async fn a_self_signed_server_in_the_ca_file_is_believed_for_its_own_name() {
    let own = make("node-1", None, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let (_folder, path) = file_with(&own.pem());
    TlsServer::start(&[&own]).await.is_believed(Trust::CaFile(path)).await;
    let elsewhere = make("node-1", None, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.subject_alt_names = CertificateParams::new(vec!["es.example.net".into()]).unwrap().subject_alt_names;
    });
    let (_folder, path) = file_with(&elsewhere.pem());
    let server = TlsServer::start(&[&elsewhere]).await;
    assert_eq!(server.is_refused(Trust::CaFile(path)).await.0, CertificateProblem::WrongHost);
    assert_eq!(server.is_refused(Trust::System).await.0, CertificateProblem::UnknownIssuer);
    let over = make("node-1", None, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let (_folder, path) = file_with(&over.pem());
    let server = TlsServer::start(&[&over]).await;
    assert_eq!(server.is_refused(Trust::CaFile(path)).await.0, CertificateProblem::Expired);
}

#[tokio::test]
async fn an_insecure_profile_believes_all_and_still_shows_what_it_saw() {
    let over = make("node-1", None, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let server = TlsServer::start(&[&over]).await;
    let client = server.is_believed(Trust::InsecureDev).await;
    assert_eq!(client.certificate().unwrap().fingerprint, over.fingerprint());
    assert_eq!(client.certificate().unwrap().not_after, Timestamp::from_millis(1_577_836_800_000));
}

#[tokio::test]
async fn http_to_a_tls_port_is_said_in_so_many_words() {
    // One server sends an alert, the other hangs up without a word as Elasticsearch does.
    let server = TlsServer::start(&[&authority("CA")]).await;
    let port = server.sockets.port;
    let hangs_up = Sockets::start(move |mut stream, _| async move {
        let mut first = [0; 1];
        if stream.peek(&mut first).await.is_ok() && first[0] != 0x16 {
            let _ = stream.read(&mut [0; 4096]).await;
            return;
        }
        let mut behind = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
    })
    .await;
    for url in [server.sockets.url("http"), hangs_up.url("http")] {
        let client = Client::new(&endpoint(&url, Trust::System)).unwrap();
        let error = in_time(client.create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert_eq!(error, ClientError::PlainOnTlsPort);
        assert!(!error.is_answer_lost());
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
}

/// A client's certificate, read from its files as a user has them.
fn client_certificate(made: &Made) -> ClientCertificate {
    let text = rcgen_pem(&made.der) + &made.key.serialize_pem();
    ClientCertificate::read(text.as_bytes(), None, None).unwrap()
}

#[tokio::test]
async fn a_server_that_demands_a_client_certificate_is_told_apart_from_other_tls_faults() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (ca, clients, strangers) = (authority("Our CA"), authority("Clients"), authority("Strangers"));
        let node = leaf(&ca);
        let server = TlsServer::with_clients(&[&node], &node.key, Some(&clients), version).await;
        let (_folder, path) = file_with(&ca.pem());
        let by = |own: Option<ClientCertificate>| Endpoint {
            client_certificate: own,
            login: Login::Certificate,
            ..server.endpoint(Trust::CaFile(path.clone()))
        };
        let ana = make("ana", Some(&clients), |_| ());
        let client = Client::new(&by(Some(client_certificate(&ana)))).unwrap();
        assert_eq!(in_time(client.authenticate()).await.unwrap().username, "ana");
        let requests = server.requests.load(Ordering::SeqCst);
        let refused = |own: Endpoint| async move {
            let error = in_time(Client::new(&own).unwrap().authenticate()).await.unwrap_err();
            assert!(!error.is_answer_lost(), "{error:?}");
            error
        };
        // Without one: with another sign-in, because without both there is nothing to sign in with.
        let missing = Endpoint { login: Login::Bearer(keybearer::model::secret::Secret::new("t0ken")), ..by(None) };
        let error = refused(missing.clone()).await;
        assert_eq!(error, ClientError::ClientCertificateRequired, "{version:?}");
        let mut steps = Vec::new();
        connect::test(&missing, |report| steps.push((report.step, report.result))).await;
        let (step, StepResult::Failed(problem)) = steps.last().unwrap() else { panic!("{steps:?}") };
        assert!(*step == ConnectionCheck::ClientCertificate && problem.title.contains("requires a client certificate"));
        assert!(steps.iter().any(|(step, _)| *step == ConnectionCheck::Certificate), "the server itself is trusted");
        // Of an authority that the server doesn't know, and one that has expired.
        let stranger = make("eve", Some(&strangers), |_| ());
        let old = make("ana", Some(&clients), |params| {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        });
        for own in [&stranger, &old] {
            let own = by(Some(client_certificate(own)));
            let error = refused(own.clone()).await;
            assert!(matches!(error, ClientError::ClientCertificateRefused { .. }), "{version:?}: {error:?}");
        }
        assert_eq!(server.requests.load(Ordering::SeqCst), requests, "no request of theirs was read");
        let (words, is_urgent) = client_certificate(&old).validity(keybearer::ops::clock::now());
        assert!(is_urgent && words.starts_with("expired on"), "{words}");
    }
}

#[tokio::test]
async fn nothing_is_sent_where_there_is_no_certificate_to_sign_in_with() {
    let endpoint = Endpoint { login: Login::Certificate, ..endpoint("https://localhost:9", Trust::System) };
    assert!(matches!(Client::new(&endpoint), Err(ClientError::BadLogin { .. })));
}
