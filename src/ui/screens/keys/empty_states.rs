//! Content shown instead of the keys if there are none: no cluster, no sign-in, or nothing read.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command, Screen},
    ui::{
        View,
        components::{empty_states::skeleton, problem::problem_page},
        theme::icons,
        widgets::{button::Button, notice},
    },
};

/// Draws why no list was read.
pub(crate) fn nothing_read(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    match cluster.keys.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None if cluster.keys.is_loading() => skeleton(ui),
        None => notice::empty(ui, icons::KEY, "Nothing loaded", "Loading was stopped before the first page", |ui| {
            if Button::primary("Load keys").show(ui).clicked() {
                view.send(Command::Refresh);
            }
        }),
    }
}

/// Draws the page for a cluster without keys.
pub(crate) fn no_keys(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let own = cluster.session.value().is_some_and(|session| session.sees_own_only());
    let (heading, line) = if own {
        ("You have no keys yet", "Seeing other users’ keys requires read_security or manage_api_key")
    } else {
        ("No keys yet", "Create one with few privileges and a short lifetime")
    };
    notice::empty(ui, icons::KEY, heading, line, |ui| {
        if Button::primary("Create the first key").icon(icons::ADD).show(ui).clicked() {
            view.send(Command::Show(Screen::Create));
        }
    });
}
