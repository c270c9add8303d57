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
    let home = view.state.home(&key.id);
    let read_only = home.and_then(|home| view.state.read_only_on(&home.profile.id));
    let off = match home.and_then(|home| home.session.value()) {
        _ if read_only.is_some() => read_only.map(str::to_owned),
        Some(session) => clone::hindrance(session, key, cluster.now(view.state.now)).map(|problem| problem.detail),
        None => Some("Not connected".to_owned()),
    };
    let button = Button::secondary("Clone…").icon(icons::DIFFERENCE).small().named("Clone").off_because(off.as_deref());
    if button.show(ui).clicked() {
        view.send(CloneStep::Ask(key.id.clone()).into());
    }
}
