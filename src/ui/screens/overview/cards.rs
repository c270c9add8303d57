//! Cards of the overview: figures, and the most frequent values.

use eframe::egui::{
    self, Align, Color32, CornerRadius, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::{
    app::Command,
    model::{
        filter,
        inventory::{list_view::ListView, overview::Overview},
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{calendar, status::StatusGroup},
    },
    ui::{
        View,
        theme::{self, Type, icons, radius, size},
        widgets::{button::Button, card::card, chip, focus, status, text},
    },
};

const ROWS: usize = 8;

/// Returns the view of the keys of a group.
pub(crate) fn group_view(group: StatusGroup) -> ListView {
    ListView { status: Some(group), ..ListView::default() }
}

/// Returns the view of the keys that a search finds.
pub(crate) fn search_view(search: String) -> ListView {
    ListView { search, ..ListView::default() }
}

/// Distances from the edges of a figure to its content, in points.
const FIGURE_LEFT: f32 = 20.0;
const FIGURE_RIGHT: f32 = 8.0;
/// Height of the figures if the texts below the counts take one line, and if they take two.
const FIGURE_HEIGHTS: [f32; 2] = [102.0, 118.0];

/// A count of keys that leads to them.
struct Figure {
    group: StatusGroup,
    count: usize,
    /// Text below the count; may be blank.
    note: String,
}

/// Draws six figures side by side, each leading to the keys that it counts.
pub(crate) fn counts(ui: &mut Ui, view: &mut View<'_>, overview: &Overview) {
    let p = theme::colors(ui);
    let [_, _, quarter] = overview.within;
    let since = overview.since;
    let more = |count: usize, words: &str| {
        if count > 0 { format!("{} {words}", thousands(count as u64)) } else { String::new() }
    };
    let figures = [
        (StatusGroup::Valid, since.map_or(String::new(), |s| more(s.created, "new since last visit"))),
        (StatusGroup::Within7Days, String::new()),
        (StatusGroup::Within30Days, more(quarter, "within 90 days")),
        (StatusGroup::Never, "of valid keys".into()),
        (StatusGroup::Expired, "still listed".into()),
        (StatusGroup::Invalidated, since.map_or(String::new(), |s| more(s.invalidated, "since last visit"))),
    ]
    .map(|(group, note)| Figure { group, count: overview.counts.in_group(group), note });
    let width = ui.available_width() / figures.len() as f32;
    let room = width - FIGURE_LEFT - FIGURE_RIGHT;
    let wraps = figures.iter().any(|figure| text::width(ui, Type::Small, &figure.note) > room);
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), FIGURE_HEIGHTS[usize::from(wraps)]), Sense::hover());
    let corner = CornerRadius::same(radius::L);
    ui.painter().rect(rect, corner, p.surface.raised, Stroke::new(p.hair, p.stroke.card), StrokeKind::Inside);
    for (at, figure) in figures.iter().enumerate() {
        let cell = Rect::from_min_size(pos2(rect.left() + at as f32 * width, rect.top()), vec2(width, rect.height()));
        let response = ui.interact(cell, ui.scope_id().with(("figure", figure.group.label())), Sense::click());
        let name = format!("{}: {}", figure.group.label(), plural(figure.count as u64, "key"));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if response.hovered() {
            ui.painter().rect_filled(cell.shrink(3.0), f32::from(radius::M), p.surface.hover);
        }
        if at > 0 {
            ui.painter().vline(cell.left(), cell.shrink2(vec2(0.0, 1.0)).y_range(), Stroke::new(1.0, p.stroke.divider));
        }
        paint_figure(ui, cell, figure);
        focus::ring_if(ui, &response, cell.shrink(2.0), radius::M);
        if response.clicked() {
            view.send(Command::ShowKeys(group_view(figure.group)));
        }
    }
}

fn paint_figure(ui: &Ui, cell: Rect, figure: &Figure) {
    let p = theme::colors(ui);
    let (group, count) = (figure.group, figure.count);
    let (left, right) = (cell.left() + FIGURE_LEFT, cell.right() - FIGURE_RIGHT);
    status::paint_mark(ui.painter(), pos2(left + 5.0, cell.top() + 23.0), status::group_mark(group), p);
    let room = Rect::from_min_max(pos2(left + 18.0, cell.top() + 13.0), pos2(right, cell.top() + 33.0));
    let fits = text::width(ui, Type::Body, group.label()) <= room.width();
    let label = if fits { group.label() } else { status::short_label(group) };
    text::elided(ui, room, Type::Body, p.text.secondary, label);
    let color = if group == StatusGroup::Within7Days && count > 0 { p.status.expiring_text } else { p.text.primary };
    let painter = ui.painter().with_clip_rect(cell.intersect(ui.clip_rect()));
    let at = pos2(left, cell.top() + 53.0);
    painter.text(at, egui::Align2::LEFT_CENTER, thousands(count as u64), Type::Display.font(), color);
    let room = Rect::from_min_max(pos2(left, cell.top() + 72.0), pos2(right, cell.bottom() - 10.0));
    text::wrapped(ui, room, Type::Small, p.text.tertiary, &figure.note);
}

