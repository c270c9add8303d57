//! Preview of an invalidation: counts, last use, keys that are left out, and every key by its id.

use eframe::egui::{self, Align, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use crate::{
    app::{Command, InvalidateStep, Invalidation},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyKind},
        guard,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{expiry, status::StatusGroup},
    },
    ui::{
        View,
        components::facts::tall_fact,
        theme::{self, Type, space},
        widgets::{confirm::checkbox, notice, status, text},
    },
};

/// Maximum number of owners that are named; the rest is only counted.
const OWNERS: usize = 4;

/// Draws the counts by status, owner, type and product.
pub(crate) fn counts(ui: &mut Ui, plan: &Invalidation) {
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
        fact(ui, what, Type::Small, p.text.secondary, named(counts, OWNERS));
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
        fact(ui, "Findings", Type::Small, p.text.secondary, words);
    }
}

/// Draws when clients last used the keys.
pub(crate) fn last_use(ui: &mut Ui, view: &View<'_>, plan: &Invalidation) {
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
    fact(ui, "Last use", Type::Small, color, words);
}

/// Draws a fact that wraps beside its label.
fn fact(ui: &mut Ui, label: &str, face: Type, color: egui::Color32, value: String) {
    tall_fact(ui, 56.0, label, |ui| {
        ui.vertical(|ui| {
            ui.add_space(1.0);
            text::paragraph(ui, face, color, value);
        });
    });
}

fn cluster_now(view: &View<'_>, plan: &Invalidation) -> Timestamp {
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
pub(crate) fn keys(ui: &mut Ui, view: &View<'_>, plan: &Invalidation) {
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

fn key_line(ui: &mut Ui, key: &ApiKey, used: Option<Timestamp>, now: Timestamp) {
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
                let is_late = at > now - TimeDelta::DAY;
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
pub(crate) fn left_out(ui: &mut Ui, view: &mut View<'_>, plan: &Invalidation) {
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
        let line = "You can invalidate only your own keys; the cluster will skip these. Invalidating other users’ \
                    keys requires manage_api_key";
        notice::banner(ui, notice::Tone::Warning, &title, line, |_| ());
    }
    if summary.managed > 0 {
        let (say, whom) = if summary.managed == 1 { ("claims", "it") } else { ("claim", "them") };
        let keys = plural(summary.managed as u64, "key");
        let title = format!("{keys} {say} that another application created {whom}");
        let left = if plan.managed_too { "" } else { "Left out. " };
        let line = format!(
            "{}. {left}If the claim is true, whatever uses such a key stops working until the application creates a \
             new one",
            named(&summary.products, OWNERS)
        );
        notice::banner(ui, notice::Tone::Warning, &title, &line, |_| ());
        says_managed(ui, plan);
        let words = "Invalidate keys of other applications too";
        if checkbox(ui, plan.managed_too, words) {
            view.send(Command::from(InvalidateStep::Managed(!plan.managed_too)));
        }
    }
    if let Some(own) = &summary.own_key {
        let left = if plan.own_key_too { "" } else { "Left out. " };
        let line = format!("{left}Invalidating {own} ends this session");
        let title = "You are signed in with one of these keys";
        notice::banner(ui, notice::Tone::Danger, title, &line, |_| ());
        if checkbox(ui, plan.own_key_too, "Invalidate my own key too") {
            view.send(Command::from(InvalidateStep::OwnKey(!plan.own_key_too)));
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
        let doubt = if is_product { "" } else { ", who may have set this" };
        let words = format!("{} of {owner}{doubt}", sanitize::shortened(&key.name, 50));
        text::line(ui, Type::Small, p.text.secondary, words);
    }
    let more = plan.summary.managed - plan.summary.say_managed.len();
    if more > 0 {
        text::line(ui, Type::Small, p.text.secondary, format!("… and {} more", thousands(more as u64)));
    }
}
