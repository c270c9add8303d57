//! The rotation of a key, on its page.

use eframe::egui::Ui;

use crate::{
    app::{
        Cluster, Command,
        rotation::{RotationRole, RotationRow, dialog::RotationStep},
    },
    model::{
        api_key::{ApiKey, KeyId},
        rotation::{
            Outlook, State,
            successor::{ROTATED_FROM, ROTATED_TO},
        },
        text::sanitize,
        time::status::Status,
    },
    ui::{
        View,
        components::{
            facts::fact,
            rotation::{actions, next_step},
        },
        theme::{self, Type, icons},
        widgets::{button::Button, text},
    },
};

/// Draws the button that rotates a key, on its page.
pub(super) fn button(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    let has_ended = matches!(key.status(cluster.now(view.state.now)), Status::Invalidated | Status::Expired);
    if has_ended {
        return;
    }
    let name = if cluster.selection.is_empty() { "Rotate" } else { "Rotate this key" };
    let off = view.state.why_not_rotate(key);
    let button = Button::secondary("Rotate…").icon(icons::AUTORENEW).small().named(name).off_because(off.as_deref());
    if button.show(ui).clicked() {
        view.send(Command::from(RotationStep::Ask(vec![key.id.clone()])));
    }
}

/// Draws the rotation of a key and its next step.
pub(super) fn key_line(ui: &mut Ui, view: &mut View<'_>, key: &ApiKey) {
    let state = view.state;
    let Some((rotation, part)) = state.rotation_of(&key.id) else { return by_metadata(ui, view, key) };
    if matches!(rotation.state, State::Abandoned { kept: false, .. }) {
        return;
    }
    let home = state.home(&key.id);
    let outlook =
        home.map_or(Outlook::Next(rotation.next(state.now)), |home| state.outlook(&home.profile.id, rotation));
    let next = next_step(rotation, &outlook, state.now);
    let old = &rotation.old.id;
    let (words, other) = match (part, rotation.successor()) {
        (RotationRole::Old, Some(id)) if rotation.is_finished() => (format!("Successor {id}"), Some(id)),
        (RotationRole::Old, Some(id)) => (format!("Successor {id}, {next}"), Some(id)),
        (RotationRole::Old, None) => (next, None),
        (RotationRole::Successor, _) if rotation.is_finished() => (format!("Successor of {old}"), Some(old)),
        (RotationRole::Successor, _) => (format!("Successor of {old} ({next})"), Some(old)),
    };
    let home = home.filter(|_| !rotation.is_finished());
    let row = home.map(|home| RotationRow { profile: &home.profile.id, rotation, outlook: outlook.clone() });
    line(ui, view, &words, other, row.as_ref());
}

/// Draws the successor and predecessor from the key's metadata, for rotations that this machine has no record of.
fn by_metadata(ui: &mut Ui, view: &mut View<'_>, key: &ApiKey) {
    let said = key.metadata_map();
    let id = |name: &str| said.get(name).and_then(|value| value.as_str()).map(KeyId::new);
    if let Some(new) = id(ROTATED_TO) {
        line(ui, view, &format!("Successor {new}"), Some(&new), None);
    }
    if let Some(old) = id(ROTATED_FROM) {
        line(ui, view, &format!("Successor of {old}"), Some(&old), None);
    }
}

fn line(ui: &mut Ui, view: &mut View<'_>, words: &str, other: Option<&KeyId>, row: Option<&RotationRow<'_>>) {
    let p = theme::colors(ui);
    fact(ui, "Rotation", |ui| {
        ui.vertical(|ui| {
            text::paragraph(ui, Type::Body, p.text.primary, sanitize::shortened(words, 160));
            let is_there = other.filter(|id| view.state.cluster().is_some_and(|cluster| cluster.key(id).is_some()));
            ui.horizontal_wrapped(|ui| {
                if let Some(row) = row {
                    actions(ui, view, row);
                }
                if let Some(id) = is_there
                    && Button::link("Open key page").named(&format!("Open the page of {id}")).show(ui).clicked()
                {
                    view.send(Command::OpenKey(Some(id.clone())));
                }
            });
        });
    });
}
