//! The secret of a new key: masked, revealed while held, copied in the form that its consumer takes, and tried.

mod clipboard;
pub(super) mod rotation;
mod trial;

use std::path::PathBuf;

use eframe::egui::{
    self, Align, CornerRadius, Frame, Layout, Margin, Response, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2,
};

use crate::{
    app::{Command, Reveal, dialogs::secret_card::Copied},
    model::{
        api_key::KeyKind,
        secret::Secret,
        snippet::{Consumer, Key, KeyText, Site},
        text::{number::plural, sanitize},
        time::calendar,
    },
    store::file_dialog::FileKind,
    ui::{
        View,
        dialogs::{
            frame::dialog,
            secret_card::{
                clipboard::{clipboard_line, secret_line},
                trial::trial,
            },
        },
        theme,
        theme::{Type, icons, radius, size, space},
        widgets::{
            button::Button,
            chip, code,
            field::Field,
            file_field::FileField,
            focus,
            notice::{self, Tone},
            text,
        },
    },
};

/// Label of the field that filters the list of consumers.
const FIND: &str = "Find a consumer";

/// The card, with the chosen consumer and the path to write to.
pub struct SecretCard {
    consumer: Consumer,
    search: String,
    by_reference: bool,
    writing: Option<String>,
    file: FileField,
    shown_for: Option<crate::model::api_key::KeyId>,
}

impl Default for SecretCard {
    fn default() -> Self {
        Self {
            consumer: Consumer::Encoded,
            search: String::new(),
            by_reference: false,
            writing: None,
            file: FileField::default(),
            shown_for: None,
        }
    }
}

