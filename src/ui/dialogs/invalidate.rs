//! Invalidating: first exactly what will happen, by id; then what is happening; then the proof.

use eframe::egui::{self, Align, Frame, Layout, Margin, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::dialog;
use crate::{
    app::{Command, Invalidation},
    model::{
        api_key::ApiKey,
        expiry::{Status, plural, thousands},
        harmless,
    },
    ops::invalidate::Outcome,
    ui::{
        View, theme,
        theme::{Type, icons, size, space},
        widgets::{button::Button, chip, field, field::Field, notice, status, text},
    },
};

/// The dialog, with the confirmation that is being typed.
#[derive(Default)]
pub struct InvalidateDialog {
    typed: String,
    was_open: bool,
}

impl InvalidateDialog {
    /// Draws it while there is something to invalidate.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(plan) = &view.state.invalidation else {
            self.was_open = false;
            return;
        };
        if !std::mem::replace(&mut self.was_open, true) {
            self.typed.clear();
        }
        let closed = dialog(ctx, "invalidate", size::DIALOG, |ui| {
            if plan.is_running() || plan.is_over() {
                happening(ui, view, plan);
            } else {
                self.plan(ui, view, plan);
            }
        });
        if closed {
            view.send(Command::CloseInvalidate);
        }
    }

    fn plan(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
        let count = plan.ids().len() as u64;
        let whom = if count == 1 { "it" } else { "them" };
        let line = format!("Clients that use {whom} get 401 at once. This can’t be undone");
        head(ui, plan, &format!("Invalidate {}", plural(count, "key")), &line);
        notice::hairline(ui);
        padded(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            keys(ui, view, plan);
            own_key(ui, view, plan);
        });
        let confirmed = match plan.words_to_type() {
            Some(words) => {
                self.type_to_confirm(ui, &words);
                self.typed.trim() == words
            }
            None => true,
        };
        notice::hairline(ui);
        footer(ui, |ui| {
            let label = format!("Invalidate {}", plural(count, "key"));
            let off = if count == 0 {
                Some("There is nothing left to invalidate")
            } else {
                (!confirmed).then_some("Type the words above first")
            };
            if Button::destroy(&label).icon(icons::BLOCK).off_because(off).show(ui).clicked() {
                view.send(Command::Invalidate);
            }
            let cancel = Button::ghost("Cancel").show(ui);
            if cancel.clicked() {
                view.send(Command::CloseInvalidate);
            }
            // Enter never destroys: the focus begins at what is safe.
            if ui.memory(|memory| memory.focused().is_none()) {
                cancel.request_focus();
            }
        });
    }

    fn type_to_confirm(&mut self, ui: &mut Ui, words: &str) {
        let p = theme::colors(ui);
        Frame::new().fill(p.danger.tint).inner_margin(Margin::symmetric(24, 12)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 6.0;
            text::line(ui, Type::Body, p.text.primary, format!("Type “{words}” to confirm"));
            Field::new("Confirmation").without_label().mono().show(ui, &mut self.typed);
        });
    }
}

fn padded(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 14, bottom: 14 }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
}

fn footer(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin::symmetric(24, 14)).show(ui, |ui| {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 32.0), Layout::right_to_left(Align::Center), add);
    });
}

fn head(ui: &mut Ui, plan: &Invalidation, title: &str, line: &str) {
    let p = theme::colors(ui);
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 14 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            text::line(ui, Type::Title, p.text.primary, title);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                chip::environment(ui, plan.profile.environment);
            });
        });
        let place =
            format!("On {} ({})", harmless::shortened(&plan.profile.name, 40), plan.profile.endpoint.url.host());
        text::line(ui, Type::Small, p.text.tertiary, place);
        text::paragraph(ui, Type::Body, p.text.secondary, line);
    });
}

/// Every key by its id; above many of them the counts.
fn keys(ui: &mut Ui, view: &View<'_>, plan: &Invalidation) {
    let cluster = view.state.clusters.iter().find(|cluster| cluster.profile.id == plan.profile.id);
    let now = cluster.map_or(view.state.now, |cluster| cluster.now(view.state.now));
    if plan.keys.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for status in Status::ALL {
                let count = plan.keys.iter().filter(|key| key.status(now) == status).count();
                if count > 0 {
                    count_of(ui, status, &format!("{} {}", thousands(count as u64), in_a_count(status)));
                }
            }
        });
    }
    let managed = plan.keys.iter().filter(|key| key.managed_by().is_some()).count();
    if managed > 0 {
        let were = if managed == 1 { "was" } else { "were" };
        let title = format!("{} {were} made by another application", plural(managed as u64, "key"));
        let line =
            "Kibana or Fleet make such keys for themselves: what uses them stops working until they are made anew";
        notice::banner(ui, notice::Tone::Warning, &title, line, |_| ());
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("to invalidate").max_height(220.0).auto_shrink([false, true]).show_rows(
        ui,
        26.0,
        plan.keys.len(),
        |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.set_max_width(ui.available_width() - space::M);
            for key in &plan.keys[range] {
                key_line(ui, key, now);
            }
        },
    );
}

/// A mark with its words, which stay on one line.
fn count_of(ui: &mut Ui, status: Status, words: &str) {
    let p = theme::colors(ui);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), Type::Small.font(), p.text.secondary);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 24.0, 20.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    status::paint_mark(ui.painter(), rect.left_center() + vec2(6.0, 0.0), status, p);
    let at = rect.left_center() + vec2(16.0, -galley.size().y / 2.0);
    ui.painter().galley(at.round(), galley, p.text.secondary);
}

fn in_a_count(status: Status) -> &'static str {
    match status {
        Status::Expiring => "with 7 days or less",
        Status::ExpiringSoon => "with 30 days or less",
        Status::Never => "without an end",
        other => other.word(),
    }
}

