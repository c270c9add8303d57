//! The command palette: commands that are possible now, keys of the open clusters, screens and connections.

use eframe::egui::{
    self, Align, Align2, Area, CornerRadius, Event, Frame, Id, Key, Layout, Margin, Modal, Modifiers, Order, Popup,
    Rect, Role, ScrollArea, Sense, Stroke, TextEdit, Ui, UiKind, WidgetInfo, pos2, text::LayoutJob, vec2,
};

use crate::{
    app::{
        Action, ActionGroup, Command, Front, Overlay, State,
        actions::{ACTIONS, ActionRow, Held, Shortcut, ShortcutKey},
    },
    model::{
        connections::profile::Profile,
        filter,
        inventory::list_view::ListView,
        text::{
            fuzzy::{Fit, Words},
            number::{plural, thousands},
            sanitize,
        },
        time::status::Status,
    },
    ops::keys::quick_find::FoundKey,
    ui::{
        View,
        components::key_status::{mark_of, remaining_text},
        shortcuts,
        theme::{self, Type, icons, radius},
        widgets::{chip, keycap, status, text},
    },
};

const WIDTH: f32 = 640.0;
const TOP: f32 = 96.0;
const FIELD: f32 = 52.0;
const ROW: f32 = 36.0;
const HEADING: f32 = 28.0;
const FOOTER: f32 = 40.0;

/// Name of the palette and of its field.
const NAME: &str = "Find a key or run a command";

/// Maximum length of what is typed, in characters.
const MAX_TYPED: usize = 200;

/// Maximum number of rows of commands, and of screens and connections.
const MAX_COMMANDS: usize = 5;
const MAX_PLACES: usize = 4;

/// A row that can be chosen.
#[derive(Clone, PartialEq)]
enum Row {
    Action(Action),
    Key(FoundKey),
    SearchAll,
    Connection(Box<Profile>),
}

/// The typed text, and the row at the keyboard.
#[derive(Default)]
pub struct PaletteForm {
    typed: String,
    sent: Option<String>,
    chosen: usize,
    /// Enter came together with letters whose rows are not there yet; `true` inside if it was pressed with Ctrl.
    waits: Option<bool>,
    was_open: bool,
}

struct Section {
    title: &'static str,
    count: usize,
    rows: Vec<Row>,
}

fn commands(state: &State, words: &Words, is_wanted: impl Fn(&ActionRow) -> bool) -> Vec<Row> {
    let possible = |row: &&ActionRow| is_wanted(row) && state.why_not(row.action).is_none();
    let mut found: Vec<(Fit, Action)> = ACTIONS
        .iter()
        .filter(possible)
        .filter_map(|row| Some((words.fit(&state.words_of(row.action))?, row.action)))
        .collect();
    // Stable, so that the table decides among equals.
    found.sort_by_key(|(fit, _)| *fit);
    found.into_iter().map(|(_, action)| Row::Action(action)).collect()
}

fn connections(state: &State, words: &Words) -> Vec<Row> {
    let saved = state.profiles.value().map(|read| read.profiles.as_slice()).unwrap_or_default();
    let open = state.clusters.iter().map(|cluster| &cluster.profile);
    let unsaved = open.filter(|profile| saved.iter().all(|other| other.id != profile.id));
    let shown = state.cluster().map(|cluster| &cluster.profile.id);
    let others = unsaved.chain(saved).filter(|profile| Some(&profile.id) != shown);
    let mut found: Vec<(Fit, &Profile)> =
        others.filter_map(|profile| Some((words.fit(&profile.name)?, profile))).collect();
    found.sort_by_key(|(fit, _)| *fit);
    found.into_iter().map(|(_, profile)| Row::Connection(Box::new(profile.clone()))).collect()
}

