//! Protection against unintended clicks: a button that has just appeared ignores the pointer for a moment, because
//! whoever pressed what was there before, or presses twice, has not read it yet. Keys and assistive technology name
//! what they press and are not delayed.

use eframe::egui::{self, Id, LayerId, Order, Rect, Response, Ui, response::Flags};

/// Time that a button ignores the pointer after it has appeared or moved, in seconds of the window's clock.
pub const ARMING_TIME: f64 = 0.5;

/// Maximum distance that a button may move and still count as the same one at the same position, in points.
const STILL: f32 = 4.0;

/// A button as it was drawn last.
#[derive(Clone, Copy)]
struct DrawnButton {
    rect: Rect,
    since: f64,
    frame: u64,
}

fn pressed_at() -> Id {
    Id::unique("pointer pressed at")
}

fn guards() -> Id {
    Id::unique("buttons here are guarded")
}

/// Remembers when the pointer was last pressed. To be called once a frame, before drawing.
pub fn notice_input(ctx: &egui::Context) {
    let pressed = ctx.input(|input| input.pointer.any_pressed().then_some(input.time));
    if let Some(time) = pressed {
        ctx.data_mut(|data| data.insert_temp(pressed_at(), time));
    }
}

/// Guards all buttons that `add` draws, also outside of dialogs, because the buttons of a banner appear unasked.
pub fn guarded<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let before = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or(guards(), false), true));
    let result = add(ui);
    ui.data_mut(|data| data.insert_temp(guards(), before));
    result
}

/// Returns `true` if buttons of this layer are guarded: in dialogs and menus, and within [`guarded`].
pub fn applies(ui: &Ui, layer: LayerId) -> bool {
    layer.order != Order::Background || ui.data(|data| data.get_temp(guards()).unwrap_or(false))
}

/// Takes back a pointer click on a button that was not here, under this name, both when the pointer was pressed and
/// [`ARMING_TIME`] before.
pub fn guard(ui: &Ui, response: &mut Response, name: &str) {
    let id = Id::unique(("armed", response.id, name));
    let (now, frame) = (ui.input(|input| input.time), ui.ctx().cumulative_frame_nr());
    let rect = response.rect;
    let since = ui.data_mut(|data| {
        let known = data.get_temp::<DrawnButton>(id).filter(|known| known.frame + 1 >= frame);
        let stays = known.filter(|known| {
            (known.rect.min - rect.min).length() <= STILL && (known.rect.max - rect.max).length() <= STILL
        });
        // The first place counts, so that many small steps do not pass for standing still.
        let known = DrawnButton { frame, ..stays.unwrap_or(DrawnButton { rect, since: now, frame }) };
        data.insert_temp(id, known);
        known.since
    });
    if response.flags.contains(Flags::CLICKED) {
        let pressed: f64 = ui.data(|data| data.get_temp(pressed_at()).unwrap_or(now));
        if pressed - since < ARMING_TIME {
            response.flags -= Flags::CLICKED;
        }
    }
}
