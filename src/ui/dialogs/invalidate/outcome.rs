//! Progress and outcome of an invalidation.

use eframe::egui::{self, Align, Layout, Ui, vec2};

use crate::{
    app::{Command, DialogKind, InvalidateStep, Invalidation},
    model::text::{number::thousands, sanitize},
    ops::ClockWayOut,
    ui::{
        View,
        theme::{self, Type, icons},
        widgets::{button::Button, text},
    },
};

/// Draws the buttons after an invalidation: close, retry, and continue with the untouched.
pub(crate) fn over_buttons(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
    let close = Button::primary("Close").show(ui);
    if close.clicked() {
        view.send(Command::CloseDialog(DialogKind::Invalidate));
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
    let Some(outcome) = &plan.bulk.outcome else { return };
    let failed = outcome.failed.len();
    let what = if outcome.unknown() > 0 { "Retry unconfirmed" } else { "Retry failed" };
    if failed > 0
        && Button::danger(&format!("{what} ({})", thousands(failed as u64))).icon(icons::REFRESH).show(ui).clicked()
    {
        view.send(Command::from(InvalidateStep::Retry));
    }
    let rest = outcome.resumable().count();
    if rest > 0 {
        let rest = thousands(rest as u64);
        let (label, command) = match outcome.halted.as_ref().map(|halted| halted.way_out) {
            Some(ClockWayOut::TrustThisMachine) => (
                format!("Trust this computer’s clock and continue ({rest})"),
                Command::from(InvalidateStep::AcceptClock),
            ),
            Some(_) => (format!("Try again ({rest})"), Command::from(InvalidateStep::Resume)),
            None => (format!("Continue with the untouched ({rest})"), Command::from(InvalidateStep::Resume)),
        };
        if Button::danger(&label).icon(icons::BLOCK).show(ui).clicked() {
            view.send(command);
        }
    }
}

/// Draws the latest failures and the latest proved keys while the work runs.
pub(crate) fn latest(ui: &mut Ui, plan: &Invalidation) {
    let p = theme::colors(ui);
    for (id, reason) in &plan.progress.reasons {
        text::line(ui, Type::Small, p.danger.text, sanitize::shortened(&format!("{id}: {reason}"), 200));
    }
    for id in &plan.progress.latest {
        let name = plan.keys.by_id(id).map(|key| sanitize::shortened(&key.name, 50)).unwrap_or_default();
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, p.success.text, icons::CHECK);
            text::line(ui, Type::Strong, p.text.primary, name);
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id.as_str(), 40));
        });
    }
}

/// Draws the count of an outcome, with what it means.
pub(crate) fn tally(ui: &mut Ui, icon: &str, color: egui::Color32, word: &str, meaning: &str, count: usize) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 28.0), Layout::left_to_right(Align::Center), |ui| {
        text::icon(ui, Type::Icon, color, icon);
        ui.allocate_ui_with_layout(vec2(90.0, 28.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(90.0);
            text::line(ui, Type::Strong, p.text.primary, word);
        });
        text::line(ui, Type::Small, p.text.tertiary, meaning);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::Emphasis, p.text.primary, thousands(count as u64));
        });
    });
}
