//! Rows of the key table, painted cell by cell.

use std::time::Duration;

use eframe::egui::{
    Color32, Event, Id, Modifiers, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use jiff::tz::TimeZone;

use super::{
    columns::{Columns, LEFT, TICK, checkbox, heading},
    row_menu,
};
use crate::{
    app::{Cluster, Command},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        inventory::{Column, RowId},
        text::sanitize,
        time::{calendar, expiry, status::Status},
    },
    ui::{
        View,
        components::key_status::{NOT_KNOWN, badges, is_end_unread, mark_of, remaining_text, status_label},
        theme,
        theme::{Type, size},
        widgets::{
            arming, chip,
            list_row::{self, RowState},
            status,
            text::elided,
        },
    },
};

/// Context of a row in the list.
pub struct RowContext<'a> {
    /// `true` if the keyboard is at this row.
    pub cursor: bool,
    /// Cluster that the row belongs to.
    pub cluster: &'a Cluster,
    /// Line of the list, from 0.
    pub line: usize,
    /// Row id of the key in the inventory.
    pub row_id: RowId,
    /// `true` if the keyboard asked for the menu of this row.
    pub asks_menu: bool,
}

/// Painter of rows, which remembers when the first of the painted texts will change.
pub struct RowPainter<'a> {
    columns: &'a Columns,
    now: Timestamp,
    zone: TimeZone,
    dates: bool,
    next_change: Timestamp,
}

impl<'a> RowPainter<'a> {
    /// Creates a painter for the rows of one frame.
    pub fn new(columns: &'a Columns, now: Timestamp, zone: TimeZone, dates: bool) -> Self {
        Self { columns, now, zone, dates, next_change: Timestamp::MAX }
    }

    /// Requests a repaint at the time when a painted text changes.
    pub fn finish(self, ui: &Ui) {
        let wait = self.next_change - self.now;
        if self.next_change != Timestamp::MAX && wait < TimeDelta::DAY {
            ui.ctx().request_repaint_after(wait.unsigned_abs().max(Duration::from_secs(1)));
        }
    }

