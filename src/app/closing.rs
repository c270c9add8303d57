//! Closing the window: what stands in the way is finished first, or asked about, one question after the other. When
//! the last is answered the window closes by itself.

use std::collections::HashSet;

use super::{Cloning, Invalidation, Rotating, State, Updating};
use crate::model::profile::{Environment, Profile, ProfileId};

/// State of closing the window, and the connections that somebody decided not to save.
#[derive(Default)]
pub struct Closing {
    /// `true` while a question is open that was asked because the window is to be closed.
    is_asked: bool,
    /// `true` if the question about connections that are not saved is open.
    asks_unsaved: bool,
    /// `true` if the system asked the program to end while something was under way.
    when_done: bool,
    /// `true` if nothing stands in the way any more.
    now: bool,
    /// `true` if the window should come to the front: it was asked to end and has a question.
    attention: bool,
    /// Connections that a person does not want to save in this run.
    left: HashSet<ProfileId>,
}

/// A step of closing the window, or of keeping a connection for the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosingStep {
    /// Save the connection that was asked about, and go on closing.
    Save,
    /// Close without saving it.
    LeaveUnsaved,
    /// Do not close.
    Stay,
    /// Offer to save this connection no more in this run.
    NotNow(ProfileId),
}

impl State {
    /// Returns `true` if the window may be closed now. Otherwise says or asks what stands in the way: work under
    /// way, a secret that nobody else has, a secret that waits behind it, a connection that is not saved.
    pub fn may_close(&mut self) -> bool {
        self.closing.is_asked = false;
        self.closing.asks_unsaved = false;
        if let Some(words) = self.under_way() {
            self.notice(words);
            return false;
        }
        // A card whose secret is kept makes room for the next one that waits.
        while self.waits_behind() && self.reveal.as_ref().is_some_and(|own| own.rotation.is_none() && own.is_safe()) {
            self.secret_gone();
        }
        if !self.successor_may_close() {
            return false;
        }
        if let Some(reveal) = self.reveal.as_mut().filter(|reveal| !reveal.is_safe()) {
            reveal.asks = true;
            self.closing.is_asked = true;
            return false;
        }
        if self.unsaved().next().is_some() {
            self.closing.is_asked = true;
            self.closing.asks_unsaved = true;
            return false;
        }
        true
    }

    /// Work that can't be left half way, in words.
    fn under_way(&self) -> Option<&'static str> {
        let creating = self.creation.is_running() || self.cloning.as_ref().is_some_and(Cloning::is_running);
        let saving = self.saving.is_some() && self.saving == self.profiles.question();
        [
            (creating, "A key is being created: its secret is about to be shown, once"),
            (
                self.invalidation.as_ref().is_some_and(Invalidation::is_running),
                "Keys are being invalidated: stop it first, or wait",
            ),
            (
                self.updating.as_ref().is_some_and(Updating::is_running),
                "Keys are being updated: stop it first, or wait",
            ),
            (
                self.rotating.as_ref().is_some_and(Rotating::is_running),
                "Keys are being rotated: stop it first, or wait",
            ),
            (saving, "The keyring is being written: answer it, or go on for this run"),
        ]
        .into_iter()
        .find_map(|(is_so, words)| is_so.then_some(words))
    }

    /// The system asked the program to end (a signal): as if the window was to be closed, and once more when what
    /// is under way is done.
    pub(super) fn asked_to_end(&mut self) {
        self.closing.when_done = self.under_way().is_some();
        if self.may_close() {
            self.closing.now = true;
        } else {
            self.closing.attention = true;
        }
    }

    /// Ends what was asked to end as soon as nothing is under way any more.
    pub(super) fn end_when_done(&mut self) {
        if self.closing.when_done && self.under_way().is_none() {
            self.asked_to_end();
        }
    }

    /// A question that was asked because the window is to be closed was answered: the next one, or the end.
    pub(super) fn go_on_closing(&mut self) {
        if self.closing.is_asked {
            self.closing.now = self.may_close();
        }
    }

    /// The window stays: what was asked because of closing is asked no more.
    pub(super) fn stay_open(&mut self) {
        self.closing.is_asked = false;
        self.closing.asks_unsaved = false;
        self.closing.when_done = false;
    }

    /// Returns `true` once when the last question was answered and the window is to be closed.
    pub fn take_close(&mut self) -> bool {
        std::mem::take(&mut self.closing.now)
    }

    /// Returns `true` once when the window has a question that somebody should see.
    pub fn take_attention(&mut self) -> bool {
        std::mem::take(&mut self.closing.attention)
    }

    /// Connections that are open and would be gone, or be as before, after the window was closed: they are not in
    /// the keyring as they are used. None where no keyring was read, or where nothing is kept beyond this run.
    pub fn unsaved(&self) -> impl Iterator<Item = &Profile> {
        let known = self.profiles.value().filter(|read| !read.in_memory).map(|read| read.profiles.as_slice());
        let open = self.clusters.iter().filter(|cluster| cluster.session.value().is_some());
        let open = open.map(|cluster| &cluster.profile).filter(move |profile| !self.closing.left.contains(&profile.id));
        open.filter(move |profile| known.is_some_and(|known| is_unsaved(profile, known)))
    }

    /// The connection that is asked about because the window is to be closed.
    pub fn unsaved_asked(&self) -> Option<&Profile> {
        self.unsaved().next().filter(|_| self.closing.asks_unsaved)
    }

    pub(super) fn closing_step(&mut self, step: ClosingStep) {
        match step {
            ClosingStep::Save => {
                let Some(profile) = self.unsaved_asked().cloned() else { return };
                self.closing.asks_unsaved = false;
                self.save_profile(profile);
            }
            ClosingStep::LeaveUnsaved => {
                let Some(id) = self.unsaved_asked().map(|profile| profile.id.clone()) else { return };
                self.closing.left.insert(id);
                self.go_on_closing();
            }
            ClosingStep::Stay => self.stay_open(),
            ClosingStep::NotNow(id) => drop(self.closing.left.insert(id)),
        }
    }
}

