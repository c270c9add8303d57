//! The locked window: nothing of any cluster is drawn, and nothing of it is in the accessible tree.

use eframe::egui::{
    self, Align, CornerRadius, Frame, Key, Layout, Margin, Modifiers, ScrollArea, Sense, Stroke, Ui, vec2,
};
use zeroize::Zeroizing;

use super::{
    View,
    theme::{self, Type, icons, radius, space},
    widgets::{
        button::Button,
        field::{self, Field},
        notice::{self, Tone},
        text,
    },
};
use crate::{
    app::{Command, Lock},
    model::{secret::Secret, time::calendar},
    ops::lock::TypedSignIn,
};

/// Width of the card, in points.
const CARD: f32 = 424.0;

/// Height of the window below which the card does without its picture, in points.
const LOW: f32 = 720.0;

/// Input of the locked window.
#[derive(Default)]
pub(super) struct LockScreen {
    connection: String,
    credential: Zeroizing<String>,
    /// `true` once the first frame was drawn: the button has the focus from then on.
    is_shown: bool,
    other_way: bool,
}

impl LockScreen {
    /// Draws the locked window.
    pub(super) fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>, lock: &Lock) {
        let p = theme::colors(ui);
        let room = ui.max_rect();
        ui.painter().rect_filled(room, 0.0, p.surface.canvas);
        let typed = lock.asks_sign_in || self.other_way;
        let is_low = room.height() < LOW;
        let top = if typed && is_low { space::M } else { room.height() * if typed { 0.16 } else { 0.26 } };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.centered(ui, view, lock, (top, typed, is_low)));
    }

    fn centered(&mut self, ui: &mut Ui, view: &mut View<'_>, lock: &Lock, (top, typed, is_low): (f32, bool, bool)) {
        let p = theme::colors(ui);
        ui.vertical_centered(|ui| {
            ui.add_space(top);
            let frame = Frame::new()
                .fill(p.surface.raised)
                .stroke(Stroke::new(p.hair, p.stroke.card))
                .corner_radius(CornerRadius::same(radius::XL))
                .inner_margin(Margin::same(28));
            ui.allocate_ui_with_layout(vec2(CARD, 0.0), Layout::top_down(Align::Center), |ui| {
                frame.show(ui, |ui| {
                    ui.set_width(CARD - 56.0);
                    if !(typed && is_low) {
                        picture(ui);
                    }
                    self.card(ui, view, lock, typed);
                });
            });
            ui.add_space(space::M);
            if !typed {
                let other = Button::ghost("Sign in another way…").icon(icons::LOGIN);
                self.other_way = other.show(ui).clicked();
            }
        });
    }

    fn card(&mut self, ui: &mut Ui, view: &mut View<'_>, lock: &Lock, typed: bool) {
        let p = theme::colors(ui);
        text::line(ui, Type::Title, p.text.primary, "Keybearer is locked");
        let since = calendar::clock(lock.since, &view.state.zone);
        text::line(ui, Type::Body, p.text.secondary, format!("Since {since}, {}", lock.reason.words()));
        ui.add_space(space::M);
        if typed {
            self.sign_in(ui, view, lock);
        } else {
            self.unlock(ui, view, lock);
        }
        if let Some(problem) = &lock.problem {
            notice::banner(ui, Tone::Danger, &problem.title, &problem.detail, |_| ());
            if !problem.hint.is_empty() {
                text::paragraph(ui, Type::Small, p.text.secondary, &problem.hint);
            }
        }
        ui.add_space(space::M);
        let (done, line) = match lock.is_wiped() {
            true => (icons::CHECK, "Credentials, secrets and lists were dropped from memory"),
            false => (icons::PENDING, "What is being written is finished first"),
        };
        ui.horizontal(|ui| {
            text::icon(ui, Type::IconSmall, if lock.is_wiped() { p.success.text } else { p.text.tertiary }, done);
            text::line(ui, Type::Small, p.text.secondary, line);
        });
    }

    fn unlock(&mut self, ui: &mut Ui, view: &mut View<'_>, lock: &Lock) {
        let p = theme::colors(ui);
        let off = obstacle(lock);
        let width = ui.available_width();
        let button = Button::primary("Unlock").icon(icons::LOCK_OPEN).large().width(width).off_because(off).show(ui);
        if off.is_none() && !self.is_shown {
            self.is_shown = true;
            button.request_focus();
        }
        if button.clicked() {
            view.send(Command::Unlock(None));
        }
        let line = if lock.is_unlocking() { "Waiting for the keyring…" } else { "By the keyring of this computer" };
        text::line(ui, Type::Small, p.text.tertiary, line);
    }

    fn sign_in(&mut self, ui: &mut Ui, view: &mut View<'_>, lock: &Lock) {
        let p = theme::colors(ui);
        let line = "The keyring is already unlocked, so it can’t confirm who you are. Type the name of a saved \
                    connection, and its password, token or API key";
        text::paragraph(ui, Type::Small, p.text.secondary, line);
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            let name = Field::new("Connection name").show(ui, &mut self.connection);
            if !self.is_shown {
                self.is_shown = true;
                name.request_focus();
            }
            Field::new("Password, token or API key").show_password(ui, &mut self.credential);
        });
        let is_filled = !self.connection.trim().is_empty() && !self.credential.is_empty();
        let off = obstacle(lock).or((!is_filled).then_some("Type the name and the credential"));
        let entered = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
        let width = ui.available_width();
        let button = Button::primary("Unlock").icon(icons::LOCK_OPEN).large().width(width).off_because(off).show(ui);
        if off.is_none() && (button.clicked() || entered) {
            let credential = Secret::new(self.credential.as_str());
            let typed = TypedSignIn { connection: self.connection.clone(), credential };
            field::forget_histories(ui.ctx(), &["Password, token or API key"]);
            self.credential = Zeroizing::default();
            view.send(Command::Unlock(Some(Box::new(typed))));
        }
    }
}

fn picture(ui: &mut Ui) {
    let p = theme::colors(ui);
    let (icon, _) = ui.allocate_exact_size(vec2(56.0, 56.0), Sense::hover());
    ui.painter().rect_filled(icon, f32::from(radius::L), p.surface.pressed);
    let center = egui::Align2::CENTER_CENTER;
    ui.painter().text(icon.center(), center, icons::LOCK, Type::Icon.font(), p.text.secondary);
    ui.add_space(space::M);
}

fn obstacle(lock: &Lock) -> Option<&'static str> {
    lock.is_unlocking().then_some("Waiting for the keyring")
}
