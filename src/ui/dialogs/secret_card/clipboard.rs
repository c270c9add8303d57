//! The hidden secret, and how long it stays on the clipboard.

use eframe::egui::{self, Align, Layout, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use zeroize::Zeroizing;

use crate::{
    app::{
        Command, Reveal,
        dialogs::secret_card::{CLIPBOARD_TIME, Copied},
    },
    model::snippet::MASK,
    ui::{
        View,
        dialogs::secret_card::rotation,
        theme::{self, Type, icons, radius, space},
        widgets::{button::Button, text},
    },
};

/// Draws the hidden secret, with buttons to copy and to reveal it.
pub(crate) fn secret_line(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal, is_new: bool) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::hover());
    let stroke = Stroke::new(p.hair, p.stroke.control);
    ui.painter().rect(rect, f32::from(radius::L), p.surface.sunken, stroke, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(space::L, 0.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(inner).layout(Layout::right_to_left(Align::Center)), |ui| {
        // Of a successor the next step is to say that it was kept, once it was copied: one button leads.
        let leads = reveal.rotation.is_none() || rotation::copy_leads(reveal);
        let copy = if leads { Button::primary("Copy") } else { Button::secondary("Copy") };
        let copy = copy.icon(icons::CONTENT_COPY).show(ui);
        if is_new {
            copy.request_focus();
        }
        if copy.clicked() {
            let encoded = crate::model::connections::login::encode(reveal.id.as_str(), &reveal.secret);
            view.send(Command::CopySecret(encoded));
        }
        let hold = Button::ghost("Hold to reveal").icon(icons::VISIBILITY).show(ui);
        let held = hold.is_pointer_button_down_on()
            || (hold.has_focus() && ui.input(|input| input.key_down(egui::Key::Space)));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let shown =
                if held { Zeroizing::new(reveal.secret.expose().to_owned()) } else { Zeroizing::new(MASK.to_owned()) };
            let color = p.text.primary;
            let galley = ui.painter().layout_no_wrap(shown.to_string(), Type::Secret.font(), color);
            let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::hover());
            // A screen reader hears that there is a secret, never the secret.
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, "The secret, hidden"));
            ui.painter().galley(rect.min, galley, color);
        });
    });
}

/// Draws what is on the clipboard, and for how long.
pub(crate) fn clipboard_line(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        match (view.state.clipboard.left(view.state.now), &view.state.clipboard.problem) {
            (_, Some(problem)) => drop(text::line(ui, Type::Small, p.danger.text, problem.words())),
            (Some(left), None) => {
                ring(ui, left.as_millis() as f32 / CLIPBOARD_TIME.as_millis() as f32);
                // The card of the next secret must not claim the clipboard of the one before.
                let is_this = reveal.copied == Copied::OnClipboard;
                let whose = if is_this { "On the clipboard" } else { "Another secret is on the clipboard" };
                let words = format!("{whose}, cleared in {} s", left.as_secs_up());
                text::line(ui, Type::Body, p.text.secondary, words);
                if Button::link("Clear now").show(ui).clicked() {
                    view.send(Command::ClearClipboard);
                }
            }
            (None, None) if reveal.copied == Copied::Gone && !reveal.is_safe() => {
                let words = "No longer on the clipboard";
                drop(text::line(ui, Type::Body, p.warning.text, words));
            }
            (None, None) => {
                drop(text::line(ui, Type::Body, p.text.tertiary, "Copy puts the encoded key on the clipboard for 30 s"))
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::Small, p.warning.text, "Shown only once: Elasticsearch stores only a hash");
            text::icon(ui, Type::IconSmall, p.warning.text, icons::WARNING);
        });
    });
}

/// Draws a ring that empties as time runs out.
fn ring(ui: &mut Ui, share: f32) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::hover());
    let radius = 8.0;
    ui.painter().circle_stroke(rect.center(), radius, Stroke::new(2.5, p.status.track));
    let points = (0..=48).map(|step| {
        let angle = std::f32::consts::TAU * (share.clamp(0.0, 1.0) * step as f32 / 48.0 - 0.25);
        rect.center() + radius * vec2(angle.cos(), angle.sin())
    });
    ui.painter().add(Shape::line(points.collect(), Stroke::new(2.5, p.accent.mark)));
}
