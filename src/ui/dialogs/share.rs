//! The dialog of exporting connections for other people, without their secrets.

use std::collections::BTreeSet;

use eframe::egui::{self, Align, Layout, ScrollArea, Ui};

use crate::{
    app::{Command, DialogKind, ShareStep, Sharing},
    model::{
        connections::profile::ProfileId,
        text::{number::plural, sanitize},
    },
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::file_export::{Pressed, buttons, export_dialog, failure, suggested_path},
        theme,
        theme::Type,
        widgets::{
            button::Button,
            field::{self, Field},
            file_field::{FileField, expanded},
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog: connections that were left out, and the path.
#[derive(Default)]
pub struct ShareForm {
    left_out: BTreeSet<ProfileId>,
    path: String,
    file: FileField,
    is_open: bool,
}

impl ShareForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(sharing) = state.dialogs.get::<Sharing>() else {
            self.is_open = false;
            return;
        };
        if !self.is_open {
            *self = Self { is_open: true, path: suggested_path("connections", "json"), ..Self::default() };
        }
        let escape = export_dialog(ctx, state, "Export connections", |ui| self.content(ui, view, sharing));
        if escape {
            view.send(Command::CloseDialog(DialogKind::Share));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, sharing: &Sharing) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Export connections");
        let line = "Addresses, trust, kind of sign-in and protection, for others to import. Never a password, secret, token \
                    or client certificate";
        text::paragraph(ui, Type::Body, p.text.secondary, line);
        let state = view.state;
        ScrollArea::vertical().id_salt("shared").max_height(240.0).auto_shrink([false, true]).show(ui, |ui| {
            for profile in state.shareable() {
                ui.horizontal(|ui| {
                    let name = sanitize::shortened(&profile.name, 40);
                    let is_chosen = !self.left_out.contains(&profile.id);
                    if field::checkbox(ui, Some(is_chosen), &format!("Export {name}")).clicked() {
                        match is_chosen {
                            true => drop(self.left_out.insert(profile.id.clone())),
                            false => drop(self.left_out.remove(&profile.id)),
                        }
                    }
                    text::line(ui, Type::Strong, p.text.primary, name);
                    let host = sanitize::shortened(profile.endpoint.url.host(), 40);
                    text::line(ui, Type::MonoSmall, p.text.tertiary, host);
                });
            }
        });
        let field = Field::new("File").mono().help("JSON. An existing file is not overwritten");
        self.file.show(ui, view, field, ("Export connections", FileKind::New), &mut self.path);
        let is_loading = sharing.done.is_loading();
        if let Some(problem) = sharing.done.problem().filter(|_| !is_loading) {
            failure(ui, problem);
        } else if let Some(done) = sharing.done.value().filter(|_| !is_loading) {
            let path = sharing.path.display().to_string();
            let detail = [&[path], done.warnings.as_slice()].concat().join("\n");
            let tone = if done.warnings.is_empty() { Tone::Success } else { Tone::Warning };
            let title = format!("{} exported", plural(done.count as u64, "connection"));
            notice::banner(ui, tone, &title, &sanitize::lines(&detail), |_| ());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if is_loading {
                if Button::secondary("Stop").show(ui).clicked() {
                    view.send(Command::CloseDialog(DialogKind::Share));
                }
                text::line(ui, Type::Body, p.text.secondary, "Writing…");
                return;
            }
            let ids: Vec<ProfileId> =
                state.shareable().map(|own| own.id.clone()).filter(|id| !self.left_out.contains(id)).collect();
            let none = ids.is_empty().then_some("No connections to export");
            let noun = plural(ids.len() as u64, "connection");
            match buttons(ui, &self.path, &noun, none, sharing.done.value().is_some()) {
                Some(Pressed::Export) => view.send(ShareStep::Write(ids, expanded(self.path.trim())).into()),
                Some(Pressed::Close) => view.send(Command::CloseDialog(DialogKind::Share)),
                None => {}
            }
        });
    }
}
