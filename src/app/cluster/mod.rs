//! An open cluster: its session, its keys and roles, and the state of the list that shows them.

pub mod key_page;
pub(super) mod loading;
pub mod merged;
pub mod selection;

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Loadable, Screen, Selection, State};
use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        connections::profile::{Environment, Profile, ProfileId},
        filter::{self, Expr, FilterError},
        inventory::{
            Asker, Column, Inventory, Moment, Order,
            list_view::{self, ListSnapshot, ListView, Rows},
            overview::{self, Overview, OverviewOptions},
        },
        privileges::role::Role,
    },
    ops::{
        Fix, Problem, Session,
        create::{completions::Completions, offered::MissingCapabilities},
        keys::{first_counts::FirstCounts, list::KeyList},
    },
    worker::{Task, Ticket},
};
use merged::MergedSource;

/// An open cluster, or all of them merged.
pub struct Cluster {
    /// Profile of the cluster.
    pub profile: Profile,
    /// The signed-in session.
    pub session: Loadable<Session>,
    /// All keys, or as many as were read so far.
    pub keys: Loadable<Arc<KeyList>>,
    /// Numbers of keys read so far and in total while reading; a total of 0 means that the cluster does not report it.
    pub progress: Option<(u64, u64)>,
    /// Roles of the cluster, sorted by name.
    pub roles: Loadable<Vec<Role>>,
    /// Completions for forms of privileges.
    pub names: Loadable<Completions>,
    /// Capabilities that are missing on this cluster, with what can't be created for that reason.
    pub offered: Loadable<MissingCapabilities>,
    /// Filter and sort order of the list.
    pub view: ListView,
    /// Errors in the search; the rows are those of the last valid search.
    pub search_errors: Vec<FilterError>,
    /// Rows that match the view, in its order.
    pub rows: Rows,
    /// Selected keys.
    pub selection: Selection,
    /// Id of the key whose page is open.
    pub open: Option<KeyId>,
    /// First counts from the cluster itself; `None` if it has none.
    pub figures: Loadable<Option<FirstCounts>>,
    /// The overview, computed when it is shown and again whenever keys were read.
    pub overview: Option<Overview>,
    /// Sources of a merged list, in order; empty for a single cluster.
    pub parts: Vec<MergedSource>,
    pub(super) next_parts: Vec<MergedSource>,
    visit: Option<Millis>,
    overview_of: Option<(OverviewOptions, Millis)>,
    selected_rows: usize,
    anchor: Option<KeyId>,
    none: Inventory,
    zone: TimeZone,
    expr: Expr,
    order: Order,
    rows_good_until: Millis,
}

impl Cluster {
    pub(super) fn new(profile: Profile, zone: TimeZone) -> Self {
        Self {
            profile,
            session: Loadable::default(),
            keys: Loadable::default(),
            progress: None,
            roles: Loadable::default(),
            names: Loadable::default(),
            offered: Loadable::default(),
            view: ListView::default(),
            search_errors: Vec::new(),
            rows: Rows::default(),
            selection: Selection::default(),
            open: None,
            figures: Loadable::default(),
            overview: None,
            parts: Vec::new(),
            next_parts: Vec::new(),
            visit: None,
            overview_of: None,
            selected_rows: 0,
            anchor: None,
            none: Inventory::default(),
            zone,
            expr: Expr::All,
            order: Order::default(),
            rows_good_until: Millis::MAX,
        }
    }

    /// Returns the keys that were read; empty if there are none.
    pub fn inventory(&self) -> &Inventory {
        self.keys.value().map_or(&self.none, |list| &list.keys)
    }

    /// Returns the row id in the inventory of a row of the list.
    pub fn row_at(&self, row: usize) -> Option<usize> {
        self.rows.rows.get(row).map(|row_id| *row_id as usize)
    }

    /// Returns the id of the key in a row of the list.
    pub fn row_id(&self, row: usize) -> Option<KeyId> {
        self.row_at(row).map(|place| KeyId::new(self.inventory().id(place)))
    }

