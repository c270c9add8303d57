//! Closing the window: pending work is finished first, and open questions are asked one after the other. The window
//! closes by itself after the last answer. A request to close lasts as long as its question is open.

use std::collections::HashSet;

use super::{Reveal, State};
use crate::model::connections::profile::{Environment, Profile, ProfileId};

/// State of closing the window, and the connections that the user decided not to save.
#[derive(Default)]
pub struct Closing {
    /// `true` while a question is open that was asked because the window is to be closed.
    is_asked: bool,
    /// `true` if closing was refused because of running work; the reason is shown while that goes on.
    is_refused: bool,
    /// `true` if the question about connections that are not saved is open.
    asks_unsaved: bool,
    /// `true` if the system asked the program to end while something was under way.
    when_done: bool,
    /// `true` if nothing prevents closing any more.
    now: bool,
    /// `true` if the window should come to the front: it was asked to end and has a question.
    attention: bool,
    /// Connections that are not offered for saving: the user declined, or the keyring entry was changed after they were
    /// opened. Signing in again removes them from this set.
    left: HashSet<ProfileId>,
    /// Connections that stay unsaved if the window closes now; cleared if it stays open.
    leaving: HashSet<ProfileId>,
}

/// A step of closing the window, or of saving a connection for the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosingStep {
    /// Save the connection that was asked about, and continue closing.
    Save,
    /// Close without saving the connection.
    LeaveUnsaved,
    /// Do not close.
    Stay,
    /// Do not offer to save this connection again in this run.
    NotNow(ProfileId),
}

impl State {
    /// Returns `true` if the window may be closed now. Otherwise shows or asks what prevents it: running work, a secret
    /// that nobody else has, a secret that waits behind it, a connection that is not saved.
    pub fn may_close(&mut self) -> bool {
        self.closing.is_asked = false;
        self.closing.asks_unsaved = false;
        // Nothing was sent for it.
        self.drop_name_question();
        self.drop_credential_questions();
        self.closing.is_refused = false;
        if let Some(words) = self.under_way() {
            self.closing.is_refused = true;
            self.notice(words);
            return false;
        }
        // A card whose secret is kept makes room for the next one that waits.
        while self.waits_behind() && self.reveal.as_ref().is_some_and(|own| own.rotation.is_none() && own.is_safe()) {
            self.secret_gone();
        }
        // That of a successor is closed by a word of its own, wherever its secret is.
        let asks = |reveal: &&mut Reveal| reveal.rotation.is_some() || !reveal.is_safe();
        if let Some(reveal) = self.reveal.as_mut().filter(asks) {
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

    /// Returns a sentence about work that can't be interrupted; `None` if there is none.
    pub(super) fn under_way(&self) -> Option<&'static str> {
        const SAVING: &str = "The keyring is being updated: respond to its prompt, or continue without saving";
        const WRITING: &str = "A file is being written: wait until it is complete, or stop it";
        let creating = self.creation.is_running().then_some(super::create::SECRET_COMES);
        let writing = || self.pending.writes_file().then_some(WRITING);
        const LOCKING: &str = "What was being written when Keybearer locked is being finished: wait a moment";
        let locking = || (self.lock().is_some() && self.pending.is_writing()).then_some(LOCKING);
        creating
            .or_else(|| self.dialogs.blocks_closing())
            .or_else(locking)
            .or_else(|| self.pending.changes_profiles().then_some(SAVING))
            .or_else(writing)
    }

    /// Returns the reason why closing was refused, while the work that prevented it goes on.
    pub fn refusal(&self) -> Option<&'static str> {
        self.under_way().filter(|_| self.closing.is_refused)
    }

    /// Handles the system's request to end the program (a signal) as if the window was to be closed, and once more when
    /// running work is done.
    pub(super) fn asked_to_end(&mut self) {
        self.closing.when_done = self.under_way().is_some();
        if self.may_close() {
            self.closing.now = true;
        } else {
            self.closing.attention = true;
        }
    }

    /// Closes the window that was asked to end as soon as no work is running any more.
    pub(super) fn end_when_done(&mut self) {
        if self.closing.when_done && self.under_way().is_none() {
            self.asked_to_end();
        }
    }

