//! What the key whose page is open can do, and when it was last used: read when the page opens, and again when the
//! keys were.

use super::{Loadable, Screen, State};
use crate::{
    model::{api_key::KeyId, profile::ProfileId},
    ops::{
        Problem,
        last_use::{NotKnown, Uses},
        rights::Told,
    },
    worker::{Task, Ticket},
};

/// The open page of a key.
pub struct KeyPage {
    cluster: ProfileId,
    id: KeyId,
    told: Loadable<Option<Told>>,
    uses: Loadable<Result<Uses, NotKnown>>,
}

impl KeyPage {
    fn new(cluster: ProfileId, id: KeyId) -> Self {
        Self { cluster, id, told: Loadable::default(), uses: Loadable::default() }
    }
}

impl State {
    /// What the key of the open page can do, as far as it was read.
    pub fn told(&self, id: &KeyId) -> Option<&Loadable<Option<Told>>> {
        self.page_of(id).map(|page| &page.told)
    }

    /// When the key of the open page was last used, as far as it was read.
    pub fn last_use_of(&self, id: &KeyId) -> Option<&Loadable<Result<Uses, NotKnown>>> {
        self.page_of(id).map(|page| &page.uses)
    }

    fn page_of(&self, id: &KeyId) -> Option<&KeyPage> {
        let home = self.home(id)?;
        self.key_page.as_ref().filter(|page| page.id == *id && page.cluster == home.profile.id)
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
        if let Some(mut page) = self.key_page.take() {
            self.stop_reading(&mut page);
        }
    }

    fn stop_reading(&mut self, page: &mut KeyPage) {
        for question in [page.told.give_up(), page.uses.give_up()].into_iter().flatten() {
            self.submit(Task::Stop(question));
        }
    }

    /// Reads it anew; what is known stays until the answer comes.
    pub(super) fn read_rights(&mut self) {
        let Some((cluster, id)) = self.shown_page() else { return self.forget_page() };
        let home = self.home(&id).and_then(|home| home.session.value());
        let Some(session) = home.cloned() else { return };
        let mut page = self.key_page.take().unwrap_or_else(|| KeyPage::new(cluster.clone(), id.clone()));
        self.stop_reading(&mut page);
        if (&page.cluster, &page.id) != (&cluster, &id) {
            page = KeyPage::new(cluster, id.clone());
        }
        let session = Box::new(session);
        page.told.ask(self.submit(Task::Rights(session.clone(), id.clone())));
        page.uses.ask(self.submit(Task::LastUse(session, id)));
        self.key_page = Some(page);
    }

    pub(super) fn last_use(&mut self, ticket: Ticket, uses: Result<Uses, NotKnown>) {
        let now = self.now;
        if let Some(page) = &mut self.key_page {
            page.uses.answer(ticket, Ok(uses), now);
        }
    }

    pub(super) fn rights(&mut self, ticket: Ticket, result: Result<Option<Told>, Problem>) {
        let now = self.now;
        if let Some(page) = &mut self.key_page {
            page.told.answer(ticket, result, now);
        }
    }
}
