//! The steps of an existing rotation: its state, resuming it after an interruption, ending the old key with proof, and
//! canceling it.

use eframe::egui::{ScrollArea, Ui};
use zeroize::Zeroizing;

use crate::{
    app::{
        Command, Rotating,
        rotation::{
            dialog::{RotationStep, SecretAnswer},
            stages::{Many, Resuming},
        },
    },
    model::{
        TimeDelta, Timestamp,
        rotation::{Destination, Ended, Next, Rotation, State, Tried},
        secret::Secret,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::expiry,
    },
    ops::{
        Problem,
        rotation::{batch::BatchItem, driver::RotationReport},
    },
    ui::{
        View,
        dialogs::{
            frame::footer,
            rotation::frame::{
                RotationInput, SECRET, cancel_button, close_button, failed_mark, head, keys, length, line, moment,
                over_footer, padded, problem_banner, problem_text, proof, row,
            },
        },
        theme,
        theme::{Type, icons, space},
        widgets::{
            button::Button,
            field::Field,
            notice::{self, Tone},
            progress::progress,
            text,
        },
    },
};

/// Draws the dialog while a step of one rotation is running.
pub(crate) fn working(ui: &mut Ui, dialog: &Rotating, words: &str) {
    head(ui, dialog, words, "Each step is recorded before the next one starts");
    padded(ui, |ui| {
        let p = theme::colors(ui);
        if dialog.progress.is_empty() {
            text::line(ui, Type::Body, p.text.tertiary, "Waiting for the cluster");
        }
        dialog.progress.iter().for_each(|progress| line(ui, icons::CHECK, p.text.secondary, progress));
    });
}

/// Draws the state of a rotation after a step.
pub(crate) fn after(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, after: &Result<RotationReport, Problem>) {
    match after {
        Err(problem) => {
            head(ui, dialog, "The rotation did not finish", "");
            padded(ui, |ui| {
                problem_banner(ui, view, problem);
                let p = theme::colors(ui);
                let words = "Progress is saved: the Overview shows the rotations that can be resumed";
                text::paragraph(ui, Type::Body, p.text.secondary, words);
            });
        }
        Ok(after) => {
            let (title, words) = standing(view, &after.rotation);
            let is_stuck =
                after.problem.is_some() && matches!(after.rotation.next(Timestamp::EPOCH), Next::Make | Next::Nothing);
            let title = if is_stuck { "The rotation did not finish".to_owned() } else { title };
            head(ui, dialog, &title, &words);
            padded(ui, |ui| how_far(ui, view, after));
        }
    }
    notice::hairline(ui);
    footer(ui, |ui| {
        close_button(ui, view);
        let secret = after.as_ref().ok().and_then(|after| after.secret.as_ref());
        if secret.is_some() && Button::secondary("Try again").icon(icons::TASK_ALT).show(ui).clicked() {
            view.send(Command::from(RotationStep::TryAgain));
        }
    });
}

fn how_far(ui: &mut Ui, view: &mut View<'_>, after: &RotationReport) {
    let p = theme::colors(ui);
    let rotation = &after.rotation;
    keys(ui, rotation);
    if let Some(problem) = &after.problem {
        problem_banner(ui, view, problem);
    }
    let successor = rotation.successor().map(ToString::to_string).unwrap_or_default();
    let tried = match (&rotation.state, &after.trial) {
        (_, Some(trial)) => {
            let who = sanitize::shortened(&trial.identity.username, 40);
            Some(format!("Tested: {successor} signs in as {who} ({} ms)", trial.took))
        }
        (State::Grace { tried: Tried::Said, .. }, _) => Some("Not tested here: you confirmed that you have it".into()),
        // A rotation that is done does not say whether its successor was tested or confirmed by a person.
        (State::Grace { .. }, None) => Some(format!("Tested: {successor} signs in")),
        _ => None,
    };
    if let Some(words) = tried {
        line(ui, icons::CHECK_CIRCLE, p.success.text, &words);
    }
    let checks = after.trial.iter().flat_map(|trial| &trial.checks).filter(|check| check.meant && !check.granted);
    for check in checks.take(6) {
        let on = if check.on.is_empty() { String::new() } else { format!(" on {}", check.on.join(", ")) };
        let words =
            format!("It lacks {}{on} although its descriptors include it: its owner lacks it too", check.privilege);
        line(ui, icons::WARNING, p.warning.text, &words);
    }
    after.progress.iter().for_each(|progress| line(ui, icons::INFO, p.text.tertiary, progress));
    if let Some(how) = after.ended {
        line(ui, icons::CHECK_CIRCLE, p.success.text, &proof(view, rotation, how));
    }
}

