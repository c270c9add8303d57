//! The rotation dialog: the plan, then progress, then the outcome. The steps of an existing rotation are in `steps.rs`.

pub(super) mod end;
pub mod steps;

use eframe::egui::{self, Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};
use zeroize::Zeroizing;

use super::{
    dialog,
    export::expanded,
    frame::{self, footer},
};
use crate::{
    app::{
        Command, Rotating,
        rotation::dialog::{Ask, RotationStep, Stage},
    },
    model::{
        DAY, Millis,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{calendar, expiry},
        update::Change,
    },
    ops::rotation::{Objection, Rights, RotationPlan, driver::Planned},
    ui::{
        View, theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of keys that can't be rotated and are named; the rest is only counted.
const REFUSED: usize = 4;

/// The dialog, with its input.
#[derive(Default)]
pub struct RotateDialog {
    name: String,
    expiration: String,
    folder: String,
    pub(super) typed: String,
    pub(super) pasted: Zeroizing<String>,
    is_open: bool,
}

impl RotateDialog {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(dialog_of) = &view.state.rotating else {
            if self.is_open {
                *self = Self::default();
                field::forget_histories(ctx, &[steps::SECRET]);
            }
            return;
        };
        if !std::mem::replace(&mut self.is_open, true) {
            self.folder = "~/keybearer-successors".into();
        }
        let closed =
            dialog(ctx, view.state, "Rotate keys", std::mem::discriminant(&dialog_of.stage), size::DIALOG_WIDE, |ui| {
                match &dialog_of.stage {
                    Stage::Ask(ask) => self.ask(ui, view, dialog_of, ask),
                    Stage::Working(words) => steps::working(ui, dialog_of, words),
                    Stage::After(after) => steps::after(ui, view, dialog_of, after),
                    Stage::Many(many) => steps::many(ui, view, dialog_of, many),
                    Stage::GoOn(asked) => self.go_on(ui, view, dialog_of, asked),
                    Stage::Cancel(canceling) => end::cancel(ui, view, dialog_of, canceling),
                    Stage::Canceled(result) => end::canceled(ui, view, dialog_of, result),
                    Stage::End(ending) => self.end(ui, view, dialog_of, ending),
                }
            });
        if closed {
            view.send(Command::Rotate(RotationStep::Close));
        }
    }

    fn ask(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ask: &Ask) {
        let name = || {
            let planned =
                ask.planned.value().and_then(|planned| planned.plans.first()).map(|plan| plan.old.name.clone());
            let known = || view.state.cluster().and_then(|cluster| cluster.key(ask.ids.first()?)).map(|key| key.name);
            planned.or_else(known).unwrap_or_default()
        };
        let title = match ask.is_single() {
            true => format!("Rotate {}", sanitize::shortened(&name(), 50)),
            false => format!("Rotate {}", plural(ask.ids.len() as u64, "key")),
        };
        let line = "A successor with the same rights is made and handed over. The old key is invalidated only when \
                    its successor was seen to work";
        head(ui, dialog, &title, line);
        notice::hairline(ui);
        let typed = ask.text_to_type();
        let room = (ui.ctx().content_rect().height() - if typed.is_some() { 330.0 } else { 250.0 }).max(160.0);
        padded(ui, |ui| {
            ScrollArea::vertical()
                .id_salt("rotate")
                .max_height(room)
                .min_scrolled_height(room)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    ui.set_max_width(ui.available_width() - space::M);
                    ui.spacing_mut().item_spacing.y = space::M;
                    looking(ui, view, dialog, ask);
                    if let Some(planned) = ask.planned.value() {
                        refused(ui, view, planned, ask);
                        if !planned.plans.is_empty() {
                            self.options(ui, view, ask, planned);
                        }
                    }
                });
        });
        if let Some(words) = &typed {
            type_to_confirm(ui, words, &mut self.typed);
        }
        notice::hairline(ui);
        footer(ui, |ui| self.ask_buttons(ui, view, ask, typed.as_deref()));
    }

    fn ask_buttons(&mut self, ui: &mut Ui, view: &mut View<'_>, ask: &Ask, words: Option<&str>) {
        let is_same = self.name.trim() == ask.name.trim() && self.expiration.trim() == ask.expiration.trim();
        if !is_same {
            let off = ask.planned.is_loading().then_some("It is looked at first");
            if Button::primary("Review").off_because(off).show(ui).clicked() {
                view.send(Command::Rotate(RotationStep::Look(self.name.clone(), self.expiration.clone())));
            }
        } else {
            let unconfirmed = words.is_some_and(|words| self.typed.trim() != words);
            let nowhere =
                (!ask.is_single() && self.folder.trim().is_empty()).then_some("Name a folder for the secrets");
            let off = ask.obstacle().or(nowhere).or(unconfirmed.then_some("Type the words above first"));
            let off = off.or(ask.planned.problem().map(|_| "It could not be looked at"));
            let count = if ask.is_single() { 1 } else { ask.count() };
            let label = format!("Rotate {}", plural(count as u64, "key"));
            let button = if ask.grace() == 0 { Button::destroy(&label) } else { Button::primary(&label) };
            if button.icon(icons::AUTORENEW).off_because(off).show(ui).clicked() {
                view.send(Command::Rotate(RotationStep::Begin(expanded(self.folder.trim()))));
            }
        }
        let cancel = Button::ghost("Cancel").show(ui);
        if cancel.clicked() {
            view.send(Command::Rotate(RotationStep::Close));
        }
        // Enter never begins: the focus is at what is safe.
        if ui.memory(|memory| memory.focused().is_none()) {
            cancel.request_focus();
        }
    }

    /// Draws the options: those that need a confirmation first, those with a usable default last.
    fn options(&mut self, ui: &mut Ui, view: &mut View<'_>, ask: &Ask, planned: &Planned) {
        words_of_others(ui, view, ask);
        match planned.plans.first().filter(|_| ask.is_single()) {
            Some(plan) => {
                one(ui, view, plan, planned);
                grace(ui, view, ask);
                self.name_and_end(ui, plan);
                warnings(ui, plan);
            }
            None => {
                grace(ui, view, ask);
                self.several(ui, view, ask, planned);
            }
        }
    }

    fn name_and_end(&mut self, ui: &mut Ui, plan: &RotationPlan) {
        ui.horizontal_top(|ui| {
            let half = (ui.available_width() - space::M) / 2.0;
            let hint = sanitize::shortened(&plan.old.name, 40);
            let help = "Empty: that of the old key";
            Field::new("Name of the successor").optional().width(half).hint(&hint).help(help).show(ui, &mut self.name);
            let help = "Empty: as long a life as the old key had";
            let end = Field::new("End of the successor").optional().mono().width(half).hint("90d, 2027-02-21, never");
            end.help(help).show(ui, &mut self.expiration);
        });
    }

    fn several(&mut self, ui: &mut Ui, view: &mut View<'_>, ask: &Ask, planned: &Planned) {
        let p = theme::colors(ui);
        let rows = planned.plans.len();
        let list = ScrollArea::vertical().id_salt("plans").max_height(156.0).auto_shrink([false, true]);
        list.show_rows(ui, 26.0, rows, |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for plan in range.filter_map(|place| planned.plans.get(place)) {
                plan_row(ui, view, ask, plan, planned);
            }
        });
        if let Err(why) = &planned.uses {
            text::paragraph(ui, Type::Small, p.text.tertiary, format!("Last use {why}"));
        }
        let help = "One new file for each, named by the old key’s id, which only you may read. Nothing is overwritten";
        Field::new("Folder for the secrets").mono().help(help).show(ui, &mut self.folder);
    }
}

