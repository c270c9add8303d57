//! Answers to rotation tasks, taken in by ticket. And the card with a successor's secret, which can't be closed before
//! the person has stored the secret or the successor is ended.

use super::{dialog::Rotating, stages::Stage};
use crate::{
    app::{Reveal, State, pending::Waiting},
    client::CreatedKey,
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId},
        connections::profile::{Profile, ProfileId},
        rotation::Rotation,
    },
    ops::{
        Problem,
        rotation::{CreatedSuccessor, EndOutcome, Rights, batch::BatchItem, driver::RotationReport, overview::Planned},
    },
    store::rotation::RotationGuard,
    worker::{Rotate, Rotated, Task, Ticket},
};

/// The rotation that the secret on the card belongs to.
pub struct Successor {
    /// Id of the old key, which this key replaces.
    pub old: KeyId,
    /// Name of the old key.
    pub old_name: String,
    /// Grace period, in which both keys work.
    pub grace: TimeDelta,
    /// Comparison of the successor's owner's snapshot (`limited_by`) with the old key's.
    pub rights: Rights,
    /// Reason why the successor could not be ended.
    pub problem: Option<Problem>,
    /// Guard of the rotation: while it is held, nobody else can resume the rotation.
    pub(in crate::app) guard: Option<Box<RotationGuard>>,
    undoing: Option<Ticket>,
}

impl Successor {
    /// Returns `true` while the successor is being ended.
    pub fn is_undoing(&self) -> bool {
        self.undoing.is_some()
    }

    /// Fails ending the successor because its job panicked; the rotation can be resumed from its file.
    pub(crate) fn fail(&mut self, ticket: Ticket) {
        if self.undoing.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }
}

impl State {
    pub(crate) fn rotated(&mut self, ticket: Ticket, rotated: Rotated) {
        match rotated {
            Rotated::Read(result) => self.rotations_read(ticket, result),
            Rotated::EndPlans(plans) => self.end_planned(ticket, Ok(plans)),
            Rotated::CancelPlans(plans) => self.cancel_planned(ticket, Ok(*plans)),
            Rotated::Counted(number) => self.rotation_counted(ticket, number),
            Rotated::Planned(result) => self.rotation_planned(ticket, result),
            Rotated::Progress(progress) => {
                if let Some(dialog) = self.waiting_for(ticket) {
                    dialog.progress.push(progress.words());
                }
            }
            Rotated::Made(result) => self.successor_made(ticket, result),
            Rotated::After(result) => self.rotation_after(ticket, result.map(|after| *after)),
            Rotated::Many(result) => self.many_rotated(ticket, result),
            Rotated::Ended(result) => self.rotations_ended(ticket, result),
            Rotated::Undone(guard, result) => self.successor_undone(ticket, guard, result),
            Rotated::Canceled(result) => self.rotation_canceled(ticket, result.map(|rotation| *rotation)),
        }
    }

    /// Returns the dialog if it waits for this answer.
    fn waiting_for(&mut self, ticket: Ticket) -> Option<&mut Rotating> {
        self.dialogs.get_mut::<Rotating>().filter(|dialog| dialog.run.is(ticket))
    }

    fn rotation_counted(&mut self, ticket: Ticket, number: usize) {
        let Some(dialog) = self.dialogs.get_mut::<Rotating>() else { return };
        let is_asked = matches!(&dialog.stage, Stage::Ask(ask) if ask.planned.question() == Some(ticket));
        if is_asked || dialog.run.is(ticket) {
            dialog.counted = number;
        }
    }

    fn rotation_planned(&mut self, ticket: Ticket, result: Result<Planned, Problem>) {
        if let Some(Stage::Ask(ask)) = self.dialogs.get_mut::<Rotating>().map(|dialog| &mut dialog.stage) {
            ask.planned.answer(ticket, result);
        }
    }

    fn successor_made(&mut self, ticket: Ticket, result: Result<Box<(RotationGuard, CreatedSuccessor)>, Problem>) {
        let Some(dialog) = self.waiting_for(ticket) else { return };
        dialog.run.end(ticket);
        let profile = dialog.profile.clone();
        let home = self.clusters.iter().find(|cluster| cluster.profile.id == profile.id);
        let cluster_uuid = home.and_then(|home| home.session.value()?.cluster_uuid.clone());
        match result {
            Ok(made) => {
                let (guard, made) = *made;
                self.dialogs.take::<Rotating>();
                let mut reveal = Reveal::of_successor(guard, made, &profile);
                reveal.cluster_uuid = cluster_uuid;
                self.show_secret(reveal);
            }
            Err(problem) => {
                if let Some(dialog) = self.dialogs.get_mut::<Rotating>() {
                    dialog.stage = Stage::After(Box::new(Err(problem)));
                }
            }
        }
        self.after_rotating(&profile.id);
    }

    fn rotation_after(&mut self, ticket: Ticket, result: Result<RotationReport, Problem>) {
        let Some(dialog) = self.waiting_for(ticket) else { return };
        dialog.run.end(ticket);
        dialog.stage = Stage::After(Box::new(result));
        let id = dialog.profile.id.clone();
        self.after_rotating(&id);
    }

