//! Ending the old keys that are due, and canceling a rotation: the plan first, then the outcome.

use eframe::egui::{ScrollArea, Ui};

use crate::{
    app::{
        Command, Rotating,
        rotation::{
            dialog::RotationStep,
            is_stuck,
            stages::{Canceling, EndingOldKeys},
        },
    },
    model::{
        rotation::{Ended, KeyState, Outlook, Rotation, State, Tried},
        text::{
            number::{plural, thousands},
            sanitize, sentence,
        },
    },
    ops::{
        Problem,
        rotation::{EndOutcome, EndPlan},
    },
    ui::{
        View,
        dialogs::{
            frame::footer,
            rotation::frame::{
                RotationInput, cancel_button, close_button, dismiss_button, failed_mark, head, is_unknown, keys, line,
                over_footer, padded, problem_banner, problem_text, proof, row,
            },
        },
        theme,
        theme::{Type, icons, space},
        widgets::{
            button::Button,
            confirm::{checkbox, type_to_confirm},
            notice,
            progress::progress,
            text,
        },
    },
};

impl RotationInput {
    fn ended(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ending: &EndingOldKeys) {
        let total = ending.rotations.len();
        let outcomes = match &ending.over {
            Some(Ok(outcomes)) => outcomes.as_slice(),
            _ => &[],
        };
        let done = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
        let title = match &ending.over {
            None => format!("Invalidating {}", plural(total as u64, "old key")),
            Some(_) => ended_title(outcomes, total),
        };
        head(ui, dialog, &title, "Each key is invalidated by its id and read back to verify");
        padded(ui, |ui| {
            let settled = if ending.over.is_some() { outcomes.len() } else { dialog.counted };
            progress(ui, settled, outcomes.len() - done, total);
            if let Some(Err(problem)) = &ending.over {
                problem_banner(ui, view, problem);
            }
            let p = theme::colors(ui);
            let outcome_of =
                |rotation: &Rotation| outcomes.iter().find(|outcome: &&EndOutcome| outcome.id == rotation.id);
            ScrollArea::vertical().id_salt("ended").max_height(self.rows_height()).auto_shrink([false, true]).show(
                ui,
                |ui| {
                    ui.set_max_width(ui.available_width() - space::M);
                    for rotation in ending.rotations.iter().filter(|_| ending.over.is_some()) {
                        let ((icon, color), words) = match outcome_of(rotation).map(|outcome| &outcome.result) {
                            Some(Ok((rotation, how))) => {
                                ((icons::CHECK_CIRCLE, p.success.text), proof(view, rotation, *how))
                            }
                            Some(Err(problem)) => (failed_mark(problem, p), problem_text(problem)),
                            None => ((icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary), "Not sent: unchanged".into()),
                        };
                        row(ui, icon, color, &rotation.old.name, &words);
                    }
                },
            );
            if let Some(Ok(_)) = &ending.over {
                self.export_ui(ui, view, dialog, total as u64);
            }
        });
        over_footer(ui, view, dialog, "Stop after this key");
    }

