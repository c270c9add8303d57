//! All keys of a cluster: search, status, order, and the page of the one that is open.

use eframe::egui::{
    self, Align, Frame, Id, Key, Layout, Margin, Modifiers, Panel, Rect, ScrollArea, Ui, UiBuilder, vec2,
};

use super::{key_detail, key_rows};
use crate::{
    app::{Cluster, Command, Screen},
    model::{
        api_key::KeyId,
        expiry::{Status, plural, thousands},
        key_list::View as ListView,
    },
    ops::problem::ProblemKind,
    ui::{
        View, problem_buttons, theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            chip,
            field::Field,
            focus,
            notice::{self, Tone},
            text,
        },
    },
};

/// The screen. The text of the search and the place of the keyboard are its own.
#[derive(Default)]
pub struct Keys {
    search: String,
    cursor: Option<usize>,
    cursor_key: Option<KeyId>,
    shown_for: Option<crate::model::profile::ProfileId>,
}

impl Keys {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(cluster) = view.state.cluster() else { return no_cluster(ui, view) };
        if self.shown_for.as_ref() != Some(&cluster.profile.id) {
            self.shown_for = Some(cluster.profile.id.clone());
            self.search = cluster.view.search.clone();
            self.cursor = None;
        }
        if cluster.session.value().is_none() {
            return not_signed_in(ui, view, cluster);
        }
        let narrow = ui.ctx().content_rect().width() < size::COMPACT_BELOW;
        if let Some(key) = cluster.open_key() {
            if narrow {
                return key_detail::ui(ui, view, cluster, key);
            }
            let p = theme::colors(ui);
            Panel::right("key page")
                .frame(Frame::new().fill(p.surface.raised))
                .exact_size(size::SIDE_PAGE)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| key_detail::ui(ui, view, cluster, key));
        }
        if !cluster.ticked.is_empty() {
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

    /// The keyboard stays at its key when rows move, and nowhere when the key is gone.
    fn follow_key(&mut self, cluster: &Cluster) {
        let here = |row: usize| cluster.row(row).map(|key| &key.id);
        if self.cursor.and_then(here) != self.cursor_key.as_ref() {
            let rows = 0..cluster.rows.places.len();
            self.cursor = self.cursor_key.as_ref().and_then(|id| rows.into_iter().find(|row| here(*row) == Some(id)));
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
            status_chips(ui, view, cluster);
        });
        progress_line(ui, cluster);
        banners(ui, view, cluster);
        if cluster.keys.value().is_none() {
            return nothing_read(ui, view, cluster);
        }
        if cluster.all_keys().is_empty() {
            return no_keys(ui, view, cluster);
        }
        self.table(ui, view, cluster);
    }

    fn title(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        let p = theme::colors(ui);
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 36.0), Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, "Keys");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let session = cluster.session.value();
                let missing = session.filter(|s| !s.privileges.creates_keys()).map(|_| "Needs manage_own_api_key");
                let create = Button::primary("Create key").icon(icons::ADD).off_because(missing);
                if create.show(ui).clicked() {
                    view.send(Command::Show(Screen::Create));
                }
                if cluster.keys.is_loading() {
                    if Button::ghost("Stop").icon(icons::STOP_CIRCLE).show(ui).clicked() {
                        view.send(Command::StopRefresh);
                    }
                } else if Button::ghost("Refresh").icon(icons::REFRESH).show(ui).clicked() {
                    view.send(Command::Refresh);
                }
            });
        });
    }

    fn search_row(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        let free = !ui.ctx().egui_wants_keyboard_input() && !view.state.has_dialog();
        let slash = free && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Slash));
        let field = Field::new("Search").without_label().icon(icons::SEARCH).mono();
        let response = field.hint("Name, application id, owner, role or metadata").show(ui, &mut self.search);
        focus::entrance(ui, focus::Part::Page, response.id);
        if slash {
            response.request_focus();
        }
        // Escape takes the focus away before the field is drawn; it must not reach the list as well.
        if response.lost_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.search.clear();
        }
        let count = format!(
            "{} of {}",
            thousands(cluster.rows.places.len() as u64),
            thousands(cluster.all_keys().len() as u64)
        );
        let p = theme::colors(ui);
        let at = response.rect.right_center() - vec2(12.0, 0.0);
        let rect = ui.painter().text(at, egui::Align2::RIGHT_CENTER, &count, Type::Small.font(), p.text.tertiary);
        let label = ui.interact(rect, ui.scope_id().with("count"), egui::Sense::hover());
        label.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &count));
        if self.search != cluster.view.search {
            self.cursor = None;
            view.send(Command::SetView(ListView { search: self.search.clone(), ..cluster.view.clone() }));
        }
    }

    fn table(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        let columns = key_rows::Columns::fitting(ui.available_width());
        key_rows::header(ui, view, cluster, &columns);
        if cluster.rows.places.is_empty() {
            let filtered = "No key has all these words, or this status";
            return notice::empty(ui, icons::SEARCH, "Nothing found", filtered, |ui| {
                if Button::secondary("Show all keys").show(ui).clicked() {
                    self.search.clear();
                    view.send(Command::SetView(ListView { sort: cluster.view.sort, ..ListView::default() }));
                }
            });
        }
        self.follow_key(cluster);
        let moved = self.keyboard(ui, view, cluster);
        let rows = cluster.rows.places.len();
        let now = cluster.now(view.state.now);
        let mut scroll = ScrollArea::vertical().id_salt("keys").auto_shrink(false);
        if let (true, Some(cursor)) = (moved, self.cursor) {
            scroll = scroll.vertical_scroll_offset(self.offset_for(ui, cursor));
        }
        let output = scroll.show_rows(ui, size::ROW, rows, |ui, range| {
            let mut painter = key_rows::RowPainter::new(&columns, now, view.state.zone.clone());
            for row in range {
                let Some(key) = cluster.row(row) else { continue };
                let place = key_rows::Place { cursor: self.cursor == Some(row), cluster };
                if painter.row(ui, view, key, &place) {
                    self.cursor = Some(row);
                }
            }
            painter.finish(ui);
        });
        self.cursor_key = self.cursor.and_then(|row| cluster.row(row)).map(|key| key.id.clone());
        ui.data_mut(|data| {
            let visible = (output.state.clamped_offset().y, output.inner_rect.height());
            data.insert_temp(Id::unique("visible keys"), visible);
        });
    }

    /// The scroll offset at which the row of the keyboard is visible.
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

    /// Arrows, pages, Home and End move; Space ticks, Enter opens, Escape closes. Whether it moved.
    fn keyboard(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) -> bool {
        if ui.ctx().egui_wants_keyboard_input() || view.state.has_dialog() {
            return false;
        }
        let last = cluster.rows.places.len().saturating_sub(1);
        let page = ((ui.available_height() / size::ROW) as usize).max(1);
        let at = self.cursor;
        let target = ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
            if pressed(Key::ArrowDown) {
                Some(at.map_or(0, |row| row + 1))
            } else if pressed(Key::ArrowUp) {
                Some(at.map_or(0, |row| row.saturating_sub(1)))
            } else if pressed(Key::PageDown) {
                Some(at.unwrap_or(0) + page)
            } else if pressed(Key::PageUp) {
                Some(at.unwrap_or(0).saturating_sub(page))
            } else if pressed(Key::Home) {
                Some(0)
            } else if pressed(Key::End) {
                Some(last)
            } else {
                None
            }
        });
        let nothing_focused = ui.memory(|memory| memory.focused().is_none());
        let (all, space, enter, escape) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::COMMAND, Key::A),
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Space),
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        if all {
            let ids = (0..=last).filter_map(|row| cluster.row(row)).map(|key| key.id.clone()).collect();
            view.send(Command::TickOnly(ids));
        }
        if let Some(key) = self.cursor.and_then(|row| cluster.row(row)) {
            if space {
                view.send(Command::Tick(key.id.clone(), !cluster.ticked.contains(&key.id)));
            }
            if enter {
                view.send(Command::OpenKey(Some(key.id.clone())));
            }
        }
        if escape {
            view.send(if cluster.open.is_some() { Command::OpenKey(None) } else { Command::TickOnly(Vec::new()) });
        }
        if let Some(target) = target {
            self.cursor = Some(target.min(last));
            // An open page follows the keyboard.
            if cluster.open.is_some()
                && let Some(key) = cluster.row(target.min(last))
            {
                view.send(Command::OpenKey(Some(key.id.clone())));
            }
        }
        target.is_some()
    }
}

