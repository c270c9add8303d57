//! Facts on pages and in dialogs, each with its label.

use eframe::egui::{Align, Layout, Ui, vec2};

use crate::{
    model::{Timestamp, time::calendar},
    ui::{
        View,
        theme::{self, Type, space},
        widgets::{notice, text},
    },
};

/// Draws a line between two sections of a page.
pub fn section(ui: &mut Ui) {
    ui.add_space(space::XS);
    notice::hairline(ui);
    ui.add_space(space::XS);
}

/// Draws a moment in local time, and in UTC beside it where that differs.
pub fn moment(ui: &mut Ui, view: &View<'_>, at: Timestamp) {
    let p = theme::colors(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        text::line(ui, Type::Body, p.text.primary, calendar::local(at, &view.state.zone));
        if let Some(utc) = calendar::utc_beside(at, &view.state.zone) {
            text::line(ui, Type::Small, p.text.tertiary, utc);
        }
    });
}

/// Draws a fact of one line on a page.
pub fn fact(ui: &mut Ui, label: &str, value: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        label_column(ui, 92.0, label);
        value(ui);
    });
}

/// Draws a fact that may need several lines: its label, in a column of the given width in points, is at the top.
pub fn tall_fact(ui: &mut Ui, width: f32, label: &str, value: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        label_column(ui, width, label);
        value(ui);
    });
}

fn label_column(ui: &mut Ui, width: f32, label: &str) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(width, 20.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        text::line(ui, Type::Small, p.text.tertiary, label);
    });
}
