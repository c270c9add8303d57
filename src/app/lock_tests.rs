use super::*;
use crate::{
    app::{
        InvalidateStep,
        pending::tests::{KEY, state},
        rotation::answers::tests::{profile, reveal, session},
    },
    model::TimeDelta,
    ops::Outcome,
    worker::Event,
};

fn is_wiped(state: &State) -> bool {
    state.lock().is_some_and(Lock::is_wiped)
}

fn assert_nothing_is_left(state: &State) {
    assert!(is_wiped(state));
    assert!(state.clusters.is_empty() && state.profiles.value().is_none() && state.reveal.is_none());
    assert!(state.next_secrets.is_empty() && state.dialogs.front().is_none() && state.notices.is_empty());
    assert!(state.test.is_none() && state.certificate.value().is_none() && state.name_question().is_none());
}

#[test]
fn a_locked_window_has_nothing_and_does_nothing_but_unlock() {
    let mut state = state();
    state.handle(Command::Lock);
    assert_nothing_is_left(&state);
    assert!(state.take_jobs().iter().any(|job| matches!(job.task, Task::ForgetMemory)));
    for command in [
        Command::ReadProfiles,
        Command::Connect(Box::new(profile())),
        Command::Refresh,
        Command::from(InvalidateStep::Send),
        Command::Lock,
    ] {
        state.handle(command);
    }
    assert!(state.take_jobs().is_empty());
    assert_nothing_is_left(&state);
    state.handle(Command::Unlock(None));
    assert!(matches!(&state.take_jobs()[..], [job] if matches!(job.task, Task::Unlock(None, true))));
}

#[test]
fn an_answer_that_comes_after_the_lock_brings_nothing_back() {
    let mut state = state();
    state.handle(Command::Refresh);
    let reading: Vec<Ticket> = state.take_jobs().iter().map(|job| job.ticket).collect();
    state.handle(Command::Lock);
    for ticket in reading {
        state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session()))) });
    }
    assert_nothing_is_left(&state);
}

#[test]
fn what_is_being_changed_is_finished_first() {
    let mut state = state();
    state.handle(Command::from(InvalidateStep::Ask(vec![KeyId::new(KEY)])));
    state.handle(Command::from(InvalidateStep::Send));
    let job = state.take_jobs().into_iter().find(|job| matches!(job.task, Task::Bulk(..))).unwrap();
    state.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Screen) });
    assert!(state.lock().is_some() && !is_wiped(&state), "nothing is shown, and the change goes on");
    let failed = (KeyId::new(KEY), crate::model::failure::Failure::Refused("no".into()));
    let outcome = Outcome { failed: vec![failed], ..Outcome::default() };
    state.apply(Event { ticket: job.ticket, answer: Answer::BulkDone(outcome) });
    assert_nothing_is_left(&state);
    let outcomes = &state.lock().unwrap().outcomes;
    assert!(outcomes[0].contains("1 key failed or are not known"), "{outcomes:?}");
}

#[test]
fn whoever_proves_who_they_are_comes_back_before_a_long_operation_has_ended() {
    let mut state = state();
    state.handle(Command::from(InvalidateStep::Ask(vec![KeyId::new(KEY)])));
    state.handle(Command::from(InvalidateStep::Send));
    state.take_jobs();
    state.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Screen) });
    state.handle(Command::Unlock(None));
    let ticket = state.take_jobs().last().unwrap().ticket;
    let read = ReadProfiles { profiles: vec![profile()], unreadable: Vec::new(), in_memory: false };
    state.apply(Event { ticket, answer: Answer::Unlocked(Ok(read)) });
    assert!(state.lock().is_none() && !state.clusters.is_empty(), "everything is still there");
    assert!(state.dialogs.front().is_some(), "and the operation can be stopped");
}

#[test]
fn a_secret_that_is_being_saved_or_was_copied_ends_no_key() {
    let mut saving = state();
    saving.show_secret(reveal("one"));
    saving.handle(Command::KeepSecret);
    let ticket = saving.take_jobs().last().unwrap().ticket;
    saving.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Screen) });
    assert!(!is_wiped(&saving) && !saving.take_jobs().iter().any(|job| matches!(job.task, Task::Bulk(..))));
    saving.apply(Event { ticket, answer: Answer::Kept(Ok("the keyring".into())) });
    assert_nothing_is_left(&saving);
    let mut copied = state();
    copied.show_secret(reveal("one"));
    copied.reveal.as_mut().unwrap().copied = Copied::Gone;
    copied.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Screen) });
    assert_nothing_is_left(&copied);
    assert!(!copied.take_jobs().iter().any(|job| matches!(job.task, Task::Bulk(..))));
    let outcomes = &copied.lock().unwrap().outcomes;
    assert!(outcomes[0].contains("was copied before Keybearer locked"), "{outcomes:?}");
}

