//! The invalidation dialog: exactly what will happen, by id; then progress; then the proof.

mod outcome;
mod preview;

use eframe::egui::{self, Align, Layout, ScrollArea, Ui};

use super::{
    frame::{footer, head, padded},
    outcome::{OutcomesView, Source, lists},
};
use crate::{
    app::{Command, DialogKind, InvalidateStep, Invalidation},
    model::{
        api_key::KeyId,
        text::{
            number::{plural, thousands},
            sanitize,
        },
    },
    ops::outcome_report::KeyOutcome,
    ui::{
        View,
        dialogs::{
            frame::dialog,
            invalidate::{
                outcome::{latest, over_buttons, tally},
                preview::{counts, keys, last_use, left_out},
            },
        },
        theme,
        theme::{Type, icons, size, space},
        widgets::{button::Button, confirm::type_to_confirm, notice, progress::progress, text},
    },
};

/// Height above and below the content, with the margins of the window, in points; and the height of the confirmation
/// field.
const AROUND: f32 = 270.0;
const CONFIRMATION: f32 = 92.0;

/// The dialog, with the confirmation that is being typed.
#[derive(Default)]
pub struct InvalidateDialog {
    typed: String,
    outcomes: OutcomesView,
    was_open: bool,
}

impl InvalidateDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(plan) = view.state.dialogs.get::<Invalidation>() else {
            self.was_open = false;
            return;
        };
        if !std::mem::replace(&mut self.was_open, true) {
            self.typed.clear();
            self.outcomes = OutcomesView::default();
        }
        let closed = dialog(
            ctx,
            view.state,
            "Keys to invalidate",
            (plan.bulk.is_running(), plan.bulk.is_over()),
            size::DIALOG,
            |ui| {
                if plan.bulk.is_running() || plan.bulk.is_over() {
                    self.happening(ui, view, plan);
                } else {
                    self.plan(ui, view, plan);
                }
            },
        );
        if closed {
            view.send(Command::CloseDialog(DialogKind::Invalidate));
        }
    }

    fn plan(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
        let count = plan.count() as u64;
        let whom = if count == 1 { "it" } else { "them" };
        let line = format!("Clients that use {whom} get 401 errors immediately. This can’t be undone");
        head(ui, &plan.profile, &format!("Invalidate {}", plural(count, "key")), None, &line);
        notice::hairline(ui);
        let text_to_type = plan.text_to_type();
        // In a small window what is told scrolls, and the buttons stay.
        let around = if text_to_type.is_some() { AROUND + CONFIRMATION } else { AROUND };
        let room = (ui.ctx().content_rect().height() - around).max(120.0);
        scrolled(ui, room, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if let Some(search) = &plan.search {
                let what = if search.is_empty() { "among all keys".to_owned() } else { format!("by “{search}”") };
                let words = format!("Found {what}; keys that match later are not affected");
                text::paragraph(ui, Type::Small, theme::colors(ui).text.secondary, sanitize::shortened(&words, 200));
            }
            counts(ui, plan);
            last_use(ui, view, plan);
            left_out(ui, view, plan);
            keys(ui, view, plan);
        });
        let confirmed = match text_to_type {
            Some(words) => {
                type_to_confirm(ui, theme::colors(ui).danger.tint, &words, &mut self.typed);
                self.typed.trim() == words
            }
            None => true,
        };
        notice::hairline(ui);
        footer(ui, |ui| {
            let label = format!("Invalidate {}", plural(count, "key"));
            let off = if count == 0 {
                Some("No keys left to invalidate")
            } else {
                (!confirmed).then_some("Type the text above first")
            };
            if Button::destroy(&label).icon(icons::BLOCK).off_because(off).show(ui).clicked() {
                view.send(Command::from(InvalidateStep::Send));
            }
            let left_out = plan.keys.len() - plan.going.len();
            if left_out > 0 {
                let words = format!("{} left out", thousands(left_out as u64));
                text::line(ui, Type::Strong, theme::colors(ui).warning.text, words);
            }
            let cancel = Button::ghost("Cancel").show(ui);
            if cancel.clicked() {
                view.send(Command::CloseDialog(DialogKind::Invalidate));
            }
            // Enter never destroys: the focus begins at what is safe.
            if ui.memory(|memory| memory.focused().is_none()) {
                cancel.request_focus();
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if Button::link("Copy ids").show(ui).clicked() {
                    let ids: Vec<String> = plan.going.ids().iter().map(KeyId::to_string).collect();
                    ui.ctx().copy_text(ids.join("\n"));
                }
            });
        });
    }

    fn happening(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
        let [done, failed, unknown, untouched] = plan.counts();
        let total = plan.total();
        let is_complete = plan.bulk.outcome.as_ref().is_some_and(|outcome| outcome.done.len() == total);
        let title = match plan.bulk.is_over() {
            false => format!("Invalidating {}", plural(total as u64, "key")),
            true if plan.bulk.is_broken => "Stopped unexpectedly".into(),
            true if is_complete => format!("{} invalidated", plural(done as u64, "key")),
            true if unknown > 0 => format!(
                "{} of {} invalidated, {} not known",
                thousands(done as u64),
                plural(total as u64, "key"),
                thousands(unknown as u64)
            ),
            true => format!("{} of {} invalidated", thousands(done as u64), plural(total as u64, "key")),
        };
        let line = match plan.bulk.is_over() {
            false => "Requests list the key ids, and each key is read back to verify",
            true if plan.bulk.is_broken => "Internal error. Refresh the list to see the current state",
            true if plan.bulk.outcome.as_ref().is_some_and(|outcome| outcome.own_key_unproved.is_some()) => {
                "Read back from the cluster, except this session’s own key, for which only the cluster’s response is \
                 available"
            }
            true if is_complete => "Read back from the cluster: no client can sign in with these keys",
            true if unknown > 0 => "Not known whether some of them still work: refresh the list before you continue",
            true if done + failed == 0 => "Nothing was sent",
            true => "See the reason next to each key",
        };
        head(ui, &plan.profile, &title, None, line);
        padded(ui, |ui| {
            let p = theme::colors(ui);
            progress(ui, done + failed + unknown, failed + unknown, total);
            ui.spacing_mut().item_spacing.y = 2.0;
            tally(ui, icons::CHECK_CIRCLE, p.success.text, "Done", "verified as invalidated", done);
            tally(ui, icons::ERROR, p.danger.text, "Failed", "see below", failed);
            if unknown > 0 {
                tally(ui, icons::WARNING, p.warning.text, "Not known", "may have been invalidated", unknown);
            }
            if plan.bulk.is_running() {
                tally(
                    ui,
                    icons::PENDING,
                    p.info.text,
                    "In progress",
                    "sent, not verified yet",
                    plan.progress.in_flight,
                );
            }
            let waiting = untouched + if plan.bulk.is_running() { plan.progress.waiting } else { 0 };
            let meaning = if plan.bulk.is_running() { "not sent yet" } else { "unchanged" };
            tally(ui, icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary, "Untouched", meaning, waiting);
            ui.spacing_mut().item_spacing.y = space::S;
            if plan.bulk.is_running() {
                latest(ui, plan);
            } else if let Some(outcome) = &plan.bulk.outcome {
                let name = view.state.outcome_file_name(&plan.profile, "keys");
                ui.add_space(space::XS);
                let source = Source { keys: &plan.keys, exported: &plan.bulk.exported, name: &name };
                self.outcomes.ui(ui, view, &lists(outcome, KeyOutcome::Invalidated, "Done"), &source);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if plan.bulk.is_over() {
                over_buttons(ui, view, plan);
            } else {
                let off = plan.bulk.is_stopping().then_some("Stops after the current batch");
                let stop = Button::secondary("Stop after this batch").icon(icons::STOP_CIRCLE).off_because(off);
                if stop.show(ui).clicked() {
                    view.send(Command::from(InvalidateStep::Stop));
                }
            }
        });
    }
}

/// Draws the middle of the dialog, which scrolls if it does not fit.
fn scrolled(ui: &mut Ui, room: f32, content: impl FnOnce(&mut Ui)) {
    let area = ScrollArea::vertical().id_salt("what is invalidated").max_height(room).min_scrolled_height(room);
    area.auto_shrink([false, true]).show(ui, |ui| padded(ui, content));
}
