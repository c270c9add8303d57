//! The table of keys: its header, its columns by width, and its rows, painted cell by cell.

use std::time::Duration;

use eframe::egui::{
    self, Color32, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2,
    text::{LayoutJob, TextWrapping},
    vec2,
};
use jiff::tz::TimeZone;

use crate::{
    app::{Cluster, Command, merged::Part},
    model::{
        Millis,
        api_key::{ApiKey, KeyKind},
        calendar,
        expiry::{self, Status},
        harmless,
        inventory::{Column, Sort},
        key_list::View as ListView,
        settings::{COLUMNS, TableLayout},
    },
    ui::{
        View, theme,
        theme::{Palette, Type, icons, size},
        widgets::{button::Button, chip, field, focus, status},
    },
};

const TICK: f32 = 36.0;
const MARK: f32 = 26.0;
const GAP: f32 = 12.0;
const LEFT: f32 = 20.0;
const RIGHT: f32 = 16.0;

/// Which columns there is room for, with where each begins and its width. The name is the first.
pub struct Columns {
    shown: Vec<(Column, f32, f32)>,
    width: f32,
    /// Columns that were chosen and for which there is no room.
    pub left_out: usize,
}

impl Columns {
    /// As many of the chosen ones as leave the name at least 250 points. What tells the least goes first.
    pub fn fitting(width: f32, layout: &TableLayout) -> Self {
        const LEAST_FIRST: [Column; 11] = [
            Column::Status,
            Column::Invalidated,
            Column::Realm,
            Column::Created,
            Column::Kind,
            Column::Id,
            Column::Can,
            Column::Roles,
            Column::ApplicationId,
            Column::Owner,
            Column::Expires,
        ];
        let mut chosen = layout.columns.clone();
        let fixed = LEFT + TICK + MARK + RIGHT;
        for column in LEAST_FIRST {
            let used: f32 = chosen.iter().map(|shown| shown.width + GAP).sum();
            if width - fixed - used >= 250.0 {
                break;
            }
            if chosen.len() > 1 {
                chosen.retain(|shown| shown.column != column);
            }
        }
        let used: f32 = chosen.iter().map(|shown| shown.width + GAP).sum();
        let name = (width - fixed - used).max(120.0);
        let mut x = LEFT + TICK + MARK;
        let mut shown = vec![(Column::Name, x, name)];
        x += name + GAP;
        for column in &chosen {
            shown.push((column.column, x, column.width));
            x += column.width + GAP;
        }
        Self { shown, width, left_out: layout.columns.len() - chosen.len() }
    }
}

/// The heading of a column.
pub fn heading(column: Column) -> &'static str {
    match column {
        Column::Name => "Key",
        Column::ApplicationId => "Application id",
        Column::Id => "Id",
        Column::Owner => "Owner",
        Column::Realm => "Realm",
        Column::Kind => "Type",
        Column::Roles => "Roles",
        Column::Can => "Can",
        Column::Created => "Created",
        Column::Expires => "Expires",
        Column::Invalidated => "Invalidated",
        Column::Status => "Status",
    }
}

/// The header: a tick for all rows, names to sort by, and edges to draw.
pub fn header(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, columns: &Columns) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(columns.width, size::ROW_HEADER), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.stroke.divider));
    let shown = cluster.rows.places.len();
    let state = match cluster.selected_rows() {
        0 => Some(false),
        all if all == shown => Some(true),
        _ => None,
    };
    let tick = tick(
        ui,
        rect.left_center() + vec2(LEFT + 8.0, 0.0),
        state,
        "Select all shown keys",
        ui.scope_id().with("tick all"),
    );
    if tick.clicked() {
        view.send(if state == Some(true) { Command::SelectNone } else { Command::SelectRows(0..shown, false) });
    }
    for (column, x, width) in &columns.shown {
        let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
        header_cell(ui, view, cluster, *column, cell);
    }
    // The edges last, so that they lie above the names beside them.
    for (column, x, width) in columns.shown.iter().skip(1) {
        edge(ui, view, *column, pos2(rect.left() + x - GAP / 2.0, rect.top()), *width);
    }
}

