//! Actions on all keys that a search shows.

use eframe::egui::Ui;

use crate::{
    app::{Cluster, Command},
    model::{
        text::number::thousands,
        time::status::{Status, StatusGroup},
    },
    ui::{View, theme::icons, widgets::button::Button},
};

/// Returns the number of shown keys that can be invalidated without selecting them first; `None` if nothing is
/// filtered, or if some key is selected or the search has an error.
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
    /// Full text.
    Long,
    /// Verb and number.
    Short,
    /// Icon alone.
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

/// Returns the width of [`invalidate_shown`] with the gap before it, in points.
pub(crate) fn room(ui: &Ui, cluster: &Cluster, form: ButtonWidth) -> f32 {
    let width = |count| button(form, count, &mut String::new()).room(ui);
    count_shown(cluster).map_or(0.0, |count| ui.spacing().item_spacing.x + width(count))
}

/// Draws the button that invalidates all keys a search finds, without selecting them first.
pub(crate) fn invalidate_shown(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, form: ButtonWidth) {
    let Some(count) = count_shown(cluster) else { return };
    if button(form, count, &mut String::new()).named(&name_of(count)).show(ui).clicked() {
        view.send(Command::AskInvalidateShown);
    }
}
