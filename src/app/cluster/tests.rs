//! Tests of an open cluster.

use super::*;
use crate::{
    app::{
        Command,
        rotation::answers::tests::{profile, session},
    },
    worker::{Answer, Event},
};

#[test]
fn whatever_is_read_from_a_cluster_fails_with_its_job() {
    let mut cluster = Cluster::new(profile(), TimeZone::UTC);
    cluster.session.ask(Ticket(1));
    cluster.keys.ask(Ticket(2));
    cluster.roles.ask(Ticket(3));
    cluster.names.ask(Ticket(4));
    cluster.offered.ask(Ticket(5));
    cluster.first_counts.ask(Ticket(6));
    // Each field that can be asked for is asked for here: a new one makes this count wrong.
    let fields = include_str!("mod.rs")
        .lines()
        .take_while(|line| !line.starts_with("impl"))
        .filter(|line| line.trim_start().starts_with("pub ") && line.contains(": Loadable<"));
    assert_eq!(fields.count(), 6);
    (1..=6).for_each(|ticket| cluster.fail(Ticket(ticket)));
    let session = &cluster.session;
    assert!(session.problem().is_some() && cluster.keys.problem().is_some() && cluster.roles.problem().is_some());
    assert!(cluster.names.problem().is_some() && cluster.offered.problem().is_some());
    assert!(cluster.first_counts.problem().is_some() && !session.is_loading());
}

#[test]
fn a_visit_is_noted_by_the_cluster_s_clock_by_which_its_keys_are_created() {
    const AHEAD: TimeDelta = TimeDelta::HOUR;
    let now = Timestamp::from_millis(1_000_000);
    let mut state = State::new(now, TimeZone::UTC);
    state.handle(Command::Connect(Box::new(profile())));
    let ticket = state.clusters[0].session.question().unwrap();
    let session = session();
    session.client.set_own_skew(now + AHEAD, now);
    state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session))) });
    assert_eq!(state.settings.visits.get("p"), Some(&(now + AHEAD)));
}