fn key_line(ui: &mut Ui, key: &ApiKey, now: crate::model::Millis) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 26.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        let state = key.status(now);
        let (rect, response) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, state.word()));
        status::paint_mark(ui.painter(), rect.center(), state, p);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::MonoSmall, p.text.tertiary, harmless::shortened(key.id.as_str(), 40));
            text::line(ui, Type::Small, p.text.secondary, harmless::shortened(&key.owner.username, 20));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Strong, p.text.primary, harmless::shortened(&key.name, 60));
            });
        });
    });
}

/// The extra word for the key that one is signed in by.
fn own_key(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
    let Some(own) = &plan.own_key else { return };
    let p = theme::colors(ui);
    notice::banner(
        ui,
        notice::Tone::Danger,
        "The key you are signed in by is among them",
        &format!("{own} is left out. With it this session ends"),
        |_| (),
    );
    ui.horizontal(|ui| {
        if field::checkbox(ui, Some(plan.own_key_too), "Invalidate my own key too").clicked() {
            view.send(Command::IncludeOwnKey(!plan.own_key_too));
        }
        text::line(ui, Type::Body, p.text.primary, "Invalidate my own key too");
    });
}

fn happening(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
    let p = theme::colors(ui);
    let total = plan.ids().len();
    let empty = Outcome::default();
    let outcome = plan.outcome.as_ref().unwrap_or(&empty);
    let (done, failed) = (outcome.done.len(), outcome.failed.len());
    let title = match plan.is_over() {
        false => format!("Invalidating {}", plural(total as u64, "key")),
        true if plan.is_broken => "Broken off".into(),
        true if outcome.is_complete() => format!("{} invalidated", plural(done as u64, "key")),
        true => format!("{} of {} invalidated", thousands(done as u64), plural(total as u64, "key")),
    };
    let line = match plan.is_over() {
        false => "Each request names its ids, and the keys are read again as proof",
        true if plan.is_broken => "Keybearer made a mistake. Refresh the list to see what is true",
        true if outcome.is_complete() => "Read again from the cluster: no client can sign in by what is listed here",
        true => "What was read again from the cluster, to the key",
    };
    head(ui, plan, &title, line);
    padded(ui, |ui| {
        ui.horizontal(|ui| {
            text::line(ui, Type::Display, p.text.primary, thousands((done + failed) as u64));
            text::line(ui, Type::Body, p.text.tertiary, format!("of {}", thousands(total as u64)));
        });
        bar(ui, done, failed, total);
        ui.spacing_mut().item_spacing.y = 2.0;
        let untouched = if plan.outcome.is_some() { outcome.untouched.len() } else { 0 };
        let on_the_way = total.saturating_sub(done + failed + untouched);
        tally(ui, (icons::CHECK_CIRCLE, p.success.text), "Done", "read again, invalid", done);
        tally(ui, (icons::ERROR, p.danger.text), "Failed", "see below", failed);
        if !plan.is_over() {
            tally(ui, (icons::PENDING, p.info.text), "On the way", "sent, not proved yet", on_the_way);
        }
        tally(ui, (icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary), "Untouched", "stay valid", untouched);
        ScrollArea::vertical().id_salt("outcome").max_height(180.0).auto_shrink([false, true]).show(ui, |ui| {
            for (id, reason) in outcome.failed.iter().take(200) {
                text::paragraph(ui, Type::Small, p.danger.text, format!("{id}: {reason}"));
            }
            if failed > 200 {
                let words = format!("and {} more; they stay selected in the list", thousands(failed as u64 - 200));
                text::line(ui, Type::Small, p.danger.text, words);
            }
            for id in outcome.done.iter().rev().take(8) {
                let name = plan.keys.iter().find(|key| key.id == *id).map(|key| harmless::shortened(&key.name, 50));
                ui.horizontal(|ui| {
                    text::icon(ui, Type::IconSmall, p.success.text, icons::CHECK);
                    text::line(ui, Type::Strong, p.text.primary, name.unwrap_or_default());
                    text::line(ui, Type::MonoSmall, p.text.tertiary, id.as_str());
                });
            }
        });
    });
    notice::hairline(ui);
    footer(ui, |ui| {
        if plan.is_over() {
            let close = Button::primary("Close").show(ui);
            if close.clicked() {
                view.send(Command::CloseInvalidate);
            }
            if ui.memory(|memory| memory.focused().is_none()) {
                close.request_focus();
            }
        } else {
            let off = plan.stopping.then_some("It stops after the chunk that is on its way");
            let stop = Button::secondary("Stop after this chunk").icon(icons::STOP_CIRCLE).off_because(off);
            if stop.show(ui).clicked() {
                view.send(Command::StopInvalidate);
            }
        }
    });
}

fn bar(ui: &mut Ui, done: usize, failed: usize, total: usize) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 4.0, p.status.track);
    let share = |count: usize| rect.width() * count as f32 / total.max(1) as f32;
    ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(share(done), 8.0)), 4.0, p.accent.mark);
    let at = rect.min + vec2(share(done), 0.0);
    ui.painter().rect_filled(Rect::from_min_size(at, vec2(share(failed), 8.0)), 4.0, p.danger.solid);
}

fn tally(ui: &mut Ui, (icon, color): (&str, egui::Color32), word: &str, meaning: &str, count: usize) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 28.0), Layout::left_to_right(Align::Center), |ui| {
        text::icon(ui, Type::Icon, color, icon);
        ui.allocate_ui_with_layout(vec2(90.0, 28.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(90.0);
            text::line(ui, Type::Strong, p.text.primary, word);
        });
        text::line(ui, Type::Small, p.text.tertiary, meaning);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::Emphasis, p.text.primary, thousands(count as u64));
        });
    });
}
