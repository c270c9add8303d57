//! Connections whose credential is asked for each time: one is opened when it was typed, and it is nowhere but in this
//! process until the connection is closed or the window is locked.

use super::State;
use crate::model::{
    connections::profile::{Profile, ProfileId},
    secret::Secret,
};

/// Question for the credential of a connection that is to be opened.
pub struct CredentialQuestion {
    /// Connection to be opened.
    pub profile: Profile,
    /// Reason why the text that was typed last was not accepted; `None` before the first.
    pub error: Option<String>,
}

/// Answer to a [`CredentialQuestion`].
#[derive(Debug)]
pub enum CredentialAnswer {
    /// The credential that was typed.
    Typed(Secret),
    /// Cancellation: the connection is not opened.
    Cancel,
}

impl State {
    /// Returns the question for a credential that is to be answered first.
    pub fn credential_question(&self) -> Option<&CredentialQuestion> {
        self.credential_questions.front()
    }

    /// Returns a connection that can be opened now. One whose credential is asked for each time waits for it, unless it is
    /// open already.
    pub(super) fn with_credential(&mut self, mut profile: Profile) -> Option<Profile> {
        if !profile.endpoint.lacks_credential() {
            return Some(profile);
        }
        let saved = profile.endpoint.as_saved();
        let open = self.clusters.iter().filter(|cluster| cluster.session.value().is_some());
        let mut open = open.map(|cluster| &cluster.profile).filter(|open| open.id == profile.id);
        if let Some(open) = open.find(|open| open.endpoint.as_saved() == saved) {
            profile.endpoint = open.endpoint.clone();
            return Some(profile);
        }
        self.drop_credential_question_of(&profile.id);
        self.credential_questions.push_back(CredentialQuestion { profile, error: None });
        None
    }

    pub(super) fn answer_credential(&mut self, answer: CredentialAnswer) {
        let Some(mut question) = self.credential_questions.pop_front() else { return };
        let CredentialAnswer::Typed(typed) = answer else { return self.resume_closing() };
        match question.profile.endpoint.login.filled(&typed) {
            Ok(login) => {
                question.profile.endpoint.login = login;
                self.connect(question.profile);
            }
            Err(words) => {
                question.error = Some(words.into());
                self.credential_questions.push_front(question);
            }
        }
    }

    /// Drops the credential of a connection that could not be opened: the next try asks for it again.
    pub(super) fn forget_credential(&mut self, id: &ProfileId) {
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.profile.id == *id) {
            cluster.profile = cluster.profile.as_saved();
        }
    }

    /// Drops all questions for credentials: nothing is opened for them.
    pub(super) fn drop_credential_questions(&mut self) {
        self.credential_questions.clear();
    }

    /// Drops the question for the credential of a connection that is opened otherwise, or removed.
    pub(super) fn drop_credential_question_of(&mut self, id: &ProfileId) {
        self.credential_questions.retain(|question| question.profile.id != *id);
    }
}
