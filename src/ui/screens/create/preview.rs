//! Preview of a draft: a sentence, and the exact request.

use eframe::egui::{Align, Layout, ScrollArea, Ui};

use crate::{
    model::{Timestamp, create::new_key::NewKey, privileges::descriptor::Piece, text::json},
    ui::{
        theme,
        theme::{Type, icons, space},
        widgets::{button::Button, code, text},
    },
};

/// Draws the sentence and the request. The request is shown as soon as the form is complete.
pub fn ui(ui: &mut Ui, sentence: &[Piece], request: Option<&NewKey>, now: Timestamp) {
    let p = theme::colors(ui);
    ui.spacing_mut().item_spacing.y = space::M;
    text::line(ui, Type::Strong, p.text.secondary, "Summary");
    text::sentence(ui, sentence, true);
    ui.add_space(space::S);
    let path = request.map_or("", NewKey::path);
    let body = request.map(|request| request.shown(now));
    ui.horizontal(|ui| {
        text::line(ui, Type::Strong, p.text.primary, "Exact request");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(body) = &body
                && Button::secondary("Copy request").icon(icons::CONTENT_COPY).small().show(ui).clicked()
            {
                ui.ctx().copy_text(format!("POST {path}\n{}", json::pretty(body)));
            }
        });
    });
    code::ground(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_min_height((ui.available_height() - 4.0).max(120.0));
        match body {
            Some(body) => {
                ScrollArea::vertical().id_salt("exact request").auto_shrink([false, true]).show(ui, |ui| {
                    code::plain(ui, &format!("POST {path}"));
                    code::raw_json(ui, "exact request", &body);
                    if let Some(hidden) = request.and_then(NewKey::hidden) {
                        let words = format!("Also sent, but not shown or copied: {hidden}");
                        text::paragraph(ui, Type::Small, p.text.tertiary, words);
                    }
                });
            }
            None => drop(text::paragraph(ui, Type::Small, p.text.tertiary, "Appears once the form is complete")),
        }
    });
}
