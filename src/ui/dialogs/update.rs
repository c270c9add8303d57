//! Updating: what is typed, then exactly what would be different, then what is happening, then what has happened.

use eframe::egui::{self, Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};

use super::{
    dialog,
    fates::{FatesView, List, Source},
    invalidate::bar,
    update_review,
};
use crate::{
    app::{Command, Updating, updating::Step},
    model::{
        api_key::{ApiKey, KeyId},
        expiry::{plural, thousands},
        harmless,
        update_draft::{UpdateDraft, UpdateField},
    },
    ops::{
        fates::{Fate, Row},
        update::UpdateOutcome,
    },
    ui::{
        View, problem_buttons, theme,
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

/// The dialog, with what is typed into it.
#[derive(Default)]
pub struct UpdateDialog {
    draft: UpdateDraft,
    typed: String,
    fates: FatesView,
    /// The keys that it was opened for, and whether their texts were filled in.
    open_for: Option<Vec<KeyId>>,
    is_filled: bool,
}

impl UpdateDialog {
    /// Draws it while there is something to update.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(plan) = &view.state.updating else {
            *self = Self::default();
            return;
        };
        if self.open_for.is_none() {
            self.open_for = Some(plan.keys.ids());
        }
        if !self.is_filled
            && let Some(before) = plan.before.value()
        {
            self.is_filled = true;
            self.draft =
                UpdateDraft { expiration: std::mem::take(&mut self.draft.expiration), ..UpdateDraft::of(&before.key) };
        }
        let closed = dialog(ctx, "update", size::DIALOG_WIDE, |ui| {
            if plan.is_running() || plan.is_over() {
                self.happening(ui, view, plan);
            } else if plan.review.is_some() {
                self.review(ui, view, plan);
            } else {
                self.form(ui, view, plan);
            }
        });
        if closed {
            view.send(Command::Update(if plan.review.is_some() && !plan.is_over() { Step::Back } else { Step::Close }));
        }
    }

    fn form(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let line = "Nothing is sent before you have seen what would be different";
        let title = match plan.single() {
            Some(key) => format!("Update {}", harmless::shortened(&key.name, 60)),
            None => format!("Update {}", plural(plan.keys.len() as u64, "key")),
        };
        head(ui, plan, &title, line);
        notice::hairline(ui);
        let room = (ui.ctx().content_rect().height() - 260.0).max(200.0);
        padded(ui, |ui| {
            ScrollArea::vertical().id_salt("update form").max_height(room).auto_shrink([false, true]).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - space::M);
                ui.spacing_mut().item_spacing.y = space::M;
                if plan.left_out.0 > 0 {
                    let verb = if plan.left_out.0 == 1 { "is" } else { "are" };
                    let title = format!("{} {verb} left out", plural(plan.left_out.0 as u64, "key"));
                    notice::banner(ui, Tone::Warning, &title, &plan.left_out.1, |_| ());
                }
                match plan.single() {
                    Some(_) => self.one(ui, view, plan),
                    None => self.many(ui, plan),
                }
                self.expiration(ui, plan);
            });
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            let reading = plan.single().is_some() && plan.before.value().is_none();
            let off = reading.then_some("The key is read first");
            if Button::primary("Review").off_because(off).show(ui).clicked() {
                view.send(Command::Update(Step::Review(Box::new(self.draft.clone()))));
            }
            if Button::ghost("Cancel").show(ui).clicked() {
                view.send(Command::Update(Step::Close));
            }
        });
    }

    fn one(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        if let Some(problem) = plan.before.problem() {
            notice::banner(ui, Tone::Danger, &problem.title, &problem.detail, |ui| problem_buttons(ui, view, problem));
        }
        if plan.before.value().is_none() {
            let p = theme::colors(ui);
            if plan.before.is_loading() {
                text::line(ui, Type::Body, p.text.tertiary, "Reading the key as it is now");
            }
            return;
        }
        let texts = [
            (
                "Role descriptors",
                &mut self.draft.role_descriptors,
                UpdateField::RoleDescriptors,
                "All of them; {} gives the key all its owner’s rights",
                9,
            ),
            ("Metadata", &mut self.draft.metadata, UpdateField::Metadata, "All of it; what is not in it is gone", 7),
        ];
        for (label, text, at, help, rows) in texts {
            match text {
                Some(text) => {
                    let slip = slip(plan, at);
                    Field::new(label).mono().lines(rows).help(help).error(slip.as_deref()).show(ui, text);
                }
                None => {
                    let p = theme::colors(ui);
                    text::line(
                        ui,
                        Type::Small,
                        p.text.tertiary,
                        format!("{label}: not told by this version of Elasticsearch"),
                    );
                }
            }
        }
    }

    fn many(&mut self, ui: &mut Ui, plan: &Updating) {
        let error = slip(plan, UpdateField::Set);
        let help = "Members of the metadata, one a line; the others stay. A value that is no JSON is a text";
        let set = Field::new("Set in the metadata").mono().lines(4).hint("team=payments").help(help);
        set.error(error.as_deref()).show(ui, &mut self.draft.set);
        let error = slip(plan, UpdateField::Remove);
        let help = "Names of members, separated by commas";
        let remove = Field::new("Remove from the metadata").mono().hint("ticket, review_by").help(help);
        remove.error(error.as_deref()).show(ui, &mut self.draft.remove);
    }

    fn expiration(&mut self, ui: &mut Ui, plan: &Updating) {
        let p = theme::colors(ui);
        text::line(ui, Type::Label, p.text.secondary, "New end, counted from now");
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for (value, label) in [("", "As it is"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")] {
                if chip::choice(ui, self.draft.expiration.trim() == value, None, label, None).clicked() {
                    self.draft.expiration = value.into();
                }
            }
            let end = Field::new("New end").without_label().mono().width(220.0).hint("12h, 90d or 2027-02-21");
            end.show(ui, &mut self.draft.expiration);
        });
        match slip(plan, UpdateField::Expiration) {
            Some(error) => field::error_line(ui, &error),
            None => {
                drop(text::line(ui, Type::Small, p.text.tertiary, "An end can be moved and never be taken away again"))
            }
        }
    }

    fn review(&mut self, ui: &mut Ui, view: &mut View<'_>, plan: &Updating) {
        let Some(review) = &plan.review else { return };
        let count = review.changes.len() as u64;
        let title = format!("Update {}", plural(count, "key"));
        head(
            ui,
            plan,
            &title,
            "Exactly this would be different. An update can’t be taken back, only followed by another",
        );
        notice::hairline(ui);
        let room = (ui.ctx().content_rect().height() - 320.0).max(160.0);
        padded(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            update_review::ui(ui, view, plan, review, room);
        });
        let words = plan.words_to_type();
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
                view.send(Command::Update(Step::Send));
            }
            let back = Button::ghost("Back").show(ui);
            if back.clicked() {
                view.send(Command::Update(Step::Back));
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
        let (title, line) = match plan.is_over() {
            false => {
                (format!("Updating {}", plural(total, "key")), "Each waits for the cluster to write it, about a second")
            }
            true if plan.is_broken => {
                ("Broken off".into(), "Keybearer made a mistake. Refresh the list to see what is true")
            }
            true if is_complete => (format!("{} updated", plural(total, "key")), "As the cluster said of each"),
            true => (
                format!("{} of {} updated", thousands(good), plural(total, "key")),
                "As the cluster said of each; after a lost answer as the key itself shows",
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
                let name = view.state.fates_name(&plan.profile, "keys");
                let source = Source { keys: &plan.keys, exported: &plan.exported, name: &name };
                self.fates.ui(ui, view, &lists(outcome), &source);
            }
        });
        notice::hairline(ui);
        footer(ui, |ui| {
            if plan.is_running() {
                let off = plan.stopping.then_some("It stops after what is on its way");
                let stop = Button::secondary("Stop after what is on its way").icon(icons::STOP_CIRCLE).off_because(off);
                if stop.show(ui).clicked() {
                    view.send(Command::Update(Step::Stop));
                }
                return;
            }
            // The page of the key below has a “Close”, too.
            let close = Button::primary("Close").named("Close the update").show(ui);
            if close.clicked() {
                view.send(Command::Update(Step::Close));
            }
            if ui.memory(|memory| memory.focused().is_none()) {
                close.request_focus();
            }
            let rest = plan.outcome.as_ref().map_or(0, |own| own.untouched.len());
            let label = format!("Go on with the untouched ({})", thousands(rest as u64));
            if rest > 0 && Button::secondary(&label).icon(icons::EDIT).show(ui).clicked() {
                view.send(Command::Update(Step::GoOn));
            }
        });
    }
}

