//! The dialog of exporting the shown operations of the journal to a file.

use eframe::egui::{self, Align, Layout, Margin, Ui};

use super::{dialog, export::expanded};
use crate::{
    app::{Command, journal::JournalExport},
    model::text::number,
    ops::journal::reader::JournalFormat,
    ui::{
        View, theme,
        theme::{Type, size, space},
        widgets::{
            button::Button,
            chip,
            field::Field,
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog.
pub struct JournalExportForm {
    form: JournalFormat,
    path: String,
    open: bool,
}

impl Default for JournalExportForm {
    fn default() -> Self {
        Self { form: JournalFormat::JsonLines, path: String::new(), open: false }
    }
}

impl JournalExportForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(export) = &state.journal.export else {
            self.open = false;
            return;
        };
        if !self.open {
            self.open = true;
            self.path = suggested(&export.name, self.form);
        }
        let escape = dialog(ctx, state, "Export the journal", (), size::DIALOG, |ui| {
            egui::Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.content(ui, view, export);
            });
        });
        if escape {
            view.send(Command::AskJournalExport(false));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, export: &JournalExport) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Export the journal");
        let line = "What is shown, and no secret: none is ever written down";
        text::paragraph(ui, Type::Body, p.text.secondary, line);
        ui.horizontal_wrapped(|ui| {
            for form in [JournalFormat::JsonLines, JournalFormat::Csv] {
                if chip::choice(ui, self.form == form, None, form.word(), None).clicked() {
                    if self.path == suggested(&export.name, self.form) {
                        self.path = suggested(&export.name, form);
                    }
                    self.form = form;
                }
            }
        });
        let help = match self.form {
            JournalFormat::JsonLines => "The lines as they are in the journal, in its order, with the hash of each",
            JournalFormat::Csv => "One line for each row; what a spreadsheet would run as a formula is made harmless",
        };
        Field::new("File").mono().help(help).show(ui, &mut self.path);
        let loading = export.done.is_loading();
        if let Some(problem) = export.done.problem().filter(|_| !loading) {
            notice::banner(ui, Tone::Danger, &problem.title, &format!("{}\n{}", problem.detail, problem.hint), |_| ());
        } else if let Some(done) = export.done.value().filter(|_| !loading) {
            let detail = export.path.display().to_string();
            notice::banner(ui, Tone::Success, &format!("{} exported", rows(*done)), &detail, |_| ());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if loading {
                if Button::secondary("Stop").show(ui).clicked() {
                    view.send(Command::AskJournalExport(false));
                }
                text::line(ui, Type::Body, p.text.secondary, "Writing…");
                return;
            }
            let path = self.path.trim();
            let count = view.state.journal.rows.len() as u64;
            let off = if path.is_empty() {
                Some("Name the file")
            } else if count == 0 {
                Some("Nothing is shown")
            } else {
                None
            };
            let label = format!("Export {}", rows(count));
            if Button::primary(&label).off_because(off).show(ui).clicked() {
                view.send(Command::ExportJournal(self.form, expanded(path)));
            }
            let word = if export.done.value().is_some() { "Close" } else { "Cancel" };
            if Button::ghost(word).show(ui).clicked() {
                view.send(Command::AskJournalExport(false));
            }
        });
    }
}

fn rows(count: u64) -> String {
    number::plural(count, "row")
}

fn suggested(name: &str, form: JournalFormat) -> String {
    format!("~/{name}.{}", form.extension())
}
