//! The list of keys of a cluster: search, status, sort order, and the page of the open key.

mod banners;
pub(super) mod bulk_actions;
pub(super) mod chips;
pub mod columns;
mod copying;
pub(super) mod empty_states;
pub(super) mod key_page;
mod row_menu;
pub mod rows;

use std::sync::Arc;

use eframe::egui::{self, Align, Frame, Id, Key, Layout, Margin, Modifiers, Panel, Popup, ScrollArea, Ui};

use crate::{
    app::{Cluster, Command, Screen},
    model::{
        api_key::KeyId,
        filter::{self, ValueOf},
        inventory::{Bitmap, Field, list_view::ListView},
        text::number::{plural, thousands},
        time::status::StatusGroup,
    },
    ops::keys::list::KeyList,
    ui::{
        View,
        components::{
            empty_states::{no_cluster, not_signed_in},
            side_page::escape_closes,
        },
        screens::keys::{
            banners::{banners, progress_line},
            bulk_actions::action_bar,
        },
        theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            focus, notice,
            search_box::{self, SearchBox},
            strip::strip,
            text,
        },
    },
};
use empty_states::{no_keys, nothing_read};

/// Width of the title beside its buttons, in points.
const TITLE_ROOM: f32 = 56.0;

/// The screen, with the text of its search and the keyboard's position.
#[derive(Default)]
pub struct Keys {
    search: SearchBox,
    /// The search as it was drawn last; if the state has another one, it comes from another screen.
    known_search: String,
    cursor: Option<usize>,
    cursor_key: Option<KeyId>,
    shown_for: Option<crate::model::connections::profile::ProfileId>,
    /// The list that was drawn last, and the key at the top, which stays there when rows are added.
    drawn: Option<Arc<KeyList>>,
    top: Option<(KeyId, f32)>,
    searches_asked: u64,
}

