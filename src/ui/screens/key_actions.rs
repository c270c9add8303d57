//! What can be done with all keys that a search shows.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command},
    model::expiry::{Status, StatusGroup, thousands},
    ui::{View, widgets::button::Button},
};

/// All that a search finds, without ticking it first.
pub(super) fn invalidate_shown(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let is_filtered = cluster.view.status.is_some() || !cluster.view.search.trim().is_empty();
    let counts = &cluster.rows.counts;
    let count = match cluster.view.status {
        Some(StatusGroup::Invalidated) => 0,
        Some(_) => cluster.rows.places.len(),
        None => counts.total() - counts.of(Status::Invalidated),
    };
    if is_filtered && count > 0 && cluster.selection.is_empty() && cluster.search_errors.is_empty() {
        let name = format!("Invalidate all {} that match", thousands(count as u64));
        if Button::link(&format!("{name}…")).named(&name).show(ui).clicked() {
            view.send(Command::AskInvalidateShown);
        }
    }
}
