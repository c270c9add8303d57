//! Something that is asked for and comes later. An answer carries the ticket of its question; a late
//! answer to an old question dies here.

use crate::{model::Millis, ops::Problem, worker::Ticket};

/// A value that may be missing, on its way, stale or failed: also several of these at once, so that
/// what was known stays visible while newer is on its way.
#[derive(Debug)]
pub struct Loadable<T> {
    value: Option<T>,
    question: Option<Ticket>,
    problem: Option<Problem>,
    failed_at: Millis,
}

impl<T> Default for Loadable<T> {
    fn default() -> Self {
        Self { value: None, question: None, problem: None, failed_at: 0 }
    }
}

impl<T> Loadable<T> {
    /// A new question was asked; answers to older ones don't count any more.
    pub fn ask(&mut self, ticket: Ticket) {
        self.question = Some(ticket);
    }

    /// Takes an answer. Whether it belonged to the question of the moment.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<T, Problem>, now: Millis) -> bool {
        if self.question != Some(ticket) {
            return false;
        }
        self.question = None;
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.problem = None;
            }
            Err(problem) => {
                self.problem = Some(problem);
                self.failed_at = now;
            }
        }
        true
    }

    /// Takes a part of the answer; the question stays open.
    pub fn preview(&mut self, ticket: Ticket, value: T) -> bool {
        let current = self.question == Some(ticket);
        if current {
            self.value = Some(value);
        }
        current
    }

    /// Nobody waits any more.
    pub fn give_up(&mut self) -> Option<Ticket> {
        self.question.take()
    }

    /// What is known, perhaps stale.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The same, to be changed in place.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// The question that is open.
    pub fn question(&self) -> Option<Ticket> {
        self.question
    }

    /// Whether an answer is on its way.
    pub fn is_loading(&self) -> bool {
        self.question.is_some()
    }

    /// Why the last question failed; stays until one succeeds.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Whether nothing was ever asked.
    pub fn is_untouched(&self) -> bool {
        self.value.is_none() && self.question.is_none() && self.problem.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_to_an_old_question_dies() {
        let mut value = Loadable::default();
        value.ask(Ticket(1));
        value.ask(Ticket(2));
        assert!(!value.answer(Ticket(1), Ok("old"), 0));
        assert!(value.is_loading());
        assert!(value.answer(Ticket(2), Ok("new"), 0));
        assert_eq!(value.value(), Some(&"new"));
    }

    #[test]
    fn a_failure_leaves_what_was_known() {
        let mut value = Loadable::default();
        value.ask(Ticket(1));
        value.answer(Ticket(1), Ok(7), 0);
        value.ask(Ticket(2));
        value.answer(Ticket(2), Err(Problem::new("It failed", "")), 5);
        assert_eq!((value.value(), value.is_loading()), (Some(&7), false));
        assert!(value.problem().is_some());
    }
}
