//! The part of a connection's form for a sign-in at an OpenID Connect provider: its settings, the sign-in itself, and the
//! text for administrators.

use eframe::egui::{self, Color32, CornerRadius, Frame, Margin, OpenUrl, Stroke, Ui};

use super::form::labelled;
use crate::{
    app::{
        Command,
        sign_in::{SignInStage, SigningIn},
    },
    model::{
        connections::{
            draft::{ProfileDraft, ProfileField},
            open_id::{Issuer, OpenIdLogin, SentToken, SignInId, SignedIn, USUAL_SCOPES},
        },
        form_error::FormError,
        time::calendar,
    },
    ops::connections::sign_in::{SignInStep, Way},
    store::file_dialog::FileKind,
    ui::{
        View,
        theme::{self, Type, icons, radius, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            file_field::FileField,
            text,
        },
    },
};

/// Request of a button, which the whole form carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInRequest {
    /// Read who is signed in.
    Read,
    /// Sign in.
    Begin(Way),
    /// Sign out.
    End,
}

/// Input of the part of the form. A new value forgets all of it.
#[derive(Default)]
pub(super) struct OpenIdForm {
    ca_file: FileField,
    /// `true` if the sign-in is drawn beside the form.
    pub(super) is_beside: bool,
    shows_more: bool,
    was_read: bool,
    request: Option<SignInRequest>,
}

impl OpenIdForm {
    /// Takes the request of the last frame.
    pub(super) fn take_request(&mut self) -> Option<SignInRequest> {
        self.request.take()
    }

    /// Draws the settings, the sign-in unless it is drawn beside the form, and the text for administrators.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        draft: &mut ProfileDraft,
        errors: &[FormError<ProfileField>],
    ) {
        self.settings(ui, view, draft, errors);
        if !self.is_beside {
            self.sign_in(ui, view, draft);
        }
        setup(ui, draft);
    }

    fn settings(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        draft: &mut ProfileDraft,
        errors: &[FormError<ProfileField>],
    ) {
        let error = |field| FormError::of(errors, &field);
        let own = &mut draft.open_id;
        let field = Field::new("Issuer").mono().hint("https://login.example.net/realms/ops");
        field.help("OpenID Connect provider").error(error(ProfileField::Issuer)).show(ui, &mut own.issuer);
        ui.columns(2, |columns| {
            let field = Field::new("Client id").mono().hint("keybearer").error(error(ProfileField::ClientId));
            field.show(&mut columns[0], &mut own.client_id);
            Field::new("Client secret")
                .help("None for a public client")
                .show_password(&mut columns[1], &mut own.client_secret);
        });
        let field = Field::new("Shared secret").help("If the JWT realm asks for one");
        field.show_password(ui, &mut own.shared_secret);
        labelled(ui, "Token for the cluster", |ui| {
            let choices = [(SentToken::Id, "ID token"), (SentToken::Access, "Access token")];
            if let Some(sent) = chip::segmented(ui, own.sent, &choices, Some(ui.available_width())) {
                own.sent = sent;
            }
        });
        let has_more = !own.redirect_port.trim().is_empty()
            || !own.ca_file.trim().is_empty()
            || own.scopes.trim() != USUAL_SCOPES
            || [ProfileField::Scopes, ProfileField::RedirectPort].into_iter().any(|field| error(field).is_some());
        if !self.shows_more && !has_more {
            self.shows_more = Button::link("Scopes, redirect port, CA file of the provider…").show(ui).clicked();
            return;
        }
        self.shows_more = true;
        let field = Field::new("Scopes").mono().hint(USUAL_SCOPES).error(error(ProfileField::Scopes));
        field.help("offline_access asks for a refresh token").show(ui, &mut own.scopes);
        let field = Field::new("Redirect port").hint("any").error(error(ProfileField::RedirectPort));
        field.help("Of 127.0.0.1, if the provider compares it").show(ui, &mut own.redirect_port);
        let field = Field::new("CA file of the provider").mono().help("Blank for the certificates of this computer");
        self.ca_file.show(ui, view, field, ("CA file of the provider", FileKind::Existing), &mut own.ca_file);
    }

    /// Draws the sign-in: who is signed in, or what a person has to do.
    pub(super) fn sign_in(&mut self, ui: &mut Ui, view: &mut View<'_>, draft: &ProfileDraft) {
        let own = login_of(view, draft);
        let shown = view.state.sign_in.as_ref().filter(|sign_in| own.as_ref().is_some_and(|own| sign_in.is_of(own)));
        if shown.is_none() && !self.was_read && draft.id.is_some() && own.is_some() {
            // Only once, and only for what was saved: the rest of what is typed has no tokens.
            self.was_read = true;
            self.request = Some(SignInRequest::Read);
        }
        let p = theme::colors(ui);
        let frame = Frame::new()
            .fill(if self.is_beside { p.surface.raised } else { Color32::TRANSPARENT })
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::symmetric(16, 12));
        let mut request = None;
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = space::S;
            request = match shown {
                Some(SigningIn { stage: SignInStage::Waiting(step), login, .. }) => {
                    if waiting(ui, view, login, step.as_ref()) {
                        // Who was signed in before still is.
                        self.was_read = false;
                    }
                    None
                }
                Some(SigningIn { stage: SignInStage::Reading, .. }) => {
                    text::line(ui, Type::Body, p.text.secondary, "Reading the keyring");
                    None
                }
                Some(SigningIn { stage: SignInStage::Known(Some(signed_in)), .. }) => known(ui, view, signed_in),
                Some(SigningIn { stage: SignInStage::Failed(problem), .. }) => {
                    text::line(ui, Type::Strong, p.text.primary, &problem.title);
                    field::error_line(ui, &problem.detail);
                    text::paragraph(ui, Type::Small, p.text.secondary, &problem.hint);
                    begin(ui)
                }
                Some(SigningIn { stage: SignInStage::Known(None), .. }) | None => {
                    text::line(ui, Type::Strong, p.text.primary, "Not signed in");
                    begin(ui)
                }
            };
        });
        self.request = request.or(self.request.take());
    }
}