impl PaletteForm {
    fn sections(&self, state: &State) -> Vec<Section> {
        let words = Words::new(&self.typed);
        let mut sections = Vec::new();
        let own = |row: &ActionRow| row.group != ActionGroup::GoTo && row.action != Action::Palette;
        let rows = commands(state, &words, own);
        sections.push(Section { title: "Commands", count: rows.len(), rows: limited(rows, MAX_COMMANDS) });
        if !words.is_empty() && state.cluster().is_some() {
            let found = &state.overlays.found;
            // The keys of an earlier text are not offered for this one.
            let is_current = found.typed == self.typed;
            let mut rows: Vec<Row> = Vec::new();
            if is_current {
                rows.extend(found.keys.iter().cloned().map(Row::Key));
            }
            rows.push(Row::SearchAll);
            sections.push(Section { title: "Keys", count: if is_current { found.count } else { 0 }, rows });
        }
        let mut rows = commands(state, &words, |row| row.group == ActionGroup::GoTo);
        let connections = connections(state, &words);
        let count = rows.len() + connections.len();
        let for_screens = MAX_PLACES.saturating_sub(connections.len().min(2));
        rows.truncate(for_screens);
        rows.extend(connections);
        sections.push(Section { title: "Go to", count, rows: limited(rows, MAX_PLACES) });
        sections.retain(|section| !section.rows.is_empty());
        sections
    }

