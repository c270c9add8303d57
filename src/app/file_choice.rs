//! The file dialog of the desktop: at most one at once. What is done with the file is up to the form that asked.

use super::{State, pending::Waiting};
use crate::{
    store::file_dialog::{ChosenFile, FileQuestion},
    worker::{Task, Ticket},
};

/// State of the file dialog.
#[derive(Debug, Default)]
pub struct FileChoice {
    /// Number of questions so far; the number of a question is that of all before it.
    count: u64,
    /// Dialog that is open, with the number of its question.
    open: Option<(Ticket, u64)>,
    /// The last answer, with the number of its question.
    answer: Option<(u64, ChosenFile)>,
}

impl FileChoice {
    /// Returns `true` while a dialog is open, also if the form that asked for it is gone.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Returns the number of the next question, by which a form knows its answer.
    pub fn next_number(&self) -> u64 {
        self.count
    }

    /// Returns the answer to a question; `None` while the dialog is open, and for older questions than the last.
    pub fn answer(&self, number: u64) -> Option<&ChosenFile> {
        self.answer.as_ref().filter(|(answered, _)| *answered == number).map(|(_, answer)| answer)
    }

    /// Takes the answer of the worker. Ignored if it doesn't belong to the open dialog.
    pub(super) fn chosen(&mut self, ticket: Ticket, answer: ChosenFile) {
        if let Some((_, number)) = self.open.take_if(|(open, _)| *open == ticket) {
            self.answer = Some((number, answer));
        }
    }

    /// Fails the dialog whose job panicked.
    pub(super) fn fail(&mut self, ticket: Ticket) {
        self.chosen(ticket, Err("The file dialog failed: type the path".into()));
    }
}

impl State {
    /// Opens the file dialog, unless one is open.
    pub(super) fn choose_file(&mut self, question: FileQuestion) {
        if self.files.is_open() {
            return;
        }
        let number = self.files.count;
        self.files.count += 1;
        let ticket = self.submit(Task::ChooseFile(question), Waiting::FileChoice);
        self.files.open = Some((ticket, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Command, model::Timestamp, store::file_dialog::FileKind};

    fn ask(state: &mut State) -> (u64, Vec<Ticket>) {
        let number = state.files.next_number();
        let question = FileQuestion { title: "CA file", kind: FileKind::Existing, start: "/tmp".into() };
        state.handle(Command::ChooseFile(question));
        (number, state.take_jobs().into_iter().map(|job| job.ticket).collect())
    }

    #[test]
    fn one_dialog_is_open_at_most_and_each_answer_is_that_of_its_question() {
        let mut state = State::new(Timestamp::EPOCH, jiff::tz::TimeZone::UTC);
        let (first, tickets) = ask(&mut state);
        let [ticket] = tickets[..] else { panic!("{tickets:?}") };
        assert!(state.files.is_open() && state.files.answer(first).is_none());
        assert!(ask(&mut state).1.is_empty());
        state.files.chosen(Ticket(99), Ok(None));
        assert!(state.files.is_open());
        state.files.chosen(ticket, Ok(Some("/tmp/ca.pem".into())));
        assert_eq!(state.files.answer(first), Some(&Ok(Some("/tmp/ca.pem".into()))));
        let (second, tickets) = ask(&mut state);
        assert!(state.files.answer(second).is_none());
        state.files.fail(tickets[0]);
        assert!(state.files.answer(second).is_some_and(Result::is_err) && !state.files.is_open());
        assert_eq!(state.files.answer(first), None);
    }
}
