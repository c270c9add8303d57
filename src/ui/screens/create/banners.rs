//! Banners of the create screen: the result of the last attempt, and what the cluster will refuse.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command, InvalidateStep},
    model::create::new_key::KeyFor,
    ui::{
        View,
        theme::icons,
        widgets::{
            button::Button,
            notice::{self, Tone},
        },
    },
};

/// Draws the result of the last attempt, and what the cluster will refuse.
pub(crate) fn ui(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, by_api_key: bool, kind: KeyFor) {
    let is_mine = kind == KeyFor::Me;
    if by_api_key && is_mine {
        let detail = "Elasticsearch gives such keys no privileges: choose “Nothing”, or sign in as a user to create a \
                      key that can do something";
        notice::banner(ui, Tone::Warning, "You are signed in with an API key", detail, |_| ());
    }
    if is_mine && cluster.session.value().is_some_and(|session| !session.privileges.creates_keys()) {
        let detail = "Missing: the cluster privilege manage_own_api_key";
        notice::banner(ui, Tone::Warning, "You don’t have permission to create keys here", detail, |_| ());
    }
    let creation = &view.state.creation;
    if let Some(error) = creation.errors.first() {
        notice::banner(ui, Tone::Danger, "Nothing was sent", &error.message, |_| ());
    }
    let is_of_this = creation.is_of(&cluster.profile);
    let Some(problem) = creation.problem.as_ref().filter(|_| is_of_this) else { return };
    let detail = [problem.detail.as_str(), problem.hint.as_str()].join("\n");
    let strays: Vec<_> = view.state.creation.strays.iter().map(|key| key.id.clone()).collect();
    let title = problem.title.clone();
    notice::banner(ui, Tone::Danger, &title, detail.trim(), |ui| {
        if Button::ghost("Dismiss").small().show(ui).clicked() {
            view.send(Command::DismissCreation);
        }
        if !strays.is_empty() && Button::danger("Invalidate it…").small().icon(icons::BLOCK).show(ui).clicked() {
            view.send(Command::from(InvalidateStep::Ask(strays)));
        }
    });
}

/// Draws the choice of one cluster, because a key is created on exactly one.
pub(crate) fn choose_cluster(ui: &mut Ui, view: &mut View<'_>) {
    let state = view.state;
    let line = "All clusters are shown together, but a key is created on just one of them";
    notice::empty(ui, icons::ADD_CIRCLE, "Which cluster?", line, |ui| {
        for cluster in &state.clusters {
            if Button::secondary(&cluster.profile.name).show(ui).clicked() {
                view.send(Command::SwitchTo(cluster.profile.id.clone()));
            }
        }
    });
}