impl Keys {
    /// Draws the screen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(cluster) = view.state.cluster() else { return no_cluster(ui, view) };
        if self.shown_for.as_ref() != Some(&cluster.profile.id) {
            self.shown_for = Some(cluster.profile.id.clone());
            self.search = SearchBox::default();
            self.known_search.clear();
            self.cursor = None;
            self.drawn = None;
        }
        if cluster.session.value().is_none() && !cluster.is_merged() {
            return not_signed_in(ui, view, cluster);
        }
        if self.known_search != cluster.view.search {
            self.known_search.clone_from(&cluster.view.search);
            self.search.text.clone_from(&cluster.view.search);
        }
        let narrow = ui.ctx().content_rect().width() < size::COMPACT_BELOW;
        if let Some(key) = cluster.open_key() {
            if escape_closes(ui, view) {
                view.send(Command::OpenKey(None));
            }
            if narrow {
                return key_page::ui(ui, view, cluster, &key);
            }
            let p = theme::colors(ui);
            Panel::right("key page")
                .frame(Frame::new().fill(p.surface.raised))
                .exact_size(size::SIDE_PAGE)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| key_page::ui(ui, view, cluster, &key));
        }
        if !cluster.selection.is_empty() {
            let p = theme::colors(ui);
            Panel::bottom("action bar")
                .frame(Frame::new().fill(p.surface.overlay).inner_margin(Margin::symmetric(20, 0)))
                .exact_size(size::ACTION_BAR)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| action_bar(ui, view, cluster));
        }
        self.list(ui, view, cluster);
    }

    /// Keeps the keyboard at its key when rows move, and removes it when the key is gone.
    fn follow_key(&mut self, cluster: &Cluster) {
        if self.cursor.and_then(|line| cluster.id_at(line)) != self.cursor_key {
            self.cursor = self.cursor_key.as_ref().and_then(|id| cluster.line_of(id));
        }
        if self.cursor.is_none() {
            self.cursor_key = None;
        }
    }

    fn list(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        ui.spacing_mut().item_spacing.y = 0.0;
        Frame::new().inner_margin(Margin { left: 20, right: 16, top: 10, bottom: 8 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            self.title(ui, view, cluster);
            self.search_row(ui, view, cluster);
            chips::ui(ui, view, cluster);
        });
        progress_line(ui, cluster);
        banners(ui, view, cluster);
        if cluster.keys.value().is_none() {
            return nothing_read(ui, view, cluster);
        }
        if cluster.inventory().is_empty() {
            return no_keys(ui, view, cluster);
        }
        self.table(ui, view, cluster);
    }

    fn title(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        let p = theme::colors(ui);
        let merged = cluster.is_merged().then_some("Choose one cluster first");
        let session = cluster.session.value();
        let missing =
            merged.or(session.filter(|s| !s.privileges.creates_keys()).map(|_| "Requires manage_own_api_key"));
        let create = Button::primary("Create key").icon(icons::ADD).off_because(missing);
        let is_loading = cluster.keys.is_loading();
        let refresh = if is_loading {
            // It comes where “Refresh” was pressed, perhaps twice.
            Button::ghost("Stop").icon(icons::STOP_CIRCLE).guarded()
        } else {
            Button::ghost("Refresh").icon(icons::REFRESH)
        };
        let check = Button::ghost("Check a secret…").icon(icons::PASSWORD).named("Check a secret").off_because(merged);
        let export = Button::ghost("Export…").icon(icons::DOWNLOAD).named("Export");
        let has_keys = !cluster.inventory().is_empty();
        let gaps = 6.0 * ui.spacing().item_spacing.x;
        let mut room = create.room(ui) + refresh.room(ui) + check.room(ui) + TITLE_ROOM + gaps;
        if has_keys {
            room += export.room(ui) + columns::columns_button().room(ui);
        }
        // Buttons become icons before they reach the title.
        let compact = room > ui.available_width();
        strip(ui, 36.0, Layout::right_to_left(Align::Center), |ui| {
            if create.show(ui).clicked() {
                view.send(Command::Show(Screen::Create));
            }
            if refresh.compact(compact).show(ui).clicked() {
                view.send(if is_loading { Command::StopRefresh } else { Command::Refresh });
            }
            if check.compact(compact).show(ui).clicked() {
                view.send(Command::AskCheckSecret(None));
            }
            if has_keys {
                if export.compact(compact).show(ui).clicked() {
                    view.send(Command::AskExport);
                }
                columns::columns_menu(ui, view, compact);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Title, p.text.primary, "Keys");
            });
        });
    }

    fn search_row(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        // Before the field is drawn, so that it has the next letters.
        if std::mem::replace(&mut self.searches_asked, view.state.searches_asked) < view.state.searches_asked {
            ui.memory_mut(|memory| memory.request_focus(search_box::id()));
        }
        let count =
            format!("{} of {}", thousands(cluster.rows.rows.len() as u64), thousands(cluster.inventory().len() as u64));
        let mut search = std::mem::take(&mut self.search);
        let typed = search.text.clone();
        let mut values = |of: &ValueOf| values(cluster, &typed, of);
        let searched = strip(ui, 36.0, Layout::right_to_left(Align::Center), |ui| {
            search_box::help_button(ui);
            search.ui(ui, &cluster.search_errors, &count, &mut values)
        });
        self.search = search;
        focus::entrance(ui, focus::FocusArea::Page, searched.response.id);
        // Asked for in this frame: whatever else was typed in it comes to the field with the next one.
        if view.outbox.iter().any(|command| matches!(command, Command::FocusSearch)) {
            searched.response.request_focus();
        }
        if !searched.completes {
            SearchBox::errors_ui(ui, &cluster.search_errors);
        }
        if self.search.text != self.known_search {
            self.known_search.clone_from(&self.search.text);
            self.cursor = None;
            view.send(Command::SetView(ListView { search: self.search.text.clone(), ..cluster.view.clone() }));
        }
    }

    fn table(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        let layout = &view.state.settings.table;
        let columns = columns::Columns::fitting(ui.available_width(), layout);
        let dates = layout.dates;
        columns::header(ui, view, cluster, &columns);
        if cluster.rows.rows.is_empty() {
            let (title, filtered) = match cluster.rows.not_known.count() {
                0 => ("Nothing found", "No keys match this search".to_owned()),
                count => ("No keys are known to match", format!("Not known for {}", plural(count as u64, "key"))),
            };
            return notice::empty(ui, icons::SEARCH, title, &filtered, |ui| {
                if Button::secondary("Show all keys").show(ui).clicked() {
                    self.search.text.clear();
                    view.send(Command::SetView(ListView { sorts: cluster.view.sorts.clone(), ..ListView::default() }));
                }
            });
        }
        self.follow_key(cluster);
        let moved = self.keyboard(ui, view, cluster);
        let rows = cluster.rows.rows.len();
        let now = cluster.now(view.state.now);
        let is_free = !ui.ctx().egui_wants_keyboard_input() && !view.state.has_dialog();
        let mut scroll = ScrollArea::vertical().id_salt("keys").auto_shrink(false);
        if let (true, Some(cursor)) = (moved, self.cursor) {
            scroll = scroll.vertical_scroll_offset(self.offset_for(ui, cursor));
        } else if let Some(offset) = self.offset_of_top(cluster) {
            scroll = scroll.vertical_scroll_offset(offset);
        }
        let output = scroll.show_rows(ui, size::ROW, rows, |ui, range| {
            let mut painter = rows::RowPainter::new(&columns, now, view.state.zone.clone(), dates);
            let asks_menu = self.cursor.is_some() && is_free && row_menu::is_asked_by_keyboard(ui);
            for line in range {
                let Some(row_id) = cluster.row_at(line) else { continue };
                let key = cluster.inventory().listed(row_id);
                let cursor = self.cursor == Some(line);
                let context = rows::RowContext { cursor, cluster, line, row_id, asks_menu: cursor && asks_menu };
                if painter.row(ui, view, &key, &context) {
                    self.cursor = Some(line);
                }
            }
            painter.finish(ui);
        });
        let offset = output.state.clamped_offset().y;
        let top = (offset / size::ROW) as usize;
        self.top = cluster.id_at(top).filter(|_| top > 0).map(|id| (id, offset - top as f32 * size::ROW));
        self.drawn = cluster.keys.value().cloned();
        self.cursor_key = self.cursor.and_then(|line| cluster.id_at(line));
        ui.data_mut(|data| {
            let visible = (offset, output.inner_rect.height());
            data.insert_temp(Id::unique("visible keys"), visible);
        });
    }

    /// Returns the scroll offset that keeps the key at the top there after other rows were added; `None` if the list is
    /// the same.
    fn offset_of_top(&mut self, cluster: &Cluster) -> Option<f32> {
        let now = cluster.keys.value()?;
        let moved = self.drawn.as_ref().is_some_and(|drawn| !Arc::ptr_eq(drawn, now));
        if moved {
            self.search.forget();
        }
        let (id, rest) = self.top.as_ref().filter(|_| moved)?;
        cluster.line_of(id).map(|line| line as f32 * size::ROW + rest)
    }

    /// Returns the scroll offset at which the keyboard's row is visible.
    fn offset_for(&self, ui: &Ui, cursor: usize) -> f32 {
        let (offset, height): (f32, f32) =
            ui.data(|data| data.get_temp(Id::unique("visible keys"))).unwrap_or((0.0, 400.0));
        let top = cursor as f32 * size::ROW;
        if top < offset {
            top
        } else if top + size::ROW > offset + height {
            top + size::ROW - height
        } else {
            offset
        }
    }

    /// Handles the keyboard: arrows, Page Up, Page Down, Home and End move; Space selects, Enter opens, Escape clears
    /// the selection. Returns `true` if the cursor moved.
    fn keyboard(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) -> bool {
        // An open menu has the keyboard: Escape closes it, and arrows go through it.
        if ui.ctx().egui_wants_keyboard_input() || view.state.has_dialog() || Popup::is_any_open(ui.ctx()) {
            return false;
        }
        let last = cluster.rows.rows.len().saturating_sub(1);
        let page = ((ui.available_height() / size::ROW) as usize).max(1);
        let at = self.cursor;
        // Each key counts, also when several come within one frame. With Shift the same keys select.
        let mut target = None;
        ui.input_mut(|input| {
            input.events.retain(|event| {
                let egui::Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
                if modifiers.ctrl || modifiers.alt || modifiers.command {
                    return true;
                }
                let from: Option<usize> = target.or(at);
                target = match key {
                    Key::ArrowDown => Some(from.map_or(0, |line| line + 1)),
                    Key::ArrowUp => Some(from.map_or(0, |line| line.saturating_sub(1))),
                    Key::PageDown => Some(from.unwrap_or(0) + page),
                    Key::PageUp => Some(from.unwrap_or(0).saturating_sub(page)),
                    Key::Home => Some(0),
                    Key::End => Some(last),
                    _ => return true,
                };
                target = target.map(|line: usize| line.min(last));
                false
            });
        });
        let shift = ui.input(|input| input.modifiers.shift);
        let nothing_focused = ui.memory(|memory| memory.focused().is_none());
        let (all, copy, space, enter, escape) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::COMMAND, Key::A),
                nothing_focused && input.events.iter().any(|event| matches!(event, egui::Event::Copy)),
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Space),
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        if all {
            view.send(Command::SelectLines(0..last + 1, false));
        }
        if copy {
            copying::copy_rows(ui, cluster, self.cursor, true);
        }
        if let Some((line, id)) = self.cursor.and_then(|line| cluster.id_at(line).map(|id| (line, id))) {
            if space {
                let on = cluster.row_at(line).is_some_and(|row| cluster.selection.has(row));
                view.send(Command::Select(id.clone(), !on));
            }
            if enter {
                view.send(Command::OpenKey(Some(id)));
            }
        }
        // An open page takes Escape before the table does.
        if escape {
            view.send(Command::SelectNone);
        }
        if let Some(target) = target {
            let target = target.min(last);
            if shift {
                if let Some(id) = at.filter(|_| cluster.selection.is_empty()).and_then(|line| cluster.id_at(line)) {
                    view.send(Command::Select(id, true));
                }
                view.send(Command::SelectTo(target, false));
            }
            self.cursor = Some(target);
            // An open page follows the keyboard.
            if cluster.open.is_some() {
                view.send(Command::OpenKey(cluster.id_at(target)));
            }
        }
        target.is_some()
    }
}

