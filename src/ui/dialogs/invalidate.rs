//! The invalidation dialog: exactly what will happen, by id; then progress; then the proof.

use eframe::egui::{self, Align, Frame, Layout, Margin, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::{
    dialog,
    frame::{footer, head, padded},
    outcome::{FatesView, List, Source, failures},
};
use crate::{
    app::{Command, Invalidation},
    model::{
        DAY, Millis,
        api_key::{ApiKey, KeyId, KeyKind},
        guard,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{expiry, status::StatusGroup},
    },
    ops::{
        invalidate::{ClockWayOut, Outcome},
        outcome_report::{KeyOutcome, KeyOutcomeRow},
    },
    ui::{
        View, theme,
        theme::{Type, icons, size, space},
        widgets::{button::Button, field, field::Field, notice, status, text},
    },
};

/// Height above and below the content, with the margins of the window, in points; and the height of the confirmation
/// field.
const AROUND: f32 = 270.0;
const CONFIRMATION: f32 = 92.0;
/// Maximum number of owners that are named; the rest is only counted.
const OWNERS: usize = 4;

/// The dialog, with the confirmation that is being typed.
#[derive(Default)]
pub struct InvalidateDialog {
    typed: String,
    outcomes: FatesView,
    was_open: bool,
}

impl InvalidateDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(plan) = &view.state.invalidation else {
            self.was_open = false;
            return;
        };
        if !std::mem::replace(&mut self.was_open, true) {
            self.typed.clear();
            self.outcomes = FatesView::default();
        }
        let closed =
            dialog(ctx, view.state, "Keys to invalidate", (plan.is_running(), plan.is_over()), size::DIALOG, |ui| {
                if plan.is_running() || plan.is_over() {
                    self.happening(ui, view, plan);
                } else {
                    self.plan(ui, view, plan);
                }
            });
        if closed {
            view.send(Command::CloseInvalidate);
        }
    }

    fn plan(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
        let count = plan.count() as u64;
        let whom = if count == 1 { "it" } else { "them" };
        let line = format!("Clients that use {whom} get 401 at once. This can’t be undone");
        head(ui, &plan.profile, &format!("Invalidate {}", plural(count, "key")), None, &line);
        notice::hairline(ui);
        let text_to_type = plan.text_to_type();
        // In a small window what is told scrolls, and the buttons stay.
        let around = if text_to_type.is_some() { AROUND + CONFIRMATION } else { AROUND };
        let room = (ui.ctx().content_rect().height() - around).max(120.0);
        scrolled(ui, room, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if let Some(search) = &plan.search {
                let what = if search.is_empty() { "of all keys".to_owned() } else { format!("by “{search}”") };
                let words = format!("Found {what}; keys that match later are not touched");
                text::paragraph(ui, Type::Small, theme::colors(ui).text.secondary, sanitize::shortened(&words, 200));
            }
            counts(ui, plan);
            last_use(ui, view, plan);
            left_out(ui, view, plan);
            keys(ui, view, plan);
        });
        let confirmed = match text_to_type {
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
            let left_out = plan.keys.len() - plan.going.len();
            if left_out > 0 {
                let words = format!("{} left out", thousands(left_out as u64));
                text::line(ui, Type::Strong, theme::colors(ui).warning.text, words);
            }
            let cancel = Button::ghost("Cancel").show(ui);
            if cancel.clicked() {
                view.send(Command::CloseInvalidate);
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

    fn type_to_confirm(&mut self, ui: &mut Ui, words: &str) {
        let p = theme::colors(ui);
        Frame::new().fill(p.danger.tint).inner_margin(Margin::symmetric(24, 12)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 6.0;
            text::line(ui, Type::Body, p.text.primary, format!("Type “{words}” to confirm"));
            Field::new("Confirmation").without_label().mono().show(ui, &mut self.typed);
        });
    }

    fn happening(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
        let [done, failed, unknown, untouched] = plan.counts();
        let total = plan.total();
        let is_complete = plan.outcome.as_ref().is_some_and(|outcome| outcome.done.len() == total);
        let title = match plan.is_over() {
            false => format!("Invalidating {}", plural(total as u64, "key")),
            true if plan.is_broken => "Broken off".into(),
            true if is_complete => format!("{} invalidated", plural(done as u64, "key")),
            true if unknown > 0 => format!(
                "{} of {} invalidated, {} not known",
                thousands(done as u64),
                plural(total as u64, "key"),
                thousands(unknown as u64)
            ),
            true => format!("{} of {} invalidated", thousands(done as u64), plural(total as u64, "key")),
        };
        let line = match plan.is_over() {
            false => "Each request names its ids, and the keys are read again as proof",
            true if plan.is_broken => "Keybearer made a mistake. Refresh the list to see what is true",
            true if plan.outcome.as_ref().is_some_and(|outcome| outcome.on_its_word.is_some()) => {
                "Read again from the cluster, except the session’s own key, for which the cluster’s answer is all there is"
            }
            true if is_complete => "Read again from the cluster: no client can sign in with the keys listed here",
            true if unknown > 0 => "Whether some of them still work is not known: refresh the list before you go on",
            true if done + failed == 0 => "Nothing was sent",
            true => "The reason stands beside each key",
        };
        head(ui, &plan.profile, &title, None, line);
        padded(ui, |ui| {
            let p = theme::colors(ui);
            ui.horizontal(|ui| {
                text::line(ui, Type::Display, p.text.primary, thousands((done + failed + unknown) as u64));
                text::line(ui, Type::Body, p.text.tertiary, format!("of {}", thousands(total as u64)));
            });
            bar(ui, done, failed + unknown, total);
            ui.spacing_mut().item_spacing.y = 2.0;
            tally(ui, (icons::CHECK_CIRCLE, p.success.text), "Done", "read again, invalid", done);
            tally(ui, (icons::ERROR, p.danger.text), "Failed", "see below", failed);
            if unknown > 0 {
                tally(ui, (icons::WARNING, p.warning.text), "Not known", "may have been invalidated", unknown);
            }
            if plan.is_running() {
                tally(
                    ui,
                    (icons::PENDING, p.info.text),
                    "On the way",
                    "sent, not proved yet",
                    plan.progress.on_the_way,
                );
            }
            let waiting = untouched + if plan.is_running() { plan.progress.waiting } else { 0 };
            let meaning = if plan.is_running() { "not sent yet" } else { "stay as they are" };
            tally(ui, (icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary), "Untouched", meaning, waiting);
            ui.spacing_mut().item_spacing.y = space::S;
            if plan.is_running() {
                latest(ui, plan);
            } else if let Some(outcome) = &plan.outcome {
                let name = view.state.outcome_file_name(&plan.profile, "keys");
                ui.add_space(space::XS);
                let source = Source { keys: &plan.keys, exported: &plan.exported, name: &name };
                self.outcomes.ui(ui, view, &lists(outcome), &source);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if plan.is_over() {
                over_buttons(ui, view, plan);
            } else {
                let off = plan.stopping.then_some("It stops after the current batch");
                let stop = Button::secondary("Stop after this batch").icon(icons::STOP_CIRCLE).off_because(off);
                if stop.show(ui).clicked() {
                    view.send(Command::StopInvalidate);
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

/// Returns the lists of outcomes. Failures come first because they need action.
fn lists(outcome: &Outcome) -> [List<'_>; 4] {
    let [failed, unknown] = failures(&outcome.failed);
    let untouched = |at: usize| -> Option<KeyOutcomeRow> {
        let id = outcome.untouched.get(at)?;
        Some((KeyOutcome::Untouched, id.clone(), outcome.why_untouched(id).to_owned()))
    };
    let done = |at: usize| outcome.done.get(at).map(|id| (KeyOutcome::Invalidated, id.clone(), String::new()));
    [
        failed,
        unknown,
        List {
            outcome: KeyOutcome::Untouched,
            word: "Untouched",
            count: outcome.untouched.len(),
            row: Box::new(untouched),
        },
        List { outcome: KeyOutcome::Invalidated, word: "Done", count: outcome.done.len(), row: Box::new(done) },
    ]
}

fn over_buttons(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
    let close = Button::primary("Close").show(ui);
    if close.clicked() {
        view.send(Command::CloseInvalidate);
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
    let Some(outcome) = &plan.outcome else { return };
    let failed = outcome.failed.len();
    let what = if outcome.unknown() > 0 { "Retry what was not seen to be done" } else { "Retry the failed" };
    if failed > 0
        && Button::danger(&format!("{what} ({})", thousands(failed as u64))).icon(icons::REFRESH).show(ui).clicked()
    {
        view.send(Command::RetryFailed);
    }
    let rest = outcome.to_go_on().count();
    if rest > 0 {
        let rest = thousands(rest as u64);
        let (label, command) = match outcome.halted.as_ref().map(|halted| halted.way_out) {
            Some(ClockWayOut::TrustThisMachine) => {
                (format!("Trust this computer’s clock and continue ({rest})"), Command::AcceptClock)
            }
            Some(_) => (format!("Try again ({rest})"), Command::GoOnWithUntouched),
            None => (format!("Go on with the untouched ({rest})"), Command::GoOnWithUntouched),
        };
        if Button::danger(&label).icon(icons::BLOCK).show(ui).clicked() {
            view.send(command);
        }
    }
}

fn latest(ui: &mut Ui, plan: &Invalidation) {
    let p = theme::colors(ui);
    for (id, reason) in &plan.progress.reasons {
        text::line(ui, Type::Small, p.danger.text, sanitize::shortened(&format!("{id}: {reason}"), 200));
    }
    for id in &plan.progress.latest {
        let name = plan.keys.by_id(id).map(|key| sanitize::shortened(&key.name, 50)).unwrap_or_default();
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, p.success.text, icons::CHECK);
            text::line(ui, Type::Strong, p.text.primary, name);
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id.as_str(), 40));
        });
    }
}

/// Draws the counts by status, owner, type and product.
fn counts(ui: &mut Ui, plan: &Invalidation) {
    if plan.going.len() < 2 {
        return findings(ui, plan);
    }
    let p = theme::colors(ui);
    ui.horizontal_wrapped(|ui| {
        for group in StatusGroup::ALL {
            let count = plan.going_summary.statuses.in_group(group);
            if count > 0 {
                count_of(ui, status::group_mark(group), &format!("{} {}", thousands(count as u64), in_a_count(group)));
            }
        }
    });
    let kind = |wire: &str| KeyKind::from_wire(wire).word().to_owned();
    let kinds: Vec<(String, usize)> =
        plan.going_summary.kinds.iter().map(|(wire, count)| (kind(wire), *count)).collect();
    for (what, counts) in [("Owners", &plan.going_summary.owners), ("Types", &kinds)] {
        fact(ui, what, (Type::Small, p.text.secondary), named(counts, OWNERS));
    }
    findings(ui, plan);
}

/// Draws findings that deserve a second look, each by the search term that finds it.
fn findings(ui: &mut Ui, plan: &Invalidation) {
    let p = theme::colors(ui);
    let findings = &plan.going_summary.findings;
    if !findings.is_empty() {
        let words = match plan.going.len() == 1 {
            true => findings.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "),
            false => named(findings, findings.len()),
        };
        fact(ui, "Findings", (Type::Small, p.text.secondary), words);
    }
}

/// Draws when clients last used the keys.
fn last_use(ui: &mut Ui, view: &View<'_>, plan: &Invalidation) {
    let p = theme::colors(ui);
    let now = cluster_now(view, plan);
    if plan.going.is_empty() {
        return;
    }
    let (color, words) = match plan.uses.value() {
        None if plan.uses.is_loading() => (p.text.tertiary, "reading …".into()),
        None => return,
        Some(Err(why)) => (p.text.tertiary, sanitize::shortened(&why.to_string(), 240)),
        Some(Ok(uses)) => {
            let only = plan.going.key(0).filter(|_| plan.going.len() == 1);
            let words = match only {
                Some(key) => uses.words(&key.id, now, &view.state.zone),
                None => uses.words_of_many(plan.used, &view.state.zone),
            };
            (if plan.used.lately > 0 { p.warning.text } else { p.text.secondary }, words)
        }
    };
    fact(ui, "Last use", (Type::Small, color), words);
}

/// Draws a label with its value beside it.
fn fact(ui: &mut Ui, what: &str, (face, color): (Type, egui::Color32), words: String) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(56.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(56.0);
            text::line(ui, Type::Small, p.text.tertiary, what);
        });
        ui.vertical(|ui| {
            ui.add_space(1.0);
            text::paragraph(ui, face, color, words);
        });
    });
}

