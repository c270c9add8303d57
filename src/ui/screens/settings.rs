//! Settings: when the window is locked, which signals of the desktop lock it, and what the rules of this computer set.

use eframe::egui::{self, Align, Layout, ScrollArea, Ui, vec2};

use crate::{
    app::Command,
    model::{
        lock::{IDLE_CHOICES, LockSignals},
        machine_policy::{MachinePolicy, Rule, minutes_words},
        text::sanitize,
    },
    ui::{
        View,
        theme::{self, Type, icons, size, space},
        widgets::{button::Button, card, chip, notice, text},
    },
};

/// Width of a column of cards, in points.
const COLUMN: f32 = 596.0;

/// Width of the screen from which there are two columns, in points.
const TWO_COLUMNS: f32 = 1100.0;

/// Draws the screen.
pub(super) fn ui(ui: &mut Ui, view: &mut View<'_>) {
    notice::page_title(ui, "Settings");
    let room = ui.available_width() - 40.0;
    let has_rules = view.state.policy().file().is_some();
    let two = room >= TWO_COLUMNS - 40.0 && has_rules;
    let width = if two { ((room - space::L) / 2.0).min(COLUMN) } else { room.min(COLUMN) };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.horizontal_top(|ui| {
            ui.add_space(20.0);
            column(ui, width, |ui| {
                card::card(ui, |ui| lock(ui, view));
                if has_rules && !two {
                    card::card(ui, |ui| rules(ui, view.state.policy()));
                }
            });
            if two {
                ui.add_space(space::L - ui.spacing().item_spacing.x);
                column(ui, width, |ui| {
                    card::card(ui, |ui| rules(ui, view.state.policy()));
                });
            }
        });
        ui.add_space(space::L);
    });
}

fn column(ui: &mut Ui, width: f32, cards: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = space::M;
        cards(ui);
    });
}

fn heading(ui: &mut Ui, icon: &str, title: &str, beside: impl FnOnce(&mut Ui)) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        ui.set_height(size::CONTROL);
        text::icon(ui, Type::Icon, p.text.secondary, icon);
        text::line(ui, Type::Heading, p.text.primary, title);
        ui.with_layout(Layout::right_to_left(Align::Center), beside);
    });
}

fn lock(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    heading(ui, icons::LOCK, "Lock", |ui| {
        text::line(ui, Type::Small, p.text.tertiary, "Ctrl L");
        if Button::secondary("Lock now").show(ui).clicked() {
            view.send(Command::Lock);
        }
    });
    let line = "A locked window shows nothing of any cluster. Credentials, secrets and lists are dropped from memory; \
                what is being written is finished first, and a key whose secret was not saved is invalidated";
    text::paragraph(ui, Type::Body, p.text.secondary, line);
    ui.add_space(space::XS);
    text::line(ui, Type::Label, p.text.primary, "Lock when idle for");
    let label = |minutes: Option<u32>| minutes.map_or("Never".to_owned(), minutes_words);
    let (policy, now) = (view.state.policy(), view.state.lock_after());
    let limit = policy.rules().and_then(|rules| rules.max_idle);
    let mut all: Vec<Option<u32>> = IDLE_CHOICES.to_vec();
    // Another time may stand in the file, and the longest that the rules of this computer allow can be chosen.
    for other in [now, limit.or(now)] {
        if !all.contains(&other) {
            let at = all.iter().position(|later| later.is_none() || *later > other).unwrap_or(all.len());
            all.insert(at, other);
        }
    }
    let labels: Vec<String> = all.iter().map(|minutes| label(*minutes)).collect();
    let choices: Vec<(Option<u32>, &str)> = all.iter().copied().zip(labels.iter().map(String::as_str)).collect();
    let off: Vec<Option<u32>> = all.iter().copied().filter(|minutes| !policy.allows_idle(*minutes)).collect();
    if let Some(minutes) = chip::segmented_without(ui, now, &choices, Some(ui.available_width()), &off) {
        view.send(Command::SetLockAfter(minutes));
    }
    if let Some(limit) = limit {
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, p.text.tertiary, icons::LOCK);
            let words = format!("This computer allows {} at most", minutes_words(limit));
            text::line(ui, Type::Small, p.text.secondary, words);
        });
    }
    ui.add_space(space::S);
    text::line(ui, Type::Label, p.text.primary, "Desktop events that lock the window");
    match view.state.locking.signals {
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "Still looking for them")),
        Some(signals) => arriving(ui, signals),
    }
    ui.add_space(space::XS);
}

fn arriving(ui: &mut Ui, signals: LockSignals) {
    let p = theme::colors(ui);
    for (arrives, what) in [
        (signals.screen, "The screen is locked, or its saver begins"),
        (signals.session, "The login service locks the session"),
        (signals.sleep, "The computer goes to sleep"),
    ] {
        ui.horizontal(|ui| {
            let (icon, color) = if arrives { (icons::CHECK, p.success.text) } else { (icons::CLOSE, p.text.tertiary) };
            text::icon(ui, Type::IconSmall, color, icon);
            let words = if arrives { what.to_owned() } else { format!("{what}: not available on this computer") };
            text::line(ui, Type::Body, if arrives { p.text.primary } else { p.text.tertiary }, words);
        });
    }
}

/// Draws the rules of this computer, and the file that they come from.
fn rules(ui: &mut Ui, policy: &MachinePolicy) {
    let p = theme::colors(ui);
    heading(ui, icons::SHIELD, "Set by this computer", |ui| {
        text::line(ui, Type::Small, p.text.tertiary, "Ask your administrator");
    });
    let file = policy.file().map(|file| file.display().to_string()).unwrap_or_default();
    text::line(ui, Type::MonoSmall, p.text.secondary, sanitize::shown(&file));
    match policy {
        MachinePolicy::Absent => {}
        MachinePolicy::Unusable { fault, .. } => {
            let title = "This file can’t be used, so nothing is changed on any cluster";
            let detail = sanitize::shown(&fault.to_string()).into_owned();
            notice::banner(ui, notice::Tone::Danger, title, &detail, |_| ());
        }
        MachinePolicy::Rules { .. } if policy.lines().is_empty() => {
            text::line(ui, Type::Body, p.text.tertiary, "It sets no rules");
        }
        MachinePolicy::Rules { .. } => policy.lines().iter().for_each(|(rule, words)| row(ui, *rule, words)),
    }
    ui.add_space(space::XS);
}

/// Draws a rule: its label, and its value at the right, over several lines if it is a long list.
fn row(ui: &mut Ui, rule: Rule, words: &str) {
    let p = theme::colors(ui);
    notice::hairline(ui);
    ui.horizontal_top(|ui| {
        // As high as the line beside it.
        ui.allocate_ui_with_layout(vec2(16.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            text::icon(ui, Type::IconSmall, p.text.tertiary, icons::LOCK);
        });
        ui.allocate_ui_with_layout(vec2(120.0, 20.0), Layout::left_to_right(Align::Min), |ui| {
            ui.set_min_width(120.0);
            text::line(ui, Type::Body, p.text.primary, rule.label()).on_hover_text(rule.name());
        });
        ui.with_layout(Layout::top_down(Align::Max), |ui| {
            let is_literal = matches!(rule, Rule::JournalPath | Rule::AllowedHosts | Rule::AllowedUuids);
            let kind = if is_literal { Type::MonoSmall } else { Type::Body };
            let label = egui::Label::new(kind.rich(sanitize::shown(words), p.text.secondary)).wrap();
            ui.add(label.halign(Align::Max));
        });
    });
}
