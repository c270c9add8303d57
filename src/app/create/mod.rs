//! A creation that is under way, and what to do when it failed or its answer was lost.

pub mod clone;
pub mod forms;

use super::{Reveal, State};
use crate::{
    client::CreatedKey,
    model::{
        api_key::{ApiKey, KeyKind},
        connections::profile::Profile,
        create::{
            CreateKey, Surroundings,
            new_key::{NewKeyDraft, NewKeyFieldError},
        },
        secret::Secret,
    },
    ops::{Problem, create::new_key::NewKeyError, interrupt::Interrupt},
    worker::{Task, Ticket},
};

/// What is known of the creation.
#[derive(Default)]
pub struct Creation {
    waiting: Option<Waiting>,
    /// The cluster it was asked of; another may be shown by now.
    pub profile: Option<Profile>,
    /// What was wrong in the form when it was to be sent.
    pub errors: Vec<NewKeyFieldError>,
    /// Why there is no key.
    pub problem: Option<Problem>,
    /// Keys that a request with a lost answer made; nobody knows their secrets.
    pub strays: Vec<ApiKey>,
    /// Counts the keys that were created, so that the form can begin anew.
    pub done: u32,
}

/// What was asked for, without the credential of another user that went along.
struct Waiting {
    ticket: Ticket,
    request: Box<CreateKey>,
    kind: KeyKind,
    profile: Profile,
    cluster_uuid: Option<String>,
    interrupt: Interrupt,
}

impl Creation {
    /// Whether it was asked of this cluster, at this very endpoint.
    pub fn is_of(&self, profile: &Profile) -> bool {
        self.profile.as_ref().is_some_and(|own| own.id == profile.id && own.endpoint == profile.endpoint)
    }

    /// Whether a request is under way.
    pub fn is_running(&self) -> bool {
        self.waiting.is_some()
    }

    /// Forgets what came of the last one; not one that is under way, whose secret is told once.
    pub(super) fn dismiss(&mut self) {
        self.errors.clear();
        self.problem = None;
        self.strays.clear();
    }

    pub(super) fn broken(&mut self, ticket: Ticket) {
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
            by_api_key: session.own_key().is_some(),
        };
        let profile = cluster.profile.clone();
        let done = self.creation.done;
        self.creation = match draft.check(around, request_id, credential) {
            Err(errors) => Creation { errors, done, ..Creation::default() },
            Ok(key) => {
                let (request, kind) = (Box::new(key.key().clone()), key.kind());
                let cluster_uuid = session.cluster_uuid.clone();
                let ticket = self.submit(Task::Create(Box::new(session), Box::new(key)));
                let asked = Some(profile.clone());
                let waiting = Waiting { ticket, request, kind, profile, cluster_uuid, interrupt };
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
