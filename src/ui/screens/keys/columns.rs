//! Columns of the key table: the choice of those that fit, the header that sorts and resizes them, and the menu that
//! chooses them.

use eframe::egui::{self, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, text::LayoutJob, vec2};

use crate::{
    app::{Cluster, Command},
    model::{
        inventory::{Column, Sort, list_view::ListView},
        settings::{COLUMNS, Shown, TableLayout},
    },
    ui::{
        View, theme,
        theme::{Type, icons, size},
        widgets::{button::Button, field, focus},
    },
};

pub(crate) const TICK: f32 = 36.0;
const MARK: f32 = 26.0;
const GAP: f32 = 12.0;
pub(crate) const LEFT: f32 = 20.0;
const RIGHT: f32 = 16.0;

/// Width that is enough for names, in points; the rest is shared among other columns.
const NAME_ENOUGH: f32 = 520.0;

/// Columns that take a share of the remaining width, each with its maximum width in points.
const ROOMY: [(Column, f32); 7] = [
    (Column::ApplicationId, 240.0),
    (Column::Id, 200.0),
    (Column::Owner, 240.0),
    (Column::Realm, 180.0),
    (Column::Roles, 360.0),
    (Column::Can, 320.0),
    (Column::Expires, 300.0),
];

/// Columns that fit, each with its left edge and width. The name is the first.
pub struct Columns {
    pub(crate) shown: Vec<(Column, f32, f32)>,
    pub(crate) width: f32,
    /// Number of chosen columns that do not fit.
    pub left_out: usize,
}

impl Columns {
    /// Chooses as many of the selected columns as leave the name at least 250 points. The least informative ones are
    /// dropped first.
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
        share(&mut chosen, width - fixed - used - NAME_ENOUGH);
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

/// Gives width that the name does not need to columns whose texts are often cut off. A width that the user has set
/// stays.
fn share(chosen: &mut [Shown], spare: f32) {
    let growth = |shown: &Shown| {
        let begun = COLUMNS.iter().any(|known| known.column == shown.column && known.width == shown.width);
        let most = ROOMY.iter().find(|(column, _)| *column == shown.column).filter(|_| begun);
        most.map_or(0.0, |(_, most)| (most - shown.width).max(0.0))
    };
    let wanted: f32 = chosen.iter().map(growth).sum();
    let part = if wanted > 0.0 { (spare / wanted).clamp(0.0, 1.0) } else { 0.0 };
    for shown in chosen {
        shown.width += (growth(shown) * part).floor();
    }
}

/// Returns the heading of a column.
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

/// Draws the header: a checkbox for all rows, headings to sort by, and edges to drag.
pub fn header(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, columns: &Columns) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(columns.width, size::ROW_HEADER), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.stroke.divider));
    let shown = cluster.rows.rows.len();
    let state = match cluster.selected_rows() {
        0 => Some(false),
        all if all == shown => Some(true),
        _ => None,
    };
    let tick = checkbox(
        ui,
        rect.left_center() + vec2(LEFT + 8.0, 0.0),
        state,
        "Select all shown keys",
        ui.scope_id().with("tick all"),
    );
    if tick.clicked() {
        view.send(if state == Some(true) { Command::SelectNone } else { Command::SelectLines(0..shown, false) });
    }
    for (column, x, width) in &columns.shown {
        let cell = Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(*width, rect.height()));
        header_cell(ui, view, cluster, *column, cell);
    }
    // The edges last, so that they lie above the names beside them.
    for pair in columns.shown.windows(2) {
        let [(left, _, left_width), (right, x, right_width)] = pair else { continue };
        let at = pos2(rect.left() + x - GAP / 2.0, rect.top());
        edge(ui, view, (*left, *left_width), (*right, *right_width), at);
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
    response.on_hover_text("Click to sort; Shift+click to add a sort");
}

/// Returns the sort order after a click. A click sorts by this column alone, or reverses it; with Shift the column is
/// appended to the others, then reversed, then removed (or reversed again if it is the only one).
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