#[test]
fn a_secret_that_nobody_has_stored_is_asked_about_or_its_key_is_ended() {
    // By hand: it is asked about first.
    let mut asked = state();
    asked.show_secret(reveal("one"));
    asked.handle(Command::Lock);
    assert!(asked.lock().is_none() && asked.reveal.as_ref().unwrap().asks);
    asked.handle(Command::GoBackToSecret);
    asked.handle(Command::DropSecret);
    assert!(asked.lock().is_none(), "going back means no lock");
    asked.show_secret(reveal("one"));
    asked.handle(Command::Lock);
    asked.handle(Command::DropSecret);
    assert_nothing_is_left(&asked);
    // By the desktop: nobody may be there. Two at once, the second behind the first.
    let mut ended = state();
    ended.show_secret(reveal("one"));
    ended.show_secret(reveal("two"));
    ended.take_jobs();
    ended.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Sleep) });
    assert!(ended.reveal.is_none() && !is_wiped(&ended));
    let jobs = ended.take_jobs();
    let tickets: Vec<Ticket> =
        jobs.iter().filter(|job| matches!(job.task, Task::Bulk(..))).map(|job| job.ticket).collect();
    assert_eq!(tickets.len(), 2);
    let done = Outcome { done: vec![reveal("one").id], ..Outcome::default() };
    ended.apply(Event { ticket: tickets[0], answer: Answer::BulkDone(done) });
    assert!(!is_wiped(&ended));
    ended.apply(Event { ticket: tickets[1], answer: Answer::Panicked });
    assert_nothing_is_left(&ended);
    // What became of them is told once somebody is there again.
    ended.handle(Command::Unlock(None));
    let ticket = ended.take_jobs().last().unwrap().ticket;
    let read = ReadProfiles { profiles: vec![profile()], unreadable: Vec::new(), in_memory: false };
    ended.apply(Event { ticket, answer: Answer::Unlocked(Ok(read)) });
    let [first, second] = ended.lock_outcomes() else { panic!("{:?}", ended.lock_outcomes()) };
    assert!(first.contains("was invalidated") && second.contains("may still be valid"), "{first} {second}");
    let connects = |state: &mut State| state.take_jobs().iter().any(|job| matches!(job.task, Task::Connect(_)));
    assert!(connects(&mut ended), "what was open is opened again");
}

#[test]
fn a_program_that_was_asked_to_end_while_it_locks_still_ends() {
    let mut state = state();
    state.handle(Command::from(InvalidateStep::Ask(vec![KeyId::new(KEY)])));
    state.handle(Command::from(InvalidateStep::Send));
    let job = state.take_jobs().into_iter().find(|job| matches!(job.task, Task::Bulk(..))).unwrap();
    state.apply(Event { ticket: Ticket(0), answer: Answer::LockAsked(LockReason::Screen) });
    state.apply(Event { ticket: Ticket(0), answer: Answer::AskedToEnd });
    assert!(!state.take_close());
    state.apply(Event { ticket: job.ticket, answer: Answer::BulkDone(Outcome::default()) });
    assert!(state.take_close());
    assert_nothing_is_left(&state);
}

#[test]
fn it_is_unlocked_by_the_keyring_or_asks_to_sign_in() {
    let mut state = state();
    state.handle(Command::Lock);
    state.take_jobs();
    let try_it = |state: &mut State, result| {
        state.handle(Command::Unlock(None));
        let ticket = state.take_jobs().last().unwrap().ticket;
        state.apply(Event { ticket, answer: Answer::Unlocked(result) });
    };
    try_it(&mut state, Err(NotUnlocked::SignIn));
    assert!(state.lock().is_some_and(|lock| lock.asks_sign_in));
    try_it(&mut state, Err(NotUnlocked::Problem(Problem::broken())));
    assert!(state.lock().is_some_and(|lock| lock.problem.is_some()));
    let read = ReadProfiles { profiles: Vec::new(), unreadable: Vec::new(), in_memory: false };
    try_it(&mut state, Ok(read));
    assert!(state.lock().is_none() && state.profiles.value().is_some());
}

#[test]
fn an_idle_window_is_locked_at_the_time_it_says_and_not_before() {
    let (mut state, mut never) = (state(), state());
    state.settings.lock_after = Some(10);
    let at = |seconds: i64| Timestamp::EPOCH + TimeDelta::from_secs(seconds);
    state.advance(at(0));
    state.note_input();
    assert_eq!(state.locks_at(), Some(at(600)));
    assert!(state.wake_at().is_some_and(|wake| wake <= at(600)));
    state.advance(at(300));
    state.note_input();
    state.advance(at(899));
    assert!(state.lock().is_none());
    // A clock that is set back begins anew, and locks nothing at once.
    state.advance(at(100));
    assert_eq!(state.locks_at(), Some(at(700)));
    state.advance(at(700));
    assert!(state.lock().is_some_and(|lock| lock.reason == LockReason::Idle(10)));
    never.settings.lock_after = None;
    never.advance(at(0));
    never.advance(at(1_000_000));
    assert!(never.lock().is_none());
}

/// The computer waits until everything was dropped and a frame was drawn after that; not for a window that was locked
/// before.
#[cfg(target_os = "linux")]
#[test]
fn sleep_waits_for_what_is_being_written_and_a_frame() {
    let delay = || {
        let (_, given) = std::os::unix::net::UnixStream::pair().unwrap();
        Answer::SleepBegins(std::os::fd::OwnedFd::from(given).into())
    };
    let mut state = state();
    state.handle(Command::from(InvalidateStep::Ask(vec![KeyId::new(KEY)])));
    state.handle(Command::from(InvalidateStep::Send));
    let job = state.take_jobs().into_iter().find(|job| matches!(job.task, Task::Bulk(..))).unwrap();
    state.apply(Event { ticket: Ticket(0), answer: delay() });
    assert!(state.lock().is_some_and(|lock| lock.reason == LockReason::Sleep));
    state.advance(Timestamp::EPOCH);
    assert!(state.delays_sleep(), "something is being written");
    state.apply(Event { ticket: job.ticket, answer: Answer::BulkDone(Outcome::default()) });
    assert!(is_wiped(&state) && state.delays_sleep(), "the frame that shows the lock is still to be drawn");
    state.advance(Timestamp::EPOCH);
    assert!(!state.delays_sleep());
    state.apply(Event { ticket: Ticket(0), answer: delay() });
    assert!(!state.delays_sleep(), "it was locked before");
}