impl SecretCard {
    /// Draws the card while there is a new key.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let Some(reveal) = &view.state.reveal else {
            self.shown_for = None;
            return;
        };
        let is_new = self.shown_for.as_ref() != Some(&reveal.id);
        if is_new {
            let usual = Self::default().consumer;
            let consumer = if usual.takes_kind(&reveal.kind) { usual } else { Consumer::RemoteCluster };
            *self = Self { shown_for: Some(reveal.id.clone()), consumer, ..Self::default() };
        }
        let closed = dialog(ctx, view.state, "Secret of the new key", &reveal.id, size::DIALOG_WIDE, |ui| {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                head(ui, view, reveal);
                for doubt in &reveal.doubts {
                    notice::banner(ui, notice::Tone::Warning, "Not as requested", doubt, |_| ());
                }
                rotation::line(ui, reveal);
                secret_line(ui, view, reveal, is_new);
                clipboard_line(ui, view, reveal);
                self.hand_over(ui, view, reveal);
                ui.push_id(reveal.asks, |ui| self.footer(ui, view, reveal));
            });
        });
        if closed {
            view.send(if reveal.asks { Command::GoBackToSecret } else { Command::CloseSecret });
        }
    }

    fn hand_over(&mut self, ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
        let room = ui.ctx().content_rect().height() - 420.0;
        let height = room.clamp(170.0, 336.0);
        ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::left_to_right(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = space::L;
            ui.allocate_ui_with_layout(vec2(196.0, height), Layout::top_down(Align::Min), |ui| {
                self.consumers(ui, height, &reveal.kind)
            });
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                self.form(ui, view, reveal, height);
            });
        });
    }

    fn consumers(&mut self, ui: &mut Ui, height: f32, kind: &KeyKind) {
        let p = theme::colors(ui);
        let all = || Consumer::ALL.into_iter().filter(|consumer| consumer.takes_kind(kind));
        let matching: Vec<Consumer> = all().filter(|consumer| consumer.is_like(&self.search)).collect();
        Frame::new()
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::same(6))
            .show(ui, |ui| {
                ui.set_width(184.0);
                ui.spacing_mut().item_spacing.y = 2.0;
                let moved = self.move_by_keys(ui, &matching);
                let hint = plural(all().count() as u64, "consumer");
                Field::new(FIND).without_label().icon(icons::SEARCH).hint(&hint).show(ui, &mut self.search);
                ui.add_space(4.0);
                let scroll = ScrollArea::vertical().id_salt("consumers").max_height(height - 60.0).auto_shrink(false);
                scroll.show(ui, |ui| {
                    let mut group = None;
                    for consumer in &matching {
                        if group.replace(consumer.group()) != Some(consumer.group()) {
                            heading(ui, consumer.group().title());
                        }
                        let row = consumer_row(ui, *consumer, self.consumer == *consumer);
                        if row.clicked() {
                            self.consumer = *consumer;
                        }
                        if moved && self.consumer == *consumer {
                            row.scroll_to_me(None);
                        }
                    }
                    if matching.is_empty() {
                        text::paragraph(ui, Type::Small, p.text.tertiary, "No consumers match");
                    }
                });
            });
    }

    /// Moves through the matching consumers while the search is typed: up and down choose, Enter takes the first.
    /// Returns `true` if the choice moved.
    fn move_by_keys(&mut self, ui: &mut Ui, matching: &[Consumer]) -> bool {
        let field = egui::Id::unique(("field", FIND));
        if matching.is_empty() || !ui.memory(|memory| memory.has_focus(field)) {
            return false;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
        let (down, up, enter) = (pressed(egui::Key::ArrowDown), pressed(egui::Key::ArrowUp), pressed(egui::Key::Enter));
        let place = matching.iter().position(|consumer| *consumer == self.consumer);
        let next = match place {
            None if down || up || enter => 0,
            Some(place) if down => (place + 1).min(matching.len() - 1),
            Some(place) if up => place.saturating_sub(1),
            _ => return false,
        };
        self.consumer = matching[next];
        true
    }

    fn form(&mut self, ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal, height: f32) {
        let p = theme::colors(ui);
        let endpoint = &reveal.profile.endpoint;
        let site = Site { url: endpoint.url.as_str(), trust: &endpoint.trust };
        let by_reference = self.by_reference && !self.consumer.is_form();
        let row = vec2(ui.available_width(), size::CONTROL);
        ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
            self.copy_button(ui, view, reveal, site, by_reference);
            if !self.consumer.is_form() {
                let choices = [(false, "With secret"), (true, "By reference")];
                if let Some(choice) = chip::segmented(ui, by_reference, &choices, None) {
                    self.by_reference = choice;
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Small, p.text.tertiary, self.consumer.takes());
            });
        });
        let masked = KeyText::masked(&reveal.id);
        let shown = self.consumer.text(site, if by_reference { Key::Reference } else { Key::Literal(&masked) });
        let hints = self.consumer.hints(site, !by_reference);
        let tried = reveal.trial.value().is_some() || reveal.trial.problem().is_some();
        let code_height = if tried { height * 0.36 } else { height - 116.0 };
        code::ground(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let scroll = ScrollArea::vertical().id_salt("snippet").max_height(code_height.max(60.0));
            scroll.auto_shrink([false, true]).show(ui, |ui| {
                code::plain(ui, shown.trim_end());
                if !hints.is_empty() {
                    text::paragraph(ui, Type::Small, p.text.tertiary, hints.join("\n"));
                }
            });
        });
        trial(ui, view, reveal);
    }

    /// Draws the copy button. With the secret, the text is copied as a secret; by reference it contains none, and
    /// nothing is tracked.
    fn copy_button(&self, ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal, site: Site<'_>, by_reference: bool) {
        let label = if by_reference { "Copy by reference" } else { "Copy with secret" };
        if !Button::secondary(label).icon(icons::CONTENT_COPY).small().show(ui).clicked() {
            return;
        }
        if by_reference {
            ui.ctx().copy_text(self.consumer.text(site, Key::Reference).to_string());
        } else {
            let key = KeyText::real(&reveal.id, &reveal.secret);
            view.send(Command::CopySecret(Secret::from(self.consumer.text(site, Key::Literal(&key)))));
        }
    }

    fn footer(&mut self, ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
        let p = theme::colors(ui);
        if let Some(successor) = &reveal.rotation
            && (reveal.asks || successor.is_undoing())
        {
            return rotation::asks(ui, view, reveal, successor);
        }
        if reveal.asks {
            return asks(ui, view, reveal);
        }
        if let Some(path) = &mut self.writing {
            let mut done = false;
            ui.horizontal_top(|ui| {
                let field = Field::new("File").without_label().mono().width(512.0).hint("A new file");
                self.file.show(ui, view, field, ("Write the secret to a new file", FileKind::New), path);
                if Button::secondary("Write").icon(icons::SAVE).enabled(!path.trim().is_empty()).show(ui).clicked() {
                    view.send(Command::WriteSecret(PathBuf::from(path.trim())));
                    done = true;
                }
                done |= Button::ghost("Cancel").show(ui).clicked();
            });
            if done {
                self.writing = None;
            }
        }
        if let Some(problem) = reveal.kept.problem() {
            notice::banner(ui, Tone::Danger, &problem.title, &problem.detail, |_| ());
        }
        ui.horizontal(|ui| {
            if Button::secondary("Keep in keyring").icon(icons::ENCRYPTED).show(ui).clicked() {
                view.send(Command::KeepSecret);
            }
            if self.writing.is_none() && Button::secondary("Write to file…").icon(icons::SAVE).show(ui).clicked() {
                self.writing = Some(default_path(&reveal.name));
                self.file = FileField::default();
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let safe = reveal.is_safe();
                if reveal.rotation.is_some() {
                    rotation::kept_button(ui, view, reveal);
                } else if Button::secondary(if safe { "Close" } else { "Close…" }).named("Close").show(ui).clicked() {
                    view.send(Command::CloseSecret);
                }
                let words = match (reveal.kept.value(), reveal.copied) {
                    (Some(place), _) => format!("Saved to {place}"),
                    (None, Copied::OnClipboard) => "Only on the clipboard".into(),
                    (None, Copied::Gone) => "Copied, but no longer on the clipboard".into(),
                    (None, Copied::Never) => "Not saved".into(),
                };
                text::line(ui, Type::Small, p.text.tertiary, words);
            });
        });
    }
}