    /// Draws the palette if it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        if view.state.front() != Some(Front::Overlay(Overlay::Palette)) {
            if view.state.overlays.open != Some(Overlay::Palette) {
                *self = Self::default();
            }
            return;
        }
        let p = theme::colors_of(ctx);
        if !std::mem::replace(&mut self.was_open, true) {
            Popup::close_all(ctx);
        }
        let id = Id::unique("palette");
        let area = Area::new(id)
            .kind(UiKind::Modal)
            .sense(Sense::hover())
            .order(Order::Foreground)
            .interactable(true)
            .anchor(Align2::CENTER_TOP, vec2(0.0, TOP));
        let frame = Frame::new()
            .fill(p.surface.overlay)
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::XL))
            .shadow(theme::dialog_shadow(p));
        let room = ctx.content_rect();
        let sections = self.sections(view.state);
        let rows: Vec<Row> = sections.iter().flat_map(|section| section.rows.clone()).collect();
        self.chosen = self.chosen.min(rows.len().saturating_sub(1));
        let (moved, mut enter, mut also) = self.keyboard(ctx, rows.len());
        if let Some(waited) = self.waits.take() {
            (enter, also) = (true, waited);
        }
        let is_typed = |event: &Event| matches!(event, Event::Text(_) | Event::Paste(_));
        if enter && ctx.input(|input| input.events.iter().any(is_typed)) {
            (self.waits, enter) = (Some(also), false);
            ctx.request_repaint();
        }
        let mut run: Option<(Row, bool)> = None;
        if enter && let Some(row) = rows.get(self.chosen) {
            run = Some((row.clone(), also));
        }
        let modal = Modal::new(id).area(area).backdrop_color(p.surface.scrim).frame(frame);
        let response = modal.show(ctx, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                node.set_role(egui::accesskit::Role::Dialog);
                node.set_modal();
                node.set_label("Command palette");
            });
            ui.set_width(WIDTH.min(room.width() - 48.0));
            ui.spacing_mut().item_spacing.y = 0.0;
            self.field(ui, rows.iter().filter(|row| **row != Row::SearchAll).count());
            let height = room.height() - TOP - FIELD - FOOTER - 24.0;
            ScrollArea::vertical().id_salt("palette rows").max_height(height).show(ui, |ui| {
                Frame::new().inner_margin(Margin::symmetric(4, 4)).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    let mut at = 0;
                    for section in &sections {
                        heading(ui, section);
                        for row in &section.rows {
                            let clicked = self.row(ui, view.state, row, at, moved);
                            if clicked {
                                run = Some((row.clone(), ui.input(|input| input.modifiers.command)));
                            }
                            at += 1;
                        }
                    }
                    if rows.is_empty() {
                        text::line(ui, Type::Body, p.text.tertiary, "Nothing found");
                    }
                });
            });
            footer(ui);
        });
        if self.sent.as_ref() != Some(&self.typed) {
            self.sent = Some(self.typed.clone());
            self.chosen = 0;
            if !self.typed.trim().is_empty() {
                view.send(Command::FindKeys(self.typed.clone()));
            }
        }
        let escape = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        if let Some((row, also)) = run {
            self.run(view, row, also);
        } else if escape || response.backdrop_response.clicked() {
            view.send(Command::ShowOverlay(None));
        }
    }

    fn run(&self, view: &mut View<'_>, row: Row, in_list: bool) {
        view.send(Command::ShowOverlay(None));
        let sorts = view.state.cluster().map(|cluster| cluster.view.sorts.clone()).unwrap_or_default();
        match row {
            // What is not possible any more is not done.
            Row::Action(action) => {
                if let Some(command) = view.state.command_of(action) {
                    view.send(command);
                }
            }
            Row::Key(key) if in_list => {
                let search = format!("id:{}", filter::quoted(key.id.as_str()));
                view.send(Command::ListFound(key.profile, search));
            }
            Row::Key(key) => view.send(Command::ShowFound(key.profile, key.id)),
            Row::SearchAll => {
                let search = Words::new(&self.typed).each().map(|word| filter::quoted(&word)).collect::<Vec<_>>();
                view.send(Command::ShowKeys(ListView { search: search.join(" "), status: None, sorts }));
            }
            Row::Connection(profile) => {
                view.state.commands_to_show(&profile).into_iter().for_each(|command| view.send(command));
            }
        }
    }

    /// Takes the arrows and Enter before the field does. Returns whether the row was moved, whether Enter was pressed,
    /// and whether with Ctrl.
    fn keyboard(&mut self, ctx: &egui::Context, rows: usize) -> (bool, bool, bool) {
        let (down, up, enter, also) = ctx.input_mut(|input| {
            let also = input.consume_key(Modifiers::COMMAND, Key::Enter);
            (
                input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown),
                input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp),
                input.consume_key(Modifiers::NONE, Key::Enter) || also,
                also,
            )
        });
        let last = rows.saturating_sub(1);
        self.chosen = (self.chosen + down).min(last).saturating_sub(up);
        (down + up > 0, enter, also)
    }

    fn field(&mut self, ui: &mut Ui, results: usize) {
        let p = theme::colors(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), FIELD), Sense::hover());
        let line = Stroke::new(1.0, p.stroke.card);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
        let icon = pos2(rect.left() + 24.0, rect.center().y);
        ui.painter().text(icon, Align2::CENTER_CENTER, icons::SEARCH, Type::Icon.font(), p.text.tertiary);
        let escape = keycap::paint_left_of(ui, rect.right_center() - vec2(16.0, 0.0), "Esc");
        let mut right = escape.left() - 10.0;
        if !self.typed.is_empty() {
            let words = plural(results as u64, "result");
            let at = pos2(right, rect.center().y);
            let drawn = ui.painter().text(at, Align2::RIGHT_CENTER, &words, Type::Small.font(), p.text.tertiary);
            right = drawn.left() - 8.0;
        }
        let inner = Rect::from_min_max(pos2(rect.left() + 44.0, rect.top() + 14.0), pos2(right, rect.bottom() - 14.0));
        let id = Id::unique("palette field");
        let edit = TextEdit::singleline(&mut self.typed)
            .id(id)
            .char_limit(MAX_TYPED)
            .frame(Frame::NONE)
            .margin(Margin::ZERO)
            .font(Type::Lead.font())
            .hint_text(Type::Lead.rich(format!("{NAME}…"), p.text.tertiary))
            .text_color(p.text.primary);
        // Beside the flow: the line was allocated already.
        let layout = Layout::left_to_right(Align::Center);
        let mut beside = ui.new_child(egui::UiBuilder::new().max_rect(inner).layout(layout));
        let response = beside.add(edit.desired_width(inner.width()));
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::TextInput, true, NAME);
            info.current_text_value = Some(self.typed.clone());
            info
        });
        response.request_focus();
        ui.memory_mut(|memory| {
            let filter = egui::EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
            memory.set_focus_lock_filter(id, filter);
        });
    }

    fn row(&mut self, ui: &mut Ui, state: &State, row: &Row, at: usize, moved: bool) -> bool {
        let p = theme::colors(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
        let is_chosen = self.chosen == at;
        if response.hovered() && ui.input(|input| input.pointer.delta() != egui::Vec2::ZERO) {
            self.chosen = at;
        }
        if is_chosen {
            ui.painter().rect_filled(rect, f32::from(radius::M), p.surface.selected);
            if moved {
                response.scroll_to_me(None);
            }
        }
        let words = Words::new(&self.typed);
        let name = match row {
            Row::Action(action) => self.action(ui, state, rect, *action, &words),
            Row::Key(key) => found_key(ui, state, rect, key, &words),
            Row::SearchAll => {
                let words = format!("Search all keys for “{}”", sanitize::shortened(self.typed.trim(), 40));
                let at = pos2(rect.left() + 40.0, rect.center().y);
                ui.painter().text(at, Align2::LEFT_CENTER, &words, Type::Body.font(), p.text.link);
                words
            }
            Row::Connection(profile) => connection(ui, state, rect, profile, &words),
        };
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_chosen, &name));
        response.clicked()
    }

    fn action(&self, ui: &Ui, state: &State, rect: Rect, action: Action, words: &Words) -> String {
        let p = theme::colors(ui);
        let name = state.words_of(action);
        paint_icon(ui, rect, shortcuts::icon(action), p.accent.text);
        let mut right = rect.right() - 8.0;
        if let Some(shortcut) = shortcuts::of(ui.ctx(), action) {
            right = keycap::paint_left_of(ui, pos2(right, rect.center().y), &shortcut).left() - 8.0;
        }
        paint_marked(ui, rect, right, &name, words);
        name
    }
}

