//! Changes through a protected connection: none starts through a read-only one or where the rules of this computer allow
//! none, and through one that asks for its name each waits until the name was typed.

use super::{Cloning, Command, FormCommand, State, create::clone::CloneStep};
use crate::{
    model::connections::profile::{Profile, ProfileId},
    ops::connections::protection,
};

/// Question for the name of a protected connection, with the change that waits for it.
pub struct NameQuestion {
    /// Connection whose name is to be typed.
    pub profile: Profile,
    /// Reason why the text that was typed last was not accepted; `None` before the first.
    pub error: Option<String>,
    command: Command,
}

/// Answer to a [`NameQuestion`].
#[derive(Debug)]
pub enum NameAnswer {
    /// The text that was typed.
    Typed(String),
    /// Cancellation: nothing is sent.
    Cancel,
}

impl State {
    /// Returns the open question for the name of a protected connection.
    pub fn name_question(&self) -> Option<&NameQuestion> {
        self.name_question.as_ref()
    }

    /// Returns the reason why nothing can be changed on any shown cluster; `None` if something can.
    pub fn read_only(&self) -> Option<&str> {
        let mut reason = None;
        for cluster in self.shown_clusters() {
            reason = Some(self.refusal_of(&cluster.profile)?);
        }
        reason
    }

    /// Returns the reason why nothing can be changed on an open cluster; `None` if something can.
    pub fn read_only_on(&self, id: &ProfileId) -> Option<&str> {
        self.refusal_of(&self.clusters.iter().find(|cluster| cluster.profile.id == *id)?.profile)
    }

    /// Returns the reason why nothing can be changed through a connection; `None` if something can. The practice cluster
    /// is in the memory of this process, and the rules of this computer don't apply to it.
    fn refusal_of(&self, profile: &Profile) -> Option<&str> {
        let by_rule = self.policy_refusal().filter(|_| !self.is_practice(profile));
        by_rule.or_else(|| protection::refusal(&profile.endpoint).map(|_| READ_ONLY))
    }

    /// Returns the reason why the rules of this computer allow no changes on what is shown; `None` if they allow them, or
    /// if that is the practice cluster.
    pub fn refusal_by_rule(&self) -> Option<&str> {
        let is_practice = self.cluster().is_some_and(|cluster| self.is_practice(&cluster.profile));
        self.policy_refusal().filter(|_| !is_practice)
    }

    fn is_practice(&self, profile: &Profile) -> bool {
        self.sandbox.value().is_some_and(|own| own.id == profile.id)
    }

    /// Returns a command that may be acted on now. One that changes a cluster through a protected connection is held
    /// until the name was typed, and dropped if the connection is read-only.
    pub(super) fn permitted(&mut self, command: Command) -> Option<Command> {
        let Some(profile) = self.changed_by(&command) else { return Some(command) };
        if let Some(reason) = self.refusal_of(profile) {
            let notice = match reason {
                READ_ONLY => format!("{READ_ONLY}: nothing was sent"),
                by_rule => format!("Nothing was sent. {by_rule}"),
            };
            self.notice(notice);
            return None;
        }
        if !protection::asks_for_name(&profile.endpoint) {
            return Some(command);
        }
        let profile = profile.clone();
        self.name_question = Some(NameQuestion { profile, error: None, command });
        None
    }

    pub(super) fn answer_name(&mut self, answer: NameAnswer) {
        let Some(mut question) = self.name_question.take() else { return };
        let NameAnswer::Typed(typed) = answer else { return self.resume_closing() };
        match protection::check_name(&question.profile.name, &typed) {
            Ok(()) => self.as_confirmed(|state| state.act(question.command)),
            Err(problem) => {
                question.error = Some(problem.detail);
                self.name_question = Some(question);
            }
        }
    }

    /// Does something that a person has typed the name of a connection for, or that belongs to what it was typed for.
    pub(super) fn as_confirmed(&mut self, act: impl FnOnce(&mut Self)) {
        self.is_confirmed = true;
        act(self);
        self.is_confirmed = false;
    }

    /// Applies the saved protection of a connection that is open: it holds at once, not after the next sign-in.
    pub(super) fn follow_protection(&mut self, id: &ProfileId) {
        let saved = self.profiles.value().and_then(|read| read.profiles.iter().find(|profile| profile.id == *id));
        let Some(protection) = saved.map(|profile| profile.endpoint.protection) else { return };
        let open = self.clusters.iter_mut().find(|cluster| cluster.profile.id == *id);
        let Some(cluster) = open.filter(|cluster| cluster.profile.endpoint.protection != protection) else { return };
        cluster.profile.endpoint.protection = protection;
        if let Some(session) = cluster.session.value_mut() {
            session.client = session.client.with_protection(protection);
        }
    }

    /// Returns `true` if what is submitted now was confirmed by a typed name.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Drops a change that waits for a name: its question is not answered any more.
    pub(super) fn drop_name_question(&mut self) {
        self.name_question = None;
    }

    /// Drops a change that waits for the name of a connection that is closed.
    pub(super) fn drop_name_question_of(&mut self, id: &ProfileId) {
        self.name_question.take_if(|question| question.profile.id == *id);
    }

    /// Returns the connection through which a command changes keys; `None` if it changes none.
    fn changed_by(&self, command: &Command) -> Option<&Profile> {
        let profile = match command {
            Command::Create(..) => self.cluster().map(|cluster| &cluster.profile),
            Command::Form(FormCommand::Clone(CloneStep::Send(..))) => {
                self.dialogs.get::<Cloning>().map(|dialog| &dialog.profile)
            }
            Command::Dialog(step) if step.changes_keys() => self.dialogs.profile_of(step.kind()),
            _ => None,
        }?;
        // A dialog knows the connection as it was when the dialog was opened.
        let open = self.clusters.iter().find(|cluster| cluster.profile.id == profile.id);
        Some(open.map_or(profile, |cluster| &cluster.profile))
    }
}

const READ_ONLY: &str = "This connection is read-only";