/// Returns the settings of the form as far as tokens depend on them; `None` while they are incomplete.
fn login_of(view: &View<'_>, draft: &ProfileDraft) -> Option<OpenIdLogin> {
    // A new connection has no id yet: what is shown belongs to the sign-in that its form began.
    let id = draft.id.clone().map(|id| SignInId::of(&id));
    let id = id.or_else(|| view.state.sign_in.as_ref().map(|sign_in| sign_in.login.sign_in.clone()))?;
    draft.open_id.login(&crate::model::connections::profile::ProfileId(id.0)).ok()
}

fn begin(ui: &mut Ui) -> Option<SignInRequest> {
    let mut request = None;
    ui.horizontal_wrapped(|ui| {
        if Button::secondary("Sign in with the browser").icon(icons::OPEN_IN_NEW).show(ui).clicked() {
            request = Some(SignInRequest::Begin(Way::Browser));
        }
        if Button::link("Use a code…").named("Sign in with a device code").show(ui).clicked() {
            request = Some(SignInRequest::Begin(Way::Device));
        }
    });
    request
}

fn known(ui: &mut Ui, view: &View<'_>, signed_in: &SignedIn) -> Option<SignInRequest> {
    let p = theme::colors(ui);
    let mut request = None;
    ui.horizontal(|ui| {
        text::icon(ui, Type::Icon, p.success.text, icons::CHECK_CIRCLE);
        text::line(ui, Type::Strong, p.text.primary, format!("Signed in as {}", signed_in.user));
    });
    let until = signed_in.expires.map(|at| calendar::local(at, &view.state.zone));
    let words = match (until, signed_in.is_renewed) {
        (_, true) => "The token is renewed as long as the provider allows".to_owned(),
        (Some(until), false) => format!("Until {until}: the provider issued no refresh token"),
        (None, false) => "The expiration of the token is not known".to_owned(),
    };
    text::paragraph(ui, Type::Small, p.text.secondary, words);
    ui.horizontal_wrapped(|ui| {
        if Button::link("Sign in again").icon(icons::OPEN_IN_NEW).show(ui).clicked() {
            request = Some(SignInRequest::Begin(Way::Browser));
        }
        if Button::link("Sign out").icon(icons::LOGOUT).show(ui).clicked() {
            request = Some(SignInRequest::End);
        }
    });
    request
}

