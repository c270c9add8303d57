//! Common parts of the dialogs that change or end keys: the head, the padded content and the footer.

use eframe::egui::{Align, Frame, Layout, Margin, Ui, vec2};

use crate::{
    model::{connections::profile::Profile, text::sanitize},
    ui::{
        theme,
        theme::Type,
        widgets::{chip, text},
    },
};

/// Draws the title, the cluster, the id if there is only one key, and a sentence unless it is empty.
pub(super) fn head(ui: &mut Ui, profile: &Profile, title: &str, id: Option<&str>, line: &str) {
    let p = theme::colors(ui);
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 14 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            text::line(ui, Type::Title, p.text.primary, title);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                chip::environment(ui, profile.environment);
            });
        });
        let place = format!("On {} ({})", sanitize::shortened(&profile.name, 40), profile.endpoint.url.host());
        text::line(ui, Type::Small, p.text.tertiary, place);
        if let Some(id) = id {
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id, 60));
        }
        if !line.is_empty() {
            text::paragraph(ui, Type::Body, p.text.secondary, line);
        }
    });
}

/// Draws content between the head and the footer.
pub(super) fn padded(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 14, bottom: 14 }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
}

/// Draws the buttons, from the right.
pub(super) fn footer(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin::symmetric(24, 14)).show(ui, |ui| {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 32.0), Layout::right_to_left(Align::Center), add);
    });
}
