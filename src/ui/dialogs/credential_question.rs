//! The question for the credential of a connection that is asked for each time.

use eframe::egui::{self, Key, Modifiers};
use zeroize::Zeroizing;

use super::frame;
use crate::{
    app::{Command, CredentialAnswer},
    model::{
        connections::{login::Login, profile::ProfileId},
        secret::Secret,
        text::sanitize,
    },
    ui::{
        View,
        dialogs::frame::dialog,
        theme::size,
        widgets::{button::Button, field::Field},
    },
};

/// Input of the question.
#[derive(Default)]
pub(super) struct CredentialForm {
    typed: Zeroizing<String>,
    open_for: Option<ProfileId>,
}

impl CredentialForm {
    /// Draws the question while it is open.
    pub(super) fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(question) = view.state.credential_question() else {
            *self = Self::default();
            return;
        };
        let is_new = self.open_for.as_ref() != Some(&question.profile.id);
        if is_new {
            *self = Self { typed: Zeroizing::default(), open_for: Some(question.profile.id.clone()) };
        }
        // Not the labels of the form, which may be behind it: a field is known by its label.
        let label = match &question.profile.endpoint.login {
            Login::ApiKey { id, .. } => format!("Secret of the API key {}", sanitize::shortened(id, 60)),
            Login::CloudKey(_) => "API key of Elastic Cloud".into(),
            Login::Password { username, .. } => format!("Password of {}", sanitize::shortened(username, 60)),
            Login::Bearer(_) | Login::Certificate | Login::OpenId(_) => "Token of this connection".into(),
        };
        let mut answer = None;
        let closed = dialog(ctx, view.state, "Sign in", &question.profile.id, size::DIALOG, |ui| {
            let line = "The credential of this connection is asked for each time, and never saved";
            frame::head(ui, &question.profile, "Sign in", None, line);
            frame::padded(ui, |ui| {
                let response = Field::new(&label).error(question.error.as_deref()).show_password(ui, &mut self.typed);
                if is_new {
                    response.request_focus();
                }
            });
            let entered = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
            frame::footer(ui, |ui| {
                let off = self.typed.is_empty().then_some("Type it first");
                let pressed = Button::primary("Sign in").off_because(off).show(ui).clicked();
                if off.is_none() && (pressed || entered) {
                    answer = Some(CredentialAnswer::Typed(Secret::new(self.typed.as_str())));
                }
                if Button::ghost("Cancel").show(ui).clicked() {
                    answer = Some(CredentialAnswer::Cancel);
                }
            });
        });
        if closed {
            answer = Some(CredentialAnswer::Cancel);
        }
        if let Some(answer) = answer {
            self.typed = Zeroizing::default();
            view.send(Command::AnswerCredential(answer));
        }
    }
}
