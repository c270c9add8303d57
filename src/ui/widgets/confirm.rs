//! Explicit consent: checkboxes and typed text.

use eframe::egui::{Color32, Frame, Margin, Ui};

use super::{field, field::Field, text};
use crate::ui::theme::{self, Type};

/// Draws a checkbox with its text beside it. Returns `true` if it was clicked.
pub fn checkbox(ui: &mut Ui, on: bool, label: &str) -> bool {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        let clicked = field::checkbox(ui, Some(on), label).clicked();
        text::line(ui, Type::Body, p.text.primary, label);
        clicked
    })
    .inner
}

/// Draws the field for a text that has to be typed, on a background.
pub fn type_to_confirm(ui: &mut Ui, background: Color32, expected: &str, typed: &mut String) {
    let p = theme::colors(ui);
    Frame::new().fill(background).inner_margin(Margin::symmetric(24, 12)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 6.0;
        text::line(ui, Type::Body, p.text.primary, format!("Type “{expected}” to confirm"));
        Field::new("Confirmation").without_label().mono().show(ui, typed);
    });
}
