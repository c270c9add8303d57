//! What the key whose page is open can do: read when the page opens, and again when the keys were.

use super::{Loadable, Screen, State};
use crate::{
    model::{api_key::KeyId, profile::ProfileId},
    ops::{Problem, rights::Told},
    worker::{Task, Ticket},
};

/// The open page of a key.
pub struct KeyPage {
    cluster: ProfileId,
    id: KeyId,
    told: Loadable<Option<Told>>,
}

impl State {
    /// What the key of the open page can do, as far as it was read.
    pub fn told(&self, id: &KeyId) -> Option<&Loadable<Option<Told>>> {
        let home = self.home(id)?;
        let page = self.key_page.as_ref()?;
        (page.id == *id && page.cluster == home.profile.id).then_some(&page.told)
    }

    /// The page that is on the screen: of which cluster, and of which key.
    fn shown_page(&self) -> Option<(ProfileId, KeyId)> {
        let id = self.cluster().filter(|_| self.screen == Screen::Keys)?.open.clone()?;
        let home = self.home(&id)?;
        (home.session.value().is_some() && home.inventory().place(&id).is_some()).then(|| (home.profile.id.clone(), id))
    }

    /// Reads what the key of the page can do when another page is on the screen than before.
    pub(super) fn follow_key_page(&mut self) {
        let shown = self.shown_page();
        let known = self.key_page.as_ref().map(|page| (page.cluster.clone(), page.id.clone()));
        if shown != known {
            self.forget_page();
            self.read_rights();
        }
    }

    fn forget_page(&mut self) {
        let question = self.key_page.take().and_then(|mut page| page.told.give_up());
        if let Some(ticket) = question {
            self.submit(Task::Stop(ticket));
        }
    }

    /// Reads it anew; what is known stays until the answer comes.
    pub(super) fn read_rights(&mut self) {
        let Some((cluster, id)) = self.shown_page() else { return self.forget_page() };
        let home = self.home(&id).and_then(|home| home.session.value());
        let Some(session) = home.cloned() else { return };
        if let Some(old) = self.key_page.as_mut().and_then(|page| page.told.give_up()) {
            self.submit(Task::Stop(old));
        }
        let ticket = self.submit(Task::Rights(Box::new(session), id.clone()));
        let same = self.key_page.take().filter(|page| page.cluster == cluster && page.id == id);
        let mut told = same.map(|page| page.told).unwrap_or_default();
        told.ask(ticket);
        self.key_page = Some(KeyPage { cluster, id, told });
    }

    pub(super) fn rights(&mut self, ticket: Ticket, result: Result<Option<Told>, Problem>) {
        let now = self.now;
        if let Some(page) = &mut self.key_page {
            page.told.answer(ticket, result, now);
        }
    }
}