/// Describes the state of a rotation: a short statement, and what follows from it.
fn standing(view: &View<'_>, rotation: &Rotation) -> (String, String) {
    match &rotation.state {
        State::Done { how: Ended::Invalidated, .. } => {
            ("The old key is invalidated".into(), "Its successor has taken over".into())
        }
        State::Done { .. } => ("The old key had already stopped working".into(), "No request was needed".into()),
        State::Grace { due, .. } if *due > view.state.now => {
            let left = expiry::remaining(Some(*due), view.state.now);
            let words = format!(
                "The old key is due from {} ({left}). You can then invalidate it on the Overview",
                moment(view, *due)
            );
            ("Both keys work".into(), words)
        }
        State::Grace { .. } => ("Both keys work; the old one is due".into(), "Invalidate it on the Overview".into()),
        State::Ending { .. } => (
            "The old key is not confirmed as invalidated".into(),
            "Both keys may still work. You can invalidate the old one on the Overview".into(),
        ),
        State::Abandoned { .. } => ("The old key is not changed".into(), "The rotation is canceled".into()),
        _ => ("The old key is not changed".into(), "You can resume the rotation on the Overview".into()),
    }
}

/// Draws the outcomes of several keys: failures first, then keys that were never begun, because they need action.
fn many_rows(ui: &mut Ui, view: &View<'_>, many: &Many, over: &[BatchItem], height: f32) {
    let p = theme::colors(ui);
    let name = |id: &crate::model::api_key::KeyId| {
        many.keys.iter().find(|key| key.id == *id).map(|key| key.name.as_str()).unwrap_or_default()
    };
    let (good, failed): (Vec<&BatchItem>, Vec<&BatchItem>) =
        over.iter().partition(|one| one.result.as_ref().is_ok_and(|after| after.problem.is_none()));
    let untouched = many.keys.iter().filter(|key| over.iter().all(|one| one.old != key.id));
    ScrollArea::vertical().id_salt("rotated").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.set_max_width(ui.available_width() - space::M);
        for one in failed {
            let words = one.problem().map(problem_text).unwrap_or_default();
            let (icon, color) = one.problem().map_or((icons::ERROR, p.danger.text), |problem| failed_mark(problem, p));
            row(ui, icon, color, name(&one.old), &words);
        }
        for key in untouched {
            row(ui, icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary, &key.name, "Stopped before this key: unchanged");
        }
        for one in good {
            let Ok(after) = &one.result else { continue };
            let file = one.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            let state = match after.ended {
                Some(how) => proof(view, &after.rotation, how),
                None => standing(view, &after.rotation).0,
            };
            row(
                ui,
                icons::CHECK_CIRCLE,
                p.success.text,
                name(&one.old),
                &format!("{state}. The new secret is in {file}"),
            );
        }
    });
}

