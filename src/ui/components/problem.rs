//! Problems with their ways out.

use eframe::{
    egui,
    egui::{Frame, Margin, Ui},
};

use crate::{
    app::Command,
    ops::{Problem, problem::ProblemKind},
    ui::{
        View,
        theme::{icons, size, space},
        widgets,
        widgets::notice::{self, Tone},
    },
};

/// Draws a button for each fix that a problem offers.
pub fn problem_buttons(ui: &mut egui::Ui, view: &mut View<'_>, problem: &Problem) {
    for (place, fix) in problem.fixes.iter().enumerate() {
        // Several ways out may lead to the same dialog, which asks which is meant.
        if problem.fixes[..place].iter().any(|before| before.words() == fix.words()) {
            continue;
        }
        let button = if place == 0 {
            widgets::button::Button::secondary(fix.words())
        } else {
            widgets::button::Button::ghost(fix.words())
        };
        if button.show(ui).clicked() {
            view.send(Command::Fix(fix.clone()));
        }
    }
}

/// Draws a problem instead of the content; forbidden and disabled have icons of their own.
pub fn problem_page(ui: &mut Ui, view: &mut View<'_>, problem: &crate::ops::Problem) {
    let icon = match problem.kind {
        ProblemKind::Forbidden => icons::SHIELD,
        ProblemKind::ApiKeysDisabled => icons::KEY_OFF,
        ProblemKind::SecurityOff => icons::GPP_MAYBE,
        ProblemKind::Certificate | ProblemKind::Failed | ProblemKind::NotKnown | ProblemKind::Partly => {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.set_max_width(size::FORM_COLUMN);
                let detail = if problem.hint.is_empty() {
                    problem.detail.clone()
                } else {
                    format!("{}\n{}", problem.detail, problem.hint)
                };
                notice::banner(ui, Tone::Danger, &problem.title, &detail, |_| ());
                ui.add_space(space::M);
                ui.horizontal(|ui| problem_buttons(ui, view, problem));
            });
            return;
        }
    };
    let line = if problem.hint.is_empty() { &problem.detail } else { &problem.hint };
    notice::empty(ui, icon, &problem.title, line, |ui| problem_buttons(ui, view, problem));
}
