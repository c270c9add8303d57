//! The dialog of exporting the shown operations of the journal to a file.

use eframe::egui::{self, Align, Layout, Ui};

use crate::{
    app::{Command, DialogKind, journal::JournalExport},
    model::text::number,
    ops::journal::reader::JournalFormat,
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::file_export::{Pressed, buttons, export_dialog, failure, format_choice, suggested_path},
        theme,
        theme::Type,
        widgets::{
            button::Button,
            field::Field,
            file_field::{FileField, expanded},
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog.
pub struct JournalExportForm {
    form: JournalFormat,
    path: String,
    file: FileField,
    open: bool,
}

impl Default for JournalExportForm {
    fn default() -> Self {
        Self { form: JournalFormat::JsonLines, path: String::new(), file: FileField::default(), open: false }
    }
}

impl JournalExportForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(export) = state.dialogs.get::<JournalExport>() else {
            self.open = false;
            return;
        };
        if !self.open {
            self.open = true;
            self.path = suggested(&export.name, self.form);
            self.file = FileField::default();
        }
        let escape = export_dialog(ctx, state, "Export the journal", |ui| self.content(ui, view, export));
        if escape {
            view.send(Command::CloseDialog(DialogKind::ExportJournal));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, export: &JournalExport) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Export the journal");
        let line = "The rows shown. Secrets are never recorded";
        text::paragraph(ui, Type::Body, p.text.secondary, line);
        ui.horizontal_wrapped(|ui| {
            let formats = [JournalFormat::JsonLines, JournalFormat::Csv].map(|format| (format, format.word()));
            let suggested = |format| suggested(&export.name, format);
            format_choice(ui, &formats, &mut self.form, &mut self.path, suggested);
        });
        let help = match self.form {
            JournalFormat::JsonLines => "The journal lines in order, each with its hash",
            JournalFormat::Csv => "One line per row; formulas are escaped",
        };
        let field = Field::new("File").mono().help(help);
        self.file.show(ui, view, field, ("Export the journal", FileKind::New), &mut self.path);
        let loading = export.done.is_loading();
        if let Some(problem) = export.done.problem().filter(|_| !loading) {
            failure(ui, problem);
        } else if let Some(done) = export.done.value().filter(|_| !loading) {
            let detail = export.path.display().to_string();
            notice::banner(ui, Tone::Success, &format!("{} exported", rows(*done)), &detail, |_| ());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if loading {
                if Button::secondary("Stop").show(ui).clicked() {
                    view.send(Command::CloseDialog(DialogKind::ExportJournal));
                }
                text::line(ui, Type::Body, p.text.secondary, "Writing…");
                return;
            }
            let count = view.state.journal.rows.len() as u64;
            let none = (count == 0).then_some("No rows to export");
            match buttons(ui, &self.path, &rows(count), none, export.done.value().is_some()) {
                Some(Pressed::Export) => view.send(Command::ExportJournal(self.form, expanded(self.path.trim()))),
                Some(Pressed::Close) => view.send(Command::CloseDialog(DialogKind::ExportJournal)),
                None => {}
            }
        });
    }
}

fn rows(count: u64) -> String {
    number::plural(count, "row")
}

fn suggested(name: &str, form: JournalFormat) -> String {
    suggested_path(name, form.extension())
}
