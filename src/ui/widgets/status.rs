//! The mark, the label and the bar of a key's status: shape first, then text, then color.

use eframe::egui::{self, Color32, Pos2, Rect, Shape, Stroke, pos2, vec2};

use crate::{
    model::time::status::{Status, StatusGroup},
    ui::theme::{Palette, size},
};

/// A shape with its color; no two look alike, with or without color.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Stands for a status.
    Of(Status),
    /// Stands for all valid keys, whenever they expire.
    Valid,
    /// Stands for a status that is not known.
    NotKnown,
}

impl From<Status> for Mark {
    fn from(status: Status) -> Self {
        Self::Of(status)
    }
}

/// Returns the mark of a status group.
pub fn group_mark(group: StatusGroup) -> Mark {
    if group == StatusGroup::Valid { Mark::Valid } else { Mark::Of(group.mark()) }
}

/// Returns the color of the mark and the bar.
pub fn color(status: Status, p: &Palette) -> Color32 {
    match status {
        Status::Active => p.status.active,
        Status::ExpiringSoon => p.status.expiring_soon,
        Status::Expiring => p.status.expiring,
        Status::Expired => p.status.expired,
        Status::Never => p.status.never,
        Status::Invalidated => p.status.invalidated,
    }
}

/// Returns the color of the text about the remaining time.
pub fn text_color(status: Status, p: &Palette) -> Color32 {
    match status {
        Status::ExpiringSoon => p.status.expiring_soon_text,
        Status::Expiring => p.status.expiring_text,
        Status::Expired => p.status.expired_text,
        Status::Active => p.text.primary,
        Status::Never | Status::Invalidated => p.text.secondary,
    }
}

/// Paints the mark in a box of 10 × 10 points around `center`.
pub fn paint_mark(painter: &egui::Painter, center: Pos2, mark: impl Into<Mark>, p: &Palette) {
    let radius = size::STATUS_MARK / 2.0 - 0.5;
    let status = match mark.into() {
        Mark::Of(status) => status,
        Mark::Valid => {
            let line = Stroke::new(1.5, p.status.active);
            painter.circle_stroke(center, radius, line);
            let tick = [vec2(-2.3, 0.1), vec2(-0.6, 1.8), vec2(2.4, -1.8)].map(|by| center + by);
            painter.add(Shape::line(tick.to_vec(), line));
            return;
        }
        Mark::NotKnown => {
            let ring = (0..=24).map(|step| {
                let angle = std::f32::consts::TAU * step as f32 / 24.0;
                center + radius * vec2(angle.cos(), angle.sin())
            });
            let ring: Vec<Pos2> = ring.collect();
            painter.extend(Shape::dashed_line(&ring, Stroke::new(1.5, p.text.tertiary), 2.0, 2.0));
            return;
        }
    };
    let color = color(status, p);
    let line = Stroke::new(1.5, color);
    match status {
        Status::Active => {
            painter.circle_filled(center, radius, color);
        }
        Status::ExpiringSoon => {
            painter.circle_stroke(center, radius - 0.5, line);
            let half = (0..=16).map(|step| {
                let angle = std::f32::consts::PI * (step as f32 / 16.0 - 0.5);
                center + vec2(-angle.cos(), angle.sin()) * radius
            });
            painter.add(Shape::convex_polygon(half.collect(), color, Stroke::NONE));
        }
        Status::Expiring => {
            let points = vec![center + vec2(0.0, -5.0), center + vec2(5.2, 4.4), center + vec2(-5.2, 4.4)];
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        }
        Status::Expired => {
            painter.circle_stroke(center, radius, line);
            painter.line_segment([center + vec2(-1.8, -1.8), center + vec2(1.8, 1.8)], line);
            painter.line_segment([center + vec2(1.8, -1.8), center + vec2(-1.8, 1.8)], line);
        }
        Status::Never => {
            let points = (0..24).map(|step| {
                let t = step as f32 / 24.0 * std::f32::consts::TAU;
                let scale = 1.0 / (1.0 + t.sin() * t.sin());
                center + vec2(5.4 * t.cos() * scale, 5.4 * t.sin() * t.cos() * scale * 1.3)
            });
            painter.add(Shape::closed_line(points.collect(), line));
        }
        Status::Invalidated => {
            painter.circle_stroke(center, radius, line);
            painter.line_segment([center + vec2(-2.8, 2.8), center + vec2(2.8, -2.8)], line);
        }
    }
}

/// Paints the bar of the remaining time: `share` of the key's lifetime, or dashes for a key that never expires.
pub fn paint_bar(painter: &egui::Painter, rect: Rect, status: Status, share: Option<f32>, p: &Palette) {
    let corner = rect.height() / 2.0;
    let color = color(status, p);
    match (status, share) {
        (Status::Invalidated, _) => {
            painter.hline(rect.x_range(), rect.center().y, Stroke::new(1.0, p.status.invalidated));
        }
        (_, None) => {
            let width = (rect.width() - 3.0 * 4.0) / 4.0;
            for dash in 0..4 {
                let left = rect.left() + dash as f32 * (width + 4.0);
                let part = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
                painter.rect_filled(part, corner, color);
            }
        }
        (_, Some(share)) => {
            painter.rect_filled(rect, corner, p.status.track);
            if share > 0.0 && status.is_usable() {
                let width = (rect.width() * share).max(4.0);
                painter.rect_filled(Rect::from_min_size(rect.min, vec2(width, rect.height())), corner, color);
            }
        }
    }
}

/// Returns the short label of a group, for little room. The group's mark shows what the days mean.
pub fn short_label(group: StatusGroup) -> &'static str {
    match group {
        StatusGroup::Within7Days => "7 days",
        StatusGroup::Within30Days => "30 days",
        StatusGroup::Never => "Never",
        other => other.label(),
    }
}
