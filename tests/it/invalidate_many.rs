//! Thousands of keys: stopped in the middle, refused in the middle, and each id with one fate.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use keybearer::{
    model::{api_key::KeyId, rotation::ClusterRef, update::draft::UpdateDraft},
    ops::{
        Outcome, Session,
        invalidate::{self, CHUNK, InvalidationPlan},
        keys::{key_set::KeySet, list},
        update,
        update::plan::{self, Keys},
    },
};

use crate::front::{Front, Line};

/// Fails instead of hanging; thousands of keys take the practice cluster a while.
async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(180), future).await.expect("it took longer than 180 seconds")
}

/// The ids of all keys that are not invalidated, and those that are.
async fn truth(session: &Session) -> (BTreeSet<KeyId>, BTreeSet<KeyId>) {
    let list = list::all(session, |_| ()).await.unwrap();
    let keys: Vec<_> = list.keys.keys().collect();
    let ids = |gone: bool| keys.iter().filter(|key| key.invalidated == gone).map(|key| key.id.clone()).collect();
    (ids(false), ids(true))
}

fn set<'a>(ids: impl IntoIterator<Item = &'a KeyId>) -> BTreeSet<KeyId> {
    ids.into_iter().cloned().collect()
}

/// Each id has one fate, and what is said to be done is done, to the key.
async fn agrees(session: &Session, ids: &[KeyId], gone_before: &BTreeSet<KeyId>, outcome: &Outcome) {
    let fates = outcome.done.len() + outcome.failed.len() + outcome.untouched.len();
    let done = set(&outcome.done);
    let all: BTreeSet<KeyId> = &(&done | &set(&outcome.untouched)) | &set(outcome.failed.iter().map(|(id, _)| id));
    assert_eq!((fates, all), (ids.len(), set(ids)));
    let (_, gone) = truth(session).await;
    assert_eq!(&gone - gone_before, done, "the cluster says something else");
}

#[tokio::test]
async fn stopped_in_the_middle_the_counts_agree_with_the_cluster_to_the_key() {
    let front = Front::start(4 * CHUNK).await;
    let session = front.session("officer").await;
    let (valid, gone) = truth(&session).await;
    let ids: Vec<KeyId> = valid.into_iter().collect();
    // The answers dawdle, so that the stop falls while one is on its way.
    front.when("DELETE", "/_security/api_key", |_| Line::Holds(80));
    let stop = AtomicBool::new(false);
    let mut most_on_the_way = 0;
    let mut settled_when_stopped = None;
    let plan = InvalidationPlan { ids: ids.clone(), ..InvalidationPlan::default() };
    let outcome = patiently(invalidate::many(&session, plan, &stop, |news| {
        most_on_the_way = most_on_the_way.max(news.in_flight);
        let settled = news.outcome.done.len() + news.outcome.failed.len();
        assert_eq!(settled + news.in_flight + news.waiting, ids.len(), "nothing is lost on the way");
        if settled >= CHUNK && settled_when_stopped.is_none() {
            settled_when_stopped = Some(settled);
            stop.store(true, Ordering::Relaxed);
        }
    }))
    .await;
    assert!(outcome.stopped && outcome.failed.is_empty(), "{:?}", outcome.failed.first());
    assert!(!outcome.untouched.is_empty() && outcome.done.len() >= CHUNK);
    // While one chunk was proved the next one was on its way, never more.
    assert!(most_on_the_way <= 2 * CHUNK && outcome.done.len() <= settled_when_stopped.unwrap() + 2 * CHUNK);
    agrees(&session, &ids, &gone, &outcome).await;

    let rest: Vec<KeyId> = outcome.resumable().cloned().collect();
    let after = patiently(invalidate::many(
        &session,
        InvalidationPlan { ids: rest.clone(), ..InvalidationPlan::default() },
        &AtomicBool::new(false),
        |_| (),
    ))
    .await;
    assert!(after.is_complete());
    let gone = &gone | &set(&outcome.done);
    agrees(&session, &rest, &gone, &after).await;
}

#[tokio::test]
async fn stopped_before_it_began_nothing_is_sent() {
    let front = Front::start(20).await;
    let session = front.session("officer").await;
    let (valid, gone) = truth(&session).await;
    let ids: Vec<KeyId> = valid.into_iter().collect();
    let outcome = invalidate::invalidate(&session, &ids, false, &AtomicBool::new(true), |_| ()).await;
    assert!(outcome.stopped && outcome.untouched == ids);
    agrees(&session, &ids, &gone, &outcome).await;
}

