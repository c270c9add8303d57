//! Rotations on other screens: all unfinished ones on the overview, and that of a key on its page.

use eframe::egui::{Align, Layout, ScrollArea, Ui, vec2};

use super::{key_page::fact, overview::card};
use crate::{
    app::{
        Cluster, Command,
        rotation::{RotationRole, RotationRow, dialog::RotationStep, is_interrupted, is_stuck},
    },
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        connections::profile::ProfileId,
        rotation::{
            Outlook, State,
            successor::{ROTATED_FROM, ROTATED_TO},
        },
        text::sanitize,
        time::status::Status,
    },
    ui::{
        View,
        dialogs::rotation::steps::next_words,
        theme,
        theme::{Type, icons, size},
        widgets::{
            button::Button,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of rows shown without scrolling.
const ROWS: f32 = 6.0;
/// Maximum number of unreadable files that are named.
const FILES: usize = 3;

/// Draws the card of the overview; nothing if there are no rotations and no problems.
pub(super) fn overview_card(ui: &mut Ui, view: &mut View<'_>) {
    let state = view.state;
    let rows = state.open_rotations();
    let unreadable = state.unreadable_rotations();
    let problem = state.rotations_problem();
    if rows.is_empty() && unreadable.is_empty() && problem.is_none() {
        return;
    }
    let p = theme::colors(ui);
    let due: Vec<&ProfileId> = rows.iter().filter(|row| row.outlook.is_due()).map(|row| row.profile).collect();
    card(ui, |ui| {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 34.0), Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Heading, p.text.primary, "Rotations");
            text::line(ui, Type::Body, p.text.tertiary, counted(&rows));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let [first, _, ..] = due[..]
                    && due.iter().all(|profile| *profile == first)
                    && Button::danger("End all that are due…")
                        .icon(icons::BLOCK)
                        .named("End all that are due")
                        .show(ui)
                        .clicked()
                {
                    view.send(Command::Rotate(RotationStep::AskEnd(first.clone(), None)));
                }
            });
        });
        if let Some(problem) = problem {
            notice::banner(ui, Tone::Warning, &problem.title, &problem.detail, |ui| {
                crate::ui::problem_buttons(ui, view, problem);
            });
        }
        if !unreadable.is_empty() {
            let title = match unreadable.len() {
                1 => "1 file of a rotation can’t be read and is left alone".to_owned(),
                more => format!("{more} files of rotations can’t be read and are left alone"),
            };
            let files: Vec<String> =
                unreadable.iter().take(FILES).map(|(path, why)| format!("{path}: {why}")).collect();
            notice::banner(ui, Tone::Warning, &title, &sanitize::shortened(&files.join("; "), 500), |_| ());
        }
        let room = size::ROW * ROWS;
        let list = ScrollArea::vertical().id_salt("rotations").max_height(room).auto_shrink([false, true]);
        ui.spacing_mut().item_spacing.y = 0.0;
        list.show_rows(ui, size::ROW, rows.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for row in range.filter_map(|place| rows.get(place)) {
                row_ui(ui, view, row);
            }
        });
    });
}

fn counted(rows: &[RotationRow<'_>]) -> String {
    let due = rows.iter().filter(|row| row.outlook.is_due()).count();
    let interrupted = rows.iter().filter(|row| is_interrupted(&row.outlook)).count();
    let stuck = rows.iter().filter(|row| is_stuck(&row.outlook)).count();
    let waiting = rows.len() - due - interrupted - stuck;
    let parts = [(due, "due"), (interrupted, "interrupted"), (stuck, "to be closed"), (waiting, "waiting")];
    let words = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.collect::<Vec<_>>().join(", ")
}

fn row_ui(ui: &mut Ui, view: &mut View<'_>, row: &RotationRow<'_>) {
    let p = theme::colors(ui);
    let rotation = row.rotation;
    let (icon, color) = match &row.outlook {
        outlook if outlook.is_due() => (icons::TIMER, p.danger.text),
        outlook if is_interrupted(outlook) || is_stuck(outlook) => (icons::WARNING, p.warning.text),
        _ => (icons::AUTORENEW, p.text.tertiary),
    };
    ui.allocate_ui_with_layout(vec2(ui.available_width(), size::ROW), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        text::icon(ui, Type::Icon, color, icon);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            actions(ui, view, row);
            text::line(ui, Type::Small, color, next_words(rotation, &row.outlook, view.state.now));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let narrow = ui.available_width() < 420.0;
                let most = if narrow { 24 } else { 44 };
                text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.old.name, most));
                if let Some(id) = rotation.successor().filter(|_| !narrow) {
                    text::line(ui, Type::Small, p.text.tertiary, "successor");
                    text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id.as_str(), 24));
                }
            });
        });
    });
}