    /// Continues closing after a question was answered: asks the next one, or closes.
    pub(super) fn resume_closing(&mut self) {
        // The answer of a keyring that is being written continues by itself.
        if self.closing.is_asked && !self.pending.changes_profiles() {
            self.closing.now = self.may_close();
        }
    }

    /// Keeps the window open: all questions about closing are dropped, and asked again the next time.
    pub(super) fn stay_open(&mut self) {
        self.closing.is_asked = false;
        self.closing.asks_unsaved = false;
        self.closing.when_done = false;
        self.closing.leaving.clear();
    }

    /// Forgets a request to close whose question disappeared without an answer.
    pub(super) fn settle_closing(&mut self) {
        if self.closing.is_asked && !self.closing.now && !self.has_dialog() && self.under_way().is_none() {
            self.stay_open();
        }
        self.closing.is_refused &= self.under_way().is_some();
    }

    /// Notes that the keyring entry of a connection was changed or removed: the open connection is no longer offered
    /// for saving, which would undo the change.
    pub(super) fn entry_changed(&mut self, id: ProfileId) {
        if self.clusters.iter().any(|cluster| cluster.profile.id == id) {
            self.closing.left.insert(id);
        }
    }

    /// Notes that a connection was opened: decisions about an earlier one under the same entry do not apply to it.
    pub(super) fn entry_opened(&mut self, id: &ProfileId) {
        self.closing.left.remove(id);
        self.closing.leaving.remove(id);
    }

    /// Returns `true` once when the last question was answered and the window is to be closed.
    pub fn take_close(&mut self) -> bool {
        std::mem::take(&mut self.closing.now)
    }

    /// Returns `true` once when the window has a question that the user should see.
    pub fn take_attention(&mut self) -> bool {
        std::mem::take(&mut self.closing.attention)
    }

    /// Returns open connections whose current state is not in the keyring and would be lost with the window. None if no
    /// keyring was read, or if nothing is kept beyond this run.
    pub fn unsaved(&self) -> impl Iterator<Item = &Profile> {
        let known = self.profiles.value().filter(|read| !read.in_memory).map(|read| read.profiles.as_slice());
        let open = self.clusters.iter().filter(|cluster| cluster.session.value().is_some());
        let decided = |id: &ProfileId| self.closing.left.contains(id) || self.closing.leaving.contains(id);
        let open = open.map(|cluster| &cluster.profile).filter(move |profile| !decided(&profile.id));
        open.filter(move |profile| known.is_some_and(|known| is_unsaved(profile, known)))
    }

    /// Returns the connection that is asked about because the window is to be closed.
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
                self.closing.leaving.insert(id);
                self.resume_closing();
            }
            ClosingStep::Stay => self.stay_open(),
            ClosingStep::NotNow(id) => drop(self.closing.left.insert(id)),
        }
    }
}

