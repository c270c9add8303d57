//! Buttons: primary, secondary, ghost, danger; each with an optional icon, and a reason if it is disabled.

use std::sync::Arc;

use eframe::egui::{
    self, Color32, CornerRadius, Galley, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, text::LayoutJob,
    vec2,
};

use super::{arming, focus};
use crate::ui::theme::{self, Palette, Type, radius, size};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Primary,
    Secondary,
    Ghost,
    Danger,
    DangerSolid,
    Link,
}

/// A button before it is shown.
pub struct Button<'a> {
    label: &'a str,
    icon: Option<&'a str>,
    kind: Kind,
    height: f32,
    off: Option<&'a str>,
    enabled: bool,
    name: Option<&'a str>,
    icon_only: bool,
    width: Option<f32>,
    guarded: bool,
    tooltip: Option<&'a str>,
}

impl<'a> Button<'a> {
    const fn of(kind: Kind, label: &'a str) -> Self {
        Self {
            label,
            icon: None,
            kind,
            height: size::CONTROL,
            off: None,
            enabled: true,
            name: None,
            icon_only: false,
            width: None,
            tooltip: None,
            guarded: matches!(kind, Kind::Danger | Kind::DangerSolid),
        }
    }

    /// Creates the one primary button of a screen.
    pub const fn primary(label: &'a str) -> Self {
        Self::of(Kind::Primary, label)
    }

    /// Creates an ordinary button.
    pub const fn secondary(label: &'a str) -> Self {
        Self::of(Kind::Secondary, label)
    }

    /// Creates a button without a background.
    pub const fn ghost(label: &'a str) -> Self {
        Self::of(Kind::Ghost, label)
    }

    /// Creates a button that leads to a destructive action.
    pub const fn danger(label: &'a str) -> Self {
        Self::of(Kind::Danger, label)
    }

    /// Creates a button for the last step of a destructive action.
    pub const fn destroy(label: &'a str) -> Self {
        Self::of(Kind::DangerSolid, label)
    }

    /// Creates a button that looks like a link.
    pub const fn link(label: &'a str) -> Self {
        let mut link = Self::of(Kind::Link, label);
        link.height = 20.0;
        link
    }

    /// Creates an icon button of 32 × 32 points; the label becomes its tooltip and its accessible name.
    pub const fn icon_only(icon: &'a str, label: &'a str) -> Self {
        let mut button = Self::of(Kind::Ghost, label);
        button.icon = Some(icon);
        button.icon_only = true;
        button
    }

    /// Adds an icon before the label.
    pub const fn icon(mut self, icon: &'a str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Makes the button 40 points high.
    pub const fn large(mut self) -> Self {
        self.height = size::CONTROL_LARGE;
        self
    }

    /// Makes the button 26 points high.
    pub const fn small(mut self) -> Self {
        self.height = size::CONTROL_SMALL;
        self
    }

    /// Sets the minimum width, in points.
    pub const fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Disables the button if there is a reason, which becomes its tooltip.
    pub const fn off_because(mut self, reason: Option<&'a str>) -> Self {
        self.off = reason;
        self.enabled = reason.is_none();
        self
    }

    /// Enables or disables the button.
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets an accessible name that differs from the label.
    pub const fn named(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets a tooltip of the enabled button.
    pub const fn tooltip(mut self, words: &'a str) -> Self {
        self.tooltip = Some(words);
        self
    }

    /// Ignores the pointer for a moment after the button has appeared; see [`arming`]. Destructive buttons, and all in
    /// dialogs and banners, do so by themselves.
    pub const fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    /// Shows the icon alone where there is no room for the label; the accessible name stays.
    pub const fn compact(mut self, compact: bool) -> Self {
        self.icon_only = self.icon_only || (compact && self.icon.is_some());
        self
    }

    /// Returns the width of the button, in points.
    pub fn room(&self, ui: &Ui) -> f32 {
        self.layout(ui).1
    }

    /// Draws the button; the response says whether it was pressed.
    pub fn show(self, ui: &mut Ui) -> Response {
        let p = theme::colors(ui);
        let (galley, width) = self.layout(ui);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, mut response) = ui.allocate_exact_size(vec2(width, self.height), sense);
        let name = self.name.unwrap_or(self.label);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, self.enabled, name));
        if self.guarded || arming::applies(ui, response.layer_id) {
            arming::guard(ui, &mut response, name);
        }