fn header_cell(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, column: Column, cell: Rect) {
    let p = theme::colors(ui);
    let response = ui.interact(cell, ui.scope_id().with(("header", column)), Sense::click());
    let sorts = &cluster.view.sorts;
    let rank = sorts.iter().position(|sort| sort.column == column);
    let chosen = rank.map(|at| sorts[at]);
    let (arrow, order) = match chosen.map(|sort| sort.descending) {
        None => ("", ""),
        Some(false) => (icons::ARROW_UPWARD, ", ascending"),
        Some(true) => (icons::ARROW_DOWNWARD, ", descending"),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Sort by {}{order}", heading(column))));
    let color = if chosen.is_some() || response.hovered() { p.text.primary } else { p.text.tertiary };
    let mut job = LayoutJob::default();
    job.append(heading(column), 0.0, Type::Label.format(color));
    job.append(arrow, 4.0, Type::IconSmall.format(color));
    if let (Some(rank), true) = (rank, sorts.len() > 1) {
        job.append(&(rank + 1).to_string(), 2.0, Type::Micro.format(p.text.tertiary));
    }
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let at = pos2(cell.left(), (cell.center().y - galley.size().y / 2.0).round());
    ui.painter().with_clip_rect(cell.intersect(ui.clip_rect())).galley(at, galley, color);
    focus::ring_if(ui, &response, cell, 4);
    if response.clicked() {
        let also = ui.input(|input| input.modifiers.shift);
        view.send(Command::SetView(ListView { sorts: sorted_by(sorts, column, also), ..cluster.view.clone() }));
    }
    response.on_hover_text("Click to sort, with Shift to sort by this as well");
}

/// A click sorts by a column alone, or turns it round; with Shift it comes behind those that sort already,
/// is turned round, and goes again.
fn sorted_by(sorts: &[Sort], column: Column, also: bool) -> Vec<Sort> {
    let known = sorts.iter().position(|sort| sort.column == column);
    if !also {
        let turned = sorts.len() == 1 && known.is_some_and(|at| !sorts[at].descending);
        return vec![Sort { column, descending: turned }];
    }
    let mut sorts = sorts.to_vec();
    match known {
        None => sorts.push(Sort { column, descending: false }),
        Some(at) if !sorts[at].descending => sorts[at].descending = true,
        Some(at) if sorts.len() > 1 => drop(sorts.remove(at)),
        Some(at) => sorts[at].descending = false,
    }
    sorts
}

/// The left edge of a column, to be drawn: a column grows to the left, at the cost of the name.
fn edge(ui: &mut Ui, view: &mut View<'_>, column: Column, at: egui::Pos2, width: f32) {
    let p = theme::colors(ui);
    let hit = Rect::from_center_size(at + vec2(0.0, size::ROW_HEADER / 2.0), vec2(9.0, size::ROW_HEADER));
    let response = ui.interact(hit, ui.scope_id().with(("edge", column)), Sense::drag());
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeHorizontal);
        let line = Stroke::new(2.0, p.accent.mark);
        ui.painter().vline(at.x, hit.shrink2(vec2(0.0, 6.0)).y_range(), line);
    }
    if response.dragged() && response.drag_delta().x != 0.0 {
        let mut layout = view.state.settings.table.clone();
        layout.resize(column, width - response.drag_delta().x);
        view.send(Command::SetTable(layout));
    }
}

/// The menu of columns: which are shown, in which order, and the form of times.
pub fn columns_menu(ui: &mut Ui, view: &mut View<'_>) {
    let response = Button::ghost("Columns").icon(icons::VIEW_COLUMN).show(ui);
    let menu = egui::Popup::menu(&response).width(300.0).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    menu.show(|ui| {
        let layout = view.state.settings.table.clone();
        let mut changed = layout.clone();
        let hidden = COLUMNS.iter().filter(|known| layout.columns.iter().all(|shown| shown.column != known.column));
        let rows = layout.columns.iter().map(|shown| (shown.column, true));
        for (column, on) in rows.chain(hidden.map(|known| (known.column, false))).collect::<Vec<_>>() {
            ui.horizontal(|ui| {
                ui.set_min_height(28.0);
                let name = format!("Show {}", heading(column));
                if field::checkbox(ui, Some(on), &name).clicked() {
                    changed.show(column, !on);
                }
                let p = theme::colors(ui);
                let color = if on { p.text.primary } else { p.text.tertiary };
                crate::ui::widgets::text::line(ui, Type::Body, color, heading(column));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if on {
                        let name = format!("Move {} to the right", heading(column));
                        if Button::icon_only(icons::EXPAND_MORE, &name).show(ui).clicked() {
                            changed.shift(column, true);
                        }
                        let name = format!("Move {} to the left", heading(column));
                        if Button::icon_only(icons::EXPAND_LESS, &name).show(ui).clicked() {
                            changed.shift(column, false);
                        }
                    }
                });
            });
        }
        ui.separator();
        ui.horizontal(|ui| {
            if field::checkbox(ui, Some(layout.dates), "Show dates").clicked() {
                changed.dates = !changed.dates;
            }
            let p = theme::colors(ui);
            crate::ui::widgets::text::line(ui, Type::Body, p.text.primary, "Dates instead of “in 3 days”");
        });
        if Button::link("As it was at first").show(ui).clicked() {
            changed = TableLayout::default();
        }
        if changed != layout {
            view.send(Command::SetTable(changed));
        }
    });
}

