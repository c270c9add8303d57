//! Rows of menus.

use eframe::egui::{self, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::keycap;
use crate::ui::theme::{self, Type, radius, size};

/// Draws a menu row. Returns `true` if it was chosen.
pub fn menu_row(ui: &mut Ui, label: &str, icon: &str) -> bool {
    menu_item(ui, label, icon, None, None)
}

/// Draws a menu row with its shortcut; disabled if there is a reason, which becomes its tooltip. Returns `true` if it
/// was chosen.
pub fn menu_item(ui: &mut Ui, label: &str, icon: &str, shortcut: Option<&str>, off: Option<&str>) -> bool {
    let p = theme::colors(ui);
    let sense = if off.is_some() { Sense::hover() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(180.0), size::CONTROL), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, off.is_none(), label));
    if off.is_none() && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, f32::from(radius::M), p.surface.selected);
    }
    let y = rect.center().y;
    let center = egui::Align2::CENTER_CENTER;
    let (icon_color, color) = match off {
        Some(_) => (p.text.disabled, p.text.disabled),
        None => (p.text.secondary, p.text.primary),
    };
    ui.painter().text(pos2(rect.left() + 18.0, y), center, icon, Type::Icon.font(), icon_color);
    let left = egui::Align2::LEFT_CENTER;
    ui.painter().text(pos2(rect.left() + 38.0, y), left, label, Type::Body.font(), color);
    if let Some(words) = shortcut {
        keycap::paint_left_of(ui, pos2(rect.right() - 8.0, y), words);
    }
    let clicked = response.clicked();
    if clicked {
        ui.close();
    }
    if let Some(reason) = off {
        response.on_hover_text(reason);
    }
    clicked
}
