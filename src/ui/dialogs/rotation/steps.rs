//! The steps of an existing rotation: its state, resuming it after an interruption, ending the old key with proof, and
//! canceling it.

use eframe::egui::{ScrollArea, Ui};
use zeroize::Zeroizing;

use super::{RotateDialog, end::failed_mark, fact, head, length, moment, padded};
use crate::{
    app::{
        Command, Rotating,
        rotation::dialog::{Many, Resuming, RotationStep, SecretAnswer},
    },
    model::{
        rotation::{Destination, Ended, Next, Outlook, Rotation, State, Tried},
        secret::Secret,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{calendar, expiry},
    },
    ops::{
        Problem,
        rotation::{batch::BatchItem, driver::RotationReport},
    },
    ui::{
        View,
        dialogs::{frame::footer, invalidate::bar},
        theme,
        theme::{Type, icons, space},
        widgets::{
            button::Button,
            field::Field,
            notice::{self, Tone},
            text,
        },
    },
};

/// Label of the field that a secret is pasted into.
pub(crate) const SECRET: &str = "Secret of the successor";

/// Draws the dialog while a step of one rotation is running.
pub(crate) fn working(ui: &mut Ui, dialog: &Rotating, words: &str) {
    head(ui, dialog, words, "Each step is written down before the next one is taken");
    padded(ui, |ui| {
        let p = theme::colors(ui);
        if dialog.progress.is_empty() {
            text::line(ui, Type::Body, p.text.tertiary, "Waiting for the cluster");
        }
        dialog.progress.iter().for_each(|progress| line(ui, icons::CHECK, p.text.secondary, progress));
    });
}

pub(crate) fn line(ui: &mut Ui, icon: &str, color: eframe::egui::Color32, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, color, icon);
        text::paragraph(ui, Type::Body, p.text.secondary, sanitize::shortened(words, 400));
    });
}

pub(crate) fn close_button(ui: &mut Ui, view: &mut View<'_>) {
    // The page of the key below has a “Close”, too.
    let close = Button::primary("Close").named("Close the rotation").show(ui);
    if close.clicked() {
        view.send(Command::Rotate(RotationStep::Close));
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
}

pub(crate) fn problem_words(problem: &Problem) -> String {
    match problem.detail.is_empty() {
        true => problem.title.clone(),
        false => format!("{}. {}", problem.title, problem.detail),
    }
}

/// Draws a problem in full, with a button for each fix.
pub(crate) fn problem_banner(ui: &mut Ui, view: &mut View<'_>, problem: &Problem) {
    let parts = [problem.detail.as_str(), problem.hint.as_str()];
    let detail: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let (title, detail) = (sanitize::shortened(&problem.title, 300), sanitize::shortened(&detail.join(". "), 600));
    notice::banner(ui, Tone::Danger, &title, &detail, |_| ());
    if !problem.fixes.is_empty() {
        ui.horizontal_wrapped(|ui| crate::ui::problem_buttons(ui, view, problem));
    }
}

/// Draws the state of a rotation after a step.
pub(crate) fn after(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, after: &Result<RotationReport, Problem>) {
    match after {
        Err(problem) => {
            head(ui, dialog, "It went no further", "");
            padded(ui, |ui| {
                problem_banner(ui, view, problem);
                let p = theme::colors(ui);
                let words = "What has been made is written down: the Overview shows rotations that wait to be resumed";
                text::paragraph(ui, Type::Body, p.text.secondary, words);
            });
        }
        Ok(after) => {
            let (title, words) = standing(view, &after.rotation);
            let is_stuck = after.problem.is_some() && matches!(after.rotation.next(0), Next::Make | Next::Nothing);
            let title = if is_stuck { "It went no further".to_owned() } else { title };
            head(ui, dialog, &title, &words);
            padded(ui, |ui| how_far(ui, view, after));
        }
    }
    notice::hairline(ui);
    footer(ui, |ui| {
        close_button(ui, view);
        let secret = after.as_ref().ok().and_then(|after| after.secret.as_ref());
        if secret.is_some() && Button::secondary("Try again").icon(icons::TASK_ALT).show(ui).clicked() {
            view.send(Command::Rotate(RotationStep::TryAgain));
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
            Some(format!("Tried: {successor} signs in as {who} ({} ms)", trial.took))
        }
        (State::Grace { tried: Tried::Said, .. }, _) => Some("It was not tried here: you say that you have it".into()),
        (State::Grace { .. } | State::Done { .. }, None) => Some(format!("Tried: {successor} signs in")),
        _ => None,
    };
    if let Some(words) = tried {
        line(ui, icons::CHECK_CIRCLE, p.success.text, &words);
    }
    let checks = after.trial.iter().flat_map(|trial| &trial.checks).filter(|check| check.meant && !check.granted);
    for check in checks.take(6) {
        let on = if check.on.is_empty() { String::new() } else { format!(" on {}", check.on.join(", ")) };
        let words = format!("It may not {}{on}, which its descriptors name: its owner may not either", check.privilege);
        line(ui, icons::WARNING, p.warning.text, &words);
    }
    after.progress.iter().for_each(|progress| line(ui, icons::INFO, p.text.tertiary, progress));
    if let Some(how) = after.ended {
        line(ui, icons::CHECK_CIRCLE, p.success.text, &proof(view, rotation, how));
    }
}

pub(crate) fn keys(ui: &mut Ui, rotation: &Rotation) {
    let p = theme::colors(ui);
    fact(ui, "Old key", |ui| {
        text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.old.name, 50));
        text::line(ui, Type::Mono, p.text.tertiary, sanitize::shortened(rotation.old.id.as_str(), 40));
    });
    fact(ui, "Successor", |ui| match rotation.successor() {
        Some(id) => {
            text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.name, 50));
            text::line(ui, Type::Mono, p.text.tertiary, sanitize::shortened(id.as_str(), 40));
        }
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "none that is known")),
    });
}

