//! Tests of the proof of an invalidation.

use super::{
    proof::{sort_out, sort_out_unproved, still_valid},
    *,
};
use crate::ops::keys::list::ById;

fn ids(ids: &[&str]) -> Vec<KeyId> {
    ids.iter().copied().map(KeyId::new).collect()
}

#[test]
fn the_session_ends_its_own_key_last_and_by_itself() {
    let plan = InvalidationPlan { ids: ids(&["own", "b", "a", "b"]), own_key_too: true, ..InvalidationPlan::default() };
    let (chunks, guarded) = chunks(plan, Some(&KeyId::new("own")));
    assert_eq!(chunks, [ids(&["b", "a"]), ids(&["own"])]);
    assert!(guarded.is_empty());
}

#[test]
fn what_is_guarded_is_never_sent_without_its_own_word() {
    let managed = HashSet::from([KeyId::new("fleet"), KeyId::new("own")]);
    let plan = InvalidationPlan { ids: ids(&["a", "own", "fleet"]), managed, ..InvalidationPlan::default() };
    let own = KeyId::new("own");
    let sent = |plan: InvalidationPlan| chunks(plan, Some(&own)).0.concat();
    assert_eq!(sent(plan.clone()), ids(&["a"]));
    assert_eq!(sent(InvalidationPlan { managed_too: true, ..plan.clone() }), ids(&["a", "fleet"]));
    // One's own key that a product made needs both words.
    assert_eq!(sent(InvalidationPlan { own_key_too: true, ..plan.clone() }), ids(&["a"]));
    assert_eq!(
        sent(InvalidationPlan { own_key_too: true, managed_too: true, ..plan.clone() }),
        ids(&["a", "fleet", "own"])
    );
    assert_eq!(chunks(plan, Some(&own)).1[&own], Guard::OwnKey);
}

#[test]
fn no_request_is_longer_than_a_chunk() {
    let all: Vec<KeyId> = (0..2 * CHUNK + 1).map(|number| KeyId::new(number.to_string())).collect();
    let (chunks, _) = chunks(InvalidationPlan { ids: all.clone(), ..InvalidationPlan::default() }, None);
    assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK, CHUNK, 1]);
    assert_eq!(chunks.concat(), all);
}

#[test]
fn an_error_is_told_of_the_key_that_it_names() {
    let answer = Invalidation { errors: vec!["Cannot invalidate [b]".into()], ..Invalidation::default() };
    assert!(still_valid(&KeyId::new("b"), &Ok(answer.clone())).reason().contains("Cannot invalidate"));
    assert!(still_valid(&KeyId::new("c"), &Ok(answer)).reason().contains("someone else"));
}

#[test]
fn where_answer_and_proof_contradict_each_other_it_is_not_known() {
    let answer = Ok(Invalidation { invalidated: ids(&["a", "b"]), previously: ids(&["c"]), ..Default::default() });
    let valid = ApiKey { id: KeyId::new("a"), ..ApiKey::default() };
    let read = ById { keys: vec![valid], ..ById::default() };
    let mut outcome = Outcome::default();
    sort_out(ids(&["a", "b", "c", "d"]), &read, &answer, &mut outcome);
    assert_eq!((outcome.done.len(), outcome.unknown()), (0, 3), "{:?}", outcome.failed);
    assert!(outcome.failed[0].1.reason().ends_with("it is still valid when read back"));
    assert!(outcome.failed[1].1.reason().ends_with("does not exist when read back"));
    assert!(!outcome.failed[3].1.is_unknown(), "a key that no answer names is not there: that is certain");
}

#[test]
fn a_refused_repetition_proves_nothing_where_the_first_try_may_have_worked() {
    let lost = ClientError::Broken { reason: "reset".into(), maybe_sent: true, status: None };
    let no = ClientError::Forbidden { action: None, reason: "no".into(), privileges: Vec::new() };
    let again = ClientError::RefusedRepetition { first: Box::new(lost.clone()), then: Box::new(no.clone()) };
    for (answer, unknown) in [(again, 1), (no, 0)] {
        let mut outcome = Outcome::default();
        sort_out_unproved(ids(&["a"]), Err(answer.clone()), &lost, false, &mut outcome);
        assert_eq!(outcome.unknown(), unknown, "{:?}", outcome.failed);
        let mut outcome = Outcome::default();
        let valid = ById { keys: vec![ApiKey { id: KeyId::new("a"), ..ApiKey::default() }], ..ById::default() };
        sort_out(ids(&["a"]), &valid, &Err(answer), &mut outcome);
        assert_eq!(outcome.unknown(), unknown, "{:?}", outcome.failed);
    }
}
