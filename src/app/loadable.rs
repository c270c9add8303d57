//! A value that is requested and arrives later. Each answer carries the ticket of its request; a late answer to an old
//! request is ignored.

use crate::{ops::Problem, worker::Ticket};

/// A value that may be missing, requested, stale or failed, or several of these at once: the known value stays visible
/// while a newer one is loading.
#[derive(Debug)]
pub struct Loadable<T> {
    value: Option<T>,
    question: Option<Ticket>,
    problem: Option<Problem>,
}

impl<T> Default for Loadable<T> {
    fn default() -> Self {
        Self { value: None, question: None, problem: None }
    }
}

impl<T> Loadable<T> {
    /// Notes a new request; answers to older ones no longer count.
    pub fn ask(&mut self, ticket: Ticket) {
        self.question = Some(ticket);
    }

    /// Takes an answer. Returns `true` if it belonged to the open request.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<T, Problem>) -> bool {
        if self.question != Some(ticket) {
            return false;
        }
        self.question = None;
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    /// Takes a partial answer; the request stays open. Returns `true` if it belonged to the open request.
    pub fn preview(&mut self, ticket: Ticket, value: T) -> bool {
        let current = self.question == Some(ticket);
        if current {
            self.value = Some(value);
        }
        current
    }

    /// Gives up the open request, and returns its ticket.
    pub fn give_up(&mut self) -> Option<Ticket> {
        self.question.take()
    }

    /// Returns the known value, which may be stale.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Returns the known value for changes in place.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Returns the ticket of the open request.
    pub fn question(&self) -> Option<Ticket> {
        self.question
    }

    /// Returns `true` while a request is open.
    pub fn is_loading(&self) -> bool {
        self.question.is_some()
    }

    /// Returns the problem of the last request; it stays until a request succeeds.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Returns `true` if nothing was ever requested.
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
        assert!(!value.answer(Ticket(1), Ok("old")));
        assert!(value.is_loading());
        assert!(value.answer(Ticket(2), Ok("new")));
        assert_eq!(value.value(), Some(&"new"));
    }

    #[test]
    fn a_failure_leaves_what_was_known() {
        let mut value = Loadable::default();
        value.ask(Ticket(1));
        value.answer(Ticket(1), Ok(7));
        value.ask(Ticket(2));
        value.answer(Ticket(2), Err(Problem::new("It failed", "")));
        assert_eq!((value.value(), value.is_loading()), (Some(&7), false));
        assert!(value.problem().is_some());
    }
}
