//! Order of input: keys and text take effect in the order in which they were typed, however slowly frames follow one
//! another. The toolkit moves the focus by all keys of a frame before it gives any text of that frame to a field, and
//! by what the previous frame knew: text, Down and Tab that arrive together would leave a field whose completions the
//! text opens.

use eframe::egui::{Context, Event, Id, Key, Plugin, RawInput};

/// Passes on the input up to the first key that has to see the effect of what came before it; the rest waits for the
/// next frame.
#[derive(Default)]
pub struct TypedOrder {
    waiting: Vec<Event>,
    focused: Option<Id>,
}

impl Plugin for TypedOrder {
    fn debug_name(&self) -> &'static str {
        "typed order"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let had_waiting = !self.waiting.is_empty();
        let mut events = std::mem::take(&mut self.waiting);
        events.append(&mut input.events);
        let focused = ctx.memory(|memory| memory.focused());
        // A field that has just got the focus says only when it is drawn which keys are its own.
        let is_new = focused.is_some() && std::mem::replace(&mut self.focused, focused) != focused && !had_waiting;
        self.waiting = events.split_off(first_part(&events, focused.is_some(), is_new));
        input.events = events;
        if !self.waiting.is_empty() {
            ctx.request_repaint();
        }
    }
}

/// Returns the number of events that one frame takes. `has_focus`: a control has the keyboard focus; `is_new`: it was
/// not drawn with the focus yet.
fn first_part(events: &[Event], has_focus: bool, is_new: bool) -> usize {
    let mut text = false;
    let mut steered = None;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Key { key, pressed: true, repeat, .. } if steers(*key) => {
                // A key that is held down is not to lag behind the hand.
                let goes_on = *repeat && steered == Some(*key);
                if text || is_new || steered.is_some() && !goes_on {
                    return at;
                }
                steered = Some(*key);
            }
            // Where nothing has the keyboard, a key may give it to a field, which takes what is typed next.
            Event::Key { pressed: true, .. } if steered.is_some() || text && !has_focus => return at,
            Event::Text(_) | Event::Paste(_) | Event::Ime(_) => {
                if steered.is_some_and(|key| key != Key::Space) {
                    return at;
                }
                text = true;
            }
            Event::Key { key: Key::Backspace | Key::Delete, pressed: true, .. } => text = true,
            _ => {}
        }
    }
    events.len()
}

/// Returns `true` for keys that move the focus, or choose among what a field offers.
fn steers(key: Key) -> bool {
    use Key::{ArrowDown, ArrowUp, Enter, Escape, F6, Tab};
    matches!(key, Tab | Enter | Escape | ArrowUp | ArrowDown | F6)
}

#[cfg(test)]
mod tests {
    use eframe::egui::Modifiers;

    use super::*;

    fn key(key: Key) -> Event {
        pressed(key, false)
    }

    fn pressed(key: Key, repeat: bool) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat, modifiers: Modifiers::NONE }
    }

    fn text(words: &str) -> Event {
        Event::Text(words.into())
    }

    /// Returns the number of events in each frame.
    fn frames(mut events: Vec<Event>, has_focus: bool) -> Vec<usize> {
        let mut frames = Vec::new();
        while !events.is_empty() {
            let rest = events.split_off(first_part(&events, has_focus, false));
            frames.push(events.len());
            events = rest;
        }
        frames
    }

    #[test]
    fn a_key_that_steers_sees_the_text_before_it_and_not_the_text_after_it() {
        assert_eq!(frames(vec![text("owner:"), key(Key::ArrowDown), key(Key::Tab), text("x")], true), [1, 1, 1, 1]);
        assert_eq!(frames(vec![text("a"), key(Key::B), text("b")], true), [3]);
        assert_eq!(frames(vec![key(Key::Backspace), key(Key::Enter)], true), [1, 1]);
        assert_eq!(frames(vec![key(Key::Tab), key(Key::Tab)], true), [1, 1]);
        assert_eq!(first_part(&[key(Key::Tab)], true, true), 0, "a field that was not drawn yet");
    }

    #[test]
    fn what_is_typed_after_a_key_that_gives_a_field_the_focus_waits_for_it() {
        assert_eq!(frames(vec![key(Key::Slash), text("/"), key(Key::O), text("o")], false), [2, 2]);
    }

    #[test]
    fn a_key_that_is_held_down_does_not_lag_behind() {
        let held = |key| [pressed(key, false), pressed(key, true), pressed(key, true)];
        assert_eq!(frames(held(Key::ArrowDown).to_vec(), true), [3]);
    }
}
