//! Saved profiles, and connection tests.

use super::{Screen, State, pending::Waiting};
use crate::{
    client::SeenCertificate,
    model::connections::{
        endpoint::Endpoint,
        profile::{Profile, ProfileId},
    },
    ops::{
        Problem,
        connections::{
            client_certificate::CertificateFiles,
            connect::{StepReport, StepResult},
            vault::ReadProfiles,
        },
    },
    worker::{Task, Ticket},
};

/// A connection test that is running or done.
pub struct ConnectionTest {
    /// Endpoint that is tested.
    pub endpoint: Endpoint,
    /// Reports of the finished steps, in order.
    pub steps: Vec<StepReport>,
    ticket: Option<Ticket>,
}

impl ConnectionTest {
    /// Returns `true` if exactly this endpoint was tested: address, trust, sign-in and the rest. The result does not
    /// apply to any other endpoint.
    pub fn is_of(&self, endpoint: Option<&Endpoint>) -> bool {
        endpoint.is_some_and(|endpoint| endpoint.leads_where(&self.endpoint))
    }

    /// Returns `true` while the test is running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns the certificate that was refused and can be compared.
    pub fn refused_certificate(&self) -> Option<&SeenCertificate> {
        let last = self.steps.last()?;
        matches!(last.result, StepResult::Failed(_)).then_some(last.certificate.as_ref()).flatten()
    }
}

impl State {
    pub(super) fn read_profiles(&mut self, task: Task) {
        let ticket = self.submit(task, Waiting::Profiles);
        self.profiles.ask(ticket);
    }

    /// Puts another profile into the form, and drops the test that belongs to the previous one.
    pub(super) fn edit_profile(&mut self, id: Option<ProfileId>) {
        if self.to_edit != id {
            self.stop_test();
            self.test = None;
        }
        self.leave_sign_in(id.as_ref().map(|id| id.0.as_str()));
        self.to_edit = id;
    }

    pub(super) fn save_profile(&mut self, profile: Profile) {
        let id = profile.id.clone();
        let ticket = self.submit(Task::SaveProfile(Box::new(profile)), Waiting::ProfileChange(id));
        self.profiles.ask(ticket);
    }

    pub(super) fn remove_profile(&mut self, id: ProfileId) {
        self.drop_credential_question_of(&id);
        let ticket = self.submit(Task::RemoveProfile(id.clone()), Waiting::ProfileChange(id));
        self.profiles.ask(ticket);
    }

    pub(super) fn profile_changed(&mut self, ticket: Ticket, id: ProfileId, result: Result<ReadProfiles, Problem>) {
        let in_memory = result.as_ref().ok().map(|read| read.in_memory);
        // Told also where the list was asked for once more meanwhile: that answer comes by itself.
        self.profiles.answer(ticket, result);
        match in_memory {
            Some(true) => self.notice("Kept in memory; lost when you close or lock Keybearer"),
            Some(false) => self.notice("The keyring is up to date"),
            None => {
                self.notice("The keyring was not changed: see Connections");
                return self.stay_open();
            }
        }
        self.follow_protection(&id);
        self.entry_changed(id);
        self.resume_closing();
    }

    pub(super) fn read_certificate(&mut self, files: Box<CertificateFiles>) {
        let ticket = self.submit(Task::ReadCertificate(files), Waiting::ClientCertificate);
        self.certificate.ask(ticket);
    }

    pub(super) fn start_test(&mut self, endpoint: Box<Endpoint>) {
        self.stop_test();
        let ticket = self.submit(Task::Test(endpoint.clone()), Waiting::ConnectionTest);
        self.test = Some(ConnectionTest { endpoint: *endpoint, steps: Vec::new(), ticket: Some(ticket) });
        self.screen = Screen::Connections;
    }

    pub(super) fn stop_test(&mut self) {
        if let Some(ticket) = self.test.as_mut().and_then(|test| test.ticket.take()) {
            self.stop(ticket);
        }
    }

    pub(super) fn tested(&mut self, ticket: Ticket, report: StepReport) {
        if let Some(test) = self.test.as_mut().filter(|test| test.ticket == Some(ticket)) {
            test.steps.push(report);
        }
    }

    pub(super) fn test_ended(&mut self, ticket: Ticket) {
        if let Some(test) = self.test.as_mut().filter(|test| test.ticket == Some(ticket)) {
            test.ticket = None;
        }
    }
}