fn status_chips(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let rows = &cluster.rows;
        let all = chip::choice(ui, cluster.view.status.is_none(), None, "All", Some(thousands(rows.found as u64)));
        if all.clicked() {
            view.send(Command::SetView(ListView { status: None, ..cluster.view.clone() }));
        }
        for status in Status::ALL {
            let count = rows.count(status);
            let on = cluster.view.status == Some(status);
            if chip::choice(ui, on, Some(status), status.chip(), Some(thousands(count as u64))).clicked() {
                let status = (!on).then_some(status);
                view.send(Command::SetView(ListView { status, ..cluster.view.clone() }));
            }
        }
    });
}

fn progress_line(ui: &mut Ui, cluster: &Cluster) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 2.0), egui::Sense::hover());
    if let Some((read, total)) = cluster.progress.filter(|(_, total)| *total > 0) {
        let share = (read as f32 / total as f32).clamp(0.0, 1.0);
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(rect.width() * share, 2.0)), 0.0, p.accent.mark);
    } else {
        ui.painter().hline(rect.x_range(), rect.center().y, egui::Stroke::new(1.0, p.stroke.divider));
    }
}

fn banners(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let margin = Margin { left: 20, right: 16, top: 8, bottom: 8 };
    if let (Some(list), Some(problem)) = (cluster.keys.value(), cluster.keys.problem()) {
        Frame::new().inner_margin(margin).show(ui, |ui| {
            let at = crate::model::calendar::clock(list.as_of, &view.state.zone);
            let title = format!("As of {at}: {}", problem.title);
            notice::banner(ui, Tone::Warning, &title, &problem.detail, |ui| problem_buttons(ui, view, problem));
        });
    }
    if let Some(list) = cluster.keys.value().filter(|list| list.own_only && !list.keys.is_empty()) {
        Frame::new().inner_margin(margin).show(ui, |ui| {
            let title = format!("Only your own {} are shown", plural(list.keys.len() as u64, "key"));
            let detail = "Other people’s keys need the cluster privilege read_security or manage_api_key";
            notice::banner(ui, Tone::Info, &title, detail, |_| ());
        });
    }
}

