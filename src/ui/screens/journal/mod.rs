//! The journal screen: verification of the journal, all operations, and one of them in detail.

pub(super) mod operation;

use eframe::egui::{
    self, Align, Frame, Key, Layout, Margin, Modifiers, Panel, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::{
    app::{Command, journal::JournalView},
    model::{
        connections::profile::Environment,
        journal::{operation::Operation, verify::Fault},
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::calendar,
    },
    ops::journal::reader::{self, Verification, entries},
    ui::{
        View,
        components::{
            empty_states,
            operation::{ending_look, who},
            problem::{self, problem_buttons},
            side_page,
        },
        theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            field::Field,
            focus,
            list_row::{self, RowState},
            menu::menu_row,
            notice::{self, Tone},
            text,
            text::elided,
        },
    },
};

/// The screen, with the text that is being typed into the search.
#[derive(Default)]
pub struct JournalScreen {
    search: String,
    known_search: String,
    cursor: Option<usize>,
}

impl JournalScreen {
    /// Draws the screen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let state = view.state;
        let journal = &state.journal;
        if self.known_search != journal.view.search {
            self.known_search.clone_from(&journal.view.search);
            self.search.clone_from(&journal.view.search);
        }
        if let Some(shown_operation) = journal.open_operation() {
            if side_page::escape_closes(ui, view) {
                view.send(Command::OpenOperation(None));
            }
            if ui.ctx().content_rect().width() < size::COMPACT_BELOW {
                return operation::page(ui, view, shown_operation);
            }
            let p = theme::colors(ui);
            Panel::right("deed page")
                .frame(Frame::new().fill(p.surface.raised))
                .exact_size(size::SIDE_PAGE)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| operation::page(ui, view, shown_operation));
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        Frame::new().inner_margin(Margin { left: 20, right: 16, top: 10, bottom: 8 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            title(ui, view);
            if is_kept(view) {
                standing(ui, view);
                self.search_row(ui, view);
            }
        });
        notice::hairline(ui);
        self.content(ui, view);
    }

    fn search_row(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let p = theme::colors(ui);
        let free = !ui.ctx().egui_wants_keyboard_input() && !view.state.has_dialog();
        let slash = free && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Slash));
        let row = vec2(ui.available_width(), 36.0);
        let searched = ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
            let journal = &view.state.journal;
            let all = journal.operations().len() as u64;
            let count = format!("{} of {}", thousands(journal.rows.len() as u64), thousands(all));
            text::line(ui, Type::Small, p.text.tertiary, count);
            cluster_menu(ui, view);
            let hint = "Search by key, name, cluster or reason";
            Field::new("Search the journal").without_label().icon(icons::SEARCH).hint(hint).show(ui, &mut self.search)
        });
        let response = searched.inner;
        focus::entrance(ui, focus::FocusArea::Page, response.id);
        if slash {
            response.request_focus();
        }
        if self.search != self.known_search {
            self.known_search.clone_from(&self.search);
            self.cursor = None;
            let view_now = JournalView { search: self.search.clone(), ..view.state.journal.view.clone() };
            view.send(Command::SetJournalView(view_now));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let state = view.state;
        let journal = &state.journal;
        if let Some(record) = journal.record.value() {
            if let Some(why) = record.standing.not_kept {
                return notice::empty(ui, icons::HISTORY, "No journal is kept", why.words(), |_| ());
            }
            if record.operations.is_empty() {
                let line = "Every creation, update and invalidation from this machine is recorded here, before and \
                            after it happens";
                return notice::empty(ui, icons::HISTORY, "No activity yet", line, |_| ());
            }
            if journal.rows.is_empty() {
                let line = "No activity matches this search";
                return notice::empty(ui, icons::SEARCH, "Nothing found", line, |ui| {
                    if Button::secondary("Show everything").show(ui).clicked() {
                        view.send(Command::SetJournalView(JournalView::default()));
                    }
                });
            }
            return self.table(ui, view);
        }
        match journal.record.problem() {
            Some(problem) => problem::problem_page(ui, view, problem),
            None => empty_states::skeleton(ui),
        }
    }

    fn table(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let columns = Columns::fitting(ui.available_width(), view.state.journal.has_long_verbs);
        columns.header(ui);
        let state = view.state;
        let rows = &state.journal.rows;
        let moved = self.keyboard(ui, view, rows.len());
        let mut scroll = ScrollArea::vertical().id_salt("journal").auto_shrink(false);
        if let (true, Some(cursor)) = (moved, self.cursor) {
            // In the middle: wherever it was before, it can be seen now.
            let middle = (ui.available_height() - size::ROW) / 2.0;
            scroll = scroll.vertical_scroll_offset((cursor as f32 * size::ROW - middle).max(0.0));
        }
        scroll.show_rows(ui, size::ROW, rows.len(), |ui, range| {
            for row in range {
                let Some(place) = rows.get(row).map(|place| *place as usize) else { continue };
                let Some(operation) = state.journal.operations().get(place) else { continue };
                if columns.row(ui, view, operation, place, self.cursor == Some(row)) {
                    self.cursor = Some(row);
                }
            }
        });
    }

    /// Handles the keyboard: arrows, Page Up, Page Down, Home and End move, Enter opens, Escape closes. Returns `true`
    /// if the cursor moved.
    fn keyboard(&mut self, ui: &mut Ui, view: &mut View<'_>, rows: usize) -> bool {
        if ui.ctx().egui_wants_keyboard_input() || view.state.has_dialog() {
            return false;
        }
        let page = ((ui.available_height() / size::ROW) as usize).max(1);
        let at = self.cursor;
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let mut target = None;
        for (key, place) in [
            (Key::ArrowDown, at.map_or(0, |row| row + 1)),
            (Key::ArrowUp, at.map_or(0, |row| row.saturating_sub(1))),
            (Key::PageDown, at.unwrap_or(0) + page),
            (Key::PageUp, at.unwrap_or(0).saturating_sub(page)),
            (Key::Home, 0),
            (Key::End, rows),
        ] {
            if pressed(key) {
                target = Some(place.min(rows.saturating_sub(1)));
            }
        }
        let nothing_focused = ui.memory(|memory| memory.focused().is_none());
        let enter = nothing_focused && pressed(Key::Enter);
        let escape = pressed(Key::Escape);
        let place = |row: usize| view.state.journal.rows.get(row).map(|place| *place as usize);
        let opened = target.filter(|_| view.state.journal.open.is_some()).or(at.filter(|_| enter)).and_then(place);
        if let Some(place) = opened {
            view.send(Command::OpenOperation(Some(place)));
        }
        if escape {
            view.send(Command::OpenOperation(None));
        }
        self.cursor = target.or(at);
        target.is_some()
    }
}

