//! Tests for lines of the journal: changes are detected, wherever they are made.

use super::{
    verify::{Checker, Fault, read},
    *,
};
use crate::model::Timestamp;

fn entry(number: u64) -> Entry {
    Entry {
        at: Timestamp::from_millis(1_795_521_600_123 + number as i64),
        id: format!("e{number}"),
        action: Action::Invalidate,
        intent: number.is_multiple_of(2).then(|| format!("e{}", number - 1)),
        verdict: Verdict::Success,
        origin: Origin { username: "ana".into(), url: "https://es:9200".into(), ..Origin::default() },
        keys: vec![KeyId::new(format!("k{number}"))],
        failed: vec![FailedKey {
            id: "odd".into(),
            reason: "with \",\"hash\":\"x\"} in it".into(),
            is_unknown: Some(false),
        }],
        request: Some(json!({ "ids": ["k"] })),
        reason: Some("a \n reason".into()),
        torn: None,
        damage: None,
    }
}

fn lines(count: u64) -> Vec<String> {
    let mut previous = BEGINNING.to_owned();
    (1..=count)
        .map(|number| {
            let line = entry(number).line(number, &previous);
            previous = read(&line).unwrap().hash;
            line
        })
        .collect()
}

fn faults(lines: &[String]) -> Vec<(usize, Fault)> {
    let mut checker = Checker::default();
    lines.iter().enumerate().filter_map(|(at, line)| checker.next(line).err().map(|fault| (at + 1, fault))).collect()
}

#[test]
fn a_line_comes_back_as_it_was_written() {
    let line = &lines(1)[0];
    let read = read(line).unwrap();
    assert_eq!((read.at.as_str(), read.sequence, read.id.as_str()), ("2026-11-24T12:00:00.124Z", 1, "e1"));
    assert_eq!((read.user.as_str(), read.cluster.as_str()), ("ana", "https://es:9200"));
    assert!(read.is_intent() && read.is_about("k1") && read.is_about("odd") && !read.is_about("k2"));
    assert_eq!(read.request.as_deref(), Some(r#"{"ids":["k"]}"#));
    assert!(!line.contains('\n') && serde_json::from_str::<Value>(line).is_ok());
}

#[test]
fn an_untouched_journal_has_no_fault() {
    assert_eq!(faults(&lines(20)), []);
    assert_eq!(faults(&[]), []);
}

#[test]
fn a_change_of_any_byte_is_seen_at_its_line() {
    let untouched = lines(3);
    for at in 0..untouched[1].len() {
        let mut bytes = untouched[1].clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let Ok(line) = String::from_utf8(bytes) else { continue };
        let lines = [untouched[0].clone(), line, untouched[2].clone()];
        assert_eq!(faults(&lines).first().map(|(line, _)| *line), Some(2), "byte {at}");
    }
}

#[test]
fn what_is_removed_swapped_added_or_written_anew_is_seen_at_its_place() {
    let mut removed = lines(5);
    removed.remove(2);
    assert_eq!(faults(&removed), [(3, Fault::OutOfPlace { expected: 3, found: 4 })]);
    let mut swapped = lines(5);
    swapped.swap(1, 2);
    assert_eq!(faults(&swapped)[0], (2, Fault::OutOfPlace { expected: 2, found: 3 }));
    let mut double = lines(3);
    double.insert(1, double[0].clone());
    assert_eq!(faults(&double)[0], (2, Fault::OutOfPlace { expected: 2, found: 1 }));
    // Another line with a correct hash of its own does not fit between its neighbors.
    let mut anew = lines(4);
    anew[1] = Entry { reason: None, ..entry(2) }.line(2, &read(&anew[0]).unwrap().hash);
    assert_eq!(faults(&anew), [(3, Fault::OutOfPlace { expected: 3, found: 3 })]);
    let mut beheaded = lines(3);
    beheaded.remove(0);
    assert_eq!(faults(&beheaded)[0].0, 1);
}

#[test]
fn an_intent_without_an_outcome_stays_open() {
    let mut checker = Checker::default();
    lines(5).iter().for_each(|line| drop(checker.next(line).unwrap()));
    assert_eq!(checker.open().iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["e5"]);
}

#[test]
fn two_outcomes_of_one_intent_are_no_fault() {
    let intent = Entry { intent: None, ..entry(1) }.line(1, BEGINNING);
    let first = entry(2).line(2, &read(&intent).unwrap().hash);
    let second = Entry { id: "e3".into(), ..entry(2) }.line(3, &read(&first).unwrap().hash);
    assert_eq!(faults(&[intent, first, second]), []);
}

#[test]
fn an_action_is_a_creation_a_change_or_a_deletion() {
    let kinds = [
        (Action::Create, "creation"),
        (Action::CreateCrossCluster, "creation"),
        (Action::Grant, "creation"),
        (Action::Clone, "creation"),
        (Action::Update, "change"),
        (Action::UpdateCrossCluster, "change"),
        (Action::Rotate, "change"),
        (Action::Invalidate, "deletion"),
    ];
    for (action, kind) in kinds {
        assert_eq!(action.kind(), kind, "{action:?}");
    }
}