    fn many_rotated(&mut self, ticket: Ticket, result: Result<Vec<BatchItem>, Problem>) {
        let Some(dialog) = self.waiting_for(ticket) else { return };
        dialog.run.end(ticket);
        if let Stage::Many(many) = &mut dialog.stage {
            many.over = Some(result);
        }
        let id = dialog.profile.id.clone();
        self.after_rotating(&id);
    }

    fn rotations_ended(&mut self, ticket: Ticket, result: Result<Vec<EndOutcome>, Problem>) {
        let Some(dialog) = self.waiting_for(ticket) else { return };
        dialog.run.end(ticket);
        if let Stage::End(ending) = &mut dialog.stage {
            ending.over = Some(result);
        }
        let id = dialog.profile.id.clone();
        self.after_rotating(&id);
    }

    fn rotation_canceled(&mut self, ticket: Ticket, result: Result<Rotation, Problem>) {
        let Some(dialog) = self.waiting_for(ticket) else { return };
        dialog.run.end(ticket);
        dialog.stage = Stage::Canceled(Box::new(result));
        let id = dialog.profile.id.clone();
        self.after_rotating(&id);
    }

    /// Reads again what is shown of the cluster after a step: its keys, its rotations and the open key's history.
    pub(crate) fn after_rotating(&mut self, id: &ProfileId) {
        self.after_change(id);
        self.read_rotations(id);
    }

    /// Shows a new secret; while another one is shown it waits.
    pub(crate) fn show_secret(&mut self, reveal: Reveal) {
        if self.reveal.is_none() {
            self.reveal = Some(reveal);
        } else {
            self.next_secrets.push_back(reveal);
        }
    }

    /// Closes the card, and shows the next secret if one waits. The card of a successor is never closed here.
    pub(crate) fn drop_secret(&mut self) {
        if self.reveal.as_ref().is_some_and(|reveal| reveal.rotation.is_none()) {
            self.secret_gone();
            self.resume_closing();
        }
    }

    pub(crate) fn secret_gone(&mut self) -> Option<Reveal> {
        let next = self.next_secrets.pop_front();
        std::mem::replace(&mut self.reveal, next)
    }

    /// Continues a rotation once the person has stored the secret: the successor is tried first.
    pub(crate) fn secret_kept(&mut self) {
        let Some(reveal) = self
            .reveal
            .as_ref()
            .filter(|reveal| reveal.rotation.as_ref().is_some_and(|successor| !successor.is_undoing()))
        else {
            return;
        };
        let session = self.home_of(reveal).ok().and_then(|home| home.session.value()).cloned().map(Box::new);
        let Some(mut reveal) = self.secret_gone() else { return };
        let guard = reveal.rotation.as_mut().and_then(|successor| successor.guard.take());
        let (Some(session), Some(guard)) = (session, guard) else {
            self.notice("The rotation is paused: resume it on the Overview");
            return self.resume_closing();
        };
        self.dialogs.open(Rotating::new(reveal.profile.clone(), Stage::Working(String::new())));
        // The name of a protected connection was typed when the rotation was begun.
        let session = Box::new(session.confirmed());
        let step = Rotate::Kept(guard, std::mem::take(&mut reveal.secret));
        self.run_rotation(session, step, Stage::Working("Signing in with the successor".into()));
    }

    /// Ends the successor because the person has not stored its secret; the old key stays.
    pub(crate) fn undo_successor(&mut self) {
        let Some(reveal) = &self.reveal else { return };
        let session = match self.home_of(reveal) {
            Ok(home) => home.session.value().cloned().map(Box::new),
            Err(why) => {
                let problem = Problem::new(&format!("{why}: nothing was sent"), "The successor is unchanged")
                    .hint("Connect to the key’s cluster and continue the rotation there");
                if let Some(successor) = self.reveal.as_mut().and_then(|reveal| reveal.rotation.as_mut()) {
                    successor.problem = Some(problem);
                }
                return;
            }
        };
        let Some(session) = session else { return };
        let guard = self.reveal.as_mut().and_then(|reveal| reveal.rotation.as_mut()?.guard.take());
        let Some(guard) = guard else { return };
        // Part of the rotation that the name of a protected connection was typed for.
        let task = Task::Rotate(session, Rotate::Undo(guard)).confirmed();
        let ticket = self.submit(task, Waiting::SecretCard);
        if let Some(successor) = self.reveal.as_mut().and_then(|reveal| reveal.rotation.as_mut()) {
            successor.undoing = Some(ticket);
            successor.problem = None;
        }
    }

    fn successor_undone(&mut self, ticket: Ticket, guard: Box<RotationGuard>, result: Result<(), Problem>) {
        let Some(reveal) = &mut self.reveal else { return };
        let Some(successor) = reveal.rotation.as_mut().filter(|own| own.undoing == Some(ticket)) else { return };
        successor.undoing = None;
        let id = reveal.profile.id.clone();
        match result {
            Ok(()) => {
                let words = format!("The successor was invalidated and read back. {} is unchanged", successor.old);
                self.secret_gone();
                self.notice(words);
                self.resume_closing();
            }
            Err(problem) => {
                successor.problem = Some(problem);
                successor.guard = Some(guard);
            }
        }
        self.after_rotating(&id);
    }
}

