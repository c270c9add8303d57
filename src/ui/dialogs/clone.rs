//! The dialog of copying a key: the secret of the source is pasted, masked, and wiped when the dialog closes.

use eframe::egui::{self, Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};
use zeroize::Zeroizing;

use crate::{
    app::{Cloning, Command, DialogKind, InvalidateStep, create::clone::CloneStep},
    model::{
        api_key::{ApiKey, KeyId},
        create::{
            clone,
            clone_draft::{CloneDraft, CloneField},
        },
        form_error::FormError,
        secret::Secret,
        text::sanitize,
        time::{calendar, status::Status},
    },
    store::connections::new_profile_id,
    ui::{
        View,
        dialogs::frame::dialog,
        theme,
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

const SECRET: &str = "Secret of the source";

/// Maximum height of the fields, with all errors shown below them, in points.
const FIELDS: f32 = 420.0;

/// Input of the dialog.
#[derive(Default)]
pub struct CloneForm {
    pasted: Zeroizing<String>,
    draft: CloneDraft,
    request_id: String,
    open_for: Option<KeyId>,
}

impl CloneForm {
    /// Draws the dialog while it is open.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(dialog_of) = view.state.dialogs.get::<Cloning>() else {
            if self.open_for.is_some() {
                *self = Self::default();
                field::forget_histories(ctx, &[SECRET]);
            }
            return;
        };
        let is_new = self.open_for.as_ref() != Some(&dialog_of.source.id);
        if is_new {
            let draft = CloneDraft { name: dialog_of.source.name.clone(), ..CloneDraft::default() };
            let open_for = Some(dialog_of.source.id.clone());
            *self = Self { draft, open_for, request_id: new_profile_id().0, ..Self::default() };
        }
        let closed = dialog(ctx, view.state, "Clone a key", &dialog_of.source.id, size::DIALOG, |ui| {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.content(ui, view, dialog_of, is_new);
            });
        });
        if closed {
            view.send(Command::CloseDialog(DialogKind::Clone));
        }
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, cloning: &Cloning, is_new: bool) {
        head(ui, cloning);
        // What is around the fields: the head, the footer and the margins.
        let room = (ui.ctx().content_rect().height() - 284.0).max(160.0);
        let scroll = ScrollArea::vertical().id_salt("clone form").max_height(room).min_scrolled_height(room);
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::M;
            // In a low window there is a scroll bar beside them.
            let beside = if room < FIELDS { space::M } else { 0.0 };
            ui.set_max_width(ui.available_width() - beside);
            self.fields(ui, view, cloning, is_new);
        });
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), size::CONTROL),
            Layout::right_to_left(Align::Center),
            |ui| self.footer(ui, view, cloning),
        );
    }

    fn fields(&mut self, ui: &mut Ui, view: &mut View<'_>, cloning: &Cloning, is_new: bool) {
        let field_error = |field: CloneField| FormError::of(&cloning.errors, &field).map(str::to_owned);
        let error = field_error(CloneField::Secret);
        let help = "Cloning a key requires its secret: encoded, id:api_key, a header, a command or a line of code";
        let pasted = Field::new(SECRET).mono().help(help).error(error.as_deref());
        let pasted = pasted.show_password(ui, &mut self.pasted);
        if is_new {
            pasted.request_focus();
        }
        let error = field_error(CloneField::Name);
        Field::new("Name of the clone").error(error.as_deref()).show(ui, &mut self.draft.name);
        self.end(ui, view, cloning, field_error(CloneField::Expiration).as_deref());
        if self.draft.needs_reason(view.state.now, &view.state.zone) {
            let error = field_error(CloneField::Reason);
            let is_never = self.draft.expiration.trim().eq_ignore_ascii_case("never");
            let label = if is_never { "Why it never expires" } else { "Why it is long-lived" };
            let reason = Field::new(label).help("Saved in the metadata for reviewers");
            reason.error(error.as_deref()).show(ui, &mut self.draft.reason);
        }
        self.banners(ui, view, cloning);
    }

    fn end(&mut self, ui: &mut Ui, view: &View<'_>, cloning: &Cloning, error: Option<&str>) {
        let p = theme::colors(ui);
        text::line(ui, Type::Label, p.text.primary, "Expiration");
        ui.scope(|ui| {
            ui.spacing_mut().interact_size.y = size::CONTROL;
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                for (value, label) in [("", "Same as source"), ("30d", "30 days"), ("90d", "90 days")] {
                    if chip::choice(ui, self.draft.expiration.trim() == value, None, label, None).clicked() {
                        self.draft.expiration = value.into();
                    }
                }
                let never = self.draft.expiration.trim().eq_ignore_ascii_case("never");
                if chip::choice(ui, never, Some(Status::Never), "Never…", None).clicked() {
                    self.draft.expiration = "never".into();
                }
                let end = Field::new("Expiration of the clone").without_label().mono().width(142.0);
                end.hint("2027-02-21").show(ui, &mut self.draft.expiration);
            });
        });
        let source = match cloning.source.expires {
            Some(at) => format!("The source expires {}", calendar::local_long(at, &view.state.zone)),
            None => "The source never expires".into(),
        };
        match error {
            Some(error) => field::error_line(ui, error),
            None => drop(text::line(ui, Type::Small, p.text.tertiary, source)),
        }
    }

    fn banners(&mut self, ui: &mut Ui, view: &mut View<'_>, cloning: &Cloning) {
        let Some(problem) = &cloning.problem else { return };
        let detail = [problem.detail.as_str(), problem.hint.as_str()].join("\n");
        notice::banner(ui, Tone::Danger, &problem.title, detail.trim(), |ui| {
            if !cloning.strays.is_empty()
                && Button::danger("Invalidate it…").small().icon(icons::BLOCK).show(ui).clicked()
            {
                view.send(Command::from(InvalidateStep::AskCloned));
            }
        });
    }

    fn footer(&mut self, ui: &mut Ui, view: &mut View<'_>, cloning: &Cloning) {
        let off = if cloning.is_running() {
            Some("The clone is being created")
        } else if self.pasted.trim().is_empty() {
            Some("Paste the secret of the source")
        } else {
            None
        };
        if Button::primary("Clone key").icon(icons::DIFFERENCE).off_because(off).show(ui).clicked() {
            // The field of the reason is shown for a copy without an end only: what is not shown is not meant.
            let reason = if self.draft.needs_reason(view.state.now, &view.state.zone) {
                self.draft.reason.clone()
            } else {
                String::new()
            };
            let draft = Box::new(CloneDraft { reason, ..self.draft.clone() });
            let pasted = Secret::new(self.pasted.as_str());
            view.send(CloneStep::Send(draft, pasted, self.request_id.clone()).into());
            self.request_id = new_profile_id().0;
        }
        if Button::ghost("Cancel").enabled(!cloning.is_running()).show(ui).clicked() {
            view.send(Command::CloseDialog(DialogKind::Clone));
        }
        if cloning.is_running() {
            text::line(ui, Type::Small, theme::colors(ui).text.secondary, "Cloning…");
        }
    }
}

/// Draws the head: the source key, and what the copy takes from it.
fn head(ui: &mut Ui, cloning: &Cloning) {
    let p = theme::colors(ui);
    let ApiKey { name, id, owner, .. } = &cloning.source;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            chip::environment(ui, cloning.profile.environment);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Title, p.text.primary, format!("Clone {}", sanitize::shortened(name, 60)));
            });
        });
    });
    let place = sanitize::shortened(&cloning.profile.name, 40);
    ui.horizontal(|ui| {
        text::line(ui, Type::Small, p.text.tertiary, format!("On {place} ({})", cloning.profile.endpoint.url.host()));
        text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id.as_str(), 60));
    });
    let words = clone::words(Some(&sanitize::shortened(&owner.username, 60)));
    text::paragraph(ui, Type::Body, p.text.secondary, words);
}
