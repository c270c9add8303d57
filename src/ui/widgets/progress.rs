//! Progress of work on many keys.

use eframe::egui::{Rect, Sense, Ui, vec2};

use super::text;
use crate::{
    model::text::number::thousands,
    ui::theme::{self, Type},
};

/// Draws how many of all keys are settled, as a number, and as a bar on which those that failed have another color.
pub fn progress(ui: &mut Ui, settled: usize, failed: usize, total: usize) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        text::line(ui, Type::Display, p.text.primary, thousands(settled as u64));
        text::line(ui, Type::Body, p.text.tertiary, format!("of {}", thousands(total as u64)));
    });
    bar(ui, settled.saturating_sub(failed), failed, total);
}

fn bar(ui: &mut Ui, done: usize, failed: usize, total: usize) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 4.0, p.status.track);
    let share = |count: usize| rect.width() * count as f32 / total.max(1) as f32;
    ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(share(done), 8.0)), 4.0, p.accent.mark);
    let at = rect.min + vec2(share(done), 0.0);
    ui.painter().rect_filled(Rect::from_min_size(at, vec2(share(failed), 8.0)), 4.0, p.danger.solid);
}
