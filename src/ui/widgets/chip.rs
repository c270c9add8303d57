//! Small elements: filter chips, segmented choices, badges, environments.

use std::sync::Arc;

use eframe::egui::{
    self, Color32, CornerRadius, Galley, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    text::LayoutJob, vec2,
};

use super::{
    focus,
    status::{self, Mark},
};
use crate::{
    model::{connections::profile::Environment, time::status::Status},
    ui::theme::{self, Palette, Type, icons, radius, size},
};

/// Draws a chip that is on or off, with an optional mark and count.
pub fn choice(ui: &mut Ui, on: bool, mark: Option<Status>, label: &str, count: Option<String>) -> Response {
    let name = count.as_ref().map_or_else(|| label.to_owned(), |count| format!("{label} {count}"));
    marked_choice(ui, on, mark.map(Mark::Of), &name, Shown { label, count: count.as_deref() })
}

/// Label and count of a chip, as far as they are shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Label; blank if there is no room for it.
    pub label: &'a str,
    /// Number after the label.
    pub count: Option<&'a str>,
}

/// Returns the width of [`marked_choice`] with this label and count, in points.
pub fn choice_width(ui: &Ui, mark: Option<Mark>, shown: Shown<'_>) -> f32 {
    choice_galley(ui, false, shown).size().x + mark_room(mark) + 20.0
}

/// Draws a chip that shows as much as there is room for. `name` is its accessible name with label and count, and its
/// tooltip if some of that is not shown.
pub fn marked_choice(ui: &mut Ui, on: bool, mark: Option<Mark>, name: &str, shown: Shown<'_>) -> Response {
    let p = theme::colors(ui);
    let galley = choice_galley(ui, on, shown);
    let mark_room = mark_room(mark);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + mark_room + 20.0, size::CHIP), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, name));
    if ui.is_rect_visible(rect) {
        let (fill, edge) = match (on, response.is_pointer_button_down_on(), response.hovered()) {
            (true, ..) => (p.accent.tint, p.accent.mark),
            (_, true, _) => (p.surface.pressed, p.stroke.card),
            (_, _, true) => (p.surface.hover, p.stroke.card),
            _ => (Color32::TRANSPARENT, p.stroke.card),
        };
        ui.painter().rect(rect, CornerRadius::same(radius::M), fill, Stroke::new(p.hair, edge), StrokeKind::Inside);
        let mut x = rect.left() + 10.0;
        if let Some(mark) = mark {
            status::paint_mark(ui.painter(), pos2(x + 5.0, rect.center().y), mark, p);
            x += mark_room;
        }
        ui.painter().galley(pos2(x, (rect.center().y - galley.size().y / 2.0).round()), galley, p.text.primary);
        focus::ring(ui, &response, radius::M);
    }
    let is_whole = match shown.count {
        Some(count) => name.strip_suffix(count).is_some_and(|label| label.trim_end() == shown.label),
        None => name == shown.label,
    };
    if is_whole { response } else { response.on_hover_text(name) }
}

fn mark_room(mark: Option<Mark>) -> f32 {
    if mark.is_some() { size::STATUS_MARK + 6.0 } else { 0.0 }
}

fn choice_galley(ui: &Ui, on: bool, shown: Shown<'_>) -> Arc<Galley> {
    let Shown { label: shown, count } = shown;
    let p = theme::colors(ui);
    let mut job = LayoutJob::default();
    if !shown.is_empty() {
        job.append(shown, 0.0, Type::Label.format(if on { p.text.primary } else { p.text.secondary }));
    }
    if let Some(count) = count {
        job.append(count, if shown.is_empty() { 0.0 } else { 6.0 }, Type::Small.format(p.text.tertiary));
    }
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Draws a choice of one among a few, side by side. Returns the value that was clicked.
pub fn segmented<T: Copy + PartialEq>(ui: &mut Ui, chosen: T, choices: &[(T, &str)], width: Option<f32>) -> Option<T> {
    segmented_without(ui, chosen, choices, width, &[])
}

/// Returns the width of [`segmented`] if none is given, in points.
pub fn segmented_room<T>(ui: &Ui, choices: &[(T, &str)]) -> f32 {
    // The chosen one is the widest that it can be.
    let width = |label: &str| {
        ui.painter().layout_no_wrap(label.to_owned(), Type::Strong.font(), Color32::PLACEHOLDER).size().x + 28.0
    };
    choices.iter().map(|(_, label)| width(label)).sum::<f32>() + 4.0
}

/// Draws [`segmented`] with some values that can't be chosen.
pub fn segmented_without<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: T,
    choices: &[(T, &str)],
    width: Option<f32>,
    off: &[T],
) -> Option<T> {
    let p = theme::colors(ui);
    let look = SegmentColors { fill: p.surface.segment, edge: p.stroke.card, text: p.text.primary };
    segments(ui, chosen, choices, off, width, look)
}

