//! Back and forward: what was shown, in order. Places are remembered after each command, so that every way to a place
//! counts, whoever sent it.

use super::{Screen, State};
use crate::model::{api_key::KeyId, connections::profile::ProfileId, inventory::list_view::ListView};

/// Maximum number of places that can be gone back to; the oldest is forgotten.
pub const MAX_PLACES: usize = 50;

/// What is shown: a screen, and on the list of keys also its filter and the open page.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    screen: Screen,
    cluster: Option<ProfileId>,
    keys: Option<(ListView, Option<KeyId>)>,
}

impl Place {
    /// Returns `true` if the two differ only in the typed search: each letter is no place of its own.
    fn is_typed_on_from(&self, other: &Self) -> bool {
        let rest = |place: &Self| {
            let view = place.keys.as_ref().map(|(view, open)| (view.status, view.sorts.clone(), open.clone()));
            (place.screen, place.cluster.clone(), view)
        };
        let text = |place: &Self| place.keys.as_ref().map(|(view, _)| view.search.clone()).unwrap_or_default();
        let (old, new) = (text(other), text(self));
        rest(self) == rest(other) && !old.is_empty() && (new.starts_with(&old) || old.starts_with(&new))
    }
}

/// Places before and after what is shown.
#[derive(Debug, Default)]
pub struct Trail {
    now: Option<Place>,
    back: Vec<Place>,
    forward: Vec<Place>,
}

impl Trail {
    /// Returns `true` if there is a place to go back to.
    pub fn has_back(&self) -> bool {
        !self.back.is_empty()
    }

    /// Returns `true` if there is a place to go forward to.
    pub fn has_forward(&self) -> bool {
        !self.forward.is_empty()
    }

    /// Forgets the places of a cluster, which is closed.
    pub(super) fn forget(&mut self, id: &ProfileId) {
        let stays = |place: &Place| place.cluster.as_ref() != Some(id);
        self.back.retain(stays);
        self.forward.retain(stays);
        self.now = self.now.take().filter(stays);
    }

    fn note(&mut self, place: Place) {
        let Some(before) = self.now.replace(place.clone()) else { return };
        if before == place || place.is_typed_on_from(&before) {
            return;
        }
        self.back.push(before);
        if self.back.len() > MAX_PLACES {
            self.back.remove(0);
        }
        self.forward.clear();
    }
}

impl State {
    fn place(&self) -> Place {
        let shown = self.cluster().filter(|_| self.screen == Screen::Keys);
        Place {
            screen: self.screen,
            cluster: self.cluster().map(|cluster| cluster.profile.id.clone()),
            keys: shown.map(|cluster| (cluster.view.clone(), cluster.open.clone())),
        }
    }

    /// Remembers what is shown, if it is another place than before.
    pub(super) fn note_place(&mut self) {
        let place = self.place();
        self.trail.note(place);
    }

    /// Goes back to what was shown before, or forward again. Places on clusters that are closed are left out.
    pub(super) fn go_along_trail(&mut self, back: bool) {
        let here = self.place();
        let place = loop {
            let places = if back { &mut self.trail.back } else { &mut self.trail.forward };
            let Some(place) = places.pop() else { return };
            let is_open = |id: &ProfileId| {
                self.clusters.iter().any(|own| own.profile.id == *id)
                    || (*id == super::cluster::merged::all() && self.clusters.len() > 1)
            };
            if place != here && place.cluster.as_ref().is_none_or(is_open) {
                break place;
            }
        };
        let other = if back { &mut self.trail.forward } else { &mut self.trail.back };
        other.push(here);
        if let Some(id) = place.cluster.clone().filter(|id| self.cluster().is_none_or(|own| own.profile.id != *id)) {
            self.switch_to(id);
        }
        self.show(place.screen);
        if let Some((view, open)) = place.keys {
            self.on_cluster(|cluster, now| {
                cluster.set_view(view, now);
                cluster.open_page(open);
            });
        }
        self.trail.now = Some(self.place());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, pending::tests};

    #[test]
    fn one_goes_back_over_screens_pages_and_filters_and_forward_again() {
        let mut state = tests::state();
        let search = |text: &str| Command::SetView(ListView { search: text.into(), ..ListView::default() });
        let key = KeyId::new(tests::KEY);
        state.handle(Command::OpenKey(Some(key.clone())));
        ["o", "on", "one"].into_iter().for_each(|text| state.handle(search(text)));
        state.handle(Command::Show(Screen::Journal));
        let shown = |state: &State| {
            let cluster = state.cluster().unwrap();
            (state.screen, cluster.view.search.clone(), cluster.open.clone())
        };
        let steps = [
            (Screen::Journal, "one", Some(&key)),
            (Screen::Keys, "one", Some(&key)),
            (Screen::Keys, "", Some(&key)),
            (Screen::Keys, "", None),
        ];
        let expected = |step: usize| (steps[step].0, steps[step].1.to_owned(), steps[step].2.cloned());
        for step in 0..steps.len() {
            assert_eq!(shown(&state), expected(step), "back {step}");
            state.handle(Command::Back);
        }
        while state.trail.has_back() {
            state.handle(Command::Back);
        }
        while state.trail.has_forward() {
            state.handle(Command::Forward);
        }
        assert_eq!(shown(&state), expected(0));
        state.handle(Command::Back);
        state.handle(Command::Show(Screen::Settings));
        assert!(!state.trail.has_forward(), "another way was taken");
    }

    #[test]
    fn a_closed_cluster_is_not_gone_back_to_and_old_places_are_forgotten() {
        let mut state = tests::state();
        for _ in 0..MAX_PLACES {
            state.handle(Command::Show(Screen::Settings));
            state.handle(Command::Show(Screen::Journal));
        }
        assert_eq!(state.trail.back.len(), MAX_PLACES);
        let id = state.cluster().unwrap().profile.id.clone();
        state.handle(Command::Disconnect(id.clone()));
        let places = state.trail.back.iter().chain(&state.trail.forward);
        assert!(places.into_iter().all(|place| place.cluster.as_ref() != Some(&id)), "nothing of it stays in memory");
        state.handle(Command::Back);
        assert!(state.cluster().is_none());
    }
}