impl Reveal {
    fn of_successor(guard: RotationGuard, made: CreatedSuccessor, profile: &Profile) -> Self {
        let CreatedSuccessor { created, old, rights } = made;
        let mut reveal = Self::of_key(created, &old, profile);
        reveal.rotation = Some(Successor {
            old: old.id,
            old_name: old.name,
            grace: guard.rotation.grace,
            rights,
            problem: None,
            guard: Some(Box::new(guard)),
            undoing: None,
        });
        reveal
    }

    fn of_key(created: CreatedKey, old: &ApiKey, profile: &Profile) -> Self {
        let descriptors = old.role_descriptors.clone().unwrap_or_default();
        Self::with(created, old.application_id().map(str::to_owned), descriptors, profile)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{
        Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            profile::Environment,
        },
        secret::Secret,
    };

    pub(in crate::app) fn profile() -> Profile {
        let url = ClusterUrl::parse("http://localhost:9200").unwrap();
        let login = Login::Password { username: "u".into(), password: Secret::new("p") };
        let endpoint = Endpoint::new(url, login);
        let environment = Environment::Development;
        Profile { id: ProfileId("p".into()), name: "p".into(), environment, endpoint }
    }

    pub(in crate::app) fn reveal(id: &str) -> Reveal {
        let created = CreatedKey {
            id: KeyId::new(id),
            name: id.into(),
            expires: None,
            secret: Secret::new("s"),
            doubts: Vec::new(),
            twins: Vec::new(),
        };
        Reveal::of_key(created, &ApiKey::default(), &profile())
    }

    /// A session that sends nothing.
    pub(in crate::app) fn session() -> crate::ops::Session {
        crate::ops::Session {
            client: crate::client::Client::new(&profile().endpoint).unwrap(),
            identity: crate::model::identity::Identity { username: "u".into(), ..Default::default() },
            privileges: crate::model::identity::Privileges::default(),
            edition: crate::model::version::Edition::default(),
            cluster_name: None,
            cluster_uuid: None,
            certificate: None,
            journal: crate::store::journal::Journal::default(),
            keyring: None,
            interrupt: Default::default(),
        }
    }

    fn successor() -> Successor {
        Successor {
            old: KeyId::new("old"),
            old_name: "old".into(),
            grace: TimeDelta::ZERO,
            rights: Rights::Same,
            problem: None,
            guard: None,
            undoing: None,
        }
    }

    #[test]
    fn a_secret_waits_until_the_one_before_it_is_done_with_and_none_is_written_over() {
        let mut state = State::new(Timestamp::EPOCH, jiff::tz::TimeZone::UTC);
        let shown = |state: &State| state.reveal.as_ref().map(|reveal| reveal.id.to_string());
        state.show_secret(reveal("one"));
        let mut two = reveal("two");
        two.rotation = Some(successor());
        state.show_secret(two);
        state.show_secret(reveal("three"));
        assert_eq!(shown(&state).as_deref(), Some("one"));
        state.drop_secret();
        assert_eq!(shown(&state).as_deref(), Some("two"));
        state.drop_secret();
        state.close_secret();
        assert_eq!(shown(&state).as_deref(), Some("two"), "that of a successor needs a word");
        assert!(state.reveal.as_ref().unwrap().asks && !state.may_close());
        state.secret_kept();
        assert_eq!(shown(&state).as_deref(), Some("three"));
        assert!(state.reveal.as_ref().unwrap().asks, "the window was to be closed, which goes on behind the successor");
        state.drop_secret();
        assert!(state.reveal.is_none() && state.may_close());
    }

    #[test]
    fn an_answer_to_an_old_question_changes_nothing() {
        let mut state = State::new(Timestamp::EPOCH, jiff::tz::TimeZone::UTC);
        let mut dialog = Rotating::new(profile(), Stage::Working("now".into()));
        dialog.run.begin(Ticket(7));
        state.dialogs.open(dialog);
        state.rotated(Ticket(6), Rotated::After(Err(Problem::broken())));
        state.rotated(Ticket(6), Rotated::Made(Err(Problem::broken())));
        state.rotated(Ticket(6), Rotated::Progress(crate::ops::rotation::RotationProgress::Looking));
        let dialog = state.dialogs.get::<Rotating>().unwrap();
        assert!(dialog.is_running() && dialog.progress.is_empty() && matches!(dialog.stage, Stage::Working(_)));
        assert!(!state.may_close(), "a cluster is being changed");
        state.rotated(Ticket(7), Rotated::After(Err(Problem::broken())));
        let dialog = state.dialogs.get::<Rotating>().unwrap();
        assert!(!dialog.is_running() && matches!(dialog.stage, Stage::After(_)));
    }
}
