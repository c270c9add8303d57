//! The creation of a key, and what can be done if it failed or its answer was lost.

pub mod clone;
pub mod forms;

use super::{Reveal, State, pending::Waiting};
use crate::{
    client::CreatedKey,
    model::{
        api_key::{ApiKey, KeyKind},
        connections::profile::Profile,
        create::{
            CreateKey, Surroundings,
            new_key::{NewKeyDraft, NewKeyField},
        },
        form_error::FormError,
        secret::Secret,
    },
    ops::{Problem, create::new_key::NewKeyError, interrupt::Interrupt},
    worker::{Task, Ticket},
};

/// Reason why neither a dialog nor the window is closed while a key is being created.
pub(super) const SECRET_COMES: &str = "A key is being created: its secret is about to be shown";

/// State of creating a key.
#[derive(Default)]
pub struct Creation {
    waiting: Option<RunningRequest>,
    /// Profile of the cluster that the key was requested on; another one may be shown by now.
    pub profile: Option<Profile>,
    /// Validation errors of the form when it was to be sent.
    pub errors: Vec<FormError<NewKeyField>>,
    /// Problem that prevented the creation.
    pub problem: Option<Problem>,
    /// Keys that were created by a request whose answer was lost; nobody knows their secrets.
    pub strays: Vec<ApiKey>,
    /// Number of keys created so far; the form starts over when it changes.
    pub done: u32,
}

/// The request that is running, without the other user's credential that was sent with it.
struct RunningRequest {
    ticket: Ticket,
    request: Box<CreateKey>,
    kind: KeyKind,
    profile: Profile,
    cluster_uuid: Option<String>,
    interrupt: Interrupt,
}

impl Creation {
    /// Returns `true` if the creation was requested on this cluster, at exactly this endpoint.
    pub fn is_of(&self, profile: &Profile) -> bool {
        self.profile.as_ref().is_some_and(|own| own.id == profile.id && own.endpoint.leads_where(&profile.endpoint))
    }

    /// Returns `true` while the request is running.
    pub fn is_running(&self) -> bool {
        self.waiting.is_some()
    }

    /// Forgets the result of the last creation. A running one goes on, because its secret is shown only once.
    pub(super) fn dismiss(&mut self) {
        self.errors.clear();
        self.problem = None;
        self.strays.clear();
    }

    pub(super) fn fail(&mut self, ticket: Ticket) {
        if self.waiting.take_if(|waiting| waiting.ticket == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }
}

impl State {
    pub(super) fn create(&mut self, draft: &NewKeyDraft, credential: Option<Secret>, request_id: &str) {
        if self.creation.is_running() {
            return;
        }
        let Some(cluster) = self.cluster() else { return };
        let Some(mut session) = cluster.session.value().cloned() else { return };
        // Of this request alone.
        let interrupt = Interrupt::default();
        session.interrupt = interrupt.clone();
        let around = Surroundings {
            now: cluster.now(self.now),
            zone: &self.zone,
            roles: cluster.roles.value().map(Vec::as_slice),
            edition: session.edition,
            by_api_key: session.derives_keys(),
        };
        let profile = cluster.profile.clone();
        let done = self.creation.done;
        self.creation = match draft.check(around, request_id, credential) {
            Err(errors) => Creation { errors, done, ..Creation::default() },
            Ok(key) => {
                let (request, kind) = (Box::new(key.key().clone()), key.kind());
                let cluster_uuid = session.cluster_uuid.clone();
                let ticket = self.submit(Task::Create(Box::new(session), Box::new(key)), Waiting::Creation);
                let asked = Some(profile.clone());
                let waiting = RunningRequest { ticket, request, kind, profile, cluster_uuid, interrupt };
                Creation { waiting: Some(waiting), profile: asked, done, ..Creation::default() }
            }
        };
    }

    /// Stops waiting for the answer, and asks the cluster for the outcome of the request.
    pub(super) fn stop_creating(&mut self) {
        if let Some(waiting) = &self.creation.waiting {
            waiting.interrupt.set();
        }
    }

    pub(super) fn created(&mut self, ticket: Ticket, result: Result<Box<CreatedKey>, Box<NewKeyError>>) {
        let Some(waiting) = self.creation.waiting.take_if(|waiting| waiting.ticket == ticket) else { return };
        match result {
            Ok(created) => {
                // Of the cluster that was asked, also if it was closed meanwhile: the secret is told once.
                self.creation.done += 1;
                let mut reveal = Reveal::new(*created, &waiting.request, &waiting.profile);
                reveal.kind = waiting.kind;
                reveal.cluster_uuid = waiting.cluster_uuid;
                self.show_secret(reveal);
                self.read_keys(&waiting.profile.id);
            }
            Err(not_made) => {
                self.creation.problem = Some(not_made.problem);
                self.creation.strays = not_made.strays;
                if !self.creation.strays.is_empty() {
                    self.read_keys(&waiting.profile.id);
                }
            }
        }
    }
}
