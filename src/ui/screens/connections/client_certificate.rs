//! The client certificate of a connection: added from its files, shown with its validity, removed.

use eframe::egui::{Color32, CornerRadius, Frame, Margin, Stroke, Ui};
use zeroize::Zeroizing;

use crate::{
    app::Command,
    model::{
        connections::draft::{ProfileDraft, ProfileField, SignIn},
        form_error::FormError,
        secret::Secret,
    },
    ops::{Problem, connections::client_certificate::CertificateFiles},
    store::file_dialog::FileKind,
    ui::{
        View,
        theme::{self, Type, icons, radius},
        widgets::{
            button::Button,
            field::{self, Field},
            file_field::{FileField, expanded},
            text,
        },
    },
};

/// Input of the part of the form. A new value forgets all of it.
#[derive(Default)]
pub(super) struct CertificateForm {
    certificate: String,
    key: String,
    passphrase: Zeroizing<String>,
    certificate_file: FileField,
    key_file: FileField,
    is_open: bool,
    is_reading: bool,
    problem: Option<Problem>,
}

impl CertificateForm {
    /// Draws the certificate of the draft, or the fields that add one.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        draft: &mut ProfileDraft,
        errors: &[FormError<ProfileField>],
    ) {
        self.take(view, draft);
        let p = theme::colors(ui);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            text::line(ui, Type::Label, p.text.primary, "Client certificate");
            if draft.client_certificate.is_some() {
                return shown(ui, view, draft);
            }
            if !self.is_open && draft.sign_in != SignIn::Certificate {
                ui.horizontal(|ui| {
                    text::line(ui, Type::Body, p.text.tertiary, "None");
                    let add = Button::link("Add…").named("Add client certificate");
                    self.is_open = add.show(ui).clicked();
                });
                return;
            }
            self.fields(ui, view, draft);
            let error = errors.iter().find(|error| error.field == ProfileField::ClientCertificate);
            if let Some(error) = error {
                field::error_line(ui, &error.message);
            }
        });
    }

    fn fields(&mut self, ui: &mut Ui, view: &mut View<'_>, draft: &ProfileDraft) {
        let file = Field::new("Certificate file").mono().hint("ana.p12").help("PEM, or PKCS#12 (.p12, .pfx)");
        let title = ("Client certificate", FileKind::Existing);
        self.certificate_file.show(ui, view, file, title, &mut self.certificate);
        let file = Field::new("Key file").mono().help("Blank if the certificate file holds the key");
        self.key_file.show(ui, view, file, ("Private key", FileKind::Existing), &mut self.key);
        let help = "Read once: the certificate and its key are kept in the keyring with the connection";
        Field::new("Passphrase").help(help).show_password(ui, &mut self.passphrase);
        if let Some(problem) = &self.problem {
            field::error_line(ui, &problem.detail);
        }
        ui.horizontal(|ui| {
            let off = match (self.is_reading, self.certificate.trim().is_empty()) {
                (true, _) => Some("The files are being read"),
                (false, true) => Some("Choose the certificate file first"),
                (false, false) => None,
            };
            if Button::secondary("Add certificate").icon(icons::ADD).off_because(off).show(ui).clicked() {
                let given = |path: &str| Some(expanded(path.trim())).filter(|path| !path.as_os_str().is_empty());
                let passphrase = Some(Secret::new(self.passphrase.as_str()));
                let files = CertificateFiles {
                    certificate: expanded(self.certificate.trim()),
                    key: given(&self.key),
                    passphrase: passphrase.filter(|passphrase| !passphrase.expose().is_empty()),
                };
                (self.is_reading, self.problem) = (true, None);
                view.send(Command::ReadCertificate(Box::new(files)));
            }
            // Without it there would be nothing to sign in with.
            if draft.sign_in != SignIn::Certificate
                && Button::ghost("Cancel").named("Cancel the certificate").show(ui).clicked()
            {
                *self = Self::default();
            }
        });
    }

    /// Takes the certificate that was read, once it is there.
    fn take(&mut self, view: &mut View<'_>, draft: &mut ProfileDraft) {
        let read = &view.state.certificate;
        // The command to read it is acted on after the frame that sent it.
        if !self.is_reading || read.is_loading() || read.is_untouched() {
            return;
        }
        self.is_reading = false;
        if let Some(certificate) = read.value() {
            draft.client_certificate = Some(certificate.clone());
            *self = Self::default();
        } else {
            self.problem = read.problem().cloned();
        }
        view.send(Command::DropCertificate);
    }
}

/// Draws the certificate with its validity.
fn shown(ui: &mut Ui, view: &View<'_>, draft: &mut ProfileDraft) {
    let p = theme::colors(ui);
    let Some(certificate) = &draft.client_certificate else { return };
    let mut is_removed = false;
    let frame = Frame::new()
        .fill(Color32::TRANSPARENT)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::symmetric(12, 10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        text::paragraph(ui, Type::Mono, p.text.primary, &certificate.subject);
        text::paragraph(ui, Type::Small, p.text.tertiary, format!("Issued by {}", certificate.issuer));
        let (words, is_urgent) = certificate.validity(view.state.now);
        let color = if is_urgent { p.warning.text } else { p.text.secondary };
        text::paragraph(ui, Type::Small, color, words);
        is_removed = Button::link("Remove").named("Remove client certificate").show(ui).clicked();
    });
    if is_removed {
        draft.client_certificate = None;
    }
}
