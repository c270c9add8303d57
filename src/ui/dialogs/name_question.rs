//! The question for the name of a protected connection, before a change is sent through it.

use eframe::egui::{self, Key, Modifiers};

use super::frame;
use crate::{
    app::{Command, NameAnswer},
    model::{
        connections::{profile::ProfileId, protection},
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
pub(super) struct NameForm {
    typed: String,
    open_for: Option<ProfileId>,
}

impl NameForm {
    /// Draws the question while it is open.
    pub(super) fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(question) = view.state.name_question() else {
            *self = Self::default();
            return;
        };
        let is_new = self.open_for.as_ref() != Some(&question.profile.id);
        if is_new {
            *self = Self { typed: String::new(), open_for: Some(question.profile.id.clone()) };
        }
        let mut answer = None;
        let closed = dialog(ctx, view.state, "Confirm by name", &question.profile.id, size::DIALOG, |ui| {
            let name = sanitize::shown(&question.profile.name);
            let line = format!("This connection is protected: type its name, {name}, to send the change");
            frame::head(ui, &question.profile, "Confirm by name", None, &line);
            frame::padded(ui, |ui| {
                let field = Field::new("Connection name").mono().error(question.error.as_deref());
                let response = field.show(ui, &mut self.typed);
                if is_new {
                    response.request_focus();
                }
            });
            let is_right = protection::confirms(&question.profile.name, &self.typed);
            // Enter sends what is right, and shows what is wrong; it never presses a button that is off.
            let entered = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
            frame::footer(ui, |ui| {
                let off = (!is_right).then_some("Type the name of the connection");
                let pressed = Button::destroy("Send the change").off_because(off).show(ui).clicked();
                if pressed || (entered && !self.typed.trim().is_empty()) {
                    answer = Some(NameAnswer::Typed(self.typed.clone()));
                }
                if Button::ghost("Cancel").show(ui).clicked() {
                    answer = Some(NameAnswer::Cancel);
                }
            });
        });
        if closed {
            answer = Some(NameAnswer::Cancel);
        }
        if let Some(answer) = answer {
            view.send(Command::AnswerName(answer));
        }
    }
}