impl RotationInput {
    /// Draws the rotation of several keys.
    pub(crate) fn many(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, many: &Many) {
        let total = many.keys.len() as u64;
        let good = |one: &&BatchItem| one.result.as_ref().is_ok_and(|after| after.problem.is_none());
        let title = match &many.over {
            None => format!("Rotating {}", plural(total, "key")),
            Some(Err(_)) => "Nothing was started".into(),
            Some(Ok(over)) => match over.iter().filter(good).count() as u64 {
                all if all == total => format!("{} rotated", plural(total, "key")),
                some => format!("{} of {} rotated", thousands(some), plural(total, "key")),
            },
        };
        head(ui, dialog, &title, "Keys are rotated one at a time: a failure doesn’t affect the others");
        padded(ui, |ui| {
            let failed = match &many.over {
                Some(Ok(over)) => over.len() - over.iter().filter(good).count(),
                _ => 0,
            };
            let settled = match &many.over {
                Some(Ok(over)) => over.len(),
                _ => dialog.counted,
            };
            progress(ui, settled, failed, total as usize);
            match &many.over {
                Some(Err(problem)) => problem_banner(ui, view, problem),
                Some(Ok(over)) => {
                    many_rows(ui, view, many, over, self.rows_height());
                    self.export_ui(ui, view, dialog, total);
                }
                None => (),
            }
        });
        over_footer(ui, view, dialog, "Stop after this key");
    }

    /// Draws an interrupted rotation, and asks whether the person has the successor's secret.
    pub(crate) fn resume(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, asked: &Resuming) {
        let rotation = &asked.rotation;
        let place = rotation.place.words();
        let is_file = matches!(rotation.place, Destination::File { .. });
        let may_have = matches!(rotation.state, State::HandingOver { .. } | State::HandedOver { .. });
        let line = match &rotation.state {
            State::Planned | State::Created { .. } => {
                "It was interrupted before anyone received the secret. Any key created so far is invalidated, \
                 and another successor is created"
                    .to_owned()
            }
            State::HandingOver { .. } => {
                format!(
                    "It was interrupted while the secret was being delivered to {place}: not known whether it arrived"
                )
            }
            State::HandedOver { .. } => {
                format!("The secret was delivered to {place}, but the successor has not been tested yet")
            }
            _ => "It was interrupted later: the Overview shows the next step".to_owned(),
        };
        head(ui, dialog, &format!("Resume rotation of {}", sanitize::shortened(&rotation.old.name, 50)), &line);
        notice::hairline(ui);
        padded(ui, |ui| {
            keys(ui, rotation);
            if rotation.grace == TimeDelta::ZERO {
                let title = "The old key is invalidated as soon as the successor has been tested here";
                notice::banner(ui, Tone::Warning, title, "It has no grace period. This can’t be undone", |_| ());
            } else {
                let p = theme::colors(ui);
                let words = format!("After the test, both keys work for {}", length(rotation.grace));
                text::line(ui, Type::Body, p.text.secondary, words);
            }
            if may_have {
                let help = "Encoded key, id:api_key, or a line of the configuration that contains it";
                let field = Field::new(SECRET).mono().help(help).error(asked.error.as_deref());
                field.show_password(ui, &mut self.pasted);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if may_have {
                let off = self.pasted.trim().is_empty().then_some("Paste the secret of the successor");
                if Button::primary("Try it").icon(icons::TASK_ALT).off_because(off).show(ui).clicked() {
                    let pasted = std::mem::replace(&mut self.pasted, Zeroizing::new(String::new()));
                    view.send(Command::from(RotationStep::Resume(SecretAnswer::Pasted(Secret::from(pasted)))));
                }
                if Button::secondary("I have it").show(ui).clicked() {
                    view.send(Command::from(RotationStep::Resume(SecretAnswer::Said)));
                }
                if matches!(rotation.state, State::HandingOver { .. })
                    && Button::danger("I don’t have it: create another").icon(icons::AUTORENEW).show(ui).clicked()
                {
                    view.send(Command::from(RotationStep::Resume(SecretAnswer::Not)));
                }
                if is_file && Button::secondary("Read it from the file").show(ui).clicked() {
                    view.send(Command::from(RotationStep::Resume(SecretAnswer::Unsaid)));
                }
            } else if Button::primary("Create another").icon(icons::AUTORENEW).show(ui).clicked() {
                view.send(Command::from(RotationStep::Resume(SecretAnswer::Unsaid)));
            }
            cancel_button(ui, view);
        });
    }
}
