//! The form of an update: for one key its expiration, its descriptors or its access, and its metadata; for several keys
//! what all of them get.

use eframe::egui::{ScrollArea, Ui, vec2};

use super::{UpdateDialog, head};
use crate::{
    app::{Cluster, Command, DialogKind, FormCommand, Updating, dialogs::update::UpdateStep},
    model::{
        api_key::ApiKey,
        form_error::FormError,
        text::{number::plural, sanitize},
        update::draft::UpdateField,
    },
    ops::connections::capabilities::{self, Capability},
    ui::{
        View,
        components::problem::problem_buttons,
        dialogs::frame::{footer, padded},
        theme,
        theme::{Type, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            notice::{self, Tone},
            text,
        },
    },
};

/// Height around the form, in points: the head, the footer and the margins.
const AROUND: f32 = 310.0;
/// Height of the question before dropping the input, with its margins, in points.
const QUESTION: f32 = 110.0;

impl UpdateDialog {
    pub(crate) fn form(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let line = "You’ll review the changes before anything is sent";
        let title = match plan.single() {
            Some(key) => format!("Update {}", sanitize::shortened(&key.name, 60)),
            None => format!("Update {}", plural(plan.keys.len() as u64, "key")),
        };
        head(ui, plan, &title, line);
        notice::hairline(ui);
        if self.asks_to_discard {
            padded(ui, |ui| self.discard(ui, view));
        }
        let around = if self.asks_to_discard { AROUND + QUESTION } else { AROUND };
        let room = (ui.ctx().content_rect().height() - around).max(100.0);
        let is_single = plan.single().is_some();
        padded(ui, |ui| {
            let scroll = ScrollArea::vertical().id_salt("update form").max_height(room);
            // Of one key the texts come later: as high as it can be from the first frame on, so that no button moves.
            let scroll = if is_single { scroll.min_scrolled_height(room) } else { scroll };
            scroll.auto_shrink([false, !is_single]).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - space::M);
                ui.spacing_mut().item_spacing.y = space::M;
                if plan.left_out.0 > 0 {
                    let verb = if plan.left_out.0 == 1 { "is" } else { "are" };
                    let title = format!("{} {verb} left out", plural(plan.left_out.0 as u64, "key"));
                    notice::banner(ui, Tone::Warning, &title, &plan.left_out.1, |_| ());
                }
                if let Some(problem) = &plan.problem {
                    let detail = [problem.detail.as_str(), problem.hint.as_str()].join("\n");
                    notice::banner(ui, Tone::Danger, &problem.title, detail.trim(), |_| ());
                }
                if is_single {
                    self.one(ui, view, plan);
                } else {
                    self.many(ui, plan);
                    self.expiration(ui, plan);
                }
            });
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            let off = match plan.before.value() {
                None if is_single && plan.before.problem().is_some() => Some("It can’t be updated: see above"),
                None if is_single => Some("Still reading the key"),
                _ => None,
            };
            let off = if plan.is_planning() { Some("Still calculating the changes") } else { off };
            if Button::primary("Review").off_because(off).show(ui).clicked() {
                view.send(Command::from(UpdateStep::Review(Box::new(self.draft.clone()))));
            }
            if Button::ghost("Cancel").show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::Update));
            }
            if plan.is_planning() {
                text::line(ui, Type::Small, theme::colors(ui).text.secondary, "Calculating the changes…");
            }
        });
    }

    /// Draws the question before Escape drops the input.
    fn discard(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let (title, line) = ("Your input would be lost", "Nothing was sent");
        notice::banner(ui, Tone::Warning, title, line, |ui| {
            if Button::secondary("Keep editing").small().show(ui).clicked() {
                self.asks_to_discard = false;
            }
            if Button::danger("Discard").named("Discard your input").small().show(ui).clicked() {
                view.send(Command::CloseDialog(DialogKind::Update));
            }
        });
    }

    fn one(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        if let Some(problem) = plan.before.problem() {
            notice::banner(ui, Tone::Danger, &problem.title, &[&problem.detail, ". ", &problem.hint].concat(), |ui| {
                problem_buttons(ui, view, problem);
            });
        }
        let p = theme::colors(ui);
        if plan.before.value().is_none() {
            if plan.before.is_loading() {
                text::line(ui, Type::Body, p.text.tertiary, "Reading the key’s current state");
            }
            return;
        }
        self.expiration(ui, plan);
        notice::hairline(ui);
        let cluster = view.state.clusters.iter().find(|cluster| cluster.profile.id == plan.profile.id);
        if cluster.is_some_and(|cluster| cluster.session.value().is_some() && cluster.names.is_untouched()) {
            view.send(Command::Form(FormCommand::ReadNames(plan.profile.id.clone())));
        }
        match plan.cross() {
            Some(key) => self.access_ui(ui, plan, cluster, key),
            None => self.rights_ui(ui, plan, cluster),
        }
        notice::hairline(ui);
        match &mut self.draft.metadata {
            Some(text) => {
                let field_error = field_error(plan, UpdateField::Metadata);
                let field = Field::new("Metadata").mono().lines(7).help("Replaces all metadata");
                field.error(field_error.as_deref()).show(ui, text);
            }
            None => not_provided(ui, "Metadata"),
        }
    }

    fn rights_ui(&mut self, ui: &mut Ui, plan: &Updating, cluster: Option<&Cluster>) {
        let Some(json) = &mut self.draft.role_descriptors else { return not_provided(ui, "Role descriptors") };
        let p = theme::colors(ui);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::M;
            text::line(ui, Type::Strong, p.text.primary, "Role descriptors");
            let edition = cluster.and_then(|own| own.session.value()).map(|session| session.edition);
            self.rights.ui(ui, json, cluster.and_then(|own| own.names.value()), edition.unwrap_or_default());
            match field_error(plan, UpdateField::RoleDescriptors) {
                Some(words) => field::error_line(ui, &words),
                None => {
                    let words = "Replaces all role descriptors. With {}, the key can do everything its owner can";
                    text::paragraph(ui, Type::Small, p.text.tertiary, words);
                }
            }
        });
    }

    /// Draws the access of a cross-cluster key, which has it instead of descriptors.
    fn access_ui(&mut self, ui: &mut Ui, plan: &Updating, cluster: Option<&Cluster>, key: &ApiKey) {
        match &mut self.draft.access {
            Some(json) => {
                let error = field_error(plan, UpdateField::Access);
                let names = cluster.and_then(|own| own.names.value());
                ui.vertical(|ui| self.access.ui(ui, json, names, error.as_deref()));
            }
            None => not_provided(ui, "Access"),
        }
        let Some(identity) = &mut self.draft.certificate_identity else { return };
        let session = cluster.and_then(|own| own.session.value());
        let lacks = session.and_then(|session| capabilities::missing(session, Capability::CertificateIdentity));
        let lacks = lacks.filter(|_| key.certificate_identity.is_none());
        let help = match &lacks {
            Some(problem) => problem.detail.as_str(),
            None => "Only certificates whose subject matches this pattern; leave blank for any",
        };
        let field = Field::new("Certificate identity").optional().mono().hint("CN=remote.*").help(help);
        field.enabled(lacks.is_none()).show(ui, identity);
    }

    fn many(&mut self, ui: &mut Ui, plan: &Updating) {
        let error = field_error(plan, UpdateField::Set);
        let help = "One field per line; other fields are kept. Non-JSON values are stored as text";
        let set = Field::new("Set in the metadata").mono().lines(4).hint("team=payments").help(help);
        set.error(error.as_deref()).show(ui, &mut self.draft.set);
        let error = field_error(plan, UpdateField::Remove);
        let help = "Field names, separated by commas";
        let remove = Field::new("Remove from the metadata").mono().hint("ticket, review_by").help(help);
        remove.error(error.as_deref()).show(ui, &mut self.draft.remove);
    }

    fn expiration(&mut self, ui: &mut Ui, plan: &Updating) {
        let p = theme::colors(ui);
        text::line(ui, Type::Label, p.text.secondary, "New expiration, from now");
        ui.scope(|ui| {
            ui.spacing_mut().interact_size.y = size::CONTROL;
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                for (value, label) in [("", "Keep"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")] {
                    if chip::choice(ui, self.draft.expiration.trim() == value, None, label, None).clicked() {
                        self.draft.expiration = value.into();
                    }
                }
                let end =
                    Field::new("New expiration").without_label().mono().width(220.0).hint("12h, 90d or 2027-02-21");
                end.show(ui, &mut self.draft.expiration);
            });
        });
        match field_error(plan, UpdateField::Expiration) {
            Some(error) => field::error_line(ui, &error),
            None => drop(text::line(ui, Type::Small, p.text.tertiary, "An expiration can be changed but not removed")),
        }
    }
}

fn not_provided(ui: &mut Ui, label: &str) {
    let p = theme::colors(ui);
    let words = format!("{label}: not reported by this version of Elasticsearch");
    text::line(ui, Type::Small, p.text.tertiary, words);
}

fn field_error(plan: &Updating, at: UpdateField) -> Option<String> {
    FormError::of(&plan.errors, &at).map(str::to_owned)
}
