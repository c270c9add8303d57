//! Files that are dropped on the window, and text that is pasted where no field takes it: both are for the import of
//! connections.

use std::path::PathBuf;

use eframe::egui::{Context, Event};

use crate::{
    app::{DialogKind, Front, ImportStep, Screen},
    model::secret::Secret,
    ui::View,
};

/// Takes what came in this frame, unless another dialog is in front.
pub(super) fn take(ctx: &Context, view: &mut View<'_>) {
    let front = view.state.front();
    let is_import = front == Some(Front::Dialog(DialogKind::Import));
    if front.is_some() && !is_import {
        return;
    }
    let dropped: Vec<PathBuf> =
        ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
    if !dropped.is_empty() {
        view.send(ImportStep::Files(dropped).into());
    }
    if ctx.text_edit_focused() || !(is_import || view.state.screen == Screen::Connections) {
        return;
    }
    let pasted = ctx.input_mut(|input| {
        let at = input.events.iter().position(|event| matches!(event, Event::Paste(_)))?;
        // Taken out, so that nothing else keeps it.
        match input.events.remove(at) {
            Event::Paste(text) => Some(Secret::new(text)),
            _ => None,
        }
    });
    if let Some(text) = pasted.filter(|text| !text.expose().trim().is_empty()) {
        view.send(ImportStep::Text(text).into());
    }
}
