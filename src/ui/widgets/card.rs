//! Frames around content that belongs together.

use eframe::egui::{CornerRadius, Frame, Margin, Rect, Stroke, Ui};

use crate::ui::theme::{self, radius, space};

/// Draws a card, and returns its rectangle.
pub fn card(ui: &mut Ui, content: impl FnOnce(&mut Ui)) -> Rect {
    let p = theme::colors(ui);
    let frame = Frame::new()
        .fill(p.surface.raised)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::symmetric(20, 12));
    let response = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::S;
        content(ui);
    });
    response.response.rect
}
