//! Operations of the journal in one line.

use eframe::egui::Color32;

use crate::{
    model::journal::operation::{Operation, OperationOutcome},
    ui::theme::{Palette, icons},
};

/// Returns icon and color of an outcome; the icon's shape and the text say the same as the color.
pub fn ending_look(ending: OperationOutcome, p: &Palette) -> (&'static str, Color32) {
    match ending {
        OperationOutcome::Success => (icons::CHECK_CIRCLE, p.success.text),
        OperationOutcome::Failure => (icons::ERROR, p.danger.text),
        OperationOutcome::Unknown => (icons::HELP, p.warning.text),
        OperationOutcome::Open => (icons::PENDING, p.warning.text),
    }
}

/// Formats the users of an operation: `ana`, or `ana, by anna on laptop-7`.
pub fn who(operation: &Operation) -> String {
    let user = if operation.user.is_empty() { "not known" } else { &operation.user };
    match (operation.system_user.as_str(), operation.host.as_str()) {
        ("", "") => user.to_owned(),
        (system, "") => format!("{user}, by {system}"),
        ("", host) => format!("{user}, on {host}"),
        (system, host) => format!("{user}, by {system} on {host}"),
    }
}