/// Draws the choice of an environment, in the colors that it has everywhere; `None` until one is chosen.
pub fn environments(ui: &mut Ui, chosen: Option<Environment>, width: f32) -> Option<Environment> {
    let p = theme::colors(ui);
    let (solid, text, tint) = environment_colors(p, chosen.unwrap_or(Environment::Development));
    let (fill, text) = match chosen {
        Some(Environment::Production) => (solid, p.text.on_solid),
        Some(Environment::Staging) => (tint, text),
        Some(Environment::Development | Environment::Sandbox) | None => (p.surface.segment, text),
    };
    let choices = Environment::CHOICES.map(|environment| (Some(environment), environment.word()));
    segments(ui, chosen, &choices, &[], Some(width), SegmentColors { fill, edge: solid, text }).flatten()
}

/// Colors of the chosen segment.
#[derive(Clone, Copy)]
struct SegmentColors {
    fill: Color32,
    edge: Color32,
    text: Color32,
}

/// Draws the segments; those in `off` can't be chosen.
fn segments<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: T,
    choices: &[(T, &str)],
    off: &[T],
    width: Option<f32>,
    look: SegmentColors,
) -> Option<T> {
    let SegmentColors { fill, edge, text } = look;
    let p = theme::colors(ui);
    let galleys: Vec<_> = choices
        .iter()
        .map(|(value, label)| {
            let (kind, color) = match *value == chosen {
                true => (Type::Strong, text),
                false if off.contains(value) => (Type::Body, p.text.disabled),
                false => (Type::Body, p.text.secondary),
            };
            ui.painter().layout_no_wrap((*label).to_owned(), kind.font(), color)
        })
        .collect();
    let natural: f32 = galleys.iter().map(|galley| galley.size().x + 28.0).sum::<f32>() + 4.0;
    let total = width.unwrap_or(natural);
    // Equal parts, unless one of the labels would touch the next.
    let labels: f32 = galleys.iter().map(|galley| galley.size().x).sum();
    let equal = (total - 4.0) / choices.len() as f32;
    let is_tight = galleys.iter().any(|galley| galley.size().x + 12.0 > equal);
    let gap = (total - 4.0 - labels) / choices.len() as f32;
    let (rect, _) = ui.allocate_exact_size(vec2(total, size::CONTROL), Sense::hover());
    let ground = Stroke::new(p.hair, p.stroke.card);
    ui.painter().rect(rect, CornerRadius::same(radius::M), p.surface.canvas, ground, StrokeKind::Inside);
    let mut clicked = None;
    let mut x = rect.left() + 2.0;
    for ((value, label), galley) in choices.iter().zip(galleys) {
        let part = match width {
            Some(_) if is_tight => galley.size().x + gap,
            Some(_) => equal,
            None => galley.size().x + 28.0,
        };
        let cell = Rect::from_min_size(pos2(x, rect.top() + 3.0), vec2(part, size::CONTROL_SMALL));
        let is_off = off.contains(value);
        let sense = if is_off { Sense::hover() } else { Sense::click() };
        let response = ui.interact(cell, ui.scope_id().with(("segment", *label)), sense);
        let on = *value == chosen;
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, !is_off, on, *label));
        if on {
            let edge = Stroke::new(p.hair, edge);
            ui.painter().rect(cell, CornerRadius::same(radius::S), fill, edge, StrokeKind::Inside);
        } else if response.hovered() && !is_off {
            ui.painter().rect_filled(cell, CornerRadius::same(radius::S), p.surface.hover);
        }
        let at = cell.center() - galley.size() / 2.0;
        ui.painter().galley(pos2(at.x.round(), at.y.round()), galley, p.text.primary);
        focus::ring(ui, &response, radius::S);
        if response.clicked() {
            clicked = Some(*value);
        }
        x += part;
    }
    clicked
}

/// Emphasis of a badge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A plain fact.
    Plain,
    /// Something about the user's own key or session.
    Accent,
    /// Something worth a look.
    Warning,
    /// Something dangerous.
    Danger,
    /// The environment of a cluster.
    Environment(Environment),
}