fn cluster_now(view: &View<'_>, plan: &Invalidation) -> Millis {
    let cluster = view.state.clusters.iter().find(|cluster| cluster.profile.id == plan.profile.id);
    cluster.map_or(view.state.now, |cluster| cluster.now(view.state.now))
}

/// Formats counts as "ana 12, boris 3 and 4 more".
fn named<S: AsRef<str>>(counts: &[(S, usize)], most: usize) -> String {
    let one =
        |(name, count): &(S, usize)| format!("{} {}", sanitize::shortened(name.as_ref(), 30), thousands(*count as u64));
    let words = counts.iter().take(most).map(one).collect::<Vec<_>>().join(", ");
    match counts.len().saturating_sub(most) {
        0 => words,
        more => format!("{words} and {} more", thousands(more as u64)),
    }
}

/// Draws every key by its id.
fn keys(ui: &mut Ui, view: &View<'_>, plan: &Invalidation) {
    let now = cluster_now(view, plan);
    let uses = plan.uses.value().and_then(|uses| uses.as_ref().ok());
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("to invalidate").max_height(200.0).auto_shrink([false, true]).show_rows(
        ui,
        26.0,
        plan.going.len(),
        |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.set_max_width(ui.available_width() - space::M);
            for key in range.filter_map(|number| plan.going.key(number)) {
                let used = uses.and_then(|uses| uses.of(&key.id));
                key_line(ui, &key, used, now);
            }
        },
    );
}

