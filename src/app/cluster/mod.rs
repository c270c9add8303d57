//! An open cluster: its session, its keys and roles, and the state of the list that shows them.

pub mod key_page;
pub(super) mod loading;
pub mod merged;
pub mod selection;

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Loadable, Screen, Selection, State, pending::Waiting};
use crate::{
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        connections::{
            draft::ProfileDraft,
            profile::{Environment, Profile, ProfileId},
        },
        filter::{self, Expr, FilterError},
        inventory::{
            Asker, Column, Inventory, Moment, Order, RowId,
            list_view::{self, ListSnapshot, ListView, Rows},
            overview::{self, Overview, OverviewOptions},
        },
        privileges::role::Role,
        text::sentence,
    },
    ops::{
        Fix, Problem, Session,
        connections::expirations,
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
    pub first_counts: Loadable<Option<FirstCounts>>,
    /// The overview, computed when it is shown and again whenever keys were read.
    pub overview: Option<Overview>,
    /// Sources of a merged list, in order; empty for a single cluster.
    pub parts: Vec<MergedSource>,
    pub(super) next_parts: Vec<MergedSource>,
    visit: Option<Timestamp>,
    overview_of: Option<(OverviewOptions, Timestamp)>,
    selected_rows: usize,
    anchor: Option<KeyId>,
    none: Inventory,
    zone: TimeZone,
    expr: Expr,
    order: Order,
    rows_good_until: Timestamp,
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
            first_counts: Loadable::default(),
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
            rows_good_until: Timestamp::MAX,
        }
    }

    /// Returns the keys that were read; empty if there are none.
    pub fn inventory(&self) -> &Inventory {
        self.keys.value().map_or(&self.none, |list| &list.keys)
    }

    /// Returns the row id of the key in a line of the list.
    pub fn row_at(&self, line: usize) -> Option<RowId> {
        self.rows.rows.get(line).copied()
    }

    /// Returns the id of the key in a line of the list.
    pub fn id_at(&self, line: usize) -> Option<KeyId> {
        self.row_at(line).map(|row| KeyId::new(self.inventory().id(row)))
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
    pub fn now(&self, now: Timestamp) -> Timestamp {
        let skew = self.session.value().map_or(TimeDelta::ZERO, Session::skew);
        now + skew
    }

    /// Fails what waits for this ticket, because its job broke.
    pub(super) fn fail(&mut self, ticket: Ticket) {
        let problem = || Problem::broken().fix(Fix::Retry);
        self.session.answer(ticket, Err(problem()));
        self.keys.answer(ticket, Err(problem()));
        self.roles.answer(ticket, Err(problem()));
        self.names.answer(ticket, Err(problem()));
        self.offered.answer(ticket, Err(problem()));
        self.first_counts.answer(ticket, Err(problem()));
    }

    /// Changes the filter or the sort order.
    pub(super) fn set_view(&mut self, view: ListView, now: Timestamp) {
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

    /// Returns the line of the list that shows a key.
    pub fn line_of(&self, id: &KeyId) -> Option<usize> {
        let row = self.inventory().row_id(id)?;
        self.rows.rows.iter().position(|other| *other == row)
    }

    /// Returns the number of selected keys among the shown rows.
    pub fn selected_rows(&self) -> usize {
        self.selected_rows
    }

    fn count_selected(&mut self) {
        let row_ids = self.rows.rows.iter().filter(|row| self.selection.has(**row));
        self.selected_rows = if self.selection.is_empty() { 0 } else { row_ids.count() };
    }

    pub(super) fn select(&mut self, id: KeyId, on: bool) {
        self.selection.set(&id, on);
        self.anchor = Some(id);
        self.count_selected();
    }

    pub(super) fn select_lines(&mut self, lines: std::ops::Range<usize>, also: bool) {
        let lines = lines.start.min(self.rows.rows.len())..lines.end.min(self.rows.rows.len());
        self.selection.take(self.rows.rows[lines].iter().copied(), also);
        self.count_selected();
    }

    /// Selects the lines from where the selection began to this one, inclusive.
    pub(super) fn select_to(&mut self, line: usize, also: bool) {
        let from = self.anchor.as_ref().and_then(|id| self.line_of(id)).unwrap_or(line);
        self.select_lines(from.min(line)..from.max(line) + 1, also);
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
    pub(super) fn take_keys(&mut self, now: Timestamp, snapshot: Option<Box<ListSnapshot>>) {
        let list = self.keys.value().cloned();
        self.selection.follow(list);
        self.overview_of = None;
        let Some(snapshot) = snapshot
            .filter(|snapshot| snapshot.view == self.view && (snapshot.at - self.now(now)).abs() < TimeDelta::MINUTE)
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
    pub(super) fn make_overview(&mut self, wanted: &OverviewOptions, now: Timestamp) {
        let wanted = OverviewOptions { visit: self.visit, ..wanted.clone() };
        let now = self.now(now);
        if self.overview_of.as_ref().is_some_and(|(known, until)| *known == wanted && now < *until) {
            return;
        }
        let complete = self.keys.value().filter(|list| list.is_complete);
        self.overview = match (complete, self.first_counts.value()) {
            (Some(list), _) => Some(Overview::of(&list.keys, &wanted, now, &self.zone)),
            (None, Some(Some(counts))) => {
                Some(counts.overview(overview::bars(wanted.span, Moment::Expires, now, &self.zone)))
            }
            _ => None,
        };
        self.overview_of = self.overview.as_ref().map(|_| (wanted, self.rows_good_until));
    }

    /// Returns `true` if the overview is out of date.
    pub(super) fn overview_is_old(&self, now: Timestamp) -> bool {
        self.overview_of.as_ref().is_none_or(|(_, until)| self.now(now) >= *until)
    }

    fn make_order(&mut self, now: Timestamp) {
        self.order = self.inventory().order(&self.view.sorts, self.now(now));
    }

    /// Returns the reason why it may not be known whether a key matches the search: [`filter::why_not_known`].
    pub fn why_not_known(&self) -> String {
        filter::why_not_known(&self.expr)
    }

    fn make_rows(&mut self, now: Timestamp) {
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
    pub(super) fn refresh_rows(&mut self, now: Timestamp) {
        if self.now(now) >= self.rows_good_until {
            if self.view.sorts.iter().any(|sort| sort.column == Column::Status) {
                self.make_order(now);
            }
            self.make_rows(now);
        }
    }

    /// Returns the time at which the next key crosses a threshold, by this machine's clock.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let skew = self.now(now) - now;
        (self.rows_good_until != Timestamp::MAX).then(|| self.rows_good_until - skew)
    }
}

impl State {
    pub(super) fn connect(&mut self, profile: Profile) {
        // Whoever asks for it: the form, a double click, the palette, unlocking.
        if let Some(words) = ProfileDraft::of(&profile).refusal() {
            return self.notice(words);
        }
        let Some(profile) = self.with_credential(self.policy.protected(profile)) else { return };
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
        self.close(&id);
        let ticket = self.submit(Task::Connect(Box::new(profile.endpoint.clone())), Waiting::Cluster(id));
        let mut cluster = Cluster::new(profile, self.zone.clone());
        if !self.settings.sorts.is_empty() {
            cluster.view.sorts.clone_from(&self.settings.sorts);
        }
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
            merged.keys.answer(ticket, Ok(Arc::new(list)));
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
        self.stop_reading(id);
        self.trail.forget(id);
        self.clusters.retain(|cluster| cluster.profile.id != *id);
        self.forget_merged(id);
        self.rotations.forget(id);
        self.drop_name_question_of(id);
    }

    pub(super) fn connected(&mut self, ticket: Ticket, result: Result<Session, Problem>) {
        let taken = self.clusters.iter_mut().find(|cluster| cluster.session.question() == Some(ticket));
        let Some(cluster) = taken else { return };
        let good = result.is_ok();
        cluster.session.answer(ticket, result);
        let id = cluster.profile.id.clone();
        if !good {
            return self.forget_credential(&id);
        }
        let expiring = expirations::words(&cluster.profile.endpoint, self.now);
        expiring.iter().for_each(|words| self.notice(sentence::capitalized(words)));
        self.remember_visit(&id);
        self.read_keys(&id);
        self.read_rotations(&id);
        self.read_what_is_shown();
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

    pub(super) fn first_counts(&mut self, ticket: Ticket, result: Result<Option<FirstCounts>, Problem>) {
        if let Some(cluster) = self.clusters.iter_mut().find(|c| c.first_counts.question() == Some(ticket)) {
            cluster.first_counts.answer(ticket, result);
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
        let Some(id) = self.current.clone() else { return };
        let ticket = self.submit(Task::Roles(Box::new(session)), Waiting::Cluster(id));
        if let Some(cluster) = self.cluster_mut() {
            cluster.roles.ask(ticket);
        }
    }

    pub(super) fn roles(&mut self, ticket: Ticket, result: Result<Vec<Role>, Problem>) {
        if let Some(cluster) = self.clusters.iter_mut().find(|c| c.roles.question() == Some(ticket)) {
            cluster.roles.answer(ticket, result);
        }
    }

    /// Returns `true` if data is shown from a cluster whose certificate is not verified or whose connection is not
    /// encrypted. The practice cluster does not count.
    pub fn insecure(&self) -> bool {
        let insecure = |cluster: &Cluster| {
            cluster.profile.environment != Environment::Sandbox
                && (cluster.profile.endpoint.trust == crate::model::connections::endpoint::Trust::InsecureDev
                    || !cluster.profile.endpoint.is_https())
        };
        if self.shows_all() { self.clusters.iter().any(insecure) } else { self.cluster().is_some_and(insecure) }
    }
}

#[cfg(test)]
mod tests;
