//! The dialog of importing connections: what was read is shown item by item, chosen and completed before anything is
//! saved. Pasted text is read at once and never shown.

use eframe::egui::{self, Align, CornerRadius, Frame, Layout, Margin, ScrollArea, Stroke, Ui};

use crate::{
    app::{Command, DialogKind, ImportStep, Importing},
    model::{
        connections::{
            draft::{ProfileDraft, ProfileField, SignIn, TrustChoice},
            import::{self, MAX_IMPORTED, Proposal, UNDERSTOOD},
        },
        text::{number::plural, sanitize},
    },
    ops::connections::import::Chosen,
    store::{connections::new_profile_id, file_dialog::FileKind},
    ui::{
        View,
        dialogs::frame::dialog,
        theme,
        theme::{Type, icons, radius, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            file_field::{FileField, expanded},
            notice::{self, Tone},
            text,
        },
    },
};

/// Input of the dialog: the proposals as they are edited.
#[derive(Default)]
pub struct ImportForm {
    items: Vec<Item>,
    path: String,
    file: FileField,
    failed: Vec<String>,
}

struct Item {
    proposal: Proposal,
    is_chosen: bool,
    replaces: bool,
}

impl ImportForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let Some(importing) = state.dialogs.get::<Importing>() else {
            // While one of them is edited, the others wait here.
            if state.left_to_import() == 0 && (!self.items.is_empty() || !self.path.is_empty()) {
                *self = Self::default();
            }
            return;
        };
        self.take(view, importing);
        let closed = dialog(ctx, state, "Import connections", (), size::DIALOG, |ui| {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.content(ui, view, importing);
            });
        });
        if closed {
            view.send(Command::CloseDialog(DialogKind::Import));
        }
    }

    /// Takes what was read or saved, once it is there.
    fn take(&mut self, view: &mut View<'_>, importing: &Importing) {
        if let Some(read) = importing.read.value().filter(|_| !importing.read.is_loading()) {
            self.failed.clear();
            for proposal in read.clone() {
                let before = self.items.iter_mut().map(|item| &mut item.proposal);
                let Some(proposal) = import::absorb(before, proposal) else { continue };
                if self.items.len() == MAX_IMPORTED {
                    self.failed = vec![format!("At most {MAX_IMPORTED} at once: save these first")];
                    break;
                }
                self.items.push(Item { proposal, is_chosen: true, replaces: false });
            }
            self.path.clear();
            view.send(ImportStep::Taken.into());
        }
        if let Some(saved) = importing.saved.value().filter(|_| !importing.saved.is_loading()) {
            self.items.retain(|item| !saved.names.iter().any(|name| name == item.proposal.draft.name.trim()));
            let reason = |(name, error): &(String, _)| format!("{}: {error}", sanitize::shortened(name, 40));
            self.failed = saved.failed.iter().map(reason).collect();
            view.send(ImportStep::Taken.into());
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, importing: &Importing) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Import connections");
        if self.items.is_empty() {
            text::paragraph(ui, Type::Body, p.text.secondary, UNDERSTOOD);
        }
        self.sources(ui, view, importing);
        if let Some(problem) = importing.read.problem().filter(|_| !importing.read.is_loading()) {
            notice::banner(ui, Tone::Danger, &problem.title, &problem.detail, |_| ());
        }
        if let Some(problem) = importing.saved.problem().filter(|_| !importing.saved.is_loading()) {
            let detail = format!("{}\n{}", problem.detail, problem.hint);
            notice::banner(ui, Tone::Danger, &problem.title, detail.trim(), |_| ());
        }
        if !self.failed.is_empty() {
            notice::banner(ui, Tone::Danger, "Some connections were left out", &self.failed.join("\n"), |_| ());
        }
        let room = (ui.ctx().content_rect().height() - 420.0).max(180.0);
        let mut edited = None;
        if !self.items.is_empty() {
            ScrollArea::vertical().id_salt("imported").max_height(room).auto_shrink([false, true]).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::S;
                for index in 0..self.items.len() {
                    if self.item(ui, view, index) {
                        edited = Some(index);
                    }
                }
            });
        }
        if let Some(index) = edited {
            let item = self.items.remove(index);
            view.send(ImportStep::Edit(Box::new(item.proposal.draft), self.items.len()).into());
        }
        self.buttons(ui, view, importing);
    }

    /// Draws where connections come from.
    fn sources(&mut self, ui: &mut Ui, view: &mut View<'_>, importing: &Importing) {
        let p = theme::colors(ui);
        ui.horizontal_wrapped(|ui| {
            if Button::secondary("Paste").icon(icons::CONTENT_PASTE).named("Paste text to import").show(ui).clicked() {
                ui.ctx().send_viewport_cmd(egui::ViewportCommand::RequestPaste);
            }
            let words = if importing.read.is_loading() {
                "Reading…"
            } else {
                "or drop files here. Pasted text is read, and not shown"
            };
            text::line(ui, Type::Body, p.text.secondary, words);
        });
        let field = Field::new("File to import").titled("File").mono().hint("~/elasticsearch.yml");
        let title = ("Import connections", FileKind::Existing);
        let entered = self.file.show(ui, view, field, title, &mut self.path);
        let entered = entered.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let off = if importing.read.is_loading() {
            Some("A file is being read")
        } else if self.path.trim().is_empty() {
            Some("Choose a file first")
        } else {
            None
        };
        let read = Button::secondary("Read file").off_because(off).show(ui).clicked();
        if off.is_none() && (read || entered) {
            view.send(ImportStep::Files(vec![expanded(self.path.trim())]).into());
        }
    }

    /// Draws one proposal; returns `true` if it is to be edited in the form.
    fn item(&mut self, ui: &mut Ui, view: &View<'_>, index: usize) -> bool {
        let p = theme::colors(ui);
        let is_double = self.is_double(index);
        let Some(item) = self.items.get_mut(index) else { return false };
        let number = index + 1;
        let mut is_edited = false;
        let frame = Frame::new()
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::symmetric(12, 10));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 6.0;
            let draft = &mut item.proposal.draft;
            ui.horizontal(|ui| {
                let name = format!("Import {}", sanitize::shortened(&draft.name, 40));
                if field::checkbox(ui, Some(item.is_chosen), &name).clicked() {
                    item.is_chosen = !item.is_chosen;
                }
                let label = format!("Name of connection {number}");
                let width = ui.available_width() - 84.0;
                Field::new(&label).without_label().width(width).show(ui, &mut draft.name);
                is_edited = Button::link("Edit…").named(&format!("Edit connection {number}")).show(ui).clicked();
            });
            for url in draft.url.lines() {
                text::paragraph(ui, Type::Mono, p.text.primary, sanitize::shortened(url, 120));
            }
            let facts = [sign_in(draft), trust(draft), item.proposal.origin.label().to_owned()];
            text::paragraph(ui, Type::Small, p.text.secondary, facts.join(" · "));
            for note in &item.proposal.notes {
                text::paragraph(ui, Type::Small, p.text.tertiary, note);
            }
            if !item.is_chosen {
                return;
            }
            ui.push_id(("environment", index), |ui| {
                let width = ui.available_width();
                if let Some(environment) = chip::environments(ui, draft.environment, width) {
                    draft.set_environment(environment);
                }
            });
            for words in missing(view, draft) {
                field::error_line(ui, &words);
            }
            if is_double {
                field::error_line(ui, "Another of these connections has this name: rename one");
            } else if is_taken(view, &draft.name) {
                ui.horizontal(|ui| {
                    let label = format!("Replace the connection {}", sanitize::shortened(&draft.name, 40));
                    if field::checkbox(ui, Some(item.replaces), &label).clicked() {
                        item.replaces = !item.replaces;
                    }
                    let words = "There is a connection with this name: rename this one, or replace that one";
                    text::paragraph(ui, Type::Small, p.warning.text, words);
                });
            }
        });
        is_edited
    }

    fn is_double(&self, index: usize) -> bool {
        let name = |item: &Item| item.proposal.draft.name.trim().to_owned();
        let own = self.items.get(index).map(name);
        let others = self.items.iter().enumerate().filter(|(at, item)| *at != index && item.is_chosen);
        own.is_some_and(|own| !own.is_empty() && others.map(|(_, item)| name(item)).any(|other| other == own))
    }

    fn buttons(&mut self, ui: &mut Ui, view: &mut View<'_>, importing: &Importing) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let chosen = || self.items.iter().enumerate().filter(|(_, item)| item.is_chosen);
            let count = chosen().count();
            let is_blocked = |(index, item): (usize, &Item)| {
                let draft = &item.proposal.draft;
                view.state.policy().check_draft(draft, new_profile_id()).is_err()
                    || self.is_double(index)
                    || (is_taken(view, &draft.name) && !item.replaces)
            };
            let off = if importing.saved.is_loading() {
                Some("They are being saved")
            } else if count == 0 {
                Some("Choose a connection first")
            } else if chosen().any(is_blocked) {
                Some("Complete or deselect what is marked")
            } else {
                None
            };
            let label = match count {
                0 => "Save".to_owned(),
                count => format!("Save {}", plural(count as u64, "connection")),
            };
            if Button::primary(&label).off_because(off).show(ui).clicked() && off.is_none() {
                let policy = view.state.policy();
                let profile = |item: &Item| policy.check_draft(&item.proposal.draft, new_profile_id()).ok();
                let chosen = chosen()
                    .filter_map(|(_, item)| profile(item).map(|profile| Chosen { profile, replaces: item.replaces }));
                let chosen: Vec<Chosen> = chosen.collect();
                self.failed.clear();
                view.send(ImportStep::Save(chosen).into());
            }
            if Button::ghost("Cancel").show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::Import));
            }
        });
    }
}