        if ui.is_rect_visible(rect) {
            let (fill, edge, color) = self.colors(p, &response);
            let corner = CornerRadius::same(radius::M);
            ui.painter().rect(rect, corner, fill, Stroke::new(p.hair, edge), StrokeKind::Inside);
            let at = rect.center() - galley.size() / 2.0;
            ui.painter().galley(egui::pos2(at.x.round(), at.y.round()), galley, color);
            if self.kind == Kind::Link && response.hovered() {
                let line = egui::Rangef::new(rect.left(), rect.right());
                ui.painter().hline(line, rect.center().y + 8.0, Stroke::new(1.0, color));
            }
            focus::ring(ui, &response, radius::M);
        }
        if let Some(reason) = self.off {
            response = response.on_hover_text(reason);
        } else if let Some(words) = self.tooltip {
            response = response.on_hover_text(words);
        } else if self.icon_only {
            response = response.on_hover_text(self.label);
        }
        if self.enabled && response.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
        }
        response
    }

    fn layout(&self, ui: &Ui) -> (Arc<Galley>, f32) {
        let padding = match (self.kind, self.icon_only) {
            (_, true) => 7.0,
            (Kind::Link, _) => 0.0,
            _ if self.height > size::CONTROL => 20.0,
            _ if self.height < size::CONTROL => 10.0,
            _ => 12.0,
        };
        let text_kind = if self.height < size::CONTROL { Type::Label } else { Type::Strong };
        let mut job = LayoutJob::default();
        if let Some(icon) = self.icon {
            let kind = if self.height < size::CONTROL { Type::IconSmall } else { Type::Icon };
            job.append(icon, 0.0, kind.format(Color32::PLACEHOLDER));
        }
        if !self.icon_only {
            let gap = if self.icon.is_some() { 8.0 } else { 0.0 };
            job.append(self.label, gap, text_kind.format(Color32::PLACEHOLDER));
        }
        job.wrap.max_width = f32::INFINITY;
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        let width = (galley.size().x + 2.0 * padding).max(self.width.unwrap_or(0.0));
        (galley, width)
    }

    fn colors(&self, p: &Palette, response: &Response) -> (Color32, Color32, Color32) {
        let none = Color32::TRANSPARENT;
        let down = response.is_pointer_button_down_on();
        let over = response.hovered();
        let pick = |rest, hover, pressed| {
            if down {
                pressed
            } else if over {
                hover
            } else {
                rest
            }
        };
        if !self.enabled {
            return match self.kind {
                Kind::Ghost | Kind::Link => (none, none, p.text.disabled),
                _ => (p.surface.hover, p.stroke.divider, p.text.disabled),
            };
        }
        match self.kind {
            Kind::Primary => {
                (pick(p.accent.solid, p.accent.solid_hover, p.accent.solid_pressed), none, p.text.on_solid)
            }
            Kind::Secondary => {
                (pick(p.surface.overlay, p.surface.hover, p.surface.pressed), p.stroke.card, p.text.primary)
            }
            Kind::Ghost => (
                pick(none, p.surface.hover, p.surface.pressed),
                none,
                if over { p.text.primary } else { p.text.secondary },
            ),
            Kind::Danger => (pick(p.danger.tint, p.danger.edge, p.danger.edge), p.danger.edge, p.danger.text),
            Kind::DangerSolid => {
                (pick(p.danger.solid, p.danger.solid_hover, p.danger.solid_pressed), none, p.text.on_solid)
            }
            Kind::Link => (none, none, p.text.link),
        }
    }
}