/// Draws the actions on a rotation, from right to left.
fn actions(ui: &mut Ui, view: &mut View<'_>, row: &RotationRow<'_>) {
    let rotation = row.rotation;
    let name = sanitize::shortened(&rotation.old.name, 60);
    let (profile, id) = (row.profile.clone(), rotation.id.clone());
    let cancel = match &row.outlook {
        Outlook::Dead(_) => ("Close it…", format!("Close the rotation of {name}")),
        _ => ("Cancel…", format!("Cancel the rotation of {name}")),
    };
    if Button::link(cancel.0).named(&cancel.1).show(ui).clicked() {
        view.send(Command::Rotate(RotationStep::AskCancel(profile.clone(), id.clone())));
    }
    if row.outlook.is_due() {
        let is_ended = matches!(row.outlook, Outlook::OldEnded(_));
        let (label, named) = match is_ended {
            true => ("Finish it…", format!("Finish the rotation of {name}")),
            false => ("Invalidate the old key…", format!("Invalidate the old key of {name}")),
        };
        if Button::danger(label).small().icon(icons::BLOCK).named(&named).show(ui).clicked() {
            view.send(Command::Rotate(RotationStep::AskEnd(profile, Some(id))));
        }
    } else if is_interrupted(&row.outlook) {
        let named = format!("Resume the rotation of {name}");
        let button = Button::secondary("Resume…").small().icon(icons::PLAY_ARROW).named(&named);
        if button.show(ui).clicked() {
            view.send(Command::Rotate(RotationStep::AskGoOn(profile, id)));
        }
    }
}

/// Returns the reason why a key can't be rotated, if it is known beforehand.
fn hindrance(view: &View<'_>, cluster: &Cluster, key: &ApiKey) -> Option<&'static str> {
    let session = view.state.home(&key.id).and_then(|home| home.session.value());
    let underway = view
        .state
        .rotation_of(&key.id)
        .is_some_and(|(rotation, part)| part == RotationRole::Old && !rotation.is_finished());
    match (key.status(cluster.now(view.state.now)), session) {
        (Status::Invalidated | Status::Expired, _) => Some("It has ended, and there is nothing to hand over from"),
        (_, None) => Some("There is no connection"),
        (_, Some(session)) if session.own_key().is_some() => {
            Some("Signed in by an API key, no successor can be made: sign in as a user")
        }
        _ if underway => Some("It is being rotated already"),
        _ => (key.kind != KeyKind::Rest).then_some("Such a key is made by a request of its own"),
    }
}

/// Draws the button that rotates a key, on its page.
pub(super) fn button(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    let has_ended = matches!(key.status(cluster.now(view.state.now)), Status::Invalidated | Status::Expired);
    if has_ended {
        return;
    }
    let name = if cluster.selection.is_empty() { "Rotate" } else { "Rotate this key" };
    let off = hindrance(view, cluster, key);
    let button = Button::secondary("Rotate…").icon(icons::AUTORENEW).small().named(name).off_because(off);
    if button.show(ui).clicked() {
        view.send(Command::Rotate(RotationStep::Ask(vec![key.id.clone()])));
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
    let next = next_words(rotation, &outlook, state.now);
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
                    && Button::link("Open its page").named(&format!("Open the page of {id}")).show(ui).clicked()
                {
                    view.send(Command::OpenKey(Some(id.clone())));
                }
            });
        });
    });
}

/// Draws the button that rotates the selected keys, beside the other actions on a selection.
pub(super) fn rotate_selected(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    if Button::secondary("Rotate…").icon(icons::AUTORENEW).named("Rotate").show(ui).clicked() {
        view.send(Command::Rotate(RotationStep::Ask(cluster.selection.ids())));
    }
}
