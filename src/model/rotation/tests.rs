use crate::model::{TimeDelta, Timestamp};
use proptest::prelude::*;

use crate::model::{api_key::ApiKey, rotation::*};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

pub(crate) fn rotation() -> Rotation {
    Rotation::new(Beginning {
        id: "r1".into(),
        batch: None,
        cluster: ClusterRef { uuid: Some("u".into()), name: None, url: "https://es:9200".into() },
        at: NOW,
        old: OldKey { id: KeyId::new("old"), ..OldKey::default() },
        maker: Person { username: "ana".into(), realm: "native".into() },
        name: "app".into(),
        expiration: "90d".into(),
        grace: TimeDelta::SECOND,
        place: Destination::File { path: "/secrets/app".into() },
        request: "q1".into(),
    })
}

fn id() -> KeyId {
    KeyId::new("new")
}

#[test]
fn the_way_from_the_plan_to_the_proof() {
    let mut way = rotation();
    assert_eq!((way.next(NOW), way.successor()), (Next::Make, None));
    way.created(id()).unwrap();
    way.hand_over_begins().unwrap();
    assert_eq!(way.next(NOW), Next::Make, "somebody may have it, or nobody");
    way.handed_over(id()).unwrap();
    assert_eq!(way.next(NOW), Next::Try);
    way.tried(Tried::Live, NOW).unwrap();
    assert_eq!(
        (way.next(NOW + TimeDelta::from_millis(999)), way.next(NOW + TimeDelta::SECOND)),
        (Next::Wait(NOW + TimeDelta::SECOND), Next::End)
    );
    way.ending().unwrap();
    way.ending().unwrap();
    assert_eq!(
        (way.next(Timestamp::EPOCH), way.due()),
        (Next::End, None),
        "it may have left already, whatever the clock says"
    );
    way.done(NOW + TimeDelta::from_secs(2), Ended::Invalidated).unwrap();
    assert!(way.is_finished() && way.successor() == Some(&id()));
    assert!(way.abandoned(false, NOW).is_err());
}

#[test]
fn nothing_is_ended_whose_successor_was_not_handed_over_and_tried() {
    let mut way = rotation();
    assert!(way.ending().is_err() && way.done(NOW, Ended::Gone).is_err() && way.tried(Tried::Live, NOW).is_err());
    way.created(id()).unwrap();
    assert!(way.ending().is_err() && way.tried(Tried::Live, NOW).is_err() && way.created(id()).is_err());
    assert!(way.handed_over(KeyId::new("another")).is_err());
    way.handed_over(id()).unwrap();
    assert!(way.ending().is_err() && way.plan_again("q2".into()).is_err());
    assert_eq!(way.state, State::HandedOver { successor: id() }, "a refused step changes nothing");
}

#[test]
fn a_successor_without_a_secret_gives_way_to_another_request() {
    let mut way = rotation();
    way.created(id()).unwrap();
    way.plan_again("q2".into()).unwrap();
    way.add_strays(&[id(), id()]);
    way.add_strays(&[id()]);
    assert_eq!((way.request(), way.requests.len(), way.strays.clone()), ("q2", 2, vec![id()]));
    way.created(KeyId::new("second")).unwrap();
    way.hand_over_begins().unwrap();
    way.hand_over_failed().unwrap();
    way.abandoned(true, NOW).unwrap();
    assert_eq!(way.state, State::Abandoned { successor: Some(KeyId::new("second")), kept: true, at: NOW });
}

#[test]
fn what_is_written_is_read_and_what_a_later_release_added_stays() {
    let mut way = rotation();
    way.created(id()).unwrap();
    let text = way.text().unwrap();
    assert_eq!(Rotation::read(&text).unwrap(), way);
    let more = text.replacen('{', "{\"colour\": [1.5, \"red\"],", 1);
    let read = Rotation::read(&more).unwrap();
    assert!(read.text().unwrap().contains("colour") && read.state == way.state);
    assert_eq!(Rotation::read(&text.replace("\"version\": 1", "\"version\": 2")), Err(ReadError::Newer(2)));
    for odd in ["", "{}", "[]", "{\"version\":1}", &text[..text.len() / 2], &text.replace("created", "painted")] {
        assert!(matches!(Rotation::read(odd), Err(ReadError::Unreadable(_))), "{odd}");
    }
}

#[test]
fn a_cluster_is_told_by_its_uuid_before_its_address() {
    let of = |uuid: Option<&str>, url: &str| ClusterRef { uuid: uuid.map(str::to_owned), name: None, url: url.into() };
    assert!(of(Some("u"), "https://a").is_same(&of(Some("u"), "https://b")));
    assert!(!of(Some("u"), "https://a").is_same(&of(Some("v"), "https://a")));
    assert!(of(None, "https://a").is_same(&of(Some("v"), "https://a")));
    assert!(!of(None, "https://a").is_same(&of(None, "https://b")));
}