/// Draws values with bars, most frequent first; each leads to its keys.
pub(crate) fn tally_card(ui: &mut Ui, view: &mut View<'_>, title: &str, field: &str, values: &[(String, usize)]) {
    let p = theme::colors(ui);
    card(ui, |ui| {
        ui.horizontal(|ui| {
            text::line(ui, Type::Heading, p.text.primary, title);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(name) = field.strip_prefix("meta.") {
                    let label = format!("Stop counting by {title}");
                    if Button::icon_only(icons::CLOSE, &label).show(ui).clicked() {
                        let rest = view.state.settings.counted_by.iter().filter(|own| *own != name).cloned().collect();
                        view.send(Command::CountBy(rest));
                    }
                }
                text::line(ui, Type::Small, p.text.tertiary, thousands(values.len() as u64));
            });
        });
        let most = values.first().map_or(1, |(_, count)| *count).max(1);
        ui.spacing_mut().item_spacing.y = 0.0;
        for (value, count) in values.iter().take(ROWS) {
            if tally_row(ui, value, *count, most) {
                view.send(Command::ShowKeys(search_view(format!("{field}:{}", filter::quoted(value)))));
            }
        }
        if values.len() > ROWS {
            let rest: usize = values.iter().skip(ROWS).map(|(_, count)| count).sum();
            let words =
                format!("and {} more with {}", thousands((values.len() - ROWS) as u64), plural(rest as u64, "key"));
            text::line(ui, Type::Small, p.text.tertiary, words);
        }
    });
}

fn tally_row(ui: &mut Ui, value: &str, count: usize, most: usize) -> bool {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let shown = sanitize::shortened(value, 60);
    let name = format!("{shown}: {}", plural(count as u64, "key"));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(8.0, 0.0)), f32::from(radius::M), p.surface.hover);
    }
    let number = ui.painter().layout_no_wrap(thousands(count as u64), Type::Body.font(), p.text.primary);
    let y = rect.center().y;
    let right = rect.right() - number.size().x;
    ui.painter().galley(pos2(right, (y - number.size().y / 2.0).round()), number, p.text.primary);
    let words = Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * 0.42, rect.bottom()));
    text::elided(ui, words, Type::Body, p.text.primary, &shown);
    let track = Rect::from_min_max(pos2(words.right() + 10.0, y - 2.5), pos2(rect.right() - 64.0, y + 2.5));
    if track.width() > 10.0 {
        ui.painter().rect_filled(track, 2.5, p.status.track);
        let share = (count as f32 / most as f32).clamp(0.0, 1.0);
        let width = (track.width() * share).max(5.0);
        let color: Color32 = p.accent.mark;
        ui.painter().rect_filled(Rect::from_min_size(track.min, vec2(width, 5.0)), 2.5, color);
    }
    focus::ring_if(ui, &response, rect.expand2(vec2(4.0, 0.0)), radius::M);
    response.clicked()
}

/// Draws the changes since the last visit, and the choice of metadata fields to count by.
pub(crate) fn last_card(ui: &mut Ui, view: &mut View<'_>, overview: &Overview) {
    let p = theme::colors(ui);
    card(ui, |ui| {
        if let Some(since) = &overview.since {
            text::line(ui, Type::Heading, p.text.primary, "Since your last visit");
            text::line(ui, Type::Small, p.text.tertiary, calendar::local(since.at, &view.state.zone));
            let at = calendar::rfc3339(since.at);
            for (icon, count, word, search) in [
                (icons::ADD, since.created, "created", format!("created:>={at}")),
                (icons::EVENT_BUSY, since.expired, "expired", format!("status:expired expires:>={at}")),
                (icons::BLOCK, since.invalidated, "invalidated", format!("invalidated:>={at}")),
            ] {
                ui.horizontal(|ui| {
                    text::icon(ui, Type::Icon, p.text.tertiary, icon);
                    let words = format!("{} {word}", plural(count as u64, "key"));
                    if count == 0 {
                        text::line(ui, Type::Body, p.text.secondary, words);
                    } else if Button::link(&words).show(ui).clicked() {
                        view.send(Command::ShowKeys(search_view(search)));
                    }
                });
            }
        }
        text::line(ui, Type::Heading, p.text.primary, "Count by metadata field");
        let counted = &view.state.settings.counted_by;
        let offered = overview.offered.iter().filter(|(path, _)| !counted.contains(path)).take(8).cloned();
        let offered: Vec<(String, usize)> = offered.collect();
        if offered.is_empty() {
            text::line(ui, Type::Body, p.text.tertiary, "All fields are already counted");
        }
        ui.horizontal_wrapped(|ui| {
            for (path, count) in offered {
                let words = sanitize::shortened(&path, 30);
                if chip::choice(ui, false, None, &words, Some(thousands(count as u64))).clicked() {
                    view.send(Command::CountBy(counted.iter().cloned().chain([path]).collect()));
                }
            }
        });
    });
}