/// Returns the values of a field on this cluster, with counts, for the completions of the search.
fn values(cluster: &Cluster, text: &str, of: &ValueOf) -> Vec<(String, usize)> {
    const MAX_SHOWN: usize = 50;
    let inventory = cluster.inventory();
    let prefix = match filter::context(text, text.len()).what {
        filter::Completion::Value { prefix, .. } => prefix,
        _ => String::new(),
    };
    let plain = |field: Field| inventory.values(&field, &prefix, MAX_SHOWN);
    match of {
        ValueOf::Owner => plain(Field::Owner),
        ValueOf::Realm => plain(Field::Realm),
        ValueOf::Role => plain(Field::Role),
        ValueOf::App => plain(Field::ApplicationId),
        ValueOf::Type => plain(Field::Kind),
        ValueOf::Managed => plain(Field::ManagedBy),
        ValueOf::Meta(path) => plain(Field::Metadata(path.clone())),
        ValueOf::MetaKeys => {
            let fields = inventory.metadata_fields(&Bitmap::all(inventory.len()));
            fields.into_iter().take(MAX_SHOWN).map(|(path, count)| (path.join("."), count)).collect()
        }
        ValueOf::Status => {
            let counts = &cluster.rows.counts;
            StatusGroup::ALL.map(|group| (group.word().to_owned(), counts.in_group(group))).to_vec()
        }
    }
}
