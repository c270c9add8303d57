//! The dialog of copying a key. The source's secret is held only until it is sent to the worker.

use super::forms::FormCommand;
use crate::{
    app::{
        Reveal, State,
        dialogs::{DialogContent, DialogKind},
        pending::Waiting,
    },
    client::CreatedKey,
    model::{
        api_key::{ApiKey, KeyId},
        connections::profile::Profile,
        create::clone_draft::{CloneDraft, CloneField},
        form_error::FormError,
        secret::Secret,
    },
    ops::{
        Problem,
        create::{clone, new_key::NewKeyError},
    },
    worker::{FormTask, Task, Ticket},
};

/// A step within the dialog of copying a key.
#[derive(Debug)]
pub enum CloneStep {
    /// Open the form for this key.
    Ask(KeyId),
    /// Send the form, with the pasted secret of the source and the request id.
    Send(Box<CloneDraft>, Secret, String),
}

impl From<CloneStep> for crate::app::Command {
    fn from(step: CloneStep) -> Self {
        Self::Form(FormCommand::Clone(step))
    }
}

/// The dialog of copying a key.
pub struct Cloning {
    /// Profile of the cluster.
    pub profile: Profile,
    /// The key to copy.
    pub source: ApiKey,
    /// Validation errors of the form.
    pub errors: Vec<FormError<CloneField>>,
    /// Problem that prevented the copy.
    pub problem: Option<Problem>,
    /// Copies that were created by a request whose answer was lost; nobody knows their secrets.
    pub strays: Vec<ApiKey>,
    ticket: Option<Ticket>,
    /// Uuid of the cluster that the copy was requested on.
    cluster_uuid: Option<String>,
}

impl Cloning {
    /// Returns `true` while the request is running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }
}

impl DialogContent for Cloning {
    fn blocks_closing(&self) -> Option<&'static str> {
        self.is_running().then_some(super::SECRET_COMES)
    }

    fn changes(&self) -> Option<&Profile> {
        self.is_running().then_some(&self.profile)
    }

    fn fail(&mut self, ticket: Ticket) {
        if self.ticket.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        Vec::new()
    }
}

impl State {
    pub(crate) fn clone_step(&mut self, step: CloneStep) {
        match step {
            CloneStep::Ask(id) => self.ask_clone(&id),
            CloneStep::Send(draft, pasted, request_id) => self.send_clone(&draft, &pasted, &request_id),
        }
    }

    fn ask_clone(&mut self, id: &KeyId) {
        if self.dialogs.is_open(DialogKind::Clone) {
            return;
        }
        // Both end in a secret that is shown once, and one would take the place of the other.
        if self.creation.is_running() {
            return self.notice("A key is being created: its secret is about to be shown first");
        }
        let Some(cluster) = self.home(id) else { return };
        let (Some(source), Some(session)) = (self.cluster().and_then(|shown| shown.key(id)), cluster.session.value())
        else {
            return;
        };
        let hindrance = clone::hindrance(session, &source, cluster.now(self.now));
        let profile = cluster.profile.clone();
        if let Some(problem) = hindrance {
            return self.notice(problem.detail);
        }
        self.dialogs.open(Cloning {
            profile,
            source,
            errors: Vec::new(),
            problem: None,
            strays: Vec::new(),
            ticket: None,
            cluster_uuid: None,
        });
    }

    fn send_clone(&mut self, draft: &CloneDraft, pasted: &Secret, request_id: &str) {
        let Some(dialog) = self.dialogs.get::<Cloning>().filter(|dialog| !dialog.is_running()) else { return };
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
        let Some((session, now)) = cluster.and_then(|own| Some((own.session.value()?.clone(), own.now(self.now))))
        else {
            return self.notice("The connection was closed: nothing was sent");
        };
        let cluster_uuid = session.cluster_uuid.clone();
        let checked = draft.check((&dialog.source).into(), pasted, now, &self.zone, request_id);
        let (ticket, errors) = match checked {
            Ok(clone) => {
                let task = Task::Form(FormTask::Clone(Box::new(session), Box::new(clone)));
                (Some(self.submit(task, Waiting::Dialog(DialogKind::Clone))), Vec::new())
            }
            Err(errors) => (None, errors),
        };
        if let Some(dialog) = self.dialogs.get_mut::<Cloning>() {
            (dialog.ticket, dialog.errors, dialog.problem) = (ticket, errors, None);
            dialog.cluster_uuid = cluster_uuid;
            dialog.strays.clear();
        }
    }

    pub(crate) fn cloned(&mut self, ticket: Ticket, result: Result<Box<CreatedKey>, Box<NewKeyError>>) {
        let dialog = self.dialogs.get_mut::<Cloning>();
        let Some(dialog) = dialog.filter(|dialog| dialog.ticket == Some(ticket)) else { return };
        dialog.ticket = None;
        let id = dialog.profile.id.clone();
        match result {
            Ok(created) => {
                let source = &dialog.source;
                let application_id = source.application_id().map(str::to_owned);
                let descriptors = source.role_descriptors.clone().unwrap_or_default();
                let mut reveal = Reveal::with(*created, application_id, descriptors, &dialog.profile);
                reveal.cluster_uuid = dialog.cluster_uuid.take();
                self.dialogs.take::<Cloning>();
                self.show_secret(reveal);
            }
            Err(not_made) => {
                dialog.problem = Some(not_made.problem);
                dialog.strays = not_made.strays;
            }
        }
        self.read_keys(&id);
    }
}