/// Describes the state of a rotation: a short statement, and what follows from it.
fn standing(view: &View<'_>, rotation: &Rotation) -> (String, String) {
    match &rotation.state {
        State::Done { how: Ended::Invalidated, .. } => {
            ("The old key is ended".into(), "Its successor works in its place".into())
        }
        State::Done { .. } => ("The old key had ended already".into(), "Nothing was sent for it".into()),
        State::Grace { due, .. } if *due > view.state.now => {
            let left = expiry::remaining(Some(*due), view.state.now);
            let words = format!(
                "From {} on ({left}) the old key is due: the Overview shows it, and ends it when you say so",
                moment(view, *due)
            );
            ("Both keys work".into(), words)
        }
        State::Grace { .. } => ("Both keys work, and the old one is due".into(), "The Overview ends it".into()),
        State::Ending { .. } => (
            "The old key was not seen to be ended".into(),
            "Both keys may still work. It can be ended from the Overview".into(),
        ),
        State::Abandoned { .. } => ("The old key stays as it is".into(), "The rotation is canceled".into()),
        _ => ("The old key stays as it is".into(), "The Overview shows the rotation: it can be resumed".into()),
    }
}

pub(crate) fn proof(view: &View<'_>, rotation: &Rotation, how: Ended) -> String {
    let at = match rotation.state {
        State::Done { proved_at, .. } => calendar::clock(proved_at, &view.state.zone),
        _ => String::new(),
    };
    how.proof(&rotation.old.id, &at)
}

/// Draws the rotation of several keys.
pub(crate) fn many(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, many: &Many) {
    let total = many.keys.len() as u64;
    let good = |one: &&BatchItem| one.result.as_ref().is_ok_and(|after| after.problem.is_none());
    let title = match &many.over {
        None => format!("Rotating {}", plural(total, "key")),
        Some(Err(_)) => "Nothing was begun".into(),
        Some(Ok(over)) => match over.iter().filter(good).count() as u64 {
            all if all == total => format!("{} rotated", plural(total, "key")),
            some => format!("{} of {} rotated", thousands(some), plural(total, "key")),
        },
    };
    head(ui, dialog, &title, "One after the other: a failure of one leaves the others");
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
            Some(Ok(over)) => many_rows(ui, view, many, over),
            None => (),
        }
    });
    over_footer(ui, view, dialog, "Stop after this key");
}

pub(crate) fn progress(ui: &mut Ui, settled: usize, failed: usize, total: usize) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        text::line(ui, Type::Display, p.text.primary, thousands(settled as u64));
        text::line(ui, Type::Body, p.text.tertiary, format!("of {}", thousands(total as u64)));
    });
    bar(ui, settled.saturating_sub(failed), failed, total);
}

pub(crate) fn over_footer(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, stop: &str) {
    notice::hairline(ui);
    footer(ui, |ui| {
        if !dialog.is_running() {
            return close_button(ui, view);
        }
        let off = dialog.stopping.then_some("It stops after what is on its way");
        if Button::secondary(stop).icon(icons::STOP_CIRCLE).off_because(off).show(ui).clicked() {
            view.send(Command::Rotate(RotationStep::Stop));
        }
    });
}

/// Draws the outcomes of several keys: failures first, then keys that were never begun, because they need action.
fn many_rows(ui: &mut Ui, view: &View<'_>, many: &Many, over: &[BatchItem]) {
    let p = theme::colors(ui);
    let name = |id: &crate::model::api_key::KeyId| {
        many.keys.iter().find(|(own, _)| own == id).map(|(_, name)| name.as_str()).unwrap_or_default()
    };
    let (good, failed): (Vec<&BatchItem>, Vec<&BatchItem>) =
        over.iter().partition(|one| one.result.as_ref().is_ok_and(|after| after.problem.is_none()));
    let untouched = many.keys.iter().filter(|(id, _)| over.iter().all(|one| one.old != *id));
    ScrollArea::vertical().id_salt("rotated").max_height(260.0).auto_shrink([false, true]).show(ui, |ui| {
        ui.set_max_width(ui.available_width() - space::M);
        for one in failed {
            let words = one.problem().map(problem_words).unwrap_or_default();
            let mark = one.problem().map_or((icons::ERROR, p.danger.text), |problem| failed_mark(problem, p));
            row(ui, mark, name(&one.old), &words);
        }
        for (_, name) in untouched {
            row(ui, (icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary), name, "It was stopped before: as it was");
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
                (icons::CHECK_CIRCLE, p.success.text),
                name(&one.old),
                &format!("{state}. Its secret is in {file}"),
            );
        }
    });
}

