//! Notices of a screen: banners, empty states, problems.

use eframe::egui::{self, Align, Color32, CornerRadius, Frame, Layout, Margin, Stroke, Ui, vec2};

use super::{arming, button::Button, focus, text};
use crate::ui::theme::{self, Palette, Type, icons, radius, space};

/// Kind of a banner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Information.
    Info,
    /// Success.
    Success,
    /// Something that needs attention.
    Warning,
    /// A failure, or a destructive action.
    Danger,
}

impl Tone {
    fn parts(self, p: &Palette) -> (Color32, Color32, Color32, &'static str) {
        match self {
            Self::Info => (p.info.text, p.info.tint, p.info.edge, icons::INFO),
            Self::Success => (p.success.text, p.success.tint, p.success.edge, icons::CHECK_CIRCLE),
            Self::Warning => (p.warning.text, p.warning.tint, p.warning.edge, icons::WARNING),
            Self::Danger => (p.danger.text, p.danger.tint, p.danger.edge, icons::ERROR),
        }
    }
}

/// Draws a banner: icon, title, one line below, and actions on the right.
pub fn banner<R>(ui: &mut Ui, tone: Tone, title: &str, detail: &str, actions: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::colors(ui);
    let (color, tint, edge, icon) = tone.parts(p);
    Frame::new()
        .fill(tint)
        .stroke(Stroke::new(p.hair, edge))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.with_layout(Layout::right_to_left(Align::TOP), |ui| {
                let result = arming::guarded(ui, actions);
                ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
                    text::icon(ui, Type::Icon, color, icon);
                    ui.vertical(|ui| {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        text::paragraph(ui, Type::Strong, p.text.primary, title);
                        if !detail.is_empty() {
                            text::paragraph(ui, Type::Small, p.text.secondary, detail);
                        }
                    });
                });
                result
            })
            .inner
        })
        .inner
}

/// Draws an empty state instead of the content of a screen: an icon, a heading, a line, and buttons below.
pub fn empty<R>(ui: &mut Ui, icon: &str, heading: &str, line: &str, buttons: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::colors(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.28).min(220.0));
        let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(56.0), egui::Sense::hover());
        let stroke = Stroke::new(p.hair, p.stroke.card);
        ui.painter().rect(rect, f32::from(radius::XL), p.surface.raised, stroke, egui::StrokeKind::Inside);
        ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, icon, Type::IconLarge.font(), p.text.secondary);
        ui.add_space(space::M);
        text::line(ui, Type::Heading, p.text.primary, heading);
        ui.scope(|ui| {
            ui.set_max_width(420.0);
            text::paragraph(ui, Type::Body, p.text.secondary, line);
        });
        ui.add_space(space::S);
        centered_row(ui, buttons)
    })
    .inner
}

/// Draws the title of a page that has nothing but an empty state.
pub fn page_title(ui: &mut Ui, title: &str) {
    let p = theme::colors(ui);
    Frame::new().inner_margin(Margin { left: 20, right: 16, top: 10, bottom: 8 }).show(ui, |ui| {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 36.0), Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, title);
        });
    });
}

/// Draws a centered row of buttons. The row's width is known one frame later, so it is measured first.
pub fn centered_row<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.scope_id().with("centered row");
    let known: f32 = ui.data(|data| data.get_temp(id)).unwrap_or(0.0);
    let indent = ((ui.available_width() - known) / 2.0).max(0.0);
    // Of its own height: in all the room that is left it would stand in the middle of that.
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 32.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_height(32.0);
        ui.add_space(indent);
        let inner = ui.scope(|ui| ui.horizontal(add).inner);
        let width = inner.response.rect.width();
        if (width - known).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(id, width));
            ui.ctx().request_repaint();
        }
        inner.inner
    })
    .inner
}

/// Draws the heading of a card with the close button of a side page or dialog. Returns `true` if that was pressed.
pub fn title_with_close(ui: &mut Ui, kind: Type, title: &str) -> bool {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = Button::icon_only(icons::CLOSE, "Close").show(ui);
            focus::entrance(ui, focus::FocusArea::Side, close.id);
            let closed = close.clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, kind, p.text.primary, title);
            });
            closed
        })
        .inner
    })
    .inner
}

/// Draws a hairline across the whole width.
pub fn hairline(ui: &mut Ui) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, p.stroke.divider));
}
