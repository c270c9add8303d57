//! The form of a connection.

use eframe::egui::Ui;

use super::{client_certificate::CertificateForm, open_id::OpenIdForm};
use crate::{
    model::{
        connections::{
            draft::{ProfileDraft, ProfileField, ProxyChoice, SignIn, TrustChoice},
            login::Login,
            protection::Protection,
        },
        form_error::FormError,
        secret::Secret,
        time::expiry,
    },
    ops::keys::last_use,
    store::file_dialog::FileKind,
    ui::{
        View,
        theme::{self, Type, icons},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            file_field::FileField,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of lines of the field for the addresses.
const MOST_LINES: usize = 6;

/// Draws the fields of the form, each with its error.
pub(crate) fn fields(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut ProfileDraft,
    errors: &[FormError<ProfileField>],
    ca_file: &mut FileField,
    certificate: &mut CertificateForm,
    open_id: &mut OpenIdForm,
) {
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    Field::new("Connection name").hint("search-eu").error(error(ProfileField::Name)).show(ui, &mut draft.name);
    urls(ui, draft, error(ProfileField::Url));
    labelled(ui, "Environment", |ui| {
        let width = ui.available_width();
        if let Some(environment) = chip::environments(ui, draft.environment, width) {
            draft.set_environment(environment);
        }
        if let Some(error) = error(ProfileField::Environment) {
            field::error_line(ui, error);
        }
    });
    labelled(ui, "Sign in with", |ui| {
        let choices = [
            (SignIn::ApiKey, "API key"),
            (SignIn::User, "User"),
            (SignIn::Token, "Token"),
            (SignIn::Certificate, "Certificate"),
            (SignIn::OpenId, "SSO"),
        ];
        if let Some(sign_in) = chip::segmented(ui, draft.sign_in, &choices, Some(ui.available_width())) {
            draft.sign_in = sign_in;
        }
    });
    match draft.sign_in {
        SignIn::ApiKey => {
            // Somebody pastes the whole key here, too.
            let id = Field::new("Id").mono().error(error(ProfileField::KeyId));
            id.show_without_history(ui, &mut draft.key_id);
            let help = match draft.is_cloud_key() {
                true => {
                    "A key of Elastic Cloud: it has no id, is sent as it is, and works where Elastic Cloud takes it"
                }
                false => "The secret alone, or a complete key in any format, which fills in both fields",
            };
            let secret = Field::new("Secret").mono().help(help).error(error(ProfileField::KeySecret));
            secret.show_password(ui, &mut draft.key_secret);
            draft.tidy();
        }
        SignIn::User => {
            Field::new("User name").error(error(ProfileField::Username)).show(ui, &mut draft.username);
            Field::new("Password").error(error(ProfileField::Password)).show_password(ui, &mut draft.password);
        }
        SignIn::Token => {
            let login = Login::Bearer(Secret::new(draft.token.as_str()));
            let help = match login.expires() {
                Some(at) if at <= view.state.now => "This token has expired".to_owned(),
                Some(at) => format!("This token expires {}", expiry::remaining(Some(at), view.state.now)),
                None if draft.token.trim().is_empty() => "From the token service, or a JWT".to_owned(),
                None => "Expiration not known: this isn’t a JWT, or it doesn’t state one".to_owned(),
            };
            Field::new("Token")
                .mono()
                .help(&help)
                .error(error(ProfileField::Token))
                .show_password(ui, &mut draft.token);
        }
        // Its fields are those of the certificate below.
        SignIn::Certificate => {}
        SignIn::OpenId => open_id.ui(ui, view, draft, errors),
    }
    if !matches!(draft.sign_in, SignIn::Certificate | SignIn::OpenId) {
        keeping(ui, draft);
    }
    trust(ui, view, draft, errors, ca_file);
    certificate.ui(ui, view, draft, errors);
    proxy(ui, draft, errors);
    protection(ui, view, draft, errors);
    ui.columns(2, |columns| {
        let timeout = Field::new("Timeout (seconds)").help("From 1 to 3600").error(error(ProfileField::Timeout));
        timeout.show(&mut columns[0], &mut draft.timeout);
        Field::new("Run as")
            .hint("nobody")
            .help("Requires the privilege run_as")
            .show(&mut columns[1], &mut draft.run_as);
    });
    let help = "Index, data stream or pattern used to find a key’s last use";
    Field::new("Audit events").hint(last_use::USUAL).mono().help(help).show(ui, &mut draft.audit_index);
}

/// Draws the choice whether the credential is kept.
fn keeping(ui: &mut Ui, draft: &mut ProfileDraft) {
    labelled(ui, "Credential", |ui| {
        let choices = [(false, "Save in the keyring"), (true, "Ask each time")];
        if let Some(asks) = chip::segmented(ui, draft.asks_credential, &choices, Some(ui.available_width())) {
            draft.asks_credential = asks;
        }
        if draft.asks_credential {
            let p = theme::colors(ui);
            let help = "Asked for whenever you open the connection, and never saved";
            text::line(ui, Type::Small, p.text.secondary, help);
        }
    });
}

/// Draws the addresses, one a line.
fn urls(ui: &mut Ui, draft: &mut ProfileDraft, error: Option<&str>) {
    let count = draft.url.split('\n').count();
    let field = Field::new("URL").mono().hint("https://es.example.net:9200").error(error);
    if count > 1 {
        // One more than there are, so that the last one is never hidden.
        let help = "One address of the cluster a line: if there is no connection to one, the next is tried";
        field.lines((count + 1).min(MOST_LINES)).help(help).show(ui, &mut draft.url);
        return;
    }
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        field.show(ui, &mut draft.url);
        let add = Button::link("Add an address").named("Add an address of the same cluster");
        if !draft.url.trim().is_empty() && add.show(ui).clicked() {
            draft.url.push('\n');
        }
    });
}

