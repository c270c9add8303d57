//! Pages beside a list.

use eframe::egui::{Key, Modifiers, Popup, Stroke, Ui};

use crate::ui::{View, theme};

/// Returns `true` if Escape was pressed for an open page: not in a field, a menu or a dialog.
pub fn escape_closes(ui: &Ui, view: &View<'_>) -> bool {
    let free = !ui.ctx().egui_wants_keyboard_input() && !view.state.has_dialog() && !Popup::is_any_open(ui.ctx());
    free && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
}

/// Paints the background of a page, with a line to its left.
pub fn background(ui: &Ui) {
    let p = theme::colors(ui);
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, p.surface.raised);
    ui.painter().vline(rect.left() + 0.5, rect.y_range(), Stroke::new(1.0, p.stroke.divider));
}
