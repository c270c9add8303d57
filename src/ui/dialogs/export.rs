//! The dialog of exporting keys to a file.

use eframe::egui::{self, Align, Layout, Ui};

use crate::{
    app::{
        Command, DialogKind,
        dialogs::export::{ExportDialog, Scope},
    },
    export::Format,
    model::text::number::{plural, thousands},
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::file_export::{Pressed, buttons, export_dialog, failure, format_choice, suggested_path},
        theme,
        theme::Type,
        widgets::{
            button::Button,
            chip,
            field::Field,
            file_field::{FileField, expanded},
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog.
pub struct ExportForm {
    scope: Scope,
    format: Format,
    path: String,
    file: FileField,
    open: bool,
}

impl Default for ExportForm {
    fn default() -> Self {
        Self { scope: Scope::Shown, format: Format::Csv, path: String::new(), file: FileField::default(), open: false }
    }
}

impl ExportForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(export) = state.dialogs.get::<ExportDialog>() else {
            self.open = false;
            return;
        };
        if !self.open {
            self.open = true;
            self.scope = if export.count(Scope::Selected) > 0 { Scope::Selected } else { Scope::Shown };
            self.path = suggested(&export.name, self.format);
            self.file = FileField::default();
        }
        let escape = export_dialog(ctx, state, "Export keys", |ui| self.content(ui, view, export));
        if escape {
            view.send(Command::CloseDialog(DialogKind::Export));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, export: &ExportDialog) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Export keys");
        text::paragraph(
            ui,
            Type::Body,
            p.text.secondary,
            "Details of the keys, never their secrets: a cluster can’t reveal them",
        );
        ui.horizontal_wrapped(|ui| {
            for (scope, word) in [(Scope::Selected, "Selected"), (Scope::Shown, "Shown"), (Scope::All, "All")] {
                let count = export.count(scope);
                let on = self.scope == scope;
                let count_text = Some(thousands(count as u64));
                if chip::choice(ui, on, None, word, count_text).clicked() && count > 0 {
                    self.scope = scope;
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            let formats =
                [Format::Csv, Format::Xlsx, Format::JsonLines, Format::Ics].map(|format| (format, format.word()));
            let suggested = |format| suggested(&export.name, format);
            format_choice(ui, &formats, &mut self.format, &mut self.path, suggested);
        });
        let help = match self.format {
            Format::Ics => "A calendar of upcoming expirations, with reminders 7 days and 1 day before",
            Format::Xlsx => "A workbook without formulas",
            Format::JsonLines => "One key per line, with descriptors and metadata as sent by the cluster",
            _ => "Times in UTC; formulas are escaped",
        };
        let field = Field::new("File").mono().help(help);
        self.file.show(ui, view, field, ("Export keys", FileKind::New), &mut self.path);
        if let Some(problem) = export.done.problem().filter(|_| !export.done.is_loading()) {
            failure(ui, problem);
        }
        if let Some(done) = export.done.value().filter(|_| !export.done.is_loading()) {
            let mut detail = done.path.display().to_string();
            if done.beyond > 0 {
                detail.push_str(&format!(
                    "\nNot included because they expire after the calendar ends: {}",
                    plural(done.beyond, "key")
                ));
            }
            notice::banner(ui, Tone::Success, &format!("{} exported", plural(done.keys, "key")), &detail, |_| ());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let count = export.count(self.scope);
            if export.done.is_loading() {
                if Button::secondary("Stop").show(ui).clicked() {
                    view.send(Command::CloseDialog(DialogKind::Export));
                }
                let words = format!("{} of {}", thousands(export.written), plural(count as u64, "key"));
                text::line(ui, Type::Body, p.text.secondary, words);
                return;
            }
            let none = (count == 0).then_some("No keys to export");
            match buttons(ui, &self.path, &plural(count as u64, "key"), none, export.done.value().is_some()) {
                Some(Pressed::Export) => {
                    view.send(Command::Export(self.scope, self.format, expanded(self.path.trim())));
                }
                Some(Pressed::Close) => view.send(Command::CloseDialog(DialogKind::Export)),
                None => {}
            }
        });
    }
}

fn suggested(name: &str, format: Format) -> String {
    suggested_path(name, format.extension())
}
