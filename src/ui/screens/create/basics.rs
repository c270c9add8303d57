//! Fields that every new key has: name, application id, expiration, reason and metadata.

use eframe::egui::{Align, Layout, Ui, vec2};

use super::CreateScreen;
use crate::{
    app::Cluster,
    model::{
        create::{Field as FormField, Surroundings, Taken, new_key::NewKeyField},
        form_error::FormError,
        time::{calendar, expiry::Expiry, status::Status},
        version::Feature,
    },
    ui::{
        View, theme,
        theme::{Type, icons, size, space},
        widgets::{
            chip,
            field::{self, Field},
            focus, text,
        },
    },
};

impl CreateScreen {
    pub(crate) fn names(
        &mut self,
        ui: &mut Ui,
        cluster: &Cluster,
        around: Surroundings<'_>,
        errors: &[FormError<NewKeyField>],
    ) {
        let name_error = self.error(errors, NewKeyField::Key(FormField::Name)).map(str::to_owned);
        let id_error = self.error(errors, NewKeyField::Key(FormField::ApplicationId)).map(str::to_owned);
        ui.columns(2, |columns| {
            let field = Field::new("Name").hint("my_app_key").error(name_error.as_deref());
            let response = field.show(&mut columns[0], &mut self.draft.key.name);
            focus::entrance(&columns[0], focus::FocusArea::Page, response.id);
            if self.draft.key.name.is_empty()
                && self.done == 0
                && columns[0].memory(|memory| memory.focused().is_none())
            {
                response.request_focus();
            }
            let (keys, key, now) = (cluster.inventory(), &self.draft.key, around.now);
            let taken = Taken {
                name: keys.usable_named(&key.name, now) as u64,
                application_id: keys.usable_with_application_id(key.application_id.trim(), now) as u64,
            };
            if let Some(words) = taken.name_warning().filter(|_| name_error.is_none()) {
                warning_line(&mut columns[0], &words);
            }
            let keeps_metadata = around.edition.has(Feature::Metadata);
            Field::new("Application id")
                .optional()
                .mono()
                .help(if keeps_metadata {
                    "Saved in the metadata; Elasticsearch generates the key’s own id"
                } else {
                    "Leave this empty: the cluster is older than 7.13 and doesn’t support metadata"
                })
                .error(id_error.as_deref())
                .show(&mut columns[1], &mut self.draft.key.application_id);
            if let Some(words) = taken.application_id_warning().filter(|_| id_error.is_none()) {
                warning_line(&mut columns[1], &words);
            }
        });
    }

    pub(crate) fn expires(
        &mut self,
        ui: &mut Ui,
        view: &View<'_>,
        around: Surroundings<'_>,
        errors: &[FormError<NewKeyField>],
    ) {
        let p = theme::colors(ui);
        let error = self.error(errors, NewKeyField::Key(FormField::Expiration)).map(str::to_owned);
        let expiry = Expiry::parse(&self.draft.key.expiration, around.now, around.zone).ok();
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            ui.horizontal(|ui| {
                text::line(ui, Type::Strong, p.text.primary, "Expires");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    match expiry.and_then(|e| e.at(around.now)) {
                        Some(at) => {
                            if let Some(utc) = calendar::utc_beside(at, &view.state.zone) {
                                text::line(ui, Type::Small, p.text.tertiary, utc);
                            }
                            text::line(ui, Type::Body, p.text.secondary, calendar::local_long(at, &view.state.zone));
                        }
                        None if expiry == Some(Expiry::Never) => {
                            drop(text::line(ui, Type::Body, p.text.secondary, "Never"))
                        }
                        None => {}
                    }
                });
            });
            ui.spacing_mut().interact_size.y = size::CONTROL;
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                for (value, label) in [("1d", "1 day"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")] {
                    if chip::choice(ui, self.draft.key.expiration.trim() == value, None, label, None).clicked() {
                        self.draft.key.expiration = value.into();
                    }
                }
                let never = self.draft.key.expiration.trim().eq_ignore_ascii_case("never");
                if chip::choice(ui, never, Some(Status::Never), "Never…", None).clicked() {
                    self.draft.key.expiration = "never".into();
                }
                // Given its size beforehand, it wraps to the next row like the chips do.
                ui.allocate_ui_with_layout(vec2(220.0, size::CONTROL), Layout::top_down(Align::Min), |ui| {
                    Field::new("Expiration")
                        .without_label()
                        .mono()
                        .width(220.0)
                        .hint("30m, 90d or 2027-02-21")
                        .show(ui, &mut self.draft.key.expiration);
                });
            });
            match &error {
                Some(error) => field::error_line(ui, error),
                None => drop(text::line(
                    ui,
                    Type::Small,
                    p.text.tertiary,
                    "A time (30m, 12h, 90d, 2w, 1y), a date (2027-02-21), or never",
                )),
            }
        });
    }

    pub(crate) fn reason(&mut self, ui: &mut Ui, around: Surroundings<'_>, errors: &[FormError<NewKeyField>]) {
        if self.draft.needs_reason(around.now, around.zone) {
            let error = self.error(errors, NewKeyField::Key(FormField::Reason)).map(str::to_owned);
            Field::new("Reason")
                .help("Saved in the metadata for reviewers")
                .error(error.as_deref())
                .show(ui, &mut self.draft.key.reason);
        }
    }

    pub(crate) fn metadata(&mut self, ui: &mut Ui, errors: &[FormError<NewKeyField>]) {
        let error = self.error(errors, NewKeyField::Key(FormField::Metadata)).map(str::to_owned);
        Field::new("Metadata")
            .optional()
            .mono()
            .lines(4)
            .hint("{\"team\": \"payments\", \"contact\": \"payments-oncall@example.net\"}")
            .help("A JSON object. Keybearer adds the roles and the application id")
            .error(error.as_deref())
            .show(ui, &mut self.draft.key.metadata);
    }
}

fn warning_line(ui: &mut Ui, words: &str) {
    let p = theme::colors(ui);
    ui.add_space(2.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        text::icon(ui, Type::IconSmall, p.warning.text, icons::WARNING);
        text::paragraph(ui, Type::Small, p.warning.text, words);
    });
}
