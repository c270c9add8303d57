//! Common parts of the stages of the rotation dialog.

use eframe::egui::{Color32, Ui};
use zeroize::Zeroizing;

use crate::{
    app::{Command, DialogKind, Rotating, rotation::dialog::RotationStep},
    model::{
        TimeDelta, Timestamp,
        rotation::{Ended, Rotation, State},
        text::{number::plural, sanitize},
        time::calendar,
    },
    ops::{Problem, ProblemKind, rotation::Rights},
    ui::{
        View,
        components::facts::tall_fact,
        dialogs::{
            frame::{self, footer},
            outcome_export::{OutcomeExport, OutcomeSelection},
        },
        theme::{self, Type, icons, space},
        widgets::{
            button::Button,
            file_field::FileField,
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog, from all of its stages.
#[derive(Default)]
pub(super) struct RotationInput {
    pub(super) name: String,
    pub(super) expiration: String,
    pub(super) folder: String,
    pub(super) browse: FileField,
    /// Text typed to confirm.
    pub(super) typed: String,
    /// Secret of the successor.
    pub(super) pasted: Zeroizing<String>,
    /// Input for exporting the outcomes of many keys.
    pub(super) export: OutcomeExport,
}

/// Describes the successor's rights in comparison with the old key's.
pub(crate) fn rights_text(rights: &Rights) -> String {
    match rights {
        Rights::Same => "Same descriptors, and the owner’s privileges are the same".into(),
        Rights::Differ(_) => "Same descriptors; the owner’s privileges have changed".into(),
        Rights::NotKnown(why) => {
            format!("Same descriptors; not known whether the owner’s privileges are the same: {}", sanitize::shown(why))
        }
    }
}

/// Formats a grace period, such as "7 days"; zero is "no time".
pub(crate) fn length(grace: TimeDelta) -> String {
    match grace {
        TimeDelta::ZERO => "no time".into(),
        grace if grace % TimeDelta::DAY == TimeDelta::ZERO && grace > TimeDelta::DAY => {
            plural((grace / TimeDelta::DAY).unsigned_abs(), "day")
        }
        grace => plural((grace / TimeDelta::HOUR).unsigned_abs(), "hour"),
    }
}

/// Formats a moment in local time.
pub(crate) fn moment(view: &View<'_>, at: Timestamp) -> String {
    calendar::local(at, &view.state.zone)
}

/// Draws a fact with the label column of this dialog.
pub(crate) fn fact(ui: &mut Ui, label: &str, value: impl FnOnce(&mut Ui)) {
    tall_fact(ui, 84.0, label, value);
}

/// Draws content between the head and the footer, with the row distance of this dialog.
pub(crate) fn padded(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    frame::padded(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        add(ui);
    });
}

/// Draws the head, with the cluster of the rotation.
pub(crate) fn head(ui: &mut Ui, dialog: &Rotating, title: &str, line: &str) {
    frame::head(ui, &dialog.profile, title, None, line);
}

/// Label of the field that a secret is pasted into.
pub(crate) const SECRET: &str = "Secret of the successor";

/// Draws a line of progress with its icon.
pub(crate) fn line(ui: &mut Ui, icon: &str, color: eframe::egui::Color32, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, color, icon);
        text::paragraph(ui, Type::Body, p.text.secondary, sanitize::shortened(words, 400));
    });
}

