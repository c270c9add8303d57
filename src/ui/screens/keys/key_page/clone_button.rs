//! The button that leads from the page of a key to copying it.

use eframe::egui::Ui;

use crate::{
    app::create::clone::CloneStep,
    model::api_key::ApiKey,
    ui::{View, theme::icons, widgets::button::Button},
};

/// Draws the button; disabled with the reason if the key can't be copied.
pub(crate) fn button(ui: &mut Ui, view: &mut View<'_>, key: &ApiKey) {
    let off = view.state.why_not_clone(key);
    let button = Button::secondary("Clone…").icon(icons::DIFFERENCE).small().named("Clone").off_because(off.as_deref());
    if button.show(ui).clicked() {
        view.send(CloneStep::Ask(key.id.clone()).into());
    }
}
