//! Keycaps: a shortcut in a small frame.

use eframe::egui::{Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::text;
use crate::ui::theme::{self, Type, radius, size};

const PADDING: f32 = 5.0;

/// Returns the width of a keycap, in points.
pub fn width(ui: &Ui, words: &str) -> f32 {
    (text::width(ui, Type::Micro, words) + 2.0 * PADDING).max(size::BADGE).ceil()
}

/// Paints a keycap that ends at the right of `at`, centered on its height; returns its rectangle.
pub fn paint_left_of(ui: &Ui, at: eframe::egui::Pos2, words: &str) -> Rect {
    let p = theme::colors(ui);
    let width = width(ui, words);
    let rect = Rect::from_min_size(pos2(at.x - width, (at.y - size::BADGE / 2.0).round()), vec2(width, size::BADGE));
    ui.painter().rect(
        rect,
        f32::from(radius::S),
        p.surface.surface,
        Stroke::new(p.hair, p.stroke.card),
        StrokeKind::Inside,
    );
    let galley = ui.painter().layout_no_wrap(words.to_owned(), Type::Micro.font(), p.text.secondary);
    let corner = rect.center() - galley.size() / 2.0;
    ui.painter().galley(pos2(corner.x.round(), corner.y.round()), galley, p.text.secondary);
    rect
}

/// Draws a keycap in a line.
pub fn keycap(ui: &mut Ui, words: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width(ui, words), size::BADGE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    paint_left_of(ui, rect.right_center(), words);
    response
}
