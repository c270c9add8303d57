//! A line of controls at a fixed position.

use eframe::egui::{Layout, Ui, UiBuilder, vec2};

/// Margin around a strip in which focus outlines are still drawn, in points.
const OUTLINE: f32 = 3.0;

/// Draws a line of this height and the whole width. What does not fit is cut off at its end: it affects neither what is
/// beside the strip nor the width of what comes below.
pub fn strip<R>(ui: &mut Ui, height: f32, layout: Layout, add: impl FnOnce(&mut Ui) -> R) -> R {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let mut inside = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    inside.shrink_clip_rect(rect.expand(OUTLINE));
    add(&mut inside)
}