fn tick(ui: &mut Ui, center: egui::Pos2, on: Option<bool>, name: &str, id: egui::Id) -> Response {
    let hit = Rect::from_center_size(center, vec2(28.0, 28.0));
    let response = ui.interact(hit, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on == Some(true), name));
    let rect = Rect::from_center_size(center, egui::Vec2::splat(size::CHECKBOX));
    field::paint_checkbox(ui.painter(), rect, on, theme::colors(ui));
    focus::ring_if(ui, &response, hit, 4);
    response
}

/// Where a row stands.
pub struct Place<'a> {
    /// Whether the keyboard is at it.
    pub cursor: bool,
    /// The cluster it belongs to.
    pub cluster: &'a Cluster,
    /// Its number in the list.
    pub row: usize,
    /// Its place in the inventory.
    pub place: usize,
}

/// Paints rows, and remembers when the first of their words will change.
pub struct RowPainter<'a> {
    columns: &'a Columns,
    now: Millis,
    zone: TimeZone,
    dates: bool,
    next_change: Millis,
}

impl<'a> RowPainter<'a> {
    /// For the rows of one frame.
    pub fn new(columns: &'a Columns, now: Millis, zone: TimeZone, dates: bool) -> Self {
        Self { columns, now, zone, dates, next_change: Millis::MAX }
    }

    /// Asks for a frame at the moment when the words of a row that was painted change.
    pub fn finish(self, ui: &Ui) {
        let wait = self.next_change.saturating_sub(self.now);
        if self.next_change != Millis::MAX && wait < 24 * 3_600_000 {
            ui.ctx().request_repaint_after(Duration::from_millis(wait.unsigned_abs().max(1000)));
        }
    }