fn one(ui: &mut Ui, view: &View<'_>, plan: &RotationPlan, planned: &Planned) {
    let p = theme::colors(ui);
    let ends = ends(view, plan);
    fact(ui, "Successor", |ui| {
        text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(plan.request.name(), 60));
        text::line(ui, Type::Body, p.text.secondary, ends);
    });
    fact(ui, "Old key", |ui| drop(text::line(ui, Type::Mono, p.text.primary, sanitize::shown(plan.old.id.as_str()))));
    fact(ui, "Last use", |ui| {
        let words = last_use(view, planned, plan);
        text::paragraph(ui, Type::Body, p.text.secondary, words);
    });
    fact(ui, "Rights", |ui| drop(text::paragraph(ui, Type::Body, p.text.secondary, rights_words(&plan.rights))));
}

fn looking(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ask: &Ask) {
    let p = theme::colors(ui);
    if let Some(problem) = ask.planned.problem().filter(|_| !ask.planned.is_loading()) {
        steps::problem_banner(ui, view, problem);
    }
    if ask.planned.is_loading() {
        let words = match ask.is_single() {
            true => "Looking at the key as it is now".to_owned(),
            false => {
                format!("Looking at {} of {}", thousands(dialog.counted as u64), plural(ask.ids.len() as u64, "key"))
            }
        };
        text::line(ui, Type::Body, p.text.tertiary, words);
    }
}

