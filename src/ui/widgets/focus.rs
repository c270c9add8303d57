//! The ring around the control that has the keyboard focus. A click does not draw it.

use eframe::egui::{self, Response, Stroke, StrokeKind};

use crate::ui::theme;

/// Returns `true` if the last input was a navigation key, so that rings are shown.
pub fn by_keyboard(ctx: &egui::Context) -> bool {
    ctx.data(|data| data.get_temp(egui::Id::unique("keyboard leads"))).unwrap_or(false)
}

/// Remembers whether the keyboard or the pointer was used last. To be called once per frame, before drawing.
pub fn notice_input(ctx: &egui::Context) {
    let leads = ctx.input(|input| {
        let pressed = input.pointer.any_pressed();
        let key = input.events.iter().any(|event| {
            matches!(event, egui::Event::Key { pressed: true, key, .. }
                if matches!(key, egui::Key::Tab | egui::Key::ArrowUp | egui::Key::ArrowDown | egui::Key::F6
                    | egui::Key::ArrowLeft | egui::Key::ArrowRight | egui::Key::Enter | egui::Key::Space))
        });
        if pressed { Some(false) } else { key.then_some(true) }
    });
    if let Some(leads) = leads {
        ctx.data_mut(|data| data.insert_temp(egui::Id::unique("keyboard leads"), leads));
    }
}

/// Draws the ring around a control that has the keyboard focus.
pub fn ring(ui: &egui::Ui, response: &Response, corner: u8) {
    if response.has_focus() && by_keyboard(ui.ctx()) {
        let stroke = Stroke::new(2.0, theme::colors(ui).stroke.focus);
        let rect = response.rect.expand(3.0);
        ui.painter().rect_stroke(rect, f32::from(corner) + 3.0, stroke, StrokeKind::Middle);
    }
}

/// Draws the ring inside a rectangle, for rows without room around them.
pub fn ring_inside(ui: &egui::Ui, rect: egui::Rect) {
    if by_keyboard(ui.ctx()) {
        let stroke = Stroke::new(2.0, theme::colors(ui).stroke.focus);
        ui.painter().rect_stroke(rect.shrink(1.0), 0.0, stroke, StrokeKind::Inside);
    }
}

/// Draws the ring inside another rectangle than the response's own.
pub fn ring_if(ui: &egui::Ui, response: &Response, rect: egui::Rect, corner: u8) {
    if response.has_focus() && by_keyboard(ui.ctx()) {
        let stroke = Stroke::new(2.0, theme::colors(ui).stroke.focus);
        ui.painter().rect_stroke(rect, f32::from(corner), stroke, StrokeKind::Inside);
    }
}

/// Areas of the window that F6 moves between, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FocusArea {
    /// The rail.
    Rail,
    /// The current screen.
    Page,
    /// The page beside the list.
    Side,
}

/// Registers the control by which an area is entered. To be called in each frame in which the area is shown.
pub fn entrance(ui: &egui::Ui, part: FocusArea, control: egui::Id) {
    let frame = ui.ctx().cumulative_frame_nr();
    ui.data_mut(|data| data.insert_temp(egui::Id::unique(("entrance", part)), (control, frame)));
}

/// Moves the focus to the next area that is shown when F6 is pressed. To be called once per frame, after drawing.
pub fn go_between_parts(ctx: &egui::Context) {
    if !ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::F6)) {
        return;
    }
    let frame = ctx.cumulative_frame_nr();
    let place = egui::Id::unique("part of the window");
    let parts = [FocusArea::Rail, FocusArea::Page, FocusArea::Side];
    let at: usize = ctx.data(|data| data.get_temp(place)).unwrap_or(0);
    for step in 1..=parts.len() {
        let next = (at + step) % parts.len();
        let entrance: Option<(egui::Id, u64)> =
            ctx.data(|data| data.get_temp(egui::Id::unique(("entrance", parts[next]))));
        if let Some((control, _)) = entrance.filter(|(_, drawn)| *drawn == frame) {
            ctx.memory_mut(|memory| memory.request_focus(control));
            ctx.data_mut(|data| data.insert_temp(place, next));
            return;
        }
    }
}
