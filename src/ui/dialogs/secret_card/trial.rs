//! The trial of a new key: whether it signs in, and what it may do.

use eframe::egui::{Align, CornerRadius, Frame, Layout, Margin, ScrollArea, Stroke, Ui};

use crate::{
    app::{Command, Reveal},
    model::{
        api_key::KeyKind,
        text::{number::plural, sanitize},
    },
    ops::secret::try_key::{Check, Trial},
    ui::{
        View,
        theme::{self, Type, icons, radius},
        widgets::{button::Button, text},
    },
};

/// Reason why a cross-cluster key can't be tried.
const NO_REST: &str = "A cross-cluster key can’t sign in to the REST API: the other cluster uses it when it connects";

/// Draws the trial of the key: its button, its result, and what the key may do.
pub(crate) fn trial(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
    let p = theme::colors(ui);
    let (fill, edge) = match (reveal.trial.value(), reveal.trial.problem()) {
        (_, Some(_)) => (p.danger.tint, p.danger.edge),
        (Some(_), None) => (p.success.tint, p.success.edge),
        (None, None) => (p.surface.raised, p.stroke.card),
    };
    Frame::new()
        .fill(fill)
        .stroke(Stroke::new(p.hair, edge))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::same(14))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let label = if reveal.trial.value().is_some() { "Try again" } else { "Try it" };
                    let running = reveal.trial.is_loading().then_some("Test in progress");
                    let cross = (reveal.kind == KeyKind::CrossCluster).then_some(NO_REST);
                    let button = Button::secondary(label)
                        .icon(icons::TASK_ALT)
                        .small()
                        .named("Try it")
                        .off_because(cross.or(running));
                    if button.show(ui).clicked() {
                        view.send(Command::TryKey);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| trial_title(ui, reveal));
                });
            });
            if let (Some(trial), None) = (reveal.trial.value(), reveal.trial.problem()) {
                ScrollArea::vertical()
                    .id_salt("checks")
                    .max_height((ui.available_height() - 16.0).max(60.0))
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        checks(ui, trial);
                    });
            }
        });
}

fn trial_title(ui: &mut Ui, reveal: &Reveal) {
    let p = theme::colors(ui);
    if let Some(problem) = reveal.trial.problem() {
        text::icon(ui, Type::Icon, p.danger.text, icons::ERROR);
        text::paragraph(ui, Type::Body, p.text.primary, problem.words());
    } else if let Some(trial) = reveal.trial.value() {
        text::icon(ui, Type::Icon, p.success.text, icons::CHECK_CIRCLE);
        text::line(ui, Type::Strong, p.text.primary, "It works");
        let words = format!(
            "signed in as {} with this key, {} ms",
            sanitize::shortened(&trial.identity.username, 24),
            trial.took
        );
        text::line(ui, Type::Small, p.text.secondary, words);
    } else if reveal.trial.is_loading() {
        text::line(ui, Type::Body, p.text.secondary, "Signing in with this key…");
    } else if reveal.kind == KeyKind::CrossCluster {
        text::paragraph(ui, Type::Body, p.text.secondary, NO_REST);
    } else {
        text::line(ui, Type::Body, p.text.secondary, "Signs in with the key and checks what it can do");
    }
}

fn checks(ui: &mut Ui, trial: &Trial) {
    let p = theme::colors(ui);
    for check in &trial.checks {
        let (icon, color) = match (check.granted, check.meant) {
            (true, true) => (icons::CHECK, p.success.text),
            (false, false) => (icons::BLOCK, p.text.tertiary),
            _ => (icons::WARNING, p.warning.text),
        };
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, color, icon);
            text::line(ui, Type::Mono, p.text.primary, &check.privilege);
            text::line(ui, Type::Small, p.text.secondary, check_text(check));
        });
    }
}

fn check_text(check: &Check) -> String {
    let place = match check.on.as_slice() {
        [] => "on the cluster".to_owned(),
        few if few.len() <= 3 => format!("on {}", sanitize::shortened(&few.join(", "), 60)),
        many => format!("on {}", plural(many.len() as u64, "pattern")),
    };
    match (check.granted, check.meant) {
        (true, true) => place,
        (false, false) => "not granted, as intended".into(),
        (true, false) => format!("{place}, granted although no role includes it"),
        (false, true) => format!("{place}, not granted: its owner doesn’t have it either"),
    }
}