fn refused(ui: &mut Ui, view: &mut View<'_>, planned: &Planned, ask: &Ask) {
    if planned.refused.is_empty() {
        return;
    }
    let name = |id| view.state.cluster().and_then(|cluster| cluster.key(id)).map(|key| key.name);
    let mut lines: Vec<String> = Vec::new();
    for (id, problem) in planned.refused.iter().take(REFUSED) {
        let detail = if problem.detail.is_empty() { String::new() } else { format!(". {}", problem.detail) };
        let name = name(id).filter(|_| !ask.is_single()).map(|name| format!("{}: ", sanitize::shortened(&name, 40)));
        lines.push(sanitize::shortened(&format!("{}{}{detail}", name.unwrap_or_default(), problem.title), 300));
    }
    if planned.refused.len() > REFUSED {
        lines.push(format!("and {} more", thousands((planned.refused.len() - REFUSED) as u64)));
    }
    let title = match planned.refused.len() {
        1 if ask.is_single() => "This key can’t be rotated".to_owned(),
        1 => "1 key can’t be rotated and stays as it is".to_owned(),
        more => format!("{} keys can’t be rotated and stay as they are", thousands(more as u64)),
    };
    notice::banner(ui, Tone::Warning, &title, &lines.join("\n"), |_| ());
    if let [(_, problem)] = &planned.refused[..]
        && !problem.fixes.is_empty()
    {
        ui.horizontal_wrapped(|ui| crate::ui::problem_buttons(ui, view, problem));
    }
}

/// Draws what is different about the successor of one key.
fn warnings(ui: &mut Ui, plan: &RotationPlan) {
    if let Rights::Differ(changes) = &plan.rights {
        let title = "It will be limited by its owner’s rights of today, which are others than those in the old key";
        notice::banner(ui, Tone::Warning, title, &sanitize::shortened(&changed(changes), 300), |_| ());
    }
    if plan.old.is_unrestricted() {
        let owner = sanitize::shortened(&plan.maker.username, 40);
        let title = format!("It has no descriptors of its own: it may do all that {owner} may");
        notice::banner(ui, Tone::Warning, &title, "", |_| ());
    }
    if !plan.left_behind.is_empty() {
        let names = sanitize::shortened(&plan.left_behind.join(", "), 200);
        let title = "Some of the metadata is left behind";
        let detail = format!("{names}: Elasticsearch keeps such names for itself");
        notice::banner(ui, Tone::Info, title, &detail, |_| ());
    }
}

