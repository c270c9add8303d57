//! Effective privileges and last use of the key whose page is open: read when the page opens, and again whenever the
//! keys are read.

use crate::{
    app::{Loadable, Screen, State, pending::Waiting},
    model::{
        api_key::{ApiKey, KeyId},
        connections::profile::ProfileId,
        rights::Rights,
    },
    ops::{
        Problem,
        keys::{
            effective_privileges::{DescribedRights, KeyRights},
            last_use::{NotKnown, Uses},
        },
    },
    worker::{Task, Ticket},
};

/// The open page of a key.
pub struct KeyPage {
    cluster: ProfileId,
    id: KeyId,
    /// Privileges according to the list, shown until the effective ones are read, and where those can't be read.
    listed: DescribedRights,
    told: Loadable<Option<DescribedRights>>,
    uses: Loadable<Result<Uses, NotKnown>>,
}

impl KeyPage {
    fn new(cluster: ProfileId, key: ApiKey) -> Self {
        let id = key.id.clone();
        let rights = Rights::of(&key);
        let listed = DescribedRights::of(KeyRights { key, rights, owner: None });
        Self { cluster, id, listed, told: Loadable::default(), uses: Loadable::default() }
    }
}

impl State {
    /// Returns the effective privileges of the key whose page is open, as far as they were read.
    pub fn told(&self, id: &KeyId) -> Option<&Loadable<Option<DescribedRights>>> {
        self.page_of(id).map(|page| &page.told)
    }

    /// Returns the privileges of the key according to the list, that is, its role descriptors.
    pub fn listed_rights(&self, id: &KeyId) -> Option<&DescribedRights> {
        self.page_of(id).map(|page| &page.listed)
    }

    /// Returns the last use of the key whose page is open, as far as it was read.
    pub fn last_use_of(&self, id: &KeyId) -> Option<&Loadable<Result<Uses, NotKnown>>> {
        self.page_of(id).map(|page| &page.uses)
    }

    fn page_of(&self, id: &KeyId) -> Option<&KeyPage> {
        let home = self.home(id)?;
        self.key_page.as_ref().filter(|page| page.id == *id && page.cluster == home.profile.id)
    }

    /// Returns the cluster and the key of the page on the screen.
    fn shown_page(&self) -> Option<(ProfileId, KeyId)> {
        let id = self.cluster().filter(|_| self.screen == Screen::Keys)?.open.clone()?;
        let home = self.home(&id)?;
        (home.session.value().is_some() && home.inventory().row_id(&id).is_some())
            .then(|| (home.profile.id.clone(), id))
    }

    /// Reads the effective privileges if another page is on the screen than before.
    pub(crate) fn follow_key_page(&mut self) {
        let shown = self.shown_page();
        let known = self.key_page.as_ref().map(|page| (page.cluster.clone(), page.id.clone()));
        if shown != known {
            self.forget_page();
            self.read_rights();
        }
    }

    fn forget_page(&mut self) {
        if let Some(mut page) = self.key_page.take() {
            self.stop_page(&mut page);
        }
    }

    fn stop_page(&mut self, page: &mut KeyPage) {
        for question in [page.told.give_up(), page.uses.give_up()].into_iter().flatten() {
            self.stop(question);
        }
    }

    /// Reads the privileges and the last use again; known values stay until the answer arrives.
    pub(crate) fn read_rights(&mut self) {
        let Some((cluster, id)) = self.shown_page() else { return self.forget_page() };
        let Some(home) = self.home(&id) else { return };
        let (Some(session), Some(row)) = (home.session.value().cloned(), home.inventory().row_id(&id)) else {
            return;
        };
        let mut page = KeyPage::new(cluster, home.inventory().key(row));
        if let Some(mut old) = self.key_page.take() {
            self.stop_page(&mut old);
            if (&old.cluster, &old.id) == (&page.cluster, &page.id) {
                (page.told, page.uses) = (old.told, old.uses);
            }
        }
        let session = Box::new(session);
        page.told.ask(self.submit(Task::Rights(session.clone(), id.clone()), Waiting::KeyPage));
        page.uses.ask(self.submit(Task::LastUse(session, id), Waiting::KeyPage));
        self.key_page = Some(page);
    }

    pub(crate) fn last_use(&mut self, ticket: Ticket, uses: Result<Uses, NotKnown>) {
        if let Some(page) = &mut self.key_page {
            page.uses.answer(ticket, Ok(uses));
        }
    }

    pub(crate) fn rights(&mut self, ticket: Ticket, result: Result<Option<DescribedRights>, Problem>) {
        if let Some(page) = &mut self.key_page {
            page.told.answer(ticket, result);
        }
    }
}
