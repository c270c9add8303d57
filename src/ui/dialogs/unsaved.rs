//! Connections that are not saved: offered for saving once they work, and asked about before the window closes.

use eframe::egui::{self, Frame, Margin, Ui};

use super::{dialog, frame};
use crate::{
    app::{ClosingStep, Command},
    model::text::sanitize,
    ui::{
        View,
        theme::{icons, size},
        widgets::{
            button::Button,
            notice::{self, Tone},
        },
    },
};

/// Asks whether a connection is saved before the window closes.
pub(super) fn ask(ctx: &egui::Context, view: &mut View<'_>) {
    let Some(profile) = view.state.unsaved_asked() else { return };
    let mut step = None;
    let closed = dialog(ctx, view.state, "Connection not saved", &profile.id, size::DIALOG, |ui| {
        let name = sanitize::shortened(&profile.name, 40);
        let line = "Keybearer is about to close. A connection that is not saved has to be filled in again, its \
                    credential too";
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

/// Offers to save the connection that is shown, once it has signed in.
pub fn offer(ui: &mut Ui, view: &mut View<'_>) {
    let Some(shown) = view.state.cluster() else { return };
    let Some(profile) = view.state.unsaved().find(|profile| profile.id == shown.profile.id).cloned() else { return };
    egui::Panel::top("unsaved connection")
        .frame(Frame::new().inner_margin(Margin { left: 20, right: 16, top: 8, bottom: 8 }))
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            let title = format!("The connection “{}” is not saved", sanitize::shortened(&profile.name, 40));
            let line = "It is gone when you close Keybearer. Once saved, it is kept in the keyring of this computer";
            notice::banner(ui, Tone::Info, &title, line, |ui| {
                if Button::secondary("Save").named("Save this connection").icon(icons::SAVE).show(ui).clicked() {
                    view.send(Command::SaveProfile(Box::new(profile.clone())));
                }
                if Button::ghost("Not now").show(ui).clicked() {
                    view.send(Command::Closing(ClosingStep::NotNow(profile.id.clone())));
                }
            });
        });
}
