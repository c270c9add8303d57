//! Rows of lists that a click opens.

use eframe::egui::{Color32, Rect, Response, Stroke, Ui, vec2};

use super::focus;
use crate::ui::theme;

/// State of a row.
#[derive(Clone, Copy, Default)]
pub struct RowState {
    /// `true` if the row is selected.
    pub is_selected: bool,
    /// `true` while the page of the row is open.
    pub is_open: bool,
    /// `true` if the keyboard is at the row.
    pub has_cursor: bool,
}

/// Paints the background of a row, the line below it, and the marks of its state.
pub fn background(ui: &Ui, rect: Rect, response: &Response, state: RowState) {
    let p = theme::colors(ui);
    let fill = match (state.is_selected, state.is_open, response.hovered()) {
        (true, _, true) => p.surface.selected_hover,
        (true, ..) => p.surface.selected,
        (_, true, _) => p.surface.pressed,
        (_, _, true) => p.surface.hover,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.stroke.divider));
    if state.is_open {
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 0.0, p.accent.mark);
    }
    if state.has_cursor || response.has_focus() {
        focus::ring_inside(ui, rect);
    }
}
