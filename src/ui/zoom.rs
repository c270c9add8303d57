//! Zoom of the window: as large as the user wants it, but never so large that the parts of the window have no room. The
//! wanted zoom returns when the window grows.

use eframe::egui::{Context, Vec2, vec2};

/// Minimum room that the parts of the window need, in points; also the minimum size of the window.
pub const MIN_ROOM: Vec2 = vec2(900.0, 600.0);

/// The wanted zoom, and the one that was set last.
#[derive(Default)]
pub struct Zoom {
    wanted: Option<f32>,
    set: Option<f32>,
}

impl Zoom {
    /// Sets the zoom for the next frame. Returns `true` once if the user wants more than the window has room for.
    pub fn keep(&mut self, ctx: &Context) -> bool {
        let now = ctx.zoom_factor();
        let maximum = maximum(ctx.content_rect().size() * now);
        let is_asked = self.set.is_some_and(|set| set.to_bits() != now.to_bits());
        let mut wanted = if is_asked { now } else { self.wanted.unwrap_or(now) };
        let is_too_much = is_asked && wanted > maximum;
        if is_too_much {
            // Or the keys to make it smaller would do nothing at first.
            wanted = self.wanted.unwrap_or(maximum).max(maximum);
        }
        let next = wanted.min(maximum);
        if next.to_bits() != now.to_bits() {
            ctx.set_zoom_factor(next);
        }
        (self.wanted, self.set) = (Some(wanted), Some(next));
        is_too_much
    }
}

impl Zoom {
    /// Returns the zoom that was asked for last; `None` before the first frame.
    pub fn wanted(&self) -> Option<f32> {
        self.wanted
    }
}

/// Returns the largest zoom at which a window of this size, in points without zoom, has room for its parts: at least 1,
/// in steps of a tenth.
pub fn maximum(window: Vec2) -> f32 {
    let ratio = window / MIN_ROOM;
    let steps = (f64::from(ratio.min_elem()) * 10.0 + 0.01).floor().max(10.0);
    (steps / 10.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_window_have_room_at_any_zoom() {
        for (window, zoom) in [
            (vec2(900.0, 600.0), 1.0),
            (vec2(640.0, 480.0), 1.0),
            (vec2(1080.0, 720.0), 1.2),
            (vec2(1920.0, 1080.0), 1.8),
            (vec2(1920.0, 600.0), 1.0),
            (vec2(3840.0, 2160.0), 3.6),
        ] {
            assert_eq!(maximum(window), zoom, "{window}");
        }
    }

    #[test]
    fn a_wish_for_more_than_there_is_room_for_is_told_once() {
        let ctx = Context::default();
        let mut zoom = Zoom::default();
        let mut told = Vec::new();
        for asked in [None, Some(1.1), Some(1.9), None, Some(1.2), None] {
            if let Some(asked) = asked {
                ctx.set_zoom_factor(asked);
            }
            // The system tells the size in points of the zoom.
            let now = asked.unwrap_or_else(|| ctx.zoom_factor());
            let size = vec2(1440.0, 900.0) / now;
            let screen_rect = Some(eframe::egui::Rect::from_min_size(Default::default(), size));
            let input = eframe::egui::RawInput { screen_rect, ..Default::default() };
            let mut output = ctx.run_ui(input, |ui| told.push((zoom.keep(ui.ctx()), ui.ctx().zoom_factor())));
            output.textures_delta.clear();
        }
        let factors: Vec<f32> = told.iter().map(|(_, factor)| *factor).collect();
        assert_eq!(factors, [1.0, 1.1, 1.9, 1.5, 1.2, 1.2]);
        assert_eq!(told.iter().map(|(told, _)| *told).collect::<Vec<_>>(), [false, false, true, false, false, false]);
    }
}
