//! Lines that break after a request has left: what is told in the end is what the cluster knows.

use keybearer::{
    client::ClientError,
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            login::Login,
        },
        create::{CreateKey, Draft, RightsChoice, Surroundings},
        journal::Verdict,
        secret::Secret,
        update::KeyUpdate,
    },
    ops::{
        Outcome, Session,
        connections::connect,
        create::{self, CreateError, Lost},
        invalidate,
        keys::list,
        update,
    },
    sandbox::{Options, Sandbox},
    store::journal::Journal,
};
use serde_json::value::RawValue;
use std::sync::atomic::AtomicBool;

use crate::{
    client_servers::{in_time, key},
    cutting_proxy::{Cut, Fault, Proxy},
    front::{Front, Line},
};

async fn made(session: &Session) -> KeyId {
    create::create(session, &key()).await.unwrap().id
}

async fn read(session: &Session, id: &KeyId) -> ApiKey {
    list::by_id(session, std::slice::from_ref(id)).await.unwrap().keys.remove(0)
}

async fn taken_away(session: &Session, id: &KeyId) -> Outcome {
    invalidate::invalidate(session, std::slice::from_ref(id), false, &AtomicBool::new(false), |_| ()).await
}

#[tokio::test]
async fn an_invalidation_whose_every_answer_is_cut_off_is_proved_all_the_same() {
    let front = Front::start(0).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    let session = front.session("officer").await.with_journal(journal.clone());
    let id = made(&session).await;
    front.when("DELETE", "/_security/api_key", |_| Line::CutAfter);
    let outcome = in_time(taken_away(&session, &id)).await;
    assert_eq!(outcome.done, std::slice::from_ref(&id), "{:?}", outcome.failed);
    assert!(front.count() >= 1 && read(&session, &id).await.invalidated);
    let mut last = String::new();
    journal.check(|entry, _| last.clone_from(&entry.outcome)).unwrap();
    assert_eq!(last, Verdict::Success.word());
}

#[tokio::test]
async fn an_invalidation_that_never_arrives_is_a_failure_and_the_key_is_seen_to_be_valid() {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    let id = made(&session).await;
    front.when("DELETE", "/_security/api_key", |_| Line::CutBefore);
    let outcome = in_time(taken_away(&session, &id)).await;
    assert!(
        outcome.done.is_empty() && outcome.failed[0].1.reason().contains("it is still valid"),
        "{:?}",
        outcome.failed
    );
    assert!(!read(&session, &id).await.invalidated);
    front.when("DELETE", "/_security/api_key", |_| Line::Holds(0));
    assert!(taken_away(&session, &id).await.is_complete(), "once the line holds, it can be tried again");
}

#[tokio::test]
async fn where_neither_the_answer_nor_the_proof_arrives_it_is_not_known() {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    let ids = [made(&session).await, made(&session).await];
    // Everything is cut from the invalidation on, also the reading again.
    front.when("DELETE", "/_security/api_key", |_| Line::CutAfter);
    let outcome = {
        let plan = invalidate::InvalidationPlan { ids: ids.to_vec(), ..invalidate::InvalidationPlan::default() };
        let stop = AtomicBool::new(false);
        let work = invalidate::many(&session, plan, &stop, |_| ());
        let cut = async {
            while front.count() == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            front.when("POST", "/_security/_query", |_| Line::CutBefore);
        };
        in_time(async { tokio::join!(work, cut).0 }).await
    };
    assert_eq!((outcome.done.len(), outcome.failed.len()), (0, 2));
    assert!(outcome.failed.iter().all(|(_, failure)| failure.is_unknown()), "{:?}", outcome.failed);
}

#[tokio::test]
async fn a_creation_whose_answer_is_cut_off_names_the_key_that_it_made() {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    front.when("POST", "/_security/api_key", |_| Line::CutAfter);
    let error = in_time(create::create(&session, &key())).await.unwrap_err();
    let CreateError::Lost(lost) = error else { panic!("{error:?}") };
    let strays = lost.ours();
    assert!(matches!(lost.error, ClientError::Broken { .. }), "{lost:?}");
    assert_eq!((strays.len(), front.count()), (1, 1), "sent once, and found");
    assert!(taken_away(&session, &strays[0].id).await.is_complete());
}

