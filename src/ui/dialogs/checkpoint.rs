//! The dialog of a new checkpoint of the journal: who signs it, and then its text, to be handed to somebody else.

use eframe::egui::{self, Align, Layout, ScrollArea, Ui};

use crate::{
    app::{Command, DialogKind, JournalCheckpoint},
    model::{
        journal::ssh_signature::SshKey,
        text::sanitize::{shortened, shown},
    },
    ops::journal::{checkpoint::Made, reader::entries},
    ui::{
        View,
        dialogs::file_export::{export_dialog, failure},
        theme,
        theme::{Type, icons},
        widgets::{button::Button, chip, text},
    },
};

/// Maximum height of the list of signers, in points.
const LIST_HEIGHT: f32 = 240.0;

/// Who was chosen, and what was copied last.
#[derive(Default)]
pub struct CheckpointDialog {
    /// Key of the ssh-agent; `None` for the journal's own key alone.
    signer: Option<SshKey>,
    copied: Option<&'static str>,
}

const TITLE: &str = "New checkpoint";

impl CheckpointDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(dialog) = state.dialogs.get::<JournalCheckpoint>() else {
            *self = Self::default();
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
        let made = dialog.made.value();
        match made {
            Some(made) => self.made(ui, made),
            None if dialog.made.is_loading() => {
                let words = match &self.signer {
                    None => "Verifying the journal and signing…",
                    Some(_) => {
                        "Verifying the journal and waiting for the ssh-agent: it may ask you to confirm, or to touch your \
                         security key…"
                    }
                };
                text::paragraph(ui, Type::Body, p.text.secondary, words);
            }
            None => {
                if let Some(problem) = dialog.made.problem() {
                    failure(ui, problem);
                }
                self.signers(ui, dialog);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let can_sign = made.is_none() && !dialog.made.is_loading();
            if can_sign && Button::primary("Sign").show(ui).clicked() {
                view.send(Command::MakeCheckpoint(self.signer.clone().map(Box::new)));
            }
            if Button::secondary(if can_sign { "Cancel" } else { "Close" }).show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::Checkpoint));
            }
        });
    }

    /// Draws who can sign.
    fn signers(&mut self, ui: &mut Ui, dialog: &JournalCheckpoint) {
        let p = theme::colors(ui);
        text::line(ui, Type::Label, p.text.tertiary, "Signed by");
        if chip::choice(ui, self.signer.is_none(), None, "This journal’s own key, in the keyring", None).clicked() {
            self.signer = None;
        }
        match (dialog.signers.value(), dialog.signers.problem()) {
            (Some(keys), _) if keys.is_empty() => {
                text::paragraph(ui, Type::Small, p.text.tertiary, "The ssh-agent has no key that can sign");
            }
            (Some(keys), _) => _ = ScrollArea::vertical().max_height(LIST_HEIGHT).show(ui, |ui| self.keys(ui, keys)),
            (None, Some(problem)) => {
                text::paragraph(ui, Type::Small, p.text.tertiary, format!("{}. {}", problem.detail, problem.hint));
            }
            (None, None) => drop(text::line(ui, Type::Small, p.text.tertiary, "Looking for keys of the ssh-agent…")),
        }
        let words = match &self.signer {
            None => "Others verify it by the key that is shown with it.",
            Some(_) => {
                "Where there is a keyring, the journal’s own key signs, too. Others verify the SSH signature by \
                 ssh-keygen, without Keybearer."
            }
        };
        text::paragraph(ui, Type::Body, p.text.secondary, words);
    }

    fn keys(&mut self, ui: &mut Ui, keys: &[SshKey]) {
        let p = theme::colors(ui);
        for key in keys {
            let comment = shortened(&shown(&key.comment), 60).to_owned();
            let label = if comment.is_empty() { key.kind() } else { format!("{comment}, {}", key.kind()) };
            if chip::choice(ui, self.signer.as_ref() == Some(key), None, &label, None).clicked() {
                self.signer = Some(key.clone());
            }
            text::line(ui, Type::MonoSmall, p.text.tertiary, key.fingerprint());
        }
    }

    fn made(&mut self, ui: &mut Ui, made: &Made) {
        let p = theme::colors(ui);
        let with = if made.ssh.is_some() { "with the SSH signature" } else { "with the key" };
        let words = format!(
            "{} signed. Give it to somebody else, {with}: it shows every later change of these entries, also by whoever \
             can write this journal.",
            entries(made.checkpoint.size)
        );
        text::paragraph(ui, Type::Body, p.text.secondary, words);
        text::paragraph(ui, Type::MonoSmall, p.text.primary, made.text.as_str());
        self.copy(ui, "Copy checkpoint", &made.text);
        if let Some(ssh) = &made.ssh {
            let name = format!("SSH signature by {}", ssh.key.fingerprint());
            text::line(ui, Type::Label, p.text.tertiary, name);
            self.copy(ui, "Copy signature", &ssh.text);
        }
        match &made.key {
            Ok(key) => {
                text::line(ui, Type::Label, p.text.tertiary, "Key to verify the signature in it");
                text::paragraph(ui, Type::MonoSmall, p.text.primary, key.to_string());
                self.copy(ui, "Copy key", &key.to_string());
            }
            Err(reason) => {
                let words = format!("Not signed with the journal’s own key: {reason}");
                text::paragraph(ui, Type::Small, p.text.tertiary, words);
            }
        }
        let kept = if made.ssh.is_some() {
            "Kept in this file, and the signature beside it, with .sig at the end"
        } else {
            "A copy is kept in"
        };
        text::line(ui, Type::Label, p.text.tertiary, kept);
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
