//! The rotation dialog: the plan in `ask.rs`, then progress, then the outcome. The steps of an existing rotation are in
//! `steps.rs`.

mod ask;
pub(super) mod end;
pub(super) mod frame;
pub mod steps;

use eframe::egui;

use crate::{
    app::{Command, DialogKind, Rotating, rotation::stages::Stage},
    ui::{
        View,
        dialogs::{frame::dialog, rotation::frame::RotationInput},
        theme::size,
        widgets::field,
    },
};

/// The dialog, with its input.
#[derive(Default)]
pub struct RotateDialog {
    input: RotationInput,
    is_open: bool,
}

impl RotateDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(dialog_of) = view.state.dialogs.get::<Rotating>() else {
            if self.is_open {
                *self = Self::default();
                field::forget_histories(ctx, &[frame::SECRET]);
            }
            return;
        };
        if !std::mem::replace(&mut self.is_open, true) {
            self.input.folder = "~/keybearer-successors".into();
        }
        let closed =
            dialog(ctx, view.state, "Rotate keys", std::mem::discriminant(&dialog_of.stage), size::DIALOG_WIDE, |ui| {
                match &dialog_of.stage {
                    Stage::Ask(ask) => self.input.ask(ui, view, dialog_of, ask),
                    Stage::Working(words) => steps::working(ui, dialog_of, words),
                    Stage::After(after) => steps::after(ui, view, dialog_of, after),
                    Stage::Many(many) => self.input.many(ui, view, dialog_of, many),
                    Stage::Resume(asked) => self.input.resume(ui, view, dialog_of, asked),
                    Stage::Cancel(canceling) => end::cancel(ui, view, dialog_of, canceling),
                    Stage::Canceled(result) => end::canceled(ui, view, dialog_of, result),
                    Stage::End(ending) => self.input.end(ui, view, dialog_of, ending),
                }
            });
        if closed {
            view.send(Command::CloseDialog(DialogKind::Rotate));
        }
    }
}
