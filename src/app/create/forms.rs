//! Commands and answers of the forms other than that of a key of one's own.

use super::clone::CloneStep;
use crate::{
    app::{State, pending::Waiting},
    model::connections::profile::ProfileId,
    worker::{FormAnswer, FormTask, Task, Ticket},
};

/// A command of a form.
#[derive(Debug)]
pub enum FormCommand {
    /// Read what can't be created on this cluster, and which capability is missing for it, unless it was read.
    ReadOffers,
    /// Read the completions for forms of privileges from a cluster, which need not be the one that is shown.
    ReadNames(ProfileId),
    /// A step of copying a key.
    Clone(CloneStep),
}

impl State {
    pub(crate) fn form(&mut self, command: FormCommand) {
        match command {
            FormCommand::ReadOffers => self.read_offers_once(),
            FormCommand::ReadNames(id) => self.read_names_of(&id),
            FormCommand::Clone(step) => self.clone_step(step),
        }
    }

    pub(crate) fn form_answer(&mut self, ticket: Ticket, answer: FormAnswer) {
        match answer {
            FormAnswer::Offers(offered) => {
                if let Some(own) = self.clusters.iter_mut().find(|own| own.offered.question() == Some(ticket)) {
                    own.offered.answer(ticket, Ok(offered));
                }
            }
            FormAnswer::Cloned(result) => self.cloned(ticket, result),
        }
    }

    fn read_names_of(&mut self, id: &ProfileId) {
        let Some(place) = self.clusters.iter().position(|cluster| cluster.profile.id == *id) else { return };
        let Some(session) = self.clusters[place].session.value().cloned() else { return };
        if self.clusters[place].names.is_untouched() {
            let ticket = self.submit(Task::Names(Box::new(session)), Waiting::Cluster(id.clone()));
            self.clusters[place].names.ask(ticket);
        }
    }

    fn read_offers_once(&mut self) {
        let Some(cluster) = self.cluster().filter(|cluster| cluster.offered.is_untouched()) else { return };
        let Some(session) = cluster.session.value().cloned() else { return };
        let waiting = Waiting::Cluster(cluster.profile.id.clone());
        let ticket = self.submit(Task::Form(FormTask::Offers(Box::new(session))), waiting);
        if let Some(cluster) = self.cluster_mut() {
            cluster.offered.ask(ticket);
        }
    }
}