fn slip(plan: &Updating, at: UpdateField) -> Option<String> {
    plan.slips.iter().find(|(own, _)| *own == at).map(|(_, words)| words.clone())
}

/// What failed comes first: it asks for something.
fn lists(outcome: &UpdateOutcome) -> [List<'_>; 4] {
    fn plain<'a>(fate: Fate, word: &'a str, ids: &'a [KeyId]) -> List<'a> {
        let row = move |at: usize| -> Option<Row> { ids.get(at).map(|id| (fate, id.clone(), String::new())) };
        List { fate, word, count: ids.len(), row: Box::new(row) }
    }
    let failed = |at: usize| -> Option<Row> {
        outcome.failed.get(at).map(|(id, reason)| (Fate::Failed, id.clone(), reason.clone()))
    };
    [
        List { fate: Fate::Failed, word: "Failed", count: outcome.failed.len(), row: Box::new(failed) },
        plain(Fate::Untouched, "Untouched", &outcome.untouched),
        plain(Fate::Updated, "Updated", &outcome.updated),
        plain(Fate::Unchanged, "Unchanged", &outcome.unchanged),
    ]
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

fn head(ui: &mut Ui, plan: &Updating, title: &str, line: &str) {
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
        if let Some(key) = plan.single().as_ref().map(|key: &ApiKey| key.id.to_string()) {
            text::line(ui, Type::MonoSmall, p.text.tertiary, harmless::shortened(&key, 60));
        }
        text::paragraph(ui, Type::Body, p.text.secondary, line);
    });
}
