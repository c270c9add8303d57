//! What lies above the screens and changes nothing by itself: the command palette and the list of shortcuts.

use super::{Command, Screen, State, pending::Waiting};
use crate::{
    model::{api_key::KeyId, connections::profile::ProfileId, inventory::list_view::ListView},
    ops::keys::quick_find::{FoundKeys, Source},
    worker::{Task, Ticket},
};

/// A part above the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The command palette.
    Palette,
    /// The list of shortcuts.
    Shortcuts,
}

/// The open overlay, and the keys that the palette found.
#[derive(Debug, Default)]
pub struct Overlays {
    /// The overlay that is open.
    pub open: Option<Overlay>,
    /// Keys that were found last.
    pub found: FoundKeys,
    ticket: Option<Ticket>,
}

impl Overlays {
    /// Returns `true` while keys are searched.
    pub fn is_searching(&self) -> bool {
        self.ticket.is_some()
    }

    /// Ends a search whose job broke.
    pub(super) fn fail(&mut self, ticket: Ticket) {
        self.ticket.take_if(|own| *own == ticket);
    }
}

impl State {
    /// Opens an overlay, or closes it. A question is answered first.
    pub(super) fn show_overlay(&mut self, overlay: Option<Overlay>) {
        self.stop_finding();
        self.overlays = Overlays::default();
        if self.front().is_none() {
            self.overlays.open = overlay;
        }
    }

    fn stop_finding(&mut self) {
        if let Some(ticket) = self.overlays.ticket.take() {
            self.stop(ticket);
        }
    }

    /// Searches the keys of all open clusters in the background. An earlier search is given up.
    pub(super) fn find_keys(&mut self, typed: String) {
        self.stop_finding();
        let source = |cluster: &super::Cluster| {
            let list = cluster.keys.value()?.clone();
            Some(Source { profile: cluster.profile.id.clone(), list, now: cluster.now(self.now) })
        };
        let sources: Vec<Source> = self.clusters.iter().filter_map(source).collect();
        self.overlays.ticket = Some(self.submit(Task::FindKeys(sources, typed), Waiting::Palette));
    }

    pub(super) fn found_keys(&mut self, ticket: Ticket, found: FoundKeys) {
        if self.overlays.ticket == Some(ticket) {
            self.overlays.ticket = None;
            self.overlays.found = found;
        }
    }

    /// Shows the page of a key of an open cluster.
    pub(super) fn show_found(&mut self, profile: &ProfileId, id: KeyId) {
        let Some(cluster) = self.clusters.iter().find(|cluster| cluster.profile.id == *profile) else { return };
        if cluster.key(&id).is_none() {
            return self.notice("This key is not in the list any more");
        }
        if self.cluster().is_none_or(|shown| shown.profile.id != *profile) {
            self.switch_to(profile.clone());
        }
        self.show(Screen::Keys);
        self.act(Command::OpenKey(Some(id)));
    }

    /// Shows the keys of an open cluster that match a search.
    pub(super) fn list_found(&mut self, profile: &ProfileId, search: String) {
        if self.clusters.iter().all(|cluster| cluster.profile.id != *profile) {
            return;
        }
        if self.cluster().is_none_or(|shown| shown.profile.id != *profile) {
            self.switch_to(profile.clone());
        }
        let sorts = self.cluster().map(|cluster| cluster.view.sorts.clone()).unwrap_or_default();
        self.act(Command::ShowKeys(ListView { search, status: None, sorts }));
    }
}