/// Draws the question about closing although the secret is not stored. The safe choice is where “Close…” was.
fn asks(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
    const WITHOUT: &str = "The secret can’t be shown again. Without it, the key is useless and should be invalidated";
    if let Some(why) = &reveal.refusal {
        notice::banner(ui, Tone::Danger, "The key was not invalidated", why, |_| ());
    }
    let (title, line) = match (reveal.copied, view.state.clipboard.left(view.state.now)) {
        _ if reveal.kept.is_loading() => {
            ("The secret is not saved yet", format!("It is still being written to the keyring or the file. {WITHOUT}"))
        }
        (Copied::Never, _) => ("You haven’t saved the secret", WITHOUT.to_owned()),
        (Copied::OnClipboard, Some(left)) => (
            "The secret is only on the clipboard",
            format!("It is cleared in {} s or when Keybearer closes. {WITHOUT}", left.as_secs_up()),
        ),
        (Copied::OnClipboard | Copied::Gone, _) => ("The secret is no longer on the clipboard", WITHOUT.to_owned()),
    };
    notice::banner(ui, Tone::Warning, title, &line, |_| ());
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        if Button::secondary("Go back").show(ui).clicked() {
            view.send(Command::GoBackToSecret);
        }
        if reveal.copied != Copied::Never
            && Button::secondary("I’ve saved it").icon(icons::CHECK).guarded().show(ui).clicked()
        {
            view.send(Command::DropSecret);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if Button::danger("Invalidate it now").icon(icons::BLOCK).show(ui).clicked() {
                view.send(Command::InvalidateSecret);
            }
            if Button::danger("Close without saving it").icon(icons::CLOSE).show(ui).clicked() {
                view.send(Command::DropSecret);
            }
        });
    });
}

fn default_path(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let home = std::env::home_dir().unwrap_or_default();
    home.join(format!("{}.apikey", plain.trim_start_matches('.'))).display().to_string()
}

fn head(ui: &mut Ui, view: &View<'_>, reveal: &Reveal) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        let (rect, _) = ui.allocate_exact_size(vec2(40.0, 40.0), Sense::hover());
        ui.painter().circle(rect.center(), 19.5, p.success.tint, Stroke::new(p.hair, p.success.edge));
        ui.painter().text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            icons::KEY,
            Type::IconLarge.font(),
            p.success.text,
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            chip::environment(ui, reveal.profile.environment);
            home(ui, view, reveal);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let title = if reveal.rotation.is_some() { "Successor created" } else { "Key created" };
                text::line(ui, Type::Title, p.text.primary, title);
                ui.horizontal(|ui| {
                    text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&reveal.name, 40));
                    text::line(ui, Type::Mono, p.text.tertiary, reveal.id.as_str());
                    let end = reveal.expires.map_or("never expires".into(), |at| {
                        format!("expires {}", calendar::local_long(at, &view.state.zone))
                    });
                    text::line(ui, Type::Body, p.text.secondary, end);
                });
            });
        });
    });
}

/// Draws the connection that the key was created on, and whether another one is shown behind the card.
fn home(ui: &mut Ui, view: &View<'_>, reveal: &Reveal) {
    let p = theme::colors(ui);
    let shown = view.state.cluster().map(|cluster| &cluster.profile);
    let other = shown.filter(|shown| shown.id != reveal.profile.id && !view.state.shows_all());
    ui.allocate_ui_with_layout(vec2(236.0, 40.0), Layout::top_down(Align::Max), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let name = sanitize::shortened(&reveal.profile.name, 32);
        text::line(ui, Type::Strong, p.text.primary, format!("On {name}"));
        match other {
            Some(other) => {
                let words = format!("Behind this card: {}", sanitize::shortened(&other.name, 24));
                text::line(ui, Type::Small, p.warning.text, words);
            }
            None => drop(text::line(ui, Type::Small, p.text.tertiary, reveal.profile.endpoint.url.host())),
        }
    });
}

fn heading(ui: &mut Ui, words: &str) {
    let p = theme::colors(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.add_space(12.0);
        text::line(ui, Type::Small, p.text.tertiary, words);
    });
}

fn consumer_row(ui: &mut Ui, consumer: Consumer, chosen: bool) -> Response {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, consumer.name()));
    if chosen || response.hovered() {
        let fill = if chosen { p.surface.selected } else { p.surface.hover };
        ui.painter().rect_filled(rect, f32::from(radius::M), fill);
    }
    let (kind, color) = if chosen { (Type::Strong, p.text.primary) } else { (Type::Body, p.text.secondary) };
    let at = rect.left_center() + vec2(12.0, 0.0);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, consumer.name(), kind.font(), color);
    focus::ring_if(ui, &response, rect, radius::M);
    response
}
