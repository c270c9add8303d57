//! Rotations on screens: their next step, and the actions on them.

use eframe::egui::Ui;

use crate::{
    app::{
        Command,
        rotation::{RotationRow, dialog::RotationStep, is_interrupted},
    },
    model::{
        Timestamp,
        rotation::{Next, Outlook, Rotation, State},
        text::sanitize,
        time::expiry,
    },
    ui::{View, theme::icons, widgets::button::Button},
};

/// Describes the next step in short.
pub fn next_step(rotation: &Rotation, outlook: &Outlook, now: Timestamp) -> String {
    match outlook {
        Outlook::Next(Next::End) if matches!(rotation.state, State::Ending { .. }) => {
            "invalidating the old key was interrupted".into()
        }
        Outlook::Next(Next::End) => "due now".into(),
        Outlook::Next(Next::Make | Next::Try) => "interrupted".into(),
        Outlook::Next(Next::Wait(due)) => format!("due {}", expiry::remaining(Some(*due), now)),
        Outlook::Next(Next::Nothing) => rotation.state.word().into(),
        Outlook::OldEnded(how) => format!("the old key is {}: finish the rotation", how.word()),
        Outlook::SuccessorEnded(how) => format!("the successor is {}: cancel the rotation", how.word()),
        Outlook::Dead(words) => format!("{words}: close the rotation"),
    }
}

/// Draws the actions on a rotation, from right to left.
pub fn actions(ui: &mut Ui, view: &mut View<'_>, row: &RotationRow<'_>) {
    let rotation = row.rotation;
    let name = sanitize::shortened(&rotation.old.name, 60);
    let (profile, id) = (row.profile.clone(), rotation.id.clone());
    let cancel = match &row.outlook {
        Outlook::Dead(_) => ("Close it…", format!("Close rotation of {name}")),
        _ => ("Cancel…", format!("Cancel rotation of {name}")),
    };
    let off = view.state.read_only_on(&profile);
    if Button::link(cancel.0).named(&cancel.1).off_because(off).show(ui).clicked() {
        view.send(Command::from(RotationStep::AskCancel(profile.clone(), id.clone())));
    }
    if row.outlook.is_due() {
        let is_ended = matches!(row.outlook, Outlook::OldEnded(_));
        let (label, named) = match is_ended {
            true => ("Finish it…", format!("Finish rotation of {name}")),
            false => ("Invalidate the old key…", format!("Invalidate the old key of {name}")),
        };
        if Button::danger(label).small().icon(icons::BLOCK).named(&named).off_because(off).show(ui).clicked() {
            view.send(Command::from(RotationStep::AskEnd(profile, Some(id))));
        }
    } else if is_interrupted(&row.outlook) {
        let named = format!("Resume rotation of {name}");
        let button = Button::secondary("Resume…").small().icon(icons::PLAY_ARROW).named(&named).off_because(off);
        if button.show(ui).clicked() {
            view.send(Command::from(RotationStep::AskResume(profile, id)));
        }
    }
}