    /// Returns the key with this id.
    pub fn key(&self, id: &KeyId) -> Option<ApiKey> {
        self.inventory().row_id(id).map(|row| self.inventory().key(row))
    }

    /// Returns the key whose page is open, if it is still in the list.
    pub fn open_key(&self) -> Option<ApiKey> {
        self.key(self.open.as_ref()?)
    }

    /// Converts this machine's time to the cluster's, by which expiration is judged.
    pub fn now(&self, now: Millis) -> Millis {
        let skew = self.session.value().map_or(0, Session::skew);
        now.saturating_add(skew)
    }

    /// Returns the tickets of everything that is being read from this cluster.
    fn questions(&self) -> Vec<Ticket> {
        let questions = [
            self.session.question(),
            self.keys.question(),
            self.roles.question(),
            self.names.question(),
            self.offered.question(),
            self.figures.question(),
        ];
        questions.into_iter().flatten().collect()
    }

    /// Fails what waits for this ticket, because its job broke.
    pub(super) fn broken(&mut self, ticket: Ticket, now: Millis) {
        let problem = || Problem::broken().fix(Fix::Retry);
        self.session.answer(ticket, Err(problem()), now);
        self.keys.answer(ticket, Err(problem()), now);
        self.roles.answer(ticket, Err(problem()), now);
        self.names.answer(ticket, Err(problem()), now);
        self.offered.answer(ticket, Err(problem()), now);
        self.figures.answer(ticket, Err(problem()), now);
    }

    /// Changes the filter or the sort order.
    pub(super) fn set_view(&mut self, view: ListView, now: Millis) {
        if self.view == view {
            return;
        }
        let sorted = self.view.sorts == view.sorts;
        self.view = view;
        if !sorted {
            self.make_order(now);
        }
        self.make_rows(now);
    }

    /// Returns the row of the list that shows a key.
    pub fn row_of(&self, id: &KeyId) -> Option<usize> {
        let row = u32::try_from(self.inventory().row_id(id)?).ok()?;
        self.rows.rows.iter().position(|other| *other == row)
    }

    /// Returns the number of selected keys among the shown rows.
    pub fn selected_rows(&self) -> usize {
        self.selected_rows
    }

    fn count_selected(&mut self) {
        let row_ids = self.rows.rows.iter().filter(|row| self.selection.has(**row as usize));
        self.selected_rows = if self.selection.is_empty() { 0 } else { row_ids.count() };
    }

    pub(super) fn select(&mut self, id: KeyId, on: bool) {
        self.selection.set(&id, on);
        self.anchor = Some(id);
        self.count_selected();
    }

    pub(super) fn select_rows(&mut self, rows: std::ops::Range<usize>, also: bool) {
        let rows = rows.start.min(self.rows.rows.len())..rows.end.min(self.rows.rows.len());
        self.selection.take(self.rows.rows[rows].iter().copied(), also);
        self.count_selected();
    }

    /// Selects the rows from where the selection began to this one, inclusive.
    pub(super) fn select_to(&mut self, row: usize, also: bool) {
        let from = self.anchor.as_ref().and_then(|id| self.row_of(id)).unwrap_or(row);
        self.select_rows(from.min(row)..from.max(row) + 1, also);
    }

    pub(super) fn deselect(&mut self, ids: &[KeyId]) {
        self.selection.remove(ids);
        self.count_selected();
    }

    pub(super) fn open_page(&mut self, id: Option<KeyId>) {
        if id.is_some() {
            self.anchor.clone_from(&id);
        }
        self.open = id;
    }

    /// Shows a list that arrived, with the snapshot that was computed for it unless the view has changed or the
    /// snapshot is a minute old.
    pub(super) fn take_keys(&mut self, now: Millis, snapshot: Option<Box<ListSnapshot>>) {
        let list = self.keys.value().cloned();
        self.selection.follow(list);
        self.overview_of = None;
        let Some(snapshot) =
            snapshot.filter(|snapshot| snapshot.view == self.view && snapshot.at.abs_diff(self.now(now)) < 60_000)
        else {
            self.make_order(now);
            return self.make_rows(now);
        };
        self.search_errors.clear();
        ListSnapshot { expr: self.expr, order: self.order, rows: self.rows, good_until: self.rows_good_until, .. } =
            *snapshot;
        self.count_selected();
    }