/// Lists the paths of changes, each as changed, gone or new; the values are too long for the dialog.
fn changed(changes: &[Change]) -> String {
    let one = |change: &Change| {
        let what = match (&change.old, &change.new) {
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "gone",
            (None, _) => "new",
        };
        format!("{} {what}", change.path.trim_start_matches('/'))
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Draws the choice of the grace period, in which both keys work.
fn grace(ui: &mut Ui, view: &mut View<'_>, ask: &Ask) {
    let p = theme::colors(ui);
    if !ask.compromised {
        text::line(ui, Type::Label, p.text.secondary, "Both keys work for");
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for (length, label) in [(DAY, "24 hours"), (7 * DAY, "7 days"), (0, "No grace")] {
                if chip::choice(ui, ask.grace == length, None, label, None).clicked() {
                    view.send(Command::Rotate(RotationStep::Grace(length)));
                }
            }
        });
    }
    checkbox(ui, ask.compromised, COMPROMISED, |on| view.send(Command::Rotate(RotationStep::Compromised(on))));
    let words = match (ask.compromised, ask.grace()) {
        (true, _) => "No grace: whoever uses the old key gets 401 at once, when the successor was seen to work",
        (false, 0) => "The old key is invalidated at once, when the successor was seen to work. This can’t be undone",
        _ => "After it the old key is shown as due, and is invalidated when you say so: nothing happens by itself",
    };
    let color = if ask.grace() == 0 { p.danger.text } else { p.text.tertiary };
    text::paragraph(ui, Type::Small, color, words);
    let plans = ask.planned.value().map_or(&[][..], |planned| &planned.plans);
    let short = plans.iter().filter_map(|plan| plan.successor_ends_within(ask.grace())).min();
    if let Some(end) = short {
        let words = match ask.is_single() {
            true => format!(
                "The successor would expire before that ({}): give it a later end, or choose a shorter grace period",
                moment(view, end)
            ),
            false => format!(
                "{} would expire before that, and are left out: choose a shorter grace period",
                plural(ask.count_of(Objection::ShortSuccessor) as u64, "successor")
            ),
        };
        return drop(text::paragraph(ui, Type::Small, p.danger.text, words));
    }
    let ends = plans.iter().filter_map(|plan| plan.ends_within(ask.grace())).min();
    if let Some(end) = ends {
        let words = match ask.is_single() {
            true => format!("The old key ends by itself before that: both work until {}", moment(view, end)),
            false => "Some of the old keys end by themselves before that: there both work until then".to_owned(),
        };
        text::paragraph(ui, Type::Small, p.warning.text, words);
    }
}

const COMPROMISED: &str = "Compromised: end the old key as soon as the successor works";

/// Draws the confirmations that keys of other owners and of products need.
fn words_of_others(ui: &mut Ui, view: &mut View<'_>, ask: &Ask) {
    let plans = ask.planned.value().map_or(&[][..], |planned| &planned.plans);
    let left_out = if ask.is_single() { "" } else { ". Left out" };
    if let Some(first) = plans.iter().find(|plan| plan.changes_owner) {
        let (owner, me) = (&first.old.owner.username, &first.maker.username);
        let count = ask.count_of(Objection::OtherOwner) as u64;
        let title = match ask.is_single() {
            true => format!("It belongs to {owner}, and its successor would belong to {me}"),
            false => {
                format!("{} would belong to {me}, and no longer to their owners{left_out}", plural(count, "successor"))
            }
        };
        let detail = format!(
            "A key belongs to whoever makes it, and is limited by that user’s rights. Act as {owner} by run-as in the \
             connection, or let {owner} rotate it, or a key for another user (under Create) is made with that user’s password"
        );
        let (title, detail) = (sanitize::shortened(&title, 200), sanitize::shortened(&detail, 400));
        notice::banner(ui, Tone::Warning, &title, &detail, |_| ());
        checkbox(ui, ask.consent.other_owner, "The successor may belong to me", |on| {
            view.send(Command::Rotate(RotationStep::OtherOwner(on)));
        });
    }
    if let Some(first) = plans.iter().find(|plan| plan.product().is_some()) {
        let product = sanitize::shortened(first.product().unwrap_or_default(), 40);
        let were = match ask.count_of(Objection::Managed) as u64 {
            _ if ask.is_single() => format!("It is managed by {product}"),
            1 => format!("1 key is managed by {product}{left_out}"),
            more => format!("{} are managed by other applications{left_out}", plural(more, "key")),
        };
        let detail =
            "The application has to be given the successor: what uses the old key stops working when that ends";
        notice::banner(ui, Tone::Warning, &were, detail, |_| ());
        checkbox(ui, ask.consent.managed_too, "Rotate keys of other applications too", |on| {
            view.send(Command::Rotate(RotationStep::Managed(on)));
        });
    }
    live_successors(ui, view, ask, (plans, left_out));
}

/// Draws keys that are being rotated already, on this machine or another.
fn live_successors(ui: &mut Ui, view: &mut View<'_>, ask: &Ask, (plans, left_out): (&[RotationPlan], &str)) {
    let Some(problem) = plans.iter().find_map(RotationPlan::rotated_already) else { return };
    let title = match ask.count_of(Objection::LiveSuccessor) as u64 {
        _ if ask.is_single() => problem.title.clone(),
        1 => format!("1 key has a successor that works{left_out}"),
        more => format!("{} have successors that work{left_out}", plural(more, "key")),
    };
    let detail = format!("{}. {}", problem.detail, problem.hint);
    notice::banner(ui, Tone::Warning, &sanitize::shortened(&title, 300), &detail, |_| ());
    checkbox(ui, ask.consent.again, "Make another successor all the same", |on| {
        view.send(Command::Rotate(RotationStep::Again(on)));
    });
}

