//! The recipient of a new key: oneself, another user who signs in for it, or a remote cluster.

use eframe::egui::{Align, Layout, Ui, vec2};
use zeroize::Zeroizing;

use super::CreateScreen;
use crate::{
    app::{Cluster, Command, FormCommand},
    model::{
        create::new_key::{KeyFor, NewKeyField},
        form_error::FormError,
    },
    ops::connections::capabilities::Capability,
    ui::{
        View,
        screens::create::recipients::{OTHERS, PASSWORD, TOKEN, missing},
        theme,
        theme::{Type, icons, size, space},
        widgets::{chip, field::Field, text},
    },
};

impl CreateScreen {
    /// Draws the choice; kinds that can't be chosen are shown with what is missing for them.
    pub(crate) fn kind(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        if cluster.offered.is_untouched() {
            view.send(Command::Form(FormCommand::ReadOffers));
        }
        let is_asked = cluster.offered.is_untouched() || cluster.offered.is_loading();
        let is_off = |kind: &KeyFor, offer: Capability| {
            *kind != self.draft.kind && (is_asked || missing(cluster, offer).is_some())
        };
        let off: Vec<KeyFor> =
            OTHERS.iter().filter(|(kind, _, offer)| is_off(kind, *offer)).map(|(kind, ..)| *kind).collect();
        let mut choices = vec![(KeyFor::Me, "For me")];
        choices.extend(OTHERS.iter().map(|(kind, word, _)| (*kind, *word)));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            let chosen = chip::segmented_without(ui, self.draft.kind, &choices, None, &off);
            if let Some(kind) = chosen.filter(|kind| *kind != self.draft.kind) {
                self.leave(ui);
                self.draft.kind = kind;
            }
            let p = theme::colors(ui);
            for (_, word, offer) in OTHERS {
                let Some(problem) = missing(cluster, offer) else { continue };
                let hint = if problem.hint.is_empty() { String::new() } else { format!(". {}", problem.hint) };
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    text::icon(ui, Type::IconSmall, p.text.tertiary, icons::INFO);
                    let words = format!("{word}: {}{hint}", problem.detail);
                    text::paragraph(ui, Type::Small, p.text.secondary, words);
                });
            }
        });
    }

    /// Draws the other user, who agrees by signing in.
    pub(crate) fn owner(&mut self, ui: &mut Ui, errors: &[FormError<NewKeyField>]) {
        if self.draft.kind != KeyFor::Another {
            return;
        }
        let p = theme::colors(ui);
        let user_error = self.error(errors, NewKeyField::Owner).map(str::to_owned);
        let secret_error = self.error(errors, NewKeyField::Credential).map(str::to_owned);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::M;
            let row = vec2(ui.available_width(), size::CONTROL);
            ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Strong, p.text.primary, "Key owner");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let ways = [(false, "By password"), (true, "By token")];
                    if let Some(by_token) = chip::segmented(ui, self.draft.owner.by_token, &ways, None)
                        && by_token != self.draft.owner.by_token
                    {
                        self.leave(ui);
                        self.draft.owner.by_token = by_token;
                    }
                });
            });
            let help = "Used only for this request; never shown, stored or logged";
            if self.draft.owner.by_token {
                secret_field(ui, TOKEN, help, secret_error.as_deref(), &mut self.credential);
            } else {
                ui.columns(2, |columns| {
                    let user = Field::new("User")
                        .help("Authorizes the key, and owns it unless “Run as user” is set")
                        .error(user_error.as_deref());
                    user.show(&mut columns[0], &mut self.draft.owner.username);
                    secret_field(&mut columns[1], PASSWORD, help, secret_error.as_deref(), &mut self.credential);
                });
            }
            let help = "The key will belong to this user. Requires the privilege run_as";
            let half = (ui.available_width() - space::S) / 2.0;
            Field::new("Run as user").optional().width(half).help(help).show(ui, &mut self.draft.owner.run_as);
        });
    }

    /// Draws the access of a remote cluster, which takes the place of role descriptors.
    pub(crate) fn access(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        errors: &[FormError<NewKeyField>],
    ) {
        if cluster.names.is_untouched() {
            view.send(Command::ReadNames);
        }
        let error = self.error(errors, NewKeyField::Access).map(str::to_owned);
        ui.vertical(|ui| {
            self.access.ui(ui, &mut self.draft.access, cluster.names.value(), error.as_deref());
        });
        let lacks =
            missing(cluster, Capability::CertificateIdentity).filter(|_| self.draft.certificate_identity.is_empty());
        let help = match lacks {
            Some(problem) => problem.detail.as_str(),
            None => "Only certificates whose subject matches this pattern; leave blank for any",
        };
        let field = Field::new("Certificate identity").optional().mono().hint("CN=remote.*").help(help);
        field.enabled(lacks.is_none()).show(ui, &mut self.draft.certificate_identity);
    }
}

fn secret_field(ui: &mut Ui, label: &str, help: &str, error: Option<&str>, value: &mut Zeroizing<String>) {
    ui.set_min_height(size::CONTROL);
    Field::new(label).help(help).error(error).show_password(ui, value);
}