/// Returns `true` if a connection is not among the saved ones, or differs from what was saved. The practice cluster
/// ends with the program, so that there is nothing to save of it.
pub fn is_unsaved(profile: &Profile, known: &[Profile]) -> bool {
    profile.environment != Environment::Sandbox && !known.contains(profile)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        app::{Command, reveal::Copied, rotated::tests::reveal},
        model::secret::Secret,
        ops::vault::ReadProfiles,
        worker::{Answer, Event, Ticket},
    };

    fn state() -> State {
        State::new(0, TimeZone::UTC)
    }

    fn shown(state: &State) -> Option<&str> {
        state.reveal.as_ref().map(|reveal| reveal.id.as_str())
    }

    fn keep(state: &mut State) {
        state.handle(Command::KeepSecret);
        let ticket = last_ticket(state);
        state.apply(Event { ticket, answer: Answer::Kept(Ok("the keyring".into())) });
    }

    fn last_ticket(state: &mut State) -> Ticket {
        state.take_jobs().last().unwrap().ticket
    }

    #[test]
    fn a_secret_that_waits_behind_the_card_is_asked_about_too() {
        let mut state = state();
        state.show_secret(reveal("one"));
        state.show_secret(reveal("two"));
        keep(&mut state);
        assert!(!state.may_close(), "the second would be lost with the window");
        assert_eq!(shown(&state), Some("two"));
        assert!(state.reveal.as_ref().unwrap().asks);
        state.handle(Command::DropSecret);
        assert!(state.reveal.is_none() && state.take_close(), "the last question was answered");
        assert!(!state.take_close(), "once");
    }

    #[test]
    fn the_answer_to_a_copy_marks_the_card_that_was_copied_from() {
        let mut state = state();
        state.show_secret(reveal("one"));
        state.show_secret(reveal("two"));
        state.handle(Command::CopySecret(Secret::new("x")));
        let ticket = last_ticket(&mut state);
        state.handle(Command::DropSecret);
        state.apply(Event { ticket, answer: Answer::Copied(Ok(())) });
        assert_eq!((shown(&state), state.reveal.as_ref().unwrap().copied), (Some("two"), Copied::Never));

        // What is copied next takes the place of what was there.
        state.handle(Command::CopySecret(Secret::new("y")));
        let ticket = last_ticket(&mut state);
        state.apply(Event { ticket, answer: Answer::Copied(Ok(())) });
        assert_eq!(state.reveal.as_ref().unwrap().copied, Copied::OnClipboard);
        assert!(!state.may_close(), "the clipboard is cleared when the window closes");
        state.apply(Event { ticket, answer: Answer::Cleared(Ok(false)) });
        assert_eq!(state.reveal.as_ref().unwrap().copied, Copied::Gone);
    }

    #[test]
    fn a_request_of_the_system_to_end_asks_and_waits_for_what_is_under_way() {
        let mut state = state();
        let ask = |state: &mut State| state.apply(Event { ticket: Ticket(0), answer: Answer::AskedToEnd });
        ask(&mut state);
        assert!(state.take_close(), "nothing stands in the way");

        state.handle(Command::SaveProfile(Box::new(crate::app::rotated::tests::profile())));
        let ticket = last_ticket(&mut state);
        ask(&mut state);
        assert!(!state.take_close() && state.take_attention());
        let read = ReadProfiles { profiles: Vec::new(), unreadable: Vec::new(), in_memory: false };
        state.apply(Event { ticket, answer: Answer::ProfilesChanged(Ok(read)) });
        assert!(state.take_close(), "it ends when the keyring was written");

        state.show_secret(reveal("one"));
        ask(&mut state);
        assert!(!state.take_close() && state.take_attention() && state.reveal.as_ref().unwrap().asks);
        state.handle(Command::GoBackToSecret);
        state.handle(Command::DropSecret);
        assert!(!state.take_close(), "going back takes the request back");
    }
}