    /// Draws the old keys that are due, and then their outcomes.
    pub(crate) fn end(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ending: &EndingOldKeys) {
        let count = ending.meant().count() as u64;
        if dialog.is_running() || ending.over.is_some() {
            return self.ended(ui, view, dialog, ending);
        }
        let title = match count {
            0 => "No old key can be invalidated".to_owned(),
            _ => format!("Invalidate {}", plural(count, "old key")),
        };
        let words = match count {
            0 => "See the reason next to each key",
            _ => {
                "Successors are checked first. Clients that use an old key get 401 errors immediately. This can’t be \
                 undone"
            }
        };
        head(ui, dialog, &title, words);
        notice::hairline(ui);
        padded(ui, |ui| {
            ScrollArea::vertical().id_salt("due").max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - space::M);
                ending.rotations.iter().for_each(|rotation| due_row(ui, view, dialog, ending, rotation));
            });
            // A line in any case, so that nothing moves when it is known.
            let last_use = match ending.looked.value().map(|looked| &looked.uses) {
                None if ending.looked.is_loading() => "checking…".to_owned(),
                None => "could not be checked".to_owned(),
                Some(Ok(_)) => "see each key".to_owned(),
                Some(Err(why)) => why.to_string(),
            };
            let p = theme::colors(ui);
            text::paragraph(ui, Type::Small, p.text.tertiary, format!("Last use of the old keys: {last_use}"));
        });
        let words = ending.text_to_type();
        if let Some(words) = &words {
            type_to_confirm(ui, theme::colors(ui).warning.tint, words, &mut self.typed);
        }
        notice::hairline(ui);
        footer(ui, |ui| {
            let confirmed = words.is_none_or(|words| self.typed.trim() == words);
            let off = ending.obstacle().or((!confirmed).then_some("Type the text above first"));
            if count > 0 && Button::destroy(&title).icon(icons::BLOCK).off_because(off).show(ui).clicked() {
                view.send(Command::from(RotationStep::End));
            }
            cancel_button(ui, view);
        });
    }
}

fn due_row(ui: &mut Ui, view: &View<'_>, dialog: &Rotating, ending: &EndingOldKeys, rotation: &Rotation) {
    let p = theme::colors(ui);
    let now = view.state.clusters.iter().find(|cluster| cluster.profile.id == dialog.profile.id);
    let now = now.map_or(view.state.now, |cluster| cluster.now(view.state.now));
    let successor = rotation.successor().map(ToString::to_string).unwrap_or_default();
    let last = match ending.looked.value().map(|looked| &looked.uses) {
        Some(Ok(uses)) => format!("; last use: {}", uses.words(&rotation.old.id, now, &view.state.zone)),
        _ => String::new(),
    };
    let said = match rotation.state {
        State::Grace { tried: Tried::Said, .. } | State::Ending { tried: Tried::Said, .. } => {
            ", which was never tested from here"
        }
        _ => "",
    };
    let words = format!("Its successor is {}{said}{last}", sanitize::shortened(&successor, 40));
    let (icon, color, words) = match ending.plan(rotation) {
        Some(Err(problem)) => {
            let words = sanitize::shortened(&problem_text(problem), 400);
            (icons::ERROR, p.danger.text, format!("Left unchanged: {words}"))
        }
        Some(Ok(EndPlan::File(how))) => {
            let how = if *how == Ended::Gone { "deleted" } else { "already invalidated" };
            (icons::CHECK, p.text.secondary, format!("It is {how}, so nothing is sent. {words}"))
        }
        Some(Ok(EndPlan::Invalidate)) | None => (icons::BLOCK, p.danger.text, words),
    };
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::IconSmall, color, icon);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.horizontal(|ui| {
                text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.old.name, 40));
                text::line(ui, Type::Mono, p.text.secondary, sanitize::shortened(rotation.old.id.as_str(), 32));
            });
            text::paragraph(ui, Type::Small, p.text.secondary, words);
        });
    });
}

/// Returns the headline after ending old keys; only keys that this run invalidated are called ended.
fn ended_title(outcomes: &[EndOutcome], total: usize) -> String {
    let count = |wanted: &[Ended]| {
        let ended = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
        ended.filter(|(_, how)| wanted.contains(how)).count()
    };
    let invalidated = count(&[Ended::Invalidated]);
    let before = count(&[Ended::Before, Ended::Gone]);
    let unknown = outcomes.iter().filter(|outcome| outcome.result.as_ref().is_err_and(is_unknown)).count();
    let old_keys = plural(total as u64, "old key");
    let first = match invalidated {
        all if all == total => format!("{old_keys} invalidated"),
        some => format!("{} of {old_keys} invalidated", thousands(some as u64)),
    };
    let rest = [(before, "already inactive"), (unknown, "not known")];
    let rest = rest.iter().filter(|(count, _)| *count > 0);
    rest.fold(first, |words, (count, what)| format!("{words}, {} {what}", thousands(*count as u64)))
}

