//! The dialog of exporting keys to a file.

use std::path::PathBuf;

use eframe::egui::{self, Align, Layout, Margin, Ui};

use super::dialog;
use crate::{
    app::{
        Command,
        dialogs::export::{ExportDialog, Scope},
    },
    export::Format,
    model::text::number::{plural, thousands},
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
pub struct ExportForm {
    scope: Scope,
    format: Format,
    path: String,
    open: bool,
}

impl Default for ExportForm {
    fn default() -> Self {
        Self { scope: Scope::Shown, format: Format::Csv, path: String::new(), open: false }
    }
}

impl ExportForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(export) = &state.export else {
            self.open = false;
            return;
        };
        if !self.open {
            self.open = true;
            self.scope = if export.count(Scope::Selected) > 0 { Scope::Selected } else { Scope::Shown };
            self.path = suggested(&export.name, self.format);
        }
        let escape = dialog(ctx, state, "Export keys", (), size::DIALOG, |ui| {
            egui::Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.content(ui, view, export);
            });
        });
        if escape {
            view.send(Command::CloseExport);
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, export: &ExportDialog) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Export keys");
        text::paragraph(
            ui,
            Type::Body,
            p.text.secondary,
            "Facts about keys and never a secret: no cluster can reveal one",
        );
        ui.horizontal_wrapped(|ui| {
            for (scope, word) in [(Scope::Selected, "Selected"), (Scope::Shown, "Shown"), (Scope::All, "All")] {
                let count = export.count(scope);
                let on = self.scope == scope;
                let count_words = Some(thousands(count as u64));
                if chip::choice(ui, on, None, word, count_words).clicked() && count > 0 {
                    self.scope = scope;
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            for format in [Format::Csv, Format::Xlsx, Format::JsonLines, Format::Ics] {
                if chip::choice(ui, self.format == format, None, format.word(), None).clicked() {
                    if self.path == suggested(&export.name, self.format) {
                        self.path = suggested(&export.name, format);
                    }
                    self.format = format;
                }
            }
        });
        let help = match self.format {
            Format::Ics => "A calendar of the expirations to come, with reminders 7 days and 1 day before",
            Format::Xlsx => "A workbook; no cell is ever a formula",
            Format::JsonLines => "One key per line, descriptors and metadata as the cluster sent them",
            _ => "Times in UTC; what a spreadsheet would run as a formula is made harmless",
        };
        Field::new("File").mono().help(help).show(ui, &mut self.path);
        if let Some(problem) = export.done.problem().filter(|_| !export.done.is_loading()) {
            notice::banner(ui, Tone::Danger, &problem.title, &format!("{}\n{}", problem.detail, problem.hint), |_| ());
        }
        if let Some(done) = export.done.value().filter(|_| !export.done.is_loading()) {
            let mut detail = done.path.display().to_string();
            if done.beyond > 0 {
                detail.push_str(&format!(
                    "\n{} expire beyond the calendar and are not in it",
                    plural(done.beyond, "key")
                ));
            }
            notice::banner(ui, Tone::Success, &format!("{} exported", plural(done.keys, "key")), &detail, |_| ());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let count = export.count(self.scope);
            if export.done.is_loading() {
                if Button::secondary("Stop").show(ui).clicked() {
                    view.send(Command::CloseExport);
                }
                let words = format!("{} of {}", thousands(export.written), plural(count as u64, "key"));
                text::line(ui, Type::Body, p.text.secondary, words);
                return;
            }
            let path = self.path.trim();
            let off = if path.is_empty() {
                Some("Name the file")
            } else if count == 0 {
                Some("There is no such key")
            } else {
                None
            };
            let label = format!("Export {}", plural(count as u64, "key"));
            if Button::primary(&label).off_because(off).show(ui).clicked() {
                view.send(Command::Export(self.scope, self.format, expanded(path)));
            }
            let word = if export.done.value().is_some() { "Close" } else { "Cancel" };
            if Button::ghost(word).show(ui).clicked() {
                view.send(Command::CloseExport);
            }
        });
    }
}

fn suggested(name: &str, format: Format) -> String {
    format!("~/{name}.{}", format.extension())
}

/// Expands a leading `~` of a path to the home folder.
pub(super) fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), directories::UserDirs::new()) {
        (Some(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}