    /// Paints one row. Returns `true` if it was clicked.
    pub fn row(&mut self, ui: &mut Ui, view: &mut View<'_>, key: &ApiKey, context: &RowContext<'_>) -> bool {
        let p = theme::colors(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(self.columns.width, size::ROW), Sense::hover());
        // Two clusters that were restored from one snapshot have keys of the same id.
        let of_several = context.cluster.is_merged().then_some(context.row_id);
        let id = ui.scope_id().with(("row", key.id.as_str(), of_several));
        let response = ui.interact(rect, id, Sense::click());
        let name = sanitize::shortened(&key.name, 80);
        let ticked = context.cluster.selection.has(context.row_id);
        let open = context.cluster.open.as_ref() == Some(&key.id);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, ticked || open, &name));

        let state = RowState { is_selected: ticked, is_open: open, has_cursor: context.cursor };
        list_row::background(ui, rect, &response, state);
        let status = key.status(self.now);
        if status.is_usable()
            && let Some(expires) = key.expires
        {
            self.next_change = self.next_change.min(expiry::next_change(expires, self.now));
        }
        let mark = rect.left_center() + vec2(LEFT + TICK + 5.0, 0.0);
        status::paint_mark(ui.painter(), mark, mark_of(key, self.now), p);
        let label = |ui: &Ui, rect: Rect, salt: &str, words: &str| {
            let cell = ui.interact(rect, id.with(salt), Sense::hover());
            cell.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
        };
        label(ui, Rect::from_center_size(mark, vec2(12.0, 12.0)), "mark", status_label(key, self.now));
        for (column, x, width) in &self.columns.shown {
            let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
            let words = self.cell(ui, cell, *column, key, status, context);
            label(ui, cell, heading(*column), &words);
        }
        let tick = checkbox(
            ui,
            rect.left_center() + vec2(LEFT + 8.0, 0.0),
            Some(ticked),
            &format!("Select {name}"),
            id.with("tick"),
        );
        let at = ui.input(|input| input.pointer.latest_pos()).map(|at| at.x - rect.left());
        let at_pointer = |(_, x, width): &&(Column, f32, f32)| at.is_some_and(|at| (*x..x + width).contains(&at));
        let column = self.columns.shown.iter().find(at_pointer).map(|(column, ..)| *column);
        let own = (context.cluster, context.row_id);
        row_menu::menu(ui, view, own, &response, (context.asks_menu, column));
        let modifiers = click_modifiers(ui);
        if tick.clicked() {
            view.send(match modifiers.shift {
                // A range of boxes comes to what is ticked already.
                true => Command::SelectTo(context.line, true),
                false => Command::Select(key.id.clone(), !ticked),
            });
        }
        if response.clicked() && !is_second_click(ui, &response, key) {
            // By a screen reader, too, a row takes the keyboard away from the search: Escape then closes the page.
            ui.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
            view.send(match (modifiers.shift, modifiers.command) {
                (true, also) => Command::SelectTo(context.line, also),
                (_, true) => Command::Select(key.id.clone(), !ticked),
                _ => Command::OpenKey(Some(key.id.clone())),
            });
        }
        response.clicked()
    }

    /// Paints a cell, and returns its text for assistive technology.
    fn cell(&self, ui: &Ui, cell: Rect, column: Column, key: &ApiKey, status: Status, row: &RowContext<'_>) -> String {
        let p = theme::colors(ui);
        let plain = |text: String, color: Color32| {
            elided(ui, cell, Type::Body, color, &text);
            text
        };
        match column {
            Column::Name => self.name_cell(ui, cell, key, row),
            Column::Owner => plain(sanitize::shortened(&key.owner.username, 60), p.text.secondary),
            Column::Kind => plain(key.kind.word().to_owned(), p.text.secondary),
            Column::Roles if key.is_unrestricted() => plain("All owner’s rights".into(), p.text.primary),
            Column::Roles => plain(sanitize::shortened(&key.roles().join(", "), 80), p.text.secondary),
            Column::Id => {
                elided(ui, cell, Type::Mono, p.text.secondary, &sanitize::shown(key.id.as_str()));
                key.id.as_str().to_owned()
            }
            Column::Realm => plain(sanitize::shortened(&key.owner.realm, 60), p.text.secondary),
            Column::Can => plain(row.cluster.inventory().can(row.row_id), p.text.secondary),
            Column::Created if key.is_unread("creation") => plain(NOT_KNOWN.into(), p.text.tertiary),
            Column::Created => plain(self.moment(key.created), p.text.secondary),
            Column::Invalidated => {
                plain(key.invalidated_at.map(|at| self.moment(at)).unwrap_or_default(), p.text.secondary)
            }
            Column::Status if mark_of(key, self.now) == status::Mark::NotKnown => {
                plain(NOT_KNOWN.into(), p.text.tertiary)
            }
            Column::Status => plain(status.machine_word().to_owned(), p.text.secondary),
            Column::ApplicationId => {
                plain(sanitize::shortened(key.application_id().unwrap_or_default(), 80), p.text.secondary)
            }
            Column::Expires if is_end_unread(key, status) => plain(NOT_KNOWN.into(), p.text.tertiary),
            Column::Expires => {
                let bar = Rect::from_min_size(
                    pos2(cell.left(), cell.center().y - size::BAR_HEIGHT / 2.0),
                    vec2(size::BAR_WIDTH, size::BAR_HEIGHT),
                );
                status::paint_bar(ui.painter(), bar, status, key.share_left(self.now), p);
                let words = match key.expires.filter(|_| self.dates && status != Status::Invalidated) {
                    Some(at) => calendar::local(at, &self.zone),
                    None => remaining_text(key, status, self.now),
                };
                let rest = Rect::from_min_max(pos2(bar.right() + 12.0, cell.top()), cell.max);
                elided(ui, rest, Type::Body, status::text_color(status, p), &words);
                words
            }
        }
    }

    fn moment(&self, at: Timestamp) -> String {
        if self.dates { calendar::local(at, &self.zone) } else { calendar::day(at, &self.zone) }
    }

    fn name_cell(&self, ui: &Ui, cell: Rect, key: &ApiKey, row: &RowContext<'_>) -> String {
        let p = theme::colors(ui);
        let part = row.cluster.part(row.row_id);
        let badges = badges(key, Some(row.cluster), part);
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
        let name = sanitize::shortened(&key.name, 120);
        let room = Rect::from_min_max(cell.min, pos2(right, cell.bottom()));
        let used = elided(ui, room, Type::Strong, p.text.primary, &name);
        if let Some(application_id) = key.application_id() {
            let application_id = sanitize::shortened(application_id, 60);
            let rest = Rect::from_min_max(pos2(room.left() + used + 8.0, room.top()), room.max);
            if rest.width() > 24.0 {
                elided(ui, rest, Type::MonoSmall, p.text.tertiary, &application_id);
            }
            return format!("{name}, application id {application_id}{}", badge_labels(&badges));
        }
        format!("{name}{}", badge_labels(&badges))
    }
}

/// Returns the modifiers at the click of this frame, even if Shift was released within the same frame.
fn click_modifiers(ui: &Ui) -> Modifiers {
    let of_click = |event: &Event| match event {
        Event::PointerButton { pressed: false, button: PointerButton::Primary, modifiers, .. } => Some(*modifiers),
        _ => None,
    };
    ui.input(|input| input.events.iter().rev().find_map(of_click).unwrap_or(input.modifiers))
}

/// Returns `true` if this is the second click of a double click that began on another key: rows may have moved below
/// the pointer meanwhile, and the page of the first stays.
fn is_second_click(ui: &Ui, response: &Response, key: &ApiKey) -> bool {
    /// Maximum distance between the clicks of a double click, in points.
    const NEAR: f32 = 8.0;
    let id = Id::unique("row that was clicked last");
    let Some(at) = response.interact_pointer_pos() else { return false };
    let now = ui.input(|input| input.time);
    let last: Option<(f64, Pos2, KeyId)> = ui.data(|data| data.get_temp(id));
    let is_second = last.is_some_and(|(time, position, of)| {
        now - time < arming::ARMING_TIME && position.distance(at) <= NEAR && of != key.id
    });
    if !is_second {
        ui.data_mut(|data| data.insert_temp(id, (now, at, key.id.clone())));
    }
    is_second
}

fn badge_labels(badges: &[(chip::Tone, &str, &str)]) -> String {
    badges.iter().map(|(_, _, word)| format!(", {word}")).collect()
}