fn is_kept(view: &View<'_>) -> bool {
    view.state.journal.record.value().is_none_or(|record| record.standing.not_kept.is_none())
}

fn title(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    let row = vec2(ui.available_width(), 36.0);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        let loading = view.state.journal.record.is_loading();
        let refresh = Button::ghost("Refresh").icon(icons::REFRESH).enabled(!loading);
        if refresh.show(ui).clicked() {
            view.send(Command::Refresh);
        }
        let has_entries = view.state.journal.record.value().is_some_and(|record| record.standing.lines > 0);
        if has_entries && Button::ghost("New checkpoint").icon(icons::VERIFIED_USER).show(ui).clicked() {
            view.send(Command::AskCheckpoint);
        }
        if !view.state.journal.rows.is_empty()
            && Button::ghost("Export…").icon(icons::DOWNLOAD).named("Export").show(ui).clicked()
        {
            view.send(Command::AskJournalExport);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, "Journal");
        });
    });
}

/// Draws whether the journal is as it was written, in one line; faults and open operations each get a banner.
fn standing(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    let state = view.state;
    let journal = &state.journal;
    let Some(record) = journal.record.value() else {
        let words = if journal.record.is_loading() { "Reading and verifying…" } else { "Not read" };
        return drop(text::line(ui, Type::Small, p.text.tertiary, words));
    };
    if let Some(problem) = journal.record.problem() {
        notice::banner(ui, Tone::Warning, &problem.title, &problem.detail, |ui| problem_buttons(ui, view, problem));
    }
    let standing = &record.standing;
    let whole = standing.faults.is_empty();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (icon, color) = if whole { (icons::VERIFIED_USER, p.success.text) } else { (icons::ERROR, p.danger.text) };
        text::icon(ui, Type::IconSmall, color, icon);
        let color = if whole { p.text.secondary } else { p.danger.text };
        text::line(ui, Type::Small, color, standing.words());
        if standing.open > 0 {
            let words = format!("{} without an outcome", plural(standing.open as u64, "action"));
            text::icon(ui, Type::IconSmall, p.warning.text, icons::PENDING);
            if Button::link(&words).show(ui).clicked() {
                let search = "no outcome".to_owned();
                view.send(Command::SetJournalView(JournalView { search, address: None }));
            }
        }
        if let Some(folder) = &standing.folder {
            text::line(ui, Type::MonoSmall, p.text.tertiary, folder.display().to_string());
        }
    });
    protection(ui, view, standing);
    // Where the notice above the screen was dismissed, it is still said here.
    if let Some(words) = standing.fault_words().filter(|_| journal.fault().is_none()) {
        notice::banner(ui, Tone::Danger, "The journal failed verification", &words, |_| ());
    }
    if state.cluster().is_some_and(|cluster| cluster.profile.environment == Environment::Sandbox) {
        let words = "Actions on the practice cluster are not recorded";
        text::line(ui, Type::Small, p.text.tertiary, words);
    }
}

