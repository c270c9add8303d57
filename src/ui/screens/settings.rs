//! Settings: when the window is locked, and which signals of the desktop lock it on this computer.

use eframe::egui::{ScrollArea, Ui};

use crate::{
    app::Command,
    model::lock::{IDLE_CHOICES, LockSignals},
    ui::{
        View,
        theme::{self, Type, icons, size, space},
        widgets::{button::Button, chip, notice, text},
    },
};

/// Width of the settings, in points.
const WIDTH: f32 = 640.0;

/// Draws the screen.
pub(super) fn ui(ui: &mut Ui, view: &mut View<'_>) {
    notice::page_title(ui, "Settings");
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add_space(20.0);
            ui.vertical(|ui| {
                ui.set_max_width(WIDTH.min(ui.available_width() - 20.0));
                ui.spacing_mut().item_spacing.y = space::S;
                lock(ui, view);
            });
        });
    });
}

fn lock(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    text::line(ui, Type::Heading, p.text.primary, "Lock");
    let line = "A locked window shows nothing of any cluster. Credentials, secrets and lists are dropped from memory; \
                what is being written is finished first, and a key whose secret was not saved is invalidated";
    text::paragraph(ui, Type::Body, p.text.secondary, line);
    ui.add_space(space::XS);
    text::line(ui, Type::Label, p.text.primary, "Lock when idle for");
    let label = |minutes: Option<u32>| match minutes {
        Some(60) => "1 hour".to_owned(),
        Some(minutes) => format!("{minutes} minutes"),
        None => "Never".to_owned(),
    };
    let now = view.state.settings.lock_after;
    let mut all: Vec<Option<u32>> = IDLE_CHOICES.to_vec();
    // Another time may stand in the file.
    if !all.contains(&now) {
        all.insert(0, now);
    }
    let labels: Vec<String> = all.iter().map(|minutes| label(*minutes)).collect();
    let choices: Vec<(Option<u32>, &str)> = all.iter().copied().zip(labels.iter().map(String::as_str)).collect();
    if let Some(minutes) = chip::segmented(ui, now, &choices, Some(ui.available_width().min(WIDTH))) {
        view.send(Command::SetLockAfter(minutes));
    }
    ui.add_space(space::S);
    text::line(ui, Type::Label, p.text.primary, "Desktop events that lock the window");
    match view.state.locking.signals {
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "Still looking for them")),
        Some(signals) => arriving(ui, signals),
    }
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        ui.set_height(size::CONTROL);
        if Button::secondary("Lock now").icon(icons::LOCK).show(ui).clicked() {
            view.send(Command::Lock);
        }
        text::line(ui, Type::Small, p.text.tertiary, "Ctrl L");
    });
}

fn arriving(ui: &mut Ui, signals: LockSignals) {
    let p = theme::colors(ui);
    for (arrives, what) in [
        (signals.screen, "The screen is locked, or its saver begins"),
        (signals.session, "The login service locks the session"),
        (signals.sleep, "The computer goes to sleep"),
    ] {
        ui.horizontal(|ui| {
            let (icon, color) = if arrives { (icons::CHECK, p.success.text) } else { (icons::CLOSE, p.text.tertiary) };
            text::icon(ui, Type::IconSmall, color, icon);
            let words = if arrives { what.to_owned() } else { format!("{what}: not available on this computer") };
            text::line(ui, Type::Body, if arrives { p.text.primary } else { p.text.tertiary }, words);
        });
    }
}