/// Draws the button that closes the dialog after the work.
pub(crate) fn close_button(ui: &mut Ui, view: &mut View<'_>) {
    // The page of the key below has a “Close”, too.
    let close = Button::primary("Close").named("Close rotation").show(ui);
    if close.clicked() {
        view.send(Command::CloseDialog(DialogKind::Rotate));
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
}

/// Formats title and detail of a problem.
pub(crate) fn problem_text(problem: &Problem) -> String {
    match problem.detail.is_empty() {
        true => problem.title.clone(),
        false => format!("{}. {}", problem.title, problem.detail),
    }
}

/// Draws a problem in full, with a button for each fix.
pub(crate) fn problem_banner(ui: &mut Ui, view: &mut View<'_>, problem: &Problem) {
    let parts = [problem.detail.as_str(), problem.hint.as_str()];
    let detail: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let (title, detail) = (sanitize::shortened(&problem.title, 300), sanitize::shortened(&detail.join(". "), 600));
    notice::banner(ui, Tone::Danger, &title, &detail, |_| ());
    if !problem.fixes.is_empty() {
        ui.horizontal_wrapped(|ui| crate::ui::components::problem::problem_buttons(ui, view, problem));
    }
}

/// Draws the old key and its successor.
pub(crate) fn keys(ui: &mut Ui, rotation: &Rotation) {
    let p = theme::colors(ui);
    fact(ui, "Old key", |ui| {
        text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.old.name, 50));
        text::line(ui, Type::Mono, p.text.tertiary, sanitize::shortened(rotation.old.id.as_str(), 40));
    });
    fact(ui, "Successor", |ui| match rotation.successor() {
        Some(id) => {
            text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.name, 50));
            text::line(ui, Type::Mono, p.text.tertiary, sanitize::shortened(id.as_str(), 40));
        }
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "not known")),
    });
}

/// Formats how the old key ended, with the moment of the proof.
pub(crate) fn proof(view: &View<'_>, rotation: &Rotation, how: Ended) -> String {
    let at = match rotation.state {
        State::Done { proved_at, .. } => calendar::clock(proved_at, &view.state.zone),
        _ => String::new(),
    };
    how.proof(&rotation.old.id, &at)
}

/// Draws the footer: a button that stops the work while it runs, and one that closes the dialog afterwards.
pub(crate) fn over_footer(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, stop: &str) {
    notice::hairline(ui);
    footer(ui, |ui| {
        if !dialog.is_running() {
            return close_button(ui, view);
        }
        let off = dialog.run.stopping.then_some("Stops after this key");
        if Button::secondary(stop).icon(icons::STOP_CIRCLE).off_because(off).show(ui).clicked() {
            view.send(Command::from(RotationStep::Stop));
        }
    });
}

impl RotationInput {
    /// Returns the maximum height of the rows of many keys, in points: with the export below them the dialog has to fit
    /// into a window of 900 × 600.
    pub(super) fn rows_height(&self) -> f32 {
        if self.export.is_open() { 130.0 } else { 260.0 }
    }

    /// Draws the export of the outcomes of many keys, once the run has ended.
    pub(super) fn export_ui(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, count: u64) {
        let name = view.state.outcome_file_name(&dialog.profile, "rotations");
        let of = OutcomeSelection { only: None, count, exported: &dialog.exported, name: &name };
        self.export.link(ui, &of);
        self.export.ui(ui, view, &of);
    }
}

/// Draws the outcome of one key: its mark, its name, and a text below.
pub(crate) fn row(ui: &mut Ui, icon: &str, color: eframe::egui::Color32, name: &str, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, color, icon);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(name, 60));
            text::paragraph(ui, Type::Small, p.text.secondary, sanitize::shortened(words, 400));
        });
    });
}

/// Draws the button that closes the dialog before anything was done.
pub(crate) fn cancel_button(ui: &mut Ui, view: &mut View<'_>) {
    dismiss_button(ui, view, "Cancel");
}

/// Draws a button that closes the dialog without doing anything.
pub(crate) fn dismiss_button(ui: &mut Ui, view: &mut View<'_>, label: &str) {
    let cancel = Button::ghost(label).show(ui);
    if cancel.clicked() {
        view.send(Command::CloseDialog(DialogKind::Rotate));
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        cancel.request_focus();
    }
}

/// Returns `true` if it is not known whether the request was carried out.
pub(crate) fn is_unknown(problem: &Problem) -> bool {
    problem.kind == ProblemKind::NotKnown
}

/// Returns icon and color for a key that was not confirmed to be as requested.
pub(crate) fn failed_mark(problem: &Problem, p: &theme::Palette) -> (&'static str, Color32) {
    if is_unknown(problem) { (icons::HELP, p.warning.text) } else { (icons::ERROR, p.danger.text) }
}