/// Draws what shows a rewriting of the journal: the codes of its entries, and its last checkpoint.
fn protection(ui: &mut Ui, view: &View<'_>, standing: &Verification) {
    if standing.lines == 0 {
        return;
    }
    let p = theme::colors(ui);
    let codes = &standing.codes;
    let is_keyed = codes.unread.is_none() && codes.valid > 0;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let color = if is_keyed { p.success.text } else { p.warning.text };
        text::icon(ui, Type::IconSmall, color, icons::KEY);
        text::line(ui, Type::Small, p.text.secondary, reader::codes_words(codes));
        let is_contradicted = (standing.faults.iter())
            .any(|faulty| matches!(faulty.fault, Fault::CheckpointDiffers { .. } | Fault::CheckpointForged));
        let (color, words) = match &standing.checkpoint {
            None if is_contradicted => (p.danger.text, "No checkpoint here fits the entries".to_owned()),
            None => (p.text.tertiary, "No checkpoint signed with the key in the keyring yet".to_owned()),
            Some(checkpoint) => {
                let at = checkpoint.time.as_deref().and_then(|time| calendar::parse(time, &view.state.zone));
                let at =
                    at.map_or_else(|| "at a time not known".to_owned(), |at| calendar::local(at, &view.state.zone));
                (p.success.text, format!("Checkpoint of {}, {at}", entries(checkpoint.size)))
            }
        };
        text::icon(ui, Type::IconSmall, color, icons::TASK_ALT);
        text::line(ui, Type::Small, p.text.secondary, words);
    });
}

fn cluster_menu(ui: &mut Ui, view: &mut View<'_>) {
    let journal = &view.state.journal;
    let chosen = journal.clusters.iter().find(|cluster| Some(&cluster.address) == journal.view.address.as_ref());
    let words = chosen.map_or_else(|| "All clusters".into(), |cluster| sanitize::shortened(&cluster.name, 24));
    let name = format!("Cluster of the journal: {words}");
    let response = Button::secondary(&words).icon(icons::EXPAND_MORE).named(&name).show(ui);
    let view_of = |address: Option<String>| JournalView { address, ..journal.view.clone() };
    egui::Popup::menu(&response).width(320.0).show(|ui| {
        let mark = |on: bool| if on { icons::CHECK } else { "" };
        if menu_row(ui, "All clusters", mark(chosen.is_none())) {
            view.send(Command::SetJournalView(view_of(None)));
        }
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for cluster in &journal.clusters {
                let count = thousands(cluster.operations as u64);
                let words = format!(
                    "{}  {}  {count}",
                    sanitize::shortened(&cluster.name, 24),
                    sanitize::shortened(&cluster.address, 40)
                );
                if menu_row(ui, &words, mark(chosen == Some(cluster))) {
                    view.send(Command::SetJournalView(view_of(Some(cluster.address.clone()))));
                }
            }
        });
    });
}

const LEFT: f32 = 20.0;
const GAP: f32 = 12.0;
/// Widths that fit "invalidate", and "create cross-cluster", in points.
const SHORT_ACTION: f32 = 78.0;
const LONG_ACTION: f32 = 144.0;