fn trust(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut ProfileDraft,
    errors: &[FormError<ProfileField>],
    ca_file: &mut FileField,
) {
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    labelled(ui, "Trust", |ui| {
        let choices = [
            (TrustChoice::System, "System"),
            (TrustChoice::CaFile, "CA file"),
            (TrustChoice::Fingerprint, "Fingerprint"),
            (TrustChoice::InsecureDev, "Insecure"),
        ];
        let (policy, width) = (view.state.policy(), ui.available_width());
        if let Some(trust) = chip::segmented_without(ui, draft.trust, &choices, Some(width), policy.trust_off()) {
            draft.trust = trust;
        }
        if !policy.trust_off().is_empty() {
            by_rule(ui, "Certificates are always verified on this computer");
        }
    });
    match draft.trust {
        TrustChoice::System => {}
        TrustChoice::CaFile => {
            if let Some(ca) = &draft.ca {
                let mut is_removed = false;
                let p = theme::colors(ui);
                text::paragraph(ui, Type::Mono, p.text.primary, &ca.subject);
                ui.horizontal(|ui| {
                    text::line(ui, Type::Small, p.text.tertiary, "Kept with the connection");
                    is_removed = Button::link("Use a file…").named("Use a CA file instead").show(ui).clicked();
                });
                if is_removed {
                    draft.ca = None;
                }
                return;
            }
            let field = Field::new("CA file").mono().hint("/etc/elasticsearch/certs/http_ca.crt");
            let field = field.error(error(ProfileField::CaFile));
            ca_file.show(ui, view, field, ("CA file", FileKind::Existing), &mut draft.ca_file);
        }
        TrustChoice::Fingerprint => {
            let help = "SHA-256, as printed by Elasticsearch on first start";
            let field = Field::new("Fingerprint").mono().help(help).error(error(ProfileField::Fingerprint));
            field.show(ui, &mut draft.fingerprint);
        }
        TrustChoice::InsecureDev => {
            let line = draft.refusal().or(error(ProfileField::Fingerprint)).unwrap_or(
                "Any certificate is accepted: for development only. A warning stays visible on every screen",
            );
            notice::banner(ui, Tone::Warning, "Insecure", line, |_| ());
        }
    }
}

fn proxy(ui: &mut Ui, draft: &mut ProfileDraft, errors: &[FormError<ProfileField>]) {
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    labelled(ui, "Proxy", |ui| {
        let choices = [(ProxyChoice::System, "System"), (ProxyChoice::Direct, "None"), (ProxyChoice::Via, "Custom")];
        if let Some(proxy) = chip::segmented(ui, draft.proxy, &choices, Some(ui.available_width())) {
            draft.proxy = proxy;
        }
    });
    if draft.proxy == ProxyChoice::Via {
        let help = "http://, https:// or socks5://. What is sent to the cluster stays encrypted on its way through it";
        let field = Field::new("Proxy address").mono().hint("http://proxy.example.net:3128").help(help);
        field.error(error(ProfileField::ProxyUrl)).show(ui, &mut draft.proxy_url);
        ui.columns(2, |columns| {
            let user = Field::new("Proxy user").hint("none").error(error(ProfileField::ProxyUsername));
            user.show(&mut columns[0], &mut draft.proxy_username);
            Field::new("Proxy password").show_password(&mut columns[1], &mut draft.proxy_password);
        });
    }
}

fn protection(ui: &mut Ui, view: &View<'_>, draft: &mut ProfileDraft, errors: &[FormError<ProfileField>]) {
    labelled(ui, "Protection against changes", |ui| {
        let choices = Protection::ALL.map(|protection| (protection, protection.label()));
        let (off, width) = (view.state.policy().protection_off(draft.environment), ui.available_width());
        if let Some(protection) = chip::segmented_without(ui, draft.protection(), &choices, Some(width), off) {
            draft.protection = Some(protection);
        }
        if !off.is_empty() {
            by_rule(ui, "Production is always protected on this computer");
        }
        if let Some(error) = errors.iter().find(|error| error.field == ProfileField::Protection) {
            field::error_line(ui, &error.message);
        }
        let help = match draft.protection() {
            Protection::None => "Changes are sent when you confirm them",
            Protection::Name => "For each change you type the connection name",
            Protection::ReadOnly => "No change is ever sent through this connection",
        };
        let p = theme::colors(ui);
        text::line(ui, Type::Small, p.text.secondary, help);
    });
}

/// Draws that a choice above is set by the rules of this computer.
fn by_rule(ui: &mut Ui, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        text::icon(ui, Type::IconSmall, p.text.tertiary, icons::LOCK);
        text::line(ui, Type::Small, p.text.secondary, words);
    });
}

pub(super) fn labelled(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    let p = theme::colors(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        text::line(ui, Type::Label, p.text.primary, label);
        // Several groups have a choice of the same name.
        ui.push_id(label, add);
    });
}