#[tokio::test]
async fn a_creation_that_never_arrives_has_made_nothing() {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    front.when("POST", "/_security/api_key", |_| Line::CutBefore);
    let error = in_time(create::create(&session, &key())).await.unwrap_err();
    let CreateError::Lost(lost) = error else { panic!("{error:?}") };
    let problem = lost.problem();
    assert!(lost.ours().is_empty() && front.count() == 1);
    assert!(
        problem.title.contains("no key from it was found") && problem.hint.contains("meta.request_id:"),
        "{problem:?}"
    );
}

async fn updated(session: &Session, id: &KeyId, expiration: bool) -> Outcome {
    let metadata = RawValue::from_string(r#"{"team":"payments"}"#.into()).ok();
    let span =
        |text| match keybearer::model::time::expiry::Expiry::parse(text, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC) {
            Ok(keybearer::model::time::expiry::Expiry::In(span)) => span,
            other => panic!("{other:?}"),
        };
    let expiration = expiration.then(|| span("9d"));
    let change = KeyUpdate { metadata, expiration, ..KeyUpdate::default() };
    in_time(update::update(session, std::slice::from_ref(id), &change)).await
}

#[tokio::test]
async fn an_update_whose_answer_is_cut_off_is_read_off_the_key() {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    let id = made(&session).await;
    front.when("PUT", "/_security/api_key", |_| Line::CutAfter);
    // A new end counts from each try, so that it is sent once.
    let outcome = updated(&session, &id, true).await;
    assert_eq!((outcome.done.as_slice(), front.count()), (std::slice::from_ref(&id), 1), "{:?}", outcome.failed);
    assert!(read(&session, &id).await.metadata.unwrap().get().contains("payments"));

    let other = made(&session).await;
    front.when("PUT", "/_security/api_key", |_| Line::CutBefore);
    let outcome = updated(&session, &other, true).await;
    assert!(
        outcome.done.is_empty() && outcome.failed[0].1.reason().contains("does not show the change"),
        "{outcome:?}"
    );
    assert!(!read(&session, &other).await.metadata.unwrap().get().contains("payments"));
}

#[test]
fn a_refused_repetition_of_an_invalidation_leaves_it_not_known() {
    let place = Liar::new();
    for first in [Fault::Cut(Cut::After), Fault::RefusedAfter(503), Fault::RefusedAfter(504), Fault::Truncated(50)] {
        for then in [Fault::Refused(403), Fault::Refused(400), Fault::Refused(404)] {
            let (session, journal) = place.session();
            let id = place.runtime.block_on(made(&session));
            place.proxy.calm();
            // Which cluster answers is asked first, then it is invalidated.
            place.proxy.when(|seen| seen.number == 2, first);
            place.proxy.when(|seen| seen.number > 2, then);
            let outcome = place.runtime.block_on(in_time(taken_away(&session, &id)));
            assert_eq!((outcome.failed.len(), outcome.unknown()), (1, 1), "{first:?}, {then:?}: {outcome:?}");
            assert_eq!(last_verdict(&journal), Verdict::Unknown.word(), "{first:?}, {then:?}");
            place.proxy.calm();
            assert!(place.runtime.block_on(read(&session, &id)).invalidated);
        }
    }
}

#[test]
fn an_update_is_sent_once_whatever_becomes_of_its_answer() {
    let place = Liar::new();
    let (session, _journal) = place.session();
    let metadata = |text: &str| RawValue::from_string(text.to_owned()).ok();
    for cut in [Cut::Before, Cut::After] {
        place.proxy.calm();
        let made = place.runtime.block_on(create::create(&session, &key())).unwrap();
        place.proxy.at(|seen| seen.method == "PUT", cut);
        // What somebody else writes while the answer is waited for stays.
        let other = KeyUpdate { metadata: metadata(r#"{"incident":"leaked"}"#), ..KeyUpdate::default() };
        let mine = KeyUpdate { metadata: metadata(r#"{"a":1}"#), ..KeyUpdate::default() };
        let outcome = place.runtime.block_on(async {
            let update = update::update(&session, std::slice::from_ref(&made.id), &mine);
            let overtaken = async {
                while place.proxy.seen().iter().all(|seen| seen.method != "PUT") {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                place.direct().update_api_key(&made.id, &other).await.unwrap();
            };
            in_time(async { tokio::join!(update, overtaken).0 }).await
        });
        let sent = place.proxy.seen().iter().filter(|seen| seen.method == "PUT").count();
        assert_eq!(sent, 1, "{cut:?}");
        assert!(outcome.done.is_empty() && outcome.failed[0].1.is_unknown(), "{cut:?}: {outcome:?}");
        let now = place.runtime.block_on(place.direct().get_api_key(&made.id, false)).unwrap().unwrap();
        assert_eq!(now.metadata.unwrap().get(), r#"{"incident":"leaked"}"#, "{cut:?}");
    }
}

#[test]
fn a_proof_that_contradicts_the_answer_leaves_it_not_known() {
    let place = Liar::new();
    for lie in [Fault::DropAll, Fault::DropRow, Fault::RowsValid] {
        let (session, journal) = place.session();
        let id = place.runtime.block_on(made(&session));
        place.proxy.calm();
        place.proxy.when(|seen| seen.path.contains("api_key") && seen.method != "DELETE", lie);
        let outcome = place.runtime.block_on(in_time(taken_away(&session, &id)));
        assert_eq!((outcome.done.len(), outcome.unknown()), (0, 1), "{lie:?}: {outcome:?}");
        assert_eq!(last_verdict(&journal), Verdict::Unknown.word(), "{lie:?}");
    }
}

#[test]
fn a_proof_that_is_late_is_read_once_more() {
    let place = Liar::new();
    let (session, _journal) = place.session();
    let id = place.runtime.block_on(made(&session));
    place.proxy.calm();
    // As if another process had ended it a moment ago, which queries don't show yet.
    place.proxy.when(|seen| seen.path.contains("_query"), Fault::RowsValid);
    place.proxy.when(|seen| seen.method == "DELETE", Fault::NamesNothing);
    let outcome = place.runtime.block_on(in_time(taken_away(&session, &id)));
    assert_eq!(outcome.done, [id], "{outcome:?}");
}

#[test]
fn nothing_is_sent_to_another_cluster_at_the_same_address() {
    let place = Liar::new();
    let (session, _journal) = place.session();
    let id = place.runtime.block_on(made(&session));
    place.proxy.calm();
    place.proxy.when(|_| true, Fault::OtherCluster);
    let outcome = place.runtime.block_on(in_time(taken_away(&session, &id)));
    assert!(outcome.failed[0].1.reason().contains("a different cluster responds now"), "{outcome:?}");
    assert_eq!(outcome.unknown(), 0);
    let error = place.runtime.block_on(in_time(create::create(&session, &key()))).unwrap_err();
    assert!(matches!(&error, CreateError::Refused(ClientError::NotSent { reason }) if reason.contains("a different")));
    assert!(place.proxy.seen().iter().all(|seen| seen.method == "GET"), "{:?}", place.proxy.seen());
    // From the creation on, so that it is made there.
    place.proxy.calm();
    place.proxy.when(|seen| seen.number > 1, Fault::OtherCluster);
    let created = place.runtime.block_on(in_time(create::create(&session, &key()))).unwrap();
    assert!(created.doubts[0].contains("not known on which cluster"), "{:?}", created.doubts);
}

/// A practice cluster of a version without a query and without metadata, as its proxy tells.
fn old_cluster(place: &Liar) {
    place.proxy.when(|seen| seen.path == "/", Fault::OtherVersion("7.10.2"));
}

/// A creation whose request or answer is held, while the same user makes another key of that name elsewhere.
fn lost_beside_another(place: &Liar, session: &Session, cut: Cut) -> Lost {
    place.proxy.calm();
    place.proxy.at(|seen| seen.is("POST", "/_security/api_key"), cut);
    let key = place.old_key(session);
    let error = place.runtime.block_on(async {
        let making = create::create(session, &key);
        let other = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            place.direct().create_api_key(&key, Timestamp::EPOCH).await.unwrap();
            session.interrupt.set();
        };
        in_time(async { tokio::join!(making, other).0 }).await.unwrap_err()
    });
    let CreateError::Lost(lost) = error else { panic!("{error:?}") };
    *lost
}

#[test]
fn before_there_was_metadata_no_key_is_called_a_stray_for_certain() {
    let place = Liar::new();
    place.proxy.calm();
    old_cluster(&place);
    let (session, _journal) = place.session();
    let twin = place.runtime.block_on(create::create(&session, &place.old_key(&session))).unwrap();
    place.proxy.calm();
    place.proxy.at(|seen| seen.is("POST", "/_security/api_key"), Cut::After);
    let error = place.runtime.block_on(in_time(create::create(&session, &place.old_key(&session)))).unwrap_err();
    let CreateError::Lost(lost) = error else { panic!("{error:?}") };
    let found = lost.found.as_ref().unwrap();
    assert_eq!((found.ours.len(), found.perhaps.len()), (0, 1), "{lost:?}");
    assert_ne!(found.perhaps[0].id, twin.id, "the older key of the same name is not of this request");
    // The request never arrived, and the same user makes a key of that name meanwhile.
    let lost = lost_beside_another(&place, &session, Cut::HoldBefore);
    assert!(lost.ours().is_empty(), "it was made by somebody else: {lost:?}");
    assert!(lost.problem().title.contains("not known which key"), "{lost:?}");
    old_cluster(&place);
    let (session, _journal) = place.session();
    // Another one that is made meanwhile can't be told from it.
    let lost = lost_beside_another(&place, &session, Cut::HoldAfter);
    let found = lost.found.as_ref().unwrap();
    assert_eq!((found.ours.len(), found.perhaps.len()), (0, 2), "{lost:?}");
    assert!(lost.problem().detail.contains("may be one of"));
}

/// A practice cluster behind a proxy that lies, with another one beside it.
struct Liar {
    runtime: tokio::runtime::Runtime,
    sandbox: Sandbox,
    _other: Sandbox,
    proxy: Proxy,
    folder: tempfile::TempDir,
    journals: std::cell::Cell<u32>,
}

impl Liar {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let start = || runtime.block_on(Sandbox::start(Options { port: 0, keys: 0, ..Options::default() })).unwrap();
        let (sandbox, other) = (start(), start());
        let proxy = Proxy::beside(&sandbox, &other);
        let folder = tempfile::tempdir().unwrap();
        Self { runtime, sandbox, _other: other, proxy, folder, journals: Default::default() }
    }

    fn endpoint(&self, url: &str, trust: Trust) -> Endpoint {
        Endpoint {
            trust,
            timeout: std::time::Duration::from_secs(20),
            ..Endpoint::new(
                ClusterUrl::parse(url).unwrap(),
                Login::Password { username: "officer".into(), password: Secret::new("officer-password") },
            )
        }
    }

    /// Signed in through the proxy, with a journal of its own.
    fn session(&self) -> (Session, Journal) {
        self.journals.set(self.journals.get() + 1);
        let journal = Journal::at(self.folder.path().join(format!("journal-{}", self.journals.get())));
        let endpoint = self.endpoint(&self.proxy.url(), Trust::System);
        let session = self.runtime.block_on(connect::connect(&endpoint)).unwrap();
        (session.with_journal(journal.clone()), journal)
    }

    /// Speaks to the cluster without the proxy.
    fn direct(&self) -> keybearer::client::Client {
        let print = keybearer::model::connections::fingerprint::Fingerprint::parse(self.sandbox.fingerprint()).unwrap();
        keybearer::client::Client::new(&self.endpoint(self.sandbox.url(), Trust::Fingerprint(print))).unwrap()
    }

    /// A key as it is asked for where there is no metadata.
    fn old_key(&self, session: &Session) -> CreateKey {
        let draft =
            Draft { name: "twin".into(), rights: RightsChoice::Nothing, expiration: "1h".into(), ..Draft::default() };
        let around = Surroundings {
            now: session.now(),
            zone: &jiff::tz::TimeZone::UTC,
            roles: None,
            edition: session.edition,
            by_api_key: false,
        };
        let key = draft.check(around, "request-1").unwrap();
        assert_eq!(key.request_id(), None);
        key
    }
}

fn last_verdict(journal: &Journal) -> String {
    let mut last = String::new();
    journal.check(|entry, _| last.clone_from(&entry.outcome)).unwrap();
    last
}
