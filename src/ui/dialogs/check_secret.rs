//! The dialog of checking a secret: a consumer's secret is pasted, and the dialog shows which key it belongs to,
//! whether it works and what it may do. The pasted text is masked, and wiped when the dialog closes.

use eframe::egui::{self, Align, Frame, Key, Layout, Margin, ScrollArea, Ui, vec2};
use zeroize::Zeroizing;

use crate::{
    app::{Command, DialogKind, SecretCheck},
    model::{
        Timestamp,
        privileges::descriptor,
        secret::Secret,
        text::{number::plural, sanitize},
        time::{calendar, expiry},
    },
    ops::{
        keys::effective_privileges::KeyRights,
        secret::identify::{Asked, Checked, Looked, Validity},
    },
    ui::{
        View,
        dialogs::frame::dialog,
        theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            notice::{self, Tone},
            text,
        },
    },
};

const SECRET: &str = "Secret to check";

/// Input of the dialog.
#[derive(Default)]
pub struct CheckSecretForm {
    text: Zeroizing<String>,
    indices: String,
    privileges: String,
    is_open: bool,
}

impl CheckSecretForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(check) = state.dialogs.get::<SecretCheck>() else {
            if self.is_open {
                *self = Self::default();
                field::forget_histories(ctx, &[SECRET]);
            }
            return;
        };
        let is_new = !std::mem::replace(&mut self.is_open, true);
        let closed = dialog(ctx, state, "Check a secret", (), size::DIALOG, |ui| {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.content(ui, view, check, is_new);
            });
        });
        if closed {
            view.send(Command::CloseDialog(DialogKind::CheckSecret));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, check: &SecretCheck, is_new: bool) {
        let p = theme::colors(ui);
        ui.horizontal(|ui| {
            text::line(ui, Type::Title, p.text.primary, "Check a secret");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                chip::environment(ui, check.profile.environment);
                text::line(ui, Type::Small, p.text.tertiary, sanitize::shortened(&check.profile.name, 40));
            });
        });
        let line = match &check.expected {
            Some((_, name)) => format!(
                "Checks whether this is the secret of {}, whether it works, and what it can do",
                sanitize::shortened(name, 60)
            ),
            None => "Checks which key it belongs to, whether it works, and what it can do. Nothing is changed or saved"
                .into(),
        };
        text::paragraph(ui, Type::Body, p.text.secondary, line);
        let error = check.error.map(|error| error.to_string());
        let pasted = Field::new(SECRET)
            .mono()
            .help("Encoded key, id:api_key, header, curl command, or a line of configuration or code")
            .error(error.as_deref())
            .show_password(ui, &mut self.text);
        if is_new {
            pasted.request_focus();
        }
        let entered = pasted.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal_top(|ui| {
            let half = (ui.available_width() - space::M) / 2.0;
            Field::new("Indices to check")
                .optional()
                .mono()
                .width(half)
                .hint("logs-*, my_index")
                .show(ui, &mut self.indices);
            Field::new("Privileges to check").optional().mono().width(half).hint("read").show(ui, &mut self.privileges);
        });
        self.outcome(ui, view, check);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let off = if check.is_running() {
                Some("A check is running")
            } else if self.text.trim().is_empty() {
                Some("Paste the secret to check")
            } else {
                None
            };
            let pressed = Button::primary("Check").off_because(off).show(ui).clicked();
            if off.is_none() && (pressed || entered) {
                view.send(Command::CheckSecret(Secret::new(self.text.as_str()), self.asked()));
            }
            if Button::ghost("Close").show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::CheckSecret));
            }
            if let Some(Looked::Found(found)) = check.checked.as_ref().map(|checked| &checked.key)
                && check.expected.is_none()
                && view.state.cluster().is_some_and(|cluster| cluster.key(&found.key.id).is_some())
                && Button::ghost("Open key page").show(ui).clicked()
            {
                view.send(Command::OpenKey(Some(found.key.id.clone())));
                view.send(Command::CloseDialog(DialogKind::CheckSecret));
            }
        });
    }

    fn asked(&self) -> Asked {
        let list = |text: &str| -> Vec<String> {
            let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let indices = list(&self.indices);
        let mut privileges = list(&self.privileges);
        if privileges.is_empty() && !indices.is_empty() {
            privileges.push("read".into());
        }
        Asked { cluster: Vec::new(), indices, privileges }
    }

    fn outcome(&self, ui: &mut Ui, view: &View<'_>, check: &SecretCheck) {
        let p = theme::colors(ui);
        if check.is_running() {
            text::line(ui, Type::Body, p.text.secondary, "Signing in with this key…");
        }
        if let Some(problem) = &check.problem {
            notice::banner(ui, Tone::Danger, &problem.title, &format!("{}\n{}", problem.detail, problem.hint), |_| ());
        }
        let Some(checked) = &check.checked else { return };
        let room = (ui.ctx().content_rect().height() - 420.0).clamp(120.0, 420.0);
        let area = ScrollArea::vertical().id_salt("checked secret").max_height(room).min_scrolled_height(room);
        area.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            ui.set_max_width(ui.available_width() - space::M);
            let now = view.state.now_of_check();
            verdict(ui, checked, now);
            if check.is_of_another() {
                let line = "It belongs to a different key than the one that is open";
                notice::banner(ui, Tone::Warning, "Secret of a different key", line, |_| ());
            }
            for mistake in &checked.tried.mistakes {
                warning(ui, mistake.words());
            }
            if checked.others > 0 {
                let words = format!("The pasted text contains {} more", plural(checked.others as u64, "key"));
                warning(ui, &words);
            }
            answers(ui, checked);
            facts(ui, view, checked, now);
            if let Looked::Found(found) = &checked.key {
                rights(ui, found);
            }
        });
    }
}