pub(crate) fn row(ui: &mut Ui, (icon, color): (&str, eframe::egui::Color32), name: &str, words: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, color, icon);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(name, 60));
            text::paragraph(ui, Type::Small, p.text.secondary, sanitize::shortened(words, 400));
        });
    });
}

impl RotateDialog {
    /// Draws an interrupted rotation, and asks whether the person has the successor's secret.
    pub(crate) fn go_on(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, asked: &Resuming) {
        let rotation = &asked.rotation;
        let place = rotation.place.words();
        let is_file = matches!(rotation.place, Destination::File { .. });
        let may_have = matches!(rotation.state, State::HandingOver { .. } | State::HandedOver { .. });
        let line = match &rotation.state {
            State::Planned | State::Created { .. } => {
                "It was interrupted before anybody was told the secret. What was made is ended, and another successor is \
                 made"
                    .to_owned()
            }
            State::HandingOver { .. } => {
                format!("It was interrupted while the secret went to {place}: it is not known whether it arrived")
            }
            State::HandedOver { .. } => format!("The secret went to {place}, and the successor was not tried yet"),
            _ => "It was interrupted later: the Overview shows what comes next".to_owned(),
        };
        head(ui, dialog, &format!("Resume the rotation of {}", sanitize::shortened(&rotation.old.name, 50)), &line);
        notice::hairline(ui);
        padded(ui, |ui| {
            keys(ui, rotation);
            if rotation.grace == 0 {
                let title = "The old key is invalidated as soon as the successor was tried here";
                notice::banner(ui, Tone::Warning, title, "It has no grace period. This can’t be undone", |_| ());
            } else {
                let p = theme::colors(ui);
                let words = format!("When it was tried both keys work for {}", length(rotation.grace));
                text::line(ui, Type::Body, p.text.secondary, words);
            }
            if may_have {
                let help = "Encoded, id:api_key, or a line of the configuration that it was put into";
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
                    view.send(Command::Rotate(RotationStep::GoOn(SecretAnswer::Pasted(Secret::from(pasted)))));
                }
                if Button::secondary("I have it").show(ui).clicked() {
                    view.send(Command::Rotate(RotationStep::GoOn(SecretAnswer::Said)));
                }
                if matches!(rotation.state, State::HandingOver { .. })
                    && Button::danger("I don’t have it: make another").icon(icons::AUTORENEW).show(ui).clicked()
                {
                    view.send(Command::Rotate(RotationStep::GoOn(SecretAnswer::Not)));
                }
                if is_file && Button::secondary("Look into the file").show(ui).clicked() {
                    view.send(Command::Rotate(RotationStep::GoOn(SecretAnswer::Unsaid)));
                }
            } else if Button::primary("Make another").icon(icons::AUTORENEW).show(ui).clicked() {
                view.send(Command::Rotate(RotationStep::GoOn(SecretAnswer::Unsaid)));
            }
            cancel_button(ui, view);
        });
    }
}

pub(crate) fn cancel_button(ui: &mut Ui, view: &mut View<'_>) {
    dismiss_button(ui, view, "Cancel");
}

/// Draws a button that closes the dialog without doing anything.
pub(crate) fn dismiss_button(ui: &mut Ui, view: &mut View<'_>, label: &str) {
    let cancel = Button::ghost(label).show(ui);
    if cancel.clicked() {
        view.send(Command::Rotate(RotationStep::Close));
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        cancel.request_focus();
    }
}

/// Describes the next step in short.
pub(in crate::ui) fn next_words(rotation: &Rotation, outlook: &Outlook, now: crate::model::Millis) -> String {
    match outlook {
        Outlook::Next(Next::End) if matches!(rotation.state, State::Ending { .. }) => {
            "the end of the old key was interrupted".into()
        }
        Outlook::Next(Next::End) => "due now".into(),
        Outlook::Next(Next::Make | Next::Try) => "interrupted".into(),
        Outlook::Next(Next::Wait(due)) => format!("due {}", expiry::remaining(Some(*due), now)),
        Outlook::Next(Next::Nothing) => rotation.state.word().into(),
        Outlook::OldEnded(how) => format!("the old key is {}: finish it", how.word()),
        Outlook::SuccessorEnded(how) => format!("the successor is {}: cancel it", how.word()),
        Outlook::Dead(words) => format!("{words}: close it"),
    }
}
