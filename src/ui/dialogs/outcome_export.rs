//! Export of outcomes: the link that opens it, file format, path, and the result.

use std::path::PathBuf;

use eframe::egui::{Align, Layout, Ui};

use crate::{
    app::{Command, Loadable},
    export::Format,
    model::text::number::plural,
    ops::{keys::export::Exported, outcome_report::KeyOutcome},
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::file_export::{failure, format_choice, suggested_path},
        theme::icons,
        widgets::{
            button::Button,
            field::Field,
            file_field::{FileField, expanded},
            notice::{self, Tone},
        },
    },
};

/// Input for exporting outcomes.
pub struct OutcomeExport {
    format: Format,
    /// Path that is being typed; `None` before an export is requested.
    path: Option<String>,
    /// `true` if what is shown was sent to be exported.
    is_sent: bool,
    file: FileField,
}

impl Default for OutcomeExport {
    fn default() -> Self {
        Self { format: Format::Csv, path: None, is_sent: false, file: FileField::default() }
    }
}

/// Keys whose outcomes are exported.
pub struct OutcomeSelection<'a> {
    /// Outcome of the keys; `None` for keys with any outcome.
    pub only: Option<KeyOutcome>,
    /// Number of keys.
    pub count: u64,
    /// The finished export, or why it failed.
    pub exported: &'a Loadable<Exported>,
    /// Suggested file name, without extension.
    pub name: &'a str,
}

impl OutcomeSelection<'_> {
    fn suggested(&self, format: Format) -> String {
        let outcome = self.only.map_or("outcomes", KeyOutcome::word);
        suggested_path(&format!("{}-{}", outcome.replace(' ', "-"), self.name), format.extension())
    }
}

impl OutcomeExport {
    /// Returns `true` if the input is open.
    pub fn is_open(&self) -> bool {
        self.path.is_some()
    }

    /// Closes the input.
    pub fn close(&mut self) {
        (self.path, self.is_sent) = (None, false);
    }

    /// Draws the link that opens the input.
    pub fn link(&mut self, ui: &mut Ui, of: &OutcomeSelection<'_>) {
        let export = Button::link("Export…").named("Export this list");
        if self.path.is_none() && export.show(ui).clicked() {
            self.path = Some(of.suggested(self.format));
            self.file = FileField::default();
        }
    }

    /// Draws the input once it is open, and the result.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>, of: &OutcomeSelection<'_>) {
        let Some(mut path) = self.path.take() else { return };
        ui.horizontal(|ui| {
            let formats = [Format::Csv, Format::Json].map(|format| (format, format.word()));
            format_choice(ui, &formats, &mut self.format, &mut path, |format| of.suggested(format));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let off = if of.exported.is_loading() {
                    Some("The file is being written")
                } else {
                    path.trim().is_empty().then_some("Enter a file name")
                };
                let label = format!("Export {}", plural(of.count, "key"));
                if Button::secondary(&label).icon(icons::DOWNLOAD).off_because(off).show(ui).clicked() {
                    let to: PathBuf = expanded(path.trim());
                    view.send(Command::ExportOutcomes(of.only, self.format, to));
                    self.is_sent = true;
                }
            });
        });
        let field = Field::new("File").without_label().mono();
        self.file.show(ui, view, field, ("Export this list", FileKind::New), &mut path);
        self.path = Some(path);
        // The result of another list says nothing about this one.
        if of.exported.is_loading() || !self.is_sent {
            return;
        }
        if let Some(problem) = of.exported.problem() {
            failure(ui, problem);
        } else if let Some(done) = of.exported.value() {
            let title = format!("{} exported", plural(done.keys, "key"));
            notice::banner(ui, Tone::Success, &title, &done.path.display().to_string(), |_| ());
        }
    }
}