/// Draws what canceling would do. If neither key works any more, there is nothing to choose and nothing is sent.
pub(crate) fn cancel(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, canceling: &Canceling) {
    let Canceling { rotation, keep, looked } = canceling;
    let keep = *keep;
    let plan = looked.value().map(|plans| plans.of(keep));
    let problem = looked.problem().or(plan.and_then(|plan| plan.as_ref().err()));
    let outlook = view.state.outlook(&dialog.profile.id, rotation);
    let is_dead = matches!(outlook, Outlook::Dead(_));
    let name = sanitize::shortened(&rotation.old.name, 40);
    let (title, line, label) = match is_dead {
        true => (format!("Close rotation of {name}"), "Neither key works anymore", "Close rotation"),
        false => (format!("Cancel rotation of {name}"), "The old key is not changed", "Cancel rotation"),
    };
    head(ui, dialog, &title, line);
    notice::hairline(ui);
    padded(ui, |ui| {
        keys(ui, rotation);
        let p = theme::colors(ui);
        let outcome = match (&outlook, rotation.successor()) {
            (Outlook::Dead(words), _) => format!("{}: close the rotation", sentence::capitalized(words)),
            (_, None) => "Any key created for it is invalidated: nobody knows its secret".to_owned(),
            (Outlook::SuccessorEnded(how), Some(new)) => format!("Its successor {new} is already {}", how.word()),
            (_, Some(new)) if keep => {
                format!("Its successor {new} also stays valid: two keys with the same privileges")
            }
            (_, Some(new)) => {
                format!(
                    "Its successor {new} is permanently invalidated: clients that use it immediately get 401 errors"
                )
            }
        };
        match problem {
            Some(problem) => problem_banner(ui, view, problem),
            None => drop(text::paragraph(ui, Type::Body, p.text.primary, sanitize::shortened(&outcome, 300))),
        }
        if plan.and_then(|plan| plan.as_ref().ok()).is_some_and(|plan| plan.old == KeyState::Unknown) {
            let words = "Not known whether the old key works: you don’t have permission to see it";
            text::paragraph(ui, Type::Body, p.warning.text, words);
        }
        let may_choose = rotation.successor().is_some() && !is_stuck(&outlook);
        if may_choose && checkbox(ui, keep, "Keep the successor valid") {
            view.send(Command::from(RotationStep::Keep(!keep)));
        }
    });
    notice::hairline(ui);
    footer(ui, |ui| {
        let off = match problem {
            _ if looked.is_loading() => Some("Still checking"),
            Some(_) => Some("This would be refused"),
            None => None,
        };
        if Button::destroy(label).icon(icons::UNDO).off_because(off).show(ui).clicked() {
            view.send(Command::from(RotationStep::Cancel));
        }
        // “Cancel” would be the rotation's own.
        dismiss_button(ui, view, "Go back");
    });
}

/// Draws the outcome of canceling.
pub(crate) fn canceled(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, result: &Result<Rotation, Problem>) {
    match result {
        Ok(rotation) => {
            let words = match &rotation.state {
                State::Abandoned { kept: true, .. } => "Its successor stays valid",
                _ => "Nothing left to do",
            };
            head(ui, dialog, "The rotation is canceled", words);
            padded(ui, |ui| {
                keys(ui, rotation);
                dialog
                    .progress
                    .iter()
                    .for_each(|progress| line(ui, icons::INFO, theme::colors(ui).text.tertiary, progress));
            });
        }
        Err(problem) => {
            head(ui, dialog, "The rotation could not be canceled", "");
            padded(ui, |ui| problem_banner(ui, view, problem));
        }
    }
    notice::hairline(ui);
    footer(ui, |ui| close_button(ui, view));
}
