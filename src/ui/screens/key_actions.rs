//! What can be done with all keys that a search shows.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command},
    model::expiry::{Status, StatusGroup, thousands},
    ui::{View, widgets::button::Button},
};

/// How many keys can be invalidated without being ticked first; `None` where nothing is filtered, or where something
/// is selected or wrong in the search.
fn count_shown(cluster: &Cluster) -> Option<usize> {
    let is_filtered = cluster.view.status.is_some() || !cluster.view.search.trim().is_empty();
    let counts = &cluster.rows.counts;
    let count = match cluster.view.status {
        Some(StatusGroup::Invalidated) => 0,
        Some(_) => cluster.rows.places.len(),
        None => counts.total() - counts.of(Status::Invalidated),
    };
    let may = is_filtered && count > 0 && cluster.selection.is_empty() && cluster.search_errors.is_empty();
    may.then_some(count)
}

fn name_of(count: usize) -> String {
    format!("Invalidate all {} that match", thousands(count as u64))
}

/// The width of [`invalidate_shown`], in points.
pub(super) fn room(ui: &Ui, cluster: &Cluster) -> f32 {
    count_shown(cluster).map_or(0.0, |count| Button::link(&format!("{}…", name_of(count))).room(ui))
}

/// All that a search finds, without ticking it first.
pub(super) fn invalidate_shown(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let Some(count) = count_shown(cluster) else { return };
    let name = name_of(count);
    let long = format!("{name}…");
    let short = format!("Invalidate {}…", thousands(count as u64));
    let label = if Button::link(&long).room(ui) <= ui.available_width() { &long } else { &short };
    if Button::link(label).named(&name).show(ui).clicked() {
        view.send(Command::AskInvalidateShown);
    }
}