/// Draws the draggable edge between two columns: the width that the left one gains, the right one loses. Neither
/// becomes narrower than its heading with the sort arrow.
fn edge(ui: &mut Ui, view: &mut View<'_>, left: (Column, f32), right: (Column, f32), at: egui::Pos2) {
    let p = theme::colors(ui);
    let hit = Rect::from_center_size(at + vec2(0.0, size::ROW_HEADER / 2.0), vec2(9.0, size::ROW_HEADER));
    let response = ui.interact(hit, ui.scope_id().with(("edge", right.0)), Sense::drag());
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeHorizontal);
        let line = Stroke::new(2.0, p.accent.mark);
        ui.painter().vline(at.x, hit.shrink2(vec2(0.0, 6.0)).y_range(), line);
    }
    let moved = response.drag_delta().x;
    if response.dragged() && moved != 0.0 {
        let give = |(column, width): (Column, f32)| (width - least(ui, column)).max(0.0);
        // The name has the room that is left and no width of its own.
        let room = if left.0 == Column::Name { f32::INFINITY } else { give(left) };
        let moved = moved.clamp(-room, give(right));
        let mut layout = view.state.settings.table.clone();
        // Widths are whole points: what one gets is exactly what the other gives.
        let moved = (left.1 + moved).round() - left.1;
        layout.resize(right.0, right.1 - moved);
        if left.0 != Column::Name {
            layout.resize(left.0, left.1 + moved);
        }
        view.send(Command::SetTable(layout));
    }
}

/// Returns the minimum width of a column, in points: its heading, the sort arrow and the sort rank.
fn least(ui: &Ui, column: Column) -> f32 {
    let heading = heading(column).to_owned();
    let galley = ui.painter().layout_no_wrap(heading, Type::Label.font(), egui::Color32::PLACEHOLDER);
    galley.size().x + 32.0
}

/// Creates the button that opens the menu of columns.
pub(crate) const fn columns_button() -> Button<'static> {
    Button::ghost("Columns").icon(icons::VIEW_COLUMN)
}

/// Draws the menu of columns: which are shown, in which order, and the format of times.
pub fn columns_menu(ui: &mut Ui, view: &mut View<'_>, compact: bool) {
    let response = columns_button().compact(compact).show(ui);
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
        if Button::link("Reset to default").show(ui).clicked() {
            changed = TableLayout::default();
        }
        if changed != layout {
            view.send(Command::SetTable(changed));
        }
    });
}

pub(crate) fn checkbox(ui: &mut Ui, center: egui::Pos2, on: Option<bool>, name: &str, id: egui::Id) -> Response {
    let hit = Rect::from_center_size(center, vec2(28.0, 28.0));
    let response = ui.interact(hit, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on == Some(true), name));
    let rect = Rect::from_center_size(center, egui::Vec2::splat(size::CHECKBOX));
    field::paint_checkbox(ui.painter(), rect, on, theme::colors(ui));
    focus::ring_if(ui, &response, hit, 4);
    response
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

    #[test]
    fn room_that_names_do_not_need_is_shared_and_a_width_that_was_drawn_stays() {
        let width = |columns: &Columns, wanted: Column| {
            columns.shown.iter().find(|(column, ..)| *column == wanted).map(|(_, _, width)| *width).unwrap()
        };
        let mut layout = TableLayout::default();
        layout.resize(Column::Roles, 150.0);
        let (usual, wide) = (Columns::fitting(1256.0, &layout), Columns::fitting(2376.0, &layout));
        assert_eq!(width(&usual, Column::Owner), 110.0);
        assert!(width(&wide, Column::Owner) >= 200.0 && width(&wide, Column::Expires) > 236.0);
        assert_eq!((width(&wide, Column::Roles), width(&wide, Column::Kind)), (150.0, 88.0));
        assert!(width(&wide, Column::Name) >= NAME_ENOUGH);
        for points in (900..3840).step_by(20) {
            let columns = Columns::fitting(points as f32, &layout);
            let (_, x, last) = columns.shown.last().unwrap();
            assert!(x + last <= points as f32, "{points}: the last column ends at {}", x + last);
        }
    }
}