impl Tone {
    /// Returns the colors of text, background and edge.
    pub fn colors(self, p: &Palette) -> (Color32, Color32, Color32) {
        match self {
            Self::Plain => (p.text.secondary, p.surface.badge, p.surface.badge),
            Self::Accent => (p.accent.text, p.accent.tint, p.accent.tint),
            Self::Warning => (p.warning.text, p.warning.tint, p.warning.tint),
            Self::Danger => (p.danger.text, p.danger.tint, p.danger.tint),
            Self::Environment(environment) => {
                let (solid, text, tint) = environment_colors(p, environment);
                (text, tint, solid)
            }
        }
    }
}

/// Returns the width of a badge, with or without text, in points.
pub fn badge_width(ui: &Ui, word: Option<&str>) -> f32 {
    let text = word.map_or(0.0, |word| {
        4.0 + ui.painter().layout_no_wrap(word.to_owned(), Type::Micro.font(), Color32::PLACEHOLDER).size().x
    });
    14.0 + 12.0 + text
}

/// Paints a badge with its left edge at `rect.left()`.
pub fn paint_badge(ui: &Ui, rect: Rect, tone: Tone, icon: &str, word: Option<&str>) {
    let p = theme::colors(ui);
    let (text, fill, edge) = tone.colors(p);
    let painter = ui.painter();
    painter.rect(rect, CornerRadius::same(radius::S), fill, Stroke::new(p.hair, edge), StrokeKind::Inside);
    let icon_font = egui::FontId::new(14.0, Type::Icon.font().family);
    painter.text(pos2(rect.left() + 13.0, rect.center().y), egui::Align2::CENTER_CENTER, icon, icon_font, text);
    if let Some(word) = word {
        let galley = painter.layout_no_wrap(word.to_owned(), Type::Micro.font(), text);
        let y = (rect.center().y - galley.size().y / 2.0).round();
        painter.galley(pos2(rect.left() + 24.0, y), galley, text);
    }
}

/// Draws a badge in the layout.
pub fn badge(ui: &mut Ui, tone: Tone, icon: &str, word: &str) -> Response {
    let width = badge_width(ui, Some(word));
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::BADGE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
    paint_badge(ui, rect, tone, icon, Some(word));
    response
}

/// Returns color, text color and tint of an environment.
pub fn environment_colors(p: &Palette, environment: Environment) -> (Color32, Color32, Color32) {
    let e = &p.environment;
    match environment {
        Environment::Production => (e.production, e.production_text, e.production_tint),
        Environment::Staging => (e.staging, e.staging_text, e.staging_tint),
        Environment::Development | Environment::Sandbox => (e.development, e.development_text, e.development_tint),
    }
}

/// Returns the icon of an environment.
pub fn environment_icon(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => icons::PUBLIC,
        Environment::Staging => icons::LAYERS,
        Environment::Development => icons::CONSTRUCTION,
        Environment::Sandbox => icons::SCIENCE,
    }
}

/// Draws the chip of an environment: solid, tinted, outlined or dashed, so that the shape distinguishes it before the
/// color.
pub fn environment(ui: &mut Ui, environment: Environment) -> Response {
    let p = theme::colors(ui);
    let (solid, text, tint) = environment_colors(p, environment);
    let text = if environment == Environment::Production { p.text.on_solid } else { text };
    let galley = ui.painter().layout_no_wrap(environment.word().to_owned(), Type::Micro.font(), text);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 36.0, 24.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, environment.word()));
    let corner = CornerRadius::same(radius::S);
    let painter = ui.painter();
    match environment {
        Environment::Production => {
            painter.rect_filled(rect, corner, solid);
        }
        Environment::Staging => {
            painter.rect(rect, corner, tint, Stroke::new(p.hair, solid), StrokeKind::Inside);
        }
        Environment::Development => {
            painter.rect_stroke(rect, corner, Stroke::new(p.hair, solid), StrokeKind::Inside);
        }
        Environment::Sandbox => {
            let r = rect.shrink(0.5);
            let path = [r.left_top(), r.right_top(), r.right_bottom(), r.left_bottom(), r.left_top()];
            painter.extend(Shape::dashed_line(&path, Stroke::new(p.hair, solid), 4.0, 3.0));
        }
    }
    let icon = environment_icon(environment);
    painter.text(
        pos2(rect.left() + 16.0, rect.center().y),
        egui::Align2::CENTER_CENTER,
        icon,
        Type::IconSmall.font(),
        text,
    );
    painter.galley(pos2(rect.left() + 28.0, (rect.center().y - galley.size().y / 2.0).round()), galley, text);
    response
}
