//! Rows of menus.

use eframe::egui::{self, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::theme::{self, Type, radius, size};

/// Draws a menu row. Returns `true` if it was chosen.
pub fn menu_row(ui: &mut Ui, label: &str, icon: &str) -> bool {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(180.0), size::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(radius::M), p.surface.selected);
    }
    let y = rect.center().y;
    let center = egui::Align2::CENTER_CENTER;
    ui.painter().text(pos2(rect.left() + 18.0, y), center, icon, Type::Icon.font(), p.text.secondary);
    let left = egui::Align2::LEFT_CENTER;
    ui.painter().text(pos2(rect.left() + 38.0, y), left, label, Type::Body.font(), p.text.primary);
    let clicked = response.clicked();
    if clicked {
        ui.close();
    }
    clicked
}