fn plan_row(ui: &mut Ui, view: &View<'_>, ask: &Ask, plan: &RotationPlan, planned: &Planned) {
    let p = theme::colors(ui);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 26.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        let (icon, color) = match ask.is_meant(plan) {
            true => (icons::AUTORENEW, p.text.secondary),
            false => (icons::REMOVE, p.text.disabled),
        };
        text::icon(ui, Type::IconSmall, color, icon);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(plan.old.id.as_str(), 24));
            let end = plan.request.expiry().at(view.state.now);
            let words = end.map_or("never ends".into(), |at| expiry::remaining(Some(at), view.state.now));
            text::line(ui, Type::Small, p.text.secondary, words);
            if planned.uses.is_ok() {
                let words = sanitize::shortened(&last_use(view, planned, plan), 60);
                text::line(ui, Type::Small, p.text.tertiary, words);
            }
            if matches!(plan.rights, Rights::Differ(_)) {
                text::line(ui, Type::Small, p.warning.text, "other rights of its owner");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&plan.old.name, 40));
            });
        });
    });
}

/// Formats the expiration of the successor.
fn ends(view: &View<'_>, plan: &RotationPlan) -> String {
    let now = view.state.now;
    let at = plan.request.expiry().at(now);
    at.map_or("never ends".into(), |at| format!("ends {} ({})", expiry::remaining(Some(at), now), moment(view, at)))
}

fn last_use(view: &View<'_>, planned: &Planned, plan: &RotationPlan) -> String {
    let now = view.state.cluster().map_or(view.state.now, |cluster| cluster.now(view.state.now));
    match &planned.uses {
        Ok(uses) => uses.words(&plan.old.id, now, &view.state.zone),
        Err(why) => why.to_string(),
    }
}

pub(super) fn rights_words(rights: &Rights) -> String {
    match rights {
        Rights::Same => "The same, also those of its owner".into(),
        Rights::Differ(_) => "The same descriptors; those of its owner are others today".into(),
        Rights::NotKnown(why) => {
            format!(
                "The same descriptors; whether its owner’s rights are the same is not known: {}",
                sanitize::shown(why)
            )
        }
    }
}

/// Formats a grace period, such as "7 days"; 0 is "no time".
pub(super) fn length(grace: Millis) -> String {
    match grace {
        0 => "no time".into(),
        grace if grace % DAY == 0 && grace > DAY => plural((grace / DAY).unsigned_abs(), "day"),
        grace => plural((grace / 3_600_000).unsigned_abs(), "hour"),
    }
}

pub(super) fn moment(view: &View<'_>, at: Millis) -> String {
    calendar::local(at, &view.state.zone)
}

pub(super) fn checkbox(ui: &mut Ui, on: bool, words: &str, send: impl FnOnce(bool)) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        if field::checkbox(ui, Some(on), words).clicked() {
            send(!on);
        }
        text::line(ui, Type::Body, p.text.primary, words);
    });
}

pub(super) fn fact(ui: &mut Ui, label: &str, value: impl FnOnce(&mut Ui)) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(84.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(84.0);
            text::line(ui, Type::Small, p.text.tertiary, label);
        });
        value(ui);
    });
}

pub(super) fn type_to_confirm(ui: &mut Ui, words: &str, typed: &mut String) {
    let p = theme::colors(ui);
    Frame::new().fill(p.warning.tint).inner_margin(Margin::symmetric(24, 12)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 6.0;
        text::line(ui, Type::Body, p.text.primary, format!("Type “{words}” to confirm"));
        Field::new("Confirmation").without_label().mono().show(ui, typed);
    });
}

pub(super) fn padded(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    frame::padded(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        add(ui);
    });
}

pub(super) fn head(ui: &mut Ui, dialog: &Rotating, title: &str, line: &str) {
    frame::head(ui, &dialog.profile, title, None, line);
}