fn action_bar(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let p = theme::colors(ui);
    let rect = ui.max_rect().expand2(vec2(20.0, 0.0));
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, egui::Stroke::new(1.0, p.stroke.divider));
    ui.scope_builder(UiBuilder::new().max_rect(ui.max_rect()).layout(Layout::left_to_right(Align::Center)), |ui| {
        text::line(ui, Type::Strong, p.text.primary, format!("{} selected", cluster.ticked.len()));
        if Button::link("Clear").named("Clear selection").show(ui).clicked() {
            view.send(Command::TickOnly(Vec::new()));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if Button::danger("Invalidate…").icon(icons::BLOCK).named("Invalidate").show(ui).clicked() {
                view.send(Command::AskInvalidate(cluster.ticked.iter().cloned().collect()));
            }
        });
    });
}

fn no_cluster(ui: &mut Ui, view: &mut View<'_>) {
    if view.state.sandbox().is_loading() {
        return notice::empty(ui, icons::SCIENCE, "Starting the sandbox", "A practice cluster in memory", |_| ());
    }
    if let Some(problem) = view.state.sandbox().problem() {
        return notice::empty(ui, icons::ERROR, &problem.title, &problem.detail, |_| ());
    }
    let line = "Choose a connection, or add one";
    notice::empty(ui, icons::LAN, "No cluster is open", line, |ui| {
        if Button::primary("Open connections").show(ui).clicked() {
            view.send(Command::Show(Screen::Connections));
        }
    });
}

fn not_signed_in(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    match cluster.session.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None => {
            let line = format!("{} at {}", cluster.profile.name, cluster.profile.endpoint.url.host());
            notice::empty(ui, icons::LAN, "Signing in…", &line, |ui| {
                if Button::ghost("Cancel").show(ui).clicked() {
                    view.send(Command::Disconnect(cluster.profile.id.clone()));
                }
            });
        }
    }
}

fn nothing_read(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    match cluster.keys.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None if cluster.keys.is_loading() => skeleton(ui),
        None => notice::empty(ui, icons::KEY, "Nothing was read", "Reading was stopped before the first page", |ui| {
            if Button::primary("Read the keys").show(ui).clicked() {
                view.send(Command::Refresh);
            }
        }),
    }
}

fn no_keys(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let own = cluster.session.value().is_some_and(|session| session.sees_own_only());
    let (heading, line) = if own {
        ("You have no keys yet", "Other people’s keys need read_security or manage_api_key")
    } else {
        ("No keys yet", "Make one that can do little and not for long")
    };
    notice::empty(ui, icons::KEY, heading, line, |ui| {
        if Button::primary("Create the first key").icon(icons::ADD).show(ui).clicked() {
            view.send(Command::Show(Screen::Create));
        }
    });
}

/// A problem in the place of the content: forbidden and switched off have pictures of their own.
pub fn problem_page(ui: &mut Ui, view: &mut View<'_>, problem: &crate::ops::Problem) {
    let icon = match problem.kind {
        ProblemKind::Forbidden => icons::SHIELD,
        ProblemKind::ApiKeysDisabled => icons::KEY_OFF,
        ProblemKind::SecurityOff => icons::GPP_MAYBE,
        ProblemKind::Certificate | ProblemKind::Failed => {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.set_max_width(size::FORM_COLUMN);
                let detail = if problem.hint.is_empty() {
                    problem.detail.clone()
                } else {
                    format!("{}\n{}", problem.detail, problem.hint)
                };
                notice::banner(ui, Tone::Danger, &problem.title, &detail, |_| ());
                ui.add_space(space::M);
                ui.horizontal(|ui| problem_buttons(ui, view, problem));
            });
            return;
        }
    };
    let line = if problem.hint.is_empty() { &problem.detail } else { &problem.hint };
    notice::empty(ui, icon, &problem.title, line, |ui| problem_buttons(ui, view, problem));
}

/// Where rows will be; it stands still.
fn skeleton(ui: &mut Ui) {
    let p = theme::colors(ui);
    let width = ui.available_width();
    for row in 0..12 {
        let (rect, _) = ui.allocate_exact_size(vec2(width, size::ROW), egui::Sense::hover());
        let bar = |left: f32, length: f32| {
            let at = egui::pos2(rect.left() + left, rect.center().y - 5.0);
            ui.painter().rect_filled(Rect::from_min_size(at, vec2(length, 10.0)), 3.0, p.surface.pressed);
        };
        bar(70.0, 120.0 + (row * 37 % 90) as f32);
        bar(width * 0.5, 70.0);
        bar(width - 200.0, 56.0);
        bar(width - 130.0, 80.0);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, p.stroke.divider));
    }
}
