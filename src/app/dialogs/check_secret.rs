//! The dialog of checking a secret. The pasted text is held only until it is sent to the worker; neither it nor the
//! result outlives the dialog.

use crate::{
    app::{
        State,
        dialogs::{DialogContent, DialogKind},
        pending::Waiting,
    },
    model::{
        Timestamp,
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

impl DialogContent for SecretCheck {
    fn fail(&mut self, ticket: Ticket) {
        if self.ticket.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        self.ticket.take().into_iter().collect()
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
        let dialog = SecretCheck { profile, expected, error: None, checked: None, problem: None, ticket: None };
        self.dialogs.open(dialog);
    }

    pub(crate) fn check_secret(&mut self, text: &Secret, asked: Asked) {
        let Some(dialog) = self.dialogs.get_mut::<SecretCheck>() else { return };
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
            return dialog.problem = Some(Problem::new("Not signed in", "The connection was closed in the meantime"));
        };
        let task = Task::CheckSecret(Box::new(session), candidates, asked);
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::CheckSecret));
        if let Some(dialog) = self.dialogs.get_mut::<SecretCheck>() {
            dialog.ticket = Some(ticket);
        }
    }

    pub(crate) fn secret_checked(&mut self, ticket: Ticket, checked: Option<Box<Checked>>) {
        let dialog = self.dialogs.get_mut::<SecretCheck>().filter(|dialog| dialog.ticket == Some(ticket));
        let Some(dialog) = dialog else { return };
        dialog.ticket = None;
        dialog.checked = checked.map(|checked| *checked);
    }

    /// Returns the current time by the clock of the cluster that the secret is checked on.
    pub fn now_of_check(&self) -> Timestamp {
        let of = self.dialogs.get::<SecretCheck>().map(|dialog| &dialog.profile.id);
        let cluster = self.clusters.iter().find(|cluster| Some(&cluster.profile.id) == of);
        cluster.map_or(self.now, |cluster| cluster.now(self.now))
    }
}