/// Layout of the columns: heading, left edge and width of each.
struct Columns {
    shown: Vec<(&'static str, f32, f32)>,
    width: f32,
    utc: bool,
}

impl Columns {
    /// Chooses the columns for a width. If there is little room, UTC is dropped first and the reason next; the page of
    /// an operation has both.
    fn fitting(width: f32, has_long_verbs: bool) -> Self {
        let utc = width > 1000.0;
        let mut wanted = vec![
            ("Time", if utc { 244.0 } else { 160.0 }),
            ("Action", SHORT_ACTION),
            ("Outcome", 106.0),
            ("Who", if utc { 180.0 } else { 126.0 }),
            ("Cluster", if utc { 120.0 } else { 112.0 }),
            ("Keys", if utc { 216.0 } else { 148.0 }),
        ];
        let fixed: f32 = wanted.iter().map(|(_, width)| width + GAP).sum::<f32>() + LEFT;
        // What is left goes to a long action first, and from there on to the reason.
        let spare = width - fixed;
        let longer = if has_long_verbs { spare.clamp(0.0, LONG_ACTION - SHORT_ACTION) } else { 0.0 };
        wanted[1].1 += longer;
        if spare - longer > 90.0 {
            wanted.push(("Reason", spare - longer - 16.0));
        }
        let mut x = LEFT;
        let shown = wanted.into_iter().map(|(name, width)| {
            let at = x;
            x += width + GAP;
            (name, at, width)
        });
        Self { shown: shown.collect(), width, utc }
    }

    fn header(&self, ui: &mut Ui) {
        let p = theme::colors(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(self.width, size::ROW_HEADER), Sense::hover());
        for (name, x, width) in &self.shown {
            let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
            elided(ui, cell, Type::Label, p.text.tertiary, name);
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.stroke.divider));
    }

    /// Paints one row. Returns `true` if it was clicked.
    fn row(&self, ui: &mut Ui, view: &mut View<'_>, operation: &Operation, place: usize, cursor: bool) -> bool {
        let (rect, _) = ui.allocate_exact_size(vec2(self.width, size::ROW), Sense::hover());
        let id = ui.scope_id().with(("deed", place));
        let response = ui.interact(rect, id, Sense::click());
        let open = view.state.journal.open == Some(place);
        let cells: Vec<String> = self.shown.iter().map(|(name, ..)| self.cell_text(name, operation, view)).collect();
        let words = cells.iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, open, &words));
        let state = RowState { is_open: open, has_cursor: cursor, ..RowState::default() };
        list_row::background(ui, rect, &response, state);
        for ((name, x, width), words) in self.shown.iter().zip(&cells) {
            let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
            self.cell(ui, cell, name, operation, words);
        }
        if response.clicked() {
            ui.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
            view.send(Command::OpenOperation((!open).then_some(place)));
        }
        response.clicked()
    }

    fn cell_text(&self, column: &str, shown_operation: &Operation, view: &View<'_>) -> String {
        let zone = &view.state.zone;
        match column {
            "Time" => match shown_operation.at {
                Some(at) => {
                    let utc = calendar::utc_beside(at, zone).filter(|_| self.utc);
                    utc.map_or_else(|| calendar::local(at, zone), |utc| format!("{}  {utc}", calendar::local(at, zone)))
                }
                None => sanitize::shortened(&shown_operation.written_at, 40),
            },
            "Action" => sanitize::shortened(&shown_operation.verb(), 40),
            "Outcome" => shown_operation.ending.word().to_owned(),
            "Who" => sanitize::shortened(&who(shown_operation), 80),
            "Cluster" => sanitize::shortened(&shown_operation.cluster, 60),
            "Keys" => sanitize::shortened(&shown_operation.keys_in_short(), 80),
            _ => sanitize::shortened(shown_operation.why(), 200),
        }
    }

    fn cell(&self, ui: &Ui, cell: Rect, column: &str, shown_operation: &Operation, words: &str) {
        let p = theme::colors(ui);
        match column {
            "Time" => {
                let (local, utc) = words.split_once("  ").unwrap_or((words, ""));
                let used = elided(ui, cell, Type::Body, p.text.primary, local);
                let rest = Rect::from_min_max(pos2(cell.left() + used + 8.0, cell.top()), cell.max);
                elided(ui, rest, Type::Small, p.text.tertiary, utc);
            }
            "Outcome" => {
                let (icon, color) = ending_look(shown_operation.ending, p);
                let at = cell.left_center() + vec2(8.0, 0.0);
                ui.painter().text(at, egui::Align2::CENTER_CENTER, icon, Type::IconSmall.font(), color);
                let rest = Rect::from_min_max(cell.min + vec2(22.0, 0.0), cell.max);
                elided(ui, rest, Type::Body, p.text.primary, words);
            }
            "Action" => drop(elided(ui, cell, Type::Strong, p.text.primary, words)),
            "Keys" => drop(elided(ui, cell, Type::Mono, p.text.secondary, words)),
            _ => drop(elided(ui, cell, Type::Body, p.text.secondary, words)),
        }
    }
}