fn verdict(ui: &mut Ui, checked: &Checked, now: Timestamp) {
    match &checked.validity {
        Validity::Valid { took, .. } => {
            let lacks = checked.answers.iter().any(|answer| !answer.granted);
            let (tone, title) =
                if lacks { (Tone::Warning, "It works but lacks a privilege") } else { (Tone::Success, "It works") };
            notice::banner(ui, tone, title, &format!("Signed in, {took} ms"), |_| ());
        }
        Validity::Refused { words, .. } => {
            let mut detail = checked.reason(now).unwrap_or_default();
            if !words.is_empty() {
                detail.push_str(&format!("\nThe cluster says: {}", sanitize::shortened(words, 300)));
            }
            notice::banner(ui, Tone::Danger, "It doesn’t work", &detail, |_| ());
        }
        Validity::NotKnown(problem) => {
            notice::banner(ui, Tone::Warning, "Not known whether it works", &problem.words(), |_| ());
        }
    }
}

fn warning(ui: &mut Ui, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, p.warning.text, icons::WARNING);
        text::paragraph(ui, Type::Small, p.text.primary, words);
    });
}

fn facts(ui: &mut Ui, view: &View<'_>, checked: &Checked, now: Timestamp) {
    let mut facts = vec![
        ("Pasted", format!("It is {}", checked.tried.form.words())),
        ("Id", sanitize::shortened(&checked.tried.id, 60)),
    ];
    match &checked.key {
        Looked::Found(found) => {
            let key = &found.key;
            facts.push(("Name", sanitize::shortened(&key.name, 120)));
            facts.push(("Owner", sanitize::shortened(&format!("{} ({})", key.owner.username, key.owner.realm), 120)));
            facts.push(("Status", key.status(now).word().to_owned()));
            let end = key.expires.map_or_else(
                || "never".to_owned(),
                |at| format!("{}, {}", calendar::local(at, &view.state.zone), expiry::remaining(Some(at), now)),
            );
            facts.push(("Expires", end));
        }
        Looked::Missing => facts.push(("Key", "Not known: you can’t see a key with this id".into())),
        Looked::NotKnown(why) => facts.push(("Key", format!("Not known: {}", sanitize::shortened(why, 200)))),
    }
    let p = theme::colors(ui);
    for (label, value) in facts {
        ui.horizontal(|ui| {
            ui.allocate_ui_with_layout(vec2(72.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(72.0);
                text::line(ui, Type::Small, p.text.tertiary, label);
            });
            text::paragraph(ui, if label == "Id" { Type::Mono } else { Type::Body }, p.text.primary, value);
        });
    }
}

/// Draws the privileges that were asked about, each with the cluster's answer.
fn answers(ui: &mut Ui, checked: &Checked) {
    let p = theme::colors(ui);
    if let Some(problem) = &checked.unanswered {
        notice::banner(ui, Tone::Warning, "The requested privileges are not known", &problem.words(), |_| ());
    }
    for answer in &checked.answers {
        let (icon, color, word) = if answer.granted {
            (icons::CHECK, p.success.text, "granted")
        } else {
            (icons::BLOCK, p.danger.text, "not granted")
        };
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, color, icon);
            text::line(ui, Type::Mono, p.text.primary, sanitize::shortened(&answer.privilege, 60));
            let on = sanitize::shortened(&answer.on.join(", "), 80);
            text::line(ui, Type::Small, p.text.secondary, format!("on {on}: {word}"));
        });
    }
}

/// Draws what the key can do in a few sentences; the page of the key has all of them.
fn rights(ui: &mut Ui, found: &KeyRights) {
    const SHOWN: usize = 4;
    let p = theme::colors(ui);
    text::line(ui, Type::Label, p.text.primary, "What it can do");
    let mut lines: Vec<String> = found.rights.headline().map(str::to_owned).into_iter().collect();
    let sentences = found.rights.sentences();
    lines.extend(sentences.iter().take(SHOWN).map(|sentence| descriptor::plain(sentence)));
    if sentences.len() > SHOWN {
        lines.push(format!("{} more on the key’s page", sentences.len() - SHOWN));
    }
    lines.extend(found.rights.notes());
    for line in lines {
        text::paragraph(ui, Type::Small, p.text.secondary, format!("{}.", sanitize::shown(&line)));
    }
}