fn limited(mut rows: Vec<Row>, most: usize) -> Vec<Row> {
    rows.truncate(most);
    rows
}

fn paint_icon(ui: &Ui, rect: Rect, icon: &str, color: egui::Color32) {
    let at = pos2(rect.left() + 20.0, rect.center().y);
    ui.painter().text(at, Align2::CENTER_CENTER, icon, Type::Icon.font(), color);
}

/// Paints a text with the parts that match, and returns where it ends.
fn paint_marked(ui: &Ui, rect: Rect, right: f32, words: &str, typed: &Words) -> f32 {
    let p = theme::colors(ui);
    let left = rect.left() + 40.0;
    let mut job = LayoutJob::default();
    let mut from = 0;
    for span in typed.spans(words) {
        job.append(&words[from..span.start], 0.0, Type::Strong.format(p.text.primary));
        job.append(&words[span.clone()], 0.0, Type::Emphasis.format(p.accent.text));
        from = span.end;
    }
    job.append(&words[from..], 0.0, Type::Strong.format(p.text.primary));
    job.wrap = egui::text::TextWrapping {
        max_width: (right - left).max(0.0),
        max_rows: 1,
        break_anywhere: true,
        ..egui::text::TextWrapping::default()
    };
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let width = galley.size().x;
    let at = pos2(left, (rect.center().y - galley.size().y / 2.0).round());
    ui.painter().galley(at, galley, p.text.primary);
    left + width
}

