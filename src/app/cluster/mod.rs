//! An open cluster: its session, its keys and roles, and what is shown of them.

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
        Problem, Session,
        create::{completions::Completions, offered::MissingCapabilities},
        keys::{first_counts::FirstCounts, list::KeyList},
    },
    worker::{Task, Ticket},
};
use merged::MergedSource;

/// A cluster that is open.
pub struct Cluster {
    /// How it is reached.
    pub profile: Profile,
    /// The signed-in connection.
    pub session: Loadable<Session>,
    /// Its keys.
    pub keys: Loadable<Arc<KeyList>>,
    /// How far reading has got: so many of so many, or of 0 where the cluster doesn't say.
    pub progress: Option<(u64, u64)>,
    /// Its roles, by name.
    pub roles: Loadable<Vec<Role>>,
    /// What a form of privileges is completed from.
    pub names: Loadable<Completions>,
    /// What can't be made here, and what is missing for it.
    pub offered: Loadable<MissingCapabilities>,
    /// What is shown of the keys.
    pub view: ListView,
    /// What is wrong with the search; the rows are those of the last good one.
    pub search_errors: Vec<FilterError>,
    /// The rows that fit the view.
    pub rows: Rows,
    /// The keys that are selected.
    pub selection: Selection,
    /// The key whose page is open.
    pub open: Option<KeyId>,
    /// The cluster's own first figures.
    pub figures: Loadable<Option<FirstCounts>>,
    /// The overview, made when it is looked at and again when keys were read.
    pub overview: Option<Overview>,
    /// Of a list that was put together: where each key comes from.
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

    /// All keys that were read.
    pub fn inventory(&self) -> &Inventory {
        self.keys.value().map_or(&self.none, |list| &list.keys)
    }

    /// The place in the inventory that a row shows.
    pub fn row_at(&self, row: usize) -> Option<usize> {
        self.rows.rows.get(row).map(|row_id| *row_id as usize)
    }

    /// The id of the key of a row.
    pub fn row_id(&self, row: usize) -> Option<KeyId> {
        self.row_at(row).map(|place| KeyId::new(self.inventory().id(place)))
    }

    /// A key by its id.
    pub fn key(&self, id: &KeyId) -> Option<ApiKey> {
        self.inventory().row_id(id).map(|row| self.inventory().key(row))
    }

    /// The key whose page is open, if it is still there.
    pub fn open_key(&self) -> Option<ApiKey> {
        self.key(self.open.as_ref()?)
    }

    /// The cluster's now: expiry is judged by its clock.
    pub fn now(&self, now: Millis) -> Millis {
        let skew = self.session.value().map_or(0, Session::skew);
        now.saturating_add(skew)
    }

    /// Another filter or order.
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

    /// The row that shows a key.
    pub fn row_of(&self, id: &KeyId) -> Option<usize> {
        let row = u32::try_from(self.inventory().row_id(id)?).ok()?;
        self.rows.rows.iter().position(|other| *other == row)
    }

    /// How many of the rows are selected.
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

    /// From where the selection began to a row.
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

    /// Shows the list that has come, as it was worked out, unless it is looked at otherwise by now.
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

    /// Makes the overview, unless it is there already as it is wanted.
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

    /// Whether the overview is out of date.
    pub(super) fn overview_is_old(&self, now: Millis) -> bool {
        self.overview_of.as_ref().is_none_or(|(_, until)| self.now(now) >= *until)
    }

    fn make_order(&mut self, now: Millis) {
        self.order = self.inventory().order(&self.view.sorts, self.now(now));
    }

    /// The reason why it may not be known if a key matches the search: [`filter::why_not_known`].
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

    /// Sorts and counts again when a key has crossed a threshold.
    pub(super) fn refresh_rows(&mut self, now: Millis) {
        if self.now(now) >= self.rows_good_until {
            if self.view.sorts.iter().any(|sort| sort.column == Column::Status) {
                self.make_order(now);
            }
            self.make_rows(now);
        }
    }

    /// When the next key crosses a threshold, by this machine's clock.
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

    /// Shows a list without a cluster behind it, merged of nothing. For measuring.
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

    /// The form of a new key needs the roles of whichever cluster has come below it.
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

    /// Takes a cluster away; what is being read of it is stopped.
    fn close(&mut self, id: &ProfileId) {
        let closed = self.clusters.iter().filter(|cluster| cluster.profile.id == *id);
        let questions: Vec<Ticket> = closed
            .flat_map(|cluster| {
                [
                    cluster.session.question(),
                    cluster.keys.question(),
                    cluster.roles.question(),
                    cluster.figures.question(),
                ]
            })
            .flatten()
            .collect();
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

    /// What is new is told since the last time, and the next time since now.
    fn remember_visit(&mut self, id: &ProfileId) {
        let now = self.now;
        let is_practice = |cluster: &Cluster| cluster.profile.environment == Environment::Sandbox;
        let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.profile.id == *id) else { return };
        if is_practice(cluster) {
            return; // it begins anew each time
        }
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

    /// Whether what is shown comes from a cluster whose certificate is not verified, or is not encrypted.
    pub fn insecure(&self) -> bool {
        let insecure = |cluster: &Cluster| {
            cluster.profile.environment != Environment::Sandbox
                && (cluster.profile.endpoint.trust == crate::model::connections::endpoint::Trust::InsecureDev
                    || !cluster.profile.endpoint.url.is_https())
        };
        if self.shows_all() { self.clusters.iter().any(insecure) } else { self.cluster().is_some_and(insecure) }
    }
}
