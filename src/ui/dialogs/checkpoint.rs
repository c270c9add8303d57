//! The dialog with a new checkpoint of the journal, to be handed to somebody else.

use eframe::egui::{self, Align, Layout, Ui};

use crate::{
    app::{Command, DialogKind, JournalCheckpoint},
    ops::journal::{checkpoint::Made, reader::entries},
    ui::{
        View,
        dialogs::file_export::{export_dialog, failure},
        theme,
        theme::{Type, icons},
        widgets::{button::Button, text},
    },
};

/// What was copied last.
#[derive(Default)]
pub struct CheckpointDialog {
    copied: Option<&'static str>,
}

const TITLE: &str = "New checkpoint";

impl CheckpointDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(dialog) = state.dialogs.get::<JournalCheckpoint>() else {
            self.copied = None;
            return;
        };
        let escape = export_dialog(ctx, state, TITLE, |ui| self.content(ui, view, dialog));
        if escape {
            view.send(Command::CloseDialog(DialogKind::Checkpoint));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &JournalCheckpoint) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, TITLE);
        match (dialog.made.problem(), dialog.made.value()) {
            (Some(problem), _) => failure(ui, problem),
            (None, Some(made)) => self.made(ui, made),
            (None, None) => drop(text::line(ui, Type::Body, p.text.secondary, "Verifying the journal and signing…")),
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if Button::secondary("Close").show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::Checkpoint));
            }
        });
    }

    fn made(&mut self, ui: &mut Ui, made: &Made) {
        let p = theme::colors(ui);
        let words = format!(
            "{} signed. Give it to somebody else, with the key: it shows every later change of these entries, also by \
             whoever can write this journal.",
            entries(made.checkpoint.size)
        );
        text::paragraph(ui, Type::Body, p.text.secondary, words);
        text::paragraph(ui, Type::MonoSmall, p.text.primary, made.text.as_str());
        self.copy(ui, "Copy checkpoint", &made.text);
        text::line(ui, Type::Label, p.text.tertiary, "Key to verify its signature");
        text::paragraph(ui, Type::MonoSmall, p.text.primary, made.key.to_string());
        self.copy(ui, "Copy key", &made.key.to_string());
        text::line(ui, Type::Label, p.text.tertiary, "A copy is kept in");
        text::paragraph(ui, Type::MonoSmall, p.text.secondary, made.file.display().to_string());
    }

    fn copy(&mut self, ui: &mut Ui, name: &'static str, content: &str) {
        ui.horizontal(|ui| {
            let p = theme::colors(ui);
            if Button::secondary(name).icon(icons::CONTENT_COPY).show(ui).clicked() {
                ui.ctx().copy_text(content.to_owned());
                self.copied = Some(name);
            }
            if self.copied == Some(name) {
                text::line(ui, Type::Small, p.success.text, "Copied");
            }
        });
    }
}
