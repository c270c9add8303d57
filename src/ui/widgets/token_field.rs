//! A field for several comma-separated tokens, completed from a list.

use eframe::egui::{self, Key, Ui, vec2};

use super::{chip, field::Field};
use crate::model::text::sanitize;

/// A token that can be chosen, and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The token.
    pub text: &'a str,
    /// Short description; may be blank.
    pub meaning: &'a str,
}

/// Draws the field over a list of tokens. Returns `true` if the list has changed.
pub fn show(ui: &mut Ui, field: Field<'_>, label: &str, words: &mut Vec<String>, known: &[Choice<'_>]) -> bool {
    let id = egui::Id::unique(("words", label));
    // What was typed stays as it was typed, with the comma that waits for a word, as long as it says the same.
    let typed = ui.data(|data| data.get_temp::<String>(id)).filter(|typed| split(typed) == *words);
    let mut text = typed.unwrap_or_else(|| words.join(", "));
    let response = field.mono().show(ui, &mut text);
    let mut changed = response.changed();
    let fitting = fitting(&text, words, known);
    let asked = response.has_focus() || response.lost_focus() && !fitting.is_empty() && !last(&text).is_empty();
    if asked {
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let clicked = suggestions(ui, label, &fitting);
        if let Some(word) = clicked.or_else(|| fitting.first().filter(|_| enter).map(|known| known.text)) {
            complete(&mut text, word);
            changed = true;
            response.request_focus();
        }
    }
    if changed {
        *words = split(&text);
    }
    ui.data_mut(|data| data.insert_temp(id, text));
    changed
}

/// Returns `true` if the field with this label has the focus.
pub fn is_used(ui: &Ui, label: &str) -> bool {
    ui.memory(|memory| memory.focused()) == Some(super::field::id(label))
}

/// Splits a text into tokens at commas; surrounding blanks are removed.
fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the token that is being typed.
fn last(text: &str) -> &str {
    text.rsplit(',').next().unwrap_or_default().trim()
}

/// Replaces the token that is being typed.
fn complete(text: &mut String, word: &str) {
    let kept = text.rfind(',').map_or(0, |comma| comma + 1);
    text.truncate(kept);
    if kept > 0 {
        text.push(' ');
    }
    text.push_str(word);
    text.push_str(", ");
}

/// Returns the choices that match the token that is being typed: those that begin with it first. None once it is
/// complete.
fn fitting<'a>(text: &str, words: &[String], known: &[Choice<'a>]) -> Vec<Choice<'a>> {
    const MAX_SHOWN: usize = 8;
    let wanted = last(text).to_lowercase();
    if known.iter().any(|known| known.text == wanted) {
        return Vec::new();
    }
    let fits = |known: &&Choice<'_>| {
        known.text.to_lowercase().contains(&wanted) && !words.iter().any(|word| word == known.text)
    };
    let mut found: Vec<Choice<'a>> = known.iter().filter(fits).copied().collect();
    found.sort_by_key(|known| (!known.text.to_lowercase().starts_with(&wanted), known.meaning.is_empty()));
    found.truncate(MAX_SHOWN);
    found
}

fn suggestions<'a>(ui: &mut Ui, label: &str, fitting: &[Choice<'a>]) -> Option<&'a str> {
    let mut clicked = None;
    if fitting.is_empty() {
        return None;
    }
    ui.push_id(("suggestions", label), |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for known in fitting {
                let response = chip::choice(ui, false, None, &sanitize::shortened(known.text, 40), None);
                let response = if known.meaning.is_empty() { response } else { response.on_hover_text(known.meaning) };
                // The field loses the keyboard before a click is complete, and the words with it; in the frame of
                // the press alone, or the next word would come under the pointer while it is held.
                let pressed = response.contains_pointer() && ui.input(|input| input.pointer.primary_pressed());
                if response.clicked() || pressed {
                    clicked = Some(known.text);
                }
            }
        });
    });
    clicked
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Choice<'_>; 4] = [
        Choice { text: "all", meaning: "" },
        Choice { text: "create_doc", meaning: "Adds documents" },
        Choice { text: "read", meaning: "Reads documents" },
        Choice { text: "read_cross_cluster", meaning: "" },
    ];

    fn words(text: &str) -> Vec<&'static str> {
        fitting(text, &split(text), &KNOWN).iter().map(|known| known.text).collect()
    }

    #[test]
    fn what_is_typed_is_completed_and_what_is_whole_is_not() {
        assert_eq!(words("re"), ["read", "read_cross_cluster", "create_doc"]);
        assert_eq!(words("read, cr"), ["create_doc", "read_cross_cluster"]);
        assert!(words("read").is_empty());
        assert_eq!(words("read, "), ["create_doc", "all", "read_cross_cluster"]);
        assert!(words("xyz").is_empty());
    }

    #[test]
    fn a_word_takes_the_place_of_its_beginning() {
        let mut text = "read,cr".to_owned();
        complete(&mut text, "create_doc");
        assert_eq!(text, "read, create_doc, ");
        assert_eq!(split(&text), ["read", "create_doc"]);
        let mut text = String::new();
        complete(&mut text, "all");
        assert_eq!(split(&text), ["all"]);
    }
}