/// Draws what a person has to do. Returns `true` if it was stopped.
fn waiting(ui: &mut Ui, view: &mut View<'_>, login: &OpenIdLogin, step: Option<&SignInStep>) -> bool {
    let p = theme::colors(ui);
    let host = login.issuer.host();
    match step {
        None => {
            text::line(ui, Type::Strong, p.text.primary, format!("Asking {host}"));
        }
        Some(SignInStep::Browser { redirect, not_opened, .. }) => {
            text::paragraph(ui, Type::Strong, p.text.primary, format!("Finish signing in at {host}"));
            match not_opened {
                None => text::paragraph(
                    ui,
                    Type::Small,
                    p.text.secondary,
                    "The page is open in your browser. Keybearer continues when you are done",
                ),
                Some(why) => text::paragraph(
                    ui,
                    Type::Small,
                    p.warning.text,
                    format!("No browser could be opened ({why}). Copy the address, and open it on this computer"),
                ),
            };
            fact(ui, "Redirects to", redirect);
            fact(ui, "Checks", "PKCE, state and nonce");
            fact(ui, "Scopes", &login.scopes.join(" "));
        }
        Some(SignInStep::Device { code, address, until }) => {
            text::paragraph(ui, Type::Strong, p.text.primary, format!("Type this code at {host}"));
            let shown = egui::Label::new(egui::RichText::new(code).font(Type::Secret.font()).color(p.text.primary));
            ui.add(shown.selectable(true));
            fact(ui, "Open", address);
            fact(ui, "Expires", &calendar::local(*until, &view.state.zone));
        }
    }
    let mut is_stopped = false;
    ui.horizontal_wrapped(|ui| {
        let (open, copy, address, copied) = match step {
            None => ("", "", "", ""),
            Some(SignInStep::Browser { address, .. }) => {
                ("Open again", "Copy address", address.as_str(), address.as_str())
            }
            Some(SignInStep::Device { code, address, .. }) => {
                ("Open here", "Copy code", address.as_str(), code.as_str())
            }
        };
        if step.is_some() {
            if Button::secondary(open).icon(icons::OPEN_IN_NEW).show(ui).clicked() {
                ui.ctx().open_url(OpenUrl::new_tab(address));
            }
            if Button::link(copy).icon(icons::CONTENT_COPY).show(ui).clicked() {
                ui.ctx().copy_text(copied.to_owned());
            }
        }
        is_stopped = Button::ghost("Stop").named("Stop signing in").show(ui).clicked();
    });
    if is_stopped {
        view.send(Command::StopSignIn);
    }
    is_stopped
}

fn fact(ui: &mut Ui, label: &str, value: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(egui::vec2(84.0, 18.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_min_width(84.0);
            text::line(ui, Type::Small, p.text.tertiary, label);
        });
        text::paragraph(ui, Type::MonoSmall, p.text.primary, value);
    });
}

/// Draws what administrators need to set up, with a button that copies all of it.
fn setup(ui: &mut Ui, draft: &ProfileDraft) {
    let p = theme::colors(ui);
    let own = &draft.open_id;
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, p.text.secondary, icons::GROUP);
            text::line(ui, Type::Label, p.text.primary, "What administrators need to set up");
        });
        let client = match own.client_id.trim() {
            "" => "A client".to_owned(),
            id => format!("The client {id}"),
        };
        text::paragraph(
            ui,
            Type::Small,
            p.text.secondary,
            format!("At the provider: {client}, redirect to {}", own.redirect_address()),
        );
        let issuer =
            Issuer::parse(&own.issuer).map_or_else(|_| "this issuer".to_owned(), |own| own.as_str().to_owned());
        text::paragraph(
            ui,
            Type::Small,
            p.text.secondary,
            format!("In the cluster: a JWT realm that trusts {issuer}, and a role mapping"),
        );
        let copy =
            Button::link("Copy as text").icon(icons::CONTENT_COPY).named("Copy what administrators need to set up");
        if copy.show(ui).clicked() {
            ui.ctx().copy_text(own.setup_text());
        }
    });
}
