//! The update dialog: the form, then exactly what would change, then progress, then the outcome.

pub(super) mod form;
pub mod review;

use eframe::egui::{self, Frame, Margin, Ui};

use super::{
    dialog,
    frame::{self, footer, padded},
    invalidate::bar,
    outcome::{FatesView, List, Source, failures},
};
use crate::{
    app::{Command, Updating, dialogs::update::UpdateStep},
    model::{
        api_key::KeyId,
        text::number::{plural, thousands},
        update::draft::UpdateDraft,
    },
    ops::{
        outcome_report::{KeyOutcome, KeyOutcomeRow},
        update::UpdateOutcome,
    },
    ui::{
        View, theme,
        theme::{Type, icons, size, space},
        widgets::{
            access_editor::AccessEditor, button::Button, descriptor_editor, descriptor_editor::DescriptorEditor,
            field::Field, notice, text,
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
    outcomes: FatesView,
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
        let Some(plan) = &view.state.updating else {
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
        let question = (plan.review.is_some(), plan.is_running(), plan.is_over());
        let closed = dialog(ctx, view.state, "Update keys", question, size::DIALOG_WIDE, |ui| {
            if plan.is_running() || plan.is_over() {
                self.happening(ui, view, plan);
            } else if plan.review.is_some() {
                self.review(ui, view, plan);
            } else {
                // What was typed confirmed another change.
                self.typed.clear();
                self.form(ui, view, plan);
            }
        });
        let is_form = plan.review.is_none() && !plan.is_running() && !plan.is_over();
        if closed && is_form && self.draft != self.initial {
            // A second Escape is no answer: it goes back to what was typed.
            self.asks_to_discard = !self.asks_to_discard;
        } else if closed {
            view.send(Command::Update(if plan.review.is_some() && !plan.is_over() {
                UpdateStep::Back
            } else {
                UpdateStep::Close
            }));
        }
    }

    fn review(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let Some(review) = &plan.review else { return };
        let count = review.planned.len() as u64;
        let title = format!("Update {}", plural(count, "key"));
        head(ui, plan, &title, "Exactly this will change. An update can’t be undone, only followed by another");
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
            let off = plan.obstacle().or((!confirmed).then_some("Type the words above first"));
            let label = format!("Update {}", plural(count, "key"));
            if Button::primary(&label).icon(icons::EDIT).off_because(off).show(ui).clicked() {
                view.send(Command::Update(UpdateStep::Send));
            }
            let back = Button::ghost("Back").show(ui);
            if back.clicked() {
                view.send(Command::Update(UpdateStep::Back));
            }
            // Enter never changes: the focus begins at what is safe.
            if ui.memory(|memory| memory.focused().is_none()) {
                back.request_focus();
            }
        });
    }

    fn happening(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let total = plan.total() as u64;
        let good = plan.outcome.as_ref().map_or(0, |own| own.updated.len() + own.unchanged.len()) as u64;
        let is_complete = good == total;
        let unknown = plan.outcome.as_ref().map_or(0, UpdateOutcome::unknown) as u64;
        let (title, line) = match plan.is_over() {
            false => (format!("Updating {}", plural(total, "key")), "Each takes the cluster about a second to write"),
            true if plan.is_broken => {
                ("Broken off".into(), "Keybearer made a mistake. Refresh the list to see what is true")
            }
            true if is_complete => (format!("{} updated", plural(total, "key")), "As the cluster confirmed for each"),
            true if unknown > 0 => (
                format!("{} of {} updated, {} not known", thousands(good), plural(total, "key"), thousands(unknown)),
                "Whether some of them were changed is not known: refresh the list before you go on",
            ),
            true => (
                format!("{} of {} updated", thousands(good), plural(total, "key")),
                "As the cluster confirmed for each or, after a lost answer, as the key itself shows",
            ),
        };
        head(ui, plan, &title, line);
        padded(ui, |ui| {
            let p = theme::colors(ui);
            let failed = plan.outcome.as_ref().map_or(0, |own| own.failed.len());
            let settled = if plan.is_running() { plan.settled } else { good as usize + failed };
            ui.horizontal(|ui| {
                text::line(ui, Type::Display, p.text.primary, thousands(settled as u64));
                text::line(ui, Type::Body, p.text.tertiary, format!("of {}", thousands(total)));
            });
            bar(ui, settled.saturating_sub(failed), failed, total as usize);
            ui.spacing_mut().item_spacing.y = space::S;
            if let Some(outcome) = plan.outcome.as_ref().filter(|_| plan.is_over()) {
                let name = view.state.outcome_file_name(&plan.profile, "keys");
                let source = Source { keys: &plan.keys, exported: &plan.exported, name: &name };
                self.outcomes.ui(ui, view, &lists(outcome), &source);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if plan.is_running() {
                let off = plan.stopping.then_some("It stops after what is on its way");
                let stop = Button::secondary("Stop after what is on its way").icon(icons::STOP_CIRCLE).off_because(off);
                if stop.show(ui).clicked() {
                    view.send(Command::Update(UpdateStep::Stop));
                }
                return;
            }
            // The page of the key below has a “Close”, too.
            let close = Button::primary("Close").named("Close the update").show(ui);
            if close.clicked() {
                view.send(Command::Update(UpdateStep::Close));
            }
            if ui.memory(|memory| memory.focused().is_none()) {
                close.request_focus();
            }
            let rest = plan.outcome.as_ref().map_or(0, |own| own.untouched.len());
            let label = format!("Go on with the untouched ({})", thousands(rest as u64));
            if rest > 0 && Button::secondary(&label).icon(icons::EDIT).show(ui).clicked() {
                view.send(Command::Update(UpdateStep::GoOn));
            }
        });
    }
}

/// Returns the lists of outcomes. Failures come first because they need action.
fn lists(outcome: &UpdateOutcome) -> [List<'_>; 5] {
    fn plain<'a>(outcome: KeyOutcome, word: &'a str, ids: &'a [KeyId]) -> List<'a> {
        let row =
            move |at: usize| -> Option<KeyOutcomeRow> { ids.get(at).map(|id| (outcome, id.clone(), String::new())) };
        List { outcome, word, count: ids.len(), row: Box::new(row) }
    }
    let [failed, unknown] = failures(&outcome.failed);
    [
        failed,
        unknown,
        plain(KeyOutcome::Untouched, "Untouched", &outcome.untouched),
        plain(KeyOutcome::Updated, "Updated", &outcome.updated),
        plain(KeyOutcome::Unchanged, "Unchanged", &outcome.unchanged),
    ]
}

/// Draws the head, with the id of the key if there is only one.
pub(super) fn head(ui: &mut Ui, plan: &Updating, title: &str, line: &str) {
    let id = plan.single().map(|key| key.id);
    frame::head(ui, &plan.profile, title, id.as_ref().map(KeyId::as_str), line);
}
