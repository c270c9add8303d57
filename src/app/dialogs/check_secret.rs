//! The dialog of checking a secret. The pasted text is held only until it is sent to the worker; neither it nor the
//! result outlives the dialog.

use crate::{
    app::State,
    model::{
        Millis,
        api_key::KeyId,
        connections::profile::Profile,
        secret::Secret,
        secret_text::{self, PastedError},
    },
    ops::{
        Problem,
        secret::identify::{Asked, Checked},
    },
    worker::{Task, Ticket},
};

/// The check of a secret, with its result.
pub struct SecretCheck {
    /// Profile of the cluster that the secret is checked on.
    pub profile: Profile,
    /// Id and name of the key that the secret should belong to; `None` if any key will do.
    pub expected: Option<(KeyId, String)>,
    /// Reason why no key was found in the pasted text.
    pub error: Option<PastedError>,
    /// Result of the check.
    pub checked: Option<Checked>,
    /// Problem that prevented the check.
    pub problem: Option<Problem>,
    ticket: Option<Ticket>,
}

impl SecretCheck {
    /// Returns `true` while the check is running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns `true` if the secret belongs to another key than expected.
    pub fn is_of_another(&self) -> bool {
        match (&self.expected, &self.checked) {
            (Some((id, _)), Some(checked)) => id.as_str() != checked.tried.id,
            _ => false,
        }
    }
}

impl State {
    pub(crate) fn ask_check_secret(&mut self, id: Option<KeyId>) {
        let cluster = match &id {
            Some(id) => self.home(id),
            None => self.cluster().filter(|cluster| !cluster.is_merged()),
        };
        let Some(cluster) = cluster else { return self.notice("Choose the cluster that the secret is for") };
        let expected = id.and_then(|id| cluster.key(&id)).map(|key| (key.id, key.name));
        let profile = cluster.profile.clone();
        self.secret_check =
            Some(SecretCheck { profile, expected, error: None, checked: None, problem: None, ticket: None });
    }

    pub(crate) fn check_secret(&mut self, text: &Secret, asked: Asked) {
        let Some(dialog) = &mut self.secret_check else { return };
        if dialog.is_running() {
            return;
        }
        (dialog.error, dialog.checked, dialog.problem) = (None, None, None);
        let candidates = match secret_text::read(text) {
            Ok(candidates) => candidates,
            Err(error) => return dialog.error = Some(error),
        };
        let id = dialog.profile.id.clone();
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == id);
        let Some(session) = cluster.and_then(|cluster| cluster.session.value()).cloned() else {
            return dialog.problem = Some(Problem::new("Not signed in", "The cluster was closed meanwhile"));
        };
        let ticket = self.submit(Task::CheckSecret(Box::new(session), candidates, asked));
        if let Some(dialog) = &mut self.secret_check {
            dialog.ticket = Some(ticket);
        }
    }

    pub(crate) fn secret_checked(&mut self, ticket: Ticket, checked: Option<Box<Checked>>) {
        let Some(dialog) = self.secret_check.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        dialog.ticket = None;
        dialog.checked = checked.map(|checked| *checked);
    }

    pub(crate) fn secret_broken(&mut self, ticket: Ticket) {
        if let Some(dialog) = self.secret_check.as_mut().filter(|dialog| dialog.ticket == Some(ticket)) {
            dialog.ticket = None;
            dialog.problem = Some(Problem::broken());
        }
    }

    /// Closes the dialog; a running check is given up.
    pub(crate) fn close_check_secret(&mut self) {
        let ticket = self.secret_check.take().and_then(|dialog| dialog.ticket);
        if let Some(ticket) = ticket {
            self.submit(Task::Stop(ticket));
        }
    }

    /// Returns the current time by the clock of the cluster that the secret is checked on.
    pub fn now_of_check(&self) -> Millis {
        let of = self.secret_check.as_ref().map(|dialog| &dialog.profile.id);
        let cluster = self.clusters.iter().find(|cluster| Some(&cluster.profile.id) == of);
        cluster.map_or(self.now, |cluster| cluster.now(self.now))
    }
}