proptest! {
    /// Invariants of any order of steps: the old key is never ended before the secret of a successor was handed over
    /// and tried, a successor that was handed over is never replaced, and each state survives being stored.
    #[test]
    fn no_order_of_steps_leads_past_the_trial(steps in prop::collection::vec(0u8..9, 0..30)) {
        let mut way = rotation();
        let (mut handed, mut tried) = (None, false);
        for (place, step) in steps.into_iter().enumerate() {
            let fresh = KeyId::new(format!("k{place}"));
            let known = way.successor().cloned().unwrap_or_else(|| fresh.clone());
            let done = match step {
                0 => way.created(fresh),
                1 => way.plan_again(format!("q{place}")),
                2 => way.hand_over_begins(),
                3 => way.hand_over_failed(),
                4 => way.handed_over(known).inspect(|()| handed = way.successor().cloned()),
                5 => way.tried(Tried::Live, NOW).inspect(|()| tried = true),
                6 => way.ending(),
                7 => way.done(NOW, Ended::Invalidated),
                _ => way.abandoned(false, NOW),
            };
            let ends = matches!(way.state, State::Ending { .. } | State::Done { .. });
            prop_assert!(!ends || tried && handed.is_some());
            prop_assert!(handed.is_none() || way.successor() == handed.as_ref());
            prop_assert!(done.is_ok() || step != 8 || way.is_finished());
            prop_assert_eq!(Rotation::read(&way.text().unwrap()).unwrap(), way.clone());
        }
    }
}

#[test]
fn a_rotation_of_which_no_key_works_can_only_be_closed() {
    use KeyState::{Expired, Gone, Invalidated, Unknown, Valid};
    let mut rotation = rotation();
    rotation.created(id()).unwrap();
    rotation.hand_over_begins().unwrap();
    rotation.handed_over(id()).unwrap();
    rotation.tried(Tried::Live, Timestamp::EPOCH).unwrap();
    let before = rotation.due().unwrap() - TimeDelta::MILLISECOND;
    for old in [Valid, Expired, Invalidated, Gone, Unknown] {
        for new in [Valid, Expired, Invalidated, Gone, Unknown] {
            let outlook = rotation.outlook(before, old, new);
            let expected = match (old.has_ended(), new.has_ended()) {
                (true, true) => matches!(&outlook, Outlook::Dead(words) if words.contains(old.word())),
                (true, false) => outlook == Outlook::OldEnded(old) && outlook.is_due(),
                (false, true) => outlook == Outlook::SuccessorEnded(new) && !outlook.is_due(),
                (false, false) => outlook == Outlook::Next(Next::Wait(before + TimeDelta::MILLISECOND)),
            };
            assert!(expected, "{old:?}, {new:?}: {outlook:?}");
        }
    }
    assert_eq!(rotation.outlook(before, Invalidated, Invalidated), Outlook::Dead("both keys are invalidated".into()));
    assert_eq!(rotation.outlook(before + TimeDelta::MILLISECOND, Valid, Valid), Outlook::Next(Next::End));
}

proptest! {
    #[test]
    fn a_text_is_a_rotation_or_is_refused(text in "\\PC{0,200}", depth in 0_usize..2000) {
        let _ = Rotation::read(&text);
        let deep = format!("{{\"version\":1,\"x\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        prop_assert!(Rotation::read(&deep).is_err());
        let whole = rotation().text().unwrap();
        let cut: String = whole.chars().take(depth % whole.len()).collect();
        prop_assert!(Rotation::read(&cut).is_err());
    }
}

#[test]
fn an_end_is_told_by_who_made_it() {
    let words = [Ended::Invalidated, Ended::Before, Ended::Gone].map(Ended::word);
    assert_eq!(words, ["invalidated", "already invalidated", "gone"]);
}

#[test]
fn the_state_of_a_key_is_what_was_read_of_it() {
    let key = |invalidated, expires, flaw: Option<&str>| {
        let flaw = flaw.map(Into::into);
        KeyState::of(&ApiKey { invalidated, expires, flaw, ..ApiKey::default() }, NOW)
    };
    assert_eq!(key(false, None, None), KeyState::Valid);
    assert_eq!(key(false, Some(NOW + crate::model::TimeDelta::from_millis(1)), None), KeyState::Valid);
    assert_eq!(key(false, Some(NOW), None), KeyState::Expired);
    assert_eq!(key(true, Some(NOW), None), KeyState::Invalidated);
    assert_eq!(key(false, None, Some("expiration: it is no number")), KeyState::Unknown);
}
