//! The button that leads from the page of a key to copying it.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, create::clone::CloneStep},
    model::api_key::ApiKey,
    ops::create::clone,
    ui::{View, theme::icons, widgets::button::Button},
};

/// Draws the button; disabled with the reason if the key can't be copied.
pub(crate) fn button(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    let session = view.state.home(&key.id).and_then(|home| home.session.value());
    let off = match session {
        Some(session) => clone::hindrance(session, key, cluster.now(view.state.now)).map(|problem| problem.detail),
        None => Some("There is no connection".to_owned()),
    };
    let button = Button::secondary("Clone…").icon(icons::DIFFERENCE).small().named("Clone").off_because(off.as_deref());
    if button.show(ui).clicked() {
        view.send(CloneStep::Ask(key.id.clone()).into());
    }
}