/// Draws a mark with its text, which stays on one line.
fn count_of(ui: &mut Ui, mark: status::Mark, words: &str) {
    let p = theme::colors(ui);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), Type::Small.font(), p.text.secondary);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 24.0, 20.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    status::paint_mark(ui.painter(), rect.left_center() + vec2(6.0, 0.0), mark, p);
    let at = rect.left_center() + vec2(16.0, -galley.size().y / 2.0);
    ui.painter().galley(at.round(), galley, p.text.secondary);
}

/// Returns the text after a count. The groups are those of the chips, so they overlap.
fn in_a_count(group: StatusGroup) -> &'static str {
    match group {
        StatusGroup::Within7Days => "within 7 days",
        StatusGroup::Within30Days => "within 30 days",
        StatusGroup::Never => "never expire",
        other => other.word(),
    }
}

fn key_line(ui: &mut Ui, key: &ApiKey, used: Option<Millis>, now: Millis) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 26.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        let state = key.status(now);
        let (rect, response) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, state.word()));
        status::paint_mark(ui.painter(), rect.center(), state, p);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(key.id.as_str(), 40));
            // The name is what a key is known by: it keeps its room.
            let longest = if used.is_some() { 12 } else { 20 };
            text::line(ui, Type::Small, p.text.secondary, sanitize::shortened(&key.owner.username, longest));
            if let Some(at) = used {
                let is_late = at > now.saturating_sub(DAY);
                let color = if is_late { p.warning.text } else { p.text.tertiary };
                text::line(ui, Type::Small, color, format!("used {}", expiry::ago(at, now)));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&key.name, 60));
            });
        });
    });
}

