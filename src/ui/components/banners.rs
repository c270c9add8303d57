//! Banners above every screen.

use eframe::egui::{self, Frame, Margin, Panel, Ui};

use crate::{
    app::{ClosingStep, Command, Screen},
    model::text::sanitize,
    ui::{
        View, theme,
        theme::icons,
        widgets::{
            button::Button,
            notice::{self, Tone},
        },
    },
};

/// Draws the fault of the journal that every screen has to show.
pub fn journal_fault(ui: &mut Ui, view: &mut View<'_>) {
    let Some((title, detail)) = view.state.journal.fault() else { return };
    let p = theme::colors(ui);
    Panel::top("journal fault")
        .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::symmetric(16, 8)))
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            notice::banner(ui, Tone::Danger, &title, &detail, |ui| {
                if Button::ghost("Dismiss").named("Dismiss the notice of the journal").show(ui).clicked() {
                    view.send(Command::DismissJournalFault);
                }
                if view.state.screen != Screen::Journal && Button::secondary("Open journal").show(ui).clicked() {
                    view.send(Command::Show(Screen::Journal));
                }
            });
        });
}

/// Draws the reason why the rules of this computer allow no changes, as long as they don't.
pub fn policy_refusal(ui: &mut Ui, view: &mut View<'_>) {
    let Some(reason) = view.state.refusal_by_rule() else { return };
    let p = theme::colors(ui);
    Panel::top("policy refusal")
        .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::symmetric(16, 8)))
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            notice::banner(ui, Tone::Danger, "Nothing can be changed from this computer", reason, |ui| {
                if view.state.screen != Screen::Settings && Button::secondary("Open settings").show(ui).clicked() {
                    view.send(Command::Show(Screen::Settings));
                }
            });
        });
}

/// Draws the outcomes that the last lock left.
pub fn lock_outcomes(ui: &mut Ui, view: &mut View<'_>) {
    let outcomes = view.state.lock_outcomes();
    if outcomes.is_empty() {
        return;
    }
    let p = theme::colors(ui);
    let words = outcomes.join(". ");
    Panel::top("lock outcomes")
        .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::symmetric(16, 8)))
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            notice::banner(ui, Tone::Warning, "While Keybearer was locked", &words, |ui| {
                if Button::ghost("Dismiss").named("Dismiss the notice about the lock").show(ui).clicked() {
                    view.send(Command::DismissLockOutcomes);
                }
            });
        });
}

/// Offers to save the connection that is shown, once it has signed in.
pub fn unsaved_connection(ui: &mut Ui, view: &mut View<'_>) {
    let Some(shown) = view.state.cluster() else { return };
    let Some(profile) = view.state.unsaved().find(|profile| profile.id == shown.profile.id).cloned() else { return };
    egui::Panel::top("unsaved connection")
        .frame(Frame::new().inner_margin(Margin { left: 20, right: 16, top: 8, bottom: 8 }))
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            let title = format!("The connection “{}” is not saved", sanitize::shortened(&profile.name, 40));
            let line =
                "It is lost when you close or lock Keybearer. Once saved, it is stored in this computer’s keyring";
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