/// Returns `true` if a connection is not among the saved ones, or differs from what was saved. The practice cluster
/// ends with the program, so there is nothing to save.
pub fn is_unsaved(profile: &Profile, known: &[Profile]) -> bool {
    let saved = profile.as_saved();
    profile.environment != Environment::Sandbox && !known.iter().any(|known| known.as_saved() == saved)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        app::{
            Command, DialogKind, InvalidateStep,
            dialogs::secret_card::Copied,
            rotation::answers::tests::{reveal, session},
        },
        model::{Timestamp, api_key::KeyId, connections::endpoint::ClusterUrl, secret::Secret},
        ops::{Session, connections::vault::ReadProfiles},
        worker::{Answer, Event, Task, Ticket},
    };

    fn state() -> State {
        State::new(Timestamp::EPOCH, TimeZone::UTC)
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
        state.apply(Event { ticket, answer: Answer::Cleared(Ok(true)) });
        assert_eq!(state.reveal.as_ref().unwrap().copied, Copied::OnClipboard, "nobody asked for that");
        state.handle(Command::ClearClipboard);
        let clearing = last_ticket(&mut state);
        state.apply(Event { ticket: clearing, answer: Answer::Cleared(Ok(false)) });
        assert_eq!(state.reveal.as_ref().unwrap().copied, Copied::Gone);
    }

    #[test]
    fn what_is_said_of_the_clipboard_is_said_of_the_copy_that_is_on_it() {
        let mut state = state();
        state.show_secret(reveal("one"));
        let copied = |state: &State| state.reveal.as_ref().unwrap().copied;
        let copy = |state: &mut State| {
            state.handle(Command::CopySecret(Secret::new("x")));
            state.take_jobs()
        };
        let first = copy(&mut state).pop().unwrap().ticket;
        state.apply(Event { ticket: first, answer: Answer::Copied(Ok(())) });
        state.handle(Command::ClearClipboard);
        let clearing = last_ticket(&mut state);
        // A copy waits until the clipboard is clear: both at once could clear the new one.
        assert!(copy(&mut state).is_empty());
        state.apply(Event { ticket: clearing, answer: Answer::Cleared(Ok(true)) });
        let second = last_ticket(&mut state);
        assert_eq!(copied(&state), Copied::Gone);
        // Whoever clears meanwhile means the copy that is on its way.
        state.handle(Command::ClearClipboard);
        assert!(state.take_jobs().is_empty());
        state.apply(Event { ticket: second, answer: Answer::Copied(Ok(())) });
        let clearing = last_ticket(&mut state);
        assert_eq!(copied(&state), Copied::OnClipboard);
        state.apply(Event { ticket: clearing, answer: Answer::Cleared(Ok(true)) });
        assert_eq!((copied(&state), state.clipboard.may_hold_ours()), (Copied::Gone, false));
    }

    fn open(state: &mut State, profile: &Profile) {
        state.handle(Command::Connect(Box::new(profile.clone())));
        // Where the endpoint is the same it is open already.
        if let Some(job) = state.take_jobs().pop() {
            state.apply(Event { ticket: job.ticket, answer: Answer::Connected(Ok(Box::new(session()))) });
            state.take_jobs();
        }
    }

    fn read(profiles: &[Profile]) -> ReadProfiles {
        ReadProfiles { profiles: profiles.to_vec(), unreadable: Vec::new(), in_memory: false }
    }

    /// A state with this connection in its keyring and open.
    fn with_open(profile: &Profile) -> State {
        let mut state = state();
        state.handle(Command::ReadProfiles);
        let ticket = last_ticket(&mut state);
        state.apply(Event { ticket, answer: Answer::Profiles(Ok(read(std::slice::from_ref(profile)))) });
        open(&mut state, profile);
        state
    }

    fn save(state: &mut State, profile: &Profile) {
        state.handle(Command::SaveProfile(Box::new(profile.clone())));
        let ticket = last_ticket(state);
        state.apply(Event { ticket, answer: Answer::ProfilesChanged(Ok(read(std::slice::from_ref(profile)))) });
    }

    #[test]
    fn saving_an_open_connection_is_not_offered_to_be_undone() {
        let profile = crate::app::rotation::answers::tests::profile();
        let edited = Profile { name: "edited".into(), ..profile.clone() };
        let mut state = with_open(&profile);
        assert_eq!(state.unsaved().count(), 0);
        save(&mut state, &edited);
        assert_eq!(state.unsaved().count(), 0, "the keyring holds what is newer");
        assert!(state.may_close());
        // And what is opened anew and not saved is offered again.
        open(&mut state, &Profile { name: "once more".into(), ..profile.clone() });
        assert_eq!(state.unsaved().count(), 1);
        // Whoever removes it while it is open is not asked to save it.
        let mut state = with_open(&profile);
        state.handle(Command::RemoveProfile(profile.id.clone()));
        let ticket = last_ticket(&mut state);
        state.apply(Event { ticket, answer: Answer::ProfilesChanged(Ok(read(&[]))) });
        assert!(state.unsaved().count() == 0 && state.may_close());
    }

    #[test]
    fn a_key_is_invalidated_from_its_card_only_on_the_cluster_that_it_was_made_on() {
        let profile = crate::app::rotation::answers::tests::profile();
        let sent = |uuids: [Option<&str>; 2], change: fn(&mut Profile)| {
            let mut state = state();
            let mut profile = profile.clone();
            change(&mut profile);
            state.handle(Command::Connect(Box::new(profile)));
            let ticket = last_ticket(&mut state);
            let session = Session { cluster_uuid: uuids[0].map(str::to_owned), ..session() };
            state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session))) });
            state.take_jobs();
            let mut card = reveal("one");
            card.cluster_uuid = uuids[1].map(str::to_owned);
            state.show_secret(card);
            state.handle(Command::InvalidateSecret);
            let is_sent = state.take_jobs().iter().any(|job| matches!(job.task, Task::Bulk(..)));
            assert_eq!(is_sent, state.reveal.as_ref().unwrap().refusal.is_none(), "the card tells why not");
            is_sent
        };
        let same = |_: &mut Profile| ();
        assert!(sent([None, None], same) && sent([Some("a"), Some("a")], same) && sent([Some("a"), None], same));
        assert!(!sent([Some("b"), Some("a")], same), "another cluster at the same address");
        let other = |own: &mut Profile| own.endpoint.url = ClusterUrl::parse("http://localhost:9999").unwrap();
        assert!(!sent([None, None], other) && !sent([Some("a"), Some("a")], other));
    }

    #[test]
    fn a_key_that_was_not_read_yet_is_not_called_invalidated() {
        let mut state = with_open(&crate::app::rotation::answers::tests::profile());
        state.handle(Command::from(InvalidateStep::Ask(vec![KeyId::new("stray")])));
        assert!(!state.dialogs.is_open(DialogKind::Invalidate));
        let said = &state.notices.back().unwrap().text;
        assert!(said.contains("refresh the list first") && !said.contains("invalidated already"), "{said}");
    }

    #[test]
    fn a_request_to_close_ends_with_its_question() {
        let profile = crate::app::rotation::answers::tests::profile();
        let mut state = with_open(&profile);
        open(&mut state, &Profile { name: "other".into(), ..profile.clone() });
        assert!(!state.may_close() && state.unsaved_asked().is_some());
        // Left unsaved for this closing only: whoever then stays is asked again.
        state.show_secret(reveal("one"));
        state.handle(Command::Closing(ClosingStep::LeaveUnsaved));
        assert!(!state.take_close() && state.reveal.as_ref().unwrap().asks);
        state.handle(Command::GoBackToSecret);
        state.handle(Command::DropSecret);
        assert!(!state.take_close());
        assert!(!state.may_close() && state.unsaved_asked().is_some(), "it was to be asked about again");

        // The question goes without an answer: nothing closes by itself later.
        state.handle(Command::Disconnect(profile.id.clone()));
        assert!(!state.take_close());
        state.show_secret(reveal("two"));
        state.handle(Command::DropSecret);
        assert!(!state.take_close(), "an old request to close was carried out");

        // The secret that was asked about is kept: the card stays, and so does the window.
        state.show_secret(reveal("three"));
        assert!(!state.may_close());
        keep(&mut state);
        state.handle(Command::CloseSecret);
        assert!(state.reveal.is_none() && !state.take_close());
    }

    #[test]
    fn what_is_being_written_is_not_cut() {
        let mut state = state();
        let profile = crate::app::rotation::answers::tests::profile();
        state.handle(Command::SaveProfile(Box::new(profile)));
        let saving = last_ticket(&mut state);
        // A question that came later does not hide that the keyring was not written yet.
        state.handle(Command::ReadProfiles);
        let reading = last_ticket(&mut state);
        state.apply(Event { ticket: reading, answer: Answer::Profiles(Ok(read(&[]))) });
        assert!(!state.may_close() && state.refusal().is_some());
        state.apply(Event { ticket: saving, answer: Answer::ProfilesChanged(Ok(read(&[]))) });
        assert!(state.may_close() && state.refusal().is_none());

        state.handle(Command::SavePicture("picture.png".into(), Vec::new()));
        let writing = last_ticket(&mut state);
        assert!(!state.may_close());
        state.apply(Event { ticket: writing, answer: Answer::Exporting(5) });
        assert!(state.refusal().is_some(), "it is not complete");
        state.apply(Event { ticket: writing, answer: Answer::PictureSaved(Ok("picture.png".into())) });
        assert!(state.may_close());
    }

    #[test]
    fn a_request_of_the_system_to_end_asks_and_waits_for_what_is_under_way() {
        let mut state = state();
        let ask = |state: &mut State| state.apply(Event { ticket: Ticket(0), answer: Answer::AskedToEnd });
        ask(&mut state);
        assert!(state.take_close(), "nothing stands in the way");

        state.handle(Command::SaveProfile(Box::new(crate::app::rotation::answers::tests::profile())));
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