/// Draws what is left out without a confirmation, and what the cluster will refuse.
fn left_out(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
    let summary = &plan.summary;
    if summary.foreign > 0 {
        let title = format!(
            "{} not yours",
            if summary.foreign == 1 {
                "1 key is".into()
            } else {
                format!("{} keys are", thousands(summary.foreign as u64))
            }
        );
        let line =
            "You may invalidate your own keys only: the cluster will leave these as they are. It needs manage_api_key";
        notice::banner(ui, notice::Tone::Warning, &title, line, |_| ());
    }
    if summary.managed > 0 {
        let (say, whom) = if summary.managed == 1 { ("says of itself", "it") } else { ("say of themselves", "them") };
        let keys = plural(summary.managed as u64, "key");
        let title = format!("{keys} {say} that another application made {whom}");
        let left = if plan.managed_too { "" } else { "Left out: " };
        let line = format!(
            "{}. {left}what uses such a key stops working until the application makes a new one, if it is as it says",
            named(&summary.products, OWNERS)
        );
        notice::banner(ui, notice::Tone::Warning, &title, &line, |_| ());
        says_managed(ui, plan);
        let words = "Invalidate keys of other applications too";
        if confirmation_checkbox(ui, plan.managed_too, words) {
            view.send(Command::IncludeManaged(!plan.managed_too));
        }
    }
    if let Some(own) = &summary.own_key {
        let line = format!("{own} is left out. With it, this session ends");
        let title = "The key you are signed in with is among them";
        notice::banner(ui, notice::Tone::Danger, title, &line, |_| ());
        if confirmation_checkbox(ui, plan.own_key_too, "Invalidate my own key too") {
            view.send(Command::IncludeOwnKey(!plan.own_key_too));
        }
    }
}

/// Draws the keys, by name and owner, whose metadata says that a product made them; for a person's key it adds that
/// this is no proof.
fn says_managed(ui: &mut Ui, plan: &Invalidation) {
    let p = theme::colors(ui);
    for key in plan.summary.say_managed.iter().filter_map(|id| plan.keys.by_id(id)) {
        let owner = sanitize::shortened(&key.owner.username, 40);
        let is_product = guard::is_owned_by_product(&key.owner.username, &key.owner.realm);
        let doubt = if is_product { "" } else { ", who may have written that" };
        let words = format!("{} of {owner}{doubt}", sanitize::shortened(&key.name, 50));
        text::line(ui, Type::Small, p.text.secondary, words);
    }
    let more = plan.summary.managed - plan.summary.say_managed.len();
    if more > 0 {
        text::line(ui, Type::Small, p.text.secondary, format!("… and {} more", thousands(more as u64)));
    }
}

fn confirmation_checkbox(ui: &mut Ui, on: bool, words: &str) -> bool {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        let clicked = field::checkbox(ui, Some(on), words).clicked();
        text::line(ui, Type::Body, p.text.primary, words);
        clicked
    })
    .inner
}

pub(super) fn bar(ui: &mut Ui, done: usize, failed: usize, total: usize) {
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
