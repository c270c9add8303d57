//! The question about a connection that is not saved, before the window closes.

use eframe::egui;

use super::frame;
use crate::{
    app::{ClosingStep, Command},
    model::text::sanitize,
    ui::{
        View,
        dialogs::frame::dialog,
        theme::{icons, size},
        widgets::button::Button,
    },
};

/// Asks whether a connection is saved before the window closes.
pub(super) fn ask(ctx: &egui::Context, view: &mut View<'_>) {
    let Some(profile) = view.state.unsaved_asked() else { return };
    let mut step = None;
    let closed = dialog(ctx, view.state, "Connection not saved", &profile.id, size::DIALOG, |ui| {
        let name = sanitize::shortened(&profile.name, 40);
        let line = "Keybearer is about to close. If you don’t save this connection, you’ll have to enter it again, \
                    including its credential";
        frame::head(ui, profile, &format!("“{name}” is not saved"), None, line);
        frame::footer(ui, |ui| {
            if Button::primary("Save and close").icon(icons::SAVE).show(ui).clicked() {
                step = Some(ClosingStep::Save);
            }
            if Button::secondary("Close without saving").show(ui).clicked() {
                step = Some(ClosingStep::LeaveUnsaved);
            }
            if Button::ghost("Go back").show(ui).clicked() {
                step = Some(ClosingStep::Stay);
            }
        });
    });
    if closed {
        step = Some(ClosingStep::Stay);
    }
    if let Some(step) = step {
        view.send(Command::Closing(step));
    }
}
