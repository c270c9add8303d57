//! The sign-in of a connection at its OpenID Connect provider: what is known of it, and one that waits for a person.

use super::{Command, State, pending::Waiting};
use crate::{
    model::connections::{
        endpoint::Endpoint,
        login::Login,
        open_id::{OpenIdLogin, SignedIn},
    },
    ops::{
        Fix, Problem,
        connections::sign_in::{Finished, SignInStep, Way},
    },
    worker::{Answer, Task, Ticket},
};

/// The sign-in that the form of a connection shows.
pub struct SigningIn {
    /// Settings that it is about.
    pub login: OpenIdLogin,
    /// Stage of it.
    pub stage: SignInStage,
    ticket: Option<Ticket>,
}

/// Stage of a sign-in.
pub enum SignInStage {
    /// The vault is read.
    Reading,
    /// State as it is known; `None` if nobody is signed in.
    Known(Option<SignedIn>),
    /// A person has to do something; `None` until the provider has answered.
    Waiting(Option<SignInStep>),
    /// Reason why nobody is signed in.
    Failed(Problem),
}

impl SigningIn {
    /// Returns `true` if it is about these settings, as far as tokens depend on them.
    pub fn is_of(&self, login: &OpenIdLogin) -> bool {
        self.login.shares_tokens(login)
    }

    /// Returns `true` while a person is waited for.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, SignInStage::Waiting(_))
    }

    fn settle(&mut self, ticket: Ticket, stage: SignInStage) -> bool {
        let is_own = self.ticket.take_if(|own| *own == ticket).is_some();
        if is_own {
            self.stage = stage;
        }
        is_own
    }
}

impl State {
    pub(super) fn read_sign_in(&mut self, endpoint: Box<Endpoint>) {
        self.begin_sign_in(endpoint, SignInStage::Reading, Task::ReadSignIn);
    }

    pub(super) fn start_sign_in(&mut self, endpoint: Box<Endpoint>, way: Way) {
        self.begin_sign_in(endpoint, SignInStage::Waiting(None), |endpoint| Task::SignIn(endpoint, way));
    }

    pub(super) fn sign_out(&mut self, endpoint: Box<Endpoint>) {
        self.begin_sign_in(endpoint, SignInStage::Reading, Task::SignOut);
    }

    fn begin_sign_in(&mut self, endpoint: Box<Endpoint>, stage: SignInStage, task: impl FnOnce(Box<Endpoint>) -> Task) {
        let Login::OpenId(login) = &endpoint.login else { return };
        let login = (**login).clone();
        self.stop_sign_in();
        let ticket = self.submit(task(endpoint), Waiting::SignIn);
        self.sign_in = Some(SigningIn { login, stage, ticket: Some(ticket) });
    }

    /// Stops a sign-in that waits for a person. What was known before is read again when it is shown.
    pub(super) fn stop_sign_in(&mut self) {
        if let Some(ticket) = self.sign_in.take().and_then(|sign_in| sign_in.ticket) {
            self.stop(ticket);
        }
    }

    pub(super) fn sign_in_answered(&mut self, ticket: Ticket, answer: Answer) {
        let Some(sign_in) = self.sign_in.as_mut().filter(|own| own.ticket == Some(ticket)) else { return };
        match answer {
            Answer::SignInStep(step) => sign_in.stage = SignInStage::Waiting(Some(step)),
            Answer::SignInRead(found) => {
                sign_in.settle(ticket, SignInStage::Known(found));
            }
            Answer::SignedIn(Ok(Finished { signed_in, not_kept })) => {
                let words = format!("Signed in as {}", signed_in.user);
                let id = sign_in.login.sign_in.clone();
                sign_in.settle(ticket, SignInStage::Known(Some(signed_in)));
                self.notice(match not_kept {
                    Some(problem) => format!("{words}, for this run only: {}", problem.words()),
                    None => words,
                });
                // A connection that failed because nobody was signed in is tried again.
                let failed = self.clusters.iter().find(|cluster| {
                    cluster.profile.id.0 == id.0
                        && cluster.session.problem().is_some_and(|problem| problem.fixes.contains(&Fix::SignIn))
                });
                if let Some(profile) = failed.map(|cluster| cluster.profile.clone()) {
                    self.handle(Command::Connect(Box::new(profile)));
                }
            }
            Answer::SignedOut(Ok(())) => {
                sign_in.settle(ticket, SignInStage::Known(None));
            }
            Answer::SignedIn(Err(problem)) | Answer::SignedOut(Err(problem)) => {
                sign_in.settle(ticket, SignInStage::Failed(problem));
            }
            _ => {}
        }
    }

    pub(super) fn sign_in_failed(&mut self, ticket: Ticket) {
        if let Some(sign_in) = &mut self.sign_in {
            sign_in.settle(ticket, SignInStage::Failed(Problem::broken()));
        }
    }

    /// Follows the form to another connection: a sign-in of the former one that waits for a person is stopped.
    pub(super) fn leave_sign_in(&mut self, id: Option<&str>) {
        if self.sign_in.as_ref().is_some_and(|sign_in| Some(sign_in.login.sign_in.0.as_str()) != id) {
            self.stop_sign_in();
        }
    }
}
