//! The update dialog: the form, then exactly what would change, then progress, then the outcome.

pub(super) mod form;
pub mod review;

use eframe::egui::{self, Frame, Margin, Ui};

use super::{
    frame::{self, footer, padded},
    outcome::{OutcomesView, Source, lists},
};
use crate::{
    app::{Command, DialogKind, Updating, dialogs::update::UpdateStep},
    model::{
        api_key::KeyId,
        text::number::{plural, thousands},
        update::draft::UpdateDraft,
    },
    ops::{Outcome, outcome_report::KeyOutcome},
    ui::{
        View,
        dialogs::frame::dialog,
        theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            field::Field,
            notice,
            privileges::{access_editor::AccessEditor, descriptor_editor, descriptor_editor::DescriptorEditor},
            progress::progress,
            text,
        },
    },
};

/// The dialog, with its input.
#[derive(Default)]
pub struct UpdateDialog {
    pub(super) draft: UpdateDraft,
    pub(super) rights: DescriptorEditor,
    pub(super) access: AccessEditor,
    typed: String,
    outcomes: OutcomesView,
    /// Ids of the keys that the dialog was opened for, and whether their texts were filled in.
    open_for: Option<Vec<KeyId>>,
    is_filled: bool,
    /// The draft before anything was typed.
    initial: UpdateDraft,
    /// `true` while the dialog asks whether the input may be dropped.
    pub(super) asks_to_discard: bool,
}

impl UpdateDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(plan) = view.state.dialogs.get::<Updating>() else {
            *self = Self::default();
            return;
        };
        if self.open_for.is_none() {
            self.open_for = Some(plan.keys.ids());
            descriptor_editor::forget(ctx);
        }
        if !self.is_filled
            && let Some(before) = plan.before.value()
        {
            self.is_filled = true;
            self.initial = UpdateDraft::of(&before.key);
            let expiration = std::mem::take(&mut self.draft.expiration);
            self.draft = UpdateDraft { expiration, ..self.initial.clone() };
        }
        let question = (plan.review.is_some(), plan.bulk.is_running(), plan.bulk.is_over());
        let closed = dialog(ctx, view.state, "Update keys", question, size::DIALOG_WIDE, |ui| {
            if plan.bulk.is_running() || plan.bulk.is_over() {
                self.happening(ui, view, plan);
            } else if plan.review.is_some() {
                self.review(ui, view, plan);
            } else {
                // What was typed confirmed another change.
                self.typed.clear();
                self.form(ui, view, plan);
            }
        });
        let is_form = plan.review.is_none() && !plan.bulk.is_running() && !plan.bulk.is_over();
        if closed && is_form && self.draft != self.initial {
            // A second Escape is no answer: it goes back to what was typed.
            self.asks_to_discard = !self.asks_to_discard;
        } else if closed {
            view.send(if plan.review.is_some() && !plan.bulk.is_over() {
                Command::from(UpdateStep::Back)
            } else {
                Command::CloseDialog(DialogKind::Update)
            });
        }
    }

    fn review(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let Some(review) = &plan.review else { return };
        let count = review.planned.len() as u64;
        let title = format!("Update {}", plural(count, "key"));
        head(ui, plan, &title, "Review the changes. An update can’t be undone");
        notice::hairline(ui);
        let room = (ui.ctx().content_rect().height() - 320.0).max(160.0);
        padded(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            review::ui(ui, view, plan, review, room);
        });
        let words = plan.text_to_type();
        if let Some(words) = &words {
            let p = theme::colors(ui);
            Frame::new().fill(p.warning.tint).inner_margin(Margin::symmetric(24, 12)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 6.0;
                text::line(ui, Type::Body, p.text.primary, format!("Type “{words}” to confirm"));
                Field::new("Confirmation").without_label().mono().show(ui, &mut self.typed);
            });
        }
        notice::hairline(ui);
        footer(ui, |ui| {
            let confirmed = words.is_none_or(|words| self.typed.trim() == words);
            let off = plan.obstacle().or((!confirmed).then_some("Type the text above first"));
            let label = format!("Update {}", plural(count, "key"));
            if Button::primary(&label).icon(icons::EDIT).off_because(off).show(ui).clicked() {
                view.send(Command::from(UpdateStep::Send));
            }
            let back = Button::ghost("Back").show(ui);
            if back.clicked() {
                view.send(Command::from(UpdateStep::Back));
            }
            // Enter never changes: the focus begins at what is safe.
            if ui.memory(|memory| memory.focused().is_none()) {
                back.request_focus();
            }
        });
    }

    fn happening(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let total = plan.total() as u64;
        let good = plan.bulk.outcome.as_ref().map_or(0, |own| own.done.len() + own.unchanged.len()) as u64;
        let is_complete = good == total;
        let unknown = plan.bulk.outcome.as_ref().map_or(0, Outcome::unknown) as u64;
        let (title, line) = match plan.bulk.is_over() {
            false => (format!("Updating {}", plural(total, "key")), "Each update takes the cluster about a second"),
            true if plan.bulk.is_broken => {
                ("Stopped unexpectedly".into(), "Internal error. Refresh the list to see the current state")
            }
            true if is_complete => (format!("{} updated", plural(total, "key")), "As reported by the cluster"),
            true if unknown > 0 => (
                format!("{} of {} updated, {} not known", thousands(good), plural(total, "key"), thousands(unknown)),
                "Not known whether some of them were changed: refresh the list before you continue",
            ),
            true => (
                format!("{} of {} updated", thousands(good), plural(total, "key")),
                "As reported by the cluster or, after a lost response, as shown by the key itself",
            ),
        };
        head(ui, plan, &title, line);
        padded(ui, |ui| {
            let failed = plan.bulk.outcome.as_ref().map_or(0, |own| own.failed.len());
            let settled = if plan.bulk.is_running() { plan.settled } else { good as usize + failed };
            progress(ui, settled, failed, total as usize);
            ui.spacing_mut().item_spacing.y = space::S;
            if let Some(outcome) = plan.bulk.outcome.as_ref().filter(|_| plan.bulk.is_over()) {
                let name = view.state.outcome_file_name(&plan.profile, "keys");
                let source = Source { keys: &plan.keys, exported: &plan.bulk.exported, name: &name };
                self.outcomes.ui(ui, view, &lists(outcome, KeyOutcome::Updated, "Updated"), &source);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if plan.bulk.is_running() {
                let off = plan.bulk.is_stopping().then_some("Stops after the current requests");
                let stop =
                    Button::secondary("Stop after the current requests").icon(icons::STOP_CIRCLE).off_because(off);
                if stop.show(ui).clicked() {
                    view.send(Command::from(UpdateStep::Stop));
                }
                return;
            }
            // The page of the key below has a “Close”, too.
            let close = Button::primary("Close").named("Close the update").show(ui);
            if close.clicked() {
                view.send(Command::CloseDialog(DialogKind::Update));
            }
            if ui.memory(|memory| memory.focused().is_none()) {
                close.request_focus();
            }
            let rest = plan.bulk.outcome.as_ref().map_or(0, |own| own.untouched.len());
            let label = format!("Continue with the untouched ({})", thousands(rest as u64));
            if rest > 0 && Button::secondary(&label).icon(icons::EDIT).show(ui).clicked() {
                view.send(Command::from(UpdateStep::Resume));
            }
        });
    }
}

/// Draws the head, with the id of the key if there is only one.
pub(super) fn head(ui: &mut Ui, plan: &Updating, title: &str, line: &str) {
    let id = plan.single().map(|key| key.id);
    frame::head(ui, &plan.profile, title, id.as_ref().map(KeyId::as_str), line);
}
