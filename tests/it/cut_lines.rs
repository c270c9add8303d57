//! Lines that break after a request has left: what is told in the end is what the cluster knows.

use keybearer::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        journal::Verdict,
        update::KeyUpdate,
    },
    ops::{
        Session,
        create::{self, CreateError},
        invalidate, list,
        update::{self, UpdateOutcome},
    },
    store::journal::Journal,
};
use serde_json::value::RawValue;
use std::sync::atomic::AtomicBool;

use crate::{
    client_servers::{in_time, key},
    front::{Front, Line},
};

async fn made(session: &Session) -> KeyId {
    create::create(session, &key()).await.unwrap().id
}

async fn read(session: &Session, id: &KeyId) -> ApiKey {
    list::by_id(session, std::slice::from_ref(id)).await.unwrap().keys.remove(0)
}

async fn taken_away(session: &Session, id: &KeyId) -> invalidate::Outcome {
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
        let plan = invalidate::Plan { ids: ids.to_vec(), ..invalidate::Plan::default() };
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
        problem.title.contains("no key of it was found") && problem.hint.contains("meta.request_id:"),
        "{problem:?}"
    );
}

async fn updated(session: &Session, id: &KeyId, expiration: bool) -> UpdateOutcome {
    let metadata = RawValue::from_string(r#"{"team":"payments"}"#.into()).ok();
    let span = |text| match keybearer::model::expiry::Expiry::parse(text, 0, &jiff::tz::TimeZone::UTC) {
        Ok(keybearer::model::expiry::Expiry::In(span)) => span,
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
    assert_eq!((outcome.updated.as_slice(), front.count()), (std::slice::from_ref(&id), 1), "{:?}", outcome.failed);
    assert!(read(&session, &id).await.metadata.unwrap().get().contains("payments"));

    let other = made(&session).await;
    front.when("PUT", "/_security/api_key", |_| Line::CutBefore);
    let outcome = updated(&session, &other, true).await;
    assert!(
        outcome.updated.is_empty() && outcome.failed[0].1.reason().contains("does not show the change"),
        "{outcome:?}"
    );
    assert!(!read(&session, &other).await.metadata.unwrap().get().contains("payments"));
}