fn is_taken(view: &View<'_>, name: &str) -> bool {
    let known = view.state.profiles.value().map(|read| read.profiles.as_slice()).unwrap_or_default();
    known.iter().any(|own| own.name.trim() == name.trim())
}

/// Returns what is wrong, missing or not allowed on this computer: a line for each field, and one for all those of the credential.
fn missing(view: &View<'_>, draft: &ProfileDraft) -> Vec<String> {
    let is_credential = |field: ProfileField| {
        use ProfileField::{KeyId, KeySecret, Password, Token, Username};
        matches!(field, KeyId | KeySecret | Username | Password | Token)
    };
    let errors = view.state.policy().check_draft(draft, new_profile_id()).err().unwrap_or_default();
    let lacks_credential = errors.iter().any(|error| is_credential(error.field));
    let mut lines: Vec<String> =
        errors.into_iter().filter(|error| !is_credential(error.field)).map(|error| error.message).collect();
    if lacks_credential {
        lines.push("The credential is missing: add it with Edit…".into());
    }
    lines
}

fn sign_in(draft: &ProfileDraft) -> String {
    let named = |name: &str, kind: &str| match name.trim() {
        "" => kind.to_owned(),
        name => format!("{} ({kind})", sanitize::shortened(name, 40)),
    };
    match draft.sign_in {
        SignIn::ApiKey => named(&draft.key_id, "API key"),
        SignIn::User => named(&draft.username, "password"),
        SignIn::Token => "token".into(),
        SignIn::Certificate => "client certificate".into(),
        SignIn::OpenId => named(&draft.open_id.issuer, "single sign-on"),
    }
}

fn trust(draft: &ProfileDraft) -> String {
    match (draft.trust, &draft.ca) {
        (TrustChoice::System, _) => "trust of this computer".into(),
        (TrustChoice::CaFile, Some(ca)) => format!("trusts {}", ca.subject),
        (TrustChoice::CaFile, None) => format!("trusts {}", sanitize::shortened(&draft.ca_file, 60)),
        (TrustChoice::Fingerprint, _) => "trusts a fingerprint".into(),
        (TrustChoice::InsecureDev, _) => "insecure".into(),
    }
}