    /// Computes the overview, unless it is up to date with these options.
    pub(super) fn make_overview(&mut self, wanted: &OverviewOptions, now: Millis) {
        let wanted = OverviewOptions { visit: self.visit, ..wanted.clone() };
        let now = self.now(now);
        if self.overview_of.as_ref().is_some_and(|(known, until)| *known == wanted && now < *until) {
            return;
        }
        let complete = self.keys.value().filter(|list| list.is_complete);
        self.overview = match (complete, self.figures.value()) {
            (Some(list), _) => Some(Overview::of(&list.keys, &wanted, now, &self.zone)),
            (None, Some(Some(figures))) => {
                Some(figures.overview(overview::bars(wanted.span, Moment::Expires, now, &self.zone)))
            }
            _ => None,
        };
        self.overview_of = self.overview.as_ref().map(|_| (wanted, self.rows_good_until));
    }

    /// Returns `true` if the overview is out of date.
    pub(super) fn overview_is_old(&self, now: Millis) -> bool {
        self.overview_of.as_ref().is_none_or(|(_, until)| self.now(now) >= *until)
    }

    fn make_order(&mut self, now: Millis) {
        self.order = self.inventory().order(&self.view.sorts, self.now(now));
    }

    /// Returns the reason why it may not be known whether a key matches the search: [`filter::why_not_known`].
    pub fn why_not_known(&self) -> String {
        filter::why_not_known(&self.expr)
    }

    fn make_rows(&mut self, now: Millis) {
        let now = self.now(now);
        match filter::parse(&self.view.search, now, &self.zone) {
            Ok(query) => {
                self.search_errors.clear();
                self.expr = query.expr;
            }
            Err(errors) => self.search_errors = errors,
        }
        let identity = self.session.value().map(|session| &session.identity);
        let asker = identity.map(|own| Asker { username: &own.username, realm: &own.realm }).unwrap_or_default();
        self.rows = Rows::new(self.inventory(), &self.expr, self.view.status, &self.order, now, asker);
        self.rows_good_until = list_view::good_until(self.inventory(), now);
        self.count_selected();
    }

    /// Sorts and filters again if a key has crossed a time threshold.
    pub(super) fn refresh_rows(&mut self, now: Millis) {
        if self.now(now) >= self.rows_good_until {
            if self.view.sorts.iter().any(|sort| sort.column == Column::Status) {
                self.make_order(now);
            }
            self.make_rows(now);
        }
    }

    /// Returns the time at which the next key crosses a threshold, by this machine's clock.
    pub(super) fn next_change(&self, now: Millis) -> Option<Millis> {
        let skew = self.now(now).saturating_sub(now);
        (self.rows_good_until != Millis::MAX).then(|| self.rows_good_until.saturating_sub(skew))
    }
}

