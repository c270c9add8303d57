//! What can be done with all keys that a search shows.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command},
    model::time::expiry::{Status, StatusGroup, thousands},
    ui::{View, theme::icons, widgets::button::Button},
};

/// How many keys can be invalidated without being ticked first; `None` where nothing is filtered, or where something
/// is selected or wrong in the search.
fn count_shown(cluster: &Cluster) -> Option<usize> {
    let is_filtered = cluster.view.status.is_some() || !cluster.view.search.trim().is_empty();
    let counts = &cluster.rows.counts;
    let count = match cluster.view.status {
        Some(StatusGroup::Invalidated) => 0,
        Some(_) => cluster.rows.rows.len(),
        None => counts.total() - counts.of(Status::Invalidated),
    };
    let may = is_filtered && count > 0 && cluster.selection.is_empty() && cluster.search_errors.is_empty();
    may.then_some(count)
}

fn name_of(count: usize) -> String {
    format!("Invalidate all {} that match", thousands(count as u64))
}

/// Forms of [`invalidate_shown`], from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ButtonWidth {
    /// All of its words.
    Long,
    /// The verb and the number.
    Short,
    /// Its icon alone.
    Icon,
}

fn button<'a>(form: ButtonWidth, count: usize, label: &'a mut String) -> Button<'a> {
    *label = match form {
        ButtonWidth::Long => format!("{}…", name_of(count)),
        ButtonWidth::Short | ButtonWidth::Icon => format!("Invalidate {}…", thousands(count as u64)),
    };
    match form {
        ButtonWidth::Icon => Button::ghost(label).icon(icons::BLOCK).small().compact(true),
        ButtonWidth::Long | ButtonWidth::Short => Button::link(label),
    }
}

/// The width of [`invalidate_shown`] with the gap before it, in points.
pub(crate) fn room(ui: &Ui, cluster: &Cluster, form: ButtonWidth) -> f32 {
    let width = |count| button(form, count, &mut String::new()).room(ui);
    count_shown(cluster).map_or(0.0, |count| ui.spacing().item_spacing.x + width(count))
}

/// All that a search finds, without ticking it first.
pub(crate) fn invalidate_shown(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, form: ButtonWidth) {
    let Some(count) = count_shown(cluster) else { return };
    if button(form, count, &mut String::new()).named(&name_of(count)).show(ui).clicked() {
        view.send(Command::AskInvalidateShown);
    }
}