#[tokio::test]
async fn a_line_that_breaks_in_the_middle_leaves_each_key_with_its_true_fate() {
    let front = Front::start(3 * CHUNK + 500).await;
    let session = front.session("officer").await;
    let (valid, gone) = truth(&session).await;
    let ids: Vec<KeyId> = valid.into_iter().collect();
    // Of the second chunk every try is lost on the way there, of the third every answer.
    front.when("DELETE", "/_security/api_key", |number| match number {
        2..=4 => Line::CutBefore,
        5..=7 => Line::CutAfter,
        _ => Line::Holds(0),
    });
    let plan = InvalidationPlan { ids: ids.clone(), ..InvalidationPlan::default() };
    let outcome = patiently(invalidate::many(&session, plan, &AtomicBool::new(false), |_| ())).await;
    assert_eq!(outcome.failed.len(), CHUNK);
    assert!(outcome.failed.iter().all(|(_, reason)| reason.reason().contains("still valid")));
    agrees(&session, &ids, &gone, &outcome).await;
}

#[tokio::test]
async fn what_is_not_one_s_own_fails_and_what_a_product_made_is_not_touched() {
    let front = Front::start(320).await;
    let session = front.session("officer").await;
    let (_, gone) = truth(&session).await;
    let keys: Vec<_> = list::all(&session, |_| ()).await.unwrap().keys.keys().filter(|key| !key.invalidated).collect();
    let plan = InvalidationPlan::of(&keys);
    let (ids, managed) = (plan.ids.clone(), plan.managed.clone());
    assert!(managed.len() >= 5, "Kibana's and Fleet's");
    let outcome = patiently(invalidate::many(&session, plan, &AtomicBool::new(false), |_| ())).await;
    assert_eq!(set(&outcome.untouched), managed.iter().cloned().collect());
    assert!(outcome.untouched.iter().all(|id| outcome.why_untouched(id).contains("not confirmed")));
    assert_eq!(outcome.resumable().count(), 0);
    agrees(&session, &ids, &gone, &outcome).await;
}

#[tokio::test]
async fn a_plan_of_another_cluster_is_not_carried_out_at_the_same_address() {
    let front = Front::start(200).await;
    let session = front.session("officer").await;
    let before = truth(&session).await;
    let mut own: Vec<_> = list::all(&session, |_| ()).await.unwrap().keys.keys().collect();
    own.retain(|key| session.owns(key) && !key.invalidated && key.expires.is_none_or(|at| at > session.now()));
    own.truncate(3);
    let ids: Vec<KeyId> = own.iter().map(|key| key.id.clone()).collect();
    let elsewhere = ClusterRef { uuid: Some("elsewhere".into()), name: Some("old".into()), ..session.cluster() };
    let plan = InvalidationPlan { ids: ids.clone(), cluster: Some(elsewhere.clone()), ..InvalidationPlan::default() };
    let refused = patiently(invalidate::many(&session, plan, &AtomicBool::new(false), |_| ())).await;
    assert!(refused.done.is_empty() && refused.failed.len() == 3, "{refused:?}");
    let reasons = refused.failed.iter().map(|(_, failure)| failure);
    assert!(reasons.clone().all(|failure| !failure.is_unknown() && failure.reason().contains("Not sent: ")));
    assert!(reasons.clone().all(|failure| failure.reason().contains("not old (uuid elsewhere)")), "{refused:?}");

    let keys = Keys::Listed(KeySet::of_keys(&own[..1]));
    let draft = UpdateDraft { set: "a=1".into(), ..UpdateDraft::default() };
    let mut plan = plan::plan(&session, keys, &draft, &jiff::tz::TimeZone::UTC).await.unwrap();
    assert_eq!(plan.cluster, Some(session.cluster()));
    plan.cluster = Some(elsewhere);
    let refused = update::run(&session, &Arc::new(plan), None, &AtomicBool::new(false), |_| ()).await;
    assert!(refused.done.is_empty() && refused.failed.len() == 1, "{refused:?}");
    assert_eq!(truth(&session).await, before);
    // A plan whose cluster did not tell its uuid goes by the session's.
    let unknown = ClusterRef { uuid: None, ..session.cluster() };
    let plan = InvalidationPlan { ids, cluster: Some(unknown), ..InvalidationPlan::default() };
    let done = patiently(invalidate::many(&session, plan, &AtomicBool::new(false), |_| ())).await;
    assert_eq!(done.done.len(), 3, "{done:?}");
}