impl State {
    pub(super) fn connect(&mut self, profile: Profile) {
        let id = profile.id.clone();
        if self.clusters.iter().all(|cluster| cluster.profile != profile) {
            self.entry_opened(&id);
        }
        self.current = Some(id.clone());
        self.screen = Screen::Keys;
        let reached =
            |cluster: &&mut Cluster| cluster.profile.endpoint == profile.endpoint && cluster.session.value().is_some();
        if let Some(open) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == id).filter(reached) {
            // Its name and its environment may be others by now: what is production must look like it.
            open.profile = profile;
            return;
        }
        let ticket = self.submit(Task::Connect(Box::new(profile.endpoint.clone())));
        self.close(&id);
        let mut cluster = Cluster::new(profile, self.zone.clone());
        cluster.session.ask(ticket);
        self.clusters.push(cluster);
    }

    /// Shows a list without a cluster, as a merged list without sources. For benchmarks.
    #[doc(hidden)]
    pub fn show_list(&mut self, profile: Profile, list: KeyList) {
        self.clusters.push(Cluster::new(profile, self.zone.clone()));
        self.show_all();
        let now = self.now;
        if let Some(merged) = &mut self.merged {
            let ticket = Ticket(u64::MAX);
            merged.keys.ask(ticket);
            merged.keys.answer(ticket, Ok(Arc::new(list)), now);
            merged.take_keys(now, None);
        }
        self.screen = Screen::Keys;
    }

    pub(super) fn switch_to(&mut self, id: ProfileId) {
        if id == merged::all() {
            self.show_all();
        } else {
            self.current = Some(id);
        }
        self.read_what_is_shown();
    }

    /// Reads what the current screen needs of the cluster that is shown now: the form of a new key needs its roles.
    fn read_what_is_shown(&mut self) {
        match self.screen {
            Screen::Create => self.read_roles_once(),
            Screen::Overview => self.overview_now(),
            _ => {}
        }
    }

    pub(super) fn disconnect(&mut self, id: &ProfileId) {
        self.close(id);
        if self.current.as_ref() == Some(id) {
            self.current = self.clusters.last().map(|cluster| cluster.profile.id.clone());
            if self.current.is_none() {
                self.show(Screen::Connections);
            }
            self.read_what_is_shown();
        } else if self.clusters.len() < 2 && self.shows_all() {
            self.current = self.clusters.last().map(|cluster| cluster.profile.id.clone());
        }
        self.merge();
    }

    /// Closes a cluster, and stops reading from it.
    fn close(&mut self, id: &ProfileId) {
        let closed = self.clusters.iter().filter(|cluster| cluster.profile.id == *id);
        let questions: Vec<Ticket> = closed.flat_map(Cluster::questions).collect();
        for ticket in questions {
            self.submit(Task::Stop(ticket));
        }
        self.clusters.retain(|cluster| cluster.profile.id != *id);
        self.forget_merged(id);
        self.rotations.forget(id);
    }

    pub(super) fn connected(&mut self, ticket: Ticket, result: Result<Session, Problem>) {
        let now = self.now;
        let taken = self.clusters.iter_mut().find(|cluster| cluster.session.question() == Some(ticket));
        let Some(cluster) = taken else { return };
        let good = result.is_ok();
        cluster.session.answer(ticket, result, now);
        let id = cluster.profile.id.clone();
        if good {
            self.remember_visit(&id);
            self.read_keys(&id);
            self.read_rotations(&id);
            self.read_what_is_shown();
        }
    }

    /// Notes the time of this visit, and keeps that of the last one, since which the overview shows what is new.
    fn remember_visit(&mut self, id: &ProfileId) {
        let own_now = self.now;
        let is_practice = |cluster: &Cluster| cluster.profile.environment == Environment::Sandbox;
        let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == *id) else { return };
        if is_practice(cluster) {
            return; // it begins anew each time
        }
        // By the clock that creation and invalidation are compared by.
        let now = cluster.now(own_now);
        let last = self.settings.visits.get(&id.0).copied();
        cluster.visit = cluster.visit.or(last);
        self.change_settings(|settings| {
            settings.visits.insert(id.0.clone(), now);
        });
    }

    pub(super) fn overview_now(&mut self) {
        let (wanted, now) = (self.wanted(), self.now);
        if let Some(cluster) = self.cluster_mut() {
            cluster.make_overview(&wanted, now);
        }
    }

    fn wanted(&self) -> OverviewOptions {
        OverviewOptions { fields: self.settings.counted_by.clone(), ..self.overview_wanted.clone() }
    }

    pub(super) fn figures(&mut self, ticket: Ticket, result: Result<Option<FirstCounts>, Problem>) {
        let now = self.now;
        if let Some(cluster) = self.clusters.iter_mut().find(|c| c.figures.question() == Some(ticket)) {
            cluster.figures.answer(ticket, result, now);
            cluster.overview_of = None;
        }
        self.overview_if_shown();
    }

    pub(super) fn overview_if_shown(&mut self) {
        if self.screen == Screen::Overview {
            self.overview_now();
        }
    }

    pub(super) fn read_roles_once(&mut self) {
        if self.cluster().is_some_and(|cluster| cluster.roles.is_untouched()) {
            self.read_roles();
        }
    }

    pub(super) fn read_roles(&mut self) {
        let Some(session) = self.cluster().and_then(|cluster| cluster.session.value()).cloned() else { return };
        let ticket = self.submit(Task::Roles(Box::new(session)));
        if let Some(cluster) = self.cluster_mut() {
            cluster.roles.ask(ticket);
        }
    }

    pub(super) fn roles(&mut self, ticket: Ticket, result: Result<Vec<Role>, Problem>) {
        let now = self.now;
        if let Some(cluster) = self.clusters.iter_mut().find(|c| c.roles.question() == Some(ticket)) {
            cluster.roles.answer(ticket, result, now);
        }
    }

    /// Returns `true` if data is shown from a cluster whose certificate is not verified or whose connection is not
    /// encrypted. The practice cluster does not count.
    pub fn insecure(&self) -> bool {
        let insecure = |cluster: &Cluster| {
            cluster.profile.environment != Environment::Sandbox
                && (cluster.profile.endpoint.trust == crate::model::connections::endpoint::Trust::InsecureDev
                    || !cluster.profile.endpoint.url.is_https())
        };
        if self.shows_all() { self.clusters.iter().any(insecure) } else { self.cluster().is_some_and(insecure) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{
            Command,
            rotation::answers::tests::{profile, session},
        },
        worker::{Answer, Event},
    };

    #[test]
    fn whatever_is_read_from_a_cluster_fails_with_its_job() {
        let mut cluster = Cluster::new(profile(), TimeZone::UTC);
        cluster.session.ask(Ticket(1));
        cluster.keys.ask(Ticket(2));
        cluster.roles.ask(Ticket(3));
        cluster.names.ask(Ticket(4));
        cluster.offered.ask(Ticket(5));
        cluster.figures.ask(Ticket(6));
        // Each field that can be asked for is in the list: a new one makes this count wrong.
        let fields = include_str!("mod.rs")
            .lines()
            .take_while(|line| !line.starts_with("impl"))
            .filter(|line| line.trim_start().starts_with("pub ") && line.contains(": Loadable<"));
        let questions = cluster.questions();
        assert_eq!(questions, (1..=fields.count() as u64).map(Ticket).collect::<Vec<_>>());
        questions.into_iter().for_each(|ticket| cluster.broken(ticket, 0));
        assert_eq!(cluster.questions(), [], "nothing loads forever");
        assert!(cluster.names.problem().is_some() && cluster.offered.problem().is_some());
    }

    #[test]
    fn a_cluster_that_is_closed_stops_what_is_read_from_it() {
        let mut state = State::new(0, TimeZone::UTC);
        state.handle(Command::Connect(Box::new(profile())));
        state.clusters[0].names.ask(Ticket(70));
        state.clusters[0].offered.ask(Ticket(71));
        state.take_jobs();
        state.handle(Command::Disconnect(profile().id));
        let jobs = state.take_jobs();
        let stops = |ticket: u64| jobs.iter().any(|job| matches!(job.task, Task::Stop(Ticket(own)) if own == ticket));
        assert!(stops(70) && stops(71), "{jobs:?}");
    }

    #[test]
    fn a_visit_is_noted_by_the_cluster_s_clock_by_which_its_keys_are_created() {
        const AHEAD: Millis = 3_600_000;
        let mut state = State::new(1_000_000, TimeZone::UTC);
        state.handle(Command::Connect(Box::new(profile())));
        let ticket = state.clusters[0].session.question().unwrap();
        let session = session();
        session.client.set_own_skew(AHEAD, 0);
        state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session))) });
        assert_eq!(state.settings.visits.get("p"), Some(&(1_000_000 + AHEAD)));
    }
}
