//! Actions on all keys that a search shows.

use eframe::egui::{self, Align, Layout, Ui, UiBuilder, vec2};

use crate::{
    app::{Cluster, Command, InvalidateStep, dialogs::update::UpdateStep, rotation::dialog::RotationStep},
    model::{
        text::number::thousands,
        time::status::{Status, StatusGroup},
    },
    ui::{
        View,
        theme::{self, Type, icons},
        widgets::{button::Button, text},
    },
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
    format!("Invalidate the {} matching", thousands(count as u64))
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
    let off = view.state.read_only();
    if button(form, count, &mut String::new()).named(&name_of(count)).off_because(off).show(ui).clicked() {
        view.send(Command::from(InvalidateStep::AskShown));
    }
}

/// Draws the button that rotates the selected keys, beside the other actions on a selection.
pub(super) fn rotate_selected(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let off = view.state.read_only();
    if Button::secondary("Rotate…").icon(icons::AUTORENEW).named("Rotate").off_because(off).show(ui).clicked() {
        view.send(Command::from(RotationStep::Ask(cluster.selection.ids())));
    }
}

/// Draws the bar with the actions on the selected keys.
pub(crate) fn action_bar(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let p = theme::colors(ui);
    let rect = ui.max_rect().expand2(vec2(20.0, 0.0));
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, egui::Stroke::new(1.0, p.stroke.divider));
    ui.scope_builder(UiBuilder::new().max_rect(ui.max_rect()).layout(Layout::left_to_right(Align::Center)), |ui| {
        text::line(ui, Type::Strong, p.text.primary, format!("{} selected", thousands(cluster.selection.len() as u64)));
        if Button::link("Clear").named("Clear selection").show(ui).clicked() {
            view.send(Command::SelectNone);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let off = view.state.read_only();
            let invalidate = Button::danger("Invalidate…").icon(icons::BLOCK).named("Invalidate").off_because(off);
            if invalidate.show(ui).clicked() {
                view.send(Command::from(InvalidateStep::Ask(cluster.selection.ids())));
            }
            if Button::secondary("Update…").icon(icons::EDIT).named("Update").off_because(off).show(ui).clicked() {
                view.send(Command::from(UpdateStep::Ask(cluster.selection.ids())));
            }
            rotate_selected(ui, view, cluster);
        });
    });
}