    /// Paints one row. Whether it was clicked.
    pub fn row(&mut self, ui: &mut Ui, view: &mut View<'_>, key: &ApiKey, place: &Place<'_>) -> bool {
        let p = theme::colors(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(self.columns.width, size::ROW), Sense::hover());
        let id = ui.scope_id().with(("row", key.id.as_str()));
        let response = ui.interact(rect, id, Sense::click());
        let name = harmless::shortened(&key.name, 80);
        let ticked = place.cluster.selection.has(place.place);
        let open = place.cluster.open.as_ref() == Some(&key.id);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, ticked || open, &name));

        self.ground(ui, rect, &response, (ticked, open, place.cursor));
        let status = key.status(self.now);
        if status.is_usable()
            && let Some(expires) = key.expires
        {
            self.next_change = self.next_change.min(expiry::next_change(expires, self.now));
        }
        let mark = rect.left_center() + vec2(LEFT + TICK + 5.0, 0.0);
        status::paint_mark(ui.painter(), mark, status, p);
        let label = |ui: &Ui, rect: Rect, salt: &str, words: &str| {
            let cell = ui.interact(rect, id.with(salt), Sense::hover());
            cell.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
        };
        label(ui, Rect::from_center_size(mark, vec2(12.0, 12.0)), "mark", status.word());
        for (column, x, width) in &self.columns.shown {
            let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
            let words = self.cell(ui, cell, *column, key, status, place);
            label(ui, cell, heading(*column), &words);
        }
        let tick = tick(
            ui,
            rect.left_center() + vec2(LEFT + 8.0, 0.0),
            Some(ticked),
            &format!("Select {name}"),
            id.with("tick"),
        );
        if tick.clicked() {
            view.send(Command::Select(key.id.clone(), !ticked));
        }
        if response.clicked() {
            // By a screen reader, too, a row takes the keyboard away from the search: Escape then closes the page.
            ui.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
            let modifiers = ui.input(|input| input.modifiers);
            view.send(match (modifiers.shift, modifiers.command) {
                (true, also) => Command::SelectTo(place.row, also),
                (_, true) => Command::Select(key.id.clone(), !ticked),
                _ => Command::OpenKey(Some(key.id.clone())),
            });
        }
        response.clicked()
    }

    fn ground(&self, ui: &Ui, rect: Rect, response: &Response, (ticked, open, cursor): (bool, bool, bool)) {
        let p = theme::colors(ui);
        let fill = match (ticked, open, response.hovered()) {
            (true, _, true) => p.surface.selected_hover,
            (true, ..) => p.surface.selected,
            (_, true, _) => p.surface.pressed,
            (_, _, true) => p.surface.hover,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 0.0, fill);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.stroke.divider));
        if open {
            ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 0.0, p.accent.mark);
        }
        if cursor || response.has_focus() {
            focus::ring_inside(ui, rect);
        }
    }

    /// Paints a cell and says what it says.
    fn cell(&self, ui: &Ui, cell: Rect, column: Column, key: &ApiKey, status: Status, place: &Place<'_>) -> String {
        let p = theme::colors(ui);
        let plain = |text: String, color: Color32| {
            elided(ui, cell, Type::Body, color, &text);
            text
        };
        match column {
            Column::Name => self.name_cell(ui, cell, key, place),
            Column::Owner => plain(harmless::shortened(&key.owner.username, 60), p.text.secondary),
            Column::Kind => plain(key.kind.word().to_owned(), p.text.secondary),
            Column::Roles if key.is_unrestricted() => plain("All owner’s rights".into(), p.text.primary),
            Column::Roles => plain(harmless::shortened(&key.roles().join(", "), 80), p.text.secondary),
            Column::Id => {
                elided(ui, cell, Type::Mono, p.text.secondary, &harmless::shown(key.id.as_str()));
                key.id.as_str().to_owned()
            }
            Column::Realm => plain(harmless::shortened(&key.owner.realm, 60), p.text.secondary),
            Column::Can => plain(place.cluster.inventory().can(place.place), p.text.secondary),
            Column::Created => plain(self.moment(key.created), p.text.secondary),
            Column::Invalidated => {
                plain(key.invalidated_at.map(|at| self.moment(at)).unwrap_or_default(), p.text.secondary)
            }
            Column::Status => plain(status.machine_word().to_owned(), p.text.secondary),
            Column::ApplicationId => plain(harmless::shortened(key.application_id().unwrap_or_default(), 80), p.text.secondary),
            Column::Expires => {
                let bar = Rect::from_min_size(
                    pos2(cell.left(), cell.center().y - size::BAR_HEIGHT / 2.0),
                    vec2(size::BAR_WIDTH, size::BAR_HEIGHT),
                );
                status::paint_bar(ui.painter(), bar, status, key.share_left(self.now), p);
                let words = match key.expires.filter(|_| self.dates && status != Status::Invalidated) {
                    Some(at) => calendar::local(at, &self.zone),
                    None => remaining_words(key, status, self.now),
                };
                let rest = Rect::from_min_max(pos2(bar.right() + 12.0, cell.top()), cell.max);
                elided(ui, rest, Type::Body, status::text_color(status, p), &words);
                words
            }
        }
    }

    fn moment(&self, at: Millis) -> String {
        if self.dates { calendar::local(at, &self.zone) } else { calendar::day(at, &self.zone) }
    }

    fn name_cell(&self, ui: &Ui, cell: Rect, key: &ApiKey, place: &Place<'_>) -> String {
        let p = theme::colors(ui);
        let part = place.cluster.part(place.place);
        let badges = badges(key, Some(place.cluster), part);
        let words_width: f32 = badges.iter().map(|(_, _, word)| chip::badge_width(ui, Some(word)) + 6.0).sum();
        let with_words = cell.width() - words_width > 160.0;
        let mut right = cell.right();
        for (tone, icon, word) in badges.iter().rev() {
            let word = with_words.then_some(*word);
            let width = chip::badge_width(ui, word);
            let rect =
                Rect::from_min_size(pos2(right - width, cell.center().y - size::BADGE / 2.0), vec2(width, size::BADGE));
            chip::paint_badge(ui, rect, *tone, icon, word);
            right -= width + 6.0;
        }
        let name = harmless::shortened(&key.name, 120);
        let room = Rect::from_min_max(cell.min, pos2(right, cell.bottom()));
        let used = elided(ui, room, Type::Strong, p.text.primary, &name);
        if let Some(application_id) = key.application_id() {
            let application_id = harmless::shortened(application_id, 60);
            let rest = Rect::from_min_max(pos2(room.left() + used + 8.0, room.top()), room.max);
            if rest.width() > 24.0 {
                elided(ui, rest, Type::MonoSmall, p.text.tertiary, &application_id);
            }
            return format!("{name}, application id {application_id}{}", badge_words(&badges));
        }
        format!("{name}{}", badge_words(&badges))
    }
}

fn badge_words(badges: &[(chip::Tone, &str, &str)]) -> String {
    badges.iter().map(|(_, _, word)| format!(", {word}")).collect()
}

