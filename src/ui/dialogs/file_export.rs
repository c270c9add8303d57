//! Parts that the dialogs which write a file share: path, format, outcome and buttons.

use eframe::egui::{Context, Frame, Margin, Ui};

use super::frame::dialog;
use crate::{
    app::State,
    ops::Problem,
    ui::{
        theme::{size, space},
        widgets::{
            button::Button,
            chip,
            notice::{self, Tone},
        },
    },
};

/// Draws a dialog for an export. Returns `true` if Escape asked to close it.
pub(super) fn export_dialog(ctx: &Context, state: &State, title: &str, content: impl FnOnce(&mut Ui)) -> bool {
    dialog(ctx, state, title, (), size::DIALOG, |ui| {
        Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::M;
            content(ui);
        });
    })
}

/// Draws the choice of a format, each with its label. A path that is still the suggested one follows the choice.
pub(super) fn format_choice<F: Copy + PartialEq>(
    ui: &mut Ui,
    formats: &[(F, &str)],
    chosen: &mut F,
    path: &mut String,
    suggested: impl Fn(F) -> String,
) {
    for (format, label) in formats {
        if chip::choice(ui, *chosen == *format, None, label, None).clicked() {
            if *path == suggested(*chosen) {
                *path = suggested(*format);
            }
            *chosen = *format;
        }
    }
}

/// Draws why an export failed.
pub(super) fn failure(ui: &mut Ui, problem: &Problem) {
    notice::banner(ui, Tone::Danger, &problem.title, &format!("{}\n{}", problem.detail, problem.hint), |_| ());
}

/// Press in an export dialog.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The file is to be written.
    Export,
    /// The dialog is to be closed.
    Close,
}

/// Draws the buttons of an export that is not running, from right to left: `noun` says what is exported, `none` why
/// there is nothing to export.
pub(super) fn buttons(ui: &mut Ui, path: &str, noun: &str, none: Option<&str>, is_done: bool) -> Option<Pressed> {
    let off = if path.trim().is_empty() { Some("Enter a file name") } else { none };
    let export = Button::primary(&format!("Export {noun}")).off_because(off).show(ui).clicked();
    let close = Button::ghost(if is_done { "Close" } else { "Cancel" }).show(ui).clicked();
    match (export, close) {
        (true, _) => Some(Pressed::Export),
        (_, true) => Some(Pressed::Close),
        _ => None,
    }
}

/// Suggests a path in the home folder.
pub(super) fn suggested_path(name: &str, extension: &str) -> String {
    format!("~/{name}.{extension}")
}