fn found_key(ui: &Ui, state: &State, rect: Rect, found: &FoundKey, typed: &Words) -> String {
    let p = theme::colors(ui);
    let home = state.clusters.iter().find(|cluster| cluster.profile.id == found.profile);
    let Some((cluster, key)) = home.and_then(|cluster| Some((cluster, cluster.key(&found.id)?))) else {
        return "This key is not in the list any more".to_owned();
    };
    let now = cluster.now(state.now);
    let center = pos2(rect.left() + 20.0, rect.center().y);
    status::paint_mark(ui.painter(), center, mark_of(&key, now), p);
    let key_status = key.status(now);
    let remaining = remaining_text(&key, key_status, now);
    let color = if key_status == Status::Active { p.text.secondary } else { status::text_color(key_status, p) };
    let at = pos2(rect.right() - 8.0, rect.center().y);
    let drawn = ui.painter().text(at, Align2::RIGHT_CENTER, &remaining, Type::Body.font(), color);
    let name = sanitize::shortened(&key.name, 60);
    let end = paint_marked(ui, rect, drawn.left() - 12.0, &name, typed);
    let mut beside = sanitize::shortened(key.application_id().unwrap_or_else(|| key.id.as_str()), 40);
    if state.clusters.len() > 1 {
        beside = format!("{beside}, {}", sanitize::shortened(&cluster.profile.name, 24));
    }
    let rest = Rect::from_min_max(pos2(end + 10.0, rect.top()), pos2(drawn.left() - 12.0, rect.bottom()));
    if rest.width() > 24.0 {
        text::elided(ui, rest, Type::MonoSmall, p.text.tertiary, &beside);
    }
    format!("Key {name}, {beside}, {remaining}")
}

fn connection(ui: &mut Ui, state: &State, rect: Rect, profile: &Profile, typed: &Words) -> String {
    let p = theme::colors(ui);
    paint_icon(ui, rect, icons::LAN, p.accent.text);
    let room = Rect::from_min_max(pos2(rect.right() - 140.0, rect.top()), rect.max - vec2(8.0, 0.0));
    let layout = Layout::right_to_left(Align::Center);
    let mut beside = ui.new_child(egui::UiBuilder::new().max_rect(room).layout(layout));
    chip::environment(&mut beside, profile.environment);
    let name = sanitize::shortened(&profile.name, 40);
    let end = paint_marked(ui, rect, room.left() - 8.0, &name, typed);
    let host = sanitize::shortened(profile.endpoint.url.host(), 60);
    let rest = Rect::from_min_max(pos2(end + 10.0, rect.top()), pos2(room.left() - 8.0, rect.bottom()));
    text::elided(ui, rest, Type::MonoSmall, p.text.tertiary, &host);
    let is_open = state.clusters.iter().any(|cluster| cluster.profile.id == profile.id);
    format!("{} {name}", if is_open { "Switch to" } else { "Connect to" })
}

fn heading(ui: &mut Ui, section: &Section) {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEADING), Sense::hover());
    let words = match section.count {
        0 => section.title.to_owned(),
        count => format!("{}  {}", section.title, thousands(count as u64)),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    let at = pos2(rect.left() + 10.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, &words, Type::Label.font(), p.text.secondary);
}

fn footer(ui: &mut Ui) {
    let p = theme::colors(ui);
    let rect = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), FOOTER));
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, p.stroke.card));
    ui.allocate_ui_with_layout(vec2(ui.available_width(), FOOTER), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(FOOTER);
        ui.add_space(16.0);
        ui.spacing_mut().item_spacing.x = 6.0;
        let enter = |held| shortcuts::words(ui.ctx(), Shortcut { held, key: ShortcutKey::Enter });
        let (open, list) = (enter(Held::Nothing), enter(Held::Command));
        for (caps, words) in
            [(vec!["↑".to_owned(), "↓".to_owned()], "choose"), (vec![open], "open"), (vec![list], "open in Keys")]
        {
            caps.iter().for_each(|cap| drop(keycap::keycap(ui, cap)));
            text::line(ui, Type::Small, p.text.secondary, words);
            ui.add_space(8.0);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(16.0);
            text::line(ui, Type::Small, p.text.secondary, "all shortcuts");
            keycap::keycap(ui, "F1");
        });
    });
}
