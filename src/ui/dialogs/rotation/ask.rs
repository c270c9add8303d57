//! The plan of a rotation, with what is typed into it.

use eframe::egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::{
    app::{
        Command, DialogKind, Rotating,
        rotation::{dialog::RotationStep, stages::Ask},
    },
    model::{
        TimeDelta,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::expiry,
        update::Change,
    },
    ops::rotation::{Objection, Rights, RotationPlan, overview::Planned},
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::{
            frame::footer,
            rotation::frame::{RotationInput, fact, head, moment, padded, problem_banner, rights_text},
        },
        theme::{self, Type, icons, space},
        widgets::{
            button::Button,
            chip,
            confirm::{checkbox, type_to_confirm},
            field::Field,
            file_field::expanded,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of keys that can't be rotated and are named; the rest is only counted.
const REFUSED: usize = 4;

impl RotationInput {
    /// Draws the plan, with the input for it.
    pub(super) fn ask(&mut self, ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ask: &Ask) {
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
        let line = "Creates a successor with the same privileges. The old key is invalidated only after the successor \
                    has been tested, or you have confirmed that you have its secret";
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
            type_to_confirm(ui, theme::colors(ui).warning.tint, words, &mut self.typed);
        }
        notice::hairline(ui);
        footer(ui, |ui| self.ask_buttons(ui, view, ask, typed.as_deref()));
    }

    fn ask_buttons(&mut self, ui: &mut Ui, view: &mut View<'_>, ask: &Ask, words: Option<&str>) {
        let is_same = self.name.trim() == ask.name.trim() && self.expiration.trim() == ask.expiration.trim();
        if !is_same {
            let off = ask.planned.is_loading().then_some("Still checking");
            if Button::primary("Review").off_because(off).show(ui).clicked() {
                view.send(Command::from(RotationStep::Look(self.name.clone(), self.expiration.clone())));
            }
        } else {
            let unconfirmed = words.is_some_and(|words| self.typed.trim() != words);
            let no_folder =
                (!ask.is_single() && self.folder.trim().is_empty()).then_some("Choose a folder for the secrets");
            let off = ask.obstacle().or(no_folder).or(unconfirmed.then_some("Type the text above first"));
            let off = off.or(ask.planned.problem().map(|_| "The check failed"));
            let count = if ask.is_single() { 1 } else { ask.count() };
            let label = format!("Rotate {}", plural(count as u64, "key"));
            let button = if ask.grace() == TimeDelta::ZERO { Button::destroy(&label) } else { Button::primary(&label) };
            if button.icon(icons::AUTORENEW).off_because(off).show(ui).clicked() {
                view.send(Command::from(RotationStep::Begin(expanded(self.folder.trim()))));
            }
        }
        let cancel = Button::ghost("Cancel").show(ui);
        if cancel.clicked() {
            view.send(Command::CloseDialog(DialogKind::Rotate));
        }
        // Enter never begins: the focus is at what is safe.
        if ui.memory(|memory| memory.focused().is_none()) {
            cancel.request_focus();
        }
    }

    /// Draws the options: those that need a confirmation first, those with a usable default last.
    fn options(&mut self, ui: &mut Ui, view: &mut View<'_>, ask: &Ask, planned: &Planned) {
        consents(ui, view, ask);
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
            let help = "Leave empty to use the old key’s name";
            Field::new("Name of the successor").optional().width(half).hint(&hint).help(help).show(ui, &mut self.name);
            let help = "Leave empty to use the old key’s lifetime";
            let end = Field::new("Successor expires").optional().mono().width(half).hint("90d, 2027-02-21, never");
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
        let help =
            "One new file per key, named after the old key’s id and readable only by you. Nothing is overwritten";
        let field = Field::new("Folder for the secrets").mono().help(help);
        self.browse.show(ui, view, field, ("Folder for the secrets", FileKind::Folder), &mut self.folder);
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
    fact(ui, "Rights", |ui| drop(text::paragraph(ui, Type::Body, p.text.secondary, rights_text(&plan.rights))));
}

fn looking(ui: &mut Ui, view: &mut View<'_>, dialog: &Rotating, ask: &Ask) {
    let p = theme::colors(ui);
    if let Some(problem) = ask.planned.problem().filter(|_| !ask.planned.is_loading()) {
        problem_banner(ui, view, problem);
    }
    if ask.planned.is_loading() {
        let words = match ask.is_single() {
            true => "Checking the key’s current state".to_owned(),
            false => {
                format!("Checking {} of {}", thousands(dialog.counted as u64), plural(ask.ids.len() as u64, "key"))
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
        1 => "1 key can’t be rotated and stays unchanged".to_owned(),
        more => format!("{} keys can’t be rotated and stay unchanged", thousands(more as u64)),
    };
    notice::banner(ui, Tone::Warning, &title, &lines.join("\n"), |_| ());
    if let [(_, problem)] = &planned.refused[..]
        && !problem.fixes.is_empty()
    {
        ui.horizontal_wrapped(|ui| crate::ui::components::problem::problem_buttons(ui, view, problem));
    }
}

/// Draws what is different about the successor of one key.
fn warnings(ui: &mut Ui, plan: &RotationPlan) {
    if let Rights::Differ(changes) = &plan.rights {
        let title = "It will be limited by its owner’s current privileges, which differ from those in the old key";
        notice::banner(ui, Tone::Warning, title, &sanitize::shortened(&changed(changes), 300), |_| ());
    }
    if plan.old.is_unrestricted() {
        let owner = sanitize::shortened(&plan.maker.username, 40);
        let title = format!("It has no role descriptors: it can do everything {owner} can");
        notice::banner(ui, Tone::Warning, &title, "", |_| ());
    }
    if !plan.left_behind.is_empty() {
        let names = sanitize::shortened(&plan.left_behind.join(", "), 200);
        let title = "Some of the metadata is not copied";
        let detail = format!("{names}: Elasticsearch reserves such names");
        notice::banner(ui, Tone::Info, title, &detail, |_| ());
    }
}

/// Lists the paths of changes, each as changed, gone or new; the values are too long for the dialog.
fn changed(changes: &[Change]) -> String {
    let one = |change: &Change| {
        let what = match (&change.old, &change.new) {
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "removed",
            (None, _) => "added",
        };
        format!("{} {what}", change.path.trim_start_matches('/'))
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Draws the choice of the grace period, in which both keys work.
fn grace(ui: &mut Ui, view: &mut View<'_>, ask: &Ask) {
    let p = theme::colors(ui);
    if !ask.compromised {
        text::line(ui, Type::Label, p.text.secondary, "Old key is due for invalidation after");
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for (length, label) in
                [(TimeDelta::DAY, "24 hours"), (TimeDelta::from_days(7), "7 days"), (TimeDelta::ZERO, "Immediately")]
            {
                if chip::choice(ui, ask.grace == length, None, label, None).clicked() {
                    view.send(Command::from(RotationStep::Grace(length)));
                }
            }
        });
    }
    if checkbox(ui, ask.compromised, COMPROMISED) {
        view.send(Command::from(RotationStep::Compromised(!ask.compromised)));
    }
    let words = match (ask.compromised, ask.grace()) {
        (true, _) => {
            "No grace period: clients that use the old key get 401 errors as soon as the successor has been tested"
        }
        (false, TimeDelta::ZERO) => {
            "The old key is invalidated as soon as the successor has been tested. This can’t be undone"
        }
        _ => "After that, the old key is shown as due until you invalidate it: nothing is invalidated automatically",
    };
    let color = if ask.grace() == TimeDelta::ZERO { p.danger.text } else { p.text.tertiary };
    text::paragraph(ui, Type::Small, color, words);
    let plans = ask.planned.value().map_or(&[][..], |planned| &planned.plans);
    let short = plans.iter().filter_map(|plan| plan.successor_ends_within(ask.grace())).min();
    if let Some(end) = short {
        let words = match ask.is_single() {
            true => format!(
                "The successor would expire before that ({}): set a later expiration, or choose a shorter grace period",
                moment(view, end)
            ),
            false => format!(
                "{} would expire before that. Left out: choose a shorter grace period",
                plural(ask.count_of(Objection::ShortSuccessor) as u64, "successor")
            ),
        };
        return drop(text::paragraph(ui, Type::Small, p.danger.text, words));
    }
    let ends = plans.iter().filter_map(|plan| plan.ends_within(ask.grace())).min();
    if let Some(end) = ends {
        let words = match ask.is_single() {
            true => format!("The old key expires before that: both keys work until {}", moment(view, end)),
            false => "Some of the old keys expire before that: both keys work only until then".to_owned(),
        };
        text::paragraph(ui, Type::Small, p.warning.text, words);
    }
}

const COMPROMISED: &str = "Compromised: invalidate the old key as soon as the successor works";

/// Draws the confirmations that keys of other owners and of products need.
fn consents(ui: &mut Ui, view: &mut View<'_>, ask: &Ask) {
    let plans = ask.planned.value().map_or(&[][..], |planned| &planned.plans);
    let left_out = if ask.is_single() { "" } else { ". Left out" };
    if let Some(first) = plans.iter().find(|plan| plan.changes_owner) {
        let (owner, me) = (&first.old.owner.username, &first.maker.username);
        let count = ask.count_of(Objection::OtherOwner) as u64;
        let title = match ask.is_single() {
            true => format!("It belongs to {owner}, but its successor would belong to {me}"),
            false => {
                format!("{} would belong to {me} instead of the current owners{left_out}", plural(count, "successor"))
            }
        };
        let detail = format!(
            "A key belongs to the user who creates it and is limited by that user’s privileges. To keep {owner} as the \
             owner, set “Run as” in the connection, let {owner} rotate it, or create a key for another user (under \
             Create) with that user’s password"
        );
        let (title, detail) = (sanitize::shortened(&title, 200), sanitize::shortened(&detail, 400));
        notice::banner(ui, Tone::Warning, &title, &detail, |_| ());
        if checkbox(ui, ask.consent.other_owner, "Make me the owner of the successor") {
            view.send(Command::from(RotationStep::OtherOwner(!ask.consent.other_owner)));
        }
    }
    if let Some(first) = plans.iter().find(|plan| plan.product().is_some()) {
        let product = sanitize::shortened(first.product().unwrap_or_default(), 40);
        let were = match ask.count_of(Objection::Managed) as u64 {
            _ if ask.is_single() => format!("It claims to be created by {product}"),
            1 => format!("1 key claims to be created by {product}{left_out}"),
            more => format!("{} claim to be created by other applications{left_out}", plural(more, "key")),
        };
        let detail = "If so, give the application the successor: whatever uses the old key stops working once that \
                      key is invalidated";
        notice::banner(ui, Tone::Warning, &were, detail, |_| ());
        if checkbox(ui, ask.consent.managed_too, "Rotate keys of other applications too") {
            view.send(Command::from(RotationStep::Managed(!ask.consent.managed_too)));
        }
    }
    live_successors(ui, view, ask, plans, left_out);
}

/// Draws keys that are being rotated already, on this machine or another.
fn live_successors(ui: &mut Ui, view: &mut View<'_>, ask: &Ask, plans: &[RotationPlan], left_out: &str) {
    let Some(problem) = plans.iter().find_map(RotationPlan::rotated_already) else { return };
    let title = match ask.count_of(Objection::LiveSuccessor) as u64 {
        _ if ask.is_single() => problem.title.clone(),
        1 => format!("1 key has a successor that works or may work{left_out}"),
        more => format!("{} have successors that work or may work{left_out}", plural(more, "key")),
    };
    let detail = format!("{}. {}", problem.detail, problem.hint);
    notice::banner(ui, Tone::Warning, &sanitize::shortened(&title, 300), &detail, |_| ());
    if checkbox(ui, ask.consent.again, "Create another successor anyway") {
        view.send(Command::from(RotationStep::Again(!ask.consent.again)));
    }
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
            let words = end.map_or("never expires".into(), |at| expiry::remaining(Some(at), view.state.now));
            text::line(ui, Type::Small, p.text.secondary, words);
            if planned.uses.is_ok() {
                let words = sanitize::shortened(&last_use(view, planned, plan), 60);
                text::line(ui, Type::Small, p.text.tertiary, words);
            }
            if matches!(plan.rights, Rights::Differ(_)) {
                text::line(ui, Type::Small, p.warning.text, "owner’s privileges differ");
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
    at.map_or("never expires".into(), |at| {
        format!("expires {} ({})", expiry::remaining(Some(at), now), moment(view, at))
    })
}

fn last_use(view: &View<'_>, planned: &Planned, plan: &RotationPlan) -> String {
    let now = view.state.cluster().map_or(view.state.now, |cluster| cluster.now(view.state.now));
    match &planned.uses {
        Ok(uses) => uses.words(&plan.old.id, now, &view.state.zone),
        Err(why) => why.to_string(),
    }
}