/// The words beside the bar: the time left, or when it was taken away.
pub fn remaining_words(key: &ApiKey, status: Status, now: Millis) -> String {
    match (status, key.invalidated_at) {
        (Status::Invalidated, Some(at)) => format!("invalidated {}", expiry::ago(at, now)),
        (Status::Invalidated, None) => "invalidated".into(),
        _ => expiry::remaining(key.expires, now),
    }
}

/// What is special about a key.
pub fn badges<'a>(
    key: &'a ApiKey,
    cluster: Option<&Cluster>,
    part: Option<&'a Part>,
) -> Vec<(chip::Tone, &'static str, &'a str)> {
    use chip::Tone;
    let mut badges = Vec::new();
    if let Some(part) = part {
        let tone = Tone::Environment(part.environment);
        badges.push((tone, chip::environment_icon(part.environment), part.name.as_str()));
    }
    let own = cluster.and_then(|cluster| cluster.session.value()).and_then(|session| session.own_key());
    if own == Some(&key.id) {
        badges.push((Tone::Accent, icons::PERSON_CHECK, "this session"));
    }
    match &key.kind {
        KeyKind::CrossCluster => badges.push((Tone::Plain, icons::HUB, "cross-cluster")),
        KeyKind::Other(kind) => badges.push((Tone::Plain, icons::HELP, kind.as_str())),
        KeyKind::Rest => {}
    }
    match key.managed_by() {
        Some("fleet") => badges.push((Tone::Plain, icons::DEPLOYED_CODE, "Fleet")),
        Some("kibana") => badges.push((Tone::Plain, icons::DASHBOARD, "Kibana")),
        Some(other) => badges.push((Tone::Plain, icons::DEPLOYED_CODE, other)),
        None => {}
    }
    if key.is_unrestricted() {
        badges.push((Tone::Danger, icons::GPP_MAYBE, "unrestricted"));
    }
    badges
}

/// Paints a line that is cut off with `…`; how wide it became.
pub(super) fn elided(ui: &Ui, cell: Rect, kind: Type, color: Color32, words: &str) -> f32 {
    let mut job = LayoutJob::default();
    job.append(words, 0.0, kind.format(color));
    job.wrap = TextWrapping { max_width: cell.width(), max_rows: 1, break_anywhere: true, ..TextWrapping::default() };
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let width = galley.size().x;
    let at = pos2(cell.left(), (cell.center().y - galley.size().y / 2.0).round());
    ui.painter().with_clip_rect(cell.intersect(ui.clip_rect())).galley(at, galley, color);
    width
}

/// Paints the status of a key beside words, for pages and dialogs.
pub fn status_line(ui: &mut Ui, status: Status, words: &str, p: &Palette) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let (rect, response) = ui.allocate_exact_size(vec2(size::STATUS_MARK, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, status.word()));
        status::paint_mark(ui.painter(), rect.center(), status, p);
        crate::ui::widgets::text::line(ui, Type::Strong, status::text_color(status, p), words);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorts(list: &[(Column, bool)]) -> Vec<Sort> {
        list.iter().map(|(column, descending)| Sort { column: *column, descending: *descending }).collect()
    }

    #[test]
    fn a_click_sorts_by_one_column_and_shift_by_several() {
        let by_name = sorted_by(&sorts(&[(Column::Created, true)]), Column::Name, false);
        assert_eq!(by_name, sorts(&[(Column::Name, false)]));
        assert_eq!(sorted_by(&by_name, Column::Name, false), sorts(&[(Column::Name, true)]));
        let both = sorted_by(&by_name, Column::Owner, true);
        assert_eq!(both, sorts(&[(Column::Name, false), (Column::Owner, false)]));
        let turned = sorted_by(&both, Column::Owner, true);
        assert_eq!(turned[1], Sort { column: Column::Owner, descending: true });
        assert_eq!(sorted_by(&turned, Column::Owner, true), by_name);
        assert_eq!(sorted_by(&both, Column::Owner, false), sorts(&[(Column::Owner, false)]));
    }

    #[test]
    fn columns_for_which_there_is_no_room_are_left_out_and_counted() {
        let layout = TableLayout::default();
        assert_eq!(Columns::fitting(2000.0, &layout).left_out, 0);
        let narrow = Columns::fitting(700.0, &layout);
        assert!(narrow.left_out > 0 && narrow.shown.iter().any(|(column, ..)| *column == Column::Expires));
        assert!(Columns::fitting(100.0, &layout).shown.len() >= 2);
    }
}
